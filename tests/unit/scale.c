/* SPDX-License-Identifier: MIT */
/* Ten thousand connections at once (two thousand under Wine): the server here, the clients in a process of their own.
   All of them are open before the first byte goes back; each gets its own. */
#include <proact/proact.h>

#include <stdlib.h>

#include "harness_system.h"
#include "process.h"

enum { MOST = 10000, BYTES = 64, ACCEPTS = 64, CONNECTS = 256 };

struct connection {
    struct pro_op op;
    struct pro_socket socket;
    unsigned char out[BYTES], in[BYTES];
    unsigned number, received;
    size_t held; /* bytes the server has not sent back yet */
};

static struct connection connections[MOST];
static struct pro_loop *loop;
static unsigned wanted, open_now, finished, failed;

static void begin(const char *short_name)
{
    const struct pro_loop_options options = { .name = "scale", .backend = test_backend_name(short_name) };

    open_now = finished = failed = 0;
    memset(connections, 0, sizeof connections);
    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
}

/* Of many failures of one kind a few are enough. */
static void fail(const struct pro_op *op, const char *who)
{
    if (failed++ < 5)
        test_fail(__FILE__, __LINE__, "the %s's %s: %s (native %d)", who, pro_op_kind_name(op->kind),
                  pro_err_name((int)op->result), op->native);
}

static void start(struct pro_op *op, pro_op_fn *done)
{
    const int code = pro_then(op, done);

    if (code < 0)
        test_fail(__FILE__, __LINE__, "pro_then: %s", pro_err_name(code));
}

static struct connection *connection_of(struct pro_op *op) { return PRO_CONTAINER(op, struct connection, op); }

/* ---- the server ---- */

static struct pro_socket listener;
static struct pro_op accepts[ACCEPTS];
static unsigned accepting, most_open;

static void server_closed(struct pro_op *op)
{
    (void)op;
    open_now--;
    finished++;
}

static void server_sent(struct pro_op *op);

static void send_back(struct connection *it)
{
    start(pro_send_all(&it->op, &it->socket, it->in, it->held, PRO_HOW_DEFAULT), server_sent);
    it->held = 0;
}

/* A client may send while others are connected for it, but not yet accepted here: nothing goes back before all are
   open. The client ends with a reset, which leaves no port waiting. */
static void server_received(struct pro_op *op)
{
    struct connection *const it = connection_of(op);

    if (op->result > 0) {
        it->received += (unsigned)op->result;
        it->held = (size_t)op->result;
        if (most_open == wanted)
            send_back(it);
        return;
    }
    if (op->result != 0 && op->result != PRO_E_RESET)
        fail(op, "server");
    start(pro_close(op, &it->socket), server_closed);
}

static void server_sent(struct pro_op *op)
{
    struct connection *const it = connection_of(op);

    if (op->result < 0) {
        fail(op, "server");
        start(pro_close(op, &it->socket), server_closed);
        return;
    }
    start(pro_recv(op, &it->socket, it->in, sizeof it->in, PRO_HOW_DEFAULT), server_received);
}

static struct pro_socket accepted[ACCEPTS];

static void server_accepted(struct pro_op *op);

static void accept_next(struct pro_op *op)
{
    if (accepting >= wanted)
        return;
    accepting++;
    start(pro_accept(op, &listener, &accepted[op - accepts], PRO_HOW_DEFAULT), server_accepted);
}

static void server_accepted(struct pro_op *op)
{
    if (op->result < 0) {
        fail(op, "server");
        finished = wanted; /* not all can be open: there is nothing to be shown */
    } else {
        struct connection *const it = &connections[open_now + finished];

        it->socket = accepted[op - accepts];
        open_now++;
        most_open = open_now > most_open ? open_now : most_open;
        start(pro_recv(&it->op, &it->socket, it->in, sizeof it->in, PRO_HOW_DEFAULT), server_received);
    }
    for (unsigned i = 0; open_now == wanted && i < wanted; i++)
        if (connections[i].held)
            send_back(&connections[i]);
    accept_next(op);
}

