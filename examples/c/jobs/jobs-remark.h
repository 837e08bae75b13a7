/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

char *jobs_dup_remark (TaskerTask *task);

G_END_DECLS
