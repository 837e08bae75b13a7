/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"
#include "tasker-news-private.h"
#include "tasker-weak-private.h"

G_BEGIN_DECLS

typedef struct _TaskerHome TaskerHome;
typedef struct _TaskerHomeJob TaskerHomeJob;
typedef struct _TaskerHomeClient TaskerHomeClient;

/*
 * TaskerHome:
 *
 * What a group has to do in one main context at one priority: a GSource. It
 * is there only while something is pending.
 *
 * It tells its clients, and then runs the jobs that belong there, one step after
 * the other, for a few milliseconds at most; and then it lets one iteration go
 * by, for the sake of sources of lower priority.
 */
struct _TaskerHome
{
  GSource       source;
  TaskerCore   *core;
  GMainContext *context;

  /* Under the core's lock */
  GList         link;    /* in the core's homes */
  TaskerJobList queued;  /* to be begun */
  TaskerJobList releases; /* of other kinds, whose data is to be released here */
  TaskerJobList ready;   /* to be called again, or to be ended */
  TaskerJobList waiting; /* begun, until they are completed */
  GSequence    *timed;   /* begun, by when they are due */
  guint         n_jobs;
  gboolean      starved; /* the first queued job waits for a place */
  GQueue        clients; /* to be told */
  guint         turn;    /* counts the dispatches */
  guint         depth;   /* of dispatches in dispatches */
  gboolean      gone;    /* is not in the core's homes any more */

  int           pending; /* atomic: there is something to do */

  /* In its own context only */
  gboolean      rest;    /* in the next iteration it is not ready */
  gboolean      resting; /* in this one */
  gint64        due;     /* when it has to be ready again at the latest, or -1 */
  gint64        now;     /* at the end of the last step */
  TaskerNews    news;    /* for the owners of async tasks */
};

/* Where a job of a home is. */
typedef enum
{
  TASKER_AT_NO_HOME,
  TASKER_AT_QUEUED,
  TASKER_AT_READY,
  TASKER_AT_HAND,
  TASKER_AT_TIMED,
  TASKER_AT_WAITING,
} TaskerHomeWhere;

/* A job that is run on a main loop. */
struct _TaskerHomeJob
{
  TaskerJob        job;
  GMainContext    *context; /* owned, until it has a home; %NULL for that of the thread that adds it */
  TaskerHome      *home;
  TaskerHomeWhere  where;   /* under the core's lock */
  guint8           placed;  /* has a place */
  guint8           settled; /* @context is that of who adds it */
  guint8           slow;    /* a step took too long, and that was logged */
};

/* One that waits for times. */
typedef struct
{
  TaskerHomeJob  home;
  gint64         due;
  GSequenceIter *timed; /* its place in the home, while it is there */
} TaskerTimedJob;

/*
 * TaskerTellFunc:
 * @object: that of the client, or the client
 * @end: the monotonic time at which to stop
 *
 * Called in the home context of @object, no lock held.
 *
 * Returns: whether @object has more to do, and wants to be told again
 */
typedef gboolean (*TaskerTellFunc) (gpointer object,
                                    gint64   end);

/*
 * TaskerHomeClient:
 *
 * A part of an object that wants to be told, in its home context, that
 * something has changed: once for all that changes until it is told, and once
 * in an iteration at most.
 *
 * It knows its object weakly. The object leaves in its dispose(). A client without
 * an object is told itself, and has to be there until then.
 */
struct _TaskerHomeClient
{
  GMainContext   *context; /* owned */
  TaskerWeak     *weak;    /* owned; of the object, or %NULL */
  int             priority;
  TaskerTellFunc  tell;

  /* Under the core's lock */
  TaskerHome     *home;    /* that is to tell it, or %NULL */
  GList           link;    /* in the home's clients */
  guint           turn;    /* the home's, when it came in there */
};

/* Takes @weak over. */
void     tasker_home_client_init  (TaskerHomeClient *self,
                                   TaskerWeak       *weak,
                                   GMainContext     *context,
                                   int               priority,
                                   TaskerTellFunc    tell);
void     tasker_home_client_clear (TaskerHomeClient *self);
/* With the core's lock held. */
void     tasker_home_client_tell  (TaskerHomeClient *self,
                                   TaskerCore       *core);
void     tasker_home_client_leave (TaskerHomeClient *self);

/* Jobs. With the core's lock held. */
void     tasker_home_adopt        (TaskerCore       *core,
                                   TaskerHomeJob    *job);
void     tasker_home_adopt_release (TaskerCore      *core,
                                   GMainContext     *context,
                                   TaskerJob        *job);
void     tasker_home_ready        (TaskerHomeJob    *job);
void     tasker_home_doom         (TaskerHomeJob    *job,
                                   gboolean          abort);
void     tasker_home_left         (TaskerHomeJob    *job);
void     tasker_home_sweep        (TaskerCore       *core,
                                   TaskerLevel       level);
void     tasker_home_feed         (TaskerCore       *core);
void     tasker_home_foreach      (TaskerCore       *core,
                                   GFunc             func,
                                   gpointer          user_data);

/* For a step that is not the last: where the job goes from its hand. */
void     tasker_home_again        (TaskerHomeJob    *job);
void     tasker_home_again_at     (TaskerTimedJob   *job,
                                   gint64            due);
void     tasker_home_wait         (TaskerHomeJob    *job);

/* Without the lock: removes the sources of homes that have gone. */
void     tasker_home_destroy      (GSList           *homes);

/* In the home context, without the lock: a function has returned. */
void     tasker_home_clock        (TaskerHomeJob    *job);
void     tasker_home_job_settle   (TaskerJob        *job);
void     tasker_home_job_unsettle (TaskerJob        *job);
void     tasker_home_job_free     (TaskerJob        *job);

G_END_DECLS
