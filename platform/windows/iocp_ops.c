/* SPDX-License-Identifier: MIT */
/* Starting, cancelling and ending ops on a completion port. Files are started in iocp_files.c. */
#include "iocp.h"

#include <string.h>

enum {
    STATUS_NOT_YET = 0x103, /* what a fresh OVERLAPPED says */
    SEND_MOST = 16 << 20    /* the kernel locks what it sends in memory: larger sends go in several trips */
};

/* ---- starting ---- */
OVERLAPPED *proi_iocp_begin(struct pro_op *op)
{
    struct iocp_record *record = proi_iocp_record(op);

    memset(record, 0, sizeof *record);
    record->overlapped.Internal = STATUS_NOT_YET;
    record->native = INVALID_SOCKET;
    record->phase = IOCP_PENDING;
    return &record->overlapped;
}

/* Never straight to iocp->over: a call that failed may have queued a packet all the same (Wine does), and that one must
   not find an op that was delivered meanwhile. The port is first in, first out and we alone read it, so behind our own
   packet there is none. */
void proi_iocp_decide(struct proi_iocp *iocp, struct pro_op *op, int code, int native_error)
{
    struct iocp_record *record = proi_iocp_record(op);

    record->phase = IOCP_OUTCOME;
    record->code = (int16_t)code;
    record->native_error = native_error;
    iocp->system_calls++;
    if (!proi_iocp_post(iocp, op)) /* out of memory: better this way than not at all */
        proi_op_queue_push(&iocp->over, op);
}

/* For calls that never were overlapped: nothing of theirs can be in the port. */
static void op_decide_here(struct proi_iocp *iocp, struct pro_op *op, int native_error)
{
    struct iocp_record *record = proi_iocp_record(op);

    record->phase = IOCP_OUTCOME;
    record->code = (int16_t)proi_error_from_native(native_error);
    record->native_error = native_error;
    proi_op_queue_push(&iocp->over, op);
}

/* After an overlapped call: with 0 and ERROR_IO_PENDING alike a packet comes. */
static void op_begun(struct proi_iocp *iocp, struct pro_op *op, bool taken)
{
    const int error = taken ? 0 : WSAGetLastError();

    iocp->system_calls++;
    if (error && error != WSA_IO_PENDING)
        proi_iocp_decide(iocp, op, proi_error_from_native(error), error);
}

static void nop_start(struct proi_iocp *iocp, struct pro_op *op)
{
    proi_iocp_begin(op);
    proi_iocp_decide(iocp, op, PRO_OK, 0);
}

static void accept_start(struct proi_iocp *iocp, struct pro_op *op)
{
    enum { ADDRESS = sizeof(SOCKADDR_STORAGE) + 16 }; /* 16 more than the largest, says AcceptEx */
    /* AcceptEx insists on writing the addresses somewhere. Nobody reads them here (getpeername does), so that all
       pending accepts of the process may scribble on the same place. */
    static uint64_t addresses[2 * ADDRESS / sizeof(uint64_t)];
    OVERLAPPED *overlapped = proi_iocp_begin(op);
    const struct proi_winsock *functions;
    DWORD bytes = 0;
    SOCKET s;

    if (proi_winsock_functions(op->handle->family, &functions) != PRO_OK) {
        op_decide_here(iocp, op, WSAEAFNOSUPPORT);
        return;
    }
    iocp->system_calls++;
    s = proi_socket_open(op->handle->family);
    if (s == INVALID_SOCKET) {
        op_decide_here(iocp, op, WSAGetLastError());
        return;
    }
    proi_iocp_record(op)->native = s;
    op_begun(iocp, op,
             functions->accept_ex((SOCKET)op->handle->native, s, addresses, 0, ADDRESS, ADDRESS, &bytes, overlapped));
}

/* A socket that is bound and belongs to this port, or INVALID_SOCKET. */
static SOCKET connect_prepare(struct proi_iocp *iocp, unsigned family)
{
    const struct pro_addr any = { .family = (uint16_t)family };
    SOCKADDR_STORAGE address;
    const int length = proi_sockaddr_from(&any, &address);
    SOCKET s = proi_socket_open(family);
    int error;

    iocp->system_calls += 3;
    if (s == INVALID_SOCKET)
        return INVALID_SOCKET;
    if (bind(s, (struct sockaddr *)&address, length) == 0) { /* ConnectEx wants it done */
        if (CreateIoCompletionPort((HANDLE)s, iocp->port, IOCP_KEY_KERNEL, 0))
            return s;
        WSASetLastError((int)GetLastError());
    }
    error = WSAGetLastError();
    closesocket(s);
    WSASetLastError(error);
    return INVALID_SOCKET;
}

