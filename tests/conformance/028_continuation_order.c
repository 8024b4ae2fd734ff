/* SPDX-License-Identifier: MIT */
/* On completion the asynchronous ContinueWith continuations are queued first, in order; then the synchronous ones run
   in order, and with them the await continuation. */
#include "harness.h"

struct wait {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(self->t);
    trace_log("await");
PRO_ASYNC_END

static struct pro_task *wait_async(struct pro_task *t)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static struct pro_error *say(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)ret_result;
    trace_log("%s", (const char *)arg);
    return NULL;
}

static void then(struct pro_task *t, const char *text, unsigned options, struct pro_task_scheduler *scheduler)
{
    pro_forget(pro_task_then(t, say, (void *)(uintptr_t)text, PRO_NO_RESULT, PRO_TOKEN_NONE, options, scheduler));
}

static void complete(void *arg)
{
    source_set_result(arg, 1);
    trace_log("after SetResult");
}

SCENARIO(028)
{
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    struct pro_task *s = source_task(source);
    then(s, "sync 1", PRO_THEN_EXECUTE_SYNCHRONOUSLY, pro_task_scheduler_default());
    then(s, "async 1", PRO_THEN_DEFAULT, &sched->base);
    struct pro_task *w = wait_async(source_task(source));
    then(s, "sync 2", PRO_THEN_EXECUTE_SYNCHRONOUSLY, pro_task_scheduler_default());
    then(s, "async 2", PRO_THEN_DEFAULT, &sched->base);
    worker_run("worker", complete, source);
    trace_log("queued %zu", manual_scheduler_pending(sched));
    manual_scheduler_run_all(sched);
    harness_finish(w, "await");
}
