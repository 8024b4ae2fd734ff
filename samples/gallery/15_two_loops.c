/* SPDX-License-Identifier: MIT */
/* Two loops collide over a connection pool: closed, wrong loop, and routed.
 *
 * A connection belongs to the loop where it was opened; on Windows the kernel knows no other way. A pool of connections
 * that outlives a loop, or is shared by two, runs into this. It is the error of half of all test suites: each test
 * makes a loop, and the pool is global. Three ways to meet it here, all with the pool's connection of loop A:
 *  - loop B is strict and uses it: an error at once, and its sentence names both loops;
 *  - an ordinary loop uses it: routed; A does the work, and the awaiting method goes on at home. This is the cure;
 *  - A was closed in the meantime: "the loop is closed", always, never undefined behaviour.
 */
#include "gallery.h"

static struct loop_thread loop_a;
static struct pro_socket pooled; /* the pool: one connection, opened on A */

struct use_pool {
    PRO_FRAME;
    struct pro_op op;
    struct answer answer;
};

PRO_ASYNC(use_pool_move_next, struct use_pool, self)
    PRO_AWAIT(pro_send_all(&self->op, &pooled, "name\n", 5, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_recv(&self->op, &pooled, self->answer.text, sizeof self->answer.text - 1, PRO_HOW_DEFAULT));
    self->answer.text[strcspn(self->answer.text, "\n")] = '\0';
    PRO_RETURN(struct answer, self->answer);
PRO_ASYNC_END

static struct pro_task *use_pool_async(void)
{
    struct use_pool *self = PRO_NEW_FRAME(struct use_pool, use_pool_move_next, struct answer);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void use_pool_start(void *arg) { *(struct pro_task **)arg = use_pool_async(); }

/* Uses the pool from a new loop on this thread, and tells what came of it. */
static int use_pool_from(const char *name, bool strict)
{
    struct answer answer;
    const struct pro_loop_options options = { .name = name, .strict = strict };
    struct pro_loop *loop;
    struct pro_task *task = NULL;
    int code = pro_loop_new(&options, &loop);
    if (code != PRO_OK)
        return code;
    code = pro_loop_post(loop, use_pool_start, &task);
    if (code != PRO_OK)
        give_up("the loop takes no work", code);
    pro_loop_run(loop); /* until nothing is left to do */
    code = pro_task_read(task, &answer, PRO_TYPE_OF(&answer));
    if (code == PRO_OK) {
        say("from loop %s: the server says %s", name, answer.text);
    } else {
        const char *sentence = pro_error_message(pro_task_error(task));
        say("from loop %s: %s", name, sentence);
        if (code == PRO_E_WRONG_LOOP && (!strstr(sentence, "\"A\"") || !strstr(sentence, "\"B\"")))
            code = PRO_E_FAILED; /* it must name both */
    }
    pro_task_unref(task);
    pro_loop_free(loop);
    return code;
}

static const char *play(void)
{
    struct pro_op op = { 0 };
    int from_strict, routed, closed;
    server_start();
    loop_thread_start(&loop_a, "A");
    struct pro_task *connected =
        pro_op_as_task(pro_connect(&op, loop_a.loop, server_address(), &pooled, PRO_HOW_DEFAULT));
    int code = PRO_WAIT(connected);
    pro_task_unref(connected);
    if (code != PRO_OK)
        give_up("loop A cannot connect", code);

    from_strict = use_pool_from("B", true);
    routed = use_pool_from("C", false);
    loop_thread_stop(&loop_a);
    closed = use_pool_from("D", false);
    scene_end_with("%s / %s / %s", outcome_of(from_strict), routed == PRO_OK ? "routed" : outcome_of(routed),
                   outcome_of(closed));
    return scene_wait();
}

SCENARIO(play, .expects = "wrong loop / routed / loop is closed");
