/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All waiting for groups and tasks, blocking and on a main loop. */

#include "tasker-waiter-private.h"

#include <glib/gi18n-lib.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "tasker-current-private.h"
#include "tasker-error.h"
#include "tasker-home-private.h"
#include "tasker-runner-private.h"
#include "tasker-task-private.h"

/* How often to look whether a thread is to be had again, or a context is left
 * that somebody ran. */
#define LOOK_INTERVAL_US (50 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  TaskerHomeClient client; /* first; is told when it is over, if it does not block */
  TaskerWait    wait;
  GList         link;      /* in the waiters of the core, or of the task */
  GList         sleeper;   /* in the sleepers of the core, if it blocks */
  gboolean      cancelled;
  gboolean      done;
  GError       *error;

  /* If it blocks */
  GCond         cond;
  GMainContext *context;   /* what this thread may iterate meanwhile, or NULL */
  gboolean      iterating;
  gboolean      woken;     /* since it last looked */
  gboolean      scarce;    /* it asks for threads that were refused, from time to time */

  /* If it does not */
  GTask        *result;
  GSource      *cancel_source;
} TaskerWaiter;

/* With the core's lock held */

static GQueue *
get_waiters (TaskerWaiter *self)
{
  return self->wait.task != NULL ? tasker_task_get_waiters (self->wait.task)
                                 : &self->wait.core->waiters;
}

/* Whether a forgotten handle would hold it up for ever: who waits for any task expects
 * that more are added, and a shutdown, which has its phases, does not wait for handles. */
static gboolean
is_join (TaskerWaiter *self)
{
  return self->wait.for_all && !self->wait.for_any && self->wait.settled == NULL;
}

static void
link_waiter (TaskerWaiter *self)
{
  self->link.data = self;
  g_queue_push_tail_link (get_waiters (self), &self->link);

  if (self->wait.task != NULL || self->wait.for_any)
    g_atomic_int_inc (&self->wait.core->eager);
  if (self->wait.for_room)
    g_atomic_int_inc (&self->wait.core->n_cramped);
  if (is_join (self))
    self->wait.core->n_joiners++;
}

static void
unlink_waiter (TaskerWaiter *self)
{
  g_queue_unlink (get_waiters (self), &self->link);

  if (self->wait.task != NULL || self->wait.for_any)
    g_atomic_int_add (&self->wait.core->eager, -1);
  if (self->wait.for_room)
    g_atomic_int_add (&self->wait.core->n_cramped, -1);
  if (is_join (self))
    self->wait.core->n_joiners--;
}

static gboolean
look (TaskerWaiter *self)
{
  gboolean ready = self->wait.ready (self->wait.core, self->wait.data, &self->error);

  if (!ready && self->cancelled)
    g_set_error_literal (&self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                         _("The wait was cancelled"));
  if ((ready || self->cancelled) && self->wait.settled != NULL)
    self->wait.settled (self->wait.data);

  return ready || self->cancelled;
}

static void
wake (TaskerWaiter *self)
{
  self->woken = TRUE;
  if (self->result != NULL)
    tasker_home_client_tell (&self->client, self->wait.core);
  else if (self->iterating)
    g_main_context_wakeup (self->context);
  else
    g_cond_signal (&self->cond);
}

void
tasker_waiter_settle (TaskerCore *core,
                      GQueue     *waiters)
{
  GList *next;

  for (GList *l = waiters->head; l != NULL; l = next)
    {
      TaskerWaiter *self = l->data;

      next = l->next;
      if (!look (self))
        continue;

      unlink_waiter (self);
      self->done = TRUE;
      wake (self);
    }
}

/* Has those who block see whether they have to iterate their context. */
void
tasker_waiter_nudge (TaskerCore *core)
{
  for (GList *l = core->sleepers.head; l != NULL; l = l->next)
    wake (l->data);
}

/* Threads were refused: who blocks is to know. */
void
tasker_waiter_warn (TaskerCore *core)
{
  for (GList *l = core->sleepers.head; l != NULL; l = l->next)
    if (!((TaskerWaiter *) l->data)->scarce)
      wake (l->data);
}

