/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Join streams: tasks as they end, one by one and as a list model. */

#include "tasker-test.h"

/* Tasks get a number as their value, so that each can be told from the others. */
static gboolean
give_number (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, GPOINTER_TO_UINT (user_data));
  tasker_task_set_value (task, &value);

  return TRUE;
}

static guint
get_number (TaskerTask *task)
{
  g_assert_true (tasker_task_is_finished (task));

  return g_value_get_uint (tasker_task_get_value (task));
}

static void
spawn_numbers (TaskerGroup *group,
               guint        first,
               guint        n_tasks)
{
  for (guint i = first; i < first + n_tasks; i++)
    tasker_group_spawn (group, NULL, give_number, GUINT_TO_POINTER (i), NULL);
}

/* A group of one thread, whose tasks end in the order of their numbers. */
static TaskerGroup *
new_orderly_group (void)
{
  TaskerGroup *group = tasker_test_group (NULL);

  tasker_group_set_max_running (group, 1);

  return group;
}

/* A stream that leaves the handle open. */
static TaskerJoinStream *
new_stream (TaskerGroup *group)
{
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);

  return tasker_group_join_stream (clone);
}

static void
assert_next (TaskerJoinStream *stream,
             guint             number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TaskerTask) task = tasker_join_stream_next (stream, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (task);
  g_assert_cmpuint (get_number (task), ==, number);
}

static void
assert_end (TaskerJoinStream *stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tasker_join_stream_next (stream, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tasker_join_stream_is_ended (stream));
  g_assert_null (tasker_join_stream_try_next (stream));
}

static gboolean
is_full (TaskerJoinStream *stream,
         guint             n_items)
{
  return g_list_model_get_n_items (G_LIST_MODEL (stream)) == n_items;
}

static void
test_next (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;

  spawn_numbers (group, 0, 1000);
  stream = tasker_group_join_stream (group);
  g_assert_true (tasker_group_is_finished (group));
  for (guint i = 0; i < 1000; i++)
    assert_next (stream, i);
  assert_end (stream);
  assert_end (stream);
  tasker_test_assert_counts (group, 1000, 0, 1000, 0, 0, 0);
}

/* What failed comes out like the rest, and the join does not tell it again. */
static void
test_failures (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = NULL;
  g_autoptr (TaskerTask) bad = NULL;
  g_autoptr (TaskerTask) good = NULL;
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (group, "bad", tasker_test_fail, NULL, NULL);
  tasker_group_spawn (group, "good", tasker_test_succeed, NULL, NULL);
  stream = tasker_group_join_stream (group);
  bad = tasker_join_stream_next (stream, NULL, NULL);
  g_assert_cmpint (tasker_task_get_state (bad), ==, TASKER_TASK_STATE_FAILED);
  g_assert_nonnull (tasker_task_get_error (bad));
  good = tasker_join_stream_next (stream, NULL, NULL);
  g_assert_cmpstr (tasker_task_get_name (good), ==, "good");

  g_assert_null (tasker_join_stream_try_next (stream));
  g_assert_false (tasker_join_stream_is_ended (stream));
  g_assert_true (tasker_group_join (clone, NULL, &error));
  g_assert_no_error (error);
  assert_end (stream);
}

/* The end waits for other handles, and for what they spawn. */
static void
test_other_handle (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tasker_join_stream_next_async (stream, NULL, tasker_test_keep, &result);
  tasker_test_come_to_rest ();
  g_assert_null (result);

  spawn_numbers (clone, 7, 1);
  tasker_test_iterate_until (result != NULL);
  g_object_unref (tasker_join_stream_next_finish (stream, result, &error));
  g_assert_no_error (error);
  g_clear_object (&result);

  tasker_join_stream_next_async (stream, NULL, tasker_test_keep, &result);
  tasker_test_come_to_rest ();
  g_assert_null (result);
  tasker_group_finish (clone);
  tasker_test_iterate_until (result != NULL);
  g_assert_null (tasker_join_stream_next_finish (stream, result, &error));
  g_assert_no_error (error);
}

/* It is a handle itself: results are kept for it when all others are gone. */
static void
test_last_handle (void)
{
  TaskerGroup *group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;

  spawn_numbers (group, 0, 100);
  stream = tasker_group_join_stream (group);
  g_object_unref (group);
  for (guint i = 0; i < 100; i++)
    assert_next (stream, i);
  assert_end (stream);
}

static void
test_without_results (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerJoinStream) stream = NULL;

  tasker_group_set_keep_results (group, FALSE);
  for (guint i = 0; i < 100; i++)
    tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  stream = tasker_group_join_stream (group);
  assert_end (stream);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (stream)), ==, 0);
}

/* One that ended is not kept back by a slow one behind it. */
static void
test_promptly (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  for (guint i = 0; i < 3; i++)
    {
      tasker_group_spawn (group, NULL, give_number, GUINT_TO_POINTER (i), NULL);
      tasker_group_spawn (group, "slow", tasker_test_pass_gate, &gate, NULL);
    }
  stream = tasker_group_join_stream (group);
  assert_next (stream, 0);
  g_assert_null (tasker_join_stream_try_next (stream));

  tasker_test_gate_open (&gate);
  for (guint i = 0; i < 5; i++)
    g_object_unref (tasker_join_stream_next (stream, NULL, NULL));
  assert_end (stream);
  tasker_test_gate_clear (&gate);
}

