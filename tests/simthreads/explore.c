/* SPDX-License-Identifier: MIT */
/* The search (explore.h). A schedule is the list of steps at which it deviates from the usual. A run writes down all
 * its steps; every other possibility at a step after its last deviation is a schedule of its own. So each is reached
 * once.
 *
 * Two kinds of preemptions are left out because another schedule does the same: before an access to what only one
 * thread accesses, or nobody writes (as far as all runs have shown: such schedules are set aside, and made after all
 * when a later run shows otherwise); and where nobody, while the thread was stopped, did anything that its next access
 * meets. In both cases stopping it after that access gives the same run. */
#include "explore.h"

#include <simthreads/schedule.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PREEMPTIONS = 8, MOST_DEVIATIONS = 64, MOST_POINTS = 1000000, RUN_SECONDS = 20 };

/* For the prefixes: addresses, no memory. What malloc gives to a run must not depend on how many runs there were. */
static const size_t arena_size = (size_t)1 << 33;

struct prefix {
    struct prefix *next;
    uintptr_t address; /* set aside until it matters */
    unsigned count, preemptions;
    struct proi_schedule_deviation deviations[];
};

static struct search {
    const char *name;
    void (*program)(void);
    struct proi_schedule_log *log;
    char *arena;
    size_t used;
    unsigned most; /* preemptions */
    struct prefix *open[MOST_PREEMPTIONS + 1], *aside;
    unsigned long long runs, redundant, schedules[MOST_PREEMPTIONS + 1];
} search;

_Noreturn void explore_unexpected(const char *file, int line, const char *what)
{
    proi_schedule_fail("  %s:%d: not as expected: %s", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, what);
}

/* ---- one run ---- */

static int run(const struct proi_schedule *schedule)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(RUN_SECONDS);
        proi_schedule_begin(schedule);
        search.program();
        fflush(NULL);
        _exit(0);
    }
    REQUIRE(child > 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    search.runs++;
    return status;
}

/* True when it went well, or was redundant. */
static bool is_well(int status, bool *ret_redundant)
{
    *ret_redundant = WIFEXITED(status) && WEXITSTATUS(status) == PROI_SCHEDULE_REDUNDANT;
    return *ret_redundant || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The program has said what was wrong, unless it crashed. */
static void tell(const struct proi_schedule *schedule, int status)
{
    proi_schedule_begin(schedule); /* for its text */
    if (WIFSIGNALED(status))
        test_note("the run was ended by signal %d", WTERMSIG(status));
    test_fail(__FILE__, __LINE__, "after %llu runs; again: %s %s %s", search.runs, proi_schedule_text(),
              program_invocation_name, search.name);
}

/* ---- the search ---- */

static struct prefix *prefix_new(unsigned count)
{
    const size_t size = sizeof(struct prefix) + count * sizeof(struct proi_schedule_deviation);
    struct prefix *const prefix = (struct prefix *)(void *)(search.arena + search.used);

    REQUIRE(size <= arena_size - search.used); /* the program is too large to search */
    search.used += (size + 15) & ~(size_t)15;
    return prefix;
}

static void prefix_push(const struct prefix *from, const struct proi_schedule_choice *choice, uint32_t step,
                        uint32_t thread)
{
    const unsigned count = from->count;
    const bool is_preemption = choice->why == PROI_SCHEDULE_POINT;
    struct prefix *made, **list;

    REQUIRE(count < MOST_DEVIATIONS);
    made = prefix_new(count + 1);
    memcpy(made->deviations, from->deviations, count * sizeof made->deviations[0]);
    made->deviations[count] = (struct proi_schedule_deviation){ step, thread };
    made->count = count + 1;
    made->preemptions = from->preemptions + is_preemption;
    made->address = choice->address;
    list = &search.open[made->preemptions];
    if (is_preemption && !proi_schedule_matters(search.log, choice->address))
        list = &search.aside;
    made->next = *list;
    *list = made;
}

static void branch(const struct prefix *from)
{
    const uint32_t first = from->count ? from->deviations[from->count - 1].step + 1 : 0;
    const struct proi_schedule_log *const log = search.log;

    REQUIRE(log->count <= PROI_SCHEDULE_STEPS); /* the program is too large to search */
    for (uint32_t step = first; step < log->count; step++) {
        const struct proi_schedule_choice *const choice = &log->choices[step];

        if (choice->why == PROI_SCHEDULE_POINT && (from->preemptions == search.most || !choice->address))
            continue;
        for (uint32_t thread = 0; thread < 64; thread++)
            if (thread != choice->taken && choice->threads >> thread & 1)
                prefix_push(from, choice, step, thread);
    }
}

/* Those whose access matters after all. */
static void take_up_again(void)
{
    struct prefix **link = &search.aside, *prefix;

    while ((prefix = *link) != NULL) {
        if (!proi_schedule_matters(search.log, prefix->address)) {
            link = &prefix->next;
            continue;
        }
        *link = prefix->next;
        prefix->next = search.open[prefix->preemptions];
        search.open[prefix->preemptions] = prefix;
    }
}

/* The fewest preemptions first: what is found then is easy to read. */
static struct prefix *prefix_pop(void)
{
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i <= search.most; i++)
            if (search.open[i]) {
                struct prefix *const prefix = search.open[i];

                search.open[i] = prefix->next;
                return prefix;
            }
        take_up_again();
    }
    return NULL;
}

