/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The works of the benchmark that run on a main loop. Each checks that all its
 * tasks have ended as they should. */

#include "bench.h"

#include <tasker.h>

static TaskerGroup *
new_group (void)
{
  TaskerGroup *group = tasker_group_new (NULL);

  tasker_group_set_keep_results (group, FALSE);
  return group;
}

static gboolean
one_step (gpointer       user_data,
          GCancellable  *stopper,
          GError       **error)
{
  return G_SOURCE_REMOVE;
}

static void
local (guint    n,
       GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group ();
  g_autoptr (GError) error = NULL;
  guint64 n_succeeded = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    tasker_group_spawn_local (group, NULL, one_step, NULL, NULL);
  tasker_group_join (group, NULL, &error);

  bench_per_piece (figures, bench_now () - start, n);
  g_assert_no_error (error);
  tasker_group_get_counts (group, NULL, NULL, &n_succeeded, NULL, NULL, NULL);
  g_assert_cmpuint (n_succeeded, ==, n);
}

/* Tasks that wait for their stopper */

static void
on_stopped (GObject      *stopper,
            GAsyncResult *result,
            gpointer      user_data)
{
  tasker_stopper_wait_finish (TASKER_STOPPER (stopper), result);
  tasker_task_complete (TASKER_TASK (stopper));
}

static gboolean
wait_for_stopper (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  guint *n_begun = user_data;

  (*n_begun)++;
  tasker_stopper_wait_async (TASKER_STOPPER (stopper), on_stopped, NULL);
  return TRUE;
}

/* Returns when all of them have begun. */
static void
add_waiting (TaskerGroup *group,
             TaskerFunc   func,
             guint        n)
{
  guint n_begun = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, func, &n_begun, NULL);

      tasker_group_add (group, task);
    }
  while (n_begun < n)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

static void
stop_and_join (TaskerGroup *group,
               guint        n)
{
  guint64 n_succeeded = 0;

  tasker_group_stop (group);
  tasker_group_join (group, NULL, NULL);

  tasker_group_get_counts (group, NULL, NULL, &n_succeeded, NULL, NULL, NULL);
  g_assert_cmpuint (n_succeeded, ==, n);
}

static void
time_async_stop (TaskerGroup *group,
                 guint        n,
                 GString     *figures)
{
  gint64 start;

  add_waiting (group, wait_for_stopper, n);

  start = bench_now ();
  stop_and_join (group, n);
  bench_per_piece (figures, bench_now () - start, n);
}

/* A group as it is made, which keeps the results. */
static void
async_stop (guint    n,
            GString *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);

  time_async_stop (group, n, figures);
}

static void
async_stop_dropped (guint    n,
                    GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group ();

  time_async_stop (group, n, figures);
}

/* An idle group */

typedef struct
{
  guint      n;
  GMainLoop *loop;
  int        idle; /* atomic */
} Idler;

static gboolean
on_idle (gpointer user_data)
{
  Idler *idler = user_data;

  g_atomic_int_set (&idler->idle, TRUE);
  return G_SOURCE_REMOVE;
}

static gpointer
idler_thread (gpointer data)
{
  Idler *idler = data;
  GMainContext *context = g_main_loop_get_context (idler->loop);
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_main_context_push_thread_default (context);
  bench_count_polls (context);
  g_source_set_callback (source, on_idle, idler, NULL);
  g_source_set_priority (source, G_PRIORITY_LOW);
  group = new_group ();
  add_waiting (group, wait_for_stopper, idler->n);
  g_source_attach (source, context);
  g_main_loop_run (idler->loop);
  stop_and_join (group, idler->n);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* @n tasks wait for as many milliseconds. */
static void
idle (guint    n,
      GString *figures)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Idler idler = { .n = n, .loop = g_main_loop_new (context, FALSE) };
  GThread *thread = g_thread_new ("idler", idler_thread, &idler);

  do
    g_usleep (100 * 1000);
  while (!g_atomic_int_get (&idler.idle));

  bench_wake_ups (figures, n);

  g_main_loop_quit (idler.loop);
  g_thread_join (thread);
  g_main_loop_unref (idler.loop);
}

const BenchWork works_local[] = {
  { "local", local, 1 },
  { "async-stop", async_stop, 1 },
  { "async-stop-dropped", async_stop_dropped, 1 },
  { "idle", idle, 0 },
  { NULL, },
};
