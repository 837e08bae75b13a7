/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tasks on a main loop: steps, intervals, and ones that somebody completes. */

#include "tasker-test.h"

/* What a function does, and what became of it. All in one thread, but @n_freed. */
typedef struct
{
  int           n_left;    /* steps to go on for */
  int           n_calls;
  int           n_freed;   /* atomic */
  GThread      *thread;    /* that must call, and free */
  GMainContext *context;   /* that must be the thread-default one */
  gboolean      cancelled; /* at the last call */
  gboolean      fails;
} Steps;

#define STEPS_INIT { .n_left = 0, .thread = g_thread_self () }

static gboolean
step (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  Steps *steps = user_data;

  g_assert_true (g_thread_self () == steps->thread);
  if (steps->context != NULL)
    g_assert_true (g_main_context_is_owner (steps->context));
  steps->n_calls++;
  steps->cancelled = g_cancellable_is_cancelled (stopper);
  if (steps->fails)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "step failed");

  return steps->n_left-- > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
free_steps (gpointer user_data)
{
  Steps *steps = user_data;

  g_assert_true (g_thread_self () == steps->thread);
  g_atomic_int_inc (&steps->n_freed);
}

static void
test_steps (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  Steps steps = STEPS_INIT;

  steps.n_left = 9;
  tasker_group_spawn_local (group, "steps", step, &steps, free_steps);
  g_assert_cmpint (steps.n_calls, ==, 0);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_iterate_until (g_atomic_int_get (&steps.n_freed) == 1);
  g_assert_cmpint (steps.n_calls, ==, 10);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* In main() before any loop has run: the join iterates. */
static void
test_join_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Steps steps[3] = { STEPS_INIT, STEPS_INIT, STEPS_INIT };

  for (guint i = 0; i < 3; i++)
    {
      steps[i].n_left = 100;
      tasker_group_spawn_local (group, NULL, step, &steps[i], free_steps);
    }
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (steps[i].n_calls, ==, 101);
      g_assert_cmpint (steps[i].n_freed, ==, 1);
    }
  tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
}

static gpointer
join_thread (gpointer group)
{
  g_assert_true (tasker_group_join (group, NULL, NULL));
  return NULL;
}

/* Another thread joins while this one runs the loop. */
static void
test_join_elsewhere (void)
{
  for (guint i = 0; i < tasker_test_rounds (200); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      Steps steps = STEPS_INIT;
      GThread *thread;

      steps.n_left = 3;
      tasker_group_spawn_local (group, NULL, step, &steps, free_steps);
      thread = g_thread_new ("join", join_thread, group);
      tasker_test_iterate_until (g_atomic_int_get (&steps.n_freed) == 1);
      g_thread_join (thread);
      g_assert_cmpint (steps.n_calls, ==, 4);
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

static void
test_failure (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  Steps steps = STEPS_INIT;

  steps.n_left = 5;
  steps.fails = TRUE;
  tasker_group_spawn_local (group, "bad", step, &steps, free_steps);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, "bad"));
  g_assert_cmpint (steps.n_calls, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* One that has begun is called until it is done; one that has not, never. */
static void
test_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Steps begun = STEPS_INIT;
  Steps queued = STEPS_INIT;

  begun.n_left = G_MAXINT;
  tasker_group_spawn_local (group, NULL, step, &begun, free_steps);
  while (begun.n_calls == 0)
    g_main_context_iteration (NULL, TRUE);
  tasker_group_spawn_local (group, NULL, step, &queued, free_steps);
  tasker_group_stop (group);
  begun.n_left = 3;

  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (begun.cancelled);
  g_assert_cmpint (begun.n_left, ==, -1);
  g_assert_cmpint (begun.n_freed, ==, 1);
  g_assert_cmpint (queued.n_calls, ==, 0);
  g_assert_cmpint (queued.n_freed, ==, 1);
  tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
}

static gpointer
abort_thread (gpointer group)
{
  tasker_group_abort (group);
  return NULL;
}

/* A task that has not begun, and one that has, and a stop, all before one
 * iteration: the one does not begin, the other sees the stop at once. */
static void
test_stop_wins (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      Steps begun = STEPS_INIT;
      Steps queued = STEPS_INIT;
      int n_calls;

      begun.n_left = G_MAXINT;
      tasker_group_spawn_local (group, NULL, step, &begun, free_steps);
      tasker_test_iterate_until (begun.n_calls > 0);
      n_calls = begun.n_calls;

      if (i % 2 == 0)
        tasker_group_spawn_local (group, NULL, step, &queued, free_steps);
      tasker_group_stop (group);
      if (i % 2 != 0)
        tasker_group_spawn_local (group, NULL, step, &queued, free_steps);
      begun.n_left = 0;

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (queued.n_calls, ==, 0);
      g_assert_cmpint (begun.n_calls, ==, n_calls + 1);
      g_assert_true (begun.cancelled);
      tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
    }
}

