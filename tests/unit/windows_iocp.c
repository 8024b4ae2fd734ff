/* SPDX-License-Identifier: MIT */
/* The completion-port backend, driven through its table without a loop: what Windows and Wine do that a loop must never
   see. docs/wine.md names these tests. */

#include "windows_iocp.h"

/* ---- sockets ---- */
TEST(iocp_bytes_go_both_ways_over_a_connection_made_by_accept_and_connect)
{
    // Kills: the args of CONNECT read after the OVERLAPPED was written over them; the new socket kept where the kernel
    // writes.
    struct proi_backend *backend = backend_open();
    struct pro_addr here = { 0 }, there = { 0 };
    struct pair pair;
    char buffer[16] = "";

    pair_open(backend, &pair);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, (char[]){ "ping" }, 4), 4);
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.server, buffer, sizeof buffer), 4);
    CHECK(memcmp(buffer, "ping", 4) == 0);
    CHECK_EQ(transfer(backend, PRO_OP_SEND_ALL, &pair.server, (char[]){ "pong!" }, 5), 5);
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.client, buffer, sizeof buffer), 5);
    CHECK(memcmp(buffer, "pong!", 5) == 0);
    CHECK_EQ(type->local_addr(backend, &pair.client, &here), PRO_OK);
    CHECK_EQ(type->peer_addr(backend, &pair.server, &there), PRO_OK);
    CHECK(memcmp(&here, &there, sizeof here) == 0);
    pair_close(backend, &pair);
}

TEST(iocp_accepted_socket_can_be_given_to_another_port)
{
    // Kills: associating an accepted socket with the port that accepted it.
    struct proi_backend *first = backend_open(), *second = backend_open();
    struct pro_op accept = { 0 }, connect = { 0 }, op = { 0 };
    struct pro_handle listener, client, server;
    const struct pro_addr addr = listener_open(first, &listener);
    char byte = 0;

    op_submit(first, &accept, PRO_OP_ACCEPT, &listener);
    connect_submit(first, &connect, addr);
    REQUIRE(op_wait(first, &accept) == PRO_OK && op_wait(first, &connect) == PRO_OK);
    handle_attach(second, &server, PROI_HANDLE_SOCKET, *proi_op_native(&accept), PRO_OP_ACCEPT);
    handle_attach(first, &client, PROI_HANDLE_SOCKET, *proi_op_native(&connect), PRO_OP_CONNECT);
    transfer_submit(second, &op, PRO_OP_RECV, &server, &byte, 1);
    CHECK_EQ(transfer(first, PRO_OP_SEND, &client, (char[]){ 'x' }, 1), 1);
    CHECK_EQ(op_wait(second, &op), 1); /* waits on the second port */
    CHECK_EQ(byte, 'x');
    handle_close(second, &server);
    handle_close(first, &client);
    handle_close(first, &listener);
    type->close(first);
    type->close(second);
}

/* The number that the next socket gets: the system gives the lowest free ones, or nearly so. */
static uintptr_t next_number(void)
{
    const SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);

    closesocket(s);
    return s;
}

/* A port that refuses, and that nobody can take: bound, and not listened on. */
static SOCKET port_hold(struct pro_addr *ret_addr)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int length = (int)sizeof address;
    const SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0);

    REQUIRE(bind(s, (struct sockaddr *)&address, length) == 0);
    REQUIRE(getsockname(s, (struct sockaddr *)&address, &length) == 0);
    *ret_addr = (struct pro_addr){ .family = PRO_IPV4, .port = ntohs(address.sin_port), .ip = { 127, 0, 0, 1 } };
    return s;
}

TEST(iocp_connect_to_a_closed_port_is_refused_and_gives_no_socket)
{
    // Kills: leaving the refused socket open, or reporting NTSTATUS instead of Winsock's number.
    struct proi_backend *backend = backend_open();
    struct pro_addr addr = { 0 };
    const SOCKET held = port_hold(&addr);
    const uintptr_t before = next_number();

    for (int i = 0; i < 100; i++) {
        struct pro_op op = { 0 };

        connect_submit(backend, &op, addr);
        CHECK_EQ(op_wait(backend, &op), PRO_E_REFUSED);
        CHECK_EQ(op.native, WSAECONNREFUSED);
    }
    CHECK(next_number() < before + 4 * 50); /* numbers go up in fours */
    closesocket(held);
    type->close(backend);
}

