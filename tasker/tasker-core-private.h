/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-hand-private.h"
#include "tasker-job-private.h"
#include "tasker-queue-private.h"
#include "tasker-results-private.h"
#include "tasker-source-private.h"

G_BEGIN_DECLS

typedef struct _TaskerRunner TaskerRunner;
typedef struct _TaskerChildJob TaskerChildJob;
typedef struct _TaskerStopWait TaskerStopWait;

/* What was decided under the lock and has to be done without it. */
typedef struct
{
  guint         n_starts; /* runners to start */
  guint         watch_growth : 1;
  guint         watch_listeners : 1;
  guint         watch_handles : 1;
  guint         ask_later : 1; /* see tasker_watch_ask_later() */
  guint         stop : 1; /* a task has failed */
  guint         left : 1; /* it is no child of its parent any more */
  guint         returns : 1; /* it is to be a task of it again */
  TaskerJob    *dropped;  /* jobs that nobody wants any more */
  TaskerJob    *spent;    /* those of them that are nothing but memory */
  GQueue        entered;  /* jobs that were added and need no turn */
  GSList       *homes;    /* sources of homes that have gone */
  GQueue        aborted;  /* tasks to be told that they are; owned */
  TaskerStopWait *given_up; /* waits for stoppers of tasks that have ended */
  TaskerCore   *shut_next; /* a child that is to be shut down now */
  TaskerCore   *parent;   /* something was changed there by this group */
} TaskerTodo;

/*
 * TaskerCore:
 *
 * What the handles of a group share. See doc/internals.md for how it works.
 *
 * Everything under @lock is used between tasker_core_lock() and
 * tasker_core_unlock(); the latter also does, without the lock, what was
 * decided under it. So no code of the user runs under the lock.
 */
struct _TaskerCore
{
  TaskerSource   source; /* first: they share one reference count */
  TaskerStopper *stopper; /* the one that all light tasks obey */
  char          *name;    /* nullable */

  /* Atomic; read for every task */
  int            n_searching; /* runners that look for work */
  int            saturated;   /* no runner can be started, and that is known */
  int            asking;      /* it is looked from time to time who listens to tasks */
  int            n_urgent;    /* that of the queue */
  int            n_cramped;   /* who wait for room */
  int            room_later;  /* they will be looked after; written between jobs */
  int            eager;       /* who want to know of each end at once */
  int            armed;       /* who wants to be told of changes was not yet, since
                               * the last; counts as eager, too */
  int            armed_for_spawns; /* … one of those who want to hear of new tasks */
  int            keep_results; /* written with the lock, read without */

  int            n_loops_locking; /* main loops that wait for the lock */

  /* Atomic; written for every task that comes */
  TASKER_APART (1);
  TaskerJob     *inbox;       /* spawned and not looked at, latest first */

  /* Atomic; written for every task that ends */
  TASKER_APART (2);
  gsize          n_ends;      /* ends whose order matters */

  TASKER_APART (3);
  GMutex         lock;
  TaskerTodo     todo;

  /* Handles */
  guint          n_handles;
  guint          n_open;    /* read without the lock, too */
  guint          max_running;
  guint          max_queued;
  gboolean       abort_on_drop;
  int            stop_on_error; /* likewise */
  gboolean       ordered_shutdown;

  /* The family: see tasker-child.c */
  TaskerCore     *parent;        /* as long as something may come to this one */
  TaskerChildJob *child_job;     /* the task that it is there, or %NULL: it is idle */
  gboolean        stop_with_parent;
  guint           n_returning;   /* threads that make it, or what is below, a task again */
  GList           sibling;       /* in one of the next two of the parent, under whose */
  gboolean        asked;         /* lock this is, too: by a shutdown in order */
  GQueue          children;      /* those that are tasks, as they came */
  GQueue          idle;          /* those that are not */
  guint64         n_judged[4];   /* n_ended, when it was idle last */
  GError         *first_failure; /* for the parent */
  gsize           first_failure_end;

  /* A shutdown: see tasker-shutdown.c */
  gboolean       in_order;  /* children are shut down one after the other */

  /* Jobs. Each live one is in just one place: the inbox, the queue, the
   * doomed, a runner's hand, or the detached. */
  TaskerQueue    queue;
  TaskerJobList  doomed;   /* shall end without being run */
  TaskerJobList  detached; /* begun, and not in a runner's hand */
  GQueue         homes;    /* where jobs are run on main loops */
  GMainContext  *tired;    /* that of the home that went last, if it has to rest */
  guint          n_home_queued; /* jobs in homes that have not begun */
  guint          n_starved; /* homes that wait for a place */
  GQueue         open;     /* detached ones that runners can help with */
  TaskerLevel    swept;    /* up to which level the queue was swept */
  guint64        n_spawned;
  guint64        n_ended[4]; /* by how they ended, from SUCCEEDED on */
  guint          n_dropping; /* threads that free jobs which have ended, or unwatch signals */
  GPtrArray     *gathered;   /* empty but while it is used */