/* From another thread; what belongs to this one is still freed in it. */
static gboolean
go_on (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

/* A step that says that it was cancelled. */
static void
test_stop_error (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new_local (NULL, go_on, NULL, NULL);

  tasker_group_add (group, task);
  tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_null (tasker_task_get_error (task));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static void
test_abort (void)
{
  for (guint i = 0; i < tasker_test_rounds (200); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      Steps begun = STEPS_INIT;
      Steps queued = STEPS_INIT;
      int n_calls;

      begun.n_left = G_MAXINT;
      tasker_group_spawn_local (group, NULL, step, &begun, free_steps);
      tasker_test_iterate_until (begun.n_calls > 0);
      tasker_group_spawn_local (group, NULL, step, &queued, free_steps);
      n_calls = begun.n_calls;
      g_thread_join (g_thread_new ("abort", abort_thread, group));

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (begun.n_calls, ==, n_calls);
      g_assert_cmpint (begun.n_freed, ==, 1);
      g_assert_cmpint (queued.n_freed, ==, 1);
      tasker_test_assert_counts (group, 2, 0, 0, 0, 0, 2);
    }
}

/* A full task hears its own stopper, too. */
static void
test_stopped_alone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) queued = NULL;
  g_autoptr (TaskerTask) begun = NULL;
  Steps queued_steps = STEPS_INIT;
  Steps begun_steps = STEPS_INIT;

  begun_steps.n_left = G_MAXINT;
  begun = tasker_task_new_local ("begun", step, &begun_steps, free_steps);
  queued = tasker_task_new_local ("queued", step, &queued_steps, free_steps);
  tasker_group_add (group, begun);
  tasker_test_iterate_until (begun_steps.n_calls > 0);
  tasker_group_add (group, queued);
  g_cancellable_cancel (G_CANCELLABLE (queued));
  g_assert_true (tasker_task_abort (begun));

  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (queued_steps.n_calls, ==, 0);
  g_assert_cmpint (tasker_task_get_state (queued), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (tasker_task_get_state (begun), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_cmpint (begun_steps.n_freed + queued_steps.n_freed, ==, 2);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
}

/* Mixed with tasks in threads, never more than so many have begun. */
static gboolean
enter_and_leave (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  int *n_running = user_data;

  g_assert_cmpint (g_atomic_int_add (n_running, 1), <, 2);
  g_thread_yield ();
  g_atomic_int_add (n_running, -1);
  return TRUE;
}

typedef struct
{
  int     *n_running;
  gboolean begun;
} Begun;

static gboolean
enter_in_one_step_and_leave_in_another (gpointer       user_data,
                                        GCancellable  *stopper,
                                        GError       **error)
{
  Begun *begun = user_data;

  if (begun->begun)
    {
      g_atomic_int_add (begun->n_running, -1);
      return G_SOURCE_REMOVE;
    }

  g_assert_cmpint (g_atomic_int_add (begun->n_running, 1), <, 2);
  begun->begun = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
test_max_running (void)
{
  for (guint i = 0; i < tasker_test_rounds (20); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      int n_running = 0;

      tasker_group_set_max_running (group, 2);
      for (guint j = 0; j < 200; j++)
        {
          Begun *begun = g_new0 (Begun, 1);

          begun->n_running = &n_running;
          tasker_group_spawn_local (group, NULL, enter_in_one_step_and_leave_in_another, begun, g_free);
          tasker_group_spawn (group, NULL, enter_and_leave, &n_running, NULL);
        }
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 400, 0, 400, 0, 0, 0);
    }
}

/* What has begun on a main loop keeps its place while it waits, and so it does if
 * it began when there was no bound. */
static void
test_max_running_set_late (void)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) begun = NULL;
      g_autoptr (TaskerTask) queued = tasker_task_new_async (NULL, NULL, NULL, NULL);
      gboolean late = i % 2 != 0;

      begun = i < 2 ? tasker_task_new_async (NULL, NULL, NULL, NULL)
                    : tasker_task_new_interval (NULL, 600 * 1000, go_on, NULL, NULL);
      if (!late)
        tasker_group_set_max_running (group, 1);
      tasker_group_add (group, begun);
      tasker_test_iterate_until (tasker_task_get_state (begun) == TASKER_TASK_STATE_RUNNING);
      if (late)
        tasker_group_set_max_running (group, 1);

      tasker_group_add (group, queued);
      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      tasker_test_come_to_rest ();
      g_usleep (20000);
      g_assert_cmpint (tasker_task_get_state (queued), ==, TASKER_TASK_STATE_QUEUED);
      tasker_test_assert_counts (group, 3, 3, 0, 0, 0, 0);

      tasker_task_abort (begun);
      tasker_test_iterate_until (tasker_task_get_state (queued) == TASKER_TASK_STATE_RUNNING);
      tasker_test_assert_counts (group, 3, 2, 0, 0, 0, 1);
      tasker_task_complete (queued);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 3, 0, 2, 0, 0, 1);
    }
}

