/* SPDX-License-Identifier: MIT */
/* No memory, at every allocation of the public API. No thread is started but where it says so: work that would go to
 * the pool runs in place, so that a run repeats itself allocation by allocation. */
#include "starving.h"

/* ---- fresh handles ---- */

static int attach_nothing(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via)
{
    (void)backend, (void)handle, (void)via;
    return PRO_OK;
}

static void release_nothing(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native)
{
    (void)backend, (void)kind, (void)native;
}

static unsigned handles_left; /* how many of a scenario's handles need no memory: the next one does */

/* Closed handles are kept, and so are those of a slab that nobody has taken yet: they are used without an allocation. A
 * loop that has no kernel takes all that are there, but handles_left. */
static void use_up_handles(void)
{
    static const struct proi_backend_type no_kernel = { .attach = attach_nothing, .release = release_nothing };
    static struct pro_loop hoard = { .type = &no_kernel };
    const uint64_t calls = proi_load(&starving.calls, PROI_RELAXED);
    struct pro_handle *last[3] = { NULL }, *handle;
    unsigned count = 0;

    proi_store(&starving.no_slabs, 1u, PROI_RELAXED);
    while (proi_handle_open(&hoard, PROI_HANDLE_FILE, 0, PRO_FAMILY_NONE, PRO_OP_NONE, &handle) == PRO_OK)
        last[count++ % 3] = handle;
    proi_store(&starving.no_slabs, 0u, PROI_RELAXED);
    for (unsigned i = 0; i < handles_left && last[i]; i++)
        proi_handle_forget(last[i]);
    proi_store(&starving.calls, calls, PROI_RELAXED);
}

static struct pro_loop *loop_on(const char *backend)
{
    const struct pro_loop_options options = { .name = "starving", .backend = backend };
    struct pro_loop *loop = NULL;

    return went_well(pro_loop_new(&options, &loop)) ? loop : NULL;
}

static void nothing(void *arg) { (void)arg; }
static void count_call(void *arg) { ++*(unsigned *)arg; }

/* ---- the first of all: the pool makes its first worker once in a process ---- */

static void count_work(struct pro_work *work) { ++*(unsigned *)(void *)(work + 1); }

static void first_work_scenario(void *arg)
{
    struct {
        struct pro_work work;
        unsigned ran;
    } item = { { .run = count_work }, 0 };

    (void)arg;
    CHECK_EQ(pro_pool_post_work(&item.work, false), PRO_OK);
    CHECK_EQ(item.ran, 1); /* in place, whatever the pool could not make */
}

TEST(an_item_runs_although_no_worker_can_be_made)
{
    // Kills: a pool that takes an item and then finds no memory for whoever should run it.
    pro_set_thread_limit(0);
    pro_set_notice_handler(NULL, NULL);
    sweep("the first worker", first_work_scenario, NULL);
    pro_set_thread_limit(-1);
}

/* ---- loops, sockets, files: on each backend ---- */

