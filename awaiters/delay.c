/* SPDX-License-Identifier: MIT */
/* What rests on an op and is a task: delay, op-as-task, and wait-async with its timer. */
#include "trace.h"

#include <proact/timer.h>

#include <string.h>

/* ---- the op of a task ---- */

/* Completion must run as on a thread of nobody's; the background loop hands it to the pool. */
static void as_nobody(void (*complete)(struct pro_work *work), struct pro_work *work, const struct pro_loop *loop)
{
    struct proi_ambient saved;

    if (proi_loop_is_background(loop)) {
        work->run = complete;
        proi_pool_post(work, PROI_POOL_HIGH);
        return;
    }
    saved = proi_ambient_enter((struct proi_ambient){ .context = NULL });
    complete(work);
    proi_ambient_leave(saved);
}

struct op_task {
    struct pro_op own;                   /* a delay's */
    struct pro_cancellation_token token; /* a delay's; its source is held */
    struct pro_cancellation_registration registration;
    struct pro_op *op; /* own, or the caller's */
    struct pro_work work;
    int64_t result;
    struct pro_error *error; /* when it failed */
};

static void complete_op_task(struct pro_work *work)
{
    struct op_task *const it = PRO_CONTAINER(work, struct op_task, work);
    struct pro_task *const task = proi_task_of_body(it);

    if (!proi_task_reserve(task)) { /* a delay that was cancelled on the spot */
        pro_error_unref(it->error);
    } else if (it->result < 0) {
        proi_task_fail(task, it->error, true);
    } else {
        if (task->type.size)
            memcpy(proi_task_result_at(task), &it->result, sizeof it->result);
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task);
}

/* From here the caller's op is the caller's again: result and error are taken now. */
static void op_delivered(struct pro_op *op)
{
    struct op_task *const it = op->waiter;
    struct pro_task *const task = proi_task_of_body(it);

    it->result = op->result;
    /* The loop may hear of the cancellation before delay_canceled() is called: the error bears the token either way. */
    if (it->result == PRO_E_CANCELED && pro_cancellation_token_is_canceled(it->token))
        it->error = pro_error_canceled(&it->token);
    else
        it->error = pro_op_error(op, PRO_SITE_UNKNOWN);
    proi_store(&task->awaits, (uintptr_t)0, PROI_RELAXED);
    as_nobody(complete_op_task, &it->work, proi_op_loop(op));
}

/* The token of a delay ends the task on the spot, inside the cancel; what awaits it goes on on the pool (SEM-300). Its
   op, which listens to the same token, follows in its own time. */
static void delay_canceled(void *arg)
{
    struct pro_task *const task = arg;
    const struct op_task *const it = proi_task_body(task);

    /* First a reference, then the attempt to win. The task goes only after the op has tried to win, too. It tried
       first: we lose, the task may be going already, and waits in its destroy for this callback; the reference changes
       nothing there. We tried first: the op had its reference when we took ours, and so ours counts. */
    if (!proi_task_try_ref(task))
        return;
    if (proi_task_reserve(task)) {
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
        proi_task_fail(task, pro_error_canceled(&it->token), true);
    }
    pro_task_unref(task);
}

static void destroy_delay(struct pro_task *task)
{
    struct op_task *const it = proi_task_body(task);

    pro_cancellation_unregister_wait(&it->registration);
    pro_cancellation_source_unref(it->token.source);
}

/* Of what a token may end, from any thread. */
bool proi_needs_nobody(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    (void)task, (void)visit, (void)arg;
    return false;
}

static const struct proi_task_class delay_class = { .name = "delay", .destroy = destroy_delay };
static const struct proi_task_class cancelable_class = { .name = "delay",
                                                         .destroy = destroy_delay,
                                                         .needs = proi_needs_nobody };
static const struct proi_task_class op_class = { .name = "operation" };

/* Starts @op for @task. A loop that is gone, or a mistake, is the task's error. */
static struct pro_task *start_op(struct pro_task *task, struct pro_op *op)
{
    struct op_task *const it = proi_task_body(task);
    int code;

