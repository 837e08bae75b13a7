/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* As small a program as can be, built against the installed library. */

#include <tasker.h>

static gboolean
greet (gpointer user_data, GCancellable *stopper, GError **error)
{
  g_print ("%s\n", (const char *) user_data);
  return TRUE;
}

int
main (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("greeters");

  tasker_group_spawn (group, "greeter", greet, "hello from a task", NULL);
  return tasker_group_join (group, NULL, NULL) ? 0 : 1;
}
