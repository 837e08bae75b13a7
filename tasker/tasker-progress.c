/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a group is: see the header. */

#include "tasker-progress-private.h"

#include "tasker-child-private.h"
#include "tasker-task-private.h"
#include "tasker-watch-private.h"

/* How many ancestors are told of a change. Each is asked whether somebody listens,
 * and in a long line of groups that would come to the square of its length. */
#define MAX_CLIMB 64

/* A group whose progress is a part of what is asked for. */
typedef struct
{
  TaskerCore *core;
  double      weight;
} TaskerPart;

static void
push_part (GArray     *parts,
           TaskerCore *core,
           double      weight)
{
  TaskerPart part = { tasker_core_ref (core), weight };

  g_array_append_val (parts, part);
}

/* Returns: what the tasks of a group have done of its part, but for children,
 * which become parts of their own */
static double
sum_up (TaskerPart *part,
        GArray     *parts)
{
  TaskerCore *core = part->core;
  double sum = 0;
  GHashTableIter iter;
  gpointer job;

  tasker_core_lock (core);
  tasker_core_gather (core);
  if (core->n_spawned > 0)
    {
      double weight = part->weight / (double) core->n_spawned;

      sum = (double) tasker_core_get_n_ended (core);
      if (core->progressing != NULL)
        {
          g_hash_table_iter_init (&iter, core->progressing);
          while (g_hash_table_iter_next (&iter, &job, NULL))
            sum += tasker_job_get_progress (job);
        }
      sum *= weight;

      for (GList *l = core->children.head; l != NULL; l = l->next)
        push_part (parts, l->data, weight);
    }
  tasker_core_unlock (core);

  return sum;
}

double
tasker_progress_get (TaskerCore *core)
{
  g_autoptr(GArray) parts = g_array_new (FALSE, FALSE, sizeof (TaskerPart));
  double progress = 0;

  push_part (parts, core, 1);
  while (parts->len > 0)
    {
      TaskerPart part = g_array_index (parts, TaskerPart, parts->len - 1);

      g_array_set_size (parts, parts->len - 1);
      progress += sum_up (&part, parts);
      tasker_core_unref (part.core);
    }

  return MIN (progress, 1);
}

void
tasker_progress_add (TaskerCore *core,
                     TaskerJob  *job)
{
  /* It is known by its group. */
  if (tasker_job_is_child (job))
    return;

  if (core->progressing == NULL)
    core->progressing = g_hash_table_new (NULL, NULL);
  g_hash_table_add (core->progressing, job);
}

void
tasker_progress_remove (TaskerCore *core,
                        TaskerJob  *job)
{
  if (core->progressing != NULL)
    g_hash_table_remove (core->progressing, job);
}

/* Tells the parent, of which the lock is taken while that of the child is
 * held. Returns: (transfer full) (nullable): the parent */
static TaskerCore *
tell_parent (TaskerCore *core)
{
  TaskerCore *parent;

  g_mutex_lock (&core->lock);
  parent = core->parent != NULL ? tasker_core_ref (core->parent) : NULL;
  if (parent != NULL && core->child_job != NULL)
    {
      TaskerTask *face = core->child_job->job.face;

      g_mutex_lock (&parent->lock);
      tasker_task_ask_heard (face);
      tasker_task_note (face, parent, TASKER_TASK_CHANGE_PROGRESS);
      parent->changed |= TASKER_CHANGE_PROGRESS;
      tasker_watch_settle (parent);
      /* Its own ancestors are told next. */
      parent->climbs = FALSE;
      g_mutex_unlock (&parent->lock);
    }
  g_mutex_unlock (&core->lock);

  return parent;
}

void
tasker_progress_climb (TaskerCore *core)
{
  core = tasker_core_ref (core);
  for (guint i = 0; core != NULL && i < MAX_CLIMB; i++)
    {
      TaskerCore *parent = tell_parent (core);

      tasker_core_unref (core);
      core = parent;
    }
  g_clear_pointer (&core, tasker_core_unref);
}
