/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deadlines of stoppers and of tasks. */

#include "tasker-test.h"

/* Longer than any test may take: who sleeps so long was woken or hangs. */
#define FOR_EVER_MS (10 * 60 * 1000)

static TaskerStopper *
create (TaskerGroup *group,
        guint        timeout_ms)
{
  TaskerStopper *stopper = tasker_group_create_stopper (group);

  tasker_stopper_set_timeout_ms (stopper, timeout_ms);

  return stopper;
}

/* Stoppers */

static void
test_passes (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (TaskerStopper) stopper = create (group, 30);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (tasker_stopper_get_timeout_ms (stopper), ==, 30);
  g_assert_false (tasker_stopper_timed_out (stopper));
  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 30 * 1000);
  g_assert_true (tasker_stopper_timed_out (stopper));

  /* It asks this one alone. */
  g_assert_false (tasker_group_is_stopped (group));
  tasker_group_stop (group);
  g_assert_true (tasker_stopper_timed_out (stopper));
}

/* Whoever else cancels is first. */
static void
test_stop_first (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopped = create (group, 300);
  g_autoptr (TaskerStopper) cancelled = create (group, 300);
  g_autoptr (TaskerStopper) late = NULL;

  g_cancellable_cancel (G_CANCELLABLE (cancelled));
  tasker_group_stop (group);
  late = create (group, 1);
  g_usleep (400 * 1000);

  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (late)));
  g_assert_false (tasker_stopper_timed_out (stopped));
  g_assert_false (tasker_stopper_timed_out (cancelled));
  g_assert_false (tasker_stopper_timed_out (late));
}

static void
test_moved (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) cleared = create (group, 300);
  g_autoptr (TaskerStopper) later = create (group, 300);
  g_autoptr (TaskerStopper) sooner = create (group, FOR_EVER_MS);

  tasker_stopper_set_timeout_ms (cleared, 0);
  tasker_stopper_set_timeout_ms (later, FOR_EVER_MS);
  tasker_stopper_set_timeout_ms (sooner, 10);
  tasker_stopper_wait (sooner);
  g_usleep (400 * 1000);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (cleared)));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (later)));
  g_assert_true (tasker_stopper_timed_out (sooner));

  /* It counts from when it is set again. */
  g_object_set (cleared, "timeout-ms", 1, NULL);
  tasker_stopper_wait (cleared);
  g_assert_true (tasker_stopper_timed_out (cleared));
}

static void
count_call (gpointer n_calls)
{
  ++*(int *) n_calls;
}

static void
test_property (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  guint timeout_ms = 1;
  int n_notified = 0;

  g_signal_connect_swapped (stopper, "notify::timeout-ms", G_CALLBACK (count_call), &n_notified);
  g_object_get (stopper, "timeout-ms", &timeout_ms, NULL);
  g_assert_cmpuint (timeout_ms, ==, 0);
  tasker_stopper_set_timeout_ms (stopper, 0);
  g_assert_cmpint (n_notified, ==, 0);

  g_object_set (stopper, "timeout-ms", G_MAXUINT, NULL);
  g_object_get (stopper, "timeout-ms", &timeout_ms, NULL);
  g_assert_cmpuint (timeout_ms, ==, G_MAXUINT);
  tasker_stopper_set_timeout_ms (stopper, G_MAXUINT);
  g_assert_cmpint (n_notified, ==, 1);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
}

