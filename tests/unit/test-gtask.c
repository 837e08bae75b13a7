/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_group_run_in_thread(): the caller's GTask keeps all that it has
 * under g_task_run_in_thread(), and the group counts, stops and joins it. */

#include "tasker-test.h"

#define expect_critical(pattern) \
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, pattern)

/* What a callback was called with. */
typedef struct
{
  GObject     *source;
  GTask       *result;
  GThread     *thread;
  TaskerGroup *group;   /* to look at in the callback */
  guint        n_live;  /* what that saw */
  int          n_calls;
} Call;

static void
note_call (GObject      *source,
           GAsyncResult *result,
           gpointer      data)
{
  Call *call = data;

  call->source = source;
  call->thread = g_thread_self ();
  g_set_object (&call->result, G_TASK (result));
  if (call->group != NULL)
    call->n_live = tasker_group_get_n_tasks (call->group);
  g_atomic_int_inc (&call->n_calls);
}

static void
clear_call (Call *call)
{
  g_clear_object (&call->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Call, clear_call)

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
  g_task_return_pointer (task, tasker_test_ledger_entry (task_data, NULL, NULL),
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
  GError *error = NULL;

  if (task_data != NULL)
    g_atomic_int_inc ((int *) task_data);
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
  g_atomic_int_inc ((int *) task_data);
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
  g_atomic_int_inc ((int *) task_data);
  g_task_return_boolean (task, TRUE);
}

/* Runs @func for a new GTask and iterates until its callback was called. */
static GTask *
run_and_wait (TaskerGroup     *group,
              GTaskThreadFunc  func,
              gpointer         task_data,
              Call            *call)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, note_call, call);

  g_task_set_task_data (task, task_data, NULL);
  tasker_group_run_in_thread (group, task, func);
  tasker_test_iterate_until (g_atomic_int_get (&call->n_calls) > 0);
  g_assert_true (call->result == task);
  g_assert_true (call->thread == g_thread_self ());
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_test_iterate ();
  g_assert_cmpint (call->n_calls, ==, 1);

  return g_steal_pointer (&call->result);
}

/* What a function may return */

static void
test_return_boolean (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) yes = NULL;
  g_autoptr (GTask) no = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) first = { .n_calls = 0 };
  g_auto (Call) second = { .n_calls = 0 };

  yes = run_and_wait (group, return_true, NULL, &first);
  g_assert_true (g_task_propagate_boolean (yes, &error));
  g_assert_no_error (error);

  /* FALSE is a value, not a failure. */
  no = run_and_wait (group, return_false, NULL, &second);
  g_assert_false (g_task_propagate_boolean (no, &error));
  g_assert_no_error (error);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

static void
test_return_pointer (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestLedger *ledger = tasker_test_ledger_new (2);
  g_autoptr (GError) error = NULL;
  g_auto (Call) taken = { .n_calls = 0 };
  g_auto (Call) left = { .n_calls = 0 };
  GTask *task;
  gpointer pointer;

  task = run_and_wait (group, return_pointer, ledger, &taken);
  pointer = g_task_propagate_pointer (task, &error);
  g_assert_no_error (error);
  g_assert_nonnull (pointer);
  g_object_unref (task);
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);
  tasker_test_entry_free (pointer);

  /* One that nobody takes is freed with the GTask, wherever that ends. */
  task = run_and_wait (group, return_pointer, ledger, &left);
  g_object_unref (task);
  g_assert_true (tasker_group_join (group, NULL, &error));
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 2);

  tasker_test_ledger_close (ledger, 2, 0);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

