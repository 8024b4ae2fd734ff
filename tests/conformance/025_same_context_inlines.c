/* SPDX-License-Identifier: MIT */
/* A continuation captured for a context runs inside SetResult, without any post, when the completing code already runs
   in that same context. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_task *t;

struct wait {
    PRO_FRAME;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(source_task(source));
    trace_log("resumed, context=%s", who_context());
PRO_ASYNC_END

static struct pro_task *wait_async(void)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void first(void *arg)
{
    (void)arg;
    t = wait_async();
    trace_log("first: returned");
}

static void second(void *arg)
{
    (void)arg;
    trace_log("second: before SetResult");
    source_set_result(source, 1);
    trace_log("second: after SetResult, %s", status_of(t));
}

SCENARIO(025)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "first", first, NULL);
    ui_run(ui, "second", second, NULL);
    trace_log("posts=%d", pump_posts(ui));
}
