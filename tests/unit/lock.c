/* SPDX-License-Identifier: MIT */
/* Mutex, condition, once, threads: what platform/ promises to everybody above. */
#include "harness.h"
#include "platform.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct proi_mutex mutex;
static struct proi_condition condition;

static void run_threads(void (*fn)(void *arg))
{
    struct proi_thread threads[THREADS];
    int started = 0;

    while (started < THREADS &&
           proi_thread_start(&threads[started], "test", fn, (void *)(intptr_t)started, 0) == PRO_OK)
        started++;
    CHECK_EQ(started, THREADS);
    while (started > 0)
        proi_thread_join(&threads[--started]);
}

static size_t guarded, guarded_twin;

static void add_under_lock(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        proi_lock(&mutex);
        guarded++;
        if (guarded != ++guarded_twin)
            guarded_twin += ROUNDS * THREADS; /* two were inside */
        proi_unlock(&mutex);
    }
}

TEST(mutex_lets_one_thread_in_and_wakes_the_next)
{
    /* Kills: taking the lock as HELD after sleeping (the next sleeper is never woken: the watchdog), the exchange in
     * lock. */
    guarded = guarded_twin = 0;
    run_threads(add_under_lock);
    CHECK_EQ(guarded, THREADS * ROUNDS);
    CHECK_EQ(guarded_twin, THREADS * ROUNDS);
}

static void pass_through(void *arg)
{
    (void)arg;
    proi_lock(&mutex);
    proi_unlock(&mutex);
}

TEST(mutex_wakes_every_sleeper_one_after_another)
{
    /* Kills: a lock taken as held, not as awaited, after sleeping (the watchdog ends it). */
    struct proi_thread threads[THREADS];

    for (int round = 0; round < 50; round++) {
        proi_lock(&mutex);
        for (int i = 0; i < THREADS; i++)
            REQUIRE(proi_thread_start(&threads[i], "sleeper", pass_through, NULL, 0) == PRO_OK);
        while (proi_load(&mutex.word, PROI_RELAXED) != 2)
            proi_wait(&mutex.word, 1, PRO_US(50));
        proi_unlock(&mutex);
        for (int i = 0; i < THREADS; i++)
            proi_thread_join(&threads[i]);
    }
}

/* The waiter's way from unlock to sleep is what a signal must not fall into unseen. A third thread sleeps on the mutex,
   so that the waiter's unlock takes a system call; the signaller watches the mutex and is done before that call
   returns. */
enum { MEETINGS = 3000 };
static struct {
    struct proi_mutex mutex;
    struct proi_condition condition;
    uint32_t round, waiting;
    bool flag;
} meeting;

static void be_in_the_way(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < MEETINGS; i++) {
        while (proi_load(&meeting.round, PROI_ACQUIRE) <= i)
            proi_wait(&meeting.round, i, PRO_INFINITE);
        proi_lock(&meeting.mutex);
        proi_unlock(&meeting.mutex);
    }
}

static void signal_waiter(void *arg)
{
    (void)arg;
    for (int i = 0; i < MEETINGS; i++) {
        while (!proi_load(&meeting.waiting, PROI_ACQUIRE))
            proi_wait(&meeting.waiting, 0, PRO_INFINITE);
        while (proi_load(&meeting.mutex.word, PROI_RELAXED)) /* the waiter holds it, and is about to let go */
            ;
        proi_lock(&meeting.mutex);
        meeting.flag = true;
        proi_store(&meeting.waiting, 0, PROI_RELAXED);
        proi_unlock(&meeting.mutex);
        proi_condition_signal(&meeting.condition);
    }
}

TEST(condition_loses_no_signal_that_comes_between_unlock_and_sleep)
{
    /* Kills: reading the sequence after the unlock. */
    struct proi_thread signaller, other;
    unsigned lost = 0;

    REQUIRE(proi_thread_start(&signaller, "signaller", signal_waiter, NULL, 0) == PRO_OK);
    REQUIRE(proi_thread_start(&other, "other", be_in_the_way, NULL, 0) == PRO_OK);
    for (int i = 0; i < MEETINGS; i++) {
        proi_lock(&meeting.mutex);
        proi_fetch_add(&meeting.round, 1, PROI_RELEASE);
        proi_wake_all(&meeting.round);
        while (proi_load(&meeting.mutex.word, PROI_RELAXED) != 2) /* until the other one sleeps on it */
            proi_wait(&meeting.mutex.word, 1, PRO_US(20));
        proi_store(&meeting.waiting, 1, PROI_RELEASE);
        proi_wake_all(&meeting.waiting);
        while (!meeting.flag)
            lost += !proi_condition_wait(&meeting.condition, &meeting.mutex, PRO_S(2)) && meeting.flag;
        meeting.flag = false;
        proi_unlock(&meeting.mutex);
    }
    proi_thread_join(&signaller);
    proi_thread_join(&other);
    CHECK_EQ(lost, 0);
}

TEST(signal_and_broadcast_change_the_sequence)
{
    /* Kills: waking without the addition, which only a thread that sleeps already would notice. */
    struct proi_condition fresh = { 0 };

    proi_condition_signal(&fresh);
    CHECK_EQ(fresh.sequence, 1);
    proi_condition_broadcast(&fresh);
    CHECK_EQ(fresh.sequence, 2);
}

