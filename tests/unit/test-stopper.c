/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TaskerStopper: where it is dispensed, what cancels it, sleeping and waiting
 * on it, and that it is a GCancellable like any other. */

#include "tasker-test.h"

#include <sys/socket.h>
#include <unistd.h>

#define expect_critical(pattern) \
  g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, pattern)

/* Longer than any test may take: who sleeps so long was woken or hangs. */
#define FOR_EVER_MS (10 * 60 * 1000)

/* What a call that should end early may take on a busy machine. */
#define EARLY_US (20 * G_TIME_SPAN_SECOND)

static gpointer
stop_thread (gpointer data)
{
  tasker_group_stop (data);
  return NULL;
}

static gpointer
stop_soon_thread (gpointer data)
{
  g_usleep (30 * 1000);
  tasker_group_stop (data);
  return NULL;
}

static gpointer
cancel_soon_thread (gpointer data)
{
  g_usleep (30 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
count_cancelled (GCancellable *cancellable,
                 gpointer      data)
{
  g_atomic_int_inc ((int *) data);
}

/* Iterates until the callback has been called. */
static GAsyncResult *
wait_for_result (GAsyncResult **where)
{
  tasker_test_iterate_until (*where != NULL);

  return g_steal_pointer (where);
}

/* Where stoppers come from, and what cancels them */

static void
test_create (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("create");
  g_autoptr (TaskerStopper) before = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) after = NULL;
  g_autoptr (TaskerStopper) after_abort = NULL;

  g_assert_true (TASKER_IS_STOPPER (before));
  g_assert_true (G_IS_CANCELLABLE (before));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (before)));

  g_assert_true (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (before)));

  after = tasker_group_create_stopper (group);
  g_assert_true (after != before);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (after)));

  g_assert_true (tasker_group_abort (group));
  after_abort = tasker_group_create_stopper (group);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (after_abort)));

  tasker_test_assert_equation (group);
}

static void
test_abort_cancels (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);

  g_assert_true (tasker_group_abort (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  tasker_test_assert_equation (group);
}

static void
test_from_clone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) clone = tasker_group_clone (group);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (clone);
  g_autoptr (TaskerStopper) late = NULL;

  /* A finished handle still stops and watches, so it still dispenses. */
  tasker_group_finish (clone);
  late = tasker_group_create_stopper (clone);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (late)));

  tasker_group_stop (group);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (late)));
  tasker_test_assert_equation (group);
}

static void
test_cancelled_alone (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) first = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) second = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;
  int n_first = 0, n_second = 0;

  g_signal_connect (first, "cancelled", G_CALLBACK (count_cancelled), &n_first);
  g_signal_connect (second, "cancelled", G_CALLBACK (count_cancelled), &n_second);

  g_cancellable_cancel (G_CANCELLABLE (first));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (first)));
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (second)));
  g_assert_false (tasker_group_is_stopped (group));

  /* The tasks of the group do not hear of it. */
  tasker_group_spawn (group, "unmoved", tasker_test_succeed, NULL, NULL);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 1, 0, 1, 0, 0, 0);

  g_assert_true (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (second)));
  g_assert_cmpint (n_first, ==, 1);
  g_assert_cmpint (n_second, ==, 1);
}

static void
test_stop_once (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  int n_cancelled = 0;

  g_signal_connect (stopper, "cancelled", G_CALLBACK (count_cancelled), &n_cancelled);

  g_assert_true (tasker_group_stop (group));
  g_assert_false (tasker_group_stop (group));
  g_assert_true (tasker_group_abort (group));
  g_assert_false (tasker_group_abort (group));
  g_assert_false (tasker_group_stop (group));

  g_assert_cmpint (n_cancelled, ==, 1);
  tasker_test_assert_equation (group);
}

typedef struct
{
  TaskerGroup *group;
  TaskerStopper *other;
  int n_called;
} Reentrant;

static void
use_group (GCancellable *cancellable,
           gpointer      data)
{
  Reentrant *reentrant = data;
  g_autoptr (TaskerStopper) born = NULL;

  reentrant->n_called++;

  g_assert_true (tasker_group_is_stopped (reentrant->group));
  g_assert_false (tasker_group_stop (reentrant->group));
  tasker_test_assert_equation (reentrant->group);

  born = tasker_group_create_stopper (reentrant->group);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (born)));

  tasker_group_spawn (reentrant->group, "late", tasker_test_succeed, NULL, NULL);

  /* One that stop() has yet to reach, or has been at already. */
  g_clear_object (&reentrant->other);
}

