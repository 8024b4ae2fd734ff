/* SPDX-License-Identifier: MIT */
/* Yield always suspends, and targets the current context, else the current scheduler, else the pool. It cannot be
   configured. */
#include "harness.h"

struct yield {
    PRO_FRAME;
    const char *name;
    struct gate *after;
};

PRO_ASYNC(yield_move_next, struct yield, self)
    trace_log("%s: before", self->name);
    PRO_AWAIT(pro_yield());
    if (self->after)
        gate_wait(self->after);
    trace_log("%s: after, context=%s scheduler=%s", self->name, who_context(), who_scheduler());
PRO_ASYNC_END

static struct pro_task *yield_async(const char *name, struct gate *after)
{
    struct yield *self = PRO_NEW_FRAME_VOID(struct yield, yield_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = name, self->after = after;
    return PRO_START(self);
}

static struct pro_task *t;

static void on_ui(void *arg)
{
    (void)arg;
    t = yield_async("on ui", NULL);
    trace_log("on ui: returned");
}

static struct pro_task *on_sched(void *arg)
{
    (void)arg;
    return yield_async("on sched", NULL);
}

SCENARIO(031)
{
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "ui", on_ui, NULL);
    harness_finish(t, "ui");

    struct gate *after = gate_new("after");
    t = yield_async("on main", after);
    trace_log("on main: returned");
    gate_open(after);
    harness_finish(t, "main");

    struct manual_scheduler *sched = manual_scheduler_new("sched");
    struct pro_task *outer = start_new_async(on_sched, NULL, PRO_TASK_DEFAULT, &sched->base);
    manual_scheduler_run_one(sched);
    trace_log("pending=%zu, inner is %s", manual_scheduler_pending(sched), status_of(inner_of(outer)));
    manual_scheduler_run_one(sched);
    trace_log("inner is %s", status_of(inner_of(outer)));
}
