/* SPDX-License-Identifier: MIT */
/* The blocks of all loops, open and closed. A closed one is reused only after 256 others were closed, so that a stale
   pointer to a loop finds a closed loop and not a stranger. */
#include "internal.h"

#include <string.h>

enum { QUARANTINE = 256 };

static struct {
    struct proi_mutex lock;
    struct pro_loop *open;
    struct pro_loop *closed, *closed_tail; /* oldest first */
    unsigned closed_count;
    uint32_t last_id;
} registry;

struct pro_loop *proi_loop_register(void)
{
    struct pro_loop *loop = NULL;

    proi_lock(&registry.lock);
    if (registry.closed_count > QUARANTINE) {
        loop = registry.closed;
        registry.closed = loop->next;
        registry.closed_count--;
    } else {
        loop = proi_alloc_zeroed(sizeof *loop);
    }
    if (loop) {
        /* Who still has a pointer to the former loop may be counted among the visitors just now, and will leave again.
         */
        memset((char *)loop + sizeof loop->visitors, 0, sizeof *loop - sizeof loop->visitors);
        loop->id = ++registry.last_id;
    }
    proi_unlock(&registry.lock);
    return loop;
}

/* Release, and last: who still has a pointer to the former loop and finds this one open, finds its backend, too. */
void proi_loop_publish(struct pro_loop *loop)
{
    proi_lock(&registry.lock);
    loop->next = registry.open;
    registry.open = loop;
    proi_store(&loop->open, 1u, PROI_RELEASE);
    proi_unlock(&registry.lock);
}

void proi_loop_unregister(struct pro_loop *loop)
{
    struct pro_loop **link;

    proi_lock(&registry.lock);
    proi_store(&loop->open, 0u, PROI_RELEASE);
    proi_store(&loop->shared.thread, UINT64_C(0), PROI_RELAXED); /* it is on no thread any more */
    for (link = &registry.open; *link && *link != loop; link = &(*link)->next)
        ;
    if (*link)
        *link = loop->next;
    loop->next = NULL;
    if (registry.closed)
        registry.closed_tail->next = loop;
    else
        registry.closed = loop;
    registry.closed_tail = loop;
    registry.closed_count++;
    proi_unlock(&registry.lock);
}

bool proi_loop_id_is_open(uint32_t id)
{
    const struct pro_loop *loop;

    proi_lock(&registry.lock);
    for (loop = registry.open; loop && loop->id != id; loop = loop->next)
        ;
    proi_unlock(&registry.lock);
    return loop != NULL;
}

/* Looks into the caller's own loops only, which no other thread closes meanwhile. */
bool proi_loop_here_has_context(const void *context)
{
    const uint64_t thread = proi_thread_id();
    const struct pro_loop *loop;

    proi_lock(&registry.lock);
    for (loop = registry.open; loop; loop = loop->next)
        if (proi_load(&loop->shared.thread, PROI_RELAXED) == thread && loop->context == context)
            break;
    proi_unlock(&registry.lock);
    return loop != NULL;
}

bool proi_loop_usable(const struct pro_loop *loop)
{
    return loop && proi_load(&loop->open, PROI_ACQUIRE) && !proi_load(&loop->closing, PROI_RELAXED);
}
