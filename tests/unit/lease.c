/* SPDX-License-Identifier: MIT */
/* Leases: who may return them, where and how often; how many buffers there come to be; and that they are awaited like
 * anything else. (One operation in one situation: tests/contract/recv_lease.c.) */
#include <proact/proact.h>

#include <stdlib.h>

#include "gate.h"
#include "harness_system.h"
#include "loops.h"
#include "told.h"

enum { MESSAGE = 64, FIRST = 4, CHUNK = 16, LARGE = 1 << 20 };

static struct pro_loop *leasing_loop(const char *backend, unsigned bytes, unsigned most)
{
    const struct pro_loop_options options = { .backend = test_backend_name(backend),
                                              .lease_bytes = bytes,
                                              .lease_most = most };
    struct pro_loop *loop = NULL;

    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    return loop;
}

static void on_each(void (*check)(const char *backend))
{
    for (const char *const *backend = test_backends(); *backend; backend++)
        check(*backend);
}

/* A message of @fill is sent and received with a lease. */
static struct pro_lease message(struct pro_loop *loop, const struct pair *pair, int fill)
{
    char sent[MESSAGE];
    struct pro_op op = { 0 };
    struct pro_lease lease;

    memset(sent, fill, sizeof sent);
    REQUIRE(loop_answer(loop, pro_send_all(&op, &pair->client, sent, sizeof sent, PRO_HOW_DEFAULT)) == MESSAGE);
    REQUIRE(loop_answer(loop, pro_recv_lease(&op, &pair->server, &lease, PRO_HOW_DEFAULT)) == MESSAGE);
    CHECK_EQ(lease.size, MESSAGE);
    CHECK(memcmp(lease.data, sent, sizeof sent) == 0);
    return lease;
}

static struct pro_loop_stats stats_of(struct pro_loop *loop)
{
    struct pro_loop_stats stats;

    REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    return stats;
}

/* ---- receiving ---- */

static void ignore(struct pro_op *op) { (void)op; }

/* A message of @fill, or two at once, come before the receive, or after it has begun to wait. */
static void receive(struct pro_loop *loop, const struct pair *pair, int fill, bool waits, bool in_two)
{
    struct pro_op send = { 0 }, receive = { 0 };
    char sent[2 * MESSAGE];
    struct pro_lease lease;
    size_t length = 0;

    memset(sent, fill, sizeof sent);
    if (waits) {
        REQUIRE(pro_then(pro_recv_lease(&receive, &pair->server, &lease, PRO_HOW_DEFAULT), ignore) == PRO_OK);
        for (int i = 0; i < 3; i++)
            REQUIRE(pro_loop_run_once(loop, 0) >= 0);
        CHECK(receive.state != PRO_OP_IDLE);
    }
    REQUIRE(loop_answer(loop,
                        pro_send_all(&send, &pair->client, sent, in_two ? 2 * MESSAGE : MESSAGE, PRO_HOW_DEFAULT)) > 0);
    while (length < (in_two ? 2 * MESSAGE : MESSAGE)) { /* a buffer holds one message: the rest is there already */
        if (!waits || length)
            REQUIRE(pro_then(pro_recv_lease(&receive, &pair->server, &lease, PRO_HOW_DEFAULT), ignore) == PRO_OK);
        while (receive.state != PRO_OP_IDLE)
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        REQUIRE(receive.result > 0);
        CHECK(memcmp(lease.data, sent, lease.size) == 0);
        length += lease.size;
        CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    }
}

static void check_before_and_after(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, MESSAGE, 0);
    uint64_t random = test_seed();
    struct pair pair;

    loop_connect(loop, &pair);
    for (int i = 0; i < 64; i++)
        receive(loop, &pair, 'a' + i % 26, test_random(&random) & 1, test_random(&random) & 1);
    CHECK_EQ(stats_of(loop).leases, 0);
    loop_end(loop);
}

TEST(what_is_there_before_the_receive_and_what_comes_after_it_are_received_in_any_order)
{
    /* Kills: waiting for an event for what a full buffer has left behind, or for what came before the receive. */
    on_each(check_before_and_after);
}

/* ---- returning ---- */

