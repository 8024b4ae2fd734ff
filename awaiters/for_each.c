/* SPDX-License-Identifier: MIT */
/* Parallel.ForEachAsync (SEM-330, 331): workers take items from one source, one by one, and await a body for each. The
   first worker is started by the call, each further one by the worker before it when it has got its first item. */
#include "error_list.h"

#include <proact/parallel.h>

struct loop;

struct worker {
    struct pro_work work;                 /* the first step of a worker; counted in loop.workers */
    struct pro_continuation continuation; /* on the body's task */
    struct pro_task *body;                /* held while it is awaited */
    struct loop *loop;
    void *item;           /* in the task's block */
    bool has_called_next; /* has started the worker after it */
};

struct loop {
    struct pro_for_each what;
    struct pro_cancellation_source *stop; /* its token is handed to the bodies */
    struct pro_cancellation_token token;  /* the caller's; its source is held */
    struct pro_cancellation_registration registration;
    void *flow;               /* captured at the call; each worker runs under it */
    struct proi_mutex source; /* one thread at a time takes an item; guards exhausted and started */
    bool exhausted;
    unsigned started, degree;
    uint32_t workers; /* shared: those that have not ended, and the call that sets up */
    struct proi_error_list errors;
    size_t failures; /* shared: numbers them, the first first */
    struct worker list[];
};

static struct pro_task *task_of(struct loop *loop) { return proi_task_of_body(loop); }

static void destroy(struct pro_task *task)
{
    struct loop *const loop = proi_task_body(task);

    pro_cancellation_source_unref(loop->stop);
    pro_cancellation_source_unref(loop->token.source);
    pro_task_scheduler_unref(loop->what.options.scheduler);
    proi_flow_drop(loop->flow);
}

/* All bodies in flight are needed. Read by a report's walk: a body that goes away at this moment is still readable. */
static bool needs(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    struct loop *const loop = proi_task_body((struct pro_task *)(uintptr_t)task);

    for (unsigned i = 0; i < proi_load(&loop->degree, PROI_ACQUIRE); i++) {
        struct pro_task *const body = proi_load(&loop->list[i].body, PROI_ACQUIRE);

        if (body)
            visit(body, arg);
    }
    return true;
}

static const struct proi_task_class for_each_class = { .name = "for each", .destroy = destroy, .needs = needs };

/* ---- the end ---- */

static void fail(struct loop *loop, struct pro_error *error)
{
    proi_error_list_add(&loop->errors, error, proi_fetch_add(&loop->failures, (size_t)1, PROI_RELAXED));
    pro_cancellation_source_cancel(loop->stop);
}

static void complete(struct loop *loop)
{
    struct pro_task *const task = task_of(loop);
    struct pro_error *errors;

    pro_cancellation_unregister_wait(&loop->registration);
    errors = proi_error_list_take(&loop->errors);
    proi_task_reserve(task);
    if (pro_cancellation_token_is_canceled(loop->token)) { /* whatever failed is taken to have failed for that */
        pro_error_unref(errors);
        proi_task_fail(task, pro_error_canceled(&loop->token), true);
    } else if (errors) {
        proi_task_fail_many(task, errors);
    } else {
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task); /* the workers' */
}

static void worker_ended(struct loop *loop)
{
    /* Acquire: the last one sees the errors of all. */
    if (proi_fetch_sub(&loop->workers, 1u, PROI_ACQ_REL) == 1)
        complete(loop);
}

/* ---- workers ---- */

static void start_worker(struct loop *loop, struct worker *worker)
{
    int code;

    proi_fetch_add(&loop->workers, 1u, PROI_RELAXED); /* whoever starts one is counted itself */
    code = proi_scheduler_queue(loop->what.options.scheduler, &worker->work, true);
    if (code < 0) {
        struct pro_error *const why = pro_error_of(code);

        fail(loop, pro_error_caused_by(PRO_E_SCHEDULER, PRO_SITE_UNKNOWN, why));
        worker_ended(loop);
    }
}

/* False: there is none, or the source has failed. */
static bool take_item(struct loop *loop, struct worker *worker)
{
    struct worker *next = NULL;
    int code = 0;

    proi_lock(&loop->source);
    if (!loop->exhausted) {
        code = loop->what.next(loop->what.arg, worker->item);
        loop->exhausted = code != 1;
        if (!loop->exhausted && !worker->has_called_next && loop->started < loop->degree)
            next = &loop->list[loop->started++];
        worker->has_called_next = true;
    }
    proi_unlock(&loop->source);
    if (code < 0)
        fail(loop, pro_error_of(code));
    if (next)
        start_worker(loop, next);
    return code == 1;
}

/* Gives what the awaited body ended with to the loop. */
static void take_outcome(struct loop *loop, struct worker *worker)
{
    struct pro_task *const body = worker->body;

    if (!pro_task_is_succeeded(body))
        fail(loop, pro_error_ref(pro_task_error(body)));
    proi_store(&worker->body, NULL, PROI_RELEASE);
    pro_task_unref(body);
}

static void resume(struct pro_continuation *continuation);

