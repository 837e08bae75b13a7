/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service thread: see the header. */

#include "tasker-service-private.h"

static gpointer
serve (gpointer context)
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (context, FALSE);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);

  return NULL;
}

/* The context of the thread, or %NULL while no thread is to be had. */
static GMainContext *
get_context (void)
{
  static GMutex lock;
  static GMainContext *context;

  g_mutex_lock (&lock);
  if (context == NULL)
    {
      g_autoptr(GMainContext) candidate = g_main_context_new ();
      GThread *thread = g_thread_try_new ("tasker-service", serve, candidate, NULL);

      if (thread != NULL)
        {
          /* Neither ever ends. */
          context = g_steal_pointer (&candidate);
          g_thread_unref (thread);
        }
    }
  g_mutex_unlock (&lock);

  return context;
}

/*
 * tasker_service_add_timer:
 *
 * Has @func called on the service thread, every @interval_ms, until it returns
 * %G_SOURCE_REMOVE. It must not block, nor call code of the user.
 *
 * Returns: %FALSE if there is no thread; @user_data is freed then
 */
gboolean
tasker_service_add_timer (guint          interval_ms,
                          GSourceFunc    func,
                          gpointer       user_data,
                          GDestroyNotify user_data_free)
{
  g_autoptr(GSource) source = g_timeout_source_new (interval_ms);
  GMainContext *context = get_context ();

  g_source_set_static_name (source, "[tasker] service");
  g_source_set_callback (source, func, user_data, user_data_free);
  if (context != NULL)
    g_source_attach (source, context);

  return context != NULL;
}
