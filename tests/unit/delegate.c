/* SPDX-License-Identifier: MIT */
/* Delegate tasks: what a body's error makes of its task, tokens that come before or during it, and waits that run it in
 * place. */
#include <proact/proact.h>

#include "gate.h"
#include "harness.h"
#include "told.h"

static struct pro_cancellation_source *canceller_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

/* ---- errors ---- */

enum bears { BEARS_NOTHING, BEARS_OWN_TOKEN, BEARS_OTHER_TOKEN, BEARS_AN_ERROR };

struct matrix {
    bool has_token, cancel_inside;
    enum bears bears;
    enum pro_task_status expected;
    struct pro_cancellation_source *own, *other;
};

static struct pro_error *fail_as_told(void *arg, void *ret_result)
{
    struct matrix *const it = arg;
    struct pro_cancellation_token token;

    (void)ret_result;
    if (it->cancel_inside)
        CHECK_EQ(pro_cancellation_source_cancel(it->own), PRO_OK);
    token = pro_cancellation_source_token(it->bears == BEARS_OTHER_TOKEN ? it->other : it->own);
    if (it->bears == BEARS_AN_ERROR)
        return pro_error_new(PRO_E_IO, PRO_HERE, "an error");
    return it->bears == BEARS_NOTHING ? pro_error_of(PRO_E_CANCELED) : pro_error_canceled(&token);
}

TEST(only_the_very_token_that_a_task_was_given_cancels_it)
{
    // Kills: any of the three conditions left out (SEM-172).
    static const struct matrix rows[] = {
        { true, true, BEARS_OWN_TOKEN, PRO_TASK_CANCELED, NULL, NULL },
        { true, true, BEARS_OTHER_TOKEN, PRO_TASK_FAULTED, NULL, NULL },
        { true, true, BEARS_NOTHING, PRO_TASK_FAULTED, NULL, NULL },
        { true, true, BEARS_AN_ERROR, PRO_TASK_FAULTED, NULL, NULL },
        { true, false, BEARS_OWN_TOKEN, PRO_TASK_FAULTED, NULL, NULL }, /* its token is not cancelled */
        { false, true, BEARS_OWN_TOKEN, PRO_TASK_FAULTED, NULL, NULL }, /* it was given none */
        { false, false, BEARS_NOTHING, PRO_TASK_FAULTED, NULL, NULL },
        { false, false, BEARS_AN_ERROR, PRO_TASK_FAULTED, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct matrix row = rows[i];
        struct pro_task *task;

        row.own = canceller_new();
        row.other = canceller_new();
        CHECK_EQ(pro_cancellation_source_cancel(row.other), PRO_OK);
        task = pro_task_run(fail_as_told, &row, PRO_NO_RESULT,
                            row.has_token ? pro_cancellation_source_token(row.own) : PRO_TOKEN_NONE);
        CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
        if (pro_task_status(task) != row.expected)
            test_fail(__FILE__, __LINE__, "row %zu is %s", i, pro_task_status_name(pro_task_status(task)));
        CHECK_EQ(pro_error_code(pro_task_error(task)), row.bears == BEARS_AN_ERROR ? PRO_E_IO : PRO_E_CANCELED);
        pro_task_unref(task);
        pro_cancellation_source_unref(row.own);
        pro_cancellation_source_unref(row.other);
    }
}

static struct pro_error *give_seven(void *arg, void *ret_result)
{
    uint32_t *const runs = arg;

    if (runs)
        proi_fetch_add(runs, 1u, PROI_RELAXED);
    *(int *)ret_result = 7;
    return NULL;
}

TEST(a_body_gives_its_result)
{
    // Kills: a result that is written elsewhere, or lost.
    struct pro_task *const task = pro_task_run(give_seven, NULL, PRO_TYPE(int), PRO_TOKEN_NONE);
    int value = 0;

    CHECK_EQ(PRO_RESULT(task, &value), PRO_OK);
    CHECK_EQ(value, 7);
    pro_task_unref(task);
}

/* ---- a scheduler that only collects ---- */

struct collecting {
    struct pro_task_scheduler scheduler;
    struct pro_work *queued[8];
    int count, inline_asked;
    bool inlines, refuses, was_queued;
};

static int collect(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct collecting *const it = PRO_CONTAINER(scheduler, struct collecting, scheduler);

    if (it->refuses)
        return PRO_E_BUSY;
    it->queued[it->count++] = work;
    return PRO_OK;
}

static bool inline_if_willing(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    struct collecting *const it = PRO_CONTAINER(scheduler, struct collecting, scheduler);

    it->inline_asked++;
    it->was_queued = was_queued;
    if (!it->inlines)
        return false;
    for (int i = 0; i < it->count; i++)
        if (it->queued[i] == work)
            it->queued[i] = NULL;
    pro_work_run(work);
    return true;
}

static bool dequeue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct collecting *const it = PRO_CONTAINER(scheduler, struct collecting, scheduler);

    for (int i = 0; i < it->count; i++)
        if (it->queued[i] == work) {
            it->queued[i] = NULL;
            return true;
        }
    return false;
}

