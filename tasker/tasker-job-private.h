/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "tasker-source-private.h"
#include "tasker-task.h"

G_BEGIN_DECLS

typedef struct _TaskerCore TaskerCore;
typedef struct _TaskerJob TaskerJob;
typedef struct _TaskerJobKind TaskerJobKind;
typedef struct _TaskerOwner TaskerOwner;

/* By this number a record knows its kind: a pointer would take too much of it. */
typedef enum
{
  TASKER_JOB_KIND_THREAD,
  TASKER_JOB_KIND_EACH,
  TASKER_JOB_KIND_GTASK,
  TASKER_JOB_KIND_WORKER,
  TASKER_JOB_KIND_LOCAL,
  TASKER_JOB_KIND_INTERVAL,
  TASKER_JOB_KIND_ASYNC,
  TASKER_JOB_KIND_AWAITED,
  TASKER_JOB_KIND_EXTERNAL,
  TASKER_JOB_KIND_SUBPROCESS,
  TASKER_JOB_KIND_CHILD,
  TASKER_JOB_N_KINDS
} TaskerJobKindId;

/*
 * TaskerJobKind:
 * @size: of its records, each of which begins with a TaskerJob
 * @run: called by a runner, no lock held, when the job's turn has come. Ends
 *   it with tasker_core_end(), or detaches it, for tasker_core_end_detached()
 * @discard: called instead when the job is not to run, with how it is to end;
 *   %NULL where nothing but that is to be done
 * @asked: called when a job that has begun is stopped or aborted alone, or aborted
 *   with its group, no lock held; it may have ended since, but is there. %NULL where
 *   its stopper is enough
 * @step: for a job that is run on a main loop, instead of @run and @discard:
 *   called in its home context, no lock held, when it begins and whenever its
 *   home has it ready, see TaskerHome
 * @enter: for a job that needs no turn, instead of @run and @discard: called
 *   when it was added, no lock held. It is running and detached by then, and has
 *   a place, whether there was one or not
 * @enlist: called with the core's lock held for a job that is open, see
 *   tasker_core_open(): whether it wants one runner more
 * @help: called by the runner that was enlisted, no lock held
 * @get_progress: how far the job is, 0 to 1, or %NULL
 * @free: releases what only this kind has, or %NULL
 *
 * What makes a kind of task. One table each, in a file of its own.
 */
struct _TaskerJobKind
{
  TaskerJobKindId id;
  gsize size;

  void     (*run)          (TaskerJob       *job,
                            TaskerCore      *core);
  void     (*discard)      (TaskerJob       *job,
                            TaskerCore      *core,
                            TaskerTaskState  state);
  void     (*asked)        (TaskerJob       *job,
                            TaskerCore      *core,
                            TaskerLevel      level);
  void     (*step)         (TaskerJob       *job,
                            TaskerCore      *core);
  void     (*enter)        (TaskerJob       *job,
                            TaskerCore      *core);
  gboolean (*enlist)       (TaskerJob       *job);
  void     (*help)         (TaskerJob       *job,
                            TaskerCore      *core);
  double   (*get_progress) (TaskerJob       *job);
  void     (*free)         (TaskerJob       *job);
};

/*
 * TaskerNotes:
 *
 * What was set through a task and stays with its record.
 */
typedef struct
{
  GValue   value;
  gboolean has_progress;
  double   progress;
  char    *message;
} TaskerNotes;

/* What is said of a job while it runs; each a bit. */
typedef enum
{
  TASKER_JOB_MARK_ABORTED = 1 << 0,
  TASKER_JOB_MARK_FIXED = 1 << 1, /* it is about to end: nothing can be set any more */
} TaskerJobMark;

/* What can change in a task; each a bit. */
typedef enum
{
  TASKER_TASK_CHANGE_STATE = 1 << 0,
  TASKER_TASK_CHANGE_PROGRESS = 1 << 1,
  TASKER_TASK_CHANGE_MESSAGE = 1 << 2,
} TaskerTaskChange;

