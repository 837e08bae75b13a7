/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-stopper-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-current-private.h"
#include "tasker-deadline-private.h"
#include "tasker-error.h"
#include "tasker-stop-wait-private.h"
#include "tasker-task-private.h"
#include "tasker-waiter-private.h"

/**
 * TaskerStopper:
 *
 * A [class@Gio.Cancellable] that is cancelled when its group is stopped.
 *
 * A stopper goes wherever GIO takes a cancellable, and it can be cancelled by
 * itself, with [method@Gio.Cancellable.cancel]; that asks whoever obeys this
 * stopper and nobody else. It never does anything to the group.
 *
 * Every task function receives one. Code outside of a task gets one from
 * [method@Tasker.Group.create_stopper]. A stopper that is made after the stop
 * is cancelled from the beginning.
 *
 * What it adds to a cancellable is time: [method@Tasker.Stopper.sleep] and
 * [method@Tasker.Stopper.wait] take the place of a sleep that nobody can
 * interrupt.
 *
 * ```c
 * static gboolean
 * poll_sensor (gpointer user_data, GCancellable *cancellable, GError **error)
 * {
 *   do
 *     read_sensor (user_data);
 *   while (tasker_stopper_sleep (TASKER_STOPPER (cancellable), 1000, error));
 *
 *   return FALSE;
 * }
 * ```
 *
 * A stopper cannot be reset: [method@Gio.Cancellable.reset] does not bring a
 * group back, and leaves a stopper of no use.
 *
 * Since: 1.0
 */

/* What ties a stopper to its source. */
typedef struct
{
  TaskerSource *owned; /* the source, if it holds a reference */
  GList         link;  /* in the source, and its */
  TaskerWeak   *self;  /* by which the source gets a reference */
} TaskerTie;

typedef struct
{
  TaskerSource   *source; /* atomic: whose stop it hears, or %NULL */
  TaskerTie      *tie;    /* %NULL for a full task: its group has that anyway */
  guint           n_sleepers; /* atomic; written under the lock */
  TaskerDeadline *deadline; /* atomic; made when needed */
  TaskerStopWait *waits;  /* atomic */
  GMutex          lock;   /* of @cancelled, and of what a full task has set */
  GCond           cancelled; /* sleepers wait for it */
} TaskerStopperPrivate;

enum
{
  PROP_0,
  PROP_TIMEOUT_MS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_TYPE_WITH_PRIVATE (TaskerStopper, tasker_stopper, G_TYPE_CANCELLABLE)

static TaskerDeadline *
get_deadline (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return g_atomic_pointer_get (&priv->deadline);
}

static void
tasker_stopper_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  TaskerStopper *self = TASKER_STOPPER (object);

