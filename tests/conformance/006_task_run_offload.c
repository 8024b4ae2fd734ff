/* SPDX-License-Identifier: MIT */
/* Blocking on the result of pro_task_run_async (Task.Run) does not deadlock: inside it there is no context to capture.
   The UI thread is blocked all the same. */
#include "harness.h"

static struct pro_completion_source *source;
static struct gate *suspended;

struct get {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    trace_log("get: before await, context=%s", who_context());
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("get: after await, context=%s", who_context());
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
    gate_wait(suspended);
    source_set_result(source, 42);
}

static struct pro_task *offloaded(void *arg)
{
    (void)arg;
    struct pro_task *t = get_async();
    gate_open(suspended);
    return t;
}

static void handler(void *arg)
{
    (void)arg;
    trace_log("handler: blocking, context=%s", who_context());
    int v = result_of(pro_task_run_async(offloaded, NULL, PRO_TYPE(int), PRO_TOKEN_NONE));
    trace_log("handler: got %d", v);
}

SCENARIO(006)
{
    source = source_new(PRO_TASK_DEFAULT);
    suspended = gate_new("suspended");
    struct pump_context *ui = ui_start("ui");
    worker_start("worker", complete, NULL);
    ui_run(ui, "handler", handler, NULL);
    trace_log("posts=%d", pump_posts(ui));
}
