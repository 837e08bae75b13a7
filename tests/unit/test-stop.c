/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stopping and aborting, whole groups and single tasks. */

#include "tasker-test.h"

/* A group of one place, with a task before the gate in it. */
static TaskerGroup *
busy_group (TaskerTestGate *gate)
{
  TaskerGroup *group = tasker_test_group ("busy");

  tasker_test_gate_occupy (gate, group);
  return group;
}

static void
test_idempotent (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("twice");
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);

  g_assert_true (tasker_group_stop (group));
  g_assert_false (tasker_group_stop (group));
  g_assert_false (tasker_group_stop (clone));
  g_assert_true (tasker_group_is_stopped (clone));

  g_assert_true (tasker_group_abort (clone));
  g_assert_false (tasker_group_abort (group));
  g_assert_false (tasker_group_stop (group));

  tasker_group_finish (clone);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* An abort is a stop as well. */
static void
test_abort_stops (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("abort");

  g_assert_true (tasker_group_abort (group));
  g_assert_true (tasker_group_is_stopped (group));
  g_assert_false (tasker_group_stop (group));
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
}

typedef struct
{
  TaskerGroup *group;
  gboolean   (*end) (TaskerGroup *group);
  int         *n_won;
} Racer;

static gpointer
racer_main (gpointer user_data)
{
  Racer *racer = user_data;

  if (racer->end (racer->group))
    g_atomic_int_inc (racer->n_won);
  return NULL;
}

/* Of many calls at once exactly one did it. */
static void
race_once (gboolean (*end) (TaskerGroup *group))
{
  g_autoptr (TaskerGroup) group = tasker_group_new ("race");
  int n_won = 0;
  Racer racer = { group, end, &n_won };
  GThread *threads[4];
  guint i;

  tasker_group_spawn (group, NULL, tasker_test_wait_stopped, NULL, NULL);
  for (i = 0; i < 4; i++)
    threads[i] = g_thread_new ("racer", racer_main, &racer);
  for (i = 0; i < 4; i++)
    g_thread_join (threads[i]);

  g_assert_cmpint (n_won, ==, 1);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpuint (tasker_group_get_n_tasks (group), ==, 0);
  tasker_test_assert_equation (group);
}

static void
test_once (void)
{
  guint n_rounds = tasker_test_rounds (500);
  guint i;

  for (i = 0; i < n_rounds; i++)
    race_once (i % 2 == 0 ? tasker_group_stop : tasker_group_abort);
}

/* What is queued never runs, light or full, and is freed. */
static void
check_queued (gboolean        (*end) (TaskerGroup *group),
              TaskerTaskState   state)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = busy_group (&gate);
  TaskerTestLedger *ledger = tasker_test_ledger_new (40);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_stopped = state == TASKER_TASK_STATE_STOPPED ? 40 : 0;
  guint i;

  for (i = 0; i < 20; i++)
    {
      tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
      g_ptr_array_add (tasks, tasker_test_ledger_task (ledger, NULL, NULL, NULL));
      tasker_group_add (group, tasks->pdata[i]);
    }

  g_assert_true (end (group));
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (i = 0; i < 20; i++)
    {
      g_assert_cmpint (tasker_task_get_state (tasks->pdata[i]), ==, state);
      g_assert_true (g_cancellable_is_cancelled (tasks->pdata[i]));
    }
  tasker_test_assert_counts (group, 41, 0, 1, 0, n_stopped, 40 - n_stopped);
  tasker_test_ledger_close (ledger, 40, 0);
  tasker_test_gate_clear (&gate);
}

static void
test_queued (void)
{
  check_queued (tasker_group_stop, TASKER_TASK_STATE_STOPPED);
  check_queued (tasker_group_abort, TASKER_TASK_STATE_ABORTED);
}

static gboolean
flush (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  g_assert_true (g_cancellable_is_cancelled (stopper));
  return TRUE;
}

