/* SPDX-License-Identifier: MIT */
/* SEM-186…194, 280…302: tasks made of tasks, what they observe, delays and limits. */
#include <proact/async.h>

#include "semantics.h"

static struct pro_task *canceled_by(struct pro_cancellation_source *source)
{
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    return pro_task_from_canceled(pro_cancellation_source_token(source));
}

static void unref_all(struct pro_task **tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pro_task_unref(tasks[i]);
}

TEST(when_all_of_one_plain_task_is_that_task)
{
    /* SEM-188. Kills: a task between, which completes a step later where continuations are asynchronous; a reference
     * too few. */
    struct pro_completion_source *const source = source_new(PRO_TASK_ASYNC_CONTINUATIONS);
    struct pro_task *const task = pro_completion_source_task(source), *const all = pro_when_all(&task, 1);
    struct pro_task *const settled = pro_when_all_settled(&task, 1);

    CHECK(all == task);
    CHECK(settled != task);
    pro_task_unref(task);
    CHECK(!pro_task_is_completed(all));
    source_end(source);
    CHECK(pro_task_is_succeeded(all));
    CHECK_EQ(wait_some(settled), PRO_OK);
    pro_task_unref(all);
    pro_task_unref(settled);
}

TEST(when_all_has_all_errors_of_all_members_in_order_of_the_arguments)
{
    /* SEM-187. Kills: errors in order of completion; only the first of a member that has several; cancellations among
     * them. */
    struct pro_completion_source *const late = source_new(0);
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_task *pair[2] = { faulted("b"), faulted("c") };
    struct pro_task *tasks[4] = { pro_completion_source_task(late), pro_when_all(pair, 2), canceled_by(source),
                                  faulted("d") };
    struct pro_task *const all = pro_when_all(tasks, 4);
    static const char *const expected[] = { "a", "b", "c", "d" };
    struct pro_error *errors;

    CHECK(!pro_task_is_completed(all));
    CHECK_EQ(pro_completion_source_set_error(late, test_error("a")), PRO_OK);
    pro_completion_source_free(late);
    CHECK(pro_task_is_faulted(all));
    errors = pro_task_error_all(all);
    REQUIRE(pro_error_inner_count(errors) == 4);
    for (size_t i = 0; i < 4; i++)
        CHECK_STR(pro_error_message(pro_error_inner(errors, i)), expected[i]);
    CHECK_STR(pro_error_message(pro_task_error(all)), "a");
    pro_task_unref(all);
    unref_all(tasks, 4);
    unref_all(pair, 2);
    pro_cancellation_source_unref(source);
}

TEST(when_all_without_a_fault_is_cancelled_by_the_first_cancelled_member)
{
    /* SEM-187. Kills: success beside a cancellation; another member's token. */
    struct pro_cancellation_source *const first = cancellation_new(), *const second = cancellation_new();
    struct pro_task *tasks[3] = { pro_task_completed(), canceled_by(first), canceled_by(second) };
    struct pro_task *const all = pro_when_all(tasks, 3);
    const struct pro_cancellation_token token = pro_cancellation_source_token(first);

    CHECK(pro_task_is_canceled(all));
    CHECK(pro_error_is_of_token(pro_task_error(all), &token));
    pro_task_unref(all);
    unref_all(tasks, 3);
    pro_cancellation_source_unref(first);
    pro_cancellation_source_unref(second);
}

TEST(when_all_takes_a_task_twice_and_nothing_at_all_and_copies_its_arguments)
{
    /* SEM-188. Kills: counting distinct tasks; reading the caller's array later; a pending task of no members. */
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_task *tasks[2] = { task, task };
    struct pro_task *const all = pro_when_all(tasks, 2), *const none = pro_when_all(NULL, 0);

    tasks[0] = tasks[1] = NULL;
    CHECK(pro_task_is_succeeded(none));
    CHECK(!pro_task_is_completed(all));
    source_end(source);
    CHECK(pro_task_is_succeeded(all));
    told_listen();
    CHECK_TELLS(pro_task_unref(pro_when_all(tasks, 2)));
    told_stop();
    pro_task_unref(none);
    pro_task_unref(all);
    pro_task_unref(task);
}

