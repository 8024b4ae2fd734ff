/* SPDX-License-Identifier: MIT */
/* What needs no trip through the ring: system calls that never wait, made where they cost less than the ring does, or
   where the moment counts. What they cannot do at once goes the usual way. */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* ---- one read alone ---- */

/* handle->backend[1] of a file: whether reads of it are tried at once. */
enum { READ_UNKNOWN, READ_NOW, READ_NEVER, READ_SKIP /* and above: so many are left to go the usual way */ };
enum { READ_NOW_MOST = 64 * 1024, READ_NOW_IN_A_ROW = 16, READ_SKIP_MOST = 1024 };

/* Without O_DIRECT, with which even a read that may not wait waits for the disk. */
static uint64_t first_read(struct uring *uring, int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    uring->system_calls++;
    return flags < 0 || flags & O_DIRECT ? READ_NEVER : READ_NOW;
}

/* Where it would have to wait, ever more of the next ones are not tried; [0] holds how many. */
static void read_missed(struct pro_handle *handle, bool would_wait)
{
    if (handle->backend[0] < READ_SKIP_MOST)
        handle->backend[0] = handle->backend[0] * 2 + 1;
    handle->backend[1] = would_wait ? READ_SKIP + handle->backend[0] : READ_NEVER;
}

static bool may_read_now(struct uring *uring, const struct pro_op *op)
{
    uint64_t *const state = &op->handle->backend[1];

    if (*state == READ_UNKNOWN)
        *state = first_read(uring, (int)op->handle->native);
    if (*state >= READ_SKIP && --*state < READ_SKIP)
        *state = READ_NOW;
    return *state == READ_NOW && proi_op_left(op) <= READ_NOW_MOST && op->native == URING_IN_KERNEL;
}

/* One read alone gains nothing from the ring: what is in the page cache costs a system call less by pread(), and
   several at once cost less by the ring. A few in a row at most: the kernel's deferred work must have its turn. What
   the call answers but the whole length goes the usual way. True: it is over. */
static bool read_now(struct uring *uring)
{
    struct io_uring_sqe *const sqe = &uring->sqes[(uring->sq_tail - 1) & uring->sq_mask];
    struct pro_op *op;
    struct iovec part;
    ssize_t count;

    if ((sqe->opcode != IORING_OP_READ && sqe->opcode != IORING_OP_READ_FIXED) ||
        uring->read_now_in_a_row == READ_NOW_IN_A_ROW) {
        uring->read_now_in_a_row = 0;
        return false;
    }
    op = proi_uring_op(sqe->user_data);
    if (!may_read_now(uring, op))
        return false;
    part = (struct iovec){ proi_op_data(op), proi_op_left(op) };
    uring->system_calls++;
    count = preadv2((int)op->handle->native, &part, 1, (off_t)op->offset, RWF_NOWAIT);
    if (count != (ssize_t)part.iov_len) {
        read_missed(op->handle, count >= 0 || errno == EAGAIN || errno == EINTR);
        return false;
    }
    op->handle->backend[0] = 0;
    uring->read_now_in_a_row++;
    uring->sq_tail--;
    proi_uring_returned(uring, op, (int)count, &uring->over);
    return true;
}

/* ---- one send alone ---- */

enum { SEND_NOW_MOST = 64 * 1024, SEND_NOW_IN_A_ROW = 16, LONELY = 8 };

void proi_uring_sent_alone(struct uring *uring, unsigned completions)
{
    if (completions > 1)
        uring->lonely_sends = 0;
    else if (uring->lonely_sends < LONELY)
        uring->lonely_sends++;
}

/* The same for one send alone: on a socket with room it is over at once, and the ring would be entered a second time
   for the receive that follows. With several to send the ring is the cheaper way, and so it is where entering it brings
   home the answers of others: only after some sends in a row that brought nothing but themselves the next ones are
   tried here, and one in so many goes through the ring to look. What would have to wait goes through the ring; an error
   is told only once, so it counts. True: it is over. */
