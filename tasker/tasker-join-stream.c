/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tasker-join-stream-private.h"

#include "tasker-deque-private.h"
#include "tasker-task-private.h"
#include "tasker-waiter-private.h"
#include "tasker-watch-private.h"

/**
 * TaskerJoinStream:
 *
 * The tasks of a group as they end.
 *
 * A stream is made by [method@Tasker.Group.join_stream], and gives each task
 * that has ended, in the order of their ends, until all have:
 *
 * ```c
 * g_autoptr(TaskerJoinStream) stream = tasker_group_join_stream (group);
 * TaskerTask *task;
 *
 * while ((task = tasker_join_stream_next (stream, NULL, &error)) != NULL)
 *   {
 *     show (task);
 *     g_object_unref (task);
 *   }
 * ```
 *
 * [method@Tasker.JoinStream.next_async] does so without blocking.
 *
 * ## As a model
 *
 * A stream is a [iface@Gio.ListModel] of the tasks that have ended and were not
 * taken from it. Where it is one that somebody looks at, they are added while
 * the main loop runs, many at once, in slices of a few milliseconds. An object
 * is only made for an item that somebody gets; so a `GtkListView` over a million
 * results costs little more than the rows that are to be seen.
 *
 * [method@Tasker.JoinStream.next] and its like take the first item out of the
 * model. Who only shows results takes none.
 *
 * ## Several streams
 *
 * Streams of one group share the results: each task comes out of one of them.
 * When a stream is dropped, the group gets back what was not taken, and keeps
 * it for other streams and for [method@Tasker.Group.collect].
 *
 * A model belongs to the main context in which it was made, and so does the
 * stream: what it has is for the thread that runs it.
 *
 * With [property@Tasker.Group:keep-results] %FALSE there is nothing to come out
 * of a stream but the end.
 *
 * Since: 1.0
 */

/* How many results are taken without letting go of the lock. */
#define BATCH_SIZE 1024

struct _TaskerJoinStream
{
  GObject        parent_instance;

  TaskerCore    *core;
  TaskerWatcher  watcher;

  /* Written with the core's lock held, in the home context */
  TaskerDeque    rows;       /* jobs */
  gsize          n_taken;    /* rows that were taken, and have to be seen until
                              * they can be removed */
  gboolean       was_ended;  /* when that was told last */

  gsize          n_promised; /* under the core's lock: rows for who waits */

  /* In the home context only */
  GPtrArray     *taken;      /* the tasks of the first rows, %NULL for a while */
  guint          n_items;    /* what can be seen of the rows */
  gboolean       used;       /* somebody has looked at the model */
  guint          busy;       /* what can be seen must not change now */
  gboolean       missed;     /* it was told something meanwhile */
};

enum
{
  PROP_0,
  PROP_ITEM_TYPE,
  PROP_N_ITEMS,
  PROP_IS_ENDED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint items_changed;

static GType
tasker_join_stream_get_item_type (GListModel *model)
{
  return TASKER_TYPE_TASK;
}

/* Only from the first look on there are items. */
static guint
tasker_join_stream_get_n_items (GListModel *model)
{
  TaskerJoinStream *self = TASKER_JOIN_STREAM (model);

  if (!self->used)
    {
      self->used = TRUE;
      tasker_core_lock (self->core);
      tasker_home_client_tell (&self->watcher.client, self->core);
      tasker_core_unlock (self->core);
    }

  return self->n_items;
}

static gpointer
tasker_join_stream_get_item (GListModel *model,
                             guint       position)
{
  TaskerJoinStream *self = TASKER_JOIN_STREAM (model);

  if (position >= self->n_items)
    return NULL;
  if (position < self->n_taken && self->taken->pdata[position] != NULL)
    return g_object_ref (self->taken->pdata[position]);

  return tasker_task_get_for_job (tasker_deque_get (&self->rows, position), self->core);
}

static void
tasker_join_stream_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = tasker_join_stream_get_item_type;
  iface->get_n_items = tasker_join_stream_get_n_items;
  iface->get_item = tasker_join_stream_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TaskerJoinStream, tasker_join_stream, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      tasker_join_stream_list_model_init))

