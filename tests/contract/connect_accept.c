/* SPDX-License-Identifier: MIT */
/* Connecting and accepting, in every situation (contract.h). */
#include "contract.h"

/* ---- accept ---- */

static void start_accept(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it, pro_accept(&it->op, &contract->listener, &contract->server, how));
}

static struct pro_op *close_listener(struct contract *contract, struct pro_op *op)
{
    return pro_close(op, &contract->listener);
}

/* Both must know the same two addresses, the other way round. */
static void check_addresses(struct contract *contract)
{
    struct pro_addr a, b;

    CHECK_EQ(pro_socket_local_addr(&contract->client, &a), PRO_OK);
    CHECK_EQ(pro_socket_peer_addr(&contract->server, &b), PRO_OK);
    CHECK(a.port && a.port == b.port && memcmp(a.ip, b.ip, sizeof a.ip) == 0);
    CHECK_EQ(pro_socket_local_addr(&contract->server, &a), PRO_OK);
    CHECK_EQ(pro_socket_peer_addr(&contract->client, &b), PRO_OK);
    CHECK(a.port && a.port == b.port && memcmp(a.ip, b.ip, sizeof a.ip) == 0);
}

static void accept_success(struct contract *contract)
{
    /* Kills: an accept that only sees connections that come after it, or only those before. */
    static struct contract_op accepted, connected;

    contract_listen(contract, 0);
    start_accept(contract, &accepted, PRO_HOW_DEFAULT);
    contract_turns(contract);
    CHECK_EQ(accepted.delivered, 0);
    contract_must(contract, &connected,
                  pro_connect(&connected.op, contract->loop, &contract->addr, &contract->client, PRO_HOW_DEFAULT));
    contract_wait(contract, &accepted);
    contract_check(contract, &accepted);
    check_addresses(contract);
    contract_close_pair(contract);
    contract_must(contract, &connected,
                  pro_connect(&connected.op, contract->loop, &contract->addr, &contract->client, PRO_HOW_DEFAULT));
    start_accept(contract, &accepted, PRO_HOW_DEFAULT);
    contract_wait(contract, &accepted);
    contract_check(contract, &accepted);
    contract_close_pair(contract);
    contract_close(contract, &contract->listener);
}

static void accept_deadline(struct contract *contract)
{
    /* Kills: a deadline that cancels without a result of its own. */
    contract_listen(contract, 0);
    contract_deadline(contract, start_accept, PRO_MS(1));
    contract_close(contract, &contract->listener);
}

static void accept_cancel_before(struct contract *contract)
{
    /* Kills: submitting although the token is cancelled. */
    contract_listen(contract, 0);
    contract_cancel_before(contract, start_accept);
    contract_close(contract, &contract->listener);
}

static void accept_cancel_pending(struct contract *contract)
{
    /* Kills: a cancel that the backend forgets. */
    contract_listen(contract, 0);
    contract_cancel_pending(contract, NULL, start_accept, NULL);
    contract_close(contract, &contract->listener);
}

static void accept_close_pending(struct contract *contract)
{
    /* Kills: closing the listener under its accept. */
    contract_listen(contract, 0);
    contract_close_pending(contract, start_accept, close_listener);
}

static void accept_peer_gone(struct contract *contract)
{
    /* Kills: an accept that hangs or tears the listener down when the one who connected has left again. */
    static struct contract_op accepted, connected;

    contract_listen(contract, 0);
    contract_must(contract, &connected,
                  pro_connect(&connected.op, contract->loop, &contract->addr, &contract->client, PRO_HOW_DEFAULT));
    contract_abort(contract, &contract->client);
    start_accept(contract, &accepted, PRO_WITHIN(PRO_MS(200)));
    contract_wait(contract, &accepted);
    contract_check(contract, &accepted);
    contract_must(contract, &connected,
                  pro_connect(&connected.op, contract->loop, &contract->addr, &contract->client, PRO_HOW_DEFAULT));
    if (accepted.op.result == PRO_OK)
        contract_close(contract, &contract->server);
    contract_must(contract, &accepted,
                  pro_accept(&accepted.op, &contract->listener, &contract->server, PRO_HOW_DEFAULT));
    contract_close_pair(contract);
    contract_close(contract, &contract->listener);
}