static void check_copies(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, 0, 0);
    struct pair pair;
    struct pro_lease lease, copy, next;

    loop_connect(loop, &pair);
    lease = message(loop, &pair, 'a');
    copy = lease;
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    CHECK_EQ(stats_of(loop).leases, 0);
    CHECK_MISUSE(pro_lease_return(&copy), PRO_E_STATE);
    CHECK_EQ(stats_of(loop).leases, 0);
    for (int i = 0; i < 2 * CHUNK; i++) { /* until the same buffer is lent again */
        copy = next = message(loop, &pair, 'b');
        CHECK_EQ(pro_lease_return(&next), PRO_OK);
    }
    lease = message(loop, &pair, 'c');
    CHECK_MISUSE(pro_lease_return(&copy), PRO_E_STATE);
    CHECK_EQ(stats_of(loop).leases, 1);
    CHECK_EQ(*(char *)lease.data, 'c');
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    loop_end(loop);
}

TEST(a_lease_returned_twice_is_told_and_takes_nothing_from_its_next_holder)
{
    /* Kills: a return that does not look whose the buffer is now. */
    told_listen();
    on_each(check_copies);
    told_stop();
}

static void check_outlives(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, 0, 0);
    struct pro_loop *another;
    struct pair pair;
    struct pro_lease first, second, stale;
    char expected[MESSAGE], *taker;

    loop_connect(loop, &pair);
    first = message(loop, &pair, 'a');
    stale = second = message(loop, &pair, 'b');
    loop_end(loop);
    taker = malloc(LARGE); /* gets the memory, had it been freed */
    REQUIRE(taker != NULL);
    memset(taker, 0xdd, LARGE);
    memset(expected, 'a', sizeof expected);
    CHECK(memcmp(first.data, expected, sizeof expected) == 0);
    CHECK_EQ(pro_lease_return(&first), PRO_OK);
    memset(expected, 'b', sizeof expected);
    CHECK(memcmp(second.data, expected, sizeof expected) == 0);
    free(taker);
    CHECK_EQ(pro_lease_return(&second), PRO_OK); /* the last: the memory goes */
    another = leasing_loop(backend, 0, 0);       /* may get the records */
    loop_connect(another, &pair);
    first = message(another, &pair, 'c');
    CHECK_MISUSE(pro_lease_return(&stale), PRO_E_STATE);
    CHECK_EQ(stats_of(another).leases, 1);
    CHECK_EQ(pro_lease_return(&first), PRO_OK);
    loop_end(another);
}

TEST(a_lease_outlives_its_loop_and_is_returned_all_the_same)
{
    /* Kills: buffers that are freed with the loop while somebody reads them; a return into a pool that is gone. */
    told_listen();
    on_each(check_outlives);
    told_stop();
}

/* ---- on another thread ---- */

static struct {
    struct pro_lease lease;
    struct gate returned;
    int answer;
} elsewhere;

static void return_elsewhere(void *arg)
{
    (void)arg;
    elsewhere.answer = pro_lease_return(&elsewhere.lease);
    gate_add(&elsewhere.returned);
}