TEST(when_all_gives_the_results_in_order_of_the_arguments)
{
    /* SEM-187. Kills: results in order of completion. */
    struct pro_completion_source *sources[3];
    struct pro_task *tasks[3], *all;
    int results[3] = { 0 };

    for (int i = 0; i < 3; i++) {
        REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &sources[i]) == PRO_OK);
        tasks[i] = pro_completion_source_task(sources[i]);
    }
    all = pro_when_all_results(tasks, 3, PRO_TYPE(int));
    for (int i = 2; i >= 0; i--) {
        CHECK_EQ(pro_completion_source_set_result(sources[i], &(int){ i + 10 }, PRO_TYPE(int)), PRO_OK);
        pro_completion_source_free(sources[i]);
    }
    CHECK_EQ(pro_task_read(all, results, (struct pro_type){ sizeof results, 0 }), PRO_OK);
    CHECK(results[0] == 10 && results[1] == 11 && results[2] == 12);
    pro_task_unref(all);
    unref_all(tasks, 3);
}

TEST(when_any_succeeds_with_the_first_whatever_its_outcome)
{
    /* SEM-190. Kills: passing an error on; another than the lowest of several that are complete. */
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *tasks[3] = { pro_completion_source_task(source), faulted("x"), faulted("y") };
    struct pro_task *const any = pro_when_any(tasks, 3);
    size_t index = 9;

    CHECK_EQ(pro_task_read(any, &index, PRO_TYPE(size_t)), PRO_OK);
    CHECK_EQ(index, 1);
    CHECK(pro_task_error(tasks[1]) != NULL && pro_task_error(tasks[2]) != NULL);
    source_end(source);
    pro_task_unref(any);
    unref_all(tasks, 3);
}

