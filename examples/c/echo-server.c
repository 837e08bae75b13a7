/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sends back each line that it is sent, to any number of clients at once.
 *
 * One task accepts connections, and each connection is a task. All of them run
 * on the main loop with asynchronous I/O, so none needs a thread. The group
 * does not keep their results: a server that ran for years would never stop
 * growing.
 *
 * Ctrl+C stops the group: no more connections are accepted, each of those there
 * are completes the line that it is echoing, and closes. A second Ctrl+C, or a
 * client that does not take its echo for a while, ends it all the same. Either
 * way all tasks are joined before the program ends. Only a third one ends the
 * program as it is. */

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <glib/gi18n.h>
#include <tasker.h>

#include "echo-connection.h"
#include "echo-listener.h"
#include "init-locale.h"
#include "signal-listener.h"

/* How long clients have, from the stop on, to take what is theirs */
#define GRACE_MS 2000

typedef struct
{
  GMainLoop      *loop;
  Service         service;

  TaskerGroup    *group;
  SignalListener *signals;
  guint           grace_id;
} Server;

/* Stopping */

static gboolean
grace_over_cb (gpointer user_data)
{
  Server *self = user_data;

  self->grace_id = 0;
  g_cancellable_cancel (self->service.give_up);

  return G_SOURCE_REMOVE;
}

/* The first signal has stopped the group. */
static void
stopped_cb (gpointer user_data)
{
  Server *self = user_data;

  self->grace_id = g_timeout_add (GRACE_MS, grace_over_cb, self);
  g_printerr ("%s\n", _("Stopping when the lines at hand are echoed. Ctrl+C gives them up."));
}

/* The second one has aborted it. */
static void
aborted_cb (gpointer user_data)
{
  Server *self = user_data;

  /* Only after the abort, so that the tasks end as aborted, not as stopped */
  g_cancellable_cancel (self->service.give_up);
}

/* Running */

/* Returns: a socket that listens, for this machine only; %NULL on failure */
static GSocketListener *
listen_on (guint16   port,
           GError  **error)
{
  g_autoptr (GSocketListener) socket = g_socket_listener_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, port);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autofree char *name = NULL;

  g_socket_listener_set_backlog (socket, SOMAXCONN);
  if (!g_socket_listener_add_address (socket, address, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &bound, error))
    return NULL;

  name = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (bound));
  g_print (_("Listening on %s\n"), name);

  return g_steal_pointer (&socket);
}

static void
joined_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Server *self = user_data;

  /* It fails if a connection has, but that was told when it happened. */
  tasker_group_join_finish (TASKER_GROUP (source), result, NULL);
  g_main_loop_quit (self->loop);
}

static gboolean
serve (Server   *self,
       guint16   port,
       GError  **error)
{
  g_autoptr (GSocketListener) socket = listen_on (port, error);

  if (socket == NULL)
    return FALSE;

  add_listener (self->group, &self->service, socket);
  tasker_group_join_async (self->group, NULL, joined_cb, self);
  g_main_loop_run (self->loop);

  /* An abort ends tasks at once, and GIO calls back a little later. */
  while (self->service.n_under_way > 0)
    g_main_context_iteration (NULL, TRUE);

  return TRUE;
}

static gboolean
run (Server   *self,
     guint16   port,
     GError  **error)
{
  TaskerGroup *groups[] = { self->group, NULL };
  gboolean served;

  /* Whoever reads that we listen can stop us at once. */
  self->signals = signal_listener_new (groups, stopped_cb, aborted_cb, self, error);
  served = self->signals != NULL && serve (self, port, error);
  g_clear_pointer (&self->signals, signal_listener_free);

  return served;
}

static void
server_init (Server *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->service.give_up = g_cancellable_new ();
  self->group = tasker_group_new ("echo-server");
  tasker_group_set_keep_results (self->group, FALSE);
}

static void
server_clear (Server *self)
{
  g_clear_handle_id (&self->grace_id, g_source_remove);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_object (&self->service.give_up);
  g_clear_object (&self->group);
}

/* Returns: the exit status */
static int
report (const Service *service)
{
  g_print (ngettext ("%lu connection served\n", "%lu connections served\n",
                     service->n_connections), service->n_connections);
  g_print (ngettext ("%lu line echoed\n", "%lu lines echoed\n", service->n_lines), service->n_lines);
  g_print (ngettext ("%lu byte echoed\n", "%lu bytes echoed\n", service->n_bytes), service->n_bytes);
  if (service->n_failed > 0)
    g_print (ngettext ("%lu connection failed\n", "%lu connections failed\n",
                       service->n_failed), service->n_failed);
  if (service->n_given_up > 0)
    g_print (ngettext ("%lu connection closed within a line\n", "%lu connections closed within a line\n",
                       service->n_given_up), service->n_given_up);

  return service->n_given_up > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static gboolean
parse_options (int       *argc,
               char    ***argv,
               guint16   *port,
               GError   **error)
{
  int number = 0;
  const GOptionEntry entries[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &number,
      N_("The port to listen on; 0, the default, is any that is free"), N_("PORT") },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context,
                                N_("Sends back each line that it is sent, until Ctrl+C."));
  g_option_context_set_description (context,
                                    N_("The exit status is 0 if all echoes were completed, 1 if not."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);

  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (*argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _("Unexpected argument: %s"), (*argv)[1]);
      return FALSE;
    }

  if (number < 0 || number > G_MAXUINT16)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           _("A port is a number from 0 to 65535."));
      return FALSE;
    }

  *port = (guint16) number;

  return TRUE;
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr (GError) error = NULL;
  Server self = { 0 };
  guint16 port = 0;
  int status = EXIT_FAILURE;

  init_locale ();

  /* That nobody reads our output is no reason to leave clients alone. */
  signal (SIGPIPE, SIG_IGN);

  server_init (&self);

  if (parse_options (&argc, &argv, &port, &error) && run (&self, port, &error))
    status = report (&self.service);
  else
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);

  server_clear (&self);

  return status;
}
