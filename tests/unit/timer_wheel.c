/* SPDX-License-Identifier: MIT */
/* The timer wheel by itself: the order in which ops come out, to the nanosecond, and that its work does not grow with
 * what it holds. The wheel is compiled into this test, so that each look at a timer can be counted. */
#include "proactor/internal.h"

#include "harness.h"

#include <stdlib.h>

static size_t looks;

static uint64_t counted_moment(const struct pro_timer_ *timer)
{
    looks++;
    return proi_timer_moment(timer);
}

#define proi_timer_moment counted_moment
#include "proactor/timer.c"
#undef proi_timer_moment

static struct proi_wheel wheel;

static uint64_t moment_of(const struct pro_op *op) { return op->timer.moment_ns; }

static void arm(struct pro_op *op, uint64_t moment_ns)
{
    memset(op, 0, sizeof *op);
    op->kind = PRO_OP_SLEEP;
    op->timer.moment_ns = moment_ns;
    proi_wheel_arm(&wheel, &op->timer);
}

/* The timers that are due, as ops. */
static struct pro_op *expire(uint64_t now_ns, size_t most)
{
    struct pro_timer_ *const timer = proi_wheel_expire(&wheel, now_ns, most);

    return timer ? proi_timer_op(timer) : NULL;
}

static struct pro_op *next_of(const struct pro_op *op) { return op->timer.next ? proi_timer_op(op->timer.next) : NULL; }

/* A moment from a nanosecond to a month away: each power of two is as likely as the next. */
static uint64_t random_moment(uint64_t *state, uint64_t now)
{
    const unsigned bits = (unsigned)(test_random(state) % 52);

    return now + (test_random(state) & ((UINT64_C(1) << bits) - 1));
}

static size_t count_list(const struct pro_op *op)
{
    size_t count = 0;

    for (; op; op = next_of(op))
        count++;
    return count;
}

TEST(each_op_comes_out_at_its_own_nanosecond_when_next_is_followed)
{
    // Kills: a next that is late; an expire that rounds to ticks; an op lost when slots are handed down.
    enum { COUNT = 2000 };
    struct pro_op *const ops = calloc(COUNT, sizeof *ops);
    uint64_t state = test_seed(), now = 123456789, previous = 0;
    size_t came = 0, turns = 0;

    proi_wheel_init(&wheel, now);
    for (int i = 0; i < COUNT; i++)
        arm(&ops[i], random_moment(&state, now));
    CHECK_EQ(wheel.armed, COUNT);
    while (wheel.armed && turns++ < COUNT * PROI_WHEEL_LEVELS) {
        const uint64_t next = proi_wheel_next(&wheel);

        REQUIRE(next != UINT64_MAX && next >= previous);
        if (next > now)
            now = next;
        for (struct pro_op *op = expire(now, SIZE_MAX); op; op = next_of(op)) {
            CHECK(moment_of(op) <= now);
            CHECK(moment_of(op) == now || now == 123456789); /* what was due at the start comes at the start */
            CHECK_EQ(op->timer.slot, 0);
            came++;
        }
        previous = next;
    }
    CHECK_EQ(came, COUNT);
    CHECK_EQ(wheel.armed, 0);
    CHECK(proi_wheel_next(&wheel) == UINT64_MAX);
    free(ops);
}

TEST(what_is_due_comes_in_order_of_moment_then_of_arming_and_nothing_else_comes)
{
    // Kills: the order of slots instead of moments; an unstable sort; an op that comes early or is left behind.
    enum { COUNT = 3000 };
    struct pro_op *const ops = calloc(COUNT, sizeof *ops);
    uint64_t state = test_seed(), now = 0;
    size_t left = COUNT;

    proi_wheel_init(&wheel, now);
    for (int i = 0; i < COUNT; i++)
        arm(&ops[i], (random_moment(&state, now) & ~UINT64_C(0xff)) + 1); /* many are equal */
    while (left) {
        const struct pro_op *before = NULL;
        uint64_t earliest = UINT64_MAX;

        now = random_moment(&state, now) + 1;
        for (struct pro_op *op = expire(now, SIZE_MAX); op; before = op, op = next_of(op)) {
            CHECK(moment_of(op) <= now);
            if (before)
                CHECK(moment_of(before) < moment_of(op) || (moment_of(before) == moment_of(op) && before < op));
            left--;
        }
        CHECK_EQ(wheel.armed, left);
        for (int i = 0; i < COUNT; i++)
            if (ops[i].timer.slot && moment_of(&ops[i]) < earliest)
                earliest = moment_of(&ops[i]);
        CHECK(earliest > now);
        CHECK(proi_wheel_next(&wheel) <= earliest);
    }
    free(ops);
}

