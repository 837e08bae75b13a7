/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The works of the benchmark in which a group is stopped and waited for. Each
 * checks that all its tasks have begun, and have obeyed the stop. */

#include "bench.h"

#include <pthread.h>
#include <tasker.h>

#define GRACE_MS 10000

/* How long tasks take to clean up, spread evenly, and how much of the longest a
 * shutdown of many may take. */
#define SHORTEST_US 1000
#define LONGEST_US  50000
#define ALLOWANCE   1.5

/* How often it is measured what a task takes alone. */
#define N_ALONE 5

/* How many tasks the stop alone is measured with, as in its own row. */
#define N_STOPPED 500

/* What tasks tell the thread that measures; counts are atomic. */
typedef struct
{
  guint shortest_us; /* to clean up */
  guint longest_us;
  int   n_begun;
  int   n_cleaning;
  int   n_cleaned;
} Scene;

/* The data of one of them. */
typedef struct
{
  Scene      *scene;
  guint       clean_up_us;
  TaskerTask *task; /* where it is an async one */
} Role;

/* How many tasks of each kind a group has. */
typedef struct
{
  guint threads;
  guint locals;
  guint children;
} Cast;

static guint
count_tasks (const Cast *cast)
{
  return cast->threads + cast->locals + cast->children;
}

/* Of the one with number @i of @n: the last one takes the longest. */
static guint
get_clean_up_us (const Scene *scene,
                 guint        i,
                 guint        n)
{
  return scene->longest_us - (guint) ((guint64) (scene->longest_us - scene->shortest_us) * (n - 1 - i) / n);
}

static Role *
make_role (Scene *scene,
           guint  i,
           guint  n)
{
  Role *self = g_new0 (Role, 1);

  self->scene = scene;
  self->clean_up_us = get_clean_up_us (scene, i, n);

  return self;
}

/* A task in a thread */

static gboolean
sleep_until_stopped (gpointer       user_data,
                     GCancellable  *stopper,
                     GError       **error)
{
  Role *role = user_data;
  Scene *scene = role->scene;
  gboolean slept;

  g_atomic_int_inc (&scene->n_begun);
  slept = tasker_stopper_sleep (TASKER_STOPPER (stopper), 60 * 1000, error);
  g_atomic_int_inc (&scene->n_cleaning);
  if (role->clean_up_us > 0)
    g_usleep (role->clean_up_us);
  g_atomic_int_inc (&scene->n_cleaned);

  return slept;
}

/* A task on the main loop, which has to be an async one: a step cannot sleep */

static gboolean
cleaned_up_cb (gpointer user_data)
{
  Role *role = user_data;

  g_atomic_int_inc (&role->scene->n_cleaned);
  tasker_task_complete_error (role->task,
                              g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped"));
  return G_SOURCE_REMOVE;
}

/* Called in the thread of the shutdown, to which the main loop belongs. */
static void
cancelled_cb (GCancellable *stopper,
              gpointer      user_data)
{
  Role *role = user_data;
  g_autoptr (GSource) source = g_timeout_source_new (0);

  g_atomic_int_inc (&role->scene->n_cleaning);
  g_source_set_callback (source, cleaned_up_cb, role, NULL);
  g_source_set_ready_time (source, g_get_monotonic_time () + role->clean_up_us);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static gboolean
wait_for_stopper (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  Role *role = user_data;

  role->task = TASKER_TASK (stopper);
  g_cancellable_connect (stopper, G_CALLBACK (cancelled_cb), role, NULL);
  g_atomic_int_inc (&role->scene->n_begun);
  return TRUE;
}

static void
add_local (TaskerGroup *group,
           Role        *role)
{
  g_autoptr (TaskerTask) task = tasker_task_new_async (NULL, wait_for_stopper, role, g_free);

  tasker_group_add (group, task);
}

static void
add_child (TaskerGroup *group,
           Role        *role)
{
  g_autoptr (TaskerGroup) child = tasker_group_new_child (group, NULL);

  tasker_group_spawn (child, NULL, sleep_until_stopped, role, g_free);
}

/* Returns a group whose tasks have begun. */
static TaskerGroup *
start (Scene      *scene,
       const Cast *cast)
{
  TaskerGroup *group = tasker_group_new (NULL);
  GMainContext *context = g_main_context_get_thread_default ();
  int n_before = g_atomic_int_get (&scene->n_begun);

  /* Tasks on the main loop take places, too. */
  tasker_group_set_max_running (group, cast->threads + cast->locals);
  for (guint i = 0; i < cast->threads; i++)
    tasker_group_spawn (group, NULL, sleep_until_stopped, make_role (scene, i, cast->threads), g_free);
  for (guint i = 0; i < cast->locals; i++)
    add_local (group, make_role (scene, i, cast->locals));
  for (guint i = 0; i < cast->children; i++)
    add_child (group, make_role (scene, i, cast->children));

  while ((guint) (g_atomic_int_get (&scene->n_begun) - n_before) < count_tasks (cast))
    {
      if (!g_main_context_iteration (context, FALSE))
        g_usleep (1000);
    }
  g_usleep (50 * 1000); /* the last of them falls asleep */

  return group;
}

static void
check_stopped (TaskerGroup *group,
               const Cast  *cast)
{
  guint64 n_stopped = 0;

  tasker_group_get_counts (group, NULL, NULL, NULL, NULL, &n_stopped, NULL);
  g_assert_cmpuint (n_stopped, ==, count_tasks (cast));
}

/* From stop() to joined */

static gint64
time_stop (guint n)
{
  Scene scene = { 0, };
  Cast cast = { .threads = n };
  g_autoptr (TaskerGroup) group = start (&scene, &cast);
  gint64 begin = bench_now ();
  gint64 elapsed;

  tasker_group_stop (group);
  tasker_group_join (group, NULL, NULL);
  elapsed = bench_now () - begin;

  check_stopped (group, &cast);
  return elapsed;
}

static void
stop (guint    n,
      GString *figures)
{
  bench_figure (figures, "ns", (double) time_stop (n));
}

/* A shutdown of many */

static gint64
time_shutdown (const Cast *cast)
{
  Scene scene = { .shortest_us = SHORTEST_US, .longest_us = LONGEST_US };
  g_autoptr (TaskerGroup) group = start (&scene, cast);
  g_autoptr (GError) error = NULL;
  gint64 begin = bench_now ();
  gint64 elapsed;

  tasker_group_shutdown (group, GRACE_MS, NULL, &error);
  elapsed = bench_now () - begin;

  g_assert_no_error (error);
  g_assert_cmpint (scene.n_cleaned, ==, count_tasks (cast));
  check_stopped (group, cast);
  return elapsed;
}

/* What a task needs when nothing disturbs it; alone, it takes the longest. */
static gint64
time_alone (const Cast *cast)
{
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < N_ALONE; i++)
    least = MIN (least, time_shutdown (cast));

  return least;
}

static gint64
time_slowest_alone (void)
{
  static const Cast alone[] = { { .threads = 1 }, { .locals = 1 }, { .children = 1 } };
  gint64 most = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (alone); i++)
    most = MAX (most, time_alone (&alone[i]));

  return most;
}

