/* SPDX-License-Identifier: MIT */
/* When-each: an iterator over tasks in the order of their completion (SEM-192). Written with the macros that users
 * have. */
#include "internal.h"

struct each_member {
    struct pro_continuation continuation;
    struct pro_task *task;    /* held */
    struct each_member *next; /* under the lock: in the queue of those complete and not yet given */
    struct each_list *list;
};

/* Shared by the iterator and the continuations that could not be taken back; beside the frame, because its size varies.
 */
struct each_list {
    uint32_t references;
    struct proi_mutex lock;
    struct each_member *first, **last; /* under the lock */
    bool waiting; /* under the lock: the iterator waits for `more`, and nobody has completed that */
    struct pro_value_task_source_core more; /* there is something, or the token was cancelled */
    size_t count;
    struct each_member members[];
};

static void list_unref(struct each_list *list)
{
    if (proi_fetch_sub(&list->references, 1u, PROI_ACQ_REL) != 1)
        return;
    for (size_t i = 0; i < list->count; i++)
        pro_task_unref(list->members[i].task);
    pro_value_task_source_core_reset(&list->more);
    proi_free(list);
}

static struct each_list *list_new(struct pro_task *const *tasks, size_t count)
{
    struct each_list *const list = count < SIZE_MAX / sizeof *list->members / 2
                                       ? proi_alloc_zeroed(sizeof *list + count * sizeof *list->members)
                                       : NULL;

    if (!list)
        return NULL;
    proi_store(&list->references, 1u, PROI_RELAXED);
    list->last = &list->first;
    list->count = count;
    for (size_t i = 0; i < count; i++) {
        list->members[i].task = pro_task_ref(tasks[i]);
        list->members[i].list = list;
    }
    return list;
}

/* Ends the iterator's wait, if it waits: one thread finds `waiting`. Without the lock: what goes on must not find it
 * taken. A cancellation resumes inside the cancel, where a task's continuation may run (SEM-244); a member never does.
 */
static void end_wait(struct each_list *list, struct pro_error *error)
{
    bool was_waiting;

    proi_lock(&list->lock);
    was_waiting = list->waiting;
    list->waiting = false;
    proi_unlock(&list->lock);
    if (!was_waiting)
        pro_error_unref(error);
    else if (!error)
        pro_value_task_source_core_set_result(&list->more, NULL, PRO_NO_RESULT);
    else { /* the one who found `waiting` alone touches the core now */
        list->more.run_continuations_asynchronously =
            !proi_context_is_base(proi_ambient.context) || !proi_scheduler_is_default(proi_ambient.scheduler);
        pro_value_task_source_core_set_error(&list->more, error);
    }
}

static void member_completed(struct pro_continuation *continuation)
{
    struct each_member *const member = PRO_CONTAINER(continuation, struct each_member, continuation);
    struct each_list *const list = member->list;

    proi_lock(&list->lock);
    *list->last = member;
    list->last = &member->next;
    proi_unlock(&list->lock);
    end_wait(list, NULL);
    list_unref(list);
}

static struct each_member *take_completed(struct each_list *list)
{
    struct each_member *member;

    proi_lock(&list->lock);
    member = list->first;
    if (member)
        list->first = member->next;
    if (!list->first)
        list->last = &list->first;
    proi_unlock(&list->lock);
    return member;
}

/* ---- the iterator ---- */

struct each {
    PRO_STREAM_FRAME;
    struct each_list *list;
    struct pro_cancellation_token token; /* its source is held */
    struct pro_cancellation_registration registration;
    struct each_member *completed;
    size_t given;
    bool registered;
};

static void wait_canceled(void *arg)
{
    const struct each *const self = arg;

    end_wait(self->list, pro_error_canceled(&self->token));
}

static void register_all(struct each *self)
{
    struct each_list *const list = self->list;

    self->registered = true;
    for (size_t i = 0; i < list->count; i++) {
        struct each_member *const member = &list->members[i];

        proi_continuation_make(&member->continuation, member_completed, PROI_CONTINUATION_ACTION);
        proi_fetch_add(&list->references, 1u, PROI_RELAXED); /* the continuation's */
        if (!proi_task_add(member->task, &member->continuation))
            member_completed(&member->continuation);
    }
}

/* A value task that completes when there is something to take. */
static struct pro_value_task wait_for_more(struct each *self)
{
    struct each_list *const list = self->list;
    struct pro_value_task more;

    pro_value_task_source_core_reset(&list->more);
    list->more.run_continuations_asynchronously = true;
    more = pro_value_task_source_core_task(&list->more, PRO_NO_RESULT);
    proi_lock(&list->lock);
    /* One that came since we looked has found nobody waiting. */
    if (list->first)
        more = PRO_VALUE_TASK_COMPLETED;
    else
        list->waiting = true;
    proi_unlock(&list->lock);
    /* On a token cancelled already the callback runs in here, and ends the wait before it begins. */
    if (more.kind == PRO_VALUE_TASK_SOURCE)
        pro_cancellation_register(self->token, &self->registration, wait_canceled, self);
    return more;
}

/* What is still registered is taken back; those that run just now keep the list. */
static void let_go(struct each *self)
{
    struct each_list *const list = self->list;

    pro_cancellation_unregister_wait(&self->registration);
    for (size_t i = 0; self->registered && i < list->count; i++)
        if (proi_task_remove(list->members[i].task, &list->members[i].continuation))
            list_unref(list);
    list_unref(list);
    pro_cancellation_source_unref(self->token.source);
}

PRO_ASYNC(each_move_next, struct each, self)
    register_all(self);
    while (self->given < self->list->count) {
        if (pro_cancellation_token_is_canceled(self->token)) /* before what is there already, as in .NET */
            PRO_THROW(pro_error_canceled(&self->token));
        self->completed = take_completed(self->list);
        if (self->completed) {
            self->given++;
            PRO_YIELD_RETURN(struct pro_task *, self->completed->task);
        } else {
            PRO_AWAIT(PRO_CONFIGURE_AWAIT(wait_for_more(self), PRO_AWAIT_NONE));
            pro_cancellation_unregister_wait(&self->registration);
        }
    }
PRO_FINALLY
    let_go(self);
PRO_ASYNC_END

int pro_when_each(struct pro_task *const *tasks, size_t count, struct pro_cancellation_token token,
                  struct pro_stream **ret_stream)
{
    struct each *self;
    bool any_is_null = !tasks && count;

    for (size_t i = 0; !any_is_null && i < count; i++)
        any_is_null = !tasks[i];
    if (any_is_null || !ret_stream)
        return proi_misuse(PRO_E_INVALID, "pro_when_each: a task or ret_stream is NULL");
    self = PRO_NEW_STREAM(struct each, each_move_next, struct pro_task *);
    if (!self)
        return PRO_E_NO_MEMORY;
    self->list = list_new(tasks, count);
    if (!self->list) {
        pro_task_unref(proi_task_of_body(self));
        return PRO_E_NO_MEMORY;
    }
    self->token.source = pro_cancellation_source_ref(token.source);
    *ret_stream = PRO_START_STREAM(self);
    return PRO_OK;
}
