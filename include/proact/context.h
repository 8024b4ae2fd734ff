/* SPDX-License-Identifier: MIT */
/* SynchronizationContext: where code continues. Work items, the interface, and the contexts shipped with the library. */
#ifndef PROACT_CONTEXT_H
#define PROACT_CONTEXT_H

#include <proact/error.h>

PRO_BEGIN_DECLS

/* One thing to run, embedded where the caller likes; queues link it, they never allocate or free it. It belongs to
   the queue from post until @run is called, and is @run's from then on. */
struct pro_work {
    struct pro_work *next;              /* the queue's                                                */
    void (*run)(struct pro_work *work); /* call it once, through pro_work_run()                       */
    struct pro_task *task;              /* for reports: what it will move forward; borrowed, may be NULL */
};

/* Runs it; contexts and schedulers that users write call this for each item they take off their queue. Afterwards the
   item's memory may be gone. Misuse: NULL, or no function in it. [any thread: where the item belongs] */
PRO_API void pro_work_run(struct pro_work *work);

struct pro_sync_context;

/* What a context can do (SEM-111). Entries left NULL behave as the base class does (SEM-112): post queues to the pool,
   send runs inline, the hooks do nothing. */
struct pro_sync_context_vtable {
    /* Runs @work later; takes it. Anything but PRO_OK gives it back: it then runs on the pool. [any thread] */
    int (*post)(struct pro_sync_context *context, struct pro_work *work);
    /* Runs @work and returns after it has run; takes it. [any thread] */
    void (*send)(struct pro_sync_context *context, struct pro_work *work);
    /* An async void method began, or ended (SEM-130, 131). */
    void (*operation_started)(struct pro_sync_context *context);
    void (*operation_completed)(struct pro_sync_context *context);
    /* An error that an async void method posted here; borrows it. NULL: the process-wide handler (SEM-132). Called on
       the context, from inside a work item. */
    void (*unhandled_error)(struct pro_sync_context *context, struct pro_error *error);
    /* A continuation captured this context, and, once for each, has run or been dropped. For contexts that must not
       end before. */
    void (*captured)(struct pro_sync_context *context);
    void (*released)(struct pro_sync_context *context);
    /* The last reference is gone. */
    void (*destroy)(struct pro_sync_context *context);

    /* For reports only; NULL makes the context "external and live". They drop no reference to a task or a context. */
    /* Gives the number (pro_thread_id()) of the only thread that runs items, or false: none in particular. [any thread] */
    bool (*owner_thread)(struct pro_sync_context *context, uint64_t *ret_thread);
    /* Calls @visit for each queued item, oldest first; locks the queue meanwhile: a lock under which nobody drops a reference to a task
       or a context. [any thread] */
    void (*for_each_queued)(struct pro_sync_context *context, void (*visit)(struct pro_work *work, void *arg), void *arg);

    /* With a @post of its own: what pro_sync_context_post() gives it runs under the execution context of that call, as with the base
       class. False, as in .NET where a context does nothing for it: under what the running thread has (SEM-112). The contexts shipped
       here have it true; continuations bring their own in any case. */
    bool post_flows;
};

/* Embed it first in a context of your own. It must stay in place until its destroy is called: continuations that captured it drop their
   references when they have run, on whatever thread. */
struct pro_sync_context {
    const struct pro_sync_context_vtable *vtable; /* NULL: exactly the base class (SEM-024) */
    const char *name;                             /* borrowed */
    uintptr_t references;                         /* private  */
    void *reserved;                               /* private  */
};

/* Prepares an embedded context with one reference. @vtable NULL makes an object of exactly the base class, which await
   ignores; a vtable with nothing in it makes a derived class that adds nothing, which await respects (SEM-113).
   PRO_E_INVALID (misuse): @context is NULL. A second reference; one dropped, the last calls destroy. NULL is legal. [any thread] */
PRO_API int pro_sync_context_init(struct pro_sync_context *context, const struct pro_sync_context_vtable *vtable,
                                  const char *name);
PRO_API struct pro_sync_context *pro_sync_context_ref(struct pro_sync_context *context);
PRO_API void pro_sync_context_unref(struct pro_sync_context *context);

/* The calling thread's current context, borrowed; NULL: none. New threads and pool items start with none (SEM-110).
   [any thread] */
