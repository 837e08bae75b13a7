/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for stoppers on main loops: see the header. A stop may end very many
 * waits at once, so no object is made for each of them, and they share a way into
 * their main context. */

#include "tasker-stop-wait-private.h"

#include "tasker-home-private.h"

/* After how many callbacks to look at the clock, as long as they take no longer than
 * that. */
#define CLOCK_INTERVAL 4
#define QUICK_US 100

/* The result that a callback gets. There is nothing in it, so one serves for many
 * waits, unless somebody keeps it. */
#define TASKER_TYPE_REPLY (tasker_reply_get_type ())
G_DECLARE_FINAL_TYPE (TaskerReply, tasker_reply, TASKER, REPLY, GObject)

struct _TaskerReply
{
  GObject        parent_instance;

  TaskerStopper *stopper;
  gboolean       holds_stopper;
  gpointer       user_data;
};

static gpointer
tasker_reply_get_user_data (GAsyncResult *result)
{
  return TASKER_REPLY (result)->user_data;
}

static GObject *
tasker_reply_get_source_object (GAsyncResult *result)
{
  return g_object_ref (G_OBJECT (TASKER_REPLY (result)->stopper));
}

static gboolean
tasker_reply_is_tagged (GAsyncResult *result,
                        gpointer      source_tag)
{
  return source_tag == tasker_stopper_wait_async;
}

static void
tasker_reply_async_result_init (GAsyncResultIface *iface)
{
  iface->get_user_data = tasker_reply_get_user_data;
  iface->get_source_object = tasker_reply_get_source_object;
  iface->is_tagged = tasker_reply_is_tagged;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TaskerReply, tasker_reply, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, tasker_reply_async_result_init))

static void
tasker_reply_finalize (GObject *object)
{
  TaskerReply *self = TASKER_REPLY (object);

  if (self->holds_stopper)
    g_object_unref (self->stopper);

  G_OBJECT_CLASS (tasker_reply_parent_class)->finalize (object);
}

static void
tasker_reply_class_init (TaskerReplyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tasker_reply_finalize;
}

static void
tasker_reply_init (TaskerReply *self)
{
}

gboolean
tasker_stop_wait_is_reply (GAsyncResult  *result,
                           TaskerStopper *stopper)
{
  return TASKER_IS_REPLY (result) && TASKER_REPLY (result)->stopper == stopper;
}

/* Calls those back, in one main context, who wait for stoppers of one group, or of
 * none. It is held by the waits, and by the home that is to tell it; the core knows
 * it. One for stoppers of no group has a core of its own, and is among the loose. */
typedef struct
{
  TaskerHomeClient client; /* first */
  TaskerCore      *core;
  gboolean         loose;
  GList            link;   /* in the core's heralds, or the loose */
  int              n_refs; /* atomic; what has none any more gets none */
  TaskerStopWait  *inbox;  /* atomic: to be called back, the latest first */
  TaskerStopWait  *due;    /* the same, but in order; these in the main context only */
  TaskerStopWait  *last;   /* of them, if there is one */
} TaskerHerald;

struct _TaskerStopWait
{
  TaskerStopWait      *next;
  TaskerHerald        *herald;
  TaskerStopper       *stopper;
  gboolean             holds_stopper;
  GAsyncReadyCallback  callback;
  gpointer             user_data;
};

static GMutex loose_lock;
static GQueue loose = G_QUEUE_INIT;

static gboolean
tasker_herald_try_ref (TaskerHerald *self)
{
  int n_refs = g_atomic_int_get (&self->n_refs);

  while (n_refs > 0)
    if (g_atomic_int_compare_and_exchange_full (&self->n_refs, n_refs, n_refs + 1, &n_refs))
      return TRUE;

  return FALSE;
}

