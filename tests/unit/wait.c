/* SPDX-License-Identifier: MIT */
/* Blocking waits: their outcomes, their limits, and the wait that could never end. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

static struct pro_cancellation_source *canceller_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

/* ---- outcomes ---- */

TEST(each_form_of_waiting_gives_the_outcome_in_its_own_way)
{
    // Kills: an aggregate where the first error belongs, or the reverse (SEM-141).
    const int number = 4;
    struct pro_task *const good = pro_task_from_result(&number, PRO_TYPE(int));
    struct pro_task *const bad = pro_task_from_error(pro_error_new(PRO_E_USER - 2, PRO_HERE, "bad"));
    struct pro_task *const canceled = pro_task_from_canceled(PRO_TOKEN_NONE);
    struct pro_error *error = NULL;
    int value = 0;

    CHECK_EQ(PRO_WAIT(good), PRO_OK);
    CHECK_EQ(PRO_RESULT(good, &value), PRO_OK);
    CHECK_EQ(value, 4);
    CHECK_EQ(PRO_GET_RESULT(good, &value), PRO_OK);
    CHECK_EQ(pro_task_wait(bad, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_inner_count(error), 1);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 0)), PRO_E_USER - 2);
    pro_error_unref(error);
    error = NULL;
    CHECK_EQ(pro_task_get_result(bad, &value, PRO_TYPE(int), &error, PRO_HERE), PRO_E_USER - 2);
    CHECK(error == pro_task_error(bad));
    pro_error_unref(error);
    error = NULL;
    CHECK_EQ(pro_task_result(canceled, &value, PRO_TYPE(int), &error, PRO_HERE), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 0)), PRO_E_CANCELED);
    pro_error_unref(error);
    CHECK_EQ(PRO_GET_RESULT(canceled, &value), PRO_E_CANCELED);
    pro_task_unref(good);
    pro_task_unref(bad);
    pro_task_unref(canceled);
}

/* ---- limits ---- */

TEST(a_limited_wait_ends_and_leaves_the_task_alone)
{
    // Kills: a limit that is not looked at; a waiter that stays in the task's list (SEM-151, 153).
    struct pro_cancellation_source *const canceller = canceller_new();
    const struct pro_how by_token = { .token = pro_cancellation_source_token(canceller) };
    struct pro_task *task;
    struct pro_completion_source *const source = source_new(&task);
    const uint64_t start = pro_now();
    const int value = 1;

    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(PRO_MS(20))), PRO_E_TIMEOUT);
    CHECK(pro_now() - start >= (uint64_t)PRO_MS(20));
    CHECK_EQ(PRO_WAIT_HOW(task, (struct pro_how){ .deadline_ns = 1 }), PRO_E_TIMEOUT);
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(task, by_token), PRO_E_CANCELED);
    CHECK_EQ(pro_task_status(task), PRO_TASK_WAITING_FOR_ACTIVATION);
    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(task, by_token), PRO_OK); /* complete wins over a cancelled token (SEM-152) */
    CHECK_EQ(PRO_WAIT_HOW(task, (struct pro_how){ .deadline_ns = 1 }), PRO_OK);
    pro_task_unref(task);
    pro_completion_source_free(source);
    pro_cancellation_source_unref(canceller);
}

TEST(a_timeout_of_0_is_at_once_and_one_of_minus_1_for_ever_as_in_c_sharp)
{
    // Kills: 0 taken for "no limit", which hangs here; -1 refused; -2 taken.
    static const int value = 1;
    struct pro_task *task;
    struct pro_completion_source *const source = source_new(&task);
    struct pro_how how;

    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(0)), PRO_E_TIMEOUT);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_AT_ONCE), PRO_E_TIMEOUT);
    CHECK_EQ(pro_task_wait_all(&task, 1, PRO_WITHIN(0), NULL, PRO_HERE), PRO_E_TIMEOUT);
    CHECK_EQ(pro_task_wait_any(&task, 1, PRO_WITHIN(0), PRO_HERE), PRO_E_TIMEOUT);
    told_listen();
    CHECK_MISUSE(PRO_WAIT_HOW(task, PRO_WITHIN(-2)), PRO_E_INVALID);
    told_stop();
    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(0)), PRO_OK);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(PRO_INFINITE)), PRO_OK);
    how = PRO_WITHIN(PRO_INFINITE);
    CHECK(!how.timeout_ns && !how.deadline_ns && !how.token.source);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

