/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_group_stop_on_signal(): real signals, sent to processes that this
 * program starts for it. Each is this program again, which then plays one of
 * the scenarios and says on its standard output how far it is. */

#include "tasker-test-child.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
watch (TaskerGroup *group,
       int          signum)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_group_stop_on_signal (group, signum, &error));
  g_assert_no_error (error);
}

static guint64
get_n_aborted (TaskerGroup *group)
{
  guint64 n_aborted;

  tasker_group_get_counts (group, NULL, NULL, NULL, NULL, NULL, &n_aborted);
  tasker_test_assert_equation (group);

  return n_aborted;
}

/* A group with a function that never returns, and behind it a task that runs
 * after a stop, but not after an abort: so that can be seen. */
static TaskerGroup *
make_stubborn_group (void)
{
  static TaskerTestGate gate;
  TaskerGroup *group = tasker_test_group ("stubborn");
  g_autoptr (TaskerTask) owed = tasker_task_new ("owed", tasker_test_succeed, NULL, NULL);

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "never returns", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_task_set_run_always (owed, TRUE);
  tasker_group_add (group, owed);

  return group;
}

/* A group whose task ends at the stop. */
static TaskerGroup *
make_obedient_group (void)
{
  TaskerGroup *group = tasker_test_group ("obedient");

  tasker_group_spawn (group, "obeys", tasker_test_wait_stopped, NULL, NULL);

  return group;
}

static void
join (TaskerGroup *group)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
}

static int n_handled; /* atomic */

static void
handle (int signum)
{
  g_atomic_int_inc (&n_handled);
}

static void
install (int   signum,
         void (*handler) (int))
{
  struct sigaction action = { .sa_handler = handler };

  sigemptyset (&action.sa_mask);
  g_assert_cmpint (sigaction (signum, &action, NULL), ==, 0);
}

static void
assert_installed (int   signum,
                  void (*handler) (int))
{
  struct sigaction action;

  g_assert_cmpint (sigaction (signum, NULL, &action), ==, 0);
  g_assert_true (action.sa_handler == handler);
}

/* Before, during and after a join */

static void
play_before (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();

  watch (group, SIGTERM);
  tasker_test_say ("ready");
  tasker_test_wait_for (tasker_group_is_stopped (group));
  tasker_group_spawn (group, "late", tasker_test_fail, NULL, NULL);
  join (group);
  tasker_test_say_counts (group);
}

static void
test_before (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "before");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "2 = 0 live + 0 succeeded + 0 failed + 2 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

/* A daemon that has no main loop, only a join, and owes something at its end. */
static void
play_during (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  g_autoptr (TaskerTask) flush = tasker_task_new ("flush", tasker_test_succeed, NULL, NULL);

  tasker_group_set_max_running (group, 1);
  tasker_task_set_run_always (flush, TRUE);
  tasker_group_add (group, flush);
  watch (group, SIGTERM);
  tasker_test_say ("ready");
  join (group);
  tasker_test_say_counts (group);
}

static void
test_during (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "during");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "2 = 0 live + 1 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

static void
on_joined (GObject      *source,
           GAsyncResult *result,
           gpointer      loop)
{
  g_assert_true (tasker_group_join_finish (TASKER_GROUP (source), result, NULL));
  g_main_loop_quit (loop);
}

static void
play_main_loop (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (TaskerGroup) group = make_obedient_group ();

  watch (group, SIGTERM);
  tasker_group_join_async (group, NULL, on_joined, loop);
  tasker_test_say ("ready");
  g_main_loop_run (loop);
  tasker_test_say_counts (group);
}

static void
test_main_loop (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "main-loop");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

static void
play_after (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  watch (group, SIGTERM);
  tasker_group_spawn (group, "done", tasker_test_succeed, NULL, NULL);
  join (group);
  tasker_test_say_counts (group);
  tasker_test_wait_for_parent ();
}

static void
test_after (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "after");
  tasker_test_child_expect (&child, "1 = 0 live + 1 succeeded + 0 failed + 0 stopped + 0 aborted");
  g_subprocess_send_signal (child.process, SIGTERM);
  tasker_test_child_dies (&child, SIGTERM);
}

