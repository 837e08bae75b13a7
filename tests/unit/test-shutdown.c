/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a group within a bound: what is waited for, what is aborted, and
 * who is named. */

#include "tasker-test.h"

#include <string.h>
#include <time.h>

/* Warnings of the library go here. */
static GMutex log_lock;
static GString *log_text;
static GString *log_tasks;

static GLogWriterOutput
keep_warnings (GLogLevelFlags   level,
               const GLogField *fields,
               gsize            n_fields,
               gpointer         user_data)
{
  if (level & G_LOG_LEVEL_WARNING)
    {
      g_mutex_lock (&log_lock);
      for (gsize i = 0; i < n_fields; i++)
        {
          if (g_str_equal (fields[i].key, "MESSAGE"))
            g_string_append (log_text, fields[i].value);
          else if (g_str_equal (fields[i].key, "TASKER_TASKS"))
            g_string_append (log_tasks, fields[i].value);
        }
      g_mutex_unlock (&log_lock);
      return G_LOG_WRITER_HANDLED;
    }

  return g_log_writer_default (level, fields, n_fields, user_data);
}

static char *
take_warnings (char **tasks)
{
  char *text;

  g_mutex_lock (&log_lock);
  text = g_strdup (log_text->str);
  if (tasks != NULL)
    *tasks = g_strdup (log_tasks->str);
  g_string_truncate (log_text, 0);
  g_string_truncate (log_tasks, 0);
  g_mutex_unlock (&log_lock);

  return text;
}

static double
seconds_since (gint64 begin)
{
  return (double) (g_get_monotonic_time () - begin) / G_TIME_SPAN_SECOND;
}

/* Is deaf to its stopper until the gate opens. */
static gboolean
be_deaf (gpointer       gate,
         GCancellable  *stopper,
         GError       **error)
{
  return tasker_test_pass_gate (gate, NULL, error);
}

