/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine: runners on one thread pool, which drain the run queues of the
 * groups. GLib keeps the threads; here is who runs what. */

#include "tasker-runner-private.h"

#include <glib/gi18n-lib.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "tasker-error.h"
#include "tasker-growth-private.h"
#include "tasker-service-private.h"

/* How often a runner without work looks again before it gives up. A new job
 * finds it in that time at no cost; to wake a thread takes a system call on
 * both sides. */
#define N_LOOKS 100

/* How often to ask for threads that were refused. */
#define RETRY_INTERVAL_MS 100

/* Atomic: how many threads were refused since all runners had one. */
static int n_refused;

static int
get_thread_id (void)
{
#ifdef __linux__
  return (int) syscall (SYS_gettid);
#else
  return 0;
#endif
}

/* A runner gets its jobs. With the core's lock held. */

static int
take_doomed (TaskerRunner *self)
{
  TaskerJob *job;
  int n_jobs = 0;

  while (n_jobs < TASKER_HAND_SIZE &&
         (job = tasker_job_list_pop (&self->core->doomed)) != NULL)
    self->hand.slots[n_jobs++] = job;

  return n_jobs;
}

/* Takes what is the fair part of one runner, so that few jobs spread over
 * many runners; of other priorities one, so that their order is kept. */
static int
take_queued (TaskerRunner *self)
{
  TaskerCore *core = self->core;
  guint n_wanted = CLAMP (core->queue.length / (2 * MAX (core->n_runners, 2)),
                          1, TASKER_HAND_SIZE);
  int n_jobs = 0;

  do
    {
      TaskerJob *job = tasker_queue_pop (&core->queue);

      if (job == NULL)
        break;
      self->hand.slots[n_jobs++] = job;
      if (job->priority != G_PRIORITY_DEFAULT)
        break;
    }
  while (--n_wanted > 0);

  return n_jobs;
}

static int
take_from_others (TaskerRunner *self)
{
  for (GList *l = self->core->hands.head; l != NULL; l = l->next)
    {
      TaskerHand *hand = l->data;

      if (hand != &self->hand && tasker_hand_has_spare (hand))
        {
          int n_jobs = tasker_hand_take (hand, TRUE, self->hand.slots);

          if (n_jobs > 0)
            return n_jobs;
        }
    }

  return 0;
}

/* A job that wants help; the ones that do not any more are closed. */
static TaskerJob *
find_help (TaskerCore *core)
{
  TaskerJob *job;

  while ((job = g_queue_peek_head (&core->open)) != NULL)
    {
      if (job->kind->enlist (job))
        break;
      g_queue_pop_head (&core->open);
    }

  return job;
}

static void
set_placed (TaskerRunner *self,
            gboolean      placed)
{
  if (self->placed == placed)
    return;

  self->placed = placed;
  self->core->n_placed += placed ? 1 : (guint) -1;
}

static void
set_searching (TaskerRunner *self,
               gboolean      searching)
{
  if (self->searching == searching)
    return;

  self->searching = searching;
  g_atomic_int_add (&self->core->n_searching, searching ? 1 : -1);
}

/*
 * fill_hand:
 *
 * Takes jobs. What is doomed needs no place, for it does not begin.
 *
 * Returns: whether there is something in the hand, or a job to help with
 */
static gboolean
fill_hand (TaskerRunner  *self,
           TaskerJob    **help)
{
  TaskerCore *core = self->core;
  int n_jobs;

  tasker_hand_gather (&self->hand, core);
  tasker_core_look (core);
  set_placed (self, FALSE);

  *help = NULL;
  n_jobs = take_doomed (self);
  if (n_jobs == 0 && tasker_core_has_place (core))
    {
      n_jobs = take_queued (self);
      if (n_jobs == 0)
        n_jobs = take_from_others (self);
      if (n_jobs == 0)
        *help = find_help (core);
      set_placed (self, n_jobs > 0 || *help != NULL);
    }

  tasker_hand_fill (&self->hand, n_jobs);

  return n_jobs > 0 || *help != NULL;
}

/* The runner's life */

/* How a job ends that is not run. */
static TaskerTaskState
get_doom (TaskerRunner *self,
          TaskerJob    *job)
{
  if (g_atomic_int_get (&job->doom) == TASKER_TASK_STATE_ABORTED ||
      tasker_source_get_level (&self->core->source) == TASKER_LEVEL_ABORTED)
    return TASKER_TASK_STATE_ABORTED;

  return TASKER_TASK_STATE_STOPPED;
}

/* Stop does not start work. */
static gboolean
may_begin (TaskerRunner *self,
           TaskerJob    *job)
{
  TaskerLevel level = tasker_source_get_level (&self->core->source);

  if (!TASKER_MAY_BEGIN (job, level))
    return FALSE;
  if (job->full && !job->run_always && g_cancellable_is_cancelled (G_CANCELLABLE (job->face)))
    return FALSE;

  return tasker_job_begin (job);
}

static void
process (TaskerRunner *self,
         TaskerJob    *job)
{
  self->current->job = job;
  if (may_begin (self, job))
    job->kind->run (job, self->core);
  else if (job->kind->discard != NULL)
    job->kind->discard (job, self->core, get_doom (self, job));
  else
    tasker_core_end (self->core, job, get_doom (self, job), NULL);
  self->current->job = NULL;
}