/* The same for the model, which nobody waits for. */
static void
test_promptly_shown (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;
  TaskerTestShadow shadow;
  TaskerTestGate gates[3];

  for (guint i = 0; i < 3; i++)
    {
      tasker_test_gate_init (&gates[i]);
      tasker_group_spawn (group, "slow", tasker_test_pass_gate, &gates[i], NULL);
    }
  stream = tasker_group_join_stream (group);
  tasker_test_shadow_init (&shadow, G_LIST_MODEL (stream));
  for (guint i = 0; i < 3; i++)
    {
      tasker_test_come_to_rest ();
      g_assert_cmpuint (shadow.items->len, ==, i);
      tasker_test_gate_open (&gates[i]);
      tasker_test_iterate_until (shadow.items->len == i + 1);
      tasker_test_shadow_check (&shadow);
    }
  tasker_test_shadow_clear (&shadow);
  for (guint i = 0; i < 3; i++)
    tasker_test_gate_clear (&gates[i]);
}

static gpointer
spawn_thread (gpointer group)
{
  spawn_numbers (group, 0, tasker_test_rounds (20000));
  tasker_group_finish (group);
  return NULL;
}

static void
assert_each_once (GPtrArray *tasks,
                  guint      n_tasks)
{
  g_autofree guint8 *seen = g_new0 (guint8, n_tasks);

  g_assert_cmpuint (tasks->len, ==, n_tasks);
  for (guint i = 0; i < tasks->len; i++)
    {
      guint number = get_number (tasks->pdata[i]);

      g_assert_cmpuint (number, <, n_tasks);
      g_assert_cmpuint (seen[number]++, ==, 0);
    }
}

/* Another thread spawns while this one looks. */
static void
test_model (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  guint n_tasks = tasker_test_rounds (20000);
  TaskerTestShadow shadow;
  GThread *thread;

  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (stream)) == TASKER_TYPE_TASK);
  tasker_test_shadow_init (&shadow, G_LIST_MODEL (stream));
  thread = g_thread_new ("spawn", spawn_thread, clone);
  tasker_test_iterate_until (shadow.items->len == n_tasks);
  g_thread_join (thread);

  tasker_test_shadow_check (&shadow);
  assert_each_once (shadow.items, n_tasks);
  g_assert_cmpuint (shadow.n_removals, ==, 0);
  g_assert_false (tasker_join_stream_is_ended (stream));
  tasker_test_shadow_clear (&shadow);
}

static int n_objects; /* atomic: tasks that were made as objects */
static void (*task_constructed) (GObject *object);

static void
count_constructed (GObject *object)
{
  g_atomic_int_inc (&n_objects);
  task_constructed (object);
}

static void
note_change (GListModel *model,
             guint       position,
             guint       n_removed,
             guint       n_added,
             gpointer    n_changes)
{
  g_assert_cmpuint (n_removed, ==, 0);
  g_assert_cmpuint (position + n_added, ==, g_list_model_get_n_items (model));
  (*(guint *) n_changes)++;
}

/* What has ended comes in batches of a thousand at least, each in one change. */
static void
check_batches (guint n_tasks)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerJoinStream) stream = new_stream (group);
  GListModel *model = G_LIST_MODEL (stream);
  guint n_changes = 0;

  spawn_numbers (group, 0, n_tasks);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_atomic_int_set (&n_objects, 0);
  g_signal_connect (model, "items-changed", G_CALLBACK (note_change), &n_changes);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, n_tasks);
  g_assert_cmpuint (n_changes, >=, 1);
  g_assert_cmpuint (n_changes, <=, (n_tasks + 999) / 1000);

  /* Objects are made of what is looked at, wherever it is. */
  g_assert_cmpint (g_atomic_int_get (&n_objects), ==, 0);
  for (guint i = 0; i < 1000; i++)
    {
      guint position = (guint) g_test_rand_int_range (0, (int) n_tasks);
      g_autoptr (TaskerTask) task = g_list_model_get_item (model, position);

      g_assert_cmpuint (get_number (task), <, n_tasks);
      g_assert_cmpint (g_atomic_int_get (&n_objects), ==, (int) i + 1);
    }
}

static void
test_batches (void)
{
  GObjectClass *klass = g_type_class_ref (TASKER_TYPE_TASK);

  task_constructed = klass->constructed;
  klass->constructed = count_constructed;
  check_batches (1000);
  check_batches (tasker_test_rounds (300000));
  klass->constructed = task_constructed;
  g_type_class_unref (klass);
}

/* What ended when, as far as tasks can tell: a thread that begins one has ended
 * all that it ran before. */
typedef struct
{
  int *last_known; /* atomic: a task that is known to have ended, or 0 */
  int  first;      /* what to add to the number: threads live on from test to test */
  int  number;     /* from 1 on */
  int  before;     /* one that had ended when this one began, or 0 */
} Ordered;

