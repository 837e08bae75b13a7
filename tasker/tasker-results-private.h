/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-job-private.h"

G_BEGIN_DECLS

/*
 * TaskerResults:
 *
 * The jobs that have ended and were not taken, in the order of their ends. Not
 * locked.
 *
 * They come from each thread in order, and are kept in lanes that are each in
 * order, until somebody takes some: then the lanes are merged into batches. A
 * lane, and a batch, is a chain of jobs.
 */
typedef struct
{
  TaskerJob   *taking;     /* the batch that is being taken, before all others */
  GAsyncQueue *batches;
  GArray      *lanes;
  guint        n_failures; /* in all of it */
} TaskerResults;

void       tasker_results_init         (TaskerResults *self);
void       tasker_results_clear        (TaskerResults *self);
gboolean   tasker_results_is_empty     (TaskerResults *self);
void       tasker_results_add          (TaskerResults *self,
                                        TaskerJob     *job);
TaskerJob *tasker_results_take         (TaskerResults *self);
void       tasker_results_give_back    (TaskerResults *self,
                                        TaskerJob     *jobs);
TaskerJob *tasker_results_find_failure (TaskerResults *self);

G_END_DECLS
