/* SPDX-License-Identifier: MIT */
/* Simulated connections: two ends, a bounded buffer in each direction, half-close, and resets. */
#include "sim.h"

#include <string.h>

enum { SMALLEST_RING = 1024 };

/* ---- bytes ---- */

/* Most connections carry little: the ring grows with what is in it. */
static bool bytes_reserve(struct sim_bytes *bytes, size_t count)
{
    size_t capacity = bytes->capacity ? bytes->capacity : SMALLEST_RING, head;
    unsigned char *ring;

    if (count <= bytes->capacity)
        return true;
    while (capacity < count)
        capacity *= 2;
    ring = proi_alloc(capacity);
    if (!ring)
        return false;
    if (bytes->count) {
        head = bytes->capacity - bytes->first;
        head = head < bytes->count ? head : bytes->count;
        memcpy(ring, bytes->ring + bytes->first, head);
        memcpy(ring + head, bytes->ring, bytes->count - head);
    }
    proi_free(bytes->ring);
    bytes->ring = ring;
    bytes->capacity = capacity;
    bytes->first = 0;
    return true;
}

static bool bytes_put(struct sim_bytes *bytes, const unsigned char *data, size_t count)
{
    size_t end, head;

    if (!bytes_reserve(bytes, bytes->count + count))
        return false;
    end = (bytes->first + bytes->count) % bytes->capacity;
    head = bytes->capacity - end < count ? bytes->capacity - end : count;
    memcpy(bytes->ring + end, data, head);
    memcpy(bytes->ring, data + head, count - head);
    bytes->count += count;
    return true;
}

static void bytes_take(struct sim_bytes *bytes, unsigned char *data, size_t count)
{
    size_t head = bytes->capacity - bytes->first < count ? bytes->capacity - bytes->first : count;

    memcpy(data, bytes->ring + bytes->first, head);
    memcpy(data + head, bytes->ring, count - head);
    bytes->first = (bytes->first + count) % bytes->capacity;
    bytes->count -= count;
}

static void bytes_free(struct sim_bytes *bytes)
{
    proi_free(bytes->ring);
    bytes->ring = NULL;
    bytes->capacity = bytes->first = bytes->count = 0;
}

/* ---- sockets ---- */

struct sim_socket *sim_socket_new(struct sim *sim, const struct pro_addr *local, const struct pro_addr *peer)
{
    struct sim_socket *socket = proi_alloc_zeroed(sizeof *socket);

    if (!socket)
        return NULL;
    socket->object = (struct sim_object){ .sim = sim, .kind = PROI_HANDLE_SOCKET };
    socket->local = *local;
    socket->peer = *peer;
    socket->in.limit = sim->options.socket_buffer;
    return socket;
}

struct sim_queue *sim_queue_of(struct pro_op *op)
{
    switch (op->kind) {
    case PRO_OP_ACCEPT:
        return &((struct sim_listener *)op->handle->native)->accepting;
    case PRO_OP_RECV:
    case PRO_OP_RECV_LEASE:
        return &((struct sim_socket *)op->handle->native)->receiving;
    case PRO_OP_SEND:
    case PRO_OP_SEND_ALL:
        return &((struct sim_socket *)op->handle->native)->sending;
    default:
        return NULL;
    }
}

static void socket_changed(struct sim *sim, struct sim_socket *socket)
{
    sim_queue_changed(sim, &socket->receiving);
    sim_queue_changed(sim, &socket->sending);
}

static void end_reset(struct sim *sim, struct sim_socket *socket)
{
    socket->is_reset = true;
    bytes_free(&socket->in);
    socket_changed(sim, socket);
}

void sim_socket_reset(struct sim *sim, struct sim_socket *socket)
{
    end_reset(sim, socket);
    if (socket->other)
        end_reset(sim, socket->other);
}

