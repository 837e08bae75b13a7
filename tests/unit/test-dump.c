/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dump of a group: that what one looks for in it is there. */

#include "tasker-test.h"

static void
assert_dump (TaskerGroup *group,
             const char  *pattern,
             gboolean     expected)
{
  g_autofree char *dump = tasker_group_dump (group);
  gboolean matches = g_pattern_match_simple (pattern, dump);

  if (matches != expected)
    g_error ("%s '%s' in:\n%s", expected ? "No" : "Unexpected", pattern, dump);
  g_assert_true (g_utf8_validate (dump, -1, NULL));
}

static void
test_empty (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("empty");
  g_autoptr (TaskerGroup) nameless = tasker_test_group (NULL);

  assert_dump (group, "*empty*", TRUE);
  assert_dump (group, "*running*", FALSE);
  assert_dump (nameless, "*(null)*", FALSE);
  tasker_group_finish (group);
  assert_dump (group, "*empty*", TRUE);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* Each live task is on a line of its own, with its state. */
static void
test_tasks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");
  g_autoptr (TaskerTask) task = tasker_task_new ("write-index", tasker_test_succeed, NULL, NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "read-rows", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  tasker_group_spawn (group, "sort-rows", tasker_test_succeed, NULL, NULL);
  tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
  tasker_group_add (group, task);

  assert_dump (group, "*sync*", TRUE);
  assert_dump (group, "*read-rows*running*", TRUE);
  assert_dump (group, "*sort-rows*queued*", TRUE);
  assert_dump (group, "*write-index*queued*", TRUE);
  assert_dump (group, "*(null)*", FALSE);
  tasker_test_assert_counts (group, 4, 4, 0, 0, 0, 0);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  assert_dump (group, "*read-rows*running*", FALSE);
  assert_dump (group, "*queued*", FALSE);
  tasker_test_assert_counts (group, 4, 0, 4, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* How many handles are open, which is what a join that hangs waits for. */
static void
test_handles (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");
  g_autoptr (GPtrArray) clones = g_ptr_array_new_with_free_func (g_object_unref);
  guint i;

  for (i = 0; i < 16; i++)
    g_ptr_array_add (clones, tasker_group_clone (group));

  assert_dump (group, "*17*handle*", TRUE);
  tasker_group_finish (clones->pdata[0]);
  assert_dump (group, "*16*handle*", TRUE);
  assert_dump (group, "*17*", FALSE);

  g_ptr_array_set_size (clones, 0);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

/* The number of seconds in the dump's head, or -1. */
static double
get_seconds_since_stop (TaskerGroup *group)
{
  g_autofree char *dump = tasker_group_dump (group);
  g_autoptr (GRegex) regex = g_regex_new ("^Group.* ([0-9.]+) s ", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *seconds = NULL;

  if (!g_regex_match (regex, dump, 0, &match))
    return -1;

  seconds = g_match_info_fetch (match, 1);
  return g_ascii_strtod (seconds, NULL);
}

/* For how long a group has been stopped, once it is; an abort that comes
 * later does not change that. */
static void
test_stopped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");

  g_assert_cmpfloat (get_seconds_since_stop (group), ==, -1);
  g_assert_true (tasker_group_stop (group));
  g_assert_cmpfloat (get_seconds_since_stop (group), >=, 0.0);
  g_usleep (150000);
  g_assert_cmpfloat (get_seconds_since_stop (group), >=, 0.14);
  g_assert_true (tasker_group_abort (group));
  g_assert_cmpfloat (get_seconds_since_stop (group), >=, 0.14);
  g_assert_cmpfloat (get_seconds_since_stop (group), <, 60.0);
  assert_dump (group, "*aborted, *", TRUE);
  tasker_test_assert_counts (group, 0, 0, 0, 0, 0, 0);
}

static void
test_odd_names (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("%s%n \303\244");
  g_autofree char *name = g_strnfill (5000, 'x');
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, name, tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, "%s%n%d", tasker_test_pass_gate, &gate, NULL);
  tasker_group_spawn (group, "", tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 3);
  assert_dump (group, "*%s%n \303\244*", TRUE);
  assert_dump (group, "*%s%n%d*running*", TRUE);
  assert_dump (group, "*xxxxxxxx*running*", TRUE);

  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 3, 0, 3, 0, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* From inside a task, which sees itself. */
static gboolean
dump_myself (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  assert_dump (user_data, "*myself*running*", TRUE);
  return TRUE;
}

static void
test_inside (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");

  tasker_group_spawn (group, "myself", dump_myself, group, NULL);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);
}

typedef struct
{
  TaskerGroup *group;
  int          is_over;
} Dumper;

static gpointer
dumper_main (gpointer user_data)
{
  Dumper *dumper = user_data;

  while (!g_atomic_int_get (&dumper->is_over))
    assert_dump (dumper->group, "*sync*", TRUE);
  return NULL;
}

/* Dumping while tasks come and go, and their names with them. */
static void
test_race (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("sync");
  Dumper dumper = { group, FALSE };
  GThread *thread = g_thread_new ("dumper", dumper_main, &dumper);
  guint n_tasks = tasker_test_rounds (5000);
  guint i;

  tasker_group_set_keep_results (group, FALSE);
  for (i = 0; i < n_tasks; i++)
    {
      g_autofree char *name = g_strdup_printf ("task-%u", i);

      tasker_group_spawn (group, name, tasker_test_succeed, NULL, NULL);
      if (i % 100 == 0)
        tasker_test_wait_for (tasker_group_get_n_tasks (group) < 100);
    }

  g_atomic_int_set (&dumper.is_over, TRUE);
  g_thread_join (thread);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_assert_counts (group, n_tasks, 0, n_tasks, 0, 0, 0);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/dump/empty", test_empty);
  tasker_test_add ("/dump/tasks", test_tasks);
  tasker_test_add ("/dump/handles", test_handles);
  tasker_test_add ("/dump/stopped", test_stopped);
  tasker_test_add ("/dump/odd-names", test_odd_names);
  tasker_test_add ("/dump/inside", test_inside);
  tasker_test_add ("/dump/race", test_race);

  return g_test_run ();
}
