/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects that have nothing but a toggle reference, as those of a language with a
 * lock of its own do: whoever takes the second reference calls the language, which
 * takes its lock. A thread that has it may be waiting for a lock of ours; so none
 * of ours is held then, or the two wait for each other. */

#include "tasker-test.h"

#define N_ROUNDS 150

/* How long the language has its lock before it uses the library, at most. */
#define OVERLAP_US 100

/* The language: its lock, and a thread that has it again and again and meanwhile
 * uses the library. */
typedef struct
{
  GMutex         lock;
  GThread       *thread;
  int            is_done;
  guint          n_toggles; /* under the lock */
  TaskerGroup   *group;
  TaskerStopper *stopper;   /* another one than those that are toggled */
} Language;

static gpointer
language_main (gpointer user_data)
{
  Language *self = user_data;

  while (!g_atomic_int_get (&self->is_done))
    {
      g_autofree char *dump = NULL;

      g_mutex_lock (&self->lock);
      g_usleep ((gulong) g_random_int_range (1, OVERLAP_US));
      /* The locks of the core, of the source and of the deadlines. */
      dump = tasker_group_dump (self->group);
      tasker_stopper_set_timeout_ms (self->stopper, 60000);
      g_mutex_unlock (&self->lock);
      g_usleep ((gulong) g_random_int_range (1, OVERLAP_US));
    }

  return NULL;
}

static void
language_start (Language    *self,
                TaskerGroup *group)
{
  g_mutex_init (&self->lock);
  self->is_done = FALSE;
  self->n_toggles = 0;
  self->group = group;
  self->stopper = tasker_group_create_stopper (group);
  self->thread = g_thread_new ("language", language_main, self);
}

static void
language_end (Language *self)
{
  g_atomic_int_set (&self->is_done, TRUE);
  g_thread_join (self->thread);
  g_object_unref (self->stopper);
  g_mutex_clear (&self->lock);
}

static void
on_toggle (gpointer  user_data,
           GObject  *object,
           gboolean  is_last)
{
  Language *self = user_data;

  g_mutex_lock (&self->lock);
  self->n_toggles++;
  g_mutex_unlock (&self->lock);
}

/* Takes a reference over, and leaves the toggle reference alone. */
static void
language_adopt (Language *self,
                gpointer  object)
{
  g_object_add_toggle_ref (object, on_toggle, self);
  g_object_unref (object);
}

static void
language_drop (Language *self,
               gpointer  object)
{
  g_object_remove_toggle_ref (object, on_toggle, self);
}

/* How often references went from one to two and back. */
static guint
language_count (Language *self)
{
  guint n_toggles;

  g_mutex_lock (&self->lock);
  n_toggles = self->n_toggles;
  g_mutex_unlock (&self->lock);

  return n_toggles;
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    n_notified)
{
  ++*(guint *) n_notified;
}

/* A handle that is told on the main loop what has changed. */
static void
test_handle (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("handle");
  TaskerGroup *watched = tasker_group_clone (group);
  guint n_rounds = tasker_test_rounds (N_ROUNDS);
  guint n_notified = 0;
  Language language;

  language_start (&language, group);
  g_signal_connect (watched, "notify::n-tasks", G_CALLBACK (count_notify), &n_notified);
  language_adopt (&language, watched);

  for (guint i = 0; i < n_rounds; i++)
    {
      guint before = n_notified;

      tasker_group_spawn (group, NULL, tasker_test_succeed, NULL, NULL);
      tasker_test_iterate_until (n_notified > before);
    }
  g_assert_cmpuint (language_count (&language), >=, n_rounds);

  tasker_group_finish (watched);
  language_drop (&language, watched);
  language_end (&language);
  g_assert_true (tasker_group_join (group, NULL, NULL));
}

/* The list of a group, which is got again, and the face of a light task in it. */
static void
test_list (void)
{
  g_autoptr (TaskerGroup) group = tasker_test_group ("list");
  guint n_rounds = tasker_test_rounds (10 * N_ROUNDS);
  TaskerTestGate gate;
  GListModel *list;
  TaskerTask *face;
  Language language;

  tasker_test_gate_init (&gate);
  tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
  tasker_test_gate_await (&gate, 1);
  list = tasker_group_get_tasks (group);
  face = g_list_model_get_item (list, 0);
  g_assert_nonnull (face);

  language_start (&language, group);
  language_adopt (&language, list);
  language_adopt (&language, face);
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (GListModel) same_list = tasker_group_get_tasks (group);
      g_autoptr (TaskerTask) same_face = g_list_model_get_item (same_list, 0);

      g_assert_true (same_list == list);
      g_assert_true (same_face == face);
    }
  g_assert_cmpuint (language_count (&language), >=, 4 * n_rounds);

  language_drop (&language, face);
  language_drop (&language, list);
  language_end (&language);
  tasker_test_gate_open (&gate);
  g_assert_true (tasker_group_join (group, NULL, NULL));
  tasker_test_gate_clear (&gate);
}

/* The faces of light tasks that have ended, when they are collected. */
static void
test_collect (void)
{
  guint n_rounds = tasker_test_rounds (N_ROUNDS);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("collect");
      g_autoptr (GListModel) list = tasker_group_get_tasks (group);
      g_autoptr (GPtrArray) tasks = NULL;
      TaskerTestGate gate;
      TaskerTask *face;
      Language language;

      tasker_test_gate_init (&gate);
      tasker_group_spawn (group, NULL, tasker_test_pass_gate, &gate, NULL);
      tasker_test_iterate_until (g_list_model_get_n_items (list) == 1);
      face = g_list_model_get_item (list, 0);

      language_start (&language, group);
      language_adopt (&language, face);
      tasker_test_gate_open (&gate);
      tasks = tasker_group_collect (group, NULL, NULL);
      g_assert_cmpuint (tasks->len, ==, 1);
      g_assert_true (tasks->pdata[0] == face);

      language_drop (&language, face);
      language_end (&language);
      tasker_test_gate_clear (&gate);
    }
}

/* Stoppers that are cancelled: by the stop, and by their deadline. */
static void
test_stoppers (void)
{
  guint n_rounds = tasker_test_rounds (N_ROUNDS);

  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (TaskerGroup) group = tasker_test_group ("stoppers");
      TaskerStopper *stopper = tasker_group_create_stopper (group);
      TaskerStopper *timed = tasker_group_create_stopper (group);
      Language language;

      language_start (&language, group);
      language_adopt (&language, stopper);
      language_adopt (&language, timed);

      tasker_stopper_set_timeout_ms (timed, 1);
      tasker_test_wait_for (g_cancellable_is_cancelled (G_CANCELLABLE (timed)));
      tasker_group_stop (group);
      g_assert_true (g_cancellable_is_cancelled (G_CANCELLABLE (stopper)));
      g_assert_true (tasker_stopper_timed_out (timed));

      language_drop (&language, timed);
      language_drop (&language, stopper);
      language_end (&language);
      g_assert_true (tasker_group_join (group, NULL, NULL));
    }
}

int
main (int    argc,
      char **argv)
{
  tasker_test_init (&argc, &argv);

  tasker_test_add ("/toggle/handle", test_handle);
  tasker_test_add ("/toggle/list", test_list);
  tasker_test_add ("/toggle/collect", test_collect);
  tasker_test_add ("/toggle/stoppers", test_stoppers);

  return g_test_run ();
}