static void loop_scenario(void *arg)
{
    struct pro_loop *const loop = loop_on(arg);
    unsigned posted = 0, ran = 0;

    if (!loop)
        return;
    for (int i = 0; i < 3; i++)
        posted += went_well(pro_loop_post(loop, count_call, &ran));
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(ran, posted);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

struct echo {
    struct pro_loop *loop;
    struct pro_socket listener, client, server;
    struct pro_op ops[6];
    struct pro_lease lease;
    char sent[8], received[8];
};

static bool connect_both(struct echo *it)
{
    struct pro_addr addr = pro_addr_loopback(0);
    const struct pro_how how = PRO_WITHIN(PRO_S(60));

    if (!went_well(pro_listen(it->loop, &addr, NULL, &it->listener)) ||
        !went_well(pro_socket_local_addr(&it->listener, &addr)))
        return false;
    start_op(pro_accept(&it->ops[0], &it->listener, &it->server, how));
    start_op(pro_connect(&it->ops[1], it->loop, &addr, &it->client, how));
    while (it->ops[1].state != PRO_OP_IDLE || (it->ops[1].result == PRO_OK && it->ops[0].state != PRO_OP_IDLE))
        REQUIRE(pro_loop_run_once(it->loop, PRO_INFINITE) >= 0);
    return it->ops[0].state == PRO_OP_IDLE && it->ops[0].result == PRO_OK && it->ops[1].result == PRO_OK;
}

static void echo_scenario(void *arg)
{
    struct echo it = { .sent = "message" };
    struct pro_cancellation_source *source = NULL;
    struct pro_how how = PRO_WITHIN(PRO_S(60));

    use_up_handles();
    it.loop = loop_on(arg);
    if (!it.loop)
        return;
    if (went_well(pro_cancellation_source_new(&source)))
        how.token = pro_cancellation_source_token(source);
    if (connect_both(&it)) {
        start_op(pro_recv(&it.ops[2], &it.server, it.received, sizeof it.received, how));
        start_op(pro_send_all(&it.ops[3], &it.client, it.sent, sizeof it.sent, how));
        CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
        start_op(pro_send_all(&it.ops[3], &it.client, it.sent, sizeof it.sent, how));
        start_op(pro_recv_lease(&it.ops[2], &it.server, &it.lease, how));
        CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
        CHECK_EQ(pro_lease_return(&it.lease), PRO_OK);
        start_op(pro_shutdown(&it.ops[4], &it.client, PRO_SHUTDOWN_SEND, how));
        start_op(pro_close(&it.ops[5], &it.server));
        CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
        CHECK_EQ(it.ops[5].result, PRO_OK); /* close needs no memory */
    }
    CHECK_EQ(pro_loop_free(it.loop), PRO_OK);
    pro_cancellation_source_unref(source);
}

static void file_scenario(void *arg)
{
    const unsigned flags = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE;
    struct pro_loop *loop;
    struct pro_file file = { 0 };
    struct pro_op ops[5] = { { 0 } };
    char data[5000] = "data";

    use_up_handles();
    loop = loop_on(arg);
    if (!loop)
        return;
    start_op(pro_file_open(&ops[0], loop, "out_of_memory.tmp", flags, &file, PRO_HOW_DEFAULT));
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    if (ops[0].result == PRO_OK) {
        start_op(pro_write_at(&ops[1], &file, data, sizeof data, 0, PRO_HOW_DEFAULT));
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        start_op(pro_file_sync(&ops[2], &file, PRO_HOW_DEFAULT));
        start_op(pro_read_at(&ops[3], &file, data, sizeof data, 0, PRO_HOW_DEFAULT));
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        start_op(pro_file_close(&ops[4], &file));
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        CHECK_EQ(ops[4].result, PRO_OK);
    }
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

static void on_each_backend(const char *what, void (*scenario)(void *arg))
{
    pro_set_thread_limit(0);
    pro_set_notice_handler(NULL, NULL);
    for (const char *const *backend = test_backends(); *backend; backend++) {
        char name[60];

        snprintf(name, sizeof name, "%s on %s", what, *backend);
        sweep(name, scenario, (void *)(uintptr_t)test_backend_name(*backend));
    }
    pro_set_thread_limit(-1);
}

TEST(a_loop_that_cannot_be_made_is_an_error_and_leaves_nothing)
{
    // Kills: a ladder that frees too little, or too much; a posted item that is lost.
    on_each_backend("a loop", loop_scenario);
}

TEST(connections_without_memory_are_told_and_closed)
{
    // Kills: an accepted socket that nobody closes; an op that is not delivered; a close that needs memory.
    for (handles_left = 0; handles_left < 3; handles_left++) /* the listener's, or one of the ends' */
        on_each_backend("an echo", echo_scenario);
}

TEST(files_without_memory_are_told_and_closed)
{
    // Kills: an opened file that nobody closes.
    handles_left = 0;
    on_each_backend("a file", file_scenario);
    remove("out_of_memory.tmp");
}

/* ---- what needs no kernel ---- */

static void in_place(const char *name, void (*scenario)(void *arg))
{
    pro_set_thread_limit(0);
    pro_set_notice_handler(NULL, NULL);
    sweep(name, scenario, NULL);
    pro_set_thread_limit(-1);
}

enum { TOKENS = 60 };

static void token_scenario(void *arg)
{
    struct pro_cancellation_source *sources[TOKENS] = { NULL };
    static struct pro_op ops[TOKENS];
    struct pro_loop *const loop = loop_on("sim");

    (void)arg;
    if (!loop)
        return;
    for (int i = 0; i < TOKENS; i++) {
        struct pro_how how = PRO_HOW_DEFAULT;

        if (went_well(pro_cancellation_source_new(&sources[i])))
            how.token = pro_cancellation_source_token(sources[i]);
        start_op(pro_sleep(&ops[i], loop, PRO_MS(1), how));
    }
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    for (int i = 0; i < TOKENS; i++)
        pro_cancellation_source_unref(sources[i]);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

TEST(ops_with_tokens_without_memory_are_delivered)
{
    // Kills: a table that is lost when it cannot grow; an op that begins without its token.
    in_place("tokens", token_scenario);
}

/* ---- async methods ---- */

struct worker {
    PRO_FRAME;
    struct pro_op op;
    int depth;
    unsigned *finals;
};

static struct pro_task *worker_async(int depth, unsigned *finals);

PRO_ASYNC(worker_move_next, struct worker, self)
    if (self->depth)
        PRO_AWAIT(worker_async(self->depth - 1, self->finals));
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT));
    PRO_AWAIT_STATUS(pro_delay(PRO_MS(1), PRO_TOKEN_NONE));
    if (PRO_STATUS < 0)
        PRO_THROW(pro_error_ref(PRO_ERROR));
    PRO_AWAIT(pro_yield());
    if (self->depth == 2)
        PRO_THROW_NEW(PRO_E_USER, "a sentence that takes memory of its own");
    PRO_RETURN(int, self->depth);
PRO_FINALLY
    ++*self->finals;
PRO_ASYNC_END

static unsigned frames; /* made in this run */

static struct pro_task *worker_async(int depth, unsigned *finals)
{
    struct worker *const self = PRO_NEW_FRAME(struct worker, worker_move_next, int);

    if (!self)
        return pro_task_no_memory();
    frames++;
    self->depth = depth;
    self->finals = finals;
    return PRO_START(self);
}

struct methods {
    struct pro_loop *loop;
    struct pro_task *tasks[16];
    int count;
    unsigned finals;
    struct pro_op op;
};

static void add(struct methods *it, struct pro_task *task) { it->tasks[it->count++] = task; }

/* On the loop: methods, and everything that combines them. */
static void start_methods(void *arg)
{
    struct methods *const it = arg;

    add(it, worker_async(0, &it->finals));
    add(it, worker_async(3, &it->finals));
    add(it, pro_op_as_task(pro_sleep(&it->op, it->loop, PRO_MS(1), PRO_HOW_DEFAULT)));
    add(it, pro_delay(PRO_MS(2), PRO_TOKEN_NONE));
    add(it, pro_task_from_result(&it->tasks[0], PRO_TYPE(struct pro_task *)));
    add(it, pro_when_all(it->tasks, 4));
    add(it, pro_when_any(it->tasks, 4));
    add(it, pro_race(it->tasks, 1, PRO_TYPE(int)));
    add(it, pro_when_all_settled(it->tasks, 3));
    add(it, pro_when_all_results(it->tasks, 1, PRO_TYPE(int)));
    add(it, pro_task_wait_async(it->tasks[0], PRO_WITHIN(PRO_S(5))));
    if (pro_task_is_succeeded(it->tasks[4]))
        add(it, pro_task_unwrap(it->tasks[4], PRO_TYPE(int)));
}

static void method_scenario(void *arg)
{
    struct methods it = { .count = 0 };
    struct pro_loop_stats stats;

    (void)arg;
    frames = 0;
    it.loop = loop_on("sim");
    if (!it.loop)
        return;
    if (went_well(pro_loop_post(it.loop, start_methods, &it))) {
        CHECK_EQ(pro_loop_run(it.loop), PRO_OK);
        for (int i = 0; i < it.count; i++) {
            struct pro_error *const all = pro_task_error_all(it.tasks[i]);

            CHECK(!pro_task_is_faulted(it.tasks[i]) || (all && pro_error_message(all)[0]));
            task_ended(it.tasks[i]);
        }
        CHECK_EQ(pro_loop_get_stats(it.loop, &stats), PRO_OK);
        CHECK_EQ(stats.captured + stats.pending, 0);
    }
    CHECK_EQ(it.finals, frames);
    CHECK_EQ(pro_loop_free(it.loop), PRO_OK);
}

TEST(async_methods_without_memory_end_through_their_finally)
{
    // Kills: a frame that hangs or leaks; an await on the task that stands for no memory; an error that is lost with
    // its text.
    in_place("async methods", method_scenario);
}

/* ---- work that others run ---- */

static struct pro_error *body(void *arg, void *ret_result)
{
    ++*(unsigned *)arg;
    if (ret_result && arg == NULL)
        return NULL;
    return pro_error_new(PRO_E_USER, PRO_HERE, "the body's own %s", "error");
}

static struct pro_error *then_body(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)ret_result;
    ++*(unsigned *)arg;
    return NULL;
}

