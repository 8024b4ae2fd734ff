/* SPDX-License-Identifier: MIT */
/* The threads for blocking calls: items put from two sides, threads that start, and a backend that closes. */
#include "explore.h"

#include "offload.h"

enum { ITEMS = 2 };

static struct {
    struct proi_offload items[ITEMS];
    uint32_t runs[ITEMS], ran; /* shared */
} race;

static void count_up(struct proi_offload *item)
{
    proi_fetch_add(&race.runs[item - race.items], 1u, PROI_RELAXED);
    proi_fetch_add(&race.ran, 1u, PROI_RELEASE);
    proi_wake_all(&race.ran);
}

static void put(unsigned index)
{
    race.items[index].run = count_up;
    proi_offload(&race.items[index]);
}

/* Simulated time passes only when all wait: an item that waited for an idle thread's time to be up was forgotten. */
static void wait_for_all(void)
{
    const uint64_t begin = proi_now();
    uint32_t ran;

    while ((ran = proi_load(&race.ran, PROI_ACQUIRE)) < ITEMS)
        proi_wait(&race.ran, ran, -1);
    EXPECT(proi_now() - begin < (uint64_t)PRO_S(1));
    for (unsigned i = 0; i < ITEMS; i++)
        EXPECT(race.runs[i] == 1);
}

static void put_first(void *unused) { (void)unused, put(0); }
static void put_second(void *unused) { (void)unused, put(1); }

EXPLORE(items_put_from_two_sides_run_once_each, 500)
{
    /* Kills: counting on a thread that sleeps without waking it. */
    static void (*const parts[])(void *) = { put_first, put_second };

    explore_together(parts, 2, NULL);
    wait_for_all();
}

EXPLORE(settling_waits_for_threads_that_are_starting, 500)
{
    /* Kills: settling that returns at once; a start that is counted by the thread and not by who starts it. */
    put(0);
    proi_offload_settle();
    EXPECT(proi_offload_starting() == 0);
    put(1);
    wait_for_all();
}
