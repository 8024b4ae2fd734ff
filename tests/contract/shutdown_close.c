/* SPDX-License-Identifier: MIT */
/* Ending one direction and closing, in every situation (contract.h). */
#include "contract.h"

static unsigned char bytes[256];

static void start_recv(struct contract *contract, struct contract_op *it, const struct pro_socket *from)
{
    contract_start_bytes(contract, it, sizeof bytes, pro_recv(&it->op, from, bytes, sizeof bytes, PRO_HOW_DEFAULT));
}

/* ---- shutdown ---- */

static void start_shutdown(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it, pro_shutdown(&it->op, &contract->client, PRO_SHUTDOWN_SEND, how));
}

static struct pro_op *close_client(struct contract *contract, struct pro_op *op)
{
    return pro_close(op, &contract->client);
}

static void shutdown_success(struct contract *contract)
{
    /* Kills: a half-close that ends both halves, drops what was sent before it, or does not wake who waits for more. */
    static struct contract_op it, reading;

    contract_pair(contract);
    contract_start_bytes(contract, &it, 5, pro_send_all(&it.op, &contract->client, "hello", 5, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    start_shutdown(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    start_recv(contract, &reading, &contract->server);
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 5);
    start_recv(contract, &reading, &contract->server);
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 0);
    contract_start_bytes(contract, &it, 4, pro_send_all(&it.op, &contract->server, "back", 4, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    CHECK_EQ(it.op.result, 4);
    start_recv(contract, &reading, &contract->client);
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 4);
    contract_start_bytes(contract, &it, 1, pro_send(&it.op, &contract->client, "x", 1, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    CHECK_EQ(it.op.result, PRO_E_PIPE);
    start_recv(contract, &reading, &contract->client);
    contract_turns(contract);
    contract_must(contract, &it, pro_shutdown(&it.op, &contract->server, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 0);
    contract_close_pair(contract);
}

static void shutdown_own_recv(struct contract *contract)
{
    /* Kills: a receive that pends on a direction that its own side has ended. */
    static struct contract_op it, reading;

    contract_pair(contract);
    start_recv(contract, &reading, &contract->client);
    contract_turns(contract);
    contract_start(contract, &it, pro_shutdown(&it.op, &contract->client, PRO_SHUTDOWN_RECV, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 0);
    contract_close_pair(contract);
}

static void shutdown_deadline(struct contract *contract)
{
    /* Kills: a deadline that loses the op's own success. */
    contract_pair(contract);
    contract_deadline(contract, start_shutdown, 1);
    contract_close_pair(contract);
}

static void shutdown_cancel_before(struct contract *contract)
{
    /* Kills: ending a direction that the caller no longer wants ended. */
    contract_pair(contract);
    contract_cancel_before(contract, start_shutdown);
    contract_close_pair(contract);
}

static void shutdown_cancel_pending(struct contract *contract)
{
    /* Kills: a cancel that finds nothing and is answered twice. */
    contract_cancel_pending(contract, contract_pair, start_shutdown, contract_close_pair);
}

static void shutdown_close_pending(struct contract *contract)
{
    /* Kills: closing before the shutdown is collected. */
    contract_pair(contract);
    contract_close_pending(contract, start_shutdown, close_client);
    contract_close_pair(contract);
}

static void shutdown_peer_gone(struct contract *contract)
{
    /* Kills: an error number that the table of codes lacks. */
    static struct contract_op it;

    contract_pair(contract);
    contract_abort(contract, &contract->server);
    start_shutdown(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static bool shutdown_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;
    struct pro_how how = PRO_HOW_DEFAULT;
    const struct pro_socket *socket = &contract->client;
    int which = PRO_SHUTDOWN_SEND;

    if (index == 0)
        socket = &never_opened;
    else if (index == 1)
        socket = NULL;
    else if (index == 2)
        socket = &contract->listener;
    else if (index == 3)
        which = 3;
    else if (index == 4)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it, pro_shutdown(&it->op, socket, (enum pro_shutdown_how)which, how));
    return true;
}

static void shutdown_bad_argument(struct contract *contract)
{
    /* Kills: a direction that does not exist. */
    contract_pair(contract);
    contract_listen(contract, 0);
    contract_bad_arguments(contract, shutdown_start_bad);
    contract_close(contract, &contract->listener);
    contract_close_pair(contract);
}

static void shutdown_after_close(struct contract *contract)
{
    /* Kills: ending a direction of whoever has the number now. */
    contract_pair(contract);
    contract_close(contract, &contract->client);
    contract_after_close(contract, start_shutdown);
    contract_close_pair(contract);
}

static void shutdown_many(struct contract *contract)
{
    /* Kills: a second shutdown that fails because the first came before it. */
    contract_pair(contract);
    contract_many(contract, start_shutdown);
    contract_close_pair(contract);
}

/* ---- close ---- */

static void start_close(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    (void)how; /* it takes none */
    contract_start(contract, it, pro_close(&it->op, &contract->client));
}

static void close_success(struct contract *contract)
{
    /* Kills: a close that leaves the socket usable, or the peer waiting. */
    static struct contract_op it, reading;

    contract_pair(contract);
    start_recv(contract, &reading, &contract->server);
    start_close(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(!pro_socket_is_open(&contract->client));
    contract_wait(contract, &reading);
    CHECK_EQ(reading.op.result, 0);
    contract_close_pair(contract);
}

static void close_cancel_pending(struct contract *contract)
{
    /* Kills: cancelling a close, which would keep the handle for ever. */
    static struct contract_op it;

    contract_pair(contract);
    start_close(contract, &it, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_op_cancel(&it.op), PRO_E_STATE);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    contract_close_pair(contract);
}

static void close_while_closing(void *arg)
{
    struct contract_late *late = arg;
    static struct contract_op first;

    start_close(late->contract, &first, PRO_HOW_DEFAULT);
    start_close(late->contract, &late->it, PRO_HOW_DEFAULT);
}

static void close_close_pending(struct contract *contract)
{
    /* Kills: closing twice what was opened once. */
    static struct contract_late second;

    second = (struct contract_late){ .contract = contract };
    contract_pair(contract);
    REQUIRE(pro_loop_post(contract->loop, close_while_closing, &second) == PRO_OK);
    contract_wait(contract, &second.it);
    contract_check(contract, &second.it);
    contract_close_pair(contract);
}

static void close_peer_gone(struct contract *contract)
{
    /* Kills: an error of the connection that is told as one of the close. */
    static struct contract_op it;

    contract_pair(contract);
    contract_abort(contract, &contract->server);
    start_close(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
}

static bool close_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_socket never_opened;

    if (index > 1)
        return false;
    contract_start(contract, it, pro_close(&it->op, index == 0 ? &never_opened : NULL));
    return true;
}

static void close_bad_argument(struct contract *contract)
{
    /* Kills: closing descriptor 0. */
    contract_bad_arguments(contract, close_start_bad);
}

static void close_after_close(struct contract *contract)
{
    /* Kills: closing whoever has the number now. */
    contract_pair(contract);
    contract_close(contract, &contract->client);
    contract_after_close(contract, start_close);
    contract_close_pair(contract);
}

static void close_many(struct contract *contract)
{
    /* Kills: a close that is lost among many; and, with a receive pending on each, one that does not wait for it. */
    static struct pro_socket sockets[CONTRACT_MANY];
    static struct contract_op all[CONTRACT_MANY], readings[CONTRACT_MANY];

    for (size_t i = 0; i < CONTRACT_MANY; i += 2) {
        contract_pair(contract);
        sockets[i] = contract->client;
        sockets[i + 1] = contract->server;
    }
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        start_recv(contract, &readings[i], &sockets[i]);
    contract_turns(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_start(contract, &all[i], pro_close(&all[i].op, &sockets[i]));
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &all[i]);
        CHECK_EQ(readings[i].delivered, 1);
    }
}

static const struct contract_row rows[] = {
    { "shutdown", "success", shutdown_success, 0, 0, 0, 0 },
    { "shutdown", "own receive pending", shutdown_own_recv, 0, 0, 0, 0 },
    { "shutdown", "short", NULL, 0, 0, 0, 0 },
    { "shutdown", "deadline", shutdown_deadline, 0, 0, 0, 0 },
    { "shutdown", "cancel before", shutdown_cancel_before, 0, 0, 0, 0 },
    { "shutdown", "cancel while pending", shutdown_cancel_pending, 0, 0, 0, 0 },
    { "shutdown", "close while pending", shutdown_close_pending, 0, 0, 0, 0 },
    { "shutdown", "peer gone", shutdown_peer_gone, 0, 0, 0, 0 },
    { "shutdown", "bad argument", shutdown_bad_argument, 0, 0, 0, 0 },
    { "shutdown", "after close", shutdown_after_close, 0, 0, 0, 0 },
    { "shutdown", "1,000 at once", shutdown_many, 0, 0, 0, 0 },
    { "close", "success", close_success, 0, 0, 0, 0 },
    { "close", "short", NULL, 0, 0, 0, 0 },
    { "close", "deadline", NULL, 0, 0, 0, 0 },
    { "close", "cancel before", NULL, 0, 0, 0, 0 },
    { "close", "cancel while pending", close_cancel_pending, 0, 0, 0, 0 },
    { "close", "close while pending", close_close_pending, 0, 0, 0, 0 },
    { "close", "peer gone", close_peer_gone, 0, 0, 0, 0 },
    { "close", "bad argument", close_bad_argument, 0, 0, 0, 0 },
    { "close", "after close", close_after_close, 0, 0, 0, 0 },
    { "close", "1,000 at once", close_many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
