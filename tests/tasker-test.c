/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the test programs share, see tasker-test.h. */

#include "tasker-test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCHDOG_S 120
#define WAIT_S 60

/* Of so many tasks each has a line in a dump. */
#define MAX_DUMPED 100

typedef struct
{
  TaskerTestLedger *ledger;
  TaskerFunc        func;
  gpointer          user_data;
  int               n_called;
  int               n_running;
  int               n_freed;
} Entry;

struct _TaskerTestLedger
{
  guint capacity;
  guint n_made;
  guint n_called;
  guint n_freed;
  Entry entries[];
};

/* All under the mutex. The deadline is 0 between tests. */
static GMutex watchdog_mutex;
static GCond watchdog_cond;
static gint64 watchdog_deadline;
static const char *watchdog_path;
static GPtrArray *watched;

/* The watchdog */

static void
dump_watched (void)
{
  guint i;

  for (i = 0; i < watched->len; i++)
    {
      g_autoptr (TaskerGroup) group = g_weak_ref_get (g_ptr_array_index (watched, i));
      g_autofree char *dump = NULL;

      if (group == NULL)
        continue;

      dump = tasker_group_dump (group);
      fprintf (stderr, "%s\n", dump);
    }
}

static gpointer
watchdog_main (gpointer user_data)
{
  g_mutex_lock (&watchdog_mutex);
  while (watchdog_deadline == 0 || g_get_monotonic_time () < watchdog_deadline)
    {
      if (watchdog_deadline == 0)
        g_cond_wait (&watchdog_cond, &watchdog_mutex);
      else
        g_cond_wait_until (&watchdog_cond, &watchdog_mutex, watchdog_deadline);
    }

  fprintf (stderr, "%s hangs\n", watchdog_path);
  dump_watched ();
  abort ();
}

static void
watchdog_set (const char *path,
              gint64      deadline)
{
  g_mutex_lock (&watchdog_mutex);
  watchdog_path = path;
  watchdog_deadline = deadline;
  g_ptr_array_set_size (watched, 0);
  g_cond_signal (&watchdog_cond);
  g_mutex_unlock (&watchdog_mutex);
}

static void
weak_ref_free (gpointer data)
{
  GWeakRef *ref = data;

  g_weak_ref_clear (ref);
  g_free (ref);
}

/* How many objects there are whose type is one of ours, if GLib counts them: see
 * "tests/run --instances". */
static guint
count_instances (GType type)
{
  g_autofree GType *children = g_type_children (type, NULL);
  guint n_instances = 0;

  if (g_str_has_prefix (g_type_name (type), "Tasker"))
    n_instances = (guint) g_type_get_instance_count (type);
  for (const GType *child = children; *child != 0; child++)
    n_instances += count_instances (*child);

  return n_instances;
}

static void
run_test (gconstpointer func)
{
  gint64 limit = G_TIME_SPAN_SECOND * WATCHDOG_S * tasker_test_get_scale ();
  guint n_before = count_instances (G_TYPE_OBJECT);

  watchdog_set (g_test_get_path (), g_get_monotonic_time () + limit);
  ((void (*) (void)) func) ();
  /* A thread may still be about to let go of some. */
  tasker_test_wait_for (count_instances (G_TYPE_OBJECT) <= n_before);
  watchdog_set (NULL, 0);
}

void
tasker_test_init (int    *argc,
                  char ***argv)
{
  /* The tests match messages, which are in English without a locale. */
  g_setenv ("LC_ALL", "C", TRUE);
  g_test_init (argc, argv, NULL);

  if (g_getenv ("TASKER_TEST_INSTANCES") != NULL)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);

      g_assert_cmpuint (count_instances (G_TYPE_OBJECT), >, 0);
    }

  watched = g_ptr_array_new_with_free_func (weak_ref_free);
  g_thread_unref (g_thread_new ("watchdog", watchdog_main, NULL));
}

