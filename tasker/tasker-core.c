/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The core of a group: where its jobs are, and how many there are of which. See
 * doc/internals.md. */

#include "tasker-core-private.h"

#include "tasker-child-private.h"
#include "tasker-current-private.h"
#include "tasker-forgotten-private.h"
#include "tasker-growth-private.h"
#include "tasker-home-private.h"
#include "tasker-listeners-private.h"
#include "tasker-progress-private.h"
#include "tasker-release-private.h"
#include "tasker-runner-private.h"
#include "tasker-shutdown-private.h"
#include "tasker-signal-private.h"
#include "tasker-spin-private.h"
#include "tasker-stopper-private.h"
#include "tasker-task-list-private.h"
#include "tasker-task-private.h"
#include "tasker-waiter-private.h"
#include "tasker-watch-private.h"

/* What the inbox holds once the last handle is finished: nothing is added any
 * more; and in a shutdown: things are added with the lock held. */
static TaskerJob marks[2];
#define CLOSED (&marks[0])
#define SHUT (&marks[1])

/* The core for what this thread is making. */
static GPrivate given;

TaskerCore *
tasker_core_new (void)
{
  TaskerCore *self = g_atomic_rc_box_new0 (TaskerCore);

  tasker_source_init (&self->source);
  self->stopper = g_object_new (TASKER_TYPE_STOPPER, NULL);
  g_mutex_init (&self->lock);
  self->keep_results = TRUE;
  self->stop_with_parent = TRUE;
  tasker_results_init (&self->results);
  /* Has room from the beginning, as the results have. */
  self->gathered = g_ptr_array_sized_new (1);
  tasker_growth_reset (self);

  return self;
}

TaskerCore *
tasker_core_ref (TaskerCore *self)
{
  return g_atomic_rc_box_acquire (self);
}

/* By now no handle, no job and no runner is there: each holds a reference. */
static void
tasker_core_clear (gpointer data)
{
  TaskerCore *self = data;

  g_assert (tasker_core_get_n_live (self) == 0);
  g_assert (tasker_results_is_empty (&self->results));
  g_assert (self->parent == NULL && self->idle.length == 0);

  tasker_results_clear (&self->results);
  g_clear_error (&self->first_failure);
  g_ptr_array_unref (self->gathered);
  g_clear_pointer (&self->contexts, g_hash_table_unref);
  g_clear_pointer (&self->progressing, g_hash_table_unref);
  tasker_queue_clear (&self->queue);
  g_mutex_clear (&self->lock);
  g_free (self->name);
  g_object_unref (self->stopper);
  tasker_source_clear (&self->source);
}

void
tasker_core_unref (TaskerCore *self)
{
  g_atomic_rc_box_release_full (self, tasker_core_clear);
}

guint64
tasker_core_get_n_ended (TaskerCore *self)
{
  return self->n_ended[0] + self->n_ended[1] + self->n_ended[2] + self->n_ended[3];
}

/* The lock, and what is done when it is let go */

void
tasker_core_lock (TaskerCore *self)
{
  int n_loops;

  if (g_mutex_trylock (&self->lock))
    return;

  n_loops = g_main_depth () > 0 ? 1 : 0;
  g_atomic_int_add (&self->n_loops_locking, n_loops);
  tasker_spin_lock (&self->lock);
  g_atomic_int_add (&self->n_loops_locking, -n_loops);
}

/* Whether to free it is to free memory, and calls nobody. */
static gboolean
is_plain (TaskerJob *job)
{
  return !job->full && job->error == NULL && tasker_job_get_kind (job)->free == NULL &&
         g_atomic_pointer_get (&job->notes) == NULL;
}

/* It is freed when the lock is open. For one that somebody may notice a join waits. */
static void
free_later (TaskerCore *self,
            TaskerJob  *job)
{
  TaskerJob **chain = is_plain (job) ? &self->todo.spent : &self->todo.dropped;

  job->next = *chain;
  *chain = job;
}

static void
drop (TaskerCore *self,
      TaskerJob  *job)
{
  job->owned = FALSE;
  /* Otherwise it lives on with its face, or in lists that have yet to remove it. */
  if (job->full || (job->face == NULL && job->n_rows == 0))
    free_later (self, job);
}

/* No list shows a job any more that nobody else has; with the lock held. */
void
tasker_core_release_row (TaskerCore *self,
                         TaskerJob  *job)
{
  if (--job->n_rows == 0 && !job->owned && !job->full && job->face == NULL)
    free_later (self, job);
}

/* Takes the oldest result, or %NULL; with the lock held. If it is the last one of
 * a group that is joined, streams have ended by that. */
TaskerJob *
tasker_core_take_result (TaskerCore *self)
{
  TaskerJob *job = tasker_results_take (&self->results);

  if (job != NULL && tasker_results_is_empty (&self->results) && tasker_core_is_joined (self))
    self->changed |= TASKER_CHANGE_RESULTS;

  return job;
}

