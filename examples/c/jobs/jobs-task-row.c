/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row for a job that runs: its name, how far it is, what it says, and a button
 * that stops it. */

#include "jobs-task-row.h"

#include <glib/gi18n.h>

struct _JobsTaskRow
{
  GtkWidget       parent_instance;

  TaskerTask     *task;    /* nullable */
  GSignalGroup   *signals; /* of the task */

  GtkLabel       *name_label;
  GtkProgressBar *progress_bar;
  GtkLabel       *message_label;
  GtkButton      *stop_button;
};

enum
{
  PROP_0,
  PROP_TASK,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobsTaskRow, jobs_task_row, GTK_TYPE_WIDGET)

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
update_button (JobsTaskRow *self)
{
  gboolean asked = g_cancellable_is_cancelled (G_CANCELLABLE (self->task));

  gtk_widget_set_tooltip_text (GTK_WIDGET (self->stop_button), asked ? _("Give Up") : _("Stop"));
  gtk_button_set_icon_name (self->stop_button, asked ? "edit-delete-symbolic" : "process-stop-symbolic");
}

/* A job that cannot tell how far it is shows that it is busy. */
static void
update_progress (JobsTaskRow *self)
{
  double progress = tasker_task_get_progress (self->task);

  if (progress > 0)
    gtk_progress_bar_set_fraction (self->progress_bar, progress);
  else
    gtk_progress_bar_pulse (self->progress_bar);
}

static void
update (JobsTaskRow *self)
{
  g_autofree char *description = describe (self->task);

  gtk_label_set_label (self->message_label, description);
  update_progress (self);
  update_button (self);
}

static void
stop_button_clicked_cb (JobsTaskRow *self)
{
  if (g_cancellable_is_cancelled (G_CANCELLABLE (self->task)))
    tasker_task_abort (self->task);
  else
    g_cancellable_cancel (G_CANCELLABLE (self->task));

  update (self);
}

/* The list uses a row for one job after the other, and for none meanwhile. */
static void
set_task (JobsTaskRow *self,
          TaskerTask  *task)
{
  if (!g_set_object (&self->task, task))
    return;

  g_signal_group_set_target (self->signals, task);
  if (task != NULL)
    {
      gtk_label_set_label (self->name_label, tasker_task_get_name (task));
      gtk_progress_bar_set_fraction (self->progress_bar, 0);
      update (self);
    }

  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TASK]);
}

static void
jobs_task_row_get_property (GObject    *object,
                            guint       prop_id,
                            GValue     *value,
                            GParamSpec *pspec)
{
  JobsTaskRow *self = JOBS_TASK_ROW (object);

  switch (prop_id)
    {
    case PROP_TASK:
      g_value_set_object (value, self->task);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_task_row_set_property (GObject      *object,
                            guint         prop_id,
                            const GValue *value,
                            GParamSpec   *pspec)
{
  JobsTaskRow *self = JOBS_TASK_ROW (object);

  switch (prop_id)
    {
    case PROP_TASK:
      set_task (self, g_value_get_object (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_task_row_dispose (GObject *object)
{
  JobsTaskRow *self = JOBS_TASK_ROW (object);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);

  g_clear_object (&self->signals);
  g_clear_object (&self->task);

  G_OBJECT_CLASS (jobs_task_row_parent_class)->dispose (object);
}

static void
jobs_task_row_class_init (JobsTaskRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = jobs_task_row_get_property;
  object_class->set_property = jobs_task_row_set_property;
  object_class->dispose = jobs_task_row_dispose;

  properties[PROP_TASK] =
    g_param_spec_object ("task", NULL, NULL, TASKER_TYPE_TASK,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
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
