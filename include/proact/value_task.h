/* SPDX-License-Identifier: MIT */
/* ValueTask: a result that is there already, or a task, or a source that can be used again and again (SEM-210…221). Nothing is
   allocated for a result that is there. */
#ifndef PROACT_VALUE_TASK_H
#define PROACT_VALUE_TASK_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_continuation;
struct pro_value_task_source;

enum { PRO_VALUE_TASK_INLINE = 16 }; /* bytes of a result that travels in the value task itself; larger ones need a task */

enum pro_value_task_kind {
    PRO_VALUE_TASK_VALUE, /* the result                                                  */
    PRO_VALUE_TASK_TASK,  /* a task: then all is as with that task (SEM-221)             */
    PRO_VALUE_TASK_SOURCE /* a source, and the version of it that is meant               */
};

/* A value: pass it on, never keep two. It is consumed once, by one consumer: awaited, or given to pro_value_task_get_result(),
   _as_task(), _preserve() or _drop(); afterwards it is nobody's (SEM-210). Zero is completed without a result (SEM-211). Read it by the
   functions below. */
struct pro_value_task {
    unsigned char kind; /* enum pro_value_task_kind */
    uint16_t version;   /* of the source            */
    struct pro_type type;
    union {
        unsigned char value[PRO_VALUE_TASK_INLINE];
        struct pro_task *task; /* one reference */
        struct pro_value_task_source *source;
        uint64_t align; /* no member in use */
    } as;
};

enum pro_value_task_status { /* SEM-214 */
    PRO_VALUE_TASK_PENDING,
    PRO_VALUE_TASK_SUCCEEDED,
    PRO_VALUE_TASK_FAULTED,
    PRO_VALUE_TASK_CANCELED
};

/* ---- making ---- */
/* Copies the result of @type from @result. More than PRO_VALUE_TASK_INLINE bytes: a complete task. [any thread] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_from_result(const void *result, struct pro_type type);
/* Takes the reference to @task, whose result is of @type. The others are complete from the start; that of the error takes it.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_from_task(struct pro_task *task, struct pro_type type);
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_from_error(struct pro_error *error); /* takes @error */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_from_canceled(struct pro_cancellation_token token);
/* Stands for @version of @source, whose result is of @type. Borrows the source until it is consumed.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_from_source(struct pro_value_task_source *source, uint16_t version,
                                                                       struct pro_type type);
#ifndef __cplusplus
#define PRO_VALUE_TASK_COMPLETED ((struct pro_value_task){ .kind = PRO_VALUE_TASK_VALUE })
/* PRO_VALUE_TASK(int, 5): a result that is there. */
#define PRO_VALUE_TASK(type, value) pro_value_task_from_result(&(type){ (value) }, PRO_TYPE(type))
#endif

/* ---- asking; does not consume ---- */
/* Gives an enum pro_value_task_status. PRO_E_STATE (misuse): its source has gone on to another version (SEM-213). Its name;
   of other numbers "unknown". [any thread] */
PRO_API int pro_value_task_status(struct pro_value_task task);
PRO_API const char *pro_value_task_status_name(int status); /* "Pending" */
/* IsCompleted and its sisters. Of a stale one: a misuse, and true, false, false, false. [any thread] */
PRO_API bool pro_value_task_is_completed(struct pro_value_task task);
PRO_API bool pro_value_task_is_succeeded(struct pro_value_task task);
PRO_API bool pro_value_task_is_faulted(struct pro_value_task task);
PRO_API bool pro_value_task_is_canceled(struct pro_value_task task);

/* ---- consuming ---- */
/* .Result: copies the result, or gives the first error, as pro_task_get_result(). A task is waited for; a source must not be: before
   its completion, PRO_E_STATE (misuse, SEM-210). @ret_result NULL: it is not wanted. [any thread; the one consumer] */
PRO_API int pro_value_task_get_result(struct pro_value_task task, void *ret_result, struct pro_type type,
                                      struct pro_error **ret_error, struct pro_site site);
#define PRO_VALUE_TASK_RESULT(task, ret_value)                                                                         \
    pro_value_task_get_result((task), (ret_value), PRO_TYPE_OF(ret_value), NULL, PRO_HERE)
/* Gives the task itself, or one that ends as the value task does (SEM-211). [any thread; the one consumer] */
PRO_API PRO_NODISCARD struct pro_task *pro_value_task_as_task(struct pro_value_task task);
/* Gives one that no source can make stale: it may be awaited more than once, each time by pro_value_task_borrow().
   [any thread; the one consumer] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_preserve(struct pro_value_task task);
/* Gives a second one of a preserved one, or of any that is no source's (PRO_E_STATE, misuse: the source can be consumed once).
   [any thread] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_borrow(struct pro_value_task task);
/* Nobody will look at the outcome. The source of a pooled object does not learn that it could be used again. [any thread] */
PRO_API void pro_value_task_drop(struct pro_value_task task);

