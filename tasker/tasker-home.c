/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hand-over to main loops: see the header. */

#include "tasker-home-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-current-private.h"
#include "tasker-waiter-private.h"

/* How long one dispatch may take, and how long one step of a task. */
#define BATCH_TIME_US (4 * G_TIME_SPAN_MILLISECOND)
#define STEP_TIME_US (50 * G_TIME_SPAN_MILLISECOND)

/* How many releases are done before steps get their turn. */
#define RELEASE_BURST 16

static TaskerHomeJob *
from_job (TaskerJob *job)
{
  return (TaskerHomeJob *) job;
}

/* With the core's lock held */

/* The context has to be woken only when something comes to where there was
 * nothing. */
static void
wake (TaskerHome *self)
{
  if (g_atomic_int_get (&self->pending))
    return;

  g_atomic_int_set (&self->pending, TRUE);
  g_main_context_wakeup (self->context);
  if (self->n_jobs > 0)
    tasker_waiter_nudge (self->core);
}

static gint64
get_first_due (TaskerHome *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->timed);

  return g_sequence_iter_is_end (first) ? -1 : ((TaskerTimedJob *) g_sequence_get (first))->due;
}

static int
compare_due (gconstpointer a,
             gconstpointer b,
             gpointer      user_data)
{
  gint64 first = ((const TaskerTimedJob *) a)->due;
  gint64 second = ((const TaskerTimedJob *) b)->due;

  return (first > second) - (first < second);
}

static TaskerJobList *
get_list (TaskerHome      *self,
          TaskerHomeWhere  where)
{
  switch (where)
    {
    case TASKER_AT_QUEUED:
      return &self->queued;
    case TASKER_AT_READY:
      return &self->ready;
    case TASKER_AT_WAITING:
      return &self->waiting;
    case TASKER_AT_NO_HOME:
    case TASKER_AT_HAND:
    case TASKER_AT_TIMED:
    default:
      return NULL;
    }
}

static void
move (TaskerHomeJob   *job,
      TaskerHomeWhere  where)
{
  TaskerHome *self = job->home;
  TaskerJobList *from = get_list (self, job->where);
  TaskerJobList *to = get_list (self, where);

  if (from != NULL)
    tasker_job_list_remove (from, &job->job);
  else if (job->where == TASKER_AT_TIMED)
    g_sequence_remove (((TaskerTimedJob *) job)->timed);
  else if (job->where == TASKER_AT_HAND)
    tasker_hand_detach (tasker_current_get ()->hand, &job->job);

  if (to != NULL)
    tasker_job_list_push (to, &job->job);
  else if (where == TASKER_AT_TIMED)
    ((TaskerTimedJob *) job)->timed = g_sequence_insert_sorted (self->timed, job, compare_due, NULL);

  job->where = where;
}

/* Takes a job from where it waits to where it is stepped; if it does not wait
 * it is there, or will be. */
void
tasker_home_ready (TaskerHomeJob *job)
{
  if (job->where != TASKER_AT_TIMED && job->where != TASKER_AT_WAITING)
    return;

  move (job, TASKER_AT_READY);
  wake (job->home);
}

/* A job was asked to end. If that is to be seen now, has it seen. */
void
tasker_home_doom (TaskerHomeJob *job,
                  gboolean       abort)
{
  /* What has not begun, and will not, does not wait for a place. */
  if (job->where == TASKER_AT_QUEUED && tasker_job_is_doomed (&job->job))
    {
      move (job, TASKER_AT_READY);
      job->home->core->n_home_queued--;
      wake (job->home);
    }
  else if (abort || job->where == TASKER_AT_TIMED)
    {
      tasker_home_ready (job);
    }
}

void
tasker_home_again (TaskerHomeJob *job)
{
  move (job, TASKER_AT_READY);
}

void
tasker_home_again_at (TaskerTimedJob *job,
                      gint64          due)
{
  job->due = due;
  move (&job->home, TASKER_AT_TIMED);
}

void
tasker_home_wait (TaskerHomeJob *job)
{
  move (job, TASKER_AT_WAITING);
}

