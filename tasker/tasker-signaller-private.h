/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-signaller.h"
#include "tasker-source-private.h"

G_BEGIN_DECLS

TaskerSignaller *tasker_signaller_new (TaskerSource *source);

G_END_DECLS
