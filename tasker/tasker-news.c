/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells the owners of async tasks which ones have begun and ended. Many at once,
 * and by their keys, for what is called into is another language as a rule, where
 * one call costs as much as the rest of a task, and an object not less. */

#include "tasker-news-private.h"

/* Others are told what there is for them. */
void
tasker_news_open (TaskerNews        *self,
                  const TaskerOwner *owner)
{
  if (self->owner == owner)
    return;

  tasker_news_tell (self);
  self->owner = owner;
}

void
tasker_news_add_begun (TaskerNews        *self,
                       const TaskerOwner *owner,
                       gsize              key)
{
  tasker_news_open (self, owner);
  self->begun[self->n_begun++] = key;
}

void
tasker_news_add_ended (TaskerNews        *self,
                       const TaskerOwner *owner,
                       gsize              key)
{
  tasker_news_open (self, owner);
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
  TaskerAsyncOwnerFunc func;

  if (self->n_begun + self->n_ended == 0)
    return FALSE;

  news = *self;
  self->owner = NULL;
  self->n_begun = self->n_ended = 0;
  func = (TaskerAsyncOwnerFunc) news.owner->func;
  func (news.owner->user_data, news.begun, news.n_begun, news.ended, news.n_ended);

  return TRUE;
}
