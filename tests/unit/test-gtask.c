/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_group_run_in_thread(): the caller's GTask keeps all that it has
 * under g_task_run_in_thread(), and the group counts, stops and joins it. */

#include "tasker-test.h"

/* An asynchronous operation: its GTask, and what its callback was called with. */
typedef struct
{
  GCancellable *cancellable;     /* owned, nullable */
  gpointer      data;            /* what its function works with */
  gboolean      has_no_callback;
  TaskerGroup  *group;           /* to look at in the callback, or %NULL */

  GTask        *task;            /* owned, until it is let go and from the callback on */
  GWeakRef      ghost;           /* the GTask that was let go */
  int           n_begun;         /* calls of its function, where that counts them */
  int           n_calls;         /* of the callback */
  GObject      *source;
  GThread      *thread;
  guint         n_live;          /* in the group */
} Operation;

static void
operation_done (GObject      *source,
                GAsyncResult *result,
                gpointer      data)
{
  Operation *self = data;

  self->source = source;
  self->thread = g_thread_self ();
  g_set_object (&self->task, G_TASK (result));
  if (self->group != NULL)
    self->n_live = tasker_group_get_n_tasks (self->group);
  g_atomic_int_inc (&self->n_calls);
}

/* Makes the GTask first, so that something can be set in it. */
static GTask *
operation_make (Operation *self)
{
  g_assert_null (self->task);
  self->task = g_task_new (NULL, self->cancellable,
                           self->has_no_callback ? NULL : operation_done, self);
  g_task_set_task_data (self->task, self, NULL);

  return self->task;
}

static void
operation_run (Operation       *self,
               TaskerGroup     *group,
               GTaskThreadFunc  func)
{
  if (self->task == NULL)
    operation_make (self);
  tasker_group_run_in_thread (group, self->task, func);
}

/* For a function that counts its calls. */
static void
operation_begin (Operation       *self,
                 TaskerGroup     *group,
                 GTaskThreadFunc  func)
{
  operation_run (self, group, func);
  tasker_test_wait_for (g_atomic_int_get (&self->n_begun) == 1);
}

static void
operation_run_and_wait (Operation       *self,
                        TaskerGroup     *group,
                        GTaskThreadFunc  func)
{
  GTask *task = operation_make (self);

  operation_run (self, group, func);
  tasker_test_iterate_until (g_atomic_int_get (&self->n_calls) > 0);
  g_assert_true (self->task == task);
  g_assert_true (self->thread == g_thread_self ());
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_test_iterate ();
  g_assert_cmpint (self->n_calls, ==, 1);
}

/* From now on, only others hold the GTask. */
static void
operation_let_go (Operation *self)
{
  g_weak_ref_set (&self->ghost, self->task);
  g_clear_object (&self->task);
}

static void
operation_assert_value (Operation *self,
                        gboolean   value)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_task_propagate_boolean (self->task, &error), ==, value);
  g_assert_no_error (error);
}

static void
operation_assert_error (Operation    *self,
                        GIOErrorEnum  code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_task_propagate_boolean (self->task, &error));
  g_assert_error (error, G_IO_ERROR, (int) code);
}

static void
operation_clear (Operation *self)
{
  g_clear_object (&self->cancellable);
  g_clear_object (&self->task);
  g_weak_ref_clear (&self->ghost);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Operation, operation_clear)

/* Functions of tasks */

static void
return_true (GTask        *task,
             gpointer      source_object,
             gpointer      task_data,
             GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void
return_false (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  g_task_return_boolean (task, FALSE);
}

static void
return_pointer (GTask        *task,
                gpointer      source_object,
                gpointer      task_data,
                GCancellable *cancellable)
{
  Operation *operation = task_data;

  g_task_return_pointer (task, tasker_test_ledger_entry (operation->data, NULL, NULL),
                         tasker_test_entry_free);
}

static void
return_int (GTask        *task,
            gpointer      source_object,
            gpointer      task_data,
            GCancellable *cancellable)
{
  g_task_return_int (task, -42);
}

static void
return_value (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, "forty-two");
  g_task_return_value (task, &value);
  g_value_unset (&value);
}

