/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job on the main loop that goes on until it is stopped. */

#include "jobs-heartbeat.h"

#include <glib/gi18n.h>

#define INTERVAL_MS 1000

/* Called in the main loop, once a second. At the stop it just is not called any
 * more, so there is nothing to ask here. */
static gboolean
beat (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  guint *n_beats = user_data;
  g_autofree char *message = NULL;

  (*n_beats)++;
  message = g_strdup_printf (ngettext ("%u beat", "%u beats", *n_beats), *n_beats);

  /* Nobody knows how long it takes, so the fraction stays 0. */
  tasker_task_set_progress (TASKER_TASK (stopper), 0, message);

  return G_SOURCE_CONTINUE;
}

void
jobs_start_heartbeat (TaskerGroup *group)
{
  g_autoptr (TaskerTask) task = tasker_task_new_interval (_("Heartbeat"), INTERVAL_MS,
                                                          beat, g_new0 (guint, 1), g_free);

  tasker_group_add (group, task);
}
