/* SPDX-License-Identifier: MIT */
/* SEM-070…077: ContinueWith. */
#include <proact/async.h>

#include "semantics.h"

static uint64_t ran_on;

static struct pro_error *note_thread(struct pro_task *antecedent, void *ret_status, void *ret_result)
{
    (void)ret_result;
    ran_on = pro_thread_id();
    if (ret_status)
        *(enum pro_task_status *)ret_status = pro_task_status(antecedent);
    return NULL;
}

static struct pro_task *then(struct pro_task *task, unsigned options, struct pro_task_scheduler *scheduler)
{
    return pro_task_then(task, note_thread, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, options, scheduler);
}

static struct pro_task *inner;
static struct pro_error *start_then(void *task, void *ret_result)
{
    (void)ret_result;
    inner = then(task, PRO_THEN_DEFAULT, NULL);
    return NULL;
}

TEST(a_continuation_goes_to_the_scheduler_that_is_current_at_the_call)
{
    /* SEM-070. Kills: taking the pool, or the scheduler of the completion. */
    struct hand hand;
    struct pro_task *done = pro_task_completed(), *outer;

    hand_open(&hand);
    outer = pro_task_start_new(start_then, done, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &hand.base);
    CHECK(hand_run_one(&hand));
    CHECK_EQ(hand.count, 1);
    CHECK_EQ(pro_task_status(inner), PRO_TASK_WAITING_TO_RUN);
    CHECK(hand_run_one(&hand));
    CHECK(pro_task_is_succeeded(inner));
    pro_task_unref(inner);
    pro_task_unref(outer);
}

TEST(without_execute_synchronously_it_is_always_queued)
{
    /* SEM-071, SEM-003. Kills: running it here because the antecedent is complete; a wrong status before. */
    struct hand hand;
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_task *continuation;

    hand_open(&hand);
    hand.inlines = true;
    continuation = then(task, PRO_THEN_DEFAULT, &hand.base);
    CHECK_EQ(pro_task_status(continuation), PRO_TASK_WAITING_FOR_ACTIVATION);
    source_end(source);
    CHECK_EQ(pro_task_status(continuation), PRO_TASK_WAITING_TO_RUN);
    CHECK_EQ(hand.offered, 0);
    CHECK(hand_run_one(&hand));
    pro_task_unref(continuation);
    continuation = then(task, PRO_THEN_DEFAULT, &hand.base);
    CHECK_EQ(hand.count, 1);
    CHECK(hand_run_one(&hand));
    pro_task_unref(continuation);
    pro_task_unref(task);
}

TEST(execute_synchronously_is_a_question_to_the_scheduler)
{
    /* SEM-072. Kills: running it here on a scheduler that refuses to inline. */
    struct hand hand;
    struct pro_task *continuation;

    hand_open(&hand);
    continuation = then(pro_task_completed(), PRO_THEN_EXECUTE_SYNCHRONOUSLY, &hand.base);
    CHECK_EQ(hand.offered, 1);
    CHECK_EQ(hand.count, 1);
    CHECK(hand_run_one(&hand));
    pro_task_unref(continuation);
    hand.inlines = true;
    ran_on = 0;
    continuation = then(pro_task_completed(), PRO_THEN_EXECUTE_SYNCHRONOUSLY, &hand.base);
    CHECK(pro_task_is_succeeded(continuation));
    CHECK_EQ(ran_on, pro_thread_id());
    pro_task_unref(continuation);
}

TEST(asynchronous_continuations_of_the_antecedent_win_unless_it_is_complete)
{
    /* SEM-073. Kills: either half. */
    struct pro_completion_source *const source = source_new(PRO_TASK_ASYNC_CONTINUATIONS);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_task *continuation = then(task, PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);

    source_end(source);
    CHECK_EQ(wait_some(continuation), PRO_OK);
    CHECK(ran_on != pro_thread_id());
    pro_task_unref(continuation);
    continuation = then(task, PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);
    CHECK(pro_task_is_succeeded(continuation));
    CHECK_EQ(ran_on, pro_thread_id());
    pro_task_unref(continuation);
    pro_task_unref(task);
}

