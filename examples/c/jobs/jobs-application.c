/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The application: it has the group that all jobs are in, and the actions that
 * start and stop them.
 *
 * The group is bound to the application. So, however that ends - by Ctrl+Q, by
 * the last window, by SIGTERM - the jobs are stopped and waited for before the
 * process ends, and for no longer than the grace. */

#include "jobs-application.h"

#include <signal.h>

#include <glib/gi18n.h>
#include <tasker.h>

#include "jobs-command.h"
#include "jobs-heartbeat.h"
#include "jobs-journal.h"
#include "jobs-stubborn.h"
#include "jobs-thumbnails.h"
#include "jobs-window.h"

#define DEFAULT_GRACE_S 10

struct _JobsApplication
{
  AdwApplication    parent_instance;

  TaskerGroup      *group;
  GListModel       *tasks;
  TaskerJoinStream *results;

  /* Cancelled when not even what is at hand is to be completed */
  GCancellable     *give_up;

  /* Of the command line */
  int               grace_s;
  char             *journal_path; /* nullable */

  JobsJournal      *journal; /* nullable */
};

G_DEFINE_FINAL_TYPE (JobsApplication, jobs_application, ADW_TYPE_APPLICATION)

/* Starting jobs */

static void
make_thumbnails_cb (GSimpleAction *action,
                    GVariant      *uri,
                    gpointer       user_data)
{
  JobsApplication *self = user_data;
  g_autoptr (GFile) folder = g_file_new_for_commandline_arg (g_variant_get_string (uri, NULL));

  jobs_make_thumbnails (self->group, folder, self->give_up);
}

static void
run_command_cb (GSimpleAction *action,
                GVariant      *command,
                gpointer       user_data)
{
  JobsApplication *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!jobs_run_command (self->group, g_variant_get_string (command, NULL), &error))
    {
      GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

      if (window != NULL)
        jobs_window_tell (JOBS_WINDOW (window), error->message);
      else
        g_message ("%s", error->message);
    }
}

static void
start_heartbeat_cb (GSimpleAction *action,
                    GVariant      *parameter,
                    gpointer       user_data)
{
  JobsApplication *self = user_data;

  jobs_start_heartbeat (self->group);
}

static void
start_stubborn_cb (GSimpleAction *action,
                   GVariant      *parameter,
                   gpointer       user_data)
{
  JobsApplication *self = user_data;

  jobs_start_stubborn (self->group);
}

/* Stopping them */

/* The group itself goes on: it will have other tasks. */
static void
stop_all_cb (GSimpleAction *action,
             GVariant      *parameter,
             gpointer       user_data)
{
  JobsApplication *self = user_data;
  guint n_tasks = g_list_model_get_n_items (self->tasks);

  for (guint i = 0; i < n_tasks; i++)
    {
      g_autoptr (TaskerTask) task = g_list_model_get_item (self->tasks, i);

      g_cancellable_cancel (G_CANCELLABLE (task));
    }
}

static void
give_up_cb (GSimpleAction *action,
            GVariant      *parameter,
            gpointer       user_data)
{
  JobsApplication *self = user_data;

  /* In this order, so that the tasks end as aborted, not as stopped */
  tasker_group_abort (self->group);
  g_cancellable_cancel (self->give_up);
}

static void
quit_cb (GSimpleAction *action,
         GVariant      *parameter,
         gpointer       user_data)
{
  g_application_quit (user_data);
}

static void
about_cb (GSimpleAction *action,
          GVariant      *parameter,
          gpointer       user_data)
{
  adw_show_about_window (gtk_application_get_active_window (user_data),
                         "application-name", _("Jobs"),
                         "application-icon", "emblem-system",
                         "developer-name", _("The libtasker developers"),
                         "version", VERSION,
                         "license-type", GTK_LICENSE_LGPL_2_1,
                         "comments", _("Shows what libtasker does in an application."),
                         NULL);
}

static const GActionEntry start_actions[] =
{
  { "make-thumbnails", make_thumbnails_cb, "s" },
  { "run-command", run_command_cb, "s" },
  { "start-heartbeat", start_heartbeat_cb },
  { "start-stubborn", start_stubborn_cb },
};

static const GActionEntry other_actions[] =
{
  { "stop-all", stop_all_cb },
  { "give-up", give_up_cb },
  { "quit", quit_cb },
  { "about", about_cb },
};

static void
set_accels (JobsApplication *self)
{
  static const struct
  {
    const char *action;
    const char *accels[2];
  } accels[] =
  {
    { "win.choose-folder", { "<Control>t" } },
    { "win.ask-command", { "<Control>r" } },
    { "app.start-heartbeat", { "<Control>b" } },
    { "app.start-stubborn", { "<Control>d" } },
    { "app.stop-all", { "<Control>period" } },
    { "window.close", { "<Control>w" } },
    { "app.quit", { "<Control>q" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (accels); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), accels[i].action, accels[i].accels);
}

/* Ending */

/* Connected before the group is bound, so it runs before the jobs are waited
 * for: the window can say so meanwhile. */
static void
shutdown_cb (JobsApplication *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (start_actions); i++)
    {
      GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), start_actions[i].name);

      g_simple_action_set_enabled (G_SIMPLE_ACTION (action), FALSE);
    }

  for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l != NULL; l = l->next)
    {
      if (JOBS_IS_WINDOW (l->data))
        jobs_window_begin_finishing (l->data, (guint) self->grace_s);
    }
}

