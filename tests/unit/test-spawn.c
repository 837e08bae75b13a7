/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Light tasks: spawning them from anywhere, what becomes of them when nobody
 * joins, and what their functions and destroy notifies may do. */

#include "tasker-test.h"

#include <glib/gstdio.h>

static void
test_light (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("light");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1000);
  guint i;

  for (i = 0; i < 1000; i++)
    tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1000, 0, 1000, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1000, 1000);
}

/* A light task needs neither a name, nor data, nor a destroy notify; its
 * function gets what it was given and a stopper. */
static gboolean
check_arguments (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  g_assert_true (TASKER_IS_STOPPER (stopper));
  g_assert_false (g_cancellable_is_cancelled (stopper));
  g_assert_nonnull (error);
  g_assert_no_error (*error);
  return user_data == NULL || user_data == check_arguments;
}

static void
test_arguments (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);

  tasker_group_spawn (group, NULL, check_arguments, NULL, NULL);
  tasker_group_spawn (group, "named", check_arguments, check_arguments, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
}

/* The caller's name may change or go once spawn() has returned. */
static void
test_name_copied (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("names");
  g_autoptr (GPtrArray) tasks = NULL;
  char name[] = "before";

  tasker_group_spawn (group, name, tasker_test_succeed, NULL, NULL);
  name[0] = 'X';
  tasks = tasker_group_collect (group, NULL, NULL);
  g_assert_cmpstr (tasker_task_get_name (tasks->pdata[0]), ==, "before");
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

/* A blocking method of GIO is a task function as it stands. */
static void
test_file_delete (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("rm");
  g_autofree char *path = NULL;
  g_autoptr (GFile) file = NULL;
  g_autoptr (GError) error = NULL;
  GWeakRef ref;
  int fd;

  fd = g_file_open_tmp ("tasker-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  file = g_file_new_for_path (path);
  g_weak_ref_init (&ref, file);

  tasker_group_spawn (group, "rm", (TaskerFunc) g_file_delete, g_object_ref (file), g_object_unref);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  /* Again: now it fails, as itself. */
  tasker_group_spawn (group, "rm", (TaskerFunc) g_file_delete, g_object_ref (file), g_object_unref);
  g_clear_object (&file);
  g_assert_false (tasker_group_join (group, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_false (tasker_test_is_alive (&ref));
  g_weak_ref_clear (&ref);
  tasker_test_assert_counts (group, 2, 0, 1, 1, 0, 0);
}

/* Nobody needs to join, or to iterate a loop, for a task to run. */
static void
test_runs_at_once (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("at-once");
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);

  tasker_test_ledger_spawn (ledger, group, NULL, NULL, NULL);
  tasker_test_wait_for (tasker_test_ledger_n_called (ledger) == 1);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1, 1);
}

/* All references dropped at once: light and full tasks run on and are freed. */
static void
test_drop_all (void)
{
  guint n_rounds = tasker_test_rounds (1000);
  TaskerTestLedger *ledger = tasker_test_ledger_new (2 * n_rounds);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      TaskerGroup *group = tasker_group_new ("dropped");
      TaskerTask *task = tasker_test_ledger_task (ledger, "full", NULL, NULL);

      tasker_test_ledger_spawn (ledger, group, "light", NULL, NULL);
      tasker_group_add (group, task);
      g_object_unref (task);
      g_object_unref (group);
    }

  tasker_test_wait_for (tasker_test_ledger_n_freed (ledger) == 2 * n_rounds);
  tasker_test_ledger_close (ledger, 2 * n_rounds, 2 * n_rounds);
}

typedef struct
{
  TaskerGroup    *group;
  TaskerTestGate *gate;
} Spawner;

/* Spawns a task that outlives this one. */
static gboolean
spawn_child (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  Spawner *spawner = user_data;

  tasker_group_spawn (spawner->group, "child", tasker_test_pass_gate, spawner->gate, NULL);
  return TRUE;
}

static void
test_child_outlives (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("family");
  TaskerTestGate gate;
  Spawner spawner = { group, &gate };

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, "parent", spawn_child, &spawner, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 1);
  tasker_test_assert_counts (group, 2, 1, 1, 0, 0, 0);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2, 0, 2, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

typedef struct
{
  TaskerGroup      *group;
  TaskerTestLedger *ledger;
  guint             depth;
} Tree;

/* Spawns two of itself until it is deep enough. Each holds a clone, so the
 * group is joined from above as soon as the root is spawned. */
static gboolean
grow_tree (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error);

static void
tree_free (gpointer data)
{
  Tree *tree = data;

  g_object_unref (tree->group);
  g_free (tree);
}

static void
plant_tree (TaskerGroup      *group,
            TaskerTestLedger *ledger,
            guint             depth)
{
  Tree *tree = g_new (Tree, 1);

  tree->group = tasker_group_clone (group);
  tree->ledger = ledger;
  tree->depth = depth;
  tasker_group_spawn (group, NULL, grow_tree, tree, tree_free);
}

static gboolean
grow_tree (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  Tree *tree = user_data;

  tasker_test_ledger_spawn (tree->ledger, tree->group, "leaf", NULL, NULL);
  if (tree->depth > 0)
    {
      plant_tree (tree->group, tree->ledger, tree->depth - 1);
      plant_tree (tree->group, tree->ledger, tree->depth - 1);
    }

  return TRUE;
}

static void
test_tree (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("tree");
  TaskerTestLedger *ledger = tasker_test_ledger_new (2047);

  plant_tree (group, ledger, 10);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 2 * 2047, 0, 2 * 2047, 0, 0, 0);
  tasker_test_ledger_close (ledger, 2047, 2047);
}

