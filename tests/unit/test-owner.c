/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Async tasks whose owner is told of many at once. */

#include "tasker-test.h"

#define N_TASKS 1000

/* An owner, and what it was told of each task. All in one thread. */
typedef struct
{
  TaskerGroup *group;   /* to abort when the first task has begun, or %NULL */
  gboolean     late;    /* whether to leave the tasks to others */
  guint        n_calls;
  guint        n_begun;
  guint        n_ended;
  guint        n_freed; /* of its data */
} Owner;

static void
on_news (gpointer     user_data,
         TaskerTask **begun,
         gsize        n_begun,
         TaskerTask **ended,
         gsize        n_ended)
{
  Owner *owner = user_data;

  g_assert_true (g_main_context_is_owner (g_main_context_default ()));
  g_assert_cmpint (owner->n_freed, ==, 0);
  owner->n_calls++;
  owner->n_begun += (guint) n_begun;
  owner->n_ended += (guint) n_ended;

  for (gsize i = 0; i < n_begun; i++)
    {
      if (owner->group != NULL)
        tasker_group_abort (owner->group);
      else if (!owner->late)
        tasker_task_complete (begun[i]);
    }
  for (gsize i = 0; i < n_ended; i++)
    g_assert_true (tasker_task_is_finished (ended[i]));
}

static void
free_owner (gpointer user_data)
{
  ((Owner *) user_data)->n_freed++;
}

static void
add_tasks (TaskerGroup *group,
           guint        n_tasks)
{
  for (guint i = 0; i < n_tasks; i++)
    {
      g_autoptr (TaskerTask) task = g_object_new (TASKER_TYPE_TASK, NULL);

      tasker_group_add (group, task);
    }
}

/* Once neither the handle nor a task is there, so is not the owner's data. */
static void
drop (TaskerGroup *group,
      Owner       *owner)
{
  g_assert_cmpuint (owner->n_freed, ==, 0);
  g_object_unref (group);
  tasker_test_iterate_until (owner->n_freed == 1);
}

/* Each begins and ends once, and few calls are enough to say so. */
static void
test_batches (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { 0 };

  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  add_tasks (group, N_TASKS);
  g_assert_cmpuint (owner.n_calls, ==, 0);

  tasker_test_iterate_until (owner.n_ended == N_TASKS);
  g_assert_cmpuint (owner.n_begun, ==, N_TASKS);
  g_assert_cmpuint (owner.n_calls, <=, N_TASKS / 4);
  tasker_test_assert_counts (group, N_TASKS, 0, N_TASKS, 0, 0, 0);
  drop (group, &owner);
}

/* With a bound, those that wait begin as others end. */
static void
test_max_running (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { 0 };

  tasker_group_set_max_running (group, 3);
  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  add_tasks (group, 100);

  tasker_test_iterate_until (owner.n_ended == 100);
  g_assert_cmpuint (owner.n_begun, ==, 100);
  drop (group, &owner);
}

/* What is stopped before its turn ends, and its owner hears of that only. */
static void
test_stopped_in_queue (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { 0 };

  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  add_tasks (group, 10);
  tasker_group_stop (group);

  tasker_test_iterate_until (owner.n_ended == 10);
  g_assert_cmpuint (owner.n_begun, ==, 0);
  tasker_test_assert_counts (group, 10, 0, 0, 0, 10, 0);
  drop (group, &owner);
}

/* The owner does not have to do anything for an aborted task to end. */
static void
test_aborted (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { .group = group };

  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  add_tasks (group, 10);

  tasker_test_iterate_until (owner.n_ended == 10);
  tasker_test_assert_counts (group, 10, 0, 0, 0, 0, 10);
  drop (group, &owner);
}

/* What runs even after the stop does not begin along with others: there would be
 * no telling whether one of those has aborted the group meanwhile. */
static void
test_run_always (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { .group = group };

  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  add_tasks (group, 1);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerTask) task = g_object_new (TASKER_TYPE_TASK, "run-always", TRUE, NULL);

      tasker_group_add (group, task);
    }

  tasker_test_iterate_until (owner.n_ended == 3);
  g_assert_cmpuint (owner.n_begun, ==, 1);
  tasker_test_assert_counts (group, 3, 0, 0, 0, 0, 3);
  drop (group, &owner);
}

static gpointer
drop_elsewhere (gpointer group)
{
  g_object_unref (group);

  return NULL;
}

/* The tasks hold their owner when the handle is gone, in whichever thread; and
 * its data is freed where it belongs. */
static void
test_dropped_elsewhere (void)
{
  g_autoptr (TaskerGroup) other = NULL;
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { .late = TRUE };
  g_autoptr (TaskerTask) task = tasker_task_new_async ("task", NULL, NULL, NULL);

  other = tasker_group_clone (group);
  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  tasker_group_add (group, task);
  g_thread_join (g_thread_new ("drop", drop_elsewhere, group));

  tasker_test_iterate_until (owner.n_begun == 1);
  g_assert_cmpuint (owner.n_freed, ==, 0);
  tasker_task_complete (task);
  tasker_test_iterate_until (owner.n_ended == 1);
  g_clear_object (&task);
  g_clear_object (&other);
  tasker_test_iterate_until (owner.n_freed == 1);
}

static gpointer
add_elsewhere (gpointer group)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (TaskerTask) task = tasker_task_new_async ("task", NULL, NULL, NULL);

  g_main_context_push_thread_default (context);
  tasker_group_add (group, task);
  tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  tasker_task_complete (task);
  tasker_test_iterate_until (tasker_task_is_finished (task));
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* What belongs to another context is not the owner's. */
static void
test_other_context (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  Owner owner = { 0 };

  tasker_group_set_owner_func (group, on_news, &owner, free_owner);
  g_thread_join (g_thread_new ("add", add_elsewhere, group));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  g_assert_cmpuint (owner.n_calls, ==, 0);
  drop (group, &owner);
}

/* Refused by one handle, added through another: only that one's owner is told. */
static void
test_refused (void)
{
  TaskerGroup *full = tasker_test_group ("full");
  TaskerGroup *group = tasker_test_group ("roomy");
  g_autoptr (TaskerTask) task = tasker_task_new_async ("task", NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  Owner first = { 0 }, second = { 0 };

  tasker_group_set_max_running (full, 1);
  tasker_group_set_max_queued (full, 1);
  add_tasks (full, 2);
  tasker_group_set_owner_func (full, on_news, &first, free_owner);
  tasker_group_set_owner_func (group, on_news, &second, free_owner);

  g_assert_false (tasker_group_try_add (full, task, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FULL);
  tasker_group_add (group, task);
  tasker_test_iterate_until (second.n_ended == 1);
  g_assert_cmpuint (first.n_calls, ==, 0);

  tasker_group_abort (full);
  tasker_test_iterate_until (tasker_group_get_n_tasks (full) == 0);
  drop (full, &first);
  drop (group, &second);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/owner/batches", test_batches);
  tasker_test_add ("/owner/max-running", test_max_running);
  tasker_test_add ("/owner/stopped-in-queue", test_stopped_in_queue);
  tasker_test_add ("/owner/aborted", test_aborted);
  tasker_test_add ("/owner/run-always", test_run_always);
  tasker_test_add ("/owner/dropped-elsewhere", test_dropped_elsewhere);
  tasker_test_add ("/owner/other-context", test_other_context);
  tasker_test_add ("/owner/refused", test_refused);

  return g_test_run ();
}