static bool search_one(const struct prefix *prefix)
{
    static struct proi_schedule_deviation deviations[MOST_DEVIATIONS]; /* runs do not see the arena */
    const struct proi_schedule schedule = { .deviations = deviations,
                                            .deviation_count = prefix->count,
                                            .log = search.log,
                                            .prune = true,
                                            .most_points = MOST_POINTS };
    bool is_redundant;
    int status;

    memcpy(deviations, prefix->deviations, prefix->count * sizeof deviations[0]);
    search.log->count = 0;
    status = run(&schedule);
    if (!is_well(status, &is_redundant)) {
        tell(&schedule, status);
        return false;
    }
    if (is_redundant) {
        search.redundant++;
        return true;
    }
    search.schedules[prefix->preemptions]++;
    branch(prefix);
    return true;
}

static bool search_all(void)
{
    for (const struct prefix *prefix = prefix_new(0); prefix; prefix = prefix_pop())
        if (!search_one(prefix))
            return false;
    return true;
}

static bool random_all(unsigned seeds)
{
    for (unsigned seed = 1; seed <= seeds; seed++) {
        const struct proi_schedule schedule = { .is_random = true, .seed = seed, .most_points = MOST_POINTS };
        bool is_redundant;
        const int status = run(&schedule);

        if (!is_well(status, &is_redundant)) {
            tell(&schedule, status);
            return false;
        }
    }
    return true;
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
    const char *const text = getenv(variable);

    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static bool is_set(const char *variable)
{
    const char *const text = getenv(variable);

    return text && *text;
}

void explore(const char *name, void (*program)(void), unsigned seeds)
{
    if (is_set("PROACT_SCHEDULE") || is_set("PROACT_SCHEDULE_SEED")) {
        proi_schedule_self();
        proi_schedule_limit(MOST_POINTS);
        program();
        return;
    }
    search = (struct search){ .name = name, .program = program };
    search.most = number_of("PROACT_SCHEDULE_PREEMPTIONS", 3);
    REQUIRE(search.most <= MOST_PREEMPTIONS);
    proi_schedule_stay_on_processor();
    REQUIRE(proi_schedule_threads() <= 1); /* fork takes no other thread along */
    search.log = mmap(NULL, sizeof *search.log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    search.arena = mmap(NULL, arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(search.log != MAP_FAILED && search.arena != MAP_FAILED);
    madvise(search.arena, arena_size, MADV_DONTFORK); /* only to make fork quick */
    seeds = (unsigned)((unsigned long long)seeds * number_of("PROACT_SCHEDULE_SEEDS", 100) / 100);
    if (search_all() && random_all(seeds)) {
        for (unsigned i = 0; i <= search.most; i++)
            test_note("%8llu schedules with %u preemptions", search.schedules[i], i);
        test_note("%8llu runs led to one of these, and %u were random", search.redundant, seeds);
    }
    munmap(search.log, sizeof *search.log);
    munmap(search.arena, arena_size);
}

/* ---- for the programs ---- */

void explore_together(void (*const *parts)(void *arg), unsigned count, void *arg)
{
    static const char *const names[] = { "first", "second", "third", "fourth" };
    struct proi_thread started[sizeof names / sizeof *names];

    for (unsigned i = 0; i + 1 < count; i++)
        EXPECT(proi_thread_start(&started[i], names[i], parts[i], arg, 0) == PRO_OK);
    parts[count - 1](arg);
    for (unsigned i = 0; i + 1 < count; i++)
        proi_thread_join(&started[i]);
}
