/* SPDX-License-Identifier: MIT */
/* Async streams: await foreach however it is left, iterators, when-each. */
#include "harness.h"

#include <proact/proact.h>

#include <stdlib.h>

#include "gate.h"
#include "told.h"

static int code_of(struct pro_task *task)
{
    const int code = pro_task_get_result(task, NULL, PRO_NO_RESULT, NULL, PRO_HERE);

    pro_task_unref(task);
    return code;
}

static struct pro_completion_source *source_new(void)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &source) == PRO_OK);
    return source;
}

static void set(struct pro_completion_source *source)
{
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
}

/* ---- an iterator: 0, 1, 2, … ---- */

struct numbers {
    PRO_STREAM_FRAME;
    int i, count;
    struct pro_completion_source *before,
        *at_end;  /* awaited before the second item, in the finally section; NULL: not */
    int fails_at; /* 0: not */
    int *finals;  /* counts finally sections */
};

PRO_ASYNC(numbers_move_next, struct numbers, self)
    for (self->i = 0; self->i < self->count; self->i++) {
        if (self->i == 1 && self->before)
            PRO_AWAIT(pro_completion_source_task(self->before));
        if (self->fails_at && self->i == self->fails_at)
            PRO_THROW_NEW(PRO_E_USER, "the iterator fails");
        PRO_YIELD_RETURN(int, self->i);
    }
PRO_FINALLY
    if (self->at_end)
        PRO_AWAIT(pro_completion_source_task(self->at_end));
    ++*self->finals;
PRO_ASYNC_END

static int finals;

static struct numbers *numbers_frame(int count)
{
    struct numbers *self = PRO_NEW_STREAM(struct numbers, numbers_move_next, int);

    REQUIRE(self != NULL);
    self->count = count;
    self->finals = &finals;
    finals = 0;
    return self;
}

static struct pro_stream *numbers(int count)
{
    struct numbers *self = numbers_frame(count);

    return PRO_START_STREAM(self);
}

/* ---- a consumer ---- */

enum mode { TO_THE_END, BREAK_AT_2, FAIL_AT_2, RETURN_AT_2, AWAIT_EACH, SKIP_ODD };

struct sum {
    PRO_FRAME;
    struct pro_stream *from;
    struct pro_foreach each;
    enum mode mode;
    int n, sum, finals_seen;
    bool in_finally;
};

static struct {
    int sum, finals_at_end;
    bool reached_end, finally_after_disposal;
} told_of;

PRO_ASYNC(sum_move_next, struct sum, self)
    PRO_AWAIT_FOREACH(&self->each, &self->n, self->from) {
        if (self->mode == BREAK_AT_2 && self->n == 2)
            break;
        if (self->mode == FAIL_AT_2 && self->n == 2)
            PRO_AWAIT(pro_task_from_error(pro_error_new(PRO_E_IO, PRO_HERE, "the loop's body fails")));
        if (self->mode == RETURN_AT_2 && self->n == 2)
            PRO_RETURN(int, 1000 + self->sum);
        if (self->mode == SKIP_ODD && self->n % 2 != 0)
            continue;
        if (self->mode == AWAIT_EACH)
            PRO_AWAIT(pro_yield());
        self->sum += self->n;
    }
    told_of.reached_end = true;
    PRO_RETURN(int, self->sum);
PRO_FINALLY
    told_of.finally_after_disposal = finals == 1;
PRO_ASYNC_END

static struct pro_task *sum_async(struct pro_stream *from, enum mode mode)
{
    struct sum *self = PRO_NEW_FRAME(struct sum, sum_move_next, int);

    if (!self)
        return pro_task_no_memory();
    told_of.reached_end = told_of.finally_after_disposal = false;
    self->from = from;
    self->mode = mode;
    return PRO_START(self);
}

static int sum_of(struct pro_stream *from, enum mode mode)
{
    struct pro_task *task = sum_async(from, mode);
    int sum = -1;
    const int code = PRO_GET_RESULT(task, &sum);

    pro_task_unref(task);
    return code < 0 ? code : sum;
}