/* After the jobs have been waited for. */
static void
jobs_application_shutdown (GApplication *application)
{
  JobsApplication *self = JOBS_APPLICATION (application);
  GList *windows;

  if (self->journal != NULL)
    jobs_journal_close (self->journal);

  while ((windows = gtk_application_get_windows (GTK_APPLICATION (self))) != NULL)
    gtk_window_destroy (windows->data);

  G_APPLICATION_CLASS (jobs_application_parent_class)->shutdown (application);
}

/* Beginning */

static void
stop_on_signal (JobsApplication *self,
                int              signum)
{
  g_autoptr (GError) error = NULL;

  if (!tasker_group_stop_on_signal (self->group, signum, &error))
    g_warning ("%s", error->message);
}

/* A signal stops the group, and as that is bound, the application quits. */
static void
bind_group (JobsApplication *self)
{
  g_signal_connect (self, "shutdown", G_CALLBACK (shutdown_cb), NULL);
  tasker_group_bind_application (self->group, G_APPLICATION (self), (guint) self->grace_s * 1000);

  stop_on_signal (self, SIGINT);
  stop_on_signal (self, SIGTERM);
}

static void
jobs_application_startup (GApplication *application)
{
  JobsApplication *self = JOBS_APPLICATION (application);
  GActionMap *map = G_ACTION_MAP (self);

  G_APPLICATION_CLASS (jobs_application_parent_class)->startup (application);

  g_action_map_add_action_entries (map, start_actions, G_N_ELEMENTS (start_actions), self);
  g_action_map_add_action_entries (map, other_actions, G_N_ELEMENTS (other_actions), self);
  set_accels (self);

  bind_group (self);
}

/* Shows the window. That is right while the application ends, too: it begins
 * nothing. */
static void
jobs_application_activate (GApplication *application)
{
  JobsApplication *self = JOBS_APPLICATION (application);
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  if (window == NULL)
    window = GTK_WINDOW (jobs_window_new (self, self->tasks, self->results));

  gtk_window_present (window);
}

/* What the command line says; in the process that was started, and before
 * anything else. Returns: -1 to go on. */
static int
jobs_application_handle_local_options (GApplication *application,
                                       GVariantDict *options)
{
  JobsApplication *self = JOBS_APPLICATION (application);
  g_autoptr (GError) error = NULL;

  if (self->grace_s < 0)
    {
      g_printerr ("%s\n", _("The grace cannot be negative."));
      return EXIT_FAILURE;
    }

  if (self->journal_path != NULL)
    {
      self->journal = jobs_journal_new (self->results, self->journal_path, &error);
      if (self->journal == NULL)
        {
          g_printerr ("%s\n", error->message);
          return EXIT_FAILURE;
        }
    }

  return -1;
}

static void
jobs_application_dispose (GObject *object)
{
  JobsApplication *self = JOBS_APPLICATION (object);

  g_clear_object (&self->journal);
  g_clear_object (&self->results);
  g_clear_object (&self->tasks);
  g_clear_object (&self->give_up);
  g_clear_object (&self->group);

  G_OBJECT_CLASS (jobs_application_parent_class)->dispose (object);
}

static void
jobs_application_finalize (GObject *object)
{
  g_free (JOBS_APPLICATION (object)->journal_path);

  G_OBJECT_CLASS (jobs_application_parent_class)->finalize (object);
}

static void
jobs_application_class_init (JobsApplicationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  object_class->dispose = jobs_application_dispose;
  object_class->finalize = jobs_application_finalize;

  application_class->handle_local_options = jobs_application_handle_local_options;
  application_class->startup = jobs_application_startup;
  application_class->activate = jobs_application_activate;
  application_class->shutdown = jobs_application_shutdown;
}

static void
jobs_application_init (JobsApplication *self)
{
  const GOptionEntry entries[] = {
    { "grace", 'g', 0, G_OPTION_ARG_INT, &self->grace_s,
      N_("How long jobs have to end when the application quits (default: 10)"), N_("SECONDS") },
    { "journal", 'j', 0, G_OPTION_ARG_FILENAME, &self->journal_path,
      N_("Append a line to this file for each job that has ended"), N_("FILE") },
    { NULL }
  };
  g_autoptr (TaskerGroup) handle = NULL;

  g_application_add_main_option_entries (G_APPLICATION (self), entries);

  self->grace_s = DEFAULT_GRACE_S;
  self->give_up = g_cancellable_new ();
  self->group = tasker_group_new ("jobs");
  self->tasks = tasker_group_get_tasks (self->group);

  /* A stream finishes the handle that it is made of: it is about what comes out
   * of the group, not about what goes in. So it gets a handle of its own. */
  handle = tasker_group_clone (self->group);
  self->results = tasker_group_join_stream (handle);
}

JobsApplication *
jobs_application_new (void)
{
  return g_object_new (JOBS_TYPE_APPLICATION,
                       "application-id", "org.libtasker.Jobs",
                       "resource-base-path", "/org/libtasker/Jobs",
                       NULL);
}
