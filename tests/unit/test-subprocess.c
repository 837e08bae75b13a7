/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_task_new_for_subprocess(): processes that end by themselves, that are
 * asked to, and that would not. No test but one runs a main loop. */

#include "tasker-test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define N_AT_ONCE 200

/* Programs. These first say that they are ready: before that, a shell has not
 * set its traps. */
#define SAY_READY "echo ready; "
#define SLEEP SAY_READY "exec sleep 987"
#define IGNORE_STOP "trap '' TERM; " SAY_READY "exec sleep 987"
#define EXIT_AT_STOP(status) \
  "trap 'exit " #status "' TERM; " SAY_READY "while true; do sleep 0.01; done"
#define EXIT_AT_SECOND_STOP(status) \
  "trap 'test $n && exit " #status "; n=1' TERM; " SAY_READY "for i in $(seq 30); do sleep 0.01; done; exit 0"

static GSubprocess *
start (const char *script)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "sh", "-c", script, NULL);
  g_assert_no_error (error);

  return process;
}

static GSubprocess *
start_and_wait (const char *script)
{
  GSubprocess *process = start (script);
  char text[6];

  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (process), text, 6, NULL, NULL), ==, 6);

  return process;
}

static TaskerTask *
add (TaskerGroup *group,
     GSubprocess *process)
{
  TaskerTask *task = tasker_task_new_for_subprocess ("process", process);

  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  tasker_group_add (group, task);

  return task;
}

/* Warnings of shutdowns that take long, and nothing else, go here. */
static char *overrun;

static GLogWriterOutput
keep_overrun (GLogLevelFlags   level,
              const GLogField *fields,
              gsize            n_fields,
              gpointer         user_data)
{
  for (gsize i = 0; i < n_fields; i++)
    {
      if (!g_str_equal (fields[i].key, "TASKER_TASKS"))
        continue;

      g_assert_null (overrun);
      overrun = g_strdup (fields[i].value);
      return G_LOG_WRITER_HANDLED;
    }

  return g_log_writer_default (level, fields, n_fields, user_data);
}

/* Every child was reaped, and all of them have ended. */
static void
assert_no_child (void)
{
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

/* Ends by itself */

static void
test_success (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start ("exit 0");
  g_autoptr (TaskerTask) task = add (group, process);

  g_assert_cmpstr (tasker_task_get_name (task), ==, "process");
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  assert_no_child ();
}

static void
check_failure (const char *script,
               GQuark      domain,
               int         code)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start (script);
  g_autoptr (TaskerTask) task = add (group, process);
  g_autoptr (GError) error = NULL;

  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, domain, code);
  g_assert_true (g_str_has_prefix (error->message, "Task “process”: "));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_FAILED);
  g_assert_error (tasker_task_get_error (task), domain, code);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
  assert_no_child ();
}

static void
test_failure (void)
{
  check_failure ("exit 1", G_SPAWN_EXIT_ERROR, 1);
  check_failure ("exit 77", G_SPAWN_EXIT_ERROR, 77);
}

/* By a signal that the group has not sent. */
static void
test_killed (void)
{
  check_failure ("kill -KILL $$", G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED);
  check_failure ("kill -TERM $$", G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED);
}

static void
test_killed_after_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (IGNORE_STOP);
  g_autoptr (TaskerTask) task = add (group, process);

  tasker_group_stop (group);
  g_subprocess_send_signal (process, SIGKILL);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  g_assert_error (tasker_task_get_error (task), G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

static void
test_ended_before (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) good = start ("exit 0");
  g_autoptr (GSubprocess) bad = start ("exit 3");
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (TaskerTask) failure = NULL;

  g_assert_true (g_subprocess_wait (good, NULL, NULL));
  g_assert_true (g_subprocess_wait (bad, NULL, NULL));
  task = add (group, good);
  failure = add (group, bad);

  g_assert_true (tasker_task_join (task, NULL, NULL));
  g_assert_false (tasker_task_join (failure, NULL, NULL));
  g_assert_error (tasker_task_get_error (failure), G_SPAWN_EXIT_ERROR, 3);
  tasker_group_abort (group);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 1, 1, 0, 0);
}

/* Is asked to */

static void
check_stop (const char      *script,
            TaskerTaskState  state)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (script);
  g_autoptr (TaskerTask) task = add (group, process);

  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_true (tasker_group_stop (group));
  tasker_group_join (group, NULL, NULL);
  g_assert_cmpint (tasker_task_get_state (task), ==, state);
  tasker_test_assert_equation (group);
  assert_no_child ();
}

static void
test_stop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (TaskerTask) task = NULL;

  check_stop (SLEEP, TASKER_TASK_STATE_STOPPED);
  check_stop (EXIT_AT_STOP (0), TASKER_TASK_STATE_SUCCEEDED);

  process = start_and_wait (EXIT_AT_STOP (7));
  task = add (group, process);
  tasker_group_stop (group);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  g_assert_error (tasker_task_get_error (task), G_SPAWN_EXIT_ERROR, 7);
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
}

