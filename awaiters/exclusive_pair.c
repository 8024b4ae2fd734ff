/* SPDX-License-Identifier: MIT */
/* The concurrent/exclusive pair (SEM-275…278): two queues, and runners on the target scheduler. Either one runner works
   through the exclusive queue, or several through the concurrent one. It stands here, not with the other schedulers,
   for its completion task. */
#include "internal.h"

#include <proact/schedulers.h>

struct lane {
    struct pro_task_scheduler scheduler; /* first */
    struct pro_exclusive_pair *pair;
    struct proi_work_list queue; /* under the pair's lock */
    struct proi_push *pushes;    /* under the pair's lock: calls of queue that do not know yet whether it stays */
};

struct runner {
    struct pro_work work;
    struct lane *lane;
};

struct pro_exclusive_pair {
    struct lane exclusive, concurrent;
    struct pro_task_scheduler *target;        /* held; NULL: the pool */
    struct pro_completion_source *completion; /* its continuations never run inside */
    uint32_t users;                           /* shared: lanes with references, runners, calls that queue */

    struct proi_mutex lock; /* guards what follows, and the queues */
    int runners;            /* of the concurrent lane, or EXCLUSIVE */
    struct runner own;      /* the first needs no memory */
    bool own_is_taken;
    bool completing, finished;
    struct pro_error *fault; /* the target refused: from then on the pool takes its place */
};
enum { EXCLUSIVE = -1 };

/* Which lanes this thread works for, innermost first. */
struct at_work {
    const struct lane *lane;
    const struct at_work *outer;
};
static PROI_THREAD_LOCAL const struct at_work *at_work;

static struct lane *lane_of(struct pro_task_scheduler *scheduler)
{
    return PRO_CONTAINER(scheduler, struct lane, scheduler);
}

/* ---- its end ---- */

static void drop_user(struct pro_exclusive_pair *pair)
{
    /* Acquire: the last one sees what all others did with it. */
    if (proi_fetch_sub(&pair->users, 1u, PROI_ACQ_REL) != 1)
        return;
    /* Nobody can queue any more, and nothing is queued: it is complete, also when nobody asked for it. */
    pro_completion_source_try_set_result(pair->completion, NULL, PRO_NO_RESULT);
    pro_completion_source_free(pair->completion);
    pro_task_scheduler_unref(pair->target);
    pro_error_unref(pair->fault);
    proi_free(pair);
}

static void lane_destroy(struct pro_task_scheduler *scheduler) { drop_user(lane_of(scheduler)->pair); }

static void finish(struct pro_exclusive_pair *pair)
{
    if (pair->fault)
        pro_completion_source_try_set_error(pair->completion, pro_error_ref(pair->fault));
    else
        pro_completion_source_try_set_result(pair->completion, NULL, PRO_NO_RESULT);
}

/* Under the lock: true for the one who is to finish. */
static bool is_over(struct pro_exclusive_pair *pair)
{
    if (!pair->completing || pair->finished || pair->runners || pair->exclusive.queue.count ||
        pair->concurrent.queue.count)
        return false;
    pair->finished = true;
    return true;
}

/* ---- runners ---- */

static void run(struct pro_work *work);

/* Under the lock: the next runner that may begin. NULL also when memory is short and another is at work. */
static struct runner *take_runner(struct pro_exclusive_pair *pair)
{
    struct lane *const lane = pair->exclusive.queue.count ? &pair->exclusive : &pair->concurrent;
    struct runner *runner = &pair->own;

    /* An exclusive one waits until no other is at work, and keeps further concurrent ones from beginning (SEM-275). */
    if (pair->runners < 0 || !lane->queue.count || (lane == &pair->exclusive && pair->runners) ||
        (unsigned)pair->runners >= pair->concurrent.scheduler.max_concurrency)
        return NULL;
    if (pair->own_is_taken)
        runner = proi_block_alloc(sizeof *runner);
    if (!runner)
        return NULL;
    if (runner == &pair->own)
        pair->own_is_taken = true;
    *runner = (struct runner){ .work = { .run = run }, .lane = lane };
    pair->runners = lane == &pair->exclusive ? EXCLUSIVE : pair->runners + 1;
    proi_fetch_add(&pair->users, 1u, PROI_RELAXED); /* who starts one has the pair */
    return runner;
}

/* Under the lock. Its user is dropped by the caller. */
static void give_back_runner(struct pro_exclusive_pair *pair, struct runner *runner)
{
    pair->runners = pair->runners < 0 ? 0 : pair->runners - 1;
    if (runner == &pair->own)
        pair->own_is_taken = false;
    else
        proi_block_free(runner, sizeof *runner);
}