/* True: the body is in flight, and the worker goes on when it is complete. */
static bool await_body(struct worker *worker)
{
    if (pro_task_is_completed(worker->body))
        return false;
    proi_continuation_make(&worker->continuation, resume, PROI_CONTINUATION_AWAIT);
    worker->continuation.flow = proi_flow_capture();
    pro_continuation_capture(&worker->continuation, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    if (!proi_task_add(worker->body, &worker->continuation))
        proi_continuation_dispatch(&worker->continuation, false); /* completed meanwhile: never inline (SEM-044) */
    return true;
}

static void work_on(struct worker *worker)
{
    struct loop *const loop = worker->loop;
    const struct pro_cancellation_token token = pro_cancellation_source_token(loop->stop);

    for (;;) {
        struct pro_task *body;

        if (pro_cancellation_token_is_canceled(token) || !take_item(loop, worker))
            break;
        body = loop->what.body(loop->what.arg, worker->item, token);
        if (!body)
            body = pro_task_from_error(
                pro_error_of(proi_misuse(PRO_E_INVALID, "pro_for_each_async: the body gave no task")));
        proi_store(&worker->body, body, PROI_RELEASE);
        if (await_body(worker))
            return; /* from here it may run on elsewhere */
        take_outcome(loop, worker);
    }
    worker_ended(loop);
}

static void resume(struct pro_continuation *continuation)
{
    struct worker *const worker = PRO_CONTAINER(continuation, struct worker, continuation);

    take_outcome(worker->loop, worker);
    work_on(worker);
}

/* The first step, on the pool or as an item of the scheduler, which is current meanwhile. */
static void begin(struct pro_work *work)
{
    struct worker *const worker = PRO_CONTAINER(work, struct worker, work);
    struct loop *const loop = worker->loop;
    const struct proi_ambient saved = proi_ambient;
    void *flow;

    proi_ambient.task = NULL;
    proi_ambient.scheduler = loop->what.options.scheduler;
    flow = proi_flow_enter(loop->flow && loop->flow != PROI_FLOW_NOT_CAPTURED ? proi_flow_ref(loop->flow) : loop->flow);
    work_on(worker);
    proi_flow_leave(flow);
    proi_ambient_leave(saved);
}

/* ---- the call ---- */

/* Cancelling may complete the last body here, and with it the loop, which may be gone then. */
static void token_canceled(void *arg)
{
    struct pro_cancellation_source *const stop = pro_cancellation_source_ref(((struct loop *)arg)->stop);

    pro_cancellation_source_cancel(stop);
    pro_cancellation_source_unref(stop);
}

/* A loop whose memory is laid out, with one reference; NULL: no memory. */
static struct pro_task *new_loop(const struct pro_for_each *what)
{
    const struct pro_task_scheduler *const scheduler = what->options.scheduler;
    unsigned degree = what->options.degree ? what->options.degree : proi_processor_count();
    const size_t item_size = ((size_t)what->item.size + 15) & ~(size_t)15;
    struct pro_task *task = NULL;
    struct loop *loop;

    if (scheduler && scheduler->max_concurrency && scheduler->max_concurrency < degree)
        degree = scheduler->max_concurrency;
    if (degree < UINT32_MAX / (sizeof *loop->list + item_size) / 2)
        task = proi_task_new(&for_each_class,
                             ((sizeof *loop + degree * sizeof *loop->list + 15) & ~(size_t)15) + degree * item_size,
                             PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return NULL;
    loop = proi_task_body(task);
    proi_store(&loop->degree, degree, PROI_RELEASE);
    for (unsigned i = 0; i < degree; i++) {
        struct worker *const worker = &loop->list[i];

        worker->work = (struct pro_work){ .run = begin, .task = task };
        worker->continuation.work.task = task; /* for reports */
        worker->loop = loop;
        worker->item = (char *)loop + ((sizeof *loop + degree * sizeof *loop->list + 15) & ~(size_t)15) + i * item_size;
    }
    return task;
}

struct pro_task *pro_for_each_async(const struct pro_for_each *what)
{
    struct pro_task *task;
    struct loop *loop;

    if (!what || !what->next || !what->body ||
        (what->options.scheduler && (!what->options.scheduler->vtable || !what->options.scheduler->vtable->queue)))
        return pro_task_from_error(pro_error_of(
            proi_misuse(PRO_E_INVALID, "pro_for_each_async: the source, the body or the scheduler is missing")));
    if (pro_cancellation_token_is_canceled(what->options.token))
        return pro_task_from_canceled(what->options.token);
    task = new_loop(what);
    if (!task)
        return pro_task_no_memory();
    loop = proi_task_body(task);
    loop->what = *what;
    if (pro_cancellation_source_new(&loop->stop) < 0) {
        loop->what.options.scheduler = NULL; /* not held yet */
        pro_task_unref(task);
        return pro_task_no_memory();
    }
    pro_task_scheduler_ref(loop->what.options.scheduler);
    loop->token.source = pro_cancellation_source_ref(what->options.token.source);
    loop->flow = proi_flow_capture();
    pro_task_ref(task); /* the workers' */
    loop->workers = 1;  /* this call, until all is set up */
    pro_cancellation_register(loop->token, &loop->registration, token_canceled, loop);
    loop->started = 1;
    start_worker(loop, &loop->list[0]);
    worker_ended(loop);
    return task;
}
