/* SPDX-License-Identifier: MIT */
/* Async methods: how they leave, what their finally section sees, what becomes of them when nobody looks. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

static void complete(struct pro_completion_source *source, int value)
{
    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
}

/* ---- leaving ---- */

enum leave { LEAVE_END, LEAVE_RETURN, LEAVE_THROW, LEAVE_AWAIT, LEAVE_LOOP };

struct leaving {
    PRO_FRAME;
    enum leave how;
    struct pro_task *awaited, *in_finally; /* borrowed; may be NULL */
    int *trace;                            /* bits: 1 body, 2 after the point of leaving, 4 finally, 8 its end */
    int i;
};

PRO_ASYNC(leaving_move_next, struct leaving, self)
    *self->trace |= 1;
    if (self->how == LEAVE_RETURN)
        PRO_RETURN(int, 10);
    if (self->how == LEAVE_THROW)
        PRO_THROW_NEW(PRO_E_USER - 5, "thrown");
    if (self->how == LEAVE_AWAIT)
        PRO_AWAIT(pro_borrow(self->awaited));
    for (self->i = 0; self->how == LEAVE_LOOP; self->i++) {
        while (true) {
            PRO_AWAIT(pro_task_completed());
            if (self->i == 3)
                PRO_RETURN(int, self->i);
            break;
        }
    }
    *self->trace |= 2;
    PRO_RETURN(int, 20);
PRO_FINALLY
    *self->trace += 4; /* twice would show */
    if (self->in_finally)
        PRO_AWAIT(pro_borrow(self->in_finally));
    *self->trace |= 8;
PRO_ASYNC_END

static struct pro_task *leaving_async(enum leave how, struct pro_task *awaited, struct pro_task *in_finally, int *trace)
{
    struct leaving *const self = PRO_NEW_FRAME(struct leaving, leaving_move_next, int);

    REQUIRE(self != NULL);
    self->how = how;
    self->awaited = awaited;
    self->in_finally = in_finally;
    self->trace = trace;
    *trace = 0;
    return PRO_START(self);
}

static void check_result(struct pro_task *task, int expected)
{
    int value = 0;

    CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(value, expected);
    pro_task_unref(task);
}

static void check_error(struct pro_task *task, int expected)
{
    CHECK_EQ(pro_error_code(pro_task_error(task)), expected);
    pro_task_unref(task);
}

TEST(the_finally_section_runs_once_however_the_body_ends)
{
    // Kills: a finally that is skipped by a return, a throw or an error, or run twice; a return that goes on in its
    // loop.
    struct pro_task *const faulted = pro_task_from_error(pro_error_of(PRO_E_IO));
    int trace = 0;

    check_result(leaving_async(LEAVE_END, NULL, NULL, &trace), 20);
    CHECK_EQ(trace, 1 | 2 | 4 | 8);
    check_result(leaving_async(LEAVE_RETURN, NULL, NULL, &trace), 10);
    CHECK_EQ(trace, 1 | 4 | 8);
    check_result(leaving_async(LEAVE_LOOP, NULL, NULL, &trace), 3);
    CHECK_EQ(trace, 1 | 4 | 8);
    check_error(leaving_async(LEAVE_THROW, NULL, NULL, &trace), PRO_E_USER - 5);
    CHECK_EQ(trace, 1 | 4 | 8);
    check_error(leaving_async(LEAVE_AWAIT, faulted, NULL, &trace), PRO_E_IO);
    CHECK_EQ(trace, 1 | 4 | 8);
    pro_task_unref(faulted);
}

TEST(the_finally_section_may_await)
{
    // Kills: a result or an error that is lost while the finally section is suspended.
    for (int how = LEAVE_END; how <= LEAVE_THROW; how++) {
        struct pro_task *gate;
        struct pro_completion_source *const source = source_new(&gate);
        int trace = 0;
        struct pro_task *const task = leaving_async((enum leave)how, NULL, gate, &trace);

        CHECK(!pro_task_is_completed(task));
        CHECK_EQ(trace & 8, 0);
        complete(source, 0);
        CHECK(pro_task_is_completed(task));
        CHECK_EQ(trace & 12, 12);
        if (how == LEAVE_THROW)
            check_error(task, PRO_E_USER - 5);
        else
            check_result(task, how == LEAVE_END ? 20 : 10);
        pro_task_unref(gate);
        pro_completion_source_free(source);
    }
}

