/* SPDX-License-Identifier: MIT */
/* Sockets of the epoll backend: completions made out of readiness. Every handle has two queues, one a direction, served
   in order. A system call is made when nothing is known against it; after "would block" its direction is dry until an
   edge-triggered event comes. */
#include "epoll.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "native.h"

/* Operations of one direction of one handle in a row; then it is the next handle's turn. */
enum { SHARE = 16 };

/* What a try came to. Only OVER ends the operation; the others leave it the first of its queue. */
enum outcome { OVER, DRY, AGAIN };

/* ---- queues: rings, so that the handle needs one word and cancel needs no search ---- */
static void queue_push(struct proi_epoll_handle *handle, enum proi_epoll_side side, struct pro_op *op)
{
    struct pro_op *first = handle->first[side];
    struct proi_epoll_op *mine = proi_epoll_op(op);

    op->place = PROI_EPOLL_QUEUED;
    if (!first) {
        mine->next = mine->previous = op;
        handle->first[side] = op;
        return;
    }
    mine->next = first;
    mine->previous = proi_epoll_op(first)->previous;
    proi_epoll_op(mine->previous)->next = op;
    proi_epoll_op(first)->previous = op;
}

static void queue_remove(struct proi_epoll_handle *handle, enum proi_epoll_side side, struct pro_op *op)
{
    struct proi_epoll_op *mine = proi_epoll_op(op);

    if (mine->next == op) {
        handle->first[side] = NULL;
        return;
    }
    proi_epoll_op(mine->previous)->next = mine->next;
    proi_epoll_op(mine->next)->previous = mine->previous;
    if (handle->first[side] == op)
        handle->first[side] = mine->next;
}

static enum proi_epoll_side side_of(const struct pro_op *op)
{
    return op->kind == PRO_OP_ACCEPT || op->kind == PRO_OP_RECV || op->kind == PRO_OP_RECV_LEASE ? PROI_EPOLL_READ
                                                                                                 : PROI_EPOLL_WRITE;
}

/* Takes @op out of its handle's queue and ends it. */
static void finish_queued(struct proi_epoll *epoll, struct pro_op *op, int64_t result, size_t moved, int native)
{
    queue_remove(proi_epoll_handle(op->handle), side_of(op), op);
    proi_epoll_finish(epoll, op, result, moved, native);
}

/* ---- the handles that are worth a try ---- */
static void list_push(struct proi_epoll *epoll, struct pro_handle *handle)
{
    if (handle->backend_flags & PROI_EPOLL_LISTED)
        return;
    handle->backend_flags |= PROI_EPOLL_LISTED;
    proi_epoll_handle(handle)->next = NULL;
    if (epoll->listed_tail)
        proi_epoll_handle(epoll->listed_tail)->next = handle;
    else
        epoll->listed_head = handle;
    epoll->listed_tail = handle;
}

static struct pro_handle *list_pop(struct proi_epoll *epoll)
{
    struct pro_handle *handle = epoll->listed_head;

    epoll->listed_head = proi_epoll_handle(handle)->next;
    if (!epoll->listed_head)
        epoll->listed_tail = NULL;
    handle->backend_flags &= (unsigned char)~PROI_EPOLL_LISTED;
    return handle;
}

static bool side_wants(struct pro_handle *handle, enum proi_epoll_side side)
{
    return proi_epoll_handle(handle)->first[side] && !(handle->backend_flags & 1u << side);
}

/* ---- one try each ---- */
/* TCP_NODELAY comes with the listener's. */
static enum outcome accept_try(struct proi_epoll *epoll, struct pro_op *op)
{
    const int fd = accept4((int)op->handle->native, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int number = fd < 0 ? errno : 0;

    epoll->calls++;
    switch (number) {
    case 0:
        *proi_op_native(op) = (size_t)fd;
        finish_queued(epoll, op, PRO_OK, 0, 0);
        return OVER;
    case EAGAIN:
        return DRY;
    case EINTR: /* the rest is about a connection that is gone already; the next one in the backlog is the answer */
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return AGAIN;
    default:
        finish_queued(epoll, op, proi_error_from_native(number), 0, number);
        return OVER;
    }
}

static enum outcome recv_try(struct proi_epoll *epoll, struct pro_op *op)
{
    const size_t want = proi_op_left(op);
    const ssize_t got = recv((int)op->handle->native, proi_op_data(op), want, 0);
    const int number = got < 0 ? errno : 0;

