/* SPDX-License-Identifier: MIT */
/* Delegate tasks: a body that a scheduler runs: Task.Run, StartNew, cold tasks. */
#include "delegate.h"
#include "trace.h"

bool proi_delegate_claim(struct pro_task *task)
{
    return !(proi_fetch_or(&task->state, (uint32_t)PROI_TASK_STARTED, PROI_ACQ_REL) & PROI_TASK_STARTED);
}

bool proi_delegate_advance(struct pro_task *task, enum pro_task_status status)
{
    uint32_t state = proi_load(&task->state, PROI_ACQUIRE);

    do {
        if (state & PROI_TASK_STARTED)
            return false;
        /* Against a claim: it comes first and we see it, or it comes second and its owner moves the status on from
         * ours. */
    } while (!proi_compare_exchange(&task->state, &state, (state & ~(uint32_t)PROI_TASK_STATUS) | (uint32_t)status,
                                    PROI_ACQ_REL));
    return true;
}

static void let_go(struct delegate *delegate)
{
    pro_cancellation_unregister_wait(&delegate->registration);
    pro_cancellation_source_unref(delegate->token.source);
    delegate->token.source = NULL;
    proi_flow_drop(delegate->flow);
    delegate->flow = NULL;
}

/* The scheduler goes only here: a waiter may ask it to inline while the task runs elsewhere. */
static void destroy_delegate(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);

    /* Of a cold task that nobody started. Its cancellation may have claimed it when it was going already: then it lets
       go itself, and is waited for. */
    pro_cancellation_unregister_wait(&delegate->registration);
    if (!(proi_load(&task->state, PROI_RELAXED) & PROI_TASK_STARTED))
        let_go(delegate);
    if (delegate->scheduler)
        pro_task_scheduler_unref(delegate->scheduler);
    pro_task_unref(delegate->antecedent);
}

/* ---- running ---- */

static struct pro_error *call_body(struct pro_task *task, struct delegate *delegate)
{
    return delegate->then ? delegate->then(delegate->antecedent, delegate->arg, proi_task_result_at(task))
                          : delegate->body(delegate->arg, proi_task_result_at(task));
}

/* The body runs with its task and scheduler current (SEM-262), under the flow of its maker; the context is restored
 * (SEM-116). */
void proi_delegate_run_claimed(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    const struct proi_ambient saved = proi_ambient;
    const uint32_t now = proi_load(&task->state, PROI_RELAXED) & PROI_TASK_STATUS;
    struct pro_error *error;
    uint64_t traced;
    bool cancels;
    void *flow;

    if (pro_cancellation_token_is_canceled(delegate->token)) {
        proi_delegate_cancel_claimed(task);
        return;
    }
    /* Only the claimer moves the status: an addition leaves the flags alone. */
    proi_fetch_add(&task->state, PRO_TASK_RUNNING - now, PROI_SEQ_CST);
    proi_ambient.task = task;
    proi_ambient.scheduler = proi_load(&task->state, PROI_RELAXED) & PROI_TASK_HIDES ? NULL : delegate->scheduler;
    flow = proi_flow_enter(delegate->flow);
    delegate->flow = NULL;
    traced = proi_trace_started(task, delegate->scheduler, saved.task);
    error = call_body(task, delegate);
    /* Only an error of the very token that the task was given, and that is cancelled, cancels it (SEM-172). */
    cancels = pro_error_is_of_token(error, &delegate->token) && pro_cancellation_token_is_canceled(delegate->token);
    if (PROI_UNLIKELY(traced))
        proi_trace_work(PRO_TRACE_SYNCHRONOUS_WORK_END, traced, PRO_TRACE_EXECUTION);
    /* Continuations run with the scheduler still current: this is "a thread under a scheduler" for SEM-041. */
    proi_ambient.task = NULL;
    proi_ambient.context = saved.context;
    proi_flow_leave(flow);
    proi_ambient.scheduler = delegate->scheduler;
    let_go(delegate);
    proi_scope_end_body(task, error, cancels);
    if (PROI_UNLIKELY(traced))
        proi_trace_completed(traced, pro_task_is_faulted(task));
    proi_ambient_leave(saved);
}

/* It never runs (SEM-175). */
void proi_delegate_cancel_claimed(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_error *const error = pro_error_canceled(&delegate->token);

    let_go(delegate);
    proi_scope_end_body(task, error, true);
}

