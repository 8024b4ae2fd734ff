/* SPDX-License-Identifier: MIT */
/* Running messages while waiting lets the continuation in; it lets any other message in too, in the middle of the
   handler (re-entrancy). */
#include "harness.h"

static struct pro_completion_source *source;
static bool in_handler;

struct get {
    PRO_FRAME;
    int v;
};

PRO_ASYNC(get_move_next, struct get, self)
    PRO_AWAIT_TO(&self->v, source_task(source));
    trace_log("get: after await");
    PRO_RETURN(int, self->v);
PRO_ASYNC_END

static struct pro_task *get_async(void)
{
    struct get *self = PRO_NEW_FRAME(struct get, get_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void other_message(void *arg)
{
    (void)arg;
    trace_log("other message, in the handler: %s", text_of_bool(in_handler));
}

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 42);
}

static void handler(void *arg)
{
    struct pump_context *ui = arg;
    in_handler = true;
    struct pro_task *t = get_async();
    pump_post_quiet(ui, other_message, NULL);
    worker_run("worker", complete, NULL);
    trace_log("handler: nested loop, pending=%zu", pump_pending(ui));
    pump_until(ui, t);
    trace_log("handler: got %d", result_of(t));
    in_handler = false;
}

SCENARIO(009)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, ui);
}