/*
 * tasker_core_drop_results:
 * @n_wanted: how many at the most
 * @failure: (out) (optional): return location for the error of the first task
 *   that failed; where it is given, that task is the last one dropped
 *
 * Drops the results; with the lock held.
 *
 * Returns: how many
 */
guint
tasker_core_drop_results (TaskerCore  *self,
                          guint        n_wanted,
                          GError     **failure)
{
  TaskerJob *job;
  guint n_dropped = 0;

  while (n_dropped < n_wanted && (failure == NULL || *failure == NULL) &&
         (job = tasker_core_take_result (self)) != NULL)
    {
      if (failure != NULL && tasker_job_get_state (job) == TASKER_TASK_STATE_FAILED)
        *failure = tasker_job_dup_error (job);
      drop (self, job);
      n_dropped++;
    }

  return n_dropped;
}

static void
free_chain (TaskerJob *first)
{
  TaskerJob *next;

  for (TaskerJob *job = first; job != NULL; job = next)
    {
      next = job->next;
      if (job->full)
        g_object_unref (job->face);
      else
        tasker_job_free (job);
    }
}

/* Nothing changes by that, so there is nothing to be done after it. */
static void
warn_sleepers (TaskerCore *self)
{
  tasker_core_lock (self);
  tasker_waiter_warn (self);
  g_mutex_unlock (&self->lock);
}

/* None of them ends before this. */
static void
enter_jobs (TaskerCore *self,
            GQueue     *jobs)
{
  TaskerJob *job;

  while ((job = g_queue_pop_head (jobs)) != NULL)
    tasker_job_get_kind (job)->enter (job, self);
}

static void
tell_aborted (TaskerCore *self,
              GQueue     *tasks)
{
  TaskerTask *task;

  while ((task = g_queue_pop_head (tasks)) != NULL)
    {
      TaskerJob *job = tasker_task_get_job (task);

      tasker_job_get_kind (job)->asked (job, self, TASKER_LEVEL_ABORTED);
      g_object_unref (task);
    }
}

static void
carry_out (TaskerCore *self,
           TaskerTodo *todo)
{
  if (todo->stop)
    tasker_source_raise (&self->source, TASKER_LEVEL_STOPPED);
  if (todo->shut_next != NULL)
    tasker_shutdown_shut_next (todo->shut_next);
  for (guint i = 0; i < todo->n_starts; i++)
    tasker_runner_start (self);
  if (todo->watch_growth)
    tasker_growth_watch (self);
  if (todo->watch_listeners)
    tasker_listeners_watch (self);
  if (todo->watch_handles)
    tasker_forgotten_watch (self);
  if (todo->ask_later)
    tasker_watch_ask_later (self);
  if (tasker_runner_short_of_threads ())
    warn_sleepers (self);
  if (todo->homes != NULL)
    tasker_home_destroy (todo->homes);
  if (todo->given_up != NULL)
    tasker_stop_wait_drop (&todo->given_up);
  if (todo->entered.length > 0)
    enter_jobs (self, &todo->entered);
  if (todo->aborted.length > 0)
    tell_aborted (self, &todo->aborted);
  free_chain (todo->spent);
}

/* Frees what nobody wants any more, where somebody may notice, before anybody is told of
 * its end. A join waits for that where a runner does it, which cannot join itself. */
static void
carry_out_drops (TaskerCore *self)
{
  guint n_dropping = tasker_current_get () != NULL ? 1 : 0;

  while (self->todo.dropped != NULL)
    {
      TaskerJob *dropped = g_steal_pointer (&self->todo.dropped);

      self->n_dropping += n_dropping;
      g_mutex_unlock (&self->lock);
      free_chain (dropped);
      tasker_core_lock (self);
      self->n_dropping -= n_dropping;
      self->changed |= TASKER_CHANGE_JOINED;
    }
}

/* Whether it has ended as far as its parent is concerned; with the lock held. */
static gboolean
is_over (TaskerCore *self)
{
  return (self->n_open == 0 || tasker_core_is_shut (self)) &&
         tasker_core_is_empty (self) && self->n_returning == 0;
}

/* Before anybody is told that the group is joined, signals do again what they
 * did before. */
static void
unwatch_signals (TaskerCore *self)
{
  self->watching_signals = FALSE;
  self->n_dropping++;
  g_mutex_unlock (&self->lock);
  tasker_signal_unwatch (self);
  tasker_core_lock (self);
  self->n_dropping--;
  self->changed |= TASKER_CHANGE_JOINED;
}

/* To ask who listens to what has changed may take longer than all else that is
 * done under the lock, and runners need not wait for that. */
static void
start_runners_first (TaskerCore *self)
{
  guint n_starts = self->todo.n_starts;

  if (n_starts == 0 || self->changed == 0)
    return;

  self->todo.n_starts = 0;
  g_mutex_unlock (&self->lock);
  while (n_starts-- > 0)
    tasker_runner_start (self);
  tasker_core_lock (self);
}