/* As long as there are jobs, who waits for the group runs the context. */
static void
count_job (TaskerHome *self,
           int         change)
{
  if (self->n_jobs == 0)
    tasker_core_use_context (self->core, self->context, 1);
  self->n_jobs += (guint) change;
  if (self->n_jobs == 0)
    tasker_core_use_context (self->core, self->context, -1);
}

/* A job of the home was counted as ended. */
void
tasker_home_left (TaskerHomeJob *job)
{
  TaskerHome *self = job->home;

  count_job (self, -1);
  if (job->placed)
    {
      tasker_core_hold (self->core, -1);
      if (self->core->max_running > 0)
        tasker_core_kick (self->core);
    }
  /* It is for the home itself to go. */
  if (self->n_jobs == 0)
    wake (self);
}

/* What must not begin any more does not wait behind what runs always, and that for
 * a place. */
static void
sweep_queued (TaskerHome  *self,
              TaskerLevel  level)
{
  TaskerJob *next;

  for (TaskerJob *job = self->queued.head; job != NULL; job = next)
    {
      next = job->next;
      if (TASKER_MAY_BEGIN (job, level))
        continue;
      tasker_job_doom (job, level == TASKER_LEVEL_ABORTED);
      tasker_home_doom (from_job (job), FALSE);
    }
}

/* Has the ones see the stop who would not be called before: intervals at the
 * stop, what waits for its owner at the abort. */
void
tasker_home_sweep (TaskerCore  *core,
                   TaskerLevel  level)
{
  for (GList *l = core->homes.head; l != NULL; l = l->next)
    {
      TaskerHome *self = l->data;

      sweep_queued (self, level);
      while (!g_sequence_is_empty (self->timed))
        tasker_home_ready (g_sequence_get (g_sequence_get_begin_iter (self->timed)));
      while (level == TASKER_LEVEL_ABORTED && self->waiting.head != NULL)
        tasker_home_ready (from_job (self->waiting.head));
      if (self->starved)
        wake (self);
    }
}

/* There is a place again, for somebody who waits for one. */
void
tasker_home_feed (TaskerCore *core)
{
  for (GList *l = core->homes.head; l != NULL; l = l->next)
    {
      TaskerHome *self = l->data;

      if (self->starved)
        wake (self);
    }
}

void
tasker_home_foreach (TaskerCore *core,
                     GFunc       func,
                     gpointer    user_data)
{
  for (GList *l = core->homes.head; l != NULL; l = l->next)
    {
      TaskerHome *self = l->data;

      tasker_job_list_foreach (&self->waiting, func, user_data);
      g_sequence_foreach (self->timed, func, user_data);
      tasker_job_list_foreach (&self->ready, func, user_data);
      tasker_job_list_foreach (&self->releases, func, user_data);
      tasker_job_list_foreach (&self->queued, func, user_data);
    }
}

static gboolean
wants_place (TaskerHome    *self,
             TaskerHomeJob *job)
{
  return !job->placed && tasker_core_may_begin (self->core, &job->job);
}

/* Takes a place for a job that begins, if there is one. It counts as soon as there
 * is a bound, so it is taken without one, too. */
static gboolean
take_place (TaskerHome    *self,
            TaskerHomeJob *job)
{
  if (!wants_place (self, job))
    return TRUE;
  if (!tasker_core_has_place_for_home (self->core))
    return FALSE;

  tasker_core_hold (self->core, 1);
  job->placed = TRUE;

  return TRUE;
}

static void
set_starved (TaskerHome *self,
             gboolean    starved)
{
  if (self->starved == starved)
    return;

  self->starved = starved;
  tasker_core_starve (self->core, starved ? 1 : -1);
}

/* The first one that can begin, or %NULL. */
static TaskerHomeJob *
take_queued (TaskerHome *self)
{
  TaskerHomeJob *job = from_job (self->queued.head);

  set_starved (self, job != NULL && !take_place (self, job));
  if (job == NULL || self->starved)
    return NULL;

  self->core->n_home_queued--;

  return job;
}

/* In turn one that goes on and one that begins; so neither waits for all of the
 * others, and those that have a place get on while the others wait for one. */
