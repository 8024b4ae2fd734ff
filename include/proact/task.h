/* SPDX-License-Identifier: MIT */
/* Task, TaskCompletionSource, waiting, combining. Writing async methods is in async.h. */
#ifndef PROACT_TASK_H
#define PROACT_TASK_H

#include <proact/op.h>
#include <proact/scheduler.h>

PRO_BEGIN_DECLS

/* ---- the type of a result ---- */
/* Size, and for the standard types a tag, so that reading a result as something else is an error (PRO_E_TYPE) and not
   garbage. Structures are told apart by size alone. Size 0: no result. */
struct pro_type {
    uint32_t size;
    uint32_t tag;
};

#ifdef __cplusplus
#define PRO_TYPE(type) (pro_type{ (uint32_t)sizeof(type), 0 })
#define PRO_TYPE_OF(pointer) (pro_type{ (uint32_t)sizeof *(pointer), 0 })
#define PRO_NO_RESULT (pro_type{ 0, 0 })
#else
/* A tag of 0 means "compare the size only". */
#define PRO_TYPE_TAG_(pointer)                                                                                         \
    _Generic((pointer), _Bool *: 1u, char *: 2u, signed char *: 3u, unsigned char *: 4u, short *: 5u,                  \
             unsigned short *: 6u, int *: 7u, unsigned *: 8u, long *: 9u, unsigned long *: 10u, long long *: 11u,       \
             unsigned long long *: 12u, float *: 13u, double *: 14u, long double *: 15u, default: 0u)
#define PRO_TYPE(type) ((struct pro_type){ (uint32_t)sizeof(type), PRO_TYPE_TAG_((type *)0) })
#define PRO_TYPE_OF(pointer) ((struct pro_type){ (uint32_t)sizeof *(pointer), PRO_TYPE_TAG_(pointer) })
#define PRO_NO_RESULT ((struct pro_type){ 0, 0 })
#endif

/* ---- the task ---- */
struct pro_task;

enum pro_task_status { /* SEM-001; the names are .NET's */
    PRO_TASK_CREATED,
    PRO_TASK_WAITING_FOR_ACTIVATION,
    PRO_TASK_WAITING_TO_RUN,
    PRO_TASK_RUNNING,
    PRO_TASK_WAITING_FOR_CHILDREN,
    PRO_TASK_RAN_TO_COMPLETION,
    PRO_TASK_CANCELED,
    PRO_TASK_FAULTED
};

enum pro_task_options { /* combine with | */
    PRO_TASK_DEFAULT = 0,
    PRO_TASK_ASYNC_CONTINUATIONS = 1, /* RunContinuationsAsynchronously (SEM-044) */
    PRO_TASK_PREFER_FAIRNESS = 2,     /* the pool's global queue (SEM-200)        */
    PRO_TASK_LONG_RUNNING = 4,        /* a thread of its own (SEM-205)            */
    PRO_TASK_HIDE_SCHEDULER = 8,      /* the body sees the default one (SEM-265)  */
    /* The task scope: a delegate task completes only after the tasks that its body started attached to it, and adopts their
       errors as nested aggregates (SEM-290). pro_task_run() denies it. */
    PRO_TASK_ATTACHED_TO_PARENT = 16,
    PRO_TASK_DENY_CHILD_ATTACH = 32
};

/* To use a task after its last reference went is a mistake, which is answered as far as its memory still shows it: until another task
   lies there, referencing, unreferencing, reading, awaiting and waiting for it are PRO_E_STATE (misuse) and do no harm. */

/* Whoever gets a task from a function that gives one owns a reference. Gives a second one (NULL: NULL); drops one. [any thread] */
PRO_API struct pro_task *pro_task_ref(struct pro_task *task);
PRO_API void pro_task_unref(struct pro_task *task); /* NULL is legal. Neither cancels nor frees what still runs. */
/* Drops the reference, visibly: nobody will look at the outcome. An error stays reportable as unobserved.
   NULL is legal. [any thread] */
PRO_API void pro_forget(struct pro_task *task);
/* Task.Dispose, for those who want its check: drops the reference of a task that is complete. PRO_E_STATE (misuse): it is pending, and the
   reference stays the caller's (SEM-014). Nothing needs it: pro_task_unref() is right at any time. [any thread] */
