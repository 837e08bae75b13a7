/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Full tasks and the faces of light ones: states, what is configured, values
 * and errors, the current task, and how long everything lives. */

#include "tasker-test.h"

static void
test_new (void)
{
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, "new", NULL, NULL);

  g_assert_true (TASKER_IS_TASK (task));
  g_assert_true (TASKER_IS_STOPPER (task));
  g_assert_true (G_IS_CANCELLABLE (task));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "new");
  g_assert_cmpint (tasker_task_get_priority (task), ==, G_PRIORITY_DEFAULT);
  g_assert_false (tasker_task_get_run_always (task));
  g_assert_true (tasker_task_get_stops_alone (task));
  g_assert_false (tasker_task_is_finished (task));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_null (tasker_task_get_error (task));
  g_assert_null (tasker_task_get_value (task));
  g_assert_cmpfloat (tasker_task_get_progress (task), ==, 0.0);

  /* Never added: it never runs, and its data is freed with it. */
  g_clear_object (&task);
  tasker_test_ledger_close (ledger, 1, 0);
}

static void
test_properties (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new ("sort", tasker_test_succeed, NULL, NULL);
  g_autoptr (TaskerTask) nameless = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  g_autofree char *name = NULL;
  gboolean run_always, stops_alone;
  int priority;

  g_object_set (task, "priority", G_PRIORITY_LOW, "run-always", TRUE, NULL);
  g_object_get (task,
                "name", &name,
                "priority", &priority,
                "run-always", &run_always,
                "stops-alone", &stops_alone,
                NULL);

  g_assert_cmpstr (name, ==, "sort");
  g_assert_cmpint (priority, ==, G_PRIORITY_LOW);
  g_assert_cmpint (tasker_task_get_priority (task), ==, G_PRIORITY_LOW);
  g_assert_true (run_always);
  g_assert_true (tasker_task_get_run_always (task));
  g_assert_true (stops_alone);
  g_assert_null (tasker_task_get_name (nameless));

  tasker_task_set_priority (nameless, -12345);
  tasker_task_set_run_always (nameless, TRUE);
  g_assert_cmpint (tasker_task_get_priority (nameless), ==, -12345);
  g_assert_true (tasker_task_get_run_always (nameless));
}

static void
test_states (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("states");
  g_autoptr (TaskerTask) first = NULL;
  g_autoptr (TaskerTask) second = tasker_task_new (NULL, tasker_test_fail, NULL, NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  first = tasker_task_new (NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_group_set_max_running (group, 1);
  tasker_group_add (group, first);
  tasker_test_gate_await (&gate, 1);
  tasker_group_add (group, second);
  g_assert_cmpint (tasker_task_get_state (first), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_QUEUED);
  g_assert_false (tasker_task_is_finished (first));
  g_assert_false (tasker_task_is_finished (second));

  tasker_test_gate_open (&gate);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (first), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpint (tasker_task_get_state (second), ==, TASKER_TASK_STATE_FAILED);
  g_assert_true (tasker_task_is_finished (first));
  g_assert_true (tasker_task_is_finished (second));
  g_assert_null (tasker_task_get_error (first));
  g_assert_error (tasker_task_get_error (second), G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpfloat (tasker_task_get_progress (first), ==, 1.0);
  tasker_test_assert_counts (group, 2, 0, 1, 1, 0, 0);
  tasker_test_gate_clear (&gate);
}

static void
note_number (gpointer notes,
             int      number)
{
  g_array_append_val ((GArray *) notes, number);
}

/* Runs with one place only, so nothing is called at once. */
static gboolean
note_priority (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  note_number (user_data, tasker_task_get_priority (TASKER_TASK (stopper)));
  return TRUE;
}

/* The more urgent one first, as GLib counts; light ones have the default. */
static void
test_priority (void)
{
  const int priorities[] = { 0, 300, -100, 0, 200, -100, 5, -2000 };
  const int expected[] = { -2000, -100, -100, 0, 0, 5, 200, 300 };
  g_autoptr (TaskerGroup) group = tasker_test_group ("priority");
  g_autoptr (GArray) notes = g_array_new (FALSE, FALSE, sizeof (int));
  TaskerTestGate gate;
  guint i;

  tasker_test_gate_occupy (&gate, group);
  for (i = 0; i < G_N_ELEMENTS (priorities); i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, note_priority, notes, NULL);

      tasker_task_set_priority (task, priorities[i]);
      tasker_group_add (group, task);
    }
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));

  g_assert_cmpmem (notes->data, notes->len * sizeof (int), expected, sizeof expected);
  tasker_test_assert_counts (group, 9, 0, 9, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static void
set_string (TaskerTask *task,
            const char *string)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, string);
  tasker_task_set_value (task, &value);
  g_value_unset (&value);
}

