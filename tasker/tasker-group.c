/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-group.h"

#include <glib/gi18n-lib.h>

#include "tasker-application-private.h"
#include "tasker-child-private.h"
#include "tasker-core-private.h"
#include "tasker-dump-private.h"
#include "tasker-error.h"
#include "tasker-home-private.h"
#include "tasker-join-stream-private.h"
#include "tasker-progress-private.h"
#include "tasker-runner-private.h"
#include "tasker-shutdown-private.h"
#include "tasker-signal-private.h"
#include "tasker-stopper-private.h"
#include "tasker-task-list-private.h"
#include "tasker-task-private.h"
#include "tasker-waiter-private.h"
#include "tasker-watch-private.h"

/**
 * TaskerGroup:
 *
 * A handle on a group of tasks that are stopped and joined together.
 *
 * A group runs functions in worker threads, as many as it has room for, and
 * brings them to an orderly end: [method@Tasker.Group.stop] asks them to end
 * their current step and clean up, and [method@Tasker.Group.join] waits until
 * they have, and reports the first failure.
 *
 * ```c
 * g_autoptr(TaskerGroup) group = tasker_group_new ("clean-up");
 * g_autoptr(GError) error = NULL;
 *
 * for (guint i = 0; i < files->len; i++)
 *   tasker_group_spawn (group, "rm", (TaskerFunc) g_file_delete,
 *                       g_object_ref (files->pdata[i]), g_object_unref);
 *
 * if (!tasker_group_join (group, NULL, &error))
 *   g_warning ("%s", error->message);
 * ```
 *
 * ## Handles
 *
 * [method@Tasker.Group.clone] makes a further handle on the same group, for
 * another thread or a task that spawns tasks of its own. A handle that is
 * *finished* takes no more tasks; it can still stop, watch and join. A join
 * waits until every handle is finished, for until then there may be more to
 * come, and so a forgotten clone holds it up. Finalizing a handle finishes it;
 * code in languages with garbage collection finishes explicitly.
 *
 * ## Stopping
 *
 * Stopping is cooperative, in three steps. *Stop* cancels the stoppers of the
 * functions that run, and what is queued never begins, other than
 * [property@Tasker.Task:run-always] tasks. *Abort* calls no function any more.
 * No thread can be killed: a function that ignores its stopper ends when it
 * returns.
 *
 * [method@Tasker.Group.shutdown] does all of it within a bound, and names what
 * would not stop.
 *
 * ## Children
 *
 * [method@Tasker.Group.new_child] makes a group inside of a group. In its parent
 * it is one task, with its name: the parent's stop reaches it, and the parent's
 * join waits for it and reports its first failure. It can be stopped, joined and
 * shut down alone.
 *
 * ## Results
 *
 * What has ended is kept until it is taken, with
 * [method@Tasker.Group.collect], [method@Tasker.Group.poll_join] or
 * [method@Tasker.Group.poll_collect]. A group that spawns for ever sets
 * [property@Tasker.Group:keep-results] to %FALSE.
 *
 * ## Watching
 *
 * The counts and [property@Tasker.Group:progress] are properties that can be
 * bound to, and [method@Tasker.Group.get_tasks] is a model of the live tasks.
 * They change in one main context, that of the thread that made the handle or
 * asked for the model, and are notified once in an iteration at most. A setting
 * is notified at once where it is set in that context, and by other handles as
 * the rest is. It costs nothing while nobody listens.
 *
 * All of it may be called from any thread. No lock is held while functions,
 * free functions and handlers of the program run, so they may call anything
 * here, but in handlers of [signal@Gio.Cancellable::cancelled] nothing may
 * block.
 *
 * Since: 1.0
 */

/* After how many light tasks whoever spawns helps to bring them in order. */
#define TIDY_INTERVAL 128

/* How many results are dropped without letting go of the lock. */
#define POLL_SIZE 1024

struct _TaskerGroup
{
  GObject     parent_instance;

  TaskerCore *core;
  TaskerCore *parent;   /* while it is constructed */
  gboolean    stop_with_parent; /* likewise */
  int         finished; /* atomic */
  int         n_pushed; /* atomic: light tasks, as far as it goes */

  TaskerWatcher watcher;
};

