/* SPDX-License-Identifier: MIT */
/* pro_task_wait_async (WaitAsync) bounds the wait, not the task. */
#include "harness.h"

struct handler {
    PRO_FRAME;
    struct pro_task *never;
};

PRO_ASYNC(handler_move_next, struct handler, self)
    PRO_AWAIT_STATUS(pro_task_wait_async(self->never, PRO_WITHIN(PRO_MS(50))));
    if (PRO_STATUS == PRO_E_TIMEOUT)
        trace_log("timeout, context=%s, the task: %s", who_context(), status_of(self->never));
PRO_ASYNC_END

static struct pro_task *handler_async(void *never)
{
    struct handler *self = PRO_NEW_FRAME_VOID(struct handler, handler_move_next);
    if (!self)
        return pro_task_no_memory();
    self->never = never;
    return PRO_START(self);
}

/* C#'s TimeSpan.Zero: a limit that is over already. A timeout of 0 would be none. */
static const struct pro_how zero = { .deadline_ns = 1 };

SCENARIO(067)
{
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *t = source_task(source);
    trace_log("no limit gives the task itself: %s", text_of_bool(pro_task_wait_async(t, PRO_HOW_DEFAULT) == t));
    trace_log("zero: %s", harness_describe(pro_task_wait_async(t, zero)));
    struct pro_how zero_canceled = { .deadline_ns = zero.deadline_ns, .token = canceled_token() };
    trace_log("zero and a cancelled token: %s", harness_describe(pro_task_wait_async(t, zero_canceled)));
    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_how cancelable = { .token = pro_cancellation_source_token(cts) };
    struct pro_task *w = pro_task_wait_async(t, cancelable);
    trace_log("pending: %s", status_of(w));
    pro_cancellation_source_cancel(cts);
    trace_log("cancelled: %s, the task: %s", status_of(w), status_of(t));
    struct pro_task *x = pro_task_wait_async(t, PRO_WITHIN(PRO_MS(30)));
    harness_finish(x, "x");
    trace_log("timed out: %s, the task: %s", harness_describe(x), status_of(t));
    struct pro_task *y = pro_task_wait_async(t, PRO_WITHIN(PRO_S(60)));
    struct pump_context *ui = ui_start("ui");
    ui_run_async(ui, "handler", handler_async, t);
    source_set_result(source, 5);
    harness_finish(y, "y");
    trace_log("in time: %s %d", status_of(y), result_of(y));
    struct pro_how both = { .timeout_ns = PRO_S(1), .token = cancelable.token };
    trace_log("a finished task gives itself: %s", text_of_bool(pro_task_wait_async(t, both) == t));
}
