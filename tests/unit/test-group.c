/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Groups: their properties, what is kept of results, what becomes of tasks
 * when the last handle is dropped, and the bound on the queue. */

#include "tasker-test.h"

/* A property as a number, whatever its width. */
static guint64
get_number (TaskerGroup *group,
            const char  *property)
{
  GValue value = G_VALUE_INIT;
  guint64 number;

  g_value_init (&value, G_TYPE_UINT64);
  g_object_get_property (G_OBJECT (group), property, &value);
  number = g_value_get_uint64 (&value);
  g_value_unset (&value);
  return number;
}

static void
test_defaults (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("defaults");
  g_autofree char *name = NULL;
  gboolean keep_results, abort_on_drop, is_stopped;
  guint max_running, max_queued;

  g_object_get (group,
                "name", &name,
                "max-running", &max_running,
                "max-queued", &max_queued,
                "keep-results", &keep_results,
                "abort-on-drop", &abort_on_drop,
                "is-stopped", &is_stopped,
                NULL);

  g_assert_cmpstr (name, ==, "defaults");
  g_assert_cmpuint (max_running, ==, 0);
  g_assert_cmpuint (max_queued, ==, 0);
  g_assert_true (keep_results);
  g_assert_false (abort_on_drop);
  g_assert_false (is_stopped);
  g_assert_cmpuint (tasker_group_get_max_running (group), ==, 0);
  g_assert_cmpuint (tasker_group_get_max_queued (group), ==, 0);
  g_assert_true (tasker_group_get_keep_results (group));
  g_assert_false (tasker_group_get_abort_on_drop (group));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

static void
test_construct (void)
{
  g_autoptr (TaskerGroup) group = NULL;

  group = g_object_new (TASKER_TYPE_GROUP,
                        "name", "built",
                        "max-running", 3,
                        "max-queued", 7,
                        "keep-results", FALSE,
                        "abort-on-drop", TRUE,
                        NULL);

  g_assert_cmpstr (tasker_group_get_name (group), ==, "built");
  g_assert_cmpuint (tasker_group_get_max_running (group), ==, 3);
  g_assert_cmpuint (tasker_group_get_max_queued (group), ==, 7);
  g_assert_false (tasker_group_get_keep_results (group));
  g_assert_true (tasker_group_get_abort_on_drop (group));

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    counter)
{
  (*(guint *) counter)++;
}

/* What is set through one handle holds for the group. */
static void
test_set (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("set");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  guint n_notified = 0;

  g_signal_connect (group, "notify::max-running", G_CALLBACK (count_notify), &n_notified);
  g_signal_connect (group, "notify::max-queued", G_CALLBACK (count_notify), &n_notified);
  tasker_group_set_max_running (group, 2);
  g_object_set (group, "max-queued", 5, NULL);
  tasker_group_set_keep_results (group, FALSE);
  g_object_set (group, "abort-on-drop", TRUE, NULL);

  g_assert_cmpuint (tasker_group_get_max_running (clone), ==, 2);
  g_assert_cmpuint (tasker_group_get_max_queued (clone), ==, 5);
  g_assert_false (tasker_group_get_keep_results (clone));
  g_assert_true (tasker_group_get_abort_on_drop (clone));

  tasker_test_iterate_until (n_notified == 2);
  tasker_test_assert_equation (group);
}

/* The count properties say what get_counts() says. */
static void
test_counts (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("counts");
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  tasker_group_spawn (group, NULL, tasker_test_panic, NULL, NULL);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_gate_await (&gate, 1);

  tasker_test_assert_counts (group, 5, 2, 1, 2, 0, 0);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 2);
  g_assert_cmpuint (get_number (group, "n-tasks"), ==, 2);
  g_assert_cmpuint (get_number (group, "n-succeeded"), ==, 1);
  g_assert_cmpuint (get_number (group, "n-failed"), ==, 2);

  tasker_group_stop (group);
  tasker_test_gate_open (&gate);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 5, 0, 2, 2, 1, 0);
  g_assert_cmpuint (get_number (group, "n-tasks"), ==, 0);
  g_assert_cmpuint (get_number (group, "n-stopped"), ==, 1);
  g_assert_cmpuint (get_number (group, "n-aborted"), ==, 0);

  tasker_group_abort (group);
  tasker_test_gate_clear (&gate);
}

