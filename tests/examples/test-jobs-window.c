/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The window of the example application: what it shows, and that rows and tasks
 * go when they are not shown any more. */

#include <string.h>

#include <tasker.h>

#include "jobs-application.h"
#include "jobs-finishing-bar.h"
#include "jobs-result-row.h"
#include "jobs-task-row.h"
#include "jobs-window.h"
#include "tasker-test.h"

/* Far more than can be seen at once */
#define N_MANY 1000

/* Widgets */

static void
collect (GtkWidget *widget,
         GType      type,
         GPtrArray *found)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (g_type_is_a (G_OBJECT_TYPE (widget), type))
    g_ptr_array_add (found, widget);

  for (GtkWidget *child = gtk_widget_get_first_child (widget);
       child != NULL;
       child = gtk_widget_get_next_sibling (child))
    collect (child, type, found);
}

/* All of a type that can be seen */
static GPtrArray *
find (JobsApplication *application,
      GType            type)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  GPtrArray *found = g_ptr_array_new ();

  collect (GTK_WIDGET (window), type, found);

  return found;
}

static guint
count (JobsApplication *application,
       GType            type)
{
  g_autoptr (GPtrArray) found = find (application, type);

  return found->len;
}

/* Whether a label is to be seen, below @widget, that has this in it */
static gboolean
says (GtkWidget  *widget,
      const char *text)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();

  collect (widget, GTK_TYPE_LABEL, labels);
  for (guint i = 0; i < labels->len; i++)
    {
      if (strstr (gtk_label_get_label (labels->pdata[i]), text) != NULL)
        return TRUE;
    }

  return FALSE;
}

static gboolean
any_says (JobsApplication *application,
          GType            type,
          const char      *text)
{
  g_autoptr (GPtrArray) found = find (application, type);

  for (guint i = 0; i < found->len; i++)
    {
      if (says (found->pdata[i], text))
        return TRUE;
    }

  return FALSE;
}

/* The application, with its window, and nobody to run it but the test */

static JobsApplication *
application_new (void)
{
  JobsApplication *application = jobs_application_new ();

  g_application_set_flags (G_APPLICATION (application), G_APPLICATION_NON_UNIQUE);

  return application;
}

static JobsApplication *
application_start (void)
{
  JobsApplication *application = application_new ();
  g_autoptr (GError) error = NULL;

  g_application_register (G_APPLICATION (application), NULL, &error);
  g_assert_no_error (error);
  g_application_activate (G_APPLICATION (application));

  return application;
}

static void
activate (JobsApplication *application,
          const char      *action,
          const char      *parameter)
{
  g_action_group_activate_action (G_ACTION_GROUP (application), action,
                                  parameter != NULL ? g_variant_new_string (parameter) : NULL);
}

static gboolean
quit_cb (gpointer application)
{
  g_application_quit (application);

  return G_SOURCE_REMOVE;
}

/* Only what has been run ends as it should. */
static void
application_free (JobsApplication *application)
{
  g_idle_add (quit_cb, application);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_finalize_object (application);
}

static GtkButton *
find_stop_button (GtkWidget *row)
{
  g_autoptr (GPtrArray) buttons = g_ptr_array_new ();

  collect (row, GTK_TYPE_BUTTON, buttons);
  g_assert_cmpuint (buttons->len, ==, 1);

  return buttons->pdata[0];
}

static void
clear_results (JobsApplication *application)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));

  gtk_widget_activate_action (GTK_WIDGET (window), "win.clear-results", NULL);
}

static void
test_empty (void)
{
  JobsApplication *application = application_start ();

  tasker_test_iterate_until (any_says (application, ADW_TYPE_STATUS_PAGE, "No Jobs"));
  g_assert_cmpuint (count (application, JOBS_TYPE_TASK_ROW), ==, 0);

  activate (application, "start-heartbeat", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 1);
  tasker_test_iterate_until (count (application, ADW_TYPE_STATUS_PAGE) == 0);

  activate (application, "stop-all", NULL);
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_RESULT_ROW, "Stopped"));
  g_assert_cmpuint (count (application, JOBS_TYPE_TASK_ROW), ==, 0);

  clear_results (application);
  tasker_test_iterate_until (any_says (application, ADW_TYPE_STATUS_PAGE, "No Jobs"));

  application_free (application);
}

