/* SPDX-License-Identifier: MIT */
/* Files, read and written at explicit offsets. */
#ifndef PROACT_FILE_H
#define PROACT_FILE_H

#include <proact/op.h>

PRO_BEGIN_DECLS

/* A value, like struct pro_socket. */
struct pro_file {
    struct pro_handle *handle;
    uint32_t generation;
    uint32_t loop_id;
};

enum pro_open_flag {
    PRO_OPEN_READ = 1,
    PRO_OPEN_WRITE = 2,
    PRO_OPEN_CREATE = 4,    /* make it when it is not there                   */
    PRO_OPEN_EXCLUSIVE = 8, /* with CREATE: PRO_E_EXISTS when it is there     */
    PRO_OPEN_TRUNCATE = 16, /* empty it; needs WRITE                          */
    PRO_OPEN_DIRECT = 32    /* bypass the page cache: align buffer, length and offset to 4096 */
};

/* Opens @path (UTF-8 on all systems) on @loop (NULL: as pro_sleep). Lends @path; *@ret_file is written at delivery. Created
   files get mode 0666 less the umask. A directory is PRO_E_IS_DIRECTORY; on Linux what has no
   offsets, a pipe or a terminal, is PRO_E_BAD_HANDLE. [any thread] */
PRO_API struct pro_op *pro_file_open(struct pro_op *op, struct pro_loop *loop, const char *path, unsigned flags,
                                     struct pro_file *ret_file, struct pro_how how);
/* Completes with 0…@length bytes: 0 at or past the end of the file. Lends @buffer. [any thread] */
PRO_API struct pro_op *pro_read_at(struct pro_op *op, const struct pro_file *file, void *buffer, size_t length,
                                   uint64_t offset, struct pro_how how);
/* Completes with 1…@length bytes; may be short. Lends @data. PRO_E_NO_SPACE, … [any thread] */
PRO_API struct pro_op *pro_write_at(struct pro_op *op, const struct pro_file *file, const void *data, size_t length,
                                    uint64_t offset, struct pro_how how);
/* Completes when what was written is on the device. [any thread] */
PRO_API struct pro_op *pro_file_sync(struct pro_op *op, const struct pro_file *file, struct pro_how how);
/* As pro_close(). [any thread] */
PRO_API struct pro_op *pro_file_close(struct pro_op *op, const struct pro_file *file);

/* True until close was called. [any thread] */
PRO_API bool pro_file_is_open(const struct pro_file *file);
/* Asks the system, without waiting for the device. PRO_E_CLOSED; PRO_E_INVALID (misuse): never opened. [any thread, while nobody closes it
   or frees its loop] */
PRO_API int pro_file_size(const struct pro_file *file, uint64_t *ret_size);

PRO_END_DECLS

#endif