static void
test_reentrant (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) first = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) third = NULL;
  g_autoptr (GError) error = NULL;
  Reentrant reentrant = { group, tasker_group_create_stopper (group), 0 };

  third = tasker_group_create_stopper (group);
  g_signal_connect (first, "cancelled", G_CALLBACK (use_group), &reentrant);
  g_signal_connect (third, "cancelled", G_CALLBACK (use_group), &reentrant);

  g_assert_true (tasker_group_stop (group));
  g_assert_cmpint (reentrant.n_called, ==, 2);
  g_assert_null (reentrant.other);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  tasker_test_assert_counts (group, 2, 0, 0, 0, 2, 0);
}

static void
test_create_race (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (GPtrArray) stoppers = g_ptr_array_new_with_free_func (g_object_unref);
      GThread *thread;

      thread = g_thread_new ("stop", stop_thread, group);
      for (guint j = 0; j < 50; j++)
        g_ptr_array_add (stoppers, tasker_group_create_stopper (group));

      g_thread_join (thread);

      /* However the two met: stop() has returned, so all are cancelled. */
      for (guint j = 0; j < stoppers->len; j++)
        g_assert_true (g_cancellable_is_cancelled (g_ptr_array_index (stoppers, j)));

      tasker_test_assert_equation (group);
    }
}

/* The group does not hold what it dispensed */

static void
test_weak (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerStopper *stopper = tasker_group_create_stopper (group);

  g_object_add_weak_pointer (G_OBJECT (stopper), (gpointer *) &stopper);
  g_object_unref (stopper);
  g_assert_null (stopper);

  g_assert_true (tasker_group_stop (group));
  tasker_test_assert_equation (group);
}

#define N_DROPPED 4
#define N_DROP_ROUNDS 5000

typedef struct
{
  TaskerStopper *stoppers[N_DROPPED];
  int n_begun; /* rounds that the dropper may begin */
  int n_ended; /* rounds that it has ended */
  int n_gone;
  int n_cancelled;
} DropRace;

static void
count_gone (gpointer  data,
            GObject  *where_it_was)
{
  g_atomic_int_inc ((int *) data);
}

static gpointer
drop_race_thread (gpointer data)
{
  DropRace *race = data;
  int n_rounds = (int) tasker_test_rounds (N_DROP_ROUNDS);

  for (int i = 1; i <= n_rounds; i++)
    {
      while (g_atomic_int_get (&race->n_begun) < i)
        g_thread_yield ();
      for (guint j = 0; j < N_DROPPED; j++)
        g_object_unref (race->stoppers[j]);
      g_atomic_int_set (&race->n_ended, i);
    }

  return NULL;
}

static void
prepare_drop_race (DropRace    *race,
                   TaskerGroup *group)
{
  g_atomic_int_set (&race->n_gone, 0);
  g_atomic_int_set (&race->n_cancelled, 0);

  for (guint i = 0; i < N_DROPPED; i++)
    {
      race->stoppers[i] = tasker_group_create_stopper (group);
      g_signal_connect (race->stoppers[i], "cancelled",
                        G_CALLBACK (count_cancelled), &race->n_cancelled);
      g_object_weak_ref (G_OBJECT (race->stoppers[i]), count_gone, &race->n_gone);
    }
}

static void
test_drop_race (void)
{
  DropRace race = { .n_gone = 0 };
  int n_rounds = (int) tasker_test_rounds (N_DROP_ROUNDS);
  GThread *thread = g_thread_new ("drop", drop_race_thread, &race);

  for (int i = 1; i <= n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);

      prepare_drop_race (&race, group);
      g_atomic_int_set (&race.n_begun, i);
      g_assert_true (tasker_group_stop (group));
      while (g_atomic_int_get (&race.n_ended) < i)
        g_thread_yield ();

      /* Both are through: each went once, none was kept or came back. */
      g_assert_cmpint (g_atomic_int_get (&race.n_gone), ==, N_DROPPED);
      g_assert_cmpint (g_atomic_int_get (&race.n_cancelled), <=, N_DROPPED);
      tasker_test_assert_equation (group);
    }

  g_thread_join (thread);
}

