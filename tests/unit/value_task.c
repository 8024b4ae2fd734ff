/* SPDX-License-Identifier: MIT */
/* Value tasks: values, tasks, sources; where the continuation of a source runs; async methods that give them. */
#include "harness.h"

#include <proact/proact.h>

#include <stdlib.h>

#include "gate.h"
#include "told.h"

/* ---- allocations are counted ---- */

static uint32_t allocations;

static void *count_allocate(size_t size, void *user)
{
    (void)user;
    proi_fetch_add(&allocations, 1u, PROI_RELAXED);
    return malloc(size);
}
static void *count_resize(void *block, size_t size, void *user)
{
    (void)user;
    proi_fetch_add(&allocations, 1u, PROI_RELAXED);
    return realloc(block, size);
}
static void count_release(void *block, void *user)
{
    (void)user;
    free(block);
}

__attribute__((constructor)) static void count_from_the_start(void)
{
    static const struct pro_allocator counting = { count_allocate, count_resize, count_release, NULL };

    pro_set_allocator(&counting);
    proi_slabs_of_one = true; /* each block that is taken anew is counted */
}

/* ---- a method that awaits a value task of int ---- */

struct waiter {
    PRO_FRAME;
    struct pro_value_task from;
    unsigned options;
    int value;
    struct pro_sync_context *resumed_on;
    bool on_pool;
    struct waiter **told;
};

static struct seen {
    int value;
    unsigned count;
    struct pro_sync_context *context;
    bool on_pool;
    struct gate gate;
} seen;

PRO_ASYNC(waiter_move_next, struct waiter, self)
    PRO_AWAIT_TO(&self->value, PRO_CONFIGURE_AWAIT(self->from, self->options));
    seen.value = self->value;
    seen.context = pro_sync_context_current();
    seen.on_pool = pro_pool_is_worker();
    seen.count++;
    gate_add(&seen.gate);
    PRO_RETURN(int, self->value);
PRO_ASYNC_END

static struct pro_task *wait_for_it(struct pro_value_task from, unsigned options)
{
    struct waiter *self = PRO_NEW_FRAME(struct waiter, waiter_move_next, int);

    if (!self)
        return pro_task_no_memory();
    self->from = from;
    self->options = options;
    return PRO_START(self);
}

static int code_of(struct pro_task *task)
{
    const int code = pro_task_get_result(task, NULL, PRO_NO_RESULT, NULL, PRO_HERE);

    pro_task_unref(task);
    return code;
}

static int set_int(struct pro_value_task_source_core *core, int value)
{
    return pro_value_task_source_core_set_result(core, &value, PRO_TYPE(int));
}

static struct pro_value_task task_of(struct pro_value_task_source_core *core)
{
    return pro_value_task_source_core_task(core, PRO_TYPE(int));
}

/* ---- values and tasks ---- */

TEST(zeroed_memory_is_a_value_task_that_has_succeeded)
{
    /* Kills: giving the kinds another order. */
    struct pro_value_task zero;

    memset(&zero, 0, sizeof zero);
    CHECK(pro_value_task_is_completed(zero) && pro_value_task_is_succeeded(zero));
    CHECK(!pro_value_task_is_faulted(zero) && !pro_value_task_is_canceled(zero));
    CHECK_EQ(pro_value_task_get_result(zero, NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
    CHECK_STR(pro_value_task_status_name(pro_value_task_status(zero)), "Succeeded");
}

TEST(a_small_result_travels_in_the_value_task_and_an_await_of_it_does_not_suspend)
{
    /* Kills: an await of a value that asks for its continuation; comparing types by nothing. */
    struct pro_task *task = wait_for_it(PRO_VALUE_TASK(int, 42), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    const double pi = 3.0;
    double back = 0;
    int wrong = 7;

    CHECK(pro_task_is_completed(task));
    CHECK_EQ(seen.value, 42);
    pro_task_unref(task);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_value_task_from_result(&pi, PRO_TYPE(double)), &back), PRO_OK);
    CHECK(back > 2.9 && back < 3.1);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(PRO_VALUE_TASK(double, 1.0), &wrong), PRO_E_TYPE);
    CHECK_EQ(wrong, 7);
}

