/* SPDX-License-Identifier: MIT */
/* Tokens of operations: one node per loop and source, one message per cancellation, and nothing left behind. */
#include "proactor/internal.h"

#include <proact/proact.h>

#include "gate.h"
#include "loops.h"

#include <stdlib.h>

enum { MANY = 1000 };

static struct pro_cancellation_source *source_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

static struct pro_how with_token(struct pro_cancellation_source *source)
{
    return (struct pro_how){ .token = pro_cancellation_source_token(source) };
}

static void count_codes(struct pro_op *op)
{
    size_t *const counts = op->user; /* of successes and of cancellations */

    CHECK(op->result == PRO_OK || op->result == PRO_E_CANCELED);
    counts[op->result == PRO_E_CANCELED]++;
}

static void never(void *arg) { (void)arg; }

/* Drops the last reference, and tells whether that was the last: a registration of a freed source is gone with it. */
static void check_is_last_reference(struct pro_cancellation_source *source)
{
    struct pro_cancellation_registration registration = { 0 };

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, never, NULL), PRO_OK);
    pro_cancellation_source_unref(source);
    CHECK(!pro_cancellation_unregister(&registration));
}

static size_t messages_in_inbox(const struct pro_loop *loop)
{
    size_t count = 0;

    for (const struct pro_work *work = proi_load(&loop->shared.work, PROI_ACQUIRE); work; work = work->next)
        count++;
    return count;
}

TEST(a_thousand_ops_on_one_token_get_one_message)
{
    // Kills: a registration, or a message, for each op.
    struct pro_loop *const loop = loop_new();
    struct pro_cancellation_source *const source = source_new();
    struct pro_op *const ops = calloc(MANY, sizeof *ops);
    size_t counts[2] = { 0, 0 };

    REQUIRE(ops != NULL);
    for (int i = 0; i < MANY; i++) {
        ops[i].user = counts;
        CHECK_EQ(pro_then(pro_sleep(&ops[i], loop, PRO_S(3600), with_token(source)), count_codes), PRO_OK);
    }
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    CHECK_EQ(messages_in_inbox(loop), 0);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(messages_in_inbox(loop), 1);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(counts[0], 0);
    CHECK_EQ(counts[1], MANY);
    pro_cancellation_source_unref(source);
    free(ops);
    loop_end(loop);
}

TEST(a_node_goes_with_its_last_op)
{
    // Kills: a node that stays in the table and holds its source; a node that leaves with the first op.
    struct pro_loop *const loop = loop_new();
    struct pro_cancellation_source *const source = source_new();
    struct pro_op ops[3] = { { 0 } };
    size_t counts[2] = { 0, 0 };

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            ops[i].user = counts;
            CHECK_EQ(pro_then(pro_sleep(&ops[i], loop, i * PRO_US(100), with_token(source)), count_codes), PRO_OK);
        }
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
    }
    CHECK_EQ(counts[0], 9);
    check_is_last_reference(source);
    loop_end(loop);
}

TEST(a_cancelled_token_ends_an_op_before_it_begins)
{
    // Kills: an attach that registers without looking.
    struct pro_loop *const loop = loop_new();
    struct pro_cancellation_source *const source = source_new();
    struct pro_op op = { 0 };

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_S(3600), with_token(source))), PRO_E_CANCELED);
    CHECK_EQ(loop_answer(loop, pro_nop(&op, loop, with_token(source))), PRO_E_CANCELED);
    pro_cancellation_source_unref(source);
    loop_end(loop);
}

