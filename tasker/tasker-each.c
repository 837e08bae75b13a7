/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task that is one function over many items.
 *
 * Each runner that works on it has a range of items, which grows while the
 * items are quick. It claims one after the other, without a lock. When no
 * items are left beyond all ranges, it takes half of what somebody else has
 * not claimed. The last runner to leave ends the task. */

#include "tasker-core-private.h"
#include "tasker-task-private.h"

/* A range grows as long as it takes less time than this, and shrinks if it
 * takes much more. */
#define RANGE_TIME_US 200
#define MAX_RANGE 16384

typedef struct
{
  GList link;  /* in the workers of the job */
  gsize first; /* changes under the lock only, when all is claimed */
  int   range; /* atomic: what is not claimed, counted from @first: the begin
                * in the upper half, the end in the lower */
  gsize n_done;
} TaskerEachWorker;

typedef struct
{
  TaskerJob job;
  gsize     n_items;

  GMutex    lock;
  GQueue    workers;
  guint     n_workers; /* the ones enlisted included */
  gsize     n_taken;   /* items that are, or were, in a range */
  gsize     n_done;
  GError   *error;     /* the first one */
  int       failed;    /* atomic: also without an error */
} TaskerEachJob;

#define RANGE_BEGIN(range) ((guint) (range) >> 16)
#define RANGE_END(range) ((guint) (range) & 0xffff)
#define RANGE(begin, end) ((int) ((guint) (begin) << 16 | (guint) (end)))

static TaskerEachJob *
from_job (TaskerJob *job)
{
  return (TaskerEachJob *) job;
}

static gboolean
is_over (TaskerEachJob *self)
{
  return g_atomic_int_get (&self->failed) ||
         g_cancellable_is_cancelled (G_CANCELLABLE (self->job.face));
}

static gboolean
claim (TaskerEachWorker *worker,
       gsize            *index)
{
  int range = g_atomic_int_get (&worker->range);

  do
    {
      if (RANGE_BEGIN (range) >= RANGE_END (range))
        return FALSE;
    }
  while (!g_atomic_int_compare_and_exchange_full (&worker->range, range,
                                                  RANGE (RANGE_BEGIN (range) + 1, RANGE_END (range)),
                                                  &range));

  *index = worker->first + RANGE_BEGIN (range);

  return TRUE;
}

/* With the lock held */

static void
set_range (TaskerEachWorker *worker,
           gsize             first,
           gsize             n_items)
{
  worker->first = first;
  g_atomic_int_set (&worker->range, RANGE (0, n_items));
}

static gboolean
take_half_from (TaskerEachWorker *victim,
                TaskerEachWorker *worker)
{
  int range = g_atomic_int_get (&victim->range);
  guint n_items;

  do
    {
      if (RANGE_BEGIN (range) >= RANGE_END (range))
        return FALSE;
      n_items = (RANGE_END (range) - RANGE_BEGIN (range) + 1) / 2;
    }
  while (!g_atomic_int_compare_and_exchange_full (&victim->range, range,
                                                  RANGE (RANGE_BEGIN (range), RANGE_END (range) - n_items),
                                                  &range));

  set_range (worker, victim->first + RANGE_END (range) - n_items, n_items);

  return TRUE;
}

static gboolean
take_range (TaskerEachJob    *self,
            TaskerEachWorker *worker,
            gsize             n_wanted)
{
  gsize n_items = MIN (n_wanted, self->n_items - self->n_taken);

  if (n_items > 0)
    {
      set_range (worker, self->n_taken, n_items);
      self->n_taken += n_items;
      return TRUE;
    }

  for (GList *l = self->workers.head; l != NULL; l = l->next)
    if (l->data != worker && take_half_from (l->data, worker))
      return TRUE;

  return FALSE;
}

/* Without */

static gboolean
refill (TaskerEachJob    *self,
        TaskerEachWorker *worker,
        gsize             n_wanted)
{
  gboolean refilled;

  g_mutex_lock (&self->lock);
  self->n_done += worker->n_done;
  worker->n_done = 0;
  refilled = !is_over (self) && take_range (self, worker, n_wanted);
  g_mutex_unlock (&self->lock);

  return refilled;
}

static void
fail (TaskerEachJob *self,
      GError        *error)
{
  g_mutex_lock (&self->lock);
  if (!self->failed)
    self->error = g_steal_pointer (&error);
  g_atomic_int_set (&self->failed, TRUE);
  g_mutex_unlock (&self->lock);

  g_clear_error (&error);
}