static struct pro_task *async_body(void *arg)
{
    ++*(unsigned *)arg;
    return pro_task_from_error(pro_error_new(PRO_E_USER, PRO_HERE, "the inner task's"));
}

static void delegate_scenario(void *arg)
{
    struct pro_cancellation_source *source = NULL;
    struct pro_cancellation_token token = PRO_TOKEN_NONE;
    unsigned ran = 0, made = 0;
    struct pro_task *tasks[6];

    (void)arg;
    if (went_well(pro_cancellation_source_new(&source)))
        token = pro_cancellation_source_token(source);
    tasks[0] = pro_task_run(body, &ran, PRO_NO_RESULT, token);
    tasks[1] = pro_task_run_async(async_body, &ran, PRO_NO_RESULT, token);
    tasks[2] = pro_task_start_new(body, &ran, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_LONG_RUNNING, NULL);
    tasks[3] = pro_task_start_new(body, &ran, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_PREFER_FAIRNESS, NULL);
    tasks[4] = pro_task_new(body, &ran, PRO_NO_RESULT, token, 0);
    if (!pro_task_is_completed(tasks[4]))
        CHECK_EQ(pro_task_start(tasks[4], NULL), PRO_OK);
    tasks[5] = pro_task_then(tasks[0], then_body, &ran, PRO_NO_RESULT, token, 0, NULL);
    for (int i = 0; i < 6; i++) {
        made += pro_error_code(pro_task_error(tasks[i])) != PRO_E_NO_MEMORY;
        task_ended(tasks[i]);
    }
    CHECK(ran >= made); /* each that was made has run; a body may also run and then find no memory for its error */
    pro_cancellation_source_unref(source);
}

