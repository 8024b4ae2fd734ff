/* SPDX-License-Identifier: MIT */
/* What the harness needs of a system (harness_linux.c, harness_windows.c), and what only a few tests need of the
   harness. */
#ifndef PROACT_TEST_HARNESS_SYSTEM_H
#define PROACT_TEST_HARNESS_SYSTEM_H

#include "harness.h"

/* ---- by the system ---- */
/* Called first of all: output without buffers and without translation, a crash that cannot look like a success. */
void test_system_begin(void);
/* The end of main(): gives @status, or ends the process with it. */
int test_system_end(int status);
/* From now until the next call the process ends with status 71 after @seconds; 0 stops the watch. @name is borrowed. */
void test_system_watch(const char *name, unsigned seconds);
/* Threads of this process at this moment, those of the run time included; 0: the system does not say. */
unsigned test_thread_count(void);
/* The backends that this system could have, ends with a NULL short_name. */
struct test_backend {
    const char *short_name, *name;
};
extern const struct test_backend test_backend_table[];

/* ---- by harness.c ---- */
/* NULL when the backend of this short name works here, else why it does not. */
const char *test_backend_refusal(const char *short_name);
/* The test that runs. Tests made from a table find their row through it. */
struct test *test_current(void);

#endif
