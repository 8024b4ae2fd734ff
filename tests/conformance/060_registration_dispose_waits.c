/* SPDX-License-Identifier: MIT */
/* Disposing a registration (unregister_wait) waits for its callback when that runs on another thread; from inside the
   callback it returns at once. Unregister never waits. */
#include "harness.h"

static struct pro_cancellation_source *cts;
static struct pro_cancellation_registration reg, self;
static struct gate *inside, *proceed, *disposed, *cancelled;

static void callback(void *arg)
{
    (void)arg;
    trace_log("callback: in");
    gate_open(inside);
    gate_wait(proceed);
    trace_log("callback: out");
}

static void dispose_itself(void *arg)
{
    (void)arg;
    pro_cancellation_unregister_wait(&self);
    trace_log("disposed itself");
}

static void canceller(void *arg)
{
    (void)arg;
    pro_cancellation_source_cancel(cts);
    gate_open(cancelled);
}

static void disposer(void *arg)
{
    (void)arg;
    pro_cancellation_unregister_wait(&reg);
    trace_log("disposed");
    gate_open(disposed);
}

SCENARIO(060)
{
    cts = cancellation_new();
    inside = gate_new("inside"), proceed = gate_new("proceed"), cancelled = gate_new("cancelled");
    pro_cancellation_register(pro_cancellation_source_token(cts), &reg, callback, NULL);
    pro_cancellation_register(pro_cancellation_source_token(cts), &self, dispose_itself, NULL);
    worker_start("canceller", canceller, NULL);
    gate_wait(inside);
    trace_log("Unregister: %s", text_of_bool(pro_cancellation_unregister(&reg)));
    disposed = gate_new("disposed");
    worker_start("disposer", disposer, NULL);
    trace_log("Dispose returned while the callback runs: %s", text_of_bool(gate_wait_ms(disposed, 200)));
    gate_open(proceed);
    gate_wait(disposed);
    gate_wait(cancelled);
}
