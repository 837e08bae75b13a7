/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The data of thread tasks that is released in their home context. */

#include "tasker-test.h"

/* The data of tasks: who must free it, and how often that was done. */
typedef struct
{
  GThread      *home;     /* that must free */
  int           n_called; /* atomic */
  int           n_freed;  /* atomic */
  TaskerTask   *task;     /* that must be the current one then, or NULL */
  TaskerGroup  *group;    /* to be joined and stopped then, or NULL */
  TaskerTestGate *gate;   /* to be passed by the function, or NULL */
} Data;

#define DATA_INIT { .home = g_thread_self () }

static void
free_data (gpointer user_data)
{
  Data *data = user_data;
  g_autoptr (TaskerTask) current = tasker_task_get_current ();
  g_autoptr (GError) error = NULL;

  g_assert_true (g_thread_self () == data->home);
  g_assert_true (data->task == NULL || current == data->task);
  g_assert_true (data->task == NULL || !tasker_task_is_finished (current));
  if (data->group != NULL)
    {
      g_assert_false (tasker_group_join (data->group, NULL, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
      tasker_group_stop (data->group);
    }
  g_atomic_int_inc (&data->n_freed);
}

static gboolean
run (gpointer       user_data,
     GCancellable  *stopper,
     GError       **error)
{
  Data *data = user_data;

  g_assert_true (g_thread_self () != data->home);
  g_atomic_int_inc (&data->n_called);
  if (data->gate != NULL)
    tasker_test_pass_gate (data->gate, stopper, NULL);
  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

static gboolean
run_and_fail (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "run and failed");
  return FALSE;
}

static gboolean
run_item (gpointer       user_data,
          gsize          index,
          GCancellable  *stopper,
          GError       **error)
{
  Data *data = user_data;

  g_atomic_int_inc (&data->n_called);
  return TRUE;
}

static TaskerTask *
new_task (TaskerFunc  func,
          Data       *data)
{
  TaskerTask *task = tasker_task_new ("task", func, data, free_data);

  tasker_task_set_release_in_context (task, TRUE);

  return task;
}

static TaskerTask *
add (TaskerGroup *group,
     TaskerFunc   func,
     Data        *data)
{
  TaskerTask *task = new_task (func, data);

  tasker_group_add (group, task);

  return task;
}

static TaskerTask *
add_each (TaskerGroup *group,
          Data        *data)
{
  TaskerTask *task = tasker_task_new_each ("each", 100, run_item, data, free_data);

  tasker_task_set_release_in_context (task, TRUE);
  tasker_group_add (group, task);

  return task;
}

/* Until it is released it has not ended; a join that blocks the context's thread
 * iterates it. */
static void
test_join (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Data data = DATA_INIT;

      task = i == 0 ? add (group, run, &data) : add_each (group, &data);
      data.task = task;
      tasker_test_wait_for (g_atomic_int_get (&data.n_called) == (i == 0 ? 1 : 100));
      g_usleep (20 * 1000);
      g_assert_false (tasker_task_is_finished (task));
      tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

      g_assert_true (i == 0 ? tasker_task_join (task, NULL, NULL) : tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (data.n_freed, ==, 1);
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

static void
test_main_loop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  Data data = DATA_INIT;

  task = add (group, run, &data);
  tasker_group_join_async (group, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_true (tasker_group_join_finish (group, result, NULL));
  g_assert_cmpint (data.n_freed, ==, 1);
}

/* The error and the value stay with the task. */
static void
test_failed (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) error = NULL;
  Data data = DATA_INIT;

  task = add (group, run_and_fail, &data);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_error (tasker_task_get_error (task), G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (data.n_freed, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* Stopped or aborted, alone or with the group, queued or running. */
static void
test_stopped (void)
{
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      gboolean queued = i % 2 == 1;
      gboolean abort = i % 4 >= 2;
      TaskerTestGate gate;
      Data data = DATA_INIT;

      tasker_test_gate_init (&gate);
      tasker_group_set_max_running (group, 1);
      if (queued)
        tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      else
        data.gate = &gate;
      task = add (group, run, &data);
      tasker_test_gate_await (&gate, 1);

      if (i < 4 && abort)
        tasker_group_abort (group);
      else if (i < 4)
        tasker_group_stop (group);
      else if (abort)
        tasker_task_abort (task);
      else
        g_cancellable_cancel (G_CANCELLABLE (task));
      tasker_test_gate_open (&gate);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (data.n_called, ==, queued ? 0 : 1);
      g_assert_cmpint (data.n_freed, ==, 1);
      tasker_test_assert_counts (group, queued ? 2 : 1, 0, queued ? 1 : 0, 0, abort ? 0 : 1, abort ? 1 : 0);
      tasker_test_gate_clear (&gate);
    }
}

/* Added after the stop. */
static void
test_born_stopped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Data data = DATA_INIT;

  tasker_group_stop (group);
  task = add (group, run, &data);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (data.n_called, ==, 0);
  g_assert_cmpint (data.n_freed, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static gpointer
drop_thread (gpointer user_data)
{
  Data *data = user_data;

  data->home = g_thread_self ();
  g_clear_object (&data->task);
  return NULL;
}

/* It has no home. */
static void
test_never_added (void)
{
  Data data = DATA_INIT;

  data.task = new_task (run, &data);
  g_thread_join (g_thread_new ("drop", drop_thread, &data));
  g_assert_cmpint (data.n_freed, ==, 1);
}

/* It has not ended, so it keeps its place. */
static void
test_place (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) first = NULL;
  g_autoptr (TaskerTask) second = NULL;
  Data one = DATA_INIT;
  Data two = DATA_INIT;

  tasker_group_set_max_running (group, 1);
  first = add (group, run, &one);
  second = add (group, run, &two);
  tasker_test_wait_for (g_atomic_int_get (&one.n_called) == 1);
  g_usleep (20 * 1000);
  g_assert_cmpint (g_atomic_int_get (&two.n_called), ==, 0);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (two.n_called, ==, 1);
  g_assert_cmpint (one.n_freed + two.n_freed, ==, 2);
}

/* No lock is held, and the task is not over; so what waits for it fails. */
static void
test_reentrant (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Data data = DATA_INIT;

  data.group = group;
  task = add (group, run, &data);
  tasker_test_iterate_until (tasker_task_is_finished (task));
  g_assert_true (tasker_group_is_stopped (group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A context that nobody runs, and that is let go first: the join runs it. */
static void
test_orphaned_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GMainContext *context = g_main_context_new ();
  g_autoptr (TaskerTask) task = NULL;
  Data data = DATA_INIT;

  g_main_context_push_thread_default (context);
  task = add (group, run, &data);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  tasker_test_wait_for (g_atomic_int_get (&data.n_called) == 1);
  g_usleep (10 * 1000);
  tasker_test_iterate ();
  g_assert_cmpint (g_atomic_int_get (&data.n_freed), ==, 0);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (data.n_freed, ==, 1);
}

static gpointer
join_thread (gpointer group)
{
  return GINT_TO_POINTER (tasker_group_join (group, NULL, NULL));
}

/* Joined by a thread, released by the one that runs the context. */
static void
test_join_elsewhere (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  Data data = DATA_INIT;
  GThread *thread;

  task = add (group, run, &data);
  thread = g_thread_new ("join", join_thread, group);
  tasker_test_iterate_until (tasker_task_is_finished (task));
  g_assert_true (GPOINTER_TO_INT (g_thread_join (thread)));
  g_assert_cmpint (data.n_freed, ==, 1);
}

static void
test_shutdown (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) error = NULL;
  Data data = DATA_INIT;

  task = add (group, run, &data);
  g_assert_true (tasker_group_shutdown (group, 60 * 1000, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (data.n_freed, ==, 1);
  tasker_test_assert_equation (group);
}

static void
test_nothing_to_release (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_task_set_release_in_context (task, TRUE);
  tasker_group_add (group, task);
  tasker_test_wait_for (tasker_task_is_finished (task));
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

static gboolean
count_step (gpointer       n_left,
            GCancellable  *stopper,
            GError       **error)
{
  return --*(int *) n_left > 0;
}

/* Many, beside steps in the same context, stopped or aborted at any time. */
static void
test_race (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      int n_left = 50;
      Data data = DATA_INIT;

      tasker_group_set_max_running (group, i % 7);
      tasker_group_set_keep_results (group, i % 3 == 0);
      tasker_group_spawn_local (group, NULL, count_step, &n_left, NULL);
      for (guint j = 0; j < 20; j++)
        g_object_unref (j == 10 ? add_each (group, &data) : add (group, run, &data));
      if (i % 4 == 0)
        tasker_test_iterate ();
      else if (i % 4 == 1)
        tasker_group_stop (group);
      else if (i % 4 == 2)
        tasker_group_abort (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (data.n_freed, ==, 20);
      tasker_test_assert_equation (group);
    }
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
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  gboolean release_in_context = TRUE;
  int n_notified = 0;

  g_signal_connect_swapped (task, "notify::release-in-context", G_CALLBACK (count_call), &n_notified);
  g_object_get (task, "release-in-context", &release_in_context, NULL);
  g_assert_false (release_in_context);
  g_object_set (task, "release-in-context", FALSE, NULL);
  g_assert_cmpint (n_notified, ==, 0);
  g_object_set (task, "release-in-context", TRUE, NULL);
  tasker_task_set_release_in_context (task, 2);
  g_assert_cmpint (n_notified, ==, 1);
  g_assert_true (tasker_task_get_release_in_context (task));
  tasker_task_set_release_in_context (task, FALSE);
  g_assert_false (tasker_task_get_release_in_context (task));

  tasker_group_add (group, task);
  tasker_test_critical ("*get_core*", tasker_task_set_release_in_context (task, TRUE));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_set_release_in_context (NULL, TRUE));
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/release/join", test_join);
  tasker_test_add ("/release/main-loop", test_main_loop);
  tasker_test_add ("/release/failed", test_failed);
  tasker_test_add ("/release/stopped", test_stopped);
  tasker_test_add ("/release/born-stopped", test_born_stopped);
  tasker_test_add ("/release/never-added", test_never_added);
  tasker_test_add ("/release/place", test_place);
  tasker_test_add ("/release/reentrant", test_reentrant);
  tasker_test_add ("/release/orphaned-context", test_orphaned_context);
  tasker_test_add ("/release/join-elsewhere", test_join_elsewhere);
  tasker_test_add ("/release/shutdown", test_shutdown);
  tasker_test_add ("/release/nothing-to-release", test_nothing_to_release);
  tasker_test_add ("/release/race", test_race);
  tasker_test_add ("/release/property", test_property);

  return g_test_run ();
}
