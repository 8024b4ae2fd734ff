/* SPDX-License-Identifier: MIT */
/* pro_cancellation_source_cancel_async sets the state at once and runs the callbacks on the pool. */
#include "harness.h"

static struct pro_cancellation_registration r1, r2, r3, r4;
static struct gate *returned;

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static struct pro_error *wait_and_throw(void *arg)
{
    (void)arg;
    gate_wait(returned);
    trace_log("callback 2");
    return test_error("2");
}

SCENARIO(073)
{
    struct pro_cancellation_source *cts = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(cts);
    const struct pro_cancellation_callback second = { .fallible = wait_and_throw };
    returned = gate_new("returned");
    pro_cancellation_register(token, &r1, say, "callback 1");
    pro_cancellation_register_callback(token, &r2, &second);
    struct pro_task *t = pro_cancellation_source_cancel_async(cts);
    trace_log("returned, requested: %s", text_of_bool(pro_cancellation_token_is_canceled(token)));
    struct pro_task *again = pro_cancellation_source_cancel_async(cts);
    trace_log("again: %s", status_of(again));
    gate_open(returned);
    harness_finish(t, "t");
    trace_log("%s", harness_describe(t));
    struct pro_cancellation_source *empty = cancellation_new();
    trace_log("without callbacks: %s", status_of(pro_cancellation_source_cancel_async(empty)));
    struct pro_cancellation_source *reset = cancellation_new();
    pro_cancellation_register(pro_cancellation_source_token(reset), &r3, say, "must not run");
    trace_log("TryReset: %s", text_of_bool(pro_cancellation_source_try_reset(reset)));
    pro_cancellation_register(pro_cancellation_source_token(reset), &r4, say, "registered after the reset");
    pro_cancellation_source_cancel(reset);
    trace_log("TryReset of a cancelled one: %s", text_of_bool(pro_cancellation_source_try_reset(reset)));
}
