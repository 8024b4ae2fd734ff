/* SPDX-License-Identifier: MIT */
/* threads.h on POSIX threads. */
#include "threads.h"

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct monitor {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

struct monitor *monitor_new(void)
{
    struct monitor *monitor = memory_new(sizeof *monitor);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&monitor->mutex, NULL);
    pthread_cond_init(&monitor->condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return monitor;
}

void monitor_enter(struct monitor *monitor) { pthread_mutex_lock(&monitor->mutex); }

void monitor_exit(struct monitor *monitor) { pthread_mutex_unlock(&monitor->mutex); }

bool monitor_wait(struct monitor *monitor, int ms)
{
    if (ms < 0)
        return pthread_cond_wait(&monitor->condition, &monitor->mutex) == 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(&monitor->condition, &monitor->mutex, &until) != ETIMEDOUT;
}

void monitor_pulse_all(struct monitor *monitor) { pthread_cond_broadcast(&monitor->condition); }

struct start {
    void (*fn)(void *arg);
    void *arg;
};

static void *run_start(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    start.fn(start.arg);
    return NULL;
}

void thread_start(void (*fn)(void *arg), void *arg)
{
    struct start *start = memory_new(sizeof *start);
    start->fn = fn, start->arg = arg;
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_start, start) != 0)
        harness_broken("no thread could be started");
    pthread_detach(thread);
}

void thread_sleep_ms(int ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000L };
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void process_prepare(void)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 20);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

_Noreturn void process_end(int code) { _Exit(code); }