TEST(iocp_accept_skips_a_connection_that_was_reset_before_its_turn)
{
    // Kills: handing ERROR_UNEXP_NET_ERR of AcceptEx to the program.
    struct proi_backend *backend = backend_open();
    struct pro_op accept = { 0 }, connect = { 0 };
    struct pro_handle listener, client, server;
    const struct pro_addr addr = listener_open(backend, &listener);

    for (int i = 0; i < 3; i++) {
        connect_submit(backend, &connect, addr);
        REQUIRE(op_wait(backend, &connect) == PRO_OK);
        handle_attach(backend, &client, PROI_HANDLE_SOCKET, *proi_op_native(&connect), PRO_OP_CONNECT);
        CHECK_EQ(type->set_abortive(backend, &client, true), PRO_OK);
        handle_close(backend, &client);
    }
    op_submit(backend, &accept, PRO_OP_ACCEPT, &listener);
    connect_submit(backend, &connect, addr);
    REQUIRE(op_wait(backend, &connect) == PRO_OK);
    handle_attach(backend, &client, PROI_HANDLE_SOCKET, *proi_op_native(&connect), PRO_OP_CONNECT);
    /* Windows may hand out the dead ones as well; the living one comes in the end. */
    for (;;) {
        struct pro_addr here = { 0 }, there = { 0 };

        REQUIRE(op_wait(backend, &accept) == PRO_OK);
        handle_attach(backend, &server, PROI_HANDLE_SOCKET, *proi_op_native(&accept), PRO_OP_ACCEPT);
        if (type->peer_addr(backend, &server, &there) == PRO_OK &&
            type->local_addr(backend, &client, &here) == PRO_OK && there.port == here.port)
            break;
        handle_close(backend, &server);
        op_submit(backend, &accept, PRO_OP_ACCEPT, &listener);
    }
    handle_close(backend, &server);
    handle_close(backend, &client);
    handle_close(backend, &listener);
    type->close(backend);
}

TEST(iocp_reset_is_not_taken_for_the_end_of_the_stream)
{
    // Kills: believing a receive of 0 bytes without asking WSAPoll.
    struct proi_backend *backend = backend_open();
    WSAPOLLFD poll = { .events = POLLRDNORM };
    struct pair pair;
    char byte;

    pair_open(backend, &pair);
    CHECK_EQ(type->set_abortive(backend, &pair.client, true), PRO_OK);
    handle_close(backend, &pair.client);
    poll.fd = (SOCKET)pair.server.native;
    CHECK_EQ(WSAPoll(&poll, 1, 5000), 1); /* the reset is in before the receive is */
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.server, &byte, 1), PRO_E_RESET);
    handle_close(backend, &pair.server);
    handle_close(backend, &pair.listener);
    type->close(backend);
}

TEST(iocp_pending_receive_hears_of_a_reset)
{
    // Kills: a missing row for 0xC000020D in the table of statuses.
    struct proi_backend *backend = backend_open();
    struct pro_op op = { 0 };
    struct pair pair;
    char byte;

    pair_open(backend, &pair);
    transfer_submit(backend, &op, PRO_OP_RECV, &pair.server, &byte, 1);
    CHECK_EQ(type->set_abortive(backend, &pair.client, true), PRO_OK);
    handle_close(backend, &pair.client);
    CHECK_EQ(op_wait(backend, &op), PRO_E_RESET);
    CHECK_EQ(op.native, WSAECONNRESET);
    handle_close(backend, &pair.server);
    handle_close(backend, &pair.listener);
    type->close(backend);
}

static int64_t shut_down(struct proi_backend *backend, struct pro_handle *handle, enum pro_shutdown_how how)
{
    struct pro_op op = { .offset = how };

    op_submit(backend, &op, PRO_OP_SHUTDOWN, handle);
    return op_wait(backend, &op);
}

TEST(iocp_shutdown_of_sending_is_the_end_of_the_peers_stream)
{
    // Kills: PRO_SHUTDOWN_SEND passed on as SD_RECEIVE; WSAESHUTDOWN not known as PRO_E_PIPE.
    struct proi_backend *backend = backend_open();
    struct pair pair;
    char buffer[8];

    pair_open(backend, &pair);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, (char[]){ "end" }, 3), 3);
    CHECK_EQ(shut_down(backend, &pair.client, PRO_SHUTDOWN_SEND), PRO_OK);
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.server, buffer, sizeof buffer), 3);
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.server, buffer, sizeof buffer), 0);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, buffer, 1), PRO_E_PIPE);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.server, buffer, 1), 1); /* the other direction lives on */
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.client, buffer, 1), 1);
    pair_close(backend, &pair);
}

