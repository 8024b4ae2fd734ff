/* SPDX-License-Identifier: MIT */
/* Sockets through which much goes: what is tried at once must come out as if it had waited for its turn. On every
 * backend; which socket is served how long is io_uring's own. */
#include <proact/proact.h>

#include <stdlib.h>

#include "loops.h"
#include "proactor/backend.h"

enum { PIECE = 65536, LESS = 2 * PROI_MUCH, MUCH = 8 << 20, IN_A_ROW = 32 };

static void on_each(void (*check)(struct pro_loop *loop))
{
    for (const char *const *backend = test_backends(); *backend; backend++) {
        const struct pro_loop_options options = { .backend = test_backend_name(*backend), .lease_bytes = PROI_MUCH };
        struct pro_loop *loop = NULL;

        REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
        check(loop);
        loop_end(loop);
    }
}

static unsigned char byte_at(size_t position) { return (unsigned char)(position * 31 + (position >> 11)); }

static char *pattern_new(size_t length)
{
    char *const bytes = malloc(length);

    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)byte_at(i);
    return bytes;
}

static size_t errors_in(const void *data, size_t length, size_t position)
{
    size_t errors = 0;

    for (size_t i = 0; i < length; i++)
        errors += ((const unsigned char *)data)[i] != byte_at(position + i);
    return errors;
}

/* ---- one socket after the other ---- */

/* A socket that receives all its peer sends, as fast as it comes. */
struct flow {
    struct pair pair;
    struct pro_op send, receive;
    struct pro_lease lease;
    char *buffer; /* NULL: leases */
    size_t received, errors;
    bool over;
};
static struct flow flows[2];
static struct {
    const struct flow *last;
    unsigned in_a_row, longest; /* pieces of one flow while the other had more to come */
} order;

static void note_piece(const struct flow *flow)
{
    if (flows[0].over || flows[1].over)
        return;
    order.in_a_row = flow == order.last ? order.in_a_row + 1 : 1;
    order.last = flow;
    if (order.in_a_row > order.longest)
        order.longest = order.in_a_row;
}

static void on_received(struct pro_op *op);

static void receive(struct flow *flow)
{
    struct pro_op *const op = flow->buffer
                                  ? pro_recv(&flow->receive, &flow->pair.server, flow->buffer, PIECE, PRO_HOW_DEFAULT)
                                  : pro_recv_lease(&flow->receive, &flow->pair.server, &flow->lease, PRO_HOW_DEFAULT);

    op->user = flow;
    CHECK_EQ(pro_then(op, on_received), PRO_OK);
}

static void on_received(struct pro_op *op)
{
    struct flow *const flow = op->user;

    CHECK(op->result >= 0);
    if (op->result <= 0) {
        flow->over = true;
        return;
    }
    flow->errors += errors_in(flow->buffer ? flow->buffer : flow->lease.data, (size_t)op->result, flow->received);
    flow->received += (size_t)op->result;
    note_piece(flow);
    if (!flow->buffer)
        CHECK_EQ(pro_lease_return(&flow->lease), PRO_OK);
    receive(flow);
}

static void ignore(struct pro_op *op) { (void)op; }

static void on_sent(struct pro_op *op)
{
    struct flow *const flow = op->user;

    CHECK_EQ(op->result, MUCH);
    CHECK_EQ(pro_then(pro_shutdown(op, &flow->pair.client, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT), ignore), PRO_OK);
}

/* Both are sent @MUCH, and receive it. */
static void run_flows(struct pro_loop *loop, char *bytes, bool leased)
{
    memset(&order, 0, sizeof order);
    for (int i = 0; i < 2; i++) {
        memset(&flows[i], 0, sizeof flows[i]);
        loop_connect(loop, &flows[i].pair);
        flows[i].buffer = leased ? NULL : malloc(PIECE);
        REQUIRE(leased || flows[i].buffer);
        flows[i].send.user = &flows[i];
        CHECK_EQ(pro_then(pro_send_all(&flows[i].send, &flows[i].pair.client, bytes, MUCH, PRO_HOW_DEFAULT), on_sent),
                 PRO_OK);
        receive(&flows[i]);
    }
    for (int i = 0; i < 2; i++) {
        while (!flows[i].over)
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        CHECK_EQ(flows[i].received, MUCH);
        CHECK_EQ(flows[i].errors, 0);
        free(flows[i].buffer);
    }
}

