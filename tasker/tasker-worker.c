/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is to be done in a worker thread when it has no more tasks. */

#include "tasker-worker-private.h"

#include "tasker-current-private.h"

typedef struct
{
  TaskerWorkerFunc func;
  gpointer         user_data;
} TaskerAtIdle;

static GPrivate at_idle = G_PRIVATE_INIT (g_free);

static gboolean
is_worker (void)
{
  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    if (l->runner != NULL)
      return TRUE;

  return FALSE;
}

/**
 * tasker_worker_at_idle:
 * @func: (scope async) (closure user_data): the function to call
 * @user_data: data for @func
 *
 * Has a function called in this worker thread when it goes idle, once.
 *
 * It is for those who keep something for a thread from one task to the next,
 * such as the binding of a language that has to attach to each thread, and want
 * to let go of it before the thread sleeps or ends. There is one such function
 * for each thread; the next one replaces it.
 *
 * Returns: %FALSE if this is not a worker thread, and @func will not be called
 *
 * Since: 1.0
 */
gboolean
tasker_worker_at_idle (TaskerWorkerFunc func,
                       gpointer         user_data)
{
  TaskerAtIdle *self;

  g_return_val_if_fail (func != NULL, FALSE);

  if (!is_worker ())
    return FALSE;

  self = g_new (TaskerAtIdle, 1);
  self->func = func;
  self->user_data = user_data;
  g_private_replace (&at_idle, self);

  return TRUE;
}

/* The calling worker thread has no more tasks of the group that it was in. */
void
tasker_worker_idle (void)
{
  TaskerAtIdle *self = g_private_get (&at_idle);
  TaskerAtIdle what;

  if (self == NULL)
    return;

  what = *self;
  g_private_replace (&at_idle, NULL);
  what.func (what.user_data);
}
