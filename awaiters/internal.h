/* SPDX-License-Identifier: MIT */
/* What crosses files inside awaiters/: the task's structure, completing it, continuations. */
#ifndef PROACT_AWAITERS_INTERNAL_H
#define PROACT_AWAITERS_INTERNAL_H

#include <sync_context/internal.h>

#include <proact/stream.h>

#include <string.h>

/* ---- the task ---- */
/* Above the status in the state word. */
enum proi_task_flag {
    PROI_TASK_STATUS = 7,              /* enum pro_task_status */
    PROI_TASK_RESERVED = 8,            /* one thread is completing it (SEM-006) */
    PROI_TASK_ASYNC = 16,              /* continuations must not run inside the completion */
    PROI_TASK_OBSERVED = 32,           /* somebody looked at the error */
    PROI_TASK_TAKEN = 64,              /* the result, which has an owner function, was moved out */
    PROI_TASK_HIDES = 128,             /* delegate task: hides its scheduler */
    PROI_TASK_STARTED = 256,           /* delegate task: somebody has begun to run it */
    PROI_TASK_QUEUED = 512,            /* delegate task: somebody has queued it */
    PROI_TASK_LISTED = 2048,           /* in the list of faulted tasks */
    PROI_TASK_DENIES = 1024,           /* delegate task: nothing attaches to it */
    PROI_TASK_TRACED = 4096,           /* its begin was told: the completer tells the end (trace.c) */
    PROI_TASK_SCHEDULED = 8192,        /* that it was scheduled was told */
    PROI_TASK_OWNED = PRO_TASK_OWNED_, /* its result has an owner function: drop */
    PROI_TASK_MARKED = 32768,          /* what only reports read was written: the last unref clears it */
    PROI_TASK_DESTROYS = 65536,        /* its class has a destroy */
    PROI_TASK_FREED = 131072           /* alone: no task; the block waits for its next life */
};

/* The continuation slot: 0, a continuation, and these bits. */
#define PROI_SLOT_COMPLETED ((uintptr_t)1) /* alone: nothing can be added any more */
#define PROI_SLOT_MANY      ((uintptr_t)2) /* more of them in the list, under the lock */

struct proi_task_class {
    const char *name;                       /* "async method", "delegate", … for reports */
    void (*destroy)(struct pro_task *task); /* NULL: nothing of its own to free */
    /* Calls @visit for each task that this one cannot complete without. True: it needs all of them, false: any one.
     * NULL: none; else it has a destroy, too. May be called by a report on another thread, until destroy is: the words
     * that lead to the members are shared, and cleared before the reference they stand for is dropped, if that is
     * before destroy. */
    bool (*needs)(const struct pro_task *task, void (*visit)(struct pro_task *needed, void *arg), void *arg);
    /* What it was made with (SEM-019); NULL: nothing, and PRO_TASK_DEFAULT. */
    void *(*async_state)(const struct pro_task *task);
    unsigned (*options)(const struct pro_task *task);
    /* Delegate tasks: runs the body here if the scheduler lets it (SEM-142). PRO_E_BUSY: it does not; PRO_E_SCHEDULER:
     * it says it has, and has not (SEM-149). */
    int (*try_inline)(struct pro_task *task);
};

/* A type-stable block, and every life in it is a task's; its header stays readable after the task is freed. What a
   report reads from another thread is marked [read] and written by relaxed atomics only. A new life finds what is
   marked [clean] zero: who writes it sees to it that the last unref clears it (MARKED, OWNED, or a status that is no
   success). */
struct pro_task {
    /* the first cache line: what a call that does not wait touches */
    union {
        struct {
            uint32_t references; /* shared; 0: immortal */
            uint32_t state;      /* [read] shared: status and flags */
        };
        uint64_t references_and_state; /* stored as one when a life begins */
    };
    union {
        struct {
            struct pro_type type; /* of the result */
            uint32_t result_offset, block_class;
        };
        struct pro_method_head_ method; /* the same, as async.h knows it */
    };
    const struct pro_site *where; /* [read] static: a method's body; NULL: it has not begun, or there is none */
    const void *kind;             /* [read] static: proi_task_class(), proi_task_created() */
    uintptr_t slot;               /* shared; COMPLETED when it is freed */
    uint32_t generation;          /* [read] a new number when the block is freed */
    uint32_t id;                  /* [clean] shared; 0: nobody has asked */
    uintptr_t error;              /* [clean] shared: proi_task_error(); a method stores it while it leaves */
    /* the second: what few touch */
    struct pro_task *next_faulted;     /* with LISTED: under the list's lock (task.c); then the free block's link */
    struct pro_task *previous_faulted; /* the same */
    struct pro_continuation *more;     /* [clean] under the slot's lock: the last of a ring; NULL: none */
    const char *name;                  /* [read] [clean] */
    union {
        void (*drop)(void *result);            /* [clean] with OWNED */
        struct pro_sync_context *void_context; /* [clean] of async void, whose result nobody has: that of the call */
        void *source_state;                    /* [clean] of a completion source's task, which owns no result */
    };
    /* and what an await touches, like the frame that comes next. [read] [clean]; 0: it runs, or is no async method */
    uintptr_t awaits; /* the task, or the loop: proi_awaited_task(), proi_awaited_loop() */
    uintptr_t awaits_context;
    uint32_t awaits_line; /* proi_task_line() */
};
_Static_assert(sizeof(struct pro_task) == PRO_TASK_SIZE_ && sizeof(struct pro_task) == PROI_TASK_CLEARED,
               "async.h and platform.h know the size");
