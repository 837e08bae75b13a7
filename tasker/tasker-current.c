/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What each thread is inside of: see the header. */

#include "tasker-current-private.h"

static GPrivate innermost;

void
tasker_current_push (TaskerCurrent *self)
{
  self->outer = g_private_get (&innermost);
  g_private_set (&innermost, self);
}

void
tasker_current_pop (TaskerCurrent *self)
{
  g_assert (g_private_get (&innermost) == self);

  g_private_set (&innermost, self->outer);
}

TaskerCurrent *
tasker_current_get (void)
{
  return g_private_get (&innermost);
}

void
tasker_current_leave (TaskerJob *job)
{
  TaskerCurrent *current = tasker_current_get ();

  if (current != NULL && current->job == job)
    current->job = NULL;
}