static void check_flows(struct pro_loop *loop)
{
    char *const bytes = pattern_new(MUCH);
    struct pro_loop_stats stats;

    for (int leased = 0; leased < 2; leased++) {
        run_flows(loop, bytes, leased);
        if (strcmp(pro_loop_backend(loop), "io_uring") == 0)
            CHECK(order.longest >= 4 && order.longest <= 2 * IN_A_ROW + 2);
    }
    REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    CHECK_EQ(stats.leases, 0);
    free(bytes);
}

TEST(a_socket_that_much_comes_from_is_emptied_before_the_next_but_not_for_ever)
{
    /* Kills: a piece from each in turn; one socket that has the loop to itself while more comes. */
    on_each(check_flows);
}

/* Makes @to expect more: it gets much, and then more at once, all that there is. */
static void receive_much(struct pro_loop *loop, const struct pro_socket *from, const struct pro_socket *to)
{
    char *const bytes = pattern_new(LESS);
    struct pro_op op = { 0 };
    struct pro_lease lease;

    REQUIRE(loop_answer(loop, pro_send_all(&op, from, bytes, LESS, PRO_HOW_DEFAULT)) == LESS);
    for (size_t received = 0; received < LESS; received += PROI_MUCH) {
        REQUIRE(loop_answer(loop, pro_recv_lease(&op, to, &lease, PRO_HOW_DEFAULT)) == PROI_MUCH);
        CHECK_EQ(errors_in(lease.data, lease.size, received), 0);
        CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    }
    if (strcmp(pro_loop_backend(loop), "io_uring") == 0)
        CHECK(to->handle->eager);
    free(bytes);
}

/* ---- what goes in part ---- */

/* The send is begun before anything is received: where the system takes a part, a part is what goes at once. */
static struct {
    struct pair pair;
    struct pro_op part, rest;
    char *bytes;
    size_t sent;
    bool over;
} parts;

static void on_rest_sent(struct pro_op *op)
{
    CHECK_EQ(op->result, MUCH - parts.sent);
    parts.over = true;
}

static void on_part_sent(struct pro_op *op)
{
    REQUIRE(op->result > 0 && op->result <= MUCH);
    CHECK_EQ(op->transferred, op->result);
    parts.sent = (size_t)op->result;
    if (parts.sent == MUCH)
        parts.over = true;
    else
        CHECK_EQ(pro_then(pro_send_all(&parts.rest, &parts.pair.client, parts.bytes + parts.sent, MUCH - parts.sent,
                                       PRO_HOW_DEFAULT),
                          on_rest_sent),
                 PRO_OK);
}

static void check_parts(struct pro_loop *loop)
{
    static char in[PIECE];
    size_t received = 0, errors = 0;
    struct pro_op receive = { 0 };

    memset(&parts, 0, sizeof parts);
    parts.bytes = pattern_new(MUCH);
    loop_connect(loop, &parts.pair);
    receive_much(loop, &parts.pair.server, &parts.pair.client);
    CHECK_EQ(pro_then(pro_send(&parts.part, &parts.pair.client, parts.bytes, MUCH, PRO_HOW_DEFAULT), on_part_sent),
             PRO_OK);
    while (received < MUCH) {
        REQUIRE(loop_answer(loop, pro_recv(&receive, &parts.pair.server, in, sizeof in, PRO_HOW_DEFAULT)) > 0);
        errors += errors_in(in, (size_t)receive.result, received);
        received += (size_t)receive.result;
    }
    while (!parts.over)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(received, MUCH);
    CHECK_EQ(errors, 0);
    if (strcmp(pro_loop_backend(loop), "io_uring") == 0)
        CHECK(parts.sent < MUCH);
    free(parts.bytes);
}

TEST(a_large_send_that_went_in_part_goes_on_where_it_stopped)
{
    /* Kills: the part that went at once sent again, or left out of the result; a short send that takes itself for
       whole. */
    on_each(check_parts);
}

/* ---- what comes in which order ---- */
static struct {
    struct pro_loop *loop;
    struct pair pair;
    struct pro_op first, second, sends[3];
    char *bytes;
    char letters[8]; /* of what was delivered, in this order */
    uint64_t turns[8];
} order_of;

