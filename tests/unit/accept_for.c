/* SPDX-License-Identifier: MIT */
/* One loop accepts, another serves: how several cores share a port where the system itself does not spread connections.
 * And listeners that share a port, where it does. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"

enum { CONNECTIONS = 20 };

/* ---- a loop on a thread of its own that echoes one byte of each connection it is given ---- */

struct server {
    struct proi_thread thread;
    const char *backend;
    struct pro_loop *loop;
    struct pro_completion_source *end; /* its task ends the thread */
    struct pro_task *ended;
    struct gate ready;
    uint64_t thread_id;
};

struct connection {
    struct pro_work work; /* carries it to the server */
    struct pro_op op;
    struct pro_socket socket;
    struct server *server;
    char byte;
};

static void closed(struct pro_op *op) { CHECK_EQ(op->result, PRO_OK); }

static void sent(struct pro_op *op)
{
    struct connection *const it = PRO_CONTAINER(op, struct connection, op);

    CHECK_EQ(op->result, 1);
    CHECK_EQ(pro_then(pro_close(op, &it->socket), closed), PRO_OK);
}

static void received(struct pro_op *op)
{
    struct connection *const it = PRO_CONTAINER(op, struct connection, op);

    CHECK_EQ(op->result, 1);
    CHECK_EQ(proi_thread_id(), it->server->thread_id);
    it->byte++;
    CHECK_EQ(pro_then(pro_send_all(op, &it->socket, &it->byte, 1, PRO_HOW_DEFAULT), sent), PRO_OK);
}

static void serve(struct pro_work *work)
{
    struct connection *const it = PRO_CONTAINER(work, struct connection, work);

    CHECK_EQ(proi_thread_id(), it->server->thread_id);
    CHECK(pro_socket_loop(&it->socket) == it->server->loop);
    CHECK_EQ(pro_then(pro_recv(&it->op, &it->socket, &it->byte, 1, PRO_HOW_DEFAULT), received), PRO_OK);
}

static void run_server(void *arg)
{
    struct server *const it = arg;

    it->thread_id = proi_thread_id();
    it->loop = loop_on(it->backend, "server", true); /* strict: what is not its own is refused */
    CHECK(pro_loop_run_once(it->loop, 0) >= 0);
    gate_add(&it->ready);
    CHECK_EQ(pro_loop_run_until(it->loop, it->ended), PRO_OK);
    loop_end(it->loop);
}

static void server_begin(struct server *it, const char *backend)
{
    *it = (struct server){ .backend = backend };
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &it->end) == PRO_OK);
    it->ended = pro_completion_source_task(it->end);
    REQUIRE(proi_thread_start(&it->thread, "server", run_server, it, 0) == PRO_OK);
    gate_wait(&it->ready, 1);
}

static void server_end(struct server *it)
{
    CHECK_EQ(pro_completion_source_set_result(it->end, NULL, PRO_NO_RESULT), PRO_OK);
    proi_thread_join(&it->thread);
    pro_task_unref(it->ended);
    pro_completion_source_free(it->end);
}

/* One connection, accepted here for @server, asks for its byte. */
static void ask(struct pro_loop *loop, const struct pro_socket *listener, const struct pro_addr *addr,
                struct server *server, struct connection *connection, char byte)
{
    struct pro_socket client;
    struct pro_op op = { 0 };
    struct heard accepted = { { 0 }, 0 };
    char answer = 0;

    *connection = (struct connection){ .work = { .run = serve }, .server = server };
    connection->op.user = &accepted;
    REQUIRE(pro_then(pro_accept_for(&connection->op, listener, server->loop, &connection->socket, PRO_HOW_DEFAULT),
                     heard_op) == PRO_OK);
    REQUIRE(loop_answer(loop, pro_connect(&op, loop, addr, &client, PRO_HOW_DEFAULT)) == PRO_OK);
    while (!gate_count(&accepted.gate))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    REQUIRE(accepted.result == PRO_OK);
    REQUIRE(pro_loop_post_work(server->loop, &connection->work) == PRO_OK);
    REQUIRE(loop_answer(loop, pro_send_all(&op, &client, &byte, 1, PRO_HOW_DEFAULT)) == 1);
    REQUIRE(loop_answer(loop, pro_recv(&op, &client, &answer, 1, PRO_HOW_DEFAULT)) == 1);
    CHECK_EQ(answer, byte + 1);
    CHECK_EQ(loop_answer(loop, pro_recv(&op, &client, &answer, 1, PRO_HOW_DEFAULT)), 0);
    CHECK_EQ(loop_answer(loop, pro_close(&op, &client)), PRO_OK);
}

TEST(connections_accepted_for_a_loop_on_another_thread_are_served_there)
{
    /* Kills: a connection that stays with the listener's port, ring or loop. */
    for (const char *const *backend = test_backends(); *backend; backend++) {
        static struct connection connections[CONNECTIONS];
        struct pro_addr addr = pro_addr_loopback(0);
        struct pro_socket listener;
        struct server server;
        struct pro_loop *loop;

        if (strcmp(*backend, "sim") == 0) /* each loop is a machine of its own there */
            continue;
        loop = loop_on(*backend, "acceptor", false);
        server_begin(&server, *backend);
        REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
        REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
        for (int i = 0; i < CONNECTIONS; i++)
            ask(loop, &listener, &addr, &server, &connections[i], (char)('a' + i));
        server_end(&server);
        loop_end(loop);
    }
}

TEST(two_loops_listen_on_one_port_where_the_system_spreads_connections)
{
    /* Kills: the option set after the bind; one that is granted and does nothing. */
    const struct pro_listen_options shared = { .reuse_port = true };

    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const first = loop_on(*backend, "first", false), *const second =
                                                                              loop_on(*backend, "second", false);
        struct pro_addr addr = pro_addr_loopback(0);
        struct pro_socket listeners[2], third;
        const int code = pro_listen(first, &addr, &shared, &listeners[0]);

        if (code == PRO_E_NOT_SUPPORTED) {
            test_note("%s: no shared ports, accept for other loops instead", pro_loop_backend(first));
        } else if (strcmp(*backend, "sim") != 0) {
            CHECK_EQ(code, PRO_OK);
            REQUIRE(pro_socket_local_addr(&listeners[0], &addr) == PRO_OK);
            CHECK_EQ(pro_listen(second, &addr, &shared, &listeners[1]), PRO_OK);
            CHECK_EQ(pro_listen(second, &addr, NULL, &third), PRO_E_IN_USE);
        }
        loop_end(first);
        loop_end(second);
    }
}