struct big {
    char bytes[100];
};

TEST(a_large_result_makes_a_task_and_a_task_is_given_back_as_itself)
{
    /* Kills: copying a large result into the sixteen bytes; as_task making another task. */
    static const struct big big = { .bytes = "large" };
    struct big back;
    struct pro_value_task value = pro_value_task_from_result(&big, PRO_TYPE(struct big));
    struct pro_task *inner = pro_task_from_error(pro_error_new(PRO_E_USER, PRO_HERE, "mine")), *same;

    CHECK_EQ(value.kind, PRO_VALUE_TASK_TASK);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(value, &back), PRO_OK);
    CHECK_STR(back.bytes, "large");
    same = pro_value_task_as_task(pro_value_task_from_task(pro_borrow(inner), PRO_TYPE(int)));
    CHECK(same == inner);
    pro_task_unref(same);
    CHECK(pro_value_task_is_faulted(pro_value_task_from_task(inner, PRO_TYPE(int))));
    CHECK_EQ(code_of(wait_for_it(pro_value_task_from_task(inner, PRO_TYPE(int)), PRO_AWAIT_NONE)), PRO_E_USER);
}

TEST(a_value_becomes_a_task_with_the_same_result)
{
    /* Kills: as_task of a value losing its type. */
    struct pro_task *task = pro_value_task_as_task(PRO_VALUE_TASK(int, 9));
    int value = 0;

    CHECK_EQ(PRO_GET_RESULT(task, &value), PRO_OK);
    CHECK_EQ(value, 9);
    pro_task_unref(task);
    task = pro_value_task_as_task(PRO_VALUE_TASK_COMPLETED);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
}

TEST(configure_await_of_a_value_task_knows_only_whether_to_capture)
{
    /* Kills: passing the other options on. */
    told_listen();
    CHECK_MISUSE(code_of(wait_for_it(PRO_VALUE_TASK(int, 1), PRO_AWAIT_FORCE_YIELDING)), PRO_E_INVALID);
    CHECK_MISUSE(code_of(wait_for_it(PRO_VALUE_TASK(int, 1), PRO_AWAIT_SUPPRESS_THROWING)), PRO_E_INVALID);
    told_stop();
}

/* ---- the core ---- */

