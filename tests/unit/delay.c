/* SPDX-License-Identifier: MIT */
/* Delays, ops as tasks, and waiting for a task with a limit: what ends each, and that none keeps the others. */
#include <awaiters/internal.h>

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

/* Runs @fn(@arg) as an item of @loop. */
static void on_loop(struct pro_loop *loop, void (*fn)(void *arg), void *arg)
{
    CHECK_EQ(pro_loop_post(loop, fn, arg), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
}

struct delays {
    struct pro_loop *loop;
    struct pro_cancellation_source *canceller;
    struct pro_task *tasks[3], *target, *proxy;
    struct pro_how how;
    struct pro_op op;
    uint64_t start;
};

/* ---- delays ---- */

static void delay_on_loop(void *arg)
{
    struct delays *const it = arg;

    it->start = pro_loop_now(it->loop);
    it->tasks[0] = pro_delay(PRO_S(3600), PRO_TOKEN_NONE);
    it->tasks[1] = pro_delay(0, PRO_TOKEN_NONE);
    CHECK(pro_task_is_succeeded(it->tasks[1]));
    CHECK_EQ(pro_task_status(it->tasks[0]), PRO_TASK_WAITING_FOR_ACTIVATION);
}

TEST(a_delay_on_a_loop_uses_its_clock)
{
    // Kills: a delay that goes to the background loop, or by another clock.
    struct delays it = { .loop = loop_sim() };

    on_loop(it.loop, delay_on_loop, &it);
    CHECK(pro_task_is_succeeded(it.tasks[0]));
    CHECK(pro_loop_now(it.loop) - it.start >= (uint64_t)PRO_S(3600));
    pro_task_unref(it.tasks[0]);
    pro_task_unref(it.tasks[1]);
    loop_end(it.loop);
}

TEST(a_delay_without_a_loop_is_never_early)
{
    // Kills: a delay that rounds down.
    const uint64_t start = pro_now();
    struct pro_task *const task = pro_delay(PRO_MS(15), PRO_TOKEN_NONE);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(pro_now() - start >= (uint64_t)PRO_MS(15));
    pro_task_unref(task);
}

TEST(a_token_ends_a_delay_inside_the_cancel)
{
    // Kills: a delay that is over only when its timer has been taken back (SEM-300); one for ever that cannot be ended.
    const int64_t delays[] = { PRO_S(3600), PRO_INFINITE };

    for (int i = 0; i < 2; i++) {
        struct pro_cancellation_source *const canceller = canceller_new();
        struct pro_task *const task = pro_delay(delays[i], pro_cancellation_source_token(canceller)), *late;

        CHECK(!pro_task_is_completed(task));
        CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
        CHECK(pro_task_is_canceled(task));
        late = pro_delay(delays[i], pro_cancellation_source_token(canceller));
        CHECK(pro_task_is_canceled(late));
        pro_task_unref(late);
        pro_task_unref(task);
        pro_cancellation_source_unref(canceller);
    }
}

TEST(a_delay_for_ever_without_a_token_stays)
{
    // Kills: a negative delay that is taken for a short one.
    struct pro_task *const task = pro_delay(PRO_INFINITE, PRO_TOKEN_NONE);

    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(PRO_MS(5))), PRO_E_TIMEOUT);
    pro_task_unref(task);
}

/* ---- ops as tasks ---- */

static void start_op_tasks(void *arg)
{
    struct delays *const it = arg;

    it->tasks[0] = pro_op_as_task(pro_sleep(&it->op, it->loop, PRO_MS(1), it->how));
}

TEST(an_op_as_a_task_has_the_ops_outcome)
{
    // Kills: an outcome that is read from the op after it was used again; a cancellation that is a fault.
    for (int how = 0; how < 3; how++) {
        struct delays it = { .loop = loop_sim(), .canceller = canceller_new() };
        int64_t result = -5;

        if (how == 1)
            it.how.deadline_ns = 1;
        if (how == 2)
            it.how.token = pro_cancellation_source_token(it.canceller);
        CHECK_EQ(pro_cancellation_source_cancel(it.canceller), PRO_OK);
        on_loop(it.loop, start_op_tasks, &it);
        it.op.result = 4711; /* the caller's again */
        CHECK_EQ(pro_task_read(it.tasks[0], &result, PRO_TYPE(int64_t)), how == 0   ? PRO_OK
                                                                         : how == 1 ? PRO_E_TIMEOUT
                                                                                    : PRO_E_CANCELED);
        CHECK_EQ(result, how == 0 ? PRO_OK : -5);
        CHECK_EQ(pro_task_is_canceled(it.tasks[0]), how == 2);
        pro_task_unref(it.tasks[0]);
        pro_cancellation_source_unref(it.canceller);
        loop_end(it.loop);
    }
}

TEST(an_op_outlives_the_reference_to_its_task)
{
    // Kills: a task that is freed under its op.
    struct delays it = { .loop = loop_sim() };

    it.tasks[0] = pro_op_as_task(pro_sleep(&it.op, it.loop, PRO_MS(1), PRO_HOW_DEFAULT));
    pro_task_unref(it.tasks[0]);
    CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
    CHECK_EQ(it.op.result, PRO_OK);
    CHECK_EQ(it.op.state, PRO_OP_IDLE);
    loop_end(it.loop);
}

/* ---- waiting for a task, with a limit ---- */

/* How many continuations hang on a task; nobody else touches it. */
static size_t continuations_of(const struct pro_task *task)
{
    const uintptr_t slot = proi_load(&task->slot, PROI_ACQUIRE);
    const struct pro_continuation *it = task->more;
    size_t count = slot != PROI_SLOT_COMPLETED && slot & ~(PROI_SLOT_COMPLETED | PROI_SLOT_MANY) ? 1 : 0;

    if (it)
        do /* a ring */
            count++;
        while ((it = proi_continuation_next(it)) != task->more);
    return count;
}

