/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The deadlines of stoppers: see the header. */

#include "tasker-deadline-private.h"

#include "tasker-service-private.h"
#include "tasker-stopper-private.h"

/* How many stoppers are cancelled between two looks at the heap. */
#define BATCH_SIZE 64

static GMutex lock;
static GPtrArray *heap; /* the one that is due first at the top; made when needed */
static GSource *alarm_source; /* likewise */
static gint64 armed = G_MAXINT64; /* the time of the alarm, which may be too early */

/* With the lock held */

static TaskerDeadline *
get_at (guint place)
{
  return g_ptr_array_index (heap, place - 1);
}

static void
put_at (guint           place,
        TaskerDeadline *deadline)
{
  g_ptr_array_index (heap, place - 1) = deadline;
  deadline->place = place;
}

/* Puts one where it belongs, between @place and the top. */
static void
sift_up (TaskerDeadline *deadline,
         guint           place)
{
  for (; place > 1 && get_at (place / 2)->due > deadline->due; place /= 2)
    put_at (place, get_at (place / 2));

  put_at (place, deadline);
}

/* … between @place and the bottom. */
static void
sift_down (TaskerDeadline *deadline,
           guint           place)
{
  guint child;

  while ((child = 2 * place) <= heap->len)
    {
      if (child < heap->len && get_at (child + 1)->due < get_at (child)->due)
        child++;
      if (get_at (child)->due >= deadline->due)
        break;

      put_at (place, get_at (child));
      place = child;
    }

  put_at (place, deadline);
}

static void
insert (TaskerDeadline *self)
{
  if (heap == NULL)
    heap = g_ptr_array_new ();

  g_ptr_array_add (heap, self);
  sift_up (self, heap->len);
}

static void
take_out (TaskerDeadline *self)
{
  guint place = self->place;
  TaskerDeadline *last;

  if (place == 0)
    return;

  last = get_at (heap->len);
  g_ptr_array_set_size (heap, (int) heap->len - 1);
  self->place = 0;
  if (last == self)
    return;

  sift_down (last, place);
  sift_up (last, last->place);
}

/* To set the time wakes the service thread, so an alarm that is too early by now
 * is left as it is. */
static void
arm (gint64 due)
{
  armed = due;
  g_source_set_ready_time (alarm_source, due != G_MAXINT64 ? due : -1);
}

/* Takes out those that are due, whose stoppers may be about to be finalized.
 * Returns: how many are to be cancelled */
static guint
take_due (TaskerWeak **stoppers)
{
  gint64 now = g_get_monotonic_time ();
  guint n_stoppers = 0;

  while (n_stoppers < BATCH_SIZE && heap->len > 0 && get_at (1)->due <= now)
    {
      TaskerDeadline *self = get_at (1);

      take_out (self);
      if (tasker_stopper_is_asked (self->stopper))
        continue;

      stoppers[n_stoppers++] = tasker_weak_ref (self->weak);
      g_atomic_int_set (&self->passed, TRUE);
    }

  return n_stoppers;
}

static void
cancel (TaskerWeak *weak)
{
  g_autoptr(GCancellable) stopper = tasker_weak_get (weak);

  if (stopper != NULL)
    tasker_cancel (stopper);
  tasker_weak_unref (weak);
}

/* In the service thread */
static gboolean
on_alarm (gpointer user_data)
{
  TaskerWeak *stoppers[BATCH_SIZE];
  guint n_stoppers;

  g_mutex_lock (&lock);
  while ((n_stoppers = take_due (stoppers)) > 0)
    {
      g_mutex_unlock (&lock);
      for (guint i = 0; i < n_stoppers; i++)
        cancel (stoppers[i]);
      g_mutex_lock (&lock);
    }
  arm (heap->len > 0 ? get_at (1)->due : G_MAXINT64);
  g_mutex_unlock (&lock);

  return G_SOURCE_CONTINUE;
}

TaskerDeadline *
tasker_deadline_new (TaskerStopper *stopper,
                     TaskerWeak    *weak)
{
  TaskerDeadline *self = g_new0 (TaskerDeadline, 1);

  self->stopper = stopper;
  self->weak = weak;

  return self;
}

void
tasker_deadline_free (TaskerDeadline *self)
{
  g_assert (self->place == 0);

  tasker_weak_unref (self->weak);
  g_free (self);
}

void
tasker_deadline_start (TaskerDeadline *self)
{
  gint64 timeout_ms = (guint) g_atomic_int_get (&self->timeout_ms);

  g_mutex_lock (&lock);
  take_out (self);
  self->due = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  insert (self);
  if (alarm_source == NULL)
    alarm_source = tasker_service_new_alarm (on_alarm, NULL, NULL);
  if (self->due < armed)
    arm (self->due);
  g_mutex_unlock (&lock);
}

void
tasker_deadline_clear (TaskerDeadline *self)
{
  g_mutex_lock (&lock);
  take_out (self);
  g_mutex_unlock (&lock);
}
