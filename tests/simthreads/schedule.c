/* SPDX-License-Identifier: MIT */
/* The scheduler itself: what is simulated is what it says. */
#include "explore.h"

#include <proact/proact.h>

#include <simthreads/schedule.h>

static struct {
    uint32_t word;
    uint64_t woken_at[2];
} race;

static void sleep_for(unsigned index, int64_t ns)
{
    const uint32_t never = 0;
    const uint64_t until = proi_now() + (uint64_t)ns;

    for (uint64_t now = proi_now(); now < until; now = proi_now())
        proi_wait(&never, 0, (int64_t)(until - now));
    race.woken_at[index] = proi_now();
}
static void sleep_long(void *unused) { (void)unused, sleep_for(0, PRO_S(3000)); }
static void sleep_short(void *unused) { (void)unused, sleep_for(1, PRO_MS(1)); }

EXPLORE(time_passes_only_when_all_threads_wait_and_then_exactly_as_long_as_needed, 20)
{
    /* Kills: a clock that runs by itself. */
    static void (*const parts[])(void *) = { sleep_long, sleep_short };
    const uint64_t begun = proi_now();

    explore_together(parts, 2, NULL);
    EXPECT(race.woken_at[0] == begun + (uint64_t)PRO_S(3000));
    EXPECT(race.woken_at[1] == begun + (uint64_t)PRO_MS(1));
}

/* Two threads, each a load and a store of the same word: a mistake that needs one preemption at one place. */
static void add_badly(void *unused)
{
    (void)unused;
    proi_store(&race.word, proi_load(&race.word, PROI_RELAXED) + 1, PROI_RELAXED);
}

TEST(schedules_read_back_as_they_were_written)
{
    struct proi_schedule_deviation deviations[4];

    CHECK_EQ(proi_schedule_parse("replay:3=2,17=1", deviations, 4), 2);
    CHECK_EQ(deviations[0].step, 3);
    CHECK_EQ(deviations[0].thread, 2);
    CHECK_EQ(deviations[1].step, 17);
    CHECK_EQ(deviations[1].thread, 1);
    CHECK_EQ(proi_schedule_parse("replay:", deviations, 4), 0);
    CHECK_EQ(proi_schedule_parse("replay:3", deviations, 4), -1);
    CHECK_EQ(proi_schedule_parse("3=2", deviations, 4), -1);
}

EXPLORE(every_order_of_two_threads_is_reached, 100)
{
    /* The words are counted over all runs in shared memory by the search; here each run must end in 1 or 2. */
    static void (*const parts[])(void *) = { add_badly, add_badly };

    explore_together(parts, 2, NULL);
    EXPECT(race.word == 1 || race.word == 2);
}

/* Last: it leaves threads behind, and runs are forked from this process. */
TEST(a_loop_lives_in_the_time_of_the_threads)
{
    /* Kills: the simulated kernel's own clock, which jumps as soon as its loop is idle. */
    const uint64_t begun = proi_now();
    struct pro_task *const delay = pro_delay(PRO_MS(250), PRO_TOKEN_NONE);

    CHECK_EQ(pro_task_wait(delay, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
    CHECK(proi_now() - begun >= (uint64_t)PRO_MS(250));
    CHECK(proi_now() - begun <= (uint64_t)PRO_MS(252));
    pro_task_unref(delay);
}
