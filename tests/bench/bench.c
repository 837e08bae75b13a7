/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one work of the benchmark: bench WORK N. Prints its figures as
 * key=value on one line; times are in nanoseconds. The script next to this
 * file interleaves such processes with those of the peers. */

#include "bench.h"

#include <stdlib.h>

void
bench_gate_pass (BenchGate *self)
{
  if (g_atomic_int_get (&self->open))
    return;

  g_mutex_lock (&self->lock);
  self->n_arrived++;
  g_cond_broadcast (&self->changed);
  while (!self->open)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

/* Returns when somebody stands at the gate. */
void
bench_gate_wait_arrived (BenchGate *self)
{
  g_mutex_lock (&self->lock);
  while (self->n_arrived == 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
bench_gate_open (BenchGate *self)
{
  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->open, TRUE);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
bench_gate_clear (BenchGate *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

static void
gtask_returned (GObject      *source_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  guint *n_returned = user_data;

  if (g_task_propagate_boolean (G_TASK (result), NULL))
    (*n_returned)++;
}

GTask *
bench_gtask_new (guint        *n_returned,
                 GCancellable *cancellable)
{
  return g_task_new (NULL, cancellable, gtask_returned, n_returned);
}

void
bench_gtask_in_thread (GTask        *task,
                       gpointer      source_object,
                       gpointer      task_data,
                       GCancellable *cancellable)
{
  if (task_data != NULL)
    bench_gate_pass (task_data);
  g_task_return_boolean (task, TRUE);
}

/* Iterates until so many have been returned. */
void
bench_gtasks_wait (const guint *n_returned,
                   guint        n)
{
  while (*n_returned < n)
    g_main_context_iteration (NULL, TRUE);
}

void
bench_figure (GString    *figures,
              const char *key,
              double      value)
{
  g_string_append_printf (figures, "%s%s=%.2f", figures->len > 0 ? " " : "", key, value);
}

void
bench_per_piece (GString *figures,
                 gint64   elapsed,
                 guint    n)
{
  bench_figure (figures, "ns", (double) elapsed / n);
}

static const BenchWork *
find_work (const char *name)
{
  static const BenchWork *const tables[] = {
    works_tasker, works_local, works_shutdown, works_stream,
    works_glib, works_latency, works_memory,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (const BenchWork *work = tables[i]; work->name != NULL; work++)
        {
          if (g_str_equal (work->name, name))
            return work;
        }
    }

  return NULL;
}

int
main (int    argc,
      char **argv)
{
  const BenchWork *work = argc == 3 ? find_work (argv[1]) : NULL;
  g_autoptr (GString) warm_up = g_string_new (NULL);
  g_autoptr (GString) figures = g_string_new (NULL);
  guint64 n = 0;
  guint n_warm_up;

  if (work == NULL || !g_ascii_string_to_unsigned (argv[2], 10, 1, G_MAXINT, &n, NULL))
    {
      g_printerr ("Usage: bench WORK N\n");
      return 2;
    }

  n_warm_up = (guint) ((double) n * work->warm_up);

  if (n_warm_up > 0)
    work->run (n_warm_up, warm_up);

  work->run ((guint) n, figures);
  g_print ("%s\n", figures->str);
  return EXIT_SUCCESS;
}
