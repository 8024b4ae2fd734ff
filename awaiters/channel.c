/* SPDX-License-Identifier: MIT */
/* Channels: a ring of values, and four lines: who reads, who writes, and who only wants to know that it could. */
#include "waiter.h"

#include <proact/channel.h>

#include <string.h>

enum { FIRST_ROOM = 16, SMALL = 128 };

struct pro_channel {
    struct proi_monitor monitor;
    struct pro_type type;
    struct pro_channel_options options;
    struct pro_task *completion; /* one reference */
    /* Under the lock. Readers, and watchers for them, stand in line only while it is empty; writers only while it is full. */
    unsigned char *ring;
    size_t room, first, count;
    bool is_completed;       /* no more writes */
    struct pro_error *error; /* why; NULL: because it was done */
    struct pro_error *closed; /* what reads and writes fail with then */
    struct proi_line readers, read_watchers, writers, write_watchers;
};

/* What follows from a change, once the lock is released. */
struct deeds {
    struct proi_line ended;
    bool over; /* completed and empty, for the first time */
    bool lost; /* an item, which is in @lost_item */
    void *lost_item;
};

/* ---- the ring, under the lock ---- */

static void *slot(struct pro_channel *channel, size_t index)
{
    return channel->ring + (channel->first + index) % channel->room * channel->type.size;
}

static bool grow(struct pro_channel *channel)
{
    const size_t size = channel->type.size, capacity = channel->options.capacity;
    size_t room = channel->room ? channel->room * 2 : FIRST_ROOM;
    unsigned char *ring;

    if (capacity && room > capacity)
        room = capacity;
    ring = room <= SIZE_MAX / 2 / size ? proi_alloc(room * size) : NULL;
    if (!ring)
        return false;
    for (size_t i = 0; i < channel->count; i++)
        memcpy(ring + i * size, slot(channel, i), size);
    proi_free(channel->ring);
    channel->ring = ring;
    channel->room = room;
    channel->first = 0;
    return true;
}

static bool push(struct pro_channel *channel, const void *item)
{
    if (channel->count == channel->room && !grow(channel))
        return false;
    memcpy(slot(channel, channel->count), item, channel->type.size);
    channel->count++;
    return true;
}

static void pop(struct pro_channel *channel, void *ret_item)
{
    memcpy(ret_item, slot(channel, 0), channel->type.size);
    channel->first = (channel->first + 1) % channel->room;
    channel->count--;
}

/* ---- one write, one read, under the lock ---- */

static void tell_watchers(struct proi_line *watchers, bool value, struct pro_error *error, struct deeds *deeds)
{
    struct proi_waiter *waiter;

    while ((waiter = proi_line_move_first(watchers, &deeds->ended))) {
        waiter->error = pro_error_ref(error);
        *(bool *)proi_waiter_result(waiter) = value;
    }
}

static bool is_full(const struct pro_channel *channel)
{
    return channel->options.capacity && channel->count >= channel->options.capacity;
}

static void lose(struct deeds *deeds, const void *item, size_t size)
{
    memcpy(deeds->lost_item, item, size);
    deeds->lost = true;
}

/* A full channel of a mode that drops: true when the new item goes, too. */
static bool make_room(struct pro_channel *channel, const void *item, struct deeds *deeds)
{
    const size_t size = channel->type.size;

    switch (channel->options.full) {
    case PRO_CHANNEL_DROP_NEWEST:
        channel->count--;
        lose(deeds, slot(channel, channel->count), size);
        return false;
    case PRO_CHANNEL_DROP_OLDEST:
        pop(channel, deeds->lost_item);
        deeds->lost = true;
        return false;
    default:
        lose(deeds, item, size);
        return true;
    }
}

