/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Groups inside of groups: what goes up, what goes down, and where it ends. */

#include "tasker-test.h"

#include <pthread.h>

static TaskerGroup *
new_child (TaskerGroup *parent,
           const char  *name)
{
  TaskerGroup *child = tasker_group_new_child (parent, name);

  g_assert_nonnull (child);
  return child;
}

static TaskerGroup *
new_child_full (TaskerGroup *parent,
                const char  *name,
                gboolean     stop_with_parent)
{
  return g_object_new (TASKER_TYPE_GROUP,
                       "name", name,
                       "parent", parent,
                       "stop-with-parent", stop_with_parent,
                       NULL);
}

/* The one task of a group, once it has ended. */
static TaskerTask *
take_one (TaskerGroup *group)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) tasks = tasker_group_collect (group, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (tasks->len, ==, 1);

  return g_object_ref (tasks->pdata[0]);
}

/* A child is one task of its parent, from the beginning until it is joined. */
static void
test_one_task (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerTask) task = NULL;

  tasker_test_assert_counts (parent, 1, 1, 0, 0, 0, 0);
  for (guint i = 0; i < 10; i++)
    tasker_group_spawn (child, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_assert_counts (parent, 1, 1, 0, 0, 0, 0);

  tasker_group_finish (child);
  task = take_one (parent);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "child");
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  tasker_test_assert_counts (parent, 1, 0, 1, 0, 0, 0);
  tasker_test_assert_counts (child, 10, 0, 10, 0, 0, 0);
}

static void
test_empty (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  TaskerGroup *child = new_child (parent, NULL);

  g_object_unref (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (parent, 1, 0, 1, 0, 0, 0);
}

/* It waits for open handles as a join of the child does. */
static void
test_join_waits_for_handles (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) clone = tasker_group_clone (child);

  tasker_group_finish (child);
  g_usleep (20000);
  tasker_test_assert_counts (parent, 1, 1, 0, 0, 0, 0);
  tasker_group_finish (clone);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (parent, 1, 0, 1, 0, 0, 0);
}

/* The first failure goes up, level by level, with the names on its way. */
static void
test_failure (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) grandchild = new_child (child, "grandchild");
  g_autoptr(GError) error = NULL;

  tasker_group_spawn (grandchild, "culprit", tasker_test_fail, NULL, NULL);
  tasker_group_finish (grandchild);
  tasker_group_finish (child);

  g_assert_false (tasker_group_join (parent, NULL, &error));
  g_assert_nonnull (strstr (error->message, "culprit"));
  g_assert_nonnull (strstr (error->message, "grandchild"));
  g_assert_nonnull (strstr (error->message, "“child”"));
  tasker_test_assert_counts (parent, 1, 0, 0, 1, 0, 0);
  tasker_test_assert_counts (child, 1, 0, 0, 1, 0, 0);
}

static void
test_stop_flows_down (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) grandchild = new_child (child, "grandchild");
  g_autoptr(TaskerStopper) stopper = tasker_group_create_stopper (grandchild);

  tasker_group_spawn (grandchild, NULL, tasker_test_wait_stopped, NULL, NULL);
  g_assert_true (tasker_group_stop (parent));
  g_assert_true (tasker_group_is_stopped (grandchild));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));

  tasker_group_finish (grandchild);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (grandchild, 1, 0, 0, 0, 1, 0);
  tasker_test_assert_counts (parent, 1, 0, 0, 0, 1, 0);
}

/* A stop does not go up, nor sideways. */
static void
test_stop_alone (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) sister = new_child (parent, "sister");

  tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);
  g_assert_true (tasker_group_stop (child));
  g_assert_true (tasker_group_join (child, NULL, NULL));
  g_assert_false (tasker_group_is_stopped (parent));
  g_assert_false (tasker_group_is_stopped (sister));
  tasker_test_wait_for (tasker_group_get_n_tasks (parent) == 1);

  tasker_group_finish (sister);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
}

static void
test_stop_with_parent (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child_full (parent, "child", FALSE);
  g_autoptr(TaskerGroup) late = NULL;

  g_assert_false (tasker_group_get_stop_with_parent (child));
  tasker_group_stop (parent);
  g_assert_false (tasker_group_is_stopped (child));
  late = new_child_full (parent, "late", FALSE);
  g_assert_false (tasker_group_is_stopped (late));
  tasker_group_abort (parent);
  g_assert_true (tasker_group_is_stopped (child));
  g_assert_true (tasker_group_is_stopped (late));

  tasker_group_finish (child);
  tasker_group_finish (late);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
}

/* What the parent sees of the child has heard what the child has heard. */
static void
test_task_hears (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerTask) task = NULL;

  tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_group_finish (child);
  tasker_group_stop (child);
  task = take_one (parent);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_false (tasker_task_abort (task));
}

