/* SPDX-License-Identifier: MIT */
/* One task, several who complete it, several who look at it, and everybody lets go of it: exactly one completion
   counts, all see that one and see it whole, and the last to let go frees. */
#include <proact/proact.h>

#include "gate.h"
#include "race/team.h"

enum { COMPLETERS = 3, READERS = 2, MEMBERS = COMPLETERS + READERS, ROUNDS = 4000, WORDS = 2048 };

/* Long enough to be caught half written. */
struct outcome {
    unsigned words[WORDS];
};

static struct {
    struct pro_completion_source *source;
    struct pro_task *tasks[MEMBERS]; /* a reference for each */
    uint32_t won[COMPLETERS];        /* shared: 0, or 1 + enum way of the one that counted */
    struct {
        enum pro_task_status status;
        int value, code;
        uint64_t id;
        struct pro_error *all; /* only its address is compared */
    } seen[READERS];
} now;

enum way { WAY_RESULT, WAY_ERROR, WAY_CANCEL, WAYS };

static void prepare(unsigned round)
{
    memset(&now, 0, sizeof now);
    REQUIRE(pro_completion_source_new(PRO_TYPE(struct outcome), round % 2 ? PRO_TASK_ASYNC_CONTINUATIONS : 0,
                                      &now.source) == PRO_OK);
    for (unsigned i = 0; i < MEMBERS; i++)
        now.tasks[i] = pro_completion_source_task(now.source);
}

static void complete(struct team_member *member)
{
    const enum way way = (enum way)(test_random(&member->random) % WAYS);
    struct outcome outcome;
    int code = PRO_E_STATE;

    for (int i = 0; i < WORDS; i++)
        outcome.words[i] = member->number;
    team_linger(member, 300);
    if (way == WAY_RESULT)
        code = pro_completion_source_try_set_result(now.source, &outcome, PRO_TYPE(struct outcome));
    else if (way == WAY_ERROR)
        code = pro_completion_source_try_set_error(
            now.source, pro_error_new(PRO_E_USER - (int)member->number, PRO_HERE, "member %u", member->number));
    else
        code = pro_completion_source_try_set_canceled(now.source, PRO_TOKEN_NONE);
    CHECK(code == PRO_OK || code == PRO_E_STATE);
    if (code == PRO_OK)
        proi_store(&now.won[member->number], 1u + (unsigned)way, PROI_RELAXED);
    CHECK(pro_task_is_completed(now.tasks[member->number])); /* whoever it was */
}

static void look(struct team_member *member)
{
    const unsigned reader = member->number - COMPLETERS;
    struct pro_task *const task = now.tasks[member->number];
    struct outcome outcome = { { 0 } };

    team_linger(member, 300);
    while (!pro_task_is_completed(task)) {
        CHECK(pro_task_status(task) <= PRO_TASK_FAULTED);
        now.seen[reader].id = pro_task_id(task);
        proi_wait(&now.won[0], 0, PRO_US(1));
    }
    now.seen[reader].status = pro_task_status(task);
    now.seen[reader].code = pro_task_read(task, &outcome, PRO_TYPE(struct outcome));
    now.seen[reader].value = (int)outcome.words[0];
    for (int i = 1; i < WORDS; i++)
        CHECK_EQ(outcome.words[i], outcome.words[0]);
    now.seen[reader].all = pro_task_error_all(task);
    CHECK(pro_error_inner_count(now.seen[reader].all) == (now.seen[reader].status == PRO_TASK_FAULTED));
    CHECK(!now.seen[reader].id || now.seen[reader].id == pro_task_id(task));
    now.seen[reader].id = pro_task_id(task);
}

static void member_round(struct team_member *member, unsigned round)
{
    (void)round;
    if (member->number < COMPLETERS)
        complete(member);
    else
        look(member);
    pro_task_unref(now.tasks[member->number]);
}

static void check(unsigned round)
{
    static const enum pro_task_status statuses[] = { PRO_TASK_RAN_TO_COMPLETION, PRO_TASK_FAULTED, PRO_TASK_CANCELED };
    unsigned winners = 0, winner = 0;

    (void)round;
    for (unsigned i = 0; i < COMPLETERS; i++)
        if (now.won[i])
            winners++, winner = i;
    REQUIRE(winners == 1);
    for (unsigned i = 0; i < READERS; i++) {
        const enum way way = (enum way)(now.won[winner] - 1);

        CHECK_EQ(now.seen[i].status, statuses[way]);
        CHECK_EQ(now.seen[i].code, way == WAY_RESULT   ? PRO_OK
                                   : way == WAY_CANCEL ? PRO_E_CANCELED
                                                       : PRO_E_USER - (int)winner);
        if (way == WAY_RESULT)
            CHECK_EQ(now.seen[i].value, winner);
        CHECK_EQ(now.seen[i].id, now.seen[0].id);
        CHECK(now.seen[i].all == now.seen[0].all);
    }
    pro_completion_source_free(now.source);
}

TEST(of_many_completers_one_counts_and_every_reader_sees_it_whole)
{
    /* Kills: a status that is published before the result is stored; two winners; two numbers, or two aggregates, of
     * one task. */
    static struct team team = {
        .size = MEMBERS, .rounds = ROUNDS, .round = member_round, .prepare = prepare, .check = check
    };

    pro_set_unobserved_handler(NULL, NULL);
    pro_set_notice_handler(NULL, NULL); /* where nobody reads, an error stays unobserved */
    team_run(&team);
}
