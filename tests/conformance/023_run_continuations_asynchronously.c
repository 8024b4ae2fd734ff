/* SPDX-License-Identifier: MIT */
/* With asynchronous continuations nothing runs inside SetResult; the pool runs it. Only the completion of that one task
   is affected: the next level is inlined again. */
#include "harness.h"

static struct pro_completion_source *source;
static struct gate *after;

struct method {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(inner_move_next, struct method, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    if (who_is("pool"))
        gate_wait(after);
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
    trace_log("after SetResult, source is %s, outer is %s", status_of(source_task(source)), status_of(arg));
    gate_open(after);
}

SCENARIO(023)
{
    source = source_new(PRO_TASK_ASYNC_CONTINUATIONS);
    after = gate_new("after SetResult");
    struct pro_task *t = outer_async();
    worker_run("worker", complete, t);
    harness_finish(t, "outer");
    trace_log("outer is %s", status_of(t));
}
