/* SPDX-License-Identifier: MIT */
/* The awaiters of the library: tasks, yield, context switch; and ConfigureAwait. That of ops is in await_op.c. */
#include "trace.h"

/* ---- tasks ---- */

static bool task_is_completed(void *self) { return pro_task_is_completed(self); }

static void task_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    pro_continuation_capture(continuation, options);
    if (!self || !proi_task_add(self, continuation))
        proi_continuation_dispatch(continuation, false); /* it completed meanwhile: never inline (SEM-044) */
}

static int task_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    if (!pro_task_is_completed(self)) /* SEM-031 */
        return pro_task_get_result(self, ret_result, type, ret_error, PRO_SITE_UNKNOWN);
    return proi_task_take(self, ret_result, type, ret_error);
}

static void task_release(void *self) { pro_task_unref(self); }
static struct pro_task *task_awaited(void *self) { return self; }

static const struct pro_awaiter_vtable borrowed_task = { .is_completed = task_is_completed,
                                                         .on_completed = task_on_completed,
                                                         .get_result = task_get_result,
                                                         .awaited_task = task_awaited };
const struct pro_awaiter_vtable proi_owned_task = { .is_completed = task_is_completed,
                                                    .on_completed = task_on_completed,
                                                    .get_result = task_get_result,
                                                    .release = task_release,
                                                    .awaited_task = task_awaited };

/* Stand for a task that is none, or none any more. */
static int stale_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type;
    if (ret_error)
        *ret_error = pro_error_of(PRO_E_STATE);
    return PRO_E_STATE;
}

static int invalid_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type;
    if (ret_error)
        *ret_error = pro_error_of(PRO_E_INVALID);
    return PRO_E_INVALID;
}

static const struct pro_awaiter_vtable invalid_task = { .is_completed = task_is_completed, /* NULL is */
                                                        .on_completed = task_on_completed,
                                                        .get_result = invalid_get_result };
static const struct pro_awaiter_vtable stale_task = { .is_completed = task_is_completed, /* as above */
                                                      .on_completed = task_on_completed,
                                                      .get_result = stale_get_result };

struct pro_awaiter pro_task_get_awaiter(struct pro_task *task)
{
    if (!task) {
        proi_misuse(PRO_E_INVALID, "pro_task_get_awaiter: the task is NULL");
        return (struct pro_awaiter){ &invalid_task, NULL };
    }
    if (proi_task_is_stale(task, "pro_task_get_awaiter"))
        return (struct pro_awaiter){ &stale_task, NULL };
    return (struct pro_awaiter){ &borrowed_task, task };
}

/* ---- yield and switch: never complete, and nothing to give ---- */

static bool never_completed(void *self)
{
    (void)self;
    return false;
}

static int no_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type, (void)ret_error;
    return PRO_OK;
}

/* What was yielded with no context resumes with none; the loop puts its own back. */
static void resume_bare(struct pro_work *work)
{
    proi_ambient.context = NULL;
    proi_continuation_invoke(PRO_CONTAINER(work, struct pro_continuation, work));
}

static void yield_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    struct pro_sync_context *const loop = proi_loop_give_way(&continuation->work);

    (void)self, (void)options; /* cannot be configured (SEM-106) */
    if (loop) {                /* the queued item keeps the loop alive: its context need not be held */
        continuation->captured = proi_ambient.context;
        if (continuation->work.task)
            proi_store(&continuation->work.task->awaits_context, (uintptr_t)loop, PROI_RELEASE);
        if (!proi_ambient.context)
            continuation->work.run = resume_bare;
        proi_trace_dispatched(continuation);
        return;
    }
    pro_continuation_capture(continuation, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    if (!continuation->captured) {
        proi_trace_dispatched(continuation);
        proi_pool_post(&continuation->work, PROI_POOL_GLOBAL); /* SEM-105 */
    } else {
        proi_continuation_dispatch(continuation, false);
    }
}

const struct pro_awaiter_vtable proi_yield_awaiter = { .is_completed = never_completed,
                                                       .on_completed = yield_on_completed,
                                                       .get_result = no_result };

struct pro_awaiter pro_yield(void) { return (struct pro_awaiter){ &proi_yield_awaiter, NULL }; }

static void switch_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)options;
    if (!self) {
        proi_pool_post(&continuation->work, PROI_POOL_GLOBAL);
        return;
    }
    /* Held until it has run: it may run on the pool, when the context refuses, and reports look at the context. */
    continuation->captured = self;
    continuation->flags |= PROI_CONTINUATION_HELD;
    proi_context_capture(self);
    if (continuation->work.task)
        proi_store(&continuation->work.task->awaits_context, (uintptr_t)self, PROI_RELEASE);
    proi_context_post(self, &continuation->work);
}

static const struct pro_awaiter_vtable switch_vtable = { .is_completed = never_completed,
                                                         .on_completed = switch_on_completed,
                                                         .get_result = no_result };

