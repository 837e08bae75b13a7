/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watching a group: its live tasks as a list model, what they say of their
 * progress, and notifications of properties. */

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

typedef struct
{
  guint position;
  guint n_removed;
  guint n_added;
} Change;

static void
note_change (GListModel *model,
             guint       position,
             guint       n_removed,
             guint       n_added,
             gpointer    changes)
{
  g_array_append_vals (changes, &(Change) { position, n_removed, n_added }, 1);
}

/* A task that goes is one removal, wherever it is; the others are not touched. */
static void
test_list_removals (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  g_autoptr (GArray) changes = g_array_new (FALSE, FALSE, sizeof (Change));
  g_autoptr (GPtrArray) left = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 100; i++)
    {
      g_ptr_array_add (left, tasker_task_new_async (NULL, NULL, NULL, NULL));
      tasker_group_add (group, left->pdata[i]);
    }
  tasker_test_iterate_until (g_list_model_get_n_items (model) == 100);
  g_signal_connect (model, "items-changed", G_CALLBACK (note_change), changes);

  for (guint i = 0; left->len > 0; i += 37)
    {
      guint position = i % left->len;
      Change *change;

      tasker_task_complete (left->pdata[position]);
      g_ptr_array_remove_index (left, position);
      tasker_test_iterate_until (changes->len > 0);
      tasker_test_come_to_rest ();

      g_assert_cmpuint (changes->len, ==, 1);
      change = &g_array_index (changes, Change, 0);
      g_assert_cmpuint (change->position, ==, position);
      g_assert_cmpuint (change->n_removed, ==, 1);
      g_assert_cmpuint (change->n_added, ==, 0);
      g_array_set_size (changes, 0);
    }
  g_signal_handlers_disconnect_by_data (model, changes);
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
  TaskerTestGate gate;
  GThread *thread;
  guint n_taken = 0;

  /* Most of the tasks are over before anybody sees them; this one is not. */
  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 3);
  tasker_test_shadow_init (&shadow, model);
  tasker_group_spawn (group, "seen", tasker_test_pass_gate, &gate, NULL);
  tasker_test_iterate_until (shadow.items->len == 1);
  thread = g_thread_new ("spawn", spawn_thread, clone);
  while (!tasker_group_is_finished (clone) || tasker_group_get_n_tasks (group) > 1)
    {
      g_autoptr (GPtrArray) tasks = NULL;

      tasker_test_come_to_rest ();
      tasker_test_shadow_check (&shadow);
      tasks = tasker_group_poll_collect (group);
      n_taken += tasks->len;
    }
  g_thread_join (thread);
  tasker_test_gate_open (&gate);
  tasker_test_iterate_until (shadow.items->len == 0);
  g_assert_cmpuint (shadow.n_removals, >, 0);
  g_test_message ("%u changes", shadow.n_changes);

  tasker_group_finish (group);
  {
    g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);

    n_taken += tasks->len;
  }
  g_assert_cmpuint (n_taken, ==, 20 * tasker_test_rounds (1000) + 1);
  tasker_test_shadow_clear (&shadow);
  tasker_test_gate_clear (&gate);
}

/* Of many that are there at first, all come. */
static void
test_many (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = NULL;
  TaskerTestGate gate;
  guint n_tasks = tasker_test_rounds (50000);

  tasker_test_gate_occupy (&gate, group);
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
  TaskerTestGate gate;

  g_main_context_push_thread_default (context);
  model = tasker_group_get_tasks (group);
  again = tasker_group_get_tasks (group);
  g_assert_true (model == again);
  tasker_test_shadow_init (&shadow, model);
  tasker_test_gate_init (&gate);
  spawn_many (group, 100);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_iterate_until (shadow.items->len == 1);
  tasker_test_gate_open (&gate);
  tasker_test_iterate_until (shadow.items->len == 0);
  tasker_test_gate_clear (&gate);
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
        tasker_test_come_to_rest ();
      thread = g_thread_new ("drop", drop_thread, model);
      tasker_test_come_to_rest ();
      g_object_unref (tasker_group_get_tasks (group));
      g_thread_join (thread);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_come_to_rest ();
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
      tasker_test_come_to_rest ();
    }
  tasker_test_iterate_until (g_list_model_get_n_items (model) == 0);
  for (guint i = 0; i < 3; i++)
    {
      tasker_test_shadow_check (&shadows[i]);
      tasker_test_shadow_clear (&shadows[i]);
    }
}

/* Notifications */

static const char * const group_properties[] =
{
  "n-tasks", "n-spawned", "n-succeeded", "n-failed", "n-stopped", "n-aborted",
  "is-stopped", "progress", "max-running", "max-queued", "keep-results", "abort-on-drop",
};

static const char * const task_properties[] = { "state", "progress", "progress-message" };

