/* SPDX-License-Identifier: MIT */
/* What the four files of the io_uring backend share: the instance (uring_backend.c owns the rings), the table of
   operations (uring_ops.c knows what each one looks like to the kernel), what is done without the ring (uring_now.c),
   and the ring's own table of files (uring_files.c). */
#ifndef PROACT_LINUX_URING_H
#define PROACT_LINUX_URING_H

#include "native.h"

#include <liburing.h>
#include <limits.h>

struct uring {
    struct proi_backend base;

    /* The loop's thread. Numbers count for ever and are masked at use, as in the kernel. */
    unsigned sq_tail, sq_submitted, sq_mask, sq_entries;
    unsigned cq_mask;
    unsigned read_now_in_a_row; /* reads that were over without the ring, since it was entered last */
    unsigned send_now_in_a_row; /* sends that were over without the ring, since one went through it alone */
    unsigned lonely_sends;      /* through the ring, in a row, whose turn brought nothing else; counted up to a limit */
    unsigned enter_flags;       /* IORING_ENTER_REGISTERED_RING once the ring's descriptor is registered */
    unsigned absolute_timeout;  /* IORING_ENTER_ABS_TIMER where the kernel knows it */
    int enter_fd;
    bool wake_armed;
    bool woke; /* a wake was taken note of since the last wait() returned: the next one must not sleep */
    bool sends_alone; /* this turn takes one send alone through the ring */
    bool told; /* that the kernel answered something unforeseen */
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    unsigned *kernel_sq_tail, *kernel_cq_head, *kernel_cq_tail, *kernel_flags; /* shared with the kernel */
    struct proi_op_queue over;  /* ended outside of wait(); the next one hands them out */
    struct proi_op_queue again; /* interrupted for no reason of ours; the next wait() submits them once more */
    uint64_t system_calls;
    uint64_t turn;      /* calls of wait() so far */
    uint64_t drained;   /* the last one that left no completion for the next */
    const char *region; /* registered memory, the kernel's buffer 0 */
    size_t region_size; /* 0: none */
    uint64_t places;    /* taken, in the table of files */
    bool has_table;
    struct io_uring_buf_ring *buffers; /* of leased receives; NULL until the first */
    unsigned buffers_mask;
    unsigned chosen, chosen_from, chosen_to; /* buffers in the completions between these two */
    unsigned short buffers_tail; /* enter() hands over the entries from the kernel's tail to this one */
    unsigned answer_flags;       /* IORING_CQE_F_…, of the last answer to a receive or from the ring */
    struct io_uring ring;

    char pad[64];        /* wakers write below, the loop above */
    uint32_t woken;      /* any thread: 1 from wake() until the loop has seen it */
    uint32_t cpu;        /* any thread reads: where the loop went to sleep */
    bool takes_messages; /* the kernel does; fixed once open */
    int wake_fd;         /* an eventfd under a multishot poll; written, never read */
};

/* op->native while the kernel has the op; completion puts the real number there. */
enum uring_in_kernel { URING_IN_KERNEL = INT_MIN, URING_CANCEL_ASKED = INT_MIN + 1 };

struct proi_uring_kind {
    /* Fills @sqe, which is queued last, but for user_data; or takes it back. */
    void (*fill)(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op);
    /* The kernel answered @result, a count or -errno. */
    void (*finish)(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done);
};
extern const struct proi_uring_kind proi_uring_kinds[PRO_OP_KIND_COUNT];

/* The only group of buffers that the kernel chooses from; the only registered buffer. */
enum { URING_BUFFER_GROUP = 0, URING_REGION = 0 };

/* What pro_handle.backend[] is: of a socket [0] the turn in which its last leased receive was submitted; of a file [0]
   and [1] how its reads fare (uring_now.c), [2] its place (uring_files.c). And of a socket pro_handle.backend_flags:
   its last leased receive had to wait, and took all that came, or one of any sort that was tried at once found nothing. */
enum { URING_RECV_WAITED = 1 };

/* A submission's number: the op, and above it the op's generation. */
enum { URING_GENERATION_SHIFT = 48 };
static inline struct pro_op *proi_uring_op(uint64_t data)
{
    return (struct pro_op *)(uintptr_t)(data & ((UINT64_C(1) << URING_GENERATION_SHIFT) - 1));
}

/* Fills all of @sqe but user_data. Entries are used again and again, and what liburing's own functions leave of the last
   use differs by version. @flags: the word that is rw_flags, msg_flags, and so on. */
static inline void proi_uring_prepare(struct io_uring_sqe *sqe, enum io_uring_op opcode, int fd, const void *address,
                                      uint32_t length, uint64_t offset, uint32_t flags)
{
    sqe->opcode = (uint8_t)opcode;
    sqe->flags = 0;
    sqe->ioprio = 0;
    sqe->fd = fd;
    sqe->off = offset;
    sqe->addr = (uint64_t)(uintptr_t)address;
    sqe->len = length;
    sqe->rw_flags = (__kernel_rwf_t)flags;
    sqe->buf_index = 0;
    sqe->personality = 0;
    sqe->file_index = 0;
    sqe->addr3 = 0;
    sqe->__pad2[0] = 0;
}

/* In place of filling it: the op ends with @error, an errno, and the kernel never sees it. */
void proi_uring_take_back(struct uring *uring, struct pro_op *op, int error);

/* The kernel's answer to @op, a count or -errno, has come: ends it, or marks it to be submitted again. */
void proi_uring_returned(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done);

/* The one submission that is queued, nothing being complete: tried at once, by a call that does not wait. True: it is
   over, and in uring->over. */
bool proi_uring_alone_now(struct uring *uring);
/* A send that was alone went through the ring: so many completions were there then. */
void proi_uring_sent_alone(struct uring *uring, unsigned completions);

bool proi_uring_move_now(struct proi_backend *backend, struct pro_op *op, struct proi_op_queue *done);

/* The table of files (uring_files.c). Lets the transfer in @sqe name the file by its place there, if it has one or is
   worth one from now on. */
enum { URING_PLACES = 64 };
void proi_uring_name_file(struct uring *uring, struct io_uring_sqe *sqe, struct pro_handle *handle);
void proi_uring_forget_file(struct uring *uring, struct pro_handle *handle); /* before it is closed */
void proi_uring_forget_all_files(struct uring *uring);                       /* before the ring is */

/* Ends @op with @error, an errno. */
void proi_uring_fail(struct pro_op *op, int error, struct proi_op_queue *done);
/* NULL, or the name of the first operation in the table that the kernel does not have. */
const char *proi_uring_missing(struct io_uring *ring);

#endif
