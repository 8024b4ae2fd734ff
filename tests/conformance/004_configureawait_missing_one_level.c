/* SPDX-License-Identifier: MIT */
/* One await in the chain lacks ConfigureAwait(false): that is enough to deadlock. */
#include "harness.h"

static struct pro_completion_source *source;

struct level {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(inner_move_next, struct level, self)
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(source_task(source), PRO_AWAIT_NONE));
    trace_log("inner: after await, context=%s", who_context());
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *inner_async(void)
{
    struct level *self = PRO_NEW_FRAME(struct level, inner_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

PRO_ASYNC(middle_move_next, struct level, self)
    PRO_AWAIT_TO(&self->v, inner_async()); /* the forgotten one */
    trace_log("middle: after await");
    PRO_RETURN(int, self->v + 1);
PRO_ASYNC_END

static struct pro_task *middle_async(void)
{
    struct level *self = PRO_NEW_FRAME(struct level, middle_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

PRO_ASYNC(outer_move_next, struct level, self)
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(middle_async(), PRO_AWAIT_NONE));
    trace_log("outer: after await");
    PRO_RETURN(int, self->v + 1);
PRO_ASYNC_END

static struct pro_task *outer_async(void)
{
    struct level *self = PRO_NEW_FRAME(struct level, outer_move_next, int);
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
    struct pro_task *t = outer_async();
    trace_log("handler: blocking");
    worker_start("worker", complete, NULL);
    trace_log("handler: got %d", result_of(t));
}

SCENARIO(004)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
}
