/* SPDX-License-Identifier: MIT */
/* Parallel loops: Parallel.For over a range of indexes, which blocks, and Parallel.ForEachAsync, which gives a task. */
#ifndef PROACT_PARALLEL_H
#define PROACT_PARALLEL_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_parallel_options {
    unsigned degree;                      /* bodies at a time at most; 0: the number of processors                  */
    struct pro_task_scheduler *scheduler; /* where bodies run, its level limits the degree; NULL: the pool; borrowed */
    struct pro_cancellation_token token;  /* no body begins after it was cancelled                                   */
};

/* ---- data parallel ---- */
/* One iteration; gives NULL or an error. Several run at a time, in no order. */
typedef struct pro_error *pro_parallel_fn(size_t index, void *arg);
/* Runs @body for each index from @begin up to but not including @end, and returns when all that began have ended. The
   caller takes part, on its own thread and under its own context, when the scheduler lets it (the pool always does);
   others help as they find time. After a failure no further index begins. @options NULL: all zero. Borrows everything
   until it returns. Bodies run under the caller's execution context, and
   change none of its values. Its answers:
     PRO_OK           all indexes were run; or there are none, @end being @begin or less, whatever the token says
     PRO_E_AGGREGATE  bodies failed; *@ret_error, if asked for, gives all their errors, ordered by index
     PRO_E_CANCELED   the token was cancelled, be it in the last body, and no body failed but with an error of that token
     PRO_E_INVALID    @body is NULL
     PRO_E_SCHEDULER  the scheduler refused; some may have been run
     PRO_E_NO_MEMORY  only with a scheduler: on the pool the caller then runs all by itself
   [any thread] */
PRO_API int pro_parallel_for(size_t begin, size_t end, pro_parallel_fn *body, void *arg,
                             const struct pro_parallel_options *options, struct pro_error **ret_error);

/* ---- for each, asynchronously (SEM-330, 331) ---- */
struct pro_for_each {
    struct pro_type item; /* what @next writes and @body gets; size 0: no item is carried */
    /* Writes the next item: 1; 0: there is none; negative: an error code that fails the loop. Called by one thread at a
       time, never again after it has not given 1. It must not wait for a body. */
    int (*next)(void *arg, void *ret_item);
    /* Begins to handle one item, on the pool or the scheduler, and gives the task of it (its reference is taken). @item
       stays until that task is complete. @token is cancelled when another body fails or the caller's token is
       cancelled. */
    struct pro_task *(*body)(void *arg, void *item, struct pro_cancellation_token token);
    void *arg; /* of both */
    struct pro_parallel_options options;
};
/* Starts the loop and gives its task: complete when no item is left and no body is in flight. Items are taken one by
   one, each when a body may begin. The first failure (also a body's cancellation) cancels the token given to all; no
   further item is taken, those in flight are awaited, and the task faults with all errors, the first one first. When
   the caller's token is cancelled, the task is cancelled by it, whatever the bodies say. Copies *@loop; arg must last
   until the task is complete. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_for_each_async(const struct pro_for_each *loop);

PRO_END_DECLS

#endif
