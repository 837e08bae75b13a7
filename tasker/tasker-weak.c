/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is known weakly of an object: see the header. */

#include "tasker-weak-private.h"

struct _TaskerWeak
{
  GWeakRef object;
};

TaskerWeak *
tasker_weak_new (gpointer object)
{
  TaskerWeak *self = g_atomic_rc_box_new (TaskerWeak);

  g_weak_ref_init (&self->object, object);

  return self;
}

TaskerWeak *
tasker_weak_ref (TaskerWeak *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
tasker_weak_clear (gpointer data)
{
  TaskerWeak *self = data;

  g_weak_ref_clear (&self->object);
}

void
tasker_weak_unref (TaskerWeak *self)
{
  g_atomic_rc_box_release_full (self, tasker_weak_clear);
}

gpointer
tasker_weak_get (TaskerWeak *self)
{
  return g_weak_ref_get (&self->object);
}
