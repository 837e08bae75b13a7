/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection of the echo server: a task without a thread of its own. It is a
 * chain of asynchronous operations, of which one is under way at any time:
 *
 *   read ──▶ write ──▶ read ──▶ … ──▶ close ──▶ the task is completed
 *
 * Reading obeys the task itself, which is a GCancellable, and so ends at the
 * stop. Writing does not: a line whose echo has begun gets all of it.
 *
 * An abort ends the task at once, while GIO has still to call back. So the task
 * is not the only owner of the connection: the chain holds a reference, too. */

#include "echo-connection.h"

#include <string.h>

#include <glib/gi18n.h>

/* A line that is longer is refused, so that nobody can fill our memory. */
#define MAX_LINE (16 * 1024)

typedef struct
{
  Service           *service;
  GSocketConnection *stream;
  TaskerTask        *task;      /* while the chain is going on */
  GError            *error;     /* why it ends, if something is wrong */
  gboolean           no_more;   /* the client has said its last */

  /* What was read and not echoed, and how much of it is being echoed */
  gsize              n_read;
  gsize              n_echoing;
  char               buffer[MAX_LINE];
} Connection;

static void connection_read (Connection *self);

static void
connection_clear (gpointer user_data)
{
  Connection *self = user_data;

  /* What is still open is closed by this. */
  g_clear_object (&self->stream);
  g_clear_error (&self->error);
}

static void
connection_unref (gpointer user_data)
{
  g_rc_box_release_full (user_data, connection_clear);
}

/* The end of the chain */

static void
report_failure (Connection *self)
{
  self->service->n_failed++;
  g_printerr ("%s: %s\n", tasker_task_get_name (self->task), self->error->message);
}

static void
closed_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Connection *self = user_data;

  /* What went wrong first is what counts. */
  g_io_stream_close_finish (G_IO_STREAM (source), result, self->error == NULL ? &self->error : NULL);

  if (self->error == NULL)
    {
      tasker_task_complete (self->task);
    }
  else
    {
      if (!g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        report_failure (self);

      /* Cancelled at the stop, it counts as stopped, not as failed. */
      tasker_task_complete_error (self->task, g_steal_pointer (&self->error));
    }

  self->service->n_under_way--;
  g_clear_object (&self->task);
  connection_unref (self);
}

static void
connection_close (Connection *self)
{
  /* If we close while there is something that we have not read, the client is
   * told that the connection was reset, and may lose what it has not read. So
   * at a stop the client closes first, unless it takes too long over it. */
  if (g_cancellable_is_cancelled (G_CANCELLABLE (self->task)))
    g_tcp_connection_set_graceful_disconnect (G_TCP_CONNECTION (self->stream), TRUE);

  g_io_stream_close_async (G_IO_STREAM (self->stream), G_PRIORITY_DEFAULT,
                           self->service->give_up, closed_cb, self);
}

/* Writing */

static void
count_echo (Connection *self)
{
  self->service->n_bytes += self->n_echoing;

  for (gsize i = 0; i < self->n_echoing; i++)
    self->service->n_lines += self->buffer[i] == '\n';
}

static void
written_cb (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  Connection *self = user_data;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &self->error))
    {
      self->service->n_given_up += g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      connection_close (self);
      return;
    }

  count_echo (self);
  self->n_read -= self->n_echoing;
  memmove (self->buffer, self->buffer + self->n_echoing, self->n_read);

  if (self->no_more)
    connection_close (self);
  else
    connection_read (self);
}

static void
connection_write (Connection *self,
                  gsize       length)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->stream));

  self->n_echoing = length;
  g_output_stream_write_all_async (output, self->buffer, length, G_PRIORITY_DEFAULT,
                                   self->service->give_up, written_cb, self);
}

/* Reading */

/* How much of what was read is whole lines; when no more comes, all of it is. */
static gsize
get_whole_length (Connection *self)
{
  gsize length = self->n_read;

  while (!self->no_more && length > 0 && self->buffer[length - 1] != '\n')
    length--;

  return length;
}

static void
read_cb (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Connection *self = user_data;
  gssize length = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &self->error);
  gsize n_whole;

  if (length < 0)
    {
      connection_close (self);
      return;
    }

  self->n_read += (gsize) length;
  self->no_more = length == 0;
  n_whole = get_whole_length (self);

  if (n_whole > 0)
    {
      connection_write (self, n_whole);
    }
  else if (self->no_more)
    {
      connection_close (self);
    }
  else if (self->n_read == MAX_LINE)
    {
      self->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                                         _("The line is too long"));
      connection_close (self);
    }
  else
    {
      connection_read (self);
    }
}

static void
connection_read (Connection *self)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->stream));

  g_input_stream_read_async (input, self->buffer + self->n_read, MAX_LINE - self->n_read,
                             G_PRIORITY_DEFAULT, G_CANCELLABLE (self->task), read_cb, self);
}

/* The task */

static gboolean
connection_start (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  Connection *self = user_data;

  /* The chain's references, on the task and on what it works with */
  self->task = g_object_ref (TASKER_TASK (stopper));
  self->service->n_under_way++;
  connection_read (g_rc_box_acquire (self));

  return TRUE;
}

/* Returns: whose connection it is, or %NULL if the client is gone already */
static char *
dup_client_name (GSocketConnection *stream)
{
  g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (stream, NULL);

  if (address == NULL)
    return NULL;

  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

void
add_connection (TaskerGroup       *group,
                Service           *service,
                GSocketConnection *stream)
{
  Connection *self = g_rc_box_new0 (Connection);
  g_autofree char *name = dup_client_name (stream);
  g_autoptr (TaskerTask) task = NULL;

  self->service = service;
  self->stream = g_object_ref (stream);
  service->n_connections++;

  task = tasker_task_new_async (name, connection_start, self, connection_unref);
  tasker_group_add (group, task);
}
