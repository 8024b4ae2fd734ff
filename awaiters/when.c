/* SPDX-License-Identifier: MIT */
/* Combining: when-all and when-any. Both hold their members, and hang one continuation on each. */
#include "trace.h"

#include <string.h>

struct member {
    struct pro_continuation continuation;
    struct pro_task *task; /* held */
    struct combined *combined;
};

enum want { WANT_OUTCOME, WANT_RESULTS, WANT_NOTHING }; /* of when-all */

struct combined {
    uint32_t left; /* shared: members not yet complete; when-any: unused */
    uint32_t count;
    enum want want;
    struct pro_type member_type; /* with WANT_RESULTS */
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

    const uint32_t count = proi_load(&combined->count, PROI_ACQUIRE);

    for (uint32_t i = 0; i < count; i++)
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
    task = proi_task_new(class, sizeof *combined + count * sizeof *combined->members, type,
                         PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return NULL;
    combined = proi_task_body(task);
    combined->left = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        combined->members[i].task = pro_task_ref(tasks[i]);
        combined->members[i].combined = combined;
    }
    /* Release: a report that came upon the block's last life finds no member, or all of them. */
    proi_store(&combined->count, (uint32_t)count, PROI_RELEASE);
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
    return pro_error_inner_count(aggregate) ? aggregate : NULL; /* the immortal one knows none of them */
}

/* The results, in order of the arguments, one behind the other. */
static int copy_results(struct pro_task *task, struct combined *combined)
{
    char *at = proi_task_result_at(task);
    int code = PRO_OK;

    for (uint32_t i = 0; i < combined->count && code == PRO_OK; i++, at += combined->member_type.size)
        code = proi_task_take(combined->members[i].task, at, combined->member_type, NULL);
    return code;
}

static void settle_all(struct pro_task *task, struct combined *combined)
{
    for (uint32_t i = 0; i < combined->count; i++)
        proi_task_observe(combined->members[i].task);
    proi_task_reserve(task);
    proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
}

static void complete_all(struct pro_task *task, struct combined *combined)
{
    struct pro_task *canceled = NULL, *faulted = NULL;
    struct pro_error *errors;
    size_t count;
    int code;

    if (combined->want == WANT_NOTHING) {
        settle_all(task, combined);
        return;
    }
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
        code = combined->want == WANT_RESULTS ? copy_results(task, combined) : PRO_OK;
        if (code < 0)
            proi_task_fail(task, pro_error_of(code), false);
        else
            proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
}

static void one_of_all(struct pro_continuation *continuation)
{
    struct combined *const combined = PRO_CONTAINER(continuation, struct member, continuation)->combined;
    struct pro_task *const task = proi_task_of_body(combined);

    proi_trace_relation(task, PRO_TRACE_JOIN);
    /* Acquire and release: the last one sees what all the others saw. */
    if (proi_fetch_sub(&combined->left, 1u, PROI_ACQ_REL) == 1)
        complete_all(task, combined);
    pro_task_unref(task);
}

static struct pro_task *when_all(struct pro_task *const *tasks, size_t count, enum want want, struct pro_type type)
{
    struct pro_type all = { 0, 0 };
    struct pro_task *task;
    struct combined *combined;

    if (any_is_null(tasks, count) || (type.size && count > UINT32_MAX / type.size / 2))
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_when_all: a task is NULL, or they are too many")));
    if (!count)
        return pro_task_completed();
    if (count == 1 &&
        want == WANT_OUTCOME) /* it ends as that one does: .NET's WhenAll of one plain Task is that task */
        return pro_task_ref(tasks[0]);
    all.size = (uint32_t)(type.size * count);
    task = new_combined(&all_class, tasks, count, all);
    if (!task)
        return pro_task_no_memory();
    combined = proi_task_body(task);
    combined->want = want;
    combined->member_type = type;
    proi_trace_begin(task, "Task.WhenAll");
    for (size_t i = 0; i < count; i++) {
        struct member *const member = &combined->members[i];

        proi_continuation_make(&member->continuation, one_of_all, PROI_CONTINUATION_ACTION);
        pro_task_ref(task); /* the continuation's */
        if (!proi_task_add(member->task, &member->continuation))
            one_of_all(&member->continuation);
    }
    return task;
}

struct pro_task *pro_when_all(struct pro_task *const *tasks, size_t count)
{
    return when_all(tasks, count, WANT_OUTCOME, PRO_NO_RESULT);
}

struct pro_task *pro_when_all_results(struct pro_task *const *tasks, size_t count, struct pro_type type)
{
    return when_all(tasks, count, WANT_RESULTS, type);
}

struct pro_task *pro_when_all_settled(struct pro_task *const *tasks, size_t count)
{
    return when_all(tasks, count, WANT_NOTHING, PRO_NO_RESULT);
}

