/* SPDX-License-Identifier: MIT */
/* Cancelling by way of something else: sources that follow their parents, and the cancellation whose callbacks run on
   the pool. */
#include "cancellation.h"

/* ---- parents ---- */

struct parent_link {
    struct pro_cancellation_registration registration;
    struct pro_cancellation_source *parent; /* held */
    struct pro_cancellation_source *child;
};

/* What the child's callbacks failed with is what this callback fails with: who cancels the parent is told. */
static struct pro_error *parent_canceled(void *arg)
{
    struct parent_link *const link = arg;
    struct pro_cancellation_source *const child = link->child;
    struct pro_error *error;

    if (!proi_cancellation_try_ref(child))
        return NULL; /* it is being freed, and waits for us */
    error = proi_cancellation_cancel_held(child);
    pro_cancellation_source_unref(child);
    return error;
}

static void follow(struct parent_link *link)
{
    const struct pro_cancellation_callback how = { .fallible = parent_canceled, .arg = link, .without_flow = true };

    pro_cancellation_register_callback((struct pro_cancellation_token){ link->parent }, &link->registration, &how);
}

int pro_cancellation_source_new_linked(const struct pro_cancellation_token *tokens, size_t count,
                                       struct pro_cancellation_source **ret_source)
{
    struct pro_cancellation_source *source;

    if (!ret_source || !tokens || !count)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_new_linked: an argument is NULL, or no token given");
    source = proi_cancellation_source_make();
    if (!source)
        return PRO_E_NO_MEMORY;
    source->parents = proi_alloc_zeroed(count * sizeof *source->parents);
    if (!source->parents) {
        pro_cancellation_source_unref(source);
        return PRO_E_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        struct parent_link *const link = &source->parents[source->parent_count];

        if (!tokens[i].source)
            continue;
        link->child = source;
        link->parent = pro_cancellation_source_ref(tokens[i].source);
        source->parent_count += link->parent != NULL; /* NULL: it was freed, and that was told */
    }
    for (size_t i = 0; i < source->parent_count; i++)
        follow(&source->parents[i]);
    *ret_source = source;
    return PRO_OK;
}

void proi_cancellation_unhook_parents(struct pro_cancellation_source *source)
{
    for (size_t i = 0; i < source->parent_count; i++)
        pro_cancellation_unregister(&source->parents[i].registration);
}

void proi_cancellation_leave_parents(struct pro_cancellation_source *source)
{
    for (size_t i = 0; i < source->parent_count; i++) {
        pro_cancellation_unregister_wait(&source->parents[i].registration);
        pro_cancellation_source_unref(source->parents[i].parent);
    }
    proi_free(source->parents);
}

/* ---- cancel async ---- */

struct async_cancel {
    struct pro_work work;
    struct pro_cancellation_source *source; /* held until it has run */
    void *flow;                             /* of the call: what callbacks without one of their own see */
};

static const struct proi_task_class cancel_class = { .name = "cancel async" };

static void run_async_cancel(struct pro_work *work)
{
    struct async_cancel *const it = PRO_CONTAINER(work, struct async_cancel, work);
    struct pro_task *const task = proi_task_of_body(it);
    struct proi_cancel_failures failures = { .stop_at_first = false };
    void *const flow = proi_flow_enter(it->flow);
    struct pro_error *error;

    proi_cancellation_run(it->source, &failures);
    proi_flow_leave(flow);
    pro_cancellation_source_unref(it->source);
    error = proi_cancellation_sum_up(&failures);
    proi_task_reserve(task);
    if (error) /* the aggregate is the task's one error */
        proi_task_fail(task, error, false);
    else
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    pro_task_unref(task);
}

struct pro_task *pro_cancellation_source_cancel_async(struct pro_cancellation_source *source)
{
    struct async_cancel *it;
    struct pro_task *task;
    bool none;
    int code;

    if (!source)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel_async: the source is NULL")));
    code = proi_cancellation_check(source, "pro_cancellation_source_cancel_async");
    if (code < 0)
        return pro_task_from_error(pro_error_of(code));
    task = proi_task_new(&cancel_class, sizeof *it, PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return pro_task_no_memory();
    if (!proi_cancellation_raise(source)) {
        pro_task_unref(task);
        return pro_task_completed();
    }
    proi_lock(&source->lock);
    none = !source->newest;
    proi_unlock(&source->lock);
    if (none) {
        pro_task_unref(task);
        return pro_task_completed();
    }
    it = proi_task_body(task);
    it->source = pro_cancellation_source_ref(source);
    it->flow = proi_flow_capture();
    it->work = (struct pro_work){ .run = run_async_cancel, .task = task };
    pro_task_ref(task); /* the item's */
    proi_pool_post(&it->work, PROI_POOL_GLOBAL);
    return task;
}
