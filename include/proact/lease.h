/* SPDX-License-Identifier: MIT */
/* Leases: receiving without a buffer of one's own. The loop has a few buffers for all its connections, and a receive gets
 * one when data has come; so a connection that only waits holds none.
 *
 *     struct pro_lease lease;                                         in the frame
 *     PRO_AWAIT(pro_recv_lease(&self->op, &self->socket, &self->lease, PRO_HOW_DEFAULT));
 *     …self->lease.data, self->lease.size…
 *     pro_lease_return(&self->lease);
 *
 * There are pro_loop_options.lease_most buffers at most. A burst goes round in those that are there, more are made where receives wait
 * and go on waiting. When all are lent, further receives wait until one comes back, first come first served: their peers feel it as back-pressure, nobody gets an error. So return a lease as soon as its bytes are used, and
 * before a wait for another one; for a slow receiver copy the rest into memory of your own, or set a deadline. */
#ifndef PROACT_LEASE_H
#define PROACT_LEASE_H

#include <proact/net.h>

PRO_BEGIN_DECLS

struct proi_lease_buffer;

/* Bytes lent. Zero holds nothing, and so does one whose receive failed or found the end of the stream. It may be moved; of
   several copies one is returned. */
struct pro_lease {
    void *data;                       /* read and write it until pro_lease_return(); NULL: holds nothing */
    struct proi_lease_buffer *buffer; /* private                                                          */
    uint32_t size;                    /* so many bytes came                                               */
    uint32_t lending;                 /* private: which of the buffer's lendings this is                  */
};

/* Receives into a buffer of the loop's: completes with 1…lease_bytes bytes in *@ret_lease, or 0 at the end of the stream, with
   an empty lease. Lends @ret_lease, which is written at delivery; what it held before must have been returned. No error tells
   that no buffer was free: the receive waits for one, until its deadline. PRO_E_NO_MEMORY: not even the first buffers can be
   made. Cancelled or timed out it has taken nothing: the bytes are there for the next receive. [any thread] */
PRO_API struct pro_op *pro_recv_lease(struct pro_op *op, const struct pro_socket *socket, struct pro_lease *ret_lease,
                                      struct pro_how how);

/* Gives the buffer back, and empties *@lease; an empty one is left alone. On the loop's own thread that is all; from another one the
   buffer travels to the loop. After the loop's end the lease still holds its bytes, and this frees them. PRO_E_STATE (misuse): a
   copy of it was returned before. [any thread] */
PRO_API int pro_lease_return(struct pro_lease *lease);

PRO_END_DECLS

#endif
