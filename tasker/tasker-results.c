/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The results of a group: see the header. */

#include "tasker-results-private.h"

#include "tasker-trail-private.h"

/* How many results make a batch. */
#define BATCH_SIZE 1024

/* A chain of jobs in the order of their ends. */
typedef struct
{
  TaskerJob   *head;
  TaskerJob   *tail;
  TaskerTrail  trail;
} TaskerLane;

void
tasker_results_init (TaskerResults *self)
{
  /* So that there is nothing to be allocated when a joiner is waiting. */
  self->lanes = g_array_sized_new (FALSE, TRUE, sizeof (TaskerLane), 1);
  self->batches = g_async_queue_new ();
}

void
tasker_results_clear (TaskerResults *self)
{
  g_async_queue_unref (self->batches);
  g_array_unref (self->lanes);
}

gboolean
tasker_results_is_empty (TaskerResults *self)
{
  return self->lanes->len == 0 && self->taking == NULL &&
         g_async_queue_length (self->batches) == 0;
}

static TaskerLane *
get_lane (TaskerResults *self,
          guint          i)
{
  return &g_array_index (self->lanes, TaskerLane, i);
}

/* The lane whose last job ended before. There are no more lanes than threads that
 * ended jobs at the same time. */
static TaskerLane *
find_lane (TaskerResults *self,
           gsize          end)
{
  for (guint i = 0; i < self->lanes->len; i++)
    if (get_lane (self, i)->tail->end <= end)
      return get_lane (self, i);

  g_array_set_size (self->lanes, self->lanes->len + 1);

  return get_lane (self, self->lanes->len - 1);
}

static void
add_to_lane (TaskerLane *self,
             TaskerJob  *job)
{
  tasker_trail_add (&self->trail, job);
  job->next = NULL;
  if (self->tail != NULL)
    self->tail->next = job;
  else
    self->head = job;
  self->tail = job;
}

/* Takes the oldest job out of the lanes, of which there is one at least. */
static TaskerJob *
pop_from_lanes (TaskerResults *self)
{
  guint oldest = 0;
  TaskerLane *lane;
  TaskerJob *job;

  for (guint i = 1; i < self->lanes->len; i++)
    if (get_lane (self, i)->head->end < get_lane (self, oldest)->head->end)
      oldest = i;

  lane = get_lane (self, oldest);
  job = lane->head;
  tasker_trail_prefetch (job);
  lane->head = job->next;
  if (lane->head == NULL)
    g_array_remove_index_fast (self->lanes, oldest);

  return job;
}

/* Makes a batch of the oldest ones that have been handed in. It is not too
 * long, so that it is still close at hand when it is taken. */
static void
publish (TaskerResults *self)
{
  TaskerJob *batch = NULL;
  TaskerJob **end = &batch;

  for (guint i = 0; i < self->lanes->len; i++)
    tasker_trail_end (&get_lane (self, i)->trail);
  for (guint i = 0; i < BATCH_SIZE && self->lanes->len > 0; i++)
    {
      *end = pop_from_lanes (self);
      end = &(*end)->next;
    }
  *end = NULL;

  if (batch != NULL)
    g_async_queue_push (self->batches, batch);
}

static TaskerJob *
pop_batch (TaskerResults *self)
{
  if (g_async_queue_length (self->batches) == 0)
    publish (self);

  return g_async_queue_try_pop (self->batches);
}

void
tasker_results_add (TaskerResults *self,
                    TaskerJob     *job)
{
  add_to_lane (find_lane (self, job->end), job);
  if (tasker_job_get_state (job) == TASKER_TASK_STATE_FAILED)
    self->n_failures++;
}

/* The oldest one, or %NULL. */
TaskerJob *
tasker_results_take (TaskerResults *self)
{
  TaskerJob *job;

  if (self->taking == NULL)
    self->taking = pop_batch (self);

  job = self->taking;
  if (job == NULL)
    return NULL;

  self->taking = job->next;
  job->next = NULL;
  if (tasker_job_get_state (job) == TASKER_TASK_STATE_FAILED)
    self->n_failures--;

  return job;
}

/* Gives back a chain of jobs that were taken, in the order of their ends. What
 * was not taken by then ended later, but for what came back before. */
void
tasker_results_give_back (TaskerResults *self,
                          TaskerJob     *jobs)
{
  TaskerJob **place = &self->taking;

  while (jobs != NULL)
    {
      TaskerJob *job = jobs;

      while (*place != NULL && (*place)->end < job->end)
        place = &(*place)->next;

      jobs = job->next;
      job->next = *place;
      *place = job;
      place = &job->next;
      if (tasker_job_get_state (job) == TASKER_TASK_STATE_FAILED)
        self->n_failures++;
    }
}

static TaskerJob *
find_failure_in (TaskerJob  *batch,
                 TaskerJob **last)
{
  for (TaskerJob *job = batch; job != NULL; job = job->next)
    {
      *last = job;
      if (tasker_job_get_state (job) == TASKER_TASK_STATE_FAILED)
        return job;
    }

  return NULL;
}

/* The first one that failed, which stays where it is, or %NULL. */
TaskerJob *
tasker_results_find_failure (TaskerResults *self)
{
  TaskerJob *last = NULL;
  TaskerJob *failure;

  if (self->n_failures == 0)
    return NULL;

  /* What was looked through becomes one batch, so that the next look, or who
   * takes the results, finds them in their order. */
  failure = find_failure_in (self->taking, &last);
  while (failure == NULL)
    {
      TaskerJob *batch = pop_batch (self);

      if (last != NULL)
        last->next = batch;
      else
        self->taking = batch;
      failure = find_failure_in (batch, &last);
    }

  return failure;
}
