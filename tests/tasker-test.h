/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the test programs share: starting up, a watchdog, waiting for
 * something to become true, and keeping books on what happened to each
 * task's data. */

#pragma once

#include <tasker.h>

G_BEGIN_DECLS

/* Starting up. Tests are registered with tasker_test_add(), which puts each
 * under the watchdog: a test that hangs is aborted, after a dump of the
 * groups that tasker_test_watch() knows. */
void         tasker_test_init      (int           *argc,
                                    char        ***argv);
void         tasker_test_add       (const char    *path,
                                    void         (*func) (void));
TaskerGroup *tasker_test_group     (const char    *name);
void         tasker_test_watch     (TaskerGroup   *group);

/* Slow environments (valgrind, sanitizers) set TASKER_TEST_SCALE to a whole
 * number: many-round tests do that many times fewer rounds, and the watchdog
 * waits that many times longer. */
guint        tasker_test_get_scale (void);
guint        tasker_test_rounds    (guint          n_rounds);

/* Resident memory of this process in bytes, 0 where that cannot be told or
 * tells nothing: the tools of slow environments hold on to memory. */
gsize        tasker_test_get_rss   (void);

/* Whether the object of a weak reference lives. */
gboolean     tasker_test_is_alive  (GWeakRef      *ref);

/* The counts of a group as text, after checking that they add up, and that as
 * many tasks are there as are said to be live. The last is done for each handle of
 * tasker_test_group() when it goes, too. */
char        *tasker_test_counts    (TaskerGroup   *group);

#define tasker_test_assert_equation(group) \
  G_STMT_START { \
    char *counts_ = tasker_test_counts (group); \
    g_free (counts_); \
  } G_STMT_END

#define tasker_test_assert_counts(group, spawned, live, succeeded, failed, stopped, aborted) \
  G_STMT_START { \
    char *expected_ = g_strdup_printf ("%u = %u live + %u succeeded + %u failed" \
                                       " + %u stopped + %u aborted", \
                                       (guint) (spawned), (guint) (live), \
                                       (guint) (succeeded), (guint) (failed), \
                                       (guint) (stopped), (guint) (aborted)); \
    char *counts_ = tasker_test_counts (group); \
    g_assert_cmpstr (counts_, ==, expected_); \
    g_free (counts_); \
    g_free (expected_); \
  } G_STMT_END

/* A join of a group in which nothing has failed, and how many tasks ended how. */
#define tasker_test_assert_join(group, succeeded, stopped, aborted) \
  G_STMT_START { \
    GError *error_ = NULL; \
    gboolean ok_ = tasker_group_join (group, NULL, &error_); \
    g_assert_no_error (error_); \
    g_assert_true (ok_); \
    tasker_test_assert_counts (group, (succeeded) + (stopped) + (aborted), 0, \
                               succeeded, 0, stopped, aborted); \
  } G_STMT_END

/* A call that is to log one critical message. */
#define tasker_test_critical(pattern, call) \
  G_STMT_START { \
    g_test_expect_message ("Tasker", G_LOG_LEVEL_CRITICAL, pattern); \
    call; \
    g_test_assert_expected_messages (); \
  } G_STMT_END

/* Lets the rest of a test drop GTasks that were never returned: newer GLibs log a
 * critical message for each. */
void         tasker_test_lose_gtasks (void);

/* Waiting, without or with iterating the thread-default main context. */
gint64       tasker_test_deadline  (void);
void         tasker_test_nap       (gint64         deadline,
                                    const char    *where,
                                    const char    *what);
void         tasker_test_iterate   (void);
/* … until nothing is left to do, also by who has taken his time and lets one
 * iteration go by. */
void         tasker_test_come_to_rest (void);
void         tasker_test_keep      (GObject       *source,
                                    GAsyncResult  *result,
                                    gpointer       location);

