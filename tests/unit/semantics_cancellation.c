/* SPDX-License-Identifier: MIT */
/* SEM-172…177, 230…246: what cancels, what it costs, and whom it tells. */
#include <proact/async.h>

#include "letters.h"

TEST(cancel_runs_every_callback_and_gives_all_errors_or_stops_at_the_first)
{
    /* SEM-232, SEM-234. Kills: another order; stopping without being told to; going on in spite of it. */
    for (int stop = 0; stop < 2; stop++) {
        struct pro_cancellation_source *const source = cancellation_new();
        struct pro_cancellation_registration registrations[3] = { { 0 } };
        struct pro_error *error = NULL;

        order[0] = '\0';
        register_failing(source, &registrations[0], "a");
        register_failing(source, &registrations[1], "b");
        register_failing(source, &registrations[2], "c");
        CHECK_EQ(pro_cancellation_source_cancel_telling(source, stop, &error), stop ? PRO_E_USER : PRO_E_AGGREGATE);
        CHECK_STR(order, stop ? "c" : "cba");
        if (stop) {
            CHECK_STR(pro_error_message(error), "c");
        } else {
            REQUIRE(pro_error_inner_count(error) == 3);
            CHECK_STR(pro_error_message(pro_error_inner(error, 0)), "c");
            CHECK_STR(pro_error_message(pro_error_inner(error, 2)), "a");
        }
        CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(source)));
        CHECK_EQ(pro_cancellation_source_cancel_telling(source, false, NULL), PRO_OK); /* once (SEM-231) */
        pro_error_unref(error);
        pro_cancellation_source_unref(source);
    }
}

static struct pro_cancellation_registration later;
static bool removed_later;
static void unregister_later(void *unused)
{
    (void)unused;
    removed_later = pro_cancellation_unregister(&later);
}

