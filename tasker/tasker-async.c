/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of task that somebody else completes: an optional function begins
 * it in the home context, and its owner says when it is done; or it stands for
 * an operation that was begun by others, see tasker-for-gtask.c. */

#include "tasker-home-private.h"
#include "tasker-task-private.h"

/* How far the completion is. */
enum
{
  OPEN,
  CLAIMED, /* somebody is completing it */
  KNOWN,
  VOID,    /* it was aborted before that */
  SPENT,   /* likewise, and completed for nothing */
};

typedef struct
{
  TaskerHomeJob home;
  int           completion; /* atomic */
  guint8        failed;     /* once it is known, and @error with it */
  guint8        silent;     /* likewise: its owner need not be told of the end */
  guint8        starting;   /* the function is running; home context only */
  GError       *error;
} TaskerAsyncJob;

static TaskerAsyncJob *
from_job (TaskerJob *job)
{
  return (TaskerAsyncJob *) job;
}

static gboolean
is_known (TaskerAsyncJob *self)
{
  return g_atomic_int_get (&self->completion) == KNOWN;
}

/* Returns: (nullable): whoever is to be told */
static const TaskerOwner *
get_owner (TaskerAsyncJob *self,
           gsize          *key)
{
  return tasker_task_get_owner (self->home.job.face, key);
}

static gboolean
begins_alone (TaskerAsyncJob *self)
{
  return self->home.job.run_always && get_owner (self, NULL) != NULL;
}

static void
tell_begun (TaskerAsyncJob *self)
{
  TaskerNews *news = &self->home.home->news;
  gsize key;
  const TaskerOwner *owner = get_owner (self, &key);

  if (owner != NULL)
    tasker_news_add_begun (news, owner, key);
  if (begins_alone (self))
    tasker_news_tell (news);
}

/* To be called before the job ends, for then it may be gone; it is told later. */
static void
tell_ended (TaskerAsyncJob *self)
{
  gsize key;
  const TaskerOwner *owner = get_owner (self, &key);

  if (owner != NULL && !self->silent)
    tasker_news_add_ended (&self->home.home->news, owner, key);
}

/* Returns: %FALSE if somebody completes it */
static gboolean
void_completion (TaskerAsyncJob *self)
{
  return g_atomic_int_compare_and_exchange (&self->completion, OPEN, VOID);
}

static void
end (TaskerAsyncJob *self,
     TaskerCore     *core)
{
  TaskerJob *job = &self->home.job;
  GError *error = g_steal_pointer (&self->error);
  TaskerTaskState state = TASKER_TASK_STATE_ABORTED;

  if (is_known (self))
    state = tasker_job_judge (job, core, tasker_core_get_stopper (core, job), !self->failed, &error);
  tell_ended (self);
  tasker_core_end (core, job, state, error);
}

static void
call (TaskerAsyncJob *self,
      TaskerCore     *core)
{
  TaskerJob *job = &self->home.job;
  TaskerFunc func = (TaskerFunc) job->func;
  GError *error = NULL;

  self->starting = TRUE;
  if (func (job->data, tasker_core_get_stopper (core, job), &error))
    g_clear_error (&error);
  else if (!tasker_async_complete (job, TRUE, error))
    g_clear_error (&error);
  self->starting = FALSE;
  tasker_home_clock (&self->home);
}

/* With the core's lock held: whoever completed or aborted it before it waited could
 * not wake it. */
static void
look_again (TaskerAsyncJob *self,
            TaskerCore     *core)
{
  if (is_known (self) || tasker_core_is_aborted (core, &self->home.job))
    tasker_home_ready (&self->home);
}

static void
start (TaskerAsyncJob *self,
       TaskerCore     *core)
{
  gboolean calls = self->home.job.func != NULL && !is_known (self);

  /* From here on it can be completed, or aborted, at any time. */
  tasker_core_lock (core);
  tasker_home_wait (&self->home);
  if (!calls)
    look_again (self, core);
  tasker_core_unlock (core);

  if (!calls)
    {
      tell_begun (self);
      return;
    }

  call (self, core);

  tasker_core_lock (core);
  look_again (self, core);
  tasker_core_unlock (core);
}

