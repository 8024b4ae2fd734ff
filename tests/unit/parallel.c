/* SPDX-License-Identifier: MIT */
/* The parallel loops: every index once, the caller takes part, failures and cancellation stop; for-each awaits what is
 * in flight. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "told.h"

enum { COUNT = 5000 };

/* ---- parallel for ---- */
struct marks {
    unsigned char seen[COUNT];
    uint32_t inside, most, total;
    uint64_t caller;
    uint32_t by_caller;
    struct gate begun, leave;
    struct pro_cancellation_source *source;
};

static struct pro_error *mark(size_t index, void *arg)
{
    struct marks *marks = arg;
    const uint32_t inside = proi_fetch_add(&marks->inside, 1, PROI_RELAXED) + 1;
    uint32_t most = proi_load(&marks->most, PROI_RELAXED);

    while (most < inside && !proi_compare_exchange(&marks->most, &most, inside, PROI_ACQ_REL))
        ;
    marks->seen[index]++;
    proi_fetch_add(&marks->total, 1, PROI_RELAXED);
    if (pro_thread_id() == marks->caller)
        proi_fetch_add(&marks->by_caller, 1, PROI_RELAXED);
    proi_fetch_sub(&marks->inside, 1, PROI_RELAXED);
    return NULL;
}

static void check_each_once(const struct marks *marks)
{
    for (int i = 0; i < COUNT; i++)
        if (marks->seen[i] != 1) {
            CHECK_EQ(marks->seen[i], 1);
            break;
        }
}

TEST(every_index_is_run_once_and_never_more_than_the_degree_at_a_time)
{
    /* Kills: handing a chunk out twice; a wrong last chunk; more helpers than the degree; a range that ends before it
       begins, and runs round. */
    for (unsigned degree = 1; degree <= 5; degree++) {
        static struct marks marks;
        const struct pro_parallel_options options = { .degree = degree };

        memset(&marks, 0, sizeof marks);
        CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
        CHECK_EQ(pro_parallel_for(0, COUNT, mark, &marks, &options, NULL), PRO_OK);
        check_each_once(&marks);
        CHECK(marks.most <= degree);
    }
    CHECK_EQ(pro_parallel_for(3, 3, mark, NULL, NULL, NULL), PRO_OK);
    CHECK_EQ(pro_parallel_for(5, 3, mark, NULL, NULL, NULL), PRO_OK);
}

/* Keeps every pool thread inside an item, so that no helper can come. */
static void occupy(void *arg)
{
    struct marks *marks = arg;

    gate_add(&marks->begun);
    gate_wait(&marks->leave, 1);
    gate_add(&marks->begun);
}

TEST(the_caller_does_all_the_work_when_no_thread_is_free)
{
    /* Kills: waiting for helpers that have not begun. */
    static struct marks marks;
    const struct pro_parallel_options options = { .degree = 4 };

    CHECK_EQ(pro_pool_set_min_threads(2), PRO_OK);
    CHECK_EQ(pro_pool_set_max_threads(2), PRO_OK);
    marks.caller = pro_thread_id();
    pro_pool_post(occupy, &marks);
    pro_pool_post(occupy, &marks);
    gate_wait(&marks.begun, 2);
    CHECK_EQ(pro_parallel_for(0, COUNT, mark, &marks, &options, NULL), PRO_OK);
    CHECK_EQ(marks.by_caller, COUNT);
    check_each_once(&marks);
    gate_add(&marks.leave);
    gate_wait(&marks.begun, 4);
    CHECK_EQ(pro_pool_set_max_threads(100), PRO_OK);
}

static struct pro_error *meet(size_t index, void *arg)
{
    struct marks *marks = arg;

    (void)index;
    gate_add(&marks->begun);
    gate_wait(&marks->begun, 2);
    return pro_error_new(PRO_E_USER - (int)index, PRO_HERE, "index %zu", index);
}

TEST(all_errors_are_told_in_the_order_of_the_indexes_and_nothing_begins_after_one)
{
    /* Kills: the first error only; going on after a failure. */
    struct marks marks = { .total = 0 };
    const struct pro_parallel_options options = { .degree = 2 };
    struct pro_error *error = NULL;

    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    CHECK_EQ(pro_parallel_for(0, 16, meet, &marks, &options, &error), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_inner_count(error), 2);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 0)), PRO_E_USER);
    CHECK_EQ(pro_error_code(pro_error_inner(error, 1)), PRO_E_USER - 1);
    CHECK_EQ(gate_count(&marks.begun), 2);
    pro_error_unref(error);
}