static int
take_jobs (TaskerHome  *self,
           TaskerJob  **jobs)
{
  int n_jobs = 0;
  TaskerHomeJob *job;

  do
    {
      job = from_job (self->ready.head);
      if (job != NULL)
        {
          move (job, TASKER_AT_HAND);
          jobs[n_jobs++] = &job->job;
        }

      job = take_queued (self);
      if (job != NULL)
        {
          move (job, TASKER_AT_HAND);
          jobs[n_jobs++] = &job->job;
        }
    }
  while (n_jobs < TASKER_HAND_SIZE - 1 && (job != NULL || self->ready.head != NULL));

  return n_jobs;
}

static void
take_due (TaskerHome *self)
{
  gint64 now = self->now;
  gint64 due;

  while ((due = get_first_due (self)) != -1 && due <= now)
    tasker_home_ready (g_sequence_get (g_sequence_get_begin_iter (self->timed)));
}

/* Gives back what there was no time for, in its order. A job that got a place
 * keeps it. */
static void
put_back (TaskerHome *self,
          TaskerHand *hand)
{
  TaskerJob *jobs[TASKER_HAND_SIZE];
  int n_jobs = tasker_hand_take (hand, FALSE, TASKER_HAND_SIZE, jobs);

  while (n_jobs > 0)
    {
      TaskerHomeJob *job = from_job (jobs[--n_jobs]);
      gboolean queued = g_atomic_int_get (&job->job.state) == TASKER_TASK_STATE_QUEUED;

      job->where = queued ? TASKER_AT_QUEUED : TASKER_AT_READY;
      tasker_job_list_push_front (get_list (self, job->where), &job->job);
      self->core->n_home_queued += queued ? 1 : 0;
    }
}

/* That it was starved when it looked last does not say that it is now: the first
 * job may be one that was put back with its place, and others may have ended. */
static gboolean
has_queued_work (TaskerHome *self)
{
  TaskerHomeJob *job = from_job (self->queued.head);

  return job != NULL && (!self->starved || !wants_place (self, job) ||
                         tasker_core_has_place_for_home (self->core));
}

static gboolean
has_work (TaskerHome *self)
{
  return self->ready.head != NULL || self->releases.head != NULL ||
         has_queued_work (self) || !g_queue_is_empty (&self->clients);
}

static gboolean
is_idle (TaskerHome *self)
{
  return self->depth == 0 && self->n_jobs == 0 && g_queue_is_empty (&self->clients);
}

/* From here on another home takes its place. The source is removed when the lock
 * is open, since that may free the context, and what else is in there. */
static void
leave_core (TaskerHome *self)
{
  g_queue_unlink (&self->core->homes, &self->link);
  self->gone = TRUE;
  set_starved (self, FALSE);
}

/* Takes a client out, so that it can be told. */
static gpointer
take_client (TaskerHome     *self,
             guint           turn,
             TaskerTellFunc *tell)
{
  TaskerHomeClient *client = g_queue_peek_head (&self->clients);

  /* What comes back while this turn lasts is for the next one. */
  if (client == NULL || (int) (client->turn - turn) >= 0)
    return NULL;

  g_queue_unlink (&self->clients, &client->link);
  client->home = NULL;
  *tell = client->tell;

  return client;
}

/* In its own context */

/* To GLib a source whose time has come is ready, whatever it says itself. So it has
 * no time until it has rested. */
static void
set_ready_time (TaskerHome *self)
{
  gint64 due = self->rest || self->resting ? -1 : self->due;

  if (g_source_get_ready_time (&self->source) != due)
    g_source_set_ready_time (&self->source, due);
}

/* For each step, when its function has returned: keeps the time, and logs a step
 * that held up its loop, once for each task. */
void
tasker_home_clock (TaskerHomeJob *job)
{
  TaskerHome *self = job->home;
  gint64 now = g_get_monotonic_time ();

  if (now - self->now > STEP_TIME_US && !job->slow)
    {
      g_autofree char *title = tasker_job_dup_title (&job->job);

      job->slow = TRUE;
      g_message (_("%s held up its main loop for %d ms in one step"),
                 title, (int) ((now - self->now) / G_TIME_SPAN_MILLISECOND));
    }
  self->now = now;
}

