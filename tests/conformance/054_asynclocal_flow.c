/* SPDX-License-Identifier: MIT */
/* Ambient values flow down into calls and tasks, and across awaits; changes made below do not come back up out of an
   async method, but do out of an ordinary one. */
#include "harness.h"

static struct pro_async_local *value;

static const char *v(void)
{
    const char *now = pro_async_local_get(value);
    return now ? now : "null";
}

static void set(const char *text) { pro_async_local_set(value, (void *)(uintptr_t)text); }

struct one {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(child_move_next, struct one, self)
    trace_log("child sees %s", v());
    set("child");
    PRO_AWAIT(self->t);
    trace_log("child after await sees %s", v());
    set("child 2");
PRO_ASYNC_END

static struct pro_task *child_async(struct pro_task *t)
{
    struct one *self = PRO_NEW_FRAME_VOID(struct one, child_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

PRO_ASYNC(synchronous_move_next, struct one, self)
    set("synchronous");
PRO_ASYNC_END

static struct pro_task *synchronous_async(void)
{
    struct one *self = PRO_NEW_FRAME_VOID(struct one, synchronous_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void ordinary(void) { set("ordinary"); }

static void in_run(void *arg)
{
    (void)arg;
    trace_log("in Task.Run: %s", v());
    set("run");
}

struct parent {
    PRO_FRAME;
    struct pro_task *t, *c, *r;
};

PRO_ASYNC(parent_move_next, struct parent, self)
    set("parent");
    self->c = child_async(self->t);
    trace_log("parent after the call sees %s", v());
    PRO_AWAIT(self->c);
    trace_log("parent after await sees %s", v());
    PRO_AWAIT(synchronous_async());
    trace_log("after a synchronous async method: %s", v());
    ordinary();
    trace_log("after an ordinary method: %s", v());
    self->r = run(in_run, NULL);
    harness_finish(self->r, "run");
    PRO_AWAIT(self->r);
    trace_log("after Task.Run: %s", v());
PRO_ASYNC_END

static struct pro_task *parent_async(struct pro_task *t)
{
    struct parent *self = PRO_NEW_FRAME_VOID(struct parent, parent_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

static void worker(void *source)
{
    trace_log("new thread sees %s", v());
    set("worker");
    source_set_result(source, 1);
    trace_log("completer still sees %s", v());
}

SCENARIO(054)
{
    pro_async_local_new(NULL, &value);
    struct pro_completion_source *source = source_new(PRO_TASK_DEFAULT);
    set("main");
    struct pro_task *p = parent_async(source_task(source));
    trace_log("caller sees %s", v());
    set("main 2");
    worker_run("worker", worker, source);
    harness_finish(p, "parent");
    trace_log("caller sees %s", v());
}
