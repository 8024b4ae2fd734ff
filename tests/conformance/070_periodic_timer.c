/* SPDX-License-Identifier: MIT */
/* The periodic timer: one consumer, missed ticks are one, what disposal and cancellation end. */
#include "harness.h"

struct ticking {
    PRO_FRAME;
    struct pro_periodic_timer *timer;
    int n;
    bool ticked;
};

PRO_ASYNC(ticking_move_next, struct ticking, self)
    for (;;) {
        PRO_AWAIT_TO(&self->ticked, pro_periodic_timer_wait(self->timer, PRO_TOKEN_NONE));
        if (!self->ticked)
            break;
        self->n++;
        trace_log("tick %d, context=%s", self->n, who_context());
        if (self->n == 3)
            pro_periodic_timer_dispose(self->timer);
    }
    trace_log("loop ended");
PRO_ASYNC_END

static struct pro_task *loop_async(struct pro_periodic_timer *timer)
{
    struct ticking *self = PRO_NEW_FRAME_VOID(struct ticking, ticking_move_next);
    if (!self)
        return pro_task_no_memory();
    self->timer = timer;
    return PRO_START(self);
}

static struct pro_periodic_timer *timer_new(int64_t period_ns)
{
    struct pro_periodic_timer *timer = NULL;
    if (pro_periodic_timer_new(period_ns, &timer) != PRO_OK)
        harness_broken("no timer");
    return timer;
}

static struct pro_task *t;

static void loop(void *arg)
{
    (void)arg;
    t = loop_async(timer_new(PRO_MS(40)));
}

static bool result_of_wait(struct pro_value_task wait)
{
    struct pro_task *task = pro_value_task_as_task(wait);
    bool ticked = false;
    PRO_RESULT(task, &ticked);
    return ticked;
}

SCENARIO(070)
{
    struct pro_periodic_timer *none = NULL;
    trace_log("period zero: %s", err_of(pro_periodic_timer_new(0, &none), NULL));
    struct pump_context *ui = ui_start("ui");
    ui->log_posts = false;
    ui_run(ui, "loop", loop, NULL);
    harness_finish(t, "loop");

    struct pro_periodic_timer *slow = timer_new(PRO_MS(1000));
    thread_sleep_ms(2500); /* two ticks pass */
    struct pro_value_task a = pro_periodic_timer_wait(slow, PRO_TOKEN_NONE);
    const char *at_once = text_of_bool(pro_value_task_is_succeeded(a));
    trace_log("missed ticks are one tick, at once: %s %s", at_once, text_of_bool(result_of_wait(a)));
    struct pro_value_task b = pro_periodic_timer_wait(slow, PRO_TOKEN_NONE);
    trace_log("the next is not ready: %s", text_of_bool(pro_value_task_is_completed(b)));
    bool x;
    trace_log("a second wait at the same time: %s",
              err_of(PRO_VALUE_TASK_RESULT(pro_periodic_timer_wait(slow, PRO_TOKEN_NONE), &x), NULL));
    pro_periodic_timer_dispose(slow);
    trace_log("Dispose ends the wait with %s", text_of_bool(result_of_wait(b)));
    trace_log("after Dispose: %s", text_of_bool(result_of_wait(pro_periodic_timer_wait(slow, PRO_TOKEN_NONE))));

    struct pro_periodic_timer *longer = timer_new(PRO_S(100));
    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_task *c = pro_value_task_as_task(pro_periodic_timer_wait(longer, pro_cancellation_source_token(cts)));
    pro_cancellation_source_cancel(cts);
    harness_finish(c, "c");
    trace_log("cancelled wait: %s", status_of(c));
    struct pro_task *d = pro_value_task_as_task(pro_periodic_timer_wait(longer, PRO_TOKEN_NONE));
    trace_log("the timer goes on: %s", status_of(d));
}
