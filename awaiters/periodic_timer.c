/* SPDX-License-Identifier: MIT */
/* The periodic timer: a sleep that is armed again at each end, and one waiter (SEM-304). */
#include "internal.h"

#include <proact/periodic_timer.h>
#include <proact/timer.h>

#include <string.h>

struct pro_periodic_timer {
    struct pro_value_task_source source;
    struct pro_value_task_source_core
        core;            /* of the present wait; completed by whoever raises `signaled` while it is active */
    uint32_t references; /* shared: the user's, the sleep's, the posted tick's, the active wait's */
    struct proi_mutex lock;
    bool active;   /* under lock: a wait was given, and its result not yet taken */
    bool signaled; /* under lock: a tick, the end, or a cancellation that the wait has to hear of */
    bool stopped;  /* under lock */
    struct pro_cancellation_token token; /* of the active wait; its source is held */
    struct pro_cancellation_registration registration;
    struct pro_cancellation_source *stop; /* ends the sleep; held */
    struct pro_loop *loop;
    struct pro_op sleep; /* on the loop's thread once it is started */
    uint64_t due_ns;     /* the same */
    int64_t period_ns;
    struct pro_work tick;    /* posted to the pool from the background loop */
    uint32_t tick_is_posted; /* shared: ticks that come while it is under way are one with it */
};

static struct pro_periodic_timer *timer_ref(struct pro_periodic_timer *timer)
{
    proi_fetch_add(&timer->references, 1u, PROI_RELAXED);
    return timer;
}

static void timer_unref(struct pro_periodic_timer *timer)
{
    if (proi_fetch_sub(&timer->references, 1u, PROI_ACQ_REL) != 1)
        return;
    pro_value_task_source_core_reset(&timer->core);
    pro_cancellation_source_unref(timer->stop);
    pro_cancellation_source_unref(timer->token.source);
    proi_block_free(timer, sizeof *timer);
}

/* ---- signals: a tick, the end, a cancelled wait ---- */

/* The first signal since the last result was taken completes the active wait, if there is one; later ones are one with
   it. The wait's continuation runs without the lock. */
static void signal(struct pro_periodic_timer *timer, bool stops, bool cancels)
{
    const bool yes = true;
    bool completes = false;

    proi_lock(&timer->lock);
    timer->stopped = timer->stopped || stops;
    if (!timer->signaled && (!cancels || timer->active)) {
        timer->signaled = true;
        completes = timer->active;
    }
    proi_unlock(&timer->lock);
    if (completes && cancels)
        pro_value_task_source_core_set_error(&timer->core, pro_error_canceled(&timer->token));
    else if (completes)
        pro_value_task_source_core_set_result(&timer->core, &yes, PRO_TYPE(bool));
}

static void wait_canceled(void *arg) { signal(arg, false, true); }

/* ---- ticking ---- */

static void posted_tick(struct pro_work *work)
{
    struct pro_periodic_timer *const timer = PRO_CONTAINER(work, struct pro_periodic_timer, tick);

    /* Before the signal: a tick that comes from now on is another one. */
    proi_store(&timer->tick_is_posted, 0u, PROI_RELEASE);
    signal(timer, false, false);
    timer_unref(timer);
}

/* The background loop runs no user code; a loop of the user's delivers as a thread of nobody's. */
static void tick(struct pro_periodic_timer *timer)
{
    struct proi_ambient saved;

    if (proi_loop_is_background(timer->loop)) {
        if (proi_exchange(&timer->tick_is_posted, 1u, PROI_ACQ_REL))
            return;
        timer_ref(timer);
        timer->tick = (struct pro_work){ .run = posted_tick };
        proi_pool_post(&timer->tick, PROI_POOL_HIGH);
        return;
    }
    saved = proi_ambient_enter((struct proi_ambient){ .context = NULL });
    signal(timer, false, false);
    proi_ambient_leave(saved);
}

static int start_sleep(struct pro_periodic_timer *timer);

/* On the loop's thread. Armed again before the tick is told: whoever hears it may take long. */
static void sleep_over(struct pro_op *op)
{
    struct pro_periodic_timer *const timer = op->waiter;
    const bool goes_on = op->result == PRO_OK;
    const uint64_t now = goes_on ? pro_loop_now(timer->loop) : 0;

    if (!goes_on) { /* disposed of, or its loop is closed: then nobody will tell a waiter otherwise */
        signal(timer, true, false);
        timer_unref(timer);
        return;
    }
    timer->due_ns += (uint64_t)timer->period_ns;
    if (timer->due_ns <= now) /* ticks that were missed altogether are not made up for */
        timer->due_ns = now + (uint64_t)timer->period_ns;
    timer_ref(timer); /* a waiter may free it inside the tick */
    if (start_sleep(timer) < 0) {
        signal(timer, true, false);
        timer_unref(timer);
    } else {
        tick(timer);
    }
    timer_unref(timer);
}

static int start_sleep(struct pro_periodic_timer *timer)
{
    const struct pro_how how = { .token = pro_cancellation_source_token(timer->stop) };

    return proi_loop_await_op(pro_sleep_until(&timer->sleep, timer->loop, timer->due_ns, how), sleep_over, timer);
}

/* ---- the source of its value tasks ---- */

static struct pro_periodic_timer *timer_of(struct pro_value_task_source *source)
{
    return PRO_CONTAINER(source, struct pro_periodic_timer, source);
}

