/* SPDX-License-Identifier: MIT */
/* Blocking waits: .Wait(), .Result, GetResult, WaitAll, WaitAny. Nothing is pumped. Each blocked thread is on a list
   for reports; a wait that only the waiting thread's own loop could end is refused. */
#include "delegate.h"
#include "trace.h"

/* ---- the list of blocked threads ---- */

static struct {
    struct proi_mutex lock;
    struct proi_blocked *first;
} blocked_list;

static void list_blocked(struct proi_blocked *blocked)
{
    proi_lock(&blocked_list.lock);
    blocked->previous = NULL;
    blocked->next = blocked_list.first;
    if (blocked->next)
        blocked->next->previous = blocked;
    blocked_list.first = blocked;
    proi_unlock(&blocked_list.lock);
}

static void unlist_blocked(struct proi_blocked *blocked)
{
    proi_lock(&blocked_list.lock);
    if (blocked->previous)
        blocked->previous->next = blocked->next;
    else
        blocked_list.first = blocked->next;
    if (blocked->next)
        blocked->next->previous = blocked->previous;
    proi_unlock(&blocked_list.lock);
}

void proi_blocked_for_each(void (*visit)(const struct proi_blocked *blocked, void *arg), void *arg)
{
    proi_lock(&blocked_list.lock);
    for (struct proi_blocked *blocked = blocked_list.first; blocked; blocked = blocked->next)
        visit(blocked, arg);
    proi_unlock(&blocked_list.lock);
}

/* ---- the wait that could never end ---- */

/* The walk goes from the task that is waited for, which the waiter holds, along what each one awaits, and says whether
   this thread is needed at the end. Nobody holds the tasks further down: they may complete, go, and come back as others
   while they are read. A wrong reading can make the walk miss a deadlock, which then is a wait like any other, and
   never invent one:
   - What is read of a task is of one life of its block: the generation before and after is the same (give_block() in
     task.c has the orders). The blocks of tasks stay tasks, so what is read as a task is one.
   - A verdict needs two walks that have seen the same tasks of the same lives, all incomplete, each awaiting the next.
     A task that is incomplete in the second walk was so ever since the first, and who awaits it has not gone on since:
     so there was a moment, between the walks, at which the whole chain stood. At its end stands an operation or a step
     that only a loop of this thread delivers, and this thread is here. So nothing in the chain moves until it leaves.
 */
enum { WALK_DEPTH = 1000 };

struct walk {
    uint64_t seen; /* a digest of all that was read */
};

