/* SPDX-License-Identifier: MIT */
/* A scheduler that runs at most so many items at a time on another one. Its own items on the target are runners: each
   runs what is queued until nothing is. */
#include "internal.h"

#include <proact/schedulers.h>

struct limited;

struct runner {
    struct pro_work work;
    struct limited *limited;
    struct proi_push push; /* the item for which it was sent to the target */
    bool is_at_work;       /* the target has taken it, and it has begun */
};

struct limited {
    struct pro_task_scheduler scheduler; /* first; each runner has a reference */
    struct pro_task_scheduler *target;   /* held; NULL: the pool */
    struct proi_mutex lock;              /* guards all below */
    struct proi_work_list queue;
    struct proi_push *pushes; /* of the runners that are not at work yet */
    unsigned runners;         /* queued to the target, or running */
    struct runner own;        /* the first needs no memory; taken while there is any runner that uses it */
    bool own_is_taken;
};

/* Which of these schedulers this thread works for, innermost first. */
struct at_work {
    const struct limited *limited;
    const struct at_work *outer;
};
static PROI_THREAD_LOCAL const struct at_work *at_work;

static struct limited *limited_of(struct pro_task_scheduler *scheduler)
{
    return PRO_CONTAINER(scheduler, struct limited, scheduler);
}

/* ---- runners ---- */

static void run(struct pro_work *work);

/* Under the lock: one more, if there may be; @work: the item that can be taken back. NULL also when memory is short and
 * there is another, which will come to the item. */
static struct runner *take_runner(struct limited *limited, const struct pro_work *work)
{
    struct runner *runner = &limited->own;

    if (!limited->queue.count || limited->runners >= limited->scheduler.max_concurrency)
        return NULL;
    if (limited->own_is_taken)
        runner = proi_block_alloc(sizeof *runner);
    if (!runner)
        return NULL;
    *runner = (struct runner){ .work = { .run = run }, .limited = limited };
    proi_push_open(&limited->pushes, &runner->push, work);
    if (runner == &limited->own)
        limited->own_is_taken = true;
    limited->runners++;
    pro_task_scheduler_ref(&limited->scheduler);
    return runner;
}

/* Under the lock. The caller drops the reference. */
static void give_back_runner(struct limited *limited, struct runner *runner)
{
    if (runner == &limited->own)
        limited->own_is_taken = false;
    else
        proi_block_free(runner, sizeof *runner);
    limited->runners--;
}

static struct pro_work *next_item(struct limited *limited, struct runner *runner)
{
    struct pro_work *work;

    proi_lock(&limited->lock);
    if (!runner->is_at_work)
        proi_push_close(&limited->pushes, &runner->push);
    runner->is_at_work = true;
    work = proi_work_list_pop(&limited->queue);
    if (work)
        proi_push_left(limited->pushes, work);
    else /* under the same lock: an item that comes later finds one runner less */
        give_back_runner(limited, runner);
    proi_unlock(&limited->lock);
    return work;
}

static void run(struct pro_work *work)
{
    struct runner *runner = PRO_CONTAINER(work, struct runner, work);
    struct limited *limited = runner->limited;
    const struct at_work here = { limited, at_work };
    struct proi_ambient saved = proi_ambient;

    at_work = &here;
    while ((work = next_item(limited, runner)) != NULL) {
        pro_work_run(work);
        proi_ambient_leave(saved);
    }
    at_work = here.outer;
    pro_task_scheduler_unref(&limited->scheduler);
}

/* ---- the scheduler ---- */

/* The target takes no runner. An item that others will come to stays; else it is given back to whoever queues it. */
static int refused(struct limited *limited, struct runner *runner, int code)
{
    struct runner *substitute = NULL;
    const struct pro_work *work;
    bool taken_back = false;

    proi_lock(&limited->lock);
    proi_push_close(&limited->pushes, &runner->push);
    work = runner->push.work; /* NULL: others have come to it */
    give_back_runner(limited, runner);
    if (!limited->runners) {
        taken_back = work && proi_work_list_remove(&limited->queue, work);
        /* Others have queued meanwhile, and relied on this runner: theirs were accepted, the pool runs them. */
        substitute = take_runner(limited, NULL);
    }
    proi_unlock(&limited->lock);
    if (substitute)
        proi_pool_post(&substitute->work, PROI_POOL_GLOBAL);
    pro_task_scheduler_unref(&limited->scheduler);
    return taken_back ? code : PRO_OK;
}

static int limited_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct limited *limited = limited_of(scheduler);
    struct runner *runner;
    int code = PRO_OK;

    proi_lock(&limited->lock);
    proi_work_list_push(&limited->queue, work);
    runner = take_runner(limited, work);
    proi_unlock(&limited->lock);
    if (runner)
        code = proi_scheduler_queue(limited->target, &runner->work, false);
    return code < 0 ? refused(limited, runner, code) : PRO_OK;
}

static bool limited_try_dequeue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct limited *limited = limited_of(scheduler);
    bool found;

    proi_lock(&limited->lock);
    found = proi_work_list_remove(&limited->queue, work);
    if (found)
        proi_push_left(limited->pushes, work);
    proi_unlock(&limited->lock);
    return found;
}

static bool limited_try_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    const struct at_work *it = at_work;

    /* Elsewhere it would be one more at a time than is allowed. */
    while (it && it->limited != limited_of(scheduler))
        it = it->outer;
    if (!it || (was_queued && !limited_try_dequeue(scheduler, work)))
        return false;
    pro_work_run(work);
    return true;
}

static void limited_for_each_queued(struct pro_task_scheduler *scheduler,
                                    void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    struct limited *limited = limited_of(scheduler);

    proi_lock(&limited->lock);
    proi_work_list_visit(&limited->queue, visit, arg);
    proi_unlock(&limited->lock);
}

static void limited_destroy(struct pro_task_scheduler *scheduler)
{
    pro_task_scheduler_unref(limited_of(scheduler)->target);
    proi_free(limited_of(scheduler));
}

static const struct pro_task_scheduler_vtable limited_vtable = {
    .queue = limited_queue,
    .try_inline = limited_try_inline,
    .try_dequeue = limited_try_dequeue,
    .destroy = limited_destroy,
    .for_each_queued = limited_for_each_queued,
};

int pro_limited_scheduler_new(const char *name, struct pro_task_scheduler *target, unsigned max_concurrency,
                              struct pro_task_scheduler **ret_scheduler)
{
    struct limited *limited;

    if (!ret_scheduler || !max_concurrency || (target && (!target->vtable || !target->vtable->queue)))
        return proi_misuse(PRO_E_INVALID,
                           "pro_limited_scheduler_new: ret_scheduler is NULL, the concurrency is 0, or the target "
                           "was not made by pro_task_scheduler_init()");
    limited = proi_alloc_zeroed(sizeof *limited);
    if (!limited)
        return PRO_E_NO_MEMORY;
    pro_task_scheduler_init(&limited->scheduler, &limited_vtable, name);
    limited->scheduler.max_concurrency = max_concurrency;
    limited->target = pro_task_scheduler_ref(target);
    *ret_scheduler = &limited->scheduler;
    return PRO_OK;
}