static void
tasker_herald_unref (TaskerHerald *self)
{
  if (!g_atomic_int_dec_and_test (&self->n_refs))
    return;

  if (self->loose)
    {
      g_mutex_lock (&loose_lock);
      g_queue_unlink (&loose, &self->link);
      g_mutex_unlock (&loose_lock);
    }
  else
    {
      tasker_core_lock (self->core);
      g_queue_unlink (&self->core->heralds, &self->link);
      tasker_core_unlock (self->core);
    }

  tasker_home_client_clear (&self->client);
  tasker_core_unref (self->core);
  g_free (self);
}

static void
tasker_stop_wait_free (TaskerStopWait *self)
{
  tasker_herald_unref (self->herald);
  if (self->holds_stopper)
    g_object_unref (self->stopper);
  g_free (self);
}

static void
have_told (TaskerHerald *self)
{
  tasker_core_lock (self->core);
  if (self->client.home == NULL && tasker_herald_try_ref (self))
    tasker_home_client_tell (&self->client, self->core);
  tasker_core_unlock (self->core);
}

/* From when it is in the inbox it may be called back, and gone, at any time, and its
 * herald with it. Takes the wait over. */
static void
announce (TaskerStopWait *wait)
{
  TaskerHerald *self = wait->herald;
  TaskerStopWait *former = g_atomic_pointer_get (&self->inbox);
  gboolean held = FALSE;

  do
    {
      held = held || (former == NULL && tasker_herald_try_ref (self));
      wait->next = former;
    }
  while (!g_atomic_pointer_compare_and_exchange_full (&self->inbox, former, wait, &former));

  if (former == NULL)
    have_told (self);
  if (held)
    tasker_herald_unref (self);
}

/* Returns: the chain the other way round */
static TaskerStopWait *
reverse (TaskerStopWait *chain)
{
  TaskerStopWait *reversed = NULL;

  while (chain != NULL)
    {
      TaskerStopWait *next = chain->next;

      tasker_prefetch_later (chain, next, sizeof *chain);
      chain->next = reversed;
      reversed = chain;
      chain = next;
    }

  return reversed;
}

static void
empty_inbox (TaskerHerald *self)
{
  TaskerStopWait *latest = g_atomic_pointer_exchange (&self->inbox, NULL);

  if (latest == NULL)
    return;

  if (self->due == NULL)
    self->due = reverse (latest);
  else
    self->last->next = reverse (latest);
  self->last = latest;
}

static TaskerStopWait *
take_due (TaskerHerald *self)
{
  TaskerStopWait *wait = self->due;

  if (wait == NULL)
    return NULL;

  self->due = g_steal_pointer (&wait->next);
  if (self->due != NULL)
    {
      tasker_prefetch (self->due->next, sizeof *wait);
      tasker_prefetch_stopper (self->due->stopper);
    }

  return wait;
}

/* Returns: (nullable): the reply, if it can be used once more */
static TaskerReply *
call_back (TaskerStopWait *wait,
           TaskerReply    *reply)
{
  if (wait->callback == NULL)
    return reply;

  if (reply == NULL)
    reply = g_object_new (TASKER_TYPE_REPLY, NULL);
  reply->stopper = wait->stopper;
  reply->user_data = wait->user_data;
  wait->callback (G_OBJECT (wait->stopper), G_ASYNC_RESULT (reply), wait->user_data);

  if (g_atomic_int_get ((int *) &G_OBJECT (reply)->ref_count) == 1)
    return reply;

  g_object_ref (reply->stopper);
  reply->holds_stopper = TRUE;
  g_object_unref (reply);

  return NULL;
}

/* Looks at the clock. Returns: whether there is time for @n_unseen callbacks more */
static gboolean
has_time (gint64  end,
          gint64 *looked_at,
          guint  *n_unseen)
{
  gint64 now = g_get_monotonic_time ();

  *n_unseen = now - *looked_at < QUICK_US ? CLOCK_INTERVAL : 1;
  *looked_at = now;

  return now < end;
}

/* In the main context. A callback may iterate that until another one was called, so
 * it is told once more in any case. */