enum
{
  PROP_0,
  PROP_CORE, /* first: the others need it */
  PROP_NAME,
  PROP_MAX_RUNNING,
  PROP_MAX_QUEUED,
  PROP_KEEP_RESULTS,
  PROP_ABORT_ON_DROP,
  PROP_STOP_ON_ERROR,
  PROP_PARENT,
  PROP_STOP_WITH_PARENT,
  PROP_ORDERED_SHUTDOWN,
  PROP_IS_FINISHED,
  PROP_IS_STOPPED,
  PROP_N_TASKS,
  PROP_N_SPAWNED,
  PROP_N_SUCCEEDED,
  PROP_N_FAILED,
  PROP_N_STOPPED,
  PROP_N_ABORTED,
  PROP_PROGRESS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint notify_signal;

G_DEFINE_FINAL_TYPE (TaskerGroup, tasker_group, G_TYPE_OBJECT)

static guint64
get_count (TaskerGroup *self,
           guint        prop_id)
{
  guint64 counts[6];

  tasker_group_get_counts (self, &counts[0], &counts[1], &counts[2], &counts[3], &counts[4], &counts[5]);

  switch (prop_id)
    {
    case PROP_N_SPAWNED:
      return counts[0];
    case PROP_N_SUCCEEDED:
      return counts[2];
    case PROP_N_FAILED:
      return counts[3];
    case PROP_N_STOPPED:
      return counts[4];
    case PROP_N_ABORTED:
      return counts[5];
    default:
      g_return_val_if_reached (0);
    }
}

static void
tasker_group_get_property (GObject    *object,
                           guint       prop_id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  TaskerGroup *self = TASKER_GROUP (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, tasker_group_get_name (self));
      break;

    case PROP_MAX_RUNNING:
      g_value_set_uint (value, tasker_group_get_max_running (self));
      break;

    case PROP_MAX_QUEUED:
      g_value_set_uint (value, tasker_group_get_max_queued (self));
      break;

    case PROP_KEEP_RESULTS:
      g_value_set_boolean (value, tasker_group_get_keep_results (self));
      break;

    case PROP_ABORT_ON_DROP:
      g_value_set_boolean (value, tasker_group_get_abort_on_drop (self));
      break;

    case PROP_STOP_ON_ERROR:
      g_value_set_boolean (value, tasker_group_get_stop_on_error (self));
      break;

    case PROP_STOP_WITH_PARENT:
      g_value_set_boolean (value, tasker_group_get_stop_with_parent (self));
      break;

    case PROP_ORDERED_SHUTDOWN:
      g_value_set_boolean (value, tasker_group_get_ordered_shutdown (self));
      break;

    case PROP_IS_FINISHED:
      g_value_set_boolean (value, tasker_group_is_finished (self));
      break;

    case PROP_IS_STOPPED:
      g_value_set_boolean (value, tasker_group_is_stopped (self));
      break;

    case PROP_N_TASKS:
      g_value_set_uint (value, tasker_group_get_n_tasks (self));
      break;

    case PROP_N_SPAWNED:
    case PROP_N_SUCCEEDED:
    case PROP_N_FAILED:
    case PROP_N_STOPPED:
    case PROP_N_ABORTED:
      g_value_set_uint64 (value, get_count (self, prop_id));
      break;

    case PROP_PROGRESS:
      g_value_set_double (value, tasker_group_get_progress (self));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* At construction; NULL if there is none. */
static void
set_parent (TaskerGroup *self,
            TaskerGroup *parent)
{
  if (parent == NULL)
    return;

  g_return_if_fail (!tasker_group_is_finished (parent));

  self->parent = tasker_core_ref (parent->core);
}

static void
tasker_group_set_property (GObject      *object,
                           guint         prop_id,
                           const GValue *value,
                           GParamSpec   *pspec)
{
  TaskerGroup *self = TASKER_GROUP (object);

  switch (prop_id)
    {
    case PROP_CORE:
      self->core = g_value_get_pointer (value);
      self->core = self->core != NULL ? tasker_core_ref (self->core) : tasker_core_new ();
      break;

    case PROP_NAME:
      if (g_value_get_string (value) != NULL)
        self->core->name = g_value_dup_string (value);
      break;

    case PROP_MAX_RUNNING:
      tasker_group_set_max_running (self, g_value_get_uint (value));
      break;

    case PROP_MAX_QUEUED:
      tasker_group_set_max_queued (self, g_value_get_uint (value));
      break;

    case PROP_KEEP_RESULTS:
      tasker_group_set_keep_results (self, g_value_get_boolean (value));
      break;

    case PROP_ABORT_ON_DROP:
      tasker_group_set_abort_on_drop (self, g_value_get_boolean (value));
      break;

    case PROP_STOP_ON_ERROR:
      tasker_group_set_stop_on_error (self, g_value_get_boolean (value));
      break;

    case PROP_PARENT:
      set_parent (self, g_value_get_object (value));
      break;

    case PROP_STOP_WITH_PARENT:
      self->stop_with_parent = g_value_get_boolean (value);
      break;

    case PROP_ORDERED_SHUTDOWN:
      tasker_group_set_ordered_shutdown (self, g_value_get_boolean (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Which property changes by what. */
static const struct
{
  guint prop_id;
  guint changed;
} notifications[] =
{
  { PROP_MAX_RUNNING, TASKER_CHANGE_MAX_RUNNING },
  { PROP_MAX_QUEUED, TASKER_CHANGE_MAX_QUEUED },
  { PROP_KEEP_RESULTS, TASKER_CHANGE_KEEP_RESULTS },
  { PROP_ABORT_ON_DROP, TASKER_CHANGE_ABORT_ON_DROP },
  { PROP_STOP_ON_ERROR, TASKER_CHANGE_STOP_ON_ERROR },
  { PROP_ORDERED_SHUTDOWN, TASKER_CHANGE_ORDERED_SHUTDOWN },
  { PROP_IS_STOPPED, TASKER_CHANGE_RAISED },
  { PROP_N_TASKS, TASKER_CHANGE_N_TASKS },
  { PROP_N_SPAWNED, TASKER_CHANGE_SPAWNED },
  { PROP_N_SUCCEEDED, TASKER_CHANGE_SUCCEEDED },
  { PROP_N_FAILED, TASKER_CHANGE_FAILED },
  { PROP_N_STOPPED, TASKER_CHANGE_STOPPED },
  { PROP_N_ABORTED, TASKER_CHANGE_ABORTED },
  { PROP_PROGRESS, TASKER_CHANGE_ANY_PROGRESS },
};

static void
notify (TaskerGroup *self,
        guint        changed)
{
  GObject *object = G_OBJECT (self);

  g_object_freeze_notify (object);
  for (guint i = 0; i < G_N_ELEMENTS (notifications); i++)
    if (notifications[i].changed & changed)
      g_object_notify_by_pspec (object, properties[notifications[i].prop_id]);
  g_object_thaw_notify (object);
}

static gboolean
is_heard (gpointer self)
{
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, notify_signal, 0, NULL, NULL, NULL) != 0;
}

static gboolean
tell (gpointer object,
      gint64   end)
{
  TaskerGroup *self = object;
  guint changed;

  tasker_core_lock (self->core);
  changed = tasker_watcher_take (&self->watcher, self->core);
  tasker_core_unlock (self->core);

  notify (self, changed);

  return FALSE;
}

/* A setting was changed through this handle. Where it is at home it says so at
 * once, as any property does; other handles, and in another thread this one, are
 * told. */
static void
tell_setting (TaskerGroup *self,
              guint        changed)
{
  gboolean at_home = tasker_waiter_is_at_home (self->watcher.client.context);

  tasker_core_lock (self->core);
  tasker_watch_change (self->core, changed, at_home ? &self->watcher : NULL);
  tasker_core_unlock (self->core);

  if (at_home)
    notify (self, changed);
}

static void
tasker_group_constructed (GObject *object)
{
  TaskerGroup *self = TASKER_GROUP (object);

  self->finished = !tasker_core_add_handle (self->core, !self->finished);
  tasker_core_lock (self->core);
  tasker_watcher_join (&self->watcher, self->core);
  tasker_core_unlock (self->core);
  if (self->parent != NULL && !tasker_child_attach (self->core, self->parent, self->stop_with_parent))
    g_critical ("A child was made of a group whose handles are all finished");
  g_clear_pointer (&self->parent, tasker_core_unref);

  G_OBJECT_CLASS (tasker_group_parent_class)->constructed (object);
}

static void
tasker_group_dispose (GObject *object)
{
  TaskerGroup *self = TASKER_GROUP (object);

  tasker_group_finish (self);
  tasker_core_lock (self->core);
  tasker_watcher_leave (&self->watcher, self->core);
  tasker_core_unlock (self->core);

  G_OBJECT_CLASS (tasker_group_parent_class)->dispose (object);
}

static void
tasker_group_finalize (GObject *object)
{
  TaskerGroup *self = TASKER_GROUP (object);

  tasker_watcher_clear (&self->watcher);
  tasker_core_drop_handle (self->core);
  g_clear_pointer (&self->core, tasker_core_unref);

  G_OBJECT_CLASS (tasker_group_parent_class)->finalize (object);
}

static void
define_count (guint       prop_id,
              const char *name)
{
  properties[prop_id] =
    g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXUINT64, 0,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
define_identity (void)
{
  /**
   * TaskerGroup:core: (skip)
   *
   * What the handles share; set for clones, inside the library.
   *
   * Since: 1.0
   */
  properties[PROP_CORE] =
    g_param_spec_pointer ("core", NULL, NULL,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:name:
   *
   * What the group is called, in messages.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] =
    g_param_spec_string ("name", NULL, NULL, NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
}

static void
define_settings (void)
{
  /**
   * TaskerGroup:max-running:
   *
   * How many tasks of the group may have begun and not ended, at most.
   *
   * With 0 the group begins with twice as many threads as there are
   * processors, four at least, and adds some while tasks wait and those that
   * run are blocked; so tasks that wait for each other get along, and tasks
   * that compute do not get into each other's way.
   *
   * A task that waits for another one of its group does not count meanwhile.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RUNNING] =
    g_param_spec_uint ("max-running", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:max-queued:
   *
   * How many tasks may wait for their turn before
   * [method@Tasker.Group.try_add] refuses and
   * [method@Tasker.Group.add_wait] waits; 0 for any number.
   *
   * The other ways to add a task are not bound by this.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_QUEUED] =
    g_param_spec_uint ("max-queued", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:keep-results:
   *
   * Whether tasks that have ended are kept until they are taken.
   *
   * Otherwise only the counts are kept, and the first failure, for the join.
   *
   * Since: 1.0
   */
  properties[PROP_KEEP_RESULTS] =
    g_param_spec_boolean ("keep-results", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:abort-on-drop:
   *
   * Whether the group is aborted when the last handle is finalized while
   * tasks are live. Otherwise they run on, and their results are dropped.
   *
   * Since: 1.0
   */
  properties[PROP_ABORT_ON_DROP] =
    g_param_spec_boolean ("abort-on-drop", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
define_family (void)
{
  /**
   * TaskerGroup:parent:
   *
   * The group inside of which this one is made, if any. It is one task of the
   * parent, from the beginning until every handle on it is finished and all of
   * its tasks have ended; it takes no place there, see
   * [property@Tasker.Group:max-running].
   *
   * To be a child of a finished handle is an error of the program; the group
   * has no parent then.
   *
   * Since: 1.0
   */
  properties[PROP_PARENT] =
    g_param_spec_object ("parent", NULL, NULL, TASKER_TYPE_GROUP,
                         G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:stop-with-parent:
   *
   * Whether the group is stopped when its parent is. If not, it is for the
   * parent to stop its children in an order of its own. An abort of the parent
   * reaches every child.
   *
   * A shutdown of the parent waits for what runs here, and aborts it when the grace
   * is over; what is added meanwhile runs, too.
   *
   * Since: 1.0
   */
  properties[PROP_STOP_WITH_PARENT] =
    g_param_spec_boolean ("stop-with-parent", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:ordered-shutdown:
   *
   * Whether [method@Tasker.Group.shutdown] shuts the children down one after
   * the other: the one that was made last is stopped first, and the next one
   * when it has ended. The tasks of the group itself are stopped at the
   * beginning.
   *
   * In a group that was stopped before, the children have been stopped with it,
   * all at once. Those with [property@Tasker.Group:stop-with-parent] %FALSE keep
   * their order.
   *
   * Since: 1.0
   */
  properties[PROP_ORDERED_SHUTDOWN] =
    g_param_spec_boolean ("ordered-shutdown", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:stop-on-error:
   *
   * Whether the first task that fails stops the group. A join reports that
   * failure.
   *
   * Since: 1.0
   */
  properties[PROP_STOP_ON_ERROR] =
    g_param_spec_boolean ("stop-on-error", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
define_state (void)
{
  /**
   * TaskerGroup:is-finished:
   *
   * Whether this handle is finished. There is no notification.
   *
   * Since: 1.0
   */
  properties[PROP_IS_FINISHED] =
    g_param_spec_boolean ("is-finished", NULL, NULL, FALSE,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:is-stopped:
   *
   * Whether the group was stopped or aborted.
   *
   * Changes are notified in the main context in which the handle was made, once
   * in an iteration at most; so they are for all counts and for
   * [property@Tasker.Group:progress].
   *
   * Since: 1.0
   */
  properties[PROP_IS_STOPPED] =
    g_param_spec_boolean ("is-stopped", NULL, NULL, FALSE,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
define_counts (void)
{
  /**
   * TaskerGroup:n-tasks:
   *
   * How many tasks are live: queued, or begun and not ended.
   *
   * Since: 1.0
   */
  properties[PROP_N_TASKS] =
    g_param_spec_uint ("n-tasks", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerGroup:n-spawned:
   *
   * How many tasks were ever added.
   *
   * Since: 1.0
   */
  define_count (PROP_N_SPAWNED, "n-spawned");

  /**
   * TaskerGroup:n-succeeded:
   *
   * How many tasks have succeeded.
   *
   * Since: 1.0
   */
  define_count (PROP_N_SUCCEEDED, "n-succeeded");

  /**
   * TaskerGroup:n-failed:
   *
   * How many tasks have failed.
   *
   * Since: 1.0
   */
  define_count (PROP_N_FAILED, "n-failed");

  /**
   * TaskerGroup:n-stopped:
   *
   * How many tasks were stopped.
   *
   * Since: 1.0
   */
  define_count (PROP_N_STOPPED, "n-stopped");

  /**
   * TaskerGroup:n-aborted:
   *
   * How many tasks were aborted.
   *
   * Since: 1.0
   */
  define_count (PROP_N_ABORTED, "n-aborted");

  /**
   * TaskerGroup:progress:
   *
   * How far the group is, from 0 to 1, see [method@Tasker.Group.get_progress].
   *
   * A change in a group that is more than 64 levels below is not notified.
   *
   * Since: 1.0
   */
  properties[PROP_PROGRESS] =
    g_param_spec_double ("progress", NULL, NULL, 0, 1, 0,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
tasker_group_class_init (TaskerGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tasker_group_get_property;
  object_class->set_property = tasker_group_set_property;
  object_class->constructed = tasker_group_constructed;
  object_class->dispose = tasker_group_dispose;
  object_class->finalize = tasker_group_finalize;

  tasker_application_init ();
  define_identity ();
  define_settings ();
  define_family ();
  define_state ();
  define_counts ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
  notify_signal = g_signal_lookup ("notify", G_TYPE_OBJECT);
}

static void
tasker_group_init (TaskerGroup *self)
{
  self->stop_with_parent = TRUE;
  tasker_watcher_init (&self->watcher, self, TASKER_CHANGE_ANY_PROGRESS | TASKER_CHANGE_SELDOM,
                       is_heard, tell);
}

/* Handles */

/**
 * tasker_group_new:
 * @name: (nullable): what to call the group
 *
 * Makes a group, and the first handle on it.
 *
 * Returns: (transfer full): a new group
 *
 * Since: 1.0
 */
TaskerGroup *
tasker_group_new (const char *name)
{
  return g_object_new (TASKER_TYPE_GROUP, "name", name, NULL);
}

/**
 * tasker_group_clone:
 * @self: a handle
 *
 * Makes a further handle on the same group.
 *
 * A clone of a finished handle is finished, too.
 *
 * Returns: (transfer full): a new handle
 *
 * Since: 1.0
 */
TaskerGroup *
tasker_group_clone (TaskerGroup *self)
{
  TaskerGroup *clone;

  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  clone = g_object_new (TASKER_TYPE_GROUP, "core", self->core, NULL);
  if (tasker_group_is_finished (self))
    tasker_group_finish (clone);

  return clone;
}

/**
 * tasker_group_new_child:
 * @self: a handle that is not finished
 * @name: (nullable): what to call the child
 *
 * Makes a group inside of this one, and the first handle on it.
 *
 * In this group it is one task with its name. It has ended when every handle on
 * the child is finished and all of its tasks have ended: as failed, with the
 * child's first failure, or else as aborted or stopped if one of its tasks was.
 * Cancelling or aborting that task stops or aborts the child.
 *
 * ```c
 * g_autoptr(TaskerGroup) downloads = tasker_group_new_child (group, "downloads");
 *
 * tasker_group_set_max_running (downloads, 4);
 * ```
 *
 * A child of a group that is stopped is stopped from the beginning, other than
 * with [property@Tasker.Group:stop-with-parent] %FALSE.
 *
 * Returns: (transfer full): a new group
 *
 * Since: 1.0
 */
TaskerGroup *
tasker_group_new_child (TaskerGroup *self,
                        const char  *name)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);
  g_return_val_if_fail (!tasker_group_is_finished (self), NULL);

  return g_object_new (TASKER_TYPE_GROUP, "name", name, "parent", self, NULL);
}

/**
 * tasker_group_finish:
 * @self: a handle
 *
 * Promises that no more tasks come through this handle.
 *
 * Finishing it again does nothing.
 *
 * Since: 1.0
 */
void
tasker_group_finish (TaskerGroup *self)
{
  g_return_if_fail (TASKER_IS_GROUP (self));

  if (g_atomic_int_compare_and_exchange (&self->finished, FALSE, TRUE))
    tasker_core_close_handle (self->core);
}

/**
 * tasker_group_is_finished:
 * @self: a handle
 *
 * Whether this handle is finished: explicitly, or by a join through it.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tasker_group_is_finished (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), TRUE);

  return g_atomic_int_get (&self->finished);
}

/* Properties */

/**
 * tasker_group_get_name:
 * @self: a handle
 *
 * Gets what the group is called.
 *
 * Returns: (transfer none) (nullable): the name
 *
 * Since: 1.0
 */
const char *
tasker_group_get_name (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return self->core->name;
}

/**
 * tasker_group_get_max_running:
 * @self: a handle
 *
 * Gets how many tasks may have begun and not ended.
 *
 * Returns: the number; 0 if the group adapts it
 *
 * Since: 1.0
 */
guint
tasker_group_get_max_running (TaskerGroup *self)
{
  guint max_running;

  g_return_val_if_fail (TASKER_IS_GROUP (self), 0);

  tasker_core_lock (self->core);
  max_running = self->core->max_running;
  tasker_core_unlock (self->core);

  return max_running;
}

/**
 * tasker_group_set_max_running:
 * @self: a handle
 * @max_running: the number, or 0 to have the group adapt it
 *
 * Sets how many tasks may have begun and not ended, for the group as a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_max_running (TaskerGroup *self,
                              guint        max_running)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_GROUP (self));

  tasker_core_lock (self->core);
  changed = self->core->max_running != max_running;
  tasker_core_set_max_running (self->core, max_running);
  tasker_core_unlock (self->core);

  if (changed)
    tell_setting (self, TASKER_CHANGE_MAX_RUNNING);
}

/**
 * tasker_group_get_max_queued:
 * @self: a handle
 *
 * Gets how many tasks may wait before adding has to.
 *
 * Returns: the number; 0 for any
 *
 * Since: 1.0
 */
guint
tasker_group_get_max_queued (TaskerGroup *self)
{
  guint max_queued;

  g_return_val_if_fail (TASKER_IS_GROUP (self), 0);

  tasker_core_lock (self->core);
  max_queued = self->core->max_queued;
  tasker_core_unlock (self->core);

  return max_queued;
}

/**
 * tasker_group_set_max_queued:
 * @self: a handle
 * @max_queued: the number, or 0 for any
 *
 * Sets how many tasks may wait before adding has to, for the group as a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_max_queued (TaskerGroup *self,
                             guint        max_queued)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_GROUP (self));

  tasker_core_lock (self->core);
  changed = self->core->max_queued != max_queued;
  self->core->max_queued = max_queued;
  tasker_core_kick (self->core);
  tasker_core_unlock (self->core);

  if (changed)
    tell_setting (self, TASKER_CHANGE_MAX_QUEUED);
}

/**
 * tasker_group_get_keep_results:
 * @self: a handle
 *
 * Gets whether tasks that have ended are kept until they are taken.
 *
 * Returns: %TRUE if they are
 *
 * Since: 1.0
 */
gboolean
tasker_group_get_keep_results (TaskerGroup *self)
{
  gboolean keep_results;

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  tasker_core_lock (self->core);
  keep_results = self->core->keep_results;
  tasker_core_unlock (self->core);

  return keep_results;
}

/**
 * tasker_group_set_keep_results:
 * @self: a handle
 * @keep_results: whether to keep them
 *
 * Sets whether tasks that end are kept until they are taken, for the group as a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_keep_results (TaskerGroup *self,
                               gboolean     keep_results)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_GROUP (self));

  keep_results = !!keep_results;

  tasker_core_lock (self->core);
  changed = self->core->keep_results != keep_results;
  g_atomic_int_set (&self->core->keep_results, keep_results);
  tasker_core_kick (self->core);
  tasker_core_unlock (self->core);

  if (changed)
    tell_setting (self, TASKER_CHANGE_KEEP_RESULTS);
}

/**
 * tasker_group_get_abort_on_drop:
 * @self: a handle
 *
 * Gets whether the group is aborted with its last handle.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tasker_group_get_abort_on_drop (TaskerGroup *self)
{
  gboolean abort_on_drop;

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  tasker_core_lock (self->core);
  abort_on_drop = self->core->abort_on_drop;
  tasker_core_unlock (self->core);

  return abort_on_drop;
}

/**
 * tasker_group_set_abort_on_drop:
 * @self: a handle
 * @abort_on_drop: whether to abort it
 *
 * Sets whether the group is aborted with its last handle, for the group as a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_abort_on_drop (TaskerGroup *self,
                                gboolean     abort_on_drop)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_GROUP (self));

  abort_on_drop = !!abort_on_drop;

  tasker_core_lock (self->core);
  changed = self->core->abort_on_drop != abort_on_drop;
  self->core->abort_on_drop = abort_on_drop;
  tasker_core_kick (self->core);
  tasker_core_unlock (self->core);

  if (changed)
    tell_setting (self, TASKER_CHANGE_ABORT_ON_DROP);
}

/**
 * tasker_group_get_stop_on_error:
 * @self: a handle
 *
 * Gets whether the first task that fails stops the group.
 *
 * Returns: %TRUE if it does
 *
 * Since: 1.0
 */
gboolean
tasker_group_get_stop_on_error (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  return g_atomic_int_get (&self->core->stop_on_error);
}

/**
 * tasker_group_set_stop_on_error:
 * @self: a handle
 * @stop_on_error: whether it shall
 *
 * Sets whether the first task that fails from now on stops the group, for the
 * group as a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_stop_on_error (TaskerGroup *self,
                                gboolean     stop_on_error)
{
  g_return_if_fail (TASKER_IS_GROUP (self));

  stop_on_error = !!stop_on_error;
  if (g_atomic_int_exchange (&self->core->stop_on_error, stop_on_error) != stop_on_error)
    tell_setting (self, TASKER_CHANGE_STOP_ON_ERROR);
}

/**
 * tasker_group_get_stop_with_parent:
 * @self: a handle
 *
 * Gets whether the group is stopped when its parent is.
 *
 * Returns: %TRUE if it is, and if it has no parent
 *
 * Since: 1.0
 */
gboolean
tasker_group_get_stop_with_parent (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  return self->core->stop_with_parent;
}

/**
 * tasker_group_get_ordered_shutdown:
 * @self: a handle
 *
 * Gets whether the children are shut down one after the other.
 *
 * Returns: %TRUE if they are
 *
 * Since: 1.0
 */
gboolean
tasker_group_get_ordered_shutdown (TaskerGroup *self)
{
  gboolean ordered_shutdown;

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  tasker_core_lock (self->core);
  ordered_shutdown = self->core->ordered_shutdown;
  tasker_core_unlock (self->core);

  return ordered_shutdown;
}

/**
 * tasker_group_set_ordered_shutdown:
 * @self: a handle
 * @ordered_shutdown: whether they shall be
 *
 * Sets whether the children are shut down one after the other, for the group as
 * a whole.
 *
 * Since: 1.0
 */
void
tasker_group_set_ordered_shutdown (TaskerGroup *self,
                                   gboolean     ordered_shutdown)
{
  gboolean changed;

  g_return_if_fail (TASKER_IS_GROUP (self));

  ordered_shutdown = !!ordered_shutdown;

  tasker_core_lock (self->core);
  changed = self->core->ordered_shutdown != ordered_shutdown;
  self->core->ordered_shutdown = ordered_shutdown;
  tasker_core_unlock (self->core);

  if (changed)
    tell_setting (self, TASKER_CHANGE_ORDERED_SHUTDOWN);
}

/* Adding tasks */

/* Takes the job over: if it cannot be added, that is a mistake of the program,
 * but its data is freed all the same. */
static void
push_light (TaskerGroup *self,
            TaskerJob   *job)
{
  if (!g_atomic_int_get (&self->finished) && tasker_core_push (self->core, job))
    {
      if (g_atomic_int_add (&self->n_pushed, 1) % TIDY_INTERVAL == TIDY_INTERVAL - 1)
        tasker_core_tidy (self->core);
      return;
    }

  g_critical ("A task was spawned through a handle that is finished");
  tasker_job_free (job);
}

/**
 * tasker_group_spawn:
 * @self: a handle that is not finished
 * @name: (nullable): what to call the task
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended
 *
 * Runs a function in a worker thread.
 *
 * This is the lightest kind of task: no object is made for it. Its function
 * obeys the group's stop and abort; while it is queued it can be stopped or
 * aborted alone. Use [ctor@Tasker.Task.new] and [method@Tasker.Group.add] for
 * a task with a priority, or one to hold on to.
 *
 * It never blocks, and is never refused for want of room. After the stop,
 * @func is not called any more, and the task counts as stopped.
 *
 * @user_data is freed in a worker thread, exactly once, also when @func is
 * never called.
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Since: 1.0
 */
void
tasker_group_spawn (TaskerGroup    *self,
                    const char     *name,
                    TaskerFunc      func,
                    gpointer        user_data,
                    GDestroyNotify  user_data_free)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (func != NULL);

  push_light (self, tasker_job_new (&tasker_thread_kind, name, G_CALLBACK (func),
                                    user_data, user_data_free));
}

/**
 * tasker_group_spawn_local:
 * @self: a handle that is not finished
 * @name: (nullable): what to call the task
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended
 *
 * Runs a function on the main loop, one step a call, until it is done.
 *
 * It is called in the thread-default main context of this call, with
 * %G_PRIORITY_DEFAULT, and @user_data is freed there, also when @func is never
 * called. Use [ctor@Tasker.Task.new_local] and [method@Tasker.Group.add] for a
 * task with a priority, or one to hold on to.
 *
 * ```c
 * static gboolean
 * add_some_rows (gpointer user_data, GCancellable *stopper, GError **error)
 * {
 *   Import *import = user_data;
 *
 *   for (guint i = 0; i < 20 && import_has_next (import); i++)
 *     import_add_row (import);
 *
 *   return import_has_next (import) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
 * }
 *
 * tasker_group_spawn_local (group, "rows", add_some_rows, import, import_free);
 * ```
 *
 * Once it has begun it is called until it returns %G_SOURCE_REMOVE, also after
 * the stop, which it sees by its @stopper; after an abort it is not called any
 * more. A step that takes longer than 50 ms is told in a message in the log,
 * once.
 *
 * Since: 1.0
 */
void
tasker_group_spawn_local (TaskerGroup    *self,
                          const char     *name,
                          TaskerStepFunc  func,
                          gpointer        user_data,
                          GDestroyNotify  user_data_free)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (func != NULL);

  push_light (self, tasker_local_job_new (name, func, user_data, user_data_free));
}

/* From here on the task is the group's, which holds a reference; unless it has
 * been added before. */
static gboolean
enter (TaskerGroup *self,
       TaskerTask  *task)
{
  if (!tasker_task_enter (task, self->core))
    {
      g_critical ("A task was added that had been added before");
      return FALSE;
    }

  tasker_home_job_settle (tasker_task_get_job (task));
  g_object_ref (task);

  return TRUE;
}

/* A task that was added after the stop is born cancelled. */
static gboolean
is_asked (TaskerGroup *self)
{
  return tasker_source_get_level (&self->core->source) != TASKER_LEVEL_NONE;
}

static void
hear_stop (TaskerGroup *self,
           TaskerTask  *task)
{
  if (is_asked (self))
    tasker_cancel (G_CANCELLABLE (task));
}

/* It is not, after all. */
static void
leave (gpointer task)
{
  tasker_home_job_unsettle (tasker_task_get_job (task));
  tasker_task_leave (task);
  g_object_unref (task);
}

/* Returns: %FALSE if the handle is finished by now; the task is not added then */
static gboolean
push_full (TaskerGroup *self,
           TaskerTask  *task)
{
  hear_stop (self, task);
  if (!tasker_core_push (self->core, tasker_task_get_job (task)))
    {
      leave (task);
      return FALSE;
    }

  /* Who stopped the group meanwhile may not have found the task. */
  if (is_asked (self) && !tasker_task_is_finished (task))
    tasker_cancel (G_CANCELLABLE (task));

  return TRUE;
}

/**
 * tasker_group_add:
 * @self: a handle that is not finished
 * @task: a task that has not been added
 *
 * Adds a task, whose function is run when its turn comes.
 *
 * It never blocks, and is never refused for want of room. If the group is
 * stopped, so is the task at once, and its function is not called.
 *
 * Since: 1.0
 */
void
tasker_group_add (TaskerGroup *self,
                  TaskerTask  *task)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (TASKER_IS_TASK (task));
  g_return_if_fail (!tasker_group_is_finished (self));

  if (enter (self, task) && !push_full (self, task))
    g_critical ("A task was added through a handle that is finished");
}

/* A ready function: whether the task could be added. With the core's lock
 * held. */
static gboolean
try_adopt (TaskerCore  *core,
           gpointer     task,
           GError     **error)
{
  if (tasker_core_is_closed (core))
    {
      g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_FINISHED,
                           _("The handle is finished, and takes no more tasks"));
      return TRUE;
    }

  if (!tasker_core_has_room (core))
    return FALSE;

  tasker_core_adopt (core, tasker_task_get_job (task));
  tasker_core_kick (core);

  return TRUE;
}

/* The same, for who waits for room: after the stop nobody should. */
static gboolean
try_adopt_unless_stopped (TaskerCore  *core,
                          gpointer     task,
                          GError     **error)
{
  TaskerLevel level = tasker_source_get_level (&core->source);

  if (level == TASKER_LEVEL_NONE)
    return try_adopt (core, task, error);

  if (level == TASKER_LEVEL_STOPPED)
    g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_STOPPED, _("The group was stopped"));
  else
    g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_ABORTED, _("The group was aborted"));

  return TRUE;
}

static gboolean
can_add (TaskerGroup  *self,
         GError      **error)
{
  if (!tasker_group_is_finished (self))
    return tasker_runner_have_thread (error);

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_FINISHED,
                       _("The handle is finished, and takes no more tasks"));
  return FALSE;
}

/**
 * tasker_group_try_add:
 * @self: a handle
 * @task: a task that has not been added
 * @error: return location for the error
 *
 * Adds a task, unless that is not possible now.
 *
 * Fails with [error@Tasker.Error.FULL] if [property@Tasker.Group:max-queued]
 * tasks wait already, with [error@Tasker.Error.FINISHED] if the handle is
 * finished, and with [error@Tasker.Error.NO_THREAD] if the process cannot get
 * a single thread. The task is the caller's as before then, and can be added
 * again.
 *
 * If the group is stopped the task is added, and stopped at once.
 *
 * Returns: %TRUE if the task was added, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_try_add (TaskerGroup  *self,
                      TaskerTask   *task,
                      GError      **error)
{
  g_autoptr(GError) local_error = NULL;
  gboolean answered;

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (TASKER_IS_TASK (task), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!can_add (self, error) || !enter (self, task))
    return FALSE;

  tasker_core_lock (self->core);
  answered = try_adopt (self->core, task, &local_error);
  tasker_core_unlock (self->core);

  if (answered && local_error == NULL)
    {
      hear_stop (self, task);
      return TRUE;
    }

  leave (task);
  if (answered)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_FULL,
                         _("As many tasks wait as the group has room for"));

  return FALSE;
}

/**
 * tasker_group_add_wait:
 * @self: a handle
 * @task: a task that has not been added
 * @cancellable: (nullable): cancels the wait
 * @error: return location for the error
 *
 * Adds a task, and waits until there is room for it.
 *
 * So a producer that is faster than the group goes at its pace, and ends with
 * it: once the group is stopped this fails with [error@Tasker.Error.STOPPED]
 * or [error@Tasker.Error.ABORTED].
 *
 * Fails also with %G_IO_ERROR_CANCELLED if @cancellable is cancelled before
 * there is room, with [error@Tasker.Error.FINISHED] if the handle is finished,
 * with [error@Tasker.Error.NO_THREAD] if the process cannot get a single
 * thread, and with [error@Tasker.Error.DEADLOCK] in a handler of
 * [signal@Gio.Cancellable::cancelled], as [method@Tasker.Group.join] does. The task is the caller's as before
 * then, and can be added again.
 *
 * Returns: %TRUE if the task was added, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_add_wait (TaskerGroup   *self,
                       TaskerTask    *task,
                       GCancellable  *cancellable,
                       GError       **error)
{
  TaskerWait wait = { .ready = try_adopt_unless_stopped, .data = task, .for_room = TRUE };

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (TASKER_IS_TASK (task), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!can_add (self, error) || !enter (self, task))
    return FALSE;

  wait.core = self->core;
  if (!tasker_waiter_wait (&wait, cancellable, error))
    {
      leave (task);
      return FALSE;
    }

  hear_stop (self, task);

  return TRUE;
}

/**
 * tasker_group_add_wait_async:
 * @self: a handle
 * @task: a task that has not been added
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called when the task is added, or cannot be
 * @user_data: data for @callback
 *
 * Adds a task when there is room for it, without blocking.
 *
 * @callback is called in the thread-default main context of this call. See
 * [method@Tasker.Group.add_wait].
 *
 * Since: 1.0
 */
void
tasker_group_add_wait_async (TaskerGroup         *self,
                             TaskerTask          *task,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  TaskerWait wait = { .ready = try_adopt_unless_stopped, .data = task, .for_room = TRUE, .undo = leave };
  g_autoptr(GTask) result = NULL;
  GError *error = NULL;

  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (TASKER_IS_TASK (task));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  result = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (result, tasker_group_add_wait_async);
  g_task_set_task_data (result, g_object_ref (task), g_object_unref);

  if (!can_add (self, &error))
    {
      g_task_set_check_cancellable (result, FALSE);
      g_task_return_error (result, error);
      return;
    }
  if (!enter (self, task))
    return;

  wait.core = self->core;
  tasker_waiter_wait_async (&wait, result);
}

/**
 * tasker_group_add_wait_finish:
 * @self: a handle
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Group.add_wait_async] began.
 *
 * Fails as [method@Tasker.Group.add_wait] does.
 *
 * Returns: %TRUE if the task was added, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_add_wait_finish (TaskerGroup   *self,
                              GAsyncResult  *result,
                              GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tasker_group_run_in_thread:
 * @self: a handle that is not finished
 * @task: a GTask
 * @func: (scope async): the worker function of @task
 *
 * Runs the worker function of a [class@Gio.Task] as a task of the group.
 *
 * It is to be put where [method@Gio.Task.run_in_thread] stands. Nothing else
 * changes for @task: its callback is called in its context, and its value,
 * error, task data, name and priority are its own. What comes with the group
 * is that the operation is stopped and joined with it:
 *
 * ```c
 * -  g_task_run_in_thread (task, load_in_thread);
 * +  tasker_group_run_in_thread (group, task, load_in_thread);
 * ```
 *
 * The cancellable that @func receives is a stopper, which is cancelled when
 * the group is stopped or when @task's own cancellable is. The latter is never
 * cancelled by the group.
 *
 * The task has ended when @func has returned *and* @task has completed. It
 * counts as failed if @task had an error, [method@Gio.Task.had_error]. If it
 * is not to run any more, @task returns %G_IO_ERROR_CANCELLED.
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Since: 1.0
 */
void
tasker_group_run_in_thread (TaskerGroup     *self,
                            GTask           *task,
                            GTaskThreadFunc  func)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (G_IS_TASK (task));
  g_return_if_fail (func != NULL);

  push_light (self, tasker_gtask_job_new (task, func));
}

/* Returns: %FALSE if the task is not added: it could not begin at once */
static gboolean
begin_full (TaskerGroup *self,
            TaskerTask  *task)
{
  if (tasker_external_begin (tasker_task_get_job (task), self->core))
    return TRUE;

  leave (task);

  return FALSE;
}

/**
 * tasker_group_spawn_owned:
 * @self: a handle
 * @name: (nullable): what to call the task
 * @owner: the number of its owner
 * @key: what the owner knows the task by, not 0
 *
 * Makes a task as [ctor@Tasker.Task.new_owned] does, and adds it as
 * [method@Tasker.Group.add] does, in one call.
 *
 * An external task is added only if it begins at once: so its owner knows that it
 * does without being told. Where there is no room, or the group is stopped, one that
 * is made and added in two calls waits for its turn.
 *
 * Returns: (transfer full) (nullable): the task; or %NULL if the handle is
 *   finished, or the task is external and cannot begin, and the owner can
 *   forget @key
 *
 * Since: 1.0
 */
TaskerTask *
tasker_group_spawn_owned (TaskerGroup *self,
                          const char  *name,
                          guint        owner,
                          gsize        key)
{
  g_autoptr(TaskerTask) task = NULL;
  gboolean added;

  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  if (tasker_group_is_finished (self))
    return NULL;

  task = tasker_task_new_owned (name, owner, key);
  if (task == NULL || !enter (self, task))
    return NULL;

  if (tasker_job_get_kind (tasker_task_get_job (task)) == &tasker_external_kind)
    added = begin_full (self, task);
  else
    added = push_full (self, task);

  return added ? g_steal_pointer (&task) : NULL;
}

/* Stopping */

/**
 * tasker_group_stop:
 * @self: a handle
 *
 * Asks the tasks of the group to end.
 *
 * The stoppers of the functions that run are cancelled, and so is each one
 * that was made with [method@Tasker.Group.create_stopper]. Tasks that are
 * queued end as stopped, and their functions are not called; only
 * [property@Tasker.Task:run-always] tasks still run. The same holds for what
 * is added later.
 *
 * Handlers of [signal@Gio.Cancellable::cancelled] are called in this thread,
 * inside of this call.
 *
 * Returns: %TRUE if this call did it, %FALSE if the group was stopped before
 *
 * Since: 1.0
 */
gboolean
tasker_group_stop (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  return tasker_source_raise (&self->core->source, TASKER_LEVEL_STOPPED);
}

/**
 * tasker_group_abort:
 * @self: a handle
 *
 * Insists that the tasks of the group end.
 *
 * This stops the group, if that was not done before. From here on no function
 * of the group is called, not even that of a
 * [property@Tasker.Task:run-always] task; the free functions of their data
 * are. A function that is running cannot be torn away from its thread, so its
 * task has not ended before it returns.
 *
 * Returns: %TRUE if this call did it, %FALSE if the group was aborted before
 *
 * Since: 1.0
 */
gboolean
tasker_group_abort (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  return tasker_source_raise (&self->core->source, TASKER_LEVEL_ABORTED);
}

/**
 * tasker_group_is_stopped:
 * @self: a handle
 *
 * Whether the group was stopped or aborted.
 *
 * Returns: %TRUE if it was
 *
 * Since: 1.0
 */
gboolean
tasker_group_is_stopped (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);

  return tasker_source_get_level (&self->core->source) != TASKER_LEVEL_NONE;
}

/**
 * tasker_group_create_stopper:
 * @self: a handle
 *
 * Makes a stopper that is cancelled when the group is stopped.
 *
 * It is for an operation that is not a task, but should end with the group.
 * After the stop it is cancelled from the beginning. It is not a handle, and
 * does not keep the group alive.
 *
 * Returns: (transfer full): a new stopper
 *
 * Since: 1.0
 */
TaskerStopper *
tasker_group_create_stopper (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return tasker_stopper_new (&self->core->source);
}

/**
 * tasker_group_create_signaller:
 * @self: a handle
 *
 * Makes an object that can stop the group, and holds nothing of it.
 *
 * Returns: (transfer full): a new signaller
 *
 * Since: 1.0
 */
TaskerSignaller *
tasker_group_create_signaller (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return tasker_core_make (self->core, TASKER_TYPE_SIGNALLER);
}

/**
 * tasker_group_stop_on_signal:
 * @self: a handle
 * @signum: the number of a Unix signal
 * @error: return location for the error
 *
 * Has a Unix signal stop the group.
 *
 * The first signal stops the group, the second one aborts it, and the third
 * one does what it does by default: it ends the process, so that even a
 * function that never returns cannot hold it. Signals of several numbers are
 * counted together, and for each group apart; the third one is the one that
 * comes when all the groups that watch its number have been aborted in this
 * way.
 *
 * ```c
 * if (!tasker_group_stop_on_signal (group, SIGINT, &error) ||
 *     !tasker_group_stop_on_signal (group, SIGTERM, &error))
 *   return FALSE;
 *
 * return tasker_group_join (group, NULL, &error);
 * ```
 *
 * This works with a main loop and without, also while all threads of the
 * program block: it is a thread of the library that stops the groups. Handlers
 * of [signal@Gio.Cancellable::cancelled] are called there, when all groups that
 * watch the signal are stopped, group by group in the order of these calls. At
 * least one thread must not have the signal blocked.
 *
 * The group watches the signal until it is joined: every handle is finished, or
 * the group is shut down, and every task has ended. A join returns after that.
 * When the last group that watches a signal is joined, what acted before acts
 * again: the handler that was installed, that of Python for instance, or the
 * default, or nothing where the signal was ignored. Meanwhile that does not see
 * the signal. A signal that has come and has reached no group goes there, too.
 *
 * There is one place for a handler in a process, and the last one to take it has
 * it. A handler that is installed while a group watches takes the signal from
 * the group, and is left in place. This goes for `g_unix_signal_add()` as
 * well: a source of that kind which was there before is not called while a group
 * watches, and one that is removed meanwhile leaves the default in place. For
 * something else to happen at the stop, connect to a stopper of the group
 * instead, see [method@Tasker.Group.create_stopper].
 *
 * A process that is run from this one gets the signal's default, as
 * `exec()` has it, and a child that was forked only what acted before.
 *
 * Signals to watch are `SIGHUP`, `SIGINT`, `SIGQUIT`, `SIGTERM`, `SIGUSR1`,
 * `SIGUSR2` and `SIGXCPU`.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED for any other number, and on systems
 * other than Unix; with [error@Tasker.Error.NO_THREAD] if there is no thread to
 * be had that takes signals; and with an error of %G_UNIX_ERROR if the
 * process is out of file descriptors.
 *
 * Returns: %TRUE if the group watches the signal, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_stop_on_signal (TaskerGroup  *self,
                             int           signum,
                             GError      **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!tasker_signal_watch (self->core, signum, error))
    return FALSE;

  /* If there is nothing more to come, that ends here. */
  tasker_core_lock (self->core);
  tasker_core_gather (self->core);
  self->core->watching_signals = TRUE;
  tasker_core_unlock (self->core);

  return TRUE;
}

/* Returns: %FALSE if that was done before */
static gboolean
mark_bound (TaskerCore *core)
{
  gboolean first;

  tasker_core_lock (core);
  first = !core->bound;
  core->bound = TRUE;
  tasker_core_unlock (core);

  return first;
}

/**
 * tasker_group_bind_application:
 * @self: a handle
 * @application: an application that was not shut down
 * @grace_ms: how long the tasks may take when it ends, in milliseconds; 0 to
 *   abort them at once, %G_MAXUINT for no bound
 *
 * Has the group shut down with an application, once.
 *
 * However @application ends - [method@Gio.Application.quit], its last window was
 * closed, its last hold released -, the group is stopped in its
 * [signal@Gio.Application::shutdown] and waited for, as
 * [method@Tasker.Group.shutdown] does, and then the application ends. And where a
 * signal stops the group, see [method@Tasker.Group.stop_on_signal], the
 * application quits.
 *
 * ```c
 * application = gtk_application_new ("org.example.Sync", G_APPLICATION_DEFAULT_FLAGS);
 * group = tasker_group_new ("sync");
 * tasker_group_bind_application (group, G_APPLICATION (application), 5000);
 *
 * if (!tasker_group_stop_on_signal (group, SIGTERM, &error))
 *   g_warning ("%s", error->message);
 *
 * return g_application_run (G_APPLICATION (application), argc, argv);
 * ```
 *
 * Meanwhile the main context is iterated, so tasks on the main loop and replies
 * that come over D-Bus get through. Windows that still exist can show what is
 * waited for: whoever calls [method@Gio.Application.quit] with a window open
 * changes what that shows first. Handlers of `shutdown` that were connected before
 * this call run before, all others and those of the class after.
 *
 * The application can still be activated meanwhile. That does not start new work:
 * what is added to the group ends at once, as stopped. A handler that does more
 * than that, opening a window perhaps, asks
 * [method@Tasker.Group.is_stopped] first.
 *
 * The application ends in any case. Tasks that go on after the grace and the
 * abort are named in a warning in the log; they are cut off when the process
 * exits. The first failure that nobody has taken is told in a message there.
 *
 * No handle has to be finished, nor kept: it is the application that keeps what
 * is needed of the group. Several groups are shut down one after the other, in
 * the order of these calls and each with its own grace; children of one group
 * together, so bind their parent. An application that turns out to be remote,
 * for another process is the primary one, has no `shutdown`, and does nothing
 * here.
 *
 * A group that nobody has a handle on any more lets go of its signals when its
 * tasks have ended, as any other does; a signal does not make the application quit
 * then.
 *
 * To be called in the thread that runs @application, which is to be shut down
 * yet: it is a mistake of the program to bind a group when
 * `shutdown` has begun, or to bind it twice. One that was shut down before the
 * program has made its first group cannot be told from one that is yet to run; to
 * bind a group to it does nothing.
 *
 * Since: 1.0
 */
void
tasker_group_bind_application (TaskerGroup  *self,
                               GApplication *application,
                               guint         grace_ms)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (G_IS_APPLICATION (application));

  if (tasker_application_is_over (application))
    g_critical ("A group was bound to an application that was shut down");
  else if (!mark_bound (self->core))
    g_critical ("A group was bound to an application twice");
  else
    tasker_application_bind (application, self->core, grace_ms);
}

/* Joining */

static gboolean
is_joined (TaskerCore  *core,
           gpointer     data,
           GError     **error)
{
  return tasker_core_is_joined (core);
}

/* Waits for the whole group. What the wait is for is read afterwards, so that
 * a wait that is cancelled takes nothing. */
static gboolean
wait_for_all (TaskerGroup   *self,
              GCancellable  *cancellable,
              GError       **error)
{
  TaskerWait wait = { .core = self->core, .ready = is_joined, .for_all = TRUE };

  tasker_group_finish (self);

  return tasker_waiter_wait (&wait, cancellable, error);
}

static void
wait_for_all_async (TaskerGroup         *self,
                    GCancellable        *cancellable,
                    GAsyncReadyCallback  callback,
                    gpointer             user_data,
                    gpointer             source_tag)
{
  TaskerWait wait = { .core = self->core, .ready = is_joined, .for_all = TRUE };
  g_autoptr(GTask) result = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (result, source_tag);
  tasker_group_finish (self);
  tasker_waiter_wait_async (&wait, result);
}

static gboolean
report (TaskerGroup  *self,
        GError      **error)
{
  GError *failure;

  /* Nothing changes by that, so there is nothing to be done after it. */
  g_mutex_lock (&self->core->lock);
  failure = tasker_core_report (self->core);
  g_mutex_unlock (&self->core->lock);

  if (failure == NULL)
    return TRUE;

  g_propagate_error (error, failure);
  return FALSE;
}

static guint
take_some (TaskerGroup  *self,
           TaskerJob   **jobs,
           guint         n_wanted)
{
  guint n_jobs = 0;

  tasker_core_lock (self->core);
  tasker_core_gather (self->core);
  while (n_jobs < n_wanted && (jobs[n_jobs] = tasker_core_take_result (self->core)) != NULL)
    tasker_task_claim_job (jobs[n_jobs++]);
  tasker_core_unlock (self->core);

  return n_jobs;
}

/* A few at a time: each is given its face without the lock, and is still close at hand
 * then. What ends meanwhile is left, for that may go on for ever. */
static GPtrArray *
take_all (TaskerGroup *self)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);
  gsize last = tasker_core_get_last_end (self->core);
  TaskerJob *jobs[256];
  gboolean more;

  do
    {
      guint n_jobs = take_some (self, jobs, G_N_ELEMENTS (jobs));

      more = n_jobs == G_N_ELEMENTS (jobs) && jobs[n_jobs - 1]->end < last;
      for (guint i = 0; i < n_jobs; i++)
        g_ptr_array_add (tasks, tasker_task_take_job (jobs[i], self->core));
    }
  while (more);

  return tasks;
}

/**
 * tasker_group_join:
 * @self: a handle
 * @cancellable: (nullable): cancels the wait, not the group
 * @error: return location for the error
 *
 * Finishes this handle, and waits until every other handle is finished and
 * every task has ended.
 *
 * Then it reports the first failure that nobody has taken, with the task's
 * name in the message. It does not take it, so another join reports the same.
 * That tasks were stopped or aborted is no failure.
 *
 * Fails with that failure, with %G_IO_ERROR_CANCELLED if @cancellable was
 * cancelled first, and at once with [error@Tasker.Error.DEADLOCK] inside of a
 * task of the group and in a handler of [signal@Gio.Cancellable::cancelled] that
 * a stop, an abort or a deadline has called. Where the program has called
 * [method@Gio.Cancellable.cancel] itself that cannot be noticed: the handler must
 * not block, but nothing says so.
 *
 * Who has waited for nothing but handles for five seconds is told so in a
 * message in the log, for a clone that nobody finished is the commonest
 * mistake.
 *
 * Returns: %TRUE if no task failed, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_join (TaskerGroup   *self,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return wait_for_all (self, cancellable, error) && report (self, error);
}

/**
 * tasker_group_join_async:
 * @self: a handle
 * @cancellable: (nullable): cancels the wait, not the group
 * @callback: (scope async): called when the group is joined
 * @user_data: data for @callback
 *
 * Joins the group without blocking, see [method@Tasker.Group.join].
 *
 * @callback is called in the thread-default main context of this call.
 *
 * Since: 1.0
 */
void
tasker_group_join_async (TaskerGroup         *self,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  wait_for_all_async (self, cancellable, callback, user_data, tasker_group_join_async);
}

/**
 * tasker_group_join_finish:
 * @self: a handle
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Group.join_async] began.
 *
 * Fails as [method@Tasker.Group.join] does.
 *
 * Returns: %TRUE if no task failed, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_join_finish (TaskerGroup   *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tasker_group_join_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error) && report (self, error);
}

/**
 * tasker_group_collect:
 * @self: a handle
 * @cancellable: (nullable): cancels the wait, not the group
 * @error: return location for the error
 *
 * Joins the group, and takes the tasks that nobody has taken.
 *
 * The tasks come in the order in which they ended. Whether one of them failed
 * is for the caller to see: that does not make this fail. With
 * [property@Tasker.Group:keep-results] %FALSE there is the first failure only.
 *
 * Fails with %G_IO_ERROR_CANCELLED if @cancellable was cancelled first, and
 * takes nothing then, and with [error@Tasker.Error.DEADLOCK] as
 * [method@Tasker.Group.join] does.
 *
 * Returns: (transfer container) (element-type TaskerTask): the tasks, or
 *   %NULL with @error set
 *
 * Since: 1.0
 */
GPtrArray *
tasker_group_collect (TaskerGroup   *self,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return wait_for_all (self, cancellable, error) ? take_all (self) : NULL;
}

/**
 * tasker_group_collect_async:
 * @self: a handle
 * @cancellable: (nullable): cancels the wait, not the group
 * @callback: (scope async): called when the group is joined
 * @user_data: data for @callback
 *
 * Collects without blocking, see [method@Tasker.Group.collect].
 *
 * @callback is called in the thread-default main context of this call. It is
 * [method@Tasker.Group.collect_finish] that takes the tasks.
 *
 * Since: 1.0
 */
void
tasker_group_collect_async (TaskerGroup         *self,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  wait_for_all_async (self, cancellable, callback, user_data, tasker_group_collect_async);
}

/**
 * tasker_group_collect_finish:
 * @self: a handle
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Group.collect_async] began, and takes the tasks
 * that nobody has taken.
 *
 * Fails as [method@Tasker.Group.collect] does.
 *
 * Returns: (transfer container) (element-type TaskerTask): the tasks, or
 *   %NULL with @error set
 *
 * Since: 1.0
 */
GPtrArray *
tasker_group_collect_finish (TaskerGroup   *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, tasker_group_collect_async), NULL);

  return g_task_propagate_boolean (G_TASK (result), error) ? take_all (self) : NULL;
}

/**
 * tasker_group_poll_join:
 * @self: a handle
 * @n_joined: (out) (optional): return location for how many tasks were joined
 * @error: return location for the error
 *
 * Joins the tasks that have ended by now, and forgets them.
 *
 * It neither waits nor finishes the handle. It stops behind the first task
 * that failed, which counts as joined, and the next call goes on from there.
 *
 * Fails with that task's error, with its name in the message.
 *
 * Returns: %TRUE if no failed task was among them, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_group_poll_join (TaskerGroup  *self,
                        guint        *n_joined,
                        GError      **error)
{
  GError *failure = NULL;
  guint n_all = 0;
  guint n;

  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  do
    {
      tasker_core_lock (self->core);
      tasker_core_gather (self->core);
      n = tasker_core_drop_results (self->core, POLL_SIZE, &failure);
      tasker_core_unlock (self->core);
      n_all += n;
    }
  while (n == POLL_SIZE && failure == NULL);

  if (n_joined != NULL)
    *n_joined = n_all;
  if (failure == NULL)
    return TRUE;

  g_propagate_error (error, failure);
  return FALSE;
}

/**
 * tasker_group_poll_collect:
 * @self: a handle
 *
 * Takes the tasks that have ended by now and that nobody has taken.
 *
 * It neither waits nor finishes the handle. The tasks come in the order in
 * which they ended.
 *
 * Returns: (transfer container) (element-type TaskerTask): the tasks
 *
 * Since: 1.0
 */
GPtrArray *
tasker_group_poll_collect (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return take_all (self);
}

/**
 * tasker_group_join_stream:
 * @self: a handle
 *
 * Finishes the handle, and gets the tasks of the group one by one, as they end.
 *
 * The stream belongs to the thread-default main context of this call. It
 * keeps the results of the group even if all handles are gone.
 *
 * Returns: (transfer full): a new stream
 *
 * Since: 1.0
 */
TaskerJoinStream *
tasker_group_join_stream (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  tasker_group_finish (self);

  return tasker_join_stream_new (self->core);
}

/**
 * tasker_group_shutdown:
 * @self: a handle
 * @grace_ms: how long the tasks may take, in milliseconds; 0 to abort them at
 *   once, %G_MAXUINT for no bound
 * @cancellable: (nullable): cancels the wait
 * @error: return location for the error
 *
 * Finishes this handle, stops the group, and waits until every task has ended,
 * but not for ever.
 *
 * All tasks, and those of the groups below, have @grace_ms together. Those that
 * go on when half of it is over are named in a warning in the log, with
 * `TASKER_GROUP` and `TASKER_TASKS` as its fields. When all of it is over the
 * group is aborted, and they have a last moment: a tenth of the grace, 100 ms at
 * least and one second at most. Who is inside of his function even then cannot
 * be helped: this fails with [error@Tasker.Error.TIMED_OUT], and a message that
 * names the first ten and says for how long each has ignored the stop.
 *
 * Handles that nobody has finished, a clone that is left to a garbage collector,
 * do not hold this up. What is added through one of them later ends at once, as
 * stopped; and what runs always is waited for, if this is still under way. A child
 * with nothing left to do has ended as a task of its parent, although there are
 * handles on it; if something is added to it after that, it becomes a task of its
 * parent once more.
 *
 * Otherwise it tells what [method@Tasker.Group.join] tells: it fails with the
 * first failure that nobody has taken. It fails with %G_IO_ERROR_CANCELLED if
 * @cancellable is cancelled first, which leaves the group stopped, and no abort
 * follows. Inside of a task of the group, and in a handler of
 * [signal@Gio.Cancellable::cancelled], it fails with
 * [error@Tasker.Error.DEADLOCK] and stops nothing.
 *
 * What runs in a child with [property@Tasker.Group:stop-with-parent] %FALSE is
 * waited for without being asked, and aborted when the grace is over. With
 * [property@Tasker.Group:ordered-shutdown] all children are asked, one after the
 * other.
 *
 * The phases go on whatever the calling thread is busy with, so handlers of
 * [signal@Gio.Cancellable::cancelled] may be called in a thread of the library: for
 * the abort, and for children that are asked in order. What is slow in such a
 * handler holds up later phases, of this shutdown and of others.
 *
 * Several may be under way at once, each with a bound of its own.
 *
 * Returns: %TRUE if all tasks have ended and none has failed, %FALSE with @error
 *   set
 *
 * Since: 1.0
 */
gboolean
tasker_group_shutdown (TaskerGroup   *self,
                       guint          grace_ms,
                       GCancellable  *cancellable,
                       GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  tasker_group_finish (self);

  return tasker_shutdown_wait (self->core, grace_ms, cancellable, error) && report (self, error);
}

/**
 * tasker_group_shutdown_async:
 * @self: a handle
 * @grace_ms: how long the tasks may take, in milliseconds; 0 to abort them at
 *   once, %G_MAXUINT for no bound
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called when all tasks have ended, or the time is over
 * @user_data: data for @callback
 *
 * Shuts the group down without blocking, see [method@Tasker.Group.shutdown].
 *
 * @callback is called in the thread-default main context of this call.
 *
 * Since: 1.0
 */
void
tasker_group_shutdown_async (TaskerGroup         *self,
                             guint                grace_ms,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_autoptr(GTask) result = NULL;

  g_return_if_fail (TASKER_IS_GROUP (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  result = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (result, tasker_group_shutdown_async);
  tasker_group_finish (self);
  tasker_shutdown_wait_async (self->core, grace_ms, result);
}

/**
 * tasker_group_shutdown_finish:
 * @self: a handle
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Group.shutdown_async] began.
 *
 * Fails as [method@Tasker.Group.shutdown] does.
 *
 * Returns: %TRUE if all tasks have ended and none has failed, %FALSE with @error
 *   set
 *
 * Since: 1.0
 */
gboolean
tasker_group_shutdown_finish (TaskerGroup   *self,
                              GAsyncResult  *result,
                              GError       **error)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tasker_group_shutdown_async), FALSE);

  return tasker_shutdown_wait_finish (G_TASK (result), error) && report (self, error);
}

/* Watching */

/**
 * tasker_group_get_n_tasks:
 * @self: a handle
 *
 * Gets how many tasks are live: queued, or begun and not ended.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
tasker_group_get_n_tasks (TaskerGroup *self)
{
  guint64 n_live = 0;

  g_return_val_if_fail (TASKER_IS_GROUP (self), 0);

  tasker_group_get_counts (self, NULL, &n_live, NULL, NULL, NULL, NULL);

  return (guint) MIN (n_live, G_MAXUINT);
}

/**
 * tasker_group_get_counts:
 * @self: a handle
 * @n_spawned: (out) (optional): return location for how many were ever added
 * @n_live: (out) (optional): … are queued, or have begun and not ended
 * @n_succeeded: (out) (optional): … have succeeded
 * @n_failed: (out) (optional): … have failed
 * @n_stopped: (out) (optional): … were stopped
 * @n_aborted: (out) (optional): … were aborted
 *
 * Gets the numbers of tasks, all of one moment: @n_spawned is the sum of the
 * others, always.
 *
 * Since: 1.0
 */
void
tasker_group_get_counts (TaskerGroup *self,
                         guint64     *n_spawned,
                         guint64     *n_live,
                         guint64     *n_succeeded,
                         guint64     *n_failed,
                         guint64     *n_stopped,
                         guint64     *n_aborted)
{
  guint64 *places[] = { n_spawned, n_live, n_succeeded, n_failed, n_stopped, n_aborted };
  guint64 counts[G_N_ELEMENTS (places)];

  g_return_if_fail (TASKER_IS_GROUP (self));

  tasker_core_lock (self->core);
  /* Who looks at one of them may well listen, too. */
  tasker_watch_arm (self->core);
  tasker_core_gather (self->core);
  counts[0] = self->core->n_spawned;
  counts[1] = tasker_core_get_n_live (self->core);
  for (guint i = 0; i < G_N_ELEMENTS (self->core->n_ended); i++)
    counts[2 + i] = self->core->n_ended[i];
  tasker_core_unlock (self->core);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i] != NULL)
      *places[i] = counts[i];
}

/**
 * tasker_group_get_progress:
 * @self: a handle
 *
 * Gets how far the group is: the mean of the progress of all tasks that were
 * ever added to it.
 *
 * A task that has ended counts 1, however it ended; a live one what
 * [method@Tasker.Task.get_progress] says, 0 if it says nothing. So it falls when
 * tasks are added. A child group is one task, with its own progress. A group
 * without tasks is at 0.
 *
 * Returns: the progress, from 0 to 1
 *
 * Since: 1.0
 */
double
tasker_group_get_progress (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), 0);

  tasker_core_lock (self->core);
  tasker_watch_arm (self->core);
  tasker_core_unlock (self->core);

  return tasker_progress_get (self->core);
}