static void
test_prompt (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GError) error = NULL;
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < 20; i++)
    tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  g_assert_true (tasker_group_shutdown (group, 60000, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (seconds_since (begin), <, 30);
  g_assert_true (tasker_group_is_finished (group));
  g_assert_true (tasker_group_is_stopped (group));
  tasker_test_assert_counts (group, 20, 0, 0, 0, 20, 0);
}

static void
test_empty (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");

  g_assert_true (tasker_group_shutdown (group, 0, NULL, NULL));
  g_assert_true (tasker_group_shutdown (group, 10, NULL, NULL));
  g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* A failure is told as a join tells it. */
static void
test_failure (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GError) error = NULL;

  tasker_group_spawn (group, "culprit", tasker_test_fail, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_false (tasker_group_shutdown (group, 60000, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, "Task “culprit”"));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* Those who would not stop are warned of in time, and named in the end. */
static void
test_deaf (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GError) error = NULL;
  g_autofree char *warning = NULL;
  g_autofree char *tasks = NULL;
  gint64 begin;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
  tasker_group_spawn (group, "obedient", tasker_test_wait_stopped, NULL, NULL);
  tasker_test_gate_await (&gate, 1);

  begin = g_get_monotonic_time ();
  g_assert_false (tasker_group_shutdown (group, 400, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  g_assert_cmpfloat (seconds_since (begin), >=, 0.49);
  g_assert_nonnull (strstr (error->message, "1 task would not stop: “deaf” (0."));
  g_assert_null (strstr (error->message, "obedient"));

  warning = take_warnings (&tasks);
  g_assert_nonnull (strstr (warning, "Group “group”"));
  g_assert_nonnull (strstr (warning, "“deaf” (0.2 s)"));
  g_assert_true (g_str_has_prefix (tasks, "“deaf”"));
  g_assert_null (strstr (warning, "obedient"));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
  tasker_test_gate_clear (&gate);
}

/* The first ten are named, in groups below as well, and the rest counted. */
static void
test_many_deaf (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) child = tasker_group_new_child (group, "child");
  g_autoptr(GError) error = NULL;
  g_autofree char *warning = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  for (guint i = 0; i < 12; i++)
    tasker_group_spawn (i % 2 == 0 ? group : child, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 12);
  tasker_group_finish (child);

  g_assert_false (tasker_group_shutdown (group, 0, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "12 tasks"));
  g_assert_nonnull (strstr (error->message, "and 2 more"));
  g_assert_null (strstr (error->message, "“child”"));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
  warning = take_warnings (NULL);
  g_assert_cmpstr (warning, ==, "");
}

/* Run-always tasks run in the grace, and not after it. */
static gboolean
note_run (gpointer       has_run,
          GCancellable  *stopper,
          GError       **error)
{
  *(gboolean *) has_run = TRUE;
  return TRUE;
}

static void
test_grace (void)
{
  for (guint grace_ms = 0; grace_ms <= 60000; grace_ms += 60000)
    {
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(TaskerTask) task = NULL;
      gboolean has_run = FALSE;
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_set_max_running (group, 1);
      tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
      task = tasker_task_new ("flush", note_run, &has_run, NULL);
      tasker_task_set_run_always (task, TRUE);
      tasker_group_add (group, task);
      g_assert_true (tasker_group_shutdown (group, grace_ms, NULL, NULL));
      g_assert_cmpint (has_run, ==, grace_ms > 0);
      tasker_test_assert_equation (group);
      tasker_test_gate_clear (&gate);
    }
}

/* A clone that nobody finishes holds up neither a shutdown nor that of a parent;
 * what comes through it later is stopped at once, and makes a child a task of its
 * parent once more. */
static void
test_leaked_clone (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = tasker_group_new_child (parent, "child");
  g_autoptr(TaskerGroup) leaked = tasker_group_clone (parent);
  g_autoptr(TaskerGroup) leaked_child = tasker_group_clone (child);

  tasker_group_spawn (leaked, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (leaked_child, NULL, tasker_test_wait_stopped, NULL, NULL);
  g_assert_true (tasker_group_shutdown (parent, 60000, NULL, NULL));
  tasker_test_assert_counts (parent, 2, 0, 0, 0, 2, 0);
  tasker_test_assert_counts (child, 1, 0, 0, 0, 1, 0);

  tasker_group_spawn (leaked, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_spawn (leaked_child, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_shutdown (parent, 60000, NULL, NULL));
  g_assert_true (tasker_group_shutdown (child, 60000, NULL, NULL));
  tasker_test_assert_counts (parent, 4, 0, 0, 0, 4, 0);
  tasker_test_assert_counts (child, 2, 0, 0, 0, 2, 0);
}

/* What is added to a group below, although the shutdown has let go of that, is
 * waited for all the same. */
typedef struct
{
  TaskerGroup    *group;
  TaskerGroup    *leaked; /* two levels below it */
  TaskerTestGate  gate;   /* holds the group itself up */
  GAsyncResult   *result;
} Leak;

static void
leak_init (Leak *self,
           guint grace_ms)
{
  g_autoptr(TaskerGroup) child = NULL;
  g_autoptr(TaskerGroup) grandchild = NULL;

  *self = (Leak) { .group = tasker_test_group ("group") };
  tasker_test_gate_init (&self->gate);
  child = tasker_group_new_child (self->group, "child");
  grandchild = tasker_group_new_child (child, "grandchild");
  self->leaked = tasker_group_clone (grandchild);
  tasker_group_spawn (self->group, "gate", be_deaf, &self->gate, NULL);
  tasker_test_gate_await (&self->gate, 1);

  tasker_group_shutdown_async (self->group, grace_ms, NULL, tasker_test_keep, &self->result);
  tasker_test_assert_counts (self->group, 2, 1, 0, 0, 1, 0);
  g_assert_true (tasker_group_is_stopped (self->leaked));
}

/* What was added has made the child a task of the group once more. */
static void
leak_assert_pending (Leak *self)
{
  tasker_test_gate_open (&self->gate);
  tasker_test_iterate_until (tasker_group_get_n_tasks (self->group) == 1);
  g_usleep (20000);
  tasker_test_come_to_rest ();
  g_assert_null (self->result);
  tasker_test_assert_counts (self->group, 3, 1, 1, 0, 1, 0);
}

static void
leak_finish (Leak *self)
{
  g_autoptr(GError) error = NULL;

  tasker_test_iterate_until (self->result != NULL);
  g_assert_true (tasker_group_shutdown_finish (self->group, self->result, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tasker_group_get_n_tasks (self->leaked), ==, 0);
}

static void
leak_clear (Leak *self)
{
  tasker_group_finish (self->leaked);
  g_assert_true (tasker_group_join (self->group, NULL, NULL));
  g_clear_object (&self->result);
  g_clear_object (&self->leaked);
  g_clear_object (&self->group);
  tasker_test_gate_clear (&self->gate);
}

static void
test_late_flush (void)
{
  g_autoptr(TaskerTask) flush = NULL;
  g_autofree char *dump = NULL;
  TaskerTestGate gate;
  Leak leak;

  leak_init (&leak, G_MAXUINT);
  tasker_test_gate_init (&gate);
  flush = tasker_task_new ("flush", be_deaf, &gate, NULL);
  tasker_task_set_run_always (flush, TRUE);
  tasker_group_add (leak.leaked, flush);
  tasker_test_gate_await (&gate, 1);
  leak_assert_pending (&leak);
  dump = tasker_group_dump (leak.group);
  g_assert_nonnull (strstr (dump, "flush"));

  tasker_test_gate_open (&gate);
  leak_finish (&leak);
  g_assert_cmpint (tasker_task_get_state (flush), ==, TASKER_TASK_STATE_SUCCEEDED);
  tasker_test_assert_counts (leak.group, 3, 0, 2, 0, 1, 0);
  leak_clear (&leak);
  tasker_test_gate_clear (&gate);
}

static gboolean
never_called (gpointer       data,
              GCancellable  *stopper,
              GError       **error)
{
  g_assert_not_reached ();
}

static void
note_freed (gpointer is_freed)
{
  *(gboolean *) is_freed = TRUE;
}

static void
test_late_local (void)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  gboolean is_freed = FALSE;
  Leak leak;

  leak_init (&leak, G_MAXUINT);
  g_main_context_push_thread_default (context);
  tasker_group_spawn_local (leak.leaked, "local", never_called, &is_freed, note_freed);
  g_main_context_pop_thread_default (context);
  leak_assert_pending (&leak);
  g_assert_false (is_freed);

  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (is_freed);
  leak_finish (&leak);
  tasker_test_assert_counts (leak.group, 3, 0, 1, 0, 2, 0);
  leak_clear (&leak);
}

/* A process that does not hear the stop gets the group's abort. */
static void
test_late_subprocess (void)
{
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(TaskerTask) task = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *tasks = NULL;
  gint64 begin = g_get_monotonic_time ();
  char text[1];
  Leak leak;

  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                              "sh", "-c", "trap '' TERM; echo; exec sleep 987", NULL);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (process), text, 1, NULL, NULL), ==, 1);

  leak_init (&leak, 1000);
  task = tasker_task_new_for_subprocess ("process", process);
  tasker_group_add (leak.leaked, task);
  leak_assert_pending (&leak);
  leak_finish (&leak);
  g_assert_cmpfloat (seconds_since (begin), >=, 1);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
  tasker_test_assert_counts (leak.group, 3, 0, 1, 0, 1, 1);
  g_free (take_warnings (&tasks));
  g_assert_true (g_str_has_prefix (tasks, "“process”"));
  leak_clear (&leak);
}

/* Tasks of the group hand to a group below what they owe; whatever thread lets go
 * of that meanwhile, nothing is left when the shutdown is over. */
typedef struct
{
  TaskerGroup *below;
  int          n_added;   /* atomic */
  int          n_flushed; /* likewise */
} Debtor;

static gboolean
flush_late (gpointer       data,
            GCancellable  *stopper,
            GError       **error)
{
  g_usleep (50);
  g_atomic_int_inc (&((Debtor *) data)->n_flushed);
  return TRUE;
}

static gboolean
owe (gpointer       data,
     GCancellable  *stopper,
     GError       **error)
{
  Debtor *debtor = data;

  tasker_stopper_wait (TASKER_STOPPER (stopper));
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr(TaskerTask) flush = tasker_task_new ("flush", flush_late, debtor, NULL);

      tasker_task_set_run_always (flush, TRUE);
      g_atomic_int_inc (&debtor->n_added);
      tasker_group_add (debtor->below, flush);
      if (i % 2 == 0)
        g_usleep (100);
    }

  return TRUE;
}

static void
test_late_race (void)
{
  guint n_rounds = tasker_test_rounds (500);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(TaskerGroup) child = tasker_group_new_child (group, "child");
      g_autoptr(TaskerGroup) below = tasker_group_new_child (child, "below");
      Debtor debtor = { .below = below };
      g_autoptr(GError) error = NULL;

      tasker_group_set_ordered_shutdown (group, i % 2 == 0);
      for (guint j = 0; j < 3; j++)
        {
          g_autoptr(TaskerTask) task = tasker_task_new ("owe", owe, &debtor, NULL);

          tasker_task_set_run_always (task, TRUE);
          tasker_group_add (group, task);
        }
      if (i % 3 == 0)
        tasker_group_finish (child);
      g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpint (g_atomic_int_get (&debtor.n_added), ==, 15);
      g_assert_cmpint (g_atomic_int_get (&debtor.n_flushed), ==, 15);
      tasker_test_assert_counts (below, 15, 0, 15, 0, 0, 0);
      tasker_test_assert_equation (child);
      tasker_test_assert_equation (group);
    }
}