TEST(a_race_ends_as_its_winner_does)
{
    /* Kills: an error swallowed; the result of another. */
    struct pro_completion_source *first, *second;
    struct pro_task *tasks[2], *race;
    int result = 0;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &first) == PRO_OK);
    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &second) == PRO_OK);
    tasks[0] = pro_completion_source_task(first);
    tasks[1] = pro_completion_source_task(second);
    race = pro_race(tasks, 2, PRO_TYPE(int));
    CHECK_EQ(pro_completion_source_set_result(second, &(int){ 2 }, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(pro_task_read(race, &result, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(result, 2);
    CHECK_EQ(pro_completion_source_set_error(first, test_error("late")), PRO_OK);
    CHECK(pro_task_error(tasks[0]) != NULL);
    pro_task_unref(race);
    race = pro_race(tasks, 1, PRO_TYPE(int));
    CHECK(pro_task_is_faulted(race));
    pro_task_unref(race);
    pro_completion_source_free(first);
    pro_completion_source_free(second);
    unref_all(tasks, 2);
}

/* ---- what counts as looking ---- */

static unsigned unobserved;
static void count_unobserved(struct pro_task *task, struct pro_error *aggregate, void *user)
{
    (void)user;
    CHECK(pro_task_is_faulted(task));
    CHECK_EQ(pro_error_code(aggregate), PRO_E_AGGREGATE);
    unobserved++;
}

static unsigned told_after(void (*look)(struct pro_task *task))
{
    struct pro_task *const task = faulted("unseen");

    unobserved = 0;
    pro_set_unobserved_handler(count_unobserved, NULL);
    look(task);
    pro_task_unref(task);
    pro_set_unobserved_handler(NULL, NULL);
    return unobserved;
}

static void look_not(struct pro_task *task) { CHECK(pro_task_is_faulted(task) && pro_task_is_completed(task)); }
static void look_as_loser(struct pro_task *task)
{
    struct pro_task *tasks[2] = { pro_task_completed(), task };

    pro_task_unref(pro_when_any(tasks, 2));
}
static void look_by_error(struct pro_task *task) { CHECK(pro_task_error(task) != NULL); }
static void look_by_wait(struct pro_task *task) { CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE); }
static void look_by_await(struct pro_task *task)
{
    struct where where = { 0 };

    pro_task_unref(noting_async(pro_borrow(task), PRO_AWAIT_NONE, &where));
    CHECK_EQ(where.status, PRO_E_USER);
}
static void look_by_suppressing(struct pro_task *task)
{
    struct where where = { 0 };

    pro_task_unref(noting_async(pro_borrow(task), PRO_AWAIT_SUPPRESS_THROWING, &where));
}
static void look_by_settling(struct pro_task *task) { pro_task_unref(pro_when_all_settled(&task, 1)); }
static void look_by_when_all(struct pro_task *task)
{
    struct pro_task *const twice[2] = { task, task };
    struct pro_task *const all = pro_when_all(twice, 2);

    CHECK(pro_task_error(all) != NULL);
    pro_task_unref(all);
}

TEST(errors_are_told_once_when_nobody_looked_and_looking_has_many_forms)
{
    /* SEM-189, SEM-190, SEM-280…283. Kills: any of these not observing, or the first two observing. */
    CHECK_EQ(told_after(look_not), 1);
    CHECK_EQ(told_after(look_as_loser), 1);
    CHECK_EQ(told_after(look_by_error), 0);
    CHECK_EQ(told_after(look_by_wait), 0);
    CHECK_EQ(told_after(look_by_await), 0);
    CHECK_EQ(told_after(look_by_suppressing), 0);
    CHECK_EQ(told_after(look_by_settling), 0);
    CHECK_EQ(told_after(look_by_when_all), 0);
}

TEST(a_cancelled_task_is_never_told_as_unobserved)
{
    /* SEM-282. Kills: telling whatever did not succeed. */
    unobserved = 0;
    pro_set_unobserved_handler(count_unobserved, NULL);
    pro_task_unref(pro_task_from_canceled(PRO_TOKEN_NONE));
    pro_set_unobserved_handler(NULL, NULL);
    CHECK_EQ(unobserved, 0);
}

/* ---- unwrap ---- */

TEST(unwrap_follows_the_inner_task_and_is_it_when_the_outer_is_complete)
{
    /* SEM-193. Kills: a proxy in that case; a proxy that completes with the outer task. */
    struct pro_completion_source *const inner = source_new(0);
    struct pro_completion_source *outer;
    struct pro_task *inner_task = pro_completion_source_task(inner), *outer_task, *proxy, *second;

    REQUIRE(pro_completion_source_new(PRO_TYPE(struct pro_task *), 0, &outer) == PRO_OK);
    outer_task = pro_completion_source_task(outer);
    proxy = pro_task_unwrap(outer_task, PRO_NO_RESULT);
    CHECK(proxy != inner_task);
    pro_task_ref(inner_task); /* the result's */
    CHECK_EQ(pro_completion_source_set_result(outer, &inner_task, PRO_TYPE(struct pro_task *)), PRO_OK);
    CHECK(!pro_task_is_completed(proxy));
    source_end(inner);
    CHECK(pro_task_is_succeeded(proxy));
    pro_task_unref(proxy);
    pro_task_unref(outer_task);
    pro_completion_source_free(outer);

    pro_task_ref(inner_task);
    outer_task = pro_task_from_result(&inner_task, PRO_TYPE(struct pro_task *));
    second = pro_task_unwrap(outer_task, PRO_NO_RESULT);
    CHECK(second == inner_task);
    pro_task_unref(second);
    pro_task_unref(outer_task);
    pro_task_unref(inner_task);
}

TEST(unwrap_of_a_failed_outer_task_fails_with_it)
{
    /* SEM-193. Kills: a proxy that stays pending, or turns a cancellation into a fault. */
    struct pro_task *const failed = faulted("outer"), *const gone = pro_task_from_canceled(PRO_TOKEN_NONE);
    struct pro_task *const a = pro_task_unwrap(failed, PRO_NO_RESULT), *const b = pro_task_unwrap(gone, PRO_NO_RESULT);

    CHECK_STR(pro_error_message(pro_task_error(a)), "outer");
    CHECK(pro_task_is_canceled(b));
    pro_task_unref(a);
    pro_task_unref(b);
    pro_task_unref(failed);
    pro_task_unref(gone);
}

/* ---- delays and limits ---- */

TEST(a_delay_looks_at_its_token_then_at_its_time)
{
    /* SEM-300. Kills: a pending Delay(0); time before token; a negative time accepted. */
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_task *at_once = pro_delay(0, token), *never = pro_delay(PRO_INFINITE, token), *late;

    CHECK(pro_task_is_succeeded(at_once));
    CHECK(!pro_task_is_completed(never));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(wait_some(never), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(never));
    CHECK(pro_error_is_of_token(pro_task_error(never), &token));
    late = pro_delay(0, token);
    CHECK(pro_task_is_canceled(late));
    told_listen();
    CHECK_TELLS(pro_task_unref(pro_delay(-2, PRO_TOKEN_NONE)));
    told_stop();
    pro_task_unref(at_once);
    pro_task_unref(never);
    pro_task_unref(late);
    pro_cancellation_source_unref(source);
}

TEST(a_cancelled_delay_is_cancelled_inside_the_cancel_and_goes_on_outside_it)
{
    /* SEM-300. Kills: running what awaits a delay on the canceller's stack. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_task *const delay = pro_delay(PRO_INFINITE, pro_cancellation_source_token(source));
    struct where where = { 0 };
    struct pro_task *const method = noting_async(pro_borrow(delay), PRO_AWAIT_NONE, &where);

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_is_canceled(delay));
    CHECK_EQ(wait_some(method), PRO_OK);
    CHECK(where.thread != pro_thread_id());
    pro_task_unref(delay);
    pro_task_unref(method);
    pro_cancellation_source_unref(source);
}

TEST(a_limited_task_is_the_task_itself_where_nothing_limits_it)
{
    /* SEM-302. Kills: a proxy for what is complete; the limit looked at before the token, or before the task. */
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_how late = { .deadline_ns = 1 };
    struct pro_how gone = { .deadline_ns = 1, .token = pro_cancellation_source_token(source) };
    struct pro_completion_source *const pending = source_new(0);
    struct pro_task *const task = pro_completion_source_task(pending), *const done = pro_task_completed();
    struct pro_task *limited;

    limited = pro_task_wait_async(task, PRO_HOW_DEFAULT);
    CHECK(limited == task);
    pro_task_unref(limited);
    limited = pro_task_wait_async(done, late);
    CHECK(limited == done);
    pro_task_unref(limited);
    limited = pro_task_wait_async(task, late);
    CHECK_EQ(pro_error_code(pro_task_error(limited)), PRO_E_TIMEOUT);
    pro_task_unref(limited);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    limited = pro_task_wait_async(task, gone);
    CHECK(pro_task_is_canceled(limited));
    pro_task_unref(limited);
    CHECK(!pro_task_is_completed(task));
    source_end(pending);
    pro_task_unref(task);
    pro_cancellation_source_unref(source);
}

TEST(what_awaits_a_limited_task_waits_for_its_context_as_ever)
{
    /* SEM-303. Kills: a limit that runs the continuation on the thread that strikes. */
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_how how = { .token = pro_cancellation_source_token(source) };
    struct pro_completion_source *const pending = source_new(0);
    struct pro_task *const task = pro_completion_source_task(pending);
    struct where where = { 0 };
    struct pro_task *method;
    struct pro_pump *pump;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    pro_sync_context_set(pro_pump_context(pump));
    method = noting_async(pro_task_wait_async(task, how), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, &where);
    pro_sync_context_set(NULL);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(gate_count(&where.gate), 0);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    CHECK_EQ(where.status, PRO_E_CANCELED);
    CHECK(where.context == pro_pump_context(pump));
    source_end(pending);
    pro_task_unref(method);
    pro_task_unref(task);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    pro_cancellation_source_unref(source);
}
