/* SPDX-License-Identifier: MIT */
/* The timer wheel: eight levels of 64 slots, a tick of 131 µs. Arming and disarming touch one slot; an op moves down at
   most once a level. What fires together is sorted, so that the order is that of the moments and not of the slots. The
   verbs pro_sleep() and pro_sleep_until() are here, too. */
#include "internal.h"

#include <proact/timer.h>

#include <string.h>

enum { SLOT_MASK = PROI_WHEEL_SLOTS - 1 };

void proi_wheel_init(struct proi_wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now_ns >> PROI_TICK_BITS;
}

/* The slot of tick @due: the level is where @due and the present tick first differ, seen from above. What is due now or
   was earlier goes into the present slot of level 0. */
static unsigned slot_of(const struct proi_wheel *wheel, uint64_t due)
{
    uint64_t differ;
    unsigned level;

    if (due < wheel->tick)
        due = wheel->tick;
    differ = due ^ wheel->tick;
    level = differ ? (63u - (unsigned)__builtin_clzll(differ)) / PROI_WHEEL_BITS : 0;
    if (level >= PROI_WHEEL_LEVELS) { /* 2^48 ticks away: a thousand years */
        level = PROI_WHEEL_LEVELS - 1;
        return level * PROI_WHEEL_SLOTS + SLOT_MASK;
    }
    return level * PROI_WHEEL_SLOTS + (unsigned)(due >> (level * PROI_WHEEL_BITS) & SLOT_MASK);
}

static void link_into(struct proi_wheel *wheel, struct pro_op *op, unsigned slot)
{
    op->timer_slot = (uint16_t)(slot + 1);
    op->timer_next = NULL;
    op->timer_previous = wheel->tails[slot];
    if (op->timer_previous)
        op->timer_previous->timer_next = op;
    else
        wheel->slots[slot] = op;
    wheel->tails[slot] = op;
    wheel->occupied[slot / PROI_WHEEL_SLOTS] |= UINT64_C(1) << (slot & SLOT_MASK);
}

void proi_wheel_arm(struct proi_wheel *wheel, struct pro_op *op)
{
    link_into(wheel, op, slot_of(wheel, proi_op_moment(op) >> PROI_TICK_BITS));
    wheel->armed++;
}

void proi_wheel_disarm(struct proi_wheel *wheel, struct pro_op *op)
{
    unsigned slot;

    if (!op->timer_slot)
        return;
    slot = op->timer_slot - 1u;
    op->timer_slot = 0;
    if (op->timer_previous)
        op->timer_previous->timer_next = op->timer_next;
    else
        wheel->slots[slot] = op->timer_next;
    if (op->timer_next)
        op->timer_next->timer_previous = op->timer_previous;
    else
        wheel->tails[slot] = op->timer_previous;
    if (!wheel->slots[slot])
        wheel->occupied[slot / PROI_WHEEL_SLOTS] &= ~(UINT64_C(1) << (slot & SLOT_MASK));
    wheel->armed--;
}

static struct pro_op *take_slot(struct proi_wheel *wheel, unsigned slot)
{
    struct pro_op *list = wheel->slots[slot];

    wheel->slots[slot] = wheel->tails[slot] = NULL;
    wheel->occupied[slot / PROI_WHEEL_SLOTS] &= ~(UINT64_C(1) << (slot & SLOT_MASK));
    return list;
}

/* The first tick at or after the present one in which some slot must be looked at; UINT64_MAX: none. */
static uint64_t next_tick(const struct proi_wheel *wheel)
{
    for (unsigned level = 0; level < PROI_WHEEL_LEVELS; level++) {
        const unsigned shift = level * PROI_WHEEL_BITS;
        const unsigned here = (unsigned)(wheel->tick >> shift & SLOT_MASK);
        const uint64_t ahead = wheel->occupied[level] >> here;

        if (ahead) {
            const unsigned steps = (unsigned)__builtin_ctzll(ahead);

            /* Above level 0 the present slot is empty: it was handed down when its time began. */
            return ((wheel->tick >> shift) + steps) << shift;
        }
    }
    return UINT64_MAX;
}

