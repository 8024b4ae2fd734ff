/* SPDX-License-Identifier: MIT */
/* The semaphore: order, limits that meet grants, and what a release must not do. */
#include <proact/proact.h>

#include "awaiters/internal.h"
#include "gate.h"
#include "harness.h"
#include "told.h"

static const struct pro_how over = { .deadline_ns = 1 };

static struct pro_semaphore *semaphore_new(int initial, int maximum)
{
    struct pro_semaphore *semaphore = NULL;

    REQUIRE(pro_semaphore_new(initial, maximum, &semaphore) == PRO_OK);
    return semaphore;
}

static struct pro_cancellation_source *source_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

static struct pro_task *wait_async(struct pro_semaphore *semaphore, struct pro_how how)
{
    return pro_semaphore_wait_async(semaphore, how);
}

/* Its result; the task's reference goes. */
static bool was_granted(struct pro_task *task)
{
    bool granted = false;

    CHECK_EQ(PRO_RESULT(task, &granted), PRO_OK);
    pro_task_unref(task);
    return granted;
}

static void count_blocked(const struct proi_blocked *blocked, void *arg)
{
    (void)blocked;
    ++*(int *)arg;
}

/* Until @count threads are inside blocking waits: looked at again every millisecond. */
static void wait_for_blocked(int count)
{
    static const uint32_t never;
    int now = 0;

    for (proi_blocked_for_each(count_blocked, &now); now < count; proi_blocked_for_each(count_blocked, &now)) {
        now = 0;
        proi_wait(&never, 0, PRO_MS(1));
    }
}

struct blocker {
    struct pro_semaphore *semaphore;
    struct pro_how how;
    int code;
    struct gate done;
};

static void block(void *arg)
{
    struct blocker *blocker = arg;

    blocker->code = pro_semaphore_wait(blocker->semaphore, blocker->how, PRO_HERE);
    gate_add(&blocker->done);
}

TEST(blocked_threads_are_served_before_tasks_and_tasks_in_their_order)
{
    // Kills: one line for both; a line that is served from its end.
    struct pro_semaphore *semaphore = semaphore_new(0, 5);
    struct pro_task *first = wait_async(semaphore, PRO_HOW_DEFAULT), *second = wait_async(semaphore, PRO_HOW_DEFAULT);
    struct blocker blocker = { .semaphore = semaphore };
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "blocker", block, &blocker, 0) == PRO_OK);
    wait_for_blocked(1);
    CHECK_EQ(pro_semaphore_release(semaphore, 1), 0);
    gate_wait(&blocker.done, 1);
    CHECK_EQ(blocker.code, PRO_OK);
    proi_thread_join(&thread);
    CHECK(!pro_task_is_completed(first));
    CHECK_EQ(pro_semaphore_release(semaphore, 1), 0);
    CHECK(pro_task_is_succeeded(first));
    CHECK(!pro_task_is_completed(second));
    CHECK_EQ(pro_semaphore_release(semaphore, 3), 0);
    CHECK(pro_task_is_succeeded(second));
    CHECK_EQ(pro_semaphore_count(semaphore), 2);
    CHECK(was_granted(first));
    CHECK(was_granted(second));
    pro_semaphore_free(semaphore);
}

struct resumed {
    struct pro_continuation continuation;
    uint64_t thread;
    struct gate done;
};

static void resume(struct pro_continuation *continuation)
{
    struct resumed *resumed = PRO_CONTAINER(continuation, struct resumed, continuation);

    resumed->thread = pro_thread_id();
    gate_add(&resumed->done);
}

