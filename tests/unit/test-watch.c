/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watching a group: its live tasks as a list model. */

#include "tasker-test.h"

static void
spawn_many (TaskerGroup *group,
            guint        n_tasks)
{
  for (guint i = 0; i < n_tasks; i++)
    tasker_group_spawn (group, "light", tasker_test_succeed, NULL, NULL);
}

static void
assert_name (GListModel *model,
             guint       position,
             const char *name)
{
  g_autoptr (TaskerTask) task = g_list_model_get_item (model, position);

  g_assert_nonnull (task);
  g_assert_cmpstr (tasker_task_get_name (task), ==, name);
}

/* What is there at first, what comes and what goes, in order. */
static void
test_list (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = NULL;
  TaskerTestShadow shadow;
  TaskerTestGate gates[3];

  for (guint i = 0; i < 3; i++)
    tasker_test_gate_init (&gates[i]);
  tasker_group_spawn (group, "first", tasker_test_pass_gate, &gates[0], NULL);
  tasker_test_gate_await (&gates[0], 1);
  tasker_group_spawn (group, "second", tasker_test_pass_gate, &gates[1], NULL);
  tasker_test_gate_await (&gates[1], 1);

  model = tasker_group_get_tasks (group);
  g_assert_true (g_list_model_get_item_type (model) == TASKER_TYPE_TASK);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 2);
  assert_name (model, 0, "first");
  assert_name (model, 1, "second");
  g_assert_null (g_list_model_get_item (model, 2));

  tasker_test_shadow_init (&shadow, model);
  tasker_group_spawn (group, "third", tasker_test_pass_gate, &gates[2], NULL);
  tasker_test_iterate_until (shadow.items->len == 3);
  g_assert_cmpuint (shadow.n_changes, ==, 1);
  assert_name (model, 2, "third");

  tasker_test_gate_open (&gates[1]);
  tasker_test_iterate_until (shadow.items->len == 2);
  assert_name (model, 0, "first");
  assert_name (model, 1, "third");
  tasker_test_gate_open (&gates[0]);
  tasker_test_gate_open (&gates[2]);
  tasker_test_iterate_until (shadow.items->len == 0);
  g_assert_cmpuint (shadow.n_removals, ==, 3);
  tasker_test_shadow_check (&shadow);
  tasker_test_shadow_clear (&shadow);
  for (guint i = 0; i < 3; i++)
    tasker_test_gate_clear (&gates[i]);
}

static gpointer
spawn_thread (gpointer group)
{
  for (guint i = 0; i < 20; i++)
    {
      spawn_many (group, tasker_test_rounds (1000));
      g_usleep (500);
    }
  tasker_group_finish (group);
  return NULL;
}

/* Threads spawn, end and take tasks while this one looks. */
static void
test_conformance (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  TaskerTestShadow shadow;
  GThread *thread;
  guint n_taken = 0;

  tasker_group_set_max_running (group, 2);
  tasker_test_shadow_init (&shadow, model);
  thread = g_thread_new ("spawn", spawn_thread, clone);
  while (!tasker_group_is_finished (clone) || tasker_group_get_n_tasks (group) > 0)
    {
      g_autoptr (GPtrArray) tasks = NULL;

      tasker_test_iterate ();
      tasker_test_shadow_check (&shadow);
      tasks = tasker_group_poll_collect (group);
      n_taken += tasks->len;
    }
  g_thread_join (thread);
  tasker_test_iterate_until (shadow.items->len == 0);
  g_assert_cmpuint (shadow.n_removals, >, 0);
  g_test_message ("%u changes", shadow.n_changes);

  tasker_group_finish (group);
  {
    g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);

    n_taken += tasks->len;
  }
  g_assert_cmpuint (n_taken, ==, 20 * tasker_test_rounds (1000));
  tasker_test_shadow_clear (&shadow);
}

/* Of many that are there at first, all come. */
static void
test_many (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = NULL;
  TaskerTestGate gate;
  guint n_tasks = tasker_test_rounds (50000);

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  spawn_many (group, n_tasks);
  model = tasker_group_get_tasks (group);
  g_assert_cmpuint (g_list_model_get_n_items (model), >, 0);
  tasker_test_iterate_until (g_list_model_get_n_items (model) == n_tasks + 1);

  tasker_group_stop (group);
  tasker_test_gate_open (&gate);
  tasker_test_iterate_until (g_list_model_get_n_items (model) == 0);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

/* An item is the same object for as long as it is held: in the list, though its
 * task has ended and was taken meanwhile, and where it was taken. */
static void
test_items (void)
{
  for (guint held = 0; held < 2; held++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GListModel) model = NULL;
      g_autoptr (GPtrArray) tasks = NULL;
      g_autoptr (TaskerTask) full = tasker_task_new ("full", tasker_test_succeed, NULL, NULL);
      g_autoptr (TaskerTask) item = NULL;
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_set_max_running (group, 1);
      tasker_group_spawn (group, "light", tasker_test_pass_gate, &gate, NULL);
      tasker_group_add (group, full);
      model = tasker_group_get_tasks (group);
      g_assert_cmpuint (g_list_model_get_n_items (model), ==, 2);
      if (held)
        {
          item = g_list_model_get_item (model, 0);
          g_assert_false (tasker_task_is_finished (item));
        }
      tasker_test_gate_open (&gate);
      tasks = tasker_group_collect (group, NULL, NULL);

      /* The main loop has not run, so they are still there. */
      g_assert_cmpuint (tasks->len, ==, 2);
      g_assert_cmpuint (g_list_model_get_n_items (model), ==, 2);
      if (held)
        g_assert_true (item == tasks->pdata[0]);
      else
        item = g_list_model_get_item (model, 0);
      g_assert_true (item == tasks->pdata[0]);
      g_assert_true (tasker_task_is_finished (item));
      assert_name (model, 0, "light");
      assert_name (model, 1, "full");
      g_assert_true (full == tasks->pdata[1]);

      tasker_test_iterate_until (g_list_model_get_n_items (model) == 0);
      g_assert_cmpstr (tasker_task_get_name (item), ==, "light");
      tasker_test_gate_clear (&gate);
    }
}

