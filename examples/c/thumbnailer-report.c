/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the thumbnailer tells in the end, all of it from the tasks that a
 * collect has brought. */

#include "thumbnailer-report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib/gi18n.h>

/* As a shell says it of what Ctrl+C ended */
#define EXIT_STOPPED 130

static void
report_failures (GPtrArray *tasks)
{
  for (guint i = 0; i < tasks->len; i++)
    {
      TaskerTask *task = tasks->pdata[i];

      if (tasker_task_get_state (task) == TASKER_TASK_STATE_FAILED)
        g_printerr ("%s: %s\n", tasker_task_get_name (task), tasker_task_get_error (task)->message);
    }
}

static guint
count_ended_as (GPtrArray       *tasks,
                TaskerTaskState  state)
{
  guint n = 0;

  for (guint i = 0; i < tasks->len; i++)
    n += tasker_task_get_state (tasks->pdata[i]) == state;

  return n;
}

static guint
count_made (GPtrArray *tasks)
{
  guint n = 0;

  for (guint i = 0; i < tasks->len; i++)
    {
      const GValue *made = tasker_task_get_value (tasks->pdata[i]);

      n += made != NULL && g_value_get_boolean (made);
    }

  return n;
}

static void G_GNUC_PRINTF (2, 3)
append_line (GString    *text,
             const char *format,
             ...)
{
  va_list args;

  va_start (args, format);
  g_string_append_vprintf (text, format, args);
  va_end (args);

  g_string_append_c (text, '\n');
}

static char *
summarize (GPtrArray *pictures,
           GPtrArray *directories,
           gboolean   stopped)
{
  GString *text = g_string_new (NULL);
  guint n_made = count_made (pictures);
  guint n_current = count_ended_as (pictures, TASKER_TASK_STATE_SUCCEEDED) - n_made;
  guint n_not_begun = count_ended_as (pictures, TASKER_TASK_STATE_STOPPED);
  guint n_given_up = count_ended_as (pictures, TASKER_TASK_STATE_ABORTED);
  guint n_failed = count_ended_as (pictures, TASKER_TASK_STATE_FAILED);
  guint n_unread = directories->len - count_ended_as (directories, TASKER_TASK_STATE_SUCCEEDED);

  if (pictures->len == 0)
    append_line (text, "%s", _("No picture found"));
  else
    append_line (text, ngettext ("%u picture done", "%u pictures done", n_made), n_made);

  if (n_current > 0)
    append_line (text, ngettext ("%u picture skipped, its thumbnail is up to date",
                                 "%u pictures skipped, their thumbnails are up to date",
                                 n_current), n_current);
  if (n_not_begun > 0)
    append_line (text, ngettext ("%u picture not begun", "%u pictures not begun", n_not_begun), n_not_begun);
  if (n_given_up > 0)
    append_line (text, ngettext ("%u picture given up", "%u pictures given up", n_given_up), n_given_up);
  if (n_failed > 0)
    append_line (text, ngettext ("%u picture failed", "%u pictures failed", n_failed), n_failed);
  if (n_unread > 0)
    append_line (text, ngettext ("%u directory not read to its end",
                                 "%u directories not read to their end",
                                 n_unread), n_unread);

  if (stopped)
    append_line (text, "%s", _("Stopped; no half-written file is left"));

  return g_string_free (text, FALSE);
}

/* Tells how the tasks ended. Returns: the exit status. */
int
report (GPtrArray *pictures,
        GPtrArray *directories,
        gboolean   stopped)
{
  g_autofree char *summary = summarize (pictures, directories, stopped);
  gboolean failed = count_ended_as (pictures, TASKER_TASK_STATE_FAILED) > 0 ||
                    count_ended_as (directories, TASKER_TASK_STATE_FAILED) > 0;

  report_failures (directories);
  report_failures (pictures);

  errno = 0;
  g_print ("%s", summary);
  if (ferror (stdout))
    {
      int saved_errno = errno;
      g_autofree char *message = g_strdup_printf (_("Standard output: %s"), g_strerror (saved_errno));

      g_printerr ("%s\n", message);
      failed = TRUE;
    }

  if (stopped)
    return EXIT_STOPPED;

  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
