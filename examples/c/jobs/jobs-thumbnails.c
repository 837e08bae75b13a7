/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job that makes thumbnails of all pictures in a folder: a child group, in
 * which the tasks are those of the thumbnailer. In the application's group it is
 * one task, whose progress is that of all of them. */

#include "jobs-thumbnails.h"

#include <glib/gi18n.h>

#include "../thumbnail.h"
#include "../thumbnailer-tasks.h"

/* Of the thumbnail specification */
#define SIZE_NAME "large"
#define SIZE 256

static void
plan_free (Plan *plan)
{
  g_hash_table_unref (plan->content_types);
  g_object_unref (plan->root);
  g_free (plan->target);
  g_object_unref (plan->give_up);
  g_free (plan);
}

static Plan *
plan_new (GCancellable *give_up)
{
  g_autofree char *root = g_build_filename (g_get_user_cache_dir (), "thumbnails", NULL);
  Plan *plan = g_new0 (Plan, 1);

  plan->content_types = thumbnail_list_content_types ();
  plan->root = g_file_new_for_path (root);
  plan->target = g_build_filename (root, SIZE_NAME, NULL);
  plan->size = SIZE;
  plan->recursive = TRUE;
  plan->give_up = g_object_ref (give_up);

  return plan;
}

/* All tasks have ended, so nobody needs the plan any more. Their outcome is told
 * by the task that stands for the group. */
static void
joined_cb (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  tasker_group_join_finish (TASKER_GROUP (source), result, NULL);
  plan_free (user_data);
}

void
jobs_make_thumbnails (TaskerGroup  *group,
                      GFile        *folder,
                      GCancellable *give_up)
{
  g_autofree char *folder_name = g_file_get_basename (folder);
  g_autofree char *display_name = g_filename_display_name (folder_name);
  g_autofree char *name = g_strdup_printf (_("Thumbnails of “%s”"), display_name);
  g_autoptr (TaskerGroup) pictures = tasker_group_new_child (group, name);
  Plan *plan = plan_new (give_up);

  /* Where this fails, each picture does, and tells why. */
  g_mkdir_with_parents (plan->target, 0700);

  tasker_group_set_keep_results (pictures, FALSE);
  spawn_directory (pictures, pictures, plan, folder);
  tasker_group_join_async (pictures, NULL, joined_cb, plan);
}
