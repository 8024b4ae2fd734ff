/* SPDX-License-Identifier: MIT */
/* The async mutex, readers/writer lock, event, barrier and countdown. */
#include <proact/proact.h>

#include "gate.h"
#include "told.h"

static bool is_done(struct pro_task *task) { return pro_task_is_succeeded(task); }

static void drop(struct pro_task *const *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pro_task_unref(tasks[i]);
}

static struct pro_cancellation_source *source_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

static void check_code(struct pro_task *task, int code)
{
    CHECK_EQ(pro_error_code(pro_task_error(task)), code);
    pro_task_unref(task);
}

TEST(mutex_is_handed_over_in_order)
{
    // Kills: an unlock that opens it although somebody waits; a wait that ends by its time with success.
    struct pro_async_mutex *mutex = NULL;
    struct pro_task *tasks[3];

    REQUIRE(pro_async_mutex_new(&mutex) == PRO_OK);
    for (int i = 0; i < 3; i++)
        tasks[i] = pro_async_mutex_lock_async(mutex, PRO_HOW_DEFAULT);
    CHECK(is_done(tasks[0]));
    CHECK(!is_done(tasks[1]));
    CHECK_EQ(pro_async_mutex_unlock(mutex), PRO_OK);
    CHECK(is_done(tasks[1]));
    CHECK(!is_done(tasks[2]));
    CHECK(!pro_async_mutex_try_lock(mutex));
    check_code(pro_async_mutex_lock_async(mutex, (struct pro_how){ .deadline_ns = 1 }), PRO_E_TIMEOUT);
    CHECK_EQ(pro_async_mutex_unlock(mutex), PRO_OK);
    CHECK(is_done(tasks[2]));
    CHECK_EQ(pro_async_mutex_unlock(mutex), PRO_OK);
    CHECK(pro_async_mutex_try_lock(mutex));
    drop(tasks, 3);
    pro_async_mutex_free(mutex);
}