TEST(a_core_goes_through_its_versions_and_refuses_what_is_stale_early_or_twice)
{
    /* Kills: any of the checks of SEM-212, 213. */
    struct pro_value_task_source_core core = { 0 };
    struct pro_value_task value;
    struct pro_continuation another = { 0 };
    struct pro_task *task;
    int result = 0;

    told_listen();
    value = task_of(&core);
    CHECK_EQ(pro_value_task_source_core_get_status(&core, 0), PRO_VALUE_TASK_PENDING);
    CHECK_MISUSE(pro_value_task_source_core_get_result(&core, 0, &result, PRO_TYPE(int), NULL), PRO_E_STATE);
    task = wait_for_it(value, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    CHECK(!pro_task_is_completed(task));
    pro_continuation_init(&another, pro_continuation_run);
    CHECK_MISUSE(pro_value_task_source_core_on_completed(&core, &another, 0, PRO_SOURCE_NO_FLAGS), PRO_E_STATE);
    CHECK_EQ(set_int(&core, 5), PRO_OK);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    CHECK_EQ(pro_value_task_source_core_get_result(&core, 0, &result, PRO_TYPE(int), NULL), PRO_OK);
    CHECK_EQ(result, 5);
    CHECK_MISUSE(set_int(&core, 6), PRO_E_STATE);
    CHECK_EQ(pro_value_task_source_core_get_result(&core, 0, &result, PRO_TYPE(int), NULL), PRO_OK);
    CHECK_EQ(result, 5); /* the loser stored nothing */
    CHECK_MISUSE(pro_value_task_source_core_on_completed(&core, &another, 0, PRO_SOURCE_NO_FLAGS), PRO_E_STATE);
    CHECK_EQ(pro_value_task_source_core_reset(&core), PRO_OK);
    CHECK_EQ(pro_value_task_source_core_version(&core), 1);
    CHECK_EQ(pro_value_task_source_core_get_status(&core, 1), PRO_VALUE_TASK_PENDING);
    CHECK_MISUSE(pro_value_task_status(value), PRO_E_STATE);
    CHECK_MISUSE(PRO_VALUE_TASK_RESULT(value, &result), PRO_E_STATE);
    CHECK_MISUSE(code_of(wait_for_it(value, PRO_AWAIT_NONE)), PRO_E_STATE);
    told_stop();
}

TEST(an_error_makes_it_faulted_and_a_cancellation_error_canceled)
{
    /* Kills: telling the two apart by the setter. */
    struct pro_value_task_source_core core = { 0 };
    struct pro_task *task;

    CHECK_EQ(pro_value_task_source_core_set_error(&core, pro_error_new(PRO_E_USER, PRO_HERE, "e")), PRO_OK);
    CHECK(pro_value_task_is_faulted(task_of(&core)));
    CHECK_EQ(code_of(wait_for_it(task_of(&core), PRO_AWAIT_NONE)), PRO_E_USER);
    pro_value_task_source_core_reset(&core);
    task = pro_value_task_as_task(task_of(&core));
    CHECK_EQ(pro_task_status(task), PRO_TASK_WAITING_FOR_ACTIVATION);
    CHECK_EQ(pro_value_task_source_core_set_error(&core, pro_error_of(PRO_E_CANCELED)), PRO_OK);
    CHECK(pro_value_task_is_canceled(task_of(&core)) && !pro_value_task_is_faulted(task_of(&core)));
    CHECK_EQ(pro_task_status(task), PRO_TASK_CANCELED);
    pro_task_unref(task);
    pro_value_task_source_core_reset(&core);
    task = pro_value_task_as_task(task_of(&core));
    CHECK_EQ(set_int(&core, 8), PRO_OK);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
}

TEST(a_second_await_of_one_version_fails_and_the_first_goes_on)
{
    /* Kills: dropping the refused continuation; overwriting the first. */
    struct pro_value_task_source_core core = { 0 };
    struct pro_task *first, *second;

    told_listen();
    first = wait_for_it(task_of(&core), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    CHECK_TELLS(second = wait_for_it(task_of(&core), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
    CHECK_EQ(code_of(second), PRO_E_STATE);
    CHECK_EQ(set_int(&core, 3), PRO_OK);
    CHECK_EQ(code_of(first), PRO_OK);
    told_stop();
}

TEST(a_large_result_needs_the_embedders_storage)
{
    /* Kills: writing past the inline bytes. */
    static const struct big big = { .bytes = "stored" };
    struct big storage = { "" }, back = { "" };
    struct pro_value_task_source_core core = { 0 };

    told_listen();
    CHECK_MISUSE(pro_value_task_source_core_set_result(&core, &big, PRO_TYPE(struct big)), PRO_E_INVALID);
    told_stop();
    core.storage = &storage;
    core.storage_size = sizeof storage;
    CHECK_EQ(pro_value_task_source_core_set_result(&core, &big, PRO_TYPE(struct big)), PRO_OK);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_value_task_source_core_task(&core, PRO_TYPE(struct big)), &back), PRO_OK);
    CHECK_STR(back.bytes, "stored");
}

TEST(a_preserved_value_task_may_be_awaited_again_and_again)
{
    /* Kills: preserve keeping the source. */
    struct pro_value_task_source_core core = { 0 };
    struct pro_value_task kept = pro_value_task_preserve(task_of(&core));

    CHECK_EQ(set_int(&core, 4), PRO_OK);
    pro_value_task_source_core_reset(&core);
    CHECK_EQ(code_of(wait_for_it(pro_value_task_borrow(kept), PRO_AWAIT_NONE)), PRO_OK);
    CHECK_EQ(code_of(wait_for_it(pro_value_task_borrow(kept), PRO_AWAIT_NONE)), PRO_OK);
    CHECK_EQ(seen.value, 4);
    pro_value_task_drop(kept);
    told_listen();
    CHECK_TELLS(pro_value_task_drop(pro_value_task_borrow(task_of(&core))));
    told_stop();
}

/* ---- async methods that give a value task ---- */

struct giver {
    PRO_FRAME;
    struct pro_task *first;
    int value;
};

PRO_ASYNC(giver_move_next, struct giver, self)
    PRO_AWAIT(self->first);
    PRO_RETURN(int, self->value);
PRO_ASYNC_END

static struct pro_value_task giver_async(struct pro_task *first, int value)
{
    struct giver *self = PRO_NEW_FRAME(struct giver, giver_move_next, int);

    if (!self)
        return PRO_START_VALUE((struct giver *)NULL);
    self->first = first;
    self->value = value;
    return PRO_START_VALUE(self);
}

TEST(a_method_that_ran_to_its_end_gives_the_value_and_one_that_suspended_the_task)
{
    /* Kills: giving the task always. */
    struct pro_completion_source *source = NULL;
    struct pro_value_task value = giver_async(pro_task_completed(), 11);
    int result = 0;

    CHECK_EQ(value.kind, PRO_VALUE_TASK_VALUE);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(value, &result), PRO_OK);
    CHECK_EQ(result, 11);
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &source) == PRO_OK);
    value = giver_async(pro_completion_source_task(source), 12);
    CHECK_EQ(value.kind, PRO_VALUE_TASK_TASK);
    CHECK(!pro_value_task_is_completed(value));
    pro_completion_source_set_result(source, NULL, PRO_NO_RESULT);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(value, &result), PRO_OK);
    CHECK_EQ(result, 12);
    pro_completion_source_free(source);
    value = giver_async(pro_task_from_error(pro_error_of(PRO_E_IO)), 13);
    CHECK(pro_value_task_is_faulted(value));
    CHECK_EQ(PRO_VALUE_TASK_RESULT(value, &result), PRO_E_IO);
}

