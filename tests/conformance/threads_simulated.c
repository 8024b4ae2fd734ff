/* SPDX-License-Identifier: MIT */
/* threads.h on the platform's threads, for the build that simulates them: gates are steps of the schedule then, and
   time is the threads' own. */
#include "threads.h"

#include "harness.h"
#include "platform.h"

#include <pthread.h>

struct monitor {
    struct proi_mutex mutex;
    struct proi_condition condition;
};

struct monitor *monitor_new(void) { return memory_new(sizeof(struct monitor)); }

void monitor_enter(struct monitor *monitor) { proi_lock(&monitor->mutex); }

void monitor_exit(struct monitor *monitor) { proi_unlock(&monitor->mutex); }

bool monitor_wait(struct monitor *monitor, int ms)
{
    return proi_condition_wait(&monitor->condition, &monitor->mutex, ms < 0 ? -1 : PRO_MS(ms));
}

void monitor_pulse_all(struct monitor *monitor) { proi_condition_broadcast(&monitor->condition); }

void thread_start(void (*fn)(void *arg), void *arg)
{
    if (proi_thread_start(NULL, "scenario", fn, arg, 0) != PRO_OK)
        harness_broken("no thread could be started");
}

void thread_sleep_ms(int ms)
{
    const uint64_t until = proi_now() + (uint64_t)PRO_MS(ms);
    const uint32_t never = 0;

    for (uint64_t now = proi_now(); now < until; now = proi_now())
        proi_wait(&never, 0, (int64_t)(until - now));
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