  switch (prop_id)
    {
    case PROP_TIMEOUT_MS:
      g_value_set_uint (value, tasker_stopper_get_timeout_ms (self));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tasker_stopper_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  TaskerStopper *self = TASKER_STOPPER (object);

  switch (prop_id)
    {
    case PROP_TIMEOUT_MS:
      tasker_stopper_set_timeout_ms (self, g_value_get_uint (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tasker_stopper_cancelled (GCancellable *cancellable)
{
  TaskerStopper *self = TASKER_STOPPER (cancellable);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  tasker_stopper_end (self);

  /* Who comes to sleep or to wait after this sees that it is cancelled. */
  if (g_atomic_int_get (&priv->n_sleepers) > 0)
    {
      g_mutex_lock (&priv->lock);
      g_cond_broadcast (&priv->cancelled);
      g_mutex_unlock (&priv->lock);
    }
  tasker_stop_wait_announce (&priv->waits);
}

static void
tasker_stopper_dispose (GObject *object)
{
  tasker_stopper_release (TASKER_STOPPER (object));
  tasker_stopper_end (TASKER_STOPPER (object));

  G_OBJECT_CLASS (tasker_stopper_parent_class)->dispose (object);
}

static void
free_tie (TaskerTie *tie)
{
  g_clear_pointer (&tie->owned, tasker_source_unref);
  tasker_weak_unref (tie->self);
  g_free (tie);
}

static void
tasker_stopper_finalize (GObject *object)
{
  TaskerStopper *self = TASKER_STOPPER (object);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_clear_pointer (&priv->deadline, tasker_deadline_free);
  g_clear_pointer (&priv->tie, free_tie);
  tasker_stop_wait_drop (&priv->waits);
  g_mutex_clear (&priv->lock);
  g_cond_clear (&priv->cancelled);

  G_OBJECT_CLASS (tasker_stopper_parent_class)->finalize (object);
}

/* Every group has a stopper, so this comes before any message or error of
 * ours. Where the library is run from its build tree, the environment says
 * where its messages are. */
static void
prepare_messages (void)
{
  const char *directory = g_getenv ("TASKER_LOCALEDIR");

  tasker_error_quark ();
  bindtextdomain (GETTEXT_PACKAGE, directory != NULL ? directory : TASKER_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}

static void
tasker_stopper_class_init (TaskerStopperClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GCancellableClass *cancellable_class = G_CANCELLABLE_CLASS (klass);

  object_class->get_property = tasker_stopper_get_property;
  object_class->set_property = tasker_stopper_set_property;
  object_class->dispose = tasker_stopper_dispose;
  object_class->finalize = tasker_stopper_finalize;
  cancellable_class->cancelled = tasker_stopper_cancelled;

  /**
   * TaskerStopper:timeout-ms:
   *
   * A deadline: after how many milliseconds to cancel the stopper if nobody
   * has done so before; 0 for none.
   *
   * For a stopper from [method@Tasker.Group.create_stopper] it counts from
   * when it is set. For a task it is set before the task is added, and counts
   * from the task's beginning, not while the task is queued. A task that then
   * fails with %G_IO_ERROR_CANCELLED has failed with %G_IO_ERROR_TIMED_OUT.
   *
   * What is spawned hears its group only, and has no deadline.
   *
   * Changes are notified in the thread that makes them.
   *
   * Since: 1.0
   */
  properties[PROP_TIMEOUT_MS] =
    g_param_spec_uint ("timeout-ms", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  prepare_messages ();
}

static void
tasker_stopper_init (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_mutex_init (&priv->lock);
  g_cond_init (&priv->cancelled);
}

void
tasker_stopper_set_source (TaskerStopper *self,
                           TaskerSource  *source)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_atomic_pointer_set (&priv->source, source);
}

void
tasker_stopper_know_weakly (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  priv->tie = g_new0 (TaskerTie, 1);
  priv->tie->self = tasker_weak_new (self);
}

GMutex *
tasker_stopper_get_lock (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return &priv->lock;
}

TaskerWeak *
tasker_stopper_get_weak (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return priv->tie->self;
}

gboolean
tasker_stopper_tie (TaskerStopper *self,
                    TaskerSource  *source)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  if (priv->tie == NULL)
    tasker_stopper_know_weakly (self);
  g_atomic_pointer_set (&priv->source, source);

  return tasker_source_link (source, &priv->tie->link, self);
}

void
tasker_stopper_release (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerSource *source = g_atomic_pointer_exchange (&priv->source, NULL);

  if (source != NULL && priv->tie != NULL)
    tasker_source_unlink (source, &priv->tie->link);
}

/* Whether its group holds it for as long as it may be stopped: a full task, and the
 * one that all light tasks share. */
static gboolean
is_held (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return priv->tie == NULL;
}

void
tasker_stopper_give_up (TaskerStopper   *self,
                        TaskerStopWait **given_up)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  if (!is_held (self))
    tasker_stop_wait_move (&priv->waits, given_up);
}

TaskerStopper *
tasker_stopper_new (TaskerSource *source)
{
  TaskerStopper *self = g_object_new (TASKER_TYPE_STOPPER, NULL);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  gboolean tied = tasker_stopper_tie (self, source);

  priv->tie->owned = tasker_source_ref (source);
  if (!tied)
    tasker_cancel (G_CANCELLABLE (self));

  return self;
}

gboolean
tasker_stopper_is_asked (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerSource *source = g_atomic_pointer_get (&priv->source);

  return g_cancellable_is_cancelled (G_CANCELLABLE (self)) ||
         (source != NULL && tasker_source_get_level (source) != TASKER_LEVEL_NONE);
}

gboolean
tasker_stopper_has_deadline (TaskerStopper *self)
{
  return get_deadline (self) != NULL;
}

void
tasker_stopper_begin (TaskerStopper *self)
{
  TaskerDeadline *deadline = get_deadline (self);

  if (deadline != NULL && g_atomic_int_get (&deadline->timeout_ms) > 0 && !tasker_stopper_is_asked (self))
    tasker_deadline_start (deadline);
}

void
tasker_stopper_end (TaskerStopper *self)
{
  TaskerDeadline *deadline = get_deadline (self);

  if (deadline != NULL)
    tasker_deadline_clear (deadline);
}

static gboolean
fail_in_cancelled_handler (GError **error)
{
  if (!tasker_in_cancelled_handler ())
    return FALSE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_DEADLOCK,
                       _("A handler of “cancelled” must not wait"));
  return TRUE;
}

/* The group that it belongs to, and holds, or NULL. A task holds the group to which
 * it was added, but not the child that it may stand for, whose stop it hears. */
static TaskerCore *
ref_own_core (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerSource *source = g_atomic_pointer_get (&priv->source);
  TaskerCore *core = TASKER_IS_TASK (self) ? tasker_task_get_core (TASKER_TASK (self)) : (TaskerCore *) source;

  return source != NULL && core != NULL ? tasker_core_ref (core) : NULL;
}

/* The same, also for the stopper that all light tasks share. It knows none, but is
 * met inside of one of them. */
static TaskerCore *
ref_core (TaskerStopper *self)
{
  TaskerCore *core = ref_own_core (self);

  if (core != NULL)
    return core;

  for (TaskerCurrent *l = tasker_current_get (); l != NULL; l = l->outer)
    if (l->core->stopper == self)
      return tasker_core_ref (l->core);

  return NULL;
}

static void
sleep_until (TaskerStopper *self,
             gint64         end)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  g_autoptr(TaskerCore) core = NULL;

  if (g_cancellable_is_cancelled (G_CANCELLABLE (self)))
    return;

  core = ref_core (self);
  if (core != NULL && tasker_waiter_sleep (core, G_CANCELLABLE (self), end))
    return;

  g_mutex_lock (&priv->lock);
  g_atomic_int_inc (&priv->n_sleepers);
  while (!g_cancellable_is_cancelled (G_CANCELLABLE (self)) &&
         g_cond_wait_until (&priv->cancelled, &priv->lock, end));
  g_atomic_int_add (&priv->n_sleepers, -1);
  g_mutex_unlock (&priv->lock);
}

/**
 * tasker_stopper_sleep:
 * @self: a stopper
 * @duration_ms: how long to sleep, in milliseconds
 * @error: return location for the error
 *
 * Sleeps, and wakes up at once when the stopper is cancelled.
 *
 * If the stop and the end of the time come together, the stop wins; so with
 * a @duration_ms of 0 this asks whether the stopper is cancelled.
 *
 * In a thread that can acquire its thread-default main context - the main
 * thread, most often - the context is iterated as long as the group has tasks
 * there, for they could not go on otherwise. What they do in that time may
 * make the sleep longer. [method@Tasker.Stopper.sleep_async] is better there.
 *
 * Fails with %G_IO_ERROR_CANCELLED when the stopper is cancelled, and with
 * [error@Tasker.Error.DEADLOCK] inside of a handler of
 * [signal@Gio.Cancellable::cancelled] that a stop, an abort or a deadline has
 * called, where nothing may block. In a handler of this stopper's own it does not
 * block in any case, for the stopper is cancelled.
 *
 * May be called from any thread, and from several at once.
 *
 * Returns: %TRUE if the whole time has passed, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_stopper_sleep (TaskerStopper  *self,
                      guint           duration_ms,
                      GError        **error)
{
  g_return_val_if_fail (TASKER_IS_STOPPER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (fail_in_cancelled_handler (error))
    return FALSE;

  if (duration_ms > 0)
    sleep_until (self, g_get_monotonic_time () + duration_ms * G_TIME_SPAN_MILLISECOND);

  return !g_cancellable_set_error_if_cancelled (G_CANCELLABLE (self), error);
}

static gboolean
on_sleep_over (gpointer user_data)
{
  GTask *task = user_data;

  if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, TRUE);

  return G_SOURCE_REMOVE;
}

/**
 * tasker_stopper_sleep_async:
 * @self: a stopper
 * @duration_ms: how long to sleep, in milliseconds
 * @callback: (scope async): called when the time is over, or at the stop
 * @user_data: data for @callback
 *
 * Waits on the main loop for a time, or until the stopper is cancelled.
 *
 * @callback is called in the thread-default main context of this call. See
 * [method@Tasker.Stopper.sleep], which is the same for a worker thread.
 *
 * Since: 1.0
 */
void
tasker_stopper_sleep_async (TaskerStopper       *self,
                            guint                duration_ms,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GSource) timeout = NULL;
  g_autoptr(GSource) cancelled = NULL;

  g_return_if_fail (TASKER_IS_STOPPER (self));

  task = g_task_new (self, G_CANCELLABLE (self), callback, user_data);
  g_task_set_source_tag (task, tasker_stopper_sleep_async);

  /* Either of the two makes the one callback run. */
  timeout = g_timeout_source_new (duration_ms);
  cancelled = g_cancellable_source_new (G_CANCELLABLE (self));
  g_source_set_dummy_callback (cancelled);
  g_source_add_child_source (timeout, cancelled);
  g_task_attach_source (task, timeout, on_sleep_over);
}

/**
 * tasker_stopper_sleep_finish:
 * @self: a stopper
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Stopper.sleep_async] began.
 *
 * Fails with %G_IO_ERROR_CANCELLED when the stopper is cancelled.
 *
 * Returns: %TRUE if the whole time has passed, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_stopper_sleep_finish (TaskerStopper  *self,
                             GAsyncResult   *result,
                             GError        **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tasker_stopper_wait:
 * @self: a stopper
 *
 * Waits until the stopper is cancelled, for however long that takes.
 *
 * In a thread that can acquire its thread-default main context, that is
 * iterated meanwhile, as in [method@Tasker.Stopper.sleep].
 *
 * In a handler of [signal@Gio.Cancellable::cancelled] that a stop, an abort or a
 * deadline has called, where nothing may block, this logs a critical message and
 * returns at once.
 *
 * May be called from any thread, and from several at once.
 *
 * Since: 1.0
 */
void
tasker_stopper_wait (TaskerStopper *self)
{
  g_return_if_fail (TASKER_IS_STOPPER (self));
  g_return_if_fail (!tasker_in_cancelled_handler ());

  sleep_until (self, G_MAXINT64);
}

/* Whether it was released: what it heard has ended, and gave its waits up. */
static gboolean
hears_nothing (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return g_atomic_pointer_get (&priv->source) == NULL;
}

/**
 * tasker_stopper_wait_async:
 * @self: a stopper
 * @callback: (scope async): called when the stopper is cancelled
 * @user_data: data for @callback
 *
 * Has the main loop tell when the stopper is cancelled.
 *
 * @callback is called in the thread-default main context of this call. A wait
 * costs next to nothing until then, so very many tasks can wait like that:
 *
 * ```c
 * static void
 * on_stopped (GObject *task, GAsyncResult *result, gpointer connection)
 * {
 *   tasker_stopper_wait_finish (TASKER_STOPPER (task), result);
 *   connection_close (connection);
 *   tasker_task_complete (TASKER_TASK (task));
 * }
 *
 * tasker_stopper_wait_async (TASKER_STOPPER (task), on_stopped, connection);
 * ```
 *
 * A task that has ended is not stopped any more, so @callback is not called if
 * that comes first, and the wait is given up with the task.
 *
 * A stopper from [method@Tasker.Group.create_stopper] is kept by its waits until it
 * is cancelled. Who need not wait any more cancels it, and nobody else hears of that.
 *
 * Since: 1.0
 */
void
tasker_stopper_wait_async (TaskerStopper       *self,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  g_autoptr(TaskerCore) core = NULL;

  g_return_if_fail (TASKER_IS_STOPPER (self));

  /* Where the group holds the stopper, waits that hold the group would keep both. */
  core = ref_own_core (self);

  tasker_stop_wait_add (tasker_stop_wait_new (self, core, !is_held (self), callback, user_data),
                        &priv->waits);
  if (g_cancellable_is_cancelled (G_CANCELLABLE (self)))
    tasker_stop_wait_announce (&priv->waits);
  else if (!is_held (self) && hears_nothing (self))
    tasker_stop_wait_drop (&priv->waits);
}

/**
 * tasker_stopper_wait_finish:
 * @self: a stopper
 * @result: the result that the callback got
 *
 * Ends what [method@Tasker.Stopper.wait_async] began.
 *
 * Since: 1.0
 */
void
tasker_stopper_wait_finish (TaskerStopper *self,
                            GAsyncResult  *result)
{
  g_return_if_fail (TASKER_IS_STOPPER (self));
  g_return_if_fail (tasker_stop_wait_is_reply (result, self));
}

/**
 * tasker_stopper_get_timeout_ms:
 * @self: a stopper
 *
 * Gets the deadline that was set.
 *
 * Returns: the time in milliseconds, or 0 for none
 *
 * Since: 1.0
 */
guint
tasker_stopper_get_timeout_ms (TaskerStopper *self)
{
  TaskerDeadline *deadline;

  g_return_val_if_fail (TASKER_IS_STOPPER (self), 0);

  deadline = get_deadline (self);

  return deadline != NULL ? (guint) g_atomic_int_get (&deadline->timeout_ms) : 0;
}

/* Whether it can have a deadline now: a stopper that was dispensed, or a task
 * that is to be added. */
static gboolean
can_set_timeout (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  if (TASKER_IS_TASK (self))
    return tasker_task_is_new (TASKER_TASK (self));

  return priv->tie != NULL && priv->tie->owned != NULL;
}

/* Sets it. Returns whether it was another one before. */
static gboolean
exchange_timeout (TaskerStopper *self,
                  guint          timeout_ms)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerDeadline *deadline = get_deadline (self);