/* How often each property of an object was notified, and where. */
typedef struct
{
  GObject            *object;
  GThread            *thread;
  const char * const *names;
  guint               n_names;
  guint               n_now[16];  /* since the last look */
  guint               n_ever[16];
} Ears;

static void
hear (GObject    *object,
      GParamSpec *pspec,
      gpointer    user_data)
{
  Ears *ears = user_data;

  g_assert_true (g_thread_self () == ears->thread);
  for (guint i = 0; i < ears->n_names; i++)
    if (g_str_equal (ears->names[i], pspec->name))
      {
        ears->n_now[i]++;
        ears->n_ever[i]++;
      }
}

static void
open_ears (Ears               *ears,
           gpointer            object,
           const char * const *names,
           guint               n_names)
{
  *ears = (Ears) { .object = object, .thread = g_thread_self (), .names = names, .n_names = n_names };
  g_signal_connect (object, "notify", G_CALLBACK (hear), ears);
}

static void
close_ears (Ears *ears)
{
  g_signal_handlers_disconnect_by_data (ears->object, ears);
}

static guint
heard (Ears       *ears,
       const char *name)
{
  for (guint i = 0; i < ears->n_names; i++)
    if (g_str_equal (ears->names[i], name))
      return ears->n_ever[i];

  g_assert_not_reached ();
}

/* Runs one iteration; in it each property is notified once at most. */
static void
iterate_once (Ears *ears)
{
  memset (ears->n_now, 0, sizeof ears->n_now);
  g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
  for (guint i = 0; i < ears->n_names; i++)
    g_assert_cmpuint (ears->n_now[i], <=, 1);
}

#define iterate_ears_until(ears, expr) \
  G_STMT_START { \
    gint64 deadline_ = tasker_test_deadline (); \
    while (iterate_once (ears), !(expr)) \
      tasker_test_nap (deadline_, G_STRLOC, #expr); \
  } G_STMT_END

static gpointer
busy_thread (gpointer group)
{
  for (guint i = 0; i < 100; i++)
    {
      spawn_many (group, 10);
      tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
      if (i % 10 == 0)
        g_usleep (200);
    }

  return NULL;
}

/* In the home context, once in an iteration, and up to the last change. */
static void
test_counts (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  Ears ears;
  GThread *thread;

  open_ears (&ears, group, group_properties, G_N_ELEMENTS (group_properties));
  iterate_once (&ears);
  g_assert_cmpuint (heard (&ears, "n-tasks"), ==, 0);

  thread = g_thread_new ("busy", busy_thread, clone);
  iterate_ears_until (&ears, g_atomic_int_get (&ears.n_ever[0]) > 0);
  g_thread_join (thread);
  iterate_ears_until (&ears, tasker_group_get_n_tasks (clone) == 0);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears, "n-tasks"), >, 0);
  g_assert_cmpuint (heard (&ears, "n-spawned"), >, 0);
  g_assert_cmpuint (heard (&ears, "n-succeeded"), >, 0);
  g_assert_cmpuint (heard (&ears, "n-failed"), >, 0);
  g_assert_cmpuint (heard (&ears, "progress"), >, 0);
  g_assert_cmpuint (heard (&ears, "n-stopped"), ==, 0);
  g_assert_cmpuint (heard (&ears, "is-stopped"), ==, 0);
  g_assert_cmpuint (heard (&ears, "max-running"), ==, 0);
  close_ears (&ears);
}

/* All that has changed before an iteration is one notification. */
static void
test_coalesced (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Ears ears;

  open_ears (&ears, group, group_properties, G_N_ELEMENTS (group_properties));
  for (guint i = 0; i < 10; i++)
    {
      spawn_many (group, 100);
      tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
      g_assert_cmpuint (heard (&ears, "n-tasks"), ==, i);
      tasker_test_come_to_rest ();
      g_assert_cmpuint (heard (&ears, "n-tasks"), ==, i + 1);
      g_assert_cmpuint (heard (&ears, "n-succeeded"), ==, i + 1);
    }
  tasker_group_stop (group);
  tasker_group_abort (group);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears, "is-stopped"), ==, 1);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears, "n-aborted"), ==, 1);
  g_assert_cmpuint (heard (&ears, "n-succeeded"), ==, 10);
  close_ears (&ears);
}

static gboolean
tell_progress (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();

  for (guint i = 0; i < 100; i++)
    tasker_task_set_progress (task, i / 100.0, "working");

  return TRUE;
}

