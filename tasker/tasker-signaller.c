/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-signaller.h"

#include "tasker-core-private.h"

/**
 * TaskerSignaller:
 *
 * Stops a group from elsewhere, and holds nothing.
 *
 * A signaller is no handle: the group's join does not wait for it, and it
 * does not keep the group alive. When the group is gone, stopping it does
 * nothing. So it can be given to whoever decides when a program ends, without
 * a thought about when that lets go of it.
 *
 * It is for callbacks, also that of `g_unix_signal_add()`, which is
 * called by the main loop. It is not for the handler of a `sigaction()`, which
 * may interrupt anything: this takes locks. Where a signal is all that stops the
 * group, [method@Tasker.Group.stop_on_signal] needs neither.
 *
 * All of it may be called from any thread.
 *
 * Since: 1.0
 */

struct _TaskerSignaller
{
  GObject       parent_instance;

  TaskerSource *source;
};

G_DEFINE_FINAL_TYPE (TaskerSignaller, tasker_signaller, G_TYPE_OBJECT)

static void
tasker_signaller_finalize (GObject *object)
{
  TaskerSignaller *self = TASKER_SIGNALLER (object);

  g_clear_pointer (&self->source, tasker_source_unref);

  G_OBJECT_CLASS (tasker_signaller_parent_class)->finalize (object);
}

static void
tasker_signaller_class_init (TaskerSignallerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tasker_signaller_finalize;
}

static void
tasker_signaller_init (TaskerSignaller *self)
{
  self->source = &tasker_core_get_given ()->source;
}

/**
 * tasker_signaller_stop:
 * @self: a signaller
 *
 * Stops the group, see [method@Tasker.Group.stop].
 *
 * Returns: %TRUE if this call did it, %FALSE if the group was stopped before
 *
 * Since: 1.0
 */
gboolean
tasker_signaller_stop (TaskerSignaller *self)
{
  g_return_val_if_fail (TASKER_IS_SIGNALLER (self), FALSE);

  return tasker_source_raise (self->source, TASKER_LEVEL_STOPPED);
}

/**
 * tasker_signaller_abort:
 * @self: a signaller
 *
 * Aborts the group, see [method@Tasker.Group.abort].
 *
 * Returns: %TRUE if this call did it, %FALSE if the group was aborted before
 *
 * Since: 1.0
 */
gboolean
tasker_signaller_abort (TaskerSignaller *self)
{
  g_return_val_if_fail (TASKER_IS_SIGNALLER (self), FALSE);

  return tasker_source_raise (self->source, TASKER_LEVEL_ABORTED);
}

/**
 * tasker_signaller_is_stopped:
 * @self: a signaller
 *
 * Whether the group was stopped or aborted.
 *
 * Returns: %TRUE if it was
 *
 * Since: 1.0
 */
gboolean
tasker_signaller_is_stopped (TaskerSignaller *self)
{
  g_return_val_if_fail (TASKER_IS_SIGNALLER (self), FALSE);

  return tasker_source_get_level (self->source) != TASKER_LEVEL_NONE;
}
