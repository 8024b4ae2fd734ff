/* SPDX-License-Identifier: MIT */
/* Operations and posted work from four threads while the loop is freed under them; tokens cancelled from threads while
   what they cancel completes. Whatever was taken is answered exactly once, and what was refused never; no byte is lost.
 */
#include <proact/proact.h>

#include "harness_system.h"
#include "loops.h"
#include "race/team.h"

enum { SENDERS = 4, ROUNDS = 250, EACH = 40 };

struct given {
    struct pro_op op;
    struct pro_work work;
    uint32_t answers, runs; /* shared */
    int taken, posted;      /* what the calls answered */
};

static struct {
    const char *backend;
    struct pro_loop *loop;
    struct pro_cancellation_source *source;
    struct given given[SENDERS][EACH];
    struct gate answered;
} now;

static void answered(struct pro_op *op)
{
    struct given *const it = PRO_CONTAINER(op, struct given, op);

    CHECK_EQ(proi_fetch_add(&it->answers, 1u, PROI_RELAXED), 0);
    gate_add(&now.answered);
}

static void ran(struct pro_work *work)
{
    struct given *const it = PRO_CONTAINER(work, struct given, work);

    CHECK_EQ(proi_fetch_add(&it->runs, 1u, PROI_RELAXED), 0);
    gate_add(&now.answered);
}

static void prepare(void)
{
    memset(now.given, 0, sizeof now.given);
    now.answered = (struct gate){ 0 };
    now.loop = loop_on(now.backend, "handed over", false);
    REQUIRE(pro_cancellation_source_new(&now.source) == PRO_OK);
    REQUIRE(pro_loop_run_once(now.loop, 0) >= 0); /* it is this thread's from now on */
}

static struct pro_op *fill(struct team_member *member, struct pro_op *op)
{
    const struct pro_how how = { .token = pro_cancellation_source_token(now.source) };

    switch (test_random(&member->random) % 4) {
    case 0:
        return pro_nop(op, now.loop, PRO_HOW_DEFAULT);
    case 1:
        return pro_sleep(op, now.loop, 0, how);
    case 2:
        return pro_sleep(op, now.loop, PRO_US(test_random(&member->random) % 300), how);
    default:
        return pro_sleep(op, now.loop, PRO_S(1000), PRO_HOW_DEFAULT); /* ended by the loop's end only */
    }
}

static void give(struct team_member *member, unsigned round)
{
    (void)round;
    for (unsigned i = 0; i < EACH; i++) {
        struct given *const it = &now.given[member->number][i];
        struct pro_op *const op = fill(member, &it->op);

        team_linger(member, 300); /* the loop may be closing now, which the op does not know */
        it->taken = pro_then(op, answered);
        it->work.run = ran;
        it->posted = pro_loop_post_work(now.loop, &it->work);
        if (member->number == 0 && i == EACH / 2)
            CHECK_EQ(pro_cancellation_source_cancel(now.source), PRO_OK);
    }
}

static void turn_and_free(struct team_member *member)
{
    for (uint64_t turns = test_random(&member->random) % 12; turns > 0; turns--)
        REQUIRE(pro_loop_run_once(now.loop, PRO_US(50)) >= 0);
    CHECK_EQ(pro_loop_free(now.loop), PRO_OK);
}

static void check_answers(void)
{
    uint32_t expected = 0;

    for (unsigned i = 0; i < SENDERS; i++)
        for (unsigned j = 0; j < EACH; j++)
            expected += (now.given[i][j].taken == PRO_OK ? 1u : 0u) + (now.given[i][j].posted == PRO_OK ? 1u : 0u);
    gate_wait(&now.answered, expected); /* what slipped in at the very end runs on the pool */
    for (unsigned i = 0; i < SENDERS; i++)
        for (unsigned j = 0; j < EACH; j++) {
            const struct given *const it = &now.given[i][j];

            CHECK(it->taken == PRO_OK || it->taken == PRO_E_LOOP_CLOSED);
            CHECK(it->posted == PRO_OK || it->posted == PRO_E_LOOP_CLOSED);
            CHECK_EQ(proi_load(&it->answers, PROI_RELAXED), it->taken == PRO_OK);
            CHECK_EQ(proi_load(&it->runs, PROI_RELAXED), it->posted == PRO_OK);
            if (it->taken == PRO_OK)
                CHECK(it->op.result == PRO_OK || it->op.result == PRO_E_CANCELED || it->op.result == PRO_E_LOOP_CLOSED);
        }
    pro_cancellation_source_unref(now.source);
}

