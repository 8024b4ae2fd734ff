/* SPDX-License-Identifier: MIT */
/* The pump: one queue, run in order by one thread at a time, like a user interface's message loop (SEM-114, SEM-120).
   Runs nest: an item may call pro_pump_run_until() and so let other items run inside itself. */
#include <string.h>

#include "call.h"

struct pro_pump {
    struct pro_sync_context context; /* first; its references keep the pump's memory */
    struct proi_mutex lock;          /* guards all below                             */
    struct proi_condition changed;   /* an item came, stop was asked for, or the task of a nested run is complete */
    struct proi_work_list queue;
    uint64_t owner; /* the thread that runs it; 0: none. Only that thread takes it off again */
    unsigned depth; /* nested runs */
    bool asleep;    /* the owner waits for changed: only then is a signal, a system call, worth making */
    bool stopping;  /* every run returns; the outermost one takes the request back */
    bool closed;    /* freed: posts are refused */
};

static struct pro_pump *pump_of(struct pro_sync_context *context)
{
    return PRO_CONTAINER(context, struct pro_pump, context);
}

/* Under the lock: once that is free the pump may be freed by what it has woken up for. */
static void pump_wake(struct pro_pump *pump)
{
    if (pump->asleep)
        proi_condition_signal(&pump->changed); /* only the owner ever waits */
}

/* ---- the context ---- */
static int pump_post(struct pro_sync_context *context, struct pro_work *work)
{
    struct pro_pump *pump = pump_of(context);
    int code = PRO_E_STATE;

    proi_lock(&pump->lock);
    if (!pump->closed) {
        proi_work_list_push(&pump->queue, work);
        code = PRO_OK;
        pump_wake(pump);
    }
    proi_unlock(&pump->lock);
    return code;
}

/* Runs one item with the context installed anew (SEM-114), whatever the item before has left behind. */
static void pump_run_item(struct pro_pump *pump, struct pro_work *work)
{
    proi_ambient_enter((struct proi_ambient){ .context = &pump->context });
    pro_work_run(work);
}

static void pump_send(struct pro_sync_context *context, struct pro_work *work)
{
    struct pro_pump *pump = pump_of(context);
    uint64_t owner;
    bool own;

    proi_lock(&pump->lock);
    owner = pump->owner;
    proi_unlock(&pump->lock);
    /* Nobody runs it, but this thread has made its context current: this is its thread. Waiting would be for itself. */
    own = owner ? owner == proi_thread_id() : proi_ambient.context == context;
    if (own) {
        struct proi_ambient saved = proi_ambient;

        proi_ambient.context = context;
        pro_work_run(work);
        proi_ambient_leave(saved);
    } else {
        proi_context_post_and_wait(context, work);
    }
}

static bool pump_owner_thread(struct pro_sync_context *context, uint64_t *ret_thread)
{
    struct pro_pump *pump = pump_of(context);
    uint64_t owner;

    proi_lock(&pump->lock);
    owner = pump->owner;
    proi_unlock(&pump->lock);
    if (owner)
        *ret_thread = owner;
    return owner != 0;
}

static void pump_for_each_queued(struct pro_sync_context *context, void (*visit)(struct pro_work *work, void *arg),
                                 void *arg)
{
    struct pro_pump *pump = pump_of(context);

    proi_lock(&pump->lock);
    proi_work_list_visit(&pump->queue, visit, arg);
    proi_unlock(&pump->lock);
}

static void pump_destroy(struct pro_sync_context *context) { proi_free(pump_of(context)); }

static const struct pro_sync_context_vtable pump_vtable = {
    .post = pump_post,
    .send = pump_send,
    .destroy = pump_destroy,
    .owner_thread = pump_owner_thread,
    .for_each_queued = pump_for_each_queued,
    .post_flows = true,
};

