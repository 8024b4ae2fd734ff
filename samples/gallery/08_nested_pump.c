/* SPDX-License-Identifier: MIT */
/* A nested pump while waiting cures it, at the price of re-entrancy.
 *
 * The handler does not let its thread sleep: until the task is complete it takes items from the UI's queue and runs
 * them, which is a second loop inside the handler. The steps of load_user_async() are among these items, so the task
 * completes (WinForms: DoEvents; WPF: a nested DispatcherFrame).
 * But so is everything else in the queue. Here the user clicks twice: the second click runs in the middle of the
 * first one, between two lines of the same function, and finds whatever the first has left half done. Code that uses
 * this has to be written for it. The list of the bugs it made is why 04 is the cure to prefer.
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

static int clicks_running, clicks_at_once;

static void on_click(void *arg)
{
    struct answer user = { "" };
    const bool first = ++clicks_running == 1;
    (void)arg;
    if (clicks_running > clicks_at_once)
        clicks_at_once = clicks_running;
    say("click: %d running; load the user, and pump until it is there", clicks_running);
    if (first)
        pro_sync_context_post(pro_pump_context(ui_pump()), on_click, NULL); /* the user clicks again */
    struct pro_task *task = load_user_async();
    pro_pump_run_until(ui_pump(), task);
    int code = PRO_RESULT(task, &user);
    pro_task_unref(task);
    clicks_running--;
    if (code != PRO_OK)
        scene_end(code, user.text);
    else if (first)
        scene_end_with("completes%s", clicks_at_once > 1 ? ", re-entered" : "");
}

static const char *play(void)
{
    server_start();
    return ui_run(on_click);
}

SCENARIO(play, .expects = "completes, re-entered", .compare = "result_on_ui");
