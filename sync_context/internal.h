/* SPDX-License-Identifier: MIT */
/* What crosses files inside sync_context/, and what awaiters/ may use of it: the thread's ambient state, posting and
   queueing, the pool, and the seam to loops (loop_context.c). */
#ifndef PROACT_SYNC_CONTEXT_INTERNAL_H
#define PROACT_SYNC_CONTEXT_INTERNAL_H

#include <proact/awaiter.h>
#include <proact/context.h>
#include <proact/loop.h>
#include <proact/scheduler.h>

#include "platform.h"

/* ---- a list of items, first in, first out ---- */
/* Not thread-safe: whoever owns the list locks it. */
struct proi_work_list {
    struct pro_work *head, *tail;
    size_t count;
};
static inline void proi_work_list_push(struct proi_work_list *list, struct pro_work *work)
{
    work->next = NULL;
    if (list->tail)
        list->tail->next = work;
    else
        list->head = work;
    list->tail = work;
    list->count++;
}
static inline struct pro_work *proi_work_list_pop(struct proi_work_list *list)
{
    struct pro_work *work = list->head;

    if (work) {
        list->head = work->next;
        if (!list->head)
            list->tail = NULL;
        list->count--;
    }
    return work;
}
static inline void proi_work_list_visit(const struct proi_work_list *list,
                                        void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    for (struct pro_work *work = list->head; work; work = work->next)
        visit(work, arg);
}
/* True: it was there. */
static inline bool proi_work_list_remove(struct proi_work_list *list, const struct pro_work *work)
{
    struct pro_work *previous = NULL;

    for (struct pro_work *it = list->head; it; previous = it, it = it->next)
        if (it == work) {
            if (previous)
                previous->next = it->next;
            else
                list->head = it->next;
            if (list->tail == it)
                list->tail = previous;
            list->count--;
            return true;
        }
    return false;
}

/* ---- the same, for who may have to take an item back ---- */
/* An item that has left the queue may be gone, and another be queued at its address. So who pushes, and may be refused
   afterwards, enters that on a list, and every pop looks there whether it takes an item that somebody is still unsure
   about. At most one entry waits for an address: the next item there can only come when this one has left. Under the
   lock of the queue. */
struct proi_push {
    const struct pro_work *work; /* NULL: it has left the queue */
    struct proi_push *next;
};
static inline void proi_push_open(struct proi_push **pushes, struct proi_push *push, const struct pro_work *work)
{
    *push = (struct proi_push){ .work = work, .next = *pushes };
    *pushes = push;
}
/* @work has left the queue. */
static inline void proi_push_left(struct proi_push *pushes, const struct pro_work *work)
{
    for (; pushes; pushes = pushes->next)
        if (pushes->work == work)
            pushes->work = NULL;
}
static inline void proi_push_close(struct proi_push **pushes, const struct proi_push *push)
{
    while (*pushes != push)
        pushes = &(*pushes)->next;
    *pushes = push->next;
}

/* ---- the ambient state of a thread (context.c) ---- */
struct proi_blocked;
struct proi_ambient {
    struct pro_sync_context *context;     /* SynchronizationContext.Current, borrowed */
    struct pro_task_scheduler *scheduler; /* of the task body that runs here; NULL: the default one */
    struct pro_task *task;                /* that task; hidden while a continuation runs inline (SEM-049) */
    void *flow;                           /* the execution context, one reference; NULL: empty */
    unsigned depth;                       /* continuations inlined into each other */
};
extern PROI_THREAD_LOCAL struct proi_ambient proi_ambient;

/* Is it none, or exactly the base class? (SEM-024) */
static inline bool proi_context_is_base(const struct pro_sync_context *context) { return !context || !context->vtable; }

/* Posts; when the context refuses, the work goes to the pool. */
void proi_context_post(struct pro_sync_context *context, struct pro_work *work);
/* For captures: hold the context, and tell its vtable. */
void proi_context_capture(struct pro_sync_context *context);
void proi_context_release(struct pro_sync_context *context);
/* What reports read of others goes only when no report is reading: a context, and a task that holds others. The words
   that lead a report there (struct pro_task: awaits, awaits_context) are cleared before the reference is dropped
   that they stand for, and who has dropped the last one passes here before anything goes. Against a report: it has ended
   when we pass, or it begins afterwards, and, by the lock, finds the word cleared. */
void proi_report_begin(void); /* until its end it may call nothing that drops a reference */
void proi_report_end(void);
void proi_report_pass(void);
/* What pro_thread_set_name() said of a live thread; NULL: nothing. For reports. */
const char *proi_thread_name(uint64_t thread);

