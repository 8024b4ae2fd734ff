/* SPDX-License-Identifier: MIT */
/* A task's continuations: each one that is added runs exactly once, whoever completes the task and when; one that is
   taken back never runs. */
#include "explore.h"

#include "awaiters/internal.h"

#include <proact/proact.h>

static struct {
    struct pro_completion_source *source;
    struct pro_task *task;
    struct counted {
        struct pro_continuation continuation;
        int runs;
    } counted[4];
    bool removed;
} race;

static void count(struct pro_continuation *continuation)
{
    struct counted *const counted = PRO_CONTAINER(continuation, struct counted, continuation);

    EXPECT(pro_task_is_completed(race.task));
    counted->runs++;
}

static void begin(void)
{
    EXPECT(pro_completion_source_new(PRO_NO_RESULT, 0, &race.source) == PRO_OK);
    race.task = pro_completion_source_task(race.source);
    for (unsigned i = 0; i < sizeof race.counted / sizeof *race.counted; i++)
        proi_continuation_make(&race.counted[i].continuation, count, PROI_CONTINUATION_ACTION);
}

static void add(unsigned index)
{
    struct pro_continuation *const continuation = &race.counted[index].continuation;

    if (!proi_task_add(race.task, continuation))
        proi_continuation_invoke(continuation); /* it is complete: who adds runs it */
}

static void complete(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_try_set_result(race.source, NULL, PRO_NO_RESULT) == PRO_OK);
}

static void add_first(void *unused) { (void)unused, add(0); }
static void add_second(void *unused) { (void)unused, add(1); }
static void add_two(void *unused) { (void)unused, add(2), add(3); }

EXPLORE(the_first_continuation_and_the_completion_never_miss_each_other, 300)
{
    /* Kills: putting the first one into the slot by a load and a store. */
    static void (*const parts[])(void *) = { add_first, complete };

    begin();
    explore_together(parts, 2, NULL);
    EXPECT(race.counted[0].runs == 1);
}

EXPLORE(continuations_that_several_threads_add_during_the_completion_run_once_each, 500)
{
    /* Kills: marking the slot MANY without looking whether it was completed meanwhile; a list without its lock. */
    static void (*const parts[])(void *) = { add_first, add_second, complete };

    begin();
    explore_together(parts, 3, NULL);
    EXPECT(race.counted[0].runs == 1);
    EXPECT(race.counted[1].runs == 1);
}

EXPLORE(a_list_that_grows_while_it_is_taken_loses_nothing, 500)
{
    /* Kills: taking the list before the slot. */
    static void (*const parts[])(void *) = { add_two, complete };

    begin();
    add(0);
    explore_together(parts, 2, NULL);
    EXPECT(race.counted[0].runs == 1 && race.counted[2].runs == 1 && race.counted[3].runs == 1);
}

static void remove_first(void *unused)
{
    (void)unused;
    race.removed = proi_task_remove(race.task, &race.counted[0].continuation);
}

EXPLORE(a_continuation_that_is_taken_back_runs_if_and_only_if_that_came_too_late, 500)
{
    /* Kills: taking it out of the slot without an exchange; looking through the list without its lock. */
    static void (*const parts[])(void *) = { remove_first, complete, add_second };

    begin();
    add(0);
    explore_together(parts, 3, NULL);
    EXPECT(race.counted[0].runs == !race.removed);
    EXPECT(race.counted[1].runs == 1);
}

static void wait_for_it(void *unused)
{
    (void)unused;
    EXPECT(pro_task_wait(race.task, PRO_HOW_DEFAULT, NULL, PRO_HERE) == PRO_OK);
    EXPECT(pro_task_is_completed(race.task));
}

EXPLORE(a_blocked_thread_is_woken_by_the_completion, 500)
{
    /* Kills: a waiter that sleeps although it could not be added. A lost wake-up is a deadlock here. */
    static void (*const parts[])(void *) = { wait_for_it, complete };

    begin();
    explore_together(parts, 2, NULL);
}
