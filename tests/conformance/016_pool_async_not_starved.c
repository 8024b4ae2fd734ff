/* SPDX-License-Identifier: MIT */
/* The same work written with await needs no more threads than there are. */
#include "harness.h"

static atomic_int done;

struct work {
    PRO_FRAME;
};

PRO_ASYNC(work_move_next, struct work, self)
    PRO_AWAIT(pro_yield());
    PRO_RETURN(int, 1);
PRO_ASYNC_END

static struct pro_task *work_async(void)
{
    struct work *self = PRO_NEW_FRAME(struct work, work_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct item {
    PRO_FRAME;
    struct pro_task *start;
    int v;
};

PRO_ASYNC(item_move_next, struct item, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->start, PRO_AWAIT_NONE));
    PRO_AWAIT_TO(&self->v, PRO_CONFIGURE_AWAIT(work_async(), PRO_AWAIT_NONE));
    atomic_fetch_add(&done, self->v);
PRO_ASYNC_END

static struct pro_task *item_async(struct pro_task *start)
{
    struct item *self = PRO_NEW_FRAME_VOID(struct item, item_move_next);
    if (!self)
        return pro_task_no_memory();
    self->start = start;
    return PRO_START(self);
}

SCENARIO(016)
{
    int n = pool_clamp();
    struct pro_completion_source *start = source_new(PRO_TASK_ASYNC_CONTINUATIONS);
    struct pro_task **all = memory_new((size_t)(10 * n) * sizeof *all);
    for (int i = 0; i < 10 * n; i++)
        all[i] = item_async(source_task(start));
    source_set_result(start, 0);
    harness_finish(pro_when_all(all, (size_t)(10 * n)), "items");
    trace_log("finished, all done: %s", text_of_bool(atomic_load(&done) == 10 * n));
}
