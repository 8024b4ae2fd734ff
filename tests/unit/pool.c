/* SPDX-License-Identifier: MIT */
/* The thread pool: the order of its queues, how many threads there are and why, blocking, and life without threads. */
#include "harness.h"

#include <proact/proact.h>

#include "pool_items.h"

enum { SOME = 8 };

/* The pool's waits are shortened before anything uses it. */
__attribute__((constructor)) static void shorten_times(void)
{
    proi_pool_timing.idle_ns = PRO_MS(200);
    proi_pool_timing.gate_ns = PRO_MS(50);
    proi_pool_timing.step_ns = PRO_MS(5);
    proi_pool_timing.step_limit_ns = PRO_MS(20);
}

/* For what the library does by itself after a while: looks again until it is so. The watchdog is the limit. */
static void until_threads(unsigned count)
{
    static const uint32_t never = 0;

    while (stats().threads != count)
        proi_wait(&never, 0, PRO_MS(5));
}

static void until_gate_ends(void)
{
    while (proi_load(&proi_pool.gate, PROI_ACQUIRE) != PROI_POOL_GATE_NONE)
        proi_wait(&proi_pool.gate, PROI_POOL_GATE_RUNS, PRO_MS(5));
}

static void note_worker(void *is_worker)
{
    proi_store((uint32_t *)is_worker, pro_pool_is_worker() ? 2 : 1, PROI_RELEASE);
    proi_wake_one(is_worker);
}
static void hold_and_tell(void *arg)
{
    struct held *held = arg;

    proi_pool_blocking_begin();
    gate_add(&held->inside);
    gate_wait(&held->leave, 1);
    proi_pool_blocking_end();
    gate_add(&held->left);
}
static void add(void *gate) { gate_add(gate); }

TEST(the_global_queue_is_first_in_first_out)
{
    /* Kills: pushing at the head. */
    struct numbers numbers = { .count = 0 };
    struct number items[SOME];
    struct held held = { .inside = { 0 } };

    limits(1, 1);
    pro_pool_post(hold, &held);
    gate_wait(&held.inside, 1);
    for (int i = 0; i < SOME; i++) {
        number_fill(&items[i], &numbers, i);
        CHECK_EQ(pro_pool_post_work(&items[i].work, true), PRO_OK); /* not a worker: local means nothing here */
    }
    CHECK_EQ(stats().queued, SOME);
    CHECK_EQ(stats().busy, 1);
    held_release(&held);
    gate_wait(&numbers.done, SOME);
    for (int i = 0; i < SOME; i++)
        CHECK_EQ(numbers.values[i], i);
}

struct mixed {
    struct numbers numbers;
    struct number items[GROW];
    struct gate done;
    bool taken, again, stranger;
};

static void post_local_and_global(void *arg)
{
    struct mixed *mixed = arg;

    for (int i = 0; i < 6; i++) {
        number_fill(&mixed->items[i], &mixed->numbers, i);
        CHECK_EQ(pro_pool_post_work(&mixed->items[i].work, i % 2 != 0), PRO_OK);
    }
}