_Static_assert(offsetof(struct pro_task, next_faulted) == PROI_TASK_LINK, "platform.h knows where the link lies");
_Static_assert(offsetof(struct pro_task, references) == offsetof(struct pro_task_head_, references) &&
                   offsetof(struct pro_task, state) == offsetof(struct pro_task_head_, state) &&
                   offsetof(struct pro_task, method) == offsetof(struct pro_task_head_, method) &&
                   offsetof(struct pro_task, where) == offsetof(struct pro_task_head_, where),
               "the head is what async.h takes it for");

/* A needs that visits nobody, and needs any one: so no wait is told to be hopeless. (delay.c) */
bool proi_needs_nobody(const struct pro_task *task, void (*visit)(struct pro_task *needed, void *arg), void *arg);

static inline enum pro_task_status proi_status_of(uint32_t state)
{
    return (enum pro_task_status)(state & PROI_TASK_STATUS);
}
static inline bool proi_state_is_final(uint32_t state)
{
    return (state & PROI_TASK_STATUS) >= PRO_TASK_RAN_TO_COMPLETION;
}

/* ---- task.c ---- */
/* Gives a task with one reference, @body_size zeroed bytes behind it and room for a result of @type; NULL: no memory.
 */
struct pro_task *proi_task_new(const struct proi_task_class *class, size_t body_size, struct pro_type type,
                               enum pro_task_status status);
/* With this and its kind, and what is [clean], a life begins. The slot is as the last one left it. */
PROI_INLINE void proi_task_begin(struct pro_task *task, uint32_t state)
{
    const struct {
        uint32_t references, state;
    } begin = { 1, state };
    uint64_t word;

    memcpy(&word, &begin, sizeof word);
    proi_store(&task->references_and_state, word, PROI_RELEASE); /* after its last life's generation: give_block() */
}
/* The class of an async method. */
extern const struct proi_task_class proi_method_class;
/* One word for both: of an async method where it was called, with the lowest bit set, else the class. Nothing else says
   where it was made. */
#define PROI_KIND_METHOD ((uintptr_t)1)
static inline const void *proi_kind_of_method(const struct pro_site *created)
{
    return (const char *)created + PROI_KIND_METHOD;
}
static inline const struct proi_task_class *proi_class_of_kind(const void *kind)
{
    return (uintptr_t)kind & PROI_KIND_METHOD ? &proi_method_class : kind;
}
static inline const struct proi_task_class *proi_task_class(const struct pro_task *task)
{
    return proi_class_of_kind(proi_load(&task->kind, PROI_ACQUIRE));
}
/* NULL: unknown. */
static inline const struct pro_site *proi_task_created(const struct pro_task *task)
{
    const char *const kind = proi_load(&task->kind, PROI_RELAXED);

    return (uintptr_t)kind & PROI_KIND_METHOD ? (const struct pro_site *)(const void *)(kind - PROI_KIND_METHOD) : NULL;
}
/* What a life of the same method finds in place. The block may be under a report's eyes: what it reads is stored one by
   one. */
static inline void proi_task_set_kind(struct pro_task *task, const struct pro_method_head_ *method, const void *kind)
{
    memcpy(&task->method, method, sizeof task->method);
    proi_store(&task->where, NULL, PROI_RELAXED);
    proi_store(&task->kind, kind, PROI_RELEASE); /* with it a report finds the body cleared: needs */
}
/* What it waits for, as reports find it. */
#define PROI_AWAITS_LOOP ((uintptr_t)1)
static inline uintptr_t proi_awaits_loop(const struct pro_loop *loop)
{
    return loop ? (uintptr_t)loop | PROI_AWAITS_LOOP : 0;
}
static inline struct pro_task *proi_awaited_task(uintptr_t awaits)
{
    return awaits & PROI_AWAITS_LOOP ? NULL : (struct pro_task *)awaits;
}
static inline const struct pro_loop *proi_awaited_loop(uintptr_t awaits)
{
    return awaits & PROI_AWAITS_LOOP ? (const struct pro_loop *)(awaits - PROI_AWAITS_LOOP) : NULL;
}
/* The word has one reference: to the first error, or, with this bit, to the aggregate, which has one to the first. So
   who was given the first, and has no reference, is safe when an aggregate takes its place. */
