/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <tasker-join-stream.h>
#include <tasker-signaller.h>
#include <tasker-stopper.h>
#include <tasker-task.h>

G_BEGIN_DECLS

#define TASKER_TYPE_GROUP (tasker_group_get_type ())

TASKER_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (TaskerGroup, tasker_group, TASKER, GROUP, GObject)

/* Handles */
TASKER_AVAILABLE_IN_1_0
TaskerGroup     *tasker_group_new                (const char           *name);
TASKER_AVAILABLE_IN_1_0
TaskerGroup     *tasker_group_clone              (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
TaskerGroup     *tasker_group_new_child          (TaskerGroup          *self,
                                                  const char           *name);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_finish             (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_is_finished        (TaskerGroup          *self);

/* Properties */
TASKER_AVAILABLE_IN_1_0
const char      *tasker_group_get_name           (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
guint            tasker_group_get_max_running    (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_max_running    (TaskerGroup          *self,
                                                  guint                 max_running);
TASKER_AVAILABLE_IN_1_0
guint            tasker_group_get_max_queued     (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_max_queued     (TaskerGroup          *self,
                                                  guint                 max_queued);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_get_keep_results   (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_keep_results   (TaskerGroup          *self,
                                                  gboolean              keep_results);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_get_abort_on_drop  (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_abort_on_drop  (TaskerGroup          *self,
                                                  gboolean              abort_on_drop);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_get_stop_on_error  (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_stop_on_error  (TaskerGroup          *self,
                                                  gboolean              stop_on_error);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_get_stop_with_parent (TaskerGroup        *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_get_ordered_shutdown (TaskerGroup        *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_set_ordered_shutdown (TaskerGroup        *self,
                                                  gboolean              ordered_shutdown);

/* Adding tasks */
TASKER_AVAILABLE_IN_1_0
void             tasker_group_spawn              (TaskerGroup          *self,
                                                  const char           *name,
                                                  TaskerFunc            func,
                                                  gpointer              user_data,
                                                  GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_spawn_local        (TaskerGroup          *self,
                                                  const char           *name,
                                                  TaskerStepFunc        func,
                                                  gpointer              user_data,
                                                  GDestroyNotify        user_data_free);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_add                (TaskerGroup          *self,
                                                  TaskerTask           *task);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_try_add            (TaskerGroup          *self,
                                                  TaskerTask           *task,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_add_wait           (TaskerGroup          *self,
                                                  TaskerTask           *task,
                                                  GCancellable         *cancellable,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_add_wait_async     (TaskerGroup          *self,
                                                  TaskerTask           *task,
                                                  GCancellable         *cancellable,
                                                  GAsyncReadyCallback   callback,
                                                  gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_add_wait_finish    (TaskerGroup          *self,
                                                  GAsyncResult         *result,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_run_in_thread      (TaskerGroup          *self,
                                                  GTask                *task,
                                                  GTaskThreadFunc       func);

/* Stopping */
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_stop               (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_abort              (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_is_stopped         (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
TaskerStopper   *tasker_group_create_stopper     (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
TaskerSignaller *tasker_group_create_signaller   (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_stop_on_signal     (TaskerGroup          *self,
                                                  int                   signum,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_bind_application   (TaskerGroup          *self,
                                                  GApplication         *application,
                                                  guint                 grace_ms);

/* Joining */
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_join               (TaskerGroup          *self,
                                                  GCancellable         *cancellable,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_join_async         (TaskerGroup          *self,
                                                  GCancellable         *cancellable,
                                                  GAsyncReadyCallback   callback,
                                                  gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_join_finish        (TaskerGroup          *self,
                                                  GAsyncResult         *result,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
GPtrArray       *tasker_group_collect            (TaskerGroup          *self,
                                                  GCancellable         *cancellable,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_collect_async      (TaskerGroup          *self,
                                                  GCancellable         *cancellable,
                                                  GAsyncReadyCallback   callback,
                                                  gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
GPtrArray       *tasker_group_collect_finish     (TaskerGroup          *self,
                                                  GAsyncResult         *result,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_poll_join          (TaskerGroup          *self,
                                                  guint                *n_joined,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
GPtrArray       *tasker_group_poll_collect       (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
TaskerJoinStream *tasker_group_join_stream       (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_shutdown           (TaskerGroup          *self,
                                                  guint                 grace_ms,
                                                  GCancellable         *cancellable,
                                                  GError              **error);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_shutdown_async     (TaskerGroup          *self,
                                                  guint                 grace_ms,
                                                  GCancellable         *cancellable,
                                                  GAsyncReadyCallback   callback,
                                                  gpointer              user_data);
TASKER_AVAILABLE_IN_1_0
gboolean         tasker_group_shutdown_finish    (TaskerGroup          *self,
                                                  GAsyncResult         *result,
                                                  GError              **error);

/* Watching */
TASKER_AVAILABLE_IN_1_0
guint            tasker_group_get_n_tasks        (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
void             tasker_group_get_counts         (TaskerGroup          *self,
                                                  guint64              *n_spawned,
                                                  guint64              *n_live,
                                                  guint64              *n_succeeded,
                                                  guint64              *n_failed,
                                                  guint64              *n_stopped,
                                                  guint64              *n_aborted);
TASKER_AVAILABLE_IN_1_0
double           tasker_group_get_progress       (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
GListModel      *tasker_group_get_tasks          (TaskerGroup          *self);
TASKER_AVAILABLE_IN_1_0
char            *tasker_group_dump               (TaskerGroup          *self);

G_END_DECLS
