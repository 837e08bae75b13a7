/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <glib-object.h>

#include <tasker-version.h>

G_BEGIN_DECLS

#define TASKER_TYPE_SIGNALLER (tasker_signaller_get_type ())

TASKER_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (TaskerSignaller, tasker_signaller, TASKER, SIGNALLER, GObject)

TASKER_AVAILABLE_IN_1_0
gboolean tasker_signaller_stop       (TaskerSignaller *self);
TASKER_AVAILABLE_IN_1_0
gboolean tasker_signaller_abort      (TaskerSignaller *self);
TASKER_AVAILABLE_IN_1_0
gboolean tasker_signaller_is_stopped (TaskerSignaller *self);

G_END_DECLS
