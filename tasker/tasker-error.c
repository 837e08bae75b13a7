/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The error domain. */

#include "tasker-error.h"

G_DEFINE_QUARK (tasker-error-quark, tasker_error)
