/* SPDX-License-Identifier: MIT */
/* A deadline and a cancellation free a blocked wait.
 *
 * The handler is that of 01 and blocks the UI thread on a task that needs the UI thread. But its wait has a limit: the
 * first time a deadline of 50 ms, the second time a token that another thread cancels. Both times the wait ends, with
 * an error that says which of the two it was. The task is not touched by this: only the wait was given up. As soon as
 * the handler returns to the UI's loop, the task's steps run and it completes. A limit does not cure the deadlock, it
 * turns a hang into a delay and a line in the log. Note where it is: a timeout inside load_user_async() would not help,
 * the step that notices it needs the UI thread as well.
 */
#include "gallery.h"

static struct pro_task *user_task;

static void cancel_soon(void *arg)
{
    block_for_ms(50);
    say("cancels the token");
    pro_cancellation_source_cancel(arg);
}

/* After the handler: the user arrives after all. */
struct late {
    PRO_FRAME;
    struct answer user;
    int by_deadline, by_token;
};

PRO_ASYNC(late_move_next, struct late, self)
    PRO_AWAIT_STATUS_TO(&self->user, user_task);
    say("the task was never touched: the user is %s", self->user.text);
    scene_end_with("%s / %s / %s", outcome_of(self->by_deadline), outcome_of(self->by_token), outcome_of(PRO_STATUS));
PRO_ASYNC_END

static void on_click(void *arg)
{
    struct pro_cancellation_source *source;
    struct late *self = PRO_NEW_FRAME_VOID(struct late, late_move_next);
    (void)arg;
    if (!self || pro_cancellation_source_new(&source) != PRO_OK)
        give_up("the click cannot be handled", PRO_E_NO_MEMORY);
    user_task = ask_async("name", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);

    say("click: block, for 50 ms at most");
    self->by_deadline = PRO_WAIT_HOW(user_task, PRO_WITHIN(PRO_MS(50)));
    say("freed: %s", pro_err_message(self->by_deadline));

    say("block again, until somebody cancels");
    thread_run("other", cancel_soon, source);
    struct pro_how until_canceled = { .token = pro_cancellation_source_token(source) };
    self->by_token = PRO_WAIT_HOW(user_task, until_canceled);
    say("freed: %s", pro_err_message(self->by_token));

    pro_cancellation_source_unref(source);
    PRO_START_VOID(self);
}

static const char *play(void)
{
    server_start();
    return ui_run(on_click);
}

SCENARIO(play, .expects = "timed out / canceled / completes", .compare = "result_on_ui");
