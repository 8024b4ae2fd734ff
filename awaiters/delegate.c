/* SPDX-License-Identifier: MIT */
/* Delegate tasks: a body that a scheduler runs (Task.Run, StartNew), and the one that follows the task which its body gives. */
#include "internal.h"

struct delegate {
    struct pro_work work; /* the queue's; it holds a reference to the task */
    pro_task_fn *body;
    void *arg;
    struct pro_cancellation_token token; /* its source is held */
    struct pro_cancellation_registration registration;
    struct pro_task_scheduler *scheduler; /* held; NULL: the pool */
    void *flow;
};

static struct delegate *delegate_of(struct pro_task *task) { return proi_task_body(task); }

/* Exactly one of run, inline and cancel gets true. */
static bool claim(struct pro_task *task)
{
    return !(proi_fetch_or(&task->state, (uint32_t)PROI_TASK_STARTED, PROI_ACQ_REL) & PROI_TASK_STARTED);
}

static void let_go(struct delegate *delegate)
{
    pro_cancellation_unregister_wait(&delegate->registration);
    pro_cancellation_source_unref(delegate->token.source);
    delegate->token.source = NULL;
    proi_flow_drop(delegate->flow);
    delegate->flow = NULL;
}

/* Only here: a waiter may ask the scheduler to inline while the task runs elsewhere. */
static void destroy_delegate(struct pro_task *task)
{
    struct delegate *const delegate = delegate_of(task);

    if (delegate->scheduler)
        pro_task_scheduler_unref(delegate->scheduler);
}

/* Only an error of the very token that the task was given, and that is cancelled, cancels it (SEM-172). */
static void complete(struct pro_task *task, struct pro_error *error, bool token_canceled)
{
    proi_task_reserve(task);
    if (!error)
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    else
        proi_task_fail(task, error, token_canceled);
}

/* The body runs with its task and scheduler current (SEM-262), under the flow of its maker; the context is restored (SEM-116). */
static void run_body(struct pro_task *task)
{
    struct delegate *const delegate = delegate_of(task);
    const struct proi_ambient saved = proi_ambient;
    struct pro_error *error;
    bool canceled;
    void *flow;

    proi_fetch_add(&task->state, PRO_TASK_RUNNING - PRO_TASK_WAITING_TO_RUN, PROI_SEQ_CST);
    proi_ambient.task = task;
    proi_ambient.scheduler = proi_load(&task->state, PROI_RELAXED) & PROI_TASK_HIDES ? NULL : delegate->scheduler;
    flow = proi_flow_enter(delegate->flow);
    delegate->flow = NULL;
    error = delegate->body(delegate->arg, proi_task_result_at(task));
    canceled = pro_cancellation_token_is_canceled(delegate->token);
    /* Continuations run with the scheduler still current: it is "a thread under a scheduler" for SEM-041. */
    proi_ambient.task = NULL;
    proi_ambient.context = saved.context;
    proi_flow_leave(flow);
    proi_ambient.scheduler = delegate->scheduler;
    let_go(delegate);
    complete(task, error, canceled);
    proi_ambient_leave(saved);
}

static void run_claimed(struct pro_task *task)
{
    if (!pro_cancellation_token_is_canceled(delegate_of(task)->token)) {
        run_body(task);
        return;
    }
    let_go(delegate_of(task));
    complete(task, pro_error_of(PRO_E_CANCELED), true);
}

/* What queues call. A second call finds the task claimed, and only drops the queue's reference. */
static void run_queued(struct pro_work *work)
{
    struct pro_task *const task = proi_task_of_body(PRO_CONTAINER(work, struct delegate, work));

    if (claim(task))
        run_claimed(task);
    pro_task_unref(task);
}

