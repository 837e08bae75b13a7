/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The one header that programs include. */

#define TASKER_INSIDE
#include <tasker-enums.h>
#include <tasker-error.h>
#include <tasker-group.h>
#include <tasker-join-stream.h>
#include <tasker-owner.h>
#include <tasker-signaller.h>
#include <tasker-stopper.h>
#include <tasker-task.h>
#include <tasker-unless.h>
#include <tasker-version.h>
#include <tasker-worker.h>
#undef TASKER_INSIDE
