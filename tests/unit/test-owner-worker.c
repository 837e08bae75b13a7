/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tasks that their owner runs in worker threads, one after the other without
 * coming back. */

#include "tasker-test.h"

#define MAX_TASKS 500

/* Somebody who runs tasks. What he does for one may fail. */
typedef gboolean (*Work) (gsize    key,
                          GError **error);

typedef struct
{
  guint id;
  int   n_calls; /* atomic */
} Owner;

static Owner owners[2];
static Work work;                       /* %NULL for none */
static Owner *owner_of[MAX_TASKS + 1];  /* by the key of the task */
static int n_begun[MAX_TASKS + 1];      /* atomic, likewise */
static int n_forgotten[MAX_TASKS + 1];  /* atomic, likewise */
static TaskerGroup *the_group;
static GPtrArray *the_tasks;            /* key 1 is the first */

/* What is held while a function runs, and between two. */
static GMutex interpreter;

static gboolean
do_work (gsize    key,
         GError **error)
{
  g_atomic_int_inc (&n_begun[key]);

  return work == NULL || work (key, error);
}

static gboolean
run_keys (TaskerTask  *task,
             gsize        key,
             gpointer     user_data,
             GError     **error)
{
  Owner *owner = user_data;
  gboolean succeeded = TRUE;

  if (task == NULL)
    {
      g_assert_true (owner_of[key] == owner);
      g_atomic_int_inc (&n_forgotten[key]);
      return TRUE;
    }

  g_assert_true (TASKER_IS_TASK (task));
  g_atomic_int_inc (&owner->n_calls);
  g_mutex_lock (&interpreter);
  while (key != 0 && succeeded)
    {
      g_assert_true (owner_of[key] == owner);
      succeeded = do_work (key, error);
      if (succeeded)
        key = tasker_worker_next ();
    }
  g_mutex_unlock (&interpreter);

  return succeeded;
}

/* The setting of a test. */
static void
set_up (const char *name,
        Work        what)
{
  for (guint i = 0; i < G_N_ELEMENTS (owners); i++)
    {
      if (owners[i].id == 0)
        owners[i].id = tasker_register_worker_owner (run_keys, &owners[i], NULL);
      g_assert_cmpuint (owners[i].id, >, 0);
      owners[i].n_calls = 0;
    }
  for (guint i = 0; i <= MAX_TASKS; i++)
    {
      owner_of[i] = &owners[0];
      n_begun[i] = n_forgotten[i] = 0;
    }
  work = what;
  the_group = tasker_test_group (name);
  the_tasks = g_ptr_array_new_with_free_func (g_object_unref);
}

static void
tear_down (void)
{
  g_clear_pointer (&the_tasks, g_ptr_array_unref);
  g_clear_object (&the_group);
}

static TaskerTask *
get_task (gsize key)
{
  return g_ptr_array_index (the_tasks, key - 1);
}

static void
spawn (gsize key)
{
  g_autofree char *name = g_strdup_printf ("%" G_GSIZE_FORMAT, key);
  TaskerTask *task = tasker_group_spawn_owned (the_group, name, owner_of[key]->id, key);

  g_assert_true (TASKER_IS_TASK (task));
  g_ptr_array_add (the_tasks, task);
}

/* Has tasks queued, and calls a function, before the first one begins. */
static void
queue (guint  n_tasks,
       void (*then) (void))
{
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, the_group);
  for (guint i = 1; i <= n_tasks; i++)
    spawn (i);
  if (then != NULL)
    then ();
  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_group_get_n_tasks (the_group) <= n_tasks);
  tasker_test_gate_clear (&gate);
}

static void
join (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tasker_group_join (the_group, NULL, &error));
  g_assert_no_error (error);
}

/* The owner was told each key once. Returns: how many to run */
static guint
check_told (guint n_tasks)
{
  guint n_runs = 0;

  for (guint i = 1; i <= n_tasks; i++)
    {
      g_assert_cmpint (n_begun[i] + n_forgotten[i], ==, 1);
      n_runs += (guint) n_begun[i];
    }

  return n_runs;
}

static gboolean
check_current (gsize    key,
               GError **error)
{
  g_autoptr(TaskerTask) task = tasker_task_get_current ();

  g_assert_true (task == get_task (key));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_false (tasker_task_has_succeeded (task));

  return TRUE;
}

