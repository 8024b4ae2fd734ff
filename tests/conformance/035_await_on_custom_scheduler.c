/* SPDX-License-Identifier: MIT */
/* An await inside a task of a custom scheduler resumes through that scheduler. Completed from a pool thread, the
   scheduler is first asked to run it inline; from a plain thread it is queued. */
#include "harness.h"

struct wait {
    PRO_FRAME;
    struct pro_task *source;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    trace_log("before, scheduler=%s", who_scheduler());
    PRO_AWAIT(self->source);
    trace_log("after, scheduler=%s", who_scheduler());
PRO_ASYNC_END

static struct pro_task *wait_async(struct pro_task *source)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->source = source;
    return PRO_START(self);
}

static struct pro_task *body(void *arg) { return wait_async(source_task(arg)); }

static void complete(void *arg) { source_set_result(arg, 1); }

static void try_it(struct manual_scheduler *sched, bool from_pool)
{
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *outer = start_new_async(body, source, PRO_TASK_DEFAULT, &sched->base);
    manual_scheduler_run_all(sched);
    if (from_pool)
        harness_finish(run(complete, source), "set");
    else
        worker_run("worker", complete, source);
    trace_log("pending=%zu", manual_scheduler_pending(sched));
    manual_scheduler_run_all(sched);
    trace_log("inner is %s", status_of(inner_of(outer)));
}

SCENARIO(035)
{
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    try_it(sched, false);
    try_it(sched, true);
    sched->allow_inline = true;
    try_it(sched, true);
}