#define tasker_test_wait_for(expr) \
  G_STMT_START { \
    gint64 deadline_ = tasker_test_deadline (); \
    while (!(expr)) \
      tasker_test_nap (deadline_, G_STRLOC, #expr); \
  } G_STMT_END

#define tasker_test_iterate_until(expr) \
  G_STMT_START { \
    gint64 deadline_ = tasker_test_deadline (); \
    while (tasker_test_iterate (), !(expr)) \
      tasker_test_nap (deadline_, G_STRLOC, #expr); \
  } G_STMT_END

/* A copy of a list model that is kept by what its items-changed says; whatever
 * it says wrong fails the test. It is in the thread of the model. */
typedef struct
{
  GListModel *model;
  GPtrArray  *items;
  gulong      handler;
  guint       n_changes;
  guint       n_removals;
  void      (*changed) (gpointer user_data); /* called after each, or %NULL */
  gpointer    user_data;
} TaskerTestShadow;

void         tasker_test_shadow_init  (TaskerTestShadow *shadow,
                                       GListModel       *model);
void         tasker_test_shadow_check (TaskerTestShadow *shadow);
void         tasker_test_shadow_clear (TaskerTestShadow *shadow);

/* A gate: whoever passes it waits until it is open. */
typedef struct
{
  GMutex mutex;
  GCond  cond;
  guint  n_waiting;
  gboolean is_open;
} TaskerTestGate;

void         tasker_test_gate_init     (TaskerTestGate  *gate);
void         tasker_test_gate_clear    (TaskerTestGate  *gate);
void         tasker_test_gate_open     (TaskerTestGate  *gate);
void         tasker_test_gate_await    (TaskerTestGate  *gate,
                                        guint            n_waiting);
/* Leaves the group one place, which a task before the gate has, so that what
 * comes after it waits in the queue. */
void         tasker_test_gate_occupy   (TaskerTestGate  *gate,
                                        TaskerGroup     *group);

/* A barrier: nobody passes before all have come. */
typedef struct
{
  GMutex mutex;
  GCond  cond;
  guint  n_missing;
} TaskerTestBarrier;

void         tasker_test_barrier_init  (TaskerTestBarrier *barrier,
                                        guint              n_missing);
void         tasker_test_barrier_clear (TaskerTestBarrier *barrier);

/* Functions for tasks. */
gboolean     tasker_test_pass_gate     (gpointer         gate,
                                        GCancellable    *stopper,
                                        GError         **error);
gboolean     tasker_test_pass_barrier  (gpointer         barrier,
                                        GCancellable    *stopper,
                                        GError         **error);
gboolean     tasker_test_wait_stopped  (gpointer         user_data,
                                        GCancellable    *stopper,
                                        GError         **error);
gboolean     tasker_test_succeed       (gpointer         user_data,
                                        GCancellable    *stopper,
                                        GError         **error);
gboolean     tasker_test_fail          (gpointer         user_data,
                                        GCancellable    *stopper,
                                        GError         **error);
gboolean     tasker_test_panic         (gpointer         user_data,
                                        GCancellable    *stopper,
                                        GError         **error);
/* With an int, atomic. */
gboolean     tasker_test_raise_number  (gpointer         user_data,
                                        GCancellable    *stopper,
                                        GError         **error);

/* Spawns so many tasks that do nothing that a runner, once it has run them, takes as
 * many as it can of those behind them at once. */
#define TASKER_TEST_N_QUICK 600
void         tasker_test_spawn_quick   (TaskerGroup     *group);

/* A ledger hands out entries to be the data of tasks: how often each was
 * called, and that each was destroyed exactly once and not while it ran. */
typedef struct _TaskerTestLedger TaskerTestLedger;

TaskerTestLedger *tasker_test_ledger_new       (guint              capacity);
gpointer          tasker_test_ledger_entry     (TaskerTestLedger  *ledger,
                                                TaskerFunc         func,
                                                gpointer           user_data);
void              tasker_test_ledger_spawn     (TaskerTestLedger  *ledger,
                                                TaskerGroup       *group,
                                                const char        *name,
                                                TaskerFunc         func,
                                                gpointer           user_data);
TaskerTask       *tasker_test_ledger_task      (TaskerTestLedger  *ledger,
                                                const char        *name,
                                                TaskerFunc         func,
                                                gpointer           user_data);
guint             tasker_test_ledger_n_called  (TaskerTestLedger  *ledger);
guint             tasker_test_ledger_n_freed   (TaskerTestLedger  *ledger);
void              tasker_test_ledger_close     (TaskerTestLedger  *ledger,
                                                guint              n_made,
                                                guint              n_called);
gboolean          tasker_test_entry_run        (gpointer           entry,
                                                GCancellable      *stopper,
                                                GError           **error);
void              tasker_test_entry_free       (gpointer           entry);

G_END_DECLS
