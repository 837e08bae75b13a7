/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Async tasks whose owner is told of many at once. */

#include "tasker-test.h"

#define N_TASKS 1000

/* The owner of all tasks here, and what it was told of each. */
typedef struct
{
  guint         id;
  GMainContext *context;  /* where it has to be told */
  TaskerGroup  *group;    /* to abort when the first task has begun, or %NULL */
  gboolean      late;     /* whether to leave the tasks to others */
  gboolean      silent;   /* whether to hear only of what others have ended */
  guint         n_calls;
  guint         n_begun;
  guint         n_ended;
  TaskerTask   *tasks[N_TASKS]; /* by their keys, less one; owned */
  gboolean      told[N_TASKS];  /* that they have ended */
} Owner;

static Owner owner;

static void
on_begun (const gsize *keys,
          gsize        n_keys)
{
  TaskerTask *tasks[N_TASKS];

  for (gsize i = 0; i < n_keys; i++)
    {
      tasks[i] = owner.tasks[keys[i] - 1];
      if (owner.group != NULL)
        tasker_group_abort (owner.group);
    }

  owner.n_begun += (guint) n_keys;
  if (owner.group == NULL && !owner.late)
    g_assert_cmpuint (tasker_task_complete_many (tasks, n_keys, !owner.silent), ==, n_keys);
}

static void
on_news (gpointer     user_data,
         const gsize *begun,
         gsize        n_begun,
         const gsize *ended,
         gsize        n_ended)
{
  g_assert_true (user_data == &owner);
  g_assert_true (g_main_context_is_owner (owner.context));
  owner.n_calls++;
  on_begun (begun, n_begun);

  for (gsize i = 0; i < n_ended; i++)
    {
      gsize number = ended[i] - 1;

      g_assert_true (tasker_task_is_finished (owner.tasks[number]));
      g_assert_false (owner.told[number]);
      owner.told[number] = TRUE;
    }
  owner.n_ended += (guint) n_ended;
}

/* It is registered once, for the rest of the process. */
static void
set_up (void)
{
  guint id = owner.id;

  owner = (Owner) { .id = id, .context = g_main_context_default () };
  if (id == 0)
    owner.id = tasker_register_async_owner (on_news, &owner, NULL);
  g_assert_cmpuint (owner.id, >, 0);
}

static void
spawn_tasks (TaskerGroup *group,
             guint        n_tasks)
{
  for (guint i = 0; i < n_tasks; i++)
    owner.tasks[i] = tasker_group_spawn_owned (group, NULL, owner.id, i + 1);
}

static void
tear_down (TaskerGroup *group)
{
  g_object_unref (group);
  for (guint i = 0; i < N_TASKS; i++)
    g_clear_object (&owner.tasks[i]);
}

/* Each begins and ends once, and few calls are enough to say so. */
static void
test_batches (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  spawn_tasks (group, N_TASKS);
  g_assert_cmpuint (owner.n_calls, ==, 0);
  g_assert_cmpint (tasker_task_get_state (owner.tasks[0]), ==, TASKER_TASK_STATE_QUEUED);

  tasker_test_iterate_until (owner.n_ended == N_TASKS);
  g_assert_cmpuint (owner.n_begun, ==, N_TASKS);
  g_assert_cmpuint (owner.n_calls, <=, N_TASKS / 4);
  tasker_test_assert_counts (group, N_TASKS, 0, N_TASKS, 0, 0, 0);
  tear_down (group);
}

/* Who does not want to hear of what he has completed is not told. */
static void
test_silent (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  owner.silent = TRUE;
  spawn_tasks (group, N_TASKS);

  tasker_test_iterate_until (tasker_group_get_n_tasks (group) == 0);
  tasker_test_assert_counts (group, N_TASKS, 0, N_TASKS, 0, 0, 0);
  g_assert_cmpuint (owner.n_ended, ==, 0);
  tear_down (group);
}

/* With a bound, those that wait begin as others end. */
static void
test_max_running (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  tasker_group_set_max_running (group, 3);
  spawn_tasks (group, 100);

  tasker_test_iterate_until (owner.n_ended == 100);
  g_assert_cmpuint (owner.n_begun, ==, 100);
  tear_down (group);
}

/* What is stopped before its turn ends, and its owner hears of that only. */
static void
test_stopped_in_queue (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  owner.silent = TRUE;
  spawn_tasks (group, 10);
  tasker_group_stop (group);
  owner.tasks[10] = tasker_group_spawn_owned (group, "late", owner.id, 11);

  tasker_test_iterate_until (owner.n_ended == 11);
  g_assert_cmpuint (owner.n_begun, ==, 0);
  tasker_test_assert_counts (group, 11, 0, 0, 0, 11, 0);
  tear_down (group);
}

