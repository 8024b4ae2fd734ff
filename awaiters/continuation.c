/* SPDX-License-Identifier: MIT */
/* Continuations: what is captured, the list of a task, and the one predicate that decides where each runs. */
#include "trace.h"

/* ---- what travels ---- */

/* The count keeps chains in the cache, and within what checkers with a stack of their own can follow; the stack itself
   decides for big frames (SEM-048). */
enum { MOST_INLINED = 4096, STACK_SHORT = 128 * 1024 };

/* Above this address this thread's stack is not short; all ones: not known yet. */
static PROI_THREAD_LOCAL uintptr_t roomy_above = UINTPTR_MAX;

static PROI_COLD bool measure_stack(uintptr_t here)
{
    const size_t left = proi_stack_left();

    if (left < STACK_SHORT)
        return true;
    if (left != SIZE_MAX) /* else it is no stack that the system made, and its end is not known */
        roomy_above = here - (left - STACK_SHORT);
    return false;
}

bool proi_stack_is_short(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    return PROI_UNLIKELY(proi_ambient.depth >= MOST_INLINED) ||
           (PROI_UNLIKELY(here < roomy_above) && measure_stack(here));
}

static void let_go(void *captured, unsigned flags)
{
    if (!(flags & PROI_CONTINUATION_HELD))
        return;
    if (flags & PROI_CONTINUATION_SCHEDULER)
        pro_task_scheduler_unref(captured);
    else
        proi_context_release(captured);
}

void proi_continuation_invoke(struct pro_continuation *continuation)
{
    const struct proi_ambient saved = proi_ambient;
    void *const flow = proi_flow_enter(continuation->flow); /* its reference is the thread's now */
    const unsigned flags = continuation->flags;
    void *const captured = continuation->captured;

    /* All references are given up once, also when an awaiter runs its continuation again. */
    continuation->flow = NULL;
    continuation->flags = (unsigned char)(flags & ~(unsigned)PROI_CONTINUATION_HELD);
    /* The current task is hidden, and the scheduler is the captured one (SEM-049); the context is as the caller has it.
     */
    proi_ambient.task = NULL;
    proi_ambient.scheduler = flags & PROI_CONTINUATION_SCHEDULER ? captured : NULL;
    proi_ambient.depth = saved.depth + 1;
    continuation->invoke(continuation); /* from here its memory may be gone */
    proi_flow_leave(flow);
    proi_ambient_leave(saved);
    let_go(captured, flags);
}

static void run_travelled(struct pro_work *work)
{
    proi_continuation_invoke(PRO_CONTAINER(work, struct pro_continuation, work));
}

void proi_continuation_make(struct pro_continuation *continuation, void (*invoke)(struct pro_continuation *),
                            enum proi_continuation_kind kind)
{
    struct pro_task *const task = continuation->work.task; /* the frame's, set once */

    *continuation = (struct pro_continuation){ .work = { .run = run_travelled, .task = task },
                                               .invoke = invoke,
                                               .kind = (unsigned char)kind };
}

void pro_continuation_init(struct pro_continuation *continuation, void (*invoke)(struct pro_continuation *continuation))
{
    if (!continuation || !invoke) {
        proi_misuse(PRO_E_INVALID, "pro_continuation_init: an argument is NULL");
        return;
    }
    continuation->work.task = NULL;
    proi_continuation_make(continuation, invoke, PROI_CONTINUATION_AWAIT);
}

void pro_continuation_capture(struct pro_continuation *continuation, unsigned options)
{
    if (!continuation) {
        proi_misuse(PRO_E_INVALID, "pro_continuation_capture: the continuation is NULL");
        return;
    }
    if (!(options & PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT))
        return;
    if (!proi_context_is_base(proi_ambient.context)) {
        continuation->captured = proi_ambient.context;
        continuation->flags |= PROI_CONTINUATION_HELD;
        proi_context_capture(proi_ambient.context);
        if (continuation->work.task) /* what really was captured: awaiters may have a mind of their own */
            proi_store(&continuation->work.task->awaits_context, (uintptr_t)continuation->captured, PROI_RELEASE);
    } else if (!proi_scheduler_is_default(proi_ambient.scheduler)) {
        continuation->captured = pro_task_scheduler_ref(proi_ambient.scheduler);
        continuation->flags |= PROI_CONTINUATION_HELD | PROI_CONTINUATION_SCHEDULER;
    }
}

void proi_continuation_let_go(struct pro_continuation *continuation)
{
    let_go(continuation->captured, continuation->flags);
    continuation->flags &= (unsigned char)~(PROI_CONTINUATION_HELD | PROI_CONTINUATION_SCHEDULER);
    continuation->captured = NULL;
}

void pro_continuation_run(struct pro_continuation *continuation)
{
    if (continuation)
        proi_continuation_invoke(continuation);
    else
        proi_misuse(PRO_E_INVALID, "pro_continuation_run: the continuation is NULL");
}