TEST(a_loop_gets_every_item_and_disposes_of_the_stream_at_its_end)
{
    /* Kills: ending one item early; no disposal at the natural end. */
    CHECK_EQ(sum_of(numbers(5), TO_THE_END), 10);
    CHECK(told_of.reached_end && told_of.finally_after_disposal);
    CHECK_EQ(finals, 1);
    CHECK_EQ(sum_of(numbers(0), TO_THE_END), 0);
    CHECK_EQ(finals, 1);
}

TEST(break_and_continue_are_the_loops_own)
{
    /* Kills: the body's break leaving by another way than the disposal. */
    CHECK_EQ(sum_of(numbers(5), BREAK_AT_2), 1);
    CHECK(told_of.reached_end && told_of.finally_after_disposal);
    CHECK_EQ(sum_of(numbers(5), SKIP_ODD), 6);
    CHECK(told_of.reached_end);
    CHECK_EQ(finals, 1);
}

TEST(an_error_in_the_body_disposes_first_and_then_leaves)
{
    /* Kills: leaving straight for the finally section. */
    CHECK_EQ(sum_of(numbers(5), FAIL_AT_2), PRO_E_IO);
    CHECK(!told_of.reached_end && told_of.finally_after_disposal);
    CHECK_EQ(finals, 1);
}

TEST(an_error_of_the_disposal_takes_the_place_of_the_body_s)
{
    /* Kills: the body's error kept, which C#'s await foreach loses in its finally block. */
    struct numbers *self = numbers_frame(5);
    struct pro_completion_source *const at_end = source_new();

    self->at_end = at_end;
    CHECK_EQ(pro_completion_source_set_error(at_end, pro_error_of(PRO_E_PIPE)), PRO_OK);
    CHECK_EQ(sum_of(PRO_START_STREAM(self), FAIL_AT_2), PRO_E_PIPE);
    CHECK(!told_of.reached_end);
    pro_completion_source_free(at_end);
}

TEST(a_return_inside_the_loop_keeps_its_result_and_disposes)
{
    /* Kills: treating a return as a natural end of the loop. */
    CHECK_EQ(sum_of(numbers(5), RETURN_AT_2), 1001);
    CHECK(!told_of.reached_end && told_of.finally_after_disposal);
}

TEST(an_error_of_the_iterator_reaches_the_consumer)
{
    /* Kills: taking a failed move for the end of the sequence. */
    struct numbers *self = numbers_frame(5);

    self->fails_at = 3;
    CHECK_EQ(sum_of(PRO_START_STREAM(self), TO_THE_END), PRO_E_USER);
    CHECK(!told_of.reached_end && told_of.finally_after_disposal);
    CHECK_EQ(finals, 1);
}

TEST(iterator_and_consumer_may_await)
{
    /* Kills: losing the resume point of either; waiting for the disposal in vain. */
    struct numbers *self = numbers_frame(5);
    struct pro_task *task;

    self->before = source_new();
    self->at_end = source_new();
    struct pro_completion_source *const before = self->before, *const at_end = self->at_end;
    task = sum_async(PRO_START_STREAM(self), BREAK_AT_2);
    CHECK(!pro_task_is_completed(task));
    CHECK_EQ(finals, 0);
    set(before);
    CHECK(!pro_task_is_completed(task)); /* it awaits the disposal */
    CHECK_EQ(finals, 0);
    set(at_end);
    CHECK(pro_task_is_succeeded(task));
    CHECK_EQ(finals, 1);
    pro_task_unref(task);
    pro_completion_source_free(before);
    pro_completion_source_free(at_end);
    CHECK_EQ(sum_of(numbers(100), AWAIT_EACH), 4950);
}

struct nested {
    PRO_FRAME;
    struct pro_foreach outer, inner;
    int i, k, sum;
    bool fails;
};

static int outer_finals, inner_finals;

static struct pro_stream *counting(int count, int *finals_here)
{
    struct numbers *self = numbers_frame(count);

    self->finals = finals_here;
    return PRO_START_STREAM(self);
}

