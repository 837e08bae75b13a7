/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine: who runs what, in which order, in how many threads. */

#include "tasker-test.h"

#include <stdlib.h>

static void
add_full (TaskerGroup *group,
          int          priority,
          TaskerFunc   func,
          gpointer     user_data)
{
  g_autoptr (TaskerTask) task = tasker_task_new (NULL, func, user_data, NULL);

  tasker_task_set_priority (task, priority);
  tasker_group_add (group, task);
}

/* Counts who is in a function at once. */
typedef struct
{
  int n_running;
  int max_running;
  int n_run;
} Load;

static void
load_begin (Load *load)
{
  int n_running = g_atomic_int_add (&load->n_running, 1) + 1;
  int seen;

  do
    seen = g_atomic_int_get (&load->max_running);
  while (seen < n_running &&
         !g_atomic_int_compare_and_exchange (&load->max_running, seen, n_running));
}

static void
load_end (Load *load)
{
  g_atomic_int_inc (&load->n_run);
  g_atomic_int_add (&load->n_running, -1);
}

/* Computes, so that the processor sees no end of it. */
static void
compute (gint64 duration_us)
{
  gint64 end = g_get_monotonic_time () + duration_us;

  while (g_get_monotonic_time () < end)
    continue;
}

static gboolean
compute_until_stopped (gpointer       user_data,
                       GCancellable  *stopper,
                       GError       **error)
{
  while (!g_cancellable_is_cancelled (stopper))
    compute (1000);

  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

/* How many threads */

#define N_BARRIER 256

/* The bound is in seconds; it is seldom a tenth of that. */
static void
run_barrier (gboolean full,
             guint    bound_s)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("barrier");
  gint64 begin = g_get_monotonic_time ();
  TaskerTestBarrier barrier;

  tasker_test_barrier_init (&barrier, N_BARRIER);
  for (guint i = 0; i < N_BARRIER; i++)
    {
      if (full)
        add_full (group, G_PRIORITY_DEFAULT, tasker_test_pass_barrier, &barrier);
      else
        tasker_group_spawn (group, "passer", tasker_test_pass_barrier, &barrier, NULL);
    }
  tasker_test_assert_join (group, N_BARRIER, 0, 0);
  g_assert_cmpint (g_get_monotonic_time () - begin, <,
                   bound_s * G_TIME_SPAN_SECOND * tasker_test_get_scale ());
  tasker_test_barrier_clear (&barrier);
}

static void
test_barrier (void)
{
  run_barrier (FALSE, 10);
  run_barrier (TRUE, 10);
}

/* While others compute on all processors. */
static void
test_barrier_under_load (void)
{
  g_autoptr (TaskerGroup) load = tasker_test_group ("load");
  guint n_tasks = 2 * g_get_num_processors ();

  for (guint i = 0; i < n_tasks; i++)
    tasker_group_spawn (load, "computing", compute_until_stopped, NULL, NULL);

  run_barrier (FALSE, 20);

  tasker_group_stop (load);
  g_assert_true (tasker_group_join (load, NULL, NULL));
  g_assert_cmpuint (tasker_group_get_n_tasks (load), ==, 0);
  tasker_test_assert_equation (load);
}

/* A barrier of tasks that another group's tasks wait for in turn. */
static gboolean
run_inner_barrier (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  g_autoptr (TaskerGroup) inner = tasker_group_new ("inner");
  TaskerTestBarrier barrier;

  tasker_test_barrier_init (&barrier, 16);
  for (guint i = 0; i < 16; i++)
    tasker_group_spawn (inner, NULL, tasker_test_pass_barrier, &barrier, NULL);
  tasker_test_assert_join (inner, 16, 0, 0);
  tasker_test_barrier_clear (&barrier);

  return TRUE;
}

static void
test_nested_barriers (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("outer");

  for (guint i = 0; i < 8; i++)
    tasker_group_spawn (group, NULL, run_inner_barrier, NULL, NULL);
  tasker_test_assert_join (group, 8, 0, 0);
}

static gboolean
compute_a_while (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  load_begin (user_data);
  compute (200 * 1000);
  load_end (user_data);
  return TRUE;
}

static int
count_computing_threads (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("computing");
  Load load = { 0 };

  for (guint i = 0; i < 64; i++)
    tasker_group_spawn (group, "computing", compute_a_while, &load, NULL);
  tasker_test_assert_join (group, 64, 0, 0);
  g_assert_cmpint (load.n_run, ==, 64);

  return load.max_running;
}

/* Computing is no reason for more threads. But a thread that waits for memory, or for
 * a lock of another process, is blocked as well, and the group grows rightly: on a busy
 * machine that happens. A group that grew because its tasks compute would do so in
 * each run, for they take seconds; so one quiet run of three is enough. */
