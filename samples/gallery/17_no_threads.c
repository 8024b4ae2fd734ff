/* SPDX-License-Identifier: MIT */
/* No thread can be started: offloaded work runs inline, and says so.
 *
 * A container with a small limit of processes, or a browser without threads, gives the program no thread but its own.
 * Here the library is forbidden to start any. The method gives a computation to the pool and awaits it; there is no
 * pool. The work is done all the same, at the place where it was handed over, and the library tells it once in a
 * sentence, because it matters: "offloaded" work now blocks the loop, as in 14. Silently dropping it, or waiting for a
 * thread that never comes, would be the two bad answers.
 * The I/O is not affected. It never needed a thread: the loop and the kernel do it together.
 */
#include "gallery.h"

static uint64_t computed_on;
static bool told;

static void on_notice(const char *sentence, void *user)
{
    (void)user;
    told = true;
    say("the library says: %s", sentence);
}

static struct pro_error *compute(void *arg, void *ret_result)
{
    (void)arg;
    computed_on = pro_thread_id();
    *(int *)ret_result = 6 * 7;
    return NULL;
}

struct work {
    PRO_FRAME;
    struct answer user;
    int number;
};

PRO_ASYNC(work_move_next, struct work, self)
    PRO_AWAIT_TO(&self->number, pro_task_run(compute, NULL, PRO_TYPE(int), PRO_TOKEN_NONE));
    say("offloaded work gave %d, on %s", self->number,
        computed_on == pro_thread_id() ? "this very thread" : "another thread");
    PRO_AWAIT_TO(&self->user, ask_async("name", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
    say("and the I/O goes on as ever: %s", self->user.text);
    scene_end_with("%s, %s", computed_on == pro_thread_id() ? "ran inline" : "ran elsewhere",
                   told ? "and said so" : "silently");
PRO_ASYNC_END

static struct pro_task *work_async(void *arg)
{
    struct work *self = PRO_NEW_FRAME_VOID(struct work, work_move_next);
    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

static const char *play(void)
{
    server_start(); /* its thread is the gallery's own and stands for a server elsewhere */
    pro_set_thread_limit(0);
    pro_set_notice_handler(on_notice, NULL);
    pro_run(work_async, NULL);
    pro_set_notice_handler(NULL, NULL);
    return scene_wait();
}

SCENARIO(play, .expects = "ran inline, and said so");