struct pro_awaiter pro_switch_to(struct pro_sync_context *context)
{
    return (struct pro_awaiter){ &switch_vtable, context };
}

/* ---- asking any awaiter ---- */

static bool is_whole(struct pro_awaiter awaiter)
{
    return awaiter.vtable && awaiter.vtable->is_completed && awaiter.vtable->on_completed && awaiter.vtable->get_result;
}

bool pro_awaiter_is_completed(struct pro_awaiter awaiter)
{
    if (!is_whole(awaiter)) {
        proi_misuse(PRO_E_INVALID, "pro_awaiter_is_completed: the awaiter lacks one of its three functions");
        return true;
    }
    return awaiter.vtable->is_completed(awaiter.self);
}

/* The raw form flows the execution context to the continuation (SEM-030). */
int pro_awaiter_on_completed(struct pro_awaiter awaiter, struct pro_continuation *continuation, unsigned options)
{
    if (!is_whole(awaiter) || !continuation || !continuation->invoke)
        return proi_misuse(PRO_E_INVALID, "pro_awaiter_on_completed: an argument is not complete");
    continuation->flow = proi_flow_capture();
    awaiter.vtable->on_completed(awaiter.self, continuation, options);
    return PRO_OK;
}

int pro_awaiter_unsafe_on_completed(struct pro_awaiter awaiter, struct pro_continuation *continuation, unsigned options)
{
    if (!is_whole(awaiter) || !continuation || !continuation->invoke)
        return proi_misuse(PRO_E_INVALID, "pro_awaiter_unsafe_on_completed: an argument is not complete");
    continuation->flow = PROI_FLOW_NOT_CAPTURED; /* it runs under whatever its thread has (SEM-030) */
    if (awaiter.vtable->unsafe_on_completed)
        awaiter.vtable->unsafe_on_completed(awaiter.self, continuation, options);
    else
        awaiter.vtable->on_completed(awaiter.self, continuation, options);
    return PRO_OK;
}

int pro_awaiter_get_result(struct pro_awaiter awaiter, void *ret_result, struct pro_type type,
                           struct pro_error **ret_error)
{
    if (!is_whole(awaiter))
        return proi_misuse(PRO_E_INVALID, "pro_awaiter_get_result: the awaiter lacks one of its three functions");
    return awaiter.vtable->get_result(awaiter.self, ret_result, type, ret_error);
}

/* ---- ConfigureAwait ---- */

#define KNOWN_OPTIONS                                                                                                  \
    ((unsigned)(PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT | PRO_AWAIT_SUPPRESS_THROWING | PRO_AWAIT_FORCE_YIELDING))

static struct pro_configured_awaiter configured(struct pro_awaiter awaiter, unsigned options)
{
    if (options & ~KNOWN_OPTIONS)
        proi_misuse(PRO_E_INVALID, "ConfigureAwait: unknown options (SEM-102)");
    return (struct pro_configured_awaiter){ awaiter, options & KNOWN_OPTIONS };
}

struct pro_configured_awaiter pro_configure_await(struct pro_task *task, unsigned options)
{
    if (!task) {
        proi_misuse(PRO_E_INVALID, "the awaited task is NULL");
        task = pro_task_from_error(pro_error_of(PRO_E_INVALID));
    } else if (proi_task_is_stale(task, "an await")) {
        task = pro_task_from_error(pro_error_of(PRO_E_STATE));
    } else if (options & ~KNOWN_OPTIONS || (options & PRO_AWAIT_SUPPRESS_THROWING && task->type.size)) {
        proi_misuse(PRO_E_INVALID,
                    "ConfigureAwait: unknown options, or a failure suppressed that would leave no result (SEM-103)");
        pro_task_unref(task);
        task = pro_task_from_error(pro_error_of(PRO_E_INVALID));
        options = PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT; /* the error must show */
    }
    return configured((struct pro_awaiter){ &proi_owned_task, task }, options);
}

struct pro_configured_awaiter pro_configure_await_kept(struct pro_kept_task kept, unsigned options)
{
    return pro_configure_await(pro_task_ref(kept.task), options);
}

struct pro_configured_awaiter pro_configure_await_op(struct pro_op *op, unsigned options)
{
    return configured(pro_op_get_awaiter(op), options);
}

struct pro_configured_awaiter pro_configure_await_awaiter(struct pro_awaiter awaiter, unsigned options)
{
    if (!is_whole(awaiter)) {
        proi_misuse(PRO_E_INVALID, "the awaited awaiter lacks one of its three functions");
        awaiter = (struct pro_awaiter){ &proi_owned_task, pro_task_from_error(pro_error_of(PRO_E_INVALID)) };
    }
    return configured(awaiter, options);
}

struct pro_configured_awaiter pro_configure_await_again(struct pro_configured_awaiter awaiter, unsigned options)
{
    return pro_configure_await_awaiter(awaiter.awaiter, options);
}
