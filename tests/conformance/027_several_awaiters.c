/* SPDX-License-Identifier: MIT */
/* Several awaits of one task, no context: only the first await's continuation is inlined, the others are queued to the
   pool, before the first one runs. */
#include "harness.h"

static struct pro_completion_source *source;
static const char *where[3];

struct wait {
    PRO_FRAME;
    int i;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(source_task(source));
    where[self->i] = who_label();
PRO_ASYNC_END

static struct pro_task *wait_async(int i)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->i = i;
    return PRO_START(self);
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 1);
}

SCENARIO(027)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *three[3];
    for (int i = 0; i < 3; i++)
        three[i] = wait_async(i);
    struct pro_task *all = pro_when_all(three, 3);
    worker_run("worker", complete, NULL);
    harness_finish(all, "all");
    for (int i = 0; i < 3; i++)
        trace_log("awaiter %d resumed on %s", i, where[i]);
}
