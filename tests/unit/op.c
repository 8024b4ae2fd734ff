/* SPDX-License-Identifier: MIT */
/* The life of an operation: delivered once, never inside its submission, with the result that came first. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

#include <stdlib.h>

struct seen {
    int count;
    bool submitting, idle, has_context;
    struct pro_loop *loop;
};

static void see(struct pro_op *op)
{
    struct seen *const seen = op->user;

    seen->count++;
    CHECK(!seen->submitting);
    seen->idle = op->state == PRO_OP_IDLE;
    seen->has_context = pro_sync_context_current() == pro_loop_context(seen->loop);
    CHECK(pro_loop_current() == seen->loop);
}

TEST(a_callback_finds_its_op_idle_and_the_context_current_and_never_comes_inside_the_submission)
{
    // Kills: a delivery inside pro_then, also for what is answered already; a context that stays what it was.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct seen seen = { .loop = loop };
        struct pro_op op = { .user = &seen };

        for (int which = 0; which < 3; which++) {
            seen.submitting = true;
            seen.count = 0;
            if (which == 0)
                CHECK_EQ(pro_then(pro_nop(&op, loop, PRO_HOW_DEFAULT), see), PRO_OK);
            else if (which == 1)
                CHECK_EQ(pro_then(pro_sleep(&op, loop, 0, PRO_HOW_DEFAULT), see), PRO_OK);
            else /* over before it began */
                CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(1), (struct pro_how){ .deadline_ns = 1 }), see), PRO_OK);
            seen.submitting = false;
            CHECK_EQ(pro_loop_run(loop), PRO_OK);
            CHECK_EQ(seen.count, 1);
            CHECK(seen.idle && seen.has_context);
            CHECK_EQ(op.result, which == 2 ? PRO_E_TIMEOUT : PRO_OK);
        }
        CHECK(pro_sync_context_current() == NULL);
        loop_end(loop);
    }
}

static void free_op(struct pro_op *op)
{
    ++*(int *)op->user;
    free(op);
}

static void once_more(struct pro_op *op)
{
    int *const left = op->user;

    CHECK_EQ(op->result, PRO_OK);
    if (--*left)
        CHECK_EQ(pro_then(pro_nop(op, pro_loop_current(), PRO_HOW_DEFAULT), once_more), PRO_OK);
}

TEST(an_op_is_the_callers_inside_its_callback)
{
    // Kills: a loop that touches the op after it has called back.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    int freed = 0, left = 100;

    for (int i = 0; i < 10; i++) {
        struct pro_op *const one = calloc(1, sizeof *one);

        REQUIRE(one != NULL);
        one->user = &freed;
        CHECK_EQ(pro_then(pro_sleep(one, loop, 1, PRO_HOW_DEFAULT), free_op), PRO_OK);
    }
    op.user = &left;
    CHECK_EQ(pro_then(pro_nop(&op, loop, PRO_HOW_DEFAULT), once_more), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(freed, 10);
    CHECK_EQ(left, 0);
    loop_end(loop);
}

TEST(each_delivery_is_a_generation)
{
    // Kills: a generation that stands still: late completions and cancels would hit the op's next life.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    const uint16_t before = op.generation;

    for (int i = 0; i < 5; i++)
        CHECK_EQ(loop_answer(loop, pro_nop(&op, loop, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ((uint16_t)(op.generation - before), 5);
    loop_end(loop);
}

static void ignore(struct pro_op *op) { (void)op; }

TEST(the_first_reason_to_end_an_op_names_its_result)
{
    // Kills: a reason that overwrites an earlier one; timeout and cancellation exchanged.
    struct pro_loop *const loop = loop_sim();
    struct pro_op op = { 0 };
    struct pro_how how = PRO_WITHIN(PRO_MS(5));
    uint64_t start = pro_loop_now(loop);

    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_S(3600), how)), PRO_E_TIMEOUT);
    CHECK_EQ(pro_loop_now(loop) - start, (uint64_t)PRO_MS(5));
    start = pro_loop_now(loop);
    how.deadline_ns = start + (uint64_t)PRO_MS(2); /* of deadline and timeout the earlier */
    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_S(3600), how)), PRO_E_TIMEOUT);
    CHECK_EQ(pro_loop_now(loop) - start, (uint64_t)PRO_MS(2));
    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_MS(1), PRO_WITHIN(PRO_MS(5)))), PRO_OK);
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(3600), PRO_WITHIN(PRO_S(1))), ignore), PRO_OK);
    CHECK_EQ(pro_op_cancel(&op), PRO_OK);
    CHECK_EQ(pro_op_cancel(&op), PRO_E_STATE); /* its result stands */
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(op.result, PRO_E_CANCELED);
    CHECK_EQ(pro_op_cancel(&op), PRO_E_STATE);
    loop_end(loop);
}

