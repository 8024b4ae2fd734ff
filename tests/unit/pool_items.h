/* SPDX-License-Identifier: MIT */
/* What the tests of the pool share: limits, items that hold their thread, and items that write their number down. */
#ifndef PROACT_TEST_POOL_ITEMS_H
#define PROACT_TEST_POOL_ITEMS_H

#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "sync_context/pool.h"

enum { GROW = 1000 };

static inline void limits(unsigned minimum, unsigned maximum)
{
    CHECK_EQ(pro_pool_set_max_threads(PROI_POOL_MOST_THREADS), PRO_OK);
    CHECK_EQ(pro_pool_set_min_threads(minimum), PRO_OK);
    CHECK_EQ(pro_pool_set_max_threads(maximum), PRO_OK);
}

static inline struct pro_pool_stats stats(void)
{
    struct pro_pool_stats now;

    CHECK_EQ(pro_pool_get_stats(&now), PRO_OK);
    return now;
}

/* An item that holds its thread. */
struct held {
    struct gate inside, leave, left;
};
static inline void hold(void *arg)
{
    struct held *held = arg;

    gate_add(&held->inside);
    gate_wait(&held->leave, 1);
    gate_add(&held->left);
}
static inline void held_release(struct held *held)
{
    gate_add(&held->leave);
    gate_wait(&held->left, gate_count(&held->inside));
}
/* Items that write their number into a list. */
struct numbers {
    int count, values[GROW];
    struct gate done;
};
struct number {
    struct pro_work work;
    struct numbers *numbers;
    int value;
};
static inline void number_run(struct pro_work *work)
{
    struct number *number = PRO_CONTAINER(work, struct number, work);

    number->numbers->values[number->numbers->count++] = number->value;
    gate_add(&number->numbers->done);
}
static inline void number_fill(struct number *number, struct numbers *numbers, int value)
{
    *number = (struct number){ .work = { .run = number_run }, .numbers = numbers, .value = value };
}

#endif
