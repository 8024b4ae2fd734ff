/* SPDX-License-Identifier: MIT */
/* When-all and when-any: what completes them, in which order their errors come, and that the losers keep nothing. */
#include <awaiters/internal.h>

#include <proact/proact.h>

#include "gate.h"
#include "harness.h"

enum { MEMBERS = 4 };

struct members {
    struct pro_completion_source *sources[MEMBERS];
    struct pro_task *tasks[MEMBERS];
};

static void members_new(struct members *members)
{
    for (int i = 0; i < MEMBERS; i++) {
        members->sources[i] = NULL;
        REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &members->sources[i]) == PRO_OK);
        members->tasks[i] = pro_completion_source_task(members->sources[i]);
    }
}

static void members_free(struct members *members)
{
    for (int i = 0; i < MEMBERS; i++) {
        pro_completion_source_free(members->sources[i]);
        pro_task_error(members->tasks[i]);
        pro_task_unref(members->tasks[i]);
    }
}

static void succeed(struct members *members, int i)
{
    CHECK_EQ(pro_completion_source_set_result(members->sources[i], &i, PRO_TYPE(int)), PRO_OK);
}
static void fail(struct members *members, int i, int code)
{
    CHECK_EQ(pro_completion_source_set_error(members->sources[i], pro_error_new(code, PRO_HERE, "member %d", i)),
             PRO_OK);
}
static void cancel(struct members *members, int i)
{
    CHECK_EQ(pro_completion_source_set_canceled(members->sources[i], PRO_TOKEN_NONE), PRO_OK);
}

/* How many continuations hang on a task; nobody else touches it. */
static size_t continuations_of(const struct pro_task *task)
{
    const uintptr_t slot = proi_load(&task->slot, PROI_ACQUIRE);
    const struct pro_continuation *it = task->more;
    size_t count = slot != PROI_SLOT_COMPLETED && slot & ~(PROI_SLOT_COMPLETED | PROI_SLOT_MANY) ? 1 : 0;

    if (it)
        do /* a ring */
            count++;
        while ((it = proi_continuation_next(it)) != task->more);
    return count;
}

/* ---- all ---- */

TEST(all_completes_with_the_last_in_any_order)
{
    // Kills: a when-all that completes early, or never (SEM-186).
    for (int first = 0; first < MEMBERS; first++) {
        struct members members;
        struct pro_task *all;

        members_new(&members);
        all = pro_when_all(members.tasks, MEMBERS);
        for (int i = 0; i < MEMBERS; i++) {
            CHECK(!pro_task_is_completed(all));
            succeed(&members, (first + i) % MEMBERS);
        }
        CHECK(pro_task_is_succeeded(all)); /* inside the last completion (SEM-191) */
        pro_task_unref(all);
        members_free(&members);
    }
}

TEST(all_gathers_the_errors_in_order_of_the_arguments_and_fault_beats_cancellation)
{
    // Kills: the order of completion; errors that are left out; a fault hidden by a cancellation (SEM-187).
    struct members members;
    struct pro_task *all;

    members_new(&members);
    all = pro_when_all(members.tasks, MEMBERS);
    fail(&members, 3, PRO_E_RESET);
    cancel(&members, 0);
    succeed(&members, 2);
    CHECK(!pro_task_is_completed(all)); /* errors do not hurry it */
    fail(&members, 1, PRO_E_IO);
    CHECK(pro_task_is_faulted(all));
    CHECK_EQ(pro_error_inner_count(pro_task_error_all(all)), 2);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error_all(all), 0)), PRO_E_IO);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error_all(all), 1)), PRO_E_RESET);
    CHECK(pro_task_error(all) == pro_task_error(members.tasks[1]));
    pro_task_unref(all);
    members_free(&members);
}

TEST(all_with_a_cancellation_alone_is_cancelled)
{
    // Kills: a cancellation that counts as a success.
    struct members members;
    struct pro_task *all;

    members_new(&members);
    for (int i = 0; i < MEMBERS; i++)
        if (i == 2)
            cancel(&members, i);
        else
            succeed(&members, i);
    all = pro_when_all(members.tasks, MEMBERS);
    CHECK(pro_task_is_canceled(all));
    pro_task_unref(all);
    members_free(&members);
}

TEST(all_of_nothing_is_complete_and_one_task_may_be_named_twice)
{
    // Kills: a count of nothing that waits; a member that is taken for another (SEM-188).
    struct members members;
    struct pro_task *twice[2], *all = pro_when_all(NULL, 0);

    CHECK(pro_task_is_succeeded(all));
    pro_task_unref(all);
    members_new(&members);
    twice[0] = twice[1] = members.tasks[0];
    all = pro_when_all(twice, 2);
    twice[0] = NULL; /* the array was borrowed */
    succeed(&members, 0);
    CHECK(pro_task_is_succeeded(all));
    pro_task_unref(all);
    members_free(&members);
}

static int unobserved;

static void count_unobserved(struct pro_task *task, struct pro_error *aggregate, void *user)
{
    (void)task, (void)aggregate, (void)user;
    unobserved++;
}

