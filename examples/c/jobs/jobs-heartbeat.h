/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

void jobs_start_heartbeat (TaskerGroup *group);

G_END_DECLS
