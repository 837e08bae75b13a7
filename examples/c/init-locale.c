/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Has an example speak the language of its user. */

#include "init-locale.h"

#include <locale.h>

#include <glib/gi18n.h>

void
init_locale (void)
{
  const char *localedir = g_getenv ("TASKER_LOCALEDIR");

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}
