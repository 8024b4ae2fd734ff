/* SPDX-License-Identifier: MIT */
/* The scenarios' own task schedulers, written on the public vtable, and the clamped pool. */
#include "harness.h"

/* ---- ManualScheduler ---- */
static int manual_queue(struct pro_task_scheduler *base, struct pro_work *work)
{
    struct manual_scheduler *scheduler = (struct manual_scheduler *)base;
    if (scheduler->log_calls)
        trace_log("%s.queue", base->name);
    if (scheduler->refuse)
        return PRO_E_USER;
    work->next = NULL;
    monitor_enter(scheduler->monitor);
    if (scheduler->last)
        scheduler->last->next = work;
    else
        scheduler->first = work;
    scheduler->last = work;
    scheduler->pending++;
    monitor_exit(scheduler->monitor);
    return PRO_OK;
}

static bool manual_try_dequeue(struct pro_task_scheduler *base, struct pro_work *work)
{
    struct manual_scheduler *scheduler = (struct manual_scheduler *)base;
    bool found = false;
    monitor_enter(scheduler->monitor);
    struct pro_work *previous = NULL;
    for (struct pro_work *i = scheduler->first; i && !found; i = i->next) {
        found = i == work;
        if (!found)
            previous = i;
    }
    if (found) {
        if (previous)
            previous->next = work->next;
        else
            scheduler->first = work->next;
        if (scheduler->last == work)
            scheduler->last = previous;
        scheduler->pending--;
    }
    monitor_exit(scheduler->monitor);
    return found;
}

static bool manual_try_inline(struct pro_task_scheduler *base, struct pro_work *work, bool was_queued)
{
    struct manual_scheduler *scheduler = (struct manual_scheduler *)base;
    if (scheduler->log_calls)
        trace_log("%s.inline? queued=%s allowed=%s", base->name, text_of_bool(was_queued),
                  text_of_bool(scheduler->allow_inline));
    gate_open(scheduler->inline_asked);
    if (!scheduler->allow_inline)
        return false;
    if (was_queued && !manual_try_dequeue(base, work))
        return false;
    pro_work_run(work);
    return true;
}

static const struct pro_task_scheduler_vtable manual_vtable = {
    .queue = manual_queue,
    .try_inline = manual_try_inline,
    .try_dequeue = manual_try_dequeue,
};

struct manual_scheduler *manual_scheduler_new(const char *name)
{
    struct manual_scheduler *scheduler = memory_new(sizeof *scheduler);
    pro_task_scheduler_init(&scheduler->base, &manual_vtable, name);
    scheduler->monitor = monitor_new();
    scheduler->inline_asked = gate_new("inline asked");
    scheduler->log_calls = true;
    return scheduler;
}

size_t manual_scheduler_pending(struct manual_scheduler *scheduler)
{
    monitor_enter(scheduler->monitor);
    const size_t pending = scheduler->pending;
    monitor_exit(scheduler->monitor);
    return pending;
}

bool manual_scheduler_run_one(struct manual_scheduler *scheduler)
{
    monitor_enter(scheduler->monitor);
    struct pro_work *work = scheduler->first;
    if (work) {
        scheduler->first = work->next;
        if (!scheduler->first)
            scheduler->last = NULL;
        scheduler->pending--;
    }
    monitor_exit(scheduler->monitor);
    if (work)
        pro_work_run(work);
    return work != NULL;
}

int manual_scheduler_run_all(struct manual_scheduler *scheduler)
{
    int count = 0;
    while (manual_scheduler_run_one(scheduler))
        count++;
    return count;
}

/* ---- ThreadScheduler and FixedScheduler ---- */
static _Thread_local struct thread_scheduler *running; /* whose thread this is */

static void scheduler_main(void *arg)
{
    struct thread_scheduler *scheduler = arg;
    running = scheduler;
    for (;;) {
        monitor_enter(scheduler->monitor);
        while (!scheduler->first)
            monitor_wait(scheduler->monitor, WAIT_FOR_EVER);
        struct pro_work *work = scheduler->first;
        scheduler->first = work->next;
        if (!scheduler->first)
            scheduler->last = NULL;
        scheduler->pending--;
        monitor_exit(scheduler->monitor);
        pro_work_run(work);
    }
}

static int thread_queue(struct pro_task_scheduler *base, struct pro_work *work)
{
    struct thread_scheduler *scheduler = (struct thread_scheduler *)base;
    if (scheduler->log_calls)
        trace_log("%s.queue", base->name);
    work->next = NULL;
    monitor_enter(scheduler->monitor);
    if (scheduler->last)
        scheduler->last->next = work;
    else
        scheduler->first = work;
    scheduler->last = work;
    scheduler->pending++;
    monitor_pulse_all(scheduler->monitor);
    monitor_exit(scheduler->monitor);
    return PRO_OK;
}

static bool thread_try_inline(struct pro_task_scheduler *base, struct pro_work *work, bool was_queued)
{
    struct thread_scheduler *scheduler = (struct thread_scheduler *)base;
    if (scheduler->log_calls)
        trace_log("%s.inline? queued=%s", base->name, text_of_bool(was_queued));
    if (!scheduler->may_inline || running != scheduler)
        return false;
    pro_work_run(work);
    return true;
}

static const struct pro_task_scheduler_vtable thread_vtable = {
    .queue = thread_queue,
    .try_inline = thread_try_inline,
};

static struct thread_scheduler *scheduler_start(const char *name, unsigned threads, bool may_inline)
{
    struct thread_scheduler *scheduler = memory_new(sizeof *scheduler);
    pro_task_scheduler_init(&scheduler->base, &thread_vtable, name);
    scheduler->base.max_concurrency = threads;
    scheduler->monitor = monitor_new();
    scheduler->may_inline = may_inline;
    for (unsigned i = 0; i < threads; i++)
        worker_start(name, scheduler_main, scheduler);
    return scheduler;
}

struct thread_scheduler *thread_scheduler_new(const char *name) { return scheduler_start(name, 1, true); }

struct thread_scheduler *fixed_scheduler_new(const char *name, unsigned threads)
{
    return scheduler_start(name, threads, false);
}

size_t thread_scheduler_pending(struct thread_scheduler *scheduler)
{
    monitor_enter(scheduler->monitor);
    const size_t pending = scheduler->pending;
    monitor_exit(scheduler->monitor);
    return pending;
}

/* ---- Pool ---- */
int pool_clamp(void)
{
    struct pro_pool_stats stats;
    pro_pool_get_stats(&stats);
    const unsigned count = stats.min_threads > 2 ? stats.min_threads : 2; /* the minimum is the number of processors */
    if (pro_pool_set_min_threads(count) != PRO_OK || pro_pool_set_max_threads(count) != PRO_OK)
        trace_log("CLAMP FAILED");
    return (int)count;
}

struct occupant {
    struct countdown *running;
    struct gate *release;
};

static void occupy(void *arg)
{
    struct occupant *occupant = arg;
    countdown_signal(occupant->running);
    gate_wait_ms(occupant->release, WAIT_FOR_EVER);
}

void pool_occupy(int count, struct gate *release)
{
    struct occupant *occupant = memory_new(sizeof *occupant);
    occupant->running = countdown_new(count);
    occupant->release = release;
    for (int i = 0; i < count; i++)
        pro_pool_post(occupy, occupant);
    if (!countdown_wait_ms(occupant->running, harness_step_ms()))
        trace_log("STUCK occupy");
}
