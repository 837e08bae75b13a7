/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The live tasks of a group as a list model: see the header. */

#include "tasker-task-list-private.h"

#include "tasker-task-private.h"
#include "tasker-waiter-private.h"
#include "tasker-watch-private.h"

/* How many rows are added without letting go of the lock, and how many there are
 * from the beginning. */
#define BATCH_SIZE 256
#define FIRST_SIZE 8192

/* How long an update may take that does not come from the main loop. */
#define UPDATE_TIME_US (4 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  TaskerJob     *job;
  TaskerTask    *face;  /* owned, in a full task; otherwise %NULL */
  GSequenceIter *iter;  /* among the rows, or %NULL while it is to come */
  GList          link;  /* in those that are to come or to go */
} TaskerRow;

struct _TaskerTaskList
{
  GObject        parent_instance;

  TaskerCore    *core;
  TaskerWatcher  watcher;
  GList          link;     /* in the core's lists */

  /* Under the core's lock */
  GHashTable    *live;     /* TaskerJob → TaskerRow, but those that are to go */
  GQueue         coming;
  GQueue         going;

  /* Written with the core's lock held, in the home context */
  GSequence     *rows;

  /* In the home context only */
  guint          n_items;  /* what can be seen of the rows */
  gboolean       busy;     /* a change is being told */
  gboolean       missed;   /* it was told something meanwhile */
};

static GType
tasker_task_list_get_item_type (GListModel *model)
{
  return TASKER_TYPE_TASK;
}

static guint
tasker_task_list_get_n_items (GListModel *model)
{
  return TASKER_TASK_LIST (model)->n_items;
}

static gpointer
tasker_task_list_get_item (GListModel *model,
                           guint       position)
{
  TaskerTaskList *self = TASKER_TASK_LIST (model);
  TaskerRow *row;

  if (position >= self->n_items)
    return NULL;

  row = g_sequence_get (g_sequence_get_iter_at_pos (self->rows, (int) position));

  return row->face != NULL ? g_object_ref (row->face) : tasker_task_get_for_job (row->job, self->core);
}

static void
tasker_task_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = tasker_task_list_get_item_type;
  iface->get_n_items = tasker_task_list_get_n_items;
  iface->get_item = tasker_task_list_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TaskerTaskList, tasker_task_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      tasker_task_list_list_model_init))

/* With the core's lock held */

static void
add (TaskerTaskList *self,
     TaskerJob      *job)
{
  TaskerRow *row = g_new0 (TaskerRow, 1);

  row->job = job;
  row->face = job->full ? g_object_ref (job->face) : NULL;
  row->link.data = row;
  job->n_rows++;
  g_hash_table_insert (self->live, job, row);
  g_queue_push_tail_link (&self->coming, &row->link);
}

void
tasker_task_lists_add (TaskerCore *core,
                       TaskerJob  *job)
{
  for (GList *l = core->lists.head; l != NULL; l = l->next)
    add (l->data, job);
}

/* A row that was never seen goes without a word, as soon as that is possible:
 * its face must not be let go of here. */
void
tasker_task_lists_remove (TaskerCore *core,
                          TaskerJob  *job)
{
  for (GList *l = core->lists.head; l != NULL; l = l->next)
    {
      TaskerTaskList *self = l->data;
      TaskerRow *row = g_hash_table_lookup (self->live, job);

      g_hash_table_remove (self->live, job);
      if (row->iter == NULL)
        g_queue_unlink (&self->coming, &row->link);
      g_queue_push_tail_link (&self->going, &row->link);
    }
}

static guint
show_rows (TaskerTaskList *self,
           guint           n_wanted)
{
  guint n_rows = 0;
  GList *link;

  while (n_rows < n_wanted && (link = g_queue_pop_head_link (&self->coming)) != NULL)
    {
      TaskerRow *row = link->data;

      row->iter = g_sequence_append (self->rows, row);
      n_rows++;
    }

  return n_rows;
}

/* Without */

/* The row is in nothing any more, and its job knows that. */
static void
tasker_row_free (TaskerRow *row)
{
  g_clear_object (&row->face);
  g_free (row);
}

/* Takes out one row that is to go.
 *
 * Returns: (transfer full) (nullable): the row */
static TaskerRow *
hide_row (TaskerTaskList *self,
          guint          *position)
{
  TaskerRow *row = NULL;
  GList *link;

  tasker_core_lock (self->core);
  link = g_queue_pop_head_link (&self->going);
  if (link != NULL)
    {
      row = link->data;
      if (row->iter != NULL)
        {
          *position = (guint) g_sequence_iter_get_position (row->iter);
          g_sequence_remove (row->iter);
          self->n_items--;
        }
      tasker_core_release_row (self->core, row->job);
    }
  tasker_core_unlock (self->core);

  return row;
}

static void
add_rows (TaskerTaskList *self,
          gint64          end)
{
  guint n_before = self->n_items;
  guint n_rows;

  do
    {
      tasker_core_lock (self->core);
      n_rows = show_rows (self, BATCH_SIZE);
      tasker_core_unlock (self->core);
    }
  while (n_rows == BATCH_SIZE && g_get_monotonic_time () < end);

  self->n_items = (guint) g_sequence_get_length (self->rows);
  if (self->n_items > n_before)
    g_list_model_items_changed (G_LIST_MODEL (self), n_before, 0, self->n_items - n_before);
}

