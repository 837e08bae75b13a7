/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-worker.h"

G_BEGIN_DECLS

void tasker_worker_idle (void);

G_END_DECLS