static void
test_return_int (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };

  task = run_and_wait (group, return_int, NULL, &call);
  g_assert_cmpint (g_task_propagate_int (task, &error), ==, -42);
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_return_value (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (Call) call = { .n_calls = 0 };

  task = run_and_wait (group, return_value, NULL, &call);
  g_assert_true (g_task_propagate_value (task, &value, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (g_value_get_string (&value), ==, "forty-two");
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_return_error (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) first = NULL;
  g_autoptr (GTask) second = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  g_auto (Call) another = { .n_calls = 0 };

  first = run_and_wait (group, return_error, NULL, &call);
  g_assert_true (g_task_had_error (first));
  g_assert_false (g_task_propagate_boolean (first, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);

  second = run_and_wait (group, return_new_error, NULL, &another);
  g_assert_false (g_task_propagate_boolean (second, &error));
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
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };

  task = g_task_new (NULL, cancellable, note_call, &call);
  tasker_group_run_in_thread (group, task, return_if_cancelled);
  g_cancellable_cancel (cancellable);

  tasker_test_iterate_until (call.n_calls == 1);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* It was asked to end and did: no failure of the group's. */
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

/* No value at all: the task has ended when the GTask is gone. */
static void
test_return_nothing (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  GTask *task = g_task_new (NULL, NULL, note_call, &call);

  tasker_test_lose_gtasks ();
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  g_task_set_name (task, "silent");
  tasker_group_run_in_thread (group, task, return_nothing);

  /* While somebody holds it, it may yet be returned. */
  g_usleep (30 * 1000);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);

  g_object_unref (task);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
  g_assert_nonnull (g_strstr_len (error->message, -1, "silent"));
  g_assert_null (task);
  g_assert_cmpint (call.n_calls, ==, 0);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* Nobody holds it but the group. */
static void
test_return_nothing_unheld (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  tasker_test_lose_gtasks ();
  tasker_group_run_in_thread (group, task, return_nothing);
  g_object_unref (task);

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
  GTask **where = task_data;

  g_atomic_pointer_set (where, g_object_ref (task));
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
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  GTask *handed = NULL;
  GThread *thread;

  task = g_task_new (NULL, NULL, note_call, &call);
  g_task_set_task_data (task, &handed, NULL);
  tasker_group_run_in_thread (group, task, hand_over);
  tasker_test_wait_for (g_atomic_pointer_get (&handed) != NULL);

  g_usleep (20 * 1000);
  tasker_test_iterate ();
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  thread = g_thread_new ("later", return_later_thread, handed);
  tasker_test_iterate_until (call.n_calls == 1);
  g_thread_join (thread);
  g_assert_cmpint (g_task_propagate_int (task, &error), ==, 7);
  g_assert_no_error (error);

  g_assert_true (tasker_group_join (group, NULL, &error));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

typedef struct
{
  TaskerTestGate gate;
  int            is_returned;
  int            is_ended;
} EarlyReturn;

static void
return_early (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  EarlyReturn *early = task_data;

  g_task_return_boolean (task, TRUE);
  g_atomic_int_set (&early->is_returned, TRUE);
  tasker_test_pass_gate (&early->gate, cancellable, NULL);
  g_atomic_int_set (&early->is_ended, TRUE);
}

/* The GTask is over, but the function is not. */
static void
test_returned_early (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  EarlyReturn early = { .is_ended = FALSE };

  tasker_test_gate_init (&early.gate);
  task = g_task_new (NULL, NULL, note_call, &call);
  g_task_set_task_data (task, &early, NULL);
  tasker_group_run_in_thread (group, task, return_early);

  tasker_test_iterate_until (call.n_calls == 1);
  g_assert_true (g_task_propagate_boolean (task, &error));
  tasker_test_gate_await (&early.gate, 1);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&early.gate);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_atomic_int_get (&early.is_ended));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&early.gate);
}

/* What a GTask may lack */

static void
test_no_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  int n_runs = 0;

  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  g_task_set_task_data (task, &n_runs, NULL);
  tasker_group_run_in_thread (group, task, count_and_return);
  g_object_unref (task);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n_runs, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_iterate_until (task == NULL);
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
  g_autoptr (GError) error = NULL;
  GTask *task;
  g_auto (Call) with = { .n_calls = 0 };
  g_auto (Call) without = { .n_calls = 0 };

  task = g_task_new (source, NULL, note_call, &with);
  g_task_set_task_data (task, &with, NULL);
  tasker_group_run_in_thread (group, task, look_at_arguments);
  g_object_unref (task);
  task = g_task_new (NULL, NULL, note_call, &without);
  tasker_group_run_in_thread (group, task, look_at_arguments);
  g_object_unref (task);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (with.n_calls, ==, 1);
  g_assert_cmpint (without.n_calls, ==, 1);
  g_assert_true (with.source == source);
  g_assert_null (without.source);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);

  /* Nothing is kept. */
  clear_call (&with);
  g_object_add_weak_pointer (source, (gpointer *) &source);
  g_object_unref (source);
  tasker_test_iterate_until (source == NULL);
}

/* Stopping */

