/* SPDX-License-Identifier: MIT */
/* ContinueWith, in one form: a delegate task that is queued, or run, when another has completed. */
#include "delegate.h"
#include "trace.h"

/* Is the condition met by how the antecedent ended? (SEM-074) */
static bool wanted(const struct pro_task *antecedent, unsigned options)
{
    switch (pro_task_status(antecedent)) {
    case PRO_TASK_RAN_TO_COMPLETION:
        return !(options & PRO_THEN_NOT_ON_SUCCESS);
    case PRO_TASK_FAULTED:
        return !(options & PRO_THEN_NOT_ON_FAULT);
    default:
        return !(options & PRO_THEN_NOT_ON_CANCEL);
    }
}

/* Runs it here if its scheduler lets it (SEM-072). */
static int run_here(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_task_scheduler *const scheduler = delegate->scheduler;

    if (proi_stack_is_short())
        return PRO_E_BUSY;
    if (scheduler && !proi_scheduler_is_default(scheduler))
        return proi_delegate_offer(task, false);
    pro_task_ref(task); /* the item's, as if it had been queued */
    pro_work_run(&delegate->work);
    return PRO_OK;
}

void proi_then_continue(struct pro_continuation *continuation, bool may_inline)
{
    struct delegate *const delegate = PRO_CONTAINER(continuation, struct delegate, continuation);
    struct pro_task *const task = proi_task_of_body(delegate);

    if (!wanted(delegate->antecedent, delegate->then_options)) {
        if (proi_delegate_claim(task))
            proi_delegate_cancel_claimed(task);
        pro_task_unref(task);
        return;
    }
    if (!proi_delegate_advance(task, PRO_TASK_WAITING_TO_RUN)) { /* SEM-003; cancelled meanwhile: it never runs */
        pro_task_unref(task);
        return;
    }
    if (delegate->then_options & PRO_THEN_LAZY_CANCELLATION && !proi_delegate_listen(task)) {
        pro_task_unref(task);
        return;
    }
    proi_trace_relation(task, PRO_TRACE_ASSIGN_DELEGATE);
    if (continuation->kind == PROI_CONTINUATION_THEN_NOW && may_inline) {
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_QUEUED, PROI_RELEASE);
        proi_trace_scheduled(task, delegate->scheduler);
        if (run_here(task) != PRO_E_BUSY) { /* it has run, or will never (SEM-149) */
            pro_task_unref(task);
            return;
        }
    }
    proi_delegate_queue(task);
    pro_task_unref(task); /* the continuation's */
}

/* Never called: the lists call proi_then_continue() for these kinds. */
static void invoke(struct pro_continuation *continuation) { proi_then_continue(continuation, false); }

struct pro_task *pro_task_then(struct pro_task *antecedent, pro_then_fn *body, void *arg, struct pro_type type,
                               struct pro_cancellation_token token, unsigned options,
                               struct pro_task_scheduler *scheduler)
{
    const unsigned known = PRO_THEN_EXECUTE_SYNCHRONOUSLY | PRO_THEN_NOT_ON_SUCCESS | PRO_THEN_NOT_ON_FAULT |
                           PRO_THEN_NOT_ON_CANCEL | PRO_THEN_LAZY_CANCELLATION | PRO_THEN_ASYNC_CONTINUATIONS;
    const unsigned never = PRO_THEN_NOT_ON_SUCCESS | PRO_THEN_NOT_ON_FAULT | PRO_THEN_NOT_ON_CANCEL;
    struct pro_task *task;
    struct delegate *delegate;

    if (!antecedent || !body || options & ~known || (options & never) == never ||
        (scheduler && (!scheduler->vtable || !scheduler->vtable->queue)))
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_then: an argument is not valid")));
    task = proi_delegate_new((struct delegate){ .then = body,
                                                .arg = arg,
                                                .token = token,
                                                .scheduler = scheduler ? scheduler : proi_ambient.scheduler,
                                                .then_options = options },
                             type, PRO_TASK_WAITING_FOR_ACTIVATION,
                             options & PRO_THEN_ASYNC_CONTINUATIONS ? PRO_TASK_ASYNC_CONTINUATIONS : 0);
    if (!task)
        return pro_task_no_memory();
    delegate = proi_delegate_of(task);
    delegate->antecedent = pro_task_ref(antecedent);
    proi_continuation_make(&delegate->continuation, invoke,
                           options & PRO_THEN_EXECUTE_SYNCHRONOUSLY ? PROI_CONTINUATION_THEN_NOW
                                                                    : PROI_CONTINUATION_THEN);
    proi_trace_begin(task, "Task.ContinueWith");
    pro_task_ref(task);                                                           /* the continuation's */
    if (!(options & PRO_THEN_LAZY_CANCELLATION) && !proi_delegate_listen(task)) { /* cancelled before it could wait */
        pro_task_unref(task);
        return task;
    }
    if (!proi_task_add(antecedent, &delegate->continuation))
        proi_then_continue(&delegate->continuation, true); /* complete already: inside this call (SEM-073) */
    return task;
}
