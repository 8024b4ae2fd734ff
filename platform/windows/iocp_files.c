/* SPDX-License-Identifier: MIT */
/* The ops on files. Reading and writing are the kernel's; opening, flushing and closing block and have no overlapped
   form, so that an offload thread does them and posts the op to the port. */
#include "iocp.h"

#include <string.h>

/* ---- the calls that block: on an offload thread ---- */
/* There and back. The thread writes the record before it posts, and the loop reads it after it has taken the packet:
   the port orders the two. After the post the thread touches neither op nor backend, both may be gone. */
static void offloaded_end(struct pro_op *op, int code, int native_error)
{
    struct iocp_record *record = proi_iocp_record(op);
    struct proi_iocp *iocp = record->offloaded.iocp;

    record->code = (int16_t)code;
    record->native_error = native_error;
    while (!proi_iocp_post(iocp, op)) /* no memory for a packet; an op is never lost, so wait until there is some */
        Sleep(1);
}

static struct pro_op *op_of(struct proi_offload *item) { return PRO_CONTAINER(item, struct pro_op, backend); }

/* True: it was cancelled before the thread had time for it. */
static bool offloaded_canceled(struct pro_op *op)
{
    if (!proi_load(&proi_iocp_record(op)->cancel_asked, PROI_RELAXED))
        return false;
    offloaded_end(op, PRO_E_CANCELED, ERROR_OPERATION_ABORTED);
    return true;
}

static void op_offload(struct proi_iocp *iocp, struct pro_op *op, void (*run)(struct proi_offload *item),
                       const char *path)
{
    struct iocp_record *record = proi_iocp_record(op);

    record->offloaded = (struct iocp_offloaded){ .item = { .run = run }, .iocp = iocp, .path = path };
    record->phase = IOCP_OFFLOADED;
    record->cancel_asked = 0;
    proi_offload(&record->offloaded.item);
}

/* A directory refuses with "access denied", a path with a final slash with "invalid name", and so on. */
static int open_failed(const wchar_t *path, unsigned flags, int native_error)
{
    const DWORD attributes = native_error == ERROR_FILE_NOT_FOUND ? INVALID_FILE_ATTRIBUTES : GetFileAttributesW(path);

    if (attributes == INVALID_FILE_ATTRIBUTES || !(attributes & FILE_ATTRIBUTE_DIRECTORY))
        return proi_error_from_native(native_error);
    return flags & PRO_OPEN_EXCLUSIVE ? PRO_E_EXISTS : PRO_E_IS_DIRECTORY;
}

static HANDLE file_open(const wchar_t *path, unsigned flags)
{
    const DWORD access = (flags & PRO_OPEN_READ ? GENERIC_READ : 0) | (flags & PRO_OPEN_WRITE ? GENERIC_WRITE : 0);
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE; /* as on Linux */
    const DWORD how = !(flags & PRO_OPEN_CREATE)   ? OPEN_EXISTING
                      : flags & PRO_OPEN_EXCLUSIVE ? CREATE_NEW
                                                   : OPEN_ALWAYS;
    const DWORD more = FILE_FLAG_OVERLAPPED | (flags & PRO_OPEN_DIRECT ? FILE_FLAG_NO_BUFFERING : 0);
    const HANDLE file = CreateFileW(path, access, share, NULL, how, FILE_ATTRIBUTE_NORMAL | more, NULL);

    /* Not CREATE_ALWAYS and TRUNCATE_EXISTING: those also reset the attributes, and fail on hidden files. */
    if (file != INVALID_HANDLE_VALUE && (flags & PRO_OPEN_TRUNCATE) && !SetEndOfFile(file)) {
        const DWORD error = GetLastError();

        CloseHandle(file);
        SetLastError(error);
        return INVALID_HANDLE_VALUE;
    }
    return file;
}

