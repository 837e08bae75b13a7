/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

void jobs_make_thumbnails (TaskerGroup  *group,
                           GFile        *folder,
                           GCancellable *give_up);

G_END_DECLS
