/* SPDX-License-Identifier: MIT */
/* SEM-008…018, 049…065: what tasks keep, how cold ones start, where continuations may run. */
#include <proact/async.h>

#include "semantics.h"

#include "awaiters/internal.h"

/* ---- what a task keeps ---- */

static int values_held;
static void *hold(void *value)
{
    values_held++;
    return value;
}
static void let_go(void *value)
{
    (void)value;
    values_held--;
}

TEST(a_completed_task_keeps_nothing_but_its_outcome)
{
    /* SEM-011. Kills: dropping the captured execution context with the task instead of at its completion. */
    const struct pro_async_local_options options = { .ref = hold, .unref = let_go };
    struct pro_async_local *local;
    struct pro_task *task;

    REQUIRE(pro_async_local_new(&options, &local) == PRO_OK);
    CHECK_EQ(pro_async_local_set(local, &values_held), PRO_OK);
    task = pro_task_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);
    CHECK_EQ(pro_async_local_set(local, NULL), PRO_OK);
    CHECK_EQ(values_held, 1);
    CHECK_EQ(pro_task_run_synchronously(task, NULL), PRO_OK);
    CHECK_EQ(values_held, 0);
    pro_task_unref(task);
    pro_async_local_unref(local);
}

static size_t list_length(const struct pro_task *task)
{
    const struct pro_continuation *it = task->more;
    size_t length = (task->slot & ~(PROI_SLOT_COMPLETED | PROI_SLOT_MANY)) != 0;

    if (it)
        do /* a ring */
            length++;
        while ((it = proi_continuation_next(it)) != task->more);
    return length;
}

TEST(waits_that_end_leave_nothing_on_a_task_that_lives_on)
{
    /* SEM-018. Kills: when-any not taking back its losers; a limited wait not taking back its continuation. */
    struct pro_completion_source *const forever = source_new(0);
    struct pro_task *const task = pro_completion_source_task(forever);

    for (int i = 0; i < 50; i++) {
        struct pro_cancellation_source *const cancellation = cancellation_new();
        struct pro_completion_source *const brief = source_new(0);
        struct pro_task *both[2] = { task, pro_completion_source_task(brief) };
        struct pro_task *const any = pro_when_any(both, 2);
        struct pro_task *const limited =
            pro_task_wait_async(task, (struct pro_how){ .token = pro_cancellation_source_token(cancellation) });

        source_end(brief);
        CHECK(pro_task_is_completed(any));
        CHECK_EQ(pro_cancellation_source_cancel(cancellation), PRO_OK);
        CHECK_EQ(wait_some(limited), PRO_E_AGGREGATE);
        CHECK(pro_task_is_canceled(limited));
        CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(1)), PRO_E_TIMEOUT);
        CHECK(list_length(task) == 0);
        pro_task_unref(both[1]);
        pro_task_unref(any);
        pro_task_unref(limited);
        pro_cancellation_source_unref(cancellation);
    }
    source_end(forever);
    pro_task_unref(task);
}

/* ---- running synchronously ---- */

TEST(run_synchronously_asks_the_scheduler_to_run_it_here)
{
    /* SEM-010. Kills: queueing without asking; giving the body's error to the caller. */
    static struct hand hand;
    struct pro_task *task;

    hand_open(&hand);
    hand.inlines = true;
    task = pro_task_new(body_fails, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);
    CHECK_EQ(pro_task_run_synchronously(task, &hand.base), PRO_OK);
    CHECK_EQ(hand.offered, 1);
    CHECK_EQ(hand.count, 0);
    CHECK(pro_task_is_faulted(task));
    CHECK_STR(pro_error_message(pro_task_error(task)), "body");
    pro_task_unref(task);
}

static void no_line(const char *line, void *user) { (void)line, (void)user; }

static void run_when_somebody_waits(void *work)
{
    while (!pro_report_blocked(no_line, NULL))
        ;
    pro_work_run(work);
}

static int queue_to_pool(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler;
    return pro_pool_post(run_when_somebody_waits, work);
}

static unsigned asked, asked_for_queued;
static bool refuse_to_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)scheduler, (void)work;
    asked++;
    asked_for_queued += was_queued;
    return false;
}

TEST(run_synchronously_queues_and_blocks_when_the_scheduler_will_not)
{
    /* SEM-010. Kills: returning before a task that had to be queued is done; asking a second time, when it is queued.
     */
    static const struct pro_task_scheduler_vtable vtable = { .queue = queue_to_pool, .try_inline = refuse_to_inline };
    static struct pro_task_scheduler scheduler; /* the pool drops its reference after the task is complete */
    struct pro_task *const task = pro_task_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);

    REQUIRE(pro_task_scheduler_init(&scheduler, &vtable, "elsewhere") == PRO_OK);
    asked = asked_for_queued = 0;
    CHECK_EQ(pro_task_run_synchronously(task, &scheduler), PRO_OK);
    CHECK(pro_task_is_succeeded(task));
    CHECK_EQ(asked, 1);
    CHECK_EQ(asked_for_queued, 0);
    pro_task_unref(task);
    pro_task_scheduler_unref(&scheduler);
}

/* ---- where continuations run ---- */

static struct hand child_hand;
static struct pro_task *child;

