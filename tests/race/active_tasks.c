/* SPDX-License-Identifier: MIT */
/* A task is put into the table of active tasks by who starts it, while another thread cancels it: the table holds it no
   longer than it is active, whoever comes first. */
#include <proact/proact.h>

#include "awaiters/internal.h"
#include "race/team.h"

enum { STARTER, CANCELLER, READER, MEMBERS, ROUNDS = 4000 };

static struct {
    struct pro_cancellation_source *source;
    struct pro_task *task;
    uint32_t ran; /* shared */
} now;

static struct pro_error *body(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    proi_store(&now.ran, 1u, PROI_RELAXED);
    return NULL;
}

static void prepare(unsigned round)
{
    (void)round;
    proi_store(&now.ran, 0u, PROI_RELAXED);
    REQUIRE(pro_cancellation_source_new(&now.source) == PRO_OK);
    now.task = pro_task_new(body, NULL, PRO_NO_RESULT, pro_cancellation_source_token(now.source), 0);
}

static void visit(struct pro_task *task, void *user)
{
    (void)user;
    CHECK(pro_task_id(task) != 0);
}

static void round_of(struct team_member *member, unsigned round)
{
    (void)round;
    team_linger(member, 400);
    if (member->number == STARTER)
        pro_task_start(now.task, pro_task_scheduler_default());
    else if (member->number == CANCELLER)
        pro_cancellation_source_cancel(now.source);
    else
        CHECK(pro_active_tasks_for_each(visit, NULL) <= 1);
}

/* The pool's item may still be on its way: it is a no-op, and has a reference. */
static void check(unsigned round)
{
    const uint64_t late = pro_now() + (uint64_t)PRO_S(10);

    (void)round;
    PRO_WAIT(now.task);
    while (proi_load(&now.task->references, PROI_ACQUIRE) != 1)
        REQUIRE(pro_now() < late); /* the table still has it */
    CHECK_EQ(proi_load(&now.ran, PROI_RELAXED), pro_task_is_succeeded(now.task));
    pro_task_unref(now.task);
    pro_cancellation_source_unref(now.source);
}

static void expected(int code, const char *sentence, void *user) { (void)code, (void)sentence, (void)user; }

TEST(a_task_started_and_cancelled_at_once_leaves_the_table)
{
    // Kills: under ThreadSanitizer an entry that is taken out without the lock. In about every second run also the
    // second look at the status after a task was put in; simthreads/active_tasks finds that one always.
    struct team team = { .size = MEMBERS, .rounds = ROUNDS, .round = round_of, .prepare = prepare, .check = check };

    pro_set_misuse_handler(expected, NULL); /* starting what was cancelled is misuse */
    pro_async_debugging_enable(true);
    team_run(&team);
    pro_async_debugging_enable(false);
}