/* With the core's lock held */

static TaskerJob *
take_result (TaskerJoinStream *self)
{
  return self->core->keep_results ? tasker_core_take_result (self->core) : NULL;
}

/* Whether nothing is left that this stream could give; exact after
 * tasker_core_gather(). */
static gboolean
is_over (TaskerJoinStream *self)
{
  return tasker_core_is_joined (self->core) && self->rows.length == self->n_taken &&
         (!self->core->keep_results || tasker_results_is_empty (&self->core->results));
}

/* Some results; what ended before them is there, too. */
static guint
take_rows (TaskerJoinStream *self)
{
  TaskerJob *job;
  guint n_rows = 0;

  tasker_core_gather (self->core);
  while (n_rows < BATCH_SIZE && (job = take_result (self)) != NULL)
    {
      tasker_deque_push (&self->rows, job);
      n_rows++;
    }

  return n_rows;
}

/* Gives back what was not taken. */
static void
give_back (TaskerJoinStream *self)
{
  TaskerJob *jobs = NULL;

  for (gsize i = self->rows.length; i-- > self->n_taken;)
    {
      TaskerJob *job = tasker_deque_get (&self->rows, i);

      job->next = jobs;
      jobs = job;
    }

  tasker_results_give_back (&self->core->results, jobs);
  tasker_deque_drop (&self->rows, self->rows.length);
  self->n_taken = 0;
  self->core->changed |= TASKER_CHANGE_RESULTS;
}

/* In the home context */

static void
emit_items_changed (TaskerJoinStream *self,
                    guint             position,
                    guint             n_removed,
                    guint             n_added)
{
  self->busy++;
  g_list_model_items_changed (G_LIST_MODEL (self), position, n_removed, n_added);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
  self->busy--;
}

static void
remove_taken (TaskerJoinStream *self)
{
  g_autoptr(GPtrArray) taken = g_steal_pointer (&self->taken);

  self->taken = g_ptr_array_new_with_free_func (g_object_unref);
  tasker_core_lock (self->core);
  tasker_deque_drop (&self->rows, taken->len);
  self->n_taken -= taken->len;
  self->n_items -= taken->len;
  tasker_core_unlock (self->core);

  emit_items_changed (self, 0, taken->len, 0);
}

/* Catches up on what could not be done while a change was told. */
static void
catch_up (TaskerJoinStream *self)
{
  while (self->n_taken > 0)
    remove_taken (self);

  if (self->missed)
    {
      self->missed = FALSE;
      tasker_core_lock (self->core);
      tasker_home_client_tell (&self->watcher.client, self->core);
      tasker_core_unlock (self->core);
    }
}

static void
tell_whether_ended (TaskerJoinStream *self)
{
  gboolean changed;

  tasker_core_lock (self->core);
  tasker_core_gather (self->core);
  changed = self->was_ended != is_over (self);
  self->was_ended ^= changed;
  tasker_core_unlock (self->core);

  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IS_ENDED]);
}

/* Returns: whether there is more, for another time */
static gboolean
add_rows (TaskerJoinStream *self,
          gint64            end)
{
  guint n_before = self->n_items;
  guint n_added;
  guint n_rows;

  self->busy++;
  do
    {
      tasker_core_lock (self->core);
      n_rows = take_rows (self);
      tasker_core_unlock (self->core);
    }
  while (n_rows == BATCH_SIZE && g_get_monotonic_time () < end);
  self->busy--;

  n_added = (guint) self->rows.length - n_before;
  self->n_items += n_added;
  if (n_added > 0)
    emit_items_changed (self, n_before, 0, n_added);
  catch_up (self);

  return n_rows == BATCH_SIZE;
}

/* Who only takes does not have to wait for the main loop, so nothing goes to the
 * model before there is somebody who sees it. */
