/* SPDX-License-Identifier: MIT */
/* What an async method calls on an awaiter, and in which order. */
#include "harness.h"

static struct pro_continuation *stored;

/* ---- plain: on_completed only ---- */
static bool plain_is_completed(void *self)
{
    const bool done = *(bool *)self;
    trace_log("plain.IsCompleted=%s", text_of_bool(done));
    return done;
}

static void plain_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)self, (void)options;
    trace_log("plain.OnCompleted");
    stored = continuation;
}

static int plain_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)type, (void)ret_error;
    trace_log("plain.GetResult");
    if (ret_result)
        *(int *)ret_result = 1;
    return PRO_OK;
}

static const struct pro_awaiter_vtable plain_vtable = {
    .is_completed = plain_is_completed,
    .on_completed = plain_on_completed,
    .get_result = plain_get_result,
};

static struct pro_awaiter plain_get_awaiter(bool *done)
{
    trace_log("plain.GetAwaiter");
    return (struct pro_awaiter){ &plain_vtable, done };
}

/* ---- critical: both forms, and its result is an error ---- */
static bool critical_is_completed(void *self)
{
    (void)self;
    trace_log("critical.IsCompleted=False");
    return false;
}

static void critical_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)self, (void)options;
    trace_log("critical.OnCompleted");
    stored = continuation;
}

static void critical_unsafe_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)self, (void)options;
    trace_log("critical.UnsafeOnCompleted");
    stored = continuation;
}

static int critical_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type;
    trace_log("critical.GetResult");
    if (ret_error)
        *ret_error = test_error("from the awaiter");
    return PRO_E_USER;
}

static const struct pro_awaiter_vtable critical_vtable = {
    .is_completed = critical_is_completed,
    .on_completed = critical_on_completed,
    .unsafe_on_completed = critical_unsafe_on_completed,
    .get_result = critical_get_result,
};

static struct pro_awaiter critical_get_awaiter(void)
{
    trace_log("critical.GetAwaiter");
    return (struct pro_awaiter){ &critical_vtable, NULL };
}

/* ---- immediate: resumes before on_completed returns: allowed, the method runs on inside it ---- */
static bool immediate_is_completed(void *self)
{
    (void)self;
    return false;
}

static void immediate_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)self, (void)options;
    trace_log("immediate.OnCompleted in");
    pro_continuation_run(continuation);
    trace_log("immediate.OnCompleted out");
}

static int immediate_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type, (void)ret_error;
    trace_log("immediate.GetResult");
    return PRO_OK;
}

static const struct pro_awaiter_vtable immediate_vtable = {
    .is_completed = immediate_is_completed,
    .on_completed = immediate_on_completed,
    .get_result = immediate_get_result,
};

static struct pro_awaiter immediate_get_awaiter(void) { return (struct pro_awaiter){ &immediate_vtable, NULL }; }

/* ---- the method ---- */
struct use {
    PRO_FRAME;
    bool done, pending;
    int v, more;
};

PRO_ASYNC(use_move_next, struct use, self)
    self->done = true;
    PRO_AWAIT_TO(&self->v, plain_get_awaiter(&self->done));
    trace_log("method: 1");
    PRO_AWAIT_TO(&self->more, plain_get_awaiter(&self->pending));
    self->v += self->more;
    trace_log("method: 2");
    PRO_AWAIT_STATUS_TO(&self->more, critical_get_awaiter());
    if (PRO_STATUS == PRO_E_USER)
        trace_log("method: caught %s", err_name(PRO_ERROR));
    PRO_AWAIT(immediate_get_awaiter());
    trace_log("method: end");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *use_async(void)
{
    struct use *self = PRO_NEW_FRAME(struct use, use_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void resume(void)
{
    struct pro_continuation *continuation = stored;
    stored = NULL;
    trace_log("resuming");
    pro_continuation_run(continuation);
    trace_log("resumed");
}

SCENARIO(032)
{
    struct pro_task *t = use_async();
    trace_log("returned, %s", status_of(t));
    resume();
    resume();
    trace_log("%s %d", status_of(t), result_of(t));
}