/* PRO_OK, PRO_E_CHANNEL_CLOSED, PRO_E_FULL, PRO_E_NO_MEMORY. */
static int put(struct pro_channel *channel, const void *item, struct deeds *deeds)
{
    struct proi_waiter *reader;

    if (channel->is_completed)
        return PRO_E_CHANNEL_CLOSED;
    reader = proi_line_move_first(&channel->readers, &deeds->ended);
    if (reader) {
        memcpy(proi_waiter_result(reader), item, channel->type.size);
        return PRO_OK;
    }
    if (is_full(channel)) {
        if (channel->options.full == PRO_CHANNEL_WAIT)
            return PRO_E_FULL;
        if (make_room(channel, item, deeds))
            return PRO_OK;
    }
    if (!push(channel, item))
        return PRO_E_NO_MEMORY;
    tell_watchers(&channel->read_watchers, true, NULL, deeds);
    return PRO_OK;
}

/* There is an item. The room it leaves is the longest waiting writer's; if there is none, whoever's who only waits for room. */
static void take(struct pro_channel *channel, void *ret_item, struct deeds *deeds)
{
    struct proi_waiter *writer;

    pop(channel, ret_item);
    if (channel->is_completed) {
        deeds->over = channel->count == 0;
        return;
    }
    writer = proi_line_move_first(&channel->writers, &deeds->ended);
    if (writer)
        push(channel, writer->item); /* into the slot just left: it cannot fail */
    else
        tell_watchers(&channel->write_watchers, true, NULL, deeds);
}

/* ---- after it ---- */

static void end_completion(struct pro_channel *channel, struct pro_error *error)
{
    struct pro_task *const task = pro_task_ref(channel->completion);

    if (proi_task_reserve(task)) {
        proi_task_observe(task); /* the error is told to readers and writers as well */
        if (error)
            proi_task_fail(task, pro_error_ref(error), true);
        else
            proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task);
}

/* The waiters last: with synchronous continuations one of them may free the channel. */
static void follow_up(struct pro_channel *channel, struct deeds *deeds)
{
    if (deeds->lost && channel->options.dropped)
        channel->options.dropped(deeds->lost_item, channel->options.arg);
    if (deeds->lost && channel->options.release)
        channel->options.release(deeds->lost_item);
    if (deeds->over)
        end_completion(channel, channel->error);
    proi_line_end(&deeds->ended);
}

/* Memory for an item that a write may lose: @small, or a block of its own. NULL: there is none. */
static void *lost_memory(const struct pro_channel *channel, unsigned char *small)
{
    const bool drops = channel->options.capacity && channel->options.full != PRO_CHANNEL_WAIT;

    return !drops || channel->type.size <= SMALL ? small : proi_alloc(channel->type.size);
}

/* ---- making and freeing ---- */

static const struct proi_task_class completion_class = { .name = "channel completion" };

static void destroy_channel(struct proi_monitor *monitor)
{
    struct pro_channel *const channel = (struct pro_channel *)(void *)monitor;

    proi_free(channel->ring);
    pro_error_unref(channel->error);
    pro_error_unref(channel->closed);
    pro_task_unref(channel->completion);
}

static bool are_options_valid(const struct pro_channel_options *options)
{
    return !options || (options->full >= PRO_CHANNEL_WAIT && options->full <= PRO_CHANNEL_DROP_WRITE);
}

