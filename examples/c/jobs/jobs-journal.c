/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes a line to a file for each job that has ended: how, which, and what
 * there is to say about it, with tabs between them. */

#include "jobs-journal.h"

#include "jobs-remark.h"

struct _JobsJournal
{
  GObject            parent_instance;

  TaskerJoinStream  *results;
  GFileOutputStream *output;
};

G_DEFINE_FINAL_TYPE (JobsJournal, jobs_journal, G_TYPE_OBJECT)

static char *
describe (TaskerTask *task)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (TASKER_TYPE_TASK_STATE);
  TaskerTaskState state = tasker_task_get_state (task);
  g_autofree char *name = g_strdup (tasker_task_get_name (task));
  g_autofree char *remark = jobs_dup_remark (task);

  g_strdelimit (name, "\t\n", ' ');
  if (remark != NULL)
    g_strdelimit (remark, "\t\n", ' ');

  return g_strdup_printf ("%s\t%s\t%s\n",
                          g_enum_get_value (states, (int) state)->value_nick,
                          name, remark != NULL ? remark : "");
}

static void
write_line (JobsJournal *self,
            TaskerTask  *task)
{
  g_autofree char *line = describe (task);
  g_autoptr (GError) error = NULL;

  if (!g_output_stream_write_all (G_OUTPUT_STREAM (self->output), line, strlen (line), NULL, NULL, &error))
    g_warning ("%s", error->message);
}

static void
items_changed_cb (JobsJournal *self,
                  guint        position,
                  guint        n_removed,
                  guint        n_added)
{
  for (guint i = position; i < position + n_added; i++)
    {
      g_autoptr (TaskerTask) task = g_list_model_get_item (G_LIST_MODEL (self->results), i);

      write_line (self, task);
    }
}

static void
jobs_journal_dispose (GObject *object)
{
  JobsJournal *self = JOBS_JOURNAL (object);

  g_clear_object (&self->results);
  g_clear_object (&self->output);

  G_OBJECT_CLASS (jobs_journal_parent_class)->dispose (object);
}

static void
jobs_journal_class_init (JobsJournalClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = jobs_journal_dispose;
}

static void
jobs_journal_init (JobsJournal *self)
{
}

JobsJournal *
jobs_journal_new (TaskerJoinStream  *results,
                  const char        *path,
                  GError           **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileOutputStream) output = g_file_append_to (file, G_FILE_CREATE_NONE, NULL, error);
  JobsJournal *self;

  if (output == NULL)
    return NULL;

  self = g_object_new (JOBS_TYPE_JOURNAL, NULL);
  self->results = g_object_ref (results);
  self->output = g_steal_pointer (&output);
  g_signal_connect_object (results, "items-changed", G_CALLBACK (items_changed_cb), self, G_CONNECT_SWAPPED);

  return self;
}

/* Takes what is left from the stream, and writes what the model has not shown
 * yet: it would only do so in the next iteration of the main loop, and there is
 * none. */
void
jobs_journal_close (JobsJournal *self)
{
  guint n_written = g_list_model_get_n_items (G_LIST_MODEL (self->results));
  TaskerTask *task;

  g_signal_handlers_disconnect_by_func (self->results, items_changed_cb, self);

  for (guint i = 0; (task = tasker_join_stream_try_next (self->results)) != NULL; i++)
    {
      if (i >= n_written)
        write_line (self, task);
      g_object_unref (task);
    }
}