static void
test_outlives_group (void)
{
  TaskerGroup *group = tasker_test_group ("short-lived");
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) other = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;

  g_object_add_weak_pointer (G_OBJECT (group), (gpointer *) &group);
  tasker_test_assert_equation (group);
  g_object_unref (group);
  g_assert_null (group);

  /* Nobody said stop. */
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  g_assert_true (tasker_stopper_sleep (stopper, 1, &error));
  g_assert_no_error (error);

  g_cancellable_cancel (G_CANCELLABLE (stopper));
  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (other)));
}

static void
test_outlives_stopped_group (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);

  tasker_group_stop (group);
  tasker_test_assert_equation (group);
  g_object_unref (group);

  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  tasker_stopper_wait (stopper);
}

static void
test_signaller_of_gone_group (void)
{
  TaskerGroup *group = tasker_test_group (NULL);
  g_autoptr (TaskerSignaller) signaller = tasker_group_create_signaller (group);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);

  tasker_test_assert_equation (group);
  g_object_unref (group);

  g_assert_true (tasker_signaller_stop (signaller));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
}

/* Sleeping */

static void
test_sleep_full (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  const guint lengths_ms[] = { 1, 2, 10, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths_ms); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 begin = g_get_monotonic_time ();

      g_assert_true (tasker_stopper_sleep (stopper, lengths_ms[i], &error));
      g_assert_no_error (error);
      g_assert_cmpint (g_get_monotonic_time () - begin, >=, lengths_ms[i] * 1000);
    }

  /* Nobody has to ask for the error. */
  g_assert_true (tasker_stopper_sleep (stopper, 1, NULL));
  tasker_test_assert_equation (group);
}

static void
test_sleep_ended_early (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) alone = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;
  gint64 begin = g_get_monotonic_time ();
  GThread *thread;

  thread = g_thread_new ("cancel", cancel_soon_thread, alone);
  g_assert_false (tasker_stopper_sleep (alone, FOR_EVER_MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  thread = g_thread_new ("stop", stop_soon_thread, group);
  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);

  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, NULL));
  g_assert_cmpint (g_get_monotonic_time () - begin, <, EARLY_US);
  tasker_test_assert_equation (group);
}

static void
test_sleep_zero (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 100; i++)
    {
      g_assert_true (tasker_stopper_sleep (stopper, 0, &error));
      g_assert_no_error (error);
    }

  tasker_group_stop (group);
  g_assert_false (tasker_stopper_sleep (stopper, 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_assert_equation (group);
}

/* The longest that the argument can say must not wrap round to a short one. */
static void
test_sleep_longest (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("stop", stop_soon_thread, group);

  g_assert_false (tasker_stopper_sleep (stopper, G_MAXUINT, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_thread_join (thread);
  tasker_test_assert_equation (group);
}

static void
test_sleep_stop_wins (void)
{
  guint n_rounds = tasker_test_rounds (300);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("stop", stop_thread, group);
      gboolean slept;

      /* The stop comes before, within or after these milliseconds. */
      while ((slept = tasker_stopper_sleep (stopper, i % 2, &error)))
        g_assert_no_error (error);

      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));

      g_thread_join (thread);
      tasker_test_assert_equation (group);
    }
}

static gboolean
sleep_in_task (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  g_atomic_int_inc ((int *) user_data);
  return tasker_stopper_sleep (TASKER_STOPPER (stopper), FOR_EVER_MS, error);
}

