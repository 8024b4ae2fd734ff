/* SPDX-License-Identifier: MIT */
/* The task scope: a delegate task is complete when its body and all tasks attached to it are (SEM-290). Most have no
   children: then this is one decrement. */
#include "delegate.h"

static struct pro_task *task_of(struct delegate *delegate) { return proi_task_of_body(delegate); }

void proi_scope_attach(struct pro_task *task)
{
    struct pro_task *const scope = proi_ambient.task;

    if (!scope || !proi_is_delegate(scope) || proi_load(&scope->state, PROI_RELAXED) & PROI_TASK_DENIES)
        return;
    /* The scope's body runs on this very thread: it is open. */
    proi_fetch_add(&proi_delegate_of(scope)->open, 1u, PROI_RELAXED);
    proi_delegate_of(task)->parent = pro_task_ref(scope);
}

/* Its own error first, then for each child that failed unobserved that one's aggregate. */
static struct pro_error *gather(struct delegate *scope)
{
    struct pro_error **list, *aggregate;
    size_t count = scope->error ? 1 : 0, at = 0;

    for (struct delegate *child = scope->faulted; child; child = child->next_faulted)
        count++;
    list = proi_alloc(count * sizeof *list);
    if (!list)
        return pro_error_ref(pro_task_error(task_of(scope->faulted)));
    if (scope->error)
        list[at++] = scope->error;
    for (struct delegate *child = scope->faulted; child; child = child->next_faulted)
        list[at++] = pro_task_error_all(task_of(child));
    aggregate = pro_error_aggregate(list, at);
    proi_free(list);
    return aggregate;
}

static void complete(struct pro_task *task)
{
    struct delegate *const delegate = proi_delegate_of(task);
    struct pro_task *const scope = delegate->parent;

    delegate->parent = NULL;
    proi_task_reserve(task);
    if (delegate->faulted) {
        struct pro_error *const all = gather(delegate);

        while (delegate->faulted) {
            struct delegate *const child = delegate->faulted;

            delegate->faulted = child->next_faulted;
            pro_task_unref(task_of(child));
        }
        pro_error_unref(delegate->error);
        proi_task_fail_many(task, all);
    } else if (delegate->error) {
        proi_task_fail(task, delegate->error, delegate->cancels);
    } else {
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    if (!scope)
        return;
    if (pro_task_is_faulted(task) && !(proi_load(&task->state, PROI_ACQUIRE) & PROI_TASK_OBSERVED)) {
        struct delegate *const parent = proi_delegate_of(scope);

        pro_task_ref(task);
        proi_lock(&parent->lock);
        if (parent->faulted_tail)
            parent->faulted_tail->next_faulted = delegate;
        else
            parent->faulted = delegate;
        parent->faulted_tail = delegate;
        proi_unlock(&parent->lock);
    }
    /* The last of the body and the children completes the scope; acquire: it sees what the others have left. */
    if (proi_fetch_sub(&proi_delegate_of(scope)->open, 1u, PROI_ACQ_REL) == 1)
        complete(scope);
    pro_task_unref(scope);
}

void proi_scope_end_body(struct pro_task *task, struct pro_error *error, bool cancels)
{
    struct delegate *const delegate = proi_delegate_of(task);

    delegate->error = error;
    delegate->cancels = cancels;
    /* Nobody attaches any more. With children still open it waits for them, visibly. */
    if (proi_load(&delegate->open, PROI_ACQUIRE) != 1)
        proi_fetch_add(&task->state, PRO_TASK_WAITING_FOR_CHILDREN - PRO_TASK_RUNNING, PROI_SEQ_CST);
    if (proi_fetch_sub(&delegate->open, 1u, PROI_ACQ_REL) == 1)
        complete(task);
}