static bool accept_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;

    switch (index) {
    case 0:
        contract_start(contract, it, pro_accept(&it->op, &never_opened, &contract->server, PRO_HOW_DEFAULT));
        return true;
    case 1:
        contract_start(contract, it, pro_accept(&it->op, NULL, &contract->server, PRO_HOW_DEFAULT));
        return true;
    case 2:
        contract_start(contract, it, pro_accept(&it->op, &contract->listener, NULL, PRO_HOW_DEFAULT));
        return true;
    case 3: {
        struct pro_how how = { .timeout_ns = -5 };

        contract_start(contract, it, pro_accept(&it->op, &contract->listener, &contract->server, how));
        return true;
    }
    case 4: /* no listener */
        contract_start(contract, it, pro_accept(&it->op, &contract->client, &contract->server, PRO_HOW_DEFAULT));
        return true;
    default:
        return false;
    }
}

static void accept_bad_argument(struct contract *contract)
{
    /* Kills: passing what the caller got wrong on to the kernel. */
    contract_pair(contract);
    contract_listen(contract, 0);
    contract_bad_arguments(contract, accept_start_bad);
    contract_close_pair(contract);
    contract_close(contract, &contract->listener);
}

static void accept_after_close(struct contract *contract)
{
    /* Kills: following a value whose handle belongs to somebody else now. */
    contract_listen(contract, 0);
    contract_close(contract, &contract->listener);
    contract_after_close(contract, start_accept);
}

/* ---- both at once ---- */

static struct pro_socket accepted_sockets[CONTRACT_MANY], connected_sockets[CONTRACT_MANY];
static struct contract_op accepts[CONTRACT_MANY], connects[CONTRACT_MANY];

static void close_all(struct contract *contract, const struct pro_socket *sockets)
{
    static struct contract_op closes[CONTRACT_MANY];

    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_start(contract, &closes[i], pro_close(&closes[i].op, &sockets[i]));
    contract_wait_all(contract, closes, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        CHECK_EQ(closes[i].op.result, PRO_OK);
}

static void many(struct contract *contract, bool accepts_first)
{
    contract_listen(contract, 0);
    for (int step = 0; step < 2; step++)
        for (size_t i = 0; i < CONTRACT_MANY; i++)
            if ((step == 0) == accepts_first)
                contract_start(contract, &accepts[i],
                               pro_accept(&accepts[i].op, &contract->listener, &accepted_sockets[i], PRO_HOW_DEFAULT));
            else
                contract_start(contract, &connects[i],
                               pro_connect(&connects[i].op, contract->loop, &contract->addr, &connected_sockets[i],
                                           PRO_HOW_DEFAULT));
    contract_wait_all(contract, accepts, CONTRACT_MANY);
    contract_wait_all(contract, connects, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &accepts[i]);
        contract_check(contract, &connects[i]);
    }
    close_all(contract, accepted_sockets);
    close_all(contract, connected_sockets);
    contract_close(contract, &contract->listener);
}

static void accept_many(struct contract *contract)
{
    /* Kills: an accept queue that loses one when several connections come in one wake. */
    many(contract, true);
}

static void connect_many(struct contract *contract)
{
    /* Kills: a submission queue that drops what does not fit. */
    many(contract, false);
}

/* ---- connect ---- */

static void start_connect(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it, pro_connect(&it->op, contract->loop, &contract->addr, &contract->client, how));
}

