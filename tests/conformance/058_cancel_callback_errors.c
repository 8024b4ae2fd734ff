/* SPDX-License-Identifier: MIT */
/* Errors of callbacks: collected into an aggregate by default; with stop_at_first (throwOnFirstException) the first one
   leaves the cancel at once and the remaining callbacks are skipped for good. */
#include "harness.h"

static struct pro_error *callback(void *arg)
{
    trace_log("callback %s", (const char *)arg);
    return NULL;
}

static struct pro_error *failing_callback(void *arg)
{
    trace_log("callback %s", (const char *)arg);
    return test_error(arg);
}

static void add(struct pro_cancellation_source *cts, struct pro_error *(*fallible)(void *), const char *number)
{
    struct pro_cancellation_registration *registration = memory_new(sizeof *registration);
    const struct pro_cancellation_callback how = { .fallible = fallible, .arg = (void *)(uintptr_t)number };
    pro_cancellation_register_callback(pro_cancellation_source_token(cts), registration, &how);
}

static struct pro_cancellation_source *make(void)
{
    struct pro_cancellation_source *cts = cancellation_new();
    add(cts, callback, "1");
    add(cts, failing_callback, "2");
    add(cts, callback, "3");
    add(cts, failing_callback, "4");
    return cts;
}

static const char *err_of_cancel(struct pro_cancellation_source *cts, bool stop_at_first)
{
    struct pro_error *error = NULL;
    const int code = pro_cancellation_source_cancel_telling(cts, stop_at_first, &error);
    return err_of(code, error);
}

static bool requested(struct pro_cancellation_source *cts)
{
    return pro_cancellation_token_is_canceled(pro_cancellation_source_token(cts));
}

SCENARIO(058)
{
    struct pro_cancellation_source *a = make();
    const char *error = err_of_cancel(a, false);
    trace_log("Cancel(): %s, requested: %s", error, text_of_bool(requested(a)));
    struct pro_cancellation_source *b = make();
    error = err_of_cancel(b, true);
    trace_log("Cancel(true): %s, requested: %s", error, text_of_bool(requested(b)));
    trace_log("again: %s", err_of_cancel(b, false));
}
