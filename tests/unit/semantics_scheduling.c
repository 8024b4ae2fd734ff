/* SPDX-License-Identifier: MIT */
/* SEM-024…026, 043, 260…271: schedulers, what is current, what is captured, what a refusal does. */
#include <proact/async.h>

#include "awaiters/internal.h"
#include "loops.h"
#include "semantics.h"

static struct hand hand;
static struct pro_task_scheduler *seen;
static struct pro_task *nested;

static struct pro_error *look_and_start(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    seen = pro_task_scheduler_current();
    nested = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, NULL);
    return NULL;
}

static struct pro_work *stays; /* in the queue of a scheduler that cannot dequeue */
static bool executed;
static int stay_queue(struct pro_task_scheduler *unused, struct pro_work *work)
{
    (void)unused;
    stays = work;
    return PRO_OK;
}
static bool stay_inline(struct pro_task_scheduler *unused, struct pro_work *work, bool was_queued)
{
    (void)unused, (void)was_queued;
    return executed = pro_task_scheduler_try_execute(work);
}

TEST(executing_an_item_tells_whether_its_task_ran_here)
{
    /* SEM-261, SEM-260. Kills: an answer that is always true, or false for a cancelled one; a body that runs twice; a
     * reference that is lost. */
    static const struct pro_task_scheduler_vtable vtable = { .queue = stay_queue, .try_inline = stay_inline };
    static struct pro_task_scheduler scheduler;
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_task *task;

    REQUIRE(pro_task_scheduler_init(&scheduler, &vtable, "stays") == PRO_OK);
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &scheduler);
    CHECK_EQ(PRO_WAIT(task), PRO_OK); /* inlines */
    CHECK(executed);
    CHECK(!pro_task_scheduler_try_execute(stays));
    pro_task_unref(task);
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &scheduler);
    CHECK(pro_task_scheduler_try_execute(stays));
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, token, PRO_TASK_DEFAULT, &scheduler);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_scheduler_try_execute(stays));
    CHECK(pro_task_is_canceled(task));
    pro_task_unref(task);
    pro_cancellation_source_unref(source);
    CHECK_EQ(scheduler.references, 1);
}

TEST(the_scheduler_of_a_running_body_is_current_and_takes_what_it_starts)
{
    /* SEM-026, SEM-262. Kills: a nested StartNew that goes to the pool. */
    struct pro_task *task;

    hand_open(&hand);
    task = pro_task_start_new(look_and_start, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK(hand_run_one(&hand));
    CHECK(seen == &hand.base);
    CHECK_EQ(hand.count, 1);
    CHECK(hand_run_one(&hand));
    CHECK(pro_task_is_succeeded(nested));
    CHECK(pro_task_scheduler_current() == pro_task_scheduler_default());
    pro_task_unref(nested);
    pro_task_unref(task);
}

TEST(a_hidden_scheduler_is_neither_current_nor_captured)
{
    /* SEM-265. Kills: ignoring the option. */
    struct pro_task *task;

    hand_open(&hand);
    task = pro_task_start_new(look_and_start, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_HIDE_SCHEDULER, &hand.base);
    CHECK(hand_run_one(&hand));
    CHECK(seen == pro_task_scheduler_default());
    CHECK_EQ(hand.count, 0);
    CHECK_EQ(wait_some(nested), PRO_OK);
    pro_task_unref(nested);
    pro_task_unref(task);
}

static struct pro_completion_source *awaited;
static struct where resumed;
static struct pro_task *method;

static struct pro_error *start_method(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    method = noting_async(pro_completion_source_task(awaited), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, &resumed);
    return NULL;
}

TEST(an_await_under_a_scheduler_comes_back_through_its_queue)
{
    /* SEM-043, SEM-260, SEM-271. Kills: running it where it was completed; from a plain thread, asking to inline first.
     */
    struct pro_task *task;

    hand_open(&hand);
    hand.inlines = true;
    awaited = source_new(0);
    resumed = (struct where){ 0 };
    task = pro_task_start_new(start_method, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK(hand_run_one(&hand));
    source_end(awaited);
    CHECK_EQ(hand.offered, 0);
    CHECK_EQ(hand.count, 1);
    CHECK_EQ(gate_count(&resumed.gate), 0);
    CHECK(hand_run_one(&hand));
    CHECK(resumed.scheduler == &hand.base);
    CHECK(pro_task_is_succeeded(method));
    pro_task_unref(method);
    pro_task_unref(task);
}

static struct pro_sync_context derived;
static struct pro_error *start_method_with_context(void *unused, void *ret_result)
{
    pro_sync_context_set(&derived);
    return start_method(unused, ret_result);
}

static struct pro_work *posted;
static int keep_post(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    posted = work;
    return PRO_OK;
}

TEST(a_context_shadows_the_scheduler)
{
    /* SEM-025, SEM-116. Kills: capturing both, or the scheduler first; a body's context that stays on the thread. */
    static const struct pro_sync_context_vtable vtable = { .post = keep_post };
    struct pro_task *task;

    hand_open(&hand);
    awaited = source_new(0);
    resumed = (struct where){ 0 };
    REQUIRE(pro_sync_context_init(&derived, &vtable, "derived") == PRO_OK);
    task = pro_task_start_new(start_method_with_context, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT,
                              &hand.base);
    CHECK(hand_run_one(&hand));
    CHECK(pro_sync_context_current() == NULL);
    source_end(awaited);
    CHECK_EQ(hand.count, 0);
    REQUIRE(posted != NULL);
    pro_work_run(posted);
    CHECK(resumed.scheduler == pro_task_scheduler_default());
    pro_task_unref(method);
    pro_task_unref(task);
}

TEST(a_scheduler_that_refuses_a_task_faults_it_and_nobody_need_look)
{
    /* SEM-267. Kills: a task left pending; its error told as unobserved; an answer of PRO_OK. */
    struct pro_task *task;

    hand_open(&hand);
    hand.refuses = true;
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK(pro_task_is_faulted(task));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_SCHEDULER);
    pro_task_unref(task);
    task = pro_task_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);
    CHECK_EQ(pro_task_start(task, &hand.base), PRO_E_SCHEDULER);
    CHECK(pro_task_is_faulted(task));
    pro_task_unref(task);
}