static void
assert_string (TaskerTask *task,
               const char *string)
{
  const GValue *value = tasker_task_get_value (task);

  g_assert_nonnull (value);
  g_assert_true (G_VALUE_HOLDS_STRING (value));
  g_assert_cmpstr (g_value_get_string (value), ==, string);
}

static gboolean
set_twice (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  set_string (TASKER_TASK (stopper), "draft");
  set_string (TASKER_TASK (stopper), user_data);
  return TRUE;
}

/* The last value that the function set stays, whatever comes later. */
static void
test_value (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("value");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, set_twice, "fair copy", NULL);
  g_autoptr (TaskerTask) valueless = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_group_add (group, task);
  tasker_group_add (group, valueless);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  assert_string (task, "fair copy");
  g_assert_null (tasker_task_get_value (valueless));

  set_string (task, "too late");
  set_string (valueless, "too late");
  assert_string (task, "fair copy");
  g_assert_null (tasker_task_get_value (valueless));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

typedef struct
{
  TaskerTask *task; /* atomic: the one that runs, owned; for who sets its value */
  TaskerTask *seen; /* likewise, for who reads that */
  int         ended;
} Setter;

static gpointer
set_value_thread (gpointer user_data)
{
  Setter *setter = user_data;

  while (!g_atomic_int_get (&setter->ended))
    {
      g_autoptr (TaskerTask) task = g_atomic_pointer_exchange (&setter->task, NULL);
      GValue value = G_VALUE_INIT;

      if (task == NULL)
        g_thread_yield ();
      g_value_init (&value, G_TYPE_INT);
      while (task != NULL && !tasker_task_is_finished (task))
        {
          g_value_set_int (&value, g_value_get_int (&value) + 1);
          tasker_task_set_value (task, &value);
        }
    }

  return NULL;
}

static gboolean
hand_over (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  Setter *setter = user_data;
  g_autoptr (TaskerTask) task = tasker_task_get_current ();

  g_atomic_pointer_set (&setter->seen, g_object_ref (task));
  g_atomic_pointer_set (&setter->task, g_object_ref (task));
  while (g_atomic_pointer_get (&setter->task) != NULL || g_atomic_pointer_get (&setter->seen) != NULL)
    g_thread_yield ();

  return TRUE;
}

static int
get_int (TaskerTask *task)
{
  const GValue *value = tasker_task_get_value (task);

  return value != NULL ? g_value_get_int (value) : 0;
}

/* Once a task has ended another thread does not change the value either. */
static void
test_value_races (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  guint n_rounds = tasker_test_rounds (1000);
  Setter setter = { 0 };
  GThread *thread = g_thread_new ("set", set_value_thread, &setter);

  tasker_group_set_keep_results (group, FALSE);
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerTask) task = NULL;
      int seen;

      tasker_group_spawn (group, NULL, hand_over, &setter, NULL);
      while ((task = g_atomic_pointer_exchange (&setter.seen, NULL)) == NULL)
        g_thread_yield ();
      while (!tasker_task_is_finished (task))
        g_thread_yield ();
      seen = get_int (task);
      for (guint j = 0; j < 50; j++)
        g_assert_cmpint (get_int (task), ==, seen);
    }
  g_atomic_int_set (&setter.ended, TRUE);
  g_thread_join (thread);
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

static gboolean
set_object (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_OBJECT);
  g_value_set_object (&value, user_data);
  tasker_task_set_value (task, &value);
  g_value_unset (&value);
  return TRUE;
}