/* As team_run(), with the test's thread at work as well: it owns the loop. */
static void hand_over(const char *backend)
{
    struct team team = { .size = SENDERS, .rounds = ROUNDS, .round = give };
    struct team_member owner = { &team, SENDERS, test_seed() };
    struct proi_thread threads[SENDERS];

    now.backend = backend;
    for (unsigned i = 0; i < SENDERS; i++) {
        team.members[i] = (struct team_member){ &team, i, test_seed() * 100 + i };
        REQUIRE(proi_thread_start(&threads[i], "sender", team_thread, &team.members[i], 0) == PRO_OK);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        prepare();
        team_meet(&team);
        turn_and_free(&owner);
        team_meet(&team);
        check_answers();
    }
    for (unsigned i = 0; i < SENDERS; i++)
        proi_thread_join(&threads[i]);
}

TEST(what_a_loop_takes_while_it_is_freed_is_answered_once)
{
    /* Kills: an inbox that is emptied, and then closed; a wake of a loop that is gone. */
    for (const char *const *backend = test_backends(); *backend; backend++)
        hand_over(*backend);
}

/* ---- cancelling from threads ---- */

enum { STREAM_ROUNDS = 1000, MOST_PIECE = 32 };

struct canceller {
    struct gate *go;
    struct pro_cancellation_source **source; /* of the round */
    uint64_t random;
};

static void cancel_each(void *arg)
{
    struct canceller *const it = arg;
    struct team_member member = { .random = it->random };

    for (uint32_t i = 1; i <= STREAM_ROUNDS; i++) {
        for (int spins = 0; spins < 20 * TEAM_SPINS && gate_count(&it->go[0]) < i;
             spins++) /* no wake-up: that takes too long */
            ;
        gate_wait(&it->go[0], i);
        team_linger(&member, 20000);
        CHECK_EQ(pro_cancellation_source_cancel(*it->source), PRO_OK);
        gate_add(&it->go[1]);
    }
}

/* A receive and a cancellation at the same moment: it ends with the bytes or without, and the next one finds the rest.
 */
static void receive_and_cancel(struct pro_loop *loop, struct pair *pair, struct canceller *it)
{
    struct gate *const go = it->go;
    unsigned char out[MOST_PIECE], in[MOST_PIECE], next_out = 0, next_in = 0;
    struct team_member member = { .random = it->random };
    unsigned canceled = 0;

    for (uint32_t i = 1; i <= STREAM_ROUNDS; i++) {
        const size_t length = 1 + test_random(&it->random) % MOST_PIECE;
        struct pro_op recv = { 0 }, send = { 0 };
        struct heard heard = { { 0 }, 0 };
        size_t received = 0;

        REQUIRE(pro_cancellation_source_new(it->source) == PRO_OK);
        recv.user = &heard;
        REQUIRE(pro_then(pro_recv(&recv, &pair->client, in, sizeof in,
                                  (struct pro_how){ .token = pro_cancellation_source_token(*it->source) }),
                         heard_op) == PRO_OK);
        for (size_t k = 0; k < length; k++)
            out[k] = next_out++;
        gate_add(&go[0]);
        team_linger(&member, 20000);
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
        CHECK_EQ(loop_answer(loop, pro_send_all(&send, &pair->server, out, length, PRO_HOW_DEFAULT)), length);
        while (!gate_count(&heard.gate))
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        canceled += heard.result == PRO_E_CANCELED;
        CHECK(heard.result > 0 || heard.result == PRO_E_CANCELED);
        CHECK_EQ(recv.transferred, heard.result > 0 ? heard.result : 0);
        for (;;) {
            for (size_t k = 0; k < recv.transferred; k++)
                CHECK_EQ(in[k], next_in++);
            received += recv.transferred;
            if (received >= length)
                break;
            REQUIRE(loop_answer(loop, pro_recv(&recv, &pair->client, in, sizeof in, PRO_HOW_DEFAULT)) > 0);
        }
        CHECK_EQ(received, length);
        gate_wait(&go[1], i);
        pro_cancellation_source_unref(*it->source);
    }
    test_note("%s: %u of %u cancelled", pro_loop_backend(loop), canceled, (unsigned)STREAM_ROUNDS);
}

