/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens when the system refuses threads: nothing is lost and nothing
 * runs twice, and NO_THREAD is said only when there is not one.
 *
 * A real limit is set in one test. The others stand in the way of
 * pthread_create(), which can refuse at will. Each runs in a process of its
 * own, because a thread that the pool once had stays for a while. */

#define _GNU_SOURCE

#include "tasker-test.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define N_TASKS 200
#define LIMITED "--limited"
#define TRY_ADD "try-add"
#define QUEUED "queued"
#define EXIT_SKIPPED 77

typedef int (* PthreadCreate) (pthread_t             *thread,
                               const pthread_attr_t  *attr,
                               void                *(*start) (void *),
                               void                  *data);

/* Of so many threads that are asked for, one is granted; 0: none is. */
static int granted_of = 1;
static int n_asked;
static int n_refused;

static const char *program;

/* Comes before the C library's, for GLib as well. */
int
pthread_create (pthread_t             *thread,
                const pthread_attr_t  *attr,
                void                *(*start) (void *),
                void                  *data)
{
  PthreadCreate create = (PthreadCreate) dlsym (RTLD_NEXT, "pthread_create");
  int one_of = g_atomic_int_get (&granted_of);

  if (one_of == 0 || g_atomic_int_add (&n_asked, 1) % one_of != 0)
    {
      g_atomic_int_inc (&n_refused);
      return EAGAIN;
    }

  return create (thread, attr, start, data);
}

static void
grant_one_of (int n)
{
  g_atomic_int_set (&granted_of, n);
}

/* Runs the test in a new process: TRUE in there, FALSE when it has passed. */
static gboolean
is_in_subprocess (void)
{
  if (g_test_subprocess ())
    return TRUE;

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  return FALSE;
}

/* Spawns half of the tasks and adds half of them. */
static void
fill (TaskerGroup      *group,
      TaskerTestLedger *ledger)
{
  for (guint i = 0; i < N_TASKS / 2; i++)
    {
      g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);

      tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
      tasker_group_add (group, task);
    }
}

static void
check_try_add_refused (void (*refuse) (gboolean))
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("refused");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  refuse (TRUE);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_false (tasker_group_try_add (group, task, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_NO_THREAD);
      g_clear_error (&error);
      g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
      tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
    }

  /* The task is still the caller's, who tries again in better times. */
  refuse (FALSE);
  g_assert_true (tasker_group_try_add (group, task, &error));
  g_assert_no_error (error);
  tasker_test_assert_join (group, 1, 0, 0);
  tasker_test_ledger_close (ledger, 1, 1);
}

static void
check_queued_meanwhile (void (*refuse) (gboolean))
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("meanwhile");
  TaskerTestLedger *ledger = tasker_test_ledger_new (N_TASKS);

  /* These two are never refused: what they add waits. */
  refuse (TRUE);
  fill (group, ledger);
  g_usleep (50 * 1000);
  g_assert_cmpuint (tasker_test_ledger_n_called (ledger), ==, 0);
  tasker_test_assert_counts (group, N_TASKS, N_TASKS, 0, 0, 0, 0);

  refuse (FALSE);
  tasker_test_assert_join (group, N_TASKS, 0, 0);
  tasker_test_ledger_close (ledger, N_TASKS, N_TASKS);
}

static void
refuse_all (gboolean refused)
{
  grant_one_of (refused ? 0 : 1);
}

static void
test_try_add_refused (void)
{
  if (!is_in_subprocess ())
    return;

  check_try_add_refused (refuse_all);
  g_assert_cmpint (g_atomic_int_get (&n_refused), >, 0);
}

static void
test_queued_meanwhile (void)
{
  if (!is_in_subprocess ())
    return;

  check_queued_meanwhile (refuse_all);
  g_assert_cmpint (g_atomic_int_get (&n_refused), >, 0);
}

/* Nobody joins: whoever adds the next task brings the others with it. */
static void
test_next_task_helps (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  TaskerTestLedger *ledger;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("next");
  ledger = tasker_test_ledger_new (N_TASKS + 1);
  refuse_all (TRUE);
  fill (group, ledger);
  refuse_all (FALSE);
  tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);

  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == N_TASKS + 1);
  tasker_test_assert_join (group, N_TASKS + 1, 0, 0);
  tasker_test_ledger_close (ledger, N_TASKS + 1, N_TASKS + 1);
}

/* A group that got no thread is not forgotten when another gets one. */
static void
test_other_group_helps (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (TaskerGroup) other = NULL;
  TaskerTestLedger *ledger;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("refused");
  other = tasker_test_group ("other");
  ledger = tasker_test_ledger_new (N_TASKS);
  refuse_all (TRUE);
  fill (group, ledger);
  refuse_all (FALSE);
  tasker_group_spawn (other, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_assert_join (other, 1, 0, 0);

  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == N_TASKS);
  tasker_test_assert_join (group, N_TASKS, 0, 0);
  tasker_test_ledger_close (ledger, N_TASKS, N_TASKS);
}