    epoll->calls++;
    if (number == EAGAIN)
        return DRY;
    if (number == EINTR)
        return AGAIN;
    /* A short receive has emptied the socket: what comes later comes with an event. Not so when the end, an error or
       urgent data had its event before; should that event still be on its way, it makes the direction worth a try
       again. */
    if (got > 0 && (size_t)got < want && !(op->handle->backend_flags & PROI_EPOLL_ENDING))
        op->handle->backend_flags |= PROI_EPOLL_READ_DRY;
    finish_queued(epoll, op, got < 0 ? proi_error_from_native(number) : got, got > 0 ? (size_t)got : 0, number);
    return OVER;
}

/* What is to end the operation, beside a transfer, goes through the lease: the buffer goes back. */
static void finish_lease(struct proi_epoll *epoll, struct pro_op *op, int64_t result, int native)
{
    queue_remove(proi_epoll_handle(op->handle), PROI_EPOLL_READ, op);
    op->place = PROI_EPOLL_OVER;
    proi_lease_complete(&epoll->over, op, result, native);
}

/* The first try may find nothing there: the buffer is held no longer than that takes. */
static enum outcome recv_lease_try(struct proi_epoll *epoll, struct pro_op *op)
{
    const int64_t code = proi_lease_take(op);
    const struct pro_lease *lease = proi_op_lease(op);
    ssize_t got;
    int number;

    if (code < 0) {
        finish_lease(epoll, op, code, 0);
        return OVER;
    }
    got = recv((int)op->handle->native, lease->data, lease->size, 0);
    number = got < 0 ? errno : 0;
    epoll->calls++;
    if (number == EAGAIN || number == EINTR) {
        proi_lease_drop(op);
        return number == EAGAIN ? DRY : AGAIN;
    }
    if (got > 0 && (size_t)got < lease->size && !(op->handle->backend_flags & PROI_EPOLL_ENDING)) /* as in recv_try() */
        op->handle->backend_flags |= PROI_EPOLL_READ_DRY;
    finish_lease(epoll, op, got < 0 ? proi_error_from_native(number) : got, number);
    return OVER;
}

static enum outcome send_try(struct proi_epoll *epoll, struct pro_op *op)
{
    const size_t left = proi_op_left(op);
    const ssize_t sent = send((int)op->handle->native, proi_op_data(op), left, MSG_NOSIGNAL);
    const int number = sent < 0 ? errno : 0;

    epoll->calls++;
    if (number == EAGAIN)
        return DRY;
    if (number == EINTR)
        return AGAIN;
    if (number == 0 && op->kind == PRO_OP_SEND_ALL && (size_t)sent < op->length - op->transferred) {
        op->transferred += (size_t)sent;
        return (size_t)sent < left ? DRY : AGAIN; /* a short send has filled the socket */
    }
    finish_queued(epoll, op, sent < 0 ? proi_error_from_native(number) : sent, sent > 0 ? (size_t)sent : 0, number);
    return OVER;
}

static enum outcome shutdown_do(struct proi_epoll *epoll, struct pro_op *op)
{
    static const int directions[] = { SHUT_RD, SHUT_WR, SHUT_RDWR }; /* enum pro_shutdown_how */
    const int number = shutdown((int)op->handle->native, directions[op->offset % 3]) != 0 ? errno : 0;

    epoll->calls++;
    /* What is pending on an ended direction ends now, and no event need come to say so. */
    op->handle->backend_flags &= (unsigned char)~(PROI_EPOLL_READ_DRY | PROI_EPOLL_WRITE_DRY);
    finish_queued(epoll, op, number ? proi_error_from_native(number) : PRO_OK, 0, number);
    return OVER;
}

static enum outcome close_do(struct proi_epoll *epoll, struct pro_op *op)
{
    const int fd = (int)op->handle->native;

