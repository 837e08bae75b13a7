/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/*
 * tasker_stop_wait_new:
 * @core: (nullable): that of the group to which the stopper belongs
 * @holds: whether to keep the stopper, which nobody else may do
 *
 * A TaskerStopWait is somebody who waits on a main loop, that of the thread which
 * makes it, until a stopper is cancelled. The stopper has its waits in a chain until
 * then; they have no source of their own, for a context looks at each of its sources
 * in every iteration.
 */
TaskerStopWait *tasker_stop_wait_new      (TaskerStopper       *stopper,
                                           TaskerCore          *core,
                                           gboolean             holds,
                                           GAsyncReadyCallback  callback,
                                           gpointer             user_data);
/* Chains are atomic. */
void            tasker_stop_wait_add      (TaskerStopWait      *self,
                                           TaskerStopWait     **chain);
/* Leaves @chain empty. */
void            tasker_stop_wait_move     (TaskerStopWait     **chain,
                                           TaskerStopWait     **other);
/* Nobody will be called back. */
void            tasker_stop_wait_drop     (TaskerStopWait     **chain);
/* The stopper is cancelled: all are. */
void            tasker_stop_wait_announce (TaskerStopWait     **chain);

/* Whether it is what a wait for this stopper was called back with. */
gboolean        tasker_stop_wait_is_reply (GAsyncResult        *result,
                                           TaskerStopper       *stopper);

G_END_DECLS
