/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who listens to full tasks: see the header. */

#include "tasker-listeners-private.h"

#include "tasker-runner-private.h"
#include "tasker-service-private.h"
#include "tasker-task-private.h"

/* How often those are asked for that were not when their state changed, and for how many
 * at once. */
#define INTERVAL_MS 20
#define BATCH_SIZE 1024

static void
ask (TaskerCore *core,
     TaskerJob  *job)
{
  if (job->full && !tasker_task_is_heard (job->face) && tasker_task_ask_heard (job->face))
    tasker_task_note (job->face, core, TASKER_TASK_CHANGE_STATE);
}

static void
watch_later (TaskerCore *core)
{
  if (g_atomic_int_get (&core->asking))
    return;

  core->todo.watch_listeners = TRUE;
  g_atomic_int_set (&core->asking, TRUE);
}

/* A runner has taken them. The first one begins at once, and is asked for then. */
void
tasker_listeners_ask_hand (TaskerCore *core,
                           TaskerHand *hand)
{
  gboolean later = FALSE;

  for (int i = 1; i < hand->tail; i++)
    {
      ask (core, hand->slots[i]);
      later |= hand->slots[i]->full;
    }

  if (later)
    watch_later (core);
}

static void
ask_queue (TaskerCore *core)
{
  for (int i = 0; i < BATCH_SIZE && core->queue.unasked != NULL; i++)
    {
      ask (core, core->queue.unasked);
      core->queue.unasked = core->queue.unasked->next;
    }
}

/* Who has connected since a runner took the task does not know yet that it has begun. */
static void
ask_running (TaskerCore *core)
{
  for (GList *l = core->hands.head; l != NULL; l = l->next)
    {
      TaskerJob *job = tasker_hand_get_current (l->data);

      if (job != NULL && tasker_job_get_state (job) == TASKER_TASK_STATE_RUNNING)
        ask (core, job);
    }
}

static gboolean
on_timer (gpointer user_data)
{
  TaskerCore *core = user_data;
  gboolean again;

  tasker_core_lock (core);
  /* Who adds a task after this looks for himself. */
  g_atomic_int_set (&core->asking, FALSE);
  tasker_core_gather (core);
  tasker_runner_rescue (core);
  ask_queue (core);
  ask_running (core);
  again = core->queue.unasked != NULL || tasker_core_has_spare_hands (core);
  g_atomic_int_set (&core->asking, again);
  tasker_core_kick (core);
  tasker_core_unlock (core);

  return again ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Has the tasks in the queue asked for, unless a runner comes for them at once. */
void
tasker_listeners_settle (TaskerCore *core)
{
  if (core->queue.unasked != NULL && g_atomic_int_get (&core->n_searching) == 0)
    watch_later (core);
}

void
tasker_listeners_watch (TaskerCore *core)
{
  tasker_service_add_timer (INTERVAL_MS, on_timer,
                            tasker_core_ref (core), (GDestroyNotify) tasker_core_unref);
}
