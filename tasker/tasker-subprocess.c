/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task that stands for a process which is running. It never waits for
 * its turn. The service thread's context is where GIO tells its end, so that
 * nobody has to iterate one for that. */

#include "tasker-core-private.h"
#include "tasker-service-private.h"
#include "tasker-stopper-private.h"

#include <signal.h>

typedef struct
{
  TaskerJob    job;
  GSubprocess *process;    /* here and not the job's data: asking may be late */
  TaskerCore  *core;       /* owned, from when it was added to its end */
  int          terminated; /* atomic: whether it was sent the one or the other */
  int          killed;
} TaskerSubprocessJob;

static TaskerSubprocessJob *
from_job (TaskerJob *job)
{
  return (TaskerSubprocessJob *) job;
}

/* GIO sends signals in the thread that reaps the process, so none goes to a pid
 * that is somebody else's by now. SIGTERM is sent once: many programs take the
 * second one for an abort. */
static void
tasker_subprocess_asked (TaskerJob   *job,
                         TaskerCore  *core,
                         TaskerLevel  level)
{
  TaskerSubprocessJob *self = from_job (job);

  if (level == TASKER_LEVEL_ABORTED)
    {
      g_atomic_int_set (&self->killed, TRUE);
      g_subprocess_force_exit (self->process);
    }
#ifdef G_OS_UNIX
  else if (g_atomic_int_compare_and_exchange (&self->terminated, FALSE, TRUE))
    {
      g_subprocess_send_signal (self->process, SIGTERM);
    }
#endif
}

static gboolean
ended_as_asked (TaskerSubprocessJob *self)
{
#ifdef G_OS_UNIX
  int signum = g_subprocess_get_if_signaled (self->process) ? g_subprocess_get_term_sig (self->process) : 0;

  return (signum == SIGTERM && g_atomic_int_get (&self->terminated)) ||
         (signum == SIGKILL && g_atomic_int_get (&self->killed));
#else
  return g_atomic_int_get (&self->killed);
#endif
}

static GError *
make_error (TaskerSubprocessJob *self)
{
  GError *error = NULL;

  if (!g_subprocess_get_successful (self->process) && ended_as_asked (self))
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "");

  g_spawn_check_wait_status (g_subprocess_get_status (self->process), &error);

  return error;
}

/* On the service thread */

static void
on_exited (GObject      *source,
           GAsyncResult *result,
           gpointer      job)
{
  TaskerSubprocessJob *self = job;
  g_autoptr(TaskerCore) core = g_steal_pointer (&self->core);
  GError *error;
  TaskerTaskState state;

  g_subprocess_wait_finish (self->process, result, NULL);
  error = make_error (self);
  state = tasker_job_judge (&self->job, core, tasker_core_get_stopper (core, &self->job),
                            error == NULL, &error);

  tasker_core_lock (core);
  tasker_core_hold (core, -1);
  tasker_core_unlock (core);
  tasker_core_end_detached (core, &self->job, state, error);
}

static gboolean
await_exit (gpointer job)
{
  g_subprocess_wait_async (from_job (job)->process, NULL, on_exited, job);

  return G_SOURCE_REMOVE;
}

/* What it was asked to do before, it could not be told then. */
static void
tasker_subprocess_enter (TaskerJob  *job,
                         TaskerCore *core)
{
  TaskerStopper *stopper = TASKER_STOPPER (job->face);

  from_job (job)->core = tasker_core_ref (core);
  tasker_stopper_begin (stopper);

  if (tasker_core_is_aborted (core, job))
    tasker_subprocess_asked (job, core, TASKER_LEVEL_ABORTED);
  else if (tasker_stopper_is_asked (stopper))
    tasker_subprocess_asked (job, core, TASKER_LEVEL_STOPPED);

  tasker_service_add_timer (0, await_exit, job, NULL);
}

static void
tasker_subprocess_free (TaskerJob *job)
{
  g_object_unref (from_job (job)->process);
}

const TaskerJobKind tasker_subprocess_kind =
{
  .id = TASKER_JOB_KIND_SUBPROCESS,
  .size = sizeof (TaskerSubprocessJob),
  .enter = tasker_subprocess_enter,
  .asked = tasker_subprocess_asked,
  .free = tasker_subprocess_free,
};

TaskerJob *
tasker_subprocess_job_new (const char  *name,
                           GSubprocess *process)
{
  TaskerJob *job = tasker_job_new (&tasker_subprocess_kind, name, NULL, NULL, NULL);

  from_job (job)->process = g_object_ref (process);

  return job;
}
