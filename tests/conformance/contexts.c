/* SPDX-License-Identifier: MIT */
/* The scenarios' own synchronization contexts, written on the public vtable as any user would: PumpContext with its
   UiThread, and RequestContext. */
#include "harness.h"

/* An action on its way through a queue. */
struct item {
    struct pro_work work;
    action_fn *fn;
    void *arg;
};

static void item_run(struct pro_work *work)
{
    struct item item = *(struct item *)work;
    free(work);
    item.fn(item.arg);
}

static struct pro_work *item_new(action_fn *fn, void *arg)
{
    struct item *item = memory_new(sizeof *item);
    item->work.run = item_run;
    item->fn = fn, item->arg = arg;
    return &item->work;
}

/* What Send queues: it wraps somebody else's work and tells when that has run. */
struct sent {
    struct pro_work *work;
    struct gate *done;
};

static void sent_run(void *arg)
{
    struct sent *sent = arg;
    pro_work_run(sent->work);
    gate_open(sent->done);
}

/* Runs @handler, then opens the gate on which the outside waits. */
struct handler {
    action_fn *fn;
    void *arg;
    struct gate *done;
};

static void handler_run(void *arg)
{
    struct handler *handler = arg;
    handler->fn(handler->arg);
    gate_open(handler->done);
}

static struct handler *handler_new(const char *what, action_fn *fn, void *arg)
{
    struct handler *handler = memory_new(sizeof *handler);
    handler->fn = fn, handler->arg = arg;
    handler->done = gate_new(what);
    return handler;
}

struct async_handler {
    async_fn *fn;
    void *arg;
    struct pro_task *task;
};

static void async_handler_run(void *arg)
{
    struct async_handler *handler = arg;
    handler->task = handler->fn(handler->arg);
}

/* ---- PumpContext ---- */
static void pump_enqueue(struct pump_context *pump, struct pro_work *work)
{
    work->next = NULL;
    monitor_enter(pump->monitor);
    if (pump->last)
        pump->last->next = work;
    else
        pump->first = work;
    pump->last = work;
    pump->pending++;
    monitor_pulse_all(pump->monitor);
    monitor_exit(pump->monitor);
}

/* Inside the monitor. */
static struct pro_work *pump_dequeue(struct pump_context *pump)
{
    struct pro_work *work = pump->first;
    pump->first = work->next;
    if (!pump->first)
        pump->last = NULL;
    pump->pending--;
    return work;
}

static int pump_post(struct pro_sync_context *context, struct pro_work *work)
{
    struct pump_context *pump = (struct pump_context *)context;
    if (pump->log_posts)
        trace_log("%s.post", context->name);
    monitor_enter(pump->monitor);
    pump->posts++;
    monitor_exit(pump->monitor);
    pump_enqueue(pump, work);
    return PRO_OK;
}

static void pump_send(struct pro_sync_context *context, struct pro_work *work)
{
    struct pump_context *pump = (struct pump_context *)context;
    if (pump->log_posts)
        trace_log("%s.send", context->name);
    if (pump->thread == pro_thread_id()) {
        pro_work_run(work);
        return;
    }
    struct sent *sent = memory_new(sizeof *sent);
    sent->work = work;
    sent->done = gate_new("send");
    pump_enqueue(pump, item_new(sent_run, sent));
    gate_wait_ms(sent->done, WAIT_FOR_EVER);
}

static void pump_operation_started(struct pro_sync_context *context)
{
    if (((struct pump_context *)context)->log_operations)
        trace_log("%s.operation started", context->name);
}

static void pump_operation_completed(struct pro_sync_context *context)
{
    if (((struct pump_context *)context)->log_operations)
        trace_log("%s.operation completed", context->name);
}

static void pump_unhandled_error(struct pro_sync_context *context, struct pro_error *error)
{
    trace_log("%s.unhandled %s", context->name, err_name(error));
}

static const struct pro_sync_context_vtable pump_vtable = {
    .post = pump_post,
    .send = pump_send,
    .operation_started = pump_operation_started,
    .operation_completed = pump_operation_completed,
    .unhandled_error = pump_unhandled_error,
};