PRO_API int pro_task_dispose(struct pro_task *task);
/* Gives a second reference, for an await that is to leave the caller's alone: PRO_AWAIT(pro_borrow(task)). [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_borrow(struct pro_task *task);
/* The same for an await alone, and cheaper: PRO_AWAIT(pro_keep(task)) leaves the caller's reference alone, and makes a second one only if it
   suspends. Borrows @task until the await has begun. [any thread] */
struct pro_kept_task {
    struct pro_task *task;
};
static inline struct pro_kept_task pro_keep(struct pro_task *task)
{
    struct pro_kept_task kept;

    kept.task = task;
    return kept;
}

/* What it is now; of NULL as of a cancelled one. Needs a reference; so does every question below. [any thread] */
PRO_API enum pro_task_status pro_task_status(const struct pro_task *task); /* NULL: PRO_TASK_CANCELED */
PRO_API const char *pro_task_status_name(enum pro_task_status status);     /* "RanToCompletion" */
PRO_API bool pro_task_is_completed(const struct pro_task *task);           /* one acquire load (SEM-005) */
PRO_API bool pro_task_is_succeeded(const struct pro_task *task);
PRO_API bool pro_task_is_faulted(const struct pro_task *task);
PRO_API bool pro_task_is_canceled(const struct pro_task *task);
PRO_API uint64_t pro_task_id(struct pro_task *task); /* given on first reading, never 0 (SEM-012) */
/* The id of the task of pro_task_run(), pro_task_run_async(), … whose body runs on this thread; 0: none, and in resumed async code (SEM-013). [any thread] */
PRO_API uint64_t pro_task_current_id(void);
PRO_API void pro_task_set_name(struct pro_task *task, const char *name); /* for reports; borrowed for ever; NULL takes it away */

/* AsyncState, CreationOptions (SEM-019): what the task was made with. A delegate task's state is its body's argument. NULL and
   PRO_TASK_DEFAULT where there is none. [any thread] */
PRO_API void *pro_task_async_state(const struct pro_task *task);
PRO_API unsigned pro_task_options(const struct pro_task *task); /* enum pro_task_options */

/* Copies the result of a task that ran to completion; does not wait. PRO_E_STATE: not complete; PRO_E_TYPE; the
   error's code when it failed. A result with an owner function (see PRO_ON_DROP) moves: a second reading is PRO_E_STATE.
   Observes the error. [any thread] */
PRO_API int pro_task_read(struct pro_task *task, void *ret_result, struct pro_type type);
/* The error of a faulted or cancelled task, borrowed from it: the first (what await gives), or the aggregate of all
   (what Wait throws; NULL unless faulted). NULL: none. Both observe (SEM-281). [any thread] */
PRO_API struct pro_error *pro_task_error(struct pro_task *task);
PRO_API struct pro_error *pro_task_error_all(struct pro_task *task);

/* The sweep before the end of a program: tells the unobserved handler of every faulted task that is still alive and at whose error nobody
   has looked, and counts these as observed; gives how many. The others were told when they went (SEM-283). [any thread] */
PRO_API int pro_task_report_unobserved(void);

/* ---- tasks that are complete from the start ---- */
/* Give a task that has succeeded, with a copy of the result of @type; faulted; or cancelled, with an error that bears @token, which must be
   cancelled or none: one that is not cancelled yet is misuse, and the task is faulted with PRO_E_INVALID. They never give NULL: short of memory, the immortal one below. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_completed(void);
PRO_API PRO_NODISCARD struct pro_task *pro_task_from_result(const void *result, struct pro_type type);
PRO_API PRO_NODISCARD struct pro_task *pro_task_from_error(struct pro_error *error); /* takes @error */
PRO_API PRO_NODISCARD struct pro_task *pro_task_from_canceled(struct pro_cancellation_token token);
/* An immortal task faulted with PRO_E_NO_MEMORY. Functions here that give a task never give NULL: this, if need be.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_no_memory(void);

/* ---- TaskCompletionSource ---- */
struct pro_completion_source;
/* Gives a source. @options: PRO_TASK_ASYNC_CONTINUATIONS or 0, else PRO_E_INVALID (SEM-182). PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_completion_source_new(struct pro_type type, unsigned options, struct pro_completion_source **ret_source);
/* Frees it; a task still pending faults with PRO_E_BROKEN_PROMISE (SEM-184). NULL is legal.
   [any thread; no other call for it may be under way] */
