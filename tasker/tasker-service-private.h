/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#ifdef G_OS_UNIX
#include <glib-unix.h>
#endif

G_BEGIN_DECLS

/* The service thread: one for the library, started when first needed, asleep
 * while it has nothing to wait for. */

void     tasker_service_add_timer  (guint          interval_ms,
                                    GSourceFunc    func,
                                    gpointer       user_data,
                                    GDestroyNotify user_data_free);
GSource *tasker_service_new_alarm  (GSourceFunc    func,
                                    gpointer       user_data,
                                    GDestroyNotify user_data_free);

#ifdef G_OS_UNIX
void     tasker_service_add_fd     (int               fd,
                                    GUnixFDSourceFunc func);
#endif

/* Whether timers wait for a thread that was refused, and to ask for it again. */
gboolean tasker_service_is_missing (void);
void     tasker_service_retry      (void);

G_END_DECLS
