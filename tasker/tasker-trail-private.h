/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <string.h>

#include "tasker-job-private.h"

G_BEGIN_DECLS

/* How far ahead it leads. */
#define TASKER_TRAIL_LENGTH 8

/*
 * TaskerTrail:
 *
 * The latest jobs of a long chain, while it is made. By the time that it is
 * followed its records may have to come from main memory or from another processor,
 * one after the other, for each one says where the next is. So each one is told here
 * which comes a little later, too, for that to be fetched meanwhile.
 *
 * What is found in a record by that may be gone, and is only to be fetched. Not
 * locked, but for what a record says.
 */
typedef struct
{
  TaskerJob *latest[TASKER_TRAIL_LENGTH];
  guint      n_added;
} TaskerTrail;

static inline void
tasker_trail_add (TaskerTrail *self,
                  TaskerJob   *job)
{
  TaskerJob **before = &self->latest[self->n_added++ % TASKER_TRAIL_LENGTH];

#ifdef __GNUC__
  /* There is no order to keep, and GLib's atomic operations all keep one. */
  if (*before != NULL)
    __atomic_store_n (&(*before)->ahead, job, __ATOMIC_RELAXED);
#endif
  *before = job;
}

/* Before jobs are taken from the chain, for they may go then. */
static inline void
tasker_trail_end (TaskerTrail *self)
{
  memset (self->latest, 0, sizeof self->latest);
}

/* Returns: (nullable): where a record was that comes a little later than @job */
static inline gconstpointer
tasker_trail_get_ahead (TaskerJob *job)
{
  return g_atomic_pointer_get (&job->ahead);
}

static inline void
tasker_trail_prefetch (TaskerJob *job)
{
  tasker_prefetch (tasker_trail_get_ahead (job), sizeof *job);
}

G_END_DECLS