static void
test_rows (void)
{
  JobsApplication *application = application_start ();

  activate (application, "start-heartbeat", NULL);
  activate (application, "run-command", "sh -c 'echo something; sleep 1000'");
  activate (application, "run-command", "sh -c 'exit 3'");

  tasker_test_iterate_until (any_says (application, JOBS_TYPE_TASK_ROW, "Heartbeat"));
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_TASK_ROW, "2 beats"));
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_TASK_ROW, "something"));
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_RESULT_ROW, "Failed"));
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_RESULT_ROW, "code 3"));
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 2);

  activate (application, "stop-all", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 0);
  tasker_test_iterate_until (count (application, JOBS_TYPE_RESULT_ROW) == 3);
  g_assert_true (any_says (application, JOBS_TYPE_RESULT_ROW, "something"));

  application_free (application);
}

static void
test_stop_button (void)
{
  JobsApplication *application = application_start ();
  g_autoptr (GPtrArray) rows = NULL;
  GtkButton *button;

  activate (application, "start-heartbeat", NULL);
  activate (application, "run-command", "sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'");
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_TASK_ROW, "ready"));
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 2);

  /* Stops this one alone. */
  rows = find (application, JOBS_TYPE_TASK_ROW);
  button = find_stop_button (rows->pdata[0]);
  g_assert_cmpstr (gtk_widget_get_tooltip_text (GTK_WIDGET (button)), ==, "Stop");
  g_signal_emit_by_name (button, "clicked");
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_RESULT_ROW, "Heartbeat"));
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 1);

  /* One that does not listen can be given up. */
  g_clear_pointer (&rows, g_ptr_array_unref);
  rows = find (application, JOBS_TYPE_TASK_ROW);
  button = find_stop_button (rows->pdata[0]);
  g_signal_emit_by_name (button, "clicked");
  g_assert_true (says (rows->pdata[0], "Stopping…"));
  g_assert_cmpstr (gtk_widget_get_tooltip_text (GTK_WIDGET (button)), ==, "Give Up");
  g_signal_emit_by_name (button, "clicked");
  tasker_test_iterate_until (any_says (application, JOBS_TYPE_RESULT_ROW, "Given up"));
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 0);

  application_free (application);
}

static void
weak_ref_free (gpointer ref)
{
  g_weak_ref_clear (ref);
  g_free (ref);
}

static void
watch_object (GPtrArray *watched,
              gpointer   object)
{
  GWeakRef *ref = g_new (GWeakRef, 1);

  g_weak_ref_init (ref, object);
  g_ptr_array_add (watched, ref);
}

/* Watches the rows that there are, and their tasks. */
static void
watch_rows (GPtrArray       *watched,
            JobsApplication *application,
            GType            type)
{
  g_autoptr (GPtrArray) rows = find (application, type);

  for (guint i = 0; i < rows->len; i++)
    {
      g_autoptr (TaskerTask) task = NULL;

      g_object_get (rows->pdata[i], "task", &task, NULL);
      watch_object (watched, rows->pdata[i]);
      watch_object (watched, task);
    }
}

static guint
count_alive (GPtrArray *watched)
{
  guint n = 0;

  for (guint i = 0; i < watched->len; i++)
    n += tasker_test_is_alive (watched->pdata[i]);

  return n;
}

static void
test_rows_go (void)
{
  JobsApplication *application = application_start ();
  g_autoptr (GPtrArray) watched = g_ptr_array_new_with_free_func (weak_ref_free);

  for (guint i = 0; i < 5; i++)
    activate (application, "start-heartbeat", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 5);
  watch_rows (watched, application, JOBS_TYPE_TASK_ROW);

  activate (application, "stop-all", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_RESULT_ROW) == 5);
  watch_rows (watched, application, JOBS_TYPE_RESULT_ROW);
  g_assert_cmpuint (count_alive (watched), >=, 15);

  clear_results (application);
  tasker_test_iterate_until (count_alive (watched) == 0);

  application_free (application);
}

/* However many jobs there are, there are rows only for what can be seen, and a
 * little more. */
static void
test_many (void)
{
  JobsApplication *application = application_start ();
  guint n_rows;

  for (guint i = 0; i < N_MANY; i++)
    activate (application, "start-heartbeat", NULL);
  tasker_test_iterate_until ((n_rows = count (application, JOBS_TYPE_TASK_ROW)) > 0);
  activate (application, "stop-all", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 0);

  g_assert_cmpuint (n_rows, <, N_MANY / 2);
  g_assert_cmpuint (count (application, JOBS_TYPE_RESULT_ROW), <, N_MANY / 2);

  application_free (application);
}

