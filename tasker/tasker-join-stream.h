/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <tasker-task.h>

G_BEGIN_DECLS

#define TASKER_TYPE_JOIN_STREAM (tasker_join_stream_get_type ())

TASKER_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (TaskerJoinStream, tasker_join_stream, TASKER, JOIN_STREAM, GObject)

TASKER_AVAILABLE_IN_1_0
TaskerTask *tasker_join_stream_next        (TaskerJoinStream     *self,
                                            GCancellable         *cancellable,
                                            GError              **error);
TASKER_AVAILABLE_IN_1_0
void        tasker_join_stream_next_async  (TaskerJoinStream     *self,
                                            GCancellable         *cancellable,
                                            GAsyncReadyCallback   callback,
                                            gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
TaskerTask *tasker_join_stream_next_finish (TaskerJoinStream     *self,
                                            GAsyncResult         *result,
                                            GError              **error);
TASKER_AVAILABLE_IN_1_0
TaskerTask *tasker_join_stream_try_next    (TaskerJoinStream     *self);

TASKER_AVAILABLE_IN_1_0
gboolean    tasker_join_stream_is_ended    (TaskerJoinStream     *self);

G_END_DECLS