static void note_letter(struct pro_op *op)
{
    const size_t count = strlen(order_of.letters);
    struct pro_loop_stats stats;

    REQUIRE(count + 1 < sizeof order_of.letters && pro_loop_get_stats(order_of.loop, &stats) == PRO_OK);
    order_of.letters[count] = *(const char *)op->user;
    order_of.turns[count] = stats.turns;
}

static void start_sends(struct pro_op *op)
{
    note_letter(op);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pro_then(pro_send_all(&order_of.sends[i], &order_of.pair.server, order_of.bytes + i * PROI_MUCH,
                                       PROI_MUCH, PRO_HOW_DEFAULT),
                          note_letter),
                 PRO_OK);
}

static void order_begin(struct pro_loop *loop)
{
    memset(&order_of, 0, sizeof order_of);
    order_of.loop = loop;
    order_of.bytes = pattern_new(3 * PROI_MUCH);
    loop_connect(loop, &order_of.pair);
    receive_much(loop, &order_of.pair.client, &order_of.pair.server);
}

/* Two sleeps that are due together; the first starts three large sends where more is expected. */
static void check_deliveries(struct pro_loop *loop)
{
    static char names[] = "ab123";

    order_begin(loop);
    order_of.first.user = &names[0];
    order_of.second.user = &names[1];
    for (int i = 0; i < 3; i++)
        order_of.sends[i].user = &names[2 + i];
    CHECK_EQ(pro_then(pro_sleep(&order_of.first, loop, 0, PRO_HOW_DEFAULT), start_sends), PRO_OK);
    CHECK_EQ(pro_then(pro_sleep(&order_of.second, loop, 0, PRO_HOW_DEFAULT), note_letter), PRO_OK);
    while (strlen(order_of.letters) < 5)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK(memcmp(order_of.letters, "ab", 2) == 0);
    CHECK(order_of.turns[2] > order_of.turns[0]);
    if (strcmp(pro_loop_backend(loop), "sim") != 0) /* that one draws what comes first */
        CHECK(strcmp(order_of.letters, "ab123") == 0);
    free(order_of.bytes);
}

TEST(large_sends_that_a_delivery_starts_come_in_later_turns_in_order_and_after_timers)
{
    /* Kills: what was moved at once delivered in the same turn, or the last first, or before a timer that is due. */
    on_each(check_deliveries);
}

/* Two sockets with three pieces each, all there before the first is received. */
enum { PIECES = 3 };
static struct {
    struct pair pair;
    struct pro_op receive;
    char in[PROI_MUCH];
    char name;
    int pieces;
} queued[2];
static char pieces_in_order[2 * PIECES + 1];

static void on_piece(struct pro_op *op);

static void receive_piece(int i)
{
    CHECK_EQ(pro_then(pro_recv(&queued[i].receive, &queued[i].pair.server, queued[i].in, PROI_MUCH, PRO_HOW_DEFAULT),
                      on_piece),
             PRO_OK);
}

static void on_piece(struct pro_op *op)
{
    const int i = op == &queued[1].receive;

    CHECK_EQ(op->result, PROI_MUCH);
    pieces_in_order[strlen(pieces_in_order)] = queued[i].name;
    if (++queued[i].pieces < PIECES)
        receive_piece(i);
}

static void check_one_after_the_other(struct pro_loop *loop)
{
    char *const bytes = pattern_new(PIECES * PROI_MUCH);
    struct pro_op send = { 0 };

    memset(queued, 0, sizeof queued);
    memset(pieces_in_order, 0, sizeof pieces_in_order);
    for (int i = 0; i < 2; i++) {
        queued[i].name = "ab"[i];
        loop_connect(loop, &queued[i].pair);
        REQUIRE(loop_answer(loop, pro_send_all(&send, &queued[i].pair.client, bytes, PIECES * PROI_MUCH,
                                               PRO_HOW_DEFAULT)) == PIECES * PROI_MUCH);
    }
    receive_piece(0);
    receive_piece(1);
    while (strlen(pieces_in_order) < 2 * PIECES)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    if (strcmp(pro_loop_backend(loop), "io_uring") == 0)
        CHECK(strcmp(pieces_in_order, "aaabbb") == 0);
    free(bytes);
}