    /* A child process may hold a copy of the descriptor, and then close alone would leave it watched: events would
       come for a handle that may be somebody else's by then. */
    (void)epoll_ctl(epoll->epoll, EPOLL_CTL_DEL, fd, NULL);
    (void)close(fd);
    epoll->calls += 2;
    finish_queued(epoll, op, PRO_OK, 0, 0);
    return OVER;
}

static enum outcome op_try(struct proi_epoll *epoll, struct pro_op *op)
{
    switch ((enum pro_op_kind)op->kind) {
    case PRO_OP_ACCEPT:
        return accept_try(epoll, op);
    case PRO_OP_RECV:
        return recv_try(epoll, op);
    case PRO_OP_RECV_LEASE:
        return recv_lease_try(epoll, op);
    case PRO_OP_SHUTDOWN:
        return shutdown_do(epoll, op);
    case PRO_OP_CLOSE:
        return close_do(epoll, op);
    default:
        return send_try(epoll, op);
    }
}

/* ---- serving ---- */
static unsigned side_serve(struct proi_epoll *epoll, struct pro_handle *handle, enum proi_epoll_side side,
                           unsigned budget)
{
    unsigned tries = 0;

    while (tries < budget && tries < SHARE && side_wants(handle, side)) {
        tries++;
        if (op_try(epoll, proi_epoll_handle(handle)->first[side]) == DRY)
            handle->backend_flags |= (unsigned char)(1u << side);
    }
    return tries;
}

/* A shutdown does not wait behind a send that the peer keeps waiting: it ends that one. Sends that nobody has tried yet
 * go first. */
static void shutdowns_overtake(struct proi_epoll *epoll, struct pro_handle *handle)
{
    struct pro_op *op = proi_epoll_handle(handle)->first[PROI_EPOLL_WRITE], *next;
    struct pro_op *const last = op ? proi_epoll_op(op)->previous : NULL;
    bool more = op != NULL;

    while (more) {
        next = proi_epoll_op(op)->next;
        more = op != last;
        if (op->kind == PRO_OP_SHUTDOWN)
            (void)shutdown_do(epoll, op);
        op = next;
    }
    handle->backend_flags &= (unsigned char)~PROI_EPOLL_SHUTDOWN;
}

void proi_epoll_serve(struct proi_epoll *epoll, unsigned budget)
{
    while (budget > 0 && epoll->listed_head) {
        struct pro_handle *handle = list_pop(epoll);

        budget -= side_serve(epoll, handle, PROI_EPOLL_WRITE, budget);
        if ((handle->backend_flags & PROI_EPOLL_SHUTDOWN) && (handle->backend_flags & PROI_EPOLL_WRITE_DRY))
            shutdowns_overtake(epoll, handle);
        budget -= side_serve(epoll, handle, PROI_EPOLL_READ, budget);
        if (side_wants(handle, PROI_EPOLL_READ) || side_wants(handle, PROI_EPOLL_WRITE))
            list_push(epoll, handle);
    }
}

void proi_epoll_event(struct proi_epoll *epoll, struct pro_handle *handle, uint32_t events)
{
    const uint32_t ending = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

    if (events & ending)
        handle->backend_flags |= PROI_EPOLL_ENDING;
    if (events & (EPOLLIN | ending))
        handle->backend_flags &= (unsigned char)~PROI_EPOLL_READ_DRY;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        handle->backend_flags &= (unsigned char)~PROI_EPOLL_WRITE_DRY;
    if (side_wants(handle, PROI_EPOLL_READ) || side_wants(handle, PROI_EPOLL_WRITE))
        list_push(epoll, handle);
}

/* ---- connecting: there is no handle yet ---- */
/* The op's new socket has answered; @number is its errno. */
static void connect_finish(struct proi_epoll *epoll, struct pro_op *op, int number)
{
    if (number != 0) {
        epoll->calls++;
        (void)close((int)*proi_op_native(op));
    }
    proi_epoll_finish(epoll, op, number ? proi_error_from_native(number) : PRO_OK, 0, number);
}

static void connect_begin(struct proi_epoll *epoll, struct pro_op *op)
{
    const struct proi_connect_args args = *(const struct proi_connect_args *)proi_op_args(op);
    struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT, .data = { .u64 = (uintptr_t)op | 1 } };
    struct sockaddr_storage address;
    const socklen_t length = proi_sockaddr_from(&args.addr, &address);
    int fd;

