/* SPDX-License-Identifier: MIT */
/* The periodic timer: ticks, missed ticks, disposal, cancellation; on the simulated kernel's clock, and on the
 * background loop. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

static bool take(struct pro_value_task wait)
{
    bool ticked = false;
    struct pro_task *task = pro_value_task_as_task(wait);

    CHECK_EQ(PRO_GET_RESULT(task, &ticked), PRO_OK);
    pro_task_unref(task);
    return ticked;
}

static int code_of(struct pro_value_task wait)
{
    struct pro_task *task = pro_value_task_as_task(wait);
    const int code = pro_task_get_result(task, NULL, PRO_NO_RESULT, NULL, PRO_HERE);

    pro_task_unref(task);
    return code;
}

/* ---- on a loop with a clock of its own ---- */

struct ticker {
    PRO_FRAME;
    struct pro_loop *loop;
    struct pro_periodic_timer *timer;
    struct pro_op op;
    bool ticked;
    int n;
    uint64_t begun;
};

static struct ticks {
    int64_t at[8];
    int count;
    bool on_the_loop;
} ticks;

PRO_ASYNC(ticker_move_next, struct ticker, self)
    self->begun = pro_loop_now(self->loop);
    if (pro_periodic_timer_new(PRO_MS(100), &self->timer) != PRO_OK)
        PRO_THROW_NEW(PRO_E_FAILED, "no timer");
    for (self->n = 0; self->n < 2; self->n++) {
        PRO_AWAIT_TO(&self->ticked, pro_periodic_timer_wait(self->timer, PRO_TOKEN_NONE));
        ticks.at[ticks.count++] = (int64_t)(pro_loop_now(self->loop) - self->begun);
        ticks.on_the_loop = pro_loop_current() == self->loop;
    }
    PRO_AWAIT(pro_sleep(&self->op, self->loop, PRO_MS(350), PRO_HOW_DEFAULT)); /* three ticks are missed */
    PRO_AWAIT_TO(&self->ticked, pro_periodic_timer_wait(self->timer, PRO_TOKEN_NONE));
    ticks.at[ticks.count++] = (int64_t)(pro_loop_now(self->loop) - self->begun);
    PRO_AWAIT_TO(&self->ticked, pro_periodic_timer_wait(self->timer, PRO_TOKEN_NONE));
    ticks.at[ticks.count++] = (int64_t)(pro_loop_now(self->loop) - self->begun);
PRO_FINALLY
    pro_periodic_timer_free(self->timer);
PRO_ASYNC_END

static void start_ticker(void *arg)
{
    struct ticker *self = PRO_NEW_FRAME_VOID(struct ticker, ticker_move_next);

    REQUIRE(self != NULL);
    self->loop = arg;
    pro_forget(PRO_START(self));
}

TEST(ticks_come_by_the_period_and_missed_ones_are_one)
{
    /* Kills: counting missed ticks; arming from the moment of the consumer's wait. */
    struct pro_loop *loop = loop_on("sim", "ticks", false);

    memset(&ticks, 0, sizeof ticks);
    CHECK_EQ(pro_loop_post(loop, start_ticker, loop), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK); /* it ends: the freed timer's sleep does not keep it */
    REQUIRE(ticks.count == 4);
    CHECK(ticks.on_the_loop);
    for (int i = 0; i < 4; i++) {
        static const int64_t due[] = { PRO_MS(100), PRO_MS(200), PRO_MS(550), PRO_MS(600) };

        CHECK(ticks.at[i] >= due[i] && ticks.at[i] < due[i] + PRO_MS(20));
    }
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

/* ---- on the background loop ---- */

static struct pro_periodic_timer *timer_new(int64_t period_ns)
{
    struct pro_periodic_timer *timer = NULL;

    REQUIRE(pro_periodic_timer_new(period_ns, &timer) == PRO_OK);
    return timer;
}

TEST(a_period_is_a_millisecond_or_more)
{
    /* Kills: a period of nothing, which would tick for ever. */
    struct pro_periodic_timer *timer = NULL;

    told_listen();
    CHECK_MISUSE(pro_periodic_timer_new(PRO_MS(1) - 1, &timer), PRO_E_INVALID);
    CHECK_MISUSE(pro_periodic_timer_new(PRO_MS(1), NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_periodic_timer_dispose(NULL), PRO_E_INVALID);
    CHECK_TELLS(CHECK_EQ(code_of(pro_periodic_timer_wait(NULL, PRO_TOKEN_NONE)), PRO_E_INVALID));
    told_stop();
    pro_periodic_timer_free(NULL);
    CHECK(timer == NULL);
}

TEST(a_thread_without_a_loop_hears_ticks_too)
{
    /* Kills: completing a wait on the background loop's own thread. */
    struct pro_periodic_timer *timer = timer_new(PRO_MS(2));

    for (int i = 0; i < 5; i++)
        CHECK(take(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)));
    pro_periodic_timer_free(timer);
}

struct turns {
    struct gate done;
    int left;
};

static void next_turn(void *arg)
{
    struct turns *const turns = arg;

    if (turns->left-- > 0)
        pro_loop_post(pro_loop_default(), next_turn, turns);
    else
        gate_add(&turns->done);
}

/* The background loop takes so many turns: what it was told before has been done. */
static void let_the_loop_turn(void)
{
    struct turns turns = { .left = 5 };

    pro_loop_post(pro_loop_default(), next_turn, &turns);
    gate_wait(&turns.done, 1);
}

TEST(disposal_ends_the_pending_wait_and_all_later_ones_with_false)
{
    /* Kills: giving true to a wait that the disposal ended; leaving it pending; forgetting the end once it was told. */
    struct pro_periodic_timer *timer = timer_new(PRO_S(1000));
    struct pro_value_task wait = pro_periodic_timer_wait(timer, PRO_TOKEN_NONE);

    CHECK(!pro_value_task_is_completed(wait));
    told_listen();
    CHECK_TELLS(CHECK_EQ(code_of(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)), PRO_E_STATE));
    CHECK_EQ(pro_periodic_timer_dispose(timer), PRO_OK);
    CHECK(pro_value_task_is_completed(wait));
    CHECK_TELLS(CHECK_EQ(code_of(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)), PRO_E_STATE)); /* not taken yet */
    told_stop();
    let_the_loop_turn(); /* the ended sleep signals, too, and is not heard any more */
    CHECK(!take(wait));
    CHECK(!take(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)));
    CHECK_EQ(pro_periodic_timer_dispose(timer), PRO_OK);
    for (int i = 0; i < 4; i++) /* more than there were signals */
        CHECK(!take(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)));
    pro_periodic_timer_free(timer);
}

