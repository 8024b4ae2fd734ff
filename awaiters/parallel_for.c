/* SPDX-License-Identifier: MIT */
/* Parallel.For: the caller and helpers on the pool, or on a scheduler, take indexes from one counter. The caller waits
   only for helpers that have begun; one that comes late finds the loop over. */
#include "error_list.h"

#include <proact/parallel.h>

enum { CHUNKS_EACH = 8, MOST_IN_CHUNK = 1024 };

struct loop {
    pro_parallel_fn *body;
    void *arg;
    struct pro_cancellation_token token;  /* borrowed from the caller, who waits */
    struct pro_task_scheduler *scheduler; /* borrowed in the same way; NULL: the pool */
    size_t end, chunk;
    size_t next;     /* shared: the first index that nobody has taken */
    uint32_t failed; /* shared: no index begins any more */
    uint32_t inside; /* shared: threads in the loop, and the caller; 0: it is over */
    struct proi_error_list errors;
};

/* ---- taking indexes ---- */

static bool is_stopped(const struct loop *loop)
{
    return proi_load(&loop->failed, PROI_RELAXED) || pro_cancellation_token_is_canceled(loop->token);
}

static void run_one(struct loop *loop, size_t index)
{
    struct pro_error *const error = loop->body(index, loop->arg);

    if (error) {
        proi_error_list_add(&loop->errors, error, index);
        proi_store(&loop->failed, 1u, PROI_RELAXED); /* a hint to stop: the errors themselves are under their lock */
    }
}

static void run_indexes(struct loop *loop)
{
    while (!is_stopped(loop)) {
        size_t at = proi_load(&loop->next, PROI_RELAXED), end;

        /* Who moves the counter on has the indexes between; no other data hangs on it. By comparison and not by
           addition, so that it cannot pass the end and wrap. */
        do {
            if (at >= loop->end)
                return;
            end = loop->end - at > loop->chunk ? at + loop->chunk : loop->end;
        } while (!proi_compare_exchange(&loop->next, &at, end, PROI_ACQ_REL));
        for (; at < end && !is_stopped(loop); at++)
            run_one(loop, at);
    }
}

/* The caller's part. What bodies change of its ambient values is theirs, as on every other thread. */
static void run_as_caller(struct loop *loop)
{
    void *const flow = proi_flow_enter(proi_flow_capture());

    run_indexes(loop);
    proi_flow_leave(flow);
}

/* ---- helpers: the loop is the body of a task, which completes when the last thread has left ---- */

struct helper {
    struct pro_work work; /* has a reference to the task */
    struct shared *shared;
    void *flow;       /* captured from the caller */
    bool is_expected; /* the caller waits for it whether it has begun or not: it is counted inside from the start */
    uint32_t claimed; /* shared: of an expected one: it has begun, or was given up */
};

struct shared {
    struct loop loop;
    unsigned count;
    struct helper helpers[];
};

static const struct proi_task_class parallel_class = { .name = "parallel for" };

/* False: the loop is over. Against the last one to leave: either the count was still above zero, and it is ours that
   keeps the loop open, or it is zero for ever. */
static bool enter(struct loop *loop)
{
    uint32_t inside = proi_load(&loop->inside, PROI_RELAXED);

    do {
        if (!inside)
            return false;
    } while (!proi_compare_exchange(&loop->inside, &inside, inside + 1, PROI_ACQ_REL));
    return true;
}

/* True: the last one. Acquire: it sees what all others did, and so does who waits for the task. */
static bool leave(struct loop *loop) { return proi_fetch_sub(&loop->inside, 1u, PROI_ACQ_REL) == 1; }

static void complete(struct pro_task *task)
{
    proi_task_reserve(task);
    proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
}

static void help(struct pro_work *work)
{
    struct helper *const helper = PRO_CONTAINER(work, struct helper, work);
    struct loop *const loop = &helper->shared->loop;
    struct pro_task *const task = work->task;
    struct proi_ambient saved;
    void *flow;

    if (helper->is_expected ? proi_exchange(&helper->claimed, 1u, PROI_ACQ_REL) != 0 : !enter(loop)) {
        proi_flow_drop(helper->flow);
        pro_task_unref(task);
        return;
    }
    saved = proi_ambient;
    proi_ambient.scheduler = loop->scheduler;
    proi_ambient.task = NULL;
    flow = proi_flow_enter(helper->flow);
    run_indexes(loop);
    proi_flow_leave(flow);
    proi_ambient_leave(saved);
    if (leave(loop))
        complete(task);
    pro_task_unref(task);
}

/* NULL: no memory. */
static struct pro_task *new_shared(const struct loop *loop, unsigned count)
{
    struct shared *shared;
    struct pro_task *task = NULL;