TEST(a_condition_that_is_not_met_cancels_it_and_what_hangs_on_it)
{
    /* SEM-074. Kills: an outcome matched with the wrong condition; faulting instead of cancelling. */
    static const struct {
        unsigned options;
        bool after_success, after_fault, after_cancel;
    } rows[] = {
        { PRO_THEN_NOT_ON_SUCCESS, false, true, true }, { PRO_THEN_NOT_ON_FAULT, true, false, true },
        { PRO_THEN_NOT_ON_CANCEL, true, true, false },  { PRO_THEN_ONLY_ON_SUCCESS, true, false, false },
        { PRO_THEN_ONLY_ON_FAULT, false, true, false }, { PRO_THEN_ONLY_ON_CANCEL, false, false, true },
    };
    struct pro_task *outcomes[3] = { pro_task_completed(), faulted("f"), pro_task_from_canceled(PRO_TOKEN_NONE) };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int k = 0; k < 3; k++) {
            const bool met = k == 0 ? rows[i].after_success : k == 1 ? rows[i].after_fault : rows[i].after_cancel;
            struct pro_task *const first = then(outcomes[k], rows[i].options | PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);
            struct pro_task *const next = then(first, PRO_THEN_ONLY_ON_CANCEL | PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);

            CHECK_EQ(pro_task_status(first), met ? PRO_TASK_RAN_TO_COMPLETION : PRO_TASK_CANCELED);
            CHECK_EQ(pro_task_status(next), met ? PRO_TASK_CANCELED : PRO_TASK_RAN_TO_COMPLETION);
            pro_task_unref(first);
            pro_task_unref(next);
        }
    CHECK(pro_task_error(outcomes[1]) != NULL);
    pro_task_unref(outcomes[1]);
    pro_task_unref(outcomes[2]);
}

TEST(a_token_cancels_it_at_once_unless_cancellation_is_lazy)
{
    /* SEM-075. Kills: waiting for the antecedent without, or not waiting for it with, the option. */
    struct pro_completion_source *const source = source_new(0);
    struct pro_cancellation_source *const cancellation = cancellation_new();
    struct pro_task *const task = pro_completion_source_task(source);
    const struct pro_cancellation_token token = pro_cancellation_source_token(cancellation);
    struct pro_task *const eager = pro_task_then(task, note_thread, NULL, PRO_NO_RESULT, token, PRO_THEN_DEFAULT, NULL);
    struct pro_task *const lazy =
        pro_task_then(task, note_thread, NULL, PRO_NO_RESULT, token, PRO_THEN_LAZY_CANCELLATION, NULL);

    CHECK_EQ(pro_cancellation_source_cancel(cancellation), PRO_OK);
    CHECK(pro_task_is_canceled(eager));
    CHECK(pro_error_is_of_token(pro_task_error(eager), &token));
    CHECK(!pro_task_is_completed(lazy));
    source_end(source);
    CHECK_EQ(wait_some(lazy), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(lazy));
    pro_task_unref(eager);
    pro_task_unref(lazy);
    pro_task_unref(task);
    pro_cancellation_source_unref(cancellation);
}

TEST(its_outcome_is_its_own)
{
    /* SEM-076. Kills: passing the antecedent's error on. */
    enum pro_task_status seen = PRO_TASK_CREATED;
    struct pro_task *const failed = faulted("f");
    struct pro_task *const continuation =
        pro_task_then(failed, note_thread, &seen, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);

    CHECK(pro_task_is_succeeded(continuation));
    CHECK_EQ(seen, PRO_TASK_FAULTED);
    CHECK(pro_task_error(failed) != NULL);
    pro_task_unref(continuation);
    pro_task_unref(failed);
}

TEST(a_scheduler_that_refuses_faults_it_and_leaves_the_completer_alone)
{
    /* SEM-077. Kills: an error that reaches the completer; a continuation that stays pending. */
    struct hand hand;
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_task *continuation;

    hand_open(&hand);
    hand.refuses = true;
    continuation = then(task, PRO_THEN_DEFAULT, &hand.base);
    source_end(source); /* checks PRO_OK */
    CHECK(pro_task_is_faulted(continuation));
    CHECK_EQ(pro_error_code(pro_task_error(continuation)), PRO_E_SCHEDULER);
    pro_task_unref(continuation);
    pro_task_unref(task);
}