TEST(iocp_shutdown_of_receiving_ends_pending_and_later_receives_with_0)
{
    // Kills: not cancelling the pending receives (they would stay for ever); telling them PRO_E_CANCELED.
    static const enum pro_shutdown_how hows[] = { PRO_SHUTDOWN_RECV, PRO_SHUTDOWN_BOTH };

    for (size_t i = 0; i < 2; i++) {
        struct proi_backend *backend = backend_open();
        struct pro_op first = { 0 }, second = { 0 };
        struct pair pair;
        char bytes[2];

        pair_open(backend, &pair);
        transfer_submit(backend, &first, PRO_OP_RECV, &pair.server, &bytes[0], 1);
        transfer_submit(backend, &second, PRO_OP_RECV, &pair.server, &bytes[1], 1);
        CHECK_EQ(drain(backend), 0);
        CHECK_EQ(shut_down(backend, &pair.server, hows[i]), PRO_OK);
        CHECK_EQ(op_wait(backend, &first), 0);
        CHECK_EQ(op_wait(backend, &second), 0);
        CHECK_EQ(transfer(backend, PRO_OP_RECV, &pair.server, bytes, 1), 0);
        pair_close(backend, &pair);
    }
}

TEST(iocp_port_in_use_and_shared_ports_are_refused_by_name)
{
    // Kills: SO_REUSEADDR instead of SO_EXCLUSIVEADDRUSE.
    struct proi_backend *backend = backend_open();
    const struct pro_listen_options shared = { .reuse_port = true };
    struct pro_handle listener;
    const struct pro_addr addr = listener_open(backend, &listener);
    intptr_t native = 0;
    int error = 0;

    CHECK_EQ(type->listen(backend, &addr, NULL, &native, &error), PRO_E_IN_USE);
    CHECK_EQ(error, WSAEADDRINUSE);
    CHECK_EQ(type->listen(backend, &addr, &shared, &native, &error), PRO_E_NOT_SUPPORTED);
    handle_close(backend, &listener);
    REQUIRE(type->listen(backend, &addr, NULL, &native, &error) == PRO_OK); /* free again at once */
    type->release(backend, PROI_HANDLE_LISTENER, native);
    type->close(backend);
}

TEST(iocp_start_on_a_socket_that_is_not_connected_fails_through_wait)
{
    // Kills: completing a failed start inside submit, or losing it.
    struct proi_backend *backend = backend_open();
    struct pro_handle handle;
    char byte = 0;

    const SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    handle_attach(backend, &handle, PROI_HANDLE_SOCKET, s, PRO_OP_ACCEPT);
    CHECK_EQ(transfer(backend, PRO_OP_RECV, &handle, &byte, 1), PRO_E_NOT_CONNECTED);
    handle_close(backend, &handle);
    type->close(backend);
}

/* ---- cancelling ---- */
TEST(iocp_cancel_ends_accept_and_receive_once_each_and_the_socket_lives_on)
{
    // Kills: cancelling the whole handle instead of the one op; closing the socket in cancel.
    struct proi_backend *backend = backend_open();
    struct pro_op accept = { 0 }, first = { 0 }, second = { 0 };
    struct pair pair;
    char bytes[2] = "";

    pair_open(backend, &pair);
    op_submit(backend, &accept, PRO_OP_ACCEPT, &pair.listener);
    transfer_submit(backend, &first, PRO_OP_RECV, &pair.server, &bytes[0], 1);
    transfer_submit(backend, &second, PRO_OP_RECV, &pair.server, &bytes[1], 1);
    type->cancel(backend, &accept);
    type->cancel(backend, &first);
    type->cancel(backend, &first);
    CHECK_EQ(op_wait(backend, &accept), PRO_E_CANCELED);
    CHECK_EQ(op_wait(backend, &first), PRO_E_CANCELED);
    CHECK_EQ(second.state, PRO_OP_KERNEL);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, (char[]){ 'x' }, 1), 1);
    CHECK_EQ(op_wait(backend, &second), 1);
    CHECK_EQ(bytes[1], 'x');
    pair_close(backend, &pair);
}