/* Any call of GIO. */
static void
test_gio_call (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = create (group, 20);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;

  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (socket, address, FALSE, &error) && g_socket_listen (socket, &error));

  g_assert_null (g_socket_accept (socket, G_CANCELLABLE (stopper), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (tasker_stopper_timed_out (stopper));
}

static void
test_main_loop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = create (group, 20);
  g_autoptr (GAsyncResult) waited = NULL;
  g_autoptr (GAsyncResult) slept = NULL;
  g_autoptr (GError) error = NULL;

  tasker_stopper_wait_async (stopper, tasker_test_keep, &waited);
  tasker_stopper_sleep_async (stopper, FOR_EVER_MS, tasker_test_keep, &slept);
  tasker_test_iterate_until (waited != NULL && slept != NULL);
  g_assert_false (tasker_stopper_sleep_finish (stopper, slept, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (tasker_stopper_timed_out (stopper));
}

typedef struct
{
  TaskerGroup *group;
  GThread     *thread;   /* that called the handler */
  gboolean     deadlock; /* a call that may not block there has said so */
} Handler;

static void
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  Handler *handler = user_data;
  g_autoptr (TaskerStopper) other = create (handler->group, 1);
  g_autoptr (GError) error = NULL;

  handler->thread = g_thread_self ();
  handler->deadlock = !tasker_stopper_sleep (other, 1, &error) &&
                      g_error_matches (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
  tasker_stopper_set_timeout_ms (TASKER_STOPPER (cancellable), 1);
  tasker_group_stop (handler->group);
}

/* No lock is held: a handler may call anything that does not block. */
static void
test_handler (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = create (group, FOR_EVER_MS);
  Handler handler = { .group = group };

  g_signal_connect (stopper, "cancelled", G_CALLBACK (on_cancelled), &handler);
  tasker_stopper_set_timeout_ms (stopper, 1);
  tasker_test_wait_for (tasker_group_is_stopped (group));
  tasker_stopper_wait (stopper);
  g_assert_true (g_atomic_pointer_get (&handler.thread) != g_thread_self ());
  g_assert_true (handler.deadlock);
  g_assert_true (tasker_stopper_timed_out (stopper));
  g_signal_handlers_disconnect_by_data (stopper, &handler);
}

/* Many */

/* In which order they come, and that none is early. */
static void
test_order (void)
{
  enum { N = 500 };
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GPtrArray) stoppers = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 begin;
  guint n_left = 0;

  for (guint i = 0; i < N; i++)
    g_ptr_array_add (stoppers, create (group, FOR_EVER_MS));
  begin = g_get_monotonic_time ();
  /* Some go again, from anywhere in the heap, and long before they are due. */
  for (guint i = 0; i < N; i++)
    tasker_stopper_set_timeout_ms (stoppers->pdata[i], i % 5 == 0 ? FOR_EVER_MS - i
                                                                  : (guint) g_test_rand_int_range (1, 100));
  for (guint i = 0; i < N; i += 5)
    tasker_stopper_set_timeout_ms (stoppers->pdata[i], 0);

  do
    {
      n_left = 0;
      for (guint i = 0; i < N; i++)
        {
          TaskerStopper *stopper = stoppers->pdata[i];
          gboolean cancelled = g_cancellable_is_cancelled (G_CANCELLABLE (stopper));
          gint64 age_us = g_get_monotonic_time () - begin;

          g_assert_true (!cancelled || age_us >= tasker_stopper_get_timeout_ms (stopper) * 1000);
          n_left += cancelled ? 0 : 1;
        }
      g_usleep (500);
    }
  while (n_left > N / 5);

  for (guint i = 0; i < N; i++)
    g_assert_true (tasker_stopper_timed_out (stoppers->pdata[i]) == (i % 5 != 0));
}

/* How often the service thread has gone to sleep, or -1 where that cannot be
 * told. */
static gint64
get_n_wakeups (void)
{
  const char *tasks = "/proc/self/task";
  g_autoptr (GDir) dir = g_dir_open (tasks, 0, NULL);
  const char *id;

  while (dir != NULL && (id = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (tasks, id, "status", NULL);
      g_autofree char *status = NULL;
      const char *line;

      if (g_file_get_contents (path, &status, NULL, NULL) &&
          g_str_has_prefix (status, "Name:\ttasker-service\n") &&
          (line = strstr (status, "\nvoluntary_ctxt_switches:")) != NULL)
        return g_ascii_strtoll (strchr (line, ':') + 1, NULL, 10);
    }

  return -1;
}

/* Set and cleared again, in all ways that there are: it takes no time worth
 * mentioning, and wakes nobody. */
static void
test_many (void)
{
  guint n = tasker_test_rounds (100000);
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) first = create (group, 30 * 1000);
  g_autoptr (GPtrArray) stoppers = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 n_wakeups;
  gint64 begin;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (stoppers, tasker_group_create_stopper (group));
  tasker_test_wait_for (get_n_wakeups () != 0);
  g_usleep (20 * 1000);

  g_assert_cmpuint (tasker_stopper_get_timeout_ms (first), ==, 30 * 1000);
  n_wakeups = get_n_wakeups ();
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    tasker_stopper_set_timeout_ms (stoppers->pdata[i], 60 * 1000 + i * 7919 % 10007);
  for (guint i = 0; i < n; i++)
    {
      if (i % 3 == 0)
        tasker_stopper_set_timeout_ms (stoppers->pdata[i], 0);
      else if (i % 3 == 1)
        g_cancellable_cancel (stoppers->pdata[i]);
    }
  g_ptr_array_set_size (stoppers, 0);
  g_test_message ("%u set and cleared in %.1f ms", n,
                  (double) (g_get_monotonic_time () - begin) / 1000);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (get_n_wakeups () - n_wakeups, <=, 2);
}

/* A stopper whose deadline comes while it goes is not brought back. */
static void
test_drop_race (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  for (guint i = 0; i < tasker_test_rounds (10000) / 20; i++)
    {
      TaskerStopper *stoppers[20];
      GWeakRef alive[20];

      for (guint j = 0; j < G_N_ELEMENTS (stoppers); j++)
        {
          stoppers[j] = create (group, 1);
          g_weak_ref_init (&alive[j], stoppers[j]);
        }
      g_usleep (900 + i % 100);
      for (guint j = 0; j < G_N_ELEMENTS (stoppers); j++)
        g_object_unref (stoppers[j]);
      for (guint j = 0; j < G_N_ELEMENTS (stoppers); j++)
        {
          tasker_test_wait_for (!tasker_test_is_alive (&alive[j]));
          g_weak_ref_clear (&alive[j]);
        }
    }
}

/* Tasks */

static gboolean
sleep_for_ever (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  return tasker_stopper_sleep (TASKER_STOPPER (stopper), FOR_EVER_MS, error);
}

static gboolean
sleep_and_succeed (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  g_assert_true (tasker_stopper_timed_out (TASKER_STOPPER (stopper)));
  return TRUE;
}

static gboolean
sleep_and_fail (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "slept and failed");
  return FALSE;
}

