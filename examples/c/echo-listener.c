/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The task that accepts the connections of the echo server, and adds a task for
 * each. It ends at the stop, and closes its socket.
 *
 * As in a connection, one operation after the other is under way, and holds a
 * reference until GIO has called back.
 *
 * GSocketService has no way to say that it could not accept a connection. When
 * too many files are open it logs a warning and tries again at once, and so for
 * as long as that lasts. This one pauses, so it uses GSocketListener itself. */

#include "echo-listener.h"

#include <glib/gi18n.h>

/* After a failure, for example because too many files are open, the next
 * attempt would fail as well, and so would all that follow at once. */
#define PAUSE_MS 100

typedef struct
{
  Service         *service;
  GSocketListener *socket;
  TaskerGroup     *group;   /* a handle of its own, to add connections */
  TaskerTask      *task;    /* while the chain is going on */
  gboolean         failing; /* since the last connection */
} Listener;

static void listener_accept (Listener *self);

static void
listener_clear (gpointer user_data)
{
  Listener *self = user_data;

  g_socket_listener_close (self->socket);
  g_clear_object (&self->socket);
}

/* The task has ended. From here on no more connections come; a join waits for
 * that as well. */
static void
listener_ended (gpointer user_data)
{
  Listener *self = user_data;

  g_clear_object (&self->group);
  g_rc_box_release_full (self, listener_clear);
}

static void
listener_stop (Listener *self)
{
  tasker_task_complete (self->task);
  g_clear_object (&self->task);
  self->service->n_under_way--;
  g_rc_box_release_full (self, listener_clear);
}

static void
paused_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Listener *self = user_data;

  if (tasker_stopper_sleep_finish (TASKER_STOPPER (source), result, NULL))
    listener_accept (self);
  else
    listener_stop (self);
}

static void
listener_pause (Listener *self,
                GError   *error)
{
  if (!self->failing)
    g_printerr (_("No connections can be accepted for now: %s\n"), error->message);

  self->failing = TRUE;
  tasker_stopper_sleep_async (TASKER_STOPPER (self->task), PAUSE_MS, paused_cb, self);
}

static void
accepted_cb (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  Listener *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) stream = NULL;

  stream = g_socket_listener_accept_finish (self->socket, result, NULL, &error);

  if (stream != NULL)
    {
      self->failing = FALSE;
      add_connection (self->group, self->service, stream);
      listener_accept (self);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      listener_stop (self);
    }
  else
    {
      listener_pause (self, error);
    }
}

static void
listener_accept (Listener *self)
{
  g_socket_listener_accept_async (self->socket, G_CANCELLABLE (self->task), accepted_cb, self);
}

static gboolean
listener_start (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  Listener *self = user_data;

  self->task = g_object_ref (TASKER_TASK (stopper));
  self->service->n_under_way++;
  listener_accept (g_rc_box_acquire (self));

  return TRUE;
}

void
add_listener (TaskerGroup     *group,
              Service         *service,
              GSocketListener *socket)
{
  Listener *self = g_rc_box_new0 (Listener);
  g_autoptr (TaskerTask) task = NULL;

  self->service = service;
  self->socket = g_object_ref (socket);
  self->group = tasker_group_clone (group);

  task = tasker_task_new_async ("listener", listener_start, self, listener_ended);
  tasker_group_add (group, task);
}
