/* SPDX-License-Identifier: MIT */
/* Cancellation sources: order of callbacks, registrations that come and go, links, and cancel-after. */
#include <proact/proact.h>

#include "gate.h"
#include "harness.h"
#include "told.h"

static struct pro_cancellation_source *source_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

struct log {
    int order[8];
    int count;
};

struct logged {
    struct pro_cancellation_registration registration;
    struct log *log;
    int number;
};

static void write_log(void *arg)
{
    struct logged *const it = arg;

    it->log->order[it->log->count++] = it->number;
}

static void listen(struct pro_cancellation_source *source, struct logged *it, struct log *log, int number)
{
    *it = (struct logged){ .log = log, .number = number };
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &it->registration, write_log, it),
             PRO_OK);
}

TEST(callbacks_run_inside_the_cancel_last_registered_first_and_once)
{
    // Kills: the order of registration (SEM-231, 232); a second cancel that runs them again.
    struct pro_cancellation_source *const source = source_new();
    struct log log = { .count = 0 };
    struct logged logged[4];

    for (int i = 0; i < 4; i++)
        listen(source, &logged[i], &log, i);
    CHECK(pro_cancellation_unregister(&logged[2].registration));
    CHECK(!pro_cancellation_token_is_canceled(pro_cancellation_source_token(source)));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(log.count, 3);
    CHECK(log.order[0] == 3 && log.order[1] == 1 && log.order[2] == 0);
    CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(source)));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(log.count, 3);
    CHECK(!pro_cancellation_unregister(&logged[0].registration)); /* it has run */
    CHECK(!pro_cancellation_unregister_wait(&logged[0].registration));
    pro_cancellation_source_unref(source);
}

TEST(on_a_cancelled_token_a_callback_runs_inside_the_register)
{
    // Kills: a registration that nobody will ever run (SEM-233); one on a token that cannot be cancelled (SEM-230).
    struct pro_cancellation_source *const source = source_new();
    struct log log = { .count = 0 };
    struct logged late, none = { .log = &log, .number = 9 };

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    listen(source, &late, &log, 5);
    CHECK_EQ(log.count, 1);
    CHECK(!pro_cancellation_unregister(&late.registration));
    CHECK_EQ(pro_cancellation_register(PRO_TOKEN_NONE, &none.registration, write_log, &none), PRO_OK);
    CHECK(!pro_cancellation_unregister(&none.registration));
    CHECK_EQ(log.count, 1);
    CHECK(!pro_cancellation_token_can_be_canceled(PRO_TOKEN_NONE));
    CHECK(pro_cancellation_token_can_be_canceled(pro_cancellation_source_token(source)));
    pro_cancellation_source_unref(source);
}

struct busy {
    struct pro_cancellation_source *source;
    struct logged *logged;
    struct log *log;
    struct pro_cancellation_registration registration;
    bool was_removed;
};

static void register_inside(void *arg)
{
    struct busy *const it = arg;

    listen(it->source, &it->logged[1], it->log, 1);                                  /* runs at once: the level is up */
    it->was_removed = pro_cancellation_unregister_wait(&it->logged[0].registration); /* it has not run yet */
    CHECK(
        !pro_cancellation_unregister_wait(&it->registration)); /* itself: at once, it would wait for itself (SEM-235) */
}