static void
cancel (TaskerWaiter *self)
{
  TaskerCore *core = self->wait.core;

  tasker_core_lock (core);
  self->cancelled = TRUE;
  if (!self->done)
    tasker_waiter_settle (core, get_waiters (self));
  tasker_core_unlock (core);
}

/* Blocking */

static void
on_blocking_cancelled (GCancellable *cancellable,
                       gpointer      waiter)
{
  cancel (waiter);
}

static gboolean
is_main_thread (void)
{
#ifdef __linux__
  return syscall (SYS_gettid) == getpid ();
#else
  return tasker_current_get () == NULL;
#endif
}

/* The default context is for the main thread alone, also while that does not
 * run it: another thread is no place for widgets. */
GMainContext *
tasker_waiter_get_own_context (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  if (context == NULL && is_main_thread ())
    context = g_main_context_default ();

  return context;
}

gboolean
tasker_waiter_is_at_home (GMainContext *context)
{
  return tasker_waiter_get_own_context () == context || g_main_context_is_owner (context);
}

/* Whether the group has something to do in the thread's own context. */
static gboolean
has_own_work (TaskerWaiter *self)
{
  GHashTable *contexts = self->wait.core->contexts;

  return self->context != NULL && contexts != NULL &&
         g_hash_table_contains (contexts, self->context);
}

static gboolean
acquire_context (TaskerWaiter *self)
{
  return has_own_work (self) && g_main_context_acquire (self->context);
}

/* Whether a part of what is waited for is in contexts that are not the thread's
 * own. */
static gboolean
has_work_elsewhere (TaskerWaiter *self)
{
  GHashTable *contexts = self->wait.core->contexts;

  return contexts != NULL && g_hash_table_size (contexts) > (has_own_work (self) ? 1 : 0);
}

/* Those contexts, but for the main one, which is not for other threads. */
static GPtrArray *
ref_others (TaskerWaiter *self)
{
  GPtrArray *others = g_ptr_array_new_with_free_func ((GDestroyNotify) g_main_context_unref);
  GHashTableIter iter;
  gpointer context;

  g_hash_table_iter_init (&iter, self->wait.core->contexts);
  while (g_hash_table_iter_next (&iter, &context, NULL))
    if (context != self->context && context != g_main_context_default ())
      g_ptr_array_add (others, g_main_context_ref (context));

  return others;
}

/* Not more than one iteration: there may be a source in it that is ready for
 * ever. */
static gboolean
run_if_orphan (GMainContext *context)
{
  gboolean dispatched;

  if (!g_main_context_acquire (context))
    return FALSE;

  g_main_context_push_thread_default (context);
  dispatched = g_main_context_iteration (context, FALSE);
  g_main_context_pop_thread_default (context);
  g_main_context_release (context);

  return dispatched;
}

/* Runs those that nobody runs, for nobody else will; and each, for what is to
 * be done in one may wait for what is to be done in another. Returns whether
 * something was done. */
static gboolean
run_orphans (TaskerWaiter *self)
{
  TaskerCore *core = self->wait.core;
  g_autoptr(GPtrArray) others = NULL;
  gboolean dispatched = FALSE;

  if (!has_work_elsewhere (self))
    return FALSE;

  others = ref_others (self);
  tasker_core_unlock (core);
  for (guint i = 0; i < others->len; i++)
    dispatched = run_if_orphan (others->pdata[i]) || dispatched;
  tasker_core_lock (core);

  return dispatched;
}

/* Sleeps for a while only, when there is something that nobody tells us of. */
static void
sleep_a_little (TaskerWaiter *self)
{
  TaskerCore *core = self->wait.core;

  if (!self->woken)
    g_cond_wait_until (&self->cond, &core->lock, g_get_monotonic_time () + LOOK_INTERVAL_US);
}

static gboolean
on_alarm (gpointer user_data)
{
  return G_SOURCE_REMOVE;
}