static void connect_start(struct proi_iocp *iocp, struct pro_op *op)
{
    struct proi_connect_args args;
    const struct proi_winsock *functions;
    SOCKADDR_STORAGE address;
    OVERLAPPED *overlapped;
    SOCKET s;
    int length;

    memcpy(&args, proi_op_args(op), sizeof args); /* they lie where the OVERLAPPED goes, in part */
    length = proi_sockaddr_from(&args.addr, &address);
    overlapped = proi_iocp_begin(op);
    if (length == 0 || proi_winsock_functions(args.addr.family, &functions) != PRO_OK) {
        op_decide_here(iocp, op, length ? WSAEAFNOSUPPORT : WSAEINVAL);
        return;
    }
    s = connect_prepare(iocp, args.addr.family);
    if (s == INVALID_SOCKET) {
        op_decide_here(iocp, op, WSAGetLastError());
        return;
    }
    proi_iocp_record(op)->native = s;
    op_begun(iocp, op, functions->connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, NULL, overlapped));
}

static void recv_start(struct proi_iocp *iocp, struct pro_op *op)
{
    WSABUF buffer = { .len = proi_op_left(op), .buf = proi_op_data(op) };
    OVERLAPPED *overlapped = proi_iocp_begin(op);
    DWORD flags = 0;

    op_begun(iocp, op, WSARecv((SOCKET)op->handle->native, &buffer, 1, NULL, &flags, overlapped, NULL) == 0);
}

/* A receive of nothing: it completes when data is there, and takes none of it. Only then there is a buffer. */
static void recv_lease_start(struct proi_iocp *iocp, struct pro_op *op)
{
    WSABUF nothing = { .len = 0, .buf = NULL };
    OVERLAPPED *overlapped = proi_iocp_begin(op);
    DWORD flags = 0;

    op_begun(iocp, op, WSARecv((SOCKET)op->handle->native, &nothing, 1, NULL, &flags, overlapped, NULL) == 0);
}

/* Data is there, or the end, or an error: a second receive tells. Should another receive take the data first, this one
   waits with its buffer. */
static void recv_lease_read(struct proi_iocp *iocp, struct pro_op *op)
{
    const struct pro_lease *lease = proi_op_lease(op);
    WSABUF buffer = { .len = lease->size, .buf = lease->data };
    OVERLAPPED *overlapped = proi_iocp_begin(op);
    DWORD flags = 0;

    op_begun(iocp, op, WSARecv((SOCKET)op->handle->native, &buffer, 1, NULL, &flags, overlapped, NULL) == 0);
}

static void send_start(struct proi_iocp *iocp, struct pro_op *op)
{
    const uint32_t left = proi_op_left(op);
    WSABUF buffer = { .len = left < SEND_MOST ? left : SEND_MOST, .buf = proi_op_data(op) };
    OVERLAPPED *overlapped = proi_iocp_begin(op);

    op_begun(iocp, op, WSASend((SOCKET)op->handle->native, &buffer, 1, NULL, 0, overlapped, NULL) == 0);
}

/* Windows leaves pending receives alone when their direction is shut down. */
static void receives_end(struct proi_iocp *iocp, struct pro_handle *handle)
{
    for (struct pro_op *op = handle->ops; op; op = op->handle_next) {
        struct iocp_record *record = proi_iocp_record(op);

        if ((op->kind != PRO_OP_RECV && op->kind != PRO_OP_RECV_LEASE) || op->state != PRO_OP_KERNEL ||
            record->phase != IOCP_PENDING)
            continue; /* not submitted yet, or over and on its way */
        record->phase = IOCP_ENDING;
        iocp->system_calls++;
        CancelIoEx((HANDLE)handle->native, &record->overlapped);
    }
}

static void shutdown_start(struct proi_iocp *iocp, struct pro_op *op)
{
    const enum pro_shutdown_how how = (enum pro_shutdown_how)op->offset;
    const int native_how = how == PRO_SHUTDOWN_RECV ? SD_RECEIVE : how == PRO_SHUTDOWN_SEND ? SD_SEND : SD_BOTH;

    proi_iocp_begin(op);
    iocp->system_calls++;
    if (shutdown((SOCKET)op->handle->native, native_how) != 0) {
        op_decide_here(iocp, op, WSAGetLastError());
        return;
    }
    op->handle->ended |= how == PRO_SHUTDOWN_RECV ? 1 : how == PRO_SHUTDOWN_SEND ? 2 : 3;
    op_decide_here(iocp, op, 0);
    if (how != PRO_SHUTDOWN_SEND)
        receives_end(iocp, op->handle);
}

