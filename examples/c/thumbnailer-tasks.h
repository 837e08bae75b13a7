/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

/* What the tasks have in common. It does not change while they run. */
typedef struct
{
  /* Files of these types are pictures */
  GHashTable   *content_types;

  /* Where all thumbnails are, and in it the directory for those of @size */
  GFile        *root;
  char         *target;
  int           size;

  gboolean      recursive;

  /* Cancelled when pictures at hand are not to be completed */
  GCancellable *give_up;
} Plan;

void spawn_picture   (TaskerGroup *pictures,
                      const Plan  *plan,
                      GFile       *file);
void spawn_directory (TaskerGroup *directories,
                      TaskerGroup *pictures,
                      const Plan  *plan,
                      GFile       *file);

G_END_DECLS
