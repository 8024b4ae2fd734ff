/* SPDX-License-Identifier: MIT */
/* TaskScheduler: the interface's own functions, and the default scheduler, which is the thread pool (SEM-145,
 * SEM-260…266). */
#include "internal.h"

static int default_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler;
    proi_pool_post(work, PROI_POOL_LOCAL); /* on a worker: its own queue; fairness is asked for elsewhere (SEM-200) */
    return PRO_OK;
}

static bool default_try_dequeue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler;
    return proi_pool_take_local(work);
}

static bool default_try_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)scheduler;
    /* Queued in the global queue, or with another worker: not ours to take (SEM-145). */
    if (was_queued && !proi_pool_take_local(work))
        return false;
    pro_work_run(work);
    return true;
}

static void default_for_each_queued(struct pro_task_scheduler *scheduler,
                                    void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    (void)scheduler;
    proi_pool_for_each_queued(visit, arg);
}

static const struct pro_task_scheduler_vtable default_vtable = {
    .queue = default_queue,
    .try_inline = default_try_inline,
    .try_dequeue = default_try_dequeue,
    .for_each_queued = default_for_each_queued,
};
/* Its first reference is never given back. */
static struct pro_task_scheduler default_scheduler = { .vtable = &default_vtable,
                                                       .name = "thread pool",
                                                       .references = 1 };

int pro_task_scheduler_init(struct pro_task_scheduler *scheduler, const struct pro_task_scheduler_vtable *vtable,
                            const char *name)
{
    if (!scheduler || !vtable || !vtable->queue)
        return proi_misuse(PRO_E_INVALID,
                           "pro_task_scheduler_init: the scheduler, its vtable or the vtable's queue entry is "
                           "NULL; a scheduler must at least be able to queue");
    *scheduler = (struct pro_task_scheduler){ .vtable = vtable, .name = name, .references = 1 };
    return PRO_OK;
}

struct pro_task_scheduler *pro_task_scheduler_ref(struct pro_task_scheduler *scheduler)
{
    /* Relaxed: who adds a reference has one. */
    if (scheduler)
        proi_fetch_add(&scheduler->references, 1, PROI_RELAXED);
    return scheduler;
}

void pro_task_scheduler_unref(struct pro_task_scheduler *scheduler)
{
    /* Acquire and release: whoever counts to zero sees what every other holder did, and may destroy. */
    if (!scheduler || proi_fetch_sub(&scheduler->references, 1, PROI_ACQ_REL) != 1)
        return;
    if (scheduler->vtable->destroy)
        scheduler->vtable->destroy(scheduler);
}

struct pro_task_scheduler *pro_task_scheduler_default(void) { return &default_scheduler; }

struct pro_task_scheduler *pro_task_scheduler_current(void)
{
    return proi_ambient.scheduler ? proi_ambient.scheduler : &default_scheduler;
}

bool proi_scheduler_is_default(const struct pro_task_scheduler *scheduler)
{
    return !scheduler || scheduler == &default_scheduler;
}

int proi_scheduler_queue(struct pro_task_scheduler *scheduler, struct pro_work *work, bool fairly)
{
    if (!proi_scheduler_is_default(scheduler))
        return scheduler->vtable->queue(scheduler, work);
    proi_pool_post(work, fairly ? PROI_POOL_GLOBAL : PROI_POOL_LOCAL);
    return PRO_OK;
}