/* Has an iteration of the context end in time. */
static GSource *
attach_alarm (GMainContext *context,
              gint64        end)
{
  GSource *source = g_timeout_source_new (0);

  g_source_set_static_name (source, "[tasker] wait");
  g_source_set_callback (source, on_alarm, NULL, NULL);
  g_source_set_ready_time (source, end);
  g_source_attach (source, context);

  return source;
}

/* Runs the thread's own context, which was acquired, once. */
static void
iterate (TaskerWaiter *self,
         gboolean      may_block)
{
  TaskerCore *core = self->wait.core;

  self->iterating = TRUE;
  tasker_core_unlock (core);
  g_main_context_iteration (self->context, may_block);
  g_main_context_release (self->context);
  tasker_core_lock (core);
  self->iterating = FALSE;
}

/* The same, but for a while only. */
static void
iterate_a_little (TaskerWaiter *self)
{
  g_autoptr(GSource) alarm = attach_alarm (self->context, g_get_monotonic_time () + LOOK_INTERVAL_US);

  iterate (self, TRUE);
  g_source_destroy (alarm);
}

static void
sleep_once (TaskerWaiter *self)
{
  TaskerCore *core = self->wait.core;
  gboolean dispatched;

  self->woken = FALSE;
  self->scarce = tasker_runner_short_of_threads ();
  if (self->scarce)
    tasker_runner_retry ();
  dispatched = run_orphans (self);

  if (acquire_context (self))
    {
      if (dispatched || self->woken)
        iterate (self, FALSE);
      else if (self->scarce || has_work_elsewhere (self))
        iterate_a_little (self);
      else
        iterate (self, TRUE);
    }
  else if (dispatched)
    {
      return;
    }
  else if (self->scarce || has_work_elsewhere (self) || has_own_work (self))
    {
      sleep_a_little (self);
    }
  else if (!self->woken)
    {
      g_cond_wait (&self->cond, &core->lock);
    }
}

/* The job on a main loop that the thread is inside of, and that has a place to
 * lend, or NULL. Its home may just be releasing one of another kind. */
static TaskerHomeJob *
get_placed_job (TaskerCurrent *current)
{
  if (current->home == NULL || current->job == NULL || tasker_job_get_kind (current->job)->step == NULL)
    return NULL;

  return ((TaskerHomeJob *) current->job)->placed ? (TaskerHomeJob *) current->job : NULL;
}

/* Lends the place that a function which waits here would keep: that of a runner,
 * or of a job on a main loop. While it waits it may iterate a context, and wait
 * in there once more. Returns whose it is, or NULL. */
static TaskerCurrent *
lend (TaskerCore *core)
{
  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    {
      if (l->core != core)
        continue;

      if (l->runner != NULL)
        {
          if (!l->runner->placed || l->runner->lent)
            return NULL;
          l->runner->lent = TRUE;
          tasker_core_lend (core, FALSE);
          return l;
        }

      if (get_placed_job (l) != NULL)
        {
          get_placed_job (l)->placed = FALSE;
          tasker_core_lend (core, TRUE);
          return l;
        }
    }

  return NULL;
}

/* Waits until it has its place back. */
static void
reclaim (TaskerWaiter  *self,
         TaskerCurrent *lender)
{
  TaskerCore *core = self->wait.core;

  tasker_core_reclaim (core);
  while (!tasker_core_take_back (core, lender->runner == NULL))
    sleep_once (self);

  if (lender->runner != NULL)
    lender->runner->lent = FALSE;
  else
    ((TaskerHomeJob *) lender->job)->placed = TRUE;
}

/* With the core's lock held. */
static void
sleep_until_done (TaskerWaiter *self)
{
  TaskerCore *core = self->wait.core;
  TaskerCurrent *lender;

  link_waiter (self);
  /* Who ends a task after this sees that somebody is eager; it may have ended
   * since the last look. */
  tasker_core_gather (core);
  tasker_waiter_settle (core, get_waiters (self));
  if (self->done)
    return;

  self->sleeper.data = self;
  g_queue_push_tail_link (&core->sleepers, &self->sleeper);
  lender = lend (core);

  /* What that has led to must not wait for us. */
  tasker_core_unlock (core);
  tasker_core_lock (core);

  while (!self->done)
    sleep_once (self);

  if (lender != NULL)
    reclaim (self, lender);
  g_queue_unlink (&core->sleepers, &self->sleeper);
}