/* While a thread makes groups tasks of their parents once more, the one above them
 * all has nothing left of its own. Who adds something below relies on that one, too.
 * The thread is held up where it cancels what stands for the groups. */
enum
{
  GATE_GROUP,
  GATE_CHILD,
  GATE_FLUSH,
  GATE_FIRST, /* where the thread cancels */
  GATE_SECOND,
  N_GATES,
};

typedef struct
{
  TaskerGroup    *below;
  TaskerTestGate  gates[N_GATES];
  GThread        *thread;   /* atomic */
  guint           n_passed; /* in the thread only */
} Returner;

static gboolean
hold_up (GSignalInvocationHint *hint,
         guint                  n_values,
         const GValue          *values,
         gpointer               data)
{
  Returner *self = data;

  if (g_atomic_pointer_get (&self->thread) == g_thread_self () && GATE_FIRST + self->n_passed < N_GATES)
    tasker_test_pass_gate (&self->gates[GATE_FIRST + self->n_passed++], NULL, NULL);

  return TRUE;
}

static gpointer
spawn_below (gpointer data)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  Returner *self = data;

  /* What ends here only, so that no runner makes anything a task again. */
  g_main_context_push_thread_default (context);
  g_atomic_pointer_set (&self->thread, g_thread_self ());
  tasker_group_spawn_local (self->below, NULL, never_called, NULL, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* Holds the thread up, and has @child lose what it has, and then adds a task below. */
static GThread *
returner_begin (Returner    *self,
                TaskerGroup *child,
                TaskerTask  *flush)
{
  GThread *thread = g_thread_new ("returner", spawn_below, self);

  tasker_test_gate_await (&self->gates[GATE_FIRST], 1);
  tasker_test_gate_open (&self->gates[GATE_CHILD]);
  tasker_test_wait_for (tasker_group_get_n_tasks (child) == 0);
  tasker_test_gate_open (&self->gates[GATE_FIRST]);
  tasker_test_gate_await (&self->gates[GATE_SECOND], 1);

  tasker_task_set_run_always (flush, TRUE);
  tasker_group_add (self->below, flush);
  tasker_test_gate_await (&self->gates[GATE_FLUSH], 1);

  return thread;
}

static void
test_late_line (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) child = tasker_group_new_child (group, "child");
  g_autoptr(TaskerGroup) middle = tasker_group_new_child (child, "middle");
  g_autoptr(TaskerGroup) below = tasker_group_new_child (middle, "below");
  g_autoptr(GAsyncResult) result = NULL;
  Returner returner = { .below = below };
  g_autoptr(TaskerTask) flush = tasker_task_new ("flush", be_deaf, &returner.gates[GATE_FLUSH], NULL);
  guint cancelled = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);
  GThread *thread;
  gulong hook;

  for (guint i = 0; i < N_GATES; i++)
    tasker_test_gate_init (&returner.gates[i]);
  tasker_group_spawn (group, "deaf", be_deaf, &returner.gates[GATE_GROUP], NULL);
  tasker_group_spawn (child, "deaf", be_deaf, &returner.gates[GATE_CHILD], NULL);
  tasker_test_gate_await (&returner.gates[GATE_GROUP], 1);
  tasker_test_gate_await (&returner.gates[GATE_CHILD], 1);
  tasker_group_shutdown_async (group, G_MAXUINT, NULL, tasker_test_keep, &result);
  tasker_test_assert_counts (child, 2, 1, 0, 0, 1, 0);

  hook = g_signal_add_emission_hook (cancelled, 0, hold_up, &returner, NULL);
  thread = returner_begin (&returner, child, flush);
  tasker_test_gate_open (&returner.gates[GATE_GROUP]);
  tasker_test_iterate_until (tasker_group_get_n_tasks (group) <= 1);
  tasker_test_come_to_rest ();
  g_assert_null (result);

  tasker_test_gate_open (&returner.gates[GATE_FLUSH]);
  tasker_test_gate_open (&returner.gates[GATE_SECOND]);
  g_thread_join (thread);
  g_signal_remove_emission_hook (cancelled, hook);
  tasker_test_iterate_until (result != NULL);
  g_assert_true (tasker_group_shutdown_finish (group, result, NULL));
  tasker_test_assert_counts (below, 2, 0, 1, 0, 1, 0);
  for (guint i = 0; i < N_GATES; i++)
    tasker_test_gate_clear (&returner.gates[i]);
}