/* Every argument of get_counts() may be left out. */
static void
test_counts_null (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("null");
  guint64 n_spawned;

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_group_get_counts (group, NULL, NULL, NULL, NULL, NULL, NULL);
  tasker_group_get_counts (group, &n_spawned, NULL, NULL, NULL, NULL, NULL);
  g_assert_cmpuint (n_spawned, ==, 1);
}

static gpointer
stop_main (gpointer group)
{
  g_assert_true (tasker_group_stop (group));
  return NULL;
}

/* Whatever happens in other threads, these notify nobody. */
static void
test_notify_nothing (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("notify");
  guint n_notified = 0;

  g_signal_connect (group, "notify", G_CALLBACK (count_notify), &n_notified);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_thread_join (g_thread_new ("stop", stop_main, group));
  g_assert_true (tasker_group_is_stopped (group));
  g_assert_cmpuint (n_notified, ==, 0);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_keep_results (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("keep");
  g_autoptr (GPtrArray) tasks = NULL;
  guint i;

  for (i = 0; i < 100; i++)
    tasker_group_spawn (group, NULL, i % 2 == 0 ? tasker_test_succeed : tasker_test_fail,
                        NULL, NULL);

  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 100);
  tasker_test_assert_counts (group, 100, 0, 50, 50, 0, 0);
}

/* Of results only the first failure is kept, and the next once that is taken. */
static void
test_keep_no_results (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("forget");
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;
  guint n_joined;
  guint i;

  tasker_group_set_max_running (group, 1);
  tasker_group_set_keep_results (group, FALSE);
  for (i = 0; i < 100; i++)
    tasker_group_spawn (group, i == 20 ? "twenty" : "row",
                        i >= 20 && i < 30 ? tasker_test_fail : tasker_test_succeed, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);

  g_assert_false (tasker_group_poll_join (group, &n_joined, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "twenty"));
  g_assert_cmpuint (n_joined, ==, 1);
  g_clear_error (&error);
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 0);

  tasker_group_spawn (group, "again", tasker_test_panic, NULL, NULL);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, <=, 1);
  tasker_test_assert_counts (group, 101, 0, 90, 11, 0, 0);
}

static gboolean
fail_item (gpointer       user_data,
           gsize          index,
           GCancellable  *stopper,
           GError       **error)
{
  return tasker_test_panic (user_data, stopper, error);
}

static void
fail_in_thread (GTask        *task,
                gpointer      source_object,
                gpointer      task_data,
                GCancellable *cancellable)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "Second");
}

static void
add_second_failure (TaskerGroup *group,
                    gboolean     each)
{
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GTask) gtask = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (each)
    {
      task = tasker_task_new_each ("second", 1, fail_item, NULL, NULL);
      tasker_group_add (group, task);
      tasker_test_wait_for (tasker_task_is_finished (task));
    }
  else
    {
      gtask = g_task_new (NULL, NULL, tasker_test_keep, &result);
      tasker_group_run_in_thread (group, gtask, fail_in_thread);
      tasker_test_iterate_until (result != NULL);
    }
}

static void
check_first_failure (gboolean each)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("first");
  g_autoptr (GError) error = NULL;
  TaskerTestGate busy, slow;

  tasker_test_gate_init (&slow);
  tasker_group_set_keep_results (group, FALSE);
  tasker_test_gate_occupy (&busy, group);
  tasker_test_spawn_quick (group);
  tasker_group_spawn (group, "first", tasker_test_fail, NULL, NULL);
  tasker_group_spawn (group, "slow", tasker_test_pass_gate, &slow, NULL);
  tasker_test_spawn_quick (group);

  /* The first has failed, and its runner does not come for more. */
  tasker_test_gate_open (&busy);
  tasker_test_gate_await (&slow, 1);
  tasker_group_set_max_running (group, 2);
  add_second_failure (group, each);
  tasker_test_gate_open (&slow);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "first"));
  tasker_test_assert_counts (group, 4 + 2 * TASKER_TEST_N_QUICK, 0, 2 + 2 * TASKER_TEST_N_QUICK, 2, 0, 0);
  tasker_test_gate_clear (&busy);
  tasker_test_gate_clear (&slow);
}

