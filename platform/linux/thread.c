/* SPDX-License-Identifier: MIT */
/* Linux: waiting on an address (futex), threads (pthread), the monotonic clock. */
#include "platform.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 16, EXIT_HOOKS = 8 };

/* ---- waiting on an address ---- */

bool proi_wait(const uint32_t *address, uint32_t expected, int64_t timeout_ns)
{
    struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / 1000000000),
                                .tv_nsec = (long)(timeout_ns % 1000000000) };

    /* FUTEX_WAIT takes a duration on the monotonic clock. Woken, interrupted and "the word differs" are the same to
     * callers. */
    return syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &timeout, NULL, 0) == 0 ||
           errno != ETIMEDOUT;
}

static void wake(const uint32_t *address, int most)
{
    PROI_ADDRESS_ONLY_BEGIN();
    syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
    PROI_ADDRESS_ONLY_END();
}

void proi_wake_one(const uint32_t *address) { wake(address, 1); }
void proi_wake_all(const uint32_t *address) { wake(address, INT_MAX); }

/* ---- threads ---- */

struct thread_start {
    void (*fn)(void *arg);
    void *arg;
    char name[NAME_SIZE]; /* the kernel keeps 15 characters */
};

static void *thread_main(void *arg)
{
    struct thread_start start = *(struct thread_start *)arg;

    proi_free(arg);
    pthread_setname_np(pthread_self(), start.name);
    start.fn(start.arg);
    proi_thread_limit_give_back();
    return NULL;
}

/* The library's threads take no signal that the program may want to handle on a thread of its own; those that a fault
   in user code raises, and the profiler's, stay open. The new thread inherits the mask. */
static int create_with_signals_blocked(pthread_t *ret_thread, const pthread_attr_t *attributes,
                                       struct thread_start *start)
{
    static const int open_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF };
    sigset_t blocked, before;
    int error;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof open_signals / sizeof *open_signals; i++)
        sigdelset(&blocked, open_signals[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    error = pthread_create(ret_thread, attributes, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int proi_thread_start(struct proi_thread *ret_thread, const char *name, void (*fn)(void *arg), void *arg,
                      size_t stack_size)
{
    struct thread_start *start;
    pthread_attr_t attributes;
    pthread_t thread;
    int code = PRO_E_NO_THREAD;

    if (!proi_thread_limit_take())
        return PRO_E_NO_THREAD;
    start = proi_alloc(sizeof *start);
    if (!start) {
        code = PRO_E_NO_MEMORY;
        goto give_back;
    }
    *start = (struct thread_start){ .fn = fn, .arg = arg };
    snprintf(start->name, sizeof start->name, "%s", name);
    if (pthread_attr_init(&attributes))
        goto free_start;
    if (stack_size && pthread_attr_setstacksize(&attributes, stack_size))
        goto destroy_attributes;
    if (!ret_thread && pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED))
        goto destroy_attributes;
    if (create_with_signals_blocked(&thread, &attributes, start))
        goto destroy_attributes;
    pthread_attr_destroy(&attributes);
    if (ret_thread)
        ret_thread->native = (uintptr_t)thread;
    return PRO_OK;

destroy_attributes:
    pthread_attr_destroy(&attributes);
free_start:
    proi_free(start);
give_back:
    proi_thread_limit_give_back();
    return code;
}

void proi_thread_join(struct proi_thread *thread)
{
    pthread_join((pthread_t)thread->native, NULL);
    thread->native = 0;
}

uint64_t proi_thread_id(void)
{
    static uint64_t last;
    static PROI_THREAD_LOCAL uint64_t id;

    if (PROI_UNLIKELY(!id))
        id = proi_fetch_add(&last, 1, PROI_RELAXED) + 1;
    return id;
}

unsigned proi_processor_count(void)
{
    cpu_set_t set;
    long online;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than the set has bits */
    return online > 0 ? (unsigned)online : 1;
}

/* ---- the end of a thread ---- */

static struct proi_once exit_once;
static pthread_key_t exit_key;
static bool exit_key_made;
static void (*exit_hooks[EXIT_HOOKS])(void); /* filled from the front, never cleared */

/* The thread's value of the key is the set of its hooks, a bit each. A hook may ask for another one: then the system
   calls us again. */
static void exit_run(void *value)
{
    const uintptr_t set = (uintptr_t)value;

    for (unsigned i = EXIT_HOOKS; i-- > 0;)
        if (set & (uintptr_t)1 << i)
            proi_load(&exit_hooks[i], PROI_ACQUIRE)();
}

static void exit_make_key(void) { exit_key_made = pthread_key_create(&exit_key, exit_run) == 0; }

/* The index of @fn. Two threads that enter hooks at once: one exchange wins the free place; the other finds who is
   there, and goes on unless it is the same function. */
static unsigned exit_hook_index(void (*fn)(void))
{
    for (unsigned i = 0; i < EXIT_HOOKS; i++) {
        void (*found)(void) = NULL;

        if (proi_compare_exchange(&exit_hooks[i], &found, fn, PROI_ACQ_REL) || found == fn)
            return i;
    }
    return EXIT_HOOKS;
}

void proi_at_thread_exit(void (*fn)(void))
{
    const unsigned index = exit_hook_index(fn);

    proi_once(&exit_once, exit_make_key);
    if (index == EXIT_HOOKS || !exit_key_made) {
        proi_notice(
            "what a thread leaves at its end cannot be collected: the library has more than %d exit functions, or the "
            "process has no thread-specific key left",
            EXIT_HOOKS);
        return;
    }
    pthread_setspecific(exit_key, (void *)((uintptr_t)pthread_getspecific(exit_key) | (uintptr_t)1 << index));
}

/* ---- time ---- */

uint64_t proi_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
