/* SPDX-License-Identifier: MIT */
/* Removing the current context around the call, and putting it back, avoids the capture. */
#include "harness.h"

static struct pro_completion_source *source;

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

static int without_context(struct pro_task *(*fn)(void))
{
    struct pro_sync_context *saved = pro_sync_context_set(NULL);
    int v = result_of(fn());
    pro_sync_context_set(saved);
    return v;
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

static struct pro_task *call(void)
{
    struct pro_task *t = get_async();
    worker_start("worker", complete, NULL);
    return t;
}

static void handler(void *arg)
{
    (void)arg;
    trace_log("handler: context=%s", who_context());
    int v = without_context(call);
    trace_log("handler: got %d, context=%s", v, who_context());
}

SCENARIO(007)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
    trace_log("posts=%d", pump_posts(ui));
}