/* More have begun than may: none begins until enough of them have ended. */
static void
test_max_running_lowered (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTask *tasks[11];

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    tasks[i] = tasker_task_new_async (NULL, NULL, NULL, NULL);
  for (guint i = 0; i < 10; i++)
    tasker_group_add (group, tasks[i]);
  tasker_test_iterate_until (tasker_task_get_state (tasks[9]) == TASKER_TASK_STATE_RUNNING);

  tasker_group_set_max_running (group, 1);
  tasker_group_add (group, tasks[10]);
  for (guint i = 0; i < 10; i++)
    {
      tasker_test_come_to_rest ();
      g_assert_cmpint (tasker_task_get_state (tasks[10]), ==, TASKER_TASK_STATE_QUEUED);
      tasker_task_complete (tasks[i]);
    }
  tasker_test_iterate_until (tasker_task_get_state (tasks[10]) == TASKER_TASK_STATE_RUNNING);

  tasker_task_complete (tasks[10]);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 11, 0, 11, 0, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    g_object_unref (tasks[i]);
}

/* Without a bound a main loop needs no place, however many threads are busy. */
static void
test_max_running_lifted (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Steps steps = STEPS_INIT;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 100);
  for (guint i = 0; i < 100; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 100);
  tasker_group_spawn_local (group, NULL, step, &steps, free_steps);
  tasker_test_come_to_rest ();
  g_assert_cmpint (steps.n_calls, ==, 0);

  tasker_group_set_max_running (group, 0);
  tasker_test_come_to_rest ();
  g_assert_cmpint (steps.n_calls, ==, 1);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 101, 0, 101, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static gboolean
sleep_6_ms (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  g_usleep (6000);
  return G_SOURCE_REMOVE;
}

/* A step takes all the time there is in an iteration, when others have a place
 * already and further ones wait for one. */
static void
test_max_running_slow_steps (void)
{
  for (guint max_running = 1; max_running <= 4; max_running++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

      tasker_group_set_max_running (group, max_running);
      for (guint i = 0; i < 8; i++)
        tasker_group_spawn_local (group, NULL, sleep_6_ms, NULL, NULL);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 8, 0, 8, 0, 0, 0);
    }
}

static gboolean
count_tick (gpointer user_data)
{
  (*(int *) user_data)++;
  return G_SOURCE_CONTINUE;
}

static gboolean
work_for (gpointer       duration_us,
          GCancellable  *stopper,
          GError       **error)
{
  gint64 end = g_get_monotonic_time () + GPOINTER_TO_INT (duration_us);

  while (g_get_monotonic_time () < end);
  return G_SOURCE_REMOVE;
}

/* Runs all tasks. A source of lower priority gets its turn meanwhile. */
static void
assert_loop_stays_free (TaskerGroup *group,
                        TaskerTask  *heartbeat)
{
  guint n_tasks = tasker_group_get_n_tasks (group);
  guint n_left = heartbeat != NULL ? 1 : 0;
  int n_ticks = 0;
  guint source = g_timeout_add_full (120, 1, count_tick, &n_ticks, NULL);
  gint64 begin = g_get_monotonic_time ();
  double seconds;

  while (tasker_group_get_n_tasks (group) > n_left)
    g_main_context_iteration (NULL, TRUE);
  seconds = (double) (g_get_monotonic_time () - begin) / G_TIME_SPAN_SECOND;
  g_source_remove (source);
  g_assert_cmpfloat (n_ticks / seconds, >=, 50);

  if (heartbeat != NULL)
    g_cancellable_cancel (G_CANCELLABLE (heartbeat));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, n_tasks, 0, n_tasks - n_left, 0, n_left, 0);
}

/* … while a great many tasks run. */
static void
test_loop_stays_free (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  guint n_tasks = tasker_test_rounds (200000);

  for (guint i = 0; i < n_tasks; i++)
    tasker_group_spawn_local (group, NULL, work_for, GINT_TO_POINTER (5), NULL);

  assert_loop_stays_free (group, NULL);
}

/* … and one of them is an interval, which is due in each iteration. */
static void
test_loop_stays_free_of_ticks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) heartbeat = tasker_task_new_interval (NULL, 1, go_on, NULL, NULL);
  guint n_tasks = tasker_test_rounds (50000);

  tasker_group_add (group, heartbeat);
  for (guint i = 0; i < n_tasks; i++)
    tasker_group_spawn_local (group, NULL, work_for, GINT_TO_POINTER (20), NULL);

  assert_loop_stays_free (group, heartbeat);
}

static gboolean
sleep_80_ms (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  g_usleep (80 * 1000);
  return (*(int *) user_data)-- > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
sleep_1_ms (gpointer n_freed)
{
  g_usleep (1000);
  (*(guint *) n_freed)++;
}

/* Ways in which tasks end without a step of their own. */
static void
end_discarded (TaskerGroup *group,
               GPtrArray   *tasks)
{
  tasker_group_stop (group);
}

static void
end_aborted (TaskerGroup *group,
             GPtrArray   *tasks)
{
  tasker_test_come_to_rest ();
  tasker_group_abort (group);
}

static void
end_completed (TaskerGroup *group,
               GPtrArray   *tasks)
{
  tasker_test_come_to_rest ();
  g_ptr_array_foreach (tasks, (GFunc) (void *) tasker_task_complete, NULL);
}

/* What it costs to release data is time that is taken from the loop as well. */
static void
test_loop_stays_free_of_releases (void)
{
  void (* const ways[]) (TaskerGroup *, GPtrArray *) = { end_discarded, end_aborted, end_completed };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      guint n_freed = 0;

      for (guint j = 0; j < 50; j++)
        {
          g_ptr_array_add (tasks, tasker_task_new_async (NULL, NULL, &n_freed, sleep_1_ms));
          tasker_group_add (group, tasks->pdata[j]);
        }
      ways[i] (group, tasks);
      while (n_freed < 50)
        {
          guint n_before = n_freed;

          g_main_context_iteration (NULL, TRUE);
          g_assert_cmpuint (n_freed - n_before, <=, 4);
        }
      tasker_test_assert_equation (group);
    }
}

