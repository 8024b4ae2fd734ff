/* SPDX-License-Identifier: MIT */
/* The verbs of files: they check and fill the op, nothing more. */
#include "verb.h"

#include <proact/file.h>

static void use_file(struct pro_op *op, const struct pro_file *file)
{
    const struct pro_file value = file ? *file : (struct pro_file){ 0 };

    proi_op_use_handle(op, value.handle, value.generation, value.loop_id, 1u << PROI_HANDLE_FILE);
}

struct pro_op *pro_file_open(struct pro_op *op, struct pro_loop *loop, const char *path, unsigned flags,
                             struct pro_file *ret_file, struct pro_how how)
{
    const unsigned known =
        PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_EXCLUSIVE | PRO_OPEN_TRUNCATE | PRO_OPEN_DIRECT;

    if (!proi_op_begin(&op, PRO_OP_FILE_OPEN))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    op->buffer = ret_file;
    if (!path || !*path || !ret_file)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_file_open: the path or the file is missing"));
    else if (flags & ~known || !(flags & (PRO_OPEN_READ | PRO_OPEN_WRITE)) ||
             (flags & PRO_OPEN_TRUNCATE && !(flags & PRO_OPEN_WRITE)) ||
             (flags & PRO_OPEN_EXCLUSIVE && !(flags & PRO_OPEN_CREATE)))
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_file_open: these flags do not go together"));
    else if (!(op->flags & PROI_OP_FAILED))
        *(struct proi_open_args *)proi_op_args(op) = (struct proi_open_args){ path, flags };
    return op;
}

static struct pro_op *transfer(struct pro_op *op, enum pro_op_kind kind, const struct pro_file *file, void *buffer,
                               size_t length, uint64_t offset, struct pro_how how)
{
    if (!proi_op_begin(&op, kind))
        return op;
    use_file(op, file);
    proi_op_limit(op, how);
    op->buffer = buffer;
    op->length = length;
    op->offset = offset;
    if (!buffer || !length || offset > INT64_MAX || length > INT64_MAX - offset)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "%s: the buffer is NULL or empty, or the offset too large",
                                     pro_op_kind_name((int)kind)));
    else if (PROI_IS_POISONED(buffer, length))
        proi_op_fail(
            op, proi_misuse(PRO_E_INVALID, "%s: the buffer is shorter than the length", pro_op_kind_name((int)kind)));
    return op;
}

struct pro_op *pro_read_at(struct pro_op *op, const struct pro_file *file, void *buffer, size_t length, uint64_t offset,
                           struct pro_how how)
{
    return transfer(op, PRO_OP_READ_AT, file, buffer, length, offset, how);
}

struct pro_op *pro_write_at(struct pro_op *op, const struct pro_file *file, const void *data, size_t length,
                            uint64_t offset, struct pro_how how)
{
    return transfer(op, PRO_OP_WRITE_AT, file, (void *)(uintptr_t)data, length, offset, how);
}

struct pro_op *pro_file_sync(struct pro_op *op, const struct pro_file *file, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_FILE_SYNC))
        return op;
    use_file(op, file);
    proi_op_limit(op, how);
    return op;
}

struct pro_op *pro_file_close(struct pro_op *op, const struct pro_file *file)
{
    if (proi_op_begin(&op, PRO_OP_CLOSE))
        use_file(op, file);
    return op;
}

bool pro_file_is_open(const struct pro_file *file)
{
    return file && proi_handle_check(file->handle, file->generation, file->loop_id) == PRO_OK;
}

int pro_file_size(const struct pro_file *file, uint64_t *ret_size)
{
    struct proi_handle_view view;
    int code;

    if (!file || !ret_size)
        return proi_misuse(PRO_E_INVALID, "pro_file_size: an argument is NULL");
    code = proi_handle_look(file->handle, file->generation, file->loop_id, &view);
    if (code == PRO_E_INVALID || (code == PRO_OK && view.kind != PROI_HANDLE_FILE))
        return proi_misuse(PRO_E_INVALID, "pro_file_size: the file was never opened");
    if (code < 0)
        return code;
    return view.loop->type->file_size(view.loop->backend, file->handle, ret_size);
}