static void
test_sleep_in_tasks (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (GError) error = NULL;
  gint64 begin = g_get_monotonic_time ();
  int n_begun = 0;

  /* Light ones share one stopper, full ones are each their own. */
  for (guint i = 0; i < 16; i++)
    {
      g_autoptr (TaskerTask) task = NULL;

      tasker_group_spawn (group, "light", sleep_in_task, &n_begun, NULL);
      task = tasker_task_new ("full", sleep_in_task, &n_begun, NULL);
      tasker_group_add (group, task);
    }

  tasker_test_wait_for (g_atomic_int_get (&n_begun) == 32);
  tasker_group_stop (group);

  g_assert_true (tasker_group_join (group, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, EARLY_US);
  tasker_test_assert_counts (group, 32, 0, 0, 0, 32, 0);
}

static void
test_sleep_async_full (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  const guint lengths_ms[] = { 0, 1, 40 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths_ms); i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      GAsyncResult *pending = NULL;
      gint64 begin = g_get_monotonic_time ();

      tasker_stopper_sleep_async (stopper, lengths_ms[i], tasker_test_keep, &pending);
      g_assert_null (pending);

      result = wait_for_result (&pending);
      g_assert_true (tasker_stopper_sleep_finish (stopper, result, &error));
      g_assert_no_error (error);
      g_assert_cmpint (g_get_monotonic_time () - begin, >=, lengths_ms[i] * 1000);
    }

  tasker_test_assert_equation (group);
}

static void
test_sleep_async_ended_early (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) result_after = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *pending = NULL;
  gint64 begin = g_get_monotonic_time ();
  GThread *thread;

  tasker_stopper_sleep_async (stopper, FOR_EVER_MS, tasker_test_keep, &pending);
  thread = g_thread_new ("stop", stop_soon_thread, group);

  result = wait_for_result (&pending);
  g_assert_false (tasker_stopper_sleep_finish (stopper, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  /* Begun after the stop: it ends at once, and still not within the call. */
  tasker_stopper_sleep_async (stopper, FOR_EVER_MS, tasker_test_keep, &pending);
  g_assert_null (pending);
  result_after = wait_for_result (&pending);
  g_assert_false (tasker_stopper_sleep_finish (stopper, result_after, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_assert_cmpint (g_get_monotonic_time () - begin, <, EARLY_US);
  tasker_test_assert_equation (group);
}

/* Time is up and the group is stopped before the loop looks at either. */
static void
test_sleep_async_stop_wins (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;
      GAsyncResult *pending = NULL;
      guint duration_ms = i % 3;

      tasker_stopper_sleep_async (stopper, duration_ms, tasker_test_keep, &pending);
      g_usleep (duration_ms * 1000 + 100);
      if (i % 2 == 0)
        tasker_group_stop (group);
      else
        g_cancellable_cancel (G_CANCELLABLE (stopper));

      result = wait_for_result (&pending);
      g_assert_false (tasker_stopper_sleep_finish (stopper, result, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      tasker_test_assert_equation (group);
    }
}

static void
test_sleep_async_other_context (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;
  GAsyncResult *pending = NULL;

  g_main_context_push_thread_default (context);
  tasker_stopper_sleep_async (stopper, 1, tasker_test_keep, &pending);
  g_main_context_pop_thread_default (context);

  /* Not the business of the default context. */
  g_usleep (10 * 1000);
  tasker_test_iterate ();
  g_assert_null (pending);

  while (pending == NULL)
    g_main_context_iteration (context, TRUE);

  result = g_steal_pointer (&pending);
  g_assert_true (tasker_stopper_sleep_finish (stopper, result, NULL));
  tasker_test_assert_equation (group);
}

static void
test_sleep_async_dropped (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerStopper *stopper = tasker_group_create_stopper (group);
  g_autoptr (GAsyncResult) result = NULL;
  GAsyncResult *pending = NULL;

  /* An operation under way holds its object: it ends as if nothing was. */
  g_object_add_weak_pointer (G_OBJECT (stopper), (gpointer *) &stopper);
  tasker_stopper_sleep_async (stopper, FOR_EVER_MS, tasker_test_keep, &pending);
  g_object_unref (stopper);
  g_assert_nonnull (stopper);

  tasker_group_stop (group);
  result = wait_for_result (&pending);
  g_assert_false (tasker_stopper_sleep_finish (stopper, result, NULL));

  g_clear_object (&result);
  tasker_test_iterate_until (stopper == NULL);
  tasker_test_assert_equation (group);
}

static void
test_sleep_async_no_callback (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  TaskerStopper *stopper = tasker_group_create_stopper (group);

  g_object_add_weak_pointer (G_OBJECT (stopper), (gpointer *) &stopper);
  tasker_stopper_sleep_async (stopper, 1, NULL, NULL);
  tasker_stopper_wait_async (stopper, NULL, NULL);
  tasker_group_stop (group);
  g_object_unref (stopper);

  tasker_test_iterate_until (stopper == NULL);
  tasker_test_assert_equation (group);
}

/* Waiting */

typedef struct
{
  TaskerStopper *stopper;
  int state;
} Waiter;

static gpointer
wait_thread (gpointer data)
{
  Waiter *waiter = data;

  g_atomic_int_set (&waiter->state, 1);
  tasker_stopper_wait (waiter->stopper);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (waiter->stopper)));
  g_atomic_int_set (&waiter->state, 2);

  return NULL;
}

static void
test_wait (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) by_stop = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) alone = tasker_group_create_stopper (group);
  Waiter waiters[4] = { { by_stop }, { by_stop }, { alone }, { alone } };
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("wait", wait_thread, &waiters[i]);
  for (guint i = 0; i < 4; i++)
    tasker_test_wait_for (g_atomic_int_get (&waiters[i].state) >= 1);

  g_usleep (20 * 1000);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (g_atomic_int_get (&waiters[i].state), ==, 1);

  g_cancellable_cancel (G_CANCELLABLE (alone));
  g_thread_join (threads[2]);
  g_thread_join (threads[3]);
  g_assert_cmpint (g_atomic_int_get (&waiters[0].state), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&waiters[1].state), ==, 1);

  tasker_group_stop (group);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);

  /* And there is nothing to wait for any more. */
  tasker_stopper_wait (by_stop);
  tasker_test_assert_equation (group);
}

