/* SPDX-License-Identifier: MIT */
/* Where continuations run, in which order, and that each runs once. */
#include <proact/proact.h>

#include "gate.h"
#include "harness.h"

#include <stdlib.h>

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

static void complete(struct pro_completion_source *source)
{
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
}

struct log {
    int order[16];
    int count;
};

struct logging {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    struct log *log;
    int number;
    unsigned options;
    struct gate *resumed;
    uint64_t thread;
    struct pro_sync_context *context;
    bool is_worker;
};

PRO_ASYNC(logging_move_next, struct logging, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->awaited), self->options));
    if (self->log)
        self->log->order[self->log->count++] = self->number;
    self->thread = pro_thread_id();
    self->context = pro_sync_context_current();
    self->is_worker = pro_pool_is_worker();
    if (self->resumed)
        gate_add(self->resumed);
    PRO_RETURN(struct logging *, self);
PRO_ASYNC_END

static struct pro_task *logging_async(struct pro_task *awaited, unsigned options, struct log *log, int number,
                                      struct gate *resumed)
{
    struct logging *const self = PRO_NEW_FRAME(struct logging, logging_move_next, struct logging *);

    REQUIRE(self != NULL);
    self->awaited = awaited;
    self->options = options;
    self->log = log;
    self->number = number;
    self->resumed = resumed;
    return PRO_START(self);
}

/* The frame of a task that is complete and still referenced. */
static struct logging *frame_of(struct pro_task *task)
{
    struct logging *self = NULL;

    REQUIRE(pro_task_read(task, &self, PRO_TYPE(struct logging *)) == PRO_OK);
    return self;
}

static struct pro_pump *pump_new(void)
{
    struct pro_pump *pump = NULL;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    return pump;
}

/* ---- the predicate ---- */

TEST(what_captured_nothing_runs_inside_a_completion_on_a_thread_of_nobodys)
{
    // Kills: a post where there is nothing to post to (SEM-040).
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    struct pro_task *const task = logging_async(gate, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, NULL, 0, NULL);

    complete(source);
    CHECK(pro_task_is_completed(task));
    CHECK_EQ(frame_of(task)->thread, pro_thread_id());
    pro_task_unref(task);
    pro_task_unref(gate);
    pro_completion_source_free(source);
}