/* However it came about that it is to stop, it is told so once, when it was added:
 * the second signal would be an abort for many programs. */
static void
nap (GCancellable *cancellable,
     gpointer      user_data)
{
  g_usleep (50000);
}

static void
test_stop_once (void)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GSubprocess) process = start_and_wait (EXIT_AT_SECOND_STOP (7));
      g_autoptr (TaskerTask) task = tasker_task_new_for_subprocess ("process", process);
      g_autoptr (GError) error = NULL;

      g_signal_connect_after (task, "cancelled", G_CALLBACK (nap), NULL);
      if (i == 0)
        tasker_group_stop (group);
      if (i == 1)
        g_cancellable_cancel (G_CANCELLABLE (task));
      tasker_group_add (group, task);
      if (i == 2)
        g_cancellable_cancel (G_CANCELLABLE (task));
      tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
    }
}

static void
test_stop_alone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (SLEEP);
  g_autoptr (GSubprocess) other_process = start_and_wait (SLEEP);
  g_autoptr (TaskerTask) task = add (group, process);
  g_autoptr (TaskerTask) other = add (group, other_process);
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (G_CANCELLABLE (task));
  g_assert_false (tasker_task_join (task, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_STOPPED);
  tasker_test_assert_counts (group, 2, 1, 0, 0, 1, 0);

  g_assert_true (tasker_task_abort (other));
  g_clear_error (&error);
  g_assert_false (tasker_task_join (other, NULL, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_ABORTED);
  g_assert_false (tasker_task_abort (other));
  g_assert_false (tasker_group_is_stopped (group));
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
}

static void
test_abort (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) deaf = start_and_wait (IGNORE_STOP);
  g_autoptr (GSubprocess) other = start_and_wait (SLEEP);
  g_autoptr (TaskerTask) deaf_task = add (group, deaf);
  g_autoptr (TaskerTask) other_task = add (group, other);

  tasker_group_stop (group);
  tasker_task_join (other_task, NULL, NULL);
  tasker_test_assert_counts (group, 2, 1, 0, 0, 1, 0);

  tasker_group_abort (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (deaf_task), ==, TASKER_TASK_STATE_ABORTED);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
  assert_no_child ();
}

static void
test_shutdown (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) child = tasker_group_new_child (group, "child");
  g_autoptr (GSubprocess) deaf = start_and_wait (IGNORE_STOP);
  g_autoptr (GSubprocess) other = start_and_wait (EXIT_AT_STOP (0));
  g_autoptr (TaskerTask) deaf_task = add (child, deaf);
  g_autoptr (TaskerTask) other_task = add (group, other);
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_group_shutdown (group, 1000, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (overrun, "“process” "));
  g_clear_pointer (&overrun, g_free);
  tasker_test_assert_counts (child, 1, 0, 0, 0, 0, 1);
  g_assert_cmpint (tasker_task_get_state (deaf_task), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_cmpint (tasker_task_get_state (other_task), ==, TASKER_TASK_STATE_SUCCEEDED);
  tasker_test_assert_counts (group, 2, 0, 1, 0, 0, 1);
  assert_no_child ();
}

/* Was asked before it was added. */
static void
test_asked_before (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) cancelled = start_and_wait (SLEEP);
  g_autoptr (GSubprocess) late = start_and_wait (SLEEP);
  g_autoptr (GSubprocess) deaf = start_and_wait (IGNORE_STOP);
  g_autoptr (TaskerTask) task = tasker_task_new_for_subprocess (NULL, cancelled);
  g_autoptr (TaskerTask) late_task = NULL;
  g_autoptr (TaskerTask) deaf_task = tasker_task_new_for_subprocess (NULL, deaf);

  g_cancellable_cancel (G_CANCELLABLE (task));
  g_assert_nonnull (g_subprocess_get_identifier (cancelled));
  tasker_group_add (group, task);
  tasker_task_join (task, NULL, NULL);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);

  tasker_group_stop (group);
  late_task = add (group, late);
  tasker_task_join (late_task, NULL, NULL);
  g_assert_cmpint (tasker_task_get_state (late_task), ==, TASKER_TASK_STATE_STOPPED);

  tasker_group_abort (group);
  g_assert_true (tasker_group_try_add (group, deaf_task, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 0, 0, 2, 1);
  assert_no_child ();
}

static void
test_deadline (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (SLEEP);
  g_autoptr (TaskerTask) task = tasker_task_new_for_subprocess ("slow", process);
  g_autoptr (GError) error = NULL;

  tasker_stopper_set_timeout_ms (TASKER_STOPPER (task), 20);
  tasker_group_add (group, task);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (tasker_group_is_stopped (group));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
  assert_no_child ();
}

static void
test_many (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GPtrArray) processes = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < N_AT_ONCE; i++)
    {
      g_autoptr (TaskerTask) task = NULL;

      g_ptr_array_add (processes, start ("exec sleep 987"));
      task = add (group, processes->pdata[i]);
    }
  tasker_test_assert_counts (group, N_AT_ONCE, N_AT_ONCE, 0, 0, 0, 0);

  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, N_AT_ONCE, 0, 0, 0, N_AT_ONCE, 0);
  assert_no_child ();
}

