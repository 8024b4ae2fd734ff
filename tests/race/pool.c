/* SPDX-License-Identifier: MIT */
/* The pool under stress, with a seed: items that post items, from many threads, into all queues, with blocking, taking
   back and changing limits in between. Each item runs exactly once. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "sync_context/pool.h"

enum { POSTERS = 4, ROOTS = 400, CHILDREN = 12, ITEMS = POSTERS * ROOTS * (CHILDREN + 1) };

struct item {
    struct pro_work work;
    struct stress *stress;
    uint64_t random;
    uint32_t runs; /* shared */
};
struct stress {
    struct item items[ITEMS];
    struct gate done;
    uint32_t posters;
    uint64_t seed;
};
static struct stress stress;

__attribute__((constructor)) static void shorten_times(void)
{
    proi_pool_timing.idle_ns = PRO_MS(2); /* so that threads come and go while it runs */
    proi_pool_timing.gate_ns = PRO_MS(5);
    proi_pool_timing.step_ns = PRO_MS(1);
    proi_pool_timing.step_limit_ns = PRO_MS(3);
}

static void item_ends(struct item *item)
{
    CHECK_EQ(proi_fetch_add(&item->runs, 1, PROI_RELAXED), 0);
    gate_add(&item->stress->done);
}

static void child_run(struct pro_work *work)
{
    struct item *item = PRO_CONTAINER(work, struct item, work);

    if (test_random(&item->random) % 16 == 0) {
        uint32_t never = 0;

        proi_pool_blocking_begin();
        proi_wait(&never, 0, PRO_US(test_random(&item->random) % 200));
        proi_pool_blocking_end();
    }
    item_ends(item);
}

static void root_run(struct pro_work *work)
{
    struct item *root = PRO_CONTAINER(work, struct item, work);

    for (int i = 1; i <= CHILDREN; i++) {
        struct item *child = root + i;
        const uint64_t random = test_random(&root->random);

        child->stress = root->stress;
        child->random = random;
        child->work.run = child_run;
        proi_pool_post(&child->work, random % 4 ? PROI_POOL_LOCAL : PROI_POOL_GLOBAL); /* its own from here on */
        if (random % 8 == 1 && proi_pool_take_local(&child->work))
            pro_work_run(&child->work);
    }
    item_ends(root);
}

static void poster(void *arg)
{
    struct stress *all = arg;
    uint32_t number = proi_fetch_add(&all->posters, 1, PROI_RELAXED);
    uint64_t random = all->seed + number;

    for (uint32_t i = 0; i < ROOTS; i++) {
        struct item *root = &all->items[(number * ROOTS + i) * (CHILDREN + 1)];

        root->stress = all;
        root->random = test_random(&random);
        root->work.run = root_run;
        pro_pool_post_work(&root->work, false);
        if (random % 64 == 0)
            CHECK_EQ(pro_pool_set_min_threads(1 + (unsigned)(random >> 8) % 6), PRO_OK);
        if (random % 32 == 0) {
            uint32_t never = 0;

            proi_wait(&never, 0, PRO_MS(3)); /* lets workers fall asleep, and leave */
        }
    }
}

TEST(each_item_runs_exactly_once_whatever_the_queue_and_however_threads_come_and_go)
{
    /* Kills: a lost wake-up (the watchdog ends it); an item taken twice by thief and owner. */
    struct proi_thread threads[POSTERS];

    stress = (struct stress){ .seed = test_seed() };
    for (int i = 0; i < POSTERS; i++)
        REQUIRE(proi_thread_start(&threads[i], "poster", poster, &stress, 0) == PRO_OK);
    for (int i = 0; i < POSTERS; i++)
        proi_thread_join(&threads[i]);
    gate_wait(&stress.done, ITEMS);
    for (int i = 0; i < ITEMS; i++)
        CHECK_EQ(proi_load(&stress.items[i].runs, PROI_RELAXED), 1);
}

TEST(posting_while_no_thread_can_be_started_loses_nothing)
{
    /* Kills: a poster that relies on a searcher which is never started. */
    struct proi_thread threads[POSTERS];
    uint64_t random = test_seed();

    stress = (struct stress){ .seed = test_seed() + 1 };
    pro_set_notice_handler(NULL, NULL);
    for (int i = 0; i < POSTERS; i++)
        REQUIRE(proi_thread_start(&threads[i], "poster", poster, &stress, 0) == PRO_OK);
    for (int i = 0; i < 50; i++) {
        uint32_t never = 0;

        pro_set_thread_limit((int)(test_random(&random) % 8)); /* posters and workers count */
        proi_wait(&never, 0, PRO_US(300));
    }
    for (int i = 0; i < POSTERS; i++)
        proi_thread_join(&threads[i]);
    gate_wait(&stress.done, ITEMS);
    pro_set_thread_limit(-1);
    for (int i = 0; i < ITEMS; i++)
        CHECK_EQ(proi_load(&stress.items[i].runs, PROI_RELAXED), 1);
}

/* ---- the ring of a worker's own queue ---- */
enum { ROUNDS = 40, BURST = 300 };

struct burst {
    struct pro_work work;
    struct item items[BURST];
    struct gate begun, done;
};
static struct burst burst;

static void burst_item_run(struct pro_work *work)
{
    CHECK_EQ(proi_fetch_add(&PRO_CONTAINER(work, struct item, work)->runs, 1, PROI_RELAXED), 0);
    gate_add(&burst.done);
}

/* From the middle, from the end, and what lies in between is left to thieves and, afterwards, to the owner. */
static void burst_run(struct pro_work *work)
{
    (void)work;
    gate_add(&burst.begun);
    for (int i = 0; i < BURST; i++) {
        burst.items[i].work.run = burst_item_run;
        proi_pool_post(&burst.items[i].work, PROI_POOL_LOCAL);
        if (i % 7 == 3 && proi_pool_take_local(&burst.items[i - i % 3].work))
            burst_item_run(&burst.items[i - i % 3].work);
    }
    gate_add(&burst.done);
}

static void look(struct pro_work *work, void *count)
{
    if (work->run == burst_item_run) /* a plain read: nobody runs or changes it meanwhile */
        ++*(uint32_t *)count;
}

TEST(a_ring_that_grows_while_it_is_robbed_and_looked_at_keeps_each_item)
{
    /* Kills: copying the ring without the lock; a report that looks at what its owner has taken. */
    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t seen = 0;

        burst = (struct burst){ .work = { .run = burst_run } };
        CHECK_EQ(pro_pool_post_work(&burst.work, false), PRO_OK);
        gate_wait(&burst.begun, 1);
        while (gate_count(&burst.done) <= BURST)
            proi_pool_for_each_queued(look, &seen);
        for (int i = 0; i < BURST; i++)
            CHECK_EQ(proi_load(&burst.items[i].runs, PROI_RELAXED), 1);
    }
}
