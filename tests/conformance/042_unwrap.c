/* SPDX-License-Identifier: MIT */
/* StartNew of an async function gives a task of a task: the outer one completes at the first suspension. Unwrap, and
   Task.Run, give a proxy for the inner one. */
#include "harness.h"

static struct pro_completion_source *source;
static struct gate *suspended, *begin;

struct work {
    PRO_FRAME;
    struct pro_task *source;
};

PRO_ASYNC(work_move_next, struct work, self)
    trace_log("work: before");
    gate_open(suspended);
    PRO_AWAIT(self->source);
    PRO_THROW(test_error("inner"));
PRO_ASYNC_END

static struct pro_task *work_async(struct pro_task *t)
{
    struct work *self = PRO_NEW_FRAME(struct work, work_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->source = t;
    return PRO_START(self);
}

static struct pro_task *begin_then_work(void *arg)
{
    (void)arg;
    gate_wait(begin);
    return work_async(source_task(source));
}

static struct pro_task *work_at_once(void *arg)
{
    (void)arg;
    return work_async(source_task(source));
}

static struct pro_task *fail(void *arg)
{
    (void)arg;
    return pro_task_from_error(test_error("outer"));
}

SCENARIO(042)
{
    source = source_new(PRO_TASK_DEFAULT);
    suspended = gate_new("suspended");
    begin = gate_new("begin");
    struct pro_task *outer = start_new_async(begin_then_work, NULL, PRO_TASK_DEFAULT, pro_task_scheduler_default());
    struct pro_task *proxy = pro_task_unwrap(outer, PRO_TYPE(int));
    gate_open(begin);
    harness_finish(outer, "outer");
    trace_log("outer: %s, inner: %s, proxy: %s", status_of(outer), status_of(inner_of(outer)), status_of(proxy));
    source_set_result(source, 1);
    harness_finish(proxy, "proxy");
    trace_log("inner: %s, proxy: %s", harness_describe(inner_of(outer)), harness_describe(proxy));
    trace_log("proxy is the inner task: %s", text_of_bool(proxy == inner_of(outer)));
    trace_log("made after the outer one completed: %s",
              text_of_bool(pro_task_unwrap(outer, PRO_TYPE(int)) == inner_of(outer)));

    struct pro_task *ran = pro_task_run_async(work_at_once, NULL, PRO_TYPE(int), PRO_TOKEN_NONE);
    harness_finish(ran, "run");
    trace_log("run: %s", harness_describe(ran));

    struct pro_task *failing = pro_task_run_async(fail, NULL, PRO_TYPE(int), PRO_TOKEN_NONE);
    harness_finish(failing, "failing");
    trace_log("failing: %s", harness_describe(failing));
}