/* One that was taken and let go of can still be looked at, until it is removed;
 * the same without results. */
static void
test_late_items (void)
{
  for (guint keep_results = 0; keep_results < 2; keep_results++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GListModel) model = NULL;
      g_autoptr (TaskerTask) item = NULL;
      TaskerTestLedger *ledger = tasker_test_ledger_new (2);
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_set_keep_results (group, (gboolean) keep_results);
      tasker_test_ledger_spawn (ledger, group, "one", tasker_test_pass_gate, &gate);
      tasker_test_ledger_spawn (ledger, group, "two", tasker_test_pass_gate, &gate);
      model = tasker_group_get_tasks (group);
      g_assert_cmpuint (g_list_model_get_n_items (model), ==, 2);
      tasker_test_gate_open (&gate);
      g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));

      for (guint i = 0; i < 2; i++)
        {
          g_clear_object (&item);
          item = g_list_model_get_item (model, 0);
          g_assert_cmpint (tasker_task_get_state (item), ==, TASKER_TASK_STATE_SUCCEEDED);
        }
      tasker_test_iterate_until (g_list_model_get_n_items (model) == 0);
      g_assert_cmpint (tasker_task_get_state (item), ==, TASKER_TASK_STATE_SUCCEEDED);
      tasker_test_ledger_close (ledger, 2, 2);
      tasker_test_gate_clear (&gate);
    }
}

typedef struct
{
  TaskerGroup *group;
  int          n_taken;
  int          ended;
} Taker;

static gpointer
take_thread (gpointer user_data)
{
  Taker *taker = user_data;

  while (!g_atomic_int_get (&taker->ended))
    {
      g_autoptr (GPtrArray) tasks = tasker_group_poll_collect (taker->group);

      for (guint i = 0; i < tasks->len; i++)
        g_assert_true (tasker_task_is_finished (tasks->pdata[i]));
      g_atomic_int_add (&taker->n_taken, (int) tasks->len);
    }

  return NULL;
}

/* Another thread takes what this one looks at: both get one and the same. */
static void
test_take_races (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  Taker taker = { .group = clone };
  GThread *thread = g_thread_new ("take", take_thread, &taker);
  guint n_tasks = 0;

  for (guint i = 0; i < tasker_test_rounds (2000); i++)
    {
      g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_object_unref);

      spawn_many (group, 10);
      n_tasks += 10;
      g_main_context_iteration (NULL, FALSE);
      for (guint j = 0; j < g_list_model_get_n_items (model); j++)
        {
          g_ptr_array_add (items, g_list_model_get_item (model, j));
          g_object_unref (g_list_model_get_item (model, j));
          if (j % 2)
            g_ptr_array_set_size (items, 0);
        }
    }

  tasker_test_iterate_until (g_list_model_get_n_items (model) == 0 &&
                             (guint) g_atomic_int_get (&taker.n_taken) == n_tasks);
  g_atomic_int_set (&taker.ended, TRUE);
  g_thread_join (thread);
}

static gpointer
other_context_thread (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GListModel) model = NULL;
  g_autoptr (GListModel) again = NULL;
  TaskerGroup *group = user_data;
  TaskerTestShadow shadow;

  g_main_context_push_thread_default (context);
  model = tasker_group_get_tasks (group);
  again = tasker_group_get_tasks (group);
  g_assert_true (model == again);
  tasker_test_shadow_init (&shadow, model);
  spawn_many (group, 100);
  tasker_test_iterate_until (shadow.n_changes > 0 && shadow.items->len == 0);
  tasker_test_shadow_clear (&shadow);
  g_main_context_pop_thread_default (context);

  return g_steal_pointer (&model);
}

