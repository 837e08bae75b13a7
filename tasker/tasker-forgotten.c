/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles that were forgotten: a join that waits for nothing else says so after a
 * while. */

#include "tasker-forgotten-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-service-private.h"

/* How long a join waits for handles alone before it says so. */
#define HANDLES_PATIENCE_MS 5000

/* A group that has nothing to do but to wait for handles, or for children, has
 * perhaps forgotten one. Who waits for a child may be a joiner of its parent. With the
 * lock held. */
void
tasker_forgotten_look (TaskerCore *self)
{
  gboolean alone = (self->n_joiners > 0 || self->parent != NULL) &&
                   self->n_open + self->children.length > 0 &&
                   tasker_core_get_n_live (self) == self->children.length;

  if (!alone)
    self->alone_since = 0;
  else if (self->alone_since == 0)
    self->alone_since = g_get_monotonic_time ();

  if (alone && self->n_joiners > 0 && !self->watching_handles && !self->told_handles)
    self->todo.watch_handles = self->watching_handles = TRUE;
  if (!alone || self->n_joiners == 0)
    self->told_handles = FALSE;
}

/* Whether it has waited like that for long; with the lock held. */
static gboolean
is_long_alone (TaskerCore *self)
{
  return self->alone_since != 0 &&
         g_get_monotonic_time () - self->alone_since >= HANDLES_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
}

static void
say_forgotten (TaskerCore *self,
               guint       n_open)
{
  g_message (g_dngettext (GETTEXT_PACKAGE,
                          "Group “%s” has no task left, but its join waits for %u handle that is not finished",
                          "Group “%s” has no task left, but its join waits for %u handles that are not finished",
                          n_open),
             self->name != NULL ? self->name : "", n_open);
}

/* Tells of the group, and of those below it. Returns: whether there was one to tell of */
static gboolean
say_all_forgotten (TaskerCore *self)
{
  GQueue groups = G_QUEUE_INIT;
  gboolean said = FALSE;
  TaskerCore *core;

  g_queue_push_tail (&groups, tasker_core_ref (self));
  while ((core = g_queue_pop_head (&groups)) != NULL)
    {
      guint n_open;

      tasker_core_lock (core);
      n_open = is_long_alone (core) ? core->n_open : 0;
      for (GList *l = core->children.head; l != NULL; l = l->next)
        g_queue_push_tail (&groups, tasker_core_ref (l->data));
      tasker_core_unlock (core);

      if (n_open > 0)
        say_forgotten (core, n_open);
      said = said || n_open > 0;
      tasker_core_unref (core);
    }

  return said;
}

static gboolean
on_handles_timer (gpointer user_data)
{
  TaskerCore *self = user_data;
  gboolean said = say_all_forgotten (self);
  gboolean again;

  tasker_core_lock (self);
  self->told_handles = said;
  self->watching_handles = !said && self->alone_since != 0 && self->n_joiners > 0;
  again = self->watching_handles;
  tasker_core_unlock (self);

  return again ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Without the lock. */
void
tasker_forgotten_watch (TaskerCore *self)
{
  tasker_service_add_timer (HANDLES_PATIENCE_MS, on_handles_timer,
                            tasker_core_ref (self), (GDestroyNotify) tasker_core_unref);
}