static void
test_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask) obeys = NULL;
  g_autoptr (GTask) completes = NULL;
  g_auto (Call) first = { .n_calls = 0 };
  g_auto (Call) second = { .n_calls = 0 };
  int n_begun = 0;

  obeys = g_task_new (NULL, NULL, note_call, &first);
  g_task_set_task_data (obeys, &n_begun, NULL);
  tasker_group_run_in_thread (group, obeys, return_when_stopped);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);

  tasker_group_stop (group);
  tasker_test_iterate_until (first.n_calls == 1);
  g_assert_false (g_task_propagate_boolean (obeys, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* After the stop it is returned, as cancelled, without being run. */
  completes = g_task_new (NULL, NULL, note_call, &second);
  tasker_group_run_in_thread (group, completes, return_true);
  g_assert_cmpint (second.n_calls, ==, 0);
  tasker_test_iterate_until (second.n_calls == 1);
  g_assert_false (g_task_propagate_boolean (completes, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 2, 0);
}

static void
test_completes_after_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask) task = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  int n_begun = 0;

  task = g_task_new (NULL, NULL, note_call, &call);
  g_task_set_task_data (task, &n_begun, NULL);
  tasker_group_run_in_thread (group, task, return_true_when_stopped);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
  tasker_group_stop (group);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_task_propagate_boolean (task, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Ends as @n_stopped or @n_aborted what waits behind a busy task. */
static void
end_before_it_ran (gboolean (*end) (TaskerGroup *group),
                   guint      n_stopped,
                   guint      n_aborted)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask) task = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  TaskerTestGate gate;
  int n_runs = 0;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "busy", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  task = g_task_new (NULL, NULL, note_call, &call);
  g_task_set_task_data (task, &n_runs, NULL);
  tasker_group_run_in_thread (group, task, count_and_return);
  end (group);

  /* The busy one does not have to end first. */
  tasker_test_iterate_until (call.n_calls == 1);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n_runs, ==, 0);
  g_assert_cmpint (call.n_calls, ==, 1);
  tasker_test_assert_counts (group, 2, 0, 1, 0, n_stopped, n_aborted);
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
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  tasker_group_stop (group);
  tasker_group_run_in_thread (group, task, return_true);
  g_object_unref (task);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
  tasker_test_iterate_until (task == NULL);
}

static void
test_abort_running (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask) task = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  int n_begun = 0;

  task = g_task_new (NULL, NULL, note_call, &call);
  g_task_set_task_data (task, &n_begun, NULL);
  tasker_group_run_in_thread (group, task, return_when_stopped);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
  tasker_group_abort (group);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (call.n_calls, ==, 1);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
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
  g_autoptr (GError) error = NULL;
  GTask *running, *queued;
  int n_begun = 0, n_cancelled = 0;
  guint signal_id = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);
  gulong handler;

  handler = g_signal_connect (shared, "cancelled", G_CALLBACK (count_cancelled), &n_cancelled);
  tasker_group_set_max_running (group, 1);
  running = g_task_new (NULL, shared, NULL, NULL);
  g_task_set_task_data (running, &n_begun, NULL);
  tasker_group_run_in_thread (group, running, return_when_stopped);
  g_object_unref (running);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
  queued = g_task_new (NULL, shared, NULL, NULL);
  tasker_group_run_in_thread (group, queued, return_true);
  g_object_unref (queued);

  tasker_group_stop (group);
  tasker_group_abort (group);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (g_cancellable_is_cancelled (shared));
  g_assert_cmpint (n_cancelled, ==, 0);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
  tasker_test_assert_equation (group);

  /* Nor does it hold on to it, or listen for ever. */
  g_signal_handler_disconnect (shared, handler);
  g_assert_false (g_signal_has_handler_pending (shared, signal_id, 0, TRUE));
  g_object_add_weak_pointer (G_OBJECT (shared), (gpointer *) &shared);
  g_object_unref (shared);
  tasker_test_iterate_until (shared == NULL);
}

static void
test_own_cancellable (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  int n_begun = 0;

  task = g_task_new (NULL, cancellable, note_call, &call);
  g_task_set_task_data (task, &n_begun, NULL);
  tasker_group_run_in_thread (group, task, return_when_stopped);
  tasker_group_spawn (group, "other", tasker_test_succeed, NULL, NULL);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
  g_assert_cmpint (call.n_calls, ==, 0);

  g_cancellable_cancel (cancellable);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (tasker_group_is_stopped (group));
  g_assert_cmpint (call.n_calls, ==, 1);
  tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
}

