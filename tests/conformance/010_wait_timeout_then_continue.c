/* SPDX-License-Identifier: MIT */
/* A wait with a limit gives up; when the handler returns, the posted continuation runs. */
#include "harness.h"

static struct pro_completion_source *source;
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

static void handler(void *arg)
{
    (void)arg;
    t = get_async();
    worker_run("worker", complete, NULL);
    bool ok = PRO_WAIT_HOW(t, PRO_WITHIN(PRO_MS(100))) == PRO_OK;
    trace_log("handler: wait returned %s, task is %s", text_of_bool(ok), status_of(t));
}

SCENARIO(010)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
    harness_finish(t, "get");
    trace_log("result %d", result_of(t));
}
