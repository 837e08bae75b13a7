/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Has SIGINT and SIGTERM stop groups, and hears of that in the main context.
 *
 * Groups need nobody for that: the first signal stops them, the second one
 * aborts them, the third one ends the program as it is. Who has something to
 * say or to do then has a group of his own that is stopped with the others, and
 * in it a task that does nothing but hear. */

#include "signal-listener.h"

#include <signal.h>

struct _SignalListener
{
  TaskerGroup        *group;
  TaskerTask         *task;
  GSource            *stop_source; /* destroyed when the stop has been told */
  gboolean            over;

  SignalListenerFunc  stopped;
  SignalListenerFunc  aborted;
  gpointer            user_data;
};

static void
tell_stop (SignalListener *self)
{
  if (g_source_is_destroyed (self->stop_source))
    return;

  g_source_destroy (self->stop_source);
  self->stopped (self->user_data);
}

/* The first signal has stopped the groups. */
static gboolean
stopped_cb (GCancellable *task,
            gpointer      user_data)
{
  tell_stop (user_data);

  return G_SOURCE_REMOVE;
}

/* The second one has aborted them, and so ended the task; or it is over, and
 * nobody listens any more. */
static void
ended_cb (gpointer user_data)
{
  SignalListener *self = user_data;

  if (self->over)
    return;

  /* When two signals come in quick succession */
  tell_stop (self);
  self->aborted (self->user_data);
}

static gboolean
stop_on_signals (TaskerGroup  *group,
                 GError      **error)
{
  return tasker_group_stop_on_signal (group, SIGINT, error) &&
         tasker_group_stop_on_signal (group, SIGTERM, error);
}

/* The listener comes last: what it tells is true of the other groups. */
static gboolean
watch_signals (SignalListener       *self,
               TaskerGroup * const  *groups,
               GError              **error)
{
  for (gsize i = 0; groups[i] != NULL; i++)
    {
      if (!stop_on_signals (groups[i], error))
        return FALSE;
    }

  return stop_on_signals (self->group, error);
}

/*
 * signal_listener_new:
 * @groups: (array zero-terminated=1): what signals are to stop, and to abort
 * @stopped: called in the main context when a signal has stopped them
 * @aborted: called there, after that, when another one has aborted them
 *
 * Returns: (nullable): what listens until it is freed; %NULL with @error set if
 *   signals cannot be watched
 */
SignalListener *
signal_listener_new (TaskerGroup * const  *groups,
                     SignalListenerFunc    stopped,
                     SignalListenerFunc    aborted,
                     gpointer              user_data,
                     GError              **error)
{
  SignalListener *self = g_new0 (SignalListener, 1);

  self->stopped = stopped;
  self->aborted = aborted;
  self->user_data = user_data;

  /* A task that has no function: it lasts until it is completed, or aborted,
   * even if a signal comes before the main loop has begun it. */
  self->group = tasker_group_new ("listeners");
  self->task = tasker_task_new_async ("listener", NULL, self, ended_cb);
  tasker_task_set_run_always (self->task, TRUE);
  tasker_group_add (self->group, self->task);

  self->stop_source = g_cancellable_source_new (G_CANCELLABLE (self->task));
  g_source_set_callback (self->stop_source, G_SOURCE_FUNC (stopped_cb), self, NULL);
  g_source_attach (self->stop_source, NULL);

  if (!watch_signals (self, groups, error))
    g_clear_pointer (&self, signal_listener_free);

  return self;
}

/*
 * signal_listener_free:
 *
 * Ends listening. A stop that the main context has not come to is told; there
 * is nothing left that an abort could give up.
 */
void
signal_listener_free (SignalListener *self)
{
  self->over = TRUE;
  tasker_task_complete (self->task);
  tasker_group_join (self->group, NULL, NULL);

  /* The groups may have been faster than the main context. */
  if (tasker_group_is_stopped (self->group))
    tell_stop (self);

  g_source_destroy (self->stop_source);
  g_source_unref (self->stop_source);
  g_object_unref (self->task);
  g_object_unref (self->group);
  g_free (self);
}
