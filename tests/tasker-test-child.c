/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Scenarios in processes of their own: see the header. */

#include "tasker-test-child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program;

/* Starting up */

static void
play (const char               *name,
      const TaskerTestScenario *scenarios,
      gsize                     n_scenarios)
{
  /* Whatever happens to the parent. */
  alarm (120 * tasker_test_get_scale ());

  for (gsize i = 0; i < n_scenarios; i++)
    {
      if (strcmp (scenarios[i].name, name) != 0)
        continue;

      scenarios[i].play ();
      exit (EXIT_SUCCESS);
    }

  g_error ("There is no scenario “%s”", name);
}

void
tasker_test_init_scenarios (int                       *argc,
                            char                    ***argv,
                            const TaskerTestScenario  *scenarios,
                            gsize                      n_scenarios)
{
  program = (*argv)[0];
  if (*argc == 3 && strcmp ((*argv)[1], "--scenario") == 0)
    play ((*argv)[2], scenarios, n_scenarios);

  tasker_test_init (argc, argv);
}

/* The parent's side */

void
tasker_test_child_start (TaskerTestChild *child,
                         const char      *scenario)
{
  g_autoptr (GError) error = NULL;

  child->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                     &error, program, "--scenario", scenario, NULL);
  g_assert_no_error (error);
  child->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (child->process));
}

void
tasker_test_child_clear (TaskerTestChild *child)
{
  g_object_unref (child->lines);
  g_object_unref (child->process);
}

void
tasker_test_child_expect (TaskerTestChild *child,
                          const char      *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_data_input_stream_read_line (child->lines, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (line, ==, expected);
}

void
tasker_test_child_signal (TaskerTestChild *child,
                          int              signum,
                          const char      *expected)
{
  g_subprocess_send_signal (child->process, signum);
  tasker_test_child_expect (child, expected);
}

/* Lets the child go on where it waits for that. */
void
tasker_test_child_go_on (TaskerTestChild *child)
{
  GOutputStream *stdin_pipe = g_subprocess_get_stdin_pipe (child->process);

  g_assert_true (g_output_stream_write_all (stdin_pipe, "\n", 1, NULL, NULL, NULL));
  g_assert_true (g_output_stream_flush (stdin_pipe, NULL, NULL));
}

void
tasker_test_child_ends (TaskerTestChild *child)
{
  tasker_test_child_expect (child, NULL);
  g_assert_true (g_subprocess_wait (child->process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (child->process));
  g_assert_cmpint (g_subprocess_get_exit_status (child->process), ==, 0);
  tasker_test_child_clear (child);
}

void
tasker_test_child_dies (TaskerTestChild *child,
                        int              signum)
{
  tasker_test_child_expect (child, NULL);
  g_assert_true (g_subprocess_wait (child->process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_signaled (child->process));
  g_assert_cmpint (g_subprocess_get_term_sig (child->process), ==, signum);
  tasker_test_child_clear (child);
}

/* The child's side */

/* In one call, for another thread may be about to end the process. */
void
tasker_test_say (const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);

  g_assert_cmpint (write (STDOUT_FILENO, text, strlen (text)), ==, (gssize) strlen (text));
}

void
tasker_test_say_counts (TaskerGroup *group)
{
  g_autofree char *counts = tasker_test_counts (group);

  tasker_test_say (counts);
}

/* In poll(), for there the thread sanitizer lets signals through. */
void
tasker_test_wait_for_parent (void)
{
  GPollFD input = { STDIN_FILENO, G_IO_IN, 0 };
  char byte;

  while (g_poll (&input, 1, -1) < 1)
    ;
  g_assert_cmpint (read (STDIN_FILENO, &byte, 1), ==, 1);
}