TEST(condition_wait_tells_that_the_time_is_up_and_holds_the_mutex)
{
    /* Kills: always true; a timeout taken for milliseconds; returning without the lock. */
    const uint64_t begin = proi_now();
    uint32_t word;

    proi_lock(&mutex);
    while (proi_condition_wait(&condition, &mutex, PRO_MS(20)))
        ;
    word = mutex.word;
    proi_unlock(&mutex);
    CHECK(word != 0);
    CHECK(proi_now() - begin >= (uint64_t)PRO_MS(15)); /* Windows counts in ticks */
    CHECK(proi_now() - begin < (uint64_t)PRO_S(10));
}

TEST(wait_for_a_word_that_differs_returns_at_once)
{
    /* Kills: sleeping without the comparison. */
    const uint32_t word = 5;

    CHECK(proi_wait(&word, 4, PRO_INFINITE));
    CHECK(!proi_wait(&word, 5, 0));
}

static struct proi_once once;
static uint32_t once_runs, once_data;

static void once_body(void)
{
    proi_fetch_add(&once_runs, 1, PROI_RELAXED);
    proi_wait(&once_runs, 1, PRO_MS(5)); /* keeps the others waiting */
    once_data = 42;
}

static void once_caller(void *arg)
{
    (void)arg;
    proi_once(&once, once_body);
    CHECK_EQ(once_data, 42);
}

TEST(once_runs_once_and_all_callers_see_what_it_did)
{
    /* Kills: returning while another thread still runs it. */
    run_threads(once_caller);
    CHECK_EQ(once_runs, 1);
}

static uint64_t ids[THREADS];

static void note_id(void *arg)
{
    ids[(intptr_t)arg] = proi_thread_id();
    CHECK_EQ(proi_thread_id(), ids[(intptr_t)arg]);
}

TEST(thread_numbers_are_small_and_never_used_twice)
{
    /* Kills: the system's own thread ids, which are. */
    uint64_t seen[3 * THREADS];

    for (int round = 0; round < 3; round++) {
        run_threads(note_id);
        memcpy(seen + round * THREADS, ids, sizeof ids);
    }
    for (int i = 0; i < 3 * THREADS; i++) {
        CHECK(seen[i] > 0 && seen[i] < 1000);
        for (int j = 0; j < i; j++)
            CHECK(seen[i] != seen[j]);
    }
}

static uint32_t exits;

static void at_exit(void) { proi_fetch_add(&exits, 1, PROI_RELAXED); }

static void ask_twice(void *arg)
{
    (void)arg;
    proi_at_thread_exit(at_exit);
    proi_at_thread_exit(at_exit);
}

TEST(exit_function_runs_once_for_each_thread_that_asked)
{
    /* Kills: a hook entered twice; hooks run for threads that did not ask. */
    exits = 0;
    run_threads(ask_twice);
    run_threads(note_id);
    CHECK_EQ(exits, THREADS);
}

static __attribute__((noinline)) void note_stack(void *arg)
{
    volatile char deep[65536];
    size_t *ret_left = arg;

    for (size_t i = 0; i < sizeof deep; i += 1024) /* an index that varies keeps the compiler from shrinking it */
        deep[i] = 0;
    *ret_left = proi_stack_left() + (size_t)deep[1024];
}

TEST(stack_left_is_of_this_thread_and_shrinks_with_depth)
{
    /* Kills: the wrong end of the stack, the size of the main thread's. */
    struct proi_thread thread;
    size_t left = 0, here = proi_stack_left(), deeper = 0;

    note_stack(&deeper);
    CHECK(deeper < here);
    /* Thread-local data lies in the stack, with ThreadSanitizer most of a megabyte; and from 2 MiB on the C library would give
       us a default one that an earlier thread has left. */
    REQUIRE(proi_thread_start(&thread, "small", note_stack, &left, 7 << 18) == PRO_OK);
    proi_thread_join(&thread);
    CHECK(left > (1 << 19) && left < (7 << 18) + 65536);
}

static uint32_t may_end;

static void stay(void *arg)
{
    (void)arg;
    while (!proi_load(&may_end, PROI_ACQUIRE))
        proi_wait(&may_end, 0, PRO_INFINITE);
}

TEST(thread_limit_counts_threads_that_live)
{
    /* Kills: not giving the place back at the end; a limit of n that lets n + 1 in. */
    struct proi_thread first, second;

    pro_set_thread_limit(1);
    for (int round = 0; round < 3; round++) {
        may_end = 0;
        REQUIRE(proi_thread_start(&first, "first", stay, NULL, 0) == PRO_OK);
        CHECK_EQ(proi_thread_start(&second, "second", stay, NULL, 0), PRO_E_NO_THREAD);
        proi_store(&may_end, 1, PROI_RELEASE);
        proi_wake_all(&may_end);
        proi_thread_join(&first);
    }
    pro_set_thread_limit(0);
    CHECK_EQ(proi_thread_start(&first, "none", stay, NULL, 0), PRO_E_NO_THREAD);
    pro_set_thread_limit(-1);
    CHECK(proi_processor_count() >= 1);
}
