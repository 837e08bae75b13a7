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
#include "tasker-listeners-private.h"
#include "tasker-service-private.h"
#include "tasker-watch-private.h"
#include "tasker-worker-private.h"

/* How often a runner without work looks again before it gives up. A new job
 * finds it in that time at no cost; to wake a thread takes a system call on
 * both sides. */
#define N_LOOKS 100
#define LOOK_TIME_US 50

/* How often all hands are looked at for slow functions; who takes his jobs one by one
 * asks for the time only after so many of them. */
#define RESCUE_INTERVAL_US 1000
#define RESCUE_INTERVAL 16

/* How long a runner lets main loops have the lock first. */
#define POLITENESS_US 50

/* How long the jobs of a hand are to take. The more of them there are, the longer
 * the last may be overtaken by newer ones in other hands. */
#define HAND_TIME_US 200

/* After how many jobs to look at the clock, besides the first few: more than so many
 * slow ones are not run by one thread while others go on with newer ones. */
#define CLOCK_INTERVAL 16

/* How often those who wait for room are looked after, at most, between two jobs; and
 * when, if the job that is begun instead takes its time. */
#define ROOM_INTERVAL_US 100
#define ROOM_DELAY_MS 1

/* How often to ask for threads that were refused. */
#define RETRY_INTERVAL_MS 100

/* Atomic: how many threads were refused since all runners had one. */
static int n_refused;