static const struct pro_task_scheduler_vtable collecting_vtable = { .queue = collect,
                                                                    .try_inline = inline_if_willing,
                                                                    .try_dequeue = dequeue };

static void collecting_init(struct collecting *it)
{
    memset(it, 0, sizeof *it);
    CHECK_EQ(pro_task_scheduler_init(&it->scheduler, &collecting_vtable, "collecting"), PRO_OK);
}

static void run_collected(struct collecting *it)
{
    for (int i = 0; i < it->count; i++)
        if (it->queued[i])
            pro_work_run(it->queued[i]);
    it->count = 0;
}

static struct pro_task *start_on(struct collecting *it, uint32_t *runs, struct pro_cancellation_token token)
{
    return pro_task_start_new(give_seven, runs, PRO_TYPE(int), token, 0, &it->scheduler);
}

TEST(a_token_that_is_cancelled_first_keeps_the_body_from_running)
{
    // Kills: a body that runs although its task is cancelled; an item that stays in the queue (SEM-175, 270).
    struct pro_cancellation_source *const canceller = canceller_new();
    struct collecting it;
    struct pro_task *queued, *late;
    uint32_t runs = 0;

    collecting_init(&it);
    queued = start_on(&it, &runs, pro_cancellation_source_token(canceller));
    CHECK_EQ(it.count, 1);
    CHECK_EQ(pro_task_status(queued), PRO_TASK_WAITING_TO_RUN);
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    CHECK(pro_task_is_canceled(queued));
    CHECK(it.queued[0] == NULL); /* taken out */
    late = start_on(&it, &runs, pro_cancellation_source_token(canceller));
    CHECK(pro_task_is_canceled(late));
    CHECK_EQ(it.count, 1);
    run_collected(&it);
    CHECK_EQ(runs, 0);
    CHECK_EQ(it.scheduler.references, 3); /* ours, and the two tasks' */
    pro_task_unref(queued);
    pro_task_unref(late);
    CHECK_EQ(it.scheduler.references, 1);
    pro_cancellation_source_unref(canceller);
}

TEST(a_refusing_scheduler_faults_the_task)
{
    // Kills: a task that waits for ever in no queue (SEM-267).
    struct collecting it;
    struct pro_task *task;

    collecting_init(&it);
    it.refuses = true;
    task = start_on(&it, NULL, PRO_TOKEN_NONE);
    CHECK(pro_task_is_faulted(task));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_SCHEDULER);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error(task), 0)), PRO_E_BUSY);
    pro_task_unref(task);
}

/* ---- waits that run it ---- */

TEST(an_unlimited_wait_runs_a_queued_task_in_place_if_its_scheduler_agrees)
{
    // Kills: a wait that blocks for what it could do itself (SEM-142); a queued entry that runs it again (SEM-148).
    struct collecting it;
    struct pro_task *task;
    uint32_t runs = 0;

    collecting_init(&it);
    it.inlines = true;
    task = start_on(&it, &runs, PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK_EQ(it.inline_asked, 1);
    CHECK(it.was_queued);
    CHECK_EQ(runs, 1);
    run_collected(&it);
    CHECK_EQ(runs, 1);
    pro_task_unref(task);
}

TEST(a_limited_wait_never_runs_it_and_a_refusal_leaves_it_queued)
{
    // Kills: a wait with a limit that runs a body of any length (SEM-143).
    struct pro_cancellation_source *const canceller = canceller_new();
    const struct pro_how by_token = { .timeout_ns = PRO_MS(1), .token = pro_cancellation_source_token(canceller) };
    struct collecting it;
    struct pro_task *task;
    uint32_t runs = 0;

    collecting_init(&it);
    it.inlines = true;
    task = start_on(&it, &runs, PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(PRO_MS(1))), PRO_E_TIMEOUT);
    CHECK_EQ(PRO_WAIT_HOW(task, by_token), PRO_E_TIMEOUT);
    CHECK_EQ(it.inline_asked, 0);
    CHECK_EQ(runs, 0);
    run_collected(&it);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    pro_cancellation_source_unref(canceller);
}

static struct pro_error *wait_inside(void *arg, void *ret_result)
{
    uint32_t runs = 0;
    struct pro_task *const inner = pro_task_run(give_seven, &runs, PRO_TYPE(int), PRO_TOKEN_NONE);
    int value = 0;