/* A wait that is cancelled leaves the group stopping: no abort follows. */
static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (50000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancelled (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;
  gboolean has_run = FALSE;
  g_autoptr(TaskerTask) flush = tasker_task_new ("flush", note_run, &has_run, NULL);
  g_autofree char *warning = NULL;
  TaskerTestGate gate;
  GThread *thread;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_task_set_run_always (flush, TRUE);
  tasker_group_add (group, flush);

  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_false (tasker_group_shutdown (group, 300, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_assert_true (tasker_group_is_stopped (group));

  g_usleep (400000);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (has_run);
  tasker_test_gate_clear (&gate);
  warning = take_warnings (NULL);
  g_assert_cmpstr (warning, ==, "");
}

/* What belongs to a context that a blocked thread runs cannot be done; the deadline
 * holds all the same. */
typedef struct
{
  GMainContext   *context;
  TaskerTestGate  gate;
} Owner;

static gpointer
block_in_context (gpointer data)
{
  Owner *owner = data;

  g_assert_true (g_main_context_acquire (owner->context));
  tasker_test_pass_gate (&owner->gate, NULL, NULL);
  g_main_context_release (owner->context);

  return NULL;
}

static void
test_blocked_owner (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GError) error = NULL;
  Owner owner = { .context = g_main_context_new () };
  gboolean is_freed = FALSE;
  gint64 begin;
  GThread *thread;

  tasker_test_gate_init (&owner.gate);
  g_main_context_push_thread_default (owner.context);
  tasker_group_spawn_local (group, "local", never_called, &is_freed, note_freed);
  g_main_context_pop_thread_default (owner.context);
  thread = g_thread_new ("owner", block_in_context, &owner);
  tasker_test_gate_await (&owner.gate, 1);

  begin = g_get_monotonic_time ();
  g_assert_false (tasker_group_shutdown (group, 200, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "“local”"));
  g_assert_cmpfloat (seconds_since (begin), >=, 0.29);
  g_assert_false (is_freed);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&owner.gate);
  g_thread_join (thread);
  g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, NULL));
  g_assert_true (is_freed);
  tasker_test_gate_clear (&owner.gate);
  g_main_context_unref (owner.context);
  g_free (take_warnings (NULL));
}

