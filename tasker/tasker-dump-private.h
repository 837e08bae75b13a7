/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

char      *tasker_core_dump          (TaskerCore *self);
/* The tasks that go on after the stop, here and in groups below, for people: the
 * first few, and how many there are. */
GPtrArray *tasker_core_list_ignoring (TaskerCore *self,
                                      guint       n_wanted,
                                      guint      *n_all);

G_END_DECLS
