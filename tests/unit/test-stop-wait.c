/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for stoppers on main loops: who is called back, where, in which order,
 * and that nothing is left of who is not. */

#include "tasker-test.h"

/* What a callback has got. */
typedef struct
{
  guint          n_called;
  guint          place;  /* among those that share @order */
  guint         *order;
  GThread       *thread;
  GAsyncResult  *kept;
  gpointer       source;
  int           *until;  /* iterates until that is not 0 */
} Call;

static void
on_stopped (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  Call *call = user_data;

  tasker_stopper_wait_finish (TASKER_STOPPER (source), result);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (source)));
  g_assert_true (g_async_result_get_user_data (result) == user_data);
  g_assert_true (g_async_result_is_tagged (result, tasker_stopper_wait_async));

  call->n_called++;
  call->thread = g_thread_self ();
  call->source = source;
  if (call->order != NULL)
    call->place = ++*call->order;
  if (call->until != NULL)
    tasker_test_iterate_until (*call->until > 0);
}

static void
on_stopped_keep (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  Call *call = user_data;

  on_stopped (source, result, user_data);
  call->kept = g_object_ref (result);
}

static gpointer
stop_thread (gpointer group)
{
  tasker_group_stop (group);
  return NULL;
}

static void
test_order (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  guint order = 0;
  Call calls[100] = { 0, };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i].order = &order;
      tasker_stopper_wait_async (stopper, on_stopped, &calls[i]);
    }
  tasker_test_iterate ();
  g_assert_cmpuint (order, ==, 0);

  tasker_group_stop (group);
  g_assert_cmpuint (order, ==, 0);
  tasker_test_iterate_until (order == G_N_ELEMENTS (calls));
  tasker_test_come_to_rest ();
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_assert_cmpuint (calls[i].n_called, ==, 1);
      g_assert_cmpuint (calls[i].place, ==, i + 1);
    }
}

/* One object is used for many results, but not where it is kept. */
static void
test_kept (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerStopper *stoppers[6];
  Call calls[6] = { 0, };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      stoppers[i] = tasker_group_create_stopper (group);
      tasker_stopper_wait_async (stoppers[i], i % 2 == 0 ? on_stopped_keep : on_stopped, &calls[i]);
      g_object_unref (stoppers[i]);
    }
  tasker_group_stop (group);
  tasker_test_iterate_until (calls[5].n_called > 0);

  for (guint i = 0; i < G_N_ELEMENTS (calls); i += 2)
    {
      g_autoptr (GAsyncResult) kept = calls[i].kept;
      g_autoptr (GObject) source = g_async_result_get_source_object (kept);

      g_assert_true (source == (gpointer) stoppers[i]);
      g_assert_true (g_async_result_get_user_data (kept) == &calls[i]);
      tasker_stopper_wait_finish (TASKER_STOPPER (source), kept);
    }
}

/* A callback that waits for another one. */
static void
test_nested (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  guint order = 0;
  Call calls[4] = { 0, };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i].order = &order;
      if (i + 1 < G_N_ELEMENTS (calls))
        calls[i].until = (int *) &calls[i + 1].n_called;
      tasker_stopper_wait_async (stopper, on_stopped, &calls[i]);
    }
  tasker_group_stop (group);
  tasker_test_iterate_until (calls[0].n_called > 0);

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    g_assert_cmpuint (calls[i].n_called, ==, 1);
}

static gboolean
wait_to_complete (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  tasker_stopper_wait_async (TASKER_STOPPER (stopper), user_data, NULL);
  return TRUE;
}

static void
complete (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  tasker_stopper_wait_finish (TASKER_STOPPER (source), result);
  tasker_task_complete (TASKER_TASK (source));
}

static void
must_not_be_called (GObject      *source,
                    GAsyncResult *result,
                    gpointer      user_data)
{
  g_assert_not_reached ();
}

/* Nobody runs the loop but the join. */
static void
test_tasks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  guint n_tasks = tasker_test_rounds (20000);

  for (guint i = 0; i < n_tasks; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, wait_to_complete, complete, NULL);

      tasker_group_add (group, task);
    }
  tasker_test_come_to_rest ();
  tasker_test_assert_counts (group, n_tasks, n_tasks, 0, 0, 0, 0);

  tasker_group_stop (group);
  tasker_test_assert_join (group, n_tasks, 0, 0);
}

