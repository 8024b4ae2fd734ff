/* SPDX-License-Identifier: MIT */
/* The handler awaits instead of blocking: it returns to the loop, and resumes on the context. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_task *t;

struct method {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct method, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("get: after await, context=%s", who_context());
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(void)
{
    struct method *self = PRO_NEW_FRAME(struct method, get_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

PRO_ASYNC(handler_move_next, struct method, self)
    trace_log("handler: start");
    PRO_AWAIT_TO(&self->v, get_async());
    trace_log("handler: got %d, context=%s", self->v, who_context());
PRO_ASYNC_END

static struct pro_task *handler_async(void)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, handler_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void handler(void *arg)
{
    (void)arg;
    t = handler_async();
    trace_log("handler: back in the loop, %s", status_of(t));
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

SCENARIO(005)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
    worker_run("worker", complete, NULL);
    harness_finish(t, "handler");
    trace_log("%s, posts=%d", harness_describe(t), pump_posts(ui));
}
