/* SPDX-License-Identifier: MIT */
/* Tasks: what can be asked of one, reading a result as what it is, and results that have an owner. */
#include <proact/proact.h>

#include "gate.h"
#include "harness.h"
#include "told.h"

/* ---- asking ---- */

TEST(a_task_tells_its_status)
{
    // Kills: a status that answers for another.
    struct pro_completion_source *source = NULL;
    struct pro_task *pending, *canceled = pro_task_from_canceled(PRO_TOKEN_NONE);
    struct pro_task *faulted = pro_task_from_error(pro_error_of(PRO_E_IO)), *done = pro_task_completed();

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    pending = pro_completion_source_task(source);
    CHECK_EQ(pro_task_status(pending), PRO_TASK_WAITING_FOR_ACTIVATION);
    CHECK(!pro_task_is_completed(pending) && !pro_task_is_succeeded(pending));
    CHECK(!pro_task_is_faulted(pending) && !pro_task_is_canceled(pending));
    CHECK(pro_task_error(pending) == NULL && pro_task_error_all(pending) == NULL);
    CHECK_EQ(pro_task_read(pending, NULL, PRO_NO_RESULT), PRO_E_STATE);
    CHECK(pro_task_is_completed(canceled) && pro_task_is_canceled(canceled));
    CHECK_EQ(pro_error_code(pro_task_error(canceled)), PRO_E_CANCELED);
    CHECK(pro_task_error_all(canceled) == NULL); /* only a fault has an aggregate */
    CHECK(pro_task_is_completed(faulted) && pro_task_is_faulted(faulted));
    CHECK_EQ(pro_error_code(pro_task_error(faulted)), PRO_E_IO);
    CHECK_EQ(pro_error_inner_count(pro_task_error_all(faulted)), 1);
    CHECK(pro_task_error_all(faulted) == pro_task_error_all(faulted));
    CHECK(pro_error_inner(pro_task_error_all(faulted), 0) == pro_task_error(faulted));
    CHECK(pro_task_is_completed(done) && pro_task_is_succeeded(done));
    CHECK(pro_task_error(done) == NULL);
    CHECK_STR(pro_task_status_name(PRO_TASK_CREATED), "Created");
    CHECK_STR(pro_task_status_name(PRO_TASK_RAN_TO_COMPLETION), "RanToCompletion");
    CHECK_STR(pro_task_status_name(PRO_TASK_FAULTED), "Faulted");
    pro_task_unref(pending);
    pro_completion_source_free(source);
    pro_task_unref(canceled);
    pro_task_unref(faulted);
}

TEST(the_first_error_stays_the_same_when_all_are_asked_for)
{
    // Kills: dropping the first error, which somebody was given, for the aggregate; asking that one for its code; a second aggregate.
    struct pro_error *const given = pro_error_new(PRO_E_IO, PRO_HERE, "given");
    struct pro_task *task = pro_task_from_error(given);
    struct pro_error *all;

    CHECK(pro_task_error(task) == given);
    all = pro_task_error_all(task);
    CHECK_EQ(pro_error_code(all), PRO_E_AGGREGATE);
    CHECK(pro_error_inner(all, 0) == given && pro_task_error(task) == given);
    CHECK_EQ(pro_error_code(given), PRO_E_IO);
    CHECK(pro_task_error_all(task) == all);
    CHECK_EQ(pro_task_read(task, NULL, PRO_NO_RESULT), PRO_E_IO);
    pro_task_unref(task);
    all = pro_error_aggregate(&(struct pro_error *){ pro_error_of(PRO_E_PIPE) }, 1);
    task = pro_task_from_error(all); /* an aggregate that was given as an error is one */
    CHECK(pro_task_error(task) == all && pro_error_inner(pro_task_error_all(task), 0) == all);
    pro_task_unref(task);
}

TEST(the_immortal_tasks_take_any_number_of_unrefs)
{
    // Kills: an immortal task that is counted, or whose error is.
    for (int i = 0; i < 10; i++) {
        pro_task_unref(pro_task_completed());
        pro_forget(pro_task_no_memory());
    }
    CHECK(pro_task_is_succeeded(pro_task_completed()));
    CHECK_EQ(pro_error_code(pro_task_error(pro_task_no_memory())), PRO_E_NO_MEMORY);
    CHECK_EQ(PRO_WAIT(pro_task_no_memory()), PRO_E_AGGREGATE);
}

enum { READERS = 4 };

struct id_reader {
    struct pro_task *task;
    struct gate *start;
    uint64_t id;
};

static void read_id(void *arg)
{
    struct id_reader *const reader = arg;

    gate_wait(reader->start, 1);
    reader->id = pro_task_id(reader->task);
}

