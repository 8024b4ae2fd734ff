/* SPDX-License-Identifier: MIT */
/* The source of cancellations: shared by cancellation.c (levels, callbacks, registrations), cancellation_link.c
   (parents, cancel-async) and cancellation_timer.c (cancel-after). */
#ifndef PROACT_AWAITERS_CANCELLATION_H
#define PROACT_AWAITERS_CANCELLATION_H

#include "internal.h"

struct cancel_timer;
struct parent_link;

enum cancel_level { CANCEL_NOT, CANCEL_RAISED, CANCEL_FREED };

/* Its memory is a source's for ever: a registration that is left over from a freed one locks a source, finds another
   generation, and does nothing. Generation, rounds and lock live on from source to source. */
struct pro_cancellation_source {
    uint32_t generation; /* shared: which source this is; written under lock */
    uint32_t rounds;     /* shared: callbacks that have returned; what unregister_wait sleeps on */
    struct proi_mutex lock;
    uint32_t references;                           /* shared; 0: freed */
    uint32_t level;                                /* shared: enum cancel_level; rises once */
    uint32_t disposed;                             /* shared: rises to 1 once */
    uint64_t running_thread;                       /* under lock: who runs callbacks */
    struct pro_cancellation_registration *running; /* under lock: the one that runs now; may be freed by itself */
    struct pro_cancellation_registration *newest;  /* under lock */
    struct cancel_timer *timer;                    /* under lock */
    size_t parent_count;
    struct parent_link *parents;
};

/* The errors that callbacks gave. */
struct proi_cancel_failures {
    bool stop_at_first, dropped;
    struct pro_error **list;
    size_t count, room;
};

/* ---- cancellation.c ---- */
struct pro_cancellation_source *proi_cancellation_source_make(void); /* one reference; NULL: no memory */
/* For who knows the source but has no reference: false when the last one is gone. */
bool proi_cancellation_try_ref(struct pro_cancellation_source *source);
/* PRO_OK, or misuse: it was freed, or disposed of. */
int proi_cancellation_check(const struct pro_cancellation_source *source, const char *who);
/* True: this call raised it, and the caller is to run the callbacks. */
bool proi_cancellation_raise(struct pro_cancellation_source *source);
/* Runs the callbacks, newest first, each taken off just before it runs (SEM-232). The caller has a reference. */
void proi_cancellation_run(struct pro_cancellation_source *source, struct proi_cancel_failures *failures);
/* The errors of the callbacks as one, or the first alone; NULL: none. */
struct pro_error *proi_cancellation_sum_up(struct proi_cancel_failures *failures);
/* For cancellations that no user calls: a timer's, a parent's. Gives the aggregate of its callbacks' errors, or NULL.
 * The caller has a reference. */
struct pro_error *proi_cancellation_cancel_held(struct pro_cancellation_source *source);

/* ---- cancellation_link.c ---- */
/* Leaves the parents: no callback of them runs when it returns. */
void proi_cancellation_leave_parents(struct pro_cancellation_source *source);
/* The same without waiting, and keeps them. */
void proi_cancellation_unhook_parents(struct pro_cancellation_source *source);

/* ---- cancellation_timer.c ---- */
void proi_cancellation_drop_timer(struct pro_cancellation_source *source);

#endif