/* Logged with its name, once. */
static void
test_slow_step (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  int n_left = 2;

  g_test_expect_message ("Tasker", G_LOG_LEVEL_MESSAGE, "*sluggish*");
  tasker_group_spawn_local (group, "sluggish", sleep_80_ms, &n_left, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_test_assert_expected_messages ();
  tasker_test_assert_equation (group);
}

static gboolean
step_once (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  return G_SOURCE_REMOVE;
}

static void
free_for_80_ms (gpointer user_data)
{
  g_usleep (80 * 1000);
}

static void
count_message (const char     *domain,
               GLogLevelFlags  level,
               const char     *message,
               gpointer        n_messages)
{
  (*(guint *) n_messages)++;
}

/* That the data of one was slow to release is not laid to the next one. */
static void
test_slow_release (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  guint n_messages = 0;
  guint handler = g_log_set_handler ("Tasker", G_LOG_LEVEL_MESSAGE, count_message, &n_messages);

  for (guint i = 0; i < 3; i++)
    tasker_group_spawn_local (group, "quick", step_once, NULL, free_for_80_ms);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_log_remove_handler ("Tasker", handler);
  g_assert_cmpuint (n_messages, ==, 0);
}

/* Intervals */

static void
test_interval (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Steps steps = STEPS_INIT;
  gint64 begin = g_get_monotonic_time ();

  steps.n_left = 4;
  task = tasker_task_new_interval ("tick", 10, step, &steps, free_steps);
  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_calls, ==, 5);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 50 * 1000);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* What was missed is left out. */
static void
test_interval_skips (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Steps steps = STEPS_INIT;

  steps.n_left = G_MAXINT;
  task = tasker_task_new_interval ("tick", 20, step, &steps, free_steps);
  tasker_group_add (group, task);
  tasker_test_iterate_until (steps.n_calls == 1);
  g_usleep (200 * 1000);
  g_main_context_iteration (NULL, FALSE);
  g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (steps.n_calls, ==, 2);

  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_calls, ==, 2);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

/* Both ready before one iteration: the stop wins. */
static void
test_interval_stop_wins (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT;

      steps.n_left = G_MAXINT;
      task = tasker_task_new_interval (NULL, 1, step, &steps, free_steps);
      tasker_group_add (group, task);
      tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
      g_usleep (1100);
      if (i % 2 == 0)
        tasker_group_stop (group);
      else
        g_cancellable_cancel (G_CANCELLABLE (task));
      steps.n_calls = 0;
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (steps.n_calls, ==, 0);
      tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
    }
}

/* How an interval is asked to end while its own function runs. */
typedef enum
{
  BY_STOP,
  BY_ABORT,
  BY_ITS_CANCEL,
  BY_ITS_ABORT,
  BY_ITS_DEADLINE,
  BY_ANOTHER_THREAD,
  N_WAYS
} Way;

typedef struct
{
  Way              way;
  TaskerSignaller *signaller;
  int              n_calls;
} Ending;

static gpointer
stop_thread (gpointer signaller)
{
  tasker_signaller_stop (signaller);
  return NULL;
}

/* Goes on, for all that it knows. */
static gboolean
ask_to_end (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  Ending *ending = user_data;

  ending->n_calls++;
  switch (ending->way)
    {
    case BY_STOP:
      tasker_signaller_stop (ending->signaller);
      break;
    case BY_ABORT:
      tasker_signaller_abort (ending->signaller);
      break;
    case BY_ITS_CANCEL:
      g_cancellable_cancel (stopper);
      break;
    case BY_ITS_ABORT:
      tasker_task_abort (TASKER_TASK (stopper));
      break;
    case BY_ITS_DEADLINE:
      tasker_stopper_wait (TASKER_STOPPER (stopper));
      break;
    case BY_ANOTHER_THREAD:
      g_thread_join (g_thread_new ("stop", stop_thread, ending->signaller));
      break;
    case N_WAYS:
    default:
      g_assert_not_reached ();
    }

  return G_SOURCE_CONTINUE;
}

