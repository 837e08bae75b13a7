/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Memory of the records that are made in one thread and freed in another, all
 * of one size. An allocator finds that hard: here it goes back in batches. */

gpointer tasker_pool_alloc (gsize    size);
void     tasker_pool_free  (gpointer memory);

G_END_DECLS
