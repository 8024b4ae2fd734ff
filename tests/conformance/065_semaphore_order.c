/* SPDX-License-Identifier: MIT */
/* Asynchronous waiters are served in order; a release never runs a waiter's continuation itself. */
#include "harness.h"

static struct pro_semaphore *sem;

struct wait {
    PRO_FRAME;
    int i;
    struct gate *gate;
};

PRO_ASYNC(wait_move_next, struct wait, self)
    PRO_AWAIT(pro_semaphore_wait_async(sem, PRO_HOW_DEFAULT));
    gate_wait(self->gate);
    trace_log("waiter %d entered on %s", self->i, who_label());
PRO_ASYNC_END

static struct pro_task *wait_async(int i, struct gate *gate)
{
    struct wait *self = PRO_NEW_FRAME_VOID(struct wait, wait_move_next);
    if (!self)
        return pro_task_no_memory();
    self->i = i;
    self->gate = gate;
    return PRO_START(self);
}

static const char *bool_of(struct pro_task *task)
{
    bool value = false;
    PRO_RESULT(task, &value);
    return text_of_bool(value);
}

/* C#'s timeout of 0: a limit that is over already. */
static const struct pro_how zero = { .deadline_ns = 1 };

SCENARIO(065)
{
    if (pro_semaphore_new(0, 2, &sem) < 0)
        harness_broken("no semaphore");
    struct gate *gates[3];
    struct pro_task *tasks[3];
    static const char *const names[3] = { "g0", "g1", "g2" };
    for (int i = 0; i < 3; i++) {
        gates[i] = gate_new(names[i]);
        tasks[i] = wait_async(i, gates[i]);
    }
    for (int i = 0; i < 3; i++) {
        int previous = pro_semaphore_release(sem, 1);
        trace_log("Release returns %d, count %d", previous, pro_semaphore_count(sem));
        gate_open(gates[i]);
        harness_finish(tasks[i], "waiter");
    }
    int first = pro_semaphore_release(sem, 1);
    int second = pro_semaphore_release(sem, 1);
    trace_log("Release: %d %d, count %d", first, second, pro_semaphore_count(sem));
    trace_log("too many: %s", err_of(pro_semaphore_release(sem, 1), NULL));
    struct pro_task *free_one = pro_semaphore_wait_async(sem, PRO_HOW_DEFAULT);
    bool waited = pro_semaphore_wait(sem, zero, PRO_HERE) == PRO_OK;
    trace_log("free: %s %s, count %d", status_of(free_one), text_of_bool(waited), pro_semaphore_count(sem));
    waited = pro_semaphore_wait(sem, zero, PRO_HERE) == PRO_OK;
    trace_log("no wait: %s %s", text_of_bool(waited), bool_of(pro_semaphore_wait_async(sem, zero)));
    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_how until_canceled = { .token = pro_cancellation_source_token(cts) };
    struct pro_task *timed = pro_semaphore_wait_async(sem, PRO_WITHIN(PRO_MS(30)));
    struct pro_task *canceled = pro_semaphore_wait_async(sem, until_canceled);
    struct pro_task *last = pro_semaphore_wait_async(sem, PRO_HOW_DEFAULT);
    pro_cancellation_source_cancel(cts);
    harness_finish(canceled, "canceled");
    harness_finish(timed, "timed");
    trace_log("canceled: %s, timed out: %s", status_of(canceled), bool_of(timed));
    pro_semaphore_release(sem, 1);
    harness_finish(last, "last");
    trace_log("the waiters that left are skipped: %s, count %d", status_of(last), pro_semaphore_count(sem));
    trace_log("already cancelled token: %s", status_of(pro_semaphore_wait_async(sem, until_canceled)));
}