static void
return_error (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  g_task_return_error (task, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full"));
}

static void
return_new_error (GTask        *task,
                  gpointer      source_object,
                  gpointer      task_data,
                  GCancellable *cancellable)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no %s", "such");
}

static void
return_if_cancelled (GTask        *task,
                     gpointer      source_object,
                     gpointer      task_data,
                     GCancellable *cancellable)
{
  tasker_stopper_wait (TASKER_STOPPER (cancellable));
  g_assert_true (g_task_return_error_if_cancelled (task));
}

/* Obeys, and says so in the way of GIO. */
static void
return_when_stopped (GTask        *task,
                     gpointer      source_object,
                     gpointer      task_data,
                     GCancellable *cancellable)
{
  Operation *operation = task_data;
  GError *error = NULL;

  g_atomic_int_inc (&operation->n_begun);
  tasker_stopper_wait (TASKER_STOPPER (cancellable));
  g_assert_true (g_cancellable_set_error_if_cancelled (cancellable, &error));
  g_task_return_error (task, error);
}

/* Obeys, but has done what it was for. */
static void
return_true_when_stopped (GTask        *task,
                          gpointer      source_object,
                          gpointer      task_data,
                          GCancellable *cancellable)
{
  Operation *operation = task_data;

  g_atomic_int_inc (&operation->n_begun);
  tasker_stopper_wait (TASKER_STOPPER (cancellable));
  g_task_return_boolean (task, TRUE);
}

static void
return_nothing (GTask        *task,
                gpointer      source_object,
                gpointer      task_data,
                GCancellable *cancellable)
{
}

static void
count_and_return (GTask        *task,
                  gpointer      source_object,
                  gpointer      task_data,
                  GCancellable *cancellable)
{
  Operation *operation = task_data;

  g_atomic_int_inc (&operation->n_begun);
  g_task_return_boolean (task, TRUE);
}

/* What a function may return */

static void
test_return_boolean (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) yes = { .n_calls = 0 };
  g_auto (Operation) no = { .n_calls = 0 };

  operation_run_and_wait (&yes, group, return_true);
  operation_assert_value (&yes, TRUE);

  /* FALSE is a value, not a failure. */
  operation_run_and_wait (&no, group, return_false);
  operation_assert_value (&no, FALSE);

  tasker_test_assert_join (group, 2, 0, 0);
}

static void
test_return_pointer (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestLedger *ledger = tasker_test_ledger_new (2);
  g_autoptr (GError) error = NULL;
  g_auto (Operation) taken = { .data = ledger };
  g_auto (Operation) left = { .data = ledger };
  gpointer pointer;

  operation_run_and_wait (&taken, group, return_pointer);
  pointer = g_task_propagate_pointer (taken.task, &error);
  g_assert_no_error (error);
  g_assert_nonnull (pointer);
  operation_let_go (&taken);
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);
  tasker_test_entry_free (pointer);

  /* One that nobody takes is freed with the GTask, wherever that ends. */
  operation_run_and_wait (&left, group, return_pointer);
  operation_let_go (&left);
  tasker_test_assert_join (group, 2, 0, 0);
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 2);

  tasker_test_ledger_close (ledger, 2, 0);
}

