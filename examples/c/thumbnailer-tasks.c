/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tasks of the thumbnailer. One kind makes a thumbnail. The other reads a
 * directory and spawns a task for each picture, and each directory, in it. */

#include "thumbnailer-tasks.h"

#include "thumbnail.h"

typedef struct
{
  const Plan *plan;
  GFile      *file;
} Picture;

typedef struct
{
  const Plan  *plan;
  GFile       *file;
  TaskerGroup *directories;
  TaskerGroup *pictures;
} Directory;

/* Pictures */

static void
picture_free (gpointer user_data)
{
  Picture *picture = user_data;

  g_object_unref (picture->file);
  g_free (picture);
}

static gboolean
picture_run (gpointer       user_data,
             GCancellable  *stopper,
             GError       **error)
{
  Picture *picture = user_data;
  const Plan *plan = picture->plan;
  g_autoptr (TaskerTask) task = tasker_task_get_current ();
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean made;

  /* A picture that has begun is completed: at the stop, which @stopper tells,
   * there is nothing to do here. Only giving up ends it early. */
  if (!thumbnail_make (picture->file, plan->target, plan->size, &made, plan->give_up, error))
    return FALSE;

  /* The value of the task, for whoever looks at the results */
  g_value_init (&value, G_TYPE_BOOLEAN);
  g_value_set_boolean (&value, made);
  tasker_task_set_value (task, &value);

  return TRUE;
}

void
spawn_picture (TaskerGroup *pictures,
               const Plan  *plan,
               GFile       *file)
{
  g_autofree char *name = g_file_get_parse_name (file);
  Picture *picture = g_new (Picture, 1);

  picture->plan = plan;
  picture->file = g_object_ref (file);

  tasker_group_spawn (pictures, name, picture_run, picture, picture_free);
}

/* Directories */

static void
directory_free (gpointer user_data)
{
  Directory *directory = user_data;

  g_object_unref (directory->file);
  g_object_unref (directory->directories);
  g_object_unref (directory->pictures);
  g_free (directory);
}

static gboolean
is_picture (const Plan *plan,
            GFile      *file)
{
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *type = g_content_type_guess (name, NULL, 0, NULL);

  /* The name is enough: what only looks like a picture is to be told. */
  return g_hash_table_contains (plan->content_types, type);
}

static void
directory_add_child (Directory *directory,
                     GFile     *child,
                     GFileInfo *info)
{
  const Plan *plan = directory->plan;

  switch (g_file_info_get_file_type (info))
    {
    case G_FILE_TYPE_DIRECTORY:
      /* Links can lead in circles, and thumbnails need no thumbnails. */
      if (plan->recursive &&
          !g_file_info_get_is_symlink (info) &&
          !g_file_equal (child, plan->root))
        spawn_directory (directory->directories, directory->pictures, plan, child);
      break;

    case G_FILE_TYPE_REGULAR:
      if (is_picture (plan, child))
        spawn_picture (directory->pictures, plan, child);
      break;

    default:
      break;
    }
}

static gboolean
directory_run (gpointer       user_data,
               GCancellable  *stopper,
               GError       **error)
{
  Directory *directory = user_data;
  g_autoptr (GFileEnumerator) children = NULL;
  GFileInfo *info;
  GFile *child;

  /* The stopper is a GCancellable: what GIO does ends at the stop. */
  children = g_file_enumerate_children (directory->file,
                                        G_FILE_ATTRIBUTE_STANDARD_NAME ","
                                        G_FILE_ATTRIBUTE_STANDARD_TYPE ","
                                        G_FILE_ATTRIBUTE_STANDARD_IS_SYMLINK,
                                        G_FILE_QUERY_INFO_NONE, stopper, error);
  if (children == NULL)
    return FALSE;

  while (g_file_enumerator_iterate (children, &info, &child, stopper, error))
    {
      if (info == NULL)
        return TRUE;

      directory_add_child (directory, child, info);
    }

  return FALSE;
}

void
spawn_directory (TaskerGroup *directories,
                 TaskerGroup *pictures,
                 const Plan  *plan,
                 GFile       *file)
{
  g_autofree char *name = g_file_get_parse_name (file);
  Directory *directory = g_new (Directory, 1);

  /* The task spawns others, so it gets its own handles on both groups. They
   * keep the groups open until the task has ended. */
  directory->plan = plan;
  directory->file = g_object_ref (file);
  directory->directories = tasker_group_clone (directories);
  directory->pictures = tasker_group_clone (pictures);

  tasker_group_spawn (directories, name, directory_run, directory, directory_free);
}
