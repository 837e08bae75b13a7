/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Binds a group to an application: however that ends, its `shutdown` shuts the
 * group down, and a signal that stops the group ends the application.
 *
 * The binding belongs to the application. It holds the core of the group and no
 * handle, so it keeps no results, and the group can be dropped. */

#include "tasker-application-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-error.h"
#include "tasker-shutdown-private.h"
#include "tasker-signal-private.h"

typedef struct
{
  TaskerCore *core;
  guint       grace_ms;
  GSource    *listener; /* is ready when a signal has stopped the group */
} Binding;

static GQuark over_quark;

/* GApplication does not tell whether it was shut down, so that is noted for each
 * of them. */
static gboolean
on_any_shutdown (GSignalInvocationHint *hint,
                 guint                  n_values,
                 const GValue          *values,
                 gpointer               user_data)
{
  g_object_set_qdata (g_value_get_object (&values[0]), over_quark, GINT_TO_POINTER (TRUE));

  return TRUE;
}

/* Once, when the first group is made. */
void
tasker_application_init (void)
{
  /* Its signals are there from then on. */
  g_type_class_ref (G_TYPE_APPLICATION);

  over_quark = g_quark_from_static_string ("tasker-application-over");
  g_signal_add_emission_hook (g_signal_lookup ("shutdown", G_TYPE_APPLICATION), 0,
                              on_any_shutdown, NULL, NULL);
}

gboolean
tasker_application_is_over (GApplication *application)
{
  return g_object_get_qdata (G_OBJECT (application), over_quark) != NULL;
}

/* Signals */

static gboolean
dispatch_listener (GSource     *source,
                   GSourceFunc  func,
                   gpointer     user_data)
{
  g_source_set_ready_time (source, -1);

  return func (user_data);
}

static GSourceFuncs listener_funcs = { .dispatch = dispatch_listener };

static gboolean
on_signal (gpointer application)
{
  g_application_quit (application);

  return G_SOURCE_CONTINUE;
}

static GSource *
make_listener (GApplication *application)
{
  GSource *listener = g_source_new (&listener_funcs, sizeof (GSource));

  g_source_set_static_name (listener, "[tasker] signal");
  g_source_set_callback (listener, on_signal, application, NULL);
  g_source_attach (listener, NULL);

  return listener;
}

/* Not before: an application that is told to quit cannot be run any more. */
static void
on_startup (GApplication *application,
            gpointer      binding)
{
  Binding *self = binding;

  tasker_signal_listen (self->core, self->listener);
}

/* The end */

static void
on_shut_down (GObject      *source,
              GAsyncResult *result,
              gpointer      location)
{
  *(GAsyncResult **) location = g_object_ref (result);
}

static GError *
take_failure (TaskerCore *core)
{
  GError *failure;

  tasker_core_lock (core);
  failure = tasker_core_report (core);
  tasker_core_unlock (core);

  return failure;
}

static void
tell (Binding *self,
      GError  *error)
{
  const char *name = self->core->name != NULL ? self->core->name : "";

  if (g_error_matches (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT))
    g_warning (_("The application ends without group “%s”: %s"), name, error->message);
  else
    g_message ("%s", error->message);
}

/* The context is iterated whatever the group does in it: windows show how far it
 * is, and what tasks wait for may come in there, too. */
static void
on_shutdown (GApplication *application,
             gpointer      binding)
{
  Binding *self = binding;
  g_autoptr(GTask) task = NULL;
  g_autoptr(GTask) result = NULL;
  g_autoptr(GError) error = NULL;

  task = g_task_new (NULL, NULL, on_shut_down, &result);
  g_task_set_source_tag (task, tasker_application_bind);
  tasker_shutdown_wait_async (self->core, self->grace_ms, task);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);

  if (tasker_shutdown_wait_finish (result, &error))
    error = take_failure (self->core);
  if (error != NULL)
    tell (self, error);
}

static void
binding_free (gpointer  binding,
              GClosure *closure)
{
  Binding *self = binding;

  tasker_signal_listen (self->core, NULL);
  g_source_destroy (self->listener);
  g_source_unref (self->listener);
  tasker_core_unref (self->core);
  g_free (self);
}

void
tasker_application_bind (GApplication *application,
                         TaskerCore   *core,
                         guint         grace_ms)
{
  Binding *self = g_new (Binding, 1);

  self->core = tasker_core_ref (core);
  self->grace_ms = grace_ms;
  self->listener = make_listener (application);

  if (g_application_get_is_registered (application))
    on_startup (application, self);
  else
    g_signal_connect (application, "startup", G_CALLBACK (on_startup), self);
  g_signal_connect_data (application, "shutdown", G_CALLBACK (on_shutdown), self, binding_free, 0);
}
