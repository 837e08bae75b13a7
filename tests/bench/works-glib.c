/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same works as GLib alone does them, for comparison. */

#include "bench.h"

#define N_POOL_THREADS 2

static void
pool_no_op (gpointer data,
            gpointer user_data)
{
}

static void
pool (guint    n,
      GString *figures)
{
  GThreadPool *threads = g_thread_pool_new (pool_no_op, NULL, N_POOL_THREADS, FALSE, NULL);
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    g_thread_pool_push (threads, GUINT_TO_POINTER (i + 1), NULL);
  g_thread_pool_free (threads, FALSE, TRUE);

  bench_per_piece (figures, bench_now () - start, n);
}

/* From the first that @start gets until the callbacks of all have been called. With
 * one @cancellable they can be stopped together, as what a group has can. */
static void
time_gtasks (guint         n,
             GString      *figures,
             GCancellable *cancellable,
             void        (*start) (GTask *task))
{
  guint n_returned = 0;
  gint64 begin = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GTask) task = bench_gtask_new (&n_returned, cancellable);

      start (task);
    }
  bench_gtasks_wait (&n_returned, n);

  bench_per_piece (figures, bench_now () - begin, n);
}

static void
run_gtask (GTask *task)
{
  g_task_run_in_thread (task, bench_gtask_in_thread);
}

static void
gtasks (guint    n,
        GString *figures)
{
  time_gtasks (n, figures, NULL, run_gtask);
}

static void
stoppable_gtasks (guint    n,
                  GString *figures)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  time_gtasks (n, figures, cancellable, run_gtask);
}

static void
return_gtask (GTask *task)
{
  g_task_return_boolean (task, TRUE);
}

/* Each has its result at once, and its callback is called in an idle. */
static void
gtask_returns (guint    n,
               GString *figures)
{
  time_gtasks (n, figures, NULL, return_gtask);
}

/* Every other task is urgent, and all of them are queued before any is done. */
static void
time_priorities (guint         n,
                 GString      *figures,
                 GCancellable *cancellable)
{
  BenchGate gate = { 0, };
  guint n_returned = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GTask) task = bench_gtask_new (&n_returned, cancellable);

      g_task_set_task_data (task, &gate, NULL);
      g_task_set_priority (task, i % 2 == 0 ? G_PRIORITY_LOW : G_PRIORITY_DEFAULT);
      g_task_run_in_thread (task, bench_gtask_in_thread);
    }
  bench_gate_open (&gate);
  bench_gtasks_wait (&n_returned, n);

  bench_per_piece (figures, bench_now () - start, n);
  bench_gate_clear (&gate);
}

static void
gtasks_priorities (guint    n,
                   GString *figures)
{
  time_priorities (n, figures, NULL);
}

static void
stoppable_gtasks_priorities (guint    n,
                             GString *figures)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  time_priorities (n, figures, cancellable);
}

/* Threads that sleep on one condition and, woken, each hand themselves back
 * to the one that waits for all of them. */
typedef struct
{
  GMutex   lock;
  GCond    stopped_changed;
  GCond    all_back;
  gboolean stopped;
  guint    n_asleep;
  guint    n_left;
} Sleepers;

static void
sleeper_func (gpointer data,
              gpointer user_data)
{
  Sleepers *sleepers = user_data;
  gint64 until = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&sleepers->lock);
  sleepers->n_asleep++;
  while (!sleepers->stopped)
    {
      if (!g_cond_wait_until (&sleepers->stopped_changed, &sleepers->lock, until))
        break;
    }
  if (--sleepers->n_left == 0)
    g_cond_signal (&sleepers->all_back);
  g_mutex_unlock (&sleepers->lock);
}

static void
sleepers_wait_asleep (Sleepers *sleepers,
                      guint     n)
{
  gboolean all_asleep;

  do
    {
      g_usleep (1000);
      g_mutex_lock (&sleepers->lock);
      all_asleep = sleepers->n_asleep == n;
      g_mutex_unlock (&sleepers->lock);
    }
  while (!all_asleep);
}

static void
stop (guint    n,
      GString *figures)
{
  Sleepers sleepers = { .n_left = n };
  GThreadPool *threads = g_thread_pool_new (sleeper_func, &sleepers, (int) n, FALSE, NULL);
  gint64 start;

  for (guint i = 0; i < n; i++)
    g_thread_pool_push (threads, &sleepers, NULL);
  sleepers_wait_asleep (&sleepers, n);
  g_usleep (50 * 1000);

  start = bench_now ();
  g_mutex_lock (&sleepers.lock);
  sleepers.stopped = TRUE;
  g_cond_broadcast (&sleepers.stopped_changed);
  while (sleepers.n_left > 0)
    g_cond_wait (&sleepers.all_back, &sleepers.lock);
  g_mutex_unlock (&sleepers.lock);

  bench_figure (figures, "ns", (double) (bench_now () - start));
  g_thread_pool_free (threads, FALSE, TRUE);
  g_mutex_clear (&sleepers.lock);
  g_cond_clear (&sleepers.stopped_changed);
  g_cond_clear (&sleepers.all_back);
}

const BenchWork works_glib[] = {
  { "glib-pool", pool, 1 },
  { "glib-gtasks", gtasks, 1 },
  { "glib-gtasks-priorities", gtasks_priorities, 0.1 },
  { "glib-gtasks-stoppable", stoppable_gtasks, 0.1 },
  { "glib-gtasks-priorities-stoppable", stoppable_gtasks_priorities, 0.1 },
  { "glib-gtask-returns", gtask_returns, 1 },
  { "glib-stop", stop, 1 },
  { NULL, },
};
