/* SPDX-License-Identifier: MIT */
/* LongRunning takes a thread of its own; only up to the first await of an async body. */
#include "harness.h"

static struct gate *g;

struct method {
    PRO_FRAME;
};

PRO_ASYNC(method_move_next, struct method, self)
    trace_log("async: start");
    PRO_AWAIT(pro_yield());
    gate_wait(g);
    trace_log("async: after yield");
PRO_ASYNC_END

static struct pro_task *method_async(void *arg)
{
    (void)arg;
    struct method *self = PRO_NEW_FRAME_VOID(struct method, method_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

/* "background" is C#'s word for a thread that the end of the process does not wait for; in C that is every thread. */
static void body(void *arg)
{
    (void)arg;
    trace_log("runs, pool thread: %s, background: True, scheduler=%s", text_of_bool(pro_pool_is_worker()),
              who_scheduler());
}

SCENARIO(053)
{
    int n = pool_clamp();
    struct gate *release = gate_new("release");
    pool_occupy(n, release); /* the pool has no thread left */
    struct pro_task *t = start_new(body, NULL, PRO_TASK_LONG_RUNNING, pro_task_scheduler_default());
    harness_finish(t, "t");
    g = gate_new("g");
    struct pro_task *u = start_new_async(method_async, NULL, PRO_TASK_LONG_RUNNING, pro_task_scheduler_default());
    harness_finish(u, "u");
    trace_log("inner: %s", status_of(inner_of(u)));
    gate_open(release);
    gate_open(g);
    harness_finish(inner_of(u), "inner");
}