/* Cancelled while queued, or long before: no matter what the function would
 * have returned, the caller hears of its own cancellation. */
static void
test_cancelled_before_it_ran (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  g_autoptr (GTask) late = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) first = { .n_calls = 0 };
  g_auto (Call) second = { .n_calls = 0 };
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "busy", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  task = g_task_new (NULL, cancellable, note_call, &first);
  tasker_group_run_in_thread (group, task, return_true);
  g_cancellable_cancel (cancellable);
  late = g_task_new (NULL, cancellable, note_call, &second);
  tasker_group_run_in_thread (group, late, return_true);
  tasker_test_gate_open (&gate);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (first.n_calls, ==, 1);
  g_assert_cmpint (second.n_calls, ==, 1);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (g_task_propagate_boolean (late, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_assert_counts (group, 3, 0, 1, 0, 2, 0);
  tasker_test_gate_clear (&gate);
}

static void
test_check_cancellable (void)
{
  const gboolean checks[] = { TRUE, FALSE };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GTask) task = NULL;
      g_autoptr (GError) error = NULL;
      int n_begun = 0;

      task = g_task_new (NULL, cancellable, NULL, NULL);
      g_task_set_check_cancellable (task, checks[i]);
      g_task_set_task_data (task, &n_begun, NULL);
      tasker_group_run_in_thread (group, task, return_true_when_stopped);
      tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
      g_cancellable_cancel (cancellable);
      g_assert_true (tasker_group_join (group, NULL, &error));
      g_assert_no_error (error);

      /* With the check, the cancellation overrides the value. */
      g_assert_cmpint (g_task_had_error (task), ==, checks[i]);
      g_assert_cmpint (g_task_propagate_boolean (task, &error), ==, !checks[i]);
      if (checks[i])
        tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
      else
        tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

/* Cancelled when the function has returned and the GTask has not completed:
 * the caller is told of the cancellation, so it is no failure. */
static void
test_cancelled_after_it_ran (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .n_calls = 0 };
  int n_runs = 0;

  task = g_task_new (NULL, cancellable, note_call, &call);
  g_task_set_task_data (task, &n_runs, NULL);
  tasker_group_run_in_thread (group, task, count_and_return);
  tasker_test_wait_for (g_atomic_int_get (&n_runs) == 1);
  g_usleep (20 * 1000);
  g_cancellable_cancel (cancellable);

  tasker_group_join (group, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (call.n_calls, ==, 1);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
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
      g_auto (Call) first = { .n_calls = 0 };
      g_auto (Call) second = { .n_calls = 0 };
      g_autoptr (GError) error = NULL;
      GTask *task;
      GThread *thread;

      task = g_task_new (NULL, cancellable, note_call, &first);
      tasker_group_run_in_thread (group, task, return_true);
      g_object_unref (task);
      thread = g_thread_new ("cancel", cancel_thread, cancellable);
      task = g_task_new (NULL, cancellable, note_call, &second);
      tasker_group_run_in_thread (group, task, return_true);
      g_object_unref (task);

      if (i % 3 == 0)
        tasker_group_stop (group);
      tasker_group_join (group, NULL, &error);
      g_assert_no_error (error);
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
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GPtrArray) results = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *dump = NULL;
  int n_begun = 0;

  g_task_set_name (task, "spelunking");
  g_task_set_priority (task, 17);
  g_task_set_task_data (task, &n_begun, NULL);
  tasker_group_run_in_thread (group, task, return_when_stopped);
  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 1);
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
  g_autoptr (GError) error = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "busy", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  run_noting_order (group, "e", G_PRIORITY_LOW, order);
  run_noting_order (group, "c", G_PRIORITY_DEFAULT, order);
  run_noting_order (group, "a", G_PRIORITY_HIGH, order);
  run_noting_order (group, "d", G_PRIORITY_DEFAULT, order);
  run_noting_order (group, "b", G_PRIORITY_HIGH, order);
  tasker_test_gate_open (&gate);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (order->str, ==, "abcde");
  tasker_test_assert_counts (group, 6, 0, 6, 0, 0, 0);
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
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_name (task, "me");
  tasker_group_run_in_thread (group, task, look_at_current);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_live_in_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_auto (Call) call = { .group = group };

  /* It ends with its completion, which is when the callback has returned. */
  task = g_task_new (NULL, NULL, note_call, &call);
  tasker_group_run_in_thread (group, task, return_true);
  tasker_test_iterate_until (call.n_calls == 1);
  g_assert_cmpuint (call.n_live, ==, 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GTask) task = NULL;
  g_auto (Call) call = { .group = group };

  g_main_context_push_thread_default (context);
  task = g_task_new (NULL, NULL, note_call, &call);
  g_main_context_pop_thread_default (context);
  tasker_group_run_in_thread (group, task, return_true);

  /* Not in whatever context happens to be iterated. */
  g_usleep (20 * 1000);
  tasker_test_iterate ();
  g_assert_cmpint (call.n_calls, ==, 0);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);

  g_main_context_push_thread_default (context);
  tasker_test_iterate_until (call.n_calls == 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_main_context_pop_thread_default (context);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Joining in the thread whose context the callback needs: it would never be
 * called if the join did not iterate it. */
static void
test_join_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .group = group };
  GTask *task;

  for (guint i = 0; i < 10; i++)
    {
      task = g_task_new (NULL, NULL, note_call, &call);
      tasker_group_run_in_thread (group, task, return_true);
      g_object_unref (task);
    }

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (call.n_calls, ==, 10);
  g_assert_true (call.thread == g_thread_self ());
  tasker_test_assert_counts (group, 10, 0, 10, 0, 0, 0);
}