static void
test_return_int (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };
  g_autoptr (GError) error = NULL;

  operation_run_and_wait (&operation, group, return_int);
  g_assert_cmpint (g_task_propagate_int (operation.task, &error), ==, -42);
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_return_value (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  operation_run_and_wait (&operation, group, return_value);
  g_assert_true (g_task_propagate_value (operation.task, &value, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (g_value_get_string (&value), ==, "forty-two");
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_return_error (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) first = { .n_calls = 0 };
  g_auto (Operation) second = { .n_calls = 0 };
  g_autoptr (GError) error = NULL;

  operation_run_and_wait (&first, group, return_error);
  g_assert_true (g_task_had_error (first.task));
  operation_assert_error (&first, G_IO_ERROR_NO_SPACE);

  operation_run_and_wait (&second, group, return_new_error);
  g_assert_false (g_task_propagate_boolean (second.task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "no such");
  g_clear_error (&error);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_nonnull (error);
  tasker_test_assert_counts (group, 2, 0, 0, 2, 0, 0);
}

static void
test_return_error_if_cancelled (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .cancellable = g_cancellable_new () };

  operation_run (&operation, group, return_if_cancelled);
  g_cancellable_cancel (operation.cancellable);

  tasker_test_iterate_until (operation.n_calls == 1);
  operation_assert_error (&operation, G_IO_ERROR_CANCELLED);

  /* It was asked to end and did: no failure of the group's. */
  tasker_test_assert_join (group, 0, 1, 0);
}

/* No value at all: the task has ended when the GTask is gone. */
static void
test_return_nothing (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };
  g_autoptr (GError) error = NULL;

  tasker_test_lose_gtasks ();
  g_task_set_name (operation_make (&operation), "silent");
  operation_run (&operation, group, return_nothing);

  /* While somebody holds it, it may yet be returned. */
  g_usleep (30 * 1000);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);

  operation_let_go (&operation);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
  g_assert_nonnull (g_strstr_len (error->message, -1, "silent"));
  g_assert_false (tasker_test_is_alive (&operation.ghost));
  g_assert_cmpint (operation.n_calls, ==, 0);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* Nobody holds it but the group. */
static void
test_return_nothing_unheld (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .has_no_callback = TRUE };
  g_autoptr (GError) error = NULL;

  tasker_test_lose_gtasks ();
  operation_run (&operation, group, return_nothing);
  operation_let_go (&operation);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
hand_over (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  Operation *operation = task_data;

  g_atomic_pointer_set (&operation->data, g_object_ref (task));
}

static gpointer
return_later_thread (gpointer data)
{
  g_autoptr (GTask) task = data;

  g_usleep (20 * 1000);
  g_task_return_int (task, 7);

  return NULL;
}

/* The function is over, but its GTask is not. */
static void
test_handed_over (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  operation_run (&operation, group, hand_over);
  tasker_test_wait_for (g_atomic_pointer_get (&operation.data) != NULL);

  g_usleep (20 * 1000);
  tasker_test_iterate ();
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  thread = g_thread_new ("later", return_later_thread, operation.data);
  tasker_test_iterate_until (operation.n_calls == 1);
  g_thread_join (thread);
  g_assert_cmpint (g_task_propagate_int (operation.task, &error), ==, 7);
  g_assert_no_error (error);

  tasker_test_assert_join (group, 1, 0, 0);
}

typedef struct
{
  TaskerTestGate gate;
  int            is_ended;
} EarlyReturn;

static void
return_early (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  EarlyReturn *early = ((Operation *) task_data)->data;

  g_task_return_boolean (task, TRUE);
  tasker_test_pass_gate (&early->gate, cancellable, NULL);
  g_atomic_int_set (&early->is_ended, TRUE);
}

/* The GTask is over, but the function is not. */
static void
test_returned_early (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  EarlyReturn early = { .is_ended = FALSE };
  g_auto (Operation) operation = { .data = &early };

  tasker_test_gate_init (&early.gate);
  operation_run (&operation, group, return_early);

  tasker_test_iterate_until (operation.n_calls == 1);
  operation_assert_value (&operation, TRUE);
  tasker_test_gate_await (&early.gate, 1);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&early.gate);
  tasker_test_assert_join (group, 1, 0, 0);
  g_assert_true (g_atomic_int_get (&early.is_ended));
  tasker_test_gate_clear (&early.gate);
}

/* What a GTask may lack */

static void
test_no_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .has_no_callback = TRUE };

  operation_run (&operation, group, count_and_return);
  operation_let_go (&operation);

  tasker_test_assert_join (group, 1, 0, 0);
  g_assert_cmpint (operation.n_begun, ==, 1);
  tasker_test_iterate_until (!tasker_test_is_alive (&operation.ghost));
}

