/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-task-private.h"

#include <glib/gi18n-lib.h>

#include "tasker-child-private.h"
#include "tasker-current-private.h"
#include "tasker-enums.h"
#include "tasker-error.h"
#include "tasker-home-private.h"
#include "tasker-progress-private.h"
#include "tasker-source-private.h"
#include "tasker-stopper-private.h"
#include "tasker-trail-private.h"
#include "tasker-waiter-private.h"

/**
 * TaskerTask:
 *
 * One unit of work: what its function obeys, and what others hold on to.
 *
 * A task is made, configured, and then added to a group, which runs it:
 *
 * ```c
 * g_autoptr(TaskerTask) task = tasker_task_new ("index", build_index, g_object_ref (files), g_object_unref);
 *
 * tasker_task_set_priority (task, G_PRIORITY_LOW);
 * tasker_group_add (group, task);
 * ```
 *
 * It is a [class@Tasker.Stopper], and so a [class@Gio.Cancellable], and it is
 * the one that its function receives. [method@Gio.Cancellable.cancel] asks
 * this task alone to end, [method@Tasker.Task.abort] insists, and
 * [method@Tasker.Task.join] waits for it.
 *
 * Where [method@Tasker.Group.spawn] is used there is no object at first. One
 * appears where somebody looks, in results or with
 * [func@Tasker.Task.get_current]; it is the same one for as long as anybody
 * holds it. Such a task hears its group only, see
 * [property@Tasker.Task:stops-alone].
 *
 * Dropping the last reference to a task stops nothing: it runs on in its
 * group, and its result goes to whoever joins. Use a plain [class@Gio.Task]
 * for an operation that nobody needs to stop or wait for.
 *
 * All of it may be called from any thread. What is set before a task is added is
 * notified at once, in the thread that sets it. What changes later, and its
 * progress, is notified in the main context in which the object was made.
 *
 * Since: 1.0
 */

/* What tells a task, in its home context, what has changed. */
typedef struct
{
  TaskerHomeClient client;
  guint            changed; /* a TaskerTaskChange for each kind */
} TaskerNotifier;

struct _TaskerTask
{
  TaskerStopper  parent_instance;

  TaskerJob     *job;     /* under the core's lock it becomes %NULL in the end,
                           * if the core still holds it */
  gboolean       full;    /* that of the job */
  guint          owner;   /* its number, or 0 */
  TaskerCore    *core;    /* atomic; %NULL while it is new. Becomes that again, under
                           * its lock, if it was not added in the end */
  GSList        *former;  /* cores of which that is so: kept for who still looks at
                           * them; belongs to the one who adds it */
  GQueue         waiters; /* under the core's lock */
  TaskerRelease *release; /* if release-in-context is set */
  gsize          key;     /* by which its owner knows it */

  GMainContext  *context; /* its home; %NULL for the default one */
  int            heard;   /* atomic: somebody listens to it */
  int            early;   /* atomic: changes that could not be told, for it was new */
  TaskerNotifier *notifier; /* under the core's lock; made when first needed */
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_PRIORITY,
  PROP_RUN_ALWAYS,
  PROP_RELEASE_IN_CONTEXT,
  PROP_STOPS_ALONE,
  PROP_STATE,
  PROP_PROGRESS,
  PROP_PROGRESS_MESSAGE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint notify_signal;

/* Set while this thread makes a task that is given its job afterwards. */
static GPrivate making;

/* Final for everybody but us. */
G_DEFINE_TYPE (TaskerTask, tasker_task, TASKER_TYPE_STOPPER)

/* A full task that runs in a thread has its record inside: what belongs together is
 * close together, and made at once. The others would not have use for it. */
typedef struct
{
  TaskerTask  parent_instance;

  TaskerJob   record;
  char       *name;  /* that of the record */
  TaskerNotes notes; /* what the record's are */
} TaskerThreadTask;

typedef TaskerTaskClass TaskerThreadTaskClass;

static GType tasker_thread_task_get_type (void);
G_DEFINE_FINAL_TYPE (TaskerThreadTask, tasker_thread_task, TASKER_TYPE_TASK)

static TaskerThreadTask *
to_thread_task (gpointer task)
{
  return G_TYPE_CHECK_INSTANCE_CAST (task, tasker_thread_task_get_type (), TaskerThreadTask);
}

/* To compare with the type that most have reads nothing that is written whenever a
 * task is made. */
static gboolean
is_thread_task (gpointer self)
{
  return G_TYPE_FROM_INSTANCE (self) == tasker_thread_task_get_type ();
}

static gboolean
is_task (gpointer self)
{
  return (self != NULL && is_thread_task (self)) || TASKER_IS_TASK (self);
}

/* By this name those know it who read that it has failed. */
#define TASKER_IS_TASK(self) is_task (self)

/* Among results a later one is likely to be of the same kind. */
static void
prefetch_ahead (TaskerTask *self)
{
  const gsize before = 128; /* what belongs to other classes */
  guintptr ahead;

  if (!is_thread_task (self))
    return;

  ahead = (guintptr) tasker_trail_get_ahead (&to_thread_task (self)->record);
  tasker_prefetch ((gconstpointer) (ahead - G_STRUCT_OFFSET (TaskerThreadTask, record) - before),
                   before + sizeof (TaskerThreadTask));
}

static TaskerCore *
get_core (TaskerTask *self)
{
  return g_atomic_pointer_get (&self->core);
}

static void
tasker_task_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  TaskerTask *self = TASKER_TASK (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, tasker_task_get_name (self));
      break;

    case PROP_PRIORITY:
      g_value_set_int (value, tasker_task_get_priority (self));
      break;

    case PROP_RUN_ALWAYS:
      g_value_set_boolean (value, tasker_task_get_run_always (self));
      break;

    case PROP_RELEASE_IN_CONTEXT:
      g_value_set_boolean (value, tasker_task_get_release_in_context (self));
      break;

    case PROP_STOPS_ALONE:
      g_value_set_boolean (value, tasker_task_get_stops_alone (self));
      break;

    case PROP_STATE:
      g_value_set_enum (value, tasker_task_get_state (self));
      break;

    case PROP_PROGRESS:
      g_value_set_double (value, tasker_task_get_progress (self));
      break;

    case PROP_PROGRESS_MESSAGE:
      g_value_take_string (value, tasker_task_dup_progress_message (self));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tasker_task_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  TaskerTask *self = TASKER_TASK (object);

