/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"
#include "tasker-hand-private.h"

G_BEGIN_DECLS

/*
 * TaskerCurrent:
 *
 * What a thread is inside of: a function of a task, perhaps inside of another
 * one, for a function may iterate a main loop.
 */
typedef struct _TaskerCurrent TaskerCurrent;
typedef struct _TaskerHome TaskerHome;

struct _TaskerCurrent
{
  TaskerCurrent *outer;
  TaskerCore    *core;
  TaskerHand    *hand;   /* what @job was taken into */
  TaskerRunner  *runner; /* %NULL on a main loop */
  TaskerHome    *home;   /* %NULL elsewhere */
  TaskerJob     *job;    /* %NULL between two functions */
};

void           tasker_current_push  (TaskerCurrent *self);
void           tasker_current_pop   (TaskerCurrent *self);
/* The innermost one, or %NULL. */
TaskerCurrent *tasker_current_get   (void);
/* From here on somebody may free the job, and what user code follows in this
 * thread is not inside of it. */
void           tasker_current_leave (TaskerJob     *job);

G_END_DECLS
