/* SPDX-License-Identifier: MIT */
/* ContinueWith queues unless ExecuteSynchronously is given; with it, a continuation added to a completed task runs
   inside ContinueWith. On a custom scheduler it asks to be inlined first. */
#include "harness.h"

static struct pro_error *say(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)ret_result;
    trace_log("%s", (const char *)arg);
    return NULL;
}

static struct pro_task *then(struct pro_task *t, const char *text, unsigned options,
                             struct pro_task_scheduler *scheduler)
{
    return pro_task_then(t, say, (void *)(uintptr_t)text, PRO_NO_RESULT, PRO_TOKEN_NONE, options, scheduler);
}

SCENARIO(029)
{
    struct pro_task *done = pro_task_completed();
    struct pro_task *a = then(done, "plain", PRO_THEN_DEFAULT, pro_task_scheduler_default());
    harness_finish(a, "a");
    struct pro_task *b = then(done, "synchronous", PRO_THEN_EXECUTE_SYNCHRONOUSLY, pro_task_scheduler_default());
    trace_log("returned, %s", status_of(b));

    struct manual_scheduler *sched = manual_scheduler_new("sched");
    sched->allow_inline = true;
    struct pro_task *c = then(done, "inlined by the scheduler", PRO_THEN_EXECUTE_SYNCHRONOUSLY, &sched->base);
    trace_log("returned, %s", status_of(c));
    sched->allow_inline = false;
    struct pro_task *d = then(done, "run later", PRO_THEN_EXECUTE_SYNCHRONOUSLY, &sched->base);
    trace_log("returned, %s", status_of(d));
    manual_scheduler_run_all(sched);
    trace_log("at last %s", status_of(d));
}
