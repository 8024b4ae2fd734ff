/* SPDX-License-Identifier: MIT */
/* Sync-over-async starves a thread pool that has a maximum.
 *
 * Eight requests come in, the pool has two threads and may not have more. Each request asks the server and blocks for
 * the answer (C#: .Result in a controller). There is no context anywhere, so this is not the deadlock of 01 and 09.
 * But the rest of an asynchronous method needs a pool thread too. Two requests hold both threads and wait for it; it
 * waits behind the other six, and these would only block as well. Nothing moves, and nobody uses the processor.
 * Without a maximum the pool would add threads, slowly: the service "only" answers in seconds instead of milliseconds.
 * More threads are a bandage; 12 needs no more than two.
 */
#include <stdatomic.h>

#include "gallery.h"

enum { REQUESTS = 8, THREADS = 2 };
static atomic_int arrived, answered;

static void handle_request(void *arg)
{
    struct answer user = { "" };
    (void)arg;
    /* All eight are there before the first goes on: what a busy minute does to a service. */
    while (atomic_load(&arrived) < REQUESTS)
        block_for_ms(1);
    say("a request asks the server, and blocks for the answer");
    struct pro_task *task = ask_async("name", PRO_AWAIT_NONE); /* ConfigureAwait(false) does not help */
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    if (code != PRO_OK || atomic_fetch_add(&answered, 1) + 1 == REQUESTS)
        scene_end(code, user.text);
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

SCENARIO(play, .expects = "starved", .compare = "pool_await");