static unsigned unhandled;
static struct pro_error *then_nothing(struct pro_task *antecedent, void *unused, void *ret_result)
{
    (void)antecedent, (void)unused, (void)ret_result;
    return NULL;
}
static void count_unhandled(struct pro_error *error, void *user)
{
    (void)error, (void)user;
    unhandled++;
}

TEST(a_scheduler_that_refuses_a_continuation_is_told_as_unhandled)
{
    /* SEM-268, as it should be. Kills: losing it in silence, as .NET does. */
    struct pro_task *task;

    hand_open(&hand);
    awaited = source_new(0);
    resumed = (struct where){ 0 };
    pro_set_unhandled_handler(count_unhandled, NULL);
    task = pro_task_start_new(start_method, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK(hand_run_one(&hand));
    hand.refuses = true;
    source_end(awaited);
    pro_set_unhandled_handler(NULL, NULL);
    CHECK_EQ(unhandled, 1);
    CHECK(!pro_task_is_completed(method));
    CHECK_EQ(method->references, 1); /* ours: that of the frame went with its continuation */
    pro_task_unref(method);
    pro_task_unref(task);
    CHECK_EQ(hand.base.references, 1);
}

/* ---- a scheduler that says it has run what it was offered, and has not ---- */

static struct pro_work *taken;
static bool lie(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)scheduler;
    taken = was_queued ? NULL : work;
    return true;
}
static const struct pro_task_scheduler_vtable lying_vtable = { .queue = hand_queue, .try_inline = lie };

static void check_lie(const struct pro_error *error)
{
    CHECK_EQ(pro_error_code(error), PRO_E_SCHEDULER);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 0)), PRO_E_STATE);
    CHECK(strstr(pro_error_message(pro_error_inner(error, 0)), "\"liar\"") != NULL);
}

