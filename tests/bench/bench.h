/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the benchmark program share. */

#pragma once

#include <gio/gio.h>
#include <time.h>

/**
 * BenchFunc:
 * @n: the size: tasks, items or samples
 * @figures: where the figures go, see bench_figure()
 *
 * Does one round of a work.
 */
typedef void (*BenchFunc) (guint    n,
                           GString *figures);

typedef struct
{
  const char *name;
  BenchFunc   run;
  double      warm_up; /* the size of the untimed round before, as a share of n */
} BenchWork;

/* One table a file, each ended by an entry without a name. */
extern const BenchWork works_tasker[];
extern const BenchWork works_glib[];
extern const BenchWork works_local[];
extern const BenchWork works_shutdown[];
extern const BenchWork works_latency[];
extern const BenchWork works_memory[];
extern const BenchWork works_stream[];

/* GLib's clock counts in microseconds, which is too coarse here. */
static inline gint64
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Functions wait at a gate until it is opened, so that what was queued behind
 * them stays queued. All zeros is a shut gate. */
typedef struct
{
  GMutex lock;
  GCond  changed;
  guint  n_arrived;
  int    open;
} BenchGate;

void bench_gate_pass         (BenchGate *self);
void bench_gate_wait_arrived (BenchGate *self);
void bench_gate_open         (BenchGate *self);
void bench_gate_clear        (BenchGate *self);

void bench_figure    (GString    *figures,
                      const char *key,
                      double      value);
void bench_per_piece (GString    *figures,
                      gint64      elapsed,
                      guint       n);

/* GTasks whose callbacks count in the main loop that they have been returned.
 * With a cancellable they can be stopped, all that share it together.
 * What runs in threads passes the gate first that is its task data, if any. */
GTask *bench_gtask_new       (guint        *n_returned,
                              GCancellable *cancellable);
void   bench_gtask_in_thread (GTask        *task,
                              gpointer      source_object,
                              gpointer      task_data,
                              GCancellable *cancellable);
void   bench_gtasks_wait     (const guint  *n_returned,
                              guint         n);

void bench_count_polls (GMainContext *context);
void bench_wake_ups    (GString      *figures,
                        guint         ms);
