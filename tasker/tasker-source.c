/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The shared cancellation source of a group: see the header. */

#include "tasker-source-private.h"

#include "tasker-child-private.h"
#include "tasker-stopper-private.h"

/* How far to look ahead for tasks that come from main memory. */
#define N_AHEAD 4

/* How many cancellations of ours the thread is inside of. */
static GPrivate cancelling;

void
tasker_source_init (TaskerSource *self)
{
  g_mutex_init (&self->lock);
  g_queue_init (&self->stoppers);
}

void
tasker_source_clear (TaskerSource *self)
{
  /* Each stopper in here would hold a reference. */
  g_assert (g_queue_is_empty (&self->stoppers));

  g_mutex_clear (&self->lock);
}

TaskerSource *
tasker_source_ref (TaskerSource *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
tasker_source_unref (TaskerSource *self)
{
  tasker_core_unref ((TaskerCore *) self);
}

TaskerLevel
tasker_source_get_level (TaskerSource *self)
{
  return (TaskerLevel) g_atomic_int_get (&self->level);
}

gint64
tasker_source_get_stopped_at (TaskerSource *self)
{
  gint64 stopped_at;

  g_mutex_lock (&self->lock);
  stopped_at = self->stopped_at;
  g_mutex_unlock (&self->lock);

  return stopped_at;
}

static void
collect_stopper (gpointer stopper,
                 gpointer stoppers)
{
  g_ptr_array_add (stoppers, tasker_weak_ref (tasker_stopper_get_weak (stopper)));
}

/*
 * tasker_source_mark:
 * @stoppers: (out) (transfer full): which stoppers are to be cancelled, weakly
 *
 * The first half of tasker_source_raise(): from here on, the group is stopped or
 * aborted. Calls nothing of the user, so other locks may be held.
 *
 * Returns: whether this call did it, and tasker_source_spread() has to follow
 */
gboolean
tasker_source_mark (TaskerSource  *self,
                    TaskerLevel    level,
                    GPtrArray    **stoppers)
{
  TaskerLevel before;

  *stoppers = g_ptr_array_new_with_free_func ((GDestroyNotify) tasker_weak_unref);

  g_mutex_lock (&self->lock);
  before = tasker_source_get_level (self);
  if (before < level)
    {
      g_atomic_int_set (&self->level, (int) level);
      if (before == TASKER_LEVEL_NONE)
        {
          self->stopped_at = g_get_monotonic_time ();
          g_queue_foreach (&self->stoppers, collect_stopper, *stoppers);
        }
    }
  g_mutex_unlock (&self->lock);

  return before < level;
}

/* Of many, each is still close at hand when it is let go. */
static void
cancel_all (GPtrArray *tasks)
{
  for (guint i = 0; i < tasks->len; i++)
    {
      GCancellable *task = g_ptr_array_index (tasks, i);

      if (i + N_AHEAD < tasks->len)
        tasker_prefetch_stopper (g_ptr_array_index (tasks, i + N_AHEAD));
      tasker_cancel (task);
      g_object_unref (task);
    }
}

/* What is queued is taken off the queue first, so that nothing begins any more
 * when the first stopper is cancelled. */
static void
spread_alone (TaskerSource *self,
              GPtrArray    *stoppers)
{
  g_autoptr(GPtrArray) tasks = g_ptr_array_new ();

  tasker_core_on_raised ((TaskerCore *) self, tasks);

  for (guint i = 0; i < stoppers->len; i++)
    {
      g_autoptr(GCancellable) stopper = tasker_weak_get (g_ptr_array_index (stoppers, i));

      if (stopper != NULL)
        tasker_cancel (stopper);
    }
  cancel_all (tasks);
}

/*
 * tasker_source_raise_alone:
 *
 * Stops or aborts, without the children.
 *
 * Returns: whether this call did it
 */
gboolean
tasker_source_raise_alone (TaskerSource *self,
                           TaskerLevel   level)
{
  g_autoptr(GPtrArray) stoppers = NULL;

  if (!tasker_source_mark (self, level, &stoppers))
    return FALSE;

  spread_alone (self, stoppers);

  return TRUE;
}

/* The second half of tasker_source_raise(), with the children, and theirs,
 * however deep it goes. */
void
tasker_source_spread (TaskerSource *self,
                      TaskerLevel   level,
                      GPtrArray    *stoppers)
{
  GQueue children = G_QUEUE_INIT;
  TaskerCore *child;

  spread_alone (self, stoppers);

  tasker_child_collect ((TaskerCore *) self, level, &children);
  while ((child = g_queue_pop_head (&children)) != NULL)
    {
      if (tasker_source_raise_alone (&child->source, level))
        tasker_child_collect (child, level, &children);
      tasker_core_unref (child);
    }
}

/* Stops or aborts. */
gboolean
tasker_source_raise (TaskerSource *self,
                     TaskerLevel   level)
{
  g_autoptr(GPtrArray) stoppers = NULL;

  if (!tasker_source_mark (self, level, &stoppers))
    return FALSE;

  tasker_source_spread (self, level, stoppers);

  return TRUE;
}

/*
 * tasker_source_link:
 * @link: an unused link in the stopper
 *
 * Lets a stopper hear of the stop.
 *
 * Returns: %FALSE if the stop was before; the caller has to cancel the
 *   stopper then
 */
gboolean
tasker_source_link (TaskerSource *self,
                    GList        *link,
                    gpointer      stopper)
{
  gboolean linked;

  g_mutex_lock (&self->lock);
  linked = tasker_source_get_level (self) == TASKER_LEVEL_NONE;
  if (linked)
    {
      link->data = stopper;
      g_queue_push_tail_link (&self->stoppers, link);
    }
  g_mutex_unlock (&self->lock);

  return linked;
}

/* Does nothing when the link is in no list (any more). */
void
tasker_source_unlink (TaskerSource *self,
                      GList        *link)
{
  g_mutex_lock (&self->lock);
  if (link->data != NULL)
    {
      g_queue_unlink (&self->stoppers, link);
      link->data = NULL;
    }
  g_mutex_unlock (&self->lock);
}

void
tasker_cancel (GCancellable *cancellable)
{
  gsize depth = GPOINTER_TO_SIZE (g_private_get (&cancelling));

  g_private_set (&cancelling, GSIZE_TO_POINTER (depth + 1));
  g_cancellable_cancel (cancellable);
  g_private_set (&cancelling, GSIZE_TO_POINTER (depth));
}

gboolean
tasker_in_cancelled_handler (void)
{
  return g_private_get (&cancelling) != NULL;
}
