/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects that are made by themselves and not by a group, as every binding lets one
 * do: they belong to nothing, and all that they have can be called. */

#include "tasker-test.h"

static void
count (GObject    *object,
       GParamSpec *pspec,
       gpointer    n_notified)
{
  ++*(guint *) n_notified;
}

static void
test_stream (void)
{
  g_autoptr (TaskerJoinStream) stream = g_object_new (TASKER_TYPE_JOIN_STREAM, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint n_notified = 0;

  g_signal_connect (stream, "notify", G_CALLBACK (count), &n_notified);
  g_assert_true (tasker_join_stream_is_ended (stream));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (stream)), ==, 0);
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (stream), 0));
  g_assert_null (tasker_join_stream_try_next (stream));
  g_assert_null (tasker_join_stream_next (stream, NULL, &error));
  g_assert_no_error (error);

  tasker_join_stream_next_async (stream, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_null (tasker_join_stream_next_finish (stream, result, &error));
  g_assert_no_error (error);
}

static void
test_signaller (void)
{
  g_autoptr (TaskerSignaller) signaller = g_object_new (TASKER_TYPE_SIGNALLER, NULL);

  g_assert_false (tasker_signaller_is_stopped (signaller));
  g_assert_true (tasker_signaller_stop (signaller));
  g_assert_false (tasker_signaller_stop (signaller));
  g_assert_true (tasker_signaller_abort (signaller));
  g_assert_true (tasker_signaller_is_stopped (signaller));
}

static void
test_stopper (void)
{
  g_autoptr (TaskerStopper) stopper = g_object_new (TASKER_TYPE_STOPPER, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_stopper_sleep (stopper, 1, NULL));
  g_assert_false (tasker_stopper_timed_out (stopper));
  g_assert_cmpuint (tasker_stopper_get_timeout_ms (stopper), ==, 0);
  tasker_test_critical ("*can_set_timeout*", tasker_stopper_set_timeout_ms (stopper, 1));

  tasker_stopper_wait_async (stopper, tasker_test_keep, &result);
  g_cancellable_cancel (G_CANCELLABLE (stopper));
  tasker_test_iterate_until (result != NULL);
  g_assert_false (tasker_stopper_sleep (stopper, 1000, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Types of ours that have no name in a header can be got from an instance. */
static gpointer
make_another (gpointer object)
{
  return g_object_new (G_OBJECT_TYPE (object), NULL);
}

static void
test_list (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) list = tasker_group_get_tasks (group);
  g_autoptr (GListModel) other = make_another (list);

  g_assert_cmpuint (g_list_model_get_n_items (other), ==, 0);
  g_assert_null (g_list_model_get_item (other, 0));
  g_assert_true (g_list_model_get_item_type (other) == TASKER_TYPE_TASK);
}

/* Such a task is one that its owner completes. */
static void
test_task (void)
{
  g_autoptr (TaskerTask) model = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  TaskerTask *tasks[] = { g_object_new (TASKER_TYPE_TASK, NULL), make_another (model) };

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = tasks[i];

      g_assert_null (tasker_task_get_name (task));
      tasker_task_set_progress (task, 0.5, "half");
      tasker_group_add (group, task);
      tasker_task_complete (task);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/construct/stream", test_stream);
  tasker_test_add ("/construct/signaller", test_signaller);
  tasker_test_add ("/construct/stopper", test_stopper);
  tasker_test_add ("/construct/list", test_list);
  tasker_test_add ("/construct/task", test_task);

  return g_test_run ();
}
