/* SPDX-License-Identifier: MIT */
/* docs/loop-order.md, sentence by sentence, on every backend. What happens is noted as words in a line, and the line is
 * compared. */
#include "unit/loop_order.h"
#include "order_sentences.h"

/* ---- starting and delivering ---- */

SENTENCE(order_1_nothing_is_delivered_inside_the_call_that_starts_it)
{
    /* Kills: a starter or waiter that runs the callback of an op which could be answered at once. */
    static struct noting sleep, nop;

    sleep = (struct noting){ .word = "sleep" };
    nop = (struct noting){ .word = "nop" };
    start_sleep(&sleep, 0);
    CHECK_EQ(pro_then(pro_nop(&nop.op, loop, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
    CHECK_STR(line, "");
    run_dry();
    CHECK_STR(line, "sleep nop");
}

static struct pro_how canceled_how(struct pro_cancellation_source **ret_source)
{
    struct pro_how how = { 0 };

    REQUIRE(pro_cancellation_source_new(ret_source) == PRO_OK);
    REQUIRE(pro_cancellation_source_cancel(*ret_source) == PRO_OK);
    how.token = pro_cancellation_source_token(*ret_source);
    return how;
}

static struct pro_socket closed_socket;
static struct noting refused;
static char received;

static void receive_from_closed(void *unused)
{
    (void)unused;
    CHECK_EQ(pro_then(pro_recv(&refused.op, &closed_socket, &received, 1, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
    note("started");
}

SENTENCE(order_2_an_operation_that_fails_at_once_is_delivered_in_a_turn_too)
{
    /* Kills: proi_op_enqueue() calling the waiter when one of its checks fails. */
    struct noting failing = { .word = "canceled" };
    struct pro_cancellation_source *source;
    const struct pro_how how = canceled_how(&source);
    struct pair pair = { 0 };
    struct pro_op op = { 0 };

    loop_connect(loop, &pair);
    CHECK_EQ(pro_then(pro_sleep(&failing.op, loop, PRO_S(HOUR_S), how), note_delivery), PRO_OK);
    CHECK_STR(line, "");
    one_turn();
    CHECK_STR(line, "canceled");
    CHECK_EQ(failing.result, PRO_E_CANCELED);
    pro_cancellation_source_unref(source);

    closed_socket = pair.client;
    refused = (struct noting){ .word = "closed" };
    CHECK_EQ(loop_answer(loop, pro_close(&op, &pair.client)), PRO_OK);
    CHECK_EQ(pro_loop_post(loop, receive_from_closed, NULL), PRO_OK);
    one_turn();
    CHECK_STR(line, "canceled started");
    one_turn();
    CHECK_STR(line, "canceled started closed");
    CHECK_EQ(refused.result, PRO_E_CLOSED);
}

SENTENCE(order_3_cancelling_delivers_nothing_inside_the_call)
{
    /* Kills: proi_op_end_early() delivering instead of finishing. */
    struct noting sleep = { .word = "cancelled" };

    start_sleep(&sleep, PRO_S(HOUR_S));
    one_turn();
    CHECK_EQ(pro_op_cancel(&sleep.op), PRO_OK);
    CHECK_STR(line, "");
    one_turn();
    CHECK_STR(line, "cancelled");
    CHECK_EQ(sleep.result, PRO_E_CANCELED);
}

static struct noting second;
static void start_second(struct noting *self)
{
    (void)self;
    start_sleep(&second, 0);
}

SENTENCE(order_4_what_a_delivery_starts_is_delivered_in_a_later_turn)
{
    /* Kills: deliver_done() looping until the queue is empty, with timers struck inside. */
    struct noting first = { .word = "first", .also = start_second };

    second = (struct noting){ .word = "second" };
    start_sleep(&first, 0);
    one_turn();
    CHECK_STR(line, "first");
    one_turn();
    CHECK_STR(line, "first second");
}

struct handing {
    struct noting *ops;
    struct pro_how how;
};

static void hand_over(void *arg)
{
    const struct handing *const handing = arg;

    for (int i = 0; i < 3; i++)
        pro_then(pro_sleep(&handing->ops[i].op, loop, PRO_S(HOUR_S), handing->how), note_delivery);
}

SENTENCE(order_5_operations_handed_over_by_another_thread_start_in_the_order_of_the_handing_over)
{
    /* Kills: take_ops() walking the stack as it lies, newest first. */
    struct noting ops[3] = { { .word = "a" }, { .word = "b" }, { .word = "c" } };
    struct pro_cancellation_source *source;
    struct handing handing = { ops, canceled_how(&source) }; /* they end as they start, so the starts can be seen */

    one_turn();
    on_another_thread(hand_over, &handing);
    CHECK_STR(line, "");
    one_turn();
    CHECK_STR(line, "a b c");
    pro_cancellation_source_unref(source);
}

static void start_again(struct noting *self)
{
    note(pro_op_state_name(self->op.state));
    self->also = NULL;
    start_sleep(self, 0);
}

SENTENCE(order_6_an_operation_is_idle_again_when_its_callback_is_called)
{
    /* Kills: proi_op_deliver() making it idle after the callback, which would refuse a new start in it. */
    struct noting op = { .word = "op", .also = start_again };

    start_sleep(&op, 0);
    run_dry();
    CHECK_STR(line, "op idle op");
}

/* ---- timers ---- */

SENTENCE(order_7_timers_that_are_due_are_delivered_before_what_the_kernel_completes_in_that_turn)
{
    /* Kills: delivering what is done before what is struck. */
    struct noting nop = { .word = "nop" }, sleep = { .word = "sleep" };

    CHECK_EQ(pro_then(pro_nop(&nop.op, loop, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
    start_sleep(&sleep, 0);
    run_dry();
    CHECK_STR(line, "sleep nop");
}

SENTENCE(order_8_timers_are_delivered_in_the_order_of_their_moments)
{
    /* Kills: leaving out the sort of what strikes together; taking the wheel's slots in another order. */
    struct noting ops[6] = { { .word = "3" }, { .word = "1" }, { .word = "2" },
                             { .word = "6" }, { .word = "4" }, { .word = "5" } };
    const uint64_t now = pro_loop_now(loop);
    const int64_t later_ns[6] = { 3000, 1000, 2000, PRO_MS(9), PRO_MS(1), PRO_MS(5) }; /* one slot; far apart */

    for (int i = 0; i < 6; i++)
        start_sleep_until(&ops[i], now + (uint64_t)later_ns[i]);
    run_dry();
    CHECK_STR(line, "1 2 3 4 5 6");
}

SENTENCE(order_9_timers_of_one_moment_are_delivered_in_the_order_of_their_start)
{
    /* Kills: a sort that is not stable; linking at the head of a slot. */
    struct noting ops[4] = { { .word = "a" }, { .word = "b" }, { .word = "c" }, { .word = "d" } };
    const uint64_t moment = pro_loop_now(loop) + PRO_MS(1);

    for (int i = 0; i < 4; i++)
        start_sleep_until(&ops[i], moment);
    run_dry();
    CHECK_STR(line, "a b c d");
}

static uint64_t delivered_at;
static void look_at_clock(struct noting *self)
{
    (void)self;
    delivered_at = pro_loop_now(loop);
}

SENTENCE(order_10_a_sleep_is_never_delivered_early)
{
    /* Kills: comparing ticks of the wheel instead of moments. */
    const int64_t durations_ns[] = { 1, 1000, 131072, 150001, PRO_MS(3) };

    for (size_t i = 0; i < sizeof durations_ns / sizeof *durations_ns; i++) {
        struct noting sleep = { .word = "x", .also = look_at_clock };
        const uint64_t start = pro_loop_now(loop);

        start_sleep(&sleep, durations_ns[i]);
        run_dry();
        CHECK(delivered_at >= start + (uint64_t)durations_ns[i]);
    }
}

SENTENCE(order_11_a_sleep_of_zero_is_delivered_in_the_next_turn)
{
    /* Kills: rounding a moment up to the next tick. */
    struct noting sleep = { .word = "sleep" };

    start_sleep(&sleep, 0);
    CHECK_EQ(pro_loop_run_once(loop, 0), 1);
    CHECK_STR(line, "sleep");
}

/* ---- posted work ---- */

SENTENCE(order_12_posted_work_runs_after_the_deliveries_of_its_turn)
{
    /* Kills: run_posted() before deliver_done(). */
    struct noting work = { .word = "work" }, sleep = { .word = "sleep" };

    post(&work);
    start_sleep(&sleep, 0);
    CHECK_EQ(pro_loop_run_once(loop, 0), 2);
    CHECK_STR(line, "sleep work");
}

static void post_three(void *arg)
{
    struct noting *const works = arg;

    for (int i = 0; i < 3; i++)
        post(&works[i]);
}

SENTENCE(order_13_posted_work_runs_in_the_order_of_posting)
{
    /* Kills: run queue and inbox as stacks. */
    struct noting here[3] = { { .word = "a" }, { .word = "b" }, { .word = "c" } };
    struct noting there[3] = { { .word = "x" }, { .word = "y" }, { .word = "z" } };

    post_three(here);
    on_another_thread(post_three, there);
    one_turn();
    CHECK_STR(line, "a b c x y z");
}

static void post_second(struct noting *self)
{
    (void)self;
    post(&second);
}

SENTENCE(order_14_work_that_a_delivery_posts_runs_in_the_same_turn)
{
    /* Kills: fixing the list of posted work at the beginning of the turn. */
    struct noting sleep = { .word = "sleep", .also = post_second };

    second = (struct noting){ .word = "work" };
    start_sleep(&sleep, 0);
    one_turn();
    CHECK_STR(line, "sleep work");
}

static void post_it(void *arg) { post(arg); }
static void post_second_elsewhere(struct noting *self)
{
    (void)self;
    on_another_thread(post_it, &second);
}

SENTENCE(order_15_work_that_another_thread_posts_during_the_deliveries_runs_in_the_same_turn)
{
    /* Kills: run_posted() not looking into the inbox again. */
    struct noting sleep = { .word = "sleep", .also = post_second_elsewhere };

    second = (struct noting){ .word = "work" };
    start_sleep(&sleep, 0);
    one_turn();
    CHECK_STR(line, "sleep work");
}

SENTENCE(order_16_work_that_posted_work_posts_runs_behind_what_was_posted_before)
{
    /* Kills: pushing at the head of the run queue. */
    struct noting a = { .word = "a", .also = post_second }, b = { .word = "b" };

    second = (struct noting){ .word = "from-a" };
    post(&a);
    post(&b);
    one_turn();
    CHECK_STR(line, "a b from-a");
}

static unsigned rounds;
static void count_and_post(void *unused)
{
    if (++rounds < 300)
        CHECK_EQ(pro_loop_post(loop, count_and_post, unused), PRO_OK);
}

SENTENCE(order_17_a_turn_runs_at_most_256_posted_items)
{
    /* Kills: another limit, or none: work that posts itself would keep every operation waiting. */
    rounds = 0;
    CHECK_EQ(pro_loop_post(loop, count_and_post, NULL), PRO_OK);
    CHECK_EQ(pro_loop_run_once(loop, 0), 256);
    CHECK_EQ(rounds, 256);
    CHECK_EQ(pro_loop_run_once(loop, 0), 44);
}

/* ---- continuations ---- */

static struct noting after;
static struct pro_op awaited;
static struct pro_task *chain[2];

/* As posted work, so that the loop's context is captured. */
static void start_chain(void *length)
{
    chain[0] = method_async("inner", pro_sleep(&awaited, NULL, 0, PRO_HOW_DEFAULT), NULL);
    chain[1] = *(const int *)length > 1 ? method_async("outer", NULL, pro_borrow(chain[0])) : NULL;
    start_sleep(&after, 0);
}

static void check_chain(int length, const char *expected)
{
    after = (struct noting){ .word = "next-delivery" };
    awaited = (struct pro_op){ 0 };
    CHECK_EQ(pro_loop_post(loop, start_chain, &length), PRO_OK);
    one_turn();
    CHECK_STR(line, "");
    run_dry();
    CHECK_STR(line, expected);
    for (int i = 0; i < length; i++) {
        CHECK(pro_task_is_succeeded(chain[i]));
        pro_task_unref(chain[i]);
    }
}

SENTENCE(order_18_a_method_that_awaits_an_operation_goes_on_inside_its_delivery)
{
    /* Kills: op_delivered() posting the continuation to the loop it is on. */
    check_chain(1, "inner next-delivery");
}

SENTENCE(order_19_methods_that_await_each_other_on_a_loop_go_on_inside_the_one_delivery_that_ends_the_chain)
{
    /* Kills: delivering without making the captured context current, so that the second method is posted. */
    check_chain(2, "inner outer next-delivery");
}

SENTENCE(order_20_a_method_that_captured_nothing_goes_on_inside_the_delivery_too)
{
    /* Kills: delivering with the loop's context current, which sends what captured nothing to the pool. */
    struct pro_task *task;

    after = (struct noting){ .word = "next-delivery" };
    awaited = (struct pro_op){ 0 };
    task = method_async("method", pro_sleep(&awaited, loop, 0, PRO_HOW_DEFAULT), NULL);
    start_sleep(&after, 0);
    run_dry();
    CHECK_STR(line, "method next-delivery");
    pro_task_unref(task);
}

static void start_yielding(void *unused)
{
    (void)unused;
    chain[0] = method_async("yielded", NULL, NULL);
}

SENTENCE(order_21_a_method_that_yields_goes_on_behind_the_work_posted_before_it)
{
    /* Kills: a yield that resumes at once, or at the head of the queue. */
    struct noting a = { .word = "a" }, b = { .word = "b" };

    CHECK_EQ(pro_loop_post(loop, start_yielding, NULL), PRO_OK);
    post(&a);
    post(&b);
    run_dry();
    CHECK_STR(line, "a b yielded");
    pro_task_unref(chain[0]);
}

static void check_context(struct noting *self)
{
    (void)self;
    note(pro_sync_context_current() == pro_loop_context(loop) ? "loop's" : "another");
}

SENTENCE(order_22_callbacks_and_posted_work_see_the_context_of_the_loop)
{
    /* Kills: leaving out proi_loop_context_enter() in either place, or not leaving it. */
    struct noting sleep = { .word = "callback", .also = check_context },
                  work = { .word = "work", .also = check_context };

    start_sleep(&sleep, 0);
    post(&work);
    one_turn();
    CHECK_STR(line, "callback loop's work loop's");
    CHECK(pro_sync_context_current() == NULL);
}

/* ---- sleeping, stopping, nesting, ending ---- */

SENTENCE(order_23_a_turn_with_something_to_do_does_not_wait)
{
    /* Kills: wait_for_kernel() looking at timers only; on the simulated kernel an hour would pass. */
    struct noting far = { .word = "far" }, work = { .word = "work" };
    const uint64_t start = pro_loop_now(loop);

    start_sleep(&far, PRO_S(HOUR_S));
    post(&work);
    CHECK_EQ(pro_loop_run_once(loop, PRO_INFINITE), 1);
    CHECK_STR(line, "work");
    CHECK(pro_loop_now(loop) < start + (uint64_t)PRO_S(HOUR_S));
    CHECK_EQ(pro_op_cancel(&far.op), PRO_OK);
    run_dry();
}

static void stop_and_post(struct noting *self)
{
    CHECK_EQ(pro_loop_stop(loop), PRO_OK);
    post_second(self);
}

SENTENCE(order_24_a_stop_lets_the_present_turn_end)
{
    /* Kills: deliver_done() or run_posted() looking at the stop. */
    struct noting a = { .word = "a", .also = stop_and_post }, b = { .word = "b" }, far = { .word = "far" };

    second = (struct noting){ .word = "work" };
    start_sleep(&a, 0);
    start_sleep(&b, 0);
    start_sleep(&far, PRO_S(HOUR_S));
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_STR(line, "a b work");
    CHECK_EQ(pro_op_cancel(&far.op), PRO_OK);
    run_dry();
}

static void nest(struct noting *self)
{
    (void)self;
    one_turn();
    note("end-of-a");
}

SENTENCE(order_25_a_turn_nested_in_a_callback_delivers_what_the_outer_turn_has_left)
{
    /* Kills: a turn that takes its deliveries out of the queue beforehand. */
    struct noting a = { .word = "a", .also = nest }, b = { .word = "b" }, c = { .word = "c" };

    start_sleep(&a, 0);
    start_sleep(&b, 0);
    start_sleep(&c, 0);
    one_turn();
    CHECK_STR(line, "a b c end-of-a");
}

static struct pro_completion_source *source;
static struct gate go;

static void complete_source(void *unused)
{
    (void)unused;
    gate_wait(&go, 1);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
}

static void start_waiting(void *unused)
{
    (void)unused;
    chain[0] = method_async("method", NULL, pro_completion_source_task(source));
}

static void open_gate(struct noting *self)
{
    (void)self;
    gate_add(&go);
}

SENTENCE(order_26_a_run_returns_when_nothing_is_pending_posted_or_captured)
{
    /* Kills: is_alive() without any one of its terms. */
    struct noting sleep = { .word = "sleep", .also = open_gate };
    struct proi_thread thread;
    struct pro_loop_stats stats;

    go = (struct gate){ 0 };
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    REQUIRE(proi_thread_start(&thread, "completer", complete_source, NULL, 0) == PRO_OK);
    CHECK_EQ(pro_loop_post(loop, start_waiting, NULL), PRO_OK);
    start_sleep(&sleep, PRO_MS(1));
    CHECK_EQ(pro_loop_run(loop), PRO_OK); /* after the sleep only the captured continuation is left */
    CHECK_STR(line, "sleep method");
    proi_thread_join(&thread);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.pending + stats.captured, 0);
    pro_task_unref(chain[0]);
    pro_completion_source_free(source);
}

SENTENCE(order_27_a_close_is_delivered_after_the_operations_it_has_ended)
{
    /* Kills: begin_close() not waiting for the handle's pending ops. */
    struct noting receive = { .word = "receive" }, close = { .word = "close" };
    struct pair pair = { 0 };
    char byte;

    loop_connect(loop, &pair);
    CHECK_EQ(pro_then(pro_recv(&receive.op, &pair.server, &byte, 1, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
    one_turn();
    CHECK_EQ(pro_then(pro_close(&close.op, &pair.server), note_delivery), PRO_OK);
    run_dry();
    CHECK_STR(line, "receive close");
    CHECK_EQ(receive.result, PRO_E_CLOSED);
    CHECK_EQ(close.result, PRO_OK);
}

static void count_round(void *unused)
{
    (void)unused;
    rounds++;
}

SENTENCE(order_28_freeing_a_loop_delivers_everything_pending_before_it_returns)
{
    /* Kills: drain() leaving operations behind, or posted work where there are none. */
    struct noting sleep = { .word = "sleep" }, work = { .word = "work" };
    struct pro_loop_options again = { .backend = pro_loop_backend(loop) };

    one_turn();
    start_sleep(&sleep, PRO_S(HOUR_S));
    post(&work);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    CHECK_STR(line, "sleep work");
    CHECK_EQ(sleep.result, PRO_E_LOOP_CLOSED);
    REQUIRE(pro_loop_new(&again, &loop) == PRO_OK);
    rounds = 0;
    for (int i = 0; i < 300; i++)
        CHECK_EQ(pro_loop_post(loop, count_round, NULL), PRO_OK);
    one_turn(); /* leaves 44 of them */
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    loop = NULL;
    CHECK_EQ(rounds, 300);
}

struct resuming {
    struct pro_completion_source *source; /* completes what the methods await; they go on by a post */
    struct pro_task *awaited, *methods[2];
    uint64_t freed_on;
};

/* Awaits what the end of its loop ends, and then lets the other one go on. */
struct ended {
    PRO_FRAME;
    struct pro_op op;
    struct resuming *it;
};

PRO_ASYNC(ended_move_next, struct ended, self)
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_S(HOUR_S), PRO_HOW_DEFAULT));
PRO_FINALLY
    note("finally");
    CHECK_EQ(pro_completion_source_set_result(self->it->source, NULL, PRO_NO_RESULT), PRO_OK);
PRO_ASYNC_END

struct resumed {
    PRO_FRAME;
    struct resuming *it;
};

PRO_ASYNC(resumed_move_next, struct resumed, self)
    PRO_AWAIT(pro_borrow(self->it->awaited));
    note("resumed");
    PRO_AWAIT(pro_yield());
    note("yielded");
PRO_FINALLY
    CHECK_EQ(proi_thread_id(), self->it->freed_on);
    CHECK(pro_loop_current() == loop && pro_sync_context_current() == pro_loop_context(loop));
PRO_ASYNC_END

static void start_resuming(void *arg)
{
    struct resuming *const it = arg;
    struct resumed *const resumed = PRO_NEW_FRAME_VOID(struct resumed, resumed_move_next);
    struct ended *const ended = PRO_NEW_FRAME_VOID(struct ended, ended_move_next);

    REQUIRE(resumed && ended);
    resumed->it = ended->it = it;
    it->methods[0] = PRO_START(resumed);
    it->methods[1] = PRO_START(ended);
}

static void resuming_begin(struct resuming *it)
{
    *it = (struct resuming){ .freed_on = proi_thread_id() };
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_ASYNC_CONTINUATIONS, &it->source) == PRO_OK);
    it->awaited = pro_completion_source_task(it->source);
}

static void resuming_end(struct resuming *it)
{
    for (int i = 0; i < 2; i++)
        pro_task_unref(it->methods[i]);
    pro_task_unref(it->awaited);
    pro_completion_source_free(it->source);
}

SENTENCE(order_29_a_method_that_goes_on_while_its_loop_is_freed_goes_on_inside_the_freeing)
{
    /* Kills: a context that refuses posts from the moment of the free, and so sends the rest of a method to the pool.
     */
    struct resuming it;

    resuming_begin(&it);
    CHECK_EQ(pro_loop_post(loop, start_resuming, &it), PRO_OK);
    one_turn();
    CHECK_STR(line, "");
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    CHECK_STR(line, "finally resumed yielded");
    CHECK(pro_task_is_succeeded(it.methods[0]));
    CHECK_EQ(pro_error_code(pro_task_error(it.methods[1])), PRO_E_LOOP_CLOSED);
    loop = NULL;
    resuming_end(&it);
}

static void start_method(void *arg) { chain[0] = method_async("method", NULL, pro_task_ref(arg)); }

SENTENCE(order_30_freeing_a_loop_does_not_wait_for_the_task_that_a_method_awaits)
{
    /* Kills: a drain that waits until nothing has captured the loop. */
    struct pro_task *task;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    task = pro_completion_source_task(source);
    CHECK_EQ(pro_loop_post(loop, start_method, task), PRO_OK);
    one_turn();
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    loop = NULL;
    CHECK_STR(line, "");
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK); /* it goes on, on the pool */
    CHECK_EQ(pro_task_wait(chain[0], PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
    CHECK_STR(line, "method");
    pro_task_unref(chain[0]);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

static void start_late(struct noting *self)
{
    static struct pro_op late;

    (void)self;
    CHECK_EQ(pro_then(pro_nop(&late, loop, PRO_HOW_DEFAULT), note_delivery), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_post(loop, count_round, NULL), PRO_E_LOOP_CLOSED);
}

SENTENCE(order_31_a_loop_that_is_being_freed_refuses_operations_and_items)
{
    /* Kills: a free that goes on for as long as its callbacks start something. */
    struct noting sleep = { .word = "sleep", .also = start_late };

    rounds = 0;
    start_sleep(&sleep, PRO_S(HOUR_S));
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    CHECK_STR(line, "sleep");
    CHECK_EQ(rounds, 0);
    loop = NULL;
}

/* ---- the page and this file ---- */

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

TEST(the_page_and_the_tests_have_the_same_sentences)
{
    /* Kills: a sentence added, dropped, reworded or numbered anew without its test. */
    const size_t count = sizeof order_sentences / sizeof *order_sentences;

    for (size_t i = 0; i < count; i++)
        if (!is_among(order_sentences[i], tested, tested_count))
            test_fail(__FILE__, __LINE__, "docs/loop-order.md has no test: %s", order_sentences[i]);
    for (size_t i = 0; i < tested_count; i++)
        if (!is_among(tested[i], order_sentences, count))
            test_fail(__FILE__, __LINE__, "docs/loop-order.md has no such sentence: %s", tested[i]);
    CHECK_EQ(count, tested_count);
}
