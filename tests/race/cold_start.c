/* SPDX-License-Identifier: MIT */
/* A cold task that is started, waited for, cancelled and started again at one moment. For ThreadSanitizer above all:
   who finds the task queued reads the scheduler that the starter has just written. */
#include "team.h"

#include <proact/proact.h>

enum { ROUNDS = 400, STARTERS = 2 };

static struct {
    struct pro_task_scheduler *scheduler;
    struct pro_cancellation_source *source;
    struct pro_task *task;
    uint32_t started, ran; /* shared */
} race;

static struct pro_error *note_run(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    proi_fetch_add(&race.ran, 1u, PROI_RELAXED);
    return NULL;
}

static void ignore(int code, const char *sentence, void *user) { (void)code, (void)sentence, (void)user; }

static void prepare(unsigned round)
{
    (void)round;
    race.started = race.ran = 0;
    if (pro_cancellation_source_new(&race.source) != PRO_OK)
        test_abandon();
    race.task =
        pro_task_new(note_run, NULL, PRO_NO_RESULT, pro_cancellation_source_token(race.source), PRO_TASK_DEFAULT);
}

static void go(struct team_member *member, unsigned round)
{
    if (member->number < STARTERS)
        proi_fetch_add(&race.started, pro_task_start(race.task, race.scheduler) == PRO_OK, PROI_RELAXED);
    else if (member->number == STARTERS && round % 2)
        pro_cancellation_source_cancel(race.source);
    else if (member->number > STARTERS)
        pro_task_wait_all(&race.task, 1, PRO_HOW_DEFAULT, NULL, PRO_HERE);
    if (member->number > STARTERS && proi_load(&race.started, PROI_RELAXED))
        PRO_WAIT(race.task); /* offers to run it */
}

static void check(unsigned round)
{
    if (!(round % 2))
        CHECK_EQ(race.started, 1);
    CHECK(race.started <= 1);
    if (!race.started)
        CHECK(pro_task_is_canceled(race.task));
    PRO_WAIT(race.task);
    CHECK_EQ(race.ran, pro_task_is_succeeded(race.task));
    pro_task_unref(race.task);
    pro_cancellation_source_unref(race.source);
}

TEST(a_cold_task_is_started_once_by_whoever_comes_first)
{
    // Kills: a task that is called queued before its scheduler is written; two starters that both go on.
    struct team team = { .size = STARTERS + 2, .rounds = ROUNDS, .round = go, .prepare = prepare, .check = check };

    pro_set_misuse_handler(ignore, NULL); /* the second starter's, and that of who comes after the cancellation */
    REQUIRE(pro_limited_scheduler_new("two", NULL, 2, &race.scheduler) == PRO_OK);
    team_run(&team);
    pro_task_scheduler_unref(race.scheduler);
    pro_set_misuse_handler(NULL, NULL);
}