PRO_ASYNC(nested_move_next, struct nested, self)
    PRO_AWAIT_FOREACH(&self->outer, &self->i, counting(4, &outer_finals)) {
        PRO_AWAIT_FOREACH_WITH(&self->inner, &self->k, counting(4, &inner_finals), PRO_AWAIT_NONE) {
            PRO_AWAIT(pro_yield());
            if (self->k > self->i)
                break;
            if (self->fails && self->i == 2 && self->k == 1)
                PRO_THROW_NEW(PRO_E_USER, "out of both");
            self->sum += 10 * self->i + self->k;
        }
    }
    PRO_RETURN(int, self->sum);
PRO_ASYNC_END

static int nested(bool fails)
{
    struct nested *self = PRO_NEW_FRAME(struct nested, nested_move_next, int);
    struct pro_task *task;
    int sum = -1, code;

    REQUIRE(self != NULL);
    outer_finals = inner_finals = 0;
    self->fails = fails;
    task = PRO_START(self);
    code = PRO_GET_RESULT(task, &sum);
    pro_task_unref(task);
    return code < 0 ? code : sum;
}

TEST(loops_nest_and_an_error_disposes_of_both_streams)
{
    /* Kills: forgetting where the outer loop's leaving goes. */
    CHECK_EQ(nested(false), 210); /* sum of 10i + k, k <= i < 4 */
    CHECK_EQ(inner_finals, 4);
    CHECK_EQ(outer_finals, 1);
    CHECK_EQ(nested(true), PRO_E_USER);
    CHECK_EQ(inner_finals, 3);
    CHECK_EQ(outer_finals, 1);
}

/* ---- an iterator over an iterator ---- */

struct evens {
    PRO_STREAM_FRAME;
    struct pro_stream *from;
    struct pro_foreach each;
    int n;
};

PRO_ASYNC(evens_move_next, struct evens, self)
    PRO_AWAIT_FOREACH(&self->each, &self->n, self->from) {
        if (self->n % 2 == 0)
            PRO_YIELD_RETURN(int, self->n);
    }
PRO_ASYNC_END

static struct pro_stream *evens(struct pro_stream *from)
{
    struct evens *self = PRO_NEW_STREAM(struct evens, evens_move_next, int);

    REQUIRE(self != NULL);
    self->from = from;
    return PRO_START_STREAM(self);
}

TEST(disposing_of_an_iterator_disposes_of_the_streams_its_loops_are_in)
{
    /* Kills: ending a disposed iterator without leaving its loops. */
    CHECK_EQ(sum_of(evens(numbers(10)), TO_THE_END), 20);
    CHECK_EQ(finals, 1);
    CHECK_EQ(sum_of(evens(numbers(10)), BREAK_AT_2), 0);
    CHECK_EQ(finals, 1);
}

/* ---- misuse ---- */

TEST(a_stream_has_one_consumer_who_awaits_each_move)
{
    /* Kills: letting a second move into a running body; disposing of it. */
    struct numbers *self = numbers_frame(3);
    struct pro_completion_source *const before = source_new();
    struct pro_value_task move;
    struct pro_stream *stream;
    bool has = false;
    int item = -1;

    self->before = before;
    stream = PRO_START_STREAM(self);
    told_listen();
    CHECK_MISUSE(pro_stream_current(stream, &item, PRO_TYPE(int)), PRO_E_STATE);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_OK);
    CHECK(has);
    CHECK_EQ(pro_stream_current(stream, &item, PRO_TYPE(double)), PRO_E_TYPE);
    CHECK_EQ(pro_stream_current(stream, &item, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(item, 0);
    move = pro_stream_move_next(stream);
    CHECK(!pro_value_task_is_completed(move));
    CHECK_MISUSE(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_E_STATE);
    CHECK_MISUSE(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE),
                 PRO_E_STATE);
    set(before);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(move, &has), PRO_OK);
    CHECK(has);
    CHECK_MISUSE(PRO_VALUE_TASK_RESULT(pro_stream_move_next(NULL), &has), PRO_E_INVALID);
    CHECK_EQ(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(finals, 1);
    CHECK_MISUSE(sum_of(NULL, TO_THE_END), PRO_E_INVALID);
    told_stop();
    pro_completion_source_free(before);
}