TEST(a_receive_that_is_cancelled_while_it_completes_loses_no_byte)
{
    /* Kills: a cancelled receive that has taken bytes; a late cancellation that hits the next receive in the same op.
     */
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, "cancelled", false);
        struct pro_cancellation_source *source = NULL;
        struct gate go[2] = { { 0 }, { 0 } };
        struct canceller here = { go, &source, test_seed() }, there = { go, &source, test_seed() + 1 };
        struct proi_thread thread;
        struct pair pair;

        loop_connect(loop, &pair);
        REQUIRE(proi_thread_start(&thread, "canceller", cancel_each, &there, 0) == PRO_OK);
        receive_and_cancel(loop, &pair, &here);
        proi_thread_join(&thread);
        loop_end(loop);
    }
}

/* ---- accepting for a loop that goes ---- */

enum { OWNER_ROUNDS = 150 };

struct owner {
    const char *backend;
    struct pro_loop *loop; /* of the round */
    struct gate made, may_go, gone;
};

static void own_and_go(void *arg)
{
    struct owner *const it = arg;
    const struct pro_loop_options options = { .name = "owner", .backend = test_backend_name(it->backend) };
    struct team_member member = { .random = test_seed() };

    for (uint32_t i = 1; i <= OWNER_ROUNDS; i++) {
        struct pro_loop *loop = NULL;

        CHECK_EQ(pro_loop_new(&options, &loop), PRO_OK);
        CHECK(pro_loop_run_once(loop, 0) >= 0);
        it->loop = loop;
        gate_add(&it->made);
        gate_wait(&it->may_go, i);
        team_linger(&member, 20000);
        CHECK_EQ(pro_loop_free(loop), PRO_OK);
        gate_add(&it->gone);
    }
}

/* The connection belongs to the owner, and ends with it; or there is no owner any more, and it ends at once. */
static void accept_for(struct pro_loop *loop, struct owner *it)
{
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_socket listener, client, got;
    unsigned too_late = 0;

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
    for (uint32_t i = 1; i <= OWNER_ROUNDS; i++) {
        struct pro_op accept = { 0 }, op = { 0 };
        struct heard heard = { { 0 }, 0 };
        char byte;
        int code;

        gate_wait(&it->made, i);
        accept.user = &heard;
        REQUIRE(pro_then(pro_accept_for(&accept, &listener, it->loop, &got, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
        gate_add(&it->may_go);
        REQUIRE(loop_answer(loop, pro_connect(&op, loop, &addr, &client, PRO_HOW_DEFAULT)) == PRO_OK);
        while (!gate_count(&heard.gate))
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        CHECK(heard.result == PRO_OK || heard.result == PRO_E_LOOP_CLOSED);
        too_late += heard.result == PRO_E_LOOP_CLOSED;
        gate_wait(&it->gone, i);
        if (heard.result == PRO_OK)
            CHECK(!pro_socket_is_open(&got));
        code = (int)loop_answer(loop, pro_recv(&op, &client, &byte, 1, PRO_HOW_DEFAULT));
        CHECK(code == 0 || code == PRO_E_RESET);
        CHECK_EQ(loop_answer(loop, pro_close(&op, &client)), PRO_OK);
    }
    test_note("%s: %u of %u too late", pro_loop_backend(loop), too_late, (unsigned)OWNER_ROUNDS);
}

TEST(a_connection_accepted_for_a_loop_that_goes_is_not_left_open)
{
    /* Kills: using the backend of a loop that is closed meanwhile; a connection that nobody owns. */
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct owner owner = { .backend = *backend };
        struct proi_thread thread;
        struct pro_loop *loop;

        if (strcmp(*backend, "sim") == 0) /* each loop is a machine of its own there */
            continue;
        loop = loop_on(*backend, "acceptor", false);
        REQUIRE(proi_thread_start(&thread, "owner", own_and_go, &owner, 0) == PRO_OK);
        accept_for(loop, &owner);
        proi_thread_join(&thread);
        loop_end(loop);
    }
}