TEST(a_task_has_one_number_whoever_reads_it)
{
    // Kills: a number that is 0, given anew, or given twice.
    for (int round = 0; round < 100; round++) {
        const int value = 0;
        struct pro_task *const task = pro_task_from_result(&value, PRO_TYPE(int));
        struct pro_task *const other = pro_task_from_result(&value, PRO_TYPE(int));
        struct id_reader readers[READERS];
        struct proi_thread threads[READERS];
        struct gate start = { 0 };

        for (int i = 0; i < READERS; i++) {
            readers[i] = (struct id_reader){ task, &start, 0 };
            REQUIRE(proi_thread_start(&threads[i], "reader", read_id, &readers[i], 0) == PRO_OK);
        }
        gate_add(&start);
        for (int i = 0; i < READERS; i++) {
            proi_thread_join(&threads[i]);
            CHECK_EQ(readers[i].id, pro_task_id(task));
        }
        CHECK(pro_task_id(task) != 0);
        CHECK(pro_task_id(task) != pro_task_id(other));
        pro_task_unref(task);
        pro_task_unref(other);
    }
}

/* ---- results ---- */

struct point {
    double x, y;
};

TEST(a_result_is_read_as_what_it_is)
{
    // Kills: a read that compares the size alone, or nothing.
    const int value = -7;
    const struct point point = { 1.5, 2.5 };
    struct pro_task *const number = pro_task_from_result(&value, PRO_TYPE(int));
    struct pro_task *const place = pro_task_from_result(&point, PRO_TYPE(struct point));
    int read = 0;
    unsigned wrong = 11;
    struct point at = { 0, 0 };
    char bytes[sizeof(struct point)];

    CHECK_EQ(pro_task_read(number, &wrong, PRO_TYPE(unsigned)), PRO_E_TYPE);
    CHECK_EQ(wrong, 11);
    CHECK_EQ(pro_task_read(number, &at, PRO_TYPE(struct point)), PRO_E_TYPE);
    CHECK_EQ(pro_task_read(number, &wrong, (struct pro_type){ sizeof wrong, 0 }),
             PRO_OK); /* untagged: the size decides */
    CHECK_EQ(pro_task_read(number, &read, PRO_TYPE_OF(&read)), PRO_OK);
    CHECK_EQ(read, -7);
    CHECK_EQ(pro_task_read(number, &read, PRO_TYPE_OF(&read)), PRO_OK); /* a plain result may be read again */
    CHECK_EQ(pro_task_read(place, &at, PRO_TYPE(struct point)), PRO_OK);
    CHECK(at.x == 1.5 && at.y == 2.5);
    CHECK_EQ(pro_task_read(place, bytes, (struct pro_type){ sizeof bytes, 0 }), PRO_OK);
    CHECK_EQ(pro_task_read(pro_task_completed(), &read, PRO_TYPE(int)), PRO_E_TYPE);
    CHECK_EQ(pro_task_read(pro_task_completed(), NULL, PRO_NO_RESULT), PRO_OK);
    pro_task_unref(number);
    pro_task_unref(place);
}

TEST(reading_a_failed_task_gives_its_code)
{
    // Kills: a read that copies what was never written.
    struct pro_task *const faulted = pro_task_from_error(pro_error_new(PRO_E_USER - 1, PRO_HERE, "no"));
    int value = 5;

    CHECK_EQ(pro_task_read(faulted, &value, PRO_TYPE(int)), PRO_E_USER - 1);
    CHECK_EQ(value, 5);
    pro_task_unref(faulted);
}

/* ---- errors that nobody looks at ---- */

static struct {
    int count, code;
} unobserved;

static void count_unobserved(struct pro_task *task, struct pro_error *aggregate, void *user)
{
    (void)task, (void)user;
    unobserved.count++;
    unobserved.code = pro_error_code(pro_error_inner(aggregate, 0));
}

TEST(an_error_that_nobody_looked_at_is_told_once)
{
    // Kills: a look that is not noted; an error told although somebody looked; a success that is told.
    struct pro_task *task;
    int value = 0;

    unobserved.count = 0;
    pro_set_unobserved_handler(count_unobserved, NULL);
    pro_task_unref(pro_task_from_error(pro_error_of(PRO_E_IO)));
    CHECK_EQ(unobserved.count, 1);
    CHECK_EQ(unobserved.code, PRO_E_IO);
    pro_forget(pro_task_from_error(pro_error_of(PRO_E_RESET)));
    CHECK_EQ(unobserved.count, 2);
    for (int look = 0; look < 5; look++) {
        task = pro_task_from_error(pro_error_of(PRO_E_IO));
        if (look == 0)
            pro_task_error(task);
        else if (look == 1)
            pro_task_error_all(task);
        else if (look == 2)
            CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_E_IO);
        else if (look == 3)
            CHECK_EQ(PRO_WAIT(task), PRO_E_AGGREGATE);
        else
            CHECK_EQ(PRO_GET_RESULT(task, &value), PRO_E_IO);
        pro_task_unref(task);
        CHECK_EQ(unobserved.count, 2);
    }
    pro_task_unref(pro_task_from_canceled(PRO_TOKEN_NONE));
    task = pro_task_from_error(pro_error_of(PRO_E_IO));
    pro_task_is_faulted(task); /* asking for the status is no look (SEM-281) */
    pro_task_unref(task);
    CHECK_EQ(unobserved.count, 3);
    pro_set_unobserved_handler(NULL, NULL);
}