void pro_continuation_schedule(struct pro_continuation *continuation)
{
    if (continuation)
        proi_continuation_dispatch(continuation, true);
    else
        proi_misuse(PRO_E_INVALID, "pro_continuation_schedule: the continuation is NULL");
}

/* ---- the predicate ---- */

static void to_scheduler(struct pro_continuation *continuation, bool may_inline)
{
    struct pro_task_scheduler *const scheduler = continuation->captured;

    /* Offered for inlining on the scheduler's own threads and on the pool's (SEM-043); it may refuse. */
    if (may_inline && scheduler->vtable->try_inline && !proi_stack_is_short() &&
        (scheduler == proi_ambient.scheduler || pro_pool_is_worker()) &&
        scheduler->vtable->try_inline(scheduler, &continuation->work, false))
        return;
    proi_trace_dispatched(continuation);
    if (scheduler->vtable->queue(scheduler, &continuation->work) < 0) {
        struct pro_error *error = pro_error_new(
            PRO_E_STATE, PRO_SITE_UNKNOWN, "scheduler \"%s\" refused a continuation, whose method will never resume",
            scheduler->name ? scheduler->name : "?");

        proi_unhandled(error); /* SEM-268: .NET loses it silently */
        pro_error_unref(error);
        /* Nobody will ever run it, so nobody else gives back what it holds; the frame last, it may be what it is in. */
        proi_flow_drop(continuation->flow);
        continuation->flow = NULL;
        proi_continuation_let_go(continuation);
        proi_frame_forget(continuation);
    }
}

void proi_continuation_dispatch(struct pro_continuation *continuation, bool may_inline)
{
    if (continuation->flags & PROI_CONTINUATION_SCHEDULER) {
        to_scheduler(continuation, may_inline);
    } else if (continuation->captured) {
        /* In that very context already: here (SEM-042). */
        if (may_inline && continuation->captured == proi_ambient.context && !proi_stack_is_short()) {
            proi_continuation_invoke(continuation);
        } else {
            proi_trace_dispatched(continuation);
            proi_context_post(continuation->captured, &continuation->work);
        }
    } else if (may_inline && proi_context_is_base(proi_ambient.context) &&
               proi_scheduler_is_default(proi_ambient.scheduler) && !proi_stack_is_short()) {
        /* Nothing captured, and this thread is nobody's: here (SEM-040). On a thread with a context or under a
           scheduler it would run where nobody asked for it: to the pool (SEM-041). */
        proi_continuation_invoke(continuation);
    } else {
        proi_trace_dispatched(continuation);
        proi_pool_post(&continuation->work, PROI_POOL_LOCAL);
    }
}

/* ---- the list of a task ---- */

/* Guards the lists behind the slots; many tasks share a lock. */
enum { LOCKS = 64 };
static struct proi_mutex locks[LOCKS];

static struct proi_mutex *lock_of(const struct pro_task *task) { return &locks[((uintptr_t)task >> 7) % LOCKS]; }
static struct pro_continuation *first_of(uintptr_t slot)
{
    return (struct pro_continuation *)(slot & ~(PROI_SLOT_COMPLETED | PROI_SLOT_MANY));
}

/* With the lock held, so that the completer, which takes it when it finds MANY, sees bit and list together. */
static bool add_to_list(struct pro_task *task, struct pro_continuation *continuation)
{
    uintptr_t slot = proi_load(&task->slot, PROI_ACQUIRE);
    struct pro_continuation *last;

    do {
        if (slot == PROI_SLOT_COMPLETED)
            return false;
        /* Against the completer's exchange: either it comes first and we see COMPLETED, or it comes second, finds MANY,
           and waits for the lock before it looks at the list. */
    } while (!(slot & PROI_SLOT_MANY) &&
             !proi_compare_exchange(&task->slot, &slot, slot | PROI_SLOT_MANY, PROI_ACQ_REL));
    last = task->more;
    proi_continuation_link(continuation, last ? proi_continuation_next(last) : continuation);
    if (last)
        proi_continuation_link(last, continuation);
    if (!last || continuation->kind != PROI_CONTINUATION_WAITER) /* blocked threads go first (SEM-064) */
        task->more = continuation;
    return true;
}

bool proi_task_add(struct pro_task *task, struct pro_continuation *continuation)
{
    uintptr_t empty = 0;
    bool added;

    /* The common case: the first and only one. Against the completer's exchange: it comes before and we see COMPLETED,
       or after and takes ours. Release: the completer sees the continuation's contents. */
    if (proi_compare_exchange(&task->slot, &empty, (uintptr_t)continuation, PROI_ACQ_REL))
        return true;
    if (empty == PROI_SLOT_COMPLETED)
        return false;
    proi_lock(lock_of(task));
    added = add_to_list(task, continuation);
    proi_unlock(lock_of(task));
    return added;
}

