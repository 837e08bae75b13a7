/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The window: a list of the jobs that run, and one of those that have ended.
 * Both lists are models that the group keeps up to date. */

#include "jobs-window.h"

#include <glib/gi18n.h>

#include "jobs-finishing-bar.h"
#include "jobs-result-row.h"
#include "jobs-task-row.h"

#define EXAMPLE_COMMAND "sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo Line $i; sleep 2; done'"

struct _JobsWindow
{
  AdwApplicationWindow  parent_instance;

  GListModel           *tasks;
  TaskerJoinStream     *results;

  GtkFileChooserNative *chooser; /* %NULL while there is none */
  AdwToast             *toast;   /* that is to be seen; of the overlay */

  JobsFinishingBar     *finishing_bar;
  AdwToastOverlay      *toast_overlay;
  GtkStack             *stack;
  GtkStack             *tasks_stack;
  GtkListView          *results_view;
  GtkWidget            *results_box;
};

enum
{
  PROP_0,
  PROP_TASKS,
  PROP_RESULTS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobsWindow, jobs_window, ADW_TYPE_APPLICATION_WINDOW)

/* Actions */

static void
folder_chosen_cb (JobsWindow *self,
                  int         response)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) folder = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (self->chooser));
      g_autofree char *uri = g_file_get_uri (folder);

      gtk_widget_activate_action (GTK_WIDGET (self), "app.make-thumbnails", "s", uri);
    }

  g_clear_object (&self->chooser);
}

static void
choose_folder_cb (GSimpleAction *action,
                  GVariant      *parameter,
                  gpointer       user_data)
{
  JobsWindow *self = user_data;

  if (self->chooser != NULL)
    return;

  self->chooser = gtk_file_chooser_native_new (_("Make Thumbnails"), GTK_WINDOW (self),
                                               GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
                                               _("_Make"), NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (folder_chosen_cb), self, G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
command_given_cb (JobsWindow       *self,
                  const char       *response,
                  AdwMessageDialog *dialog)
{
  GtkWidget *entry = adw_message_dialog_get_extra_child (dialog);

  if (g_str_equal (response, "run"))
    gtk_widget_activate_action (GTK_WIDGET (self), "app.run-command", "s",
                                gtk_editable_get_text (GTK_EDITABLE (entry)));
}

static void
ask_command_cb (GSimpleAction *action,
                GVariant      *parameter,
                gpointer       user_data)
{
  JobsWindow *self = user_data;
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (self), _("Run a Command"),
                                              _("Its last line of output is shown while it runs."));
  GtkWidget *entry = gtk_entry_new ();

  gtk_editable_set_text (GTK_EDITABLE (entry), EXAMPLE_COMMAND);
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, _("Command"),
                                  -1);

  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog),
                                    "cancel", _("_Cancel"),
                                    "run", _("_Run"),
                                    NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "run", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "run");
  g_signal_connect_object (dialog, "response", G_CALLBACK (command_given_cb), self, G_CONNECT_SWAPPED);

  gtk_window_present (GTK_WINDOW (dialog));
}

/* To take what there is clears the list, for that shows what was not taken. */
static void
clear_results_cb (GSimpleAction *action,
                  GVariant      *parameter,
                  gpointer       user_data)
{
  JobsWindow *self = user_data;
  TaskerTask *task;

  while ((task = tasker_join_stream_try_next (self->results)) != NULL)
    g_object_unref (task);
}

static const GActionEntry actions[] =
{
  { "choose-folder", choose_folder_cb },
  { "ask-command", ask_command_cb },
  { "clear-results", clear_results_cb },
};

static void
set_action_enabled (JobsWindow *self,
                    const char *name,
                    gboolean    enabled)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), name);

  g_simple_action_set_enabled (G_SIMPLE_ACTION (action), enabled);
}

/* Telling */

static void
toast_dismissed_cb (JobsWindow *self)
{
  self->toast = NULL;
}

static char *
describe_end (TaskerTask *task)
{
  const char *name = tasker_task_get_name (task);

  switch (tasker_task_get_state (task))
    {
    case TASKER_TASK_STATE_SUCCEEDED:
      return g_strdup_printf (_("“%s” is done"), name);

    case TASKER_TASK_STATE_FAILED:
      return g_strdup_printf (_("“%s” has failed"), name);

    default:
      return g_strdup_printf (_("“%s” was stopped"), name);
    }
}

static void
tell_ends (JobsWindow *self,
           guint       position,
           guint       n_ends)
{
  g_autofree char *text = NULL;

  if (n_ends == 1)
    {
      g_autoptr (TaskerTask) task = g_list_model_get_item (G_LIST_MODEL (self->results), position);

      text = describe_end (task);
    }
  else
    {
      text = g_strdup_printf (ngettext ("%u job has ended", "%u jobs have ended", n_ends), n_ends);
    }

  jobs_window_tell (self, text);
}

/* Lists */