PRO_API struct pro_sync_context *pro_sync_context_current(void);
/* Makes @context (NULL: none) current on this thread; gives the one that was. Borrows: keep it alive while current.
   [any thread] */
PRO_API struct pro_sync_context *pro_sync_context_set(struct pro_sync_context *context);

/* Runs fn(@arg) on @context, later, under the caller's execution context if the context has that flow (post_flows above). Allocates. The
   other form takes an item until it runs, and nothing flows. A context that refuses: it runs on the pool.
   PRO_E_INVALID (misuse): NULL, or no function; PRO_E_NO_MEMORY. [any thread] */
typedef void pro_work_fn(void *arg);
PRO_API int pro_sync_context_post(struct pro_sync_context *context, pro_work_fn *fn, void *arg);
PRO_API int pro_sync_context_post_work(struct pro_sync_context *context, struct pro_work *work);
/* Runs fn(@arg) on @context before it returns (SEM-120). [any thread] */
PRO_API int pro_sync_context_send(struct pro_sync_context *context, pro_work_fn *fn, void *arg);

/* OperationStarted, OperationCompleted: tells @context of an operation that is not an async void method; as often one as the other (SEM-111).
   Does nothing where the context has no such entry, as the base class (SEM-112). NULL is misuse. [any thread] */
PRO_API void pro_sync_context_operation_started(struct pro_sync_context *context);
PRO_API void pro_sync_context_operation_completed(struct pro_sync_context *context);

/* A number for the calling thread, unique in this process, for reports; and a name. Borrows @name for ever. [any thread] */
PRO_API uint64_t pro_thread_id(void);
PRO_API void pro_thread_set_name(const char *name);

/* ---- the pump: one thread, one queue, like a user interface's ---- */
struct pro_pump;
/* Gives a pump that nobody runs. Borrows @name. PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_pump_new(const char *name, struct pro_pump **ret_pump);
/* Frees it: PRO_E_STATE (misuse) while it runs. Items still queued are handed to the pool, and so is what is posted to its context later.
   NULL is legal. [any thread] */
PRO_API int pro_pump_free(struct pro_pump *pump);
/* Its context; of NULL, NULL. [any thread] */
PRO_API struct pro_sync_context *pro_pump_context(struct pro_pump *pump); /* borrowed */
/* Makes the calling thread the pump's, installs the context for each item, and runs items until pro_pump_stop().
   Returns PRO_OK; PRO_E_STATE (misuse): another thread runs it. [any thread: from then on the pump's] */
PRO_API int pro_pump_run(struct pro_pump *pump);
/* Runs items until @task is complete: the nested loop, with its re-entrancy (scenario 8). PRO_E_CANCELED: pro_pump_stop() came
   first. PRO_E_NO_MEMORY. Borrows @task. [the pump's thread, or any when none runs it] */
PRO_API int pro_pump_run_until(struct pro_pump *pump, struct pro_task *task);
/* Runs what is queued now and returns how many. PRO_E_STATE (misuse): another thread runs it. [the pump's thread, or any when none runs it] */
PRO_API int pro_pump_run_pending(struct pro_pump *pump);
/* Makes every run of it return, once its present item has ended. How many items wait; of NULL 0. [any thread] */
PRO_API int pro_pump_stop(struct pro_pump *pump);              /* [any thread] */
PRO_API size_t pro_pump_pending(const struct pro_pump *pump); /* [any thread] */

/* ---- the request context: any pool thread, one at a time (ASP.NET classic, SEM-123…125) ---- */
/* Gives a context with one reference. Borrows @name. PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_request_context_new(const char *name, struct pro_sync_context **ret_context);
/* Says that the request's handler has returned. @ended is called once, when every async void method started in the context has ended: at
   once if none is open, else on the context (SEM-126); with the first error that nothing handled, borrowed, or NULL: it fails the request
   (SEM-127). [any thread] */
typedef void pro_request_ended_fn(struct pro_error *error, void *user);
PRO_API int pro_request_context_end(struct pro_sync_context *context, pro_request_ended_fn *ended, void *user);
PRO_API size_t pro_request_context_pending(struct pro_sync_context *context); /* items that wait; not such a context: 0. [any thread] */

PRO_END_DECLS

#endif
