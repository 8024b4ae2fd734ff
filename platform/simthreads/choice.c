/* SPDX-License-Identifier: MIT */
/* Who is chosen: by a seed, or by a list of deviations from the usual. And what a searcher wants to know afterwards. */
#include "choice.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { PATIENCE = 20000, MOST_DEVIATIONS = 256, EARLY = 32, RATES = 5, RARER = 1024 };

static struct {
    struct proi_schedule schedule;
    bool has_begun;
    uint64_t random;
    unsigned rate;            /* random: on average every so many points somebody else may go on, */
    uint64_t asked;           /* and the more were passed the rarer, or long programs would do nothing else */
    uint32_t step;            /* the next one */
    size_t next;              /* the next deviation */
    uint64_t points;          /* so far */
    unsigned running, passed; /* so many points in a row were passed by this thread while others could go on */
    struct {                  /* the thread that the last deviation stopped, and the access it was about to make */
        unsigned thread;      /* 0: none */
        uintptr_t address;
        bool writes, met;
    } stopped;
    struct proi_schedule_deviation given[MOST_DEVIATIONS]; /* by the environment */
} choice;

/* splitmix64 */
static uint64_t draw(void)
{
    uint64_t value = choice.random += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* ---- beginning ---- */

/* The one it is on, which the system has just found to be the idlest. Children inherit it. */
void proi_schedule_stay_on_processor(void)
{
    const int here = sched_getcpu();
    cpu_set_t one;

    if (here < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET((size_t)here, &one);
    sched_setaffinity(0, sizeof one, &one); /* when it is refused, it is slower */
}

/* Which of the locks that many objects share is taken depends on addresses. Without address randomisation they are the
   same in every run of a program, so a schedule can be replayed exactly. glibc passes main's arguments to constructors.
 */
__attribute__((constructor)) static void fix_addresses(int count, char **words)
{
    const int now = personality(0xffffffff);

    (void)count;
    if (now == -1 || now & ADDR_NO_RANDOMIZE || personality((unsigned long)now | ADDR_NO_RANDOMIZE) == -1)
        return;
    if (personality(0xffffffff) & ADDR_NO_RANDOMIZE) /* else it would be done again for ever */
        execv("/proc/self/exe", words);
}

void proi_schedule_begin(const struct proi_schedule *schedule)
{
    choice.schedule = *schedule;
    choice.has_begun = true;
    choice.random = schedule->seed;
    choice.rate = 4u << 2 * (schedule->seed % RATES);
    choice.asked = 0;
    choice.step = 0;
    choice.next = 0;
    choice.points = 0;
    choice.stopped.thread = 0;
    proi_schedule_stay_on_processor();
}

void proi_schedule_limit(uint64_t most_points) { choice.schedule.most_points = most_points; }

int proi_schedule_parse(const char *text, struct proi_schedule_deviation *ret_deviations, size_t most)
{
    static const char word[] = "replay:";
    size_t count = 0;

    if (strncmp(text, word, sizeof word - 1) != 0)
        return -1;
    text += sizeof word - 1;
    while (*text) {
        char *end;

        if (count == most)
            return -1;
        ret_deviations[count].step = (uint32_t)strtoul(text, &end, 10);
        if (end == text || *end != '=')
            return -1;
        text = end + 1;
        ret_deviations[count++].thread = (uint32_t)strtoul(text, &end, 10);
        if (end == text || (*end && *end != ','))
            return -1;
        text = end + (*end == ',');
    }
    return (int)count;
}

void proi_choice_begin_by_environment(void)
{
    struct proi_schedule schedule = { .is_random = true, .seed = 1 };
    const char *const replay = getenv("PROACT_SCHEDULE"), *const seed = getenv("PROACT_SCHEDULE_SEED");
    int count;

    if (choice.has_begun)
        return;
    if (replay && *replay) {
        count = proi_schedule_parse(replay, choice.given, MOST_DEVIATIONS);
        if (count < 0) {
            fprintf(stderr, "PROACT_SCHEDULE is \"%s\", not \"replay:STEP=THREAD,...\"\n", replay);
            _exit(PROI_SCHEDULE_FAILED);
        }
        schedule.is_random = false;
        schedule.deviations = choice.given;
        schedule.deviation_count = (size_t)count;
    } else if (seed && *seed) {
        schedule.seed = strtoull(seed, NULL, 0);
    }
    proi_schedule_begin(&schedule);
}

/* ---- choosing ---- */

static void write_down(enum proi_schedule_why why, const unsigned *ids, unsigned count, unsigned taken,
                       uintptr_t address)
{
    struct proi_schedule_log *const log = choice.schedule.log;
    struct proi_schedule_choice *place;

    if (!log)
        return;
    if (log->count < PROI_SCHEDULE_STEPS) {
        place = &log->choices[log->count];
        *place = (struct proi_schedule_choice){ .address = address, .taken = ids[taken], .why = why };
        for (unsigned i = 0; i < count; i++)
            if (ids[i] < 64)
                place->threads |= UINT64_C(1) << ids[i];
    }
    log->count++;
}

/* True: this step is a deviation, and *@chosen is set. */
static bool deviates(const unsigned *ids, unsigned count, unsigned *chosen)
{
    const struct proi_schedule_deviation *deviation = &choice.schedule.deviations[choice.next];

    if (choice.next == choice.schedule.deviation_count || deviation->step != choice.step)
        return false;
    choice.next++;
    for (unsigned i = 0; i < count; i++)
        if (ids[i] == deviation->thread) {
            *chosen = i;
            return true;
        }
    proi_schedule_fail("the schedule is not one of this program: at step %u thread %u cannot go on", deviation->step,
                       deviation->thread);
}

unsigned proi_choice(enum proi_schedule_why why, const unsigned *ids, unsigned count, unsigned usual)
{
    unsigned chosen = usual;

    if (count == 1)
        return 0;
    if (choice.schedule.is_random) {
        chosen = (unsigned)(draw() % count);
    } else {
        deviates(ids, count, &chosen);
        write_down(why, ids, count, chosen, 0);
    }
    choice.step++;
    choice.running = 0;
    return chosen;
}

unsigned proi_choice_at_point(const unsigned *ids, unsigned count, unsigned usual, uintptr_t address, bool writes)
{
    unsigned chosen = usual;

    if (choice.schedule.is_random) {
        chosen = (unsigned)(draw() % count);
    } else if (choice.passed > PATIENCE) {
        chosen = (usual + 1) % count; /* it spins: whatever it waits for must get its turn, and that is no choice */
        choice.running = 0;
        return chosen;
    } else if (deviates(ids, count, &chosen) && choice.next == choice.schedule.deviation_count &&
               choice.schedule.prune) {
        choice.stopped.thread = ids[usual];
        choice.stopped.address = address;
        choice.stopped.writes = writes;
        choice.stopped.met = false;
    }
    write_down(PROI_SCHEDULE_POINT, ids, count, chosen, address);
    choice.step++;
    return chosen;
}

bool proi_choice_is_open(unsigned running)
{
    if (choice.schedule.is_random)
        return draw() % (choice.rate + choice.asked++ / RARER) == 0;
    choice.passed = choice.running == running ? choice.passed + 1 : 0;
    choice.running = running;
    return true;
}

bool proi_schedule_is_early(void) { return choice.schedule.is_random && draw() % EARLY == 0; }

/* ---- what accesses meet ---- */

void proi_choice_goes_on(unsigned thread)
{
    if (choice.stopped.thread != thread)
        return;
    choice.stopped.thread = 0;
    if (!choice.stopped.met)
        _exit(PROI_SCHEDULE_REDUNDANT);
}

static struct proi_schedule_access *access_of(const struct proi_schedule_log *log, uintptr_t address)
{
    size_t place = (size_t)((address >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % PROI_SCHEDULE_ADDRESSES;

    for (size_t tries = 0; tries < PROI_SCHEDULE_ADDRESSES; tries++) {
        const struct proi_schedule_access *const found = &log->accesses[place];

        if (!found->address || found->address == address)
            return (struct proi_schedule_access *)(uintptr_t)found;
        place = (place + 1) % PROI_SCHEDULE_ADDRESSES;
    }
    proi_schedule_fail("the program accesses more than %d addresses; a program to search must be small",
                       PROI_SCHEDULE_ADDRESSES);
}

void proi_choice_access(unsigned thread, uintptr_t address, bool writes)
{
    struct proi_schedule_access *found;

    if (choice.schedule.most_points && ++choice.points > choice.schedule.most_points)
        proi_schedule_fail("it never ends: %llu points were passed", (unsigned long long)choice.points);
    if (!choice.schedule.log || !address)
        return;
    if (choice.stopped.thread && choice.stopped.thread != thread && choice.stopped.address == address &&
        (writes || choice.stopped.writes))
        choice.stopped.met = true;
    found = access_of(choice.schedule.log, address);
    if (!found->address)
        found->thread = thread;
    found->address = address;
    found->is_shared = found->is_shared || found->thread != thread;
    found->is_written = found->is_written || writes;
}

bool proi_schedule_matters(const struct proi_schedule_log *log, uintptr_t address)
{
    const struct proi_schedule_access *const found = access_of(log, address);

    return found->is_shared && found->is_written;
}

/* ---- telling ---- */

const char *proi_schedule_text(void)
{
    static char text[64 + MOST_DEVIATIONS * 24];
    size_t at;

    if (choice.schedule.is_random) {
        snprintf(text, sizeof text, "PROACT_SCHEDULE_SEED=%llu", (unsigned long long)choice.schedule.seed);
        return text;
    }
    at = (size_t)snprintf(text, sizeof text, "PROACT_SCHEDULE=replay:");
    for (size_t i = 0; i < choice.schedule.deviation_count && at + 24 < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u=%u", i ? "," : "", choice.schedule.deviations[i].step,
                               choice.schedule.deviations[i].thread);
    return text;
}

_Noreturn void proi_schedule_fail(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    proi_choice_print_threads();
    fprintf(stderr, "  again: %s\n", proi_schedule_text());
    fflush(stderr);
    _exit(PROI_SCHEDULE_FAILED);
}
