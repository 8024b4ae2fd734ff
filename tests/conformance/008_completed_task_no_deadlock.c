/* SPDX-License-Identifier: MIT */
/* When every awaited task is already complete the method never suspends, so blocking on its result is harmless. */
#include "harness.h"

struct get {
    PRO_FRAME;
    struct pro_task *source;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    trace_log("get: before await");
    PRO_AWAIT_TO(&self->v, self->source);
    trace_log("get: after await, context=%s", who_context());
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(struct pro_task *source)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->source = source;
    return PRO_START(self);
}

static void handler(void *arg)
{
    (void)arg;
    struct pro_task *t = get_async(from_result(7));
    trace_log("handler: task is %s", status_of(t));
    trace_log("handler: got %d", result_of(t));
}

SCENARIO(008)
{
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
    trace_log("posts=%d", pump_posts(ui));
}
