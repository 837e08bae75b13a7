/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes the thumbnail of one picture. Knows nothing of tasks. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GHashTable *thumbnail_list_content_types (void);

gboolean    thumbnail_make               (GFile         *picture,
                                          const char    *directory,
                                          int            size,
                                          gboolean      *made,
                                          GCancellable  *cancellable,
                                          GError       **error);

G_END_DECLS
