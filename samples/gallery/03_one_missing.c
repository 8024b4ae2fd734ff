/* SPDX-License-Identifier: MIT */
/* One ConfigureAwait(false) missing in the middle, and it still deadlocks.
 *
 * As 02, but one await was forgotten: load_user_async() waits for fetch_async() with a plain await. The four awaits
 * below it are in order: the request runs on the pool and ends there. Then comes the step after the plain await.
 * It captured the UI's context, so it is posted to the queue of the thread that blocks.
 * One captured context anywhere between the blocking call and the I/O is enough. This is why "add
 * ConfigureAwait(false)" so often seems not to work, and why the report names the line of the await that captured:
 * the line to mend is that one, not the deepest.
 */
#include "gallery.h"

/* C#: x.ConfigureAwait(false). Go on anywhere, no context is captured. */
#define ANYWHERE(x) PRO_CONFIGURE_AWAIT((x), PRO_AWAIT_NONE)

/* Asks the server for the user's name. (Three bytes and a newline come in one piece; a longer answer might not.) */
struct fetch {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    struct answer answer;
};

PRO_ASYNC(fetch_move_next, struct fetch, self)
    PRO_AWAIT(ANYWHERE(pro_connect(&self->op, NULL, server_address(), &self->socket, PRO_HOW_DEFAULT)));
    PRO_AWAIT(ANYWHERE(pro_send_all(&self->op, &self->socket, "name\n", 5, PRO_HOW_DEFAULT)));
    PRO_AWAIT(
        ANYWHERE(pro_recv(&self->op, &self->socket, self->answer.text, sizeof self->answer.text - 1, PRO_HOW_DEFAULT)));
    PRO_RETURN(struct answer, self->answer);
PRO_FINALLY
    if (pro_socket_is_open(&self->socket))
        PRO_AWAIT(ANYWHERE(pro_close(&self->op, &self->socket)));
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
