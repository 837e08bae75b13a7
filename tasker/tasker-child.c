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
tasker_child_asked (TaskerJob   *job,
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

const TaskerJobKind tasker_child_kind =
{
  .id = TASKER_JOB_KIND_CHILD,
  .size = sizeof (TaskerChildJob),
  .asked = tasker_child_asked,
};

gboolean
tasker_job_is_child (TaskerJob *job)
{
  return tasker_job_get_kind (job) == &tasker_child_kind;
}

/* The task hears its own group, as far as that hears its parent. */
static TaskerChildJob *
make_job (TaskerCore *self,
          TaskerCore *parent)
{
  TaskerJob *job = tasker_job_new (&tasker_child_kind, self->name, NULL, NULL, NULL);
  TaskerTask *task = tasker_task_new_full (job);

  tasker_task_enter (task, parent);
  if (!tasker_stopper_tie (TASKER_STOPPER (task), &self->source))
    tasker_cancel (G_CANCELLABLE (task));

  return from_job (job);
}

/* It is not needed after all. */
static void
drop_job (TaskerChildJob *child)
{
  TaskerTask *task = child->job.face;

  tasker_task_leave (task);
  g_object_unref (task);
}

/* With the lock of both held. */
static void
adopt (TaskerCore     *self,
       TaskerCore     *parent,
       TaskerChildJob *child)
{
  child->core = self;
  self->child_job = child;
  tasker_core_adopt_running (parent, &child->job);
  g_queue_push_tail_link (&parent->children, &self->sibling);
}

/* Who raises the parent, or shuts it, does so before he looks for children. */
static void
catch_up (TaskerCore *self,
          TaskerCore *parent,
          gboolean    shut)
{
  TaskerLevel level = tasker_source_get_level (&parent->source);

  if (level == TASKER_LEVEL_ABORTED || (level == TASKER_LEVEL_STOPPED && self->stop_with_parent))
    tasker_source_raise (&self->source, level);

  if (shut)
    {
      tasker_core_lock (self);
      tasker_core_shut (self);
      tasker_core_unlock (self);
    }
}

gboolean
tasker_child_attach (TaskerCore *self,
                     TaskerCore *parent,
                     gboolean    stop_with_parent)
{
  TaskerChildJob *child = make_job (self, parent);
  gboolean open;
  gboolean shut = FALSE;

  g_mutex_lock (&self->lock);
  tasker_core_lock (parent);
  open = !tasker_core_is_closed (parent);
  if (open)
    {
      self->parent = tasker_core_ref (parent);
      self->stop_with_parent = stop_with_parent;
      self->sibling.data = tasker_core_ref (self);
      adopt (self, parent, child);
      /* In order, each is asked first. */
      shut = tasker_core_is_shut (parent) && !parent->in_order;
    }
  g_mutex_unlock (&self->lock);
  tasker_core_unlock (parent);

  if (open)
    catch_up (self, parent, shut);
  else
    drop_job (child);

  return open;
}

/* How the child has ended, as a task, by what has ended since it was one; with
 * its lock held. */
static TaskerTaskState
judge (TaskerCore *self)
{
  TaskerLevel level = tasker_source_get_level (&self->source);
  guint64 n_ended[4];

  for (guint i = 0; i < G_N_ELEMENTS (n_ended); i++)
    {
      n_ended[i] = self->n_ended[i] - self->n_judged[i];
      self->n_judged[i] = self->n_ended[i];
    }

  if (self->first_failure != NULL)
    return TASKER_TASK_STATE_FAILED;
  if (n_ended[TASKER_TASK_STATE_ABORTED - TASKER_TASK_STATE_SUCCEEDED] > 0)
    return TASKER_TASK_STATE_ABORTED;
  if (n_ended[TASKER_TASK_STATE_STOPPED - TASKER_TASK_STATE_SUCCEEDED] > 0)
    return TASKER_TASK_STATE_STOPPED;
  /* It was stopped before there was anything to do. */
  if (self->n_spawned == 0 && level != TASKER_LEVEL_NONE)
    return level == TASKER_LEVEL_ABORTED ? TASKER_TASK_STATE_ABORTED : TASKER_TASK_STATE_STOPPED;

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

/* Ends the task; with the lock of both held. */
static void
end_job (TaskerCore *self,
         TaskerCore *parent)
{
  TaskerChildJob *child = g_steal_pointer (&self->child_job);
  TaskerTaskState state = judge (self);

  child->core = NULL;
  g_queue_unlink (&parent->children, &self->sibling);
  g_queue_push_tail_link (&parent->idle, &self->sibling);
  tasker_core_end_child (parent, &child->job, state, g_steal_pointer (&self->first_failure));
}

/* Whether it is idle, and something has come since it is; with its lock held. */
static gboolean
is_to_return (TaskerCore *self)
{
  guint64 n_judged = self->n_judged[0] + self->n_judged[1] + self->n_judged[2] + self->n_judged[3];

  return self->parent != NULL && self->child_job == NULL && self->n_spawned > n_judged;
}

void
tasker_child_settle (TaskerCore *self,
                     gboolean    over)
{
  TaskerCore *parent = self->parent;
  gboolean leaves = over && tasker_core_is_closed (self) && self->idle.length == 0;

  self->todo.returns = is_to_return (self);
  if (self->todo.returns || (!leaves && (!over || self->child_job == NULL)))
    return;

  if (leaves)
    take_contexts_back (self);

  g_mutex_lock (&parent->lock);
  if (self->child_job != NULL)
    end_job (self, parent);
  if (leaves)
    g_queue_unlink (&parent->idle, &self->sibling);
  g_mutex_unlock (&parent->lock);

  if (leaves)
    self->parent = NULL;
  self->todo.left = leaves;
  self->todo.parent = leaves ? parent : tasker_core_ref (parent);
}

/* Holds those that are idle, from @self up to the first that is not, as they are,
 * and that one as well, or it might become idle before something is added to it;
 * none, if somebody else has made @self busy meanwhile. */
static GPtrArray *
hold_line (TaskerCore *self)
{
  GPtrArray *line = g_ptr_array_new_with_free_func ((GDestroyNotify) tasker_core_unref);
  TaskerCore *next;

  for (TaskerCore *core = self; core != NULL; core = next)
    {
      gboolean held;

      g_mutex_lock (&core->lock);
      held = core == self ? is_to_return (core) : core->parent != NULL;
      next = held && core->child_job == NULL ? core->parent : NULL;
      if (held)
        {
          core->n_returning++;
          g_ptr_array_add (line, tasker_core_ref (core));
        }
      g_mutex_unlock (&core->lock);
    }

  return line;
}

static void
let_go (TaskerCore *self)
{
  tasker_core_lock (self);
  self->n_returning--;
  tasker_core_unlock (self);
}

static gboolean
is_idle (TaskerCore *self)
{
  gboolean idle;

  g_mutex_lock (&self->lock);
  idle = self->child_job == NULL;
  g_mutex_unlock (&self->lock);

  return idle;
}

static void
enter_again (TaskerCore *self)
{
  TaskerCore *parent = self->parent;
  TaskerChildJob *child = make_job (self, parent);
  gboolean idle;

  g_mutex_lock (&self->lock);
  tasker_core_lock (parent);
  idle = self->child_job == NULL;
  if (idle)
    {
      g_queue_unlink (&parent->idle, &self->sibling);
      adopt (self, parent, child);
    }
  g_mutex_unlock (&self->lock);
  tasker_core_unlock (parent);

  if (!idle)
    drop_job (child);
}

/* From the top, so that who finds a group to be a task finds all above to be one:
 * whatever waits for those waits for what was added, before that is told to be. */
void
tasker_child_return (TaskerCore *self)
{
  g_autoptr(GPtrArray) line = hold_line (self);

  for (guint i = line->len; i > 0; i--)
    {
      if (is_idle (line->pdata[i - 1]))
        enter_again (line->pdata[i - 1]);
      if (i < line->len)
        let_go (line->pdata[i]);
    }
  if (line->len > 0)
    let_go (line->pdata[0]);
}

/* Those of one of the two lists that hear the parent rise to @level. */
static void
collect (GQueue      *from,
         TaskerLevel  level,
         GQueue      *children)
{
  for (GList *l = from->head; l != NULL; l = l->next)
    {
      TaskerCore *child = l->data;

      if (level == TASKER_LEVEL_ABORTED || child->stop_with_parent)
        g_queue_push_tail (children, tasker_core_ref (child));
    }
}

void
tasker_child_collect (TaskerCore  *parent,
                      TaskerLevel  level,
                      GQueue      *children)
{
  tasker_core_lock (parent);
  collect (&parent->children, level, children);
  collect (&parent->idle, level, children);
  tasker_core_unlock (parent);
}

/* Locks are taken from the child upwards; of this line not more than two are held at a
 * time. */
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
