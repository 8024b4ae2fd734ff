/* SPDX-License-Identifier: MIT */
/* The same code without a context (ASP.NET Core) does not deadlock.
 *
 * Not a line of 09 has changed but the last: the request runs on the pool with no context at all, as in ASP.NET Core, a
 * console program or a service. The awaits find nothing to capture, their rest runs on any free pool thread, and the
 * blocked handler gets its result.
 * So blocking "works" here, and that is how it gets into libraries, which then deadlock in the next UI. It is not free
 * either: the blocked thread does nothing but wait, and the pool needs a second one to finish. 11 shows
 * what happens when there is no second one.
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

static void on_request(void *arg)
{
    struct answer user = { "" };
    (void)arg;
    say("request: load the user, and block until it is there");
    struct pro_task *task = load_user_async();
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    scene_end(code, user.text);
}

static const char *play(void)
{
    server_start();
    return pool_run(on_request);
}

SCENARIO(play, .expects = "completes", .compare = "request_context");