/* ---- when any ---- */

static void first_of_any(struct pro_continuation *continuation)
{
    struct member *const winner = PRO_CONTAINER(continuation, struct member, continuation);
    struct combined *const combined = winner->combined;
    struct pro_task *const task = proi_task_of_body(combined);
    const size_t index = (size_t)(winner - combined->members);

    if (proi_task_reserve(task)) {
        proi_trace_relation(task, PRO_TRACE_CHOICE);
        memcpy(proi_task_result_at(task), &index, sizeof index);
        /* The losers' continuations are taken back, so that a task asked often does not gather them (SEM-018). */
        for (uint32_t i = 0; i < combined->count; i++)
            if (i != index && proi_task_remove(combined->members[i].task, &combined->members[i].continuation))
                pro_task_unref(task);
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task);
}

/* With members of its own even when one completes meanwhile. NULL: no memory. */
static struct pro_task *when_any_pending(struct pro_task *const *tasks, size_t count)
{
    struct pro_task *const task = new_combined(&any_class, tasks, count, PRO_TYPE(size_t));
    struct combined *combined;

    if (!task)
        return NULL;
    combined = proi_task_body(task);
    proi_trace_begin(task, "Task.WhenAny");
    for (size_t i = 0; i < count; i++)
        proi_continuation_make(&combined->members[i].continuation, first_of_any, PROI_CONTINUATION_ACTION);
    for (size_t i = 0; i < count; i++) {
        struct member *const member = &combined->members[i];

        pro_task_ref(task);
        if (!proi_task_add(member->task, &member->continuation)) {
            first_of_any(&member->continuation);
            break;
        }
        /* The winner marks the task and then looks at each member. Of its mark and this addition of nothing one comes
           first: its mark, and we find it and take back what it may have been too early for; or ours, and when it
           looks at the member it finds what we have added before. */
        if (proi_fetch_or(&task->state, 0u, PROI_ACQ_REL) & PROI_TASK_RESERVED) {
            if (proi_task_remove(member->task, &member->continuation))
                pro_task_unref(task);
            break;
        }
    }
    return task;
}

struct pro_task *pro_when_any(struct pro_task *const *tasks, size_t count)
{
    struct pro_task *task;

    if (any_is_null(tasks, count) || !count)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_when_any: a task is NULL, or there is none")));
    for (size_t i = 0; i < count; i++)
        if (pro_task_is_completed(tasks[i]))
            return pro_task_from_result(&i, PRO_TYPE(size_t));
    task = when_any_pending(tasks, count);
    return task ? task : pro_task_no_memory();
}

/* ---- race: ends as the first does ---- */

struct race {
    struct pro_task *any; /* held: the when-any of them */
    struct pro_continuation continuation;
};

static void destroy_race(struct pro_task *task) { pro_task_unref(((struct race *)proi_task_body(task))->any); }

static bool race_needs(const struct pro_task *task, void (*visit)(struct pro_task *, void *), void *arg)
{
    struct race *const race = proi_task_body((struct pro_task *)(uintptr_t)task);
    struct pro_task *const any = proi_load(&race->any, PROI_ACQUIRE);

    if (any)
        visit(any, arg);
    return true;
}

static const struct proi_task_class race_class = { .name = "race", .destroy = destroy_race, .needs = race_needs };

static void race_won(struct pro_continuation *continuation)
{
    struct race *const race = PRO_CONTAINER(continuation, struct race, continuation);
    struct pro_task *const task = proi_task_of_body(race);
    const struct combined *const combined = proi_task_body(race->any);
    size_t index = 0;

    proi_task_reserve(task);
    proi_task_take(race->any, &index, PRO_TYPE(size_t), NULL);
    proi_task_follow(task, combined->members[index].task);
    pro_task_unref(task);
}

struct pro_task *pro_race(struct pro_task *const *tasks, size_t count, struct pro_type type)
{
    struct pro_task *task, *any;
    struct race *race;

    if (any_is_null(tasks, count) || !count)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_race: a task is NULL, or there is none")));
    for (size_t i = 0; i < count; i++)
        if (pro_task_is_completed(tasks[i]))
            return pro_task_ref(tasks[i]);
    any = when_any_pending(tasks, count);
    task = any ? proi_task_new(&race_class, sizeof *race, type, PRO_TASK_WAITING_FOR_ACTIVATION) : NULL;
    if (!task) {
        pro_task_unref(any);
        return pro_task_no_memory();
    }
    race = proi_task_body(task);
    proi_store(&race->any, any, PROI_RELEASE);
    proi_continuation_make(&race->continuation, race_won, PROI_CONTINUATION_ACTION);
    pro_task_ref(task); /* the continuation's */
    if (!proi_task_add(any, &race->continuation))
        race_won(&race->continuation);
    return task;
}
