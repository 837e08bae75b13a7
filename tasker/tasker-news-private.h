/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-owner-private.h"

G_BEGIN_DECLS

/* How many are told at once, at most; the main loop waits for their functions. */
#define TASKER_NEWS_SIZE 32

/*
 * TaskerNews:
 *
 * What an owner of async tasks is to be told of. It is used in one context only, and needs no
 * lock.
 */
typedef struct
{
  const TaskerOwner *owner;
  guint              n_begun;
  guint              n_ended;
  gsize              begun[TASKER_NEWS_SIZE]; /* the keys of tasks */
  gsize              ended[TASKER_NEWS_SIZE];
} TaskerNews;

void     tasker_news_open      (TaskerNews        *self,
                                const TaskerOwner *owner);
void     tasker_news_add_begun (TaskerNews        *self,
                                const TaskerOwner *owner,
                                gsize              key);
void     tasker_news_add_ended (TaskerNews        *self,
                                const TaskerOwner *owner,
                                gsize              key);
gboolean tasker_news_is_full   (TaskerNews        *self);
gboolean tasker_news_tell      (TaskerNews        *self);

G_END_DECLS
