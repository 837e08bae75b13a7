/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

int report (GPtrArray *pictures,
            GPtrArray *directories,
            gboolean   stopped);

G_END_DECLS
