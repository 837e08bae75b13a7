/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tasks that stand for a GTask which is under way. */

#include "tasker-test.h"

/* An operation of somebody else, as its callback sees it. */
typedef struct
{
  GTask       *gtask;       /* owned, until it has returned or is dropped */
  TaskerGroup *group;       /* to be looked at in the callback, or %NULL */
  guint        n_called;
  guint        n_live;      /* of the group, in the callback */
  gboolean     ok;
  GError      *error;
} Operation;

static void
on_done (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Operation *operation = user_data;

  operation->n_called++;
  if (operation->group != NULL)
    operation->n_live = tasker_group_get_n_tasks (operation->group);
  operation->ok = g_task_propagate_boolean (G_TASK (result), &operation->error);
}

static void
operation_init (Operation    *self,
                GCancellable *cancellable)
{
  *self = (Operation) { .gtask = g_task_new (NULL, cancellable, on_done, self) };
  g_task_set_name (self->gtask, "operation");
}

static void
operation_succeed (Operation *self)
{
  GTask *gtask = g_steal_pointer (&self->gtask);

  g_task_return_boolean (gtask, TRUE);
  g_object_unref (gtask);
}

static void
operation_fail (Operation *self)
{
  GTask *gtask = g_steal_pointer (&self->gtask);

  g_task_return_new_error (gtask, G_IO_ERROR, G_IO_ERROR_EXISTS, "operation failed");
  g_object_unref (gtask);
}

static void
operation_drop (Operation *self)
{
  g_clear_object (&self->gtask);
}

static gpointer
succeed_thread (gpointer operation)
{
  operation_succeed (operation);
  return NULL;
}

static gpointer
drop_thread (gpointer operation)
{
  operation_drop (operation);
  return NULL;
}

static void
operation_clear (Operation *self)
{
  g_assert_null (self->gtask);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Operation, operation_clear)

/* A task for it, of the group. */
static TaskerTask *
add (TaskerGroup *group,
     Operation   *operation)
{
  TaskerTask *task = tasker_task_new_for_gtask (operation->gtask);

  tasker_group_add (group, task);

  return task;
}

static void
wait_running (TaskerTask *task)
{
  tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
}

static void
test_succeeded (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_auto (Operation) operation;

  operation_init (&operation, NULL);
  operation.group = group;
  g_task_set_priority (operation.gtask, G_PRIORITY_LOW);
  task = add (group, &operation);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "operation");
  g_assert_cmpint (tasker_task_get_priority (task), ==, G_PRIORITY_LOW);
  wait_running (task);

  operation_succeed (&operation);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpuint (operation.n_called, ==, 1);
  g_assert_cmpuint (operation.n_live, ==, 1);
  g_assert_true (operation.ok);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* The error is the callback's; the task knows that there was one. */
static void
test_failed (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Operation) operation;

  operation_init (&operation, NULL);
  task = add (group, &operation);
  operation_fail (&operation);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "operation"));
  g_assert_error (operation.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* It returns, or completes, before the task is made, before it is added, before
 * it begins. */
static void
test_over_before (void)
{
  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      g_autoptr (GTask) gtask = NULL;
      g_auto (Operation) operation;
      guint when = i % 3;
      gboolean complete = i % 6 < 3;
      gboolean fail = i < 6;

      operation_init (&operation, NULL);
      gtask = g_object_ref (operation.gtask);
      if (when > 0)
        task = tasker_task_new_for_gtask (gtask);
      if (when > 1)
        tasker_group_add (group, task);

      if (fail)
        operation_fail (&operation);
      else
        operation_succeed (&operation);
      if (complete)
        tasker_test_iterate_until (g_task_get_completed (gtask));

      if (when < 1)
        task = tasker_task_new_for_gtask (gtask);
      if (when < 2)
        tasker_group_add (group, task);
      g_assert_true (tasker_group_join (group, NULL, NULL) == !fail);
      g_assert_cmpuint (operation.n_called, ==, 1);
      tasker_test_assert_counts (group, 1, 0, fail ? 0 : 1, fail ? 1 : 0, 0, 0);
    }
}

