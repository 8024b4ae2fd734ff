/* SPDX-License-Identifier: MIT */
/* Blocking on a result in a UI handler deadlocks.
 *
 * The click handler starts load_user_async() and blocks the UI thread until its result is there (C#: .Result).
 * But every await in it remembers where it was called, here the UI's context, and the rest of the method is
 * posted there. The server answers at once, the kernel is done, the rest of the method lies in the UI's queue;
 * and the only thread that takes from this queue is the one that waits for the method.
 * So the thread waits for the task, the task for its next step, the step for the queue, the queue for the thread.
 * One of the four has to go. 02 keeps the step out of that queue, 04 does not block, 05 and 06 start the method
 * where no context is, 07 has nothing to wait for, 08 lets the blocked thread empty its queue.
 */
#include "gallery.h"

/* Asks the server for the user's name. (Three bytes and a newline come in one piece; a longer answer might not.) */
struct fetch {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    struct answer answer;
};

PRO_ASYNC(fetch_move_next, struct fetch, self)
    PRO_AWAIT(pro_connect(&self->op, NULL, server_address(), &self->socket, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_send_all(&self->op, &self->socket, "name\n", 5, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_recv(&self->op, &self->socket, self->answer.text, sizeof self->answer.text - 1, PRO_HOW_DEFAULT));
    PRO_RETURN(struct answer, self->answer);
PRO_FINALLY
    if (pro_socket_is_open(&self->socket))
        PRO_AWAIT(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *fetch_async(void)
{
    struct fetch *self = PRO_NEW_FRAME(struct fetch, fetch_move_next, struct answer);
    return self ? PRO_START(self) : pro_task_no_memory();
}

/* The method the program calls. It does no I/O of its own, it waits for the one that does. */
struct load_user {
    PRO_FRAME;
    struct answer user;
};

PRO_ASYNC(load_user_move_next, struct load_user, self)
    PRO_AWAIT_TO(&self->user, fetch_async());
    self->user.text[strcspn(self->user.text, "\n")] = '\0';
    PRO_RETURN(struct answer, self->user);
PRO_ASYNC_END

static struct pro_task *load_user_async(void)
{
    struct load_user *self = PRO_NEW_FRAME(struct load_user, load_user_move_next, struct answer);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static void on_click(void *arg)
{
    struct answer user = { "" };
    (void)arg;
    say("click: load the user, and block until it is there");
    struct pro_task *task = load_user_async();
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    scene_end(code, user.text);
}

static const char *play(void)
{
    server_start();
    return ui_run(on_click);
}

SCENARIO(play, .expects = "deadlock", .compare = "configure_await");