/* Whether a task is inside of what is waited for: of the group or the task
 * itself, or of a group below. A group does not lose its parent while a task of
 * it runs. */
static gboolean
is_inside (const TaskerCurrent *current,
           const TaskerWait    *wait)
{
  TaskerJob *waited_for = wait->task != NULL ? tasker_task_get_job (wait->task) : NULL;
  TaskerCore *core = current->core;
  TaskerJob *job = current->job;

  if (core == wait->core && wait->for_all)
    return TRUE;
  if (job == NULL)
    return FALSE;

  while (core != NULL)
    {
      TaskerCore *parent;

      if (core == wait->core && (wait->for_all || (job != NULL && job == waited_for)))
        return TRUE;

      g_mutex_lock (&core->lock);
      job = (TaskerJob *) core->child_job;
      parent = core->parent;
      g_mutex_unlock (&core->lock);
      core = parent;
    }

  return FALSE;
}

/* Whether the wait could never end, as far as can be told. */
static gboolean
is_deadlock (const TaskerWait *wait)
{
  if (tasker_in_cancelled_handler ())
    return TRUE;

  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    if (is_inside (l, wait))
      return TRUE;

  return FALSE;
}

gboolean
tasker_waiter_can_wait (const TaskerWait  *wait,
                        GError           **error)
{
  if (!is_deadlock (wait))
    return TRUE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK,
                       _("A wait that could never end, for it is inside of what it waits for"));
  return FALSE;
}

/*
 * tasker_waiter_wait:
 *
 * Blocks until what is waited for is there. If it is, a cancelled
 * @cancellable does not matter.
 *
 * Fails with %G_IO_ERROR_CANCELLED, with %TASKER_ERROR_DEADLOCK, or with what
 * the ready function set.
 */
gboolean
tasker_waiter_wait (const TaskerWait  *wait,
                    GCancellable      *cancellable,
                    GError           **error)
{
  TaskerWaiter self = { .wait = *wait };
  gulong handler = 0;

  if (!tasker_waiter_can_wait (wait, error))
    return FALSE;

  g_cond_init (&self.cond);

  tasker_core_lock (wait->core);
  tasker_core_gather (wait->core);
  self.done = look (&self);
  tasker_core_unlock (wait->core);

  if (!self.done)
    self.context = tasker_waiter_get_own_context ();
  if (!self.done && cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_blocking_cancelled), &self, NULL);

  tasker_core_lock (wait->core);
  tasker_core_gather (wait->core);
  if (!self.done && !look (&self))
    sleep_until_done (&self);
  self.done = TRUE;
  tasker_core_unlock (wait->core);

  g_cancellable_disconnect (cancellable, handler);
  g_cond_clear (&self.cond);

  if (self.error != NULL)
    {
      g_propagate_error (error, self.error);
      return FALSE;
    }

  return TRUE;
}

/* Sleeping */

static void
on_sleep_cancelled (GCancellable *cancellable,
                    gpointer      waiter)
{
  TaskerWaiter *self = waiter;

  tasker_core_lock (self->wait.core);
  self->cancelled = TRUE;
  wake (self);
  tasker_core_unlock (self->wait.core);
}

/* With the core's lock held. Where somebody else runs the context, it may be
 * left to us later, and nobody tells us. */
static void
doze (TaskerWaiter *self,
      gint64        end)
{
  self->woken = FALSE;
  if (acquire_context (self))
    {
      iterate (self, TRUE);
      return;
    }

  if (has_own_work (self))
    end = MIN (end, g_get_monotonic_time () + LOOK_INTERVAL_US);
  g_cond_wait_until (&self->cond, &self->wait.core->lock, end);
}