static void
remove_rows (TaskerTaskList *self,
             gint64          end)
{
  TaskerRow *row;
  guint position = 0;

  do
    {
      row = hide_row (self, &position);
      if (row == NULL)
        return;

      if (row->iter != NULL)
        g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
      tasker_row_free (row);
    }
  while (g_get_monotonic_time () < end);
}

/* Returns: whether there is more, for another time */
static gboolean
update (TaskerTaskList *self,
        gint64          end)
{
  gboolean more;

  self->busy = TRUE;
  add_rows (self, end);
  remove_rows (self, end);
  self->busy = FALSE;

  tasker_core_lock (self->core);
  more = self->missed || !g_queue_is_empty (&self->coming) || !g_queue_is_empty (&self->going);
  tasker_core_unlock (self->core);
  self->missed = FALSE;

  return more;
}

static gboolean
tasker_task_list_tell (gpointer object,
                       gint64   end)
{
  TaskerTaskList *self = object;

  self->missed = self->busy;
  if (self->missed)
    return FALSE;

  tasker_core_lock (self->core);
  tasker_watcher_take (&self->watcher, self->core);
  tasker_core_unlock (self->core);

  return update (self, end);
}

/* In whichever thread, and perhaps more than once. */
static void
tasker_task_list_dispose (GObject *object)
{
  TaskerTaskList *self = TASKER_TASK_LIST (object);
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) tasker_row_free);
  GHashTableIter iter;
  gpointer row;
  GList *link;

  tasker_core_lock (self->core);
  tasker_watcher_leave (&self->watcher, self->core);
  if (self->link.data != NULL)
    g_queue_unlink (&self->core->lists, &self->link);
  self->link.data = NULL;

  while ((link = g_queue_pop_head_link (&self->going)) != NULL)
    g_ptr_array_add (rows, link->data);
  g_hash_table_iter_init (&iter, self->live);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    g_ptr_array_add (rows, row);
  g_hash_table_remove_all (self->live);
  g_queue_init (&self->coming);
  for (guint i = 0; i < rows->len; i++)
    tasker_core_release_row (self->core, ((TaskerRow *) rows->pdata[i])->job);
  self->n_items = 0;
  tasker_core_unlock (self->core);

  G_OBJECT_CLASS (tasker_task_list_parent_class)->dispose (object);
}

static void
tasker_task_list_finalize (GObject *object)
{
  TaskerTaskList *self = TASKER_TASK_LIST (object);

  tasker_watcher_clear (&self->watcher);
  g_sequence_free (self->rows);
  g_hash_table_unref (self->live);
  tasker_core_unref (self->core);

  G_OBJECT_CLASS (tasker_task_list_parent_class)->finalize (object);
}

static void
tasker_task_list_class_init (TaskerTaskListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tasker_task_list_dispose;
  object_class->finalize = tasker_task_list_finalize;
}

static void
tasker_task_list_init (TaskerTaskList *self)
{
  self->core = tasker_core_get_given ();
  self->live = g_hash_table_new (NULL, NULL);
  self->rows = g_sequence_new (NULL);
  tasker_watcher_init (&self->watcher, self, TASKER_CHANGE_SPAWNED | TASKER_CHANGE_ENDED,
                       NULL, tasker_task_list_tell);
}

static void
add_live (gpointer job,
          gpointer self)
{
  add (self, job);
}

/* With the core's lock held.
 *
 * Returns: (transfer full) (nullable): the list, weakly */
static TaskerWeak *
find (TaskerCore   *core,
      GMainContext *context)
{
  for (GList *l = core->lists.head; l != NULL; l = l->next)
    {
      TaskerTaskList *self = l->data;

      if (self->watcher.client.context == context)
        return tasker_weak_ref (self->watcher.client.weak);
    }

  return NULL;
}

/* Nobody knows the list yet. */
static void
fill (TaskerTaskList *self,
      TaskerCore     *core)
{
  self->link.data = self;

  tasker_core_lock (core);
  tasker_core_foreach (core, add_live, self);
  g_queue_push_tail_link (&core->lists, &self->link);
  tasker_watcher_join (&self->watcher, core);
  self->n_items = show_rows (self, FIRST_SIZE);
  if (!g_queue_is_empty (&self->coming))
    tasker_home_client_tell (&self->watcher.client, core);
  tasker_core_unlock (core);
}

TaskerTaskList *
tasker_task_list_get (TaskerCore *core)
{
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr(TaskerWeak) weak = NULL;
  TaskerTaskList *self;

  tasker_core_lock (core);
  weak = find (core, context);
  tasker_core_unlock (core);

  self = weak != NULL ? tasker_weak_get (weak) : NULL;
  if (self == NULL)
    {
      self = tasker_core_make (core, TASKER_TYPE_TASK_LIST);
      fill (self, core);
    }
  /* Without a main loop that runs, it is up to date at least when it is asked
   * for. */
  else if (tasker_waiter_is_at_home (context) &&
           tasker_task_list_tell (self, g_get_monotonic_time () + UPDATE_TIME_US))
    {
      tasker_core_lock (core);
      tasker_home_client_tell (&self->watcher.client, core);
      tasker_core_unlock (core);
    }

  return self;
}
