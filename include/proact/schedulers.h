/* SPDX-License-Identifier: MIT */
/* Task schedulers that stand on others: a context's, inline, limited concurrency, the concurrent/exclusive pair; and a
   context that runs one item at a time on any scheduler. All are reference counted and may be used from any thread. */
#ifndef PROACT_SCHEDULERS_H
#define PROACT_SCHEDULERS_H

#include <proact/task.h>

PRO_BEGIN_DECLS

/* Gives a scheduler of the context that is current on this thread: TaskScheduler.FromCurrentSynchronizationContext
   (SEM-269). It queues by Post, runs inline iff that context is current (SEM-147), and its level is 1. A context that
   refuses a post: the item runs on the pool, as always with contexts. Holds the context; an object of exactly the base
   class is accepted. Gives one reference. PRO_E_STATE (misuse): none is current. PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_task_scheduler_from_current_context(struct pro_task_scheduler **ret_scheduler);

/* A scheduler that runs what it is given inside the call that gives it: on the caller's thread, before StartNew,
   ContinueWith or a completion returns. When the stack nears its end the pool runs the item instead. Never NULL;
   borrowed. [any thread] */
PRO_API struct pro_task_scheduler *pro_task_scheduler_inline(void);

/* Gives a scheduler that runs at most @max_concurrency items at a time on @target (NULL: the pool), first in, first
   out. A wait inside one of its items takes a queued item out and runs it in place. Holds @target; @name is borrowed.
   When @target refuses while nothing of it runs, the item is refused; otherwise what runs already goes on with it, and
   if need be the pool. Gives one reference. PRO_E_INVALID: a concurrency of 0; PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_limited_scheduler_new(const char *name, struct pro_task_scheduler *target, unsigned max_concurrency,
                                      struct pro_task_scheduler **ret_scheduler);

/* ---- ConcurrentExclusiveSchedulerPair (SEM-275…278): a reader/writer lock made of two schedulers ---- */
/* Tasks of the exclusive one run one at a time and beside nothing else of the pair; those of the concurrent one beside
   each other, up to the level. While an exclusive task waits, no further concurrent one begins. Exclusive is each
   segment of an async method: an await gives it up, and going on takes it again (SEM-276). */
struct pro_exclusive_pair;

/* Gives a pair over @target (NULL: the pool; held). @max_concurrency: of the concurrent one; 0: the number of
   processors; never more than @target's own level. PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_exclusive_pair_new(struct pro_task_scheduler *target, unsigned max_concurrency,
                                   struct pro_exclusive_pair **ret_pair);
/* Drops the handle. What is queued still runs; the schedulers live on while somebody has a reference to them. NULL is
   legal. [any thread] */
PRO_API void pro_exclusive_pair_free(struct pro_exclusive_pair *pair);
/* The two schedulers, borrowed from the pair. A task of the pair that is waited for inside a task of the same mode is
   run there (SEM-277); of the other mode never. [any thread] */
PRO_API struct pro_task_scheduler *pro_exclusive_pair_exclusive(struct pro_exclusive_pair *pair);
PRO_API struct pro_task_scheduler *pro_exclusive_pair_concurrent(struct pro_exclusive_pair *pair);
/* From now on nothing is accepted: both schedulers refuse with PRO_E_STATE, which a task shows as PRO_E_SCHEDULER
   (SEM-278). What is queued still runs. Idempotent. [any thread] */
PRO_API int pro_exclusive_pair_complete(struct pro_exclusive_pair *pair);
/* Gives the task that completes when pro_exclusive_pair_complete() was called, or the pair is gone, and both queues are
   empty; its continuations never run inside the call that ended it. When @target refuses to work for the pair, the pair
   completes by itself: this task faults with PRO_E_SCHEDULER, and the item that could not be placed is refused. Items
   that were accepted before are run on the pool, by the same rules. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_exclusive_pair_completion(struct pro_exclusive_pair *pair);

/* ---- the serial context: one item at a time, in order, on any scheduler ---- */
/* Gives a context with one reference: the request context's manner, with its items on @target (NULL: the pool; held).
   Not bound to a thread; who blocks in an item keeps the turn. When @target refuses, the pool takes the turn. @name is
   borrowed. PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_serial_context_new(const char *name, struct pro_task_scheduler *target,
                                   struct pro_sync_context **ret_context);

PRO_END_DECLS

#endif
