/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of the thumbnailer. */

#include "thumbnailer-options.h"

#include <glib/gi18n.h>

/* As the thumbnail specification has them; the first is the default. */
static const struct
{
  const char *name;
  int         size;
} sizes[] = {
  { "normal", 128 },
  { "large", 256 },
  { "x-large", 512 },
  { "xx-large", 1024 },
};

static gboolean
find_size (Options  *options,
           GError  **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      if (g_str_equal (options->size_name, sizes[i].name))
        {
          options->size = sizes[i].size;
          return TRUE;
        }
    }

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _("There is no size “%s”, only normal, large, x-large and xx-large."),
               options->size_name);

  return FALSE;
}

gboolean
options_parse (Options   *options,
               int       *argc,
               char    ***argv,
               GError   **error)
{
  const GOptionEntry entries[] = {
    { "size", 's', 0, G_OPTION_ARG_STRING, &options->size_name,
      N_("How big: normal, large, x-large or xx-large"), N_("SIZE") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
      N_("Where thumbnails go, instead of the user’s own"), N_("DIRECTORY") },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &options->jobs,
      N_("How many pictures at once; 0 is what suits the machine"), N_("NUMBER") },
    { "recursive", 'r', 0, G_OPTION_ARG_NONE, &options->recursive,
      N_("Look into directories in directories as well"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->paths,
      NULL, N_("[DIRECTORY|PICTURE…]") },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context,
                                N_("Makes thumbnails of pictures; without an argument, of those that the system has."));
  g_option_context_set_description (context,
                                    N_("The exit status is 0 if all is done, 1 if something failed, 130 if it was stopped."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);

  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (options->jobs < 0)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           _("The number of jobs cannot be negative."));
      return FALSE;
    }

  if (options->size_name == NULL)
    options->size_name = g_strdup (sizes[0].name);

  return find_size (options, error);
}

void
options_clear (Options *options)
{
  g_clear_pointer (&options->size_name, g_free);
  g_clear_pointer (&options->output, g_free);
  g_clear_pointer (&options->paths, g_strfreev);
}
