/* SPDX-License-Identifier: MIT */
/* The seam between loops and contexts: a loop seen as a SynchronizationContext, and what awaiters may ask of loops. The
   only file above proactor/ that knows it. */
#include "internal.h"

/* proactor/internal.h, which this file alone may see here */
#include <proactor/internal.h>

struct loop_context {
    struct pro_sync_context base;
    struct pro_loop *loop;
    uint32_t loop_id; /* the block may be another loop's long after this one was freed */
};

/* What waits in a loop, and is sure to run there, does not hold its context, and goes on without clearing the words
   that reports read; and it may run elsewhere, when the loop is gone first. So a report may find the context of a loop
   that is gone: its memory becomes nothing else, and answers as that of a closed loop does, or of a stranger. */
static struct proi_home home = { .size = sizeof(struct loop_context) };

static struct loop_context *of(struct pro_sync_context *context)
{
    return PRO_CONTAINER(context, struct loop_context, base);
}

/* The loop, or NULL when it is gone. */
static struct pro_loop *loop_of(struct pro_sync_context *context)
{
    struct pro_loop *const loop = of(context)->loop;

    return proi_load(&loop->open, PROI_ACQUIRE) && loop->id == of(context)->loop_id ? loop : NULL;
}

/* A loop that is being freed takes it until the last: the rest of a method must not run beside what frees it. */
static int context_post(struct pro_sync_context *context, struct pro_work *work)
{
    struct pro_loop *const loop = loop_of(context);

    if (!loop)
        return PRO_E_LOOP_CLOSED;
    if (loop == proi_running_loop)
        loop->own.stats.posted++;
    return proi_loop_post_raw(loop, work);
}

/* ---- send: from another thread it blocks until the loop has run the item ---- */

struct sent {
    struct pro_work work;
    struct pro_work *inner;
    uint32_t done;
};

static void run_sent(struct pro_work *work)
{
    struct sent *const sent = PRO_CONTAINER(work, struct sent, work);
    uint32_t *const done = &sent->done;

    pro_work_run(sent->inner);
    proi_store(done, 1u, PROI_RELEASE); /* the sender's stack may be gone from here: only the address is used */
    proi_wake_all(done);
}

static void context_send(struct pro_sync_context *context, struct pro_work *work)
{
    struct sent sent = { .work = { .run = run_sent }, .inner = work };

    if (proi_loop_on_thread(of(context)->loop) || context_post(context, &sent.work) < 0) {
        pro_work_run(work);
        return;
    }
    proi_pool_blocking_begin();
    while (!proi_load(&sent.done, PROI_ACQUIRE))
        proi_wait(&sent.done, 0, -1);
    proi_pool_blocking_end();
}

/* A continuation captured on the loop's own thread is counted without an atomic; only the sum of the two counts. */
static void context_captured(struct pro_sync_context *context)
{
    struct pro_loop *const loop = loop_of(context);

    if (!loop)
        return;
    if (proi_loop_on_thread(loop))
        loop->own.captured++;
    else
        proi_fetch_add(&loop->shared.captured, 1, PROI_ACQ_REL);
}

static void context_released(struct pro_sync_context *context)
{
    struct pro_loop *const loop = loop_of(context);

    if (!loop)
        return;
    if (proi_loop_on_thread(loop)) {
        loop->own.captured--;
        return;
    }
    proi_fetch_sub(&loop->shared.captured, 1, PROI_ACQ_REL);
    proi_loop_poke_raw(loop); /* it may have been what kept the loop alive */
}

static void context_destroy(struct pro_sync_context *context) { proi_home_give(&home, of(context)); }

static bool context_owner_thread(struct pro_sync_context *context, uint64_t *ret_thread)
{
    *ret_thread = proi_loop_thread(loop_of(context));
    return *ret_thread != 0;
}

static void context_for_each_queued(struct pro_sync_context *context, void (*visit)(struct pro_work *, void *),
                                    void *arg)
{
    struct pro_loop *const loop = loop_of(context);

    if (!loop)
        return;
    proi_lock(&loop->lock);
    if (loop->shared.blocked) { /* else the lists move */
        for (struct pro_work *work = loop->own.work_head; work; work = work->next)
            visit(work, arg);
        /* The inbox only grows at its head: from here down it stands still. Its newest are first. */
        for (struct pro_work *work = proi_load(&loop->shared.work, PROI_ACQUIRE); work; work = work->next)
            visit(work, arg);
    }
    proi_unlock(&loop->lock);
}

static const struct pro_sync_context_vtable loop_vtable = {
    .post = context_post,
    .send = context_send,
    .captured = context_captured,
    .released = context_released,
    .destroy = context_destroy,
    .owner_thread = context_owner_thread,
    .for_each_queued = context_for_each_queued,
    .post_flows = true,
};