static void
check_does_not_grow (int (*count) (void))
{
  int limit = MAX (4, 2 * (int) g_get_num_processors ());
  int max_running = G_MAXINT;

  if (tasker_test_get_scale () > 1)
    {
      g_test_skip ("Under a tool that has threads wait for each other");
      return;
    }

  for (guint i = 0; i < 3 && max_running > limit; i++)
    max_running = count ();

  g_assert_cmpint (max_running, <=, limit);
}

static void
test_computing_does_not_grow (void)
{
  check_does_not_grow (count_computing_threads);
}

static gboolean
compute_briefly (gpointer       user_data,
                 GCancellable  *stopper,
                 GError       **error)
{
  load_begin (user_data);
  compute (5 * 1000);
  load_end (user_data);
  return TRUE;
}

typedef struct
{
  TaskerTestBarrier barrier;
  int               n_passed;
} Passage;

static gboolean
pass (gpointer       user_data,
      GCancellable  *stopper,
      GError       **error)
{
  Passage *passage = user_data;
  gboolean passed = tasker_test_pass_barrier (&passage->barrier, stopper, error);

  g_atomic_int_inc (&passage->n_passed);

  return passed;
}

/* So many at once, and then none, nor a runner. The group is not asked, for who has
 * asked it makes the next task come another way. */
static void
run_passage (TaskerGroup *group,
             guint        n)
{
  Passage passage = { .n_passed = 0 };

  tasker_test_barrier_init (&passage.barrier, n);
  for (guint i = 0; i < n; i++)
    tasker_group_spawn (group, "passer", pass, &passage, NULL);
  tasker_test_wait_for (g_atomic_int_get (&passage.n_passed) == (int) n);
  g_usleep (50 * 1000);
  tasker_test_barrier_clear (&passage.barrier);
}

/* How many tasks that compute run at once in a group that had to grow before. */
static int
count_computing_after_growth (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("grown");
  Load load = { 0 };

  run_passage (group, 1);
  run_passage (group, 1);
  run_passage (group, 64);

  for (guint i = 0; i < 64; i++)
    tasker_group_spawn (group, "computing", compute_briefly, &load, NULL);
  tasker_test_assert_join (group, 130, 0, 0);

  return load.max_running;
}

/* What a group needed once it does not get again unless it needs it. */
static void
test_growth_forgotten (void)
{
  check_does_not_grow (count_computing_after_growth);
}

static guint
count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint n_threads = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n_threads++;

  return n_threads;
}

/* What one group needed for a moment is not kept for ever, nor added up. */
static void
test_threads_go (void)
{
  if (count_threads () == 0)
    {
      g_test_skip ("No list of threads in /proc");
      return;
    }

  for (guint i = 0; i < 3; i++)
    {
      run_barrier (FALSE, 30);
      g_assert_cmpuint (count_threads (), <, 2 * N_BARRIER + 64);
    }

  tasker_test_wait_for (count_threads () < N_BARRIER / 4);
}

static gboolean
nap_with_load (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  load_begin (user_data);
  g_usleep (200);
  load_end (user_data);
  return TRUE;
}

static void
test_many_groups (void)
{
  const guint n_groups = 1000, n_tasks = 20;
  TaskerGroup **groups = g_new (TaskerGroup *, n_groups);
  Load load = { 0 };

  for (guint i = 0; i < n_groups; i++)
    {
      groups[i] = tasker_group_new (NULL);
      for (guint j = 0; j < n_tasks; j++)
        {
          if (j % 4 == 0)
            add_full (groups[i], (int) j, nap_with_load, &load);
          else
            tasker_group_spawn (groups[i], NULL, nap_with_load, &load, NULL);
        }
    }

  for (guint i = 0; i < n_groups; i++)
    {
      tasker_test_assert_join (groups[i], n_tasks, 0, 0);
      g_object_unref (groups[i]);
    }
  g_assert_cmpint (load.n_run, ==, (int) (n_groups * n_tasks));
  g_free (groups);

  if (count_threads () > 0)
    tasker_test_wait_for (count_threads () < 64);
}

/* max-running */

static void
test_cap (void)
{
  for (guint max_running = 1; max_running <= 5; max_running++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      guint n_tasks = tasker_test_rounds (2000);
      Load load = { 0 };

      tasker_group_set_max_running (group, max_running);
      for (guint i = 0; i < n_tasks; i++)
        {
          if (i % 3 == 0)
            add_full (group, (int) (i % 5), nap_with_load, &load);
          else
            tasker_group_spawn (group, NULL, nap_with_load, &load, NULL);
        }
      tasker_test_assert_join (group, n_tasks, 0, 0);
      g_assert_cmpint (load.n_run, ==, (int) n_tasks);
      g_assert_cmpint (load.max_running, <=, (int) max_running);
    }
}

