/* SPDX-License-Identifier: MIT */
/* One blocking call on a loop delays every request; on the pool it delays none.
 *
 * A loop serves a hundred connections with one thread, which works because no step takes long. Here a hundred requests
 * are on their way when the thread makes one call that blocks for 100 ms. The answers arrive after a moment, the
 * kernel has them, but the thread that would look is not there. All hundred wait for one call of somebody else.
 * Then the same again, with the call awaited on the pool: the loop stays free, and the answers come when they come.
 * Nothing hangs and nothing is wrong, so no test finds it; it shows in the latency, and there in the median, too.
 * The rule: on a loop's thread call nothing that may block: files through the loop, old libraries on the pool.
 */
#include "gallery.h"

enum { REQUESTS = 100, BLOCKING_MS = 100, TRIES = 3 };

/* A connection, opened beforehand, and how long its request took. */
struct request {
    PRO_FRAME;
    struct pro_op op;
    char reply[64];
    size_t index;
    uint64_t started;
};
static struct pro_socket sockets[REQUESTS];
static uint64_t latencies[REQUESTS];

PRO_ASYNC(request_move_next, struct request, self)
    self->started = pro_now();
    PRO_AWAIT(pro_send_all(&self->op, &sockets[self->index], "name\n", 5, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_recv(&self->op, &sockets[self->index], self->reply, sizeof self->reply, PRO_HOW_DEFAULT));
    latencies[self->index] = pro_now() - self->started;
PRO_ASYNC_END

static struct pro_task *request_async(size_t index)
{
    struct request *self = PRO_NEW_FRAME_VOID(struct request, request_move_next);
    if (!self)
        return pro_task_no_memory();
    self->index = index;
    return PRO_START(self);
}

static struct pro_error *old_library(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    block_for_ms(BLOCKING_MS);
    return NULL;
}

struct serve {
    PRO_FRAME;
    struct pro_op op;
    struct pro_task *requests[REQUESTS], *all;
    size_t i;
    int try;
    double blocked_ms, free_ms; /* the median latency of either way */
};

static struct pro_task *send_all_requests(struct serve *self)
{
    for (size_t i = 0; i < REQUESTS; i++)
        self->requests[i] = request_async(i);
    struct pro_task *all = pro_when_all(self->requests, REQUESTS);
    for (size_t i = 0; i < REQUESTS; i++)
        pro_task_unref(self->requests[i]);
    return all;
}

PRO_ASYNC(serve_move_next, struct serve, self)
    for (self->i = 0; self->i < REQUESTS; self->i++)
        PRO_AWAIT(pro_connect(&self->op, NULL, server_address(), &sockets[self->i], PRO_HOW_DEFAULT));

    self->all = send_all_requests(self);
    old_library(NULL, NULL); /* the disease: it blocks this thread, which is the loop's */
    PRO_AWAIT(self->all);
    self->blocked_ms = latencies_tell("a call of 100 ms on the loop", latencies, REQUESTS);

    /* A busy machine makes a fast run look slow, never a slow one fast: the best of a few counts. */
    for (self->try = 0, self->free_ms = 1e9; self->try < TRIES && self->free_ms > self->blocked_ms / 2; self->try++) {
        self->all = send_all_requests(self);
        PRO_AWAIT(pro_task_run(old_library, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE)); /* the cure */
        PRO_AWAIT(self->all);
        self->free_ms = latencies_tell("the same call on the pool", latencies, REQUESTS);
    }
PRO_FINALLY
    for (self->i = 0; self->i < REQUESTS; self->i++)
        if (pro_socket_is_open(&sockets[self->i]))
            PRO_AWAIT(pro_close(&self->op, &sockets[self->i]));
    if (self->blocked_ms >= BLOCKING_MS && self->free_ms <= self->blocked_ms / 2)
        scene_end_with("all wait / none waits");
    else
        scene_end_with("no difference seen");
PRO_ASYNC_END

static struct pro_task *serve_async(void *arg)
{
    struct serve *self = PRO_NEW_FRAME_VOID(struct serve, serve_move_next);
    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

static const char *play(void)
{
    server_start();
    pro_run(serve_async, NULL);
    return scene_wait();
}

SCENARIO(play, .expects = "all wait / none waits");
