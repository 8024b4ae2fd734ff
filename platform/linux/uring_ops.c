/* SPDX-License-Identifier: MIT */
/* The operations as io_uring sees them: one pair of functions a kind, to fill the submission and to read the answer. */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static int handle_fd(const struct pro_op *op) { return (int)op->handle->native; }

/* A system call that one op costs beside its share of io_uring_enter. */
static void count_call(struct uring *uring) { uring->system_calls++; }

/* -EINTR on an op whose cancellation was asked for: the worker thread that ran it was told to stop. */
void proi_uring_fail(struct pro_op *op, int error, struct proi_op_queue *done)
{
    if (error == EINTR && op->native == URING_CANCEL_ASKED)
        error = ECANCELED;
    proi_op_complete(done, op, proi_error_from_native(error), 0, error);
}

/* ---- answers that several kinds share ---- */

static void finish_plain(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    (void)uring;
    if (result < 0)
        proi_uring_fail(op, -result, done);
    else
        proi_op_complete(done, op, PRO_OK, 0, 0);
}

static void finish_input(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    (void)uring;
    if (PROI_UNLIKELY(result < 0)) {
        proi_uring_fail(op, -result, done);
        return;
    }
    PROI_MADE_DEFINED(proi_op_data(op), (size_t)result);
    proi_op_complete(done, op, result, (size_t)result, 0);
}

static void finish_output(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    (void)uring;
    if (PROI_UNLIKELY(result < 0))
        proi_uring_fail(op, -result, done);
    else
        proi_op_complete(done, op, result, (size_t)result, 0);
}

/* ---- the kinds, in the order of enum pro_op_kind ---- */

static void fill_nothing(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)sqe;
    proi_uring_take_back(uring, op, EINVAL); /* not a kind that comes to a backend */
}

static void fill_nop(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring, (void)op;
    proi_uring_prepare(sqe, IORING_OP_NOP, -1, NULL, 0, 0, 0);
}

/* TCP_NODELAY comes with the listener. */
static void fill_accept(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring;
    proi_uring_prepare(sqe, IORING_OP_ACCEPT, handle_fd(op), NULL, 0, 0, SOCK_CLOEXEC);
}

/* A cancelled accept that has a connection nevertheless answers with its descriptor: a success. */
static void finish_accept(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    if (result >= 0)
        *proi_op_native(op) = (size_t)result;
    finish_plain(uring, op, result, done);
}

/* The address lies in the op where the arguments were: the kernel reads it at the next io_uring_enter. */
static void fill_connect(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    const struct proi_connect_args args = *(struct proi_connect_args *)proi_op_args(op);
    struct sockaddr_storage address;
    const socklen_t length = proi_sockaddr_from(&args.addr, &address);
    int fd, error;

    _Static_assert(sizeof(struct sockaddr_in6) <= PROI_OP_ARGS, "an address fits into the op");
    if (!length) {
        proi_uring_take_back(uring, op, EAFNOSUPPORT);
        return;
    }
    count_call(uring);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        proi_uring_take_back(uring, op, errno);
        return;
    }
    count_call(uring);
    error = proi_linux_nodelay(fd);
    if (error) {
        close(fd);
        proi_uring_take_back(uring, op, error);
        return;
    }
    *proi_op_native(op) = (size_t)fd;
    memcpy(proi_op_args(op), &address, length);
    proi_uring_prepare(sqe, IORING_OP_CONNECT, fd, proi_op_args(op), 0, length, 0);
}

static void finish_connect(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    if (result < 0) {
        count_call(uring);
        close((int)*proi_op_native(op));
    }
    finish_plain(uring, op, result, done);
}

static void fill_recv(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring;
    proi_uring_prepare(sqe, IORING_OP_RECV, handle_fd(op), proi_op_data(op), proi_op_left(op), 0, 0);
    if (PROI_UNLIKELY(op->handle->backend_flags & URING_RECV_WAITED)) {
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        op->handle->backend_flags = 0;
    }
}

static void finish_recv(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    op->handle->eager = result >= PROI_MUCH && uring->answer_flags & IORING_CQE_F_SOCK_NONEMPTY;
    finish_input(uring, op, result, done);
}

