/* SPDX-License-Identifier: MIT */
/* Awaiting operations: where the method goes on, what it gets, and what that costs. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

struct here {
    struct pro_loop *loop;
    uint64_t thread;
    struct pro_sync_context *context;
    bool is_worker;
};

static struct here here_now(void)
{
    return (struct here){ pro_loop_current(), pro_thread_id(), pro_sync_context_current(), pro_pool_is_worker() };
}

struct resuming {
    PRO_FRAME;
    struct pro_op op;
    struct pro_loop *loop;
    unsigned options;
    int rounds;
    struct here *where;
};

PRO_ASYNC(resuming_move_next, struct resuming, self)
    while (self->rounds-- > 0)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_nop(&self->op, self->loop, PRO_HOW_DEFAULT), self->options));
    *self->where = here_now();
PRO_ASYNC_END

static struct pro_task *resuming_async(struct pro_loop *loop, unsigned options, int rounds, struct here *where)
{
    struct resuming *const self = PRO_NEW_FRAME_VOID(struct resuming, resuming_move_next);

    REQUIRE(self != NULL);
    self->loop = loop;
    self->options = options;
    self->rounds = rounds;
    self->where = where;
    return PRO_START(self);
}

struct starting {
    struct pro_loop *loop;
    unsigned options;
    struct here where;
    struct pro_task *task;
};

static void start_on_loop(void *arg)
{
    struct starting *const it = arg;

    it->task = resuming_async(it->loop, it->options, 100, &it->where);
}

static uint64_t posts_so_far(void)
{
    struct pro_pool_stats stats;

    CHECK_EQ(pro_pool_get_stats(&stats), PRO_OK);
    return stats.posted;
}

TEST(an_await_on_a_loop_goes_on_in_place_and_makes_no_post_to_the_pool)
{
    // Kills: a configure_await(false) that travels to the pool; a captured context that is posted to; a context that is
    // wrong.
    for (const char *const *backend = test_backends(); *backend; backend++)
        for (int captures = 0; captures < 2; captures++) {
            struct pro_loop *const loop = loop_on(*backend, NULL, false);
            struct starting it = { .loop = loop,
                                   .options = captures ? PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT : PRO_AWAIT_NONE };
            const uint64_t before = posts_so_far();
            struct pro_loop_stats stats;
            uint64_t posted;

            CHECK_EQ(pro_loop_post(loop, start_on_loop, &it), PRO_OK);
            CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
            posted = stats.posted;
            CHECK_EQ(pro_loop_run(loop), PRO_OK);
            CHECK(pro_task_is_succeeded(it.task));
            CHECK(it.where.loop == loop);
            CHECK_EQ(it.where.thread, pro_thread_id());
            CHECK(it.where.context == (captures ? pro_loop_context(loop) : NULL));
            CHECK_EQ(posts_so_far() - before, 0);
            CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
            CHECK_EQ(stats.posted - posted, 0); /* nor to the loop itself */
            pro_task_unref(it.task);
            loop_end(loop);
        }
}

TEST(an_await_on_the_background_loop_goes_on_in_the_pool)
{
    // Kills: user code on the background loop's thread.
    struct here where = { .is_worker = false };
    struct pro_task *const task = resuming_async(NULL, PRO_AWAIT_NONE, 3, &where);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(where.is_worker);
    CHECK(where.loop == NULL && where.context == NULL);
    pro_task_unref(task);
}

struct served {
    struct pro_loop *loop;
    struct gate ready, stop;
};

static void serve(void *arg)
{
    struct served *const it = arg;

    CHECK_EQ(pro_loop_run_once(it->loop, 0), 0);
    gate_add(&it->ready);
    while (!gate_count(&it->stop))
        CHECK(pro_loop_run_once(it->loop, PRO_S(1)) >= 0);
}

static void wake(void *arg) { (void)arg; }

TEST(an_op_of_another_loop_brings_its_method_home)
{
    // Kills: a method that goes on on the thread of the loop whose op it awaited.
    struct pro_loop *const home = loop_new();
    struct served other = { .loop = loop_new() };
    struct starting it = { .loop = other.loop, .options = PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT };
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "other loop", serve, &other, 0) == PRO_OK);
    gate_wait(&other.ready, 1);
    CHECK_EQ(pro_loop_post(home, start_on_loop, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(home), PRO_OK);
    CHECK(pro_task_is_succeeded(it.task));
    CHECK(it.where.loop == home);
    CHECK_EQ(it.where.thread, pro_thread_id());
    pro_task_unref(it.task);
    gate_add(&other.stop);
    CHECK_EQ(pro_loop_post(other.loop, wake, NULL), PRO_OK);
    proi_thread_join(&thread);
    loop_end(other.loop);
    loop_end(home);
}

/* ---- results ---- */

struct counting {
    PRO_FRAME;
    struct pro_op op;
    struct pair *pair;
    char byte;
    int64_t wide;
    int narrow;
    size_t size;
    short too_narrow;
    int status;
};

