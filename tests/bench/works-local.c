/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The works of the benchmark that run on a main loop. Each checks that all its
 * tasks have ended as they should. */

/* For gettid() */
#define _GNU_SOURCE

#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <tasker.h>
#include <unistd.h>

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
on_cancelled (GCancellable *stopper,
              gpointer      user_data)
{
  tasker_task_complete_error (TASKER_TASK (stopper),
                              g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped"));
}

static gboolean
wait_for_stopper (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  guint *n_begun = user_data;

  (*n_begun)++;
  g_cancellable_connect (stopper, G_CALLBACK (on_cancelled), NULL, NULL);
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
  guint64 n_stopped = 0;

  tasker_group_stop (group);
  tasker_group_join (group, NULL, NULL);

  tasker_group_get_counts (group, NULL, NULL, NULL, NULL, &n_stopped, NULL);
  g_assert_cmpuint (n_stopped, ==, n);
}

static void
async_stop (guint    n,
            GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group ();
  gint64 start;

  add_waiting (group, wait_for_stopper, n);

  start = bench_now ();
  stop_and_join (group, n);
  bench_per_piece (figures, bench_now () - start, n);
}

/* An idle group */

static int n_polls; /* atomic */

static int
count_poll (GPollFD *fds,
            guint    n_fds,
            int      timeout)
{
  int result = g_poll (fds, n_fds, timeout);

  g_atomic_int_inc (&n_polls);
  return result;
}

/* How often a thread has gone to sleep. */
static guint64
count_sleeps_of (const char *thread)
{
  g_autofree char *path = g_build_filename ("/proc/self/task", thread, "status", NULL);
  g_autofree char *status = NULL;
  const char *line;
  guint64 n = 0;

  if (!g_file_get_contents (path, &status, NULL, NULL))
    return 0;

  line = strstr (status, "\nvoluntary_ctxt_switches:");
  g_assert_cmpint (sscanf (line, "%*s %" G_GUINT64_FORMAT, &n), ==, 1);
  return n;
}

/* How often all threads but this one have gone to sleep. */
static guint64
count_sleeps (void)
{
  g_autoptr (GDir) threads = g_dir_open ("/proc/self/task", 0, NULL);
  g_autofree char *own = g_strdup_printf ("%d", (int) gettid ());
  const char *thread;
  guint64 n = 0;

  while ((thread = g_dir_read_name (threads)) != NULL)
    n += g_str_equal (thread, own) ? 0 : count_sleeps_of (thread);

  return n;
}

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
  g_main_context_set_poll_func (context, count_poll);
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
  int n_polls_before;
  guint64 n_sleeps_before;

  do
    g_usleep (100 * 1000);
  while (!g_atomic_int_get (&idler.idle));

  n_polls_before = g_atomic_int_get (&n_polls);
  n_sleeps_before = count_sleeps ();
  g_usleep (n * 1000);
  bench_figure (figures, "polls", g_atomic_int_get (&n_polls) - n_polls_before);
  bench_figure (figures, "sleeps", (double) (count_sleeps () - n_sleeps_before));

  g_main_loop_quit (idler.loop);
  g_thread_join (thread);
  g_main_loop_unref (idler.loop);
}

const BenchWork works_local[] = {
  { "local", local, 1 },
  { "async-stop", async_stop, 1 },
  { "idle", idle, 0 },
  { NULL, },
};
