/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* Whether somebody listens to full tasks can only be asked, for GObject has no hook for
 * who connects, and for that there is one lock in the process. So it is asked of many
 * tasks at once: of what a runner takes, of what has ended, and of what waits for long. */

/* With the core's lock held. */
void tasker_listeners_ask_hand (TaskerCore *core,
                                TaskerHand *hand);
void tasker_listeners_settle   (TaskerCore *core);

/* Without: begins to ask from time to time. */
void tasker_listeners_watch    (TaskerCore *core);

G_END_DECLS
