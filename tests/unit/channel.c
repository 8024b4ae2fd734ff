/* SPDX-License-Identifier: MIT */
/* Channels: order, bounds and their modes, pending sides, completion, what becomes of items nobody takes. */
#include <proact/proact.h>

#include "gate.h"
#include "told.h"

static struct pro_channel *channel_new(const struct pro_channel_options *options)
{
    struct pro_channel *channel = NULL;

    REQUIRE(pro_channel_new(PRO_TYPE(int), options, &channel) == PRO_OK);
    return channel;
}

static struct pro_channel *bounded_new(size_t capacity, enum pro_channel_full full)
{
    return channel_new(&(struct pro_channel_options){ .capacity = capacity, .full = full });
}

static int try_write(struct pro_channel *channel, int item) { return PRO_CHANNEL_TRY_WRITE(channel, &item); }
static struct pro_task *write_async(struct pro_channel *channel, int item) { return PRO_CHANNEL_WRITE(channel, &item); }

/* The next item, or -1. */
static int try_read(struct pro_channel *channel)
{
    int item = -1;

    return PRO_CHANNEL_TRY_READ(channel, &item) == 1 ? item : -1;
}

static int int_of(struct pro_task *task)
{
    int item = -1;

    CHECK_EQ(pro_task_read(task, &item, PRO_TYPE(int)), PRO_OK);
    pro_task_unref(task);
    return item;
}

static int bool_of(struct pro_task *task)
{
    bool value = false;
    const int code = pro_task_read(task, &value, PRO_TYPE(bool));

    pro_task_unref(task);
    return code < 0 ? code : value;
}

static void check_code(struct pro_task *task, int code)
{
    CHECK(pro_task_is_completed(task));
    CHECK_EQ(pro_error_code(pro_task_error(task)), code);
    pro_task_unref(task);
}

TEST(items_come_out_in_their_order_while_the_ring_grows_and_wraps)
{
    // Kills: a ring that grows without straightening; a wrong slot at the wrap.
    struct pro_channel *channel = channel_new(NULL);
    int written = 0, seen = 0;

    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 2 + round % 7; i++)
            CHECK_EQ(try_write(channel, written++), 1);
        for (int i = 0; i < 3 && seen < written; i++)
            CHECK_EQ(try_read(channel), seen++);
    }
    CHECK_EQ(pro_channel_count(channel), written - seen);
    while (seen < written)
        CHECK_EQ(int_of(PRO_CHANNEL_READ(channel)), seen++);
    CHECK_EQ(try_read(channel), -1);
    pro_channel_free(channel);
}

TEST(pending_readers_are_served_in_order_and_one_that_gives_up_is_skipped)
{
    // Kills: a cancellation that ends more than its own read; serving the last reader first.
    struct pro_channel *channel = channel_new(NULL);
    struct pro_cancellation_source *source = NULL;
    struct pro_task *first, *canceled, *last;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    first = PRO_CHANNEL_READ(channel);
    canceled = pro_channel_read_async(channel, (struct pro_how){ .token = { source } });
    last = pro_channel_read_async(channel, PRO_WITHIN(PRO_S(60)));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK(pro_task_is_canceled(canceled));
    CHECK(!pro_task_is_completed(first) && !pro_task_is_completed(last));
    CHECK_EQ(try_write(channel, 1), 1);
    CHECK_EQ(try_write(channel, 2), 1);
    CHECK_EQ(int_of(first), 1);
    CHECK_EQ(int_of(last), 2);
    check_code(pro_channel_read_async(channel, (struct pro_how){ .deadline_ns = 1 }), PRO_E_TIMEOUT);
    CHECK_EQ(try_write(channel, 3), 1); /* the one that timed out does not get it */
    CHECK_EQ(try_read(channel), 3);
    pro_task_unref(canceled);
    pro_cancellation_source_unref(source);
    pro_channel_free(channel);
}