/* Returns: (transfer full) (nullable): the parent, if something has changed there */
static TaskerCore *
unlock_once (TaskerCore *self)
{
  TaskerTodo todo;
  gboolean climbs;

  start_runners_first (self);
  if (self->n_handles == 0)
    tasker_core_drop_results (self, G_MAXUINT, NULL);
  carry_out_drops (self);
  if (self->watching_signals && is_over (self))
    unwatch_signals (self);
  if (!g_queue_is_empty (&self->waiters))
    tasker_waiter_settle (self, &self->waiters);
  if (self->n_joiners > 0 || self->alone_since != 0 || self->parent != NULL)
    tasker_forgotten_look (self);
  g_atomic_int_set (&self->n_urgent, (int) self->queue.n_urgent);
  if (self->parent != NULL)
    tasker_child_settle (self, is_over (self));
  tasker_listeners_settle (self);
  if (self->in_order)
    self->todo.shut_next = tasker_shutdown_take_next (self);
  if (self->changed != 0)
    tasker_watch_settle (self);
  climbs = self->climbs && self->parent != NULL;
  self->climbs = FALSE;

  todo = self->todo;
  self->todo = (TaskerTodo) { 0 };
  g_mutex_unlock (&self->lock);

  carry_out (self, &todo);
  if (todo.returns)
    tasker_child_return (self);
  if (climbs)
    tasker_progress_climb (self);
  if (todo.left)
    tasker_core_unref (self);

  return todo.parent;
}

/* A child that ends may end its parent, and so on: in a line of any length. */
void
tasker_core_unlock (TaskerCore *self)
{
  TaskerCore *next = unlock_once (self);

  while (next != NULL)
    {
      TaskerCore *core = next;

      tasker_core_lock (core);
      next = unlock_once (core);
      tasker_core_unref (core);
    }
}

/* Handles */

/* Returns: whether the handle is open; none opens once all are finished */
gboolean
tasker_core_add_handle (TaskerCore *self,
                        gboolean    open)
{
  tasker_core_lock (self);
  self->n_handles++;
  open = open && !tasker_core_is_closed (self);
  if (open)
    g_atomic_int_inc (&self->n_open);
  tasker_core_unlock (self);

  return open;
}

/*
 * tasker_core_make:
 * @type: one whose instances get their core from tasker_core_get_given()
 *
 * Returns: (transfer full): a new object that belongs to the group
 */
gpointer
tasker_core_make (TaskerCore *self,
                  GType       type)
{
  gpointer object;

  g_private_set (&given, self);
  object = g_object_new (type, NULL);
  g_private_set (&given, NULL);

  return object;
}

/*
 * tasker_core_get_given:
 *
 * For an object that is being made. Where g_object_new() is called from outside,
 * as bindings let one do, it gets a group of its own to which nothing can be added.
 *
 * Returns: (transfer full): the core
 */
TaskerCore *
tasker_core_get_given (void)
{
  TaskerCore *self = g_private_get (&given);

  if (self != NULL)
    return tasker_core_ref (self);

  self = tasker_core_new ();
  tasker_core_add_handle (self, TRUE);
  tasker_core_close_handle (self);
  tasker_core_drop_handle (self);

  return self;
}

/* A full task may have been cancelled or aborted before it was queued, when
 * there was nothing yet to be doomed. */
static gboolean
is_asked_to_end (TaskerJob *job)
{
  return job->full &&
         (tasker_job_is_aborted (job) ||
          (!job->run_always && g_cancellable_is_cancelled (G_CANCELLABLE (job->face))));
}

/* Whether it is for runners, who take the oldest ones, and many of them. */
static gboolean
is_queued_last (TaskerJob *job)
{
  const TaskerJobKind *kind = tasker_job_get_kind (job);

  return job->priority == G_PRIORITY_DEFAULT && kind->step == NULL && kind->enter == NULL;
}

static void
count_spawned (TaskerCore *self,
               TaskerJob  *job)
{
  self->n_spawned++;
  self->changed |= TASKER_CHANGE_SPAWNED;
  if (self->lists.head != NULL)
    tasker_task_lists_add (self, job);
  if (tasker_job_get_kind (job)->get_progress != NULL || g_atomic_pointer_get (&job->notes) != NULL)
    tasker_progress_add (self, job);
  if (job->full)
    {
      if (!is_queued_last (job))
        tasker_task_ask_heard (job->face);
      tasker_task_note (job->face, self, TASKER_TASK_CHANGE_STATE);
    }
}

/* A job that was spawned goes to where it belongs. */
static void
sort_in (TaskerCore *self,
         TaskerJob  *job)
{
  count_spawned (self, job);
  if (is_asked_to_end (job) || !TASKER_MAY_BEGIN (job, self->swept))
    tasker_job_doom (job, tasker_job_is_aborted (job) || self->swept == TASKER_LEVEL_ABORTED);

  if (tasker_job_get_kind (job)->step != NULL)
    tasker_home_adopt (self, (TaskerHomeJob *) job);
  else if (!tasker_job_is_doomed (job))
    tasker_queue_push (&self->queue, job);
  else
    tasker_job_list_push (&self->doomed, job);
}

