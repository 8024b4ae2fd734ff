/* SPDX-License-Identifier: MIT */
/* The timer wheel: eight levels, a tick of 131 µs. Arming and disarming touch one slot; an op moves down at most
   once a level. What fires in one tick is sorted, if it does not lie in order already, so that the order is that of the
   moments and not of the slots. A slot gives out as much as it is asked for and keeps the rest, so that a million
   timers that are due at once neither hold up a turn nor are touched twice. The verbs pro_sleep() and pro_sleep_until()
   are here, too. */
#include "verb.h"

#include <proact/timer.h>

#include <string.h>

enum {
    FIRST_SLOTS = 1 << PROI_WHEEL_FIRST_BITS,
    FIRST_MASK = FIRST_SLOTS - 1,
    MASK = (1 << PROI_WHEEL_BITS) - 1,
    NEAR_PLACES = 4,
    FAR_PLACES = 3
};
_Static_assert(PROI_WHEEL_FIRST_BITS + (PROI_WHEEL_LEVELS - 1) * PROI_WHEEL_BITS >= 64 - PROI_TICK_BITS,
               "there is a slot for every moment");

/* How many ticks a slot of @level is long, as a shift. */
static unsigned shift_of(unsigned level) { return level ? PROI_WHEEL_FIRST_BITS + (level - 1) * PROI_WHEEL_BITS : 0; }

static uint64_t slot_bit(unsigned slot) { return UINT64_C(1) << (slot & 63); }

/* The level at which two ticks that differ in the bits @differ part, seen from above. */
static unsigned level_of(uint64_t differ)
{
    const unsigned highest = 63u - (unsigned)__builtin_clzll(differ | FIRST_MASK);

    return (highest - (PROI_WHEEL_FIRST_BITS - PROI_WHEEL_BITS)) / PROI_WHEEL_BITS;
}

static unsigned slot_at(unsigned level, uint64_t tick)
{
    if (!level)
        return (unsigned)(tick & FIRST_MASK);
    return FIRST_SLOTS + (level - 1) * (MASK + 1) + (unsigned)(tick >> shift_of(level) & MASK);
}

void proi_wheel_init(struct proi_wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now_ns >> PROI_TICK_BITS;
}

/* The level is where @due and the present tick first differ. What is due now or was earlier goes into the present slot
   of level 0. */
static unsigned slot_of(const struct proi_wheel *wheel, uint64_t due)
{
    if (due < wheel->tick)
        due = wheel->tick;
    return slot_at(level_of(due ^ wheel->tick), due);
}

/* A list that is walked for the first time after long waits for the memory of each timer before it knows the next; and
   who leaves it, for that of its neighbours. So a sleep, whose op's link of the queues is free meanwhile, shows there
   where the one lies that comes some places after it. Only to be fetched: it may have left the list since, and its
   memory be another's. */
static inline void show_way(struct pro_timer_ *timer, int places)
{
    struct pro_timer_ *before = timer->previous;

    if (timer->of_limit)
        return;
    PRO_CONTAINER(timer, struct pro_op, timer)->next = NULL;
    for (; before && places > 1; places--)
        before = before->previous;
    if (before && !before->of_limit)
        PRO_CONTAINER(before, struct pro_op, timer)->next = PRO_CONTAINER(timer, struct pro_op, timer);
}

/* All that a sleep's end needs; NULL is as good as any other place. Inline in any case: the compiler takes a function
   that only fetches for one that does nothing. */
static inline __attribute__((always_inline)) void fetch_shown(const struct pro_timer_ *timer)
{
    if (!timer->of_limit) {
        const char *const shown = (const char *)PRO_CONTAINER(timer, const struct pro_op, timer)->next;

        __builtin_prefetch(shown, 1);
        __builtin_prefetch((const void *)((uintptr_t)shown + 64), 1);
    }
}

static void link_into(struct proi_wheel *wheel, struct pro_timer_ *timer, uint64_t moment_ns)
{
    const unsigned slot = slot_of(wheel, moment_ns >> PROI_TICK_BITS);
    struct pro_timer_ *const last = wheel->tails[slot];

    timer->slot = (uint16_t)(slot + 1);
    timer->next = NULL;
    timer->previous = last;
    if (last)
        last->next = timer;
    else
        wheel->slots[slot] = timer;
    wheel->tails[slot] = timer;
    wheel->occupied[slot / 64] |= slot_bit(slot);
    if (slot >= FIRST_SLOTS) { /* there the order is of no use, and most leave before their time comes */
        show_way(timer, FAR_PLACES);
        return;
    }
    show_way(timer, NEAR_PLACES);
    if (last && moment_ns < proi_timer_moment(last))
        wheel->unsorted[slot / 64] |= slot_bit(slot);
}

