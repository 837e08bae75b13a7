/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many references there are to what functions return and to what they are
 * given: what is returned belongs to the caller alone, and what is passed is let go
 * of in the end. */

#include "tasker-test.h"

#define get_n_references(object) \
  ((guint) g_atomic_int_get ((int *) &G_OBJECT (object)->ref_count))

/* The one reference is the caller's, and the object goes with it. */
static void
assert_owned (gpointer object)
{
  g_assert_nonnull (object);
  g_assert_cmpuint (get_n_references (object), ==, 1);
  g_assert_finalize_object (G_OBJECT (object));
}

static void
assert_all_owned (GPtrArray *tasks,
                  guint      n_tasks)
{
  g_assert_cmpuint (tasks->len, ==, n_tasks);
  for (guint i = 0; i < n_tasks; i++)
    g_assert_cmpuint (get_n_references (tasks->pdata[i]), ==, 1);
  g_ptr_array_unref (tasks);
}

static gboolean
go_on (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return G_SOURCE_CONTINUE;
}

static gboolean
take_item (gpointer       user_data,
           gsize          index,
           GCancellable  *stopper,
           GError       **error)
{
  return TRUE;
}

static void
be_told (TaskerTask *task,
         gsize       key,
         gboolean    aborted,
         gpointer    user_data)
{
}

static void
hear_news (gpointer     user_data,
           const gsize *begun,
           gsize        n_begun,
           const gsize *ended,
           gsize        n_ended)
{
}

static void
test_group (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("references");

  g_assert_cmpuint (get_n_references (group), ==, 1);
  assert_owned (tasker_group_clone (group));
  assert_owned (tasker_group_new_child (group, "child"));
  assert_owned (tasker_group_create_stopper (group));
  assert_owned (tasker_group_create_signaller (group));
  assert_owned (tasker_group_get_tasks (group));
  assert_owned (tasker_group_join_stream (group));
  g_assert_cmpuint (get_n_references (group), ==, 1);
  g_assert_finalize_object (g_steal_pointer (&group));
}

static void
test_new_tasks (void)
{
  g_autoptr (GTask) gtask = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "true", NULL);
  guint owner = tasker_register_external_owner (be_told, NULL, NULL);
  guint async_owner = tasker_register_async_owner (hear_news, NULL, NULL);

  assert_owned (g_object_new (TASKER_TYPE_TASK, NULL));
  assert_owned (tasker_task_new (NULL, tasker_test_succeed, NULL, NULL));
  assert_owned (tasker_task_new_local (NULL, go_on, NULL, NULL));
  assert_owned (tasker_task_new_interval (NULL, 1, go_on, NULL, NULL));
  assert_owned (tasker_task_new_each (NULL, 1, take_item, NULL, NULL));
  assert_owned (tasker_task_new_async (NULL, NULL, NULL, NULL));
  assert_owned (tasker_task_new_owned (NULL, owner, 1));
  assert_owned (tasker_task_new_owned (NULL, async_owner, 1));
  assert_owned (tasker_task_new_for_subprocess (NULL, process));
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  tasker_test_wait_for (get_n_references (process) == 1);

  tasker_test_lose_gtasks ();
  g_object_unref (tasker_task_new_for_gtask (gtask));
}

/* A task of each kind, which ends by itself or at the stop; its name is that of the
 * kind. */
static GPtrArray *
make_tasks (GSubprocess *process)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint owner = tasker_register_external_owner (be_told, NULL, NULL);

  g_ptr_array_add (tasks, tasker_task_new ("new", tasker_test_succeed, NULL, NULL));
  g_ptr_array_add (tasks, tasker_task_new_local ("local", go_on, NULL, NULL));
  g_ptr_array_add (tasks, tasker_task_new_interval ("interval", 1, go_on, NULL, NULL));
  g_ptr_array_add (tasks, tasker_task_new_each ("each", 10, take_item, NULL, NULL));
  g_ptr_array_add (tasks, tasker_task_new_async ("async", NULL, NULL, NULL));
  g_ptr_array_add (tasks, tasker_task_new_owned ("external", owner, 1));
  g_ptr_array_add (tasks, tasker_task_new_for_subprocess ("subprocess", process));

  return tasks;
}