/* Tasks that owe something run after a stop as well, and see it. */
static void
test_run_always (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = busy_group (&gate);
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);
  g_autoptr (TaskerTask) before = tasker_test_ledger_task (ledger, "before", flush, NULL);
  g_autoptr (TaskerTask) after = tasker_test_ledger_task (ledger, "after", flush, NULL);
  g_autoptr (TaskerTask) obeys = tasker_test_ledger_task (ledger, "obeys", tasker_test_wait_stopped,
                                                          NULL);

  tasker_task_set_run_always (before, TRUE);
  tasker_task_set_run_always (after, TRUE);
  tasker_task_set_run_always (obeys, TRUE);
  g_assert_true (tasker_task_get_run_always (before));
  tasker_group_add (group, before);
  tasker_group_add (group, obeys);
  g_assert_true (tasker_group_stop (group));
  tasker_group_add (group, after);
  g_assert_cmpint (tasker_task_get_state (before), ==, TASKER_TASK_STATE_QUEUED);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (before)));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (after)));

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (before), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpint (tasker_task_get_state (after), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpint (tasker_task_get_state (obeys), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 4, 0, 3, 0, 1, 0);
  tasker_test_ledger_close (ledger, 3, 3);
  tasker_test_gate_clear (&gate);
}

static gboolean
obey_item (gpointer       user_data,
           gsize          index,
           GCancellable  *stopper,
           GError       **error)
{
  return tasker_test_wait_stopped (user_data, stopper, error);
}

static gboolean
step_until_stopped (gpointer       user_data,
                    GCancellable  *stopper,
                    GError       **error)
{
  return g_cancellable_is_cancelled (stopper) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* When stop() has returned, every task that has not ended is cancelled, wherever
 * the group has it: in a runner's hand, on a main loop, or taken out of both. */
static void
test_everywhere (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("everywhere");
  g_autoptr (TaskerTask) ended = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);
  TaskerTask *tasks[] = {
    tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL),
    tasker_task_new_each (NULL, 1, obey_item, NULL, NULL),
    tasker_task_new_local (NULL, step_until_stopped, NULL, NULL),
    tasker_task_new_interval (NULL, 60 * 1000, step_until_stopped, NULL, NULL),
    tasker_task_new_async (NULL, NULL, NULL, NULL),
    tasker_task_new_local (NULL, step_until_stopped, NULL, NULL),
  };
  guint n_begun = G_N_ELEMENTS (tasks) - 1;

  tasker_group_add (group, ended);
  g_assert_true (tasker_task_join (ended, NULL, NULL));
  for (guint i = 0; i < n_begun; i++)
    {
      tasker_group_add (group, tasks[i]);
      tasker_test_iterate_until (tasker_task_get_state (tasks[i]) == TASKER_TASK_STATE_RUNNING);
    }
  tasker_group_add (group, tasks[n_begun]);

  tasker_group_stop (group);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (tasks[i])));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (ended)));

  tasker_task_complete (tasks[4]);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    g_object_unref (tasks[i]);
}

/* After an abort not even those run, also those that a stop had left. */
static void
test_run_always_aborted (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = busy_group (&gate);
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);
  TaskerTask *tasks[3];
  guint i;

  for (i = 0; i < 3; i++)
    {
      tasks[i] = tasker_test_ledger_task (ledger, NULL, flush, NULL);
      tasker_task_set_run_always (tasks[i], TRUE);
    }
  tasker_group_add (group, tasks[0]);
  g_assert_true (tasker_group_stop (group));
  tasker_group_add (group, tasks[1]);
  g_assert_true (tasker_group_abort (group));
  tasker_group_add (group, tasks[2]);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (i = 0; i < 3; i++)
    {
      g_assert_cmpint (tasker_task_get_state (tasks[i]), ==, TASKER_TASK_STATE_ABORTED);
      g_object_unref (tasks[i]);
    }
  tasker_test_assert_counts (group, 4, 0, 1, 0, 0, 3);
  tasker_test_ledger_close (ledger, 3, 0);
  tasker_test_gate_clear (&gate);
}

/* What is made after the stop is born cancelled. */
static void
test_born_cancelled (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("born");
  g_autoptr (TaskerStopper) before = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) after = NULL;
  g_autoptr (TaskerGroup) clone = NULL;
  g_autoptr (TaskerSignaller) signaller = NULL;
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (before)));
  g_assert_true (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (before)));

  after = tasker_group_create_stopper (group);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (after)));
  clone = tasker_group_clone (group);
  g_assert_true (tasker_group_is_stopped (clone));
  signaller = tasker_group_create_signaller (group);
  g_assert_true (tasker_signaller_is_stopped (signaller));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  tasker_group_add (group, task);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (task)));

  tasker_group_finish (clone);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
}