static bool remove_from_list(struct pro_task *task, struct pro_continuation *continuation)
{
    struct pro_continuation *previous = task->more;

    if (!previous)
        return false;
    while (proi_continuation_next(previous) != continuation) {
        previous = proi_continuation_next(previous);
        if (previous == task->more) /* once round */
            return false;
    }
    if (previous == continuation) { /* the only one */
        task->more = NULL;
        return true;
    }
    proi_continuation_link(previous, proi_continuation_next(continuation));
    if (task->more == continuation)
        task->more = previous;
    return true;
}

bool proi_task_remove(struct pro_task *task, struct pro_continuation *continuation)
{
    uintptr_t slot;
    bool removed = false;

    proi_lock(lock_of(task));
    slot = proi_load(&task->slot, PROI_ACQUIRE);
    while (first_of(slot) == continuation && slot != PROI_SLOT_COMPLETED)
        /* Against the completer: it has taken the slot (and runs the continuation), or we have. */
        if (proi_compare_exchange(&task->slot, &slot, slot & PROI_SLOT_MANY, PROI_ACQ_REL)) {
            removed = true;
            break;
        }
    if (!removed && slot != PROI_SLOT_COMPLETED)
        removed = remove_from_list(task, continuation);
    proi_unlock(lock_of(task));
    return removed;
}

static struct pro_continuation *take_list(struct pro_task *task)
{
    struct pro_continuation *last, *list = NULL;

    proi_lock(lock_of(task));
    last = task->more;
    task->more = NULL;
    if (last) {
        list = proi_continuation_next(last);
        proi_continuation_link(last, NULL); /* a list with an end */
    }
    proi_unlock(lock_of(task));
    return list;
}

/* An action of the library may run user code, too: where nothing may be inlined it goes to the pool (SEM-065). */
static void run_or_queue(struct pro_continuation *continuation, bool may_inline)
{
    if (continuation->kind == PROI_CONTINUATION_ACTION && may_inline && !proi_stack_is_short())
        proi_continuation_invoke(continuation);
    else if (continuation->kind == PROI_CONTINUATION_ACTION)
        proi_pool_post(&continuation->work, PROI_POOL_LOCAL);
    else if (continuation->kind == PROI_CONTINUATION_THEN || continuation->kind == PROI_CONTINUATION_THEN_NOW)
        proi_then_continue(continuation, may_inline);
    else
        proi_continuation_dispatch(continuation, may_inline);
}

/* Two passes (SEM-061): first every await but the first is posted or queued, then the rest run, in order of
   registration. Where nothing may be inlined there is one pass (SEM-063). Returns those left for the second. */
static struct pro_continuation *first_pass(struct pro_continuation *list, bool may_inline)
{
    struct pro_continuation *kept = NULL, *last = NULL, *next;
    bool await_seen = false;

    for (; list; list = next) {
        const bool is_await = list->kind == PROI_CONTINUATION_AWAIT;

        next = proi_continuation_next(list); /* before it goes to a queue, or is gone */
        if (list->kind == PROI_CONTINUATION_WAITER) {
            list->invoke(list); /* wakes a thread, and is gone */
        } else if (!may_inline || list->kind == PROI_CONTINUATION_THEN || (is_await && await_seen)) {
            run_or_queue(list, false);
        } else {
            await_seen = await_seen || is_await;
            if (last)
                proi_continuation_link(last, list);
            else
                kept = list;
            last = list;
        }
    }
    if (last)
        proi_continuation_link(last, NULL);
    return kept;
}

static void run_all(struct pro_task *task, uintptr_t slot)
{
    const bool may_inline = !(proi_load(&task->state, PROI_RELAXED) & PROI_TASK_ASYNC);
    struct pro_continuation *first = first_of(slot), *list, *next;

    if (!(slot & PROI_SLOT_MANY)) { /* one: no list to walk */
        if (first->kind == PROI_CONTINUATION_WAITER)
            first->invoke(first);
        else
            run_or_queue(first, may_inline);
        return;
    }
    list = take_list(task);
    if (first) {
        proi_continuation_link(first, list);
        list = first;
    }
    for (list = first_pass(list, may_inline); list; list = next) {
        next = proi_continuation_next(list);
        run_or_queue(list, true);
    }
}

void proi_task_run_continuations(struct pro_task *task)
{
    /* Release: who finds COMPLETED sees the outcome. Acquire: we see what was registered. */
    const uintptr_t slot = proi_exchange(&task->slot, PROI_SLOT_COMPLETED, PROI_ACQ_REL);
    uint64_t traced;

    if (!slot)
        return;
    if (PROI_LIKELY(!proi_is_tracing())) {
        run_all(task, slot);
        return;
    }
    traced = pro_task_id(task);
    proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_BEGIN, traced, PRO_TRACE_COMPLETION_NOTIFICATION);
    run_all(task, slot);
    proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_END, traced, PRO_TRACE_COMPLETION_NOTIFICATION);
}