TEST(a_stream_that_was_never_asked_runs_its_finally_section_alone)
{
    /* Kills: freeing what the frame was given without its finally section. */
    struct pro_stream *stream = numbers(3);

    CHECK_EQ(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(finals, 1);
}

TEST(an_ended_stream_goes_on_saying_that_there_is_nothing)
{
    /* Kills: running an ended body again. */
    struct pro_stream *stream = numbers(0);
    bool has = true;

    for (int i = 0; i < 3; i++, has = true) {
        CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_OK);
        CHECK(!has);
    }
    CHECK_EQ(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(finals, 1);
}

TEST(a_stream_from_an_error_fails_at_its_first_item)
{
    /* Kills: an empty sequence in place of the error. */
    CHECK_EQ(sum_of(pro_stream_from_error(pro_error_of(PRO_E_IO)), TO_THE_END), PRO_E_IO);
    CHECK_EQ(sum_of(PRO_START_STREAM((struct numbers *)NULL), TO_THE_END), PRO_E_NO_MEMORY);
}

/* ---- items that own something ---- */

static int alive;
static void drop_block(void *item)
{
    free(*(void **)item);
    alive--;
}

struct blocks {
    PRO_STREAM_FRAME;
    int i;
};

static void *block_new(void)
{
    alive++;
    return malloc(16);
}

PRO_ASYNC(blocks_move_next, struct blocks, self)
    for (self->i = 0; self->i < 3; self->i++)
        PRO_YIELD_RETURN(void *, block_new());
PRO_ASYNC_END

TEST(an_owned_item_moves_to_who_takes_it_and_is_dropped_by_the_stream_otherwise)
{
    /* Kills: dropping a taken item; forgetting one that was not taken. */
    struct blocks *self = PRO_NEW_STREAM(struct blocks, blocks_move_next, void *);
    struct pro_stream *stream;
    void *block = NULL;
    bool has;

    REQUIRE(self != NULL);
    PRO_ON_DROP(self, drop_block);
    stream = PRO_START_STREAM(self);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_OK); /* not taken */
    CHECK_EQ(alive, 1);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_OK);
    CHECK_EQ(alive, 1);
    CHECK_EQ(pro_stream_current(stream, &block, PRO_TYPE(void *)), PRO_OK);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has), PRO_OK);
    CHECK_EQ(alive, 2);
    CHECK_EQ(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(alive, 1);
    drop_block(&block);
    CHECK_EQ(alive, 0);
}

/* ---- where things run ---- */

TEST(the_consumer_of_a_pending_item_is_posted_to_its_context_even_from_inside_it)
{
    /* Kills: completing a move as a task does (SEM-216). */
    struct pro_pump *pump = NULL;
    struct pro_sync_context *before_context;
    struct numbers *self = numbers_frame(3);
    struct pro_completion_source *const before = source_new();
    struct pro_task *task;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    self->before = before;
    before_context = pro_sync_context_set(pro_pump_context(pump));
    task = sum_async(PRO_START_STREAM(self), TO_THE_END);
    set(before); /* the body goes on right here, and then posts to the consumer */
    CHECK(!pro_task_is_completed(task));
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    pro_sync_context_set(before_context);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    pro_completion_source_free(before);
}

TEST(sixty_thousand_items_that_are_there_take_no_stack)
{
    /* Kills: resuming the consumer from inside each yield. */
    enum { MANY = 60000 };

    CHECK_EQ(sum_of(numbers(MANY), SKIP_ODD), MANY / 2 * (MANY / 2 - 1));
    CHECK_EQ(finals, 1);
}

/* ---- when each ---- */

enum { TASKS = 4 };

struct consumer {
    PRO_FRAME;
    struct pro_stream *from;
    struct pro_foreach each;
    struct pro_task *task;
    int stop_after;
};

