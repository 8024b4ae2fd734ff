/* SPDX-License-Identifier: MIT */
/* What crosses files inside proactor/: the loop's structure, and who may touch which part of it. */
#ifndef PROACT_PROACTOR_INTERNAL_H
#define PROACT_PROACTOR_INTERNAL_H

#include "backend.h"

/* Who asked a pending op to end early; the first one wins and names the result. */
enum proi_why { PROI_WHY_NONE, PROI_WHY_CANCELED, PROI_WHY_TIMEOUT, PROI_WHY_CLOSED, PROI_WHY_LOOP_CLOSED };

enum proi_op_flag {
    PROI_OP_FAILED = 1,  /* a verb found it cannot be: op->result is the answer, the kernel never sees it */
    PROI_OP_USER = 2,    /* the waiter is a pro_op_fn: runs with the loop's context current              */
    PROI_OP_STARTED = 4, /* pro_start(): nobody waits yet                                                */
    PROI_OP_PARKED = 8,  /* started and over, and still nobody waits                                     */
    PROI_OP_LINKED = 16, /* in handle->ops, or in loop->own.loose when it has no handle; a sleep is only in the wheel */
    PROI_OP_LIMITED = 32,  /* op->limit is its limit                                                         */
    PROI_OP_STARVED = 64,  /* a leased receive that waits for a buffer: in the loop's line                   */
    PROI_OP_TOKEN = 128,   /* and not LIMITED: op->source is that of the caller's token                      */
    PROI_OP_DEADLINE = 256, /* op->deadline_ns is one; of a sleep: and it is what ends it                    */
    PROI_OP_SERVED = 512    /* a leased receive that has waited its turn: need not stand behind others       */
};

/* ---- the timer wheel (timer.c) ---- */
/* Level 0 has many slots, so that what is due within 67 ms is never handed down; each higher one has as many as a word
 * has bits. */
enum {
    PROI_TICK_BITS = 17,
    PROI_WHEEL_LEVELS = 8,
    PROI_WHEEL_FIRST_BITS = 9, /* of level 0 */
    PROI_WHEEL_BITS = 6,       /* of the others */
    PROI_WHEEL_WORDS = (1 << PROI_WHEEL_FIRST_BITS) / 64 + PROI_WHEEL_LEVELS - 1,
    PROI_WHEEL_SLOTS = PROI_WHEEL_WORDS * 64 /* of all levels, one level after the other */
};
struct proi_wheel {
    uint64_t tick;                       /* all before it has fired */
    uint64_t occupied[PROI_WHEEL_WORDS]; /* a bit per slot */
    uint64_t unsorted[1 << (PROI_WHEEL_FIRST_BITS - 6)]; /* of level 0: some timer lies before an earlier one */
    struct pro_timer_ *slots[PROI_WHEEL_SLOTS];     /* doubly linked, the last one's next is NULL; tails below */
    struct pro_timer_ *tails[PROI_WHEEL_SLOTS];
    size_t armed;
};
void proi_wheel_init(struct proi_wheel *wheel, uint64_t now_ns);
/* Of an empty wheel only: what is armed now is then not measured from where the last timer left it, levels away. */
static inline void proi_wheel_move(struct proi_wheel *wheel, uint64_t now_ns)
{
    wheel->tick = now_ns >> PROI_TICK_BITS;
}
struct pro_op *proi_limit_op(struct pro_timer_ *timer); /* whose limit it is */
static inline struct pro_op *proi_timer_op(struct pro_timer_ *timer)
{
    return timer->of_limit ? proi_limit_op(timer) : PRO_CONTAINER(timer, struct pro_op, timer);
}
static inline uint64_t proi_timer_moment(const struct pro_timer_ *timer) { return timer->moment_ns; }
/* Arms @timer for its moment. */
void proi_wheel_arm(struct proi_wheel *wheel, struct pro_timer_ *timer);
void proi_wheel_disarm(struct proi_wheel *wheel, struct pro_timer_ *timer); /* nothing, if it is not armed */
/* Takes out the timers whose moment is <= @now_ns, the first @most of them in order of moment, then of arming; linked
   through next. When it gives as many as that there may be more. @most > 0. */
