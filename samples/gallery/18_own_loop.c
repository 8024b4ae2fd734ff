/* SPDX-License-Identifier: MIT */
/* Blocking on one's own loop: ConfigureAwait(false) does not cure it.
 *
 * This thread runs the loop, and the loop does the I/O. A method on it blocks for a task. With captured contexts it is
 * the deadlock of 01. Without them it still is one, and here C# cannot help you out: there the kernel's completions
 * come on other threads, here they come on this one, and this one sleeps. Whoever blocks a loop stops its I/O, whatever
 * the awaits say. So the library refuses: PRO_E_DEADLOCK at once, in both forms, instead of a hang.
 * What works: pro_loop_run_until(), which runs the loop while it waits (a nested loop, with the re-entrancy of 08);
 * and await, the one to prefer.
 */
#include "gallery.h"

static int block_for(struct pro_task *task, const char *how)
{
    struct answer user = { "" };
    int code = PRO_RESULT(task, &user);
    say("%-27s %s", how, code == PRO_OK ? user.text : pro_err_name(code));
    pro_forget(task); /* refused or not, it goes on by itself */
    return code;
}

static int run_until(struct pro_task *task)
{
    struct answer user = { "" };
    int code = pro_loop_run_until(pro_loop_current(), task);
    if (code == PRO_OK)
        code = pro_task_read(task, &user, PRO_TYPE_OF(&user));
    say("%-27s %s", "pro_loop_run_until():", code == PRO_OK ? user.text : pro_err_name(code));
    pro_task_unref(task);
    return code;
}

struct work {
    PRO_FRAME;
    int plain, configured, nested;
    struct answer user;
};

PRO_ASYNC(work_move_next, struct work, self)
    self->plain = block_for(ask_async("name", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT), "block:");
    self->configured = block_for(ask_async("name", PRO_AWAIT_NONE), "ConfigureAwait(false):");
    self->nested = run_until(ask_async("name", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
    PRO_AWAIT_TO(&self->user, ask_async("name", PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
    say("%-27s %s", "await:", self->user.text);
    scene_end_with("%s / %s / %s / %s", outcome_of(self->plain), outcome_of(self->configured), outcome_of(self->nested),
                   strcmp(self->user.text, "Ada") == 0 ? "completes" : self->user.text);
PRO_ASYNC_END

static struct pro_task *work_async(void *arg)
{
    struct work *self = PRO_NEW_FRAME_VOID(struct work, work_move_next);
    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

static const char *play(void)
{
    server_start();
    pro_run(work_async, NULL);
    return scene_wait();
}

SCENARIO(play, .expects = "refused / refused / completes / completes");