/* A second call finds the task claimed, and only drops the queue's reference. False: it had run, or runs elsewhere. */
static bool execute(struct pro_work *work)
{
    struct pro_task *const task = proi_task_of_body(PRO_CONTAINER(work, struct delegate, work));
    const bool claimed = proi_delegate_claim(task);
    bool done = true;

    if (claimed)
        proi_delegate_run_claimed(task);
    else
        done = pro_task_is_canceled(task);
    pro_task_unref(task);
    return done;
}

static void run_queued(struct pro_work *work) { execute(work); } /* what queues call */

bool pro_task_scheduler_try_execute(struct pro_work *work)
{
    const bool runs = work && work->run;

    if (runs && work->run == run_queued)
        return execute(work);
    pro_work_run(work); /* a continuation, or an item that is no task: only its queue has it */
    return runs;
}

/* Cancelled before it began; the item in the queue becomes a no-op, or is taken out (SEM-270). */
static void on_cancel(void *arg)
{
    struct pro_task *const task = arg;
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_task_scheduler *scheduler;

    /* First the reference: the queue's may be the last, and go as soon as the task is claimed. Who claims instead of us
       waits for this callback before it lets go; and so does a cold task that is dropped. */
    if (!proi_task_try_ref(task))
        return;
    if (!proi_delegate_claim(task)) {
        pro_task_unref(task);
        return;
    }
    /* A cold task may get its scheduler at this moment: only who finds it queued may look at that. */
    scheduler = proi_load(&task->state, PROI_ACQUIRE) & PROI_TASK_QUEUED ? delegate->scheduler : NULL;
    if (scheduler && scheduler->vtable->try_dequeue && scheduler->vtable->try_dequeue(scheduler, &delegate->work))
        pro_task_unref(task); /* the queue's */
    if (delegate->antecedent && proi_task_remove(delegate->antecedent, &delegate->continuation))
        pro_task_unref(task); /* the continuation's */
    proi_delegate_cancel_claimed(task);
    pro_task_unref(task);
}

bool proi_delegate_listen(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);

    pro_cancellation_register(delegate->token, &delegate->registration, on_cancel, task);
    return !pro_task_is_completed(task);
}

/* SEM-149. */
struct pro_error *proi_delegate_scheduler_lied(struct pro_task *task)
{
    const struct pro_task_scheduler *const scheduler = proi_delegate_of(task)->scheduler;
    struct pro_error *const why =
        pro_error_new(PRO_E_STATE, PRO_SITE_UNKNOWN, "scheduler \"%s\" says that it has run a task, and has not",
                      scheduler && scheduler->name ? scheduler->name : "?");
    struct pro_error *const error = pro_error_caused_by(PRO_E_SCHEDULER, PRO_SITE_UNKNOWN, why);

    pro_error_unref(why);
    return error;
}

int proi_delegate_offer(struct pro_task *task, bool observed)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;

    if (!scheduler->vtable->try_inline)
        return PRO_E_BUSY;
    pro_task_ref(task); /* the item's: who says that he ran it has taken it */
    if (!scheduler->vtable->try_inline(scheduler, &delegate->work, false)) {
        pro_task_unref(task);
        return PRO_E_BUSY;
    }
    if (!proi_delegate_claim(task)) /* it was run, or cancelled meanwhile */
        return PRO_OK;
    let_go(delegate);
    proi_scope_end_body(task, proi_delegate_scheduler_lied(task), false);
    if (observed)
        proi_task_observe(task);
    return PRO_E_SCHEDULER;
}

/* A scheduler that can dequeue takes a queued item out before it runs it here, and so ends the queue's reference; one
   that cannot leaves it there: run a second time it must find the task. */
static int ask_to_inline(struct pro_task *task, struct pro_task_scheduler *scheduler)
{
    const bool stays_queued = !scheduler->vtable->try_dequeue;
    bool says_yes;

    if (!scheduler->vtable->try_inline)
        return PRO_E_BUSY;
    if (stays_queued)
        pro_task_ref(task);
    says_yes = scheduler->vtable->try_inline(scheduler, &proi_delegate_of(task)->work, true);
    if (says_yes && proi_load(&task->state, PROI_ACQUIRE) & PROI_TASK_STARTED)
        return PRO_OK;
    if (stays_queued)
        pro_task_unref(task);
    return says_yes ? PRO_E_SCHEDULER : PRO_E_BUSY;
}