TEST(what_is_due_may_be_taken_a_few_at_a_time_and_the_order_is_the_same)
{
    // Kills: a slot given out before it is sorted; a rest that is lost, or comes twice, or cannot be disarmed; a next
    // that is late.
    enum { COUNT = 3000, MOST = 7 };
    struct pro_op *const ops = calloc(COUNT, sizeof *ops);
    uint64_t state = test_seed(), before = 0;
    const uint64_t now = (uint64_t)PRO_MS(80);
    size_t left = COUNT;

    proi_wheel_init(&wheel, 0);
    for (int i = 0; i < COUNT; i++) /* crowded in a few ticks, some of them on a higher level */
        arm(&ops[i], (test_random(&state) % 4) * (uint64_t)PRO_MS(25) + test_random(&state) % 300000);
    while (left) {
        const uint64_t next = proi_wheel_next(&wheel);
        size_t came = 0;

        CHECK(next <= now);
        for (struct pro_op *op = expire(now, MOST); op; op = next_of(op)) {
            CHECK(moment_of(op) >= before && moment_of(op) <= now);
            CHECK_EQ(op->timer.slot, 0);
            before = moment_of(op);
            came++;
        }
        CHECK(came == MOST || came == left);
        REQUIRE(came > 0);
        left -= came;
        for (int i = 0; i < COUNT && left; i++) /* one that is still there goes */
            if (ops[i].timer.slot && (test_random(&state) & 1)) {
                proi_wheel_disarm(&wheel, &ops[i].timer);
                left--;
                break;
            }
        CHECK_EQ(wheel.armed, left);
    }
    CHECK(expire(now, MOST) == NULL);
    free(ops);
}

TEST(an_op_armed_into_an_empty_wheel_long_after_the_last_is_found_at_its_moment)
{
    // Kills: an empty wheel that is moved beyond, or not to, the present.
    struct pro_op op;

    for (uint64_t now = 1; now < UINT64_C(1) << 60; now *= 3) {
        proi_wheel_init(&wheel, 0);
        proi_wheel_move(&wheel, now);
        arm(&op, now + 5000);
        CHECK(proi_wheel_next(&wheel) <= now + 5000);
        CHECK(expire(now + 4999, 1) == NULL);
        CHECK(expire(now + 5000, 1) == &op);
    }
}

TEST(a_disarmed_op_never_comes)
{
    // Kills: a disarm that leaves the op linked, or the slot's bit set.
    enum { COUNT = 1000 };
    struct pro_op *const ops = calloc(COUNT, sizeof *ops);
    uint64_t state = test_seed();
    size_t left = COUNT;

    proi_wheel_init(&wheel, 0);
    for (int i = 0; i < COUNT; i++)
        arm(&ops[i], random_moment(&state, 1));
    for (int i = 0; i < COUNT; i++)
        if (test_random(&state) & 1) {
            proi_wheel_disarm(&wheel, &ops[i].timer);
            proi_wheel_disarm(&wheel, &ops[i].timer); /* it is not there: nothing happens */
            ops[i].kind = PRO_OP_NOP;
            left--;
        }
    CHECK_EQ(wheel.armed, left);
    for (struct pro_op *op = expire(UINT64_C(1) << 60, SIZE_MAX); op; op = next_of(op)) {
        CHECK_EQ(op->kind, PRO_OP_SLEEP);
        left--;
    }
    CHECK_EQ(left, 0);
    for (int word = 0; word < PROI_WHEEL_WORDS; word++)
        CHECK_EQ(wheel.occupied[word], 0);
    free(ops);
}

TEST(a_limit_among_sleeps_shows_no_way_and_is_known_as_one)
{
    // Kills: showing the way in a limit's timer, before which there is no op but another's memory.
    enum { COUNT = 12, BEFORE = 16, UNTOUCHED = 0x5a };
    static struct pro_op sleeps[COUNT], limited;
    static struct {
        uint64_t before[BEFORE];
        struct proi_limit limit;
    } limits[COUNT];

    for (int far = 0; far < 2; far++) {
        const uint64_t moment_ns = far ? (uint64_t)PRO_S(40) : 1;
        size_t came = 0;

        memset(limits, UNTOUCHED, sizeof limits);
        proi_wheel_init(&wheel, 0);
        for (int i = 0; i < COUNT; i++) {
            limits[i].limit =
                (struct proi_limit){ .timer = { .moment_ns = moment_ns, .of_limit = true }, .op = &limited };
            if (i % 3)
                arm(&sleeps[i], moment_ns);
            else
                proi_wheel_arm(&wheel, &limits[i].limit.timer);
        }
        for (struct pro_timer_ *it = proi_wheel_expire(&wheel, (uint64_t)PRO_S(41), SIZE_MAX); it; it = it->next) {
            CHECK(proi_timer_op(it) == (came % 3 ? &sleeps[came] : &limited));
            came++;
        }
        CHECK_EQ(came, COUNT);
        for (int i = 0; i < COUNT; i++)
            for (size_t at = 0; at < sizeof limits[i].before; at++)
                CHECK_EQ(((const unsigned char *)limits[i].before)[at], UNTOUCHED);
    }
}