/* @n tasks in threads, as many on the main loop, and a tenth of that child
 * groups. */
static void
shutdown (guint    n,
          GString *figures)
{
  Cast all = { .threads = n, .locals = n, .children = n / 10 };
  double alone = (double) time_slowest_alone ();
  double stopping = (double) time_stop (N_STOPPED);

  bench_figure (figures, "ns", (double) time_shutdown (&all));
  bench_figure (figures, "alone", alone);
  bench_figure (figures, "stop", stopping);
  bench_figure (figures, "allowed", ALLOWANCE * alone + stopping);
}

/* The same clean-ups in threads without anything around them */

typedef struct
{
  Scene           scene;
  guint           n;
  pthread_mutex_t lock;
  pthread_cond_t  changed;
  guint           n_begun;
  gboolean        stopped;
} Crowd;

static void *
clean_up_thread (void *data)
{
  Crowd *self = data;
  guint index;

  pthread_mutex_lock (&self->lock);
  index = self->n_begun++;
  while (!self->stopped)
    pthread_cond_wait (&self->changed, &self->lock);
  pthread_mutex_unlock (&self->lock);
  g_usleep (get_clean_up_us (&self->scene, index, self->n));
  g_atomic_int_inc (&self->scene.n_cleaned);

  return NULL;
}

static void
crowd_wait_begun (Crowd *self)
{
  guint n_begun;

  do
    {
      g_usleep (1000);
      pthread_mutex_lock (&self->lock);
      n_begun = self->n_begun;
      pthread_mutex_unlock (&self->lock);
    }
  while (n_begun < self->n);
  g_usleep (50 * 1000);
}

static void
pthread_shutdown (guint    n,
                  GString *figures)
{
  Crowd crowd = {
    .scene = { .shortest_us = SHORTEST_US, .longest_us = LONGEST_US },
    .n = n,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
  };
  g_autofree pthread_t *threads = g_new (pthread_t, n);
  gint64 begin;

  for (guint i = 0; i < n; i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL, clean_up_thread, &crowd), ==, 0);
  crowd_wait_begun (&crowd);

  begin = bench_now ();
  pthread_mutex_lock (&crowd.lock);
  crowd.stopped = TRUE;
  pthread_cond_broadcast (&crowd.changed);
  pthread_mutex_unlock (&crowd.lock);
  for (guint i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  bench_figure (figures, "ns", (double) (bench_now () - begin));
  g_assert_cmpint (crowd.scene.n_cleaned, ==, n);
}

/* A shutdown in which nothing happens for a while */

typedef struct
{
  Scene *scene;
  Cast   cast;
} Waiter;

static gpointer
waiter_thread (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (TaskerGroup) group = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  bench_count_polls (context);
  group = start (waiter->scene, &waiter->cast);
  tasker_group_shutdown (group, GRACE_MS, NULL, &error);
  g_assert_no_error (error);
  check_stopped (group, &waiter->cast);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* The tasks of two groups clean up for @n milliseconds; the one shutdown waits
 * for threads alone, the other one for its main loop, too. The half of the time
 * in the middle counts. */
static void
shutdown_idle (guint    n,
               GString *figures)
{
  Scene scene = { .shortest_us = n * 1000, .longest_us = n * 1000 };
  Waiter waiters[] = {
    { &scene, { .threads = 2 } },
    { &scene, { .threads = 2, .locals = 2, .children = 2 } },
  };
  GThread *threads[G_N_ELEMENTS (waiters)];
  int n_tasks = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (waiters); i++)
    {
      threads[i] = g_thread_new ("waiter", waiter_thread, &waiters[i]);
      n_tasks += (int) count_tasks (&waiters[i].cast);
    }

  while (g_atomic_int_get (&scene.n_cleaning) < n_tasks)
    g_usleep (1000);
  g_usleep (n / 4 * 1000);
  bench_wake_ups (figures, n / 2);
  g_assert_cmpint (g_atomic_int_get (&scene.n_cleaned), ==, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (waiters); i++)
    g_thread_join (threads[i]);
}

const BenchWork works_shutdown[] = {
  { "stop", stop, 1 },
  { "shutdown", shutdown, 1 },
  { "pthread-shutdown", pthread_shutdown, 1 },
  { "shutdown-idle", shutdown_idle, 0 },
  { NULL, },
};
