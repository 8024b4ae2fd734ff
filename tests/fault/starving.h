/* SPDX-License-Identifier: MIT */
/* An allocator that fails the N-th allocation, and the sweep over all N: a scenario runs again and again, each time
 * with the next allocation failing, until a run has no failure left.
 *
 * Held in every run: what was injected is told as PRO_E_NO_MEMORY, or made up for; nothing else fails without that;
 * what was started ends; and after pro_memory_trim() as many blocks are alive as before. The process keeps three kinds
 * of blocks on purpose (closed loops, closed handles, workers of the pool), so that stale pointers can be asked; these
 * are counted apart. */
#ifndef PROACT_TEST_STARVING_H
#define PROACT_TEST_STARVING_H

#include "proactor/internal.h"
#include "sync_context/pool.h"

#include <proact/proact.h>

#include "harness.h"

#include <stdlib.h>

enum { HEADER = 16, MOST_ALLOCATIONS = 3000 };

static struct starving {
    uint64_t calls, fail_at; /* shared; fail_at 0: never */
    int64_t alive;           /* shared: blocks, kept ones apart */
    uint32_t injected;       /* shared: a failure in this run */
    uint32_t no_slabs;       /* shared: what handles are made of is refused, and not as an injected failure */

    /* of the run, on the test's thread */
    unsigned no_memory, started, ended;
    int other;
} starving;

static inline bool is_kept(size_t size)
{
    return size == sizeof(struct pro_loop) || size == sizeof(struct proi_handle_slab) ||
           size == sizeof(struct proi_pool_worker);
}

static inline void *starving_allocate(size_t size, void *user)
{
    const uint64_t call = proi_fetch_add(&starving.calls, (uint64_t)1, PROI_RELAXED) + 1;
    char *block;

    (void)user;
    if (call == proi_load(&starving.fail_at, PROI_RELAXED)) {
        proi_store(&starving.injected, 1u, PROI_RELAXED);
        return NULL;
    }
    if (size == sizeof(struct proi_handle_slab) && proi_load(&starving.no_slabs, PROI_RELAXED))
        return NULL;
    block = malloc(HEADER + size);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    if (!is_kept(size))
        proi_fetch_add(&starving.alive, (int64_t)1, PROI_RELAXED);
    return block + HEADER;
}

static inline void starving_release(void *block, void *user)
{
    size_t size;

    (void)user;
    memcpy(&size, (char *)block - HEADER, sizeof size);
    if (!is_kept(size))
        proi_fetch_sub(&starving.alive, (int64_t)1, PROI_RELAXED);
    free((char *)block - HEADER);
}

static inline void *starving_resize(void *block, size_t size, void *user)
{
    void *const larger = starving_allocate(size, user);
    size_t before;

    if (!larger || !block)
        return larger;
    memcpy(&before, (char *)block - HEADER, sizeof before);
    memcpy(larger, block, before < size ? before : size);
    starving_release(block, user);
    return larger;
}

/* Before anything else of the library. */
__attribute__((constructor)) static void starving_install(void)
{
    static const struct pro_allocator allocator = { starving_allocate, starving_resize, starving_release, NULL };

    pro_set_allocator(&allocator);
    proi_slabs_of_one = true; /* each block may fail */
    pro_set_unobserved_handler(NULL, NULL);
}

/* ---- what a run reports ---- */

/* Notes an outcome; true: it succeeded. PRO_E_USER is what a scenario fails with on purpose. */
static inline bool went_well(int64_t code)
{
    if (code == PRO_E_NO_MEMORY)
        starving.no_memory++;
    else if (code < 0 && code != PRO_E_USER)
        starving.other = (int)code;
    return code >= 0;
}

/* Notes the outcome of a task, which must have ended, and drops it. */
static inline void task_ended(struct pro_task *task)
{
    starving.started++;
    if (!pro_task_is_completed(task)) {
        test_fail(__FILE__, __LINE__, "a task has not ended");
        return;
    }
    starving.ended++;
    went_well(pro_error_code(pro_task_error(task)));
    pro_task_unref(task);
}

static inline void op_ended(struct pro_op *op)
{
    starving.ended++;
    went_well(op->result);
}

/* Submits and counts; the op is delivered by the run of its loop. */
static inline bool start_op(struct pro_op *op)
{
    const int code = pro_then(op, op_ended);

    if (code == PRO_OK)
        starving.started++;
    return went_well(code);
}

/* ---- the sweep ---- */

static inline void check_run(const char *name, int64_t alive_before)
{
    const int64_t alive = proi_load(&starving.alive, PROI_RELAXED);
    const bool injected = proi_load(&starving.injected, PROI_RELAXED);
    const unsigned long long at = proi_load(&starving.fail_at, PROI_RELAXED);

    if (alive != alive_before)
        test_fail(__FILE__, __LINE__, "%s, allocation %llu failing: %lld blocks leak", name, at,
                  (long long)(alive - alive_before));
    if (starving.started != starving.ended)
        test_fail(__FILE__, __LINE__, "%s, allocation %llu failing: %u of %u never end", name, at,
                  starving.started - starving.ended, starving.started);
    if (starving.other < 0 && !starving.no_memory)
        test_fail(__FILE__, __LINE__, "%s, allocation %llu failing: %s, and nothing tells of memory", name, at,
                  pro_err_name(starving.other));
    if (!injected && starving.no_memory)
        test_fail(__FILE__, __LINE__, "%s: there is memory, and it says there is none", name);
}

/* Runs @scenario with each of its allocations failing once. */
static inline void sweep(const char *name, void (*scenario)(void *arg), void *arg)
{
    uint64_t calls = 0;
    unsigned told = 0;
    bool injected = true;

    for (uint64_t at = 1; injected && at < MOST_ALLOCATIONS; at++) {
        int64_t alive;

        pro_memory_trim(); /* blocks kept for reuse would hide allocations */
        alive = proi_load(&starving.alive, PROI_RELAXED);
        starving.no_memory = starving.started = starving.ended = 0;
        starving.other = 0;
        proi_store(&starving.injected, 0u, PROI_RELAXED);
        proi_store(&starving.calls, (uint64_t)0, PROI_RELAXED);
        proi_store(&starving.fail_at, at, PROI_RELAXED);
        scenario(arg);
        calls = proi_load(&starving.calls, PROI_RELAXED);
        injected = proi_load(&starving.injected, PROI_RELAXED);
        pro_memory_trim();
        check_run(name, alive);
        proi_store(&starving.fail_at, (uint64_t)0, PROI_RELAXED);
        told += starving.no_memory > 0;
    }
    test_note("%-24s %4llu allocations, %u told as errors", name, (unsigned long long)calls, told);
    CHECK(!injected);
}

#endif
