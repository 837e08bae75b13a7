/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Has the library say something with numbers in it: that a join waits for one
 * handle, and for three, and what a group is doing. Prints that, in the language
 * of the environment, with the translations from the directory that it is given. */

#include <tasker.h>

#include <libintl.h>
#include <locale.h>

static int n_said;

/* Called in a thread of the library. */
static void
on_message (const char      *log_domain,
            GLogLevelFlags   log_level,
            const char      *message,
            gpointer         user_data)
{
  g_print ("%s\n", message);
  g_atomic_int_inc (&n_said);
  g_main_context_wakeup (NULL);
}

static GPtrArray *
forget_handles (const char *name,
                guint       n_handles)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (name);
  GPtrArray *handles = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  for (i = 0; i < n_handles; i++)
    g_ptr_array_add (handles, tasker_group_clone (group));
  tasker_group_join_async (group, NULL, NULL, NULL);

  return handles;
}

static void
describe_group (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("Leer");
  g_autofree char *dump = tasker_group_dump (group);

  g_print ("%s", dump);
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr (GPtrArray) one = NULL;
  g_autoptr (GPtrArray) three = NULL;

  setlocale (LC_ALL, "");
  g_log_set_handler ("Tasker", G_LOG_LEVEL_MESSAGE, on_message, NULL);

  one = forget_handles ("Eins", 1);
  three = forget_handles ("Drei", 3);
  /* Now that the library has named its own directory. */
  bindtextdomain ("libtasker", argv[1]);
  describe_group ();

  while (g_atomic_int_get (&n_said) < 2)
    g_main_context_iteration (NULL, TRUE);

  return 0;
}
