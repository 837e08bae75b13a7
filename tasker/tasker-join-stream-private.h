/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"
#include "tasker-join-stream.h"

G_BEGIN_DECLS

/* A stream of the results of a group. It counts as a finished handle. */
TaskerJoinStream *tasker_join_stream_new (TaskerCore *core);

G_END_DECLS