TEST(a_callback_can_unregister_one_that_would_come_after_it)
{
    /* SEM-232, SEM-236. Kills: taking the whole list before the first callback runs. */
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_cancellation_registration sooner = { 0 };

    order[0] = '\0';
    CHECK_EQ(pro_cancellation_register(token, &later, note_letter, "x"), PRO_OK);
    CHECK_EQ(pro_cancellation_register(token, &sooner, unregister_later, NULL), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(removed_later);
    CHECK_STR(order, "");
    CHECK(!pro_cancellation_unregister_wait(&sooner));
    pro_cancellation_source_unref(source);
}

TEST(registering_on_a_cancelled_token_calls_back_and_on_none_does_nothing)
{
    /* SEM-230, SEM-233. Kills: leaving the callback for later, or losing it. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };

    order[0] = '\0';
    CHECK_EQ(pro_cancellation_register(PRO_TOKEN_NONE, &registration, note_letter, "n"), PRO_OK);
    CHECK(!pro_cancellation_unregister(&registration));
    CHECK(!pro_cancellation_token_can_be_canceled(PRO_TOKEN_NONE));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, note_letter, "y"), PRO_OK);
    CHECK_STR(order, "y");
    CHECK(!pro_cancellation_unregister(&registration));
    pro_cancellation_source_unref(source);
}

/* A thread that runs a pump. */
struct ui {
    struct pro_pump *pump;
    struct proi_thread thread;
    uint64_t id;
};
static void ui_main(void *arg)
{
    struct ui *const ui = arg;

    ui->id = pro_thread_id();
    CHECK_EQ(pro_pump_run(ui->pump), PRO_OK);
}

static uint64_t called_on;
static struct pro_sync_context *called_with;
static void note_where(void *unused)
{
    (void)unused;
    called_on = pro_thread_id();
    called_with = pro_sync_context_current();
}

TEST(a_callback_bound_to_a_context_has_run_there_when_cancel_returns)
{
    /* SEM-237. Kills: posting instead of sending; calling it on the canceller's thread. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };
    struct ui ui = { 0 };
    struct pro_cancellation_callback how = { .callback = note_where };

    REQUIRE(pro_pump_new("ui", &ui.pump) == PRO_OK);
    REQUIRE(proi_thread_start(&ui.thread, "ui", ui_main, &ui, 0) == PRO_OK);
    how.context = pro_pump_context(ui.pump);
    CHECK_EQ(pro_cancellation_register_callback(pro_cancellation_source_token(source), &registration, &how), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(called_on != 0 && called_on != pro_thread_id());
    CHECK(called_with == how.context);
    CHECK_EQ(pro_pump_stop(ui.pump), PRO_OK);
    proi_thread_join(&ui.thread);
    CHECK_EQ(called_on, ui.id);
    CHECK_EQ(pro_pump_free(ui.pump), PRO_OK);
    pro_cancellation_source_unref(source);
}

static struct pro_cancellation_registration inside_out;
static bool ended_at_once;
static void leave_from_inside(void *unused)
{
    struct pro_task *const task = pro_cancellation_unregister_async(&inside_out);

    (void)unused;
    ended_at_once = pro_task_is_completed(task);
    pro_task_unref(task);
    if (ended_at_once) /* else this would wait for itself */
        CHECK(!pro_cancellation_unregister_wait(&inside_out));
}

TEST(a_callback_that_was_sent_to_its_context_does_not_wait_for_itself_there)
{
    /* SEM-235, SEM-237. Kills: taking the canceller, which only waits, for the one that runs the callback. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct ui ui = { 0 };
    struct pro_cancellation_callback how = { .callback = leave_from_inside };

    REQUIRE(pro_pump_new("ui", &ui.pump) == PRO_OK);
    REQUIRE(proi_thread_start(&ui.thread, "ui", ui_main, &ui, 0) == PRO_OK);
    how.context = pro_pump_context(ui.pump);
    CHECK_EQ(pro_cancellation_register_callback(pro_cancellation_source_token(source), &inside_out, &how), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(ended_at_once);
    CHECK_EQ(pro_pump_stop(ui.pump), PRO_OK);
    proi_thread_join(&ui.thread);
    CHECK_EQ(pro_pump_free(ui.pump), PRO_OK);
    pro_cancellation_source_unref(source);
}

TEST(a_linked_source_follows_its_parents_and_they_do_not_follow_it)
{
    /* SEM-239. Kills: a link in both directions; a source linked to a cancelled parent that is not cancelled. */
    struct pro_cancellation_source *const a = cancellation_new(), *const b = cancellation_new();
    const struct pro_cancellation_token tokens[3] = { pro_cancellation_source_token(a), PRO_TOKEN_NONE,
                                                      pro_cancellation_source_token(b) };
    struct pro_cancellation_source *child = NULL, *second = NULL, *late = NULL;

    REQUIRE(pro_cancellation_source_new_linked(tokens, 3, &child) == PRO_OK);
    REQUIRE(pro_cancellation_source_new_linked(tokens, 3, &second) == PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(child), PRO_OK);
    CHECK(!pro_cancellation_token_is_canceled(tokens[0]) && !pro_cancellation_token_is_canceled(tokens[2]));
    CHECK(!pro_cancellation_token_is_canceled(pro_cancellation_source_token(second)));
    CHECK_EQ(pro_cancellation_source_cancel(b), PRO_OK);
    CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(second)));
    CHECK(!pro_cancellation_token_is_canceled(tokens[0]));
    REQUIRE(pro_cancellation_source_new_linked(tokens, 3, &late) == PRO_OK);
    CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(late)));
    pro_cancellation_source_unref(late);
    pro_cancellation_source_unref(second);
    pro_cancellation_source_unref(child);
    pro_cancellation_source_unref(b);
    pro_cancellation_source_unref(a);
}

TEST(the_last_reference_neither_cancels_nor_calls_back)
{
    /* SEM-241. Kills: a release that runs the callbacks; a timer that outlives its source. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };

    order[0] = '\0';
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, note_letter, "z"), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_MS(1)), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_INFINITE), PRO_OK); /* taken back (SEM-240) */
    pro_cancellation_source_unref(source);
    CHECK_STR(order, "");
    CHECK(!pro_cancellation_unregister_wait(&registration)); /* a registration of a source that is gone */
}