/* It is the first also where one that ends elsewhere than in the hand of a runner
 * is counted before it. */
static void
test_keep_first_failure (void)
{
  for (guint i = 0; i < 10; i++)
    check_first_failure (i % 2 == 0);
}

/* Without abort-on-drop, what is live runs on, and all is freed. */
static void
test_drop_runs_on (void)
{
  TaskerGroup *group = tasker_test_group ("runs-on");
  TaskerTestLedger *ledger = tasker_test_ledger_new (10);
  TaskerTestGate gate;
  guint i;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  for (i = 0; i < 10; i++)
    tasker_test_ledger_spawn (ledger, group, NULL, tasker_test_pass_gate, &gate);
  tasker_test_gate_await (&gate, 1);
  g_object_unref (group);

  g_usleep (20000);
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);
  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 10);
  tasker_test_ledger_close (ledger, 10, 10);
  tasker_test_gate_clear (&gate);
}

/* With it, what runs is asked to end, and what is queued never begins. */
static void
test_drop_aborts (void)
{
  TaskerGroup *group = tasker_test_group ("aborts");
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (TaskerTask) running = NULL;
  g_autoptr (TaskerTask) queued = NULL;
  TaskerTestLedger *ledger = tasker_test_ledger_new (12);
  guint i;

  tasker_group_set_abort_on_drop (group, TRUE);
  tasker_group_set_max_running (group, 1);
  running = tasker_test_ledger_task (ledger, "running", tasker_test_wait_stopped, NULL);
  tasker_group_add (group, running);
  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 1);
  queued = tasker_test_ledger_task (ledger, "queued", NULL, NULL);
  tasker_task_set_run_always (queued, TRUE);
  tasker_group_add (group, queued);
  for (i = 0; i < 10; i++)
    tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);

  g_object_unref (group);
  g_assert_true (tasker_signaller_is_stopped (signaller));
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 12);
  tasker_test_ledger_close (ledger, 12, 1);
  tasker_test_wait_for (tasker_task_is_finished (running) && tasker_task_is_finished (queued));
  g_assert_cmpint (tasker_task_get_state (running), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_cmpint (tasker_task_get_state (queued), ==, TASKER_TASK_STATE_ABORTED);
}

/* Only the last handle's end counts, and finishing is not dropping. */
static void
test_drop_last_only (void)
{
  TaskerGroup *group = tasker_test_group ("last");
  g_autoptr (TaskerGroup) clone = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_abort_on_drop (group, TRUE);
  clone = tasker_group_clone (group);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  g_object_unref (group);
  tasker_group_finish (clone);
  g_assert_false (tasker_group_is_stopped (clone));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (clone, NULL, NULL));
  tasker_test_assert_counts (clone, 2, 0, 2, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static TaskerGroup *
full_group (TaskerTestGate *gate)
{
  TaskerGroup *group = tasker_test_group ("full");

  tasker_group_set_max_queued (group, 2);
  tasker_test_gate_occupy (gate, group);
  tasker_group_spawn (group, "first", tasker_test_pass_gate, gate, NULL);
  tasker_group_spawn (group, "second", tasker_test_pass_gate, gate, NULL);
  return group;
}

static void
test_full (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = full_group (&gate);
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);
  TaskerTask *task = tasker_test_ledger_task (ledger, "third", NULL, NULL);
  g_autoptr (TaskerTask) added = tasker_test_ledger_task (ledger, "added", NULL, NULL);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (tasker_group_try_add (group, task, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FULL);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  tasker_test_assert_counts (group, 3, 3, 0, 0, 0, 0);

  /* These are never refused. */
  tasker_group_add (group, added);
  tasker_test_ledger_spawn (ledger, group, "spawned", NULL, NULL);
  tasker_test_assert_counts (group, 5, 5, 0, 0, 0, 0);

  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_true (tasker_group_try_add (group, task, NULL));
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 6);
  g_assert_true (tasks->pdata[5] == task);
  g_object_unref (task);
  tasker_test_assert_counts (group, 6, 0, 6, 0, 0, 0);
  tasker_test_ledger_close (ledger, 3, 3);
  tasker_test_gate_clear (&gate);
}