static void
test_stopped_parent (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = NULL;

  tasker_group_stop (parent);
  child = new_child (parent, "child");
  g_assert_true (tasker_group_is_stopped (child));
  tasker_group_spawn (child, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (child, 1, 0, 0, 0, 1, 0);
}

static void
test_finished_parent (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  TaskerGroup *child = NULL;

  tasker_group_finish (parent);
  tasker_test_critical ("*is_finished*", child = tasker_group_new_child (parent, "child"));
  g_assert_null (child);
  tasker_test_critical ("*is_finished*", child = new_child_full (parent, "child", TRUE));
  tasker_group_spawn (child, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (child, NULL, NULL));
  tasker_test_assert_counts (child, 1, 0, 1, 0, 0, 0);
  tasker_test_assert_counts (parent, 0, 0, 0, 0, 0, 0);
  g_object_unref (child);
}

/* A join of an ancestor from inside of a task could never end. */
static gboolean
join_ancestor (gpointer       ancestor,
               GCancellable  *stopper,
               GError       **error)
{
  g_autoptr(GError) local_error = NULL;

  g_assert_false (tasker_group_join (ancestor, NULL, &local_error));
  g_assert_error (local_error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);

  return TRUE;
}

static void
test_deadlock (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) grandchild = new_child (child, "grandchild");
  g_autoptr(TaskerGroup) clone = tasker_group_clone (parent);

  tasker_group_spawn (grandchild, NULL, join_ancestor, clone, NULL);
  tasker_group_finish (grandchild);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (grandchild, 1, 0, 1, 0, 0, 0);
}

/* Ten thousand levels: stopped from the top, joined from the top, and freed,
 * in a thread with a small stack, for less than 30 bytes of it a level. */
#define N_LEVELS 10000
#define STACK_SIZE (256 * 1024)

static gpointer
go_deep (gpointer data)
{
  guint n_levels = tasker_test_rounds (N_LEVELS);
  g_autoptr(TaskerGroup) top = tasker_test_group ("top");
  g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *dump = NULL;

  for (guint i = 0; i < n_levels; i++)
    g_ptr_array_add (groups, new_child (i > 0 ? groups->pdata[i - 1] : top, "level"));

  tasker_group_spawn (groups->pdata[n_levels - 1], "deepest", tasker_test_wait_stopped, NULL, NULL);
  for (guint i = 0; i < n_levels; i++)
    tasker_group_finish (groups->pdata[i]);

  dump = tasker_group_dump (top);
  g_assert_nonnull (strstr (dump, "level"));
  tasker_group_stop (top);
  g_assert_true (tasker_group_is_stopped (groups->pdata[n_levels - 1]));
  g_assert_true (tasker_group_join (top, NULL, NULL));
  tasker_test_assert_counts (top, 1, 0, 0, 0, 1, 0);

  return NULL;
}

static void
test_depth (void)
{
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init (&attributes);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, STACK_SIZE), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, go_deep, NULL), ==, 0);
  pthread_join (thread, NULL);
  pthread_attr_destroy (&attributes);
}

/* A dead child is not kept. */
static void
test_freed (void)
{
  guint n_rounds = tasker_test_rounds (10000);
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) keeper = tasker_group_clone (parent);
  TaskerTestLedger *ledger = tasker_test_ledger_new (n_rounds);
  gsize before = 0;

  g_object_set (parent, "keep-results", FALSE, NULL);
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) child = new_child (parent, "child");

      tasker_test_ledger_spawn (ledger, child, NULL, tasker_test_succeed, NULL);
      tasker_group_finish (child);
      g_assert_true (tasker_group_join (child, NULL, NULL));
      if (i == n_rounds / 2)
        before = tasker_test_get_rss ();
    }
  g_assert_cmpuint (tasker_test_get_rss (), <=, before + 1024 * 1024);
  tasker_group_finish (keeper);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (parent, n_rounds, 0, n_rounds, 0, 0, 0);
  tasker_test_ledger_close (ledger, n_rounds, n_rounds);
}

/* Handles of the parent that go while the child lives. */
static void
test_parent_dropped (void)
{
  g_autoptr(TaskerGroup) child = NULL;
  TaskerGroup *parent = tasker_test_group ("parent");
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  child = new_child (parent, "child");
  tasker_group_spawn (child, NULL, tasker_test_pass_gate, &gate, NULL);
  g_object_unref (parent);
  tasker_test_gate_await (&gate, 1);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (child, NULL, NULL));
  tasker_test_assert_counts (child, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* A child made while the parent is being stopped is stopped, too, and the
 * parent's join waits for it. */
static gpointer
stop_it (gpointer parent)
{
  tasker_group_stop (parent);
  return NULL;
}

static void
test_race_with_stop (void)
{
  guint n_rounds = tasker_test_rounds (5000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
      g_autoptr(TaskerGroup) child = NULL;
      GThread *thread = g_thread_new ("stop", stop_it, parent);

      child = new_child (parent, "child");
      tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);
      tasker_group_finish (child);
      g_assert_true (tasker_group_join (parent, NULL, NULL));
      g_thread_join (thread);
      g_assert_true (tasker_group_is_stopped (child));
      tasker_test_assert_counts (parent, 1, 0, 0, 0, 1, 0);
      tasker_test_assert_counts (child, 1, 0, 0, 0, 1, 0);
    }
}