/* The signal hits a group, or what is between two groups, and is never lost. */
static void
play_one_after_the_other (void)
{
  gboolean stopped = FALSE;

  tasker_test_say ("ready");
  while (!stopped)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

      watch (group, SIGTERM);
      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      join (group);
      tasker_test_assert_equation (group);
      stopped = tasker_group_is_stopped (group);
    }
}

static void
test_one_after_the_other (void)
{
  guint n_stopped = 0;
  guint n_rounds = tasker_test_rounds (60);

  for (guint i = 0; i < n_rounds; i++)
    {
      TaskerTestChild child;

      tasker_test_child_start (&child, "one-after-the-other");
      tasker_test_child_expect (&child, "ready");
      g_usleep ((gulong) g_test_rand_int_range (0, 3000));
      g_subprocess_send_signal (child.process, SIGTERM);
      g_assert_true (g_subprocess_wait (child.process, NULL, NULL));

      if (g_subprocess_get_if_exited (child.process))
        {
          g_assert_cmpint (g_subprocess_get_exit_status (child.process), ==, 0);
          n_stopped++;
        }
      else
        {
          g_assert_cmpint (g_subprocess_get_term_sig (child.process), ==, SIGTERM);
        }
      tasker_test_child_clear (&child);
    }

  g_test_message ("%u of %u hit a group", n_stopped, n_rounds);
}

/* One signal after the other */

static void
play_stubborn (void)
{
  g_autoptr (TaskerGroup) group = make_stubborn_group ();

  watch (group, SIGINT);
  watch (group, SIGTERM);
  tasker_test_say ("ready");
  tasker_test_wait_for (tasker_group_is_stopped (group));
  g_assert_cmpuint (get_n_aborted (group), ==, 0);
  tasker_test_say ("stopped");
  tasker_test_wait_for (get_n_aborted (group) == 1);
  tasker_test_say ("aborted");
  join (group);
  g_assert_not_reached ();
}

static void
test_three_times (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "stubborn");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGINT, "stopped");
  tasker_test_child_signal (&child, SIGINT, "aborted");
  g_subprocess_send_signal (child.process, SIGINT);
  tasker_test_child_dies (&child, SIGINT);
}

static void
test_counted_together (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "stubborn");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "stopped");
  tasker_test_child_signal (&child, SIGINT, "aborted");
  g_subprocess_send_signal (child.process, SIGTERM);
  tasker_test_child_dies (&child, SIGTERM);
}

/* Not even who holds up the service thread keeps the process. */
static void
block_for_ever (GCancellable *stopper,
                gpointer      user_data)
{
  tasker_test_say ("held up");
  while (TRUE)
    pause ();
}

static void
play_held_up (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);

  g_cancellable_connect (G_CANCELLABLE (stopper), G_CALLBACK (block_for_ever), NULL, NULL);
  watch (group, SIGINT);
  tasker_test_say ("ready");
  join (group);
  tasker_test_wait_for_parent ();
}

static void
test_held_up (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "held-up");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGINT, "held up");
  while (g_subprocess_get_identifier (child.process) != NULL)
    {
      g_subprocess_send_signal (child.process, SIGINT);
      g_usleep (10 * 1000);
    }
  tasker_test_child_dies (&child, SIGINT);
}

/* Several groups */

static void
play_several (void)
{
  g_autoptr (TaskerGroup) one = make_stubborn_group ();
  g_autoptr (TaskerGroup) other = make_stubborn_group ();

  watch (one, SIGTERM);
  watch (other, SIGTERM);
  watch (other, SIGHUP);
  tasker_test_say ("ready");
  tasker_test_wait_for (tasker_group_is_stopped (other));
  g_assert_false (tasker_group_is_stopped (one));
  tasker_test_say ("the other");
  tasker_test_wait_for (tasker_group_is_stopped (one));
  tasker_test_wait_for (get_n_aborted (other) == 1);
  g_assert_cmpuint (get_n_aborted (one), ==, 0);
  tasker_test_say ("both");
  tasker_test_wait_for (get_n_aborted (one) == 1);
  tasker_test_say ("all");
  join (one);
  g_assert_not_reached ();
}

