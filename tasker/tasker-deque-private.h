/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * TaskerDeque:
 *
 * Pointers in a row: added behind, taken away in front, and found by their
 * place, each at a cost that does not grow with their number. Not locked.
 *
 * They are kept in chunks, so none is moved when there get to be many.
 */
typedef struct
{
  GPtrArray *chunks;
  gsize      first;  /* the place of the first one in the chunks */
  gsize      length;
} TaskerDeque;

void     tasker_deque_init  (TaskerDeque *self);
void     tasker_deque_clear (TaskerDeque *self);
void     tasker_deque_push  (TaskerDeque *self,
                             gpointer     item);
gpointer tasker_deque_get   (TaskerDeque *self,
                             gsize        i);
void     tasker_deque_drop  (TaskerDeque *self,
                             gsize        n_items);

G_END_DECLS
