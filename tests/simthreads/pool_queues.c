/* SPDX-License-Identifier: MIT */
/* The pool's queues without its workers: each item that is pushed is got by exactly one of those who take. */
#include "explore.h"

#include <proact/proact.h>

#include "sync_context/pool.h"

enum { ITEMS = 4 };

static struct {
    struct proi_pool_worker *owner, *thief;
    struct pro_work items[ITEMS];
    int got[ITEMS];
    unsigned taken; /* by those who know it: main */
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
    /* Kills: stealing without the victim's lock. */
    static void (*const parts[])(void *) = { owner_pops, thief_steals };

    begin();
    push_local(0);
    explore_together(parts, 2, NULL);
    take_rest();
    EXPECT(race.got[0] == 1);
}

EXPLORE(an_item_pushed_while_another_is_stolen_is_neither_lost_nor_got_twice, 500)
{
    /* Kills: a head that passes the tail. */
    static void (*const parts[])(void *) = { owner_pushes_and_pops, thief_steals, thief_steals };

    begin();
    push_local(0);
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
}

static void push_first(void *unused) { (void)unused, proi_pool_push_global(&race.items[0]); }
static void push_second(void *unused) { (void)unused, proi_pool_push_global(&race.items[1]); }

EXPLORE(the_global_queue_gives_each_item_once, 500)
{
    /* Kills: the global list without its lock. */
    static void (*const parts[])(void *) = { push_first, push_second, thief_steals };

    begin();
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
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
    proi_pool_push_global(&race.items[0]);
    proi_pool_push_global(&race.items[1]); /* the thief leaves one */
    explore_together(parts, 2, NULL);
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
    /* Kills: removing without the lock; a thief that trips over the hole. */
    static void (*const parts[])(void *) = { owner_takes_back, thief_steals, thief_steals };

    begin();
    push_local(0);
    push_local(1);
    explore_together(parts, 3, NULL);
    take_rest();
    EXPECT(race.got[0] == 1 && race.got[1] == 1);
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
