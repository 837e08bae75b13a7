/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The memory pool of light tasks: see the header. Each thread has a magazine
 * of free blocks; full magazines go to a depot, where other threads get them.
 * What would be more than the depot holds is given back to the allocator. */

#include "tasker-pool-private.h"

#define MAGAZINE_SIZE 64
#define MAX_MAGAZINES 64

typedef struct _TaskerBlock TaskerBlock;

struct _TaskerBlock
{
  TaskerBlock *next;          /* in its magazine */
  TaskerBlock *next_magazine; /* of the first one, in the depot */
};

typedef struct
{
  TaskerBlock *blocks;
  guint        n_blocks;
} TaskerMagazine;

static GMutex depot_lock;
static TaskerBlock *depot;
static guint n_magazines;

static void
free_blocks (TaskerBlock *blocks)
{
  while (blocks != NULL)
    {
      TaskerBlock *next = blocks->next;

      g_free (blocks);
      blocks = next;
    }
}

static void
free_magazine (gpointer data)
{
  TaskerMagazine *magazine = data;

  free_blocks (magazine->blocks);
  g_free (magazine);
}

static TaskerMagazine *
get_magazine (void)
{
  static GPrivate magazines = G_PRIVATE_INIT (free_magazine);
  TaskerMagazine *magazine = g_private_get (&magazines);

  if (G_UNLIKELY (magazine == NULL))
    {
      magazine = g_new0 (TaskerMagazine, 1);
      g_private_set (&magazines, magazine);
    }

  return magazine;
}

static void
load (TaskerMagazine *magazine)
{
  g_mutex_lock (&depot_lock);
  if (depot != NULL)
    {
      magazine->blocks = depot;
      magazine->n_blocks = MAGAZINE_SIZE;
      depot = depot->next_magazine;
      n_magazines--;
    }
  g_mutex_unlock (&depot_lock);
}

static void
unload (TaskerMagazine *magazine)
{
  TaskerBlock *blocks = g_steal_pointer (&magazine->blocks);

  magazine->n_blocks = 0;

  g_mutex_lock (&depot_lock);
  if (n_magazines < MAX_MAGAZINES)
    {
      blocks->next_magazine = depot;
      depot = g_steal_pointer (&blocks);
      n_magazines++;
    }
  g_mutex_unlock (&depot_lock);

  free_blocks (blocks);
}

gpointer
tasker_pool_alloc (gsize size)
{
  TaskerMagazine *magazine = get_magazine ();
  TaskerBlock *block;

  if (magazine->n_blocks == 0)
    load (magazine);
  if (magazine->n_blocks == 0)
    return g_malloc (size);

  block = magazine->blocks;
  magazine->blocks = block->next;
  magazine->n_blocks--;

  return block;
}

void
tasker_pool_free (gpointer memory)
{
  TaskerMagazine *magazine = get_magazine ();
  TaskerBlock *block = memory;

  block->next = magazine->blocks;
  magazine->blocks = block;
  if (++magazine->n_blocks == MAGAZINE_SIZE)
    unload (magazine);
}
