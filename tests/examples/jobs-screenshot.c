/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Draws the window of the example application into a file, when it shows what
 * screenshot-jobs.py has prepared. */

#include <stdlib.h>

#include <tasker.h>

#include "jobs-application.h"
#include "jobs-window.h"

/* How long the jobs have gone on when they are drawn */
#define DURATION_S 8

#define POLL_MS 50

/* Around the window, for its shadow */
#define MARGIN 24

typedef struct
{
  JobsApplication *application;
  const char      *output;
  char           **commands;
  TaskerTask      *first;    /* owned, %NULL before it is shown */
  gint64           earliest; /* monotonic time */
} Screenshot;

static GtkWidget *
find_window (Screenshot *self)
{
  return GTK_WIDGET (gtk_application_get_active_window (GTK_APPLICATION (self->application)));
}

/* Windows have round corners where a window manager can deal with them. There is
 * none here, and nobody will move this one. */
static void
show_as_managed (GtkWidget *window)
{
  gtk_widget_remove_css_class (window, "solid-csd");
  gtk_widget_add_css_class (window, "csd");
  gtk_window_set_default_size (GTK_WINDOW (window), 640, 720);
}

/* Returns: %FALSE if the window cannot be drawn right now, for something in it is
 * about to change */
static gboolean
draw (GtkWidget  *window,
      const char *path)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  int width = gdk_paintable_get_intrinsic_width (paintable);
  int height = gdk_paintable_get_intrinsic_height (paintable);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  const GskShadow shadow = { { 0, 0, 0, 0.4f }, 0, 4, MARGIN / 2 };
  const graphene_rect_t all = { { 0, 0 }, { (float) (width + 2 * MARGIN), (float) (height + 2 * MARGIN) } };
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;

  gtk_snapshot_push_shadow (snapshot, &shadow, 1);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (MARGIN, MARGIN));
  gdk_paintable_snapshot (paintable, snapshot, width, height);
  gtk_snapshot_pop (snapshot);

  node = gtk_snapshot_free_to_node (snapshot);
  if (node == NULL)
    return FALSE;

  texture = gsk_renderer_render_texture (gtk_native_get_renderer (GTK_NATIVE (window)), node, &all);
  if (!gdk_texture_save_to_png (texture, path))
    g_error ("%s could not be written", path);

  return TRUE;
}

static gboolean
poll_cb (gpointer user_data)
{
  Screenshot *self = user_data;
  g_autoptr (GListModel) tasks = NULL;

  g_object_get (find_window (self), "tasks", &tasks, NULL);
  if (self->first == NULL)
    self->first = g_list_model_get_item (tasks, 0);
  if (self->first == NULL || g_get_monotonic_time () < self->earliest)
    return G_SOURCE_CONTINUE;

  if (tasker_task_is_finished (self->first))
    g_error ("The first job ended within %d seconds: give it more to do", DURATION_S);
  if (!draw (find_window (self), self->output))
    return G_SOURCE_CONTINUE;

  tasker_task_abort (self->first);
  g_application_quit (G_APPLICATION (self->application));

  return G_SOURCE_REMOVE;
}

static void
activate_cb (Screenshot *self)
{
  GActionGroup *actions = G_ACTION_GROUP (self->application);

  g_object_set (gtk_settings_get_default (), "gtk-font-name", "Cantarell 11", NULL);
  show_as_managed (find_window (self));

  g_action_group_activate_action (actions, "make-thumbnails", g_variant_new_string (self->commands[0]));
  for (char **command = self->commands + 1; *command != NULL; command++)
    g_action_group_activate_action (actions, "run-command", g_variant_new_string (*command));
  g_action_group_activate_action (actions, "start-heartbeat", NULL);
  g_action_group_activate_action (actions, "start-stubborn", NULL);

  self->earliest = g_get_monotonic_time () + DURATION_S * G_USEC_PER_SEC;
  g_timeout_add (POLL_MS, poll_cb, self);
}

int
main (int   argc,
      char *argv[])
{
  Screenshot self = { jobs_application_new () };
  char *arguments[] = { argv[0], (char *) "--grace=0", NULL };
  int status;

  if (argc < 3)
    g_error ("Usage: %s OUTPUT FOLDER [COMMAND…]", argv[0]);

  self.output = argv[1];
  self.commands = argv + 2;
  g_application_set_flags (G_APPLICATION (self.application), G_APPLICATION_NON_UNIQUE);
  g_signal_connect_data (self.application, "activate", G_CALLBACK (activate_cb), &self, NULL,
                         G_CONNECT_AFTER | G_CONNECT_SWAPPED);

  status = g_application_run (G_APPLICATION (self.application), 2, arguments);
  g_clear_object (&self.first);

  return status;
}