static void connect_success(struct contract *contract)
{
    /* Kills: a connect that is delivered before the connection is there. */
    static struct contract_op it, accepted;

    contract_listen(contract, 0);
    start_connect(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_must(contract, &accepted,
                  pro_accept(&accepted.op, &contract->listener, &contract->server, PRO_HOW_DEFAULT));
    check_addresses(contract);
    contract_close_pair(contract);
    contract_close(contract, &contract->listener);
}

/* A listener with no room left: a further connect neither succeeds nor fails. How much fits differs. */
enum { MOST_FILLERS = 64 };
static struct pro_socket fillers[MOST_FILLERS];
static size_t filler_count;

static void fill_backlog(struct contract *contract)
{
    static struct contract_op it;

    contract_listen(contract, 1);
    for (filler_count = 0;; filler_count++) {
        REQUIRE(filler_count < MOST_FILLERS);
        contract_start(
            contract, &it,
            pro_connect(&it.op, contract->loop, &contract->addr, &fillers[filler_count], PRO_WITHIN(PRO_MS(100))));
        contract_wait(contract, &it);
        if (it.op.result == PRO_E_TIMEOUT)
            return;
        REQUIRE(it.op.result == PRO_OK);
    }
}

static void empty_backlog(struct contract *contract)
{
    for (size_t i = 0; i < filler_count; i++)
        contract_close(contract, &fillers[i]);
    contract_close(contract, &contract->listener);
}

static void connect_deadline(struct contract *contract)
{
    /* Kills: a connect whose deadline is the kernel's own, minutes away. */
    fill_backlog(contract);
    contract_deadline(contract, start_connect, PRO_MS(20));
    empty_backlog(contract);
}

static void connect_cancel_before(struct contract *contract)
{
    /* Kills: a socket left behind by a connect that never started. */
    contract_listen(contract, 0);
    contract_cancel_before(contract, start_connect);
    contract_close(contract, &contract->listener);
}

static void connect_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled connect that keeps its socket. */
    fill_backlog(contract);
    contract_cancel_pending(contract, NULL, start_connect, NULL);
    empty_backlog(contract);
}

static void connect_loop_freed(struct contract *contract)
{
    /* Kills: freeing a loop without collecting its connects. */
    fill_backlog(contract);
    contract_free_pending(contract, start_connect);
}

static void connect_peer_gone(struct contract *contract)
{
    /* Kills: an error number that the table of codes lacks. */
    static struct contract_op it;

    contract_listen(contract, 0);
    contract_close(contract, &contract->listener); /* its port has nobody now */
    start_connect(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
}

static bool connect_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_addr no_family = { .port = 1 }, no_port = { .family = PRO_IPV4 };
    const struct pro_addr *addr = &contract->addr;
    struct pro_how how = PRO_HOW_DEFAULT;
    struct pro_socket *to = &contract->client;

    if (index == 0)
        addr = NULL;
    else if (index == 1)
        addr = &no_family;
    else if (index == 2)
        addr = &no_port;
    else if (index == 3)
        to = NULL;
    else if (index == 4)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it, pro_connect(&it->op, contract->loop, addr, to, how));
    return true;
}

static void connect_bad_argument(struct contract *contract)
{
    /* Kills: reading an address that is not there. */
    contract->addr = pro_addr_loopback(1);
    contract_bad_arguments(contract, connect_start_bad);
}

static const struct contract_row rows[] = {
    { "accept", "success", accept_success, 0, 0, 0, 0 },
    { "accept", "short", NULL, 0, 0, 0, 0 },
    { "accept", "deadline", accept_deadline, 0, 0, 0, 0 },
    { "accept", "cancel before", accept_cancel_before, 0, 0, 0, 0 },
    { "accept", "cancel while pending", accept_cancel_pending, 0, 0, 0, 0 },
    { "accept", "close while pending", accept_close_pending, 0, 0, 0, 0 },
    { "accept", "peer gone", accept_peer_gone, 0, 0, 0, 0 },
    { "accept", "bad argument", accept_bad_argument, 0, 0, 0, 0 },
    { "accept", "1,000 at once", accept_many, 0, 0, 0, 0 },
    { "accept", "after close", accept_after_close, 0, 0, 0, 0 },
    { "connect", "success", connect_success, 0, 0, 0, 0 },
    { "connect", "short", NULL, 0, 0, 0, 0 },
    { "connect", "deadline", connect_deadline, 0, 0, 0, 0 },
    { "connect", "cancel before", connect_cancel_before, 0, 0, 0, 0 },
    { "connect", "cancel while pending", connect_cancel_pending, 0, 0, 0, 0 },
    { "connect", "close while pending", connect_loop_freed, 0, 0, 0, 0 },
    { "connect", "peer gone", connect_peer_gone, 0, 0, 0, 0 },
    { "connect", "bad argument", connect_bad_argument, 0, 0, 0, 0 },
    { "connect", "1,000 at once", connect_many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
