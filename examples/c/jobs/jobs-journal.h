/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

#define JOBS_TYPE_JOURNAL (jobs_journal_get_type ())

G_DECLARE_FINAL_TYPE (JobsJournal, jobs_journal, JOBS, JOURNAL, GObject)

JobsJournal *jobs_journal_new   (TaskerJoinStream  *results,
                                 const char        *path,
                                 GError           **error);
void         jobs_journal_close (JobsJournal       *self);

G_END_DECLS