static struct pro_error *cancel_at_ten(size_t index, void *arg)
{
    struct marks *marks = arg;

    proi_fetch_add(&marks->total, 1, PROI_RELAXED);
    if (index == 10)
        pro_cancellation_source_cancel(marks->source);
    return NULL;
}

static struct pro_async_local *local;
static struct pro_error *change_value(size_t index, void *arg)
{
    (void)index;
    return pro_async_local_set(local, arg) == PRO_OK ? NULL : pro_error_of(PRO_E_FAILED);
}

TEST(what_bodies_change_of_the_ambient_values_stays_in_the_loop)
{
    /* Kills: a caller that takes part under its own values, and keeps what a body has put there. */
    const struct pro_parallel_options one = { .degree = 1 }, two = { .degree = 2 };
    int mine, theirs;

    REQUIRE(pro_async_local_new(NULL, &local) == PRO_OK);
    CHECK_EQ(pro_async_local_set(local, &mine), PRO_OK);
    CHECK_EQ(pro_parallel_for(0, 4, change_value, &theirs, &one, NULL), PRO_OK);
    CHECK(pro_async_local_get(local) == &mine);
    CHECK_EQ(pro_parallel_for(0, 4, change_value, &theirs, &two, NULL), PRO_OK);
    CHECK(pro_async_local_get(local) == &mine);
    CHECK_EQ(pro_async_local_set(local, NULL), PRO_OK);
    pro_async_local_unref(local);
}

TEST(a_cancelled_token_stops_the_loop_and_is_told)
{
    /* Kills: looking at the token only once; answering PRO_OK for a loop that was cut short. */
    struct marks marks = { .total = 0 };
    struct pro_parallel_options options = { .degree = 1 };
    struct pro_error *error = NULL;

    REQUIRE(pro_cancellation_source_new(&marks.source) == PRO_OK);
    options.token = pro_cancellation_source_token(marks.source);
    CHECK_EQ(pro_parallel_for(0, COUNT, cancel_at_ten, &marks, &options, &error), PRO_E_CANCELED);
    CHECK_EQ(marks.total, 11);
    CHECK(pro_error_is_of_token(error, &options.token));
    pro_error_unref(error);
    pro_cancellation_source_unref(marks.source);
}

TEST(a_token_cancelled_in_the_last_body_cancels_the_loop_and_one_without_bodies_never)
{
    /* Kills: PRO_OK because all indexes were run; cancelling what had nothing to do. */
    struct marks marks = { .total = 0 };
    struct pro_parallel_options options = { .degree = 1 };

    REQUIRE(pro_cancellation_source_new(&marks.source) == PRO_OK);
    options.token = pro_cancellation_source_token(marks.source);
    CHECK_EQ(pro_parallel_for(0, 11, cancel_at_ten, &marks, &options, NULL), PRO_E_CANCELED);
    CHECK_EQ(marks.total, 11);
    CHECK_EQ(pro_parallel_for(3, 3, cancel_at_ten, &marks, &options, NULL), PRO_OK);
    pro_cancellation_source_unref(marks.source);
}

TEST(on_a_scheduler_its_level_limits_and_refusal_is_told)
{
    /* Kills: running bodies of a scheduler on the caller without asking it. */
    static struct marks marks;
    struct pro_task_scheduler *limited = NULL;
    struct pro_exclusive_pair *pair = NULL;
    struct pro_parallel_options options = { .degree = 4 };

    REQUIRE(pro_limited_scheduler_new("one", NULL, 1, &limited) == PRO_OK);
    options.scheduler = limited;
    marks.caller = pro_thread_id();
    CHECK_EQ(pro_parallel_for(0, COUNT, mark, &marks, &options, NULL), PRO_OK);
    check_each_once(&marks);
    CHECK_EQ(marks.most, 1);
    CHECK_EQ(marks.by_caller, 0);
    pro_task_scheduler_unref(limited);

    REQUIRE(pro_exclusive_pair_new(NULL, 2, &pair) == PRO_OK);
    pro_exclusive_pair_complete(pair);
    options.scheduler = pro_exclusive_pair_concurrent(pair);
    CHECK_EQ(pro_parallel_for(0, COUNT, mark, &marks, &options, NULL), PRO_E_SCHEDULER);
    pro_exclusive_pair_free(pair);
}

