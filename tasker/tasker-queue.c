/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The run queue of a group: see the header. */

#include "tasker-queue-private.h"

static int
compare_priorities (gconstpointer a,
                    gconstpointer b,
                    gpointer      user_data)
{
  int first = GPOINTER_TO_INT (a);
  int second = GPOINTER_TO_INT (b);

  return (first > second) - (first < second);
}

void
tasker_queue_clear (TaskerQueue *self)
{
  g_assert (self->length == 0);

  g_clear_pointer (&self->others, g_tree_unref);
}

static TaskerJobList *
list_for (TaskerQueue *self,
          int          priority)
{
  TaskerJobList *list;

  if (priority == G_PRIORITY_DEFAULT)
    return &self->normal;

  if (self->others == NULL)
    self->others = g_tree_new_full (compare_priorities, NULL, NULL, g_free);

  list = g_tree_lookup (self->others, GINT_TO_POINTER (priority));
  if (list == NULL)
    {
      list = g_new0 (TaskerJobList, 1);
      g_tree_insert (self->others, GINT_TO_POINTER (priority), list);
    }

  return list;
}

static void
count (TaskerQueue *self,
       TaskerJob   *job,
       gboolean     queued)
{
  guint change = queued ? 1 : (guint) -1;

  job->queued = queued;
  self->length += change;
  if (job->priority < G_PRIORITY_DEFAULT)
    self->n_urgent += change;
  if (job->run_always)
    self->n_run_always += change;
}

void
tasker_queue_push (TaskerQueue *self,
                   TaskerJob   *job)
{
  TaskerJobList *list = list_for (self, job->priority);

  if (list == &self->normal)
    tasker_trail_add (&self->trail, job);
  tasker_job_list_push (list, job);
  count (self, job, TRUE);
  if (list == &self->normal && job->full && self->unasked == NULL)
    self->unasked = job;
}

/* For jobs that were taken and come back. */
void
tasker_queue_push_front (TaskerQueue *self,
                         TaskerJob   *job)
{
  tasker_job_list_push_front (list_for (self, job->priority), job);
  count (self, job, TRUE);
}

void
tasker_queue_remove (TaskerQueue *self,
                     TaskerJob   *job)
{
  TaskerJobList *list = list_for (self, job->priority);

  tasker_trail_end (&self->trail);
  if (job == self->unasked)
    self->unasked = job->next;
  tasker_job_list_remove (list, job);
  count (self, job, FALSE);
  if (list != &self->normal && list->head == NULL)
    g_tree_remove (self->others, GINT_TO_POINTER (job->priority));
}

/* With a batch of one priority the links between its jobs need not be undone. */
static int
pop_normal (TaskerQueue  *self,
            TaskerJob   **jobs,
            int           n_wanted)
{
  TaskerJob *job = self->normal.head;
  int n_jobs = 0;

  tasker_trail_end (&self->trail);
  for (; n_jobs < n_wanted && job != NULL; job = job->next)
    {
      tasker_trail_prefetch (job);
      count (self, job, FALSE);
      if (job == self->unasked)
        self->unasked = job->next;
      jobs[n_jobs++] = job;
    }

  self->normal.head = job;
  if (job != NULL)
    job->prev = NULL;
  else
    self->normal.tail = NULL;

  return n_jobs;
}

/*
 * tasker_queue_pop:
 * @jobs: (out): room for @n_wanted jobs
 *
 * Takes the jobs whose turn it is: of the default priority as many as are
 * wanted, of another one, so that none gets in front of better ones.
 *
 * Returns: how many
 */
int
tasker_queue_pop (TaskerQueue  *self,
                  TaskerJob   **jobs,
                  int           n_wanted)
{
  TaskerJobList *best;

  if (self->length == 0)
    return 0;
  if (self->n_urgent == 0 && self->normal.head != NULL)
    return pop_normal (self, jobs, n_wanted);

  best = g_tree_node_value (g_tree_node_first (self->others));
  jobs[0] = best->head;
  tasker_queue_remove (self, jobs[0]);

  return 1;
}

/* In the order in which they would be taken, but the default priority first.
 * @func must not change the queue. */
void
tasker_queue_foreach (TaskerQueue *self,
                      GFunc        func,
                      gpointer     user_data)
{
  tasker_job_list_foreach (&self->normal, func, user_data);

  if (self->others == NULL)
    return;

  for (GTreeNode *node = g_tree_node_first (self->others); node != NULL; node = g_tree_node_next (node))
    tasker_job_list_foreach (g_tree_node_value (node), func, user_data);
}
