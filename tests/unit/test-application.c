/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_group_bind_application(): every way in which an application ends, and
 * what happens meanwhile. Where signals are sent, or a thread is left behind, it
 * is a process of its own that ends. */

#include "tasker-test-child.h"

#include <signal.h>
#include <string.h>

#define GRACE_MS 60000

/* An application that begins two tasks when it is activated, and then ends. */
typedef struct
{
  GApplication *application;
  TaskerGroup  *group;
  void        (*end) (GApplication *application); /* when both tasks have begun */
  guint         n_activations;
  int           thread_begun; /* atomic */
  gboolean      local_begun;
  guint         n_late;       /* steps after the stop */
} Program;

static gboolean
run_in_thread (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_atomic_int_set (&((Program *) user_data)->thread_begun, TRUE);

  return tasker_test_wait_stopped (NULL, stopper, error);
}

static gboolean
run_locally (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  Program *program = user_data;

  if (g_cancellable_is_cancelled (stopper))
    program->n_late++;
  program->local_begun = TRUE;

  return program->n_late < 5;
}

static gboolean
end_when_begun (gpointer user_data)
{
  Program *program = user_data;

  if (!program->local_begun || !g_atomic_int_get (&program->thread_begun))
    return G_SOURCE_CONTINUE;

  program->end (program->application);

  return G_SOURCE_REMOVE;
}

static void
on_activate (GApplication *application,
             gpointer      user_data)
{
  Program *program = user_data;

  tasker_group_spawn (program->group, "thread", run_in_thread, program, NULL);
  tasker_group_spawn_local (program->group, "local", run_locally, program, NULL);
  if (program->n_activations++ > 0)
    return;

  g_application_hold (application);
  g_timeout_add (1, end_when_begun, program);
}

static void
program_init_unbound (Program    *program,
                      const char *name)
{
  memset (program, 0, sizeof *program);
  program->end = g_application_quit;
  program->application = g_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_signal_connect (program->application, "activate", G_CALLBACK (on_activate), program);
  program->group = tasker_test_group (name);
}

static void
program_init (Program    *program,
              const char *name,
              guint       grace_ms)
{
  program_init_unbound (program, name);
  tasker_group_bind_application (program->group, program->application, grace_ms);
}

static void
program_run (Program *program)
{
  g_assert_cmpint (g_application_run (program->application, 0, NULL), ==, 0);
}

static void
program_clear (Program *program)
{
  g_object_unref (program->application);
  g_clear_object (&program->group);
}

/* The ways to end */

static void
check_end (void (*end) (GApplication *application))
{
  Program program;

  program_init (&program, "work", GRACE_MS);
  program.end = end;
  program_run (&program);

  g_assert_true (tasker_group_is_stopped (program.group));
  g_assert_false (tasker_group_is_finished (program.group));
  g_assert_cmpuint (program.n_late, ==, 5);
  tasker_test_assert_counts (program.group, 2, 0, 1, 0, 1, 0);
  program_clear (&program);
}

static void
test_quit (void)
{
  check_end (g_application_quit);
}

static void
test_release (void)
{
  check_end (g_application_release);
}

/* Signals */

static void
say_ready (GApplication *application)
{
  tasker_test_say ("ready");
}

static void
play_signal (void)
{
  Program program;
  GError *error = NULL;

  program_init (&program, NULL, GRACE_MS);
  g_assert_true (tasker_group_stop_on_signal (program.group, SIGTERM, &error));
  program.end = say_ready;
  program_run (&program);
  tasker_test_say_counts (program.group);
  program_clear (&program);
}

static void
test_signal (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "signal");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "2 = 0 live + 1 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

static void
play_early_signal (void)
{
  Program program;
  GError *error = NULL;

  program_init (&program, NULL, GRACE_MS);
  g_assert_true (tasker_group_stop_on_signal (program.group, SIGTERM, &error));
  tasker_test_say ("ready");
  tasker_test_iterate_until (tasker_group_is_stopped (program.group));
  tasker_test_iterate ();
  program_run (&program);
  tasker_test_say_counts (program.group);
  program_clear (&program);
}

static void
test_early_signal (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "early-signal");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "2 = 0 live + 0 succeeded + 0 failed + 2 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

/* A second signal ends the wait for a task that nobody completes. */
static gboolean
never_complete (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  return TRUE;
}

static gboolean
say_when_one_is_left (gpointer group)
{
  if (tasker_group_get_n_tasks (group) > 1)
    return G_SOURCE_CONTINUE;

  tasker_test_say ("one is left");

  return G_SOURCE_REMOVE;
}

static void
on_shutdown_begins (GApplication *application,
                    gpointer      group)
{
  g_timeout_add (1, say_when_one_is_left, group);
}

