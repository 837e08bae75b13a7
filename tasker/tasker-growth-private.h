/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* How many runners a group has whose max-running is 0. It begins with a few,
 * and gets more while jobs wait, nothing ends, and most of its runners are
 * blocked. */

/* With the core's lock held. */
void     tasker_growth_reset   (TaskerCore *core);
gboolean tasker_growth_watches (TaskerCore *core);

/* Without: begins to look at the group from time to time. */
void     tasker_growth_watch   (TaskerCore *core);

G_END_DECLS