/* It ends at once, and not when it would be called next. */
static void
test_interval_ends_in_step (void)
{
  const TaskerTaskState ends[N_WAYS] = {
    TASKER_TASK_STATE_STOPPED, TASKER_TASK_STATE_ABORTED, TASKER_TASK_STATE_STOPPED,
    TASKER_TASK_STATE_ABORTED, TASKER_TASK_STATE_FAILED, TASKER_TASK_STATE_STOPPED
  };

  for (Way way = BY_STOP; way < N_WAYS; way++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      Ending ending = { way, signaller, 0 };
      g_autoptr (TaskerTask) task = tasker_task_new_interval (NULL, 200, ask_to_end, &ending, NULL);

      if (way == BY_ITS_DEADLINE)
        tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), 220);
      tasker_group_add (group, task);
      tasker_test_iterate_until (ending.n_calls == 1);
      tasker_test_come_to_rest ();
      g_assert_cmpint (tasker_task_get_state (task), ==, ends[way]);
      g_assert_cmpint (ending.n_calls, ==, 1);
      tasker_test_assert_equation (group);
    }
}

/* One that begins after the stop, because it runs always, ends with its next
 * tick, and that is now. */
static void
test_interval_begins_stopped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Steps steps = STEPS_INIT;

  task = tasker_task_new_interval (NULL, 600 * 1000, step, &steps, free_steps);
  tasker_task_set_run_always (task, TRUE);
  tasker_group_stop (group);
  tasker_group_add (group, task);
  tasker_test_come_to_rest ();
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (steps.n_calls, ==, 0);
  g_assert_cmpint (steps.n_freed, ==, 1);
}

/* The stop comes from another thread, at whatever moment of its beginning. */
static void
test_interval_stop_race (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      g_autoptr (TaskerTask) task = tasker_task_new_interval (NULL, 600 * 1000, go_on, NULL, NULL);
      GThread *thread;

      tasker_group_add (group, task);
      thread = g_thread_new ("stop", stop_thread, signaller);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_thread_join (thread);
      tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
    }
}

/* Completed by somebody */

static gboolean
note_start (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  Steps *steps = user_data;

  g_assert_true (g_thread_self () == steps->thread);
  steps->n_calls++;
  if (steps->fails)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "no start");
  return !steps->fails;
}

static gpointer
complete_thread (gpointer task)
{
  tasker_task_complete (task);
  return NULL;
}

