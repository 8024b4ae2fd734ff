/* SPDX-License-Identifier: MIT */
/* Threads that go through the same rounds together, and start each at the same moment: where races are most likely. */
#ifndef PROACT_TEST_TEAM_H
#define PROACT_TEST_TEAM_H

#include "harness.h"
#include "platform.h"

enum { TEAM_MOST = 8, TEAM_SPINS = 2000 };

struct team;
struct team_member {
    struct team *team;
    unsigned number;
    uint64_t random; /* for test_random(): its own, from the test's seed */
};

struct team {
    unsigned size, rounds;
    void (*round)(struct team_member *member, unsigned round); /* on every member's thread */
    void (*prepare)(unsigned round);                           /* on the test's thread, alone, before each round */
    void (*check)(unsigned round);                             /* likewise, after each round */
    struct team_member members[TEAM_MOST];
    uint32_t arrived, turn; /* shared */
};

/* The last to arrive opens the next turn. Sleeps only if that takes long: a wake-up would put the threads in a row. */
static inline void team_meet(struct team *team)
{
    const uint32_t turn = proi_load(&team->turn, PROI_ACQUIRE);

    if (proi_fetch_add(&team->arrived, 1u, PROI_ACQ_REL) == team->size) { /* the test's thread is one more */
        proi_store(&team->arrived, 0u, PROI_RELAXED);
        proi_store(&team->turn, turn + 1, PROI_RELEASE);
        proi_wake_all(&team->turn);
        return;
    }
    for (int spins = 0; spins < TEAM_SPINS; spins++)
        if (proi_load(&team->turn, PROI_ACQUIRE) != turn)
            return;
    while (proi_load(&team->turn, PROI_ACQUIRE) == turn)
        proi_wait(&team->turn, turn, -1);
}

/* Busy for a random while, so that the next step falls into another place of the others'. */
static inline void team_linger(struct team_member *member, unsigned most)
{
    for (volatile unsigned turns = (unsigned)(test_random(&member->random) % most); turns > 0; turns--)
        ;
}

static inline void team_thread(void *arg)
{
    struct team_member *const member = arg;

    for (unsigned i = 0; i < member->team->rounds; i++) {
        team_meet(member->team);
        member->team->round(member, i);
        team_meet(member->team);
    }
}

static inline void team_run(struct team *team)
{
    struct proi_thread threads[TEAM_MOST];

    for (unsigned i = 0; i < team->size; i++) {
        team->members[i] = (struct team_member){ team, i, test_seed() * 1000 + i };
        REQUIRE(proi_thread_start(&threads[i], "team", team_thread, &team->members[i], 0) == PRO_OK);
    }
    for (unsigned i = 0; i < team->rounds; i++) {
        team->prepare(i);
        team_meet(team);
        team_meet(team);
        team->check(i);
    }
    for (unsigned i = 0; i < team->size; i++)
        proi_thread_join(&threads[i]);
}

#endif