struct pro_timer_ *proi_wheel_expire(struct proi_wheel *wheel, uint64_t now_ns, size_t most);
/* When expire should next be called; UINT64_MAX: nothing is armed. Never later than the earliest deadline. */
uint64_t proi_wheel_next(struct proi_wheel *wheel);
/* @visit may disarm the timer of the op it is given, no other. */
void proi_wheel_for_each(struct proi_wheel *wheel, void (*visit)(struct pro_op *op));

struct proi_token_node;

/* A type-stable block: a stale pointer can always be asked for its generation. */
struct pro_loop {
    uint32_t visitors; /* shared: other threads that use the backend now; outlives the loop, never cleared */
    uint32_t open;     /* shared: 1 from new to free; a block is reused only long after */
    uint32_t closing;  /* shared: refuses new operations */
    uint32_t id;       /* never reused */
    bool strict, background;
    char name[32];
    char reason[240];
    const struct proi_backend_type *type;
    struct proi_backend *backend;
    void *context;                    /* the loop's SynchronizationContext: sync_context/loop_context.c */
    unsigned lease_bytes, lease_most; /* of pro_loop_options */

    char before[64];                 /* a cache line: senders read what is above it */
    struct {                         /* [loop] only */
        struct proi_op_queue ready;  /* have a waiter, not yet with the backend */
        struct proi_op_queue done;   /* to be delivered */
        struct proi_op_queue struck; /* likewise, before all others: sleeps whose moment has come */
        struct proi_op_queue moved;  /* likewise, before done: over at once on an eager handle */
        struct proi_op_queue line;   /* leased receives that wait for a buffer */
        unsigned moves;              /* how many more may be tried at once before done has its turn */
        struct proi_wheel *wheel;
        uint64_t struck_until_ns; /* the clock when timers were last struck */
        struct proi_token_table *tokens;        /* sources that pending ops listen to; NULL until the first */
        struct pro_op *loose;                   /* pending ops that have no handle, sleeps apart */
        struct proi_lease_pool *leases;         /* buffers of leased receives; NULL until the first */
        struct pro_work *work_head, *work_tail; /* posted here, and taken from the inbox; in order */
        size_t pending;                         /* ops between submission and delivery */
        intptr_t captured; /* continuations; may go below 0, only the sum with shared.captured counts */
        unsigned depth;    /* nested runs */
        bool bound;
        bool starving; /* there is a line, and perhaps a buffer: proi_lease_serve() */
        struct pro_loop_stats stats;
    } own;

    char apart[64];            /* the loop writes before it, senders after it */
    struct {                   /* any thread */
        uint64_t thread;       /* proi_thread_id() of the runner, 0: none yet */
        uint32_t asleep;       /* 1 while in, or on the way into, backend->wait */
        uint32_t poked;        /* take one turn more: something changed that is in no inbox */
        uint32_t stop;         /* asks the innermost run to return */
        struct pro_op *ops;    /* inbox: ops handed over; a stack, newest first */
        struct pro_work *work; /* inbox: posted items; a stack, newest first */
        intptr_t captured;     /* continuations captured on other threads */
        bool blocked;          /* under lock: the loop's thread is inside a blocking wait */
    } shared;

    struct proi_mutex lock; /* guards handle_count, and which handles are the loop's: enum proi_handle_state */
    size_t handle_count;
    struct pro_loop *next; /* the list of open, or of closed, loops: under their lock */
};