/* The target takes no runner: the pair completes by itself (SEM-278). */
static void note_refusal(struct pro_exclusive_pair *pair, struct runner *runner, int code)
{
    proi_lock(&pair->lock);
    give_back_runner(pair, runner);
    pair->completing = true;
    if (!pair->fault)
        pair->fault = pro_error_caused_by(PRO_E_SCHEDULER, PRO_SITE_UNKNOWN, pro_error_of(code));
    proi_unlock(&pair->lock);
    drop_user(pair);
}

/* Starts as many runners as may be and have something to do; or finishes. The caller is a user of the pair. A code: the
   target has refused; the next call turns to the pool. */
static int advance(struct pro_exclusive_pair *pair, bool fairly)
{
    for (size_t left = SIZE_MAX; left; left--) {
        struct pro_task_scheduler *target;
        struct runner *runner;
        bool over;
        int code;

        proi_lock(&pair->lock);
        runner = take_runner(pair);
        over = !runner && is_over(pair);
        target = pair->fault ? NULL : pair->target;
        if (left > pair->concurrent.queue.count) /* one for each item is enough */
            left = pair->concurrent.queue.count ? pair->concurrent.queue.count : 1;
        proi_unlock(&pair->lock);
        if (over)
            finish(pair);
        if (!runner)
            break;
        code = proi_scheduler_queue(target, &runner->work, fairly);
        if (code < 0) {
            note_refusal(pair, runner, code);
            return code;
        }
    }
    return PRO_OK;
}

/* The next item of the runner's lane; NULL: its work is done, and it is counted no more. */
static struct pro_work *next_item(struct pro_exclusive_pair *pair, struct runner *runner, struct lane *lane)
{
    struct pro_work *work = NULL;

    proi_lock(&pair->lock);
    if (lane == &pair->exclusive || !pair->exclusive.queue.count)
        work = proi_work_list_pop(&lane->queue);
    if (work)
        proi_push_left(lane->pushes, work);
    else
        give_back_runner(pair, runner);
    proi_unlock(&pair->lock);
    return work;
}

static void run(struct pro_work *work)
{
    struct runner *const runner = PRO_CONTAINER(work, struct runner, work);
    struct lane *const lane = runner->lane;
    struct pro_exclusive_pair *const pair = lane->pair;
    const struct at_work here = { lane, at_work };
    const struct proi_ambient saved = proi_ambient;

    at_work = &here;
    while ((work = next_item(pair, runner, lane)) != NULL) {
        pro_work_run(work);
        proi_ambient_leave(saved);
    }
    at_work = here.outer;
    while (advance(pair, true) < 0)
        ;
    drop_user(pair);
}

/* ---- the schedulers ---- */

static int lane_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct lane *const lane = lane_of(scheduler);
    struct pro_exclusive_pair *const pair = lane->pair;
    struct proi_push push;
    int code, refusal;

    proi_lock(&pair->lock);
    if (pair->completing) {
        proi_unlock(&pair->lock);
        return PRO_E_STATE;
    }
    proi_work_list_push(&lane->queue, work);
    proi_push_open(&lane->pushes, &push, work);
    proi_fetch_add(&pair->users, 1u, PROI_RELAXED); /* ours: the item may run, and drop the last one but this */
    proi_unlock(&pair->lock);
    code = advance(pair, false);
    proi_lock(&pair->lock);
    proi_push_close(&lane->pushes, &push);
    /* Without one: others have come to it. */
    refusal = code < 0 && push.work && proi_work_list_remove(&lane->queue, push.work) ? code : PRO_OK;
    proi_unlock(&pair->lock);
    if (code < 0)
        advance(pair, true); /* what others have queued meanwhile */
    drop_user(pair);
    return refusal;
}

struct shim {
    struct pro_work work;
    struct pro_work *inner;
    uint32_t done;
};

static void run_shim(struct pro_work *work)
{
    struct shim *const shim = PRO_CONTAINER(work, struct shim, work);
    uint32_t *const done = &shim->done;

    pro_work_run(shim->inner);
    proi_store(done, 1u, PROI_RELEASE); /* the last touch of the waiter's stack; below only the address is used */
    proi_wake_one(done);
}

/* As RunSynchronously on the target does: here if the target lets it, else queued there and waited for. */
static bool run_on_target(struct pro_task_scheduler *target, struct pro_work *work)
{
    struct shim shim = { .work = { .run = run_shim, .task = work->task }, .inner = work };

    if (proi_scheduler_is_default(target)) {
        pro_work_run(work);
        return true;
    }
    if (target->vtable->try_inline && target->vtable->try_inline(target, &shim.work, false))
        return true;
    if (target->vtable->queue(target, &shim.work) < 0)
        return false;
    proi_pool_blocking_begin();
    while (!proi_load(&shim.done, PROI_ACQUIRE))
        proi_wait(&shim.done, 0, -1);
    proi_pool_blocking_end();
    return true;
}

