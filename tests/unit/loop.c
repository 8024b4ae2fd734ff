/* SPDX-License-Identifier: MIT */
/* The loop: what runs when, when it returns, and what comes to it from other threads. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"

#include <stdlib.h>

enum { MANY = 3000 };

struct posted {
    struct pro_work work;
    struct posting *posting;
    int value;
};

struct posting {
    int next;
    bool in_order;
};

static void run_posted(struct pro_work *work)
{
    struct posted *const posted = PRO_CONTAINER(work, struct posted, work);

    posted->posting->in_order = posted->posting->in_order && posted->value == posted->posting->next;
    posted->posting->next++;
}

TEST(posted_items_run_in_order_and_a_bounded_number_a_turn)
{
    // Kills: a stack that is not turned round; a turn that starves operations.
    struct pro_loop *const loop = loop_new();
    struct posted *const items = calloc(MANY, sizeof *items);
    struct posting posting = { 0, true };
    struct pro_loop_stats stats;
    int first;

    REQUIRE(items != NULL);
    for (int i = 0; i < MANY; i++) {
        items[i] = (struct posted){ .work = { .run = run_posted }, .posting = &posting, .value = i };
        CHECK_EQ(pro_loop_post_work(loop, &items[i].work), PRO_OK);
    }
    first = pro_loop_run_once(loop, 0);
    CHECK(first > 0 && first <= 1024);
    CHECK_EQ(posting.next, first);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(posting.next, MANY);
    CHECK(posting.in_order);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.posted, MANY);
    free(items);
    loop_end(loop);
}

struct nested_post {
    struct pro_loop *loop;
    int turns;
};

static void post_again(void *arg)
{
    struct nested_post *const it = arg;

    CHECK(pro_loop_current() == it->loop);
    CHECK(pro_sync_context_current() == pro_loop_context(it->loop));
    if (++it->turns < 5)
        CHECK_EQ(pro_loop_post(it->loop, post_again, it), PRO_OK);
}

TEST(run_returns_when_nothing_is_left_and_can_be_called_again)
{
    // Kills: a run that waits although nothing can come; one that leaves posted work behind.
    struct nested_post it = { loop_new(), 0 };
    struct pro_op op = { 0 };

    CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
    CHECK_EQ(pro_loop_post(it.loop, post_again, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
    CHECK_EQ(it.turns, 5);
    CHECK(pro_loop_current() == NULL);
    CHECK_EQ(loop_answer(it.loop, pro_nop(&op, it.loop, PRO_HOW_DEFAULT)), PRO_OK);
    loop_end(it.loop);
}

static void stop_loop(void *arg) { CHECK_EQ(pro_loop_stop(arg), PRO_OK); }
static void ignore(struct pro_op *op) { ++*(int *)op->user; }

TEST(stop_ends_one_run_and_loses_nothing)
{
    // Kills: a stop that is not taken back, or that drops what is pending.
    struct pro_loop *const loop = loop_sim();
    int delivered = 0;
    struct pro_op op = { .user = &delivered };

    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(1), PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_loop_post(loop, stop_loop, loop), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(delivered, 0);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(delivered, 1);
    loop_end(loop);
}

static void stop_elsewhere(void *arg)
{
    struct pro_loop *const loop = arg;

    CHECK_EQ(pro_loop_stop(loop), PRO_OK);
}

static void start_stopper(void *arg)
{
    struct proi_thread *const thread = arg;

    REQUIRE(proi_thread_start(thread, "stopper", stop_elsewhere, pro_loop_current(), 0) == PRO_OK);
}

TEST(a_stop_from_another_thread_wakes_the_loop)
{
    // Kills: a stop that waits for the next completion.
    for (const char *const *backend = test_backends(); *backend; backend++)
        if (strcmp(*backend, "sim") != 0) { /* its clock jumps: it would not sleep */
            struct pro_loop *const loop = loop_on(*backend, NULL, false);
            int delivered = 0;
            struct pro_op op = { .user = &delivered };
            struct proi_thread thread;

            CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(3600), PRO_HOW_DEFAULT), ignore), PRO_OK);
            CHECK_EQ(pro_loop_post(loop, start_stopper, &thread), PRO_OK);
            CHECK_EQ(pro_loop_run(loop), PRO_OK);
            proi_thread_join(&thread);
            CHECK_EQ(delivered, 0);
            loop_end(loop);
            CHECK_EQ(delivered, 1);
            CHECK_EQ(op.result, PRO_E_LOOP_CLOSED);
        }
}

/* ---- nested runs ---- */

struct nesting {
    struct pro_loop *loop;
    int outer, inner;
    bool was_nested;
};

static void inner_item(void *arg)
{
    struct nesting *const it = arg;

    it->inner++;
}

static void run_nested(void *arg)
{
    struct nesting *const it = arg;
    struct pro_task *const delay = pro_delay(PRO_MS(1), PRO_TOKEN_NONE);

    CHECK_EQ(pro_loop_post(it->loop, inner_item, it), PRO_OK);
    CHECK_EQ(pro_loop_run_until(it->loop, delay), PRO_OK);
    it->was_nested = pro_task_is_succeeded(delay) && it->inner == 1;
    CHECK(pro_loop_current() == it->loop);
    CHECK(pro_sync_context_current() == pro_loop_context(it->loop));
    pro_task_unref(delay);
    it->outer++;
}

