/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-home-private.h"

G_BEGIN_DECLS

typedef struct _TaskerWatcher TaskerWatcher;

/* Whether there is somebody to hear what a watcher would say. Called from any
 * thread, with the core's lock held. */
typedef gboolean (*TaskerHeardFunc) (gpointer object);

/*
 * TaskerWatcher:
 *
 * A part of an object that is told in its home context what has changed in a
 * group: a stream, a list of tasks, or a handle that has properties.
 *
 * Somebody who listens to a property cannot be noticed when he begins to, only
 * when there is something to tell. So the watchers of a core are in two queues:
 * those who are listened to, and those who are asked at a change whether they
 * are by now.
 */
struct _TaskerWatcher
{
  TaskerHomeClient client;
  gpointer         object;   /* not owned */
  TaskerHeardFunc  is_heard; /* %NULL if that can be taken for granted */
  guint            wanted;   /* a TaskerChange for each kind */

  /* Under the core's lock */
  GQueue          *queue;    /* of the core, that it is in, or %NULL */
  GList            link;
  guint            changed;  /* what it was not told yet */
};

void     tasker_watcher_init   (TaskerWatcher   *self,
                                gpointer         object,
                                guint            wanted,
                                TaskerHeardFunc  is_heard,
                                TaskerTellFunc   tell);
void     tasker_watcher_clear  (TaskerWatcher   *self);

/* With the core's lock held. */
void     tasker_watcher_join   (TaskerWatcher   *self,
                                TaskerCore      *core);
void     tasker_watcher_leave  (TaskerWatcher   *self,
                                TaskerCore      *core);
guint    tasker_watcher_take   (TaskerWatcher   *self,
                                TaskerCore      *core);
void     tasker_watch_change   (TaskerCore      *core,
                                guint            changed,
                                TaskerWatcher   *self);
void     tasker_watch_arm      (TaskerCore      *core);
void     tasker_watch_settle   (TaskerCore      *core);
gboolean tasker_watch_is_late  (TaskerCore      *core);

/* Without it. */
void     tasker_watch_ask_later (TaskerCore     *core);

G_END_DECLS