struct pump_context *pump_new(const char *name)
{
    struct pump_context *pump = memory_new(sizeof *pump);
    pro_sync_context_init(&pump->base, &pump_vtable, name);
    pump->monitor = monitor_new();
    pump->log_posts = pump->log_operations = true;
    return pump;
}

void pump_post_quiet(struct pump_context *pump, action_fn *fn, void *arg) { pump_enqueue(pump, item_new(fn, arg)); }

size_t pump_pending(struct pump_context *pump)
{
    monitor_enter(pump->monitor);
    const size_t pending = pump->pending;
    monitor_exit(pump->monitor);
    return pending;
}

int pump_posts(struct pump_context *pump)
{
    monitor_enter(pump->monitor);
    const int posts = pump->posts;
    monitor_exit(pump->monitor);
    return posts;
}

void pump_stop(struct pump_context *pump)
{
    monitor_enter(pump->monitor);
    pump->stopped = true;
    monitor_pulse_all(pump->monitor);
    monitor_exit(pump->monitor);
}

/* A real loop of a user interface re-installs its context for every message. */
static void pump_execute(struct pump_context *pump, struct pro_work *work)
{
    pro_work_run(work);
    pro_sync_context_set(&pump->base);
}

void pump_loop(struct pump_context *pump)
{
    pump->thread = pro_thread_id();
    pro_sync_context_set(&pump->base);
    for (;;) {
        monitor_enter(pump->monitor);
        while (!pump->first && !pump->stopped)
            monitor_wait(pump->monitor, WAIT_FOR_EVER);
        struct pro_work *work = pump->first ? pump_dequeue(pump) : NULL;
        monitor_exit(pump->monitor);
        if (!work)
            return;
        pump_execute(pump, work);
    }
}

/* Wakes a nested loop whose task is complete. */
struct pump_wake {
    struct pro_continuation continuation;
    struct pump_context *pump;
};

static void pump_wake_invoke(struct pro_continuation *continuation)
{
    struct pump_wake *wake = PRO_CONTAINER(continuation, struct pump_wake, continuation);
    monitor_enter(wake->pump->monitor);
    monitor_pulse_all(wake->pump->monitor);
    monitor_exit(wake->pump->monitor);
}

void pump_until(struct pump_context *pump, struct pro_task *task)
{
    struct pump_wake *wake = memory_new(sizeof *wake);
    wake->pump = pump;
    pro_continuation_init(&wake->continuation, pump_wake_invoke);
    pro_awaiter_on_completed(pro_task_get_awaiter(task), &wake->continuation, PRO_AWAIT_NONE);
    while (!pro_task_is_completed(task)) {
        struct pro_work *work = NULL;
        monitor_enter(pump->monitor);
        if (pump->first)
            work = pump_dequeue(pump);
        else if (!pro_task_is_completed(task))
            monitor_wait(pump->monitor, 50);
        monitor_exit(pump->monitor);
        if (work)
            pump_execute(pump, work);
    }
}

/* ---- UiThread ---- */
static void ui_main(void *arg) { pump_loop(arg); }

static void open_gate(void *arg) { gate_open(arg); }

struct pump_context *ui_start(const char *name)
{
    struct pump_context *ui = pump_new(name);
    struct gate *ready = gate_new("ui start");
    pump_post_quiet(ui, open_gate, ready);
    worker_start(name, ui_main, ui);
    gate_wait(ready);
    return ui;
}

bool ui_run(struct pump_context *ui, const char *what, action_fn *handler, void *arg)
{
    struct handler *call = handler_new(what, handler, arg);
    pump_post_quiet(ui, handler_run, call);
    if (gate_wait_ms(call->done, harness_deadlock_ms()))
        return true;
    trace_log("DEADLOCK %s pending=%zu", what, pump_pending(ui));
    return false;
}

bool ui_run_async(struct pump_context *ui, const char *what, async_fn *handler, void *arg)
{
    struct async_handler *call = memory_new(sizeof *call);
    call->fn = handler, call->arg = arg;
    if (!ui_run(ui, what, async_handler_run, call))
        return false;
    if (harness_wait(call->task, harness_deadlock_ms()))
        return true;
    trace_log("DEADLOCK %s pending=%zu", what, pump_pending(ui));
    return false;
}