static void note(struct walk *walk, uint64_t value)
{
    walk->seen = (walk->seen ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    walk->seen ^= walk->seen >> 29;
}

struct link { /* one task, as it was read */
    uint32_t state;
    const struct proi_task_class *class;
    uintptr_t awaits;
    const struct pro_sync_context *context;
};

/* False: it went meanwhile. Acquire each: the second look at the generation comes last. */
static bool read_link(const struct pro_task *task, struct link *ret_link, struct walk *walk)
{
    const uint32_t generation = proi_load(&task->generation, PROI_ACQUIRE);

    ret_link->state = proi_load(&task->state, PROI_ACQUIRE);
    ret_link->class = proi_class_of_kind(proi_load(&task->kind, PROI_ACQUIRE));
    ret_link->awaits = proi_load(&task->awaits, PROI_ACQUIRE);
    ret_link->context = (const struct pro_sync_context *)proi_load(&task->awaits_context, PROI_ACQUIRE);
    note(walk, (uintptr_t)task);
    note(walk, generation);
    note(walk, ret_link->awaits);
    note(walk, (uintptr_t)ret_link->context);
    return proi_load(&task->generation, PROI_RELAXED) == generation;
}

static bool needs_this_thread(const struct pro_task *task, unsigned depth, struct walk *walk);

struct tally {
    struct walk *walk;
    bool all, any; /* of the members: every one, at least one needs this thread */
};

static void tally_member(struct pro_task *member, void *arg)
{
    struct tally *const tally = arg;
    const bool needs = needs_this_thread(member, 1, tally->walk);

    note(tally->walk, needs);
    tally->all = tally->all && needs;
    tally->any = tally->any || needs;
}

static bool needs_this_thread(const struct pro_task *task, unsigned depth, struct walk *walk)
{
    for (; task && depth < WALK_DEPTH; depth++) {
        struct link link;

        if (!read_link(task, &link, walk) || proi_state_is_final(link.state))
            return false;
        if (link.class->needs) {
            struct tally tally = { walk, true, false };

            /* Members may be asked only of the task that is waited for: it keeps them, and the waiter keeps it. */
            if (depth)
                return false;
            return link.class->needs(task, tally_member, &tally) ? tally.any : tally.all && tally.any;
        }
        /* Its operation, or its next step, whatever it awaits, comes on this thread. */
        if (proi_loop_is_current(proi_awaited_loop(link.awaits)) || proi_context_is_of_loop_here(link.context))
            return true;
        task = proi_awaited_task(link.awaits);
    }
    return false;
}

static bool is_hopeless(const struct pro_task *task)
{
    struct walk first = { 0 }, second = { 0 };

    return needs_this_thread(task, 0, &first) && needs_this_thread(task, 0, &second) && first.seen == second.seen;
}

/* ---- one wait ---- */

struct waiter {
    struct pro_continuation continuation;
    struct wait *wait;
};

enum { PENDING, COMPLETED, CANCELED }; /* wait.word */

struct wait {
    uint32_t word;  /* what the thread sleeps on */
    uint32_t awake; /* waiters that have been run */
};

static void wake(struct pro_continuation *continuation)
{
    struct wait *const wait = PRO_CONTAINER(continuation, struct waiter, continuation)->wait;
    const uint32_t *const word = &wait->word, *const awake = &wait->awake;

    proi_store(&wait->word, (uint32_t)COMPLETED, PROI_RELEASE);
    /* The last touch of the waiting thread's stack: it leaves when it has counted every waiter that it could not take
       back. After it only the addresses are used. */
    proi_fetch_add(&wait->awake, 1u, PROI_RELEASE);
    proi_wake_all(word);
    proi_wake_all(awake);
}

static void cancel_wait(void *arg)
{
    struct wait *const wait = arg;
    uint32_t pending = PENDING;

    /* Against a completion: the first to leave PENDING names the outcome; completion overwrites it, which is right too.
     */
    proi_compare_exchange(&wait->word, &pending, (uint32_t)CANCELED, PROI_ACQ_REL);
    proi_wake_all(&wait->word);
}

/* The moment after which it is over; UINT64_MAX: never. */
static uint64_t limit_of(struct pro_how how)
{
    const uint64_t after = how.timeout_ns > 0 ? proi_now() + (uint64_t)how.timeout_ns : UINT64_MAX;
    const uint64_t at = how.deadline_ns ? how.deadline_ns : UINT64_MAX;

    return after < at ? after : at;
}

/* Sleeps until the word leaves PENDING; PRO_OK, PRO_E_TIMEOUT, PRO_E_CANCELED. */
static int sleep_until(struct wait *wait, uint64_t limit)
{
    for (;;) {
        const uint32_t word = proi_load(&wait->word, PROI_ACQUIRE);
        int64_t left = -1;

        if (word != PENDING)
            return word == COMPLETED ? PRO_OK : PRO_E_CANCELED;
        if (limit != UINT64_MAX) {
            const uint64_t now = proi_now();

            if (now >= limit)
                return PRO_E_TIMEOUT;
            left = (int64_t)(limit - now);
        }
        proi_wait(&wait->word, PENDING, left);
    }
}

/* Waits until one of @tasks is complete. Takes every waiter back, or waits for those that are being run. */
static int block(struct pro_task *const *tasks, size_t count, struct pro_how how, struct pro_site site,
                 struct waiter *waiters)
{
    struct wait wait = { PENDING, 0 };
    struct pro_cancellation_registration registration = { 0 };
    struct proi_blocked blocked = { .thread = proi_thread_id(), .tasks = tasks, .count = count, .site = site };
    const uint64_t limit = limit_of(how);
    uint32_t out = 0;
    int code = PRO_OK;

    blocked.bounded = limit != UINT64_MAX || how.token.source;
    for (size_t i = 0; i < count && code == PRO_OK; i++) {
        proi_continuation_make(&waiters[i].continuation, wake, PROI_CONTINUATION_WAITER);
        waiters[i].wait = &wait;
        if (proi_task_add(tasks[i], &waiters[i].continuation))
            out++;
        else
            code = PRO_E_STATE; /* this one is complete: no need to sleep */
    }
    if (code == PRO_OK) {
        pro_cancellation_register(how.token, &registration, cancel_wait, &wait);
        list_blocked(&blocked);
        proi_loop_block_begin();
        proi_pool_blocking_begin();
        code = sleep_until(&wait, limit);
        proi_pool_blocking_end();
        proi_loop_block_end();
        unlist_blocked(&blocked);
        pro_cancellation_unregister_wait(&registration);
    } else {
        code = PRO_OK;
    }
    for (size_t i = 0, registered = out; i < registered; i++)
        if (proi_task_remove(tasks[i], &waiters[i].continuation))
            out--;
    /* The others are being run at this moment: they are through when they are counted. */
    for (uint32_t seen; (seen = proi_load(&wait.awake, PROI_ACQUIRE)) < out;)
        proi_wait(&wait.awake, seen, -1);
    return code;
}

static int check_how(struct pro_how how, const char *who)
{
    return how.timeout_ns < 0 ? proi_misuse(PRO_E_INVALID, "%s: the timeout is negative", who) : PRO_OK;
}

/* Until @task is complete. An unlimited wait that @offers first tries to run it here; one is refused when it could
   never end. */
static int wait_pending(struct pro_task *task, struct pro_how how, struct pro_site site, bool offers)
{
    const bool unlimited = !how.timeout_ns && !how.deadline_ns && !how.token.source;
    const struct proi_task_class *const class = proi_task_class(task);
    struct waiter waiter;
    int code;

    if (pro_task_is_completed(task)) /* wins over a cancelled token (SEM-152) */
        return PRO_OK;
    if (pro_cancellation_token_is_canceled(how.token))
        return PRO_E_CANCELED;
    code = unlimited && offers && class->try_inline ? class->try_inline(task) : PRO_E_BUSY; /* SEM-142 */
    if (code == PRO_E_SCHEDULER || pro_task_is_completed(task))
        return code == PRO_E_SCHEDULER ? code : PRO_OK;
    if (unlimited && is_hopeless(task))
        return PRO_E_DEADLOCK;
    pro_task_ref(task);
    code = block(&task, 1, how, site, &waiter);
    if (code < 0 && pro_task_is_completed(task))
        code = PRO_OK;
    pro_task_unref(task);
    return code;
}

int proi_wait_unoffered(struct pro_task *task) { return wait_pending(task, PRO_HOW_DEFAULT, PRO_SITE_UNKNOWN, false); }

static int wait_one(struct pro_task *task, struct pro_how how, struct pro_site site)
{
    int code;

    if (proi_task_is_stale(task, "a wait"))
        return PRO_E_STATE;
    if (PROI_LIKELY(!proi_is_tracing()) || pro_task_is_completed(task))
        return wait_pending(task, how, site, true);
    proi_trace_wait(PRO_TRACE_WAIT_BEGIN, task);
    code = wait_pending(task, how, site, true);
    proi_trace_wait(PRO_TRACE_WAIT_END, task);
    proi_trace_wait(PRO_TRACE_CONTINUATION_COMPLETE, task);
    return code;
}

/* ---- the public forms ---- */

/* The scheduler's mistake, not the task's: that one waits where it was (SEM-149). */
static int give_lie(struct pro_task *task, struct pro_error **ret_error)
{
    if (ret_error)
        *ret_error = proi_delegate_scheduler_lied(task);
    return PRO_E_SCHEDULER;
}

/* The wait's own token ended it: the error bears that one (SEM-151). */
static int give_canceled(struct pro_how how, struct pro_error **ret_error)
{
    if (ret_error)
        *ret_error = pro_error_canceled(&how.token);
    return PRO_E_CANCELED;
}

/* Gives a new error for a cancelled task, with its token: a wait never gives the stored one (SEM-177). */
static struct pro_error *canceled_again(struct pro_task *task)
{
    const struct pro_cancellation_token token = pro_error_token(pro_task_error(task));

    return pro_error_canceled(&token);
}

/* The aggregate of a task that did not succeed; a cancelled one has one cancellation error in it (SEM-141). */
static int give_aggregate(struct pro_task *task, struct pro_error **ret_error)
{
    if (pro_task_is_succeeded(task))
        return PRO_OK;
    proi_task_observe(task);
    if (ret_error && pro_task_is_faulted(task)) {
        *ret_error = pro_error_ref(pro_task_error_all(task));
    } else if (ret_error) {
        struct pro_error *const canceled = canceled_again(task);

        *ret_error = pro_error_aggregate(&canceled, 1);
        pro_error_unref(canceled);
    }
    return PRO_E_AGGREGATE;
}

int pro_task_wait(struct pro_task *task, struct pro_how how, struct pro_error **ret_error, struct pro_site site)
{
    int code;

    if (!task)
        return proi_misuse(PRO_E_INVALID, "pro_task_wait: the task is NULL");
    code = check_how(how, "pro_task_wait");
    if (code == PRO_OK)
        code = wait_one(task, how, site);
    if (code == PRO_OK && pro_task_is_canceled(task) && pro_cancellation_token_is_canceled(how.token)) /* SEM-152 */
        code = PRO_E_CANCELED;
    if (code == PRO_E_CANCELED)
        return give_canceled(how, ret_error);
    if (code == PRO_E_SCHEDULER)
        return give_lie(task, ret_error);
    return code == PRO_OK ? give_aggregate(task, ret_error) : code;
}

int pro_task_result(struct pro_task *task, void *ret_result, struct pro_type type, struct pro_error **ret_error,
                    struct pro_site site)
{
    const int code = pro_task_wait(task, PRO_HOW_DEFAULT, ret_error, site);

    return code == PRO_OK ? proi_task_take(task, ret_result, type, ret_error) : code;
}

int pro_task_get_result(struct pro_task *task, void *ret_result, struct pro_type type, struct pro_error **ret_error,
                        struct pro_site site)
{
    int code;

    if (!task)
        return proi_misuse(PRO_E_INVALID, "pro_task_get_result: the task is NULL");
    code = wait_one(task, PRO_HOW_DEFAULT, site);
    if (code == PRO_E_SCHEDULER)
        return give_lie(task, ret_error);
    if (code < 0) {
        if (ret_error)
            *ret_error = pro_error_of(code);
        return code;
    }
    return proi_task_take(task, ret_result, type, ret_error);
}

static int check_tasks(struct pro_task *const *tasks, size_t count, const char *who)
{
    if (!tasks && count)
        return proi_misuse(PRO_E_INVALID, "%s: the array is NULL", who);
    for (size_t i = 0; i < count; i++)
        if (!tasks[i])
            return proi_misuse(PRO_E_INVALID, "%s: a task is NULL", who);
    return PRO_OK;
}

/* One aggregate of the errors of all, cancellations included (SEM-154). */
static int give_all_errors(struct pro_task *const *tasks, size_t count, struct pro_error **ret_error)
{
    struct pro_error **errors = NULL;
    size_t failed = 0, room = 0, at = 0;

    for (size_t i = 0; i < count; i++)
        if (!pro_task_is_succeeded(tasks[i])) {
            failed++;
            room += pro_task_is_faulted(tasks[i]) ? pro_error_inner_count(pro_task_error_all(tasks[i])) : 1;
            proi_task_observe(tasks[i]);
        }
    if (!failed)
        return PRO_OK;
    if (ret_error)
        errors = proi_alloc(room * sizeof *errors);
    for (size_t i = 0; errors && i < count; i++) {
        struct pro_error *const all = pro_task_error_all(tasks[i]);

        if (pro_task_is_canceled(tasks[i]) && at < room)
            errors[at++] = canceled_again(tasks[i]);
        for (size_t k = 0; k < pro_error_inner_count(all) && at < room; k++)
            errors[at++] = pro_error_ref(pro_error_inner(all, k));
    }
    if (ret_error)
        *ret_error = errors ? pro_error_aggregate(errors, at) : pro_error_of(PRO_E_AGGREGATE);
    while (at > 0)
        pro_error_unref(errors[--at]);
    proi_free(errors);
    return PRO_E_AGGREGATE;
}

int pro_task_wait_all(struct pro_task *const *tasks, size_t count, struct pro_how how, struct pro_error **ret_error,
                      struct pro_site site)
{
    const uint64_t limit = limit_of(how);
    int code = check_tasks(tasks, count, "pro_task_wait_all");

    if (code == PRO_OK)
        code = check_how(how, "pro_task_wait_all");
    if (code == PRO_OK && limit != UINT64_MAX)
        how = (struct pro_how){ .deadline_ns = limit, .token = how.token };
    /* Its token comes before its tasks, other than with the wait for one (SEM-152, 154). */
    if (code == PRO_OK && pro_cancellation_token_is_canceled(how.token))
        code = PRO_E_CANCELED;
    /* Each not yet begun is offered to this thread, from the last to the first (SEM-154); then they are waited for in
     * turn. */
    for (size_t i = count; i > 0 && code == PRO_OK && limit == UINT64_MAX && !how.token.source; i--) {
        const struct proi_task_class *const class = proi_task_class(tasks[i - 1]);

        if (class->try_inline && !pro_task_is_completed(tasks[i - 1]) &&
            class->try_inline(tasks[i - 1]) == PRO_E_SCHEDULER)
            return give_lie(tasks[i - 1], ret_error);
    }
    for (size_t i = 0; i < count && code == PRO_OK; i++) {
        code = wait_one(tasks[i], how, site);
        if (code == PRO_E_SCHEDULER)
            return give_lie(tasks[i], ret_error);
    }
    if (code == PRO_E_CANCELED)
        return give_canceled(how, ret_error);
    return code == PRO_OK ? give_all_errors(tasks, count, ret_error) : code;
}

static int first_completed(struct pro_task *const *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pro_task_is_completed(tasks[i]))
            return (int)i;
    return -1;
}