static void
add_until_full (TaskerGroup    *group,
                TaskerTestGate *gate,
                GPtrArray      *tasks)
{
  g_autoptr (GError) error = NULL;

  while (error == NULL)
    {
      TaskerTask *task = tasker_task_new (NULL, tasker_test_pass_gate, gate, NULL);

      if (tasker_group_try_add (group, task, &error))
        g_ptr_array_add (tasks, task);
      else
        g_object_unref (task);
    }
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FULL);
}

static guint
count_queued (GPtrArray *tasks)
{
  guint n_queued = 0;

  for (guint i = 0; i < tasks->len; i++)
    if (tasker_task_get_state (tasks->pdata[i]) == TASKER_TASK_STATE_QUEUED)
      n_queued++;

  return n_queued;
}

static void
check_bound (guint max_running,
             guint max_queued)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("bound");
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_places = max_running > 0 ? max_running : MAX (4, 2 * g_get_num_processors ());
  TaskerTestGate first, second;

  tasker_test_gate_init (&first);
  tasker_test_gate_init (&second);
  tasker_group_set_max_running (group, max_running);
  tasker_group_set_max_queued (group, max_queued);
  for (guint i = 0; i < n_places; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &first, NULL);
  tasker_test_gate_await (&first, n_places);

  /* What runners have taken now and cannot begin waits as the rest does. */
  add_until_full (group, &second, tasks);
  tasker_test_gate_open (&first);
  tasker_test_gate_await (&second, max_running > 0 ? MIN (n_places, tasks->len) : 1);
  for (guint i = 0; i < 10; i++)
    {
      add_until_full (group, &second, tasks);
      if (max_running > 0)
        g_assert_cmpuint (tasker_group_get_n_tasks (group), <=, max_running + max_queued);
      /* Some may be about to begin. */
      g_assert_cmpuint (count_queued (tasks), <=, max_queued + n_places);
      g_usleep (5 * 1000);
    }
  if (max_running > 0)
    g_assert_cmpuint (count_queued (tasks), ==, max_queued);

  tasker_test_gate_open (&second);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&first);
  tasker_test_gate_clear (&second);
}

/* It is full when as many tasks wait as it says, wherever they do. */
static void
test_full_exactly (void)
{
  check_bound (1, 10);
  check_bound (1, 1);
  check_bound (4, 10);
  check_bound (3, 300);
  check_bound (0, 100);
}

static gboolean
wait_for_token (gpointer       tokens,
                GCancellable  *stopper,
                GError       **error)
{
  g_async_queue_pop (tokens);

  return TRUE;
}

static gpointer
add_one (gpointer task)
{
  TaskerGroup *group = g_object_get_data (task, "group");

  g_assert_true (tasker_group_add_wait (group, task, NULL, NULL));

  return NULL;
}

/* Who waits for room has it when one begins, also of those that a runner has taken
 * before. */
static void
test_room_at_once (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("room");
  g_autoptr (GAsyncQueue) tokens = g_async_queue_new ();

  tasker_group_set_max_running (group, 1);
  tasker_group_set_max_queued (group, 64);
  for (guint i = 0; i < 65; i++)
    tasker_group_spawn (group, NULL, wait_for_token, tokens, NULL);

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, wait_for_token, tokens, NULL);
      GThread *thread;

      tasker_test_wait_for (tasker_group_get_n_tasks (group) == 65);
      g_object_set_data (G_OBJECT (task), "group", group);
      thread = g_thread_new ("add", add_one, task);
      g_usleep (500);
      g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
      g_async_queue_push (tokens, tokens);
      g_thread_join (thread);
    }

  for (guint i = 0; i < 65; i++)
    g_async_queue_push (tokens, tokens);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 165, 0, 165, 0, 0, 0);
}

