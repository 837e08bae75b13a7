/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row for a job that has ended: its name, how it ended, and why. */

#include "jobs-result-row.h"

#include <glib/gi18n.h>

#include "jobs-remark.h"

struct _JobsResultRow
{
  JobsRow   parent_instance;

  GtkImage *icon;
  GtkLabel *name_label;
  GtkLabel *remark_label;
  GtkLabel *outcome_label;
};

G_DEFINE_FINAL_TYPE (JobsResultRow, jobs_result_row, JOBS_TYPE_ROW)

/* How an outcome looks. */
typedef struct
{
  const char *label;
  const char *icon_name;
  const char *css_class;
} Look;

static const Look *
look_at (TaskerTaskState state)
{
  static const Look done = { N_("Done"), "emblem-ok-symbolic", "success" };
  static const Look failed = { N_("Failed"), "dialog-error-symbolic", "error" };
  static const Look stopped = { N_("Stopped"), "media-playback-stop-symbolic", "dim-label" };
  static const Look given_up = { N_("Given up"), "edit-delete-symbolic", "warning" };

  switch (state)
    {
    case TASKER_TASK_STATE_SUCCEEDED:
      return &done;

    case TASKER_TASK_STATE_FAILED:
      return &failed;

    case TASKER_TASK_STATE_STOPPED:
      return &stopped;

    default:
      return &given_up;
    }
}

static void
show_look (JobsResultRow *self,
           const Look    *look)
{
  const char *css_classes[] = { look->css_class, NULL };

  gtk_image_set_from_icon_name (self->icon, look->icon_name);
  gtk_widget_set_css_classes (GTK_WIDGET (self->icon), css_classes);
  gtk_label_set_label (self->outcome_label, _(look->label));
}

static void
show_remark (JobsResultRow *self,
             TaskerTask    *task)
{
  g_autofree char *remark = jobs_dup_remark (task);

  gtk_label_set_label (self->remark_label, remark != NULL ? remark : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->remark_label), remark);
  gtk_widget_set_visible (GTK_WIDGET (self->remark_label), remark != NULL);
}

static void
jobs_result_row_show_task (JobsRow    *row,
                           TaskerTask *task)
{
  JobsResultRow *self = JOBS_RESULT_ROW (row);

  if (task == NULL)
    return;

  /* What has ended changes no more. */
  gtk_label_set_label (self->name_label, tasker_task_get_name (task));
  show_look (self, look_at (tasker_task_get_state (task)));
  show_remark (self, task);
}

static void
jobs_result_row_class_init (JobsResultRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  JOBS_ROW_CLASS (klass)->show_task = jobs_result_row_show_task;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/libtasker/Jobs/jobs-result-row.ui");
  gtk_widget_class_bind_template_child (widget_class, JobsResultRow, icon);
  gtk_widget_class_bind_template_child (widget_class, JobsResultRow, name_label);
  gtk_widget_class_bind_template_child (widget_class, JobsResultRow, remark_label);
  gtk_widget_class_bind_template_child (widget_class, JobsResultRow, outcome_label);
}

static void
jobs_result_row_init (JobsResultRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
