/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* How far a group is: the mean of its tasks, live and ended. One that has ended
 * counts 1, however it ended; a child group what it would say itself. */
double tasker_progress_get   (TaskerCore *core);

/* A job says how far it is from here on. With the core's lock held; not when it
 * has ended. */
void   tasker_progress_add   (TaskerCore *core,
                              TaskerJob  *job);

/* It was not added to the core, after all. With the lock held, too. */
void   tasker_progress_remove (TaskerCore *core,
                               TaskerJob  *job);

/* The progress of a core has changed, and so has that of its ancestors. */
void   tasker_progress_climb (TaskerCore *core);

G_END_DECLS
