/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of the jobs of a group when it is stopped, or one of them is. */

#include "tasker-core-private.h"

#include "tasker-child-private.h"
#include "tasker-home-private.h"
#include "tasker-task-private.h"
static void
sweep_into (gpointer job,
            gpointer swept)
{
  g_ptr_array_add (swept, job);
}

/* Puts what a runner has not claimed back to where it came from; with the lock
 * held. */
void
tasker_core_put_back (TaskerCore *self,
                      TaskerHand *hand)
{
  TaskerJob *jobs[TASKER_HAND_SIZE];
  int n_jobs = hand->shared ? tasker_hand_take (hand, FALSE, TASKER_HAND_SIZE, jobs) : 0;

  while (n_jobs > 0)
    {
      TaskerJob *job = jobs[--n_jobs];

      if (tasker_job_is_doomed (job) || !TASKER_MAY_BEGIN (job, self->swept))
        tasker_job_list_push_front (&self->doomed, job);
      else
        tasker_queue_push_front (&self->queue, job);
    }
}

/* The same with what all runners have; with the lock held. */
void
tasker_core_take_back_hands (TaskerCore *self)
{
  for (GList *l = self->hands.tail; l != NULL; l = l->prev)
    tasker_core_put_back (self, l->data);
}

static void
sweep_claimed (gpointer job,
               gpointer self)
{
  TaskerLevel level = ((TaskerCore *) self)->swept;

  if (!TASKER_MAY_BEGIN ((TaskerJob *) job, level))
    tasker_job_doom (job, level == TASKER_LEVEL_ABORTED);
}

static gboolean
wants_to_be_asked (TaskerJob *job)
{
  return tasker_job_get_kind (job)->asked != NULL && tasker_job_get_state (job) == TASKER_TASK_STATE_RUNNING;
}

/* Those who run jobs that have begun are told of the abort, if they want to be.
 * Children hear of it by themselves, level after level. */
static void
note_aborted (TaskerCore *self,
              TaskerJob  *job)
{
  if (wants_to_be_asked (job) && !tasker_job_is_child (job))
    g_queue_push_tail (&self->todo.aborted, g_object_ref (job->face));
}

/* Dooms what is queued and must not begin any more. */
static void
sweep (TaskerCore  *self,
       TaskerLevel  level)
{
  g_autoptr(GPtrArray) jobs = g_ptr_array_new ();

  tasker_core_look (self);
  tasker_core_take_back_hands (self);
  self->swept = level;

  /* A runner may just have claimed one, and not have begun it. */
  for (GList *l = self->hands.head; l != NULL; l = l->next)
    tasker_hand_foreach (l->data, sweep_claimed, self);

  tasker_queue_foreach (&self->queue, sweep_into, jobs);
  for (guint i = 0; i < jobs->len; i++)
    {
      TaskerJob *job = g_ptr_array_index (jobs, i);

      if (TASKER_MAY_BEGIN (job, level))
        continue;
      tasker_queue_remove (&self->queue, job);
      tasker_job_list_push (&self->doomed, job);
    }

  tasker_home_sweep (self, level);
  if (level == TASKER_LEVEL_ABORTED)
    for (TaskerJob *job = self->detached.head; job != NULL; job = job->next)
      note_aborted (self, job);
}

/* The task that stands for a child group hears that group. */
static void
collect_full (gpointer data,
              gpointer tasks)
{
  TaskerJob *job = data;

  if (job->full && !tasker_job_is_child (job) && !tasker_job_has_ended (job))
    g_ptr_array_add (tasks, g_object_ref (job->face));
}

/*
 * tasker_core_on_raised:
 * @tasks: where to add the full tasks, which are to be cancelled
 *
 * The source was stopped or aborted.
 */
void
tasker_core_on_raised (TaskerCore *self,
                       GPtrArray  *tasks)
{
  TaskerLevel level = tasker_source_get_level (&self->source);

  tasker_core_lock (self);
  tasker_core_foreach (self, collect_full, tasks);
  if (self->swept < level)
    {
      sweep (self, level);
      self->changed |= TASKER_CHANGE_RAISED;
      tasker_core_kick (self);
    }
  tasker_core_unlock (self);

  tasker_cancel (G_CANCELLABLE (self->stopper));
}

/*
 * tasker_core_doom:
 * @abort: whether it is aborted, not stopped
 *
 * Asks one job to end. If it has not begun, it will not.
 *
 * Returns: %FALSE if it has ended, or cannot be reached alone any more
 */
gboolean
tasker_core_doom (TaskerCore *self,
                  TaskerJob  *job,
                  gboolean    abort)
{
  gboolean reached;
  gboolean asks;

  tasker_core_lock (self);
  if (job->full && tasker_task_get_core (job->face) != self)
    {
      /* It was just refused, and somebody else may have it by now. */
      tasker_core_unlock (self);
      return FALSE;
    }
  /* Where it has begun, it is in no hand to be taken back from: to look through
   * all of them for each of many tasks would cost more than the stop. */
  if (tasker_job_get_state (job) == TASKER_TASK_STATE_QUEUED)
    {
      tasker_core_gather (self);
      if (!job->queued)
        tasker_core_take_back_hands (self);
    }

  if (tasker_job_has_ended (job))
    reached = FALSE;
  else if (!abort && job->run_always)
    reached = TRUE;
  else
    reached = tasker_job_doom (job, abort) || job->full;

  if (reached && abort)
    g_atomic_int_or (&job->marks, TASKER_JOB_MARK_ABORTED);
  if (job->queued && tasker_job_is_doomed (job))
    {
      tasker_queue_remove (&self->queue, job);
      tasker_job_list_push (&self->doomed, job);
      tasker_core_kick (self);
    }
  if (tasker_job_get_kind (job)->step != NULL && reached)
    tasker_home_doom ((TaskerHomeJob *) job, abort);
  asks = reached && wants_to_be_asked (job);
  tasker_core_unlock (self);

  if (asks)
    tasker_job_get_kind (job)->asked (job, self, abort ? TASKER_LEVEL_ABORTED : TASKER_LEVEL_STOPPED);

  return reached;
}