/* ---- the execution context (flow.c): an immutable map of async-local values; NULL is the empty one ---- */
/* What a capture gives while flow is suppressed: the work then runs under whatever its thread has (SEM-258). */
#define PROI_FLOW_NOT_CAPTURED ((void *)1)
void *proi_flow_ref(void *flow);
void proi_flow_unref(void *flow);
void *proi_flow_enter_slowly(void *flow);
void proi_flow_leave_slowly(void *previous);
void *proi_flow_capture_slowly(void);
/* The async-local that holds the number of the present activity; it lives for ever. */
struct pro_async_local *proi_activity_local(void);
/* Gives a reference to the present flow, or PROI_FLOW_NOT_CAPTURED. */
static inline void *proi_flow_capture(void) { return proi_ambient.flow ? proi_flow_capture_slowly() : NULL; }
static inline void proi_flow_drop(void *captured)
{
    if (captured && captured != PROI_FLOW_NOT_CAPTURED)
        proi_flow_unref(captured);
}
/* Makes @captured (its reference is taken) the thread's flow, and gives what leave takes back. */
static inline void *proi_flow_enter(void *captured)
{
    if (captured == PROI_FLOW_NOT_CAPTURED)
        return PROI_FLOW_NOT_CAPTURED;
    return captured || proi_ambient.flow ? proi_flow_enter_slowly(captured) : NULL;
}
static inline void proi_flow_leave(void *previous)
{
    if (previous != PROI_FLOW_NOT_CAPTURED && (previous || proi_ambient.flow))
        proi_flow_leave_slowly(previous);
}

/* Makes @next this thread's ambient state, but for the flow, which stays what it is; gives what leave puts back, flow
 * apart. */
static inline struct proi_ambient proi_ambient_enter(struct proi_ambient next)
{
    const struct proi_ambient saved = proi_ambient;

    next.flow = saved.flow;
    proi_ambient = next;
    return saved;
}
static inline void proi_ambient_leave(struct proi_ambient saved)
{
    saved.flow = proi_ambient.flow;
    proi_ambient = saved;
}

/* ---- schedulers (scheduler.c) ---- */
bool proi_scheduler_is_default(const struct pro_task_scheduler *scheduler); /* NULL counts as the default one */
/* Queues @work to @scheduler (NULL: the pool; @fairly: its global queue). Anything but PRO_OK: it refused. */
int proi_scheduler_queue(struct pro_task_scheduler *scheduler, struct pro_work *work, bool fairly);

/* ---- the pool (pool.c) ---- */
/* High priority: what a timer or a completion has to tell, which others wait for; taken before the global queue (SEM-199). */
enum proi_pool_queue { PROI_POOL_LOCAL, PROI_POOL_GLOBAL, PROI_POOL_HIGH };
void proi_pool_post(struct pro_work *work, enum proi_pool_queue queue);
/* Takes @work out of the calling worker's own queue: true when it was there (SEM-145). */
bool proi_pool_take_local(struct pro_work *work);
/* Around every blocking wait (SEM-156): counts a blocked worker. Harmless on other threads. */
void proi_pool_blocking_begin(void);
void proi_pool_blocking_end(void);
/* Runs @work on a thread of its own; on the pool when none can be started. */
void proi_pool_run_long(struct pro_work *work);
/* Visits the items waiting in the pool's queues; locks them one after another. For reports. */
void proi_pool_for_each_queued(void (*visit)(struct pro_work *work, void *arg), void *arg);

/* ---- the seam to loops (loop_context.c) ---- */
/* Submits @op; at delivery @done(@op) runs on the loop's thread with no context current (the background loop: on the
   pool). op->waiter is @waiter. PRO_E_STATE: not filled by a verb (misuse, told). May be called before: pro_start(). */
int proi_loop_await_op(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter);
/* Is its result in already: started by pro_start() and over, or it could never start? Then proi_op_take_back() makes it
 * idle. */
bool proi_op_is_over(const struct pro_op *op);
void proi_op_take_back(struct pro_op *op);
bool proi_loop_is_current(const struct pro_loop *loop); /* is this its thread? */
bool proi_loop_is_background(const struct pro_loop *loop);
struct pro_loop *proi_op_loop(const struct pro_op *op); /* may be NULL */
/* The loop whose context @context is; NULL: it is no loop's. */
struct pro_loop *proi_loop_of_context(const struct pro_sync_context *context);
/* Is it the context of a loop of this thread? Only its address is used: it may be gone. */
bool proi_context_is_of_loop_here(const struct pro_sync_context *context);
/* Around a blocking wait of a thread that runs a loop: its queue stands still, and reports may look. */
void proi_loop_block_begin(void);
void proi_loop_block_end(void);
/* Giving way on a loop: queues @work behind what waits there, and gives its context, when this thread runs a loop and nothing
   else is current; NULL: elsewhere, and nothing is done. It runs later, from the same thread's loop. */
struct pro_sync_context *proi_loop_give_way(struct pro_work *work);
/* Submits @op, just filled by a verb, to the loop that this thread runs, whose context is current, and gives that context; NULL: it is not
   so, and nothing is done. At delivery @done(@op) runs on this thread, later; op->waiter is @waiter. */
struct pro_sync_context *proi_loop_submit_here(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter);
/* Was pro_loop_stop() called? Takes it back. [loop] */
bool proi_loop_stopped(struct pro_loop *loop);
/* Makes a sleeping loop take another turn. [any thread] */
void proi_loop_poke(struct pro_loop *loop);
/* The number of the thread that runs @loop; 0: none yet. [any thread] */
uint64_t proi_loop_thread(const struct pro_loop *loop);

#endif
