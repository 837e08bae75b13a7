/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-stopper.h"
#include "tasker-weak-private.h"

G_BEGIN_DECLS

/*
 * TaskerDeadline:
 *
 * When a stopper is to be cancelled, if it was not before. All that are pending
 * are in one heap, and the service thread has one timer for the first of them.
 *
 * The stopper is known weakly: it clears its deadline in its dispose().
 */
typedef struct
{
  TaskerStopper *stopper;    /* not owned */
  TaskerWeak    *weak;       /* owned; of the same */
  guint          timeout_ms; /* atomic */
  int            passed;     /* atomic: it has cancelled the stopper, or will at once */

  /* Under the lock of the heap */
  gint64         due;
  guint          place;      /* in the heap, from 1 on; 0 while not pending */
} TaskerDeadline;

/* Takes @weak over. */
TaskerDeadline *tasker_deadline_new   (TaskerStopper  *stopper,
                                       TaskerWeak     *weak);
void            tasker_deadline_free  (TaskerDeadline *self);

/* Any thread; counts from now, also where it was pending. */
void            tasker_deadline_start (TaskerDeadline *self);
void            tasker_deadline_clear (TaskerDeadline *self);

G_END_DECLS
