/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of task that are a function on a main loop, one step a call: as
 * soon as the loop comes round again, or at an interval. */

#include "tasker-home-private.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  TaskerTimedJob timed;
  gint64         interval_us;
} TaskerIntervalJob;

static TaskerHomeJob *
from_job (TaskerJob *job)
{
  return (TaskerHomeJob *) job;
}

/* Calls the function. Returns whether the job goes on; otherwise it has ended. */
static gboolean
call (TaskerJob  *job,
      TaskerCore *core)
{
  TaskerStepFunc func = (TaskerStepFunc) job->func;
  GCancellable *stopper = tasker_core_get_stopper (core, job);
  GError *error = NULL;
  TaskerTaskState state;
  gboolean again;

  again = func (job->data, stopper, &error);
  tasker_home_clock (from_job (job));

  if (again && error == NULL)
    return TRUE;

  state = tasker_job_judge (job, core, stopper, error == NULL, &error);
  tasker_core_end (core, job, state, error);

  return FALSE;
}

static void
tasker_local_step (TaskerJob  *job,
                   TaskerCore *core)
{
  gboolean begins = tasker_job_get_state (job) == TASKER_TASK_STATE_QUEUED;

  if (begins && !tasker_core_begin (core, job, FALSE))
    {
      tasker_core_discard (core, job);
    }
  else if (!begins && tasker_core_is_aborted (core, job))
    {
      tasker_core_end (core, job, TASKER_TASK_STATE_ABORTED, NULL);
    }
  else if (call (job, core))
    {
      tasker_core_lock (core);
      tasker_home_again (from_job (job));
      tasker_core_unlock (core);
    }
}

static gboolean
is_asked_to_end (TaskerJob  *job,
                 TaskerCore *core)
{
  return g_cancellable_is_cancelled (tasker_core_get_stopper (core, job)) ||
         tasker_source_get_level (&core->source) != TASKER_LEVEL_NONE ||
         tasker_core_is_aborted (core, job);
}

/* Who asks it to end after this look finds that it waits, and has it ready. */
static void
wait_until (TaskerIntervalJob *self,
            TaskerCore        *core,
            gint64             due)
{
  TaskerHomeJob *job = &self->timed.home;

  tasker_core_lock (core);
  if (is_asked_to_end (&job->job, core))
    tasker_home_again (job);
  else
    tasker_home_again_at (&self->timed, due);
  tasker_core_unlock (core);
}

/* That is the end of an interval, as if its function had seen it. */
static void
end_stopped (TaskerJob  *job,
             TaskerCore *core)
{
  GError *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Operation was cancelled"));
  TaskerTaskState state;

  state = tasker_job_judge (job, core, tasker_core_get_stopper (core, job), FALSE, &error);
  tasker_core_end (core, job, state, error);
}

/* Ticks that were missed are left out, and those that come keep the rate. */
static gint64
get_next_due (TaskerIntervalJob *self)
{
  gint64 late = g_get_monotonic_time () - self->timed.due;

  return self->timed.due + (late / self->interval_us + 1) * self->interval_us;
}

static void
tasker_interval_step (TaskerJob  *job,
                      TaskerCore *core)
{
  TaskerIntervalJob *self = (TaskerIntervalJob *) job;
  gboolean begins = tasker_job_get_state (job) == TASKER_TASK_STATE_QUEUED;

  if (begins && !tasker_core_begin (core, job, FALSE))
    tasker_core_discard (core, job);
  else if (begins)
    wait_until (self, core, g_get_monotonic_time () + self->interval_us);
  else if (tasker_core_is_aborted (core, job))
    tasker_core_end (core, job, TASKER_TASK_STATE_ABORTED, NULL);
  else if (is_asked_to_end (job, core))
    end_stopped (job, core);
  else if (call (job, core))
    wait_until (self, core, get_next_due (self));
}

/* More than it needs: blocks of up to 120 bytes are not merged by glibc's
 * allocator when they are freed, but later, all at once. That made 200,000 tasks
 * half as fast. */
const TaskerJobKind tasker_local_kind =
{
  .id = TASKER_JOB_KIND_LOCAL,
  .size = sizeof (TaskerTimedJob),
  .step = tasker_local_step,
  .free = tasker_home_job_free,
};

const TaskerJobKind tasker_interval_kind =
{
  .id = TASKER_JOB_KIND_INTERVAL,
  .size = sizeof (TaskerIntervalJob),
  .step = tasker_interval_step,
  .free = tasker_home_job_free,
};

TaskerJob *
tasker_local_job_new (const char     *name,
                      TaskerStepFunc  func,
                      gpointer        data,
                      GDestroyNotify  data_free)
{
  return tasker_job_new (&tasker_local_kind, name, G_CALLBACK (func), data, data_free);
}

TaskerJob *
tasker_interval_job_new (const char     *name,
                         guint           interval_ms,
                         TaskerStepFunc  func,
                         gpointer        data,
                         GDestroyNotify  data_free)
{
  TaskerJob *job = tasker_job_new (&tasker_interval_kind, name, G_CALLBACK (func), data, data_free);

  ((TaskerIntervalJob *) job)->interval_us = interval_ms * G_TIME_SPAN_MILLISECOND;

  return job;
}