  switch (prop_id)
    {
    case PROP_PRIORITY:
      tasker_task_set_priority (self, g_value_get_int (value));
      break;

    case PROP_RUN_ALWAYS:
      tasker_task_set_run_always (self, g_value_get_boolean (value));
      break;

    case PROP_RELEASE_IN_CONTEXT:
      tasker_task_set_release_in_context (self, g_value_get_boolean (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
set_full_job (TaskerTask *self,
              TaskerJob  *job)
{
  self->job = job;
  job->face = self;
  job->full = self->full = TRUE;
}

/* Where g_object_new() is called from outside, the task is one that its owner
 * completes: the only kind that needs no function. */
static void
tasker_task_constructed (GObject *object)
{
  if (g_private_get (&making) == NULL)
    set_full_job (TASKER_TASK (object), tasker_async_job_new (NULL, NULL, NULL, NULL));

  G_OBJECT_CLASS (tasker_task_parent_class)->constructed (object);
}

/* Whether there is more to be done for it than was done for all when the group was
 * stopped. */
static gboolean
is_cancelled_alone (TaskerTask *self,
                    TaskerCore *core)
{
  return tasker_source_get_level (&core->source) == TASKER_LEVEL_NONE ||
         tasker_job_get_kind (self->job)->asked != NULL;
}

/* A queued task that is cancelled alone does not begin. */
static void
tasker_task_cancelled (GCancellable *cancellable)
{
  TaskerTask *self = TASKER_TASK (cancellable);
  TaskerCore *core = get_core (self);

  if (core != NULL && is_cancelled_alone (self, core))
    tasker_core_doom (core, self->job, FALSE);

  G_CANCELLABLE_CLASS (tasker_task_parent_class)->cancelled (cancellable);
}

static void
tasker_notifier_free (TaskerNotifier *notifier)
{
  tasker_home_client_clear (&notifier->client);
  g_free (notifier);
}

/* Where the core or a list holds a light job, the job forgets its face; otherwise it goes
 * with it. The face of a full one goes only when the core has let go of it. */
static void
tasker_task_dispose (GObject *object)
{
  TaskerTask *self = TASKER_TASK (object);
  TaskerCore *core = get_core (self);

  prefetch_ahead (self);
  if (core != NULL && (!self->full || self->notifier != NULL))
    {
      tasker_core_lock (core);
      if (self->notifier != NULL)
        tasker_home_client_leave (&self->notifier->client);
      if (self->job != NULL && !self->full)
        {
          g_atomic_pointer_set (&self->job->face, NULL);
          if (self->job->owned || self->job->n_rows > 0)
            self->job = NULL;
        }
      tasker_core_unlock (core);
    }

  G_OBJECT_CLASS (tasker_task_parent_class)->dispose (object);
}

static void
tasker_task_finalize (GObject *object)
{
  TaskerTask *self = TASKER_TASK (object);

  g_clear_pointer (&self->job, tasker_job_free);
  g_clear_pointer (&self->release, tasker_release_free);
  g_clear_pointer (&self->core, tasker_core_unref);
  g_slist_free_full (self->former, (GDestroyNotify) tasker_core_unref);
  g_clear_pointer (&self->notifier, tasker_notifier_free);
  g_clear_pointer (&self->context, g_main_context_unref);

  G_OBJECT_CLASS (tasker_task_parent_class)->finalize (object);
}

static void
define_settings (void)
{
  /**
   * TaskerTask:name:
   *
   * What the task is called, in messages and lists.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] =
    g_param_spec_string ("name", NULL, NULL, NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:priority:
   *
   * When the task's turn comes, on GLib's scale: the lower the sooner, as in
   * %G_PRIORITY_HIGH. Tasks of one priority begin in the order in which they
   * were added. Threads take several quick ones at a time, so where there is more
   * than one thread a task may begin some milliseconds after one that was added
   * later. Fixed once the task is added.
   *
   * Since: 1.0
   */
  properties[PROP_PRIORITY] =
    g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT, G_PRIORITY_DEFAULT,
                      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:run-always:
   *
   * Whether the task is run even after the stop, because it owes something: a
   * flush, a commit. Its function sees a cancelled stopper then. After an
   * abort it is not run. Fixed once the task is added.
   *
   * Since: 1.0
   */
  properties[PROP_RUN_ALWAYS] =
    g_param_spec_boolean ("run-always", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:release-in-context:
   *
   * Whether the data of a task that runs in worker threads is released in its
   * home context, the thread-default main context of the thread that adds the
   * task. It is for data that holds widgets, or whatever else belongs to one
   * thread.
   *
   * So it is also if the task never runs, or is aborted. The task has not ended
   * before, and keeps its place meanwhile. Whoever waits for it in the thread of
   * that context iterates it, and a context that nobody runs is run by the one
   * who waits, but for the default one, which is the main thread's. Where nobody
   * runs it and nobody waits, the data is not released. A task that is never
   * added has no home: its data goes with the last reference.
   *
   * A value, see [method@Tasker.Task.set_value], is not released there; it goes
   * with the task to whoever takes that.
   *
   * For tasks on a main loop it makes no difference: their data is released
   * there anyway. Fixed once the task is added.
   *
   * Since: 1.0
   */
  properties[PROP_RELEASE_IN_CONTEXT] =
    g_param_spec_boolean ("release-in-context", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

static void
define_state (void)
{
  /**
   * TaskerTask:stops-alone:
   *
   * Whether the running task can be stopped and aborted without its group.
   *
   * This is so for a task that was made with a constructor of this class. One
   * that was spawned can be stopped alone only as long as it is queued.
   *
   * Since: 1.0
   */
  properties[PROP_STOPS_ALONE] =
    g_param_spec_boolean ("stops-alone", NULL, NULL, FALSE,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:state:
   *
   * Where the task is on its way.
   *
   * Changes are notified in the main context in which the object was made, once
   * in an iteration at most. Where many tasks come at once that may be some
   * hundredths of a second later.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, TASKER_TYPE_TASK_STATE, TASKER_TASK_STATE_NEW,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:progress:
   *
   * How far the task is, from 0 to 1, see [method@Tasker.Task.get_progress].
   *
   * Changes are notified in the main context in which the object was made, once
   * in an iteration at most.
   *
   * Since: 1.0
   */
  properties[PROP_PROGRESS] =
    g_param_spec_double ("progress", NULL, NULL, 0, 1, 0,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerTask:progress-message:
   *
   * What the task is at, for people, see [method@Tasker.Task.set_progress].
   *
   * Changes are notified in the main context in which the object was made, once
   * in an iteration at most.
   *
   * Since: 1.0
   */
  properties[PROP_PROGRESS_MESSAGE] =
    g_param_spec_string ("progress-message", NULL, NULL, NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
tasker_task_class_init (TaskerTaskClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GCancellableClass *cancellable_class = G_CANCELLABLE_CLASS (klass);

  object_class->get_property = tasker_task_get_property;
  object_class->set_property = tasker_task_set_property;
  object_class->constructed = tasker_task_constructed;
  object_class->dispose = tasker_task_dispose;
  object_class->finalize = tasker_task_finalize;
  cancellable_class->cancelled = tasker_task_cancelled;

  define_settings ();
  define_state ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
  notify_signal = g_signal_lookup ("notify", G_TYPE_OBJECT);
}

static void
tasker_thread_task_finalize (GObject *object)
{
  g_free (to_thread_task (object)->name);

  G_OBJECT_CLASS (tasker_thread_task_parent_class)->finalize (object);
}

static void
tasker_thread_task_class_init (TaskerThreadTaskClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tasker_thread_task_finalize;
}

static void
tasker_thread_task_init (TaskerThreadTask *self)
{
}

static void
tasker_task_init (TaskerTask *self)
{
  GMainContext *context = g_main_context_get_thread_default ();

  self->context = context != NULL ? g_main_context_ref (context) : NULL;
}

/* Inside */

static TaskerTask *
new_without_job (GType type)
{
  TaskerTask *self;

  g_private_set (&making, &making);
  self = g_object_new (type, NULL);
  g_private_set (&making, NULL);

  return self;
}

/* One that has its record inside. */
static TaskerTask *
new_thread_task (const TaskerJobKind *kind,
                 const char          *name,
                 GCallback            func,
                 gpointer             user_data,
                 GDestroyNotify       user_data_free)
{
  TaskerThreadTask *self = to_thread_task (new_without_job (tasker_thread_task_get_type ()));

  self->name = g_strdup (name);
  self->record.inside = TRUE;
  tasker_job_init (&self->record, kind, func, user_data, user_data_free);
  set_full_job (&self->parent_instance, &self->record);

  return &self->parent_instance;
}

TaskerTask *
tasker_task_new_full (TaskerJob *job)
{
  TaskerTask *self = new_without_job (TASKER_TYPE_TASK);

  set_full_job (self, job);

  return self;
}

TaskerJob *
tasker_task_get_job (TaskerTask *self)
{
  return self->job;
}

/* That of the group to which it was added, which it holds; or NULL. Where it may
 * just be refused this is to be asked again under the lock of that core. */
TaskerCore *
tasker_task_get_core (TaskerTask *self)
{
  return get_core (self);
}

/* Whether it was not added yet. */
gboolean
tasker_task_is_new (TaskerTask *self)
{
  return get_core (self) == NULL;
}

TaskerRelease *
tasker_task_get_release (TaskerTask *self)
{
  return self->release;
}

static gboolean
is_heard (TaskerTask *self)
{
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, notify_signal, 0, NULL, NULL, NULL) != 0;
}

static void
notify (TaskerTask *self,
        guint       changed)
{
  GObject *object = G_OBJECT (self);

  g_object_freeze_notify (object);
  if (changed & TASKER_TASK_CHANGE_STATE)
    g_object_notify_by_pspec (object, properties[PROP_STATE]);
  if (changed & TASKER_TASK_CHANGE_PROGRESS)
    g_object_notify_by_pspec (object, properties[PROP_PROGRESS]);
  if (changed & TASKER_TASK_CHANGE_MESSAGE)
    g_object_notify_by_pspec (object, properties[PROP_PROGRESS_MESSAGE]);
  g_object_thaw_notify (object);
}

static gboolean
tell (gpointer object,
      gint64   end)
{
  TaskerTask *self = object;
  TaskerCore *core = get_core (self);
  guint changed;

  tasker_core_lock (core);
  changed = self->notifier->changed;
  self->notifier->changed = 0;
  tasker_core_unlock (core);

  notify (self, changed);
  if (!is_heard (self))
    g_atomic_int_set (&self->heard, FALSE);

  return FALSE;
}

static GMainContext *
get_home (TaskerTask *self)
{
  return self->context != NULL ? self->context : g_main_context_default ();
}

/* A full task is known to be alive here: the core has it. A light one may be
 * about to go, and is known weakly already. */
static TaskerNotifier *
new_notifier (TaskerTask *self)
{
  TaskerNotifier *notifier = g_new0 (TaskerNotifier, 1);
  TaskerWeak *weak = self->full ? tasker_weak_new (self)
                                : tasker_weak_ref (tasker_stopper_get_weak (TASKER_STOPPER (self)));

  tasker_home_client_init (&notifier->client, weak, get_home (self), G_PRIORITY_DEFAULT, tell);

  return notifier;
}

/* Whether somebody is known to listen to it. */
gboolean
tasker_task_is_heard (TaskerTask *self)
{
  return g_atomic_int_get (&self->heard);
}

/* The same, after a look. */
gboolean
tasker_task_ask_heard (TaskerTask *self)
{
  if (tasker_task_is_heard (self))
    return TRUE;
  if (!is_heard (self))
    return FALSE;

  g_atomic_int_set (&self->heard, TRUE);

  return TRUE;
}

void
tasker_task_note (TaskerTask *self,
                  TaskerCore *core,
                  guint       changed)
{
  if (!tasker_task_is_heard (self))
    return;

  if (self->notifier == NULL)
    self->notifier = new_notifier (self);
  self->notifier->changed |= changed | (guint) g_atomic_int_exchange (&self->early, 0);
  tasker_home_client_tell (&self->notifier->client, core);
}

/* Tells who listens to the task, and to the group; of one that waits for room, when
 * it is there. */
void
tasker_task_announce (TaskerTask *self,
                      guint       changed)
{
  TaskerCore *core = get_core (self);
  gboolean known = tasker_task_is_heard (self);

  if (!tasker_task_ask_heard (self) && (changed & TASKER_TASK_CHANGE_PROGRESS) == 0)
    return;
  /* Who is found to listen only now may have yet to hear of its state. */
  if (!known && core != NULL && g_atomic_int_get (&core->asking))
    changed |= TASKER_TASK_CHANGE_STATE;

  if (core == NULL)
    {
      /* It has just been refused. */
      g_atomic_int_or (&self->early, changed);
      return;
    }

  tasker_core_lock (core);
  if (get_core (self) != core || tasker_job_get_state (self->job) == TASKER_TASK_STATE_NEW)
    {
      g_atomic_int_or (&self->early, changed);
    }
  else if (!tasker_job_has_ended (self->job))
    {
      if (changed & TASKER_TASK_CHANGE_PROGRESS)
        {
          tasker_progress_add (core, self->job);
          core->changed |= TASKER_CHANGE_PROGRESS;
        }
      tasker_task_note (self, core, changed);
    }
  tasker_core_unlock (core);
}

const TaskerOwner *
tasker_task_get_owner (TaskerTask *self,
                       gsize      *key)
{
  if (key != NULL)
    *key = self->key;

  return tasker_owner_find (self->owner);
}

TaskerNotes *
tasker_task_get_notes_place (TaskerTask *self)
{
  return &to_thread_task (self)->notes;
}

const char *
tasker_task_get_own_name (TaskerTask *self)
{
  return to_thread_task (self)->name;
}

GQueue *
tasker_task_get_waiters (TaskerTask *self)
{
  return &self->waiters;
}

void
tasker_task_wake_waiters (TaskerTask *self,
                          TaskerCore *core)
{
  if (!g_queue_is_empty (&self->waiters))
    tasker_waiter_settle (core, &self->waiters);
}

gboolean
tasker_task_end_async (TaskerTask *self,
                       GError     *error)
{
  TaskerCore *core;

  if (!tasker_async_complete (self->job, error != NULL, error))
    {
      g_clear_error (&error);
      return tasker_async_complete_late (self->job);
    }

  /* Where it is not added yet, its first step finds out. Nothing is decided here that
   * would have to be done without the lock. */
  core = get_core (self);
  if (core != NULL)
    {
      g_mutex_lock (&core->lock);
      if (get_core (self) == core)
        tasker_home_ready ((TaskerHomeJob *) self->job);
      g_mutex_unlock (&core->lock);
    }

  return TRUE;
}

gboolean
tasker_task_enter (TaskerTask *self,
                   TaskerCore *core)
{
  if (!g_atomic_pointer_compare_and_exchange (&self->core, NULL, core))
    return FALSE;

  tasker_core_ref (core);
  if (self->release != NULL)
    {
      g_clear_pointer (&self->release->context, g_main_context_unref);
      self->release->context = g_main_context_ref_thread_default ();
    }
  tasker_stopper_set_source (TASKER_STOPPER (self), &core->source);

  return TRUE;
}

void
tasker_task_leave (TaskerTask *self)
{
  TaskerCore *core = get_core (self);

  tasker_stopper_release (TASKER_STOPPER (self));
  if (g_slist_find (self->former, core) == NULL)
    self->former = g_slist_prepend (self->former, tasker_core_ref (core));

  tasker_core_lock (core);
  g_atomic_int_set (&self->job->state, TASKER_TASK_STATE_NEW);
  tasker_progress_remove (core, self->job);
  self->job->owned = FALSE;
  g_atomic_pointer_set (&self->core, NULL);
  tasker_task_wake_waiters (self, core);
  tasker_core_unlock (core);
  tasker_core_unref (core);
}

/* With the core's lock held, if others know the job. */
static void
set_face (TaskerJob  *job,
          TaskerTask *face,
          TaskerCore *core)
{
  g_atomic_pointer_set (&job->face, face);
  face->job = job;
  face->core = tasker_core_ref (core);
}

/* A face that is about to be finalized forgets its job, if it has not done so. */
static void
forget_face (TaskerJob  *job,
             TaskerWeak *weak,
             TaskerCore *core)
{
  tasker_core_lock (core);
  if (job->face != NULL && tasker_stopper_get_weak (TASKER_STOPPER (job->face)) == weak)
    {
      job->face->job = NULL;
      g_atomic_pointer_set (&job->face, NULL);
    }
  tasker_core_unlock (core);
}

/* Returns: (transfer full) (nullable): the face of a light job, if it has one */
static TaskerTask *
ref_face (TaskerJob  *job,
          TaskerCore *core)
{
  g_autoptr(TaskerWeak) weak = NULL;
  TaskerTask *face;

  if (g_atomic_pointer_get (&job->face) == NULL)
    return NULL;

  tasker_core_lock (core);
  if (job->face != NULL)
    weak = tasker_weak_ref (tasker_stopper_get_weak (TASKER_STOPPER (job->face)));
  tasker_core_unlock (core);

  if (weak == NULL)
    return NULL;

  face = tasker_weak_get (weak);
  if (face == NULL)
    forget_face (job, weak, core);

  return face;
}

/* Returns: (transfer full) (nullable): a new face of a light job, unless it has got
 *   one meanwhile */
static TaskerTask *
give_face (TaskerJob  *job,
           TaskerCore *core)
{
  g_autoptr(TaskerTask) face = new_without_job (TASKER_TYPE_TASK);
  gboolean first;
  gboolean tied = TRUE;

  tasker_stopper_know_weakly (TASKER_STOPPER (face));

  tasker_core_lock (core);
  first = job->face == NULL;
  if (first)
    {
      set_face (job, face, core);
      /* What has ended is not cancelled any more. */
      if (!tasker_job_has_ended (job))
        tied = tasker_stopper_tie (TASKER_STOPPER (face), &core->source);
    }
  tasker_core_unlock (core);

  if (!tied)
    tasker_cancel (G_CANCELLABLE (face));

  return first ? g_steal_pointer (&face) : NULL;
}

TaskerTask *
tasker_task_get_for_job (TaskerJob  *job,
                         TaskerCore *core)
{
  TaskerTask *face;

  if (job->full)
    return g_object_ref (job->face);

  do
    {
      face = ref_face (job, core);
      if (face == NULL)
        face = give_face (job, core);
    }
  while (face == NULL);

  return face;
}

void
tasker_task_disown_job (TaskerJob  *job,
                        TaskerCore *core)
{
  gboolean full = job->full;
  TaskerTask *face = job->face;

  tasker_core_lock (core);
  job->owned = FALSE;
  tasker_core_unlock (core);

  if (full)
    g_object_unref (face);
}

void
tasker_task_claim_job (TaskerJob *job)
{
  /* What the core held of a full task goes to who takes it. A job that has a face,
   * or to which a list may give one, stays owned until that is looked at. */
  job->owned = !job->full && (job->face != NULL || job->n_rows > 0);
}

TaskerTask *
tasker_task_take_job (TaskerJob  *job,
                      TaskerCore *core)
{
  if (job->owned)
    {
      TaskerTask *face = tasker_task_get_for_job (job, core);

      tasker_task_disown_job (job, core);
      return face;
    }

  if (!job->full)
    set_face (job, new_without_job (TASKER_TYPE_TASK), core);

  return job->face;
}

/* Public */

/**
 * tasker_task_new:
 * @name: (nullable): what to call the task
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended, or
 *   if it is never added
 *
 * Makes a task that runs a function in a worker thread.
 *
 * The @stopper that @func receives is the task, so its function can use all
 * of [class@Tasker.Task] on it.
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new (const char     *name,
                 TaskerFunc      func,
                 gpointer        user_data,
                 GDestroyNotify  user_data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return new_thread_task (&tasker_thread_kind, name, G_CALLBACK (func), user_data, user_data_free);
}

/**
 * tasker_task_new_each:
 * @name: (nullable): what to call the task
 * @n_items: how many items there are
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended, or
 *   if it is never added
 *
 * Makes one task that runs a function for each of many items, in as many
 * worker threads as the group has room for.
 *
 * @func is called once for every index from 0 to @n_items - 1, in several
 * threads at once. A thread takes items in chunks that grow while the items
 * are quick, and takes from the others' chunks when there is nothing else; so
 * a slow item holds up no other.
 *
 * The first item that fails ends the task with its error. After a stop no
 * more items are begun; if there were any left, the task is stopped.
 *
 * ```c
 * static gboolean
 * scale_row (gpointer user_data, gsize index, GCancellable *stopper, GError **error)
 * {
 *   Image *image = user_data;
 *
 *   image_scale_row (image, index);
 *   return TRUE;
 * }
 *
 * task = tasker_task_new_each ("scale", image->n_rows, scale_row, image, NULL);
 * ```
 *
 * In JavaScript a function must not be called in another thread than the main
 * one, so this is not for JavaScript.
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_each (const char     *name,
                      gsize           n_items,
                      TaskerEachFunc  func,
                      gpointer        user_data,
                      GDestroyNotify  user_data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return tasker_task_new_full (tasker_each_job_new (name, n_items, func, user_data, user_data_free));
}

/**
 * tasker_task_new_local:
 * @name: (nullable): what to call the task
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended, or
 *   if it is never added
 *
 * Makes a task that runs a function on the main loop, one step a call.
 *
 * It belongs to the thread-default main context of the thread that adds it, and
 * its priority is that of its source there. See
 * [method@Tasker.Group.spawn_local].
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_local (const char     *name,
                       TaskerStepFunc  func,
                       gpointer        user_data,
                       GDestroyNotify  user_data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return tasker_task_new_full (tasker_local_job_new (name, func, user_data, user_data_free));
}

/**
 * tasker_task_new_interval:
 * @name: (nullable): what to call the task
 * @interval_ms: the time from one call to the next, in milliseconds, not 0
 * @func: (scope notified) (closure user_data) (destroy user_data_free): the function to run
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended, or
 *   if it is never added
 *
 * Makes a task that runs a function on the main loop at a fixed rate.
 *
 * The first call comes one interval after the task's turn. Where the loop is
 * late, the calls that were missed are left out, and the next one comes when
 * it would have come anyway. The task ends when @func returns
 * %G_SOURCE_REMOVE, and at the stop.
 *
 * It belongs to the thread-default main context of the thread that adds it.
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_interval (const char     *name,
                          guint           interval_ms,
                          TaskerStepFunc  func,
                          gpointer        user_data,
                          GDestroyNotify  user_data_free)
{
  g_return_val_if_fail (interval_ms > 0, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return tasker_task_new_full (tasker_interval_job_new (name, interval_ms, func, user_data, user_data_free));
}

/**
 * tasker_task_new_async:
 * @name: (nullable): what to call the task
 * @func: (nullable) (scope notified) (closure user_data) (destroy user_data_free):
 *   begins the work
 * @user_data: data for @func
 * @user_data_free: (nullable): frees @user_data when the task has ended, or
 *   if it is never added
 *
 * Makes a task that its owner completes.
 *
 * When its turn comes, @func is called in the home context, the thread-default
 * main context of the thread that adds the task, to begin an operation that
 * goes on by itself. %FALSE, with an error, completes the task as failed.
 * Otherwise its owner calls [method@Tasker.Task.complete] or
 * [method@Tasker.Task.complete_error], from any thread. Without a @func the task
 * begins and nobody is told; one made with `g_object_new()` is such a one.
 *
 * At a stop the task is cancelled, and its owner completes it in his own time;
 * at an abort it ends, and what the owner does is of no account any more.
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_async (const char     *name,
                       TaskerFunc      func,
                       gpointer        user_data,
                       GDestroyNotify  user_data_free)
{
  return tasker_task_new_full (tasker_async_job_new (name, func, user_data, user_data_free));
}

/**
 * tasker_task_new_owned:
 * @name: (nullable): what to call the task
 * @owner: the number of its owner
 * @key: what the owner knows the task by, not 0
 *
 * Makes a task without a function of its own, of the kind that the owner has.
 *
 * It is for bindings of languages, which cannot afford a function for each task.
 * See [func@Tasker.register_async_owner], [func@Tasker.register_external_owner],
 * [func@Tasker.register_worker_owner], and [method@Tasker.Group.spawn_owned].
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_owned (const char *name,
                       guint       owner,
                       gsize       key)
{
  const TaskerOwner *known = tasker_owner_find (owner);
  TaskerTask *self;

  g_return_val_if_fail (known != NULL, NULL);
  g_return_val_if_fail (key != 0, NULL);

  if (known->kind == &tasker_worker_kind)
    self = new_thread_task (known->kind, name, NULL, NULL, NULL);
  else
    self = tasker_task_new_full (tasker_job_new (known->kind, name, NULL, NULL, NULL));
  self->owner = owner;
  self->key = key;

  return self;
}

/**
 * tasker_task_get_key:
 * @self: a task
 * @owner: the number of an owner
 *
 * Looks up the key by which an owner knows a task.
 *
 * Returns: the key, or 0 if the task is not the owner's
 *
 * Since: 1.0
 */
gsize
tasker_task_get_key (TaskerTask *self,
                     guint       owner)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), 0);

  /* Who has no owner has the key 0. */
  return self->owner == owner ? self->key : 0;
}

static gboolean
is_async (TaskerTask *self)
{
  return tasker_job_get_kind (self->job) == &tasker_async_kind;
}

static gboolean
is_external (TaskerTask *self)
{
  return tasker_job_get_kind (self->job) == &tasker_external_kind;
}

static void
complete (TaskerTask *self,
          GError     *error)
{
  gboolean done = is_async (self)
                    ? tasker_task_end_async (self, error)
                    : tasker_external_complete (self->job, get_core (self), error);

  if (!done)
    g_critical ("A task was completed that had been completed before");
}

static gboolean
is_completable (TaskerTask *self)
{
  return is_async (self) || (is_external (self) && get_core (self) != NULL);
}

/**
 * tasker_task_complete:
 * @self: a task made with [ctor@Tasker.Task.new_async], or an external one that
 *   has been added, see [func@Tasker.register_external_owner]
 *
 * Says that the task is done, and has succeeded.
 *
 * To be called once, from any thread; when the task was aborted meanwhile it
 * does nothing. A value is set before.
 *
 * Since: 1.0
 */
void
tasker_task_complete (TaskerTask *self)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (is_completable (self));

  complete (self, NULL);
}

static gboolean
are_async (TaskerTask **tasks,
           gsize        n_tasks)
{
  for (gsize i = 0; i < n_tasks; i++)
    if (!TASKER_IS_TASK (tasks[i]) || !is_async (tasks[i]))
      return FALSE;

  return TRUE;
}

/* Takes the lock of a core, and lets go of that of another one, if it is not the
 * same. */
static TaskerCore *
change_lock (TaskerCore *from,
             TaskerCore *to)
{
  if (from == to)
    return to;

  if (from != NULL)
    tasker_core_unlock (from);
  if (to != NULL)
    tasker_core_lock (to);

  return to;
}

/**
 * tasker_task_complete_many:
 * @tasks: (array length=n_tasks): async tasks, see [func@Tasker.register_async_owner]
 * @n_tasks: how many they are
 * @tell: whether the owner is to be told when they have ended
 *
 * Says that tasks which have begun are done, and have succeeded.
 *
 * It does what [method@Tasker.Task.complete] does, with one after the other,
 * and they end in this order. It comes to a halt at a task that has ended before
 * because it was aborted; the owner is told of that one in any case.
 *
 * Returns: how many of the tasks, from the first one on, are completed
 *
 * Since: 1.0
 */
gsize
tasker_task_complete_many (TaskerTask **tasks,
                           gsize        n_tasks,
                           gboolean     tell)
{
  TaskerCore *locked = NULL;
  gsize n_completed;

  g_return_val_if_fail (tasks != NULL || n_tasks == 0, 0);
  g_return_val_if_fail (are_async (tasks, n_tasks), 0);

  for (n_completed = 0; n_completed < n_tasks; n_completed++)
    {
      TaskerTask *task = tasks[n_completed];

      if (!tasker_async_succeed (task->job, tell))
        break;

      locked = change_lock (locked, get_core (task));
      if (locked != NULL && get_core (task) == locked)
        tasker_home_ready ((TaskerHomeJob *) task->job);
    }
  change_lock (locked, NULL);

  return n_completed;
}

/**
 * tasker_task_complete_error:
 * @self: a task made with [ctor@Tasker.Task.new_async], or an external one that
 *   has been added, see [func@Tasker.register_external_owner]
 * @error: (transfer full): the error
 *
 * Says that the task is done, and has failed.
 *
 * With %G_IO_ERROR_CANCELLED, and the task cancelled, it counts as stopped. To
 * be called once, from any thread; when the task was aborted meanwhile it does
 * nothing.
 *
 * Since: 1.0
 */
void
tasker_task_complete_error (TaskerTask *self,
                            GError     *error)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (is_completable (self));
  g_return_if_fail (error != NULL);

  complete (self, error);
}

/**
 * tasker_task_new_for_gtask:
 * @gtask: an operation that is under way
 *
 * Makes a task that stands for an operation which somebody has begun.
 *
 * It has the name and the priority of @gtask, and ends when that has completed:
 * its callback has been called by then. Where @gtask had an error, see
 * [method@Gio.Task.had_error], the task has failed; or it was stopped, if the
 * task or the cancellable of @gtask is cancelled. The error itself goes to the
 * callback. If @gtask is dropped without ever returning, the task has failed
 * with [error@Tasker.Error.PANICKED].
 *
 * ```c
 * static void
 * load_async (Document *document, TaskerGroup *group, GAsyncReadyCallback callback, gpointer user_data)
 * {
 *   g_autoptr(TaskerStopper) stopper = tasker_group_create_stopper (group);
 *   g_autoptr(GTask) gtask = g_task_new (document, G_CANCELLABLE (stopper), callback, user_data);
 *   g_autoptr(TaskerTask) task = NULL;
 *
 *   g_task_set_name (gtask, "load");
 *   task = tasker_task_new_for_gtask (gtask);
 *   tasker_group_add (group, task);
 *   begin_to_load (document, g_steal_pointer (&gtask));
 * }
 * ```
 *
 * The operation obeys the cancellable that it was begun with, which the group
 * never cancels, since others may share it. So give it a stopper of the group,
 * as here, if it is to hear of the stop. Where it does not hear, it runs to its
 * end, and joins wait for that. As it is under way, a task that is queued when
 * the group is stopped begins all the same: [property@Tasker.Task:run-always]
 * is set. After an abort nobody waits any more: the task has ended, and the
 * operation goes on by itself.
 *
 * To be called in the main context in which @gtask completes, which is the home
 * context of the task, wherever that is added. Until @gtask has completed, or
 * is dropped, it holds the task; the task does not hold @gtask.
 *
 * To have a function run that is made for [method@Gio.Task.run_in_thread], use
 * [method@Tasker.Group.run_in_thread].
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_for_gtask (GTask *gtask)
{
  TaskerTask *self;

  g_return_val_if_fail (G_IS_TASK (gtask), NULL);

  self = tasker_task_new_full (tasker_awaited_job_new (g_task_get_name (gtask), g_task_get_context (gtask)));
  self->job->priority = g_task_get_priority (gtask);
  tasker_task_await_gtask (self, gtask);

  return self;
}

/**
 * tasker_task_new_for_subprocess:
 * @name: (nullable): what to call the task
 * @process: a process
 *
 * Makes a task that stands for a process, and ends when that has ended.
 *
 * A stop sends it `SIGTERM`, for it to clean up and end, and an abort `SIGKILL`,
 * which nothing withstands.
 *
 * ```c
 * static gboolean
 * start_server (TaskerGroup *group, GError **error)
 * {
 *   g_autoptr(GSubprocess) process = NULL;
 *   g_autoptr(TaskerTask) task = NULL;
 *
 *   process = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, error, "python3", "-m", "http.server", NULL);
 *   if (process == NULL)
 *     return FALSE;
 *
 *   task = tasker_task_new_for_subprocess ("server", process);
 *   tasker_group_add (group, task);
 *
 *   return TRUE;
 * }
 * ```
 *
 * | the process | and then the task |
 * | --- | --- |
 * | exits with status 0, asked to end or not | has succeeded |
 * | exits with another status | has failed, with the status as a code of %G_SPAWN_EXIT_ERROR |
 * | is killed by the signal that the stop or the abort has sent | was stopped, or aborted |
 * | is killed by another signal | has failed, with %G_SPAWN_ERROR_FAILED |
 *
 * So a program that catches `SIGTERM` and ends in good order should exit with
 * status 0. Ctrl+C in a terminal reaches all processes there by itself; one that
 * is killed by it was not killed by the group.
 *
 * The process runs already, so the task never waits for its turn: it is
 * running when it is added, also in a group that was stopped, where it is asked
 * to end at once. It takes one of the [property@Tasker.Group:max-running] places
 * even if there is none left, and others wait until there is. Its priority does
 * not matter. To have processes wait for their turn, begin each in a task of its
 * own.
 *
 * The process may have ended before. It is reaped as soon as it ends, and never
 * sent a signal after that. No main loop has to run. Others may wait for
 * @process, or send it signals, as well. Its pipes are the caller's to read and
 * write; a process that nobody reads may not end. Processes that it has begun
 * itself are not asked to end.
 *
 * A task that is never added leaves the process alone. On systems other than Unix
 * a stop does not reach the process.
 *
 * Returns: (transfer full): a new task, to be added to a group
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_new_for_subprocess (const char  *name,
                                GSubprocess *process)
{
  g_return_val_if_fail (G_IS_SUBPROCESS (process), NULL);

  return tasker_task_new_full (tasker_subprocess_job_new (name, process));
}

/**
 * tasker_task_get_current:
 *
 * Gets the task whose function this thread is inside of.
 *
 * It is there for a task of each kind, also in the free function of its data.
 *
 * Returns: (transfer full) (nullable): the task, or %NULL outside of a task
 *
 * Since: 1.0
 */
TaskerTask *
tasker_task_get_current (void)
{
  TaskerCurrent *current = tasker_current_get ();

  if (current == NULL || current->job == NULL)
    return NULL;

  return tasker_task_get_for_job (current->job, current->core);
}

/**
 * tasker_task_create_signaller:
 * @self: a task
 *
 * Makes an object that can stop the group to which the task was added, and holds
 * nothing of it.
 *
 * So a function can stop the others of its group, when it has found what all of
 * them look for:
 *
 * ```c
 * static gboolean
 * look_in (gpointer user_data, GCancellable *stopper, GError **error)
 * {
 *   if (contains (user_data, stopper))
 *     {
 *       g_autoptr(TaskerTask) task = tasker_task_get_current ();
 *       g_autoptr(TaskerSignaller) signaller = tasker_task_create_signaller (task);
 *
 *       tasker_signaller_stop (signaller);
 *     }
 *
 *   return TRUE;
 * }
 * ```
 *
 * Returns: (transfer full) (nullable): a new signaller, or %NULL if the task was
 *   not added to a group
 *
 * Since: 1.0
 */
TaskerSignaller *
tasker_task_create_signaller (TaskerTask *self)
{
  TaskerCore *core;

  g_return_val_if_fail (TASKER_IS_TASK (self), NULL);

  core = get_core (self);

  return core != NULL ? tasker_core_make (core, TASKER_TYPE_SIGNALLER) : NULL;
}

/**
 * tasker_task_get_name:
 * @self: a task
 *
 * Gets what the task is called.
 *
 * Returns: (transfer none) (nullable): the name
 *
 * Since: 1.0
 */
const char *
tasker_task_get_name (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), NULL);

  return tasker_job_get_name (self->job);
}

/**
 * tasker_task_get_priority:
 * @self: a task
 *
 * Gets when the task's turn comes.
 *
 * Returns: the priority, the lower the sooner
 *
 * Since: 1.0
 */
int
tasker_task_get_priority (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), G_PRIORITY_DEFAULT);

  return self->job->priority;
}

/**
 * tasker_task_set_priority:
 * @self: a task that has not been added
 * @priority: the priority, the lower the sooner
 *
 * Sets when the task's turn comes, on GLib's scale.
 *
 * Since: 1.0
 */
void
tasker_task_set_priority (TaskerTask *self,
                          int         priority)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (get_core (self) == NULL);