static struct pro_work *taken;
static int refuse(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler, (void)work;
    return PRO_E_STATE;
}
static bool lie(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    (void)scheduler, (void)was_queued;
    taken = work;
    return true;
}

TEST(a_scheduler_that_claims_to_have_run_the_loop_is_found_out)
{
    /* SEM-149. Kills: a caller that waits for ever for a helper that nobody runs. */
    static const struct pro_task_scheduler_vtable vtable = { .queue = refuse, .try_inline = lie };
    static struct marks marks;
    struct pro_task_scheduler liar;
    struct pro_parallel_options options = { .degree = 1, .scheduler = &liar };

    REQUIRE(pro_task_scheduler_init(&liar, &vtable, "liar") == PRO_OK);
    CHECK_EQ(pro_parallel_for(0, COUNT, mark, &marks, &options, NULL), PRO_E_SCHEDULER);
    REQUIRE(taken != NULL);
    pro_work_run(taken); /* too late: it gives up what it took */
    CHECK_EQ(marks.total, 0);
}

/* ---- for each ---- */
struct source {
    int next, end, fails_at;
    uint32_t inside, most, sum, started, taking;
    bool overlapped;
    struct pro_completion_source *hold; /* bodies wait for it, when there is one */
    struct gate begun;
};

static int take(void *arg, void *ret_item)
{
    struct source *source = arg;

    if (proi_fetch_add(&source->taking, 1, PROI_RELAXED))
        source->overlapped = true;
    proi_fetch_sub(&source->taking, 1, PROI_RELAXED);
    if (source->fails_at && source->next == source->fails_at)
        return PRO_E_IO;
    if (source->next >= source->end)
        return 0;
    *(int *)ret_item = source->next++;
    return 1;
}

struct body {
    PRO_FRAME;
    struct source *source;
    int *item;
    struct pro_cancellation_token token;
};

PRO_ASYNC(add_move_next, struct body, self)
    {
        const uint32_t inside = proi_fetch_add(&self->source->inside, 1, PROI_RELAXED) + 1;
        uint32_t most = proi_load(&self->source->most, PROI_RELAXED);

        while (most < inside && !proi_compare_exchange(&self->source->most, &most, inside, PROI_ACQ_REL))
            ;
    }
    PRO_AWAIT(pro_yield());
    proi_fetch_add(&self->source->sum, (uint32_t)*self->item, PROI_RELAXED);
    proi_fetch_sub(&self->source->inside, 1, PROI_RELAXED);
PRO_ASYNC_END

static struct pro_task *add(void *arg, void *item, struct pro_cancellation_token token)
{
    struct body *self = PRO_NEW_FRAME_VOID(struct body, add_move_next);

    if (!self)
        return pro_task_no_memory();
    self->source = arg;
    self->item = item;
    self->token = token;
    return PRO_START(self);
}

static struct pro_task *for_each(struct source *source, unsigned degree, struct pro_cancellation_token token,
                                 struct pro_task *(*body)(void *, void *, struct pro_cancellation_token),
                                 struct pro_task_scheduler *scheduler)
{
    const struct pro_for_each loop = {
        .item = PRO_TYPE(int), .next = take, .body = body, .arg = source, .options = { degree, scheduler, token }
    };

    return pro_for_each_async(&loop);
}

TEST(each_item_is_handled_once_with_at_most_the_degree_in_flight)
{
    /* Kills: taking items beside each other; a worker too many; sharing one item's memory between workers. */
    for (unsigned degree = 0; degree <= 3; degree++) {
        struct source source = { .next = 1, .end = 401 };
        struct pro_task *task = for_each(&source, degree, PRO_TOKEN_NONE, add, NULL);

        CHECK_EQ(PRO_WAIT(task), PRO_OK);
        CHECK_EQ(source.sum, 400 * 401 / 2);
        CHECK(!source.overlapped);
        CHECK(!degree || source.most <= degree);
        pro_task_unref(task);
    }
}

static struct pro_task *fail_or_wait(void *arg, void *item, struct pro_cancellation_token token)
{
    struct source *source = arg;

    (void)token;
    proi_fetch_add(&source->started, 1, PROI_RELAXED);
    gate_add(&source->begun);
    if (*(int *)item == 0)
        return pro_completion_source_task(source->hold);
    return pro_task_from_error(pro_error_new(PRO_E_USER - 1, PRO_HERE, "item %d", *(int *)item));
}