TEST(iocp_cancel_that_comes_after_the_data_finds_nothing_and_the_data_is_delivered)
{
    // Kills: naming an op canceled because cancel was called.
    struct proi_backend *backend = backend_open();
    struct pro_op receive = { 0 };
    WSAPOLLFD poll = { .events = POLLRDNORM };
    struct pair pair;
    char byte = 0;

    pair_open(backend, &pair);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, (char[]){ 'x' }, 1), 1);
    poll.fd = (SOCKET)pair.server.native;
    CHECK_EQ(WSAPoll(&poll, 1, 5000), 1);
    transfer_submit(backend, &receive, PRO_OP_RECV, &pair.server, &byte, 1); /* its packet is in the port */
    type->cancel(backend, &receive);
    CHECK_EQ(op_wait(backend, &receive), 1);
    CHECK_EQ(byte, 'x');
    type->cancel(backend, &receive); /* over */
    transfer_submit(backend, &receive, PRO_OP_RECV, &pair.server, &byte, 1);
    CHECK_EQ(transfer(backend, PRO_OP_SEND, &pair.client, (char[]){ 'y' }, 1), 1);
    CHECK_EQ(op_wait(backend, &receive), 1);
    CHECK_EQ(byte, 'y');
    pair_close(backend, &pair);
}

static size_t peer_drain(struct pro_handle *handle, char *buffer, size_t size)
{
    size_t total = 0;

    for (;;) {
        const int n = recv((SOCKET)handle->native, buffer, (int)size, 0);

        if (n <= 0)
            return total;
        total += (size_t)n;
    }
}

TEST(iocp_canceled_send_tells_how_much_went_and_the_peer_gets_exactly_that)
{
    // Kills: dropping the byte count of a packet that failed; closing before the packet came (Wine would send on).
    enum { SIZE = 12 << 20 };
    struct proi_backend *backend = backend_open();
    struct pro_op send = { 0 };
    char *data = calloc(1, SIZE);
    struct pair pair;
    size_t received;

    REQUIRE(data != NULL);
    pair_open(backend, &pair);
    transfer_submit(backend, &send, PRO_OP_SEND_ALL, &pair.client, data, SIZE);
    turn(backend, proi_now() + 20000000);
    REQUIRE(send.state == PRO_OP_KERNEL); /* nobody reads: it cannot be through */
    type->cancel(backend, &send);
    CHECK_EQ(op_wait(backend, &send), PRO_E_CANCELED);
    CHECK(send.transferred < SIZE);
    handle_close(backend, &pair.client);
    received = peer_drain(&pair.server, data, SIZE);
    CHECK_EQ(received, send.transferred);
    handle_close(backend, &pair.server);
    handle_close(backend, &pair.listener);
    type->close(backend);
    free(data);
}

TEST(iocp_large_send_goes_in_trips_that_report_what_moved)
{
    // Kills: reporting the whole length for a trip that was cut.
    enum { SIZE = 40 << 20 };
    struct proi_backend *backend = backend_open();
    struct pro_op send = { 0 }, receive = { 0 };
    char *data = calloc(1, SIZE), *copy = calloc(1, SIZE);
    size_t received = 0, sent = 0;
    struct pair pair;

    REQUIRE(data && copy);
    for (size_t i = 0; i < SIZE; i += 4096)
        data[i] = (char)(i >> 12);
    pair_open(backend, &pair);
    while (received < SIZE) {
        if (sent < SIZE && send.state == PRO_OP_IDLE)
            transfer_submit(backend, &send, PRO_OP_SEND_ALL, &pair.client, data + sent, SIZE - sent);
        if (receive.state == PRO_OP_IDLE)
            transfer_submit(backend, &receive, PRO_OP_RECV, &pair.server, copy + received, SIZE - received);
        turn(backend, UINT64_MAX);
        if (receive.state == PRO_OP_IDLE) {
            REQUIRE(receive.result > 0);
            received += (size_t)receive.result;
        }
        if (sent < SIZE && send.state == PRO_OP_IDLE) {
            REQUIRE(send.result > 0 && (size_t)send.result == send.transferred);
            sent += send.transferred;
        }
    }
    CHECK_EQ(sent, SIZE);
    CHECK(memcmp(data, copy, SIZE) == 0);
    pair_close(backend, &pair);
    free(data);
    free(copy);
}

static unsigned thread_count(void)
{
    const HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = { .dwSize = sizeof entry };
    unsigned count = 0;

    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(snapshot);
    return count;
}

