/* SPDX-License-Identifier: MIT */
/* Following another task: Task.Run of an async lambda, and Unwrap. */
#include "internal.h"

#include <string.h>

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

static const struct proi_task_class unwrap_class = { .name = "unwrap",
                                                     .destroy = destroy_unwrap,
                                                     .needs = unwrap_needs };

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
    const struct proi_ambient saved = proi_ambient;
    struct pro_task *inner;
    void *flow;

    if (pro_cancellation_token_is_canceled(unwrap->token)) {
        proi_task_reserve(task);
        proi_task_fail(task, pro_error_canceled(&unwrap->token), true);
        pro_task_unref(task);
        return;
    }
    flow = proi_flow_enter(unwrap->flow);
    unwrap->flow = NULL;
    /* Until its first suspension the body runs as a delegate's does (SEM-013); nothing attaches to it: it is no
       delegate, and Task.Run denies that anyway. */
    proi_ambient.task = task;
    proi_ambient.scheduler = NULL;
    inner = unwrap->body(unwrap->arg);
    proi_ambient.task = saved.task;
    proi_ambient.scheduler = saved.scheduler;
    proi_ambient.context = saved.context;
    proi_flow_leave(flow);
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
    if (pro_cancellation_token_is_canceled(token)) /* at once: it need not wait for the pool to say so (SEM-175) */
        return pro_task_from_canceled(token);
    task = proi_task_new(&unwrap_class, sizeof *unwrap, type, PRO_TASK_WAITING_FOR_ACTIVATION);
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

/* ---- Unwrap ---- */

struct proxy {
    struct pro_task *outer, *inner; /* held; inner: once outer has succeeded */
    struct pro_continuation continuation;
};

static void destroy_proxy(struct pro_task *task)
{
    struct proxy *const proxy = proi_task_body(task);

    pro_task_unref(proxy->outer);
    pro_task_unref(proxy->inner);
}

static bool proxy_needs(const struct pro_task *task, void (*visit)(struct pro_task *needed, void *arg), void *arg)
{
    struct proxy *const proxy = proi_task_body((struct pro_task *)(uintptr_t)task);
    struct pro_task *const inner = proi_load(&proxy->inner, PROI_ACQUIRE);
    struct pro_task *const needed = inner ? inner : proi_load(&proxy->outer, PROI_ACQUIRE);

    if (needed)
        visit(needed, arg);
    return true;
}

static const struct proi_task_class proxy_class = { .name = "unwrap", .destroy = destroy_proxy, .needs = proxy_needs };

static void proxy_inner_completed(struct pro_continuation *continuation)
{
    struct proxy *const proxy = PRO_CONTAINER(continuation, struct proxy, continuation);
    struct pro_task *const task = proi_task_of_body(proxy);

    proi_task_reserve(task);
    proi_task_follow(task, proxy->inner);
    pro_task_unref(task);
}

/* The task in the result of @outer, referenced; NULL: it has none. */
static struct pro_task *inner_of(struct pro_task *outer)
{
    struct pro_task *inner = NULL;

    return proi_task_take(outer, &inner, PRO_TYPE(struct pro_task *), NULL) == PRO_OK && inner
               ? proi_task_drop(outer) ? inner : pro_task_ref(inner) /* a result with an owner has moved here */
               : NULL;
}

static void outer_completed(struct pro_continuation *continuation)
{
    struct proxy *const proxy = PRO_CONTAINER(continuation, struct proxy, continuation);
    struct pro_task *const task = proi_task_of_body(proxy);

    if (!pro_task_is_succeeded(proxy->outer)) {
        proi_task_reserve(task);
        proi_task_follow(task, proxy->outer);
        pro_task_unref(task);
        return;
    }
    proi_store(&proxy->inner, inner_of(proxy->outer), PROI_RELEASE);
    if (!proxy->inner)
        proi_store(&proxy->inner, pro_task_from_canceled(PRO_TOKEN_NONE), PROI_RELEASE); /* SEM-178 */
    proi_continuation_make(&proxy->continuation, proxy_inner_completed, PROI_CONTINUATION_ACTION);
    if (!proi_task_add(proxy->inner, &proxy->continuation))
        proxy_inner_completed(&proxy->continuation);
}

struct pro_task *pro_task_unwrap(struct pro_task *outer, struct pro_type type)
{
    struct pro_task *task;
    struct proxy *proxy;

    if (!outer || (pro_task_is_completed(outer) && pro_task_is_succeeded(outer) && outer->type.size != sizeof outer))
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_unwrap: the result of the outer task is no task")));
    if (pro_task_is_succeeded(outer)) {
        task = inner_of(outer);
        return task ? task : pro_task_from_canceled(PRO_TOKEN_NONE);
    }
    task = proi_task_new(&proxy_class, sizeof *proxy, type, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return pro_task_no_memory();
    proxy = proi_task_body(task);
    proi_store(&proxy->outer, pro_task_ref(outer), PROI_RELEASE);
    proi_continuation_make(&proxy->continuation, outer_completed, PROI_CONTINUATION_ACTION);
    pro_task_ref(task); /* the continuation's */
    if (!proi_task_add(outer, &proxy->continuation))
        outer_completed(&proxy->continuation);
    return task;
}
