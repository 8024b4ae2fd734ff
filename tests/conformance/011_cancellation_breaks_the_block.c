/* SPDX-License-Identifier: MIT */
/* Cancelling the token given to the wait ends the wait (not the task): the deadlock resolves. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_cancellation_source *cts;
static struct pro_task *t;

struct get {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("get: after await");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(void)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

static void cancel(void *arg)
{
    (void)arg;
    trace_log("cancelling");
    pro_cancellation_source_cancel(cts);
}

static void handler(void *arg)
{
    (void)arg;
    t = get_async();
    worker_run("worker", complete, NULL);
    trace_log("handler: blocking");
    worker_start("worker", cancel, NULL);
    struct pro_how how = { .token = pro_cancellation_source_token(cts) };
    int code = PRO_WAIT_HOW(t, how);
    trace_log("handler: wait ended with %s, task is %s", err_of(code, NULL), status_of(t));
}

SCENARIO(011)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    cts = cancellation_new();
    ui_run(ui, "handler", handler, NULL);
    harness_finish(t, "get");
    trace_log("%s", harness_describe(t));
}