/* Before it was added, before it began, while it runs; from here and there. */
static void
test_async (void)
{
  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT;

      task = tasker_task_new_async ("async", note_start, &steps, free_steps);
      if (i % 3 > 0)
        tasker_group_add (group, task);
      if (i % 3 > 1)
        tasker_test_iterate_until (steps.n_calls == 1);
      if (i < 3)
        tasker_task_complete (task);
      else
        g_thread_join (g_thread_new ("complete", complete_thread, task));
      if (i % 3 == 0)
        tasker_group_add (group, task);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (steps.n_calls, ==, i % 3 > 1 ? 1 : 0);
      g_assert_cmpint (steps.n_freed, ==, 1);
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

static void
test_async_errors (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) no_start = NULL;
  g_autoptr (TaskerTask) failed = NULL;
  g_autoptr (TaskerTask) stopped = NULL;
  Steps steps = STEPS_INIT;

  steps.fails = TRUE;
  no_start = tasker_task_new_async ("no start", note_start, &steps, free_steps);
  failed = tasker_task_new_async ("failed", NULL, NULL, NULL);
  stopped = tasker_task_new_async ("stopped", NULL, NULL, NULL);
  tasker_group_add (group, no_start);
  tasker_group_add (group, failed);
  tasker_group_add (group, stopped);
  tasker_test_iterate_until (tasker_task_get_state (stopped) == TASKER_TASK_STATE_RUNNING);

  tasker_task_complete_error (failed, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "closed"));
  g_cancellable_cancel (G_CANCELLABLE (stopped));
  tasker_task_complete_error (stopped, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  g_assert_false (tasker_group_join (group, NULL, NULL));

  g_assert_error (tasker_task_get_error (no_start), G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_error (tasker_task_get_error (failed), G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (tasker_task_get_state (stopped), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (steps.n_freed, ==, 1);
  tasker_test_assert_counts (group, 3, 0, 0, 2, 1, 0);
}

static void
test_async_twice (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new_async ("twice", NULL, NULL, NULL);

  tasker_group_add (group, task);
  tasker_task_complete (task);
  tasker_test_critical ("*completed before*", tasker_task_complete (task));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_critical ("*completed before*",
                        tasker_task_complete_error (task, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "late")));
  g_assert_null (tasker_task_get_error (task));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* From two threads at once: one of them does it, the other is told. */
static void
test_async_twice_at_once (void)
{
  guint n_rounds = tasker_test_rounds (200);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = tasker_task_new_async ("twice", NULL, NULL, NULL);
      GThread *completers[2];

      tasker_group_add (group, task);
      g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*completed before*");
      for (guint j = 0; j < G_N_ELEMENTS (completers); j++)
        completers[j] = g_thread_new ("complete", complete_thread, task);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      for (guint j = 0; j < G_N_ELEMENTS (completers); j++)
        g_thread_join (completers[j]);
      g_test_assert_expected_messages ();
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

/* An abort ends it; a completion that comes later is of no account. */
static void
test_async_after_abort (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Steps steps = STEPS_INIT;

  task = tasker_task_new_async ("late", note_start, &steps, free_steps);
  tasker_group_add (group, task);
  tasker_test_iterate_until (steps.n_calls == 1);
  g_thread_join (g_thread_new ("abort", abort_thread, group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_freed, ==, 1);
  tasker_task_complete (task);
  tasker_test_critical ("*completed before*", tasker_task_complete (task));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
}

/* Completion against abort, from two threads. */
static void
test_async_race (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT;
      GThread *completer;
      GThread *aborter;

      task = tasker_task_new_async ("race", note_start, &steps, free_steps);
      tasker_group_add (group, task);
      if (i % 2 == 0)
        tasker_test_iterate_until (steps.n_calls == 1);
      completer = g_thread_new ("complete", complete_thread, task);
      aborter = g_thread_new ("abort", abort_thread, group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_thread_join (completer);
      g_thread_join (aborter);
      g_assert_cmpint (steps.n_freed, ==, 1);
      g_assert_true (tasker_task_is_finished (task));
      tasker_test_assert_equation (group);
    }
}

/* Contexts */

typedef struct
{
  TaskerGroup *group;
  Steps        steps;
} OwnContext;

static gpointer
spawn_in_own_context (gpointer user_data)
{
  OwnContext *own = user_data;
  Steps *steps = &own->steps;
  g_autoptr (TaskerGroup) group = g_steal_pointer (&own->group);
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  steps->thread = g_thread_self ();
  steps->context = context;
  tasker_group_spawn_local (group, NULL, step, steps, free_steps);
  while (g_atomic_int_get (&steps->n_freed) == 0)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* A thread with a context of its own runs what it spawned. */
static void
test_other_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  OwnContext own = { tasker_group_clone (group), { .n_left = 5 } };
  GThread *thread;

  thread = g_thread_new ("context", spawn_in_own_context, &own);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_thread_join (thread);
  g_assert_cmpint (own.steps.n_calls, ==, 6);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static gpointer
try_add_in_own_context (gpointer user_data)
{
  gpointer *group_and_task = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_false (tasker_group_try_add (group_and_task[0], group_and_task[1], &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FULL);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* A task that was refused is at home where it is added in the end. */
static void
test_refused_elsewhere (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Steps steps = STEPS_INIT;
  Steps first = STEPS_INIT;
  g_autoptr (TaskerTask) task = tasker_task_new_local (NULL, step, &steps, free_steps);
  gpointer group_and_task[] = { group, task };

  steps.context = g_main_context_default ();
  tasker_group_set_max_queued (group, 1);
  tasker_group_spawn_local (group, NULL, step, &first, free_steps);
  g_thread_join (g_thread_new ("refused", try_add_in_own_context, group_and_task));
  tasker_test_come_to_rest ();
  g_assert_cmpint (first.n_freed, ==, 1);

  g_assert_true (tasker_group_try_add (group, task, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_calls, ==, 1);
  g_assert_cmpint (steps.n_freed, ==, 1);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

/* Its context is left by everybody: who joins runs it. */
static void
test_orphaned_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  GWeakRef ref;
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  Steps steps = STEPS_INIT;

  g_weak_ref_init (&ref, object);
  g_main_context_push_thread_default (context);
  tasker_group_spawn_local (group, NULL, step, &steps, free_steps);
  tasker_group_spawn_local (group, NULL, step, object, g_object_unref);
  g_main_context_pop_thread_default (context);
  g_clear_pointer (&context, g_main_context_unref);

  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_freed, ==, 1);
  g_assert_false (tasker_test_is_alive (&ref));
  g_weak_ref_clear (&ref);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 2, 0);
}

/* A step that completes a task which waits for that. */
static gboolean
complete_other (gpointer       task,
                GCancellable  *stopper,
                GError       **error)
{
  tasker_task_complete (task);

  return G_SOURCE_REMOVE;
}

/* What is left belongs to several contexts that nobody runs, the thread's own
 * among them, and one waits for the other: who joins runs them all, in whatever
 * order it comes across them. */
static void
test_several_orphans (void)
{
  for (guint i = 0; i < 16; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      GMainContext *contexts[4] = { g_main_context_ref (g_main_context_default ()) };
      TaskerTask *tasks[4];

      for (guint j = 1; j < 4; j++)
        contexts[j] = g_main_context_new ();

      /* Each is completed in the next context, the last one's in its own. */
      for (guint j = 0; j < 4; j++)
        {
          g_main_context_push_thread_default (contexts[j]);
          tasks[j] = tasker_task_new_async (NULL, NULL, NULL, NULL);
          tasker_group_add (group, tasks[j]);
          if (j > 0)
            tasker_group_spawn_local (group, NULL, complete_other, tasks[j - 1], NULL);
          g_main_context_pop_thread_default (contexts[j]);
        }
      tasker_task_complete (tasks[3]);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 7, 0, 7, 0, 0, 0);
      for (guint j = 0; j < 4; j++)
        {
          g_object_unref (tasks[j]);
          g_main_context_unref (contexts[j]);
        }
    }
}

/* A place was left to a main loop, which does not need it after all: then it is for
 * who waits in the queue. */
static void
test_place_not_needed (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) local = tasker_task_new_local (NULL, complete_other, NULL, NULL);
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, group);
  tasker_group_add (group, local);
  tasker_test_iterate ();
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);

  /* The runner goes, and leaves its place to the local task. */
  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 2);
  g_usleep (20000);
  g_cancellable_cancel (G_CANCELLABLE (local));

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 2, 0, 1, 0);
  tasker_test_gate_clear (&gate);
}

/* One of them has always something to do. */
static gboolean
step_until_stopped (gpointer       user_data,
                    GCancellable  *stopper,
                    GError       **error)
{
  return g_cancellable_is_cancelled (stopper) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* What was stopped before it began needs no place, so it does not wait behind a task
 * that runs always and has none yet. */
static void
test_stopped_behind_run_always (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) always = tasker_task_new_local (NULL, step_until_stopped, NULL, NULL);
  g_autoptr (TaskerTask) full = tasker_task_new_local (NULL, step_until_stopped, NULL, NULL);
  TaskerTestGate gate;

  tasker_task_set_run_always (always, TRUE);
  tasker_test_gate_occupy (&gate, group);
  tasker_group_add (group, always);
  tasker_group_add (group, full);
  tasker_group_spawn_local (group, NULL, step_until_stopped, NULL, NULL);
  tasker_test_come_to_rest ();
  tasker_test_assert_counts (group, 4, 4, 0, 0, 0, 0);

  tasker_group_stop (group);
  tasker_group_spawn_local (group, NULL, step_until_stopped, NULL, NULL);
  tasker_test_come_to_rest ();
  tasker_test_assert_counts (group, 5, 2, 0, 0, 3, 0);
  g_assert_cmpint (tasker_task_get_state (full), ==, TASKER_TASK_STATE_STOPPED);

  tasker_test_gate_open (&gate);
  tasker_test_assert_join (group, 2, 3, 0);
  tasker_test_gate_clear (&gate);
}

static gboolean
tick_and_stop (gpointer       signaller,
               GCancellable  *stopper,
               GError       **error)
{
  tasker_signaller_stop (signaller);

  return G_SOURCE_REMOVE;
}

static void
test_busy_orphan (void)
{
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      GMainContext *contexts[3] = { g_main_context_new (), g_main_context_new (), g_main_context_new () };

      for (guint j = 0; j < 3; j++)
        {
          g_main_context_push_thread_default (contexts[j]);
          if (j != i % 3)
            {
              tasker_group_spawn_local (group, NULL, step_until_stopped, NULL, NULL);
            }
          else
            {
              g_autoptr (TaskerTask) tick = tasker_task_new_interval (NULL, 1, tick_and_stop, signaller, NULL);

              tasker_group_add (group, tick);
            }
          g_main_context_pop_thread_default (contexts[j]);
        }

      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
      for (guint j = 0; j < 3; j++)
        g_main_context_unref (contexts[j]);
    }
}