void
tasker_test_add (const char *path,
                 void      (*func) (void))
{
  g_test_add_data_func (path, (gconstpointer) func, run_test);
}

static void
check_at_end (gpointer  user_data,
              GObject  *group)
{
  tasker_test_assert_equation (TASKER_GROUP (group));
}

TaskerGroup *
tasker_test_group (const char *name)
{
  TaskerGroup *group = tasker_group_new (name);

  tasker_test_watch (group);
  g_object_weak_ref (G_OBJECT (group), check_at_end, NULL);

  return group;
}

void
tasker_test_watch (TaskerGroup *group)
{
  GWeakRef *ref;

  /* A program that plays a scenario has no watchdog. */
  if (watched == NULL)
    return;

  ref = g_new (GWeakRef, 1);
  g_weak_ref_init (ref, group);
  g_mutex_lock (&watchdog_mutex);
  g_ptr_array_add (watched, ref);
  g_mutex_unlock (&watchdog_mutex);
}

/* The environment */

guint
tasker_test_get_scale (void)
{
  const char *text = g_getenv ("TASKER_TEST_SCALE");
  guint64 scale = text != NULL ? g_ascii_strtoull (text, NULL, 10) : 1;

  return (guint) CLAMP (scale, 1, 1000);
}

guint
tasker_test_rounds (guint n_rounds)
{
  return MAX (n_rounds / tasker_test_get_scale (), 1);
}

gsize
tasker_test_get_rss (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;

  if (tasker_test_get_scale () > 1 ||
      !g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return 0;

  fields = g_strsplit (text, " ", 3);
  if (g_strv_length (fields) < 2)
    return 0;

  return g_ascii_strtoull (fields[1], NULL, 10) * (gsize) sysconf (_SC_PAGESIZE);
}

gboolean
tasker_test_is_alive (GWeakRef *ref)
{
  g_autoptr (GObject) object = g_weak_ref_get (ref);

  return object != NULL;
}

static gboolean
tells_of_lost_gtask (const char *message)
{
  return strstr (message, "finalized without ever returning") != NULL;
}

static void
log_unless_lost_gtask (const char     *domain,
                       GLogLevelFlags  level,
                       const char     *message,
                       gpointer        user_data)
{
  if (!tells_of_lost_gtask (message))
    g_log_default_handler (domain, level, message, NULL);
}

static gboolean
is_fatal (const char     *domain,
          GLogLevelFlags  level,
          const char     *message,
          gpointer        user_data)
{
  return !tells_of_lost_gtask (message);
}

void
tasker_test_lose_gtasks (void)
{
  g_log_set_handler ("GLib-GIO", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL, log_unless_lost_gtask, NULL);
  g_test_log_set_fatal_handler (is_fatal, NULL);
}

/* What is live is counted by what was added and what has ended, so there the
 * equation holds by itself. A dump has that number, and what was found to be live
 * in the same moment, each on a line. */
static void
check_live (TaskerGroup *group)
{
  g_autofree char *dump = tasker_group_dump (group);
  g_auto (GStrv) lines = g_strsplit (dump, "\n", -1);
  guint64 n_live = g_ascii_strtoull (g_strchug (lines[1]), NULL, 10);
  guint n_found = 0;

  if (n_live > MAX_DUMPED)
    return;

  while (lines[2 + n_found][0] != '\0' && !g_str_has_prefix (lines[2 + n_found], "  Group “"))
    n_found++;
  if (n_found != n_live)
    g_error ("%u live tasks found in:\n%s", n_found, dump);
}

char *
tasker_test_counts (TaskerGroup *group)
{
  guint64 spawned, live, succeeded, failed, stopped, aborted;

  check_live (group);
  tasker_group_get_counts (group, &spawned, &live, &succeeded, &failed, &stopped, &aborted);
  g_assert_cmpuint (spawned, ==, live + succeeded + failed + stopped + aborted);

  return g_strdup_printf ("%" G_GUINT64_FORMAT " = %" G_GUINT64_FORMAT " live"
                          " + %" G_GUINT64_FORMAT " succeeded"
                          " + %" G_GUINT64_FORMAT " failed"
                          " + %" G_GUINT64_FORMAT " stopped"
                          " + %" G_GUINT64_FORMAT " aborted",
                          spawned, live, succeeded, failed, stopped, aborted);
}

/* Waiting */

gint64
tasker_test_deadline (void)
{
  return g_get_monotonic_time () + G_TIME_SPAN_SECOND * WAIT_S * tasker_test_get_scale ();
}

void
tasker_test_nap (gint64      deadline,
                 const char *where,
                 const char *what)
{
  if (g_get_monotonic_time () > deadline)
    {
      g_mutex_lock (&watchdog_mutex);
      dump_watched ();
      g_mutex_unlock (&watchdog_mutex);
      g_error ("%s: waited %d s in vain for: %s", where, WAIT_S, what);
    }

  g_usleep (200);
}

void
tasker_test_iterate (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (g_main_context_iteration (context, FALSE))
    ;
}

void
tasker_test_come_to_rest (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  do
    tasker_test_iterate ();
  while (g_main_context_iteration (context, FALSE));
}

/* A GAsyncReadyCallback that keeps the result at a location of the caller's,
 * who frees it. */
void
tasker_test_keep (GObject      *source,
                  GAsyncResult *result,
                  gpointer      location)
{
  GAsyncResult **kept = location;

  g_assert_null (*kept);
  *kept = g_object_ref (result);
}

/* Shadows */

static void
on_items_changed (GListModel *model,
                  guint       position,
                  guint       n_removed,
                  guint       n_added,
                  gpointer    user_data)
{
  TaskerTestShadow *shadow = user_data;

  shadow->n_changes++;
  if (n_removed > 0)
    shadow->n_removals++;
  g_assert_cmpuint (n_removed + n_added, >, 0);
  g_assert_cmpuint (position + n_removed, <=, shadow->items->len);
  if (n_removed > 0)
    g_ptr_array_remove_range (shadow->items, position, n_removed);
  g_assert_cmpuint (position, <=, shadow->items->len);
  for (guint i = 0; i < n_added; i++)
    {
      gpointer item = g_list_model_get_item (model, position + i);

      g_assert_nonnull (item);
      g_ptr_array_insert (shadow->items, (int) (position + i), item);
    }
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, shadow->items->len);

  if (shadow->changed != NULL)
    shadow->changed (shadow->user_data);
}

