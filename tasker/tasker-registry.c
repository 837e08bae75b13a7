/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The owners of tasks that are known by number, and for ever: a function for
 * each task would cost a binding more than the rest of the task. */

#include "tasker-registry-private.h"

#define MAX_OWNERS 16

/* An entry is written before anybody knows its number, and never again. */
static TaskerRegistered owners[MAX_OWNERS];
static guint n_owners;
G_LOCK_DEFINE_STATIC (owners);

/* Returns: the number, from 1 on; or 0 if there are too many, and @user_data is
 * freed */
guint
tasker_registry_add (const TaskerJobKind *kind,
                     GCallback            func,
                     gpointer             user_data,
                     GDestroyNotify       user_data_free)
{
  guint number = 0;

  G_LOCK (owners);
  if (n_owners < MAX_OWNERS)
    {
      owners[n_owners] = (TaskerRegistered) { kind, func, user_data };
      number = ++n_owners;
    }
  G_UNLOCK (owners);

  if (number == 0 && user_data_free != NULL)
    user_data_free (user_data);

  return number;
}

/* Returns: (nullable): the owner, or %NULL if it does not own tasks of this kind */
const TaskerRegistered *
tasker_registry_find (const TaskerJobKind *kind,
                      guint                number)
{
  if (number == 0 || number > MAX_OWNERS || owners[number - 1].kind != kind)
    return NULL;

  return &owners[number - 1];
}
