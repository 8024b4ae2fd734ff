/* SPDX-License-Identifier: MIT */
/* Registrations that come and go while their source is cancelled, by hand, by its parent or by its timer, and while
   everybody lets go of it. A callback runs at most once; after unregister_wait it has run or never will, and its memory
   may go. */
#include <proact/proact.h>

#include <stdlib.h>

#include "gate.h"
#include "race/team.h"

enum { REGISTRARS = 3, CANCELLER = REGISTRARS, MEMBERS = REGISTRARS + 1, ROUNDS = 3000, EACH = 8 };

enum cancel_by { BY_HAND, BY_PARENT, BY_TIMER, CANCEL_WAYS };

struct listener {
    struct pro_cancellation_registration registration;
    bool gives_way;       /* inside the callback: others meet it while it runs */
    uint32_t runs, ended; /* shared */
};

static struct {
    enum cancel_by by;
    struct pro_cancellation_source *parent, *sources[MEMBERS]; /* one source, a reference for each */
    struct listener kept[REGISTRARS];                          /* registered in the round, looked at after it */
} now;

static void hear(void *arg)
{
    struct listener *const listener = arg;

    const uint32_t never = 0;

    CHECK_EQ(proi_fetch_add(&listener->runs, 1u, PROI_RELAXED), 0);
    if (listener->gives_way)
        proi_wait(&never, 0, PRO_US(1));
    proi_store(&listener->ended, 1u, PROI_RELEASE);
    proi_wake_all(&listener->ended);
}

static void prepare(unsigned round)
{
    struct pro_cancellation_token of_parent;

    memset(&now, 0, sizeof now);
    now.by = (enum cancel_by)(round % CANCEL_WAYS);
    REQUIRE(pro_cancellation_source_new(&now.parent) == PRO_OK);
    of_parent = pro_cancellation_source_token(now.parent);
    REQUIRE(pro_cancellation_source_new_linked(&of_parent, 1, &now.sources[0]) == PRO_OK);
    for (unsigned i = 1; i < MEMBERS; i++)
        now.sources[i] = pro_cancellation_source_ref(now.sources[0]);
}

/* Its memory goes as soon as unregister_wait allows: a checker of memory sees who still uses it. */
static void come_and_go(struct team_member *member, struct pro_cancellation_token token)
{
    struct listener *const listener = calloc(1, sizeof *listener);

    if (!listener) {
        CHECK(listener);
        return;
    }
    listener->gives_way = test_random(&member->random) % 4 == 0;
    CHECK_EQ(pro_cancellation_register(token, &listener->registration, hear, listener), PRO_OK);
    team_linger(member, 300);
    if (pro_cancellation_unregister_wait(&listener->registration))
        CHECK_EQ(proi_load(&listener->runs, PROI_RELAXED), 0);
    else
        CHECK(proi_load(&listener->ended, PROI_ACQUIRE));
    free(listener);
}

/* Without waiting: when it was not removed in time it runs, or has run, and the memory must stay until it has. */
static void come_and_leave(struct team_member *member, struct pro_cancellation_token token)
{
    struct listener listener = { .gives_way = test_random(&member->random) % 4 == 0 };

    CHECK_EQ(pro_cancellation_register(token, &listener.registration, hear, &listener), PRO_OK);
    team_linger(member, 300);
    if (pro_cancellation_unregister(&listener.registration)) {
        CHECK_EQ(proi_load(&listener.runs, PROI_RELAXED), 0);
        return;
    }
    while (!proi_load(&listener.ended, PROI_ACQUIRE))
        proi_wait(&listener.ended, 0, -1);
    pro_cancellation_unregister_wait(&listener.registration); /* the callback has returned now */
    CHECK_EQ(proi_load(&listener.runs, PROI_RELAXED), 1);
}

static void cancel(struct team_member *member)
{
    team_linger(member, 3000);
    if (now.by == BY_HAND)
        CHECK_EQ(pro_cancellation_source_cancel(now.sources[member->number]), PRO_OK);
    else if (now.by == BY_PARENT)
        CHECK_EQ(pro_cancellation_source_cancel(now.parent), PRO_OK);
    else
        CHECK_EQ(pro_cancellation_source_cancel_after(now.sources[member->number],
                                                      PRO_US(1 + test_random(&member->random) % 60)),
                 PRO_OK);
}

/* Registered before all others, so that it is called last, and while it is called its owner, done with the rest, comes
   to take it back; or it stays, and hears of the cancellation sooner or later. */
static void keep_one(struct team_member *member, struct pro_cancellation_token token, bool stays)
{
    struct listener *const kept = &now.kept[member->number];

    kept->gives_way = true;
    CHECK_EQ(pro_cancellation_register(token, &kept->registration, hear, kept), PRO_OK);
    for (unsigned i = 0; i < EACH; i++)
        (test_random(&member->random) % 2 ? come_and_go : come_and_leave)(member, token);
    while (stays && !proi_load(&kept->ended, PROI_ACQUIRE))
        proi_wait(&kept->ended, 0, -1);
    if (pro_cancellation_unregister_wait(&kept->registration))
        CHECK(!stays && !proi_load(&kept->runs, PROI_RELAXED));
    else
        CHECK(proi_load(&kept->ended, PROI_ACQUIRE) && pro_cancellation_token_is_canceled(token));
}

static void member_round(struct team_member *member, unsigned round)
{
    struct pro_cancellation_source *const source = now.sources[member->number];

    if (member->number == CANCELLER)
        cancel(member);
    else
        keep_one(member, pro_cancellation_source_token(source), round % 2);
    if (member->number == 0 && now.by == BY_TIMER) /* moves the moment, or comes too late */
        CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_US(1)), PRO_OK);
    pro_cancellation_source_unref(source);
}

static void check(unsigned round)
{
    for (unsigned i = 0; i < REGISTRARS; i++)
        CHECK(proi_load(&now.kept[i].runs, PROI_RELAXED) == 1 || round % 2 == 0);
    pro_cancellation_source_unref(now.parent);
}

TEST(callbacks_run_once_while_registrations_come_and_go)
{
    /* Kills: freeing under a running callback; a registration that falls between the level and the list. */
    static struct team team = {
        .size = MEMBERS, .rounds = ROUNDS, .round = member_round, .prepare = prepare, .check = check
    };

    team_run(&team);
}

/* ---- sources that go while their timer runs ---- */

static void start_and_drop(struct team_member *member, unsigned round)
{
    struct pro_cancellation_source *const source = now.sources[member->number];

    (void)round;
    team_linger(member, 500);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_US(1 + test_random(&member->random) % 100)), PRO_OK);
    team_linger(member, 500);
    if (test_random(&member->random) % 3 == 0)
        CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_INFINITE), PRO_OK);
    else if (test_random(&member->random) % 3 == 0)
        CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    pro_cancellation_source_unref(source);
}

static void let_go_of_parent(unsigned round)
{
    (void)round;
    pro_cancellation_source_unref(now.parent);
}

TEST(a_timer_and_its_source_may_go_in_any_order)
{
    /* Kills: a timer that strikes a source which is gone, or is stopped before it was started. */
    static struct team team = {
        .size = MEMBERS, .rounds = ROUNDS, .round = start_and_drop, .prepare = prepare, .check = let_go_of_parent
    };

    team_run(&team);
}