/*
 * TaskerJob:
 *
 * The record of a task: what is queued, run, and kept as a result. It is kept
 * small, since a light task is nothing else: 88 bytes, and the name.
 *
 * It belongs to the core from when it is added until it is taken, or dropped
 * (@owned), and to its face for as long as there is one. The face of a full
 * task is held by the core in turn, while it is @owned. If neither has it any
 * more, it goes when it is in no list (@n_rows).
 *
 * @state is atomic; a runner writes it without a lock, and does not touch the
 * job again once that has said that it ended. All else is
 * the runner's while the function runs, and under the core's lock otherwise.
 */
struct _TaskerJob
{
  TaskerJob           *next;
  union
  {
    TaskerJob         *prev;    /* in a list */
    GError            *error;   /* ended */
  };
  gpointer             ahead;   /* atomic; see TaskerTrail */
  union
  {
    GCallback          func;
    gsize              end;     /* ended: see TaskerCore.n_ends */
  };
  gpointer             data;
  GDestroyNotify       data_free;
  TaskerTask          *face;    /* weak, but owned where both full and @owned */
  TaskerNotes         *notes;   /* atomic; made when first needed */
  int                  state;
  int                  marks;   /* atomic; TaskerJobMark */
  int                  priority;
  guint32              born_cs; /* see tasker_job_get_age_ms() */
  guint8               full;
  guint8               run_always;
  guint8               owned;
  guint8               queued;  /* is in the run queue */
  guint8               named : 1;  /* the name is behind the record */
  guint8               inside : 1; /* is part of its face, as is the name */
  guint8               kind;    /* a TaskerJobKindId */
  guint16              n_rows;  /* lists that show it, and keep it for that */
};

void             tasker_job_init         (TaskerJob           *self,
                                          const TaskerJobKind *kind,
                                          GCallback            func,
                                          gpointer             data,
                                          GDestroyNotify       data_free);
TaskerJob       *tasker_job_new          (const TaskerJobKind *kind,
                                          const char          *name,
                                          GCallback            func,
                                          gpointer             data,
                                          GDestroyNotify       data_free);
void             tasker_job_free         (TaskerJob           *self);
void             tasker_job_free_data    (TaskerJob           *self);
const char      *tasker_job_get_name     (TaskerJob           *self);
char            *tasker_job_dup_title    (TaskerJob           *self);
GError          *tasker_job_dup_error    (TaskerJob           *self);
guint            tasker_job_get_age_ms   (TaskerJob           *self);
double           tasker_job_get_progress (TaskerJob           *self);

char            *tasker_job_dup_message  (TaskerJob           *self);
guint            tasker_job_set_progress (TaskerJob           *self,
                                          double               progress,
                                          const char          *message);
const GValue    *tasker_job_get_value    (TaskerJob           *self);
void             tasker_job_set_value    (TaskerJob           *self,
                                          const GValue        *value);
void             tasker_job_set_state    (TaskerJob           *self,
                                          TaskerTaskState      state);
TaskerTaskState  tasker_job_judge        (TaskerJob           *self,
                                          TaskerCore          *core,
                                          GCancellable        *stopper,
                                          gboolean             succeeded,
                                          GError             **error);

/* States that only runners see: queued, and must not begin. */
#define TASKER_JOB_DOOMED_STOPPED (-1)
#define TASKER_JOB_DOOMED_ABORTED (-2)

static inline TaskerTaskState
tasker_job_get_state (TaskerJob *self)
{
  int state = g_atomic_int_get (&self->state);

  return state < 0 ? TASKER_TASK_STATE_QUEUED : (TaskerTaskState) state;
}

static inline gboolean
tasker_job_is_doomed (TaskerJob *self)
{
  return g_atomic_int_get (&self->state) < 0;
}

static inline gboolean
tasker_job_is_aborted (TaskerJob *self)
{
  return (g_atomic_int_get (&self->marks) & TASKER_JOB_MARK_ABORTED) != 0;
}

/* A queued job begins, or is doomed: only one of the two succeeds. */
static inline gboolean
tasker_job_begin (TaskerJob *self)
{
  return g_atomic_int_compare_and_exchange (&self->state, TASKER_TASK_STATE_QUEUED,
                                            TASKER_TASK_STATE_RUNNING);
}

