/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for an operation that takes no cancellable, unless the stop comes
 * first. */

#include "tasker-unless.h"

#include <glib/gi18n-lib.h>

/* One reference is the operation's, until it is ready; the other is that of the
 * source that hears the stop. Whoever comes first takes the task. */
typedef struct
{
  GTask   *task;      /* atomic */
  GSource *cancelled; /* nullable */
} TaskerUnless;

static void
tasker_unless_clear (gpointer unless)
{
  TaskerUnless *self = unless;

  g_clear_object (&self->task);
  g_clear_pointer (&self->cancelled, g_source_unref);
}

static void
tasker_unless_unref (gpointer unless)
{
  g_atomic_rc_box_release_full (unless, tasker_unless_clear);
}

static gboolean
on_cancelled (GCancellable *stopper,
              gpointer      unless)
{
  TaskerUnless *self = unless;
  g_autoptr(GTask) task = g_atomic_pointer_exchange (&self->task, NULL);

  /* Even if it was reset meanwhile: nothing else would end the wait. */
  if (task != NULL)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Operation was cancelled"));

  return G_SOURCE_REMOVE;
}

static void
hear (TaskerUnless *self,
      GCancellable *stopper)
{
  self->cancelled = g_cancellable_source_new (stopper);
  g_source_set_static_name (self->cancelled, "[tasker] unless");
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled),
                         g_atomic_rc_box_acquire (self), tasker_unless_unref);
  g_source_attach (self->cancelled, g_task_get_context (self->task));
}

/**
 * tasker_unless_begin: (skip)
 * @stopper: (nullable): what ends the wait
 * @callback: (scope async): called when the operation is ready, or at the stop
 * @user_data: data for @callback
 *
 * Waits for an operation that takes no cancellable, unless @stopper is
 * cancelled first.
 *
 * Give [func@Tasker.unless_ready] to the operation as its callback, and what
 * this returns as the data for that. @callback is called once, in the
 * thread-default main context of this call, and asks
 * [func@Tasker.unless_finish] which of the two it was. Its source object is
 * %NULL; that of the operation can be had from the result.
 *
 * ```c
 * static void
 * on_resolved (GObject *object, GAsyncResult *result, gpointer user_data)
 * {
 *   g_autoptr(GError) error = NULL;
 *   g_autoptr(GAsyncResult) resolved = tasker_unless_finish (result, &error);
 *   g_autoptr(Address) address = NULL;
 *
 *   if (resolved != NULL)
 *     address = resolver_resolve_finish (user_data, resolved, &error);
 *   if (address == NULL)
 *     g_message ("%s", error->message);
 * }
 *
 * resolver_resolve_async (resolver, name, tasker_unless_ready,
 *                         tasker_unless_begin (stopper, on_resolved, resolver));
 * ```
 *
 * The operation itself is not interrupted: after a stop it runs on until it is
 * done, and nobody waits for it any more. Its late result is let go then, so
 * that what it holds is freed by its own destroy notify, if it has one as a
 * result of [class@Gio.Task] does. An operation that takes a cancellable is
 * better given the stopper itself.
 *
 * If the stop and the result come together, the stop wins, up to the moment in
 * which [func@Tasker.unless_finish] is called.
 *
 * This and its companions are left out of introspection: what it returns is
 * only good for being handed through C. The overrides for Python and
 * JavaScript have a form of their own.
 *
 * Returns: (transfer full): the data for [func@Tasker.unless_ready], used up by
 *   exactly one call of that
 *
 * Since: 1.0
 */
gpointer
tasker_unless_begin (GCancellable        *stopper,
                     GAsyncReadyCallback  callback,
                     gpointer             user_data)
{
  TaskerUnless *self;

  g_return_val_if_fail (stopper == NULL || G_IS_CANCELLABLE (stopper), NULL);

  self = g_atomic_rc_box_new0 (TaskerUnless);
  self->task = g_task_new (NULL, stopper, callback, user_data);
  g_task_set_source_tag (self->task, tasker_unless_begin);
  if (stopper != NULL)
    hear (self, stopper);

  return self;
}

/**
 * tasker_unless_ready: (skip)
 * @source: (nullable): the source object of the operation
 * @result: the result of the operation
 * @unless: (transfer full): what [func@Tasker.unless_begin] returned
 *
 * A callback to give to an operation that takes no cancellable.
 *
 * May be called in any thread; the callback that was given to
 * [func@Tasker.unless_begin] is called in its own context.
 *
 * Left out of introspection with [func@Tasker.unless_begin].
 *
 * Since: 1.0
 */
void
tasker_unless_ready (GObject      *source,
                     GAsyncResult *result,
                     gpointer      unless)
{
  TaskerUnless *self = unless;
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (G_IS_ASYNC_RESULT (result));
  g_return_if_fail (unless != NULL);

  task = g_atomic_pointer_exchange (&self->task, NULL);
  if (self->cancelled != NULL)
    g_source_destroy (self->cancelled);
  tasker_unless_unref (self);

  if (task != NULL && !g_task_return_error_if_cancelled (task))
    g_task_return_pointer (task, g_object_ref (result), g_object_unref);
}

/**
 * tasker_unless_finish: (skip)
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [func@Tasker.unless_begin] began.
 *
 * Fails with %G_IO_ERROR_CANCELLED when the stopper is cancelled.
 *
 * Left out of introspection with [func@Tasker.unless_begin].
 *
 * Returns: (transfer full): the result of the operation, to be given to its
 *   finish function, or %NULL with @error set
 *
 * Since: 1.0
 */
GAsyncResult *
tasker_unless_finish (GAsyncResult  *result,
                      GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, tasker_unless_begin), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