static void
play_two_signals (void)
{
  Program program;
  g_autoptr (TaskerTask) task = tasker_task_new_async ("never", never_complete, NULL, NULL);
  GError *error = NULL;

  program_init_unbound (&program, NULL);
  g_signal_connect (program.application, "shutdown", G_CALLBACK (on_shutdown_begins), program.group);
  tasker_group_bind_application (program.group, program.application, G_MAXUINT);
  g_assert_true (tasker_group_stop_on_signal (program.group, SIGTERM, &error));
  tasker_group_add (program.group, task);
  program.end = say_ready;
  program_run (&program);
  tasker_test_say_counts (program.group);
  program_clear (&program);
}

static void
test_two_signals (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "two-signals");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "one is left");
  tasker_test_child_signal (&child, SIGTERM, "3 = 0 live + 1 succeeded + 0 failed + 1 stopped + 1 aborted");
  tasker_test_child_ends (&child);
}

/* Meanwhile */

static gboolean
open_gate (gpointer gate)
{
  tasker_test_gate_open (gate);

  return G_SOURCE_REMOVE;
}

static void
open_gate_later (GApplication   *application,
                 TaskerTestGate *gate)
{
  g_timeout_add (20, open_gate, gate);
}

/* Only threads are waited for, and the main context is iterated all the same. */
static void
test_iterates (void)
{
  g_autoptr (GApplication) application = g_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  g_signal_connect (application, "activate", G_CALLBACK (tasker_test_iterate), NULL);
  g_signal_connect (application, "shutdown", G_CALLBACK (open_gate_later), &gate);
  tasker_group_bind_application (group, application, GRACE_MS);
  tasker_group_spawn (group, "gate", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  g_assert_cmpint (g_application_run (application, 0, NULL), ==, 0);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static gboolean
activate_again (gpointer application)
{
  g_application_activate (application);

  return G_SOURCE_REMOVE;
}

static void
on_shutdown (GApplication *application,
             gpointer      user_data)
{
  g_idle_add (activate_again, application);
}

static void
test_activated_again (void)
{
  Program program;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  program_init_unbound (&program, NULL);
  g_signal_connect (program.application, "shutdown", G_CALLBACK (on_shutdown), NULL);
  g_signal_connect (program.application, "shutdown", G_CALLBACK (open_gate_later), &gate);
  tasker_group_bind_application (program.group, program.application, GRACE_MS);
  tasker_group_spawn (program.group, "gate", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  program_run (&program);
  g_assert_cmpuint (program.n_activations, ==, 2);
  tasker_test_assert_counts (program.group, 5, 0, 2, 0, 3, 0);
  program_clear (&program);
  tasker_test_gate_clear (&gate);
}

/* What does not end, or fails */

static GLogWriterOutput
say_warning (GLogLevelFlags   level,
             const GLogField *fields,
             gsize            n_fields,
             gpointer         user_data)
{
  const char *message = NULL;

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      message = fields[i].value;

  if ((level & G_LOG_LEVEL_WARNING) == 0)
    return g_log_writer_default (level, fields, n_fields, user_data);

  tasker_test_say (strstr (message, "deaf") != NULL ? "named" : message);

  return G_LOG_WRITER_HANDLED;
}

static void
play_overrun (void)
{
  static TaskerTestGate gate;
  Program program;

  g_log_set_writer_func (say_warning, NULL, NULL);
  tasker_test_gate_init (&gate);
  program_init (&program, "work", 100);
  tasker_group_spawn (program.group, "deaf", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  program_run (&program);
  tasker_test_say_counts (program.group);
  program_clear (&program);
}

/* It is named when half of the grace is over, and when all of it is. */
static void
test_overrun (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "overrun");
  tasker_test_child_expect (&child, "named");
  tasker_test_child_expect (&child, "named");
  tasker_test_child_expect (&child, "3 = 1 live + 1 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

static void
test_failure (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new ("flush", tasker_test_fail, NULL, NULL);
  Program program;

  program_init (&program, NULL, GRACE_MS);
  tasker_group_add (program.group, task);
  g_assert_false (tasker_task_join (task, NULL, NULL));
  g_test_expect_message ("Tasker", G_LOG_LEVEL_MESSAGE, "Task *flush*: the disk is full");
  program_run (&program);
  g_test_assert_expected_messages ();
  tasker_test_assert_counts (program.group, 3, 0, 1, 1, 1, 0);
  program_clear (&program);
}

/* Handles */

/* The group is not kept: who drops it last aborts it. */
static void
test_abort_on_drop (void)
{
  g_autoptr (GApplication) application = g_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_autoptr (TaskerTask) task = tasker_task_new ("dropped", tasker_test_wait_stopped, NULL, NULL);
  TaskerGroup *group = tasker_test_group (NULL);

  tasker_group_set_abort_on_drop (group, TRUE);
  tasker_group_bind_application (group, application, GRACE_MS);
  tasker_group_add (group, task);
  tasker_test_wait_for (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);
  g_object_unref (group);
  g_assert_false (tasker_task_join (task, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
}

/* Otherwise its tasks run on, and are waited for. */
static void
test_dropped (void)
{
  Program program;
  g_autoptr (TaskerTask) task = tasker_task_new ("dropped", tasker_test_wait_stopped, NULL, NULL);

  program_init (&program, NULL, GRACE_MS);
  g_signal_handlers_disconnect_by_func (program.application, on_activate, &program);
  g_signal_connect (program.application, "activate", G_CALLBACK (tasker_test_iterate), NULL);
  tasker_group_add (program.group, task);
  tasker_test_assert_equation (program.group);
  g_clear_object (&program.group);
  program_run (&program);
  g_assert_true (tasker_task_is_finished (task));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  program_clear (&program);
}

static void
test_never_run (void)
{
  Program program;

  program_init (&program, NULL, GRACE_MS);
  g_object_unref (program.application);
  tasker_group_spawn (program.group, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (program.group, NULL, NULL));
  tasker_test_assert_counts (program.group, 1, 0, 1, 0, 0, 0);
  g_object_unref (program.group);
}

/* Of several groups, each is shut down, and a child with its parent. */
static void
test_several (void)
{
  Program program;
  g_autoptr (TaskerGroup) other = tasker_test_group ("other");
  g_autoptr (TaskerGroup) child = tasker_group_new_child (other, "child");

  program_init (&program, NULL, GRACE_MS);
  tasker_group_bind_application (other, program.application, GRACE_MS);
  tasker_group_spawn (child, NULL, tasker_test_wait_stopped, NULL, NULL);
  program_run (&program);
  tasker_test_assert_counts (program.group, 2, 0, 1, 0, 1, 0);
  tasker_test_assert_counts (other, 1, 0, 0, 0, 1, 0);
  tasker_test_assert_counts (child, 1, 0, 0, 0, 1, 0);
  program_clear (&program);
}

/* Mistakes */

static void
bind_too_late (GApplication *application,
               TaskerGroup  *late)
{
  tasker_test_critical ("*application that was shut down*",
                        tasker_group_bind_application (late, application, GRACE_MS));
}

static void
test_mistakes (void)
{
  Program program;
  g_autoptr (TaskerGroup) late = tasker_test_group ("late");

  program_init (&program, NULL, GRACE_MS);
  tasker_test_critical ("*twice*",
                        tasker_group_bind_application (program.group, program.application, GRACE_MS));
  tasker_test_critical ("*G_IS_APPLICATION*", tasker_group_bind_application (late, NULL, GRACE_MS));
  g_signal_connect (program.application, "shutdown", G_CALLBACK (bind_too_late), late);
  program_run (&program);
  bind_too_late (program.application, late);

  tasker_test_assert_counts (program.group, 2, 0, 1, 0, 1, 0);
  tasker_group_spawn (late, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (late, NULL, NULL));
  tasker_test_assert_counts (late, 1, 0, 1, 0, 0, 0);
  program_clear (&program);
}

static const TaskerTestScenario scenarios[] =
{
  { "signal", play_signal },
  { "early-signal", play_early_signal },
  { "two-signals", play_two_signals },
  { "overrun", play_overrun },
};

int
main (int   argc,
      char *argv[])
{
  /* None of the applications is known to others. */
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
  tasker_test_init_scenarios (&argc, &argv, scenarios, G_N_ELEMENTS (scenarios));

  tasker_test_add ("/application/quit", test_quit);
  tasker_test_add ("/application/release", test_release);
  tasker_test_add ("/application/signal", test_signal);
  tasker_test_add ("/application/early-signal", test_early_signal);
  tasker_test_add ("/application/two-signals", test_two_signals);
  tasker_test_add ("/application/iterates", test_iterates);
  tasker_test_add ("/application/activated-again", test_activated_again);
  tasker_test_add ("/application/overrun", test_overrun);
  tasker_test_add ("/application/failure", test_failure);
  tasker_test_add ("/application/abort-on-drop", test_abort_on_drop);
  tasker_test_add ("/application/dropped", test_dropped);
  tasker_test_add ("/application/never-run", test_never_run);
  tasker_test_add ("/application/several", test_several);
  tasker_test_add ("/application/mistakes", test_mistakes);

  return g_test_run ();
}
