/* SPDX-License-Identifier: MIT */
/* Sleeping, in every situation (contract.h). The kernel has no part in it: it is here because its waits end it. */
#include "contract.h"

static void start_long(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it, pro_sleep(&it->op, contract->loop, PRO_S(1000), how));
}

static void success(struct contract *contract)
{
    /* Kills: a wheel that rounds a moment down. */
    static struct contract_op it;
    const int64_t durations[] = { 0, 1, PRO_US(200), PRO_MS(3) };

    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        uint64_t before = pro_loop_now(contract->loop);

        contract_start(contract, &it, pro_sleep(&it.op, contract->loop, durations[i], PRO_HOW_DEFAULT));
        contract_wait(contract, &it);
        contract_check(contract, &it);
        CHECK(pro_loop_now(contract->loop) - before >= (uint64_t)durations[i]);
    }
}

static void deadline(struct contract *contract)
{
    /* Kills: a sleep that ignores how. */
    contract_deadline(contract, start_long, PRO_MS(1));
}

static void cancel_before(struct contract *contract)
{
    /* Kills: not looking at the token at submission. */
    contract_cancel_before(contract, start_long);
}

static void cancel_pending(struct contract *contract)
{
    /* Kills: leaving the timer armed after a cancel. */
    contract_cancel_pending(contract, NULL, start_long, NULL);
}

static void loop_freed(struct contract *contract)
{
    /* Kills: freeing a loop that forgets its sleepers. */
    contract_free_pending(contract, start_long);
}

static bool start_bad(struct contract *contract, struct contract_op *it, int index)
{
    if (index > 0)
        return false;
    contract_start(contract, it, pro_sleep(&it->op, contract->loop, PRO_MS(1), (struct pro_how){ .timeout_ns = -1 }));
    return true;
}

static void bad_argument(struct contract *contract)
{
    /* Kills: taking a negative timeout for none. */
    contract_bad_arguments(contract, start_bad);
}

static unsigned order;
static unsigned ended_at[CONTRACT_MANY];

static void sleep_ended(struct pro_op *op)
{
    ended_at[(size_t)(uintptr_t)op->user] = order++;
    contract_done(op);
}

static void many(struct contract *contract)
{
    /* Kills: a wheel that loses timers of one slot, or wakes the late before the early. */
    static struct contract_op all[CONTRACT_MANY];
    uint64_t start = pro_loop_now(contract->loop) + (uint64_t)PRO_MS(1);

    order = 0;
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        size_t rank = i * 7 % CONTRACT_MANY; /* mixed: 7 and 1000 have no common factor */

        all[i].contract = contract;
        all[i].delivered = 0;
        all[i].op.user = (void *)(uintptr_t)rank;
        REQUIRE(pro_then(pro_sleep_until(&all[i].op, contract->loop, start + rank * 10000, PRO_HOW_DEFAULT),
                         sleep_ended) == PRO_OK);
    }
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &all[i]);
        CHECK_EQ(ended_at[i], i);
    }
}

static const struct contract_row rows[] = {
    { "sleep", "success", success, 0, 0, 0, 0 },
    { "sleep", "short", NULL, 0, 0, 0, 0 },
    { "sleep", "deadline", deadline, 0, 0, 0, 0 },
    { "sleep", "cancel before", cancel_before, 0, 0, 0, 0 },
    { "sleep", "cancel while pending", cancel_pending, 0, 0, 0, 0 },
    { "sleep", "close while pending", loop_freed, 0, 0, 0, 0 },
    { "sleep", "peer gone", NULL, 0, 0, 0, 0 },
    { "sleep", "bad argument", bad_argument, 0, 0, 0, 0 },
    { "sleep", "1,000 at once", many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
