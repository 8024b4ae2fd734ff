/* SPDX-License-Identifier: MIT */
/* The starvation of 015 on a scheduler with three threads: all of them block on tasks whose continuations are queued
   behind them. With one thread more it goes through, and with await one thread is enough. */
#include "harness.h"

struct work {
    PRO_FRAME;
};

PRO_ASYNC(work_move_next, struct work, self)
    PRO_AWAIT(pro_yield()); /* captures the scheduler */
    PRO_RETURN(int, 1);
PRO_ASYNC_END

static struct pro_task *work_async(void)
{
    struct work *self = PRO_NEW_FRAME(struct work, work_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct attempt {
    struct countdown *arrived, *finished;
};

static void blocking_item(void *arg)
{
    struct attempt *attempt = arg;
    countdown_signal(attempt->arrived);
    countdown_wait_ms(attempt->arrived, WAIT_FOR_EVER);
    PRO_WAIT(work_async());
    countdown_signal(attempt->finished);
}

static void blocking(const char *what, unsigned threads, int items)
{
    struct thread_scheduler *sched = fixed_scheduler_new("fixed", threads);
    struct attempt *attempt = memory_new(sizeof *attempt);
    attempt->arrived = countdown_new(items);
    attempt->finished = countdown_new(items);
    for (int i = 0; i < items; i++)
        pro_forget(start_new(blocking_item, attempt, PRO_TASK_DEFAULT, &sched->base));
    if (countdown_wait_ms(attempt->finished, harness_deadlock_ms()))
        trace_log("%s: finished", what);
    else
        trace_log("%s: DEADLOCK, finished %d, pending=%zu", what, items - countdown_left(attempt->finished),
                  thread_scheduler_pending(sched));
}

struct item {
    PRO_FRAME;
    int i;
};

PRO_ASYNC(item_move_next, struct item, self)
    for (self->i = 0; self->i < 3; self->i++)
        PRO_AWAIT(work_async());
PRO_ASYNC_END

static struct pro_task *item_async(void *arg)
{
    (void)arg;
    struct item *self = PRO_NEW_FRAME_VOID(struct item, item_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

/* C#'s Unwrap: here the outer task is waited for, then what it gave. */
SCENARIO(077)
{
    blocking("3 items on 3 threads", 3, 3);
    blocking("3 items on 4 threads", 4, 3);
    struct thread_scheduler *one = fixed_scheduler_new("fixed", 1);
    struct pro_task *all[20];
    for (int i = 0; i < 20; i++)
        all[i] = start_new_async(item_async, NULL, PRO_TASK_DEFAULT, &one->base);
    for (int i = 0; i < 20; i++)
        all[i] = inner_of(all[i]);
    harness_finish(pro_when_all(all, 20), "all");
    trace_log("20 items with await on 1 thread: finished");
}
