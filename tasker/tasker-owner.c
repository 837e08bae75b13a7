/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells those who complete async tasks which ones have begun and ended. Many at
 * once, for what they call into is another language as a rule, where one call
 * costs as much as the rest of a task. */

#include "tasker-owner-private.h"

/* How many are told at once, at most; the main loop waits for their functions. */
#define BATCH_SIZE 32

TaskerOwner *
tasker_owner_new (TaskerOwnerFunc  func,
                  gpointer         data,
                  GDestroyNotify   data_free)
{
  TaskerOwner *self = g_new0 (TaskerOwner, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->func = func;
  self->data = data;
  self->data_free = data_free;
  self->context = g_main_context_ref_thread_default ();

  return self;
}

TaskerOwner *
tasker_owner_ref (TaskerOwner *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

static gboolean
tasker_owner_free (gpointer data)
{
  TaskerOwner *self = data;

  if (self->data_free != NULL)
    self->data_free (self->data);
  g_main_context_unref (self->context);
  g_free (self);

  return G_SOURCE_REMOVE;
}

/* A handle may be finalized in any thread, but the data belongs to one. */
void
tasker_owner_unref (TaskerOwner *self)
{
  g_autoptr(GSource) source = NULL;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  if (g_main_context_is_owner (self->context))
    {
      tasker_owner_free (self);
      return;
    }

  source = g_idle_source_new ();
  g_source_set_static_name (source, "[tasker] owner");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tasker_owner_free, self, NULL);
  g_source_attach (source, self->context);
}

static void
open_for (TaskerNews  *self,
          TaskerOwner *owner)
{
  if (self->owner == owner)
    return;

  tasker_news_tell (self);
  self->owner = tasker_owner_ref (owner);
  self->begun = g_ptr_array_new_full (BATCH_SIZE, g_object_unref);
  self->ended = g_ptr_array_new_full (BATCH_SIZE, g_object_unref);
}

void
tasker_news_add_begun (TaskerNews  *self,
                       TaskerOwner *owner,
                       TaskerTask  *task)
{
  open_for (self, owner);
  g_ptr_array_add (self->begun, g_object_ref (task));
}

void
tasker_news_add_ended (TaskerNews  *self,
                       TaskerOwner *owner,
                       TaskerTask  *task)
{
  open_for (self, owner);
  g_ptr_array_add (self->ended, g_object_ref (task));
}

gboolean
tasker_news_is_full (TaskerNews *self)
{
  return self->owner != NULL && self->begun->len + self->ended->len >= BATCH_SIZE;
}

/* Returns: whether there was something to tell */
gboolean
tasker_news_tell (TaskerNews *self)
{
  TaskerOwner *owner = g_steal_pointer (&self->owner);
  g_autoptr(GPtrArray) begun = g_steal_pointer (&self->begun);
  g_autoptr(GPtrArray) ended = g_steal_pointer (&self->ended);

  if (owner == NULL)
    return FALSE;

  owner->func (owner->data,
               (TaskerTask **) begun->pdata, begun->len,
               (TaskerTask **) ended->pdata, ended->len);
  tasker_owner_unref (owner);

  return TRUE;
}
