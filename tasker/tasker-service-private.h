/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The service thread: one for the library, started when first needed, asleep
 * while it has nothing to wait for. */

gboolean tasker_service_add_timer (guint          interval_ms,
                                   GSourceFunc    func,
                                   gpointer       user_data,
                                   GDestroyNotify user_data_free);

G_END_DECLS