static void close_start(struct proi_iocp *iocp, struct pro_op *op)
{
    if (op->handle->kind == PROI_HANDLE_FILE) {
        proi_iocp_file_close(iocp, op);
        return;
    }
    /* Nothing is pending on it: the loop has collected every completion. A close with a send pending would make Wine
       send the rest through whichever socket gets the number next. */
    proi_iocp_begin(op);
    iocp->system_calls++;
    closesocket((SOCKET)op->handle->native);
    op_decide_here(iocp, op, 0);
}

void proi_iocp_submit(struct proi_backend *backend, struct pro_op *op)
{
    static void (*const starters[PRO_OP_KIND_COUNT])(struct proi_iocp * iocp, struct pro_op * op) = {
        [PRO_OP_NOP] = nop_start,
        [PRO_OP_ACCEPT] = accept_start,
        [PRO_OP_CONNECT] = connect_start,
        [PRO_OP_RECV] = recv_start,
        [PRO_OP_SEND] = send_start,
        [PRO_OP_SEND_ALL] = send_start,
        [PRO_OP_SHUTDOWN] = shutdown_start,
        [PRO_OP_CLOSE] = close_start,
        [PRO_OP_FILE_OPEN] = proi_iocp_file_open,
        [PRO_OP_READ_AT] = proi_iocp_read_at,
        [PRO_OP_WRITE_AT] = proi_iocp_write_at,
        [PRO_OP_FILE_SYNC] = proi_iocp_file_sync,
        [PRO_OP_RECV_LEASE] = recv_lease_start,
    };

    starters[op->kind](proi_iocp_of(backend), op);
}

/* ---- cancelling ---- */
/* It names the op by the address of its OVERLAPPED, and the kernel knows that one only until the packet is queued. A
   cancel that comes later finds nothing; one for an op that was started again cannot come, both happen on the loop's
   thread. */
void proi_iocp_cancel(struct proi_backend *backend, struct pro_op *op)
{
    struct proi_iocp *iocp = proi_iocp_of(backend);
    struct iocp_record *record = proi_iocp_record(op);

    switch ((enum iocp_phase)record->phase) {
    case IOCP_PENDING:
    case IOCP_ENDING:
        record->cancel_asked = 1;
        iocp->system_calls++;
        CancelIoEx(op->kind == PRO_OP_CONNECT ? (HANDLE)record->native : (HANDLE)op->handle->native,
                   &record->overlapped);
        break;
    case IOCP_OFFLOADED: /* seen if it has not begun; else it ends by itself */
        proi_store(&record->cancel_asked, 1, PROI_RELAXED);
        break;
    case IOCP_OVER:
    case IOCP_OUTCOME:
        break;
    }
}

/* ---- ending ---- */
static void op_end(struct pro_op *op, int64_t result, size_t moved, int native_error, struct proi_op_queue *done)
{
    struct iocp_record *record = proi_iocp_record(op);
    const uintptr_t native = record->native;

    record->phase = IOCP_OVER;
    if (op->kind == PRO_OP_ACCEPT || op->kind == PRO_OP_CONNECT) {
        if (result >= 0)
            *proi_op_native(op) = native;
        else if (native != INVALID_SOCKET)
            closesocket((SOCKET)native);
    } else if (op->kind == PRO_OP_FILE_OPEN && result >= 0) {
        *proi_op_native(op) = native;
    }
    if (op->kind == PRO_OP_RECV_LEASE) /* with a failure nothing can have moved: it would be lost */
        proi_lease_complete(done, op, result, result < 0 ? native_error : 0);
    else
        proi_op_complete(done, op, result, moved, result < 0 ? native_error : 0);
}

void proi_iocp_end_ours(struct pro_op *op, struct proi_op_queue *done)
{
    const struct iocp_record *record = proi_iocp_record(op);

    /* A receive on a direction that was shut down here is refused; to us it is the end of the stream. */
    if ((op->kind == PRO_OP_RECV || op->kind == PRO_OP_RECV_LEASE) && record->native_error == WSAESHUTDOWN)
        op_end(op, 0, 0, 0, done);
    else
        op_end(op, record->code, 0, record->native_error, done);
}

