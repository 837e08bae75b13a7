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

/* Atomic: whether there are timers, and no thread was to be had for them. */
static int missing;

/* The context of the thread; it is there also while there is no thread. */
static GMainContext *
get_context (void)
{
  static GMainContext *context;

  if (g_once_init_enter (&context))
    g_once_init_leave (&context, g_main_context_new ());

  return context;
}

static void
start (void)
{
  static GMutex lock;
  static GThread *thread;

  g_mutex_lock (&lock);
  if (thread == NULL)
    thread = g_thread_try_new ("tasker-service", serve, get_context (), NULL);
  g_atomic_int_set (&missing, thread == NULL);
  g_mutex_unlock (&lock);
}

gboolean
tasker_service_is_missing (void)
{
  return g_atomic_int_get (&missing);
}

void
tasker_service_retry (void)
{
  if (tasker_service_is_missing ())
    start ();
}

static void
add_source (GSource        *source,
            GSourceFunc     func,
            gpointer        user_data,
            GDestroyNotify  user_data_free)
{
  g_source_set_static_name (source, "[tasker] service");
  g_source_set_callback (source, func, user_data, user_data_free);
  g_source_attach (source, get_context ());
  start ();
}

/*
 * tasker_service_add_timer:
 *
 * Has @func called on the service thread, every @interval_ms, until it returns
 * %G_SOURCE_REMOVE. It must not block, nor call code of the user.
 */
void
tasker_service_add_timer (guint          interval_ms,
                          GSourceFunc    func,
                          gpointer       user_data,
                          GDestroyNotify user_data_free)
{
  g_autoptr(GSource) source = g_timeout_source_new (interval_ms);

  add_source (source, func, user_data, user_data_free);
}

static gboolean
dispatch_alarm (GSource     *source,
                GSourceFunc  func,
                gpointer     user_data)
{
  return func (user_data);
}

static GSourceFuncs alarm_funcs = { .dispatch = dispatch_alarm };

/*
 * tasker_service_new_alarm:
 *
 * Has @func called on the service thread whenever the ready time of the source
 * has come, until it is destroyed; @func sets another time, or -1. It must not
 * block.
 *
 * Returns: (transfer full): the source, with no ready time
 */
GSource *
tasker_service_new_alarm (GSourceFunc    func,
                          gpointer       user_data,
                          GDestroyNotify user_data_free)
{
  GSource *source = g_source_new (&alarm_funcs, sizeof (GSource));

  add_source (source, func, user_data, user_data_free);

  return source;
}

#ifdef G_OS_UNIX

/* Has @func called whenever there is something to read; for good. */
void
tasker_service_add_fd (int               fd,
                       GUnixFDSourceFunc func)
{
  g_autoptr(GSource) source = g_unix_fd_source_new (fd, G_IO_IN);

  add_source (source, G_SOURCE_FUNC (func), NULL, NULL);
}

#endif
