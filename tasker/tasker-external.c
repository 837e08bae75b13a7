/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task whose work is done elsewhere, on a loop that is not GLib's.
 *
 * It has neither a thread nor a main context. Its owner is told when its turn
 * has come, and when it is aborted, and says when it is done. */

#include "tasker-core-private.h"

#include "tasker-current-private.h"
#include "tasker-owner-private.h"
#include "tasker-task-private.h"

typedef struct
{
  TaskerJob job;

  /* Under the core's lock */
  guint     n_tellers; /* who are in the owner's function: until they are out
                        * the job does not end */
  gboolean  begun;
  gboolean  aborted;   /* and told so */
  gboolean  held;      /* has a place */
  gboolean  completed;
  GError   *error;     /* once it is completed, if it failed */
} TaskerExternalJob;

static TaskerExternalJob *
from_job (TaskerJob *job)
{
  return (TaskerExternalJob *) job;
}

static void
end (TaskerExternalJob *self,
     TaskerCore        *core)
{
  TaskerJob *job = &self->job;
  GError *error = g_steal_pointer (&self->error);
  TaskerTaskState state;

  state = tasker_job_judge (job, core, tasker_core_get_stopper (core, job), error == NULL, &error);
  tasker_core_end_detached (core, job, state, error);
}

/* With the core's lock held, for who has completed it and who leaves the
 * function: whether it is for the caller to end the job. Only one of them finds
 * it so, who gives its place back. */
static gboolean
is_over (TaskerExternalJob *self,
         TaskerCore        *core)
{
  if (!self->held || !self->completed || self->n_tellers > 0)
    return FALSE;

  tasker_core_hold (core, -1);
  self->held = FALSE;

  return TRUE;
}

static void
call_owner (TaskerJob *job,
            gboolean   aborted)
{
  gsize key;
  const TaskerOwner *owner = tasker_task_get_owner (job->face, &key);
  TaskerExternalOwnerFunc func = (TaskerExternalOwnerFunc) owner->func;

  func (job->face, key, aborted, owner->user_data);
}

static void
tell (TaskerExternalJob *self,
      TaskerCore        *core,
      gboolean           aborted)
{
  gboolean over;

  call_owner (&self->job, aborted);

  tasker_core_lock (core);
  self->n_tellers--;
  over = is_over (self, core);
  tasker_core_unlock (core);

  if (over)
    end (self, core);
}

/* With the core's lock held: whether there is something to tell. */
static gboolean
note_aborted (TaskerExternalJob *self)
{
  if (!self->begun || self->completed || self->aborted)
    return FALSE;

  self->aborted = TRUE;
  self->n_tellers++;

  return TRUE;
}

static void
tasker_external_asked (TaskerJob   *job,
                       TaskerCore  *core,
                       TaskerLevel  level)
{
  TaskerExternalJob *self = from_job (job);
  gboolean told;

  if (level != TASKER_LEVEL_ABORTED)
    return;

  tasker_core_lock (core);
  told = note_aborted (self);
  tasker_core_unlock (core);

  if (told)
    tell (self, core, TRUE);
}

/* It may have been aborted before its owner knew that it has begun. */
static void
tasker_external_run (TaskerJob  *job,
                     TaskerCore *core)
{
  TaskerTask *task = g_object_ref (job->face);
  TaskerExternalJob *self = from_job (job);

  tasker_core_detach (core, job);

  tasker_core_lock (core);
  self->held = self->begun = TRUE;
  self->n_tellers++;
  tasker_core_keep_place (core, tasker_current_get ()->hand);
  tasker_core_unlock (core);
  tell (self, core, FALSE);

  if (tasker_core_is_aborted (core, job))
    tasker_external_asked (job, core, TASKER_LEVEL_ABORTED);

  g_object_unref (task);
}

/* Its owner need not keep what it would have begun. */
static void
tasker_external_discard (TaskerJob       *job,
                         TaskerCore      *core,
                         TaskerTaskState  state)
{
  call_owner (job, TRUE);
  tasker_core_end (core, job, state, NULL);
}

/* With the core's lock held. Who is queued goes first. */
static gboolean
has_place (TaskerCore *core)
{
  return core->max_running == 0 || (core->queue.length == 0 && tasker_core_has_place (core));
}

/*
 * tasker_external_begin:
 *
 * Adds a job that begins at once, as its owner knows.
 *
 * Returns: %FALSE if it cannot; it is still the caller's
 */
gboolean
tasker_external_begin (TaskerJob  *job,
                       TaskerCore *core)
{
  gboolean begins;

  tasker_core_lock (core);
  tasker_core_look (core);
  begins = !tasker_core_is_closed (core) && has_place (core) &&
           tasker_source_get_level (&core->source) == TASKER_LEVEL_NONE;
  if (begins)
    {
      tasker_core_adopt_running (core, job);
      tasker_core_hold (core, 1);
      from_job (job)->held = from_job (job)->begun = TRUE;
    }
  tasker_core_unlock (core);

  return begins;
}

/*
 * tasker_external_complete:
 * @core: that of the group to which the job was added
 * @error: (transfer full) (nullable): what the job failed with
 *
 * Completes a job, once, from any thread, whether it has begun or not.
 *
 * Returns: %FALSE if that was done before
 */
gboolean
tasker_external_complete (TaskerJob  *job,
                          TaskerCore *core,
                          GError     *error)
{
  TaskerExternalJob *self = from_job (job);
  gboolean completed;
  gboolean over;

  tasker_core_lock (core);
  completed = self->completed;
  if (!completed)
    {
      self->completed = TRUE;
      self->error = g_steal_pointer (&error);
    }
  over = !completed && self->begun && is_over (self, core);
  tasker_core_unlock (core);

  if (over)
    end (self, core);
  g_clear_error (&error);

  return !completed;
}

static void
tasker_external_free (TaskerJob *job)
{
  g_clear_error (&from_job (job)->error);
}

const TaskerJobKind tasker_external_kind =
{
  .id = TASKER_JOB_KIND_EXTERNAL,
  .size = sizeof (TaskerExternalJob),
  .run = tasker_external_run,
  .discard = tasker_external_discard,
  .asked = tasker_external_asked,
  .free = tasker_external_free,
};