/* Length 0: as much as the buffer holds that the kernel will choose. Where the last one had to wait this one does so
   first: a try that finds nothing costs most when it takes a buffer, and puts it back; where data is there already,
   waiting costs most. */
static void fill_recv_lease(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    if (PROI_UNLIKELY(proi_lease_prepare(op) < 0)) {
        proi_uring_take_back(uring, op, ENOMEM);
        return;
    }
    proi_uring_prepare(sqe, IORING_OP_RECV, handle_fd(op), NULL, 0, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    if (op->handle->backend_flags & URING_RECV_WAITED)
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    op->handle->backend[0] = uring->turn;
}

/* It had to wait when a turn that found everything done came after the one that submitted it: what lay in the queue
   while there was too much for a turn had not. A buffer may come with the end of the stream, too, and with an error. */
static void finish_recv_lease(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    const bool has_buffer = uring->answer_flags & IORING_CQE_F_BUFFER;
    const bool more = uring->answer_flags & IORING_CQE_F_SOCK_NONEMPTY;

    op->handle->eager = result >= PROI_MUCH && more;
    if (PROI_LIKELY(has_buffer))
        proi_lease_taken(op, uring->answer_flags >> IORING_CQE_BUFFER_SHIFT);
    if (PROI_LIKELY(result >= 0)) {
        op->handle->backend_flags = uring->drained > op->handle->backend[0] && !more ? URING_RECV_WAITED : 0;
        if (result > 0)
            PROI_MADE_DEFINED(proi_op_lease(op)->data, (size_t)result);
        proi_lease_complete(done, op, result, 0);
    } else if (result == -ENOBUFS && !has_buffer) {
        proi_lease_complete(done, op, PROI_STARVED, 0);
    } else {
        const int error = result == -EINTR && op->native == URING_CANCEL_ASKED ? ECANCELED : -result;

        proi_lease_complete(done, op, proi_error_from_native(error), error);
    }
}

static void prepare_send(struct io_uring_sqe *sqe, const struct pro_op *op, uint32_t flags)
{
    proi_uring_prepare(sqe, IORING_OP_SEND, handle_fd(op), proi_op_data(op), proi_op_left(op), 0, flags);
}

static void fill_send(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring;
    prepare_send(sqe, op, MSG_NOSIGNAL);
}

static void fill_send_all(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring;
    prepare_send(sqe, op, MSG_NOSIGNAL | MSG_WAITALL);
}

/* Ended by a cancellation after a part went: the kernel answers with the part. Without a cancellation a short answer
   means that an error waits behind it; the rest's own trip will find it. */
static void finish_send_all(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    if (result >= 0 && (uint32_t)result < proi_op_left(op) && op->native == URING_CANCEL_ASKED)
        proi_op_complete(done, op, PRO_E_CANCELED, (size_t)result, ECANCELED);
    else
        finish_output(uring, op, result, done);
}

static void fill_shutdown(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    _Static_assert((int)PRO_SHUTDOWN_RECV == SHUT_RD && (int)PRO_SHUTDOWN_SEND == SHUT_WR &&
                       (int)PRO_SHUTDOWN_BOTH == SHUT_RDWR,
                   "the same numbers");
    (void)uring;
    proi_uring_prepare(sqe, IORING_OP_SHUTDOWN, handle_fd(op), NULL, (uint32_t)op->offset, 0, 0);
}

static void fill_close(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    proi_uring_forget_file(uring, op->handle);
    proi_uring_prepare(sqe, IORING_OP_CLOSE, handle_fd(op), NULL, 0, 0, 0);
}

/* Linux frees the descriptor before anything can interrupt close. */
static void finish_close(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    finish_plain(uring, op, result == -EINTR ? 0 : result, done);
}

static void fill_open(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    const struct proi_open_args *args = proi_op_args(op);

    (void)uring;
    proi_uring_prepare(sqe, IORING_OP_OPENAT, AT_FDCWD, args->path, 0666, 0,
                       (uint32_t)proi_linux_open_flags(args->flags));
}

static void finish_open(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    if (result >= 0) {
        const int refusal = proi_linux_open_check(result);

        count_call(uring);
        if (refusal) {
            close(result);
            result = -refusal;
        }
    }
    if (result >= 0)
        *proi_op_native(op) = (size_t)result;
    finish_plain(uring, op, result, done);
}

static bool is_registered(const struct uring *uring, const struct pro_op *op)
{
    const size_t at = (size_t)((uintptr_t)proi_op_data(op) - (uintptr_t)uring->region);

    return at < uring->region_size && uring->region_size - at >= proi_op_left(op);
}

/* Past INT64_MAX the kernel would take the offset for "the present position". */
static void fill_transfer(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op, enum io_uring_op opcode,
                          enum io_uring_op opcode_if_registered)
{
    _Static_assert(URING_REGION == 0, "the buffer that a prepared entry names");
    if (PROI_UNLIKELY(op->offset > INT64_MAX)) {
        proi_uring_take_back(uring, op, EINVAL);
        return;
    }
    proi_uring_prepare(sqe, is_registered(uring, op) ? opcode_if_registered : opcode, handle_fd(op), proi_op_data(op),
                       proi_op_left(op), op->offset, 0);
    proi_uring_name_file(uring, sqe, op->handle);
}

static void fill_read_at(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    fill_transfer(uring, sqe, op, IORING_OP_READ, IORING_OP_READ_FIXED);
}

static void fill_write_at(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    fill_transfer(uring, sqe, op, IORING_OP_WRITE, IORING_OP_WRITE_FIXED);
}

static void fill_sync(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    (void)uring;
    proi_uring_prepare(sqe, IORING_OP_FSYNC, handle_fd(op), NULL, 0, 0, 0);
}

_Static_assert(PRO_OP_KIND_COUNT == 15, "a new kind of operation needs a line below");
const struct proi_uring_kind proi_uring_kinds[PRO_OP_KIND_COUNT] = {
    [PRO_OP_NONE] = { fill_nothing, finish_plain },
    [PRO_OP_NOP] = { fill_nop, finish_plain },
    [PRO_OP_SLEEP] = { fill_nothing, finish_plain },
    [PRO_OP_ACCEPT] = { fill_accept, finish_accept },
    [PRO_OP_CONNECT] = { fill_connect, finish_connect },
    [PRO_OP_RECV] = { fill_recv, finish_recv },
    [PRO_OP_SEND] = { fill_send, finish_output },
    [PRO_OP_SEND_ALL] = { fill_send_all, finish_send_all },
    [PRO_OP_SHUTDOWN] = { fill_shutdown, finish_plain },
    [PRO_OP_CLOSE] = { fill_close, finish_close },
    [PRO_OP_FILE_OPEN] = { fill_open, finish_open },
    [PRO_OP_READ_AT] = { fill_read_at, finish_input },
    [PRO_OP_WRITE_AT] = { fill_write_at, finish_output },
    [PRO_OP_FILE_SYNC] = { fill_sync, finish_plain },
    [PRO_OP_RECV_LEASE] = { fill_recv_lease, finish_recv_lease },
};

const char *proi_uring_missing(struct io_uring *ring)
{
    static const struct {
        int opcode;
        const char *name;
    } needed[] = {
        { IORING_OP_NOP, "NOP" },           { IORING_OP_ACCEPT, "ACCEPT" }, { IORING_OP_CONNECT, "CONNECT" },
        { IORING_OP_RECV, "RECV" },         { IORING_OP_SEND, "SEND" },     { IORING_OP_SHUTDOWN, "SHUTDOWN" },
        { IORING_OP_CLOSE, "CLOSE" },       { IORING_OP_OPENAT, "OPENAT" }, { IORING_OP_READ, "READ" },
        { IORING_OP_WRITE, "WRITE" },       { IORING_OP_FSYNC, "FSYNC" },   { IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL" },
        { IORING_OP_POLL_ADD, "POLL_ADD" },
    };
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    const char *missing = NULL;

    if (!probe)
        return "REGISTER_PROBE";
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !missing; i++)
        if (!io_uring_opcode_supported(probe, needed[i].opcode))
            missing = needed[i].name;
    io_uring_free_probe(probe);
    return missing;
}