static gboolean
note_order (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  static GPrivate previous;
  Ordered *self = user_data;
  int ended = GPOINTER_TO_INT (g_private_get (&previous)) - self->first;

  g_private_set (&previous, GINT_TO_POINTER (self->first + self->number));
  self->before = g_atomic_int_get (self->last_known);
  if (ended > 0)
    g_atomic_int_set (self->last_known, ended);
  /* Others get on while something that this thread has ended is in its hand. */
  if (self->number % 100 == 0)
    g_usleep (50);

  return give_number (GINT_TO_POINTER (self->number), stopper, error);
}

static void
take_next (TaskerJoinStream *stream,
           guint            *numbers,
           guint             n_tasks)
{
  for (guint i = 0; i < n_tasks; i++)
    {
      g_autoptr (TaskerTask) task = tasker_join_stream_next (stream, NULL, NULL);

      numbers[i] = get_number (task);
    }
}

static void
take_from_model (TaskerJoinStream *stream,
                 guint            *numbers,
                 guint             n_tasks)
{
  tasker_test_iterate_until (is_full (stream, n_tasks));
  for (guint i = 0; i < n_tasks; i++)
    {
      g_autoptr (TaskerTask) task = g_list_model_get_item (G_LIST_MODEL (stream), i);

      numbers[i] = get_number (task);
    }
}

/* All comes in the order in which it ended. */
static void
check_order (guint n_tasks,
             void (*take_all) (TaskerJoinStream *, guint *, guint))
{
  static int first;
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerJoinStream) stream = new_stream (group);
  g_autofree Ordered *tasks = g_new0 (Ordered, n_tasks + 1);
  g_autofree guint *numbers = g_new0 (guint, n_tasks);
  g_autofree guint *places = g_new0 (guint, n_tasks + 1);
  int last_known = 0;

  tasker_group_set_max_running (group, 8);
  for (guint i = 1; i <= n_tasks; i++)
    {
      tasks[i] = (Ordered) { .last_known = &last_known, .first = first, .number = (int) i };
      tasker_group_spawn (group, NULL, note_order, &tasks[i], NULL);
    }
  take_all (stream, numbers, n_tasks);

  for (guint i = 0; i < n_tasks; i++)
    places[numbers[i]] = i + 1;
  for (guint i = 1; i <= n_tasks; i++)
    g_assert_cmpuint (places[i], >, places[tasks[i].before]);
  first += (int) n_tasks;
}

static void
test_order (void)
{
  check_order (tasker_test_rounds (100000), take_next);
}

static void
test_model_order (void)
{
  check_order (tasker_test_rounds (200000), take_from_model);
}

/* Items are taken out of the model in front, while more come. */
static void
test_take_from_model (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GPtrArray) taken = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_tasks = tasker_test_rounds (20000);
  TaskerTestShadow shadow;
  GThread *thread;

  tasker_test_shadow_init (&shadow, G_LIST_MODEL (stream));
  thread = g_thread_new ("spawn", spawn_thread, clone);
  while (taken->len < n_tasks)
    {
      guint n_items;

      g_main_context_iteration (NULL, FALSE);
      n_items = g_list_model_get_n_items (G_LIST_MODEL (stream));
      for (guint i = 0; i < (n_items + 1) / 2; i++)
        {
          gpointer first = shadow.items->pdata[0];
          TaskerTask *task = tasker_join_stream_try_next (stream);

          g_assert_true ((gpointer) task == first);
          g_ptr_array_add (taken, task);
          g_assert_cmpuint (shadow.items->len, ==, n_items - i - 1);
        }
    }
  g_thread_join (thread);

  assert_each_once (taken, n_tasks);
  assert_end (stream);
  tasker_test_shadow_check (&shadow);
  tasker_test_shadow_clear (&shadow);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    user_data)
{
  guint *n_notified = user_data;

  (*n_notified)++;
}

static void
test_properties (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;
  guint n_ended = 0;
  guint n_counted = 0;
  guint n_items;
  GType item_type;
  gboolean is_ended;

  spawn_numbers (group, 0, 2);
  stream = tasker_group_join_stream (group);
  g_signal_connect (stream, "notify::is-ended", G_CALLBACK (count_notify), &n_ended);
  g_signal_connect (stream, "notify::n-items", G_CALLBACK (count_notify), &n_counted);
  tasker_test_iterate_until (is_full (stream, 2));
  g_assert_cmpuint (n_counted, >=, 1);
  g_assert_cmpuint (n_counted, <=, 2);
  g_object_get (stream, "n-items", &n_items, "item-type", &item_type, "is-ended", &is_ended, NULL);
  g_assert_cmpuint (n_items, ==, 2);
  g_assert_true (item_type == TASKER_TYPE_TASK);
  g_assert_false (is_ended);

  assert_next (stream, 0);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (n_ended, ==, 0);
  assert_next (stream, 1);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (n_ended, ==, 1);
  g_object_get (stream, "n-items", &n_items, "is-ended", &is_ended, NULL);
  g_assert_cmpuint (n_items, ==, 0);
  g_assert_true (is_ended);
}

/* The end is told without anybody taking anything. */
static void
test_end_is_told (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  guint n_ended = 0;

  g_signal_connect (stream, "notify::is-ended", G_CALLBACK (count_notify), &n_ended);
  tasker_test_come_to_rest ();
  g_assert_cmpuint (n_ended, ==, 0);
  tasker_group_finish (clone);
  tasker_test_iterate_until (n_ended == 1);
  g_assert_true (tasker_join_stream_is_ended (stream));
}