/* What has ended is not stopped any more, and its wait goes with it. */
static void
test_task_ends_first (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTask *task = tasker_task_new_async (NULL, wait_to_complete, must_not_be_called, NULL);

  tasker_group_set_keep_results (group, FALSE);
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  tasker_group_add (group, task);
  tasker_test_come_to_rest ();
  tasker_task_complete (task);
  g_object_unref (task);
  tasker_test_iterate_until (task == NULL);

  tasker_group_stop (group);
  tasker_test_come_to_rest ();
  tasker_test_assert_join (group, 1, 0, 0);
}

/* The same, where nothing but the wait holds the task. */
static gboolean
wait_for_own_face (gpointer       location,
                   GCancellable  *stopper,
                   GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();

  g_weak_ref_set (location, task);
  tasker_stopper_wait_async (TASKER_STOPPER (task), must_not_be_called, NULL);
  return TRUE;
}

static gboolean
wait_for_own_face_once (gpointer       location,
                        GCancellable  *stopper,
                        GError       **error)
{
  wait_for_own_face (location, stopper, error);
  return G_SOURCE_REMOVE;
}

static void
test_face_ends_first (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GPtrArray) ended = NULL;
  GWeakRef faces[2];

  for (guint i = 0; i < G_N_ELEMENTS (faces); i++)
    g_weak_ref_init (&faces[i], NULL);
  tasker_group_spawn (group, NULL, wait_for_own_face, &faces[0], NULL);
  tasker_group_spawn_local (group, NULL, wait_for_own_face_once, &faces[1], NULL);
  tasker_test_assert_join (group, 2, 0, 0);
  tasker_test_iterate_until (!tasker_test_is_alive (&faces[0]) && !tasker_test_is_alive (&faces[1]));

  /* And once it has ended. */
  ended = tasker_group_poll_collect (group);
  for (guint i = 0; i < G_N_ELEMENTS (faces); i++)
    {
      TaskerTask *task = g_ptr_array_index (ended, i);

      g_weak_ref_set (&faces[i], task);
      tasker_stopper_wait_async (TASKER_STOPPER (task), must_not_be_called, NULL);
    }
  g_clear_pointer (&ended, g_ptr_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS (faces); i++)
    {
      g_assert_false (tasker_test_is_alive (&faces[i]));
      g_weak_ref_clear (&faces[i]);
    }
}

static void
test_child_ends_first (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) child = tasker_group_new_child (group, NULL);
  g_autoptr (GListModel) tasks = tasker_group_get_tasks (group);
  TaskerTask *task;
  GWeakRef ref;

  tasker_group_set_keep_results (group, FALSE);
  tasker_test_iterate_until (g_list_model_get_n_items (tasks) == 1);
  task = g_list_model_get_item (tasks, 0);
  g_weak_ref_init (&ref, task);
  tasker_stopper_wait_async (TASKER_STOPPER (task), must_not_be_called, NULL);
  g_object_unref (task);

  g_assert_true (tasker_group_join (child, NULL, NULL));
  tasker_test_iterate_until (!tasker_test_is_alive (&ref));
  g_weak_ref_clear (&ref);
  tasker_test_assert_join (group, 1, 0, 0);
}

static void
test_cancelled_alone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, wait_to_complete, complete, NULL);
  g_autoptr (TaskerTask) other = tasker_task_new_async (NULL, wait_to_complete, complete, NULL);

  tasker_group_add (group, task);
  tasker_group_add (group, other);
  tasker_test_come_to_rest ();
  g_cancellable_cancel (G_CANCELLABLE (task));
  tasker_test_iterate_until (tasker_task_is_finished (task));
  g_assert_false (tasker_task_is_finished (other));

  g_cancellable_cancel (G_CANCELLABLE (other));
  tasker_test_assert_join (group, 2, 0, 0);
}

/* The one that all light tasks share is the group's, and does not keep it. */
static gboolean
wait_in_step (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  tasker_stopper_wait_async (TASKER_STOPPER (stopper), on_stopped, user_data);
  return G_SOURCE_REMOVE;
}

