/* SPDX-License-Identifier: MIT */
/* A TCP echo server on io_uring, written by hand: what a program could reach at most. echo_uring PORT [sink]
 * Each connection has a buffer of its own and one operation under way: receive, send all of it, receive. One system
 * call a turn submits what the turn before queued, and waits for more. */
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, ENTRIES = 256, ANSWERS = 2 * ENTRIES /* the kernel makes place for */, PORT_MOST = 65535 };

/* What an answer belongs to that is no connection's: theirs have its address. */
enum { CLOSING, ACCEPTING, PAUSING };

struct connection {
    int fd;
    size_t length, sent; /* of what was received; length 0: it receives */
    char buffer[BUFFER];
};

static struct io_uring ring;
static int listener;
static bool sink;

static int fail(const char *what, int error)
{
    fprintf(stderr, "echo_uring: %s: %s\n", what, strerror(error));
    return 1;
}

/* More may be queued in a turn than the ring takes: then what is queued goes first. */
static struct io_uring_sqe *next_entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (!sqe) {
        const int code = io_uring_submit(&ring);

        sqe = io_uring_get_sqe(&ring);
        if (!sqe)
            exit(fail("the ring stays full", code < 0 ? -code : EBUSY));
    }
    return sqe;
}

static void accept_more(void)
{
    struct io_uring_sqe *const sqe = next_entry();

    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = ACCEPTING;
}

static void receive(struct connection *self)
{
    struct io_uring_sqe *const sqe = next_entry();

    self->length = 0;
    io_uring_prep_recv(sqe, self->fd, self->buffer, BUFFER, 0);
    sqe->user_data = (uintptr_t)self;
}

/* The kernel goes on by itself when the socket takes only a part; should its answer be short nevertheless, we go on. */
static void send_rest(struct connection *self)
{
    struct io_uring_sqe *const sqe = next_entry();

    io_uring_prep_send(sqe, self->fd, self->buffer + self->sent, self->length - self->sent, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = (uintptr_t)self;
}

/* Nothing is under way: what has just ended was its only operation. */
static void end(struct connection *self)
{
    struct io_uring_sqe *const sqe = next_entry();

    io_uring_prep_close(sqe, self->fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = CLOSING;
    free(self);
}

static void go_on(struct connection *self, int result)
{
    if (result <= 0) { /* the end of the stream, or an error, as when the client resets */
        end(self);
    } else if (self->length) {
        self->sent += (size_t)result;
        if (self->sent < self->length)
            send_rest(self);
        else
            receive(self);
    } else if (sink) {
        receive(self);
    } else {
        self->length = (size_t)result;
        self->sent = 0;
        send_rest(self);
    }
}

static void take_in(int fd)
{
    struct connection *const self = malloc(sizeof *self);

    if (!self) {
        close(fd);
        return;
    }
    self->fd = fd;
    receive(self);
}

/* One request accepts again and again until it fails. Too many open files, most likely: that passes, and to ask again
   at once would spin. */
static void accepted(const struct io_uring_cqe *cqe)
{
    static struct __kernel_timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
    static bool told;
    struct io_uring_sqe *sqe;

    if (cqe->res >= 0) {
        take_in(cqe->res);
        if (!(cqe->flags & IORING_CQE_F_MORE))
            accept_more();
        return;
    }
    if (!told)
        fail("accept, which is tried again every 10 ms", -cqe->res);
    told = true;
    sqe = next_entry();
    io_uring_prep_timeout(sqe, &pause, 0, 0);
    sqe->user_data = PAUSING;
}

static void answered(const struct io_uring_cqe *cqe)
{
    switch (cqe->user_data) {
    case CLOSING: /* it failed, or there were no answer: nobody can mend that */
        break;
    case ACCEPTING:
        accepted(cqe);
        break;
    case PAUSING:
        accept_more();
        break;
    default:
        go_on((struct connection *)(uintptr_t)cqe->user_data, cqe->res);
    }
}

/* Answers that the ring has no place for are kept by the kernel until there is one: none is lost. */
static int serve(void)
{
    struct io_uring_cqe *over[ANSWERS];

    accept_more();
    for (;;) {
        const int code = io_uring_submit_and_wait(&ring, 1);
        unsigned count;

        if (code < 0 && code != -EINTR)
            return fail("io_uring_enter", -code);
        count = io_uring_peek_batch_cqe(&ring, over, ANSWERS);
        for (unsigned i = 0; i < count; i++)
            answered(over[i]);
        io_uring_cq_advance(&ring, count);
    }
}

/* An accepted socket inherits TCP_NODELAY from its listener. */
static int open_listener(uint16_t port)
{
    const struct sockaddr_in addr = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons(port) };
    const int one = 1;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        bind(listener, (const struct sockaddr *)&addr, sizeof addr) < 0 || listen(listener, 4096) < 0)
        return errno;
    return 0;
}

static int open_ring(void)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    const int code = io_uring_queue_init_params(ENTRIES, &ring, &params);

    if (code < 0)
        return -code;
    return io_uring_register_ring_fd(&ring) == 1 ? 0 : EINVAL;
}

int main(int count, char **arguments)
{
    int error;

    if (count < 2 || atoi(arguments[1]) < 1 || atoi(arguments[1]) > PORT_MOST) {
        fprintf(stderr, "usage: echo_uring PORT [sink], PORT being 1 to %d\n", PORT_MOST);
        return 2;
    }
    sink = count > 2 && strcmp(arguments[2], "sink") == 0;
    error = open_listener((uint16_t)atoi(arguments[1]));
    if (error)
        return fail("listen", error);
    error = open_ring();
    if (error)
        return fail("io_uring", error);
    return serve();
}