static struct {
    struct pro_task *tasks[1024];
    uint32_t count;
    bool on_pool;
    uint64_t ended_on;
    struct gate gate;
} got;

PRO_ASYNC(consumer_move_next, struct consumer, self)
    PRO_AWAIT_FOREACH(&self->each, &self->task, self->from) {
        got.on_pool = pro_pool_is_worker();
        got.tasks[got.count++] = self->task;
        gate_add(&got.gate);
        if (self->stop_after && got.count == (uint32_t)self->stop_after)
            break;
    }
PRO_FINALLY
    got.ended_on = pro_thread_id();
PRO_ASYNC_END

static struct pro_task *consume_async(struct pro_task *const *tasks, size_t count, struct pro_cancellation_token token,
                                      int stop_after)
{
    struct consumer *self = PRO_NEW_FRAME_VOID(struct consumer, consumer_move_next);

    REQUIRE(self != NULL);
    memset(&got, 0, sizeof got);
    REQUIRE(pro_when_each(tasks, count, token, &self->from) == PRO_OK);
    self->stop_after = stop_after;
    return PRO_START(self);
}

TEST(when_each_gives_tasks_as_they_complete_and_resumes_its_consumer_elsewhere)
{
    /* Kills: order of the arguments; throwing a task's error; running the consumer inside the completion (SEM-192). */
    struct pro_completion_source *sources[TASKS];
    struct pro_task *tasks[TASKS], *consumer;

    for (int i = 0; i < TASKS; i++) {
        sources[i] = source_new();
        tasks[i] = pro_completion_source_task(sources[i]);
    }
    set(sources[3]);
    consumer = consume_async(tasks, TASKS, PRO_TOKEN_NONE, 0);
    CHECK_EQ(gate_count(&got.gate), 1);
    CHECK_EQ(pro_completion_source_set_error(sources[1], pro_error_of(PRO_E_IO)), PRO_OK);
    gate_wait(&got.gate, 2);
    CHECK_EQ(pro_completion_source_set_canceled(sources[2], PRO_TOKEN_NONE), PRO_OK);
    gate_wait(&got.gate, 3);
    set(sources[0]);
    gate_wait(&got.gate, 4);
    CHECK_EQ(code_of(consumer), PRO_OK);
    CHECK(got.on_pool);
    CHECK(got.tasks[0] == tasks[3] && got.tasks[1] == tasks[1] && got.tasks[2] == tasks[2] && got.tasks[3] == tasks[0]);
    (void)pro_task_error(tasks[1]); /* observed: the stream does not */
    for (int i = 0; i < TASKS; i++) {
        pro_task_unref(tasks[i]);
        pro_completion_source_free(sources[i]);
    }
}

