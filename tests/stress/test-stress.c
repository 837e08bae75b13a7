/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Eight threads do at random what can be done with groups that they share,
 * and in every snapshot everything is accounted for once.
 *
 * GTest prints the seed at the beginning; --seed gives it again. */

#include "tasker-test.h"

#define N_THREADS 8
#define N_ROUNDS 50000
#define N_SLOTS 6
#define N_HELD 4
#define N_FACES 16

/* What the test itself knows of a group. */
typedef struct
{
  TaskerGroup *group; /* the first handle */
  int          n_made;
  int          n_called;
  int          n_freed;
} Record;

/* The data of one task. */
typedef struct
{
  Record      *record;
  TaskerGroup *clone; /* to spawn through, nullable */
  guint        what;
  int          n_calls;
} Data;

typedef struct
{
  Record      *record;
  TaskerGroup *handle;
} Held;

typedef struct
{
  GRand         *random;
  guint          n_rounds;
  Held           held[N_HELD];
  TaskerTask    *tasks[N_HELD];
  TaskerStopper *stoppers[N_HELD];
} Actor;

static GMutex lock;              /* of the slots */
static Record *slots[N_SLOTS];
static TaskerTask *faces[N_FACES]; /* exchanged atomically */
static int n_actors;
static int n_groups;
static int n_tasks;

static Record *
record_new (GRand *random)
{
  Record *record = g_atomic_rc_box_new0 (Record);

  g_atomic_int_inc (&n_groups);
  record->group = tasker_group_new ("shared");
  tasker_group_set_keep_results (record->group, g_rand_int_range (random, 0, 4) > 0);
  if (g_rand_boolean (random))
    tasker_group_set_max_running (record->group, (guint) g_rand_int_range (random, 1, 4));

  return record;
}

static void
record_clear (gpointer data)
{
  Record *record = data;

  g_assert_cmpint (g_atomic_int_get (&record->n_freed), ==, g_atomic_int_get (&record->n_made));
  g_clear_object (&record->group);
}

static void
record_unref (Record *record)
{
  g_atomic_rc_box_release_full (record, record_clear);
}

static void
check_snapshot (TaskerGroup *group)
{
  guint64 spawned, live, succeeded, failed, stopped, aborted;

  tasker_group_get_counts (group, &spawned, &live, &succeeded, &failed, &stopped, &aborted);
  g_assert_cmpuint (spawned, ==, live + succeeded + failed + stopped + aborted);
}

/* Tasks */

enum
{
  DO_NOTHING,
  DO_FAIL,
  DO_PANIC,
  DO_YIELD,
  DO_SLEEP,
  DO_SPAWN,
  DO_SHOW_FACE,
  DO_STOP,
  N_DOINGS,
};

static gboolean run_task  (gpointer       user_data,
                           GCancellable  *stopper,
                           GError       **error);
static void     free_data (gpointer       user_data);

static Data *
data_new (Record *record,
          guint   what)
{
  Data *data = g_new0 (Data, 1);

  data->record = g_atomic_rc_box_acquire (record);
  data->what = what;
  g_atomic_int_inc (&record->n_made);
  g_atomic_int_inc (&n_tasks);

  return data;
}

static void
free_data (gpointer user_data)
{
  Data *data = user_data;

  g_assert_cmpint (g_atomic_int_add (&data->record->n_freed, 1), <,
                   g_atomic_int_get (&data->record->n_made));
  /* Destroy notifies may use the group like anybody else. */
  if (data->clone != NULL)
    check_snapshot (data->clone);
  g_clear_object (&data->clone);
  record_unref (data->record);
  g_free (data);
}

/* Leaves the face of the running task where others find it. */
static void
show_face (Data *data)
{
  guint place = GPOINTER_TO_UINT (data) / sizeof (Data) % N_FACES;
  TaskerTask *face = tasker_task_get_current ();
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_POINTER);
  g_value_set_pointer (&value, data);
  tasker_task_set_value (face, &value);
  face = g_atomic_pointer_exchange (&faces[place], face);
  g_clear_object (&face);
}