  if (deadline == NULL && timeout_ms == 0)
    return FALSE;

  if (deadline == NULL)
    {
      deadline = tasker_deadline_new (self, priv->tie != NULL ? tasker_weak_ref (priv->tie->self)
                                                              : tasker_weak_new (self));
      if (!g_atomic_pointer_compare_and_exchange (&priv->deadline, NULL, deadline))
        tasker_deadline_free (deadline);
      deadline = get_deadline (self);
    }

  return g_atomic_int_exchange (&deadline->timeout_ms, (int) timeout_ms) != (int) timeout_ms;
}

/**
 * tasker_stopper_set_timeout_ms:
 * @self: a stopper from [method@Tasker.Group.create_stopper], or a task that
 *   has not been added
 * @timeout_ms: the time in milliseconds, or 0 for none
 *
 * Sets a deadline.
 *
 * For a stopper it counts from now, also if there was another one before; so
 * it can be moved on from one operation to the next. For a task it counts from
 * its beginning. When the time is over the stopper is cancelled, unless it was
 * before; [method@Tasker.Stopper.timed_out] tells which it was.
 *
 * ```c
 * g_autoptr(TaskerStopper) stopper = tasker_group_create_stopper (group);
 *
 * tasker_stopper_set_timeout_ms (stopper, 5000);
 * if (!g_file_delete (file, G_CANCELLABLE (stopper), &error) &&
 *     tasker_stopper_timed_out (stopper))
 *   g_message ("Gave up after 5 s");
 * ```
 *
 * A deadline costs no thread and no timer of its own. It cancels from a thread
 * of the library, so handlers of [signal@Gio.Cancellable::cancelled] are called
 * there: they must be quick, for all deadlines wait for them, and as always
 * they must not block. In a main loop use
 * [method@Tasker.Stopper.wait_async] or [method@Gio.Cancellable.source_new].
 *
 * Since: 1.0
 */
void
tasker_stopper_set_timeout_ms (TaskerStopper *self,
                               guint          timeout_ms)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_STOPPER (self));
  g_return_if_fail (can_set_timeout (self));

  changed = exchange_timeout (self, timeout_ms);
  if (!TASKER_IS_TASK (self) && timeout_ms == 0)
    tasker_stopper_end (self);
  else if (!TASKER_IS_TASK (self))
    tasker_stopper_begin (self);

  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIMEOUT_MS]);
}

/**
 * tasker_stopper_timed_out:
 * @self: a stopper
 *
 * Whether it was the deadline that has cancelled the stopper, and not the stop
 * of the group or a cancellation by itself.
 *
 * It is known when the stopper is cancelled, and does not change any more then.
 *
 * Returns: %TRUE if it was the deadline
 *
 * Since: 1.0
 */
gboolean
tasker_stopper_timed_out (TaskerStopper *self)
{
  TaskerDeadline *deadline;

  g_return_val_if_fail (TASKER_IS_STOPPER (self), FALSE);

  deadline = get_deadline (self);

  return deadline != NULL && g_atomic_int_get (&deadline->passed);
}
