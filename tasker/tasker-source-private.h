/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "tasker-stopper.h"

G_BEGIN_DECLS

/*
 * TaskerSource:
 *
 * The shared cancellation source of a group: whether the group was stopped or
 * aborted, and which stoppers are to hear of it.
 *
 * It is the first member of the group's core, and shares its reference count;
 * so whoever may stop or be stopped - groups, stoppers, signallers - holds a
 * reference to the source and can outlive every handle.
 *
 * Stoppers are held weakly: one leaves in its dispose(). No lock is held while
 * a stopper is cancelled.
 */

/* In a struct: what is behind it is in another cache line than what is before
 * it. What many threads read and hardly one writes does not share its line with
 * what is written for each task, or each of them would wait for the others'. */
#define TASKER_APART(n) char apart_##n[64]

/* Has memory that is needed in a moment come near meanwhile. If it is not there, or
 * not what it was taken for, nothing happens. */
static inline void
tasker_prefetch (gconstpointer memory,
                 gsize         size)
{
#ifdef __GNUC__
  for (gsize offset = 0; offset < size; offset += 64)
    __builtin_prefetch ((gconstpointer) ((guintptr) memory + offset), 1);
#endif
}

/* In a long chain each record would have to come from main memory before it is known
 * where the next one is. But records that were made one after the other mostly
 * have the same distance in memory, so one can guess where a later one is. */
static inline void
tasker_prefetch_later (gconstpointer record,
                       gconstpointer next,
                       gsize         size)
{
  guintptr here = (guintptr) record;

  tasker_prefetch ((gconstpointer) (here + 8 * ((guintptr) next - here)), size);
}

/* A stopper, or a task. What belongs to its classes is before it. */
static inline void
tasker_prefetch_stopper (gconstpointer stopper)
{
  tasker_prefetch ((const char *) stopper - 128, 320);
}

typedef struct _TaskerSource TaskerSource;

/* In rising order; a source only ever rises. */
typedef enum
{
  TASKER_LEVEL_NONE,
  TASKER_LEVEL_STOPPED,
  TASKER_LEVEL_ABORTED,
} TaskerLevel;

struct _TaskerSource
{
  GMutex lock;
  gint64 stopped_at; /* monotonic time, 0 before; under the lock */
  GQueue stoppers;   /* links of TaskerStopper; under the lock */

  TASKER_APART (0);
  int    level;      /* atomic, a TaskerLevel; written under the lock */
};

void           tasker_source_init           (TaskerSource  *self);
void           tasker_source_clear          (TaskerSource  *self);
TaskerSource  *tasker_source_ref            (TaskerSource  *self);
void           tasker_source_unref          (TaskerSource  *self);

TaskerLevel    tasker_source_get_level      (TaskerSource  *self);
gint64         tasker_source_get_stopped_at (TaskerSource  *self);
gboolean       tasker_source_raise          (TaskerSource  *self,
                                             TaskerLevel    level);
gboolean       tasker_source_raise_alone    (TaskerSource  *self,
                                             TaskerLevel    level);
gboolean       tasker_source_mark           (TaskerSource  *self,
                                             TaskerLevel    level,
                                             GPtrArray    **stoppers);
void           tasker_source_spread         (TaskerSource  *self,
                                             TaskerLevel    level,
                                             GPtrArray     *stoppers);
gboolean       tasker_source_link           (TaskerSource  *self,
                                             GList         *link,
                                             gpointer       stopper);
void           tasker_source_unlink         (TaskerSource  *self,
                                             GList         *link);

/* Cancels on behalf of Tasker. In the handlers no call may block. */
void           tasker_cancel                (GCancellable  *cancellable);
gboolean       tasker_in_cancelled_handler  (void);

G_END_DECLS
