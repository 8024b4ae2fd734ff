/* SPDX-License-Identifier: MIT */
/* Threads and events on POSIX threads. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "system.h"

struct start {
    void (*fn)(void *arg);
    void *arg;
};

static void *thread_main(void *arg)
{
    const struct start start = *(struct start *)arg;
    free(arg);
    start.fn(start.arg);
    return NULL;
}

struct system_thread {
    pthread_t thread;
};

struct system_thread *system_thread_new(void (*fn)(void *arg), void *arg)
{
    struct system_thread *thread = malloc(sizeof *thread);
    struct start *start = malloc(sizeof *start);
    if (thread && start) {
        *start = (struct start){ fn, arg };
        if (pthread_create(&thread->thread, NULL, thread_main, start) == 0)
            return thread;
    }
    free(start);
    free(thread);
    return NULL;
}

void system_thread_join(struct system_thread *thread)
{
    pthread_join(thread->thread, NULL);
    free(thread);
}

bool system_thread_start(void (*fn)(void *arg), void *arg)
{
    struct system_thread *thread = system_thread_new(fn, arg);
    if (!thread)
        return false;
    pthread_detach(thread->thread);
    free(thread);
    return true;
}

void system_sleep_ms(int ms)
{
    struct timespec rest = { ms / 1000, (long)(ms % 1000) * 1000000 };
    while (nanosleep(&rest, &rest) != 0)
        ;
}

struct event {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool set;
};

struct event *event_new(void)
{
    pthread_condattr_t attributes;
    struct event *event = calloc(1, sizeof *event);
    if (!event)
        return NULL;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&event->mutex, NULL);
    pthread_cond_init(&event->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return event;
}

void event_free(struct event *event)
{
    pthread_cond_destroy(&event->changed);
    pthread_mutex_destroy(&event->mutex);
    free(event);
}

void event_set(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    event->set = true;
    pthread_cond_broadcast(&event->changed);
    pthread_mutex_unlock(&event->mutex);
}

bool event_wait(struct event *event, int timeout_ms)
{
    struct timespec end;
    bool set;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&event->mutex);
    while (!event->set) {
        if (timeout_ms < 0)
            pthread_cond_wait(&event->changed, &event->mutex);
        else if (pthread_cond_timedwait(&event->changed, &event->mutex, &end) != 0)
            break;
    }
    set = event->set;
    pthread_mutex_unlock(&event->mutex);
    return set;
}