static void
adopt_chain (TaskerCore *self,
             TaskerJob  *latest)
{
  TaskerJob *job = NULL;
  TaskerJob *next;

  /* The inbox has the latest first. */
  for (; latest != NULL; latest = next)
    {
      next = latest->next;
      latest->next = job;
      job = latest;
    }

  for (; job != NULL; job = next)
    {
      next = job->next;
      sort_in (self, job);
    }
}

/* Looks into the inbox; with the lock held. */
void
tasker_core_look (TaskerCore *self)
{
  TaskerJob *inbox = g_atomic_pointer_get (&self->inbox);

  if (inbox != NULL && inbox != CLOSED && inbox != SHUT)
    adopt_chain (self, g_atomic_pointer_exchange (&self->inbox, NULL));
}

/* The last look into the inbox; with the lock held. */
static void
mark_inbox (TaskerCore *self,
            TaskerJob  *mark)
{
  TaskerJob *inbox = g_atomic_pointer_exchange (&self->inbox, mark);

  if (inbox != CLOSED && inbox != SHUT)
    adopt_chain (self, inbox);
}

/* From here on, with the lock held, handles that are open do not hold up the
 * parent. Who adds something tells it then, so no one may do so unseen. */
void
tasker_core_shut (TaskerCore *self)
{
  if (!tasker_core_is_closed (self))
    mark_inbox (self, SHUT);
}

gboolean
tasker_core_is_shut (TaskerCore *self)
{
  return g_atomic_pointer_get (&self->inbox) == SHUT;
}

/* Finishes a handle. After the last one nothing can be pushed any more. */
void
tasker_core_close_handle (TaskerCore *self)
{
  tasker_core_lock (self);
  if (g_atomic_int_dec_and_test (&self->n_open))
    {
      mark_inbox (self, CLOSED);
      self->changed |= TASKER_CHANGE_JOINED;
      tasker_core_kick (self);
    }
  tasker_core_unlock (self);
}

/* A finished handle is gone. */
void
tasker_core_drop_handle (TaskerCore *self)
{
  gboolean abort;

  tasker_core_lock (self);
  tasker_core_gather (self);
  self->n_handles--;
  abort = self->n_handles == 0 && self->abort_on_drop &&
          tasker_core_get_n_live (self) > 0;
  tasker_core_unlock (self);

  if (abort)
    tasker_source_raise (&self->source, TASKER_LEVEL_ABORTED);
}

/* Jobs come */

/* A task of another priority than the default has to be seen at once, for it
 * may have to go before what runners have in hand; and one for a main loop, for
 * no runner looks for it. */
static gboolean
push_visibly (TaskerCore *self,
              TaskerJob  *job)
{
  gboolean open;

  tasker_core_lock (self);
  tasker_core_look (self);
  open = !tasker_core_is_closed (self);
  if (open)
    {
      tasker_core_adopt (self, job);
      tasker_core_kick (self);
    }
  tasker_core_unlock (self);

  return open;
}

/* A group at rest needs nothing for a light task but a runner, and that sees to the rest:
 * to do it here, where nothing is in the caches, would make the task wait for as long
 * as the thread takes to wake. Returns: whether one comes */
static gboolean
start_first_runner (TaskerCore *self)
{
  if (g_atomic_int_get (&self->armed_for_spawns) || g_atomic_int_get (&self->n_runners) > 0 ||
      !g_atomic_int_compare_and_exchange (&self->n_searching, 0, 1))
    return FALSE;

  g_atomic_int_inc (&self->n_runners);

  return tasker_runner_start (self);
}

/* Whether somebody has to look into the inbox now, for a job has come that is the
 * first in there, or is that of a full task. Only the first one has to wake a runner,
 * and only if none is searching and one could be started; or to be told of, if somebody
 * watches. A full task must not be there for long, for somebody may listen to it. Who
 * changes one of these looks into the inbox after he has said so. */
static gboolean
has_to_be_seen (TaskerCore *self,
                gboolean    first,
                gboolean    full)
{
  if (first && g_atomic_int_get (&self->armed_for_spawns))
    return TRUE;
  if (g_atomic_int_get (&self->n_searching) > 0)
    return FALSE;

  return g_atomic_int_get (&self->saturated) ? full && !g_atomic_int_get (&self->asking) : first;
}

/*
 * tasker_core_push:
 *
 * Adds a job from any thread, without a lock where it can.
 *
 * Returns: %FALSE if all handles are finished; the job is still the caller's
 */
gboolean
tasker_core_push (TaskerCore *self,
                  TaskerJob  *job)
{
  TaskerJob *former = g_atomic_pointer_get (&self->inbox);
  gboolean full = job->full;

  if (!is_queued_last (job) || is_asked_to_end (job))
    return push_visibly (self, job);

  job->owned = TRUE;
  /* Nobody knows a light one yet. */
  if (job->full)
    g_atomic_int_set (&job->state, TASKER_TASK_STATE_QUEUED);
  else
    job->state = TASKER_TASK_STATE_QUEUED;
  do
    {
      if (former == CLOSED)
        return FALSE;
      if (former == SHUT)
        return push_visibly (self, job);
      job->next = former;
    }
  while (!g_atomic_pointer_compare_and_exchange_full (&self->inbox, former, job, &former));

  if (has_to_be_seen (self, former == NULL, full) && (full || !start_first_runner (self)))
    {
      tasker_core_lock (self);
      tasker_core_look (self);
      tasker_core_kick (self);
      tasker_core_unlock (self);
    }
  tasker_runner_retry ();

  return TRUE;
}