static void
test_stopped_meanwhile (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (GError) error = NULL;
  TaskerTestLedger *ledger;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("stopped");
  ledger = tasker_test_ledger_new (N_TASKS);
  refuse_all (TRUE);
  fill (group, ledger);
  tasker_group_stop (group);
  refuse_all (FALSE);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, N_TASKS, 0, 0, 0, N_TASKS, 0);
  tasker_test_ledger_close (ledger, N_TASKS, 0);
}

/* One thread, and it is busy: no error, and it does all the work. */
static void
test_one_thread (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (TaskerGroup) other = NULL;
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) error = NULL;
  TaskerTestLedger *ledger;
  TaskerTestGate gate;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("busy");
  other = tasker_test_group ("other");
  ledger = tasker_test_ledger_new (2 * N_TASKS + 1);
  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);

  refuse_all (TRUE);
  fill (group, ledger);
  fill (other, ledger);
  task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
  g_assert_true (tasker_group_try_add (other, task, &error));
  g_assert_no_error (error);
  g_usleep (50 * 1000);
  tasker_test_gate_open (&gate);

  tasker_test_assert_join (group, N_TASKS + 1, 0, 0);
  tasker_test_assert_join (other, N_TASKS + 1, 0, 0);
  tasker_test_ledger_close (ledger, 2 * N_TASKS + 1, 2 * N_TASKS + 1);
  tasker_test_gate_clear (&gate);
}

/* One thread, and it has nothing to do at the moment. */
static void
test_idle_thread (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (GError) error = NULL;
  TaskerTestLedger *ledger;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("idle");
  ledger = tasker_test_ledger_new (N_TASKS);
  tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 1);
  g_usleep (20 * 1000);

  refuse_all (TRUE);
  for (guint i = 1; i < N_TASKS; i++)
    {
      g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);

      g_assert_true (tasker_group_try_add (group, task, &error));
      g_assert_no_error (error);
    }

  tasker_test_assert_join (group, N_TASKS, 0, 0);
  tasker_test_ledger_close (ledger, N_TASKS, N_TASKS);
}

/* A group is at rest, and its threads have gone. When a task comes some are refused,
 * and whoever brings it asks again. */
static void
test_at_rest (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  int n_run = 0;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("at rest");
  tasker_group_spawn (group, NULL, tasker_test_raise_number, &n_run, NULL);
  for (int i = 1; i <= 3; i++)
    {
      tasker_test_wait_for (g_atomic_int_get (&n_run) == i);
      /* A pool keeps its threads for half a second. */
      g_usleep (700 * 1000);
      g_thread_pool_stop_unused_threads ();

      g_atomic_int_set (&n_asked, 1);
      grant_one_of (i);
      tasker_group_spawn (group, NULL, tasker_test_raise_number, &n_run, NULL);
    }

  tasker_test_assert_join (group, 4, 0, 0);
  g_assert_cmpint (g_atomic_int_get (&n_refused), >, 0);
}

typedef struct
{
  TaskerTask *task;
  int         n_run;
} Errand;

static gpointer
complete_after_run (gpointer data)
{
  Errand *errand = data;

  /* So that the other one asks some times in vain, and not all the time. */
  g_usleep (300 * 1000);
  g_assert_cmpint (g_atomic_int_get (&n_refused), >, 3);
  g_assert_cmpint (g_atomic_int_get (&n_refused), <, 100);
  refuse_all (FALSE);
  tasker_test_wait_for (g_atomic_int_get (&errand->n_run) == 1);
  tasker_task_complete (errand->task);

  return NULL;
}

/* There is not even a thread to ask for others later. Who joins does, also while he
 * runs his own main context. */
static void
test_joiner_asks (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (TaskerTask) task = NULL;
  GThread *thread;
  Errand errand;

  if (!is_in_subprocess ())
    return;

  group = tasker_test_group ("joined");
  task = tasker_task_new_async (NULL, NULL, NULL, NULL);
  errand = (Errand) { task, 0 };
  thread = g_thread_new ("owner", complete_after_run, &errand);

  refuse_all (TRUE);
  tasker_group_add (group, task);
  tasker_group_spawn (group, NULL, tasker_test_raise_number, &errand.n_run, NULL);
  tasker_test_assert_join (group, 2, 0, 0);
  g_thread_join (thread);
}

/* There are GLibs that do not survive it when their first pool gets no thread just
 * after one was to be had. */
static void
have_pool_made (void)
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("first");

  grant_one_of (1);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_assert_join (group, 1, 0, 0);
}