int pro_channel_new(struct pro_type type, const struct pro_channel_options *options, struct pro_channel **ret_channel)
{
    struct pro_channel *channel;

    if (!ret_channel || !type.size || !are_options_valid(options))
        return proi_misuse(PRO_E_INVALID, "pro_channel_new: ret_channel is NULL, the type has no size, or the mode is unknown");
    channel = proi_monitor_new(sizeof *channel, destroy_channel);
    if (!channel)
        return PRO_E_NO_MEMORY;
    channel->type = type;
    if (options)
        channel->options = *options;
    channel->completion = proi_task_new(&completion_class, 0, PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION, PRO_SITE_UNKNOWN);
    if (!channel->completion) {
        proi_monitor_unref(&channel->monitor);
        return PRO_E_NO_MEMORY;
    }
    if (!channel->options.allow_synchronous_continuations)
        proi_fetch_or(&channel->completion->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
    *ret_channel = channel;
    return PRO_OK;
}

void pro_channel_free(struct pro_channel *channel)
{
    if (!channel)
        return;
    for (size_t i = 0; channel->options.release && i < channel->count; i++)
        channel->options.release(slot(channel, i));
    end_completion(channel, pro_error_of(PRO_E_BROKEN_PROMISE));
    proi_monitor_close(&channel->monitor,
                       (struct proi_line *const[]){ &channel->readers, &channel->read_watchers, &channel->writers,
                                                    &channel->write_watchers },
                       4);
}

/* ---- the four things one may wait for ---- */

enum verdict { MUST_WAIT, SUCCEEDED, FAILED };
struct outcome {
    enum verdict verdict;
    bool value;              /* of those who watch */
    bool faults;             /* a cancellation error, too, is a fault */
    int limit;               /* the waiter's own, which struck; else PRO_OK */
    struct pro_error *error; /* a reference */
};

struct verb {
    struct proi_wait_kind kind;
    bool reads;
    /* Under the lock. @waiter NULL: a first look, before there is memory for a result. */
    struct outcome (*attempt)(struct pro_channel *channel, const void *item, struct proi_waiter *waiter, struct deeds *deeds);
};

static struct outcome fail(struct pro_error *error) { return (struct outcome){ .verdict = FAILED, .error = error }; }
static struct outcome end_by(int limit) { return (struct outcome){ .verdict = FAILED, .limit = limit }; }

static struct outcome attempt_read(struct pro_channel *channel, const void *item, struct proi_waiter *waiter, struct deeds *deeds)
{
    (void)item;
    if (!channel->count)
        return channel->is_completed ? fail(pro_error_ref(channel->closed)) : (struct outcome){ .verdict = MUST_WAIT };
    if (!waiter)
        return (struct outcome){ .verdict = MUST_WAIT };
    take(channel, proi_waiter_result(waiter), deeds);
    return (struct outcome){ .verdict = SUCCEEDED };
}

static struct outcome attempt_write(struct pro_channel *channel, const void *item, struct proi_waiter *waiter, struct deeds *deeds)
{
    const int code = put(channel, item, deeds);

    (void)waiter;
    if (code == PRO_E_CHANNEL_CLOSED)
        return fail(pro_error_ref(channel->closed));
    if (code == PRO_E_NO_MEMORY)
        return fail(pro_error_of(code));
    return (struct outcome){ .verdict = code == PRO_OK ? SUCCEEDED : MUST_WAIT };
}

/* What completion says to those who watch. */
static struct outcome watch_completed(const struct pro_channel *channel)
{
    if (!channel->is_completed)
        return (struct outcome){ .verdict = MUST_WAIT };
    if (!channel->error)
        return (struct outcome){ .verdict = SUCCEEDED, .value = false };
    return (struct outcome){ .verdict = FAILED, .error = pro_error_ref(channel->error), .faults = true };
}

static struct outcome attempt_watch_read(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                                         struct deeds *deeds)
{
    (void)item, (void)waiter, (void)deeds;
    return channel->count ? (struct outcome){ .verdict = SUCCEEDED, .value = true } : watch_completed(channel);
}

static struct outcome attempt_watch_write(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                                          struct deeds *deeds)
{
    (void)item, (void)waiter, (void)deeds;
    if (channel->is_completed || (is_full(channel) && channel->options.full == PRO_CHANNEL_WAIT))
        return watch_completed(channel);
    return (struct outcome){ .verdict = SUCCEEDED, .value = true };
}

static struct proi_line *line_of_readers(struct proi_monitor *monitor)
{
    return &((struct pro_channel *)(void *)monitor)->readers;
}
static struct proi_line *line_of_read_watchers(struct proi_monitor *monitor)
{
    return &((struct pro_channel *)(void *)monitor)->read_watchers;
}
static struct proi_line *line_of_writers(struct proi_monitor *monitor)
{
    return &((struct pro_channel *)(void *)monitor)->writers;
}
static struct proi_line *line_of_write_watchers(struct proi_monitor *monitor)
{
    return &((struct pro_channel *)(void *)monitor)->write_watchers;
}

static const struct verb read_verb = { .kind = { .task_class = { .name = "channel read", .destroy = proi_waiter_destroy },
                                                 .who = "pro_channel_read_async",
                                                 .line = line_of_readers },
                                       .reads = true,
                                       .attempt = attempt_read };
static const struct verb write_verb = { .kind = { .task_class = { .name = "channel write", .destroy = proi_waiter_destroy },
                                                  .who = "pro_channel_write_async",
                                                  .line = line_of_writers },
                                        .attempt = attempt_write };
static const struct verb watch_read_verb = { .kind = { .task_class = { .name = "channel wait to read", .destroy = proi_waiter_destroy },
                                                       .who = "pro_channel_wait_to_read_async",
                                                       .line = line_of_read_watchers },
                                             .reads = true,
                                             .attempt = attempt_watch_read };
static const struct verb watch_write_verb = { .kind = { .task_class = { .name = "channel wait to write", .destroy = proi_waiter_destroy },
                                                        .who = "pro_channel_wait_to_write_async",
                                                        .line = line_of_write_watchers },
                                              .attempt = attempt_watch_write };

/* Was it promised that nobody else stands there? */
static bool is_crowded(const struct pro_channel *channel, const struct verb *verb)
{
    if (verb->reads)
        return channel->options.single_reader && (channel->readers.first || channel->read_watchers.first);
    return channel->options.single_writer && (channel->writers.first || channel->write_watchers.first);
}

/* Does it if it can be done now; else, with @joins, @waiter stands in line when this returns MUST_WAIT. */
static struct outcome attempt(struct pro_channel *channel, const struct verb *verb, const void *item, struct proi_waiter *waiter,
                              bool joins)
{
    unsigned char small[SMALL];
    struct deeds deeds = { .lost_item = lost_memory(channel, small) };
    struct outcome outcome;
    bool crowded = false;

    if (!deeds.lost_item)
        return fail(pro_error_of(PRO_E_NO_MEMORY));
    proi_lock(&channel->monitor.lock);
    outcome = waiter && waiter->struck < 0 ? end_by(waiter->struck) : verb->attempt(channel, item, waiter, &deeds);
    if (outcome.verdict == MUST_WAIT && joins) {
        crowded = is_crowded(channel, verb);
        if (!crowded)
            proi_line_join(verb->kind.line(&channel->monitor), waiter);
    }
    proi_unlock(&channel->monitor.lock);
    follow_up(channel, &deeds);
    if (deeds.lost_item != small)
        proi_free(deeds.lost_item);
    if (crowded)
        return fail(pro_error_of(proi_misuse(PRO_E_STATE, "%s: the channel was promised one side alone, and another call pends there",
                                             verb->kind.who)));
    return outcome;
}

/* The task of an outcome that came before there was a waiter. */
static struct pro_task *task_of(struct outcome outcome, struct pro_type result)
{
    struct pro_task *task;

    if (outcome.verdict == SUCCEEDED)
        return result.size ? proi_task_of_bool(outcome.value) : pro_task_completed();
    if (outcome.faults || pro_error_code(outcome.error) != PRO_E_CANCELED)
        return pro_task_from_error(outcome.error);
    task = proi_task_new(&completion_class, 0, result, PRO_TASK_WAITING_FOR_ACTIVATION, PRO_SITE_UNKNOWN);
    if (!task) {
        pro_error_unref(outcome.error);
        return pro_task_no_memory();
    }
    task->error = outcome.error;
    proi_task_publish_private(task, PRO_TASK_CANCELED);
    return task;
}

/* Ends a waiter that never stood in line; its task stays the caller's. */
static struct pro_task *end_at_once(struct proi_waiter *waiter, struct outcome outcome)
{
    struct pro_task *const task = pro_task_ref(proi_waiter_task(waiter));

    if (outcome.limit < 0) {
        proi_waiter_end_by(waiter, outcome.limit);
        return task;
    }
    waiter->error = outcome.error;
    if (outcome.verdict == SUCCEEDED && waiter->kind != &read_verb.kind && waiter->kind != &write_verb.kind)
        *(bool *)proi_waiter_result(waiter) = outcome.value;
    proi_waiter_end(waiter);
    return task;
}

static struct pro_task *wait_in_line(struct pro_channel *channel, const struct verb *verb, const void *item, struct pro_type result,
                                     struct pro_how how)
{
    struct proi_waiter *const waiter =
        proi_waiter_new(&channel->monitor, &verb->kind, result, verb == &write_verb ? channel->type.size : 0,
                        channel->options.allow_synchronous_continuations, how);
    struct outcome outcome = { .verdict = MUST_WAIT };
    int code;

    if (!waiter)
        return pro_task_no_memory();
    if (verb == &read_verb)
        proi_waiter_task(waiter)->drop = channel->options.release;
    if (verb == &write_verb)
        memcpy(waiter->item, item, channel->type.size);
    if (proi_how_is_bounded(how)) { /* what is there needs no timer */
        outcome = attempt(channel, verb, item, waiter, false);
        if (outcome.verdict != MUST_WAIT)
            return end_at_once(waiter, outcome);
        if (proi_how_is_over(how))
            return end_at_once(waiter, end_by(PRO_E_TIMEOUT));
        code = proi_waiter_arm(waiter, how);
        if (code < 0)
            return end_at_once(waiter, end_by(code));
    }
    outcome = attempt(channel, verb, item, waiter, true);
    return outcome.verdict == MUST_WAIT ? proi_waiter_task(waiter) : end_at_once(waiter, outcome);
}

static struct pro_task *start(struct pro_channel *channel, const struct verb *verb, const void *item, struct pro_how how)
{
    struct pro_type result = PRO_TYPE(bool);
    struct outcome outcome;

    if (!channel || how.timeout_ns < 0)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "%s: the channel is NULL or the timeout negative", verb->kind.who)));
    if (pro_cancellation_token_is_canceled(how.token))
        return pro_task_from_canceled(how.token);
    if (verb == &read_verb)
        result = channel->type;
    else if (verb == &write_verb)
        result = PRO_NO_RESULT;
    outcome = attempt(channel, verb, item, NULL, false);
    return outcome.verdict == MUST_WAIT ? wait_in_line(channel, verb, item, result, how) : task_of(outcome, result);
}

