/* SPDX-License-Identifier: MIT */
/* Falling asleep against being called: one item at a time, posted at the moment when workers are about to sleep, to
   leave, or to end a search. An item that nobody looks for stays for ever, and the watchdog ends the test. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "sync_context/pool.h"

enum { ROUNDS = 20000, SPINS = 4000 };

/* Neither side makes a system call while it goes well: the next post meets a worker that has not fallen asleep yet. If
   the processor is needed elsewhere, the poster says that it sleeps, then looks once more; the item adds, then looks
   for a sleeper: in the one order of these four, at least one side sees the other. */
static struct {
    uint32_t ran, asleep;
} counter;

static void count_up(void *unused)
{
    (void)unused;
    proi_fetch_add(&counter.ran, 1, PROI_SEQ_CST);
    if (proi_load(&counter.asleep, PROI_SEQ_CST))
        proi_wake_one(&counter.ran);
}

static void wait_for(uint32_t wanted)
{
    uint32_t ran;

    for (int spins = 0; spins < SPINS; spins++)
        if (proi_load(&counter.ran, PROI_ACQUIRE) == wanted)
            return;
    proi_store(&counter.asleep, 1, PROI_SEQ_CST);
    while ((ran = proi_load(&counter.ran, PROI_SEQ_CST)) != wanted)
        proi_wait(&counter.ran, ran, -1);
    proi_store(&counter.asleep, 0, PROI_SEQ_CST);
}

/* Busy for a random while, so that the next post hits another place of the way to sleep. */
static void linger(uint64_t *random, unsigned most)
{
    for (volatile unsigned turns = (unsigned)(test_random(random) % most); turns > 0; turns--)
        ;
}

/* The maximum is the same: there is no gate then, which would come to the rescue of a missed item. */
static void limits(unsigned threads)
{
    CHECK_EQ(pro_pool_set_max_threads(100), PRO_OK);
    CHECK_EQ(pro_pool_set_min_threads(threads), PRO_OK);
    CHECK_EQ(pro_pool_set_max_threads(threads), PRO_OK);
}

static void rounds(unsigned minimum, int64_t idle_ns, int count, unsigned most_turns)
{
    uint64_t random = test_seed();
    uint32_t sent = proi_load(&counter.ran, PROI_ACQUIRE);

    proi_pool_timing.idle_ns = idle_ns;
    limits(minimum);
    for (int i = 0; i < count; i++) {
        for (uint64_t burst = 1 + test_random(&random) % minimum; burst > 0; burst--, sent++)
            CHECK_EQ(pro_pool_post(count_up, NULL), PRO_OK);
        wait_for(sent);
        linger(&random, most_turns);
    }
}

/* The times are read by workers: none may be alive when they change. */
static void nobody_left(void)
{
    struct pro_pool_stats stats;
    uint32_t never = 0;

    for (;;) {
        pro_pool_get_stats(&stats);
        if (stats.threads == 0)
            return;
        proi_wait(&never, 0, PRO_MS(1));
    }
}

TEST(no_post_is_missed_by_one_worker_that_falls_asleep)
{
    /* Kills: sleeping without the last look; looking before one is counted as gone. */
    rounds(1, PRO_MS(20), 3 * ROUNDS, 300);
    nobody_left();
}

TEST(no_post_is_missed_by_several_workers)
{
    /* Kills: ending a search without looking on behalf of those who relied on it. */
    rounds(4, PRO_MS(20), ROUNDS, 2000);
    nobody_left();
}

TEST(no_post_is_missed_by_a_worker_that_leaves)
{
    /* Kills: a call that goes to a thread which has decided to end. */
    rounds(1, PRO_US(20), ROUNDS / 2, 200000);
    nobody_left();
}

struct pair {
    struct gate here, done;
};
static void meet(void *arg)
{
    struct pair *pair = arg;

    gate_add(&pair->here);
    gate_wait(&pair->here, 2);
    gate_add(&pair->done);
}

TEST(two_items_that_need_each_other_always_get_two_workers)
{
    /* Kills: a second post that relies on a searcher which then takes the first item and looks no further. */
    uint64_t random = test_seed();

    proi_pool_timing.idle_ns = PRO_MS(20);
    limits(2);
    for (int i = 0; i < ROUNDS / 2; i++) {
        struct pair pair = { .here = { 0 } };

        pro_pool_post(meet, &pair);
        linger(&random, 400);
        pro_pool_post(meet, &pair);
        gate_wait(&pair.done, 2);
    }
    nobody_left();
}
