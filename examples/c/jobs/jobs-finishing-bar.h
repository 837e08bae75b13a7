/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define JOBS_TYPE_FINISHING_BAR (jobs_finishing_bar_get_type ())

G_DECLARE_FINAL_TYPE (JobsFinishingBar, jobs_finishing_bar, JOBS, FINISHING_BAR, GtkWidget)

void jobs_finishing_bar_begin (JobsFinishingBar *self,
                               GListModel       *tasks,
                               guint             grace_s);

G_END_DECLS
