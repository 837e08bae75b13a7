/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a group within a bound: stop, wait, abort, wait a last moment, and
 * name those who are left.
 *
 * The phases follow a timer on the service thread, so that they come whatever
 * the thread that waits is busy with, and cost nothing while nothing happens. */

#include "tasker-shutdown-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-child-private.h"
#include "tasker-dump-private.h"
#include "tasker-error.h"
#include "tasker-service-private.h"
#include "tasker-waiter-private.h"

/* How many of those who are left are named. */
#define MAX_NAMES 10

/* How long aborted tasks still have: a part of the grace, within bounds. */
#define LAST_MOMENT_PART 10
#define MIN_LAST_MOMENT_MS 100
#define MAX_LAST_MOMENT_MS 1000

typedef enum
{
  PHASE_GRACE,   /* until half of the grace is over, which is told */
  PHASE_OVERRUN, /* until the rest of it is */
  PHASE_ABORTED, /* the last moment */
  PHASE_GIVEN_UP,
} TaskerPhase;

typedef struct
{
  TaskerCore  *core;
  guint        grace_ms;
  TaskerPhase  phase; /* under the core's lock */
  gboolean     settled; /* likewise: it is decided how the wait ends */
  GSource     *timer; /* likewise; %NULL when nobody waits any more */
} TaskerShutdown;

/* Down the tree, without recursion. */

/* Handles that are open hold up neither this group any more nor those below; but
 * for those that are yet to be asked (@all: aborted, they are not). What does not
 * stop with its parent is waited for as long as it has something to do. */
static void
let_go_of_handles (TaskerCore *core,
                   gboolean    all)
{
  GQueue rest = G_QUEUE_INIT;
  TaskerCore *next = tasker_core_ref (core);

  for (; next != NULL; next = g_queue_pop_head (&rest))
    {
      gboolean in_order;

      /* A child that comes after this is shut from its beginning; what came
       * before is found below. */
      tasker_core_lock (next);
      tasker_core_shut (next);
      in_order = next->in_order;
      tasker_core_unlock (next);
      if (all || !in_order)
        tasker_child_collect (next, TASKER_LEVEL_ABORTED, &rest);
      tasker_core_unref (next);
    }
}

/* Asks a group and those below to stop. Where children go one after the other,
 * the first of them is asked when the lock is let go of. */
static void
shut (TaskerCore *core)
{
  GQueue rest = G_QUEUE_INIT;
  TaskerCore *next = tasker_core_ref (core);

  for (; next != NULL; next = g_queue_pop_head (&rest))
    {
      gboolean in_order;

      tasker_source_raise_alone (&next->source, TASKER_LEVEL_STOPPED);
      tasker_core_lock (next);
      in_order = next->in_order = next->ordered_shutdown;
      tasker_core_unlock (next);
      if (!in_order)
        tasker_child_collect (next, TASKER_LEVEL_STOPPED, &rest);
      tasker_core_unref (next);
    }
  let_go_of_handles (core, FALSE);
}

TaskerCore *
tasker_shutdown_take_next (TaskerCore *core)
{
  TaskerCore *last = g_queue_peek_tail (&core->children);

  if (last == NULL || last->asked)
    return NULL;

  last->asked = TRUE;

  return tasker_core_ref (last);
}

static gboolean
on_next (gpointer core)
{
  shut (core);

  return G_SOURCE_REMOVE;
}

/* On the service thread: who was the last one to let go of a child may be deep
 * in something else. */
void
tasker_shutdown_shut_next (TaskerCore *child)
{
  tasker_service_add_timer (0, on_next, child, (GDestroyNotify) tasker_core_unref);
}

/* Who would not stop */