/* Nothing is woken where nobody listens, or nobody does any more. */
static void
test_nobody_listens (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  Ears ears;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tell_progress, NULL, NULL);
      Ears task_ears;

      if (i == 1)
        {
          open_ears (&ears, group, group_properties, G_N_ELEMENTS (group_properties));
          open_ears (&task_ears, task, task_properties, G_N_ELEMENTS (task_properties));
        }
      tasker_group_add (group, task);
      spawn_many (group, 10);
      tasker_group_spawn (group, NULL, tell_progress, NULL, NULL);
      tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
      g_assert_true (g_main_context_pending (NULL) == (i == 1));
      tasker_test_come_to_rest ();
      if (i == 1)
        {
          close_ears (&ears);
          close_ears (&task_ears);
          /* That this is so is noticed at the next change. */
          spawn_many (group, 1);
          tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
          tasker_test_come_to_rest ();
        }
    }
  g_assert_cmpuint (heard (&ears, "n-tasks"), ==, 1);
}

/* Who begins to listen late, and asks nothing, is told of what comes then. */
static void
test_late_listener (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerGroup *clones[20];
  Ears ears;

  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    clones[i] = tasker_group_clone (group);
  spawn_many (group, 100);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    {
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      tasker_test_gate_await (&gate, 1);
      open_ears (&ears, clones[i], group_properties, G_N_ELEMENTS (group_properties));
      tasker_test_come_to_rest ();
      tasker_test_gate_open (&gate);
      tasker_test_iterate_until (heard (&ears, "n-succeeded") == 1);
      tasker_group_set_max_queued (group, 100 + i);
      tasker_test_iterate_until (heard (&ears, "max-queued") == 1);
      close_ears (&ears);
      tasker_test_gate_clear (&gate);
    }
  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    g_object_unref (clones[i]);
}

/* The same, of one change after which nothing else changes. */
static void
test_late_listener_of_many (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerGroup *clones[20];
  TaskerTestGate gate;
  Ears ears;

  tasker_test_gate_init (&gate);
  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    clones[i] = tasker_group_clone (group);
  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    {
      open_ears (&ears, clones[i], group_properties, G_N_ELEMENTS (group_properties));
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      tasker_test_iterate_until (heard (&ears, "n-tasks") == 1);
      close_ears (&ears);
    }

  tasker_test_gate_open (&gate);
  for (guint i = 0; i < G_N_ELEMENTS (clones); i++)
    g_object_unref (clones[i]);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 20, 0, 20, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static gpointer
set_thread (gpointer group)
{
  tasker_group_set_max_running (group, 7);
  tasker_group_set_max_queued (group, 8);
  tasker_group_set_keep_results (group, FALSE);
  tasker_group_set_abort_on_drop (group, TRUE);
  tasker_group_stop (group);
  return NULL;
}

/* Settings are notified at once where they are set at home, and otherwise as the
 * rest is, by all handles. */
static void
test_settings (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  Ears ears[2];

  open_ears (&ears[0], group, group_properties, G_N_ELEMENTS (group_properties));
  open_ears (&ears[1], clone, group_properties, G_N_ELEMENTS (group_properties));
  tasker_group_set_max_running (group, 3);
  g_assert_cmpuint (heard (&ears[0], "max-running"), ==, 1);
  g_assert_cmpuint (heard (&ears[1], "max-running"), ==, 0);
  tasker_group_set_max_running (group, 3);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears[0], "max-running"), ==, 1);
  g_assert_cmpuint (heard (&ears[1], "max-running"), ==, 1);

  g_thread_join (g_thread_new ("set", set_thread, group));
  g_assert_cmpuint (heard (&ears[0], "max-queued"), ==, 0);
  g_assert_cmpuint (heard (&ears[1], "max-queued"), ==, 0);
  tasker_test_come_to_rest ();
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpuint (heard (&ears[i], "max-running"), ==, 2);
      g_assert_cmpuint (heard (&ears[i], "max-queued"), ==, 1);
      g_assert_cmpuint (heard (&ears[i], "keep-results"), ==, 1);
      g_assert_cmpuint (heard (&ears[i], "abort-on-drop"), ==, 1);
      g_assert_cmpuint (heard (&ears[i], "is-stopped"), ==, 1);
      close_ears (&ears[i]);
    }
}

/* Who has just been told of a setting hears of the next end as before, also where the
 * runner has gone on to a slow task. */
static void
test_end_after_setting (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestGate gates[4];
  Ears ears;
  guint n_heard;

  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    tasker_test_gate_init (&gates[i]);
  open_ears (&ears, group, group_properties, G_N_ELEMENTS (group_properties));
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[0], NULL);
  tasker_test_gate_await (&gates[0], 1);
  tasker_test_spawn_quick (group);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[1], NULL);
  tasker_test_gate_open (&gates[0]);
  tasker_test_gate_await (&gates[1], 1);

  /* Half of these are taken at once. */
  for (guint i = 0; i < 8; i++)
    if (i == 2 || i == 3)
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[i], NULL);
    else
      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_test_gate_open (&gates[1]);
  tasker_test_gate_await (&gates[2], 1);
  tasker_test_come_to_rest ();

  n_heard = heard (&ears, "n-succeeded");
  tasker_group_set_max_queued (group, 100);
  tasker_test_gate_open (&gates[2]);
  tasker_test_gate_await (&gates[3], 1);
  tasker_test_iterate_until (heard (&ears, "n-succeeded") > n_heard);

  tasker_test_gate_open (&gates[3]);
  tasker_test_assert_join (group, TASKER_TEST_N_QUICK + 10, 0, 0);
  close_ears (&ears);
  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    tasker_test_gate_clear (&gates[i]);
}

