/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sleeping, and waiting for the stop, in a thread that has a main context: what
 * the group has to do there goes on meanwhile. */

#include "tasker-test.h"

/* Longer than any test may take: who sleeps so long was woken or hangs. */
#define FOR_EVER_MS (10 * 60 * 1000)

/* What a step does, and how often it was called. */
typedef struct
{
  int          n_calls;  /* atomic */
  int          n_left;   /* steps to go on for, or -1 for ever */
  TaskerGroup *stops;    /* what the last step stops, or %NULL */
  gulong       delay_us; /* before it does */
  GThread     *thread;   /* that must call */
} Steps;

#define STEPS_INIT(n) { .n_left = (n), .thread = g_thread_self () }

static gboolean
step (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  Steps *steps = user_data;

  g_assert_true (g_thread_self () == steps->thread);
  g_atomic_int_inc (&steps->n_calls);
  if (steps->n_left == 0 && steps->stops != NULL)
    {
      g_usleep (steps->delay_us);
      tasker_group_stop (steps->stops);
    }
  if (steps->n_left == 0 || g_cancellable_is_cancelled (stopper))
    return G_SOURCE_REMOVE;

  steps->n_left--;
  return G_SOURCE_CONTINUE;
}

/* Before any loop ran. */
static void
test_steps (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  Steps steps = STEPS_INIT (20);
  gint64 begin = g_get_monotonic_time ();

  tasker_group_spawn_local (group, NULL, step, &steps, NULL);
  for (guint i = 0; i < 1000 && steps.n_calls < 21; i++)
    g_assert_true (tasker_stopper_sleep (stopper, 20, NULL));

  g_assert_cmpint (steps.n_calls, ==, 21);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 20 * 1000);
  tasker_test_iterate ();
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Where nothing of the group is, nothing is run. */
static void
test_nothing_there (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) other = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  Steps steps = STEPS_INIT (0);

  tasker_group_spawn_local (other, NULL, step, &steps, NULL);
  g_assert_true (tasker_stopper_sleep (stopper, 20, NULL));
  g_assert_cmpint (steps.n_calls, ==, 0);
  g_assert_true (tasker_group_join (other, NULL, NULL));
  g_assert_cmpint (steps.n_calls, ==, 1);
}

/* The sleep ends when the time is over, also where the tasks have nothing to do,
 * and where they have something to do for ever. */
static void
test_ends_in_time (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT (-1);

      if (i == 0)
        task = tasker_task_new_interval (NULL, FOR_EVER_MS, step, &steps, NULL);
      else
        task = tasker_task_new_local (NULL, step, &steps, NULL);
      tasker_group_add (group, task);

      g_assert_true (tasker_stopper_sleep (stopper, 30, NULL));
      g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
      g_assert_true ((steps.n_calls > 0) == (i == 1));
      tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, i, 0, 1 - i, 0);
    }
}

/* A task of the very context stops the group: the sleep, or the wait, ends. */
static void
test_stopped_by_step (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (GError) error = NULL;
      Steps steps = STEPS_INIT (3);

      steps.stops = group;
      tasker_group_spawn_local (group, NULL, step, &steps, NULL);
      if (i == 0)
        tasker_stopper_wait (stopper);
      g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (steps.n_calls, ==, 4);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

/* The end of the time and the stop are both ready before one iteration. */
static void
test_stop_wins (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (GError) error = NULL;
      Steps steps = STEPS_INIT (i % 3 == 0 ? 0 : G_MAXINT);
      gboolean slept;

      /* The step comes before the end of the time, or after it; it may take until
       * then. */
      steps.stops = group;
      steps.delay_us = i % 2 * 1100;
      tasker_group_spawn_local (group, NULL, step, &steps, NULL);
      if (i % 3 == 1)
        tasker_group_stop (group);
      slept = tasker_stopper_sleep (stopper, 1, &error);
      g_assert_true (slept == !tasker_group_is_stopped (group));
      if (slept)
        g_assert_no_error (error);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
    }
}

/* Inside of a step; the stopper is the one that light tasks share, or a task. */
static gboolean
sleep_in_step (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  return !tasker_stopper_sleep (TASKER_STOPPER (stopper), FOR_EVER_MS, error);
}

