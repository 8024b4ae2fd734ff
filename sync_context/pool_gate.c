/* SPDX-License-Identifier: MIT */
/* How many of the pool's threads may be active: the minimum, plus what blocked threads are compensated with (SEM-195),
   or what starvation has brought (SEM-196); never above the maximum. What takes time is done by the gate, a thread that
   exists only while items wait. .NET also looks at the processors' load and at free memory; this does not. */
#include "pool.h"

/* ---- the target, under pool.lock ---- */
void proi_pool_retarget(enum pro_pool_reason reason)
{
    uint32_t target = proi_pool.minimum + proi_pool.granted;

    if (target < proi_pool.starved)
        target = proi_pool.starved;
    if (target > proi_pool.maximum)
        target = proi_pool.maximum;
    if (target == proi_pool.target)
        return;
    proi_pool.changes[reason]++;
    proi_pool.last_change = reason;
    proi_store(&proi_pool.target, target, PROI_SEQ_CST);
}

static bool compensation_is_due(void)
{
    return proi_pool.granted < proi_pool.blocked && proi_pool.target < proi_pool.maximum;
}

/* At once: one for each processor, and as many as exist anyway. */
static void compensate_at_once(void)
{
    uint32_t at_once = proi_pool.processors;

    if (proi_pool.existing > proi_pool.minimum && proi_pool.existing - proi_pool.minimum > at_once)
        at_once = proi_pool.existing - proi_pool.minimum;
    if (at_once > proi_pool.blocked)
        at_once = proi_pool.blocked;
    if (proi_pool.granted < at_once)
        proi_pool.granted = at_once;
    proi_pool_retarget(PRO_POOL_BLOCKING);
}

/* How long the next one must wait: longer, the more there are. */
static int64_t compensation_delay(void)
{
    uint32_t free_part = proi_pool.minimum + proi_pool.processors;
    uint32_t above = proi_pool.target > free_part ? proi_pool.target - free_part : 0;
    int64_t delay = (1 + (int64_t)(above / proi_pool.processors)) * proi_pool_timing.step_ns;

    return delay < proi_pool_timing.step_limit_ns ? delay : proi_pool_timing.step_limit_ns;
}

/* ---- blocking waits ---- */
void proi_pool_blocking_begin(void)
{
    struct proi_pool_worker *self = proi_pool_current_worker();
    bool due;

    if (!self || self->blocking_depth++)
        return;
    proi_lock(&proi_pool.lock);
    proi_pool.blocked++;
    compensate_at_once();
    due = compensation_is_due();
    proi_unlock(&proi_pool.lock);
    /* The target rose: posters that came before found it too low, and look no more. */
    if (!proi_pool_any_queued())
        return;
    proi_pool_request();
    if (due) { /* the gate may be in a long sleep */
        proi_fetch_add(&proi_pool.gate_calls, 1, PROI_RELEASE);
        proi_wake_one(&proi_pool.gate_calls);
    }
}

void proi_pool_blocking_end(void)
{
    struct proi_pool_worker *self = proi_pool_current_worker();

    if (!self || --self->blocking_depth)
        return;
    proi_lock(&proi_pool.lock);
    proi_pool.blocked--;
    if (proi_pool.granted > proi_pool.blocked)
        proi_pool.granted = proi_pool.blocked;
    proi_pool_retarget(PRO_POOL_BLOCKING);
    proi_unlock(&proi_pool.lock);
}

/* ---- the gate ---- */
struct gate {
    uint64_t look_ns;  /* the next look for starvation            */
    uint64_t grant_ns; /* the next compensation; 0: none is due   */
    uint64_t taken;    /* items begun up to the last look         */
};

uint64_t proi_pool_count_taken(void)
{
    uint64_t taken = 0;

    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_ACQUIRE); worker;
         worker = worker->next_worker)
        taken += proi_load(&worker->taken, PROI_RELAXED);
    return taken;
}

static void gate_sleep(struct gate *gate)
{
    uint32_t calls =
        proi_load(&proi_pool.gate_calls, PROI_ACQUIRE); /* before the state is read: a later call ends the sleep */
    uint64_t now = proi_now(), until = gate->look_ns;

    proi_lock(&proi_pool.lock);
    if (!compensation_is_due())
        gate->grant_ns = 0;
    else if (!gate->grant_ns)
        gate->grant_ns = now + (uint64_t)compensation_delay();
    proi_unlock(&proi_pool.lock);
    if (gate->grant_ns && gate->grant_ns < until)
        until = gate->grant_ns;
    if (until > now)
        proi_wait(&proi_pool.gate_calls, calls, (int64_t)(until - now));
}

static void gate_grant(void)
{
    proi_lock(&proi_pool.lock);
    if (compensation_is_due()) {
        proi_pool.granted++;
        proi_pool_retarget(PRO_POOL_BLOCKING);
    }
    proi_unlock(&proi_pool.lock);
}

/* Items waited at the last look, or the gate would have ended, and none was begun since: they have waited for the whole
 * time. */
static void gate_look(struct gate *gate)
{
    uint64_t taken = proi_pool_count_taken();

    if (taken == gate->taken) {
        proi_lock(&proi_pool.lock);
        if (proi_pool.active >= proi_pool.target) /* else a thread is missing that may be started anyway */
            proi_pool.starved = proi_pool.active + 1;
        proi_pool_retarget(PRO_POOL_STARVATION);
        proi_unlock(&proi_pool.lock);
    }
    gate->taken = taken;
    gate->look_ns = proi_now() + (uint64_t)proi_pool_timing.gate_ns;
}

static bool gate_take(void)
{
    uint32_t none = PROI_POOL_GATE_NONE;

    /* Two may try, one wins; the loser relies on the winner, which looks through the queues after this. */
    return proi_compare_exchange(&proi_pool.gate, &none, PROI_POOL_GATE_RUNS, PROI_SEQ_CST);
}

static void gate_main(void *unused)
{
    struct gate gate = { .look_ns = proi_now() + (uint64_t)proi_pool_timing.gate_ns, .taken = proi_pool_count_taken() };

    (void)unused;
    for (;;) {
        uint64_t now;

        gate_sleep(&gate);
        if (!proi_pool_any_queued()) {
            /* The same order as a worker's: first gone, then a last look. A poster whose item this look misses finds
               no gate, and starts one. */
            proi_store(&proi_pool.gate, PROI_POOL_GATE_NONE, PROI_SEQ_CST);
            if (!proi_pool_any_queued() || !gate_take())
                return;
        }
        now = proi_now();
        if (gate.grant_ns && now >= gate.grant_ns) {
            gate_grant();
            gate.grant_ns = 0;
        }
        if (now >= gate.look_ns)
            gate_look(&gate);
        proi_pool_request();
    }
}

__attribute__((noinline)) void proi_pool_gate_request(void)
{
    bool early;

    if (!gate_take())
        return;
    proi_lock(&proi_pool.lock);
    early = proi_now() < proi_pool.gate_retry_ns;
    proi_unlock(&proi_pool.lock);
    if (!early && proi_thread_start(NULL, "proact gate", gate_main, NULL, 0) == PRO_OK)
        return;
    /* Without it nobody adds threads above the target; but then none could be started either. A later post tries again.
     */
    proi_lock(&proi_pool.lock);
    if (!early)
        proi_pool.gate_retry_ns = proi_now() + (uint64_t)proi_pool_timing.gate_ns;
    proi_unlock(&proi_pool.lock);
    proi_store(&proi_pool.gate, PROI_POOL_GATE_NONE, PROI_SEQ_CST);
}
