/* SPDX-License-Identifier: MIT */
/* A turn of the loop is bounded: however many timers are due and however much is posted, the rest of the loop gets its
 * turn. */
#include <proact/proact.h>

#include <stdlib.h>

#include "harness.h"

enum { TIMERS = 20000, IN_A_TURN = 1024 };

static size_t fired, fired_when_posted;
static uint64_t last_ns;
static bool in_order;

static void on_fired(struct pro_op *op)
{
    const uint64_t moment_ns = (uint64_t)(uintptr_t)op->user;

    CHECK_EQ(op->result, PRO_OK);
    if (moment_ns < last_ns)
        in_order = false;
    last_ns = moment_ns;
    fired++;
}

static void note_posted(void *unused)
{
    (void)unused;
    fired_when_posted = fired;
}

TEST(twenty_thousand_timers_that_are_due_let_posted_work_through_and_fire_in_order)
{
    /* Kills: a turn that strikes everything that is due; a rest that is struck out of order or forgotten. */
    const struct pro_loop_options options = { .backend = "sim" };
    struct pro_op *const ops = calloc(TIMERS, sizeof *ops);
    struct pro_loop *loop = NULL;
    uint64_t state = test_seed();
    size_t turns = 0;

    REQUIRE(ops && pro_loop_new(&options, &loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    fired = fired_when_posted = 0;
    last_ns = 0;
    in_order = true;
    for (size_t i = 0; i < TIMERS; i++) {
        const uint64_t due_ns = 1 + test_random(&state) % 1000; /* all but at once: the clock stands still meanwhile */

        ops[i].user = (void *)(uintptr_t)due_ns;
        CHECK_EQ(pro_then(pro_sleep_until(&ops[i], loop, pro_loop_now(loop) + due_ns, PRO_HOW_DEFAULT), on_fired),
                 PRO_OK);
    }
    while (fired == 0)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK(fired <= IN_A_TURN);
    CHECK_EQ(pro_loop_post(loop, note_posted, NULL), PRO_OK);
    while (fired < TIMERS && turns++ < TIMERS)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(fired, TIMERS);
    CHECK(in_order);
    CHECK(fired_when_posted > 0 && fired_when_posted <= 2 * IN_A_TURN);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    free(ops);
}

static size_t canceled;

static void on_canceled(struct pro_op *op)
{
    CHECK_EQ(op->result, PRO_E_LOOP_CLOSED);
    canceled++;
}

TEST(sleeps_that_a_loop_still_has_when_it_is_freed_end_with_it)
{
    /* Kills: a drain that does not look into the wheel, or that loses its place there. */
    static const int64_t durations_ns[] = {
        1, PRO_MS(1), PRO_MS(50), PRO_MS(900), PRO_S(40), PRO_S(4000), PRO_S(400000)
    };
    enum { COUNT = sizeof durations_ns / sizeof *durations_ns };
    const struct pro_loop_options options = { .backend = "sim" };
    struct pro_op ops[2 * COUNT];
    struct pro_loop *loop = NULL;

    memset(ops, 0, sizeof ops);
    canceled = 0;
    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    for (size_t i = 0; i < 2 * COUNT; i++)
        CHECK_EQ(pro_then(pro_sleep(&ops[i], loop, durations_ns[i % COUNT], PRO_HOW_DEFAULT), on_canceled), PRO_OK);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    CHECK_EQ(canceled, 2 * COUNT);
}
