/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles on a group: making, cloning and finishing them, and what a join
 * makes of handles that are still open. */

#include "tasker-test.h"

typedef struct
{
  TaskerGroup *group;
  int          is_done;
} Joiner;

/* Joins in a thread of its own. */
static gpointer
joiner_main (gpointer user_data)
{
  Joiner *joiner = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_true (tasker_group_join (joiner->group, NULL, &error));
  g_assert_no_error (error);
  g_atomic_int_set (&joiner->is_done, TRUE);
  return NULL;
}

static GThread *
joiner_start (Joiner      *joiner,
              TaskerGroup *group)
{
  joiner->group = group;
  joiner->is_done = FALSE;
  return g_thread_new ("joiner", joiner_main, joiner);
}

/* The join has begun once its handle is finished. */
static void
assert_join_pends (Joiner *joiner)
{
  tasker_test_wait_for (tasker_group_is_finished (joiner->group));
  g_usleep (50000);
  g_assert_false (g_atomic_int_get (&joiner->is_done));
}

static void
test_new (void)
{
  g_autoptr (TaskerGroup) named = tasker_test_group ("sync");
  g_autoptr (TaskerGroup) nameless = tasker_test_group (NULL);

  g_assert_true (TASKER_IS_GROUP (named));
  g_assert_cmpstr (tasker_group_get_name (named), ==, "sync");
  g_assert_null (tasker_group_get_name (nameless));
  g_assert_false (tasker_group_is_finished (named));
  g_assert_false (tasker_group_is_stopped (named));
  tasker_test_assert_join (named, 0, 0, 0);
  tasker_test_assert_join (nameless, 0, 0, 0);
}

static void
test_clone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);

  g_assert_true (clone != group);
  g_assert_cmpstr (tasker_group_get_name (clone), ==, "sync");
  tasker_group_spawn (clone, NULL, tasker_test_succeed, NULL, NULL);

  tasker_group_finish (group);
  g_assert_true (tasker_group_is_finished (group));
  g_assert_false (tasker_group_is_finished (clone));
  tasker_group_spawn (clone, NULL, tasker_test_succeed, NULL, NULL);

  tasker_group_finish (clone);
  tasker_test_assert_join (group, 2, 0, 0);
  tasker_test_assert_counts (clone, 2, 0, 2, 0, 0, 0);
}

