/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* Stops a group for good and waits for it within a bound; see
 * tasker_group_shutdown(). */
gboolean tasker_shutdown_wait        (TaskerCore    *core,
                                      guint          grace_ms,
                                      GCancellable  *cancellable,
                                      GError       **error);
void     tasker_shutdown_wait_async  (TaskerCore    *core,
                                      guint          grace_ms,
                                      GTask         *result);
gboolean tasker_shutdown_wait_finish (GTask         *result,
                                      GError       **error);

/* Where children are shut down one after the other: a reference to the one whose
 * turn it is and who was not asked, or NULL, with the lock held; and to ask it. */
TaskerCore *tasker_shutdown_take_next (TaskerCore    *core);
void        tasker_shutdown_shut_next (TaskerCore    *child);

G_END_DECLS
