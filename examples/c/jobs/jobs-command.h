/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

gboolean jobs_run_command (TaskerGroup  *group,
                           const char   *command,
                           GError      **error);

G_END_DECLS