TEST(an_error_in_the_finally_section_ends_it_and_takes_the_place_of_the_body_s)
{
    // Kills: a finally that runs again for its own error; the body's error kept; a cancellation there that only faults;
    // one error of the two that leaks (the address sanitizer tells).
    struct pro_task *const faulted = pro_task_from_error(pro_error_new(PRO_E_IO, PRO_HERE, "of the finally section"));
    struct pro_task *const canceled = pro_task_from_canceled(PRO_TOKEN_NONE), *task;
    int trace = 0;

    check_error(leaving_async(LEAVE_RETURN, NULL, faulted, &trace), PRO_E_IO); /* the result is given up for it */
    CHECK_EQ(trace, 1 | 4);
    task = leaving_async(LEAVE_THROW, NULL, faulted, &trace);
    CHECK(pro_task_is_faulted(task) && pro_task_error(task) == pro_task_error(faulted)); /* the very object */
    CHECK_EQ(pro_error_inner_count(pro_task_error_all(task)), 1);
    pro_task_unref(task);
    CHECK_EQ(trace, 1 | 4);
    task = leaving_async(LEAVE_THROW, NULL, canceled, &trace);
    CHECK(pro_task_is_canceled(task)); /* SEM-089 */
    pro_task_unref(task);
    task = leaving_async(LEAVE_AWAIT, canceled, faulted, &trace);
    CHECK(pro_task_is_faulted(task));
    check_error(task, PRO_E_IO);
    pro_task_unref(faulted);
    pro_task_unref(canceled);
}

TEST(an_error_travels_as_the_same_object_through_any_number_of_methods)
{
    // Kills: a copy, a wrapped error, or one with another origin.
    struct pro_error *const error = pro_error_new(PRO_E_USER - 9, PRO_HERE, "the very one");
    struct pro_completion_source *source = NULL;
    struct pro_task *tasks[10];
    int trace = 0;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    tasks[0] = pro_completion_source_task(source);
    for (int i = 1; i < 10; i++)
        tasks[i] = leaving_async(LEAVE_AWAIT, tasks[i - 1], NULL, &trace);
    CHECK_EQ(pro_completion_source_set_error(source, error), PRO_OK);
    for (int i = 0; i < 10; i++) {
        CHECK(pro_task_is_faulted(tasks[i]));
        CHECK(pro_task_error(tasks[i]) == error);
        pro_task_unref(tasks[i]);
    }
    pro_completion_source_free(source);
}

TEST(a_cancelled_await_cancels_the_method)
{
    // Kills: a cancellation that becomes a fault (SEM-089).
    struct pro_task *const canceled = pro_task_from_canceled(PRO_TOKEN_NONE);
    int trace = 0;
    struct pro_task *const task = leaving_async(LEAVE_AWAIT, canceled, NULL, &trace);

    CHECK(pro_task_is_canceled(task));
    check_error(task, PRO_E_CANCELED);
    pro_task_unref(canceled);
}

/* ---- staying ---- */

struct staying {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    int first, second;
};

PRO_ASYNC(staying_move_next, struct staying, self)
    self->first = 77;
    PRO_AWAIT_STATUS_TO(&self->first, pro_borrow(self->awaited));
    CHECK_EQ(PRO_STATUS, pro_error_code(PRO_ERROR));
    self->second = PRO_STATUS;
    if (PRO_STATUS < 0)
        CHECK_STR(pro_error_message(PRO_ERROR), pro_error_message(pro_task_error(self->awaited)));
    PRO_AWAIT_STATUS(pro_task_completed());
    CHECK_EQ(PRO_STATUS, PRO_OK);
    CHECK(PRO_ERROR == NULL);
    PRO_RETURN(int, self->second < 0 ? self->second : self->first);
PRO_ASYNC_END

static struct pro_task *staying_async(struct pro_task *awaited)
{
    struct staying *const self = PRO_NEW_FRAME(struct staying, staying_move_next, int);

    REQUIRE(self != NULL);
    self->awaited = awaited;
    return PRO_START(self);
}

TEST(a_status_await_stays_and_tells)
{
    // Kills: a status that is kept from the await before; an await that leaves although it should stay.
    const int value = 8;
    struct pro_task *const good = pro_task_from_result(&value, PRO_TYPE(int));
    struct pro_task *const bad = pro_task_from_error(pro_error_new(PRO_E_IO, PRO_HERE, "a bad one"));

    check_result(staying_async(good), 8);
    check_result(staying_async(bad), PRO_E_IO);
    pro_task_unref(good);
    pro_task_unref(bad);
}

struct typed {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    int which;
    float wrong;
    unsigned close;
    int right;
};

