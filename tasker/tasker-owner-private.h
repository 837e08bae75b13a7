/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-group.h"
#include "tasker-job-private.h"

G_BEGIN_DECLS

/*
 * TaskerOwner:
 *
 * Who completes the async tasks of a handle, and the function that is told of
 * them. The handle holds it, and so does each of the tasks.
 */
struct _TaskerOwner
{
  gatomicrefcount  ref_count;
  TaskerOwnerFunc  func;
  gpointer         data;
  GDestroyNotify   data_free;
  GMainContext    *context; /* where it is called, and its data freed */
};

TaskerOwner *tasker_owner_new   (TaskerOwnerFunc  func,
                                 gpointer         data,
                                 GDestroyNotify   data_free);
TaskerOwner *tasker_owner_ref   (TaskerOwner     *self);
void         tasker_owner_unref (TaskerOwner     *self);

/*
 * TaskerNews:
 *
 * What an owner is to be told of. It is used in one context only, and needs no
 * lock.
 */
typedef struct
{
  TaskerOwner *owner;
  GPtrArray   *begun;
  GPtrArray   *ended;
} TaskerNews;

void         tasker_news_add_begun (TaskerNews      *self,
                                    TaskerOwner     *owner,
                                    TaskerTask      *task);
void         tasker_news_add_ended (TaskerNews      *self,
                                    TaskerOwner     *owner,
                                    TaskerTask      *task);
gboolean     tasker_news_is_full   (TaskerNews      *self);
gboolean     tasker_news_tell      (TaskerNews      *self);

G_END_DECLS
