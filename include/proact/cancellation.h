/* SPDX-License-Identifier: MIT */
/* CancellationTokenSource, CancellationToken, registrations. What cancelling does to an operation is in op.h. */
#ifndef PROACT_CANCELLATION_H
#define PROACT_CANCELLATION_H

#include <proact/error.h>

PRO_BEGIN_DECLS

struct pro_cancellation_source;
struct pro_task;

/* A value; zero is the token that can never be cancelled (SEM-230). It borrows its source: keep the source as long
   as tokens of it are used. Use after that is a mistake that is told as far as it can be seen, which is until the memory is
   another source's: functions answer PRO_E_STATE (misuse), and the token counts as cancelled. */
struct pro_cancellation_token {
    struct pro_cancellation_source *source;
};
#ifdef __cplusplus
#define PRO_TOKEN_NONE (pro_cancellation_token{ NULL })
#else
#define PRO_TOKEN_NONE ((struct pro_cancellation_token){ NULL })
#endif

/* Gives a source with one reference. [any thread] */
PRO_API int pro_cancellation_source_new(struct pro_cancellation_source **ret_source);
/* Gives a source that is cancelled when any of @tokens is (SEM-239), at once if one is already. What its callbacks then fail with is
   given, as one aggregate, to who cancels the parent. Borrows @tokens; holds their sources. PRO_E_INVALID
   (misuse): there is no token, as in C#; a list of PRO_TOKEN_NONE alone is one. PRO_E_NO_MEMORY. Gives a second reference to a source; NULL gives NULL. [any thread] */
PRO_API int pro_cancellation_source_new_linked(const struct pro_cancellation_token *tokens, size_t count,
                                               struct pro_cancellation_source **ret_source);
PRO_API struct pro_cancellation_source *pro_cancellation_source_ref(struct pro_cancellation_source *source);
/* Drops a reference; the last one stops the timer and leaves the parents. It does not cancel (SEM-241). NULL is legal.
   [any thread] */
PRO_API void pro_cancellation_source_unref(struct pro_cancellation_source *source);
/* The token of @source; a NULL source, and one that was disposed of (misuse), give PRO_TOKEN_NONE. It borrows the source.
   [any thread] */
PRO_API struct pro_cancellation_token pro_cancellation_source_token(struct pro_cancellation_source *source);
/* The same, and says why not: PRO_E_CLOSED (misuse): it was disposed of. [any thread] */
PRO_API int pro_cancellation_source_get_token(struct pro_cancellation_source *source, struct pro_cancellation_token *ret_token);
/* Lets go of timer, registrations and parents, and does not cancel; callbacks whose canceller has begun to run them are all run
   (it may be one of them that disposes). The reference stays the caller's. Afterwards asking for the token,
   cancelling, cancel-after and try-reset answer PRO_E_CLOSED (misuse); tokens given out still tell whether it was cancelled, and registering on them
   does nothing (SEM-241). Again: nothing. [any thread] */
PRO_API int pro_cancellation_source_dispose(struct pro_cancellation_source *source);

/* Cancels: one way, idempotent. Callbacks run on this thread before the call returns, last registered first
   (SEM-231, 232), and with them continuations of what they complete (SEM-244). [any thread] */
PRO_API int pro_cancellation_source_cancel(struct pro_cancellation_source *source);
/* The same, for callbacks that can fail (pro_cancellation_register_callback): runs all and gives one aggregate; with @stop_at_first gives
   the first error at once, and the callbacks after it are lost (SEM-234). PRO_E_AGGREGATE or that error's code; @ret_error may be NULL.
   The source is cancelled in any case. [any thread] */
PRO_API int pro_cancellation_source_cancel_telling(struct pro_cancellation_source *source, bool stop_at_first,
                                                   struct pro_error **ret_error);
/* Raises the level at once and runs the callbacks in one item of the pool, under the caller's execution context; gives a task that faults with their aggregate. Already
   cancelled, or without callbacks: complete (SEM-242). [any thread] */
