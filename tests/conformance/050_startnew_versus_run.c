/* SPDX-License-Identifier: MIT */
/* StartNew and ContinueWith default to the current scheduler; Task.Run always uses the pool. */
#include "harness.h"

static struct pro_task *started, *ran, *continued;

static void say(void *arg) { trace_log("%s: scheduler=%s", (const char *)arg, who_scheduler()); }

static struct pro_error *say_after(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)ret_result;
    say(arg);
    return NULL;
}

static void body(void *arg)
{
    (void)arg;
    trace_log("task: scheduler=%s", who_scheduler());
    started = start_new(say, "StartNew", PRO_TASK_DEFAULT, NULL);
    ran = run(say, "Run");
    harness_finish(ran, "run");
    continued = pro_task_then(pro_task_completed(), say_after, "ContinueWith", PRO_NO_RESULT, PRO_TOKEN_NONE,
                              PRO_THEN_DEFAULT, NULL);
}

static void say_context(void *arg)
{
    (void)arg;
    trace_log("StartNew from ui: context=%s", who_context());
}

static struct pro_task *v;

static void handler(void *arg)
{
    (void)arg;
    v = start_new(say_context, NULL, PRO_TASK_DEFAULT, NULL);
}

SCENARIO(050)
{
    struct manual_scheduler *sched = manual_scheduler_new("sched");
    pro_forget(start_new(body, NULL, PRO_TASK_DEFAULT, &sched->base));
    manual_scheduler_run_one(sched);
    trace_log("pending=%zu", manual_scheduler_pending(sched));
    manual_scheduler_run_all(sched);
    trace_log("%s %s %s", status_of(started), status_of(ran), status_of(continued));
    trace_log("outside a task: scheduler=%s", who_scheduler());
    struct pro_task *u = start_new(say, "StartNew from outside", PRO_TASK_DEFAULT, NULL);
    harness_finish(u, "u");

    struct pump_context *ui = ui_start("ui");
    ui_run(ui, "handler", handler, NULL);
    harness_finish(v, "v");
}
