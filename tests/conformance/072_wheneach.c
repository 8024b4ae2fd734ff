/* SPDX-License-Identifier: MIT */
/* When-each gives the tasks in the order of completion, failed ones included, without throwing. */
#include "harness.h"

enum { TASKS = 4 };

static struct pro_completion_source *s[TASKS];
static struct pro_task *tasks[TASKS];
static struct gate *seen[TASKS];

static int index_of(const struct pro_task *t)
{
    for (int i = 0; i < TASKS; i++)
        if (tasks[i] == t)
            return i;
    return -1;
}

struct consumer {
    PRO_FRAME;
    struct pro_stream *stream;
    struct pro_foreach each;
    struct pro_task *t;
    int n;
};

PRO_ASYNC(consume_move_next, struct consumer, self)
    PRO_AWAIT_FOREACH(&self->each, &self->t, self->stream) {
        trace_log("got task %d: %s", index_of(self->t), harness_describe(self->t));
        gate_open(seen[self->n++]);
    }
    trace_log("end of the sequence");
PRO_ASYNC_END

static struct pro_task *consume_async(void)
{
    struct consumer *self = PRO_NEW_FRAME_VOID(struct consumer, consume_move_next);
    if (!self || pro_when_each(tasks, TASKS, PRO_TOKEN_NONE, &self->stream) != PRO_OK)
        return pro_task_no_memory();
    return PRO_START(self);
}

SCENARIO(072)
{
    static const char *const names[TASKS] = { "seen 0", "seen 1", "seen 2", "seen 3" };
    for (int i = 0; i < TASKS; i++)
        s[i] = source_new(PRO_TASK_DEFAULT), tasks[i] = source_task(s[i]), seen[i] = gate_new(names[i]);
    source_set_result(s[3], 3);
    struct pro_task *c = consume_async();
    gate_wait(seen[0]);
    pro_completion_source_set_error(s[1], test_error("1"));
    gate_wait(seen[1]);
    pro_completion_source_set_canceled(s[2], PRO_TOKEN_NONE);
    gate_wait(seen[2]);
    source_set_result(s[0], 0);
    harness_finish(c, "consumer");
    trace_log("%s", status_of(c));
}
