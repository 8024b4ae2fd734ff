/* SPDX-License-Identifier: MIT */
/* The operation: one thing the kernel is asked to do, embedded where the caller likes, and the ways to wait for it.
   The verbs that fill one are in timer.h, net.h and file.h; awaiting one is in async.h. */
#ifndef PROACT_OP_H
#define PROACT_OP_H

#include <proact/cancellation.h>

PRO_BEGIN_DECLS

struct pro_loop;
struct pro_handle;
struct pro_op;
struct proi_limit;

/* How long, and until when asked to stop. Zero is "for ever". A timeout counts from the call of the verb; of
   timeout and deadline the earlier holds. */
struct pro_how {
    int64_t timeout_ns;   /* > 0: that long; 0: no timeout; negative: PRO_E_INVALID */
    uint64_t deadline_ns; /* a moment of pro_now(), or of pro_loop_now() on the simulated kernel; 0: none */
    struct pro_cancellation_token token;
};
/* PRO_HOW_DEFAULT: for ever. PRO_AT_ONCE: a deadline that has passed, C#'s timeout of 0: what is not there already ends with PRO_E_TIMEOUT.
   PRO_WITHIN(ns): C#'s timeout: that long, 0: at once, PRO_INFINITE: for ever; anything below is PRO_E_INVALID where it is used. To add a
   token, set the member. */
#define PRO_HOW_DEFAULT pro_how_default_
#define PRO_AT_ONCE     pro_how_at_once_
/* Constants in memory: one that is made on the stack is copied from there, before its stores have arrived. */
static const struct pro_how pro_how_default_ = { 0, 0, { NULL } };
static const struct pro_how pro_how_at_once_ = { 0, 1, { NULL } };
#define PRO_WITHIN(ns) pro_within_(ns)
static inline struct pro_how pro_within_(int64_t ns)
{
    struct pro_how how = PRO_HOW_DEFAULT;

    if (ns == 0)
        how = PRO_AT_ONCE;
    else if (ns != PRO_INFINITE)
        how.timeout_ns = ns;
    return how;
}

enum pro_op_state {
    PRO_OP_IDLE,   /* the caller's: fill it, free it, move it                                      */
    PRO_OP_READY,  /* filled by a verb; nobody knows it yet, still the caller's                    */
    PRO_OP_QUEUED, /* has a waiter; on its way to the kernel                                       */
    PRO_OP_KERNEL, /* the kernel owns op and buffer                                                */
    PRO_OP_DONE    /* the result is in; delivery comes                                             */
};

enum pro_op_kind {
    PRO_OP_NONE,
    PRO_OP_NOP,
    PRO_OP_SLEEP,
    PRO_OP_ACCEPT,
    PRO_OP_CONNECT,
    PRO_OP_RECV,
    PRO_OP_SEND,
    PRO_OP_SEND_ALL,
    PRO_OP_SHUTDOWN,
    PRO_OP_CLOSE,
    PRO_OP_FILE_OPEN,
    PRO_OP_READ_AT,
    PRO_OP_WRITE_AT,
    PRO_OP_FILE_SYNC,
    PRO_OP_RECV_LEASE,
    PRO_OP_KIND_COUNT
};

/* Called when the op is delivered, on its loop's thread with the loop's context current (on the default background
   loop: on the pool). The op is idle again and the caller's: it may be reused, or its memory freed, inside. */
typedef void pro_op_fn(struct pro_op *op);

/* Private: what waits in a loop's timer wheel; a sleep's own, or that of an operation's limit. */
struct pro_timer_ {
    struct pro_timer_ *next, *previous; /* of the wheel's slot              */
    uint16_t slot;                      /* where in the wheel, 0: not armed */
    bool of_limit;
    uint64_t moment_ns;
};

#ifdef _WIN32
enum { PRO_OP_SCRATCH_ = 6 }; /* an OVERLAPPED must lie in the op */
#else
enum { PRO_OP_SCRATCH_ = 2 };
#endif
#if defined(__GNUC__) && defined(__cplusplus)
#define PRO_ANONYMOUS_ __extension__ /* C has structures without a name, C++ as an extension */
#else
#define PRO_ANONYMOUS_
#endif

