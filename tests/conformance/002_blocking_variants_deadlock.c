/* SPDX-License-Identifier: MIT */
/* Wait, GetResult, WaitAll and WaitAny block the context exactly like Result. */
#include "harness.h"

struct get {
    PRO_FRAME;
    struct pro_task *source;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    PRO_AWAIT_TO(&self->v, self->source);
    trace_log("get: after await");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(struct pro_task *source)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->source = source;
    return PRO_START(self);
}

struct attempt {
    const char *how;
    void (*block)(struct pro_task *t);
    struct pro_completion_source *source;
};

static void complete(void *arg) { source_set_result(((struct attempt *)arg)->source, 1); }

static void handler(void *arg)
{
    struct attempt *attempt = arg;
    struct pro_task *t = get_async(source_task(attempt->source));
    trace_log("%s: blocking", attempt->how);
    worker_start("worker", complete, attempt);
    attempt->block(t);
    trace_log("%s: unblocked", attempt->how);
}

static void try_it(const char *how, void (*block)(struct pro_task *t))
{
    struct attempt *attempt = memory_new(sizeof *attempt);
    attempt->how = how, attempt->block = block;
    attempt->source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, how, handler, attempt);
}

static void wait(struct pro_task *t) { PRO_WAIT(t); }

static void get_result(struct pro_task *t)
{
    int v;
    PRO_GET_RESULT(t, &v);
}

static void wait_all(struct pro_task *t) { pro_task_wait_all(&t, 1, PRO_HOW_DEFAULT, NULL, PRO_HERE); }

static void wait_any(struct pro_task *t) { pro_task_wait_any(&t, 1, PRO_HOW_DEFAULT, PRO_HERE); }

SCENARIO(002)
{
    try_it("Wait", wait);
    try_it("GetResult", get_result);
    try_it("WaitAll", wait_all);
    try_it("WaitAny", wait_any);
}
