/* SPDX-License-Identifier: MIT */
/* The table of active tasks and activities without memory: a task that could not be listed is told and lives on as any
 * other; the walk says so; nothing leaks. */
#include "sweep.h"

static int told;

static void count_notice(const char *sentence, void *user)
{
    (void)user;
    told += strstr(sentence, "among the active ones") != NULL;
}

static void no_task(struct pro_task *task, void *user) { (void)task, (void)user; }
static void no_line(const char *line, void *user) { (void)line, (void)user; }

struct waiting {
    PRO_FRAME;
    struct pro_task *task; /* its reference is awaited away */
};

PRO_ASYNC(waiting_move_next, struct waiting, self)
    PRO_AWAIT(self->task);
PRO_ASYNC_END

static struct pro_task *waiting_async(struct pro_task *task)
{
    struct waiting *const self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);

    if (!self) {
        pro_task_unref(task);
        return pro_task_no_memory();
    }
    self->task = task;
    return PRO_START(self);
}

/* What the table knows of one suspended method; what was lost for want of memory was told. */
static int look(struct pro_task *task)
{
    const bool suspended = !pro_task_is_completed(task);
    const int walked = pro_active_tasks_for_each(no_task, NULL), reported = pro_report_incomplete(no_line, NULL);

    if (!suspended)
        return PRO_E_NO_MEMORY;
    CHECK(walked == PRO_E_NO_MEMORY || walked == !told);
    CHECK(reported == PRO_E_NO_MEMORY || reported == !told);
    return walked == 1 && reported == 1 ? PRO_OK : PRO_E_NO_MEMORY;
}

static int table_story(void)
{
    struct pro_completion_source *source = NULL;
    struct pro_task *promise, *task;
    int code = pro_completion_source_new(PRO_NO_RESULT, 0, &source);

    if (code < 0)
        return code;
    told = 0;
    pro_async_debugging_enable(true);
    promise = pro_completion_source_task(source);
    task = waiting_async(pro_task_ref(promise));
    code = look(task);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK(pro_task_is_completed(task));
    pro_task_unref(task);
    pro_task_unref(promise);
    pro_completion_source_free(source);
    pro_async_debugging_enable(false);
    return code;
}

TEST(a_table_without_memory_says_what_it_could_not_list)
{
    /* Kills: silence about a task that is missing; an entry, or a reference, that leaks when the table cannot grow. */
    pro_set_notice_handler(count_notice, NULL);
    sweep(table_story);
}

static int activity_story(void)
{
    const uint64_t id = pro_activity_new_id();
    const int code = pro_activity_set_id(id);

    CHECK_EQ(pro_activity_id(), code == PRO_OK ? id : 0);
    CHECK_EQ(pro_activity_set_id(0), PRO_OK);
    return code;
}

TEST(an_activity_that_cannot_be_set_changes_nothing)
{
    /* Kills: a failure that is not told; the old number lost. */
    sweep(activity_story);
}