/* What a task says: by itself, in sum, and for who listens. */
static gboolean
say_and_wait (gpointer       gates,
              GCancellable  *stopper,
              GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  TaskerTestGate **gate = gates;

  tasker_task_set_progress (task, 0.25, "first");
  tasker_test_pass_gate (gate[0], stopper, error);
  for (guint i = 0; i <= 100; i++)
    tasker_task_set_progress (task, 0.25 + i / 200.0, i < 100 ? "second" : NULL);

  return tasker_test_pass_gate (gate[1], stopper, error);
}

static void
assert_progress (TaskerTask *task,
                 double      progress,
                 const char *message)
{
  g_autofree char *own = tasker_task_dup_progress_message (task);
  g_autofree char *property = NULL;

  g_object_get (task, "progress-message", &property, NULL);
  g_assert_cmpstr (own, ==, message);
  g_assert_cmpstr (property, ==, message);
  g_assert_cmpfloat_with_epsilon (tasker_task_get_progress (task), progress, 1e-9);
}

static void
test_progress (void)
{
  for (guint full = 0; full < 2; full++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GListModel) model = NULL;
      g_autoptr (TaskerTask) task = NULL;
      TaskerTestGate gates[2];
      gpointer locations[] = { &gates[0], &gates[1] };
      Ears ears[2];

      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0);
      for (guint i = 0; i < 2; i++)
        tasker_test_gate_init (&gates[i]);
      open_ears (&ears[0], group, group_properties, G_N_ELEMENTS (group_properties));
      if (full)
        {
          task = tasker_task_new (NULL, say_and_wait, locations, NULL);
          tasker_group_add (group, task);
        }
      else
        {
          tasker_group_spawn (group, NULL, say_and_wait, locations, NULL);
        }
      tasker_test_gate_await (&gates[0], 1);
      tasker_test_iterate_until (heard (&ears[0], "progress") > 0);
      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.25);

      model = tasker_group_get_tasks (group);
      g_clear_object (&task);
      task = g_list_model_get_item (model, 0);
      assert_progress (task, 0.25, "first");
      open_ears (&ears[1], task, task_properties, G_N_ELEMENTS (task_properties));
      tasker_test_come_to_rest ();
      ears[0].n_ever[7] = 0;

      tasker_test_gate_open (&gates[0]);
      tasker_test_gate_await (&gates[1], 1);
      tasker_test_come_to_rest ();
      g_assert_cmpuint (heard (&ears[1], "progress"), ==, 1);
      g_assert_cmpuint (heard (&ears[1], "progress-message"), ==, 1);
      g_assert_cmpuint (heard (&ears[1], "state"), ==, 0);
      g_assert_cmpuint (heard (&ears[0], "progress"), ==, 1);
      assert_progress (task, 0.75, NULL);
      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.75);

      tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.375);
      tasker_test_gate_open (&gates[1]);
      tasker_test_iterate_until (heard (&ears[1], "state") == 1);
      g_assert_cmpuint (heard (&ears[1], "progress"), ==, 2);
      assert_progress (task, 1, NULL);
      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.5);
      tasker_task_set_progress (task, 0.1, "late");
      assert_progress (task, 1, NULL);
      tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpfloat (tasker_group_get_progress (group), ==, 1);
      for (guint i = 0; i < 2; i++)
        {
          close_ears (&ears[i]);
          tasker_test_gate_clear (&gates[i]);
        }
    }
}

static void
test_progress_limits (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  Ears ears;

  open_ears (&ears, task, task_properties, G_N_ELEMENTS (task_properties));
  tasker_test_critical ("*progress*", tasker_task_set_progress (task, -0.1, NULL));
  tasker_test_critical ("*progress*", tasker_task_set_progress (task, 1.1, NULL));
  tasker_test_critical ("*progress*", tasker_task_set_progress (task, 0.0 / 0.0, NULL));

  /* A new task says so at once. */
  tasker_task_set_progress (task, 0.5, "prepared");
  g_assert_cmpuint (heard (&ears, "progress"), ==, 1);
  g_assert_cmpuint (heard (&ears, "progress-message"), ==, 1);
  tasker_task_set_progress (task, 0.5, "prepared");
  g_assert_cmpuint (heard (&ears, "progress"), ==, 1);
  assert_progress (task, 0.5, "prepared");
  close_ears (&ears);
}

