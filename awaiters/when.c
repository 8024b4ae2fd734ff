/* SPDX-License-Identifier: MIT */
/* Combining: when-all and when-any. Both hold their members, and hang one continuation on each. */
#include "internal.h"

#include <string.h>

struct member {
    struct pro_continuation continuation;
    struct pro_task *task; /* held */
    struct combined *combined;
};

struct combined {
    uint32_t left; /* shared: members not yet complete; when-any: unused */
    uint32_t count;
    struct member members[];
};

static void destroy_combined(struct pro_task *task)
{
    struct combined *const combined = proi_task_body(task);

    for (uint32_t i = 0; i < combined->count; i++)
        pro_task_unref(combined->members[i].task);
}

static void visit_members(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    const struct combined *const combined = proi_task_body((struct pro_task *)(uintptr_t)task);

    for (uint32_t i = 0; i < combined->count; i++)
        visit(combined->members[i].task, arg);
}

static bool all_needs(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    visit_members(task, visit, arg);
    return true;
}

static bool any_needs(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    visit_members(task, visit, arg);
    return false;
}

static const struct proi_task_class all_class = { .name = "when all", .destroy = destroy_combined, .needs = all_needs };
static const struct proi_task_class any_class = { .name = "when any", .destroy = destroy_combined, .needs = any_needs };

static struct pro_task *new_combined(const struct proi_task_class *class, struct pro_task *const *tasks, size_t count,
                                     struct pro_type type)
{
    struct pro_task *task;
    struct combined *combined;

    if (count > UINT32_MAX / sizeof(struct member) / 2)
        return NULL;
    task = proi_task_new(class, sizeof *combined + count * sizeof *combined->members, type, PRO_TASK_WAITING_FOR_ACTIVATION,
                         PRO_SITE_UNKNOWN);
    if (!task)
        return NULL;
    combined = proi_task_body(task);
    combined->count = (uint32_t)count;
    combined->left = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        combined->members[i].task = pro_task_ref(tasks[i]);
        combined->members[i].combined = combined;
    }
    return task;
}

static bool any_is_null(struct pro_task *const *tasks, size_t count)
{
    if (!tasks && count)
        return true;
    for (size_t i = 0; i < count; i++)
        if (!tasks[i])
            return true;
    return false;
}

/* ---- when all ---- */

/* All errors of all faulted members, in order of the arguments (SEM-187). NULL: none, or no memory for the list. */
static struct pro_error *gather_errors(struct combined *combined, size_t *ret_count)
{
    struct pro_error *aggregate = NULL, **errors;
    size_t count = 0, at = 0;

    for (uint32_t i = 0; i < combined->count; i++)
        if (pro_task_is_faulted(combined->members[i].task))
            count += pro_error_inner_count(pro_task_error_all(combined->members[i].task));
    *ret_count = count;
    errors = count ? proi_alloc(count * sizeof *errors) : NULL;
    if (!errors)
        return NULL;
    for (uint32_t i = 0; i < combined->count; i++) {
        struct pro_error *const all = pro_task_error_all(combined->members[i].task); /* observes (SEM-189) */

        for (size_t k = 0; k < pro_error_inner_count(all) && at < count; k++)
            errors[at++] = pro_error_inner(all, k);
    }
    aggregate = pro_error_aggregate(errors, at);
    proi_free(errors);
    return aggregate;
}

static void complete_all(struct pro_task *task, struct combined *combined)
{
    struct pro_task *canceled = NULL, *faulted = NULL;
    struct pro_error *errors;
    size_t count;

    for (uint32_t i = 0; i < combined->count; i++) {
        struct pro_task *const member = combined->members[i].task;

        if (!faulted && pro_task_is_faulted(member))
            faulted = member;
        if (!canceled && pro_task_is_canceled(member))
            canceled = member;
    }
    proi_task_reserve(task);
    if (faulted) {
        errors = gather_errors(combined, &count);
        if (errors)
            proi_task_fail_many(task, errors);
        else
            proi_task_fail(task, pro_error_ref(pro_task_error(faulted)), false);
    } else if (canceled) {
        proi_task_fail(task, pro_error_ref(pro_task_error(canceled)), true);
    } else {
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
}

static void one_of_all(struct pro_continuation *continuation)
{
    struct combined *const combined = PRO_CONTAINER(continuation, struct member, continuation)->combined;
    struct pro_task *const task = proi_task_of_body(combined);

    /* Acquire and release: the last one sees what all the others saw. */
    if (proi_fetch_sub(&combined->left, 1u, PROI_ACQ_REL) == 1)
        complete_all(task, combined);
    pro_task_unref(task);
}

struct pro_task *pro_when_all(struct pro_task *const *tasks, size_t count)
{
    struct pro_task *task;
    struct combined *combined;

    if (any_is_null(tasks, count))
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_when_all: a task is NULL")));
    if (!count)
        return pro_task_completed();
    task = new_combined(&all_class, tasks, count, PRO_NO_RESULT);
    if (!task)
        return pro_task_no_memory();
    combined = proi_task_body(task);
    for (size_t i = 0; i < count; i++) {
        struct member *const member = &combined->members[i];

        proi_continuation_make(&member->continuation, one_of_all, PROI_CONTINUATION_ACTION);
        pro_task_ref(task); /* the continuation's */
        if (!proi_task_add(member->task, &member->continuation))
            one_of_all(&member->continuation);
    }
    return task;
}

/* ---- when any ---- */

static void first_of_any(struct pro_continuation *continuation)
{
    struct member *const winner = PRO_CONTAINER(continuation, struct member, continuation);
    struct combined *const combined = winner->combined;
    struct pro_task *const task = proi_task_of_body(combined);
    const size_t index = (size_t)(winner - combined->members);

    if (proi_task_reserve(task)) {
        memcpy(proi_task_result_at(task), &index, sizeof index);
        /* The losers' continuations are taken back, so that a task asked often does not gather them (SEM-018). */
        for (uint32_t i = 0; i < combined->count; i++)
            if (i != index && proi_task_remove(combined->members[i].task, &combined->members[i].continuation))
                pro_task_unref(task);
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task);
}

struct pro_task *pro_when_any(struct pro_task *const *tasks, size_t count)
{
    struct pro_task *task;
    struct combined *combined;

    if (any_is_null(tasks, count) || !count)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_when_any: a task is NULL, or there is none")));
    for (size_t i = 0; i < count; i++)
        if (pro_task_is_completed(tasks[i]))
            return pro_task_from_result(&i, PRO_TYPE(size_t));
    task = new_combined(&any_class, tasks, count, PRO_TYPE(size_t));
    if (!task)
        return pro_task_no_memory();
    combined = proi_task_body(task);
    for (size_t i = 0; i < count; i++)
        proi_continuation_make(&combined->members[i].continuation, first_of_any, PROI_CONTINUATION_ACTION);
    for (size_t i = 0; i < count && !pro_task_is_completed(task); i++) {
        struct member *const member = &combined->members[i];

        pro_task_ref(task);
        if (!proi_task_add(member->task, &member->continuation)) {
            first_of_any(&member->continuation);
            break;
        }
        /* The winner may have looked at this member before we added it: then it is ours to take back. */
        if (pro_task_is_completed(task) && proi_task_remove(member->task, &member->continuation))
            pro_task_unref(task);
    }
    return task;
}