  if (self->job->priority == priority)
    return;

  self->job->priority = priority;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PRIORITY]);
}

/**
 * tasker_task_get_run_always:
 * @self: a task
 *
 * Gets whether the task is run even after the stop.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tasker_task_get_run_always (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  return self->job->run_always;
}

/**
 * tasker_task_set_run_always:
 * @self: a task that has not been added
 * @run_always: whether to run it even after the stop
 *
 * Sets whether the task is run even after the stop.
 *
 * Since: 1.0
 */
void
tasker_task_set_run_always (TaskerTask *self,
                            gboolean    run_always)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (get_core (self) == NULL);

  run_always = !!run_always;
  if (self->job->run_always == run_always)
    return;

  self->job->run_always = (guint8) run_always;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN_ALWAYS]);
}

/**
 * tasker_task_get_release_in_context:
 * @self: a task
 *
 * Gets whether the task's data is released in its home context.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tasker_task_get_release_in_context (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  return self->release != NULL;
}

/**
 * tasker_task_set_release_in_context:
 * @self: a task that has not been added
 * @release_in_context: whether to release its data in its home context
 *
 * Sets where the data of a task that runs in worker threads is released.
 *
 * See [property@Tasker.Task:release-in-context].
 *
 * ```c
 * task = tasker_task_new ("thumbnail", make_thumbnail, g_object_ref (image_widget), g_object_unref);
 * tasker_task_set_release_in_context (task, TRUE);
 * tasker_group_add (group, task);
 * ```
 *
 * Since: 1.0
 */