/* A load under a bound that changes. */
typedef struct
{
  Load load;
  int  max_running;
  int  n_over; /* who has begun although the bound was reached */
} BoundLoad;

static gboolean
nap_within_bound (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  BoundLoad *bound = user_data;

  load_begin (&bound->load);
  if (g_atomic_int_get (&bound->load.n_running) > g_atomic_int_get (&bound->max_running))
    g_atomic_int_inc (&bound->n_over);
  g_usleep (200);
  load_end (&bound->load);
  return TRUE;
}

static void
change_bound (TaskerGroup *group,
              BoundLoad   *bound,
              int          max_running)
{
  if (max_running > bound->max_running)
    g_atomic_int_set (&bound->max_running, max_running);
  tasker_group_set_max_running (group, (guint) max_running);
  g_atomic_int_set (&bound->max_running, max_running);
  g_assert_cmpuint (tasker_group_get_max_running (group), ==, (guint) max_running);
}

/* Changed while tasks run: a lower one holds at once. Those that have begun
 * go on, and each thread may just have been beginning one. */
static void
test_cap_changes (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  guint n_rounds = tasker_test_rounds (100);
  guint n_tasks = 0;
  int n_allowed = 0;
  BoundLoad bound = { .max_running = 1 };

  change_bound (group, &bound, 1);
  for (guint i = 0; i < n_rounds; i++)
    {
      int max_running = (int) (1 + i * 5 % 8);
      int n_run;

      while (tasker_group_get_n_tasks (group) < 1000)
        {
          tasker_group_spawn (group, NULL, nap_within_bound, &bound, NULL);
          n_tasks++;
        }

      if (max_running < bound.max_running)
        n_allowed += bound.max_running;
      change_bound (group, &bound, max_running);
      n_run = g_atomic_int_get (&bound.load.n_run);
      tasker_test_wait_for (g_atomic_int_get (&bound.load.n_run) > n_run + 50);
      g_assert_cmpint (g_atomic_int_get (&bound.n_over), <=, n_allowed);
    }

  change_bound (group, &bound, 8);
  tasker_test_assert_join (group, n_tasks, 0, 0);
}

static void
test_cap_raised (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 1);
  for (guint i = 0; i < 8; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);

  tasker_test_gate_await (&gate, 1);
  g_usleep (20 * 1000);
  g_assert_cmpuint (gate.n_waiting, ==, 1);

  /* Nothing has to end for the others to begin. */
  tasker_group_set_max_running (group, 3);
  tasker_test_gate_await (&gate, 3);
  g_usleep (20 * 1000);
  g_assert_cmpuint (gate.n_waiting, ==, 3);

  tasker_group_set_max_running (group, 0);
  tasker_test_gate_await (&gate, 8);
  tasker_test_gate_open (&gate);
  tasker_test_assert_join (group, 8, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* Far more than are ever blocked at once by default. */
static void
test_high_cap (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, 100);
  for (guint i = 0; i < 150; i++)
    tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);

  tasker_test_gate_await (&gate, 100);
  g_usleep (50 * 1000);
  g_assert_cmpuint (gate.n_waiting, ==, 100);
  tasker_test_gate_open (&gate);
  tasker_test_assert_join (group, 150, 0, 0);
  tasker_test_gate_clear (&gate);
}

/* Waiting for each other inside of one group */

#define N_LINKS 40

typedef struct
{
  Load           load;
  TaskerTestGate gate;
  TaskerTask    *tasks[N_LINKS];
} Chain;

typedef struct
{
  Chain *chain;
  guint  index;
} Link;

static gboolean
join_next (gpointer       user_data,
           GCancellable  *stopper,
           GError       **error)
{
  Link *link = user_data;
  Chain *chain = link->chain;

  load_begin (&chain->load);
  /* Until all have been added. */
  tasker_test_pass_gate (&chain->gate, stopper, NULL);
  if (link->index + 1 < N_LINKS)
    {
      /* Whoever waits does not run. */
      g_atomic_int_add (&chain->load.n_running, -1);
      g_assert_true (tasker_task_join (chain->tasks[link->index + 1], NULL, error));
      load_begin (&chain->load);
    }
  g_usleep (100);
  load_end (&chain->load);

  return TRUE;
}