/* The op. Zeroed memory is an idle op. It must stay in place from the call that starts it until its delivery. The
   members lie in order of use: a sleep is cancelled in the first 64 bytes, every other op lives in the first 128. */
struct pro_op {
    int64_t result; /* after delivery: >= 0 a count or PRO_OK, < 0 an enum pro_err                         */
    int native;     /* the system's own error number when result < 0, else 0                               */

    /* Private from here, but for transferred and user: the loop's, and while state is PRO_OP_KERNEL the backend's. */
    unsigned char kind, state; /* enum pro_op_kind, enum pro_op_state                                      */
    unsigned char why;         /* enum proi_why: who asked it to end early, first one wins                 */
    unsigned char place;       /* the backend's: where it is between submit and delivery                   */
    uint16_t flags;            /* enum proi_op_flag                                                        */
    uint16_t generation;       /* counts deliveries; travels through the kernel with the op                */
    uint32_t handle_generation;
    struct pro_loop *loop;
    struct pro_op *next; /* submission, done or cross-thread queue                                         */
    union {
        PRO_ANONYMOUS_ struct {
            struct pro_op *handle_next, *handle_previous; /* the handle's pending ops                      */
            void *buffer;
            size_t length;
            uint64_t offset; /* a file's place, an accept's loop                                           */
        };
        struct pro_timer_ timer; /* a sleep's                                                              */
    };
    uint64_t backend[PRO_OP_SCRATCH_]; /* the backend's scratch                                            */
    size_t transferred; /* after delivery: bytes moved, on failure too: "cancelled after 3.9 MB were sent" */
    void (*done)(struct pro_op *op); /* the waiter: a pro_op_fn, or the awaiter's                          */
    void *waiter;
    struct pro_handle *handle;

    uint64_t deadline_ns;                       /* valid with a flag                                       */
    union {                                     /* which one, a flag tells                                 */
        struct pro_cancellation_source *source; /* of the caller's token, until it is submitted            */
        struct proi_limit *limit;               /* then what listens to it, and keeps the deadline         */
    };
    void *user; /* the caller's; the library never touches it                                              */
};

/* Stores @done, then submits. Takes the op until delivery; lends its buffer to the kernel. Never calls @done before it
   returns. When it answers anything but PRO_OK nothing was started and @done is not called: PRO_E_STATE or
   PRO_E_INVALID (misuse) for an op that no verb has just filled, PRO_E_LOOP_CLOSED when there is no loop left that
   could deliver. An op that a verb has failed for want of a handle is delivered by the thread's loop, else by the
   background one: on the pool. [any thread; on another thread than the loop's the op is handed over] */
PRO_API int pro_then(struct pro_op *op, pro_op_fn *done);

/* Submits now, to be awaited later on its loop. [loop] */
PRO_API struct pro_op *pro_start(struct pro_op *op);

/* Asks a pending op to end early, with PRO_E_CANCELED unless its success comes first. It is delivered in any case,
   exactly once, later. PRO_E_STATE: it is not pending. [loop]: the thread that has run the loop; from elsewhere, and
   before the loop's first turn, cancel through a token (PRO_E_WRONG_LOOP, misuse). */
PRO_API int pro_op_cancel(struct pro_op *op);

/* Completes after one trip through the kernel (or the backend's cheapest equivalent), for measurements and tests. @loop
   NULL: as pro_sleep(). [any thread] */
PRO_API struct pro_op *pro_nop(struct pro_op *op, struct pro_loop *loop, struct pro_how how);

/* Gives the error of a delivered op that failed, as a sentence with what is known: the system's own words, or which two
   loops met. NULL: it did not fail. Gives one reference; borrows the op. [one thread at a time] */
PRO_API struct pro_error *pro_op_error(const struct pro_op *op, struct pro_site site) PRO_NODISCARD;

/* Static texts; "unknown" for other numbers. [any thread] */
PRO_API const char *pro_op_kind_name(int kind);   /* "recv"  */
PRO_API const char *pro_op_state_name(int state); /* "kernel" */

PRO_END_DECLS

#endif