void ui_drain(struct pump_context *ui)
{
    struct gate *drained = gate_new("drain");
    pump_post_quiet(ui, open_gate, drained);
    gate_wait(drained);
}

/* ---- RequestContext ---- */
/* Runs one item after another until there is none: this thread has the turn as long as busy is set. */
static void request_drain(void *arg)
{
    struct request_context *request = arg;
    for (;;) {
        monitor_enter(request->monitor);
        struct pro_work *work = request->first;
        if (!work) {
            request->busy = false;
            monitor_exit(request->monitor);
            return;
        }
        request->first = work->next;
        if (!request->first)
            request->last = NULL;
        request->pending--;
        if (++request->inside > request->max_inside)
            request->max_inside = request->inside;
        monitor_exit(request->monitor);

        struct pro_sync_context *previous = pro_sync_context_set(&request->base);
        pro_work_run(work);
        pro_sync_context_set(previous);

        monitor_enter(request->monitor);
        request->inside--;
        monitor_exit(request->monitor);
    }
}

static void request_enqueue(struct request_context *request, struct pro_work *work)
{
    work->next = NULL;
    monitor_enter(request->monitor);
    if (request->last)
        request->last->next = work;
    else
        request->first = work;
    request->last = work;
    request->pending++;
    const bool idle = !request->busy;
    request->busy = true;
    monitor_exit(request->monitor);
    if (idle)
        pro_pool_post(request_drain, request);
}

static int request_post(struct pro_sync_context *context, struct pro_work *work)
{
    struct request_context *request = (struct request_context *)context;
    if (request->log_posts)
        trace_log("%s.post", context->name);
    request_enqueue(request, work);
    return PRO_OK;
}

static void request_send(struct pro_sync_context *context, struct pro_work *work)
{
    if (pro_sync_context_current() == context) {
        pro_work_run(work);
        return;
    }
    struct sent *sent = memory_new(sizeof *sent);
    sent->work = work;
    sent->done = gate_new("send");
    request_enqueue((struct request_context *)context, item_new(sent_run, sent));
    gate_wait_ms(sent->done, WAIT_FOR_EVER);
}

static void request_unhandled_error(struct pro_sync_context *context, struct pro_error *error)
{
    trace_log("%s.unhandled %s", context->name, err_name(error));
}

static const struct pro_sync_context_vtable request_vtable = {
    .post = request_post,
    .send = request_send,
    .unhandled_error = request_unhandled_error,
};

struct request_context *request_new(const char *name)
{
    struct request_context *request = memory_new(sizeof *request);
    pro_sync_context_init(&request->base, &request_vtable, name);
    request->monitor = monitor_new();
    request->log_posts = true;
    return request;
}

size_t request_pending(struct request_context *request)
{
    monitor_enter(request->monitor);
    const size_t pending = request->pending;
    monitor_exit(request->monitor);
    return pending;
}

int request_max_inside(struct request_context *request)
{
    monitor_enter(request->monitor);
    const int most = request->max_inside;
    monitor_exit(request->monitor);
    return most;
}

bool request_run(struct request_context *request, const char *what, action_fn *handler, void *arg)
{
    struct handler *call = handler_new(what, handler, arg);
    request_enqueue(request, item_new(handler_run, call));
    if (gate_wait_ms(call->done, harness_deadlock_ms()))
        return true;
    trace_log("DEADLOCK %s pending=%zu", what, request_pending(request));
    return false;
}

bool request_run_async(struct request_context *request, const char *what, async_fn *handler, void *arg)
{
    struct async_handler *call = memory_new(sizeof *call);
    call->fn = handler, call->arg = arg;
    if (!request_run(request, what, async_handler_run, call))
        return false;
    if (harness_wait(call->task, harness_deadlock_ms()))
        return true;
    trace_log("DEADLOCK %s pending=%zu", what, request_pending(request));
    return false;
}
