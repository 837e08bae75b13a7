/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A bar that tells, while the application ends, how many jobs it waits for and
 * for how long at most. */

#include "jobs-finishing-bar.h"

#include <glib/gi18n.h>

#define INTERVAL_MS 100

struct _JobsFinishingBar
{
  GtkWidget       parent_instance;

  GListModel     *tasks;    /* %NULL before it has begun */
  gint64          begin;    /* monotonic times */
  gint64          deadline;
  guint           timer_id;

  GtkRevealer    *revealer;
  GtkLabel       *title_label;
  GtkLabel       *deadline_label;
  GtkProgressBar *progress_bar;
};

G_DEFINE_FINAL_TYPE (JobsFinishingBar, jobs_finishing_bar, GTK_TYPE_WIDGET)

static void
show_n_tasks (JobsFinishingBar *self)
{
  guint n_tasks = g_list_model_get_n_items (self->tasks);
  g_autofree char *title = NULL;

  title = g_strdup_printf (ngettext ("Finishing %u job…", "Finishing %u jobs…", n_tasks), n_tasks);
  gtk_label_set_label (self->title_label, title);
}

static void
show_time_left (JobsFinishingBar *self)
{
  gint64 left = MAX (0, self->deadline - g_get_monotonic_time ());
  guint left_s = (guint) ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  g_autofree char *text = NULL;

  text = g_strdup_printf (ngettext ("What has not ended in %u second is left behind",
                                    "What has not ended in %u seconds is left behind",
                                    left_s), left_s);
  gtk_label_set_label (self->deadline_label, text);
  gtk_progress_bar_set_fraction (self->progress_bar,
                                 left / (double) MAX (1, self->deadline - self->begin));
}

static gboolean
timer_cb (gpointer user_data)
{
  show_time_left (user_data);

  return G_SOURCE_CONTINUE;
}

static void
jobs_finishing_bar_dispose (GObject *object)
{
  JobsFinishingBar *self = JOBS_FINISHING_BAR (object);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);

  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_object (&self->tasks);

  G_OBJECT_CLASS (jobs_finishing_bar_parent_class)->dispose (object);
}

static void
jobs_finishing_bar_class_init (JobsFinishingBarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = jobs_finishing_bar_dispose;

  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/libtasker/Jobs/jobs-finishing-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, JobsFinishingBar, revealer);
  gtk_widget_class_bind_template_child (widget_class, JobsFinishingBar, title_label);
  gtk_widget_class_bind_template_child (widget_class, JobsFinishingBar, deadline_label);
  gtk_widget_class_bind_template_child (widget_class, JobsFinishingBar, progress_bar);
}

static void
jobs_finishing_bar_init (JobsFinishingBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
jobs_finishing_bar_begin (JobsFinishingBar *self,
                          GListModel       *tasks,
                          guint             grace_s)
{
  g_return_if_fail (JOBS_IS_FINISHING_BAR (self));
  g_return_if_fail (G_IS_LIST_MODEL (tasks));
  g_return_if_fail (self->tasks == NULL);

  self->tasks = g_object_ref (tasks);
  self->begin = g_get_monotonic_time ();
  self->deadline = self->begin + (gint64) grace_s * G_USEC_PER_SEC;
  self->timer_id = g_timeout_add (INTERVAL_MS, timer_cb, self);
  g_signal_connect_object (tasks, "items-changed", G_CALLBACK (show_n_tasks), self, G_CONNECT_SWAPPED);

  show_n_tasks (self);
  show_time_left (self);
  gtk_revealer_set_reveal_child (self->revealer, TRUE);
}