static void
test_wait_race (void)
{
  guint n_rounds = tasker_test_rounds (1000);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_group_new (NULL);
      g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
      GThread *thread = g_thread_new ("stop", stop_thread, group);

      tasker_stopper_wait (stopper);
      g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));

      g_thread_join (thread);
      tasker_test_assert_equation (group);
    }
}

static void
test_wait_async (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) result_after = NULL;
  GAsyncResult *pending = NULL;
  GThread *thread;

  tasker_stopper_wait_async (stopper, tasker_test_keep, &pending);
  g_usleep (5 * 1000);
  tasker_test_iterate ();
  g_assert_null (pending);

  thread = g_thread_new ("stop", stop_soon_thread, group);
  result = wait_for_result (&pending);
  tasker_stopper_wait_finish (stopper, result);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  g_thread_join (thread);

  tasker_stopper_wait_async (stopper, tasker_test_keep, &pending);
  g_assert_null (pending);
  result_after = wait_for_result (&pending);
  tasker_stopper_wait_finish (stopper, result_after);
  tasker_test_assert_equation (group);
}

/* A stopper is a GCancellable */

static void
test_connect (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  GCancellable *cancellable = G_CANCELLABLE (stopper);
  int n_first = 0, n_gone = 0, n_late = 0;
  gulong first, gone;

  first = g_cancellable_connect (cancellable, G_CALLBACK (count_cancelled), &n_first, NULL);
  gone = g_cancellable_connect (cancellable, G_CALLBACK (count_cancelled), &n_gone, NULL);
  g_assert_cmpuint (first, !=, 0);
  g_cancellable_disconnect (cancellable, gone);

  tasker_group_stop (group);
  g_assert_cmpint (n_first, ==, 1);
  g_assert_cmpint (n_gone, ==, 0);
  g_cancellable_disconnect (cancellable, first);

  /* Too late to be told later, so it is told now. */
  g_assert_cmpuint (g_cancellable_connect (cancellable, G_CALLBACK (count_cancelled),
                                           &n_late, NULL), ==, 0);
  g_assert_cmpint (n_late, ==, 1);
  tasker_test_assert_equation (group);
}

static void
test_pollfd (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  GThread *thread;
  GPollFD fd;

  g_assert_true (g_cancellable_make_pollfd (G_CANCELLABLE (stopper), &fd));
  g_assert_cmpint (g_poll (&fd, 1, 0), ==, 0);

  thread = g_thread_new ("stop", stop_soon_thread, group);
  g_assert_cmpint (g_poll (&fd, 1, FOR_EVER_MS), ==, 1);
  g_assert_cmpint (fd.revents & G_IO_IN, ==, G_IO_IN);

  g_cancellable_release_fd (G_CANCELLABLE (stopper));
  g_thread_join (thread);
  tasker_test_assert_equation (group);
}