/* As TCP does it: an end that goes away with bytes unread resets the connection, they are lost in any case. */
void sim_socket_close(struct sim *sim, struct sim_socket *socket)
{
    struct sim_socket *other = socket->other;

    if (other) {
        if (socket->is_abortive || socket->in.count)
            end_reset(sim, other);
        other->in_ended = true;
        other->other = NULL;
        socket_changed(sim, other);
    }
    bytes_free(&socket->in);
    proi_free(socket);
}

/* ---- operations ---- */

/* Where the bytes that have come go, and how many may. False: there is no buffer for them, and the request is finished.
 */
static bool receive_place(struct sim *sim, struct sim_request *request, void **ret_place, size_t *ret_count)
{
    struct pro_op *op = request->op;
    int64_t code = PRO_OK;

    *ret_place = proi_op_data(op);
    *ret_count = proi_op_left(op);
    if (op->kind != PRO_OP_RECV_LEASE)
        return true;
    code = sim_chance(sim, sim->options.starve_percent) ? PROI_STARVED : proi_lease_take(op);
    *ret_place = proi_op_lease(op)->data;
    *ret_count = proi_op_lease(op)->size;
    if (code < 0)
        sim_finish(sim, request, code, 0);
    return code == PRO_OK;
}

bool sim_try_receive(struct sim *sim, struct sim_request *request)
{
    struct sim_socket *socket = (struct sim_socket *)request->op->handle->native;
    size_t count;
    void *place;

    if (socket->is_reset) {
        sim_finish(sim, request, PRO_E_RESET, 0);
        return true;
    }
    if (socket->in.count) {
        if (!receive_place(sim, request, &place, &count))
            return true;
        count = sim_cut(sim, count < socket->in.count ? count : socket->in.count);
        bytes_take(&socket->in, place, count);
        sim_finish(sim, request, (int64_t)count, count);
        if (socket->other)
            sim_queue_changed(sim, &socket->other->sending);
        return true;
    }
    if (socket->in_ended || socket->receive_shut)
        sim_finish(sim, request, 0, 0);
    return socket->in_ended || socket->receive_shut;
}

/* The first bytes for an end that is gone still leave; what comes back is a reset. */
static void send_to_nobody(struct sim *sim, struct sim_socket *socket, struct sim_request *request)
{
    size_t count = proi_op_left(request->op);

    end_reset(sim, socket);
    sim_finish(sim, request, (int64_t)count, count);
}

bool sim_try_send(struct sim *sim, struct sim_request *request)
{
    struct sim_socket *socket = (struct sim_socket *)request->op->handle->native;
    struct sim_bytes *to = socket->other ? &socket->other->in : NULL;
    size_t count = proi_op_left(request->op);

    if (socket->send_shut || socket->is_reset) {
        sim_finish(sim, request, socket->send_shut ? PRO_E_PIPE : PRO_E_RESET, 0);
        return true;
    }
    if (!to) {
        send_to_nobody(sim, socket, request);
        return true;
    }
    if (to->count >= to->limit)
        return false;
    count = sim_cut(sim, count < to->limit - to->count ? count : to->limit - to->count);
    if (!bytes_put(to, proi_op_data(request->op), count)) {
        sim_finish(sim, request, PRO_E_NO_MEMORY, 0);
        return true;
    }
    sim_finish(sim, request, (int64_t)count, count);
    sim_queue_changed(sim, &socket->other->receiving);
    return true;
}

void sim_shutdown(struct sim *sim, struct sim_request *request)
{
    struct sim_socket *socket = (struct sim_socket *)request->op->handle->native;
    uint64_t which = request->op->offset;

    if (socket->is_reset) {
        sim_finish(sim, request, PRO_E_NOT_CONNECTED, 0);
        return;
    }
    if (which != PRO_SHUTDOWN_SEND)
        socket->receive_shut = true;
    if (which != PRO_SHUTDOWN_RECV && !socket->send_shut) {
        socket->send_shut = true;
        if (socket->other) {
            socket->other->in_ended = true;
            sim_queue_changed(sim, &socket->other->receiving);
        }
    }
    socket_changed(sim, socket);
    sim_finish(sim, request, PRO_OK, 0);
}
