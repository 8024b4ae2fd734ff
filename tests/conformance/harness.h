/* SPDX-License-Identifier: MIT */
/* What the conformance scenarios share; the counterpart of Harness.cs, name by name (README.md has the table).
 *
 * A trace line is "[who] text". "who" is a stable label, never a thread number:
 *   main    the thread that runs the scenario's body (no synchronization context)
 *   ui      a thread that runs a pump_context (any name may be given)
 *   worker  a plain thread started through worker_start or worker_run (any name may be given)
 *   pool    a thread of the library's pool
 *   thread  any other thread
 *
 * Scenarios order their events by gates, never by sleeping, so that the trace is the same on every run. Time is only
 * used to conclude that nothing more happens (DEADLOCK). What C# leaves to its garbage collector is left to the end of
 * the process here: a scenario frees nothing, unless freeing is what it shows. */
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#include <proact/proact.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

/* Opens a scenario's body: SCENARIO(001) { … }. CMake finds it by the file's name. */
#define SCENARIO(number)                                                                                               \
    void scenario_##number(void);                                                                                      \
    void scenario_##number(void)

/* C#'s lambdas are functions with an argument here. */
typedef void action_fn(void *arg);
typedef struct pro_task *async_fn(void *arg);

/* Zeroed memory, never NULL. */
void *memory_new(size_t size);
/* The scenario cannot be run here: says why and ends the process. */
_Noreturn void harness_broken(const char *why);

/* ---- Trace ---- */
void trace_log(const char *format, ...) PRO_PRINTF(1, 2);
const char *text_of_bool(bool value); /* as C# prints it: "True" */

/* ---- Who ---- */
void who_set(const char *label); /* of the calling thread */
const char *who_label(void);
bool who_is(const char *label);
const char *who_context(void);   /* the current context: none, default (exactly the base class), or its own name */
const char *who_scheduler(void); /* the current scheduler: default, or its own name */

/* ---- errors, under names that no runtime owns ---- */
struct pro_error *test_error(const char *message);   /* the only error that scenarios raise on purpose */
const char *err_name(const struct pro_error *error); /* "TestError(x)", "Aggregate[Canceled]", "none" … */
/* How a call ended that answered @code and, when it failed, perhaps gave @error: "ok" or the error's name. */
const char *err_of(int code, const struct pro_error *error);

/* ---- Harness ---- */
enum { WAIT_FOR_EVER = -1 };
int harness_deadlock_ms(void); /* how long nothing must happen before a blocked handler is called a deadlock */
int harness_step_ms(void);     /* how long a step that must happen may take before the scenario is called broken */
/* Runs the body on this thread (label "main") and ends the process. */
_Noreturn void harness_run(void (*body)(void));
/* Waits from a plain thread; a wait with a limit is never inlined (SEM-143) and is woken directly (SEM-064). */
bool harness_wait(struct pro_task *task, int ms);
void harness_finish(struct pro_task *task, const char *what);             /* it must complete: STUCK when it does not */
bool harness_finish_or_deadlock(struct pro_task *task, const char *what); /* it may never complete: DEADLOCK */
const char *harness_describe(struct pro_task *task); /* "RanToCompletion", "Faulted Aggregate[TestError(x)]" … */
const char *status_of(struct pro_task *task);

/* ---- Gate, CountdownEvent ---- */
struct gate *gate_new(const char *name);
void gate_open(struct gate *gate);
bool gate_is_open(struct gate *gate);
void gate_wait(struct gate *gate);            /* GATE TIMEOUT when nobody opens it */
bool gate_wait_ms(struct gate *gate, int ms); /* WAIT_FOR_EVER: no limit */
struct countdown *countdown_new(int count);
void countdown_signal(struct countdown *countdown);
int countdown_left(struct countdown *countdown);
bool countdown_wait_ms(struct countdown *countdown, int ms);

/* ---- Worker: plain threads, no context, not of the pool ---- */
void worker_start(const char *label, action_fn *fn, void *arg);
void worker_run(const char *label, action_fn *fn, void *arg); /* and waits for it */

/* ---- TaskCompletionSource<int>, Task.FromResult ---- */
struct pro_completion_source *source_new(unsigned options); /* enum pro_task_options */
void source_set_result(struct pro_completion_source *source, int value);
struct pro_task *source_task(struct pro_completion_source *source); /* gives a reference */
struct pro_task *from_result(int value);
int result_of(struct pro_task *task); /* t.Result of a Task<int>: blocks; the reference stays the caller's */

