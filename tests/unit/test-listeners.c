/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who listens to the state of full tasks: whenever one connects, he hears of what comes
 * after that, and soon, also where a runner has many tasks in hand. */

#include "tasker-test.h"

typedef struct
{
  TaskerTask      *task;
  TaskerTaskState  known; /* what was read when it connected, or since it was told */
  guint            n_told;
} Listener;

static void
on_state (TaskerTask *task,
          GParamSpec *pspec,
          gpointer    user_data)
{
  Listener *self = user_data;

  g_assert_cmpint (tasker_task_get_state (task), >=, self->known);
  self->known = tasker_task_get_state (task);
  self->n_told++;
}

static void
listen (Listener   *self,
        TaskerTask *task)
{
  self->task = g_object_ref (task);
  self->n_told = 0;
  self->known = TASKER_TASK_STATE_NEW;
  g_signal_connect (task, "notify::state", G_CALLBACK (on_state), self);
  self->known = tasker_task_get_state (task);
}

static void
stop_listening (Listener *self)
{
  g_signal_handlers_disconnect_by_data (self->task, self);
  g_object_unref (self->task);
}

static void
add (TaskerGroup *group,
     GPtrArray   *tasks,
     guint        n_tasks,
     TaskerFunc   func,
     gpointer     user_data)
{
  for (guint i = 0; i < n_tasks; i++)
    {
      g_ptr_array_add (tasks, tasker_task_new (NULL, func, user_data, NULL));
      tasker_group_add (group, g_ptr_array_index (tasks, tasks->len - 1));
    }
}

static void
spin (guint n)
{
  for (guint i = 0; i < n; i++)
    g_thread_self ();
}

/* There is nothing else to do: a thread comes for it at once. */
static void
test_alone (void)
{
  guint n_rounds = tasker_test_rounds (500);

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerTask) task = NULL;
      Listener listener;
      TaskerTestGate gate;

      tasker_test_gate_init (&gate);
      task = tasker_task_new (NULL, tasker_test_pass_gate, &gate, NULL);
      if (round % 2 == 0)
        listen (&listener, task);
      tasker_group_add (group, task);
      if (round % 2 == 1)
        listen (&listener, task);

      tasker_test_iterate_until (listener.known == TASKER_TASK_STATE_RUNNING);
      tasker_test_gate_open (&gate);
      tasker_test_iterate_until (listener.known == TASKER_TASK_STATE_SUCCEEDED);

      tasker_test_assert_join (group, 1, 0, 0);
      stop_listening (&listener);
      tasker_test_gate_clear (&gate);
    }
}

/* Places are taken, so nobody comes for the tasks that are added; and some of the
 * inbox are light, of which nobody has to be told. */
static void
test_queued (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autofree Listener *listeners = g_new (Listener, 3000);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 2);
  for (guint i = 0; i < 2; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 2);

  for (guint i = 0; i < 3000; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, tasker_test_succeed, NULL, NULL);

      listen (&listeners[i], task);
      if (i % 100 == 0)
        tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      tasker_group_add (group, task);
      /* Another time the inbox is as it was left. */
      if (i == 1500)
        tasker_test_iterate_until (listeners[i].n_told > 0);
    }
  for (guint i = 0; i < 3000; i++)
    {
      tasker_test_iterate_until (listeners[i].n_told > 0);
      g_assert_cmpint (listeners[i].known, ==, TASKER_TASK_STATE_QUEUED);
    }

  tasker_group_stop (group);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  for (guint i = 0; i < 3000; i++)
    {
      tasker_test_iterate_until (listeners[i].known == TASKER_TASK_STATE_STOPPED);
      stop_listening (&listeners[i]);
    }
  tasker_test_gate_clear (&gate);
}

static gboolean
tell_and_pass_gate (gpointer       user_data,
                    GCancellable  *stopper,
                    GError       **error)
{
  tasker_task_set_progress (TASKER_TASK (stopper), 0.5, NULL);

  return tasker_test_pass_gate (user_data, stopper, error);
}