TEST(what_captured_nothing_goes_to_the_pool_from_a_thread_that_has_a_context)
{
    // Kills: user code inlined on a UI thread that nobody asked for it (SEM-041).
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    struct gate resumed = { 0 };
    struct pro_task *const task = logging_async(gate, PRO_AWAIT_NONE, NULL, 0, &resumed);
    struct pro_pump *const pump = pump_new();
    struct pro_sync_context *const previous = pro_sync_context_set(pro_pump_context(pump));

    complete(source);
    pro_sync_context_set(previous);
    gate_wait(&resumed, 1);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(frame_of(task)->is_worker);
    CHECK(frame_of(task)->context == NULL);
    pro_task_unref(task);
    pro_task_unref(gate);
    pro_completion_source_free(source);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

static void complete_it(void *arg) { complete(arg); }

TEST(what_captured_a_context_runs_there_and_in_place_when_it_is_current)
{
    // Kills: a continuation that runs where the completion happens; one that is posted to where it already is
    // (SEM-042).
    for (int inside = 0; inside < 2; inside++) {
        struct pro_pump *const pump = pump_new();
        struct pro_task *gate;
        struct pro_completion_source *const source = source_new(&gate);
        struct pro_sync_context *const previous = pro_sync_context_set(pro_pump_context(pump));
        struct pro_task *const task = logging_async(gate, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, NULL, 0, NULL);

        pro_sync_context_set(previous);
        if (inside)
            CHECK_EQ(pro_sync_context_post(pro_pump_context(pump), complete_it, source), PRO_OK);
        else
            complete(source);
        CHECK(!pro_task_is_completed(task));
        CHECK_EQ(pro_pump_pending(pump), 1);
        CHECK_EQ(pro_pump_run_pending(pump), 1);
        CHECK(pro_task_is_completed(task));
        CHECK(frame_of(task)->context == pro_pump_context(pump));
        pro_task_unref(task);
        pro_task_unref(gate);
        pro_completion_source_free(source);
        CHECK_EQ(pro_pump_free(pump), PRO_OK);
    }
}

TEST(a_continuation_whose_context_is_gone_runs_on_the_pool)
{
    // Kills: a continuation that is lost with its context.
    struct pro_pump *const pump = pump_new();
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    struct gate resumed = { 0 };
    struct pro_sync_context *const previous = pro_sync_context_set(pro_pump_context(pump));
    struct pro_task *const task = logging_async(gate, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, NULL, 0, &resumed);

    pro_sync_context_set(previous);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    complete(source);
    gate_wait(&resumed, 1);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(frame_of(task)->is_worker);
    pro_task_unref(task);
    pro_task_unref(gate);
    pro_completion_source_free(source);
}

/* ---- order ---- */

TEST(three_awaits_of_one_task_on_one_context_go_on_as_1_2_0)
{
    // Kills: one pass instead of two (SEM-061, 062).
    struct pro_pump *const pump = pump_new();
    struct pro_task *gate, *tasks[3];
    struct pro_completion_source *const source = source_new(&gate);
    struct log log = { .count = 0 };
    struct pro_sync_context *const previous = pro_sync_context_set(pro_pump_context(pump));

    for (int i = 0; i < 3; i++)
        tasks[i] = logging_async(gate, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT, &log, i, NULL);
    pro_sync_context_set(previous);
    complete(source);
    CHECK_EQ(pro_pump_run_pending(pump), 3);
    CHECK_EQ(log.count, 3);
    CHECK(log.order[0] == 1 && log.order[1] == 2 && log.order[2] == 0);
    for (int i = 0; i < 3; i++)
        pro_task_unref(tasks[i]);
    pro_task_unref(gate);
    pro_completion_source_free(source);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

struct blocked {
    struct pro_task *task;
    struct gate through;
};

static void block_on(void *arg)
{
    struct blocked *const it = arg;

    CHECK_EQ(PRO_WAIT(it->task), PRO_OK);
    gate_add(&it->through);
}

struct lingering {
    struct pro_continuation continuation;
    struct gate *through;
};

/* An awaiter's continuation that does not return before the blocked thread is through. */
static void wait_for_blocked(struct pro_continuation *continuation)
{
    gate_wait(PRO_CONTAINER(continuation, struct lingering, continuation)->through, 1);
}

static void no_line(const char *line, void *user) { (void)line, (void)user; }

TEST(a_blocked_thread_is_woken_before_continuations_run)
{
    // Kills: a waiter that waits for its turn in the list (SEM-064).
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    struct blocked blocked = { gate, { 0 } };
    struct lingering lingering = { .through = &blocked.through };
    struct proi_thread thread;

    pro_continuation_init(&lingering.continuation, wait_for_blocked);
    CHECK_EQ(pro_awaiter_unsafe_on_completed(pro_task_get_awaiter(gate), &lingering.continuation, PRO_AWAIT_NONE),
             PRO_OK);
    REQUIRE(proi_thread_start(&thread, "blocked", block_on, &blocked, 0) == PRO_OK);
    while (!pro_report_blocked(no_line, NULL)) /* until it is on the list */
        ;
    complete(source);
    CHECK_EQ(gate_count(&blocked.through), 1);
    proi_thread_join(&thread);
    pro_task_unref(gate);
    pro_completion_source_free(source);
}

/* ---- once ---- */

enum { CHAIN = 50000 };

struct link {
    PRO_FRAME;
    struct pro_task *before; /* borrowed */
};

PRO_ASYNC(link_move_next, struct link, self)
    PRO_AWAIT(pro_borrow(self->before));
PRO_ASYNC_END

TEST(a_chain_of_any_length_completes_without_running_out_of_stack)
{
    // Kills: inlining without a look at the stack (SEM-048).
    struct pro_task *gate, **const tasks = calloc(CHAIN, sizeof(struct pro_task *));
    struct pro_completion_source *const source = source_new(&gate);

    REQUIRE(tasks != NULL);
    for (int i = 0; i < CHAIN; i++) {
        struct link *const self = PRO_NEW_FRAME_VOID(struct link, link_move_next);

        REQUIRE(self != NULL);
        self->before = i ? tasks[i - 1] : gate;
        tasks[i] = PRO_START(self);
    }
    complete(source);
    CHECK_EQ(PRO_WAIT(tasks[CHAIN - 1]), PRO_OK); /* its last part may run on the pool */
    for (int i = 0; i < CHAIN; i++) {
        CHECK(pro_task_is_succeeded(tasks[i]));
        pro_task_unref(tasks[i]);
    }
    free(tasks);
    pro_task_unref(gate);
    pro_completion_source_free(source);
}

enum { ADDERS = 3, EACH = 8, ROUNDS = 300 };

struct counted {
    struct pro_continuation continuation;
    uint32_t runs;
    struct gate *ran;
};

static void count_run(struct pro_continuation *continuation)
{
    struct counted *const it = PRO_CONTAINER(continuation, struct counted, continuation);

    proi_fetch_add(&it->runs, 1u, PROI_RELAXED);
    gate_add(it->ran);
}

struct adder {
    struct pro_task *task;
    struct gate *start, ran;
    struct counted counted[EACH];
};

static void add_each(void *arg)
{
    struct adder *const it = arg;

    gate_wait(it->start, 1);
    for (int i = 0; i < EACH; i++) {
        it->counted[i].ran = &it->ran;
        pro_continuation_init(&it->counted[i].continuation, count_run);
        CHECK_EQ(pro_awaiter_unsafe_on_completed(pro_task_get_awaiter(it->task), &it->counted[i].continuation,
                                                 PRO_AWAIT_NONE),
                 PRO_OK);
    }
    gate_wait(&it->ran, EACH);
}

TEST(registrations_that_meet_the_completion_run_exactly_once)
{
    // Kills: an adder and a completer that both leave it to the other, or both do it (SEM-017).
    struct adder *const adders = calloc(ADDERS, sizeof *adders);

    REQUIRE(adders != NULL);
    for (int round = 0; round < ROUNDS; round++) {
        struct pro_task *gate;
        struct pro_completion_source *const source = source_new(&gate);
        struct proi_thread threads[ADDERS];
        struct gate start = { 0 };

        for (int i = 0; i < ADDERS; i++) {
            memset(&adders[i], 0, sizeof adders[i]);
            adders[i].task = gate;
            adders[i].start = &start;
            REQUIRE(proi_thread_start(&threads[i], "adder", add_each, &adders[i], 0) == PRO_OK);
        }
        gate_add(&start);
        complete(source);
        for (int i = 0; i < ADDERS; i++) {
            proi_thread_join(&threads[i]);
            for (int k = 0; k < EACH; k++)
                CHECK_EQ(proi_load(&adders[i].counted[k].runs, PROI_RELAXED), 1);
        }
        pro_task_unref(gate);
        pro_completion_source_free(source);
    }
    free(adders);
}