/* ---- making and freeing ---- */
int pro_pump_new(const char *name, struct pro_pump **ret_pump)
{
    struct pro_pump *pump;

    if (!ret_pump)
        return proi_misuse(PRO_E_INVALID, "pro_pump_new: ret_pump is NULL; pass the address where the pump is to go");
    pump = proi_alloc_zeroed(sizeof *pump);
    if (!pump)
        return PRO_E_NO_MEMORY;
    pro_sync_context_init(&pump->context, &pump_vtable, name);
    *ret_pump = pump;
    return PRO_OK;
}

int pro_pump_free(struct pro_pump *pump)
{
    struct proi_work_list left;
    struct pro_work *work;

    if (!pump)
        return PRO_OK;
    proi_lock(&pump->lock);
    if (pump->depth) {
        proi_unlock(&pump->lock);
        return proi_misuse(PRO_E_STATE, "pro_pump_free: pump \"%s\" is running; stop it and let its run return first",
                           pump->context.name ? pump->context.name : "");
    }
    pump->closed = true;
    left = pump->queue;
    pump->queue = (struct proi_work_list){ .head = NULL };
    proi_unlock(&pump->lock);
    while ((work = proi_work_list_pop(&left)) != NULL)
        proi_pool_post(work, PROI_POOL_GLOBAL);
    pro_sync_context_unref(&pump->context); /* those who captured it keep the memory, and are refused */
    return PRO_OK;
}

struct pro_sync_context *pro_pump_context(struct pro_pump *pump) { return pump ? &pump->context : NULL; }

size_t pro_pump_pending(const struct pro_pump *pump)
{
    struct pro_pump *own = (struct pro_pump *)(uintptr_t)pump; /* only its lock is written */
    size_t count;

    if (!own)
        return 0;
    proi_lock(&own->lock);
    count = own->queue.count;
    proi_unlock(&own->lock);
    return count;
}

/* ---- running ---- */
static int pump_enter(struct pro_pump *pump, const char *caller)
{
    uint64_t self = proi_thread_id(), owner;

    proi_lock(&pump->lock);
    owner = pump->owner;
    if (!owner || owner == self) {
        pump->owner = self;
        pump->depth++;
    }
    proi_unlock(&pump->lock);
    if (!owner || owner == self)
        return PRO_OK;
    return proi_misuse(PRO_E_STATE, "%s: thread %llu runs the pump \"%s\" already; post to its context instead", caller,
                       (unsigned long long)owner, pump->context.name ? pump->context.name : "");
}

static void pump_leave(struct pro_pump *pump)
{
    proi_lock(&pump->lock);
    if (--pump->depth == 0)
        pump->owner = 0;
    proi_unlock(&pump->lock);
}

/* Takes the next item; sleeps for it. NULL: stop was asked for, or @task, unless NULL, is complete. */
static struct pro_work *pump_take(struct pro_pump *pump, struct pro_task *task, bool *ret_stopped)
{
    struct pro_work *work = NULL;

    proi_lock(&pump->lock);
    for (;;) {
        /* The task's completion signals under this lock, after the task's word says "complete": either it is seen here,
           or the signal finds this thread asleep. */
        if (task && pro_task_is_completed(task))
            break;
        *ret_stopped = pump->stopping;
        if (*ret_stopped)
            break;
        work = proi_work_list_pop(&pump->queue);
        if (work)
            break;
        pump->asleep = true;
        proi_condition_wait(&pump->changed, &pump->lock, -1);
        pump->asleep = false;
    }
    if (*ret_stopped && pump->depth == 1)
        pump->stopping = false;
    proi_unlock(&pump->lock);
    return work;
}

/* True: pro_pump_stop() ended it. */
static bool pump_loop(struct pro_pump *pump, struct pro_task *task)
{
    struct proi_ambient saved = proi_ambient;
    struct pro_work *work;
    bool stopped = false;

    while ((work = pump_take(pump, task, &stopped)) != NULL)
        pump_run_item(pump, work);
    proi_ambient_leave(saved);
    return stopped;
}

int pro_pump_run(struct pro_pump *pump)
{
    int code;

    if (!pump)
        return proi_misuse(PRO_E_INVALID, "pro_pump_run: the pump is NULL; make one with pro_pump_new()");
    code = pump_enter(pump, "pro_pump_run");
    if (code != PRO_OK)
        return code;
    pump_loop(pump, NULL);
    pump_leave(pump);
    return PRO_OK;
}

