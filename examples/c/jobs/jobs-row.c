/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the rows of both lists are: a widget that shows a task. What it shows of
 * it, and how, is in the templates and classes of those that derive from it. */

#include "jobs-row.h"

typedef struct
{
  TaskerTask *task; /* nullable */
} JobsRowPrivate;

enum
{
  PROP_0,
  PROP_TASK,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (JobsRow, jobs_row, GTK_TYPE_WIDGET)

/* The list uses a row for one job after the other, and for none meanwhile. */
static void
set_task (JobsRow    *self,
          TaskerTask *task)
{
  JobsRowPrivate *priv = jobs_row_get_instance_private (self);

  if (!g_set_object (&priv->task, task))
    return;

  JOBS_ROW_GET_CLASS (self)->show_task (self, task);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TASK]);
}

static void
jobs_row_get_property (GObject    *object,
                       guint       prop_id,
                       GValue     *value,
                       GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_TASK:
      g_value_set_object (value, jobs_row_get_task (JOBS_ROW (object)));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_row_set_property (GObject      *object,
                       guint         prop_id,
                       const GValue *value,
                       GParamSpec   *pspec)
{
  switch (prop_id)
    {
    case PROP_TASK:
      set_task (JOBS_ROW (object), g_value_get_object (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_row_dispose (GObject *object)
{
  JobsRowPrivate *priv = jobs_row_get_instance_private (JOBS_ROW (object));
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (object))) != NULL)
    gtk_widget_unparent (child);

  g_clear_object (&priv->task);

  G_OBJECT_CLASS (jobs_row_parent_class)->dispose (object);
}

static void
jobs_row_class_init (JobsRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = jobs_row_get_property;
  object_class->set_property = jobs_row_set_property;
  object_class->dispose = jobs_row_dispose;

  properties[PROP_TASK] =
    g_param_spec_object ("task", NULL, NULL, TASKER_TYPE_TASK,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BOX_LAYOUT);
}

static void
jobs_row_init (JobsRow *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "job");
}

/* Returns: (transfer none) (nullable): the task that the row shows */
TaskerTask *
jobs_row_get_task (JobsRow *self)
{
  JobsRowPrivate *priv = jobs_row_get_instance_private (self);

  return priv->task;
}
