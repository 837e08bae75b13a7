/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/*
 * TaskerWeak:
 *
 * What is known weakly of an object. It has a reference count of its own, so it
 * can be kept under a lock, and asked for the object when the lock is open.
 *
 * A reference to an object that is known weakly must not be taken under a lock
 * of ours: it may be the second one beside a toggle reference, and then code of
 * a binding is called, which takes the lock of its language.
 */
typedef struct _TaskerWeak TaskerWeak;

TaskerWeak *tasker_weak_new   (gpointer    object);
TaskerWeak *tasker_weak_ref   (TaskerWeak *self);
void        tasker_weak_unref (TaskerWeak *self);

/* No lock held: a reference to the object, or %NULL if it is about to be
 * finalized. */
gpointer    tasker_weak_get   (TaskerWeak *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TaskerWeak, tasker_weak_unref)

G_END_DECLS
