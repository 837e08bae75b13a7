/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-stopper-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-current-private.h"
#include "tasker-error.h"
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

typedef struct
{
  TaskerSource *source; /* atomic: what it hears, or %NULL */
  TaskerSource *owned;  /* the same, if it holds a reference */
  GList         link;   /* in the source, and its */
  GWeakRef      self;   /* by which the source gets a reference, if that */
  gboolean      weak;   /* … is not known to be good */
  GMutex        lock;   /* for @cancelled only, which sleepers wait for */
  GCond         cancelled;
} TaskerStopperPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (TaskerStopper, tasker_stopper, G_TYPE_CANCELLABLE)

static void
tasker_stopper_cancelled (GCancellable *cancellable)
{
  TaskerStopper *self = TASKER_STOPPER (cancellable);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_mutex_lock (&priv->lock);
  g_cond_broadcast (&priv->cancelled);
  g_mutex_unlock (&priv->lock);
}

static void
tasker_stopper_dispose (GObject *object)
{
  tasker_stopper_release (TASKER_STOPPER (object));

  G_OBJECT_CLASS (tasker_stopper_parent_class)->dispose (object);
}

static void
tasker_stopper_finalize (GObject *object)
{
  TaskerStopper *self = TASKER_STOPPER (object);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_clear_pointer (&priv->owned, tasker_source_unref);
  if (priv->weak)
    g_weak_ref_clear (&priv->self);
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

  object_class->dispose = tasker_stopper_dispose;
  object_class->finalize = tasker_stopper_finalize;
  cancellable_class->cancelled = tasker_stopper_cancelled;

  prepare_messages ();
}

static void
tasker_stopper_init (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  g_mutex_init (&priv->lock);
  g_cond_init (&priv->cancelled);
}

gboolean
tasker_stopper_tie (TaskerStopper *self,
                    TaskerSource  *source,
                    gboolean       weak)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  if (weak)
    g_weak_ref_init (&priv->self, self);
  priv->weak = weak;

  g_atomic_pointer_set (&priv->source, source);

  return tasker_source_link (source, &priv->link, self);
}

/* Begins to release a stopper: returns the link that has to be taken out of the
 * source, or NULL. */
GList *
tasker_stopper_steal_link (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return g_atomic_pointer_exchange (&priv->source, NULL) != NULL ? &priv->link : NULL;
}

void
tasker_stopper_release (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerSource *source = g_atomic_pointer_exchange (&priv->source, NULL);

  if (source != NULL)
    tasker_source_unlink (source, &priv->link);
}

TaskerStopper *
tasker_stopper_new (TaskerSource *source)
{
  TaskerStopper *self = g_object_new (TASKER_TYPE_STOPPER, NULL);
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  priv->owned = tasker_source_ref (source);
  if (!tasker_stopper_tie (self, source, TRUE))
    tasker_cancel (G_CANCELLABLE (self));

  return self;
}

TaskerStopper *
tasker_stopper_ref_alive (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);

  return priv->weak ? g_weak_ref_get (&priv->self) : g_object_ref (self);
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

/* The group whose stop it hears, or NULL. The stopper that all light tasks share
 * knows none, but is met inside of one of them. */
static TaskerCore *
ref_core (TaskerStopper *self)
{
  TaskerStopperPrivate *priv = tasker_stopper_get_instance_private (self);
  TaskerSource *source = g_atomic_pointer_get (&priv->source);

  if (source != NULL)
    return (TaskerCore *) tasker_source_ref (source);

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
  while (!g_cancellable_is_cancelled (G_CANCELLABLE (self)) &&
         g_cond_wait_until (&priv->cancelled, &priv->lock, end));
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
 * [signal@Gio.Cancellable::cancelled], where nothing may block.
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
 * In a handler of [signal@Gio.Cancellable::cancelled], where nothing may
 * block, this logs a critical message and returns at once.
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

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  g_task_return_boolean (user_data, TRUE);

  return G_SOURCE_REMOVE;
}

/**
 * tasker_stopper_wait_async:
 * @self: a stopper
 * @callback: (scope async): called when the stopper is cancelled
 * @user_data: data for @callback
 *
 * Has the main loop tell when the stopper is cancelled.
 *
 * @callback is called in the thread-default main context of this call.
 *
 * Since: 1.0
 */
void
tasker_stopper_wait_async (TaskerStopper       *self,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GSource) cancelled = NULL;

  g_return_if_fail (TASKER_IS_STOPPER (self));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, tasker_stopper_wait_async);

  cancelled = g_cancellable_source_new (G_CANCELLABLE (self));
  g_task_attach_source (task, cancelled, G_SOURCE_FUNC (on_cancelled));
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
  g_return_if_fail (g_task_is_valid (result, self));

  g_task_propagate_boolean (G_TASK (result), NULL);
}
