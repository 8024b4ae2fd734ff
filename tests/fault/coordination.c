/* SPDX-License-Identifier: MIT */
/* Semaphores, locks and channels without memory: every allocation fails once; the call says so, loses nothing, and goes
   on when there is memory again. Everything here runs on one thread, with no loop. */
#include <proact/proact.h>

#include "harness.h"
#include "platform.h"

#include <stdlib.h>

static int left; /* allocations that still succeed; negative: all */
static int live;

static bool may_allocate(void) { return left < 0 || left-- > 0; }

static void *allocate(size_t size, void *user)
{
    void *const block = may_allocate() ? malloc(size) : NULL;

    (void)user;
    live += block != NULL;
    return block;
}

static void *resize(void *block, size_t size, void *user)
{
    (void)user;
    live += !block;
    return realloc(block, size);
}

static void release(void *block, void *user)
{
    (void)user;
    live -= block != NULL;
    free(block);
}

static const struct pro_allocator scarce = { allocate, resize, release, NULL };

/* Runs @story with no memory after the first 0, 1, 2 … allocations, until it succeeds; a failed story must have said
   PRO_E_NO_MEMORY, and leave nothing behind. */
static void sweep(int (*story)(void))
{
    int code = PRO_E_NO_MEMORY, rounds = 0;

    left = -1;
    proi_slabs_of_one = true; /* each block may fail */
    REQUIRE(pro_set_allocator(&scarce) == PRO_OK);
    for (int most = 0; code == PRO_E_NO_MEMORY && rounds < 100; most++, rounds++) {
        pro_memory_trim();
        CHECK_EQ(live, 0);
        left = most;
        code = story();
        left = -1;
    }
    CHECK_EQ(code, PRO_OK);
    CHECK(rounds > 1);
    pro_memory_trim();
    CHECK_EQ(live, 0);
    pro_set_allocator(NULL);
}

static int code_of(struct pro_task *task)
{
    const int code = pro_error_code(pro_task_error(task));

    pro_task_unref(task);
    return code;
}

static int semaphore_story(void)
{
    struct pro_semaphore *semaphore;
    struct pro_task *task;
    int code = pro_semaphore_new(0, 1, &semaphore);

    if (code < 0)
        return code;
    task = pro_semaphore_wait_async(semaphore, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(pro_semaphore_count(semaphore), pro_task_is_succeeded(task) ? 0 : 1);
    code = code_of(task);
    pro_semaphore_free(semaphore);
    return code;
}

TEST(wait_without_memory_says_so_and_takes_nothing)
{
    // Kills: a waiter that is joined although it could not be made.
    sweep(semaphore_story);
}

static int locks_story(void)
{
    struct pro_async_rwlock *lock = NULL;
    struct pro_async_barrier *barrier = NULL;
    struct pro_countdown *countdown = NULL;
    struct pro_async_event *event = NULL;
    struct pro_async_mutex *mutex = NULL;
    struct pro_task *task = NULL;
    int code = pro_async_rwlock_new(&lock);

    if (code == PRO_OK)
        code = pro_async_barrier_new(2, &barrier);
    if (code == PRO_OK)
        code = pro_countdown_new(1, &countdown);
    if (code == PRO_OK)
        code = pro_async_event_new(PRO_EVENT_AUTO, false, &event);
    if (code == PRO_OK)
        code = pro_async_mutex_new(&mutex);
    if (code == PRO_OK) {
        task = pro_async_barrier_signal_and_wait_async(barrier, PRO_HOW_DEFAULT);
        CHECK_EQ(pro_async_barrier_remaining(barrier), pro_task_is_completed(task) ? 2 : 1);
        code = pro_error_code(pro_task_error(task));
    }
    pro_async_rwlock_free(lock);
    pro_async_barrier_free(barrier);
    CHECK(code_of(task) < 0 || !task); /* it could not wait, or the barrier is gone */
    pro_countdown_free(countdown);
    pro_async_event_free(event);
    pro_async_mutex_free(mutex);
    return code;
}

TEST(locks_without_memory_say_so_and_leak_nothing)
{
    // Kills: a participant that is counted although it could not wait; a constructor that leaks.
    sweep(locks_story);
}

static int write_all(struct pro_channel *channel, int count, int *ret_written)
{
    int code = PRO_OK;

    for (*ret_written = 0; *ret_written < count; ++*ret_written) {
        code = PRO_CHANNEL_TRY_WRITE(channel, ret_written);
        if (code < 0)
            return code;
    }
    return PRO_OK;
}

static int channel_story(void)
{
    struct pro_channel *channel;
    struct pro_task *write = NULL;
    int code = pro_channel_new(PRO_TYPE(int), &(struct pro_channel_options){ .capacity = 40 }, &channel), item = -1,
        written = 0, seen = 0;

    if (code < 0)
        return code;
    code = write_all(channel, 40, &written);
    if (code == PRO_OK) {
        write = PRO_CHANNEL_WRITE(channel, &(int){ 40 });
        if (pro_task_is_completed(write))
            code = code_of(write), write = NULL;
        else
            written++; /* once there is room for it */
    }
    if (code == PRO_OK) {
        struct pro_task *const read = PRO_CHANNEL_READ(channel);

        if (pro_task_is_succeeded(read))
            seen++;
        code = code_of(read);
    }
    while (PRO_CHANNEL_TRY_READ(channel, &item) == 1)
        CHECK_EQ(item, seen++); /* an item is not lost with the memory for its task */
    CHECK_EQ(seen, written);
    pro_task_unref(write);
    pro_channel_free(channel);
    return code;
}

TEST(channel_without_memory_says_so_and_loses_no_item)
{
    // Kills: an item taken before there is memory for it; a ring that is replaced by nothing.
    sweep(channel_story);
}

struct large {
    char bytes[1000];
};

static int dropping_story(void)
{
    static const struct large large;
    struct pro_channel *channel;
    int code =
        pro_channel_new(PRO_TYPE(struct large),
                        &(struct pro_channel_options){ .capacity = 1, .full = PRO_CHANNEL_DROP_OLDEST }, &channel);

    if (code < 0)
        return code;
    for (int i = 0; i < 2 && code >= 0; i++)
        code = pro_channel_try_write(channel, &large, PRO_TYPE(struct large));
    pro_channel_free(channel);
    return code < 0 ? code : PRO_OK;
}

TEST(write_that_may_lose_a_large_item_needs_memory_for_it_first)
{
    // Kills: copying what is lost to nowhere.
    sweep(dropping_story);
}
