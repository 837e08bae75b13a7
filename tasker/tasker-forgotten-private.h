/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

void tasker_forgotten_look  (TaskerCore *core);
void tasker_forgotten_watch (TaskerCore *core);

G_END_DECLS
