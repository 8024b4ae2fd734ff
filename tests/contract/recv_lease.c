/* SPDX-License-Identifier: MIT */
/* Receiving into the loop's buffers, in every situation (contract.h), also when all buffers are lent. */
#include "contract.h"

enum { SMALL_LEASE = 64, FEW = 2 };

static unsigned char sent[1 << 17];
static struct pro_lease lease, leases[CONTRACT_MANY];

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (unsigned char)(i * 31 + i / 251);
}

static struct pro_op *close_client(struct contract *contract, struct pro_op *op)
{
    return pro_close(op, &contract->client);
}

/* Sends @length bytes, from place @at on, from the server's end. */
static void feed(struct contract *contract, size_t at, size_t length)
{
    struct contract_op it = { 0 };

    REQUIRE(at + length <= sizeof sent);
    contract_start_bytes(contract, &it, length,
                         pro_send_all(&it.op, &contract->server, sent + at, length, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    REQUIRE(it.op.result == (int64_t)length);
}

static void start(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start_bytes(contract, it, 16, pro_recv_lease(&it->op, &contract->client, &lease, how));
}

static void start_into(struct contract *contract, struct contract_op *it, size_t asked, struct pro_lease *into)
{
    contract_start_bytes(contract, it, asked, pro_recv_lease(&it->op, &contract->client, into, PRO_HOW_DEFAULT));
}

static size_t lent(const struct contract *contract)
{
    struct pro_loop_stats stats;

    REQUIRE(pro_loop_get_stats(contract->loop, &stats) == PRO_OK);
    return stats.leases;
}

static void check_empty(const struct pro_lease *it) { CHECK(!it->data && it->size == 0); }

/* The lease holds @size bytes of the pattern from @at on, which stay what they are; then it goes back. */
static void check_and_return(struct pro_lease *it, size_t at, size_t size)
{
    CHECK_EQ(it->size, size);
    CHECK(it->data && memcmp(it->data, sent + at, size) == 0);
    if (it->data)
        memset(it->data, 0xee, it->size); /* it is ours to write */
    CHECK_EQ(pro_lease_return(it), PRO_OK);
    check_empty(it);
    CHECK_EQ(pro_lease_return(it), PRO_OK); /* empty: nothing to do */
}

static void success(struct contract *contract)
{
    /* Kills: a buffer that is held before data has come; a receive that is only woken by what comes after it, or only
       by what was there; a buffer that is lent on while it is out. */
    static struct contract_op it, second;
    struct pro_lease other;

    fill_pattern();
    contract_pair(contract);
    contract_start_bytes(contract, &it, 16, pro_recv_lease(&it.op, &contract->client, &lease, PRO_WITHIN(PRO_S(1000))));
    contract_turns(contract);
    CHECK_EQ(it.delivered, 0);
    CHECK_EQ(lent(contract), 0);
    feed(contract, 0, 16);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK_EQ(lent(contract), 1);
    feed(contract, 16, 16);
    start_into(contract, &second, 16, &other);
    contract_wait(contract, &second);
    contract_check(contract, &second);
    CHECK_EQ(lent(contract), 2);
    check_and_return(&lease, 0, 16);
    check_and_return(&other, 16, 16);
    CHECK_EQ(lent(contract), 0);
    contract_close_pair(contract);
}

static void brief(struct contract *contract)
{
    /* Kills: waiting until a buffer is full; a size that is the buffer's. */
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    feed(contract, 0, 3);
    start(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(it.op.result >= 1 && it.op.result <= 3);
    check_and_return(&lease, 0, (size_t)it.op.result);
    contract_close_pair(contract);
}

static void deadline(struct contract *contract)
{
    /* Kills: a timer that ends the op while the kernel may still choose a buffer for it. */
    contract_pair(contract);
    contract_deadline(contract, start, PRO_MS(1));
    check_empty(&lease);
    contract_close_pair(contract);
}

static void cancel_before(struct contract *contract)
{
    /* Kills: submitting although the token is cancelled. */
    contract_pair(contract);
    contract_cancel_before(contract, start);
    check_empty(&lease);
    contract_close_pair(contract);
}

static void cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled receive that eats what comes later, or keeps a buffer. */
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    contract_cancel_pending(contract, NULL, start, NULL);
    check_empty(&lease);
    CHECK_EQ(lent(contract), 0);
    feed(contract, 0, 16);
    start(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    CHECK_EQ(it.op.result, 16);
    check_and_return(&lease, 0, 16);
    contract_close_pair(contract);
}

static void close_pending(struct contract *contract)
{
    /* Kills: closing the descriptor under a receive. */
    contract_pair(contract);
    contract_close_pending(contract, start, close_client);
    check_empty(&lease);
    contract_close_pair(contract);
}

static void peer_gone(struct contract *contract)
{
    /* Kills: a buffer lost at the end of the stream. */
    static struct contract_op it;

    contract_pair(contract);
    start(contract, &it, PRO_HOW_DEFAULT);
    contract_turns(contract);
    contract_close(contract, &contract->server);
    for (int i = 0; i < 40; i++) { /* more often than there are buffers at first */
        contract_wait(contract, &it);
        contract_check(contract, &it);
        check_empty(&lease);
        start(contract, &it, PRO_HOW_DEFAULT);
    }
    contract_wait(contract, &it);
    CHECK_EQ(lent(contract), 0);
    contract_close_pair(contract);
}

static void peer_reset(struct contract *contract)
{
    /* Kills: taking a reset for the end of the stream. */
    static struct contract_op it;

    contract_pair(contract);
    start(contract, &it, PRO_HOW_DEFAULT);
    contract_turns(contract);
    contract_abort(contract, &contract->server);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    check_empty(&lease);
    contract_close_pair(contract);
}

static bool start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;
    struct pro_how how = PRO_HOW_DEFAULT;
    const struct pro_socket *from = &contract->client;
    struct pro_lease *into = &lease;

    if (index == 0)
        from = &never_opened;
    else if (index == 1)
        from = NULL;
    else if (index == 2)
        from = &contract->listener;
    else if (index == 3)
        into = NULL;
    else if (index == 4)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it, pro_recv_lease(&it->op, from, into, how));
    return true;
}

static void bad_argument(struct contract *contract)
{
    /* Kills: a receive that writes through NULL. */
    contract_pair(contract);
    contract_listen(contract, 0);
    contract_bad_arguments(contract, start_bad);
    contract_close(contract, &contract->listener);
    contract_close_pair(contract);
}

static void after_close(struct contract *contract)
{
    /* Kills: following a value whose handle belongs to somebody else now. */
    contract_pair(contract);
    contract_close(contract, &contract->client);
    contract_after_close(contract, start);
    contract_close_pair(contract);
}

/* Every byte that was sent is in one lease, or still there to be received. */
static void check_all_arrived(struct contract *contract, size_t fed)
{
    static unsigned char rest[4096];
    static struct contract_op it;
    unsigned expected[256] = { 0 }, got[256] = { 0 };
    size_t arrived = 0;

    for (size_t i = 0; i < fed; i++)
        expected[sent[i]]++;
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        arrived += leases[i].size;
        for (size_t k = 0; k < leases[i].size; k++)
            got[((const unsigned char *)leases[i].data)[k]]++;
    }
    for (; arrived < fed; arrived += it.op.transferred) {
        contract_start_bytes(contract, &it, sizeof rest,
                             pro_recv(&it.op, &contract->client, rest, sizeof rest, PRO_HOW_DEFAULT));
        contract_wait(contract, &it);
        REQUIRE(it.op.result > 0);
        for (size_t k = 0; k < it.op.transferred; k++)
            got[rest[k]]++;
    }
    CHECK(memcmp(expected, got, sizeof got) == 0);
}