static void
look_at_arguments (GTask        *task,
                   gpointer      source_object,
                   gpointer      task_data,
                   GCancellable *cancellable)
{
  g_assert_true (source_object == g_task_get_source_object (task));
  g_assert_true (task_data == g_task_get_task_data (task));
  g_assert_true (TASKER_IS_STOPPER (cancellable));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_task_return_boolean (task, TRUE);
}

static void
test_source_object (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GObject *source = g_object_new (G_TYPE_OBJECT, NULL);
  g_auto (Operation) with = { .n_calls = 0 };
  g_auto (Operation) without = { .n_calls = 0 };

  with.task = g_task_new (source, NULL, operation_done, &with);
  g_task_set_task_data (with.task, &with, NULL);
  operation_run (&with, group, look_at_arguments);
  operation_let_go (&with);
  without.task = g_task_new (NULL, NULL, operation_done, &without);
  operation_run (&without, group, look_at_arguments);
  operation_let_go (&without);

  tasker_test_assert_join (group, 2, 0, 0);
  g_assert_cmpint (with.n_calls, ==, 1);
  g_assert_cmpint (without.n_calls, ==, 1);
  g_assert_true (with.source == source);
  g_assert_null (without.source);

  /* Nothing is kept. */
  g_clear_object (&with.task);
  g_object_add_weak_pointer (source, (gpointer *) &source);
  g_object_unref (source);
  tasker_test_iterate_until (source == NULL);
}

/* Stopping */

static void
test_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) obeys = { .n_calls = 0 };
  g_auto (Operation) late = { .n_calls = 0 };

  operation_begin (&obeys, group, return_when_stopped);
  tasker_group_stop (group);
  tasker_test_iterate_until (obeys.n_calls == 1);
  operation_assert_error (&obeys, G_IO_ERROR_CANCELLED);

  /* After the stop it is returned, as cancelled, without being run. */
  operation_run (&late, group, count_and_return);
  g_assert_cmpint (late.n_calls, ==, 0);
  tasker_test_iterate_until (late.n_calls == 1);
  operation_assert_error (&late, G_IO_ERROR_CANCELLED);

  tasker_test_assert_join (group, 0, 2, 0);
  g_assert_cmpint (late.n_begun, ==, 0);
}

static void
test_completes_after_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };

  operation_begin (&operation, group, return_true_when_stopped);
  tasker_group_stop (group);

  tasker_test_assert_join (group, 1, 0, 0);
  operation_assert_value (&operation, TRUE);
}

/* Ends as @n_stopped or @n_aborted what waits behind a busy task. */
static void
end_before_it_ran (gboolean (*end) (TaskerGroup *group),
                   guint      n_stopped,
                   guint      n_aborted)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, group);
  operation_run (&operation, group, count_and_return);
  end (group);

  /* The busy one does not have to end first. */
  tasker_test_iterate_until (operation.n_calls == 1);
  operation_assert_error (&operation, G_IO_ERROR_CANCELLED);

  tasker_test_gate_open (&gate);
  tasker_test_assert_join (group, 1, n_stopped, n_aborted);
  g_assert_cmpint (operation.n_begun, ==, 0);
  g_assert_cmpint (operation.n_calls, ==, 1);
  tasker_test_gate_clear (&gate);
}

static void
test_stopped_before_it_ran (void)
{
  end_before_it_ran (tasker_group_stop, 1, 0);
}

static void
test_aborted_before_it_ran (void)
{
  end_before_it_ran (tasker_group_abort, 0, 1);
}

/* No callback that could be called: it must end all the same. */
static void
test_stopped_without_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .has_no_callback = TRUE };

  tasker_group_stop (group);
  operation_run (&operation, group, return_true);
  operation_let_go (&operation);

  tasker_test_assert_join (group, 0, 1, 0);
  tasker_test_iterate_until (!tasker_test_is_alive (&operation.ghost));
}

