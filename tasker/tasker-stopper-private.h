/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-stop-wait-private.h"
#include "tasker-stopper.h"
#include "tasker-weak-private.h"

G_BEGIN_DECLS

/* A stopper that hears the source. */
TaskerStopper *tasker_stopper_new       (TaskerSource  *source);

/* Whose stop it hears, if its group tells it: that of a full task, to which
 * somebody holds a reference until it is released. */
void           tasker_stopper_set_source (TaskerStopper *self,
                                          TaskerSource  *source);

/* Ties a stopper to a source, which tells it of the stop then, and has to stay
 * until the stopper is released. Returns FALSE if the source was stopped before:
 * the caller has to cancel it then, when no lock is held. */
gboolean       tasker_stopper_tie       (TaskerStopper *self,
                                         TaskerSource  *source);

/* The weak half of that, before it or where there is nothing to hear any more. */
void           tasker_stopper_know_weakly (TaskerStopper *self);

/* That of one that is tied, or known weakly. Who wants a reference to a stopper
 * has to ask there: to take one without asking would revive it, which GLib 2.74
 * does not survive where the last reference goes at that moment. */
TaskerWeak    *tasker_stopper_get_weak  (TaskerStopper *self);

/* For what belongs to one task; nothing that may block is called under it. */
GMutex        *tasker_stopper_get_lock (TaskerStopper *self);

/* From here on the stopper does not hear its source any more. */
void           tasker_stopper_release   (TaskerStopper *self);

/* Has its waits, which hold it, moved to @given_up: those of a task that was released,
 * as it has ended. They have to be dropped when no lock is held. */
void           tasker_stopper_give_up   (TaskerStopper  *self,
                                         TaskerStopWait **given_up);

/* Whether it was asked to end: it is cancelled, or will be at once. */
gboolean       tasker_stopper_is_asked  (TaskerStopper *self);

/* Whether a deadline was ever set; that of a task, if it has one, counts from now;
 * it does not count any more. */
gboolean       tasker_stopper_has_deadline (TaskerStopper *self);
void           tasker_stopper_begin     (TaskerStopper *self);
void           tasker_stopper_end       (TaskerStopper *self);

G_END_DECLS
