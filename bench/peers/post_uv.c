/* SPDX-License-Identifier: MIT */
/* Posting to a libuv loop through uv_async_send. post_uv pingpong SECONDS | flood PRODUCERS SECONDS */
#include "post.h"

#include <uv.h>

struct peer {
    struct item *inbox;
    uv_loop_t loop;
    uv_async_t async;
};

static void on_async(uv_async_t *async) { run_posted(async->data); }

static struct peer *peer_open(void)
{
    struct peer *const peer = calloc(1, sizeof *peer);

    if (!peer || uv_loop_init(&peer->loop) < 0 || uv_async_init(&peer->loop, &peer->async, on_async) < 0)
        exit(1);
    peer->async.data = peer;
    return peer;
}

static void peer_run(struct peer *peer) { uv_run(&peer->loop, UV_RUN_DEFAULT); }
static void peer_stop(struct peer *peer) { uv_stop(&peer->loop); }
static void peer_wake(struct peer *peer) { uv_async_send(&peer->async); }
static struct item **peer_inbox(struct peer *peer) { return &peer->inbox; }

int main(int count, char **arguments) { return post_main(count, arguments); }