TEST(full_channel_that_waits_takes_pending_writes_in_order)
{
    // Kills: a read that does not promote the first writer; a write that passes those that pend; a late write that goes
    // in after all.
    struct pro_channel *channel = bounded_new(2, PRO_CHANNEL_WAIT);
    struct pro_task *third, *fourth, *late, *room;

    CHECK_EQ(try_write(channel, 1), 1);
    CHECK(write_async(channel, 2) == pro_task_completed()); /* nothing was allocated */
    CHECK_EQ(try_write(channel, 9), 0);
    third = write_async(channel, 3);
    late = pro_channel_write_async(channel, &(int){ 9 }, PRO_TYPE(int), PRO_WITHIN(PRO_MS(2)));
    fourth = write_async(channel, 4);
    room = pro_channel_wait_to_write_async(channel, PRO_HOW_DEFAULT);
    CHECK_EQ(PRO_WAIT(late), PRO_E_AGGREGATE);
    check_code(late, PRO_E_TIMEOUT);
    CHECK(!pro_task_is_completed(third) && !pro_task_is_completed(room));
    CHECK_EQ(try_read(channel), 1);
    CHECK(pro_task_is_succeeded(third) && !pro_task_is_completed(fourth));
    CHECK_EQ(try_read(channel), 2);
    CHECK(pro_task_is_succeeded(fourth) && !pro_task_is_completed(room));
    CHECK_EQ(int_of(PRO_CHANNEL_READ(channel)), 3);
    CHECK_EQ(bool_of(room), 1);
    CHECK_EQ(try_read(channel), 4);
    CHECK_EQ(try_read(channel), -1);
    pro_task_unref(third);
    pro_task_unref(fourth);
    pro_channel_free(channel);
}

struct seen {
    int count, last;
};

static void see(void *item, void *arg)
{
    struct seen *seen = arg;

    seen->count++;
    seen->last = *(int *)item;
}

