/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes thumbnails of pictures, one task a picture.
 *
 * Two groups share the work. Tasks of the one read directories; for each
 * picture they find, they spawn a task in the other. Each of them holds a
 * clone of both groups, so when the pictures' group has been joined, the
 * directories have been read as well.
 *
 * Ctrl+C stops both groups: what has begun is completed, what has not does
 * not begin. A second Ctrl+C aborts them. Either way all tasks are joined
 * before the program ends, so no file is left half-written. Only a third one
 * ends the program as it is. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib/gi18n.h>
#include <tasker.h>

#include "init-locale.h"
#include "signal-listener.h"
#include "thumbnail.h"
#include "thumbnailer-options.h"
#include "thumbnailer-report.h"
#include "thumbnailer-tasks.h"

/* Ten times a second is as often as anybody can read. */
#define PROGRESS_INTERVAL_MS 100

typedef struct
{
  GMainLoop      *loop;
  Plan            plan;

  TaskerGroup    *directories;
  TaskerGroup    *pictures;
  SignalListener *signals;

  /* The progress line that the terminal shows */
  char           *line;

  /* What the join has brought: the pictures' tasks, or why it failed */
  GPtrArray      *results;
  GError         *error;
} Thumbnailer;

/* Progress */

static void
clear_progress (Thumbnailer *self)
{
  if (self->line != NULL)
    g_print ("\r\033[K");

  g_clear_pointer (&self->line, g_free);
}

static gboolean
show_progress_cb (gpointer user_data)
{
  Thumbnailer *self = user_data;
  g_autofree char *line = NULL;
  guint64 n_spawned, n_succeeded, n_failed;

  tasker_group_get_counts (self->pictures, &n_spawned, NULL, &n_succeeded, &n_failed, NULL, NULL);

  /* Translators: a progress line; keep it short. */
  line = g_strdup_printf (ngettext ("%u of %u picture", "%u of %u pictures", (gulong) n_spawned),
                          (guint) (n_succeeded + n_failed), (guint) n_spawned);

  if (g_strcmp0 (line, self->line) != 0)
    {
      clear_progress (self);
      g_print ("%s", line);
      self->line = g_steal_pointer (&line);
    }

  return G_SOURCE_CONTINUE;
}

/* Stopping */

/* The first signal has stopped the groups. */
static void
stopped_cb (gpointer user_data)
{
  Thumbnailer *self = user_data;

  clear_progress (self);
  g_printerr ("%s\n", _("Stopping when the pictures at hand are done. Ctrl+C gives them up."));
}

/* The second one has aborted them. */
static void
aborted_cb (gpointer user_data)
{
  Thumbnailer *self = user_data;

  /* Only after the abort, so that the tasks end as aborted, not as stopped */
  g_cancellable_cancel (self->plan.give_up);

  clear_progress (self);
  g_printerr ("%s\n", _("Giving up the pictures at hand."));
}

static gboolean
listen_to_signals (Thumbnailer  *self,
                   GError      **error)
{
  TaskerGroup *groups[] = { self->directories, self->pictures, NULL };

  self->signals = signal_listener_new (groups, stopped_cb, aborted_cb, self, error);

  return self->signals != NULL;
}

/* Running */

static void
add_argument (Thumbnailer *self,
              GFile       *file)
{
  if (g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, NULL) == G_FILE_TYPE_DIRECTORY)
    spawn_directory (self->directories, self->pictures, &self->plan, file);
  else
    spawn_picture (self->pictures, &self->plan, file);
}

/* Adds the places where the pictures are that came with the system. */
static gboolean
add_system_pictures (Thumbnailer  *self,
                     GError      **error)
{
  static const char * const places[] = { "backgrounds", "pixmaps", "icons" };
  const char * const *data_dirs = g_get_system_data_dirs ();
  gboolean found = FALSE;

  self->plan.recursive = TRUE;

  for (gsize i = 0; data_dirs[i] != NULL; i++)
    {
      for (gsize j = 0; j < G_N_ELEMENTS (places); j++)
        {
          g_autoptr (GFile) file = g_file_new_build_filename (data_dirs[i], places[j], NULL);

          if (!g_file_query_exists (file, NULL))
            continue;

          add_argument (self, file);
          found = TRUE;
        }
    }

  if (!found)
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                         _("The system has no pictures. Name a directory that has."));

  return found;
}