static void check_elsewhere(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, 0, 1);
    struct proi_thread thread;
    struct pair pair;
    struct pro_op op = { 0 };
    struct heard heard = { { 0 }, 0 };
    struct pro_lease second;

    loop_connect(loop, &pair);
    elsewhere.lease = message(loop, &pair, 'a');
    elsewhere.returned = (struct gate){ 0 };
    REQUIRE(loop_answer(loop, pro_send(&op, &pair.client, "bb", 2, PRO_HOW_DEFAULT)) == 2);
    op.user = &heard;
    REQUIRE(pro_then(pro_recv_lease(&op, &pair.server, &second, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
    for (int i = 0; i < 3; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(gate_count(&heard.gate), 0); /* the only buffer is out */
    REQUIRE(proi_thread_start(&thread, "returns", return_elsewhere, NULL, 0) == PRO_OK);
    while (!gate_count(&heard.gate))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    proi_thread_join(&thread);
    CHECK_EQ(elsewhere.answer, PRO_OK);
    CHECK_EQ(heard.result, 2);
    CHECK_EQ(pro_lease_return(&second), PRO_OK);
    CHECK_EQ(stats_of(loop).leases, 0);
    CHECK_EQ(stats_of(loop).lease_buffers, 1);
    loop_end(loop);
}

TEST(a_lease_returned_on_another_thread_wakes_the_loop_and_who_waits_for_a_buffer)
{
    /* Kills: a pool that two threads change; a buffer that comes home and nobody is told. */
    on_each(check_elsewhere);
}

static void check_late(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, 0, 0);
    struct proi_thread thread;
    struct pair pair;

    loop_connect(loop, &pair);
    elsewhere.lease = message(loop, &pair, 'a');
    elsewhere.returned = (struct gate){ 0 };
    REQUIRE(proi_thread_start(&thread, "returns", return_elsewhere, NULL, 0) == PRO_OK);
    loop_end(loop); /* before, while or after the other thread returns it */
    gate_wait(&elsewhere.returned, 1);
    proi_thread_join(&thread);
    CHECK_EQ(elsewhere.answer, PRO_OK);
}

TEST(a_lease_returned_while_its_loop_is_freed_is_taken_by_one_of_them)
{
    /* Kills: memory that both free, or neither. */
    for (int i = 0; i < 20; i++)
        on_each(check_late);
}

static int64_t background_answer(struct pro_op *op)
{
    struct heard heard = { { 0 }, 0 };

    op->user = &heard;
    REQUIRE(pro_then(op, heard_op) == PRO_OK);
    gate_wait(&heard.gate, 1);
    return heard.result;
}

TEST(leases_of_the_background_loop_are_returned_from_anywhere)
{
    /* Kills: a buffer that comes home only on its loop's own thread: after 1,024 of them nothing would be received any
     * more. */
    enum { ROUNDS = 1100 };
    struct pro_loop *const loop = pro_loop_default();
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_op op = { 0 }, accept = { 0 };
    struct heard accepted = { { 0 }, 0 };
    struct pair pair;
    struct pro_lease lease;

    REQUIRE(loop && pro_listen(loop, &addr, NULL, &pair.listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&pair.listener, &addr) == PRO_OK);
    accept.user = &accepted;
    REQUIRE(pro_then(pro_accept(&accept, &pair.listener, &pair.server, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
    REQUIRE(background_answer(pro_connect(&op, loop, &addr, &pair.client, PRO_HOW_DEFAULT)) == PRO_OK);
    gate_wait(&accepted.gate, 1);
    REQUIRE(accepted.result == PRO_OK);
    for (int i = 0; i < ROUNDS; i++) {
        REQUIRE(background_answer(pro_send(&op, &pair.client, "x", 1, PRO_HOW_DEFAULT)) == 1);
        REQUIRE(background_answer(pro_recv_lease(&op, &pair.server, &lease, PRO_HOW_DEFAULT)) == 1);
        CHECK_EQ(*(char *)lease.data, 'x');
        CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    }
    CHECK_EQ(background_answer(pro_close(&op, &pair.client)), PRO_OK);
    CHECK_EQ(background_answer(pro_close(&op, &pair.server)), PRO_OK);
    CHECK_EQ(background_answer(pro_close(&op, &pair.listener)), PRO_OK);
}

/* ---- how many there are ---- */

static void check_growth(const char *backend)
{
    enum { MOST = 100 }; /* more than are made for a line */
    struct pro_loop *const loop = leasing_loop(backend, MESSAGE, MOST);
    struct pair pair;
    struct pro_lease leases[MOST];

    loop_connect(loop, &pair);
    CHECK_EQ(stats_of(loop).lease_buffers, 0);
    for (int i = 0; i < 10 * CHUNK; i++) {
        leases[0] = message(loop, &pair, 'a' + i % 26);
        CHECK_EQ(pro_lease_return(&leases[0]), PRO_OK);
    }
    CHECK_EQ(stats_of(loop).lease_buffers, FIRST);
    for (int i = 0; i < MOST; i++) {
        leases[i] = message(loop, &pair, 'a' + i % 26);
        CHECK_EQ(stats_of(loop).leases, i + 1);
        CHECK(stats_of(loop).lease_buffers <= MOST);
        CHECK(stats_of(loop).lease_buffers >= stats_of(loop).leases);
        CHECK(stats_of(loop).lease_buffers <= stats_of(loop).leases + (i / 4 > FIRST ? (size_t)i / 4 : FIRST));
    }
    CHECK_EQ(stats_of(loop).lease_buffers, MOST);
    for (int i = 0; i < MOST; i++) {
        CHECK_EQ(*(char *)leases[i].data, 'a' + i % 26);
        CHECK_EQ(pro_lease_return(&leases[i]), PRO_OK);
    }
    loop_end(loop);
}

TEST(buffers_are_made_when_all_are_lent_and_never_more_than_allowed)
{
    /* Kills: a buffer lost on its way round; one buffer lent twice; growing without need, or beyond lease_most;
       waiting for what the program keeps. */
    on_each(check_growth);
}

TEST(sizes_of_leases_that_make_no_sense_are_refused)
{
    /* Kills: a ring of 2^32 buffers; a buffer of one byte. */
    static const struct pro_loop_options wrong[] = {
        { .lease_bytes = 1 },
        { .lease_bytes = (16 << 20) + 1 },
        { .lease_most = 32769 },
    };
    struct pro_loop *loop = NULL;

    told_listen();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_MISUSE(pro_loop_new(&wrong[i], &loop), PRO_E_INVALID);
    CHECK(!loop);
    told_stop();
}

/* ---- awaited ---- */

enum { LINES = 100 };

struct echo {
    PRO_FRAME;
    const struct pro_socket *socket;
    struct pro_op op;
    struct pro_lease lease;
    size_t total;
};

PRO_ASYNC(echo_move_next, struct echo, self)
    for (;;) {
        PRO_AWAIT(pro_recv_lease(&self->op, self->socket, &self->lease, PRO_HOW_DEFAULT));
        if (self->op.result == 0)
            break;
        self->total += self->lease.size;
        PRO_AWAIT(pro_send_all(&self->op, self->socket, self->lease.data, self->lease.size, PRO_HOW_DEFAULT));
        pro_lease_return(&self->lease);
    }
    PRO_RETURN(size_t, self->total);
    PRO_FINALLY
    pro_lease_return(&self->lease);
PRO_ASYNC_END

struct client {
    PRO_FRAME;
    const struct pro_socket *socket;
    struct pro_op op;
    struct pro_lease lease;
    char line[32];
    int i;
    size_t left;
};

PRO_ASYNC(client_move_next, struct client, self)
    for (self->i = 0; self->i < LINES; self->i++) {
        snprintf(self->line, sizeof self->line, "line %d, and so on", self->i);
        self->left = strlen(self->line);
        PRO_AWAIT(pro_send_all(&self->op, self->socket, self->line, self->left, PRO_HOW_DEFAULT));
        while (self->left > 0) { /* as a task, for a change */
            PRO_AWAIT(pro_op_as_task(pro_recv_lease(&self->op, self->socket, &self->lease, PRO_HOW_DEFAULT)));
            CHECK(memcmp(self->lease.data, self->line + strlen(self->line) - self->left, self->lease.size) == 0);
            self->left -= self->lease.size;
            pro_lease_return(&self->lease);
        }
    }
    PRO_AWAIT(pro_shutdown(&self->op, self->socket, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
PRO_ASYNC_END

struct both {
    struct pair pair;
    struct pro_task *echo, *client;
};

static void start_both(void *arg)
{
    struct both *const both = arg;
    struct echo *const echo = PRO_NEW_FRAME(struct echo, echo_move_next, size_t);
    struct client *const client = PRO_NEW_FRAME_VOID(struct client, client_move_next);

    REQUIRE(echo && client);
    echo->socket = &both->pair.server;
    client->socket = &both->pair.client;
    both->echo = PRO_START(echo);
    both->client = PRO_START(client);
}

static void check_awaited(const char *backend)
{
    struct pro_loop *const loop = leasing_loop(backend, 0, 0);
    struct both both = { .echo = NULL };
    size_t total = 0;

    loop_connect(loop, &both.pair);
    REQUIRE(pro_loop_post(loop, start_both, &both) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(pro_loop_run_until(loop, both.client), PRO_OK);
    CHECK_EQ(pro_loop_run_until(loop, both.echo), PRO_OK);
    CHECK_EQ(pro_error_code(pro_task_error(both.client)), PRO_OK);
    CHECK_EQ(PRO_GET_RESULT(both.echo, &total), PRO_OK);
    CHECK_EQ(total, 10 * 17 + 90 * 18);
    CHECK_EQ(stats_of(loop).leases, 0);
    pro_task_unref(both.echo);
    pro_task_unref(both.client);
    loop_end(loop);
}

TEST(a_leased_receive_is_awaited_like_any_operation)
{
    /* Kills: a lease that is written after the method went on. */
    on_each(check_awaited);
}