/* Returns: whether there was a job */
static gboolean
fill_hand (TaskerHome *self,
           TaskerHand *hand)
{
  int n_jobs;

  /* Not each step looks at the clock. */
  self->now = g_get_monotonic_time ();
  tasker_core_lock (self->core);
  tasker_core_gather_hand (self->core, hand);
  take_due (self);
  n_jobs = take_jobs (self, hand->slots);
  tasker_hand_fill (hand, n_jobs);
  /* For a dispatch in this one. */
  if (n_jobs > 0)
    g_atomic_int_set (&self->pending, TRUE);
  tasker_core_unlock (self->core);
  /* That may have freed much. */
  self->now = g_get_monotonic_time ();

  return n_jobs > 0;
}

/* Has the owners of async tasks told what has become of them. */
static void
tell_news (TaskerHome    *self,
           TaskerCurrent *current)
{
  current->job = NULL;
  if (tasker_news_tell (&self->news))
    self->now = g_get_monotonic_time ();
}

/* Returns: whether there was a client */
static gboolean
tell_client (TaskerHome *self,
             guint       turn,
             gint64      end)
{
  TaskerHomeClient *client;
  TaskerTellFunc tell;
  g_autoptr(TaskerWeak) weak = NULL;
  g_autoptr(GObject) object = NULL;
  gboolean itself;

  tasker_core_lock (self->core);
  client = take_client (self, turn, &tell);
  /* From here on the client is there for as long as its object. */
  itself = client != NULL && client->weak == NULL;
  if (client != NULL && !itself)
    weak = tasker_weak_ref (client->weak);
  tasker_core_unlock (self->core);

  if (weak != NULL)
    object = tasker_weak_get (weak);
  if (itself)
    tell (client, end);
  else if (object != NULL && tell (object, end))
    {
      tasker_core_lock (self->core);
      tasker_home_client_tell (client, self->core);
      tasker_core_unlock (self->core);
    }
  self->now = g_get_monotonic_time ();

  return client != NULL;
}

/* Clients have half of the time, if there are jobs that want the rest. */
static void
tell_clients (TaskerHome *self,
              guint       turn,
              gboolean    alone,
              gint64      end)
{
  if (!alone)
    end -= BATCH_TIME_US / 2;

  while (self->now < end && tell_client (self, turn, end));
}

/* The jobs that come next, and what belongs to the first of them. */
static void
prefetch_next (TaskerHand *hand)
{
  int head = g_atomic_int_get (&hand->head);

  if (head + 2 < hand->tail)
    tasker_prefetch (hand->slots[head + 2], sizeof (TaskerHomeJob));
  if (head < hand->tail && hand->slots[head]->face != NULL)
    tasker_prefetch_stopper (hand->slots[head]->face);
}

/* Steps through what is in hand, as far as there is time. */
static void
step_through (TaskerHome    *self,
              TaskerCurrent *current,
              gint64         end)
{
  while (self->now < end && (current->job = tasker_hand_claim (current->hand)) != NULL)
    {
      gboolean releases = current->job->data_free != NULL;

      prefetch_next (current->hand);
      tasker_job_get_kind (current->job)->step (current->job, self->core);
      /* What it costs to release data is not laid to the next step. */
      if (releases && current->job == NULL)
        self->now = g_get_monotonic_time ();
      if (tasker_news_is_full (&self->news))
        tell_news (self, current);
    }
  tell_news (self, current);
}

/* Returns: whether there was a job to be released */
static gboolean
release_one (TaskerHome    *self,
             TaskerCurrent *current)
{
  tasker_core_lock (self->core);
  current->job = tasker_job_list_pop (&self->releases);
  if (current->job != NULL)
    {
      tasker_job_list_push (&self->core->detached, current->job);
      count_job (self, -1);
    }
  tasker_core_unlock (self->core);

  if (current->job == NULL)
    return FALSE;

  tasker_core_end_released (self->core, current->job);
  self->now = g_get_monotonic_time ();

  return TRUE;
}

/* Some at once, but not so many that steps would wait for all. */
static gboolean
release_some (TaskerHome    *self,
              TaskerCurrent *current,
              gint64         end)
{
  guint n_released = 0;

  while (n_released < RELEASE_BURST && self->now < end && release_one (self, current))
    n_released++;

  return n_released > 0;
}