TEST(the_first_failure_stops_the_source_and_the_rest_in_flight_is_awaited)
{
    /* Kills: completing at the failure; taking more items after it; losing an error. */
    struct source source = { .next = 0, .end = 100 };
    struct pro_task *task;
    struct pro_error *all;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source.hold) == PRO_OK);
    task = for_each(&source, 2, PRO_TOKEN_NONE, fail_or_wait, NULL);
    gate_wait(&source.begun, 2);
    CHECK_EQ(PRO_WAIT_HOW(task, PRO_WITHIN(PRO_MS(20))), PRO_E_TIMEOUT);
    pro_completion_source_set_error(source.hold, pro_error_new(PRO_E_USER - 2, PRO_HERE, "late"));
    CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
    all = pro_task_error_all(task);
    CHECK_EQ(pro_error_inner_count(all), 2);
    CHECK_EQ(pro_error_code(pro_error_inner(all, 0)), PRO_E_USER - 1);
    CHECK_EQ(pro_error_code(pro_error_inner(all, 1)), PRO_E_USER - 2);
    CHECK_EQ(source.started, 2);
    pro_task_unref(task);
    pro_completion_source_free(source.hold);
}

static struct pro_task *wait_for_token(void *arg, void *item, struct pro_cancellation_token token)
{
    struct source *source = arg;

    (void)item;
    gate_add(&source->begun);
    return pro_delay(PRO_INFINITE, token);
}

TEST(the_callers_token_reaches_the_bodies_and_cancels_the_task)
{
    /* Kills: not linking the token handed out; faulting with what the bodies say of it. */
    struct source source = { .next = 0, .end = 10 };
    struct pro_cancellation_source *canceller = NULL;
    struct pro_cancellation_token token;
    struct pro_task *task;

    REQUIRE(pro_cancellation_source_new(&canceller) == PRO_OK);
    token = pro_cancellation_source_token(canceller);
    task = for_each(&source, 2, token, wait_for_token, NULL);
    gate_wait(&source.begun, 2);
    pro_cancellation_source_cancel(canceller);
    CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
    CHECK(pro_task_is_canceled(task));
    CHECK(pro_error_is_of_token(pro_task_error(task), &token));
    pro_task_unref(task);
    task = for_each(&source, 2, token, wait_for_token, NULL);
    CHECK(pro_task_is_canceled(task));
    pro_task_unref(task);
    pro_cancellation_source_unref(canceller);
}

TEST(a_source_that_fails_fails_the_loop)
{
    /* Kills: taking a negative answer for the end. */
    struct source source = { .next = 1, .end = 10, .fails_at = 4 };
    struct pro_task *task = for_each(&source, 1, PRO_TOKEN_NONE, add, NULL);

    CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_IO);
    CHECK_EQ(source.sum, 6);
    pro_task_unref(task);
}

static struct pro_task_scheduler *seen_scheduler;

PRO_ASYNC(where_move_next, struct body, self)
    PRO_AWAIT(pro_yield());
    seen_scheduler = pro_task_scheduler_current();
PRO_ASYNC_END

static struct pro_task *where(void *arg, void *item, struct pro_cancellation_token token)
{
    struct body *self = PRO_NEW_FRAME_VOID(struct body, where_move_next);

    (void)arg, (void)item, (void)token;
    return self ? PRO_START(self) : pro_task_no_memory();
}

TEST(bodies_run_on_the_scheduler_and_come_back_to_it)
{
    /* Kills: starting workers on the pool; not making the scheduler current. */
    struct source source = { .next = 0, .end = 3 };
    struct pro_exclusive_pair *pair = NULL;
    struct pro_task *task;

    REQUIRE(pro_exclusive_pair_new(NULL, 0, &pair) == PRO_OK);
    task = for_each(&source, 2, PRO_TOKEN_NONE, where, pro_exclusive_pair_exclusive(pair));
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK(seen_scheduler == pro_exclusive_pair_exclusive(pair));
    pro_task_unref(task);
    pro_exclusive_pair_complete(pair);
    source = (struct source){ .next = 0, .end = 3 };
    task = for_each(&source, 2, PRO_TOKEN_NONE, where, pro_exclusive_pair_exclusive(pair));
    CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_SCHEDULER);
    pro_task_unref(task);
    pro_exclusive_pair_free(pair);
}