TEST(when_each_lets_go_of_the_tasks_when_its_consumer_leaves)
{
    /* Kills: leaving continuations on tasks that live on. */
    struct pro_completion_source *const early = source_new(), *const late = source_new();
    struct pro_task *tasks[2] = { pro_completion_source_task(late), pro_completion_source_task(early) };
    struct pro_stream *stream = NULL;

    set(early);
    CHECK_EQ(code_of(consume_async(tasks, 2, PRO_TOKEN_NONE, 1)), PRO_OK);
    CHECK_EQ(got.count, 1);
    set(late);
    CHECK_EQ(code_of(consume_async(NULL, 0, PRO_TOKEN_NONE, 0)), PRO_OK);
    told_listen();
    CHECK_MISUSE(pro_when_each(NULL, 1, PRO_TOKEN_NONE, &stream), PRO_E_INVALID);
    CHECK_MISUSE(pro_when_each((struct pro_task *[]){ NULL }, 1, PRO_TOKEN_NONE, &stream), PRO_E_INVALID);
    told_stop();
    REQUIRE(pro_when_each(tasks, 2, PRO_TOKEN_NONE, &stream) == PRO_OK); /* never asked */
    CHECK_EQ(pro_value_task_get_result(pro_stream_dispose(stream), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    for (int i = 0; i < 2; i++)
        pro_task_unref(tasks[i]);
    pro_completion_source_free(early);
    pro_completion_source_free(late);
}

TEST(the_token_of_when_each_ends_the_wait)
{
    /* Kills: not registering the wait; registering it once. */
    struct pro_cancellation_source *canceler = NULL;
    struct pro_completion_source *const never = source_new(), *const first = source_new();
    struct pro_task *tasks[2] = { pro_completion_source_task(never), pro_completion_source_task(first) }, *consumer;

    REQUIRE(pro_cancellation_source_new(&canceler) == PRO_OK);
    consumer = consume_async(tasks, 2, pro_cancellation_source_token(canceler), 0);
    set(first);
    gate_wait(&got.gate, 1);
    pro_cancellation_source_cancel(canceler);
    CHECK_EQ(code_of(consumer), PRO_E_CANCELED);
    CHECK_EQ(code_of(consume_async(tasks, 1, pro_cancellation_source_token(canceler), 0)), PRO_E_CANCELED);
    set(never);
    for (int i = 0; i < 2; i++)
        pro_task_unref(tasks[i]);
    pro_completion_source_free(never);
    pro_completion_source_free(first);
    pro_cancellation_source_unref(canceler);
}

TEST(the_token_of_when_each_goes_before_what_is_there_and_resumes_inside_the_cancel)
{
    /* SEM-192, SEM-244. Kills: giving what is complete in spite of the token; a detour by the pool; failing a stream
       that has no more to give; going on inside the cancel where a context is current. */
    for (int with_context = 0; with_context < 2; with_context++) {
        static const struct pro_sync_context_vtable vtable = { .owner_thread = NULL };
        struct pro_sync_context context;
        struct pro_cancellation_source *canceler = NULL;
        struct pro_completion_source *const never = source_new();
        struct pro_task *tasks[2] = { pro_task_completed(), pro_completion_source_task(never) }, *consumer;

        REQUIRE(pro_cancellation_source_new(&canceler) == PRO_OK);
        REQUIRE(pro_sync_context_init(&context, &vtable, "here") == PRO_OK);
        consumer = consume_async(tasks, 2, pro_cancellation_source_token(canceler), 0);
        CHECK_EQ(gate_count(&got.gate), 1);
        pro_sync_context_set(with_context ? &context : NULL);
        CHECK_EQ(pro_cancellation_source_cancel(canceler), PRO_OK);
        pro_sync_context_set(NULL);
        CHECK_EQ(code_of(consumer), PRO_E_CANCELED);
        CHECK((got.ended_on == pro_thread_id()) == !with_context);
        CHECK_EQ(code_of(consume_async(tasks, 1, pro_cancellation_source_token(canceler), 0)), PRO_E_CANCELED);
        CHECK_EQ(got.count, 0);
        CHECK_EQ(code_of(consume_async(tasks, 0, pro_cancellation_source_token(canceler), 0)), PRO_OK);
        pro_task_unref(tasks[0]);
        pro_task_unref(tasks[1]);
        pro_completion_source_free(never);
        pro_cancellation_source_unref(canceler);
    }
}

static void complete(void *source) { set(source); }

TEST(when_each_loses_no_task_that_completes_on_another_thread)
{
    /* Kills: looking at the queue and beginning to wait in two steps. */
    enum { MANY = 200, ROUNDS = 20 };
    static struct pro_completion_source *sources[MANY];
    static struct pro_task *tasks[MANY];

    for (int round = 0; round < ROUNDS; round++) {
        struct pro_task *consumer;

        for (int i = 0; i < MANY; i++) {
            sources[i] = source_new();
            tasks[i] = pro_completion_source_task(sources[i]);
            pro_pool_post(complete, sources[i]);
        }
        consumer = consume_async(tasks, MANY, PRO_TOKEN_NONE, 0);
        CHECK_EQ(code_of(consumer), PRO_OK);
        CHECK_EQ(got.count, MANY);
        for (int i = 0; i < MANY; i++) {
            pro_task_unref(tasks[i]);
            pro_completion_source_free(sources[i]);
        }
    }
}
