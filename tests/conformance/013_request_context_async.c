/* SPDX-License-Identifier: MIT */
/* Awaiting inside a request context: resumes inside the context, on whatever pool thread. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_task *t;

struct action {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(action_move_next, struct action, self)
    trace_log("action: start, context=%s", who_context());
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("action: got %d, context=%s", self->v, who_context());
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(from_result(1), PRO_AWAIT_NONE));
    trace_log("action: completed await with false, context=%s", who_context());
    PRO_AWAIT(pro_yield());
    trace_log("action: after yield, context=%s", who_context());
PRO_ASYNC_END

static struct pro_task *action_async(void)
{
    struct action *self = PRO_NEW_FRAME_VOID(struct action, action_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void action(void *arg)
{
    (void)arg;
    t = action_async();
    trace_log("action: returned, %s", status_of(t));
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

SCENARIO(013)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct request_context *request = request_new("request");
    request_run(request, "action", action, NULL);
    worker_run("worker", complete, NULL);
    harness_finish(t, "action");
    trace_log("%s", harness_describe(t));
}
