/* SPDX-License-Identifier: MIT */
/* Asynchronous continuations forbid inlining also when the completing code already runs in the captured context, or
   under the captured scheduler: it posts, or queues. */
#include "harness.h"

struct wait {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(self->t);
    trace_log("resumed, context=%s scheduler=%s", who_context(), who_scheduler());
PRO_ASYNC_END

static struct pro_task *wait_async(void *source)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = source_task(source);
    return PRO_START(self);
}

struct pair {
    struct pro_completion_source *source;
    struct pro_task *t, *outer;
};

static void start(void *arg)
{
    struct pair *pair = arg;
    pair->t = wait_async(pair->source);
}

static void complete(void *arg)
{
    struct pair *pair = arg;
    source_set_result(pair->source, 1);
    trace_log("after SetResult, %s", status_of(pair->t ? pair->t : inner_of(pair->outer)));
}

SCENARIO(078)
{
    struct pump_context *ui = ui_start("ui");
    struct pair one = { .source = source_new(PRO_TASK_ASYNC_CONTINUATIONS) };
    ui_run(ui, "start", start, &one);
    ui_run(ui, "complete", complete, &one);
    harness_finish(one.t, "t");

    struct manual_scheduler *sched = manual_scheduler_new("sched");
    sched->allow_inline = true;
    struct pair two = { .source = source_new(PRO_TASK_ASYNC_CONTINUATIONS) };
    two.outer = start_new_async(wait_async, two.source, PRO_TASK_DEFAULT, &sched->base);
    manual_scheduler_run_all(sched);
    pro_forget(start_new(complete, &two, PRO_TASK_DEFAULT, &sched->base));
    manual_scheduler_run_all(sched);
    trace_log("at last %s", status_of(inner_of(two.outer)));

    struct pair three = { .source = source_new(PRO_TASK_DEFAULT) };
    three.outer = start_new_async(wait_async, three.source, PRO_TASK_DEFAULT, &sched->base);
    manual_scheduler_run_all(sched);
    pro_forget(start_new(complete, &three, PRO_TASK_DEFAULT, &sched->base));
    manual_scheduler_run_all(sched);
}
