/* SPDX-License-Identifier: MIT */
/* The verbs of sockets: they check and fill the op, nothing more. */
#include "verb.h"

#include <proact/lease.h>
#include <proact/net.h>

enum { KIND_LISTENER = 1u << PROI_HANDLE_LISTENER, KIND_SOCKET = 1u << PROI_HANDLE_SOCKET };

/* Reads through NULL as if nothing had ever been opened. */
static struct pro_socket value_of(const struct pro_socket *socket)
{
    return socket ? *socket : (struct pro_socket){ 0 };
}

static void use_socket(struct pro_op *op, const struct pro_socket *socket, unsigned kinds)
{
    const struct pro_socket value = value_of(socket);

    proi_op_use_handle(op, value.handle, value.generation, value.loop_id, kinds);
}

int pro_listen(struct pro_loop *loop, const struct pro_addr *addr, const struct pro_listen_options *options,
               struct pro_socket *ret_listener)
{
    const struct pro_listen_options defaults = { 0 };
    struct pro_handle *handle = NULL;
    struct pro_loop *const owner = proi_loop_or_default(loop);
    intptr_t native = 0;
    int code, error = 0;

    if (!addr || !ret_listener || (addr->family != PRO_IPV4 && addr->family != PRO_IPV6) ||
        (options && options->backlog < 0))
        return proi_misuse(PRO_E_INVALID, "pro_listen: an argument is missing or not valid");
    if (!owner)
        return PRO_E_NO_THREAD;
    if (!proi_loop_visit(owner))
        return PRO_E_LOOP_CLOSED;
    code = owner->type->listen(owner->backend, addr, options ? options : &defaults, &native, &error);
    if (code == PRO_OK)
        code =
            proi_handle_open(owner, PROI_HANDLE_LISTENER, native, (enum pro_family)addr->family, PRO_OP_NONE, &handle);
    if (code == PRO_OK)
        *ret_listener = (struct pro_socket){ handle, handle->generation, owner->id };
    proi_loop_depart(owner);
    return code;
}

struct pro_op *pro_accept_for(struct pro_op *op, const struct pro_socket *listener, struct pro_loop *owner,
                              struct pro_socket *ret_socket, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_ACCEPT))
        return op;
    if (!ret_socket)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_accept: there is nowhere to put the socket"));
    use_socket(op, listener, KIND_LISTENER);
    proi_op_limit(op, how);
    op->buffer = ret_socket;
    if (!owner)
        owner = op->loop;
    if (owner && !proi_loop_usable(owner))
        proi_op_fail(op, PRO_E_LOOP_CLOSED);
    op->offset = (uintptr_t)owner;
    op->length = owner ? owner->id : 0;
    return op;
}

struct pro_op *pro_accept(struct pro_op *op, const struct pro_socket *listener, struct pro_socket *ret_socket,
                          struct pro_how how)
{
    return pro_accept_for(op, listener, NULL, ret_socket, how);
}

struct pro_op *pro_connect(struct pro_op *op, struct pro_loop *loop, const struct pro_addr *addr,
                           struct pro_socket *ret_socket, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_CONNECT))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    op->buffer = ret_socket;
    if (!addr || !ret_socket || (addr->family != PRO_IPV4 && addr->family != PRO_IPV6) || !addr->port) {
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_connect: the address or the socket is missing or not valid"));
        return op;
    }
    if (!(op->flags & PROI_OP_FAILED)) /* else the scratch that they share says why: pro_op_error() */
        ((struct proi_connect_args *)proi_op_args(op))->addr = *addr;
    return op;
}

static struct pro_op *transfer(struct pro_op *op, enum pro_op_kind kind, const struct pro_socket *socket, void *buffer,
                               size_t length, struct pro_how how)
{
    if (!proi_op_begin(&op, kind))
        return op;
    use_socket(op, socket, KIND_SOCKET);
    proi_op_limit(op, how);
    op->buffer = buffer;
    op->length = length;
    if (!buffer || !length || length > INT64_MAX)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "%s: the buffer is NULL or empty", pro_op_kind_name((int)kind)));
    else if (PROI_IS_POISONED(buffer, length))
        proi_op_fail(
            op, proi_misuse(PRO_E_INVALID, "%s: the buffer is shorter than the length", pro_op_kind_name((int)kind)));
    return op;
}

struct pro_op *pro_recv(struct pro_op *op, const struct pro_socket *socket, void *buffer, size_t length,
                        struct pro_how how)
{
    return transfer(op, PRO_OP_RECV, socket, buffer, length, how);
}

