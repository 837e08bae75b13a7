/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row for a job that runs: its name, how far it is, what it says, and a button
 * that stops it. */

#include "jobs-task-row.h"

#include <glib/gi18n.h>

struct _JobsTaskRow
{
  JobsRow         parent_instance;

  GSignalGroup   *signals; /* of the task */

  GtkLabel       *name_label;
  GtkProgressBar *progress_bar;
  GtkLabel       *message_label;
  GtkButton      *stop_button;
};

G_DEFINE_FINAL_TYPE (JobsTaskRow, jobs_task_row, JOBS_TYPE_ROW)

static char *
describe (TaskerTask *task)
{
  g_autofree char *message = tasker_task_dup_progress_message (task);
  double progress = tasker_task_get_progress (task);

  if (g_cancellable_is_cancelled (G_CANCELLABLE (task)))
    return g_strdup (_("Stopping…"));
  if (message != NULL)
    return g_steal_pointer (&message);
  if (tasker_task_get_state (task) == TASKER_TASK_STATE_QUEUED)
    return g_strdup (_("Waiting for its turn"));
  if (progress > 0)
    /* Translators: how much of a job is done */
    return g_strdup_printf (_("%.0f %% done"), 100 * progress);

  return g_strdup (_("Running"));
}

/* A job that was asked and goes on can be given up: a process is killed, and a
 * function is not called again. */
static void
update_button (JobsTaskRow *self,
               TaskerTask  *task)
{
  gboolean asked = g_cancellable_is_cancelled (G_CANCELLABLE (task));

  gtk_widget_set_tooltip_text (GTK_WIDGET (self->stop_button), asked ? _("Give Up") : _("Stop"));
  gtk_button_set_icon_name (self->stop_button, asked ? "edit-delete-symbolic" : "process-stop-symbolic");
}

/* A job that cannot tell how far it is shows that it is busy. */
static void
update_progress (JobsTaskRow *self,
                 TaskerTask  *task)
{
  double progress = tasker_task_get_progress (task);

  if (progress > 0)
    gtk_progress_bar_set_fraction (self->progress_bar, progress);
  else
    gtk_progress_bar_pulse (self->progress_bar);
}

static void
update (JobsTaskRow *self)
{
  TaskerTask *task = jobs_row_get_task (JOBS_ROW (self));
  g_autofree char *description = describe (task);

  gtk_label_set_label (self->message_label, description);
  update_progress (self, task);
  update_button (self, task);
}

static void
stop_button_clicked_cb (JobsTaskRow *self)
{
  TaskerTask *task = jobs_row_get_task (JOBS_ROW (self));

  if (g_cancellable_is_cancelled (G_CANCELLABLE (task)))
    tasker_task_abort (task);
  else
    g_cancellable_cancel (G_CANCELLABLE (task));

  update (self);
}

static void
jobs_task_row_show_task (JobsRow    *row,
                         TaskerTask *task)
{
  JobsTaskRow *self = JOBS_TASK_ROW (row);

  g_signal_group_set_target (self->signals, task);
  if (task != NULL)
    {
      gtk_label_set_label (self->name_label, tasker_task_get_name (task));
      gtk_progress_bar_set_fraction (self->progress_bar, 0);
      update (self);
    }
}

static void
jobs_task_row_dispose (GObject *object)
{
  JobsTaskRow *self = JOBS_TASK_ROW (object);

  g_clear_object (&self->signals);

  G_OBJECT_CLASS (jobs_task_row_parent_class)->dispose (object);
}

static void
jobs_task_row_class_init (JobsTaskRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = jobs_task_row_dispose;
  JOBS_ROW_CLASS (klass)->show_task = jobs_task_row_show_task;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/libtasker/Jobs/jobs-task-row.ui");
  gtk_widget_class_bind_template_child (widget_class, JobsTaskRow, name_label);
  gtk_widget_class_bind_template_child (widget_class, JobsTaskRow, progress_bar);
  gtk_widget_class_bind_template_child (widget_class, JobsTaskRow, message_label);
  gtk_widget_class_bind_template_child (widget_class, JobsTaskRow, stop_button);
  gtk_widget_class_bind_template_callback (widget_class, stop_button_clicked_cb);
}

static void
jobs_task_row_init (JobsTaskRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  /* Tasks tell what has changed in the main loop, and some ten times a second at
   * most, whatever their threads do. */
  self->signals = g_signal_group_new (TASKER_TYPE_TASK);
  g_signal_group_connect_swapped (self->signals, "notify", G_CALLBACK (update), self);
}