void proi_wheel_arm(struct proi_wheel *wheel, struct pro_timer_ *timer)
{
    link_into(wheel, timer, proi_timer_moment(timer));
    wheel->armed++;
}

/* No timer is left in @slot. */
static void slot_emptied(struct proi_wheel *wheel, unsigned slot)
{
    wheel->occupied[slot / 64] &= ~slot_bit(slot);
    if (slot < FIRST_SLOTS)
        wheel->unsorted[slot / 64] &= ~slot_bit(slot);
}

void proi_wheel_disarm(struct proi_wheel *wheel, struct pro_timer_ *timer)
{
    unsigned slot;

    if (!timer->slot)
        return;
    slot = timer->slot - 1u;
    fetch_shown(timer); /* many leave in the order in which they came */
    timer->slot = 0;
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        wheel->slots[slot] = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    else
        wheel->tails[slot] = timer->previous;
    if (!wheel->slots[slot])
        slot_emptied(wheel, slot);
    wheel->armed--;
}

static struct pro_timer_ *take_slot(struct proi_wheel *wheel, unsigned slot)
{
    struct pro_timer_ *list = wheel->slots[slot];

    wheel->slots[slot] = wheel->tails[slot] = NULL;
    slot_emptied(wheel, slot);
    return list;
}

/* The first tick at or after the present one in which some slot must be looked at; UINT64_MAX: none. */
static uint64_t next_tick(const struct proi_wheel *wheel)
{
    const unsigned here = (unsigned)(wheel->tick & FIRST_MASK);
    uint64_t ahead = wheel->occupied[here / 64] >> (here & 63);

    if (ahead)
        return wheel->tick + (unsigned)__builtin_ctzll(ahead);
    for (unsigned word = here / 64 + 1; word < FIRST_SLOTS / 64; word++)
        if (wheel->occupied[word])
            return (wheel->tick & ~(uint64_t)FIRST_MASK) + word * 64 + (unsigned)__builtin_ctzll(wheel->occupied[word]);
    for (unsigned level = 1; level < PROI_WHEEL_LEVELS; level++) {
        const uint64_t start = wheel->tick >> shift_of(level);

        /* The present slot is empty: it was handed down when its time began. */
        ahead = wheel->occupied[FIRST_SLOTS / 64 + level - 1] >> (start & MASK);
        if (ahead)
            return (start + (unsigned)__builtin_ctzll(ahead)) << shift_of(level);
    }
    return UINT64_MAX;
}

/* Moves the wheel to @tick, handing down the slots whose time begins there. Between the old and the new tick nothing is
 * armed. */
static void advance_to(struct proi_wheel *wheel, uint64_t tick)
{
    unsigned level = level_of(wheel->tick ^ tick);

    wheel->tick = tick;
    for (; level > 0; level--) {
        struct pro_timer_ *timer, *next;

        for (timer = take_slot(wheel, slot_at(level, tick)); timer; timer = next) {
            next = timer->next;
            __builtin_prefetch(next);
            link_into(wheel, timer, proi_timer_moment(timer));
        }
    }
}

/* Merges two lists ordered by moment; of equals those of @a come first. */
static struct pro_timer_ *merge(struct pro_timer_ *a, struct pro_timer_ *b)
{
    struct pro_timer_ *head = NULL, **tail = &head;

    while (a && b) {
        struct pro_timer_ **smaller = proi_timer_moment(b) < proi_timer_moment(a) ? &b : &a;

        *tail = *smaller;
        tail = &(*smaller)->next;
        *smaller = *tail;
    }
    *tail = a ? a : b;
    return head;
}

/* Stable, bottom-up: runs[i] holds 2^i ops or nothing, older ones in higher runs. */
static struct pro_timer_ *sort(struct pro_timer_ *list)
{
    struct pro_timer_ *runs[48] = { NULL }, *sorted = NULL;

