/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <adwaita.h>
#include <tasker.h>

#include "jobs-application.h"

G_BEGIN_DECLS

#define JOBS_TYPE_WINDOW (jobs_window_get_type ())

G_DECLARE_FINAL_TYPE (JobsWindow, jobs_window, JOBS, WINDOW, AdwApplicationWindow)

JobsWindow *jobs_window_new             (JobsApplication  *application,
                                         GListModel       *tasks,
                                         TaskerJoinStream *results);

void        jobs_window_tell            (JobsWindow       *self,
                                         const char       *message);
void        jobs_window_begin_finishing (JobsWindow       *self,
                                         guint             grace_s);

G_END_DECLS
