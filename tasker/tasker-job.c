/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The record of a task, and the kind that most are of: a function in a worker
 * thread. */

#include "tasker-job-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <time.h>

#include "tasker-core-private.h"
#include "tasker-error.h"
#include "tasker-pool-private.h"
#include "tasker-stopper-private.h"
#include "tasker-task-private.h"

const TaskerJobKind * const tasker_job_kinds[] =
{
  [TASKER_JOB_KIND_THREAD] = &tasker_thread_kind,
  [TASKER_JOB_KIND_EACH] = &tasker_each_kind,
  [TASKER_JOB_KIND_GTASK] = &tasker_gtask_kind,
  [TASKER_JOB_KIND_WORKER] = &tasker_worker_kind,
  [TASKER_JOB_KIND_LOCAL] = &tasker_local_kind,
  [TASKER_JOB_KIND_INTERVAL] = &tasker_interval_kind,
  [TASKER_JOB_KIND_ASYNC] = &tasker_async_kind,
  [TASKER_JOB_KIND_AWAITED] = &tasker_awaited_kind,
  [TASKER_JOB_KIND_EXTERNAL] = &tasker_external_kind,
  [TASKER_JOB_KIND_SUBPROCESS] = &tasker_subprocess_kind,
  [TASKER_JOB_KIND_CHILD] = &tasker_child_kind,
};

/* Values are set from any thread, at any moment, so they need a lock that does
 * not slow a whole group down. That of a full task is close at hand; the face of
 * another may be going. */
static GMutex value_locks[16];

static GMutex *
value_lock_of (TaskerJob *self)
{
  if (self->full)
    return tasker_stopper_get_lock ((TaskerStopper *) self->face);

  return &value_locks[(GPOINTER_TO_SIZE (self) >> 6) % G_N_ELEMENTS (value_locks)];
}

/* Hundredths of a second. The coarse clock is exact enough for an age that is
 * shown to people, and costs a fraction of the fine one. */
static guint32
now_cs (void)
{
#ifdef CLOCK_MONOTONIC_COARSE
  struct timespec now;

  if (clock_gettime (CLOCK_MONOTONIC_COARSE, &now) == 0)
    return (guint32) now.tv_sec * 100 + (guint32) (now.tv_nsec / 10000000);
#endif

  return (guint32) (g_get_monotonic_time () / 10000);
}

static gboolean
is_pooled (const TaskerJobKind *kind,
           gboolean             named)
{
  return kind->size == sizeof (TaskerJob) && !named;
}

/* @self is all zero. */
void
tasker_job_init (TaskerJob           *self,
                 const TaskerJobKind *kind,
                 GCallback            func,
                 gpointer             data,
                 GDestroyNotify       data_free)
{
  self->kind = (guint8) kind->id;
  self->func = func;
  self->data = data;
  self->data_free = data_free;
  self->born_cs = now_cs ();
}

TaskerJob *
tasker_job_new (const TaskerJobKind *kind,
                const char          *name,
                GCallback            func,
                gpointer             data,
                GDestroyNotify       data_free)
{
  gsize name_size = name != NULL ? strlen (name) + 1 : 0;
  TaskerJob *self = is_pooled (kind, name != NULL) ? tasker_pool_alloc (sizeof (TaskerJob))
                                                   : g_malloc (kind->size + name_size);

  memset (self, 0, kind->size);
  tasker_job_init (self, kind, func, data, data_free);
  self->named = name != NULL;
  if (name != NULL)
    memcpy ((char *) self + kind->size, name, name_size);

  return self;
}

void
tasker_job_free_data (TaskerJob *self)
{
  GDestroyNotify data_free = g_steal_pointer (&self->data_free);

  if (data_free != NULL)
    data_free (self->data);
}

static void
clear_notes (TaskerJob *self)
{
  TaskerNotes *notes = g_steal_pointer (&self->notes);

  if (notes == NULL)
    return;

  if (G_IS_VALUE (&notes->value))
    g_value_unset (&notes->value);
  g_free (notes->message);
  if (!self->inside)
    g_free (notes);
}

void
tasker_job_free (TaskerJob *self)
{
  tasker_job_free_data (self);
  if (tasker_job_get_kind (self)->free != NULL)
    tasker_job_get_kind (self)->free (self);
  if (tasker_job_has_ended (self))
    g_clear_error (&self->error);
  clear_notes (self);

  if (self->inside)
    return;
  if (is_pooled (tasker_job_get_kind (self), self->named))
    tasker_pool_free (self);
  else
    g_free (self);
}

const char *
tasker_job_get_name (TaskerJob *self)
{
  if (self->inside)
    return tasker_task_get_own_name (self->face);

  return self->named ? (const char *) self + tasker_job_get_kind (self)->size : NULL;
}

