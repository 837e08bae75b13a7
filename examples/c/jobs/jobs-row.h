/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>
#include <tasker.h>

G_BEGIN_DECLS

#define JOBS_TYPE_ROW (jobs_row_get_type ())

G_DECLARE_DERIVABLE_TYPE (JobsRow, jobs_row, JOBS, ROW, GtkWidget)

/* show_task: the row has another task to show, %NULL for none. */
struct _JobsRowClass
{
  GtkWidgetClass parent_class;

  void (*show_task) (JobsRow    *self,
                     TaskerTask *task);
};

TaskerTask *jobs_row_get_task (JobsRow *self);

G_END_DECLS
