/* SPDX-License-Identifier: MIT */
/* A request context has no thread of its own, but admits one at a time: blocking inside it keeps the continuation out
   just the same. */
#include "harness.h"

static struct pro_completion_source *source;

struct get {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("get: after await");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(void)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

static void action(void *arg)
{
    (void)arg;
    trace_log("action: start, context=%s", who_context());
    struct pro_task *t = get_async();
    trace_log("action: blocking");
    worker_start("worker", complete, NULL);
    trace_log("action: got %d", result_of(t));
}

SCENARIO(012)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct request_context *request = request_new("request");
    request_run(request, "action", action, NULL);
}
