/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tasks whose work is done on a loop that is not GLib's, by their owner. */

#include "tasker-test.h"

/* What the owner knows each task by. */
#define KEY 7

/* An owner that notes what it is told. */
typedef struct
{
  int n_begun;   /* atomic, both */
  int n_aborted;
} Owner;

static Owner owner;
static guint owner_id;

static void
note (TaskerTask *task,
      gsize       key,
      gboolean    aborted,
      gpointer    user_data)
{
  Owner *self = user_data;

  g_assert_cmpuint (key, ==, KEY);
  g_assert_cmpuint (tasker_task_get_key (task, owner_id), ==, KEY);
  g_atomic_int_inc (aborted ? &self->n_aborted : &self->n_begun);
}

static void
reset (void)
{
  owner = (Owner) { 0 };
  if (owner_id == 0)
    owner_id = tasker_register_external_owner (note, &owner, NULL);
  g_assert_cmpuint (owner_id, >, 0);
}

static void
wait_for (int *number,
          int  expected)
{
  while (g_atomic_int_get (number) < expected)
    g_usleep (100);
}

static void
test_begin (void)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("begin");
  g_autoptr(TaskerTask) task = NULL;
  g_autoptr(GError) error = NULL;

  reset ();
  task = tasker_group_spawn_owned (group, "one", owner_id, KEY);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "one");
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);

  tasker_task_complete (task);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (tasker_group_spawn_owned (group, "late", owner_id, KEY));
  g_assert_cmpint (owner.n_begun, ==, 0);
  g_assert_cmpint (owner.n_aborted, ==, 0);
}

static void
test_queued (void)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("queued");
  g_autoptr(TaskerTask) first = NULL;
  g_autoptr(TaskerTask) second = NULL;
  g_autoptr(GError) error = NULL;

  reset ();
  tasker_group_set_max_running (group, 1);
  first = tasker_group_spawn_owned (group, "first", owner_id, KEY);
  g_assert_null (tasker_group_spawn_owned (group, "second", owner_id, KEY));
  second = tasker_task_new_owned ("second", owner_id, KEY);
  tasker_group_add (group, second);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_QUEUED);

  tasker_task_complete_error (first, g_error_new (G_IO_ERROR, G_IO_ERROR_BUSY, "busy"));
  g_assert_error (tasker_task_get_error (first), G_IO_ERROR, G_IO_ERROR_BUSY);
  wait_for (&owner.n_begun, 1);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_RUNNING);
  tasker_task_complete (second);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_SUCCEEDED);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpint (owner.n_aborted, ==, 0);
}

static void
test_stop (void)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("stop");
  g_autoptr(TaskerTask) begun = NULL;
  g_autoptr(TaskerTask) queued = NULL;
  g_autoptr(GError) error = NULL;

  reset ();
  tasker_group_set_max_running (group, 1);
  begun = tasker_group_spawn_owned (group, "begun", owner_id, KEY);
  queued = tasker_task_new_owned ("queued", owner_id, KEY);
  tasker_group_add (group, queued);

  g_assert_true (tasker_group_stop (group));
  g_assert_null (tasker_group_spawn_owned (group, "late", owner_id, KEY));
  /* Its turn will not come, and its owner is told so. */
  wait_for (&owner.n_aborted, 1);
  g_assert_false (tasker_task_join (queued, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_STOPPED);
  g_clear_error (&error);

  g_assert_cmpint (tasker_task_get_state (begun), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (begun)));
  tasker_task_complete_error (begun, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  g_assert_cmpint (tasker_task_get_state (begun), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (owner.n_begun, ==, 0);
  g_assert_cmpint (owner.n_aborted, ==, 1);
}

static void
test_abort (gconstpointer alone)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("abort");
  g_autoptr(TaskerTask) task = NULL;
  g_autoptr(GError) error = NULL;

  reset ();
  task = tasker_group_spawn_owned (group, "task", owner_id, KEY);
  g_assert_true (alone != NULL ? tasker_task_abort (task) : tasker_group_abort (group));
  g_assert_cmpint (owner.n_aborted, ==, 1);
  /* There is still something to be cleaned up. */
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  tasker_group_abort (group);
  g_assert_cmpint (owner.n_aborted, ==, 1);

  tasker_task_complete_error (task, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
}

static void
test_complete_twice (void)
{
  g_autoptr(TaskerGroup) group = tasker_group_new ("twice");
  g_autoptr(TaskerTask) task = NULL;

  reset ();
  task = tasker_group_spawn_owned (group, "task", owner_id, KEY);
  tasker_task_complete (task);
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*completed before*");
  tasker_task_complete_error (task, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "late"));
  g_test_assert_expected_messages ();
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
}

static void
test_no_owner (void)
{
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*assertion*");
  g_assert_null (tasker_task_new_owned ("task", 999, KEY));
  g_test_assert_expected_messages ();
}

/* Tasks are completed by one thread while another one aborts them, and none is
 * ended twice, or before its owner has come back from being told. */

static gpointer
complete_all (gpointer data)
{
  GPtrArray *tasks = data;

  for (guint i = 0; i < tasks->len; i++)
    tasker_task_complete (tasks->pdata[i]);

  return NULL;
}

static void
test_race (void)
{
  enum { N_TASKS = 20 };

  for (guint i = 0; i < tasker_test_rounds (500); i++)
    {
      g_autoptr(TaskerGroup) group = tasker_group_new ("race");
      g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      g_autoptr(GError) error = NULL;
      guint64 n_live;
      guint64 n_succeeded;
      GThread *thread;

      reset ();
      for (guint j = 0; j < N_TASKS; j++)
        g_ptr_array_add (tasks, tasker_group_spawn_owned (group, NULL, owner_id, KEY));
      thread = g_thread_new ("complete", complete_all, tasks);
      tasker_group_abort (group);
      g_thread_join (thread);

      g_assert_true (tasker_group_join (group, NULL, &error));
      g_assert_no_error (error);
      tasker_group_get_counts (group, NULL, &n_live, &n_succeeded, NULL, NULL, NULL);
      g_assert_cmpuint (n_live, ==, 0);
      g_assert_cmpuint (n_succeeded, ==, N_TASKS);
      g_assert_cmpint (owner.n_aborted, <=, N_TASKS);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/owner-external/begin", test_begin);
  g_test_add_func ("/owner-external/queued", test_queued);
  g_test_add_func ("/owner-external/stop", test_stop);
  g_test_add_data_func ("/owner-external/abort-alone", GINT_TO_POINTER (TRUE), test_abort);
  g_test_add_data_func ("/owner-external/abort-group", NULL, test_abort);
  g_test_add_func ("/owner-external/complete-twice", test_complete_twice);
  g_test_add_func ("/owner-external/no-owner", test_no_owner);
  g_test_add_func ("/owner-external/race", test_race);

  return g_test_run ();
}
