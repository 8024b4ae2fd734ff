/* SPDX-License-Identifier: MIT */
/* ConfigureAwait(false) on every await below the blocking call: no continuation needs the blocked context, the
   continuations run inline on the completing plain thread. */
#include "harness.h"

static struct pro_completion_source *source;

struct inner {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(inner_move_next, struct inner, self)
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(source_task(source), PRO_AWAIT_NONE));
    trace_log("inner: after await, context=%s", who_context());
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *inner_async(void)
{
    struct inner *self = PRO_NEW_FRAME(struct inner, inner_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct outer {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(outer_move_next, struct outer, self)
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(inner_async(), PRO_AWAIT_NONE));
    trace_log("outer: after await, context=%s", who_context());
    PRO_RETURN(int, self->v + 1);
PRO_ASYNC_END

static struct pro_task *outer_async(void)
{
    struct outer *self = PRO_NEW_FRAME(struct outer, outer_move_next, int);
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
    struct pro_task *t = outer_async();
    trace_log("handler: blocking");
    worker_start("worker", complete, NULL);
    int v = result_of(t);
    trace_log("handler: got %d, context=%s", v, who_context());
}

SCENARIO(003)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
}