void
tasker_task_set_release_in_context (TaskerTask *self,
                                    gboolean    release_in_context)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (get_core (self) == NULL);

  release_in_context = !!release_in_context;
  if (release_in_context == (self->release != NULL))
    return;

  if (release_in_context)
    self->release = tasker_release_new ();
  else
    g_clear_pointer (&self->release, tasker_release_free);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RELEASE_IN_CONTEXT]);
}

/**
 * tasker_task_get_stops_alone:
 * @self: a task
 *
 * Gets whether the running task can be stopped and aborted without its group.
 *
 * Returns: %TRUE if it can
 *
 * Since: 1.0
 */
gboolean
tasker_task_get_stops_alone (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  return self->job->full;
}

/**
 * tasker_task_get_state:
 * @self: a task
 *
 * Gets where the task is on its way.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
TaskerTaskState
tasker_task_get_state (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), TASKER_TASK_STATE_NEW);

  return tasker_job_get_state (self->job);
}

/**
 * tasker_task_is_finished:
 * @self: a task
 *
 * Whether the task has ended, in whatever way: its function has returned, or
 * never will be called, and its data is freed.
 *
 * Returns: %TRUE if it has
 *
 * Since: 1.0
 */
gboolean
tasker_task_is_finished (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  return tasker_job_has_ended (self->job);
}