/* One that was refused is in no sum. */
static void
test_progress_of_refused (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  TaskerTestGate gate;
  TaskerTask *task;

  tasker_group_set_max_queued (group, 1);
  tasker_test_gate_occupy (&gate, group);
  spawn_many (group, 1);

  task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  tasker_task_set_progress (task, 0.5, NULL);
  g_assert_false (tasker_group_try_add (group, task, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FULL);
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0);
  g_object_unref (task);
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

/* What was said before it was added counts as well. */
static void
test_progress_before (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);

  tasker_task_set_progress (task, 0.5, "prepared");
  tasker_group_add (group, task);
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.5);
  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

static gboolean
pass_item (gpointer       gates,
           gsize          index,
           GCancellable  *stopper,
           GError       **error)
{
  return index < 2 || tasker_test_pass_gate (gates, stopper, error);
}

/* A task over many items knows by itself. */
static void
test_progress_of_each (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = NULL;
  TaskerTestGate gate;
  Ears ears[2];

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  task = tasker_task_new_each (NULL, 4, pass_item, &gate, NULL);
  open_ears (&ears[0], group, group_properties, G_N_ELEMENTS (group_properties));
  open_ears (&ears[1], task, task_properties, G_N_ELEMENTS (task_properties));
  tasker_group_add (group, task);
  tasker_test_gate_await (&gate, 1);
  tasker_test_iterate_until (heard (&ears[1], "progress") > 0);
  g_assert_cmpfloat (tasker_task_get_progress (task), >, 0);
  g_assert_cmpfloat (tasker_task_get_progress (task), <, 1);
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, tasker_task_get_progress (task));
  g_assert_cmpuint (heard (&ears[0], "progress"), >, 0);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (guint i = 0; i < 2; i++)
    close_ears (&ears[i]);
  tasker_test_gate_clear (&gate);
}

/* A child is one task of its parent; what changes in it goes all the way up. */
static void
test_progress_of_children (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) child = tasker_group_new_child (group, "child");
  g_autoptr (TaskerGroup) grandchild = tasker_group_new_child (child, "grandchild");
  g_autoptr (GListModel) model = tasker_group_get_tasks (group);
  g_autoptr (TaskerTask) child_task = g_list_model_get_item (model, 0);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);
  Ears ears[2];

  g_assert_cmpstr (tasker_task_get_name (child_task), ==, "child");
  spawn_many (child, 1);
  tasker_group_add (grandchild, task);
  tasker_test_wait_for (tasker_group_get_n_tasks (child) == 1);
  g_assert_cmpfloat (tasker_group_get_progress (child), ==, 0.5);
  open_ears (&ears[0], group, group_properties, G_N_ELEMENTS (group_properties));
  open_ears (&ears[1], child_task, task_properties, G_N_ELEMENTS (task_properties));
  tasker_task_set_progress (task, 0.5, NULL);
  tasker_test_iterate_until (heard (&ears[0], "progress") > 0);
  g_assert_cmpuint (heard (&ears[1], "progress"), ==, 1);
  g_assert_cmpfloat (tasker_group_get_progress (grandchild), ==, 0.5);
  g_assert_cmpfloat (tasker_group_get_progress (child), ==, 0.75);
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, 0.75);
  g_assert_cmpfloat (tasker_task_get_progress (child_task), ==, 0.75);

  tasker_group_stop (group);
  tasker_group_finish (child);
  tasker_group_finish (grandchild);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpfloat (tasker_group_get_progress (group), ==, 1);
  for (guint i = 0; i < 2; i++)
    close_ears (&ears[i]);
}

typedef struct
{
  TaskerTask      *task;
  TaskerTaskState  states[8];
  guint            n_states;
} States;

static void
note_state (TaskerTask *task,
            GParamSpec *pspec,
            gpointer    user_data)
{
  States *states = user_data;

  g_assert_cmpuint (states->n_states, <, G_N_ELEMENTS (states->states));
  states->states[states->n_states++] = tasker_task_get_state (task);
}

/* A full task, of whichever kind, is told where it is; also where somebody begins
 * to listen after it was added, and asks nothing. */