struct pro_task *pro_channel_read_async(struct pro_channel *channel, struct pro_how how)
{
    return start(channel, &read_verb, NULL, how);
}

struct pro_task *pro_channel_wait_to_read_async(struct pro_channel *channel, struct pro_how how)
{
    return start(channel, &watch_read_verb, NULL, how);
}

struct pro_task *pro_channel_wait_to_write_async(struct pro_channel *channel, struct pro_how how)
{
    return start(channel, &watch_write_verb, NULL, how);
}

static int check_value(const struct pro_channel *channel, const void *item, struct pro_type type, const char *who)
{
    if (!channel || !item)
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    if (!proi_type_fits(channel->type, type))
        return proi_misuse(PRO_E_TYPE, "%s: the channel was made for another type", who);
    return PRO_OK;
}

struct pro_task *pro_channel_write_async(struct pro_channel *channel, const void *item, struct pro_type type, struct pro_how how)
{
    const int code = check_value(channel, item, type, "pro_channel_write_async");

    return code < 0 ? pro_task_from_error(pro_error_of(code)) : start(channel, &write_verb, item, how);
}

/* ---- what never waits ---- */

int pro_channel_try_write(struct pro_channel *channel, const void *item, struct pro_type type)
{
    unsigned char small[SMALL];
    struct deeds deeds = { .lost = false };
    int code = check_value(channel, item, type, "pro_channel_try_write");

    if (code < 0)
        return code;
    deeds.lost_item = lost_memory(channel, small);
    if (!deeds.lost_item)
        return PRO_E_NO_MEMORY;
    proi_lock(&channel->monitor.lock);
    code = put(channel, item, &deeds);
    proi_unlock(&channel->monitor.lock);
    follow_up(channel, &deeds);
    if (deeds.lost_item != small)
        proi_free(deeds.lost_item);
    return code == PRO_OK ? 1 : code == PRO_E_NO_MEMORY ? code : 0;
}