/**
 * tasker_task_has_succeeded:
 * @self: a task
 *
 * Whether the task has ended, and succeeded.
 *
 * Returns: %TRUE if it has; %FALSE if it has not ended, too
 *
 * Since: 1.0
 */
gboolean
tasker_task_has_succeeded (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  return tasker_job_get_state (self->job) == TASKER_TASK_STATE_SUCCEEDED;
}

/**
 * tasker_task_abort:
 * @self: a task that has been added
 *
 * Insists that the task end.
 *
 * If it is queued, its function is never called. If it runs, its stopper is
 * cancelled, and if the function then fails with %G_IO_ERROR_CANCELLED the
 * task is aborted. A function cannot be torn away from its thread, so the
 * task has not ended before that returns.
 *
 * Returns: %FALSE if the task has ended before, or if it was spawned and
 *   runs, so that it hears its group only
 *
 * Since: 1.0
 */
gboolean
tasker_task_abort (TaskerTask *self)
{
  TaskerCore *core;

  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);

  core = get_core (self);
  g_return_val_if_fail (core != NULL, FALSE);

  if (!tasker_core_doom (core, self->job, TRUE))
    return FALSE;

  tasker_cancel (G_CANCELLABLE (self));

  return TRUE;
}

static gboolean
is_ended (TaskerCore  *core,
          gpointer     task,
          GError     **error)
{
  if (get_core (task) == core)
    return tasker_job_has_ended (((TaskerTask *) task)->job);

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_FINISHED, _("The task was not added"));
  return TRUE;
}