  TaskerResults  results;

  /* Runners, and the places that they and others have */
  GQueue         hands;     /* of the runners; see place_hand() */
  int            n_runners; /* atomic; the ones on their way included */
  guint          n_fills;   /* of hands, by who did not look at the clock */
  gint64         rescued_at; /* when the hands were looked at */
  guint          n_stocked; /* runners that have taken more than one job at once */
  guint          n_placed;  /* runners that may run jobs */
  guint          n_holding; /* detached jobs that have begun, without a runner */
  guint          n_lent;    /* placed runners whose function waits for a task */
  guint          n_reclaiming; /* those of them that want to go on */
  guint          target;    /* for max_running 0: so many runners */
  gboolean       watching_growth;
  gint64         stuck_since;  /* when something had ended at the last look */
  guint64        n_moves_seen;
  guint          n_steps;      /* atomic: parts of jobs that were done */

  /* Those who watch it, see TaskerWatcher */
  guint          changed;   /* a TaskerChange for each kind, not told yet */
  gboolean       climbs;    /* of the progress, the ancestors were not told yet */
  GQueue         listened;  /* those who are told */
  GQueue         unheard;   /* those who are asked first */
  guint          unasked;   /* what has changed since all of them were asked */
  gboolean       asks_later; /* they will be */
  gint64         told_at;    /* when somebody was told who has not looked since, or 0 */
  GQueue         lists;     /* those that show the live tasks */
  GHashTable    *progressing; /* live jobs that have a progress, or %NULL */

  /* Those who wait for the group */
  GQueue         waiters;
  GQueue         sleepers;  /* all that block, for a task too */
  guint          n_joiners;
  GHashTable    *contexts;  /* GMainContext → how many detached jobs end in it */
  GQueue         heralds;   /* those who call back whoever waits for stoppers */
  gint64         alone_since; /* there is nothing but handles or children, or 0 */
  gboolean       told_handles; /* of those, to the log */
  gboolean       watching_handles;

  gboolean       bound;           /* to an application */

  /* Unix signals */
  gboolean       watching_signals;
  guint          n_signals;       /* that were taken; this and the next under */
  GSource       *signal_listener; /* the lock of tasker-signal.c */
};

/* Stop does not start work, but for what has to run always. */
#define TASKER_MAY_BEGIN(job, level) \
  ((level) == TASKER_LEVEL_NONE || ((job)->run_always && (level) < TASKER_LEVEL_ABORTED))

/* What can change in a group; each a bit. */
typedef enum
{
  TASKER_CHANGE_SPAWNED = 1 << 0,
  TASKER_CHANGE_SUCCEEDED = 1 << 1, /* tasks have ended, by how they did */
  TASKER_CHANGE_FAILED = 1 << 2,
  TASKER_CHANGE_STOPPED = 1 << 3,
  TASKER_CHANGE_ABORTED = 1 << 4,
  TASKER_CHANGE_RESULTS = 1 << 5,   /* results came back, or are all taken */
  TASKER_CHANGE_JOINED = 1 << 6,    /* a join may be over */
  TASKER_CHANGE_PROGRESS = 1 << 7,  /* of a live task */
  TASKER_CHANGE_RAISED = 1 << 8,    /* it was stopped */
  TASKER_CHANGE_MAX_RUNNING = 1 << 9, /* settings */
  TASKER_CHANGE_MAX_QUEUED = 1 << 10,
  TASKER_CHANGE_KEEP_RESULTS = 1 << 11,
  TASKER_CHANGE_ABORT_ON_DROP = 1 << 12,
  TASKER_CHANGE_STOP_ON_ERROR = 1 << 13,
  TASKER_CHANGE_ORDERED_SHUTDOWN = 1 << 14,
} TaskerChange;

#define TASKER_CHANGE_ENDED \
  (TASKER_CHANGE_SUCCEEDED | TASKER_CHANGE_FAILED | TASKER_CHANGE_STOPPED | TASKER_CHANGE_ABORTED)
#define TASKER_CHANGE_N_TASKS (TASKER_CHANGE_SPAWNED | TASKER_CHANGE_ENDED)
#define TASKER_CHANGE_ANY_PROGRESS (TASKER_CHANGE_N_TASKS | TASKER_CHANGE_PROGRESS)
#define TASKER_CHANGE_SETTINGS \
  (TASKER_CHANGE_MAX_RUNNING | TASKER_CHANGE_MAX_QUEUED | TASKER_CHANGE_KEEP_RESULTS | \
   TASKER_CHANGE_ABORT_ON_DROP | TASKER_CHANGE_STOP_ON_ERROR | TASKER_CHANGE_ORDERED_SHUTDOWN)
#define TASKER_CHANGE_SELDOM (TASKER_CHANGE_RAISED | TASKER_CHANGE_SETTINGS)

TaskerCore      *tasker_core_new            (void);
TaskerCore      *tasker_core_ref            (TaskerCore      *self);
void             tasker_core_unref          (TaskerCore      *self);

