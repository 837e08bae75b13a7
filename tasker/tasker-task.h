/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <tasker-signaller.h>
#include <tasker-stopper.h>

G_BEGIN_DECLS

/**
 * TaskerFunc:
 * @user_data: (closure): data that came with the function
 * @stopper: (not nullable): the cancellable to obey
 * @error: return location for the error
 *
 * The function of a task that runs in a worker thread.
 *
 * It has the shape of a blocking GIO method: the instance first, then a
 * cancellable, then an error. So a method such as
 * [method@Gio.File.delete] is a task function as it stands.
 *
 * @stopper is a [class@Tasker.Stopper]. Once it is cancelled the function
 * should end its current step, clean up, and return: %TRUE if it did what it
 * was for, %FALSE with %G_IO_ERROR_CANCELLED if it left something undone.
 *
 * In a task made with [ctor@Tasker.Task.new], @stopper is the task itself.
 *
 * Returns: %TRUE if the task succeeded; %FALSE with @error set if it failed.
 *   %FALSE without an error is what an exception looks like that a language
 *   binding could not turn into a [type@GLib.Error]: the task has failed with
 *   [error@Tasker.Error.PANICKED].
 *
 * Since: 1.0
 */
typedef gboolean (*TaskerFunc) (gpointer       user_data,
                                GCancellable  *stopper,
                                GError       **error);

/**
 * TaskerStepFunc:
 * @user_data: (closure): data that came with the function
 * @stopper: (not nullable): the cancellable to obey
 * @error: return location for the error
 *
 * The function of a task that runs on a main loop, one bounded step a call.
 *
 * A step should take a few milliseconds at most, for everything else on the
 * loop waits for it.
 *
 * Returns: %G_SOURCE_CONTINUE to be called again, %G_SOURCE_REMOVE when the
 *   task is done. With @error set the task has failed, whatever this returns.
 *
 * Since: 1.0
 */
typedef gboolean (*TaskerStepFunc) (gpointer       user_data,
                                    GCancellable  *stopper,
                                    GError       **error);

/**
 * TaskerEachFunc:
 * @user_data: (closure): data that came with the function
 * @index: the item to work on, from 0
 * @stopper: (not nullable): the cancellable to obey
 * @error: return location for the error
 *
 * The function of a task over many items, see [ctor@Tasker.Task.new_each].
 *
 * It is called in worker threads, in several at once, and once for every
 * index.
 *
 * Returns: %TRUE if the item is done; %FALSE with @error set if it failed,
 *   which ends the whole task
 *
 * Since: 1.0
 */
typedef gboolean (*TaskerEachFunc) (gpointer       user_data,
                                    gsize          index,
                                    GCancellable  *stopper,
                                    GError       **error);

/**
 * TaskerTaskState:
 * @TASKER_TASK_STATE_NEW: made, and not added to a group yet
 * @TASKER_TASK_STATE_QUEUED: added, and not begun
 * @TASKER_TASK_STATE_RUNNING: begun, and not ended
 * @TASKER_TASK_STATE_SUCCEEDED: ended as it should
 * @TASKER_TASK_STATE_FAILED: ended with an error of its own, or by its deadline
 * @TASKER_TASK_STATE_STOPPED: ended because it was stopped, or never began
 * @TASKER_TASK_STATE_ABORTED: ended because it was aborted, or never began
 *
 * Where a task is on its way. From %TASKER_TASK_STATE_SUCCEEDED on, it has
 * ended, and changes no more.
 *
 * Since: 1.0
 */
typedef enum
{
  TASKER_TASK_STATE_NEW,
  TASKER_TASK_STATE_QUEUED,
  TASKER_TASK_STATE_RUNNING,
  TASKER_TASK_STATE_SUCCEEDED,
  TASKER_TASK_STATE_FAILED,
  TASKER_TASK_STATE_STOPPED,
  TASKER_TASK_STATE_ABORTED,
} TaskerTaskState;

#define TASKER_TYPE_TASK (tasker_task_get_type ())

TASKER_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (TaskerTask, tasker_task, TASKER, TASK, TaskerStopper)

TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new             (const char           *name,
                                              TaskerFunc            func,
                                              gpointer              user_data,
                                              GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_each        (const char           *name,
                                              gsize                 n_items,
                                              TaskerEachFunc        func,
                                              gpointer              user_data,
                                              GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_local       (const char           *name,
                                              TaskerStepFunc        func,
                                              gpointer              user_data,
                                              GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_interval    (const char           *name,
                                              guint                 interval_ms,
                                              TaskerStepFunc        func,
                                              gpointer              user_data,
                                              GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_async       (const char           *name,
                                              TaskerFunc            func,
                                              gpointer              user_data,
                                              GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_for_gtask   (GTask                *gtask);
TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_new_for_subprocess (const char        *name,
                                                 GSubprocess       *process);

TASKER_AVAILABLE_IN_1_0
void             tasker_task_complete        (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_complete_error  (TaskerTask           *self,
                                              GError               *error);

TASKER_AVAILABLE_IN_1_0
TaskerTask      *tasker_task_get_current     (void);
TASKER_AVAILABLE_IN_1_0
TaskerSignaller *tasker_task_create_signaller (TaskerTask          *self);

TASKER_AVAILABLE_IN_1_0
const char      *tasker_task_get_name        (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
int              tasker_task_get_priority    (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_set_priority    (TaskerTask           *self,
                                              int                   priority);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_get_run_always  (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_set_run_always  (TaskerTask           *self,
                                              gboolean              run_always);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_get_release_in_context (TaskerTask    *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_set_release_in_context (TaskerTask    *self,
                                                     gboolean       release_in_context);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_get_stops_alone (TaskerTask           *self);

TASKER_AVAILABLE_IN_1_0
TaskerTaskState  tasker_task_get_state       (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_is_finished     (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_has_succeeded   (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_abort           (TaskerTask           *self);

TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_join            (TaskerTask           *self,
                                              GCancellable         *cancellable,
                                              GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_join_async      (TaskerTask           *self,
                                              GCancellable         *cancellable,
                                              GAsyncReadyCallback   callback,
                                              gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_task_join_finish     (TaskerTask           *self,
                                              GAsyncResult         *result,
                                              GError              **error);

TASKER_AVAILABLE_IN_1_0
const GError    *tasker_task_get_error       (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
const GValue    *tasker_task_get_value       (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_set_value       (TaskerTask           *self,
                                              const GValue         *value);
TASKER_AVAILABLE_IN_1_0
double           tasker_task_get_progress    (TaskerTask           *self);
TASKER_AVAILABLE_IN_1_0
char            *tasker_task_dup_progress_message (TaskerTask      *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_task_set_progress    (TaskerTask           *self,
                                              double                progress,
                                              const char           *message);

G_END_DECLS