    it->op = op;
    it->work.task = task;
    proi_store(&task->awaits, proi_awaits_loop(proi_op_loop(op)), PROI_RELEASE);
    pro_task_ref(task); /* the op's */
    code = proi_loop_await_op(op, op_delivered, it);
    if (code < 0) {
        proi_store(&task->awaits, (uintptr_t)0, PROI_RELAXED);
        pro_task_unref(task);
        proi_task_reserve(task);
        proi_task_fail(task, pro_error_of(code), true);
    }
    return task;
}

struct pro_task *pro_delay(int64_t delay_ns, struct pro_cancellation_token token)
{
    struct pro_loop *const loop = pro_loop_current();
    const struct pro_how how = { .token = token };
    struct pro_task *task;
    struct op_task *it;

    if (delay_ns < PRO_INFINITE)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_delay: the delay is below PRO_INFINITE")));
    if (pro_cancellation_token_is_canceled(token))
        return pro_task_from_canceled(token);
    if (!delay_ns)
        return pro_task_completed();
    task = proi_task_new(token.source ? &cancelable_class : &delay_class, sizeof *it, PRO_NO_RESULT,
                         PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return pro_task_no_memory();
    if (delay_ns == PRO_INFINITE && !token.source)
        return task; /* nothing will ever complete it */
    it = proi_task_body(task);
    it->token.source = pro_cancellation_source_ref(token.source);
    proi_trace_begin(task, "Task.Delay");
    start_op(task, delay_ns == PRO_INFINITE ? pro_sleep_until(&it->own, loop, UINT64_MAX, how)
                                            : pro_sleep(&it->own, loop, delay_ns, how));
    pro_cancellation_register(token, &it->registration, delay_canceled, task);
    return task;
}

struct pro_task *pro_op_as_task(struct pro_op *op)
{
    struct pro_task *task;