/* Objects that belong to a group */
gpointer         tasker_core_make           (TaskerCore      *self,
                                             GType            type);
TaskerCore      *tasker_core_get_given      (void);

void             tasker_core_lock           (TaskerCore      *self);
void             tasker_core_unlock         (TaskerCore      *self);

/* Handles */
gboolean         tasker_core_add_handle     (TaskerCore      *self,
                                             gboolean         open);
void             tasker_core_close_handle   (TaskerCore      *self);
void             tasker_core_drop_handle    (TaskerCore      *self);
gboolean         tasker_core_is_closed      (TaskerCore      *self);
void             tasker_core_shut           (TaskerCore      *self);
gboolean         tasker_core_is_shut        (TaskerCore      *self);

/* Jobs come */
gboolean         tasker_core_push           (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_tidy           (TaskerCore      *self);
gboolean         tasker_core_has_room       (TaskerCore      *self);
void             tasker_core_adopt          (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_look           (TaskerCore      *self);

/* Jobs are run */
GCancellable    *tasker_core_get_stopper    (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_detach         (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_open           (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_end            (TaskerCore      *self,
                                             TaskerJob       *job,
                                             TaskerTaskState  state,
                                             GError          *error);
gboolean         tasker_core_end_quietly    (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_publish        (TaskerCore      *self);
void             tasker_core_end_detached   (TaskerCore      *self,
                                             TaskerJob       *job,
                                             TaskerTaskState  state,
                                             GError          *error);
void             tasker_core_end_released   (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_hand_in        (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_use_context    (TaskerCore      *self,
                                             GMainContext    *context,
                                             int              change);
void             tasker_core_count_context  (TaskerCore      *self,
                                             GMainContext    *context,
                                             int              change);
void             tasker_core_adopt_running  (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_end_child      (TaskerCore      *self,
                                             TaskerJob       *job,
                                             TaskerTaskState  state,
                                             GError          *error);

gboolean         tasker_core_may_begin      (TaskerCore      *self,
                                             TaskerJob       *job);
gboolean         tasker_core_begin          (TaskerCore      *self,
                                             TaskerJob       *job,
                                             gboolean         asked);
gboolean         tasker_core_begin_quietly  (TaskerCore      *self,
                                             TaskerJob       *job);
gboolean         tasker_core_is_aborted     (TaskerCore      *self,
                                             TaskerJob       *job);
void             tasker_core_discard        (TaskerCore      *self,
                                             TaskerJob       *job);

/* Jobs are stopped: tasker-sweep.c */
void             tasker_core_on_raised      (TaskerCore      *self,
                                             GPtrArray       *tasks);
void             tasker_core_put_back       (TaskerCore      *self,
                                             TaskerHand      *hand);
void             tasker_core_take_back_hands (TaskerCore     *self);
gboolean         tasker_core_doom           (TaskerCore      *self,
                                             TaskerJob       *job,
                                             gboolean         abort);

/* Places: tasker-places.c */
gboolean         tasker_core_has_place      (TaskerCore      *self);
gboolean         tasker_core_has_place_for_home (TaskerCore  *self);
void             tasker_core_hold           (TaskerCore      *self,
                                             int              change);
void             tasker_core_keep_place     (TaskerCore      *self,
                                             TaskerHand      *hand);
void             tasker_core_starve         (TaskerCore      *self,
                                             int              change);
gboolean         tasker_core_has_work       (TaskerCore      *self);
gboolean         tasker_core_has_spare_hands (TaskerCore     *self);
void             tasker_core_kick           (TaskerCore      *self);
void             tasker_core_set_max_running (TaskerCore     *self,
                                             guint            max_running);
void             tasker_core_lend           (TaskerCore      *self,
                                             gboolean         held);
void             tasker_core_reclaim        (TaskerCore      *self);
gboolean         tasker_core_take_back      (TaskerCore      *self,
                                             gboolean         held);

/* Results are taken */
void             tasker_core_gather         (TaskerCore      *self);
void             tasker_core_gather_hand    (TaskerCore      *self,
                                             TaskerHand      *hand);
void             tasker_core_foreach        (TaskerCore      *self,
                                             GFunc            func,
                                             gpointer         user_data);
void             tasker_core_release_row    (TaskerCore      *self,
                                             TaskerJob       *job);
guint64          tasker_core_get_n_live     (TaskerCore      *self);
guint64          tasker_core_get_n_ended    (TaskerCore      *self);
gboolean         tasker_core_is_empty       (TaskerCore      *self);
gboolean         tasker_core_is_joined      (TaskerCore      *self);
gsize            tasker_core_get_last_end   (TaskerCore      *self);
TaskerJob       *tasker_core_take_result    (TaskerCore      *self);
guint            tasker_core_drop_results   (TaskerCore      *self,
                                             guint            n_wanted,
                                             GError         **failure);
GError          *tasker_core_report         (TaskerCore      *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TaskerCore, tasker_core_unref)

G_END_DECLS