static void
test_shared_stopper (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) never_stopped = tasker_test_group (NULL);
  Call call = { 0, };

  tasker_group_spawn_local (group, NULL, wait_in_step, &call, NULL);
  tasker_group_spawn_local (never_stopped, NULL, wait_in_step, &call, NULL);
  tasker_test_assert_join (group, 1, 0, 0);
  tasker_test_assert_join (never_stopped, 1, 0, 0);
  g_assert_cmpuint (call.n_called, ==, 0);

  tasker_group_stop (group);
  tasker_test_iterate_until (call.n_called > 0);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (call.n_called, ==, 1);
}

static void
on_stopped_slowly (GObject      *source,
                   GAsyncResult *result,
                   gpointer      n_called)
{
  ++*(guint *) n_called;
  g_usleep (4000);
}

/* Callbacks have 4 ms of an iteration, whosever the stoppers are: some were not
 * added yet when the wait began, and some never will be. */
static void
test_bound (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) stoppers = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_called = 0;

  for (guint i = 0; i < 20; i++)
    {
      TaskerTask *task = tasker_task_new_async (NULL, NULL, NULL, NULL);
      TaskerStopper *stopper = g_object_new (TASKER_TYPE_STOPPER, NULL);

      tasker_stopper_wait_async (TASKER_STOPPER (task), on_stopped_slowly, &n_called);
      tasker_stopper_wait_async (stopper, on_stopped_slowly, &n_called);
      tasker_group_add (group, task);
      g_ptr_array_add (tasks, task);
      g_ptr_array_add (stoppers, stopper);
    }
  tasker_test_come_to_rest ();
  tasker_group_stop (group);
  for (guint i = 0; i < stoppers->len; i++)
    g_cancellable_cancel (g_ptr_array_index (stoppers, i));

  while (n_called < 2 * tasks->len)
    {
      guint n_before = n_called;

      g_main_context_iteration (NULL, TRUE);
      /* One for each of the groups, the tasks' and that of no group. */
      g_assert_cmpuint (n_called - n_before, <=, 2);
    }
  for (guint i = 0; i < tasks->len; i++)
    tasker_task_complete (g_ptr_array_index (tasks, i));
  tasker_test_assert_join (group, tasks->len, 0, 0);
}

/* Many contexts, and a stop at any time */

typedef struct
{
  TaskerGroup *group;
  int         *n_ready;
  Call         call;
} Waiting;

static gpointer
wait_thread (gpointer data)
{
  Waiting *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (self->group);

  g_main_context_push_thread_default (context);
  g_atomic_int_inc (self->n_ready);
  for (guint i = 0; i < 3; i++)
    tasker_stopper_wait_async (stopper, on_stopped, &self->call);
  while (self->call.n_called < 3)
    g_main_context_iteration (context, TRUE);
  while (g_main_context_iteration (context, FALSE));
  g_main_context_pop_thread_default (context);

  return g_thread_self ();
}

static void
test_race (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      int n_ready = 0;
      Waiting waiting[3];
      GThread *threads[3];
      GThread *stopping;

      for (guint j = 0; j < G_N_ELEMENTS (waiting); j++)
        {
          waiting[j] = (Waiting) { .group = group, .n_ready = &n_ready };
          threads[j] = g_thread_new ("wait", wait_thread, &waiting[j]);
        }
      if (i % 2 == 0)
        tasker_test_wait_for (g_atomic_int_get (&n_ready) > 0);
      stopping = g_thread_new ("stop", stop_thread, group);

      for (guint j = 0; j < G_N_ELEMENTS (waiting); j++)
        {
          g_assert_true (g_thread_join (threads[j]) == waiting[j].call.thread);
          g_assert_cmpuint (waiting[j].call.n_called, ==, 3);
        }
      g_thread_join (stopping);
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/stop-wait/order", test_order);
  tasker_test_add ("/stop-wait/kept", test_kept);
  tasker_test_add ("/stop-wait/nested", test_nested);
  tasker_test_add ("/stop-wait/tasks", test_tasks);
  tasker_test_add ("/stop-wait/task-ends-first", test_task_ends_first);
  tasker_test_add ("/stop-wait/face-ends-first", test_face_ends_first);
  tasker_test_add ("/stop-wait/child-ends-first", test_child_ends_first);
  tasker_test_add ("/stop-wait/cancelled-alone", test_cancelled_alone);
  tasker_test_add ("/stop-wait/shared-stopper", test_shared_stopper);
  tasker_test_add ("/stop-wait/bound", test_bound);
  tasker_test_add ("/stop-wait/race", test_race);

  return g_test_run ();
}