/* … also where the one that begins follows quick ones, and ends only when who waits
 * for the room has got it. */
static void
test_room_behind_quick (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("room");
  g_autoptr (GAsyncQueue) tokens = g_async_queue_new ();
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  TaskerTestGate first, second;
  GThread *thread;

  tasker_test_gate_init (&first);
  tasker_test_gate_init (&second);
  tasker_group_set_max_running (group, 1);
  tasker_group_set_max_queued (group, 5);
  tasker_group_spawn (group, "first", tasker_test_pass_gate, &first, NULL);
  tasker_test_gate_await (&first, 1);
  tasker_test_spawn_quick (group);
  tasker_group_spawn (group, "second", tasker_test_pass_gate, &second, NULL);
  tasker_test_gate_open (&first);
  tasker_test_gate_await (&second, 1);

  /* Half of these are taken at once; there is room when the last of them begins. */
  for (guint i = 0; i < 8; i++)
    tasker_group_spawn (group, NULL, i == 3 ? wait_for_token : tasker_test_succeed, tokens, NULL);
  g_object_set_data (G_OBJECT (task), "group", group);
  thread = g_thread_new ("add", add_one, task);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  tasker_test_gate_open (&second);
  g_thread_join (thread);

  g_async_queue_push (tokens, tokens);
  tasker_test_assert_join (group, TASKER_TEST_N_QUICK + 11, 0, 0);
  tasker_test_gate_clear (&first);
  tasker_test_gate_clear (&second);
}

/* The task that was refused is its maker's: dropping it frees its data, and
 * another group takes it. */
static void
test_full_still_ours (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = full_group (&gate);
  g_autoptr (TaskerGroup) other = tasker_test_group ("other");
  TaskerTestLedger *ledger = tasker_test_ledger_new (2);
  TaskerTask *dropped = tasker_test_ledger_task (ledger, "dropped", NULL, NULL);
  TaskerTask *moved = tasker_test_ledger_task (ledger, "moved", NULL, NULL);

  g_assert_false (tasker_group_try_add (group, dropped, NULL));
  g_assert_false (tasker_group_try_add (group, moved, NULL));
  g_object_unref (dropped);
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 1);

  g_assert_true (tasker_group_try_add (other, moved, NULL));
  g_object_unref (moved);
  g_assert_true (tasker_group_join (other, NULL, NULL));
  tasker_test_assert_counts (other, 1, 0, 1, 0, 0, 0);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
  tasker_test_ledger_close (ledger, 2, 1);
  tasker_test_gate_clear (&gate);
}

static gboolean
count_up (gpointer       counter,
          GCancellable  *stopper,
          GError       **error)
{
  g_atomic_int_inc ((int *) counter);
  return TRUE;
}

static gboolean
produce_one (TaskerGroup  *group,
             int          *n_called,
             GError      **error)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, count_up, n_called, NULL);

  return tasker_group_add_wait (group, task, NULL, error);
}

/* What the narrow group has room for, and what its two threads run. */
#define MAX_LIVE (100 + 2)

static TaskerGroup *
narrow_group (void)
{
  TaskerGroup *group = tasker_test_group ("narrow");

  tasker_group_set_max_running (group, 2);
  tasker_group_set_max_queued (group, 100);
  tasker_group_set_keep_results (group, FALSE);
  return group;
}

