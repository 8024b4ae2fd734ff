/* SPDX-License-Identifier: MIT */
/* Suppressed flow: what is started captures nothing; the values stay readable here. */
#include "harness.h"

static struct pro_async_local *value;

static const char *v(void)
{
    const char *now = pro_async_local_get(value);
    return now ? now : "null";
}

static void say(void *what) { trace_log("%s: %s", (const char *)what, v()); }

struct queued {
    struct pro_work work; /* first */
    const char *what;
    struct gate *done;
};

static void say_and_open(void *arg)
{
    struct queued *queued = arg;
    trace_log("%s: %s", queued->what, v());
    gate_open(queued->done);
}

static void run_item(struct pro_work *work) { say_and_open(work); }

SCENARIO(056)
{
    pro_async_local_new(NULL, &value);
    pro_async_local_set(value, "main");
    struct pro_task *t = run(say, "flowing");
    harness_finish(t, "t");
    bool f = pro_execution_context_suppress_flow();
    trace_log("suppressed: %s, here: %s", text_of_bool(pro_execution_context_is_flow_suppressed()), v());
    trace_log("capture gives nothing: %s", text_of_bool(pro_execution_context_capture() == NULL));
    struct pro_task *u = run(say, "not flowing");
    harness_finish(u, "u");
    worker_run("worker", say, "new thread");
    bool inner = pro_execution_context_suppress_flow();
    trace_log("twice: %s", inner ? "ok" : "not suppressed");
    pro_execution_context_undo_suppress(f);
    trace_log("suppressed: %s, here: %s", text_of_bool(pro_execution_context_is_flow_suppressed()), v());
    struct pro_task *w = run(say, "flowing again");
    harness_finish(w, "w");
    static struct queued unsafe = { .work = { .run = run_item }, .what = "unsafe queue" };
    unsafe.done = gate_new("done");
    pro_pool_post_work(&unsafe.work, false); /* an item does not flow: UnsafeQueueUserWorkItem */
    gate_wait(unsafe.done);
    static struct queued safe = { .what = "queue" };
    safe.done = gate_new("done2");
    pro_pool_post(say_and_open, &safe);
    gate_wait(safe.done);
}