void
tasker_test_shadow_init (TaskerTestShadow *shadow,
                         GListModel       *model)
{
  *shadow = (TaskerTestShadow) { .model = g_object_ref (model) };
  shadow->items = g_ptr_array_new_with_free_func (g_object_unref);
  shadow->handler = g_signal_connect (model, "items-changed", G_CALLBACK (on_items_changed), shadow);
  for (guint i = 0; i < g_list_model_get_n_items (model); i++)
    g_ptr_array_add (shadow->items, g_list_model_get_item (model, i));
}

/* Whether the whole copy is as the model is. */
void
tasker_test_shadow_check (TaskerTestShadow *shadow)
{
  g_assert_cmpuint (g_list_model_get_n_items (shadow->model), ==, shadow->items->len);
  for (guint i = 0; i < shadow->items->len; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (shadow->model, i);

      g_assert_true (item == shadow->items->pdata[i]);
    }
  g_assert_null (g_list_model_get_item (shadow->model, shadow->items->len));
}

void
tasker_test_shadow_clear (TaskerTestShadow *shadow)
{
  g_signal_handler_disconnect (shadow->model, shadow->handler);
  g_ptr_array_unref (shadow->items);
  g_object_unref (shadow->model);
}

/* Gates */

void
tasker_test_gate_init (TaskerTestGate *gate)
{
  g_mutex_init (&gate->mutex);
  g_cond_init (&gate->cond);
  gate->n_waiting = 0;
  gate->is_open = FALSE;
}

