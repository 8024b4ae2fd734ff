/* SPDX-License-Identifier: MIT */
/* A few threads for system calls that block and that the kernel offers in no other form: for the backends only. User
   work runs on the pool of sync_context/. */
#ifndef PROACT_OFFLOAD_H
#define PROACT_OFFLOAD_H

#include "platform.h"

struct proi_offload {
    struct proi_offload *next;
    void (*run)(struct proi_offload *item); /* called once, on one of the threads; the item is its own then */
};
enum { PROI_OFFLOAD_THREADS = 4 };
/* Queues @item, first in, first out. When there is no thread and none can be started it runs inside this call, and a
   notice says so. [any thread] */
void proi_offload(struct proi_offload *item);

/* Waits until each thread that was started runs. A backend calls it when it closes: the process may end next, and under
   Wine a thread that is just starting meets one half taken down, and complains on its standard error. [any thread] */
void proi_offload_settle(void);
unsigned proi_offload_starting(void); /* how many do not run yet; for tests */

#endif
