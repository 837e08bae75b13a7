/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "jobs-row.h"

G_BEGIN_DECLS

#define JOBS_TYPE_RESULT_ROW (jobs_result_row_get_type ())

G_DECLARE_FINAL_TYPE (JobsResultRow, jobs_result_row, JOBS, RESULT_ROW, JobsRow)

G_END_DECLS
