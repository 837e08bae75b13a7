/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* Unix signals that stop groups: see the source. */

gboolean tasker_signal_watch   (TaskerCore  *core,
                                int          signum,
                                GError     **error);
void     tasker_signal_unwatch (TaskerCore  *core);

/* Has a source become ready when a signal stops the group. */
void     tasker_signal_listen  (TaskerCore  *core,
                                GSource     *listener);

G_END_DECLS