static gboolean
work_on_item (gpointer       user_data,
              gsize          index,
              GCancellable  *stopper,
              GError       **error)
{
  g_usleep (1000);
  return TRUE;
}

static gboolean
go_on (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

static gboolean
tick (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  return G_SOURCE_CONTINUE;
}

static void
complete_cancelled (GCancellable *task,
                    gpointer      user_data)
{
  GError *error = NULL;

  g_cancellable_set_error_if_cancelled (task, &error);
  tasker_task_complete_error (TASKER_TASK (task), error);
}

static gboolean
begin_async (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  g_signal_connect (stopper, "cancelled", G_CALLBACK (complete_cancelled), NULL);
  return TRUE;
}

static void
fail_gtask (GCancellable *task,
            gpointer      gtask)
{
  g_task_return_new_error (gtask, G_IO_ERROR, G_IO_ERROR_CANCELLED, "operation was cancelled");
  g_object_unref (gtask);
}

static TaskerTask *
new_for_gtask (void)
{
  GTask *gtask = g_task_new (NULL, NULL, NULL, NULL);
  TaskerTask *task = NULL;

  g_task_set_name (gtask, "slow");
  task = tasker_task_new_for_gtask (gtask);
  g_signal_connect (task, "cancelled", G_CALLBACK (fail_gtask), gtask);

  return task;
}

/* A task of each kind that ends when it is asked to. */
static TaskerTask *
new_of_kind (guint kind)
{
  switch (kind)
    {
    case 0:
      return tasker_task_new ("slow", sleep_for_ever, NULL, NULL);
    case 1:
      return tasker_task_new_each ("slow", 1000 * 1000, work_on_item, NULL, NULL);
    case 2:
      return tasker_task_new_local ("slow", go_on, NULL, NULL);
    case 3:
      return tasker_task_new_interval ("slow", 1, tick, NULL, NULL);
    case 4:
      return tasker_task_new_interval ("slow", FOR_EVER_MS, tick, NULL, NULL);
    case 5:
      return tasker_task_new_async ("slow", begin_async, NULL, NULL);
    case 6:
      return new_for_gtask ();
    default:
      return NULL;
    }
}

static void
test_kinds (void)
{
  TaskerTask *task;

  for (guint kind = 0; (task = new_of_kind (kind)) != NULL; kind++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GError) error = NULL;
      gint64 begin = g_get_monotonic_time ();

      tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), 20);
      tasker_group_add (group, task);
      g_assert_false (tasker_group_join (group, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_nonnull (strstr (error->message, "slow"));
      g_assert_nonnull (strstr (error->message, "20 ms"));
      g_assert_cmpint (g_get_monotonic_time () - begin, >=, 20 * 1000);
      g_assert_error (tasker_task_get_error (task), G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_true (tasker_stopper_timed_out (TASKER_STOPPER (task)));
      g_assert_false (tasker_group_is_stopped (group));
      tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
      g_object_unref (task);
    }
}

/* The stop, or the abort, comes first. */
static void
test_kinds_stopped (void)
{
  TaskerTask *task;

  for (guint i = 0; (task = new_of_kind (i / 2)) != NULL; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      gboolean abort = i % 2 == 1;

      tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), FOR_EVER_MS);
      tasker_group_add (group, task);
      tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
      if (abort)
        tasker_group_abort (group);
      else
        tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_false (tasker_stopper_timed_out (TASKER_STOPPER (task)));
      tasker_test_assert_counts (group, 1, 0, 0, 0, abort ? 0 : 1, abort ? 1 : 0);
      g_object_unref (task);
      tasker_test_iterate ();
    }
}

