/* SPDX-License-Identifier: MIT */
/* The lowered form of an async method, written by hand: awaiters and a continuation as PRO_ASYNC uses them, a
   completion source in the place of the builder. */
#include "harness.h"

struct machine {
    struct pro_continuation continuation;
    int state;
    struct pro_completion_source *builder;
    struct pro_task *first, *second;
    struct pro_awaiter awaiter;
    int sum;
};

/* True: suspended, and the machine may already run elsewhere. */
static bool machine_await(struct machine *self, struct pro_task *task, int state)
{
    self->awaiter = pro_task_get_awaiter(task);
    if (pro_awaiter_is_completed(self->awaiter))
        return false;
    self->state = state;
    pro_awaiter_unsafe_on_completed(self->awaiter, &self->continuation, PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    return true;
}

static void machine_move_next(struct machine *self)
{
    struct pro_error *error = NULL;
    int value;
    trace_log("MoveNext, state %d", self->state);
    if (self->state == -1) {
        if (machine_await(self, self->first, 0))
            return;
        self->state = 0;
    }
    if (self->state == 0) {
        self->state = -1;
        if (pro_awaiter_get_result(self->awaiter, &value, PRO_TYPE(int), &error) != PRO_OK)
            goto failed;
        self->sum = value;
        trace_log("first gave %d", self->sum);
        if (machine_await(self, self->second, 1))
            return;
    }
    self->state = -1;
    if (pro_awaiter_get_result(self->awaiter, &value, PRO_TYPE(int), &error) != PRO_OK)
        goto failed;
    self->sum += value;
    trace_log("sum is %d", self->sum);
    self->state = -2;
    source_set_result(self->builder, self->sum);
    return;
failed:
    self->state = -2;
    pro_completion_source_set_error(self->builder, error);
}

static void machine_resume(struct pro_continuation *continuation)
{
    machine_move_next(PRO_CONTAINER(continuation, struct machine, continuation));
}

static struct pro_task *add_async(struct pro_task *first, struct pro_task *second)
{
    struct machine *machine = memory_new(sizeof *machine);
    pro_continuation_init(&machine->continuation, machine_resume);
    machine->state = -1;
    machine->first = first, machine->second = second;
    machine->builder = source_new(PRO_TASK_DEFAULT);
    machine_move_next(machine);
    return source_task(machine->builder);
}

SCENARIO(033)
{
    struct pro_task *t = add_async(from_result(1), from_result(2));
    trace_log("synchronous: %s %d", status_of(t), result_of(t));

    struct pro_completion_source *a = source_new(PRO_TASK_DEFAULT);
    struct pro_completion_source *b = source_new(PRO_TASK_DEFAULT);
    t = add_async(source_task(a), source_task(b));
    trace_log("started: %s", status_of(t));
    source_set_result(a, 10);
    trace_log("between: %s", status_of(t));
    source_set_result(b, 20);
    trace_log("done: %s %d", status_of(t), result_of(t));

    struct pro_completion_source *c = source_new(PRO_TASK_DEFAULT);
    t = add_async(source_task(c), from_result(1));
    pro_completion_source_set_error(c, test_error("c"));
    trace_log("faulted: %s", harness_describe(t));
}
