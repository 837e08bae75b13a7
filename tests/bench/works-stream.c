/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results from two threads, in a list model on the main loop that a view looks
 * at: the join stream of a group, and a GListStore that is filled by idles. */

#include "bench.h"

#include <tasker.h>

#define N_THREADS 2
#define N_VISIBLE 20

/* Shows the last rows of a model, as a view does that scrolls along: it holds
 * those that are to be seen, and looks at no others. */
typedef struct
{
  GPtrArray *rows;
  guint      n_items;
  guint      n_looked; /* at how many rows */
} View;

static void
view_on_items_changed (GListModel *model,
                       guint       position,
                       guint       n_removed,
                       guint       n_added,
                       gpointer    user_data)
{
  View *view = user_data;
  guint first;

  g_assert_cmpuint (position, ==, view->n_items);
  g_assert_cmpuint (n_removed, ==, 0);
  view->n_items += n_added;
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, view->n_items);

  /* The ones that were to be seen move up, the first of them out of sight. */
  if (view->rows->len + n_added > N_VISIBLE)
    g_ptr_array_remove_range (view->rows, 0,
                              MIN (view->rows->len, view->rows->len + n_added - N_VISIBLE));

  first = MAX (position, view->n_items - MIN (view->n_items, N_VISIBLE));
  for (guint i = first; i < view->n_items; i++)
    g_ptr_array_add (view->rows, g_list_model_get_item (model, i));
  view->n_looked += view->n_items - first;
}

static void
view_init (View       *view,
           GListModel *model)
{
  *view = (View) { .rows = g_ptr_array_new_with_free_func (g_object_unref) };
  g_signal_connect (model, "items-changed", G_CALLBACK (view_on_items_changed), view);
}

static void
view_clear (View       *view,
            GListModel *model)
{
  g_signal_handlers_disconnect_by_data (model, view);
  g_ptr_array_unref (view->rows);
}

/* The time from poll to poll is what an iteration keeps everybody waiting. */
static gint64 poll_end;
static gint64 longest_iteration;

static int
timing_poll (GPollFD *fds,
             guint    n_fds,
             int      timeout)
{
  int result;

  if (poll_end != 0)
    longest_iteration = MAX (longest_iteration, bench_now () - poll_end);
  result = g_poll (fds, n_fds, timeout);
  poll_end = bench_now ();

  return result;
}

static void
iterate_until (GListModel *model,
               guint       n)
{
  poll_end = 0;
  longest_iteration = 0;
  g_main_context_set_poll_func (NULL, timing_poll);
  while (g_list_model_get_n_items (model) < n)
    g_main_context_iteration (NULL, TRUE);
  g_main_context_set_poll_func (NULL, NULL);
}

/* How many tasks have been made as objects. */
static int n_objects; /* atomic */
static void (*task_constructed) (GObject *object);

static void
count_constructed (GObject *object)
{
  g_atomic_int_inc (&n_objects);
  task_constructed (object);
}

static void
count_objects (void)
{
  GObjectClass *klass = g_type_class_ref (TASKER_TYPE_TASK);

  if (klass->constructed != count_constructed)
    {
      task_constructed = klass->constructed;
      klass->constructed = count_constructed;
    }
  n_objects = 0;
}

/* Half of the results from each thread. */
typedef struct
{
  gpointer target; /* what the results come through */
  guint    n;
} Producer;

/* Ours: the threads are those of two tasks, which spawn the others. */

static gboolean
no_op (gpointer       user_data,
       GCancellable  *stopper,
       GError       **error)
{
  return TRUE;
}

static gboolean
spawn_others (gpointer       user_data,
              GCancellable  *stopper,
              GError       **error)
{
  Producer *producer = user_data;

  for (guint i = 1; i < producer->n; i++)
    tasker_group_spawn (producer->target, NULL, no_op, NULL, NULL);

  return TRUE;
}

static void
stream (guint    n,
        GString *figures)
{
  g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerJoinStream) results = tasker_group_join_stream (group);
  Producer producers[N_THREADS] = { { clone, n / 2 }, { clone, n - n / 2 } };
  GListModel *model = G_LIST_MODEL (results);
  View view;
  gint64 start;

  count_objects ();
  tasker_group_set_max_running (group, N_THREADS);
  view_init (&view, model);

  start = bench_now ();
  for (guint i = 0; i < N_THREADS; i++)
    tasker_group_spawn (clone, NULL, spawn_others, &producers[i], NULL);
  iterate_until (model, n);

  bench_per_piece (figures, bench_now () - start, n);
  bench_figure (figures, "iteration", (double) longest_iteration / 1e6);
  bench_figure (figures, "objects", n_objects - (double) view.n_looked);
  view_clear (&view, model);
}

/* The peer: an object for each result, which an idle appends. */

typedef struct
{
  GListStore *store;
  GObject    *object;
} Append;

static gboolean
append_in_idle (gpointer data)
{
  Append *append = data;

  g_list_store_append (append->store, append->object);
  g_object_unref (append->object);
  g_free (append);

  return G_SOURCE_REMOVE;
}

static gpointer
idle_thread (gpointer data)
{
  Producer *producer = data;

  for (guint i = 0; i < producer->n; i++)
    {
      Append *append = g_new (Append, 1);

      append->store = producer->target;
      append->object = g_object_new (G_TYPE_OBJECT, NULL);
      g_idle_add (append_in_idle, append);
    }

  return NULL;
}

static void
idles (guint    n,
       GString *figures)
{
  g_autoptr (GListStore) store = g_list_store_new (G_TYPE_OBJECT);
  GListModel *model = G_LIST_MODEL (store);
  Producer producers[N_THREADS] = { { store, n / 2 }, { store, n - n / 2 } };
  GThread *threads[N_THREADS];
  View view;
  gint64 start;

  view_init (&view, model);

  start = bench_now ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("producer", idle_thread, &producers[i]);
  iterate_until (model, n);

  bench_per_piece (figures, bench_now () - start, n);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  view_clear (&view, model);
}

const BenchWork works_stream[] = {
  { "stream", stream, 1 },
  { "glib-idles", idles, 0.1 },
  { NULL, },
};
