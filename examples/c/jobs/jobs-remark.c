/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What there is to say about a job that has ended. */

#include "jobs-remark.h"

/* The error of a job that has failed; else what it said last. Returns: (nullable) */
char *
jobs_dup_remark (TaskerTask *task)
{
  if (tasker_task_get_state (task) == TASKER_TASK_STATE_FAILED)
    return g_strdup (tasker_task_get_error (task)->message);

  return tasker_task_dup_progress_message (task);
}
