/* SPDX-License-Identifier: MIT */
/* The kernels of a build with simulated threads: the simulated kernel, living in the time of the threads. By itself
   (name "sim") it has a clock of its own that jumps as soon as its loop has nothing to do; here its loop waits like any
   other thread, and its time comes when all wait. */
#include "schedule.h"

#include "../sim/sim.h"

#include <stdlib.h>

static struct proi_backend_type shared_time;
const struct proi_backend_type *const proi_backends[] = { &shared_time, &proi_backend_sim, NULL };

static struct sim *sim_of(const struct proi_backend *backend) { return (struct sim *)(uintptr_t)backend; }

static void set_clock(struct sim *sim) { proi_store(&sim->now, proi_now(), PROI_RELAXED); }

static int open_in_shared_time(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                               size_t reason_size)
{
    const int code = proi_backend_sim.open(options, ret_backend, reason, reason_size);

    if (code == PRO_OK) {
        (*ret_backend)->type = &shared_time;
        set_clock(sim_of(*ret_backend));
    }
    return code;
}

/* The lock is not held while it sleeps: others open and ask meanwhile, and what they start wakes the loop. */
static void sleep_until(struct sim *sim, uint64_t moment)
{
    const int64_t left = moment == UINT64_MAX ? -1 : (int64_t)(moment - sim->now);

    proi_unlock(&sim->lock);
    proi_wait(&sim->woken, 0, left);
    proi_lock(&sim->lock);
}

static void wait_in_shared_time(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done)
{
    struct sim *const sim = sim_of(backend);
    struct pro_op *op;

    proi_lock(&sim->lock);
    sim->waits++;
    while ((op = proi_op_queue_pop(&sim->refused)) != NULL)
        proi_op_complete(done, op, PRO_E_NO_MEMORY, 0, 0);
    for (;;) {
        uint64_t next;

        set_clock(sim);
        sim_turn(sim, done);
        if (done->head || sim->now >= deadline_ns || proi_load(&sim->woken, PROI_RELAXED))
            break;
        next = sim_next_due(sim);
        sleep_until(sim, next < deadline_ns ? next : deadline_ns);
    }
    proi_unlock(&sim->lock);
    /* A wake before this exchange is answered: this wait returns, and the acquire shows what the waker wrote before.
       One after it leaves the word set for the next wait. */
    proi_exchange(&sim->woken, 0, PROI_ACQUIRE);
}

static uint64_t shared_now(struct proi_backend *backend)
{
    (void)backend;
    return proi_now();
}

__attribute__((constructor)) static void make_type(void)
{
    shared_time = proi_backend_sim;
    shared_time.name = "simthreads";
    shared_time.open = open_in_shared_time;
    shared_time.wait = wait_in_shared_time;
    shared_time.now = shared_now;
}
