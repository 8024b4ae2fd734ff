/* SPDX-License-Identifier: MIT */
/* When-all waits for every task; a fault wins over a cancellation; all errors are kept, in the order of the arguments;
   await throws the first. */
#include "harness.h"

struct awaiting {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(awaiting_move_next, struct awaiting, self)
    PRO_AWAIT(self->t);
PRO_ASYNC_END

static struct pro_task *await_async(struct pro_task *t)
{
    struct awaiting *self = PRO_NEW_FRAME_VOID(struct awaiting, awaiting_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

/* Err.Of(() => t.GetAwaiter().GetResult()) */
static const char *err_of_get_result(struct pro_task *t)
{
    struct pro_error *error = NULL;
    const int code = pro_task_get_result(t, NULL, PRO_NO_RESULT, &error, PRO_HERE);
    return err_of(code, error);
}

SCENARIO(040)
{
    struct pro_completion_source *a = source_new(PRO_TASK_DEFAULT), *b = source_new(PRO_TASK_DEFAULT),
                                 *c = source_new(PRO_TASK_DEFAULT), *d = source_new(PRO_TASK_DEFAULT);
    struct pro_task *four[] = { source_task(a), source_task(b), source_task(c), source_task(d) };
    struct pro_task *all = pro_when_all_results(four, 4, PRO_TYPE(int));
    struct pro_error *two[] = { test_error("d1"), test_error("d2") };
    pro_completion_source_set_error(d, pro_error_aggregate(two, 2));
    trace_log("after a fault: %s", status_of(all));
    pro_completion_source_set_canceled(b, PRO_TOKEN_NONE);
    trace_log("after a cancellation: %s", status_of(all));
    pro_completion_source_set_error(a, test_error("a"));
    source_set_result(c, 3);
    trace_log("all: %s", harness_describe(all));
    trace_log("awaited: %s", err_of_get_result(await_async(pro_borrow(all))));

    struct pro_cancellation_token tok = canceled_token();
    struct pro_task *three[] = { pro_task_completed(), pro_task_from_canceled(tok), pro_task_completed() };
    struct pro_task *e = pro_when_all(three, 3);
    trace_log("canceled only: %s", harness_describe(e));
    struct pro_error *x = NULL;
    if (pro_task_get_result(e, NULL, PRO_NO_RESULT, &x, PRO_HERE) == PRO_E_CANCELED)
        trace_log("token of the first canceled: %s", text_of_bool(pro_error_is_of_token(x, &tok)));

    struct pro_task *results[] = { from_result(1), from_result(2), from_result(3) };
    int r[3] = { 0, 0, 0 };
    pro_task_result(pro_when_all_results(results, 3, PRO_TYPE(int)), r, (struct pro_type){ sizeof r, 0 }, NULL,
                    PRO_HERE);
    trace_log("results: %d,%d,%d", r[0], r[1], r[2]);
    struct pro_task *n = pro_when_all(NULL, 0);
    trace_log("none: %s", status_of(n));
    struct pro_task *with_null[] = { pro_task_completed(), NULL };
    trace_log("null element: %s", err_of_get_result(pro_when_all(with_null, 2)));
    struct pro_task *one = from_result(1), *twice[] = { one, one };
    trace_log("the same task twice: %s", status_of(pro_when_all(twice, 2)));
}