static gboolean
is_seen (TaskerJoinStream *self)
{
  return self->used ||
         g_signal_handler_find (self, G_SIGNAL_MATCH_ID, items_changed, 0, NULL, NULL, NULL) != 0;
}

static gboolean
tasker_join_stream_tell (gpointer object,
                         gint64   end)
{
  TaskerJoinStream *self = object;
  gboolean more;

  self->missed = self->busy > 0;
  if (self->missed)
    return FALSE;

  tasker_core_lock (self->core);
  tasker_watcher_take (&self->watcher, self->core);
  tasker_core_unlock (self->core);

  more = is_seen (self) && add_rows (self, end);
  tell_whether_ended (self);

  return more;
}

static void
tasker_join_stream_get_property (GObject    *object,
                                 guint       prop_id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  TaskerJoinStream *self = TASKER_JOIN_STREAM (object);

  switch (prop_id)
    {
    case PROP_ITEM_TYPE:
      g_value_set_gtype (value, TASKER_TYPE_TASK);
      break;

    case PROP_N_ITEMS:
      g_value_set_uint (value, g_list_model_get_n_items (G_LIST_MODEL (self)));
      break;

    case PROP_IS_ENDED:
      g_value_set_boolean (value, tasker_join_stream_is_ended (self));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* In whichever thread. */
static void
tasker_join_stream_dispose (GObject *object)
{
  TaskerJoinStream *self = TASKER_JOIN_STREAM (object);

  tasker_core_lock (self->core);
  tasker_watcher_leave (&self->watcher, self->core);
  give_back (self);
  self->n_items = 0;
  tasker_core_unlock (self->core);

  G_OBJECT_CLASS (tasker_join_stream_parent_class)->dispose (object);
}

static void
tasker_join_stream_finalize (GObject *object)
{
  TaskerJoinStream *self = TASKER_JOIN_STREAM (object);

  tasker_watcher_clear (&self->watcher);
  tasker_deque_clear (&self->rows);
  g_ptr_array_unref (self->taken);
  tasker_core_drop_handle (self->core);
  tasker_core_unref (self->core);

  G_OBJECT_CLASS (tasker_join_stream_parent_class)->finalize (object);
}

static void
tasker_join_stream_class_init (TaskerJoinStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tasker_join_stream_get_property;
  object_class->dispose = tasker_join_stream_dispose;
  object_class->finalize = tasker_join_stream_finalize;

  /**
   * TaskerJoinStream:item-type:
   *
   * The type of the items of the model: [class@Tasker.Task].
   *
   * Since: 1.0
   */
  properties[PROP_ITEM_TYPE] =
    g_param_spec_gtype ("item-type", NULL, NULL, G_TYPE_OBJECT,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerJoinStream:n-items:
   *
   * How many tasks are in the model.
   *
   * Since: 1.0
   */
  properties[PROP_N_ITEMS] =
    g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TaskerJoinStream:is-ended:
   *
   * Whether the stream has nothing more to give, see
   * [method@Tasker.JoinStream.is_ended].
   *
   * Since: 1.0
   */
  properties[PROP_IS_ENDED] =
    g_param_spec_boolean ("is-ended", NULL, NULL, FALSE,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);
  items_changed = g_signal_lookup ("items-changed", G_TYPE_LIST_MODEL);
}

static void
tasker_join_stream_init (TaskerJoinStream *self)
{
  self->core = tasker_core_get_given ();
  tasker_core_add_handle (self->core, FALSE);
  tasker_deque_init (&self->rows);
  self->taken = g_ptr_array_new_with_free_func (g_object_unref);
  tasker_watcher_init (&self->watcher, self,
                       TASKER_CHANGE_ENDED | TASKER_CHANGE_RESULTS | TASKER_CHANGE_JOINED |
                       TASKER_CHANGE_KEEP_RESULTS,
                       NULL, tasker_join_stream_tell);
}

TaskerJoinStream *
tasker_join_stream_new (TaskerCore *core)
{
  TaskerJoinStream *self = tasker_core_make (core, TASKER_TYPE_JOIN_STREAM);

  tasker_core_lock (core);
  tasker_watcher_join (&self->watcher, core);
  /* What is there by now is no change. */
  tasker_home_client_tell (&self->watcher.client, core);
  tasker_core_unlock (core);

  return self;
}

/* Taking */

/* What one call takes. */
typedef struct
{
  TaskerJoinStream *stream;
  TaskerJob        *job;     /* set aside, or %NULL */
  gboolean          promised; /* … one of the rows */
} TaskerNext;

/* A ready function: sets aside what is to be taken, or finds the end. With the
 * core's lock held, in whichever thread; so it does not touch the model. */
static gboolean
set_aside (TaskerCore  *core,
           gpointer     data,
           GError     **error)
{
  TaskerNext *next = data;
  TaskerJoinStream *self = next->stream;

  if (self->rows.length - self->n_taken > self->n_promised)
    {
      self->n_promised++;
      next->promised = TRUE;
      return TRUE;
    }

  next->job = take_result (self);

  return next->job != NULL || is_over (self);
}

/* Nobody has come for it. */
static void
put_back (TaskerNext *next)
{
  TaskerJoinStream *self = next->stream;

  tasker_core_lock (self->core);
  if (next->promised)
    self->n_promised--;
  if (next->job != NULL)
    {
      tasker_results_give_back (&self->core->results, next->job);
      self->core->changed |= TASKER_CHANGE_RESULTS;
    }
  tasker_core_unlock (self->core);
}

static void
tasker_next_free (gpointer data)
{
  TaskerNext *next = data;

  put_back (next);
  g_object_unref (next->stream);
  g_free (next);
}

static TaskerTask *
take_job (TaskerJoinStream *self,
          TaskerJob        *job)
{
  TaskerTask *task = tasker_task_get_for_job (job, self->core);

  tasker_task_disown_job (job, self->core);

  return task;
}

static TaskerTask *
take_row (TaskerJoinStream *self)
{
  gsize i = self->n_taken;
  TaskerJob *job = tasker_deque_get (&self->rows, i);
  TaskerTask *task;

  self->busy++;
  g_ptr_array_set_size (self->taken, (int) i + 1);
  tasker_core_lock (self->core);
  self->n_taken++;
  self->n_promised--;
  tasker_core_unlock (self->core);

  task = take_job (self, job);
  self->taken->pdata[i] = g_object_ref (task);
  self->busy--;

  if (self->busy == 0)
    catch_up (self);
  tell_whether_ended (self);

  return task;
}

static TaskerTask *
take (TaskerNext *next)
{
  g_autoptr(TaskerJoinStream) self = g_object_ref (next->stream);
  TaskerJob *job = g_steal_pointer (&next->job);
  TaskerTask *task = NULL;

  if (next->promised)
    {
      next->promised = FALSE;
      task = take_row (self);
    }
  else if (job != NULL)
    {
      task = take_job (self, job);
    }

  return task;
}

/**
 * tasker_join_stream_next:
 * @self: a stream
 * @cancellable: (nullable): cancels the wait, not the group
 * @error: return location for the error
 *
 * Takes the task that ended first among those that are left; waits for one
 * to end if there is none.
 *
 * The end comes when all handles of the group are finished, all of its tasks
 * have ended, and nothing is left for this stream.
 *
 * Whether the task failed is for the caller to see, with
 * [method@Tasker.Task.get_error].
 *
 * Fails with %G_IO_ERROR_CANCELLED if @cancellable was cancelled first; nothing
 * is taken then. Fails with [error@Tasker.Error.DEADLOCK] inside of a task of
 * the group. While it waits, the thread runs its main context if tasks of the
 * group need that.
 *
 * To be called in the context that the stream was made in.
 *
 * Returns: (transfer full) (nullable): the task; %NULL without an error at the
 *   end, %NULL with @error set if the wait failed
 *
 * Since: 1.0
 */
TaskerTask *
tasker_join_stream_next (TaskerJoinStream  *self,
                         GCancellable      *cancellable,
                         GError           **error)
{
  TaskerNext next = { .stream = self };
  TaskerWait wait = { .ready = set_aside, .data = &next, .for_all = TRUE, .for_any = TRUE };

  g_return_val_if_fail (TASKER_IS_JOIN_STREAM (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  wait.core = self->core;

  return tasker_waiter_wait (&wait, cancellable, error) ? take (&next) : NULL;
}

/**
 * tasker_join_stream_next_async:
 * @self: a stream
 * @cancellable: (nullable): cancels the wait, not the group
 * @callback: (scope async): called when there is a task to take, or at the end
 * @user_data: data for @callback
 *
 * Takes a task without blocking, see [method@Tasker.JoinStream.next].
 *
 * @callback is called in the thread-default main context of this call, which
 * has to be that of the stream. It is [method@Tasker.JoinStream.next_finish]
 * that takes the task. Several of these calls may be under way; they get their
 * tasks in turn.
 *
 * Since: 1.0
 */
void
tasker_join_stream_next_async (TaskerJoinStream    *self,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) result = NULL;
  TaskerWait wait = { .ready = set_aside, .for_all = TRUE, .for_any = TRUE };
  TaskerNext *next;

  g_return_if_fail (TASKER_IS_JOIN_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  next = g_new0 (TaskerNext, 1);
  next->stream = g_object_ref (self);

  result = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (result, tasker_join_stream_next_async);
  g_task_set_task_data (result, next, tasker_next_free);

  wait.core = self->core;
  wait.data = next;
  tasker_waiter_wait_async (&wait, result);
}

/**
 * tasker_join_stream_next_finish:
 * @self: a stream
 * @result: the result that the callback got
 * @error: return location for the error
 *
 * Ends what [method@Tasker.JoinStream.next_async] began, and takes the task.
 *
 * If this is not called, the task is not taken, and stays in the stream or the
 * group.
 *
 * Fails as [method@Tasker.JoinStream.next] does.
 *
 * Returns: (transfer full) (nullable): the task; %NULL without an error at the
 *   end, %NULL with @error set if the wait failed
 *
 * Since: 1.0
 */
TaskerTask *
tasker_join_stream_next_finish (TaskerJoinStream  *self,
                                GAsyncResult      *result,
                                GError           **error)
{
  g_return_val_if_fail (TASKER_IS_JOIN_STREAM (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, tasker_join_stream_next_async), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  return take (g_task_get_task_data (G_TASK (result)));
}

/**
 * tasker_join_stream_try_next:
 * @self: a stream
 *
 * Takes the task that ended first among those that are left, if there is one.
 *
 * To be called in the context that the stream was made in.
 *
 * Returns: (transfer full) (nullable): the task; %NULL if there is none at the
 *   moment, or any more, see [method@Tasker.JoinStream.is_ended]
 *
 * Since: 1.0
 */
TaskerTask *
tasker_join_stream_try_next (TaskerJoinStream *self)
{
  TaskerNext next = { .stream = self };

  g_return_val_if_fail (TASKER_IS_JOIN_STREAM (self), NULL);

  tasker_core_lock (self->core);
  tasker_core_gather (self->core);
  set_aside (self->core, &next, NULL);
  tasker_core_unlock (self->core);

  return take (&next);
}

/**
 * tasker_join_stream_is_ended:
 * @self: a stream
 *
 * Whether the stream has nothing more to give: all handles of the group are
 * finished, all of its tasks have ended, and none is left for this stream.
 *
 * If another stream of the group is dropped after that, and gives back what it
 * had, this one has not ended any more.
 *
 * Returns: %TRUE if it has ended
 *
 * Since: 1.0
 */
gboolean
tasker_join_stream_is_ended (TaskerJoinStream *self)
{
  gboolean ended;

  g_return_val_if_fail (TASKER_IS_JOIN_STREAM (self), TRUE);

  tasker_core_lock (self->core);
  tasker_core_gather (self->core);
  ended = is_over (self);
  tasker_core_unlock (self->core);

  return ended;
}