/* A value is released with its task, taken or not, full or light. */
static void
test_value_released (void)
{
  guint i;

  for (i = 0; i < 8; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("release");
      GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
      GWeakRef ref;

      g_weak_ref_init (&ref, object);
      tasker_group_set_keep_results (group, (i & 1) != 0);
      if ((i & 2) != 0)
        {
          g_autoptr (TaskerTask) task = NULL;

          task = tasker_task_new (NULL, set_object, g_object_ref (object), g_object_unref);
          tasker_group_add (group, task);
        }
      else
        tasker_group_spawn (group, NULL, set_object, g_object_ref (object), g_object_unref);
      g_object_unref (object);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
      if ((i & 4) != 0)
        {
          g_autoptr (GPtrArray) tasks = tasker_group_collect (group, NULL, NULL);

          g_assert_cmpuint (tasks->len, ==, i & 1);
          g_assert_cmpint (tasker_test_is_alive (&ref), ==, tasks->len == 1);
        }
      g_clear_object (&group);
      tasker_test_wait_for (!tasker_test_is_alive (&ref));
      g_weak_ref_clear (&ref);
    }
}

static void
go_slowly (gpointer n_gone)
{
  g_usleep (1000);
  g_atomic_int_inc ((int *) n_gone);
}

/* Nobody has the tasks, so a join waits until the program's part in them is gone. */
static void
test_value_gone_before_join (void)
{
  guint n_rounds = tasker_test_rounds (50);
  int n_gone = 0;

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("gone");

      tasker_group_set_keep_results (group, FALSE);
      for (guint j = 0; j < 3; j++)
        {
          GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

          g_object_set_data_full (object, "slow", &n_gone, go_slowly);
          tasker_group_spawn (group, NULL, set_object, object, g_object_unref);
        }
      g_assert_true (tasker_group_join (group, NULL, NULL));
      g_assert_cmpint (g_atomic_int_get (&n_gone), ==, (int) (3 * (i + 1)));
    }
}

/* A light task has a face that is one object for as long as it is held. */
static gboolean
look_at_myself (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  g_autoptr (TaskerTask) again = tasker_task_get_current ();

  g_assert_true (TASKER_IS_TASK (task));
  g_assert_true (task == again);
  g_assert_true (G_CANCELLABLE (task) != stopper);
  g_assert_cmpstr (tasker_task_get_name (task), ==, "light");
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_false (tasker_task_get_stops_alone (task));
  set_string (task, user_data);
  return TRUE;
}

static gboolean
look_twice (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  look_at_myself (user_data, stopper, error);
  return look_at_myself (user_data, stopper, error);
}

/* What was set through a face that nobody holds any more is there still. */
static void
test_current_light (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("faces");
  g_autoptr (GPtrArray) tasks = NULL;
  guint i;

  for (i = 0; i < 100; i++)
    tasker_group_spawn (group, "light", look_twice, "kept", NULL);
  tasks = tasker_group_collect (group, NULL, NULL);

  g_assert_cmpuint (tasks->len, ==, 100);
  for (i = 0; i < 100; i++)
    {
      assert_string (tasks->pdata[i], "kept");
      g_assert_cmpint (tasker_task_get_state (tasks->pdata[i]), ==, TASKER_TASK_STATE_SUCCEEDED);
    }
  tasker_test_assert_counts (group, 100, 0, 100, 0, 0, 0);
}

typedef struct
{
  TaskerTestGate  gate;
  TaskerTask     *task;
} Held;

static gboolean
hand_out_myself (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  Held *held = user_data;

  g_atomic_pointer_set (&held->task, tasker_task_get_current ());
  return tasker_test_pass_gate (&held->gate, stopper, error);
}

