/* SPDX-License-Identifier: MIT */
/* The scheduler itself: what is simulated is what it says. */
#include "explore.h"

#include <proact/proact.h>

#include <simthreads/schedule.h>

#include <sys/mman.h>

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

/* ---- every order ---- */

/* The word becomes the order in which two threads stored: a bit each. Kept over all runs. */
static bool *seen;

static void store_twice(uint32_t which)
{
    for (int i = 0; i < 2; i++) {
        uint32_t *const word = &race.word;

        proi_point(word, true);
        *word = *word << 1 | which;
    }
}
static void store_zeros(void *unused) { (void)unused, store_twice(0); }
static void store_ones(void *unused) { (void)unused, store_twice(1); }

static void mix(void)
{
    static void (*const parts[])(void *) = { store_zeros, store_ones };

    race.word = 0;
    explore_together(parts, 2, NULL);
    seen[race.word] = true;
}

TEST(every_order_of_four_stores_is_reached_by_the_search)
{
    /* Kills: leaving out schedules that do something else. Six orders of two and two, and three preemptions reach them.
     */
    seen = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(seen != MAP_FAILED);
    explore("mix", mix, 0);
    for (unsigned order = 0; order < 16; order++)
        CHECK_EQ(seen[order], order == 3 || order == 5 || order == 6 || order == 9 || order == 10 || order == 12);
    munmap(seen, 16);
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
