/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unix signals that stop groups.
 *
 * A signal's way is: the handler writes its number to a pipe, the service
 * thread reads it there, and stops or aborts the groups that watch that
 * signal. The handler also counts, so that a signal ends the process even where
 * the service thread is held up.
 *
 * A handler is there only while a group watches the signal. What it replaced is
 * put back after that, unless somebody has put something else there. */

#include "tasker-signal-private.h"

#include <glib/gi18n-lib.h>

#ifdef G_OS_UNIX

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include "tasker-error.h"
#include "tasker-service-private.h"

/* How many signals a group takes: the stop and the abort. */
#define N_TAKEN 2

typedef struct
{
  int               signum;
  struct sigaction  former; /* what acts when nobody watches */
  GPtrArray        *cores;  /* who watch, in the order in which they began; owned */
  int               n_left; /* atomic: how many signals the handler passes on */
} Watch;

static GMutex lock;

/* All of them end the process by default. */
static Watch watches[] =
{
  { SIGHUP },
  { SIGINT },
  { SIGQUIT },
  { SIGTERM },
  { SIGUSR1 },
  { SIGUSR2 },
  { SIGXCPU },
};

static int pipe_fds[2] = { -1, -1 };
static pid_t owner; /* of the pipe */

static Watch *
find_watch (int signum)
{
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    if (watches[i].signum == signum)
      return &watches[i];

  return NULL;
}

/* The handler; nothing here may take a lock or allocate */

static void
pass_on (int signum)
{
  guint8 byte = (guint8) signum;

  /* If the pipe is full, more signals wait in there than anybody counts. */
  while (write (pipe_fds[1], &byte, 1) < 0 && errno == EINTR)
    ;
}

static void
on_signal (int signum)
{
  Watch *watch = find_watch (signum);
  int saved_errno = errno;

  if (getpid () != owner)
    {
      /* In a child that was forked and has no service thread. What is raised
       * here is delivered when the handler returns. */
      sigaction (signum, &watch->former, NULL);
      raise (signum);
    }
  else if (g_atomic_int_add (&watch->n_left, -1) <= 0)
    {
      signal (signum, SIG_DFL);
      raise (signum);
    }
  else
    {
      pass_on (signum);
    }

  errno = saved_errno;
}

/* Handlers come and go; with the lock held */

static gboolean
is_installed (Watch *watch)
{
  struct sigaction action;

  return sigaction (watch->signum, NULL, &action) == 0 &&
         (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == on_signal;
}

static void
install (Watch *watch)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };

  if (is_installed (watch))
    return;

  /* Not in one call: when the handler is there, what it replaces is known. */
  sigemptyset (&action.sa_mask);
  sigaction (watch->signum, NULL, &watch->former);
  sigaction (watch->signum, &action, NULL);
}

static void
uninstall (Watch *watch)
{
  if (is_installed (watch))
    sigaction (watch->signum, &watch->former, NULL);
}

static guint
count_watchers (Watch *watch)
{
  return watch->cores != NULL ? watch->cores->len : 0;
}

/* What is on its way in the pipe is not known here, so the handler may pass on
 * one signal too many, but never one too few. */
static void
update_left (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    {
      int n_left = count_watchers (&watches[i]) > 0 ? 0 : G_MAXINT;

      for (guint j = 0; j < count_watchers (&watches[i]); j++)
        {
          TaskerCore *core = g_ptr_array_index (watches[i].cores, j);

          n_left = MAX (n_left, N_TAKEN - (int) core->n_signals);
        }
      g_atomic_int_set (&watches[i].n_left, n_left);
    }
}

/* In the service thread */

static void
kill_process (int signum)
{
  sigset_t signals;

  signal (signum, SIG_DFL);
  sigemptyset (&signals);
  sigaddset (&signals, signum);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  raise (signum);
}

/* A group that a signal has stopped or aborted, and which stoppers are to hear
 * of that. */
typedef struct
{
  TaskerCore  *core;
  TaskerLevel  level;
  GPtrArray   *stoppers;
} Hit;

static void
hit_free (gpointer data)
{
  Hit *hit = data;

  tasker_core_unref (hit->core);
  g_ptr_array_unref (hit->stoppers);
  g_free (hit);
}

/* With the lock held: so a group that watched it is stopped when its join
 * returns, and no signal gets lost in between. Returns whether the group takes the
 * signal. */
static gboolean
hit_group (TaskerCore *core,
           GPtrArray  *hits)
{
  TaskerLevel level = core->n_signals == 0 ? TASKER_LEVEL_STOPPED : TASKER_LEVEL_ABORTED;
  GPtrArray *stoppers;
  Hit *hit;

  if (core->n_signals == N_TAKEN)
    return FALSE;

  core->n_signals++;
  if (core->signal_listener != NULL)
    g_source_set_ready_time (core->signal_listener, 0);

  if (!tasker_source_mark (&core->source, level, &stoppers))
    {
      g_ptr_array_unref (stoppers);
      return TRUE;
    }

  hit = g_new (Hit, 1);
  hit->core = tasker_core_ref (core);
  hit->level = level;
  hit->stoppers = stoppers;
  g_ptr_array_add (hits, hit);

  return TRUE;
}

