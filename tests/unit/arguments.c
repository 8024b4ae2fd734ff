/* SPDX-License-Identifier: MIT */
/* Every public function, with arguments that it must not be given: it answers PRO_E_INVALID, or what its header says,
 * tells the misuse handler, and never crashes. The list of functions is made from the headers, so that none can be left
 * out. */
#include "arguments_coordination.h"
#include "arguments_ops.h"
#include "arguments_schedulers.h"
#include "arguments_streams.h"
#include "arguments_tasks.h"
#include "public_functions.h"

/* ---- the table ---- */

/* clang-format off */
#define TRY(name) { #name, try_##name }
/* Any argument is legal, or there is none. */
#define ANY(name) { #name, NULL }

static const struct row {
    const char *name;
    void (*try)(void);
} rows[] = {
    TRY(pro_async_local_new), TRY(pro_async_local_unref), TRY(pro_async_local_get), TRY(pro_async_local_set),
    ANY(pro_execution_context_capture), TRY(pro_execution_context_ref), TRY(pro_execution_context_unref),
    TRY(pro_execution_context_run), TRY(pro_execution_context_restore), ANY(pro_execution_context_suppress_flow),
    TRY(pro_execution_context_undo_suppress), ANY(pro_execution_context_is_flow_suppressed),
    TRY(pro_continuation_init), TRY(pro_continuation_capture), TRY(pro_continuation_run),
    TRY(pro_continuation_schedule), TRY(pro_continuation_abandon), TRY(pro_task_get_awaiter), TRY(pro_op_get_awaiter),
    TRY(pro_awaiter_is_completed), TRY(pro_awaiter_on_completed), TRY(pro_awaiter_unsafe_on_completed),
    TRY(pro_awaiter_get_result), ANY(pro_yield), TRY(pro_switch_to), TRY(pro_configure_await), TRY(pro_configure_await_kept),
    TRY(pro_configure_await_op), TRY(pro_configure_await_awaiter), TRY(pro_configure_await_again), ANY(pro_version),
    ANY(pro_now), TRY(pro_set_allocator), ANY(pro_memory_trim), TRY(pro_set_thread_limit),
    TRY(pro_set_notice_handler), TRY(pro_cancellation_source_new), TRY(pro_cancellation_source_new_linked),
    TRY(pro_cancellation_source_ref), TRY(pro_cancellation_source_unref), TRY(pro_cancellation_source_token),
    TRY(pro_cancellation_source_cancel), TRY(pro_cancellation_source_cancel_telling),
    TRY(pro_cancellation_source_cancel_async), TRY(pro_cancellation_source_try_reset),
    TRY(pro_cancellation_source_cancel_after), TRY(pro_cancellation_token_can_be_canceled),
    TRY(pro_cancellation_token_is_canceled), TRY(pro_cancellation_register), TRY(pro_cancellation_register_callback),
    TRY(pro_cancellation_unregister), TRY(pro_cancellation_unregister_wait), TRY(pro_work_run),
    TRY(pro_sync_context_init), TRY(pro_sync_context_ref), TRY(pro_sync_context_unref), ANY(pro_sync_context_current),
    TRY(pro_sync_context_set), TRY(pro_sync_context_post), TRY(pro_sync_context_post_work),
    TRY(pro_sync_context_send), TRY(pro_sync_context_operation_started), TRY(pro_sync_context_operation_completed),
    ANY(pro_thread_id), TRY(pro_thread_set_name), TRY(pro_pump_new), TRY(pro_pump_free),
    TRY(pro_pump_context), TRY(pro_pump_run), TRY(pro_pump_run_until), TRY(pro_pump_run_pending), TRY(pro_pump_stop),
    TRY(pro_pump_pending), TRY(pro_request_context_new), TRY(pro_request_context_pending), TRY(pro_request_context_end), TRY(pro_cancellation_unregister_async),
    TRY(pro_task_current_id), TRY(pro_task_report_unobserved), TRY(pro_report_blocked),
    TRY(pro_report_incomplete), TRY(pro_active_tasks_for_each), TRY(pro_active_task_from_id),
    TRY(pro_trace_set_listener), TRY(pro_trace_kind_name), ANY(pro_async_debugging_enable), ANY(pro_activity_id),
    ANY(pro_activity_set_id), ANY(pro_activity_new_id),
    TRY(pro_err_name), TRY(pro_err_message), TRY(pro_error_new), TRY(pro_error_native), TRY(pro_error_of),
    TRY(pro_error_aggregate), TRY(pro_error_canceled), TRY(pro_error_is_of_token), TRY(pro_error_token), TRY(pro_error_ref),
    TRY(pro_error_unref), TRY(pro_error_code), TRY(pro_error_native_code), TRY(pro_error_message),
    TRY(pro_error_origin), TRY(pro_error_inner_count), TRY(pro_error_inner), TRY(pro_set_misuse_handler),
    ANY(pro_misuse_count), TRY(pro_set_unhandled_handler), TRY(pro_set_unobserved_handler), TRY(pro_file_open),
    TRY(pro_read_at), TRY(pro_write_at), TRY(pro_file_sync), TRY(pro_file_close), TRY(pro_file_is_open),
    TRY(pro_file_size), TRY(pro_loop_new), TRY(pro_loop_free), TRY(pro_loop_run), TRY(pro_loop_run_until),
    TRY(pro_loop_run_once), TRY(pro_loop_stop), TRY(pro_loop_post), TRY(pro_loop_post_work), ANY(pro_loop_current),
    ANY(pro_loop_default), TRY(pro_loop_context), TRY(pro_loop_name), TRY(pro_loop_backend),
    TRY(pro_loop_backend_reason), TRY(pro_loop_now), TRY(pro_loop_get_stats), TRY(pro_loop_register_memory), TRY(pro_run), ANY(pro_addr_loopback),
    ANY(pro_addr_any), TRY(pro_addr_parse), TRY(pro_addr_format), TRY(pro_listen), TRY(pro_accept),
    TRY(pro_accept_for), TRY(pro_connect), TRY(pro_recv), TRY(pro_recv_lease), TRY(pro_lease_return),
    TRY(pro_send), TRY(pro_send_all), TRY(pro_shutdown),
    TRY(pro_close), TRY(pro_socket_is_open), TRY(pro_socket_local_addr), TRY(pro_socket_peer_addr),
    TRY(pro_socket_loop), TRY(pro_socket_set_abortive), TRY(pro_socket_set_buffers), TRY(pro_then), TRY(pro_start),
    TRY(pro_op_cancel), TRY(pro_nop), TRY(pro_op_error), TRY(pro_op_kind_name), TRY(pro_op_state_name),
    TRY(pro_task_scheduler_try_execute), TRY(pro_task_scheduler_init), TRY(pro_task_scheduler_ref), TRY(pro_task_scheduler_unref),
    ANY(pro_task_scheduler_default), ANY(pro_task_scheduler_current), TRY(pro_pool_set_min_threads),
    TRY(pro_pool_set_max_threads), TRY(pro_pool_post), TRY(pro_pool_post_work), TRY(pro_pool_get_stats),
    ANY(pro_pool_is_worker), TRY(pro_task_ref), TRY(pro_task_unref), TRY(pro_forget), TRY(pro_borrow),
    TRY(pro_task_status), TRY(pro_task_status_name), TRY(pro_task_is_completed), TRY(pro_task_is_succeeded),
    TRY(pro_task_is_faulted), TRY(pro_task_is_canceled), TRY(pro_task_id), TRY(pro_task_set_name), TRY(pro_task_read),
    TRY(pro_task_error), TRY(pro_task_error_all), ANY(pro_task_completed), TRY(pro_task_from_result),
    TRY(pro_task_from_error), TRY(pro_task_from_canceled), ANY(pro_task_no_memory), TRY(pro_completion_source_new),
    TRY(pro_completion_source_free), TRY(pro_completion_source_task), TRY(pro_completion_source_set_result),
    TRY(pro_completion_source_set_error), TRY(pro_completion_source_set_canceled),
    TRY(pro_completion_source_try_set_result), TRY(pro_completion_source_try_set_error),
    TRY(pro_completion_source_try_set_canceled), TRY(pro_task_wait), TRY(pro_task_result), TRY(pro_task_get_result),
    TRY(pro_task_wait_all), TRY(pro_task_wait_any), TRY(pro_task_run), TRY(pro_task_run_async),
    TRY(pro_task_start_new), TRY(pro_task_new), TRY(pro_task_start), TRY(pro_task_run_synchronously),
    TRY(pro_task_then), TRY(pro_task_unwrap), TRY(pro_when_all_results), TRY(pro_when_all_settled), TRY(pro_race),
    TRY(pro_when_all), TRY(pro_when_any), TRY(pro_delay), TRY(pro_task_wait_async), TRY(pro_op_as_task),
    TRY(pro_sleep), TRY(pro_sleep_until),
    TRY(pro_task_dispose), TRY(pro_task_scheduler_from_current_context), ANY(pro_task_scheduler_inline),
    TRY(pro_limited_scheduler_new), TRY(pro_exclusive_pair_new), TRY(pro_exclusive_pair_free),
    TRY(pro_exclusive_pair_exclusive), TRY(pro_exclusive_pair_concurrent), TRY(pro_exclusive_pair_complete),
    TRY(pro_exclusive_pair_completion), TRY(pro_serial_context_new), TRY(pro_parallel_for), TRY(pro_for_each_async),
    TRY(pro_mailbox_new), TRY(pro_mailbox_ref), TRY(pro_mailbox_unref), TRY(pro_mailbox_post),
    TRY(pro_mailbox_pending), TRY(pro_mailbox_complete), TRY(pro_mailbox_stop), TRY(pro_mailbox_completion),
    TRY(pro_progress_new), TRY(pro_progress_ref), TRY(pro_progress_unref), TRY(pro_progress_report),
    TRY(pro_semaphore_new), TRY(pro_semaphore_free), TRY(pro_semaphore_wait_async), TRY(pro_semaphore_wait),
    TRY(pro_semaphore_try_wait), TRY(pro_semaphore_release), TRY(pro_semaphore_count), TRY(pro_async_mutex_new),
    TRY(pro_async_mutex_free), TRY(pro_async_mutex_lock_async), TRY(pro_async_mutex_try_lock),
    TRY(pro_async_mutex_unlock), TRY(pro_async_rwlock_new), TRY(pro_async_rwlock_free),
    TRY(pro_async_rwlock_read_async), TRY(pro_async_rwlock_write_async), TRY(pro_async_rwlock_read_unlock),
    TRY(pro_async_rwlock_write_unlock), TRY(pro_async_event_new), TRY(pro_async_event_free), TRY(pro_async_event_set),
    TRY(pro_async_event_reset), TRY(pro_async_event_is_set), TRY(pro_async_event_wait_async),
    TRY(pro_async_barrier_new), TRY(pro_async_barrier_free), TRY(pro_async_barrier_signal_and_wait_async),
    TRY(pro_async_barrier_phase), TRY(pro_async_barrier_remaining), TRY(pro_countdown_new), TRY(pro_countdown_free),
    TRY(pro_countdown_signal), TRY(pro_countdown_add), TRY(pro_countdown_count), TRY(pro_countdown_wait_async),
    TRY(pro_countdown_wait), TRY(pro_channel_new), TRY(pro_channel_free), TRY(pro_channel_try_write),
    TRY(pro_channel_write_async), TRY(pro_channel_wait_to_write_async), TRY(pro_channel_complete),
    TRY(pro_channel_try_read), TRY(pro_channel_try_peek), TRY(pro_channel_read_async),
    TRY(pro_channel_wait_to_read_async), TRY(pro_channel_count), TRY(pro_channel_completion), ANY(pro_error_caused_by),
    TRY(pro_value_task_from_result), TRY(pro_value_task_from_task), TRY(pro_value_task_from_error),
    TRY(pro_value_task_from_canceled), TRY(pro_value_task_from_source), TRY(pro_value_task_status),
    TRY(pro_value_task_status_name), ANY(pro_value_task_is_completed), ANY(pro_value_task_is_succeeded),
    ANY(pro_value_task_is_faulted), ANY(pro_value_task_is_canceled), TRY(pro_value_task_get_result),
    ANY(pro_value_task_as_task), ANY(pro_value_task_preserve), TRY(pro_value_task_borrow), ANY(pro_value_task_drop),
    TRY(pro_value_task_source_core_version), TRY(pro_value_task_source_core_reset),
    TRY(pro_value_task_source_core_set_result), TRY(pro_value_task_source_core_set_error),
    TRY(pro_value_task_source_core_get_status), TRY(pro_value_task_source_core_on_completed),
    TRY(pro_value_task_source_core_get_result), TRY(pro_value_task_source_core_task),
    TRY(pro_value_task_get_awaiter), ANY(pro_configure_await_value), TRY(pro_stream_move_next), TRY(pro_stream_current),
    TRY(pro_stream_dispose), TRY(pro_when_each), TRY(pro_stream_from_error), TRY(pro_periodic_timer_new),
    TRY(pro_periodic_timer_wait), TRY(pro_periodic_timer_dispose), TRY(pro_periodic_timer_free),
    TRY(pro_cancellation_source_dispose), TRY(pro_cancellation_source_get_token), TRY(pro_task_async_state),
    TRY(pro_task_options), TRY(pro_completion_source_set_state),
};
/* clang-format on */
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
    REQUIRE(
        loop_answer(loop, pro_file_open(&op, loop, "arguments.tmp", PRO_OPEN_WRITE | PRO_OPEN_READ | PRO_OPEN_CREATE,
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
