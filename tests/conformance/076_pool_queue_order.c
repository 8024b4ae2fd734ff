/* SPDX-License-Identifier: MIT */
/* One pool thread: its own local queue is served last in first out and before the global queue, which is first in first
   out. PreferFairness and Yield use the global queue. */
#include "harness.h"

static struct gate *last;

struct yield {
    PRO_FRAME;
};

PRO_ASYNC(yield_move_next, struct yield, self)
    PRO_AWAIT(pro_yield());
    trace_log("global 3 (yield)");
PRO_ASYNC_END

static struct pro_task *yield_async(void)
{
    struct yield *self = PRO_NEW_FRAME_VOID(struct yield, yield_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static void say_last(void *arg)
{
    say(arg);
    gate_open(last);
}

static void start(action_fn *fn, const char *text, unsigned options)
{
    pro_forget(start_new(fn, (void *)(uintptr_t)text, options, pro_task_scheduler_default()));
}

static void starts_another(void *arg)
{
    say(arg);
    start(say, "local 4", PRO_TASK_DEFAULT);
}

static void first_item(void *arg)
{
    (void)arg;
    start(say, "global 1 (fair task)", PRO_TASK_PREFER_FAIRNESS);
    start(say, "local 1", PRO_TASK_DEFAULT);
    pro_pool_post(say, "global 2 (work item)");
    pro_forget(run(say, "local 2"));
    pro_forget(yield_async());
    start(starts_another, "local 3, starts local 4", PRO_TASK_DEFAULT);
    pro_pool_post(say_last, "global 4");
    trace_log("first item ends");
}

SCENARIO(076)
{
    int n = pool_clamp();
    struct gate *release = gate_new("release");
    pool_occupy(n - 1, release);
    last = gate_new("last");
    pro_pool_post(first_item, NULL);
    gate_wait(last);
    gate_open(release);
}