static void
take_signal (int signum)
{
  g_autoptr(GPtrArray) hits = g_ptr_array_new_with_free_func (hit_free);
  Watch *watch = find_watch (signum);
  gboolean watched;
  gboolean taken = FALSE;

  g_mutex_lock (&lock);
  watched = count_watchers (watch) > 0;
  for (guint i = 0; i < count_watchers (watch); i++)
    taken = hit_group (g_ptr_array_index (watch->cores, i), hits) || taken;
  update_left ();
  if (!watched)
    uninstall (watch);
  g_mutex_unlock (&lock);

  /* The last group let go of it just after it came, or all are aborted. */
  if (!watched)
    kill (getpid (), signum);
  else if (!taken)
    kill_process (signum);

  for (guint i = 0; i < hits->len; i++)
    {
      Hit *hit = g_ptr_array_index (hits, i);

      tasker_source_spread (&hit->core->source, hit->level, hit->stoppers);
    }
}

static gboolean
on_readable (int           fd,
             GIOCondition  condition,
             gpointer      user_data)
{
  guint8 signum;

  while (read (fd, &signum, 1) == 1)
    take_signal (signum);

  return G_SOURCE_CONTINUE;
}

/* Groups come and go */

/* With the lock held. */
static gboolean
open_pipe (GError **error)
{
  if (pipe_fds[0] < 0)
    {
      if (!g_unix_open_pipe (pipe_fds, FD_CLOEXEC, error))
        return FALSE;

      g_unix_set_fd_nonblocking (pipe_fds[0], TRUE, NULL);
      g_unix_set_fd_nonblocking (pipe_fds[1], TRUE, NULL);
      owner = getpid ();
      tasker_service_add_fd (pipe_fds[0], on_readable);
    }

  tasker_service_retry ();
  if (!tasker_service_is_missing ())
    return TRUE;

  g_set_error_literal (error, TASKER_ERROR, TASKER_ERROR_NO_THREAD,
                       _("The process cannot get a thread that takes its signals"));
  return FALSE;
}

static void
add_watcher (Watch      *watch,
             TaskerCore *core)
{
  if (watch->cores == NULL)
    watch->cores = g_ptr_array_new ();
  if (!g_ptr_array_find (watch->cores, core, NULL))
    g_ptr_array_add (watch->cores, tasker_core_ref (core));

  update_left ();
  install (watch);
}

/*
 * tasker_signal_watch:
 *
 * Has a signal stop a group, and the next one abort it; until
 * tasker_signal_unwatch(), which whoever calls this has to see to.
 */
gboolean
tasker_signal_watch (TaskerCore  *core,
                     int          signum,
                     GError     **error)
{
  Watch *watch = find_watch (signum);
  gboolean ready;

  if (watch == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   _("Signal %d cannot stop a group"), signum);
      return FALSE;
    }

  g_mutex_lock (&lock);
  ready = open_pipe (error);
  if (ready)
    add_watcher (watch, core);
  g_mutex_unlock (&lock);

  return ready;
}

void
tasker_signal_unwatch (TaskerCore *core)
{
  guint n_refs = 0;

  g_mutex_lock (&lock);
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    {
      if (watches[i].cores == NULL || !g_ptr_array_remove (watches[i].cores, core))
        continue;

      n_refs++;
      if (watches[i].cores->len == 0)
        uninstall (&watches[i]);
    }
  update_left ();
  g_mutex_unlock (&lock);

  while (n_refs-- > 0)
    tasker_core_unref (core);
}

/*
 * tasker_signal_listen:
 * @listener: (nullable): a source, whose ready time is set
 *
 * Has @listener become ready when a signal comes for the group, or has come.
 */
void
tasker_signal_listen (TaskerCore *core,
                      GSource    *listener)
{
  GSource *former;

  g_mutex_lock (&lock);
  former = core->signal_listener;
  core->signal_listener = listener != NULL ? g_source_ref (listener) : NULL;
  if (listener != NULL && core->n_signals > 0)
    g_source_set_ready_time (listener, 0);
  g_mutex_unlock (&lock);

  if (former != NULL)
    g_source_unref (former);
}

#else

gboolean
tasker_signal_watch (TaskerCore  *core,
                     int          signum,
                     GError     **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       _("There are no signals that could stop a group on this system"));

  return FALSE;
}

void
tasker_signal_unwatch (TaskerCore *core)
{
}

void
tasker_signal_listen (TaskerCore *core,
                      GSource    *listener)
{
}

#endif
