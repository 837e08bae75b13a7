/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many runners a group has that was not told: see the header. */

#include "tasker-growth-private.h"

#include <string.h>

#include "tasker-runner-private.h"
#include "tasker-service-private.h"

/* Runners at the beginning, and at most. */
#define MIN_TARGET 4
#define MAX_TARGET 512
/* How often a group that is stuck is looked at, and how long nothing must
 * have ended for it to grow even though its runners seem to compute. */
#define INTERVAL_MS 20
#define PATIENCE_MS 1000

/* What the group once needed says nothing about what comes. To ask for the
 * number of processors may read a file. */
void
tasker_growth_reset (TaskerCore *core)
{
  static gsize n_processors;

  if (g_once_init_enter (&n_processors))
    g_once_init_leave (&n_processors, g_get_num_processors ());

  core->target = MAX (MIN_TARGET, 2 * (guint) n_processors);
}

/* On Linux, whether a thread is on a processor or wants to be. */
static gboolean
is_blocked (int tid)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/stat", tid);
  g_autofree char *stat = NULL;
  const char *name_end;

  if (tid == 0 || !g_file_get_contents (path, &stat, NULL, NULL))
    return TRUE;

  name_end = strrchr (stat, ')');

  return name_end == NULL || name_end[1] == '\0' || name_end[2] != 'R';
}

static gboolean
are_most_blocked (GArray *tids)
{
  guint n_blocked = 0;

  for (guint i = 0; i < tids->len; i++)
    if (is_blocked (g_array_index (tids, int, i)))
      n_blocked++;

  return 2 * n_blocked > tids->len;
}

static guint64
count_moves (TaskerCore *core)
{
  return tasker_core_get_n_ended (core) + g_atomic_int_get (&core->n_steps);
}

static void
grow (TaskerCore *core,
      guint       by)
{
  core->target = MIN (core->target + by, MAX_TARGET);
}

static gboolean
is_wanted (TaskerCore *core)
{
  return core->max_running == 0 && core->target < MAX_TARGET &&
         !tasker_core_has_place (core) && tasker_core_has_work (core);
}

/*
 * on_timer:
 *
 * Looks at a group whose runners are all busy while jobs wait. If nothing has
 * ended since the last look, the functions either compute, and more threads
 * would not help; or they block, on each other perhaps, and would for ever.
 */
static gboolean
on_timer (gpointer user_data)
{
  TaskerCore *core = user_data;
  g_autoptr(GArray) tids = g_array_new (FALSE, FALSE, sizeof (int));
  gint64 now = g_get_monotonic_time ();
  gboolean stuck;
  gboolean blocked;
  gboolean again;

  tasker_runner_retry ();

  tasker_core_lock (core);
  tasker_core_gather (core);
  stuck = core->n_moves_seen == count_moves (core);
  if (!stuck)
    {
      core->n_moves_seen = count_moves (core);
      core->stuck_since = now;
    }
  for (GList *l = core->hands.head; l != NULL; l = l->next)
    if (((TaskerHand *) l->data)->shared)
      g_array_append_val (tids, ((TaskerHand *) l->data)->tid);
  tasker_core_unlock (core);

  blocked = stuck && are_most_blocked (tids);

  tasker_core_lock (core);
  if (blocked)
    {
      grow (core, core->target / 2);
    }
  else if (now - core->stuck_since >= PATIENCE_MS * G_TIME_SPAN_MILLISECOND)
    {
      grow (core, 1);
      core->stuck_since = now;
    }
  again = is_wanted (core);
  core->watching_growth = again;
  tasker_core_kick (core);
  tasker_core_unlock (core);

  return again ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* There is no place for another runner. Returns whether the group is watched
 * for what follows from that, or nothing does. */
gboolean
tasker_growth_watches (TaskerCore *core)
{
  if (core->max_running > 0 || core->target >= MAX_TARGET)
    return TRUE;

  if (!core->watching_growth && is_wanted (core))
    {
      core->n_moves_seen = count_moves (core);
      core->stuck_since = g_get_monotonic_time ();
      core->todo.watch_growth = core->watching_growth = TRUE;
    }

  return core->watching_growth;
}

void
tasker_growth_watch (TaskerCore *core)
{
  tasker_service_add_timer (INTERVAL_MS, on_timer,
                            tasker_core_ref (core), (GDestroyNotify) tasker_core_unref);
}
