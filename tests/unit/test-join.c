/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Joining: join, collect, their poll forms and the task's own join, blocking
 * and not; which failure they report; and waits that could never end. */

#include "tasker-test.h"

/* What a function of this file's tasks does, so that one table covers all
 * ways in which a task can end. */
typedef struct
{
  const char      *name;
  TaskerFunc       func;
  gboolean       (*end) (TaskerGroup *group);
  TaskerTaskState  state;
  GQuark         (*domain) (void);
  int              code;
} Ending;

static gboolean
fail_as_cancelled (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "somebody else's cancellable");
  return FALSE;
}

static const Ending endings[] =
{
  { "done", tasker_test_succeed, NULL, TASKER_TASK_STATE_SUCCEEDED, NULL, 0 },
  { "own", tasker_test_fail, NULL, TASKER_TASK_STATE_FAILED,
    g_io_error_quark, G_IO_ERROR_NO_SPACE },
  { "panicked", tasker_test_panic, NULL, TASKER_TASK_STATE_FAILED,
    tasker_error_quark, TASKER_ERROR_PANICKED },
  { "stopped", tasker_test_wait_stopped, tasker_group_stop, TASKER_TASK_STATE_STOPPED,
    tasker_error_quark, TASKER_ERROR_STOPPED },
  { "aborted", tasker_test_wait_stopped, tasker_group_abort, TASKER_TASK_STATE_ABORTED,
    tasker_error_quark, TASKER_ERROR_ABORTED },
};

static void
assert_ending (const Ending *ending,
               gboolean      success,
               const GError *error)
{
  g_assert_cmpint (success, ==, ending->domain == NULL);
  if (ending->domain == NULL)
    g_assert_no_error (error);
  else
    g_assert_error (error, ending->domain (), ending->code);
}

