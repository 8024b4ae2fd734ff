/* SPDX-License-Identifier: MIT */
/* Mistakes of the program: each is answered with its own error, told where the header says so, and harms nothing that
 * is under way. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

/* ---- operations ---- */

static void count_delivery(struct pro_op *op) { ++*(int *)op->user; }

TEST(an_op_in_flight_cannot_be_submitted_again)
{
    // Kills: a submit that does not look at the state; a told misuse that ends or forgets the first submission.
    struct pro_loop *const loop = loop_new();
    int deliveries = 0;
    struct pro_op op = { .user = &deliveries };

    told_listen();
    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_MS(1), PRO_HOW_DEFAULT), count_delivery), PRO_OK);
    CHECK_MISUSE(pro_then(&op, count_delivery), PRO_E_STATE);
    CHECK(strstr(told.sentence, "sleep") != NULL);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(deliveries, 1);
    CHECK_EQ(op.result, PRO_OK);
    loop_end(loop);
    told_stop();
}

TEST(an_op_in_flight_cannot_be_filled_again)
{
    // Kills: a verb that writes over an op the loop still has.
    struct pro_loop *const loop = loop_new();
    int deliveries = 0;
    struct pro_op op = { .user = &deliveries }, *second;

    told_listen();
    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_MS(1), PRO_HOW_DEFAULT), count_delivery), PRO_OK);
    CHECK_TELLS(second = pro_nop(&op, loop, PRO_HOW_DEFAULT));
    CHECK(second != &op);
    CHECK(strstr(told.sentence, "in flight") != NULL);
    CHECK_EQ(pro_then(second, count_delivery), PRO_E_STATE);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(deliveries, 1);
    CHECK_EQ(op.kind, PRO_OP_SLEEP);
    loop_end(loop);
    told_stop();
}

TEST(an_op_can_be_used_again_after_its_delivery)
{
    // Kills: a state that does not come back to idle.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };

    told_listen();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(loop_answer(loop, pro_nop(&op, loop, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_MISUSE(pro_then(&op, count_delivery), PRO_E_STATE); /* delivered, and no verb has filled it since */
    loop_end(loop);
    told_stop();
}

struct elsewhere {
    struct pro_op *op;
    struct pro_loop *loop;
    int code;
};

static void cancel_elsewhere(void *arg)
{
    struct elsewhere *const it = arg;

    it->code = pro_op_cancel(it->op);
}

static void start_elsewhere(void *arg)
{
    struct elsewhere *const it = arg;

    pro_start(it->op);
}

static void wait_elsewhere(void *arg)
{
    struct elsewhere *const it = arg;

    it->code = pro_then(it->op, count_delivery);
}

static void on_other_thread(void (*fn)(void *arg), void *arg)
{
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "other", fn, arg, 0) == PRO_OK);
    proi_thread_join(&thread);
}

TEST(ops_are_cancelled_and_started_on_their_own_loops_thread_only)
{
    // Kills: a cancel that walks another thread's queues.
    struct pro_loop *const loop = loop_new();
    int deliveries = 0;
    struct pro_op op = { .user = &deliveries }, other = { 0 }, started = { .user = &deliveries };
    struct elsewhere it = { &op, loop, PRO_OK };

    told_listen();
    CHECK_EQ(pro_loop_run_once(loop, 0), 0); /* from now on it belongs to this thread */
    CHECK_EQ(pro_then(pro_sleep(&op, loop, PRO_MS(1), PRO_HOW_DEFAULT), count_delivery), PRO_OK);
    on_other_thread(cancel_elsewhere, &it);
    CHECK_EQ(it.code, PRO_E_WRONG_LOOP);
    CHECK_EQ(told_count(), 1);
    it.op = pro_nop(&other, loop, PRO_HOW_DEFAULT);
    on_other_thread(start_elsewhere, &it);
    CHECK_EQ(told_count(), 2);
    it.op = pro_start(pro_nop(&started, loop, PRO_HOW_DEFAULT));
    on_other_thread(wait_elsewhere, &it); /* to wait for it is its loop's, too */
    CHECK_EQ(it.code, PRO_E_WRONG_LOOP);
    CHECK_EQ(told_count(), 3);
    CHECK_EQ(pro_then(&started, count_delivery), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(op.result, PRO_OK);
    CHECK_EQ(deliveries, 2);
    loop_end(loop);
    told_stop();
}

/* ---- handles after close ---- */

static void check_socket_answers(struct pro_loop *loop, const struct pro_socket *socket, int expected)
{
    struct pro_op op = { 0 };
    struct pro_addr addr;
    char byte = 'x';

    CHECK(!pro_socket_is_open(socket));
    CHECK(pro_socket_loop(socket) == NULL);
    CHECK_EQ(loop_answer(loop, pro_recv(&op, socket, &byte, 1, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_send(&op, socket, &byte, 1, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_send_all(&op, socket, &byte, 1, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_shutdown(&op, socket, PRO_SHUTDOWN_BOTH, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_close(&op, socket)), expected);
    CHECK_EQ(pro_socket_local_addr(socket, &addr), expected);
    CHECK_EQ(pro_socket_peer_addr(socket, &addr), expected);
    CHECK_EQ(pro_socket_set_abortive(socket, true), expected);
    CHECK_EQ(pro_socket_set_buffers(socket, 4096, 4096), expected);
}

static void check_listener_answers(struct pro_loop *loop, const struct pro_socket *listener, int expected)
{
    struct pro_op op = { 0 };
    struct pro_socket accepted;

    CHECK(!pro_socket_is_open(listener));
    CHECK_EQ(loop_answer(loop, pro_accept(&op, listener, &accepted, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_accept_for(&op, listener, loop, &accepted, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_close(&op, listener)), expected);
}

static void check_file_answers(struct pro_loop *loop, const struct pro_file *file, int expected)
{
    struct pro_op op = { 0 };
    char byte = 'x';
    uint64_t size;

    CHECK(!pro_file_is_open(file));
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, file, &byte, 1, 0, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_write_at(&op, file, &byte, 1, 0, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_file_sync(&op, file, PRO_HOW_DEFAULT)), expected);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, file)), expected);
    CHECK_EQ(pro_file_size(file, &size), expected);
}

static struct pro_file file_open(struct pro_loop *loop)
{
    const unsigned flags = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE;
    struct pro_file file = { 0 };
    struct pro_op op = { 0 };

    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, "misuse.tmp", flags, &file, PRO_HOW_DEFAULT)) == PRO_OK);
    return file;
}

static void close_pair(struct pro_loop *loop, struct pair *pair)
{
    struct pro_op op = { 0 };

    CHECK_EQ(loop_answer(loop, pro_close(&op, &pair->listener)), PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_close(&op, &pair->client)), PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_close(&op, &pair->server)), PRO_OK);
}