static void serve(const char *short_name, struct test_process **ret_client)
{
    struct pro_addr addr = pro_addr_loopback(0);
    char role[64];

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
    accepting = most_open = 0;
    for (int i = 0; i < ACCEPTS; i++)
        accept_next(&accepts[i]);
    snprintf(role, sizeof role, "%s %u %u", short_name, (unsigned)addr.port, wanted);
    *ret_client = test_process_start("thousands_of_connections", role);
    REQUIRE(*ret_client);
    while (finished < wanted && !(open_now == 0 && test_process_is_over(*ret_client)))
        REQUIRE(pro_loop_run_once(loop, PRO_MS(500)) >= 0);
}

static void check_backend(const char *short_name)
{
    struct test_process *client;
    unsigned echoed = 0;

    begin(short_name);
    serve(short_name, &client);
    CHECK_EQ(test_process_end(client), EXIT_SUCCESS);
    for (unsigned i = 0; i < wanted; i++)
        echoed += connections[i].received == BYTES;
    CHECK_EQ(most_open, wanted);
    CHECK_EQ(echoed, wanted);
    CHECK_EQ(failed, 0);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

/* ---- the clients ---- */

static struct pro_addr server_addr;
static unsigned connecting;

static void client_closed(struct pro_op *op)
{
    (void)op;
    finished++;
}

static void client_received(struct pro_op *op)
{
    struct connection *const it = connection_of(op);

    if (op->result > 0)
        it->received += (unsigned)op->result;
    if (op->result > 0 && it->received < BYTES) {
        start(pro_recv(op, &it->socket, it->in + it->received, BYTES - it->received, PRO_HOW_DEFAULT), client_received);
        return;
    }
    if (op->result <= 0)
        fail(op, "client");
    else if (memcmp(it->in, it->out, BYTES) != 0)
        failed++;
    CHECK_EQ(pro_socket_set_abortive(&it->socket, true), PRO_OK);
    start(pro_close(op, &it->socket), client_closed);
}

static void client_sent(struct pro_op *op)
{
    struct connection *const it = connection_of(op);

    if (op->result < 0)
        fail(op, "client");
    start(pro_recv(op, &it->socket, it->in, BYTES, PRO_HOW_DEFAULT), client_received);
}

static void client_connected(struct pro_op *op);

static void connect_next(void)
{
    struct connection *it;
    uint64_t random;

    if (connecting >= wanted)
        return;
    it = &connections[connecting];
    random = it->number = connecting++;
    for (int i = 0; i < BYTES; i++)
        it->out[i] = (unsigned char)test_random(&random);
    start(pro_connect(&it->op, loop, &server_addr, &it->socket, PRO_HOW_DEFAULT), client_connected);
}

/* The last one to be connected lets all of them send. */
static void client_connected(struct pro_op *op)
{
    if (op->result < 0) {
        fail(op, "client");
        finished = wanted; /* not all can be open: there is nothing to be shown */
        return;
    }
    connect_next();
    if (++open_now < wanted)
        return;
    for (unsigned i = 0; i < wanted; i++)
        start(pro_send_all(&connections[i].op, &connections[i].socket, connections[i].out, BYTES, PRO_HOW_DEFAULT),
              client_sent);
}

static int be_the_clients(const char *role)
{
    char short_name[16];
    unsigned port = 0;

    if (sscanf(role, "%15s %u %u", short_name, &port, &wanted) != 3 || wanted > MOST)
        return EXIT_FAILURE;
    begin(short_name);
    server_addr = pro_addr_loopback((uint16_t)port);
    connecting = 0;
    for (unsigned i = 0; i < CONNECTS && i < wanted; i++)
        connect_next();
    while (finished < wanted)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    pro_loop_free(loop);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

TEST(thousands_of_connections_at_once_each_get_their_own_bytes_back)
{
    /* Kills: anything by which one connection is served with another's, or none; a table of a fixed size. */
    if (test_process_role())
        exit(be_the_clients(test_process_role()));
    wanted = test_connections_most();
    if (wanted < 1000)
        SKIP(NULL, "this process may not open a thousand files");
    test_note("%u connections", wanted);
    for (const char *const *backend = test_backends(); *backend; backend++)
        if (strcmp(*backend, "sim") != 0) /* its network ends at the process */
            check_backend(*backend);
}