static void
test_abort_running (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .n_calls = 0 };

  operation_begin (&operation, group, return_when_stopped);
  tasker_group_abort (group);

  tasker_test_assert_join (group, 0, 0, 1);
  g_assert_cmpint (operation.n_calls, ==, 1);
  operation_assert_error (&operation, G_IO_ERROR_CANCELLED);
}

/* The caller's cancellable */

static void
count_cancelled (GCancellable *cancellable,
                 gpointer      data)
{
  g_atomic_int_inc ((int *) data);
}

/* Others use it too: the group listens to it and does nothing else. */
static void
test_shared_cancellable (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GCancellable *shared = g_cancellable_new ();
  g_auto (Operation) running = { .cancellable = g_object_ref (shared), .has_no_callback = TRUE };
  g_auto (Operation) queued = { .cancellable = g_object_ref (shared), .has_no_callback = TRUE };
  int n_cancelled = 0;
  guint signal_id = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);
  gulong handler;

  handler = g_signal_connect (shared, "cancelled", G_CALLBACK (count_cancelled), &n_cancelled);
  tasker_group_set_max_running (group, 1);
  operation_begin (&running, group, return_when_stopped);
  operation_let_go (&running);
  operation_run (&queued, group, return_true);
  operation_let_go (&queued);

  tasker_group_stop (group);
  tasker_group_abort (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_false (g_cancellable_is_cancelled (shared));
  g_assert_cmpint (n_cancelled, ==, 0);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
  tasker_test_assert_equation (group);

  /* Nor does it hold on to it, or listen for ever. */
  g_signal_handler_disconnect (shared, handler);
  g_assert_false (g_signal_has_handler_pending (shared, signal_id, 0, TRUE));
  g_clear_object (&running.cancellable);
  g_clear_object (&queued.cancellable);
  g_object_add_weak_pointer (G_OBJECT (shared), (gpointer *) &shared);
  g_object_unref (shared);
  tasker_test_iterate_until (shared == NULL);
}

static void
test_own_cancellable (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .cancellable = g_cancellable_new () };

  operation_begin (&operation, group, return_when_stopped);
  tasker_group_spawn (group, "other", tasker_test_succeed, NULL, NULL);
  g_assert_cmpint (operation.n_calls, ==, 0);

  g_cancellable_cancel (operation.cancellable);
  tasker_test_assert_join (group, 1, 1, 0);
  g_assert_false (tasker_group_is_stopped (group));
  g_assert_cmpint (operation.n_calls, ==, 1);
}

/* Cancelled while queued, or long before: no matter what the function would
 * have returned, the caller hears of its own cancellation. */
static void
test_cancelled_before_it_ran (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Operation) queued = { .cancellable = g_object_ref (cancellable) };
  g_auto (Operation) late = { .cancellable = g_object_ref (cancellable) };
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, group);
  operation_run (&queued, group, return_true);
  g_cancellable_cancel (cancellable);
  operation_run (&late, group, return_true);
  tasker_test_gate_open (&gate);

  tasker_test_assert_join (group, 1, 2, 0);
  g_assert_cmpint (queued.n_calls, ==, 1);
  g_assert_cmpint (late.n_calls, ==, 1);
  operation_assert_error (&queued, G_IO_ERROR_CANCELLED);
  operation_assert_error (&late, G_IO_ERROR_CANCELLED);
  tasker_test_gate_clear (&gate);
}

static void
test_check_cancellable (void)
{
  const gboolean checks[] = { TRUE, FALSE };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_auto (Operation) operation = { .cancellable = g_cancellable_new (),
                                         .has_no_callback = TRUE };

      g_task_set_check_cancellable (operation_make (&operation), checks[i]);
      operation_begin (&operation, group, return_true_when_stopped);
      g_cancellable_cancel (operation.cancellable);
      tasker_test_assert_join (group, !checks[i], checks[i], 0);

      /* With the check, the cancellation overrides the value. */
      if (checks[i])
        operation_assert_error (&operation, G_IO_ERROR_CANCELLED);
      else
        operation_assert_value (&operation, TRUE);
    }
}