static inline gboolean
tasker_job_doom (TaskerJob *self,
                 gboolean   abort)
{
  int doomed = abort ? TASKER_JOB_DOOMED_ABORTED : TASKER_JOB_DOOMED_STOPPED;

  return g_atomic_int_compare_and_exchange (&self->state, TASKER_TASK_STATE_QUEUED, doomed) ||
         (abort && g_atomic_int_compare_and_exchange (&self->state, TASKER_JOB_DOOMED_STOPPED, doomed)) ||
         tasker_job_is_doomed (self);
}

static inline gboolean
tasker_job_has_ended (TaskerJob *self)
{
  return tasker_job_get_state (self) >= TASKER_TASK_STATE_SUCCEEDED;
}

/* A doubly linked list of jobs; only its ends are kept. */
typedef struct
{
  TaskerJob *head;
  TaskerJob *tail;
} TaskerJobList;

void       tasker_job_list_push       (TaskerJobList *self,
                                       TaskerJob     *job);
void       tasker_job_list_push_front (TaskerJobList *self,
                                       TaskerJob     *job);
void       tasker_job_list_remove     (TaskerJobList *self,
                                       TaskerJob     *job);
TaskerJob *tasker_job_list_pop        (TaskerJobList *self);
void       tasker_job_list_foreach    (TaskerJobList *self,
                                       GFunc          func,
                                       gpointer       user_data);

/* The kinds. */
extern const TaskerJobKind tasker_thread_kind;
extern const TaskerJobKind tasker_each_kind;
extern const TaskerJobKind tasker_gtask_kind;
extern const TaskerJobKind tasker_worker_kind;
extern const TaskerJobKind tasker_local_kind;
extern const TaskerJobKind tasker_interval_kind;
extern const TaskerJobKind tasker_async_kind;
extern const TaskerJobKind tasker_awaited_kind;
extern const TaskerJobKind tasker_external_kind;
extern const TaskerJobKind tasker_subprocess_kind;
extern const TaskerJobKind tasker_child_kind;

extern const TaskerJobKind * const tasker_job_kinds[TASKER_JOB_N_KINDS];

static inline const TaskerJobKind *
tasker_job_get_kind (TaskerJob *self)
{
  return tasker_job_kinds[self->kind];
}

TaskerJob *tasker_local_job_new    (const char     *name,
                                    TaskerStepFunc  func,
                                    gpointer        data,
                                    GDestroyNotify  data_free);
TaskerJob *tasker_interval_job_new (const char     *name,
                                    guint           interval_ms,
                                    TaskerStepFunc  func,
                                    gpointer        data,
                                    GDestroyNotify  data_free);
TaskerJob *tasker_async_job_new    (const char     *name,
                                    TaskerFunc      start,
                                    gpointer        data,
                                    GDestroyNotify  data_free);
TaskerJob *tasker_awaited_job_new  (const char     *name,
                                    GMainContext   *context);
gboolean   tasker_async_complete   (TaskerJob      *job,
                                    gboolean        failed,
                                    GError         *error);
gboolean   tasker_async_succeed    (TaskerJob      *job,
                                    gboolean        tell);
gboolean   tasker_async_complete_late (TaskerJob   *job);

gboolean   tasker_external_begin    (TaskerJob          *job,
                                     TaskerCore         *core);
gboolean   tasker_external_complete (TaskerJob          *job,
                                     TaskerCore         *core,
                                     GError             *error);

TaskerJob *tasker_each_job_new  (const char      *name,
                                 gsize            n_items,
                                 TaskerEachFunc   func,
                                 gpointer         data,
                                 GDestroyNotify   data_free);
TaskerJob *tasker_subprocess_job_new (const char  *name,
                                      GSubprocess *process);
TaskerJob *tasker_gtask_job_new (GTask           *task,
                                 GTaskThreadFunc  func);

/* What becomes of a GTask, for the kinds that stand for one. */
GError    *tasker_gtask_dup_error      (GTask        *task,
                                        GCancellable *stopper);
GError    *tasker_gtask_error_new_lost (void);

G_END_DECLS
