/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long one task waits for its thread, and its joiner for it. Samples of
 * Tasker and of plain GLib alternate in one process, each after a pause that
 * is long enough for all threads to have gone to sleep. */

#include "bench.h"

#include <stdlib.h>
#include <tasker.h>

#define PAUSE_US 2000

/* What a worker tells the thread that measures. */
typedef struct
{
  GMutex lock;
  GCond  changed;
  gint64 when;
  int    done;
} Mark;

static void
mark (Mark *self)
{
  self->when = bench_now ();
  g_atomic_int_set (&self->done, TRUE);
}

static int
compare_samples (gconstpointer a,
                 gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
report (GString    *figures,
        const char *prefix,
        gint64     *samples,
        guint       n)
{
  g_autofree char *median_key = g_strconcat (prefix, "median", NULL);
  g_autofree char *p99_key = g_strconcat (prefix, "p99", NULL);

  qsort (samples, n, sizeof *samples, compare_samples);
  bench_figure (figures, median_key, (double) samples[n / 2]);
  bench_figure (figures, p99_key, (double) samples[(guint64) n * 99 / 100]);
}

/* From spawn to begun */

static gboolean
begun (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  mark (user_data);
  return TRUE;
}

static void
pool_begun (gpointer data,
            gpointer user_data)
{
  mark (data);
}

/* The measuring thread sleeps while the worker begins, so that neither side
 * gains from a caller that happens to spin. */
static gint64
when_begun (Mark *self)
{
  do
    g_usleep (PAUSE_US);
  while (!g_atomic_int_get (&self->done));

  return self->when;
}

static void
begin (guint    n,
       GString *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  GThreadPool *pool = g_thread_pool_new (pool_begun, NULL, 2, FALSE, NULL);
  g_autofree gint64 *ours = g_new (gint64, n);
  g_autofree gint64 *pools = g_new (gint64, n);

  tasker_group_set_keep_results (group, FALSE);
  for (guint i = 0; i < n; i++)
    {
      Mark task = { 0, };
      Mark job = { 0, };
      gint64 start = bench_now ();

      tasker_group_spawn (group, NULL, begun, &task, NULL);
      ours[i] = when_begun (&task) - start;

      start = bench_now ();
      g_thread_pool_push (pool, &job, NULL);
      pools[i] = when_begun (&job) - start;
    }

  tasker_group_join (group, NULL, NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  report (figures, "", ours, n);
  report (figures, "glib-", pools, n);
}

/* From the end of a task to its joiner being awake */

static gboolean
pause_and_end (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_usleep (PAUSE_US);
  mark (user_data);
  return TRUE;
}

static void
pool_pause_and_end (gpointer data,
                    gpointer user_data)
{
  Mark *self = data;

  g_usleep (PAUSE_US);
  self->when = bench_now ();
  g_mutex_lock (&self->lock);
  self->done = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gint64
join_sample (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  Mark task = { 0, };

  tasker_group_spawn (group, NULL, pause_and_end, &task, NULL);
  tasker_group_join (group, NULL, NULL);
  return bench_now () - task.when;
}

static gint64
cond_sample (GThreadPool *pool)
{
  Mark job = { 0, };
  gint64 elapsed;

  g_thread_pool_push (pool, &job, NULL);
  g_mutex_lock (&job.lock);
  while (!job.done)
    g_cond_wait (&job.changed, &job.lock);
  g_mutex_unlock (&job.lock);
  elapsed = bench_now () - job.when;

  g_mutex_clear (&job.lock);
  g_cond_clear (&job.changed);
  return elapsed;
}

static void
end (guint    n,
     GString *figures)
{
  GThreadPool *pool = g_thread_pool_new (pool_pause_and_end, NULL, 2, FALSE, NULL);
  g_autofree gint64 *ours = g_new (gint64, n);
  g_autofree gint64 *conds = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    {
      ours[i] = join_sample ();
      conds[i] = cond_sample (pool);
    }

  g_thread_pool_free (pool, FALSE, TRUE);
  report (figures, "", ours, n);
  report (figures, "glib-", conds, n);
}

const BenchWork works_latency[] = {
  { "begin", begin, 0.1 },
  { "end", end, 0.1 },
  { NULL, },
};
