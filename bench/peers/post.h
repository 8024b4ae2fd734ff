/* SPDX-License-Identifier: MIT */
/* The plan of ../post.c for a loop that knows only "run everything that has come" and "wake up": who includes this has
 * peer_open, peer_run (until peer_stop) and peer_wake. Items go through a stack that the loop takes whole. */
#ifndef PROACT_BENCH_PEERS_POST_H
#define PROACT_BENCH_PEERS_POST_H

#include "../measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

struct item {
    struct item *next;
    void (*run)(struct item *item);
    uint64_t *done;
};

struct peer;
static struct peer *peer_open(void);
static void peer_run(struct peer *peer);
static void peer_stop(struct peer *peer); /* on its thread */
static void peer_wake(struct peer *peer); /* on any */
static struct item **peer_inbox(struct peer *peer);

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pin(int processor)
{
    cpu_set_t set;

    if (getenv("POST_ONE_CPU"))
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* Only who finds the stack empty wakes: the loop takes it whole. */
static void post(struct peer *peer, struct item *item)
{
    struct item **const inbox = peer_inbox(peer);
    struct item *head = __atomic_load_n(inbox, __ATOMIC_RELAXED);

    do
        item->next = head;
    while (!__atomic_compare_exchange_n(inbox, &head, item, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (!head)
        peer_wake(peer);
}

static void run_posted(struct peer *peer)
{
    struct item *item = __atomic_exchange_n(peer_inbox(peer), NULL, __ATOMIC_SEQ_CST), *next, *first = NULL;

    for (; item; item = next) {
        next = item->next;
        item->next = first;
        first = item;
    }
    for (; first; first = next) {
        next = first->next;
        first->run(first);
    }
}

static pthread_barrier_t ready;
static struct peer *here, *there;
static uint64_t rounds, end_ns;
static bool ended;

static void stop_there(struct item *item)
{
    (void)item;
    peer_stop(there);
}
static void at_there(struct item *item);
static void at_here(struct item *item)
{
    rounds++;
    item->run = at_there;
    if (now_ns() >= end_ns) {
        item->run = stop_there;
        peer_stop(here);
    }
    post(there, item);
}
static void at_there(struct item *item)
{
    item->run = at_here;
    post(here, item);
}

static void *serve_there(void *unused)
{
    (void)unused;
    pin(1);
    there = peer_open();
    pthread_barrier_wait(&ready);
    peer_run(there);
    return NULL;
}

static void pingpong(double seconds)
{
    struct item ball = { .run = at_there };
    pthread_t thread;
    uint64_t start_ns;
    double used_ns;

    pthread_barrier_init(&ready, NULL, 2);
    pthread_create(&thread, NULL, serve_there, NULL);
    pthread_barrier_wait(&ready);
    start_ns = now_ns();
    used_ns = cpu_ns();
    end_ns = start_ns + (uint64_t)(seconds * 1e9);
    post(there, &ball);
    peer_run(here);
    start_ns = now_ns() - start_ns;
    used_ns = cpu_ns() - used_ns;
    pthread_join(thread, NULL);
    printf("{\"rtt_ns\":%.0f,\"cpu_ns_per_rtt\":%.0f}\n", (double)start_ns / (double)rounds, used_ns / (double)rounds);
}

enum { WINDOW = 4096, PRODUCERS_MOST = 64 };
static struct {
    _Alignas(64) uint64_t done;
} producers[PRODUCERS_MOST];
static uint64_t executed;

static void count_item(struct item *item)
{
    __atomic_store_n(item->done, *item->done + 1, __ATOMIC_RELEASE);
    if ((++executed & 1023) == 0 && now_ns() >= end_ns) {
        __atomic_store_n(&ended, true, __ATOMIC_RELAXED);
        peer_stop(here);
    }
}

static void *produce(void *arg)
{
    uint64_t *const done = arg, posted = 0;
    struct item *const items = calloc(WINDOW, sizeof *items);

    pin(1);
    pthread_barrier_wait(&ready);
    while (items && !__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
        if (posted - __atomic_load_n(done, __ATOMIC_ACQUIRE) >= WINDOW) {
            sched_yield();
            continue;
        }
        items[posted % WINDOW] = (struct item){ .run = count_item, .done = done };
        post(here, &items[posted++ % WINDOW]);
    }
    return NULL;
}

static void flood(int count, double seconds)
{
    pthread_t threads[PRODUCERS_MOST];
    uint64_t start_ns;
    double used_ns;

    pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, produce, &producers[i].done);
    start_ns = now_ns();
    end_ns = start_ns + (uint64_t)(seconds * 1e9);
    pthread_barrier_wait(&ready);
    used_ns = cpu_ns();
    peer_run(here);
    start_ns = now_ns() - start_ns;
    printf("{\"posts_per_s\":%.0f,\"cpu_ns_per_post\":%.1f}\n", (double)executed / ((double)start_ns / 1e9),
           (cpu_ns() - used_ns) / (double)executed);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static int post_main(int count, char **arguments)
{
    pin(0);
    here = peer_open();
    if (count == 3 && strcmp(arguments[1], "pingpong") == 0)
        pingpong(atof(arguments[2]));
    else if (count == 4 && strcmp(arguments[1], "flood") == 0 && atoi(arguments[2]) > 0 &&
             atoi(arguments[2]) <= PRODUCERS_MOST)
        flood(atoi(arguments[2]), atof(arguments[3]));
    else
        return 2;
    return 0;
}

#endif