typedef struct
{
  GMutex  mutex;
  GArray *numbers;
} Log;

typedef struct
{
  Log   *log;
  guint  number;
} LogEntry;

static gboolean
log_number (gpointer       user_data,
            GCancellable  *stopper,
            GError       **error)
{
  LogEntry *entry = user_data;

  g_mutex_lock (&entry->log->mutex);
  g_array_append_val (entry->log->numbers, entry->number);
  g_mutex_unlock (&entry->log->mutex);
  return TRUE;
}

/* With one place, tasks run in the order in which they were spawned. */
static void
test_order (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("order");
  Log log = { .numbers = g_array_new (FALSE, FALSE, sizeof (guint)) };
  LogEntry entries[1000];
  guint i;

  g_mutex_init (&log.mutex);
  tasker_group_set_max_running (group, 1);
  for (i = 0; i < 1000; i++)
    {
      entries[i] = (LogEntry) { &log, i };
      tasker_group_spawn (group, NULL, log_number, &entries[i], NULL);
    }
  g_assert_true (tasker_group_join (group, NULL, NULL));

  g_assert_cmpuint (log.numbers->len, ==, 1000);
  for (i = 0; i < 1000; i++)
    g_assert_cmpuint (g_array_index (log.numbers, guint, i), ==, i);

  tasker_test_assert_counts (group, 1000, 0, 1000, 0, 0, 0);
  g_array_unref (log.numbers);
  g_mutex_clear (&log.mutex);
}

typedef struct
{
  TaskerGroup      *group;
  TaskerTestLedger *ledger;
  guint             n_tasks;
} Feeder;

static gpointer
feed (gpointer user_data)
{
  Feeder *feeder = user_data;
  guint i;

  for (i = 0; i < feeder->n_tasks; i++)
    tasker_test_ledger_spawn (feeder->ledger, feeder->group, NULL, NULL, NULL);

  tasker_group_finish (feeder->group);
  return NULL;
}

static void
test_many_threads (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("threads");
  guint n_tasks = tasker_test_rounds (20000);
  TaskerTestLedger *ledger = tasker_test_ledger_new (8 * n_tasks);
  Feeder feeders[8];
  GThread *threads[8];
  guint i;

  for (i = 0; i < 8; i++)
    {
      feeders[i] = (Feeder) { tasker_group_clone (group), ledger, n_tasks };
      threads[i] = g_thread_new ("feed", feed, &feeders[i]);
    }

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 8 * n_tasks, 0, 8 * n_tasks, 0, 0, 0);
  for (i = 0; i < 8; i++)
    {
      g_thread_join (threads[i]);
      g_object_unref (feeders[i].group);
    }
  tasker_test_ledger_close (ledger, 8 * n_tasks, 8 * n_tasks);
}

/* Calls about everything on a group that may be called from anywhere. */
static void
use_group (TaskerGroup *group)
{
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (TaskerTask) task = tasker_task_new ("inner", tasker_test_succeed, NULL, NULL);
  g_autofree char *dump = tasker_group_dump (group);

  tasker_test_assert_equation (group);
  g_assert_nonnull (dump);
  g_assert_cmpint (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)), ==,
                   tasker_signaller_is_stopped (signaller));
  tasker_group_spawn (clone, "inner", tasker_test_succeed, NULL, NULL);
  tasker_group_add (clone, task);
  tasker_group_finish (clone);
  g_assert_cmpuint (tasker_group_get_n_tasks (group), >, 0);
}

static gboolean
use_and_stop (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  TaskerGroup *group = user_data;

  use_group (group);
  g_assert_true (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (stopper));
  use_group (group);
  g_assert_true (tasker_group_abort (group));
  use_group (group);
  return TRUE;
}

static void
test_reenter_function (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("function");
  guint64 spawned, live, succeeded, stopped, aborted;

  tasker_group_spawn (group, "outer", use_and_stop, tasker_group_clone (group), g_object_unref);
  g_assert_true (tasker_group_join (group, NULL, NULL));

  /* Two before the stop, which may have run by then; two after it, which
   * may have ended before the abort; two after that. */
  tasker_test_assert_equation (group);
  tasker_group_get_counts (group, &spawned, &live, &succeeded, NULL, &stopped, &aborted);
  g_assert_cmpuint (spawned, ==, 7);
  g_assert_cmpuint (live, ==, 0);
  g_assert_cmpuint (succeeded, >=, 1);
  g_assert_cmpuint (succeeded, <=, 3);
  g_assert_cmpuint (stopped, <=, 4);
  g_assert_cmpuint (aborted, >=, 2);
}