/* What to call the task in a message. */
char *
tasker_job_dup_title (TaskerJob *self)
{
  const char *name = tasker_job_get_name (self);

  if (name == NULL)
    return g_strdup (_("A task without a name"));

  return g_strdup_printf (_("Task “%s”"), name);
}

/* What others are told of the end of a job: %NULL if it succeeded. */
GError *
tasker_job_dup_error (TaskerJob *self)
{
  g_autofree char *title = tasker_job_dup_title (self);
  GError *error = NULL;

  switch (tasker_job_get_state (self))
    {
    case TASKER_TASK_STATE_FAILED:
      error = g_error_copy (self->error);
      g_prefix_error (&error, "%s: ", title);
      break;

    case TASKER_TASK_STATE_STOPPED:
      g_set_error (&error, TASKER_ERROR, TASKER_ERROR_STOPPED, _("%s was stopped"), title);
      break;

    case TASKER_TASK_STATE_ABORTED:
      g_set_error (&error, TASKER_ERROR, TASKER_ERROR_ABORTED, _("%s was aborted"), title);
      break;

    case TASKER_TASK_STATE_NEW:
    case TASKER_TASK_STATE_QUEUED:
    case TASKER_TASK_STATE_RUNNING:
    case TASKER_TASK_STATE_SUCCEEDED:
    default:
      break;
    }

  return error;
}

guint
tasker_job_get_age_ms (TaskerJob *self)
{
  return (now_cs () - self->born_cs) * 10;
}

/* With the lock held. */
static gboolean
can_be_set (TaskerJob *self)
{
  return (g_atomic_int_get (&self->marks) & TASKER_JOB_MARK_FIXED) == 0 && !tasker_job_has_ended (self);
}

/* With the lock held. */
static TaskerNotes *
get_notes (TaskerJob *self)
{
  if (self->notes == NULL)
    g_atomic_pointer_set (&self->notes, self->inside ? tasker_task_get_notes_place (self->face)
                                                   : g_new0 (TaskerNotes, 1));

  return self->notes;
}

/* What the function has said goes before what the kind knows. */
double
tasker_job_get_progress (TaskerJob *self)
{
  TaskerNotes *notes = g_atomic_pointer_get (&self->notes);
  double progress = -1;

  if (tasker_job_get_state (self) == TASKER_TASK_STATE_SUCCEEDED)
    return 1;

  if (notes != NULL)
    {
      GMutex *lock = value_lock_of (self);

      g_mutex_lock (lock);
      if (notes->has_progress)
        progress = notes->progress;
      g_mutex_unlock (lock);
    }

  if (progress >= 0)
    return progress;
  if (tasker_job_get_kind (self)->get_progress != NULL)
    return tasker_job_get_kind (self)->get_progress (self);

  return 0;
}

char *
tasker_job_dup_message (TaskerJob *self)
{
  TaskerNotes *notes = g_atomic_pointer_get (&self->notes);
  GMutex *lock = value_lock_of (self);
  char *message;

  if (notes == NULL)
    return NULL;

  g_mutex_lock (lock);
  message = g_strdup (notes->message);
  g_mutex_unlock (lock);

  return message;
}

/* Returns: what has changed by that, a TaskerTaskChange for each kind */
guint
tasker_job_set_progress (TaskerJob  *self,
                         double      progress,
                         const char *message)
{
  GMutex *lock = value_lock_of (self);
  g_autofree char *other = g_strdup (message);
  guint changed = 0;

  g_mutex_lock (lock);
  if (can_be_set (self))
    {
      TaskerNotes *notes = get_notes (self);

      if (!notes->has_progress || notes->progress != progress)
        changed |= TASKER_TASK_CHANGE_PROGRESS;
      notes->has_progress = TRUE;
      notes->progress = progress;

      if (g_strcmp0 (notes->message, message) != 0)
        {
          char *former = notes->message;

          changed |= TASKER_TASK_CHANGE_MESSAGE;
          notes->message = g_steal_pointer (&other);
          other = former;
        }
    }
  g_mutex_unlock (lock);

  return changed;
}

const GValue *
tasker_job_get_value (TaskerJob *self)
{
  TaskerNotes *notes = g_atomic_pointer_get (&self->notes);

  return notes != NULL && G_IS_VALUE (&notes->value) ? &notes->value : NULL;
}

/* Copying and freeing a value runs its type's functions, so that is done
 * outside of the lock. */
void
tasker_job_set_value (TaskerJob    *self,
                      const GValue *value)
{
  GMutex *lock = value_lock_of (self);
  GValue other = G_VALUE_INIT;

  g_value_init (&other, G_VALUE_TYPE (value));
  g_value_copy (value, &other);

  g_mutex_lock (lock);
  if (can_be_set (self))
    {
      TaskerNotes *notes = get_notes (self);
      GValue former = notes->value;

      notes->value = other;
      other = former;
    }
  g_mutex_unlock (lock);

  if (G_IS_VALUE (&other))
    g_value_unset (&other);
}

