/* SPDX-License-Identifier: MIT */
/* What channel.c and channel_wait.c share: the channel, one write, one read, and what follows from them. */
#ifndef PROACT_AWAITERS_CHANNEL_H
#define PROACT_AWAITERS_CHANNEL_H

#include "waiter.h"

#include <proact/channel.h>

enum { PROI_CHANNEL_SMALL = 128 };

struct pro_channel {
    struct proi_monitor monitor;
    struct pro_type type;
    struct pro_channel_options options;
    struct pro_task *completion; /* one reference */
    /* Under the lock. Readers, and watchers for them, stand in line only while it is empty; writers only while it is
     * full. */
    unsigned char *ring;
    size_t room, first, count;
    bool is_completed;        /* no more writes */
    struct pro_error *error;  /* why; NULL: because it was done */
    struct pro_error *closed; /* what reads and writes fail with then */
    struct proi_line readers, read_watchers, writers, write_watchers;
};

/* What follows from a change, once the lock is released. */
struct proi_channel_deeds {
    struct proi_line ended;
    bool over; /* completed and empty, for the first time */
    bool lost; /* an item, which is in @lost_item */
    void *lost_item;
};

/* ---- with the lock held ---- */
bool proi_channel_is_full(const struct pro_channel *channel);
/* PRO_OK, PRO_E_CHANNEL_CLOSED, PRO_E_FULL, PRO_E_NO_MEMORY. */
int proi_channel_put(struct pro_channel *channel, const void *item, struct proi_channel_deeds *deeds);
/* There is an item. */
void proi_channel_take(struct pro_channel *channel, void *ret_item, struct proi_channel_deeds *deeds);
/* ---- without it ---- */
/* Memory for an item that a write may lose: @small, or a block of its own, which the caller frees. NULL: there is none.
 */
void *proi_channel_lost_memory(const struct pro_channel *channel, unsigned char *small);
/* After it the channel may be gone. */
void proi_channel_follow_up(struct pro_channel *channel, struct proi_channel_deeds *deeds);
int proi_channel_check(const struct pro_channel *channel, const void *item, struct pro_type type, const char *who);

#endif
