/* SPDX-License-Identifier: MIT */
/* The rows of arguments.c for contexts, schedulers, tasks and awaiters. Only arguments.c includes this. */
#ifndef PROACT_TEST_ARGUMENTS_TASKS_H
#define PROACT_TEST_ARGUMENTS_TASKS_H

#include "arguments_ops.h"

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
static void try_pro_task_scheduler_try_execute(void) { CHECK_TELLS(CHECK(!pro_task_scheduler_try_execute(NULL))); }
static void try_pro_sync_context_operation_started(void) { CHECK_TELLS(pro_sync_context_operation_started(NULL)); }
static void try_pro_sync_context_operation_completed(void) { CHECK_TELLS(pro_sync_context_operation_completed(NULL)); }
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
static void try_pro_task_current_id(void) { CHECK_EQ(pro_task_current_id(), 0); } /* no arguments */
static void try_pro_task_report_unobserved(void) { CHECK(pro_task_report_unobserved() >= 0); } /* no arguments */
static void ended_never(struct pro_error *error, void *user) { (void)error, (void)user; }
static void try_pro_request_context_end(void)
{
    CHECK_MISUSE(pro_request_context_end(NULL, ended_never, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_request_context_end(pro_loop_context(loop), ended_never, NULL), PRO_E_INVALID);
}
static void try_pro_cancellation_unregister_async(void)
{
    struct pro_cancellation_registration never = { 0 };
    struct pro_task *task = pro_cancellation_unregister_async(&never);

    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    CHECK_TASK(pro_cancellation_unregister_async(NULL));
}
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
    CHECK_EQ(pro_task_wait_any(NULL, 0, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_TIMEOUT);
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
static void try_pro_task_new(void)
{
    CHECK_TASK(pro_task_new(NULL, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0));
    CHECK_TASK(pro_task_new(no_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 1u << 20));
}
/* A cold task, a wrong scheduler, and then the right one. */
static void try_start(int (*start)(struct pro_task *task, struct pro_task_scheduler *scheduler))
{
    struct pro_task_scheduler broken = { .vtable = NULL };
    struct pro_task *const task = pro_task_new(no_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0);

    CHECK_MISUSE(start(NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(start(task, &broken), PRO_E_INVALID);
    CHECK_MISUSE(start(pro_task_completed(), NULL), PRO_E_STATE);
    CHECK_EQ(start(task, NULL), PRO_OK);
    CHECK_MISUSE(start(task, NULL), PRO_E_STATE);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_task_unref(task);
}
static void try_pro_task_start(void) { try_start(pro_task_start); }
static void try_pro_task_run_synchronously(void) { try_start(pro_task_run_synchronously); }
static void try_pro_task_then(void)
{
    struct pro_task *const done = pro_task_completed();
    struct pro_task_scheduler broken = { .vtable = NULL };

    CHECK_TASK(pro_task_then(NULL, no_then, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, NULL));
    CHECK_TASK(pro_task_then(done, NULL, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, NULL));
    CHECK_TASK(pro_task_then(done, no_then, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 1u << 20, NULL));
    CHECK_TASK(pro_task_then(done, no_then, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, &broken));
    CHECK_TASK(pro_task_then(done, no_then, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE,
                             PRO_THEN_NOT_ON_SUCCESS | PRO_THEN_NOT_ON_FAULT | PRO_THEN_NOT_ON_CANCEL, NULL));
}
static void try_pro_task_unwrap(void)
{
    CHECK_TASK(pro_task_unwrap(NULL, PRO_NO_RESULT));
    CHECK_TASK(pro_task_unwrap(pro_task_completed(), PRO_NO_RESULT)); /* no task in it */
}
static void try_pro_when_all_results(void)
{
    CHECK_TASK(pro_when_all_results(NULL, 1, PRO_TYPE(int)));
    CHECK_TASK(pro_when_all_results((struct pro_task *const[]){ NULL }, 1, PRO_TYPE(int)));
}
static void try_pro_when_all_settled(void) { CHECK_TASK(pro_when_all_settled(NULL, 1)); }
static void try_pro_race(void)
{
    CHECK_TASK(pro_race(NULL, 0, PRO_TYPE(int)));
    CHECK_TASK(pro_race((struct pro_task *const[]){ NULL }, 1, PRO_TYPE(int)));
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
    struct pro_continuation continuation = { .invoke = NULL };

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
    struct pro_continuation continuation = { .invoke = NULL };

    CHECK_MISUSE(pro_awaiter_on_completed(hollow, &continuation, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_awaiter_on_completed(pro_yield(), NULL, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_awaiter_on_completed(pro_yield(), &continuation, 0), PRO_E_INVALID);
}
static void try_pro_awaiter_unsafe_on_completed(void)
{
    struct pro_continuation continuation = { .invoke = NULL };

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
static void try_pro_configure_await_kept(void)
{
    struct pro_configured_awaiter configured;

    CHECK_TELLS(configured = pro_configure_await_kept(pro_keep(NULL), 0));
    check_configured(configured);
    CHECK_TELLS(configured = pro_configure_await_kept(pro_keep(pro_task_completed()), 64));
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
static void try_pro_report_incomplete(void) { CHECK_MISUSE(pro_report_incomplete(NULL, NULL), PRO_E_INVALID); }
static void try_pro_active_tasks_for_each(void) { CHECK_MISUSE(pro_active_tasks_for_each(NULL, NULL), PRO_E_INVALID); }
static void try_pro_active_task_from_id(void) { CHECK(pro_active_task_from_id(0) == NULL); }
static void try_pro_trace_set_listener(void) { pro_trace_set_listener(NULL, NULL); }
static void try_pro_trace_kind_name(void) { CHECK_STR(pro_trace_kind_name((enum pro_trace_kind)-1), "unknown"); }

#endif
