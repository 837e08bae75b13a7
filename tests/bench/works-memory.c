/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory tasks take: what the allocator has handed out, its own
 * overhead included, before and after there are many of them. These works
 * have no warm-up, because it would leave memory behind to be used again. */

#include "bench.h"

#include <malloc.h>
#include <tasker.h>

static gboolean
no_op (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return TRUE;
}

static gboolean
pass_gate (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  bench_gate_pass (user_data);
  return TRUE;
}

static gsize
allocated (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static void
spawn_light (TaskerGroup *group)
{
  tasker_group_spawn (group, NULL, no_op, NULL, NULL);
}

static void
add_full (TaskerGroup *group)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, no_op, NULL, NULL);

  tasker_group_add (group, task);
}

static void
measure_queued (guint      n,
                void     (*add_one) (TaskerGroup *group),
                GString   *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  BenchGate gate = { 0, };
  gsize before;

  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, pass_gate, &gate, NULL);
  bench_gate_wait_arrived (&gate);

  before = allocated ();
  for (guint i = 0; i < n; i++)
    add_one (group);
  bench_figure (figures, "bytes", (double) (allocated () - before) / n);

  bench_gate_open (&gate);
  tasker_group_join (group, NULL, NULL);
  bench_gate_clear (&gate);
}

static void
memory_light (guint    n,
              GString *figures)
{
  measure_queued (n, spawn_light, figures);
}

static void
memory_full (guint    n,
             GString *figures)
{
  measure_queued (n, add_full, figures);
}

static void
spawn_and_keep (TaskerGroup *group,
                guint        n)
{
  for (guint i = 0; i < n; i++)
    spawn_light (group);
  while (tasker_group_get_n_tasks (group) > 0)
    g_usleep (1000);
}

/* What the second half of them adds: the first has the threads started. */
static void
memory_kept (guint    n,
             GString *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  gsize before;

  spawn_and_keep (group, n / 2);
  before = allocated ();
  spawn_and_keep (group, n / 2);
  bench_figure (figures, "bytes", (double) (allocated () - before) / (n / 2));

  tasker_group_join (group, NULL, NULL);
}

static gboolean
begin_to_wait (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  guint *n_begun = user_data;

  (*n_begun)++;
  return TRUE;
}

/* Adds tasks, and has them begun. */
static void
add_waiting (TaskerGroup *group,
             guint        n)
{
  guint n_begun = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, begin_to_wait, &n_begun, NULL);

      tasker_group_add (group, task);
    }
  while (n_begun < n)
    g_main_context_iteration (NULL, TRUE);
}

/* What the second half adds, as above. */
static void
memory_async (guint    n,
              GString *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  gsize before;

  add_waiting (group, n / 2);
  before = allocated ();
  add_waiting (group, n / 2);
  bench_figure (figures, "bytes", (double) (allocated () - before) / (n / 2));

  tasker_group_abort (group);
  tasker_group_join (group, NULL, NULL);
}

const BenchWork works_memory[] = {
  { "memory-light", memory_light, 0 },
  { "memory-kept", memory_kept, 0 },
  { "memory-full", memory_full, 0 },
  { "memory-async", memory_async, 0 },
  { NULL, },
};