PRO_API void pro_completion_source_free(struct pro_completion_source *source);
/* Sets the task's state object, before the task is given to anyone. Borrows it for ever. [one thread at a time] */
PRO_API int pro_completion_source_set_state(struct pro_completion_source *source, void *state);
/* Gives a reference to its task. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_completion_source_task(struct pro_completion_source *source);
/* The first wins: PRO_OK, with the continuations run inside the call unless the options say otherwise (SEM-180, 181);
   afterwards PRO_E_STATE. set_… calls that a misuse, try_… does not. Errors are taken, also on failure; an aggregate is a list
   of errors, as that of SetException(list): await gives the first of them. An empty one, or one made with a NULL in it, is PRO_E_INVALID and
   leaves the task pending (SEM-183). Everywhere else an aggregate is one error: thrown in a method, given by a body or to pro_task_from_error(). PRO_E_TYPE (misuse): a result of another type. [any thread] */
PRO_API int pro_completion_source_set_result(struct pro_completion_source *source, const void *result, struct pro_type type);
PRO_API int pro_completion_source_set_error(struct pro_completion_source *source, struct pro_error *error);
PRO_API int pro_completion_source_set_canceled(struct pro_completion_source *source, struct pro_cancellation_token token);
PRO_API int pro_completion_source_try_set_result(struct pro_completion_source *source, const void *result, struct pro_type type);
PRO_API int pro_completion_source_try_set_error(struct pro_completion_source *source, struct pro_error *error);
PRO_API int pro_completion_source_try_set_canceled(struct pro_completion_source *source, struct pro_cancellation_token token);

/* ---- blocking waits: .Wait(), .Result, GetAwaiter().GetResult() ---- */
/* Blocks until @task is complete (SEM-140…156). On a loop's own thread, for what only that loop can finish: PRO_E_DEADLOCK
   at once. @site tells reports where; PRO_WAIT and its sisters fill it in.
     PRO_OK           it ran to completion
     PRO_E_AGGREGATE  it faulted or was cancelled; *@ret_error gives the aggregate. A cancelled task is told by a new error that bears
                      its token; the stored one is what await and pro_task_error() give (SEM-177)
     PRO_E_TIMEOUT    the wait's own limit passed; the task is untouched
     PRO_E_CANCELED   the wait's own token was cancelled; the task is untouched (SEM-151); *@ret_error gives an error that bears that token
     PRO_E_SCHEDULER  the task's scheduler says that it has just run it, and has not; the task is untouched, *@ret_error says
                      which scheduler (SEM-149)
   A task that is complete wins over the token, a token over a limit that has passed. @ret_error may be NULL; it is set for the three that
   say so and untouched otherwise, and what it gives is the caller's to drop with pro_error_unref(). Borrows @task. [any thread] */
PRO_API int pro_task_wait(struct pro_task *task, struct pro_how how, struct pro_error **ret_error, struct pro_site site);
/* Blocks, then copies the result: as pro_task_wait(); or PRO_E_TYPE, or PRO_E_STATE for a result that has moved, each with an error in
   *@ret_error. [any thread] */
PRO_API int pro_task_result(struct pro_task *task, void *ret_result, struct pro_type type, struct pro_error **ret_error,
                            struct pro_site site);
/* Blocks, then copies the result; fails with the first error's own code and gives that error, the stored one (SEM-141): *@ret_error is set,
   and the caller's, whenever it fails, but for a NULL @task. [any thread] */
PRO_API int pro_task_get_result(struct pro_task *task, void *ret_result, struct pro_type type,
                                struct pro_error **ret_error, struct pro_site site);
/* Until all are complete: one aggregate of all their errors (SEM-154). Answers and @ret_error as pro_task_wait(), but that a token which
   is cancelled already comes before the tasks, complete or none as they may be. Borrows the array and what is in it. [any thread] */
