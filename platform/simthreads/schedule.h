/* SPDX-License-Identifier: MIT */
/* Simulated threads: one thread runs at a time, and a schedule decides which. A thread is a real one that runs only
 * while it has the token, so that a debugger shows what it always shows. Whoever has the token gives it away
 *   - at a POINT, before an access that other threads may notice: it could go on, so leaving is a preemption;
 *   - at a PASS, because it waits or ends;
 * and chooses at a WAKE which of the waiting threads is woken. Each of these is a step of the schedule if there is more
 * than one possibility. Time stands still while any thread can go on, and then jumps to the earliest limit of a wait.
 *
 * Everything here is touched by the thread with the token only. */
#ifndef PROACT_SIMTHREADS_SCHEDULE_H
#define PROACT_SIMTHREADS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROI_SCHEDULE_MOST_THREADS = 512, /* alive at once */
    PROI_SCHEDULE_FAILED = 70,        /* exit status: all wait for ever, or it never ends */
    PROI_SCHEDULE_REDUNDANT = 71      /* exit status: another schedule does the same (prune) */
};

/* ---- for the program that searches ---- */

enum proi_schedule_why { PROI_SCHEDULE_POINT, PROI_SCHEDULE_PASS, PROI_SCHEDULE_WAKE };

/* "At this step let this thread go on." Everywhere else the usual one does: at a point the one that runs, at a pass the
   next one in order of creation, at a wake the one that has waited longest. */
struct proi_schedule_deviation {
    uint32_t step, thread;
};

/* A step that was made. */
struct proi_schedule_choice {
    uint64_t threads;  /* who could be chosen: a bit each; those above 63 are left out */
    uintptr_t address; /* of the access, at a point */
    uint32_t taken;
    uint32_t why;
};

enum { PROI_SCHEDULE_STEPS = 1 << 16, PROI_SCHEDULE_ADDRESSES = 1 << 14 };

/* An address that somebody accessed, over all runs that share the log. */
struct proi_schedule_access {
    uintptr_t address; /* 0: the place is free */
    uint32_t thread;   /* the first one */
    bool is_shared, is_written;
};

/* In memory that outlives the run. A run begins with count 0; accesses are kept from run to run. */
struct proi_schedule_log {
    uint32_t count; /* more than PROI_SCHEDULE_STEPS: the rest is not written down */
    struct proi_schedule_choice choices[PROI_SCHEDULE_STEPS];
    struct proi_schedule_access accesses[PROI_SCHEDULE_ADDRESSES];
};

/* True: two threads accessed it and one of them wrote, so it matters who comes first. */
bool proi_schedule_matters(const struct proi_schedule_log *log, uintptr_t address);

struct proi_schedule {
    bool is_random;
    uint64_t seed;
    const struct proi_schedule_deviation *deviations; /* by step; borrowed */
    size_t deviation_count;
    struct proi_schedule_log *log; /* NULL: none */
    /* Ends the process with PROI_SCHEDULE_REDUNDANT when the thread that the last deviation stopped goes on, and nobody
       has meanwhile done anything that its next access could have met: stopping it after that access does the same. */
    bool prune;
    uint64_t most_points; /* 0: no limit; more is a failure, "it never ends" */
};

/* From now on by this schedule. Else $PROACT_SCHEDULE ("replay:STEP=THREAD,…") or $PROACT_SCHEDULE_SEED says it, from
   the first use on; seed 1 when neither is set. */
void proi_schedule_begin(const struct proi_schedule *schedule);
/* Threads run in turns: on one processor they hand the token over several times as fast as across two. Done by begin; a
   program that forks its runs calls it before. */
void proi_schedule_stay_on_processor(void);
void proi_schedule_limit(uint64_t most_points); /* as most_points */
/* What to put into the environment for the same run again: "PROACT_SCHEDULE_SEED=7". Valid until the next call. */
const char *proi_schedule_text(void);
/* Reads "replay:3=2,17=1"; gives the number of deviations, at most @most, or -1: it is something else. */
int proi_schedule_parse(const char *text, struct proi_schedule_deviation *ret_deviations, size_t most);
unsigned proi_schedule_threads(void); /* alive */
/* Says what is wrong, the threads and the schedule, and ends the process. */
_Noreturn void proi_schedule_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- for thread.c ---- */

struct proi_simthread;
struct proi_simthread *proi_schedule_self(void); /* makes the process's first thread one of ours */
unsigned proi_schedule_id(const struct proi_simthread *thread);
uint64_t proi_schedule_now(void);
/* Waits until woken at @address, or until @deadline (UINT64_MAX: none) has come, which is false. */
bool proi_schedule_sleep(const uint32_t *address, uint64_t deadline);
void proi_schedule_wake(const uint32_t *address, bool all);
/* True now and then when the schedule is random: a wait may end early. */
bool proi_schedule_is_early(void);

/* A thread that will call @main, once it is chosen. NULL: too many, or no memory. */
struct proi_simthread *proi_schedule_add(const char *name, size_t stack_size, void (*main)(void *arg), void *arg,
                                         bool is_detached);
void proi_schedule_join(struct proi_simthread *thread);
unsigned *proi_schedule_exit_hooks(struct proi_simthread *thread); /* a word for thread.c, first 0 */
/* thread.c: the functions of proi_at_thread_exit(); called by the ending thread while it has the token. */
void proi_simthread_run_exit_hooks(void);

#endif
