/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The smallest program: a group, two tasks, one of which starts the other,
 * and a thread that stops them both. It runs for one second. */

#include <tasker.h>

/* A task's function runs in a worker thread. @stopper tells when to stop. */
static gboolean
tick (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  /* The sleep ends early, with an error, at the stop. To fail with that
   * error is how a task says that it has ended because it was stopped. */
  while (tasker_stopper_sleep (TASKER_STOPPER (stopper), 10 * 1000, error))
    g_print ("tick\n");

  return FALSE;
}

static gboolean
hello (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  TaskerGroup *group = user_data;

  /* A task may start others. Then it finishes its handle, to promise that no
   * more will come: a join waits for that, too. */
  tasker_group_spawn (group, "tick", tick, NULL, NULL);
  tasker_group_finish (group);

  g_print ("hello\n");
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  g_print ("goodbye\n");

  return TRUE;
}

/* Not a task, and no part of the group: a signaller can stop a group, and
 * does not keep it open. */
static gpointer
stop_after_a_second (gpointer user_data)
{
  g_autoptr (TaskerSignaller) signaller = user_data;

  g_usleep (G_USEC_PER_SEC);
  tasker_signaller_stop (signaller);

  return NULL;
}

int
main (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("greetings");
  g_autoptr (GError) error = NULL;
  GThread *thread;

  /* The task gets a handle of its own, which goes when the task has ended. */
  tasker_group_spawn (group, "hello", hello, tasker_group_clone (group), g_object_unref);

  thread = g_thread_new ("stop", stop_after_a_second, tasker_group_create_signaller (group));

  /* Waits for every task, and reports the first that failed. To be stopped
   * is not a failure. */
  if (!tasker_group_join (group, NULL, &error))
    g_printerr ("%s\n", error->message);

  g_thread_join (thread);

  return error == NULL ? 0 : 1;
}
