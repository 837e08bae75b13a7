/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for an operation that takes no cancellable, unless the stop comes
 * first. */

#include "tasker-test.h"

/* An operation that takes no cancellable, and what came of waiting for it. */
typedef struct
{
  GTask       *task;     /* owned, until it has returned */
  GWeakRef     alive;    /* the same */
  GThread     *thread;   /* that must be called back */
  int          n_freed;  /* atomic: how often the result was */
  guint        n_called;
  gpointer     value;    /* what the operation's finish function returned */
  GError      *error;
} Operation;

static void
free_value (gpointer value)
{
  g_atomic_int_inc (&((Operation *) value)->n_freed);
}

static void
on_done (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Operation *operation = user_data;
  g_autoptr (GAsyncResult) inner = NULL;

  g_assert_true (g_thread_self () == operation->thread);
  g_assert_null (source);
  operation->n_called++;
  inner = tasker_unless_finish (result, &operation->error);
  g_assert_true ((inner != NULL) == (operation->error == NULL));
  if (inner != NULL)
    operation->value = g_task_propagate_pointer (G_TASK (inner), &operation->error);
}

static void
operation_init (Operation    *self,
                GCancellable *stopper)
{
  *self = (Operation) { .thread = g_thread_self () };
  self->task = g_task_new (NULL, NULL, tasker_unless_ready,
                           tasker_unless_begin (stopper, on_done, self));
  g_weak_ref_init (&self->alive, self->task);
}

static void
operation_return (Operation *self)
{
  GTask *task = g_steal_pointer (&self->task);

  g_task_return_pointer (task, self, free_value);
  g_object_unref (task);
}

static gpointer
return_thread (gpointer operation)
{
  operation_return (operation);
  return NULL;
}

static void
operation_clear (Operation *self)
{
  g_assert_cmpuint (self->n_called, ==, 1);
  g_assert_null (self->task);
  g_assert_false (tasker_test_is_alive (&self->alive));
  g_weak_ref_clear (&self->alive);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Operation, operation_clear)

/* The result was handed on, and is the callback's. */
static void
assert_ready (Operation *self)
{
  g_assert_no_error (self->error);
  g_assert_true (self->value == self);
  g_assert_cmpint (g_atomic_int_get (&self->n_freed), ==, 0);
}

/* Nobody got the result, so its destroy notify has freed it. */
static void
assert_stopped (Operation *self)
{
  g_assert_error (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (self->value);
  g_assert_cmpint (g_atomic_int_get (&self->n_freed), ==, 1);
}

static void
test_ready (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_auto (Operation) operation;

  operation_init (&operation, G_CANCELLABLE (stopper));
  operation_return (&operation);
  g_assert_cmpuint (operation.n_called, ==, 0);
  tasker_test_iterate_until (operation.n_called > 0);
  assert_ready (&operation);

  /* The stop is too late to matter. */
  tasker_group_stop (group);
  tasker_test_iterate ();
  assert_ready (&operation);
}

static void
test_no_stopper (void)
{
  g_auto (Operation) operation;

  operation_init (&operation, NULL);
  operation_return (&operation);
  tasker_test_iterate_until (operation.n_called > 0);
  assert_ready (&operation);
}

static void
fail (GTask *task)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_EXISTS, "operation failed");
  g_object_unref (task);
}

/* Its own error comes out of its own finish function. */
static void
test_failed (void)
{
  g_autoptr (GCancellable) stopper = g_cancellable_new ();
  g_auto (Operation) operation;

  operation_init (&operation, stopper);
  fail (g_steal_pointer (&operation.task));
  tasker_test_iterate_until (operation.n_called > 0);
  g_assert_error (operation.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
}

static void
test_stopped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_auto (Operation) operation;

  operation_init (&operation, G_CANCELLABLE (stopper));
  tasker_test_iterate ();
  g_assert_cmpuint (operation.n_called, ==, 0);

  tasker_group_stop (group);
  tasker_test_iterate_until (operation.n_called > 0);
  g_assert_error (operation.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* The operation was not interrupted; its late result is let go. */
  g_assert_true (tasker_test_is_alive (&operation.alive));
  g_assert_cmpint (operation.n_freed, ==, 0);
  operation_return (&operation);
  tasker_test_iterate_until (!tasker_test_is_alive (&operation.alive));
  assert_stopped (&operation);
}

/* The result comes in another thread, and has nobody to go to. */
static void
test_late_elsewhere (void)
{
  g_autoptr (GCancellable) stopper = g_cancellable_new ();
  g_autoptr (GMainContext) other = g_main_context_new ();
  g_auto (Operation) operation = { .thread = g_thread_self () };
  gpointer unless = tasker_unless_begin (stopper, on_done, &operation);

  g_main_context_push_thread_default (other);
  operation.task = g_task_new (NULL, NULL, tasker_unless_ready, unless);
  g_weak_ref_init (&operation.alive, operation.task);
  g_main_context_pop_thread_default (other);

  g_cancellable_cancel (stopper);
  tasker_test_iterate_until (operation.n_called > 0);
  g_thread_join (g_thread_new ("return", return_thread, &operation));
  while (g_main_context_iteration (other, FALSE));
  assert_stopped (&operation);
}

/* The callback comes in the context of the beginning, wherever the operation
 * ends. */
static void
test_ready_elsewhere (void)
{
  g_autoptr (GCancellable) stopper = g_cancellable_new ();
  g_autoptr (GMainContext) other = g_main_context_new ();
  g_auto (Operation) operation = { .thread = g_thread_self () };
  gpointer unless;

  g_main_context_push_thread_default (other);
  unless = tasker_unless_begin (stopper, on_done, &operation);
  g_main_context_pop_thread_default (other);
  operation.task = g_task_new (NULL, NULL, tasker_unless_ready, unless);
  g_weak_ref_init (&operation.alive, operation.task);

  operation_return (&operation);
  tasker_test_iterate ();
  g_assert_cmpuint (operation.n_called, ==, 0);
  while (g_main_context_iteration (other, FALSE));
  assert_ready (&operation);
}

static void
test_stopped_before (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_auto (Operation) operation;

  tasker_group_stop (group);
  operation_init (&operation, G_CANCELLABLE (stopper));
  g_assert_cmpuint (operation.n_called, ==, 0);
  operation_return (&operation);
  tasker_test_iterate_until (operation.n_called > 0 && !tasker_test_is_alive (&operation.alive));
  assert_stopped (&operation);
}

/* Both were made ready before one iteration: the stop wins, whichever was first,
 * and whichever source the loop looks at first. */
static void
test_stop_wins (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_auto (Operation) operation;

      operation_init (&operation, G_CANCELLABLE (stopper));
      if (i % 3 == 0)
        g_task_set_priority (operation.task, G_PRIORITY_HIGH);
      if (i % 3 == 1)
        g_task_set_priority (operation.task, G_PRIORITY_LOW);
      /* For a GTask to return at once, not in another iteration. */
      tasker_test_iterate ();

      if (i % 2 == 0)
        operation_return (&operation);
      tasker_group_stop (group);
      if (i % 2 == 1)
        operation_return (&operation);

      tasker_test_iterate_until (operation.n_called > 0 && !tasker_test_is_alive (&operation.alive));
      assert_stopped (&operation);
    }
}