/* Ways in which somebody else takes the last result, or has no use for it. */
static void
take_by_stream (TaskerGroup      *group,
                TaskerJoinStream *other)
{
  assert_next (other, 0);
}

static void
take_by_model (TaskerGroup      *group,
               TaskerJoinStream *other)
{
  tasker_test_iterate_until (is_full (other, 1));
}

static void
take_by_collect (TaskerGroup      *group,
                 TaskerJoinStream *other)
{
  g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);

  g_assert_cmpuint (tasks->len, ==, 1);
}

static void
take_by_poll_collect (TaskerGroup      *group,
                      TaskerJoinStream *other)
{
  g_autoptr (GPtrArray) tasks = tasker_group_poll_collect (group);

  g_assert_cmpuint (tasks->len, ==, 1);
}

static void
take_by_poll_join (TaskerGroup      *group,
                   TaskerJoinStream *other)
{
  guint n_joined;

  g_assert_true (tasker_group_poll_join (group, &n_joined, NULL));
  g_assert_cmpuint (n_joined, ==, 1);
}

static void
do_not_keep (TaskerGroup      *group,
             TaskerJoinStream *other)
{
  tasker_group_set_keep_results (group, FALSE);
}

static void
test_end_by_others (void)
{
  void (* const ways[]) (TaskerGroup *, TaskerJoinStream *) = {
    take_by_stream, take_by_model, take_by_collect, take_by_poll_collect, take_by_poll_join, do_not_keep
  };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerJoinStream) stream = new_stream (group);
      g_autoptr (TaskerJoinStream) other = new_stream (group);
      guint n_ended = 0;

      g_signal_connect (stream, "notify::is-ended", G_CALLBACK (count_notify), &n_ended);
      spawn_numbers (group, 0, 1);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_come_to_rest ();
      g_assert_cmpuint (n_ended, ==, 0);

      ways[i] (group, other);
      tasker_test_come_to_rest ();
      g_assert_cmpuint (n_ended, ==, 1);
      g_assert_true (tasker_join_stream_is_ended (stream));
    }
}

/* An item is the same object for as long as it is held, and can be had while it
 * is in the model only. */
static void
test_items (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerTask) full = tasker_task_new ("full", give_number, GUINT_TO_POINTER (1), NULL);
  g_autoptr (TaskerJoinStream) stream = NULL;
  g_autoptr (TaskerTask) light = NULL;
  GListModel *model;

  spawn_numbers (group, 0, 1);
  tasker_group_add (group, full);
  stream = tasker_group_join_stream (group);
  model = G_LIST_MODEL (stream);
  tasker_test_iterate_until (is_full (stream, 2));

  light = g_list_model_get_item (model, 0);
  g_assert_cmpuint (get_number (light), ==, 0);
  g_assert_true (tasker_task_join (light, NULL, NULL));
  g_object_unref (g_list_model_get_item (model, 0));
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (TaskerTask) first = g_list_model_get_item (model, 0);
      g_autoptr (TaskerTask) second = g_list_model_get_item (model, 1);

      g_assert_true (first == light);
      g_assert_true (second == full);
    }
  g_assert_null (g_list_model_get_item (model, 2));

  /* Without somebody who holds it, the object goes and its item stays. */
  g_clear_object (&light);
  light = g_list_model_get_item (model, 0);
  g_assert_cmpuint (get_number (light), ==, 0);
  assert_next (stream, 0);
  assert_next (stream, 1);
  g_assert_cmpuint (get_number (light), ==, 0);
  assert_end (stream);
}

/* What ended is not cancelled any more, also where nobody had looked before. */
static void
test_item_after_stop (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = NULL;
  g_autoptr (TaskerTask) before = NULL;
  g_autoptr (TaskerTask) after = NULL;

  spawn_numbers (group, 0, 2);
  stream = tasker_group_join_stream (group);
  tasker_test_iterate_until (is_full (stream, 2));
  before = g_list_model_get_item (G_LIST_MODEL (stream), 0);
  tasker_group_stop (group);
  after = g_list_model_get_item (G_LIST_MODEL (stream), 1);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (before)));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (after)));
}

/* Two that are read in turn, one that is read and one that is looked at, and two
 * that are looked at: each task is in one of them. */
static void
test_two_streams (void)
{
  for (guint n_seen = 0; n_seen <= 2; n_seen++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
      g_autoptr (TaskerGroup) other = tasker_group_clone (group);
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      TaskerJoinStream *streams[2];
      TaskerTestShadow shadows[2];
      TaskerTask *task;
      guint n_tasks = tasker_test_rounds (20000);
      GThread *thread;

      streams[0] = tasker_group_join_stream (group);
      streams[1] = tasker_group_join_stream (other);
      for (guint i = 0; i < n_seen; i++)
        tasker_test_shadow_init (&shadows[i], G_LIST_MODEL (streams[i]));
      thread = g_thread_new ("spawn", spawn_thread, clone);
      for (guint i = 0; i < 100; i++)
        {
          tasker_test_come_to_rest ();
          for (guint j = 0; j < 2; j++)
            {
              task = tasker_join_stream_try_next (streams[j]);
              if (task != NULL)
                g_ptr_array_add (tasks, task);
            }
        }
      for (guint i = 0; i < 2; i++)
        while ((task = tasker_join_stream_next (streams[i], NULL, NULL)) != NULL)
          g_ptr_array_add (tasks, task);
      g_thread_join (thread);

      assert_each_once (tasks, n_tasks);
      for (guint i = 0; i < n_seen; i++)
        tasker_test_shadow_clear (&shadows[i]);
      for (guint i = 0; i < 2; i++)
        {
          assert_end (streams[i]);
          g_object_unref (streams[i]);
        }
    }
}