/* Whoever has taken the results, and dropped the group, has all there is. */
static void
test_tasks_of_each_kind (void)
{
  g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "true", NULL);
  g_autoptr (TaskerGroup) group = tasker_test_group ("kinds");
  g_autoptr (GPtrArray) tasks = make_tasks (process);
  g_autoptr (GPtrArray) taken = NULL;

  for (guint i = 0; i < tasks->len; i++)
    {
      tasker_group_add (group, tasks->pdata[i]);
      g_assert_cmpuint (get_n_references (tasks->pdata[i]), >=, 2);
    }
  tasker_test_iterate ();
  tasker_group_stop (group);
  tasker_group_abort (group);
  tasker_task_complete (tasks->pdata[5]);

  taken = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (taken->len, ==, tasks->len);
  for (guint i = 0; i < tasks->len; i++)
    tasker_test_wait_for (get_n_references (tasks->pdata[i]) == 2);
  g_clear_pointer (&taken, g_ptr_array_unref);
  g_clear_object (&group);

  tasker_test_wait_for (get_n_references (process) == 2);
  assert_all_owned (g_steal_pointer (&tasks), 7);
  tasker_test_wait_for (get_n_references (process) == 1);
}

static gboolean
look_at_current (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  gboolean full = GPOINTER_TO_INT (user_data);
  TaskerTask *task = tasker_task_get_current ();
  guint n_references = get_n_references (task);
  TaskerTask *again = tasker_task_get_current ();

  g_assert_true (again == task);
  g_assert_true (((gpointer) stopper == (gpointer) task) == full);
  g_assert_cmpuint (get_n_references (task), ==, n_references + 1);
  g_object_unref (again);
  if (full)
    g_object_unref (task);
  else
    assert_owned (task);

  return TRUE;
}

static void
test_current (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("current");
  TaskerTask *task = tasker_task_new (NULL, look_at_current, GINT_TO_POINTER (TRUE), NULL);

  tasker_group_spawn (group, NULL, look_at_current, GINT_TO_POINTER (FALSE), NULL);
  tasker_group_add (group, task);
  g_object_unref (task);
  assert_all_owned (tasker_group_collect (group, NULL, NULL), 2);
}

/* A group with some light tasks and some full ones that have ended. */
static TaskerGroup *
make_done (void)
{
  TaskerGroup *group = tasker_test_group ("done");

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      tasker_group_add (group, task);
    }
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);

  return group;
}

