/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"
#include "tasker-current-private.h"

G_BEGIN_DECLS

/*
 * TaskerRunner:
 *
 * A job on the shared thread pool that takes task after task of one group
 * until there is none.
 */
struct _TaskerRunner
{
  TaskerCore    *core;
  TaskerCurrent *current;
  gboolean       placed;    /* has a place; under the lock */
  gboolean       lent;      /* … which it has lent; under the lock */
  gboolean       stocked;   /* has taken more than one job; under the lock */
  gboolean       searching; /* counts as such; under the lock */
  gboolean       makes_way; /* a main loop waits for the processor */
  int            limit;     /* how many jobs it takes into its hand */
  gboolean       timed;     /* whether the time that they take is looked at */
  gint64         begun_at;  /* when the first of them began */
  int            n_done;    /* of them */
  gboolean       over;      /* it claims no more of them */
  TaskerJob     *claimed;   /* … by tasker_worker_next(), which left it at that */
  gint64         waits_since; /* when it began to call the owner of tasks */
  gint64         timed_at;  /* when it last looked at the clock, or 0 */
  gint64         room_given; /* when those who wait for room were looked after */
  TaskerHand     hand;
};

/* The next job that the runner has in hand; and whether to go on to it wakes nobody. */
TaskerJob *tasker_runner_claim          (TaskerRunner  *self);
gboolean tasker_runner_may_claim        (TaskerRunner  *self);
/* With the core's lock held: has what is stuck in hands put back. */
void     tasker_runner_rescue           (TaskerCore    *core);
/* Starts a runner; it stays queued if the process can get no thread: FALSE. */
gboolean tasker_runner_start            (TaskerCore    *core);
/* Whether there is a thread that runners can run in, or one can be made. */
gboolean tasker_runner_have_thread      (GError       **error);
/* Whether runners wait for a thread that was refused, and to ask for it again:
 * TRUE when none waits any more. */
gboolean tasker_runner_short_of_threads (void);
gboolean tasker_runner_retry            (void);

G_END_DECLS