/* What had succeeded stays so: a function that returns TRUE did its work. */
static gboolean
finish_step (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  return TRUE;
}

static gboolean
fail_after_stop (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  return tasker_test_fail (user_data, stopper, error);
}

static gboolean
panic_after_stop (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));
  return FALSE;
}

/* How a function ends after the stop decides how its task does. */
static void
test_outcomes (void)
{
  gboolean (*ends[]) (TaskerGroup *) = { tasker_group_stop, tasker_group_abort };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("outcomes");
      TaskerTestLedger *ledger = tasker_test_ledger_new (8);
      TaskerFunc funcs[] = { finish_step, tasker_test_wait_stopped, fail_after_stop,
                             panic_after_stop };
      guint n_stopped = i == 0 ? 2 : 0;
      guint j;

      for (j = 0; j < G_N_ELEMENTS (funcs); j++)
        {
          g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, funcs[j], NULL);

          tasker_group_add (group, task);
          tasker_test_ledger_spawn (ledger, group, NULL, funcs[j], NULL);
        }
      tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 8);
      g_assert_true (ends[i] (group));
      g_assert_false (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 8, 0, 2, 4, n_stopped, 2 - n_stopped);
      tasker_test_ledger_close (ledger, 8, 8);
    }
}

/* A stop is not for what has ended. */
static void
test_ended_not_cancelled (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("ended");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_group_add (group, task);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  g_assert_true (tasker_group_stop (group));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A full task hears its own cancel alone, running or queued. */
static void
test_task_alone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("alone");
  TaskerTestLedger *ledger = tasker_test_ledger_new (4);
  TaskerTask *tasks[4];
  guint i;

  tasker_group_set_max_running (group, 2);
  for (i = 0; i < 4; i++)
    {
      tasks[i] = tasker_test_ledger_task (ledger, NULL, tasker_test_wait_stopped, NULL);
      tasker_group_add (group, tasks[i]);
    }
  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 2);

  g_cancellable_cancel (G_CANCELLABLE (tasks[3]));
  g_cancellable_cancel (G_CANCELLABLE (tasks[0]));
  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 3);
  g_assert_false (tasker_group_is_stopped (group));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (tasks[1])));
  g_assert_false (tasker_task_join (tasks[3], NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (tasks[0]), ==, TASKER_TASK_STATE_STOPPED);
  g_assert_cmpint (tasker_task_get_state (tasks[1]), ==, TASKER_TASK_STATE_RUNNING);
  g_assert_cmpint (tasker_task_get_state (tasks[3]), ==, TASKER_TASK_STATE_STOPPED);

  g_cancellable_cancel (G_CANCELLABLE (tasks[1]));
  g_cancellable_cancel (G_CANCELLABLE (tasks[2]));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (i = 0; i < 4; i++)
    g_object_unref (tasks[i]);
  tasker_test_assert_counts (group, 4, 0, 0, 0, 4, 0);
  tasker_test_ledger_close (ledger, 4, 3);
}

/* A task that was cancelled before it is added does not run. */
static void
test_cancelled_before_add (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("early");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);

  g_cancellable_cancel (G_CANCELLABLE (task));
  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
  tasker_test_ledger_close (ledger, 1, 0);
}

/* A function that does not look at its stopper ends when it returns, aborted
 * or not, and with what it returns. */
static void
test_abort_busy (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = tasker_test_group ("deaf");
  g_autoptr (TaskerTask) task = NULL;

  tasker_test_gate_init (&gate);
  task = tasker_task_new ("deaf", tasker_test_pass_gate, &gate, NULL);
  tasker_group_add (group, task);
  tasker_test_gate_await (&gate, 1);

  g_assert_true (tasker_task_abort (task));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  g_assert_false (tasker_task_is_finished (task));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_RUNNING);
  g_usleep (20000);
  g_assert_false (tasker_task_is_finished (task));
  tasker_test_assert_counts (group, 1, 1, 0, 0, 0, 0);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_task_join (task, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

static gboolean
give_value (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, 42);
  tasker_task_set_value (TASKER_TASK (stopper), &value);
  return TRUE;
}

