/* SPDX-License-Identifier: MIT */
/* The same load with await needs no more than two threads.
 *
 * The eight requests of 11, the same two pool threads, the same server. But each request is an async method and awaits
 * the answer. While it waits it is a few hundred bytes of memory in a list, and its thread has gone to the next one.
 * So two threads, or one, serve eight requests, or eight thousand: a thread is needed while something is computed, not
 * while something is waited for.
 */
#include <stdatomic.h>

#include "gallery.h"

enum { REQUESTS = 8, THREADS = 2 };
static atomic_int arrived, answered;

struct request {
    PRO_FRAME;
    struct answer user;
};

PRO_ASYNC(request_move_next, struct request, self)
    say("a request asks the server, and awaits the answer");
    PRO_AWAIT_STATUS_TO(&self->user, ask_async("name", PRO_AWAIT_NONE));
    if (PRO_STATUS != PRO_OK || atomic_fetch_add(&answered, 1) + 1 == REQUESTS)
        scene_end(PRO_STATUS, self->user.text);
PRO_ASYNC_END

static void handle_request(void *arg)
{
    struct request *self = PRO_NEW_FRAME_VOID(struct request, request_move_next);
    (void)arg;
    /* All eight are there before the first goes on: what a busy minute does to a service. */
    while (atomic_load(&arrived) < REQUESTS)
        block_for_ms(1);
    if (self)
        pro_forget(PRO_START(self));
    else
        scene_end(PRO_E_NO_MEMORY, "");
}

static void on_busy_minute(void *arg)
{
    (void)arg;
    for (; atomic_load(&arrived) < REQUESTS; atomic_fetch_add(&arrived, 1))
        if (pro_pool_post(handle_request, NULL) != PRO_OK)
            scene_end(PRO_E_NO_MEMORY, "");
}

static const char *play(void)
{
    server_start();
    pro_pool_set_min_threads(THREADS);
    pro_pool_set_max_threads(THREADS);
    return pool_run(on_busy_minute);
}

SCENARIO(play, .expects = "completes", .compare = "pool_starvation");
