/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task that is a function of another language, run in a worker
 * thread.
 *
 * The function is its owner's, who is registered, and knows it by a number: so
 * nothing has to be made of the function that C could call. And who has the lock
 * of his interpreter goes from one task to the next without letting go of it, for
 * that can cost ten times what a small function does. */

#include "tasker-core-private.h"

#include "tasker-current-private.h"
#include "tasker-registry-private.h"
#include "tasker-runner-private.h"
#include "tasker-task-private.h"
#include "tasker-worker.h"

/* The owner is told each number once, with the task, or that it can forget it. */
static gsize
take_number (TaskerJob *job)
{
  return GPOINTER_TO_SIZE (g_steal_pointer (&job->data));
}

static void
forget (TaskerJob *job)
{
  gsize number = take_number (job);
  g_autoptr(GError) error = NULL;

  if (number != 0)
    ((TaskerWorkerOwnerFunc) job->owner->func) (NULL, number, job->owner->user_data, &error);
}

/* By the time that the owner returns, the thread may be in another job than the
 * first one, or in none. */
static void
tasker_numbered_run (TaskerJob  *job,
                     TaskerCore *core)
{
  TaskerCurrent *current = tasker_current_get ();
  const TaskerRegistered *owner = job->owner;
  TaskerTask *task = g_object_ref (job->face);
  TaskerTaskState state;
  GError *error = NULL;
  gboolean succeeded;

  current->runner->waits_since = g_get_monotonic_time ();
  succeeded = ((TaskerWorkerOwnerFunc) owner->func) (task, take_number (job),
                                                     owner->user_data, &error);

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
tasker_numbered_discard (TaskerJob       *job,
                         TaskerCore      *core,
                         TaskerTaskState  state)
{
  forget (job);
  tasker_core_end (core, job, state, NULL);
}

static const TaskerJobKind tasker_numbered_kind =
{
  .size = sizeof (TaskerJob),
  .run = tasker_numbered_run,
  .discard = tasker_numbered_discard,
  .free = forget,
};

/* Returns: (nullable): the owner with this number */
const TaskerRegistered *
tasker_numbered_find_owner (guint owner)
{
  return tasker_registry_find (&tasker_numbered_kind, owner);
}

/* @self is all zero. */
void
tasker_numbered_job_init (TaskerJob              *self,
                          const TaskerRegistered *owner,
                          gsize                   number)
{
  tasker_job_init (self, &tasker_numbered_kind, NULL, GSIZE_TO_POINTER (number), NULL);
  self->owner = owner;
}

/**
 * tasker_worker_register_owner:
 * @func: (scope notified) (closure user_data) (destroy user_data_free): runs
 *   the tasks of the owner
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data if there is no room
 *
 * Registers somebody who runs functions that C cannot call, such as the binding
 * of a language, for the rest of the process.
 *
 * Returns: the number of the owner, for [ctor@Tasker.Task.new_numbered]; or 0 if
 *   there are 16 owners already, those of [func@Tasker.Task.register_owner]
 *   included
 *
 * Since: 1.0
 */
guint
tasker_worker_register_owner (TaskerWorkerOwnerFunc func,
                              gpointer              user_data,
                              GDestroyNotify        user_data_free)
{
  g_return_val_if_fail (func != NULL, 0);

  return tasker_registry_add (&tasker_numbered_kind, G_CALLBACK (func), user_data, user_data_free);
}

/* Whether the thread is in a task of an owner, and not in another inside of it. */
static gboolean
is_in_numbered (TaskerCurrent *current)
{
  return current != NULL && current->runner != NULL && current->job != NULL &&
         current->job->kind == &tasker_numbered_kind;
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

  if (is_in_numbered (current))
    current->runner->begun_at += g_get_monotonic_time () - current->runner->waits_since;
}

/**
 * tasker_worker_next:
 *
 * Says that the task in which the calling thread is has succeeded, and begins
 * the next one of the same owner.
 *
 * It is for the function of an owner, see [func@Tasker.worker_register_owner],
 * and may be called while the lock of an interpreter is held: it waits for no
 * thread and calls nobody. Where the end of the one task or the beginning of the
 * next would take more than that, because somebody waits or listens, the group
 * was stopped, or nothing is at hand, it does nothing of it, and the owner
 * returns %TRUE. What it did not say is said then.
 *
 * If it does not return 0, the thread is in the next task: what the owner
 * returns in the end is about that one, or about what is begun after it.
 *
 * Returns: the number of the next task, or 0 if the owner is to return
 *
 * Since: 1.0
 */
gsize
tasker_worker_next (void)
{
  TaskerCurrent *current = tasker_current_get ();
  const TaskerRegistered *owner;
  TaskerJob *job;

  if (!is_in_numbered (current) || !tasker_runner_may_claim (current->runner))
    return 0;

  job = current->job;
  owner = job->owner;
  if (!tasker_core_end_quietly (current->core, job))
    return 0;

  job = tasker_runner_claim (current->runner);
  if (job == NULL)
    return 0;
  if (job->kind != &tasker_numbered_kind || job->owner != owner ||
      !tasker_core_begin_quietly (current->core, job))
    {
      current->runner->claimed = job;
      return 0;
    }

  current->job = job;

  return take_number (job);
}
