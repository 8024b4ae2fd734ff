/* SPDX-License-Identifier: MIT */
/* An unlimited wait on a queued task offers to run it on the waiting thread; the scheduler decides. A wait with a limit
   or a token never offers. */
#include "harness.h"

static void body(void *arg)
{
    (void)arg;
    trace_log("task runs, scheduler=%s", who_scheduler());
}

static struct pro_task *start(struct manual_scheduler *sched)
{
    return start_new(body, NULL, PRO_TASK_DEFAULT, &sched->base);
}

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static struct pro_task *c;
static struct gate *returned;

static void waiter(void *arg)
{
    (void)arg;
    PRO_WAIT(c);
    trace_log("Wait returned");
    gate_open(returned);
}

/* C#'s Wait(0): the shortest limit there is. */
static bool wait_0(struct pro_task *t) { return PRO_WAIT_HOW(t, PRO_WITHIN(1)) == PRO_OK; }

SCENARIO(048)
{
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    sched->allow_inline = true;
    struct pro_task *a = start(sched);
    PRO_WAIT(a);
    trace_log("a: %s, pending=%zu", status_of(a), manual_scheduler_pending(sched));

    struct pro_task *b = start(sched);
    trace_log("Wait(0): %s", text_of_bool(wait_0(b)));
    trace_log("Wait(50): %s", text_of_bool(PRO_WAIT_HOW(b, PRO_WITHIN(PRO_MS(50))) == PRO_OK));
    struct pro_how how = { .token = canceled_token() };
    trace_log("Wait(token): %s", err_of(PRO_WAIT_HOW(b, how), NULL));
    manual_scheduler_run_all(sched);
    trace_log("b: %s", status_of(b));

    struct manual_scheduler *refusing = manual_scheduler_new("refusing");
    returned = gate_new("returned");
    c = start(refusing);
    worker_start("waiter", waiter, NULL);
    gate_wait(refusing->inline_asked);
    trace_log("returned at once: %s", text_of_bool(gate_wait_ms(returned, 100)));
    manual_scheduler_run_all(refusing);
    gate_wait(returned);

    struct pro_task *d = start_new(say, "first", PRO_TASK_DEFAULT, &sched->base);
    struct pro_task *e = start_new(say, "second", PRO_TASK_DEFAULT, &sched->base);
    struct pro_task *both[] = { d, e };
    pro_task_wait_all(both, 2, PRO_HOW_DEFAULT, NULL, PRO_HERE); /* offers the last one first */
    trace_log("WaitAll done, pending=%zu", manual_scheduler_pending(sched));
    struct pro_task *f = start(sched);
    manual_scheduler_run_all(sched);
    PRO_WAIT(f);
    trace_log("a finished task is not offered");
    struct pro_completion_source *p = source_new(PRO_TASK_DEFAULT);
    trace_log("nor is a promise: %s", text_of_bool(wait_0(source_task(p))));
}
