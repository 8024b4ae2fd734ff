/* SPDX-License-Identifier: MIT */
/* Completing in another context posts to the captured one. */
#include "harness.h"

static struct pro_completion_source *source;
static struct gate *after;
static struct pro_task *t;

struct wait {
    PRO_FRAME;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(source_task(source));
    gate_wait(after);
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
}

static void second(void *arg)
{
    (void)arg;
    trace_log("before SetResult");
    source_set_result(source, 1);
    trace_log("after SetResult");
    gate_open(after);
}

SCENARIO(026)
{
    source = source_new(PRO_TASK_DEFAULT);
    after = gate_new("after");
    struct pump_context *one = ui_start("one");
    struct pump_context *two = ui_start("two");
    ui_run(one, "first", first, NULL);
    ui_run(two, "second", second, NULL);
    harness_finish(t, "t");
    trace_log("posts one=%d two=%d", pump_posts(one), pump_posts(two));
}
