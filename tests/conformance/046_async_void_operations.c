/* SPDX-License-Identifier: MIT */
/* OperationStarted and OperationCompleted bracket every async void method, on the context captured at the call, also
   when it completes on another thread or without suspending. */
#include "harness.h"

struct void_method {
    PRO_FRAME;
    const char *name;
    struct pro_task *t;
};

PRO_ASYNC(void_move_next, struct void_method, self)
    trace_log("%s: start", self->name);
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->t, PRO_AWAIT_NONE));
    trace_log("%s: end", self->name);
PRO_ASYNC_END

static void void_async(const char *name, struct pro_task *t)
{
    struct void_method *self = PRO_NEW_FRAME_VOID(struct void_method, void_move_next);
    if (!self)
        harness_broken("out of memory");
    self->name = name, self->t = t;
    PRO_START_VOID(self);
}

struct task_method {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(task_move_next, struct task_method, self)
    PRO_AWAIT(self->t);
    trace_log("task: end");
PRO_ASYNC_END

static struct pro_task *task_async(struct pro_task *t)
{
    struct task_method *self = PRO_NEW_FRAME_VOID(struct task_method, task_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static void calls(void *arg)
{
    void_async("one", source_task(arg));
    void_async("two", pro_task_completed());
    pro_forget(task_async(pro_task_completed())); /* not counted */
    trace_log("returned");
}

static void complete(void *arg) { source_set_result(arg, 1); }

static void plain(void *arg)
{
    (void)arg;
    void_async("three", pro_task_completed());
}

SCENARIO(046)
{
    struct pump_context *ui = ui_start("ui");
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    ui_run(ui, "calls", calls, source);
    worker_run("worker", complete, source);
    worker_run("plain", plain, NULL);
}
