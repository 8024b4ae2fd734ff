/* SPDX-License-Identifier: MIT */
/* Result and Wait wrap all errors in an aggregate; await and GetResult give the first one as it is. */
#include "harness.h"

struct await {
    PRO_FRAME;
    struct pro_task *t;
    int v;
};

PRO_ASYNC(await_move_next, struct await, self)
    PRO_AWAIT_TO(&self->v, self->t);
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *await_async(struct pro_task *t)
{
    struct await *self = PRO_NEW_FRAME(struct await, await_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->t = pro_borrow(t);
    return PRO_START(self);
}

static const char *of_result(struct pro_task *t)
{
    struct pro_error *error = NULL;
    int v;
    const int code = pro_task_result(t, &v, PRO_TYPE(int), &error, PRO_HERE);
    return err_of(code, error);
}

static const char *of_wait(struct pro_task *t)
{
    struct pro_error *error = NULL;
    const int code = pro_task_wait(t, PRO_HOW_DEFAULT, &error, PRO_HERE);
    return err_of(code, error);
}

static const char *of_get_result(struct pro_task *t, struct pro_type type)
{
    struct pro_error *error = NULL;
    int v;
    const int code = pro_task_get_result(t, type.size ? &v : NULL, type, &error, PRO_HERE);
    return err_of(code, error);
}

static const char *of_wait_all(struct pro_task *first, struct pro_task *second)
{
    struct pro_task *both[] = { first, second };
    struct pro_error *error = NULL;
    const int code = pro_task_wait_all(both, 2, PRO_HOW_DEFAULT, &error, PRO_HERE);
    return err_of(code, error);
}

SCENARIO(037)
{
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_error *ab[] = { test_error("a"), test_error("b") };
    pro_completion_source_set_error(source, pro_error_aggregate(ab, 2));
    struct pro_task *t = source_task(source);
    trace_log("status: %s", status_of(t));
    trace_log("Exception: %s", err_name(pro_task_error_all(t)));
    trace_log("Result: %s", of_result(t));
    trace_log("Wait: %s", of_wait(t));
    trace_log("GetResult: %s", of_get_result(t, PRO_TYPE(int)));
    struct pro_task *u = await_async(t);
    trace_log("awaited by a method: %s", harness_describe(u));
    trace_log("same object: %s", text_of_bool(pro_task_error(u) == pro_error_inner(pro_task_error_all(t), 0)));

    struct pro_task *c = pro_task_from_canceled(canceled_token());
    trace_log("canceled, Exception: %s", err_name(pro_task_error_all(c)));
    trace_log("canceled, Wait: %s", of_wait(c));
    trace_log("canceled, GetResult: %s", of_get_result(c, PRO_NO_RESULT));
    trace_log("WaitAll: %s", of_wait_all(t, c));
}
