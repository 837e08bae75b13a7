/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The works of the benchmark that use Tasker. Each checks that all its tasks
 * have succeeded, so that a figure always stands for work done. */

#include "bench.h"

#include <tasker.h>

/* So much work goes into a figure for a short queue as for a long one. */
#define QUEUED_TOTAL 1000000

#define N_SPAWNERS 4

static gboolean
no_op (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return TRUE;
}

static TaskerGroup *
new_group (gboolean keep_results)
{
  TaskerGroup *group = tasker_group_new (NULL);

  tasker_group_set_keep_results (group, keep_results);
  return group;
}

static void
join_succeeded (TaskerGroup *group,
                guint        n)
{
  g_autoptr (GError) error = NULL;
  guint64 n_succeeded = 0;

  tasker_group_join (group, NULL, &error);
  g_assert_no_error (error);

  tasker_group_get_counts (group, NULL, NULL, &n_succeeded, NULL, NULL, NULL);
  g_assert_cmpuint (n_succeeded, ==, n);
}

static void
spawn_and_join (const char *name,
                guint       n,
                GString    *figures)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    tasker_group_spawn (group, name, no_op, NULL, NULL);
  join_succeeded (group, n);

  bench_per_piece (figures, bench_now () - start, n);
}

static void
light (guint    n,
       GString *figures)
{
  spawn_and_join (NULL, n, figures);
}

static void
light_named (guint    n,
             GString *figures)
{
  spawn_and_join ("resize", n, figures);
}

static void
light_kept (guint    n,
            GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (TRUE);
  g_autoptr (GError) error = NULL;
  guint n_joined = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    tasker_group_spawn (group, NULL, no_op, NULL, NULL);
  join_succeeded (group, n);
  tasker_group_poll_join (group, &n_joined, &error);

  bench_per_piece (figures, bench_now () - start, n);
  g_assert_no_error (error);
  g_assert_cmpuint (n_joined, ==, n);
}

typedef struct
{
  TaskerGroup *group;
  guint        n;
} Spawner;

static gpointer
spawner_thread (gpointer data)
{
  Spawner *spawner = data;

  for (guint i = 0; i < spawner->n; i++)
    tasker_group_spawn (spawner->group, NULL, no_op, NULL, NULL);
  tasker_group_finish (spawner->group);
  return NULL;
}

static void
light_spawners (guint    n,
                GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  Spawner spawners[N_SPAWNERS];
  GThread *threads[N_SPAWNERS];
  guint n_each = n / N_SPAWNERS;
  gint64 start = bench_now ();

  for (guint i = 0; i < N_SPAWNERS; i++)
    {
      spawners[i] = (Spawner) { tasker_group_clone (group), n_each };
      threads[i] = g_thread_new ("spawner", spawner_thread, &spawners[i]);
    }
  join_succeeded (group, n_each * N_SPAWNERS);

  bench_per_piece (figures, bench_now () - start, n_each * N_SPAWNERS);
  for (guint i = 0; i < N_SPAWNERS; i++)
    {
      g_thread_join (threads[i]);
      g_object_unref (spawners[i].group);
    }
}

static gboolean
set_value (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, GPOINTER_TO_UINT (user_data));
  tasker_task_set_value (TASKER_TASK (stopper), &value);
  return TRUE;
}

static void
full (guint    n,
      GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (TRUE);
  g_autoptr (GError) error = NULL;
  GPtrArray *tasks;
  guint64 sum = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, set_value, GUINT_TO_POINTER (i), NULL);

      tasker_group_add (group, task);
    }

  tasks = tasker_group_collect (group, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < tasks->len; i++)
    sum += g_value_get_uint (tasker_task_get_value (g_ptr_array_index (tasks, i)));
  g_ptr_array_unref (tasks);

  bench_per_piece (figures, bench_now () - start, n);
  g_assert_cmpuint (sum, ==, (guint64) n * (n - 1) / 2);
}

/* Every other task is urgent, and all are queued before any is done. */
static int
alternate_priority (guint i)
{
  return i % 2 == 0 ? G_PRIORITY_LOW : G_PRIORITY_DEFAULT;
}

static gboolean
pass_gate (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  bench_gate_pass (user_data);
  return TRUE;
}