TEST(mutex_that_is_not_locked_cannot_be_unlocked)
{
    // Kills: the check in unlock.
    struct pro_async_mutex *mutex = NULL;

    REQUIRE(pro_async_mutex_new(&mutex) == PRO_OK);
    told_listen();
    CHECK_MISUSE(pro_async_mutex_unlock(mutex), PRO_E_STATE);
    CHECK_MISUSE(pro_async_mutex_unlock(NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_async_mutex_new(NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_async_mutex_try_lock(NULL), false);
    CHECK_TELLS(check_code(pro_async_mutex_lock_async(NULL, PRO_HOW_DEFAULT), PRO_E_INVALID));
    told_stop();
    CHECK(pro_async_mutex_try_lock(mutex));
    pro_async_mutex_free(mutex);
}

enum { LOCKERS = 4, TURNS = 400 };

static struct {
    struct pro_async_mutex *mutex;
    int inside, wrong, count;
} shared;

struct locker {
    PRO_FRAME;
    int left;
};

PRO_ASYNC(locker_move_next, struct locker, self)
    for (self->left = TURNS; self->left > 0; self->left--) {
        PRO_AWAIT(pro_async_mutex_lock_async(shared.mutex, PRO_HOW_DEFAULT));
        shared.wrong += shared.inside++;
        PRO_AWAIT(pro_yield());
        shared.inside--;
        shared.count++;
        if (pro_async_mutex_unlock(shared.mutex) < 0)
            shared.wrong++;
    }
PRO_ASYNC_END

static struct pro_task *locker_async(void *arg)
{
    struct locker *self = PRO_NEW_FRAME_VOID(struct locker, locker_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

TEST(mutex_keeps_methods_on_many_threads_apart_across_their_awaits)
{
    // Kills: a hand-over that leaves it unlocked; a grant that is published under no order.
    struct pro_task *tasks[LOCKERS];

    memset(&shared, 0, sizeof shared);
    REQUIRE(pro_async_mutex_new(&shared.mutex) == PRO_OK);
    for (int i = 0; i < LOCKERS; i++)
        tasks[i] = pro_task_run_async(locker_async, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(pro_task_wait_all(tasks, LOCKERS, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(shared.wrong, 0);
    CHECK_EQ(shared.count, LOCKERS * TURNS);
    drop(tasks, LOCKERS);
    pro_async_mutex_free(shared.mutex);
}

TEST(waiting_writer_goes_before_readers_that_come_later)
{
    // Kills: letting readers pass a waiting writer; waking readers before the next writer.
    struct pro_async_rwlock *lock = NULL;
    struct pro_task *tasks[6];

    REQUIRE(pro_async_rwlock_new(&lock) == PRO_OK);
    tasks[0] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    tasks[1] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    tasks[2] = pro_async_rwlock_write_async(lock, PRO_HOW_DEFAULT);
    tasks[3] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    tasks[4] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    tasks[5] = pro_async_rwlock_write_async(lock, PRO_HOW_DEFAULT);
    CHECK(is_done(tasks[0]) && is_done(tasks[1]) && !is_done(tasks[2]) && !is_done(tasks[3]));
    CHECK_EQ(pro_async_rwlock_read_unlock(lock), PRO_OK);
    CHECK(!is_done(tasks[2]));
    CHECK_EQ(pro_async_rwlock_read_unlock(lock), PRO_OK);
    CHECK(is_done(tasks[2]) && !is_done(tasks[3]) && !is_done(tasks[5]));
    CHECK_EQ(pro_async_rwlock_write_unlock(lock), PRO_OK);
    CHECK(is_done(tasks[5]) && !is_done(tasks[3]));
    CHECK_EQ(pro_async_rwlock_write_unlock(lock), PRO_OK);
    CHECK(is_done(tasks[3]) && is_done(tasks[4]));
    told_listen();
    CHECK_MISUSE(pro_async_rwlock_write_unlock(lock), PRO_E_STATE);
    CHECK_EQ(pro_async_rwlock_read_unlock(lock), PRO_OK);
    CHECK_EQ(pro_async_rwlock_read_unlock(lock), PRO_OK);
    CHECK_MISUSE(pro_async_rwlock_read_unlock(lock), PRO_E_STATE);
    told_stop();
    drop(tasks, 6);
    pro_async_rwlock_free(lock);
}

TEST(writer_that_gives_up_lets_the_readers_behind_it_in)
{
    // Kills: the hook that is called when a waiter leaves by its own limit.
    struct pro_async_rwlock *lock = NULL;
    struct pro_cancellation_source *source = source_new();
    struct pro_task *tasks[3];

    REQUIRE(pro_async_rwlock_new(&lock) == PRO_OK);
    tasks[0] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    tasks[1] = pro_async_rwlock_write_async(lock, (struct pro_how){ .token = { source } });
    tasks[2] = pro_async_rwlock_read_async(lock, PRO_HOW_DEFAULT);
    CHECK(!is_done(tasks[2]));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_is_canceled(tasks[1]));
    CHECK(is_done(tasks[2]));
    drop(tasks, 3);
    pro_cancellation_source_unref(source);
    pro_async_rwlock_free(lock);
}

TEST(manual_event_lets_all_go_on_until_it_is_reset)
{
    // Kills: waking one; a set that does not last.
    struct pro_async_event *event = NULL;
    struct pro_task *tasks[4];

    REQUIRE(pro_async_event_new(PRO_EVENT_MANUAL, false, &event) == PRO_OK);
    tasks[0] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    tasks[1] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_async_event_set(event), PRO_OK);
    tasks[2] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    CHECK(pro_async_event_is_set(event));
    CHECK(is_done(tasks[0]) && is_done(tasks[1]) && is_done(tasks[2]));
    CHECK_EQ(pro_async_event_reset(event), PRO_OK);
    tasks[3] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    CHECK(!is_done(tasks[3]));
    pro_async_event_free(event);
    CHECK_EQ(pro_error_code(pro_task_error(tasks[3])), PRO_E_BROKEN_PROMISE);
    drop(tasks, 4);
}

TEST(automatic_event_lets_one_go_on_for_each_set)
{
    // Kills: a set that stays although somebody took it; two sets that count as two.
    struct pro_async_event *event = NULL;
    struct pro_task *tasks[4];

    REQUIRE(pro_async_event_new(PRO_EVENT_AUTO, true, &event) == PRO_OK);
    for (int i = 0; i < 3; i++)
        tasks[i] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    CHECK(is_done(tasks[0]) && !is_done(tasks[1]));
    CHECK_EQ(pro_async_event_set(event), PRO_OK);
    CHECK(is_done(tasks[1]) && !is_done(tasks[2]));
    CHECK(!pro_async_event_is_set(event));
    CHECK_EQ(pro_async_event_set(event), PRO_OK);
    CHECK_EQ(pro_async_event_set(event), PRO_OK);
    CHECK_EQ(pro_async_event_set(event), PRO_OK);
    CHECK(is_done(tasks[2]));
    tasks[3] = pro_async_event_wait_async(event, PRO_HOW_DEFAULT);
    CHECK(is_done(tasks[3]));
    CHECK(!pro_async_event_is_set(event));
    drop(tasks, 4);
    pro_async_event_free(event);
}

TEST(barrier_ends_a_phase_when_all_have_come_and_begins_the_next)
{
    // Kills: a phase that starts with fewer to come; counting the one that ends it twice.
    struct pro_async_barrier *barrier = NULL;
    struct pro_task *tasks[3];

    REQUIRE(pro_async_barrier_new(3, &barrier) == PRO_OK);
    for (uint64_t phase = 0; phase < 3; phase++) {
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(pro_async_barrier_phase(barrier), phase);
            CHECK_EQ(pro_async_barrier_remaining(barrier), 3 - i);
            tasks[i] = pro_async_barrier_signal_and_wait_async(barrier, PRO_HOW_DEFAULT);
            CHECK_EQ(is_done(tasks[0]), i == 2);
        }
        CHECK(is_done(tasks[1]) && is_done(tasks[2]));
        drop(tasks, 3);
    }
    CHECK_EQ(pro_async_barrier_phase(barrier), 3);
    pro_async_barrier_free(barrier);
}

TEST(participant_that_gives_up_takes_its_coming_back)
{
    // Kills: the hook of the barrier.
    struct pro_async_barrier *barrier = NULL;
    struct pro_cancellation_source *source = source_new();
    struct pro_task *tasks[3];

    REQUIRE(pro_async_barrier_new(2, &barrier) == PRO_OK);
    tasks[0] = pro_async_barrier_signal_and_wait_async(barrier, (struct pro_how){ .token = { source } });
    CHECK_EQ(pro_async_barrier_remaining(barrier), 1);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_async_barrier_remaining(barrier), 2);
    tasks[1] = pro_async_barrier_signal_and_wait_async(barrier, PRO_HOW_DEFAULT);
    CHECK(!is_done(tasks[1]));
    tasks[2] = pro_async_barrier_signal_and_wait_async(barrier, PRO_HOW_DEFAULT);
    CHECK(is_done(tasks[1]) && is_done(tasks[2]));
    drop(tasks, 3);
    pro_cancellation_source_unref(source);
    pro_async_barrier_free(barrier);
}

static void count_down(void *arg) { CHECK_EQ(pro_countdown_signal(arg, 2), 1); }

TEST(countdown_ends_its_waits_at_zero)
{
    // Kills: signalling below zero; counting up when it is over; an end that leaves a blocked thread asleep.
    struct pro_countdown *countdown = NULL;
    struct pro_task *task;
    struct proi_thread thread;

    REQUIRE(pro_countdown_new(2, &countdown) == PRO_OK);
    task = pro_countdown_wait_async(countdown, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_countdown_signal(countdown, 1), 0);
    CHECK_EQ(pro_countdown_add(countdown, 1), PRO_OK);
    CHECK_EQ(pro_countdown_add(countdown, INT32_MAX), PRO_E_STATE);
    CHECK_EQ(pro_countdown_count(countdown), 2);
    CHECK_EQ(pro_countdown_wait(countdown, PRO_WITHIN(PRO_MS(1)), PRO_HERE), PRO_E_TIMEOUT);
    CHECK(!is_done(task));
    REQUIRE(proi_thread_start(&thread, "signaller", count_down, countdown, 0) == PRO_OK);
    CHECK_EQ(PRO_COUNTDOWN_WAIT(countdown), PRO_OK);
    proi_thread_join(&thread);
    CHECK(is_done(task));
    CHECK_EQ(pro_countdown_add(countdown, 1), PRO_E_STATE);
    told_listen();
    CHECK_MISUSE(pro_countdown_signal(countdown, 1), PRO_E_STATE);
    told_stop();
    CHECK_EQ(pro_countdown_count(countdown), 0);
    pro_task_unref(task);
    pro_countdown_free(countdown);
}