static void
assert_collects (TaskerGroup *group,
                 guint        first,
                 guint        n_tasks)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (tasks->len, ==, n_tasks);
  for (guint i = 0; i < n_tasks; i++)
    g_assert_cmpuint (get_number (tasks->pdata[i]), ==, first + i);
}

/* A stream is dropped half-read: the group has the rest, in order. */
static void
test_give_back (void)
{
  for (guint seen = 0; seen < 2; seen++)
    {
      g_autoptr (TaskerGroup) group = new_orderly_group ();
      TaskerJoinStream *stream;
      guint n_tasks = tasker_test_rounds (10000);

      spawn_numbers (group, 0, n_tasks);
      stream = tasker_group_join_stream (group);
      if (seen)
        tasker_test_iterate_until (is_full (stream, n_tasks));
      for (guint i = 0; i < 100; i++)
        assert_next (stream, i);
      g_object_unref (stream);
      assert_collects (group, 100, n_tasks - 100);
    }
}

/* Two of them; and what comes back is merged into what is there. */
static void
test_give_back_twice (void)
{
  for (guint order = 0; order < 2; order++)
    {
      g_autoptr (TaskerGroup) group = new_orderly_group ();
      g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
      g_autoptr (TaskerGroup) other = tasker_group_clone (group);
      TaskerJoinStream *streams[2];

      spawn_numbers (group, 0, 100);
      streams[0] = tasker_group_join_stream (group);
      tasker_test_iterate_until (is_full (streams[0], 100));
      spawn_numbers (clone, 100, 100);
      streams[1] = tasker_group_join_stream (other);
      g_list_model_get_n_items (G_LIST_MODEL (streams[1]));
      tasker_test_iterate_until (g_list_model_get_n_items (G_LIST_MODEL (streams[0])) +
                                 g_list_model_get_n_items (G_LIST_MODEL (streams[1])) == 200);
      spawn_numbers (clone, 200, 100);
      tasker_test_wait_for (tasker_group_get_n_tasks (clone) == 0);

      g_object_unref (streams[order]);
      g_object_unref (streams[1 - order]);
      assert_collects (clone, 0, 300);
    }
}

/* Who waits at another stream gets what comes back. */
static void
test_give_back_to_other (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerGroup) other = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) waiting = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TaskerTask) task = NULL;
  TaskerJoinStream *dropped;

  spawn_numbers (group, 0, 10);
  dropped = tasker_group_join_stream (group);
  tasker_test_iterate_until (is_full (dropped, 10));
  waiting = tasker_group_join_stream (other);
  tasker_join_stream_next_async (waiting, NULL, tasker_test_keep, &result);
  tasker_test_come_to_rest ();
  g_assert_null (result);

  g_object_unref (dropped);
  tasker_test_iterate_until (result != NULL);
  task = tasker_join_stream_next_finish (waiting, result, NULL);
  g_assert_cmpuint (get_number (task), ==, 0);
  tasker_group_finish (clone);
  for (guint i = 1; i < 10; i++)
    assert_next (waiting, i);
  assert_end (waiting);
}

/* A failure that comes back is one that nobody has taken. */
static void
test_give_back_failure (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (GError) error = NULL;
  TaskerJoinStream *stream;

  tasker_group_spawn (group, NULL, tasker_test_fail, NULL, NULL);
  stream = tasker_group_join_stream (group);
  tasker_test_iterate_until (is_full (stream, 1));
  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_object_unref (stream);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_nonnull (error);
}

