/* SPDX-License-Identifier: MIT */
/* The simulated kernel: a whole machine's sockets and files inside one backend instance, in user space. What happens,
 and in which order, comes from options->sim.seed alone.
 *
 * An op becomes a request, and a request passes two gates, each opened at a moment drawn from the seed: it ARRIVES in
 the
 * kernel, where it takes effect or stands in a queue until it can, and its completion FINISHES. Between the two a
 cancel
 * comes too late, as on a real kernel. Streams stay in order: a socket's queue is entered at submission.
 *
 * Everything but the clock's reading and the wake word is guarded by sim->lock: listening, releasing and asking come
 * from any thread. */
#ifndef PROACT_SIM_H
#define PROACT_SIM_H

#include <proactor/backend.h>

enum sim_phase {
    SIM_ARRIVING, /* in the heap: has no effect yet */
    SIM_WAITING,  /* in a queue: tried again when something changes there */
    SIM_FINISHING /* in the heap: its effect is done, the result is on the way back */
};

struct sim_queue;

struct sim_request {
    struct pro_op *op;
    uint64_t due_ns, order; /* the heap's key; order is random, so that requests due together come in any order */
    size_t place;           /* in the heap */
    struct sim_queue *queue;
    struct sim_request *next, *previous; /* in that queue */
    enum sim_phase phase;
    bool cancel_asked;
    int64_t result;
    size_t moved;
    union { /* copied at submission: the loop lends its arguments until then only */
        struct proi_connect_args connect;
        struct proi_open_args open;
    } args;
};

/* Requests that want the same thing of one object, first come, first served. */
struct sim_queue {
    struct sim_request *head, *tail;
    struct sim_queue *next_changed; /* in sim->changed */
    bool is_changed;
};

/* What a native is: it begins with this. */
struct sim_object {
    struct sim *sim;
    enum proi_handle_kind kind;
};

/* Bytes on their way to one end. */
struct sim_bytes {
    unsigned char *ring;
    size_t capacity, first, count;
    size_t limit; /* the most that count may become */
};

struct sim_socket {
    struct sim_object object;
    struct pro_addr local, peer;
    struct sim_socket *other; /* NULL: that end is closed */
    struct sim_bytes in;
    struct sim_queue receiving, sending;
    struct sim_socket *next; /* in a listener's backlog */
    bool in_ended;           /* the other end sends no more */
    bool receive_shut, send_shut;
    bool is_reset, is_abortive;
};

struct sim_listener {
    struct sim_object object;
    struct pro_addr addr;
    struct sim_listener *next;
    struct sim_socket *first, *last; /* connected, not accepted yet */
    size_t backlog, backlog_limit;
    struct sim_queue accepting, connecting; /* connecting: found the backlog full */
    bool reuse_port;
};

struct sim_page {
    uint64_t index;
    unsigned char *bytes;
};
enum { SIM_PAGE_SIZE = 4096 };

/* A file's contents; lives as long as the instance. Pages never written are holes. */
struct sim_inode {
    struct sim_inode *next;
    char *name;
    uint64_t size;
    struct sim_page *pages; /* sorted by index */
    size_t page_count, page_capacity;
};

struct sim_file {
    struct sim_object object;
    struct sim_inode *inode;
    unsigned flags;
};

/* What platform/<system>/backends.c lists last. */
extern const struct proi_backend_type proi_backend_sim;

struct sim {
    struct proi_backend backend;
    struct pro_sim_options options;
    uint64_t random;
    uint64_t now;   /* written on the loop's thread under the lock; read anywhere, relaxed */
    uint32_t woken; /* 1: a wait must return */
    uint64_t waits;
    struct proi_mutex lock;
    struct sim_request **heap;
    size_t heap_count, heap_capacity;
    size_t request_count;         /* never more than heap_capacity: coming back into the heap needs no memory */
    struct proi_op_queue refused; /* found no memory at submission */
    struct sim_queue *changed;    /* queues whose first request may now go on */
    struct sim_listener *listeners;
    uint16_t next_port;
    struct sim_inode *inodes;
    uint64_t space_left; /* bytes of pages that may still be made */
};

/* ---- sim_backend.c ---- */
uint64_t sim_random(struct sim *sim);
bool sim_chance(struct sim *sim, unsigned percent);
/* @length, or with options.short_percent something from 1 to @length - 1. */
size_t sim_cut(struct sim *sim, size_t length);
/* Frees; nothing of it is pending. */
void sim_object_close(struct sim *sim, struct sim_object *object);
/* For tests: what was given at creation, and a disk with only @bytes left. [any thread] */
uint64_t proi_sim_seed(const struct proi_backend *backend);
void proi_sim_set_space(struct proi_backend *backend, uint64_t bytes);

/* ---- sim_request.c: all under the lock ---- */
/* False: no memory. */
bool sim_request_new(struct sim *sim, struct pro_op *op);
/* Takes the request out of its queue; the result comes back later. */
void sim_finish(struct sim *sim, struct sim_request *request, int64_t result, size_t moved);
void sim_cancel_request(struct sim *sim, struct sim_request *request);
void sim_queue_push(struct sim_queue *queue, struct sim_request *request);
/* Something changed for the requests in @queue; they are tried before the lock is given back. */
void sim_queue_changed(struct sim *sim, struct sim_queue *queue);
void sim_settle(struct sim *sim);
/* Lets everything happen that is due, until @done holds a turn's worth. */
void sim_turn(struct sim *sim, struct proi_op_queue *done);
uint64_t sim_next_due(const struct sim *sim); /* UINT64_MAX: nothing is on its way */

/* ---- sim_socket.c ---- */
int sim_listen(struct sim *sim, const struct pro_addr *addr, const struct pro_listen_options *options,
               intptr_t *ret_native);
bool sim_try_accept(struct sim *sim, struct sim_request *request); /* true: finished; false: it waits */
bool sim_try_connect(struct sim *sim, struct sim_request *request);
void sim_listener_close(struct sim *sim, struct sim_listener *listener);

/* ---- sim_stream.c ---- */
struct sim_socket *sim_socket_new(struct sim *sim, const struct pro_addr *local, const struct pro_addr *peer);
bool sim_try_receive(struct sim *sim, struct sim_request *request);
bool sim_try_send(struct sim *sim, struct sim_request *request);
void sim_shutdown(struct sim *sim, struct sim_request *request);
void sim_socket_reset(struct sim *sim, struct sim_socket *socket); /* both ends */
void sim_socket_close(struct sim *sim, struct sim_socket *socket);
/* The queue that an op of this kind stands in; NULL: it does not. */
struct sim_queue *sim_queue_of(struct pro_op *op);

/* ---- sim_file.c ---- */
void sim_file_open(struct sim *sim, struct sim_request *request);
void sim_file_read(struct sim *sim, struct sim_request *request);
void sim_file_write(struct sim *sim, struct sim_request *request);
void sim_inodes_free(struct sim *sim);

#endif
