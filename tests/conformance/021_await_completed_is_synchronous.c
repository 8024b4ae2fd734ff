/* SPDX-License-Identifier: MIT */
/* Awaiting what is already complete does not suspend; the first real suspension returns to the caller. */
#include "harness.h"

struct nested {
    PRO_FRAME;
};

PRO_ASYNC(nested_move_next, struct nested, self)
    trace_log("nested");
    PRO_AWAIT(pro_delay(0, PRO_TOKEN_NONE));
    PRO_RETURN(int, 20);
PRO_ASYNC_END

static struct pro_task *nested_async(void)
{
    struct nested *self = PRO_NEW_FRAME(struct nested, nested_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct many {
    PRO_FRAME;
    struct pro_task *last;
    int v, more;
};

PRO_ASYNC(many_move_next, struct many, self)
    trace_log("method: start");
    PRO_AWAIT(pro_task_completed());
    trace_log("method: 1");
    PRO_AWAIT_TO(&self->v, from_result(10));
    trace_log("method: 2");
    PRO_AWAIT_TO(&self->more, nested_async());
    self->v += self->more;
    trace_log("method: 3");
    PRO_AWAIT_TO(&self->more, self->last);
    self->v += self->more;
    trace_log("method: 4");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *many_async(struct pro_task *last)
{
    struct many *self = PRO_NEW_FRAME(struct many, many_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->last = last;
    return PRO_START(self);
}

SCENARIO(021)
{
    struct pro_task *t = many_async(from_result(30));
    trace_log("caller: %s %d", status_of(t), result_of(t));
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    t = many_async(source_task(source));
    trace_log("caller: %s", status_of(t));
    source_set_result(source, 40);
    trace_log("caller: %s %d", status_of(t), result_of(t));
}
