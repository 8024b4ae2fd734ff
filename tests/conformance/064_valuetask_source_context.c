/* SPDX-License-Identifier: MIT */
/* Unlike a task, a value-task source always posts to a captured context, even when it is completed inside that same
   context. Without a context it runs the continuation inline, and it does so even when the completing thread has a
   context (PRO_AWAIT_NONE). */
#include "harness.h"

/* The core is a source by itself. */
struct
try {
    struct pro_value_task_source_core *s;
    bool capture;
    struct gate *gate;
    struct pro_task *t;
};

struct awaiting {
    PRO_FRAME;
    struct pro_value_task v;
    bool capture;
    struct gate *gate;
};

PRO_ASYNC(awaiting_move_next, struct awaiting, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->v, self->capture ? PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT : PRO_AWAIT_NONE));
    if (self->gate && who_is("pool"))
        gate_wait(self->gate);
    trace_log("resumed, context=%s", who_context());
PRO_ASYNC_END

static struct pro_task *await_async(struct pro_value_task v, bool capture, struct gate *gate)
{
    struct awaiting *self = PRO_NEW_FRAME_VOID(struct awaiting, awaiting_move_next);
    if (!self)
        return pro_task_no_memory();
    self->v = v, self->capture = capture, self->gate = gate;
    return PRO_START(self);
}

static void start(void *arg)
{
    struct try *try = arg;
    try->t = await_async(pro_value_task_source_core_task(try->s, PRO_TYPE(int)), try->capture, try->gate);
}

static void complete(void *arg)
{
    struct try *try = arg;
    int one = 1;
    pro_value_task_source_core_set_result(try->s, &one, PRO_TYPE(int));
    trace_log("after SetResult, %s", status_of(try->t));
    gate_open(try->gate);
}

static void try_it(const char *what, bool capture, bool async)
{
    trace_log("%s", what);
    struct pump_context *ui = ui_start("ui");
    struct try *try = memory_new(sizeof *try);
    try->s = memory_new(sizeof *try->s);
    try->s->run_continuations_asynchronously = async;
    try->capture = capture;
    try->gate = gate_new("gate");
    ui_run(ui, "await", start, try);
    ui_run(ui, "complete", complete, try);
    harness_finish(try->t, "t");
}

SCENARIO(064)
{
    try_it("captured", true, false);
    try_it("not captured", false, false);
    try_it("not captured, asynchronous", false, true);
}