/**
 * tasker_group_get_tasks:
 * @self: a handle
 *
 * Gets the live tasks of the group as a model, for a `GtkListView` for example.
 *
 * Tasks are in it in the order in which they were added, and those that come
 * are added behind, several at once. One that ends is removed by itself. Of a
 * spawned task an object is only made when somebody gets its item.
 *
 * The model belongs to the thread-default main context of this call, and changes
 * when that runs, in slices of a few milliseconds; and in this call, if the
 * thread runs that context. As long as somebody holds the model, this returns
 * the same one in the same context. It keeps neither the group nor its tasks
 * from ending.
 *
 * A group that has a model pays for each of its tasks; one that has none does
 * not.
 *
 * Returns: (transfer full): a list model of [class@Tasker.Task]
 *
 * Since: 1.0
 */
GListModel *
tasker_group_get_tasks (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return G_LIST_MODEL (tasker_task_list_get (self->core));
}

/**
 * tasker_group_dump:
 * @self: a handle
 *
 * Describes the group for people: the counts, the open handles, and each live
 * task with its state and age.
 *
 * Its form is not fixed, and it is translated.
 *
 * Returns: (transfer full): a text of several lines
 *
 * Since: 1.0
 */
char *
tasker_group_dump (TaskerGroup *self)
{
  g_return_val_if_fail (TASKER_IS_GROUP (self), NULL);

  return tasker_core_dump (self->core);
}
