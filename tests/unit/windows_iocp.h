/* SPDX-License-Identifier: MIT */
/* A loop in miniature for the tests of the completion-port backend: one backend, handles and ops of the test. */
#ifndef PROACT_TEST_WINDOWS_IOCP_H
#define PROACT_TEST_WINDOWS_IOCP_H

#include "harness.h"

#include <proactor/backend.h>
#include <stdlib.h>

#include <winsock2.h>

#include <windows.h>

#include <tlhelp32.h>

extern const struct proi_backend_type proi_backend_iocp;
static const struct proi_backend_type *const type = &proi_backend_iocp;

/* ---- a loop in miniature: one backend, handles and ops of the test ---- */
static inline struct proi_backend *backend_open(void)
{
    struct proi_backend *backend = NULL;
    char reason[200] = "";
    const int code = type->open(NULL, &backend, reason, sizeof reason);

    if (code != PRO_OK)
        test_note("%s", reason);
    REQUIRE(code == PRO_OK);
    CHECK_EQ(type->bind(backend), PRO_OK);
    return backend;
}

static inline void op_submit(struct proi_backend *backend, struct pro_op *op, enum pro_op_kind kind, struct pro_handle *handle)
{
    op->kind = (unsigned char)kind;
    op->state = PRO_OP_KERNEL;
    op->handle = handle;
    op->result = INT64_MIN;
    op->transferred = 0;
    op->native = 0;
    if (handle) {
        op->handle_previous = NULL;
        op->handle_next = handle->ops;
        if (handle->ops)
            handle->ops->handle_previous = op;
        handle->ops = op;
    }
    type->submit(backend, op);
    CHECK_EQ(op->result, INT64_MIN); /* never inside submit */
}

static inline void op_returned(struct pro_op *op)
{
    CHECK_EQ(op->state, PRO_OP_KERNEL); /* else it came twice */
    op->state = PRO_OP_IDLE;
    if (!op->handle)
        return;
    if (op->handle_next)
        op->handle_next->handle_previous = op->handle_previous;
    if (op->handle_previous)
        op->handle_previous->handle_next = op->handle_next;
    else
        op->handle->ops = op->handle_next;
}

/* Takes what is over; gives how many ops that were. */
static inline size_t turn(struct proi_backend *backend, uint64_t deadline_ns)
{
    struct proi_op_queue done = { NULL, NULL };
    struct pro_op *op;
    size_t count = 0;

    type->wait(backend, deadline_ns, &done);
    for (; (op = proi_op_queue_pop(&done)) != NULL; count++)
        op_returned(op);
    return count;
}

static inline int64_t op_wait(struct proi_backend *backend, struct pro_op *op)
{
    while (op->state == PRO_OP_KERNEL)
        turn(backend, UINT64_MAX);
    return op->result;
}

/* Everything that is in the port, and nothing is waited for. */
static inline size_t drain(struct proi_backend *backend)
{
    size_t all = 0, some;

    do {
        some = turn(backend, 0);
        all += some;
    } while (some > 0);
    return all;
}

static inline void handle_attach(struct proi_backend *backend, struct pro_handle *handle, enum proi_handle_kind kind,
                          uint64_t native, enum pro_op_kind via)
{
    *handle = (struct pro_handle){ .kind = (unsigned char)kind, .family = PRO_IPV4, .native = (intptr_t)native };
    CHECK_EQ(type->attach(backend, handle, via), PRO_OK);
}

static inline void handle_close(struct proi_backend *backend, struct pro_handle *handle)
{
    struct pro_op op = { 0 };

    op_submit(backend, &op, PRO_OP_CLOSE, handle);
    CHECK_EQ(op_wait(backend, &op), PRO_OK);
}

static inline struct pro_addr listener_open(struct proi_backend *backend, struct pro_handle *listener)
{
    const struct pro_addr any = { .family = PRO_IPV4, .ip = { 127, 0, 0, 1 } };
    struct pro_addr addr = { 0 };
    intptr_t native = 0;
    int error = 0;

    REQUIRE(type->listen(backend, &any, NULL, &native, &error) == PRO_OK);
    handle_attach(backend, listener, PROI_HANDLE_LISTENER, (uint64_t)native, PRO_OP_NONE);
    CHECK_EQ(type->local_addr(backend, listener, &addr), PRO_OK);
    CHECK(addr.port != 0);
    return addr;
}

static inline void connect_submit(struct proi_backend *backend, struct pro_op *op, struct pro_addr addr)
{
    const struct proi_connect_args args = { addr };

    memcpy(proi_op_args(op), &args, sizeof args);
    op_submit(backend, op, PRO_OP_CONNECT, NULL);
}

struct pair {
    struct pro_handle listener, client, server;
};

static inline void pair_open(struct proi_backend *backend, struct pair *pair)
{
    const struct pro_addr addr = listener_open(backend, &pair->listener);
    struct pro_op accept = { 0 }, connect = { 0 };

    op_submit(backend, &accept, PRO_OP_ACCEPT, &pair->listener);
    connect_submit(backend, &connect, addr);
    REQUIRE(op_wait(backend, &accept) == PRO_OK && op_wait(backend, &connect) == PRO_OK);
    handle_attach(backend, &pair->server, PROI_HANDLE_SOCKET, *proi_op_native(&accept), PRO_OP_ACCEPT);
    handle_attach(backend, &pair->client, PROI_HANDLE_SOCKET, *proi_op_native(&connect), PRO_OP_CONNECT);
}

static inline void pair_close(struct proi_backend *backend, struct pair *pair)
{
    handle_close(backend, &pair->client);
    handle_close(backend, &pair->server);
    handle_close(backend, &pair->listener);
    CHECK_EQ(drain(backend), 0);
    type->close(backend);
}

static inline void transfer_submit(struct proi_backend *backend, struct pro_op *op, enum pro_op_kind kind,
                            struct pro_handle *handle, void *buffer, size_t length)
{
    op->buffer = buffer;
    op->length = length;
    op_submit(backend, op, kind, handle);
}

static inline int64_t transfer(struct proi_backend *backend, enum pro_op_kind kind, struct pro_handle *handle, void *buffer,
                        size_t length)
{
    struct pro_op op = { 0 };

    transfer_submit(backend, &op, kind, handle, buffer, length);
    return op_wait(backend, &op);
}

#endif
