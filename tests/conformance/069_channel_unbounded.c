/* SPDX-License-Identifier: MIT */
/* An unbounded channel: reads and writes that need not wait, readers in order, cancelling one, completing. */
#include "harness.h"

static struct pro_channel *c;
static struct gate *after;

struct read {
    PRO_FRAME;
    const char *name;
    struct pro_channel *channel;
    struct gate *after;
    int v;
};

PRO_ASYNC(read_move_next, struct read, self)
    PRO_AWAIT_STATUS_TO(&self->v, PRO_CHANNEL_READ(self->channel));
    if (PRO_STATUS < 0) {
        trace_log("%s: %s", self->name, err_name(PRO_ERROR));
        PRO_RETURN_VOID;
    }
    if (who_is("pool"))
        gate_wait(self->after);
    trace_log("%s: read %d", self->name, self->v);
PRO_ASYNC_END

static struct pro_task *read_async(const char *name, struct pro_channel *channel, struct gate *gate)
{
    struct read *self = PRO_NEW_FRAME_VOID(struct read, read_move_next);
    if (!self)
        return pro_task_no_memory();
    self->name = name;
    self->channel = channel;
    self->after = gate;
    return PRO_START(self);
}

/* Channel.CreateUnbounded<int>() */
static struct pro_channel *channel_new(void)
{
    struct pro_channel *channel = NULL;
    if (pro_channel_new(PRO_TYPE(int), NULL, &channel) < 0)
        harness_broken("no channel");
    return channel;
}

static const char *try_write(struct pro_channel *channel, int value)
{
    return text_of_bool(PRO_CHANNEL_TRY_WRITE(channel, &value) == 1);
}

static const char *bool_of(struct pro_task *task)
{
    bool value = false;
    PRO_RESULT(task, &value);
    return text_of_bool(value);
}

/* Err.Of(() => task.GetAwaiter().GetResult()) */
static const char *err_of_task(struct pro_task *task)
{
    struct pro_error *error = NULL;
    int code = pro_task_get_result(task, NULL, PRO_NO_RESULT, &error, PRO_HERE);
    return err_of(code, error);
}

static void writer(void *arg)
{
    (void)arg;
    trace_log("writing: %s", try_write(c, 3));
    trace_log("after the write");
    gate_open(after);
}

SCENARIO(069)
{
    struct gate *open = gate_new("open");
    gate_open(open);
    c = channel_new();
    int none = 0, two = 0, seven = 7;
    trace_log("TryRead of empty: %s", text_of_bool(PRO_CHANNEL_TRY_READ(c, &none) == 1));
    const char *wrote_1 = try_write(c, 1);
    trace_log("TryWrite: %s %s", wrote_1, try_write(c, 2));
    struct pro_task *v = PRO_CHANNEL_READ(c);
    trace_log("ReadAsync of a full one: %s %d", text_of_bool(pro_task_is_succeeded(v)), result_of(v));
    trace_log("WaitToReadAsync: %s", text_of_bool(pro_task_is_completed(pro_channel_wait_to_read_async(c, PRO_HOW_DEFAULT))));
    const char *read_2 = text_of_bool(PRO_CHANNEL_TRY_READ(c, &two) == 1);
    trace_log("TryRead: %s %d", read_2, two);

    after = gate_new("after");
    struct pro_task *r = read_async("reader", c, after);
    worker_run("worker", writer, NULL);
    harness_finish(r, "r");

    struct pro_task *a = read_async("first reader", c, open);
    struct pro_task *b = read_async("second reader", c, open);
    try_write(c, 4);
    harness_finish(a, "a");
    try_write(c, 5);
    harness_finish(b, "b");

    struct pro_cancellation_source *cts = cancellation_new();
    struct pro_task *x = pro_channel_read_async(c, (struct pro_how){ .token = pro_cancellation_source_token(cts) });
    pro_cancellation_source_cancel(cts);
    harness_finish(x, "x");
    trace_log("cancelled read: %s", status_of(x));

    try_write(c, 6);
    pro_channel_complete(c, NULL);
    trace_log("completion with an item left: %s", status_of(pro_channel_completion(c)));
    const char *wrote_7 = try_write(c, 7);
    trace_log("write after completion: %s, WriteAsync: %s", wrote_7, err_of_task(PRO_CHANNEL_WRITE(c, &seven)));
    const char *again = text_of_bool(pro_channel_complete(c, NULL) == PRO_OK);
    trace_log("Complete again: %s %s", again, err_of(pro_channel_complete(c, NULL), NULL));
    trace_log("last item: %d", result_of(PRO_CHANNEL_READ(c)));
    harness_finish(pro_channel_completion(c), "completion");
    trace_log("completion: %s", status_of(pro_channel_completion(c)));
    trace_log("WaitToReadAsync: %s", bool_of(pro_channel_wait_to_read_async(c, PRO_HOW_DEFAULT)));
    trace_log("read of a completed one: %s", err_of_task(PRO_CHANNEL_READ(c)));

    struct pro_channel *d = channel_new();
    struct pro_task *e = read_async("reader", d, open);
    pro_channel_complete(d, test_error("broken"));
    harness_finish(e, "e");
    trace_log("completion: %s", harness_describe(pro_channel_completion(d)));
    trace_log("WaitToReadAsync: %s", err_of_task(pro_channel_wait_to_read_async(d, PRO_HOW_DEFAULT)));
}