static void
test_states (void)
{
  for (guint late = 0; late < 2; late++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      States states = { NULL };
      TaskerTestGate gates[2];

      for (guint i = 0; i < 2; i++)
        tasker_test_gate_init (&gates[i]);
      tasker_group_set_max_running (group, 1);
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[0], NULL);
      tasker_test_gate_await (&gates[0], 1);
      task = tasker_task_new (NULL, tasker_test_pass_gate, &gates[1], NULL);
      if (late)
        tasker_group_add (group, task);
      g_signal_connect (task, "notify::state", G_CALLBACK (note_state), &states);
      if (!late)
        {
          tasker_group_add (group, task);
          tasker_test_iterate_until (states.n_states == 1);
          g_assert_cmpint (states.states[0], ==, TASKER_TASK_STATE_QUEUED);
        }
      states.n_states = 0;

      tasker_test_gate_open (&gates[0]);
      tasker_test_iterate_until (states.n_states == 1);
      g_assert_cmpint (states.states[0], ==, TASKER_TASK_STATE_RUNNING);
      /* Others are queued behind it. */
      for (guint i = 0; i < 10; i++)
        tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
      tasker_test_gate_open (&gates[1]);
      tasker_test_iterate_until (states.n_states == 2);
      g_assert_cmpint (states.states[1], ==, TASKER_TASK_STATE_SUCCEEDED);
      tasker_group_stop (group);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      for (guint i = 0; i < 2; i++)
        tasker_test_gate_clear (&gates[i]);
      g_signal_handlers_disconnect_by_data (task, &states);
    }
}

static gboolean
take_step (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  return G_SOURCE_REMOVE;
}

static gboolean
do_item (gpointer       user_data,
         gsize          index,
         GCancellable  *stopper,
         GError       **error)
{
  return TRUE;
}

static void
test_states_of_kinds (void)
{
  for (guint kind = 0; kind < 5; kind++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      TaskerTaskState state = TASKER_TASK_STATE_SUCCEEDED;
      States states = { NULL };

      if (kind == 0)
        task = tasker_task_new_local (NULL, take_step, NULL, NULL);
      else if (kind == 1)
        task = tasker_task_new_interval (NULL, 1, take_step, NULL, NULL);
      else if (kind == 2)
        task = tasker_task_new_async (NULL, NULL, NULL, NULL);
      else if (kind == 3)
        task = tasker_task_new_each (NULL, 1000, do_item, NULL, NULL);
      else
        task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
      if (kind == 4)
        state = TASKER_TASK_STATE_STOPPED;

      g_signal_connect (task, "notify::state", G_CALLBACK (note_state), &states);
      if (kind == 4)
        tasker_group_stop (group);
      tasker_group_add (group, task);
      if (kind == 2)
        tasker_task_complete (task);
      tasker_test_iterate_until (states.n_states > 0 && states.states[states.n_states - 1] == state);
      g_assert_cmpuint (states.n_states, <=, 3);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_come_to_rest ();
      g_assert_cmpint (states.states[states.n_states - 1], ==, state);
      g_signal_handlers_disconnect_by_data (task, &states);
    }
}

/* An item of the list is told as any task is. */
static void
test_states_of_items (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GListModel) model = NULL;
  g_autoptr (TaskerTask) item = NULL;
  States states = { NULL };
  TaskerTestGate gates[2];

  for (guint i = 0; i < 2; i++)
    tasker_test_gate_init (&gates[i]);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[0], NULL);
  tasker_test_gate_await (&gates[0], 1);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gates[1], NULL);
  model = tasker_group_get_tasks (group);
  item = g_list_model_get_item (model, 1);
  g_signal_connect (item, "notify::state", G_CALLBACK (note_state), &states);

  tasker_test_gate_open (&gates[0]);
  tasker_test_iterate_until (states.n_states == 1);
  g_assert_cmpint (states.states[0], ==, TASKER_TASK_STATE_RUNNING);
  tasker_test_gate_open (&gates[1]);
  tasker_test_iterate_until (states.n_states == 2);
  g_assert_cmpint (states.states[1], ==, TASKER_TASK_STATE_SUCCEEDED);
  for (guint i = 0; i < 2; i++)
    tasker_test_gate_clear (&gates[i]);
}

static gpointer
own_context_ears_thread (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (TaskerTask) task = NULL;
  Ears ears[2];

  g_main_context_push_thread_default (context);
  group = tasker_group_clone (user_data);
  task = tasker_task_new (NULL, tell_progress, NULL, NULL);
  open_ears (&ears[0], group, group_properties, G_N_ELEMENTS (group_properties));
  open_ears (&ears[1], task, task_properties, G_N_ELEMENTS (task_properties));
  tasker_group_add (group, task);
  tasker_test_iterate_until (tasker_task_is_finished (task) && heard (&ears[0], "n-succeeded") > 0 &&
                             heard (&ears[1], "state") > 0);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears[1], "progress"), >, 0);
  for (guint i = 0; i < 2; i++)
    close_ears (&ears[i]);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* Home is where the object was made; the default context does not run. */
static void
test_own_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  g_thread_join (g_thread_new ("own", own_context_ears_thread, group));
  g_assert_false (g_main_context_pending (NULL));
}

