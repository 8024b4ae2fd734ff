/* SPDX-License-Identifier: MIT */
/* ConfigureAwait(false) all the way down cures the blocked handler.
 *
 * The handler blocks the UI thread as in 01. But no await below it captures the UI's context: each says
 * PRO_AWAIT_NONE, C#'s ConfigureAwait(false), "go on anywhere". So no step of the two methods needs the UI thread;
 * they run on the pool, the task completes there, and the blocked thread wakes up.
 * "All the way" is meant: every await that may suspend, in every method below the blocking call, also the one in
 * the clean-up section and those of libraries. 03 shows what one forgotten await does.
 * It is a cure for libraries, which cannot know who blocks on them. The UI still stands still while it waits.
 * (A whole file can be switched: define PRO_CONFIGURE_AWAIT_DEFAULT as PRO_AWAIT_NONE before including proact.)
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
    PRO_AWAIT_TO(&self->user, ANYWHERE(fetch_async()));
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

SCENARIO(play, .expects = "completes", .compare = "result_on_ui");
