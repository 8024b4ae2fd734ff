/* SPDX-License-Identifier: MIT */
/* async void under a context: the operation is counted, and the error is posted to the context that was current when
   the method was called. */
#include "harness.h"

struct handler {
    PRO_FRAME;
    struct pro_task *t;
    bool configured;
};

PRO_ASYNC(handler_move_next, struct handler, self)
    trace_log("handler: start");
    if (self->configured)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->t, PRO_AWAIT_NONE));
    else
        PRO_AWAIT(self->t);
    trace_log("handler: throwing, context=%s", who_context());
    PRO_THROW(test_error("boom"));
PRO_ASYNC_END

static void handler_async(struct pro_task *t, bool configured)
{
    struct handler *self = PRO_NEW_FRAME_VOID(struct handler, handler_move_next);
    if (!self)
        harness_broken("out of memory");
    self->t = t, self->configured = configured;
    PRO_START_VOID(self);
}

/* The call returns nothing: that it came back at all is the "ok". */
static void call(void *arg)
{
    handler_async(arg, false);
    trace_log("calling: ok");
}

static void call_configured(void *arg) { handler_async(arg, true); }

static void complete(void *arg) { source_set_result(arg, 1); }

static void wait_for_gate(void *arg) { gate_wait(arg); }

SCENARIO(045)
{
    struct pump_context *ui = ui_start("ui");
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    ui_run(ui, "call", call, source_task(source));
    worker_run("worker", complete, source);
    ui_drain(ui);
    ui_drain(ui);

    trace_log("with ConfigureAwait(false)");
    struct pro_completion_source *source2 = source_new(PRO_TASK_DEFAULT);
    ui_run(ui, "call", call_configured, source_task(source2));
    struct gate *hold = gate_new("hold");
    pump_post_quiet(ui, wait_for_gate, hold); /* so that the worker logs first */
    worker_run("worker", complete, source2);
    gate_open(hold);
    ui_drain(ui);

    trace_log("thrown before any await");
    ui_run(ui, "call", call, pro_task_completed());
    ui_drain(ui);
}