    if (count < UINT32_MAX / sizeof *shared->helpers / 2)
        task = proi_task_new(&parallel_class, sizeof *shared + count * sizeof *shared->helpers, PRO_NO_RESULT,
                             PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return NULL;
    shared = proi_task_body(task);
    shared->loop = *loop;
    shared->count = count;
    for (unsigned i = 0; i < count; i++)
        shared->helpers[i] = (struct helper){ .work = { .run = help, .task = task }, .shared = shared };
    return task;
}

/* Hands out one helper. One that is expected may run inside the call, if the scheduler lets it. */
static int send_helper(struct helper *helper)
{
    struct pro_task *const task = helper->work.task;
    struct pro_task_scheduler *const scheduler = helper->shared->loop.scheduler;
    int code;

    helper->flow = proi_flow_capture();
    pro_task_ref(task);
    if (helper->is_expected && scheduler->vtable->try_inline &&
        scheduler->vtable->try_inline(scheduler, &helper->work, false))
        /* One that was not run has only been claimed to be (SEM-149): it is given up, with what its item holds, which
           the scheduler has taken. */
        return proi_exchange(&helper->claimed, 1u, PROI_ACQ_REL) ? PRO_OK : PRO_E_STATE;
    code = proi_scheduler_queue(scheduler, &helper->work, true);
    if (code < 0) {
        proi_flow_drop(helper->flow);
        pro_task_unref(task);
    }
    return code;
}

/* On the pool the caller is one of the threads, with helpers beside it. On a scheduler the last helper stands for the
   caller: it is offered to this thread, and else waited for. */
static int run_shared(struct pro_task *task)
{
    struct shared *const shared = proi_task_body(task);
    struct loop *const loop = &shared->loop;
    const bool on_pool = proi_scheduler_is_default(loop->scheduler);
    int code = PRO_OK;

    if (!on_pool)
        shared->helpers[shared->count - 1].is_expected = true;
    for (unsigned i = 0; i < shared->count; i++)
        code = send_helper(&shared->helpers[i]);
    if (on_pool)
        run_as_caller(loop);
    else if (code < 0) /* nobody stands for the caller: those that help already are told to stop */
        proi_store(&loop->failed, 1u, PROI_RELAXED);
    if ((on_pool || code < 0) && leave(loop))
        complete(task);
    return code < 0 ? PRO_E_SCHEDULER : PRO_OK;
}

/* ---- the outcome ---- */

static bool only_of_token(const struct pro_error *all, const struct pro_cancellation_token *token)
{
    for (size_t i = 0; i < pro_error_inner_count(all); i++)
        if (!pro_error_is_of_token(pro_error_inner(all, i), token))
            return false;
    return true;
}

static int outcome(struct loop *loop, struct pro_error **ret_error)
{
    struct pro_error *const all = proi_error_list_take(&loop->errors);
    /* A loop is cancelled by its token until it returns, also in its last index, as in .NET. */
    const bool canceled = pro_cancellation_token_is_canceled(loop->token);

    if (all && !(canceled && only_of_token(all, &loop->token))) {
        if (ret_error)
            *ret_error = all;
        else
            pro_error_unref(all);
        return PRO_E_AGGREGATE;
    }
    if (!canceled)
        return PRO_OK;
    pro_error_unref(all);
    if (ret_error)
        *ret_error = pro_error_canceled(&loop->token);
    return PRO_E_CANCELED;
}

static unsigned degree_of(const struct pro_parallel_options *options, size_t count)
{
    unsigned degree = options->degree ? options->degree : proi_processor_count();

    if (options->scheduler && options->scheduler->max_concurrency && options->scheduler->max_concurrency < degree)
        degree = options->scheduler->max_concurrency;
    return count < degree ? (unsigned)count : degree;
}

/* On several threads; waits for those that have begun, as any blocking wait does. PRO_E_NO_MEMORY: nothing has. */
static int run_on_many(const struct loop *loop, unsigned helpers, struct pro_error **ret_error)
{
    struct pro_task *const task = new_shared(loop, helpers);
    struct shared *shared;
    struct pro_error *errors;
    int code;

    if (!task)
        return PRO_E_NO_MEMORY;
    shared = proi_task_body(task);
    code = run_shared(task);
    pro_task_wait(task, PRO_HOW_DEFAULT, NULL, PRO_HERE);
    if (code == PRO_OK) {
        code = outcome(&shared->loop, ret_error);
    } else {
        errors = proi_error_list_take(&shared->loop.errors);
        pro_error_unref(errors);
    }
    pro_task_unref(task);
    return code;
}

int pro_parallel_for(size_t begin, size_t end, pro_parallel_fn *body, void *arg,
                     const struct pro_parallel_options *options, struct pro_error **ret_error)
{
    static const struct pro_parallel_options none = { .degree = 0 };
    struct loop loop = { .body = body, .arg = arg, .next = begin, .end = end, .inside = 1 };
    unsigned degree;
    bool on_pool;
    int code;

    options = options ? options : &none;
    if (!body || (options->scheduler && (!options->scheduler->vtable || !options->scheduler->vtable->queue)))
        return proi_misuse(PRO_E_INVALID, "pro_parallel_for: the body is NULL, or the scheduler is not whole");
    if (end <= begin)
        return PRO_OK;
    loop.token = options->token;
    loop.scheduler = options->scheduler;
    degree = degree_of(options, end - begin);
    loop.chunk = degree ? (end - begin) / degree / CHUNKS_EACH : 0;
    loop.chunk = loop.chunk < 1 ? 1 : loop.chunk < MOST_IN_CHUNK ? loop.chunk : MOST_IN_CHUNK;
    on_pool = proi_scheduler_is_default(loop.scheduler);
    if (degree && (degree > 1 || !on_pool)) {
        code = run_on_many(&loop, on_pool ? degree - 1 : degree, ret_error);
        if (code != PRO_E_NO_MEMORY || !on_pool)
            return code;
    }
    run_as_caller(&loop); /* alone */
    return outcome(&loop, ret_error);
}