/* A face outlives its running, is what collect returns, and can be joined. */
static void
test_face_held (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("held");
  g_autoptr (GPtrArray) tasks = NULL;
  Held held = { .task = NULL };

  tasker_test_gate_init (&held.gate);
  tasker_group_spawn (group, "light", hand_out_myself, &held, NULL);
  tasker_test_gate_await (&held.gate, 1);
  g_assert_cmpint (tasker_task_get_state (held.task), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (held.task)));
  g_assert_false (tasker_task_abort (held.task));

  tasker_test_gate_open (&held.gate);
  g_assert_true (tasker_task_join (held.task, NULL, NULL));
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 1);
  g_assert_true (tasks->pdata[0] == held.task);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);

  /* The group goes before it. */
  g_clear_object (&group);
  g_clear_pointer (&tasks, g_ptr_array_unref);
  g_assert_cmpint (tasker_task_get_state (held.task), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpstr (tasker_task_get_name (held.task), ==, "light");
  g_clear_object (&held.task);
  tasker_test_gate_clear (&held.gate);
}

/* A face hears the stop of its group. */
static void
test_face_hears (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("hears");
  Held held = { .task = NULL };

  tasker_test_gate_init (&held.gate);
  tasker_group_spawn (group, "light", hand_out_myself, &held, NULL);
  tasker_test_gate_await (&held.gate, 1);
  g_assert_true (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (held.task)));

  tasker_test_gate_open (&held.gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_clear_object (&held.task);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&held.gate);
}

static gboolean
check_full_current (gpointer       user_data,
                    GCancellable  *stopper,
                    GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();

  g_assert_true (G_CANCELLABLE (task) == stopper);
  return TRUE;
}

static void
test_current_full (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("current");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, check_full_current, NULL, NULL);

  g_assert_null (tasker_task_get_current ());
  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_null (tasker_task_get_current ());
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Faces of light tasks made and dropped while these end. */
static void
test_race_face (void)
{
  guint n_rounds = tasker_test_rounds (2000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      Held held = { .task = NULL };

      tasker_test_gate_init (&held.gate);
      held.gate.is_open = TRUE;
      tasker_group_set_keep_results (group, i % 2 == 0);
      tasker_group_spawn (group, "light", hand_out_myself, &held, NULL);
      while (g_atomic_pointer_get (&held.task) == NULL)
        g_thread_yield ();
      g_assert_cmpstr (tasker_task_get_name (held.task), ==, "light");
      if (i % 3 == 0)
        g_clear_object (&held.task);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
      g_clear_object (&held.task);
      tasker_test_gate_clear (&held.gate);
    }
}

/* The function's stopper, a task, as the cancellable of a GIO call. */
static gboolean
read_for_ever (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  GPollableInputStream *stream = user_data;
  char byte;

  return g_pollable_stream_read (G_INPUT_STREAM (stream), &byte, 1, TRUE, stopper, error) == 1;
}

