/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row of pointers that is read in front: see the header. */

#include "tasker-deque-private.h"

#define CHUNK_SIZE 1024

void
tasker_deque_init (TaskerDeque *self)
{
  self->chunks = g_ptr_array_new_with_free_func (g_free);
}

void
tasker_deque_clear (TaskerDeque *self)
{
  g_clear_pointer (&self->chunks, g_ptr_array_unref);
}

static gpointer *
find (TaskerDeque *self,
      gsize        i)
{
  gpointer *chunk = g_ptr_array_index (self->chunks, (self->first + i) / CHUNK_SIZE);

  return &chunk[(self->first + i) % CHUNK_SIZE];
}

void
tasker_deque_push (TaskerDeque *self,
                   gpointer     item)
{
  if (self->first + self->length == (gsize) self->chunks->len * CHUNK_SIZE)
    g_ptr_array_add (self->chunks, g_new (gpointer, CHUNK_SIZE));

  *find (self, self->length) = item;
  self->length++;
}

/* @i is less than the length. */
gpointer
tasker_deque_get (TaskerDeque *self,
                  gsize        i)
{
  return *find (self, i);
}

/* Takes the first ones away. Chunks in front that are empty are let go when they
 * are half of all, so that closing the gap costs little for each. */
void
tasker_deque_drop (TaskerDeque *self,
                   gsize        n_items)
{
  guint n_empty;

  self->first += n_items;
  self->length -= n_items;

  n_empty = (guint) (self->first / CHUNK_SIZE);
  if (n_empty > 0 && n_empty >= self->chunks->len / 2)
    {
      g_ptr_array_remove_range (self->chunks, 0, n_empty);
      self->first -= (gsize) n_empty * CHUNK_SIZE;
    }
}