TEST(what_is_there_is_received_from_one_socket_before_the_next)
{
    /* Kills: going on with the others in the turn in which more was moved, or in those that deliver it. */
    on_each(check_one_after_the_other);
}

static void check_not_overtaken(struct pro_loop *loop)
{
    struct pro_op receive = { 0 };
    char in[4];

    order_begin(loop);
    CHECK_EQ(pro_then(pro_send(&order_of.sends[0], &order_of.pair.server, "1st.", 4, PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_then(pro_send(&order_of.sends[1], &order_of.pair.server, order_of.bytes, PROI_MUCH, PRO_HOW_DEFAULT),
                      ignore),
             PRO_OK);
    REQUIRE(loop_answer(loop, pro_recv(&receive, &order_of.pair.client, in, 4, PRO_HOW_DEFAULT)) == 4);
    CHECK(memcmp(in, "1st.", 4) == 0);
    while (order_of.sends[0].state != PRO_OP_IDLE || order_of.sends[1].state != PRO_OP_IDLE)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    free(order_of.bytes);
}

TEST(a_large_send_does_not_overtake_a_small_one)
{
    /* Kills: trying it at once while the small one waits to be submitted. */
    on_each(check_not_overtaken);
}

/* ---- what a try at once may find instead of bytes ---- */

static void check_nothing(struct pro_loop *loop)
{
    struct pro_op send = { 0 }, receive = { 0 };
    struct pro_loop_stats stats;
    struct pro_lease lease;
    struct pair pair;

    loop_connect(loop, &pair);
    receive_much(loop, &pair.client, &pair.server);
    CHECK_EQ(pro_then(pro_recv_lease(&receive, &pair.server, &lease, PRO_HOW_DEFAULT), ignore), PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK(receive.state != PRO_OP_IDLE);
    REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    CHECK_EQ(stats.leases, 0);
    REQUIRE(loop_answer(loop, pro_send_all(&send, &pair.client, "late", 4, PRO_HOW_DEFAULT)) == 4);
    while (receive.state != PRO_OP_IDLE)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(receive.result, 4);
    CHECK(memcmp(lease.data, "late", 4) == 0);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
}

TEST(a_receive_after_much_that_finds_nothing_waits_without_a_buffer)
{
    /* Kills: a buffer that a try without result keeps; "would block" told to the program. */
    on_each(check_nothing);
}

static void check_ends(struct pro_loop *loop)
{
    struct pro_op close = { 0 }, receive = { 0 };
    struct pair pair;
    char in[10];

    for (int abortive = 0; abortive < 2; abortive++) {
        loop_connect(loop, &pair);
        receive_much(loop, &pair.client, &pair.server);
        REQUIRE(pro_socket_set_abortive(&pair.client, abortive) == PRO_OK);
        CHECK_EQ(loop_answer(loop, pro_close(&close, &pair.client)), PRO_OK);
        CHECK_EQ(loop_answer(loop, pro_recv(&receive, &pair.server, in, sizeof in, PRO_HOW_DEFAULT)),
                 abortive ? PRO_E_RESET : 0);
    }
}

TEST(the_end_and_a_reset_after_much_are_told_once)
{
    /* Kills: an error that a try found, and the ring is asked for again. */
    on_each(check_ends);
}

static void check_canceled(struct pro_loop *loop)
{
    char *const bytes = pattern_new(100);
    struct pro_cancellation_source *source;
    struct pro_op send = { 0 }, receive = { 0 };
    struct pro_how how = { 0 };
    struct pro_lease lease;
    struct pair pair;

    loop_connect(loop, &pair);
    receive_much(loop, &pair.client, &pair.server);
    REQUIRE(loop_answer(loop, pro_send_all(&send, &pair.client, bytes, 100, PRO_HOW_DEFAULT)) == 100);
    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    how.token = pro_cancellation_source_token(source);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_recv_lease(&receive, &pair.server, &lease, how)), PRO_E_CANCELED);
    CHECK_EQ(loop_answer(loop, pro_recv_lease(&receive, &pair.server, &lease, PRO_HOW_DEFAULT)), 100);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    pro_cancellation_source_unref(source);
    free(bytes);
}

TEST(a_receive_that_is_canceled_already_takes_nothing_where_more_is_expected)
{
    /* Kills: a try before the token is looked at. */
    on_each(check_canceled);
}
