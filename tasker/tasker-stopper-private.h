/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-source-private.h"
#include "tasker-stopper.h"

G_BEGIN_DECLS

/* A stopper that hears the source. */
TaskerStopper *tasker_stopper_new     (TaskerSource  *source);

/* Ties a stopper to a source, once, for as long as the stopper lives. Returns
 * FALSE if the source was stopped before: the caller has to cancel it then,
 * when no lock is held. */
gboolean       tasker_stopper_tie     (TaskerStopper *self,
                                       TaskerSource  *source);

/* From here on the stopper does not hear its source any more. */
void           tasker_stopper_release (TaskerStopper *self);

G_END_DECLS