struct pro_task;
PRO_API PRO_NODISCARD struct pro_task *pro_cancellation_source_cancel_async(struct pro_cancellation_source *source);
/* True when it was never cancelled: then all registrations are dropped and a pending cancel-after is taken back, and it can be used
   anew (SEM-243). [any thread] */
PRO_API bool pro_cancellation_source_try_reset(struct pro_cancellation_source *source);
/* Cancels after @delay_ns; a later call moves the moment, PRO_INFINITE takes it back (SEM-240). Callbacks then run
   on the pool. [any thread] */
PRO_API int pro_cancellation_source_cancel_after(struct pro_cancellation_source *source, int64_t delay_ns);

/* Has it a source? Was that cancelled? (SEM-230) [any thread] */
PRO_API bool pro_cancellation_token_can_be_canceled(struct pro_cancellation_token token);
PRO_API bool pro_cancellation_token_is_canceled(struct pro_cancellation_token token);

/* A registration lives in the caller's memory, zeroed before its first use, and must stay there until it was
   unregistered or its callback has returned. */
typedef void pro_cancellation_fn(void *arg);
struct pro_cancellation_registration {
    struct pro_cancellation_registration *next, *previous; /* private: guarded by the source's lock */
    struct pro_cancellation_source *source;                 /* private: where it was registered last */
    uint32_t generation;                                     /* private: of that source's block       */
    bool linked;                                             /* private: in the list                  */
    pro_cancellation_fn *callback;
    struct pro_error *(*fallible)(void *arg);
    void *arg;
    struct pro_sync_context *context; /* private: held */
    void *flow;                       /* private: captured */
};

/* Registers @callback. On a cancelled token it runs inside this call and nothing stays registered (SEM-233); on a
   token that can never be cancelled nothing happens (SEM-230). [any thread] */
PRO_API int pro_cancellation_register(struct pro_cancellation_token token,
                                      struct pro_cancellation_registration *registration,
                                      pro_cancellation_fn *callback, void *arg);
/* A callback with more to say. Of @callback and @fallible one is set; @fallible gives NULL or an error. */
struct pro_sync_context;
struct pro_cancellation_callback {
    pro_cancellation_fn *callback;
    struct pro_error *(*fallible)(void *arg);
    void *arg;
    struct pro_sync_context *context; /* runs there, by Send: the cancel waits for it (SEM-237); NULL: on the canceller's thread */
    bool without_flow;                /* UnsafeRegister: runs under the canceller's execution context, not the registrant's (SEM-238) */
    struct pro_error **ret_error;     /* may be NULL; given what @fallible fails with when it runs inside the call */
};
/* As pro_cancellation_register(), which is the form without flow and context. Copies *@how; holds its context. On a cancelled token it
   calls in place, whatever @context says, and answers the code of the error that @fallible gives there (SEM-233). PRO_E_INVALID (misuse): both functions are set, or none. [any thread] */
PRO_API int pro_cancellation_register_callback(struct pro_cancellation_token token,
                                               struct pro_cancellation_registration *registration,
                                               const struct pro_cancellation_callback *how);

/* Removes it without waiting; true: removed before it ran (SEM-236). [any thread] */
PRO_API bool pro_cancellation_unregister(struct pro_cancellation_registration *registration);
/* Removes it; when it is running on another thread, waits until it has ended; from inside the callback returns at
   once, also when it was sent to a context (SEM-235). After it the registration's memory may go, and so may the source before it. True: removed before it ran. [any thread] */
PRO_API bool pro_cancellation_unregister_wait(struct pro_cancellation_registration *registration);
/* Removes it, and gives a task that is complete when its callback, if it is running, has ended (DisposeAsync, SEM-236): the
   registration's memory may go then. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_cancellation_unregister_async(struct pro_cancellation_registration *registration);

PRO_END_DECLS

#endif