TEST(release_and_cancel_never_run_what_awaits_inside_themselves)
{
    // Kills: waiters' tasks that complete without PROI_TASK_ASYNC.
    struct pro_semaphore *semaphore = semaphore_new(0, 1);
    struct pro_cancellation_source *source = source_new();
    struct pro_task *tasks[2] = { wait_async(semaphore, PRO_HOW_DEFAULT),
                                  wait_async(semaphore, (struct pro_how){ .token = { source } }) };
    struct resumed resumed[2] = { { .thread = 0 } };

    for (int i = 0; i < 2; i++) {
        pro_continuation_init(&resumed[i].continuation, resume);
        CHECK_EQ(pro_awaiter_on_completed(pro_task_get_awaiter(tasks[i]), &resumed[i].continuation, PRO_AWAIT_NONE),
                 PRO_OK);
    }
    CHECK_EQ(pro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    for (int i = 0; i < 2; i++) {
        gate_wait(&resumed[i].done, 1);
        CHECK(resumed[i].thread != pro_thread_id());
    }
    CHECK(pro_task_is_succeeded(tasks[0]));
    CHECK(pro_task_is_canceled(tasks[1]));
    CHECK(pro_error_is_of_token(pro_task_error(tasks[1]), &(struct pro_cancellation_token){ source }));
    pro_task_unref(tasks[0]);
    pro_task_unref(tasks[1]);
    pro_cancellation_source_unref(source);
    pro_semaphore_free(semaphore);
}

TEST(release_beyond_the_maximum_releases_nothing)
{
    // Kills: comparing with the maximum after adding; releasing as many as fit.
    struct pro_semaphore *semaphore = semaphore_new(1, 3);

    CHECK_EQ(pro_semaphore_release(semaphore, 3), PRO_E_FULL);
    CHECK_EQ(pro_semaphore_release(semaphore, INT32_MAX), PRO_E_FULL);
    CHECK_EQ(pro_semaphore_count(semaphore), 1);
    CHECK_EQ(pro_semaphore_release(semaphore, 2), 1);
    CHECK_EQ(pro_semaphore_count(semaphore), 3);
    pro_semaphore_free(semaphore);
}

TEST(what_is_there_is_taken_without_allocating)
{
    // Kills: a task made for a wait that need not wait.
    struct pro_semaphore *semaphore = semaphore_new(2, 2);
    struct pro_task *first = wait_async(semaphore, PRO_WITHIN(PRO_S(60))),
                    *second = wait_async(semaphore, PRO_HOW_DEFAULT);

    CHECK(first == second); /* the immortal one */
    CHECK(was_granted(first));
    CHECK(was_granted(second));
    CHECK(!pro_semaphore_try_wait(semaphore));
    CHECK_EQ(pro_semaphore_wait(semaphore, over, PRO_HERE), PRO_E_TIMEOUT);
    CHECK(!was_granted(wait_async(semaphore, over)));
    pro_semaphore_free(semaphore);
}

TEST(cancelled_token_is_looked_at_before_the_count_and_the_time)
{
    // Kills: taking first.
    struct pro_semaphore *semaphore = semaphore_new(1, 1);
    struct pro_cancellation_source *source = source_new();
    const struct pro_how how = { .deadline_ns = 1, .token = { source } };
    struct pro_task *task;

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    task = wait_async(semaphore, how);
    CHECK(pro_task_is_canceled(task));
    pro_task_unref(task);
    CHECK_EQ(pro_semaphore_wait(semaphore, how, PRO_HERE), PRO_E_CANCELED);
    CHECK_EQ(pro_semaphore_count(semaphore), 1);
    pro_cancellation_source_unref(source);
    pro_semaphore_free(semaphore);
}

TEST(waits_that_end_by_their_limits_leave_the_line)
{
    // Kills: a grant to one that has left; a timeout that faults; a thread that stays in line after its time.
    struct pro_semaphore *semaphore = semaphore_new(0, 1);
    struct pro_cancellation_source *source = source_new();
    struct pro_task *late = wait_async(semaphore, PRO_WITHIN(PRO_MS(5)));
    struct pro_task *canceled = wait_async(semaphore, (struct pro_how){ .timeout_ns = PRO_S(60), .token = { source } });
    struct pro_task *last = wait_async(semaphore, PRO_WITHIN(PRO_S(60)));

    CHECK_EQ(pro_semaphore_wait(semaphore, PRO_WITHIN(PRO_MS(2)), PRO_HERE), PRO_E_TIMEOUT);
    CHECK(!was_granted(late));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_is_canceled(canceled));
    CHECK_EQ(pro_semaphore_release(semaphore, 1), 0);
    CHECK(was_granted(last));
    CHECK_EQ(pro_semaphore_count(semaphore), 0);
    pro_task_unref(canceled);
    pro_cancellation_source_unref(source);
    pro_semaphore_free(semaphore);
}

TEST(freeing_fails_who_still_waits)
{
    // Kills: waits that never end; a limit that strikes on freed memory.
    struct pro_semaphore *semaphore = semaphore_new(0, 1);
    struct pro_cancellation_source *source = source_new();
    struct pro_task *plain = wait_async(semaphore, PRO_HOW_DEFAULT);
    struct pro_task *bounded = wait_async(semaphore, (struct pro_how){ .timeout_ns = PRO_S(60), .token = { source } });

    pro_semaphore_free(semaphore);
    CHECK_EQ(pro_error_code(pro_task_error(plain)), PRO_E_BROKEN_PROMISE);
    CHECK_EQ(pro_error_code(pro_task_error(bounded)), PRO_E_BROKEN_PROMISE);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    pro_task_unref(plain);
    pro_task_unref(bounded);
    pro_cancellation_source_unref(source);
}