/* Many threads that make, use, stop and drop children of one parent. */
typedef struct
{
  TaskerGroup *parent;
  guint        n_rounds;
} Family;

static gpointer
raise_children (gpointer data)
{
  Family *family = data;

  for (guint i = 0; i < family->n_rounds; i++)
    {
      g_autoptr(TaskerGroup) child = new_child (family->parent, "child");
      g_autoptr(TaskerGroup) grandchild = new_child (child, "grandchild");

      tasker_group_spawn (grandchild, NULL, i % 3 == 0 ? tasker_test_fail : tasker_test_wait_stopped, NULL, NULL);
      if (i % 2 == 0)
        tasker_group_finish (child);
      if (i % 5 == 0)
        tasker_group_abort (grandchild);
      tasker_group_stop (child);
    }

  return NULL;
}

static void
test_storm (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  Family family = { parent, tasker_test_rounds (2000) };
  g_autoptr(GError) error = NULL;
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("family", raise_children, &family);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  tasker_group_join (parent, NULL, &error);
  g_assert_true (error == NULL || g_str_has_prefix (error->message, "Task “child”"));
  g_assert_cmpuint (tasker_group_get_n_tasks (parent), ==, 0);
  tasker_test_assert_equation (parent);
}

/* Work that belongs to a main loop is iterated by a join of the ancestor. */
static gboolean
count_step (gpointer       n_steps,
            GCancellable  *stopper,
            GError       **error)
{
  return ++*(guint *) n_steps < 10 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
test_local (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autoptr(TaskerGroup) grandchild = new_child (child, "grandchild");
  guint n_steps = 0;

  tasker_group_spawn_local (grandchild, NULL, count_step, &n_steps, NULL);
  tasker_group_finish (grandchild);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  g_assert_cmpuint (n_steps, ==, 10);
}

static void
test_stop_on_error (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) child = NULL;
  g_autoptr(GError) error = NULL;

  tasker_group_set_stop_on_error (group, TRUE);
  g_assert_true (tasker_group_get_stop_on_error (group));
  child = new_child (group, "child");
  tasker_group_spawn (group, "waits", tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (child, "waits as well", tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (group, "culprit", tasker_test_fail, NULL, NULL);
  tasker_group_finish (child);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, "Task “culprit”"));
  g_assert_true (tasker_group_is_stopped (group));
  tasker_test_assert_counts (group, 3, 0, 0, 1, 2, 0);
}

/* What fails in a child stops the parent when that has ended. */
static void
test_stop_on_error_below (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) child = new_child (group, "child");
  g_autoptr(TaskerGroup) sister = new_child (group, "sister");
  g_autoptr(GError) error = NULL;

  tasker_group_set_stop_on_error (group, TRUE);
  tasker_group_spawn (group, "waits", tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (sister, "waits as well", tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (child, "culprit", tasker_test_fail, NULL, NULL);
  tasker_group_finish (sister);
  tasker_group_finish (child);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, "Task “child”: Task “culprit”"));
  g_assert_true (tasker_group_is_stopped (group));
  g_assert_true (tasker_group_is_stopped (sister));
  tasker_test_assert_counts (group, 3, 0, 0, 1, 2, 0);
}

/* A child that is made while its parent is shut down does not hold that up, whoever
 * forgets to finish it. */
static gpointer
make_children (gpointer user_data)
{
  TaskerGroup *parent = user_data;
  GPtrArray *children = g_ptr_array_new_with_free_func (g_object_unref);

  do
    g_ptr_array_add (children, new_child (parent, "late"));
  while (!tasker_group_is_stopped (parent) && children->len < 200);

  return children;
}

static void
test_race_with_shutdown (void)
{
  guint n_rounds = tasker_test_rounds (2000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
      g_autoptr(TaskerGroup) other = tasker_group_clone (parent);
      g_autoptr(GPtrArray) children = NULL;
      g_autoptr(GError) error = NULL;
      GThread *thread = g_thread_new ("children", make_children, other);

      if (i % 2 == 0)
        g_thread_yield ();
      g_assert_true (tasker_group_shutdown (parent, 5000, NULL, &error));
      g_assert_no_error (error);
      children = g_thread_join (thread);
      tasker_test_assert_equation (parent);
    }
}