TEST(all_observes_its_members_errors_and_any_does_not)
{
    // Kills: an error told twice, or never (SEM-189, 190).
    struct pro_task *bad[2], *all, *any;

    unobserved = 0;
    pro_set_unobserved_handler(count_unobserved, NULL);
    for (int i = 0; i < 2; i++)
        bad[i] = pro_task_from_error(pro_error_of(PRO_E_IO));
    any = pro_when_any(bad, 2);
    CHECK(pro_task_is_succeeded(any));
    pro_task_unref(any);
    pro_task_unref(bad[0]);
    CHECK_EQ(unobserved, 1);
    bad[0] = pro_task_from_error(pro_error_of(PRO_E_IO));
    all = pro_when_all(bad, 2);
    for (int i = 0; i < 2; i++)
        pro_task_unref(bad[i]);
    CHECK_EQ(unobserved, 1);
    pro_task_unref(all); /* and nobody looked at this one */
    CHECK_EQ(unobserved, 2);
    pro_set_unobserved_handler(NULL, NULL);
}

/* ---- any ---- */

static void check_index(struct pro_task *any, size_t expected)
{
    size_t index = 99;

    CHECK_EQ(pro_task_read(any, &index, PRO_TYPE(size_t)), PRO_OK);
    CHECK_EQ(index, expected);
    pro_task_unref(any);
}

TEST(any_completes_with_the_first_whatever_its_outcome)
{
    // Kills: a failed winner that fails the when-any; an index that is not the argument's (SEM-190).
    for (int how = 0; how < 3; how++) {
        struct members members;
        struct pro_task *any;

        members_new(&members);
        any = pro_when_any(members.tasks, MEMBERS);
        CHECK(!pro_task_is_completed(any));
        if (how == 0)
            succeed(&members, 2);
        else if (how == 1)
            fail(&members, 2, PRO_E_IO);
        else
            cancel(&members, 2);
        CHECK(pro_task_is_succeeded(any));
        succeed(&members, 0); /* too late */
        check_index(any, 2);
        check_index(pro_when_any(members.tasks, MEMBERS), 0); /* of several that are complete the lowest */
        check_index(pro_when_any(&members.tasks[1], MEMBERS - 1), 1);
        members_free(&members);
    }
}

TEST(the_losers_of_any_keep_no_continuation)
{
    // Kills: a task that is asked again and again, and whose list grows each time (SEM-018).
    struct members members;

    members_new(&members);
    for (int round = 0; round < 1000; round++) {
        struct pro_completion_source *source = NULL;
        struct pro_task *pair[3] = { members.tasks[0], NULL, members.tasks[1] }, *any;

        REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &source) == PRO_OK);
        pair[1] = pro_completion_source_task(source);
        any = pro_when_any(pair, 3);
        CHECK_EQ(continuations_of(members.tasks[0]), 1);
        CHECK_EQ(pro_completion_source_set_result(source, &round, PRO_TYPE(int)), PRO_OK);
        check_index(any, 1);
        CHECK_EQ(continuations_of(members.tasks[0]), 0);
        CHECK_EQ(continuations_of(members.tasks[1]), 0);
        pro_task_unref(pair[1]);
        pro_completion_source_free(source);
    }
    CHECK_EQ(members.tasks[0]->references, 2); /* ours, and the source's */
    members_free(&members);
}

/* ---- completions that meet ---- */

struct completer {
    struct pro_completion_source *source;
    struct gate *start;
};

static void complete_at_the_gate(void *arg)
{
    struct completer *const it = arg;
    const int value = 1;

    gate_wait(it->start, 1);
    CHECK_EQ(pro_completion_source_set_result(it->source, &value, PRO_TYPE(int)), PRO_OK);
}

TEST(members_that_complete_at_one_time_complete_both_kinds_once)
{
    // Kills: a count that loses a member; two winners; a loser taken back while it runs.
    for (int round = 0; round < 200; round++) {
        struct members members;
        struct completer completers[MEMBERS];
        struct proi_thread threads[MEMBERS];
        struct gate start = { 0 };
        struct pro_task *all, *any, *late;
        size_t index = 99;

        members_new(&members);
        all = pro_when_all(members.tasks, MEMBERS);
        any = pro_when_any(members.tasks, MEMBERS);
        for (int i = 0; i < MEMBERS; i++) {
            completers[i] = (struct completer){ members.sources[i], &start };
            REQUIRE(proi_thread_start(&threads[i], "completer", complete_at_the_gate, &completers[i], 0) == PRO_OK);
        }
        gate_add(&start);
        late = pro_when_any(members.tasks, MEMBERS); /* registers while they complete */
        for (int i = 0; i < MEMBERS; i++)
            proi_thread_join(&threads[i]);
        CHECK_EQ(PRO_WAIT(all), PRO_OK);
        CHECK_EQ(PRO_RESULT(any, &index), PRO_OK);
        CHECK(index < MEMBERS);
        CHECK_EQ(PRO_RESULT(late, &index), PRO_OK);
        CHECK(index < MEMBERS);
        pro_task_unref(all);
        pro_task_unref(any);
        pro_task_unref(late);
        members_free(&members);
    }
}
