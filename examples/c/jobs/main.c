/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A GNOME application that runs jobs in the background, shows what they do, and
 * ends with none of them half done. */

#include "jobs-application.h"

#include "../init-locale.h"

int
main (int   argc,
      char *argv[])
{
  g_autoptr (JobsApplication) application = NULL;

  init_locale ();
  application = jobs_application_new ();

  return g_application_run (G_APPLICATION (application), argc, argv);
}
