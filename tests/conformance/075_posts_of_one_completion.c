/* SPDX-License-Identifier: MIT */
/* Several awaits of one task, all captured for the same context: all but the first are posted before the first, so the
   order of the posts is 1, 2, 0. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_task *all;

struct wait {
    PRO_FRAME;
    int i;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(source_task(source));
    trace_log("awaiter %d", self->i);
PRO_ASYNC_END

static struct pro_task *wait_async(int i)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->i = i;
    return PRO_START(self);
}

static void start(void *arg)
{
    (void)arg;
    struct pro_task *three[3];
    for (int i = 0; i < 3; i++)
        three[i] = wait_async(i);
    all = pro_when_all(three, 3);
}

static void wait_for_gate(void *arg) { gate_wait(arg); }

static void complete(void *arg)
{
    (void)arg;
    source_set_result(source, 1);
}

SCENARIO(075)
{
    source = source_new(PRO_TASK_DEFAULT);
    struct pump_context *ui = ui_start("ui");
    ui->log_posts = false;
    ui_run(ui, "start", start, NULL);
    struct gate *hold = gate_new("hold");
    pump_post_quiet(ui, wait_for_gate, hold);
    worker_run("worker", complete, NULL);
    trace_log("posts=%d", pump_posts(ui));
    gate_open(hold);
    harness_finish(all, "all");
}