PRO_ASYNC(counting_move_next, struct counting, self)
    PRO_AWAIT_TO(&self->wide, pro_send(&self->op, &self->pair->client, "x", 1, PRO_HOW_DEFAULT));
    PRO_AWAIT_TO(&self->narrow, pro_recv(&self->op, &self->pair->server, &self->byte, 1, PRO_HOW_DEFAULT));
    PRO_AWAIT_TO(&self->size, pro_send_all(&self->op, &self->pair->client, "x", 1, PRO_HOW_DEFAULT));
    CHECK_EQ(self->wide, 1);
    CHECK_EQ(self->narrow, 1);
    CHECK_EQ(self->size, 1);
    PRO_AWAIT_STATUS_TO(&self->too_narrow, pro_recv(&self->op, &self->pair->server, &self->byte, 1, PRO_HOW_DEFAULT));
    CHECK_EQ(PRO_STATUS, PRO_E_TYPE);
    PRO_AWAIT_STATUS(pro_sleep(&self->op, NULL, PRO_S(9), (struct pro_how){ .deadline_ns = 1 }));
    CHECK_EQ(PRO_STATUS, PRO_E_TIMEOUT);
    CHECK_EQ(self->op.result, PRO_E_TIMEOUT);
    CHECK(PRO_ERROR == NULL); /* the op's result says all */
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_S(9), (struct pro_how){ .deadline_ns = 1 }));
PRO_ASYNC_END

static struct pro_task *counting_main(void *arg)
{
    struct counting *const self = PRO_NEW_FRAME_VOID(struct counting, counting_move_next);

    REQUIRE(self != NULL);
    self->pair = arg;
    return PRO_START(self);
}

struct main_call {
    struct pro_task *(*main)(void *arg);
    void *arg;
    struct pro_task *task;
};

static void call_main(void *arg)
{
    struct main_call *const call = arg;

    call->task = call->main(call->arg);
}

static struct pro_task *run_on(struct pro_loop *loop, struct pro_task *(*async_main)(void *arg), void *arg)
{
    struct main_call call = { async_main, arg, NULL };

    CHECK_EQ(pro_loop_post(loop, call_main, &call), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    REQUIRE(pro_task_is_completed(call.task));
    return call.task;
}

TEST(the_count_of_an_op_fits_any_integer_that_holds_it)
{
    // Kills: a copy of eight bytes into four; an error without a sentence.
    struct pro_loop *const loop = loop_sim();
    struct pro_task *task;
    struct pair pair;

    loop_connect(loop, &pair);
    task = run_on(loop, counting_main, &pair);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_TIMEOUT);
    CHECK_STR(pro_error_message(pro_task_error(task)), "sleep: the deadline passed");
    pro_task_unref(task);
    loop_end(loop);
}

/* ---- started before it is awaited ---- */

struct early {
    PRO_FRAME;
    struct pro_op ops[3];
    bool wait_between;
    struct pro_op pause;
};

PRO_ASYNC(early_move_next, struct early, self)
    for (int i = 0; i < 3; i++)
        pro_start(pro_sleep(&self->ops[i], NULL, PRO_MS(1 + i), PRO_HOW_DEFAULT));
    if (self->wait_between)
        PRO_AWAIT(pro_sleep(&self->pause, NULL, PRO_S(1), PRO_HOW_DEFAULT));
    PRO_AWAIT(&self->ops[2]);
    PRO_AWAIT(&self->ops[0]);
    PRO_AWAIT(&self->ops[1]);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(self->ops[i].result, PRO_OK);
        CHECK_EQ(self->ops[i].state, PRO_OP_IDLE);
    }
PRO_ASYNC_END

static struct pro_task *early_main(void *arg)
{
    struct early *const self = PRO_NEW_FRAME_VOID(struct early, early_move_next);

    REQUIRE(self != NULL);
    self->wait_between = arg != NULL;
    return PRO_START(self);
}

TEST(started_ops_run_beside_each_other_and_are_awaited_in_any_order)
{
    // Kills: an await that submits again; one that suspends for what is over; an op that is over and stays so.
    for (int wait = 0; wait < 2; wait++) {
        struct pro_loop *const loop = loop_sim();
        const uint64_t start = pro_loop_now(loop), expected = (uint64_t)(wait ? PRO_S(1) : PRO_MS(3));
        struct pro_task *const task = run_on(loop, early_main, wait ? loop : NULL);

        CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_OK);
        CHECK(pro_loop_now(loop) - start >= expected); /* each turn of the simulator takes a moment of its own */
        CHECK(pro_loop_now(loop) - start < expected + (uint64_t)PRO_US(500));
        pro_task_unref(task);
        loop_end(loop);
    }
}

/* ---- raw use ---- */

static void no_step(struct pro_continuation *continuation) { (void)continuation; }

TEST(the_result_of_an_op_in_flight_cannot_be_taken)
{
    // Kills: a get_result that gives what is not there yet.
    struct pro_loop *const loop = loop_sim();
    struct pro_op op = { 0 };
    const struct pro_awaiter awaiter = pro_op_get_awaiter(pro_nop(&op, loop, PRO_HOW_DEFAULT));
    struct pro_continuation continuation;

    told_listen();
    CHECK(!pro_awaiter_is_completed(awaiter));
    pro_continuation_init(&continuation, no_step);
    CHECK_EQ(pro_awaiter_on_completed(awaiter, &continuation, PRO_AWAIT_NONE), PRO_OK);
    CHECK_MISUSE(pro_awaiter_get_result(awaiter, NULL, PRO_NO_RESULT, NULL), PRO_E_STATE);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK(pro_awaiter_is_completed(awaiter));
    CHECK_EQ(pro_awaiter_get_result(awaiter, NULL, PRO_NO_RESULT, NULL), PRO_OK);
    loop_end(loop);
    told_stop();
}
