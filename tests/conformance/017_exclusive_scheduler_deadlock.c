/* SPDX-License-Identifier: MIT */
/* An await captures the current scheduler when there is no context: blocking inside an exclusive scheduler keeps the
   continuation out of it. */
#include "harness.h"

static struct pro_completion_source *source;
static struct pro_exclusive_pair *pair;
static struct gate *blocking;

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
    if (!self)
        return pro_task_no_memory();
    return PRO_START(self);
}

static void body(void *arg)
{
    (void)arg;
    trace_log("task: start, own scheduler: %s",
              text_of_bool(pro_task_scheduler_current() == pro_exclusive_pair_exclusive(pair)));
    struct pro_task *g = get_async();
    trace_log("task: blocking");
    gate_open(blocking);
    trace_log("task: got %d", result_of(g));
}

static void complete(void *arg)
{
    (void)arg;
    trace_log("completing the source");
    source_set_result(source, 42);
}

SCENARIO(017)
{
    source = source_new(PRO_TASK_DEFAULT);
    if (pro_exclusive_pair_new(NULL, 0, &pair) != PRO_OK)
        harness_broken("no pair");
    blocking = gate_new("blocking");
    struct pro_task *t = start_new(body, NULL, PRO_TASK_DEFAULT, pro_exclusive_pair_exclusive(pair));
    gate_wait(blocking);
    worker_run("worker", complete, NULL);
    harness_finish_or_deadlock(t, "exclusive task");
    trace_log("%s", status_of(t));
}