TEST(a_worker_runs_its_own_newest_first_and_the_global_queue_after_that)
{
    /* Kills: own queue first in first out; global before local (SEM-199). */
    static const int expected[] = { 5, 3, 1, 0, 2, 4 };
    static struct mixed mixed;

    limits(1, 1);
    pro_pool_post(post_local_and_global, &mixed);
    gate_wait(&mixed.numbers.done, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(mixed.numbers.values[i], expected[i]);
}

/* One worker fills its own queue and stays busy; the other one must come and steal. */
static void fill_and_wait(void *arg)
{
    struct mixed *mixed = arg;

    for (int i = 0; i < GROW; i++) {
        number_fill(&mixed->items[i], &mixed->numbers, i);
        proi_pool_post(&mixed->items[i].work, PROI_POOL_LOCAL);
        if (i == 2) /* so that the ring does not begin at its first slot when it grows */
            gate_wait(&mixed->numbers.done, 3);
    }
    gate_wait(&mixed->numbers.done, GROW);
    gate_add(&mixed->done);
}

TEST(thieves_take_the_oldest_of_a_queue_that_had_to_grow)
{
    /* Kills: stealing at the tail; losing or doubling items when the ring is copied. */
    static struct mixed mixed;

    limits(2, 2);
    pro_pool_post(fill_and_wait, &mixed);
    gate_wait(&mixed.done, 1);
    CHECK_EQ(mixed.numbers.count, GROW);
    for (int i = 0; i < GROW; i++)
        CHECK_EQ(mixed.numbers.values[i], i);
}

static void visit_number(struct pro_work *work, void *arg)
{
    struct numbers *seen = arg;

    if (work->run == number_run)
        seen->values[seen->count++] = PRO_CONTAINER(work, struct number, work)->value;
}

static void take_from_the_middle(void *arg)
{
    struct mixed *mixed = arg;
    struct numbers seen = { .count = 0 };

    for (int i = 0; i < 4; i++) {
        number_fill(&mixed->items[i], &mixed->numbers, i);
        proi_pool_post(&mixed->items[i].work, i == 3 ? PROI_POOL_GLOBAL : PROI_POOL_LOCAL);
    }
    mixed->taken = proi_pool_take_local(&mixed->items[1].work);
    mixed->again = proi_pool_take_local(&mixed->items[1].work);
    mixed->stranger = proi_pool_take_local(&mixed->items[3].work);
    proi_pool_for_each_queued(visit_number, &seen);
    CHECK_EQ(seen.count, 3);
    CHECK_EQ(seen.values[0], 3);
    CHECK_EQ(seen.values[1], 0);
    CHECK_EQ(seen.values[2], 2);
    CHECK_EQ(proi_pool_count_queued(), 3);
}

TEST(a_worker_takes_back_what_it_queued_itself_and_nothing_else)
{
    /* Kills: taking from the global queue (SEM-145); running an item that was taken; stopping at the gap it leaves. */
    static struct mixed mixed;

    limits(1, 1);
    CHECK(!proi_pool_take_local(&mixed.items[0].work));
    pro_pool_post(take_from_the_middle, &mixed);
    gate_wait(&mixed.numbers.done, 3);
    CHECK(mixed.taken);
    CHECK(!mixed.again);
    CHECK(!mixed.stranger);
    CHECK_EQ(mixed.numbers.values[0], 2);
    CHECK_EQ(mixed.numbers.values[1], 0);
    CHECK_EQ(mixed.numbers.values[2], 3);
}

static void take_both(void *arg)
{
    struct mixed *mixed = arg;

    for (int i = 0; i < 2; i++) {
        number_fill(&mixed->items[i], &mixed->numbers, i);
        proi_pool_post(&mixed->items[i].work, PROI_POOL_LOCAL);
    }
    mixed->taken = proi_pool_take_local(&mixed->items[0].work) && proi_pool_take_local(&mixed->items[1].work);
    mixed->again = proi_pool_any_queued();
    gate_add(&mixed->done);
}

TEST(a_queue_of_which_all_was_taken_back_looks_empty)
{
    /* Kills: leaving the hole of the older item, which would call a worker for nothing. */
    static struct mixed mixed;

    limits(1, 1);
    pro_pool_post(take_both, &mixed);
    gate_wait(&mixed.done, 1);
    CHECK(mixed.taken);
    CHECK(!mixed.again);
}

struct meeting {
    struct gate here;
    uint32_t wanted;
    struct gate done;
};
static void meet(void *arg)
{
    struct meeting *meeting = arg;

    gate_add(&meeting->here);
    gate_wait(&meeting->here, meeting->wanted);
    gate_add(&meeting->done);
}

TEST(threads_up_to_the_minimum_start_at_once)
{
    /* Kills: a searcher that does not look for more work on behalf of those who relied on it. */
    struct meeting meeting = { .wanted = SOME };

    limits(SOME, SOME);
    for (int i = 0; i < SOME; i++)
        pro_pool_post(meet, &meeting);
    gate_wait(&meeting.done, SOME);
    CHECK(stats().threads >= SOME);
}

TEST(with_a_fixed_maximum_blocked_threads_starve_the_pool)
{
    /* Kills: compensating above the maximum; a gate that adds threads there. */
    struct held held = { .inside = { 0 } };
    struct gate ran = { 0 };
    static const uint32_t never = 0;

    limits(2, 2);
    until_threads(0);
    pro_pool_post(hold_and_tell, &held);
    pro_pool_post(hold_and_tell, &held);
    gate_wait(&held.inside, 2);
    pro_pool_post(add, &ran);
    proi_wait(&never, 0,
              4 * proi_pool_timing
                      .gate_ns); /* a negative cannot be waited for: several looks of the gate, if it were there */
    CHECK_EQ(gate_count(&ran), 0);
    CHECK_EQ(stats().threads, 2);
    CHECK_EQ(stats().blocked, 2);
    CHECK_EQ(stats().queued, 1);
    held_release(&held);
    gate_wait(&ran, 1);
}

TEST(a_blocked_worker_is_compensated_and_the_compensation_is_taken_back)
{
    /* Kills: not raising the target in blocking_begin; not lowering it in blocking_end. */
    struct held held = { .inside = { 0 } }, other = { .inside = { 0 } };
    struct gate ran = { 0 };

    limits(1, 16);
    until_threads(0);
    pro_pool_post(hold_and_tell, &held);
    gate_wait(&held.inside, 1);
    CHECK_EQ(proi_load(&proi_pool.target, PROI_RELAXED), 2); /* at once, not by the gate */
    pro_pool_post(hold, &other);                             /* runs beside it */
    gate_wait(&other.inside, 1);
    CHECK_EQ(proi_load(&proi_pool.target, PROI_RELAXED), 2);
    held_release(&held);
    while (proi_load(&proi_pool.active, PROI_RELAXED) > 1) /* one of the two is one too many now, and goes to sleep */
        proi_wait(&ran.count, 0, PRO_MS(1));
    CHECK_EQ(proi_load(&proi_pool.target, PROI_RELAXED), 1);
    held_release(&other);
    pro_pool_post(add, &ran);
    gate_wait(&ran, 1);
    CHECK_EQ(stats().blocked, 0);
}

TEST(more_blocked_workers_than_processors_are_compensated_one_by_one)
{
    /* Kills: a gate that is not started, or not woken, for compensation that is due. */
    const uint32_t wanted = 3 * proi_processor_count() + 4;
    struct held held = { .inside = { 0 } };

    limits(1, 1000);
    until_threads(0);
    until_gate_ends();
    proi_pool_timing.gate_ns = PRO_S(2); /* starvation detection does not help out so soon */
    for (uint32_t i = 0; i < wanted; i++)
        pro_pool_post(hold_and_tell, &held);
    gate_wait(&held.inside, wanted);
    proi_lock(&proi_pool.lock);
    CHECK_EQ(proi_pool.starved, 0);
    proi_unlock(&proi_pool.lock);
    held_release(&held);
    until_gate_ends();
    proi_pool_timing.gate_ns = PRO_MS(50);
}

TEST(threads_that_block_unknown_to_the_pool_are_found_by_the_gate)
{
    /* Kills: the gate's look; a gate that ends while items wait (SEM-196). */
    struct meeting meeting = { .wanted = 4 };

    limits(1, 16);
    until_threads(0);
    for (uint32_t i = 0; i < meeting.wanted; i++)
        pro_pool_post(meet, &meeting);
    gate_wait(&meeting.done, meeting.wanted);
    until_gate_ends(); /* it goes when nothing waits */
}

TEST(raising_the_minimum_starts_threads_for_what_waits)
{
    /* Kills: not looking at the queues after the limits changed. */
    struct held held = { .inside = { 0 } };
    struct gate ran = { 0 };

    limits(1, 1);
    pro_pool_post(hold, &held);
    gate_wait(&held.inside, 1);
    pro_pool_post(add, &ran);
    CHECK_EQ(gate_count(&ran), 0);
    limits(2, 2);
    gate_wait(&ran, 1);
    held_release(&held);
}

TEST(idle_threads_leave_and_come_back_when_needed)
{
    /* Kills: sleeping without a limit; losing the block of a thread that left. */
    struct meeting meeting = { .wanted = SOME };

    limits(SOME, SOME);
    for (int round = 0; round < 3; round++) {
        meeting = (struct meeting){ .wanted = SOME };
        for (int i = 0; i < SOME; i++)
            pro_pool_post(meet, &meeting);
        gate_wait(&meeting.done, SOME);
        until_threads(0);
    }
}

struct dirt {
    struct pro_sync_context context;
    struct pro_sync_context *seen;
    struct gate done;
};
static void soil(void *arg)
{
    struct dirt *dirt = arg;

    pro_sync_context_set(&dirt->context);
    proi_ambient.scheduler = pro_task_scheduler_default();
    gate_add(&dirt->done);
}
static void inspect(void *arg)
{
    struct dirt *dirt = arg;

    dirt->seen = proi_ambient.scheduler ? &dirt->context : proi_ambient.context;
    CHECK(pro_pool_is_worker());
    gate_add(&dirt->done);
}

TEST(a_worker_is_clean_again_after_each_item)
{
    /* Kills: not resetting the ambient state (SEM-117). */
    struct dirt dirt = { .seen = NULL };

    pro_sync_context_init(&dirt.context, NULL, "dirt");
    limits(1, 1);
    pro_pool_post(soil, &dirt);
    pro_pool_post(inspect, &dirt);
    gate_wait(&dirt.done, 2);
    CHECK(dirt.seen == NULL);
    CHECK(!pro_pool_is_worker());
}

/* ---- no threads ---- */
struct told {
    int count;
    bool inlined;
};
static void note(const char *sentence, void *user)
{
    struct told *told = user;

    told->count++;
    told->inlined = strstr(sentence, "inside the call") != NULL;
}

struct inline_seen {
    uint64_t thread;
    int depth, deepest, count;
    struct pro_sync_context *context;
};
static void see_inline(void *arg)
{
    struct inline_seen *seen = arg;

    seen->thread = pro_thread_id();
    seen->context = pro_sync_context_current();
    seen->depth++;
    if (seen->depth > seen->deepest)
        seen->deepest = seen->depth;
    if (seen->count++ < 3)
        CHECK_EQ(pro_pool_post(see_inline, seen), PRO_OK);
    seen->depth--;
}

TEST(without_any_thread_items_run_inside_the_post_and_a_notice_says_so_once)
{
    /* Kills: leaving the item in the queue; telling it each time; the poster's context leaking into the item. */
    struct pro_sync_context context;
    struct inline_seen seen = { .thread = 0 };
    struct told told = { .count = 0 };
    uint64_t before;

    limits(4, 4);
    until_threads(0);
    before = stats().inlined;
    pro_set_notice_handler(note, &told);
    pro_set_thread_limit(0);
    pro_sync_context_init(&context, NULL, "poster");
    pro_sync_context_set(&context);
    CHECK_EQ(pro_pool_post(see_inline, &seen), PRO_OK);
    CHECK_EQ(seen.count, 4);
    CHECK_EQ(seen.thread, pro_thread_id());
    CHECK_EQ(seen.deepest, 4); /* an item may wait for what it posts */
    CHECK(seen.context == NULL);
    CHECK(pro_sync_context_set(NULL) == &context);
    CHECK_EQ(stats().inlined - before, 4);
    CHECK_EQ(stats().threads, 0);
    CHECK_EQ(told.count, 1);
    CHECK(told.inlined);
    pro_set_thread_limit(-1);
    pro_set_notice_handler(NULL, NULL);
}

struct chain {
    struct gate done;
    uint32_t left;
};
static void chain_next(void *arg)
{
    struct chain *chain = arg;

    if (chain->left-- > 0)
        pro_pool_post(chain_next, chain);
    gate_add(&chain->done);
}

TEST(a_long_chain_of_inlined_items_does_not_eat_the_stack)
{
    /* Kills: nesting without looking at the stack that is left. */
    struct chain chain = { .left = 200000 };

    limits(4, 4);
    until_threads(0);
    pro_set_thread_limit(0);
    pro_pool_post(chain_next, &chain);
    CHECK_EQ(gate_count(&chain.done), 200001);
    pro_set_thread_limit(-1);
}

TEST(with_one_thread_allowed_nothing_is_lost_and_nothing_runs_in_the_post)
{
    /* Kills: giving up on an item when a second thread is refused. */
    struct held held = { .inside = { 0 } };
    struct gate ran = { 0 };
    uint32_t where = 0;
    uint64_t before;

    limits(4, 8);
    until_threads(0);
    until_gate_ends();
    pro_set_thread_limit(1);
    while (where != 2) { /* while threads of earlier tests are on their way out, the first one is refused */
        where = 0;
        pro_pool_post(note_worker, &where);
        while (!proi_load(&where, PROI_ACQUIRE))
            proi_wait(&where, 0, -1);
    }
    before = stats().inlined;
    pro_pool_post(hold, &held);
    gate_wait(&held.inside, 1);
    for (int i = 0; i < SOME; i++)
        pro_pool_post(add, &ran);
    CHECK_EQ(gate_count(&ran), 0);
    held_release(&held);
    gate_wait(&ran, SOME);
    CHECK_EQ(stats().inlined, before);
    pro_set_thread_limit(-1);
}

/* ---- a thread of its own ---- */
struct lone {
    struct pro_work work;
    struct gate done;
    bool on_pool;
    uint64_t thread;
};
static void lone_run(struct pro_work *work)
{
    struct lone *lone = PRO_CONTAINER(work, struct lone, work);

    lone->on_pool = pro_pool_is_worker();
    lone->thread = pro_thread_id();
    gate_add(&lone->done);
}

TEST(long_work_gets_a_thread_outside_the_pool_or_the_pool)
{
    /* Kills: counting it as a worker; losing it when no thread can be started. */
    struct lone lone = { .work = { .run = lone_run }, .on_pool = true };

    limits(1, 1);
    proi_pool_run_long(&lone.work);
    gate_wait(&lone.done, 1);
    CHECK(!lone.on_pool);
    CHECK(lone.thread != pro_thread_id());

    until_threads(0);
    pro_set_thread_limit(0);
    lone = (struct lone){ .work = { .run = lone_run }, .on_pool = true };
    proi_pool_run_long(&lone.work);
    CHECK_EQ(gate_count(&lone.done), 1);
    CHECK_EQ(lone.thread, pro_thread_id());
    pro_set_thread_limit(-1);
}

/* ---- the default scheduler ---- */
static void inline_own(void *arg)
{
    struct mixed *mixed = arg;
    struct pro_task_scheduler *pool = pro_task_scheduler_default();

    number_fill(&mixed->items[0], &mixed->numbers, 0);
    number_fill(&mixed->items[1], &mixed->numbers, 1);
    CHECK_EQ(pool->vtable->queue(pool, &mixed->items[0].work), PRO_OK);
    pro_pool_post_work(&mixed->items[1].work, false);
    mixed->taken = pool->vtable->try_inline(pool, &mixed->items[0].work, true);
    CHECK_EQ(mixed->numbers.count, 1);
    mixed->stranger = pool->vtable->try_inline(pool, &mixed->items[1].work, true);
}

TEST(the_default_scheduler_inlines_from_the_own_queue_only)
{
    /* Kills: inlining what sits in the global queue, which would then run twice. */
    static struct mixed mixed;
    struct pro_task_scheduler *pool = pro_task_scheduler_default();
    struct lone fresh = { .work = { .run = lone_run } };

    limits(1, 1);
    pro_pool_post(inline_own, &mixed);
    gate_wait(&mixed.numbers.done, 2);
    CHECK(mixed.taken);
    CHECK(!mixed.stranger);
    CHECK_EQ(mixed.numbers.count, 2);
    CHECK(pool->vtable->try_inline(pool, &fresh.work, false)); /* never queued: anybody may */
    CHECK_EQ(fresh.thread, pro_thread_id());
    CHECK(!pool->vtable->try_dequeue(pool, &fresh.work));
}

static void count_misuse(int code, const char *sentence, void *user)
{
    (void)code;
    (void)sentence;
    ++*(int *)user;
}

TEST(wrong_arguments_are_invalid)
{
    /* Kills: leaving out one of the checks. */
    struct pro_work no_run = { .run = NULL };
    int told = 0;

    limits(2, 8);
    pro_set_misuse_handler(count_misuse, &told);
    CHECK_EQ(pro_pool_post(NULL, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pool_post_work(NULL, false), PRO_E_INVALID);
    CHECK_EQ(pro_pool_post_work(&no_run, false), PRO_E_INVALID);
    CHECK_EQ(pro_pool_get_stats(NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pool_set_min_threads(0), PRO_E_INVALID);
    CHECK_EQ(pro_pool_set_min_threads(9), PRO_E_INVALID);
    CHECK_EQ(pro_pool_set_max_threads(0), PRO_E_INVALID);
    CHECK_EQ(pro_pool_set_max_threads(1), PRO_E_INVALID);
    CHECK_EQ(pro_pool_set_max_threads(PROI_POOL_MOST_THREADS + 1), PRO_E_INVALID);
    CHECK_EQ(told, 9);
    pro_set_misuse_handler(NULL, NULL);
    CHECK_EQ(stats().min_threads, 2);
    CHECK_EQ(stats().max_threads, 8);
}