/* Returns: (nullable): a list for people, or %NULL if nobody is left */
static char *
describe_left (TaskerCore *core,
               guint      *n_left)
{
  g_autoptr(GPtrArray) left = tasker_core_list_ignoring (core, MAX_NAMES, n_left);
  GString *text;

  if (*n_left == 0)
    return NULL;

  text = g_string_new (left->pdata[0]);
  for (guint i = 1; i < left->len; i++)
    g_string_append_printf (text, ", %s", (const char *) left->pdata[i]);
  if (*n_left > left->len)
    g_string_append_printf (text, g_dngettext (GETTEXT_PACKAGE, " and %u more", " and %u more", *n_left - left->len),
                            *n_left - left->len);

  return g_string_free (text, FALSE);
}

static void
warn_of_left (TaskerShutdown *self)
{
  guint n_left;
  g_autofree char *left = describe_left (self->core, &n_left);
  const char *name = self->core->name != NULL ? self->core->name : "";

  if (left == NULL)
    return;

  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
                    "TASKER_GROUP", name,
                    "TASKER_TASKS", left,
                    "MESSAGE",
                    g_dngettext (GETTEXT_PACKAGE,
                                 "Group “%s” is shutting down, and half of its time is over; %u task goes on: %s",
                                 "Group “%s” is shutting down, and half of its time is over; %u tasks go on: %s",
                                 n_left),
                    name, n_left, left);
}

/* The phases */

static TaskerShutdown *
tasker_shutdown_new (TaskerCore *core,
                     guint       grace_ms)
{
  TaskerShutdown *self = g_atomic_rc_box_new0 (TaskerShutdown);

  self->core = tasker_core_ref (core);
  self->grace_ms = grace_ms;

  return self;
}

static void
tasker_shutdown_clear (gpointer data)
{
  tasker_core_unref (((TaskerShutdown *) data)->core);
}

static void
tasker_shutdown_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, tasker_shutdown_clear);
}

static guint
get_duration_ms (TaskerShutdown *self)
{
  switch (self->phase)
    {
    case PHASE_GRACE:
      return self->grace_ms / 2;
    case PHASE_OVERRUN:
      return self->grace_ms - self->grace_ms / 2;
    case PHASE_ABORTED:
      return CLAMP (self->grace_ms / LAST_MOMENT_PART, MIN_LAST_MOMENT_MS, MAX_LAST_MOMENT_MS);
    case PHASE_GIVEN_UP:
    default:
      g_return_val_if_reached (0);
    }
}

static void
set_timer (TaskerShutdown *self)
{
  g_source_set_ready_time (self->timer,
                           g_get_monotonic_time () + get_duration_ms (self) * G_TIME_SPAN_MILLISECOND);
}

/* On the service thread. Once it is decided that the wait was cancelled, nothing is
 * aborted; so the group is marked under the lock under which that is. */
static gboolean
on_phase_over (gpointer user_data)
{
  TaskerShutdown *self = user_data;
  TaskerSource *source = &self->core->source;
  TaskerPhase phase = PHASE_GIVEN_UP;
  g_autoptr(GPtrArray) stoppers = NULL;
  gboolean marked = FALSE;

  tasker_core_lock (self->core);
  /* Also if the wait is over: it may be long until somebody comes for its result. */
  if (self->timer != NULL)
    g_source_set_ready_time (self->timer, -1);
  if (self->timer != NULL && !self->settled)
    {
      phase = ++self->phase;
      if (phase < PHASE_GIVEN_UP)
        set_timer (self);
    }
  if (phase == PHASE_ABORTED)
    marked = tasker_source_mark (source, TASKER_LEVEL_ABORTED, &stoppers);
  tasker_core_unlock (self->core);

  if (phase == PHASE_OVERRUN)
    warn_of_left (self);
  if (marked)
    tasker_source_spread (source, TASKER_LEVEL_ABORTED, stoppers);
  if (phase == PHASE_ABORTED)
    let_go_of_handles (self->core, TRUE);

  return G_SOURCE_CONTINUE;
}

static void
start_timer (TaskerShutdown *self)
{
  GSource *timer = tasker_service_new_alarm (on_phase_over, g_atomic_rc_box_acquire (self), tasker_shutdown_unref);

  tasker_core_lock (self->core);
  self->timer = timer;
  set_timer (self);
  tasker_core_unlock (self->core);
}