static void
test_abort_ended (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("ended");
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, give_value, NULL, NULL);

  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_false (tasker_task_abort (task));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpint (g_value_get_int (tasker_task_get_value (task)), ==, 42);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (task)));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static gboolean
sleep_long (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  return tasker_stopper_sleep (TASKER_STOPPER (stopper), 3600 * 1000, error);
}

static void
test_abort_sleepers (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sleepers");
  TaskerTestLedger *ledger = tasker_test_ledger_new (10);
  TaskerTask *tasks[10];
  guint i;

  tasker_group_set_max_running (group, 10);
  for (i = 0; i < 10; i++)
    {
      tasks[i] = tasker_test_ledger_task (ledger, NULL, sleep_long, NULL);
      tasker_group_add (group, tasks[i]);
    }
  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 10);
  for (i = 0; i < 10; i++)
    g_assert_true (tasker_task_abort (tasks[i]));

  for (i = 0; i < 10; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tasker_task_join (tasks[i], NULL, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_ABORTED);
      g_assert_cmpint (tasker_task_get_state (tasks[i]), ==, TASKER_TASK_STATE_ABORTED);
      g_object_unref (tasks[i]);
    }
  g_assert_false (tasker_group_is_stopped (group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 10, 0, 0, 0, 0, 10);
  tasker_test_ledger_close (ledger, 10, 10);
}

/* A queued task that is aborted alone leaves the others as they are. */
static void
test_abort_queued (void)
{
  TaskerTestGate gate;
  g_autoptr (TaskerGroup) group = busy_group (&gate);
  TaskerTestLedger *ledger = tasker_test_ledger_new (3);
  TaskerTask *tasks[3];
  guint i;

  for (i = 0; i < 3; i++)
    {
      tasks[i] = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
      tasker_task_set_run_always (tasks[i], TRUE);
      tasker_group_add (group, tasks[i]);
    }
  g_assert_true (tasker_task_abort (tasks[1]));
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));

  g_assert_cmpint (tasker_task_get_state (tasks[0]), ==, TASKER_TASK_STATE_SUCCEEDED);
  g_assert_cmpint (tasker_task_get_state (tasks[1]), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_cmpint (tasker_task_get_state (tasks[2]), ==, TASKER_TASK_STATE_SUCCEEDED);
  for (i = 0; i < 3; i++)
    g_object_unref (tasks[i]);
  tasker_test_assert_counts (group, 4, 0, 3, 0, 0, 1);
  tasker_test_ledger_close (ledger, 3, 2);
  tasker_test_gate_clear (&gate);
}

/* A light task that runs hears the group only. */
static gboolean
abort_myself (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  g_autoptr (TaskerTask) task = tasker_task_get_current ();

  g_assert_false (tasker_task_get_stops_alone (task));
  g_assert_false (tasker_task_abort (task));
  g_assert_false (g_cancellable_is_cancelled (stopper));
  return TRUE;
}