static void
test_run (void)
{
  set_up ("run", check_current);
  queue (MAX_TASKS, NULL);
  join ();

  tasker_test_assert_counts (the_group, MAX_TASKS + 1, 0, MAX_TASKS + 1, 0, 0, 0);
  g_assert_cmpuint (check_told (MAX_TASKS), ==, MAX_TASKS);
  g_assert_cmpint (owners[0].n_calls, <, MAX_TASKS / 4);
  for (guint i = 1; i <= MAX_TASKS; i++)
    {
      g_assert_true (tasker_task_has_succeeded (get_task (i)));
      g_assert_cmpuint (tasker_task_get_key (get_task (i), owners[0].id), ==, i);
      g_assert_cmpuint (tasker_task_get_key (get_task (i), owners[1].id), ==, 0);
    }
  tear_down ();
}

static gboolean
fail_thirds (gsize    key,
             GError **error)
{
  if (key % 3 != 0)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%" G_GSIZE_FORMAT, key);
  return FALSE;
}

static void
test_fail (void)
{
  g_autoptr(GError) error = NULL;

  set_up ("fail", fail_thirds);
  queue (30, NULL);
  g_assert_false (tasker_group_join (the_group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);

  tasker_test_assert_counts (the_group, 31, 0, 21, 10, 0, 0);
  for (guint i = 1; i <= 30; i++)
    {
      const GError *own = tasker_task_get_error (get_task (i));

      g_assert_cmpint (own != NULL, ==, i % 3 == 0);
      if (own != NULL)
        g_assert_cmpuint (g_ascii_strtoull (own->message, NULL, 10), ==, i);
    }
  tear_down ();
}

/* In the middle of what is at hand: what is behind does not begin. */

static gboolean
stop_at_ten (gsize    key,
             GError **error)
{
  if (key == 10)
    tasker_group_stop (the_group);

  return TRUE;
}

static void
test_stop (void)
{
  set_up ("stop", stop_at_ten);
  queue (100, NULL);
  join ();

  tasker_test_assert_counts (the_group, 101, 0, 11, 0, 90, 0);
  g_assert_cmpuint (check_told (100), ==, 10);
  tear_down ();
}

static gboolean
end_some (gsize    key,
          GError **error)
{
  if (key == 10)
    {
      g_cancellable_cancel (G_CANCELLABLE (get_task (11)));
      g_assert_true (tasker_task_abort (get_task (13)));
    }

  return TRUE;
}

static void
test_stop_alone (void)
{
  set_up ("stop-alone", end_some);
  queue (20, NULL);
  join ();

  tasker_test_assert_counts (the_group, 21, 0, 19, 0, 1, 1);
  g_assert_cmpuint (check_told (20), ==, 18);
  g_assert_cmpint (n_forgotten[11], ==, 1);
  g_assert_cmpint (n_forgotten[13], ==, 1);
  tear_down ();
}

/* What has to run always does, and knows that it was stopped. */

static gboolean
stop_at_three (gsize    key,
               GError **error)
{
  if (key == 3)
    tasker_group_stop (the_group);
  g_assert_cmpint (g_cancellable_is_cancelled (G_CANCELLABLE (get_task (key))), ==, key >= 3);

  return TRUE;
}

static void
spawn_always (void)
{
  for (gsize i = 1; i <= 10; i++)
    {
      TaskerTask *task = tasker_task_new_owned (NULL, owners[0].id, i);

      tasker_task_set_run_always (task, i % 2 == 0);
      tasker_group_add (the_group, task);
      g_ptr_array_add (the_tasks, task);
    }
}

static void
test_run_always (void)
{
  set_up ("always", stop_at_three);
  queue (0, spawn_always);
  join ();

  /* 1, 2, 3, and what is even after that. */
  tasker_test_assert_counts (the_group, 11, 0, 8, 0, 3, 0);
  g_assert_cmpuint (check_told (10), ==, 7);
  tear_down ();
}

/* Tasks of other kinds and owners lie between. They are run in their order. */

static int n_run; /* by all of them */

static gboolean
count_run (gsize    key,
           GError **error)
{
  g_assert_cmpint (++n_run, ==, (int) key);

  return TRUE;
}

static gboolean
run_plain (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  g_assert_cmpuint (tasker_worker_next (), ==, 0);

  return do_work (GPOINTER_TO_SIZE (user_data), error);
}

static void
spawn_mixed (void)
{
  for (gsize i = 1; i <= 200; i++)
    {
      if (i % 7 == 0)
        {
          tasker_group_spawn (the_group, NULL, run_plain, GSIZE_TO_POINTER (i), NULL);
          continue;
        }
      owner_of[i] = &owners[i / 10 % 2];
      spawn (i);
    }
}

static void
test_mixed (void)
{
  n_run = 0;
  set_up ("mixed", count_run);
  queue (0, spawn_mixed);
  join ();

  tasker_test_assert_counts (the_group, 201, 0, 201, 0, 0, 0);
  g_assert_cmpuint (check_told (200), ==, 200);
  g_assert_cmpint (n_run, ==, 200);
  tear_down ();
}

/* Who waits for a task does not wait for those behind it, whether he comes before
 * it ends, after that, or at that moment. */

static int joining; /* atomic */
static int joined;  /* atomic */

static gboolean
wait_until_joined (gsize    key,
                   GError **error)
{
  if (key == 5)
    {
      for (int n_looks = 1 << g_random_int_range (0, 18); n_looks > 0;)
        if (g_atomic_int_get (&joining))
          n_looks--;
    }
  if (key == 6)
    tasker_test_wait_for (g_atomic_int_get (&joined));

  return TRUE;
}

static void
test_wait_for_one (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr(GError) error = NULL;

      g_atomic_int_set (&joining, FALSE);
      g_atomic_int_set (&joined, FALSE);
      set_up ("wait", wait_until_joined);
      /* The runner takes one, then two, and then from the fourth on four at once. */
      queue (20, NULL);
      g_atomic_int_set (&joining, TRUE);
      g_assert_true (tasker_task_join (get_task (5), NULL, &error));
      g_assert_no_error (error);
      g_atomic_int_set (&joined, TRUE);
      join ();
      tear_down ();
    }
}

