/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <glib.h>

#include <tasker-task.h>
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

/**
 * TaskerWorkerOwnerFunc:
 * @task: (nullable): the task, or %NULL if it will not be run
 * @number: the number of the task
 * @user_data: (closure): data that came with the function
 * @error: return location for the error
 *
 * Runs a task that was made with [ctor@Tasker.Task.new_numbered], in a worker
 * thread.
 *
 * It does with the task what a [callback@Tasker.Func] does, and may go on
 * with others if it succeeded, see [func@Tasker.worker_next]. It is told the
 * number of each task once. If @task is %NULL it only has to forget the number,
 * in any thread, and what it returns does not matter.
 *
 * See [func@Tasker.worker_register_owner].
 *
 * Returns: %TRUE if it is done, %FALSE with @error set if it failed
 *
 * Since: 1.0
 */
typedef gboolean (*TaskerWorkerOwnerFunc) (TaskerTask  *task,
                                           gsize        number,
                                           gpointer     user_data,
                                           GError     **error);

TASKER_AVAILABLE_IN_1_0
guint    tasker_worker_register_owner (TaskerWorkerOwnerFunc func,
                                       gpointer              user_data,
                                       GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
void     tasker_worker_begin   (void);
TASKER_AVAILABLE_IN_1_0
gsize    tasker_worker_next    (void);

TASKER_AVAILABLE_IN_1_0
gboolean tasker_worker_at_idle (TaskerWorkerFunc func,
                                gpointer         user_data);

G_END_DECLS