/* ---- sources: IValueTaskSource ---- */
enum pro_value_task_source_flags { /* of on_completed (SEM-215); combine with | */
    PRO_SOURCE_NO_FLAGS = 0,
    PRO_SOURCE_USE_SCHEDULING_CONTEXT = 1, /* capture context or scheduler: PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT */
    PRO_SOURCE_FLOW_EXECUTION_CONTEXT = 64 /* of raw continuations; async methods flow it themselves               */
};

/* What a source can do. Each is told the version it is asked for and answers PRO_E_STATE (misuse) to any other. */
struct pro_value_task_source_vtable {
    int (*get_status)(struct pro_value_task_source *source, uint16_t version); /* enum pro_value_task_status */
    /* Runs @continuation, by pro_continuation_schedule() or the core's rules, once it has completed. PRO_OK or nothing was stored. */
    int (*on_completed)(struct pro_value_task_source *source, struct pro_continuation *continuation, uint16_t version,
                        unsigned flags);
    /* Once per version: copies the result unless @ret_result is NULL, or gives the error unless @ret_error is. A pooled source may make
       itself ready for its next use here. */
    int (*get_result)(struct pro_value_task_source *source, uint16_t version, void *ret_result, struct pro_type type,
                      struct pro_error **ret_error);
    /* For reports: the task that completes it; NULL: unknown, external. [any thread] */
    struct pro_task *(*awaited_task)(struct pro_value_task_source *source);
};
/* Embed it first in a source of your own. */
struct pro_value_task_source {
    const struct pro_value_task_source_vtable *vtable;
};

/* ManualResetValueTaskSourceCore: what a source needs inside. Zeroed memory is one of version 0, pending. Embed it; forward to the
   functions below, or let it be the source itself: pro_value_task_source_core_task(). */
struct pro_value_task_source_core {
    struct pro_value_task_source source;     /* private                                                           */
    bool run_continuations_asynchronously;   /* what captured nothing goes to the pool (SEM-218). Set before use  */
    void *storage;                           /* for a result of more than PRO_VALUE_TASK_INLINE bytes: yours, of  */
    uint32_t storage_size;                   /* so many bytes. Set before use                                     */
    /* Private from here. */
    uint16_t version_now;
    uint32_t reserved; /* shared */
    uintptr_t slot;    /* shared */
    struct pro_error *error;
    struct pro_type type;
    uint64_t value[PRO_VALUE_TASK_INLINE / 8];
};

/* Which use this is; every reset counts on. [any thread] */
PRO_API uint16_t pro_value_task_source_core_version(const struct pro_value_task_source_core *core);
/* Makes it ready for its next use, and all older value tasks stale (SEM-212). Only when the last result was taken, or nobody waits.
   Before the memory goes: it drops the error it may hold. [one thread at a time] */
PRO_API int pro_value_task_source_core_reset(struct pro_value_task_source_core *core);
/* Completes this version; a second completion is PRO_E_STATE (misuse) and changes nothing (SEM-212, 220). The continuation runs
   inside the call when it captured nothing, whatever context this thread has (SEM-217): near the end of the stack it goes on on the
   pool; a captured context is always posted to, also from inside it, a captured scheduler queued to (SEM-216). After the call the core's memory may
   be gone. [any thread] */
PRO_API int pro_value_task_source_core_set_result(struct pro_value_task_source_core *core, const void *result,
                                                  struct pro_type type);
/* The same, with an error (taken): canceled when it is PRO_E_CANCELED, else faulted (SEM-214). [any thread] */
PRO_API int pro_value_task_source_core_set_error(struct pro_value_task_source_core *core, struct pro_error *error);
/* The three to forward to. PRO_E_STATE (misuse): another version; a result that is not there yet; a second continuation (SEM-213). A
   result may be read again until the reset. [any thread] */
PRO_API int pro_value_task_source_core_get_status(struct pro_value_task_source_core *core, uint16_t version);
PRO_API int pro_value_task_source_core_on_completed(struct pro_value_task_source_core *core,
                                                    struct pro_continuation *continuation, uint16_t version, unsigned flags);
PRO_API int pro_value_task_source_core_get_result(struct pro_value_task_source_core *core, uint16_t version,
                                                  void *ret_result, struct pro_type type, struct pro_error **ret_error);
/* A value task of the present version with the core itself as its source. Borrows the core until it is consumed. [any thread] */
PRO_API PRO_NODISCARD struct pro_value_task pro_value_task_source_core_task(struct pro_value_task_source_core *core,
                                                                            struct pro_type type);

PRO_END_DECLS

#endif
