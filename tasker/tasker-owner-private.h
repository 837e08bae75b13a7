/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-task.h"

G_BEGIN_DECLS

/* How many are told at once, at most; the main loop waits for their functions. */
#define TASKER_NEWS_SIZE 32

/*
 * TaskerOwner:
 *
 * Who completes async tasks, and the function that is told of them. It is there
 * for the rest of the process.
 */
typedef struct
{
  TaskerOwnerFunc func;
  gpointer        data;
} TaskerOwner;

TaskerOwner *tasker_owner_get (guint number);

/*
 * TaskerNews:
 *
 * What an owner is to be told of. It is used in one context only, and needs no
 * lock.
 */
typedef struct
{
  TaskerOwner *owner;
  guint        n_begun;
  guint        n_ended;
  guint        begun[TASKER_NEWS_SIZE]; /* the keys of tasks */
  guint        ended[TASKER_NEWS_SIZE];
} TaskerNews;

void         tasker_news_add_begun (TaskerNews      *self,
                                    TaskerOwner     *owner,
                                    guint            key);
void         tasker_news_add_ended (TaskerNews      *self,
                                    TaskerOwner     *owner,
                                    guint            key);
gboolean     tasker_news_is_full   (TaskerNews      *self);
gboolean     tasker_news_tell      (TaskerNews      *self);

G_END_DECLS
