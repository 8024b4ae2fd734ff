/* SPDX-License-Identifier: MIT */
/* For arguments.c: value_task.h, stream.h, periodic_timer.h and newer neighbours with arguments that they must not be given. */
#ifndef PROACT_TEST_ARGUMENTS_STREAMS_H
#define PROACT_TEST_ARGUMENTS_STREAMS_H

#include "arguments_ops.h"

/* A value task that fails with PRO_E_INVALID; one misuse is told. */
#define CHECK_VALUE_TASK(call) CHECK_TASK(pro_value_task_as_task(call))

/* ---- value_task.h ---- */

static const int an_int = 1;
static struct pro_value_task_source_core a_core;

static void try_pro_value_task_from_result(void) { CHECK_VALUE_TASK(pro_value_task_from_result(NULL, PRO_TYPE(int))); }
static void try_pro_value_task_from_task(void) { CHECK_VALUE_TASK(pro_value_task_from_task(NULL, PRO_NO_RESULT)); }
static void try_pro_value_task_from_error(void) { CHECK_VALUE_TASK(pro_value_task_from_error(NULL)); }
static void try_pro_value_task_from_canceled(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_VALUE_TASK(pro_value_task_from_canceled(pro_cancellation_source_token(source)));
    pro_cancellation_source_unref(source);
}
static void try_pro_value_task_from_source(void)
{
    struct pro_value_task_source empty = { NULL };

    CHECK_VALUE_TASK(pro_value_task_from_source(NULL, 0, PRO_NO_RESULT));
    CHECK_VALUE_TASK(pro_value_task_from_source(&empty, 0, PRO_NO_RESULT));
}
static void try_pro_value_task_status(void)
{
    struct pro_value_task stale = pro_value_task_source_core_task(&a_core, PRO_NO_RESULT);

    stale.version = 99;
    CHECK_MISUSE(pro_value_task_status(stale), PRO_E_STATE);
}
static void try_pro_value_task_status_name(void) { CHECK_STR(pro_value_task_status_name(-1), "unknown"); }
static void try_pro_value_task_get_result(void)
{
    CHECK_EQ(pro_value_task_get_result(PRO_VALUE_TASK(int, 1), NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_OK);
}
static void try_pro_value_task_borrow(void)
{
    struct pro_value_task second;

    CHECK_TELLS(second = pro_value_task_borrow(pro_value_task_source_core_task(&a_core, PRO_NO_RESULT)));
    CHECK(pro_value_task_is_faulted(second));
    CHECK_EQ(pro_value_task_get_result(second, NULL, PRO_NO_RESULT, NULL, PRO_HERE), PRO_E_STATE);
}
static void try_pro_value_task_source_core_version(void) { CHECK_MISUSE(pro_value_task_source_core_version(NULL), 0); }
static void try_pro_value_task_source_core_reset(void)
{
    CHECK_MISUSE(pro_value_task_source_core_reset(NULL), PRO_E_INVALID);
}
static void try_pro_value_task_source_core_set_result(void)
{
    CHECK_MISUSE(pro_value_task_source_core_set_result(NULL, &an_int, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_set_result(&a_core, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_set_result(&a_core, &a_core, PRO_TYPE(struct pro_value_task_source_core)),
                 PRO_E_INVALID);
}
static void try_pro_value_task_source_core_set_error(void)
{
    CHECK_MISUSE(pro_value_task_source_core_set_error(NULL, pro_error_of(PRO_E_IO)), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_set_error(&a_core, NULL), PRO_E_INVALID);
}
static void try_pro_value_task_source_core_get_status(void)
{
    CHECK_MISUSE(pro_value_task_source_core_get_status(NULL, 0), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_get_status(&a_core, 99), PRO_E_STATE);
}
static void try_pro_value_task_source_core_on_completed(void)
{
    struct pro_continuation unprepared = { .invoke = NULL };

    CHECK_MISUSE(pro_value_task_source_core_on_completed(NULL, &unprepared, 0, PRO_SOURCE_NO_FLAGS), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_on_completed(&a_core, NULL, 0, PRO_SOURCE_NO_FLAGS), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_on_completed(&a_core, &unprepared, 0, PRO_SOURCE_NO_FLAGS), PRO_E_INVALID);
}
static void try_pro_value_task_source_core_get_result(void)
{
    CHECK_MISUSE(pro_value_task_source_core_get_result(NULL, 0, NULL, PRO_NO_RESULT, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_value_task_source_core_get_result(&a_core, 0, NULL, PRO_NO_RESULT, NULL), PRO_E_STATE);
}
static void try_pro_value_task_source_core_task(void)
{
    CHECK_VALUE_TASK(pro_value_task_source_core_task(NULL, PRO_NO_RESULT));
}

static void try_pro_value_task_get_awaiter(void)
{
    CHECK_TELLS(CHECK(pro_awaiter_get_result(pro_value_task_get_awaiter(NULL), NULL, PRO_NO_RESULT, NULL) < 0));
}

/* ---- stream.h ---- */

static void try_pro_stream_move_next(void)
{
    struct pro_stream empty = { NULL };

    CHECK_VALUE_TASK(pro_stream_move_next(NULL));
    CHECK_VALUE_TASK(pro_stream_move_next(&empty));
}
static void try_pro_stream_current(void)
{
    struct pro_stream *const stream = pro_stream_from_error(pro_error_of(PRO_E_IO));
    int item;

    CHECK_MISUSE(pro_stream_current(NULL, &item, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_stream_current(stream, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(pro_stream_current(stream, &item, PRO_TYPE(int)), PRO_E_STATE);
    pro_value_task_drop(pro_stream_dispose(stream));
}
static void try_pro_stream_dispose(void) { CHECK_VALUE_TASK(pro_stream_dispose(NULL)); }
static void try_pro_when_each(void)
{
    struct pro_task *none = NULL;
    struct pro_stream *stream = NULL;

    CHECK_MISUSE(pro_when_each(&none, 1, PRO_TOKEN_NONE, &stream), PRO_E_INVALID);
    CHECK_MISUSE(pro_when_each(NULL, 1, PRO_TOKEN_NONE, &stream), PRO_E_INVALID);
    CHECK_MISUSE(pro_when_each(NULL, 0, PRO_TOKEN_NONE, NULL), PRO_E_INVALID);
    CHECK(stream == NULL);
}
static void try_pro_stream_from_error(void)
{
    struct pro_stream *stream;

    CHECK_TELLS(stream = pro_stream_from_error(NULL));
    pro_value_task_drop(pro_stream_dispose(stream));
}

/* ---- periodic_timer.h ---- */

static void try_pro_periodic_timer_new(void)
{
    struct pro_periodic_timer *timer;

    CHECK_MISUSE(pro_periodic_timer_new(PRO_MS(1), NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_periodic_timer_new(PRO_MS(1) - 1, &timer), PRO_E_INVALID);
}
static void try_pro_periodic_timer_wait(void) { CHECK_VALUE_TASK(pro_periodic_timer_wait(NULL, PRO_TOKEN_NONE)); }
static void try_pro_periodic_timer_dispose(void) { CHECK_MISUSE(pro_periodic_timer_dispose(NULL), PRO_E_INVALID); }
static void try_pro_periodic_timer_free(void) { pro_periodic_timer_free(NULL); }

/* ---- cancellation.h, task.h ---- */

static void try_pro_cancellation_source_dispose(void)
{
    CHECK_MISUSE(pro_cancellation_source_dispose(NULL), PRO_E_INVALID);
}
static void try_pro_cancellation_source_get_token(void)
{
    struct pro_cancellation_source *source = NULL;
    struct pro_cancellation_token token;

    CHECK_MISUSE(pro_cancellation_source_get_token(NULL, &token), PRO_E_INVALID);
    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_MISUSE(pro_cancellation_source_get_token(source, NULL), PRO_E_INVALID);
    pro_cancellation_source_unref(source);
}
static void try_pro_task_async_state(void) { CHECK(pro_task_async_state(NULL) == NULL); }
static void try_pro_task_options(void) { CHECK_EQ(pro_task_options(NULL), PRO_TASK_DEFAULT); }
static void try_pro_completion_source_set_state(void)
{
    CHECK_MISUSE(pro_completion_source_set_state(NULL, NULL), PRO_E_INVALID);
}

#endif