/* From here on the phases come. */
static void
begin (TaskerShutdown *self)
{
  if (self->grace_ms > 0)
    {
      shut (self->core);
    }
  else
    {
      tasker_source_raise (&self->core->source, TASKER_LEVEL_ABORTED);
      let_go_of_handles (self->core, TRUE);
      self->phase = PHASE_ABORTED;
    }

  if (self->grace_ms != G_MAXUINT)
    start_timer (self);
}

/* Nobody waits any more. */
static void
stop_timer (TaskerShutdown *self)
{
  g_autoptr(GSource) timer = NULL;

  tasker_core_lock (self->core);
  timer = g_steal_pointer (&self->timer);
  tasker_core_unlock (self->core);

  if (timer != NULL)
    g_source_destroy (timer);
}

static void
end (gpointer self)
{
  stop_timer (self);
  tasker_shutdown_unref (self);
}

/* The waits */

/* A ready function. */
static gboolean
is_shut_down (TaskerCore  *core,
              gpointer     data,
              GError     **error)
{
  TaskerShutdown *self = data;

  tasker_core_look (core);
  if (tasker_core_is_empty (core))
    return TRUE;
  if (self->phase < PHASE_GIVEN_UP)
    return FALSE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT, "");
  return TRUE;
}

/* Has the error name those who are left: without the lock, for some may be in
 * groups below. If the last one has just ended after all, so be it. */
static gboolean
name_left (TaskerShutdown  *self,
           GError          *error,
           GError         **named)
{
  g_autofree char *left = NULL;
  guint n_left;

  if (!g_error_matches (error, TASKER_ERROR, TASKER_ERROR_TIMED_OUT))
    {
      g_propagate_error (named, error);
      return FALSE;
    }

  g_error_free (error);
  left = describe_left (self->core, &n_left);
  if (left == NULL)
    return TRUE;

  g_set_error (named, TASKER_ERROR, TASKER_ERROR_TIMED_OUT,
               g_dngettext (GETTEXT_PACKAGE,
                            "%u task would not stop: %s",
                            "%u tasks would not stop: %s",
                            n_left),
               n_left, left);
  return FALSE;
}

static void
settle (gpointer data)
{
  ((TaskerShutdown *) data)->settled = TRUE;
}

static TaskerWait
get_wait (TaskerShutdown *self)
{
  return (TaskerWait) { .core = self->core, .for_all = TRUE, .ready = is_shut_down, .data = self, .settled = settle };
}

gboolean
tasker_shutdown_wait (TaskerCore    *core,
                      guint          grace_ms,
                      GCancellable  *cancellable,
                      GError       **error)
{
  TaskerShutdown *self = tasker_shutdown_new (core, grace_ms);
  TaskerWait wait = get_wait (self);
  GError *local_error = NULL;
  gboolean done = FALSE;

  if (tasker_waiter_can_wait (&wait, error))
    {
      begin (self);
      done = tasker_waiter_wait (&wait, cancellable, &local_error) ||
             name_left (self, local_error, error);
    }
  end (self);

  return done;
}

void
tasker_shutdown_wait_async (TaskerCore *core,
                            guint       grace_ms,
                            GTask      *result)
{
  TaskerShutdown *self = tasker_shutdown_new (core, grace_ms);
  TaskerWait wait = get_wait (self);

  g_task_set_task_data (result, self, end);
  begin (self);
  tasker_waiter_wait_async (&wait, result);
}

gboolean
tasker_shutdown_wait_finish (GTask   *result,
                             GError **error)
{
  TaskerShutdown *self = g_task_get_task_data (result);
  GError *local_error = NULL;

  /* The result may be held for long, by a garbage collector. */
  stop_timer (self);

  return g_task_propagate_boolean (result, &local_error) || name_left (self, local_error, error);
}