/* A finished handle can still stop, watch, join and be cloned. */
static void
test_finish (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("finish");
  g_autofree char *dump = NULL;

  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_group_finish (group);
  tasker_group_finish (group);
  g_assert_true (tasker_group_is_finished (group));

  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 1);
  dump = tasker_group_dump (group);
  g_assert_nonnull (dump);
  g_assert_true (tasker_group_stop (group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_equation (group);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
}

static void
test_join_finishes (void)
{
  g_autoptr (TaskerGroup) joined = tasker_test_group ("joined");
  g_autoptr (TaskerGroup) collected = tasker_test_group ("collected");
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GPtrArray) polled = NULL;
  guint n_joined;

  g_assert_true (tasker_group_poll_join (joined, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 0);
  polled = tasker_group_poll_collect (joined);
  g_assert_cmpuint (polled->len, ==, 0);
  g_assert_false (tasker_group_is_finished (joined));

  tasker_test_assert_join (joined, 0, 0, 0);
  g_assert_true (tasker_group_is_finished (joined));

  tasks = tasker_group_collect (collected, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 0);
  g_assert_true (tasker_group_is_finished (collected));
  tasker_test_assert_counts (collected, 0, 0, 0, 0, 0, 0);
}

static void
test_finalize_finishes (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("drop");
  TaskerGroup *clone = tasker_group_clone (group);
  gpointer alive = clone;
  Joiner joiner;
  GThread *thread = joiner_start (&joiner, group);

  assert_join_pends (&joiner);
  g_object_add_weak_pointer (G_OBJECT (clone), &alive);
  g_object_unref (clone);
  g_assert_null (alive);
  g_thread_join (thread);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

static void
test_clone_of_finished (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("finished");
  g_autoptr (TaskerGroup) clone = NULL;
  g_autoptr (TaskerTask) task = tasker_task_new ("late", tasker_test_succeed, NULL, NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_finish (group);
  clone = tasker_group_clone (group);
  g_assert_true (tasker_group_is_finished (clone));
  g_assert_false (tasker_group_try_add (clone, task, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FINISHED);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);

  tasker_test_assert_join (clone, 0, 0, 0);
}

static void
test_hundred_clones (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("hundred");
  g_autoptr (GPtrArray) finished = g_ptr_array_new_with_free_func (g_object_unref);
  TaskerTestLedger *ledger = tasker_test_ledger_new (100);
  guint i;

  for (i = 0; i < 100; i++)
    {
      TaskerGroup *clone = tasker_group_clone (group);

      tasker_test_ledger_spawn (ledger, clone, NULL, NULL, NULL);
      if (i % 2 == 0)
        {
          tasker_group_finish (clone);
          g_ptr_array_add (finished, clone);
        }
      else
        g_object_unref (clone);
    }

  tasker_test_assert_join (group, 100, 0, 0);
  tasker_test_ledger_close (ledger, 100, 100);
}

static void
test_join_pends (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("pends");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  Joiner joiner;
  GThread *thread;

  tasker_group_join_async (group, NULL, tasker_test_keep, &result);
  thread = joiner_start (&joiner, group);
  assert_join_pends (&joiner);
  tasker_test_iterate ();
  g_assert_null (result);

  tasker_group_finish (clone);
  g_thread_join (thread);
  tasker_test_iterate_until (result != NULL);
  g_assert_true (tasker_group_join_finish (group, result, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

static void
test_spawn_while_joining (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("late");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  TaskerTestLedger *ledger = tasker_test_ledger_new (2);
  TaskerTestGate gate;
  Joiner joiner;
  GThread *thread;

  tasker_test_gate_init (&gate);
  thread = joiner_start (&joiner, group);
  assert_join_pends (&joiner);

  tasker_test_ledger_spawn (ledger, clone, "late", NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_test_ledger_spawn (ledger, clone, "later", tasker_test_pass_gate, &gate);
  tasker_group_finish (clone);
  assert_join_pends (&joiner);

  tasker_test_gate_open (&gate);
  g_thread_join (thread);
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
  tasker_test_ledger_close (ledger, 2, 2);
  tasker_test_gate_clear (&gate);
}

/* A task that holds a clone, spawns through it while the group is being
 * joined, and drops it. */
static gboolean
spawn_through_clone (gpointer       user_data,
                     GCancellable  *stopper,
                     GError       **error)
{
  TaskerGroup *clone = user_data;
  TaskerGroup *joined = g_object_get_data (G_OBJECT (clone), "joined");

  tasker_test_wait_for (tasker_group_is_finished (joined));
  tasker_group_spawn (clone, "inner", tasker_test_succeed, NULL, NULL);
  return TRUE;
}

static void
test_task_spawns_while_joining (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("nested");
  TaskerGroup *clone = tasker_group_clone (group);

  g_object_set_data (G_OBJECT (clone), "joined", group);
  tasker_group_spawn (group, "outer", spawn_through_clone, clone, g_object_unref);
  tasker_test_assert_join (group, 2, 0, 0);
}

/* The first handle is gone, and the last of three clones joins. */
static void
test_join_any_clone (void)
{
  TaskerGroup *group = tasker_test_group ("any");
  TaskerGroup *second = tasker_group_clone (group);
  g_autoptr (TaskerGroup) third = tasker_group_clone (second);
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);

  tasker_test_watch (third);
  tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
  g_object_unref (group);
  tasker_test_ledger_spawn (ledger, second, NULL, NULL, NULL);
  g_object_unref (second);
  tasker_test_ledger_spawn (ledger, third, NULL, NULL, NULL);

  tasker_test_assert_join (third, 3, 0, 0);
  tasker_test_ledger_close (ledger, 3, 3);
}

static void
test_join_from_all (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("all");
  g_autoptr (GPtrArray) clones = g_ptr_array_new_with_free_func (g_object_unref);
  Joiner joiners[8];
  GThread *threads[8];
  guint i;

  for (i = 0; i < 8; i++)
    {
      g_ptr_array_add (clones, tasker_group_clone (group));
      tasker_group_spawn (clones->pdata[i], NULL, tasker_test_succeed, NULL, NULL);
    }
  for (i = 0; i < 8; i++)
    threads[i] = joiner_start (&joiners[i], clones->pdata[i]);
  for (i = 0; i < 8; i++)
    assert_join_pends (&joiners[i]);

  tasker_group_finish (group);
  for (i = 0; i < 8; i++)
    g_thread_join (threads[i]);
  tasker_test_assert_counts (group, 8, 0, 8, 0, 0, 0);
}

/* Many joins race with the handle that goes last. */
static void
test_finish_race (void)
{
  guint n_rounds = tasker_test_rounds (2000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      TaskerGroup *clone = tasker_group_clone (group);
      Joiner joiner;
      GThread *thread = joiner_start (&joiner, group);

      tasker_group_spawn (clone, NULL, tasker_test_succeed, NULL, NULL);
      if (i % 2 == 0)
        tasker_group_finish (clone);
      g_object_unref (clone);
      g_thread_join (thread);
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
    }
}

/* One join waits for two handles only, and one for a task as well. Who waits for
 * the next result waits for tasks that may yet come. */
static void
test_forgotten_subprocess (void)
{
  g_autoptr (TaskerGroup) forgetful = tasker_test_group ("forgetful");
  g_autoptr (TaskerGroup) busy = tasker_test_group ("industrious");
  g_autoptr (TaskerGroup) first = tasker_group_clone (forgetful);
  g_autoptr (TaskerGroup) second = tasker_group_clone (forgetful);
  g_autoptr (TaskerGroup) other = tasker_group_clone (busy);
  g_autoptr (TaskerGroup) idle = tasker_test_group ("idle");
  g_autoptr (TaskerGroup) consumer = tasker_group_clone (idle);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (consumer);
  TaskerTestGate gate;
  Joiner joiners[2];
  GThread *threads[2];

  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  tasker_test_gate_init (&gate);
  tasker_group_spawn (busy, NULL, tasker_test_pass_gate, &gate, NULL);
  threads[0] = joiner_start (&joiners[0], forgetful);
  threads[1] = joiner_start (&joiners[1], busy);
  tasker_join_stream_next_async (stream, NULL, NULL, NULL);
  g_usleep (6500000);

  tasker_group_finish (idle);
  tasker_test_come_to_rest ();
  tasker_group_finish (first);
  tasker_group_finish (second);
  tasker_group_finish (other);
  tasker_test_gate_open (&gate);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  tasker_test_gate_clear (&gate);
}

/* The parent's join waits for one below it for which nobody else waits, and for a
 * child that has something to do. */
static void
test_forgotten_child_subprocess (void)
{
  g_autoptr (TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr (TaskerGroup) child = tasker_group_new_child (parent, "child");
  g_autoptr (TaskerGroup) grandchild = tasker_group_new_child (child, "forgetful");
  g_autoptr (TaskerGroup) busy = tasker_group_new_child (parent, "industrious");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (grandchild);
  TaskerTestGate gate;
  Joiner joiner;
  GThread *thread;

  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  tasker_test_gate_init (&gate);
  tasker_group_spawn (busy, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_finish (child);
  tasker_group_finish (grandchild);
  thread = joiner_start (&joiner, parent);
  g_usleep (6500000);

  tasker_group_finish (clone);
  tasker_group_finish (busy);
  tasker_test_gate_open (&gate);
  g_thread_join (thread);
  tasker_test_gate_clear (&gate);
}

static void
test_forgotten_child (void)
{
  g_test_trap_subprocess ("/handles/forgotten/child/subprocess", 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*forgetful*1*");
  g_test_trap_assert_stderr_unmatched ("*parent*");
  g_test_trap_assert_stderr_unmatched ("*industrious*");
}

static void
test_forgotten (void)
{
  g_test_trap_subprocess ("/handles/forgotten/subprocess", 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*forgetful*2*");
  g_test_trap_assert_stderr_unmatched ("*industrious*");
  g_test_trap_assert_stderr_unmatched ("*idle*");
}

static void
test_spawn_on_finished (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("over");
  TaskerTestLedger *ledger = tasker_test_ledger_new (2);
  g_autoptr (TaskerTask) task = NULL;

  tasker_group_finish (group);

  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*");
  tasker_test_ledger_spawn (ledger, group, "late", NULL, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 1);

  task = tasker_test_ledger_task (ledger, "late", NULL, NULL);
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*");
  tasker_group_add (group, task);
  g_test_assert_expected_messages ();
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);

  g_clear_object (&task);
  tasker_test_assert_join (group, 0, 0, 0);
  tasker_test_ledger_close (ledger, 2, 0);
}

static void
test_bad_input (void)
{
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);

  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*TASKER_IS_GROUP*");
  g_assert_null (tasker_group_clone (NULL));
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*TASKER_IS_GROUP*");
  g_assert_null (tasker_group_clone ((TaskerGroup *) other));
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*TASKER_IS_GROUP*");
  tasker_group_finish (NULL);
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*TASKER_IS_GROUP*");
  g_assert_true (tasker_group_is_finished ((TaskerGroup *) other));
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, "*TASKER_IS_GROUP*");
  g_assert_false (tasker_group_join (NULL, NULL, NULL));
  g_test_assert_expected_messages ();
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/handles/new", test_new);
  tasker_test_add ("/handles/clone", test_clone);
  tasker_test_add ("/handles/finish", test_finish);
  tasker_test_add ("/handles/join-finishes", test_join_finishes);
  tasker_test_add ("/handles/finalize-finishes", test_finalize_finishes);
  tasker_test_add ("/handles/clone-of-finished", test_clone_of_finished);
  tasker_test_add ("/handles/hundred-clones", test_hundred_clones);
  tasker_test_add ("/handles/join-pends", test_join_pends);
  tasker_test_add ("/handles/spawn-while-joining", test_spawn_while_joining);
  tasker_test_add ("/handles/task-spawns-while-joining", test_task_spawns_while_joining);
  tasker_test_add ("/handles/join-any-clone", test_join_any_clone);
  tasker_test_add ("/handles/join-from-all", test_join_from_all);
  tasker_test_add ("/handles/finish-race", test_finish_race);
  tasker_test_add ("/handles/forgotten", test_forgotten);
  tasker_test_add ("/handles/forgotten/child", test_forgotten_child);
  tasker_test_add ("/handles/forgotten/child/subprocess", test_forgotten_child_subprocess);
  tasker_test_add ("/handles/forgotten/subprocess", test_forgotten_subprocess);
  tasker_test_add ("/handles/spawn-on-finished", test_spawn_on_finished);
  tasker_test_add ("/handles/bad-input", test_bad_input);

  return g_test_run ();
}