TEST(a_later_reason_changes_nothing)
{
    // Kills: a close, or a deadline, that renames what was cancelled before it.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct pro_op op = { 0 }, close = { 0 };
        struct pair pair;
        char byte;

        loop_connect(loop, &pair);
        CHECK_EQ(pro_then(pro_recv(&op, &pair.client, &byte, 1, PRO_WITHIN(PRO_S(600))), ignore), PRO_OK);
        CHECK_EQ(pro_loop_run_once(loop, 0), 0);
        CHECK_EQ(pro_op_cancel(&op), PRO_OK);
        CHECK_EQ(pro_op_cancel(&op), PRO_OK); /* once more: it is still on its way */
        CHECK_EQ(loop_answer(loop, pro_close(&close, &pair.client)), PRO_OK);
        CHECK_EQ(op.state, PRO_OP_IDLE);
        CHECK_EQ(op.result, PRO_E_CANCELED);
        loop_end(loop);
    }
}

TEST(a_sleep_ends_at_its_moment_and_not_before)
{
    // Kills: a sleep that is counted from the turn instead of the call; one that is early.
    struct pro_loop *const loop = loop_sim();
    struct pro_op op = { 0 };
    const uint64_t start = pro_loop_now(loop);

    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_S(86400), PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(pro_loop_now(loop) - start, (uint64_t)PRO_S(86400));
    CHECK_EQ(loop_answer(loop, pro_sleep_until(&op, loop, start + (uint64_t)PRO_S(90000), PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(pro_loop_now(loop) - start, (uint64_t)PRO_S(90000));
    CHECK_EQ(loop_answer(loop, pro_sleep_until(&op, loop, 1, PRO_HOW_DEFAULT)), PRO_OK); /* long past */
    CHECK(pro_loop_now(loop) - start < (uint64_t)PRO_S(90001));
    loop_end(loop);
}

TEST(of_a_sleep_and_its_deadline_the_earlier_ends_it_and_of_equal_ones_the_sleep)
{
    // Kills: a sleep that looks at one of the two; a deadline at the sleep's own moment that counts.
    struct pro_loop *const loop = loop_sim();
    const uint64_t start = pro_loop_now(loop) + (uint64_t)PRO_S(1);
    static const struct {
        int64_t sleep_s, deadline_s;
        int result;
    } rows[] = { { 5, 3, PRO_E_TIMEOUT }, { 10, 12, PRO_OK }, { 20, 20, PRO_OK } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int64_t ends_s = rows[i].sleep_s < rows[i].deadline_s ? rows[i].sleep_s : rows[i].deadline_s;
        struct pro_how how = PRO_HOW_DEFAULT;
        struct pro_op op = { 0 };

        how.deadline_ns = start + (uint64_t)PRO_S(rows[i].deadline_s);
        CHECK_EQ(loop_answer(loop, pro_sleep_until(&op, loop, start + (uint64_t)PRO_S(rows[i].sleep_s), how)),
                 rows[i].result);
        CHECK_EQ(pro_loop_now(loop), start + (uint64_t)PRO_S(ends_s));
    }
    loop_end(loop);
}

static void start_two(void *arg)
{
    struct pro_op *const ops = arg;
    struct pro_loop *const loop = pro_loop_current();

    CHECK(pro_start(pro_nop(&ops[0], loop, PRO_HOW_DEFAULT)) == &ops[0]);
    CHECK(pro_start(pro_sleep(&ops[1], loop, PRO_S(1), PRO_HOW_DEFAULT)) == &ops[1]);
}

TEST(a_started_op_waits_for_its_waiter)
{
    // Kills: an op that is over before it is awaited, and lost; one that keeps the loop from returning.
    struct pro_loop *const loop = loop_sim();
    struct pro_loop_stats stats;
    struct pro_op ops[2] = { { 0 } };
    struct heard heard[2] = { { { 0 }, 0 } };

    CHECK_EQ(pro_loop_post(loop, start_two, ops), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK); /* both are over; nobody was told */
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.pending, 0);
    for (int i = 0; i < 2; i++) {
        CHECK(ops[i].state != PRO_OP_IDLE);
        ops[i].user = &heard[i];
        CHECK_EQ(pro_then(&ops[i], heard_op), PRO_OK);
    }
    CHECK_EQ(gate_count(&heard[0].gate), 0);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(gate_count(&heard[0].gate) + gate_count(&heard[1].gate), 2);
    CHECK_EQ(ops[1].result, PRO_OK);
    loop_end(loop);
}

TEST(an_op_that_was_started_and_never_awaited_outlives_its_loop)
{
    // Kills: a late waiter that is queued to a loop that is gone; one that is queued to the next loop in its block.
    struct pro_loop *const loop = loop_sim();
    struct pro_op ops[2] = { { 0 } };
    struct heard heard = { { 0 }, 0 };

    CHECK_EQ(pro_loop_post(loop, start_two, ops), PRO_OK);
    CHECK(pro_loop_run_once(loop, 0) >= 0);
    loop_end(loop);
    CHECK_EQ(ops[1].result, PRO_E_LOOP_CLOSED);
    ops[0].user = &heard;
    CHECK_EQ(pro_then(&ops[0], heard_op), PRO_E_LOOP_CLOSED);
    CHECK_EQ(ops[0].state, PRO_OP_IDLE);
    for (int i = 0; i < 300; i++) { /* the block is another loop's now */
        struct pro_loop *const next = loop_sim();

        if (next == loop && pro_loop_run_once(next, 0) >= 0)
            CHECK_EQ(pro_then(&ops[1], heard_op), PRO_E_LOOP_CLOSED);
        loop_end(next);
    }
    CHECK_EQ(ops[1].state, PRO_OP_IDLE);
    CHECK_EQ(gate_count(&heard.gate), 0);
}

static void see_no_context(struct pro_op *op)
{
    CHECK(pro_sync_context_current() == NULL);
    CHECK(pro_pool_is_worker());
    heard_op(op);
}

TEST(without_a_loop_an_op_goes_to_the_background_and_its_callback_to_the_pool)
{
    // Kills: user code on the background loop's thread.
    struct heard heard = { { 0 }, 1 };
    struct pro_op op = { .user = &heard };

    REQUIRE(pro_loop_default() != NULL);
    CHECK_EQ(pro_then(pro_sleep(&op, NULL, PRO_MS(1), PRO_HOW_DEFAULT), see_no_context), PRO_OK);
    gate_wait(&heard.gate, 1);
    CHECK_EQ(heard.result, PRO_OK);
    told_listen();
    CHECK_MISUSE(pro_loop_free(pro_loop_default()), PRO_E_STATE);
    told_stop();
}

TEST(the_error_of_an_op_is_a_sentence)
{
    // Kills: an error for an op that succeeded; a native number that is not told.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    struct pro_file file;
    struct pro_error *error;

    CHECK_EQ(loop_answer(loop, pro_nop(&op, loop, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK(pro_op_error(&op, PRO_HERE) == NULL);
    CHECK_EQ(loop_answer(loop, pro_file_open(&op, loop, "no/such/file", PRO_OPEN_READ, &file, PRO_HOW_DEFAULT)),
             PRO_E_NOT_FOUND);
    CHECK(op.native != 0);
    error = pro_op_error(&op, PRO_HERE);
    CHECK_EQ(pro_error_code(error), PRO_E_NOT_FOUND);
    CHECK_EQ(pro_error_native_code(error), op.native);
    CHECK(strstr(pro_error_message(error), "file_open") != NULL);
    CHECK_STR(pro_error_origin(error).file, __FILE__);
    pro_error_unref(error);
    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_S(9), (struct pro_how){ .deadline_ns = 1 })), PRO_E_TIMEOUT);
    error = pro_op_error(&op, PRO_HERE);
    CHECK_STR(pro_error_message(error), "sleep: the deadline passed");
    pro_error_unref(error);
    loop_end(loop);
}

TEST(kinds_and_states_have_names)
{
    // Kills: a table out of step with the enum.
    CHECK_STR(pro_op_kind_name(PRO_OP_NONE), "none");
    CHECK_STR(pro_op_kind_name(PRO_OP_RECV), "recv");
    CHECK_STR(pro_op_kind_name(PRO_OP_FILE_SYNC), "file_sync");
    CHECK_STR(pro_op_state_name(PRO_OP_IDLE), "idle");
    CHECK_STR(pro_op_state_name(PRO_OP_KERNEL), "kernel");
    CHECK_STR(pro_op_state_name(PRO_OP_DONE), "done");
}
