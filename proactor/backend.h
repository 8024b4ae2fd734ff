/* SPDX-License-Identifier: MIT */
/* The porting contract: what a kernel must offer to a loop. proactor/ owns it; platform/<system>/ obeys. One instance
 serves one loop. Unless it says otherwise a function is called on the loop's thread only.
 *
 * The life of an op here:
 *   move_now(op)   may be asked first, where more bytes are expected: is it over at once?
 *   submit(op)     the backend owns op and buffer. It never completes inside submit.
 *   cancel(op)     a request; may come at any time between submit and delivery, more than once, and may find nothing.
 *   wait(…, done)  gives back, exactly once each, the ops that are over: proi_op_complete(), in arrival order.
 * What a late completion or cancel could hit is told apart by op->generation, which changes with every delivery. */
#ifndef PROACT_BACKEND_H
#define PROACT_BACKEND_H

#include <proact/file.h>
#include <proact/lease.h>
#include <proact/loop.h>
#include <proact/net.h>
#include <proact/op.h>

#include "platform.h" /* of platform/ */

enum proi_handle_kind { PROI_HANDLE_LISTENER = 1, PROI_HANDLE_SOCKET, PROI_HANDLE_FILE };

enum proi_handle_state {
    PROI_HANDLE_CLOSED, /* or not open yet: no loop's; the block may be reused, with a new generation */
    PROI_HANDLE_OPEN,   /* one of its loop's, as the next: becomes it, and ends being it, under the loop's lock */
    PROI_HANDLE_CLOSING /* refuses new ops; waits for the pending ones */
};

/* An open handle. A type-stable block; user values point at it with a generation. What other threads may read of it, in
   whatever life it is, comes first; the rest is zeroed for each life. */
struct pro_handle {
    uint32_t generation; /* shared: relaxed reads anywhere, written on the loop's thread; a new number at each close */
    unsigned char state; /* shared likewise: enum proi_handle_state */
    unsigned char kind;  /* shared likewise; enum proi_handle_kind */
    struct pro_loop *loop; /* shared likewise; set once per life */

    uint32_t pending;            /* ops between submission and delivery, close apart */
    unsigned char family;        /* enum pro_family of a socket */
    unsigned char ended;         /* bit 0: shut down for receiving, bit 1: for sending */
    unsigned char backend_flags; /* the backend's, zero at attach */
    unsigned char eager;         /* the backend's, too: more is expected; only where it has move_now */
    intptr_t native;             /* fd, SOCKET, HANDLE, or the simulator's number */
    union {
        struct pro_op *ops; /* the pending ones; linked through handle_next/previous. First the close that waits for
                               the others, if there is one: when pending is 0, it is what is left */
        struct pro_handle *next_spare; /* of a block that is nobody's: handle.c */
    };
    uint64_t backend[3]; /* the backend's scratch, zero at attach */
};
_Static_assert(sizeof(void *) != 8 || sizeof(struct pro_handle) == 64, "an open handle is one cache line");

struct proi_op_queue {
    struct pro_op *head, *tail;
};
static inline void proi_op_queue_push(struct proi_op_queue *queue, struct pro_op *op)
{
    op->next = NULL;
    if (queue->tail)
        queue->tail->next = op;
    else
        queue->head = op;
    queue->tail = op;
}
static inline struct pro_op *proi_op_queue_pop(struct proi_op_queue *queue)
{
    struct pro_op *op = queue->head;

    if (op) {
        queue->head = op->next;
        if (!queue->head)
            queue->tail = NULL;
    }
    return op;
}

/* Ends the backend's part: @result is a count or PRO_OK, or a code already mapped (PRO_E_CANCELED when it ended because
   cancel was asked for, whatever the system calls that); @moved bytes went through on this trip, also on failure. */
static inline void proi_op_complete(struct proi_op_queue *done, struct pro_op *op, int64_t result, size_t moved,
                                    int native)
{
    op->result = result;
    op->transferred += moved;
    op->native = native;
    proi_op_queue_push(done, op);
}

/* What is left to move: SEND_ALL comes back through submit until all is sent. At most 1 GiB on one trip. */
static inline void *proi_op_data(const struct pro_op *op) { return (char *)op->buffer + op->transferred; }
static inline uint32_t proi_op_left(const struct pro_op *op)
{
    size_t left = op->length - op->transferred;

    return left < (UINT32_C(1) << 30) ? (uint32_t)left : UINT32_C(1) << 30;
}

