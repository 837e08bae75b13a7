/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-stopper.h"

G_BEGIN_DECLS

/*
 * TaskerDeadline:
 *
 * When a stopper is to be cancelled, if it was not before. All that are pending
 * are in one heap, and the service thread has one timer for the first of them.
 *
 * The stopper is held weakly: it clears its deadline in its dispose().
 */
typedef struct
{
  TaskerStopper *stopper;
  guint          timeout_ms; /* atomic */
  int            passed;     /* atomic: it has cancelled the stopper, or will at once */

  /* Under the lock of the heap */
  gint64         due;
  guint          place;      /* in the heap, from 1 on; 0 while not pending */
} TaskerDeadline;

TaskerDeadline *tasker_deadline_new   (TaskerStopper  *stopper);
void            tasker_deadline_free  (TaskerDeadline *self);

/* Any thread; counts from now, also where it was pending. */
void            tasker_deadline_start (TaskerDeadline *self);
void            tasker_deadline_clear (TaskerDeadline *self);

G_END_DECLS