    (void)arg;
    CHECK_EQ(PRO_RESULT(inner, &value), PRO_OK);
    CHECK_EQ(value, 7);
    CHECK_EQ(proi_load(&runs, PROI_RELAXED), 1);
    pro_task_unref(inner);
    *(uint64_t *)ret_result = pro_thread_id();
    return NULL;
}

TEST(a_pool_thread_that_waits_for_what_it_queued_needs_no_second_thread)
{
    // Kills: Task.Run(…).Result on a pool of one thread that hangs (SEM-145, 146).
    struct pro_pool_stats stats;
    struct pro_task *task;
    uint64_t thread = 0;

    CHECK_EQ(pro_pool_get_stats(&stats), PRO_OK);
    CHECK_EQ(pro_pool_set_min_threads(1), PRO_OK);
    CHECK_EQ(pro_pool_set_max_threads(1), PRO_OK);
    for (int i = 0; i < 20; i++) {
        task = pro_task_run(wait_inside, NULL, PRO_TYPE(uint64_t), PRO_TOKEN_NONE);
        CHECK_EQ(PRO_RESULT(task, &thread), PRO_OK);
        CHECK(thread != pro_thread_id()); /* not taken by a thread outside of the pool */
        pro_task_unref(task);
    }
    CHECK_EQ(pro_pool_set_max_threads(stats.max_threads), PRO_OK);
    CHECK_EQ(pro_pool_set_min_threads(stats.min_threads), PRO_OK);
}

/* ---- what is current inside ---- */

struct seen {
    struct pro_task_scheduler *scheduler;
    struct pro_sync_context *context;
    bool is_worker;
};

static struct pro_error *look_around(void *arg, void *ret_result)
{
    struct seen *const seen = arg;

    (void)ret_result;
    seen->scheduler = pro_task_scheduler_current();
    seen->context = pro_sync_context_current();
    seen->is_worker = pro_pool_is_worker();
    return NULL;
}

TEST(a_body_finds_its_scheduler_current_unless_it_is_hidden)
{
    // Kills: a scheduler that leaks into the next item, or is not set (SEM-262, 265).
    struct collecting it;
    struct pro_task *plain, *hidden;
    struct seen seen[2];

    collecting_init(&it);
    plain = pro_task_start_new(look_around, &seen[0], PRO_NO_RESULT, PRO_TOKEN_NONE, 0, &it.scheduler);
    hidden = pro_task_start_new(look_around, &seen[1], PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_HIDE_SCHEDULER,
                                &it.scheduler);
    run_collected(&it);
    CHECK(seen[0].scheduler == &it.scheduler);
    CHECK(seen[1].scheduler == pro_task_scheduler_default());
    CHECK(pro_task_scheduler_current() == pro_task_scheduler_default());
    pro_task_unref(plain);
    pro_task_unref(hidden);
}

TEST(a_long_running_body_has_a_thread_of_its_own)
{
    // Kills: a long body that takes a place in the pool (SEM-205).
    struct seen seen = { NULL, NULL, true };
    struct pro_task *const task =
        pro_task_start_new(look_around, &seen, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_LONG_RUNNING, NULL);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(!seen.is_worker);
    CHECK(seen.context == NULL);
    pro_task_unref(task);
}

/* ---- async lambdas ---- */

static struct pro_task *give_inner(void *arg) { return pro_borrow(arg); }

TEST(an_async_lambdas_task_follows_the_one_it_gives)
{
    // Kills: a task that is complete when the lambda has returned; an outcome that changes on the way.
    const int number = 6;
    struct pro_completion_source *source = NULL;
    struct pro_task *inner, *outer;
    int value = 0;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    inner = pro_completion_source_task(source);
    outer = pro_task_run_async(give_inner, inner, PRO_TYPE(int), PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT_HOW(outer, PRO_WITHIN(PRO_MS(5))), PRO_E_TIMEOUT);
    CHECK_EQ(pro_completion_source_set_result(source, &number, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(PRO_RESULT(outer, &value), PRO_OK);
    CHECK_EQ(value, 6);
    pro_task_unref(outer);
    pro_task_unref(inner);
    pro_completion_source_free(source);
    inner = pro_task_from_canceled(PRO_TOKEN_NONE);
    outer = pro_task_run_async(give_inner, inner, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT(outer), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(outer));
    pro_task_unref(outer);
    pro_task_unref(inner);
    inner = pro_task_from_error(pro_error_of(PRO_E_IO));
    outer = pro_task_run_async(give_inner, inner, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT(outer), PRO_E_AGGREGATE);
    CHECK(pro_task_error(outer) == pro_task_error(inner));
    pro_task_unref(outer);
    pro_task_unref(inner);
}
