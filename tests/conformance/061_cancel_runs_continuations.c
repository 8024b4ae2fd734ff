/* SPDX-License-Identifier: MIT */
/* Cancelling completes cancelable tasks, and their continuations run inside the cancel: user code runs on the
   canceller's stack, under whatever lock it holds. A delay is an exception: its cancellation is completed by the pool.
 */
#include "harness.h"

/* A cancelable operation as anyone would write it. */
struct operation {
    struct pro_completion_source *source;
    struct pro_cancellation_token token;
    struct pro_cancellation_registration registration;
};

static void cancel_operation(void *arg)
{
    struct operation *operation = arg;
    pro_completion_source_try_set_canceled(operation->source, operation->token);
}

static struct pro_task *operation_new(struct pro_cancellation_token token)
{
    struct operation *operation = memory_new(sizeof *operation);
    operation->source = source_new(PRO_TASK_DEFAULT);
    operation->token = token;
    pro_cancellation_register(token, &operation->registration, cancel_operation, operation);
    return source_task(operation->source);
}

struct waiting {
    PRO_FRAME;
    struct pro_task *operation;
    struct pro_cancellation_token token;
};

PRO_ASYNC(waiting_move_next, struct waiting, self)
    PRO_AWAIT_STATUS(self->operation);
    if (PRO_STATUS == PRO_E_CANCELED)
        trace_log("canceled, the given token: %s", text_of_bool(pro_error_is_of_token(PRO_ERROR, &self->token)));
    trace_log("method: end");
PRO_ASYNC_END

static struct pro_task *wait_async(struct pro_task *operation, struct pro_cancellation_token token)
{
    struct waiting *self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);
    if (!self)
        return pro_task_no_memory();
    self->operation = operation, self->token = token;
    return PRO_START(self);
}

static struct pro_task *t, *u;

static void cancel_and_log(void *cts)
{
    trace_log("before Cancel");
    pro_cancellation_source_cancel(cts);
    trace_log("after Cancel, %s", status_of(t));
}

static void cancel(void *cts) { pro_cancellation_source_cancel(cts); }

static void call(void *cts)
{
    const struct pro_cancellation_token token = pro_cancellation_source_token(cts);
    u = wait_async(operation_new(token), token);
}

SCENARIO(061)
{
    struct pro_cancellation_source *cts = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(cts);
    t = wait_async(operation_new(token), token);
    trace_log("waiting, %s", status_of(t));
    worker_run("worker", cancel_and_log, cts);
    struct pump_context *ui = ui_start("ui");
    struct pro_cancellation_source *cts2 = cancellation_new();
    ui_run(ui, "call", call, cts2);
    worker_run("worker", cancel, cts2);
    harness_finish(u, "u");

    struct pro_cancellation_source *cts3 = cancellation_new();
    const struct pro_cancellation_token token3 = pro_cancellation_source_token(cts3);
    struct pro_task *delay = wait_async(pro_delay(PRO_INFINITE, token3), token3);
    worker_run("worker", cancel, cts3);
    harness_finish(delay, "delay");
}
