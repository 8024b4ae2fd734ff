/* SPDX-License-Identifier: MIT */
/* Where the library tells what it does (SEM-340), and keeps the table of active tasks (SEM-341). Each hook is one
   relaxed read of the mode while both are off; none lies on the way of an await of something complete. */
#ifndef PROACT_AWAITERS_TRACE_H
#define PROACT_AWAITERS_TRACE_H

#include "internal.h"

#include <proact/diagnostics.h>


enum proi_trace_mode { PROI_TRACE_LISTENER = 1, PROI_TRACE_TABLE = 2 };
extern uint32_t proi_trace_mode; /* shared */

/* Relaxed: who sees it late misses an event; what the listener and the table own is under locks of theirs. */
static inline bool proi_is_tracing(void) { return PROI_UNLIKELY(proi_load(&proi_trace_mode, PROI_RELAXED) != 0); }

/* ---- the life of a task ---- */
PROI_COLD void proi_trace_begin_slowly(struct pro_task *task, const char *name);
/* @task stands for an operation from here on: told and put into the table, once. The caller has a reference. */
static inline void proi_trace_begin(struct pro_task *task, const char *name)
{
    if (proi_is_tracing())
        proi_trace_begin_slowly(task, name);
}
/* By the completer, when the status of a task with PROI_TASK_TRACED is set, and before its continuations run. */
PROI_COLD void proi_trace_end(struct pro_task *task, enum pro_task_status status);

PROI_COLD void proi_trace_relation_slowly(struct pro_task *task, enum pro_trace_relation relation);
static inline void proi_trace_relation(struct pro_task *task, enum pro_trace_relation relation)
{
    if (proi_is_tracing())
        proi_trace_relation_slowly(task, relation);
}
PROI_COLD void proi_trace_scheduled_slowly(struct pro_task *task, const struct pro_task_scheduler *scheduler);
/* Told once a task: before it is queued or offered for inlining. */
static inline void proi_trace_scheduled(struct pro_task *task, const struct pro_task_scheduler *scheduler)
{
    if (proi_is_tracing())
        proi_trace_scheduled_slowly(task, scheduler);
}
/* The body of a delegate: begins; is over; and everything it ran is over, when its number is all that is left. */
PROI_COLD void proi_trace_started_slowly(struct pro_task *task, const struct pro_task_scheduler *scheduler,
                                         struct pro_task *outer);
/* @outer: the task whose body ran on this thread before. Gives the number; 0: nobody listens. */
static inline uint64_t proi_trace_started(struct pro_task *task, const struct pro_task_scheduler *scheduler,
                                          struct pro_task *outer)
{
    if (!proi_is_tracing())
        return 0;
    proi_trace_started_slowly(task, scheduler, outer);
    return pro_task_id(task);
}
PROI_COLD void proi_trace_work(enum pro_trace_kind kind, uint64_t id, enum pro_trace_work work);
PROI_COLD void proi_trace_completed(uint64_t id, bool faulted);

/* ---- awaits ---- */
/* The frame's task has stored what it awaits. @begins: it is an operation of its own, not an iterator. */
PROI_COLD void proi_trace_suspended(struct pro_task *task, bool begins);
/* Told before the rest of the method runs, with what it has awaited still stored; what comes back is for after it. */
struct proi_trace_resumed {
    uint64_t task, awaited;
};
PROI_COLD struct proi_trace_resumed proi_trace_resuming(struct pro_task *task);
PROI_COLD void proi_trace_has_resumed(struct proi_trace_resumed resumed);
PROI_COLD void proi_trace_dispatched_slowly(const struct pro_continuation *continuation);
static inline void proi_trace_dispatched(const struct pro_continuation *continuation)
{
    if (proi_is_tracing())
        proi_trace_dispatched_slowly(continuation);
}

/* ---- blocking ---- */
PROI_COLD void proi_trace_wait(enum pro_trace_kind kind, struct pro_task *task);

/* ---- numbers ---- */
PROI_COLD void proi_trace_new_id(uint64_t id);

/* ---- the table (active_tasks.c) ---- */
void proi_active_tasks_add(struct pro_task *task);    /* the caller has a reference */
void proi_active_tasks_remove(struct pro_task *task); /* harmless when it is not there; the caller has a reference */

#endif
