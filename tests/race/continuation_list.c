/* SPDX-License-Identifier: MIT */
/* The list of a task's continuations: some add, some add and take away again (bounded waits, when-any, bounded proxies
   that lose), and one completes in the middle of it. What stays runs exactly once; what was taken away never. */
#include <proact/proact.h>

#include "gate.h"
#include "race/team.h"

enum { ADDERS = 2, WAITERS = 2, COMPLETER = ADDERS + WAITERS, MEMBERS = COMPLETER + 1, ROUNDS = 1500, EACH = 6 };

struct call {
    struct pro_continuation continuation;
    uint32_t runs; /* shared */
};

static struct {
    struct pro_completion_source *source, *other;
    struct pro_task *task, *loser;
    struct call calls[ADDERS][EACH];
    struct gate ran;
} now;

static void invoked(struct pro_continuation *continuation)
{
    struct call *const call = PRO_CONTAINER(continuation, struct call, continuation);

    CHECK(pro_task_is_completed(now.task));
    CHECK_EQ(proi_fetch_add(&call->runs, 1u, PROI_RELAXED), 0);
    gate_add(&now.ran);
}

static void prepare(unsigned round)
{
    memset(&now, 0, sizeof now);
    REQUIRE(pro_completion_source_new(PRO_TYPE(int), round % 2 ? PRO_TASK_ASYNC_CONTINUATIONS : 0, &now.source) ==
            PRO_OK);
    REQUIRE(pro_completion_source_new(PRO_TYPE(int), 0, &now.other) == PRO_OK);
    now.task = pro_completion_source_task(now.source);
    now.loser = pro_completion_source_task(now.other); /* is never completed while the others work */
}

static void add(struct team_member *member)
{
    const struct pro_awaiter awaiter = pro_task_get_awaiter(now.task);

    for (unsigned i = 0; i < EACH; i++) {
        struct call *const call = &now.calls[member->number][i];

        pro_continuation_init(&call->continuation, invoked);
        team_linger(member, 100);
        CHECK_EQ(pro_awaiter_on_completed(awaiter, &call->continuation, PRO_AWAIT_NONE), PRO_OK);
    }
}

static void check_bounded(int code) { CHECK(code == PRO_OK || code == PRO_E_TIMEOUT || code == PRO_E_CANCELED); }

/* A blocked thread that gives up takes its continuation back. */
static void wait_a_little(struct team_member *member)
{
    check_bounded(pro_task_wait(now.task, PRO_WITHIN(PRO_US(1 + test_random(&member->random) % 50)), NULL, PRO_HERE));
}

/* Of two tasks the one that is complete wins; the continuation on the other is taken back. */
static void any_of_two(void)
{
    struct pro_task *const both[] = { now.task, pro_task_completed(), now.loser };
    struct pro_task *const any = pro_when_any(both, 3);
    size_t index = 99;

    CHECK(pro_task_is_completed(any));
    CHECK_EQ(pro_task_read(any, &index, PRO_TYPE(size_t)), PRO_OK);
    CHECK(index <= 1);
    pro_task_unref(any);
}

static void proxy(struct team_member *member)
{
    struct pro_cancellation_source *source = NULL;
    struct pro_task *bounded;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    bounded = pro_task_wait_async(now.task, (struct pro_how){ .token = pro_cancellation_source_token(source) });
    team_linger(member, 100);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_task_wait(bounded, PRO_HOW_DEFAULT, NULL, PRO_HERE) == PRO_OK, pro_task_is_succeeded(bounded));
    CHECK(pro_task_is_succeeded(bounded) || pro_task_is_canceled(bounded));
    pro_task_unref(bounded);
    pro_cancellation_source_unref(source);
}

static void come_and_go(struct team_member *member)
{
    for (unsigned i = 0; i < EACH; i++)
        switch (test_random(&member->random) % 3) {
        case 0:
            wait_a_little(member);
            break;
        case 1:
            any_of_two();
            break;
        default:
            proxy(member);
            break;
        }
}

static void complete(struct team_member *member)
{
    const int value = 7;

    team_linger(member, 4000);
    CHECK_EQ(pro_completion_source_set_result(now.source, &value, PRO_TYPE(int)), PRO_OK);
}

static void member_round(struct team_member *member, unsigned round)
{
    (void)round;
    if (member->number < ADDERS)
        add(member);
    else if (member->number < COMPLETER)
        come_and_go(member);
    else
        complete(member);
}

static void check(unsigned round)
{
    const int value = 8;

    (void)round;
    gate_wait(&now.ran, ADDERS * EACH); /* some run on the pool */
    for (unsigned i = 0; i < ADDERS; i++)
        for (unsigned j = 0; j < EACH; j++)
            CHECK_EQ(proi_load(&now.calls[i][j].runs, PROI_RELAXED), 1);
    CHECK_EQ(pro_completion_source_set_result(now.other, &value, PRO_TYPE(int)), PRO_OK); /* finds nobody any more */
    pro_completion_source_free(now.source);
    pro_completion_source_free(now.other);
    pro_task_unref(now.task);
    pro_task_unref(now.loser);
}

TEST(continuations_run_once_while_others_come_and_go)
{
    /* Kills: a continuation that is added just as the list is taken; one that is taken back while it runs. */
    static struct team team = {
        .size = MEMBERS, .rounds = ROUNDS, .round = member_round, .prepare = prepare, .check = check
    };

    team_run(&team);
}
