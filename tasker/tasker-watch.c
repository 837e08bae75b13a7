/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is told of what changes in a group: see the header. */

#include "tasker-watch-private.h"

#include "tasker-service-private.h"

/* How many watchers are asked at one change whether they are listened to, so
 * that a group with many handles does not pay for each. When all of its tasks
 * have ended, or when something changed that seldom does, all are asked; and also
 * some time after a change at which not all were. */
#define MAX_ASKED 8
#define ASK_DELAY_MS 50

/* How long a main loop that was told may take before it seems to wait for the processor;
 * and after how long something else seems to hold it up. */
#define LATE_US 1000
#define BLOCKED_US 20000

void
tasker_watcher_init (TaskerWatcher   *self,
                     gpointer         object,
                     guint            wanted,
                     TaskerHeardFunc  is_heard,
                     TaskerTellFunc   tell)
{
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();

  tasker_home_client_init (&self->client, tasker_weak_new (object), context, G_PRIORITY_DEFAULT, tell);
  self->link.data = self;
  self->object = object;
  self->is_heard = is_heard;
  self->wanted = wanted;
}

void
tasker_watcher_clear (TaskerWatcher *self)
{
  tasker_home_client_clear (&self->client);
}

/* With the core's lock held */

static void
move (TaskerWatcher *self,
      GQueue        *queue)
{
  if (self->queue != NULL)
    g_queue_unlink (self->queue, &self->link);
  if (queue != NULL)
    g_queue_push_tail_link (queue, &self->link);
  self->queue = queue;
}

/* It is not on its way to look any more. */
static void
forget (TaskerWatcher *self,
        TaskerCore    *core)
{
  tasker_home_client_leave (&self->client);
  core->told_at = 0;
}

void
tasker_watcher_join (TaskerWatcher *self,
                     TaskerCore    *core)
{
  move (self, self->is_heard != NULL ? &core->unheard : &core->listened);
  tasker_watch_arm (core);
}

void
tasker_watcher_leave (TaskerWatcher *self,
                      TaskerCore    *core)
{
  move (self, NULL);
  forget (self, core);
}

/* From here on the next change is looked for at once, until all who want to
 * know are told. Who calls this gathers after it. */
void
tasker_watch_arm (TaskerCore *core)
{
  g_atomic_int_set (&core->armed_for_spawns, TRUE);
  if (core->armed)
    return;

  g_atomic_int_set (&core->armed, TRUE);
  g_atomic_int_inc (&core->eager);
}

static void
disarm (TaskerCore *core)
{
  if (!core->armed)
    return;

  g_atomic_int_set (&core->armed, FALSE);
  g_atomic_int_add (&core->eager, -1);
}

/* Who is listened to by now is told of all for which others were asked. */
static void
ask (TaskerCore *core,
     guint       n_asked)
{
  while (n_asked-- > 0)
    {
      TaskerWatcher *self = g_queue_peek_head (&core->unheard);
      gboolean heard = self->is_heard (self->object);

      move (self, heard ? &core->listened : &core->unheard);
      if (heard)
        self->changed |= self->wanted & core->unasked;
    }
}

static void
ask_unheard (TaskerCore *core,
             guint       changed)
{
  guint n_unheard = core->unheard.length;
  guint n_asked = n_unheard;

  if (tasker_core_get_n_live (core) > 0 && (changed & TASKER_CHANGE_SELDOM) == 0)
    n_asked = MIN (n_asked, MAX_ASKED);

  core->unasked |= changed;
  ask (core, n_asked);
  if (n_asked == n_unheard)
    core->unasked = 0;
  else if (core->unasked != 0 && !core->asks_later)
    core->todo.ask_later = core->asks_later = TRUE;
}

static void
tell (TaskerWatcher *self,
      TaskerCore    *core)
{
  tasker_home_client_tell (&self->client, core);
  if (core->told_at == 0)
    core->told_at = g_get_monotonic_time ();
}

/* Whether a main loop has yet to look at what it was told of, and seems to wait for the
 * processor. */
gboolean
tasker_watch_is_late (TaskerCore *core)
{
  gint64 age;

  if (core->told_at == 0)
    return FALSE;

  age = g_get_monotonic_time () - core->told_at;

  return age > LATE_US && age < BLOCKED_US;
}

/* Has everybody told who wants to know of what has changed; the ancestors are told
 * when the lock is open, whoever it was who has called this. Returns: what those
 * want to know who were not told of anything */
static guint
tell_all (TaskerCore *core)
{
  guint changed = core->changed;
  guint awaited = 0;

  core->changed = 0;
  core->climbs = core->climbs || (changed & TASKER_CHANGE_ANY_PROGRESS) != 0;
  ask_unheard (core, changed);

  for (GList *l = core->listened.head; l != NULL; l = l->next)
    {
      TaskerWatcher *self = l->data;

      self->changed |= self->wanted & changed;
      if (self->changed != 0)
        tell (self, core);
      if (self->client.home == NULL)
        awaited |= self->wanted;
    }

  return awaited;
}

/* Something has changed. */
void
tasker_watch_settle (TaskerCore *core)
{
  guint awaited = tell_all (core);

  if (awaited == 0)
    disarm (core);
  g_atomic_int_set (&core->armed_for_spawns, (awaited & TASKER_CHANGE_SPAWNED) != 0);
}

static gboolean
on_ask_timer (gpointer user_data)
{
  TaskerCore *core = user_data;

  tasker_core_lock (core);
  core->asks_later = FALSE;
  ask (core, core->unheard.length);
  core->unasked = 0;
  tasker_watch_settle (core);
  tasker_core_unlock (core);

  return G_SOURCE_REMOVE;
}

/* Has those asked who were not; without the lock. */
void
tasker_watch_ask_later (TaskerCore *core)
{
  tasker_service_add_timer (ASK_DELAY_MS, on_ask_timer,
                            tasker_core_ref (core), (GDestroyNotify) tasker_core_unref);
}

/* Something has changed that @self, if there is one, says itself at once. */
void
tasker_watch_change (TaskerCore    *core,
                     guint          changed,
                     TaskerWatcher *self)
{
  guint before = self != NULL ? self->changed : 0;

  core->changed |= changed;
  tasker_watch_settle (core);

  if (self == NULL || self->changed == 0)
    return;

  self->changed &= before | ~changed;
  if (self->changed == 0)
    {
      forget (self, core);
      /* It is not on its way to look for itself. */
      tasker_watch_arm (core);
      tasker_core_gather (core);
    }
}

/* For who is being told: what has changed up to this moment. If there is nobody
 * who listens any more, that is the last time. */
guint
tasker_watcher_take (TaskerWatcher *self,
                     TaskerCore    *core)
{
  guint changed;

  tasker_watch_arm (core);
  tasker_core_gather (core);
  tell_all (core);

  forget (self, core);
  changed = self->changed;
  self->changed = 0;
  if (self->is_heard != NULL && self->queue == &core->listened && !self->is_heard (self->object))
    move (self, &core->unheard);

  return changed;
}