static void many(struct contract *contract)
{
    /* Kills: a ring of buffers that does not grow; two leases of one buffer. */
    static struct contract_op all[CONTRACT_MANY];
    size_t fed = 0, waiting;

    fill_pattern();
    contract_pair(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        start_into(contract, &all[i], SMALL_LEASE, &leases[i]);
    contract_turns(contract);
    do { /* a buffer may come back filled in part: then there are bytes too few for all */
        feed(contract, fed, fed ? SMALL_LEASE : CONTRACT_MANY * SMALL_LEASE);
        fed += fed ? SMALL_LEASE : CONTRACT_MANY * SMALL_LEASE;
        contract_turns(contract);
        waiting = 0;
        for (size_t i = 0; i < CONTRACT_MANY; i++)
            waiting += !all[i].delivered;
    } while (waiting);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_check(contract, &all[i]);
    CHECK_EQ(lent(contract), CONTRACT_MANY);
    check_all_arrived(contract, fed);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        CHECK_EQ(pro_lease_return(&leases[i]), PRO_OK);
    contract_close_pair(contract);
}

/* ---- all buffers are lent ---- */

/* leases[0] and leases[1] hold what there is. */
static void lend_all(struct contract *contract)
{
    static struct contract_op it;

    fill_pattern();
    contract_pair(contract);
    for (size_t i = 0; i < FEW; i++) {
        feed(contract, i * 16, 16);
        start_into(contract, &it, 16, &leases[i]);
        contract_wait(contract, &it);
        REQUIRE(it.op.result == 16);
    }
}

static void return_all(struct contract *contract)
{
    for (size_t i = 0; i < FEW; i++)
        check_and_return(&leases[i], i * 16, 16);
    CHECK_EQ(lent(contract), 0);
}

static void lent_success(struct contract *contract)
{
    /* Kills: telling the program that there is no buffer; waking only one receive, which then has no data; more buffers
       than were allowed. */
    static struct contract_op idle, it;
    struct pro_lease nothing;
    struct pro_loop_stats stats;

    lend_all(contract);
    contract_start_bytes(contract, &idle, 16,
                         pro_recv_lease(&idle.op, &contract->server, &nothing, PRO_HOW_DEFAULT)); /* never gets data */
    start(contract, &it, PRO_HOW_DEFAULT);
    feed(contract, 32, 16);
    contract_turns(contract);
    CHECK_EQ(it.delivered, 0);
    check_and_return(&leases[0], 0, 16);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    check_and_return(&lease, 32, 16);
    check_and_return(&leases[1], 16, 16);
    CHECK_EQ(pro_loop_get_stats(contract->loop, &stats), PRO_OK);
    CHECK_EQ(stats.lease_buffers, FEW);
    contract_close(contract, &contract->server);
    contract_wait(contract, &idle);
    CHECK_EQ(idle.op.result, PRO_E_CLOSED);
    contract_close_pair(contract);
}

static void lent_deadline(struct contract *contract)
{
    /* Kills: a receive without a buffer that nobody ends; one that takes data away although it failed. */
    static struct contract_op it;

    lend_all(contract);
    feed(contract, 32, 16);
    contract_deadline(contract, start, PRO_MS(1));
    check_empty(&lease);
    return_all(contract);
    start(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    check_and_return(&lease, 32, 16);
    contract_close_pair(contract);
}

static void lent_cancel(struct contract *contract)
{
    /* Kills: a token that does not find who waits for a buffer. */
    lend_all(contract);
    feed(contract, 32, 16);
    for (unsigned way = 0; way < 4; way++)
        contract_cancel_one(contract, start, way & 1, way & 2);
    return_all(contract);
    contract_close_pair(contract);
}

static void lent_close(struct contract *contract)
{
    /* Kills: a close that waits for ever for a receive without a buffer. */
    lend_all(contract);
    feed(contract, 32, 16);
    contract_close_pending(contract, start, close_client);
    return_all(contract);
    contract_close_pair(contract);
}

static void lent_free(struct contract *contract)
{
    /* Kills: freeing what is lent; a loop that cannot be freed while a receive waits for a buffer. */
    lend_all(contract);
    feed(contract, 32, 16);
    contract_free_pending(contract, start);
    for (size_t i = 0; i < FEW; i++)
        check_and_return(&leases[i], i * 16, 16);
}

static const struct contract_row rows[] = {
    { "recv_lease", "success", success, 0, 0, 0, 0 },
    { "recv_lease", "short", brief, 50, 50, 0, 0 },
    { "recv_lease", "deadline", deadline, 0, 0, 0, 0 },
    { "recv_lease", "cancel before", cancel_before, 0, 0, 0, 0 },
    { "recv_lease", "cancel while pending", cancel_pending, 0, 0, 0, 0 },
    { "recv_lease", "close while pending", close_pending, 0, 0, 0, 0 },
    { "recv_lease", "peer gone", peer_gone, 0, 0, 0, 0 },
    { "recv_lease", "peer reset", peer_reset, 0, 0, 0, 0 },
    { "recv_lease", "bad argument", bad_argument, 0, 0, 0, 0 },
    { "recv_lease", "after close", after_close, 0, 0, 0, 0 },
    { "recv_lease", "1,000 at once", many, 0, 20, SMALL_LEASE, 0 },
    { "recv_lease", "all lent", lent_success, 0, 20, 0, FEW },
    { "recv_lease", "all lent, deadline", lent_deadline, 0, 0, 0, FEW },
    { "recv_lease", "all lent, cancel", lent_cancel, 0, 0, 0, FEW },
    { "recv_lease", "all lent, close", lent_close, 0, 0, 0, FEW },
    { "recv_lease", "all lent, loop freed", lent_free, 0, 0, 0, FEW },
};
CONTRACT_ROWS(rows)
