/* SPDX-License-Identifier: MIT */
/* The scheduler pair: exclusive tasks run alone and before waiting concurrent ones; after Complete no task is accepted;
   Completion follows when all is done. */
#include "harness.h"

static struct pro_task_scheduler *ex, *con;
static struct gate *started, *go;

static void say(void *arg) { trace_log("%s", (const char *)arg); }

static void first(void *arg)
{
    (void)arg;
    trace_log("concurrent 1");
    gate_open(started);
    gate_wait(go);
}

static void outer_body(void *arg)
{
    (void)arg;
    struct pro_task *nested = start_new(say, "nested exclusive", PRO_TASK_DEFAULT, ex);
    PRO_WAIT(nested);
    trace_log("the nested one ran inside the wait");
}

SCENARIO(066)
{
    struct pro_exclusive_pair *pair;
    if (pro_exclusive_pair_new(pro_task_scheduler_default(), 1, &pair) != PRO_OK)
        harness_broken("no pair");
    ex = pro_exclusive_pair_exclusive(pair);
    con = pro_exclusive_pair_concurrent(pair);
    trace_log("levels: exclusive %u, concurrent %u", ex->max_concurrency, con->max_concurrency);
    started = gate_new("started");
    go = gate_new("go");
    struct pro_task *a = start_new(first, NULL, PRO_TASK_DEFAULT, con);
    gate_wait(started);
    struct pro_task *b = start_new(say, "concurrent 2", PRO_TASK_DEFAULT, con);
    struct pro_task *c = start_new(say, "exclusive 1", PRO_TASK_DEFAULT, ex);
    struct pro_task *d = start_new(say, "exclusive 2", PRO_TASK_DEFAULT, ex);
    trace_log("waiting: %s %s %s", status_of(b), status_of(c), status_of(d));
    gate_open(go);
    struct pro_task *all[] = { a, b, c, d };
    harness_finish(pro_when_all(all, 4), "all");

    struct pro_task *outer = start_new(outer_body, NULL, PRO_TASK_DEFAULT, ex);
    harness_finish_or_deadlock(outer, "nested exclusive");

    pro_exclusive_pair_complete(pair);
    struct pro_task *completion = pro_exclusive_pair_completion(pair);
    harness_finish(completion, "completion");
    trace_log("completion: %s", status_of(completion));
    /* Where C#'s StartNew throws, the task is faulted from the start. */
    struct pro_task *refused = start_new(say, "never", PRO_TASK_DEFAULT, ex);
    trace_log("after Complete: %s", err_name(pro_task_error(refused)));
}