TEST(iocp_five_hundred_pending_receives_need_no_thread_and_cancel_one_by_one)
{
    // Kills: a thread per operation; cancelling by handle.
    enum { COUNT = 500 };
    static struct pro_op ops[COUNT];
    static char bytes[COUNT];
    struct proi_backend *backend = backend_open();
    struct pair pair;
    unsigned before;

    pair_open(backend, &pair);
    before = thread_count();
    memset(ops, 0, sizeof ops);
    for (size_t i = 0; i < COUNT; i++)
        transfer_submit(backend, &ops[i], PRO_OP_RECV, &pair.server, &bytes[i], 1);
    CHECK_EQ(thread_count(), before);
    for (size_t i = 0; i < COUNT; i += 2)
        type->cancel(backend, &ops[i]);
    for (size_t i = 0; i < COUNT; i += 2)
        CHECK_EQ(op_wait(backend, &ops[i]), PRO_E_CANCELED);
    for (size_t i = 1; i < COUNT; i += 2)
        CHECK_EQ(ops[i].state, PRO_OP_KERNEL);
    for (size_t i = 1; i < COUNT; i += 2)
        type->cancel(backend, &ops[i]);
    for (size_t i = 1; i < COUNT; i += 2)
        CHECK_EQ(op_wait(backend, &ops[i]), PRO_E_CANCELED);
    pair_close(backend, &pair);
}

/* ---- waiting and waking ---- */
static struct proi_backend *to_be_woken;

static void wake_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        type->wake(to_be_woken);
}

TEST(iocp_a_thousand_wakes_put_one_packet_at_a_time_into_the_port)
{
    // Kills: posting at every wake; never clearing the mark, so that the second wake is lost.
    struct proi_backend *backend = backend_open();

    to_be_woken = backend;
    for (int round = 0; round < 3; round++) {
        struct proi_thread thread;
        struct pro_op nop = { 0 };
        size_t turns = 0;

        REQUIRE(proi_thread_start(&thread, "waker", wake_often, NULL, 0) == PRO_OK);
        proi_thread_join(&thread);
        turn(backend, UINT64_MAX); /* would sleep for ever without a packet */
        for (op_submit(backend, &nop, PRO_OP_NOP, NULL); nop.state == PRO_OP_KERNEL; turns++)
            turn(backend, UINT64_MAX);
        CHECK_EQ(turns, 1);
    }
    type->wake(backend);
    CHECK_EQ(turn(backend, UINT64_MAX), 0); /* on the loop's own thread, too */
    type->close(backend);
}

TEST(iocp_wait_sleeps_until_its_deadline_without_spinning)
{
    // Kills: rounding the wait down (the last millisecond would be spent in empty turns).
    struct proi_backend *backend = backend_open();
    const uint64_t deadline = type->now(backend) + 30500000;
    unsigned turns = 0;

    while (type->now(backend) < deadline) {
        CHECK_EQ(turn(backend, deadline), 0);
        turns++;
    }
    CHECK(turns <= 4);
    type->close(backend);
}

/* ---- the tables ---- */
TEST(windows_errors_have_one_meaning_under_all_their_numbers)
{
    // Kills: a swapped row.
    char text[200] = "";

    CHECK_EQ(proi_error_from_native(0), PRO_OK);
    CHECK_EQ(proi_error_from_native(WSAECONNRESET), PRO_E_RESET);
    CHECK_EQ(proi_error_from_native(ERROR_NETNAME_DELETED), PRO_E_RESET);
    CHECK_EQ(proi_error_from_native(WSAECONNREFUSED), PRO_E_REFUSED);
    CHECK_EQ(proi_error_from_native(ERROR_CONNECTION_REFUSED), PRO_E_REFUSED);
    CHECK_EQ(proi_error_from_native(ERROR_OPERATION_ABORTED), PRO_E_CANCELED);
    CHECK_EQ(proi_error_from_native(676), PRO_E_CANCELED);
    CHECK_EQ(proi_error_from_native(WSAEADDRINUSE), PRO_E_IN_USE);
    CHECK_EQ(proi_error_from_native(ERROR_DISK_FULL), PRO_E_NO_SPACE);
    CHECK_EQ(proi_error_from_native(-12345), PRO_E_FAILED);
    proi_native_message(ERROR_FILE_NOT_FOUND, text, sizeof text);
    CHECK(strlen(text) > 5);
    CHECK(strpbrk(text, "\r\n") == NULL);
    proi_native_message(-12345, text, sizeof text);
    CHECK_STR(text, "system error -12345");
}