TEST(run_until_nests_inside_a_callback)
{
    // Kills: a nested run that forgets the outer one's loop or context.
    struct nesting it = { loop_new(), 0, 0, false };

    CHECK_EQ(pro_loop_post(it.loop, run_nested, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
    CHECK_EQ(it.outer, 1);
    CHECK(it.was_nested);
    loop_end(it.loop);
}

TEST(run_until_ends_with_its_task_or_with_stop)
{
    // Kills: a run_until that goes on while the loop has work; one that cannot be stopped.
    struct pro_loop *const loop = loop_new();
    struct pro_completion_source *source = NULL;
    int delivered = 0;
    struct pro_op op = { .user = &delivered };
    struct pro_task *task;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    task = pro_completion_source_task(source);
    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(3600), PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_loop_run_until(loop, pro_task_completed()), PRO_OK);
    CHECK_EQ(pro_loop_post(loop, stop_loop, loop), PRO_OK);
    CHECK_EQ(pro_loop_run_until(loop, task), PRO_E_STATE);
    CHECK(!pro_task_is_completed(task));
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT),
             PRO_OK); /* nothing of the run hangs on it */
    pro_task_unref(task);
    pro_completion_source_free(source);
    loop_end(loop);
}

/* ---- from other threads ---- */

enum { THREADS = 4, OPS = 500 };

struct sender {
    struct pro_loop *loop;
    struct pro_op *ops;
    struct posted *items;
    struct posting posting;
    struct heard heard;
};

static void send_all(void *arg)
{
    struct sender *const it = arg;

    for (int i = 0; i < OPS; i++) {
        it->ops[i].user = &it->heard;
        CHECK_EQ(pro_then(pro_nop(&it->ops[i], it->loop, PRO_HOW_DEFAULT), heard_op), PRO_OK);
        it->items[i] = (struct posted){ .work = { .run = run_posted }, .posting = &it->posting, .value = i };
        CHECK_EQ(pro_loop_post_work(it->loop, &it->items[i].work), PRO_OK);
    }
}

static struct sender *sender_new(struct pro_loop *loop)
{
    struct sender *const it = calloc(1, sizeof *it);

    REQUIRE(it != NULL);
    it->loop = loop;
    it->ops = calloc(OPS, sizeof *it->ops);
    it->items = calloc(OPS, sizeof *it->items);
    it->posting.in_order = true;
    REQUIRE(it->ops != NULL && it->items != NULL);
    return it;
}

TEST(what_other_threads_hand_over_arrives_once_and_in_each_ones_order)
{
    // Kills: a hand-over that loses a sender's push, or a wake; a stack that is not turned round.
    struct pro_loop *const loop = loop_new();
    struct sender *senders[THREADS];
    struct proi_thread threads[THREADS];
    unsigned left = THREADS;

    for (int i = 0; i < THREADS; i++) {
        senders[i] = sender_new(loop);
        REQUIRE(proi_thread_start(&threads[i], "sender", send_all, senders[i], 0) == PRO_OK);
    }
    while (left) {
        CHECK(pro_loop_run_once(loop, PRO_S(10)) >= 0);
        left = THREADS;
        for (int i = 0; i < THREADS; i++)
            left -= gate_count(&senders[i]->heard.gate) == OPS && senders[i]->posting.next == OPS;
    }
    for (int i = 0; i < THREADS; i++) {
        proi_thread_join(&threads[i]);
        CHECK(senders[i]->posting.in_order);
        for (int k = 0; k < OPS; k++)
            CHECK_EQ(senders[i]->ops[k].result, PRO_OK);
        free(senders[i]->ops);
        free(senders[i]->items);
        free(senders[i]);
    }
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    loop_end(loop);
}

struct late {
    struct pro_loop *loop;
    struct gate go;
    unsigned taken, refused;
    struct heard heard;
};

static void post_until_refused(void *arg)
{
    struct late *const it = arg;

    for (;;) {
        struct pro_op *const op = calloc(1, sizeof *op);
        int code;

        op->user = &it->heard;
        code = pro_then(pro_nop(op, it->loop, PRO_HOW_DEFAULT), heard_op);
        if (code < 0) {
            CHECK_EQ(code, PRO_E_LOOP_CLOSED);
            it->refused++;
            free(op);
            return;
        }
        gate_wait(&it->heard.gate, ++it->taken); /* delivered, whatever the loop is doing */
        CHECK(it->heard.result == PRO_OK || it->heard.result == PRO_E_LOOP_CLOSED);
        free(op);
        gate_add(&it->go);
    }
}

