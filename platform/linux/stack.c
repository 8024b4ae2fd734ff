/* SPDX-License-Identifier: MIT */
/* Linux: how much stack the calling thread has left. */
#include "platform.h"

#include <pthread.h>

static PROI_THREAD_LOCAL struct {
    uintptr_t low, high; /* low 0: not asked yet; high 0: the system did not say */
} stack;

static void stack_find(void)
{
    pthread_attr_t attributes;
    size_t size, guard = 0;
    void *low;

    stack.low = 1;
    if (pthread_getattr_np(pthread_self(), &attributes))
        return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        pthread_attr_getguardsize(&attributes, &guard);
        stack.low = (uintptr_t)low + guard;
        stack.high = (uintptr_t)low + size;
    }
    pthread_attr_destroy(&attributes);
}

size_t proi_stack_left(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (PROI_UNLIKELY(!stack.low))
        stack_find();
    if (here < stack.low || here >= stack.high)
        return SIZE_MAX; /* a stack of somebody else's making, a fiber's say: he must watch it */
    return here - stack.low;
}