static void
update_stacks (JobsWindow *self)
{
  gboolean has_tasks = g_list_model_get_n_items (self->tasks) > 0;
  gboolean has_results = g_list_model_get_n_items (G_LIST_MODEL (self->results)) > 0;

  gtk_stack_set_visible_child_name (self->stack, has_tasks || has_results ? "jobs" : "empty");
  gtk_stack_set_visible_child_name (self->tasks_stack, has_tasks ? "some" : "none");
  gtk_widget_set_visible (self->results_box, has_results);
  set_action_enabled (self, "clear-results", has_results);
}

static void
results_changed_cb (JobsWindow *self,
                    guint       position,
                    guint       n_removed,
                    guint       n_added)
{
  update_stacks (self);

  if (n_added > 0)
    {
      tell_ends (self, position, n_added);
      gtk_widget_activate_action (GTK_WIDGET (self->results_view), "list.scroll-to-item", "u",
                                  position + n_added - 1);
    }
}

/* Ending */

/* With jobs running, to close the window is to quit; and it stays open until
 * they are done. */
static gboolean
jobs_window_close_request (GtkWindow *window)
{
  JobsWindow *self = JOBS_WINDOW (window);

  if (g_list_model_get_n_items (self->tasks) > 0)
    {
      gtk_widget_activate_action (GTK_WIDGET (self), "app.quit", NULL);
      return GDK_EVENT_STOP;
    }

  return GTK_WINDOW_CLASS (jobs_window_parent_class)->close_request (window);
}

static void
jobs_window_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  JobsWindow *self = JOBS_WINDOW (object);

  switch (prop_id)
    {
    case PROP_TASKS:
      g_value_set_object (value, self->tasks);
      break;

    case PROP_RESULTS:
      g_value_set_object (value, self->results);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_window_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  JobsWindow *self = JOBS_WINDOW (object);

  switch (prop_id)
    {
    case PROP_TASKS:
      self->tasks = g_value_dup_object (value);
      break;

    case PROP_RESULTS:
      self->results = g_value_dup_object (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
jobs_window_constructed (GObject *object)
{
  JobsWindow *self = JOBS_WINDOW (object);

  G_OBJECT_CLASS (jobs_window_parent_class)->constructed (object);

  g_signal_connect_object (self->tasks, "items-changed", G_CALLBACK (update_stacks), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->results, "items-changed", G_CALLBACK (results_changed_cb), self, G_CONNECT_SWAPPED);
  update_stacks (self);
}

static void
jobs_window_dispose (GObject *object)
{
  JobsWindow *self = JOBS_WINDOW (object);

  g_clear_object (&self->chooser);
  g_clear_object (&self->tasks);
  g_clear_object (&self->results);

  G_OBJECT_CLASS (jobs_window_parent_class)->dispose (object);
}

static void
jobs_window_class_init (JobsWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = jobs_window_get_property;
  object_class->set_property = jobs_window_set_property;
  object_class->constructed = jobs_window_constructed;
  object_class->dispose = jobs_window_dispose;

  GTK_WINDOW_CLASS (klass)->close_request = jobs_window_close_request;

  properties[PROP_TASKS] =
    g_param_spec_object ("tasks", NULL, NULL, G_TYPE_LIST_MODEL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  properties[PROP_RESULTS] =
    g_param_spec_object ("results", NULL, NULL, TASKER_TYPE_JOIN_STREAM,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  g_type_ensure (JOBS_TYPE_FINISHING_BAR);
  g_type_ensure (JOBS_TYPE_RESULT_ROW);
  g_type_ensure (JOBS_TYPE_TASK_ROW);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/libtasker/Jobs/jobs-window.ui");
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, finishing_bar);
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, toast_overlay);
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, tasks_stack);
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, results_view);
  gtk_widget_class_bind_template_child (widget_class, JobsWindow, results_box);
}

static void
jobs_window_init (JobsWindow *self)
{
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  gtk_widget_init_template (GTK_WIDGET (self));
}

JobsWindow *
jobs_window_new (JobsApplication  *application,
                 GListModel       *tasks,
                 TaskerJoinStream *results)
{
  return g_object_new (JOBS_TYPE_WINDOW,
                       "application", application,
                       "tasks", tasks,
                       "results", results,
                       NULL);
}

/* Shows @message for a while. Where there is a toast already, it takes its place:
 * where much happens, nobody wants to read of it in a queue. */
void
jobs_window_tell (JobsWindow *self,
                  const char *message)
{
  g_autofree char *title = NULL;

  g_return_if_fail (JOBS_IS_WINDOW (self));
  g_return_if_fail (message != NULL);

  title = g_markup_escape_text (message, -1);
  if (self->toast != NULL)
    {
      adw_toast_set_title (self->toast, title);
      return;
    }

  self->toast = adw_toast_new (title);
  g_signal_connect_object (self->toast, "dismissed", G_CALLBACK (toast_dismissed_cb), self, G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (self->toast_overlay, self->toast);
}

/* The application ends, and waits @grace_s seconds at most for what runs. */
void
jobs_window_begin_finishing (JobsWindow *self,
                             guint       grace_s)
{
  g_return_if_fail (JOBS_IS_WINDOW (self));

  set_action_enabled (self, "choose-folder", FALSE);
  set_action_enabled (self, "ask-command", FALSE);

  jobs_finishing_bar_begin (self->finishing_bar, self->tasks, grace_s);
}
