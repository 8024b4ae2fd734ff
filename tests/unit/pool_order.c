/* SPDX-License-Identifier: MIT */
/* The thread pool: which item is next, and which worker is called; what has struck goes before what waits. */
#include "pool_items.h"

enum { FEW = 4, MANY = 500 };

/* The pool's waits are shortened before anything uses it; a worker that sleeps stays. */
__attribute__((constructor)) static void shorten_times(void)
{
    proi_pool_timing.idle_ns = PRO_S(20);
    proi_pool_timing.gate_ns = PRO_MS(50);
    proi_pool_timing.step_ns = PRO_MS(5);
    proi_pool_timing.step_limit_ns = PRO_MS(20);
}

static void until_active(unsigned count)
{
    static const uint32_t never = 0;

    while (proi_load(&proi_pool.active, PROI_ACQUIRE) != count)
        proi_wait(&never, 0, PRO_MS(1));
}

/* ---- the order of the queues ---- */
struct order {
    struct numbers numbers;
    struct number items[GROW];
    struct gate filled, inside, leave, left;
    unsigned wanted;
};

static void order_post(struct order *order, int value, enum proi_pool_queue queue)
{
    number_fill(&order->items[value], &order->numbers, value);
    proi_pool_post(&order->items[value].work, queue);
}

/* Stays until all has run, so that its own queue is left to the other worker. */
static void fill_own_and_wait(void *arg)
{
    struct order *order = arg;

    order_post(order, 0, PROI_POOL_LOCAL);
    order_post(order, 1, PROI_POOL_LOCAL);
    gate_add(&order->filled);
    gate_wait(&order->numbers.done, order->wanted);
    gate_add(&order->left);
}

static void wait_and_fill_all(void *arg)
{
    static const int local[] = { 10, 11 }, global[] = { 20, 21 }, high[] = { 30, 31 };
    struct order *order = arg;

    gate_add(&order->inside);
    gate_wait(&order->filled, 1);
    for (int i = 0; i < 2; i++) {
        order_post(order, local[i], PROI_POOL_LOCAL);
        order_post(order, global[i], PROI_POOL_GLOBAL);
        order_post(order, high[i], PROI_POOL_HIGH);
    }
}

TEST(a_worker_takes_its_own_then_high_priority_then_global_then_steals)
{
    /* Kills: high priority behind the global queue, or before the own; its newest first; stealing before the global
     * queue. */
    static const int expected[] = { 11, 10, 30, 31, 20, 21, 0, 1 };
    static struct order order = { .wanted = 8 };

    limits(2, 2);
    pro_pool_post(wait_and_fill_all, &order);
    gate_wait(&order.inside, 1);
    pro_pool_post(fill_own_and_wait, &order);
    gate_wait(&order.left, 1);
    CHECK_EQ(order.numbers.count, 8);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(order.numbers.values[i], expected[i]);
}

/* ---- what has struck ---- */
struct struck {
    struct pro_work work;
    struct pro_task *delay, *op_task;
    struct pro_cancellation_source *source;
    bool then_ran, delay_complete, op_complete, canceled, then_before;
    struct pro_op op, op_of_task;
    struct gate done;
};

static void then_run(struct pro_op *op) { PRO_CONTAINER(op, struct struck, op)->then_ran = true; }

static void look_what_struck(struct pro_work *work)
{
    struct struck *struck = PRO_CONTAINER(work, struct struck, work);

    struck->delay_complete = pro_task_is_completed(struck->delay);
    struck->op_complete = pro_task_is_completed(struck->op_task);
    struck->canceled = pro_cancellation_token_is_canceled(pro_cancellation_source_token(struck->source));
    struck->then_before = struck->then_ran;
    gate_add(&struck->done);
}