static void
work (TaskerHome    *self,
      TaskerCurrent *current,
      gint64         end)
{
  gboolean more;

  do
    {
      more = release_some (self, current, end);
      if (self->now < end && fill_hand (self, current->hand))
        {
          step_through (self, current, end);
          more = TRUE;
        }
    }
  while (more && self->now < end);

  current->job = NULL;
}

/* What the dispatches around this one have in hand would wait for a step that
 * perhaps waits for it. */
static void
put_back_outer (TaskerHome *self)
{
  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    if (l->home == self)
      put_back (self, l->hand);
}

/* Returns: %FALSE if the home has gone */
static gboolean
open_hand (TaskerHome *self,
           TaskerHand *hand,
           gboolean   *alone)
{
  gboolean gone;

  tasker_hand_init (hand, FALSE, 0);

  tasker_core_lock (self->core);
  gone = self->gone;
  if (!gone)
    {
      if (self->depth++ > 0)
        put_back_outer (self);
      self->turn++;
      *alone = self->n_jobs == 0;
      g_queue_push_tail_link (&self->core->hands, &hand->link);
    }
  tasker_core_unlock (self->core);

  return !gone;
}

/* Returns: whether the home has still something to wait for */
static gboolean
close_hand (TaskerHome *self,
            TaskerHand *hand)
{
  gboolean stays;

  tasker_core_lock (self->core);
  self->depth--;
  tasker_core_gather_hand (self->core, hand);
  put_back (self, hand);
  g_queue_unlink (&self->core->hands, &hand->link);
  g_atomic_int_set (&self->pending, has_work (self));
  self->due = get_first_due (self);
  set_ready_time (self);
  stays = !is_idle (self);
  if (!stays)
    {
      leave_core (self);
      self->core->tired = self->rest ? self->context : NULL;
    }
  tasker_core_unlock (self->core);

  return stays;
}

/* Is not recursive by itself: each call has a hand of its own. */
static gboolean
tasker_home_dispatch (GSource     *source,
                      GSourceFunc  callback,
                      gpointer     user_data)
{
  TaskerHome *self = (TaskerHome *) source;
  TaskerHand hand;
  TaskerCurrent current = { .core = self->core, .hand = &hand, .home = self };
  gboolean alone;
  gint64 end;

  if (!open_hand (self, &hand, &alone))
    return G_SOURCE_REMOVE;

  self->now = g_get_monotonic_time ();
  end = self->now + BATCH_TIME_US;
  tell_clients (self, self->turn, alone, end);

  tasker_current_push (&current);
  work (self, &current, end);
  tasker_current_pop (&current);
  self->rest = self->now >= end;

  return close_hand (self, &hand) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
tasker_home_prepare (GSource *source,
                     int     *timeout)
{
  TaskerHome *self = (TaskerHome *) source;
  gboolean rested = self->resting;

  self->resting = self->rest;
  self->rest = FALSE;
  if (rested)
    set_ready_time (self);
  *timeout = self->resting ? 0 : -1;

  return !self->resting && g_atomic_int_get (&self->pending);
}

static gboolean
tasker_home_check (GSource *source)
{
  TaskerHome *self = (TaskerHome *) source;

  return !self->resting && g_atomic_int_get (&self->pending);
}

static void
tasker_home_finalize (GSource *source)
{
  TaskerHome *self = (TaskerHome *) source;

  g_sequence_free (self->timed);
  g_main_context_unref (self->context);
  tasker_core_unref (self->core);
}

static GSourceFuncs tasker_home_funcs =
{
  .prepare = tasker_home_prepare,
  .check = tasker_home_check,
  .dispatch = tasker_home_dispatch,
  .finalize = tasker_home_finalize,
};

/* With the core's lock held */

static TaskerHome *
find_home (TaskerCore   *core,
           GMainContext *context,
           int           priority)
{
  for (GList *l = core->homes.head; l != NULL; l = l->next)
    {
      TaskerHome *home = l->data;

      if (home->context == context && g_source_get_priority (&home->source) == priority)
        return home;
    }

  return NULL;
}

static TaskerHome *
get_home (TaskerCore   *core,
          GMainContext *context,
          int           priority)
{
  TaskerHome *self = find_home (core, context, priority);
  GSource *source;

  if (self != NULL)
    return self;

  source = g_source_new (&tasker_home_funcs, sizeof (TaskerHome));
  g_source_set_static_name (source, "[tasker] home");
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE);

  self = (TaskerHome *) source;
  self->core = tasker_core_ref (core);
  self->context = g_main_context_ref (context);
  self->timed = g_sequence_new (NULL);
  self->link.data = self;
  self->due = -1;
  self->rest = core->tired == context;
  core->tired = NULL;
  g_queue_push_head_link (&core->homes, &self->link);

  g_source_attach (source, context);
  g_source_unref (source);

  return self;
}