TEST(a_closed_handle_answers_closed_to_every_verb)
{
    // Kills: a verb that does not ask for the handle's generation; a second close that reaches the system.
    struct pro_loop *const loop = loop_new();
    struct pro_file file = file_open(loop);
    struct pro_op op = { 0 };
    struct pair pair;

    loop_connect(loop, &pair);
    close_pair(loop, &pair);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, &file)), PRO_OK);
    check_listener_answers(loop, &pair.listener, PRO_E_CLOSED);
    check_socket_answers(loop, &pair.client, PRO_E_CLOSED);
    check_file_answers(loop, &file, PRO_E_CLOSED);
    loop_end(loop);
    remove("misuse.tmp");
}

TEST(a_closed_handle_answers_closed_when_the_system_has_given_its_number_away)
{
    // Kills: a value that is matched by its native handle, or by its block alone.
    struct pro_loop *const loop = loop_new();
    struct pair old, fresh;
    struct pro_op op = { 0 };
    char byte = 'x';

    loop_connect(loop, &old);
    close_pair(loop, &old);
    loop_connect(loop, &fresh); /* the same blocks, and the same numbers */
    check_listener_answers(loop, &old.listener, PRO_E_CLOSED);
    check_socket_answers(loop, &old.client, PRO_E_CLOSED);
    check_socket_answers(loop, &old.server, PRO_E_CLOSED);
    CHECK_EQ(loop_answer(loop, pro_send(&op, &fresh.client, &byte, 1, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(loop_answer(loop, pro_recv(&op, &fresh.server, &byte, 1, PRO_HOW_DEFAULT)), 1);
    close_pair(loop, &fresh);
    loop_end(loop);
}

/* ---- loops after free ---- */

static void nothing(void *arg) { (void)arg; }
static void no_work(struct pro_work *work) { (void)work; }

static void check_loop_functions(struct pro_loop *gone)
{
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_work work = { .run = no_work };
    struct pro_loop_stats stats;
    struct pro_completion_source *source = NULL;
    struct pro_socket socket;
    struct pro_task *task;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    task = pro_completion_source_task(source);
    CHECK_EQ(pro_loop_run(gone), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_run_once(gone, 0), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_run_until(gone, task), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_run_until(gone, pro_task_completed()), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_stop(gone), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_post(gone, nothing, NULL), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_post_work(gone, &work), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_get_stats(gone, &stats), PRO_E_LOOP_CLOSED);
    CHECK_EQ(pro_loop_free(gone), PRO_E_LOOP_CLOSED);
    CHECK(pro_loop_context(gone) == NULL);
    CHECK(pro_loop_now(gone) > 0);
    CHECK_STR(pro_loop_name(gone), "gone");
    CHECK_EQ(pro_listen(gone, &addr, NULL, &socket), PRO_E_LOOP_CLOSED);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

static void check_loop_verbs(struct pro_loop *gone)
{
    const struct pro_addr addr = pro_addr_loopback(9);
    struct pro_socket socket;
    struct pro_file file;
    struct pro_task *task;
    struct pro_op op = { 0 };

    CHECK_EQ(loop_answer(NULL, pro_nop(&op, gone, PRO_HOW_DEFAULT)), PRO_E_LOOP_CLOSED);
    CHECK_EQ(loop_answer(NULL, pro_sleep(&op, gone, 1, PRO_HOW_DEFAULT)), PRO_E_LOOP_CLOSED);
    CHECK_EQ(loop_answer(NULL, pro_sleep_until(&op, gone, 1, PRO_HOW_DEFAULT)), PRO_E_LOOP_CLOSED);
    CHECK_EQ(loop_answer(NULL, pro_connect(&op, gone, &addr, &socket, PRO_HOW_DEFAULT)), PRO_E_LOOP_CLOSED);
    CHECK_EQ(loop_answer(NULL, pro_file_open(&op, gone, "x", PRO_OPEN_READ, &file, PRO_HOW_DEFAULT)),
             PRO_E_LOOP_CLOSED);
    task = pro_op_as_task(pro_nop(&op, gone, PRO_HOW_DEFAULT));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_LOOP_CLOSED);
    pro_task_unref(task);
}

TEST(a_freed_loop_answers_loop_closed_to_everything)
{
    // Kills: a function that does not ask whether its loop is open; handles that forget whose they were.
    struct pro_loop *const gone = loop_on(NULL, "gone", false);
    struct pro_file file = file_open(gone);
    struct pair pair;

    told_listen();
    loop_connect(gone, &pair);
    loop_end(gone);
    remove("misuse.tmp");
    check_loop_functions(gone);
    check_loop_verbs(gone);
    check_socket_answers(NULL, &pair.client, PRO_E_LOOP_CLOSED);
    check_listener_answers(NULL, &pair.listener, PRO_E_LOOP_CLOSED);
    check_file_answers(NULL, &file, PRO_E_LOOP_CLOSED);
    CHECK_EQ(told_count(), 0); /* a loop that ends while others still use it is no mistake */
    told_stop();
}

TEST(an_op_started_on_another_thread_says_so_whatever_its_arguments_are)
{
    // Kills: an error that takes arguments, or what the op's last life has left, for a loop.
    struct pro_loop *const loop = loop_new();
    struct pro_op op = { 0 };
    struct elsewhere it = { &op, loop, PRO_OK };
    struct pro_socket socket;
    struct pro_addr addr;
    struct pro_error *error;

    told_listen();
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    CHECK_EQ(pro_addr_parse("[::1]:7000", &addr), PRO_OK);
    it.op = pro_connect(&op, loop, &addr, &socket, PRO_HOW_DEFAULT);
    on_other_thread(start_elsewhere, &it);
    CHECK_EQ(told_count(), 1);
    CHECK_EQ(op.result, PRO_E_WRONG_LOOP);
    error = pro_op_error(&op, PRO_HERE);
    CHECK_EQ(pro_error_code(error), PRO_E_WRONG_LOOP);
    pro_error_unref(error);
    loop_end(loop);
    told_stop();
}

/* ---- strict loops ---- */

struct strict_case {
    struct pro_loop *own, *other; /* whose handle, and who uses it */
    struct pair pair;
    int ran;
};

/* The op, submitted on the other loop's thread, is answered there. */
static void check_wrong_loop(struct strict_case *it, struct pro_op *op)
{
    struct pro_error *error;

    CHECK_EQ(loop_answer(it->other, op), PRO_E_WRONG_LOOP);
    error = pro_op_error(op, PRO_HERE);
    CHECK(strstr(pro_error_message(error), "\"alpha\"") != NULL);
    CHECK(strstr(pro_error_message(error), "\"beta\"") != NULL);
    pro_error_unref(error);
}

static void use_foreign_handle(void *arg)
{
    struct strict_case *const it = arg;
    struct pro_op op = { 0 };
    struct pro_socket accepted;
    struct pro_file file;
    struct pro_addr addr;
    char byte = 'x';

    it->ran++;
    CHECK(pro_loop_current() == it->other);
    check_wrong_loop(it, pro_recv(&op, &it->pair.client, &byte, 1, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_send(&op, &it->pair.client, &byte, 1, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_send_all(&op, &it->pair.client, &byte, 1, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_shutdown(&op, &it->pair.client, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_accept(&op, &it->pair.listener, &accepted, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_close(&op, &it->pair.client));
    check_wrong_loop(it, pro_sleep(&op, it->own, 1, PRO_HOW_DEFAULT));
    /* An address whose last half is not zero: it lies where the loops' names come from. */
    CHECK_EQ(pro_addr_parse("[::1]:7000", &addr), PRO_OK);
    check_wrong_loop(it, pro_connect(&op, it->own, &addr, &accepted, PRO_HOW_DEFAULT));
    check_wrong_loop(it, pro_file_open(&op, it->own, "misuse.tmp", PRO_OPEN_READ, &file, PRO_HOW_DEFAULT));
}

static void check_strict(bool own_is_strict)
{
    struct strict_case it = { loop_on(NULL, "alpha", own_is_strict), loop_on(NULL, "beta", !own_is_strict), .ran = 0 };
    struct pro_op op = { 0 };
    char byte = 'x';

    loop_connect(it.own, &it.pair);
    CHECK_EQ(pro_loop_post(it.other, use_foreign_handle, &it), PRO_OK);
    CHECK_EQ(pro_loop_run(it.other), PRO_OK);
    CHECK_EQ(it.ran, 1);
    CHECK_EQ(loop_answer(it.own, pro_send(&op, &it.pair.client, &byte, 1, PRO_HOW_DEFAULT)), 1); /* unharmed */
    CHECK_EQ(loop_answer(it.own, pro_recv(&op, &it.pair.server, &byte, 1, PRO_HOW_DEFAULT)), 1);
    close_pair(it.own, &it.pair);
    loop_end(it.other);
    loop_end(it.own);
}

TEST(a_strict_loop_refuses_to_lend_its_handles)
{
    // Kills: a strict that is asked of the running loop only; an error that names one loop.
    check_strict(true);
}

TEST(a_strict_loop_refuses_to_use_the_handles_of_others)
{
    // Kills: a strict that is asked of the handle's loop only.
    check_strict(false);
}

/* ---- completion sources ---- */

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

TEST(a_result_is_set_once)
{
    // Kills: a second set that overwrites; a set that loses in silence; a try that is told.
    const int first = 1, second = 2;
    struct pro_task *task;
    struct pro_completion_source *const source = source_new(&task);
    int value = 0;

    told_listen();
    CHECK_EQ(pro_completion_source_set_result(source, &first, PRO_TYPE(int)), PRO_OK);
    CHECK_MISUSE(pro_completion_source_set_result(source, &second, PRO_TYPE(int)), PRO_E_STATE);
    CHECK_MISUSE(pro_completion_source_set_error(source, pro_error_of(PRO_E_IO)), PRO_E_STATE);
    CHECK_MISUSE(pro_completion_source_set_canceled(source, PRO_TOKEN_NONE), PRO_E_STATE);
    CHECK_EQ(told_count(), 3);
    CHECK_EQ(pro_completion_source_try_set_result(source, &second, PRO_TYPE(int)), PRO_E_STATE);
    CHECK_EQ(pro_completion_source_try_set_error(source, pro_error_of(PRO_E_IO)), PRO_E_STATE);
    CHECK_EQ(pro_completion_source_try_set_canceled(source, PRO_TOKEN_NONE), PRO_E_STATE);
    CHECK_EQ(told_count(), 3);
    CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(value, first);
    pro_task_unref(task);
    pro_completion_source_free(source);
    told_stop();
}

struct completer {
    struct pro_completion_source *source;
    struct gate *start;
    int value, code;
};

static void complete_at_the_gate(void *arg)
{
    struct completer *const completer = arg;

    gate_wait(completer->start, 1);
    completer->code = pro_completion_source_try_set_result(completer->source, &completer->value, PRO_TYPE(int));
}

TEST(of_two_threads_that_complete_exactly_one_wins)
{
    // Kills: a reserve that is a load and a store.
    for (int round = 0; round < 200; round++) {
        struct gate start = { 0 };
        struct pro_task *task;
        struct pro_completion_source *const source = source_new(&task);
        struct completer completers[2] = { { source, &start, 1, 1 }, { source, &start, 2, 1 } };
        struct proi_thread threads[2];
        int value = 0;

        for (int i = 0; i < 2; i++)
            REQUIRE(proi_thread_start(&threads[i], "completer", complete_at_the_gate, &completers[i], 0) == PRO_OK);
        gate_add(&start);
        for (int i = 0; i < 2; i++)
            proi_thread_join(&threads[i]);
        CHECK_EQ((completers[0].code == PRO_OK) + (completers[1].code == PRO_OK), 1);
        CHECK_EQ(completers[0].code + completers[1].code, PRO_E_STATE);
        CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_OK);
        CHECK_EQ(value, completers[0].code == PRO_OK ? 1 : 2);
        pro_task_unref(task);
        pro_completion_source_free(source);
    }
}

/* ---- loops and pumps that run ---- */

static struct {
    struct pro_loop *loop;
    int run, free;
} nested;

static void run_and_free_inside(void *arg)
{
    (void)arg;
    nested.run = pro_loop_run(nested.loop);
    nested.free = pro_loop_free(nested.loop);
}

TEST(a_running_loop_is_neither_run_nor_freed)
{
    // Kills: a nested run that waits for itself; a free that pulls the loop from under its callback.
    told_listen();
    nested.loop = loop_new();
    CHECK_EQ(pro_loop_post(nested.loop, run_and_free_inside, NULL), PRO_OK);
    CHECK_EQ(pro_loop_run(nested.loop), PRO_OK);
    CHECK_EQ(nested.run, PRO_E_STATE);
    CHECK_EQ(nested.free, PRO_E_STATE);
    CHECK_EQ(told_count(), 2);
    loop_end(nested.loop);
    told_stop();
}

static void run_loop_elsewhere(void *arg)
{
    struct elsewhere *const it = arg;

    it->code = pro_loop_run_once(it->loop, 0);
}

TEST(a_loop_is_run_by_one_thread)
{
    // Kills: a loop that any thread may run.
    struct elsewhere it = { NULL, loop_new(), PRO_OK };
    struct pro_op op = { 0 };

    told_listen();
    CHECK_EQ(pro_loop_run_once(it.loop, 0), 0);
    on_other_thread(run_loop_elsewhere, &it);
    CHECK_EQ(it.code, PRO_E_STATE);
    CHECK_EQ(told_count(), 1);
    CHECK_EQ(loop_answer(it.loop, pro_nop(&op, it.loop, PRO_HOW_DEFAULT)), PRO_OK);
    loop_end(it.loop);
    told_stop();
}

static struct {
    struct pro_pump *pump;
    int run, run_until, pending, free, ran;
} pumped;

static void run_pump_elsewhere(void *arg)
{
    (void)arg;
    pumped.run = pro_pump_run(pumped.pump);
    pumped.run_until = pro_pump_run_until(pumped.pump, pro_task_completed());
    pumped.pending = pro_pump_run_pending(pumped.pump);
    pumped.free = pro_pump_free(pumped.pump);
}

static void run_item(void *arg)
{
    (void)arg;
    on_other_thread(run_pump_elsewhere, NULL);
    pumped.ran++;
    CHECK_EQ(pro_pump_stop(pumped.pump), PRO_OK);
}

TEST(a_pump_is_run_by_one_thread_at_a_time)
{
    // Kills: two threads that take items of one pump.
    told_listen();
    REQUIRE(pro_pump_new("shared", &pumped.pump) == PRO_OK);
    CHECK_EQ(pro_sync_context_post(pro_pump_context(pumped.pump), run_item, NULL), PRO_OK);
    CHECK_EQ(pro_pump_run(pumped.pump), PRO_OK);
    CHECK_EQ(pumped.run, PRO_E_STATE);
    CHECK_EQ(pumped.run_until, PRO_E_STATE);
    CHECK_EQ(pumped.pending, PRO_E_STATE);
    CHECK_EQ(pumped.free, PRO_E_STATE);
    CHECK_EQ(told_count(), 4);
    CHECK_EQ(pumped.ran, 1);
    CHECK_EQ(pro_pump_free(pumped.pump), PRO_OK);
    told_stop();
}

/* ---- registrations ---- */

TEST(a_registration_in_use_is_not_registered_again)
{
    // Kills: a register that links one entry twice.
    struct pro_cancellation_source *source = NULL;
    struct pro_cancellation_registration registration = { 0 };
    struct pro_cancellation_token token;

    told_listen();
    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    token = pro_cancellation_source_token(source);
    CHECK_EQ(pro_cancellation_register(token, &registration, nothing, NULL), PRO_OK);
    CHECK_MISUSE(pro_cancellation_register(token, &registration, nothing, NULL), PRO_E_STATE);
    CHECK(pro_cancellation_unregister(&registration));
    CHECK(!pro_cancellation_unregister(&registration));
    pro_cancellation_source_unref(source);
    told_stop();
}

/* ---- tasks that were freed ---- */

struct late {
    PRO_FRAME;
    struct pro_task *task;
};

PRO_ASYNC(late_move_next, struct late, self)
    PRO_AWAIT(self->task);
PRO_ASYNC_END

static struct pro_task *late_async(struct pro_task *task)
{
    struct late *self = PRO_NEW_FRAME_VOID(struct late, late_move_next);

    if (!self)
        return pro_task_no_memory();
    self->task = task;
    return PRO_START(self);
}

static int end_of(struct pro_task *task)
{
    const int code = pro_error_code(pro_task_error(task));

    pro_task_unref(task);
    return code;
}

TEST(a_task_that_was_freed_is_answered_and_not_used)
{
    // Kills: a freed task that is taken for one: referenced, unreferenced, read, awaited or named in its block's free time.
    struct pro_completion_source *source;
    struct pro_task *tasks[2], *second;
    struct pro_awaiter awaiter;
    int value = 5;

    told_listen();
    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    tasks[0] = pro_completion_source_task(source);
    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    pro_completion_source_free(source);
    pro_task_unref(tasks[0]);
    /* of another size of block, so that what is made here to answer does not lie where this one lay */
    tasks[1] = late_async(pro_task_completed());
    pro_task_unref(tasks[1]);
    for (int i = 0; i < 2; i++) {
        CHECK_TELLS(pro_task_unref(tasks[i]));
        CHECK(strstr(told.sentence, "freed") != NULL);
        CHECK_TELLS(pro_task_unref(tasks[i])); /* that changed nothing */
        CHECK_TELLS(pro_task_set_name(tasks[i], "late"));
        CHECK_MISUSE(pro_task_read(tasks[i], &value, PRO_TYPE(int)), PRO_E_STATE);
        CHECK_MISUSE(pro_task_dispose(tasks[i]), PRO_E_STATE);
        CHECK_TELLS(CHECK(pro_task_error(tasks[i]) == NULL));
        CHECK_TELLS(awaiter = pro_task_get_awaiter(tasks[i]));
        CHECK_EQ(pro_awaiter_get_result(awaiter, NULL, PRO_NO_RESULT, NULL), PRO_E_STATE);
    }
    CHECK_TELLS(second = pro_task_ref(tasks[1]));
    CHECK_EQ(end_of(second), PRO_E_STATE);
    CHECK_TELLS(second = pro_borrow(tasks[1]));
    CHECK_EQ(end_of(second), PRO_E_STATE);
    told_stop();
}

TEST(awaiting_and_waiting_for_a_freed_task_ends_at_once)
{
    // Kills: an await or a wait of a freed task that lasts for ever, or takes it for complete.
    struct pro_completion_source *source;
    struct pro_task *freed, *method;
    struct large {
        char bytes[300]; /* no other task here has a block of that size */
    } result = { "" };

    told_listen();
    REQUIRE(pro_completion_source_new(PRO_TYPE(struct large), 0, &source) == PRO_OK);
    freed = pro_completion_source_task(source);
    CHECK_EQ(pro_completion_source_set_result(source, &result, PRO_TYPE(struct large)), PRO_OK);
    pro_completion_source_free(source);
    pro_task_unref(freed);
    CHECK_TELLS(method = late_async(freed));
    CHECK(pro_task_is_completed(method));
    CHECK_EQ(end_of(method), PRO_E_STATE);
    CHECK_MISUSE(PRO_WAIT(freed), PRO_E_STATE);
    CHECK_MISUSE(PRO_WAIT_HOW(freed, PRO_WITHIN(PRO_MS(1))), PRO_E_STATE);
    CHECK_MISUSE(PRO_GET_RESULT(freed, &result), PRO_E_STATE);
    told_stop();
}
