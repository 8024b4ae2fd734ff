/* SPDX-License-Identifier: MIT */
/* Receiving and sending, in every situation (contract.h). */
#include "contract.h"

/* More than any pair of socket buffers holds, so that it cannot all go while nobody reads. */
enum { FLOOD = 16 << 20, SMALL_BUFFER = 16384, CHUNK = 65536 };

static unsigned char flood[FLOOD];
static unsigned char bytes[CHUNK];

static unsigned char pattern(size_t position) { return (unsigned char)(position * 31 + position / 251); }

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof flood; i++)
        flood[i] = pattern(i);
}

static struct pro_op *close_client(struct contract *contract, struct pro_op *op)
{
    return pro_close(op, &contract->client);
}

/* Sends @length bytes of the pattern from the server's end. */
static void feed(struct contract *contract, size_t length)
{
    struct contract_op it = { 0 };

    contract_start_bytes(contract, &it, length,
                         pro_send_all(&it.op, &contract->server, flood, length, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    REQUIRE(it.op.result == (int64_t)length);
}

/* ---- recv ---- */

static void start_recv(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start_bytes(contract, it, 16, pro_recv(&it->op, &contract->client, bytes, 16, how));
}

static void recv_success(struct contract *contract)
{
    /* Kills: a receive that is only woken by what comes after it, or only by what was there; a timer that stays armed.
     */
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    start_recv(contract, &it, PRO_WITHIN(PRO_S(1000)));
    contract_turns(contract);
    CHECK_EQ(it.delivered, 0);
    feed(contract, 16);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(memcmp(bytes, flood, 16) == 0);
    feed(contract, 16);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static void recv_short(struct contract *contract)
{
    /* Kills: waiting until the buffer is full. */
    static struct contract_op it;

    contract_pair(contract);
    feed(contract, 3);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(it.op.result >= 1 && it.op.result <= 3);
    CHECK(memcmp(bytes, flood, (size_t)it.op.result) == 0);
    contract_close_pair(contract);
}

static void recv_deadline(struct contract *contract)
{
    /* Kills: a timer that ends the op while the kernel still owns the buffer. */
    contract_pair(contract);
    contract_deadline(contract, start_recv, PRO_MS(1));
    contract_close_pair(contract);
}

/* What the simulated kernel gives late is too late. */
static void recv_at_once(struct contract *contract)
{
    /* Kills: a deadline that has passed and ends an operation before it is tried. */
    static struct contract_op first, rest, none;

    contract_pair(contract);
    feed(contract, 16);
    contract_start_bytes(contract, &first, 1, pro_recv(&first.op, &contract->client, bytes, 1, PRO_HOW_DEFAULT));
    contract_wait(contract, &first); /* so the others are there, too */
    contract_start_bytes(contract, &rest, 15, pro_recv(&rest.op, &contract->client, bytes, 15, PRO_AT_ONCE));
    contract_wait(contract, &rest);
    contract_check(contract, &rest);
    if (rest.op.result == 15) {
        start_recv(contract, &none, PRO_AT_ONCE);
        contract_wait(contract, &none);
        CHECK_EQ(none.op.result, PRO_E_TIMEOUT);
    }
    contract_close_pair(contract);
}

static void recv_cancel_before(struct contract *contract)
{
    /* Kills: submitting although the token is cancelled. */
    contract_pair(contract);
    contract_cancel_before(contract, start_recv);
    contract_close_pair(contract);
}

static void recv_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled receive that eats what comes later. */
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    contract_cancel_pending(contract, NULL, start_recv, NULL);
    feed(contract, 16);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    CHECK_EQ(it.op.result, 16);
    CHECK(memcmp(bytes, flood, 16) == 0);
    contract_close_pair(contract);
}

static void recv_close_pending(struct contract *contract)
{
    /* Kills: closing the descriptor under a receive. */
    contract_pair(contract);
    contract_close_pending(contract, start_recv, close_client);
    contract_close_pair(contract);
}

static void recv_peer_gone(struct contract *contract)
{
    /* Kills: an end of the stream told once and then never again. */
    static struct contract_op it;

    contract_pair(contract);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_turns(contract);
    contract_close(contract, &contract->server);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static void recv_peer_reset(struct contract *contract)
{
    /* Kills: taking a reset for the end of the stream, which would make cut data look whole. */
    static struct contract_op it;

    contract_pair(contract);
    start_recv(contract, &it, PRO_HOW_DEFAULT);
    contract_turns(contract);
    contract_abort(contract, &contract->server);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static bool recv_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;
    struct pro_how how = PRO_HOW_DEFAULT;
    const struct pro_socket *from = &contract->client;
    void *buffer = bytes;
    size_t length = 16;

    if (index == 0)
        from = &never_opened;
    else if (index == 1)
        from = NULL;
    else if (index == 2)
        from = &contract->listener;
    else if (index == 3)
        buffer = NULL;
    else if (index == 4)
        length = 0;
    else if (index == 5)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it, pro_recv(&it->op, from, buffer, length, how));
    return true;
}

static void recv_bad_argument(struct contract *contract)
{
    /* Kills: a receive of nothing that looks like the end of the stream. */
    contract_pair(contract);
    contract_listen(contract, 0);
    contract_bad_arguments(contract, recv_start_bad);
    contract_close(contract, &contract->listener);
    contract_close_pair(contract);
}

static void recv_after_close(struct contract *contract)
{
    /* Kills: following a value whose handle belongs to somebody else now. */
    contract_pair(contract);
    contract_close(contract, &contract->client);
    contract_after_close(contract, start_recv);
    contract_close_pair(contract);
}

static void recv_many(struct contract *contract)
{
    /* Kills: losing receives of one socket, or a byte between two of them. */
    static struct contract_op all[CONTRACT_MANY];
    unsigned expected[256] = { 0 }, got[256] = { 0 };

    fill_pattern();
    contract_pair(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        expected[flood[i]]++;
        contract_start_bytes(contract, &all[i], 1,
                             pro_recv(&all[i].op, &contract->client, &bytes[i], 1, PRO_HOW_DEFAULT));
    }
    contract_turns(contract);
    feed(contract, CONTRACT_MANY);
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &all[i]);
        got[bytes[i]]++;
    }
    CHECK(memcmp(expected, got, sizeof got) == 0);
    contract_close_pair(contract);
}

