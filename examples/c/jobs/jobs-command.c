/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job that is another program. It is asked to end by SIGTERM, and what it
 * writes is shown line by line. */

#include "jobs-command.h"

/* Reads one line after the other, to the end. What is not read would keep the
 * program from writing more. */
static void
line_read_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  GDataInputStream *output = G_DATA_INPUT_STREAM (source);
  g_autoptr (TaskerTask) task = user_data;
  g_autofree char *line = NULL;
  g_autofree char *message = NULL;
  gsize length;

  line = g_data_input_stream_read_line_finish (output, result, &length, NULL);
  if (line == NULL)
    return;

  /* Programs write what they like. How long they take nobody knows, so the
   * progress stays 0. */
  message = g_utf8_make_valid (line, (gssize) length);
  tasker_task_set_progress (task, 0, message);

  g_data_input_stream_read_line_async (output, G_PRIORITY_DEFAULT, NULL,
                                       line_read_cb, g_steal_pointer (&task));
}

gboolean
jobs_run_command (TaskerGroup  *group,
                  const char   *command,
                  GError      **error)
{
  g_autoptr (GSubprocess) subprocess = NULL;
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (TaskerTask) task = NULL;
  g_auto (GStrv) argv = NULL;

  if (!g_shell_parse_argv (command, NULL, &argv, error))
    return FALSE;

  subprocess = g_subprocess_newv ((const char * const *) argv,
                                  G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                                  error);
  if (subprocess == NULL)
    return FALSE;

  task = tasker_task_new_for_subprocess (command, subprocess);
  tasker_group_add (group, task);

  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (subprocess));
  g_data_input_stream_read_line_async (output, G_PRIORITY_DEFAULT, NULL,
                                       line_read_cb, g_steal_pointer (&task));

  return TRUE;
}
