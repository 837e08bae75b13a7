/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is done under a lock here takes some microseconds, mostly. To fall asleep and be
 * woken takes longer, and once somebody sleeps, each who opens the lock makes a system
 * call. So it is tried for some time first: about ten microseconds. */
#define TASKER_SPIN_TRIES 60
#define TASKER_SPIN_PAUSES 8

/* Leaves the core to its other hardware thread, where it has one. */
static inline void
tasker_spin_pause (void)
{
#if defined (__x86_64__) || defined (__i386__)
  __builtin_ia32_pause ();
#elif defined (__aarch64__)
  __asm__ __volatile__ ("yield");
#endif
}

static inline void
tasker_spin_lock (GMutex *mutex)
{
  for (int i = 0; i < TASKER_SPIN_TRIES; i++)
    {
      if (g_mutex_trylock (mutex))
        return;
      for (int k = 0; k < TASKER_SPIN_PAUSES; k++)
        tasker_spin_pause ();
    }

  g_mutex_lock (mutex);
}

G_END_DECLS
