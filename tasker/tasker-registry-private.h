/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-job-private.h"

G_BEGIN_DECLS

/*
 * TaskerRegistered:
 *
 * Somebody who runs tasks of one kind for the rest of the process, such as the
 * binding of a language, and is known by a number.
 */
struct _TaskerRegistered
{
  const TaskerJobKind *kind;
  GCallback            func;
  gpointer             user_data;
};

guint                   tasker_registry_add  (const TaskerJobKind *kind,
                                              GCallback            func,
                                              gpointer             user_data,
                                              GDestroyNotify       user_data_free);
const TaskerRegistered *tasker_registry_find (const TaskerJobKind *kind,
                                              guint                number);

G_END_DECLS
