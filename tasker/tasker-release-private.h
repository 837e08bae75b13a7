/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/*
 * TaskerRelease:
 * @context: the home context; %NULL until the task is added
 * @state: how the task ends when its data is released; that is known before
 * @error: (nullable): that of a task that failed
 * @held: whether the task keeps a place until then
 *
 * For a task of worker threads whose data is released in its home context.
 * There is one for each task that was set so.
 */
typedef struct
{
  GMainContext    *context;
  TaskerTaskState  state;
  GError          *error;
  gboolean         held;
} TaskerRelease;

TaskerRelease *tasker_release_new    (void);
void           tasker_release_free   (TaskerRelease   *self);

/* What the job is released by, or %NULL if that is done where it ends. */
TaskerRelease *tasker_release_of_job (TaskerJob       *job);

/* With the core's lock held: a job that is in no list waits for its release. */
void           tasker_release_queue  (TaskerRelease   *self,
                                      TaskerCore      *core,
                                      TaskerJob       *job,
                                      TaskerTaskState  state,
                                      GError          *error);

G_END_DECLS