static void post_scenario(void *arg)
{
    unsigned posted = 0, ran = 0;

    (void)arg;
    for (int i = 0; i < 3; i++)
        posted += went_well(pro_pool_post(count_call, &ran));
    CHECK_EQ(ran, posted); /* in place */
}

TEST(delegates_and_pool_items_without_memory_are_refused_or_run)
{
    // Kills: an item that is taken and never run; a pool that needs memory to have no threads.
    in_place("pool posts", post_scenario);
    in_place("delegates", delegate_scenario);
}

/* ---- contexts ---- */

struct failing {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
};

PRO_ASYNC(failing_move_next, struct failing, self)
    PRO_AWAIT(pro_borrow(self->awaited));
    PRO_THROW_NEW(PRO_E_USER, "an async void method fails");
PRO_ASYNC_END

static unsigned unhandled;

static void count_unhandled(struct pro_error *error, void *user)
{
    (void)user;
    unhandled++;
    went_well(pro_error_code(error));
}

static void start_failing(struct pro_task *awaited)
{
    struct failing *const self = PRO_NEW_FRAME_VOID(struct failing, failing_move_next);

    if (self)
        self->awaited = awaited;
    pro_frame_start_void_(self ? &self->pro_frame_
                               : NULL); /* no task can tell of a missing frame: the process is told */
}

