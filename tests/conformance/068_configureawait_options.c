/* SPDX-License-Identifier: MIT */
/* The options of ConfigureAwait. */
#include "harness.h"

struct force {
    PRO_FRAME;
    const char *name;
    unsigned options;
    struct gate *gate;
};

PRO_ASYNC(force_move_next, struct force, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_task_completed(), self->options));
    gate_wait(self->gate);
    trace_log("%s: resumed on %s, context=%s", self->name, who_label(), who_context());
PRO_ASYNC_END

struct on_ui {
    const char *name;
    unsigned options;
    struct gate *gate;
    struct pro_task *t;
};

static struct pro_task *force_async(struct on_ui *call)
{
    struct force *self = PRO_NEW_FRAME_VOID(struct force, force_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = call->name, self->options = call->options, self->gate = call->gate;
    return PRO_START(self);
}

struct suppress {
    PRO_FRAME;
    const char *name;
    struct pro_task *t;
    unsigned options;
};

PRO_ASYNC(suppress_move_next, struct suppress, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->t), self->options));
    trace_log("%s: no error thrown, %s", self->name, status_of(self->t));
PRO_ASYNC_END

static struct pro_task *suppress_async(const char *name, struct pro_task *t, unsigned options)
{
    struct suppress *self = PRO_NEW_FRAME_VOID(struct suppress, suppress_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = name, self->t = t, self->options = options;
    return PRO_START(self);
}

static void handler(void *arg)
{
    struct on_ui *call = arg;
    call->t = force_async(call);
    trace_log("%s: returned, %s", call->name, status_of(call->t));
    gate_open(call->gate);
}

static void on_ui(struct pump_context *ui, const char *name, unsigned options)
{
    struct on_ui *call = memory_new(sizeof *call);
    call->name = name, call->options = options, call->gate = gate_new("gate");
    if (!(options & PRO_AWAIT_FORCE_YIELDING))
        gate_open(call->gate);
    ui_run(ui, name, handler, call);
    harness_finish(call->t, name);
}

/* Where C# throws out of ConfigureAwait itself, the await fails here, and with it the method. */
static const char *of_configure(struct pro_task *t, unsigned options)
{
    return err_name(pro_task_error(suppress_async("must not go on", t, options)));
}

SCENARIO(068)
{
    struct pump_context *ui = ui_start("ui");
    on_ui(ui, "none", PRO_AWAIT_NONE);
    on_ui(ui, "captured", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    on_ui(ui, "force", PRO_AWAIT_FORCE_YIELDING);
    on_ui(ui, "force captured", PRO_AWAIT_FORCE_YIELDING | PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);

    const unsigned suppress = PRO_AWAIT_SUPPRESS_THROWING;
    harness_finish(suppress_async("faulted", pro_task_from_error(test_error("x")), suppress), "s");
    harness_finish(suppress_async("canceled", pro_task_from_canceled(canceled_token()), suppress), "s");
    struct pro_completion_source *bare;
    if (pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &bare) != PRO_OK)
        harness_broken("out of memory");
    struct pro_task *p = suppress_async("pending", source_task(bare), suppress);
    pro_completion_source_set_error(bare, test_error("y"));
    harness_finish(p, "p");
    trace_log("suppressing on a task with a result: %s", of_configure(from_result(1), suppress));
    trace_log("unknown option: %s", of_configure(pro_task_completed(), 64));
}
