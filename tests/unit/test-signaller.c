/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TaskerSignaller: stops and aborts a group from anywhere, and neither keeps
 * it open nor alive. */

#include "tasker-test.h"

#define N_THREADS 8

#define expect_critical(pattern) \
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, pattern)

static void
test_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (TaskerSignaller) late = NULL;

  g_assert_true (TASKER_IS_SIGNALLER (signaller));
  g_assert_false (tasker_signaller_is_stopped (signaller));

  g_assert_true (tasker_signaller_stop (signaller));
  g_assert_false (tasker_signaller_stop (signaller));
  g_assert_false (tasker_group_stop (group));
  g_assert_true (tasker_signaller_is_stopped (signaller));
  g_assert_true (tasker_group_is_stopped (group));

  late = tasker_group_create_signaller (group);
  g_assert_true (tasker_signaller_is_stopped (late));
  g_assert_false (tasker_signaller_stop (late));
  tasker_test_assert_equation (group);
}

static void
test_abort (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);

  g_assert_true (tasker_signaller_abort (signaller));
  g_assert_false (tasker_signaller_abort (signaller));
  g_assert_false (tasker_signaller_stop (signaller));
  g_assert_false (tasker_group_abort (group));
  g_assert_false (tasker_group_stop (group));
  g_assert_true (tasker_signaller_is_stopped (signaller));
  g_assert_true (tasker_group_is_stopped (group));
  tasker_test_assert_equation (group);
}

static void
test_stop_then_abort (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);

  g_assert_true (tasker_signaller_stop (signaller));
  g_assert_true (tasker_signaller_abort (signaller));
  g_assert_false (tasker_signaller_abort (signaller));
  g_assert_false (tasker_signaller_stop (signaller));
  tasker_test_assert_equation (group);
}

static void
test_hears_group (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerSignaller) of_clone = tasker_group_create_signaller (clone);
  g_autoptr (TaskerSignaller) of_finished = NULL;

  tasker_group_finish (clone);
  of_finished = tasker_group_create_signaller (clone);
  g_assert_false (tasker_signaller_is_stopped (of_finished));

  g_assert_true (tasker_group_stop (group));
  g_assert_true (tasker_signaller_is_stopped (of_clone));
  g_assert_true (tasker_signaller_is_stopped (of_finished));
  tasker_test_assert_equation (group);
}

/* It is no handle: a join does not wait for it. */
static void
test_does_not_keep_open (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (tasker_signaller_is_stopped (signaller));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_does_not_keep_alive (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, "last", NULL, NULL);

  tasker_group_add (group, task);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);

  g_object_add_weak_pointer (G_OBJECT (group), (gpointer *) &group);
  g_object_unref (group);
  g_assert_null (group);
  tasker_test_ledger_close (ledger, 1, 1);

  /* And stopping what is gone is allowed. */
  g_assert_false (tasker_signaller_is_stopped (signaller));
  tasker_signaller_stop (signaller);
  g_assert_true (tasker_signaller_is_stopped (signaller));
  g_assert_false (tasker_signaller_stop (signaller));
  tasker_signaller_abort (signaller);
  g_assert_false (tasker_signaller_abort (signaller));
}

/* With no handle left it still reaches the tasks that run on. */
static void
test_reaches_orphans (void)
{
  const guint n_tasks = 8;
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  TaskerTestLedger *ledger = tasker_test_ledger_new (n_tasks);

  for (guint i = 0; i < n_tasks; i++)
    tasker_test_ledger_spawn (ledger, group, "orphan", tasker_test_wait_stopped, NULL);

  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) >= 4);
  tasker_test_assert_equation (group);
  g_object_unref (group);
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);

  g_assert_true (tasker_signaller_stop (signaller));
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == n_tasks);
  tasker_test_ledger_close (ledger, n_tasks, tasker_test_ledger_n_called (ledger));
}

static void
test_dropped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerSignaller *signaller = tasker_group_create_signaller (group);

  g_object_add_weak_pointer (G_OBJECT (signaller), (gpointer *) &signaller);
  g_object_unref (signaller);
  g_assert_null (signaller);
  g_assert_false (tasker_group_is_stopped (group));
  tasker_test_assert_equation (group);
}

static gpointer
stop_soon_thread (gpointer data)
{
  g_usleep (20 * 1000);
  g_assert_true (tasker_signaller_stop (data));
  g_assert_true (tasker_signaller_is_stopped (data));
  return NULL;
}

static void
test_ends_join (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  thread = g_thread_new ("stop", stop_soon_thread, signaller);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_thread_join (thread);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static gboolean
signal_in_task (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  g_assert_false (g_cancellable_is_cancelled (stopper));
  g_assert_true (tasker_signaller_stop (user_data));
  g_assert_true (g_cancellable_is_cancelled (stopper));

  return TRUE;
}

static void
signal_in_notify (gpointer data)
{
  g_assert_true (tasker_signaller_abort (data));
}

/* From a task of the group, and from a destroy notify of it. */
static void
test_from_inside (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) second = tasker_test_group (NULL);
  TaskerSignaller *signaller = tasker_group_create_signaller (second);

  tasker_group_spawn (group, NULL, signal_in_task,
                      tasker_group_create_signaller (group), g_object_unref);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (tasker_group_is_stopped (group));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);

  tasker_group_spawn (second, NULL, tasker_test_succeed, signaller, signal_in_notify);
  g_assert_true (tasker_group_join (second, NULL, NULL));
  g_assert_true (tasker_group_is_stopped (second));
  tasker_test_assert_counts (second, 1, 0, 1, 0, 0, 0);
  g_object_unref (signaller);
}