/* A thread at work for this very lane may take another of its items in between (SEM-277); a queued one stays there as a
   no-op. */
static bool lane_try_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    struct lane *const lane = lane_of(scheduler);
    struct pro_exclusive_pair *const pair = lane->pair;
    const struct at_work *it = at_work;
    bool accepts;

    while (it && it->lane->pair != pair)
        it = it->outer;
    if (!it || it->lane != lane)
        return false;
    proi_lock(&pair->lock);
    accepts = was_queued || !pair->completing;
    proi_unlock(&pair->lock);
    return accepts && run_on_target(pair->target, work);
}

static void lane_for_each_queued(struct pro_task_scheduler *scheduler, void (*visit)(struct pro_work *work, void *arg),
                                 void *arg)
{
    struct lane *const lane = lane_of(scheduler);

    proi_lock(&lane->pair->lock);
    proi_work_list_visit(&lane->queue, visit, arg);
    proi_unlock(&lane->pair->lock);
}

static const struct pro_task_scheduler_vtable lane_vtable = {
    .queue = lane_queue, .try_inline = lane_try_inline, .destroy = lane_destroy, .for_each_queued = lane_for_each_queued
};

/* ---- the pair ---- */

int pro_exclusive_pair_new(struct pro_task_scheduler *target, unsigned max_concurrency,
                           struct pro_exclusive_pair **ret_pair)
{
    struct pro_exclusive_pair *pair;
    unsigned level = max_concurrency ? max_concurrency : proi_processor_count();
    int code;

    if (!ret_pair || (target && (!target->vtable || !target->vtable->queue)))
        return proi_misuse(
            PRO_E_INVALID,
            "pro_exclusive_pair_new: ret_pair is NULL, or the target was not made by pro_task_scheduler_init()");
    pair = proi_alloc_zeroed(sizeof *pair);
    if (!pair)
        return PRO_E_NO_MEMORY;
    code = pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_ASYNC_CONTINUATIONS, &pair->completion);
    if (code < 0) {
        proi_free(pair);
        return code;
    }
    if (target && target->max_concurrency && target->max_concurrency < level)
        level = target->max_concurrency;
    pro_task_scheduler_init(&pair->exclusive.scheduler, &lane_vtable, "exclusive");
    pro_task_scheduler_init(&pair->concurrent.scheduler, &lane_vtable, "concurrent");
    pair->exclusive.scheduler.max_concurrency = 1;
    pair->concurrent.scheduler.max_concurrency = level < INT32_MAX ? level : INT32_MAX;
    pair->exclusive.pair = pair->concurrent.pair = pair;
    pair->target = pro_task_scheduler_ref(target);
    pair->users = 2; /* the lanes */
    *ret_pair = pair;
    return PRO_OK;
}

void pro_exclusive_pair_free(struct pro_exclusive_pair *pair)
{
    struct lane *concurrent;

    if (!pair)
        return;
    concurrent = &pair->concurrent; /* keeps the pair until it is dropped itself */
    pro_task_scheduler_unref(&pair->exclusive.scheduler);
    pro_task_scheduler_unref(&concurrent->scheduler);
}

struct pro_task_scheduler *pro_exclusive_pair_exclusive(struct pro_exclusive_pair *pair)
{
    if (pair)
        return &pair->exclusive.scheduler;
    proi_misuse(PRO_E_INVALID, "pro_exclusive_pair_exclusive: the pair is NULL");
    return NULL;
}

struct pro_task_scheduler *pro_exclusive_pair_concurrent(struct pro_exclusive_pair *pair)
{
    if (pair)
        return &pair->concurrent.scheduler;
    proi_misuse(PRO_E_INVALID, "pro_exclusive_pair_concurrent: the pair is NULL");
    return NULL;
}

int pro_exclusive_pair_complete(struct pro_exclusive_pair *pair)
{
    if (!pair)
        return proi_misuse(PRO_E_INVALID, "pro_exclusive_pair_complete: the pair is NULL");
    proi_lock(&pair->lock);
    pair->completing = true;
    proi_unlock(&pair->lock);
    while (advance(pair, true) < 0)
        ;
    return PRO_OK;
}

struct pro_task *pro_exclusive_pair_completion(struct pro_exclusive_pair *pair)
{
    if (pair)
        return pro_completion_source_task(pair->completion);
    return pro_task_from_error(
        pro_error_of(proi_misuse(PRO_E_INVALID, "pro_exclusive_pair_completion: the pair is NULL")));
}
