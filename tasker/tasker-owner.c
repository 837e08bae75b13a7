/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells those who complete async tasks which ones have begun and ended. Many at
 * once, and by numbers, for what they call into is another language as a rule,
 * where one call costs as much as the rest of a task, and an object not less. */

#include "tasker-owner-private.h"

#define MAX_OWNERS 16

static TaskerOwner owners[MAX_OWNERS];
static guint n_owners;
G_LOCK_DEFINE_STATIC (owners);

/* Returns: %NULL if nobody has that number */
TaskerOwner *
tasker_owner_get (guint number)
{
  TaskerOwner *self = number > 0 && number <= MAX_OWNERS ? &owners[number - 1] : NULL;

  return self != NULL && self->func != NULL ? self : NULL;
}

static void
open_for (TaskerNews  *self,
          TaskerOwner *owner)
{
  if (self->owner == owner)
    return;

  tasker_news_tell (self);
  self->owner = owner;
}

void
tasker_news_add_begun (TaskerNews  *self,
                       TaskerOwner *owner,
                       guint        key)
{
  open_for (self, owner);
  self->begun[self->n_begun++] = key;
}

void
tasker_news_add_ended (TaskerNews  *self,
                       TaskerOwner *owner,
                       guint        key)
{
  open_for (self, owner);
  self->ended[self->n_ended++] = key;
}

gboolean
tasker_news_is_full (TaskerNews *self)
{
  return self->n_begun + self->n_ended >= TASKER_NEWS_SIZE;
}

/* The owner may iterate the main loop, and then there may be further news.
 *
 * Returns: whether there was something to tell */
gboolean
tasker_news_tell (TaskerNews *self)
{
  TaskerNews news;

  if (self->owner == NULL)
    return FALSE;

  news = *self;
  self->owner = NULL;
  self->n_begun = self->n_ended = 0;
  news.owner->func (news.owner->data, news.begun, news.n_begun, news.ended, news.n_ended);

  return TRUE;
}

/**
 * tasker_task_register_async_owner:
 * @func: (scope notified) (closure user_data) (destroy user_data_free): is told
 *   what has become of the tasks
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data if there is no room
 *
 * Registers somebody who completes async tasks, such as the binding of a
 * language, for the rest of the process.
 *
 * Returns: the number of the owner, for [ctor@Tasker.Task.new_owned]; or 0 if
 *   there are 16 already
 *
 * Since: 1.0
 */
guint
tasker_task_register_async_owner (TaskerOwnerFunc func,
                                  gpointer        user_data,
                                  GDestroyNotify  user_data_free)
{
  guint number = 0;

  g_return_val_if_fail (func != NULL, 0);

  G_LOCK (owners);
  if (n_owners < MAX_OWNERS)
    {
      owners[n_owners].func = func;
      owners[n_owners].data = user_data;
      number = ++n_owners;
    }
  G_UNLOCK (owners);

  if (number == 0 && user_data_free != NULL)
    user_data_free (user_data);

  return number;
}