/* Moves what is in the inbox to the queue, unless that is not possible at once.
 * For who has put it there the memory is close at hand, and a runner that found
 * a long inbox would keep the lock from others for long. Where many spawn, runners
 * get to the processor too seldom, and what they do not get to fills the memory. */
void
tasker_core_tidy (TaskerCore *self)
{
  if (!g_mutex_trylock (&self->lock))
    {
      if (g_atomic_int_get (&self->n_open) > 1)
        g_thread_yield ();
      return;
    }

  tasker_core_look (self);
  tasker_core_unlock (self);
}

/* Whether all handles are finished; with the lock held. */
gboolean
tasker_core_is_closed (TaskerCore *self)
{
  return g_atomic_pointer_get (&self->inbox) == CLOSED;
}

/* How many wait for their turn. */
static guint
count_waiting (TaskerCore *self)
{
  guint n_waiting = self->queue.length + self->n_home_queued;

  for (GList *l = self->hands.head; l != NULL; l = l->next)
    n_waiting += tasker_hand_count_spare (l->data);

  return n_waiting;
}

/* Whether max-queued lets one more in; with the lock held. */
gboolean
tasker_core_has_room (TaskerCore *self)
{
  tasker_core_look (self);

  return self->max_queued == 0 || count_waiting (self) < self->max_queued;
}

/* Adds one that needs no runner and has no turn: it runs from the beginning. With
 * the lock held. */
void
tasker_core_adopt_running (TaskerCore *self,
                           TaskerJob  *job)
{
  count_spawned (self, job);
  job->owned = TRUE;
  g_atomic_int_set (&job->state, TASKER_TASK_STATE_RUNNING);
  tasker_job_list_push (&self->detached, job);
}

/* Adds a job with the lock held. */
void
tasker_core_adopt (TaskerCore *self,
                   TaskerJob  *job)
{
  if (tasker_job_get_kind (job)->enter != NULL)
    {
      tasker_core_adopt_running (self, job);
      tasker_core_hold (self, 1);
      g_queue_push_tail (&self->todo.entered, job);
      return;
    }

  job->owned = TRUE;
  g_atomic_int_set (&job->state, TASKER_TASK_STATE_QUEUED);
  sort_in (self, job);
}

/* Jobs are run */

/* The cancellable that the job's function is to obey. */
GCancellable *
tasker_core_get_stopper (TaskerCore *self,
                         TaskerJob  *job)
{
  /* For each function; there is no need to check what these are. */
  return (GCancellable *) (job->full ? (gpointer) job->face : self->stopper);
}

/* Stop does not start work. */
gboolean
tasker_core_may_begin (TaskerCore *self,
                       TaskerJob  *job)
{
  return !tasker_job_is_doomed (job) &&
         TASKER_MAY_BEGIN (job, tasker_source_get_level (&self->source)) &&
         (!job->full || job->run_always ||
          !g_cancellable_is_cancelled (G_CANCELLABLE (job->face)));
}

/* Whether somebody is known to listen to it. */
static gboolean
is_heard (TaskerJob *job)
{
  return job->full ? tasker_task_is_heard (job->face) : g_atomic_pointer_get (&job->face) != NULL;
}

static void
note_begin (TaskerCore *self,
            TaskerJob  *job)
{
  tasker_core_lock (self);
  if (job->face != NULL)
    {
      tasker_task_ask_heard (job->face);
      tasker_task_note (job->face, self, TASKER_TASK_CHANGE_STATE);
    }
  tasker_core_unlock (self);
}

/*
 * tasker_core_begin:
 * @asked: whether it was asked before if somebody listens to the job
 *
 * The job's turn has come.
 *
 * Returns: whether its function is to be called
 */
gboolean
tasker_core_begin (TaskerCore *self,
                   TaskerJob  *job,
                   gboolean    asked)
{
  /* One that tasker_core_begin_quietly() has begun is only to be told of. */
  if (tasker_job_get_state (job) == TASKER_TASK_STATE_RUNNING)
    {
      note_begin (self, job);
      return TRUE;
    }

  if (!tasker_core_may_begin (self, job) || !tasker_job_begin (job))
    return FALSE;

  /* It runs always. Who stops the group, or has added the task, may not have
   * come as far as to cancel it. */
  if (job->full && tasker_source_get_level (&self->source) != TASKER_LEVEL_NONE)
    tasker_cancel (G_CANCELLABLE (job->face));
  if (job->full)
    tasker_stopper_begin ((TaskerStopper *) job->face);
  if (job->full && !asked)
    tasker_task_ask_heard (job->face);
  if (is_heard (job))
    note_begin (self, job);

  return TRUE;
}

