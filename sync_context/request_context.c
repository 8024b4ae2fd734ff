/* SPDX-License-Identifier: MIT */
/* The request context of classic ASP.NET: bound to no thread, but its items run one at a time, in order, on whichever
   pool thread comes (SEM-123…125). A thread that blocks inside an item keeps the turn, and all other items wait
   (SEM-124). The serial context is the same on any scheduler. */
#include "call.h"

#include <proact/schedulers.h>

struct request_context {
    struct pro_sync_context context;   /* first */
    struct pro_task_scheduler *target; /* where turns are taken; held; NULL: the pool */
    struct proi_mutex lock;            /* guards all below */
    struct proi_work_list queue;
    struct pro_work
        turn;        /* the context's own place in the pool's queue: at most one, while there is something to run */
    bool taken;      /* the turn is queued or running; holds a reference */
    uint64_t holder; /* the thread that runs an item now; 0: none */

    size_t operations;           /* async void methods that have begun and not ended */
    struct pro_error *error;     /* the first that nothing handled; held */
    pro_request_ended_fn *ended; /* set once the handler has returned; called when operations is 0 */
    void *user;
};

static struct request_context *request_of(struct pro_sync_context *context)
{
    return PRO_CONTAINER(context, struct request_context, context);
}

/* A scheduler that refuses is as a context that does: the pool takes over. */
static void queue_turn(struct request_context *request, bool fairly)
{
    if (proi_scheduler_queue(request->target, &request->turn, fairly) < 0)
        proi_pool_post(&request->turn, PROI_POOL_GLOBAL);
}

static int request_post(struct pro_sync_context *context, struct pro_work *work)
{
    struct request_context *request = request_of(context);
    bool begin;

    proi_lock(&request->lock);
    proi_work_list_push(&request->queue, work);
    begin = !request->taken;
    request->taken = true;
    if (begin)
        pro_sync_context_ref(context); /* before the lock is free: the item may drop the poster's */
    proi_unlock(&request->lock);
    if (begin)
        queue_turn(request, true);
    return PRO_OK;
}

/* Runs the oldest item, then gives up the thread: the next item is a new item of the pool. */
static void request_turn(struct pro_work *turn)
{
    struct request_context *request = PRO_CONTAINER(turn, struct request_context, turn);
    struct proi_ambient saved;
    struct pro_work *work;
    bool more;

    proi_lock(&request->lock);
    work = proi_work_list_pop(&request->queue); /* there is one: a turn is taken only with an item */
    request->holder = proi_thread_id();
    proi_unlock(&request->lock);

    saved = proi_ambient_enter((struct proi_ambient){ .context = &request->context });
    pro_work_run(work);
    proi_ambient_leave(saved);

    proi_lock(&request->lock);
    request->holder = 0;
    more = request->queue.count != 0;
    request->taken = more;
    proi_unlock(&request->lock);
    /* Not taken any more: a new post may take the turn at once, elsewhere; only the reference is ours then. */
    if (more)
        queue_turn(request, false);
    else
        pro_sync_context_unref(&request->context);
}

static void request_send(struct pro_sync_context *context, struct pro_work *work)
{
    if (proi_ambient.context == context)
        pro_work_run(work);
    else
        proi_context_post_and_wait(context, work);
}

/* While an item runs no other thread can run the next one: whoever has the turn is the owner. */
static bool request_owner_thread(struct pro_sync_context *context, uint64_t *ret_thread)
{
    struct request_context *request = request_of(context);
    uint64_t holder;

    proi_lock(&request->lock);
    holder = request->holder;
    proi_unlock(&request->lock);
    if (holder)
        *ret_thread = holder;
    return holder != 0;
}

static void request_for_each_queued(struct pro_sync_context *context, void (*visit)(struct pro_work *work, void *arg),
                                    void *arg)
{
    struct request_context *request = request_of(context);

    proi_lock(&request->lock);
    proi_work_list_visit(&request->queue, visit, arg);
    proi_unlock(&request->lock);
}

/* ---- the end of a request: not before the operations that it started (SEM-126), and with their error (SEM-127) ----
 */