typedef struct
{
  TaskerGroup *other;
  gboolean     joined;
} Nested;

static gboolean
join_other (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  Nested *nested = user_data;

  nested->joined = tasker_group_join (nested->other, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
join_task (gpointer       task,
           GCancellable  *stopper,
           GError       **error)
{
  g_assert_true (tasker_task_join (task, NULL, NULL));
  return G_SOURCE_REMOVE;
}

/* A step that waits for another task of its loop, which was to come next. */
static void
test_join_next (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT;

      steps.n_left = 3;
      task = i == 0 ? tasker_task_new_local (NULL, step, &steps, NULL)
                    : tasker_task_new_interval (NULL, 1, step, &steps, NULL);
      tasker_group_spawn_local (group, NULL, join_task, task, NULL);
      tasker_group_add (group, task);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (steps.n_calls, ==, 4);
      tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
    }
}

/* A step lends its place to what it waits for, on the loop or in a thread. */
static void
test_join_lends (void)
{
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      g_autoptr (TaskerTask) last = NULL;
      Steps steps = STEPS_INIT;
      Steps after = STEPS_INIT;

      steps.n_left = 3;
      tasker_group_set_max_running (group, 1);
      task = i == 0 ? tasker_task_new_local (NULL, step, &steps, NULL)
           : i == 1 ? tasker_task_new_interval (NULL, 1, step, &steps, NULL)
                    : tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
      last = tasker_task_new_local (NULL, step, &after, NULL);
      after.n_left = 50;
      tasker_group_spawn_local (group, NULL, join_task, task, NULL);
      tasker_group_add (group, task);
      tasker_group_add (group, last);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (steps.n_calls, ==, i < 2 ? 4 : 0);
      g_assert_cmpint (after.n_calls, ==, 51);
      tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
    }
}

