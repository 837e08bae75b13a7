/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The release of data in a home context: see the header. */

#include "tasker-release-private.h"

#include "tasker-current-private.h"
#include "tasker-home-private.h"
#include "tasker-task-private.h"

TaskerRelease *
tasker_release_new (void)
{
  return g_new0 (TaskerRelease, 1);
}

void
tasker_release_free (TaskerRelease *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_error (&self->error);
  g_free (self);
}

/* What runs on a main loop ends there. */
TaskerRelease *
tasker_release_of_job (TaskerJob *job)
{
  if (!job->full || job->data_free == NULL || tasker_job_get_kind (job)->step != NULL)
    return NULL;

  return tasker_task_get_release (job->face);
}

/* A job that has begun has not ended meanwhile, so it keeps its place. */
void
tasker_release_queue (TaskerRelease   *self,
                      TaskerCore      *core,
                      TaskerJob       *job,
                      TaskerTaskState  state,
                      GError          *error)
{
  self->state = state;
  self->error = error;
  self->held = tasker_job_get_state (job) == TASKER_TASK_STATE_RUNNING;
  if (self->held)
    tasker_core_keep_place (core, tasker_current_get ()->hand);

  tasker_home_adopt_release (core, self->context, job);
}
