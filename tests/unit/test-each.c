/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* tasker_task_new_each(): every index once, many threads, no item waiting
 * for a slow one, and an end in order when it is stopped or fails. */

#include "tasker-test.h"

/* A task that works on items, its group, and what is kept on the items. */
typedef struct
{
  TaskerGroup   *group;
  TaskerTask    *task;       /* %NULL before it is added */
  TaskerTestGate gate;
  guint8        *n_calls;    /* of each index */
  gsize          n_items;
  gsize          special;    /* an index that is treated apart */
  int            n_called;
  int            n_running;
  int            max_running;
  int            n_freed;
  int            is_over;    /* from here on nothing may be called */
} Items;

/* Takes the reference on the group. */
static void
items_init_in (Items       *items,
               gsize        n_items,
               TaskerGroup *group)
{
  *items = (Items) { .group = group, .n_items = n_items, .special = G_MAXSIZE };
  items->n_calls = g_malloc0 (n_items + 1);
  tasker_test_gate_init (&items->gate);
}

static void
items_init (Items *items,
            gsize  n_items)
{
  items_init_in (items, n_items, tasker_test_group (NULL));
}

static void
items_clear (Items *items)
{
  tasker_test_gate_clear (&items->gate);
  g_free (items->n_calls);
  g_clear_object (&items->task);
  g_clear_object (&items->group);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Items, items_clear)

/* A GDestroyNotify */
static void
items_release (gpointer data)
{
  Items *items = data;

  g_assert_cmpint (g_atomic_int_get (&items->n_running), ==, 0);
  g_assert_cmpint (g_atomic_int_add (&items->n_freed, 1), ==, 0);
}

static void
raise_to (int *maximum,
          int  value)
{
  int seen;

  do
    seen = g_atomic_int_get (maximum);
  while (seen < value && !g_atomic_int_compare_and_exchange (maximum, seen, value));
}

static void
begin_item (Items *items,
            gsize  index)
{
  g_assert_false (g_atomic_int_get (&items->is_over));
  g_assert_cmpuint (index, <, items->n_items);
  /* Each byte has one writer, or there is a second call to be found. */
  g_assert_cmpuint (items->n_calls[index]++, ==, 0);
  g_atomic_int_inc (&items->n_called);
  raise_to (&items->max_running, g_atomic_int_add (&items->n_running, 1) + 1);
}

static void
end_item (Items *items)
{
  g_atomic_int_add (&items->n_running, -1);
}

static gboolean
visit (gpointer       user_data,
       gsize          index,
       GCancellable  *stopper,
       GError       **error)
{
  begin_item (user_data, index);
  end_item (user_data);
  return TRUE;
}

/* Waits at the gate with the special item, visits the others. */
static gboolean
visit_or_wait (gpointer       user_data,
               gsize          index,
               GCancellable  *stopper,
               GError       **error)
{
  Items *items = user_data;

  begin_item (items, index);
  if (index == items->special)
    tasker_test_pass_gate (&items->gate, stopper, NULL);
  end_item (items);
  return TRUE;
}

static void
items_add (Items          *items,
           TaskerEachFunc  func)
{
  items->task = tasker_task_new_each ("each", items->n_items, func, items, items_release);
  tasker_group_add (items->group, items->task);
}

static void
items_assert_visited (Items *items)
{
  for (gsize i = 0; i < items->n_items; i++)
    g_assert_cmpuint (items->n_calls[i], ==, 1);
  g_assert_cmpuint (g_atomic_int_get (&items->n_called), ==, items->n_items);
}

static void
items_assert_ended (Items           *items,
                    TaskerTaskState  state)
{
  g_assert_true (tasker_task_is_finished (items->task));
  g_assert_cmpint (tasker_task_get_state (items->task), ==, state);
  g_assert_cmpint (g_atomic_int_get (&items->n_running), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&items->n_freed), ==, 1);
  g_atomic_int_set (&items->is_over, TRUE);
}

/* Joins the group, in which the task is alone and goes through all items. */
static void
items_succeed (Items *items)
{
  tasker_test_assert_join (items->group, 1, 0, 0);
  items_assert_ended (items, TASKER_TASK_STATE_SUCCEEDED);
  items_assert_visited (items);
}

