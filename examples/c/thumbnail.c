/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes the thumbnail of one picture, named and marked as the freedesktop
 * thumbnail specification says, so that file managers find and trust it. */

#include "thumbnail.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>

/* What a thumbnail says of its picture: whose it is, and as of when */
#define KEY_URI   "tEXt::Thumb::URI"
#define KEY_MTIME "tEXt::Thumb::MTime"

static gboolean
thumbnail_is_current (const char *path,
                      const char *uri,
                      const char *mtime)
{
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file (path, NULL);

  /* One that is damaged cannot be read, and is made again. */
  return pixbuf != NULL &&
         g_strcmp0 (gdk_pixbuf_get_option (pixbuf, KEY_URI), uri) == 0 &&
         g_strcmp0 (gdk_pixbuf_get_option (pixbuf, KEY_MTIME), mtime) == 0;
}

static void
size_prepared_cb (GdkPixbufLoader *loader,
                  int              width,
                  int              height,
                  gpointer         user_data)
{
  gint64 size = GPOINTER_TO_INT (user_data);
  int longer = MAX (width, height);

  /* What is small already stays as it is. */
  if (longer > size)
    gdk_pixbuf_loader_set_size (loader,
                                MAX (1, (int) (width * size / longer)),
                                MAX (1, (int) (height * size / longer)));
}

/* Piece by piece, so that it can be given up between any two of them. */
static gboolean
feed_loader (GdkPixbufLoader  *loader,
             GInputStream     *stream,
             GCancellable     *cancellable,
             GError          **error)
{
  guchar buffer[16 * 1024];
  gssize n_read;

  while ((n_read = g_input_stream_read (stream, buffer, sizeof buffer, cancellable, error)) > 0)
    {
      if (!gdk_pixbuf_loader_write (loader, buffer, (gsize) n_read, error))
        return FALSE;
    }

  return n_read == 0;
}

static GdkPixbuf *
load_scaled (GFile         *picture,
             int            size,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GdkPixbufLoader) loader = NULL;
  GdkPixbuf *pixbuf;

  stream = g_file_read (picture, cancellable, error);
  if (stream == NULL)
    return NULL;

  loader = gdk_pixbuf_loader_new ();
  g_signal_connect (loader, "size-prepared", G_CALLBACK (size_prepared_cb), GINT_TO_POINTER (size));

  if (!feed_loader (loader, G_INPUT_STREAM (stream), cancellable, error))
    {
      /* A loader wants to be closed in any case. */
      gdk_pixbuf_loader_close (loader, NULL);
      return NULL;
    }

  if (!gdk_pixbuf_loader_close (loader, error))
    return NULL;

  pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  if (pixbuf == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("The file holds no picture"));
      return NULL;
    }

  /* Cameras save how they were held instead of turning the picture. */
  return gdk_pixbuf_apply_embedded_orientation (pixbuf);
}

static gboolean
save_whole (GdkPixbuf     *pixbuf,
            const char    *path,
            const char    *uri,
            const char    *mtime,
            GCancellable  *cancellable,
            GError       **error)
{
  g_autofree char *png = NULL;
  gsize length;

  if (!gdk_pixbuf_save_to_buffer (pixbuf, &png, &length, "png", error,
                                  KEY_URI, uri,
                                  KEY_MTIME, mtime,
                                  NULL))
    return FALSE;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  /* This writes to a temporary name beside @path, renames it, and removes it
   * where either goes wrong. So nobody ever sees half a thumbnail. A
   * thumbnail shows what may be private: it is for the user alone. */
  return g_file_set_contents_full (path, png, (gssize) length,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

/* The content types of all pictures that can be read, as a set */
GHashTable *
thumbnail_list_content_types (void)
{
  GHashTable *types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GSList) formats = gdk_pixbuf_get_formats ();

  for (GSList *l = formats; l != NULL; l = l->next)
    {
      g_auto (GStrv) mime_types = gdk_pixbuf_format_get_mime_types (l->data);

      for (gsize i = 0; mime_types[i] != NULL; i++)
        g_hash_table_add (types, g_content_type_from_mime_type (mime_types[i]));
    }

  return types;
}

/* Makes the thumbnail of @picture in @directory, no side longer than @size
 * pixels, unless there is one that is up to date: then @made is FALSE. */
gboolean
thumbnail_make (GFile         *picture,
                const char    *directory,
                int            size,
                gboolean      *made,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autofree char *uri = g_file_get_uri (picture);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_MD5, uri, -1);
  g_autofree char *path = g_strdup_printf ("%s/%s.png", directory, digest);
  g_autofree char *mtime = NULL;
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;

  info = g_file_query_info (picture, G_FILE_ATTRIBUTE_TIME_MODIFIED,
                            G_FILE_QUERY_INFO_NONE, cancellable, error);
  if (info == NULL)
    return FALSE;

  mtime = g_file_info_get_attribute_as_string (info, G_FILE_ATTRIBUTE_TIME_MODIFIED);

  *made = !thumbnail_is_current (path, uri, mtime);
  if (!*made)
    return TRUE;

  pixbuf = load_scaled (picture, size, cancellable, error);
  if (pixbuf == NULL)
    return FALSE;

  return save_whole (pixbuf, path, uri, mtime, cancellable, error);
}
