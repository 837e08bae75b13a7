/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a thread has taken to run: see the header. */

#include "tasker-hand-private.h"

#include "tasker-core-private.h"

/* The next job, or %NULL. */
TaskerJob *
tasker_hand_claim (TaskerHand *self)
{
  int head = g_atomic_int_get (&self->head);

  do
    {
      if (head >= self->tail)
        return NULL;
    }
  while (!g_atomic_int_compare_and_exchange_full (&self->head, head, head + 1, &head));

  return self->slots[head];
}

/* After all that was in the hand was handed in: @n_jobs new ones are in the
 * slots. */
void
tasker_hand_fill (TaskerHand *self,
                  int         n_jobs)
{
  self->base = 0;
  self->tail = n_jobs;
  g_atomic_int_set (&self->head, 0);
}

/* Hands in what has ended. */
void
tasker_hand_gather (TaskerHand *self,
                    TaskerCore *core)
{
  int head = g_atomic_int_get (&self->head);

  for (; self->base < head; self->base++)
    {
      TaskerJob *job = self->slots[self->base];

      if (job == NULL)
        continue;
      if (!tasker_job_has_ended (job))
        break;
      tasker_core_hand_in (core, job);
    }
}

gboolean
tasker_hand_has_spare (TaskerHand *self)
{
  return self->shared && g_atomic_int_get (&self->head) < self->tail;
}

/*
 * tasker_hand_take:
 * @half: whether to leave half of them
 * @jobs: (out): room for the jobs
 *
 * Takes jobs away that are not claimed, the oldest first.
 *
 * Returns: how many
 */
int
tasker_hand_take (TaskerHand  *self,
                  gboolean     half,
                  TaskerJob  **jobs)
{
  int head = g_atomic_int_get (&self->head);
  int n_jobs;

  do
    {
      n_jobs = self->tail - head;
      if (half)
        n_jobs = (n_jobs + 1) / 2;
      if (n_jobs <= 0)
        return 0;
    }
  while (!g_atomic_int_compare_and_exchange_full (&self->head, head, head + n_jobs, &head));

  for (int i = 0; i < n_jobs; i++)
    jobs[i] = g_steal_pointer (&self->slots[head + i]);

  return n_jobs;
}

/* A job that was claimed is not in the hand any more. */
void
tasker_hand_detach (TaskerHand *self,
                    TaskerJob  *job)
{
  int slot = g_atomic_int_get (&self->head) - 1;

  /* Somebody may have taken the jobs behind it. */
  while (self->slots[slot] != job)
    slot--;
  self->slots[slot] = NULL;
}
