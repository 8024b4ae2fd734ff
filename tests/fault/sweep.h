/* SPDX-License-Identifier: MIT */
/* For stories told without memory: an allocator that succeeds so often and then no more. On one thread, without loops.
 */
#ifndef PROACT_TEST_SWEEP_H
#define PROACT_TEST_SWEEP_H

#include <proact/proact.h>

#include "harness.h"
#include "platform.h"

#include <stdlib.h>

static struct {
    int left; /* allocations that still succeed; negative: all */
    int live;
} sweep_memory;

static void *sweep_allocate(size_t size, void *user)
{
    void *block = NULL;

    (void)user;
    if (sweep_memory.left < 0 || sweep_memory.left-- > 0)
        block = malloc(size);
    sweep_memory.live += block != NULL;
    return block;
}

static void *sweep_resize(void *block, size_t size, void *user)
{
    if (!block)
        return sweep_allocate(size, user);
    return sweep_memory.left < 0 || sweep_memory.left-- > 0 ? realloc(block, size) : NULL;
}

static void sweep_release(void *block, void *user)
{
    (void)user;
    sweep_memory.live -= block != NULL;
    free(block);
}

/* Runs @story with no memory after the first 0, 1, 2 … allocations, until it succeeds; a failed story has said
   PRO_E_NO_MEMORY, and leaves nothing behind. */
static inline void sweep(int (*story)(void))
{
    static const struct pro_allocator scarce = { sweep_allocate, sweep_resize, sweep_release, NULL };
    int code = PRO_E_NO_MEMORY, most = 0;

    sweep_memory.left = -1;
    proi_slabs_of_one = true; /* each block may fail */
    REQUIRE(pro_set_allocator(&scarce) == PRO_OK);
    for (; code == PRO_E_NO_MEMORY && most < 200; most++) {
        pro_memory_trim();
        CHECK_EQ(sweep_memory.live, 0);
        sweep_memory.left = most;
        code = story();
        sweep_memory.left = -1;
    }
    CHECK_EQ(code, PRO_OK);
    CHECK(most > 1);
    pro_memory_trim();
    CHECK_EQ(sweep_memory.live, 0);
    pro_set_allocator(NULL);
}

#endif
