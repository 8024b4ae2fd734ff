/* SPDX-License-Identifier: MIT */
/* Short forms of what C# says in one word: sources and results of type int, StartNew, cancelled tokens. */
#include "harness.h"

struct pro_completion_source *source_new(unsigned options)
{
    struct pro_completion_source *source;
    if (pro_completion_source_new(PRO_TYPE(int), options, &source) != PRO_OK)
        harness_broken("out of memory");
    return source;
}

void source_set_result(struct pro_completion_source *source, int value)
{
    const int code = pro_completion_source_set_result(source, &value, PRO_TYPE(int));
    if (code != PRO_OK)
        trace_log("SetResult failed: %s", err_of(code, NULL));
}

struct pro_task *source_task(struct pro_completion_source *source) { return pro_completion_source_task(source); }

struct pro_task *from_result(int value) { return pro_task_from_result(&value, PRO_TYPE(int)); }

int result_of(struct pro_task *task)
{
    int value = 0;
    const int code = PRO_RESULT(task, &value);
    if (code != PRO_OK)
        trace_log("Result failed: %s", err_of(code, NULL));
    return value;
}

/* A closure: what a lambda captured. Its task calls it once. */
struct closure {
    action_fn *action;
    async_fn *async;
    void *arg;
};

static struct closure *closure_new(action_fn *action, async_fn *async, void *arg)
{
    struct closure *closure = memory_new(sizeof *closure);
    closure->action = action, closure->async = async, closure->arg = arg;
    return closure;
}

static struct pro_error *closure_run(void *arg, void *ret_result)
{
    struct closure *closure = arg;
    (void)ret_result;
    closure->action(closure->arg);
    return NULL;
}

static struct pro_error *closure_run_async(void *arg, void *ret_result)
{
    struct closure *closure = arg;
    *(struct pro_task **)ret_result = closure->async(closure->arg);
    return NULL;
}

struct pro_task *start_new(action_fn *fn, void *arg, unsigned options, struct pro_task_scheduler *scheduler)
{
    return pro_task_start_new(closure_run, closure_new(fn, NULL, arg), PRO_NO_RESULT, PRO_TOKEN_NONE, options,
                              scheduler);
}

struct pro_task *run(action_fn *fn, void *arg)
{
    return pro_task_run(closure_run, closure_new(fn, NULL, arg), PRO_NO_RESULT, PRO_TOKEN_NONE);
}

struct pro_task *start_new_async(async_fn *fn, void *arg, unsigned options, struct pro_task_scheduler *scheduler)
{
    return pro_task_start_new(closure_run_async, closure_new(NULL, fn, arg), PRO_TYPE(struct pro_task *),
                              PRO_TOKEN_NONE, options, scheduler);
}

struct pro_task *inner_of(struct pro_task *outer)
{
    struct pro_task *inner = NULL;
    const int code = PRO_RESULT(outer, &inner);
    if (code != PRO_OK)
        trace_log("Result failed: %s", err_of(code, NULL));
    return inner;
}

struct pro_cancellation_source *cancellation_new(void)
{
    struct pro_cancellation_source *source;
    if (pro_cancellation_source_new(&source) != PRO_OK)
        harness_broken("out of memory");
    return source;
}

struct pro_cancellation_token canceled_token(void)
{
    struct pro_cancellation_source *source = cancellation_new();
    pro_cancellation_source_cancel(source);
    return pro_cancellation_source_token(source);
}