static gboolean
note_dispatch (GCancellable *cancellable,
               gpointer      data)
{
  (*(int *) data)++;
  return G_SOURCE_REMOVE;
}

static void
test_source (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GSource) source = g_cancellable_source_new (G_CANCELLABLE (stopper));
  GThread *thread;
  int n_dispatched = 0;

  g_source_set_callback (source, G_SOURCE_FUNC (note_dispatch), &n_dispatched, NULL);
  g_source_attach (source, NULL);
  tasker_test_iterate ();
  g_assert_cmpint (n_dispatched, ==, 0);

  thread = g_thread_new ("stop", stop_soon_thread, group);
  tasker_test_iterate_until (n_dispatched > 0);
  g_thread_join (thread);

  g_assert_cmpint (n_dispatched, ==, 1);
  g_source_destroy (source);
  tasker_test_assert_equation (group);
}

static void
test_current (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GError) error = NULL;

  g_cancellable_push_current (G_CANCELLABLE (stopper));
  g_assert_true (g_cancellable_get_current () == G_CANCELLABLE (stopper));
  g_cancellable_pop_current (G_CANCELLABLE (stopper));

  g_assert_false (g_cancellable_set_error_if_cancelled (G_CANCELLABLE (stopper), &error));
  g_assert_no_error (error);
  tasker_group_stop (group);
  g_assert_true (g_cancellable_set_error_if_cancelled (G_CANCELLABLE (stopper), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  tasker_test_assert_equation (group);
}

static void
test_gio_call (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (g_get_tmp_dir ());
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;
  char buffer[16];
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM, 0, fds));
  socket = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);

  /* One that would block for ever: nobody writes to the other end. */
  thread = g_thread_new ("stop", stop_soon_thread, group);
  g_assert_cmpint (g_socket_receive (socket, buffer, sizeof buffer,
                                     G_CANCELLABLE (stopper), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);

  info = g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_TYPE, G_FILE_QUERY_INFO_NONE,
                            G_CANCELLABLE (stopper), &error);
  g_assert_null (info);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  close (fds[1]);
  tasker_test_assert_equation (group);
}

static void
test_gtask (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GTask) task = g_task_new (NULL, G_CANCELLABLE (stopper), NULL, NULL);
  g_autoptr (GError) error = NULL;

  tasker_group_stop (group);
  g_task_return_boolean (task, TRUE);
  g_assert_false (g_task_propagate_boolean (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  tasker_test_iterate ();
  tasker_test_assert_equation (group);
}

/* A stopper that was reset is lost; nothing else changes. */
static void
test_reset (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) reset = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) other = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) late = NULL;

  /* Before the stop there is nothing to undo. */
  g_cancellable_reset (G_CANCELLABLE (reset));
  tasker_group_stop (group);
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (reset)));

  g_cancellable_reset (G_CANCELLABLE (reset));
  late = tasker_group_create_stopper (group);
  g_assert_true (tasker_group_is_stopped (group));
  g_assert_false (tasker_group_stop (group));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (other)));
  g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (late)));
  tasker_test_assert_equation (group);
}

static void
block_in_handler (GCancellable *cancellable,
                  gpointer      stopper)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (tasker_stopper_sleep (stopper, FOR_EVER_MS, &error));
  g_assert_error (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK);

  expect_critical ("*");
  tasker_stopper_wait (stopper);
  g_test_assert_expected_messages ();
}

static void
test_no_blocking_in_handler (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerGroup) elsewhere = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (TaskerStopper) other = tasker_group_create_stopper (elsewhere);
  g_autoptr (GError) error = NULL;

  g_signal_connect (stopper, "cancelled", G_CALLBACK (block_in_handler), other);
  g_assert_true (tasker_group_stop (group));

  /* That was for the handler only. */
  g_assert_true (tasker_stopper_sleep (other, 1, &error));
  g_assert_no_error (error);
  tasker_test_assert_equation (group);
  tasker_test_assert_equation (elsewhere);
}

/* Bad input */

