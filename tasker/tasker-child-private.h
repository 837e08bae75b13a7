/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/*
 * TaskerChildJob:
 *
 * What a child group is in its parent: one task, which runs from the beginning
 * and ends when the child is joined, or has nothing left to do in a shutdown. It
 * takes no place.
 *
 * Parent and child hold each other until nothing can come to the child any more.
 */
struct _TaskerChildJob
{
  TaskerJob   job;
  TaskerCore *core;  /* the child's, until it has ended */
};

gboolean        tasker_job_is_child   (TaskerJob      *job);

/* Makes a new core a child. FALSE if the parent takes no more tasks. */
gboolean        tasker_child_attach   (TaskerCore     *self,
                                       TaskerCore     *parent,
                                       gboolean        stop_with_parent);

/* What a child is in its parent now, to be noted in its todo: it may have ended,
 * or something may have come to it. With its lock held. */
void            tasker_child_settle   (TaskerCore     *self,
                                       gboolean        over);

/* Makes a child to which something has come a task of its parent again; and that
 * of its own, if need be. */
void            tasker_child_return   (TaskerCore     *self);

/* The children of a core that hear it rise to @level, each with a reference. */
void            tasker_child_collect  (TaskerCore     *parent,
                                       TaskerLevel     level,
                                       GQueue         *children);

/* How far the child is that is a task of @parent; of one that has ended, whether
 * it has succeeded. */
double          tasker_child_get_progress (TaskerJob   *job,
                                           TaskerCore  *parent);

/* What is in use by a child is in use by its ancestors. With the lock of the
 * child held. */
void            tasker_child_use_context (TaskerCore   *self,
                                          GMainContext *context,
                                          int           change);

G_END_DECLS