/* Who listens to a task is told that it runs while it does. */

static int n_heard; /* atomic */

static void
on_state (GObject    *task,
          GParamSpec *pspec,
          gpointer    user_data)
{
  if (tasker_task_get_state (TASKER_TASK (task)) == TASKER_TASK_STATE_RUNNING)
    g_atomic_int_inc (&n_heard);
}

static gboolean
wait_until_heard (gsize    key,
                  GError **error)
{
  if (key == 5)
    tasker_test_wait_for (g_atomic_int_get (&n_heard) > 0);

  return TRUE;
}

static void
listen_to_five (void)
{
  g_signal_connect (get_task (5), "notify::state", G_CALLBACK (on_state), NULL);
}

static void
test_heard (void)
{
  g_atomic_int_set (&n_heard, 0);
  set_up ("heard", wait_until_heard);
  queue (10, listen_to_five);
  tasker_test_iterate_until (g_atomic_int_get (&n_heard) > 0);
  join ();
  tear_down ();
}

static gboolean
wait_to_be_stopped (gsize    key,
                    GError **error)
{
  if (key != 5)
    return TRUE;

  tasker_stopper_wait (TASKER_STOPPER (get_task (key)));
  return !g_cancellable_set_error_if_cancelled (G_CANCELLABLE (get_task (key)), error);
}

static void
give_five_a_deadline (void)
{
  for (gsize i = 1; i <= 10; i++)
    {
      TaskerTask *task;

      if (i != 5)
        {
          spawn (i);
          continue;
        }
      task = tasker_task_new_owned ("5", owners[0].id, i);
      tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), 10);
      tasker_group_add (the_group, task);
      g_ptr_array_add (the_tasks, task);
    }
}