PRO_API int pro_task_wait_all(struct pro_task *const *tasks, size_t count, struct pro_how how,
                              struct pro_error **ret_error, struct pro_site site);
/* Until one is: its index, the lowest if several are; never a task's own error (SEM-155). PRO_E_TIMEOUT, also at once when none is given
   (.NET's -1); PRO_E_CANCELED: the token, which comes before the tasks; PRO_E_DEADLOCK, PRO_E_NO_MEMORY; PRO_E_INVALID (misuse): a NULL.
   [any thread] */
PRO_API int pro_task_wait_any(struct pro_task *const *tasks, size_t count, struct pro_how how, struct pro_site site);

/* The short forms, which remember where they stand: PRO_WAIT(t), PRO_RESULT(t, &value), PRO_GET_RESULT(t, &value). */
#define PRO_WAIT(task) pro_task_wait((task), PRO_HOW_DEFAULT, NULL, PRO_HERE)
#define PRO_WAIT_HOW(task, how) pro_task_wait((task), (how), NULL, PRO_HERE)
#define PRO_RESULT(task, ret_value) pro_task_result((task), (ret_value), PRO_TYPE_OF(ret_value), NULL, PRO_HERE)
#define PRO_GET_RESULT(task, ret_value) pro_task_get_result((task), (ret_value), PRO_TYPE_OF(ret_value), NULL, PRO_HERE)

/* ---- starting work ---- */
/* A task's body: writes its result, if it has one, to @ret_result, and gives NULL or an error. A PRO_E_CANCELED error
   cancels the task only by the rules of SEM-172. */
typedef struct pro_error *pro_task_fn(void *arg, void *ret_result);
/* Runs @body on the pool (Task.Run). Gives its task. All that start work hold the token's source, and borrow @arg until the body has run
   or the task was cancelled: at once when the token is, if the body has not begun (SEM-175). A NULL body is misuse: a task faulted with PRO_E_INVALID. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_run(pro_task_fn *body, void *arg, struct pro_type type,
                                                    struct pro_cancellation_token token);
/* Runs @body on the pool; the task follows the one it gives, whose result is of @type (Task.Run of an async lambda). It is the current task
   in @body until that first suspends (SEM-013). @token cancelled already: the task is cancelled on return, and @body never runs.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_run_async(struct pro_task *(*body)(void *arg), void *arg,
                                                          struct pro_type type, struct pro_cancellation_token token);
/* Runs @body on @scheduler; NULL: the current one (Task.Factory.StartNew, SEM-263). @options: enum pro_task_options. A scheduler that
   refuses: where C# throws, the task is faulted with PRO_E_SCHEDULER from the start, observed (SEM-267). [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_start_new(pro_task_fn *body, void *arg, struct pro_type type,
                                                          struct pro_cancellation_token token, unsigned options,
                                                          struct pro_task_scheduler *scheduler);

/* Gives a cold task: PRO_TASK_CREATED until it is started (SEM-008). [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_new(pro_task_fn *body, void *arg, struct pro_type type,
                                                    struct pro_cancellation_token token, unsigned options);
/* Queues a cold task to @scheduler (NULL: the current one). PRO_E_STATE: it was started before, was cancelled, or has no body.
   PRO_E_SCHEDULER: the scheduler refused, and the task has faulted with that (SEM-267). [any thread] */
PRO_API int pro_task_start(struct pro_task *task, struct pro_task_scheduler *scheduler);
/* Runs a cold task here if @scheduler (NULL: the current one) lets it, which it is asked once; else queues it and blocks until it is done.
   Its errors stay in it (SEM-010). PRO_E_STATE and PRO_E_SCHEDULER as there; PRO_E_DEADLOCK as pro_task_wait(). [any thread] */
PRO_API int pro_task_run_synchronously(struct pro_task *task, struct pro_task_scheduler *scheduler);