/* Joins the group, in which the task is alone and fails. */
static void
items_fail (Items  *items,
            GQuark  domain,
            int     code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (tasker_group_join (items->group, NULL, &error));
  g_assert_error (error, domain, code);
  items_assert_ended (items, TASKER_TASK_STATE_FAILED);
  tasker_test_assert_counts (items->group, 1, 0, 0, 1, 0, 0);
}

static void
test_once (void)
{
  const gsize sizes[] = { 1, 2, 3, 7, 8, 9, 31, 63, 64, 65, 127, 1000, 4097, 65536, 1000003 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_auto (Items) items;

      items_init (&items, sizes[i]);
      items_add (&items, visit);
      items_succeed (&items);
      g_assert_cmpfloat (tasker_task_get_progress (items.task), ==, 1.0);
    }
}

static void
test_no_items (void)
{
  g_auto (Items) items;
  g_autoptr (GError) error = NULL;

  items_init (&items, 0);
  items_add (&items, visit);
  g_assert_true (tasker_task_join (items.task, NULL, &error));
  g_assert_no_error (error);
  items_succeed (&items);
}

/* Made and dropped without being added. */
static void
test_never_added (void)
{
  g_auto (Items) items;
  TaskerTask *task;

  items_init (&items, 10);
  task = tasker_task_new_each (NULL, items.n_items, visit, &items, items_release);
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  g_object_unref (task);
  g_assert_cmpint (items.n_freed, ==, 1);
  g_assert_cmpint (items.n_called, ==, 0);
}

static gboolean
visit_together (gpointer       user_data,
                gsize          index,
                GCancellable  *stopper,
                GError       **error)
{
  Items *items = user_data;

  begin_item (items, index);
  tasker_test_pass_gate (&items->gate, stopper, NULL);
  end_item (items);
  return TRUE;
}

/* Four items that wait for each other need four threads. */
static void
test_many_threads (void)
{
  g_auto (Items) items;

  items_init (&items, 4);
  items_add (&items, visit_together);
  tasker_test_gate_await (&items.gate, 4);
  g_assert_cmpuint (tasker_group_get_n_tasks (items.group), ==, 1);
  tasker_test_gate_open (&items.gate);

  items_succeed (&items);
  g_assert_cmpint (items.max_running, ==, 4);
}

/* One item stands still: all others are done meanwhile. */
static void
hold_one_item (gsize n_items,
               gsize special)
{
  g_auto (Items) items;

  items_init (&items, n_items);
  items.special = special;
  items_add (&items, visit_or_wait);

  tasker_test_wait_for (g_atomic_int_get (&items.n_called) == (int) n_items);
  g_assert_false (tasker_task_is_finished (items.task));
  tasker_test_gate_await (&items.gate, 1);
  tasker_test_gate_open (&items.gate);
  items_succeed (&items);
}

static void
test_slow_first (void)
{
  hold_one_item (2, 0);
  hold_one_item (10, 0);
  hold_one_item (1000, 0);
  hold_one_item (100000, 0);
}

static void
test_slow_within (void)
{
  /* Wherever in a chunk it may be. */
  for (gsize special = 0; special < 130; special += 3)
    hold_one_item (1000, special);
  hold_one_item (1000, 999);
  hold_one_item (100000, 50001);
  hold_one_item (100000, 99998);
}

/* Fast ones first, so that chunks have grown when the slow one comes. */
static void
test_slow_late (void)
{
  hold_one_item (1000003, 900000);
}

/* Alone at first, a thread has taken all that was left when it comes to the
 * slow item. Those who come later can still do the rest. */
static void
test_slow_alone (void)
{
  g_auto (Items) items;

  items_init (&items, 1000);
  items.special = 600;
  tasker_group_set_max_running (items.group, 1);
  items_add (&items, visit_or_wait);
  tasker_test_gate_await (&items.gate, 1);
  g_assert_cmpint (g_atomic_int_get (&items.n_called), <, 1000);

  tasker_group_set_max_running (items.group, 2);
  tasker_test_wait_for (g_atomic_int_get (&items.n_called) == 1000);
  tasker_test_gate_open (&items.gate);
  items_succeed (&items);
}

