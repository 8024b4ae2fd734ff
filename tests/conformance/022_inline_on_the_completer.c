/* SPDX-License-Identifier: MIT */
/* Without a context the continuation runs inside SetResult, on the completing thread, through every level of async
   callers. */
#include "harness.h"

static struct pro_completion_source *source;

struct method {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(inner_move_next, struct method, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("inner: resumed");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *inner_async(void)
{
    struct method *self = PRO_NEW_FRAME(struct method, inner_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

PRO_ASYNC(outer_move_next, struct method, self)
    PRO_AWAIT_TO(&self->v, inner_async());
    trace_log("outer: resumed");
    PRO_RETURN(int, self->v + 1);
PRO_ASYNC_END

static struct pro_task *outer_async(void)
{
    struct method *self = PRO_NEW_FRAME(struct method, outer_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void complete(void *arg)
{
    trace_log("before SetResult");
    source_set_result(source, 1);
    trace_log("after SetResult, outer is %s", status_of(arg));
}

SCENARIO(022)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *t = outer_async();
    trace_log("caller: %s", status_of(t));
    worker_run("worker", complete, t);
}