/* Objects whose context nobody runs any more. */
static void
test_dead_homes (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      GMainContext *context = g_main_context_new ();
      TaskerGroup *clone;
      TaskerTask *task;
      GWeakRef alive[2];
      Ears ears[2];

      g_main_context_push_thread_default (context);
      clone = tasker_group_clone (group);
      task = tasker_task_new (NULL, tell_progress, NULL, NULL);
      g_main_context_pop_thread_default (context);
      g_main_context_unref (context);
      g_weak_ref_init (&alive[0], clone);
      g_weak_ref_init (&alive[1], task);
      open_ears (&ears[0], clone, group_properties, G_N_ELEMENTS (group_properties));
      open_ears (&ears[1], task, task_properties, G_N_ELEMENTS (task_properties));
      if (i == 1)
        tasker_task_set_progress (task, 0.5, NULL);
      tasker_group_add (clone, task);
      tasker_group_finish (clone);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
      g_object_unref (clone);
      g_object_unref (task);
      for (guint j = 0; j < 2; j++)
        {
          g_assert_false (tasker_test_is_alive (&alive[j]));
          g_weak_ref_clear (&alive[j]);
          g_assert_cmpuint (ears[j].n_ever[0], ==, 0);
        }
    }
}

static void
drop_object (GObject    *object,
             GParamSpec *pspec,
             gpointer    location)
{
  g_clear_object ((GObject **) location);
}

static void
join_group (GObject    *object,
            GParamSpec *pspec,
            gpointer    user_data)
{
  guint *n_joined = user_data;

  if (++*n_joined == 1)
    g_assert_true (tasker_group_join (TASKER_GROUP (object), NULL, NULL));
}

/* Handlers drop what they are told of, and join. */
static void
test_nosy_handlers (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerGroup *clone = tasker_group_clone (group);
  TaskerTask *task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  GWeakRef alive[2];
  guint n_joined = 0;

  g_weak_ref_init (&alive[0], clone);
  g_weak_ref_init (&alive[1], task);
  g_signal_connect (clone, "notify::n-tasks", G_CALLBACK (drop_object), &clone);
  g_signal_connect (task, "notify::state", G_CALLBACK (drop_object), &task);
  tasker_group_add (group, task);
  tasker_test_iterate_until (clone == NULL && task == NULL);
  g_assert_false (tasker_test_is_alive (&alive[0]));
  g_signal_connect (group, "notify::n-tasks", G_CALLBACK (join_group), &n_joined);
  spawn_many (group, 100);
  tasker_test_iterate_until (n_joined > 0);
  tasker_test_assert_counts (group, 101, 0, 101, 0, 0, 0);
  g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
  g_assert_false (tasker_test_is_alive (&alive[1]));
  for (guint i = 0; i < 2; i++)
    g_weak_ref_clear (&alive[i]);
}

static gpointer
say_thread (gpointer task)
{
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *message = g_strdup_printf ("%u", i);
      g_autofree char *seen = NULL;

      tasker_task_set_progress (task, i / 1000.0, message);
      seen = tasker_task_dup_progress_message (task);
      g_assert_nonnull (seen);
    }

  g_object_unref (task);
  return NULL;
}

static gpointer
say_early_thread (gpointer task)
{
  tasker_task_set_progress (task, 0.5, "early");
  return NULL;
}

/* In another thread a new task cannot say so; it does when it is added. */
static void
test_progress_early (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);
  Ears ears;

  open_ears (&ears, task, task_properties, G_N_ELEMENTS (task_properties));
  g_thread_join (g_thread_new ("say", say_early_thread, task));
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears, "progress"), ==, 0);
  tasker_group_add (group, task);
  tasker_test_iterate_until (heard (&ears, "progress") == 1);
  g_assert_cmpuint (heard (&ears, "progress-message"), ==, 1);
  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  close_ears (&ears);
}

/* One that waits for room is not added yet either. */
static void
test_progress_before_room (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);
  TaskerTestGate gate;
  Ears ears;

  tasker_group_set_max_queued (group, 1);
  tasker_test_gate_occupy (&gate, group);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_add_wait_async (group, task, NULL, NULL, NULL);

  open_ears (&ears, task, task_properties, G_N_ELEMENTS (task_properties));
  g_thread_join (g_thread_new ("say", say_early_thread, task));
  tasker_test_come_to_rest ();
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  g_assert_cmpuint (heard (&ears, "progress"), ==, 0);
  tasker_test_gate_open (&gate);
  tasker_test_iterate_until (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (heard (&ears, "progress"), ==, 1);
  g_assert_cmpuint (heard (&ears, "progress-message"), ==, 1);

  tasker_group_stop (group);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  close_ears (&ears);
  tasker_test_gate_clear (&gate);
}

/* Several threads say things, the task ends meanwhile, and all of them let go of
 * it; somebody listens, in some rounds. */
