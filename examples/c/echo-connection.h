/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

/* What the tasks of the echo server share. All of them run on one main loop,
 * so it needs no lock. */
typedef struct
{
  /* Cancelled when echoes at hand are not to be completed */
  GCancellable *give_up;

  /* Tasks for which GIO still has a callback to call */
  guint         n_under_way;

  gulong        n_connections;
  gulong        n_lines;
  gulong        n_bytes;
  gulong        n_failed;
  gulong        n_given_up; /* connections whose last echo is not complete */
} Service;

void add_connection (TaskerGroup       *group,
                     Service           *service,
                     GSocketConnection *stream);

G_END_DECLS
