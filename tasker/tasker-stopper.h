/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <gio/gio.h>

#include <tasker-version.h>

G_BEGIN_DECLS

#define TASKER_TYPE_STOPPER (tasker_stopper_get_type ())

TASKER_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TaskerStopper, tasker_stopper, TASKER, STOPPER, GCancellable)

struct _TaskerStopperClass
{
  GCancellableClass parent_class;

  /*< private >*/
  gpointer padding[4];
};

TASKER_AVAILABLE_IN_1_0
gboolean tasker_stopper_sleep          (TaskerStopper       *self,
                                        guint                duration_ms,
                                        GError             **error);
TASKER_AVAILABLE_IN_1_0
void     tasker_stopper_sleep_async    (TaskerStopper       *self,
                                        guint                duration_ms,
                                        GAsyncReadyCallback  callback,
                                        gpointer             user_data);
TASKER_AVAILABLE_IN_1_0
gboolean tasker_stopper_sleep_finish   (TaskerStopper       *self,
                                        GAsyncResult        *result,
                                        GError             **error);
TASKER_AVAILABLE_IN_1_0
void     tasker_stopper_wait           (TaskerStopper       *self);
TASKER_AVAILABLE_IN_1_0
void     tasker_stopper_wait_async     (TaskerStopper       *self,
                                        GAsyncReadyCallback  callback,
                                        gpointer             user_data);
TASKER_AVAILABLE_IN_1_0
void     tasker_stopper_wait_finish    (TaskerStopper       *self,
                                        GAsyncResult        *result);

TASKER_AVAILABLE_IN_1_0
guint    tasker_stopper_get_timeout_ms (TaskerStopper       *self);
TASKER_AVAILABLE_IN_1_0
void     tasker_stopper_set_timeout_ms (TaskerStopper       *self,
                                        guint                timeout_ms);
TASKER_AVAILABLE_IN_1_0
gboolean tasker_stopper_timed_out      (TaskerStopper       *self);

G_END_DECLS