void
tasker_test_gate_clear (TaskerTestGate *gate)
{
  g_assert_cmpuint (gate->n_waiting, ==, 0);
  g_mutex_clear (&gate->mutex);
  g_cond_clear (&gate->cond);
}

void
tasker_test_gate_open (TaskerTestGate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

/* Waits until so many wait before the gate. */
void
tasker_test_gate_await (TaskerTestGate *gate,
                        guint           n_waiting)
{
  gint64 deadline = tasker_test_deadline ();

  g_mutex_lock (&gate->mutex);
  while (gate->n_waiting < n_waiting)
    {
      if (!g_cond_wait_until (&gate->cond, &gate->mutex, deadline))
        g_error ("%u came to the gate, not %u", gate->n_waiting, n_waiting);
    }
  g_mutex_unlock (&gate->mutex);
}

/* Initialises the gate. */
void
tasker_test_gate_occupy (TaskerTestGate *gate,
                         TaskerGroup    *group)
{
  tasker_test_gate_init (gate);
  tasker_group_set_max_running (group, 1);
  tasker_group_spawn (group, "busy", tasker_test_pass_gate, gate, NULL);
  tasker_test_gate_await (gate, 1);
}

/* Barriers */

void
tasker_test_barrier_init (TaskerTestBarrier *barrier,
                          guint              n_missing)
{
  g_mutex_init (&barrier->mutex);
  g_cond_init (&barrier->cond);
  barrier->n_missing = n_missing;
}

void
tasker_test_barrier_clear (TaskerTestBarrier *barrier)
{
  g_assert_cmpuint (barrier->n_missing, ==, 0);
  g_mutex_clear (&barrier->mutex);
  g_cond_clear (&barrier->cond);
}

/* Functions for tasks */

/* Waits until the gate is open, stopped or not, and succeeds. */
gboolean
tasker_test_pass_gate (gpointer       user_data,
                       GCancellable  *stopper,
                       GError       **error)
{
  TaskerTestGate *gate = user_data;

  g_mutex_lock (&gate->mutex);
  gate->n_waiting++;
  g_cond_broadcast (&gate->cond);
  while (!gate->is_open)
    g_cond_wait (&gate->cond, &gate->mutex);
  gate->n_waiting--;
  g_mutex_unlock (&gate->mutex);

  return TRUE;
}

/* Succeeds when all have come that the barrier was made for. */
gboolean
tasker_test_pass_barrier (gpointer       user_data,
                          GCancellable  *stopper,
                          GError       **error)
{
  TaskerTestBarrier *barrier = user_data;

  g_mutex_lock (&barrier->mutex);
  if (--barrier->n_missing == 0)
    g_cond_broadcast (&barrier->cond);
  while (barrier->n_missing > 0)
    g_cond_wait (&barrier->cond, &barrier->mutex);
  g_mutex_unlock (&barrier->mutex);

  return TRUE;
}

gboolean
tasker_test_wait_stopped (gpointer       user_data,
                          GCancellable  *stopper,
                          GError       **error)
{
  tasker_stopper_wait (TASKER_STOPPER (stopper));

  return !g_cancellable_set_error_if_cancelled (stopper, error);
}

gboolean
tasker_test_succeed (gpointer       user_data,
                     GCancellable  *stopper,
                     GError       **error)
{
  return TRUE;
}

gboolean
tasker_test_raise_number (gpointer       user_data,
                          GCancellable  *stopper,
                          GError       **error)
{
  g_atomic_int_inc ((int *) user_data);
  return TRUE;
}

gboolean
tasker_test_fail (gpointer       user_data,
                  GCancellable  *stopper,
                  GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the disk is full");
  return FALSE;
}

void
tasker_test_spawn_quick (TaskerGroup *group)
{
  for (guint i = 0; i < TASKER_TEST_N_QUICK; i++)
    tasker_group_spawn (group, "quick", tasker_test_succeed, NULL, NULL);
}

/* Fails without an error. */
gboolean
tasker_test_panic (gpointer       user_data,
                   GCancellable  *stopper,
                   GError       **error)
{
  return FALSE;
}

/* Ledgers */

TaskerTestLedger *
tasker_test_ledger_new (guint capacity)
{
  TaskerTestLedger *ledger;

  ledger = g_malloc0 (sizeof (TaskerTestLedger) + capacity * sizeof (Entry));
  ledger->capacity = capacity;
  return ledger;
}

/* An entry calls @func, if any, when it is run, and succeeds without. */
gpointer
tasker_test_ledger_entry (TaskerTestLedger *ledger,
                          TaskerFunc        func,
                          gpointer          user_data)
{
  guint index = g_atomic_int_add (&ledger->n_made, 1);
  Entry *entry = &ledger->entries[index];

  g_assert_cmpuint (index, <, ledger->capacity);
  entry->ledger = ledger;
  entry->func = func;
  entry->user_data = user_data;
  return entry;
}

void
tasker_test_ledger_spawn (TaskerTestLedger *ledger,
                          TaskerGroup      *group,
                          const char       *name,
                          TaskerFunc        func,
                          gpointer          user_data)
{
  tasker_group_spawn (group, name, tasker_test_entry_run,
                      tasker_test_ledger_entry (ledger, func, user_data),
                      tasker_test_entry_free);
}

TaskerTask *
tasker_test_ledger_task (TaskerTestLedger *ledger,
                         const char       *name,
                         TaskerFunc        func,
                         gpointer          user_data)
{
  return tasker_task_new (name, tasker_test_entry_run,
                          tasker_test_ledger_entry (ledger, func, user_data),
                          tasker_test_entry_free);
}

guint
tasker_test_ledger_n_called (TaskerTestLedger *ledger)
{
  return g_atomic_int_get (&ledger->n_called);
}

guint
tasker_test_ledger_n_freed (TaskerTestLedger *ledger)
{
  return g_atomic_int_get (&ledger->n_freed);
}

/* Frees the ledger after checking that @n_made entries were handed out, each
 * destroyed exactly once, and @n_called of them called, none twice. */
void
tasker_test_ledger_close (TaskerTestLedger *ledger,
                          guint             n_made,
                          guint             n_called)
{
  guint i;

  g_assert_cmpuint (g_atomic_int_get (&ledger->n_made), ==, n_made);
  g_assert_cmpuint (g_atomic_int_get (&ledger->n_freed), ==, n_made);
  g_assert_cmpuint (g_atomic_int_get (&ledger->n_called), ==, n_called);

  for (i = 0; i < n_made; i++)
    {
      g_assert_cmpint (g_atomic_int_get (&ledger->entries[i].n_freed), ==, 1);
      g_assert_cmpint (g_atomic_int_get (&ledger->entries[i].n_called), <=, 1);
    }

  g_free (ledger);
}

/* A TaskerFunc whose data is an entry. */
gboolean
tasker_test_entry_run (gpointer       user_data,
                       GCancellable  *stopper,
                       GError       **error)
{
  Entry *entry = user_data;
  gboolean success = TRUE;

  g_assert_cmpint (g_atomic_int_get (&entry->n_freed), ==, 0);
  g_atomic_int_inc (&entry->n_called);
  g_atomic_int_inc (&entry->n_running);
  g_atomic_int_inc (&entry->ledger->n_called);
  if (entry->func != NULL)
    success = entry->func (entry->user_data, stopper, error);
  g_atomic_int_add (&entry->n_running, -1);

  return success;
}

/* The GDestroyNotify of an entry. */
void
tasker_test_entry_free (gpointer data)
{
  Entry *entry = data;

  g_assert_cmpint (g_atomic_int_get (&entry->n_running), ==, 0);
  g_assert_cmpint (g_atomic_int_add (&entry->n_freed, 1), ==, 0);
  g_atomic_int_inc (&entry->ledger->n_freed);
}