static void pump_scenario(void *arg)
{
    struct pro_completion_source *source = NULL;
    struct pro_sync_context *previous;
    struct pro_pump *pump = NULL;
    unsigned posted = 0, ran = 0, tried = 0;
    struct pro_task *task;

    (void)arg;
    unhandled = 0;
    if (!went_well(pro_pump_new("starving", &pump)))
        return;
    posted += went_well(pro_sync_context_post(pro_pump_context(pump), count_call, &ran));
    if (went_well(pro_completion_source_new(PRO_NO_RESULT, 0, &source))) {
        task = pro_completion_source_task(source);
        previous = pro_sync_context_set(pro_pump_context(pump));
        start_failing(task);
        tried++;
        pro_sync_context_set(previous);
        CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
        while (pro_pump_pending(pump))
            CHECK(pro_pump_run_pending(pump) >= 0);
        went_well(pro_pump_run_until(pump, task));
        pro_task_unref(task);
        pro_completion_source_free(source);
    }
    CHECK(pro_pump_run_pending(pump) >= 0);
    CHECK_EQ(ran, posted);
    CHECK_EQ(unhandled, tried); /* each error came somewhere, also that of a frame which was never made */
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

static void bell_scenario(void *arg)
{
    struct pro_completion_source *source = NULL;
    struct pro_pump *pump = NULL;
    struct pro_task *task;

    (void)arg;
    if (!went_well(pro_pump_new("starving", &pump)))
        return;
    if (went_well(pro_completion_source_new(PRO_NO_RESULT, 0, &source))) {
        task = pro_completion_source_task(source);
        CHECK_EQ(pro_pump_stop(pump), PRO_OK); /* or it would wait for ever */
        if (pro_pump_run_until(pump, task) == PRO_E_NO_MEMORY)
            went_well(PRO_E_NO_MEMORY);
        CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
        pro_task_unref(task);
        pro_completion_source_free(source);
    }
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

static void request_scenario(void *arg)
{
    struct pro_sync_context *context = NULL;
    unsigned posted = 0, ran = 0;

    (void)arg;
    if (!went_well(pro_request_context_new("starving", &context)))
        return;
    for (int i = 0; i < 3; i++)
        posted += went_well(pro_sync_context_post(context, count_call, &ran));
    posted += went_well(pro_sync_context_send(context, count_call, &ran));
    CHECK_EQ(ran, posted);
    pro_sync_context_unref(context);
}

TEST(contexts_without_memory_refuse_or_run_and_no_error_is_lost)
{
    // Kills: a posted call that is counted and not run; an async void error that vanishes with its envelope.
    pro_set_unhandled_handler(count_unhandled, NULL);
    in_place("a pump", pump_scenario);
    in_place("a pump's bell", bell_scenario);
    in_place("a request context", request_scenario);
    pro_set_unhandled_handler(NULL, NULL);
}

/* ---- cancellation, completion sources, errors ---- */

static struct pro_error *failing_callback(void *arg)
{
    ++*(unsigned *)arg;
    return pro_error_new(PRO_E_USER, PRO_HERE, "a callback fails");
}

static void cancellation_scenario(void *arg)
{
    struct pro_cancellation_source *parent = NULL, *child = NULL;
    struct pro_cancellation_registration registrations[3] = { { .source = NULL } };
    const unsigned *const none = arg;
    unsigned ran = 0;
    struct pro_error *error = NULL;
    struct pro_cancellation_token token;

    (void)none;
    if (!went_well(pro_cancellation_source_new(&parent)))
        return;
    token = pro_cancellation_source_token(parent);
    if (went_well(pro_cancellation_source_new_linked(&token, 1, &child))) {
        for (int i = 0; i < 3; i++)
            CHECK_EQ(pro_cancellation_register_callback(
                         token, &registrations[i],
                         &(struct pro_cancellation_callback){ .fallible = failing_callback, .arg = &ran }),
                     PRO_OK);
        if (pro_cancellation_source_cancel_telling(parent, false, &error) == PRO_E_NO_MEMORY)
            went_well(PRO_E_NO_MEMORY);
        CHECK_EQ(ran, 3);
        CHECK(error != NULL);
        CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(child)));
        pro_error_unref(error);
    }
    pro_cancellation_source_unref(child);
    pro_cancellation_source_unref(parent);
}

