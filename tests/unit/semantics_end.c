/* SPDX-License-Identifier: MIT */
/* How things end: a request with its operations, a registration whose callback runs, tasks nobody looked at; and the current task. */
#include "gate.h"
#include "harness.h"

#include <proact/proact.h>

static struct pro_error *fail(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    return pro_error_new(PRO_E_USER, PRO_HERE, "nobody looked");
}

static int told;
static void count_unobserved(struct pro_task *task, struct pro_error *aggregate, void *user)
{
    (void)user;
    CHECK(pro_task_is_faulted(task));
    CHECK_EQ(pro_error_code(pro_error_inner(aggregate, 0)), PRO_E_USER);
    told++;
}

static void wait_quietly(struct pro_task *task)
{
    while (!pro_task_is_completed(task))
        pro_task_wait_any(&task, 1, PRO_HOW_DEFAULT, PRO_HERE); /* does not observe */
}

TEST(the_sweep_tells_of_faulted_tasks_alive_once_and_not_of_those_looked_at)
{
    /* Kills: a task listed that was observed; one told twice, by the sweep and when it goes; one left in the list when freed. */
    struct pro_task *kept = pro_task_run(fail, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    struct pro_task *seen = pro_task_from_error(pro_error_new(PRO_E_USER, PRO_HERE, "seen"));
    struct pro_task *gone = pro_task_from_error(pro_error_new(PRO_E_USER, PRO_HERE, "gone"));

    told = 0;
    pro_set_unobserved_handler(count_unobserved, NULL);
    wait_quietly(kept);
    CHECK(pro_task_error(seen) != NULL);
    pro_task_unref(gone);
    CHECK_EQ(told, 1);
    CHECK_EQ(pro_task_report_unobserved(), 1);
    CHECK_EQ(told, 2);
    CHECK_EQ(pro_task_report_unobserved(), 0);
    pro_task_unref(kept);
    pro_task_unref(seen);
    CHECK_EQ(told, 2);
    pro_set_unobserved_handler(NULL, NULL);
}

static struct pro_error *tell_id(void *arg, void *ret_result)
{
    (void)arg;
    *(uint64_t *)ret_result = pro_task_current_id();
    return NULL;
}

TEST(the_current_id_is_that_of_the_running_delegate_and_else_0)
{
    /* Kills: an id outside of bodies. */
    struct pro_task *task = pro_task_run(tell_id, NULL, PRO_TYPE(uint64_t), PRO_TOKEN_NONE);
    uint64_t id = 0;

    CHECK_EQ(pro_task_current_id(), 0);
    CHECK_EQ(PRO_RESULT(task, &id), PRO_OK);
    CHECK(id != 0 && id == pro_task_id(task));
    pro_task_unref(task);
}

struct telling {
    PRO_FRAME;
    uint64_t *ids; /* in the call, after an await */
};

PRO_ASYNC(telling_move_next, struct telling, self)
    self->ids[0] = pro_task_current_id();
    PRO_AWAIT(pro_yield());
    self->ids[1] = pro_task_current_id();
PRO_ASYNC_END

static struct pro_task *telling_async(void *ids)
{
    struct telling *const self = PRO_NEW_FRAME_VOID(struct telling, telling_move_next);

    REQUIRE(self != NULL);
    self->ids = ids;
    return PRO_START(self);
}

TEST(an_async_body_on_the_pool_runs_under_its_tasks_id_until_it_first_suspends)
{
    /* SEM-013. Kills: no current task inside Task.Run of an async body; one that stays on the worker or in the resumed
     * method. */
    uint64_t ids[2] = { 1, 1 };
    struct pro_task *const task = pro_task_run_async(telling_async, ids, PRO_NO_RESULT, PRO_TOKEN_NONE);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK_EQ(ids[0], pro_task_id(task));
    CHECK_EQ(ids[1], 0);
    pro_task_unref(task);
}

TEST(an_async_body_whose_token_is_cancelled_already_is_cancelled_on_return)
{
    /* SEM-175. Kills: asking only when the pool comes to it; running the body. */
    struct pro_cancellation_source *source = NULL;
    uint64_t ids[2] = { 1, 1 };
    struct pro_pool_stats before, after;
    struct pro_cancellation_token token;
    struct pro_task *task;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    token = pro_cancellation_source_token(source);
    CHECK_EQ(pro_pool_get_stats(&before), PRO_OK);
    task = pro_task_run_async(telling_async, ids, PRO_NO_RESULT, token);
    CHECK(pro_task_is_canceled(task));
    CHECK_EQ(pro_pool_get_stats(&after), PRO_OK);
    CHECK_EQ(after.posted, before.posted);
    CHECK(pro_error_is_of_token(pro_task_error(task), &token));
    CHECK(ids[0] == 1 && ids[1] == 1);
    pro_task_unref(task);
    pro_cancellation_source_unref(source);
}

struct operation {
    PRO_FRAME;
    struct pro_task *until; /* borrowed */
};

PRO_ASYNC(operation_move_next, struct operation, self)
    PRO_AWAIT(pro_borrow(self->until));
    PRO_THROW_NEW(PRO_E_USER, "of the operation");
PRO_ASYNC_END

struct request {
    struct pro_sync_context *context;
    struct pro_task *until;
    struct gate ended;
    int code;
};

static void handle_request(void *arg)
{
    struct request *const request = arg;
    struct operation *const self = PRO_NEW_FRAME_VOID(struct operation, operation_move_next);

    self->until = request->until;
    PRO_START_VOID(self);
}

static void request_ended(struct pro_error *error, void *user)
{
    struct request *const request = user;

    request->code = pro_error_code(error);
    gate_add(&request->ended);
}

TEST(a_request_ends_after_its_async_void_operations_and_with_their_error)
{
    /* Kills: ending when the handler returns; counting an operation as over before its error is there. */
    struct pro_completion_source *source;
    struct request request = { .code = 1 };
    const int value = 1;

    REQUIRE(pro_request_context_new("request", &request.context) == PRO_OK);
    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
    request.until = pro_completion_source_task(source);
    CHECK_EQ(pro_sync_context_send(request.context, handle_request, &request), PRO_OK);
    CHECK_EQ(pro_request_context_end(request.context, request_ended, &request), PRO_OK);
    CHECK_EQ(gate_count(&request.ended), 0);
    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    gate_wait(&request.ended, 1);
    CHECK_EQ(request.code, PRO_E_USER);
    pro_task_unref(request.until);
    pro_completion_source_free(source);
    pro_sync_context_unref(request.context);
}

static struct gate running, may_return;
static void linger(void *arg)
{
    (void)arg;
    gate_add(&running);
    gate_wait(&may_return, 1);
}

static struct pro_error *cancel(void *arg, void *ret_result)
{
    (void)ret_result;
    pro_cancellation_source_cancel(arg);
    return NULL;
}

TEST(unregistering_asynchronously_completes_when_the_callback_has_returned)
{
    /* Kills: a task complete while the callback runs. */
    struct pro_cancellation_source *source;
    struct pro_cancellation_registration registration = { 0 };
    struct pro_task *canceller, *over;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, linger, NULL), PRO_OK);
    canceller = pro_task_run(cancel, source, PRO_NO_RESULT, PRO_TOKEN_NONE);
    gate_wait(&running, 1);
    over = pro_cancellation_unregister_async(&registration);
    CHECK(!pro_task_is_completed(over));
    gate_add(&may_return);
    CHECK_EQ(PRO_WAIT(over), PRO_OK);
    CHECK_EQ(PRO_WAIT(canceller), PRO_OK);
    pro_task_unref(over);
    pro_task_unref(canceller);
    pro_cancellation_source_unref(source);
}