/* Cancelled when the function has returned and the GTask has not completed:
 * the caller is told of the cancellation, so it is no failure. */
static void
test_cancelled_after_it_ran (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .cancellable = g_cancellable_new () };

  operation_begin (&operation, group, count_and_return);
  g_usleep (20 * 1000);
  g_cancellable_cancel (operation.cancellable);

  tasker_test_assert_join (group, 0, 1, 0);
  g_assert_cmpint (operation.n_calls, ==, 1);
  operation_assert_error (&operation, G_IO_ERROR_CANCELLED);
}

static gpointer
cancel_thread (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancel_race (void)
{
  guint n_rounds = tasker_test_rounds (500);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (Operation) first = { .cancellable = g_object_ref (cancellable) };
      g_auto (Operation) second = { .cancellable = g_object_ref (cancellable) };
      GThread *thread;

      operation_run (&first, group, return_true);
      operation_let_go (&first);
      thread = g_thread_new ("cancel", cancel_thread, cancellable);
      operation_run (&second, group, return_true);
      operation_let_go (&second);

      if (i % 3 == 0)
        tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_thread_join (thread);

      g_assert_cmpint (first.n_calls, ==, 1);
      g_assert_cmpint (second.n_calls, ==, 1);
      g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
      tasker_test_assert_equation (group);
    }
}

/* Name, priority, context */

static void
test_name (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .has_no_callback = TRUE };
  g_autoptr (GPtrArray) results = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *dump = NULL;

  operation_make (&operation);
  g_task_set_name (operation.task, "spelunking");
  g_task_set_priority (operation.task, 17);
  operation_begin (&operation, group, return_when_stopped);
  dump = tasker_group_dump (group);
  g_assert_nonnull (g_strstr_len (dump, -1, "spelunking"));

  tasker_group_stop (group);
  results = tasker_group_collect (group, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (results->len, ==, 1);
  g_assert_cmpstr (tasker_task_get_name (results->pdata[0]), ==, "spelunking");
  g_assert_cmpint (tasker_task_get_priority (results->pdata[0]), ==, 17);
  g_assert_cmpint (tasker_task_get_state (results->pdata[0]), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static void
note_order (GTask        *task,
            gpointer      source_object,
            gpointer      task_data,
            GCancellable *cancellable)
{
  GString *order = task_data;

  g_string_append (order, g_task_get_name (task));
  g_task_return_boolean (task, TRUE);
}

static void
run_noting_order (TaskerGroup *group,
                  const char  *name,
                  int          priority,
                  GString     *order)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_set_name (task, name);
  g_task_set_priority (task, priority);
  g_task_set_task_data (task, order, NULL);
  tasker_group_run_in_thread (group, task, note_order);
}

static void
test_priority (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GString) order = g_string_new (NULL);
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, group);
  run_noting_order (group, "e", G_PRIORITY_LOW, order);
  run_noting_order (group, "c", G_PRIORITY_DEFAULT, order);
  run_noting_order (group, "a", G_PRIORITY_HIGH, order);
  run_noting_order (group, "d", G_PRIORITY_DEFAULT, order);
  run_noting_order (group, "b", G_PRIORITY_HIGH, order);
  tasker_test_gate_open (&gate);

  tasker_test_assert_join (group, 6, 0, 0);
  g_assert_cmpstr (order->str, ==, "abcde");
  tasker_test_gate_clear (&gate);
}

static void
look_at_current (GTask        *task,
                 gpointer      source_object,
                 gpointer      task_data,
                 GCancellable *cancellable)
{
  g_autoptr (TaskerTask) current = tasker_task_get_current ();

  g_assert_cmpstr (tasker_task_get_name (current), ==, g_task_get_name (task));
  g_assert_cmpint (tasker_task_get_state (current), ==, TASKER_TASK_STATE_RUNNING);
  g_task_return_boolean (task, TRUE);
}

