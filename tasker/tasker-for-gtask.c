/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kind of task that stands for a GTask which is under way: it is completed
 * when that is. The GTask is not held, so that it is known when everybody else
 * has dropped it. */

#include "tasker-task-private.h"

static void
on_completed (GTask      *gtask,
              GParamSpec *pspec,
              gpointer    task)
{
  tasker_task_end_async (task, tasker_gtask_dup_error (gtask, task));
  g_signal_handlers_disconnect_by_func (gtask, on_completed, task);
}

/* The handler goes when it has done its work, or with the GTask. */
static void
on_gone (gpointer  task,
         GClosure *closure)
{
  tasker_task_end_async (task, tasker_gtask_error_new_lost ());
  g_object_unref (task);
}

void
tasker_task_await_gtask (TaskerTask *self,
                         GTask      *gtask)
{
  if (g_task_get_completed (gtask))
    tasker_task_end_async (self, tasker_gtask_dup_error (gtask, G_CANCELLABLE (self)));
  else
    g_signal_connect_data (gtask, "notify::completed", G_CALLBACK (on_completed),
                           g_object_ref (self), on_gone, G_CONNECT_DEFAULT);
}
