/* SPDX-License-Identifier: MIT */
/* The classic: a UI handler blocks on the result of an async method whose continuation was captured for that same UI
   context. The continuation is posted and never runs. */
#include "harness.h"

static struct pro_completion_source *source;

struct get {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    trace_log("get: before await");
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
    trace_log("completing the source");
    source_set_result(source, 42);
}

static void handler(void *arg)
{
    (void)arg;
    trace_log("handler: start");
    struct pro_task *t = get_async();
    trace_log("handler: task is %s", status_of(t));
    trace_log("handler: blocking");
    worker_start("worker", complete, NULL);
    int v = result_of(t);
    trace_log("handler: got %d", v);
}

SCENARIO(001)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
}