/* Each task waits for the one queued behind it. */
static void
run_chain (guint max_running)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("chain");
  Chain chain = { .load = { 0 } };
  Link links[N_LINKS];

  tasker_test_gate_init (&chain.gate);
  tasker_group_set_max_running (group, max_running);
  for (guint i = 0; i < N_LINKS; i++)
    {
      links[i] = (Link) { &chain, i };
      chain.tasks[i] = tasker_task_new (NULL, join_next, &links[i], NULL);
    }
  for (guint i = 0; i < N_LINKS; i++)
    tasker_group_add (group, chain.tasks[i]);

  tasker_test_gate_await (&chain.gate, max_running);
  tasker_test_gate_open (&chain.gate);
  tasker_test_assert_join (group, N_LINKS, 0, 0);
  g_assert_cmpint (chain.load.max_running, <=, (int) max_running);

  for (guint i = 0; i < N_LINKS; i++)
    g_object_unref (chain.tasks[i]);
  tasker_test_gate_clear (&chain.gate);
}

static void
test_join_queued_sibling (void)
{
  guint n_rounds = tasker_test_rounds (20);

  for (guint i = 0; i < n_rounds; i++)
    {
      run_chain (1);
      run_chain (2);
      run_chain (3);
    }
}

typedef struct
{
  TaskerGroup *group; /* a clone */
  Load         load;
  guint        n_added;
} Adder;

static gboolean
add_through_bound (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  Adder *adder = user_data;
  g_autoptr (TaskerGroup) clone = g_steal_pointer (&adder->group);

  for (guint i = 0; i < adder->n_added; i++)
    {
      g_autoptr (TaskerTask) task = tasker_task_new (NULL, nap_with_load, &adder->load, NULL);

      if (!tasker_group_add_wait (clone, task, NULL, error))
        return FALSE;
    }

  return TRUE;
}

/* The only place is taken by the one who waits for room. */
static void
test_add_wait_inside (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("adder");
  Adder adder = { .n_added = 100 };

  adder.group = tasker_group_clone (group);
  tasker_group_set_max_running (group, 1);
  tasker_group_set_max_queued (group, 2);
  tasker_group_spawn (group, "adder", add_through_bound, &adder, NULL);
  tasker_test_assert_join (group, 101, 0, 0);
  g_assert_cmpint (adder.load.max_running, ==, 1);
}

/* Order */

typedef struct
{
  GMutex       mutex;
  GArray      *order; /* of guint */
  TaskerGroup *group; /* a clone to add to */
} Journal;

typedef struct
{
  Journal *journal;
  guint    number;
  int      priority;
} Entry;

static void
journal_init (Journal *journal)
{
  g_mutex_init (&journal->mutex);
  journal->order = g_array_new (FALSE, FALSE, sizeof (guint));
  journal->group = NULL;
}

static void
journal_clear (Journal *journal)
{
  g_array_unref (journal->order);
  g_mutex_clear (&journal->mutex);
}

static gboolean
write_entry (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  Entry *entry = user_data;

  g_mutex_lock (&entry->journal->mutex);
  g_array_append_val (entry->journal->order, entry->number);
  g_mutex_unlock (&entry->journal->mutex);

  return TRUE;
}

static int
compare_entries (gconstpointer a,
                 gconstpointer b)
{
  const Entry *first = a, *second = b;

  if (first->priority != second->priority)
    return first->priority < second->priority ? -1 : 1;

  return first->number < second->number ? -1 : 1;
}

/* Adds @n_entries tasks of the priorities that @choose gives, behind a busy
 * one, and looks at the order in which they ran. */
static void
check_order (guint n_entries,
             int (*choose) (guint number))
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("order");
  g_autofree Entry *entries = g_new (Entry, n_entries);
  TaskerTestGate gate;
  Journal journal;

  journal_init (&journal);
  tasker_test_gate_occupy (&gate, group);

  for (guint i = 0; i < n_entries; i++)
    {
      entries[i] = (Entry) { &journal, i, choose (i) };
      /* Light and full ones of one priority share one queue. */
      if (entries[i].priority == G_PRIORITY_DEFAULT && i % 2 == 0)
        tasker_group_spawn (group, NULL, write_entry, &entries[i], NULL);
      else
        add_full (group, entries[i].priority, write_entry, &entries[i]);
    }

  tasker_test_gate_open (&gate);
  tasker_test_assert_join (group, n_entries + 1, 0, 0);

  qsort (entries, n_entries, sizeof (Entry), compare_entries);
  g_assert_cmpuint (journal.order->len, ==, n_entries);
  for (guint i = 0; i < n_entries; i++)
    g_assert_cmpuint (g_array_index (journal.order, guint, i), ==, entries[i].number);

  tasker_test_gate_clear (&gate);
  journal_clear (&journal);
}

static int
choose_default (guint number)
{
  return G_PRIORITY_DEFAULT;
}

