/* SPDX-License-Identifier: MIT */
/* The epoll backend: for kernels that refuse io_uring. What crosses its three files: epoll_backend.c (the instance and
   its turn), epoll_ops.c (sockets), epoll_files.c (files, on the offload threads). */
#ifndef PROACT_LINUX_EPOLL_H
#define PROACT_LINUX_EPOLL_H

#include <proactor/backend.h>

#include "../offload.h"

struct proi_epoll {
    struct proi_backend base;

    /* The loop's thread only. */
    int epoll, event;  /* descriptors; event is what wake() writes to */
    bool coarse;       /* no epoll_pwait2 here: milliseconds it is */
    unsigned unpolled; /* turns in a row that did not ask epoll, because they had results without it */
    uint64_t calls;    /* system calls so far */
    struct pro_handle *listed_head, *listed_tail; /* handles with an operation worth a try */
    struct proi_op_queue over;                    /* finished, to be given back by wait() */

    /* Shared with the offload threads and with wakers. */
    uint32_t signalled;    /* 1: a write to event is on its way, or was made and not yet noticed */
    uint32_t offloaded;    /* file operations whose thread may still touch this instance */
    struct pro_op *landed; /* finished on a thread; a stack, newest first */
};

enum proi_epoll_side { PROI_EPOLL_READ, PROI_EPOLL_WRITE }; /* accept and receive; send, shutdown and close */

/* Where an operation is between submit and delivery. */
enum proi_epoll_place {
    PROI_EPOLL_QUEUED,     /* in a queue of its handle                        */
    PROI_EPOLL_CONNECTING, /* its new socket is watched by itself             */
    PROI_EPOLL_OFFLOADED,  /* with a thread, which alone may touch what it is */
    PROI_EPOLL_OVER        /* in the queue of results: nothing to cancel      */
};

/* pro_op.backend[] as this backend sees it; op->place is enum proi_epoll_place. */
struct proi_epoll_op {
    union {
        struct {
            struct pro_op *next, *previous; /* in the handle's queue, a ring */
        };
        struct proi_offload item;
    };
} __attribute__((may_alias));
_Static_assert(sizeof(struct proi_epoll_op) <= sizeof((struct pro_op *)NULL)->backend, "the scratch is too small");

/* pro_handle.backend[] of a socket as this backend sees it. */
struct proi_epoll_handle {
    struct pro_op *first[2]; /* by side: the oldest of the ring */
    struct pro_handle *next; /* while listed */
} __attribute__((may_alias));
_Static_assert(sizeof(struct proi_epoll_handle) <= sizeof((struct pro_handle *)NULL)->backend,
               "the scratch is too small");

/* pro_handle.backend_flags. */
enum proi_epoll_flag {
    PROI_EPOLL_READ_DRY = 1,  /* nothing to receive until an event says so; 1 << side */
    PROI_EPOLL_WRITE_DRY = 2, /* no room to send until an event says so               */
    PROI_EPOLL_ENDING = 4,    /* end of stream, error or urgent data was announced: a short receive proves nothing */
    PROI_EPOLL_SHUTDOWN = 8,  /* a SHUTDOWN may stand in the write queue              */
    PROI_EPOLL_LISTED = 16
};

static inline struct proi_epoll_op *proi_epoll_op(struct pro_op *op)
{
    return (struct proi_epoll_op *)(void *)op->backend;
}
static inline struct proi_epoll_handle *proi_epoll_handle(struct pro_handle *handle)
{
    return (struct proi_epoll_handle *)(void *)handle->backend;
}

/* The end of every operation here; the next turn gives it back. */
static inline void proi_epoll_finish(struct proi_epoll *epoll, struct pro_op *op, int64_t result, size_t moved,
                                     int native)
{
    op->place = PROI_EPOLL_OVER;
    proi_op_complete(&epoll->over, op, result, moved, native);
}

/* ---- epoll_ops.c ---- */
void proi_epoll_submit(struct proi_backend *backend, struct pro_op *op);
void proi_epoll_cancel(struct proi_backend *backend, struct pro_op *op);
void proi_epoll_event(struct proi_epoll *epoll, struct pro_handle *handle, uint32_t events);
void proi_epoll_connected(struct proi_epoll *epoll, struct pro_op *op);
/* Tries what the listed handles want, at most @budget system calls. */
void proi_epoll_serve(struct proi_epoll *epoll, unsigned budget);

/* ---- epoll_files.c ---- */
void proi_epoll_offload(struct proi_epoll *epoll, struct pro_op *op);
void proi_epoll_land(struct proi_epoll *epoll);          /* moves what the threads have finished to epoll->over */
void proi_epoll_await_threads(struct proi_epoll *epoll); /* until no thread can touch the instance any more */

/* ---- epoll_backend.c ---- */
void proi_epoll_wake(struct proi_backend *backend);

#endif