    if (!op)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_op_as_task: the op is NULL")));
    task = proi_task_new(&op_class, sizeof(struct op_task), PRO_TYPE(int64_t), PRO_TASK_WAITING_FOR_ACTIVATION);
    return task ? start_op(task, op) : pro_task_no_memory();
}

/* ---- wait-async: ends with the first of the task, the deadline, the cancellation ---- */

/* Lives in the proxy's body. The proxy has a reference for each of the three that is under way. */
struct bounded {
    struct pro_task *target; /* held */
    struct pro_continuation continuation;
    struct pro_op timer;
    struct pro_cancellation_source *stop; /* ends the timer; held; NULL: no deadline */
    struct pro_cancellation_token token;  /* the caller's; its source is held */
    struct pro_cancellation_registration registration;
    struct pro_work work;
    int outcome;    /* of the timer */
    uint32_t phase; /* shared: enum phase */
};

/* Setting up and ending may meet: the timer can strike before the rest is registered. Who comes second lets go of what
 * is left. */
enum phase { SET_UP = 1, ENDED = 2 };

static void destroy_bounded(struct pro_task *task)
{
    struct bounded *const bounded = proi_task_body(task);

    pro_cancellation_unregister_wait(&bounded->registration);
    pro_task_unref(bounded->target);
    pro_cancellation_source_unref(bounded->stop);
    pro_cancellation_source_unref(bounded->token.source);
}

static const struct proi_task_class bounded_class = { .name = "wait async",
                                                      .destroy = destroy_bounded,
                                                      .needs = proi_needs_nobody };

/* By whoever comes second of set-up and end: what has not ended is let go. */
static void stop_the_others(struct pro_task *task)
{
    struct bounded *const bounded = proi_task_body(task);

    if (bounded->stop)
        pro_cancellation_source_cancel(bounded->stop);
    pro_cancellation_unregister(&bounded->registration);
    if (proi_task_remove(bounded->target, &bounded->continuation))
        pro_task_unref(task);
}

static void note_phase(struct pro_task *task, enum phase phase)
{
    struct bounded *const bounded = proi_task_body(task);

    if (proi_fetch_or(&bounded->phase, (uint32_t)phase, PROI_ACQ_REL))
        stop_the_others(task);
}

static void end_bounded(struct pro_task *task, int code)
{
    const struct bounded *const bounded = proi_task_body(task);

    /* First a reference, then the attempt to win: the token's callback has none. The task goes only after the
       continuation or the timer has tried to win, and waits in its destroy for the callback; so either that one was
       first, and we lose and change nothing, or it still had its reference when we took ours. */
    if (!proi_task_try_ref(task))
        return;
    if (proi_task_reserve(task)) {
        note_phase(task, ENDED);
        proi_task_fail(task, code == PRO_E_CANCELED ? pro_error_canceled(&bounded->token) : pro_error_of(code), true);
    }
    pro_task_unref(task);
}

static void target_completed(struct pro_continuation *continuation)
{
    struct bounded *const bounded = PRO_CONTAINER(continuation, struct bounded, continuation);
    struct pro_task *const task = proi_task_of_body(bounded);

    if (proi_task_reserve(task)) {
        note_phase(task, ENDED);
        proi_task_follow(task, bounded->target);
    }
    pro_task_unref(task);
}

static void timer_over(struct pro_work *work)
{
    struct bounded *const bounded = PRO_CONTAINER(work, struct bounded, work);
    struct pro_task *const task = proi_task_of_body(bounded);

    if (bounded->outcome != PRO_E_CANCELED)
        end_bounded(task, bounded->outcome == PRO_OK ? PRO_E_TIMEOUT : bounded->outcome);
    pro_task_unref(task);
}

static void timer_delivered(struct pro_op *op)
{
    struct bounded *const bounded = op->waiter;

    bounded->outcome = (int)op->result;
    as_nobody(timer_over, &bounded->work, proi_op_loop(op));
}

static void token_canceled(void *arg) { end_bounded(arg, PRO_E_CANCELED); }

/* The moment at which @how ends, and the loop that will tell. */
static int start_timer(struct pro_task *task, struct pro_how how)
{
    struct bounded *const bounded = proi_task_body(task);
    struct pro_loop *const loop = pro_loop_current() ? pro_loop_current() : pro_loop_default();
    uint64_t until = how.deadline_ns;
    int code;

    if (!loop)
        return PRO_E_NO_THREAD;
    if (how.timeout_ns > 0 && (!until || pro_loop_now(loop) + (uint64_t)how.timeout_ns < until))
        until = pro_loop_now(loop) + (uint64_t)how.timeout_ns;
    code = pro_cancellation_source_new(&bounded->stop);
    if (code < 0)
        return code;
    pro_task_ref(task); /* the timer's */
    code =
        proi_loop_await_op(pro_sleep_until(&bounded->timer, loop, until,
                                           (struct pro_how){ .token = pro_cancellation_source_token(bounded->stop) }),
                           timer_delivered, bounded);
    if (code < 0)
        pro_task_unref(task);
    return code;
}

struct pro_task *pro_task_wait_async(struct pro_task *target, struct pro_how how)
{
    struct pro_task *task;
    struct bounded *bounded;
    int code = PRO_OK;

    if (!target || how.timeout_ns < 0)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_wait_async: an argument is not valid")));
    if (pro_task_is_completed(target) || (!how.timeout_ns && !how.deadline_ns && !how.token.source))
        return pro_task_ref(target);
    if (pro_cancellation_token_is_canceled(how.token))
        return pro_task_from_canceled(how.token);
    if (how.deadline_ns && how.deadline_ns <= pro_now())
        return pro_task_from_error(pro_error_of(PRO_E_TIMEOUT)); /* C#'s TimeSpan.Zero */
    task = proi_task_new(&bounded_class, sizeof *bounded, target->type, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return pro_task_no_memory();
    bounded = proi_task_body(task);
    bounded->target = pro_task_ref(target);
    bounded->work.task = task;
    bounded->token.source = pro_cancellation_source_ref(how.token.source);
    if (how.timeout_ns || how.deadline_ns)
        code = start_timer(task, how);
    if (code < 0) {
        end_bounded(task, code);
        note_phase(task, SET_UP);
        return task;
    }
    pro_task_ref(task); /* the continuation's */
    proi_continuation_make(&bounded->continuation, target_completed, PROI_CONTINUATION_ACTION);
    if (!proi_task_add(target, &bounded->continuation))
        target_completed(&bounded->continuation);
    pro_cancellation_register(how.token, &bounded->registration, token_canceled, task);
    note_phase(task, SET_UP); /* the caller's reference has kept it meanwhile */
    return task;
}