/* The owner does not have to do anything for an aborted task to end. */
static void
test_aborted (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  owner.group = group;
  spawn_tasks (group, 10);

  tasker_test_iterate_until (owner.n_ended == 10);
  tasker_test_assert_counts (group, 10, 0, 0, 0, 0, 10);
  tear_down (group);
}

/* What runs even after the stop does not begin along with others: there would be
 * no telling whether one of those has aborted the group meanwhile. */
static void
test_run_always (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  owner.group = group;
  spawn_tasks (group, 1);
  for (guint i = 1; i < 3; i++)
    {
      owner.tasks[i] = tasker_task_new_owned ("always", owner.id, i + 1);
      tasker_task_set_run_always (owner.tasks[i], TRUE);
      tasker_group_add (group, owner.tasks[i]);
    }

  tasker_test_iterate_until (owner.n_ended == 3);
  g_assert_cmpuint (owner.n_begun, ==, 1);
  tasker_test_assert_counts (group, 3, 0, 0, 0, 0, 3);
  tear_down (group);
}

/* What was aborted before is not completed, and its owner is told. */
static void
test_halt (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  owner.late = TRUE;
  spawn_tasks (group, 3);
  tasker_test_iterate_until (owner.n_begun == 3);
  g_assert_true (tasker_task_abort (owner.tasks[1]));
  tasker_test_iterate_until (owner.n_ended == 1);

  tasker_task_complete (owner.tasks[1]);
  g_assert_cmpuint (tasker_task_complete_many (owner.tasks, 3, FALSE), ==, 1);
  g_assert_cmpuint (tasker_task_complete_many (owner.tasks + 2, 1, FALSE), ==, 1);
  tasker_test_iterate_until (tasker_group_get_n_tasks (group) == 0);
  g_assert_true (owner.told[1]);
  g_assert_cmpuint (owner.n_ended, ==, 1);
  tasker_test_assert_counts (group, 3, 0, 2, 0, 0, 1);
  tear_down (group);
}

/* Completes all that can be. Returns how many they are. */
static gpointer
complete_all (gpointer nothing)
{
  guint n_completed = 0;

  for (guint i = 0; i < N_TASKS; i++)
    {
      guint n = (guint) tasker_task_complete_many (owner.tasks + i, N_TASKS - i, FALSE);

      n_completed += n;
      i += n;
    }

  return GUINT_TO_POINTER (n_completed);
}

/* Each task is either completed or told of, and not both. */
static void
test_race (void)
{
  for (guint round = 0; round < tasker_test_rounds (20); round++)
    {
      TaskerGroup *group = tasker_test_group (NULL);
      GThread *thread;
      guint n_completed;

      set_up ();
      owner.late = TRUE;
      spawn_tasks (group, N_TASKS);
      tasker_test_iterate_until (owner.n_begun == N_TASKS);

      thread = g_thread_new ("complete", complete_all, NULL);
      for (guint i = N_TASKS; i > 0; i--)
        tasker_task_abort (owner.tasks[i - 1]);
      tasker_test_iterate_until (tasker_group_get_n_tasks (group) == 0);
      n_completed = GPOINTER_TO_UINT (g_thread_join (thread));
      g_assert_cmpuint (n_completed + owner.n_ended, ==, N_TASKS);
      tear_down (group);
    }
}

static gpointer
spawn_elsewhere (gpointer group)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  owner.context = context;
  spawn_tasks (group, 1);
  tasker_test_iterate_until (owner.n_ended == 1);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* The owner is told where the task is at home. */
static void
test_other_context (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  set_up ();
  g_thread_join (g_thread_new ("spawn", spawn_elsewhere, group));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tear_down (group);
}

static void
another (gpointer     user_data,
         const gsize *begun,
         gsize        n_begun,
         const gsize *ended,
         gsize        n_ended)
{
  guint *n_told = user_data;

  *n_told += (guint) n_ended;
}