static int
choose_few (guint number)
{
  return g_test_rand_int_range (-3, 4);
}

static int
choose_other (guint number)
{
  return number % 3 == 0 ? G_PRIORITY_HIGH : G_PRIORITY_LOW;
}

static int
choose_extreme (guint number)
{
  const int priorities[] = { G_MAXINT, G_MININT, 0, -1, 1, G_MAXINT - 1, G_MININT + 1 };

  return priorities[number % G_N_ELEMENTS (priorities)];
}

static int
choose_distinct (guint number)
{
  /* 7919 is prime, so each of the 10,000 comes once. */
  return (int) (number * 7919 % 10000) - 5000;
}

static void
test_fifo (void)
{
  check_order (1000, choose_default);
}

static void
test_priorities (void)
{
  check_order (1000, choose_few);
  check_order (1000, choose_other);
  check_order (500, choose_extreme);
}

static void
test_many_priorities (void)
{
  gint64 begin = g_get_monotonic_time ();

  check_order (10000, choose_distinct);
  g_assert_cmpint (g_get_monotonic_time () - begin, <,
                   10 * G_TIME_SPAN_SECOND * tasker_test_get_scale ());
}

static gboolean
write_and_add_urgent (gpointer       user_data,
                      GCancellable  *stopper,
                      GError       **error)
{
  Entry *entry = user_data;

  write_entry (entry, stopper, error);
  /* Its number says after whom it should come. */
  add_full (entry->journal->group, G_PRIORITY_HIGH, write_entry, entry);

  return TRUE;
}

/* Added while the runner works through what it had taken before. */
static void
test_urgent_overtakes (void)
{
  const guint n_entries = 300;
  g_autoptr (TaskerGroup) group = tasker_test_group ("urgent");
  g_autofree Entry *entries = g_new (Entry, n_entries);
  TaskerTestGate gate;
  Journal journal;
  guint at = 0;

  journal_init (&journal);
  journal.group = tasker_group_clone (group);
  tasker_test_gate_occupy (&gate, group);

  for (guint i = 0; i < n_entries; i++)
    {
      entries[i] = (Entry) { &journal, i, G_PRIORITY_DEFAULT };
      tasker_group_spawn (group, NULL, i % 10 == 5 ? write_and_add_urgent : write_entry,
                          &entries[i], NULL);
    }

  tasker_test_gate_open (&gate);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 0);
  g_clear_object (&journal.group);
  tasker_test_assert_join (group, 1 + n_entries + n_entries / 10, 0, 0);

  for (guint i = 0; i < n_entries; i++)
    {
      g_assert_cmpuint (g_array_index (journal.order, guint, at++), ==, i);
      if (i % 10 == 5)
        g_assert_cmpuint (g_array_index (journal.order, guint, at++), ==, i);
    }
  tasker_test_gate_clear (&gate);
  journal_clear (&journal);
}

/* Tasks that several runners have to begin in their order. */
typedef struct
{
  TaskerGroup   *group;
  TaskerTestGate busy;
  TaskerTestGate slow;
  Journal        journal;
  Entry         *entries;
  guint          n_entries;
} Race;

static void
race_init (Race  *race,
           guint  n_entries)
{
  race->group = tasker_test_group ("race");
  race->entries = g_new (Entry, n_entries);
  race->n_entries = 0;
  journal_init (&race->journal);
  tasker_test_gate_init (&race->slow);
  tasker_test_gate_occupy (&race->busy, race->group);
}

static void
race_add (Race       *race,
          guint       n_entries,
          int         priority,
          TaskerFunc  func)
{
  for (guint i = 0; i < n_entries; i++)
    {
      Entry *entry = &race->entries[race->n_entries];

      *entry = (Entry) { &race->journal, race->n_entries++, priority };
      if (priority == G_PRIORITY_DEFAULT)
        tasker_group_spawn (race->group, NULL, func, entry, NULL);
      else
        add_full (race->group, priority, func, entry);
    }
}

/* Quick ones, so that runners take many at once, and one that stands still until
 * all others have run. */
static void
race_add_slow (Race *race)
{
  race_add (race, 5000, G_PRIORITY_DEFAULT, write_entry);
  tasker_group_spawn (race->group, "slow", tasker_test_pass_gate, &race->slow, NULL);
}

static void
race_run (Race  *race,
          guint  max_running,
          guint  n_slow)
{
  tasker_group_set_max_running (race->group, max_running);
  tasker_test_gate_open (&race->busy);
  tasker_test_wait_for (tasker_group_get_n_tasks (race->group) == n_slow);
  tasker_test_gate_open (&race->slow);
  tasker_test_assert_join (race->group, 1 + race->n_entries + n_slow, 0, 0);
  g_assert_cmpuint (race->journal.order->len, ==, race->n_entries);
}

