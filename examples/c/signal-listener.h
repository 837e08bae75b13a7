/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

typedef struct _SignalListener SignalListener;

typedef void (*SignalListenerFunc) (gpointer user_data);

SignalListener *signal_listener_new  (TaskerGroup * const *groups,
                                      SignalListenerFunc   stopped,
                                      SignalListenerFunc   aborted,
                                      gpointer             user_data,
                                      GError             **error);
void            signal_listener_free (SignalListener      *self);

G_END_DECLS
