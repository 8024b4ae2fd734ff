/* SPDX-License-Identifier: MIT */
/* What the files of the completion-port backend share: an instance, what an op holds while it is here, and who answers
 * for it.
 *
 * An op's way: submit makes one overlapped call → the kernel queues one packet to the port, also when the call
 * succeeded at once → wait takes packets in batches and ends the ops. What the kernel does not queue a packet for, we
 * post one ourselves: starts that failed, and calls that block and ran on an offload thread. So an op always ends in
 * wait, and always after its last packet. */
#ifndef PROACT_WINDOWS_IOCP_H
#define PROACT_WINDOWS_IOCP_H

#include "native.h"

#include <proactor/backend.h>

#include "offload.h"

/* Which packets the port brings. */
enum iocp_key {
    IOCP_KEY_KERNEL, /* of an associated handle: status and bytes are the kernel's */
    IOCP_KEY_OURS,   /* of an op whose outcome stands in its record */
    IOCP_KEY_WAKE    /* no op */
};

enum iocp_phase {
    IOCP_OVER,    /* not ours, or ended */
    IOCP_PENDING, /* the kernel has it; its packet comes */
    IOCP_ENDING,  /* the same, but its direction was shut down here: a canceled receive then is the end of the stream */
    IOCP_OUTCOME, /* code and native_error are final; our own packet comes, or it is in iocp->over */
    IOCP_OFFLOADED /* a thread has it, and writes the outcome */
};

/* How a blocking call travels to its thread and back. */
struct iocp_offloaded {
    struct proi_offload item;
    struct proi_iocp *iocp;
    const char *path; /* of FILE_OPEN */
};

/* What op->backend holds. A part of the arguments of CONNECT and FILE_OPEN lies in the same place: copy them out first. */
struct iocp_record {
    union {
        OVERLAPPED overlapped; /* its address is the op's name in the port */
        struct iocp_offloaded offloaded;
    };
    uintptr_t native;     /* the new socket or file; INVALID_SOCKET: none. FILE_OPEN: the open flags until it runs */
    uint8_t phase;        /* enum iocp_phase; [loop], the thread of an offloaded call does not look at it */
    uint8_t cancel_asked; /* shared with that thread */
    int16_t code;         /* enum pro_err, with IOCP_OUTCOME */
    int32_t native_error;
} __attribute__((may_alias)); /* op->backend is an array of integers */

_Static_assert(sizeof(struct iocp_record) == sizeof(((struct pro_op *)0)->backend),
               "op->backend is what a record fills");
_Static_assert(sizeof(OVERLAPPED) == 32 && sizeof(struct iocp_offloaded) <= sizeof(OVERLAPPED),
               "both fit in front of native");

static inline struct iocp_record *proi_iocp_record(struct pro_op *op)
{
    return (struct iocp_record *)(void *)op->backend;
}

struct proi_iocp {
    struct proi_backend base;
    HANDLE port;
    uint64_t thread;           /* shared: proi_thread_id() of the loop's thread, 0 before bind */
    uint32_t woken;            /* shared: a wake packet is in the port */
    bool awake;                /* [loop] wake was called on the loop's own thread: the next wait does not sleep */
    struct proi_op_queue over; /* [loop] their outcome is in, and no packet of theirs is in the port */
    uint64_t system_calls;     /* [loop] */
    OVERLAPPED_ENTRY entries[PROI_TURN];
};
static inline struct proi_iocp *proi_iocp_of(struct proi_backend *backend) { return (struct proi_iocp *)backend; }

/* ---- iocp_backend.c ---- */
/* Posts a packet of ours for @op; false: the system has no memory for it. [any thread] */
bool proi_iocp_post(struct proi_iocp *iocp, struct pro_op *op);

/* ---- iocp_ops.c: [loop] ---- */
void proi_iocp_submit(struct proi_backend *backend, struct pro_op *op);
void proi_iocp_cancel(struct proi_backend *backend, struct pro_op *op);
/* Ends @op, or starts it again. @status and @bytes are the kernel's packet's. */
void proi_iocp_end_kernel(struct proi_iocp *iocp, struct pro_op *op, uint32_t status, size_t bytes,
                          struct proi_op_queue *done);
void proi_iocp_end_ours(struct pro_op *op, struct proi_op_queue *done);
/* Readies the record for an overlapped call. */
OVERLAPPED *proi_iocp_begin(struct pro_op *op);
/* Fixes the outcome of an op that the kernel has not taken, to be delivered after the packets that are in the port. */
void proi_iocp_decide(struct proi_iocp *iocp, struct pro_op *op, int code, int native_error);

/* ---- iocp_files.c: [loop] ---- */
void proi_iocp_file_open(struct proi_iocp *iocp, struct pro_op *op);
void proi_iocp_file_sync(struct proi_iocp *iocp, struct pro_op *op);
void proi_iocp_file_close(struct proi_iocp *iocp, struct pro_op *op);
void proi_iocp_read_at(struct proi_iocp *iocp, struct pro_op *op);
void proi_iocp_write_at(struct proi_iocp *iocp, struct pro_op *op);

/* ---- sockets.c: bodies of the entries of the same names, and what they share with the ops ---- */
int proi_iocp_listen(struct proi_backend *backend, const struct pro_addr *addr,
                     const struct pro_listen_options *options, intptr_t *ret_native, int *ret_error);
void proi_iocp_release(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native);
int proi_iocp_local_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
int proi_iocp_peer_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
int proi_iocp_set_abortive(struct proi_backend *backend, struct pro_handle *handle, bool abortive);
int proi_iocp_set_buffers(struct proi_backend *backend, struct pro_handle *handle, int send_bytes, int receive_bytes);
int proi_iocp_file_size(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size);
/* A new TCP socket of @family (enum pro_family); INVALID_SOCKET: see WSAGetLastError(). */
SOCKET proi_socket_open(unsigned family);
int proi_sockaddr_from(const struct pro_addr *addr, SOCKADDR_STORAGE *ret_address); /* its length; 0: bad family */

extern const struct proi_backend_type proi_backend_iocp, proi_backend_sim;

#endif
