/* SPDX-License-Identifier: MIT */
/* The rows of arguments.c for operations and what is below them: errors, cancellation, sockets, files, loops. Only arguments.c
 * includes this. */
#ifndef PROACT_TEST_ARGUMENTS_OPS_H
#define PROACT_TEST_ARGUMENTS_OPS_H

#include <proact/proact.h>

#include "loops.h"
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
static struct pro_error *no_then(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)arg, (void)ret_result;
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
    CHECK_STR(pro_err_name(-999), "unknown");
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

static void try_pro_error_token(void) { CHECK(!pro_cancellation_token_can_be_canceled(pro_error_token(NULL))); }

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

static void try_pro_error_canceled(void)
{
    const struct pro_cancellation_token none = { NULL };
    struct pro_error *const error = pro_error_canceled(NULL);

    CHECK_EQ(pro_error_code(error), PRO_E_CANCELED);
    CHECK_EQ(pro_error_code(pro_error_canceled(&none)), PRO_E_CANCELED); /* the immortal one */
    pro_error_unref(error);
}
static void try_pro_error_is_of_token(void)
{
    const struct pro_cancellation_token none = { NULL };

    CHECK(!pro_error_is_of_token(NULL, &none));
    CHECK(!pro_error_is_of_token(pro_error_of(PRO_E_CANCELED), NULL));
    CHECK(!pro_error_is_of_token(pro_error_of(PRO_E_CANCELED), &none));
}

/* ---- cancellation.h ---- */

static void try_pro_cancellation_source_new(void) { CHECK_MISUSE(pro_cancellation_source_new(NULL), PRO_E_INVALID); }

static void try_pro_cancellation_source_new_linked(void)
{
    struct pro_cancellation_source *source = NULL;

    CHECK_MISUSE(pro_cancellation_source_new_linked(NULL, 0, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_source_new_linked(NULL, 1, &source), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_source_new_linked(&PRO_TOKEN_NONE, 0, &source), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_source_new_linked(NULL, 0, &source), PRO_E_INVALID);
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

static void try_pro_cancellation_source_cancel_telling(void)
{
    struct pro_error *error = NULL;

    CHECK_MISUSE(pro_cancellation_source_cancel_telling(NULL, false, &error), PRO_E_INVALID);
    CHECK(error == NULL);
}
static void try_pro_cancellation_source_cancel_async(void) { CHECK_TASK(pro_cancellation_source_cancel_async(NULL)); }
static void try_pro_cancellation_source_try_reset(void)
{
    CHECK_TELLS(CHECK(!pro_cancellation_source_try_reset(NULL)));
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

static struct pro_error *no_failure(void *arg)
{
    (void)arg;
    return NULL;
}

static void try_pro_cancellation_register_callback(void)
{
    const struct pro_cancellation_callback none = { 0 }, one = { .callback = nothing },
                                           two = { .callback = nothing, .fallible = no_failure };
    struct pro_cancellation_registration registration = { 0 };

    CHECK_MISUSE(pro_cancellation_register_callback(PRO_TOKEN_NONE, NULL, &one), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_register_callback(PRO_TOKEN_NONE, &registration, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_register_callback(PRO_TOKEN_NONE, &registration, &none), PRO_E_INVALID);
    CHECK_MISUSE(pro_cancellation_register_callback(PRO_TOKEN_NONE, &registration, &two), PRO_E_INVALID);
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

static void try_pro_recv_lease(void)
{
    struct pro_op op = { 0 };
    struct pro_lease lease;

    CHECK_OP(pro_recv_lease(NULL, &pair.client, &lease, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv_lease(&op, NULL, &lease, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv_lease(&op, &never_opened, &lease, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv_lease(&op, &pair.listener, &lease, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv_lease(&op, &pair.client, NULL, PRO_HOW_DEFAULT));
    CHECK_OP(pro_recv_lease(&op, &pair.client, &lease, negative));
}

static void try_pro_lease_return(void)
{
    struct pro_lease empty = { 0 };

    CHECK_MISUSE(pro_lease_return(NULL), PRO_E_INVALID);
    CHECK_EQ(pro_lease_return(&empty), PRO_OK);
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
static void try_pro_loop_register_memory(void)
{
    static char memory[64];

    CHECK_MISUSE(pro_loop_register_memory(NULL, memory, sizeof memory), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_register_memory(loop, NULL, sizeof memory), PRO_E_INVALID);
    CHECK_MISUSE(pro_loop_register_memory(loop, memory, 0), PRO_E_INVALID);
}
static void try_pro_run(void)
{
    CHECK_MISUSE(pro_run(NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_run(no_main, NULL), PRO_E_INVALID);
}

#endif
