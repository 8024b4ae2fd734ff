/* SPDX-License-Identifier: MIT */
/* Delays and cancel_after. */
#include "harness.h"

static void on_fired(void *arg)
{
    trace_log("CancelAfter fired");
    gate_open(arg);
}

SCENARIO(062)
{
    trace_log("Delay(0): %s", status_of(pro_delay(0, PRO_TOKEN_NONE)));
    trace_log("Delay(0) with a cancelled token: %s", status_of(pro_delay(0, canceled_token())));
    trace_log("Delay(-2): %s", err_name(pro_task_error(pro_delay(PRO_MS(-2), PRO_TOKEN_NONE))));
    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_task *d = pro_delay(PRO_INFINITE, pro_cancellation_source_token(cts));
    trace_log("infinite: %s", status_of(d));
    pro_cancellation_source_cancel(cts);
    trace_log("cancelled: %s", status_of(d));
    struct pro_task *a = pro_delay(PRO_MS(30), PRO_TOKEN_NONE);
    struct pro_task *b = pro_delay(PRO_MS(20000), PRO_TOKEN_NONE);
    harness_finish(a, "a");
    trace_log("short: %s, long: %s", status_of(a), status_of(b));
    struct pro_cancellation_source *after = cancellation_new();
    struct gate *fired = gate_new("fired");
    struct pro_cancellation_registration registration = { .next = NULL };
    pro_cancellation_register(pro_cancellation_source_token(after), &registration, on_fired, fired);
    pro_cancellation_source_cancel_after(after, PRO_MS(20));
    gate_wait(fired);
    struct pro_cancellation_source *never = cancellation_new();
    pro_cancellation_source_cancel_after(never, PRO_MS(400));
    pro_cancellation_source_cancel_after(never, PRO_INFINITE);
    thread_sleep_ms(600);
    trace_log("CancelAfter taken back: %s",
              text_of_bool(pro_cancellation_token_is_canceled(pro_cancellation_source_token(never))));
}
