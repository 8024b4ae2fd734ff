/* SPDX-License-Identifier: MIT */
/* HideScheduler: the task runs on the scheduler, but its body does not see it as current, so neither StartNew nor await
   targets it. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_task *waiting;

struct wait {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(self->t);
    trace_log("await: resumed, scheduler=%s", who_scheduler());
PRO_ASYNC_END

static struct pro_task *wait_async(struct pro_task *t)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static void nested_body(void *arg)
{
    (void)arg;
    trace_log("nested: scheduler=%s", who_scheduler());
}

static void body(void *arg)
{
    (void)arg;
    trace_log("task: scheduler=%s", who_scheduler());
    struct pro_task *nested = start_new(nested_body, NULL, PRO_TASK_DEFAULT, NULL);
    harness_finish(nested, "nested");
    waiting = wait_async(source_task(source));
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 1);
}

SCENARIO(051)
{
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    source = source_new(PRO_TASK_DEFAULT);
    pro_forget(start_new(body, NULL, PRO_TASK_HIDE_SCHEDULER, &sched->base));
    manual_scheduler_run_one(sched);
    trace_log("pending=%zu", manual_scheduler_pending(sched));
    worker_run("worker", complete, NULL);
    harness_finish(waiting, "waiting");
    trace_log("pending=%zu", manual_scheduler_pending(sched));
}
