/* SPDX-License-Identifier: MIT */
/* A semaphore has no owner: the nested wait of the same logical flow never completes. No thread is blocked at all: the deadlock is purely
 * logical. */
#include "harness.h"

static struct pro_semaphore *lock;

struct method {
    PRO_FRAME;
};

PRO_ASYNC(inner_move_next, struct method, self)
    trace_log("inner: waiting");
    PRO_AWAIT(pro_semaphore_wait_async(lock, PRO_HOW_DEFAULT));
    trace_log("inner: entered");
    pro_semaphore_release(lock, 1);
PRO_ASYNC_END

static struct pro_task *inner_async(void)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, inner_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct outer {
    PRO_FRAME;
    bool entered;
};

PRO_ASYNC(outer_move_next, struct outer, self)
    PRO_AWAIT(pro_semaphore_wait_async(lock, PRO_HOW_DEFAULT));
    self->entered = true;
    trace_log("outer: entered, count=%d", pro_semaphore_count(lock));
    PRO_AWAIT(inner_async());
    pro_semaphore_release(lock, 1);
    self->entered = false;
    trace_log("outer: left");
PRO_FINALLY
    if (self->entered)
        pro_semaphore_release(lock, 1);
PRO_ASYNC_END

static struct pro_task *outer_async(void)
{
    struct outer *self = PRO_NEW_FRAME_VOID(struct outer, outer_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

SCENARIO(019)
{
    if (pro_semaphore_new(1, 1, &lock) < 0)
        harness_broken("no semaphore");
    struct pro_task *t = outer_async();
    trace_log("returned, %s", status_of(t));
    harness_finish_or_deadlock(t, "nested wait");
    trace_log("count=%d", pro_semaphore_count(lock));
}
