/* SPDX-License-Identifier: MIT */
/* The listener and what it is told: the events of .NET's TplEventSource, at the moments at which .NET fires them. */
#include "trace.h"

#include <proact/async_local.h>

uint32_t proi_trace_mode;

/* Held while the listener runs, so that its calls never overlap and the one before is through when it was replaced. */
static struct {
    struct proi_mutex lock;
    pro_trace_fn *fn;
    void *user;
} listener;

static PROI_THREAD_LOCAL bool inside; /* the listener runs on this thread, which has the lock */

static void set_listener(pro_trace_fn *fn, void *user)
{
    listener.fn = fn;
    listener.user = user;
    if (fn)
        proi_fetch_or(&proi_trace_mode, (uint32_t)PROI_TRACE_LISTENER, PROI_RELAXED);
    else
        proi_fetch_and(&proi_trace_mode, ~(uint32_t)PROI_TRACE_LISTENER, PROI_RELAXED);
}

void pro_trace_set_listener(pro_trace_fn *fn, void *user)
{
    if (inside) {
        set_listener(fn, user);
        return;
    }
    proi_lock(&listener.lock);
    set_listener(fn, user);
    proi_unlock(&listener.lock);
}

const char *pro_trace_kind_name(enum pro_trace_kind kind)
{
    static const char *const names[] = { "unknown",
                                         "TaskScheduled",
                                         "TaskStarted",
                                         "TaskCompleted",
                                         "TaskWaitBegin",
                                         "TaskWaitEnd",
                                         "AwaitTaskContinuationScheduled",
                                         "TaskWaitContinuationStarted",
                                         "TaskWaitContinuationComplete",
                                         "NewID",
                                         "TraceOperationBegin",
                                         "TraceOperationRelation",
                                         "TraceOperationEnd",
                                         "TraceSynchronousWorkBegin",
                                         "TraceSynchronousWorkEnd" };

    return names[(unsigned)kind < sizeof names / sizeof *names ? (unsigned)kind : 0];
}

/* Whether anybody listens to this thread now: who fills an event asks first, for numbers are events, too. */
static bool is_heard(void) { return proi_load(&proi_trace_mode, PROI_RELAXED) & PROI_TRACE_LISTENER && !inside; }

static void tell(struct pro_trace_event event)
{
    event.thread = proi_thread_id();
    event.activity = pro_activity_id();
    proi_lock(&listener.lock);
    event.time_ns = proi_now(); /* under the lock: the listener's events are in order of time */
    inside = true;
    if (listener.fn)
        listener.fn(&event, listener.user);
    inside = false;
    proi_unlock(&listener.lock);
}

static uint64_t current_id(void) { return proi_ambient.task ? pro_task_id(proi_ambient.task) : 0; }

static void tell_of(enum pro_trace_kind kind, struct pro_task *task, int detail)
{
    if (!is_heard())
        return;
    tell(
        (struct pro_trace_event){ .kind = kind, .detail = detail, .task = pro_task_id(task), .current = current_id() });
}

static void set_scheduler(struct pro_trace_event *event, const struct pro_task_scheduler *scheduler)
{
    if (proi_scheduler_is_default(scheduler)) {
        event->place = pro_task_scheduler_default()->name;
        return;
    }
    event->place = scheduler->name;
    event->place_id = (uintptr_t)scheduler;
}

/* ---- the life of a task ---- */

/* Where the body of an async method stands, as it told at its suspension; of others, where they were made. */
static struct pro_site site_of(struct pro_task *task)
{
    const struct pro_site *const where = proi_load(&task->where, PROI_RELAXED);
    const struct pro_site *const created = proi_task_created(task);

    if (where)
        return (struct pro_site){ where->file, where->function, (int)proi_task_line(task) };
    return created ? *created : PRO_SITE_UNKNOWN;
}

/* Against a completer, who may be a canceller at this moment: it changes the status and looks at TRACED in one step. If
   that comes before ours, we find the task complete, and nothing begins. Else it sees TRACED, tells the end, and asks
   the table. */
void proi_trace_begin_slowly(struct pro_task *task, const char *name)
{
    const uint32_t before = proi_fetch_or(&task->state, (uint32_t)PROI_TASK_TRACED, PROI_ACQ_REL);

    if (before & PROI_TASK_TRACED || proi_state_is_final(before))
        return;
    if (is_heard())
        tell((struct pro_trace_event){ .kind = PRO_TRACE_OPERATION_BEGIN,
                                       .task = pro_task_id(task),
                                       .current = current_id(),
                                       .name = name,
                                       .site = site_of(task) });
    if (proi_load(&proi_trace_mode, PROI_RELAXED) & PROI_TRACE_TABLE)
        proi_active_tasks_add(task);
}

void proi_trace_end(struct pro_task *task, enum pro_task_status status)
{
    const enum pro_trace_status told = status == PRO_TASK_RAN_TO_COMPLETION ? PRO_TRACE_COMPLETED
                                       : status == PRO_TASK_CANCELED        ? PRO_TRACE_CANCELED
                                                                            : PRO_TRACE_ERROR;

    tell_of(PRO_TRACE_OPERATION_END, task, (int)told);
    proi_active_tasks_remove(task);
}

void proi_trace_relation_slowly(struct pro_task *task, enum pro_trace_relation relation)
{
    tell_of(PRO_TRACE_OPERATION_RELATION, task, (int)relation);
}