void
tasker_home_adopt (TaskerCore    *core,
                   TaskerHomeJob *job)
{
  GMainContext *context = job->context;

  if (context == NULL)
    context = g_main_context_get_thread_default ();
  if (context == NULL)
    context = g_main_context_default ();

  job->home = get_home (core, context, job->job.priority);
  count_job (job->home, 1);
  /* From here on the home keeps the context, and a result that is kept for
   * long does not. */
  g_clear_pointer (&job->context, g_main_context_unref);
  core->n_home_queued++;
  move (job, TASKER_AT_QUEUED);
  wake (job->home);
  tasker_home_doom (job, FALSE);
}

/* The data of a job of another kind is to be released there. */
void
tasker_home_adopt_release (TaskerCore   *core,
                           GMainContext *context,
                           TaskerJob    *job)
{
  TaskerHome *self = get_home (core, context, job->priority);

  count_job (self, 1);
  tasker_job_list_push (&self->releases, job);
  wake (self);
}

/* A full task's home is where it is added, which may be some time before there
 * is room for it. */
void
tasker_home_job_settle (TaskerJob *job)
{
  if (tasker_job_get_kind (job)->step == NULL || from_job (job)->context != NULL)
    return;

  from_job (job)->context = g_main_context_ref_thread_default ();
  from_job (job)->settled = TRUE;
}

/* It was not added, and where it is then is its home. */
void
tasker_home_job_unsettle (TaskerJob *job)
{
  if (tasker_job_get_kind (job)->step == NULL || !from_job (job)->settled)
    return;

  g_clear_pointer (&from_job (job)->context, g_main_context_unref);
  from_job (job)->settled = FALSE;
}

void
tasker_home_job_free (TaskerJob *job)
{
  g_clear_pointer (&from_job (job)->context, g_main_context_unref);
}

/* Clients */

void
tasker_home_client_init (TaskerHomeClient *self,
                         TaskerWeak       *weak,
                         GMainContext     *context,
                         int               priority,
                         TaskerTellFunc    tell)
{
  self->link.data = self;
  self->context = g_main_context_ref (context);
  self->weak = weak;
  self->priority = priority;
  self->tell = tell;
}

void
tasker_home_client_clear (TaskerHomeClient *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->weak, tasker_weak_unref);
}

void
tasker_home_client_tell (TaskerHomeClient *self,
                         TaskerCore       *core)
{
  if (self->home != NULL)
    return;

  self->home = get_home (core, self->context, self->priority);
  self->turn = self->home->turn;
  g_queue_push_tail_link (&self->home->clients, &self->link);
  wake (self->home);
}

/* Its home may be in a context that nobody will ever run again, so it does not
 * wait there for its end. */
void
tasker_home_client_leave (TaskerHomeClient *self)
{
  TaskerHome *home = g_steal_pointer (&self->home);

  if (home == NULL)
    return;

  g_queue_unlink (&home->clients, &self->link);
  if (is_idle (home))
    {
      leave_core (home);
      home->core->todo.homes = g_slist_prepend (home->core->todo.homes, g_source_ref (&home->source));
    }
}

void
tasker_home_destroy (GSList *homes)
{
  for (GSList *l = homes; l != NULL; l = l->next)
    {
      g_source_destroy (l->data);
      g_source_unref (l->data);
    }
  g_slist_free (homes);
}