/* Many items with little room: what is live stays bounded, and memory. */
static void
test_add_wait_many (void)
{
  g_autoptr (TaskerGroup) group = narrow_group ();
  guint n_items = tasker_test_rounds (100000);
  gsize rss = 0;
  int n_called = 0;
  guint i;

  for (i = 0; i < n_items; i++)
    {
      g_assert_true (produce_one (group, &n_called, NULL));
      g_assert_cmpuint (tasker_group_get_n_tasks (group), <=, MAX_LIVE);
      if (i == n_items / 10)
        rss = tasker_test_get_rss ();
    }

  g_assert_cmpuint (tasker_test_get_rss (), <=, rss + 4 * 1024 * 1024);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (n_called, ==, n_items);
  tasker_test_assert_counts (group, n_items, 0, n_items, 0, 0, 0);
}

typedef struct
{
  TaskerGroup *group;
  int          n_called;
  guint        n_produced;
  GError      *error;
} Producer;

static gpointer
producer_main (gpointer user_data)
{
  Producer *producer = user_data;

  while (produce_one (producer->group, &producer->n_called, &producer->error))
    producer->n_produced++;

  return NULL;
}

static void
end_producer (gboolean  (*end) (TaskerGroup *group),
              TaskerError code)
{
  g_autoptr (TaskerGroup) group = narrow_group ();
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  Producer producer = { clone, 0, 0, NULL };
  GThread *thread = g_thread_new ("producer", producer_main, &producer);
  guint64 spawned, succeeded;

  tasker_test_wait_for (g_atomic_int_get (&producer.n_called) > 1000);
  g_assert_true (end (group));
  g_thread_join (thread);
  g_assert_error (producer.error, TASKER_ERROR, (int) code);
  g_clear_error (&producer.error);

  tasker_group_finish (clone);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_equation (group);
  tasker_group_get_counts (group, &spawned, NULL, &succeeded, NULL, NULL, NULL);
  g_assert_cmpuint (spawned, ==, producer.n_produced);
  g_assert_cmpuint (succeeded, ==, producer.n_called);
}

static void
test_add_wait_stop (void)
{
  end_producer (tasker_group_stop, TASKER_ERROR_STOPPED);
}

static void
test_add_wait_abort (void)
{
  end_producer (tasker_group_abort, TASKER_ERROR_ABORTED);
}

static gpointer
stop_soon (gpointer group)
{
  g_usleep (50000);
  tasker_group_stop (group);
  return NULL;
}