/* ---- Task.Factory.StartNew, Task.Run ---- */
struct pro_task *start_new(action_fn *fn, void *arg, unsigned options, struct pro_task_scheduler *scheduler);
struct pro_task *run(action_fn *fn, void *arg); /* of a plain action */
/* StartNew of an async function gives a Task<Task>; inner_of is its Result, borrowed. */
struct pro_task *start_new_async(async_fn *fn, void *arg, unsigned options, struct pro_task_scheduler *scheduler);
struct pro_task *inner_of(struct pro_task *outer);

/* ---- CancellationTokenSource ---- */
struct pro_cancellation_source *cancellation_new(void);
struct pro_cancellation_token canceled_token(void); /* new CancellationToken(true) */

/* ---- PumpContext: one thread, one queue, in the manner of a user interface ---- */
struct pump_context {
    struct pro_sync_context base;
    struct monitor *monitor; /* guards queue, pending, posts, stopped */
    struct pro_work *first, *last;
    size_t pending;
    int posts;
    bool stopped;
    uint64_t thread;                /* the owner's number, once its loop runs */
    bool log_posts, log_operations; /* set before use */
};
struct pump_context *pump_new(const char *name);
void pump_post_quiet(struct pump_context *pump, action_fn *fn, void *arg);
size_t pump_pending(struct pump_context *pump);
int pump_posts(struct pump_context *pump);
void pump_loop(struct pump_context *pump);
void pump_until(struct pump_context *pump, struct pro_task *task); /* the nested loop */
void pump_stop(struct pump_context *pump);

/* ---- UiThread: a thread that runs a PumpContext ---- */
struct pump_context *ui_start(const char *name);
/* Runs a handler on the thread; false, and a DEADLOCK line, when it does not come back. */
bool ui_run(struct pump_context *ui, const char *what, action_fn *handler, void *arg);
/* Starts an async handler on the thread and waits, from outside, for its task. */
bool ui_run_async(struct pump_context *ui, const char *what, async_fn *handler, void *arg);
void ui_drain(struct pump_context *ui); /* until everything queued so far has run */

/* ---- RequestContext: any pool thread, one at a time, in the manner of classic ASP.NET ---- */
struct request_context {
    struct pro_sync_context base;
    struct monitor *monitor; /* guards the rest */
    struct pro_work *first, *last;
    size_t pending;
    bool busy;
    int inside, max_inside; /* the greatest number of threads ever seen inside at once */
    bool log_posts;
};
struct request_context *request_new(const char *name);
size_t request_pending(struct request_context *request);
int request_max_inside(struct request_context *request);
bool request_run(struct request_context *request, const char *what, action_fn *handler, void *arg);
bool request_run_async(struct request_context *request, const char *what, async_fn *handler, void *arg);

/* ---- ManualScheduler: queues, logs, and runs when told to ---- */
struct manual_scheduler {
    struct pro_task_scheduler base;
    struct monitor *monitor; /* guards the queue */
    struct pro_work *first, *last;
    size_t pending;
    bool allow_inline, log_calls, refuse;
    struct gate *inline_asked; /* opened when somebody asked for a task to be inlined */
};
struct manual_scheduler *manual_scheduler_new(const char *name);
size_t manual_scheduler_pending(struct manual_scheduler *scheduler);
bool manual_scheduler_run_one(struct manual_scheduler *scheduler);
int manual_scheduler_run_all(struct manual_scheduler *scheduler);

/* ---- ThreadScheduler: one thread of its own. FixedScheduler: a fixed number of them, and it never inlines. ---- */
struct thread_scheduler {
    struct pro_task_scheduler base;
    struct monitor *monitor; /* guards the queue */
    struct pro_work *first, *last;
    size_t pending;
    bool log_calls, may_inline; /* on its own thread */
};
struct thread_scheduler *thread_scheduler_new(const char *name);
struct thread_scheduler *fixed_scheduler_new(const char *name, unsigned threads);
size_t thread_scheduler_pending(struct thread_scheduler *scheduler);

/* ---- Pool: clamped, so that starvation is a certainty and not a matter of time ---- */
int pool_clamp(void);                              /* exactly that many threads at most */
void pool_occupy(int count, struct gate *release); /* returns once all are running */

#endif
