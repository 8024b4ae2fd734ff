/* SPDX-License-Identifier: MIT */
/* An already completed task does not deadlock.
 *
 * load_user_async() keeps what it has loaded. The program awaits it once when it starts, properly; by the time of the
 * click the user is there. The handler then does exactly what is deadly in 01, and nothing happens: no await
 * suspends, so nothing is posted to the UI's queue. The call gives a completed task, and blocking on one does not
 * block.
 * This is what makes the disease treacherous. The code works on the developer's machine, where the cache is warm, and
 * hangs at the customer's at the first click after a start.
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

static struct answer cache;

PRO_ASYNC(load_user_move_next, struct load_user, self)
    if (cache.text[0])
        PRO_RETURN(struct answer, cache);
    PRO_AWAIT_TO(&self->user, fetch_async());
    self->user.text[strcspn(self->user.text, "\n")] = '\0';
    cache = self->user;
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
    say("click: block for the user, who is there already");
    struct pro_task *task = load_user_async();
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    scene_end(code, user.text);
}

/* Fills the cache, then clicks. */
struct warm_up {
    PRO_FRAME;
};

PRO_ASYNC(warm_up_move_next, struct warm_up, self)
    say("start: await the user once");
    PRO_AWAIT(load_user_async());
    on_click(NULL);
PRO_ASYNC_END

static void on_start(void *arg)
{
    struct warm_up *self = PRO_NEW_FRAME_VOID(struct warm_up, warm_up_move_next);
    (void)arg;
    if (self)
        PRO_START_VOID(self);
    else
        scene_end(PRO_E_NO_MEMORY, "");
}

static const char *play(void)
{
    server_start();
    return ui_run(on_start);
}

SCENARIO(play, .expects = "completes", .compare = "result_on_ui");
