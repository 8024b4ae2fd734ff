/* SPDX-License-Identifier: MIT */
/* AsyncLocal and ExecutionContext: values that belong to a logical flow and not to a thread (SEM-250…258). */
#ifndef PROACT_ASYNC_LOCAL_H
#define PROACT_ASYNC_LOCAL_H

#include <proact/error.h>

PRO_BEGIN_DECLS

struct pro_async_local;
struct pro_execution_context;

struct pro_async_local_options {
    /* Told when the value changes: by pro_async_local_set() to another pointer, or, with @context_switch, because this thread goes on
       in another flow (SEM-255). May be NULL. On the thread concerned; it must not fail. */
    void (*changed)(struct pro_async_local *local, void *previous, void *current, bool context_switch, void *user);
    void *user;
    /* How values are held while some flow may still see them; both NULL: they are borrowed and must outlive the flows. */
    void *(*ref)(void *value);
    void (*unref)(void *value);
};

/* Gives a key with one reference. @options may be NULL. [any thread] */
PRO_API int pro_async_local_new(const struct pro_async_local_options *options, struct pro_async_local **ret_local);
/* Drops the reference; flows that hold a value of it keep the key. NULL is legal. [any thread] */
PRO_API void pro_async_local_unref(struct pro_async_local *local);
/* The value in the present flow; NULL: none. Borrowed. [any thread] */
PRO_API void *pro_async_local_get(const struct pro_async_local *local);
/* Changes the value in the present flow: what is called from here sees it, callers of an async method do not (SEM-253). Takes a
   reference by options.ref. PRO_E_NO_MEMORY changes nothing. PRO_E_INVALID (misuse): no key. [any thread] */
PRO_API int pro_async_local_set(struct pro_async_local *local, void *value);

/* Gives the present execution context, to run under it later; NULL: flow is suppressed (SEM-256). A second reference; one dropped. NULL is
   legal. [any thread] */
PRO_API struct pro_execution_context *pro_execution_context_capture(void);
PRO_API struct pro_execution_context *pro_execution_context_ref(struct pro_execution_context *context);
PRO_API void pro_execution_context_unref(struct pro_execution_context *context);
/* Runs fn(@arg) under @context, and puts this thread's flow and SynchronizationContext back (SEM-252, 116). Borrows @context.
   PRO_E_INVALID (misuse): an argument is NULL. [any thread] */
PRO_API int pro_execution_context_run(struct pro_execution_context *context, void (*fn)(void *arg), void *arg);
/* Makes @context this thread's flow and leaves it so. Borrows it. PRO_E_INVALID (misuse): NULL. [any thread] */
PRO_API int pro_execution_context_restore(struct pro_execution_context *context);

/* From here on this thread captures nothing: what it starts sees no values. The values stay readable here. True: it was
   suppressed before (the inner one then changes nothing). Undo with what it gave, on the same thread. Short of memory flow goes on, and
   the notice handler is told (SEM-256…258). [any thread] */
PRO_API bool pro_execution_context_suppress_flow(void);
PRO_API void pro_execution_context_undo_suppress(bool was_suppressed);
PRO_API bool pro_execution_context_is_flow_suppressed(void);

PRO_END_DECLS

#endif