static bool send_now(struct uring *uring)
{
    const struct io_uring_sqe *const sqe = &uring->sqes[(uring->sq_tail - 1) & uring->sq_mask];
    struct pro_op *op;
    ssize_t count;

    if (sqe->opcode != IORING_OP_SEND)
        return false;
    if (uring->lonely_sends < LONELY || uring->send_now_in_a_row == SEND_NOW_IN_A_ROW) {
        uring->send_now_in_a_row = 0;
        uring->sends_alone = true;
        return false;
    }
    op = proi_uring_op(sqe->user_data);
    if (op->native != URING_IN_KERNEL || proi_op_left(op) > SEND_NOW_MOST)
        return false;
    uring->system_calls++;
    count = send((int)op->handle->native, proi_op_data(op), proi_op_left(op), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    uring->send_now_in_a_row++;
    uring->sq_tail--;
    proi_uring_returned(uring, op, count < 0 ? -errno : (int)count, &uring->over);
    return true;
}

bool proi_uring_alone_now(struct uring *uring) { return read_now(uring) || send_now(uring); }

/* ---- what is large, both ways ---- */

/* A buffer that the kernel has not been given yet: what has just been returned, and is in the cache. */
static bool take_buffer(struct uring *uring, struct pro_op *op)
{
    if (!uring->buffers || uring->buffers_tail == uring->buffers->tail)
        return false;
    uring->buffers_tail--;
    proi_lease_taken(op, uring->buffers->bufs[uring->buffers_tail & uring->buffers_mask].bid);
    return true;
}

/* There is nothing: seen here, so that the ring need not look again before it waits. */
static bool receive_later(struct pro_op *op)
{
    op->handle->backend_flags = URING_RECV_WAITED;
    op->handle->eager = 0;
    if (op->kind == PRO_OP_RECV_LEASE)
        proi_lease_drop(op);
    return false;
}

static bool would_wait(ssize_t count) { return count < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS); }

static bool over_now(struct uring *uring, struct pro_op *op, ssize_t count, struct proi_op_queue *done)
{
    op->native = URING_IN_KERNEL;
    uring->answer_flags = IORING_CQE_F_SOCK_NONEMPTY; /* perhaps: the next try will tell */
    proi_uring_kinds[op->kind].finish(uring, op, count < 0 ? -errno : (int)count, done);
    return true;
}

/* Who receives a piece from each socket in turn keeps all their buffers full. Every piece then lets the kernel send
   more; if the peer is on this machine that happens within our call, and we do the peer's work. A socket that is
   emptied before the next one leaves that work to the peer. */
static bool receive_now(struct uring *uring, struct pro_op *op, struct proi_op_queue *done)
{
    const bool leased = op->kind == PRO_OP_RECV_LEASE;
    void *data;
    size_t size;
    ssize_t count;

    if (leased && !take_buffer(uring, op))
        return false;
    data = leased ? proi_op_lease(op)->data : proi_op_data(op);
    size = leased ? proi_op_lease(op)->size : proi_op_left(op);
    uring->system_calls++;
    op->handle->backend[0] = uring->turn;
    count = recv((int)op->handle->native, data, size, MSG_DONTWAIT);
    return would_wait(count) ? receive_later(op) : over_now(uring, op, count, done);
}

/* Where more is coming, what is sent at once is under way while that is received; elsewhere sends are cheaper together. */
static bool send_large_now(struct uring *uring, struct pro_op *op, struct proi_op_queue *done)
{
    ssize_t count;

    uring->system_calls++;
    count = send((int)op->handle->native, proi_op_data(op), proi_op_left(op), MSG_NOSIGNAL | MSG_DONTWAIT);
    return !would_wait(count) && over_now(uring, op, count, done);
}

bool proi_uring_move_now(struct proi_backend *backend, struct pro_op *op, struct proi_op_queue *done)
{
    struct uring *uring = (struct uring *)(void *)backend;

    return op->kind == PRO_OP_SEND || op->kind == PRO_OP_SEND_ALL ? send_large_now(uring, op, done)
                                                                  : receive_now(uring, op, done);
}
