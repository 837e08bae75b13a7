/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Places: how many of the jobs of a group may run at once, and who comes next. See
 * doc/internals.md. */

#include "tasker-core-private.h"

#include "tasker-growth-private.h"
#include "tasker-home-private.h"
#include "tasker-waiter-private.h"
static guint
get_cap (TaskerCore *self)
{
  return self->max_running > 0 ? self->max_running : self->target;
}

static guint
count_places (TaskerCore *self)
{
  /* With no bound of ours, the target is for runners alone. */
  return self->n_placed - self->n_lent + (self->max_running > 0 ? self->n_holding : 0);
}

/* Whether one more may begin; with the lock held. Those who lent their place
 * come first, then main loops, for which there is no bound but ours, then runners. */
gboolean
tasker_core_has_place_for_home (TaskerCore *self)
{
  return self->max_running == 0 || count_places (self) + self->n_reclaiming < get_cap (self);
}

gboolean
tasker_core_has_place (TaskerCore *self)
{
  return count_places (self) + self->n_reclaiming + self->n_starved < get_cap (self);
}

/* A detached job keeps its place when its runner leaves it. With the lock
 * held. */
void
tasker_core_hold (TaskerCore *self,
                  int         change)
{
  self->n_holding += (guint) change;
}

/* A home begins to wait for a place, or ends it: then what was left to it is for
 * runners. Those that have jobs in hand would not make room for long. */
void
tasker_core_starve (TaskerCore *self,
                    int         change)
{
  self->n_starved += (guint) change;
  if (change > 0)
    tasker_core_take_back_hands (self);
  else
    tasker_core_kick (self);
}

/* The runner of @hand leaves its place to a detached job. There may be none left
 * then for what it has in hand. */
void
tasker_core_keep_place (TaskerCore *self,
                        TaskerHand *hand)
{
  tasker_core_hold (self, 1);
  if (count_places (self) + self->n_reclaiming + self->n_starved > get_cap (self))
    tasker_core_put_back (self, hand);
}

/* Whether somebody has jobs in hand that others can take; with the lock held. */
gboolean
tasker_core_has_spare_hands (TaskerCore *self)
{
  for (GList *l = self->hands.head; l != NULL; l = l->next)
    if (tasker_hand_count_spare (l->data) > 0)
      return TRUE;

  return FALSE;
}

/* Whether there are jobs that could begin, or want help; with the lock held. */
gboolean
tasker_core_has_work (TaskerCore *self)
{
  return self->queue.length > 0 || self->open.length > 0 || tasker_core_has_spare_hands (self);
}

/*
 * tasker_core_kick:
 *
 * Starts a runner if there is something to do for one; with the lock held. No
 * more than one is on its way at a time: when it has found work it sees for
 * itself whether there is more.
 */
void
tasker_core_kick (TaskerCore *self)
{
  gboolean place = tasker_core_has_place (self);

  if (self->n_reclaiming > 0)
    tasker_waiter_nudge (self);
  if (self->n_starved > 0 && tasker_core_has_place_for_home (self))
    tasker_home_feed (self);
  g_atomic_int_set (&self->saturated, FALSE);
  if (g_atomic_int_get (&self->n_searching) > 0)
    return;

  tasker_core_look (self);
  if (!place && tasker_growth_watches (self) && self->swept == TASKER_LEVEL_NONE)
    g_atomic_int_set (&self->saturated, TRUE);

  if (self->doomed.head != NULL || (place && tasker_core_has_work (self)))
    {
      g_atomic_int_inc (&self->n_searching);
      g_atomic_int_inc (&self->n_runners);
      self->todo.n_starts++;
    }
}

void
tasker_core_set_max_running (TaskerCore *self,
                             guint       max_running)
{
  self->max_running = max_running;
  /* Who has jobs in hand would not notice for long. */
  tasker_core_take_back_hands (self);
  tasker_core_kick (self);
}

/* A function is about to wait for a task: somebody else may run in its place
 * meanwhile, which is a runner's, or is held by a job. With the lock held. */
void
tasker_core_lend (TaskerCore *self,
                  gboolean    held)
{
  if (held)
    tasker_core_hold (self, -1);
  else
    self->n_lent++;
  tasker_core_kick (self);
}

/* It wants its place back, and has it when the latter returns TRUE: who waits
 * for that is nudged. */
void
tasker_core_reclaim (TaskerCore *self)
{
  self->n_reclaiming++;
}

gboolean
tasker_core_take_back (TaskerCore *self,
                       gboolean    held)
{
  /* With no bound of ours, what is held does not count. */
  if ((!held || self->max_running > 0) && count_places (self) + 1 > get_cap (self))
    {
      /* Who has jobs in hand would not come for long. */
      tasker_core_take_back_hands (self);
      return FALSE;
    }

  self->n_reclaiming--;
  if (held)
    tasker_core_hold (self, 1);
  else
    self->n_lent--;
  return TRUE;
}
