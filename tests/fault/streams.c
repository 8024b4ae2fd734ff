/* SPDX-License-Identifier: MIT */
/* Value tasks and streams without memory: every allocation fails once; it is told, and nothing is lost or leaked. */
#include "sweep.h"

static int code_of(struct pro_task *task)
{
    const int code = pro_task_is_succeeded(task) ? PRO_OK : pro_error_code(pro_task_error(task));

    CHECK(pro_task_is_completed(task));
    pro_task_unref(task);
    return code;
}

/* ---- value tasks ---- */

struct large {
    char bytes[64];
};

static int value_story(void)
{
    static const struct large large = { "large" };
    struct large back;
    struct pro_value_task_source_core core = { 0 };
    struct pro_task *task;
    int code, one = 1;

    code = PRO_VALUE_TASK_RESULT(pro_value_task_from_result(&large, PRO_TYPE(struct large)), &back);
    if (code < 0)
        return code;
    task = pro_value_task_as_task(pro_value_task_source_core_task(&core, PRO_TYPE(int)));
    CHECK_EQ(pro_value_task_source_core_set_result(&core, &one, PRO_TYPE(int)), PRO_OK);
    return code_of(task);
}

TEST(value_tasks_say_that_there_is_no_memory)
{
    /* Kills: a task that is not there taken for one; a source whose continuation has no task to complete. */
    sweep(value_story);
}

/* ---- streams ---- */

struct pair {
    PRO_STREAM_FRAME;
    int i;
};

PRO_ASYNC(pair_move_next, struct pair, self)
    for (self->i = 1; self->i <= 2; self->i++)
        PRO_YIELD_RETURN(int, self->i);
PRO_ASYNC_END

static struct pro_stream *pair(void)
{
    struct pair *self = PRO_NEW_STREAM(struct pair, pair_move_next, int);

    return PRO_START_STREAM(self);
}

struct sum {
    PRO_FRAME;
    struct pro_foreach each, tasks_each;
    struct pro_stream *tasks;
    struct pro_task *task;
    int n, sum;
};

PRO_ASYNC(sum_move_next, struct sum, self)
    PRO_AWAIT_FOREACH(&self->each, &self->n, pair())
        self->sum += self->n;
    PRO_AWAIT_FOREACH(&self->tasks_each, &self->task, self->tasks)
        self->sum += 10;
    if (self->sum != 23)
        PRO_THROW(pro_error_of(PRO_E_FAILED));
PRO_FINALLY
    if (!self->tasks_each.outer_leave_pc) /* it was not reached */
        PRO_AWAIT(pro_stream_dispose(self->tasks));
PRO_ASYNC_END

static int stream_story(void)
{
    struct pro_task *const tasks[] = { pro_task_completed(), pro_task_completed() };
    struct pro_stream *stream = NULL;
    struct sum *self;
    const int code = pro_when_each(tasks, 2, PRO_TOKEN_NONE, &stream);

    if (code < 0) {
        CHECK(stream == NULL);
        return code;
    }
    self = PRO_NEW_FRAME_VOID(struct sum, sum_move_next);
    if (!self) {
        pro_value_task_drop(pro_stream_dispose(stream));
        return PRO_E_NO_MEMORY;
    }
    self->tasks = stream;
    return code_of(PRO_START(self));
}

TEST(streams_say_that_there_is_no_memory)
{
    /* Kills: a stream that was half made; a list left behind by one that was never asked. */
    sweep(stream_story);
}

/* ---- what is let go of ---- */

static void leave_early(struct pro_task *pending)
{
    struct pro_task *const tasks[] = { pending, pro_task_completed() };
    struct pro_stream *stream = NULL;
    bool has_item = false;

    REQUIRE(pro_when_each(tasks, 2, PRO_TOKEN_NONE, &stream) == PRO_OK);
    CHECK_EQ(PRO_VALUE_TASK_RESULT(pro_stream_move_next(stream), &has_item), PRO_OK);
    CHECK(has_item);
    pro_value_task_drop(pro_stream_dispose(stream));
}

static int early_story(void)
{
    struct pro_completion_source *source = NULL;
    const int code = pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &source);
    struct pro_task *pending;
    int live;

    if (code < 0)
        return code;
    pending = pro_completion_source_task(source);
    sweep_memory.left = -1;
    leave_early(pending); /* makes the blocks that are kept for reuse */
    live = sweep_memory.live;
    leave_early(pending);
    CHECK_EQ(sweep_memory.live, live);
    pro_completion_source_set_result(source, NULL, PRO_NO_RESULT);
    pro_task_unref(pending);
    pro_completion_source_free(source);
    return PRO_OK;
}

TEST(when_each_leaves_nothing_on_a_task_that_is_still_pending)
{
    /* Kills: disposing of the stream without taking its continuations back. */
    sweep(early_story);
}