static int wait_status(struct pro_value_task_source *source, uint16_t version)
{
    return pro_value_task_source_core_get_status(&timer_of(source)->core, version);
}

static int wait_on_completed(struct pro_value_task_source *source, struct pro_continuation *continuation,
                             uint16_t version, unsigned flags)
{
    return pro_value_task_source_core_on_completed(&timer_of(source)->core, continuation, version, flags);
}

/* Makes the timer ready for the next wait. */
static int wait_result(struct pro_value_task_source *source, uint16_t version, void *ret_result, struct pro_type type,
                       struct pro_error **ret_error)
{
    struct pro_periodic_timer *const timer = timer_of(source);
    bool ticked = false;
    int code =
        pro_value_task_source_core_get_result(&timer->core, version, ret_result ? &ticked : NULL, type, ret_error);
    struct pro_cancellation_source *canceler;

    if (version != pro_value_task_source_core_version(&timer->core) ||
        pro_value_task_source_core_get_status(&timer->core, version) == PRO_VALUE_TASK_PENDING)
        return code; /* not this wait's, or too early */
    pro_cancellation_unregister_wait(&timer->registration);
    proi_lock(&timer->lock);
    pro_value_task_source_core_reset(&timer->core);
    canceler = timer->token.source;
    timer->token.source = NULL;
    timer->active = false;
    if (!timer->stopped)
        timer->signaled = false;
    ticked = !timer->stopped;
    proi_unlock(&timer->lock);
    if (code == PRO_OK && ret_result)
        memcpy(ret_result, &ticked, sizeof ticked);
    pro_cancellation_source_unref(canceler);
    timer_unref(timer);
    return code;
}

static const struct pro_value_task_source_vtable wait_vtable = { .get_status = wait_status,
                                                                 .on_completed = wait_on_completed,
                                                                 .get_result = wait_result };

/* ---- the public functions ---- */

int pro_periodic_timer_new(int64_t period_ns, struct pro_periodic_timer **ret_timer)
{
    struct pro_loop *const loop = pro_loop_current() ? pro_loop_current() : pro_loop_default();
    struct pro_periodic_timer *timer;
    int code;

    if (!ret_timer || period_ns < PRO_MS(1))
        return proi_misuse(PRO_E_INVALID,
                           "pro_periodic_timer_new: ret_timer is NULL, or the period is below a millisecond");
    if (!loop)
        return PRO_E_NO_THREAD;
    timer = proi_block_alloc(sizeof *timer);
    if (!timer)
        return PRO_E_NO_MEMORY;
    memset(timer, 0, sizeof *timer);
    code = pro_cancellation_source_new(&timer->stop);
    if (code < 0) {
        proi_block_free(timer, sizeof *timer);
        return code;
    }
    proi_store(&timer->references, 2u, PROI_RELAXED); /* the user's and the sleep's */
    timer->source.vtable = &wait_vtable;
    timer->loop = loop;
    timer->period_ns = period_ns;
    timer->due_ns = pro_loop_now(loop) + (uint64_t)period_ns;
    code = start_sleep(timer);
    if (code < 0) {
        timer_unref(timer);
        timer_unref(timer);
        return code;
    }
    *ret_timer = timer;
    return PRO_OK;
}

struct pro_value_task pro_periodic_timer_wait(struct pro_periodic_timer *timer, struct pro_cancellation_token token)
{
    struct pro_value_task wait;
    bool at_once = false, ticked = false;

    if (!timer)
        return pro_value_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_periodic_timer_wait: the timer is NULL")));
    proi_lock(&timer->lock);
    if (timer->active) {
        proi_unlock(&timer->lock);
        return pro_value_task_from_error(pro_error_of(proi_misuse(
            PRO_E_STATE,
            "pro_periodic_timer_wait: the result of the last wait was not yet taken; a timer has one consumer")));
    }
    if (pro_cancellation_token_is_canceled(token)) {
        proi_unlock(&timer->lock);
        return pro_value_task_from_canceled(token);
    }
    at_once = timer->signaled;
    ticked = !timer->stopped;
    if (at_once) {
        timer->signaled = timer->stopped;
    } else {
        timer->active = true;
        timer->token.source = pro_cancellation_source_ref(token.source);
        timer_ref(timer); /* the wait's */
    }
    proi_unlock(&timer->lock);
    if (at_once)
        return pro_value_task_from_result(&ticked, PRO_TYPE(bool));
    wait = pro_value_task_from_source(&timer->source, pro_value_task_source_core_version(&timer->core), PRO_TYPE(bool));
    /* Nobody has the value task yet: a callback that runs in here finds no continuation. */
    pro_cancellation_register(token, &timer->registration, wait_canceled, timer);
    return wait;
}

int pro_periodic_timer_dispose(struct pro_periodic_timer *timer)
{
    if (!timer)
        return proi_misuse(PRO_E_INVALID, "pro_periodic_timer_dispose: the timer is NULL");
    timer_ref(timer); /* whoever goes on inside may free it */
    signal(timer, true,
           false); /* first: the sleep's end signals on the loop's thread, and would run the waiter there */
    pro_cancellation_source_cancel(timer->stop);
    timer_unref(timer);
    return PRO_OK;
}

void pro_periodic_timer_free(struct pro_periodic_timer *timer)
{
    if (!timer)
        return;
    pro_periodic_timer_dispose(timer);
    timer_unref(timer);
}
