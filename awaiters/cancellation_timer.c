/* SPDX-License-Identifier: MIT */
/* Cancel-after: a sleep on the background loop (SEM-240). */
#include "cancellation.h"

#include <proact/timer.h>

#include <string.h>

/* Knows its source as long as the source knows it. The op is touched on the loop's thread only, once it is started. */
struct cancel_timer {
    struct pro_op op;
    struct pro_work stop;   /* posted to the loop to end the sleep */
    struct pro_work strike; /* posted to the pool: the background loop runs no user code */
    struct proi_mutex lock;
    struct pro_cancellation_source *source; /* under lock; NULL: nobody waits any more */
    uint32_t
        references; /* the op until it is delivered and has struck, and the source's pointer until the stop has run */
};

static void release_timer(struct cancel_timer *timer)
{
    if (proi_fetch_sub(&timer->references, 1u, PROI_ACQ_REL) == 1)
        proi_block_free(timer, sizeof *timer);
}

/* No call of a user's is there to be given it. */
static void tell_unhandled(struct pro_error *error)
{
    if (error)
        proi_unhandled(error);
    pro_error_unref(error);
}

static void strike(struct pro_work *work)
{
    struct cancel_timer *const timer = PRO_CONTAINER(work, struct cancel_timer, strike);
    struct pro_cancellation_source *source;
    bool held;

    proi_lock(&timer->lock);
    source = timer->source;
    held = source && proi_cancellation_try_ref(source);
    proi_unlock(&timer->lock);
    if (held) {
        tell_unhandled(proi_cancellation_cancel_held(source));
        pro_cancellation_source_unref(source);
    }
    release_timer(timer);
}

/* On the loop's thread, as stop_timer(): the two see the op's state in one order. */
static void timer_delivered(struct pro_op *op)
{
    struct cancel_timer *const timer = PRO_CONTAINER(op, struct cancel_timer, op);

    if (op->result == PRO_OK) {
        timer->strike = (struct pro_work){ .run = strike };
        proi_pool_post(&timer->strike, PROI_POOL_HIGH);
    } else {
        release_timer(timer);
    }
}

static void stop_timer(struct pro_work *work)
{
    struct cancel_timer *const timer = PRO_CONTAINER(work, struct cancel_timer, stop);

    pro_op_cancel(&timer->op); /* PRO_E_STATE: it has struck meanwhile */
    release_timer(timer);
}

/* Gives the source @fresh (NULL: none) for the timer it has, which is stopped. */
static void replace_timer(struct pro_cancellation_source *source, struct cancel_timer *fresh)
{
    struct cancel_timer *old;

    proi_lock(&source->lock);
    old = source->timer;
    source->timer = fresh;
    proi_unlock(&source->lock);
    if (!old)
        return;
    proi_lock(&old->lock); /* after this the strike does not know the source */
    old->source = NULL;
    proi_unlock(&old->lock);
    old->stop = (struct pro_work){ .run = stop_timer };
    if (pro_loop_post_work(pro_loop_default(), &old->stop) < 0)
        release_timer(old);
}

void proi_cancellation_drop_timer(struct pro_cancellation_source *source) { replace_timer(source, NULL); }

int pro_cancellation_source_cancel_after(struct pro_cancellation_source *source, int64_t delay_ns)
{
    struct cancel_timer *timer;
    struct pro_loop *loop;
    int code;

    if (!source || delay_ns < PRO_INFINITE)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel_after: an argument is not valid");
    code = proi_cancellation_check(source, "pro_cancellation_source_cancel_after");
    if (code < 0)
        return code;
    if (proi_load(&source->level, PROI_ACQUIRE) != CANCEL_NOT)
        return PRO_OK;
    proi_cancellation_drop_timer(source);
    if (delay_ns == PRO_INFINITE)
        return PRO_OK;
    loop = pro_loop_default();
    if (!loop)
        return PRO_E_NO_THREAD;
    timer = proi_block_alloc(sizeof *timer);
    if (!timer)
        return PRO_E_NO_MEMORY;
    memset(timer, 0, sizeof *timer);
    proi_store(&timer->references, 2u, PROI_RELAXED);
    timer->source = source;
    code = proi_loop_await_op(pro_sleep(&timer->op, loop, delay_ns, PRO_HOW_DEFAULT), timer_delivered, NULL);
    if (code < 0) {
        proi_block_free(timer, sizeof *timer);
        return code;
    }
    /* Started first and made known then, so that whoever stops it finds a started op. Should it strike in between, it
       is stopped later, in vain. Of two calls at once the later one here has its timer stay, and the other's is
       stopped. Against a cancel: it finds the timer, or its level, which it raised before it looked under the same
       lock, is seen here. */
    replace_timer(source, timer);
    if (proi_load(&source->level, PROI_ACQUIRE) != CANCEL_NOT)
        proi_cancellation_drop_timer(source);
    return PRO_OK;
}