static gboolean
add_arguments (Thumbnailer  *self,
               char        **paths,
               GError      **error)
{
  if (paths == NULL)
    return add_system_pictures (self, error);

  for (gsize i = 0; paths[i] != NULL; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_commandline_arg (paths[i]);

      add_argument (self, file);
    }

  return TRUE;
}

static void
collected_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Thumbnailer *self = user_data;

  self->results = tasker_group_collect_finish (TASKER_GROUP (source), result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
run (Thumbnailer  *self,
     char        **paths,
     GError      **error)
{
  guint progress = 0;

  if (listen_to_signals (self, error) && add_arguments (self, paths, error))
    {
      if (isatty (STDOUT_FILENO))
        progress = g_timeout_add (PROGRESS_INTERVAL_MS, show_progress_cb, self);

      /* To collect is to join, and to get all the tasks. Meanwhile the main
       * loop is free for signals and the progress line. */
      tasker_group_collect_async (self->pictures, NULL, collected_cb, self);
      g_main_loop_run (self->loop);
    }

  g_clear_handle_id (&progress, g_source_remove);
  g_clear_pointer (&self->signals, signal_listener_free);
  clear_progress (self);

  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));

  return self->results != NULL;
}

static void
thumbnailer_init (Thumbnailer *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->plan.content_types = thumbnail_list_content_types ();
  self->plan.give_up = g_cancellable_new ();

  self->directories = tasker_group_new ("directories");
  self->pictures = tasker_group_new ("pictures");
}

static void
thumbnailer_clear (Thumbnailer *self)
{
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->plan.content_types, g_hash_table_unref);
  g_clear_object (&self->plan.root);
  g_clear_pointer (&self->plan.target, g_free);
  g_clear_object (&self->plan.give_up);
  g_clear_object (&self->directories);
  g_clear_object (&self->pictures);
  g_clear_pointer (&self->results, g_ptr_array_unref);
}

/* Each size has its directory below the root. */
static gboolean
prepare_target (Plan     *plan,
                Options  *options,
                GError  **error)
{
  g_autofree char *root = NULL;

  if (options->output != NULL)
    root = g_canonicalize_filename (options->output, NULL);
  else
    root = g_build_filename (g_get_user_cache_dir (), "thumbnails", NULL);

  plan->root = g_file_new_for_path (root);
  plan->target = g_build_filename (root, options->size_name, NULL);

  if (g_mkdir_with_parents (plan->target, 0700) != 0)
    {
      int saved_errno = errno;
      g_autofree char *name = g_filename_display_name (plan->target);

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved_errno),
                   "%s: %s", name, g_strerror (saved_errno));
      return FALSE;
    }

  return TRUE;
}

static gboolean
configure (Thumbnailer  *self,
           Options      *options,
           GError      **error)
{
  self->plan.size = options->size;
  self->plan.recursive = options->recursive;
  tasker_group_set_max_running (self->pictures, (guint) options->jobs);

  return prepare_target (&self->plan, options, error);
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr (GError) error = NULL;
  Thumbnailer self = { 0 };
  Options options = { 0 };
  int status = EXIT_FAILURE;

  init_locale ();

  /* That nobody reads our output is no reason to leave pictures undone. */
  signal (SIGPIPE, SIG_IGN);

  thumbnailer_init (&self);

  if (options_parse (&options, &argc, &argv, &error) &&
      configure (&self, &options, &error) &&
      run (&self, options.paths, &error))
    {
      /* This does not wait: while a directory was being read, its task held
       * the pictures' group open, and that has been joined. */
      g_autoptr (GPtrArray) directories = tasker_group_collect (self.directories, NULL, NULL);

      status = report (self.results, directories, tasker_group_is_stopped (self.pictures));
    }
  else
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
    }

  options_clear (&options);
  thumbnailer_clear (&self);

  return status;
}