static void
test_deadline (void)
{
  g_autoptr(GError) error = NULL;

  set_up ("deadline", wait_to_be_stopped);
  queue (0, give_five_a_deadline);
  g_assert_false (tasker_task_join (get_task (5), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (tasker_group_join (the_group, NULL, NULL));
  tasker_test_assert_counts (the_group, 11, 0, 10, 1, 0, 0);
  tear_down ();
}

/* A task waits for itself, and for the one behind it, which gets its place. */

static gboolean
wait_in_task (gsize    key,
              GError **error)
{
  g_autoptr(GError) own = NULL;

  if (key != 5)
    return TRUE;

  g_assert_false (tasker_task_join (get_task (key), NULL, &own));
  g_assert_error (own, TASKER_ERROR, TASKER_ERROR_DEADLOCK);

  g_mutex_unlock (&interpreter);
  g_assert_true (tasker_task_join (get_task (10), NULL, error));
  g_mutex_lock (&interpreter);

  return TRUE;
}

static void
test_wait_inside (void)
{
  set_up ("inside", wait_in_task);
  queue (10, NULL);
  join ();
  g_assert_cmpuint (check_told (10), ==, 10);
  tear_down ();
}

static void
test_never_run (void)
{
  TaskerTask *task;

  set_up ("never", NULL);
  g_assert_cmpuint (tasker_worker_next (), ==, 0);

  task = tasker_task_new_owned ("never", owners[0].id, 1);
  g_assert_cmpint (n_forgotten[1], ==, 0);
  g_object_unref (task);
  g_assert_cmpint (n_forgotten[1], ==, 1);

  tasker_group_finish (the_group);
  g_assert_null (tasker_group_spawn_owned (the_group, "late", owners[0].id, 2));
  g_assert_cmpint (n_forgotten[2], ==, 0);

  tasker_test_critical ("*assertion*", g_assert_null (tasker_task_new_owned (NULL, 999, 3)));
  tasker_test_critical ("*assertion*", g_assert_null (tasker_task_new_owned (NULL, owners[0].id, 0)));
  tear_down ();
}

/* Somebody stops the group, or aborts tasks, while several spawn and runners take
 * from each other. */

enum { N_SPAWNERS = 2, N_EACH = 100 };

static gpointer
spawn_each (gpointer data)
{
  guint first = GPOINTER_TO_UINT (data);

  for (guint i = first; i < first + N_EACH; i++)
    {
      TaskerTask *task = tasker_group_spawn_owned (the_group, NULL, owners[0].id, i);

      if (i % 10 == 0)
        tasker_task_abort (task);
      g_object_unref (task);
    }

  return NULL;
}

static void
test_race (void)
{
  for (guint i = 0; i < tasker_test_rounds (500); i++)
    {
      GThread *spawners[N_SPAWNERS];
      guint64 n_succeeded;
      guint64 n_live;

      set_up ("race", NULL);
      for (guint j = 0; j < N_SPAWNERS; j++)
        spawners[j] = g_thread_new ("spawner", spawn_each, GUINT_TO_POINTER (1 + j * N_EACH));
      g_usleep ((gulong) g_random_int_range (0, 200));
      if (i % 3 == 0)
        tasker_group_stop (the_group);
      else if (i % 3 == 1)
        tasker_group_abort (the_group);
      for (guint j = 0; j < N_SPAWNERS; j++)
        g_thread_join (spawners[j]);
      join ();

      tasker_test_assert_equation (the_group);
      tasker_group_get_counts (the_group, NULL, &n_live, &n_succeeded, NULL, NULL, NULL);
      g_assert_cmpuint (n_live, ==, 0);
      g_assert_cmpuint (check_told (N_SPAWNERS * N_EACH), ==, n_succeeded);
      tear_down ();
    }
}

/* What a worker thread does before it goes idle */

static int n_idle; /* atomic */

static void
on_idle (gpointer user_data)
{
  g_assert_true (user_data == &n_idle);
  g_atomic_int_inc (&n_idle);
}

static gboolean
ask_for_idle (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  g_assert_true (tasker_worker_at_idle (on_idle, &n_idle));

  return TRUE;
}

static void
test_at_idle (void)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("idle");
  g_autoptr(GError) error = NULL;

  g_assert_false (tasker_worker_at_idle (on_idle, &n_idle));

  tasker_group_set_max_running (group, 1);
  for (guint i = 0; i < 10; i++)
    tasker_group_spawn (group, NULL, ask_for_idle, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_wait_for (g_atomic_int_get (&n_idle) >= 1);
  g_assert_cmpint (g_atomic_int_get (&n_idle), <=, 10);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/owner-worker/run", test_run);
  tasker_test_add ("/owner-worker/fail", test_fail);
  tasker_test_add ("/owner-worker/stop", test_stop);
  tasker_test_add ("/owner-worker/stop-alone", test_stop_alone);
  tasker_test_add ("/owner-worker/run-always", test_run_always);
  tasker_test_add ("/owner-worker/mixed", test_mixed);
  tasker_test_add ("/owner-worker/wait-for-one", test_wait_for_one);
  tasker_test_add ("/owner-worker/heard", test_heard);
  tasker_test_add ("/owner-worker/deadline", test_deadline);
  tasker_test_add ("/owner-worker/wait-inside", test_wait_inside);
  tasker_test_add ("/owner-worker/never-run", test_never_run);
  tasker_test_add ("/owner-worker/race", test_race);
  tasker_test_add ("/owner-worker/at-idle", test_at_idle);

  return g_test_run ();
}