static void wait_async(void *arg)
{
    struct delays *const it = arg;

    it->proxy = pro_task_wait_async(it->target, it->how);
}

TEST(a_limit_ends_the_wait_and_not_the_task)
{
    // Kills: a proxy that keeps its place in the task's list; a timeout that is a cancellation (SEM-302).
    struct delays it = { .loop = loop_sim(), .how = PRO_WITHIN(PRO_S(1)) };
    struct pro_completion_source *const source = source_new(&it.target);

    on_loop(it.loop, wait_async, &it);
    CHECK(pro_task_is_faulted(it.proxy));
    CHECK_EQ(pro_error_code(pro_task_error(it.proxy)), PRO_E_TIMEOUT);
    CHECK(!pro_task_is_completed(it.target));
    CHECK_EQ(continuations_of(it.target), 0);
    pro_task_unref(it.proxy);
    CHECK_EQ(it.target->references, 2); /* ours, and the source's */
    pro_completion_source_free(source);
    pro_task_error(it.target);
    pro_task_unref(it.target);
    loop_end(it.loop);
}

TEST(a_token_ends_the_wait_and_not_the_task)
{
    // Kills: the same for the token.
    struct pro_cancellation_source *const canceller = canceller_new();
    struct pro_task *target, *proxy;
    struct pro_completion_source *const source = source_new(&target);

    proxy = pro_task_wait_async(target, (struct pro_how){ .token = pro_cancellation_source_token(canceller) });
    CHECK(!pro_task_is_completed(proxy));
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    CHECK(pro_task_is_canceled(proxy));
    CHECK_EQ(continuations_of(target), 0);
    pro_task_unref(proxy);
    CHECK_EQ(target->references, 2);
    pro_completion_source_free(source);
    pro_task_error(target);
    pro_task_unref(target);
    pro_cancellation_source_unref(canceller);
}

static void succeed_inside(void *arg)
{
    struct pro_completion_source *const source = arg;
    const int value = 12;

    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
}

TEST(a_task_that_ends_first_takes_its_limit_along)
{
    // Kills: a timer that keeps the loop for an hour; a proxy without the result.
    struct delays it = { .loop = loop_sim(), .how = PRO_WITHIN(PRO_S(3600)), .canceller = canceller_new() };
    struct pro_completion_source *const source = source_new(&it.target);
    int value = 0;

    it.how.token = pro_cancellation_source_token(it.canceller);
    it.start = pro_loop_now(it.loop);
    CHECK_EQ(pro_loop_post(it.loop, wait_async, &it), PRO_OK);
    CHECK_EQ(pro_loop_post(it.loop, succeed_inside, source), PRO_OK);
    CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
    CHECK(pro_loop_now(it.loop) - it.start < (uint64_t)PRO_S(60));
    CHECK_EQ(pro_task_read(it.proxy, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(value, 12);
    CHECK_EQ(pro_cancellation_source_cancel(it.canceller), PRO_OK); /* too late for anything */
    pro_task_unref(it.proxy);
    pro_task_unref(it.target);
    pro_completion_source_free(source);
    pro_cancellation_source_unref(it.canceller);
    loop_end(it.loop);
}

TEST(a_wait_without_a_limit_is_the_task_itself)
{
    // Kills: a proxy that nobody needs; a limit that is past and still waits.
    struct pro_cancellation_source *const canceller = canceller_new();
    struct pro_task *target, *same, *timeout;
    struct pro_completion_source *const source = source_new(&target);

    same = pro_task_wait_async(target, PRO_HOW_DEFAULT);
    CHECK(same == target);
    pro_task_unref(same);
    timeout = pro_task_wait_async(target, (struct pro_how){ .deadline_ns = 1 });
    CHECK_EQ(pro_error_code(pro_task_error(timeout)), PRO_E_TIMEOUT);
    pro_task_unref(timeout);
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    same = pro_task_wait_async(pro_task_completed(),
                               (struct pro_how){ .token = pro_cancellation_source_token(canceller) });
    CHECK(pro_task_is_succeeded(same)); /* complete wins */
    pro_task_unref(same);
    pro_completion_source_free(source);
    pro_task_error(target);
    pro_task_unref(target);
    pro_cancellation_source_unref(canceller);
}

struct racing {
    struct pro_completion_source *source;
    struct pro_cancellation_source *canceller;
    struct gate start;
};

static void cancel_at_the_gate(void *arg)
{
    struct racing *const it = arg;

    gate_wait(&it->start, 1);
    pro_cancellation_source_cancel(it->canceller);
}

TEST(task_token_and_timer_that_meet_end_the_wait_once)
{
    // Kills: a proxy that is completed twice, freed under the timer, or left pending.
    for (int round = 0; round < 200; round++) {
        struct pro_task *target, *proxy;
        struct racing it = { source_new(&target), canceller_new(), { 0 } };
        struct pro_how how = PRO_WITHIN(PRO_US(50));
        struct proi_thread thread;
        const int value = 1;

        how.token = pro_cancellation_source_token(it.canceller);
        REQUIRE(proi_thread_start(&thread, "canceller", cancel_at_the_gate, &it, 0) == PRO_OK);
        gate_add(&it.start);
        proxy = pro_task_wait_async(target, how);
        CHECK_EQ(pro_completion_source_set_result(it.source, &value, PRO_TYPE(int)), PRO_OK);
        PRO_WAIT(proxy);
        CHECK(pro_task_is_completed(proxy));
        proi_thread_join(&thread);
        pro_task_unref(proxy);
        pro_task_unref(target);
        pro_completion_source_free(it.source);
        pro_cancellation_source_unref(it.canceller);
    }
}