static void
add_in_callback (GObject      *source,
                 GAsyncResult *result,
                 gpointer      group)
{
  g_autoptr (TaskerTask) task = tasker_task_new_for_gtask (G_TASK (result));

  tasker_group_add (group, task);
}

/* It has returned, and has not completed. */
static void
test_in_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) gtask = g_task_new (NULL, NULL, add_in_callback, group);

  g_task_return_boolean (gtask, TRUE);
  tasker_test_iterate_until (g_task_get_completed (gtask));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Before it was added, before it began, while it runs; from here and there. */
static void
test_dropped (void)
{
  tasker_test_lose_gtasks ();

  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      g_autoptr (GError) error = NULL;
      g_auto (Operation) operation;

      operation_init (&operation, NULL);
      task = tasker_task_new_for_gtask (operation.gtask);
      if (i % 3 > 0)
        tasker_group_add (group, task);
      if (i % 3 > 1)
        wait_running (task);
      if (i < 3)
        operation_drop (&operation);
      else
        g_thread_join (g_thread_new ("drop", drop_thread, &operation));
      if (i % 3 == 0)
        tasker_group_add (group, task);

      g_assert_false (tasker_group_join (group, NULL, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
      g_assert_cmpuint (operation.n_called, ==, 0);
      tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
    }
}

/* A task that is never added stays as long as its GTask does. */
static void
test_never_added (void)
{
  TaskerTask *task;
  g_auto (Operation) operation;
  GWeakRef alive;

  operation_init (&operation, NULL);
  task = tasker_task_new_for_gtask (operation.gtask);
  g_weak_ref_init (&alive, task);
  g_object_unref (task);
  g_assert_true (tasker_test_is_alive (&alive));

  operation_succeed (&operation);
  tasker_test_iterate_until (!tasker_test_is_alive (&alive));
  g_assert_cmpuint (operation.n_called, ==, 1);
  g_weak_ref_clear (&alive);
}

/* The cancellable of the operation is not the group's to cancel; so the join
 * waits for an operation that does not hear the stop. */
static void
test_stop_deaf (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) own = g_cancellable_new ();
  g_autoptr (TaskerTask) task = NULL;
  g_auto (Operation) operation;

  operation_init (&operation, own);
  task = add (group, &operation);
  wait_running (task);
  tasker_group_stop (group);
  tasker_test_iterate ();
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_false (g_cancellable_is_cancelled (own));
  g_assert_false (tasker_task_is_finished (task));

  g_thread_unref (g_thread_new ("succeed", succeed_thread, &operation));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (operation.ok);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
return_cancelled (GCancellable *cancellable,
                  gpointer      operation)
{
  GTask *gtask = g_steal_pointer (&((Operation *) operation)->gtask);

  g_task_return_new_error (gtask, G_IO_ERROR, G_IO_ERROR_CANCELLED, "operation was cancelled");
  g_object_unref (gtask);
}

/* It has a stopper of the group for its cancellable; or the caller cancels it
 * himself. */
static void
test_stop_heard (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (TaskerTask) task = NULL;
      g_auto (Operation) operation;

      operation_init (&operation, G_CANCELLABLE (stopper));
      g_signal_connect (stopper, "cancelled", G_CALLBACK (return_cancelled), &operation);
      task = add (group, &operation);
      wait_running (task);
      if (i == 0)
        tasker_group_stop (group);
      else
        g_cancellable_cancel (G_CANCELLABLE (stopper));

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_error (operation.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
    }
}

/* What is under way is waited for, also where the task was still queued. */
static void
test_stop_queued (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) first = NULL;
  g_autoptr (TaskerTask) second = NULL;
  g_auto (Operation) one;
  g_auto (Operation) two;

  tasker_group_set_max_running (group, 1);
  operation_init (&one, NULL);
  operation_init (&two, NULL);
  first = add (group, &one);
  second = add (group, &two);
  wait_running (first);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_QUEUED);

  tasker_group_stop (group);
  operation_succeed (&one);
  wait_running (second);
  g_assert_true (tasker_task_is_finished (first));
  operation_fail (&two);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
}