int pro_channel_try_read(struct pro_channel *channel, void *ret_item, struct pro_type type)
{
    struct deeds deeds = { .lost = false };
    const int code = check_value(channel, ret_item, type, "pro_channel_try_read");
    bool there;

    if (code < 0)
        return code;
    proi_lock(&channel->monitor.lock);
    there = channel->count > 0;
    if (there)
        take(channel, ret_item, &deeds);
    proi_unlock(&channel->monitor.lock);
    follow_up(channel, &deeds);
    return there;
}

int pro_channel_try_peek(struct pro_channel *channel, void *ret_item, struct pro_type type)
{
    const int code = check_value(channel, ret_item, type, "pro_channel_try_peek");
    bool there;

    if (code < 0)
        return code;
    proi_lock(&channel->monitor.lock);
    there = channel->count > 0;
    if (there)
        memcpy(ret_item, slot(channel, 0), channel->type.size);
    proi_unlock(&channel->monitor.lock);
    return there;
}

size_t pro_channel_count(struct pro_channel *channel)
{
    size_t count;

    if (!channel) {
        proi_misuse(PRO_E_INVALID, "pro_channel_count: the channel is NULL");
        return 0;
    }
    proi_lock(&channel->monitor.lock);
    count = channel->count;
    proi_unlock(&channel->monitor.lock);
    return count;
}