static gboolean
report (TaskerTask  *self,
        GError     **error)
{
  GError *own = tasker_job_dup_error (self->job);

  if (own == NULL)
    return TRUE;

  g_propagate_error (error, own);
  return FALSE;
}

/**
 * tasker_task_join:
 * @self: a task that has been added
 * @cancellable: (nullable): cancels the wait, not the task
 * @error: return location for the error
 *
 * Waits until the task has ended, and tells how.
 *
 * Fails with the task's own error, with its name in the message, if it
 * failed; with [error@Tasker.Error.STOPPED] or [error@Tasker.Error.ABORTED] if
 * it was stopped or aborted; with %G_IO_ERROR_CANCELLED if @cancellable was
 * cancelled first; with [error@Tasker.Error.FINISHED] if the task was just being
 * added, and was refused; and with [error@Tasker.Error.DEADLOCK] at once inside of
 * the task itself, and in a handler of [signal@Gio.Cancellable::cancelled], as
 * [method@Tasker.Group.join] does.
 *
 * The result stays with the group, for whoever collects. A task may wait for
 * another one of its group, which gets its place meanwhile.
 *
 * Returns: %TRUE if the task succeeded, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_task_join (TaskerTask    *self,
                  GCancellable  *cancellable,
                  GError       **error)
{
  TaskerWait wait = { .task = self, .ready = is_ended, .data = self };

  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);
  wait.core = get_core (self);
  g_return_val_if_fail (wait.core != NULL, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tasker_waiter_wait (&wait, cancellable, error) && report (self, error);
}

/**
 * tasker_task_join_async:
 * @self: a task that has been added
 * @cancellable: (nullable): cancels the wait, not the task
 * @callback: (scope async): called when the task has ended
 * @user_data: data for @callback
 *
 * Waits on the main loop until the task has ended.
 *
 * @callback is called in the thread-default main context of this call.
 *
 * Since: 1.0
 */