static void
test_cancelled (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tasker_join_stream_next_async (stream, cancellable, tasker_test_keep, &result);
  tasker_test_come_to_rest ();
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  tasker_test_iterate_until (result != NULL);
  g_assert_null (tasker_join_stream_next_finish (stream, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_assert_null (tasker_join_stream_next (stream, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* It loses nothing, and does not keep what is there from who asks. */
  spawn_numbers (clone, 0, 1);
  tasker_test_wait_for (tasker_group_get_n_tasks (clone) == 0);
  g_clear_error (&error);
  g_object_unref (tasker_join_stream_next (stream, cancellable, &error));
  g_assert_no_error (error);
}

static gpointer
cancel_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* Waits are cancelled while the result arrives. Whichever comes first, each
 * result is taken once or still there. In some rounds the model is seen, and in
 * some a second cancellation comes between result and callback. */
static void
test_cancel_races (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_rounds = tasker_test_rounds (10000);
  guint n_cancelled = 0;
  TaskerTask *task;

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      GThread *thread = NULL;

      if (i == n_rounds / 2)
        g_list_model_get_n_items (G_LIST_MODEL (stream));
      tasker_join_stream_next_async (stream, cancellable, tasker_test_keep, &result);
      if (i % 4 == 0)
        thread = g_thread_new ("cancel", cancel_thread, cancellable);
      spawn_numbers (clone, i, 1);
      for (guint j = 0; j < i % 64; j++)
        g_thread_yield ();
      if (i % 4 != 0)
        g_cancellable_cancel (cancellable);
      tasker_test_iterate_until (result != NULL);

      task = tasker_join_stream_next_finish (stream, result, &error);
      if (task != NULL)
        g_ptr_array_add (tasks, task);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      n_cancelled += task == NULL;
      if (thread != NULL)
        g_thread_join (thread);
    }

  tasker_group_finish (clone);
  while ((task = tasker_join_stream_next (stream, NULL, NULL)) != NULL)
    g_ptr_array_add (tasks, task);
  g_test_message ("%u of %u cancelled", n_cancelled, n_rounds);
  assert_each_once (tasks, n_rounds);
  assert_end (stream);
}

/* A result that nobody comes for stays. */
static void
test_unfinished (void)
{
  for (guint seen = 0; seen < 2; seen++)
    {
      g_autoptr (TaskerGroup) group = new_orderly_group ();
      g_autoptr (TaskerJoinStream) stream = NULL;
      GAsyncResult *results[3] = { NULL };

      spawn_numbers (group, 0, 3);
      stream = tasker_group_join_stream (group);
      if (seen)
        tasker_test_iterate_until (is_full (stream, 3));
      for (guint i = 0; i < 3; i++)
        tasker_join_stream_next_async (stream, NULL, tasker_test_keep, &results[i]);
      for (guint i = 0; i < 3; i++)
        tasker_test_iterate_until (results[i] != NULL);
      g_assert_null (tasker_join_stream_try_next (stream));
      for (guint i = 3; i-- > 0;)
        g_object_unref (results[i]);
      for (guint i = 0; i < 3; i++)
        assert_next (stream, i);
      assert_end (stream);
    }
}

typedef struct
{
  TaskerJoinStream *stream;
  guint             next;
  guint             n_ends;
} Reader;

/* Each callback asks for the next one. */
static void
read_on (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Reader *reader = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TaskerTask) task = tasker_join_stream_next_finish (reader->stream, result, &error);

  g_assert_no_error (error);
  if (task == NULL)
    {
      reader->n_ends++;
      return;
    }
  g_assert_cmpuint (get_number (task), ==, reader->next++);
  tasker_join_stream_next_async (reader->stream, NULL, read_on, reader);
}

/* Several waits get their results in turn. */
static void
test_async (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  Reader reader = { NULL };
  guint n_tasks = tasker_test_rounds (5000);

  spawn_numbers (group, 0, n_tasks);
  reader.stream = tasker_group_join_stream (group);
  for (guint i = 0; i < 10; i++)
    tasker_join_stream_next_async (reader.stream, NULL, read_on, &reader);
  tasker_test_iterate_until (reader.n_ends == 10);
  g_assert_cmpuint (reader.next, ==, n_tasks);
  assert_end (reader.stream);
  g_object_unref (reader.stream);
}

static gboolean
next_inside (gpointer       stream,
             GCancellable  *stopper,
             GError       **error)
{
  g_autoptr (GError) own = NULL;

  g_assert_null (tasker_join_stream_next (stream, NULL, &own));
  g_assert_error (own, TASKER_ERROR, TASKER_ERROR_DEADLOCK);

  return TRUE;
}

static void
test_deadlock (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) stream = tasker_group_join_stream (group);
  g_autoptr (GError) error = NULL;

  tasker_group_spawn (clone, NULL, next_inside, stream, NULL);
  g_assert_true (tasker_group_join (clone, NULL, &error));
  g_assert_no_error (error);
}

static gboolean
step (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  guint *n_steps = user_data;

  return ++*n_steps < 100 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* A wait on the thread of a main loop runs what the group has there. */
static void
test_iterates (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerJoinStream) stream = NULL;
  g_autoptr (TaskerTask) task = NULL;
  guint n_steps = 0;

  tasker_group_spawn_local (group, "local", step, &n_steps, NULL);
  stream = tasker_group_join_stream (group);
  task = tasker_join_stream_next (stream, NULL, NULL);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "local");
  g_assert_cmpuint (n_steps, ==, 100);
  assert_end (stream);
}

