/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-job-private.h"

G_BEGIN_DECLS

/* How many jobs one takes at once, at most. */
#define TASKER_HAND_SIZE 256

/*
 * TaskerHand:
 *
 * The jobs that a thread has taken to run one after the other, so that the
 * group's lock is not taken for each. All that were taken and not handed in
 * are in @slots, so whoever has the core's lock can see them:
 *
 *     0 … base … head … tail
 *         |      |      └ filled so far
 *         |      └ not claimed: atomic. The owner claims the job there by
 *         |        raising it; so do others, with the lock, who take jobs away
 *         └ not handed in: with the lock
 *
 * A slot is %NULL where the job was taken away.
 */
typedef struct
{
  GList      link;   /* in the core's hands */
  gboolean   shared; /* whether idle runners may take from it */
  int        tid;    /* of a runner's thread, or 0 where that is not known */
  int        head;
  int        base;
  int        tail;
  int        seen;   /* the head at the last tasker_hand_is_stuck() */
  TaskerJob *slots[TASKER_HAND_SIZE];
} TaskerHand;

/* The owner's. The slots are not cleared: only the ones filled are looked at. */
void       tasker_hand_init        (TaskerHand  *self,
                                    gboolean     shared,
                                    int          tid);
TaskerJob *tasker_hand_claim       (TaskerHand  *self);

/* With the core's lock held. */
void       tasker_hand_fill        (TaskerHand  *self,
                                    int          n_jobs);
void       tasker_hand_collect     (TaskerHand  *self,
                                    GPtrArray   *ended);
void       tasker_hand_foreach     (TaskerHand  *self,
                                    GFunc        func,
                                    gpointer     user_data);
gboolean   tasker_hand_is_stuck    (TaskerHand  *self);
guint      tasker_hand_count_spare (TaskerHand  *self);
TaskerJob *tasker_hand_get_current (TaskerHand  *self);
int        tasker_hand_take        (TaskerHand  *self,
                                    gboolean     half,
                                    int          n_wanted,
                                    TaskerJob  **jobs);
void       tasker_hand_detach      (TaskerHand  *self,
                                    TaskerJob   *job);

G_END_DECLS