/* Data that is slow to be freed is waited for, too. */
static void
free_slowly (gpointer is_freed)
{
  g_usleep (200000);
  *(gboolean *) is_freed = TRUE;
}

static void
test_slow_free (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  gboolean are_freed[2] = { FALSE, FALSE };
  gint64 begin;

  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "runs", tasker_test_wait_stopped, &are_freed[0], free_slowly);
  tasker_group_spawn (group, "queued", never_called, &are_freed[1], free_slowly);

  begin = g_get_monotonic_time ();
  g_assert_true (tasker_group_shutdown (group, 60000, NULL, NULL));
  g_assert_cmpfloat (seconds_since (begin), >=, 0.2);
  g_assert_true (are_freed[0] && are_freed[1]);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 2, 0);
}

/* One child alone, while its sister goes on, and with a handle left over. */
static void
test_partial (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = tasker_group_new_child (parent, "child");
  g_autoptr(TaskerGroup) sister = tasker_group_new_child (parent, "sister");
  g_autoptr(TaskerGroup) leaked = tasker_group_clone (child);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (sister, "gate", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);

  g_assert_true (tasker_group_shutdown (child, 60000, NULL, NULL));
  tasker_test_assert_counts (child, 1, 0, 0, 0, 1, 0);
  tasker_test_assert_counts (parent, 2, 1, 0, 0, 1, 0);
  tasker_test_assert_counts (sister, 1, 1, 0, 0, 0, 0);
  g_assert_false (tasker_group_is_stopped (parent));
  g_assert_false (tasker_group_is_stopped (sister));

  tasker_test_gate_open (&gate);
  tasker_group_finish (sister);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  tasker_test_assert_counts (parent, 2, 0, 1, 0, 1, 0);
  tasker_test_gate_clear (&gate);
}

