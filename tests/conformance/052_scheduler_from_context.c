/* SPDX-License-Identifier: MIT */
/* FromCurrentSynchronizationContext posts every task; a wait inside the same context inlines. */
#include "harness.h"

static struct pump_context *ui;
static struct pro_task_scheduler *sched;
static struct pro_task *t;

static void make(void *arg)
{
    (void)arg;
    pro_task_scheduler_from_current_context(&sched);
}

static void task_body(void *arg)
{
    (void)arg;
    trace_log("task: context=%s, own scheduler: %s", who_context(),
              text_of_bool(pro_task_scheduler_current() == sched));
}

static void start(void *arg)
{
    (void)arg;
    t = start_new(task_body, NULL, PRO_TASK_DEFAULT, sched);
}

static void say_inlined(void *arg)
{
    (void)arg;
    trace_log("inlined");
}

static void waits_for_its_own(void *arg)
{
    (void)arg;
    struct pro_task *u = start_new(say_inlined, NULL, PRO_TASK_DEFAULT, sched);
    PRO_WAIT(u);
    trace_log("no deadlock, pending=%zu", pump_pending(ui));
}

static struct pro_error *say_context(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)arg, (void)ret_result;
    trace_log("continuation: context=%s", who_context());
    return NULL;
}

static void continuation(void *arg)
{
    (void)arg;
    struct pro_task *c = pro_task_then(pro_task_completed(), say_context, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE,
                                       PRO_THEN_EXECUTE_SYNCHRONOUSLY, sched);
    trace_log("returned %s", status_of(c));
}

SCENARIO(052)
{
    trace_log("without a context: %s", err_of(pro_task_scheduler_from_current_context(&sched), NULL));
    ui = ui_start("ui");
    ui_run(ui, "make", make, NULL);
    trace_log("concurrency level %u", sched->max_concurrency);
    worker_run("worker", start, NULL);
    harness_finish(t, "t");
    ui_run(ui, "waits for its own", waits_for_its_own, NULL);
    ui_drain(ui);
    ui_run(ui, "continuation", continuation, NULL);
}
