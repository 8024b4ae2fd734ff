/* SPDX-License-Identifier: MIT */
/* What a loop does with many operations, on every backend. */
#include <proact/proact.h>

#include "harness_system.h"

enum { CONNECTIONS = 500, SOCKETS = 2 * CONNECTIONS };

static struct pro_socket sockets[SOCKETS];
static struct pro_op ops[SOCKETS];
static char bytes[SOCKETS];
static unsigned delivered;

static void count(struct pro_op *op)
{
    (void)op;
    delivered++;
}

static void wait_for(struct pro_loop *loop, unsigned target)
{
    while (delivered < target)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
}

static void connect_all(struct pro_loop *loop)
{
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_socket listener;
    struct pro_op op = { 0 };

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
    delivered = 0;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        REQUIRE(pro_then(pro_connect(&ops[2 * i], loop, &addr, &sockets[2 * i], PRO_HOW_DEFAULT), count) == PRO_OK);
        REQUIRE(pro_then(pro_accept(&ops[2 * i + 1], &listener, &sockets[2 * i + 1], PRO_HOW_DEFAULT), count) ==
                PRO_OK);
        wait_for(loop, 2 * i + 2);
        REQUIRE(ops[2 * i].result == PRO_OK && ops[2 * i + 1].result == PRO_OK);
    }
    delivered = 0;
    REQUIRE(pro_then(pro_close(&op, &listener), count) == PRO_OK);
    wait_for(loop, 1);
}

static void check_backend(const char *short_name)
{
    struct pro_loop_options options = { .name = "many", .backend = test_backend_name(short_name) };
    struct pro_loop *loop = NULL;
    unsigned before, during;

    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    connect_all(loop);
    before = test_thread_count();
    for (unsigned i = 0; i < SOCKETS; i++)
        REQUIRE(pro_then(pro_recv(&ops[i], &sockets[i], &bytes[i], 1, PRO_HOW_DEFAULT), count) == PRO_OK);
    for (int i = 0; i < 5; i++) /* the kernel knows them all now */
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    during = test_thread_count();
    CHECK(before > 0);
    CHECK_EQ(during, before);
    delivered = 0;
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    CHECK_EQ(delivered, SOCKETS);
    for (unsigned i = 0; i < SOCKETS; i++)
        CHECK_EQ(ops[i].result, PRO_E_LOOP_CLOSED);
}

TEST(a_thousand_pending_receives_take_no_thread)
{
    /* Kills: a thread, ours or the kernel's for us, for each operation that waits. */
    for (const char *const *backend = test_backends(); *backend; backend++)
        check_backend(*backend);
}