/* One in each context, while somebody holds it. */
static void
test_contexts (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  g_autoptr (GListModel) again = tasker_group_get_tasks (group);
  g_autoptr (GListModel) other = NULL;
  GWeakRef alive;

  g_assert_true (model == again);
  g_clear_object (&again);
  other = g_thread_join (g_thread_new ("context", other_context_thread, group));
  g_assert_true (model != other);

  g_weak_ref_init (&alive, model);
  g_clear_object (&model);
  g_assert_false (tasker_test_is_alive (&alive));
  g_weak_ref_clear (&alive);
}

/* Without a main loop it is as of the last call. */
static void
test_without_loop (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  TaskerTestShadow shadow;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_test_shadow_init (&shadow, model);
  tasker_group_spawn (group, "late", tasker_test_pass_gate, &gate, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  g_object_unref (tasker_group_get_tasks (group));
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 1);
  assert_name (model, 0, "late");
  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_object_unref (tasker_group_get_tasks (group));
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  tasker_test_shadow_check (&shadow);
  tasker_test_shadow_clear (&shadow);
  tasker_test_gate_clear (&gate);
}

/* A list in a context that nobody runs any more. */
static void
test_dead_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GMainContext *context = g_main_context_new ();
  TaskerTestLedger *ledger = tasker_test_ledger_new (200);
  GListModel *model;
  GWeakRef alive;

  g_main_context_push_thread_default (context);
  model = tasker_group_get_tasks (group);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_weak_ref_init (&alive, model);

  for (guint i = 0; i < 100; i++)
    tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
  g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
  g_object_unref (model);
  g_assert_false (tasker_test_is_alive (&alive));
  tasker_test_ledger_close (ledger, 100, 100);
  g_weak_ref_clear (&alive);
}

static gpointer
drop_thread (gpointer model)
{
  g_object_unref (model);
  return NULL;
}

static void
test_dropped_elsewhere (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      GListModel *model = tasker_group_get_tasks (group);
      GThread *thread;

      spawn_many (group, 10);
      if (i % 2)
        tasker_test_iterate ();
      thread = g_thread_new ("drop", drop_thread, model);
      tasker_test_iterate ();
      g_object_unref (tasker_group_get_tasks (group));
      g_thread_join (thread);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_iterate ();
    }
}

static void
drop_in_handler (GListModel *model,
                 guint       position,
                 guint       n_removed,
                 guint       n_added,
                 gpointer    location)
{
  g_clear_object ((GListModel **) location);
}

static void
test_dropped_in_handler (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  GListModel *model = tasker_group_get_tasks (group);
  GWeakRef alive;

  g_weak_ref_init (&alive, model);
  g_signal_connect (model, "items-changed", G_CALLBACK (drop_in_handler), &model);
  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_test_iterate_until (model == NULL);
  g_assert_false (tasker_test_is_alive (&alive));
  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_weak_ref_clear (&alive);
}

typedef struct
{
  TaskerGroup *group;
  guint        n_left;
} Nosy;

/* Spawns, asks again and runs the loop; and joins in the end. */
static void
be_nosy (gpointer user_data)
{
  Nosy *nosy = user_data;

  if (nosy->n_left == 0)
    return;

  nosy->n_left--;
  tasker_group_spawn (nosy->group, NULL, tasker_test_succeed, NULL, NULL);
  g_object_unref (tasker_group_get_tasks (nosy->group));
  g_main_context_iteration (NULL, FALSE);
  if (nosy->n_left == 0 && !tasker_group_is_stopped (nosy->group))
    {
      tasker_group_stop (nosy->group);
      g_assert_true (tasker_group_join (nosy->group, NULL, NULL));
    }
}

static void
test_reentrant (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  Nosy nosy = { group, tasker_test_rounds (200) };
  TaskerTestShadow shadows[3];

  for (guint i = 0; i < 3; i++)
    tasker_test_shadow_init (&shadows[i], model);
  shadows[1].changed = be_nosy;
  shadows[1].user_data = &nosy;
  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  tasker_test_iterate_until (shadows[0].items->len > 0 || nosy.n_left == 0);
  while (nosy.n_left > 0)
    {
      spawn_many (group, 1);
      tasker_test_iterate ();
    }
  tasker_test_iterate_until (g_list_model_get_n_items (model) == 0);
  for (guint i = 0; i < 3; i++)
    {
      tasker_test_shadow_check (&shadows[i]);
      tasker_test_shadow_clear (&shadows[i]);
    }
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/watch/list", test_list);
  tasker_test_add ("/watch/list/conformance", test_conformance);
  tasker_test_add ("/watch/list/many", test_many);
  tasker_test_add ("/watch/list/items", test_items);
  tasker_test_add ("/watch/list/late-items", test_late_items);
  tasker_test_add ("/watch/list/take-races", test_take_races);
  tasker_test_add ("/watch/list/contexts", test_contexts);
  tasker_test_add ("/watch/list/without-loop", test_without_loop);
  tasker_test_add ("/watch/list/dead-context", test_dead_context);
  tasker_test_add ("/watch/list/dropped-elsewhere", test_dropped_elsewhere);
  tasker_test_add ("/watch/list/dropped-in-handler", test_dropped_in_handler);
  tasker_test_add ("/watch/list/reentrant", test_reentrant);

  return g_test_run ();
}