static void
test_current (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .has_no_callback = TRUE };

  g_task_set_name (operation_make (&operation), "me");
  operation_run (&operation, group, look_at_current);
  tasker_test_assert_join (group, 1, 0, 0);
}

static void
test_live_in_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .group = group };

  /* It ends with its completion, which is when the callback has returned. */
  operation_run (&operation, group, return_true);
  tasker_test_iterate_until (operation.n_calls == 1);
  g_assert_cmpuint (operation.n_live, ==, 1);
  tasker_test_assert_join (group, 1, 0, 0);
}

static void
test_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (Operation) operation = { .n_calls = 0 };

  g_main_context_push_thread_default (context);
  operation_make (&operation);
  g_main_context_pop_thread_default (context);
  operation_run (&operation, group, return_true);

  /* Not in whatever context happens to be iterated. */
  g_usleep (20 * 1000);
  tasker_test_iterate ();
  g_assert_cmpint (operation.n_calls, ==, 0);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);

  g_main_context_push_thread_default (context);
  tasker_test_iterate_until (operation.n_calls == 1);
  tasker_test_assert_join (group, 1, 0, 0);
  g_main_context_pop_thread_default (context);
}

/* Joining in the thread whose context the callback needs: it would never be
 * called if the join did not iterate it. */
static void
test_join_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .group = group };

  for (guint i = 0; i < 10; i++)
    {
      operation_run (&operation, group, return_true);
      operation_let_go (&operation);
    }

  tasker_test_assert_join (group, 10, 0, 0);
  g_assert_cmpint (operation.n_calls, ==, 10);
  g_assert_true (operation.thread == g_thread_self ());
}

