/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined (TASKER_INSIDE) && !defined (TASKER_COMPILATION)
#error "Only <tasker.h> can be included directly."
#endif

#include <glib-object.h>

#include <tasker-version.h>

G_BEGIN_DECLS

/**
 * TASKER_ERROR:
 *
 * The error domain of Tasker. Its codes are [error@Tasker.Error].
 *
 * Since: 1.0
 */
#define TASKER_ERROR (tasker_error_quark ())

/**
 * TaskerError:
 * @TASKER_ERROR_STOPPED: the task was stopped, before it began or while it ran
 * @TASKER_ERROR_ABORTED: the task was aborted
 * @TASKER_ERROR_PANICKED: the function failed and gave no error
 * @TASKER_ERROR_TIMED_OUT: tasks were still running when the time was up
 * @TASKER_ERROR_FINISHED: the handle takes no more tasks
 * @TASKER_ERROR_FULL: the queue is at its bound
 * @TASKER_ERROR_DEADLOCK: the wait could never have ended
 * @TASKER_ERROR_NO_THREAD: the process cannot get a single thread
 *
 * What can go wrong with a task or a group, apart from a task's own error.
 *
 * How a task ended is told in this domain and never as
 * %G_IO_ERROR_CANCELLED. So, where a join fails with %G_IO_ERROR_CANCELLED,
 * it is the wait that was cancelled.
 *
 * Since: 1.0
 */
typedef enum
{
  TASKER_ERROR_STOPPED,
  TASKER_ERROR_ABORTED,
  TASKER_ERROR_PANICKED,
  TASKER_ERROR_TIMED_OUT,
  TASKER_ERROR_FINISHED,
  TASKER_ERROR_FULL,
  TASKER_ERROR_DEADLOCK,
  TASKER_ERROR_NO_THREAD,
} TaskerError;

TASKER_AVAILABLE_IN_1_0
GQuark tasker_error_quark (void);

G_END_DECLS
