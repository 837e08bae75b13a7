/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table that tells people what a group is doing. */

#include "tasker-core-private.h"
#include "tasker-home-private.h"

#include <glib/gi18n-lib.h>


/* So many tasks get a line; a table of a million helps nobody. */
#define MAX_LINES 100

typedef struct
{
  GString *text;
  guint    n_lines;
} TaskerDump;

static const char *
describe_state (TaskerTaskState state)
{
  switch (state)
    {
    case TASKER_TASK_STATE_RUNNING:
      return _("running");
    case TASKER_TASK_STATE_NEW:
    case TASKER_TASK_STATE_QUEUED:
      return _("queued");
    case TASKER_TASK_STATE_SUCCEEDED:
    case TASKER_TASK_STATE_FAILED:
    case TASKER_TASK_STATE_STOPPED:
    case TASKER_TASK_STATE_ABORTED:
    default:
      return _("ending");
    }
}

static void
add_line (gpointer data,
          gpointer user_data)
{
  TaskerJob *job = data;
  TaskerDump *dump = user_data;
  const char *name = tasker_job_get_name (job);

  if (dump->n_lines++ >= MAX_LINES)
    return;

  g_string_append_printf (dump->text, "  %-32s  %-8s  %9.2f s\n",
                          name != NULL ? name : "–",
                          describe_state (tasker_job_get_state (job)),
                          tasker_job_get_age_ms (job) / 1000.0);
}

static void
add_list (TaskerJobList *list,
          TaskerDump    *dump)
{
  for (TaskerJob *job = list->head; job != NULL; job = job->next)
    add_line (job, dump);
}

static void
add_head (TaskerCore *core,
          GString    *text)
{
  TaskerLevel level = tasker_source_get_level (&core->source);

  g_string_append_printf (text, _("Group “%s”"), core->name != NULL ? core->name : "");
  g_string_append_printf (text, g_dngettext (GETTEXT_PACKAGE, ", %u open handle", ", %u open handles", core->n_open),
                          core->n_open);
  if (level != TASKER_LEVEL_NONE)
    {
      double ago = (double) (g_get_monotonic_time () - tasker_source_get_stopped_at (&core->source)) / G_TIME_SPAN_SECOND;

      g_string_append_printf (text, level == TASKER_LEVEL_ABORTED ? _(", aborted, %.2f s since the stop")
                                                                  : _(", stopped %.2f s ago"),
                              ago);
    }
  g_string_append_printf (text, "\n  %" G_GUINT64_FORMAT " live, %" G_GUINT64_FORMAT " succeeded, %"
                          G_GUINT64_FORMAT " failed, %" G_GUINT64_FORMAT " stopped, %"
                          G_GUINT64_FORMAT " aborted\n",
                          tasker_core_get_n_live (core), core->n_ended[0], core->n_ended[1],
                          core->n_ended[2], core->n_ended[3]);
}

char *
tasker_core_dump (TaskerCore *self)
{
  TaskerDump dump = { .text = g_string_new (NULL) };

  tasker_core_lock (self);
  tasker_core_gather (self);
  add_head (self, dump.text);
  for (GList *l = self->hands.head; l != NULL; l = l->next)
    tasker_hand_foreach (l->data, add_line, &dump);
  add_list (&self->detached, &dump);
  tasker_home_foreach (self, add_line, &dump);
  add_list (&self->doomed, &dump);
  tasker_queue_foreach (&self->queue, add_line, &dump);
  tasker_core_unlock (self);

  if (dump.n_lines > MAX_LINES)
    g_string_append_printf (dump.text,
                            g_dngettext (GETTEXT_PACKAGE, "  and %u more\n", "  and %u more\n", dump.n_lines - MAX_LINES),
                            dump.n_lines - MAX_LINES);

  return g_string_free (dump.text, FALSE);
}