void
tasker_task_join_async (TaskerTask          *self,
                        GCancellable        *cancellable,
                        GAsyncReadyCallback  callback,
                        gpointer             user_data)
{
  g_autoptr(GTask) result = NULL;
  TaskerWait wait = { .task = self, .ready = is_ended, .data = self };

  g_return_if_fail (TASKER_IS_TASK (self));
  wait.core = get_core (self);
  g_return_if_fail (wait.core != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  result = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (result, tasker_task_join_async);
  tasker_waiter_wait_async (&wait, result);
}

/**
 * tasker_task_join_finish:
 * @self: a task
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.Task.join_async] began.
 *
 * Fails as [method@Tasker.Task.join] does.
 *
 * Returns: %TRUE if the task succeeded, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
tasker_task_join_finish (TaskerTask    *self,
                         GAsyncResult  *result,
                         GError       **error)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error) && report (self, error);
}

/**
 * tasker_task_get_error:
 * @self: a task
 *
 * Gets the error with which the task failed.
 *
 * It is the one that its function set, or [error@Tasker.Error.PANICKED]. What
 * was stopped or aborted has none; [method@Tasker.Task.join] has an error for
 * each end.
 *
 * Returns: (transfer none) (nullable): the error, or %NULL if the task has
 *   not ended, or did not fail
 *
 * Since: 1.0
 */
const GError *
tasker_task_get_error (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), NULL);

  return tasker_job_has_ended (self->job) ? self->job->error : NULL;
}

