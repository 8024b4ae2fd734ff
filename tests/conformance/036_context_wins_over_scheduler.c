/* SPDX-License-Identifier: MIT */
/* When both a context and a custom scheduler are current, await captures the context only. After resuming there, the
   scheduler is no longer current. */
#include "harness.h"

static struct pro_completion_source *source;
static struct manual_scheduler *sched;

struct wait {
    PRO_FRAME;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    trace_log("before, context=%s scheduler=%s", who_context(), who_scheduler());
    PRO_AWAIT(source_task(source));
    trace_log("after, context=%s scheduler=%s", who_context(), who_scheduler());
PRO_ASYNC_END

static struct pro_task *wait_async(void *arg)
{
    (void)arg;
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void handler(void *arg)
{
    (void)arg;
    manual_scheduler_run_all(sched);
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 1);
}

SCENARIO(036)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    sched = manual_scheduler_new("sched");
    struct pro_task *outer = start_new_async(wait_async, NULL, PRO_TASK_DEFAULT, &sched->base);
    ui_run(ui, "handler", handler, NULL); /* the task runs on ui, under sched */
    worker_run("worker", complete, NULL);
    harness_finish(inner_of(outer), "inner");
    trace_log("pending=%zu", manual_scheduler_pending(sched));
}
