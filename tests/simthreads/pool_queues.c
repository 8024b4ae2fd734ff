/* SPDX-License-Identifier: MIT */
/* The pool's queues without its workers: each item that is pushed is got by exactly one of those who take. */
#include "explore.h"

#include <proact/proact.h>

#include "sync_context/pool.h"

enum { ITEMS = PROI_POOL_FIRST_SLOTS + 1 };

static struct {
    struct proi_pool_worker *owner, *thief;
    struct pro_work items[ITEMS];
    int got[ITEMS];
    uint32_t taken; /* shared */
} race;

static struct proi_pool_worker *add_worker(void)
{
    struct proi_pool_worker *const worker = proi_alloc_zeroed(sizeof *worker);

    EXPECT(worker != NULL);
    worker->next_worker = proi_pool.workers;
    proi_pool.workers = worker;
    return worker;
}

static void begin(void)
{
    proi_pool_ready();
    race.owner = add_worker();
    race.thief = add_worker();
}

static bool take(struct pro_work *work)
{
    if (work)
        race.got[work - race.items]++;
    return work != NULL;
}

static void take_rest(void)
{
    while (take(proi_pool_find(race.owner)))
        ;
}

static void push_local(unsigned index) { EXPECT(proi_pool_push_local(race.owner, &race.items[index])); }

static void owner_pops(void *unused)
{
    (void)unused;
    take(proi_pool_find(race.owner));
}

static void owner_pushes_and_pops(void *unused)
{
    (void)unused;
    push_local(1);
    take(proi_pool_find(race.owner));
}

static void thief_steals(void *unused)
{
    (void)unused;
    take(proi_pool_find(race.thief));
}

EXPLORE(owner_and_thief_never_get_the_same_item, 500)
{
    /* Kills: raising the head without comparing; an owner that does not compete for the last one. */
    static void (*const parts[])(void *) = { owner_pops, thief_steals };

    begin();
    push_local(0);
    explore_together(parts, 2, NULL);
    take_rest();
    EXPECT(race.got[0] == 1);
}

EXPLORE(an_item_pushed_while_another_is_stolen_is_neither_lost_nor_got_twice, 500)
{
    /* Kills: a head that passes the tail; two thieves without the lock; an owner that looks before its tail falls. */
    static void (*const parts[])(void *) = { owner_pushes_and_pops, thief_steals, thief_steals };

    begin();
    push_local(0);
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}

static void push_first(void *unused) { (void)unused, proi_pool_push_shared(&proi_pool.global, &race.items[0]); }
static void push_second(void *unused) { (void)unused, proi_pool_push_shared(&proi_pool.global, &race.items[1]); }
static void push_high(void *unused) { (void)unused, proi_pool_push_shared(&proi_pool.high, &race.items[2]); }

EXPLORE(the_global_queue_gives_each_item_once, 500)
{
    /* Kills: the global list without its lock. */
    static void (*const parts[])(void *) = { push_first, push_second, thief_steals };

    begin();
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}

EXPLORE(high_priority_and_global_queue_give_each_item_once, 500)
{
    /* Kills: an inbox that is emptied into the other queue's list; a pop that leaves the second queue out. */
    static void (*const parts[])(void *) = { push_first, push_high, thief_steals };

    begin();
    proi_pool_push_shared(&proi_pool.high, &race.items[1]);
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1 && race.got[2] == 1);
    EXPECT(!proi_pool_any_queued());
}

static void looks(void *unused)
{
    (void)unused;
    EXPECT(proi_pool_any_queued());
}

EXPLORE(an_item_is_seen_all_the_while_it_goes_from_the_inbox_to_the_list, 500)
{
    /* Kills: an inbox that is emptied before the count says so; a look that begins with the count. */
    static void (*const parts[])(void *) = { looks, thief_steals };

    begin();
    proi_pool_push_shared(&proi_pool.high, &race.items[0]);
    proi_pool_push_shared(&proi_pool.high, &race.items[1]); /* the thief leaves one */
    explore_together(parts, 2, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}

/* Two items in the owner's list, which @one, @other and a thief get at: each item is run once. */
static void with_two_queued(void (*one)(void *), void (*other)(void *))
{
    void (*const parts[])(void *) = { one, other, thief_steals };

    begin();
    push_local(0);
    push_local(1);
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}

static void owner_takes_back(void *unused)
{
    (void)unused;
    if (proi_pool_remove_local(race.owner, &race.items[0]))
        race.got[0]++;
}

EXPLORE(an_item_taken_out_of_the_middle_is_not_stolen_as_well, 500)
{
    /* Kills: removing without the lock; a thief that trips over the hole; a newest one that is gone already. */
    with_two_queued(owner_takes_back, thief_steals);
}

static void owner_takes_back_newest(void *unused)
{
    (void)unused;
    if (proi_pool_remove_local(race.owner, &race.items[1]))
        race.got[1]++;
}

EXPLORE(the_newest_item_is_taken_back_or_stolen_but_not_both, 500)
{
    /* Kills: taking back the newest one without competing for it. */
    with_two_queued(owner_takes_back_newest, thief_steals);
}

static void looks_at(struct pro_work *work, void *unused)
{
    (void)unused;
    EXPECT(!race.got[work - race.items]);
    proi_load(&race.taken, PROI_SEQ_CST); /* others may go on here */
    EXPECT(!race.got[work - race.items]);
}

static void reports(void *unused)
{
    (void)unused;
    proi_pool_for_each_queued(looks_at, NULL);
}

static void owner_pops_both(void *unused)
{
    owner_pops(unused);
    proi_store(&race.taken, 1, PROI_SEQ_CST);
    owner_pops(unused);
}

EXPLORE(what_a_report_looks_at_is_nobody_elses_meanwhile, 500)
{
    /* Kills: an owner that pops without asking whether somebody looks; a mark that is set after the tail was read. */
    with_two_queued(reports, owner_pops_both);
}

static void owner_pushes_one_too_many(void *unused)
{
    (void)unused;
    push_local(ITEMS - 1);
    take(proi_pool_find(race.owner));
}

EXPLORE(a_full_ring_that_grows_while_it_is_robbed_loses_nothing, 200)
{
    /* Kills: a place that looks free before it is. */
    static void (*const parts[])(void *) = { owner_pushes_one_too_many, thief_steals, thief_steals };

    begin();
    for (unsigned i = 0; i < ITEMS - 1; i++)
        push_local(i);
    explore_together(parts, 3, NULL);
    take_rest();
    for (unsigned i = 0; i < ITEMS; i++)
        EXPECT(race.got[i] == 1);
}

static void owner_flushes(void *unused) { (void)unused, proi_pool_flush_local(race.owner); }

EXPLORE(a_queue_that_is_handed_over_loses_nothing_to_thieves, 500)
{
    static void (*const parts[])(void *) = { owner_flushes, thief_steals };

    begin();
    push_local(0);
    push_local(1);
    explore_together(parts, 2, NULL);
    EXPECT(proi_pool_any_queued() == (race.got[0] + race.got[1] < 2));
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}