TEST(a_callback_may_register_and_unregister)
{
    // Kills: callbacks that run under the lock; an unregister from inside that waits for itself.
    struct pro_cancellation_source *const source = source_new();
    struct log log = { .count = 0 };
    struct logged logged[2];
    struct busy busy = { source, logged, &log, { 0 }, false };

    listen(source, &logged[0], &log, 0);
    CHECK_EQ(
        pro_cancellation_register(pro_cancellation_source_token(source), &busy.registration, register_inside, &busy),
        PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(busy.was_removed);
    CHECK_EQ(log.count, 1);
    CHECK_EQ(log.order[0], 1);
    pro_cancellation_source_unref(source);
}

struct slow {
    struct pro_cancellation_source *source;
    struct pro_cancellation_registration registration;
    struct gate entered, leave;
    uint32_t ended;
    struct gate unregistering;
};

static void linger(void *arg)
{
    struct slow *const it = arg;

    gate_add(&it->entered);
    gate_wait(&it->leave, 1);
    proi_store(&it->ended, 1u, PROI_RELAXED);
}

static void cancel_slowly(void *arg)
{
    struct slow *const it = arg;

    pro_cancellation_source_cancel(it->source);
}

static void unregister_slowly(void *arg)
{
    struct slow *const it = arg;

    gate_add(&it->unregistering);
    CHECK(!pro_cancellation_unregister_wait(&it->registration));
    CHECK_EQ(proi_load(&it->ended, PROI_RELAXED), 1); /* it has ended: the memory may go */
}

TEST(unregister_wait_waits_for_a_callback_that_runs_elsewhere_and_unregister_does_not)
{
    // Kills: a wait that returns while the callback is inside (SEM-235); a plain one that waits (SEM-236).
    struct slow it = { .source = source_new() };
    struct proi_thread canceller, waiter;

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(it.source), &it.registration, linger, &it),
             PRO_OK);
    REQUIRE(proi_thread_start(&canceller, "canceller", cancel_slowly, &it, 0) == PRO_OK);
    gate_wait(&it.entered, 1);
    CHECK(!pro_cancellation_unregister(&it.registration));
    CHECK_EQ(proi_load(&it.ended, PROI_RELAXED), 0);
    REQUIRE(proi_thread_start(&waiter, "waiter", unregister_slowly, &it, 0) == PRO_OK);
    gate_wait(&it.unregistering, 1);
    gate_add(&it.leave);
    proi_thread_join(&waiter);
    proi_thread_join(&canceller);
    pro_cancellation_source_unref(it.source);
}

static void drop_source(void *arg) { pro_cancellation_source_unref(arg); }

TEST(a_callback_may_drop_the_last_reference)
{
    // Kills: a cancel that uses the source after its callbacks.
    struct pro_cancellation_source *const source = source_new();
    struct pro_cancellation_registration registration = { 0 };

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, drop_source, source),
             PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(!pro_cancellation_unregister(&registration)); /* its source is gone: that can be asked */
}

/* ---- links ---- */

static struct pro_cancellation_source *linked_new(struct pro_cancellation_source *a, struct pro_cancellation_source *b)
{
    const struct pro_cancellation_token tokens[] = { pro_cancellation_source_token(a), pro_cancellation_source_token(b),
                                                     PRO_TOKEN_NONE };
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new_linked(tokens, 3, &source) == PRO_OK);
    return source;
}

static bool is_canceled(struct pro_cancellation_source *source)
{
    return pro_cancellation_token_is_canceled(pro_cancellation_source_token(source));
}

TEST(a_cancellation_goes_down_a_chain_of_links_and_not_up)
{
    // Kills: a link that goes both ways; a grandchild that is not reached (SEM-239).
    struct pro_cancellation_source *const top = source_new(), *const beside = source_new();
    struct pro_cancellation_source *const child = linked_new(top, beside), *const grandchild = linked_new(child, NULL);
    struct log log = { .count = 0 };
    struct logged logged;

    listen(grandchild, &logged, &log, 3);
    CHECK_EQ(pro_cancellation_source_cancel(top), PRO_OK);
    CHECK(is_canceled(child) && is_canceled(grandchild));
    CHECK(!is_canceled(beside));
    CHECK_EQ(log.count, 1);
    pro_cancellation_source_unref(grandchild);
    pro_cancellation_source_unref(child);
    pro_cancellation_source_unref(beside);
    pro_cancellation_source_unref(top);
}

TEST(a_link_to_what_is_cancelled_is_cancelled_and_a_dropped_child_leaves_its_parents)
{
    // Kills: a child made too late that waits for ever; a parent that calls a child that is gone.
    struct pro_cancellation_source *const canceled = source_new(), *const live = source_new();
    struct pro_cancellation_source *child;

    CHECK_EQ(pro_cancellation_source_cancel(canceled), PRO_OK);
    child = linked_new(live, canceled);
    CHECK(is_canceled(child));
    pro_cancellation_source_unref(child);
    for (int i = 0; i < 1000; i++)
        pro_cancellation_source_unref(linked_new(live, NULL));
    child = linked_new(live, NULL);
    CHECK_EQ(pro_cancellation_source_cancel(child), PRO_OK);
    CHECK(!is_canceled(live));
    pro_cancellation_source_unref(child);
    CHECK_EQ(pro_cancellation_source_cancel(live), PRO_OK);
    pro_cancellation_source_unref(live);
    pro_cancellation_source_unref(canceled);
}