struct ending {
    struct pro_cancellation_source *canceller;
    struct pro_completion_source *source;
};

static void no_line(const char *line, void *user) { (void)line, (void)user; }

static void end_when_blocked(void *arg)
{
    struct ending *const it = arg;
    const int value = 9;

    while (!pro_report_blocked(no_line, NULL))
        ;
    if (it->canceller)
        CHECK_EQ(pro_cancellation_source_cancel(it->canceller), PRO_OK);
    if (it->source)
        CHECK_EQ(pro_completion_source_set_result(it->source, &value, PRO_TYPE(int)), PRO_OK);
}

TEST(a_blocked_thread_is_freed_by_its_token_or_its_task)
{
    // Kills: a wake that goes nowhere; a cancellation that is taken for completion.
    for (int by_token = 0; by_token < 2; by_token++) {
        struct pro_task *task;
        struct pro_completion_source *const source = source_new(&task);
        struct pro_cancellation_source *const canceller = canceller_new();
        struct ending ending = { by_token ? canceller : NULL, by_token ? NULL : source };
        const struct pro_how how = { .token = pro_cancellation_source_token(canceller) };
        struct proi_thread thread;

        REQUIRE(proi_thread_start(&thread, "ender", end_when_blocked, &ending, 0) == PRO_OK);
        CHECK_EQ(PRO_WAIT_HOW(task, how), by_token ? PRO_E_CANCELED : PRO_OK);
        proi_thread_join(&thread);
        pro_task_unref(task);
        pro_completion_source_free(source);
        pro_cancellation_source_unref(canceller);
    }
}

/* ---- several ---- */

TEST(waiting_for_all_gives_all_their_errors)
{
    // Kills: a wait that ends with the first failure; cancellations that are left out (SEM-154).
    struct pro_task *tasks[4] = { pro_task_completed(), pro_task_from_error(pro_error_of(PRO_E_IO)),
                                  pro_task_from_canceled(PRO_TOKEN_NONE),
                                  pro_task_from_error(pro_error_of(PRO_E_RESET)) };
    struct pro_error *error = NULL;

    CHECK_EQ(pro_task_wait_all(tasks, 1, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_OK);
    CHECK(error == NULL);
    CHECK_EQ(pro_task_wait_all(tasks, 4, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_inner_count(error), 3);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 0)), PRO_E_IO);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 1)), PRO_E_CANCELED);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 2)), PRO_E_RESET);
    pro_error_unref(error);
    for (int i = 1; i < 4; i++)
        pro_task_unref(tasks[i]);
}

TEST(waiting_for_all_or_any_has_a_limit_over_all)
{
    // Kills: a limit that begins anew for each task.
    struct pro_task *tasks[3];
    struct pro_completion_source *sources[3];
    const uint64_t start = pro_now();

    for (int i = 0; i < 3; i++)
        sources[i] = source_new(&tasks[i]);
    CHECK_EQ(pro_task_wait_all(tasks, 3, PRO_WITHIN(PRO_MS(20)), NULL, PRO_HERE), PRO_E_TIMEOUT);
    CHECK_EQ(pro_task_wait_any(tasks, 3, PRO_WITHIN(PRO_MS(20)), PRO_HERE), PRO_E_TIMEOUT);
    CHECK(pro_now() - start >= (uint64_t)PRO_MS(40));
    for (int i = 0; i < 3; i++) {
        pro_task_unref(tasks[i]);
        pro_completion_source_free(sources[i]);
    }
}

TEST(waiting_for_any_gives_the_lowest_that_is_complete_and_never_its_error)
{
    // Kills: the index of the last; a task's error as the wait's (SEM-155).
    struct pro_task *pending;
    struct pro_completion_source *const source = source_new(&pending);
    struct pro_task *const bad = pro_task_from_error(pro_error_of(PRO_E_IO));
    struct pro_task *const tasks[4] = { pending, pending, bad, pro_task_completed() };
    struct ending ending = { NULL, source };
    struct proi_thread thread;

    pro_task_error(bad);
    CHECK_EQ(pro_task_wait_any(tasks, 4, PRO_HOW_DEFAULT, PRO_HERE), 2);
    REQUIRE(proi_thread_start(&thread, "ender", end_when_blocked, &ending, 0) == PRO_OK);
    CHECK_EQ(pro_task_wait_any(tasks, 2, PRO_HOW_DEFAULT, PRO_HERE), 0);
    proi_thread_join(&thread);
    pro_task_unref(pending);
    pro_task_unref(bad);
    pro_completion_source_free(source);
}