int pro_pump_run_pending(struct pro_pump *pump)
{
    struct proi_ambient saved = proi_ambient;
    struct pro_work *work;
    size_t left;
    int count = 0, code;

    if (!pump)
        return proi_misuse(PRO_E_INVALID, "pro_pump_run_pending: the pump is NULL; make one with pro_pump_new()");
    code = pump_enter(pump, "pro_pump_run_pending");
    if (code != PRO_OK)
        return code;
    for (left = pro_pump_pending(pump); left > 0 && count < INT32_MAX; left--) {
        proi_lock(&pump->lock);
        work = proi_work_list_pop(&pump->queue);
        proi_unlock(&pump->lock);
        if (!work) /* a run nested in an item has taken the rest */
            break;
        pump_run_item(pump, work);
        count++;
    }
    proi_ambient_leave(saved);
    pump_leave(pump);
    return count;
}

int pro_pump_stop(struct pro_pump *pump)
{
    if (!pump)
        return proi_misuse(PRO_E_INVALID, "pro_pump_stop: the pump is NULL; make one with pro_pump_new()");
    proi_lock(&pump->lock);
    pump->stopping = true;
    pump_wake(pump);
    proi_unlock(&pump->lock);
    return PRO_OK;
}

/* ---- until a task is complete ---- */

/* A context whose items run inside post: what is captured with it runs on the thread that completes the task, at once.
   The bell below must not go through a pool that may be starved, nor through the queue of the pump that sleeps. */
static int at_once_post(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    pro_work_run(work);
    return PRO_OK;
}
static const struct pro_sync_context_vtable at_once_vtable = { .post = at_once_post };
/* Never destroyed: its own first reference is never given back. */
static struct pro_sync_context at_once = { .vtable = &at_once_vtable, .name = "pump bell", .references = 1 };

/* Wakes the pump when a task completes. It belongs to the task's list, not to the run that waits: a run that was
   stopped may be gone when it rings, so it keeps the pump's memory and frees itself. */
struct bell {
    struct pro_continuation continuation;
    struct pro_pump *pump;
};

static void bell_ring(struct pro_continuation *continuation)
{
    struct bell *bell = PRO_CONTAINER(continuation, struct bell, continuation);
    struct pro_pump *pump = bell->pump;

    proi_block_free(bell, sizeof *bell);
    proi_lock(&pump->lock);
    pump_wake(pump);
    proi_unlock(&pump->lock);
    pro_sync_context_unref(&pump->context);
}

static int bell_hang(struct pro_pump *pump, struct pro_task *task)
{
    struct bell *bell = proi_block_alloc(sizeof *bell);
    struct pro_sync_context *previous;
    int code;

    if (!bell)
        return PRO_E_NO_MEMORY;
    memset(bell, 0, sizeof *bell);
    pro_continuation_init(&bell->continuation, bell_ring);
    bell->pump = pump;
    pro_sync_context_ref(&pump->context);
    previous = pro_sync_context_set(&at_once);
    code = pro_awaiter_unsafe_on_completed(pro_task_get_awaiter(task), &bell->continuation,
                                           PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    pro_sync_context_set(previous);
    if (code != PRO_OK) {
        pro_sync_context_unref(&pump->context);
        proi_block_free(bell, sizeof *bell);
    }
    return code;
}

int pro_pump_run_until(struct pro_pump *pump, struct pro_task *task)
{
    int code;

    if (!pump || !task)
        return proi_misuse(PRO_E_INVALID,
                           "pro_pump_run_until: the %s is NULL; use pro_pump_run() to run without an end",
                           pump ? "task" : "pump");
    code = pump_enter(pump, "pro_pump_run_until");
    if (code != PRO_OK)
        return code;
    if (!pro_task_is_completed(task))
        code = bell_hang(pump, task);
    if (code == PRO_OK && pump_loop(pump, task))
        code = PRO_E_CANCELED; /* stopped before the task was complete */
    pump_leave(pump);
    return code;
}