static gboolean
run_task (gpointer       user_data,
          GCancellable  *stopper,
          GError       **error)
{
  Data *data = user_data;

  g_assert_cmpint (g_atomic_int_add (&data->n_calls, 1), ==, 0);
  g_atomic_int_inc (&data->record->n_called);

  switch (data->what)
    {
    case DO_FAIL:
      return tasker_test_fail (NULL, stopper, error);
    case DO_PANIC:
      return FALSE;
    case DO_YIELD:
      g_thread_yield ();
      break;
    case DO_SLEEP:
      return tasker_stopper_sleep (TASKER_STOPPER (stopper), 1, error);
    case DO_SPAWN:
      for (guint i = 0; i < 3; i++)
        tasker_group_spawn (data->clone, "spawned", run_task,
                            data_new (data->record, DO_NOTHING), free_data);
      break;
    case DO_SHOW_FACE:
      show_face (data);
      break;
    case DO_STOP:
      tasker_group_stop (data->clone);
      break;
    default:
      break;
    }

  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

/* Stopping is rare, or nothing else would be seen. */
static Data *
data_new_random (Actor *actor,
                 Held  *held)
{
  guint what = (guint) g_rand_int_range (actor->random, 0, N_DOINGS);
  Data *data;

  if (what == DO_STOP && g_rand_int_range (actor->random, 0, 30) > 0)
    what = DO_NOTHING;

  data = data_new (held->record, what);
  if (what == DO_SPAWN || what == DO_STOP)
    data->clone = tasker_group_clone (held->handle);

  return data;
}

/* What an actor does */

static void
release (Held *held)
{
  g_clear_object (&held->handle);
  g_clear_pointer (&held->record, record_unref);
}

/* Clones a handle that another actor may be finishing at this moment. */
static void
take_handle (Actor *actor,
             Held  *held)
{
  guint slot = (guint) g_rand_int_range (actor->random, 0, N_SLOTS);
  g_autoptr (TaskerGroup) group = NULL;

  release (held);

  g_mutex_lock (&lock);
  held->record = g_atomic_rc_box_acquire (slots[slot]);
  group = g_object_ref (held->record->group);
  g_mutex_unlock (&lock);

  held->handle = tasker_group_clone (group);
  if (tasker_group_is_finished (held->handle))
    release (held);
}

static void
spawn (Actor *actor,
       Held  *held)
{
  guint n_spawned = (guint) g_rand_int_range (actor->random, 1, 8);

  for (guint i = 0; i < n_spawned; i++)
    tasker_group_spawn (held->handle, "light", run_task,
                        data_new_random (actor, held), free_data);
}

static void
add (Actor *actor,
     Held  *held)
{
  guint place = (guint) g_rand_int_range (actor->random, 0, N_HELD);
  TaskerTask *task;

  task = tasker_task_new ("full", run_task, data_new_random (actor, held), free_data);
  tasker_task_set_priority (task, g_rand_int_range (actor->random, -2, 3));
  tasker_task_set_run_always (task, g_rand_int_range (actor->random, 0, 4) == 0);
  if (g_rand_boolean (actor->random))
    tasker_group_add (held->handle, task);
  else
    g_assert_true (tasker_group_try_add (held->handle, task, NULL));

  g_set_object (&actor->tasks[place], task);
  g_object_unref (task);
}

static void
finish (Held *held)
{
  tasker_group_finish (held->handle);
  g_assert_true (tasker_group_is_finished (held->handle));
  check_snapshot (held->handle);
  release (held);
}

static void
stop (Actor *actor,
      Held  *held)
{
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (held->handle);

  switch (g_rand_int_range (actor->random, 0, 60))
    {
    case 0:
      tasker_group_stop (held->handle);
      g_assert_true (tasker_group_is_stopped (held->handle));
      break;
    case 1:
      tasker_signaller_abort (signaller);
      g_assert_true (tasker_signaller_is_stopped (signaller));
      break;
    default:
      check_snapshot (held->handle);
      break;
    }
}

static void
poll (Actor *actor,
      Held  *held)
{
  if (g_rand_boolean (actor->random))
    {
      g_autoptr (GPtrArray) tasks = tasker_group_poll_collect (held->handle);

      for (guint i = 0; i < tasks->len; i++)
        g_assert_true (tasker_task_is_finished (g_ptr_array_index (tasks, i)));
    }
  else
    {
      g_autoptr (GError) error = NULL;
      guint n_joined = 0;

      g_assert_true (tasker_group_poll_join (held->handle, &n_joined, &error) == (error == NULL));
    }
}

/* Does something to a task in whatever state it is. */
static void
meddle (Actor      *actor,
        TaskerTask *task)
{
  gboolean was_finished = tasker_task_is_finished (task);
  g_autoptr (GCancellable) cancelled = NULL;
  g_autoptr (GError) error = NULL;

  switch (g_rand_int_range (actor->random, 0, 5))
    {
    case 0:
      if (tasker_task_abort (task))
        g_assert_false (was_finished);
      break;
    case 1:
      if (tasker_task_get_stops_alone (task))
        g_cancellable_cancel (G_CANCELLABLE (task));
      break;
    case 2:
      cancelled = g_cancellable_new ();
      g_cancellable_cancel (cancelled);
      if (!tasker_task_join (task, cancelled, &error))
        g_assert_nonnull (error);
      break;
    case 3:
      tasker_task_join (task, NULL, NULL);
      g_assert_true (tasker_task_is_finished (task));
      break;
    default:
      break;
    }

  if (was_finished)
    g_assert_true (tasker_task_is_finished (task));
}

static void
meddle_with_task (Actor *actor)
{
  guint place = (guint) g_rand_int_range (actor->random, 0, N_HELD);
  TaskerTask *task = g_steal_pointer (&actor->tasks[place]);

  if (task == NULL)
    return;

  meddle (actor, task);
  if (g_rand_boolean (actor->random))
    g_clear_object (&task);
  actor->tasks[place] = task;
}

/* Takes the face that some task has left, and drops it or puts it back. */
static void
meddle_with_face (Actor *actor)
{
  guint place = (guint) g_rand_int_range (actor->random, 0, N_FACES);
  TaskerTask *face = g_atomic_pointer_exchange (&faces[place], NULL);

  if (face == NULL)
    return;

  meddle (actor, face);
  if (g_rand_boolean (actor->random))
    face = g_atomic_pointer_exchange (&faces[place], face);
  g_clear_object (&face);
}

static void
change_stopper (Actor *actor,
                Held  *held)
{
  guint place = (guint) g_rand_int_range (actor->random, 0, N_HELD);

  g_clear_object (&actor->stoppers[place]);
  if (g_rand_boolean (actor->random))
    actor->stoppers[place] = tasker_group_create_stopper (held->handle);
}

static void
check_joined (Record *record)
{
  guint64 spawned, live, succeeded, failed, stopped, aborted;
  guint64 n_called = (guint64) g_atomic_int_get (&record->n_called);

  tasker_group_get_counts (record->group, &spawned, &live, &succeeded, &failed,
                           &stopped, &aborted);
  g_assert_cmpuint (live, ==, 0);
  g_assert_cmpuint (spawned, ==, succeeded + failed + stopped + aborted);
  g_assert_cmpuint (spawned, ==, (guint64) g_atomic_int_get (&record->n_made));
  g_assert_cmpuint (spawned, ==, (guint64) g_atomic_int_get (&record->n_freed));
  g_assert_cmpuint (n_called, >=, succeeded + failed);
  g_assert_cmpuint (n_called, <=, spawned);
}

static void
join (GRand  *random,
      Record *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tasks = NULL;

  switch (g_rand_int_range (random, 0, 4))
    {
    case 0:
      tasker_group_stop (record->group);
      break;
    case 1:
      tasker_group_abort (record->group);
      break;
    default:
      break;
    }

  if (g_rand_boolean (random))
    tasks = tasker_group_collect (record->group, NULL, &error);
  else if (!tasker_group_join (record->group, NULL, &error))
    g_assert_nonnull (error);

  check_joined (record);
  record_unref (record);
}

/* Puts a new group in the place of a shared one and joins that. Who joins
 * holds no handle, or two could wait for each other. */
static void
replace_group (Actor *actor)
{
  guint slot = (guint) g_rand_int_range (actor->random, 0, N_SLOTS);
  Record *record = record_new (actor->random);

  for (guint i = 0; i < N_HELD; i++)
    release (&actor->held[i]);

  g_mutex_lock (&lock);
  record = g_atomic_pointer_exchange (&slots[slot], record);
  g_mutex_unlock (&lock);

  join (actor->random, record);
}

static void
act (Actor *actor)
{
  Held *held = &actor->held[g_rand_int_range (actor->random, 0, N_HELD)];
  guint what = (guint) g_rand_int_range (actor->random, 0, 100);

  if (what < 1)
    replace_group (actor);
  else if (what < 15)
    meddle_with_task (actor);
  else if (what < 25)
    meddle_with_face (actor);
  else if (held->handle == NULL || what < 35)
    take_handle (actor, held);
  else if (what < 55)
    spawn (actor, held);
  else if (what < 70)
    add (actor, held);
  else if (what < 75)
    finish (held);
  else if (what < 80)
    release (held);
  else if (what < 85)
    poll (actor, held);
  else if (what < 90)
    change_stopper (actor, held);
  else
    stop (actor, held);
}

static gpointer
actor_thread (gpointer data)
{
  Actor *actor = data;

  for (guint i = 0; i < actor->n_rounds; i++)
    act (actor);

  for (guint i = 0; i < N_HELD; i++)
    {
      release (&actor->held[i]);
      g_clear_object (&actor->tasks[i]);
      g_clear_object (&actor->stoppers[i]);
    }
  g_atomic_int_add (&n_actors, -1);

  return NULL;
}

/* Takes snapshots as long as anybody acts. */
static void
watch_slots (void)
{
  for (guint i = 0; g_atomic_int_get (&n_actors) > 0; i++)
    {
      g_autoptr (TaskerGroup) group = NULL;

      g_mutex_lock (&lock);
      group = g_object_ref (slots[i % N_SLOTS]->group);
      g_mutex_unlock (&lock);

      check_snapshot (group);
      if (i % 16 == 0)
        {
          g_autofree char *dump = tasker_group_dump (group);

          g_assert_nonnull (dump);
        }
      g_usleep (50);
    }
}

static void
test_stress (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32) g_test_rand_int ());
  Actor actors[N_THREADS] = { { 0 } };
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_SLOTS; i++)
    slots[i] = record_new (random);

  n_actors = N_THREADS;
  for (guint i = 0; i < N_THREADS; i++)
    {
      actors[i].random = g_rand_new_with_seed (g_rand_int (random));
      actors[i].n_rounds = tasker_test_rounds (N_ROUNDS);
      threads[i] = g_thread_new ("actor", actor_thread, &actors[i]);
    }

  watch_slots ();
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (actors[i].random);
    }

  for (guint i = 0; i < N_SLOTS; i++)
    join (random, g_steal_pointer (&slots[i]));
  for (guint i = 0; i < N_FACES; i++)
    g_clear_object (&faces[i]);

  g_test_message ("%d tasks in %d groups", n_tasks, n_groups);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/stress/shared-groups", test_stress);

  return g_test_run ();
}