static void start_attached(void)
{
    child = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_ATTACHED_TO_PARENT,
                               &child_hand.base);
}

static struct pro_error *complete_source(void *source, void *ret_result)
{
    (void)ret_result;
    source_end(source);
    return NULL;
}

TEST(a_continuation_run_inside_a_task_does_not_see_that_task)
{
    /* SEM-049. Kills: leaving the completing task current: what the continuation starts would attach to it, and it
     * would wait. */
    struct pro_completion_source *const source = source_new(0);
    struct where where = { .then = start_attached };
    struct pro_task *method, *parent;

    hand_open(&child_hand);
    method = noting_async(pro_completion_source_task(source), PRO_AWAIT_NONE, &where);
    parent = pro_task_start_new(complete_source, source, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT,
                                pro_task_scheduler_default());
    CHECK_EQ(wait_some(parent), PRO_OK);
    CHECK(where.scheduler == pro_task_scheduler_default());
    CHECK_EQ(child_hand.count, 1);
    CHECK(hand_run_one(&child_hand));
    CHECK(pro_task_is_succeeded(child));
    pro_task_unref(child);
    pro_task_unref(method);
    pro_task_unref(parent);
}

static struct pro_sync_context stray;
static void make_stray_current(void) { pro_sync_context_set(&stray); }

TEST(a_context_made_current_by_a_continuation_does_not_reach_the_completer)
{
    /* SEM-051, SEM-116. Kills: not putting the thread's ambient state back after an inlined continuation. */
    struct pro_completion_source *const source = source_new(0);
    struct where where = { .then = make_stray_current };
    struct pro_task *method;

    REQUIRE(pro_sync_context_init(&stray, NULL, "stray") == PRO_OK);
    method = noting_async(pro_completion_source_task(source), PRO_AWAIT_NONE, &where);
    source_end(source);
    CHECK_EQ(where.thread, pro_thread_id());
    CHECK(pro_sync_context_current() == NULL);
    pro_task_unref(method);
}

static void check_combinator_leaves(struct pro_task *(*combine)(struct pro_task *const *tasks, size_t count))
{
    struct pro_completion_source *const source = source_new(PRO_TASK_ASYNC_CONTINUATIONS);
    struct pro_task *const task = pro_completion_source_task(source);
    struct where where = { 0 };
    struct pro_task *const method = noting_async(combine(&task, 1), PRO_AWAIT_NONE, &where);

    source_end(source);
    CHECK_EQ(wait_some(method), PRO_OK);
    CHECK(where.thread != pro_thread_id());
    pro_task_unref(method);
    pro_task_unref(task);
}

TEST(combinators_obey_a_member_whose_continuations_are_asynchronous)
{
    /* SEM-065, SEM-191. Kills: running the library's own actions inside the completion in spite of the option. */
    check_combinator_leaves(pro_when_all);
    check_combinator_leaves(pro_when_any);
    check_combinator_leaves(pro_when_all_settled);
}

TEST(combinators_complete_inside_the_completion_of_the_deciding_member)
{
    /* SEM-191. Kills: completing them from the pool. */
    struct pro_completion_source *const first = source_new(0), *const last = source_new(0);
    struct pro_task *tasks[2] = { pro_completion_source_task(first), pro_completion_source_task(last) };
    struct where all = { 0 }, any = { 0 };
    struct pro_task *const method_all = noting_async(pro_when_all(tasks, 2), PRO_AWAIT_NONE, &all);
    struct pro_task *const method_any = noting_async(pro_when_any(tasks, 2), PRO_AWAIT_NONE, &any);

    source_end(first);
    CHECK_EQ(any.thread, pro_thread_id());
    CHECK_EQ(all.thread, 0);
    source_end(last);
    CHECK_EQ(all.thread, pro_thread_id());
    pro_task_unref(method_all);
    pro_task_unref(method_any);
    pro_task_unref(tasks[0]);
    pro_task_unref(tasks[1]);
}

static char order[8];
static void note_first(void) { strcat(order, "0"); }
static void note_second(void) { strcat(order, "1"); }
static void note_third(void) { strcat(order, "2"); }

static const char *order_of_three(unsigned options)
{
    static void (*const notes[3])(void) = { note_first, note_second, note_third };
    struct pro_completion_source *const source = source_new(options);
    struct where wheres[3] = { { 0 } };
    struct pro_task *methods[3];
    struct pro_pump *pump;

    order[0] = '\0';
    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    pro_sync_context_set(pro_pump_context(pump));
    for (int i = 0; i < 3; i++) {
        wheres[i].then = notes[i];
        methods[i] =
            noting_async(pro_completion_source_task(source), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, &wheres[i]);
    }
    pro_sync_context_set(NULL);
    source_end(source);
    CHECK_EQ(pro_pump_run_pending(pump), 3);
    for (int i = 0; i < 3; i++)
        pro_task_unref(methods[i]);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    return order;
}

TEST(without_inlining_continuations_are_posted_in_one_pass_in_order)
{
    /* SEM-061…063. Kills: two passes in spite of the option; one pass without it. */
    CHECK_STR(order_of_three(PRO_TASK_DEFAULT), "120");
    CHECK_STR(order_of_three(PRO_TASK_ASYNC_CONTINUATIONS), "012");
}