/* ---- ContinueWith, in its reduced form ---- */
enum pro_then_options { /* combine with | */
    PRO_THEN_DEFAULT = 0,
    PRO_THEN_EXECUTE_SYNCHRONOUSLY = 1, /* by the completer, or inside this call (SEM-072)                     */
    PRO_THEN_NOT_ON_SUCCESS = 2,        /* a condition that is not met cancels the continuation (SEM-074)      */
    PRO_THEN_NOT_ON_FAULT = 4,
    PRO_THEN_NOT_ON_CANCEL = 8,
    PRO_THEN_LAZY_CANCELLATION = 16,    /* its token waits for the antecedent (SEM-075)                        */
    PRO_THEN_ASYNC_CONTINUATIONS = 32,  /* of the continuation task itself                                      */
    PRO_THEN_ONLY_ON_SUCCESS = PRO_THEN_NOT_ON_FAULT | PRO_THEN_NOT_ON_CANCEL,
    PRO_THEN_ONLY_ON_FAULT = PRO_THEN_NOT_ON_SUCCESS | PRO_THEN_NOT_ON_CANCEL,
    PRO_THEN_ONLY_ON_CANCEL = PRO_THEN_NOT_ON_SUCCESS | PRO_THEN_NOT_ON_FAULT
};
/* As pro_task_fn, told which task completed (borrowed). Its outcome is independent of that one's (SEM-076). */
typedef struct pro_error *pro_then_fn(struct pro_task *antecedent, void *arg, void *ret_result);
/* Runs @body when @task has completed; gives the continuation's own task. @scheduler NULL: the current one (SEM-070). Borrows @task
   and holds it until the body has run; holds the scheduler. PRO_E_INVALID (misuse), refusals: its task faults. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_then(struct pro_task *task, pro_then_fn *body, void *arg, struct pro_type type,
                                                     struct pro_cancellation_token token, unsigned options,
                                                     struct pro_task_scheduler *scheduler);

/* ---- combining ---- */
/* A task that ends as the task does which is @outer's result (a struct pro_task *, read and released here); its result is of
   @type. When @outer is complete already it is the inner task itself (SEM-193). Borrows @outer. All that combine borrow the array, hold a
   reference to each task until they are complete, and give a task faulted with PRO_E_INVALID (misuse) for a NULL. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_task_unwrap(struct pro_task *outer, struct pro_type type);
/* As pro_when_all(), and its result is an array of the @count results, each of @type, in order of the arguments: read it with
   the type (struct pro_type){ count * type.size, 0 }. */
PRO_API PRO_NODISCARD struct pro_task *pro_when_all_results(struct pro_task *const *tasks, size_t count, struct pro_type type);
/* Completes, always with success, when all have: look at each. Counts their errors as observed. */
PRO_API PRO_NODISCARD struct pro_task *pro_when_all_settled(struct pro_task *const *tasks, size_t count);
/* Ends as the first to complete does, error and all; its result is of @type. */
PRO_API PRO_NODISCARD struct pro_task *pro_race(struct pro_task *const *tasks, size_t count, struct pro_type type);
/* Completes when all have (SEM-186…189). @count 0: complete; 1: a second reference to that very task, as in .NET. Borrows the array; holds a
   reference to each. */
PRO_API PRO_NODISCARD struct pro_task *pro_when_all(struct pro_task *const *tasks, size_t count);
/* Completes with the index (size_t) of the first that does, whatever its outcome (SEM-190). */
PRO_API PRO_NODISCARD struct pro_task *pro_when_any(struct pro_task *const *tasks, size_t count);
/* Completes after @delay_ns (0: at once, PRO_INFINITE: never); cancelled by @token (SEM-300). */
PRO_API PRO_NODISCARD struct pro_task *pro_delay(int64_t delay_ns, struct pro_cancellation_token token);
/* A task that ends as @task does, or with PRO_E_TIMEOUT or cancelled when @how says so first; @task itself is not touched
   (SEM-302). Borrows @task. */
PRO_API PRO_NODISCARD struct pro_task *pro_task_wait_async(struct pro_task *task, struct pro_how how);
/* Starts @op and gives a task (result: int64_t, op->result) that completes when the op is delivered. The op must stay
   until then, whatever becomes of the task. */
PRO_API PRO_NODISCARD struct pro_task *pro_op_as_task(struct pro_op *op);

PRO_END_DECLS

#endif
