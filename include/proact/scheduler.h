/* SPDX-License-Identifier: MIT */
/* TaskScheduler, and the default one: the thread pool. */
#ifndef PROACT_SCHEDULER_H
#define PROACT_SCHEDULER_H

#include <proact/context.h>

PRO_BEGIN_DECLS

struct pro_task_scheduler;

/* What a scheduler can do (SEM-260). @queue is needed, the others may be NULL. Items run through pro_work_run(), which
   runs an item's task at most once; a queued item whose task was inlined elsewhere is a no-op when its turn comes. */
struct pro_task_scheduler_vtable {
    /* Takes @work. Anything but PRO_OK refuses it (SEM-267, 268). [any thread] */
    int (*queue)(struct pro_task_scheduler *scheduler, struct pro_work *work);
    /* May run @work here and now: true when it did, or found it run or cancelled; who says so without is found out
       (SEM-149), and is not offered the item again. @was_queued: it sits in this scheduler's queue. A scheduler with a @try_dequeue takes
       it out first, and answers false when it is not there any more; one without leaves it, a no-op when its turn comes. [any thread] */
    bool (*try_inline)(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued);
    /* Takes @work out of the queue: true when it was there. [any thread] */
    bool (*try_dequeue)(struct pro_task_scheduler *scheduler, struct pro_work *work);
    void (*destroy)(struct pro_task_scheduler *scheduler);
    void (*for_each_queued)(struct pro_task_scheduler *scheduler, void (*visit)(struct pro_work *work, void *arg), void *arg);
};

/* Embed it first in a scheduler of your own. It must stay in place until its destroy is called: tasks drop their references when they go,
   on whatever thread. */
struct pro_task_scheduler {
    const struct pro_task_scheduler_vtable *vtable;
    const char *name;          /* borrowed */
    unsigned max_concurrency;  /* 0: unlimited */
    uintptr_t references;      /* private */
};

/* Prepares an embedded scheduler with one reference; borrows @vtable and @name. PRO_E_INVALID (misuse): NULL, or a vtable without queue. A
   second reference; one dropped, the last calls destroy. NULL is legal. [any thread] */
PRO_API int pro_task_scheduler_init(struct pro_task_scheduler *scheduler, const struct pro_task_scheduler_vtable *vtable,
                                    const char *name);
PRO_API struct pro_task_scheduler *pro_task_scheduler_ref(struct pro_task_scheduler *scheduler);
PRO_API void pro_task_scheduler_unref(struct pro_task_scheduler *scheduler);

/* TryExecuteTask: pro_work_run() with an answer, for who takes items off the queue of a scheduler, or is offered one. True: the item has run
   in this call, or its task was cancelled before; false: the task had been inlined elsewhere (SEM-261), or @work is NULL or has no function (misuse). Takes
   @work: its memory may be gone. [any thread: where the item belongs] */
PRO_API bool pro_task_scheduler_try_execute(struct pro_work *work);

/* The thread pool. Never NULL; borrowed. [any thread] */
PRO_API struct pro_task_scheduler *pro_task_scheduler_default(void);
/* The scheduler of the task whose body runs on this thread, else the default one (SEM-026). Borrowed.
   [any thread] */
PRO_API struct pro_task_scheduler *pro_task_scheduler_current(void);

/* ---- the thread pool ---- */
/* Threads are started at once up to the minimum (default: the number of processors), and never beyond the maximum
   (default 32767); idle ones leave after 20 s (SEM-197). PRO_E_INVALID: maximum below minimum, or 0. [any thread] */
PRO_API int pro_pool_set_min_threads(unsigned count);
PRO_API int pro_pool_set_max_threads(unsigned count);

/* Runs fn(@arg) on the pool, from the global queue. Allocates. When no thread can be started and none exists, it runs
   inside this call, and the notice handler is told. [any thread] */
PRO_API int pro_pool_post(pro_work_fn *fn, void *arg);
/* Takes @work. @prefer_local: on a pool thread, into that thread's own queue (SEM-200).
   PRO_E_INVALID (misuse): no function in it. [any thread] */
PRO_API int pro_pool_post_work(struct pro_work *work, bool prefer_local);

/* Why the number of threads that may be active changed (SEM-344). */
enum pro_pool_reason {
    PRO_POOL_LIMITS,     /* the minimum or the maximum was set, or the pool was used for the first time */
    PRO_POOL_BLOCKING,   /* a worker blocks: one more (SEM-195); or does so no more: one less           */
    PRO_POOL_STARVATION, /* items waited and none was begun (SEM-196)                                   */
    PRO_POOL_TIMED_OUT,  /* a thread that starvation had brought left: it had slept too long            */
    PRO_POOL_REASONS     /* how many there are                                                          */
};

struct pro_pool_stats {
    unsigned min_threads, max_threads;
    unsigned threads; /* alive                                   */
    unsigned busy;    /* running an item                         */
    unsigned blocked; /* of those, inside a blocking wait        */
    size_t queued;    /* items waiting                           */
    uint64_t posted;    /* items ever posted                     */
    uint64_t completed; /* items that have run                   */
    uint64_t inlined;   /* of those, run by the poster: no thread */
    unsigned target;    /* how many threads may be active now    */
    uint64_t changes[PRO_POOL_REASONS]; /* how often that changed, for each reason */
    enum pro_pool_reason last_change;
};
/* The counts of this moment, not all of the same one. Is this thread one of the pool's? [any thread] */
PRO_API int pro_pool_get_stats(struct pro_pool_stats *ret_stats);
PRO_API bool pro_pool_is_worker(void); /* is this thread one of the pool's? */

PRO_END_DECLS

#endif