/* ---- the wait that could never end ---- */

enum shape {
    OWN_OP,       /* awaits an operation of the loop                                */
    OWN_OP_FREE,  /* the same with configure_await(false), which does not cure it   */
    CAPTURED,     /* awaits something from outside, and captured the loop's context */
    UNCAPTURED,   /* the same with configure_await(false): live                     */
    YIELDED,      /* gave way to the loop                                           */
    SWITCHED,     /* went to the pool: live                                         */
    SWITCHED_THEN /* went to the pool, and waits there: live                        */
};

struct shaped {
    PRO_FRAME;
    struct pro_op op;
    enum shape shape;
    struct pro_task *outside; /* borrowed */
};

PRO_ASYNC(shaped_move_next, struct shaped, self)
    if (self->shape == OWN_OP)
        PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT));
    if (self->shape == OWN_OP_FREE)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT), PRO_AWAIT_NONE));
    if (self->shape == CAPTURED)
        PRO_AWAIT(pro_borrow(self->outside));
    if (self->shape == UNCAPTURED)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->outside), PRO_AWAIT_NONE));
    if (self->shape == YIELDED)
        PRO_AWAIT(pro_yield());
    if (self->shape == SWITCHED || self->shape == SWITCHED_THEN)
        PRO_AWAIT(pro_switch_to(NULL));
    if (self->shape == SWITCHED_THEN)
        PRO_AWAIT(pro_borrow(self->outside));
PRO_ASYNC_END

static struct pro_task *shaped_async(enum shape shape, struct pro_task *outside)
{
    struct shaped *const self = PRO_NEW_FRAME_VOID(struct shaped, shaped_move_next);

    REQUIRE(self != NULL);
    self->shape = shape;
    self->outside = outside;
    return PRO_START(self);
}

static struct pro_error *complete_later(void *arg, void *ret_result)
{
    (void)ret_result;
    end_when_blocked(arg);
    return NULL;
}

struct waiting {
    enum shape shape;
    int expected;
    void (*wait)(struct waiting *it);
    struct pro_task *task, *outside;
    struct ending ending;
};

static void wait_for_one(struct waiting *it) { CHECK_EQ(PRO_WAIT(it->task), it->expected); }