PRO_ASYNC(typed_move_next, struct typed, self)
    if (self->which == 0)
        PRO_AWAIT_TO(&self->wrong, pro_borrow(self->awaited));
    else if (self->which == 1)
        PRO_AWAIT_TO(&self->close, pro_borrow(self->awaited));
    else
        PRO_AWAIT_TO(&self->right, pro_borrow(self->awaited));
    if (self->which == 3)
        PRO_RETURN(double, 1.0); /* the method was made for an int */
    PRO_RETURN(int, self->right);
PRO_ASYNC_END

static struct pro_task *typed_async(int which, struct pro_task *awaited)
{
    struct typed *const self = PRO_NEW_FRAME(struct typed, typed_move_next, int);

    REQUIRE(self != NULL);
    self->which = which;
    self->awaited = awaited;
    return PRO_START(self);
}

TEST(results_are_checked_for_their_type_on_both_sides)
{
    // Kills: an await that copies whatever is there; a return into room of another size.
    const int value = 5;
    struct pro_task *const number = pro_task_from_result(&value, PRO_TYPE(int));
    struct pro_task *task;

    check_error(typed_async(0, number), PRO_E_TYPE);
    check_error(typed_async(1, number), PRO_E_TYPE);
    check_result(typed_async(2, number), 5);
    task = typed_async(3, number);
    CHECK(strstr(pro_error_message(pro_task_error(task)), "PRO_RETURN") != NULL);
    check_error(task, PRO_E_TYPE);
    pro_task_unref(number);
}

struct silent {
    PRO_FRAME;
};

PRO_ASYNC(silent_move_next, struct silent, self)
PRO_ASYNC_END

TEST(a_method_with_a_result_must_return_one)
{
    // Kills: a result that was never written, read as if it were.
    struct silent *const self = PRO_NEW_FRAME(struct silent, silent_move_next, int);

    REQUIRE(self != NULL);
    told_listen();
    check_error(PRO_START(self), PRO_E_STATE);
    CHECK_EQ(told_count(), 1);
    CHECK(strstr(told.sentence, "silent_move_next") != NULL);
    told_stop();
}

/* ---- options ---- */

struct optional {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    unsigned options;
    int *trace;
};

PRO_ASYNC(optional_move_next, struct optional, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->awaited), self->options));
    *self->trace = 1;
PRO_ASYNC_END

static struct pro_task *optional_async(struct pro_task *awaited, unsigned options, int *trace)
{
    struct optional *const self = PRO_NEW_FRAME_VOID(struct optional, optional_move_next);

    REQUIRE(self != NULL);
    self->awaited = awaited;
    self->options = options;
    self->trace = trace;
    *trace = 0;
    return PRO_START(self);
}

TEST(a_failure_can_be_suppressed_and_a_suspension_forced)
{
    // Kills: options that are dropped on the way (SEM-103, 104).
    struct pro_task *const bad = pro_task_from_error(pro_error_of(PRO_E_IO));
    struct pro_task *task;
    int trace;

    pro_task_error(bad);
    check_error(optional_async(bad, PRO_AWAIT_NONE, &trace), PRO_E_IO);
    CHECK_EQ(trace, 0);
    task = optional_async(bad, PRO_AWAIT_SUPPRESS_THROWING, &trace);
    CHECK(pro_task_is_succeeded(task));
    CHECK_EQ(trace, 1);
    pro_task_unref(task);
    task = optional_async(pro_task_completed(), PRO_AWAIT_FORCE_YIELDING, &trace);
    CHECK_EQ(PRO_WAIT(task), PRO_OK); /* by way of the pool */
    CHECK_EQ(trace, 1);
    pro_task_unref(task);
    pro_task_unref(bad);
}

/* ---- abandoned ---- */

struct holder {
    struct pro_continuation *continuation;
    int released;
};

static bool never(void *self)
{
    (void)self;
    return false;
}
static void hold(void *self, struct pro_continuation *continuation, unsigned options)
{
    (void)options;
    ((struct holder *)self)->continuation = continuation;
}
static int no_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    (void)self, (void)ret_result, (void)type, (void)ret_error;
    test_fail(__FILE__, __LINE__, "an abandoned await was asked for its result");
    return PRO_OK;
}
static void release(void *self) { ((struct holder *)self)->released++; }
static const struct pro_awaiter_vtable holder_vtable = {
    .is_completed = never, .on_completed = hold, .get_result = no_result, .release = release
};

