/* SPDX-License-Identifier: MIT */
/* Callbacks run synchronously inside the cancel, the last registered first; an unregistered one not at all, even if it
   is unregistered by another callback during the cancellation. */
#include "harness.h"

static struct pro_cancellation_source *cts;
static struct pro_cancellation_registration r[7], r_late, r_never;

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static void say_state(void *arg) { trace_log("2, state %s", (const char *)arg); }

static void dispose_4(void *arg)
{
    (void)arg;
    trace_log("5, disposes 4");
    pro_cancellation_unregister_wait(&r[4]);
}

static bool requested(void) { return pro_cancellation_token_is_canceled(pro_cancellation_source_token(cts)); }

static void say_requested(void *arg)
{
    (void)arg;
    trace_log("6, requested: %s", text_of_bool(requested()));
}

static void worker(void *arg)
{
    (void)arg;
    trace_log("cancelling");
    pro_cancellation_source_cancel(cts);
    trace_log("cancelled");
    pro_cancellation_source_cancel(cts);
    trace_log("a second Cancel does nothing");
}

SCENARIO(057)
{
    cts = cancellation_new();
    struct pro_cancellation_token token = pro_cancellation_source_token(cts);
    pro_cancellation_register(token, &r[1], say, "1");
    pro_cancellation_register(token, &r[2], say_state, "x");
    pro_cancellation_register(token, &r[3], say, "3 must not run");
    pro_cancellation_register(token, &r[4], say, "4 must not run");
    pro_cancellation_register(token, &r[5], dispose_4, NULL);
    pro_cancellation_register(token, &r[6], say_requested, NULL);
    pro_cancellation_unregister_wait(&r[3]);
    worker_run("worker", worker, NULL);
    pro_cancellation_register(token, &r_late, say, "late, runs in Register");
    trace_log("registered late");
    pro_cancellation_unregister_wait(&r_late);
    trace_log("ThrowIfCancellationRequested: %s", err_of(requested() ? PRO_E_CANCELED : PRO_OK, NULL));
    trace_log("default token: %s %s", text_of_bool(pro_cancellation_token_can_be_canceled(PRO_TOKEN_NONE)),
              text_of_bool(pro_cancellation_token_is_canceled(PRO_TOKEN_NONE)));
    pro_cancellation_register(PRO_TOKEN_NONE, &r_never, say, "never");
}