static void open_run(struct proi_offload *item)
{
    struct pro_op *op = op_of(item);
    struct iocp_record *record = proi_iocp_record(op);
    const unsigned flags = (unsigned)record->native;
    wchar_t *path = NULL;
    HANDLE file;
    int code, native_error = 0;

    record->native = (uintptr_t)INVALID_HANDLE_VALUE;
    if (offloaded_canceled(op))
        return;
    code = proi_path_to_native(record->offloaded.path, &path, &native_error);
    if (code == PRO_OK) {
        file = file_open(path, flags);
        if (file == INVALID_HANDLE_VALUE) {
            native_error = (int)GetLastError();
            code = open_failed(path, flags, native_error);
        }
        record->native = (uintptr_t)file;
        proi_free(path);
    }
    offloaded_end(op, code, native_error);
}

static void sync_run(struct proi_offload *item)
{
    struct pro_op *op = op_of(item);
    int native_error = 0;

    if (offloaded_canceled(op))
        return;
    if (!FlushFileBuffers((HANDLE)op->handle->native))
        native_error = (int)GetLastError();
    if (native_error == ERROR_ACCESS_DENIED) /* opened for reading only: there is nothing of ours to be flushed */
        native_error = 0;
    offloaded_end(op, proi_error_from_native(native_error), native_error);
}

static void close_run(struct proi_offload *item)
{
    struct pro_op *op = op_of(item);

    CloseHandle((HANDLE)op->handle->native);
    offloaded_end(op, PRO_OK, 0);
}

/* ---- submit: on the loop's thread ---- */
void proi_iocp_file_open(struct proi_iocp *iocp, struct pro_op *op)
{
    struct proi_open_args args;

    memcpy(&args, proi_op_args(op), sizeof args);
    proi_iocp_record(op)->native = args.flags;
    op_offload(iocp, op, open_run, args.path);
}

void proi_iocp_file_sync(struct proi_iocp *iocp, struct pro_op *op) { op_offload(iocp, op, sync_run, NULL); }
void proi_iocp_file_close(struct proi_iocp *iocp, struct pro_op *op) { op_offload(iocp, op, close_run, NULL); }

/* Two offsets near the top of the range mean "at the end" and "where the handle is"; on Linux they are errors. */
static OVERLAPPED *transfer_begin(struct proi_iocp *iocp, struct pro_op *op)
{
    OVERLAPPED *overlapped = proi_iocp_begin(op);

    if (op->offset > (uint64_t)INT64_MAX - proi_op_left(op)) {
        proi_iocp_decide(iocp, op, PRO_E_INVALID, ERROR_INVALID_PARAMETER);
        return NULL;
    }
    overlapped->Offset = (DWORD)op->offset;
    overlapped->OffsetHigh = (DWORD)(op->offset >> 32);
    iocp->system_calls++;
    return overlapped;
}

static void transfer_begun(struct proi_iocp *iocp, struct pro_op *op, BOOL taken)
{
    const int error = taken ? 0 : (int)GetLastError();

    if (error == ERROR_HANDLE_EOF)
        proi_iocp_decide(iocp, op, PRO_OK, 0);
    else if (error && error != ERROR_IO_PENDING)
        proi_iocp_decide(iocp, op, proi_error_from_native(error), error);
}

void proi_iocp_read_at(struct proi_iocp *iocp, struct pro_op *op)
{
    OVERLAPPED *overlapped = transfer_begin(iocp, op);

    if (overlapped)
        transfer_begun(iocp, op,
                       ReadFile((HANDLE)op->handle->native, proi_op_data(op), proi_op_left(op), NULL, overlapped));
}

void proi_iocp_write_at(struct proi_iocp *iocp, struct pro_op *op)
{
    OVERLAPPED *overlapped = transfer_begin(iocp, op);

    if (overlapped)
        transfer_begun(iocp, op,
                       WriteFile((HANDLE)op->handle->native, proi_op_data(op), proi_op_left(op), NULL, overlapped));
}
