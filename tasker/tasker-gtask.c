/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task that runs the worker function of somebody's GTask.
 *
 * It has ended when the function has returned and the GTask is over: it has
 * completed in its context, or it was finalized without a value and never
 * will. The GTask's value or error goes to its callback; what is known here is
 * whether it had an error. */

#include "tasker-core-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-current-private.h"
#include "tasker-error.h"
#include "tasker-stopper-private.h"

typedef struct
{
  TaskerJob        job;      /* its data is the GTask, until that is returned */
  TaskerCore      *core;     /* owned, from the begin to the end */
  GMainContext    *context;  /* where the GTask completes */
  TaskerStopper   *stopper;  /* for the function; %NULL if it is not called */
  TaskerTaskState  doom;     /* how it ends if it is not called */

  /* Under the core's lock */
  gboolean         returned; /* the function has */
  gboolean         held;     /* keeps a place after that */
  gboolean         over;     /* the GTask is */
  GError          *error;    /* known then */
} TaskerGTaskJob;

/*
 * tasker_gtask_dup_error:
 * @stopper: (nullable): what the task is asked by to end; also cancelled here
 *   when the GTask's own cancellable is, for the caller may just have done that
 *
 * Makes the error of a task whose GTask has completed, or returns %NULL. Its own
 * error goes to its callback alone.
 */
GError *
tasker_gtask_dup_error (GTask        *task,
                        GCancellable *stopper)
{
  if (!g_task_had_error (task))
    return NULL;

  if (stopper != NULL && g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    tasker_cancel (stopper);

  if (stopper != NULL && g_cancellable_is_cancelled (stopper))
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Operation was cancelled"));

  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED,
                              _("The operation failed; its callback has the error"));
}

/* That of one whose GTask was dropped before it had a value or an error. */
GError *
tasker_gtask_error_new_lost (void)
{
  return g_error_new_literal (TASKER_ERROR, TASKER_ERROR_PANICKED,
                              _("The operation was given up without a result"));
}

static TaskerGTaskJob *
from_job (TaskerJob *job)
{
  return (TaskerGTaskJob *) job;
}

static void
end (TaskerGTaskJob *self)
{
  g_autoptr(TaskerCore) core = g_steal_pointer (&self->core);
  GError *error = g_steal_pointer (&self->error);
  TaskerTaskState state = self->doom;

  if (state == 0)
    state = tasker_job_judge (&self->job, core, G_CANCELLABLE (self->stopper), error == NULL, &error);
  else
    g_clear_error (&error);

  tasker_core_end_detached (core, &self->job, state, error);
}

/* Once that is known, who completes the GTask ends the job. */
static void
on_returned (TaskerGTaskJob *self,
             TaskerCore     *core)
{
  gboolean over;

  tasker_current_leave (&self->job);
  tasker_core_lock (core);
  self->returned = TRUE;
  over = self->over;
  self->held = !over && self->doom == 0;
  if (self->held)
    tasker_core_keep_place (core, tasker_current_get ()->hand);
  tasker_core_unlock (core);

  if (over)
    end (self);
}

static void
on_over (TaskerGTaskJob *self,
         GError         *error)
{
  /* If the function has not returned, somebody else ends the job when the lock
   * is open, and lets go of the core. */
  g_autoptr(TaskerCore) core = tasker_core_ref (self->core);
  gboolean returned;

  tasker_core_lock (core);
  self->over = TRUE;
  self->error = error;
  tasker_core_use_context (core, self->context, -1);
  if (self->held)
    tasker_core_hold (core, -1);
  returned = self->returned;
  tasker_core_unlock (core);

  if (returned)
    end (self);
}

static void
on_lost (gpointer  self,
         GObject  *task)
{
  on_over (self, tasker_gtask_error_new_lost ());
}


static void
on_completed (GTask          *task,
              GParamSpec     *pspec,
              TaskerGTaskJob *self)
{
  g_signal_handlers_disconnect_by_func (task, on_completed, self);
  g_object_weak_unref (G_OBJECT (task), on_lost, self);
  on_over (self, tasker_gtask_dup_error (task, G_CANCELLABLE (self->stopper)));
}

/* From now on the GTask's end is awaited. */
static void
await (TaskerGTaskJob *self,
       TaskerCore     *core)
{
  GTask *task = self->job.data;

  tasker_core_detach (core, &self->job);
  self->core = tasker_core_ref (core);
  self->context = g_main_context_ref (g_task_get_context (task));

  tasker_core_lock (core);
  tasker_core_use_context (core, self->context, 1);
  tasker_core_unlock (core);

  g_object_weak_ref (G_OBJECT (task), on_lost, self);
  g_signal_connect (task, "notify::completed", G_CALLBACK (on_completed), self);
}

static void
on_caller_cancelled (GCancellable *cancellable,
                     gpointer      stopper)
{
  tasker_cancel (stopper);
}

static void
call (TaskerGTaskJob *self,
      GTask          *task)
{
  GTaskThreadFunc func = (GTaskThreadFunc) self->job.func;
  GCancellable *own = g_task_get_cancellable (task);
  gulong handler = 0;

  if (own != NULL)
    {
      self->stopper = tasker_stopper_new (&self->core->source);
      handler = g_cancellable_connect (own, G_CALLBACK (on_caller_cancelled), self->stopper, NULL);
    }
  else
    {
      self->stopper = g_object_ref (self->core->stopper);
    }

  func (task, g_task_get_source_object (task), g_task_get_task_data (task),
        G_CANCELLABLE (self->stopper));

  g_cancellable_disconnect (own, handler);
}

static void
tasker_gtask_run (TaskerJob  *job,
                  TaskerCore *core)
{
  TaskerGTaskJob *self = from_job (job);

  await (self, core);
  call (self, job->data);
  /* Whoever is to return the GTask has a reference of his own. */
  tasker_job_free_data (job);
  on_returned (self, core);
}

static void
tasker_gtask_discard (TaskerJob       *job,
                      TaskerCore      *core,
                      TaskerTaskState  state)
{
  TaskerGTaskJob *self = from_job (job);

  self->doom = state;
  await (self, core);
  g_task_return_new_error (job->data, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           _("Operation was cancelled"));
  tasker_job_free_data (job);
  on_returned (self, core);
}

static void
tasker_gtask_free (TaskerJob *job)
{
  TaskerGTaskJob *self = from_job (job);

  g_clear_object (&self->stopper);
  g_clear_pointer (&self->context, g_main_context_unref);
}

const TaskerJobKind tasker_gtask_kind =
{
  .id = TASKER_JOB_KIND_GTASK,
  .size = sizeof (TaskerGTaskJob),
  .run = tasker_gtask_run,
  .discard = tasker_gtask_discard,
  .free = tasker_gtask_free,
};

TaskerJob *
tasker_gtask_job_new (GTask           *task,
                      GTaskThreadFunc  func)
{
  TaskerJob *job = tasker_job_new (&tasker_gtask_kind, g_task_get_name (task), G_CALLBACK (func),
                                   g_object_ref (task), g_object_unref);

  job->priority = g_task_get_priority (task);

  return job;
}