static void
test_several (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "several");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGHUP, "the other");
  tasker_test_child_signal (&child, SIGTERM, "both");
  tasker_test_child_signal (&child, SIGTERM, "all");
  g_subprocess_send_signal (child.process, SIGTERM);
  tasker_test_child_dies (&child, SIGTERM);
}

static void
play_last_of_several (void)
{
  g_autoptr (TaskerGroup) first = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) last = make_obedient_group ();

  watch (first, SIGTERM);
  watch (last, SIGTERM);
  join (first);
  tasker_test_say ("one joined");
  join (last);
  g_assert_false (tasker_group_is_stopped (first));
  tasker_test_say_counts (last);
  tasker_test_wait_for_parent ();
}

static void
test_last_of_several (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "last-of-several");
  tasker_test_child_expect (&child, "one joined");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  g_subprocess_send_signal (child.process, SIGTERM);
  tasker_test_child_dies (&child, SIGTERM);
}

static int n_heard; /* atomic */

static void
on_stopped (GCancellable *stopper,
            gpointer      groups)
{
  TaskerGroup **group = groups;

  for (guint i = 0; i < 2; i++)
    g_assert_true (tasker_group_is_stopped (group[i]));

  tasker_test_say (g_object_get_data (G_OBJECT (stopper), "name"));
  g_atomic_int_inc (&n_heard);
}

/* By the time that the first one hears of it, all of them are stopped; they hear
 * of it in the order in which they began to watch. */
static void
play_order (void)
{
  const char * const names[] = { "first", "second" };
  TaskerGroup *groups[] = { tasker_test_group (NULL), tasker_group_new (NULL) };
  TaskerStopper *stoppers[2];

  for (guint i = 0; i < 2; i++)
    {
      stoppers[i] = tasker_group_create_stopper (groups[i]);
      g_object_set_data (G_OBJECT (stoppers[i]), "name", (gpointer) names[i]);
      g_cancellable_connect (G_CANCELLABLE (stoppers[i]), G_CALLBACK (on_stopped), groups, NULL);
      watch (groups[i], SIGTERM);
    }
  tasker_test_say ("ready");
  tasker_test_wait_for (g_atomic_int_get (&n_heard) == 2);

  for (guint i = 0; i < 2; i++)
    {
      join (groups[i]);
      tasker_test_assert_counts (groups[i], 0, 0, 0, 0, 0, 0);
      g_object_unref (stoppers[i]);
      g_object_unref (groups[i]);
    }
}

static void
test_order (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "order");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "first");
  tasker_test_child_expect (&child, "second");
  tasker_test_child_ends (&child);
}

/* What acted before */

static void
play_handler (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();

  install (SIGTERM, handle);
  watch (group, SIGTERM);
  tasker_test_say ("ready");
  join (group);
  g_assert_cmpint (g_atomic_int_get (&n_handled), ==, 0);
  assert_installed (SIGTERM, handle);
  tasker_test_say_counts (group);
  tasker_test_wait_for (g_atomic_int_get (&n_handled) == 1);
  tasker_test_say ("handled");
}

static void
test_handler (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "handler");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_signal (&child, SIGTERM, "handled");
  tasker_test_child_ends (&child);
}

static void
play_ignored (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();

  install (SIGTERM, SIG_IGN);
  watch (group, SIGTERM);
  tasker_test_say ("ready");
  join (group);
  assert_installed (SIGTERM, SIG_IGN);
  tasker_test_say_counts (group);
  tasker_test_wait_for_parent ();
}

static void
test_ignored (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "ignored");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  g_subprocess_send_signal (child.process, SIGTERM);
  tasker_test_child_go_on (&child);
  tasker_test_child_ends (&child);
}

/* Who comes later has the signal, and keeps it; until a group watches again. */
static void
play_later_handler (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  g_autoptr (TaskerGroup) next = make_obedient_group ();

  watch (group, SIGTERM);
  install (SIGTERM, handle);
  tasker_test_say ("ready");
  tasker_test_wait_for (g_atomic_int_get (&n_handled) == 1);
  g_assert_false (tasker_group_is_stopped (group));
  tasker_group_stop (group);
  join (group);
  assert_installed (SIGTERM, handle);

  watch (next, SIGTERM);
  tasker_test_say ("handled");
  join (next);
  g_assert_cmpint (g_atomic_int_get (&n_handled), ==, 1);
  assert_installed (SIGTERM, handle);
  tasker_test_say_counts (next);
}

