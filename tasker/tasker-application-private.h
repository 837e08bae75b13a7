/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tasker-core-private.h"

G_BEGIN_DECLS

/* The group's end in that of an application: see the source. */

void     tasker_application_init    (void);
gboolean tasker_application_is_over (GApplication *application);
void     tasker_application_bind    (GApplication *application,
                                     TaskerCore   *core,
                                     guint         grace_ms);

G_END_DECLS