static void
race_clear (Race *race)
{
  g_object_unref (race->group);
  g_free (race->entries);
  journal_clear (&race->journal);
  tasker_test_gate_clear (&race->busy);
  tasker_test_gate_clear (&race->slow);
}

static gboolean
write_and_nap (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  write_entry (user_data, stopper, error);
  g_usleep (1000);

  return TRUE;
}

/* Where tasks take their time, none begins long before its turn. A thread that is
 * not on a processor just then may write a few down late. */
static void
test_fifo_slow (void)
{
  const guint n_entries = 400, n_runners = 4;
  guint n_astray = 0;
  Race race;

  race_init (&race, n_entries);
  race_add (&race, n_entries, G_PRIORITY_DEFAULT, write_and_nap);
  race_run (&race, n_runners, 0);
  for (guint i = 0; i < n_entries; i++)
    if (ABS ((int) g_array_index (race.journal.order, guint, i) - (int) i) > 2 * (int) n_runners)
      n_astray++;
  g_assert_cmpuint (n_astray, <, n_entries / 10);
  race_clear (&race);
}

/* … also where quick ones came before them, of which threads take many at once. */
static void
test_fifo_slow_after_quick (void)
{
  const guint n_rounds = 8, n_quick = 20000, n_slow = 400, n_late = 64;
  guint n_astray = 0;

  for (guint round = 0; round < n_rounds; round++)
    {
      Race race;

      race_init (&race, n_quick + n_slow);
      race_add (&race, n_quick, G_PRIORITY_DEFAULT, write_entry);
      race_add (&race, n_slow, G_PRIORITY_DEFAULT, write_and_nap);
      race_run (&race, 4, 0);
      for (guint at = n_quick; at < n_quick + n_slow; at++)
        if (at > g_array_index (race.journal.order, guint, at) + n_late)
          n_astray++;
      race_clear (&race);
    }
  g_assert_cmpuint (n_astray, <, n_rounds * n_slow / 20);
}

static gboolean
compute_and_write (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  compute (20);

  return write_entry (user_data, stopper, error);
}

/* What was taken along with a slow one is overtaken for a moment only. */
static void
test_fifo_behind_slow (void)
{
  const guint n_behind = 300, n_later = 20000;

  for (guint round = 0; round < 3; round++)
    {
      guint at = 0, last = 0;
      Race race;

      race_init (&race, 5000 + n_behind + n_later);
      race_add_slow (&race);
      race_add (&race, n_behind, G_PRIORITY_DEFAULT, write_entry);
      race_add (&race, n_later, G_PRIORITY_DEFAULT, compute_and_write);
      race_run (&race, 2, 1);

      for (; at < race.journal.order->len; at++)
        if (g_array_index (race.journal.order, guint, at) < 5000 + n_behind)
          last = at;
      g_assert_cmpuint (last, <, 5000 + n_behind + n_later / 10);
      race_clear (&race);
    }
}

/* … and never by one of a lower priority; but one may just be beginning. */
static void
test_priorities_behind_slow (void)
{
  const guint n_behind = 300, n_low = 50;

  for (guint round = 0; round < 20; round++)
    {
      guint n_low_run = 0, n_overtaken = 0;
      Race race;

      race_init (&race, 5000 + n_behind + n_low);
      race_add_slow (&race);
      race_add (&race, n_behind, G_PRIORITY_DEFAULT, write_entry);
      race_add (&race, n_low, G_PRIORITY_LOW, write_entry);
      race_run (&race, 2, 1);

      for (guint at = 0; at < race.journal.order->len; at++)
        if (g_array_index (race.journal.order, guint, at) >= 5000 + n_behind)
          n_low_run++;
        else if (n_low_run > 0)
          n_overtaken++;
      g_assert_cmpuint (n_overtaken, <=, 1);
      race_clear (&race);
    }
}

/* What a runner has taken */

/* One stands still; those behind it are for the others to take. */
static void
hold_one (guint max_running,
          guint n_tasks,
          guint held)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("held");
  TaskerTestLedger *ledger = tasker_test_ledger_new (n_tasks);
  TaskerTestGate gate;

  tasker_test_gate_init (&gate);
  tasker_group_set_max_running (group, max_running);
  for (guint i = 0; i < n_tasks; i++)
    tasker_test_ledger_spawn (ledger, group, NULL,
                              i == held ? tasker_test_pass_gate : NULL, &gate);

  tasker_test_gate_await (&gate, 1);
  tasker_test_wait_for (tasker_group_get_n_tasks (group) == 1);
  tasker_test_gate_open (&gate);

  tasker_test_assert_join (group, n_tasks, 0, 0);
  tasker_test_ledger_close (ledger, n_tasks, n_tasks);
  tasker_test_gate_clear (&gate);
}