static void
use_on_free (gpointer data)
{
  TaskerGroup *group = data;

  /* Its task counts as live until this has returned. */
  g_assert_cmpuint (tasker_group_get_n_tasks (group), >, 0);
  use_group (group);
  g_object_unref (group);
}

static void
stop_on_free (gpointer data)
{
  tasker_group_stop (data);
  use_on_free (data);
}

static void
spawn_with_clone (TaskerGroup    *group,
                  GDestroyNotify  notify)
{
  tasker_group_spawn (group, NULL, tasker_test_succeed, tasker_group_clone (group), notify);
}

static void
test_reenter_notify (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("notify");

  spawn_with_clone (group, use_on_free);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
}

/* The same from destroy notifies of tasks that never run: in stop(), in
 * abort(), and in spawn() itself on a stopped group. */
static void
test_reenter_notify_never_run (void)
{
  gboolean (*ends[]) (TaskerGroup *) = { tasker_group_stop, tasker_group_abort };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("never");
      TaskerTestGate gate;
      guint n_aborted = i == 0 ? 0 : 9;

      tasker_test_gate_occupy (&gate, group);
      spawn_with_clone (group, use_on_free);
      spawn_with_clone (group, stop_on_free);

      g_assert_true (ends[i] (group));
      spawn_with_clone (group, stop_on_free);
      tasker_test_gate_open (&gate);
      g_assert_true (tasker_group_join (group, NULL, NULL));
      tasker_test_assert_counts (group, 10, 0, 1, 0, 9 - n_aborted, n_aborted);
      tasker_test_gate_clear (&gate);
    }
}

/* The last handle may go in a task's own destroy notify. */
static void
test_last_handle_in_notify (void)
{
  guint n_rounds = tasker_test_rounds (1000);
  guint i;

  for (i = 0; i < n_rounds; i++)
    {
      TaskerGroup *group = tasker_group_new ("last");
      g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
      GWeakRef ref;

      g_weak_ref_init (&ref, group);
      tasker_group_set_abort_on_drop (group, i % 2 == 0);
      tasker_group_spawn (group, NULL, tasker_test_succeed, g_object_ref (group), g_object_unref);
      g_object_unref (group);
      tasker_test_wait_for (!tasker_test_is_alive (&ref));
      g_assert_true (i % 2 == 0 || !tasker_signaller_is_stopped (signaller));
      g_weak_ref_clear (&ref);
    }
}

/* A call that is refused for its arguments has taken nothing over. */
static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("bad");
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);
  TaskerTestLedger *ledger = tasker_test_ledger_new (1);
  gpointer entry = tasker_test_ledger_entry (ledger, NULL, NULL);
  TaskerGroup *wrong = (TaskerGroup *) other;

  tasker_test_critical ("*TASKER_IS_GROUP*",
                        tasker_group_spawn (NULL, NULL, tasker_test_entry_run, entry,
                                            tasker_test_entry_free));
  tasker_test_critical ("*TASKER_IS_GROUP*",
                        tasker_group_spawn (wrong, NULL, tasker_test_entry_run, entry,
                                            tasker_test_entry_free));
  tasker_test_critical ("*func*",
                        tasker_group_spawn (group, NULL, NULL, entry, tasker_test_entry_free));
  g_assert_cmpuint (tasker_test_ledger_n_freed (ledger), ==, 0);
  tasker_test_entry_free (entry);

  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
  tasker_test_ledger_close (ledger, 1, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/spawn/light", test_light);
  tasker_test_add ("/spawn/arguments", test_arguments);
  tasker_test_add ("/spawn/name-copied", test_name_copied);
  tasker_test_add ("/spawn/file-delete", test_file_delete);
  tasker_test_add ("/spawn/runs-at-once", test_runs_at_once);
  tasker_test_add ("/spawn/drop-all", test_drop_all);
  tasker_test_add ("/spawn/child-outlives", test_child_outlives);
  tasker_test_add ("/spawn/tree", test_tree);
  tasker_test_add ("/spawn/order", test_order);
  tasker_test_add ("/spawn/many-threads", test_many_threads);
  tasker_test_add ("/spawn/reenter/function", test_reenter_function);
  tasker_test_add ("/spawn/reenter/notify", test_reenter_notify);
  tasker_test_add ("/spawn/reenter/notify-never-run", test_reenter_notify_never_run);
  tasker_test_add ("/spawn/reenter/last-handle", test_last_handle_in_notify);
  tasker_test_add ("/spawn/bad-input", test_bad_input);

  return g_test_run ();
}
