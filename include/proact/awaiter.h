/* SPDX-License-Identifier: MIT */
/* The awaiter pattern: whatever has is_completed, on_completed and get_result can be awaited (SEM-020…034). */
#ifndef PROACT_AWAITER_H
#define PROACT_AWAITER_H

#include <proact/value_task.h>

PRO_BEGIN_DECLS

enum pro_await_options { /* SEM-102; combine with | */
    PRO_AWAIT_NONE = 0,                         /* ConfigureAwait(false): anywhere                                  */
    PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT = 1, /* ConfigureAwait(true): what a plain await does                    */
    PRO_AWAIT_SUPPRESS_THROWING = 2,            /* a failure does not leave the body (SEM-103)                      */
    PRO_AWAIT_FORCE_YIELDING = 4                /* suspends even if complete (SEM-104)                              */
};

/* What an await does when nothing else is said, per translation unit: define it before including, for instance to
   PRO_AWAIT_NONE throughout a library. */
#ifndef PRO_CONFIGURE_AWAIT_DEFAULT
#define PRO_CONFIGURE_AWAIT_DEFAULT PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT
#endif

/* The rest of a method, after an await: C#'s Action. Embedded in a frame, or in memory of yours. */
struct pro_continuation {
    struct pro_work work;      /* private: how it travels through queues, and its place in a task's list before that */
    void (*invoke)(struct pro_continuation *continuation);
    void *captured;            /* private: the context, or else the scheduler; NULL: neither */
    void *flow;                /* private: the execution context                             */
    unsigned char kind, flags; /* private                                                    */
};

/* Prepares a continuation that calls @invoke; for raw use of awaiters. It must stay in place until it was run. Misuse: NULL.
   [one thread at a time] */
PRO_API void pro_continuation_init(struct pro_continuation *continuation,
                                   void (*invoke)(struct pro_continuation *continuation));
/* For awaiters that users write. Captures, for a later schedule, what the rules say (SEM-024), and holds it until the continuation has
   run. [one thread at a time: the awaiting one, inside on_completed] */
PRO_API void pro_continuation_capture(struct pro_continuation *continuation, unsigned options);
/* Calls it here and now, as invoking an Action does. Once. [any thread] */
PRO_API void pro_continuation_run(struct pro_continuation *continuation);
/* Runs it where its capture says: here, if the one predicate allows, else posted or queued (SEM-040…046). Once. [any thread] */
PRO_API void pro_continuation_schedule(struct pro_continuation *continuation);
/* It will never be run: its method ends with PRO_E_BROKEN_PROMISE, through its PRO_FINALLY. Once, instead of the above. [any thread] */
PRO_API void pro_continuation_abandon(struct pro_continuation *continuation);

/* on_completed may run the continuation before it returns; get_result is called once per await. @options are those of the
   await (enum pro_await_options); awaiters that cannot be configured ignore them. */
struct pro_awaiter_vtable {
    bool (*is_completed)(void *self);
    void (*on_completed)(void *self, struct pro_continuation *continuation, unsigned options);
    /* Does not flow the execution context; preferred by methods, which flow it themselves (SEM-021). NULL: on_completed. */
    void (*unsafe_on_completed)(void *self, struct pro_continuation *continuation, unsigned options);
    /* Copies the result to @ret_result unless that is NULL; gives the error on failure when @ret_error is not NULL. */
    int (*get_result)(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error);
    /* Called once after get_result, or when the await is given up; NULL: nothing to release. */
    void (*release)(void *self);
    /* For reports: the task, or the op, that self stands for; NULL: unknown, external. [any thread] */
    struct pro_task *(*awaited_task)(void *self);
    struct pro_op *(*awaited_op)(void *self);
};
struct pro_awaiter {
    const struct pro_awaiter_vtable *vtable;
    void *self;
};
/* An awaiter with its options: what ConfigureAwait gives. */
struct pro_configured_awaiter {
    struct pro_awaiter awaiter;
    unsigned options;
};