static gboolean
tell (gpointer client,
      gint64   end)
{
  TaskerHerald *self = client;
  TaskerReply *reply = NULL;
  TaskerStopWait *wait;
  gint64 looked_at = g_get_monotonic_time ();
  guint n_unseen = 1;

  empty_inbox (self);
  if (self->due != NULL && self->due->next != NULL)
    have_told (self);

  while ((wait = take_due (self)) != NULL)
    {
      reply = call_back (wait, reply);
      tasker_stop_wait_free (wait);
      if (--n_unseen == 0 && !has_time (end, &looked_at, &n_unseen))
        break;
    }

  g_clear_object (&reply);
  tasker_herald_unref (self);

  return FALSE;
}

static TaskerHerald *
tasker_herald_new (TaskerCore   *core,
                   GMainContext *context)
{
  TaskerHerald *self = g_new0 (TaskerHerald, 1);

  tasker_home_client_init (&self->client, NULL, context, G_PRIORITY_DEFAULT, tell);
  self->core = core != NULL ? tasker_core_ref (core) : tasker_core_new ();
  self->loose = core == NULL;
  self->link.data = self;
  self->n_refs = 1;

  return self;
}

/* Returns: (transfer full): the one among @heralds that is for the context, or a new
 *   one, which is in there then */
static TaskerHerald *
ref_among (GQueue       *heralds,
           TaskerCore   *core,
           GMainContext *context)
{
  TaskerHerald *self;

  for (GList *l = heralds->head; l != NULL; l = l->next)
    {
      self = l->data;
      if (self->client.context == context && tasker_herald_try_ref (self))
        return self;
    }

  self = tasker_herald_new (core, context);
  g_queue_push_tail_link (heralds, &self->link);

  return self;
}

/* Returns: (transfer full): the herald for the thread's context */
static TaskerHerald *
ref_herald (TaskerCore *core)
{
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();
  TaskerHerald *self;

  if (core == NULL)
    {
      g_mutex_lock (&loose_lock);
      self = ref_among (&loose, NULL, context);
      g_mutex_unlock (&loose_lock);
    }
  else
    {
      tasker_core_lock (core);
      self = ref_among (&core->heralds, core, context);
      tasker_core_unlock (core);
    }

  return self;
}

TaskerStopWait *
tasker_stop_wait_new (TaskerStopper       *stopper,
                      TaskerCore          *core,
                      gboolean             holds,
                      GAsyncReadyCallback  callback,
                      gpointer             user_data)
{
  TaskerStopWait *self = g_new (TaskerStopWait, 1);

  self->next = NULL;
  self->herald = ref_herald (core);
  self->stopper = holds ? g_object_ref (stopper) : stopper;
  self->holds_stopper = holds;
  self->callback = callback;
  self->user_data = user_data;

  return self;
}

void
tasker_stop_wait_add (TaskerStopWait  *self,
                      TaskerStopWait **chain)
{
  TaskerStopWait *former = g_atomic_pointer_get (chain);

  do
    self->next = former;
  while (!g_atomic_pointer_compare_and_exchange_full (chain, former, self, &former));
}

void
tasker_stop_wait_move (TaskerStopWait **chain,
                       TaskerStopWait **other)
{
  TaskerStopWait *next;

  for (TaskerStopWait *self = g_atomic_pointer_exchange (chain, NULL); self != NULL; self = next)
    {
      next = self->next;
      tasker_stop_wait_add (self, other);
    }
}

void
tasker_stop_wait_drop (TaskerStopWait **chain)
{
  TaskerStopWait *next;

  for (TaskerStopWait *self = g_atomic_pointer_exchange (chain, NULL); self != NULL; self = next)
    {
      next = self->next;
      tasker_stop_wait_free (self);
    }
}

void
tasker_stop_wait_announce (TaskerStopWait **chain)
{
  TaskerStopWait *next;

  for (TaskerStopWait *self = reverse (g_atomic_pointer_exchange (chain, NULL)); self != NULL; self = next)
    {
      next = self->next;

      /* Its task may end before it is called back. */
      if (!self->holds_stopper)
        g_object_ref (self->stopper);
      self->holds_stopper = TRUE;
      announce (self);
    }
}