struct abandoned {
    PRO_FRAME;
    struct pro_awaiter awaiter;
    bool stays;
    int *trace;
};

PRO_ASYNC(abandoned_move_next, struct abandoned, self)
    if (self->stays) {
        PRO_AWAIT_STATUS(self->awaiter);
        CHECK_EQ(PRO_STATUS, PRO_E_BROKEN_PROMISE);
        PRO_RETURN_VOID;
    }
    PRO_AWAIT(self->awaiter);
    *self->trace |= 1;
PRO_FINALLY
    *self->trace |= 2;
PRO_ASYNC_END

static struct pro_task *abandoned_async(struct holder *holder, bool stays, int *trace)
{
    struct abandoned *const self = PRO_NEW_FRAME_VOID(struct abandoned, abandoned_move_next);

    REQUIRE(self != NULL);
    self->awaiter = (struct pro_awaiter){ &holder_vtable, holder };
    self->stays = stays;
    self->trace = trace;
    *trace = 0;
    return PRO_START(self);
}

TEST(a_method_whose_awaiter_gives_up_ends_with_a_broken_promise_through_its_finally)
{
    // Kills: a frame that is freed in the middle; one that hangs for ever; an awaiter that is not released.
    for (int stays = 0; stays < 2; stays++) {
        struct holder holder = { NULL, 0 };
        int trace;
        struct pro_task *const task = abandoned_async(&holder, stays, &trace);

        CHECK(!pro_task_is_completed(task));
        pro_continuation_abandon(holder.continuation);
        CHECK_EQ(trace, 2);
        CHECK_EQ(holder.released, 1);
        CHECK_EQ(pro_task_is_succeeded(task), stays);
        if (!stays)
            CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_BROKEN_PROMISE);
        pro_task_unref(task);
    }
}

/* ---- async void ---- */

struct watching {
    struct pro_sync_context context;
    int started, completed, unhandled, code;
};

static int run_now(struct pro_sync_context *context, struct pro_work *work)
{
    struct pro_sync_context *const previous = pro_sync_context_set(context);

    pro_work_run(work);
    pro_sync_context_set(previous);
    return PRO_OK;
}
static void count_started(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct watching, context)->started++;
}
static void count_completed(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct watching, context)->completed++;
}
static void note_unhandled(struct pro_sync_context *context, struct pro_error *error)
{
    struct watching *const it = PRO_CONTAINER(context, struct watching, context);

    it->unhandled++;
    it->code = pro_error_code(error);
    CHECK(pro_sync_context_current() == context);
}
static const struct pro_sync_context_vtable watching_vtable = { .post = run_now,
                                                                .operation_started = count_started,
                                                                .operation_completed = count_completed,
                                                                .unhandled_error = note_unhandled };

static void start_void(enum leave how, struct pro_task *awaited, int *trace)
{
    struct leaving *const self = PRO_NEW_FRAME_VOID(struct leaving, leaving_move_next);

    REQUIRE(self != NULL);
    self->how = how;
    self->awaited = awaited;
    self->trace = trace;
    *trace = 0;
    PRO_START_VOID(self);
}

TEST(async_void_tells_its_context_when_it_starts_ends_and_fails)
{
    // Kills: an error that is lost; a completion told to the context that is current later (SEM-130…133).
    static struct watching context = { .started = 0 };
    struct pro_sync_context *previous;
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    int trace;

    CHECK_EQ(pro_sync_context_init(&context.context, &watching_vtable, "watching"), PRO_OK);
    previous = pro_sync_context_set(&context.context);
    start_void(LEAVE_AWAIT, gate, &trace);
    pro_sync_context_set(previous);
    CHECK_EQ(context.started, 1);
    CHECK_EQ(context.completed, 0);
    CHECK_EQ(pro_completion_source_set_error(source, pro_error_of(PRO_E_IO)), PRO_OK);
    CHECK_EQ(trace, 1 | 4 | 8);
    CHECK_EQ(context.unhandled, 1);
    CHECK_EQ(context.code, PRO_E_IO);
    CHECK_EQ(context.completed, 1);
    CHECK_EQ(context.context.references, 1);
    pro_task_unref(gate);
    pro_completion_source_free(source);
}

static struct {
    struct gate told;
    int code;
    bool on_pool;
} unhandled;

static void hear_unhandled(struct pro_error *error, void *user)
{
    (void)user;
    unhandled.code = pro_error_code(error);
    unhandled.on_pool = pro_pool_is_worker();
    gate_add(&unhandled.told);
}

