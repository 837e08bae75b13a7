/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <glib.h>

#include <tasker-version.h>

G_BEGIN_DECLS

/**
 * TaskerWorkerFunc:
 * @user_data: (closure): data that came with the function
 *
 * What a worker thread does before it goes idle, see
 * [func@Tasker.worker_at_idle].
 *
 * Since: 1.0
 */
typedef void (*TaskerWorkerFunc) (gpointer user_data);

TASKER_AVAILABLE_IN_1_0
void     tasker_worker_begin   (void);
TASKER_AVAILABLE_IN_1_0
gsize    tasker_worker_next    (void);

TASKER_AVAILABLE_IN_1_0
gboolean tasker_worker_at_idle (TaskerWorkerFunc func,
                                gpointer         user_data);

G_END_DECLS
