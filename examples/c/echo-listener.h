/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "echo-connection.h"

G_BEGIN_DECLS

void add_listener (TaskerGroup     *group,
                   Service         *service,
                   GSocketListener *socket);

G_END_DECLS
