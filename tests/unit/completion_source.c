/* SPDX-License-Identifier: MIT */
/* TaskCompletionSource: the first completion wins, continuations run inside it, and a source that goes breaks its
 * promise. */
#include <proact/proact.h>

#include "gate.h"
#include "harness.h"
#include "told.h"

static struct pro_completion_source *source_new(struct pro_type type, unsigned options)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(type, options, &source) == PRO_OK);
    return source;
}

struct counting {
    PRO_FRAME;
    struct pro_task *task; /* borrowed */
    struct gate *resumed;
    uint64_t *thread;
    struct pro_completion_source *to_free;
};

PRO_ASYNC(counting_move_next, struct counting, self)
    PRO_AWAIT_STATUS(pro_borrow(self->task));
    *self->thread = pro_thread_id();
    pro_completion_source_free(self->to_free);
    gate_add(self->resumed);
    PRO_RETURN(int, PRO_STATUS);
PRO_ASYNC_END

static struct pro_task *counting_async(struct pro_task *task, struct gate *resumed, uint64_t *thread,
                                       struct pro_completion_source *to_free)
{
    struct counting *const self = PRO_NEW_FRAME(struct counting, counting_move_next, int);

    REQUIRE(self != NULL);
    self->task = task;
    self->resumed = resumed;
    self->thread = thread;
    self->to_free = to_free;
    return PRO_START(self);
}

static void check_resume(unsigned options, bool inside)
{
    struct pro_completion_source *const source = source_new(PRO_NO_RESULT, options);
    struct pro_task *const task = pro_completion_source_task(source);
    struct gate resumed = { 0 };
    uint64_t thread = 0;
    struct pro_task *const method = counting_async(task, &resumed, &thread, NULL);

    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    if (inside)
        CHECK_EQ(gate_count(&resumed), 1);
    gate_wait(&resumed, 1);
    CHECK_EQ(thread == pro_thread_id(), inside);
    CHECK_EQ(PRO_WAIT(method), PRO_OK);
    pro_task_unref(method);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

TEST(continuations_run_inside_the_set_unless_the_options_say_otherwise)
{
    // Kills: an option that is forgotten; a set that posts (SEM-181).
    check_resume(0, true);
    check_resume(PRO_TASK_ASYNC_CONTINUATIONS, false);
}

TEST(a_continuation_may_free_the_source_that_runs_it)
{
    // Kills: a set that touches its source after the continuations.
    struct pro_completion_source *const source = source_new(PRO_NO_RESULT, 0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct gate resumed = { 0 };
    uint64_t thread = 0;
    struct pro_task *const method = counting_async(task, &resumed, &thread, source);

    pro_task_unref(task);
    CHECK_EQ(pro_completion_source_set_canceled(source, PRO_TOKEN_NONE), PRO_OK);
    CHECK_EQ(gate_count(&resumed), 1);
    pro_task_unref(method);
}

TEST(each_outcome_is_what_it_says)
{
    // Kills: a cancellation error that cancels (SEM-176); an aggregate that hides its errors (SEM-183).
    struct pro_error *errors[2] = { pro_error_new(PRO_E_IO, PRO_HERE, "a"), pro_error_new(PRO_E_RESET, PRO_HERE, "b") };
    struct pro_completion_source *sources[4];
    struct pro_task *tasks[4];

    for (int i = 0; i < 4; i++) {
        sources[i] = source_new(PRO_TYPE(int), 0);
        tasks[i] = pro_completion_source_task(sources[i]);
    }
    CHECK_EQ(pro_completion_source_set_error(sources[0], pro_error_of(PRO_E_CANCELED)), PRO_OK);
    CHECK(pro_task_is_faulted(tasks[0]));
    CHECK_EQ(pro_completion_source_set_canceled(sources[1], PRO_TOKEN_NONE), PRO_OK);
    CHECK(pro_task_is_canceled(tasks[1]));
    CHECK_EQ(pro_completion_source_set_error(sources[2], pro_error_aggregate(errors, 2)), PRO_OK);
    CHECK_EQ(pro_error_code(pro_task_error(tasks[2])), PRO_E_IO); /* await gives the first */
    CHECK_EQ(pro_error_inner_count(pro_task_error_all(tasks[2])), 2);
    CHECK_EQ(pro_completion_source_try_set_error(sources[3], errors[0]), PRO_OK);
    CHECK(pro_task_error(tasks[3]) == errors[0]);
    CHECK(pro_task_error(tasks[0]) != NULL);
    for (int i = 0; i < 4; i++) {
        pro_task_unref(tasks[i]);
        pro_completion_source_free(sources[i]);
    }
    pro_error_unref(errors[1]);
}

TEST(a_list_with_a_hole_or_with_nothing_in_it_leaves_the_source_pending)
{
    // Kills: a task that faults with the refusal, and so can never be completed (SEM-183).
    struct pro_completion_source *const source = source_new(PRO_NO_RESULT, 0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_error *list[] = { pro_error_new(PRO_E_USER, PRO_HERE, "first"), NULL }, *whole;

    told_listen();
    CHECK_EQ(pro_completion_source_try_set_error(source, pro_error_aggregate(list, 2)), PRO_E_INVALID);
    CHECK_EQ(pro_completion_source_set_error(source, pro_error_aggregate(list, 2)), PRO_E_INVALID);
    CHECK_EQ(pro_completion_source_set_error(source, pro_error_aggregate(NULL, 0)), PRO_E_INVALID);
    CHECK_EQ(told_count(), 3); /* each told once */
    told_stop();
    CHECK(!pro_task_is_completed(task));
    whole = pro_error_aggregate(list, 1);
    CHECK_EQ(pro_completion_source_set_error(source, whole), PRO_OK);
    CHECK(pro_task_error(task) == list[0]);
    pro_error_unref(list[0]);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

TEST(a_source_that_goes_breaks_its_promise)
{
    // Kills: awaiters that wait for ever for a source that is gone (SEM-184).
    struct pro_completion_source *const source = source_new(PRO_NO_RESULT, 0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct gate resumed = { 0 };
    uint64_t thread = 0;
    struct pro_task *const method = counting_async(task, &resumed, &thread, NULL);
    int status = 0;

    pro_completion_source_free(source);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_BROKEN_PROMISE);
    CHECK_EQ(pro_task_read(method, &status, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(status, PRO_E_BROKEN_PROMISE);
    pro_task_unref(task);
    pro_task_unref(method);
}

TEST(a_completed_source_may_go_without_a_word)
{
    // Kills: a free that faults, or frees, what was completed.
    struct pro_completion_source *const source = source_new(PRO_TYPE(int), 0);
    struct pro_task *const task = pro_completion_source_task(source);
    const int value = 3;
    int read = 0;

    CHECK_EQ(pro_completion_source_set_result(source, &value, PRO_TYPE(int)), PRO_OK);
    pro_completion_source_free(source);
    CHECK_EQ(pro_task_read(task, &read, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(read, 3);
    pro_task_unref(task);
}
