/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What owners of tasks do in worker threads: the kind of task that is a function of
 * another language, and what is to be done in a thread when it has no more tasks.
 *
 * The function is its owner's, who knows it by a key: so nothing has to be made of
 * it that C could call. And who has the lock of his interpreter goes from one task to
 * the next without letting go of it, for that can cost ten times what a small
 * function does. */

#include "tasker-worker-private.h"

#include "tasker-core-private.h"
#include "tasker-current-private.h"
#include "tasker-owner-private.h"
#include "tasker-runner-private.h"
#include "tasker-task-private.h"

typedef struct
{
  TaskerWorkerFunc func;
  gpointer         user_data;
} TaskerAtIdle;

static GPrivate at_idle = G_PRIVATE_INIT (g_free);

static gboolean
call_owner (TaskerJob   *job,
            TaskerTask  *task,
            GError     **error)
{
  gsize key;
  const TaskerOwner *owner = tasker_task_get_owner (job->face, &key);

  return ((TaskerWorkerOwnerFunc) owner->func) (task, key, owner->user_data, error);
}

static void
forget (TaskerJob *job)
{
  g_autoptr(GError) error = NULL;

  call_owner (job, NULL, &error);
}

/* By the time that the owner returns, the thread may be in another job than the
 * first one, or in none. */
static void
tasker_worker_run (TaskerJob  *job,
                   TaskerCore *core)
{
  TaskerCurrent *current = tasker_current_get ();
  TaskerTask *task = g_object_ref (job->face);
  TaskerTaskState state;
  GError *error = NULL;
  gboolean succeeded;

  current->runner->waits_since = g_get_monotonic_time ();
  succeeded = call_owner (job, task, &error);

  job = current->job;
  if (job != NULL)
    {
      state = tasker_job_judge (job, core, tasker_core_get_stopper (core, job), succeeded, &error);
      tasker_core_end (core, job, state, error);
    }
  else
    {
      g_clear_error (&error);
      tasker_core_publish (core);
    }
  g_object_unref (task);
}

static void
tasker_worker_discard (TaskerJob       *job,
                       TaskerCore      *core,
                       TaskerTaskState  state)
{
  forget (job);
  tasker_core_end (core, job, state, NULL);
}

/* What has ended was told before. */
static void
tasker_worker_free (TaskerJob *job)
{
  if (!tasker_job_has_ended (job))
    forget (job);
}

const TaskerJobKind tasker_worker_kind =
{
  .id = TASKER_JOB_KIND_WORKER,
  .size = sizeof (TaskerJob),
  .run = tasker_worker_run,
  .discard = tasker_worker_discard,
  .free = tasker_worker_free,
};

/* The calling worker thread has no more tasks of the group that it was in. */
void
tasker_worker_idle (void)
{
  TaskerAtIdle *self = g_private_get (&at_idle);
  TaskerAtIdle what;

  if (self == NULL)
    return;

  what = *self;
  g_private_replace (&at_idle, NULL);
  what.func (what.user_data);
}

/* Whether the thread is in a task of an owner, and not in another inside of it. */
static gboolean
is_in_owned_task (TaskerCurrent *current)
{
  return current != NULL && current->runner != NULL && current->job != NULL &&
         tasker_job_get_kind (current->job) == &tasker_worker_kind;
}

static gboolean
is_worker (void)
{
  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    if (l->runner != NULL)
      return TRUE;

  return FALSE;
}

/**
 * tasker_worker_begin:
 *
 * Says that the owner in whose function the calling thread is begins now.
 *
 * It is for those who have to wait before they can, such as for the lock of an
 * interpreter. How many tasks a thread takes at once depends on how long they
 * take, and to wait is no part of them.
 *
 * Since: 1.0
 */
void
tasker_worker_begin (void)
{
  TaskerCurrent *current = tasker_current_get ();

  if (is_in_owned_task (current))
    current->runner->begun_at += g_get_monotonic_time () - current->runner->waits_since;
}

/**
 * tasker_worker_next:
 *
 * Says that the task in which the calling thread is has succeeded, and begins
 * the next one of the same owner.
 *
 * It is for the function of an owner, see [func@Tasker.register_worker_owner],
 * and may be called while the lock of an interpreter is held: it waits for no
 * thread and calls nobody. Where the end of the one task or the beginning of the
 * next would take more than that, because somebody waits or listens, the group
 * was stopped, or nothing is at hand, it does nothing of it, and the owner
 * returns %TRUE. What it did not say is said then.
 *
 * If it does not return 0, the thread is in the next task: what the owner
 * returns in the end is about that one, or about what is begun after it.
 *
 * Returns: the key of the next task, or 0 if the owner is to return
 *
 * Since: 1.0
 */
gsize
tasker_worker_next (void)
{
  TaskerCurrent *current = tasker_current_get ();
  const TaskerOwner *owner;
  TaskerJob *job;
  gsize key;

  if (!is_in_owned_task (current) || !tasker_runner_may_claim (current->runner))
    return 0;

  job = current->job;
  owner = tasker_task_get_owner (job->face, NULL);
  if (!tasker_core_end_quietly (current->core, job))
    return 0;

  job = tasker_runner_claim (current->runner);
  if (job == NULL)
    return 0;
  /* Who began to wait for room meanwhile did not know yet that it was claimed. */
  if (tasker_job_get_kind (job) != &tasker_worker_kind || tasker_task_get_owner (job->face, &key) != owner ||
      !tasker_runner_may_claim (current->runner) ||
      !tasker_core_begin_quietly (current->core, job))
    {
      current->runner->claimed = job;
      return 0;
    }

  current->job = job;

  return key;
}

/**
 * tasker_worker_at_idle:
 * @func: (scope async) (closure user_data): the function to call
 * @user_data: data for @func
 *
 * Has a function called in this worker thread when it goes idle, once.
 *
 * It is for those who keep something for a thread from one task to the next,
 * such as the binding of a language that has to attach to each thread, and want
 * to let go of it before the thread sleeps or ends. There is one such function
 * for each thread; the next one replaces it.
 *
 * Returns: %FALSE if this is not a worker thread, and @func will not be called
 *
 * Since: 1.0
 */
gboolean
tasker_worker_at_idle (TaskerWorkerFunc func,
                       gpointer         user_data)
{
  TaskerAtIdle *self;

  g_return_val_if_fail (func != NULL, FALSE);

  if (!is_worker ())
    return FALSE;

  self = g_new (TaskerAtIdle, 1);
  self->func = func;
  self->user_data = user_data;
  g_private_replace (&at_idle, self);

  return TRUE;
}
