/* SPDX-License-Identifier: MIT */
/* Async all the way: the handler awaits, and nobody blocks.
 *
 * The same two methods as in 01, with their plain awaits; they still come back to the UI thread, which is what a
 * UI wants. Only the handler has changed: it is an async method itself (C#: async void, the form for event
 * handlers) and awaits the user. At its first await it returns to the UI's loop. When the answer is there, its rest
 * is an item in the UI's queue like any other, and the thread is free to run it.
 * This is the cure to prefer: nothing blocks, the UI stays alive, and no await needs to be told anything.
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

/* The handler as an async method; its rest runs on the UI thread, too. */
struct click {
    PRO_FRAME;
    struct answer user;
};

PRO_ASYNC(click_move_next, struct click, self)
    say("click: load the user, and await it");
    PRO_AWAIT_STATUS_TO(&self->user, load_user_async());
    say("the user is there: %s", self->user.text);
    scene_end(PRO_STATUS, self->user.text);
PRO_ASYNC_END

static void on_click(void *arg)
{
    struct click *self = PRO_NEW_FRAME_VOID(struct click, click_move_next);
    (void)arg;
    if (self)
        PRO_START_VOID(self);
    else
        scene_end(PRO_E_NO_MEMORY, "");
}

static const char *play(void)
{
    server_start();
    return ui_run(on_click);
}

SCENARIO(play, .expects = "completes", .compare = "result_on_ui");
