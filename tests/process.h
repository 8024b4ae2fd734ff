/* SPDX-License-Identifier: MIT */
/* For tests that need a second process: this very program once more, told by a word what it is to be. The first thing
 * such a test does is to ask for its role:
 *
 *     if (test_process_role())
 *         exit(be_the_client(test_process_role()));
 */
#ifndef PROACT_TEST_PROCESS_H
#define PROACT_TEST_PROCESS_H

#include <stdbool.h>

/* What the parent gave test_process_start(); NULL: nobody's child. */
const char *test_process_role(void);

struct test_process;
/* Starts this program to run @test, a part of a test's name, as @role. Its output goes where ours goes. NULL: it cannot
 * be started. */
struct test_process *test_process_start(const char *test, const char *role);
/* Has it ended? Does not wait. */
bool test_process_is_over(struct test_process *process);
/* Waits for its end; gives its exit status, 128 when it was killed. Frees. */
int test_process_end(struct test_process *process);

/* How many connections a process may hold here, within reason. */
unsigned test_connections_most(void);

#endif