/* ---- send and send_all ---- */

static bool is_send_all(const struct contract *contract) { return strcmp(contract->row->op, "send_all") == 0; }

static void start_send_bytes(struct contract *contract, struct contract_op *it, size_t length, struct pro_how how)
{
    if (is_send_all(contract))
        contract_start_bytes(contract, it, length, pro_send_all(&it->op, &contract->client, flood, length, how));
    else
        contract_start_bytes(contract, it, length, pro_send(&it->op, &contract->client, flood, length, how));
}

/* Nobody reads: it pends once the buffers are full. */
static void start_flood(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    start_send_bytes(contract, it, FLOOD, how);
}

static void start_small(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    start_send_bytes(contract, it, 64, how);
}

static void small_pair(struct contract *contract)
{
    contract_pair(contract);
    CHECK_EQ(pro_socket_set_buffers(&contract->client, SMALL_BUFFER, SMALL_BUFFER), PRO_OK);
    CHECK_EQ(pro_socket_set_buffers(&contract->server, SMALL_BUFFER, SMALL_BUFFER), PRO_OK);
}

/* Nothing more fits: the next send pends. A timeout is the proof, for how much fits differs. */
static void full_pair(struct contract *contract)
{
    static struct contract_op it;

    small_pair(contract);
    do {
        start_flood(contract, &it, PRO_WITHIN(PRO_MS(20)));
        contract_wait(contract, &it);
        REQUIRE(it.op.result >= 0 || it.op.result == PRO_E_TIMEOUT);
    } while (it.op.result >= 0);
}