static gboolean
fail_at_special (gpointer       user_data,
                 gsize          index,
                 GCancellable  *stopper,
                 GError       **error)
{
  Items *items = user_data;
  gboolean is_special = index == items->special;

  begin_item (items, index);
  if (is_special)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no room for %u", (guint) index);
  end_item (items);
  return !is_special;
}

static void
test_error (void)
{
  const gsize specials[] = { 0, 1, 63, 5000, 99999 };

  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    {
      g_auto (Items) items;
      g_autoptr (GError) error = NULL;

      items_init (&items, 100000);
      items.special = specials[i];
      items_add (&items, fail_at_special);
      g_assert_false (tasker_task_join (items.task, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      items_assert_ended (&items, TASKER_TASK_STATE_FAILED);
      g_assert_error ((GError *) tasker_task_get_error (items.task),
                      G_IO_ERROR, G_IO_ERROR_NO_SPACE);

      items_fail (&items, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    }
}

static gboolean
fail_first (gpointer       user_data,
            gsize          index,
            GCancellable  *stopper,
            GError       **error)
{
  Items *items = user_data;

  begin_item (items, index);
  end_item (items);
  if (index != 0)
    return tasker_stopper_sleep (TASKER_STOPPER (stopper), 1, error);

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full");
  return FALSE;
}

/* A failure ends the rest: not all of an hour of items are begun. */
static void
test_error_ends_rest (void)
{
  g_auto (Items) items;

  items_init (&items, 4 * 1000 * 1000);
  items_add (&items, fail_first);
  items_fail (&items, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (items.n_called, <, 100000);
  g_assert_false (tasker_group_is_stopped (items.group));
}

static gboolean
fail_all (gpointer       user_data,
          gsize          index,
          GCancellable  *stopper,
          GError       **error)
{
  begin_item (user_data, index);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u", (guint) index);
  end_item (user_data);
  return FALSE;
}

/* Several at once: one error is told, none is lost from memory. */
static void
test_many_errors (void)
{
  guint n_rounds = tasker_test_rounds (500);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_auto (Items) items;

      items_init_in (&items, 100, tasker_group_new (NULL));
      items_add (&items, fail_all);
      items_fail (&items, G_IO_ERROR, G_IO_ERROR_FAILED);
    }
}

static gboolean
panic_at_special (gpointer       user_data,
                  gsize          index,
                  GCancellable  *stopper,
                  GError       **error)
{
  Items *items = user_data;

  begin_item (items, index);
  end_item (items);
  return index != items->special;
}

static void
test_panic (void)
{
  g_auto (Items) items;

  items_init (&items, 1000);
  items.special = 500;
  items_add (&items, panic_at_special);
  items_fail (&items, TASKER_ERROR, TASKER_ERROR_PANICKED);
}

static gboolean
visit_slowly (gpointer       user_data,
              gsize          index,
              GCancellable  *stopper,
              GError       **error)
{
  begin_item (user_data, index);
  g_usleep (100);
  end_item (user_data);
  return TRUE;
}

/* Ends as @state once @end was called while items are being worked on. */
static void
end_in_the_middle (gboolean        (*end) (Items *items),
                   TaskerTaskState   state,
                   TaskerError       code)
{
  guint n_rounds = tasker_test_rounds (50);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_auto (Items) items;
      g_autoptr (GError) error = NULL;
      guint n_stopped = state == TASKER_TASK_STATE_STOPPED;

      items_init (&items, 10 * 1000 * 1000);
      items_add (&items, visit_slowly);
      tasker_test_wait_for (g_atomic_int_get (&items.n_called) > (int) i);
      g_assert_true (end (&items));

      g_assert_false (tasker_task_join (items.task, NULL, &error));
      g_assert_error (error, TASKER_ERROR, (int) code);
      items_assert_ended (&items, state);
      tasker_test_assert_join (items.group, 0, n_stopped, !n_stopped);
      g_assert_cmpint (items.n_called, <, (int) items.n_items);

      /* Give a call that should not come the time to come. */
      g_usleep (1000);
    }
}

static gboolean
stop_group (Items *items)
{
  return tasker_group_stop (items->group);
}

static gboolean
abort_group (Items *items)
{
  return tasker_group_abort (items->group);
}

static gboolean
abort_task (Items *items)
{
  return tasker_task_abort (items->task);
}

static gboolean
cancel_task (Items *items)
{
  g_cancellable_cancel (G_CANCELLABLE (items->task));
  return TRUE;
}

static void
test_stop (void)
{
  end_in_the_middle (stop_group, TASKER_TASK_STATE_STOPPED, TASKER_ERROR_STOPPED);
}

static void
test_stop_alone (void)
{
  end_in_the_middle (cancel_task, TASKER_TASK_STATE_STOPPED, TASKER_ERROR_STOPPED);
}

static void
test_abort (void)
{
  end_in_the_middle (abort_group, TASKER_TASK_STATE_ABORTED, TASKER_ERROR_ABORTED);
}

static void
test_abort_alone (void)
{
  end_in_the_middle (abort_task, TASKER_TASK_STATE_ABORTED, TASKER_ERROR_ABORTED);
}

static void
test_stopped_before (void)
{
  g_auto (Items) items;

  items_init (&items, 1000);
  tasker_group_stop (items.group);
  items_add (&items, visit);
  tasker_test_assert_join (items.group, 0, 1, 0);
  items_assert_ended (&items, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (items.n_called, ==, 0);
}

static gboolean
visit_task (gpointer       user_data,
            gsize          index,
            GCancellable  *stopper,
            GError       **error)
{
  g_autoptr (TaskerTask) current = tasker_task_get_current ();

  begin_item (user_data, index);
  g_assert_true (TASKER_IS_TASK (stopper));
  g_assert_true (current == TASKER_TASK (stopper));
  g_assert_cmpstr (tasker_task_get_name (current), ==, "each");
  end_item (user_data);
  return TRUE;
}

/* In whatever thread: the stopper is the task, and the current one. */
static void
test_current (void)
{
  g_auto (Items) items;

  items_init (&items, 10000);
  items_add (&items, visit_task);
  items_succeed (&items);
}

static void
test_progress (void)
{
  g_auto (Items) items;
  double before = 0.0, now;

  items_init (&items, 2000);
  items.special = 0;
  items.task = tasker_task_new_each ("each", items.n_items, visit_or_wait, &items, items_release);
  g_assert_cmpfloat (tasker_task_get_progress (items.task), <=, 0.0);
  tasker_group_add (items.group, items.task);

  /* It never falls, and it gets to where all but one are done. */
  do
    {
      now = tasker_task_get_progress (items.task);
      g_assert_cmpfloat (now, >=, MAX (before, 0.0));
      g_assert_cmpfloat (now, <, 1.0);
      before = MAX (now, 0.0);
      g_thread_yield ();
    }
  while (g_atomic_int_get (&items.n_called) < 2000);

  tasker_test_wait_for (tasker_task_get_progress (items.task) > 0.999);
  g_assert_cmpfloat (tasker_task_get_progress (items.task), <, 1.0);
  tasker_test_gate_await (&items.gate, 1);
  tasker_test_gate_open (&items.gate);
  items_succeed (&items);
  g_assert_cmpfloat (tasker_task_get_progress (items.task), ==, 1.0);
}

/* It is one task, but each of its threads takes a place. */
static void
test_max_running (void)
{
  for (guint max_running = 1; max_running <= 3; max_running++)
    {
      g_auto (Items) items;

      items_init (&items, 300);
      tasker_group_set_max_running (items.group, max_running);
      items_add (&items, visit_slowly);
      items_succeed (&items);
      g_assert_cmpint (items.max_running, <=, (int) max_running);
    }
}

/* A long one leaves threads for others; and two share what there is. */
static void
test_two_groups (void)
{
  Items items[2];

  items_init_in (&items[0], 4, tasker_test_group ("one"));
  items_init_in (&items[1], 4, tasker_test_group ("two"));
  for (guint i = 0; i < 2; i++)
    items_add (&items[i], visit_together);

  /* All threads of both at once. */
  for (guint i = 0; i < 2; i++)
    tasker_test_gate_await (&items[i].gate, 4);

  for (guint i = 0; i < 2; i++)
    {
      tasker_test_gate_open (&items[i].gate);
      items_succeed (&items[i]);
      items_clear (&items[i]);
    }
}

/* Several in one group, among other tasks. */
static void
test_mixed (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestLedger *ledger = tasker_test_ledger_new (800);
  Items items[8];

  for (guint i = 0; i < 8; i++)
    {
      items_init_in (&items[i], 5000, g_object_ref (group));
      items_add (&items[i], visit);
      g_clear_object (&items[i].task);
      for (guint j = 0; j < 100; j++)
        tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
    }

  tasker_test_assert_join (group, 808, 0, 0);
  for (guint i = 0; i < 8; i++)
    {
      g_assert_cmpint (items[i].n_freed, ==, 1);
      items_assert_visited (&items[i]);
      items_clear (&items[i]);
    }
  tasker_test_ledger_close (ledger, 800, 800);
}

/* stop() against the last items, again and again. */
static void
test_stop_race (void)
{
  guint n_rounds = tasker_test_rounds (2000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_auto (Items) items;
      gboolean succeeded;

      items_init_in (&items, 1 + i % 200, tasker_group_new (NULL));
      items_add (&items, visit);
      for (guint j = 0; j < i % 7; j++)
        g_thread_yield ();
      if (i % 2 == 0)
        tasker_group_stop (items.group);
      else
        tasker_task_abort (items.task);
      g_assert_true (tasker_group_join (items.group, NULL, NULL));

      succeeded = tasker_task_get_state (items.task) == TASKER_TASK_STATE_SUCCEEDED;
      if (succeeded)
        items_assert_visited (&items);
      items_assert_ended (&items,
                          succeeded ? TASKER_TASK_STATE_SUCCEEDED
                                    : i % 2 == 0 ? TASKER_TASK_STATE_STOPPED
                                                 : TASKER_TASK_STATE_ABORTED);
      g_assert_cmpuint (tasker_group_get_n_tasks (items.group), ==, 0);
      tasker_test_assert_equation (items.group);
    }
}

static void
test_bad_input (void)
{
  g_auto (Items) items;

  items_init (&items, 1);
  tasker_test_critical ("*func*", items.task = tasker_task_new_each ("each", 1, NULL, &items,
                                                                     items_release));
  g_assert_null (items.task);
  /* A call that is refused for its arguments has taken nothing over. */
  g_assert_cmpint (items.n_freed, ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/each/once", test_once);
  tasker_test_add ("/each/no-items", test_no_items);
  tasker_test_add ("/each/never-added", test_never_added);
  tasker_test_add ("/each/many-threads", test_many_threads);
  tasker_test_add ("/each/slow/first", test_slow_first);
  tasker_test_add ("/each/slow/within", test_slow_within);
  tasker_test_add ("/each/slow/late", test_slow_late);
  tasker_test_add ("/each/slow/alone", test_slow_alone);
  tasker_test_add ("/each/error/told", test_error);
  tasker_test_add ("/each/error/ends-rest", test_error_ends_rest);
  tasker_test_add ("/each/error/many", test_many_errors);
  tasker_test_add ("/each/panic", test_panic);
  tasker_test_add ("/each/stop/group", test_stop);
  tasker_test_add ("/each/stop/alone", test_stop_alone);
  tasker_test_add ("/each/stop/before", test_stopped_before);
  tasker_test_add ("/each/stop/race", test_stop_race);
  tasker_test_add ("/each/abort/group", test_abort);
  tasker_test_add ("/each/abort/alone", test_abort_alone);
  tasker_test_add ("/each/current", test_current);
  tasker_test_add ("/each/progress", test_progress);
  tasker_test_add ("/each/max-running", test_max_running);
  tasker_test_add ("/each/two-groups", test_two_groups);
  tasker_test_add ("/each/mixed", test_mixed);
  tasker_test_add ("/each/bad-input", test_bad_input);

  return g_test_run ();
}