static void
test_later_handler (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "later-handler");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "handled");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

static gboolean
note_call (gpointer n_calls)
{
  ++*(int *) n_calls;

  return G_SOURCE_CONTINUE;
}

static void
play_glib (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  int n_calls = 0;
  guint id = g_unix_signal_add (SIGTERM, note_call, &n_calls);

  watch (group, SIGTERM);
  tasker_test_say ("ready");
  join (group);
  tasker_test_iterate ();
  g_assert_cmpint (n_calls, ==, 0);
  tasker_test_say_counts (group);
  tasker_test_iterate_until (n_calls == 1);
  tasker_test_say ("called");
  g_source_remove (id);
}

static void
test_glib (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "glib");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_signal (&child, SIGTERM, "called");
  tasker_test_child_ends (&child);
}

/* Somebody puts our handler back when nobody watches any more. */
static void
play_put_back (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  struct sigaction ours;

  install (SIGTERM, handle);
  watch (group, SIGTERM);
  sigaction (SIGTERM, NULL, &ours);
  join (group);
  tasker_test_assert_equation (group);
  sigaction (SIGTERM, &ours, NULL);
  tasker_test_say ("ready");
  tasker_test_wait_for (g_atomic_int_get (&n_handled) == 1);
  tasker_test_say ("handled");
}

static void
test_put_back (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "put-back");
  tasker_test_child_expect (&child, "ready");
  tasker_test_child_signal (&child, SIGTERM, "handled");
  tasker_test_child_ends (&child);
}

/* Other processes */

static void
exit_3 (int signum)
{
  _exit (3);
}

static int
fork_and_wait (void)
{
  int status;
  pid_t pid = fork ();

  if (pid == 0)
    {
      raise (SIGTERM);
      _exit (4);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);

  return status;
}

static void
play_fork (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  g_autoptr (TaskerGroup) next = make_obedient_group ();
  int status;

  watch (group, SIGTERM);
  status = fork_and_wait ();
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
  g_assert_false (tasker_group_is_stopped (group));
  tasker_group_stop (group);
  join (group);

  install (SIGTERM, exit_3);
  watch (next, SIGTERM);
  status = fork_and_wait ();
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 3);
  g_assert_false (tasker_group_is_stopped (next));
  tasker_group_stop (next);
  join (next);
  tasker_test_say_counts (next);
}

static void
test_fork (void)
{
#ifdef __SANITIZE_THREAD__
  g_test_skip ("In a child that was forked, the thread sanitizer holds signals back");
#else
  TaskerTestChild child;

  tasker_test_child_start (&child, "fork");
  tasker_test_child_expect (&child, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
#endif
}

static void
play_exec (void)
{
  g_autoptr (TaskerGroup) group = make_obedient_group ();
  g_autoptr (GSubprocess) process = NULL;

  watch (group, SIGTERM);
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "sh", "-c", "kill -TERM $$; exit 4", NULL);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_signaled (process));
  g_assert_cmpint (g_subprocess_get_term_sig (process), ==, SIGTERM);
  g_assert_false (tasker_group_is_stopped (group));
  tasker_group_stop (group);
  join (group);
  tasker_test_say_counts (group);
}

static void
test_exec (void)
{
  TaskerTestChild child;

  tasker_test_child_start (&child, "exec");
  tasker_test_child_expect (&child, "1 = 0 live + 0 succeeded + 0 failed + 1 stopped + 0 aborted");
  tasker_test_child_ends (&child);
}

/* Without a signal, in this process */