/* Whether a job that is better than what the runner has in hand waits. */
static gboolean
is_urged (TaskerRunner *self)
{
  return g_atomic_int_get (&self->core->n_urgent) > 0;
}

static void
work (TaskerRunner *self,
      TaskerJob    *help)
{
  TaskerJob *job;

  if (help != NULL)
    {
      self->current->job = help;
      help->kind->help (help, self->core);
      self->current->job = NULL;
    }

  while ((job = tasker_hand_claim (&self->hand)) != NULL)
    {
      process (self, job);
      if (is_urged (self))
        break;
    }
}

/* Waits for work a little while: not so long that it would be felt, but as
 * long as it takes to go to sleep and be woken. */
static void
look_out (TaskerRunner *self)
{
  for (int i = 0; i < N_LOOKS && g_atomic_pointer_get (&self->core->inbox) == NULL; i++)
    g_thread_yield ();
}

static void
leave (TaskerRunner *self)
{
  TaskerCore *core = self->core;

  set_placed (self, FALSE);
  set_searching (self, FALSE);
  g_queue_unlink (&core->hands, &self->hand.link);
  if (--core->n_runners == 0)
    tasker_growth_reset (core);
}

/*
 * find_work:
 *
 * Fills the hand, and has one more runner come if there is more to do.
 *
 * Returns: %FALSE if there is nothing to do, and the runner has left the core
 */
static gboolean
find_work (TaskerRunner  *self,
           TaskerJob    **help)
{
  TaskerCore *core = self->core;
  gboolean found;

  tasker_core_lock (core);
  tasker_core_put_back (core, &self->hand);
  found = fill_hand (self, help);

  if (!found && (self->searching || g_atomic_int_get (&core->n_searching) == 0))
    {
      set_searching (self, TRUE);
      tasker_core_unlock (core);
      look_out (self);
      tasker_core_lock (core);
      found = fill_hand (self, help);
    }

  /* From here on, who adds a job starts a runner again: one last look. */
  set_searching (self, FALSE);
  if (!found)
    found = fill_hand (self, help);
  if (!found)
    leave (self);
  tasker_core_kick (core);
  tasker_core_unlock (core);

  return found;
}

/* Gives the thread to a runner that got none, of another group perhaps. */
static void
step_aside (TaskerRunner *self)
{
  tasker_core_lock (self->core);
  tasker_core_put_back (self->core, &self->hand);
  tasker_hand_gather (&self->hand, self->core);
  leave (self);
  tasker_core_kick (self->core);
  tasker_core_unlock (self->core);
}

static void
live (TaskerCore *core)
{
  TaskerRunner self = { .core = core, .searching = TRUE };
  TaskerCurrent current = { .core = core, .hand = &self.hand, .runner = &self };
  TaskerJob *help;

  self.current = &current;
  self.hand.link.data = &self.hand;
  self.hand.shared = TRUE;
  self.hand.tid = get_thread_id ();
  tasker_current_push (&current);

  tasker_core_lock (core);
  g_queue_push_tail_link (&core->hands, &self.hand.link);
  tasker_core_unlock (core);

  while (find_work (&self, &help))
    {
      work (&self, help);
      if (tasker_runner_short_of_threads ())
        {
          step_aside (&self);
          break;
        }
    }

  tasker_current_pop (&current);
}

/* The pool */

/* What asks for a thread and nothing else. */
#define PROBE ((gpointer) &n_refused)

static void
run (gpointer data,
     gpointer user_data)
{
  if (data == PROBE)
    return;

  live (data);
  tasker_core_unref (data);
}

static GThreadPool *
get_pool (void)
{
  static GThreadPool *pool;

  if (g_once_init_enter (&pool))
    g_once_init_leave (&pool, g_thread_pool_new (run, NULL, -1, FALSE, NULL));

  return pool;
}

/* Whether jobs of the pool wait because a thread was refused. */
gboolean
tasker_runner_short_of_threads (void)
{
  if (!g_atomic_int_get (&n_refused))
    return FALSE;
  if (g_thread_pool_unprocessed (get_pool ()) > 0)
    return TRUE;

  g_atomic_int_set (&n_refused, 0);
  return FALSE;
}

/* Asks for the threads that were refused. The pool kept what was to run in
 * them, so nothing is pushed again. */
gboolean
tasker_runner_retry (void)
{
  return !tasker_runner_short_of_threads () ||
         g_thread_pool_set_max_threads (get_pool (), -1, NULL);
}

static gboolean
on_retry_timer (gpointer user_data)
{
  return tasker_runner_retry () ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean
push (gpointer data)
{
  if (g_thread_pool_push (get_pool (), data, NULL))
    return TRUE;

  if (g_atomic_int_add (&n_refused, 1) == 0)
    tasker_service_add_timer (RETRY_INTERVAL_MS, on_retry_timer, NULL, NULL);

  return FALSE;
}

void
tasker_runner_start (TaskerCore *core)
{
  push (tasker_core_ref (core));
}

gboolean
tasker_runner_have_thread (GError **error)
{
  if (g_thread_pool_get_num_threads (get_pool ()) > 0)
    return TRUE;
  if (tasker_runner_short_of_threads () ? tasker_runner_retry () : push (PROBE))
    return TRUE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_NO_THREAD,
                       _("The process cannot get a single thread for its tasks"));
  return FALSE;
}