static gpointer
join_iterates_thread (gpointer data)
{
  g_autoptr (TaskerGroup) group = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (Operation) operation = { .group = group };

  g_main_context_push_thread_default (context);
  operation_run (&operation, group, return_true);
  operation_let_go (&operation);

  tasker_test_assert_join (group, 1, 0, 0);
  g_assert_cmpint (operation.n_calls, ==, 1);
  g_assert_true (operation.thread == g_thread_self ());
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_join_iterates_in_thread (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GThread *thread = g_thread_new ("joiner", join_iterates_thread, g_object_ref (group));

  /* Without a hand from this thread. */
  g_thread_join (thread);
}

static void
test_collect_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .group = group };
  g_autoptr (GPtrArray) results = NULL;
  g_autoptr (GError) error = NULL;

  operation_run (&operation, group, return_true);
  results = tasker_group_collect (group, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (results->len, ==, 1);
  g_assert_cmpint (operation.n_calls, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A context that nobody iterates: whoever joins does it. */
static void
test_join_orphaned_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (Operation) operation = { .group = group };

  g_main_context_push_thread_default (context);
  operation_make (&operation);
  g_main_context_pop_thread_default (context);
  operation_run (&operation, group, return_true);
  operation_let_go (&operation);

  tasker_test_assert_join (group, 1, 0, 0);
  g_assert_cmpint (operation.n_calls, ==, 1);
}

/* Another thread joins, this one has the loop. */
static gpointer
join_thread (gpointer data)
{
  g_assert_true (tasker_group_join (data, NULL, NULL));
  return NULL;
}

static void
test_join_from_thread (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .group = group };
  GThread *thread;

  /* Owned by this thread, so the joiner has to leave it alone. */
  g_assert_true (g_main_context_acquire (NULL));
  operation_run (&operation, group, return_true);
  operation_let_go (&operation);
  thread = g_thread_new ("joiner", join_thread, group);
  tasker_test_iterate_until (operation.n_calls == 1);
  g_thread_join (thread);
  g_main_context_release (NULL);

  g_assert_true (operation.thread == g_thread_self ());
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_join_async (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_auto (Operation) operation = { .group = group };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  operation_run (&operation, group, return_new_error);
  tasker_group_join_async (group, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_cmpint (operation.n_calls, ==, 1);
  g_assert_false (tasker_group_join_finish (group, result, &error));
  g_assert_nonnull (error);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
spawn_more (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  g_autoptr (TaskerGroup) clone = data;

  tasker_group_spawn (clone, "more", tasker_test_succeed, NULL, NULL);
  tasker_test_assert_equation (clone);
}

static void
test_reentrant_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;

  task = g_task_new (NULL, NULL, spawn_more, tasker_group_clone (group));
  tasker_group_run_in_thread (group, task, return_true);
  tasker_test_assert_join (group, 2, 0, 0);
}

/* Bad input */

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GCancellable) other = g_cancellable_new ();

  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_run_in_thread (NULL, task, return_true));
  tasker_test_critical ("*G_IS_TASK*", tasker_group_run_in_thread (group, NULL, return_true));
  tasker_test_critical ("*G_IS_TASK*",
                        tasker_group_run_in_thread (group, (GTask *) other, return_true));
  tasker_test_critical ("*func*", tasker_group_run_in_thread (group, task, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);

  tasker_group_finish (group);
  tasker_test_critical ("*finished*", tasker_group_run_in_thread (group, task, return_true));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);

  tasker_test_iterate ();
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/gtask/return/boolean", test_return_boolean);
  tasker_test_add ("/gtask/return/pointer", test_return_pointer);
  tasker_test_add ("/gtask/return/int", test_return_int);
  tasker_test_add ("/gtask/return/value", test_return_value);
  tasker_test_add ("/gtask/return/error", test_return_error);
  tasker_test_add ("/gtask/return/error-if-cancelled", test_return_error_if_cancelled);
  tasker_test_add ("/gtask/return/nothing", test_return_nothing);
  tasker_test_add ("/gtask/return/nothing-unheld", test_return_nothing_unheld);
  tasker_test_add ("/gtask/return/handed-over", test_handed_over);
  tasker_test_add ("/gtask/return/early", test_returned_early);
  tasker_test_add ("/gtask/no-callback", test_no_callback);
  tasker_test_add ("/gtask/source-object", test_source_object);
  tasker_test_add ("/gtask/stop/running", test_stop);
  tasker_test_add ("/gtask/stop/completes", test_completes_after_stop);
  tasker_test_add ("/gtask/stop/before-it-ran", test_stopped_before_it_ran);
  tasker_test_add ("/gtask/stop/without-callback", test_stopped_without_callback);
  tasker_test_add ("/gtask/abort/before-it-ran", test_aborted_before_it_ran);
  tasker_test_add ("/gtask/abort/running", test_abort_running);
  tasker_test_add ("/gtask/cancellable/shared", test_shared_cancellable);
  tasker_test_add ("/gtask/cancellable/own", test_own_cancellable);
  tasker_test_add ("/gtask/cancellable/before-it-ran", test_cancelled_before_it_ran);
  tasker_test_add ("/gtask/cancellable/after-it-ran", test_cancelled_after_it_ran);
  tasker_test_add ("/gtask/cancellable/check", test_check_cancellable);
  tasker_test_add ("/gtask/cancellable/race", test_cancel_race);
  tasker_test_add ("/gtask/name", test_name);
  tasker_test_add ("/gtask/priority", test_priority);
  tasker_test_add ("/gtask/current", test_current);
  tasker_test_add ("/gtask/context/live-in-callback", test_live_in_callback);
  tasker_test_add ("/gtask/context/own", test_context);
  tasker_test_add ("/gtask/context/join-iterates", test_join_iterates);
  tasker_test_add ("/gtask/context/join-iterates-in-thread", test_join_iterates_in_thread);
  tasker_test_add ("/gtask/context/collect-iterates", test_collect_iterates);
  tasker_test_add ("/gtask/context/join-orphaned-context", test_join_orphaned_context);
  tasker_test_add ("/gtask/context/join-from-thread", test_join_from_thread);
  tasker_test_add ("/gtask/context/join-async", test_join_async);
  tasker_test_add ("/gtask/context/reentrant-callback", test_reentrant_callback);
  tasker_test_add ("/gtask/bad-input", test_bad_input);

  return g_test_run ();
}