static void check_mode(enum pro_channel_full full, int lost, int first, int second)
{
    struct seen seen = { 0, -1 };
    struct pro_channel *channel =
        channel_new(&(struct pro_channel_options){ .capacity = 2, .full = full, .dropped = see, .arg = &seen });

    CHECK_EQ(try_write(channel, 1), 1);
    CHECK_EQ(try_write(channel, 2), 1);
    CHECK_EQ(seen.count, 0);
    CHECK_EQ(bool_of(pro_channel_wait_to_write_async(channel, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(try_write(channel, 3), 1);
    CHECK_EQ(seen.count, 1);
    CHECK_EQ(seen.last, lost);
    CHECK_EQ(try_read(channel), first);
    CHECK(write_async(channel, 4) == pro_task_completed());
    CHECK_EQ(seen.count, 1);
    CHECK(write_async(channel, 5) == pro_task_completed());
    CHECK_EQ(seen.count, 2);
    CHECK_EQ(pro_channel_count(channel), 2);
    CHECK_EQ(try_read(channel), second);
    pro_channel_free(channel);
}

TEST(full_modes_lose_the_newest_the_oldest_or_the_new_item)
{
    // Kills: a mode taken for another; a callback that sees the wrong item, or the write that is let in.
    check_mode(PRO_CHANNEL_DROP_NEWEST, 2, 1, 3);
    check_mode(PRO_CHANNEL_DROP_OLDEST, 1, 2, 4);
    check_mode(PRO_CHANNEL_DROP_WRITE, 3, 1, 2);
}

struct large {
    int number;
    char rest[600];
};

TEST(lost_item_of_any_size_is_seen_whole)
{
    // Kills: the small buffer used for a large item.
    struct seen seen = { 0, -1 };
    struct pro_channel *channel = NULL;
    struct large item = { .number = 0 };

    REQUIRE(pro_channel_new(PRO_TYPE(struct large),
                            &(struct pro_channel_options){
                                .capacity = 1, .full = PRO_CHANNEL_DROP_OLDEST, .dropped = see, .arg = &seen },
                            &channel) == PRO_OK);
    for (item.number = 1; item.number <= 3; item.number++)
        CHECK_EQ(PRO_CHANNEL_TRY_WRITE(channel, &item), 1);
    CHECK_EQ(seen.count, 2);
    CHECK_EQ(seen.last, 2);
    CHECK_EQ(pro_channel_try_peek(channel, &item, PRO_TYPE(struct large)), 1);
    CHECK_EQ(item.number, 3);
    CHECK_EQ(pro_channel_count(channel), 1);
    pro_channel_free(channel);
}

TEST(completion_comes_when_the_last_item_is_read)
{
    // Kills: completing with items left; a second completion; closed errors without their cause.
    struct pro_channel *channel = channel_new(NULL);
    struct pro_task *completion = pro_channel_completion(channel), *read;

    CHECK_EQ(try_write(channel, 0), 1);
    CHECK_EQ(try_write(channel, 1), 1);
    CHECK_EQ(pro_channel_complete(channel, pro_error_new(PRO_E_USER, PRO_HERE, "enough")), PRO_OK);
    CHECK_EQ(pro_channel_complete(channel, pro_error_of(PRO_E_IO)), PRO_E_CHANNEL_CLOSED);
    CHECK_EQ(try_write(channel, 2), 0);
    check_code(write_async(channel, 2), PRO_E_CHANNEL_CLOSED);
    check_code(pro_channel_wait_to_write_async(channel, PRO_HOW_DEFAULT), PRO_E_USER);
    CHECK_EQ(try_read(channel), 0);
    CHECK(!pro_task_is_completed(completion));
    CHECK_EQ(bool_of(pro_channel_wait_to_read_async(channel, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(int_of(PRO_CHANNEL_READ(channel)), 1);
    CHECK(pro_task_is_faulted(completion));
    CHECK_EQ(pro_error_code(pro_task_error(completion)), PRO_E_USER);
    read = PRO_CHANNEL_READ(channel);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error(read), 0)), PRO_E_USER);
    check_code(read, PRO_E_CHANNEL_CLOSED);
    check_code(pro_channel_wait_to_read_async(channel, PRO_HOW_DEFAULT), PRO_E_USER);
    pro_task_unref(completion);
    pro_channel_free(channel);
}

TEST(completion_ends_everything_that_pends)
{
    // Kills: a line that is forgotten; a write that goes in after completion.
    struct pro_channel *empty = channel_new(NULL), *full = bounded_new(1, PRO_CHANNEL_WAIT);
    struct pro_task *read, *watch_read, *write, *watch_write;

    read = PRO_CHANNEL_READ(empty);
    watch_read = pro_channel_wait_to_read_async(empty, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_channel_complete(empty, NULL), PRO_OK);
    check_code(read, PRO_E_CHANNEL_CLOSED);
    CHECK_EQ(bool_of(watch_read), 0);
    CHECK_EQ(try_write(full, 1), 1);
    write = write_async(full, 2);
    watch_write = pro_channel_wait_to_write_async(full, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_channel_complete(full, NULL), PRO_OK);
    check_code(write, PRO_E_CHANNEL_CLOSED);
    CHECK_EQ(bool_of(watch_write), 0);
    CHECK_EQ(try_read(full), 1);
    CHECK_EQ(try_read(full), -1);
    pro_channel_free(empty);
    pro_channel_free(full);
}

TEST(completion_by_a_cancellation_cancels_reads_and_the_completion_and_fails_later_writes)
{
    // Kills: a cancellation error wrapped as "closed"; a read that faults by it; a later write that is cancelled by it
    // (SEM-323).
    struct pro_channel *channel = channel_new(NULL);
    struct pro_task *pending = PRO_CHANNEL_READ(channel), *completion = pro_channel_completion(channel), *read, *write;

    CHECK_EQ(pro_channel_complete(channel, pro_error_of(PRO_E_CANCELED)), PRO_OK);
    read = PRO_CHANNEL_READ(channel);
    write = write_async(channel, 1);
    CHECK(pro_task_is_canceled(pending) && pro_task_is_canceled(completion) && pro_task_is_canceled(read));
    CHECK(pro_task_is_faulted(write));
    check_code(write, PRO_E_CANCELED);
    pro_task_unref(pending);
    pro_task_unref(completion);
    pro_task_unref(read);
    pro_channel_free(channel);
}

struct resumed {
    struct pro_continuation continuation;
    uint64_t thread;
    struct gate done;
};

static void resume(struct pro_continuation *continuation)
{
    struct resumed *resumed = PRO_CONTAINER(continuation, struct resumed, continuation);

    resumed->thread = pro_thread_id();
    gate_add(&resumed->done);
}

static bool runs_inside_the_write(bool allowed)
{
    struct pro_channel *channel =
        channel_new(&(struct pro_channel_options){ .allow_synchronous_continuations = allowed });
    struct resumed resumed = { .thread = 0 };
    struct pro_task *read = PRO_CHANNEL_READ(channel);

    pro_continuation_init(&resumed.continuation, resume);
    CHECK_EQ(pro_awaiter_on_completed(pro_task_get_awaiter(read), &resumed.continuation, PRO_AWAIT_NONE), PRO_OK);
    CHECK_EQ(try_write(channel, 1), 1);
    gate_wait(&resumed.done, 1);
    pro_task_unref(read);
    pro_channel_free(channel);
    return resumed.thread == pro_thread_id();
}

static bool runs_inside_the_read(void)
{
    struct pro_channel *channel =
        channel_new(&(struct pro_channel_options){ .capacity = 1, .allow_synchronous_continuations = true });
    struct resumed resumed = { .thread = 0 };
    struct pro_task *write;

    CHECK_EQ(try_write(channel, 1), 1);
    write = write_async(channel, 2);
    pro_continuation_init(&resumed.continuation, resume);
    CHECK_EQ(pro_awaiter_on_completed(pro_task_get_awaiter(write), &resumed.continuation, PRO_AWAIT_NONE), PRO_OK);
    CHECK_EQ(try_read(channel), 1);
    gate_wait(&resumed.done, 1);
    pro_task_unref(write);
    pro_channel_free(channel);
    return resumed.thread == pro_thread_id();
}

TEST(writer_never_goes_on_inside_a_read)
{
    // SEM-321. Kills: the option taken for both sides; .NET takes it for the readers alone.
    CHECK(!runs_inside_the_read());
}

TEST(reader_goes_on_inside_a_write_only_where_that_is_allowed)
{
    // Kills: the option ignored either way.
    CHECK(!runs_inside_the_write(false));
    CHECK(runs_inside_the_write(true));
}

static int released;
static void release(void *item) { released += *(int *)item; }

TEST(items_that_nobody_takes_are_released_once)
{
    // Kills: items left in a freed channel, in an unread task, or lost by the mode, that are forgotten or released
    // twice.
    struct pro_channel *channel = channel_new(
        &(struct pro_channel_options){ .capacity = 2, .full = PRO_CHANNEL_DROP_OLDEST, .release = release });
    struct pro_task *pending = PRO_CHANNEL_READ(channel), *read;
    int item = 0;

    released = 0;
    CHECK_EQ(try_write(channel, 1), 1); /* to the pending read */
    CHECK_EQ(try_write(channel, 10), 1);
    CHECK_EQ(try_write(channel, 100), 1);
    CHECK_EQ(try_write(channel, 1000), 1);
    CHECK_EQ(released, 10);
    pro_task_unref(pending);
    CHECK_EQ(released, 11);
    read = PRO_CHANNEL_READ(channel);
    CHECK_EQ(pro_task_read(read, &item, PRO_TYPE(int)), PRO_OK);
    CHECK_EQ(item, 100);
    CHECK_EQ(pro_task_read(read, &item, PRO_TYPE(int)), PRO_E_STATE);
    pro_task_unref(read);
    CHECK_EQ(released, 11);
    pro_channel_free(channel);
    CHECK_EQ(released, 1011);
}

TEST(promise_of_a_single_reader_is_checked)
{
    // Kills: the check of the promises.
    struct pro_channel *channel =
        channel_new(&(struct pro_channel_options){ .single_reader = true, .single_writer = true });
    struct pro_task *first = PRO_CHANNEL_READ(channel);

    told_listen();
    CHECK_TELLS(check_code(PRO_CHANNEL_READ(channel), PRO_E_STATE));
    CHECK_TELLS(check_code(pro_channel_wait_to_read_async(channel, PRO_HOW_DEFAULT), PRO_E_STATE));
    told_stop();
    CHECK_EQ(try_write(channel, 1), 1);
    CHECK_EQ(int_of(first), 1);
    pro_channel_free(channel);
}

TEST(freeing_fails_what_pends_and_what_waits_for_the_end)
{
    // Kills: a read or a completion that never ends.
    struct pro_channel *channel = channel_new(NULL);
    struct pro_task *read = pro_channel_read_async(channel, PRO_WITHIN(PRO_S(60)));
    struct pro_task *completion = pro_channel_completion(channel);

    pro_channel_free(channel);
    check_code(read, PRO_E_BROKEN_PROMISE);
    check_code(completion, PRO_E_BROKEN_PROMISE);
}

/* ---- many on both sides ---- */

enum { SIDE = 3, ITEMS = 2000 };

static struct {
    struct pro_channel *channel;
    uint32_t sum, count;
} crowd;

struct side {
    PRO_FRAME;
    int i;
};

PRO_ASYNC(writer_move_next, struct side, self)
    for (self->i = 1; self->i <= ITEMS; self->i++)
        PRO_AWAIT(pro_channel_write_async(crowd.channel, &self->i, PRO_TYPE(int), PRO_HOW_DEFAULT));
PRO_ASYNC_END

PRO_ASYNC(reader_move_next, struct side, self)
    for (;;) {
        PRO_AWAIT_STATUS_TO(&self->i, PRO_CHANNEL_READ(crowd.channel));
        if (PRO_STATUS == PRO_E_CHANNEL_CLOSED)
            break;
        proi_fetch_add(&crowd.sum, (uint32_t)self->i, PROI_RELAXED);
        proi_fetch_add(&crowd.count, 1u, PROI_RELAXED);
    }
PRO_ASYNC_END

static struct pro_task *writer_async(void *arg)
{
    struct side *self = PRO_NEW_FRAME_VOID(struct side, writer_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

static struct pro_task *reader_async(void *arg)
{
    struct side *self = PRO_NEW_FRAME_VOID(struct side, reader_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

TEST(many_writers_and_readers_lose_and_double_nothing)
{
    // Kills: a change of the ring outside the lock; an item given to a reader and kept as well.
    struct pro_task *writers[SIDE], *readers[SIDE], *completion;

    memset(&crowd, 0, sizeof crowd);
    crowd.channel = bounded_new(4, PRO_CHANNEL_WAIT);
    completion = pro_channel_completion(crowd.channel);
    for (int i = 0; i < SIDE; i++) {
        readers[i] = pro_task_run_async(reader_async, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
        writers[i] = pro_task_run_async(writer_async, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    }
    CHECK_EQ(pro_task_wait_all(writers, SIDE, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(pro_channel_complete(crowd.channel, NULL), PRO_OK);
    CHECK_EQ(pro_task_wait_all(readers, SIDE, PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
    CHECK_EQ(PRO_WAIT(completion), PRO_OK);
    CHECK_EQ(crowd.count, SIDE * ITEMS);
    CHECK_EQ(crowd.sum, SIDE * (ITEMS * (ITEMS + 1) / 2));
    for (int i = 0; i < SIDE; i++) {
        pro_task_unref(writers[i]);
        pro_task_unref(readers[i]);
    }
    pro_task_unref(completion);
    pro_channel_free(crowd.channel);
}
