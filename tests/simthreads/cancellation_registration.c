/* SPDX-License-Identifier: MIT */
/* Registering against cancelling: the callback runs once; whoever has unregistered and waited may free what it uses. */
#include "explore.h"

#include "awaiters/cancellation.h"

#include <proact/proact.h>

static struct {
    struct pro_cancellation_source *source;
    struct pro_cancellation_registration registrations[2];
    int runs[2];
    uint32_t inside; /* shared */
    bool removed;
} race;

static void callback(void *arg)
{
    int *const runs = arg;

    EXPECT(pro_cancellation_token_is_canceled(pro_cancellation_source_token(race.source)));
    proi_store(&race.inside, 1u, PROI_RELEASE);
    ++*runs;
    proi_store(&race.inside, 0u, PROI_RELEASE);
}

static void add(unsigned index)
{
    EXPECT(pro_cancellation_register(pro_cancellation_source_token(race.source), &race.registrations[index], callback,
                                     &race.runs[index]) == PRO_OK);
}

static void begin(void) { EXPECT(pro_cancellation_source_new(&race.source) == PRO_OK); }
static void add_first(void *unused) { (void)unused, add(0); }
static void add_second(void *unused) { (void)unused, add(1); }

static void cancel(void *unused)
{
    (void)unused;
    EXPECT(pro_cancellation_source_cancel(race.source) == PRO_OK);
}

EXPLORE(a_callback_registered_during_the_cancellation_runs_exactly_once, 500)
{
    /* Kills: looking at the level before the lock is taken. */
    static void (*const parts[])(void *) = { add_first, cancel, add_second };

    begin();
    explore_together(parts, 3, NULL);
    EXPECT(race.runs[0] == 1 && race.runs[1] == 1);
    pro_cancellation_source_unref(race.source);
}

EXPLORE(of_two_cancellations_one_runs_the_callbacks, 300)
{
    /* Kills: raising the level outside the lock. */
    static void (*const parts[])(void *) = { cancel, cancel };

    begin();
    add(0);
    add(1);
    explore_together(parts, 2, NULL);
    EXPECT(race.runs[0] == 1 && race.runs[1] == 1);
    pro_cancellation_source_unref(race.source);
}

static void take_back(void *unused)
{
    (void)unused;
    race.removed = pro_cancellation_unregister_wait(&race.registrations[0]);
    EXPECT(proi_load(&race.inside, PROI_ACQUIRE) == 0);
    EXPECT(race.runs[0] == !race.removed); /* it has returned, or will never be called */
}

EXPLORE(after_unregister_wait_the_callback_has_returned_or_never_runs, 500)
{
    /* Kills: returning while the callback runs; a wait that nobody wakes, which is a deadlock here. */
    static void (*const parts[])(void *) = { take_back, cancel };

    begin();
    add(0);
    explore_together(parts, 2, NULL);
    EXPECT(race.runs[0] == !race.removed);
    pro_cancellation_source_unref(race.source);
}

static void drop(void *unused) { (void)unused, pro_cancellation_source_unref(race.source); }

EXPLORE(a_source_may_be_dropped_while_it_is_cancelled_and_linked, 300)
{
    /* Kills: a parent's callback that touches a child whose last reference is gone. */
    static void (*const parts[])(void *) = { cancel, drop };
    struct pro_cancellation_source *parent;
    struct pro_cancellation_token token;

    begin();
    parent = race.source;
    token = pro_cancellation_source_token(parent);
    EXPECT(pro_cancellation_source_new_linked(&token, 1, &race.source) == PRO_OK);
    add(0);
    pro_cancellation_source_ref(race.source);
    explore_together(parts, 2, NULL);
    EXPECT(race.runs[0] == 1);
    pro_cancellation_source_cancel(parent);
    EXPECT(race.runs[0] == 1);
    pro_cancellation_source_unref(race.source);
    pro_cancellation_source_unref(parent);
}

static struct pro_cancellation_source *linked_parent;

static void cancel_parent(void *unused) { (void)unused, pro_cancellation_source_cancel(linked_parent); }

EXPLORE(a_linked_source_is_freed_while_its_parent_is_cancelled, 300)
{
    /* Kills: counting up a reference from 0. */
    static void (*const parts[])(void *) = { cancel_parent, drop };
    struct pro_cancellation_token token;

    begin();
    linked_parent = race.source;
    token = pro_cancellation_source_token(linked_parent);
    EXPECT(pro_cancellation_source_new_linked(&token, 1, &race.source) == PRO_OK);
    explore_together(parts, 2, NULL);
    pro_cancellation_source_unref(linked_parent);
}

static void drop_and_go_on_with_the_next(void *unused)
{
    drop(unused);
    begin(); /* in the same memory */
    add(1);
    cancel(unused);
}

static void take_back_late(void *unused) { (void)unused, pro_cancellation_unregister_wait(&race.registrations[0]); }

EXPLORE(a_registration_left_over_does_nothing_to_the_next_source, 300)
{
    /* Kills: keeping the lock of a source that, once it is locked, turns out to be another. */
    static void (*const parts[])(void *) = { drop_and_go_on_with_the_next, take_back_late };

    begin();
    add(0);
    explore_together(parts, 2, NULL);
    EXPECT(race.runs[0] == 0 && race.runs[1] == 1);
    EXPECT(race.source->lock.word == 0);
    pro_cancellation_source_unref(race.source);
}