static void
test_abort_light_running (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("light");
  g_autoptr (TaskerTask) full = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  g_assert_true (tasker_task_get_stops_alone (full));
  tasker_group_spawn (group, NULL, abort_myself, NULL, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

static gboolean
wait_for_group (gpointer       user_data,
                GCancellable  *stopper,
                GError       **error)
{
  g_atomic_pointer_set ((TaskerTask **) user_data, tasker_task_get_current ());
  return tasker_test_wait_stopped (user_data, stopper, error);
}

/* Nor does it remember an abort that was refused. */
static void
test_abort_light_refused (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("refused");
  TaskerTask *face = NULL;

  tasker_group_spawn (group, NULL, wait_for_group, &face, NULL);
  tasker_test_wait_for (g_atomic_pointer_get (&face) != NULL);
  g_assert_false (tasker_task_abort (face));
  g_assert_false (tasker_task_is_finished (face));

  g_assert_true (tasker_group_stop (group));
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (face), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 1, 0);
  g_object_unref (face);
}

/* A full task may abort or stop itself, and then decides by what it returns. */
static gboolean
abort_myself_full (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  g_assert_true (tasker_task_abort (TASKER_TASK (stopper)));
  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

static gboolean
cancel_myself (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_cancellable_cancel (stopper);
  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

static void
test_myself (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("myself");
  g_autoptr (TaskerTask) aborts = tasker_task_new (NULL, abort_myself_full, NULL, NULL);
  g_autoptr (TaskerTask) cancels = tasker_task_new (NULL, cancel_myself, NULL, NULL);

  tasker_group_add (group, aborts);
  tasker_group_add (group, cancels);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (aborts), ==, TASKER_TASK_STATE_ABORTED);
  g_assert_cmpint (tasker_task_get_state (cancels), ==, TASKER_TASK_STATE_STOPPED);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 1, 1);
}

/* An abort after a stop was asked for makes it an abort. */
static void
test_stop_then_abort (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("insist");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  TaskerTestGate gate;
  g_autoptr (TaskerTask) task = NULL;

  tasker_test_gate_init (&gate);
  task = tasker_test_ledger_task (ledger, NULL, tasker_test_pass_gate, &gate);
  tasker_group_add (group, task);
  tasker_test_gate_await (&gate, 1);
  g_assert_true (tasker_group_stop (group));
  g_assert_true (tasker_task_abort (task));
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_false (tasker_task_abort (task));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1, 1);
  tasker_test_gate_clear (&gate);
}

typedef struct
{
  TaskerGroup *group;
  gboolean   (*end) (TaskerGroup *group);
  guint        n_called;
} Handler;

/* Calls whatever does not block. */
static void
use_on_cancelled (GCancellable *stopper,
                  gpointer      user_data)
{
  Handler *handler = user_data;
  g_autoptr (TaskerGroup) clone = tasker_group_clone (handler->group);
  g_autoptr (TaskerTask) task = tasker_task_new ("inner", tasker_test_succeed, NULL, NULL);
  g_autoptr (TaskerStopper) other = tasker_group_create_stopper (clone);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autofree char *dump = tasker_group_dump (clone);

  handler->n_called++;
  g_assert_nonnull (dump);
  g_assert_true (g_cancellable_is_cancelled (stopper));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (other)));
  g_assert_true (tasker_group_is_stopped (clone));
  g_assert_false (handler->end (clone));
  tasker_test_assert_equation (clone);
  tasker_group_spawn (clone, "inner", tasker_test_succeed, NULL, NULL);
  tasker_group_add (clone, task);
  tasks = tasker_group_poll_collect (clone);
  tasker_group_finish (clone);
}

static void
test_reenter_cancelled (void)
{
  gboolean (*ends[]) (TaskerGroup *) = { tasker_group_stop, tasker_group_abort };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("handler");
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_wait_stopped, NULL, NULL);
      Handler handler = { group, ends[i], 0 };
      guint n_stopped = i == 0 ? 5 : 0;

      tasker_group_add (group, task);
      tasker_test_wait_for (tasker_task_get_state (task) == TASKER_TASK_STATE_RUNNING);
      g_signal_connect (stopper, "cancelled", G_CALLBACK (use_on_cancelled), &handler);
      g_signal_connect (task, "cancelled", G_CALLBACK (use_on_cancelled), &handler);
      g_assert_true (ends[i] (group));
      g_assert_cmpuint (handler.n_called, ==, 2);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 5, 0, 0, 0, n_stopped, 5 - n_stopped);
      g_signal_handlers_disconnect_by_data (task, &handler);
    }
}

/* A stop in a handler becomes an abort there. */
static void
abort_on_cancelled (GCancellable *stopper,
                    gpointer      group)
{
  tasker_group_abort (group);
}

static void
test_abort_in_handler (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("escalate");
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, flush, NULL);

  tasker_task_set_run_always (task, TRUE);
  g_signal_connect (stopper, "cancelled", G_CALLBACK (abort_on_cancelled), group);
  g_assert_true (tasker_group_stop (group));
  g_assert_false (tasker_group_abort (group));
  tasker_group_add (group, task);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_ABORTED);
  tasker_test_assert_counts (group, 1, 0, 0, 0, 0, 1);
  tasker_test_ledger_close (ledger, 1, 0);
}

