/* SPDX-License-Identifier: MIT */
/* Posting to a bare epoll loop that an eventfd wakes. post_epoll pingpong SECONDS | flood PRODUCERS SECONDS */
#include "post.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct peer {
    struct item *inbox;
    int epoll_fd, event_fd;
    bool stopped;
};

static struct peer *peer_open(void)
{
    struct peer *const peer = calloc(1, sizeof *peer);
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };

    if (!peer)
        exit(1);
    peer->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    peer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_ctl(peer->epoll_fd, EPOLL_CTL_ADD, peer->event_fd, &event);
    return peer;
}

static void peer_run(struct peer *peer)
{
    struct epoll_event event;

    while (!peer->stopped) {
        epoll_wait(peer->epoll_fd, &event, 1, -1); /* by edges: nothing has to be read */
        run_posted(peer);
    }
}

static void peer_stop(struct peer *peer) { peer->stopped = true; }
static struct item **peer_inbox(struct peer *peer) { return &peer->inbox; }

static void peer_wake(struct peer *peer)
{
    const uint64_t one = 1;

    if (write(peer->event_fd, &one, sizeof one) < 0)
        perror("eventfd");
}

int main(int count, char **arguments) { return post_main(count, arguments); }
