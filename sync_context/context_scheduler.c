/* SPDX-License-Identifier: MIT */
/* Two schedulers without a queue of their own: that of a context (SEM-269), and the inline one. */
#include "internal.h"

#include <proact/schedulers.h>

/* ---- of a context ---- */
struct context_scheduler {
    struct pro_task_scheduler scheduler; /* first */
    struct pro_sync_context *context;    /* held */
};

static struct pro_sync_context *context_of(struct pro_task_scheduler *scheduler)
{
    return PRO_CONTAINER(scheduler, struct context_scheduler, scheduler)->context;
}

static int context_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    proi_context_post(context_of(scheduler), work);
    return PRO_OK;
}

/* What was queued stays with the context, as a no-op (SEM-148). */
static bool context_try_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)was_queued;
    if (proi_ambient.context != context_of(scheduler))
        return false;
    pro_work_run(work);
    return true;
}

static void context_for_each_queued(struct pro_task_scheduler *scheduler,
                                    void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    struct pro_sync_context *context = context_of(scheduler);

    if (context->vtable && context->vtable->for_each_queued)
        context->vtable->for_each_queued(context, visit, arg);
}

static void context_destroy(struct pro_task_scheduler *scheduler)
{
    pro_sync_context_unref(context_of(scheduler));
    proi_free(scheduler);
}

static const struct pro_task_scheduler_vtable context_vtable = {
    .queue = context_queue,
    .try_inline = context_try_inline,
    .destroy = context_destroy,
    .for_each_queued = context_for_each_queued,
};

int pro_task_scheduler_from_current_context(struct pro_task_scheduler **ret_scheduler)
{
    struct context_scheduler *it;

    if (!ret_scheduler)
        return proi_misuse(PRO_E_INVALID, "pro_task_scheduler_from_current_context: ret_scheduler is NULL");
    if (!proi_ambient.context)
        return proi_misuse(PRO_E_STATE,
                           "pro_task_scheduler_from_current_context: no context is current on this thread");
    it = proi_alloc_zeroed(sizeof *it);
    if (!it)
        return PRO_E_NO_MEMORY;
    it->context = pro_sync_context_ref(proi_ambient.context);
    pro_task_scheduler_init(&it->scheduler, &context_vtable, it->context->name);
    it->scheduler.max_concurrency = 1;
    *ret_scheduler = &it->scheduler;
    return PRO_OK;
}

/* ---- inline ---- */
enum { MOST_NESTED = 1000, STACK_NEEDED = 128 * 1024 };

static PROI_THREAD_LOCAL unsigned nested; /* items that run inside each other here */

static int inline_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler;
    /* A chain whose links each start the next one must end, too. */
    if (nested >= MOST_NESTED || proi_stack_left() < STACK_NEEDED) {
        proi_pool_post(work, PROI_POOL_LOCAL);
        return PRO_OK;
    }
    nested++;
    pro_work_run(work);
    nested--;
    return PRO_OK;
}

static bool inline_try_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)scheduler, (void)was_queued; /* one that was queued has run, or waits in the pool and becomes a no-op there */
    pro_work_run(work);
    return true;
}

static const struct pro_task_scheduler_vtable inline_vtable = { .queue = inline_queue,
                                                                .try_inline = inline_try_inline };
/* Its first reference is never given back. */
static struct pro_task_scheduler inline_scheduler = { .vtable = &inline_vtable, .name = "inline", .references = 1 };

struct pro_task_scheduler *pro_task_scheduler_inline(void) { return &inline_scheduler; }
