/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char      *size_name;
  int        size;       /* in pixels */
  char      *output;     /* nullable */
  int        jobs;
  gboolean   recursive;
  char     **paths;      /* nullable */
} Options;

gboolean options_parse (Options   *options,
                        int       *argc,
                        char    ***argv,
                        GError   **error);
void     options_clear (Options   *options);

G_END_DECLS
