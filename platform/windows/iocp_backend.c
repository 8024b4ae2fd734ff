/* SPDX-License-Identifier: MIT */
/* The completion-port backend: one port per loop, one thread that reads it, packets in batches. */
#include "iocp.h"

#include <stdio.h>

/* ---- opening and closing ---- */
static int iocp_open(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                     size_t reason_size)
{
    const int winsock = proi_winsock_start();
    struct proi_iocp *iocp;
    char text[128];

    (void)options;
    if (winsock) {
        proi_native_message(winsock, text, sizeof text);
        snprintf(reason, reason_size, "Winsock does not start (%d: %s)", winsock, text);
        return proi_error_from_native(winsock);
    }
    iocp = proi_alloc_zeroed(sizeof *iocp);
    if (!iocp) {
        snprintf(reason, reason_size, "there is no memory for the completion port");
        return PRO_E_NO_MEMORY;
    }
    iocp->base.type = &proi_backend_iocp;
    iocp->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!iocp->port) {
        const int error = (int)GetLastError();

        proi_native_message(error, text, sizeof text);
        snprintf(reason, reason_size, "the system refuses a completion port (%d: %s)", error, text);
        proi_free(iocp);
        return proi_error_from_native(error);
    }
    *ret_backend = &iocp->base;
    return PRO_OK;
}

static int iocp_bind(struct proi_backend *backend)
{
    proi_store(&proi_iocp_of(backend)->thread, proi_thread_id(), PROI_RELAXED);
    return PRO_OK;
}

static void iocp_close(struct proi_backend *backend)
{
    CloseHandle(proi_iocp_of(backend)->port);
    proi_free(backend);
    proi_offload_settle();
}

/* ---- handles ---- */
static int iocp_attach(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via)
{
    const HANDLE native = (HANDLE)handle->native;
    const BOOL on = TRUE;

    /* A handle can be given to one port, once and for ever; a connecting socket had to have it before it began. */
    if (via != PRO_OP_CONNECT && !CreateIoCompletionPort(native, proi_iocp_of(backend)->port, IOCP_KEY_KERNEL, 0))
        return proi_error_from_native((int)GetLastError());
    if (handle->kind == PROI_HANDLE_SOCKET &&
        setsockopt((SOCKET)native, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, (int)sizeof on) != 0)
        return proi_error_from_native(WSAGetLastError());
    return PRO_OK;
}

/* ---- packets ---- */
bool proi_iocp_post(struct proi_iocp *iocp, struct pro_op *op)
{
    return PostQueuedCompletionStatus(iocp->port, 0, IOCP_KEY_OURS, &proi_iocp_record(op)->overlapped);
}

/* At most one wake packet is in the port. Waker: writes what it has to tell, then exchanges 0 → 1. Loop: exchanges 1 →
   0, then reads what it was told. Whichever exchange comes second reads the first: if the loop's does, it sees what was
   told; if the waker's does, it finds 0 and posts. */
static void iocp_wake(struct proi_backend *backend)
{
    struct proi_iocp *iocp = proi_iocp_of(backend);

    if (proi_load(&iocp->thread, PROI_RELAXED) == proi_thread_id()) {
        iocp->awake = true;
        return;
    }
    if (proi_exchange(&iocp->woken, 1, PROI_ACQ_REL))
        return;
    while (
        !PostQueuedCompletionStatus(iocp->port, 0, IOCP_KEY_WAKE, NULL)) /* no memory for it: a lost wake is a hang */
        Sleep(1);
}

static DWORD wait_limit(uint64_t deadline_ns)
{
    uint64_t now_ns, ms;

    if (deadline_ns == 0)
        return 0;
    if (deadline_ns == UINT64_MAX)
        return INFINITE;
    now_ns = proi_now();
    if (now_ns >= deadline_ns)
        return 0;
    ms = (deadline_ns - now_ns + 999999) / 1000000; /* up: a wait that ends early would only be made again */
    return ms < INT32_MAX ? (DWORD)ms : INT32_MAX;
}

static void iocp_wait(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done)
{
    struct proi_iocp *iocp = proi_iocp_of(backend);
    const DWORD limit = iocp->awake || iocp->over.head ? 0 : wait_limit(deadline_ns);
    struct pro_op *op;
    ULONG count = 0;

    iocp->awake = false;
    iocp->system_calls++;
    if (!GetQueuedCompletionStatusEx(iocp->port, iocp->entries, PROI_TURN, &count, limit, FALSE))
        count = 0; /* Wine says 1 when the time is up */
    while ((op = proi_op_queue_pop(&iocp->over)) != NULL)
        proi_iocp_end_ours(op, done);
    for (ULONG i = 0; i < count; i++) {
        const OVERLAPPED_ENTRY *entry = &iocp->entries[i];

        op = entry->lpOverlapped ? PRO_CONTAINER(entry->lpOverlapped, struct pro_op, backend) : NULL;
        switch ((enum iocp_key)entry->lpCompletionKey) {
        case IOCP_KEY_KERNEL:
            proi_iocp_end_kernel(iocp, op, (uint32_t)entry->Internal, entry->dwNumberOfBytesTransferred, done);
            break;
        case IOCP_KEY_OURS:
            proi_iocp_end_ours(op, done);
            break;
        case IOCP_KEY_WAKE:
            proi_exchange(&iocp->woken, 0, PROI_ACQ_REL); /* see iocp_wake() */
            break;
        }
    }
}

static uint64_t iocp_now(struct proi_backend *backend)
{
    (void)backend;
    return proi_now();
}

static uint64_t iocp_system_calls(struct proi_backend *backend) { return proi_iocp_of(backend)->system_calls; }

const struct proi_backend_type proi_backend_iocp = {
    .name = "iocp",
    .open = iocp_open,
    .bind = iocp_bind,
    .close = iocp_close,
    .listen = proi_iocp_listen,
    .attach = iocp_attach,
    .release = proi_iocp_release,
    .local_addr = proi_iocp_local_addr,
    .peer_addr = proi_iocp_peer_addr,
    .set_abortive = proi_iocp_set_abortive,
    .set_buffers = proi_iocp_set_buffers,
    .file_size = proi_iocp_file_size,
    .submit = proi_iocp_submit,
    .cancel = proi_iocp_cancel,
    .wait = iocp_wait,
    .wake = iocp_wake,
    .now = iocp_now,
    .system_calls = iocp_system_calls,
};
