/* SPDX-License-Identifier: MIT */
/* Two continuations of one request never overlap, though each may run on any pool thread. */
#include "harness.h"

static struct pro_completion_source *source_a, *source_b;
static struct request_context *request;
static struct pro_task *t;

struct method {
    PRO_FRAME;
};

PRO_ASYNC(a_move_next, struct method, self)
    PRO_AWAIT(source_task(source_a));
    trace_log("a: in");
    while (request_pending(request) == 0)
        thread_sleep_ms(1);
    trace_log("a: b is waiting outside, pending=%zu", request_pending(request));
    trace_log("a: out");
PRO_ASYNC_END

static struct pro_task *a_async(void)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, a_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

PRO_ASYNC(b_move_next, struct method, self)
    PRO_AWAIT(source_task(source_b));
    trace_log("b: in");
    trace_log("b: out");
PRO_ASYNC_END

static struct pro_task *b_async(void)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, b_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void action(void *arg)
{
    (void)arg;
    struct pro_task *both[2];
    both[0] = a_async();
    both[1] = b_async();
    t = pro_when_all(both, 2);
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source_a, 1);
    source_set_result(source_b, 1);
}

SCENARIO(014)
{
    source_a = source_new(PRO_TASK_DEFAULT);
    source_b = source_new(PRO_TASK_DEFAULT);
    request = request_new("request");
    request->log_posts = false;
    request_run(request, "action", action, NULL);
    worker_run("worker", complete, NULL);
    harness_finish(t, "both");
    trace_log("greatest number inside: %d", request_max_inside(request));
}
