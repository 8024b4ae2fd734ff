/* SPDX-License-Identifier: MIT */
/* What the pool tells of itself (SEM-344): items posted and completed, and why the number of its threads changed. */
#include "pool_items.h"

__attribute__((constructor)) static void shorten(void)
{
    proi_pool_timing.idle_ns = PRO_MS(50);
    proi_pool_timing.gate_ns = PRO_MS(20);
    proi_pool_timing.step_ns = PRO_MS(5);
    proi_pool_timing.step_limit_ns = PRO_MS(20);
}

static void a_moment(void)
{
    static const uint32_t never = 0;

    proi_wait(&never, 0, PRO_MS(1));
}

/* For what the pool does by itself after a while: looks again until it is so. The watchdog is the limit. */
static void until_completed(uint64_t count)
{
    while (stats().completed < count)
        a_moment();
}

static void nothing(void *arg) { (void)arg; }

TEST(items_are_counted_when_posted_and_when_they_have_run)
{
    /* Kills: an item counted as completed when it is begun; a queue that counts none. */
    struct held held = { .inside = { 0 } };
    const struct pro_pool_stats before = stats();

    limits(2, 2);
    CHECK_EQ(pro_pool_post(hold, &held), PRO_OK);
    gate_wait(&held.inside, 1);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(pro_pool_post(nothing, NULL), PRO_OK);
    until_completed(before.completed + 10);
    CHECK_EQ(stats().posted - before.posted, 11u);
    CHECK_EQ(stats().completed - before.completed, 10u);
    held_release(&held);
    until_completed(before.completed + 11);
    CHECK_EQ(stats().completed - before.completed, 11u);
}

TEST(setting_the_limits_is_a_reason)
{
    /* Kills: a change without its reason; a reason without a change. */
    struct pro_pool_stats before, after;

    limits(2, 10);
    before = stats();
    limits(2, 10);
    limits(3, 10);
    after = stats();
    CHECK_EQ(after.changes[PRO_POOL_LIMITS] - before.changes[PRO_POOL_LIMITS], 1u);
    CHECK_EQ(after.last_change, PRO_POOL_LIMITS);
    CHECK_EQ(after.target, 3u);
}

static void wait_inside(void *arg)
{
    struct pro_completion_source *const source = arg;
    struct pro_task *const task = pro_completion_source_task(source);

    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_task_unref(task);
}

TEST(a_worker_that_blocks_is_a_reason_twice)
{
    /* Kills: compensation told as something else; its end told by nobody. */
    struct pro_completion_source *source;
    struct pro_pool_stats before;

    limits(1, 10);
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    before = stats();
    CHECK_EQ(pro_pool_post(wait_inside, source), PRO_OK);
    while (stats().blocked == 0)
        a_moment();
    CHECK_EQ(stats().changes[PRO_POOL_BLOCKING] - before.changes[PRO_POOL_BLOCKING], 1u);
    CHECK_EQ(stats().target, 2u);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    until_completed(before.completed + 1);
    CHECK_EQ(stats().changes[PRO_POOL_BLOCKING] - before.changes[PRO_POOL_BLOCKING], 2u);
    CHECK_EQ(stats().last_change, PRO_POOL_BLOCKING);
    CHECK_EQ(stats().target, 1u);
    pro_completion_source_free(source);
}

TEST(starvation_is_a_reason_and_so_is_the_leaving_of_what_it_brought)
{
    /* Kills: a thread brought by the gate and told as another reason; the target that falls in silence. */
    struct held held = { .inside = { 0 } };
    struct pro_pool_stats before;

    limits(1, 10);
    before = stats();
    CHECK_EQ(pro_pool_post(hold, &held), PRO_OK);
    CHECK_EQ(pro_pool_post(nothing, NULL), PRO_OK);
    until_completed(before.completed + 1); /* only the gate can bring the second thread */
    CHECK(stats().changes[PRO_POOL_STARVATION] > before.changes[PRO_POOL_STARVATION]);
    held_release(&held);
    while (stats().changes[PRO_POOL_TIMED_OUT] == before.changes[PRO_POOL_TIMED_OUT])
        a_moment();
    CHECK_EQ(stats().last_change, PRO_POOL_TIMED_OUT);
    CHECK_EQ(stats().target, 1u);
}
