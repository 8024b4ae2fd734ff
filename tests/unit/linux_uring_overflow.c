/* SPDX-License-Identifier: MIT */
/* A loop on a ring of 8 entries, whose completion queue holds 32, while thousands of its operations end at the same
   moment: the kernel puts aside what does not fit, and none may be lost or come twice. */
#include <proact/proact.h>

#include "harness_system.h"
#include "loops.h"
#include "proactor/internal.h"

enum { MANY = 4000 };

static struct pro_op ops[MANY];
static unsigned char bytes[MANY], sent[MANY];
static unsigned times[MANY], delivered;

static void count(struct pro_op *op)
{
    times[op - ops]++;
    delivered++;
}

static struct pro_loop *small_loop(void)
{
    const struct pro_loop_options options = { .name = "small", .backend = "io_uring", .entries = 8 };
    struct pro_loop *loop = NULL;

    if (test_backend_refusal("uring"))
        SKIP("uring", test_backend_refusal("uring"));
    memset(ops, 0, sizeof ops);
    memset(times, 0, sizeof times);
    delivered = 0;
    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    return loop;
}

/* Every one is with the kernel when this returns. */
static void receive_many(struct pro_loop *loop, const struct pro_socket *socket, struct pro_how how)
{
    for (unsigned i = 0; i < MANY; i++)
        REQUIRE(pro_then(pro_recv(&ops[i], socket, &bytes[i], 1, how), count) == PRO_OK);
    for (int i = 0; i < 3; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    for (unsigned i = 0; i < MANY; i++)
        REQUIRE(ops[i].state == PRO_OP_KERNEL);
}

/* The kernel reports other threads' calls through the same queue, and stops reporting when that is full. */
static void all_answered(struct pro_loop *loop, int64_t result)
{
    loop->type->wake(loop->backend);
    while (delivered < MANY)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    for (int i = 0; i < 5; i++) /* a second answer would come now */
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(times[i], 1);
        CHECK_EQ(ops[i].result, result);
    }
}

static void set_true(void *arg) { *(bool *)arg = true; }

struct poster {
    struct pro_loop *loop;
    bool ran;
};
static void post_one(void *arg)
{
    struct poster *const poster = arg;

    CHECK_EQ(pro_loop_post(poster->loop, set_true, &poster->ran), PRO_OK);
}

static void still_wakes(struct pro_loop *loop)
{
    for (int i = 0; i < 20; i++) {
        struct poster poster = { .loop = loop };
        struct proi_thread thread;

        REQUIRE(proi_thread_start(&thread, "poster", post_one, &poster, 0) == PRO_OK);
        while (!poster.ran)
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        proi_thread_join(&thread);
    }
}

TEST(thousands_of_receives_that_end_together_each_get_their_byte)
{
    /* Kills: not asking the kernel for what it put aside; taking a completion twice; a ring that wakes no more. */
    struct pro_loop *const loop = small_loop();
    unsigned expected[256] = { 0 }, got[256] = { 0 };
    struct pro_op sending = { 0 };
    struct pair pair;

    loop_connect(loop, &pair);
    for (unsigned i = 0; i < MANY; i++)
        expected[sent[i] = (unsigned char)(i * 7)]++;
    receive_many(loop, &pair.client, PRO_HOW_DEFAULT);
    CHECK_EQ(loop_answer(loop, pro_send_all(&sending, &pair.server, sent, MANY, PRO_HOW_DEFAULT)), MANY);
    all_answered(loop, 1);
    for (unsigned i = 0; i < MANY; i++)
        got[bytes[i]]++;
    CHECK(memcmp(got, expected, sizeof got) == 0);
    still_wakes(loop);
    loop_end(loop);
}

TEST(thousands_of_receives_cancelled_together_each_end_once)
{
    /* Kills: a cancel request that finds the submission queue full and is dropped. */
    struct pro_loop *const loop = small_loop();
    struct pro_cancellation_source *source = NULL;
    struct pair pair;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    loop_connect(loop, &pair);
    receive_many(loop, &pair.client, (struct pro_how){ .token = pro_cancellation_source_token(source) });
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    all_answered(loop, PRO_E_CANCELED);
    still_wakes(loop);
    pro_cancellation_source_unref(source);
    loop_end(loop);
}

TEST(thousands_of_receives_whose_socket_is_closed_end_before_the_close_does)
{
    /* Kills: a close that goes on while completions are still put aside. */
    struct pro_loop *const loop = small_loop();
    struct pro_op closing = { 0 };
    struct pair pair;

    loop_connect(loop, &pair);
    receive_many(loop, &pair.client, PRO_HOW_DEFAULT);
    CHECK_EQ(loop_answer(loop, pro_close(&closing, &pair.client)), PRO_OK);
    CHECK_EQ(delivered, MANY);
    all_answered(loop, PRO_E_CLOSED);
    loop_end(loop);
}

TEST(thousands_of_deadlines_strike_together)
{
    /* Kills: a deadline that is forgotten when its cancel request has no room. */
    struct pro_loop *const loop = small_loop();
    struct pair pair;

    loop_connect(loop, &pair);
    receive_many(loop, &pair.client, (struct pro_how){ .deadline_ns = pro_now() + (uint64_t)PRO_S(1) });
    all_answered(loop, PRO_E_TIMEOUT);
    loop_end(loop);
}

static unsigned left;

static void again(struct pro_op *op)
{
    delivered++;
    times[op - ops]++;
    CHECK_EQ(op->result, PRO_OK);
    if (left > 0 && left--)
        CHECK_EQ(pro_then(pro_nop(op, op->loop, PRO_HOW_DEFAULT), again), PRO_OK);
}

TEST(operations_that_start_the_next_one_do_not_overtake_the_queue)
{
    /* Kills: an entry of the submission queue that is written before the kernel took the last round's. */
    struct pro_loop *const loop = small_loop();
    unsigned all = 0;

    left = 5 * MANY;
    for (unsigned i = 0; i < MANY; i++)
        REQUIRE(pro_then(pro_nop(&ops[i], loop, PRO_HOW_DEFAULT), again) == PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    for (unsigned i = 0; i < MANY; i++)
        all += times[i];
    CHECK_EQ(all, 6 * MANY);
    CHECK_EQ(left, 0);
    loop_end(loop);
}