/* Cancelled before it began: it never runs; the item in the queue is a no-op (SEM-175, 270). */
static void on_cancel(void *arg)
{
    struct pro_task *const task = arg;
    struct delegate *const delegate = delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;

    if (!claim(task))
        return;
    pro_task_ref(task);
    if (scheduler && scheduler->vtable->try_dequeue && scheduler->vtable->try_dequeue(scheduler, &delegate->work))
        pro_task_unref(task); /* the queue's */
    let_go(delegate);
    complete(task, pro_error_of(PRO_E_CANCELED), true);
    pro_task_unref(task);
}

bool proi_delegate_try_inline(struct pro_task *task)
{
    struct delegate *const delegate = delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;
    const uint32_t state = proi_load(&task->state, PROI_ACQUIRE);

    if (state & PROI_TASK_STARTED || proi_stack_is_short())
        return false;
    if (scheduler && !proi_scheduler_is_default(scheduler))
        return scheduler->vtable->try_inline && scheduler->vtable->try_inline(scheduler, &delegate->work, true);
    if (!proi_pool_take_local(&delegate->work)) /* only from this worker's own queue (SEM-145) */
        return false;
    pro_work_run(&delegate->work);
    return true;
}

static const struct proi_task_class delegate_class = { .name = "delegate",
                                                     .destroy = destroy_delegate,
                                                     .try_inline = proi_delegate_try_inline };

static void queue(struct pro_task *task, unsigned options)
{
    struct delegate *const delegate = delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;
    int code;

    pro_task_ref(task); /* the queue's */
    if (scheduler && !proi_scheduler_is_default(scheduler)) {
        code = scheduler->vtable->queue(scheduler, &delegate->work);
        if (code >= 0)
            return;
        pro_task_unref(task);
        if (claim(task)) {
            let_go(delegate);
            complete(task, pro_error_of(code), false); /* SEM-267 */
            proi_task_observe(task);
        }
    } else if (options & PRO_TASK_LONG_RUNNING) {
        proi_pool_run_long(&delegate->work);
    } else {
        proi_pool_post(&delegate->work, options & PRO_TASK_PREFER_FAIRNESS ? PROI_POOL_GLOBAL : PROI_POOL_LOCAL);
    }
}

static struct pro_task *start(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token,
                              unsigned options, struct pro_task_scheduler *scheduler)
{
    struct pro_task *task = proi_task_new(&delegate_class, sizeof(struct delegate), type, PRO_TASK_WAITING_TO_RUN, PRO_SITE_UNKNOWN);
    struct delegate *delegate;

    if (!task)
        return pro_task_no_memory();
    if (options & PRO_TASK_ASYNC_CONTINUATIONS)
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
    if (options & PRO_TASK_HIDE_SCHEDULER)
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_HIDES, PROI_RELAXED);
    delegate = delegate_of(task);
    *delegate = (struct delegate){ .work = { .run = run_queued, .task = task }, .body = body, .arg = arg, .flow = proi_flow_capture() };
    delegate->token.source = pro_cancellation_source_ref(token.source);
    delegate->scheduler = scheduler ? pro_task_scheduler_ref(scheduler) : NULL;
    /* Registered before it is queued: from then on it may end at any moment. */
    pro_cancellation_register(token, &delegate->registration, on_cancel, task);
    if (!pro_task_is_completed(task))
        queue(task, options);
    return task;
}

struct pro_task *pro_task_run(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token)
{
    if (!body)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_run: the body is NULL")));
    return start(body, arg, type, token, PRO_TASK_DEFAULT, NULL);
}

struct pro_task *pro_task_start_new(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token,
                                    unsigned options, struct pro_task_scheduler *scheduler)
{
    const unsigned known = PRO_TASK_ASYNC_CONTINUATIONS | PRO_TASK_PREFER_FAIRNESS | PRO_TASK_LONG_RUNNING | PRO_TASK_HIDE_SCHEDULER;

    if (!body || options & ~known || (scheduler && (!scheduler->vtable || !scheduler->vtable->queue)))
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_start_new: an argument is not valid")));
    if (!scheduler)
        scheduler = proi_ambient.scheduler;
    return start(body, arg, type, token, options, scheduler);
}