struct dropping {
    struct pro_cancellation_source *parent;
    struct gate *start;
};

static void cancel_parent(void *arg)
{
    struct dropping *const it = arg;

    gate_wait(it->start, 1);
    pro_cancellation_source_cancel(it->parent);
}

TEST(a_child_that_goes_while_its_parent_is_cancelled_is_not_touched_any_more)
{
    // Kills: a parent that cancels a child whose last reference is gone.
    for (int round = 0; round < 300; round++) {
        struct pro_cancellation_source *const parent = source_new(), *children[4];
        struct gate start = { 0 };
        struct dropping it = { parent, &start };
        struct proi_thread thread;

        for (int i = 0; i < 4; i++)
            children[i] = linked_new(parent, NULL);
        REQUIRE(proi_thread_start(&thread, "canceller", cancel_parent, &it, 0) == PRO_OK);
        gate_add(&start);
        for (int i = 0; i < 4; i++)
            pro_cancellation_source_unref(children[i]);
        proi_thread_join(&thread);
        pro_cancellation_source_unref(parent);
    }
}

/* ---- cancel after ---- */

struct timed {
    struct pro_cancellation_registration registration;
    struct gate canceled;
    bool is_worker;
};

static void note_cancel(void *arg)
{
    struct timed *const it = arg;

    it->is_worker = pro_pool_is_worker();
    gate_add(&it->canceled);
}

TEST(cancel_after_cancels_on_the_pool_at_its_moment)
{
    // Kills: a callback on the background loop's thread; a moment that is early (SEM-240).
    struct pro_cancellation_source *const source = source_new();
    struct timed timed = { .is_worker = false };
    const uint64_t start = pro_now();

    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &timed.registration, note_cancel, &timed),
             PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_MS(10)), PRO_OK);
    gate_wait(&timed.canceled, 1);
    CHECK(pro_now() - start >= (uint64_t)PRO_MS(10));
    CHECK(timed.is_worker);
    CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_MS(10)), PRO_OK); /* it is cancelled: nothing to do */
    pro_cancellation_source_unref(source);
}

TEST(cancel_after_can_be_moved_and_taken_back)
{
    // Kills: an old moment that still counts.
    struct pro_cancellation_source *const moved = source_new(), *const taken_back = source_new(),
                                          *const witness = source_new();
    struct timed timed[2] = { { .is_worker = false }, { .is_worker = false } };

    CHECK_EQ(pro_cancellation_source_cancel_after(moved, PRO_S(3600)), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(moved, PRO_MS(1)), PRO_OK);
    CHECK_EQ(
        pro_cancellation_register(pro_cancellation_source_token(moved), &timed[0].registration, note_cancel, &timed[0]),
        PRO_OK);
    gate_wait(&timed[0].canceled, 1);
    CHECK_EQ(pro_cancellation_source_cancel_after(taken_back, PRO_MS(5)), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(taken_back, PRO_INFINITE), PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel_after(witness, PRO_MS(20)),
             PRO_OK); /* strikes later than the other would have */
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(witness), &timed[1].registration, note_cancel,
                                       &timed[1]),
             PRO_OK);
    gate_wait(&timed[1].canceled, 1);
    CHECK(!is_canceled(taken_back));
    pro_cancellation_source_unref(moved);
    pro_cancellation_source_unref(taken_back);
    pro_cancellation_source_unref(witness);
}

TEST(a_source_that_goes_takes_its_timer_along)
{
    // Kills: a timer that strikes a source that is gone.
    for (int i = 0; i < 200; i++) {
        struct pro_cancellation_source *const source = source_new();

        CHECK_EQ(pro_cancellation_source_cancel_after(source, PRO_US(i)), PRO_OK);
        pro_cancellation_source_unref(source);
    }
}

/* ---- threads that meet ---- */

struct meeting {
    struct pro_cancellation_source *source;
    struct gate start;
    uint32_t ran;
};

static void count_call(void *arg) { proi_fetch_add((uint32_t *)arg, 1u, PROI_RELAXED); }

