/* SPDX-License-Identifier: MIT */
/* Every public function, with arguments that it must not be given: it answers PRO_E_INVALID, or what its header says, tells
 * the misuse handler, and never crashes. The list of functions is made from the headers, so that none can be left out. */
#include <proact/proact.h>

#include "loops.h"
#include "public_functions.h"
#include "told.h"

static struct pro_loop *loop;

/* An op that completes with PRO_E_INVALID, and told the handler: by the verb, or, for the stand-in, too. */
#define CHECK_OP(verb)                                                                                                 \
    do {                                                                                                               \
        const unsigned told_before_ = told_count();                                                                    \
        struct pro_op *const op_ = (verb);                                                                             \
        CHECK(told_count() > told_before_);                                                                            \
        CHECK_EQ(loop_answer(loop, op_), PRO_E_INVALID);                                                               \
    } while (0)
#define CHECK_TASK(call)                                                                                               \
    do {                                                                                                               \
        const unsigned told_before_ = told_count();                                                                    \
        check_invalid_task(call);                                                                                      \
        CHECK_EQ(told_count() - told_before_, 1);                                                                      \
    } while (0)

static void check_invalid_task(struct pro_task *task)
{
    CHECK(pro_task_is_faulted(task));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_INVALID);
    pro_task_unref(task);
}

static void nothing(void *arg) { (void)arg; }
static void no_delivery(struct pro_op *op) { (void)op; }
static void no_work(struct pro_work *work) { (void)work; }
static void no_step(struct pro_continuation *continuation) { (void)continuation; }
static struct pro_error *no_body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    return NULL;
}

static const struct pro_how negative = { .timeout_ns = -1 };
static const struct pro_socket never_opened;
static const struct pro_file never_opened_file;

/* ---- base.h, error.h ---- */

static void try_pro_set_allocator(void)
{
    const struct pro_allocator empty = { NULL, NULL, NULL, NULL };

    CHECK_MISUSE(pro_set_allocator(&empty), PRO_E_INVALID);
    CHECK_EQ(pro_set_allocator(NULL), PRO_OK);
}

static void try_pro_set_thread_limit(void)
{
    pro_set_thread_limit(-7); /* no limit */
    pro_set_thread_limit(-1);
}

static void try_pro_set_notice_handler(void) { pro_set_notice_handler(NULL, NULL); }
static void try_pro_set_misuse_handler(void)
{
    pro_set_misuse_handler(NULL, NULL);
    pro_set_misuse_handler(told_hear, NULL);
}
static void try_pro_set_unhandled_handler(void) { pro_set_unhandled_handler(NULL, NULL); }
static void try_pro_set_unobserved_handler(void) { pro_set_unobserved_handler(NULL, NULL); }

static void try_pro_err_name(void)
{
    CHECK_STR(pro_err_name(1), "unknown");
    CHECK_STR(pro_err_name(-36), "unknown");
    CHECK_STR(pro_err_name(INT32_MIN), "PRO_E_USER");
}

static void try_pro_err_message(void)
{
    CHECK(pro_err_message(77)[0]);
    CHECK(pro_err_message(-999)[0]);
    CHECK(pro_err_message(INT32_MIN)[0]);
}

static void try_pro_error_new(void)
{
    struct pro_error *const error = pro_error_new(12345, PRO_SITE_UNKNOWN, NULL);

    CHECK_EQ(pro_error_code(error), 12345);
    CHECK(pro_error_message(error)[0]);
    pro_error_unref(error);
}

static void try_pro_error_native(void)
{
    struct pro_error *const error = pro_error_native(PRO_E_IO, 0, PRO_SITE_UNKNOWN, NULL);

    CHECK_EQ(pro_error_code(error), PRO_E_IO);
    CHECK(pro_error_message(error)[0]);
    pro_error_unref(error);
}

static void try_pro_error_of(void) { CHECK(pro_error_of(4711) != NULL); }

static void try_pro_error_aggregate(void)
{
    struct pro_error *const with_a_hole[1] = { NULL };
    struct pro_error *error;

    CHECK_TELLS(error = pro_error_aggregate(NULL, 2));
    CHECK_EQ(pro_error_code(error), PRO_E_INVALID);
    CHECK_TELLS(error = pro_error_aggregate(with_a_hole, 1));
    CHECK_EQ(pro_error_code(error), PRO_E_INVALID);
}

static void try_pro_error_ref(void) { CHECK(pro_error_ref(NULL) == NULL); }
static void try_pro_error_unref(void) { pro_error_unref(NULL); }
static void try_pro_error_code(void) { CHECK_EQ(pro_error_code(NULL), PRO_OK); }
static void try_pro_error_native_code(void) { CHECK_EQ(pro_error_native_code(NULL), 0); }
static void try_pro_error_message(void) { CHECK(pro_error_message(NULL)[0]); }
static void try_pro_error_origin(void) { CHECK(pro_error_origin(NULL).file == NULL); }
static void try_pro_error_inner_count(void) { CHECK_EQ(pro_error_inner_count(NULL), 0); }
static void try_pro_error_inner(void)
{
    CHECK(pro_error_inner(NULL, 0) == NULL);
    CHECK(pro_error_inner(pro_error_of(PRO_E_IO), 1) == NULL);
}

/* ---- cancellation.h ---- */

static void try_pro_cancellation_source_new(void) { CHECK_MISUSE(pro_cancellation_source_new(NULL), PRO_E_INVALID); }