/* Slow tasks are in one hand with quick ones. Behind them there are others that somebody
 * may listen to, or none. */
static void
test_in_hand (void)
{
  guint n_rounds = tasker_test_rounds (100);

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      guint n_before = (guint) g_test_rand_int_range (20, 200);
      gboolean others = round % 2 == 0;
      Listener listeners[4];
      TaskerTestGate gates[3];

      for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
        tasker_test_gate_init (&gates[i]);
      tasker_group_set_max_running (group, 1);
      add (group, tasks, 1, tasker_test_pass_gate, &gates[0]);
      add (group, tasks, n_before, tasker_test_succeed, NULL);
      add (group, tasks, 1, tasker_test_pass_gate, &gates[1]);
      add (group, tasks, 1, round % 4 < 2 ? tasker_test_pass_gate : tell_and_pass_gate, &gates[2]);
      if (others)
        add (group, tasks, 100, tasker_test_succeed, NULL);
      else
        tasker_test_spawn_quick (group);

      /* Now and then they have waited for long, and all were asked for. */
      if (round % 10 < 2)
        g_usleep (50 * G_TIME_SPAN_MILLISECOND);
      tasker_test_gate_open (&gates[0]);
      tasker_test_gate_await (&gates[1], 1);
      listen (&listeners[0], g_ptr_array_index (tasks, n_before));
      listen (&listeners[1], g_ptr_array_index (tasks, n_before + 1));
      listen (&listeners[2], g_ptr_array_index (tasks, n_before + 2));
      listen (&listeners[3], g_ptr_array_index (tasks, tasks->len - 1));

      tasker_test_gate_open (&gates[1]);
      tasker_test_gate_await (&gates[2], 1);
      for (guint i = 0; i < 2; i++)
        tasker_test_iterate_until (listeners[i].known == TASKER_TASK_STATE_SUCCEEDED);
      tasker_test_iterate_until (listeners[2].known == TASKER_TASK_STATE_RUNNING);

      tasker_test_gate_open (&gates[2]);
      for (guint i = 0; i < G_N_ELEMENTS (listeners); i++)
        tasker_test_iterate_until (listeners[i].known == TASKER_TASK_STATE_SUCCEEDED);

      tasker_test_assert_join (group, tasks->len + (others ? 0 : TASKER_TEST_N_QUICK), 0, 0);
      for (guint i = 0; i < G_N_ELEMENTS (listeners); i++)
        stop_listening (&listeners[i]);
      for (guint i = 0; i < G_N_ELEMENTS (gates); i++)
        tasker_test_gate_clear (&gates[i]);
    }
}

/* Nobody is missed, at whichever moment he connects. */
static void
test_race (void)
{
  guint n_rounds = tasker_test_rounds (2000);

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      guint n_tasks = (guint) g_test_rand_int_range (1, 40);
      Listener listeners[8];

      add (group, tasks, n_tasks, tasker_test_succeed, NULL);
      spin ((guint) g_test_rand_int_range (0, 500));
      for (guint i = 0; i < G_N_ELEMENTS (listeners); i++)
        listen (&listeners[i], g_ptr_array_index (tasks, (n_tasks - 1) * i / (G_N_ELEMENTS (listeners) - 1)));

      for (guint i = 0; i < G_N_ELEMENTS (listeners); i++)
        tasker_test_iterate_until (listeners[i].known == TASKER_TASK_STATE_SUCCEEDED);

      tasker_test_assert_join (group, n_tasks, 0, 0);
      for (guint i = 0; i < G_N_ELEMENTS (listeners); i++)
        stop_listening (&listeners[i]);
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/listeners/alone", test_alone);
  tasker_test_add ("/listeners/queued", test_queued);
  tasker_test_add ("/listeners/in-hand", test_in_hand);
  tasker_test_add ("/listeners/race", test_race);

  return g_test_run ();
}