    while (list) {
        struct pro_timer_ *run = list;
        unsigned i = 0;

        list = list->next;
        run->next = NULL;
        for (; i < 47 && runs[i]; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    for (unsigned i = 0; i < 48; i++)
        if (runs[i])
            sorted = merge(runs[i], sorted);
    return sorted;
}

/* Puts a slot of level 0 in order. */
static void slot_sort(struct proi_wheel *wheel, unsigned slot)
{
    struct pro_timer_ *last = NULL;

    if (PROI_LIKELY(!(wheel->unsorted[slot / 64] & slot_bit(slot))))
        return;
    wheel->unsorted[slot / 64] &= ~slot_bit(slot);
    wheel->slots[slot] = sort(wheel->slots[slot]);
    for (struct pro_timer_ *timer = wheel->slots[slot]; timer; timer = timer->next) {
        timer->previous = last;
        last = timer;
    }
    wheel->tails[slot] = last;
}

uint64_t proi_wheel_next(struct proi_wheel *wheel)
{
    const uint64_t tick = wheel->armed ? next_tick(wheel) : UINT64_MAX;
    const unsigned slot = (unsigned)(tick & FIRST_MASK);

    if (tick == UINT64_MAX)
        return UINT64_MAX;
    if (level_of(tick ^ wheel->tick) > 0)
        return tick << PROI_TICK_BITS; /* a higher slot: look again when its time begins */
    slot_sort(wheel, slot);
    return proi_timer_moment(wheel->slots[slot]);
}

/* Takes what is due out of the present slot, at most @most, and links it behind *@tail, which is moved on. Gives how
 * many. */
static size_t take_due(struct proi_wheel *wheel, uint64_t now_ns, size_t most, struct pro_timer_ ***tail)
{
    const unsigned slot = (unsigned)(wheel->tick & FIRST_MASK);
    const bool all_due = wheel->tick < now_ns >> PROI_TICK_BITS;
    struct pro_timer_ *timer;
    size_t count = 0;

    slot_sort(wheel, slot);
    **tail = wheel->slots[slot];
    /* Each was armed long ago and is in no cache: looks at no moment that does not matter. */
    for (timer = **tail; timer && count < most && (all_due || proi_timer_moment(timer) <= now_ns);
         timer = timer->next) {
        fetch_shown(timer);
        timer->slot = 0;
        *tail = &timer->next;
        count++;
    }
    **tail = NULL;
    wheel->armed -= count;
    wheel->slots[slot] = timer;
    if (timer) {
        timer->previous = NULL;
    } else {
        wheel->tails[slot] = NULL;
        slot_emptied(wheel, slot);
    }
    return count;
}

struct pro_timer_ *proi_wheel_expire(struct proi_wheel *wheel, uint64_t now_ns, size_t most)
{
    const uint64_t now_tick = now_ns >> PROI_TICK_BITS;
    struct pro_timer_ *due = NULL, **tail = &due;

    while (wheel->armed) {
        const uint64_t tick = next_tick(wheel);

        if (tick > now_tick)
            break;
        advance_to(wheel, tick > wheel->tick ? tick : wheel->tick);
        most -= take_due(wheel, now_ns, most, &tail);
        if (!most)
            return due; /* the wheel stays where it is: there may be more */
        if (wheel->tick == now_tick)
            break;
    }
    if (now_tick > wheel->tick)
        advance_to(wheel, now_tick);
    return due;
}

void proi_wheel_for_each(struct proi_wheel *wheel, void (*visit)(struct pro_op *op))
{
    for (unsigned slot = 0; slot < PROI_WHEEL_SLOTS; slot++) {
        struct pro_timer_ *timer, *next;

        for (timer = wheel->slots[slot]; timer; timer = next) {
            next = timer->next;
            visit(proi_timer_op(timer));
        }
    }
}

/* ---- the verbs ---- */

static struct pro_op *sleep_until(struct pro_op *op, uint64_t moment_ns)
{
    op->timer.moment_ns = moment_ns;
    op->timer.slot = 0;
    op->timer.of_limit = false;
    return op;
}

struct pro_op *pro_sleep_until(struct pro_op *op, struct pro_loop *loop, uint64_t deadline_ns, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_SLEEP))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    return sleep_until(op, deadline_ns);
}

struct pro_op *pro_sleep(struct pro_op *op, struct pro_loop *loop, int64_t duration_ns, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_SLEEP))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    if (duration_ns < 0)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_sleep: the duration is negative"));
    return sleep_until(op, (op->loop && duration_ns > 0 ? proi_loop_clock(op->loop) : 0) + (uint64_t)duration_ns);
}