static gpointer
spawner_main (gpointer user_data)
{
  TaskerGroup *group = user_data;
  TaskerTestLedger *ledger = g_object_get_data (G_OBJECT (group), "ledger");
  guint i;

  for (i = 0; i < 50; i++)
    {
      g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);

      tasker_group_add (group, task);
      tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
    }
  return NULL;
}

/* A stop or an abort in the middle of spawning: each task ran or did not, and
 * is counted so. */
static void
test_race_spawn (void)
{
  guint n_rounds = tasker_test_rounds (1000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      TaskerTestLedger *ledger = tasker_test_ledger_new (100);
      guint64 succeeded;
      GThread *thread;

      g_object_set_data (G_OBJECT (group), "ledger", ledger);
      thread = g_thread_new ("spawner", spawner_main, group);
      g_usleep (i % 100);
      if (i % 2 == 0)
        tasker_group_stop (group);
      else
        tasker_group_abort (group);
      tasker_test_assert_equation (group);
      g_thread_join (thread);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_group_get_counts (group, NULL, NULL, &succeeded, NULL, NULL, NULL);
      tasker_test_assert_equation (group);
      tasker_test_ledger_close (ledger, 100, (guint) succeeded);
    }
}

/* What is still queued when stop() has returned never runs. */
static void
test_race_queued (void)
{
  guint n_rounds = tasker_test_rounds (2000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      TaskerTestLedger *ledger = tasker_test_ledger_new (8);
      TaskerTask *tasks[8];
      gboolean were_queued[8];
      gint64 when = g_get_monotonic_time () + i % 100;
      guint n_succeeded = 0;
      guint j;

      for (j = 0; j < 8; j++)
        {
          tasks[j] = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
          tasker_group_add (group, tasks[j]);
        }
      while (g_get_monotonic_time () < when)
        ;
      g_assert_true (tasker_group_stop (group));
      for (j = 0; j < 8; j++)
        were_queued[j] = tasker_task_get_state (tasks[j]) == TASKER_TASK_STATE_QUEUED;

      g_assert_true (tasker_group_join (group, NULL, NULL));
      for (j = 0; j < 8; j++)
        {
          gboolean ran = tasker_task_get_state (tasks[j]) == TASKER_TASK_STATE_SUCCEEDED;

          g_assert_false (ran && were_queued[j]);
          n_succeeded += ran;
          g_object_unref (tasks[j]);
        }
      tasker_test_assert_counts (group, 8, 0, n_succeeded, 0, 8 - n_succeeded, 0);
      tasker_test_ledger_close (ledger, 8, n_succeeded);
    }
}

static gboolean
note_call (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  g_atomic_int_inc ((int *) user_data);
  return TRUE;
}

/* Whether a line of a dump says that the task is queued. */
static gboolean
is_queued (const char *dump,
           const char *name)
{
  g_auto (GStrv) lines = g_strsplit (dump, "\n", -1);
  gboolean queued = FALSE;
  guint i;

  for (i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], name) != NULL && strstr (lines[i], "queued") != NULL)
      queued = TRUE;

  return queued;
}

/* The same for light ones, whose states the dump tells. */
static void
test_race_queued_light (void)
{
  const char *names[] = { "anna", "bert", "cora", "dirk" };
  guint n_rounds = tasker_test_rounds (4000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      gint64 when = g_get_monotonic_time () + i % 100;
      g_autofree char *dump = NULL;
      int n_calls[4] = { 0, };
      guint j;

      tasker_group_set_max_running (group, 1);
      for (j = 0; j < 4; j++)
        tasker_group_spawn (group, names[j], note_call, &n_calls[j], NULL);
      while (g_get_monotonic_time () < when)
        ;
      g_assert_true (tasker_group_stop (group));
      dump = tasker_group_dump (group);

      g_assert_true (tasker_group_join (group, NULL, NULL));
      for (j = 0; j < 4; j++)
        g_assert_false (n_calls[j] > 0 && is_queued (dump, names[j]));
      tasker_test_assert_equation (group);
    }
}

