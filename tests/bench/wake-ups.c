/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts what wakes up while nothing happens: polls of main loops, and threads
 * that go to sleep again. */

/* For gettid() */
#define _GNU_SOURCE

#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int n_polls; /* atomic */

static int
count_poll (GPollFD *fds,
            guint    n_fds,
            int      timeout)
{
  int result = g_poll (fds, n_fds, timeout);

  g_atomic_int_inc (&n_polls);
  return result;
}

/* Has bench_wake_ups() count how often @context polls. */
void
bench_count_polls (GMainContext *context)
{
  g_main_context_set_poll_func (context, count_poll);
}

/* How often a thread has gone to sleep. */
static guint64
count_sleeps_of (const char *thread)
{
  g_autofree char *path = g_build_filename ("/proc/self/task", thread, "status", NULL);
  g_autofree char *status = NULL;
  const char *line;
  guint64 n = 0;

  if (!g_file_get_contents (path, &status, NULL, NULL))
    return 0;

  line = strstr (status, "\nvoluntary_ctxt_switches:");
  g_assert_cmpint (sscanf (line, "%*s %" G_GUINT64_FORMAT, &n), ==, 1);
  return n;
}

/* How often all threads but this one have gone to sleep. */
static guint64
count_sleeps (void)
{
  g_autoptr (GDir) threads = g_dir_open ("/proc/self/task", 0, NULL);
  g_autofree char *own = g_strdup_printf ("%d", (int) gettid ());
  const char *thread;
  guint64 n = 0;

  while ((thread = g_dir_read_name (threads)) != NULL)
    n += g_str_equal (thread, own) ? 0 : count_sleeps_of (thread);

  return n;
}

/* Sleeps for @ms; the figures are what the other threads have done meanwhile. */
void
bench_wake_ups (GString *figures,
                guint    ms)
{
  int n_polls_before = g_atomic_int_get (&n_polls);
  guint64 n_sleeps_before = count_sleeps ();

  g_usleep (ms * 1000);
  bench_figure (figures, "polls", g_atomic_int_get (&n_polls) - n_polls_before);
  bench_figure (figures, "sleeps", (double) (count_sleeps () - n_sleeps_before));
}
