/* SPDX-License-Identifier: MIT */
/* pro_run: the short way into a loop. */
#include <proact/proact.h>

#include "harness.h"
#include "told.h"

struct main_frame {
    PRO_FRAME;
    struct pro_op op;
    int *steps;
    int code;
};

PRO_ASYNC(main_move_next, struct main_frame, self)
    CHECK(pro_loop_current() != NULL);
    CHECK(pro_sync_context_current() == pro_loop_context(pro_loop_current()));
    ++*self->steps;
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT)); /* on the loop that runs */
    CHECK(pro_sync_context_current() == pro_loop_context(pro_loop_current()));
    ++*self->steps;
    if (self->code < 0)
        PRO_THROW_NEW(self->code, "as the test asked for");
PRO_ASYNC_END

struct main_arg {
    int steps, code;
};

static struct pro_task *main_async(void *arg)
{
    struct main_arg *const it = arg;
    struct main_frame *const self = PRO_NEW_FRAME_VOID(struct main_frame, main_move_next);

    if (!self)
        return pro_task_no_memory();
    self->steps = &it->steps;
    self->code = it->code;
    return PRO_START(self);
}

static char notice[200];

static void keep_notice(const char *sentence, void *user)
{
    (void)user;
    snprintf(notice, sizeof notice, "%s", sentence);
}

TEST(run_gives_the_outcome_of_its_main_task)
{
    // Kills: a run that ends before its task; an error that is neither given nor told.
    struct main_arg good = { 0, PRO_OK }, bad = { 0, PRO_E_USER - 1 };

    CHECK_EQ(pro_run(main_async, &good), PRO_OK);
    CHECK_EQ(good.steps, 2);
    CHECK(pro_loop_current() == NULL && pro_sync_context_current() == NULL);
    notice[0] = '\0';
    pro_set_notice_handler(keep_notice, NULL);
    CHECK_EQ(pro_run(main_async, &bad), PRO_E_USER - 1);
    CHECK_EQ(bad.steps, 2);
    CHECK(strstr(notice, "as the test asked for") != NULL);
    pro_set_notice_handler(NULL, NULL);
}

static struct pro_task *give(void *arg) { return arg; }

TEST(run_takes_tasks_that_are_complete_or_none_at_all)
{
    // Kills: a run that waits for ever for a main function that gave nothing.
    told_listen();
    pro_set_notice_handler(keep_notice, NULL);
    CHECK_EQ(pro_run(give, pro_task_completed()), PRO_OK);
    CHECK_EQ(pro_run(give, pro_task_no_memory()), PRO_E_NO_MEMORY);
    CHECK_EQ(pro_run(give, pro_task_from_canceled(PRO_TOKEN_NONE)), PRO_E_CANCELED);
    CHECK_MISUSE(pro_run(give, NULL), PRO_E_INVALID);
    pro_set_notice_handler(NULL, NULL);
    told_stop();
}

struct leaver {
    PRO_FRAME;
    struct pro_op op;
    int *ended;
};

PRO_ASYNC(leaver_move_next, struct leaver, self)
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_S(3600), PRO_HOW_DEFAULT));
PRO_FINALLY
    ++*self->ended;
PRO_ASYNC_END

static struct pro_task *leave_something_behind(void *arg)
{
    struct leaver *const self = PRO_NEW_FRAME_VOID(struct leaver, leaver_move_next);

    if (!self)
        return pro_task_no_memory();
    self->ended = arg;
    pro_forget(PRO_START(self));
    return pro_task_completed();
}

TEST(what_main_leaves_behind_is_ended_with_the_loop)
{
    // Kills: a run that waits an hour for what nobody awaits; a frame that leaks.
    int ended = 0;

    pro_set_notice_handler(NULL, NULL);
    CHECK_EQ(pro_run(leave_something_behind, &ended), PRO_OK);
    CHECK_EQ(ended, 1);
}

TEST(runs_can_follow_each_other)
{
    // Kills: a loop that is not freed.
    struct main_arg it = { 0, PRO_OK };

    for (int i = 0; i < 20; i++)
        CHECK_EQ(pro_run(main_async, &it), PRO_OK);
    CHECK_EQ(it.steps, 40);
}
