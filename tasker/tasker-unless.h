/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <gio/gio.h>

#include <tasker-version.h>

G_BEGIN_DECLS

TASKER_AVAILABLE_IN_1_0
gpointer      tasker_unless_begin  (GCancellable         *stopper,
                                    GAsyncReadyCallback   callback,
                                    gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
void          tasker_unless_ready  (GObject              *source,
                                    GAsyncResult         *result,
                                    gpointer              unless);
TASKER_AVAILABLE_IN_1_0
GAsyncResult *tasker_unless_finish (GAsyncResult         *result,
                                    GError              **error);

G_END_DECLS