/* The task that a child is in its parent, as a list shows it. */
static void
test_face (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(GListModel) tasks = tasker_group_get_tasks (parent);

  for (guint i = 0; i < 2; i++)
    {
      gboolean abort = i > 0;
      g_autoptr(TaskerGroup) child = new_child (parent, "child");
      g_autoptr(TaskerGroup) grandchild = new_child (child, NULL);
      g_autoptr(TaskerGroup) loner = new_child_full (child, NULL, FALSE);
      g_autoptr(TaskerTask) task = NULL;

      tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);
      tasker_group_spawn (grandchild, NULL, tasker_test_wait_stopped, NULL, NULL);
      tasker_test_iterate_until (g_list_model_get_n_items (tasks) == 1);
      task = g_list_model_get_item (tasks, 0);
      g_assert_cmpstr (tasker_task_get_name (task), ==, "child");
      g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);

      if (abort)
        g_assert_true (tasker_task_abort (task));
      else
        g_cancellable_cancel (G_CANCELLABLE (task));
      g_assert_true (tasker_group_is_stopped (child));
      g_assert_true (tasker_group_is_stopped (grandchild));
      g_assert_true (tasker_group_is_stopped (loner) == abort);
      g_assert_false (tasker_group_is_stopped (parent));

      tasker_group_finish (loner);
      tasker_group_finish (grandchild);
      tasker_group_finish (child);
      g_assert_false (tasker_task_join (task, NULL, NULL));
      g_assert_cmpint (tasker_task_get_state (task), ==,
                       abort ? TASKER_TASK_STATE_ABORTED : TASKER_TASK_STATE_STOPPED);
      g_assert_false (tasker_task_abort (task));
      tasker_test_iterate_until (g_list_model_get_n_items (tasks) == 0);
    }
  tasker_test_assert_counts (parent, 2, 0, 0, 0, 1, 1);
}

/* Somebody sleeps on that task while its group ends and goes. */
static gpointer
sleep_on (gpointer task)
{
  while (!tasker_task_is_finished (task) && tasker_stopper_sleep (task, 1, NULL))
    ;
  tasker_stopper_sleep (task, 1, NULL);

  return NULL;
}

static void
test_race_with_sleep (void)
{
  guint n_rounds = tasker_test_rounds (500);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
      g_autoptr(GListModel) tasks = tasker_group_get_tasks (parent);
      TaskerGroup *child = new_child (parent, "child");
      g_autoptr(TaskerTask) task = NULL;
      GThread *thread;

      tasker_test_iterate_until (g_list_model_get_n_items (tasks) == 1);
      task = g_list_model_get_item (tasks, 0);
      thread = g_thread_new ("sleeps", sleep_on, task);
      g_object_unref (child);
      g_thread_join (thread);
      g_assert_true (tasker_group_join (parent, NULL, NULL));
    }
}

/* The dump shows the children below their parents. */
static void
test_dump (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = new_child (parent, "child");
  g_autofree char *dump = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (child, "inner", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  dump = tasker_group_dump (parent);
  g_assert_true (g_pattern_match_simple ("Group “parent”*child*running*\n  Group “child”*inner*running*", dump));

  tasker_test_gate_open (&gate);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/child/one-task", test_one_task);
  tasker_test_add ("/child/empty", test_empty);
  tasker_test_add ("/child/join-waits-for-handles", test_join_waits_for_handles);
  tasker_test_add ("/child/failure", test_failure);
  tasker_test_add ("/child/stop-flows-down", test_stop_flows_down);
  tasker_test_add ("/child/stop-alone", test_stop_alone);
  tasker_test_add ("/child/stop-with-parent", test_stop_with_parent);
  tasker_test_add ("/child/task-hears", test_task_hears);
  tasker_test_add ("/child/stopped-parent", test_stopped_parent);
  tasker_test_add ("/child/finished-parent", test_finished_parent);
  tasker_test_add ("/child/deadlock", test_deadlock);
  tasker_test_add ("/child/depth", test_depth);
  tasker_test_add ("/child/freed", test_freed);
  tasker_test_add ("/child/parent-dropped", test_parent_dropped);
  tasker_test_add ("/child/race-with-stop", test_race_with_stop);
  tasker_test_add ("/child/storm", test_storm);
  tasker_test_add ("/child/local", test_local);
  tasker_test_add ("/child/stop-on-error", test_stop_on_error);
  tasker_test_add ("/child/stop-on-error-below", test_stop_on_error_below);
  tasker_test_add ("/child/race-with-shutdown", test_race_with_shutdown);
  tasker_test_add ("/child/face", test_face);
  tasker_test_add ("/child/race-with-sleep", test_race_with_sleep);
  tasker_test_add ("/child/dump", test_dump);

  return g_test_run ();
}
