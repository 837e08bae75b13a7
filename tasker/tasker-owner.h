/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <tasker-group.h>
#include <tasker-task.h>

G_BEGIN_DECLS

/* For bindings of languages, and nobody else: tasks without a function of their own. An
 * owner is registered once, with one function for all of its tasks. It is known by
 * a number, and knows each of its tasks by a key. */

/**
 * TaskerAsyncOwnerFunc:
 * @user_data: (closure): data that came with the function
 * @begun: (array length=n_begun): the keys of tasks that have begun
 * @n_begun: how many they are
 * @ended: (array length=n_ended): the keys of tasks that have ended
 * @n_ended: how many they are
 *
 * Tells the owner of async tasks what has become of them, many at once.
 *
 * It gets the keys in the order in which the tasks began, or ended. Between a
 * task's beginning and this call it may have been stopped, or have ended
 * because it was aborted; [method@Gio.Cancellable.is_cancelled] tells.
 *
 * See [func@Tasker.register_async_owner].
 *
 * Since: 1.0
 */
typedef void (*TaskerAsyncOwnerFunc) (gpointer     user_data,
                                      const gsize *begun,
                                      gsize        n_begun,
                                      const gsize *ended,
                                      gsize        n_ended);

/**
 * TaskerExternalOwnerFunc:
 * @task: the task
 * @key: its key
 * @aborted: %FALSE when its turn has come; %TRUE when it is aborted after that,
 *   and when it is stopped or aborted before
 * @user_data: (closure): data that came with the function
 *
 * Tells the owner of an external task what to do.
 *
 * It is called once when the task's turn has come, for its owner to begin the
 * work, and perhaps once more when it is aborted, for him to tear the work
 * down. If its turn will not come, it is called for the latter alone. It may be
 * called in any thread, also in the one that aborts the task, and should only
 * pass the message on.
 *
 * See [func@Tasker.register_external_owner].
 *
 * Since: 1.0
 */
typedef void (*TaskerExternalOwnerFunc) (TaskerTask *task,
                                         gsize       key,
                                         gboolean    aborted,
                                         gpointer    user_data);

/**
 * TaskerWorkerOwnerFunc:
 * @task: (nullable): the task, or %NULL if it will not be run
 * @key: the key of the task
 * @user_data: (closure): data that came with the function
 * @error: return location for the error
 *
 * Runs a task of an owner in a worker thread.
 *
 * It does with the task what a [callback@Tasker.Func] does, and may go on
 * with others if it succeeded, see [func@Tasker.worker_next]. It is told the
 * key of each task once. If @task is %NULL it only has to forget the key, in
 * any thread, and what it returns does not matter.
 *
 * See [func@Tasker.register_worker_owner].
 *
 * Returns: %TRUE if it is done, %FALSE with @error set if it failed
 *
 * Since: 1.0
 */
typedef gboolean (*TaskerWorkerOwnerFunc) (TaskerTask  *task,
                                           gsize        key,
                                           gpointer     user_data,
                                           GError     **error);

/* Owners */
TASKER_AVAILABLE_IN_1_0
guint       tasker_register_async_owner    (TaskerAsyncOwnerFunc     func,
                                            gpointer                 user_data,
                                            GDestroyNotify           user_data_free);
TASKER_AVAILABLE_IN_1_0
guint       tasker_register_external_owner (TaskerExternalOwnerFunc  func,
                                            gpointer                 user_data,
                                            GDestroyNotify           user_data_free);
TASKER_AVAILABLE_IN_1_0
guint       tasker_register_worker_owner   (TaskerWorkerOwnerFunc    func,
                                            gpointer                 user_data,
                                            GDestroyNotify           user_data_free);

/* Their tasks */
TASKER_AVAILABLE_IN_1_0
TaskerTask *tasker_task_new_owned          (const char              *name,
                                            guint                    owner,
                                            gsize                    key);
TASKER_AVAILABLE_IN_1_0
gsize       tasker_task_get_key            (TaskerTask              *self,
                                            guint                    owner);
TASKER_AVAILABLE_IN_1_0
gsize       tasker_task_complete_many      (TaskerTask             **tasks,
                                            gsize                    n_tasks,
                                            gboolean                 tell);
TASKER_AVAILABLE_IN_1_0
TaskerTask *tasker_group_spawn_owned       (TaskerGroup             *self,
                                            const char              *name,
                                            guint                    owner,
                                            gsize                    key);

G_END_DECLS
