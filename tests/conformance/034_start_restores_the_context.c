/* SPDX-License-Identifier: MIT */
/* A change of the current context made inside an async method does not leak to its caller, whether the method suspends
   or not; a change made by an ordinary function does. */
#include "harness.h"

static struct pump_context *other;

struct method {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(suspends_move_next, struct method, self)
    pro_sync_context_set(&other->base);
    trace_log("inside: context=%s", who_context());
    PRO_AWAIT(self->t);
PRO_ASYNC_END

static struct pro_task *suspends_async(struct pro_task *t)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, suspends_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

PRO_ASYNC(completes_move_next, struct method, self)
    pro_sync_context_set(&other->base);
    trace_log("inside: context=%s", who_context());
    PRO_AWAIT(pro_task_completed());
PRO_ASYNC_END

static struct pro_task *completes_async(void)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, completes_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void plain(void) { pro_sync_context_set(&other->base); }

static void worker(void *arg)
{
    (void)arg;
    pro_forget(suspends_async(source_task(source_new(PRO_TASK_DEFAULT))));
    trace_log("after the suspending one: context=%s", who_context());
    pro_forget(completes_async());
    trace_log("after the completing one: context=%s", who_context());
    plain();
    trace_log("after the plain one: context=%s", who_context());
}

SCENARIO(034)
{
    other = pump_new("other");
    other->log_posts = false;
    worker_run("worker", worker, NULL);
}