/* A stop that comes while it ends. */
static void
test_race (void)
{
  guint n_rounds = tasker_test_rounds (100);
  guint64 n_succeeded;
  guint n_all = 0;

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GSubprocess) process = start ("exit 0");
      g_autoptr (TaskerTask) task = add (group, process);

      g_usleep ((gulong) g_test_rand_int_range (0, 2000));
      if (i % 2 == 0)
        tasker_group_stop (group);
      else
        tasker_group_abort (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_true (tasker_task_is_finished (task));
      tasker_group_get_counts (group, NULL, NULL, &n_succeeded, NULL, NULL, NULL);
      n_all += (guint) n_succeeded;
      tasker_test_assert_equation (group);
    }

  g_test_message ("%u of %u ended by themselves", n_all, n_rounds);
  assert_no_child ();
}

/* With others */

static void
test_places (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (SLEEP);
  g_autoptr (GSubprocess) other_process = start_and_wait (SLEEP);
  g_autoptr (TaskerTask) thread = tasker_task_new ("thread", tasker_test_succeed, NULL, NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (TaskerTask) other = NULL;

  tasker_group_set_max_running (group, 1);
  tasker_group_set_max_queued (group, 1);
  task = add (group, process);
  tasker_group_add (group, thread);
  other = add (group, other_process);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_cmpint (tasker_task_get_state (other), ==, TASKER_TASK_STATE_RUNNING);

  g_cancellable_cancel (G_CANCELLABLE (task));
  tasker_task_join (task, NULL, NULL);
  g_usleep (20 * 1000);
  g_assert_cmpint (tasker_task_get_state (thread), ==, TASKER_TASK_STATE_QUEUED);
  tasker_test_assert_counts (group, 3, 2, 0, 0, 1, 0);

  g_cancellable_cancel (G_CANCELLABLE (other));
  g_assert_true (tasker_task_join (thread, NULL, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 1, 0, 2, 0);
}

static gboolean
join_task (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  return tasker_task_join (user_data, NULL, error);
}

/* A task that waits for it lends its place. */
static void
test_joined_in_task (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start ("sleep 0.05");
  g_autoptr (TaskerTask) task = add (group, process);

  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "joins", join_task, task, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

static void
test_main_loop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (SLEEP);
  g_autoptr (TaskerTask) task = add (group, process);
  g_autoptr (GAsyncResult) joined = NULL;
  g_autoptr (GAsyncResult) waited = NULL;

  g_subprocess_wait_async (process, NULL, tasker_test_keep, &waited);
  tasker_group_join_async (group, NULL, tasker_test_keep, &joined);
  tasker_test_iterate ();
  g_assert_null (joined);
  tasker_group_stop (group);
  tasker_test_iterate_until (joined != NULL && waited != NULL);
  g_assert_true (tasker_group_join_finish (group, joined, NULL));
  g_assert_true (g_subprocess_wait_finish (process, waited, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

static void
test_dropped (void)
{
  g_autoptr (GSubprocess) process = start_and_wait (IGNORE_STOP);
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = add (group, process);

  tasker_group_set_abort_on_drop (group, TRUE);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);
  g_object_unref (group);
  g_assert_false (tasker_task_join (task, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
  assert_no_child ();
}

static void
test_never_added (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GSubprocess) process = start_and_wait (SLEEP);
  TaskerTask *task = tasker_task_new_for_subprocess ("never", process);

  tasker_group_finish (group);
  g_assert_false (tasker_group_try_add (group, task, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  tasker_test_critical ("*G_IS_SUBPROCESS*", g_assert_null (tasker_task_new_for_subprocess ("none", NULL)));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);

  g_object_unref (task);
  g_assert_nonnull (g_subprocess_get_identifier (process));
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  assert_no_child ();
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);
  g_log_set_writer_func (keep_overrun, NULL, NULL);

  tasker_test_add ("/process/success", test_success);
  tasker_test_add ("/process/failure", test_failure);
  tasker_test_add ("/process/killed", test_killed);
  tasker_test_add ("/process/killed-after-stop", test_killed_after_stop);
  tasker_test_add ("/process/ended-before", test_ended_before);
  tasker_test_add ("/process/stop", test_stop);
  tasker_test_add ("/process/stop-once", test_stop_once);
  tasker_test_add ("/process/stop-alone", test_stop_alone);
  tasker_test_add ("/process/abort", test_abort);
  tasker_test_add ("/process/shutdown", test_shutdown);
  tasker_test_add ("/process/asked-before", test_asked_before);
  tasker_test_add ("/process/deadline", test_deadline);
  tasker_test_add ("/process/many", test_many);
  tasker_test_add ("/process/race", test_race);
  tasker_test_add ("/process/places", test_places);
  tasker_test_add ("/process/joined-in-task", test_joined_in_task);
  tasker_test_add ("/process/main-loop", test_main_loop);
  tasker_test_add ("/process/dropped", test_dropped);
  tasker_test_add ("/process/never-added", test_never_added);

  return g_test_run ();
}