static gpointer
own_context_thread (gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (TaskerJoinStream) stream = NULL;
  TaskerTestShadow shadow;
  guint n_tasks = tasker_test_rounds (5000);

  g_main_context_push_thread_default (context);
  group = tasker_group_new (NULL);
  stream = new_stream (group);
  tasker_test_shadow_init (&shadow, G_LIST_MODEL (stream));
  spawn_numbers (group, 0, n_tasks);
  tasker_test_iterate_until (shadow.items->len == n_tasks);
  tasker_test_shadow_check (&shadow);
  assert_each_once (shadow.items, n_tasks);
  tasker_test_shadow_clear (&shadow);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* The default context does not run meanwhile. */
static void
test_own_context (void)
{
  g_thread_join (g_thread_new ("own", own_context_thread, NULL));
}

/* A stream in a context that nobody runs any more: the group is not held up, and
 * has the results when the stream is gone. */
static void
test_dead_context (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  GMainContext *context = g_main_context_new ();
  GWeakRef alive;
  TaskerJoinStream *stream;
  guint n_tasks = tasker_test_rounds (1000);

  g_weak_ref_init (&alive, NULL);
  spawn_numbers (group, 0, n_tasks);
  g_main_context_push_thread_default (context);
  stream = new_stream (group);
  g_weak_ref_set (&alive, stream);
  tasker_test_iterate_until (g_list_model_get_n_items (G_LIST_MODEL (stream)) > 0);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  spawn_numbers (group, n_tasks, n_tasks);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_object_unref (stream);
  g_assert_false (tasker_test_is_alive (&alive));
  assert_collects (group, 0, 2 * n_tasks);
  g_weak_ref_clear (&alive);
}

static gpointer
drop_thread (gpointer stream)
{
  g_object_unref (stream);
  return NULL;
}

/* The last reference goes in another thread, while the loop tells the stream. */
static void
test_dropped_elsewhere (void)
{
  for (guint i = 0; i < tasker_test_rounds (1000); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      TaskerJoinStream *stream = new_stream (group);
      GThread *thread;

      g_list_model_get_n_items (G_LIST_MODEL (stream));
      spawn_numbers (group, 0, 10);
      if (i % 2)
        tasker_test_come_to_rest ();
      thread = g_thread_new ("drop", drop_thread, stream);
      tasker_test_come_to_rest ();
      g_thread_join (thread);
      tasker_test_come_to_rest ();
      {
        g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);

        assert_each_once (tasks, 10);
      }
    }
}

/* Handlers that call back in */
typedef struct
{
  TaskerGroup      *group;
  TaskerJoinStream *stream;
  TaskerTestShadow  others[2]; /* before and behind the handler */
  GPtrArray        *tasks;
  guint             n_spawned;
  guint             n_calls;
  guint             n_seen;
} Nosy;

/* The first of these waits, if it has to, for one that is spawned here. */
static void
take_in_handler (Nosy *nosy)
{
  TaskerTask *next;
  TaskerTask *tried;

  if (!tasker_group_is_finished (nosy->group))
    spawn_numbers (nosy->group, nosy->n_spawned++, 1);
  next = tasker_join_stream_next (nosy->stream, NULL, NULL);
  if (next != NULL)
    g_ptr_array_add (nosy->tasks, next);
  tried = tasker_join_stream_try_next (nosy->stream);
  if (tried != NULL)
    g_ptr_array_add (nosy->tasks, tried);
}

static void
on_changed (GListModel *model,
            guint       position,
            guint       n_removed,
            guint       n_added,
            gpointer    user_data)
{
  Nosy *nosy = user_data;
  guint n_items = g_list_model_get_n_items (model);

  nosy->n_calls++;
  if (nosy->n_calls % 3 == 0)
    g_main_context_iteration (NULL, FALSE);
  if (nosy->n_calls % 3 == 1)
    take_in_handler (nosy);
  if (nosy->n_calls == 2)
    g_assert_true (tasker_group_join (nosy->group, NULL, NULL));
  if (nosy->n_calls % 3 == 2)
    {
      g_autoptr (TaskerTask) first = g_list_model_get_item (model, 0);

      nosy->n_seen += first != NULL;
    }

  /* What it is told of is still so. */
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, n_items);
}

/* A handler takes, joins and runs the loop; those before and behind it are told
 * things in order. */
static void
test_reentrant (void)
{
  for (guint round = 0; round < tasker_test_rounds (200); round++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      Nosy nosy = { .group = group };
      TaskerTask *task;

      nosy.tasks = g_ptr_array_new_with_free_func (g_object_unref);
      nosy.stream = new_stream (group);
      tasker_test_shadow_init (&nosy.others[0], G_LIST_MODEL (nosy.stream));
      g_signal_connect (nosy.stream, "items-changed", G_CALLBACK (on_changed), &nosy);
      tasker_test_shadow_init (&nosy.others[1], G_LIST_MODEL (nosy.stream));
      while (!tasker_group_is_finished (group))
        {
          spawn_numbers (group, nosy.n_spawned, 10);
          nosy.n_spawned += 10;
          tasker_test_come_to_rest ();
        }
      g_assert_cmpuint (nosy.n_calls, >=, 2);
      while ((task = tasker_join_stream_next (nosy.stream, NULL, NULL)) != NULL)
        g_ptr_array_add (nosy.tasks, task);
      assert_each_once (nosy.tasks, nosy.n_spawned);
      for (guint i = 0; i < 2; i++)
        {
          tasker_test_shadow_check (&nosy.others[i]);
          tasker_test_shadow_clear (&nosy.others[i]);
        }
      g_object_unref (nosy.stream);
      g_ptr_array_unref (nosy.tasks);
    }
}

static void
drop_in_handler (GListModel *model,
                 guint       position,
                 guint       n_removed,
                 guint       n_added,
                 gpointer    location)
{
  g_clear_object ((TaskerJoinStream **) location);
}