static void
test_bad_signals (void)
{
  const int signals[] = { -1, 0, SIGKILL, SIGSTOP, SIGSEGV, SIGABRT, SIGCHLD, SIGPIPE, SIGWINCH, 1000, G_MAXINT };
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *number = g_strdup_printf (" %d ", signals[i]);

      g_assert_false (tasker_group_stop_on_signal (group, signals[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      g_assert_nonnull (strstr (error->message, number));
    }

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  join (group);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static gboolean
is_default (int signum)
{
  struct sigaction action;

  g_assert_cmpint (sigaction (signum, NULL, &action), ==, 0);

  return action.sa_handler == SIG_DFL;
}

static void
test_twice (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);

  watch (group, SIGUSR1);
  watch (group, SIGUSR1);
  watch (clone, SIGUSR1);
  g_assert_false (is_default (SIGUSR1));
  tasker_group_finish (clone);
  g_assert_false (is_default (SIGUSR1));
  join (group);
  g_assert_true (is_default (SIGUSR1));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

static void
test_joined_before (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  join (group);
  watch (group, SIGUSR1);
  g_assert_true (is_default (SIGUSR1));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A group without handles is watched for until its tasks have ended. */
static void
test_no_handle (void)
{
  TaskerTestGate gate;
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new ("last", tasker_test_pass_gate, &gate, NULL);

  tasker_test_gate_init (&gate);
  tasker_group_add (group, task);
  tasker_test_gate_await (&gate, 1);
  watch (group, SIGUSR2);
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);
  g_object_unref (group);
  g_assert_false (is_default (SIGUSR2));

  tasker_test_gate_open (&gate);
  tasker_test_wait_for (is_default (SIGUSR2));
  g_assert_true (tasker_task_join (task, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

static gpointer
watch_and_join (gpointer rounds)
{
  for (guint i = GPOINTER_TO_UINT (rounds); i > 0; i--)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      watch (group, SIGUSR1);
      watch (group, SIGUSR2);
      join (group);
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }

  return NULL;
}

static void
test_race (void)
{
  GThread *threads[4];
  gpointer rounds = GUINT_TO_POINTER (tasker_test_rounds (500));

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("watcher", watch_and_join, rounds);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  g_assert_true (is_default (SIGUSR1));
  g_assert_true (is_default (SIGUSR2));
}

static const TaskerTestScenario scenarios[] =
{
  { "before", play_before },
  { "during", play_during },
  { "main-loop", play_main_loop },
  { "after", play_after },
  { "one-after-the-other", play_one_after_the_other },
  { "stubborn", play_stubborn },
  { "held-up", play_held_up },
  { "several", play_several },
  { "last-of-several", play_last_of_several },
  { "order", play_order },
  { "handler", play_handler },
  { "ignored", play_ignored },
  { "later-handler", play_later_handler },
  { "glib", play_glib },
  { "put-back", play_put_back },
  { "fork", play_fork },
  { "exec", play_exec },
};

int
main (int   argc,
      char *argv[])
{
  tasker_test_init_scenarios (&argc, &argv, scenarios, G_N_ELEMENTS (scenarios));

  tasker_test_add ("/signal/before-join", test_before);
  tasker_test_add ("/signal/during-join", test_during);
  tasker_test_add ("/signal/main-loop", test_main_loop);
  tasker_test_add ("/signal/after-join", test_after);
  tasker_test_add ("/signal/one-after-the-other", test_one_after_the_other);
  tasker_test_add ("/signal/three-times", test_three_times);
  tasker_test_add ("/signal/counted-together", test_counted_together);
  tasker_test_add ("/signal/held-up", test_held_up);
  tasker_test_add ("/signal/several", test_several);
  tasker_test_add ("/signal/last-of-several", test_last_of_several);
  tasker_test_add ("/signal/order", test_order);
  tasker_test_add ("/signal/former/handler", test_handler);
  tasker_test_add ("/signal/former/ignored", test_ignored);
  tasker_test_add ("/signal/former/later-handler", test_later_handler);
  tasker_test_add ("/signal/former/glib", test_glib);
  tasker_test_add ("/signal/former/put-back", test_put_back);
  tasker_test_add ("/signal/processes/fork", test_fork);
  tasker_test_add ("/signal/processes/exec", test_exec);
  tasker_test_add ("/signal/bad-signals", test_bad_signals);
  tasker_test_add ("/signal/twice", test_twice);
  tasker_test_add ("/signal/joined-before", test_joined_before);
  tasker_test_add ("/signal/no-handle", test_no_handle);
  tasker_test_add ("/signal/race", test_race);

  return g_test_run ();
}