static void
test_in_step (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Steps steps = STEPS_INIT (5);

      steps.stops = group;
      if (i == 0)
        {
          tasker_group_spawn_local (group, "sleeper", sleep_in_step, NULL, NULL);
        }
      else
        {
          task = tasker_task_new_local ("sleeper", sleep_in_step, NULL, NULL);
          tasker_group_add (group, task);
        }
      tasker_group_spawn_local (group, "steps", step, &steps, NULL);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (steps.n_calls, ==, 6);
      tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
    }
}

/* A thread with a context of its own. */
static gpointer
own_context_thread (gpointer user_data)
{
  g_autoptr (TaskerGroup) group = user_data;
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GMainContext) context = g_main_context_new ();
  Steps steps = STEPS_INIT (10);

  steps.stops = group;
  g_main_context_push_thread_default (context);
  tasker_group_spawn_local (group, NULL, step, &steps, NULL);
  tasker_stopper_wait (stopper);
  g_main_context_pop_thread_default (context);
  g_assert_cmpint (steps.n_calls, ==, 11);

  return NULL;
}

static void
test_other_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  g_thread_join (g_thread_new ("own context", own_context_thread, tasker_group_clone (group)));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

typedef struct
{
  TaskerGroup   *group;
  GTask         *gtask;
  int            n_completed; /* atomic */
} Late;

static void
on_completed (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Late *late = user_data;

  g_atomic_int_inc (&late->n_completed);
}

static gpointer
add_later_thread (gpointer user_data)
{
  Late *late = user_data;
  g_autoptr (TaskerTask) task = tasker_task_new_for_gtask (late->gtask);

  g_usleep (20 * 1000);
  tasker_group_add (late->group, task);
  g_task_return_boolean (late->gtask, TRUE);
  g_clear_object (&late->gtask);
  while (!tasker_task_is_finished (task))
    g_usleep (1000);
  tasker_group_stop (late->group);

  return NULL;
}

/* There was nothing to do when the sleep began. */
static void
test_added_later (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  Late late = { .group = group };
  GThread *thread;

  late.gtask = g_task_new (NULL, NULL, on_completed, &late);
  thread = g_thread_new ("add later", add_later_thread, &late);
  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, NULL));
  g_assert_cmpint (g_atomic_int_get (&late.n_completed), ==, 1);
  g_thread_join (thread);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* The default context is run by another thread: the steps are its own. */
static gpointer
run_loop_thread (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

static gboolean
is_run_by_another (void)
{
  if (!g_main_context_acquire (NULL))
    return TRUE;

  g_main_context_release (NULL);
  return FALSE;
}

static void
test_context_of_another (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Steps steps = { .stops = group, .n_left = 10 };

  steps.thread = g_thread_new ("loop", run_loop_thread, loop);
  tasker_test_wait_for (is_run_by_another ());
  tasker_group_spawn_local (group, NULL, step, &steps, NULL);
  tasker_stopper_wait (stopper);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (steps.n_calls, ==, 11);

  g_main_loop_quit (loop);
  g_thread_join (steps.thread);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
sleep_in_handler (GCancellable *cancellable,
                  gpointer      n_called)
{
  /* It is cancelled, so there is nothing to sleep for. */
  g_assert_false (tasker_stopper_sleep (TASKER_STOPPER (cancellable), FOR_EVER_MS, NULL));
  tasker_stopper_wait (TASKER_STOPPER (cancellable));
  ++*(int *) n_called;
}

/* Of a cancellation that the program makes itself, which nobody notices. */
static void
test_in_handler (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  int n_called = 0;

  g_signal_connect (stopper, "cancelled", G_CALLBACK (sleep_in_handler), &n_called);
  g_cancellable_cancel (G_CANCELLABLE (stopper));
  g_assert_cmpint (n_called, ==, 1);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/sleep/steps", test_steps);
  tasker_test_add ("/sleep/nothing-there", test_nothing_there);
  tasker_test_add ("/sleep/ends-in-time", test_ends_in_time);
  tasker_test_add ("/sleep/stopped-by-step", test_stopped_by_step);
  tasker_test_add ("/sleep/stop-wins", test_stop_wins);
  tasker_test_add ("/sleep/in-step", test_in_step);
  tasker_test_add ("/sleep/other-context", test_other_context);
  tasker_test_add ("/sleep/added-later", test_added_later);
  tasker_test_add ("/sleep/context-of-another", test_context_of_another);
  tasker_test_add ("/sleep/in-handler", test_in_handler);

  return g_test_run ();
}