static int
get_thread_id (void)
{
#ifdef __linux__
  static GPrivate thread_id;
  int id = GPOINTER_TO_INT (g_private_get (&thread_id));

  if (id == 0)
    {
      id = (int) syscall (SYS_gettid);
      g_private_set (&thread_id, GINT_TO_POINTER (id));
    }

  return id;
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

/* The core's hands are in the order of what is in them, the oldest first: what is
 * put back comes to where it was. */
static void
place_hand (TaskerRunner *self,
            GList        *before)
{
  g_queue_unlink (&self->core->hands, &self->hand.link);
  g_queue_insert_before_link (&self->core->hands, before, &self->hand.link);
}

/* Leaves half to others, who would otherwise have to take it from the hand. */
static int
take_queued (TaskerRunner *self)
{
  TaskerCore *core = self->core;

  place_hand (self, NULL);

  return tasker_queue_pop (&core->queue, self->hand.slots,
                           CLAMP ((int) (core->queue.length / 2), 1, self->limit));
}

static int
take_from_others (TaskerRunner *self)
{
  if (self->core->n_stocked == 0)
    return 0;

  for (GList *l = self->core->hands.head; l != NULL; l = l->next)
    {
      TaskerHand *hand = l->data;

      if (hand != &self->hand && tasker_hand_count_spare (hand) > 0)
        {
          int n_jobs = tasker_hand_take (hand, TRUE, self->limit, self->hand.slots);

          if (n_jobs > 0)
            {
              place_hand (self, l);
              return n_jobs;
            }
        }
    }

  return 0;
}

/* What others have taken and not begun was before what is queued, but they get on,
 * mostly: it is taken away only where nothing as good is left. */
static int
take_best (TaskerRunner *self)
{
  TaskerQueue *queue = &self->core->queue;
  int n_jobs = 0;

  if (queue->n_urgent == 0 && queue->normal.head == NULL)
    n_jobs = take_from_others (self);

  return n_jobs > 0 ? n_jobs : take_queued (self);
}

/* A job that wants help; the ones that do not any more are closed. */
static TaskerJob *
find_help (TaskerCore *core)
{
  TaskerJob *job;

  while ((job = g_queue_peek_head (&core->open)) != NULL)
    {
      if (tasker_job_get_kind (job)->enlist (job))
        break;
      g_queue_pop_head (&core->open);
    }

  return job;
}

/* What is in the hand of @first goes back to the head of the queue, and behind it what
 * others have taken later, for they would put that before it. */
static void
put_back_from (TaskerCore *core,
               GList      *first)
{
  for (GList *l = core->hands.tail; l != first->prev; l = l->prev)
    tasker_core_put_back (core, l->data);
}

/* What lies behind a slow function in somebody's hand comes back to the head of the
 * queue, or newer jobs would go before it for ever. */
void
tasker_runner_rescue (TaskerCore *core)
{
  GList *first = NULL;

  for (GList *l = core->hands.tail; l != NULL; l = l->prev)
    if (tasker_hand_is_stuck (l->data))
      first = l;
  if (first != NULL)
    put_back_from (core, first);
}

/* Does that once in a while. */
static void
rescue (TaskerRunner *self)
{
  TaskerCore *core = self->core;
  gint64 now = self->timed_at;

  if (now == 0 && core->n_fills++ % RESCUE_INTERVAL == 0)
    now = g_get_monotonic_time ();
  if (now - core->rescued_at < RESCUE_INTERVAL_US)
    return;

  core->rescued_at = now;
  tasker_runner_rescue (core);
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
set_stocked (TaskerRunner *self,
             gboolean      stocked)
{
  if (self->stocked == stocked)
    return;

  self->stocked = stocked;
  self->core->n_stocked += stocked ? 1 : (guint) -1;
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
           TaskerJob    **open)
{
  TaskerCore *core = self->core;
  int n_jobs;

  tasker_core_look (core);
  set_placed (self, FALSE);
  set_stocked (self, FALSE);

  *open = NULL;
  n_jobs = take_doomed (self);
  if (n_jobs == 0 && tasker_core_has_place (core))
    {
      rescue (self);
      n_jobs = take_best (self);
      if (n_jobs == 0)
        *open = find_help (core);
      set_placed (self, n_jobs > 0 || *open != NULL);
    }

  tasker_hand_fill (&self->hand, n_jobs);
  tasker_listeners_ask_hand (core, &self->hand);
  self->makes_way = tasker_watch_is_late (core);
  /* The first is claimed at once. */
  set_stocked (self, n_jobs > 1);

  return n_jobs > 0 || *open != NULL;
}

/* Who has the lock and comes back for it at once gets it again before those who
 * wait for it are awake. Runners with small jobs would keep a main loop from it for
 * many milliseconds, so they wait until that had it. One that seems to wait for the
 * processor gets that from them, too. */
static void
lock_politely (TaskerRunner *self)
{
  TaskerCore *core = self->core;

  if (self->makes_way)
    g_thread_yield ();

  if (g_atomic_int_get (&core->n_loops_locking) > 0)
    {
      gint64 end = g_get_monotonic_time () + POLITENESS_US;

      while (g_atomic_int_get (&core->n_loops_locking) > 0 && g_get_monotonic_time () < end)
        g_thread_yield ();
    }

  tasker_core_lock (core);
}

/* The runner's life */

static void
process (TaskerRunner *self,
         TaskerJob    *job,
         gboolean      first)
{
  self->current->job = job;
  if (tasker_core_begin (self->core, job, !first))
    tasker_job_get_kind (job)->run (job, self->core);
  else
    tasker_core_discard (self->core, job);
  self->current->job = NULL;
}

static gboolean
is_urged (TaskerRunner *self)
{
  return g_atomic_int_get (&self->core->n_urgent) > 0;
}

static void
help (TaskerRunner *self,
      TaskerJob    *job)
{
  self->current->job = job;
  tasker_job_get_kind (job)->help (job, self->core);
  self->current->job = NULL;
}

static gboolean
on_room_timer (gpointer user_data)
{
  TaskerCore *core = user_data;

  /* Who claims one after this has it done once more. */
  g_atomic_int_set (&core->room_later, FALSE);
  tasker_core_lock (core);
  tasker_core_unlock (core);

  return G_SOURCE_REMOVE;
}

static void
give_room_later (TaskerCore *core)
{
  if (g_atomic_int_compare_and_exchange (&core->room_later, FALSE, TRUE))
    tasker_service_add_timer (ROOM_DELAY_MS, on_room_timer,
                              tasker_core_ref (core), (GDestroyNotify) tasker_core_unref);
}

/* To have claimed a job has made room for one that is to be added, which the core
 * sees when it is unlocked. To wake somebody for each of many quick ones would cost
 * more than they do; but this one may be slow, or wait for who waits for the room. */
static void
give_room (TaskerRunner *self)
{
  gint64 now;

  if (g_atomic_int_get (&self->core->n_cramped) == 0)
    return;
  now = g_get_monotonic_time ();
  if (now - self->room_given < ROOM_INTERVAL_US)
    {
      give_room_later (self->core);
      return;
    }

  self->room_given = now;
  tasker_core_lock (self->core);
  tasker_core_unlock (self->core);
}

static int
floor_to_power_of_two (int n)
{
  return 1 << (g_bit_storage ((gulong) n) - 1);
}

static gboolean
is_time_to_look (int n_done)
{
  return n_done % CLOCK_INTERVAL == 0 || floor_to_power_of_two (n_done) == n_done;
}

/* Looks now and then how long the jobs of the hand have taken that are done, and takes
 * more of them the next time, or less. Returns: whether the rest has to go back to the
 * queue */
static gboolean
is_overdue (TaskerRunner *self)
{
  int n_jobs = ++self->n_done;
  gint64 duration;

  if (!is_time_to_look (n_jobs))
    return FALSE;

  self->timed_at = g_get_monotonic_time ();
  duration = self->timed_at - self->begun_at;
  if (duration > HAND_TIME_US)
    self->limit = MAX (floor_to_power_of_two (n_jobs) / 2, 1);
  else if (n_jobs == self->limit && duration <= HAND_TIME_US / 2)
    self->limit = MIN (2 * n_jobs, TASKER_HAND_SIZE);

  return duration > HAND_TIME_US;
}

/* Whether to do so takes nothing but that. */
gboolean
tasker_runner_may_claim (TaskerRunner *self)
{
  return !is_urged (self) && g_atomic_int_get (&self->core->n_cramped) == 0;
}

/* The job before is done. Returns: the next one of the hand, or %NULL */
TaskerJob *
tasker_runner_claim (TaskerRunner *self)
{
  TaskerJob *job = NULL;

  if (!self->over && !is_urged (self) && !(self->timed && is_overdue (self)))
    job = tasker_hand_claim (&self->hand);
  self->over = job == NULL;

  return job;
}

static void
work (TaskerRunner *self,
      TaskerJob    *job)
{
  /* A single one has nothing behind it. */
  self->timed = self->hand.tail >= MIN (self->limit, 2);
  self->begun_at = self->timed ? g_get_monotonic_time () : 0;
  self->timed_at = self->begun_at;
  self->n_done = 0;
  self->over = FALSE;

  for (gboolean first = TRUE; job != NULL; first = FALSE)
    {
      process (self, job, first);
      job = self->claimed != NULL ? g_steal_pointer (&self->claimed) : tasker_runner_claim (self);
      if (job != NULL)
        give_room (self);
    }
}

/* Waits for work a little while: not so long that it would be felt, but as
 * long as it takes to go to sleep and be woken. Where others want the processor
 * one look may take their whole time slice, and who yields often is put off. */
static void
look_out (TaskerRunner *self)
{
  gint64 end = g_get_monotonic_time () + LOOK_TIME_US;

  for (int i = 0; i < N_LOOKS && g_atomic_pointer_get (&self->core->inbox) == NULL &&
                  g_get_monotonic_time () < end; i++)
    g_thread_yield ();
}

static void
leave (TaskerRunner *self)
{
  TaskerCore *core = self->core;

  set_placed (self, FALSE);
  set_stocked (self, FALSE);
  set_searching (self, FALSE);
  g_queue_unlink (&core->hands, &self->hand.link);
  if (g_atomic_int_dec_and_test (&core->n_runners))
    tasker_growth_reset (core);
}

/* What was in the hand goes back, or among the results. With the core's lock
 * held, which is opened where that drops jobs: to free them may call code of the user,
 * which may wait for what we would take, and they are still close at hand; and where it
 * was all that a join waits for. Who joins is often woken on this processor, and nothing
 * is left to be done here. */
static void
empty_hand (TaskerRunner *self)
{
  TaskerCore *core = self->core;
  gboolean joined;

  if (tasker_hand_count_spare (&self->hand) > 0)
    put_back_from (core, &self->hand.link);
  tasker_core_gather_hand (core, &self->hand);
  joined = core->n_joiners > 0 && tasker_core_is_joined (core);
  if (joined || core->todo.dropped != NULL || core->todo.spent != NULL)
    {
      set_placed (self, FALSE);
      tasker_core_kick (core);
      tasker_core_unlock (core);
      if (joined)
        g_thread_yield ();
      tasker_core_lock (core);
    }
}

/*
 * find_work:
 *
 * @job: (out): the first job in the hand, claimed, or %NULL
 * @open: (out): a job to help with, or %NULL
 *
 * Fills the hand, and has one more runner come if there is more to do. What
 * this runner does next is claimed first, so that none comes for that. With the
 * core's lock held, which is let go of.
 *
 * Returns: %FALSE if there is nothing to do, and the runner has left the core
 */
static gboolean
find_work (TaskerRunner  *self,
           TaskerJob    **job,
           TaskerJob    **open)
{
  TaskerCore *core = self->core;
  gboolean found;

  found = fill_hand (self, open);

  if (!found && (self->searching || g_atomic_int_get (&core->n_searching) == 0))
    {
      set_searching (self, TRUE);
      tasker_core_unlock (core);
      look_out (self);
      tasker_core_lock (core);
      found = fill_hand (self, open);
    }

  /* From here on, who adds a job starts a runner again: one last look. */
  set_searching (self, FALSE);
  if (!found)
    {
      g_atomic_int_set (&core->saturated, FALSE);
      found = fill_hand (self, open);
    }
  if (!found)
    leave (self);
  *job = tasker_hand_claim (&self->hand);
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
  tasker_core_gather_hand (self->core, &self->hand);
  leave (self);
  tasker_core_kick (self->core);
  tasker_core_unlock (self->core);
}

/* The pool */

/* What asks for a thread and nothing else. */
#define PROBE ((gpointer) &n_refused)

static void run (gpointer data,
                 gpointer user_data);

static GMutex pool_lock;
static GThreadPool *the_pool; /* atomic; written under the lock */
static GQueue unpushed;       /* runners that there was no pool for; likewise */

static gpointer
do_nothing (gpointer data)
{
  return data;
}

/* Newer GLibs start a thread for the first pool of a process, and some of them
 * never recover where that is refused: so it is tried with one of ours before. */
static GThreadPool *
try_new_pool (void)
{
  GThread *probe = g_thread_try_new ("tasker-probe", do_nothing, NULL, NULL);

  if (probe == NULL)
    return NULL;

  g_thread_join (probe);

  return g_thread_pool_new (run, NULL, -1, FALSE, NULL);
}

/* Returns: (nullable): the pool */
static GThreadPool *
get_pool (void)
{
  gpointer runner;

  if (g_atomic_pointer_get (&the_pool) != NULL)
    return the_pool;

  g_mutex_lock (&pool_lock);
  if (the_pool == NULL)
    g_atomic_pointer_set (&the_pool, try_new_pool ());
  while (the_pool != NULL && (runner = g_queue_pop_head (&unpushed)) != NULL)
    g_thread_pool_push (the_pool, runner, NULL);
  g_mutex_unlock (&pool_lock);

  return g_atomic_pointer_get (&the_pool);
}

/* Returns: whether there is a thread for it. If not, it is kept, but for what asks
 * for a thread and nothing else. */
static gboolean
push_or_keep (gpointer data)
{
  GThreadPool *pool = get_pool ();

  if (pool == NULL && data != PROBE)
    {
      g_mutex_lock (&pool_lock);
      pool = the_pool;
      if (pool == NULL)
        g_queue_push_tail (&unpushed, data);
      g_mutex_unlock (&pool_lock);
    }

  return pool != NULL && g_thread_pool_push (pool, data, NULL);
}

/* Whether runners wait because a thread was refused. */
static gboolean
has_waiting_runners (void)
{
  int seen = g_atomic_int_get (&n_refused);
  GThreadPool *pool;

  if (seen == 0)
    return FALSE;
  pool = get_pool ();
  if (pool == NULL || g_thread_pool_unprocessed (pool) > 0)
    return TRUE;

  /* Unless one was refused just now. */
  return !g_atomic_int_compare_and_exchange (&n_refused, seen, 0);
}

static void
live (TaskerCore *core)
{
  TaskerRunner self;
  TaskerCurrent current = { .core = core, .hand = &self.hand, .runner = &self };
  TaskerJob *job;
  TaskerJob *open;

  self.core = core;
  self.current = &current;
  self.placed = FALSE;
  self.lent = FALSE;
  self.makes_way = FALSE;
  self.stocked = FALSE;
  self.searching = TRUE;
  self.limit = 1;
  self.claimed = NULL;
  self.timed_at = 0;
  self.room_given = 0;
  tasker_hand_init (&self.hand, TRUE, get_thread_id ());
  tasker_current_push (&current);

  tasker_core_lock (core);
  g_queue_push_tail_link (&core->hands, &self.hand.link);

  while (find_work (&self, &job, &open))
    {
      if (open != NULL)
        help (&self, open);
      work (&self, job);
      if (has_waiting_runners ())
        {
          step_aside (&self);
          break;
        }
      lock_politely (&self);
      empty_hand (&self);
    }

  tasker_current_pop (&current);
}

static void
run (gpointer data,
     gpointer user_data)
{
  if (data == PROBE)
    return;

  live (data);
  tasker_core_unref (data);
  tasker_worker_idle ();
}

gboolean
tasker_runner_short_of_threads (void)
{
  return has_waiting_runners () || tasker_service_is_missing ();
}

/* Asks for the threads that were refused. The pool kept what was to run in
 * them, so nothing is pushed again. */
gboolean
tasker_runner_retry (void)
{
  tasker_service_retry ();

  if (!has_waiting_runners ())
    return TRUE;

  return get_pool () != NULL && g_thread_pool_set_max_threads (get_pool (), -1, NULL);
}

static gboolean
on_retry_timer (gpointer user_data)
{
  tasker_runner_retry ();

  /* As long as the next one that is refused would start no timer. */
  return has_waiting_runners () ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
push (gpointer data)
{
  if (push_or_keep (data))
    return TRUE;

  if (g_atomic_int_add (&n_refused, 1) == 0)
    tasker_service_add_timer (RETRY_INTERVAL_MS, on_retry_timer, NULL, NULL);

  return FALSE;
}

gboolean
tasker_runner_start (TaskerCore *core)
{
  return push (tasker_core_ref (core));
}

gboolean
tasker_runner_have_thread (GError **error)
{
  GThreadPool *pool = get_pool ();

  if (pool != NULL && g_thread_pool_get_num_threads (pool) > 0)
    return TRUE;
  if (has_waiting_runners () ? tasker_runner_retry () : push (PROBE))
    return TRUE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_NO_THREAD,
                       _("The process cannot get a single thread for its tasks"));
  return FALSE;
}