static struct gate called;
static void open_called(void *unused)
{
    note_where(unused);
    gate_add(&called);
}

TEST(cancel_after_strikes_on_the_pool_and_a_later_call_moves_it)
{
    /* SEM-240. Kills: the first of two calls striking; callbacks on the background loop's thread. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };
    const uint64_t start = pro_now();

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, open_called, NULL),
             PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_S(3600)), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_MS(2)), PRO_OK);
    gate_wait(&called, 1);
    CHECK(pro_now() - start >= (uint64_t)PRO_MS(2));
    CHECK(called_on != pro_thread_id());
    CHECK(called_with == NULL);
    CHECK(!pro_cancellation_source_try_reset(source)); /* SEM-243 */
    pro_cancellation_unregister_wait(&registration);
    pro_cancellation_source_unref(source);
}

TEST(a_source_that_was_not_cancelled_can_be_used_anew)
{
    /* SEM-243. Kills: a reset that keeps registrations. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };

    order[0] = '\0';
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, note_letter, "r"), PRO_OK);
    CHECK(pro_cancellation_source_try_reset(source));
    CHECK(!pro_cancellation_unregister(&registration));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_STR(order, "");
    pro_cancellation_source_unref(source);
}

TEST(cancel_async_raises_the_level_at_once_and_calls_back_on_the_pool)
{
    /* SEM-242. Kills: callbacks inside the call; a task that does not tell their errors. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration first = { 0 }, second = { 0 };
    struct pro_task *task, *again;

    order[0] = '\0';
    called_on = 0;
    register_failing(source, &first, "e");
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &second, note_where, NULL), PRO_OK);
    task = pro_cancellation_source_cancel_async(source);
    CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(source)));
    again = pro_cancellation_source_cancel_async(source);
    CHECK(pro_task_is_succeeded(again));
    CHECK_EQ(wait_some(task), PRO_E_AGGREGATE);
    CHECK(called_on != pro_thread_id());
    /* The task's own error is the aggregate that Cancel() would throw. */
    CHECK_EQ(pro_error_inner_count(pro_task_error_all(task)), 1);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_AGGREGATE);
    CHECK_STR(pro_error_message(pro_error_inner(pro_task_error(task), 0)), "e");
    pro_task_unref(again);
    pro_task_unref(task);
    pro_cancellation_source_unref(source);
}

/* ---- what a cancellation error does ---- */

struct thrower {
    struct pro_cancellation_token token; /* of the error */
    struct pro_cancellation_source *cancel_first;
};

static struct pro_error *throw_canceled(void *arg, void *ret_result)
{
    const struct thrower *const thrower = arg;

    (void)ret_result;
    if (thrower->cancel_first)
        pro_cancellation_source_cancel(thrower->cancel_first);
    return pro_error_canceled(&thrower->token);
}

static enum pro_task_status status_of_body(struct pro_cancellation_source *given,
                                           struct pro_cancellation_source *thrown, bool cancel)
{
    struct thrower thrower = { pro_cancellation_source_token(thrown), cancel ? given : NULL };
    struct pro_task *const task =
        pro_task_new(throw_canceled, &thrower, PRO_NO_RESULT, pro_cancellation_source_token(given), PRO_TASK_DEFAULT);
    enum pro_task_status status;

    CHECK_EQ(pro_task_run_synchronously(task, NULL), PRO_OK);
    status = pro_task_status(task);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_CANCELED);
    pro_task_unref(task);
    return status;
}

TEST(a_body_is_cancelled_only_by_an_error_of_its_own_cancelled_token)
{
    /* SEM-172. Kills: any of the three conditions left out. */
    for (int i = 0; i < 4; i++) {
        struct pro_cancellation_source *const own = cancellation_new(), *const other = cancellation_new();

        if (i == 0)
            CHECK_EQ(status_of_body(own, own, true), PRO_TASK_CANCELED);
        else if (i == 1)
            CHECK_EQ(status_of_body(own, own, false), PRO_TASK_FAULTED); /* not cancelled */
        else if (i == 2)
            CHECK_EQ(status_of_body(own, other, true), PRO_TASK_FAULTED); /* another's */
        else
            CHECK_EQ(status_of_body(NULL, other, false), PRO_TASK_FAULTED); /* was given none */
        pro_cancellation_source_unref(own);
        pro_cancellation_source_unref(other);
    }
}

