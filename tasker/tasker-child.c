/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Groups inside of groups: the kind of task that a child is in its parent, and
 * what goes up and down between the two. */

#include "tasker-child-private.h"

#include "tasker-progress-private.h"
#include "tasker-stopper-private.h"
#include "tasker-task-private.h"

static TaskerChildJob *
from_job (TaskerJob *job)
{
  return (TaskerChildJob *) job;
}

/* The task was stopped or aborted alone: so is the child. */
static void
tasker_child_ask (TaskerJob   *job,
                  TaskerCore  *parent,
                  TaskerLevel  level)
{
  g_autoptr(TaskerCore) child = NULL;

  tasker_core_lock (parent);
  if (from_job (job)->core != NULL)
    child = tasker_core_ref (from_job (job)->core);
  tasker_core_unlock (parent);

  if (child != NULL)
    tasker_source_raise (&child->source, level);
}

static const TaskerJobKind tasker_child_kind =
{
  .size = sizeof (TaskerChildJob),
  .ask = tasker_child_ask,
};

gboolean
tasker_job_is_child (TaskerJob *job)
{
  return job->kind == &tasker_child_kind;
}

gboolean
tasker_child_attach (TaskerCore *self,
                     TaskerCore *parent,
                     gboolean    stop_with_parent)
{
  TaskerJob *job = tasker_job_new (&tasker_child_kind, self->name, NULL, NULL, NULL);
  TaskerTask *task = tasker_task_new_full (job);
  TaskerChildJob *child = from_job (job);
  TaskerLevel level;
  gboolean open;

  tasker_task_enter (task, parent);
  /* The task hears its own group, as far as that hears its parent. */
  tasker_stopper_tie (TASKER_STOPPER (task), &self->source);
  child->core = tasker_core_ref (self);
  child->link.data = child;

  tasker_core_lock (parent);
  open = !tasker_core_is_closed (parent);
  if (open)
    {
      self->parent = tasker_core_ref (parent);
      self->child_job = child;
      self->stop_with_parent = stop_with_parent;
      self->shut = parent->shut;
      tasker_core_adopt_running (parent, job);
      g_queue_push_tail_link (&parent->children, &child->link);
    }
  tasker_core_unlock (parent);

  if (!open)
    {
      tasker_core_unref (g_steal_pointer (&child->core));
      tasker_task_leave (task);
      g_object_unref (task);
      return FALSE;
    }

  /* Who raises the parent does so before he looks for children. */
  level = tasker_source_get_level (&parent->source);
  if (level == TASKER_LEVEL_ABORTED || (level == TASKER_LEVEL_STOPPED && stop_with_parent))
    tasker_source_raise (&self->source, level);

  return TRUE;
}

/* How the child has ended, as a task; with its lock held. */
static TaskerTaskState
judge (TaskerCore *self)
{
  if (self->first_failure != NULL)
    return TASKER_TASK_STATE_FAILED;
  if (self->n_ended[TASKER_TASK_STATE_ABORTED - TASKER_TASK_STATE_SUCCEEDED] > 0)
    return TASKER_TASK_STATE_ABORTED;
  if (self->n_ended[TASKER_TASK_STATE_STOPPED - TASKER_TASK_STATE_SUCCEEDED] > 0)
    return TASKER_TASK_STATE_STOPPED;

  return TASKER_TASK_STATE_SUCCEEDED;
}

/* The contexts that the child still uses, to hand out results, are not the
 * parent's any more. With the child's lock held. */
static void
take_contexts_back (TaskerCore *self)
{
  GHashTableIter iter;
  gpointer context;
  gpointer n_uses;

  if (self->contexts == NULL)
    return;

  g_hash_table_iter_init (&iter, self->contexts);
  while (g_hash_table_iter_next (&iter, &context, &n_uses))
    tasker_child_use_context (self, context, -GPOINTER_TO_INT (n_uses));
}

TaskerChildJob *
tasker_child_end (TaskerChildJob *child)
{
  g_autoptr(TaskerCore) self = tasker_core_ref (child->core);
  g_autoptr(TaskerCore) parent = NULL;
  TaskerTaskState state;
  GError *error;

  g_mutex_lock (&self->lock);
  state = judge (self);
  error = g_steal_pointer (&self->first_failure);
  take_contexts_back (self);
  parent = g_steal_pointer (&self->parent);
  g_mutex_unlock (&self->lock);

  return tasker_core_end_child (parent, child, state, error);
}

void
tasker_child_collect (TaskerCore  *parent,
                      TaskerLevel  level,
                      GQueue      *children)
{
  tasker_core_lock (parent);
  for (GList *l = parent->children.head; l != NULL; l = l->next)
    {
      TaskerCore *child = ((TaskerChildJob *) l->data)->core;

      if (child != NULL && (level == TASKER_LEVEL_ABORTED || child->stop_with_parent))
        g_queue_push_tail (children, tasker_core_ref (child));
    }
  tasker_core_unlock (parent);
}

/* Locks are taken from the child upwards, and not more than two are held. */
void
tasker_child_use_context (TaskerCore   *self,
                          GMainContext *context,
                          int           change)
{
  TaskerCore *ancestor = self->parent != NULL ? tasker_core_ref (self->parent) : NULL;

  while (ancestor != NULL)
    {
      TaskerCore *next;

      g_mutex_lock (&ancestor->lock);
      tasker_core_count_context (ancestor, context, change);
      next = ancestor->parent != NULL ? tasker_core_ref (ancestor->parent) : NULL;
      g_mutex_unlock (&ancestor->lock);

      tasker_core_unref (ancestor);
      ancestor = next;
    }
}

double
tasker_child_get_progress (TaskerJob  *job,
                           TaskerCore *parent)
{
  g_autoptr(TaskerCore) self = NULL;

  tasker_core_lock (parent);
  if (from_job (job)->core != NULL)
    self = tasker_core_ref (from_job (job)->core);
  tasker_core_unlock (parent);

  return self != NULL ? tasker_progress_get (self) : tasker_job_get_progress (job);
}
