/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The owners of tasks that have no function of their own, such as the bindings of
 * languages: a function for each task would cost these more than the rest of it.
 * They are registered once, for the rest of the process, and known by number. */

#include "tasker-owner-private.h"

#define MAX_OWNERS 16

/* An entry is written before anybody knows its number, and never again. */
static TaskerOwner owners[MAX_OWNERS];
static guint n_owners;
G_LOCK_DEFINE_STATIC (owners);

/* Returns: (nullable): the owner with this number, which counts from 1 on */
const TaskerOwner *
tasker_owner_find (guint number)
{
  if (number == 0 || number > MAX_OWNERS || owners[number - 1].func == NULL)
    return NULL;

  return &owners[number - 1];
}

static guint
add (const TaskerJobKind *kind,
     GCallback            func,
     gpointer             user_data,
     GDestroyNotify       user_data_free)
{
  guint number = 0;

  G_LOCK (owners);
  if (n_owners < MAX_OWNERS)
    {
      owners[n_owners] = (TaskerOwner) { kind, func, user_data };
      number = ++n_owners;
    }
  G_UNLOCK (owners);

  if (number == 0 && user_data_free != NULL)
    user_data_free (user_data);

  return number;
}

/**
 * tasker_register_async_owner:
 * @func: (scope notified) (closure user_data) (destroy user_data_free): is told
 *   what has become of the tasks
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data if there is no room
 *
 * Registers an owner of async tasks, for the rest of the process.
 *
 * Its tasks belong to a main context, as those that [ctor@Tasker.Task.new_async]
 * makes, and are completed in the same way. The owner is told in the home
 * context, with many tasks at once, after they have begun and after they have
 * ended. A task that never begins is told of when it has ended; one with
 * [property@Tasker.Task:run-always] begins alone.
 *
 * It is for the binding of a language in which functions are given to tasks by
 * the ten thousand and a callback for each of them costs too much.
 *
 * Returns: the number of the owner, for [ctor@Tasker.Task.new_owned]; or 0 if
 *   there are 16 owners already, of whatever kind
 *
 * Since: 1.0
 */
guint
tasker_register_async_owner (TaskerAsyncOwnerFunc func,
                             gpointer             user_data,
                             GDestroyNotify       user_data_free)
{
  g_return_val_if_fail (func != NULL, 0);

  return add (&tasker_async_kind, G_CALLBACK (func), user_data, user_data_free);
}

/**
 * tasker_register_external_owner:
 * @func: (scope notified) (closure user_data) (destroy user_data_free): is told
 *   what to do
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data if there is no room
 *
 * Registers an owner of external tasks, for the rest of the process.
 *
 * Its tasks are for work that is done on a loop which is not GLib's, such as that
 * of a language, and need neither a thread nor a main context. When the turn of
 * one comes the owner is told, and completes it with
 * [method@Tasker.Task.complete] or [method@Tasker.Task.complete_error]. Other than
 * one made with [ctor@Tasker.Task.new_async] it has not ended before that, also if
 * it is aborted: the owner is told, and what is still to be cleaned up is waited
 * for.
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Returns: the number of the owner, for [ctor@Tasker.Task.new_owned]; or 0 if
 *   there are 16 owners already, of whatever kind
 *
 * Since: 1.0
 */
guint
tasker_register_external_owner (TaskerExternalOwnerFunc func,
                                gpointer                user_data,
                                GDestroyNotify          user_data_free)
{
  g_return_val_if_fail (func != NULL, 0);

  return add (&tasker_external_kind, G_CALLBACK (func), user_data, user_data_free);
}

/**
 * tasker_register_worker_owner:
 * @func: (scope notified) (closure user_data) (destroy user_data_free): runs
 *   the tasks of the owner
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data if there is no room
 *
 * Registers an owner of tasks in worker threads, for the rest of the process.
 *
 * Its tasks are functions that it knows, and C does not. They are run as those
 * that [ctor@Tasker.Task.new] makes, by @func, which is told the key of each; also if
 * it is never run, or never added.
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Returns: the number of the owner, for [ctor@Tasker.Task.new_owned]; or 0 if
 *   there are 16 owners already, of whatever kind
 *
 * Since: 1.0
 */
guint
tasker_register_worker_owner (TaskerWorkerOwnerFunc func,
                              gpointer              user_data,
                              GDestroyNotify        user_data_free)
{
  g_return_val_if_fail (func != NULL, 0);

  return add (&tasker_worker_kind, G_CALLBACK (func), user_data, user_data_free);
}