/* A step that joins another group iterates the loop it is called by. */
static void
test_join_in_step (void)
{
  g_autoptr (TaskerGroup) outer = tasker_test_group ("outer");
  g_autoptr (TaskerGroup) inner = tasker_test_group ("inner");
  Steps steps = STEPS_INIT;
  Nested nested = { inner, FALSE };

  steps.n_left = 10;
  tasker_group_spawn_local (inner, NULL, step, &steps, free_steps);
  tasker_group_spawn_local (outer, NULL, join_other, &nested, NULL);
  g_assert_true (tasker_group_join (outer, NULL, NULL));
  g_assert_true (nested.joined);
  g_assert_cmpint (steps.n_calls, ==, 11);
  tasker_test_assert_counts (inner, 1, 0, 1, 0, 0, 0);
  tasker_test_assert_counts (outer, 1, 0, 1, 0, 0, 0);
}

static gboolean
join_own (gpointer       user_data,
          GCancellable  *stopper,
          GError       **error)
{
  tasker_group_join (user_data, NULL, error);
  return G_SOURCE_REMOVE;
}

static void
spawn_and_join_cb (GObject      *source,
                   GAsyncResult *result,
                   gpointer      user_data)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("inner");
  g_autoptr (TaskerTask) task = tasker_task_new_async ("async", NULL, NULL, NULL);
  Steps *steps = user_data;

  g_assert_true (tasker_group_join_finish (TASKER_GROUP (source), result, NULL));
  tasker_group_add (group, task);
  tasker_group_spawn_local (group, NULL, step, steps, free_steps);
  tasker_group_spawn_local (group, NULL, complete_other, task, NULL);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps->n_calls, ==, 11);
  tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
}

/* The same inside of a callback, which the loop calls that the tasks need. */
static void
test_join_in_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("outer");
  Steps steps = STEPS_INIT;

  steps.n_left = 10;
  tasker_group_join_async (group, NULL, spawn_and_join_cb, &steps);
  tasker_test_iterate_until (steps.n_freed == 1);
}

static void
test_deadlock (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_spawn_local (group, NULL, join_own, group, NULL);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/local/steps", test_steps);
  tasker_test_add ("/local/join-iterates", test_join_iterates);
  tasker_test_add ("/local/join-elsewhere", test_join_elsewhere);
  tasker_test_add ("/local/failure", test_failure);
  tasker_test_add ("/local/stop", test_stop);
  tasker_test_add ("/local/stop-wins", test_stop_wins);
  tasker_test_add ("/local/stop-error", test_stop_error);
  tasker_test_add ("/local/abort", test_abort);
  tasker_test_add ("/local/stopped-alone", test_stopped_alone);
  tasker_test_add ("/local/max-running", test_max_running);
  tasker_test_add ("/local/max-running-set-late", test_max_running_set_late);
  tasker_test_add ("/local/max-running-lowered", test_max_running_lowered);
  tasker_test_add ("/local/max-running-lifted", test_max_running_lifted);
  tasker_test_add ("/local/max-running-slow-steps", test_max_running_slow_steps);
  tasker_test_add ("/local/loop-stays-free", test_loop_stays_free);
  tasker_test_add ("/local/loop-stays-free-of-ticks", test_loop_stays_free_of_ticks);
  tasker_test_add ("/local/loop-stays-free-of-releases", test_loop_stays_free_of_releases);
  tasker_test_add ("/local/slow-step", test_slow_step);
  tasker_test_add ("/local/slow-release", test_slow_release);
  tasker_test_add ("/local/interval/rate", test_interval);
  tasker_test_add ("/local/interval/skips", test_interval_skips);
  tasker_test_add ("/local/interval/stop-wins", test_interval_stop_wins);
  tasker_test_add ("/local/interval/ends-in-step", test_interval_ends_in_step);
  tasker_test_add ("/local/interval/begins-stopped", test_interval_begins_stopped);
  tasker_test_add ("/local/interval/stop-race", test_interval_stop_race);
  tasker_test_add ("/local/async/complete", test_async);
  tasker_test_add ("/local/async/errors", test_async_errors);
  tasker_test_add ("/local/async/twice", test_async_twice);
  tasker_test_add ("/local/async/twice-at-once", test_async_twice_at_once);
  tasker_test_add ("/local/async/after-abort", test_async_after_abort);
  tasker_test_add ("/local/async/race", test_async_race);
  tasker_test_add ("/local/context/other", test_other_context);
  tasker_test_add ("/local/context/refused-elsewhere", test_refused_elsewhere);
  tasker_test_add ("/local/context/orphaned", test_orphaned_context);
  tasker_test_add ("/local/context/several-orphans", test_several_orphans);
  tasker_test_add ("/local/context/busy-orphan", test_busy_orphan);
  tasker_test_add ("/local/place-not-needed", test_place_not_needed);
  tasker_test_add ("/local/stopped-behind-run-always", test_stopped_behind_run_always);
  tasker_test_add ("/local/nested/join-in-step", test_join_in_step);
  tasker_test_add ("/local/nested/join-in-callback", test_join_in_callback);
  tasker_test_add ("/local/nested/join-next", test_join_next);
  tasker_test_add ("/local/nested/join-lends", test_join_lends);
  tasker_test_add ("/local/nested/deadlock", test_deadlock);

  return g_test_run ();
}
