/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Main contexts that are left before the tasks in them have ended, and that
 * nothing of a group keeps afterwards. */

#include "tasker-test.h"

#define N_KINDS 3
#define N_TASKS (2 * N_KINDS)

/* A context and what is added to it; @n_freed and @is_gone are atomic. */
typedef struct
{
  TaskerGroup  *group;
  TaskerTask   *tasks[N_TASKS]; /* one of each kind that has begun, then others */
  GMainContext *context;        /* not a reference */
  int           n_freed;
  int           is_gone;
} Left;

static void
left_clear (Left *left)
{
  for (guint i = 0; i < N_TASKS; i++)
    g_clear_object (&left->tasks[i]);
}

static gboolean
never (gpointer user_data)
{
  g_assert_not_reached ();
}

static void
on_gone (gpointer data)
{
  Left *left = data;

  g_atomic_int_set (&left->is_gone, TRUE);
}

/* A context that tells when it is finalized. */
static GMainContext *
new_context (Left *left)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GSource) source = g_timeout_source_new_seconds (24 * 60 * 60);

  g_source_set_callback (source, never, left, on_gone);
  g_source_attach (source, context);
  left->context = context;

  return context;
}

/* What belongs to the context is called, and freed, by who has acquired it. */
static void
free_in_context (gpointer data)
{
  Left *left = data;

  g_assert_true (g_main_context_is_owner (left->context));
  g_atomic_int_inc (&left->n_freed);
}

static gboolean
go_on_until_stopped (gpointer       user_data,
                     GCancellable  *stopper,
                     GError       **error)
{
  Left *left = user_data;

  g_assert_true (g_main_context_is_owner (left->context));
  return g_cancellable_is_cancelled (stopper) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
add_each_kind (Left        *left,
               TaskerTask **tasks)
{
  tasks[0] = tasker_task_new_local ("local", go_on_until_stopped, left, free_in_context);
  tasks[1] = tasker_task_new_interval ("interval", 1, go_on_until_stopped, left, free_in_context);
  tasks[2] = tasker_task_new_async ("async", NULL, left, free_in_context);
  for (guint i = 0; i < N_KINDS; i++)
    tasker_group_add (left->group, tasks[i]);
}

/* To the thread-default context: a task of each kind that has begun, and one
 * that has not. */
static void
add_tasks (Left *left)
{
  add_each_kind (left, left->tasks);
  for (guint i = 0; i < N_KINDS; i++)
    while (tasker_task_get_state (left->tasks[i]) != TASKER_TASK_STATE_RUNNING)
      g_main_context_iteration (left->context, TRUE);

  add_each_kind (left, left->tasks + N_KINDS);
}

/* Those that have ended; the group has them, too. */
static void
forget_tasks (Left *left)
{
  g_assert_true (tasker_group_poll_join (left->group, NULL, NULL));
  left_clear (left);
}

static void
stop_and_complete (Left *left)
{
  tasker_group_stop (left->group);
  for (guint i = 2; i < N_TASKS; i += N_KINDS)
    tasker_task_complete (left->tasks[i]);
}

/* Nothing keeps a context in which all tasks have ended; but those that are held
 * have it for their home. */
static void
test_let_go (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Left left = { .group = group };
  GMainContext *context = new_context (&left);

  g_main_context_push_thread_default (context);
  add_tasks (&left);
  stop_and_complete (&left);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (left.n_freed, ==, N_TASKS);
  tasker_test_assert_counts (group, N_TASKS, 0, 2, 0, 4, 0);
  g_main_context_pop_thread_default (context);

  forget_tasks (&left);
  g_assert_false (left.is_gone);
  g_main_context_unref (context);
  g_assert_true (left.is_gone);
}

/* Adds tasks to a context of its own, and leaves it. */
static gpointer
leave_thread (gpointer user_data)
{
  Left *left = user_data;
  g_autoptr (GMainContext) context = new_context (left);

  g_main_context_push_thread_default (context);
  add_tasks (left);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static gpointer
stop_and_complete_thread (gpointer user_data)
{
  stop_and_complete (user_data);
  return NULL;
}

/* Only its tasks keep the context, and who joins runs them. The stop is before
 * the join, or meanwhile. */
static void
test_left (void)
{
  guint n_rounds = tasker_test_rounds (200);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      Left left = { .group = group };
      GThread *stopper;

      g_thread_join (g_thread_new ("leave", leave_thread, &left));
      g_assert_false (g_atomic_int_get (&left.is_gone));
      stopper = g_thread_new ("stop", stop_and_complete_thread, &left);
      if (i % 2 == 0)
        g_thread_join (g_steal_pointer (&stopper));

      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (g_atomic_int_get (&left.n_freed), ==, N_TASKS);
      g_clear_pointer (&stopper, g_thread_join);
      tasker_test_assert_equation (group);
      forget_tasks (&left);
      g_assert_true (left.is_gone);
    }
}

static gpointer
leave_and_stop_thread (gpointer user_data)
{
  leave_thread (user_data);
  stop_and_complete (user_data);
  return NULL;
}

/* The join is there first, and finds the context when it is left. */
static void
test_left_during_join (void)
{
  guint n_rounds = tasker_test_rounds (100);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
      Left left = { .group = clone };
      GThread *thread = g_thread_new ("leave", leave_and_stop_thread, &left);

      tasker_test_wait_for (tasker_group_get_n_tasks (group) == N_TASKS);
      tasker_group_finish (clone);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (g_atomic_int_get (&left.n_freed), ==, N_TASKS);
      g_thread_join (thread);
      tasker_test_assert_equation (group);
      forget_tasks (&left);
      g_assert_true (left.is_gone);
    }
}

/* The group goes before its tasks have ended, and then the context. */
static void
test_group_dropped (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Left left = { .group = group };
  GMainContext *context = new_context (&left);

  tasker_group_set_abort_on_drop (group, TRUE);
  g_main_context_push_thread_default (context);
  add_tasks (&left);
  g_object_unref (group);
  g_assert_cmpint (left.n_freed, ==, 0);
  tasker_test_iterate_until (left.n_freed == N_TASKS);
  g_main_context_pop_thread_default (context);

  for (guint i = 0; i < N_TASKS; i++)
    g_assert_cmpint (tasker_task_get_state (left.tasks[i]), ==, TASKER_TASK_STATE_ABORTED);
  g_main_context_unref (context);
  left_clear (&left);
  g_assert_true (left.is_gone);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/contexts/let-go", test_let_go);
  tasker_test_add ("/contexts/left", test_left);
  tasker_test_add ("/contexts/left-during-join", test_left_during_join);
  tasker_test_add ("/contexts/group-dropped", test_group_dropped);

  return g_test_run ();
}
