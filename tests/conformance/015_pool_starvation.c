/* SPDX-License-Identifier: MIT */
/* Every thread of a clamped pool blocks on a task whose continuation needs a pool thread: no context is involved, and
   it is a deadlock all the same. */
#include "harness.h"

static struct countdown *arrived, *finished;
static atomic_int done;

struct work {
    PRO_FRAME;
};

PRO_ASYNC(work_move_next, struct work, self)
    PRO_AWAIT(pro_yield()); /* the continuation is queued to the pool */
    PRO_RETURN(int, 1);
PRO_ASYNC_END

static struct pro_task *work_async(void)
{
    struct work *self = PRO_NEW_FRAME(struct work, work_move_next, int);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void item(void *arg)
{
    (void)arg;
    countdown_signal(arrived);
    countdown_wait_ms(arrived, WAIT_FOR_EVER); /* all pool threads are here */
    int v = result_of(work_async());
    atomic_fetch_add(&done, v);
    countdown_signal(finished);
}

SCENARIO(015)
{
    int n = pool_clamp();
    arrived = countdown_new(n);
    finished = countdown_new(n);
    for (int i = 0; i < n; i++)
        pro_pool_post(item, NULL);
    countdown_wait_ms(arrived, WAIT_FOR_EVER);
    trace_log("every pool thread is blocking");
    if (!countdown_wait_ms(finished, harness_deadlock_ms()))
        trace_log("DEADLOCK pool, done=%d", atomic_load(&done));
    else
        trace_log("finished, all done: %s", text_of_bool(atomic_load(&done) == n));
}