TEST(async_void_without_a_context_tells_the_process)
{
    // Kills: an error of async void that ends in silence, or is thrown into the caller's thread (SEM-134).
    struct pro_task *const bad = pro_task_from_error(pro_error_of(PRO_E_RESET));
    struct silent *silent;
    int trace;

    pro_set_unhandled_handler(hear_unhandled, NULL);
    start_void(LEAVE_AWAIT, bad, &trace);
    gate_wait(&unhandled.told, 1);
    CHECK_EQ(unhandled.code, PRO_E_RESET);
    CHECK(unhandled.on_pool);
    silent = PRO_NEW_FRAME_VOID(struct silent, silent_move_next);
    REQUIRE(silent != NULL);
    PRO_START_VOID(silent);
    CHECK_EQ(gate_count(&unhandled.told), 1);
    pro_set_unhandled_handler(NULL, NULL);
    pro_task_unref(bad);
}

/* ---- the synchronous part ---- */

struct changing {
    PRO_FRAME;
    struct pro_sync_context *context;
};

PRO_ASYNC(changing_move_next, struct changing, self)
    pro_sync_context_set(self->context);
PRO_ASYNC_END

TEST(what_the_synchronous_part_makes_current_does_not_leak_into_the_caller)
{
    // Kills: a start that leaves the body's context behind (SEM-084).
    static struct pro_sync_context context;
    struct changing *const self = PRO_NEW_FRAME_VOID(struct changing, changing_move_next);

    REQUIRE(self != NULL);
    CHECK_EQ(pro_sync_context_init(&context, &watching_vtable, "other"), PRO_OK);
    self->context = &context;
    pro_task_unref(PRO_START(self));
    CHECK(pro_sync_context_current() == NULL);
}

struct counting_down {
    PRO_FRAME;
    int left;
};

PRO_ASYNC(counting_down_move_next, struct counting_down, self)
    while (self->left-- > 0)
        PRO_AWAIT(pro_task_completed());
PRO_ASYNC_END

TEST(a_million_completed_awaits_take_no_stack)
{
    // Kills: a completed await that resumes by a call.
    struct counting_down *const self = PRO_NEW_FRAME_VOID(struct counting_down, counting_down_move_next);
    struct pro_task *task;

    REQUIRE(self != NULL);
    self->left = 1000000;
    task = PRO_START(self);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
}

/* ---- nobody looks ---- */

struct detached {
    PRO_FRAME;
    struct pro_op op;
    struct pair *pair;
    struct gate *ended;
    char received[4];
};

PRO_ASYNC(detached_move_next, struct detached, self)
    PRO_AWAIT(pro_recv(&self->op, &self->pair->server, self->received, sizeof self->received, PRO_HOW_DEFAULT));
    CHECK_EQ(self->op.result, 4);
    CHECK(memcmp(self->received, "data", 4) == 0);
PRO_FINALLY
    gate_add(self->ended);
PRO_ASYNC_END

TEST(the_last_reference_to_a_suspended_task_is_dropped_with_an_operation_in_flight)
{
    // Kills: a drop that frees the frame under the kernel, or cancels it.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct detached *const self = PRO_NEW_FRAME_VOID(struct detached, detached_move_next);
        struct gate ended = { 0 };
        struct pro_op op = { 0 };
        struct pair pair;

        REQUIRE(self != NULL);
        loop_connect(loop, &pair);
        self->pair = &pair;
        self->ended = &ended;
        pro_forget(PRO_START(self));
        CHECK_EQ(pro_loop_run_once(loop, 0), 0); /* the kernel has it */
        CHECK_EQ(gate_count(&ended), 0);
        CHECK_EQ(loop_answer(loop, pro_send_all(&op, &pair.client, "data", 4, PRO_HOW_DEFAULT)), 4);
        while (!gate_count(&ended))
            REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
        loop_end(loop);
    }
}

TEST(a_detached_method_is_ended_by_the_end_of_its_loop)
{
    // Kills: a frame that stays suspended, and leaks, when its loop goes.
    struct pro_loop *const loop = loop_new();
    struct detached *const self = PRO_NEW_FRAME_VOID(struct detached, detached_move_next);
    struct gate ended = { 0 };
    struct pair pair;

    REQUIRE(self != NULL);
    pro_set_unobserved_handler(NULL, NULL);
    loop_connect(loop, &pair);
    self->pair = &pair;
    self->ended = &ended;
    pro_forget(PRO_START(self));
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    loop_end(loop);
    CHECK_EQ(gate_count(&ended), 1);
}