/* SEM-142: a waiting thread offers to run it. */
static int try_inline(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    const uint32_t state = proi_load(&task->state, PROI_ACQUIRE);
    struct pro_task_scheduler *scheduler;

    if (state & PROI_TASK_STARTED || !(state & PROI_TASK_QUEUED) || proi_stack_is_short())
        return PRO_E_BUSY;
    scheduler = delegate->scheduler; /* it was written before QUEUED was set */
    if (scheduler && !proi_scheduler_is_default(scheduler))
        return ask_to_inline(task, scheduler);
    if (!proi_pool_take_local(&delegate->work)) /* only from this worker's own queue (SEM-145) */
        return PRO_E_BUSY;
    pro_work_run(&delegate->work);
    return PRO_OK;
}

static const struct delegate *seen_delegate(const struct pro_task *task)
{
    return proi_delegate_of((struct pro_task *)(uintptr_t)task);
}
static void *delegate_state(const struct pro_task *task) { return seen_delegate(task)->arg; }
static unsigned delegate_options(const struct pro_task *task) { return seen_delegate(task)->options; }

static const struct proi_task_class delegate_class = { .name = "delegate",
                                                       .destroy = destroy_delegate,
                                                       .async_state = delegate_state,
                                                       .options = delegate_options,
                                                       .try_inline = try_inline };

bool proi_is_delegate(const struct pro_task *task) { return proi_task_class(task) == &delegate_class; }

/* ---- making and queueing ---- */

struct pro_task *proi_delegate_new(struct delegate init, struct pro_type type, enum pro_task_status status,
                                   unsigned options)
{
    struct pro_task *const task = proi_task_new(&delegate_class, sizeof init, type, status);
    struct delegate *const delegate = task ? proi_delegate_of(task) : NULL;
    uint32_t flags = 0;

    if (!task)
        return NULL;
    *delegate = init;
    delegate->work = (struct pro_work){ .run = run_queued, .task = task };
    delegate->token.source = pro_cancellation_source_ref(init.token.source);
    delegate->scheduler = init.scheduler ? pro_task_scheduler_ref(init.scheduler) : NULL;
    delegate->flow = proi_flow_capture();
    delegate->options = options;
    delegate->started = status != PRO_TASK_CREATED;
    delegate->open = 1;
    if (options & PRO_TASK_ASYNC_CONTINUATIONS)
        flags |= PROI_TASK_ASYNC;
    if (options & PRO_TASK_HIDE_SCHEDULER)
        flags |= PROI_TASK_HIDES;
    if (options & PRO_TASK_DENY_CHILD_ATTACH)
        flags |= PROI_TASK_DENIES;
    proi_fetch_or(&task->state, flags, PROI_RELAXED);
    if (options & PRO_TASK_ATTACHED_TO_PARENT)
        proi_scope_attach(task);
    return task;
}

/* SEM-267: a scheduler error, which counts as observed. */
static void fail_refused(struct pro_task *task, int code)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_error *const why = pro_error_new(code, PRO_SITE_UNKNOWN, "scheduler \"%s\" refused the task",
                                                delegate->scheduler->name ? delegate->scheduler->name : "?");

    let_go(delegate);
    proi_scope_end_body(task, pro_error_caused_by(PRO_E_SCHEDULER, PRO_SITE_UNKNOWN, why), false);
    proi_task_observe(task);
    pro_error_unref(why);
}

int proi_delegate_queue(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;
    int code;

    /* Release: who finds it queued may ask the scheduler, which was written before (take_cold). */
    proi_fetch_or(&task->state, (uint32_t)PROI_TASK_QUEUED, PROI_RELEASE);
    proi_trace_scheduled(task, scheduler);
    pro_task_ref(task); /* the queue's */
    if (scheduler && !proi_scheduler_is_default(scheduler)) {
        code = scheduler->vtable->queue(scheduler, &delegate->work);
        if (code >= 0)
            return PRO_OK;
        if (proi_delegate_claim(task))
            fail_refused(task, code);
        pro_task_unref(task);
        return PRO_E_SCHEDULER;
    }
    if (delegate->options & PRO_TASK_LONG_RUNNING)
        proi_pool_run_long(&delegate->work);
    else
        proi_pool_post(&delegate->work,
                       delegate->options & PRO_TASK_PREFER_FAIRNESS ? PROI_POOL_GLOBAL : PROI_POOL_LOCAL);
    return PRO_OK;
}

enum {
    KNOWN_OPTIONS = PRO_TASK_ASYNC_CONTINUATIONS | PRO_TASK_PREFER_FAIRNESS | PRO_TASK_LONG_RUNNING |
                    PRO_TASK_HIDE_SCHEDULER | PRO_TASK_ATTACHED_TO_PARENT | PRO_TASK_DENY_CHILD_ATTACH
};