/* ---- what proactor/ asks of this layer ---- */

int proi_loop_context_open(struct pro_loop *loop)
{
    struct loop_context *const context = proi_home_take(&home);

    if (!context)
        return PRO_E_NO_MEMORY;
    proi_report_begin(); /* none reads it meanwhile */
    pro_sync_context_init(&context->base, &loop_vtable, loop->name);
    context->loop = loop;
    context->loop_id = loop->id;
    proi_report_end();
    loop->context = context;
    return PRO_OK;
}

/* Continuations that captured it may hold it longer; their posts are refused from now on, and they go to the pool. */
void proi_loop_context_close(struct pro_loop *loop)
{
    struct loop_context *const context = loop->context;

    loop->context = NULL;
    pro_sync_context_unref(&context->base);
}

void *proi_loop_context_enter(struct pro_loop *loop)
{
    struct pro_sync_context *const previous = proi_ambient.context;

    proi_ambient.context = &((struct loop_context *)loop->context)->base;
    return previous;
}

void proi_loop_context_leave(struct pro_loop *loop, void *previous)
{
    (void)loop;
    proi_ambient.context = previous;
}

void proi_loop_context_offload(struct pro_work *work) { proi_pool_post(work, PROI_POOL_HIGH); }

struct pro_sync_context *pro_loop_context(struct pro_loop *loop)
{
    if (!loop) {
        proi_misuse(PRO_E_INVALID, "pro_loop_context: the loop is NULL");
        return NULL;
    }
    /* To what still runs there a loop that is being freed is the loop as ever. */
    return proi_loop_usable(loop) || loop == proi_running_loop ? &((struct loop_context *)loop->context)->base : NULL;
}

/* ---- what awaiters may ask of loops ---- */

int proi_loop_await_op(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter)
{
    return proi_op_submit(op, done, waiter, 0);
}

bool proi_op_is_over(const struct pro_op *op) { return proi_op_answered(op); }
void proi_op_take_back(struct pro_op *op) { proi_op_reclaim(op); }
bool proi_loop_is_current(const struct pro_loop *loop) { return loop && proi_loop_on_thread(loop); }
bool proi_loop_is_background(const struct pro_loop *loop) { return loop && loop->background; }
struct pro_loop *proi_op_loop(const struct pro_op *op) { return op ? op->loop : NULL; }

struct pro_loop *proi_loop_of_context(const struct pro_sync_context *context)
{
    return context && context->vtable == &loop_vtable ? PRO_CONTAINER(context, struct loop_context, base)->loop : NULL;
}

bool proi_context_is_of_loop_here(const struct pro_sync_context *context)
{
    return context && proi_loop_here_has_context(PRO_CONTAINER(context, struct loop_context, base));
}

uint64_t proi_loop_thread(const struct pro_loop *loop)
{
    return loop ? proi_load(&loop->shared.thread, PROI_RELAXED) : 0;
}

bool proi_loop_stopped(struct pro_loop *loop) { return proi_loop_take_stop(loop); }
void proi_loop_poke(struct pro_loop *loop) { proi_loop_poke_raw(loop); }

void proi_loop_block_begin(void)
{
    if (proi_running_loop)
        proi_loop_set_blocked(proi_running_loop, true);
}

void proi_loop_block_end(void)
{
    if (proi_running_loop)
        proi_loop_set_blocked(proi_running_loop, false);
}

struct pro_sync_context *proi_loop_give_way(struct pro_work *work)
{
    struct pro_loop *const loop = proi_running_loop;
    struct pro_sync_context *context;

    if (!loop || loop->background || proi_ambient.scheduler)
        return NULL;
    context = &((struct loop_context *)loop->context)->base;
    if (proi_ambient.context && proi_ambient.context != context)
        return NULL;
    loop->own.stats.posted++;
    proi_loop_append(loop, work);
    return context;
}

struct pro_sync_context *proi_loop_submit_here(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter)
{
    struct pro_loop *const loop = proi_running_loop;

    if (!loop || op->loop != loop || op->state != PRO_OP_READY || op->flags & PROI_OP_FAILED || loop->background ||
        proi_ambient.scheduler || proi_ambient.context != &((struct loop_context *)loop->context)->base)
        return NULL;
    proi_op_submit_here(op, done, waiter);
    return proi_ambient.context;
}

void proi_loop_context_run(struct pro_loop *loop, struct pro_work *work)
{
    struct pro_sync_context *const previous = proi_ambient.context;

    proi_ambient.context = &((struct loop_context *)loop->context)->base;
    work->run(work);
    proi_ambient.context = previous;
}
