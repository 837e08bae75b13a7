/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tells people what a group is doing: the table, and who goes on after the
 * stop. */

#include "tasker-dump-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-child-private.h"
#include "tasker-home-private.h"

/* So many tasks get a line; a table of a million helps nobody. */
#define MAX_LINES 100

/* Groups below are indented, as long as that leaves room. */
#define INDENT 2
#define MAX_DEPTH 16

/* What has to be described yet: in a tree of any depth. */
typedef struct
{
  TaskerCore *core;
  guint       depth;
} TaskerBranch;

typedef struct
{
  GString *text;
  guint    n_lines;
  guint    depth;
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

static int
get_indent (TaskerDump *dump)
{
  return INDENT * (int) MIN (dump->depth, MAX_DEPTH);
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

  g_string_append_printf (dump->text, "%*s%-32s  %-8s  %9.2f s\n",
                          get_indent (dump) + INDENT, "",
                          name != NULL ? name : "–",
                          describe_state (tasker_job_get_state (job)),
                          tasker_job_get_age_ms (job) / 1000.0);
}

static void
insert_head (TaskerCore *core,
             TaskerDump *dump,
             gsize       place)
{
  TaskerLevel level = tasker_source_get_level (&core->source);
  g_autoptr(GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%*s", get_indent (dump), "");
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
  g_string_append_printf (text, "\n%*s", get_indent (dump) + INDENT, "");
  g_string_append_printf (text, _("%llu live, %llu succeeded, %llu failed, %llu stopped, %llu aborted"),
                          (unsigned long long) tasker_core_get_n_live (core),
                          (unsigned long long) core->n_ended[0], (unsigned long long) core->n_ended[1],
                          (unsigned long long) core->n_ended[2], (unsigned long long) core->n_ended[3]);
  g_string_append_c (text, '\n');
  g_string_insert_len (dump->text, (gssize) place, text->str, (gssize) text->len);
}

/* The lines first, for what has ended is counted when the tasks are looked at. */
static void
add_group (TaskerCore *core,
           TaskerDump *dump)
{
  gboolean has_head = dump->n_lines < MAX_LINES;
  gsize place = dump->text->len;

  tasker_core_lock (core);
  tasker_core_foreach (core, add_line, dump);
  if (has_head)
    insert_head (core, dump, place);
  tasker_core_unlock (core);
}

static void
push_branch (GArray     *branches,
             TaskerCore *core,
             guint       depth)
{
  TaskerBranch branch = { tasker_core_ref (core), depth };

  g_array_append_val (branches, branch);
}

/* Takes the last branch, and leaves those below it instead, the first one last;
 * or %NULL. */
static TaskerCore *
pop_branch (GArray *branches,
            guint  *depth)
{
  TaskerBranch branch;

  if (branches->len == 0)
    return NULL;

  branch = g_array_index (branches, TaskerBranch, branches->len - 1);
  g_array_set_size (branches, branches->len - 1);

  tasker_core_lock (branch.core);
  for (GList *l = branch.core->children.tail; l != NULL; l = l->prev)
    push_branch (branches, l->data, branch.depth + 1);
  tasker_core_unlock (branch.core);

  *depth = branch.depth;

  return branch.core;
}

char *
tasker_core_dump (TaskerCore *self)
{
  TaskerDump dump = { .text = g_string_new (NULL) };
  g_autoptr(GArray) branches = g_array_new (FALSE, FALSE, sizeof (TaskerBranch));
  TaskerCore *core;

  push_branch (branches, self, 0);
  while ((core = pop_branch (branches, &dump.depth)) != NULL)
    {
      add_group (core, &dump);
      tasker_core_unref (core);
    }

  if (dump.n_lines > MAX_LINES)
    g_string_append_printf (dump.text,
                            g_dngettext (GETTEXT_PACKAGE, "  and %u more\n", "  and %u more\n", dump.n_lines - MAX_LINES),
                            dump.n_lines - MAX_LINES);

  return g_string_free (dump.text, FALSE);
}

typedef struct
{
  GPtrArray *titles;
  guint      n_wanted;
  guint      n_all;
  gint64     stopped_at;
} TaskerIgnoring;

static void
add_ignoring (gpointer data,
              gpointer user_data)
{
  TaskerJob *job = data;
  TaskerIgnoring *ignoring = user_data;
  const char *name = tasker_job_get_name (job);
  double since_stop;
  double age;

  /* It is its tasks that go on, and they are listed themselves. */
  if (tasker_job_is_child (job) || ignoring->n_all++ >= ignoring->n_wanted)
    return;

  since_stop = (double) (g_get_monotonic_time () - ignoring->stopped_at) / G_TIME_SPAN_SECOND;
  age = tasker_job_get_age_ms (job) / 1000.0;
  g_ptr_array_add (ignoring->titles,
                   g_strdup_printf (_("“%s” (%.1f s)"), name != NULL ? name : "–", MIN (since_stop, age)));
}

GPtrArray *
tasker_core_list_ignoring (TaskerCore *self,
                           guint       n_wanted,
                           guint      *n_all)
{
  TaskerIgnoring ignoring = { .titles = g_ptr_array_new_with_free_func (g_free), .n_wanted = n_wanted };
  g_autoptr(GArray) branches = g_array_new (FALSE, FALSE, sizeof (TaskerBranch));
  TaskerCore *core;
  guint depth;

  push_branch (branches, self, 0);
  while ((core = pop_branch (branches, &depth)) != NULL)
    {
      ignoring.stopped_at = tasker_source_get_stopped_at (&core->source);
      tasker_core_lock (core);
      /* Who was not asked, or whose turn is yet to come, ignores nothing. */
      if (tasker_source_get_level (&core->source) != TASKER_LEVEL_NONE)
        tasker_core_foreach (core, add_ignoring, &ignoring);
      tasker_core_unlock (core);
      tasker_core_unref (core);
    }

  *n_all = ignoring.n_all;

  return ignoring.titles;
}
