/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-job-private.h"
#include "tasker-owner.h"

G_BEGIN_DECLS

/*
 * TaskerOwner:
 *
 * Who has tasks of one kind, and the function that he is told of them with: as the
 * kind has it. It is there for the rest of the process.
 */
struct _TaskerOwner
{
  const TaskerJobKind *kind;
  GCallback            func;
  gpointer             user_data;
};

const TaskerOwner *tasker_owner_find (guint number);

G_END_DECLS