uint64_t proi_wheel_next(const struct proi_wheel *wheel)
{
    uint64_t tick = wheel->armed ? next_tick(wheel) : UINT64_MAX;
    uint64_t earliest = UINT64_MAX;

    if (tick == UINT64_MAX)
        return UINT64_MAX;
    if (tick < wheel->tick)
        tick = wheel->tick;
    if ((tick >> PROI_WHEEL_BITS) != (wheel->tick >> PROI_WHEEL_BITS))
        return tick << PROI_TICK_BITS; /* a higher slot: look again when its time begins */
    for (const struct pro_op *op = wheel->slots[tick & SLOT_MASK]; op; op = op->timer_next)
        if (proi_op_moment(op) < earliest)
            earliest = proi_op_moment(op);
    return earliest == UINT64_MAX ? tick << PROI_TICK_BITS : earliest;
}

/* Moves the wheel to @tick, handing down the slots whose time begins there. Between the old and the new tick nothing is
 * armed. */
static void advance_to(struct proi_wheel *wheel, uint64_t tick)
{
    const uint64_t differ = wheel->tick ^ tick;

    wheel->tick = tick;
    if (!differ)
        return;
    for (unsigned level = (63u - (unsigned)__builtin_clzll(differ)) / PROI_WHEEL_BITS; level > 0; level--) {
        struct pro_op *op, *next;
        unsigned slot;

        if (level >= PROI_WHEEL_LEVELS)
            continue;
        slot = level * PROI_WHEEL_SLOTS + (unsigned)(tick >> (level * PROI_WHEEL_BITS) & SLOT_MASK);
        for (op = take_slot(wheel, slot); op; op = next) {
            next = op->timer_next;
            link_into(wheel, op, slot_of(wheel, proi_op_moment(op) >> PROI_TICK_BITS));
        }
    }
}

/* Merges two lists ordered by moment; of equals those of @a come first. */
static struct pro_op *merge(struct pro_op *a, struct pro_op *b)
{
    struct pro_op *head = NULL, **tail = &head;

    while (a && b) {
        struct pro_op **smaller = proi_op_moment(b) < proi_op_moment(a) ? &b : &a;

        *tail = *smaller;
        tail = &(*smaller)->timer_next;
        *smaller = *tail;
    }
    *tail = a ? a : b;
    return head;
}

/* Stable, bottom-up: runs[i] holds 2^i ops or nothing, older ones in higher runs. */
static struct pro_op *sort(struct pro_op *list)
{
    struct pro_op *runs[48] = { NULL }, *sorted = NULL;

    while (list) {
        struct pro_op *run = list;
        unsigned i = 0;

        list = list->timer_next;
        run->timer_next = NULL;
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

struct pro_op *proi_wheel_expire(struct proi_wheel *wheel, uint64_t now_ns)
{
    const uint64_t now_tick = now_ns >> PROI_TICK_BITS;
    struct pro_op *due = NULL, **tail = &due;

    while (wheel->armed) {
        const uint64_t tick = next_tick(wheel);
        struct pro_op *op, *next;

        if (tick > now_tick)
            break;
        advance_to(wheel, tick > wheel->tick ? tick : wheel->tick);
        for (op = take_slot(wheel, (unsigned)(wheel->tick & SLOT_MASK)); op; op = next) {
            next = op->timer_next;
            if (proi_op_moment(op) > now_ns) { /* later in this very tick */
                link_into(wheel, op, (unsigned)(wheel->tick & SLOT_MASK));
                continue;
            }
            op->timer_slot = 0;
            op->timer_next = NULL;
            wheel->armed--;
            *tail = op;
            tail = &op->timer_next;
        }
        if (wheel->tick == now_tick)
            break;
    }
    if (now_tick > wheel->tick)
        advance_to(wheel, now_tick);
    return due && due->timer_next ? sort(due) : due;
}

struct pro_op *pro_sleep_until(struct pro_op *op, struct pro_loop *loop, uint64_t deadline_ns, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_SLEEP))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    op->offset = deadline_ns;
    return op;
}

struct pro_op *pro_sleep(struct pro_op *op, struct pro_loop *loop, int64_t duration_ns, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_SLEEP))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    if (duration_ns < 0)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "pro_sleep: the duration is negative"));
    op->offset = (op->loop && duration_ns > 0 ? proi_loop_clock(op->loop) : 0) + (uint64_t)duration_ns;
    return op;
}
