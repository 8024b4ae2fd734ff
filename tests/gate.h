/* SPDX-License-Identifier: MIT */
/* For tests that order events between threads: a counter that threads wait for. It makes no system call that another
   thread's progress depends on, and never sleeps for a time. */
#ifndef PROACT_TEST_GATE_H
#define PROACT_TEST_GATE_H

#include "platform.h"

/* Zero is a closed gate. What was done before gate_add() is seen after gate_wait(). */
struct gate {
    uint32_t count;
};

static inline void gate_add(struct gate *gate)
{
    proi_fetch_add(&gate->count, 1, PROI_RELEASE);
    proi_wake_all(&gate->count);
}

static inline uint32_t gate_count(const struct gate *gate) { return proi_load(&gate->count, PROI_ACQUIRE); }

/* Until @count have come. The harness's watchdog ends a test that waits for ever. */
static inline void gate_wait(const struct gate *gate, uint32_t count)
{
    uint32_t now;

    while ((now = gate_count(gate)) < count)
        proi_wait(&gate->count, now, -1);
}

#endif