static void try_pro_cancellation_source_new_linked(void)
{
    struct pro_cancellation_source *source = NULL;

    CHECK_MISUSE(pro_cancellation_source_new_linked(NULL, 0, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_source_new_linked(NULL, 1, &source), PRO_E_INVALID);
    CHECK(source == NULL);
}

static void try_pro_cancellation_source_ref(void) { CHECK(pro_cancellation_source_ref(NULL) == NULL); }
static void try_pro_cancellation_source_unref(void) { pro_cancellation_source_unref(NULL); }
static void try_pro_cancellation_source_token(void) { CHECK(pro_cancellation_source_token(NULL).source == NULL); }
static void try_pro_cancellation_source_cancel(void)
{
    CHECK_MISUSE(pro_cancellation_source_cancel(NULL), PRO_E_INVALID);
}

static void try_pro_cancellation_source_cancel_after(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_MISUSE(pro_cancellation_source_cancel_after(NULL, 1), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_source_cancel_after(source, -2), PRO_E_INVALID);
    pro_cancellation_source_unref(source);
}

static void try_pro_cancellation_token_can_be_canceled(void)
{
    CHECK(!pro_cancellation_token_can_be_canceled(PRO_TOKEN_NONE));
}
static void try_pro_cancellation_token_is_canceled(void) { CHECK(!pro_cancellation_token_is_canceled(PRO_TOKEN_NONE)); }

static void try_pro_cancellation_register(void)
{
    struct pro_cancellation_registration registration = { 0 };

    CHECK_MISUSE(pro_cancellation_register(PRO_TOKEN_NONE, NULL, nothing, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_register(PRO_TOKEN_NONE, &registration, NULL, NULL), PRO_E_INVALID);
}

static void try_pro_cancellation_unregister(void) { CHECK(!pro_cancellation_unregister(NULL)); }
static void try_pro_cancellation_unregister_wait(void) { CHECK(!pro_cancellation_unregister_wait(NULL)); }

/* ---- op.h, timer.h ---- */

static void try_pro_then(void)
{
    struct pro_op op = { 0 };

    CHECK_MISUSE(pro_then(NULL, no_delivery), PRO_E_INVALID);
    CHECK_MISUSE(pro_then(pro_nop(&op, loop, PRO_HOW_DEFAULT), NULL), PRO_E_INVALID);
    CHECK_EQ(loop_answer(loop, &op), PRO_OK); /* nothing was changed: it can still be submitted */
    CHECK_MISUSE(pro_then(&op, no_delivery), PRO_E_STATE);
}

static void try_pro_start(void)
{
    struct pro_op *op;

    CHECK_TELLS(op = pro_start(NULL));
    CHECK_EQ(op->result, PRO_E_INVALID);
}

static void try_pro_op_cancel(void)
{
    struct pro_op op = { 0 };

    CHECK_MISUSE(pro_op_cancel(NULL), PRO_E_INVALID);
    CHECK_EQ(pro_op_cancel(&op), PRO_E_STATE);
}

static void try_pro_nop(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_nop(NULL, loop, PRO_HOW_DEFAULT));
    CHECK_OP(pro_nop(&op, loop, negative));
}

static void try_pro_op_error(void)
{
    struct pro_error *const error = pro_op_error(NULL, PRO_SITE_UNKNOWN);

    CHECK_EQ(pro_error_code(error), PRO_E_INVALID);
    pro_error_unref(error);
}

static void try_pro_op_kind_name(void)
{
    CHECK_STR(pro_op_kind_name(-1), "unknown");
    CHECK_STR(pro_op_kind_name(PRO_OP_KIND_COUNT), "unknown");
}

static void try_pro_op_state_name(void)
{
    CHECK_STR(pro_op_state_name(-1), "unknown");
    CHECK_STR(pro_op_state_name(PRO_OP_DONE + 1), "unknown");
}

static void try_pro_sleep(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_sleep(NULL, loop, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_sleep(&op, loop, -1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_sleep(&op, loop, 0, negative));
}

static void try_pro_sleep_until(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_sleep_until(NULL, loop, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_sleep_until(&op, loop, 0, negative));
}

/* ---- net.h ---- */

static void try_pro_addr_parse(void)
{
    struct pro_addr addr = { .port = 7 };

    CHECK_MISUSE(pro_addr_parse(NULL, &addr), PRO_E_INVALID);
    CHECK_MISUSE(pro_addr_parse("1.2.3.4:5", NULL), PRO_E_INVALID);
    CHECK_EQ(pro_addr_parse("", &addr), PRO_E_INVALID); /* data, not the program, is wrong */
    CHECK_EQ(addr.port, 7);
}

static void try_pro_addr_format(void)
{
    const struct pro_addr none = { 0 }, good = pro_addr_loopback(1);
    char text[PRO_ADDR_TEXT];

    CHECK_MISUSE(pro_addr_format(NULL, text, sizeof text), PRO_E_INVALID);
    CHECK_MISUSE(pro_addr_format(&none, text, sizeof text), PRO_E_INVALID);
    CHECK_MISUSE(pro_addr_format(&good, NULL, sizeof text), PRO_E_INVALID);
    CHECK_MISUSE(pro_addr_format(&good, text, 0), PRO_E_INVALID);
}

static void try_pro_listen(void)
{
    const struct pro_addr none = { 0 }, good = pro_addr_loopback(0);
    const struct pro_listen_options negative_backlog = { .backlog = -1 };
    struct pro_socket socket = { 0 };

    CHECK_MISUSE(pro_listen(loop, NULL, NULL, &socket), PRO_E_INVALID);
    CHECK_MISUSE(pro_listen(loop, &none, NULL, &socket), PRO_E_INVALID);
    CHECK_MISUSE(pro_listen(loop, &good, &negative_backlog, &socket), PRO_E_INVALID);
    CHECK_MISUSE(pro_listen(loop, &good, NULL, NULL), PRO_E_INVALID);
    CHECK(socket.handle == NULL);
}

static struct pair pair; /* open while the rows run */
static struct pro_file file;

static void try_pro_accept(void)
{
    struct pro_op op = { 0 };
    struct pro_socket socket;

    CHECK_OP(pro_accept(NULL, &pair.listener, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept(&op, NULL, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept(&op, &never_opened, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept(&op, &pair.client, &socket, PRO_HOW_DEFAULT)); /* no listener */
    CHECK_OP(pro_accept(&op, &pair.listener, NULL, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept(&op, &pair.listener, &socket, negative));
}

static void try_pro_accept_for(void)
{
    struct pro_op op = { 0 };
    struct pro_socket socket;

    CHECK_OP(pro_accept_for(NULL, &pair.listener, loop, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept_for(&op, NULL, loop, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_accept_for(&op, &pair.listener, loop, NULL, PRO_HOW_DEFAULT));
}

static void try_pro_connect(void)
{
    const struct pro_addr none = { 0 }, no_port = pro_addr_loopback(0), good = pro_addr_loopback(9);
    struct pro_op op = { 0 };
    struct pro_socket socket;

    CHECK_OP(pro_connect(NULL, loop, &good, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_connect(&op, loop, NULL, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_connect(&op, loop, &none, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_connect(&op, loop, &no_port, &socket, PRO_HOW_DEFAULT));
    CHECK_OP(pro_connect(&op, loop, &good, NULL, PRO_HOW_DEFAULT));
    CHECK_OP(pro_connect(&op, loop, &good, &socket, negative));
}

static void try_pro_recv(void)
{
    struct pro_op op = { 0 };
    char byte;

    CHECK_OP(pro_recv(NULL, &pair.client, &byte, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, NULL, &byte, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, &never_opened, &byte, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, &pair.listener, &byte, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, &pair.client, NULL, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, &pair.client, &byte, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv(&op, &pair.client, &byte, 1, negative));
}

static void try_pro_send(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_send(NULL, &pair.client, "x", 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send(&op, NULL, "x", 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send(&op, &pair.listener, "x", 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send(&op, &pair.client, NULL, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send(&op, &pair.client, "x", 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send(&op, &pair.client, "x", 1, negative));
}

static void try_pro_send_all(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_send_all(NULL, &pair.client, "x", 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send_all(&op, NULL, "x", 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send_all(&op, &pair.client, NULL, 1, PRO_HOW_DEFAULT));
    CHECK_OP(pro_send_all(&op, &pair.client, "x", 0, PRO_HOW_DEFAULT));
}

static void try_pro_shutdown(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_shutdown(NULL, &pair.client, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    CHECK_OP(pro_shutdown(&op, NULL, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    CHECK_OP(pro_shutdown(&op, &pair.listener, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    CHECK_OP(pro_shutdown(&op, &pair.client, (enum pro_shutdown_how)3, PRO_HOW_DEFAULT));
}

static void try_pro_close(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_close(NULL, &pair.client));
    CHECK_OP(pro_close(&op, NULL));
    CHECK_OP(pro_close(&op, &never_opened));
}

static void try_pro_socket_is_open(void)
{
    CHECK(!pro_socket_is_open(NULL));
    CHECK(!pro_socket_is_open(&never_opened));
}

static void try_pro_socket_local_addr(void)
{
    struct pro_addr addr;

    CHECK_MISUSE(pro_socket_local_addr(NULL, &addr), PRO_E_INVALID);
    CHECK_MISUSE(pro_socket_local_addr(&never_opened, &addr), PRO_E_INVALID);
    CHECK_MISUSE(pro_socket_local_addr(&pair.client, NULL), PRO_E_INVALID);
}

static void try_pro_socket_peer_addr(void)
{
    struct pro_addr addr;

    CHECK_MISUSE(pro_socket_peer_addr(NULL, &addr), PRO_E_INVALID);
    CHECK_MISUSE(pro_socket_peer_addr(&pair.client, NULL), PRO_E_INVALID);
}

static void try_pro_socket_loop(void)
{
    CHECK(pro_socket_loop(NULL) == NULL);
    CHECK(pro_socket_loop(&never_opened) == NULL);
}

static void try_pro_socket_set_abortive(void) { CHECK_MISUSE(pro_socket_set_abortive(NULL, true), PRO_E_INVALID); }
static void try_pro_socket_set_buffers(void)
{
    CHECK_MISUSE(pro_socket_set_buffers(NULL, 1, 1), PRO_E_INVALID);
    CHECK_MISUSE(pro_socket_set_buffers(&pair.client, -1, 0), PRO_E_INVALID);
}

/* ---- file.h ---- */

static void try_pro_file_open(void)
{
    struct pro_op op = { 0 };
    struct pro_file opened;

    CHECK_OP(pro_file_open(NULL, loop, "x", PRO_OPEN_READ, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, NULL, PRO_OPEN_READ, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "", PRO_OPEN_READ, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", PRO_OPEN_READ, NULL, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", 0, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", 1u << 20 | PRO_OPEN_READ, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", PRO_OPEN_READ | PRO_OPEN_TRUNCATE, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", PRO_OPEN_WRITE | PRO_OPEN_EXCLUSIVE, &opened, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_open(&op, loop, "x", PRO_OPEN_READ, &opened, negative));
}

static void try_pro_read_at(void)
{
    struct pro_op op = { 0 };
    char byte;

    CHECK_OP(pro_read_at(NULL, &file, &byte, 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, NULL, &byte, 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, &never_opened_file, &byte, 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, &file, NULL, 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, &file, &byte, 0, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, &file, &byte, 1, UINT64_MAX, PRO_HOW_DEFAULT));
    CHECK_OP(pro_read_at(&op, &file, &byte, 1, INT64_MAX, PRO_HOW_DEFAULT));
}

static void try_pro_write_at(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_write_at(NULL, &file, "x", 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_write_at(&op, NULL, "x", 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_write_at(&op, &file, NULL, 1, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_write_at(&op, &file, "x", 0, 0, PRO_HOW_DEFAULT));
    CHECK_OP(pro_write_at(&op, &file, "x", 1, UINT64_MAX, PRO_HOW_DEFAULT));
}

static void try_pro_file_sync(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_file_sync(NULL, &file, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_sync(&op, NULL, PRO_HOW_DEFAULT));
    CHECK_OP(pro_file_sync(&op, &file, negative));
}

static void try_pro_file_close(void)
{
    struct pro_op op = { 0 };

    CHECK_OP(pro_file_close(NULL, &file));
    CHECK_OP(pro_file_close(&op, NULL));
    CHECK_OP(pro_file_close(&op, &never_opened_file));
}

static void try_pro_file_is_open(void)
{
    CHECK(!pro_file_is_open(NULL));
    CHECK(!pro_file_is_open(&never_opened_file));
}

static void try_pro_file_size(void)
{
    uint64_t size;

    CHECK_MISUSE(pro_file_size(NULL, &size), PRO_E_INVALID);
    CHECK_MISUSE(pro_file_size(&never_opened_file, &size), PRO_E_INVALID);
    CHECK_MISUSE(pro_file_size(&file, NULL), PRO_E_INVALID);
}

/* ---- loop.h ---- */

static void try_pro_loop_new(void)
{
    const struct pro_loop_options odd = { .entries = 3 }, strange = { .backend = "carrier pigeon" };
    struct pro_loop *made = NULL;

    CHECK_MISUSE(pro_loop_new(NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_new(&odd, &made), PRO_E_INVALID);
    CHECK_EQ(pro_loop_new(&strange, &made), PRO_E_NOT_SUPPORTED);
    CHECK(made == NULL);
}

static struct pro_task *no_main(void *arg)
{
    (void)arg;
    return NULL;
}

static void try_pro_loop_free(void) { CHECK_EQ(pro_loop_free(NULL), PRO_OK); }
static void try_pro_loop_run(void) { CHECK_MISUSE(pro_loop_run(NULL), PRO_E_INVALID); }
static void try_pro_loop_run_until(void)
{
    CHECK_MISUSE(pro_loop_run_until(NULL, pro_task_completed()), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_run_until(loop, NULL), PRO_E_INVALID);
}
static void try_pro_loop_run_once(void) { CHECK_MISUSE(pro_loop_run_once(NULL, 0), PRO_E_INVALID); }
static void try_pro_loop_stop(void) { CHECK_MISUSE(pro_loop_stop(NULL), PRO_E_INVALID); }
static void try_pro_loop_post(void)
{
    CHECK_MISUSE(pro_loop_post(NULL, nothing, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_post(loop, NULL, NULL), PRO_E_INVALID);
}
static void try_pro_loop_post_work(void)
{
    struct pro_work work = { .run = no_work }, empty = { .run = NULL };

    CHECK_MISUSE(pro_loop_post_work(NULL, &work), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_post_work(loop, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_post_work(loop, &empty), PRO_E_INVALID);
}
static void try_pro_loop_context(void) { CHECK_TELLS(CHECK(pro_loop_context(NULL) == NULL)); }
static void try_pro_loop_name(void) { CHECK_STR(pro_loop_name(NULL), ""); }
static void try_pro_loop_backend(void) { CHECK_STR(pro_loop_backend(NULL), ""); }
static void try_pro_loop_backend_reason(void) { CHECK_STR(pro_loop_backend_reason(NULL), ""); }
static void try_pro_loop_now(void) { CHECK(pro_loop_now(NULL) > 0); }
static void try_pro_loop_get_stats(void)
{
    struct pro_loop_stats stats;

    CHECK_MISUSE(pro_loop_get_stats(NULL, &stats), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_get_stats(loop, NULL), PRO_E_INVALID);
}
static void try_pro_run(void)
{
    CHECK_MISUSE(pro_run(NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_run(no_main, NULL), PRO_E_INVALID);
}

/* ---- context.h ---- */

static void try_pro_work_run(void)
{
    struct pro_work empty = { .run = NULL };

    CHECK_TELLS(pro_work_run(NULL));
    CHECK_TELLS(pro_work_run(&empty));
}

static void try_pro_sync_context_init(void) { CHECK_MISUSE(pro_sync_context_init(NULL, NULL, "x"), PRO_E_INVALID); }
static void try_pro_sync_context_ref(void) { CHECK(pro_sync_context_ref(NULL) == NULL); }
static void try_pro_sync_context_unref(void) { pro_sync_context_unref(NULL); }
static void try_pro_sync_context_set(void)
{
    struct pro_sync_context *const before = pro_sync_context_set(NULL);

    CHECK(pro_sync_context_set(before) == NULL);
}
static void try_pro_sync_context_post(void)
{
    CHECK_MISUSE(pro_sync_context_post(NULL, nothing, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_sync_context_post(pro_loop_context(loop), NULL, NULL), PRO_E_INVALID);
}
static void try_pro_sync_context_post_work(void)
{
    struct pro_work work = { .run = no_work }, empty = { .run = NULL };

    CHECK_MISUSE(pro_sync_context_post_work(NULL, &work), PRO_E_INVALID);
    CHECK_MISUSE(pro_sync_context_post_work(pro_loop_context(loop), NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_sync_context_post_work(pro_loop_context(loop), &empty), PRO_E_INVALID);
}
static void try_pro_sync_context_send(void)
{
    CHECK_MISUSE(pro_sync_context_send(NULL, nothing, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_sync_context_send(pro_loop_context(loop), NULL, NULL), PRO_E_INVALID);
}
static void try_pro_thread_set_name(void) { pro_thread_set_name(NULL); }

static void try_pro_pump_new(void) { CHECK_MISUSE(pro_pump_new("x", NULL), PRO_E_INVALID); }
static void try_pro_pump_free(void) { CHECK_EQ(pro_pump_free(NULL), PRO_OK); }
static void try_pro_pump_context(void) { CHECK(pro_pump_context(NULL) == NULL); }
static void try_pro_pump_run(void) { CHECK_MISUSE(pro_pump_run(NULL), PRO_E_INVALID); }
static void try_pro_pump_run_until(void)
{
    struct pro_pump *pump = NULL;

    REQUIRE(pro_pump_new("x", &pump) == PRO_OK);
    CHECK_MISUSE(pro_pump_run_until(NULL, pro_task_completed()), PRO_E_INVALID);
    CHECK_MISUSE(pro_pump_run_until(pump, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}
static void try_pro_pump_run_pending(void) { CHECK_MISUSE(pro_pump_run_pending(NULL), PRO_E_INVALID); }
static void try_pro_pump_stop(void) { CHECK_MISUSE(pro_pump_stop(NULL), PRO_E_INVALID); }
static void try_pro_pump_pending(void) { CHECK_EQ(pro_pump_pending(NULL), 0); }
static void try_pro_request_context_new(void) { CHECK_MISUSE(pro_request_context_new("x", NULL), PRO_E_INVALID); }
static void try_pro_request_context_pending(void)
{
    CHECK_EQ(pro_request_context_pending(NULL), 0);
    CHECK_EQ(pro_request_context_pending(pro_loop_context(loop)), 0); /* another kind */
}

/* ---- async_local.h ---- */

static void *same(void *value) { return value; }

static void try_pro_async_local_new(void)
{
    const struct pro_async_local_options half = { .ref = same };
    struct pro_async_local *local = NULL;

    CHECK_MISUSE(pro_async_local_new(NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_async_local_new(&half, &local), PRO_E_INVALID);
}
static void try_pro_async_local_unref(void) { pro_async_local_unref(NULL); }
static void try_pro_async_local_get(void) { CHECK(pro_async_local_get(NULL) == NULL); }
static void try_pro_async_local_set(void) { CHECK_MISUSE(pro_async_local_set(NULL, NULL), PRO_E_INVALID); }
static void try_pro_execution_context_ref(void) { CHECK(pro_execution_context_ref(NULL) == NULL); }
static void try_pro_execution_context_unref(void) { pro_execution_context_unref(NULL); }
static void try_pro_execution_context_run(void)
{
    struct pro_execution_context *const context = pro_execution_context_capture();

    CHECK_MISUSE(pro_execution_context_run(NULL, nothing, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_execution_context_run(context, NULL, NULL), PRO_E_INVALID);
    pro_execution_context_unref(context);
}
static void try_pro_execution_context_restore(void) { CHECK_MISUSE(pro_execution_context_restore(NULL), PRO_E_INVALID); }
static void try_pro_execution_context_undo_suppress(void)
{
    pro_execution_context_undo_suppress(true);
    pro_execution_context_undo_suppress(false); /* it was not suppressed: nothing happens */
    CHECK(!pro_execution_context_is_flow_suppressed());
}

/* ---- scheduler.h ---- */

static void try_pro_task_scheduler_init(void)
{
    static const struct pro_task_scheduler_vtable cannot_queue;
    struct pro_task_scheduler scheduler;

    CHECK_MISUSE(pro_task_scheduler_init(NULL, &cannot_queue, "x"), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_scheduler_init(&scheduler, NULL, "x"), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_scheduler_init(&scheduler, &cannot_queue, "x"), PRO_E_INVALID);
}
static void try_pro_task_scheduler_ref(void) { CHECK(pro_task_scheduler_ref(NULL) == NULL); }
static void try_pro_task_scheduler_unref(void) { pro_task_scheduler_unref(NULL); }
static void try_pro_pool_set_min_threads(void)
{
    CHECK_MISUSE(pro_pool_set_min_threads(0), PRO_E_INVALID);
    CHECK_MISUSE(pro_pool_set_min_threads(UINT32_MAX), PRO_E_INVALID);
}
static void try_pro_pool_set_max_threads(void)
{
    CHECK_MISUSE(pro_pool_set_max_threads(0), PRO_E_INVALID);
    CHECK_MISUSE(pro_pool_set_max_threads(UINT32_MAX), PRO_E_INVALID);
}
static void try_pro_pool_post(void) { CHECK_MISUSE(pro_pool_post(NULL, NULL), PRO_E_INVALID); }
static void try_pro_pool_post_work(void)
{
    struct pro_work empty = { .run = NULL };

    CHECK_MISUSE(pro_pool_post_work(NULL, false), PRO_E_INVALID);
    CHECK_MISUSE(pro_pool_post_work(&empty, true), PRO_E_INVALID);
}
static void try_pro_pool_get_stats(void) { CHECK_MISUSE(pro_pool_get_stats(NULL), PRO_E_INVALID); }

/* ---- task.h ---- */

static void try_pro_task_ref(void) { CHECK(pro_task_ref(NULL) == NULL); }
static void try_pro_task_unref(void) { pro_task_unref(NULL); }
static void try_pro_forget(void) { pro_forget(NULL); }
static void try_pro_borrow(void) { CHECK(pro_borrow(NULL) == NULL); }
static void try_pro_task_status(void) { CHECK_EQ(pro_task_status(NULL), PRO_TASK_CANCELED); }
static void try_pro_task_status_name(void)
{
    CHECK_STR(pro_task_status_name((enum pro_task_status)(PRO_TASK_FAULTED + 1)), "unknown");
}
static void try_pro_task_is_completed(void) { CHECK(pro_task_is_completed(NULL)); }
static void try_pro_task_is_succeeded(void) { CHECK(!pro_task_is_succeeded(NULL)); }
static void try_pro_task_is_faulted(void) { CHECK(!pro_task_is_faulted(NULL)); }
static void try_pro_task_is_canceled(void) { CHECK(pro_task_is_canceled(NULL)); }
static void try_pro_task_id(void) { CHECK_EQ(pro_task_id(NULL), 0); }
static void try_pro_task_set_name(void) { pro_task_set_name(NULL, "x"); }
static void try_pro_task_read(void)
{
    int value;

    CHECK_MISUSE(pro_task_read(NULL, &value, PRO_TYPE(int)), PRO_E_INVALID);
}
static void try_pro_task_error(void) { CHECK(pro_task_error(NULL) == NULL); }
static void try_pro_task_error_all(void) { CHECK(pro_task_error_all(NULL) == NULL); }
static void try_pro_task_from_result(void) { CHECK_TASK(pro_task_from_result(NULL, PRO_TYPE(int))); }
static void try_pro_task_from_error(void) { CHECK_TASK(pro_task_from_error(NULL)); }
static void try_pro_task_from_canceled(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_TASK(pro_task_from_canceled(pro_cancellation_source_token(source))); /* it is not cancelled (SEM-194) */
    pro_cancellation_source_unref(source);
}

static void try_pro_completion_source_new(void)
{
    struct pro_completion_source *source = NULL;

    CHECK_MISUSE(pro_completion_source_new(PRO_NO_RESULT, 0, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_LONG_RUNNING, &source), PRO_E_INVALID);
    CHECK(source == NULL);
}
static void try_pro_completion_source_free(void) { pro_completion_source_free(NULL); }
static void try_pro_completion_source_task(void) { CHECK_TASK(pro_completion_source_task(NULL)); }

static struct pro_completion_source *int_source(void)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    return source;
}

/* What a wrong call must leave behind: a source that can still be completed. */
static void complete_source(struct pro_completion_source *source)
{
    const int value = 1;

    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    pro_completion_source_free(source);
}

static void try_pro_completion_source_set_result(void)
{
    struct pro_completion_source *const source = int_source();
    const int value = 1;

    CHECK_MISUSE(pro_completion_source_set_result(NULL, &value, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_set_result(source, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_set_result(source, &value, PRO_TYPE(float)), PRO_E_TYPE);
    complete_source(source);
}
static void try_pro_completion_source_try_set_result(void)
{
    struct pro_completion_source *const source = int_source();
    const int value = 1;

    CHECK_MISUSE(pro_completion_source_try_set_result(NULL, &value, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_try_set_result(source, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    complete_source(source);
}
static void try_pro_completion_source_set_error(void)
{
    struct pro_completion_source *const source = int_source();

    CHECK_MISUSE(pro_completion_source_set_error(NULL, pro_error_of(PRO_E_IO)), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_set_error(source, NULL), PRO_E_INVALID);
    complete_source(source);
}
static void try_pro_completion_source_try_set_error(void)
{
    struct pro_completion_source *const source = int_source();

    CHECK_MISUSE(pro_completion_source_try_set_error(NULL, pro_error_of(PRO_E_IO)), PRO_E_INVALID);
    CHECK_MISUSE(pro_completion_source_try_set_error(source, NULL), PRO_E_INVALID);
    complete_source(source);
}
static void try_pro_completion_source_set_canceled(void)
{
    CHECK_MISUSE(pro_completion_source_set_canceled(NULL, PRO_TOKEN_NONE), PRO_E_INVALID);
}
static void try_pro_completion_source_try_set_canceled(void)
{
    CHECK_MISUSE(pro_completion_source_try_set_canceled(NULL, PRO_TOKEN_NONE), PRO_E_INVALID);
}

static void try_pro_task_wait(void)
{
    CHECK_MISUSE(pro_task_wait(NULL, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait(pro_task_completed(), negative, NULL, PRO_HERE), PRO_E_INVALID);
}
static void try_pro_task_result(void)
{
    int value;

    CHECK_MISUSE(pro_task_result(NULL, &value, PRO_TYPE(int), NULL, PRO_HERE), PRO_E_INVALID);
}
static void try_pro_task_get_result(void)
{
    int value;

    CHECK_MISUSE(pro_task_get_result(NULL, &value, PRO_TYPE(int), NULL, PRO_HERE), PRO_E_INVALID);
}

static void try_pro_task_wait_all(void)
{
    struct pro_task *const with_a_hole[] = { pro_task_completed(), NULL };

    CHECK_MISUSE(pro_task_wait_all(NULL, 1, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait_all(with_a_hole, 2, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait_all(with_a_hole, 1, negative, NULL, PRO_HERE), PRO_E_INVALID);
    CHECK_EQ(pro_task_wait_all(NULL, 0, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
}
static void try_pro_task_wait_any(void)
{
    struct pro_task *const with_a_hole[] = { pro_task_completed(), NULL };

    CHECK_MISUSE(pro_task_wait_any(NULL, 1, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait_any(NULL, 0, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait_any(with_a_hole, 2, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_wait_any(with_a_hole, 1, negative, PRO_HERE), PRO_E_INVALID);
}

static void try_pro_task_run(void) { CHECK_TASK(pro_task_run(NULL, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE)); }
static void try_pro_task_run_async(void)
{
    struct pro_task *task;

    CHECK_TASK(pro_task_run_async(NULL, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE));
    task = pro_task_run_async(no_main, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE); /* a body that gives no task (SEM-178) */
    CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
    pro_task_unref(task);
}
static void try_pro_task_start_new(void)
{
    struct pro_task_scheduler broken = { .vtable = NULL };

    CHECK_TASK(pro_task_start_new(NULL, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, NULL));
    CHECK_TASK(pro_task_start_new(no_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 1u << 20, NULL));
    CHECK_TASK(pro_task_start_new(no_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, &broken));
}
static void try_pro_when_all(void)
{
    struct pro_task *const with_a_hole[] = { pro_task_completed(), NULL };

    CHECK_TASK(pro_when_all(NULL, 1));
    CHECK_TASK(pro_when_all(with_a_hole, 2));
}
static void try_pro_when_any(void)
{
    struct pro_task *const with_a_hole[] = { pro_task_completed(), NULL };

    CHECK_TASK(pro_when_any(NULL, 1));
    CHECK_TASK(pro_when_any(NULL, 0));
    CHECK_TASK(pro_when_any(with_a_hole, 2));
}
static void try_pro_delay(void) { CHECK_TASK(pro_delay(-2, PRO_TOKEN_NONE)); }
static void try_pro_task_wait_async(void)
{
    CHECK_TASK(pro_task_wait_async(NULL, PRO_HOW_DEFAULT));
    CHECK_TASK(pro_task_wait_async(pro_task_completed(), negative));
}
static void try_pro_op_as_task(void)
{
    struct pro_op op = { 0 };
    struct pro_task *task;

    CHECK_TASK(pro_op_as_task(NULL));
    CHECK_TELLS(task = pro_op_as_task(&op)); /* no verb has filled it */
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_STATE);
    pro_task_unref(task);
}

/* ---- awaiter.h ---- */

static const struct pro_awaiter hollow = { NULL, NULL };

static void try_pro_continuation_init(void)
{
    struct pro_continuation continuation = { .next = NULL };

    CHECK_TELLS(pro_continuation_init(NULL, no_step));
    CHECK_TELLS(pro_continuation_init(&continuation, NULL));
}
static void try_pro_continuation_capture(void)
{
    CHECK_TELLS(pro_continuation_capture(NULL, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
}
static void try_pro_continuation_run(void) { CHECK_TELLS(pro_continuation_run(NULL)); }
static void try_pro_continuation_schedule(void) { CHECK_TELLS(pro_continuation_schedule(NULL)); }
static void try_pro_continuation_abandon(void) { CHECK_TELLS(pro_continuation_abandon(NULL)); }
static void try_pro_task_get_awaiter(void)
{
    struct pro_awaiter awaiter;
    struct pro_error *error = NULL;

    CHECK_TELLS(awaiter = pro_task_get_awaiter(NULL));
    CHECK(pro_awaiter_is_completed(awaiter));
    CHECK_EQ(pro_awaiter_get_result(awaiter, NULL, PRO_NO_RESULT, &error), PRO_E_INVALID);
    pro_error_unref(error);
}
static void try_pro_op_get_awaiter(void)
{
    struct pro_awaiter awaiter = hollow;
    const unsigned before = told_count();

    awaiter = pro_op_get_awaiter(NULL);
    CHECK(told_count() > before);
    CHECK(pro_awaiter_is_completed(awaiter));
    CHECK_EQ(pro_awaiter_get_result(awaiter, NULL, PRO_NO_RESULT, NULL), PRO_E_INVALID);
}
static void try_pro_awaiter_is_completed(void) { CHECK_TELLS(CHECK(pro_awaiter_is_completed(hollow))); }
static void try_pro_awaiter_on_completed(void)
{
    struct pro_continuation continuation = { .next = NULL };

    CHECK_MISUSE(pro_awaiter_on_completed(hollow, &continuation, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_awaiter_on_completed(pro_yield(), NULL, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_awaiter_on_completed(pro_yield(), &continuation, 0), PRO_E_INVALID);
}
static void try_pro_awaiter_unsafe_on_completed(void)
{
    struct pro_continuation continuation = { .next = NULL };

    CHECK_MISUSE(pro_awaiter_unsafe_on_completed(hollow, &continuation, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_awaiter_unsafe_on_completed(pro_yield(), NULL, 0), PRO_E_INVALID);
}
static void try_pro_awaiter_get_result(void)
{
    CHECK_MISUSE(pro_awaiter_get_result(hollow, NULL, PRO_NO_RESULT, NULL), PRO_E_INVALID);
}
static void try_pro_switch_to(void) { CHECK(!pro_awaiter_is_completed(pro_switch_to(NULL))); /* NULL is the pool */ }

/* What stands for the awaited: complete, with PRO_E_INVALID. */
static void check_configured(struct pro_configured_awaiter configured)
{
    struct pro_error *error = NULL;

    CHECK(pro_awaiter_is_completed(configured.awaiter));
    CHECK_EQ(pro_awaiter_get_result(configured.awaiter, NULL, PRO_NO_RESULT, &error), PRO_E_INVALID);
    pro_error_unref(error);
    if (configured.awaiter.vtable->release)
        configured.awaiter.vtable->release(configured.awaiter.self);
}

static void try_pro_configure_await(void)
{
    struct pro_configured_awaiter configured;

    CHECK_TELLS(configured = pro_configure_await(NULL, 0));
    check_configured(configured);
    CHECK_TELLS(configured = pro_configure_await(pro_task_completed(), 64));
    check_configured(configured);
}
static void try_pro_configure_await_op(void)
{
    const unsigned before = told_count();
    const struct pro_configured_awaiter configured = pro_configure_await_op(NULL, 0);

    CHECK(told_count() > before);
    check_configured(configured);
}
static void try_pro_configure_await_awaiter(void)
{
    struct pro_configured_awaiter configured;

    CHECK_TELLS(configured = pro_configure_await_awaiter(hollow, 0));
    check_configured(configured);
}
static void try_pro_configure_await_again(void)
{
    struct pro_configured_awaiter configured;

    CHECK_TELLS(configured = pro_configure_await_again(pro_configure_await(pro_task_completed(), 0), 64));
    CHECK_EQ(configured.options, 0);
    CHECK_TELLS(configured = pro_configure_await_again((struct pro_configured_awaiter){ hollow, 0 }, 0));
    check_configured(configured);
}

/* ---- diagnostics.h ---- */

static void try_pro_report_blocked(void) { CHECK_MISUSE(pro_report_blocked(NULL, NULL), PRO_E_INVALID); }

/* ---- the table ---- */

#define TRY(name)                                                                                                      \
    {                                                                                                                  \
#name, try_##name                                                                                              \
    }
/* Any argument is legal, or there is none. */
#define ANY(name)                                                                                                      \
    {                                                                                                                  \
#name, NULL                                                                                                    \
    }

static const struct row {
    const char *name;
    void (*try)(void);
} rows[] = {
    TRY(pro_async_local_new),
    TRY(pro_async_local_unref),
    TRY(pro_async_local_get),
    TRY(pro_async_local_set),
    ANY(pro_execution_context_capture),
    TRY(pro_execution_context_ref),
    TRY(pro_execution_context_unref),
    TRY(pro_execution_context_run),
    TRY(pro_execution_context_restore),
    ANY(pro_execution_context_suppress_flow),
    TRY(pro_execution_context_undo_suppress),
    ANY(pro_execution_context_is_flow_suppressed),
    TRY(pro_continuation_init),
    TRY(pro_continuation_capture),
    TRY(pro_continuation_run),
    TRY(pro_continuation_schedule),
    TRY(pro_continuation_abandon),
    TRY(pro_task_get_awaiter),
    TRY(pro_op_get_awaiter),
    TRY(pro_awaiter_is_completed),
    TRY(pro_awaiter_on_completed),
    TRY(pro_awaiter_unsafe_on_completed),
    TRY(pro_awaiter_get_result),
    ANY(pro_yield),
    TRY(pro_switch_to),
    TRY(pro_configure_await),
    TRY(pro_configure_await_op),
    TRY(pro_configure_await_awaiter),
    TRY(pro_configure_await_again),
    ANY(pro_version),
    ANY(pro_now),
    TRY(pro_set_allocator),
    ANY(pro_memory_trim),
    TRY(pro_set_thread_limit),
    TRY(pro_set_notice_handler),
    TRY(pro_cancellation_source_new),
    TRY(pro_cancellation_source_new_linked),
    TRY(pro_cancellation_source_ref),
    TRY(pro_cancellation_source_unref),
    TRY(pro_cancellation_source_token),
    TRY(pro_cancellation_source_cancel),
    TRY(pro_cancellation_source_cancel_after),
    TRY(pro_cancellation_token_can_be_canceled),
    TRY(pro_cancellation_token_is_canceled),
    TRY(pro_cancellation_register),
    TRY(pro_cancellation_unregister),
    TRY(pro_cancellation_unregister_wait),
    TRY(pro_work_run),
    TRY(pro_sync_context_init),
    TRY(pro_sync_context_ref),
    TRY(pro_sync_context_unref),
    ANY(pro_sync_context_current),
    TRY(pro_sync_context_set),
    TRY(pro_sync_context_post),
    TRY(pro_sync_context_post_work),
    TRY(pro_sync_context_send),
    ANY(pro_thread_id),
    TRY(pro_thread_set_name),
    TRY(pro_pump_new),
    TRY(pro_pump_free),
    TRY(pro_pump_context),
    TRY(pro_pump_run),
    TRY(pro_pump_run_until),
    TRY(pro_pump_run_pending),
    TRY(pro_pump_stop),
    TRY(pro_pump_pending),
    TRY(pro_request_context_new),
    TRY(pro_request_context_pending),
    TRY(pro_report_blocked),
    TRY(pro_err_name),
    TRY(pro_err_message),
    TRY(pro_error_new),
    TRY(pro_error_native),
    TRY(pro_error_of),
    TRY(pro_error_aggregate),
    ANY(pro_error_canceled),
    ANY(pro_error_is_of_token),
    TRY(pro_error_ref),
    TRY(pro_error_unref),
    TRY(pro_error_code),
    TRY(pro_error_native_code),
    TRY(pro_error_message),
    TRY(pro_error_origin),
    TRY(pro_error_inner_count),
    TRY(pro_error_inner),
    TRY(pro_set_misuse_handler),
    ANY(pro_misuse_count),
    TRY(pro_set_unhandled_handler),
    TRY(pro_set_unobserved_handler),
    TRY(pro_file_open),
    TRY(pro_read_at),
    TRY(pro_write_at),
    TRY(pro_file_sync),
    TRY(pro_file_close),
    TRY(pro_file_is_open),
    TRY(pro_file_size),
    TRY(pro_loop_new),
    TRY(pro_loop_free),
    TRY(pro_loop_run),
    TRY(pro_loop_run_until),
    TRY(pro_loop_run_once),
    TRY(pro_loop_stop),
    TRY(pro_loop_post),
    TRY(pro_loop_post_work),
    ANY(pro_loop_current),
    ANY(pro_loop_default),
    TRY(pro_loop_context),
    TRY(pro_loop_name),
    TRY(pro_loop_backend),
    TRY(pro_loop_backend_reason),
    TRY(pro_loop_now),
    TRY(pro_loop_get_stats),
    TRY(pro_run),
    ANY(pro_addr_loopback),
    ANY(pro_addr_any),
    TRY(pro_addr_parse),
    TRY(pro_addr_format),
    TRY(pro_listen),
    TRY(pro_accept),
    TRY(pro_accept_for),
    TRY(pro_connect),
    TRY(pro_recv),
    TRY(pro_send),
    TRY(pro_send_all),
    TRY(pro_shutdown),
    TRY(pro_close),
    TRY(pro_socket_is_open),
    TRY(pro_socket_local_addr),
    TRY(pro_socket_peer_addr),
    TRY(pro_socket_loop),
    TRY(pro_socket_set_abortive),
    TRY(pro_socket_set_buffers),
    TRY(pro_then),
    TRY(pro_start),
    TRY(pro_op_cancel),
    TRY(pro_nop),
    TRY(pro_op_error),
    TRY(pro_op_kind_name),
    TRY(pro_op_state_name),
    TRY(pro_task_scheduler_init),
    TRY(pro_task_scheduler_ref),
    TRY(pro_task_scheduler_unref),
    ANY(pro_task_scheduler_default),
    ANY(pro_task_scheduler_current),
    TRY(pro_pool_set_min_threads),
    TRY(pro_pool_set_max_threads),
    TRY(pro_pool_post),
    TRY(pro_pool_post_work),
    TRY(pro_pool_get_stats),
    ANY(pro_pool_is_worker),
    TRY(pro_task_ref),
    TRY(pro_task_unref),
    TRY(pro_forget),
    TRY(pro_borrow),
    TRY(pro_task_status),
    TRY(pro_task_status_name),
    TRY(pro_task_is_completed),
    TRY(pro_task_is_succeeded),
    TRY(pro_task_is_faulted),
    TRY(pro_task_is_canceled),
    TRY(pro_task_id),
    TRY(pro_task_set_name),
    TRY(pro_task_read),
    TRY(pro_task_error),
    TRY(pro_task_error_all),
    ANY(pro_task_completed),
    TRY(pro_task_from_result),
    TRY(pro_task_from_error),
    TRY(pro_task_from_canceled),
    ANY(pro_task_no_memory),
    TRY(pro_completion_source_new),
    TRY(pro_completion_source_free),
    TRY(pro_completion_source_task),
    TRY(pro_completion_source_set_result),
    TRY(pro_completion_source_set_error),
    TRY(pro_completion_source_set_canceled),
    TRY(pro_completion_source_try_set_result),
    TRY(pro_completion_source_try_set_error),
    TRY(pro_completion_source_try_set_canceled),
    TRY(pro_task_wait),
    TRY(pro_task_result),
    TRY(pro_task_get_result),
    TRY(pro_task_wait_all),
    TRY(pro_task_wait_any),
    TRY(pro_task_run),
    TRY(pro_task_run_async),
    TRY(pro_task_start_new),
    ANY(pro_task_new),
    ANY(pro_task_start),
    ANY(pro_task_run_synchronously),
    ANY(pro_task_then),
    ANY(pro_task_unwrap),
    ANY(pro_when_all_results),
    ANY(pro_when_all_settled),
    ANY(pro_race),
    TRY(pro_when_all),
    TRY(pro_when_any),
    TRY(pro_delay),
    TRY(pro_task_wait_async),
    TRY(pro_op_as_task),
    TRY(pro_sleep),
    TRY(pro_sleep_until),
};
enum { ROWS = sizeof rows / sizeof *rows, FUNCTIONS = sizeof public_functions / sizeof *public_functions };

TEST(every_function_of_the_headers_is_in_the_table)
{
    // Kills: a public function added without a row here; a row whose function is gone.
    for (size_t i = 0; i < FUNCTIONS; i++) {
        unsigned found = 0;

        for (size_t k = 0; k < ROWS; k++)
            found += strcmp(rows[k].name, public_functions[i]) == 0;
        if (found != 1)
            test_fail(__FILE__, __LINE__, "%s is in the table %u times", public_functions[i], found);
    }
    CHECK_EQ(ROWS, FUNCTIONS);
}

static void open_all(void)
{
    struct pro_op op = { 0 };

    loop_connect(loop, &pair);
    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, "arguments.tmp", PRO_OPEN_WRITE | PRO_OPEN_READ | PRO_OPEN_CREATE,
                                            &file, PRO_HOW_DEFAULT)) == PRO_OK);
}

static void check_all_are_open(void)
{
    char sent = 'x', received = 0;
    struct pro_op op = { 0 };

    CHECK_EQ(loop_answer(loop, pro_send(&op, &pair.client, &sent, 1, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(loop_answer(loop, pro_recv(&op, &pair.server, &received, 1, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(received, 'x');
    CHECK_EQ(loop_answer(loop, pro_write_at(&op, &file, &sent, 1, 0, PRO_HOW_DEFAULT)), 1);
}

TEST(wrong_arguments_are_answered_and_told_and_change_nothing)
{
    // Kills: any removed check of an argument in a public function.
    struct pro_loop_stats stats;

    told_listen();
    loop = loop_on("sim", "arguments", false);
    open_all();
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].try)
            rows[i].try();
    check_all_are_open();
    CHECK_EQ(pro_loop_get_stats(loop, &stats), PRO_OK);
    CHECK_EQ(stats.pending, 0);
    CHECK_EQ(stats.handles, 4);
    loop_end(loop);
    told_stop();
}
