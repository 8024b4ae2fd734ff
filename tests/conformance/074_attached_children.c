/* SPDX-License-Identifier: MIT */
/* A parent with attached children completes after them, with their errors nested; Task.Run and DenyChildAttach refuse
   attachment. */
#include "harness.h"

static struct pro_task *start(pro_task_fn *body, unsigned options)
{
    return pro_task_start_new(body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, options, pro_task_scheduler_default());
}

/* ---- a parent ---- */
static struct gate *go, *body_done;

static struct pro_error *child(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    gate_wait(go);
    return test_error("child");
}

static struct pro_error *parent_body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    pro_forget(start(child, PRO_TASK_ATTACHED_TO_PARENT));
    gate_open(body_done);
    return NULL;
}

/* ---- one that denies ---- */
static struct gate *go2;
static struct pro_task *child2;

static struct pro_error *child2_body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    gate_wait(go2);
    return test_error("child");
}

static struct pro_error *denying_body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    child2 = start(child2_body, PRO_TASK_ATTACHED_TO_PARENT);
    return NULL;
}

/* ---- Task.Run, and a detached child ---- */
static struct pro_error *wait_for_gate(void *arg, void *ret_result)
{
    (void)ret_result;
    gate_wait(arg);
    return NULL;
}

static struct pro_task *start_waiting(struct gate *gate, unsigned options)
{
    return pro_task_start_new(wait_for_gate, gate, PRO_NO_RESULT, PRO_TOKEN_NONE, options,
                              pro_task_scheduler_default());
}

static struct gate *go3, *go4;

static void run_body(void *arg)
{
    (void)arg;
    pro_forget(start_waiting(go3, PRO_TASK_ATTACHED_TO_PARENT));
}

static struct pro_error *detached_body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    pro_forget(start_waiting(go4, PRO_TASK_DEFAULT));
    return NULL;
}

SCENARIO(074)
{
    go = gate_new("go");
    body_done = gate_new("body done");
    struct pro_task *parent = start(parent_body, PRO_TASK_DEFAULT);
    gate_wait(body_done);
    while (pro_task_status(parent) == PRO_TASK_RUNNING)
        thread_sleep_ms(1);
    trace_log("parent: %s", status_of(parent));
    gate_open(go);
    harness_finish(parent, "parent");
    trace_log("parent: %s", harness_describe(parent));

    go2 = gate_new("go2");
    struct pro_task *denying = start(denying_body, PRO_TASK_DENY_CHILD_ATTACH);
    harness_finish(denying, "denying");
    trace_log("denying: %s", harness_describe(denying));
    gate_open(go2);
    harness_finish(child2, "child2");
    trace_log("its child: %s", harness_describe(child2));

    go3 = gate_new("go3");
    struct pro_task *ran = run(run_body, NULL);
    harness_finish(ran, "run");
    trace_log("run: %s", status_of(ran));
    gate_open(go3);

    go4 = gate_new("go4");
    struct pro_task *detached = start(detached_body, PRO_TASK_DEFAULT);
    harness_finish(detached, "detached");
    trace_log("with a detached child: %s", status_of(detached));
    gate_open(go4);
}