/* Each owner hears of its own tasks. */
static void
test_owners (void)
{
  static guint n_told;
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (TaskerTask) plain = g_object_new (TASKER_TYPE_TASK, NULL);
  guint id = tasker_register_async_owner (another, &n_told, NULL);

  set_up ();
  spawn_tasks (group, 1);
  task = tasker_group_spawn_owned (group, "another", id, 7);
  g_assert_cmpuint (tasker_task_get_key (task, id), ==, 7);
  g_assert_cmpuint (tasker_task_get_key (task, owner.id), ==, 0);
  g_assert_cmpuint (tasker_task_get_key (owner.tasks[0], owner.id), ==, 1);
  g_assert_cmpuint (tasker_task_get_key (plain, owner.id), ==, 0);
  g_assert_cmpuint (tasker_task_get_key (plain, 0), ==, 0);

  tasker_test_iterate_until (owner.n_ended == 1);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  tasker_task_complete (task);
  tasker_test_iterate_until (n_told == 1);
  g_assert_cmpuint (owner.n_ended, ==, 1);
  tear_down (group);
}

static void
iterate_when_begun (gpointer     user_data,
                    const gsize *begun,
                    gsize        n_begun,
                    const gsize *ended,
                    gsize        n_ended)
{
  if (n_begun > 0)
    g_main_context_iteration (NULL, FALSE);
}

static void
check_order (gpointer     user_data,
             const gsize *begun,
             gsize        n_begun,
             const gsize *ended,
             gsize        n_ended)
{
  guint *counts = user_data;

  counts[0] += (guint) n_begun;
  counts[1] += (guint) n_ended;
  g_assert_cmpuint (counts[0], >=, counts[1]);
}

/* Each is told that a task has begun before it is told of the end, also where
 * another owner, who is told in between, iterates the main loop. */
static void
test_order (void)
{
  static guint counts[2];
  guint first = tasker_register_async_owner (iterate_when_begun, NULL, NULL);
  guint second = tasker_register_async_owner (check_order, counts, NULL);
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_group_spawn_owned (group, "first", first, 1);
  TaskerTask *known = tasker_task_new_owned ("second", second, 1);

  set_up ();
  tasker_group_set_keep_results (group, FALSE);
  tasker_task_complete (known);
  tasker_group_add (group, known);
  g_object_unref (known);
  tasker_test_iterate_until (counts[1] == 1);
  g_assert_cmpuint (counts[0], ==, 1);
  tasker_task_complete (task);
  tasker_test_iterate_until (tasker_group_get_n_tasks (group) == 0);
  tear_down (group);
}

/* What cannot be has no effect. */
static void
test_refused (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) other = tasker_task_new_local ("other", tasker_test_succeed, NULL, NULL);

  set_up ();
  tasker_test_critical ("*known != NULL*", g_assert_null (tasker_task_new_owned (NULL, 1000, 1)));
  tasker_test_critical ("*key != 0*", g_assert_null (tasker_task_new_owned (NULL, owner.id, 0)));
  tasker_test_critical ("*are_async*", g_assert_cmpuint (tasker_task_complete_many (&other, 1, TRUE), ==, 0));
  g_assert_cmpuint (tasker_task_complete_many (NULL, 0, TRUE), ==, 0);

  tasker_group_finish (group);
  g_assert_null (tasker_group_spawn_owned (group, NULL, owner.id, 1));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
  tear_down (group);
}

static void
add_one (gpointer user_data)
{
  guint *n = user_data;

  ++*n;
}

static void
be_told (TaskerTask *task,
         gsize       key,
         gboolean    aborted,
         gpointer    user_data)
{
}

/* There are so many owners, of all kinds together. This comes last, for it leaves no
 * room. */
static void
test_no_room (void)
{
  static guint n_freed;

  while (tasker_register_async_owner (another, &n_freed, add_one) != 0)
    g_assert_cmpuint (n_freed, ==, 0);
  g_assert_cmpuint (n_freed, ==, 1);
  g_assert_cmpuint (tasker_register_external_owner (be_told, &n_freed, add_one), ==, 0);
  g_assert_cmpuint (n_freed, ==, 2);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/owner-async/batches", test_batches);
  tasker_test_add ("/owner-async/silent", test_silent);
  tasker_test_add ("/owner-async/max-running", test_max_running);
  tasker_test_add ("/owner-async/stopped-in-queue", test_stopped_in_queue);
  tasker_test_add ("/owner-async/aborted", test_aborted);
  tasker_test_add ("/owner-async/run-always", test_run_always);
  tasker_test_add ("/owner-async/halt", test_halt);
  tasker_test_add ("/owner-async/race", test_race);
  tasker_test_add ("/owner-async/other-context", test_other_context);
  tasker_test_add ("/owner-async/owners", test_owners);
  tasker_test_add ("/owner-async/order", test_order);
  tasker_test_add ("/owner-async/refused", test_refused);
  tasker_test_add ("/owner-async/no-room", test_no_room);

  return g_test_run ();
}