static void
test_dropped_in_handler (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  TaskerJoinStream *stream = new_stream (group);
  GWeakRef alive;

  g_weak_ref_init (&alive, stream);
  spawn_numbers (group, 0, 100);
  g_signal_connect (stream, "items-changed", G_CALLBACK (drop_in_handler), &stream);
  tasker_test_iterate_until (stream == NULL);
  g_assert_false (tasker_test_is_alive (&alive));
  assert_collects (group, 0, 100);
  g_weak_ref_clear (&alive);
}

/* … which is called because somebody takes. */
static void
test_dropped_while_taking (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerTask) task = NULL;
  TaskerJoinStream *stream = new_stream (group);
  GWeakRef alive;

  g_weak_ref_init (&alive, stream);
  spawn_numbers (group, 0, 100);
  tasker_test_iterate_until (is_full (stream, 100));
  g_signal_connect (stream, "items-changed", G_CALLBACK (drop_in_handler), &stream);
  task = tasker_join_stream_try_next (stream);
  g_assert_cmpuint (get_number (task), ==, 0);
  g_assert_null (stream);
  g_assert_false (tasker_test_is_alive (&alive));
  assert_collects (group, 1, 99);
  g_weak_ref_clear (&alive);
}

static gboolean
count_idle (gpointer user_data)
{
  guint *n_idle = user_data;

  (*n_idle)++;

  return G_SOURCE_CONTINUE;
}

static void
use_time (gpointer user_data)
{
  g_usleep (5000);
}

/* Who took 4 ms takes a rest, in which sources of lower priority run. */
static void
test_loop_stays_free (void)
{
  g_autoptr (TaskerGroup) group = new_orderly_group ();
  g_autoptr (TaskerJoinStream) stream = new_stream (group);
  TaskerTestShadow shadow;
  guint n_idle = 0;
  guint idle;

  tasker_test_shadow_init (&shadow, G_LIST_MODEL (stream));
  shadow.changed = use_time;
  tasker_test_come_to_rest ();
  idle = g_idle_add_full (G_PRIORITY_LOW, count_idle, &n_idle, NULL);
  for (guint i = 0; i < 10; i++)
    {
      guint n_before;

      spawn_numbers (group, i, 1);
      while (shadow.items->len == 2 * i)
        g_main_context_iteration (NULL, TRUE);

      /* There is something again, but first it is the other one's turn. */
      spawn_numbers (group, i, 1);
      tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
      n_before = n_idle;
      g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (n_idle, ==, n_before + 1);
      g_assert_cmpuint (shadow.items->len, ==, 2 * i + 1);
      g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (shadow.items->len, ==, 2 * i + 2);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (idle);
  tasker_test_shadow_clear (&shadow);
}

int
main (int   argc,
      char *argv[])
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/stream/next", test_next);
  tasker_test_add ("/stream/failures", test_failures);
  tasker_test_add ("/stream/other-handle", test_other_handle);
  tasker_test_add ("/stream/last-handle", test_last_handle);
  tasker_test_add ("/stream/without-results", test_without_results);
  tasker_test_add ("/stream/promptly", test_promptly);
  tasker_test_add ("/stream/promptly-shown", test_promptly_shown);
  tasker_test_add ("/stream/model", test_model);
  tasker_test_add ("/stream/batches", test_batches);
  tasker_test_add ("/stream/order", test_order);
  tasker_test_add ("/stream/model-order", test_model_order);
  tasker_test_add ("/stream/take-from-model", test_take_from_model);
  tasker_test_add ("/stream/properties", test_properties);
  tasker_test_add ("/stream/end-is-told", test_end_is_told);
  tasker_test_add ("/stream/end-by-others", test_end_by_others);
  tasker_test_add ("/stream/items", test_items);
  tasker_test_add ("/stream/item-after-stop", test_item_after_stop);
  tasker_test_add ("/stream/two-streams", test_two_streams);
  tasker_test_add ("/stream/give-back", test_give_back);
  tasker_test_add ("/stream/give-back-twice", test_give_back_twice);
  tasker_test_add ("/stream/give-back-to-other", test_give_back_to_other);
  tasker_test_add ("/stream/give-back-failure", test_give_back_failure);
  tasker_test_add ("/stream/cancelled", test_cancelled);
  tasker_test_add ("/stream/cancel-races", test_cancel_races);
  tasker_test_add ("/stream/unfinished", test_unfinished);
  tasker_test_add ("/stream/async", test_async);
  tasker_test_add ("/stream/deadlock", test_deadlock);
  tasker_test_add ("/stream/iterates", test_iterates);
  tasker_test_add ("/stream/own-context", test_own_context);
  tasker_test_add ("/stream/dead-context", test_dead_context);
  tasker_test_add ("/stream/dropped-elsewhere", test_dropped_elsewhere);
  tasker_test_add ("/stream/reentrant", test_reentrant);
  tasker_test_add ("/stream/dropped-in-handler", test_dropped_in_handler);
  tasker_test_add ("/stream/dropped-while-taking", test_dropped_while_taking);
  tasker_test_add ("/stream/loop-stays-free", test_loop_stays_free);

  return g_test_run ();
}