static void wait_through_combinators(struct waiting *it)
{
    struct pro_task *const outer = it->outside, *pair[2] = { outer, it->task };
    struct pro_task *const all = pro_when_all(pair, 2), *const any = pro_when_any(pair, 2),
                           *const own = pro_when_any(&it->task, 1);

    /* All needs this thread although another might do its part; any does not. */
    CHECK_EQ(PRO_WAIT(all), PRO_E_DEADLOCK);
    CHECK_EQ(PRO_WAIT(own), PRO_E_DEADLOCK);
    CHECK_EQ(pro_task_wait_any(&pair[1], 1, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_DEADLOCK);
    CHECK_EQ(PRO_WAIT(any), PRO_OK); /* the other one is completed as soon as this thread blocks */
    CHECK_EQ(pro_task_wait_all(pair, 2, PRO_WITHIN(PRO_MS(1)), NULL, PRO_HERE),
             PRO_E_TIMEOUT); /* a limit: it does end */
    pro_task_unref(all);
    pro_task_unref(any);
    pro_task_unref(own);
}

static void wait_on_loop(void *arg)
{
    struct waiting *const it = arg;
    struct pro_completion_source *const source = source_new(&it->outside);
    struct pro_task *helper = NULL;

    it->task = shaped_async(it->shape, it->outside);
    it->ending = (struct ending){ NULL, source };
    if (it->shape == UNCAPTURED || it->shape == SWITCHED_THEN || it->wait == wait_through_combinators)
        helper = pro_task_run(complete_later, &it->ending, PRO_NO_RESULT, PRO_TOKEN_NONE);
    it->wait(it);
    if (!helper) {
        const int value = 0;

        CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    }
    CHECK_EQ(pro_loop_run_until(pro_loop_current(), it->task), PRO_OK); /* the cure */
    if (helper)
        CHECK_EQ(pro_loop_run_until(pro_loop_current(), helper), PRO_OK);
    CHECK(pro_task_is_succeeded(it->task));
    pro_task_unref(helper);
    pro_task_unref(it->task);
    pro_task_unref(it->outside);
    pro_completion_source_free(source);
}

static void check_wait(enum shape shape, int expected, void (*wait)(struct waiting *it))
{
    struct pro_loop *const loop = loop_new();
    struct waiting it = { .shape = shape, .expected = expected, .wait = wait };

    CHECK_EQ(pro_loop_post(loop, wait_on_loop, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    loop_end(loop);
}

TEST(a_wait_on_ones_own_loop_for_what_only_it_can_finish_answers_deadlock)
{
    // Kills: a wait that hangs for ever (its own op; a captured context; a step queued to this thread).
    check_wait(OWN_OP, PRO_E_DEADLOCK, wait_for_one);
    check_wait(OWN_OP_FREE, PRO_E_DEADLOCK, wait_for_one);
    check_wait(CAPTURED, PRO_E_DEADLOCK, wait_for_one);
    check_wait(YIELDED, PRO_E_DEADLOCK, wait_for_one);
}

static void wait_for_cancelable(void *arg)
{
    struct ending *const it = arg;
    struct pro_task *const delay = pro_delay(PRO_S(3600), pro_cancellation_source_token(it->canceller));
    struct pro_task *const chain = shaped_async(UNCAPTURED, delay);
    struct pro_task *const helper = pro_task_run(complete_later, it, PRO_NO_RESULT, PRO_TOKEN_NONE);

    CHECK_EQ(PRO_WAIT(chain), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(chain));
    CHECK_EQ(PRO_WAIT(helper), PRO_OK);
    pro_task_unref(helper);
    pro_task_unref(chain);
    pro_task_unref(delay);
}

TEST(a_wait_for_a_delay_that_another_thread_may_cancel_is_no_deadlock)
{
    // Kills: the verdict by the loop of the delay's timer, when its token ends it without that loop (SEM-300).
    struct pro_loop *const loop = loop_new();
    struct ending ending = { .canceller = canceller_new() };

    CHECK_EQ(pro_loop_post(loop, wait_for_cancelable, &ending), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    loop_end(loop);
    pro_cancellation_source_unref(ending.canceller);
}

TEST(a_wait_on_a_loop_for_the_work_of_other_threads_waits)
{
    // Kills: a verdict by where the task was started, and not by what it needs.
    check_wait(UNCAPTURED, PRO_OK, wait_for_one);
    check_wait(SWITCHED, PRO_OK, wait_for_one);
    check_wait(SWITCHED_THEN, PRO_OK, wait_for_one);
}

TEST(the_deadlock_is_seen_through_combinators)
{
    // Kills: a walk that stops at when-all; one that takes any for all.
    check_wait(OWN_OP, PRO_E_DEADLOCK, wait_through_combinators);
}

static void wait_for_chain(struct waiting *it)
{
    struct pro_task *chain[5];

    chain[0] = pro_borrow(it->task);
    for (int i = 1; i < 5; i++)
        chain[i] = shaped_async(UNCAPTURED, chain[i - 1]);
    CHECK_EQ(PRO_WAIT(chain[4]), PRO_E_DEADLOCK);
    CHECK_EQ(pro_loop_run_until(pro_loop_current(), chain[4]), PRO_OK);
    for (int i = 0; i < 5; i++)
        pro_task_unref(chain[i]);
}

TEST(the_deadlock_is_seen_through_a_chain_of_methods)
{
    // Kills: a walk of one step.
    check_wait(OWN_OP, PRO_E_DEADLOCK, wait_for_chain);
}

/* ---- taking it back ---- */

enum { TRIES = 200 };

struct hammer {
    struct pro_completion_source *source;
    struct gate ready;
};

static void complete_soon(void *arg)
{
    struct hammer *const it = arg;
    const int value = 1;

    gate_wait(&it->ready, 1);
    pro_completion_source_set_result(it->source, &value, PRO_TYPE(int));
}

TEST(a_limit_that_meets_the_completion_leaves_nothing_on_the_stack_behind)
{
    // Kills: a wait that returns while the completer still has its waiter.
    for (int round = 0; round < TRIES; round++) {
        struct pro_task *task;
        struct hammer it = { source_new(&task), { 0 } };
        struct proi_thread thread;
        int code;

        REQUIRE(proi_thread_start(&thread, "completer", complete_soon, &it, 0) == PRO_OK);
        gate_add(&it.ready);
        do
            code = PRO_WAIT_HOW(task, PRO_WITHIN(PRO_US(3)));
        while (code == PRO_E_TIMEOUT);
        CHECK_EQ(code, PRO_OK);
        proi_thread_join(&thread);
        pro_task_unref(task);
        pro_completion_source_free(it.source);
    }
}