/* The awaiter of @task. Borrows: keep the task. get_result on a pending task blocks (SEM-031). [any thread] */
PRO_API struct pro_awaiter pro_task_get_awaiter(struct pro_task *task);
/* The awaiter of *@task, which stays in place and is read once more by get_result: then a result or a source is consumed; a task is not,
   drop it afterwards. get_result before completion blocks for a task, and is PRO_E_STATE for a source (SEM-210). [any thread] */
PRO_API struct pro_awaiter pro_value_task_get_awaiter(struct pro_value_task *task);
/* The awaiter of an op that a verb has filled: on_completed submits it. Borrows the op until its delivery. Of NULL (misuse) one that
   fails. [any thread] */
PRO_API struct pro_awaiter pro_op_get_awaiter(struct pro_op *op);

/* Ask any awaiter. on_completed flows the execution context to the continuation, the unsafe form does not (SEM-030): both borrow the
   continuation until it was run, which may be inside the call. get_result: as the vtable's. An awaiter that lacks a function is misuse:
   complete, and PRO_E_INVALID. [any thread; get_result once] */
PRO_API bool pro_awaiter_is_completed(struct pro_awaiter awaiter);
PRO_API int pro_awaiter_on_completed(struct pro_awaiter awaiter, struct pro_continuation *continuation, unsigned options);
PRO_API int pro_awaiter_unsafe_on_completed(struct pro_awaiter awaiter, struct pro_continuation *continuation, unsigned options);
PRO_API int pro_awaiter_get_result(struct pro_awaiter awaiter, void *ret_result, struct pro_type type,
                                   struct pro_error **ret_error);

/* Never complete: goes once through the current context, scheduler, or the pool's global queue (SEM-105). On a loop with no
   other context current it goes behind what is posted to that loop. [any thread] */
PRO_API struct pro_awaiter pro_yield(void);
/* Resumes on @context (NULL: on the pool). Borrows it until resumed. [any thread] */
PRO_API struct pro_awaiter pro_switch_to(struct pro_sync_context *context);

/* ConfigureAwait. The task's reference is taken, as by PRO_AWAIT. NULL, unknown options, and a failure suppressed that would leave no
   result are misuse: awaiting that fails with PRO_E_INVALID (SEM-102, 103). [any thread] */
PRO_API struct pro_configured_awaiter pro_configure_await(struct pro_task *task, unsigned options);
PRO_API struct pro_configured_awaiter pro_configure_await_kept(struct pro_kept_task kept, unsigned options);
PRO_API struct pro_configured_awaiter pro_configure_await_op(struct pro_op *op, unsigned options);
PRO_API struct pro_configured_awaiter pro_configure_await_awaiter(struct pro_awaiter awaiter, unsigned options);
/* Value tasks know no more than ConfigureAwait(bool): PRO_AWAIT_NONE or PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, else the await fails with
   PRO_E_INVALID (SEM-107). Takes it. The last form puts other options on an awaiter that has some. [any thread] */
struct pro_configured_value_task {
    struct pro_value_task task;
    unsigned options;
};
PRO_API struct pro_configured_value_task pro_configure_await_value(struct pro_value_task task, unsigned options);
PRO_API struct pro_configured_awaiter pro_configure_await_again(struct pro_configured_awaiter awaiter, unsigned options);

#ifndef __cplusplus
/* The same for anything that can be awaited: PRO_CONFIGURE_AWAIT(x, false). */
#define PRO_CONFIGURE_AWAIT(x, options)                                                                                \
    _Generic((x), struct pro_task *: pro_configure_await, struct pro_kept_task: pro_configure_await_kept,              \
             struct pro_op *: pro_configure_await_op,                                                                  \
             struct pro_awaiter: pro_configure_await_awaiter, struct pro_value_task: pro_configure_await_value,        \
             struct pro_configured_awaiter: pro_configure_await_again)((x), (options))
#endif

PRO_END_DECLS

#endif