static bool all_are_hopeless(struct pro_task *const *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_hopeless(tasks[i]))
            return false;
    return true;
}

int pro_task_wait_any(struct pro_task *const *tasks, size_t count, struct pro_how how, struct pro_site site)
{
    struct waiter *waiters;
    int code = check_tasks(tasks, count, "pro_task_wait_any");

    if (code == PRO_OK && count > INT32_MAX)
        code = proi_misuse(PRO_E_INVALID, "pro_task_wait_any: there are too many tasks");
    if (code == PRO_OK)
        code = check_how(how, "pro_task_wait_any");
    if (code < 0)
        return code;
    if (pro_cancellation_token_is_canceled(how.token)) /* before the tasks (SEM-155) */
        return PRO_E_CANCELED;
    code = first_completed(tasks, count);
    if (code >= 0)
        return code;
    if (!count) /* .NET gives the -1 of a wait in vain */
        return PRO_E_TIMEOUT;
    if (!how.timeout_ns && !how.deadline_ns && !how.token.source && all_are_hopeless(tasks, count))
        return PRO_E_DEADLOCK;
    waiters = proi_alloc(count * sizeof *waiters);
    if (!waiters)
        return PRO_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        pro_task_ref(tasks[i]);
    code = block(tasks, count, how, site, waiters);
    if (first_completed(tasks, count) >= 0)
        code = first_completed(tasks, count);
    for (size_t i = 0; i < count; i++)
        pro_task_unref(tasks[i]);
    proi_free(waiters);
    return code;
}
