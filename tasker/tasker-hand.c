/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a thread has taken to run: see the header. */

#include "tasker-hand-private.h"

/* After all that was in the hand was handed in: @n_jobs new ones are in the
 * slots. */
void
tasker_hand_fill (TaskerHand *self,
                  int         n_jobs)
{
  self->base = 0;
  self->tail = n_jobs;
  self->seen = -1;
  g_atomic_int_set (&self->head, 0);
}

void
tasker_hand_init (TaskerHand *self,
                  gboolean    shared,
                  int         tid)
{
  self->link = (GList) { .data = self };
  self->shared = shared;
  self->tid = tid;
  tasker_hand_fill (self, 0);
}

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

/* Adds what has ended to @ended; it is not in the hand any more. */
void
tasker_hand_collect (TaskerHand *self,
                     GPtrArray  *ended)
{
  int head = g_atomic_int_get (&self->head);

  for (int i = self->base; i < head; i++)
    if (self->slots[i] != NULL && tasker_job_has_ended (self->slots[i]))
      g_ptr_array_add (ended, g_steal_pointer (&self->slots[i]));

  while (self->base < head && self->slots[self->base] == NULL)
    self->base++;
}

void
tasker_hand_foreach (TaskerHand *self,
                     GFunc       func,
                     gpointer    user_data)
{
  for (int i = self->base; i < self->tail; i++)
    if (self->slots[i] != NULL)
      func (self->slots[i], user_data);
}

/* Whether there are jobs that can be taken away, and the owner has not got on
 * since the last call. */
gboolean
tasker_hand_is_stuck (TaskerHand *self)
{
  int head = g_atomic_int_get (&self->head);
  gboolean stuck = self->shared && head < self->tail && head == self->seen;

  self->seen = head;

  return stuck;
}

/* How many jobs can be taken away. */
guint
tasker_hand_count_spare (TaskerHand *self)
{
  return self->shared ? (guint) MAX (self->tail - g_atomic_int_get (&self->head), 0) : 0;
}

/* The job that was claimed last, if it is still in the hand. */
TaskerJob *
tasker_hand_get_current (TaskerHand *self)
{
  int head = g_atomic_int_get (&self->head);

  return head > self->base ? self->slots[head - 1] : NULL;
}

/*
 * tasker_hand_take:
 * @half: whether to leave half of them
 * @n_wanted: how many at the most
 * @jobs: (out): room for the jobs
 *
 * Takes jobs away that are not claimed, the oldest first.
 *
 * Returns: how many
 */
int
tasker_hand_take (TaskerHand  *self,
                  gboolean     half,
                  int          n_wanted,
                  TaskerJob  **jobs)
{
  int head = g_atomic_int_get (&self->head);
  int n_jobs;

  do
    {
      n_jobs = self->tail - head;
      if (half)
        n_jobs = (n_jobs + 1) / 2;
      n_jobs = MIN (n_jobs, n_wanted);
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
