/* SPDX-License-Identifier: MIT */
/* An error of an async method is stored in its task, even when it comes before the first await; an ordinary function
   tells its caller. */
#include "harness.h"

struct fails {
    PRO_FRAME;
    bool early;
    struct pro_task *t;
};

PRO_ASYNC(fails_move_next, struct fails, self)
    if (self->early)
        PRO_THROW(test_error("early"));
    PRO_AWAIT(self->t);
    PRO_THROW(test_error("late"));
PRO_ASYNC_END

static struct pro_task *fails_async(bool early, struct pro_task *t)
{
    struct fails *self = PRO_NEW_FRAME_VOID(struct fails, fails_move_next);
    if (!self)
        return pro_task_no_memory();
    self->early = early, self->t = t;
    return PRO_START(self);
}

/* C has no exceptions: what C# throws to the caller is the function's own error here, and there is no task. */
static int ordinary_async(struct pro_task **ret_task, struct pro_error **ret_error)
{
    (void)ret_task;
    *ret_error = test_error("ordinary");
    return pro_error_code(*ret_error);
}

struct text {
    char chars[64];
};

struct catches {
    PRO_FRAME;
    struct pro_task *t;
    struct text text;
};

PRO_ASYNC(catches_move_next, struct catches, self)
    PRO_AWAIT_STATUS(self->t);
    if (PRO_STATUS == PRO_OK)
        snprintf(self->text.chars, sizeof self->text, "ok");
    else
        snprintf(self->text.chars, sizeof self->text, "caught %s", err_name(PRO_ERROR));
    PRO_RETURN(struct text, self->text);
    PRO_FINALLY
    trace_log("finally");
PRO_ASYNC_END

static struct pro_task *catches_async(struct pro_task *t)
{
    struct catches *self = PRO_NEW_FRAME(struct catches, catches_move_next, struct text);
    if (!self)
        return pro_task_no_memory();
    self->t = pro_borrow(t);
    return PRO_START(self);
}

SCENARIO(044)
{
    struct pro_task *t = fails_async(true, NULL);
    trace_log("call: %s", err_of(t ? PRO_OK : PRO_E_FAILED, NULL));
    trace_log("task: %s", harness_describe(t));
    struct pro_error *error = NULL;
    int code = ordinary_async(&t, &error);
    trace_log("call: %s", err_of(code, error));
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    struct pro_task *u = fails_async(false, source_task(source));
    struct pro_task *c = catches_async(u);
    trace_log("pending: %s %s", status_of(u), status_of(c));
    source_set_result(source, 1);
    struct text text = { "" };
    PRO_RESULT(c, &text);
    trace_log("task: %s, catcher: %s", harness_describe(u), text.chars);
}
