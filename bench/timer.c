/* SPDX-License-Identifier: MIT */
/* What timers cost, in nanoseconds each: arms N of them, cancels all, arms N that are due soon, and lets them fire.
 *
 *     timer N     prints arm_ns, cancel_ns, fire_ns and walk_ns as JSON
 *
 * walk_ns is what the memory alone takes: two words written in each operation, one after the other. With a million of
 * them no cache holds them, and nothing that touches each can cost less.
 *
 * Callbacks, not methods: a million of them share one. The operations are in memory that was written before, as that of
 * a connection is when its deadline is set. */
#include "measure.h"

#include <proact/proact.h>
#include <string.h>

enum { FAR_LEAST_MS = 10000, FAR_SPREAD_MS = 60000, NEAR_SPREAD_MS = 6, ASLEEP_MS = 20 };

static size_t canceled, fired, failed;

static void on_over(struct pro_op *op)
{
    if (op->result == PRO_OK)
        fired++;
    else if (op->result == PRO_E_CANCELED)
        canceled++;
    else
        failed++;
}

static void sleep_awake(int64_t duration_ns)
{
    const uint64_t until_ns = pro_now() + (uint64_t)duration_ns;

    while (pro_now() < until_ns)
        ;
}

static struct pro_op *ops;
static size_t count;
static uint64_t armed_ns, canceled_ns;

/* Arms all, the moments taken from a sequence that is the same in each run. */
static uint64_t arm(bool far)
{
    struct pro_loop *const loop = pro_loop_current();
    const uint64_t start_ns = pro_loop_now(loop);
    uint64_t random = 7;

    for (size_t i = 0; i < count; i++) {
        const uint64_t number = random_next(&random);
        const uint64_t ms = far ? FAR_LEAST_MS + number % FAR_SPREAD_MS : number % NEAR_SPREAD_MS;

        if (pro_then(pro_sleep_until(&ops[i], loop, start_ns + ms * 1000000, PRO_HOW_DEFAULT), on_over) < 0)
            failed++;
    }
    return pro_now() - start_ns;
}

/* On the loop, where programs set their deadlines: posted. */
static void arm_and_cancel(void *unused)
{
    (void)unused;
    armed_ns = arm(true);
    canceled_ns = pro_now();
    for (size_t i = 0; i < count; i++)
        if (pro_op_cancel(&ops[i]) < 0)
            failed++;
    canceled_ns = pro_now() - canceled_ns;
}

static void arm_near(void *unused)
{
    (void)unused;
    arm(false);
    sleep_awake(PRO_MS(ASLEEP_MS));
}

static uint64_t walk(void)
{
    const uint64_t start_ns = pro_now();

    for (size_t i = 0; i < count; i++) {
        ops[i].result = (int64_t)i;
        ops[i].transferred = i;
    }
    return pro_now() - start_ns;
}

int main(int arguments_count, char **arguments)
{
    struct pro_loop *loop = NULL;
    uint64_t fired_ns, walked_ns;

    count = arguments_count > 1 ? (size_t)atol(arguments[1]) : 1000000;
    ops = malloc(count * sizeof *ops);
    if (!ops || pro_loop_new(NULL, &loop) < 0) {
        fprintf(stderr, "timer: no memory, or no loop\n");
        return 1;
    }
    memset(ops, 0, count * sizeof *ops);

    if (pro_loop_post(loop, arm_and_cancel, NULL) < 0)
        return 1;
    pro_loop_run(loop); /* delivers the cancellations, too; not counted: a peer's are not delivered */

    if (pro_loop_post(loop, arm_near, NULL) < 0)
        return 1;
    pro_loop_run_once(loop, 0);
    fired_ns = pro_now();
    pro_loop_run(loop);
    fired_ns = pro_now() - fired_ns;

    walked_ns = walk();
    if (fired != count || canceled != count || failed)
        fprintf(stderr, "timer: %zu of %zu fired, %zu were canceled, %zu failed\n", fired, count, canceled, failed);
    printf("{\"timers\":%zu,\"arm_ns\":%.1f,\"cancel_ns\":%.1f,\"fire_ns\":%.1f,\"walk_ns\":%.1f}\n", count,
           (double)armed_ns / (double)count, (double)canceled_ns / (double)count, (double)fired_ns / (double)count,
           (double)walked_ns / (double)count);
    pro_loop_free(loop);
    free(ops);
    return fired != count;
}
