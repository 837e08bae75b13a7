/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-trail-private.h"

G_BEGIN_DECLS

/*
 * TaskerQueue:
 *
 * A run queue: jobs in the order of their priority, GLib's scale, and first
 * in, first out within one. To add and to take cost the same however many
 * jobs wait; a priority in use other than the default costs a place in a
 * tree. Not locked.
 */
typedef struct
{
  TaskerJobList  normal;  /* G_PRIORITY_DEFAULT */
  TaskerTrail    trail;   /* of those */
  GTree         *others;  /* priority → TaskerJobList; made when needed */
  TaskerJob     *unasked; /* the first one in @normal of those of which it was not asked
                           * yet whether somebody listens; or one before them; or %NULL */
  guint          length;
  guint          n_urgent; /* of better priority than the default */
  guint          n_run_always;
} TaskerQueue;

void       tasker_queue_clear      (TaskerQueue *self);
void       tasker_queue_push       (TaskerQueue *self,
                                    TaskerJob   *job);
void       tasker_queue_push_front (TaskerQueue *self,
                                    TaskerJob   *job);
void       tasker_queue_remove     (TaskerQueue *self,
                                    TaskerJob   *job);
int        tasker_queue_pop        (TaskerQueue *self,
                                    TaskerJob  **jobs,
                                    int          n_wanted);
void       tasker_queue_foreach    (TaskerQueue *self,
                                    GFunc        func,
                                    gpointer     user_data);

G_END_DECLS