TEST(a_semaphore_that_was_freed_is_answered_as_a_mistake)
{
    // Kills: a stale pointer that locks, counts, or joins the line of what has become of the memory.
    enum { MOST = 16 };
    struct pro_semaphore *const semaphore = semaphore_new(1, 2), *others[MOST];
    struct pro_task *task;
    int taken;

    pro_semaphore_free(semaphore);
    told_listen();
    CHECK_TELLS(task = wait_async(semaphore, PRO_HOW_DEFAULT));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_STATE);
    pro_task_unref(task);
    CHECK_MISUSE(PRO_SEMAPHORE_WAIT(semaphore), PRO_E_STATE);
    CHECK(strstr(told.sentence, "freed") != NULL);
    CHECK_MISUSE(pro_semaphore_try_wait(semaphore), false);
    CHECK_MISUSE(pro_semaphore_release(semaphore, 1), PRO_E_STATE);
    CHECK_MISUSE(pro_semaphore_count(semaphore), PRO_E_STATE);
    CHECK_TELLS(pro_semaphore_free(semaphore));
    told_stop();
    /* its memory becomes nothing but a semaphore; the timers of tests before may give theirs back meanwhile */
    for (taken = 0; taken < MOST; ++taken) {
        others[taken] = semaphore_new(1, 2);
        if (others[taken] == semaphore)
            break;
    }
    REQUIRE(taken < MOST);
    CHECK(pro_semaphore_try_wait(semaphore));
    for (int each = 0; each <= taken; ++each)
        pro_semaphore_free(others[each]);
}

/* ---- limits against grants, on two threads ---- */

enum { ROUNDS = 3000 };

struct duel {
    struct pro_semaphore *semaphore;
    struct pro_cancellation_source *source; /* of this round */
    uint64_t random;
    struct gate begin, end;
};

static void linger(uint64_t *random)
{
    for (volatile unsigned turns = (unsigned)(test_random(random) % 400); turns > 0; turns--)
        ;
}

static void cancel_rounds(void *arg)
{
    struct duel *duel = arg;

    for (uint32_t i = 1; i <= ROUNDS; i++) {
        gate_wait(&duel->begin, i);
        linger(&duel->random);
        pro_cancellation_source_cancel(duel->source);
        gate_add(&duel->end);
    }
}

TEST(grant_that_meets_a_cancellation_is_kept_or_goes_back_and_is_never_lost)
{
    // Kills: a waiter that is taken out of its line by both; completing before it is out of the line.
    struct duel duel = { .semaphore = semaphore_new(0, 1), .random = test_seed() };
    uint64_t random = test_seed() + 1;
    int kept = 0;
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "canceller", cancel_rounds, &duel, 0) == PRO_OK);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        struct pro_task *task;

        duel.source = source_new();
        task = wait_async(duel.semaphore, (struct pro_how){ .token = { duel.source } });
        gate_add(&duel.begin);
        linger(&random);
        CHECK_EQ(pro_semaphore_release(duel.semaphore, 1), 0);
        gate_wait(&duel.end, i);
        CHECK(pro_task_is_completed(task));
        CHECK(pro_task_is_succeeded(task) != pro_semaphore_try_wait(duel.semaphore));
        kept += pro_task_is_succeeded(task);
        pro_task_unref(task);
        pro_cancellation_source_unref(duel.source);
    }
    proi_thread_join(&thread);
    test_note("%d of %d grants came first", kept, (int)ROUNDS);
    pro_semaphore_free(duel.semaphore);
}

static void block_rounds(void *arg)
{
    struct blocker *blocker = arg;

    for (int i = 0; i < ROUNDS / 3; i++) {
        blocker->code += pro_semaphore_wait(blocker->semaphore, PRO_WITHIN(PRO_US(30)), PRO_HERE) == PRO_OK;
        gate_add(&blocker->done);
    }
}

TEST(thread_whose_time_is_up_keeps_a_grant_that_came_first)
{
    // Kills: answering PRO_E_TIMEOUT without asking whether the grant was there.
    struct blocker blocker = { .semaphore = semaphore_new(0, INT32_MAX) };
    uint64_t random = test_seed();
    int released = 0;
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "blocker", block_rounds, &blocker, 0) == PRO_OK);
    while (gate_count(&blocker.done) < ROUNDS / 3) {
        linger(&random);
        CHECK(pro_semaphore_release(blocker.semaphore, 1) >= 0);
        released++;
        while (pro_semaphore_count(blocker.semaphore) > 0 && gate_count(&blocker.done) < ROUNDS / 3)
            proi_wait(&blocker.done.count, gate_count(&blocker.done), PRO_MS(1));
    }
    proi_thread_join(&thread);
    CHECK_EQ(blocker.code + pro_semaphore_count(blocker.semaphore), released);
    pro_semaphore_free(blocker.semaphore);
}