/*
 * tasker_core_begin_quietly:
 *
 * As tasker_core_begin(), for a full job and a caller who holds locks that are
 * not ours: it waits for no thread, and calls nobody.
 *
 * Returns: %FALSE if it takes more than that; the caller's runner has to begin
 *   the job then, also if it is running already
 */
gboolean
tasker_core_begin_quietly (TaskerCore *self,
                           TaskerJob  *job)
{
  return tasker_source_get_level (&self->source) == TASKER_LEVEL_NONE &&
         !tasker_stopper_has_deadline ((TaskerStopper *) job->face) &&
         tasker_core_may_begin (self, job) && tasker_job_begin (job) && !is_heard (job);
}

/* Whether no function of the job is to be called any more. */
gboolean
tasker_core_is_aborted (TaskerCore *self,
                        TaskerJob  *job)
{
  return tasker_job_is_aborted (job) ||
         tasker_source_get_level (&self->source) == TASKER_LEVEL_ABORTED;
}

/* Ends a job that is not run. */
void
tasker_core_discard (TaskerCore *self,
                     TaskerJob  *job)
{
  TaskerTaskState state = TASKER_TASK_STATE_STOPPED;

  if (g_atomic_int_get (&job->state) == TASKER_JOB_DOOMED_ABORTED ||
      tasker_source_get_level (&self->source) == TASKER_LEVEL_ABORTED)
    state = TASKER_TASK_STATE_ABORTED;

  if (tasker_job_get_kind (job)->discard != NULL)
    tasker_job_get_kind (job)->discard (job, self, state);
  else
    tasker_core_end (self, job, state, NULL);
}

static gboolean
is_kept (TaskerCore      *self,
         TaskerTaskState  state)
{
  if (self->n_handles == 0)
    return FALSE;

  return self->keep_results ||
         (state == TASKER_TASK_STATE_FAILED && self->results.n_failures == 0);
}

static void
note_failure (TaskerCore *self,
              TaskerJob  *job)
{
  if (g_atomic_int_get (&self->stop_on_error))
    self->todo.stop = TRUE;

  if (self->parent == NULL ||
      (self->first_failure != NULL && self->first_failure_end < job->end))
    return;

  g_clear_error (&self->first_failure);
  self->first_failure = tasker_job_dup_error (job);
  self->first_failure_end = job->end;
}

static void
note_end (TaskerJob  *job,
          TaskerCore *self)
{
  guint changed = TASKER_TASK_CHANGE_STATE;

  tasker_task_ask_heard (job->face);
  if (tasker_job_get_state (job) == TASKER_TASK_STATE_SUCCEEDED)
    changed |= TASKER_TASK_CHANGE_PROGRESS;
  tasker_task_note (job->face, self, changed);
}

/* Counts a job that has ended; with the lock held. */
void
tasker_core_hand_in (TaskerCore *self,
                     TaskerJob  *job)
{
  TaskerTaskState state = tasker_job_get_state (job);

  g_assert (state >= TASKER_TASK_STATE_SUCCEEDED);

  self->n_ended[state - TASKER_TASK_STATE_SUCCEEDED]++;
  if (state == TASKER_TASK_STATE_FAILED)
    note_failure (self, job);
  self->changed |= (guint) TASKER_CHANGE_SUCCEEDED << (state - TASKER_TASK_STATE_SUCCEEDED);
  if (job->face != NULL)
    {
      /* What has ended is not cancelled any more. */
      tasker_stopper_release (TASKER_STOPPER (job->face));
      tasker_stopper_give_up (TASKER_STOPPER (job->face), &self->todo.given_up);
      tasker_task_wake_waiters (job->face, self);
      note_end (job, self);
    }

  if (self->lists.head != NULL)
    tasker_task_lists_remove (self, job);
  if (self->progressing != NULL)
    g_hash_table_remove (self->progressing, job);

  if (tasker_job_get_kind (job)->step != NULL)
    tasker_home_left ((TaskerHomeJob *) job);

  if (!is_kept (self, state))
    {
      drop (self, job);
      return;
    }

  tasker_results_add (&self->results, job);
}

/* What has ended is not cancelled any more. The face of a light job, if there is
 * one, has no deadline, and may be going. */
static void
end_deadline (TaskerJob *job)
{
  if (job->full)
    tasker_stopper_end ((TaskerStopper *) job->face);
}

static gsize
next_end (TaskerCore *self)
{
  return (gsize) g_atomic_pointer_add (&self->n_ends, 1) + 1;
}

/* Results that come later in their order have ended after this. */
gsize
tasker_core_get_last_end (TaskerCore *self)
{
  return (gsize) g_atomic_pointer_get (&self->n_ends);
}

/* Whether the data of a job that is over is released elsewhere, and the job ends
 * only then. If so it may be gone when this returns. */
