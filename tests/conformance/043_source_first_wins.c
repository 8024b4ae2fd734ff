/* SPDX-License-Identifier: MIT */
/* The first of a source's completions wins. */
#include "harness.h"

static const char *won(int code) { return text_of_bool(code == PRO_OK); }

SCENARIO(043)
{
    struct pro_completion_source *a = source_new(PRO_TASK_DEFAULT);
    int one = 1, two = 2, three = 3;
    trace_log("TrySetResult: %s", won(pro_completion_source_try_set_result(a, &one, PRO_TYPE(int))));
    trace_log("TrySetResult: %s", won(pro_completion_source_try_set_result(a, &two, PRO_TYPE(int))));
    trace_log("TrySetException: %s", won(pro_completion_source_try_set_error(a, test_error("late"))));
    trace_log("TrySetCanceled: %s", won(pro_completion_source_try_set_canceled(a, PRO_TOKEN_NONE)));
    trace_log("SetResult: %s", err_of(pro_completion_source_set_result(a, &three, PRO_TYPE(int)), NULL));
    trace_log("SetException: %s", err_of(pro_completion_source_set_error(a, test_error("late")), NULL));
    trace_log("SetCanceled: %s", err_of(pro_completion_source_set_canceled(a, PRO_TOKEN_NONE), NULL));
    trace_log("result %d", result_of(source_task(a)));

    struct pro_completion_source *b = source_new(PRO_TASK_ASYNC_CONTINUATIONS), *bad = NULL;
    pro_completion_source_set_state(b, "state");
    struct pro_task *t = source_task(b);
    trace_log("state: %s, options: %s", (const char *)pro_task_async_state(t),
              pro_task_options(t) == PRO_TASK_ASYNC_CONTINUATIONS ? "RunContinuationsAsynchronously" : "other");
    trace_log("SetException(null): %s", err_of(pro_completion_source_set_error(b, NULL), NULL));
    trace_log("SetException of none: %s",
              err_of(pro_completion_source_set_error(b, pro_error_aggregate(NULL, 0)), NULL));
    trace_log("still %s", status_of(t));
    trace_log("bad options: %s", err_of(pro_completion_source_new(PRO_TYPE(int), PRO_TASK_LONG_RUNNING, &bad), NULL));
    struct pro_cancellation_source *cts = cancellation_new();
    const char *canceled = won(pro_completion_source_try_set_canceled(b, pro_cancellation_source_token(cts)));
    trace_log("TrySetCanceled(token): %s %s", canceled, status_of(t));
}