struct pro_op *pro_recv_lease(struct pro_op *op, const struct pro_socket *socket, struct pro_lease *ret_lease,
                              struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_RECV_LEASE))
        return op;
    use_socket(op, socket, KIND_SOCKET);
    proi_op_limit(op, how);
    op->buffer = ret_lease;
    op->length = 0;
    if (!ret_lease)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_recv_lease: there is nowhere to put the lease"));
    else
        *ret_lease = (struct pro_lease){ 0 };
    return op;
}

/* The op has one buffer pointer for both directions; no backend writes through it for a send. */
struct pro_op *pro_send(struct pro_op *op, const struct pro_socket *socket, const void *data, size_t length,
                        struct pro_how how)
{
    return transfer(op, PRO_OP_SEND, socket, (void *)(uintptr_t)data, length, how);
}

struct pro_op *pro_send_all(struct pro_op *op, const struct pro_socket *socket, const void *data, size_t length,
                            struct pro_how how)
{
    return transfer(op, PRO_OP_SEND_ALL, socket, (void *)(uintptr_t)data, length, how);
}

struct pro_op *pro_shutdown(struct pro_op *op, const struct pro_socket *socket, enum pro_shutdown_how which,
                            struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_SHUTDOWN))
        return op;
    use_socket(op, socket, KIND_SOCKET);
    proi_op_limit(op, how);
    op->offset = (uint64_t)which;
    if (which < PRO_SHUTDOWN_RECV || which > PRO_SHUTDOWN_BOTH)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_shutdown: no such direction"));
    return op;
}

struct pro_op *pro_close(struct pro_op *op, const struct pro_socket *socket)
{
    if (proi_op_begin(&op, PRO_OP_CLOSE))
        use_socket(op, socket, KIND_LISTENER | KIND_SOCKET);
    return op;
}

/* ---- questions ---- */

bool pro_socket_is_open(const struct pro_socket *socket)
{
    const struct pro_socket value = value_of(socket);

    return proi_handle_check(value.handle, value.generation, value.loop_id) == PRO_OK;
}

/* The handle of an open socket, or NULL and why. What is asked of it afterwards the caller sees to that nobody closes
 * it. */
static struct pro_handle *open_handle(const struct pro_socket *socket, const char *who, int *ret_code)
{
    const struct pro_socket value = value_of(socket);
    struct proi_handle_view view;

    *ret_code = proi_handle_look(value.handle, value.generation, value.loop_id, &view);
    if (*ret_code == PRO_E_INVALID)
        proi_misuse(PRO_E_INVALID, "%s: the socket was never opened", who);
    else if (*ret_code == PRO_OK && !((KIND_LISTENER | KIND_SOCKET) & 1u << view.kind))
        *ret_code = proi_misuse(PRO_E_INVALID, "%s: the handle is no socket", who);
    return *ret_code == PRO_OK ? value.handle : NULL;
}

int pro_socket_local_addr(const struct pro_socket *socket, struct pro_addr *ret_addr)
{
    int code;
    struct pro_handle *const handle = open_handle(socket, "pro_socket_local_addr", &code);

    if (!ret_addr)
        return proi_misuse(PRO_E_INVALID, "pro_socket_local_addr: ret_addr is NULL");
    return handle ? handle->loop->type->local_addr(handle->loop->backend, handle, ret_addr) : code;
}

int pro_socket_peer_addr(const struct pro_socket *socket, struct pro_addr *ret_addr)
{
    int code;
    struct pro_handle *const handle = open_handle(socket, "pro_socket_peer_addr", &code);

    if (!ret_addr)
        return proi_misuse(PRO_E_INVALID, "pro_socket_peer_addr: ret_addr is NULL");
    return handle ? handle->loop->type->peer_addr(handle->loop->backend, handle, ret_addr) : code;
}

/* Whoever closes it meanwhile: the loop is that of the same life as the number, never that of the block's next one. */
struct pro_loop *pro_socket_loop(const struct pro_socket *socket)
{
    const struct pro_socket value = value_of(socket);
    struct proi_handle_view view;

    return proi_handle_look(value.handle, value.generation, value.loop_id, &view) == PRO_OK ? view.loop : NULL;
}

int pro_socket_set_abortive(const struct pro_socket *socket, bool abortive)
{
    int code;
    struct pro_handle *const handle = open_handle(socket, "pro_socket_set_abortive", &code);

    return handle ? handle->loop->type->set_abortive(handle->loop->backend, handle, abortive) : code;
}

int pro_socket_set_buffers(const struct pro_socket *socket, int send_bytes, int receive_bytes)
{
    int code;
    struct pro_handle *const handle = open_handle(socket, "pro_socket_set_buffers", &code);

    if (send_bytes < 0 || receive_bytes < 0)
        return proi_misuse(PRO_E_INVALID, "pro_socket_set_buffers: a size is negative");
    return handle ? handle->loop->type->set_buffers(handle->loop->backend, handle, send_bytes, receive_bytes) : code;
}