static gboolean
release_elsewhere (TaskerCore      *self,
                   TaskerJob       *job,
                   TaskerTaskState  state,
                   GError          *error,
                   gboolean         in_hand)
{
  TaskerRelease *release = tasker_release_of_job (job);

  if (release == NULL)
    return FALSE;

  tasker_core_lock (self);
  if (in_hand)
    {
      tasker_hand_detach (tasker_current_get ()->hand, job);
    }
  else
    {
      tasker_job_list_remove (&self->detached, job);
      g_queue_remove (&self->open, job);
    }
  tasker_current_leave (job);
  tasker_release_queue (release, self, job, state, error);
  tasker_core_unlock (self);

  return TRUE;
}

/* The job has ended, and stays in the hand of the runner that calls. */
static void
settle_in_hand (TaskerCore      *self,
                TaskerJob       *job,
                TaskerTaskState  state,
                GError          *error)
{
  job->error = error;
  job->end = g_atomic_int_get (&self->keep_results) || state == TASKER_TASK_STATE_FAILED
               ? next_end (self) : 0;
  tasker_current_leave (job);
  tasker_job_set_state (job, state);
}

/* Who becomes eager looks for himself, after he has said so. */
static void
gather_own_hand (TaskerCore *self)
{
  tasker_core_lock (self);
  tasker_core_gather_hand (self, tasker_current_get ()->hand);
  tasker_core_unlock (self);
}

/*
 * tasker_core_end:
 * @error: (transfer full): the error of a job that failed
 *
 * Ends a job that is in the hand of the runner that calls. It is counted when
 * the runner comes for more, or when somebody looks.
 */
void
tasker_core_end (TaskerCore      *self,
                 TaskerJob       *job,
                 TaskerTaskState  state,
                 GError          *error)
{
  gboolean heard;

  end_deadline (job);
  if (release_elsewhere (self, job, state, error, TRUE))
    return;

  tasker_job_free_data (job);
  heard = is_heard (job);
  settle_in_hand (self, job, state, error);
  if (heard || g_atomic_int_get (&self->eager) > 0 ||
      (state == TASKER_TASK_STATE_FAILED && g_atomic_int_get (&self->stop_on_error)))
    gather_own_hand (self);
}

/*
 * tasker_core_end_quietly:
 *
 * Ends a full job that has succeeded and has no data to be freed, as
 * tasker_core_end() does, for a caller who holds locks that are not ours: it waits
 * for no thread, and calls nobody. Without those tasker_core_publish() is to be
 * called then.
 *
 * Returns: %FALSE if it takes more than that, or the latter is to be done at once;
 *   the job has ended if the thread is not in it any more
 */
gboolean
tasker_core_end_quietly (TaskerCore *self,
                         TaskerJob  *job)
{
  if (g_atomic_int_get (&self->eager) > 0 || is_heard (job) ||
      tasker_stopper_has_deadline ((TaskerStopper *) job->face))
    return FALSE;

  settle_in_hand (self, job, TASKER_TASK_STATE_SUCCEEDED, NULL);

  return g_atomic_int_get (&self->eager) == 0;
}

/* Tells those who want to know at once of what has ended in the calling runner's
 * hand. */
void
tasker_core_publish (TaskerCore *self)
{
  if (g_atomic_int_get (&self->eager) > 0)
    gather_own_hand (self);
}

/* Takes a job that begins out of its runner's hand. */
void
tasker_core_detach (TaskerCore *self,
                    TaskerJob  *job)
{
  tasker_core_lock (self);
  tasker_hand_detach (tasker_current_get ()->hand, job);
  tasker_job_list_push (&self->detached, job);
  tasker_core_unlock (self);
}

static void
settle_detached (TaskerCore      *self,
                 TaskerJob       *job,
                 TaskerTaskState  state,
                 GError          *error)
{
  tasker_job_list_remove (&self->detached, job);
  g_queue_remove (&self->open, job);
  job->end = next_end (self);
  job->error = error;
  tasker_job_set_state (job, state);
  if (!self->keep_results && state == TASKER_TASK_STATE_FAILED)
    {
      /* What failed before it may still be in a hand. */
      g_ptr_array_add (self->gathered, job);
      tasker_core_gather (self);
    }
  else
    {
      tasker_core_hand_in (self, job);
    }
  tasker_core_kick (self);
}

/* Like tasker_core_end(), for a detached job, from any thread. */
void
tasker_core_end_detached (TaskerCore      *self,
                          TaskerJob       *job,
                          TaskerTaskState  state,
                          GError          *error)
{
  end_deadline (job);
  if (release_elsewhere (self, job, state, error, FALSE))
    return;

  tasker_job_free_data (job);
  tasker_current_leave (job);

  tasker_core_lock (self);
  settle_detached (self, job, state, error);
  tasker_core_unlock (self);
}

/* In its home context: releases the data of a job that waited for that, which is
 * detached, and ends it. */
void
tasker_core_end_released (TaskerCore *self,
                          TaskerJob  *job)
{
  TaskerRelease *release = tasker_release_of_job (job);

  tasker_job_free_data (job);
  tasker_current_leave (job);

  tasker_core_lock (self);
  if (release->held)
    tasker_core_hold (self, -1);
  settle_detached (self, job, release->state, g_steal_pointer (&release->error));
  tasker_core_unlock (self);
}

