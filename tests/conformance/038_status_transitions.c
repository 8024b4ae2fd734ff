/* SPDX-License-Identifier: MIT */
/* The states of cold, started, continuation and promise tasks, and what is refused in which. */
#include "harness.h"

struct never {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(never_move_next, struct never, self)
    PRO_AWAIT(self->t);
PRO_ASYNC_END

static struct pro_task *never_async(struct pro_task *t)
{
    struct never *self = PRO_NEW_FRAME_VOID(struct never, never_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static struct pro_task *t;

static struct pro_error *running(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    trace_log("running: %s", status_of(t));
    return NULL;
}

static struct pro_error *fail(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    return test_error("x");
}

static struct pro_error *say_never(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    trace_log("never");
    return NULL;
}

static struct pro_error *nothing(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    return NULL;
}

static struct pro_error *nothing_more(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)arg, (void)ret_result;
    return NULL;
}

static struct pro_task *new_task(pro_task_fn *body, struct pro_cancellation_token token)
{
    return pro_task_new(body, NULL, PRO_NO_RESULT, token, PRO_TASK_DEFAULT);
}

static struct pro_task *continue_with(struct pro_task *antecedent, struct manual_scheduler *sched)
{
    return pro_task_then(antecedent, nothing_more, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_THEN_DEFAULT, &sched->base);
}

SCENARIO(038)
{
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    sched->log_calls = false;
    t = new_task(running, PRO_TOKEN_NONE);
    trace_log("cold: %s", status_of(t));
    pro_task_start(t, &sched->base);
    trace_log("started: %s", status_of(t));
    manual_scheduler_run_all(sched);
    trace_log("finished: %s", status_of(t));
    trace_log("Start again: %s", err_of(pro_task_start(t, &sched->base), NULL));

    struct pro_task *c = continue_with(t, sched);
    trace_log("continuation of a finished task: %s", status_of(c));
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *d = continue_with(source_task(source), sched);
    trace_log("continuation of a pending task: %s", status_of(d));
    trace_log("promise: %s", status_of(source_task(source)));
    trace_log("async method: %s", status_of(never_async(source_task(source))));
    trace_log("Start of a promise: %s", err_of(pro_task_start(source_task(source), NULL), NULL));
    trace_log("Start of a continuation: %s", err_of(pro_task_start(d, NULL), NULL));
    trace_log("Dispose of a pending task: %s", err_of(pro_task_dispose(d), NULL));

    struct pro_task *f = new_task(fail, PRO_TOKEN_NONE);
    pro_task_start(f, &sched->base);
    manual_scheduler_run_all(sched);
    trace_log("failed: %s completed=%s faulted=%s canceled=%s", harness_describe(f),
              text_of_bool(pro_task_is_completed(f)), text_of_bool(pro_task_is_faulted(f)),
              text_of_bool(pro_task_is_canceled(f)));

    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_task *g = new_task(say_never, pro_cancellation_source_token(cts));
    pro_task_start(g, &sched->base);
    pro_cancellation_source_cancel(cts);
    trace_log("canceled while queued: %s", status_of(g));
    manual_scheduler_run_all(sched);
    trace_log("after its turn: %s", status_of(g));
    struct pro_task *h = new_task(nothing, pro_cancellation_source_token(cts));
    trace_log("created with a canceled token: %s", status_of(h));
    trace_log("Start: %s", err_of(pro_task_start(h, &sched->base), NULL));
}
