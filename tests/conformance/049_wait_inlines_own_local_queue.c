/* SPDX-License-Identifier: MIT */
/* On the default scheduler a queued task is inlined by a wait only when it sits in the local queue of the waiting pool
   thread. A thread outside the pool cannot inline it. */
#include "harness.h"

static struct gate *release, *done, *got;
static struct pro_task *u;

static struct pro_error *thread_number(void *arg, void *ret_result)
{
    (void)arg;
    *(uint64_t *)ret_result = pro_thread_id();
    return NULL;
}

static struct pro_error *number(void *arg, void *ret_result)
{
    *(int *)ret_result = *(int *)arg;
    return NULL;
}

static uint64_t thread_result(struct pro_task *t)
{
    uint64_t thread = 0;
    PRO_RESULT(t, &thread);
    return thread;
}

static struct pro_task *start_number(int *value)
{
    return pro_task_start_new(number, value, PRO_TYPE(int), PRO_TOKEN_NONE, PRO_TASK_DEFAULT, NULL);
}

static void last_free_thread(void *arg)
{
    (void)arg;
    uint64_t me = pro_thread_id();
    struct pro_task *t = pro_task_start_new(thread_number, NULL, PRO_TYPE(uint64_t), PRO_TOKEN_NONE, PRO_TASK_DEFAULT,
                                            pro_task_scheduler_default());
    trace_log("local task run by the waiting thread: %s", text_of_bool(thread_result(t) == me));
    struct pro_task *r = pro_task_run(thread_number, NULL, PRO_TYPE(uint64_t), PRO_TOKEN_NONE);
    trace_log("Task.Run run by the waiting thread: %s", text_of_bool(thread_result(r) == me));
    int one = 1, two = 2;
    struct pro_task *x = start_number(&one), *y = start_number(&two);
    int older = result_of(x);
    trace_log("the older first: %d %d", older, result_of(y));
    gate_open(done);
    gate_wait_ms(release, WAIT_FOR_EVER); /* now none is left */
}

static void nothing(void *arg) { (void)arg; }

static void outsider(void *arg)
{
    (void)arg;
    trace_log("waiting");
    PRO_WAIT(u);
    gate_open(got);
}

SCENARIO(049)
{
    int n = pool_clamp();
    release = gate_new("release");
    pool_occupy(n - 1, release); /* one pool thread is left */
    done = gate_new("done");
    pro_pool_post(last_free_thread, NULL);
    gate_wait(done);
    u = run(nothing, NULL);
    got = gate_new("got");
    worker_start("outsider", outsider, NULL);
    trace_log("outsider got it: %s", text_of_bool(gate_wait_ms(got, 200)));
    gate_open(release);
    gate_wait(got);
    trace_log("outsider got it after a thread came free");
}