/* The same for the job that a child group is, with the lock held. */
void
tasker_core_end_child (TaskerCore      *self,
                       TaskerJob       *job,
                       TaskerTaskState  state,
                       GError          *error)
{
  settle_detached (self, job, state, error);
}

/* Asks other runners to help with a detached job, for as long as it enlists
 * them. */
void
tasker_core_open (TaskerCore *self,
                  TaskerJob  *job)
{
  tasker_core_lock (self);
  g_queue_push_tail (&self->open, job);
  tasker_core_kick (self);
  tasker_core_unlock (self);
}

/* Says that the end of a detached job will come by way of a main context, so
 * that who waits on its thread iterates it. With the lock held. */
void
tasker_core_use_context (TaskerCore   *self,
                         GMainContext *context,
                         int           change)
{
  tasker_core_count_context (self, context, change);
  tasker_child_use_context (self, context, change);
}

/* … as far as this group alone is concerned. */
void
tasker_core_count_context (TaskerCore   *self,
                           GMainContext *context,
                           int           change)
{
  gsize n_jobs;

  if (self->contexts == NULL)
    self->contexts = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) g_main_context_unref, NULL);

  n_jobs = GPOINTER_TO_SIZE (g_hash_table_lookup (self->contexts, context)) + (gsize) change;
  if (n_jobs > 0)
    g_hash_table_replace (self->contexts, g_main_context_ref (context), GSIZE_TO_POINTER (n_jobs));
  else
    g_hash_table_remove (self->contexts, context);
  tasker_waiter_nudge (self);
}

/* Results are taken */

static int
compare_ends (gconstpointer a,
              gconstpointer b)
{
  const TaskerJob *first = *(const TaskerJob * const *) a;
  const TaskerJob *second = *(const TaskerJob * const *) b;

  return (first->end > second->end) - (first->end < second->end);
}

static gboolean
is_sorted (GPtrArray *jobs)
{
  for (guint i = 1; i < jobs->len; i++)
    if (compare_ends (&jobs->pdata[i - 1], &jobs->pdata[i]) > 0)
      return FALSE;

  return TRUE;
}

static void
hand_in_gathered (TaskerCore *self)
{
  /* Where only the first failure is kept, it has to come first. */
  if (!self->keep_results && !is_sorted (self->gathered))
    g_ptr_array_sort (self->gathered, compare_ends);

  for (guint i = 0; i < self->gathered->len; i++)
    tasker_core_hand_in (self, self->gathered->pdata[i]);
  g_ptr_array_set_size (self->gathered, 0);
}

/* Counts what has ended in the hands of runners; with the lock held. */
void
tasker_core_gather (TaskerCore *self)
{
  tasker_core_look (self);
  for (GList *l = self->hands.head; l != NULL; l = l->next)
    tasker_hand_collect (l->data, self->gathered);
  hand_in_gathered (self);
}

static gboolean
has_failure (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++)
    if (tasker_job_get_state (jobs->pdata[i]) == TASKER_TASK_STATE_FAILED)
      return TRUE;

  return FALSE;
}

/* The same for one's own hand alone, unless something that has failed in
 * another might have been the first. */
void
tasker_core_gather_hand (TaskerCore *self,
                         TaskerHand *hand)
{
  tasker_hand_collect (hand, self->gathered);
  if (!self->keep_results && has_failure (self->gathered))
    tasker_core_gather (self);
  else
    hand_in_gathered (self);
}

/* Calls @func for each live job; with the lock held. */
void
tasker_core_foreach (TaskerCore *self,
                     GFunc       func,
                     gpointer    user_data)
{
  tasker_core_gather (self);
  for (GList *l = self->hands.head; l != NULL; l = l->next)
    tasker_hand_foreach (l->data, func, user_data);
  tasker_job_list_foreach (&self->detached, func, user_data);
  tasker_home_foreach (self, func, user_data);
  tasker_job_list_foreach (&self->doomed, func, user_data);
  tasker_queue_foreach (&self->queue, func, user_data);
}

/* With the lock held; exact after tasker_core_gather(). */
guint64
tasker_core_get_n_live (TaskerCore *self)
{
  return self->n_spawned - tasker_core_get_n_ended (self);
}

/* Whether all that was added has ended, and is dealt with; with the lock held. */
gboolean
tasker_core_is_empty (TaskerCore *self)
{
  return tasker_core_get_n_live (self) == 0 && self->n_dropping == 0;
}

/* Whether a join is over; with the lock held. */
gboolean
tasker_core_is_joined (TaskerCore *self)
{
  return self->n_open == 0 && tasker_core_is_empty (self);
}

/* The first failure among the results, or %NULL; with the lock held. */
GError *
tasker_core_report (TaskerCore *self)
{
  TaskerJob *failure = tasker_results_find_failure (&self->results);

  return failure != NULL ? tasker_job_dup_error (failure) : NULL;
}
