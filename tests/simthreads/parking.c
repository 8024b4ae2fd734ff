/* SPDX-License-Identifier: MIT */
/* Falling asleep against being called: an item that nobody looks for stays for ever, and all threads wait: a deadlock.
   Minimum and maximum are the same, so that there is no gate that would come to the rescue. */
#include "explore.h"

#include <proact/proact.h>

#include "sync_context/pool.h"

static struct {
    uint32_t ran; /* shared */
    struct pro_work items[3];
} race;

static void count_up(struct pro_work *unused)
{
    (void)unused;
    proi_fetch_add(&race.ran, 1u, PROI_SEQ_CST);
    proi_wake_all(&race.ran);
}

static void wait_for(uint32_t wanted)
{
    uint32_t ran;

    while ((ran = proi_load(&race.ran, PROI_SEQ_CST)) < wanted)
        proi_wait(&race.ran, ran, -1);
}

static void begin(unsigned threads)
{
    EXPECT(pro_pool_set_max_threads(100) == PRO_OK);
    EXPECT(pro_pool_set_min_threads(threads) == PRO_OK);
    EXPECT(pro_pool_set_max_threads(threads) == PRO_OK);
}

/* Items of the program's own: memory would only add steps that are not the subject. */
static void post_item(unsigned index, void (*run)(struct pro_work *work))
{
    race.items[index].run = run;
    EXPECT(pro_pool_post_work(&race.items[index], false) == PRO_OK);
}
static void post(unsigned index) { post_item(index, count_up); }

EXPLORE(an_item_posted_while_the_only_worker_falls_asleep_is_run, 500)
{
    /* Kills: sleeping without the last look; looking before one is counted as gone. */
    begin(1);
    post(0);
    wait_for(1);
    post(1);
    wait_for(2);
}

/* Time passes only when all wait: afterwards the workers sleep. */
static void until_all_sleep(void)
{
    const uint32_t never = 0;

    proi_wait(&never, 0, PRO_MS(1));
}

static void post_second(void *unused) { (void)unused, post(1); }
static void post_third(void *unused) { (void)unused, post(2); }

EXPLORE(items_posted_by_two_threads_to_a_sleeper_are_run, 500)
{
    /* Kills: a poster that relies on a searcher which has found its item already. */
    static void (*const parts[])(void *) = { post_second, post_third };

    begin(1);
    post(0);
    wait_for(1);
    until_all_sleep();
    explore_together(parts, 2, NULL);
    wait_for(3);
}

EXPLORE(an_item_posted_at_the_moment_when_the_worker_leaves_is_run, 500)
{
    /* Kills: a call that goes to a thread which has decided to end. */
    const uint32_t never = 0;

    proi_pool_timing.idle_ns = PRO_MS(20);
    begin(1);
    post(0);
    wait_for(1);
    proi_wait(&never, 0, PRO_MS(20)); /* the same moment */
    post(1);
    wait_for(2);
}

static void meet(struct pro_work *work)
{
    count_up(work);
    wait_for(2);
}

EXPLORE(two_items_that_need_each_other_get_two_workers, 500)
{
    /* Kills: ending a search without looking on behalf of those who relied on it. */
    begin(2);
    post_item(0, meet);
    post_item(1, meet);
    wait_for(2);
}

EXPLORE(two_items_posted_where_no_thread_can_be_started_are_both_run, 500)
{
    /* Kills: an item left to a thread that is never started, when its starter has looked before it says so. */
    static void (*const parts[])(void *) = { post_second, post_third };

    begin(2);
    pro_set_notice_handler(NULL, NULL);
    pro_set_thread_limit(1); /* the other part's */
    explore_together(parts, 2, NULL);
    wait_for(2);
}