static void cancel_async_scenario(void *arg)
{
    struct pro_cancellation_source *source = NULL;
    struct pro_cancellation_registration registration = { .source = NULL };
    unsigned ran = 0;

    (void)arg;
    if (!went_well(pro_cancellation_source_new(&source)))
        return;
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, count_call, &ran), PRO_OK);
    task_ended(pro_cancellation_source_cancel_async(source));
    pro_cancellation_unregister_wait(&registration);
    pro_cancellation_source_unref(source);
}

static void source_scenario(void *arg)
{
    struct pro_completion_source *source = NULL;
    struct pro_error *errors[2];
    struct pro_task *task;

    (void)arg;
    if (!went_well(pro_completion_source_new(PRO_TYPE(int), 0, &source)))
        return;
    task = pro_completion_source_task(source);
    for (int i = 0; i < 2; i++)
        errors[i] = pro_error_new(PRO_E_USER, PRO_HERE, "number %d", i);
    CHECK_EQ(pro_completion_source_set_error(source, pro_error_aggregate(errors, 2)), PRO_OK);
    for (int i = 0; i < 2; i++)
        pro_error_unref(errors[i]);
    CHECK(pro_task_is_faulted(task));
    CHECK(pro_task_error(task) != NULL && pro_task_error_all(task) != NULL);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

static void wait_scenario(void *arg)
{
    struct pro_completion_source *source = NULL;
    struct pro_task *tasks[3];
    struct pro_error *error = NULL;
    int code;

    (void)arg;
    if (!went_well(pro_completion_source_new(PRO_NO_RESULT, 0, &source)))
        return;
    tasks[0] = pro_task_from_error(pro_error_new(PRO_E_USER, PRO_HERE, "one"));
    tasks[1] = pro_task_from_canceled(PRO_TOKEN_NONE);
    tasks[2] = pro_completion_source_task(source);
    CHECK_EQ(pro_task_wait_all(tasks, 2, PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    CHECK(error != NULL);
    pro_error_unref(error);
    error = NULL;
    CHECK_EQ(pro_task_wait(tasks[1], PRO_HOW_DEFAULT, &error, PRO_HERE), PRO_E_AGGREGATE);
    CHECK(error != NULL);
    pro_error_unref(error);
    CHECK_EQ(pro_task_wait(tasks[2], PRO_WITHIN(1), NULL, PRO_HERE), PRO_E_TIMEOUT); /* needs no memory */
    code = pro_task_wait_any(&tasks[2], 1, PRO_WITHIN(1), PRO_HERE);
    CHECK(code == PRO_E_TIMEOUT || !went_well(code));
    for (int i = 0; i < 3; i++)
        pro_task_unref(tasks[i]);
    pro_completion_source_free(source);
}

TEST(cancellation_completion_and_waits_do_their_work_without_memory)
{
    // Kills: callbacks that do not run because their errors cannot be kept; a completion that is lost with its
    // aggregate.
    in_place("cancellation", cancellation_scenario);
    in_place("cancel async", cancel_async_scenario);
    in_place("completion sources", source_scenario);
    in_place("blocking waits", wait_scenario);
}

/* ---- the rest ---- */

static void local_scenario(void *arg)
{
    struct pro_async_local *local = NULL;
    int value = 7;
    struct pro_execution_context *context;

    (void)arg;
    if (!went_well(pro_async_local_new(NULL, &local)))
        return;
    if (went_well(pro_async_local_set(local, &value))) {
        CHECK(pro_async_local_get(local) == &value);
        context = pro_execution_context_capture();
        CHECK_EQ(pro_execution_context_run(context, nothing, NULL), PRO_OK);
        pro_execution_context_undo_suppress(pro_execution_context_suppress_flow());
        pro_execution_context_unref(context);
        while (pro_async_local_set(local, NULL) < 0)
            went_well(PRO_E_NO_MEMORY);
    } else {
        CHECK(pro_async_local_get(local) == NULL);
    }
    pro_async_local_unref(local);
}

static struct pro_task *main_async(void *arg) { return worker_async(1, arg); }

static void run_scenario(void *arg)
{
    unsigned finals = 0;

    (void)arg;
    frames = 0;
    went_well(pro_run(main_async, &finals));
    CHECK_EQ(finals, frames);
}

TEST(async_locals_and_pro_run_tell_when_there_is_no_memory)
{
    // Kills: a value that is half set; a run that waits for a main task that could not be made.
    in_place("async locals", local_scenario);
    in_place("pro_run", run_scenario);
}

static void default_scenario(void *arg)
{
    (void)arg;
    CHECK(pro_loop_default() == NULL); /* no thread, and perhaps no memory */
}

TEST(a_background_loop_that_cannot_start_leaves_nothing)
{
    // Kills: a loop that is half started, and stays.
    in_place("the background loop", default_scenario);
}

/* ---- with threads: the background loop and the pool, where the failing allocation may be anybody's ---- */

static void cancel_after_scenario(void *arg)
{
    struct pro_cancellation_source *source = NULL;

    (void)arg;
    if (!went_well(pro_cancellation_source_new(&source)))
        return;
    if (went_well(pro_cancellation_source_cancel_after(source, PRO_S(3600))))
        went_well(pro_cancellation_source_cancel_after(source, PRO_US(10)));
    pro_cancellation_source_unref(source);
}

static void delay_scenario(void *arg)
{
    struct pro_task *task = pro_delay(PRO_US(10), PRO_TOKEN_NONE);

    (void)arg;
    PRO_WAIT(task);
    task_ended(task);
}

/* Lets the background loop and the pool catch up: what they were sent before this delay is done before it, or soon
 * after. */
static void catch_up(void)
{
    struct pro_task *const task = pro_delay(PRO_US(100), PRO_TOKEN_NONE);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_task_unref(task);
    pro_memory_trim();
}

/* Blocks that other threads keep for reuse cannot be trimmed from here: what may not happen is that they grow without
 * end. */
static void sweep_beside_threads(const char *name, void (*scenario)(void *arg))
{
    enum { RUNS = 2000, KEPT = 200 };
    int64_t alive;

    REQUIRE(pro_loop_default() != NULL);
    catch_up();
    alive = proi_load(&starving.alive, PROI_RELAXED);
    starving.started = starving.ended = 0;
    for (int i = 0; i < RUNS; i++) {
        proi_store(&starving.calls, (uint64_t)0, PROI_RELAXED);
        proi_store(&starving.fail_at, (uint64_t)(1 + i % 8), PROI_RELAXED);
        scenario(NULL);
    }
    proi_store(&starving.fail_at, (uint64_t)0, PROI_RELAXED);
    CHECK_EQ(starving.started, starving.ended);
    do
        catch_up();
    while (proi_load(&starving.alive, PROI_RELAXED) - alive >= KEPT); /* the watchdog ends it when they leak */
    test_note("%-24s %d runs, %lld more blocks kept by other threads", name, RUNS,
              (long long)(proi_load(&starving.alive, PROI_RELAXED) - alive));
}

TEST(timers_of_the_background_loop_without_memory_are_told_or_strike)
{
    // Kills: a delay that never ends because something on the other side had no memory; a timer that leaks.
    sweep_beside_threads("cancel after", cancel_after_scenario);
    sweep_beside_threads("delays", delay_scenario);
}
