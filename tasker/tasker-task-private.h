/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"
#include "tasker-owner-private.h"
#include "tasker-release-private.h"
#include "tasker-task.h"

G_BEGIN_DECLS

/* The task that is to be the face of a record, which is full by that. */
TaskerTask *tasker_task_new_full     (TaskerJob  *job);
TaskerJob  *tasker_task_get_job      (TaskerTask *self);
TaskerCore *tasker_task_get_core     (TaskerTask *self);
/* %NULL if it has none. @key: (out) (optional): by which the owner knows it */
const TaskerOwner *tasker_task_get_owner (TaskerTask *self,
                                          gsize      *key);
/* Where the notes of a full task are; the job looks after them. */
TaskerNotes *tasker_task_get_notes_place (TaskerTask *self);
/* The name, where the job is inside of the task. */
const char *tasker_task_get_own_name (TaskerTask *self);

gboolean    tasker_task_is_new       (TaskerTask *self);
/* %NULL unless release-in-context is set. */
TaskerRelease *tasker_task_get_release (TaskerTask *self);

/* Gives a new task to a core, once. FALSE if it has been given to one. */
gboolean    tasker_task_enter        (TaskerTask *self,
                                      TaskerCore *core);
/* Undoes that, for a task that was not added in the end. */
void        tasker_task_leave        (TaskerTask *self);

/* Completes a task of the kinds that others complete: it has failed if there is
 * an @error, which is consumed. FALSE if that was done before. */
gboolean    tasker_task_end_async   (TaskerTask *self,
                                     GError     *error);
/* Has that done when the GTask is over. */
void        tasker_task_await_gtask (TaskerTask *self,
                                     GTask      *gtask);

/* The face of a job that the core has. */
TaskerTask *tasker_task_get_for_job  (TaskerJob  *job,
                                      TaskerCore *core);
/* What the core had of a job belongs to its face from here on, to which the
 * caller has a reference. */
void        tasker_task_disown_job   (TaskerJob  *job,
                                      TaskerCore *core);
/* Takes results out of the core, in two steps: with its lock held, and then
 * without. From then on the job belongs to its face. */
void        tasker_task_claim_job    (TaskerJob  *job);
TaskerTask *tasker_task_take_job     (TaskerJob  *job,
                                      TaskerCore *core);

/* Whether somebody listens to its properties; from then on it is told. */
gboolean    tasker_task_is_heard     (TaskerTask *self);
gboolean    tasker_task_ask_heard    (TaskerTask *self);
/* It was added, and its progress or message has changed. */
void        tasker_task_announce     (TaskerTask *self,
                                      guint       changed);

/* With the core's lock held. */
void        tasker_task_note         (TaskerTask *self,
                                      TaskerCore *core,
                                      guint       changed);
GQueue     *tasker_task_get_waiters  (TaskerTask *self);
void        tasker_task_wake_waiters (TaskerTask *self,
                                      TaskerCore *core);

G_END_DECLS