static void
work_on_range (TaskerEachJob    *self,
               TaskerEachWorker *worker)
{
  TaskerEachFunc func = (TaskerEachFunc) self->job.func;
  GCancellable *stopper = G_CANCELLABLE (self->job.face);
  GError *error = NULL;
  gsize index;

  while (!is_over (self) && claim (worker, &index))
    {
      if (func (self->job.data, index, stopper, &error))
        {
          g_clear_error (&error);
          worker->n_done++;
        }
      else
        {
          fail (self, g_steal_pointer (&error));
        }
    }
}

static gsize
adapt (gsize  n_wanted,
       gint64 duration_us)
{
  if (duration_us < RANGE_TIME_US)
    return MIN (n_wanted * 2, MAX_RANGE);
  if (duration_us > 4 * RANGE_TIME_US)
    return MAX (n_wanted / 2, 1);

  return n_wanted;
}

static void
finish (TaskerEachJob *self,
        TaskerCore    *core)
{
  GCancellable *stopper = G_CANCELLABLE (self->job.face);
  GError *error = g_steal_pointer (&self->error);
  gboolean succeeded = self->n_done == self->n_items;
  TaskerTaskState state;

  /* Items were left: that is what a function says that was stopped. */
  if (!succeeded && !self->failed)
    g_cancellable_set_error_if_cancelled (stopper, &error);

  state = tasker_job_judge (&self->job, core, stopper, succeeded, &error);
  tasker_core_end_detached (core, &self->job, state, error);
}

static void
tasker_each_help (TaskerJob  *job,
                  TaskerCore *core)
{
  TaskerEachJob *self = from_job (job);
  TaskerEachWorker worker = { 0 };
  gsize n_wanted = 1;
  gboolean last;

  worker.link.data = &worker;
  g_mutex_lock (&self->lock);
  g_queue_push_tail_link (&self->workers, &worker.link);
  g_mutex_unlock (&self->lock);

  while (refill (self, &worker, n_wanted))
    {
      gint64 begin = g_get_monotonic_time ();

      work_on_range (self, &worker);
      n_wanted = adapt (n_wanted, g_get_monotonic_time () - begin);
      g_atomic_int_inc (&core->n_steps);
      tasker_task_announce (job->face, TASKER_TASK_CHANGE_PROGRESS);
    }

  g_mutex_lock (&self->lock);
  g_queue_unlink (&self->workers, &worker.link);
  last = --self->n_workers == 0;
  g_mutex_unlock (&self->lock);

  if (last)
    finish (self, core);
}

static void
tasker_each_run (TaskerJob  *job,
                 TaskerCore *core)
{
  tasker_core_detach (core, job);
  from_job (job)->n_workers = 1;
  tasker_core_open (core, job);
  tasker_each_help (job, core);
}

/* Whether there are items that nobody has claimed; with the lock held. */
static gboolean
has_spare (TaskerEachJob *self)
{
  if (self->n_taken < self->n_items)
    return TRUE;

  for (GList *l = self->workers.head; l != NULL; l = l->next)
    {
      int range = g_atomic_int_get (&((TaskerEachWorker *) l->data)->range);

      if (RANGE_BEGIN (range) < RANGE_END (range))
        return TRUE;
    }

  return FALSE;
}

/* A job without any worker left has ended, or is about to. */
static gboolean
tasker_each_enlist (TaskerJob *job)
{
  TaskerEachJob *self = from_job (job);
  gboolean wanted;

  g_mutex_lock (&self->lock);
  wanted = self->n_workers > 0 && !is_over (self) && has_spare (self);
  if (wanted)
    self->n_workers++;
  g_mutex_unlock (&self->lock);

  return wanted;
}

static double
tasker_each_get_progress (TaskerJob *job)
{
  TaskerEachJob *self = from_job (job);
  gsize n_done;

  g_mutex_lock (&self->lock);
  n_done = self->n_done;
  g_mutex_unlock (&self->lock);

  return self->n_items > 0 ? (double) n_done / (double) self->n_items : 0;
}

static void
tasker_each_free (TaskerJob *job)
{
  TaskerEachJob *self = from_job (job);

  g_mutex_clear (&self->lock);
  g_clear_error (&self->error);
}

const TaskerJobKind tasker_each_kind =
{
  .id = TASKER_JOB_KIND_EACH,
  .size = sizeof (TaskerEachJob),
  .run = tasker_each_run,
  .enlist = tasker_each_enlist,
  .help = tasker_each_help,
  .get_progress = tasker_each_get_progress,
  .free = tasker_each_free,
};

TaskerJob *
tasker_each_job_new (const char     *name,
                     gsize           n_items,
                     TaskerEachFunc  func,
                     gpointer        data,
                     GDestroyNotify  data_free)
{
  TaskerJob *job = tasker_job_new (&tasker_each_kind, name, G_CALLBACK (func), data, data_free);
  TaskerEachJob *self = from_job (job);

  self->n_items = n_items;
  g_mutex_init (&self->lock);

  return job;
}