/* Several at once, each with its own bound; the shortest one aborts. */
static gpointer
shut_down_patiently (gpointer group)
{
  g_autoptr(GError) error = NULL;

  tasker_group_shutdown (group, G_MAXUINT, NULL, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
test_two (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr(GError) error = NULL;
  GThread *thread;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  thread = g_thread_new ("patient", shut_down_patiently, clone);
  g_assert_false (tasker_group_shutdown (group, 100, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  tasker_test_gate_open (&gate);
  g_thread_join (thread);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
  g_free (take_warnings (NULL));
}

/* On a main loop, with work that has to be done there. */
static gboolean
end_at_stop (gpointer       n_steps,
             GCancellable  *stopper,
             GError       **error)
{
  ++*(guint *) n_steps;
  return g_cancellable_is_cancelled (stopper) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
test_async (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  guint n_steps = 0;

  tasker_group_spawn_local (group, NULL, end_at_stop, &n_steps, NULL);
  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_test_iterate_until (n_steps > 3);
  tasker_group_shutdown_async (group, 60000, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_true (tasker_group_shutdown_finish (group, result, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
}

static void
test_async_deaf (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_group_shutdown_async (group, 0, NULL, tasker_test_keep, &result);
  tasker_test_iterate_until (result != NULL);
  g_assert_false (tasker_group_shutdown_finish (group, result, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "“deaf”"));
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

/* A wait that was cancelled aborts nothing, also where its result is left alone. */
static void
test_async_cancelled (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  gboolean has_run = FALSE;
  g_autoptr(TaskerTask) flush = tasker_task_new ("flush", note_run, &has_run, NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_task_set_run_always (flush, TRUE);
  tasker_group_add (group, flush);

  tasker_group_shutdown_async (group, 500, cancellable, tasker_test_keep, &result);
  g_cancellable_cancel (cancellable);
  tasker_test_iterate_until (result != NULL);
  g_usleep (700000);
  g_assert_false (tasker_group_shutdown_finish (group, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (has_run);
  tasker_test_gate_clear (&gate);
  g_free (take_warnings (NULL));
}

/* That the grace is over keeps no thread busy where the wait has ended before, and
 * its main loop has not come to that. */
static void
test_async_blocked_loop (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GAsyncResult) result = NULL;
  clock_t begin;

  tasker_group_shutdown_async (group, 100, NULL, tasker_test_keep, &result);
  begin = clock ();
  g_usleep (550000);
  g_assert_cmpfloat ((double) (clock () - begin) / CLOCKS_PER_SEC, <, 0.1);
  tasker_test_iterate_until (result != NULL);
  g_assert_true (tasker_group_shutdown_finish (group, result, NULL));
}

/* Cancelled just when the grace is over: it is aborted by then, or never. */
static gboolean
is_aborted (TaskerGroup *group)
{
  g_autofree char *dump = tasker_group_dump (group);

  return strstr (dump, ", aborted, ") != NULL;
}

static void
test_cancel_races (void)
{
  guint n_rounds = tasker_test_rounds (40);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GError) error = NULL;
      GThread *thread;
      gboolean aborted;
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_spawn (group, "deaf", be_deaf, &gate, NULL);
      tasker_test_gate_await (&gate, 1);
      thread = g_thread_new ("cancel", cancel_soon, cancellable);
      g_assert_false (tasker_group_shutdown (group, 50, cancellable, &error));
      aborted = is_aborted (group);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_usleep (1000);
      g_assert_true (is_aborted (group) == aborted);

      g_thread_join (thread);
      tasker_test_gate_open (&gate);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_gate_clear (&gate);
    }
  g_free (take_warnings (NULL));
}

/* Inside of a task of the group nothing is stopped either. */
static gboolean
shut_down_inside (gpointer       group,
                  GCancellable  *stopper,
                  GError       **error)
{
  g_autoptr(GError) local_error = NULL;

  g_assert_false (tasker_group_shutdown (group, 0, NULL, &local_error));
  g_assert_error (local_error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);
  g_assert_false (tasker_group_is_stopped (group));

  return TRUE;
}

static void
test_deadlock (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) clone = tasker_group_clone (group);

  tasker_group_spawn (group, NULL, shut_down_inside, clone, NULL);
  tasker_test_wait_for (tasker_group_is_finished (clone));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Children one after the other, the last one first. */
typedef struct
{
  GMutex   lock;
  GString *order;
  int      n_begun; /* atomic */
} Order;

typedef struct
{
  Order *order;
  char   name;
} Place;

static gboolean
note_order (gpointer       data,
            GCancellable  *stopper,
            GError       **error)
{
  Place *place = data;

  g_atomic_int_inc (&place->order->n_begun);
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  g_usleep (5000);
  g_mutex_lock (&place->order->lock);
  g_string_append_c (place->order->order, place->name);
  g_mutex_unlock (&place->order->lock);

  return TRUE;
}

#define N_CHILDREN 8

static void
test_ordered (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func (g_object_unref);
  Order order = { .order = g_string_new (NULL) };
  Place places[N_CHILDREN];

  g_mutex_init (&order.lock);
  tasker_group_set_ordered_shutdown (group, TRUE);
  for (guint i = 0; i < N_CHILDREN; i++)
    {
      places[i] = (Place) { &order, (char) ('a' + i) };
      g_ptr_array_add (children, tasker_group_new_child (group, "child"));
      tasker_group_spawn (children->pdata[i], NULL, note_order, &places[i], NULL);
    }
  /* What has not begun would not be run. */
  tasker_test_wait_for (g_atomic_int_get (&order.n_begun) == N_CHILDREN);

  g_assert_true (tasker_group_shutdown (group, 60000, NULL, NULL));
  g_assert_cmpstr (order.order->str, ==, "hgfedcba");
  tasker_test_assert_counts (group, N_CHILDREN, 0, N_CHILDREN, 0, 0, 0);
  g_string_free (order.order, TRUE);
  g_mutex_clear (&order.lock);
}

/* All under the one deadline: behind a deaf child the others are aborted. */
static void
test_ordered_deaf (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) first = NULL;
  g_autoptr(TaskerGroup) last = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *tasks = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  g_object_set (group, "ordered-shutdown", TRUE, NULL);
  first = tasker_group_new_child (group, "first");
  last = tasker_group_new_child (group, "last");
  tasker_group_spawn (first, "obedient", tasker_test_wait_stopped, NULL, NULL);
  tasker_group_spawn (last, "deaf", be_deaf, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  g_assert_false (tasker_group_shutdown (group, 200, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "deaf"));
  g_assert_null (strstr (error->message, "obedient"));
  tasker_test_assert_counts (first, 1, 0, 0, 0, 0, 1);

  /* Who was not asked yet ignores nothing. */
  g_free (take_warnings (&tasks));
  g_assert_true (g_str_has_prefix (tasks, "“deaf”"));
  g_assert_null (strstr (tasks, "obedient"));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

/* The order is that in which groups are asked to stop: where the stop was before,
 * there is none, other than among those that do not stop with their parent. */
static void
test_ordered_late (void)
{
  for (guint i = 0; i < 2; i++)
    {
      gboolean stops = i == 0;
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(TaskerGroup) first = NULL;
      g_autoptr(TaskerGroup) last = NULL;
      g_autoptr(GAsyncResult) result = NULL;
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_set_ordered_shutdown (group, TRUE);
      first = g_object_new (TASKER_TYPE_GROUP, "parent", group, "stop-with-parent", stops, NULL);
      last = g_object_new (TASKER_TYPE_GROUP, "parent", group, "stop-with-parent", stops, NULL);
      tasker_group_spawn (last, "deaf", be_deaf, &gate, NULL);
      tasker_test_gate_await (&gate, 1);

      tasker_group_stop (group);
      g_assert_true (tasker_group_is_stopped (first) == stops);
      tasker_group_shutdown_async (group, G_MAXUINT, NULL, tasker_test_keep, &result);
      tasker_test_iterate_until (tasker_group_is_stopped (last));
      g_usleep (20000);
      g_assert_true (tasker_group_is_stopped (first) == stops);

      tasker_test_gate_open (&gate);
      tasker_test_iterate_until (result != NULL);
      g_assert_true (tasker_group_shutdown_finish (group, result, NULL));
      g_assert_true (tasker_group_is_stopped (first));
      tasker_test_assert_counts (group, 2, 0, 1, 0, 1, 0);
      tasker_test_gate_clear (&gate);
    }
}

/* What does not stop with its parent is waited for as long as it has something to
 * do, and aborted with it; a handle on it that nobody finishes holds up nothing. In
 * order, it is stopped when its turn comes. */
static void
test_not_stopped (void)
{
  for (guint i = 0; i < 2; i++)
    {
      gboolean in_order = i == 1;
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(TaskerGroup) empty = NULL;
      g_autoptr(TaskerGroup) below = NULL;
      g_autoptr(GError) error = NULL;

      tasker_group_set_ordered_shutdown (group, in_order);
      empty = g_object_new (TASKER_TYPE_GROUP, "parent", group, "stop-with-parent", FALSE, NULL);
      below = tasker_group_new_child (empty, "below");
      g_assert_true (tasker_group_shutdown (group, G_MAXUINT, NULL, &error));
      g_assert_no_error (error);
      g_assert_true (tasker_group_is_stopped (empty) == in_order);
      g_assert_true (tasker_group_is_stopped (below) == in_order);
      tasker_test_assert_counts (group, 1, 0, !in_order, 0, in_order, 0);
    }

  for (guint i = 0; i < 2; i++)
    {
      gboolean in_order = i == 1;
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      g_autoptr(TaskerGroup) busy = NULL;
      g_autoptr(GError) error = NULL;
      gint64 begin = g_get_monotonic_time ();

      tasker_group_set_ordered_shutdown (group, in_order);
      busy = g_object_new (TASKER_TYPE_GROUP, "parent", group, "stop-with-parent", FALSE, NULL);
      tasker_group_spawn (busy, "busy", tasker_test_wait_stopped, NULL, NULL);
      g_assert_true (tasker_group_shutdown (group, in_order ? 60000 : 200, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpfloat (seconds_since (begin), >=, in_order ? 0 : 0.2);
      g_assert_true (tasker_group_is_stopped (busy));
      tasker_test_assert_counts (group, 1, 0, 0, 0, in_order, !in_order);
      tasker_test_assert_counts (busy, 1, 0, 0, 0, in_order, !in_order);

      tasker_group_spawn (busy, "late", never_called, NULL, NULL);
      g_assert_true (tasker_group_shutdown (group, 0, NULL, NULL));
      g_assert_cmpuint (tasker_group_get_n_tasks (busy), ==, 0);
    }
}

/* A child that is made through a handle which was left over was never run. */
static void
test_late_child (void)
{
  g_autoptr(TaskerGroup) group = tasker_test_group ("group");
  g_autoptr(TaskerGroup) leaked = tasker_group_clone (group);
  g_autoptr(TaskerGroup) child = NULL;

  g_assert_true (tasker_group_shutdown (group, 60000, NULL, NULL));
  child = tasker_group_new_child (leaked, "late");
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
  tasker_group_abort (group);
  tasker_group_finish (child);
  g_clear_object (&child);
  child = tasker_group_new_child (leaked, "later");
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
}

/* A long line of children with nothing in them, and groups in order inside of
 * groups in order: no recursion. */
static void
test_ordered_depth (void)
{
  guint n_groups = tasker_test_rounds (5000);
  g_autoptr(TaskerGroup) top = tasker_test_group ("top");
  g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func (g_object_unref);

  tasker_group_set_ordered_shutdown (top, TRUE);
  for (guint i = 0; i < n_groups; i++)
    g_ptr_array_add (groups, tasker_group_new_child (top, "beside"));
  for (guint i = 0; i < n_groups; i++)
    {
      TaskerGroup *below = tasker_group_new_child (i > 0 ? g_ptr_array_index (groups, groups->len - 1) : top, "below");

      tasker_group_set_ordered_shutdown (below, TRUE);
      g_ptr_array_add (groups, below);
    }

  g_assert_true (tasker_group_shutdown (top, G_MAXUINT, NULL, NULL));
  tasker_test_assert_equation (top);
}

/* A shutdown against tasks that end, handles that go and children that come. */
static gpointer
make_trouble (gpointer data)
{
  g_autoptr(TaskerGroup) handle = data;

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr(TaskerGroup) child = tasker_group_new_child (handle, "child");

      tasker_group_spawn (handle, NULL, tasker_test_wait_stopped, NULL, NULL);
      tasker_group_spawn (child, NULL, tasker_test_succeed, NULL, NULL);
    }

  return NULL;
}

static void
test_race (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr(TaskerGroup) group = tasker_test_group ("group");
      GThread *thread = g_thread_new ("trouble", make_trouble, tasker_group_clone (group));
      g_autoptr(GError) error = NULL;

      tasker_group_set_ordered_shutdown (group, i % 2 == 0);
      g_assert_true (tasker_group_shutdown (group, 60000, NULL, &error));
      g_assert_no_error (error);
      g_thread_join (thread);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
      tasker_test_assert_equation (group);
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);
  log_text = g_string_new (NULL);
  log_tasks = g_string_new (NULL);
  g_log_set_writer_func (keep_warnings, NULL, NULL);

  tasker_test_add ("/shutdown/prompt", test_prompt);
  tasker_test_add ("/shutdown/empty", test_empty);
  tasker_test_add ("/shutdown/failure", test_failure);
  tasker_test_add ("/shutdown/deaf", test_deaf);
  tasker_test_add ("/shutdown/many-deaf", test_many_deaf);
  tasker_test_add ("/shutdown/grace", test_grace);
  tasker_test_add ("/shutdown/leaked-clone", test_leaked_clone);
  tasker_test_add ("/shutdown/late-flush", test_late_flush);
  tasker_test_add ("/shutdown/late-local", test_late_local);
  tasker_test_add ("/shutdown/late-subprocess", test_late_subprocess);
  tasker_test_add ("/shutdown/late-race", test_late_race);
  tasker_test_add ("/shutdown/late-line", test_late_line);
  tasker_test_add ("/shutdown/cancelled", test_cancelled);
  tasker_test_add ("/shutdown/blocked-owner", test_blocked_owner);
  tasker_test_add ("/shutdown/slow-free", test_slow_free);
  tasker_test_add ("/shutdown/partial", test_partial);
  tasker_test_add ("/shutdown/two", test_two);
  tasker_test_add ("/shutdown/async", test_async);
  tasker_test_add ("/shutdown/async-deaf", test_async_deaf);
  tasker_test_add ("/shutdown/async-cancelled", test_async_cancelled);
  tasker_test_add ("/shutdown/async-blocked-loop", test_async_blocked_loop);
  tasker_test_add ("/shutdown/cancel-races", test_cancel_races);
  tasker_test_add ("/shutdown/deadlock", test_deadlock);
  tasker_test_add ("/shutdown/ordered", test_ordered);
  tasker_test_add ("/shutdown/ordered-deaf", test_ordered_deaf);
  tasker_test_add ("/shutdown/ordered-late", test_ordered_late);
  tasker_test_add ("/shutdown/not-stopped", test_not_stopped);
  tasker_test_add ("/shutdown/late-child", test_late_child);
  tasker_test_add ("/shutdown/ordered-depth", test_ordered_depth);
  tasker_test_add ("/shutdown/race", test_race);

  return g_test_run ();
}
