/* SPDX-License-Identifier: MIT */
/* A loop with a thousand busy connections, in turns that are counted: no turn is longer than its bound, and nothing
 * that is due waits for more than one of them. On every backend. */
#include <proact/proact.h>

#include <stdlib.h>

#include "loops.h"
#include "proactor/internal.h"

enum { BUSY = 1000, TURNS = 400, IN_A_TURN = PROI_TURN + 2 /* a timer, something posted */, PERIOD_TURNS = 20 };

static struct {
    struct pro_loop *loop;
    struct pro_op *ops;
    unsigned *times;
    unsigned delivered, least, most; /* least and most of times */
    bool stop;
} busy;

/* Each is always with the kernel, and is over in the next turn: a connection whose peer never pauses. */
static void busy_again(struct pro_op *op)
{
    busy.times[op - busy.ops]++;
    busy.delivered++;
    if (!busy.stop)
        CHECK_EQ(pro_then(pro_nop(op, busy.loop, PRO_HOW_DEFAULT), busy_again), PRO_OK);
}

static void busy_begin(const char *backend)
{
    busy.loop = loop_on(backend, "busy", false);
    busy.ops = calloc(BUSY, sizeof *busy.ops);
    busy.times = calloc(BUSY, sizeof *busy.times);
    busy.delivered = 0;
    busy.stop = false;
    REQUIRE(busy.ops && busy.times);
    for (unsigned i = 0; i < BUSY; i++)
        REQUIRE(pro_then(pro_nop(&busy.ops[i], busy.loop, PRO_HOW_DEFAULT), busy_again) == PRO_OK);
}

/* One turn: is it within its bound? */
static void busy_turn(void)
{
    const int count = pro_loop_run_once(busy.loop, 0);

    REQUIRE(count >= 0);
    CHECK(count <= IN_A_TURN);
}

static void busy_end(void)
{
    busy.stop = true;
    CHECK_EQ(pro_loop_run(busy.loop), PRO_OK);
    loop_end(busy.loop);
    free(busy.ops);
    free(busy.times);
}

static void on_each_backend(void (*test)(void))
{
    for (const char *const *backend = test_backends(); *backend; backend++) {
        busy_begin(*backend);
        test();
        busy_end();
    }
}

static bool is_simulated(void) { return strcmp(pro_loop_backend(busy.loop), "sim") == 0; }

static void share_turns(void)
{
    unsigned least = UINT32_MAX, most = 0;

    for (unsigned i = 0; i < TURNS; i++)
        busy_turn();
    for (unsigned i = 0; i < BUSY; i++) {
        least = busy.times[i] < least ? busy.times[i] : least;
        most = busy.times[i] > most ? busy.times[i] : most;
    }
    test_note("%s: %u deliveries in %u turns, %u to %u each", pro_loop_backend(busy.loop), busy.delivered,
              (unsigned)TURNS, least, most);
    if (!is_simulated()) { /* there completions come in a random order */
        CHECK(least > 0);
        CHECK(most - least <= 1);
    }
}

TEST(a_thousand_busy_connections_get_equal_shares_of_bounded_turns)
{
    /* Kills: a turn that takes in all there is; a queue that serves the latest first. */
    on_each_backend(share_turns);
}

struct due {
    struct pro_op op;
    bool fired;
};

static void note_fired(struct pro_op *op) { PRO_CONTAINER(op, struct due, op)->fired = true; }

static void fire_in_time(void)
{
    for (unsigned i = 0; i < TURNS / PERIOD_TURNS; i++) {
        struct due due = { .fired = false };
        /* The simulated clock moves only while a loop has nothing to do. */
        const uint64_t due_ns = pro_loop_now(busy.loop) + (is_simulated() ? 0 : 1 + i * 10007);
        bool was_due = false;

        REQUIRE(pro_then(pro_sleep_until(&due.op, busy.loop, due_ns, PRO_HOW_DEFAULT), note_fired) == PRO_OK);
        while (!due.fired) {
            CHECK(!was_due); /* a whole turn has begun since */
            was_due = pro_loop_now(busy.loop) >= due_ns;
            busy_turn();
        }
    }
}

TEST(a_timer_among_a_thousand_busy_connections_fires_in_the_turn_after_its_moment)
{
    /* Kills: timers that are looked at only when the kernel has nothing to give. */
    on_each_backend(fire_in_time);
}

static unsigned posted_ran;

static void note_ran(void *unused)
{
    (void)unused;
    posted_ran++;
}

static void run_in_time(void)
{
    posted_ran = 0;
    for (unsigned i = 0; i < TURNS / PERIOD_TURNS; i++) {
        REQUIRE(pro_loop_post(busy.loop, note_ran, NULL) == PRO_OK);
        busy_turn();
        CHECK_EQ(posted_ran, i + 1);
    }
}

TEST(what_is_posted_among_a_thousand_busy_connections_runs_in_the_next_turn)
{
    /* Kills: posted work that is run only when nothing was delivered. */
    on_each_backend(run_in_time);
}

static void hold_back(void)
{
    struct pro_loop_stats stats;
    unsigned before;

    busy.stop = true; /* they all end; as many come at once as there are, and leave in bounded turns */
    busy_turn();
    for (unsigned i = 0; busy.delivered < BUSY && i < BUSY; i++) {
        before = busy.delivered;
        busy_turn();
        CHECK(busy.delivered - before <= IN_A_TURN);
    }
    CHECK_EQ(busy.delivered, BUSY);
    CHECK_EQ(pro_loop_get_stats(busy.loop, &stats), PRO_OK);
    CHECK_EQ(stats.pending, 0);
    for (unsigned i = 0; i < BUSY; i++)
        CHECK_EQ(busy.times[i], 1);
}

TEST(completions_that_outrun_the_loop_wait_in_the_kernel_and_none_is_lost)
{
    /* Kills: a batch that is cut off and forgotten. */
    on_each_backend(hold_back);
}
