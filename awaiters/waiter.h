/* SPDX-License-Identifier: MIT */
/* Standing in line: what the semaphore, the locks, the events and the channel have in common. A waiter is the body of a
   task; it leaves its line by a grant, or by its own deadline or token. Whoever takes it out of the line, under the
   lock, names its outcome. */
#ifndef PROACT_AWAITERS_WAITER_H
#define PROACT_AWAITERS_WAITER_H

#include "internal.h"

struct proi_waiter;
struct proi_monitor;
struct proi_line { /* first in, first out */
    struct proi_waiter *first, *last;
};

/* One kind of object. Its memory becomes nothing else, so a stale pointer finds an object of its kind: one that is
   closed, or, at worst, somebody else's. */
struct proi_monitor_home {
    struct proi_home memory;
    void (*destroy)(struct proi_monitor *monitor); /* before the memory goes; NULL: nothing to do */
};

/* The first member of every object that is waited for. */
struct proi_monitor {
    uint32_t references; /* shared: the owner's, and one for each waiter's task: their limits may strike when the object
                            is gone */
    uint32_t closed;     /* shared: the owner has freed it */
    struct proi_mutex lock;
    struct proi_monitor_home *home;
};

/* One way to wait for an object. The functions are called with the lock held; those whom they let go on are moved to
 * @granted. */
struct proi_wait_kind {
    struct proi_task_class task_class; /* with proi_waiter_destroy */
    const char *who;                   /* the public function, for misuse */
    bool tells; /* the result is a bool: in time, or not (SemaphoreSlim's way); else PRO_E_TIMEOUT */
    /* Takes what is waited for, if it is to be had at once. */
    bool (*try_take)(struct proi_monitor *monitor, struct proi_line *granted);
    struct proi_line *(*line)(struct proi_monitor *monitor); /* where to stand else */
    /* A waiter of this kind has just joined the line. NULL: it changes nothing. */
    void (*joined)(struct proi_monitor *monitor);
    /* One has left by its own limit. NULL: it changes nothing. */
    void (*left)(struct proi_monitor *monitor, struct proi_line *granted);
};

struct proi_waiter {
    struct proi_waiter *next, *previous; /* under the lock */
    struct proi_line *line;       /* under the lock: where it stands, with a reference to its task; NULL: nowhere */
    struct proi_monitor *monitor; /* held */
    const struct proi_wait_kind *kind;
    struct bound *bound;     /* its limits; NULL: none */
    struct pro_error *error; /* its outcome once it has left the line; NULL: success */
    int struck;              /* under the lock: a limit came before it could join */
    void *item;              /* what it brings: behind it */
};

static inline struct pro_task *proi_waiter_task(struct proi_waiter *waiter) { return proi_task_of_body(waiter); }
static inline void *proi_waiter_result(struct proi_waiter *waiter)
{
    return proi_task_result_at(proi_waiter_task(waiter));
}
void proi_waiter_destroy(struct pro_task *task);

/* Gives an object of @home, zeroed, with one reference; NULL: no memory. */
void *proi_monitor_new(struct proi_monitor_home *home);
void proi_monitor_unref(struct proi_monitor *monitor);
/* @object begins with a monitor. False: NULL, or, as far as it can be seen, freed before. */
static inline bool proi_monitor_is_open(const void *object)
{
    const struct proi_monitor *const monitor = object;

    return monitor && PROI_LIKELY(!proi_load(&monitor->closed, PROI_RELAXED));
}
int proi_monitor_refuse(const void *object, const char *who); /* tells the misuse of one that is not open */

static inline bool proi_how_is_bounded(struct pro_how how)
{
    return how.timeout_ns || how.deadline_ns || how.token.source;
}
bool proi_how_is_over(struct pro_how how); /* its deadline has passed: C#'s timeout of 0 */

/* Gives a waiter whose task has one reference, with @item_size bytes for its item; NULL: no memory. @may_inline: its
   task's continuations may run inside a grant. */
struct proi_waiter *proi_waiter_new(struct proi_monitor *monitor, const struct proi_wait_kind *kind,
                                    struct pro_type result, size_t item_size, bool may_inline, struct pro_how how);
/* Starts its limits, once, before it joins a line; without the lock. On failure it is to be ended. */
int proi_waiter_arm(struct proi_waiter *waiter, struct pro_how how);
/* Without the lock: gives the outcome in waiter->error, or of the limit @code, to its task. Takes a reference to the
 * task. */
void proi_waiter_end(struct proi_waiter *waiter);
void proi_waiter_end_by(struct proi_waiter *waiter, int code);

/* ---- with the lock held ---- */
void proi_line_join(struct proi_line *line, struct proi_waiter *waiter); /* takes a reference to its task */
void proi_line_leave(struct proi_waiter *waiter);                        /* that reference is the caller's now */
struct proi_waiter *proi_line_move_first(struct proi_line *from, struct proi_line *to); /* NULL: there was none */
void proi_line_move_all(struct proi_line *from, struct proi_line *to);
/* ---- without it ---- */
void proi_line_end(struct proi_line *granted); /* ends each */
/* The object is going: each fails with PRO_E_BROKEN_PROMISE. */
void proi_line_break(struct proi_line *line);

/* ---- the whole of it, for objects that give nothing but leave to go on ---- */
struct pro_task *proi_monitor_wait_async(struct proi_monitor *monitor, const struct proi_wait_kind *kind,
                                         struct pro_how how);
int proi_monitor_wait(struct proi_monitor *monitor, const struct proi_wait_kind *kind, struct pro_how how,
                      struct pro_site site);
bool proi_monitor_try_take(struct proi_monitor *monitor, const struct proi_wait_kind *kind);
/* Moves all lines' waiters under the lock, and breaks them; then drops the owner's reference. */
void proi_monitor_close(struct proi_monitor *monitor, struct proi_line *const *lines, size_t count);

/* Immortal tasks with the result true, false. */
struct pro_task *proi_task_of_bool(bool value);

#endif