/* Completions that one turn takes from the kernel at most. More would be hardly cheaper, and everything else would wait
   longer for its turn: the more there are between an operation's start, its end and the next one, the less of each is in
   the cache still. */
enum { PROI_TURN = 64 };

/* So many bytes at once cost more than a system call of their own. */
enum { PROI_MUCH = 16 * 1024 };

/* Where ACCEPT, CONNECT and FILE_OPEN, which move no bytes, leave the native handle that a success gives back. */
static inline size_t *proi_op_native(struct pro_op *op) { return &op->transferred; }

/* Where the verbs of CONNECT and FILE_OPEN, which have no data, put their arguments: over length, offset and two words
   of the scratch. The backend may overwrite them at submit (copy first). */
struct proi_connect_args {
    struct pro_addr addr;
};
struct proi_open_args {
    const char *path;
    unsigned flags; /* enum pro_open_flag */
};
enum { PROI_OP_ARGS = 32 }; /* bytes */
static inline void *proi_op_args(struct pro_op *op) { return (char *)op + offsetof(struct pro_op, length); }
_Static_assert(offsetof(struct pro_op, backend[2]) - offsetof(struct pro_op, length) == PROI_OP_ARGS &&
                   sizeof(struct proi_connect_args) <= PROI_OP_ARGS && sizeof(struct proi_open_args) <= PROI_OP_ARGS,
               "arguments fit before what the backend's answer needs");
/* The instance that @op was submitted to. [any thread, while it is pending] */
struct proi_backend *proi_op_backend(const struct pro_op *op);

/* Brings into the cache what the end of an op will touch, a few completions before it is looked at: with a thousand
   connections none of it is there any more. First the op, by its address alone; then, once that has come, its handle
   and its waiter, which NULL may be. Inline in any case: the compiler takes a function that only fetches for one that
   does nothing. */
enum { PROI_LINE = 64 /* bytes */ };
static inline __attribute__((always_inline)) void proi_op_fetch(const struct pro_op *op)
{
    for (size_t at = 0; at < sizeof *op; at += PROI_LINE)
        __builtin_prefetch((const char *)op + at, 1);
    __builtin_prefetch((const char *)(op + 1) - 1, 1); /* it begins anywhere in a line */
}
static inline __attribute__((always_inline)) void proi_op_fetch_around(const struct pro_op *op)
{
    __builtin_prefetch(op->handle, 1);
    __builtin_prefetch(op->waiter, 1);
    __builtin_prefetch((const void *)((uintptr_t)op->waiter + PROI_LINE), 1);
}

/* ---- buffers of leased receives (lease.c). [loop] ----
 *
 * A RECV_LEASE takes a buffer when data has come, never before: a receive that only waits holds none. There are two
 * ways. Where the kernel chooses the buffer, the backend has `provide`, is given every free one, and says with
 * proi_lease_taken() which it was. Every other backend waits for readiness first and then calls proi_lease_take(). Both
 * end with proi_lease_complete(), and with PROI_STARVED when no buffer was free: the loop submits the op again when one
 * is. */
#define PROI_STARVED (INT64_MIN + 1)
/* Puts a free buffer into the op's lease: data, and size as its capacity. PRO_OK, PROI_STARVED or PRO_E_NO_MEMORY. */
int64_t proi_lease_take(struct pro_op *op);
void proi_lease_drop(struct pro_op *op); /* no data after all: the buffer goes back, the op goes on waiting */
static inline struct pro_lease *proi_op_lease(const struct pro_op *op) { return (struct pro_lease *)op->buffer; }
/* For backends that provide. Makes the first buffers. PRO_OK or PRO_E_NO_MEMORY. */
int proi_lease_prepare(struct pro_op *op);
void proi_lease_taken(struct pro_op *op, unsigned number);
/* Ends the backend's part. @result > 0: so many bytes are in the buffer that the op's lease has; else the buffer, if it
   has one, goes back. */
void proi_lease_complete(struct proi_op_queue *done, struct pro_op *op, int64_t result, int native);

struct proi_backend;