/* Calls back once, outside the lock, when the handler has returned and no operation is open. Called with the lock held;
 * frees it. */
static void end_if_over(struct request_context *request)
{
    pro_request_ended_fn *const ended = request->operations ? NULL : request->ended;
    struct pro_error *error = NULL;

    if (ended) {
        request->ended = NULL;
        error = request->error;
        request->error = NULL;
    }
    proi_unlock(&request->lock);
    if (ended)
        ended(error, request->user);
    pro_error_unref(error);
}

static void request_operation_started(struct pro_sync_context *context)
{
    struct request_context *const request = request_of(context);

    proi_lock(&request->lock);
    request->operations++;
    proi_unlock(&request->lock);
}

/* Behind what is posted: the error of an async void method is posted before its operation is counted as completed. */
static void operation_over(void *arg)
{
    struct request_context *const request = arg;

    proi_lock(&request->lock);
    request->operations--;
    end_if_over(request);
    pro_sync_context_unref(&request->context);
}

static void request_operation_completed(struct pro_sync_context *context)
{
    pro_sync_context_ref(context);
    if (pro_sync_context_post(context, operation_over, context) < 0)
        operation_over(context);
}

static void request_unhandled_error(struct pro_sync_context *context, struct pro_error *error)
{
    struct request_context *const request = request_of(context);

    proi_lock(&request->lock);
    if (!request->error)
        request->error = pro_error_ref(error);
    proi_unlock(&request->lock);
}

static void request_destroy(struct pro_sync_context *context)
{
    pro_error_unref(request_of(context)->error);
    pro_task_scheduler_unref(request_of(context)->target);
    proi_free(request_of(context));
}

static const struct pro_sync_context_vtable request_vtable = {
    .post = request_post,
    .send = request_send,
    .operation_started = request_operation_started,
    .operation_completed = request_operation_completed,
    .unhandled_error = request_unhandled_error,
    .destroy = request_destroy,
    .owner_thread = request_owner_thread,
    .for_each_queued = request_for_each_queued,
    .post_flows = true,
};

static int context_new(const char *name, struct pro_task_scheduler *target, struct pro_sync_context **ret_context)
{
    struct request_context *request = proi_alloc_zeroed(sizeof *request);

    if (!request)
        return PRO_E_NO_MEMORY;
    pro_sync_context_init(&request->context, &request_vtable, name);
    request->turn.run = request_turn;
    request->target = pro_task_scheduler_ref(target);
    *ret_context = &request->context;
    return PRO_OK;
}

int pro_request_context_new(const char *name, struct pro_sync_context **ret_context)
{
    if (!ret_context)
        return proi_misuse(PRO_E_INVALID,
                           "pro_request_context_new: ret_context is NULL; pass the address where the context is to go");
    return context_new(name, NULL, ret_context);
}

int pro_serial_context_new(const char *name, struct pro_task_scheduler *target, struct pro_sync_context **ret_context)
{
    if (!ret_context || (target && (!target->vtable || !target->vtable->queue)))
        return proi_misuse(
            PRO_E_INVALID,
            "pro_serial_context_new: ret_context is NULL, or the scheduler was not made by pro_task_scheduler_init()");
    return context_new(name, target, ret_context);
}

size_t pro_request_context_pending(struct pro_sync_context *context)
{
    struct request_context *request;
    size_t count;

    if (!context || context->vtable != &request_vtable)
        return 0;
    request = request_of(context);
    proi_lock(&request->lock);
    count = request->queue.count;
    proi_unlock(&request->lock);
    return count;
}

int pro_request_context_end(struct pro_sync_context *context, pro_request_ended_fn *ended, void *user)
{
    struct request_context *request;

    if (!context || context->vtable != &request_vtable || !ended)
        return proi_misuse(PRO_E_INVALID, "pro_request_context_end: no request context, or no function to call");
    request = request_of(context);
    proi_lock(&request->lock);
    request->ended = ended;
    request->user = user;
    end_if_over(request);
    return PRO_OK;
}