static void
full_priorities (guint    n,
                 GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  BenchGate gate = { 0, };
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, pass_gate, &gate, NULL);

      tasker_task_set_priority (task, alternate_priority (i));
      tasker_group_add (group, task);
    }
  bench_gate_open (&gate);
  join_succeeded (group, n);

  bench_per_piece (figures, bench_now () - start, n);
  bench_gate_clear (&gate);
}

static void
time_gtasks (guint         n,
             GString      *figures,
             GCancellable *cancellable)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  guint n_returned = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GTask) task = bench_gtask_new (&n_returned, cancellable);

      tasker_group_run_in_thread (group, task, bench_gtask_in_thread);
    }
  bench_gtasks_wait (&n_returned, n);
  join_succeeded (group, n);

  bench_per_piece (figures, bench_now () - start, n);
}

static void
gtasks (guint    n,
        GString *figures)
{
  time_gtasks (n, figures, NULL);
}

static void
stoppable_gtasks (guint    n,
                  GString *figures)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  time_gtasks (n, figures, cancellable);
}

static void
gtasks_priorities (guint    n,
                   GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  BenchGate gate = { 0, };
  guint n_returned = 0;
  gint64 start = bench_now ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GTask) task = bench_gtask_new (&n_returned, NULL);

      g_task_set_task_data (task, &gate, NULL);
      g_task_set_priority (task, alternate_priority (i));
      tasker_group_run_in_thread (group, task, bench_gtask_in_thread);
    }
  bench_gate_open (&gate);
  bench_gtasks_wait (&n_returned, n);
  join_succeeded (group, n);

  bench_per_piece (figures, bench_now () - start, n);
  bench_gate_clear (&gate);
}

/* Keeps the only place of a group busy while a queue builds up behind it. */
typedef struct
{
  BenchGate gate;
  gint64    left; /* when the task in the gate ended */
} Doorkeeper;

static gboolean
keep_door (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  Doorkeeper *keeper = user_data;

  bench_gate_pass (&keeper->gate);
  keeper->left = bench_now ();
  return TRUE;
}

static gboolean
stamp (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  gint64 *when = user_data;

  *when = bench_now ();
  return TRUE;
}

/* The time that the spawner needs for @n tasks, and then the runner, without
 * what waking the one and the other takes: that does not grow with the queue,
 * and would weigh more on the short one. */
static gint64
queued_round (guint n)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  Doorkeeper keeper = { 0, };
  gint64 last = 0;
  gint64 start, spawning;

  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, keep_door, &keeper, NULL);
  bench_gate_wait_arrived (&keeper.gate);

  start = bench_now ();
  for (guint i = 0; i < n; i++)
    tasker_group_spawn (group, NULL, no_op, NULL, NULL);
  tasker_group_spawn (group, NULL, stamp, &last, NULL);
  spawning = bench_now () - start;

  bench_gate_open (&keeper.gate);
  join_succeeded (group, n + 2);
  bench_gate_clear (&keeper.gate);
  return spawning + last - keeper.left;
}

static void
queued (guint    n,
        GString *figures)
{
  guint n_rounds = MAX (1, QUEUED_TOTAL / n);
  gint64 elapsed = 0;

  for (guint i = 0; i < n_rounds; i++)
    elapsed += queued_round (n);

  bench_per_piece (figures, elapsed, n_rounds * n);
}

static gboolean
no_op_item (gpointer       user_data,
            gsize          index,
            GCancellable  *stopper,
            GError       **error)
{
  return TRUE;
}

static void
each (guint    n,
      GString *figures)
{
  g_autoptr (TaskerGroup) group = new_group (FALSE);
  g_autoptr (TaskerTask) task = tasker_task_new_each (NULL, n, no_op_item, NULL, NULL);
  gint64 start = bench_now ();

  tasker_group_add (group, task);
  join_succeeded (group, 1);

  bench_per_piece (figures, bench_now () - start, n);
}

const BenchWork works_tasker[] = {
  { "light", light, 1 },
  { "light-named", light_named, 1 },
  { "light-kept", light_kept, 1 },
  { "light-spawners", light_spawners, 1 },
  { "full", full, 1 },
  { "full-priorities", full_priorities, 0.1 },
  { "gtasks", gtasks, 1 },
  { "gtasks-stoppable", stoppable_gtasks, 1 },
  { "gtasks-priorities", gtasks_priorities, 0.1 },
  { "queued", queued, 1 },
  { "each", each, 1 },
  { NULL, },
};