    op->place = PROI_EPOLL_CONNECTING;
    fd = length ? socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : (errno = EAFNOSUPPORT, -1);
    if (fd < 0) {
        proi_epoll_finish(epoll, op, proi_error_from_native(errno), 0, errno);
        return;
    }
    *proi_op_native(op) = (size_t)fd;
    (void)proi_linux_nodelay(fd);
    epoll->calls += 3;
    if (connect(fd, (const struct sockaddr *)&address, length) == 0) {
        connect_finish(epoll, op, 0);
    } else if (errno != EINPROGRESS && errno != EINTR) {
        connect_finish(epoll, op, errno);
    } else {
        epoll->calls++;
        if (epoll_ctl(epoll->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            connect_finish(epoll, op, errno);
    }
}

/* One-shot: the watch is asleep now, so nothing can come any more for an op that is the caller's again; attach wakes it
   for the handle. */
void proi_epoll_connected(struct proi_epoll *epoll, struct pro_op *op)
{
    int number = 0;
    socklen_t size = sizeof number;

    epoll->calls++;
    if (getsockopt((int)*proi_op_native(op), SOL_SOCKET, SO_ERROR, &number, &size) != 0)
        number = errno;
    connect_finish(epoll, op, number);
}

static void connect_cancel(struct proi_epoll *epoll, struct pro_op *op)
{
    epoll->calls++;
    (void)epoll_ctl(epoll->epoll, EPOLL_CTL_DEL, (int)*proi_op_native(op),
                    NULL); /* as in close_do(): no event for a stale op */
    connect_finish(epoll, op, ECANCELED);
}

/* ---- the two entries ---- */
void proi_epoll_submit(struct proi_backend *backend, struct pro_op *op)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;
    struct proi_epoll_handle *mine = op->handle ? proi_epoll_handle(op->handle) : NULL;

    switch ((enum pro_op_kind)op->kind) {
    case PRO_OP_NOP:
        proi_epoll_finish(epoll, op, PRO_OK, 0, 0);
        return;
    case PRO_OP_CONNECT:
        connect_begin(epoll, op);
        return;
    case PRO_OP_ACCEPT:
    case PRO_OP_RECV:
    case PRO_OP_RECV_LEASE:
    case PRO_OP_SEND:
    case PRO_OP_SEND_ALL:
        queue_push(mine, side_of(op), op);
        if (side_wants(op->handle, side_of(op)))
            list_push(epoll, op->handle);
        return;
    case PRO_OP_CLOSE:
        if (op->handle->kind == PROI_HANDLE_FILE)
            break;
        op->handle->backend_flags &= (unsigned char)~PROI_EPOLL_WRITE_DRY;
        queue_push(mine, PROI_EPOLL_WRITE, op);
        list_push(epoll, op->handle);
        return;
    case PRO_OP_SHUTDOWN:
        op->handle->backend_flags |= PROI_EPOLL_SHUTDOWN;
        queue_push(mine, PROI_EPOLL_WRITE, op);
        list_push(epoll, op->handle);
        return;
    default:
        break;
    }
    proi_epoll_offload(epoll, op);
}

void proi_epoll_cancel(struct proi_backend *backend, struct pro_op *op)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;

    switch ((enum proi_epoll_place)op->place) {
    case PROI_EPOLL_QUEUED:
        finish_queued(epoll, op, PRO_E_CANCELED, 0, ECANCELED);
        break;
    case PROI_EPOLL_CONNECTING:
        connect_cancel(epoll, op);
        break;
    case PROI_EPOLL_OFFLOADED: /* a system call on a file ends by itself, and soon */
    case PROI_EPOLL_OVER:
        break;
    }
}
