/* SPDX-License-Identifier: MIT */
/* When a cancellation error makes a task Canceled and when Faulted. */
#include "harness.h"

static struct pro_cancellation_source *mine, *other, *never;
static struct gate *started, *go;

static struct pro_error *throw(struct pro_cancellation_token token) { return pro_error_canceled(&token); }

/* The delegates: a body is given what it throws. */
static struct pro_error *throw_mine_late(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    gate_open(started);
    gate_wait(go);
    return throw(pro_cancellation_source_token(mine));
}

static struct pro_error *throw_of(void *source, void *ret_result)
{
    (void)ret_result;
    return throw(pro_cancellation_source_token(source));
}

static struct pro_error *say_never(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    trace_log("never");
    return NULL;
}

struct throwing {
    PRO_FRAME;
    struct pro_cancellation_token token;
};

PRO_ASYNC(throwing_move_next, struct throwing, self)
    PRO_THROW(throw(self->token));
PRO_ASYNC_END

static struct pro_task *throw_async(void *source)
{
    struct throwing *self = PRO_NEW_FRAME_VOID(struct throwing, throwing_move_next);
    if (!self)
        return pro_task_no_memory();
    self->token = pro_cancellation_source_token(source);
    return PRO_START(self);
}

/* A C function that gives a task cannot throw beside it: what C# throws before there is a task is a cancelled task
 * here. */
static struct pro_task *throw_directly(void *source)
{
    return pro_task_from_canceled(pro_cancellation_source_token(source));
}

static struct pro_task *no_task(void *arg)
{
    (void)arg;
    return NULL;
}

static void show(const char *what, struct pro_task *t)
{
    harness_finish(t, what);
    trace_log("%s: %s", what, harness_describe(t));
}

static struct pro_task *start(pro_task_fn *body, void *arg, struct pro_cancellation_token token)
{
    return pro_task_start_new(body, arg, PRO_NO_RESULT, token, PRO_TASK_DEFAULT, pro_task_scheduler_default());
}

SCENARIO(039)
{
    mine = cancellation_new(), other = cancellation_new(), never = cancellation_new();
    started = gate_new("started"), go = gate_new("go");
    struct pro_task *own = start(throw_mine_late, NULL, pro_cancellation_source_token(mine));
    gate_wait(started);
    pro_cancellation_source_cancel(mine);
    gate_open(go);
    show("delegate, own canceled token", own);
    pro_cancellation_source_cancel(other);
    show("delegate, token of another", start(throw_of, other, pro_cancellation_source_token(never)));
    show("delegate, no token given", start(throw_of, other, PRO_TOKEN_NONE));
    show("delegate, own token not canceled", start(throw_of, never, pro_cancellation_source_token(never)));
    show("async method, canceled token", throw_async(other));
    show("async method, token not canceled", throw_async(never));
    show("Task.Run of async, canceled token", pro_task_run_async(throw_async, other, PRO_NO_RESULT, PRO_TOKEN_NONE));
    show("Task.Run of action, no token given", pro_task_run(throw_of, other, PRO_NO_RESULT, PRO_TOKEN_NONE));
    show("Task.Run of task-returning, thrown directly",
         pro_task_run_async(throw_directly, other, PRO_NO_RESULT, PRO_TOKEN_NONE));
    show("Task.Run with a canceled token",
         pro_task_run(say_never, NULL, PRO_NO_RESULT, pro_cancellation_source_token(other)));
    struct pro_completion_source *a = source_new(PRO_TASK_DEFAULT);
    pro_completion_source_set_canceled(a, PRO_TOKEN_NONE);
    show("source, SetCanceled", source_task(a));
    struct pro_completion_source *b = source_new(PRO_TASK_DEFAULT);
    pro_completion_source_set_error(b, throw(pro_cancellation_source_token(other)));
    show("source, SetException of a cancellation", source_task(b));
    show("FromException of a cancellation", pro_task_from_error(throw(pro_cancellation_source_token(other))));
    show("Task.Run returning null task", pro_task_run_async(no_task, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE));
}