TEST(timers_and_completions_of_the_background_loop_go_before_what_waits)
{
    /* Kills: posting to the global queue a delay, an operation's task, a callback, or the strike of cancel_after. */
    static struct struck struck = { .work = { .run = look_what_struck } };
    static const uint32_t never = 0;
    struct held held = { .inside = { 0 } };

    limits(1, 1);
    until_active(0);
    pro_pool_post(hold, &held);
    gate_wait(&held.inside, 1);
    CHECK_EQ(pro_pool_post_work(&struck.work, false), PRO_OK); /* first in the global queue */
    struck.delay = pro_delay(PRO_MS(1), PRO_TOKEN_NONE);
    struck.op_task = pro_op_as_task(pro_sleep(&struck.op_of_task, pro_loop_default(), PRO_MS(1), PRO_HOW_DEFAULT));
    CHECK_EQ(pro_cancellation_source_new(&struck.source), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(struck.source, PRO_MS(1)), PRO_OK);
    CHECK_EQ(pro_then(pro_sleep(&struck.op, pro_loop_default(), PRO_MS(1), PRO_HOW_DEFAULT), then_run), PRO_OK);
    while (stats().queued < 5) /* all have struck; the watchdog is the limit */
        proi_wait(&never, 0, PRO_MS(1));
    held_release(&held);
    gate_wait(&struck.done, 1);
    CHECK(struck.delay_complete);
    CHECK(struck.op_complete);
    CHECK(struck.canceled);
    CHECK(struck.then_before);
    pro_task_unref(struck.delay);
    pro_task_unref(struck.op_task);
    pro_cancellation_source_unref(struck.source);
}

static struct pro_error *wait_for_delay(void *arg, void *ret_result)
{
    struct pro_task *delay = pro_delay(PRO_MS(5), PRO_TOKEN_NONE);

    (void)arg, (void)ret_result;
    PRO_WAIT(delay);
    pro_task_unref(delay);
    return NULL;
}

TEST(hundreds_of_tasks_that_block_on_a_delay_need_few_threads)
{
    /* Kills: delays that strike behind the waiting tasks: each of these then takes a thread before the first one goes
     * on. */
    static struct pro_task *tasks[MANY];

    limits(2, PROI_POOL_MOST_THREADS);
    for (int i = 0; i < MANY; i++)
        tasks[i] = pro_task_run(wait_for_delay, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(PRO_WAIT(tasks[i]), PRO_OK);
        pro_task_unref(tasks[i]);
    }
    CHECK(stats().threads < MANY / 2);
}

/* ---- who is called, and who stops ---- */
struct seen {
    struct gate inside, leave, done;
    uint64_t thread;
};
static void hold_and_note(void *arg)
{
    struct seen *seen = arg;

    seen->thread = pro_thread_id();
    gate_add(&seen->inside);
    gate_wait(&seen->leave, 1);
    gate_add(&seen->done);
}

TEST(the_worker_that_fell_asleep_last_is_called_first)
{
    /* Kills: taking sleepers from the other end, or in the order of their creation (SEM-203). */
    limits(2, 2);
    for (int round = 0; round < 2 * FEW; round++) {
        struct seen both[2] = { { .thread = 0 } }, third = { .leave = { 1 } };
        const int last = round % 2;

        until_active(0);
        for (int i = 0; i < 2; i++) {
            pro_pool_post(hold_and_note, &both[i]);
            gate_wait(&both[i].inside, 1);
        }
        CHECK(both[0].thread != both[1].thread);
        gate_add(&both[1 - last].leave);
        until_active(1);
        gate_add(&both[last].leave);
        until_active(0);
        pro_pool_post(hold_and_note, &third);
        gate_wait(&third.done, 1);
        CHECK_EQ(third.thread, both[last].thread);
        until_active(0);
    }
}

/* Two workers are inside items, the second one with a filled queue of its own, when only one is permitted any more. */
static void post_and_hold(void *arg)
{
    struct order *order = arg;

    for (int i = 0; i < FEW; i++)
        order_post(order, i, PROI_POOL_LOCAL);
    gate_add(&order->inside);
    gate_wait(&order->leave, 1);
}

TEST(a_worker_too_many_stops_after_its_item_and_hands_its_queue_over)
{
    /* Kills: going on while there is work, instead of looking after each item (SEM-203); sleeping on a filled queue,
       which is then stolen from, behind what is queued later (SEM-208). */
    static struct order order;
    struct held held = { .inside = { 0 } };

    limits(2, 2);
    pro_pool_post(hold, &held);
    gate_wait(&held.inside, 1);
    pro_pool_post(post_and_hold, &order);
    gate_wait(&order.inside, 1);
    CHECK_EQ(stats().queued, FEW);
    limits(1, 1);
    gate_add(&order.leave);
    until_active(1);
    CHECK_EQ(order.numbers.count, 0);
    CHECK_EQ(stats().queued, FEW);
    order_post(&order, FEW, PROI_POOL_GLOBAL); /* later, so behind them */
    held_release(&held);
    gate_wait(&order.numbers.done, FEW + 1);
    for (int i = 0; i <= FEW; i++)
        CHECK_EQ(order.numbers.values[i], i);
}
