/* SPDX-License-Identifier: MIT */
/* A very long chain of async methods, each awaiting the one before, completes without exhausting the stack: inlining
   stops when the stack gets short. */
#include "harness.h"

enum { DEPTH = 200000 };
static atomic_int resumed;

struct link {
    PRO_FRAME;
    struct pro_task *before;
    int v;
};

PRO_ASYNC(link_move_next, struct link, self)
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(self->before, PRO_AWAIT_NONE));
    atomic_fetch_add(&resumed, 1);
    PRO_RETURN(int, self->v + 1);
PRO_ASYNC_END

static struct pro_task *link_async(struct pro_task *before)
{
    struct link *self = PRO_NEW_FRAME(struct link, link_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->before = before;
    return PRO_START(self);
}

static void complete(void *arg) { source_set_result(arg, 0); }

SCENARIO(030)
{
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *t = source_task(source);
    for (int i = 0; i < DEPTH; i++)
        t = link_async(t);
    worker_run("worker", complete, source);
    harness_finish(t, "chain");
    trace_log("all links resumed: %s", text_of_bool(result_of(t) == DEPTH && atomic_load(&resumed) == DEPTH));
}