/* ---- loop.c, loop_new.c, registry.c ---- */
extern PROI_THREAD_LOCAL struct pro_loop *proi_running_loop; /* what pro_loop_current() gives */
/* Queues @work on this thread's own loop. */
static inline void proi_loop_append(struct pro_loop *loop, struct pro_work *work)
{
    work->next = NULL;
    if (loop->own.work_tail)
        loop->own.work_tail->next = work;
    else
        loop->own.work_head = work;
    loop->own.work_tail = work;
}
struct pro_loop *proi_loop_register(void);     /* a zeroed block with an id, or NULL */
void proi_loop_publish(struct pro_loop *loop); /* it is complete: from now on it is open */
void proi_loop_unregister(struct pro_loop *loop);
bool proi_loop_id_is_open(uint32_t id);
bool proi_loop_here_has_context(const void *context);  /* is it that of a loop of this thread? It may be gone. */
bool proi_loop_usable(const struct pro_loop *loop);    /* open, and not closing */
bool proi_loop_on_thread(const struct pro_loop *loop); /* is this the thread that runs it? */
struct pro_loop *
proi_loop_or_default(struct pro_loop *loop); /* NULL: the thread's, else the background one, else NULL */
void proi_loop_wake(struct pro_loop *loop);
void proi_loop_poke_raw(struct pro_loop *loop); /* wakes for what is in no inbox: it looks again. [any thread] */
/* Around what another thread asks of the backend: pro_loop_free() does not close it meanwhile. False: it is closing or
   closed; then nothing is to be done afterwards. [any thread] */
bool proi_loop_visit(struct pro_loop *loop);
void proi_loop_depart(struct pro_loop *loop);
/* PRO_E_LOOP_CLOSED: not taken. [any thread] */
int proi_loop_hand_over(struct pro_loop *loop, struct pro_op *op);
bool proi_loop_take_stop(struct pro_loop *loop); /* [loop] was pro_loop_stop() called? */
int proi_loop_post_raw(struct pro_loop *loop, struct pro_work *work);
void proi_loop_set_blocked(struct pro_loop *loop, bool blocked);
uint64_t proi_loop_clock(struct pro_loop *loop);

/* ---- op.c: the only place where op->state changes ---- */
void proi_op_fail(struct pro_op *op, int code); /* the first failure stays */

void proi_op_enqueue(struct pro_op *op);          /* [loop] READY or handed over → QUEUED, or DONE */
void proi_op_to_kernel(struct pro_op *op);        /* [loop] QUEUED → KERNEL, or DONE */
void proi_op_returned(struct pro_op *op);         /* [loop] KERNEL → DONE, or → QUEUED for the rest of a SEND_ALL */
void proi_op_deliver(struct pro_op *op);          /* [loop] DONE → IDLE, then the waiter */
void proi_op_refuse(struct pro_op *op, int code); /* handed over too late: delivers the code at once */
void proi_op_end_early(struct pro_op *op, enum proi_why why);  /* [loop] */
void proi_op_arm(struct pro_op *op, struct pro_timer_ *timer); /* [loop] @timer, its own or its limit's */
void proi_op_strike(struct pro_op *op);                        /* [loop] its moment has come */

/* As pro_then(), for a waiter of the library: @done is called at delivery with no context current. */
int proi_op_submit(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter, unsigned flags);
/* The same for an op that a verb has just filled, without a failure, for the loop that this thread runs. */
void proi_op_submit_here(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter);
/* For awaiters, on the loop's thread: is it over, with its result in, and nobody was told? */
bool proi_op_answered(const struct pro_op *op);
void proi_op_reclaim(struct pro_op *op); /* such an op → IDLE */

/* ---- handle.c ---- */
/* Handles are made many at a time: none has an allocator's header, and each is a cache line. Never freed. */
enum { PROI_SLAB_ALIGN = 64, PROI_SLAB_HANDLES = 64 };
struct proi_handle_slab {
    struct proi_handle_slab *next;
    struct pro_handle *handles; /* where the first cache line of the room begins */
    char room[PROI_SLAB_HANDLES * sizeof(struct pro_handle) + PROI_SLAB_ALIGN - 1];
};
/* Opens a handle for @native on @loop; on failure the native is released. [any thread] */
int proi_handle_open(struct pro_loop *loop, enum proi_handle_kind kind, intptr_t native, enum pro_family family,
                     enum pro_op_kind via, struct pro_handle **ret_handle);