void proi_trace_scheduled_slowly(struct pro_task *task, const struct pro_task_scheduler *scheduler)
{
    struct pro_trace_event event = { .kind = PRO_TRACE_TASK_SCHEDULED };

    if (proi_fetch_or(&task->state, (uint32_t)PROI_TASK_SCHEDULED, PROI_RELAXED) & PROI_TASK_SCHEDULED || !is_heard())
        return;
    event.task = pro_task_id(task);
    event.current = current_id();
    set_scheduler(&event, scheduler);
    tell(event);
}

void proi_trace_started_slowly(struct pro_task *task, const struct pro_task_scheduler *scheduler,
                               struct pro_task *outer)
{
    struct pro_trace_event event = { .kind = PRO_TRACE_TASK_STARTED };

    if (!is_heard())
        return;
    event.task = pro_task_id(task);
    event.current = outer ? pro_task_id(outer) : 0;
    set_scheduler(&event, scheduler);
    tell(event);
    proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_BEGIN, event.task, PRO_TRACE_EXECUTION);
}

void proi_trace_work(enum pro_trace_kind kind, uint64_t id, enum pro_trace_work work)
{
    if (id && is_heard())
        tell((struct pro_trace_event){ .kind = kind, .detail = (int)work, .task = id, .current = current_id() });
}

void proi_trace_completed(uint64_t id, bool faulted)
{
    if (id && is_heard())
        tell((struct pro_trace_event){
            .kind = PRO_TRACE_TASK_COMPLETED, .detail = faulted, .task = id, .current = current_id() });
}

/* ---- awaits ---- */

/* What a suspended method awaits lives until its await has taken the result: the frame, or whoever made the awaiter,
 * has it. */
static struct pro_task *awaited_by(struct pro_task *task)
{
    return proi_awaited_task(proi_load(&task->awaits, PROI_RELAXED));
}

static const struct pro_loop *loop_of(struct pro_task *task)
{
    return proi_awaited_loop(proi_load(&task->awaits, PROI_RELAXED));
}

void proi_trace_suspended(struct pro_task *task, bool begins)
{
    struct pro_task *const awaited = awaited_by(task);
    const struct pro_loop *const loop = loop_of(task);

    if (begins)
        proi_trace_begin_slowly(task, "Async");
    if (is_heard() && (awaited || loop))
        tell((struct pro_trace_event){ .kind = PRO_TRACE_WAIT_BEGIN,
                                       .detail = PRO_TRACE_ASYNCHRONOUS,
                                       .task = awaited ? pro_task_id(awaited) : 0,
                                       .other = pro_task_id(task),
                                       .current = current_id(),
                                       .place = loop ? pro_loop_name(loop) : NULL,
                                       .place_id = (uintptr_t)loop,
                                       .site = site_of(task) });
}

struct proi_trace_resumed proi_trace_resuming(struct pro_task *task)
{
    struct pro_task *const awaited = awaited_by(task);
    const bool waited = awaited || loop_of(task);
    struct proi_trace_resumed resumed = { 0, 0 };

    if (!is_heard())
        return resumed;
    resumed.task = pro_task_id(task);
    resumed.awaited = awaited ? pro_task_id(awaited) : waited ? 0 : resumed.task;
    tell((struct pro_trace_event){ .kind = waited ? PRO_TRACE_WAIT_END : PRO_TRACE_CONTINUATION_STARTED,
                                   .task = resumed.awaited,
                                   .other = waited ? resumed.task : 0,
                                   .current = current_id() });
    proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_BEGIN, resumed.task, PRO_TRACE_EXECUTION);
    return resumed;
}

void proi_trace_has_resumed(struct proi_trace_resumed resumed)
{
    if (!resumed.task || !is_heard())
        return;
    proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_END, resumed.task, PRO_TRACE_EXECUTION);
    tell((struct pro_trace_event){
        .kind = PRO_TRACE_CONTINUATION_COMPLETE, .task = resumed.awaited, .current = current_id() });
}

void proi_trace_dispatched_slowly(const struct pro_continuation *continuation)
{
    struct pro_trace_event event = { .kind = PRO_TRACE_CONTINUATION_SCHEDULED };

    if (!continuation->work.task || !is_heard()) /* no method of the library's */
        return;
    event.task = pro_task_id(continuation->work.task);
    event.current = current_id();
    if (proi_continuation_context(continuation)) {
        event.place = proi_continuation_context(continuation)->name;
        event.place_id = (uintptr_t)continuation->captured;
    } else {
        set_scheduler(&event, proi_continuation_scheduler(continuation));
    }
    tell(event);
}

/* ---- blocking ---- */

void proi_trace_wait(enum pro_trace_kind kind, struct pro_task *task)
{
    tell_of(kind, task, kind == PRO_TRACE_WAIT_BEGIN ? PRO_TRACE_SYNCHRONOUS : 0);
}

/* ---- numbers ---- */

void proi_trace_new_id(uint64_t id)
{
    if (is_heard())
        tell((struct pro_trace_event){ .kind = PRO_TRACE_NEW_ID, .task = id });
}

/* ---- activities ---- */

/* The value of an async-local is a pointer; this one is the number itself. */
_Static_assert(sizeof(uintptr_t) >= sizeof(uint64_t), "an activity's number must fit into a pointer");

uint64_t pro_activity_id(void) { return (uintptr_t)pro_async_local_get(proi_activity_local()); }

int pro_activity_set_id(uint64_t id) { return pro_async_local_set(proi_activity_local(), (void *)(uintptr_t)id); }

uint64_t pro_activity_new_id(void)
{
    static uint64_t last;

    return proi_fetch_add(&last, (uint64_t)1, PROI_RELAXED) + 1;
}
