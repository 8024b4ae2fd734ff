/* SPDX-License-Identifier: MIT */
/* Waiting, threads and the clock as platform.h wants them, on simulated threads (schedule.h). */
#include "schedule.h"

#include "platform.h"

#include <stdlib.h>

enum { EXIT_HOOKS = 8, PROCESSORS = 2 };

/* ---- waiting on an address ---- */

/* Nobody else runs between the comparison and the sleep: that is what makes them one step. */
bool proi_wait(const uint32_t *address, uint32_t expected, int64_t timeout_ns)
{
    proi_point(address, false);
    if (*(const volatile uint32_t *)address != expected || proi_schedule_is_early())
        return true;
    if (timeout_ns == 0)
        return false;
    return proi_schedule_sleep(address, timeout_ns < 0 ? UINT64_MAX : proi_schedule_now() + (uint64_t)timeout_ns);
}

void proi_wake_one(const uint32_t *address)
{
    proi_point(address, true);
    proi_schedule_wake(address, false);
}

void proi_wake_all(const uint32_t *address)
{
    proi_point(address, true);
    proi_schedule_wake(address, true);
}

/* ---- threads ---- */

struct thread_start {
    void (*fn)(void *arg);
    void *arg;
};

static void thread_main(void *arg)
{
    struct thread_start start = *(struct thread_start *)arg;

    proi_free(arg);
    start.fn(start.arg);
    proi_thread_limit_give_back();
}

int proi_thread_start(struct proi_thread *ret_thread, const char *name, void (*fn)(void *arg), void *arg,
                      size_t stack_size)
{
    struct thread_start *start;
    struct proi_simthread *thread;
    int code = PRO_E_NO_THREAD;

    proi_schedule_self(); /* the first thread comes before all others */
    if (!proi_thread_limit_take())
        return PRO_E_NO_THREAD;
    start = proi_alloc(sizeof *start);
    if (!start) {
        code = PRO_E_NO_MEMORY;
        goto give_back;
    }
    *start = (struct thread_start){ .fn = fn, .arg = arg };
    thread = proi_schedule_add(name, stack_size, thread_main, start, !ret_thread);
    if (!thread)
        goto free_start;
    if (ret_thread)
        ret_thread->native = (uintptr_t)thread;
    proi_point(NULL, true); /* from here on the new one may be first */
    return PRO_OK;

free_start:
    proi_free(start);
give_back:
    proi_thread_limit_give_back();
    return code;
}

void proi_thread_join(struct proi_thread *thread)
{
    proi_schedule_join((struct proi_simthread *)thread->native);
    thread->native = 0;
}

uint64_t proi_thread_id(void) { return proi_schedule_id(proi_schedule_self()); }

/* The same on every machine, so that a schedule is. */
unsigned proi_processor_count(void) { return PROCESSORS; }

/* ---- the end of a thread ---- */

static void (*exit_hooks[EXIT_HOOKS])(void); /* filled from the front, never cleared */

void proi_at_thread_exit(void (*fn)(void))
{
    unsigned i = 0;

    while (i < EXIT_HOOKS && exit_hooks[i] && exit_hooks[i] != fn)
        i++;
    if (i == EXIT_HOOKS) {
        proi_notice("what a thread leaves at its end cannot be collected: the library has more than %d exit functions",
                    EXIT_HOOKS);
        return;
    }
    exit_hooks[i] = fn;
    *proi_schedule_exit_hooks(proi_schedule_self()) |= 1u << i;
}

/* A hook may ask for another one. */
void proi_simthread_run_exit_hooks(void)
{
    unsigned *const set = proi_schedule_exit_hooks(proi_schedule_self());

    while (*set) {
        const int last = 31 - __builtin_clz(*set);

        *set &= ~(1u << last);
        exit_hooks[last]();
    }
}

/* ---- time ---- */

uint64_t proi_now(void)
{
    proi_point(NULL, false);
    return proi_schedule_now();
}