static void
test_progress_races (void)
{
  for (guint i = 0; i < tasker_test_rounds (200); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      TaskerTask *task = tasker_task_new (NULL, tell_progress, NULL, NULL);
      GThread *threads[2];
      Ears ears;

      if (i % 2)
        open_ears (&ears, task, task_properties, G_N_ELEMENTS (task_properties));
      for (guint j = 0; j < 2; j++)
        threads[j] = g_thread_new ("say", say_thread, g_object_ref (task));
      tasker_group_add (group, task);
      tasker_test_come_to_rest ();
      g_assert_cmpfloat (tasker_group_get_progress (group), <=, 1);
      g_object_unref (task);
      g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
      tasker_test_come_to_rest ();
      for (guint j = 0; j < 2; j++)
        g_thread_join (threads[j]);
      tasker_test_come_to_rest ();
    }
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    n_notified)
{
  (*(guint *) n_notified)++;
}

/* What the listener to a child finds to have ended, when he is told, is told to the
 * parent as well: here the parent is told before, and the child after that. Returns
 * whether it was so, for that takes a runner that has both of the last two tasks in
 * hand, of which one has ended. */
static gboolean
find_late (void)
{
  g_autoptr(TaskerGroup) parent = tasker_test_group ("parent");
  g_autoptr(TaskerGroup) child = tasker_group_new_child (parent, "child");
  TaskerTestGate gates[3];
  guint n_parent = 0;
  guint n_child = 0;
  gboolean found;

  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    tasker_test_gate_init (&gates[i]);
  g_signal_connect (parent, "notify::progress", G_CALLBACK (count_notify), &n_parent);
  g_signal_connect (child, "notify::progress", G_CALLBACK (count_notify), &n_child);
  tasker_group_set_max_running (child, 1);

  /* A runner takes the more of quick tasks the more of them it has seen. */
  tasker_group_spawn (child, NULL, tasker_test_pass_gate, &gates[0], NULL);
  tasker_test_gate_await (&gates[0], 1);
  spawn_many (child, 100);
  tasker_group_spawn (child, NULL, tasker_test_pass_gate, &gates[1], NULL);
  spawn_many (child, 200);
  tasker_test_iterate_until (n_child > 0 && n_parent > 0);
  tasker_test_come_to_rest ();
  n_parent = n_child = 0;

  tasker_group_spawn (parent, NULL, tasker_test_pass_gate, &gates[2], NULL);
  tasker_test_gate_await (&gates[2], 1);
  tasker_test_gate_open (&gates[0]);
  tasker_test_gate_await (&gates[1], 1);
  g_assert_cmpuint (n_parent, ==, 0);
  tasker_test_iterate_until (n_child > 0 && n_parent > 0);
  tasker_test_come_to_rest ();
  found = n_parent > 1;

  tasker_test_gate_open (&gates[1]);
  tasker_test_gate_open (&gates[2]);
  tasker_group_finish (child);
  g_assert_true (tasker_group_join (parent, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
    tasker_test_gate_clear (&gates[i]);

  return found;
}

static void
test_found_late (void)
{
  gboolean found = FALSE;

  for (guint i = 0; i < 100 && !found; i++)
    found = find_late ();

  g_assert_true (found);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/watch/list", test_list);
  tasker_test_add ("/watch/list/removals", test_list_removals);
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
  tasker_test_add ("/watch/counts", test_counts);
  tasker_test_add ("/watch/coalesced", test_coalesced);
  tasker_test_add ("/watch/nobody-listens", test_nobody_listens);
  tasker_test_add ("/watch/late-listener", test_late_listener);
  tasker_test_add ("/watch/late-listener-of-many", test_late_listener_of_many);
  tasker_test_add ("/watch/settings", test_settings);
  tasker_test_add ("/watch/end-after-setting", test_end_after_setting);
  tasker_test_add ("/watch/progress", test_progress);
  tasker_test_add ("/watch/progress/limits", test_progress_limits);
  tasker_test_add ("/watch/progress/of-refused", test_progress_of_refused);
  tasker_test_add ("/watch/progress/before", test_progress_before);
  tasker_test_add ("/watch/progress/of-each", test_progress_of_each);
  tasker_test_add ("/watch/progress/of-children", test_progress_of_children);
  tasker_test_add ("/watch/progress/early", test_progress_early);
  tasker_test_add ("/watch/progress/before-room", test_progress_before_room);
  tasker_test_add ("/watch/progress/races", test_progress_races);
  tasker_test_add ("/watch/states", test_states);
  tasker_test_add ("/watch/states/of-kinds", test_states_of_kinds);
  tasker_test_add ("/watch/states/of-items", test_states_of_items);
  tasker_test_add ("/watch/own-context", test_own_context);
  tasker_test_add ("/watch/dead-homes", test_dead_homes);
  tasker_test_add ("/watch/nosy-handlers", test_nosy_handlers);
  tasker_test_add ("/watch/found-late", test_found_late);

  return g_test_run ();
}
