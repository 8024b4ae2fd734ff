/* SPDX-License-Identifier: MIT */
/* The error of a task that nobody looked at is reported on the last release; looking at it in any way, or awaiting it,
   prevents that. */
#include "harness.h"

struct fail {
    PRO_FRAME;
    const char *name;
};

PRO_ASYNC(fail_move_next, struct fail, self)
    PRO_AWAIT(pro_task_completed());
    PRO_THROW(test_error(self->name));
PRO_ASYNC_END

static struct pro_task *fail_async(const char *name)
{
    struct fail *self = PRO_NEW_FRAME_VOID(struct fail, fail_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = name;
    return PRO_START(self);
}

struct await {
    PRO_FRAME;
    struct pro_task *t;
};

PRO_ASYNC(await_move_next, struct await, self)
    PRO_AWAIT_STATUS(self->t);
PRO_ASYNC_END

static struct pro_task *await_async(struct pro_task *t)
{
    struct await *self = PRO_NEW_FRAME_VOID(struct await, await_move_next);
    if (!self)
        return pro_task_no_memory();
    self->t = t;
    return PRO_START(self);
}

/* Where C# leaves a reference to the collector, it is dropped here: that is the moment the scenario shows. */
static void drop(struct pro_task *t) { pro_task_unref(t); }

static void make(void *arg)
{
    struct pro_task *t = NULL, *other = NULL;
    switch (*(const int *)arg) {
    case 0:
        t = fail_async("nobody looked");
        break;
    case 1:
        t = fail_async("looked at Exception");
        if (!pro_task_error_all(t))
            trace_log("?");
        break;
    case 2:
        t = fail_async("awaited");
        other = await_async(pro_borrow(t));
        PRO_WAIT(other);
        break;
    case 3:
        t = fail_async("only asked whether faulted");
        if (!pro_task_is_faulted(t))
            trace_log("?");
        break;
    case 4:
        t = fail_async("part of WhenAll, nobody looked");
        other = pro_when_all(&t, 1);
        break;
    case 5: {
        struct pro_completion_source *s = source_new(PRO_TASK_DEFAULT);
        pro_completion_source_set_canceled(s, PRO_TOKEN_NONE);
        pro_completion_source_free(s);
        break;
    }
    default: {
        struct pro_task *both[] = { pro_task_completed(), fail_async("loser") };
        t = both[1];
        other = pro_when_any(both, 2);
        PRO_WAIT(other);
    }
    }
    drop(t);
    drop(other);
}

static struct monitor *lock; /* guards seen */
static char seen[256];       /* the first report of a case */

/* "Observed" is whether a handler before this one has said so; here there is one handler, told only of what nobody
 * observed. */
static void on_unobserved(struct pro_task *task, struct pro_error *aggregate, void *user)
{
    (void)user;
    monitor_enter(lock);
    if (!seen[0])
        snprintf(seen, sizeof seen, "%s, sender is a task: %s, observed: %s", err_name(aggregate),
                 text_of_bool(pro_task_is_faulted(task)), text_of_bool(false));
    monitor_exit(lock);
}

SCENARIO(047)
{
    lock = monitor_new();
    pro_set_unobserved_handler(on_unobserved, NULL);
    for (int i = 0; i <= 6; i++) {
        for (int k = 0; k < 3; k++)
            worker_run("maker", make, &i);
        monitor_enter(lock);
        trace_log("case %d: %s%s", i, seen[0] ? "reported " : "not reported", seen);
        seen[0] = 0;
        monitor_exit(lock);
    }
}