#define PROI_ERROR_AGGREGATE ((uintptr_t)1)
static inline struct pro_error *proi_error_of_word(uintptr_t word)
{
    return (struct pro_error *)(word & ~PROI_ERROR_AGGREGATE);
}
/* Why it failed, the first of several; borrowed. After its completion, or by who completes it. */
static inline struct pro_error *proi_task_error(const struct pro_task *task)
{
    const uintptr_t word = proi_load(&task->error, PROI_ACQUIRE);
    struct pro_error *const error = proi_error_of_word(word), *const first = word & PROI_ERROR_AGGREGATE
                                                                                 ? pro_error_inner(error, 0)
                                                                                 : NULL;

    return first ? first : error;
}
/* Takes @error, NULL: there is none. By who completes it, before that is published. */
static inline void proi_task_set_error(struct pro_task *task, struct pro_error *error)
{
    proi_store(&task->error, (uintptr_t)error, PROI_RELAXED);
}
static inline void *proi_task_body(struct pro_task *task) { return task + 1; }
static inline struct pro_task *proi_task_of_body(void *body) { return (struct pro_task *)body - 1; }
/* Was it freed? Best effort: the block may be another task by now. Told as a misuse of @who. */
bool proi_task_is_stale_slowly(const struct pro_task *task, const char *who);
static inline bool proi_task_is_stale(const struct pro_task *task, const char *who)
{
    return PROI_UNLIKELY(proi_load(&task->state, PROI_RELAXED) == PROI_TASK_FREED) &&
           proi_task_is_stale_slowly(task, who);
}
/* The line where it waits; 0: nowhere. For reports. */
static inline uint32_t proi_task_line(const struct pro_task *task)
{
    return proi_load(&task->awaits_line, PROI_RELAXED) & PRO_PC_LINE_;
}
/* What becomes of its result when nobody takes it; NULL: nothing. Before it is completed. */
static inline void proi_task_own(struct pro_task *task, void (*drop)(void *result))
{
    task->drop = drop;
    if (drop)
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_OWNED, PROI_RELAXED);
    else if (PROI_UNLIKELY(proi_load(&task->state, PROI_RELAXED) & PROI_TASK_OWNED))
        proi_fetch_and(&task->state, ~(uint32_t)PROI_TASK_OWNED, PROI_RELAXED);
}
/* What is written from now on only for reports: to be cleared by the last unref. */
static inline void proi_task_mark(struct pro_task *task)
{
    if (!(proi_load(&task->state, PROI_RELAXED) & PROI_TASK_MARKED))
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_MARKED, PROI_RELAXED);
}
/* NULL: its result has no owner function. */
typedef void proi_drop_fn(void *result);
static inline proi_drop_fn *proi_task_drop(const struct pro_task *task)
{
    return proi_load(&task->state, PROI_RELAXED) & PROI_TASK_OWNED ? task->drop : NULL;
}
static inline void *proi_task_result_at(struct pro_task *task) { return (char *)task + task->result_offset; }

/* For who has no reference, but is waited for before the task's memory goes: a callback that destroy unregisters.
   False: it is going. True: from now on it is held, or it is going all the same, and what was counted changes nothing.
 */
bool proi_task_try_ref(struct pro_task *task);
bool proi_task_reserve(struct pro_task *task); /* true for exactly one caller (SEM-006) */
/* After reserve and after result or error were stored. The caller has a reference. Runs continuations. */
void proi_task_publish(struct pro_task *task, enum pro_task_status status);
/* The same for a task that no other thread can know yet. */
void proi_task_publish_private(struct pro_task *task, enum pro_task_status status);
/* After reserve: ends it with @error (taken): PRO_E_CANCELED cancels when @cancels, else it is a fault (SEM-176). */
void proi_task_fail(struct pro_task *task, struct pro_error *error, bool cancels);
void proi_task_fail_many(struct pro_task *task,
                         struct pro_error *aggregate); /* takes; the first inner one is what await gives */
void proi_task_observe(struct pro_task *task);
/* Copies the outcome of the completed @from to the reserved @to, and publishes. */
void proi_task_follow(struct pro_task *to, struct pro_task *from);
bool proi_type_fits(struct pro_type have, struct pro_type want);
/* As get_result of the awaiter: the task is complete. */
int proi_task_take(struct pro_task *task, void *ret_result, struct pro_type type, struct pro_error **ret_error);