/* ---- results that have an owner ---- */

static struct {
    int dropped, sum;
    struct gate gate; /* each drop, for those that come from another thread */
} owners;

static void drop_int(void *result)
{
    owners.dropped++;
    owners.sum += *(int *)result;
    gate_add(&owners.gate);
}

enum how_to_end { END_PLAIN, END_AFTER_AWAIT, END_FINALLY_FAILS, END_FAILS };

struct owning {
    PRO_FRAME;
    enum how_to_end how;
    struct pro_task *gate; /* borrowed */
};

PRO_ASYNC(owning_move_next, struct owning, self)
    if (self->how == END_FAILS)
        PRO_THROW_NEW(PRO_E_IO, "before there is a result");
    if (self->how == END_AFTER_AWAIT)
        PRO_AWAIT(pro_borrow(self->gate));
    PRO_RETURN(int, 7);
PRO_FINALLY
    if (self->how == END_FINALLY_FAILS)
        PRO_THROW_NEW(PRO_E_IO, "after there was one");
PRO_ASYNC_END

static struct pro_task *owning_async(enum how_to_end how, struct pro_task *gate)
{
    struct owning *const self = PRO_NEW_FRAME(struct owning, owning_move_next, int);

    REQUIRE(self != NULL);
    self->how = how;
    self->gate = gate;
    PRO_ON_DROP(self, drop_int);
    return PRO_START(self);
}

static struct pro_task *owning_body(void *arg)
{
    (void)arg;
    return owning_async(END_PLAIN, NULL);
}

static void check_dropped(int count)
{
    CHECK_EQ(owners.dropped, count);
    CHECK_EQ(owners.sum, 7 * count);
    owners.dropped = owners.sum = 0;
}

TEST(a_result_that_nobody_takes_goes_to_its_drop_function_once)
{
    // Kills: a drop that is forgotten, or called for a result that never was.
    owners.dropped = owners.sum = 0;
    pro_task_unref(owning_async(END_PLAIN, NULL));
    check_dropped(1);
    pro_task_unref(owning_async(END_AFTER_AWAIT, pro_task_completed()));
    check_dropped(1);
    struct pro_task *task = owning_async(END_FINALLY_FAILS, NULL);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_IO);
    check_dropped(1);
    pro_task_unref(task);
    check_dropped(0);
    task = owning_async(END_FAILS, NULL);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_IO);
    pro_task_unref(task);
    check_dropped(0);
}

TEST(a_result_with_an_owner_is_taken_once)
{
    // Kills: a second reader who gets the same owner; a drop of what was taken; one of a read that failed.
    struct pro_task *const task = owning_async(END_PLAIN, NULL);
    float wrong = 0;
    int value = 0;

    owners.dropped = owners.sum = 0;
    CHECK_EQ(pro_task_read(task, &wrong, PRO_TYPE(float)), PRO_E_TYPE); /* it stays */
    CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(value, 7);
    CHECK_EQ(pro_task_read(task, &value, PRO_TYPE(int)), PRO_E_STATE);
    pro_task_unref(task);
    check_dropped(0);
}

/* Where the result of a task goes through another task. */
static void check_forwarded(struct pro_task *forwarding, bool take)
{
    uint32_t drops;
    int value = 0;

    CHECK_EQ(PRO_WAIT(forwarding), PRO_OK);
    if (take) {
        CHECK_EQ(pro_task_read(forwarding, &value, PRO_TYPE(int)), PRO_OK);
        CHECK_EQ(value, 7);
        CHECK_EQ(pro_task_read(forwarding, &value, PRO_TYPE(int)), PRO_E_STATE);
    }
    drops = gate_count(&owners.gate);
    pro_task_unref(forwarding);
    if (!take) /* its timer, on the background loop, may be the last to hold it */
        gate_wait(&owners.gate, drops + 1);
    check_dropped(take ? 0 : 1);
}

TEST(an_owner_moves_with_its_result_from_task_to_task)
{
    // Kills: a task that follows another and takes the result, but not what is to be done with it.
    owners.dropped = owners.sum = 0;
    for (int take = 0; take < 2; take++) {
        struct pro_completion_source *source = NULL;
        struct pro_task *gate, *inner, *outer;

        REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
        gate = pro_completion_source_task(source);
        inner = owning_async(END_AFTER_AWAIT, gate);
        outer = pro_task_wait_async(inner, PRO_WITHIN(PRO_S(600)));
        pro_task_unref(inner);
        CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
        check_forwarded(outer, take);
        pro_task_unref(gate);
        pro_completion_source_free(source);
    }
}

TEST(an_owner_moves_out_of_an_async_lambda)
{
    // Kills: the same for Task.Run of an async method.
    struct pro_task *task;
    int value = 0;

    owners.dropped = owners.sum = 0;
    task = pro_task_run_async(owning_body, NULL, PRO_TYPE(int), PRO_TOKEN_NONE);
    CHECK_EQ(PRO_RESULT(task, &value), PRO_OK);
    CHECK_EQ(value, 7);
    pro_task_unref(task);
    CHECK_EQ(owners.dropped, 0);
}