/* The task has ended, the operation goes on by itself. */
static void
test_abort (void)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      g_auto (Operation) operation;

      operation_init (&operation, NULL);
      task = add (group, &operation);
      if (i % 2 == 0)
        wait_running (task);
      if (i < 2)
        tasker_group_abort (group);
      else
        g_assert_true (tasker_task_abort (task));
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);

      g_assert_cmpuint (operation.n_called, ==, 0);
      operation_succeed (&operation);
      tasker_test_iterate_until (operation.n_called == 1);
      g_assert_true (operation.ok);
      tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
    }
}

/* Its home is where the GTask completes, not where the task is added. The
 * context is nobody's: the join runs it, and then it is gone. */
static void
test_orphaned_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GMainContext *context = g_main_context_new ();
  g_autoptr (TaskerTask) task = NULL;
  g_auto (Operation) operation;

  g_main_context_push_thread_default (context);
  operation_init (&operation, NULL);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  task = add (group, &operation);
  operation_succeed (&operation);
  tasker_test_iterate ();
  g_assert_cmpuint (operation.n_called, ==, 0);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpuint (operation.n_called, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Returned by one thread, stopped or aborted by another. */
static gpointer
end_thread (gpointer group)
{
  if (g_random_boolean ())
    tasker_group_stop (group);
  else
    tasker_group_abort (group);
  return NULL;
}

static void
test_race (void)
{
  tasker_test_lose_gtasks ();

  for (guint i = 0; i < tasker_test_rounds (2000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerTask) task = NULL;
      g_auto (Operation) operation;
      GThread *returner;
      GThread *ender;

      operation_init (&operation, NULL);
      if (i % 2 == 0)
        task = add (group, &operation);
      else
        task = tasker_task_new_for_gtask (operation.gtask);
      returner = g_thread_new ("return", i % 5 == 0 ? drop_thread : succeed_thread, &operation);
      ender = g_thread_new ("end", end_thread, group);
      if (i % 2 == 1)
        tasker_group_add (group, task);
      g_assert_true (tasker_group_join (group, NULL, NULL) || i % 5 == 0);
      g_thread_join (returner);
      g_thread_join (ender);
      tasker_test_assert_equation (group);
      tasker_test_iterate_until (operation.n_called == (i % 5 == 0 ? 0 : 1));
    }
}

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_auto (Operation) operation;

  tasker_test_critical ("*G_IS_TASK*", g_assert_null (tasker_task_new_for_gtask (NULL)));

  /* It is not its owner who completes it. */
  operation_init (&operation, NULL);
  task = add (group, &operation);
  tasker_test_critical ("*is_completable*", tasker_task_complete (task));
  operation_succeed (&operation);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/for-gtask/succeeded", test_succeeded);
  tasker_test_add ("/for-gtask/failed", test_failed);
  tasker_test_add ("/for-gtask/over-before", test_over_before);
  tasker_test_add ("/for-gtask/in-callback", test_in_callback);
  tasker_test_add ("/for-gtask/dropped", test_dropped);
  tasker_test_add ("/for-gtask/never-added", test_never_added);
  tasker_test_add ("/for-gtask/stop-deaf", test_stop_deaf);
  tasker_test_add ("/for-gtask/stop-heard", test_stop_heard);
  tasker_test_add ("/for-gtask/stop-queued", test_stop_queued);
  tasker_test_add ("/for-gtask/abort", test_abort);
  tasker_test_add ("/for-gtask/orphaned-context", test_orphaned_context);
  tasker_test_add ("/for-gtask/race", test_race);
  tasker_test_add ("/for-gtask/bad-input", test_bad_input);

  return g_test_run ();
}
