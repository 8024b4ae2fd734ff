/* SPDX-License-Identifier: MIT */
/* Starting the method on the pool cures the blocked handler.
 *
 * The handler blocks as in 01, but it does not start load_user_async() itself: the pool does (C#: Task.Run). A pool
 * thread has no context, so the awaits find nothing to capture, and every later step runs on the pool as well.
 * Nothing the task needs is on the UI thread. None of the methods below had to be changed: this is the cure for code
 * that is not yours.
 * It costs a second thread, and the UI stands still all the same. And it must be the call that is moved: putting
 * the task that load_user_async() already gave into the pool would be too late, its awaits have captured.
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

static struct pro_task *load_user_on_pool(void *arg)
{
    (void)arg;
    say("this thread has %s", pro_sync_context_current() ? "a context" : "no context: nothing to capture");
    return load_user_async();
}

static void on_click(void *arg)
{
    struct answer user = { "" };
    (void)arg;
    say("click: load the user, and block until it is there");
    struct pro_task *task = pro_task_run_async(load_user_on_pool, NULL, PRO_TYPE(struct answer), PRO_TOKEN_NONE);
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    scene_end(code, user.text);
}

static const char *play(void)
{
    server_start();
    return ui_run(on_click);
}

SCENARIO(play, .expects = "completes", .compare = "result_on_ui");