static void
test_stealing (void)
{
  guint n_rounds = tasker_test_rounds (200);

  for (guint i = 0; i < n_rounds; i++)
    {
      guint n_tasks = (guint) g_test_rand_int_range (2, 1000);

      hold_one (0, n_tasks, 0);
      hold_one (2, n_tasks, (guint) g_test_rand_int_range (0, (int) n_tasks));
    }
}

/* Puts full tasks behind a busy one, so that its runner takes some of them with it. */
#define N_TAKEN 600

typedef struct
{
  TaskerGroup      *group;
  TaskerTestLedger *ledger;
  TaskerTestGate    first;
  TaskerTestGate    second;
  TaskerTask       *tasks[N_TAKEN];
} Taken;

static void
taken_init (Taken *taken)
{
  taken->group = tasker_test_group ("taken");
  taken->ledger = tasker_test_ledger_new (N_TAKEN);
  tasker_test_gate_init (&taken->first);
  tasker_test_gate_init (&taken->second);
  tasker_group_set_max_running (taken->group, 1);
  tasker_group_spawn (taken->group, "first", tasker_test_pass_gate, &taken->first, NULL);
  tasker_test_gate_await (&taken->first, 1);

  tasker_test_spawn_quick (taken->group);
  tasker_group_spawn (taken->group, "second", tasker_test_pass_gate, &taken->second, NULL);
  for (guint i = 0; i < N_TAKEN; i++)
    {
      taken->tasks[i] = tasker_test_ledger_task (taken->ledger, "taken", NULL, NULL);
      tasker_group_add (taken->group, taken->tasks[i]);
    }

  tasker_test_gate_open (&taken->first);
  tasker_test_gate_await (&taken->second, 1);
}