static void
test_gio_cancellable (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("gio");
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (TaskerTask) task = NULL;
  g_autoptr (GError) error = NULL;
  guint16 port;

  port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  g_assert_no_error (error);
  connection = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, &error);
  g_assert_no_error (error);

  task = tasker_task_new (NULL, read_for_ever,
                          g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (connection))),
                          g_object_unref);
  tasker_group_add (group, task);
  tasker_test_wait_for (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
  g_usleep (10000);
  g_cancellable_cancel (G_CANCELLABLE (task));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

/* Dropping all references to a task neither stops it nor loses its result. */
static void
test_drop_runs_on (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("dropped");
  g_autoptr (GPtrArray) tasks = NULL;
  TaskerTestGate gate;
  TaskerTask *task;

  tasker_test_gate_occupy (&gate, group);
  task = tasker_task_new ("dropped", set_twice, "result", NULL);
  tasker_group_add (group, task);
  g_object_unref (task);

  tasker_test_gate_open (&gate);
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpuint (tasks->len, ==, 2);
  g_assert_true (tasks->pdata[1] == task);
  assert_string (tasks->pdata[1], "result");
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* The group holds one reference to a task that it was given: until the task
 * is taken, or at its end if results are not kept. */
static void
test_references (void)
{
  guint i;

  for (i = 0; i < 4; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("references");
      TaskerTask *task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
      gboolean keep = i % 2 == 0;
      GWeakRef ref;

      g_weak_ref_init (&ref, task);
      tasker_group_set_keep_results (group, keep);
      if (i < 2)
        tasker_group_add (group, task);
      else
        g_assert_true (tasker_group_try_add (group, task, NULL));
      g_object_unref (task);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);

      if (keep)
        {
          g_assert_true (tasker_test_is_alive (&ref));
          g_ptr_array_unref (tasker_group_collect (group, NULL, NULL));
        }
      tasker_test_wait_for (!tasker_test_is_alive (&ref));
      g_weak_ref_clear (&ref);
    }
}

/* Results that nobody took go with the last handle. */
static void
test_untaken (void)
{
  TaskerGroup *group = tasker_test_group ("untaken");
  TaskerTask *task = tasker_task_new (NULL, tasker_test_fail, NULL, NULL);
  GWeakRef ref;

  g_weak_ref_init (&ref, task);
  tasker_group_add (group, task);
  g_object_unref (task);
  g_assert_false (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 1, 0, 0);
  g_object_unref (group);
  tasker_test_wait_for (!tasker_test_is_alive (&ref));
  g_weak_ref_clear (&ref);
}

/* Data is destroyed when the task ends, not when its object goes. */
static void
test_data_freed_at_end (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("data");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);

  tasker_group_add (group, task);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  tasker_test_ledger_close (ledger, 1, 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* Adding a task again, queued or ended, here or elsewhere, is refused and
 * changes nothing. */
static void
test_added_twice (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("once");
  g_autoptr (TaskerGroup) other = tasker_test_group ("other");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = NULL;
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  task = tasker_test_ledger_task (ledger, NULL, tasker_test_pass_gate, &gate);
  tasker_group_add (group, task);
  tasker_test_gate_await (&gate, 1);
  tasker_test_critical ("*", tasker_group_add (group, task));
  tasker_test_critical ("*", tasker_group_add (other, task));
  tasker_test_critical ("*", g_assert_false (tasker_group_try_add (other, task, NULL)));
  tasker_test_critical ("*", g_assert_false (tasker_group_add_wait (group, task, NULL, NULL)));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  tasker_test_critical ("*", tasker_group_add (group, task));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_true (tasker_group_join (other, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_assert_counts (other, 0, 0, 0, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1, 1);
  tasker_test_gate_clear (&gate);
}

/* What is configured is fixed once a task was added. */
static void
test_configured_late (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("late");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_critical ("*", tasker_task_set_priority (task, 10));
  tasker_test_critical ("*", tasker_task_set_run_always (task, TRUE));
  g_assert_cmpint (tasker_task_get_priority (task), ==, G_PRIORITY_DEFAULT);
  g_assert_false (tasker_task_get_run_always (task));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static void
test_bad_task (void)
{
  g_autoptr (GCancellable) other = g_cancellable_new ();
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  TaskerTask *wrong = (TaskerTask *) other;
  GValue unset = G_VALUE_INIT;

  tasker_test_critical ("*TASKER_IS_TASK*", g_assert_null (tasker_task_get_name (wrong)));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_get_priority (NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_set_priority (wrong, 1));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_get_run_always (NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_set_run_always (wrong, TRUE));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_get_stops_alone (NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_get_state (wrong));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_is_finished (NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", g_assert_null (tasker_task_get_error (wrong)));
  tasker_test_critical ("*TASKER_IS_TASK*", g_assert_null (tasker_task_get_value (NULL)));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_set_value (wrong, NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", tasker_task_get_progress (NULL));
  tasker_test_critical ("*", tasker_task_set_value (task, &unset));
  g_assert_null (tasker_task_get_value (task));
}

/* Without a function there is no task, and the data is still the caller's. */
static void
test_bad_new (void)
{
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  gpointer entry = tasker_test_ledger_entry (ledger, NULL, NULL);

  tasker_test_critical ("*func*",
                        g_assert_null (tasker_task_new (NULL, NULL, entry,
                                                        tasker_test_entry_free)));
  tasker_test_critical ("*func*",
                        g_assert_null (tasker_task_new_each (NULL, 1, NULL, entry,
                                                             tasker_test_entry_free)));
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);
  tasker_test_entry_free (entry);
  tasker_test_ledger_close (ledger, 1, 0);
}

/* Who waits for a task that is refused in the end is told. */
static void
test_refused_join (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("full");
  g_autoptr (TaskerTask) task = tasker_task_new ("refused", tasker_test_succeed, NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) added = NULL;
  g_autoptr (GAsyncResult) joined = NULL;
  g_autoptr (GError) error = NULL;
  TaskerTestGate gate;

  tasker_group_set_max_queued (group, 1);
  tasker_test_gate_occupy (&gate, group);
  tasker_group_spawn (group, "queued", tasker_test_pass_gate, &gate, NULL);

  tasker_group_add_wait_async (group, task, cancellable, tasker_test_keep, &added);
  tasker_task_join_async (task, NULL, tasker_test_keep, &joined);
  g_cancellable_cancel (cancellable);
  tasker_test_iterate_until (added != NULL && joined != NULL);
  g_assert_false (tasker_group_add_wait_finish (group, added, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (tasker_task_join_finish (task, joined, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_FINISHED);

  tasker_test_gate_open (&gate);
  tasker_group_add (group, task);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

typedef struct
{
  TaskerTask *task; /* atomic: the one that is just being added */
  int         ended;
} Refusal;

static gpointer
meddle_thread (gpointer user_data)
{
  Refusal *refusal = user_data;

  while (!g_atomic_int_get (&refusal->ended))
    {
      g_autoptr (TaskerTask) task = g_atomic_pointer_exchange (&refusal->task, NULL);

      if (task == NULL)
        continue;
      for (guint i = 0; i < 20; i++)
        {
          tasker_task_set_progress (task, (double) (i % 2), NULL);
          if (i == 10)
            g_cancellable_cancel (G_CANCELLABLE (task));
        }
    }

  return NULL;
}

/* A group that refuses a task may be gone while somebody cancels the task, or says
 * something of it; then another one takes it. */
static void
test_refused_races (void)
{
  g_autoptr (TaskerGroup) taker = tasker_test_group ("taker");
  guint n_rounds = tasker_test_rounds (20000);
  Refusal refusal = { 0 };
  GThread *thread = g_thread_new ("meddle", meddle_thread, &refusal);

  tasker_group_set_keep_results (taker, FALSE);
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
      TaskerGroup *group = tasker_group_new (NULL);
      g_autoptr (TaskerTask) former = NULL;
      g_autoptr (GError) error = NULL;

      tasker_group_stop (group);
      former = g_atomic_pointer_exchange (&refusal.task, g_object_ref (task));
      g_assert_false (tasker_group_add_wait (group, task, NULL, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_STOPPED);
      g_object_unref (group);
      tasker_group_add (taker, task);
    }
  g_atomic_int_set (&refusal.ended, TRUE);
  g_thread_join (thread);
  g_clear_object (&refusal.task);

  g_assert_true (tasker_group_join (taker, NULL, NULL));
  tasker_test_assert_equation (taker);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/task/new", test_new);
  tasker_test_add ("/task/properties", test_properties);
  tasker_test_add ("/task/states", test_states);
  tasker_test_add ("/task/priority", test_priority);
  tasker_test_add ("/task/value", test_value);
  tasker_test_add ("/task/value/races", test_value_races);
  tasker_test_add ("/task/value/released", test_value_released);
  tasker_test_add ("/task/value/gone-before-join", test_value_gone_before_join);
  tasker_test_add ("/task/current/light", test_current_light);
  tasker_test_add ("/task/current/full", test_current_full);
  tasker_test_add ("/task/face/held", test_face_held);
  tasker_test_add ("/task/face/hears", test_face_hears);
  tasker_test_add ("/task/face/race", test_race_face);
  tasker_test_add ("/task/gio-cancellable", test_gio_cancellable);
  tasker_test_add ("/task/drop-runs-on", test_drop_runs_on);
  tasker_test_add ("/task/references", test_references);
  tasker_test_add ("/task/untaken", test_untaken);
  tasker_test_add ("/task/data-freed-at-end", test_data_freed_at_end);
  tasker_test_add ("/task/added-twice", test_added_twice);
  tasker_test_add ("/task/configured-late", test_configured_late);
  tasker_test_add ("/task/refused/join", test_refused_join);
  tasker_test_add ("/task/refused/races", test_refused_races);
  tasker_test_add ("/task/bad-input", test_bad_task);
  tasker_test_add ("/task/bad-input/new", test_bad_new);

  return g_test_run ();
}