TEST(a_scheduler_that_claims_to_have_run_a_task_is_found_out_by_who_waits)
{
    /* SEM-149. Kills: waiting on for a task that nobody runs; a lie that costs the task its place in the queue. */
    struct pro_error *error = NULL;
    struct pro_task *task;

    hand_open(&hand);
    REQUIRE(pro_task_scheduler_init(&hand.base, &lying_vtable, "liar") == PRO_OK);
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK_EQ(pro_task_wait(task, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_SCHEDULER);
    check_lie(error);
    pro_error_unref(error);
    error = NULL;
    CHECK_EQ(pro_task_wait_all(&task, 1, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_SCHEDULER);
    check_lie(error);
    pro_error_unref(error);
    CHECK_EQ(pro_task_status(task), PRO_TASK_WAITING_TO_RUN);
    CHECK_EQ(pro_task_wait(task, PRO_WITHIN(PRO_MS(1)), NULL, PRO_HERE), PRO_E_TIMEOUT); /* a limited one never asks */
    CHECK(hand_run_one(&hand));
    CHECK(pro_task_is_succeeded(task));
    CHECK_EQ(task->references, 1);
    pro_task_unref(task);
}

TEST(a_task_that_its_scheduler_only_claims_to_have_run_faults_when_it_was_never_queued)
{
    /* SEM-149. Kills: a task that stays WaitingToRun for ever, run-synchronously's and the continuation's. */
    struct pro_task *task, *antecedent;
    struct pro_completion_source *const source = source_new(0);

    hand_open(&hand);
    REQUIRE(pro_task_scheduler_init(&hand.base, &lying_vtable, "liar") == PRO_OK);
    task = pro_task_new(body_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);
    CHECK_EQ(pro_task_run_synchronously(task, &hand.base), PRO_E_SCHEDULER);
    check_lie(pro_task_error(task));
    pro_work_run(taken); /* too late: a no-op, which gives up what it took */
    CHECK_EQ(task->references, 1);
    pro_task_unref(task);

    antecedent = pro_completion_source_task(source);
    task = pro_task_then(antecedent, then_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_THEN_EXECUTE_SYNCHRONOUSLY,
                         &hand.base);
    source_end(source);
    check_lie(pro_task_error(task));
    pro_work_run(taken);
    CHECK_EQ(task->references, 1);
    pro_task_unref(task);
    pro_task_unref(antecedent);
    CHECK_EQ(hand.count, 0);
    CHECK_EQ(hand.base.references, 1);
}

TEST(cancelling_a_queued_task_takes_it_out_of_the_queue)
{
    /* SEM-175, SEM-270. Kills: not asking; completing it only when its turn comes. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_task *task;

    hand_open(&hand);
    task = pro_task_start_new(body_nothing, NULL, PRO_NO_RESULT, pro_cancellation_source_token(source),
                              PRO_TASK_DEFAULT, &hand.base);
    CHECK_EQ(hand.count, 1);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(hand.count, 0);
    CHECK(pro_task_is_canceled(task));
    pro_task_unref(task);
    pro_cancellation_source_unref(source);
}

static unsigned runs;
static struct pro_error *count_run(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    runs++;
    return NULL;
}

TEST(an_unlimited_wait_asks_the_tasks_scheduler_and_a_limited_one_does_not)
{
    /* SEM-142, SEM-143, SEM-148, SEM-261. Kills: asking in either case; running it twice. */
    struct pro_task *task;

    hand_open(&hand);
    hand.inlines = true;
    runs = 0;
    task = pro_task_start_new(count_run, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(1)), PRO_E_TIMEOUT);
    CHECK_EQ(hand.offered, 0);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK_EQ(hand.offered, 1);
    CHECK(!hand_run_one(&hand));
    CHECK_EQ(runs, 1);
    pro_task_unref(task);
}

/* ---- timers and the pool ---- */

static struct gate inside, leave, left;
static void hold_the_thread(void *unused)
{
    (void)unused;
    gate_add(&inside);
    gate_wait(&leave, 1);
    gate_add(&left);
}

static void open_gate(void *gate) { gate_add(gate); }

TEST(a_cancel_after_needs_a_free_thread_of_the_pool)
{
    /* SEM-204. Kills: callbacks on the thread that minds the timers. Time is the subject: 20 ms pass on a loop of our
     * own. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    struct gate called = { 0 };

    CHECK_EQ(pro_pool_set_min_threads(1), PRO_OK);
    CHECK_EQ(pro_pool_set_max_threads(1), PRO_OK);
    CHECK_EQ(pro_pool_post(hold_the_thread, NULL), PRO_OK);
    gate_wait(&inside, 1);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, open_gate, &called),
             PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_MS(1)), PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_sleep(&op, loop, PRO_MS(20), PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(gate_count(&called), 0);
    gate_add(&leave);
    gate_wait(&called, 1);
    gate_wait(&left, 1);
    pro_cancellation_unregister_wait(&registration);
    pro_cancellation_source_unref(source);
    loop_end(loop);
}