static gpointer
join_iterates_thread (gpointer data)
{
  g_autoptr (TaskerGroup) group = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .group = group };
  GTask *task;

  g_main_context_push_thread_default (context);
  task = g_task_new (NULL, NULL, note_call, &call);
  tasker_group_run_in_thread (group, task, return_true);
  g_object_unref (task);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (call.n_calls, ==, 1);
  g_assert_true (call.thread == g_thread_self ());
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
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_collect_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GPtrArray) results = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .group = group };

  task = g_task_new (NULL, NULL, note_call, &call);
  tasker_group_run_in_thread (group, task, return_true);
  results = tasker_group_collect (group, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (results->len, ==, 1);
  g_assert_cmpint (call.n_calls, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A context that nobody iterates: whoever joins does it. */
static void
test_join_orphaned_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .group = group };
  GTask *task;

  g_main_context_push_thread_default (context);
  task = g_task_new (NULL, NULL, note_call, &call);
  g_main_context_pop_thread_default (context);
  tasker_group_run_in_thread (group, task, return_true);
  g_object_unref (task);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (call.n_calls, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
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
  g_auto (Call) call = { .group = group };
  GTask *task = g_task_new (NULL, NULL, note_call, &call);
  GThread *thread;

  /* Owned by this thread, so the joiner has to leave it alone. */
  g_assert_true (g_main_context_acquire (NULL));
  tasker_group_run_in_thread (group, task, return_true);
  g_object_unref (task);
  thread = g_thread_new ("joiner", join_thread, group);
  tasker_test_iterate_until (call.n_calls == 1);
  g_thread_join (thread);
  g_main_context_release (NULL);

  g_assert_true (call.thread == g_thread_self ());
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_join_async (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Call) call = { .group = group };

  task = g_task_new (NULL, NULL, note_call, &call);
  tasker_group_run_in_thread (group, task, return_new_error);
  tasker_group_join_async (group, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_cmpint (call.n_calls, ==, 1);
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
  g_autoptr (GError) error = NULL;

  task = g_task_new (NULL, NULL, spawn_more, tasker_group_clone (group));
  tasker_group_run_in_thread (group, task, return_true);
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

/* Bad input */

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GCancellable) other = g_cancellable_new ();

  expect_critical ("*TASKER_IS_GROUP*");
  tasker_group_run_in_thread (NULL, task, return_true);
  expect_critical ("*G_IS_TASK*");
  tasker_group_run_in_thread (group, NULL, return_true);
  expect_critical ("*G_IS_TASK*");
  tasker_group_run_in_thread (group, (GTask *) other, return_true);
  expect_critical ("*func*");
  tasker_group_run_in_thread (group, task, NULL);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);

  tasker_group_finish (group);
  expect_critical ("*finished*");
  tasker_group_run_in_thread (group, task, return_true);
  g_test_assert_expected_messages ();
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
