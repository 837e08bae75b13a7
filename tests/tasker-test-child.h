/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Test programs that play scenarios in processes of their own, for what cannot
 * be done to the program that runs the tests: sending it signals, ending it.
 *
 * Such a process is the same program again. What it says on its standard output,
 * its parent expects line by line. */

#pragma once

#include "tasker-test.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  void      (*play) (void);
} TaskerTestScenario;

/* Instead of tasker_test_init(). Does not return where a scenario is played. */
void tasker_test_init_scenarios  (int                       *argc,
                                  char                    ***argv,
                                  const TaskerTestScenario  *scenarios,
                                  gsize                      n_scenarios);

/* The parent's side. The last two end it. */
typedef struct
{
  GSubprocess      *process;
  GDataInputStream *lines;
} TaskerTestChild;

void tasker_test_child_start     (TaskerTestChild  *child,
                                  const char       *scenario);
void tasker_test_child_clear     (TaskerTestChild  *child);
void tasker_test_child_expect    (TaskerTestChild  *child,
                                  const char       *expected);
void tasker_test_child_signal    (TaskerTestChild  *child,
                                  int               signum,
                                  const char       *expected);
void tasker_test_child_go_on     (TaskerTestChild  *child);
void tasker_test_child_ends      (TaskerTestChild  *child);
void tasker_test_child_dies      (TaskerTestChild  *child,
                                  int               signum);

/* The child's side. */
void tasker_test_say             (const char       *line);
void tasker_test_say_counts      (TaskerGroup      *group);
void tasker_test_wait_for_parent (void);

G_END_DECLS