/* Reads at the server's end, and compares, until @it is over and all it sent has come; how much that was. */
static size_t drain(struct contract *contract, struct contract_op *it)
{
    static struct contract_op reading;
    size_t received = 0;

    while (!it->delivered || received < it->op.transferred) {
        contract_start_bytes(contract, &reading, sizeof bytes,
                             pro_recv(&reading.op, &contract->server, bytes, sizeof bytes, PRO_HOW_DEFAULT));
        while (!reading.delivered) {
            REQUIRE(pro_loop_run_once(contract->loop, PRO_INFINITE) >= 0);
            if (!reading.delivered && it->delivered && received == it->op.transferred)
                pro_op_cancel(&reading.op);
        }
        if (reading.op.result == PRO_E_CANCELED)
            break;
        REQUIRE(reading.op.result > 0 && received + reading.op.transferred <= FLOOD);
        CHECK(memcmp(bytes, flood + received, reading.op.transferred) == 0);
        received += reading.op.transferred;
    }
    return received;
}

static void send_success(struct contract *contract)
{
    /* Kills: sending from the wrong place, or twice. */
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    start_small(contract, &it, PRO_HOW_DEFAULT);
    CHECK_EQ(drain(contract, &it), 64);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

/* Much more than fits, while the other end reads: a send may stop early, a send_all goes on until all is there. */
static void send_short(struct contract *contract)
{
    /* Kills: a send_all that sends the first part again, or skips one, after a short trip. */
    static struct contract_op it;

    fill_pattern();
    small_pair(contract);
    start_flood(contract, &it, PRO_HOW_DEFAULT);
    CHECK_EQ(drain(contract, &it), it.op.transferred);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static void send_deadline(struct contract *contract)
{
    /* Kills: forgetting, on a timeout, how much has gone. */
    small_pair(contract);
    contract_deadline(contract, start_flood, PRO_MS(20));
    contract_close_pair(contract);
}

static void send_at_once(struct contract *contract)
{
    /* Kills: the same. */
    static struct contract_op it;

    contract_pair(contract);
    start_small(contract, &it, PRO_AT_ONCE);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static void send_cancel_before(struct contract *contract)
{
    /* Kills: a first part that leaves before the token is asked. */
    contract_pair(contract);
    contract_cancel_before(contract, start_small);
    contract_close_pair(contract);
}

static void send_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled send that goes on from the caller's memory. */
    contract_cancel_pending(contract, full_pair, start_flood, contract_close_pair);
}

static void send_close_pending(struct contract *contract)
{
    /* Kills: closing the descriptor under a send, which on some systems sends the rest on another connection. */
    full_pair(contract);
    contract_close_pending(contract, start_flood, close_client);
    contract_close_pair(contract);
}

/* The first bytes may still go: the reset comes back a moment later. */
static void send_peer_gone(struct contract *contract)
{
    /* Kills: a signal that kills the process, a send that succeeds for ever. */
    static struct contract_op it;
    unsigned tries = 0;

    contract_pair(contract);
    contract_abort(contract, &contract->server);
    do {
        start_small(contract, &it, PRO_HOW_DEFAULT);
        contract_wait(contract, &it);
    } while (contract_again(contract, &it, tries++));
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static bool send_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;
    struct pro_how how = PRO_HOW_DEFAULT;
    const struct pro_socket *to = &contract->client;
    const void *data = flood;
    size_t length = 16;

    if (index == 0)
        to = &never_opened;
    else if (index == 1)
        to = NULL;
    else if (index == 2)
        to = &contract->listener;
    else if (index == 3)
        data = NULL;
    else if (index == 4)
        length = 0;
    else if (index == 5)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it,
                   is_send_all(contract) ? pro_send_all(&it->op, to, data, length, how)
                                         : pro_send(&it->op, to, data, length, how));
    return true;
}

static void send_bad_argument(struct contract *contract)
{
    /* Kills: a send of nothing that pends for ever. */
    contract_pair(contract);
    contract_listen(contract, 0);
    contract_bad_arguments(contract, send_start_bad);
    contract_close(contract, &contract->listener);
    contract_close_pair(contract);
}

static void send_after_close(struct contract *contract)
{
    /* Kills: sending on whoever has the number now. */
    contract_pair(contract);
    contract_close(contract, &contract->client);
    contract_after_close(contract, start_small);
    contract_close_pair(contract);
}

static void send_many(struct contract *contract)
{
    /* Kills: losing one of many sends of one socket. */
    static struct contract_op all[CONTRACT_MANY], reading;
    size_t sent = 0, received = 0;

    contract_pair(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        start_small(contract, &all[i], PRO_HOW_DEFAULT);
    contract_wait_all(contract, all, CONTRACT_MANY); /* 64,000 bytes: they fit without a reader */
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &all[i]);
        sent += all[i].op.transferred;
    }
    while (received < sent) {
        contract_start_bytes(contract, &reading, sizeof bytes,
                             pro_recv(&reading.op, &contract->server, bytes, sizeof bytes, PRO_HOW_DEFAULT));
        contract_wait(contract, &reading);
        REQUIRE(reading.op.result > 0);
        received += reading.op.transferred;
    }
    CHECK_EQ(received, sent);
    contract_close_pair(contract);
}