static void
fix (TaskerJob *self)
{
  GMutex *lock = value_lock_of (self);

  g_mutex_lock (lock);
  g_atomic_int_or (&self->marks, TASKER_JOB_MARK_FIXED);
  g_mutex_unlock (lock);
}

/* From the moment that the state is that of an end, the value is fixed, and
 * the job may be gone. Without a face nobody can be setting one. */
void
tasker_job_set_state (TaskerJob       *self,
                      TaskerTaskState  state)
{
  if (state >= TASKER_TASK_STATE_SUCCEEDED &&
      (self->full || g_atomic_pointer_get (&self->face) != NULL))
    fix (self);

  g_atomic_int_set (&self->state, (int) state);
}

/*
 * tasker_job_judge:
 * @succeeded: what the function returned
 * @error: the error it set; cleared, or set, to what the task's error is
 * @stopper: what it was given to obey
 *
 * Tells how a task has ended whose function has returned.
 *
 * Whether it was asked to end is read from the group as well as from the
 * stopper, for a cancellable can be reset.
 */
TaskerTaskState
tasker_job_judge (TaskerJob     *self,
                  TaskerCore    *core,
                  GCancellable  *stopper,
                  gboolean       succeeded,
                  GError       **error)
{
  TaskerLevel level = tasker_source_get_level (&core->source);

  if (succeeded)
    {
      if (*error != NULL)
        g_clear_error (error);
      return TASKER_TASK_STATE_SUCCEEDED;
    }

  if (*error == NULL)
    {
      g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_PANICKED,
                           _("The function failed and gave no error"));
      return TASKER_TASK_STATE_FAILED;
    }

  if (!g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return TASKER_TASK_STATE_FAILED;

  if (level == TASKER_LEVEL_ABORTED || tasker_job_is_aborted (self))
    {
      g_clear_error (error);
      return TASKER_TASK_STATE_ABORTED;
    }

  if (self->full && tasker_stopper_timed_out ((TaskerStopper *) self->face))
    {
      g_clear_error (error);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("It had not ended after %u ms"),
                   tasker_stopper_get_timeout_ms ((TaskerStopper *) self->face));
      return TASKER_TASK_STATE_FAILED;
    }

  if (level == TASKER_LEVEL_STOPPED || g_cancellable_is_cancelled (stopper))
    {
      g_clear_error (error);
      return TASKER_TASK_STATE_STOPPED;
    }

  return TASKER_TASK_STATE_FAILED;
}

void
tasker_job_list_push (TaskerJobList *self,
                      TaskerJob     *job)
{
  job->prev = self->tail;
  job->next = NULL;
  if (self->tail != NULL)
    self->tail->next = job;
  else
    self->head = job;
  self->tail = job;
}

void
tasker_job_list_remove (TaskerJobList *self,
                        TaskerJob     *job)
{
  if (job->prev != NULL)
    job->prev->next = job->next;
  else
    self->head = job->next;
  if (job->next != NULL)
    job->next->prev = job->prev;
  else
    self->tail = job->prev;
  job->prev = NULL;
  job->next = NULL;
}

void
tasker_job_list_push_front (TaskerJobList *self,
                            TaskerJob     *job)
{
  job->prev = NULL;
  job->next = self->head;
  if (self->head != NULL)
    self->head->prev = job;
  else
    self->tail = job;
  self->head = job;
}

TaskerJob *
tasker_job_list_pop (TaskerJobList *self)
{
  TaskerJob *job = self->head;

  if (job != NULL)
    tasker_job_list_remove (self, job);

  return job;
}

void
tasker_job_list_foreach (TaskerJobList *self,
                         GFunc          func,
                         gpointer       user_data)
{
  for (TaskerJob *job = self->head; job != NULL; job = job->next)
    func (job, user_data);
}

static void
tasker_thread_run (TaskerJob  *job,
                   TaskerCore *core)
{
  TaskerTaskState state;
  TaskerFunc func = (TaskerFunc) job->func;
  GCancellable *stopper = tasker_core_get_stopper (core, job);
  GError *error = NULL;
  gboolean succeeded;

  succeeded = func (job->data, stopper, &error);
  state = tasker_job_judge (job, core, stopper, succeeded, &error);
  tasker_core_end (core, job, state, error);
}

const TaskerJobKind tasker_thread_kind =
{
  .id = TASKER_JOB_KIND_THREAD,
  .size = sizeof (TaskerJob),
  .run = tasker_thread_run,
};