TEST(many_sources_are_told_apart)
{
    // Kills: a table that loses nodes when it grows; a cancellation that ends the ops of a neighbour in its bucket.
    struct pro_loop *const loop = loop_sim();
    struct pro_cancellation_source **const sources = calloc(MANY, sizeof(struct pro_cancellation_source *));
    struct pro_op *const ops = calloc(MANY, sizeof *ops);
    size_t counts[2] = { 0, 0 };

    REQUIRE(ops != NULL && sources != NULL);
    for (int i = 0; i < MANY; i++) {
        sources[i] = source_new();
        ops[i].user = counts;
        CHECK_EQ(pro_then(pro_sleep(&ops[i], loop, PRO_S(3600), with_token(sources[i])), count_codes), PRO_OK);
    }
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    for (int i = 0; i < MANY; i += 3)
        CHECK_EQ(pro_cancellation_source_cancel(sources[i]), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(ops[i].result, i % 3 ? PRO_OK : PRO_E_CANCELED);
    for (int i = 0; i < MANY; i++)
        if (i % 3)
            check_is_last_reference(sources[i]);
        else
            pro_cancellation_source_unref(sources[i]);
    free(ops);
    free(sources);
    loop_end(loop);
}

TEST(one_token_reaches_the_ops_of_two_loops)
{
    // Kills: a node that belongs to a source alone.
    struct pro_loop *const loops[2] = { loop_new(), loop_new() };
    struct pro_cancellation_source *const source = source_new();
    struct pro_op ops[2] = { { 0 } };
    size_t counts[2] = { 0, 0 };

    for (int i = 0; i < 2; i++) {
        ops[i].user = counts;
        CHECK_EQ(pro_then(pro_sleep(&ops[i], loops[i], PRO_S(3600), with_token(source)), count_codes), PRO_OK);
        CHECK_EQ(pro_loop_run_once(loops[i], 0), 0);
    }
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pro_loop_run(loops[i]), PRO_OK);
    CHECK_EQ(counts[1], 2);
    pro_cancellation_source_unref(source);
    for (int i = 0; i < 2; i++)
        loop_end(loops[i]);
}

static void cancel_next(struct pro_op *op) { CHECK_EQ(pro_cancellation_source_cancel(op->user), PRO_OK); }

TEST(a_callback_may_cancel_the_token_of_ops_beside_it)
{
    // Kills: a message that is handled inside the cancel, while ops are being delivered.
    struct pro_loop *const loop = loop_new();
    struct pro_cancellation_source *const source = source_new();
    struct pro_op first = { .user = source }, others[10] = { { 0 } };
    size_t counts[2] = { 0, 0 };

    CHECK_EQ(pro_then(pro_nop(&first, loop, with_token(source)), cancel_next), PRO_OK);
    for (int i = 0; i < 10; i++) {
        others[i].user = counts;
        CHECK_EQ(pro_then(pro_sleep(&others[i], loop, PRO_S(3600), with_token(source)), count_codes), PRO_OK);
    }
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(counts[1], 10);
    pro_cancellation_source_unref(source);
    loop_end(loop);
}

/* ---- a canceller on another thread ---- */

struct race {
    struct gate sources_ready, go;
    struct pro_cancellation_source *source;
    uint32_t stop;
};

static void cancel_each(void *arg)
{
    struct race *const race = arg;

    for (uint32_t round = 1;; round++) {
        gate_wait(&race->sources_ready, round);
        if (proi_load(&race->stop, PROI_ACQUIRE))
            return;
        pro_cancellation_source_cancel(race->source);
        gate_add(&race->go);
    }
}

TEST(a_cancel_on_another_thread_meets_ops_that_come_and_go)
{
    // Kills: a node that is freed under the canceller, or never; an op that is ended twice, or not at all.
    enum { ROUNDS = 500, OPS = 20 };
    struct pro_loop *const loop = loop_new();
    struct race race = { { 0 }, { 0 }, NULL, 0 };
    struct proi_thread thread;
    size_t counts[2] = { 0, 0 };

    REQUIRE(proi_thread_start(&thread, "canceller", cancel_each, &race, 0) == PRO_OK);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        struct pro_op ops[OPS] = { { 0 } };

        race.source = source_new();
        for (int i = 0; i < OPS; i++)
            ops[i].user = counts;
        for (int i = 0; i < OPS / 2; i++)
            CHECK_EQ(pro_then(pro_nop(&ops[i], loop, with_token(race.source)), count_codes), PRO_OK);
        gate_add(&race.sources_ready);
        for (int i = OPS / 2; i < OPS; i++) {
            CHECK_EQ(pro_then(pro_nop(&ops[i], loop, with_token(race.source)), count_codes), PRO_OK);
            CHECK(pro_loop_run_once(loop, 0) >= 0);
        }
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        gate_wait(&race.go, round);
        CHECK_EQ(pro_loop_run(loop), PRO_OK); /* its message, when it came last */
        pro_cancellation_source_unref(race.source);
    }
    proi_store(&race.stop, 1u, PROI_RELEASE);
    gate_add(&race.sources_ready);
    proi_thread_join(&thread);
    CHECK_EQ(counts[0] + counts[1], ROUNDS * OPS);
    loop_end(loop);
}