static const struct contract_row rows[] = {
    { "recv", "success", recv_success, 0, 0, 0, 0 },
    { "recv", "short", recv_short, 50, 0, 0, 0 },
    { "recv", "deadline", recv_deadline, 0, 0, 0, 0 },
    { "recv", "at once", recv_at_once, 0, 0, 0, 0 },
    { "recv", "cancel before", recv_cancel_before, 0, 0, 0, 0 },
    { "recv", "cancel while pending", recv_cancel_pending, 0, 0, 0, 0 },
    { "recv", "close while pending", recv_close_pending, 0, 0, 0, 0 },
    { "recv", "peer gone", recv_peer_gone, 0, 0, 0, 0 },
    { "recv", "peer reset", recv_peer_reset, 0, 0, 0, 0 },
    { "recv", "bad argument", recv_bad_argument, 0, 0, 0, 0 },
    { "recv", "after close", recv_after_close, 0, 0, 0, 0 },
    { "recv", "1,000 at once", recv_many, 0, 0, 0, 0 },
    { "send", "success", send_success, 0, 0, 0, 0 },
    { "send", "short", send_short, 50, 0, 0, 0 },
    { "send", "deadline", send_deadline, 0, 0, 0, 0 },
    { "send", "at once", send_at_once, 0, 0, 0, 0 },
    { "send", "cancel before", send_cancel_before, 0, 0, 0, 0 },
    { "send", "cancel while pending", send_cancel_pending, 0, 0, 0, 0 },
    { "send", "close while pending", send_close_pending, 0, 0, 0, 0 },
    { "send", "peer gone", send_peer_gone, 0, 0, 0, 0 },
    { "send", "bad argument", send_bad_argument, 0, 0, 0, 0 },
    { "send", "after close", send_after_close, 0, 0, 0, 0 },
    { "send", "1,000 at once", send_many, 0, 0, 0, 0 },
    { "send_all", "success", send_success, 0, 0, 0, 0 },
    { "send_all", "short", send_short, 50, 0, 0, 0 },
    { "send_all", "deadline", send_deadline, 0, 0, 0, 0 },
    { "send_all", "at once", send_at_once, 0, 0, 0, 0 },
    { "send_all", "cancel before", send_cancel_before, 0, 0, 0, 0 },
    { "send_all", "cancel while pending", send_cancel_pending, 0, 0, 0, 0 },
    { "send_all", "close while pending", send_close_pending, 0, 0, 0, 0 },
    { "send_all", "peer gone", send_peer_gone, 0, 0, 0, 0 },
    { "send_all", "bad argument", send_bad_argument, 0, 0, 0, 0 },
    { "send_all", "after close", send_after_close, 0, 0, 0, 0 },
    { "send_all", "1,000 at once", send_many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