static void
test_bad_input (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group (NULL);
  g_autoptr (TaskerStopper) stopper = tasker_group_create_stopper (group);
  g_autoptr (GCancellable) plain = g_cancellable_new ();
  g_autoptr (GTask) foreign = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  expect_critical ("*TASKER_IS_GROUP*");
  g_assert_null (tasker_group_create_stopper (NULL));
  expect_critical ("*TASKER_IS_STOPPER*");
  g_assert_false (tasker_stopper_sleep (NULL, 0, &error));
  expect_critical ("*TASKER_IS_STOPPER*");
  g_assert_false (tasker_stopper_sleep ((TaskerStopper *) plain, 0, &error));
  expect_critical ("*TASKER_IS_STOPPER*");
  tasker_stopper_sleep_async ((TaskerStopper *) plain, 0, tasker_test_keep, NULL);
  expect_critical ("*TASKER_IS_STOPPER*");
  tasker_stopper_wait ((TaskerStopper *) plain);
  expect_critical ("*TASKER_IS_STOPPER*");
  tasker_stopper_wait_async ((TaskerStopper *) plain, tasker_test_keep, NULL);

  /* A result of something else. */
  expect_critical ("*g_task_is_valid*");
  g_assert_false (tasker_stopper_sleep_finish (stopper, G_ASYNC_RESULT (foreign), &error));
  expect_critical ("*is_reply*");
  tasker_stopper_wait_finish (stopper, G_ASYNC_RESULT (foreign));

  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_false (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
  tasker_test_assert_equation (group);
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/stopper/create", test_create);
  tasker_test_add ("/stopper/abort-cancels", test_abort_cancels);
  tasker_test_add ("/stopper/from-clone", test_from_clone);
  tasker_test_add ("/stopper/cancelled-alone", test_cancelled_alone);
  tasker_test_add ("/stopper/stop-once", test_stop_once);
  tasker_test_add ("/stopper/reentrant", test_reentrant);
  tasker_test_add ("/stopper/create-race", test_create_race);
  tasker_test_add ("/stopper/weak", test_weak);
  tasker_test_add ("/stopper/drop-race", test_drop_race);
  tasker_test_add ("/stopper/outlives-group", test_outlives_group);
  tasker_test_add ("/stopper/outlives-stopped-group", test_outlives_stopped_group);
  tasker_test_add ("/stopper/signaller-of-gone-group", test_signaller_of_gone_group);
  tasker_test_add ("/stopper/sleep/full", test_sleep_full);
  tasker_test_add ("/stopper/sleep/ended-early", test_sleep_ended_early);
  tasker_test_add ("/stopper/sleep/zero", test_sleep_zero);
  tasker_test_add ("/stopper/sleep/longest", test_sleep_longest);
  tasker_test_add ("/stopper/sleep/stop-wins", test_sleep_stop_wins);
  tasker_test_add ("/stopper/sleep/in-tasks", test_sleep_in_tasks);
  tasker_test_add ("/stopper/sleep-async/full", test_sleep_async_full);
  tasker_test_add ("/stopper/sleep-async/ended-early", test_sleep_async_ended_early);
  tasker_test_add ("/stopper/sleep-async/stop-wins", test_sleep_async_stop_wins);
  tasker_test_add ("/stopper/sleep-async/other-context", test_sleep_async_other_context);
  tasker_test_add ("/stopper/sleep-async/dropped", test_sleep_async_dropped);
  tasker_test_add ("/stopper/sleep-async/no-callback", test_sleep_async_no_callback);
  tasker_test_add ("/stopper/wait/blocking", test_wait);
  tasker_test_add ("/stopper/wait/race", test_wait_race);
  tasker_test_add ("/stopper/wait/async", test_wait_async);
  tasker_test_add ("/stopper/cancellable/connect", test_connect);
  tasker_test_add ("/stopper/cancellable/pollfd", test_pollfd);
  tasker_test_add ("/stopper/cancellable/source", test_source);
  tasker_test_add ("/stopper/cancellable/current", test_current);
  tasker_test_add ("/stopper/cancellable/gio-call", test_gio_call);
  tasker_test_add ("/stopper/cancellable/gtask", test_gtask);
  tasker_test_add ("/stopper/reset", test_reset);
  tasker_test_add ("/stopper/no-blocking-in-handler", test_no_blocking_in_handler);
  tasker_test_add ("/stopper/bad-input", test_bad_input);

  return g_test_run ();
}