/* The result is on its way to the callback already. */
static void
test_stop_wins_at_last (void)
{
  g_autoptr (GCancellable) stopper = g_cancellable_new ();
  g_auto (Operation) operation = { .thread = g_thread_self () };
  gpointer unless = tasker_unless_begin (stopper, on_done, &operation);

  operation.task = g_task_new (NULL, NULL, NULL, NULL);
  g_weak_ref_init (&operation.alive, operation.task);
  g_task_return_pointer (operation.task, &operation, free_value);
  tasker_unless_ready (NULL, G_ASYNC_RESULT (operation.task), unless);
  g_clear_object (&operation.task);
  g_assert_cmpuint (operation.n_called, ==, 0);

  g_cancellable_cancel (stopper);
  tasker_test_iterate_until (operation.n_called > 0);
  assert_stopped (&operation);
}

static gpointer
stop_thread (gpointer group)
{
  tasker_group_stop (group);
  return NULL;
}

/* Stop and result from two threads: one callback, and the result is handed on
 * or freed. */
static void
test_race (void)
{
  for (guint i = 0; i < tasker_test_rounds (2000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_auto (Operation) operation;
      GThread *returner;
      GThread *stopping;

      operation_init (&operation, G_CANCELLABLE (stopper));
      returner = g_thread_new ("return", return_thread, &operation);
      stopping = g_thread_new ("stop", stop_thread, group);
      tasker_test_iterate_until (operation.n_called > 0 && !tasker_test_is_alive (&operation.alive));
      g_thread_join (returner);
      g_thread_join (stopping);

      if (operation.error == NULL)
        assert_ready (&operation);
      else
        assert_stopped (&operation);
    }
}

static void
test_no_callback (void)
{
  g_autoptr (GCancellable) stopper = g_cancellable_new ();
  Operation operation = { .n_freed = 0 };
  g_autoptr (GTask) task = NULL;

  task = g_task_new (NULL, NULL, tasker_unless_ready, tasker_unless_begin (stopper, NULL, NULL));
  g_task_return_pointer (task, &operation, free_value);
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  g_object_unref (task);
  tasker_test_iterate_until (task == NULL);
  g_assert_cmpint (operation.n_freed, ==, 1);
}

static void
test_bad_input (void)
{
  g_autoptr (GTask) other = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);

  tasker_test_critical ("*G_IS_CANCELLABLE*",
                        g_assert_null (tasker_unless_begin ((GCancellable *) object, on_done, NULL)));
  tasker_test_critical ("*unless != NULL*",
                        tasker_unless_ready (NULL, G_ASYNC_RESULT (other), NULL));
  tasker_test_critical ("*is_tagged*",
                        g_assert_null (tasker_unless_finish (G_ASYNC_RESULT (other), NULL)));
  g_task_return_boolean (other, TRUE);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/unless/ready", test_ready);
  tasker_test_add ("/unless/no-stopper", test_no_stopper);
  tasker_test_add ("/unless/failed", test_failed);
  tasker_test_add ("/unless/stopped", test_stopped);
  tasker_test_add ("/unless/late-elsewhere", test_late_elsewhere);
  tasker_test_add ("/unless/ready-elsewhere", test_ready_elsewhere);
  tasker_test_add ("/unless/stopped-before", test_stopped_before);
  tasker_test_add ("/unless/stop-wins", test_stop_wins);
  tasker_test_add ("/unless/stop-wins-at-last", test_stop_wins_at_last);
  tasker_test_add ("/unless/race", test_race);
  tasker_test_add ("/unless/no-callback", test_no_callback);
  tasker_test_add ("/unless/bad-input", test_bad_input);

  return g_test_run ();
}
