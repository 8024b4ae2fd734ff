/* SPDX-License-Identifier: MIT */
/* What a turn on io_uring takes from the kernel, and what it learns from it. */
#include <proact/proact.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness_system.h"
#include "linux/uring.h"
#include "loops.h"
#include "proactor/internal.h"

enum { BUSY = 600 /* more than the queue holds */, WAITING = PROI_TURN - 4, ON_ONE_ENTER = 20 /* of newer kernels */ };
_Static_assert(WAITING > 2 * ON_ONE_ENTER, "or one enter, or two, would do");

static struct pro_op ops[BUSY];
static char bytes[WAITING];

static void ignore(struct pro_op *op) { (void)op; }

static struct pro_loop *ring_loop(struct pair *pair)
{
    struct pro_loop *loop;

    if (test_backend_refusal("uring"))
        SKIP("uring", test_backend_refusal("uring"));
    loop = loop_on("uring", NULL, false);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    loop_connect(loop, pair);
    return loop;
}

static void send_bytes(const struct pair *pair, size_t count)
{
    static const char sent[WAITING];

    int arrived = 0;

    REQUIRE(send((int)pair->client.handle->native, sent, count, 0) == (ssize_t)count);
    while (arrived < (int)count)
        REQUIRE(ioctl((int)pair->server.handle->native, FIONREAD, &arrived) == 0);
}

static bool waits_first(const struct pair *pair) { return pair->server.handle->backend_flags & URING_RECV_WAITED; }

/* With so many no-ops before it, of which all are over at once, as the receive is if data is there. */
static void receive_behind(struct pro_loop *loop, const struct pair *pair, int busy, bool there)
{
    struct pro_op op = { 0 };
    struct pro_lease lease;

    if (there)
        send_bytes(pair, 1);
    for (int i = 0; i < busy; i++)
        REQUIRE(pro_then(pro_nop(&ops[i], loop, PRO_HOW_DEFAULT), ignore) == PRO_OK);
    REQUIRE(pro_then(pro_recv_lease(&op, &pair->server, &lease, PRO_HOW_DEFAULT), ignore) == PRO_OK);
    if (!there) {
        for (int i = 0; i < 4; i++)
            REQUIRE(pro_loop_run_once(loop, 0) >= 0);
        CHECK_EQ(op.state, PRO_OP_KERNEL);
        send_bytes(pair, 1);
    }
    while (op.state != PRO_OP_IDLE)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(op.result, 1);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
}

TEST(a_receive_waits_first_where_the_last_one_had_to)
{
    /* Kills: a receive that always looks first, or never again; one that is taken for waiting since its answer lay in
       the queue while others had their turns. */
    struct pair pair;
    struct pro_loop *const loop = ring_loop(&pair);

    receive_behind(loop, &pair, 0, false);
    CHECK(waits_first(&pair));
    receive_behind(loop, &pair, 0, true);
    CHECK(!waits_first(&pair));
    receive_behind(loop, &pair, BUSY, true);
    CHECK(!waits_first(&pair));
    receive_behind(loop, &pair, 1, false);
    CHECK(waits_first(&pair));
    loop_end(loop);
}

TEST(buffers_in_completions_that_wait_for_a_turn_are_not_free)
{
    /* Kills: not counting them, so that receives are submitted for want of which the kernel refuses them, again and
       again; counting one twice, or one whose turn has come. */
    struct pair pair;
    struct pro_loop *const loop = ring_loop(&pair);
    struct pro_op op = { 0 };
    struct pro_lease lease;

    send_bytes(&pair, 1);
    for (int i = 0; i < BUSY; i++)
        REQUIRE(pro_then(pro_nop(&ops[i], loop, PRO_HOW_DEFAULT), ignore) == PRO_OK);
    REQUIRE(pro_then(pro_recv_lease(&op, &pair.server, &lease, PRO_HOW_DEFAULT), ignore) == PRO_OK);
    for (int i = 0; i < BUSY / PROI_TURN; i++) {
        CHECK_EQ(pro_loop_run_once(loop, 0), PROI_TURN);
        CHECK_EQ(loop->type->chosen(loop->backend), 1);
        CHECK_EQ(loop->type->chosen(loop->backend), 1);
    }
    CHECK_EQ(pro_loop_run_once(loop, 0), BUSY % PROI_TURN + 1);
    CHECK_EQ(loop->type->chosen(loop->backend), 0);
    CHECK_EQ(op.result, 1);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    loop_end(loop);
}

TEST(what_waited_and_can_go_on_is_over_in_one_turn)
{
    /* Kills: being content with the part of its deferred work that the kernel runs on one enter. */
    struct pair pair;
    struct pro_loop *const loop = ring_loop(&pair);

    for (int i = 0; i < WAITING; i++)
        REQUIRE(pro_then(pro_recv(&ops[i], &pair.server, &bytes[i], 1, PRO_HOW_DEFAULT), ignore) == PRO_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    send_bytes(&pair, WAITING);
    CHECK_EQ(pro_loop_run_once(loop, 0), WAITING);
    loop_end(loop);
}

static unsigned submitted(const struct pro_loop *loop) { return ((struct uring *)(void *)loop->backend)->sq_submitted; }

/* So many sends, each of them alone. @answered: meanwhile a receive that waits in the kernel gets its data. Gives how
   many sends the ring has not seen. */
static unsigned sends_without_ring(struct pro_loop *loop, const struct pair *pair, unsigned count, bool answered)
{
    unsigned without_ring = 0;

    for (unsigned i = 0; i < count; i++) {
        struct pro_op receive = { 0 }, send = { 0 };
        unsigned before;

        if (answered) {
            REQUIRE(pro_then(pro_recv(&receive, &pair->server, bytes, 1, PRO_HOW_DEFAULT), ignore) == PRO_OK);
            REQUIRE(pro_loop_run_once(loop, 0) >= 0);
            CHECK_EQ(receive.state, PRO_OP_KERNEL);
            send_bytes(pair, 1);
        }
        before = submitted(loop);
        REQUIRE(pro_then(pro_send(&send, &pair->server, "x", 1, PRO_HOW_DEFAULT), ignore) == PRO_OK);
        while (send.state != PRO_OP_IDLE)
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        CHECK_EQ(send.result, 1);
        without_ring += submitted(loop) == before;
        while (receive.state != PRO_OP_IDLE)
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    }
    return without_ring;
}

TEST(a_send_alone_goes_through_the_ring_where_that_brings_the_answers_of_others)
{
    /* Kills: a send of its own beside the entering that fetches the others' answers; trying it for ever where others
       have come; never again when they have gone. */
    enum { SENDS = 100, AS_BEFORE = 17 /* at most, until it looks */ };
    struct pair pair;
    struct pro_loop *const loop = ring_loop(&pair);

    CHECK_EQ(sends_without_ring(loop, &pair, SENDS, true), 0);
    CHECK(sends_without_ring(loop, &pair, SENDS, false) > SENDS * 8 / 10);
    CHECK(sends_without_ring(loop, &pair, SENDS, true) <= AS_BEFORE);
    CHECK(sends_without_ring(loop, &pair, SENDS, false) > SENDS * 8 / 10);
    loop_end(loop);
}