static void
taken_finish (Taken *taken,
              guint  n_succeeded,
              guint  n_stopped,
              guint  n_aborted)
{
  g_autoptr (GError) error = NULL;

  tasker_test_gate_open (&taken->second);
  g_assert_true (tasker_group_join (taken->group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (taken->group, 2 + TASKER_TEST_N_QUICK + N_TAKEN, 0,
                             2 + TASKER_TEST_N_QUICK + n_succeeded, 0, n_stopped, n_aborted);
  tasker_test_ledger_close (taken->ledger, N_TAKEN, n_succeeded);

  for (guint i = 0; i < N_TAKEN; i++)
    g_object_unref (taken->tasks[i]);
  tasker_test_gate_clear (&taken->first);
  tasker_test_gate_clear (&taken->second);
  g_object_unref (taken->group);
}

/* The runner is busy, and still they end at once. */
static void
test_abort_taken (void)
{
  Taken taken;

  taken_init (&taken);
  for (guint i = 0; i < N_TAKEN; i += 2)
    {
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (tasker_task_get_state (taken.tasks[i]), ==, TASKER_TASK_STATE_QUEUED);
      g_assert_true (tasker_task_abort (taken.tasks[i]));
      g_assert_false (tasker_task_join (taken.tasks[i], NULL, &error));
      g_assert_error (error, TASKER_ERROR, TASKER_ERROR_ABORTED);
      g_assert_cmpint (tasker_task_get_state (taken.tasks[i]), ==, TASKER_TASK_STATE_ABORTED);
      g_assert_false (tasker_task_abort (taken.tasks[i]));
    }

  tasker_test_assert_counts (taken.group, 2 + TASKER_TEST_N_QUICK + N_TAKEN, 1 + N_TAKEN / 2,
                             1 + TASKER_TEST_N_QUICK, 0, 0, N_TAKEN / 2);
  g_assert_cmpuint (tasker_test_ledger_n_freed (taken.ledger), ==, N_TAKEN / 2);
  taken_finish (&taken, N_TAKEN / 2, 0, N_TAKEN / 2);
}

static void
test_cancel_taken (void)
{
  Taken taken;

  taken_init (&taken);
  for (guint i = 1; i < N_TAKEN; i += 2)
    g_cancellable_cancel (G_CANCELLABLE (taken.tasks[i]));
  taken_finish (&taken, N_TAKEN / 2, N_TAKEN / 2, 0);
}

static void
test_stop_taken (void)
{
  Taken taken;

  taken_init (&taken);
  tasker_group_stop (taken.group);
  tasker_test_wait_for (tasker_group_get_n_tasks (taken.group) == 1);
  g_assert_cmpuint (tasker_test_ledger_n_freed (taken.ledger), ==, N_TAKEN);
  taken_finish (&taken, 0, N_TAKEN, 0);
}

static void
test_abort_group_taken (void)
{
  Taken taken;

  taken_init (&taken);
  tasker_group_abort (taken.group);
  tasker_test_wait_for (tasker_group_get_n_tasks (taken.group) == 1);
  g_assert_cmpuint (tasker_test_ledger_n_freed (taken.ledger), ==, N_TAKEN);
  taken_finish (&taken, 0, 0, N_TAKEN);
}

/* Waking up */

/* A task added at any moment of a runner's going to sleep is run. */
static void
test_no_wake_up_lost (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("idle");
  guint n_rounds = tasker_test_rounds (10000);
  int number = 0;

  tasker_group_set_keep_results (group, FALSE);
  for (guint i = 0; i < n_rounds; i++)
    {
      tasker_group_spawn (group, NULL, tasker_test_raise_number, &number, NULL);
      /* So that the next comes at another moment each time. */
      for (guint j = 0; j < i % 199; j++)
        g_thread_yield ();
      tasker_test_wait_for (g_atomic_int_get (&number) == (int) i + 1);
    }
  tasker_test_assert_join (group, n_rounds, 0, 0);
}

typedef struct
{
  TaskerGroup *clone;
  guint        n_rounds;
  int         *number;
} Spawner;

static gpointer
spawner_thread (gpointer data)
{
  Spawner *spawner = data;

  for (guint i = 0; i < spawner->n_rounds; i++)
    {
      tasker_group_spawn (spawner->clone, NULL, tasker_test_raise_number, spawner->number, NULL);
      if (i % 64 == 63)
        g_usleep (100);
    }
  g_object_unref (spawner->clone);

  return NULL;
}

/* Nothing is lost between those who add and those who fall asleep. */
static void
test_many_spawners (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("spawners");
  guint n_rounds = tasker_test_rounds (50000);
  Spawner spawners[4];
  GThread *threads[4];
  int number = 0;

  for (guint i = 0; i < 4; i++)
    {
      spawners[i] = (Spawner) { tasker_group_clone (group), n_rounds, &number };
      threads[i] = g_thread_new ("spawner", spawner_thread, &spawners[i]);
    }

  tasker_test_assert_join (group, 4 * n_rounds, 0, 0);
  g_assert_cmpint (number, ==, (int) (4 * n_rounds));
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/engine/threads/barrier", test_barrier);
  tasker_test_add ("/engine/threads/barrier-under-load", test_barrier_under_load);
  tasker_test_add ("/engine/threads/nested-barriers", test_nested_barriers);
  tasker_test_add ("/engine/threads/computing-does-not-grow", test_computing_does_not_grow);
  tasker_test_add ("/engine/threads/growth-forgotten", test_growth_forgotten);
  tasker_test_add ("/engine/threads/go", test_threads_go);
  tasker_test_add ("/engine/threads/many-groups", test_many_groups);
  tasker_test_add ("/engine/max-running/never-exceeded", test_cap);
  tasker_test_add ("/engine/max-running/changes", test_cap_changes);
  tasker_test_add ("/engine/max-running/raised", test_cap_raised);
  tasker_test_add ("/engine/max-running/high", test_high_cap);
  tasker_test_add ("/engine/lending/join-queued-sibling", test_join_queued_sibling);
  tasker_test_add ("/engine/lending/add-wait-inside", test_add_wait_inside);
  tasker_test_add ("/engine/order/fifo", test_fifo);
  tasker_test_add ("/engine/order/fifo/slow", test_fifo_slow);
  tasker_test_add ("/engine/order/fifo/slow-after-quick", test_fifo_slow_after_quick);
  tasker_test_add ("/engine/order/fifo/behind-slow", test_fifo_behind_slow);
  tasker_test_add ("/engine/order/priorities", test_priorities);
  tasker_test_add ("/engine/order/priorities/behind-slow", test_priorities_behind_slow);
  tasker_test_add ("/engine/order/many-priorities", test_many_priorities);
  tasker_test_add ("/engine/order/urgent-overtakes", test_urgent_overtakes);
  tasker_test_add ("/engine/taken/stealing", test_stealing);
  tasker_test_add ("/engine/taken/abort", test_abort_taken);
  tasker_test_add ("/engine/taken/cancel", test_cancel_taken);
  tasker_test_add ("/engine/taken/stop", test_stop_taken);
  tasker_test_add ("/engine/taken/abort-group", test_abort_group_taken);
  tasker_test_add ("/engine/wake-up/none-lost", test_no_wake_up_lost);
  tasker_test_add ("/engine/wake-up/many-spawners", test_many_spawners);

  return g_test_run ();
}