TEST(an_op_handed_over_to_a_loop_that_ends_is_delivered_or_refused)
{
    // Kills: an op in the inbox of a freed loop, which nobody delivers.
    for (int round = 0; round < 20; round++) {
        struct late it = { .loop = loop_new() };
        struct proi_thread thread;

        REQUIRE(proi_thread_start(&thread, "late", post_until_refused, &it, 0) == PRO_OK);
        while (gate_count(&it.go) < 3)
            CHECK(pro_loop_run_once(it.loop, PRO_MS(1)) >= 0);
        loop_end(it.loop);
        proi_thread_join(&thread);
        CHECK_EQ(it.refused, 1);
        CHECK_EQ(gate_count(&it.heard.gate), it.taken);
    }
}

/* ---- what keeps it alive ---- */

struct suspended {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    int *resumed;
};

PRO_ASYNC(suspended_move_next, struct suspended, self)
    PRO_AWAIT(pro_borrow(self->awaited));
    CHECK(pro_loop_current() != NULL);
    ++*self->resumed;
PRO_ASYNC_END

struct keeping {
    struct pro_completion_source *source;
    struct pro_task *awaited, *method;
    struct gate suspended;
    int resumed;
};

static void suspend_one(void *arg)
{
    struct keeping *const it = arg;
    struct suspended *const self = PRO_NEW_FRAME_VOID(struct suspended, suspended_move_next);

    REQUIRE(self != NULL);
    self->awaited = it->awaited;
    self->resumed = &it->resumed;
    it->method = PRO_START(self);
    gate_add(&it->suspended);
}

static void complete_when_suspended(void *arg)
{
    struct keeping *const it = arg;

    gate_wait(&it->suspended, 1);
    CHECK_EQ(pro_completion_source_set_result(it->source, NULL, PRO_NO_RESULT), PRO_OK);
}

TEST(a_method_that_captured_the_loop_keeps_it_running)
{
    // Kills: a run that returns while somebody outside will post to it; a count that never comes back to zero.
    struct pro_loop *const loop = loop_new();
    struct keeping it = { .resumed = 0 };
    struct pro_loop_stats stats;
    struct proi_thread thread;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &it.source) == PRO_OK);
    it.awaited = pro_completion_source_task(it.source);
    REQUIRE(proi_thread_start(&thread, "completer", complete_when_suspended, &it, 0) == PRO_OK);
    CHECK_EQ(pro_loop_post(loop, suspend_one, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(it.resumed, 1);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.captured, 0);
    proi_thread_join(&thread);
    pro_task_unref(it.method);
    pro_task_unref(it.awaited);
    pro_completion_source_free(it.source);
    loop_end(loop);
}

/* ---- figures and names ---- */

TEST(the_figures_count_what_happened)
{
    // Kills: any of them not counted, or counted twice.
    struct pro_loop *const loop = loop_sim();
    int delivered = 0;
    struct pro_op ops[3] = { { .user = &delivered }, { .user = &delivered }, { .user = &delivered } };
    struct pro_loop_stats stats;
    struct pair pair;

    CHECK_EQ(pro_then(pro_nop(&ops[0], loop, PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_then(pro_sleep(&ops[1], loop, PRO_MS(1), PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_then(pro_sleep(&ops[2], loop, PRO_S(1), PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.timers, 2);
    CHECK_EQ(stats.submitted, 3);
    CHECK_EQ(stats.pending + stats.delivered, 3);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.delivered, 3);
    CHECK_EQ(stats.timers_fired, 2);
    CHECK_EQ(stats.timers + stats.pending + stats.handles, 0);
    CHECK(stats.turns > 1);
    loop_connect(loop, &pair);
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.handles, 3);
    loop_end(loop);
}

TEST(loops_have_names_and_know_their_backend)
{
    // Kills: a name that is borrowed; a number that is used twice.
    char name[] = "mine";
    struct pro_loop *const named = loop_on("sim", name, false), *const first = loop_sim(), *const second = loop_sim();

    name[0] = '?';
    CHECK_STR(pro_loop_name(named), "mine");
    CHECK_STR(pro_loop_backend(named), "sim");
    CHECK_STR(pro_loop_backend_reason(named), "");
    CHECK(strncmp(pro_loop_name(first), "loop-", 5) == 0);
    CHECK(strcmp(pro_loop_name(first), pro_loop_name(second)) != 0);
    loop_end(named);
    loop_end(first);
    loop_end(second);
}

TEST(run_once_waits_no_longer_than_it_was_told)
{
    // Kills: a timeout that is taken for a moment, or for no limit.
    struct pro_loop *const loop = loop_sim();
    int delivered = 0;
    struct pro_op op = { .user = &delivered };
    const uint64_t start = pro_loop_now(loop);

    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_S(10), PRO_HOW_DEFAULT), ignore), PRO_OK);
    CHECK_EQ(pro_loop_run_once(loop, PRO_S(1)), 0);
    CHECK(pro_loop_now(loop) - start >= (uint64_t)PRO_S(1));
    CHECK(pro_loop_now(loop) - start < (uint64_t)PRO_S(2));
    while (!delivered)
        CHECK(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(pro_loop_now(loop) - start, (uint64_t)PRO_S(10));
    loop_end(loop);
}