/* ---- continuation.c ---- */
enum proi_continuation_kind {
    PROI_CONTINUATION_AWAIT,    /* the rest of a method: the predicate decides where it runs         */
    PROI_CONTINUATION_ACTION,   /* of the library: inline when permitted, else on the pool (SEM-065) */
    PROI_CONTINUATION_THEN,     /* ContinueWith: queued in the first pass (SEM-061)                  */
    PROI_CONTINUATION_THEN_NOW, /* with ExecuteSynchronously: run in the second                    */
    PROI_CONTINUATION_WAITER    /* a blocked thread: woken directly (SEM-064)                        */
};
enum proi_continuation_flag {
    PROI_CONTINUATION_HELD = 1,     /* what was captured is held, and a context was told */
    PROI_CONTINUATION_SCHEDULER = 2 /* what was captured is a scheduler */
};
static inline struct pro_sync_context *proi_continuation_context(const struct pro_continuation *continuation)
{
    return continuation->flags & PROI_CONTINUATION_SCHEDULER ? NULL : continuation->captured;
}
static inline struct pro_task_scheduler *proi_continuation_scheduler(const struct pro_continuation *continuation)
{
    return continuation->flags & PROI_CONTINUATION_SCHEDULER ? continuation->captured : NULL;
}
/* In the list of a task: the link is that of the queues, where it goes when it has left the list. */
_Static_assert(offsetof(struct pro_continuation, work) == 0, "a link leads to the continuation");
static inline struct pro_continuation *proi_continuation_next(const struct pro_continuation *continuation)
{
    return (struct pro_continuation *)(void *)continuation->work.next;
}
static inline void proi_continuation_link(struct pro_continuation *continuation, struct pro_continuation *next)
{
    continuation->work.next = next ? &next->work : NULL;
}

void proi_continuation_make(struct pro_continuation *continuation, void (*invoke)(struct pro_continuation *),
                            enum proi_continuation_kind kind);
/* Gives back the captured context or scheduler of one that was refused. */
void proi_continuation_let_go(struct pro_continuation *continuation);
/* False: the task is complete, the caller schedules by itself (SEM-017). */
bool proi_task_add(struct pro_task *task, struct pro_continuation *continuation);
/* False: it is not there any more: it was run, or is about to be. */
bool proi_task_remove(struct pro_task *task, struct pro_continuation *continuation);
void proi_task_run_continuations(struct pro_task *task); /* once, by the completer */
/* THE predicate: here, or there (SEM-040…049). */
void proi_continuation_dispatch(struct pro_continuation *continuation, bool may_inline);
/* Calls it on this thread under its own ambient state, and puts the thread's back. */
void proi_continuation_invoke(struct pro_continuation *continuation);
bool proi_stack_is_short(void);

/* ---- awaiter.c ---- */
extern const struct pro_awaiter_vtable proi_owned_task; /* the awaiter that takes the task's reference */
extern const struct pro_awaiter_vtable proi_yield_awaiter;
extern const struct pro_awaiter_vtable proi_op_awaiter; /* await_op.c */

/* ---- async.c ---- */
/* Runs the body until it suspends or ends; context and flow are put back (SEM-084). The frame may be gone after it. */
void proi_frame_run(struct pro_frame *frame);
bool proi_frame_make_iterator(struct pro_frame *frame); /* false: it was started before */
bool proi_frame_is_iterator(const struct pro_frame *frame);
/* Nobody will run @continuation. If a method hangs on it, gives up its await and its own reference to its task, which
   stays incomplete for whoever has another. The frame may be gone after it. */
void proi_frame_forget(struct pro_continuation *continuation);

/* ---- value_task.c ---- */
/* What a frame awaits of a value task that is no task. A result that is there stays in the frame (self) until it is
   taken. Of a source (self) the version is in the frame, so the frame asks it by itself; the awaiter is for reports.
   One that failed says @code. */
extern const struct pro_awaiter_vtable proi_value_there, proi_value_source;
struct pro_awaiter proi_value_failed(int code);

/* ---- stream.c ---- */
/* The body of an iterator has ended; @fault is taken. The frame may be gone after it. */
void proi_iterator_finish(struct pro_frame *frame, struct pro_error *fault);

/* ---- wait.c ---- */
struct proi_blocked { /* a thread inside a blocking wait; on its stack */
    struct proi_blocked *next, *previous;
    uint64_t thread;
    struct pro_task *const *tasks; /* referenced by the waiting thread */
    size_t count;
    struct pro_site site;
    bool bounded;
};
/* Visits every blocked thread, with the list locked. For reports. */
void proi_blocked_for_each(void (*visit)(const struct proi_blocked *blocked, void *arg), void *arg);

/* Blocks until @task is complete, without asking its scheduler again to run it here. PRO_OK, PRO_E_DEADLOCK. */
int proi_wait_unoffered(struct pro_task *task);

/* ---- then.c ---- */
/* The antecedent is complete: queues the continuation task, or runs it here when it asked for that and @may_inline. */
void proi_then_continue(struct pro_continuation *continuation, bool may_inline);

#endif