TEST(a_freed_timer_stays_until_its_last_wait_was_taken)
{
    /* Kills: freeing the source of a value task that somebody has. */
    struct pro_periodic_timer *timer = timer_new(PRO_S(1000));
    struct pro_value_task wait = pro_periodic_timer_wait(timer, PRO_TOKEN_NONE);

    pro_periodic_timer_free(timer);
    CHECK(!take(wait));
}

TEST(cancellation_ends_one_wait_and_the_timer_goes_on)
{
    /* Kills: stopping the timer; leaving the registration behind. */
    struct pro_periodic_timer *timer = timer_new(PRO_MS(300));
    struct pro_cancellation_source *source = NULL;
    struct pro_task *wait;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    wait = pro_value_task_as_task(pro_periodic_timer_wait(timer, pro_cancellation_source_token(source)));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_is_canceled(wait));
    pro_task_unref(wait);
    CHECK_EQ(code_of(pro_periodic_timer_wait(timer, pro_cancellation_source_token(source))), PRO_E_CANCELED);
    CHECK(take(pro_periodic_timer_wait(timer, PRO_TOKEN_NONE)));
    pro_cancellation_source_unref(source);
    pro_periodic_timer_free(timer);
}

/* ---- races: ticks, cancellations and the disposal against each other ---- */

static void cancel(void *source)
{
    pro_cancellation_source_cancel(source);
    pro_cancellation_source_unref(source);
}

struct disposal {
    struct pro_periodic_timer *timer;
    struct gate gate;
};

static void dispose(void *arg)
{
    struct disposal *const disposal = arg;

    pro_periodic_timer_dispose(disposal->timer);
    gate_add(&disposal->gate);
}

TEST(whatever_meets_a_tick_each_wait_ends_once)
{
    /* Kills: completing a wait without `signaled`; resetting the core before the callback has returned. */
    struct disposal disposal = { .timer = timer_new(PRO_MS(1)) };
    bool ticked = true;

    for (int i = 0; i < 100; i++) {
        struct pro_cancellation_source *source = NULL;
        int code;

        REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
        pro_pool_post(cancel, pro_cancellation_source_ref(source));
        code = code_of(pro_periodic_timer_wait(disposal.timer, pro_cancellation_source_token(source)));
        CHECK(code == PRO_OK || code == PRO_E_CANCELED);
        pro_cancellation_source_unref(source);
    }
    pro_pool_post(dispose, &disposal);
    while (ticked)
        ticked = take(pro_periodic_timer_wait(disposal.timer, PRO_TOKEN_NONE));
    gate_wait(&disposal.gate, 1);
    pro_periodic_timer_free(disposal.timer);
}

struct waiting {
    PRO_FRAME;
    struct pro_periodic_timer *timer;
    uint64_t *ret_thread;
};

PRO_ASYNC(waiting_move_next, struct waiting, self)
    PRO_AWAIT(pro_periodic_timer_wait(self->timer, PRO_TOKEN_NONE));
    *self->ret_thread = pro_thread_id();
PRO_ASYNC_END

TEST(who_waits_goes_on_inside_the_disposal_that_ends_the_wait)
{
    /* SEM-304. Kills: ending the sleep before the wait is told: then the background loop, which runs no code of users,
       is now and then first to tell it. */
    for (int i = 0; i < 20000; i++) {
        struct pro_periodic_timer *const timer = timer_new(PRO_S(100));
        struct waiting *const self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);
        uint64_t thread = 0;
        struct pro_task *task;

        REQUIRE(self != NULL);
        self->timer = timer;
        self->ret_thread = &thread;
        task = PRO_START(self);
        CHECK_EQ(pro_periodic_timer_dispose(timer), PRO_OK);
        CHECK_EQ(PRO_WAIT(task), PRO_OK);
        CHECK_EQ(thread, pro_thread_id());
        pro_task_unref(task);
        pro_periodic_timer_free(timer);
    }
}