/* Which ops come: PRO_OP_NOP and every kind from ACCEPT on. SLEEP never reaches a backend. op->handle is
   set for all but NOP, CONNECT and FILE_OPEN; op->buffer and op->length for RECV…SEND_ALL, READ_AT, WRITE_AT;
   op->buffer is the lease for RECV_LEASE; op->offset for READ_AT and WRITE_AT; op->offset is enum pro_shutdown_how for
   SHUTDOWN. CLOSE comes when the handle has no other op pending, and closes op->handle->native whatever happens. */
struct proi_backend_type {
    const char *name;
    /* Opens an instance. On failure *@ret_backend is untouched and @reason tells a person why and what to change, e.g.
       "the kernel refuses io_uring_setup (EPERM): a container's seccomp profile or kernel.io_uring_disabled". [any
       thread] */
    int (*open)(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                size_t reason_size);
    /* The loop's thread is known from now on: called once on it, before the first submit or wait. */
    int (*bind)(struct proi_backend *backend);
    /* Frees. Nothing is with the kernel, all handles are released. */
    void (*close)(struct proi_backend *backend);

    /* Opens a listening socket: PRO_OK and *@ret_native, or a code and *@ret_error the native one. [any thread] */
    int (*listen)(struct proi_backend *backend, const struct pro_addr *addr, const struct pro_listen_options *options,
                  intptr_t *ret_native, int *ret_error);
    /* Takes over @handle, whose native was opened by listen, or by an op of kind @via (which may have run on another
       loop's backend of the same type). Failure: the caller releases. [any thread] */
    int (*attach)(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via);
    /* Closes a native that no op is pending on, at once. [any thread] */
    void (*release)(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native);

    /* Asks about, or sets something on, an open handle without waiting. [any thread] */
    int (*local_addr)(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
    int (*peer_addr)(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
    int (*set_abortive)(struct proi_backend *backend, struct pro_handle *handle, bool abortive);
    int (*set_buffers)(struct proi_backend *backend, struct pro_handle *handle, int send_bytes, int receive_bytes);
    int (*file_size)(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size);

    /* May be NULL. Tries @op, a receive, or a send of PROI_MUCH bytes or more, on an eager handle, without waiting.
       False: nothing has happened, submit it. True: proi_op_complete() into @done, as by wait; a part of a SEND_ALL may
       have moved, and the loop submits it for the rest. */
    bool (*move_now)(struct proi_backend *backend, struct pro_op *op, struct proi_op_queue *done);
    void (*submit)(struct proi_backend *backend, struct pro_op *op);
    void (*cancel)(struct proi_backend *backend, struct pro_op *op);
    /* Hands over what submit and cancel have gathered, sleeps until at least one op is over, or wake, or the moment
       @deadline_ns of now() (0: do not sleep, UINT64_MAX: no limit), and appends what is over to @done. May return
       early with nothing. Of what the kernel has ended it gives back PROI_TURN at most, the rest waits for the next turn;
       what ended without it comes besides. */
    void (*wait)(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done);
    /* Makes the present or the next wait return. Coalesces. [any thread] */
    void (*wake)(struct proi_backend *backend);
    /* May be NULL. A buffer is free from now on, and the kernel's until proi_lease_taken() names it. @most is one more
       than the largest @number there will be. Only the first call may fail. */
    int (*provide)(struct proi_backend *backend, unsigned number, void *data, uint32_t size, unsigned most);
    /* NULL without provide. How many buffers the kernel has chosen for answers that wait() has not given back yet. */
    unsigned (*chosen)(struct proi_backend *backend);
    /* May be NULL. READ_AT and WRITE_AT will often use this region; it replaces the one before. @size 0: none. Failure:
       there is none. */
    int (*register_memory)(struct proi_backend *backend, void *memory, size_t size);
    uint64_t (*now)(struct proi_backend *backend);          /* [any thread] */
    uint64_t (*system_calls)(struct proi_backend *backend); /* made so far by submit, move_now, cancel and wait */
};

/* An instance begins with this. */
struct proi_backend {
    const struct proi_backend_type *type;
};

/* The backends of this system, best first, "sim" last; ends with NULL. (platform/<system>/backends.c) */
extern const struct proi_backend_type *const proi_backends[];

#endif