static struct pro_task *throw_canceled_async(void *unused)
{
    (void)unused;
    return pro_task_from_canceled(PRO_TOKEN_NONE);
}

TEST(an_async_body_is_cancelled_by_any_cancellation)
{
    /* SEM-089, SEM-173, SEM-174. Kills: asking for the token there, too. */
    struct pro_task *const task = pro_task_run_async(throw_canceled_async, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    struct where where = { 0 };
    struct pro_task *method;

    CHECK_EQ(wait_some(task), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(task));
    method = noting_async(task, PRO_AWAIT_NONE, &where);
    CHECK_EQ(where.status, PRO_E_CANCELED);
    pro_task_unref(method);
}

TEST(set_error_of_a_cancellation_is_a_fault_and_set_canceled_bears_its_token)
{
    /* SEM-176, SEM-177. Kills: looking at the code alone; losing the token on the way to whoever awaits. */
    struct pro_completion_source *const fault = source_new(0), *const cancel = source_new(0);
    struct pro_task *const faulting = pro_completion_source_task(fault), *const canceling =
                                                                             pro_completion_source_task(cancel);
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_completion_source_set_error(fault, pro_error_canceled(&token)), PRO_OK);
    CHECK_EQ(pro_completion_source_set_canceled(cancel, token), PRO_OK);
    CHECK(pro_task_is_faulted(faulting));
    CHECK(pro_task_is_canceled(canceling));
    CHECK(pro_error_is_of_token(pro_task_error(canceling), &token));
    CHECK(pro_task_error(faulting) != NULL && pro_task_error_all(canceling) == NULL);
    pro_task_unref(faulting);
    pro_task_unref(canceling);
    pro_completion_source_free(fault);
    pro_completion_source_free(cancel);
    pro_cancellation_source_unref(source);
}

TEST(an_error_tells_the_token_that_it_bears)
{
    /* Kills: another token than the one it was made with, or one for an error that bears none; a source that goes
     * before the error. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_error *const error = pro_error_canceled(&token), *const plain = test_error("plain");

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    pro_cancellation_source_unref(source); /* the error holds it */
    token = pro_error_token(error);
    CHECK(pro_error_is_of_token(error, &token) && pro_cancellation_token_is_canceled(token));
    CHECK(!pro_cancellation_token_can_be_canceled(pro_error_token(plain)));
    CHECK(!pro_cancellation_token_can_be_canceled(pro_error_token(pro_error_of(PRO_E_CANCELED))));
    pro_error_unref(error);
    pro_error_unref(plain);
}