typedef struct
{
  TaskerSignaller *signaller;
  int              is_open;
  int              n_stopped;
  int              n_aborted;
} Crowd;

static gpointer
crowd_thread (gpointer data)
{
  Crowd *crowd = data;

  while (!g_atomic_int_get (&crowd->is_open))
    g_thread_yield ();

  if (tasker_signaller_stop (crowd->signaller))
    g_atomic_int_inc (&crowd->n_stopped);
  g_assert_true (tasker_signaller_is_stopped (crowd->signaller));
  if (tasker_signaller_abort (crowd->signaller))
    g_atomic_int_inc (&crowd->n_aborted);

  return NULL;
}

/* However many call at once, one call did it. */
static void
test_crowd (void)
{
  guint n_rounds = tasker_test_rounds (200);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      Crowd crowd = { signaller, FALSE, 0, 0 };
      GThread *threads[N_THREADS];

      tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
      for (guint j = 0; j < N_THREADS; j++)
        threads[j] = g_thread_new ("crowd", crowd_thread, &crowd);
      g_atomic_int_set (&crowd.is_open, TRUE);
      for (guint j = 0; j < N_THREADS; j++)
        g_thread_join (threads[j]);

      /* Nobody aborts before it has stopped, so each was done by one. */
      g_assert_cmpint (crowd.n_stopped, ==, 1);
      g_assert_cmpint (crowd.n_aborted, ==, 1);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_equation (group);
      g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
    }
}

static gpointer
stop_thread (gpointer data)
{
  tasker_signaller_stop (data);
  return NULL;
}

static void
test_against_last_handle (void)
{
  guint n_rounds = tasker_test_rounds (1000);
  TaskerTestLedger *ledger = tasker_test_ledger_new (n_rounds);

  for (guint i = 0; i < n_rounds; i++)
    {
      TaskerGroup *group = tasker_group_new (NULL);
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      GThread *thread;

      tasker_test_ledger_spawn (ledger, group, NULL, tasker_test_wait_stopped, NULL);
      tasker_test_assert_equation (group);
      thread = g_thread_new ("stop", stop_thread, signaller);
      g_object_unref (group);
      g_thread_join (thread);
      g_assert_true (tasker_signaller_is_stopped (signaller));
    }

  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == n_rounds);
  tasker_test_ledger_close (ledger, n_rounds, tasker_test_ledger_n_called (ledger));
}

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) other = g_cancellable_new ();
  TaskerSignaller *wrong = (TaskerSignaller *) other;

  expect_critical ("*TASKER_IS_GROUP*");
  g_assert_null (tasker_group_create_signaller (NULL));
  expect_critical ("*TASKER_IS_SIGNALLER*");
  g_assert_false (tasker_signaller_stop (NULL));
  expect_critical ("*TASKER_IS_SIGNALLER*");
  g_assert_false (tasker_signaller_abort (NULL));
  expect_critical ("*TASKER_IS_SIGNALLER*");
  g_assert_false (tasker_signaller_is_stopped (NULL));
  expect_critical ("*TASKER_IS_SIGNALLER*");
  g_assert_false (tasker_signaller_stop (wrong));
  expect_critical ("*TASKER_IS_SIGNALLER*");
  g_assert_false (tasker_signaller_abort (wrong));
  g_test_assert_expected_messages ();

  g_assert_false (g_cancellable_is_cancelled (other));
  g_assert_false (tasker_group_is_stopped (group));
  tasker_test_assert_equation (group);
}

static gboolean
stop_others (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  g_autoptr (TaskerSignaller) signaller = tasker_task_create_signaller (task);

  g_assert_true (tasker_signaller_stop (signaller));

  return TRUE;
}

/* A task stops the group that it is in, of each weight. */
static void
test_of_task (void)
{
  for (guint full = 0; full <= 1; full++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, stop_others, NULL, NULL);
      g_autoptr (TaskerSignaller) late = NULL;

      g_assert_null (tasker_task_create_signaller (task));
      tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
      if (full)
        tasker_group_add (group, task);
      else
        tasker_group_spawn (group, NULL, stop_others, NULL, NULL);
      g_assert_true (tasker_group_join (group, NULL, NULL));

      late = tasker_task_create_signaller (task);
      g_assert_true (full ? tasker_signaller_is_stopped (late) : late == NULL);
      tasker_test_assert_equation (group);
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/signaller/stop", test_stop);
  tasker_test_add ("/signaller/abort", test_abort);
  tasker_test_add ("/signaller/stop-then-abort", test_stop_then_abort);
  tasker_test_add ("/signaller/hears-group", test_hears_group);
  tasker_test_add ("/signaller/does-not-keep-open", test_does_not_keep_open);
  tasker_test_add ("/signaller/does-not-keep-alive", test_does_not_keep_alive);
  tasker_test_add ("/signaller/reaches-orphans", test_reaches_orphans);
  tasker_test_add ("/signaller/dropped", test_dropped);
  tasker_test_add ("/signaller/ends-join", test_ends_join);
  tasker_test_add ("/signaller/from-inside", test_from_inside);
  tasker_test_add ("/signaller/crowd", test_crowd);
  tasker_test_add ("/signaller/against-last-handle", test_against_last_handle);
  tasker_test_add ("/signaller/bad-input", test_bad_input);
  tasker_test_add ("/signaller/of-task", test_of_task);

  return g_test_run ();
}
