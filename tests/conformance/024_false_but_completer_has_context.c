/* SPDX-License-Identifier: MIT */
/* ConfigureAwait(false) does not mean "run inline": when the completing thread has a context (or runs under a custom
   scheduler) the continuation is queued to the pool. */
#include "harness.h"

struct wait {
    PRO_FRAME;
    const char *name;
    struct pro_task *source;
    struct gate *after;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->source, PRO_AWAIT_NONE));
    if (who_is("pool"))
        gate_wait(self->after);
    trace_log("%s: resumed, context=%s scheduler=%s", self->name, who_context(), who_scheduler());
PRO_ASYNC_END

static struct pro_task *wait_async(const char *name, struct pro_task *source, struct gate *after)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = name, self->source = source, self->after = after;
    return PRO_START(self);
}

struct completion {
    struct pro_completion_source *source;
    struct gate *after;
};

static void complete(void *arg)
{
    struct completion *completion = arg;
    source_set_result(completion->source, 1);
    trace_log("after SetResult");
    gate_open(completion->after);
}

SCENARIO(024)
{
    struct completion c1 = { source_new(PRO_TASK_DEFAULT), gate_new("g1") };
    struct pro_task *t1 = wait_async("completed on ui", source_task(c1.source), c1.after);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", complete, &c1);
    harness_finish(t1, "t1");

    struct completion c2 = { source_new(PRO_TASK_DEFAULT), gate_new("g2") };
    struct pro_task *t2 = wait_async("completed on a scheduler", source_task(c2.source), c2.after);
    struct thread_scheduler *sched = thread_scheduler_new("sched");
    pro_forget(start_new(complete, &c2, PRO_TASK_DEFAULT, &sched->base));
    harness_finish(t2, "t2");

    struct completion c3 = { source_new(PRO_TASK_DEFAULT), gate_new("g3") };
    struct pro_task *t3 = wait_async("completed on a plain thread", source_task(c3.source), c3.after);
    worker_run("worker", complete, &c3);
    harness_finish(t3, "t3");
}