static TaskerTask *
add (TaskerGroup *group,
     TaskerFunc   func,
     gpointer     user_data,
     guint        timeout_ms)
{
  TaskerTask *task = tasker_task_new ("slow", func, user_data, NULL);

  tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), timeout_ms);
  tasker_group_add (group, task);

  return task;
}

/* What the function says in the end is what counts. */
static void
test_outcome (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) succeeds = add (group, sleep_and_succeed, NULL, 10);
  g_autoptr (TaskerTask) fails = add (group, sleep_and_fail, NULL, 10);

  g_assert_true (tasker_task_join (succeeds, NULL, NULL));
  g_assert_false (tasker_task_join (fails, NULL, NULL));
  g_assert_error (tasker_task_get_error (fails), G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 1, 1, 0, 0);
}

/* A task that has timed out and is aborted before it has ended is aborted. */
static void
test_aborted_after (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new_async ("slow", NULL, NULL, NULL);

  tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), 10);
  tasker_group_add (group, task);
  tasker_test_iterate_until (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_false (tasker_task_is_finished (task));
  g_assert_true (tasker_task_abort (task));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (tasker_stopper_timed_out (TASKER_STOPPER (task)));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
}

/* While it is queued it has time. */
static void
test_queued (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) second = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  second = add (group, go_on, NULL, 500);
  g_usleep (600 * 1000);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (second)));
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_QUEUED);
  tasker_test_gate_open (&gate);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* What has ended in time is left alone. */