/* A stop ends the wait for room itself. */
static void
test_add_wait_stop_while_full (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = full_group (&gate);
  g_autoptr (TaskerTask) task = tasker_task_new ("third", tasker_test_succeed, NULL, NULL);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("stop", stop_soon, group);

  g_assert_false (tasker_group_add_wait (group, task, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_STOPPED);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);

  g_thread_join (thread);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 1, 0, 2, 0);
  tasker_test_gate_clear (&gate);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_add_wait_cancelled (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = full_group (&gate);
  g_autoptr (TaskerTask) task = tasker_task_new ("third", tasker_test_succeed, NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

  g_assert_false (tasker_group_add_wait (group, task, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  g_clear_error (&error);
  g_thread_join (thread);

  g_cancellable_reset (cancellable);
  tasker_group_add_wait_async (group, task, cancellable, tasker_test_keep, &result);
  tasker_test_iterate ();
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  tasker_test_iterate_until (result != NULL);
  g_assert_false (tasker_group_add_wait_finish (group, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_add_wait (group, task, NULL, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 4, 0, 4, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* Cancelling races with room: afterwards the task was added or is ours. */
static void
test_add_wait_cancel_race (void)
{
  guint n_rounds = tasker_test_rounds (2000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      TaskerTestGate gate;
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GAsyncResult) result = NULL;
      gboolean added;

      tasker_test_gate_init (&gate);
      tasker_group_set_max_running (group, 1);
      tasker_group_set_max_queued (group, 1);
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      tasker_group_add_wait_async (group, task, cancellable, tasker_test_keep, &result);
      tasker_test_gate_open (&gate);
      g_cancellable_cancel (cancellable);
      tasker_test_iterate_until (result != NULL);

      added = tasker_group_add_wait_finish (group, result, NULL);
      g_assert_cmpint (added, ==, tasker_task_get_state (task) != TASKER_TASK_STATE_NEW);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, added ? 3 : 2, 0, added ? 3 : 2, 0, 0, 0);
      tasker_test_gate_clear (&gate);
    }
}

static void
produce_next (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Producer *producer = user_data;
  g_autoptr (TaskerTask) task = NULL;

  if (result != NULL)
    {
      if (!tasker_group_add_wait_finish (producer->group, result, &producer->error))
        return;
      producer->n_produced++;
    }

  g_assert_cmpuint (tasker_group_get_n_tasks (producer->group), <=, MAX_LIVE);
  task = tasker_task_new (NULL, count_up, &producer->n_called, NULL);
  tasker_group_add_wait_async (producer->group, task, NULL, produce_next, producer);
}

static void
test_add_wait_async (void)
{
  g_autoptr (TaskerGroup) group = narrow_group ();
  guint n_items = tasker_test_rounds (20000);
  Producer producer = { group, 0, 0, NULL };
  guint64 spawned;

  produce_next (NULL, NULL, &producer);
  tasker_test_iterate_until (producer.n_produced >= n_items);
  tasker_group_stop (group);
  tasker_test_iterate_until (producer.error != NULL);
  g_assert_error (producer.error, TASKER_ERROR, TASKER_ERROR_STOPPED);
  g_clear_error (&producer.error);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_equation (group);
  tasker_group_get_counts (group, &spawned, NULL, NULL, NULL, NULL, NULL);
  g_assert_cmpuint (spawned, ==, producer.n_produced);
}

/* What try_add() and add() take after a stop ends at once; add_wait() tells
 * the producer. */
static void
test_add_after_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("after");
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);
  g_autoptr (TaskerTask) tried = tasker_test_ledger_task (ledger, "tried", NULL, NULL);
  g_autoptr (TaskerTask) added = tasker_test_ledger_task (ledger, "added", NULL, NULL);
  g_autoptr (TaskerTask) waited = tasker_test_ledger_task (ledger, "waited", NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_group_stop (group));
  g_assert_true (tasker_group_try_add (group, tried, NULL));
  tasker_group_add (group, added);
  g_assert_false (tasker_group_add_wait (group, waited, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_STOPPED);

  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_cmpint (tasker_task_get_state (tried), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (tasker_task_get_state (added), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (tasker_task_get_state (waited), ==, TASKER_TASK_STATE_NEW);
  g_clear_object (&waited);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 0, 0, 2, 0);
  tasker_test_ledger_close (ledger, 3, 0);
}

static void
test_add_to_finished (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("finished");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tasker_group_finish (group);
  g_assert_false (tasker_group_try_add (group, task, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FINISHED);
  g_clear_error (&error);
  g_assert_false (tasker_group_add_wait (group, task, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FINISHED);
  g_clear_error (&error);
  tasker_group_add_wait_async (group, task, NULL, tasker_test_keep, &result);
  g_assert_null (result);
  tasker_test_iterate_until (result != NULL);
  g_assert_false (tasker_group_add_wait_finish (group, result, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FINISHED);

  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* A server that polls: memory does not grow with what it has spawned. */
static void
test_million (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("million");
  guint n_tasks = tasker_test_rounds (1000000);
  guint64 n_taken = 0;
  gsize rss = 0;
  int n_called = 0;
  guint n_joined;
  guint i;

  for (i = 1; i <= n_tasks; i++)
    {
      tasker_group_spawn (group, NULL, count_up, &n_called, NULL);
      if (i % 2000 != 0)
        continue;

      tasker_test_wait_for (tasker_group_get_n_tasks (group) < 2000);
      g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
      n_taken += n_joined;
      if (i == n_tasks / 10)
        rss = tasker_test_get_rss ();
    }

  g_assert_cmpuint (tasker_test_get_rss (), <=, rss + 4 * 1024 * 1024);

  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_taken + n_joined, ==, n_tasks);
  g_assert_cmpint (n_called, ==, n_tasks);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, n_tasks, 0, n_tasks, 0, 0, 0);
}

static void
test_bad_group (void)
{
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);
  TaskerGroup *wrong = (TaskerGroup *) other;

  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_null (tasker_group_get_name (wrong)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_cmpuint (tasker_group_get_max_running (NULL), ==, 0));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_set_max_running (wrong, 1));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_cmpuint (tasker_group_get_max_queued (NULL), ==, 0));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_set_max_queued (wrong, 1));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_get_keep_results (NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_set_keep_results (wrong, TRUE));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_get_abort_on_drop (NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_set_abort_on_drop (wrong, TRUE));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_cmpuint (tasker_group_get_n_tasks (NULL), ==, 0));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        tasker_group_get_counts (wrong, NULL, NULL, NULL, NULL, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_null (tasker_group_dump (NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_null (tasker_group_create_stopper (wrong)));
  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_null (tasker_group_create_signaller (NULL)));
}

/* The add forms, with a wrong group and with a wrong task. */
static void
test_bad_add (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("bad");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  TaskerTask *task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
  g_autoptr (GCancellable) other = g_cancellable_new ();
  TaskerTask *wrong = (TaskerTask *) other;

  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_add (NULL, task));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_false (tasker_group_try_add (NULL, task, NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_false (tasker_group_add_wait (NULL, task, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        tasker_group_add_wait_async (NULL, task, NULL, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_group_add (group, wrong));
  tasker_test_critical ("*TASKER_IS_TASK*",
                        g_assert_false (tasker_group_try_add (group, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_TASK*",
                        g_assert_false (tasker_group_add_wait (group, wrong, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_TASK*",
                        tasker_group_add_wait_async (group, NULL, NULL, NULL, NULL));
  tasker_test_critical ("*G_IS_CANCELLABLE*",
                        g_assert_false (tasker_group_add_wait (group, task, (GCancellable *) group,
                                                               NULL)));

  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  g_object_unref (task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/group/defaults", test_defaults);
  tasker_test_add ("/group/construct", test_construct);
  tasker_test_add ("/group/set", test_set);
  tasker_test_add ("/group/counts", test_counts);
  tasker_test_add ("/group/counts-null", test_counts_null);
  tasker_test_add ("/group/notify-nothing", test_notify_nothing);
  tasker_test_add ("/group/keep-results", test_keep_results);
  tasker_test_add ("/group/keep-no-results", test_keep_no_results);
  tasker_test_add ("/group/keep-first-failure", test_keep_first_failure);
  tasker_test_add ("/group/drop/runs-on", test_drop_runs_on);
  tasker_test_add ("/group/drop/aborts", test_drop_aborts);
  tasker_test_add ("/group/drop/last-only", test_drop_last_only);
  tasker_test_add ("/group/full", test_full);
  tasker_test_add ("/group/full/exactly", test_full_exactly);
  tasker_test_add ("/group/full/still-ours", test_full_still_ours);
  tasker_test_add ("/group/add-wait/many", test_add_wait_many);
  tasker_test_add ("/group/add-wait/stop", test_add_wait_stop);
  tasker_test_add ("/group/add-wait/abort", test_add_wait_abort);
  tasker_test_add ("/group/add-wait/room-at-once", test_room_at_once);
  tasker_test_add ("/group/add-wait/room-behind-quick", test_room_behind_quick);
  tasker_test_add ("/group/add-wait/stop-while-full", test_add_wait_stop_while_full);
  tasker_test_add ("/group/add-wait/cancelled", test_add_wait_cancelled);
  tasker_test_add ("/group/add-wait/cancel-race", test_add_wait_cancel_race);
  tasker_test_add ("/group/add-wait/async", test_add_wait_async);
  tasker_test_add ("/group/add-after-stop", test_add_after_stop);
  tasker_test_add ("/group/add-to-finished", test_add_to_finished);
  tasker_test_add ("/group/million", test_million);
  tasker_test_add ("/group/bad-input", test_bad_group);
  tasker_test_add ("/group/bad-input/add", test_bad_add);

  return g_test_run ();
}