static void
tasker_async_step (TaskerJob  *job,
                   TaskerCore *core)
{
  TaskerAsyncJob *self = from_job (job);
  gboolean begins = tasker_job_get_state (job) == TASKER_TASK_STATE_QUEUED;

  /* Of what runs even after the stop, its owner cannot tell by the stopper
   * whether those who begin along with it have aborted it. */
  if (begins && begins_alone (self))
    tasker_news_tell (&self->home.home->news);
  /* Others are told before it begins: they may iterate the main loop, and it could
   * end in there, and be gone. */
  else if (begins && get_owner (self, NULL) != NULL)
    tasker_news_open (&self->home.home->news, get_owner (self, NULL));

  if (begins && !tasker_core_begin (core, job, FALSE))
    {
      tell_ended (self);
      tasker_core_discard (core, job);
    }
  else if (begins)
    {
      start (self, core);
    }
  else if (self->starting)
    {
      /* The function iterates the main loop; it comes back to this. */
      tasker_core_lock (core);
      tasker_home_wait (&self->home);
      tasker_core_unlock (core);
    }
  else if (!is_known (self) && !void_completion (self))
    {
      /* It is being completed at this moment. */
      tasker_core_lock (core);
      tasker_home_wait (&self->home);
      if (is_known (self))
        tasker_home_ready (&self->home);
      tasker_core_unlock (core);
    }
  else
    {
      end (self, core);
    }
}

static void
tasker_async_free (TaskerJob *job)
{
  g_clear_error (&from_job (job)->error);
  tasker_home_job_free (job);
}

const TaskerJobKind tasker_async_kind =
{
  .id = TASKER_JOB_KIND_ASYNC,
  .size = sizeof (TaskerAsyncJob),
  .step = tasker_async_step,
  .free = tasker_async_free,
};

/* The same, but not for its owner to complete. */
const TaskerJobKind tasker_awaited_kind =
{
  .id = TASKER_JOB_KIND_AWAITED,
  .size = sizeof (TaskerAsyncJob),
  .step = tasker_async_step,
  .free = tasker_async_free,
};

TaskerJob *
tasker_async_job_new (const char     *name,
                      TaskerFunc      func,
                      gpointer        data,
                      GDestroyNotify  data_free)
{
  return tasker_job_new (&tasker_async_kind, name, G_CALLBACK (func), data, data_free);
}

/*
 * tasker_awaited_job_new:
 *
 * A job that completes in @context, whoever adds it. Its operation is under way,
 * so the stop cannot keep it from beginning.
 */
TaskerJob *
tasker_awaited_job_new (const char   *name,
                        GMainContext *context)
{
  TaskerJob *job = tasker_job_new (&tasker_awaited_kind, name, NULL, NULL, NULL);

  from_job (job)->home.context = g_main_context_ref (context);
  job->run_always = TRUE;

  return job;
}

/*
 * tasker_async_complete:
 * @error: (transfer full) (nullable): what @failed comes with
 *
 * Completes a job, once, from any thread. If it has begun, its home has to be
 * told.
 *
 * Returns: %FALSE if that was done before, or it was aborted; @error is still
 *   the caller's
 */
gboolean
tasker_async_complete (TaskerJob *job,
                       gboolean   failed,
                       GError    *error)
{
  TaskerAsyncJob *self = from_job (job);

  if (!g_atomic_int_compare_and_exchange (&self->completion, OPEN, CLAIMED))
    return FALSE;

  self->failed = failed;
  self->error = error;
  g_atomic_int_set (&self->completion, KNOWN);

  return TRUE;
}

/* The same for its owner, who may do without being told when it has ended. If he
 * has not completed it he is told anyway. */
gboolean
tasker_async_succeed (TaskerJob *job,
                      gboolean   tell)
{
  TaskerAsyncJob *self = from_job (job);

  if (!g_atomic_int_compare_and_exchange (&self->completion, OPEN, CLAIMED))
    return FALSE;

  self->silent = !tell;
  g_atomic_int_set (&self->completion, KNOWN);

  return TRUE;
}

/* Completes a job that was aborted before, which does nothing.
 *
 * Returns: %FALSE if that was done before */
gboolean
tasker_async_complete_late (TaskerJob *job)
{
  return g_atomic_int_compare_and_exchange (&from_job (job)->completion, VOID, SPENT);
}