void proi_handle_forget(struct pro_handle *handle); /* [loop] after its native was closed */
/* Visits the handles of a closing loop: no more can be opened on it. @visit may forget the one it is given. [loop] */
void proi_handle_for_each(struct pro_loop *loop, void (*visit)(struct pro_handle *handle));
void proi_handle_release_all(struct pro_loop *loop); /* [loop] closes what is open, at once */
struct proi_handle_view {
    struct pro_loop *loop;
    enum proi_handle_kind kind;
};
/* PRO_OK and *@ret_view, or why the value cannot be used. [any thread] */
int proi_handle_look(const struct pro_handle *handle, uint32_t generation, uint32_t loop_id,
                     struct proi_handle_view *ret_view);
int proi_handle_check(const struct pro_handle *handle, uint32_t generation, uint32_t loop_id);

/* ---- lease.c: the buffers of leased receives; what backends call is in backend.h ---- */
enum { PROI_LEASE_CHUNK = 16 }; /* buffers */
#define PROI_LEASE_POOLED (UINT32_C(1) << 31)
struct proi_lease_buffer {
    struct pro_work work; /* carries it home from another thread; its link is also the free list's */
    struct proi_lease_chunk *chunk;
    char *data;
    uint32_t lending; /* shared: odd while lent */
    uint32_t number;  /* in the pool */
};

struct proi_lease_chunk {
    uint32_t references; /* shared: PROI_LEASE_POOLED, less those that were returned to no loop; then what is lent */
    uint32_t lent;       /* [loop] buffers that have not come home */
    uint32_t loop_id;
    struct pro_loop *loop; /* both stand still while a buffer is lent */
    char *memory;
    struct proi_lease_buffer buffers[PROI_LEASE_CHUNK];
};
/* Keeps what pro_loop_options say. PRO_E_INVALID: not within bounds. */
int proi_lease_configure(struct pro_loop *loop, const struct pro_loop_options *options);
/* [loop] @op has found no buffer, or others were there before it: it stands in line. */
void proi_lease_wait(struct pro_op *op);
void proi_lease_leave(struct pro_op *op);         /* [loop] out of the line, ready */
void proi_lease_serve(struct pro_loop *loop);     /* [loop] lets as many go on as there are buffers */
void proi_lease_pool_free(struct pro_loop *loop); /* what is lent stays until it is returned */
void proi_lease_count(const struct pro_loop *loop, struct pro_loop_stats *stats); /* [loop] */

/* ---- limit.c: a deadline and a token, of the few ops that have them ---- */
struct proi_limit {
    struct pro_timer_ timer; /* the deadline; a sleep has its own */
    struct pro_op *op;
    struct proi_token_node *node;       /* this loop's node of the token; NULL: none, or it has spoken */
    struct proi_limit *next, *previous; /* the node's */
};
/* [loop] Gives @op, just submitted, its limit. PRO_OK; PRO_E_CANCELED: its token has spoken already; PRO_E_NO_MEMORY. */
int proi_limit_open(struct pro_op *op);
void proi_limit_close(struct pro_op *op); /* [loop] nothing may end it early any more */

/* ---- token.c: the tokens of pending ops ---- */
int proi_token_attach(struct proi_limit *limit, struct pro_cancellation_source *source); /* [loop] as proi_limit_open() */
void proi_token_detach(struct proi_limit *limit);                                        /* [loop] */
void proi_token_table_free(struct pro_loop *loop);

/* ---- what the loop needs of the layer above; implemented by sync_context/loop_context.c ---- */
int proi_loop_context_open(struct pro_loop *loop);
void proi_loop_context_close(struct pro_loop *loop);
/* Makes the loop's context current, and restores. */
void *proi_loop_context_enter(struct pro_loop *loop);
void proi_loop_context_leave(struct pro_loop *loop, void *previous);
/* Runs a queued item with it current. */
void proi_loop_context_run(struct pro_loop *loop, struct pro_work *work);
/* The background loop delivers nothing itself: runs waiter(op), later, on the pool. */
void proi_loop_context_offload(struct pro_work *work);

#endif
