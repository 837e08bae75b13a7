/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row for a job that has ended: its name, how it ended, and why. */

#include "jobs-result-row.h"

#include <glib/gi18n.h>

#include "jobs-remark.h"

struct _JobsResultRow
{
  GtkWidget   parent_instance;

  TaskerTask *task; /* nullable */

  GtkImage   *icon;
  GtkLabel   *name_label;
  GtkLabel   *remark_label;
  GtkLabel   *outcome_label;
};

enum
{
  PROP_0,
  PROP_TASK,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobsResultRow, jobs_result_row, GTK_TYPE_WIDGET)

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
show_remark (JobsResultRow *self)
{
  g_autofree char *remark = jobs_dup_remark (self->task);

  gtk_label_set_label (self->remark_label, remark != NULL ? remark : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->remark_label), remark);
  gtk_widget_set_visible (GTK_WIDGET (self->remark_label), remark != NULL);
}

static void
set_task (JobsResultRow *self,
          TaskerTask    *task)
{
  if (!g_set_object (&self->task, task))
    return;

  /* What has ended changes no more. */
  if (task != NULL)
    {
      gtk_label_set_label (self->name_label, tasker_task_get_name (task));
      show_look (self, look_at (tasker_task_get_state (task)));
      show_remark (self);
    }

  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TASK]);
}

static void
jobs_result_row_get_property (GObject    *object,
                              guint       prop_id,
                              GValue     *value,
                              GParamSpec *pspec)
{
  JobsResultRow *self = JOBS_RESULT_ROW (object);

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
jobs_result_row_set_property (GObject      *object,
                              guint         prop_id,
                              const GValue *value,
                              GParamSpec   *pspec)
{
  JobsResultRow *self = JOBS_RESULT_ROW (object);

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
jobs_result_row_dispose (GObject *object)
{
  JobsResultRow *self = JOBS_RESULT_ROW (object);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);

  g_clear_object (&self->task);

  G_OBJECT_CLASS (jobs_result_row_parent_class)->dispose (object);
}

static void
jobs_result_row_class_init (JobsResultRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = jobs_result_row_get_property;
  object_class->set_property = jobs_result_row_set_property;
  object_class->dispose = jobs_result_row_dispose;

  properties[PROP_TASK] =
    g_param_spec_object ("task", NULL, NULL, TASKER_TYPE_TASK,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
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