static void
test_collect (void)
{
  g_autoptr (TaskerGroup) group = make_done ();
  g_autoptr (TaskerGroup) other = make_done ();
  g_autoptr (TaskerGroup) third = make_done ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  assert_all_owned (tasker_group_poll_collect (group), 4);
  assert_all_owned (tasker_group_collect (other, cancellable, NULL), 4);

  tasker_group_collect_async (third, cancellable, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  assert_all_owned (tasker_group_collect_finish (third, result, NULL), 4);

  g_clear_object (&result);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (get_n_references (cancellable), ==, 1);
  g_assert_cmpuint (get_n_references (third), ==, 1);
}

static void
test_stream (void)
{
  g_autoptr (TaskerGroup) group = make_done ();
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  TaskerTask *item;

  assert_owned (tasker_join_stream_try_next (stream));
  assert_owned (tasker_join_stream_next (stream, cancellable, NULL));
  tasker_join_stream_next_async (stream, cancellable, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  item = tasker_join_stream_next_finish (stream, result, NULL);
  g_assert_cmpuint (get_n_references (item), ==, 1);
  g_clear_object (&result);
  assert_owned (item);

  tasker_test_iterate_until (g_list_model_get_n_items (G_LIST_MODEL (stream)) == 1);
  item = g_list_model_get_item (G_LIST_MODEL (stream), 0);
  g_object_unref (item);
  assert_owned (tasker_join_stream_try_next (stream));

  tasker_test_come_to_rest ();
  g_assert_cmpuint (get_n_references (cancellable), ==, 1);
  g_assert_cmpuint (get_n_references (stream), ==, 1);
}

/* Items of models are new ones of light tasks, and of full ones what was added. */
static void
test_models (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("models");
  g_autoptr (GListModel) list = tasker_group_get_tasks (group);
  g_autoptr (TaskerTask) full = NULL;
  GListModel *again = tasker_group_get_tasks (group);
  TaskerTestGate gate;
  guint n_references;

  g_assert_true (again == list);
  g_assert_cmpuint (get_n_references (list), ==, 2);
  g_object_unref (again);

  tasker_test_gate_init (&gate);
  full = tasker_task_new (NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_add (group, full);
  tasker_test_iterate_until (g_list_model_get_n_items (list) == 2);
  n_references = get_n_references (full);
  assert_owned (g_list_model_get_item (list, 0));
  g_assert_true (g_list_model_get_item (list, 1) == full);
  g_assert_cmpuint (get_n_references (full), ==, n_references + 1);
  g_object_unref (full);

  tasker_test_gate_open (&gate);
  g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
  tasker_test_iterate_until (g_list_model_get_n_items (list) == 0);
  g_assert_cmpuint (get_n_references (full), ==, 1);
  tasker_test_gate_clear (&gate);
}

static void
test_external (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("external");
  guint owner = tasker_register_external_owner (be_told, NULL, NULL);
  TaskerTask *task = tasker_group_spawn_owned (group, NULL, owner, 1);

  tasker_task_complete (task);
  g_ptr_array_unref (tasker_group_poll_collect (group));
  assert_owned (task);
}

static void
test_owned (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("owned");
  guint owner = tasker_register_async_owner (hear_news, NULL, NULL);
  TaskerTask *task = tasker_group_spawn_owned (group, NULL, owner, 1);

  tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  g_assert_cmpuint (tasker_task_complete_many (&task, 1, TRUE), ==, 1);
  tasker_test_iterate_until (tasker_task_is_finished (task));
  g_ptr_array_unref (tasker_group_poll_collect (group));
  assert_owned (task);
}

/* Values are copied, and what is got is only looked at. */
static void
test_value (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, NULL, NULL, NULL);
  g_autoptr (GObject) thing = g_object_new (G_TYPE_OBJECT, NULL);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_OBJECT);
  g_value_set_object (&value, thing);
  tasker_task_set_value (task, &value);
  g_value_unset (&value);
  g_assert_cmpuint (get_n_references (thing), ==, 2);
  g_assert_true (g_value_get_object (tasker_task_get_value (task)) == (gpointer) thing);
  g_assert_cmpuint (get_n_references (thing), ==, 2);
  g_clear_object (&task);
  g_assert_cmpuint (get_n_references (thing), ==, 1);
}

static void
answer (GTask        *gtask,
        gpointer      source,
        gpointer      data,
        GCancellable *cancellable)
{
  g_task_return_boolean (gtask, TRUE);
}

/* What others have made is let go of at the end. */
static void
test_gtasks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("gtasks");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GTask *in_thread = g_task_new (NULL, cancellable, NULL, NULL);
  GTask *under_way = g_task_new (NULL, cancellable, NULL, NULL);
  TaskerTask *task = tasker_task_new_for_gtask (under_way);

  tasker_group_run_in_thread (group, in_thread, answer);
  tasker_group_add (group, task);
  tasker_test_iterate ();
  g_task_return_boolean (under_way, TRUE);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_clear_object (&group);
  tasker_test_come_to_rest ();

  tasker_test_wait_for (get_n_references (in_thread) == 1);
  assert_owned (in_thread);
  assert_owned (task);
  assert_owned (under_way);
  g_assert_cmpuint (get_n_references (cancellable), ==, 1);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/references/group", test_group);
  tasker_test_add ("/references/new-tasks", test_new_tasks);
  tasker_test_add ("/references/tasks-of-each-kind", test_tasks_of_each_kind);
  tasker_test_add ("/references/current", test_current);
  tasker_test_add ("/references/collect", test_collect);
  tasker_test_add ("/references/stream", test_stream);
  tasker_test_add ("/references/models", test_models);
  tasker_test_add ("/references/external", test_external);
  tasker_test_add ("/references/owned", test_owned);
  tasker_test_add ("/references/value", test_value);
  tasker_test_add ("/references/gtasks", test_gtasks);

  return g_test_run ();
}
