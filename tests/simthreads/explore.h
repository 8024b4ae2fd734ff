/* SPDX-License-Identifier: MIT */
/* Runs a small program under every schedule of up to so many preemptions, then under random ones. The program is a
 * function; each run of it is a process of its own, forked from the same one, so that all runs begin alike.
 *
 *     EXPLORE(two_completers_one_winner, 2000)     // 2000 seeds after the search
 *     {
 *         // Kills: …
 *         …start threads by proi_thread_start(), join them…
 *         EXPECT(winners == 1);
 *     }
 *
 * $PROACT_SCHEDULE or $PROACT_SCHEDULE_SEED, as a failure prints them, make one run in this very process, for a
 * debugger. $PROACT_SCHEDULE_PREEMPTIONS (3), $PROACT_SCHEDULE_SEEDS (a factor for the number of seeds, in percent:
 * 100). */
#ifndef PROACT_TESTS_EXPLORE_H
#define PROACT_TESTS_EXPLORE_H

#include "harness.h"

#include "platform.h"

void explore(const char *name, void (*program)(void), unsigned seeds);
/* Ends the run. */
_Noreturn void explore_unexpected(const char *file, int line, const char *what);

#define EXPLORE(name, seeds)                                                                                           \
    static void program_##name(void);                                                                                  \
    TEST(name) { explore(#name, program_##name, (seeds)); }                                                            \
    static void program_##name(void)
#define EXPECT(condition) ((condition) ? (void)0 : explore_unexpected(__FILE__, __LINE__, #condition))

/* Runs the parts at the same time, the last one on the calling thread, and returns when all have returned. */
void explore_together(void (*const *parts)(void *arg), unsigned count, void *arg);

#endif