TEST(an_op_handed_down_level_by_level_is_neither_early_nor_late)
{
    // Kills: a cascade that puts an op into the slot that has just passed, or hands down one level only.
    for (unsigned level = 0; level < PROI_WHEEL_LEVELS; level++) {
        const unsigned shift = PROI_TICK_BITS + shift_of(level);

        if (shift > 62)
            break;
        for (int64_t offset = -1; offset <= 1; offset++) {
            const uint64_t moment = (UINT64_C(3) << shift) + (uint64_t)offset;
            struct pro_op op;
            unsigned turns = 0;
            uint64_t now = 7;

            proi_wheel_init(&wheel, now);
            arm(&op, moment);
            CHECK(expire(moment - 1, SIZE_MAX) == NULL);
            CHECK_EQ(wheel.armed, 1);
            CHECK(expire(moment, SIZE_MAX) == &op);
            proi_wheel_init(&wheel, now); /* again, in the steps that a loop would take */
            arm(&op, moment);
            while (wheel.armed && turns++ < 100) {
                now = proi_wheel_next(&wheel);
                proi_wheel_expire(&wheel, now, SIZE_MAX);
            }
            CHECK_EQ(now, moment);
            CHECK(turns <= PROI_WHEEL_LEVELS + 1);
        }
    }
}

/* A working day with @idle timers armed in the background: short ones are armed, some disarmed, some struck. */
static size_t looks_of_a_day(struct pro_op *background, size_t idle)
{
    enum { SHORT = 64, ROUNDS = 2000 };
    struct pro_op ops[SHORT];
    uint64_t state = test_seed(), now = 0;

    proi_wheel_init(&wheel, now);
    for (size_t i = 0; i < idle; i++) /* half an hour to an hour away: deadlines of idle connections */
        arm(&background[i], (uint64_t)PRO_S(1800) + test_random(&state) % (uint64_t)PRO_S(1800));
    looks = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SHORT; i++)
            arm(&ops[i], now + test_random(&state) % (uint64_t)PRO_MS(50));
        for (int i = 0; i < SHORT; i += 2)
            proi_wheel_disarm(&wheel, &ops[i].timer);
        now += (uint64_t)PRO_MS(50);
        proi_wheel_next(&wheel);
        CHECK_EQ(count_list(expire(now, SIZE_MAX)), SHORT / 2);
    }
    CHECK_EQ(wheel.armed, idle);
    return looks;
}

TEST(a_million_armed_timers_cost_a_turn_no_more_than_a_thousand)
{
    // Kills: a walk over what is armed, in arm, disarm, next or expire.
    const size_t many = 1000000, few = 1000;
    struct pro_op *const background = calloc(many, sizeof *background);
    size_t with_few, with_many;

    REQUIRE(background != NULL);
    with_few = looks_of_a_day(background, few);
    with_many = looks_of_a_day(background, many);
    test_note("ops looked at: %zu with 1,000 armed, %zu with 1,000,000", with_few, with_many);
    CHECK(with_many <= with_few + with_few / 10);
    free(background);
}

TEST(each_op_is_touched_a_bounded_number_of_times_until_it_strikes)
{
    // Kills: a cascade that visits an op once per tick instead of once per level.
    const size_t count = 200000;
    struct pro_op *const ops = calloc(count, sizeof *ops);
    uint64_t state = test_seed(), now = 0;
    size_t came = 0;

    REQUIRE(ops != NULL);
    proi_wheel_init(&wheel, now);
    looks = 0;
    for (size_t i = 0; i < count; i++)
        arm(&ops[i], test_random(&state) % (uint64_t)PRO_S(3600));
    while (wheel.armed) {
        now += (uint64_t)PRO_MS(20);
        came += count_list(expire(now, SIZE_MAX));
    }
    CHECK_EQ(came, count);
    /* Armed once, handed down at most three levels within an hour, seen when due, and sorted among the few of its turn.
     */
    test_note("looks at each op: %.1f", (double)looks / (double)count);
    CHECK(looks < count * 20);
    free(ops);
}