/* Every button tells what it does, to those who see and those who hear. */
static void
test_buttons (void)
{
  JobsApplication *application = application_start ();
  g_autoptr (GPtrArray) buttons = NULL;

  activate (application, "start-heartbeat", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 1);
  buttons = find (application, GTK_TYPE_BUTTON);
  /* Four to start, one to stop the job, one to stop all */
  g_assert_cmpuint (buttons->len, >=, 6);

  for (guint i = 0; i < buttons->len; i++)
    {
      /* Those that close windows and such are GTK's own. */
      if (gtk_widget_get_ancestor (buttons->pdata[i], GTK_TYPE_WINDOW_CONTROLS) != NULL ||
          gtk_widget_get_ancestor (buttons->pdata[i], GTK_TYPE_MENU_BUTTON) != NULL)
        continue;

      if (gtk_button_get_icon_name (buttons->pdata[i]) != NULL)
        g_assert_nonnull (gtk_widget_get_tooltip_text (buttons->pdata[i]));
      else
        g_assert_nonnull (gtk_button_get_label (buttons->pdata[i]));
    }

  activate (application, "stop-all", NULL);
  tasker_test_iterate_until (count (application, JOBS_TYPE_TASK_ROW) == 0);
  application_free (application);
}

/* What is seen, and told, while the application ends */

static guint n_warnings;

/* Counts the warnings of Tasker that the job goes on; all else is a mistake, as
 * ever. */
static GLogWriterOutput
count_warnings (GLogLevelFlags   level,
                const GLogField *fields,
                gsize            n_fields,
                gpointer         user_data)
{
  g_autofree char *text = g_log_writer_format_fields (level, fields, n_fields, FALSE);

  if (level != G_LOG_LEVEL_WARNING || strstr (text, "Tasker-WARNING") == NULL)
    return g_log_writer_default (level, fields, n_fields, user_data);

  g_assert_nonnull (strstr (text, "A job that won"));
  n_warnings++;

  return G_LOG_WRITER_HANDLED;
}

typedef struct
{
  JobsApplication *application;
  guint            n_closed;
  gboolean         told_two;
  gboolean         told_deadline;
  gboolean         told_one;
} Ending;

static gboolean
look_cb (gpointer user_data)
{
  Ending *self = user_data;
  g_autoptr (GPtrArray) bars = find (self->application, JOBS_TYPE_FINISHING_BAR);

  g_assert_cmpuint (bars->len, ==, 1);
  self->told_two |= says (bars->pdata[0], "Finishing 2 jobs…");
  self->told_one |= says (bars->pdata[0], "Finishing 1 job…");
  self->told_deadline |= says (bars->pdata[0], "What has not ended in 3 seconds");

  /* To close it once more changes nothing. */
  if (self->told_one && self->n_closed++ == 0)
    gtk_window_close (gtk_application_get_active_window (GTK_APPLICATION (self->application)));

  return G_SOURCE_CONTINUE;
}

static gboolean
close_cb (gpointer user_data)
{
  Ending *self = user_data;

  if (count (self->application, JOBS_TYPE_TASK_ROW) < 2)
    return G_SOURCE_CONTINUE;

  gtk_window_close (gtk_application_get_active_window (GTK_APPLICATION (self->application)));
  g_timeout_add (10, look_cb, self);

  return G_SOURCE_REMOVE;
}

static void
start_cb (Ending *self)
{
  activate (self->application, "start-stubborn", NULL);
  /* Ends, and takes a second to do so. */
  activate (self->application, "run-command", "sh -c 'trap \"sleep 1; exit\" TERM; while :; do sleep 0.1; done'");
  g_timeout_add (10, close_cb, self);
}

static void
test_finishing (void)
{
  char *argv[] = { (char *) "jobs", (char *) "--grace=3", NULL };
  Ending self = { application_new () };

  g_signal_connect_data (self.application, "activate", G_CALLBACK (start_cb), &self, NULL,
                         G_CONNECT_AFTER | G_CONNECT_SWAPPED);
  /* One halfway, one at the end */
  g_log_set_writer_func (count_warnings, NULL, NULL);
  g_test_expect_message ("Tasker", G_LOG_LEVEL_WARNING, "*A job that won*");
  g_assert_cmpint (g_application_run (G_APPLICATION (self.application), 2, argv), ==, 0);
  g_test_assert_expected_messages ();

  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_true (self.told_two);
  g_assert_true (self.told_deadline);
  g_assert_true (self.told_one);

  while (g_source_remove_by_user_data (&self));
  g_assert_finalize_object (self.application);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/jobs/empty", test_empty);
  tasker_test_add ("/jobs/rows", test_rows);
  tasker_test_add ("/jobs/stop-button", test_stop_button);
  tasker_test_add ("/jobs/rows-go", test_rows_go);
  tasker_test_add ("/jobs/many", test_many);
  tasker_test_add ("/jobs/buttons", test_buttons);
  /* Last: what does not die is there until the end. */
  tasker_test_add ("/jobs/finishing", test_finishing);

  return g_test_run ();
}
