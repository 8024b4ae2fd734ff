/* SPDX-License-Identifier: MIT */
/* The scheduler of simulated threads: who has the token, who waits, what time it is. Who is chosen: choice.c. */
#include "choice.h"

#include "platform.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { READY, WAITING, ENDED };

struct proi_simthread {
    unsigned id;
    enum state state;
    sem_t go; /* posted when it is given the token */
    pthread_t native;
    const uint32_t *address;  /* waits there */
    uint64_t deadline, since; /* since: the number of the wait, to tell who has waited longest */
    bool in_time;
    bool is_detached;
    uint32_t ended; /* what join waits on */
    unsigned exit_hooks;
    const char *name;
    void (*main)(void *arg);
    void *arg;
};

static struct {
    struct proi_simthread *live[PROI_SCHEDULE_MOST_THREADS]; /* in order of creation */
    unsigned live_count, ready_count, last_id;
    struct proi_simthread *over; /* has given the token away for good; the receiver joins it */
    uint64_t now, waits;
} world = { .now = PRO_S(1) };

static PROI_THREAD_LOCAL struct proi_simthread *self;

/* ---- the token ---- */

static void token_take(struct proi_simthread *thread)
{
    while (sem_wait(&thread->go) != 0)
        if (errno != EINTR)
            abort();
    if (world.over) { /* its memory and stack go back now, not at some moment that no schedule decides */
        struct proi_simthread *const over = world.over;

        world.over = NULL;
        pthread_join(over->native, NULL);
        sem_destroy(&over->go);
        if (over->is_detached)
            free(over);
    }
}

static void token_give(struct proi_simthread *from, struct proi_simthread *to)
{
    if (from == to)
        return;
    sem_post(&to->go);
    token_take(from);
}

static void set_ready(struct proi_simthread *thread, bool in_time)
{
    thread->state = READY;
    thread->address = NULL;
    thread->in_time = in_time;
    world.ready_count++;
}

/* ---- threads that begin and end ---- */

static struct proi_simthread *thread_new(const char *name)
{
    struct proi_simthread *thread = world.live_count < PROI_SCHEDULE_MOST_THREADS ? calloc(1, sizeof *thread) : NULL;

    if (!thread)
        return NULL;
    thread->id = ++world.last_id;
    thread->name = name;
    sem_init(&thread->go, 0, 0);
    return thread;
}

static void thread_add(struct proi_simthread *thread)
{
    world.live[world.live_count++] = thread;
    set_ready(thread, true);
}

struct proi_simthread *proi_schedule_self(void)
{
    if (PROI_LIKELY(self != NULL))
        return self;
    if (world.live_count)
        proi_schedule_fail("a thread that was not started by proi_thread_start() uses the library; only the process's "
                           "first thread may");
    self = thread_new("main");
    if (!self)
        abort();
    thread_add(self);
    proi_choice_begin_by_environment();
    return self;
}

unsigned proi_schedule_id(const struct proi_simthread *thread) { return thread->id; }
unsigned *proi_schedule_exit_hooks(struct proi_simthread *thread) { return &thread->exit_hooks; }
unsigned proi_schedule_threads(void) { return world.live_count; }
uint64_t proi_schedule_now(void) { return world.now; }

static struct proi_simthread *next_after(struct proi_simthread *thread);

static void thread_end(struct proi_simthread *thread)
{
    struct proi_simthread *next;
    unsigned place = 0;

    thread->state = ENDED;
    thread->ended = 1;
    proi_schedule_wake(&thread->ended, true);
    world.ready_count--;
    next = next_after(thread);
    while (world.live[place] != thread)
        place++;
    memmove(&world.live[place], &world.live[place + 1], (world.live_count - place - 1) * sizeof *world.live);
    world.live_count--;
    world.over = thread;
    sem_post(&next->go);
}

static void *thread_main(void *arg)
{
    struct proi_simthread *const thread = arg;

    self = thread;
    token_take(thread);
    thread->main(thread->arg);
    proi_simthread_run_exit_hooks();
    proi_point(&thread->ended, true);
    thread_end(thread);
    return NULL;
}

struct proi_simthread *proi_schedule_add(const char *name, size_t stack_size, void (*main)(void *arg), void *arg,
                                         bool is_detached)
{
    struct proi_simthread *const thread = thread_new(name);
    pthread_attr_t attributes;
    int error;

    if (!thread)
        return NULL;
    thread->main = main;
    thread->arg = arg;
    thread->is_detached = is_detached;
    error = pthread_attr_init(&attributes);
    if (error)
        goto free_thread;
    if (stack_size)
        error = pthread_attr_setstacksize(&attributes, stack_size);
    if (!error)
        error = pthread_create(&thread->native, &attributes, thread_main, thread);
    pthread_attr_destroy(&attributes);
    if (error)
        goto free_thread;
    thread_add(thread);
    return thread;
free_thread:
    sem_destroy(&thread->go);
    free(thread);
    return NULL;
}