struct pro_task *pro_channel_completion(struct pro_channel *channel)
{
    if (!channel)
        return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_channel_completion: the channel is NULL")));
    return pro_task_ref(channel->completion);
}

/* ---- completing ---- */

static void fail_line(struct proi_line *line, struct pro_error *error, struct deeds *deeds)
{
    struct proi_waiter *waiter;

    while ((waiter = proi_line_move_first(line, &deeds->ended)))
        waiter->error = pro_error_ref(error);
}

int pro_channel_complete(struct pro_channel *channel, struct pro_error *error)
{
    struct deeds deeds = { .lost = false };
    struct pro_error *closed;
    bool first;

    if (!channel) {
        pro_error_unref(error);
        return proi_misuse(PRO_E_INVALID, "pro_channel_complete: the channel is NULL");
    }
    closed = pro_error_code(error) == PRO_E_CANCELED ? pro_error_ref(error)
                                                     : pro_error_caused_by(PRO_E_CHANNEL_CLOSED, PRO_SITE_UNKNOWN, error);
    proi_lock(&channel->monitor.lock);
    first = !channel->is_completed;
    if (first) {
        channel->is_completed = true;
        channel->error = error;
        channel->closed = closed;
        deeds.over = channel->count == 0;
        fail_line(&channel->readers, closed, &deeds);
        fail_line(&channel->writers, closed, &deeds);
        tell_watchers(&channel->read_watchers, false, error, &deeds);
        tell_watchers(&channel->write_watchers, false, error, &deeds);
    }
    proi_unlock(&channel->monitor.lock);
    if (!first) {
        pro_error_unref(closed);
        pro_error_unref(error);
        return PRO_E_CHANNEL_CLOSED;
    }
    follow_up(channel, &deeds);
    return PRO_OK;
}