/* A stream that ends without bytes: did the peer finish, or reset the connection? A receive that was pending when the
   reset came is told, a later one is not (Wine). */
static bool stream_was_reset(const struct pro_op *op)
{
    WSAPOLLFD poll = { .fd = (SOCKET)op->handle->native, .events = POLLRDNORM | POLLWRNORM };

    return !(op->handle->ended & 1) && WSAPoll(&poll, 1, 0) == 1 && (poll.revents & POLLERR) != 0;
}

/* Makes a plain socket of what AcceptEx or ConnectEx filled: shutdown, getpeername and options work only then
   (Windows). False: the connection is gone again. */
static bool connection_finish(struct pro_op *op)
{
    const SOCKET s = (SOCKET)proi_iocp_record(op)->native,
                 listener = op->handle ? (SOCKET)op->handle->native : INVALID_SOCKET;

    if (op->kind == PRO_OP_CONNECT)
        return setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0;
    return setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener, (int)sizeof listener) == 0;
}

/* The peer gave up before its turn came: nobody is to be told, the next connection is wanted. */
static void accept_again(struct proi_iocp *iocp, struct pro_op *op)
{
    closesocket((SOCKET)proi_iocp_record(op)->native);
    accept_start(iocp, op);
}

/* The receive of nothing is over. Cancelled meanwhile: nothing was taken, so that is the answer. */
static void lease_readable(struct proi_iocp *iocp, struct pro_op *op, struct proi_op_queue *done)
{
    const struct iocp_record *record = proi_iocp_record(op);
    int64_t code;

    if (record->phase == IOCP_ENDING) {
        op_end(op, 0, 0, 0, done);
    } else if (record->cancel_asked) {
        op_end(op, PRO_E_CANCELED, 0, ERROR_OPERATION_ABORTED, done);
    } else {
        code = proi_lease_take(op);
        if (code < 0)
            op_end(op, code, 0, 0, done);
        else
            recv_lease_read(iocp, op);
    }
}

static void op_succeeded(struct proi_iocp *iocp, struct pro_op *op, size_t bytes, struct proi_op_queue *done)
{
    int error;

    switch (op->kind) {
    case PRO_OP_ACCEPT:
    case PRO_OP_CONNECT:
        iocp->system_calls++;
        if (connection_finish(op)) {
            op_end(op, PRO_OK, 0, 0, done);
            return;
        }
        error = WSAGetLastError();
        if (op->kind == PRO_OP_ACCEPT && !proi_iocp_record(op)->cancel_asked)
            accept_again(iocp, op);
        else
            op_end(op, proi_error_from_native(error), 0, error, done);
        return;
    case PRO_OP_RECV:
    case PRO_OP_RECV_LEASE:
        if (op->kind == PRO_OP_RECV_LEASE && !proi_op_lease(op)->buffer) {
            lease_readable(iocp, op, done);
            return;
        }
        if (bytes == 0 && stream_was_reset(op)) {
            op_end(op, PRO_E_RESET, 0, WSAECONNRESET, done);
            return;
        }
        break;
    default:
        break;
    }
    op_end(op, (int64_t)bytes, bytes, 0, done);
}

void proi_iocp_end_kernel(struct proi_iocp *iocp, struct pro_op *op, uint32_t status, size_t bytes,
                          struct proi_op_queue *done)
{
    const struct iocp_record *record = proi_iocp_record(op);
    int error, code;

    if (record->phase != IOCP_PENDING && record->phase != IOCP_ENDING)
        return;                                        /* a stray one, of a start that failed: our own packet follows */
    if (record->overlapped.Internal != STATUS_NOT_YET) /* the documented place; Wine leaves it unwritten at times */
        status = (uint32_t)record->overlapped.Internal;
    error = proi_native_from_status(status);
    code = proi_error_from_native(error);
    if (code == PRO_OK)
        op_succeeded(iocp, op, bytes, done);
    else if (error == ERROR_HANDLE_EOF || (code == PRO_E_CANCELED && record->phase == IOCP_ENDING && bytes == 0))
        op_end(op, 0, 0, 0, done);
    else if (op->kind == PRO_OP_ACCEPT && code == PRO_E_RESET && !record->cancel_asked)
        accept_again(iocp, op);
    else if (record->cancel_asked && error == ERROR_BROKEN_PIPE) /* what a cancelled read of a pipe says */
        op_end(op, PRO_E_CANCELED, bytes, error, done);
    else
        op_end(op, code, bytes, error, done);
}