TEST(calls_that_complete_synchronously_allocate_nothing_once_a_block_is_there)
{
    /* Kills: keeping the task of a value that was given. Comes before the tests that leave many free blocks. */
    struct pro_task *task;
    uint32_t before;

    for (int i = 0; i < 10; i++) {
        task = wait_for_it(giver_async(pro_task_completed(), i), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
        pro_task_unref(task);
    }
    before = proi_load(&allocations, PROI_RELAXED);
    for (int i = 0; i < 1000; i++) {
        task = wait_for_it(giver_async(pro_task_completed(), i), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
        CHECK_EQ(seen.value, i);
        pro_task_unref(task);
    }
    CHECK_EQ(proi_load(&allocations, PROI_RELAXED) - before, 0);
}

static int dropped;
static void drop_int(void *result)
{
    (void)result;
    dropped++;
}

TEST(an_owned_result_that_nobody_takes_is_dropped)
{
    /* Kills: copying an owned result out of the task that would drop it. */
    struct giver *self = PRO_NEW_FRAME(struct giver, giver_move_next, int);
    struct pro_value_task value;

    REQUIRE(self != NULL);
    PRO_ON_DROP(self, drop_int);
    self->first = pro_task_completed();
    value = PRO_START_VALUE(self);
    CHECK_EQ(value.kind, PRO_VALUE_TASK_TASK);
    pro_value_task_drop(value);
    CHECK_EQ(dropped, 1);
}

/* ---- where the continuation runs ---- */

static struct pro_pump *pump_new(void)
{
    struct pro_pump *pump = NULL;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    return pump;
}

TEST(a_captured_context_is_posted_to_even_from_inside_it)
{
    /* Kills: running in place when the context is the current one (SEM-216). */
    struct pro_pump *pump = pump_new();
    struct pro_sync_context *const before = pro_sync_context_set(pro_pump_context(pump));
    struct pro_value_task_source_core core = { 0 };
    struct pro_task *task = wait_for_it(task_of(&core), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);

    seen = (struct seen){ .value = 0 };
    CHECK_EQ(set_int(&core, 1), PRO_OK);
    CHECK(!pro_task_is_completed(task));
    CHECK_EQ(pro_pump_pending(pump), 1);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    CHECK(pro_task_is_completed(task));
    CHECK(seen.context == pro_pump_context(pump));
    pro_task_unref(task);
    pro_sync_context_set(before);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

TEST(what_captured_nothing_runs_in_place_whatever_context_the_completer_has)
{
    /* Kills: asking the predicate of tasks (SEM-217). */
    struct pro_pump *pump = pump_new();
    struct pro_value_task_source_core core = { 0 };
    struct pro_task *task = wait_for_it(task_of(&core), PRO_AWAIT_NONE);
    struct pro_sync_context *const before = pro_sync_context_set(pro_pump_context(pump));

    seen = (struct seen){ .value = 0 };
    CHECK_EQ(set_int(&core, 1), PRO_OK);
    CHECK(pro_task_is_completed(task));
    CHECK(seen.context == pro_pump_context(pump));
    pro_task_unref(task);
    pro_sync_context_set(before);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

TEST(run_continuations_asynchronously_sends_the_uncaptured_to_the_pool)
{
    /* Kills: ignoring the flag (SEM-218); inlining a continuation that comes after the completion (SEM-219). */
    struct pro_value_task_source_core core = { .run_continuations_asynchronously = true };
    struct pro_task *task;

    seen = (struct seen){ .value = 0 };
    task = wait_for_it(task_of(&core), PRO_AWAIT_NONE);
    CHECK_EQ(set_int(&core, 1), PRO_OK);
    gate_wait(&seen.gate, 1);
    CHECK(seen.on_pool);
    CHECK_EQ(code_of(task), PRO_OK);
}

struct raw {
    struct pro_continuation continuation;
    struct gate gate;
    bool on_pool;
};

static void raw_run(struct pro_continuation *continuation)
{
    struct raw *const raw = PRO_CONTAINER(continuation, struct raw, continuation);

    raw->on_pool = pro_pool_is_worker();
    gate_add(&raw->gate);
}

TEST(a_continuation_that_comes_after_the_completion_is_never_run_in_place)
{
    /* Kills: invoking it inside on_completed (SEM-219). */
    struct pro_value_task_source_core core = { 0 };
    struct raw raw = { .on_pool = false };

    CHECK_EQ(set_int(&core, 1), PRO_OK);
    pro_continuation_init(&raw.continuation, raw_run);
    CHECK_EQ(pro_value_task_source_core_on_completed(&core, &raw.continuation, 0, PRO_SOURCE_FLOW_EXECUTION_CONTEXT),
             PRO_OK);
    gate_wait(&raw.gate, 1);
    CHECK(raw.on_pool);
}

/* A scheduler that keeps one item. */
static struct pro_work *kept;
static int keep(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    (void)scheduler;
    kept = work;
    return PRO_OK;
}
static const struct pro_task_scheduler_vtable keeping = { .queue = keep };

struct registered {
    struct pro_value_task_source_core *core;
    struct pro_task *task;
};

static struct pro_error *register_here(void *arg, void *ret_result)
{
    struct registered *const registered = arg;

    (void)ret_result;
    registered->task = wait_for_it(task_of(registered->core), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    return NULL;
}

TEST(a_captured_scheduler_is_queued_to)
{
    /* Kills: running in place what captured a scheduler (SEM-216). */
    static struct pro_task_scheduler scheduler;
    struct pro_value_task_source_core core = { 0 };
    struct registered registered = { .core = &core };
    struct pro_task *body;

    pro_task_scheduler_init(&scheduler, &keeping, "keeping");
    body = pro_task_start_new(register_here, &registered, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, &scheduler);
    pro_work_run(kept);
    REQUIRE(pro_task_is_succeeded(body));
    kept = NULL;
    CHECK_EQ(set_int(&core, 1), PRO_OK);
    REQUIRE(kept != NULL);
    CHECK(!pro_task_is_completed(registered.task));
    pro_work_run(kept);
    CHECK(pro_task_is_succeeded(registered.task));
    pro_task_unref(registered.task);
    pro_task_unref(body);
}

/* ---- depth ---- */

struct link {
    PRO_FRAME;
    struct pro_value_task_source_core *mine, *next;
};

PRO_ASYNC(link_move_next, struct link, self)
    PRO_AWAIT(pro_value_task_source_core_task(self->mine, PRO_NO_RESULT));
    if (self->next)
        pro_value_task_source_core_set_result(self->next, NULL, PRO_NO_RESULT);
PRO_ASYNC_END

static struct pro_task *link_async(struct pro_value_task_source_core *mine, struct pro_value_task_source_core *next)
{
    struct link *self = PRO_NEW_FRAME_VOID(struct link, link_move_next);

    if (!self)
        return pro_task_no_memory();
    self->mine = mine;
    self->next = next;
    return PRO_START(self);
}

TEST(a_chain_of_a_hundred_thousand_sources_completes)
{
    /* Kills: dropping the look at the stack before a continuation runs in place. */
    enum { LINKS = 100000 };
    struct pro_value_task_source_core *const cores = calloc(LINKS, sizeof *cores);
    struct pro_task **const tasks = calloc(LINKS, sizeof *tasks);

    REQUIRE(cores && tasks);
    for (int i = 0; i < LINKS; i++)
        tasks[i] = link_async(&cores[i], i + 1 < LINKS ? &cores[i + 1] : NULL);
    pro_value_task_source_core_set_result(&cores[0], NULL, PRO_NO_RESULT);
    for (int i = 0; i < LINKS; i++)
        CHECK_EQ(code_of(tasks[i]), PRO_OK);
    free(tasks);
    free(cores);
}

/* ---- races ---- */

enum { ROUNDS = 3000 };

struct race {
    struct pro_value_task_source_core core;
    struct gate start, done;
    uint32_t winners;
};

static void complete(void *arg)
{
    struct race *const race = arg;

    gate_wait(&race->start, 2);
    if (set_int(&race->core, 7) == PRO_OK)
        proi_fetch_add(&race->winners, 1u, PROI_RELAXED);
    gate_add(&race->done);
}

TEST(of_two_completers_one_wins)
{
    /* Kills: testing and setting `reserved` in two steps. */
    told_listen();
    for (int i = 0; i < ROUNDS / 10; i++) {
        struct race race = { .winners = 0 };

        pro_pool_post(complete, &race);
        pro_pool_post(complete, &race);
        gate_add(&race.start);
        gate_add(&race.start);
        gate_wait(&race.done, 2);
        CHECK_EQ(race.winners, 1);
    }
    told_stop();
}

TEST(a_completion_that_meets_the_registration_loses_no_continuation)
{
    /* Kills: publishing by a store in place of a compare-exchange; looking at the slot before it is filled. */
    for (int i = 0; i < ROUNDS; i++) {
        struct race race = { .winners = 0 };
        struct pro_task *task;
        int value = 0;

        pro_pool_post(complete, &race);
        gate_add(&race.start);
        gate_add(&race.start);
        task = wait_for_it(task_of(&race.core), PRO_AWAIT_NONE);
        CHECK_EQ(PRO_GET_RESULT(task, &value), PRO_OK);
        CHECK_EQ(value, 7);
        pro_task_unref(task);
        gate_wait(&race.done, 1);
    }
}

/* ---- the raw awaiter ---- */

TEST(the_awaiter_of_a_source_gives_its_result_once)
{
    /* Kills: asking a source again that has gone on. */
    struct pro_value_task_source_core core = { 0 };
    struct pro_value_task value = task_of(&core);
    struct pro_awaiter awaiter = pro_value_task_get_awaiter(&value);
    int result = 0;

    CHECK(!pro_awaiter_is_completed(awaiter));
    CHECK_EQ(set_int(&core, 2), PRO_OK);
    CHECK(pro_awaiter_is_completed(awaiter));
    CHECK_EQ(pro_awaiter_get_result(awaiter, &result, PRO_TYPE(int), NULL), PRO_OK);
    CHECK_EQ(result, 2);
    CHECK_EQ(pro_awaiter_get_result(awaiter, &result, PRO_TYPE(int), NULL), PRO_E_STATE);
}
