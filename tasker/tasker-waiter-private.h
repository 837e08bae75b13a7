/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* Whether what is waited for is there, or, with @error set, will never be.
 * Called with the core's lock held, and not again once it has said yes; so it
 * can take what was waited for. */
typedef gboolean (*TaskerReadyFunc) (TaskerCore  *core,
                                     gpointer     data,
                                     GError     **error);

/*
 * TaskerWait:
 * @task: the task whose end is waited for, or %NULL for something of the group
 * @for_all: whether it is the end of the group that is waited for
 * @for_any: whether it is the end of any task that is waited for
 * @for_room: whether it is room for a task that is waited for
 * @settled: called, with the core's lock held, when it is decided how the wait ends;
 *   or %NULL
 * @undo: called, no lock held, before a wait on a main loop returns an error
 *
 * What to wait for.
 */
typedef struct
{
  TaskerCore      *core;
  TaskerTask      *task;
  gboolean         for_all;
  gboolean         for_any;
  gboolean         for_room;
  TaskerReadyFunc  ready;
  gpointer         data;
  void           (*settled) (gpointer data);
  void           (*undo) (gpointer data);
} TaskerWait;

gboolean tasker_waiter_can_wait   (const TaskerWait  *wait,
                                   GError           **error);
gboolean tasker_waiter_wait       (const TaskerWait  *wait,
                                   GCancellable      *cancellable,
                                   GError           **error);
void     tasker_waiter_wait_async (const TaskerWait  *wait,
                                   GTask             *result);
gboolean tasker_waiter_sleep      (TaskerCore        *core,
                                   GCancellable      *stopper,
                                   gint64             end);

/* The context that a wait in this thread may iterate, or %NULL; and whether what
 * belongs to a context can be done here and now. */
GMainContext *tasker_waiter_get_own_context (void);
gboolean      tasker_waiter_is_at_home      (GMainContext *context);

/* With the core's lock held. */
void     tasker_waiter_settle     (TaskerCore        *core,
                                   GQueue            *waiters);
void     tasker_waiter_nudge      (TaskerCore        *core);
void     tasker_waiter_warn       (TaskerCore        *core);

G_END_DECLS
