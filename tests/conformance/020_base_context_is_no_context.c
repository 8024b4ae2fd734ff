/* SPDX-License-Identifier: MIT */
/* A current context that is exactly the base class is ignored by await; a derived one that adds nothing is not. */
#include "harness.h"

struct get {
    PRO_FRAME;
    struct pro_task *source;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    PRO_AWAIT_TO(&self->v, self->source);
    trace_log("get: after await, context=%s", who_context());
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(struct pro_task *source)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->source = source;
    return PRO_START(self);
}

struct attempt {
    struct pro_sync_context *context;
    struct pro_completion_source *source;
};

static void complete(void *arg) { source_set_result(((struct attempt *)arg)->source, 42); }

static void user(void *arg)
{
    struct attempt *attempt = arg;
    pro_sync_context_set(attempt->context);
    trace_log("user: context=%s", who_context());
    struct pro_task *t = get_async(source_task(attempt->source));
    worker_start("worker", complete, attempt);
    trace_log("user: got %d", result_of(t));
}

static void try_it(struct pro_sync_context *context)
{
    struct attempt *attempt = memory_new(sizeof *attempt);
    attempt->context = context;
    attempt->source = source_new(PRO_TASK_DEFAULT);
    worker_run("user", user, attempt);
}

static const struct pro_sync_context_vtable adds_nothing = { .post = NULL };
static struct pro_sync_context base, derived;

SCENARIO(020)
{
    pro_sync_context_init(&base, NULL, "base");
    pro_sync_context_init(&derived, &adds_nothing, "derived");
    try_it(&base);    /* continuation inlined on the worker */
    try_it(&derived); /* continuation posted: post of the base class uses the pool */
}
