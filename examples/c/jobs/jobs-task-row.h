/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "jobs-row.h"

G_BEGIN_DECLS

#define JOBS_TYPE_TASK_ROW (jobs_task_row_get_type ())

G_DECLARE_FINAL_TYPE (JobsTaskRow, jobs_task_row, JOBS, TASK_ROW, JobsRow)

G_END_DECLS