/* The block is the joiner's once the thread has ended, and whoever took the token from it has joined the real one. */
void proi_schedule_join(struct proi_simthread *thread)
{
    proi_point(&thread->ended, false);
    while (!thread->ended)
        proi_schedule_sleep(&thread->ended, UINT64_MAX);
    free(thread);
}

/* ---- points, waits, time ---- */

static unsigned gather_ready(struct proi_simthread **ret_ready, unsigned *ret_ids)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world.live_count; i++)
        if (world.live[i]->state == READY) {
            ret_ready[count] = world.live[i];
            ret_ids[count++] = world.live[i]->id;
        }
    return count;
}

static unsigned index_of(const unsigned *ids, unsigned count, unsigned id)
{
    unsigned i = 0;

    while (i < count && ids[i] != id)
        i++;
    return i;
}

void proi_point(const volatile void *address, bool writes)
{
    struct proi_simthread *const thread = proi_schedule_self();

    if (world.ready_count > 1 && proi_choice_is_open(thread->id)) {
        struct proi_simthread *ready[PROI_SCHEDULE_MOST_THREADS];
        unsigned ids[PROI_SCHEDULE_MOST_THREADS];
        const unsigned count = gather_ready(ready, ids), usual = index_of(ids, count, thread->id);

        token_give(thread, ready[proi_choice_at_point(ids, count, usual, (uintptr_t)address, writes)]);
        proi_choice_goes_on(thread->id);
    }
    proi_choice_access(thread->id, (uintptr_t)address, writes);
}

static _Noreturn void all_wait(void)
{
    proi_schedule_fail("DEADLOCK: all threads wait, and none of the waits has a limit");
}

/* Nobody can go on: the earliest limit has come. */
static void advance_clock(void)
{
    uint64_t earliest = UINT64_MAX;

    for (unsigned i = 0; i < world.live_count; i++)
        if (world.live[i]->state == WAITING && world.live[i]->deadline < earliest)
            earliest = world.live[i]->deadline;
    if (earliest == UINT64_MAX)
        all_wait();
    if (earliest > world.now)
        world.now = earliest;
    for (unsigned i = 0; i < world.live_count; i++)
        if (world.live[i]->state == WAITING && world.live[i]->deadline <= world.now)
            set_ready(world.live[i], false);
}

/* Who has the token after @thread, which cannot go on. Usually the one made after it. */
static struct proi_simthread *next_after(struct proi_simthread *thread)
{
    struct proi_simthread *ready[PROI_SCHEDULE_MOST_THREADS];
    unsigned ids[PROI_SCHEDULE_MOST_THREADS], count, usual = 0;

    if (!world.ready_count)
        advance_clock();
    count = gather_ready(ready, ids);
    while (usual < count && ids[usual] <= thread->id)
        usual++;
    return ready[proi_choice(PROI_SCHEDULE_PASS, ids, count, usual % count)];
}

bool proi_schedule_sleep(const uint32_t *address, uint64_t deadline)
{
    struct proi_simthread *const thread = proi_schedule_self();

    thread->state = WAITING;
    thread->address = address;
    thread->deadline = deadline;
    thread->since = ++world.waits;
    world.ready_count--;
    token_give(thread, next_after(thread));
    return thread->in_time;
}

void proi_schedule_wake(const uint32_t *address, bool all)
{
    struct proi_simthread *waiting[PROI_SCHEDULE_MOST_THREADS];
    unsigned ids[PROI_SCHEDULE_MOST_THREADS], count = 0, longest = 0;

    for (unsigned i = 0; i < world.live_count; i++)
        if (world.live[i]->state == WAITING && world.live[i]->address == address) {
            if (all) {
                set_ready(world.live[i], true);
                continue;
            }
            waiting[count] = world.live[i];
            ids[count] = world.live[i]->id;
            if (waiting[count]->since < waiting[longest]->since)
                longest = count;
            count++;
        }
    if (count)
        set_ready(waiting[proi_choice(PROI_SCHEDULE_WAKE, ids, count, longest)], true);
}

void proi_choice_print_threads(void)
{
    for (unsigned i = 0; i < world.live_count; i++) {
        const struct proi_simthread *const thread = world.live[i];

        fprintf(stderr, "  thread %u (%s) ", thread->id, thread->name);
        if (thread->state == READY)
            fprintf(stderr, "can go on\n");
        else if (thread->deadline == UINT64_MAX)
            fprintf(stderr, "waits at %p\n", (const void *)thread->address);
        else
            fprintf(stderr, "waits at %p for %llu ns at most\n", (const void *)thread->address,
                    (unsigned long long)(thread->deadline - world.now));
    }
}