static void
test_ended (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = add (group, tasker_test_succeed, NULL, 300);
  g_autoptr (TaskerTask) never = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_stopper_set_timeout_ms (TASKER_STOPPER (never), 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_usleep (400 * 1000);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (never)));
}

static gboolean
sleep_about_1_ms (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  return tasker_stopper_sleep (TASKER_STOPPER (stopper), 1, error);
}

/* The deadline, the end, the stop and the abort all at about the same time. */
static void
test_race (void)
{
  for (guint i = 0; i < tasker_test_rounds (10000) / 10; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) local = tasker_task_new_interval (NULL, 1, tick, NULL, NULL);
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

      tasker_stopper_set_timeout_ms (TASKER_STOPPER (local), 1);
      tasker_group_add (group, local);
      for (guint j = 0; j < 10; j++)
        g_ptr_array_add (tasks, add (group, j % 2 == 0 ? sleep_about_1_ms : sleep_for_ever, NULL, 1));
      g_usleep (i % 1500);
      if (i % 3 == 0)
        tasker_group_stop (group);
      else if (i % 3 == 1)
        tasker_group_abort (group);
      tasker_group_join (group, NULL, NULL);
      tasker_test_assert_equation (group);

      for (guint j = 0; j < tasks->len; j++)
        {
          TaskerTask *task = tasks->pdata[j];
          const GError *error = tasker_task_get_error (task);

          g_assert_true (error == NULL || tasker_stopper_timed_out (TASKER_STOPPER (task)));
          g_assert_true (error == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
          g_assert_true (i % 3 != 2 || j % 2 == 0 || error != NULL);
        }
    }
}

static gboolean
set_own_timeout (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  g_autoptr (TaskerTask) current = tasker_task_get_current ();

  tasker_test_critical ("*can_set_timeout*", tasker_stopper_set_timeout_ms (TASKER_STOPPER (stopper), 1));
  tasker_test_critical ("*can_set_timeout*", tasker_stopper_set_timeout_ms (TASKER_STOPPER (current), 1));
  return TRUE;
}

/* The stopper of a light task is that of all others; a full task is configured
 * before it is added. */
static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, set_own_timeout, NULL, NULL);

  tasker_group_spawn (group, NULL, set_own_timeout, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_STOPPER*", tasker_stopper_set_timeout_ms (NULL, 1));
  tasker_test_critical ("*TASKER_IS_STOPPER*", g_assert_cmpuint (tasker_stopper_get_timeout_ms (NULL), ==, 0));
  tasker_test_critical ("*TASKER_IS_STOPPER*", g_assert_false (tasker_stopper_timed_out (NULL)));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/deadline/stopper/passes", test_passes);
  tasker_test_add ("/deadline/stopper/stop-first", test_stop_first);
  tasker_test_add ("/deadline/stopper/moved", test_moved);
  tasker_test_add ("/deadline/stopper/property", test_property);
  tasker_test_add ("/deadline/stopper/gio-call", test_gio_call);
  tasker_test_add ("/deadline/stopper/main-loop", test_main_loop);
  tasker_test_add ("/deadline/stopper/handler", test_handler);
  tasker_test_add ("/deadline/many/order", test_order);
  tasker_test_add ("/deadline/many/set-and-cleared", test_many);
  tasker_test_add ("/deadline/many/drop-race", test_drop_race);
  tasker_test_add ("/deadline/task/kinds", test_kinds);
  tasker_test_add ("/deadline/task/kinds-stopped", test_kinds_stopped);
  tasker_test_add ("/deadline/task/outcome", test_outcome);
  tasker_test_add ("/deadline/task/aborted-after", test_aborted_after);
  tasker_test_add ("/deadline/task/queued", test_queued);
  tasker_test_add ("/deadline/task/ended", test_ended);
  tasker_test_add ("/deadline/task/race", test_race);
  tasker_test_add ("/deadline/bad-input", test_bad_input);

  return g_test_run ();
}