/*
 * tasker_waiter_sleep:
 * @stopper: what wakes it up
 * @end: until when, in monotonic time; %G_MAXINT64 for ever
 *
 * Sleeps, and runs the thread's own context as long as the group has something
 * to do there. Nothing is waited for, so other contexts do not matter.
 *
 * Returns: %FALSE, at once, if the thread has no context of its own
 */
gboolean
tasker_waiter_sleep (TaskerCore   *core,
                     GCancellable *stopper,
                     gint64        end)
{
  TaskerWaiter self = { .wait = { .core = core }, .context = tasker_waiter_get_own_context () };
  g_autoptr(GSource) alarm = NULL;
  gulong handler;

  if (self.context == NULL)
    return FALSE;

  if (end != G_MAXINT64)
    alarm = attach_alarm (self.context, end);
  g_cond_init (&self.cond);
  handler = g_cancellable_connect (stopper, G_CALLBACK (on_sleep_cancelled), &self, NULL);

  tasker_core_lock (core);
  /* It is for others to ask for threads. */
  self.scarce = TRUE;
  self.sleeper.data = &self;
  g_queue_push_tail_link (&core->sleepers, &self.sleeper);
  while (!self.cancelled && g_get_monotonic_time () < end)
    doze (&self, end);
  g_queue_unlink (&core->sleepers, &self.sleeper);
  tasker_core_unlock (core);

  g_cancellable_disconnect (stopper, handler);
  g_cond_clear (&self.cond);
  if (alarm != NULL)
    g_source_destroy (alarm);

  return TRUE;
}

/* On a main loop */

static void
tasker_waiter_free (TaskerWaiter *self)
{
  if (self->cancel_source != NULL)
    g_source_destroy (self->cancel_source);
  g_clear_pointer (&self->cancel_source, g_source_unref);
  tasker_home_client_clear (&self->client);
  g_clear_object (&self->wait.task);
  tasker_core_unref (self->wait.core);
  g_clear_error (&self->error);
  g_object_unref (self->result);
  g_free (self);
}

/* Through the hand-over, even in the right context: whoever ended the wait, by
 * finishing a handle perhaps, does not expect to be called back inside of that. */
static gboolean
deliver (gpointer client,
         gint64   end)
{
  TaskerWaiter *self = client;

  if (self->error != NULL && self->wait.undo != NULL)
    self->wait.undo (self->wait.data);

  if (self->error != NULL)
    g_task_return_error (self->result, g_steal_pointer (&self->error));
  else
    g_task_return_boolean (self->result, TRUE);
  tasker_waiter_free (self);

  return FALSE;
}

static gboolean
on_async_cancelled (GCancellable *cancellable,
                    gpointer      waiter)
{
  cancel (waiter);

  return G_SOURCE_REMOVE;
}

/*
 * tasker_waiter_wait_async:
 * @result: what is to return, TRUE or an error, in its own context
 *
 * The same on a main loop, which finds no deadlock.
 */
void
tasker_waiter_wait_async (const TaskerWait *wait,
                          GTask            *result)
{
  TaskerCore *core = wait->core;
  TaskerWaiter *self = g_new0 (TaskerWaiter, 1);
  GCancellable *cancellable = g_task_get_cancellable (result);

  self->wait = *wait;
  self->result = g_object_ref (result);
  tasker_core_ref (core);
  if (wait->task != NULL)
    g_object_ref (wait->task);

  /* The cancellable is heard by the wait itself, which may just have ended. */
  g_task_set_check_cancellable (result, FALSE);
  tasker_home_client_init (&self->client, NULL, g_task_get_context (result),
                           g_task_get_priority (result), deliver);
  if (cancellable != NULL)
    {
      self->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancel_source, G_SOURCE_FUNC (on_async_cancelled), self, NULL);
      g_source_attach (self->cancel_source, g_task_get_context (result));
    }

  tasker_core_lock (core);
  link_waiter (self);
  tasker_core_gather (core);
  tasker_waiter_settle (core, get_waiters (self));
  tasker_core_unlock (core);
}
