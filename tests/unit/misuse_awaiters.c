/* SPDX-License-Identifier: MIT */
/* Mistakes with frames and awaiters: one that runs its continuation more than once, a frame started twice, an op that
 * two methods await. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

/* ---- frames and awaiters ---- */

struct waiting {
    PRO_FRAME;
    struct pro_awaiter awaiter;
    int *resumed;
};

PRO_ASYNC(waiting_move_next, struct waiting, self)
    PRO_AWAIT(self->awaiter);
    ++*self->resumed;
PRO_ASYNC_END

/* An awaiter that does nothing by itself: the test runs the continuation that it was given. */
struct by_hand {
    struct pro_continuation *continuation;
    int released;
};

static bool never_completed(void *self) { return ((struct by_hand *)self)->continuation == self; }
static void keep_continuation(void *self, struct pro_continuation *continuation, unsigned options)
{
    pro_continuation_capture(continuation, options);
    ((struct by_hand *)self)->continuation = continuation;
}
static int nothing_to_give(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type, (void)ret_error;
    return PRO_OK;
}
static void count_release(void *self) { ((struct by_hand *)self)->released++; }
static const struct pro_awaiter_vtable by_hand_vtable = { .is_completed = never_completed,
                                                          .on_completed = keep_continuation,
                                                          .get_result = nothing_to_give,
                                                          .release = count_release };

static struct waiting *new_waiting(struct by_hand *by_hand, int *resumed)
{
    struct waiting *const self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);

    REQUIRE(self != NULL);
    self->awaiter = (struct pro_awaiter){ &by_hand_vtable, by_hand };
    self->resumed = resumed;
    return self;
}

TEST(an_awaiter_runs_its_continuation_once)
{
    // Kills: a resume that does not ask whether the frame waits; a second run that releases the captured context again.
    struct pro_pump *pump = NULL;
    struct by_hand by_hand = { NULL, 0 };
    struct pro_sync_context *previous;
    struct pro_task *task;
    uintptr_t references;
    int resumed = 0;

    told_listen();
    REQUIRE(pro_pump_new("captured", &pump) == PRO_OK);
    references = pro_pump_context(pump)->references;
    previous = pro_sync_context_set(pro_pump_context(pump));
    task = PRO_START(new_waiting(&by_hand, &resumed));
    pro_sync_context_set(previous);
    CHECK(!pro_task_is_completed(task));
    pro_continuation_run(by_hand.continuation);
    CHECK(pro_task_is_succeeded(task));
    CHECK_TELLS(pro_continuation_run(by_hand.continuation));
    CHECK_EQ(told.code, PRO_E_STATE);
    CHECK(strstr(told.sentence, "waiting_move_next") != NULL);
    CHECK_EQ(resumed, 1);
    CHECK_EQ(by_hand.released, 1);
    CHECK_EQ(pro_pump_context(pump)->references, references);
    pro_task_unref(task);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    told_stop();
}

TEST(a_frame_is_started_once)
{
    // Kills: a start that does not look at the frame's flags.
    struct by_hand by_hand = { NULL, 0 };
    int resumed = 0;
    struct waiting *const self = new_waiting(&by_hand, &resumed);
    struct pro_task *first, *second;

    told_listen();
    first = PRO_START(self);
    CHECK_TELLS(second = PRO_START(self));
    CHECK_EQ(pro_error_code(pro_task_error(second)), PRO_E_STATE);
    CHECK_TELLS(PRO_START_VOID(self));
    pro_continuation_run(by_hand.continuation);
    CHECK(pro_task_is_succeeded(first));
    CHECK_EQ(resumed, 1);
    pro_task_unref(first);
    pro_task_unref(second);
    told_stop();
}

struct sharing {
    PRO_FRAME;
    struct pro_op *op;
    struct pro_loop *loop;
    int status;
};

PRO_ASYNC(sharing_move_next, struct sharing, self)
    PRO_AWAIT_STATUS(pro_sleep(self->op, self->loop, PRO_MS(1), PRO_HOW_DEFAULT));
    PRO_RETURN(int, PRO_STATUS);
PRO_ASYNC_END

static struct pro_task *sharing_async(struct pro_op *op, struct pro_loop *loop)
{
    struct sharing *const self = PRO_NEW_FRAME(struct sharing, sharing_move_next, int);

    REQUIRE(self != NULL);
    self->op = op;
    self->loop = loop;
    return PRO_START(self);
}

TEST(two_methods_cannot_await_one_op)
{
    // Kills: an await that overwrites the waiter of an op in flight.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    struct pro_task *first, *second;
    int status = 1;

    told_listen();
    first = sharing_async(&op, loop);
    CHECK_TELLS(second = sharing_async(&op, loop));
    CHECK(pro_task_is_completed(second));
    CHECK_EQ(pro_task_read(second, &status, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(status, PRO_E_STATE);
    CHECK_EQ(pro_loop_run_until(loop, first), PRO_OK);
    CHECK_EQ(pro_task_read(first, &status, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(status, PRO_OK);
    pro_task_unref(first);
    pro_task_unref(second);
    loop_end(loop);
    told_stop();
}

/* ---- an awaiter that runs its continuation twice ---- */

struct sixteen {
    unsigned char bytes[16];
};

static struct twice {
    struct pro_loop *loop;
    struct pro_continuation *kept;
} twice;

static bool twice_is_completed(void *self)
{
    (void)self;
    return false;
}

static void twice_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)self;
    twice.kept = continuation;
    pro_continuation_capture(continuation, options);
    pro_continuation_schedule(continuation);
}

static int twice_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type, (void)ret_error;
    return PRO_OK;
}

static const struct pro_awaiter_vtable twice_vtable = { .is_completed = twice_is_completed,
                                                        .on_completed = twice_on_completed,
                                                        .get_result = twice_get_result };

static void run_again(void *arg)
{
    (void)arg;
    pro_continuation_run(twice.kept);
}

static struct pro_value_task sixteen_there(void)
{
    struct sixteen value;

    memset(&value, 0x5a, sizeof value);
    return pro_value_task_from_result(&value, PRO_TYPE(struct sixteen));
}

struct run_twice {
    PRO_FRAME;
    struct sixteen value;
    struct pro_op op;
};
PRO_ASYNC(run_twice_move_next, struct run_twice, self)
    PRO_AWAIT(((struct pro_awaiter){ &twice_vtable, NULL }));
    PRO_AWAIT_TO(&self->value, sixteen_there());
    CHECK_EQ(pro_loop_post(twice.loop, run_again, NULL), PRO_OK);
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(2), PRO_HOW_DEFAULT));
PRO_ASYNC_END

static void start_twice(void *arg)
{
    struct run_twice *const self = PRO_NEW_FRAME_VOID(struct run_twice, run_twice_move_next);

    *(struct pro_task **)arg = PRO_START(self);
}

TEST(a_continuation_run_again_after_a_value_was_awaited_is_told)
{
    // Kills: a value that stays where the continuation has its flow and its flags.
    struct pro_task *task = NULL;

    twice.loop = loop_new();
    told_listen();
    CHECK_EQ(pro_loop_post(twice.loop, start_twice, &task), PRO_OK);
    CHECK_EQ(pro_loop_run(twice.loop), PRO_OK);
    CHECK_EQ(told_count(), 1);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    loop_end(twice.loop);
    told_stop();
}
