/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/*
 * TaskerTaskList:
 *
 * The live tasks of a group as a list model, in the order in which they were
 * added.
 *
 * It has a row for each, and makes a face only for a row that somebody gets. A
 * task that goes stays in it until its home context has told so; a row keeps its
 * job for that long.
 */
#define TASKER_TYPE_TASK_LIST (tasker_task_list_get_type ())

G_DECLARE_FINAL_TYPE (TaskerTaskList, tasker_task_list, TASKER, TASK_LIST, GObject)

/* The list of the thread-default main context, a new one if there is none. */
TaskerTaskList *tasker_task_list_get     (TaskerCore *core);

/* With the core's lock held: a job has come, or has ended. */
void            tasker_task_lists_add    (TaskerCore *core,
                                          TaskerJob  *job);
void            tasker_task_lists_remove (TaskerCore *core,
                                          TaskerJob  *job);

G_END_DECLS
