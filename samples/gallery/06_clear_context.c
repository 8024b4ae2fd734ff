/* SPDX-License-Identifier: MIT */
/* Clearing the context around the call cures the blocked handler.
 *
 * What an await captures is the thread's current context at that moment. The handler takes it away before it calls
 * load_user_async() and puts it back afterwards. The method runs on the UI thread up to its first await, as in 01, but
 * this await finds no context; the rest runs on the pool.
 * It needs no second thread for the beginning, and no change below. What is lost: everything below runs without a
 * context, so nothing there may touch the user interface. And it must be put back on every way out, or the next
 * await on this thread loses its way home.
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
    struct pro_sync_context *ui = pro_sync_context_set(NULL);
    struct pro_task *task = load_user_async();
    pro_sync_context_set(ui);
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