static gpointer
task_aborter (gpointer task)
{
  while (tasker_task_get_state (task) == TASKER_TASK_STATE_NEW)
    g_thread_yield ();
  tasker_task_abort (task);
  return NULL;
}

static void
test_race_task (void)
{
  guint n_rounds = tasker_test_rounds (2000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new ("race");
      TaskerTestLedger *ledger = tasker_test_ledger_new (1);
      g_autoptr (TaskerTask) task = tasker_test_ledger_task (ledger, NULL, NULL, NULL);
      GThread *thread = g_thread_new ("abort", task_aborter, task);
      guint n_called;

      if (i % 3 == 0)
        g_thread_yield ();
      tasker_group_add (group, task);
      g_thread_join (thread);
      g_assert_true (tasker_group_join (group, NULL, NULL));

      n_called = tasker_task_get_state (task) == TASKER_TASK_STATE_SUCCEEDED;
      tasker_test_assert_counts (group, 1, 0, n_called, 0, 0, 1 - n_called);
      tasker_test_ledger_close (ledger, 1, n_called);
    }
}

static void
test_bad_input (void)
{
  g_autoptr (GCancellable) other = g_cancellable_new ();

  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_false (tasker_group_stop (NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_false (tasker_group_stop ((TaskerGroup *) other)));
  tasker_test_critical ("*TASKER_IS_GROUP*", g_assert_false (tasker_group_abort (NULL)));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        g_assert_false (tasker_group_abort ((TaskerGroup *) other)));
  tasker_test_critical ("*TASKER_IS_GROUP*", tasker_group_is_stopped (NULL));
  tasker_test_critical ("*TASKER_IS_TASK*", g_assert_false (tasker_task_abort (NULL)));
  tasker_test_critical ("*TASKER_IS_TASK*",
                        g_assert_false (tasker_task_abort ((TaskerTask *) other)));
  g_assert_false (g_cancellable_is_cancelled (other));
}

/* A task that is in no group has nobody who could abort it. */
static void
test_abort_new (void)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

  tasker_test_critical ("*", g_assert_false (tasker_task_abort (task)));
  g_assert_cmpint (tasker_task_get_state (task), ==, TASKER_TASK_STATE_NEW);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/stop/idempotent", test_idempotent);
  tasker_test_add ("/stop/abort-stops", test_abort_stops);
  tasker_test_add ("/stop/once", test_once);
  tasker_test_add ("/stop/queued", test_queued);
  tasker_test_add ("/stop/run-always", test_run_always);
  tasker_test_add ("/stop/everywhere", test_everywhere);
  tasker_test_add ("/stop/run-always/aborted", test_run_always_aborted);
  tasker_test_add ("/stop/born-cancelled", test_born_cancelled);
  tasker_test_add ("/stop/outcomes", test_outcomes);
  tasker_test_add ("/stop/ended-not-cancelled", test_ended_not_cancelled);
  tasker_test_add ("/stop/task-alone", test_task_alone);
  tasker_test_add ("/stop/cancelled-before-add", test_cancelled_before_add);
  tasker_test_add ("/stop/abort/busy", test_abort_busy);
  tasker_test_add ("/stop/abort/ended", test_abort_ended);
  tasker_test_add ("/stop/abort/sleepers", test_abort_sleepers);
  tasker_test_add ("/stop/abort/queued", test_abort_queued);
  tasker_test_add ("/stop/abort/light-running", test_abort_light_running);
  tasker_test_add ("/stop/abort/light-refused", test_abort_light_refused);
  tasker_test_add ("/stop/abort/myself", test_myself);
  tasker_test_add ("/stop/abort/after-stop", test_stop_then_abort);
  tasker_test_add ("/stop/reenter", test_reenter_cancelled);
  tasker_test_add ("/stop/reenter/abort", test_abort_in_handler);
  tasker_test_add ("/stop/race/spawn", test_race_spawn);
  tasker_test_add ("/stop/race/queued", test_race_queued);
  tasker_test_add ("/stop/race/queued-light", test_race_queued_light);
  tasker_test_add ("/stop/race/task", test_race_task);
  tasker_test_add ("/stop/abort/new", test_abort_new);
  tasker_test_add ("/stop/bad-input", test_bad_input);

  return g_test_run ();
}