static bool scheduler_is_whole(const struct pro_task_scheduler *scheduler)
{
    return !scheduler || (scheduler->vtable && scheduler->vtable->queue);
}

static struct pro_task *start(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token,
                              unsigned options, struct pro_task_scheduler *scheduler)
{
    struct pro_task *const task =
        proi_delegate_new((struct delegate){ .body = body, .arg = arg, .token = token, .scheduler = scheduler }, type,
                          PRO_TASK_WAITING_TO_RUN, options);

    if (!task)
        return pro_task_no_memory();
    proi_trace_begin(task, "Task");
    /* Registered before it is queued: from then on it may end at any moment. */
    if (proi_delegate_listen(task))
        proi_delegate_queue(task);
    return task;
}

struct pro_task *pro_task_run(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token)
{
    if (!body)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_run: the body is NULL")));
    return start(body, arg, type, token, PRO_TASK_DENY_CHILD_ATTACH, NULL);
}

struct pro_task *pro_task_start_new(pro_task_fn *body, void *arg, struct pro_type type,
                                    struct pro_cancellation_token token, unsigned options,
                                    struct pro_task_scheduler *scheduler)
{
    if (!body || options & ~(unsigned)KNOWN_OPTIONS || !scheduler_is_whole(scheduler))
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_start_new: an argument is not valid")));
    return start(body, arg, type, token, options, scheduler ? scheduler : proi_ambient.scheduler);
}

/* ---- cold tasks ---- */

struct pro_task *pro_task_new(pro_task_fn *body, void *arg, struct pro_type type, struct pro_cancellation_token token,
                              unsigned options)
{
    struct pro_task *task;

    if (!body || options & ~(unsigned)KNOWN_OPTIONS)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_new: an argument is not valid")));
    task = proi_delegate_new((struct delegate){ .body = body, .arg = arg, .token = token }, type, PRO_TASK_CREATED,
                             options);
    if (!task)
        return pro_task_no_memory();
    proi_delegate_listen(task);
    return task;
}

/* Takes a cold task for starting: once (SEM-008, 009). */
static int take_cold(struct pro_task *task, struct pro_task_scheduler *scheduler, const char *who)
{
    struct delegate *delegate;

    if (!task || !scheduler_is_whole(scheduler))
        return proi_misuse(PRO_E_INVALID, "%s: an argument is not valid", who);
    if (!proi_is_delegate(task) || proi_delegate_of(task)->then)
        return proi_misuse(PRO_E_STATE, "%s: only a task made by pro_task_new() can be started", who);
    delegate = proi_delegate_of(task);
    /* Of several who start it the one that finds 0 goes on, and is alone with the scheduler: others read that when they
       find the task queued, which is set behind it (proi_delegate_queue). */
    if (pro_task_is_completed(task) || proi_exchange(&delegate->started, 1u, PROI_ACQ_REL))
        return proi_misuse(PRO_E_STATE, "%s: the task was started before, or cancelled", who);
    if (!scheduler)
        scheduler = proi_ambient.scheduler;
    delegate->scheduler = scheduler ? pro_task_scheduler_ref(scheduler) : NULL;
    if (!proi_delegate_advance(task, PRO_TASK_WAITING_TO_RUN))
        return proi_misuse(PRO_E_STATE, "%s: the task was cancelled", who);
    proi_trace_begin(task, "Task");
    return PRO_OK;
}

int pro_task_start(struct pro_task *task, struct pro_task_scheduler *scheduler)
{
    const int code = take_cold(task, scheduler, "pro_task_start");

    return code == PRO_OK ? proi_delegate_queue(task) : code;
}

int pro_task_run_synchronously(struct pro_task *task, struct pro_task_scheduler *scheduler)
{
    int code = take_cold(task, scheduler, "pro_task_run_synchronously");
    struct delegate *delegate;

    if (code < 0)
        return code;
    delegate = proi_delegate_of(task);
    scheduler = delegate->scheduler;
    proi_trace_scheduled(task, scheduler);
    if (!scheduler || proi_scheduler_is_default(scheduler)) {
        pro_task_ref(task); /* for the item, as if it had been queued */
        pro_work_run(&delegate->work);
        return PRO_OK;
    }
    code = proi_delegate_offer(task, true);
    if (code != PRO_E_BUSY)
        return code;
    code = proi_delegate_queue(task);
    if (code == PRO_OK)
        code = proi_wait_unoffered(task);
    return code;
}
