/* SPDX-License-Identifier: MIT */
/* A TCP echo server on bare epoll: readiness, then read and write until the socket says no. echo_epoll PORT [sink] */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    char *rest; /* what the socket has not taken yet; NULL: nothing */
    size_t rest_length, rest_sent;
};

static char buffer[BUFFER];
static int epoll_fd;
static bool sink;

static void watch(struct connection *self, uint32_t events, int operation)
{
    struct epoll_event event = { .events = events, .data.ptr = self };

    if (epoll_ctl(epoll_fd, operation, self->fd, &event) < 0)
        perror("epoll_ctl");
}

static void end(struct connection *self)
{
    close(self->fd);
    free(self->rest);
    free(self);
}

/* False: the connection is broken. What the socket does not take is kept, and writing goes on when it is ready. */
static bool send_all(struct connection *self, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(self->fd, data, length, MSG_NOSIGNAL);

        if (sent >= 0) {
            data += sent;
            length -= (size_t)sent;
        } else if (errno == EAGAIN) {
            self->rest = malloc(length);
            if (!self->rest)
                return false;
            memcpy(self->rest, data, length);
            self->rest_length = length;
            self->rest_sent = 0;
            watch(self, EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static bool write_rest(struct connection *self)
{
    const ssize_t sent =
        send(self->fd, self->rest + self->rest_sent, self->rest_length - self->rest_sent, MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    self->rest_sent += (size_t)sent;
    if (self->rest_sent == self->rest_length) {
        free(self->rest);
        self->rest = NULL;
        watch(self, EPOLLIN, EPOLL_CTL_MOD);
    }
    return true;
}

static bool read_some(struct connection *self)
{
    const ssize_t count = recv(self->fd, buffer, sizeof buffer, 0);

    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    return count > 0 && (sink || send_all(self, buffer, (size_t)count));
}

static void accept_all(int listener)
{
    const int one = 1;
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *self = calloc(1, sizeof *self);

        if (!self) {
            close(fd);
            return;
        }
        self->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(self, EPOLLIN, EPOLL_CTL_ADD);
    }
}

int main(int count, char **arguments)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct connection listener = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
    struct epoll_event events[EVENTS];
    const int one = 1;

    addr.sin_port = htons((uint16_t)(count > 1 ? atoi(arguments[1]) : 0));
    sink = count > 2 && strcmp(arguments[2], "sink") == 0;
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener.fd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(listener.fd, 4096) < 0) {
        perror("echo_epoll");
        return 1;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(&listener, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        const int ready = epoll_wait(epoll_fd, events, EVENTS, -1);

        for (int i = 0; i < ready; i++) {
            struct connection *const self = events[i].data.ptr;

            if (self == &listener)
                accept_all(listener.fd);
            else if (!(self->rest ? write_rest(self) : read_some(self)))
                end(self);
        }
    }
}