TEST(a_cancelled_wait_tells_its_own_cancellation_from_the_tasks)
{
    /* SEM-151, SEM-152. Kills: looking at the token before the task; an aggregate where both are cancelled. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_how how = { .token = pro_cancellation_source_token(source) };
    struct pro_completion_source *const pending = source_new(0);
    struct pro_task *const task = pro_completion_source_task(pending), *const gone =
                                                                           pro_task_from_canceled(PRO_TOKEN_NONE);

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(task, how), PRO_E_CANCELED);
    CHECK(!pro_task_is_completed(task));
    CHECK_EQ(PRO_WAIT_HOW(pro_task_completed(), how), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(gone, how), PRO_E_CANCELED);
    CHECK_EQ(PRO_WAIT_HOW(gone, PRO_HOW_DEFAULT), PRO_E_AGGREGATE);
    source_end(pending);
    pro_task_unref(task);
    pro_task_unref(gone);
    pro_cancellation_source_unref(source);
}

TEST(waits_for_all_and_for_any_look_at_their_token_before_the_tasks)
{
    /* SEM-152, 154, 155. Kills: completion that wins there too; an empty list that is never cancelled; a token's end
     * without an error. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_how how = { .token = pro_cancellation_source_token(source) };
    struct pro_task *const done = pro_task_completed(), *const bad = faulted("bad");
    struct pro_error *error = NULL;

    CHECK_EQ(pro_task_wait_all(&done, 1, how, NULL, PRO_HERE), PRO_OK); /* not yet cancelled */
    CHECK_EQ(pro_task_wait_any(&done, 1, how, PRO_HERE), 0);
    CHECK_EQ(pro_task_wait_any(NULL, 0, how, PRO_HERE), PRO_E_TIMEOUT);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_task_wait_all(&done, 1, how, NULL, PRO_HERE), PRO_E_CANCELED);
    CHECK_EQ(pro_task_wait_all(NULL, 0, how, NULL, PRO_HERE), PRO_E_CANCELED);
    CHECK_EQ(pro_task_wait_any(&done, 1, how, PRO_HERE), PRO_E_CANCELED);
    CHECK_EQ(pro_task_wait_any(NULL, 0, how, PRO_HERE), PRO_E_CANCELED);
    CHECK_EQ(pro_task_wait_all(&bad, 1, how, &error, PRO_HERE), PRO_E_CANCELED);
    CHECK(pro_error_is_of_token(error, &how.token));
    pro_error_unref(error);
    CHECK_EQ(PRO_WAIT_HOW(bad, how), PRO_E_AGGREGATE); /* the wait for one is the other way round */
    pro_task_unref(bad);
    pro_cancellation_source_unref(source);
}

TEST(a_wait_tells_a_cancelled_task_by_a_new_error_with_its_token_and_its_own_end_by_its_own_token)
{
    /* SEM-151, SEM-177. Kills: the stored error in an aggregate; a new one without the token; no error for the wait's
     * own token. */
    struct pro_cancellation_source *const source = cancellation_new(), *const of_wait = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    const struct pro_how how = { .token = pro_cancellation_source_token(of_wait) };
    struct pro_completion_source *const pending = source_new(0);
    struct pro_task *const task = pro_completion_source_task(pending), *gone;
    struct pro_error *error = NULL, *one;

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(of_wait), PRO_OK);
    gone = pro_task_from_canceled(token);
    CHECK_EQ(pro_task_wait(gone, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    one = pro_error_inner(error, 0);
    CHECK(one != pro_task_error(gone) && pro_error_is_of_token(one, &token));
    pro_error_unref(error);
    CHECK_EQ(pro_task_wait_all(&gone, 1, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    one = pro_error_inner(error, 0);
    CHECK(one != pro_task_error(gone) && pro_error_is_of_token(one, &token));
    pro_error_unref(error);
    CHECK_EQ(pro_task_get_result(gone, NULL, PRO_NO_RESULT, &error, PRO_HERE), PRO_E_CANCELED);
    CHECK(error == pro_task_error(gone)); /* as await */
    pro_error_unref(error);
    CHECK_EQ(pro_task_wait(task, how, &error, PRO_HERE), PRO_E_CANCELED);
    CHECK(pro_error_is_of_token(error, &how.token));
    pro_error_unref(error);
    source_end(pending);
    pro_task_unref(task);
    pro_task_unref(gone);
    pro_cancellation_source_unref(source);
    pro_cancellation_source_unref(of_wait);
}

static void complete_it(void *source) { source_end(source); }

TEST(cancel_runs_the_continuations_of_what_its_callbacks_complete)
{
    /* SEM-244. Kills: completing from the pool. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_completion_source *const completed = source_new(0);
    struct pro_cancellation_registration registration = { 0 };
    struct where where = { 0 };
    struct pro_task *const method = noting_async(pro_completion_source_task(completed), PRO_AWAIT_NONE, &where);

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, complete_it, completed),
             PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(where.thread, pro_thread_id());
    pro_task_unref(method);
    pro_cancellation_source_unref(source);
}