/* Threads that come now and then: the group still gets what it needs. */
static void
test_now_and_then (void)
{
  g_autoptr (TaskerGroup) group = NULL;
  TaskerTestLedger *ledger;
  TaskerTestBarrier barrier;

  if (!is_in_subprocess ())
    return;

  tasker_test_barrier_init (&barrier, 32);
  group = tasker_test_group ("now-and-then");
  ledger = tasker_test_ledger_new (32 + N_TASKS);
  have_pool_made ();
  grant_one_of (3);
  for (guint i = 0; i < 32; i++)
    tasker_test_ledger_spawn (ledger, group, NULL, tasker_test_pass_barrier, &barrier);
  fill (group, ledger);

  tasker_test_assert_join (group, 32 + N_TASKS, 0, 0);
  tasker_test_ledger_close (ledger, 32 + N_TASKS, 32 + N_TASKS);
  g_assert_cmpint (g_atomic_int_get (&n_refused), >, 0);
  tasker_test_barrier_clear (&barrier);
}

/* On and off, many groups, and each task runs once. */
static void
test_on_and_off (void)
{
  guint n_rounds;

  if (!is_in_subprocess ())
    return;

  n_rounds = tasker_test_rounds (200);
  have_pool_made ();
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("on-and-off");
      TaskerTestLedger *ledger = tasker_test_ledger_new (N_TASKS);

      grant_one_of ((int) (i % 3));
      fill (group, ledger);
      grant_one_of (1);
      tasker_test_assert_join (group, N_TASKS, 0, 0);
      tasker_test_ledger_close (ledger, N_TASKS, N_TASKS);
    }
}

/* The real limit */

static rlim_t allowed;

static gboolean
set_limit (rlim_t n_threads)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NPROC, &limit) < 0)
    return FALSE;

  limit.rlim_cur = n_threads;
  return setrlimit (RLIMIT_NPROC, &limit) == 0;
}

static void
refuse_by_limit (gboolean refused)
{
  g_assert_true (set_limit (refused ? 1 : allowed));
}

static gpointer
do_nothing (gpointer data)
{
  return NULL;
}

/* Becomes a process that the limit binds: it does not bind root. */
static gboolean
become_limited (void)
{
  struct rlimit limit;
  GThread *thread;

  if (geteuid () == 0 &&
      (setgroups (0, NULL) < 0 || setgid (65534) < 0 || setuid (65534) < 0))
    return FALSE;
#ifdef __linux__
  /* Without it no sanitizer could look for leaks at the end. */
  prctl (PR_SET_DUMPABLE, 1);
#endif

  if (getrlimit (RLIMIT_NPROC, &limit) < 0)
    return FALSE;
  allowed = limit.rlim_cur;
  if (!set_limit (1))
    return FALSE;

  thread = g_thread_try_new ("too-many", do_nothing, NULL, NULL);
  if (thread != NULL)
    g_thread_join (thread);
  return thread == NULL && set_limit (allowed);
}

/* What the process does that is started for it. */
static int
run_limited (const char *check)
{
  /* The watchdog would be a thread. */
  alarm (100 * tasker_test_get_scale ());

  if (!become_limited ())
    return EXIT_SKIPPED;

  if (strcmp (check, TRY_ADD) == 0)
    check_try_add_refused (refuse_by_limit);
  else
    check_queued_meanwhile (refuse_by_limit);
  return 0;
}

static void
start_limited (const char *check)
{
  g_autoptr (GError) error = NULL;
  const char *arguments[] = { program, LIMITED, check, NULL };
  int status;

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                NULL, NULL, &status, &error);
  g_assert_no_error (error);

  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == EXIT_SKIPPED)
    g_test_skip ("No limit on threads to be had here");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
test_limit_try_add (void)
{
  start_limited (TRY_ADD);
}

static void
test_limit_queued (void)
{
  start_limited (QUEUED);
}

int
main (int    argc,
      char **argv)
{
  program = argv[0];
  if (argc == 3 && strcmp (argv[1], LIMITED) == 0)
    return run_limited (argv[2]);

  tasker_test_init (&argc, &argv);

  tasker_test_add ("/no-thread/try-add-refused", test_try_add_refused);
  tasker_test_add ("/no-thread/queued-meanwhile", test_queued_meanwhile);
  tasker_test_add ("/no-thread/next-task-helps", test_next_task_helps);
  tasker_test_add ("/no-thread/other-group-helps", test_other_group_helps);
  tasker_test_add ("/no-thread/stopped-meanwhile", test_stopped_meanwhile);
  tasker_test_add ("/no-thread/one-thread", test_one_thread);
  tasker_test_add ("/no-thread/idle-thread", test_idle_thread);
  tasker_test_add ("/no-thread/at-rest", test_at_rest);
  tasker_test_add ("/no-thread/joiner-asks", test_joiner_asks);
  tasker_test_add ("/no-thread/now-and-then", test_now_and_then);
  tasker_test_add ("/no-thread/on-and-off", test_on_and_off);
  tasker_test_add ("/no-thread/limit/try-add", test_limit_try_add);
  tasker_test_add ("/no-thread/limit/queued", test_limit_queued);

  return g_test_run ();
}