/**
 * tasker_task_get_value:
 * @self: a task
 *
 * Gets what was set with [method@Tasker.Task.set_value].
 *
 * Until the task has ended the value can be replaced at any time, so then only
 * the one who sets it may look at it.
 *
 * Returns: (transfer none) (nullable): the value
 *
 * Since: 1.0
 */
const GValue *
tasker_task_get_value (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), NULL);

  prefetch_ahead (self);
  return tasker_job_get_value (self->job);
}

/**
 * tasker_task_set_value:
 * @self: a task
 * @value: what the task has worked out
 *
 * Keeps a copy of a value with the task, for whoever takes it as a result.
 *
 * It is for the task's function, on its stopper or on what
 * [func@Tasker.Task.get_current] returns. Once the task has ended the value is
 * fixed, and this does nothing.
 *
 * Since: 1.0
 */
void
tasker_task_set_value (TaskerTask   *self,
                       const GValue *value)
{
  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (G_IS_VALUE (value));

  tasker_job_set_value (self->job, value);
}

/**
 * tasker_task_get_progress:
 * @self: a task
 *
 * Gets how far the task is: what [method@Tasker.Task.set_progress] has said
 * last. Where it has said nothing, this is for a task over many items the part of
 * them that is done, for a child group the progress of that, and 0 for others.
 *
 * A task that has succeeded is at 1.
 *
 * Returns: the progress, from 0 to 1
 *
 * Since: 1.0
 */
double
tasker_task_get_progress (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), 0);

  if (tasker_job_is_child (self->job))
    return tasker_child_get_progress (self->job, get_core (self));

  return tasker_job_get_progress (self->job);
}

/**
 * tasker_task_dup_progress_message:
 * @self: a task
 *
 * Gets what the task is at, for people.
 *
 * Returns: (transfer full) (nullable): a copy of the message
 *
 * Since: 1.0
 */
char *
tasker_task_dup_progress_message (TaskerTask *self)
{
  g_return_val_if_fail (TASKER_IS_TASK (self), NULL);

  return tasker_job_dup_message (self->job);
}

/**
 * tasker_task_set_progress:
 * @self: a task
 * @progress: how far it is, from 0 to 1
 * @message: (nullable): what it is at, for people
 *
 * Says how far the task is, for its function in the first place.
 *
 * It stays with the task, also with a spawned one of which nobody holds the
 * object, and counts in [property@Tasker.Group:progress]. Where nobody listens
 * to that, or to the properties of the task, this costs a lock and a copy of
 * @message; where somebody does, he is told once in an iteration of his main
 * loop, however often this is called.
 *
 * A task that has ended changes no more, and neither does this then.
 *
 * Since: 1.0
 */
void
tasker_task_set_progress (TaskerTask *self,
                          double      progress,
                          const char *message)
{
  guint changed;

  g_return_if_fail (TASKER_IS_TASK (self));
  g_return_if_fail (progress >= 0 && progress <= 1);

  changed = tasker_job_set_progress (self->job, progress, message);
  if (changed == 0)
    return;

  if (!tasker_task_is_new (self))
    tasker_task_announce (self, changed);
  else if (tasker_waiter_is_at_home (get_home (self)))
    notify (self, changed);
  else
    g_atomic_int_or (&self->early, changed);
}
