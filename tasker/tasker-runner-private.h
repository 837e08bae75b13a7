/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* How many jobs a runner takes at once, at most. */
#define TASKER_HAND_SIZE 64

/*
 * TaskerRunner:
 *
 * A job on the shared thread pool that takes task after task of one group
 * until there is none.
 *
 * It takes jobs in batches, into its hand, so that the group's lock is not
 * taken for each task. All the jobs it took and that were not handed in are
 * in @slots, so whoever has the core's lock can see them:
 *
 *     0 … base … head … tail
 *         |      |      └ filled so far
 *         |      └ not claimed: atomic, the runner claims the job there by
 *         |        raising it, and so do others, under the lock, who take
 *         |        jobs away from here
 *         └ not handed in: under the lock
 *
 * A slot is %NULL where the job was taken away.
 */
struct _TaskerRunner
{
  TaskerCore *core;
  GList       link;    /* in the core's runners */
  TaskerJob  *current; /* what its function works on */
  gboolean    placed;  /* has a place; under the lock */
  gboolean    searching; /* counts as such; under the lock */
  int         tid;     /* of the thread, or 0 where that is not known */
  int         head;
  int         base;
  int         tail;
  TaskerJob  *slots[TASKER_HAND_SIZE];
};

/* Starts a runner; it stays queued if the process can get no thread. */
void          tasker_runner_start       (TaskerCore    *core);
/* Whether there is a thread that runners can run in, or one can be made. */
gboolean      tasker_runner_have_thread (GError       **error);
/* Whether runners wait for a thread that was refused, and to ask for it again:
 * TRUE when none waits any more. */
gboolean      tasker_runner_short_of_threads (void);
gboolean      tasker_runner_retry       (void);
/* The runner that this thread is in, or %NULL. */
TaskerRunner *tasker_runner_get_current (void);

/* All with the core's lock held. */
void          tasker_runner_gather      (TaskerRunner  *self);
gboolean      tasker_runner_has_spare   (TaskerRunner  *self);
void          tasker_runner_give_back   (TaskerRunner  *self);
void          tasker_runner_detach      (TaskerRunner  *self,
                                         TaskerJob     *job);

G_END_DECLS