static void come_and_go(void *arg)
{
    struct meeting *const it = arg;
    uint32_t removed = 0, ran = 0;

    gate_wait(&it->start, 1);
    for (int i = 0; i < 200; i++) {
        struct pro_cancellation_registration registration = { 0 };

        pro_cancellation_register(pro_cancellation_source_token(it->source), &registration, count_call, &ran);
        removed += pro_cancellation_unregister_wait(&registration);
    }
    CHECK_EQ(proi_load(&ran, PROI_RELAXED) + removed, 200); /* each ran, or was removed, and never both */
}

TEST(registrations_that_meet_the_cancellation_run_or_are_removed)
{
    // Kills: a registration that is run and removed, or neither; a callback on memory that is gone.
    for (int round = 0; round < 100; round++) {
        struct meeting it = { .source = source_new() };
        struct proi_thread threads[3];

        for (int i = 0; i < 3; i++)
            REQUIRE(proi_thread_start(&threads[i], "registrar", come_and_go, &it, 0) == PRO_OK);
        gate_add(&it.start);
        pro_cancellation_source_cancel(it.source);
        for (int i = 0; i < 3; i++)
            proi_thread_join(&threads[i]);
        pro_cancellation_source_unref(it.source);
    }
}

/* ---- what is left over from a source that is gone ---- */

TEST(the_memory_of_a_freed_source_becomes_nothing_but_a_source)
{
    // Kills: sources among the blocks of other things, whose bytes a registration left over would take for a lock.
    enum { TRIES = 40, SIZES = 11, STEP = 1 << PROI_STEP_BITS };
    struct pro_cancellation_source *const source = source_new(), *next;
    void *blocks[SIZES][TRIES];

    pro_cancellation_source_unref(source);
    for (size_t size = 0; size < SIZES; size++)
        for (size_t i = 0; i < TRIES; i++) {
            blocks[size][i] = proi_block_alloc((size + 1) * STEP);
            CHECK(blocks[size][i] != source);
        }
    for (size_t size = 0; size < SIZES; size++)
        for (size_t i = 0; i < TRIES; i++)
            proi_block_free(blocks[size][i], (size + 1) * STEP);
    next = source_new();
    CHECK(next == source); /* and so the next one has it */
    pro_cancellation_source_unref(next);
}

TEST(a_registration_left_over_is_none_of_the_next_source)
{
    // Kills: a registration that does not know which source it was made with.
    struct log log = { .count = 0 };
    struct logged old, present;
    struct pro_cancellation_source *source = source_new();

    listen(source, &old, &log, 1);
    pro_cancellation_source_unref(source);
    source = source_new(); /* the same memory, as the test above says */
    listen(source, &present, &log, 2);
    CHECK(!pro_cancellation_unregister(&old.registration));
    CHECK(!pro_cancellation_unregister_wait(&old.registration));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(log.count, 1);
    CHECK_EQ(log.order[0], 2);
    pro_cancellation_source_unref(source);
}

TEST(a_source_that_was_freed_is_answered_as_a_mistake)
{
    // Kills: work on memory that is nobody's; a reference counted up from 0.
    struct pro_cancellation_source *const source = source_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_cancellation_registration registration = { 0 };
    struct log log = { .count = 0 };
    struct pro_task *task;

    pro_cancellation_source_unref(source);
    told_listen();
    CHECK_MISUSE(pro_cancellation_register(token, &registration, write_log, &log), PRO_E_STATE);
    CHECK(strstr(told.sentence, "freed") != NULL);
    CHECK_EQ(log.count, 0);
    CHECK_MISUSE(pro_cancellation_token_is_canceled(token), true); /* nothing should begin on its account */
    CHECK_MISUSE(pro_cancellation_source_cancel(source), PRO_E_STATE);
    CHECK_MISUSE(pro_cancellation_source_cancel_after(source, 1), PRO_E_STATE);
    CHECK_MISUSE(pro_cancellation_source_try_reset(source), false);
    CHECK_MISUSE(pro_cancellation_source_dispose(source), PRO_E_STATE);
    CHECK_MISUSE(pro_cancellation_source_ref(source) != NULL, false);
    CHECK_TELLS(pro_cancellation_source_unref(source));
    CHECK_TELLS(task = pro_cancellation_source_cancel_async(source));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_STATE);
    pro_task_unref(task);
    told_stop();
}