/* ---- Task.Run of an async lambda: the task follows the one that the body gives ---- */

struct unwrap {
    struct pro_work work;
    struct pro_task *(*body)(void *arg);
    void *arg;
    struct pro_cancellation_token token; /* its source is held */
    struct pro_continuation continuation;
    struct pro_task *inner;
    void *flow;
};

/* Its result is of whatever type the inner one has, so it is the inner one that is read. */
static void destroy_unwrap(struct pro_task *task)
{
    struct unwrap *const unwrap = proi_task_body(task);

    pro_task_unref(unwrap->inner);
    proi_flow_drop(unwrap->flow);
    pro_cancellation_source_unref(unwrap->token.source);
}

static bool unwrap_needs(const struct pro_task *task, void (*visit)(struct pro_task *needed, void *arg), void *arg)
{
    struct unwrap *const unwrap = proi_task_body((struct pro_task *)(uintptr_t)task);
    struct pro_task *const inner = proi_load(&unwrap->inner, PROI_ACQUIRE);

    if (inner)
        visit(inner, arg);
    return true;
}

static const struct proi_task_class unwrap_class = { .name = "unwrap", .destroy = destroy_unwrap, .needs = unwrap_needs };

static void inner_completed(struct pro_continuation *continuation)
{
    struct unwrap *const unwrap = PRO_CONTAINER(continuation, struct unwrap, continuation);
    struct pro_task *const task = proi_task_of_body(unwrap);

    proi_task_reserve(task);
    proi_task_follow(task, unwrap->inner);
    pro_task_unref(task);
}

static void run_unwrap(struct pro_work *work)
{
    struct unwrap *const unwrap = PRO_CONTAINER(work, struct unwrap, work);
    struct pro_task *const task = proi_task_of_body(unwrap);
    struct pro_sync_context *const context = proi_ambient.context;
    struct pro_task *inner;
    void *flow;

    if (pro_cancellation_token_is_canceled(unwrap->token)) {
        proi_task_reserve(task);
        proi_task_fail(task, pro_error_of(PRO_E_CANCELED), true);
        pro_task_unref(task);
        return;
    }
    flow = proi_flow_enter(unwrap->flow);
    unwrap->flow = NULL;
    inner = unwrap->body(unwrap->arg);
    proi_flow_leave(flow);
    proi_ambient.context = context;
    if (!inner)
        inner = pro_task_from_canceled(PRO_TOKEN_NONE); /* SEM-178 */
    proi_store(&unwrap->inner, inner, PROI_RELEASE);
    proi_continuation_make(&unwrap->continuation, inner_completed, PROI_CONTINUATION_ACTION);
    if (!proi_task_add(inner, &unwrap->continuation))
        inner_completed(&unwrap->continuation);
}

struct pro_task *pro_task_run_async(struct pro_task *(*body)(void *arg), void *arg, struct pro_type type,
                                    struct pro_cancellation_token token)
{
    struct pro_task *task;
    struct unwrap *unwrap;

    if (!body)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_run_async: the body is NULL")));
    task = proi_task_new(&unwrap_class, sizeof *unwrap, type, PRO_TASK_WAITING_FOR_ACTIVATION, PRO_SITE_UNKNOWN);
    if (!task)
        return pro_task_no_memory();
    unwrap = proi_task_body(task);
    unwrap->work = (struct pro_work){ .run = run_unwrap, .task = task };
    unwrap->body = body;
    unwrap->arg = arg;
    unwrap->token.source = pro_cancellation_source_ref(token.source);
    unwrap->flow = proi_flow_capture();
    pro_task_ref(task); /* the pool's, then the continuation's */
    proi_pool_post(&unwrap->work, PROI_POOL_LOCAL);
    return task;
}