/* A wait for it that is cancelled says so, and nothing else says that. */
static void
assert_cancelled_wait (TaskerGroup *group,
                       TaskerTask  *task)
{
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (tasker_task_join (task, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (tasker_group_join (clone, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (tasker_group_collect (clone, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
check_ending (const Ending *ending,
              gboolean      is_full)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("ending");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) group_error = NULL;
  g_autoptr (GError) task_error = NULL;
  gboolean is_failure = ending->state == TASKER_TASK_STATE_FAILED;
  gboolean success;

  if (is_full)
    {
      task = tasker_test_ledger_task (ledger, ending->name, ending->func, NULL);
      tasker_group_add (group, task);
    }
  else
    tasker_test_ledger_spawn (ledger, group, ending->name, ending->func, NULL);

  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 1);
  if (is_full && ending->end != NULL)
    assert_cancelled_wait (group, task);
  if (ending->end != NULL)
    g_assert_true (ending->end (group));

  tasker_group_finish (clone);
  g_assert_cmpint (tasker_group_join (group, NULL, &group_error), ==, !is_failure);
  if (is_failure)
    {
      assert_ending (ending, FALSE, group_error);
      g_assert_nonnull (strstr (group_error->message, ending->name));
    }

  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 1);
  if (is_full)
    g_assert_true (tasks->pdata[0] == task);
  success = tasker_task_join (tasks->pdata[0], NULL, &task_error);
  assert_ending (ending, success, task_error);
  if (is_failure)
    assert_ending (ending, FALSE, tasker_task_get_error (tasks->pdata[0]));
  else
    g_assert_null (tasker_task_get_error (tasks->pdata[0]));
  g_assert_cmpint (tasker_task_get_state (tasks->pdata[0]), ==, ending->state);
  tasker_test_assert_equation (group);
  tasker_test_ledger_close (ledger, 1, 1);
}

static void
test_endings (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      check_ending (&endings[i], FALSE);
      check_ending (&endings[i], TRUE);
    }
}

/* An error as of a stop, without one, is the task's own failure. */
static void
test_foreign_cancelled (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("foreign");
  g_autoptr (TaskerTask) task = tasker_task_new ("odd", fail_as_cancelled, NULL, NULL);

  tasker_group_add (group, task);
  g_assert_false (tasker_task_join (task, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_FAILED);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* A group of one place, where @n_tasks tasks ended one after the other. Those
 * with an odd number failed. */
static TaskerGroup *
ended_group (guint n_tasks)
{
  TaskerGroup *group = tasker_test_group ("ended");
  guint i;

  tasker_group_set_max_running (group, 1);
  for (i = 0; i < n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("task-%u", i);

      tasker_group_spawn (group, name, i % 2 == 0 ? tasker_test_succeed : tasker_test_fail,
                          NULL, NULL);
    }
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  return group;
}

static void
assert_names (GPtrArray *tasks,
              guint      first,
              guint      n_tasks)
{
  guint i;

  g_assert_cmpuint (tasks->len, ==, n_tasks);
  for (i = 0; i < n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("task-%u", first + i);

      g_assert_cmpstr (tasker_task_get_name (tasks->pdata[i]), ==, name);
      g_assert_cmpint (tasker_task_get_state (tasks->pdata[i]), ==,
                       (first + i) % 2 == 0 ? TASKER_TASK_STATE_SUCCEEDED
                                            : TASKER_TASK_STATE_FAILED);
    }
}

/* Results come in the order in which tasks ended. */
static void
test_collect_order (void)
{
  g_autoptr (TaskerGroup) group = ended_group (200);
  g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);
  g_autoptr (GPtrArray) none = tasker_group_collect (group, NULL, NULL);

  assert_names (tasks, 0, 200);
  g_assert_cmpuint (none->len, ==, 0);
  tasker_test_assert_counts (group, 200, 0, 100, 100, 0, 0);
}

typedef struct
{
  GMutex      mutex;
  GPtrArray  *ended; /* in their order */
  TaskerTask *last;
} Ends;

/* No two of these end at once: one begins its work only when the one before
 * has ended. */
static gboolean
end_in_turn (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  Ends *ends = user_data;

  /* Another thread may come in between. */
  g_usleep (20);
  g_mutex_lock (&ends->mutex);
  while (ends->last != NULL && !tasker_task_is_finished (ends->last))
    g_thread_yield ();
  ends->last = TASKER_TASK (stopper);
  g_ptr_array_add (ends->ended, stopper);
  g_mutex_unlock (&ends->mutex);

  return TRUE;
}

/* The order of ends holds across threads as well. */
static void
test_collect_order_threads (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("turns");
  g_autoptr (GPtrArray) tasks = NULL;
  Ends ends = { .ended = g_ptr_array_new () };
  TaskerTestGate gate;
  guint n_seen = 0;
  guint i;

  g_mutex_init (&ends.mutex);
  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 3);
  for (i = 0; i < 3; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  for (i = 0; i < 300; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, end_in_turn, &ends, NULL);

      tasker_group_add (group, task);
    }
  tasker_test_gate_await (&gate, 3);
  tasker_test_gate_open (&gate);
  tasks = tasker_group_collect (group, NULL, NULL);

  g_assert_cmpuint (tasks->len, ==, 303);
  g_assert_cmpuint (ends.ended->len, ==, 300);
  for (i = 0; i < tasks->len; i++)
    if (tasker_task_get_stops_alone (tasks->pdata[i]))
      g_assert_true (tasks->pdata[i] == ends.ended->pdata[n_seen++]);
  g_assert_cmpuint (n_seen, ==, 300);
  tasker_test_assert_counts (group, 303, 0, 303, 0, 0, 0);
  g_ptr_array_unref (ends.ended);
  g_mutex_clear (&ends.mutex);
  tasker_test_gate_clear (&gate);
}

static void
test_poll_collect (void)
{
  g_autoptr (TaskerGroup) group = ended_group (20);
  g_autoptr (GPtrArray) first = tasker_group_poll_collect (group);
  g_autoptr (GPtrArray) second = tasker_group_poll_collect (group);
  g_autoptr (GPtrArray) third = NULL;

  assert_names (first, 0, 20);
  g_assert_cmpuint (second->len, ==, 0);
  g_assert_false (tasker_group_is_finished (group));

  tasker_group_spawn (group, "task-20", tasker_test_succeed, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  third = tasker_group_poll_collect (group);
  assert_names (third, 20, 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 21, 0, 11, 10, 0, 0);
}

static gpointer
spawn_until_thread (gpointer user_data)
{
  g_autoptr (TaskerGroup) group = user_data;

  /* So many that they do not fill the memory. */
  for (guint i = 0; i < 2000000 && !tasker_group_is_stopped (group); i++)
    tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);

  return NULL;
}

static guint64
get_n_succeeded (TaskerGroup *group)
{
  guint64 n_succeeded;

  g_object_get (group, "n-succeeded", &n_succeeded, NULL);

  return n_succeeded;
}

/* It takes what is there, while more come faster than it can take them. */
static void
test_poll_collect_meanwhile (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GThread) thread = g_thread_new ("spawner", spawn_until_thread, tasker_group_clone (group));
  g_autoptr (GPtrArray) tasks = NULL;

  tasker_test_wait_for (get_n_succeeded (group) > 1000);
  tasks = tasker_group_poll_collect (group);
  tasker_group_stop (group);

  g_assert_cmpuint (tasks->len, >, 1000);
  g_assert_cmpuint (tasks->len, <, 1000000);
  g_thread_join (g_steal_pointer (&thread));
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

/* What poll_join() takes ends with the first failure; the next goes on. */
static void
test_poll_join (void)
{
  g_autoptr (TaskerGroup) group = ended_group (5);
  g_autoptr (GError) error = NULL;
  guint n_joined = 99;
  guint i;

  for (i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("task-%u", 2 * i + 1);

      g_assert_false (tasker_group_poll_join (group, &n_joined, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_nonnull (strstr (error->message, name));
      g_assert_cmpuint (n_joined, ==, 2);
      g_clear_error (&error);
    }

  g_assert_true (tasker_group_poll_join (group, &n_joined, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_joined, ==, 1);
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 0);
  g_assert_true (tasker_group_poll_join (group, NULL, NULL));

  /* Both failures were taken, so nothing is left to report. */
  g_assert_true (tasker_group_join (group, NULL, &error));
  tasker_test_assert_counts (group, 5, 0, 3, 2, 0, 0);
}

/* Stopped and aborted tasks are taken, and are no failures. */
static void
test_poll_join_stopped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("stopped");
  guint n_joined;

  tasker_group_stop (group);
  tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_group_abort (group);
  tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 2);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
}

/* Polling does not wait for what is live, and leaves it alone. */
static void
test_poll_never_blocks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("poll");
  g_autoptr (GPtrArray) tasks = NULL;
  TaskerTestGate gate;
  guint n_joined;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 0);
  tasks = tasker_group_poll_collect (group);
  g_assert_cmpuint (tasks->len, ==, 0);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

typedef struct
{
  TaskerGroup *group;
  GError      *error;
} Joiner;

static gpointer
joiner_main (gpointer user_data)
{
  Joiner *joiner = user_data;

  g_assert_false (tasker_group_join (joiner->group, NULL, &joiner->error));
  return NULL;
}

/* Joins at the same time, from one handle and from clones, agree on the
 * first failure, and asking again gives it again. */
static void
test_concurrent_joins_agree (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("agree");
  Joiner joiners[8];
  GThread *threads[8];
  TaskerTestGate gate;
  guint i;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, "first", tasker_test_fail, NULL, NULL);
  tasker_group_spawn (group, "second", tasker_test_panic, NULL, NULL);
  for (i = 0; i < 8; i++)
    {
      joiners[i].group = i % 2 == 0 ? tasker_group_clone (group) : g_object_ref (group);
      joiners[i].error = NULL;
    }
  for (i = 0; i < 8; i++)
    threads[i] = g_thread_new ("join", joiner_main, &joiners[i]);
  tasker_test_gate_open (&gate);

  for (i = 0; i < 8; i++)
    {
      g_thread_join (threads[i]);
      g_assert_error (joiners[i].error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_nonnull (strstr (joiners[i].error->message, "first"));
      g_clear_error (&joiners[i].error);
      g_object_unref (joiners[i].group);
    }

  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 1, 2, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* A failure that was taken is its taker's affair: the next is reported. */
static void
test_join_not_taken (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("taken");
  g_autoptr (GPtrArray) taken = NULL;
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, "first", tasker_test_fail, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  taken = tasker_group_poll_collect (group);
  g_assert_cmpuint (taken->len, ==, 1);
  tasker_group_spawn (group, "second", tasker_test_panic, NULL, NULL);

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_PANICKED);
  g_assert_nonnull (strstr (error->message, "second"));
  tasker_test_assert_counts (group, 2, 0, 0, 2, 0, 0);
}

/* The error is a copy; the task's own is as its function made it. */
static void
test_join_error_copied (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("copied");
  g_autoptr (TaskerTask) task = tasker_task_new ("copied", tasker_test_fail, NULL, NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_add (group, task);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_true (error != tasker_task_get_error (task));
  g_assert_error (tasker_task_get_error (task), G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpstr (tasker_task_get_error (task)->message, ==, "the disk is full");
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* A message may contain what looks like a format. */
static gboolean
fail_with_percents (gpointer       user_data,
                    GCancellable  *stopper,
                    GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s%n is 100% odd");
  return FALSE;
}

static void
test_join_message_literal (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("percent");
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, "%s%n", fail_with_percents, NULL, NULL);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_nonnull (strstr (error->message, "%s%n is 100% odd"));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
test_nameless_failure (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "the disk is full"));
  g_assert_null (strstr (error->message, "(null)"));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
test_async (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("async");
  g_autoptr (TaskerTask) task = tasker_task_new ("bad", tasker_test_fail, NULL, NULL);
  g_autoptr (GAsyncResult) joined = NULL;
  g_autoptr (GAsyncResult) collected = NULL;
  g_autoptr (GAsyncResult) task_joined = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, "good", tasker_test_succeed, NULL, NULL);
  tasker_group_add (group, task);
  tasker_group_join_async (group, NULL, tasker_test_keep, &joined);
  tasker_task_join_async (task, NULL, tasker_test_keep, &task_joined);
  g_assert_true (joined == NULL && task_joined == NULL);
  tasker_test_iterate_until (joined != NULL && task_joined != NULL);
  g_assert_false (tasker_group_join_finish (group, joined, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_false (tasker_task_join_finish (task, task_joined, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);

  tasker_group_collect_async (group, NULL, tasker_test_keep, &collected);
  g_assert_null (collected);
  tasker_test_iterate_until (collected != NULL);
  tasks = tasker_group_collect_finish (group, collected, NULL);
  g_assert_cmpuint (tasks->len, ==, 2);
  tasker_test_assert_counts (group, 2, 0, 1, 1, 0, 0);
}

static void
check_thread (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  int *n_done = user_data;

  g_assert_true (g_main_context_is_owner (g_main_context_get_thread_default ()));
  g_atomic_int_inc (n_done);
}

/* Callbacks come in the context that was the thread's default at the call. */
static gpointer
async_main (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  TaskerTask *task = user_data;
  int n_done = 0;

  g_main_context_push_thread_default (context);
  tasker_task_join_async (task, NULL, check_thread, &n_done);
  tasker_test_iterate_until (g_atomic_int_get (&n_done) == 1);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_async_contexts (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("contexts");
  g_autoptr (TaskerTask) task = NULL;
  GThread *threads[4];
  TaskerTestGate gate;
  guint i;

  tasker_test_gate_init (&gate);
  task = tasker_task_new ("gate", tasker_test_pass_gate, &gate, NULL);
  tasker_group_add (group, task);
  for (i = 0; i < 4; i++)
    threads[i] = g_thread_new ("async", async_main, task);
  tasker_test_gate_open (&gate);
  for (i = 0; i < 4; i++)
    g_thread_join (threads[i]);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* An asynchronous wait without a callback, and objects dropped meanwhile. */
static void
test_async_careless (void)
{
  TaskerGroup *group = tasker_test_group ("careless");
  TaskerTask *task;
  TaskerTestGate gate;
  GWeakRef group_ref, task_ref;

  tasker_test_gate_init (&gate);
  task = tasker_task_new ("gate", tasker_test_pass_gate, &gate, NULL);
  g_weak_ref_init (&group_ref, group);
  g_weak_ref_init (&task_ref, task);
  tasker_group_add (group, task);
  tasker_group_join_async (group, NULL, NULL, NULL);
  tasker_group_collect_async (group, NULL, NULL, NULL);
  tasker_task_join_async (task, NULL, NULL, NULL);
  g_object_unref (task);
  g_object_unref (group);

  tasker_test_gate_open (&gate);
  tasker_test_iterate_until (!tasker_test_is_alive (&group_ref) &&
                             !tasker_test_is_alive (&task_ref));
  g_weak_ref_clear (&group_ref);
  g_weak_ref_clear (&task_ref);
  tasker_test_gate_clear (&gate);
}

static gpointer
cancel_main (gpointer user_data)
{
  g_usleep (20000);
  g_cancellable_cancel (user_data);
  return NULL;
}

/* A blocking wait ends when it is cancelled, with all still there. */
static void
test_cancel_wait (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("cancel");
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  TaskerTestGate gate;
  guint i;

  tasker_test_gate_init (&gate);
  task = tasker_task_new ("gate", tasker_test_pass_gate, &gate, NULL);
  tasker_group_add (group, task);
  for (i = 0; i < 3; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("cancel", cancel_main, cancellable);

      if (i == 0)
        g_assert_false (tasker_group_join (group, cancellable, &error));
      else if (i == 1)
        g_assert_null (tasker_group_collect (group, cancellable, &error));
      else
        g_assert_false (tasker_task_join (task, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_thread_join (thread);
    }
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&gate);
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 1);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

typedef struct
{
  GMutex        mutex;
  GCond         cond;
  GCancellable *next;
  gboolean      is_over;
} Canceller;

/* Cancels whatever it is handed, after a delay that sweeps over the time
 * that a round takes. */
static gpointer
canceller_main (gpointer user_data)
{
  Canceller *canceller = user_data;
  guint n_rounds = 0;

  g_mutex_lock (&canceller->mutex);
  while (!canceller->is_over)
    {
      g_autoptr (GCancellable) cancellable = g_steal_pointer (&canceller->next);
      volatile guint delay;

      if (cancellable == NULL)
        {
          g_cond_wait (&canceller->cond, &canceller->mutex);
          continue;
        }

      g_mutex_unlock (&canceller->mutex);
      for (delay = n_rounds++ % 256 * 64; delay > 0; delay--)
        ;
      g_cancellable_cancel (cancellable);
      g_mutex_lock (&canceller->mutex);
    }
  g_mutex_unlock (&canceller->mutex);

  return NULL;
}

static void
canceller_hand (Canceller    *canceller,
                GCancellable *cancellable)
{
  g_mutex_lock (&canceller->mutex);
  g_clear_object (&canceller->next);
  if (cancellable != NULL)
    canceller->next = g_object_ref (cancellable);
  else
    canceller->is_over = TRUE;
  g_cond_signal (&canceller->cond);
  g_mutex_unlock (&canceller->mutex);
}

/* Runs rounds of cancel against completion. */
static void
race_cancels (void (*round) (GCancellable *cancellable))
{
  guint n_rounds = tasker_test_rounds (10000);
  Canceller canceller = { .next = NULL };
  GThread *thread;
  guint i;

  g_mutex_init (&canceller.mutex);
  g_cond_init (&canceller.cond);
  thread = g_thread_new ("canceller", canceller_main, &canceller);
  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();

      canceller_hand (&canceller, cancellable);
      round (cancellable);
    }
  canceller_hand (&canceller, NULL);
  g_thread_join (thread);
  g_mutex_clear (&canceller.mutex);
  g_cond_clear (&canceller.cond);
}

/* Either the wait had it all, or it was cancelled and all is still there. */
static void
take_either (TaskerGroup *group,
             GPtrArray   *tasks,
             GError      *error)
{
  if (tasks == NULL)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      tasks = tasker_group_collect (group, NULL, NULL);
    }
  else
    g_assert_no_error (error);

  g_assert_cmpuint (tasks->len, ==, 2);
  g_ptr_array_unref (tasks);
  g_clear_error (&error);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

static TaskerGroup *
two_tasks (void)
{
  TaskerGroup *group = tasker_group_new ("race");

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  return group;
}

static void
cancel_collect (GCancellable *cancellable)
{
  g_autoptr (TaskerGroup) group = two_tasks ();
  GError *error = NULL;
  GPtrArray *tasks = tasker_group_collect (group, cancellable, &error);

  take_either (group, tasks, error);
}

static void
test_race_collect (void)
{
  race_cancels (cancel_collect);
}

static void
cancel_collect_async (GCancellable *cancellable)
{
  g_autoptr (TaskerGroup) group = two_tasks ();
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;
  GPtrArray *tasks;

  tasker_group_collect_async (group, cancellable, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  tasks = tasker_group_collect_finish (group, result, &error);
  take_either (group, tasks, error);
}

static void
test_race_collect_async (void)
{
  race_cancels (cancel_collect_async);
}

/* A join takes nothing, however it ends. */
static void
cancel_join_async (GCancellable *cancellable)
{
  g_autoptr (TaskerGroup) group = two_tasks ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tasker_group_join_async (group, cancellable, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  if (!tasker_group_join_finish (group, result, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  take_either (group, tasker_group_collect (group, NULL, NULL), NULL);
}

static void
test_race_join_async (void)
{
  race_cancels (cancel_join_async);
}

static void
cancel_task_join (GCancellable *cancellable)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("race");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_fail, NULL, NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_add (group, task);
  g_assert_false (tasker_task_join (task, cancellable, &error));
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_assert_false (tasker_task_join (task, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
test_race_task_join (void)
{
  race_cancels (cancel_task_join);
}

/* Nothing is lost between result and callback: what a collect that nobody
 * finished would have returned is still to be had. */
static void
test_collect_unfinished (void)
{
  g_autoptr (TaskerGroup) group = ended_group (4);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *result = NULL;
  GPtrArray *tasks;

  tasker_group_collect_async (group, cancellable, tasker_test_keep, &result);
  g_cancellable_cancel (cancellable);
  tasker_test_iterate_until (result != NULL);
  tasks = tasker_group_collect_finish (group, result, NULL);
  g_object_unref (result);
  if (tasks == NULL)
    tasks = tasker_group_collect (group, NULL, NULL);

  assert_names (tasks, 0, 4);
  g_ptr_array_unref (tasks);
  tasker_test_assert_counts (group, 4, 0, 2, 2, 0, 0);
}

/* The waits that a task may not make for its own group. */
static void
assert_deadlocks (TaskerGroup *group,
                  TaskerTask  *self)
{
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (GError) error = NULL;

  g_assert_false (tasker_group_join (clone, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
  g_clear_error (&error);
  g_assert_null (tasker_group_collect (clone, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
  g_clear_error (&error);

  if (self == NULL)
    return;

  g_assert_false (tasker_task_join (self, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
}

static gboolean
deadlock_func (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_autoptr (TaskerTask) self = tasker_task_get_current ();

  assert_deadlocks (user_data, self);
  return TRUE;
}

static void
deadlock_notify (gpointer data)
{
  assert_deadlocks (data, NULL);
}

static void
test_deadlock (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("deadlock");
  g_autoptr (TaskerTask) task = NULL;

  task = tasker_task_new ("full", deadlock_func, group, deadlock_notify);
  tasker_group_add (group, task);
  tasker_group_spawn (group, "light", deadlock_func, group, deadlock_notify);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

/* The notify of a task that never runs is called where the task is refused. */
static void
test_deadlock_notify (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("notify");

  tasker_group_stop (group);
  tasker_group_spawn (group, NULL, tasker_test_succeed, group, deadlock_notify);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static void
deadlock_on_cancelled (GCancellable *stopper,
                       gpointer      user_data)
{
  TaskerGroup *group = user_data;
  TaskerTask *task = g_object_get_data (G_OBJECT (group), "task");

  assert_deadlocks (group, task);
  g_object_set_data (G_OBJECT (group), "called", group);
}

/* In a `cancelled` handler that stop() calls, nothing may block. */
static void
test_deadlock_cancelled (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("handler");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  gulong id;

  tasker_group_add (group, task);
  g_object_set_data (G_OBJECT (group), "task", task);
  id = g_signal_connect (stopper, "cancelled", G_CALLBACK (deadlock_on_cancelled), group);
  g_assert_true (tasker_group_stop (group));
  g_assert_nonnull (g_object_get_data (G_OBJECT (group), "called"));

  g_signal_handler_disconnect (stopper, id);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

/* Waiting for a sibling, or for another group, is no deadlock. */
static gboolean
join_sibling (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  return tasker_task_join (user_data, NULL, error);
}

static gboolean
join_other (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  return tasker_group_join (user_data, NULL, error);
}

static void
test_no_deadlock (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("siblings");
  g_autoptr (TaskerGroup) other = tasker_test_group ("other");
  g_autoptr (TaskerTask) sibling = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  TaskerTestGate gate;

  tasker_test_gate_occupy (&gate, group);
  tasker_group_spawn (other, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_spawn (group, NULL, join_sibling, sibling, NULL);
  tasker_group_spawn (group, NULL, join_other, other, NULL);
  tasker_group_add (group, sibling);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 4, 0, 4, 0, 0, 0);
  tasker_test_assert_counts (other, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* A task that is in no group cannot be joined. */
static void
test_join_new (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_test_critical ("*", g_assert_false (tasker_task_join (task, NULL, NULL)));
  tasker_test_critical ("*", tasker_task_join_async (task, NULL, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
}

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("bad");
  g_autoptr (GCancellable) other = g_cancellable_new ();
  TaskerGroup *wrong_group = (TaskerGroup *) other;
  TaskerTask *wrong_task = (TaskerTask *) other;
  GCancellable *wrong_cancellable = (GCancellable *) group;

  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_false (tasker_group_join (wrong_group, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_join_async (NULL, NULL, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_null (tasker_group_collect (NULL, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        tasker_group_collect_async (wrong_group, NULL, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_poll_join (NULL, NULL, NULL));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_null (tasker_group_poll_collect (wrong_group)));
  tasker_test_critical ("*TASKER_IS_TASK*",
                        g_assert_false (tasker_task_join (wrong_task, NULL, NULL)));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_join_async (NULL, NULL, NULL, NULL));
  tasker_test_critical ("*G_IS_CANCELLABLE*",
                        g_assert_false (tasker_group_join (group, wrong_cancellable, NULL)));
  tasker_test_critical ("*G_IS_CANCELLABLE*",
                        g_assert_null (tasker_group_collect (group, wrong_cancellable, NULL)));

  g_assert_false (tasker_group_is_finished (group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* A result that is not this call's. */
static void
test_bad_result (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("bad");
  g_autoptr (TaskerGroup) other = tasker_test_group ("other");
  g_autoptr (GAsyncResult) result = NULL;

  tasker_group_join_async (group, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  tasker_test_critical ("*g_task_is_valid*",
                        g_assert_false (tasker_group_join_finish (other, result, NULL)));
  g_assert_true (tasker_group_join_finish (group, result, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/join/endings", test_endings);
  tasker_test_add ("/join/foreign-cancelled", test_foreign_cancelled);
  tasker_test_add ("/join/collect-order", test_collect_order);
  tasker_test_add ("/join/collect-order/threads", test_collect_order_threads);
  tasker_test_add ("/join/poll-collect", test_poll_collect);
  tasker_test_add ("/join/poll-collect-meanwhile", test_poll_collect_meanwhile);
  tasker_test_add ("/join/poll-join", test_poll_join);
  tasker_test_add ("/join/poll-join/stopped", test_poll_join_stopped);
  tasker_test_add ("/join/poll-never-blocks", test_poll_never_blocks);
  tasker_test_add ("/join/concurrent-joins-agree", test_concurrent_joins_agree);
  tasker_test_add ("/join/not-taken", test_join_not_taken);
  tasker_test_add ("/join/error-copied", test_join_error_copied);
  tasker_test_add ("/join/message-literal", test_join_message_literal);
  tasker_test_add ("/join/nameless-failure", test_nameless_failure);
  tasker_test_add ("/join/async", test_async);
  tasker_test_add ("/join/async/contexts", test_async_contexts);
  tasker_test_add ("/join/async/careless", test_async_careless);
  tasker_test_add ("/join/cancel-wait", test_cancel_wait);
  tasker_test_add ("/join/race/collect", test_race_collect);
  tasker_test_add ("/join/race/collect-async", test_race_collect_async);
  tasker_test_add ("/join/race/join-async", test_race_join_async);
  tasker_test_add ("/join/race/task-join", test_race_task_join);
  tasker_test_add ("/join/collect-unfinished", test_collect_unfinished);
  tasker_test_add ("/join/deadlock", test_deadlock);
  tasker_test_add ("/join/deadlock/notify", test_deadlock_notify);
  tasker_test_add ("/join/deadlock/cancelled", test_deadlock_cancelled);
  tasker_test_add ("/join/no-deadlock", test_no_deadlock);
  tasker_test_add ("/join/new", test_join_new);
  tasker_test_add ("/join/bad-input", test_bad_input);
  tasker_test_add ("/join/bad-result", test_bad_result);

  return g_test_run ();
}
