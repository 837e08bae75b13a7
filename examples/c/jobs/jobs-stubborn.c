/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job that won't die: how not to write one. It is here to show that it does
 * not keep the process from ending. */

#include "jobs-stubborn.h"

#include <glib/gi18n.h>

#define DURATION_S 600

/* Runs in a thread, and never asks @stopper. C has no way to end it. */
static gboolean
ignore_stopper (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  for (guint i = 0; i < DURATION_S; i++)
    {
      guint n_left = DURATION_S - i;
      g_autofree char *message = NULL;

      message = g_strdup_printf (ngettext ("Does not listen, and takes %u second more",
                                           "Does not listen, and takes %u seconds more",
                                           n_left), n_left);
      tasker_task_set_progress (TASKER_TASK (stopper), i / (double) DURATION_S, message);

      g_usleep (G_USEC_PER_SEC);
    }

  return TRUE;
}

void
jobs_start_stubborn (TaskerGroup *group)
{
  g_autoptr (TaskerTask) task = tasker_task_new (_("A job that won’t die"), ignore_stopper, NULL, NULL);

  tasker_group_add (group, task);
}
