/* SPDX-License-Identifier: MIT */
/* Change notifications: for an assignment, and for every change of context that changes the value. */
#include "harness.h"

static struct pro_async_local *value;
static struct pro_completion_source *source;

/* C# compares strings by value here; pointers to equal texts are one pointer in this file. */
static void set(const char *text) { pro_async_local_set(value, (void *)(uintptr_t)text); }

static const char *text_of(const void *text) { return text ? text : "null"; }

static void changed(struct pro_async_local *local, void *previous, void *current, bool context_switch, void *user)
{
    (void)local, (void)user;
    trace_log("changed %s to %s, by a context switch: %s", text_of(previous), text_of(current),
              text_of_bool(context_switch));
}

struct method {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(method_move_next, struct method, self)
    set("inside");
    trace_log("method: before await");
    PRO_AWAIT(self->t);
    trace_log("method: after await");
PRO_ASYNC_END

static struct pro_task *method_async(struct pro_task *t)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, method_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static void worker(void *arg)
{
    (void)arg;
    trace_log("worker: sees %s", text_of(pro_async_local_get(value)));
    set(NULL);
    trace_log("worker: completing");
    source_set_result(source, 1);
    trace_log("worker: completed");
}

static void in_captured(void *arg)
{
    (void)arg;
    trace_log("in it: %s", text_of(pro_async_local_get(value)));
    set("lost");
}

SCENARIO(055)
{
    const struct pro_async_local_options options = { .changed = changed };
    static const char main_text[] = "main";
    pro_async_local_new(&options, &value);
    source = source_new(PRO_TASK_DEFAULT);
    set(main_text);
    set(main_text);
    trace_log("calling");
    struct pro_task *t = method_async(source_task(source));
    (void)t;
    trace_log("returned");
    worker_run("worker", worker, NULL);
    struct pro_execution_context *captured = pro_execution_context_capture();
    set("later");
    trace_log("running in the captured context");
    pro_execution_context_run(captured, in_captured, NULL);
    trace_log("back: %s", text_of(pro_async_local_get(value)));
}
