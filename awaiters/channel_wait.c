/* SPDX-License-Identifier: MIT */
/* The four things one may wait for at a channel: an item, room, and to be told of either. */
#include "channel.h"

#include <string.h>

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
    struct outcome (*attempt)(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                              struct proi_channel_deeds *deeds);
};

static const struct proi_task_class ended_class = { .name = "channel call" };

static struct outcome fail(struct pro_error *error) { return (struct outcome){ .verdict = FAILED, .error = error }; }
static struct outcome end_by(int limit) { return (struct outcome){ .verdict = FAILED, .limit = limit }; }

static struct outcome attempt_read(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                                   struct proi_channel_deeds *deeds)
{
    (void)item;
    if (!channel->count)
        return channel->is_completed ? fail(pro_error_ref(channel->closed)) : (struct outcome){ .verdict = MUST_WAIT };
    if (!waiter)
        return (struct outcome){ .verdict = MUST_WAIT };
    proi_channel_take(channel, proi_waiter_result(waiter), deeds);
    return (struct outcome){ .verdict = SUCCEEDED };
}

static struct outcome attempt_write(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                                    struct proi_channel_deeds *deeds)
{
    const int code = proi_channel_put(channel, item, deeds);

    (void)waiter;
    if (code == PRO_E_CHANNEL_CLOSED) /* of a channel closed by a cancellation reads are cancelled, writes fail */
        return (struct outcome){ .verdict = FAILED, .error = pro_error_ref(channel->closed), .faults = true };
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
                                         struct proi_channel_deeds *deeds)
{
    (void)item, (void)waiter, (void)deeds;
    return channel->count ? (struct outcome){ .verdict = SUCCEEDED, .value = true } : watch_completed(channel);
}

static struct outcome attempt_watch_write(struct pro_channel *channel, const void *item, struct proi_waiter *waiter,
                                          struct proi_channel_deeds *deeds)
{
    (void)item, (void)waiter, (void)deeds;
    if (channel->is_completed || (proi_channel_is_full(channel) && channel->options.full == PRO_CHANNEL_WAIT))
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

static const struct verb read_verb = { .kind = { .task_class = { .name = "channel read",
                                                                 .destroy = proi_waiter_destroy },
                                                 .who = "pro_channel_read_async",
                                                 .line = line_of_readers },
                                       .reads = true,
                                       .attempt = attempt_read };
static const struct verb write_verb = { .kind = { .task_class = { .name = "channel write",
                                                                  .destroy = proi_waiter_destroy },
                                                  .who = "pro_channel_write_async",
                                                  .line = line_of_writers },
                                        .attempt = attempt_write };
static const struct verb watch_read_verb = { .kind = { .task_class = { .name = "channel wait to read",
                                                                       .destroy = proi_waiter_destroy },
                                                       .who = "pro_channel_wait_to_read_async",
                                                       .line = line_of_read_watchers },
                                             .reads = true,
                                             .attempt = attempt_watch_read };
static const struct verb watch_write_verb = { .kind = { .task_class = { .name = "channel wait to write",
                                                                        .destroy = proi_waiter_destroy },
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
static struct outcome attempt(struct pro_channel *channel, const struct verb *verb, const void *item,
                              struct proi_waiter *waiter, bool joins)
{
    _Alignas(max_align_t) unsigned char small[PROI_CHANNEL_SMALL]; /* callbacks see a value there */
    struct proi_channel_deeds deeds = { .lost_item = proi_channel_lost_memory(channel, small) };
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
    proi_channel_follow_up(channel, &deeds);
    if (deeds.lost_item != small)
        proi_free(deeds.lost_item);
    if (crowded)
        return fail(pro_error_of(proi_misuse(
            PRO_E_STATE, "%s: the channel was promised one side alone, and another call pends there", verb->kind.who)));
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
    task = proi_task_new(&ended_class, 0, result, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task) {
        pro_error_unref(outcome.error);
        return pro_task_no_memory();
    }
    proi_task_set_error(task, outcome.error);
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

static struct pro_task *wait_in_line(struct pro_channel *channel, const struct verb *verb, const void *item,
                                     struct pro_type result, struct pro_how how)
{
    struct proi_waiter *const waiter =
        proi_waiter_new(&channel->monitor, &verb->kind, result, verb == &write_verb ? channel->type.size : 0,
                        verb->reads && channel->options.allow_synchronous_continuations, how);
    struct outcome outcome = { .verdict = MUST_WAIT };
    int code;

    if (!waiter)
        return pro_task_no_memory();
    if (verb == &read_verb)
        proi_task_own(proi_waiter_task(waiter), channel->options.release);
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

static struct pro_task *start(struct pro_channel *channel, const struct verb *verb, const void *item,
                              struct pro_how how)
{
    struct pro_type result = PRO_TYPE(bool);
    struct outcome outcome;

    if (how.timeout_ns < 0)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "%s: the timeout is negative", verb->kind.who)));
    if (!proi_monitor_is_open(channel))
        return pro_task_from_error(pro_error_of(proi_monitor_refuse(channel, verb->kind.who)));
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

struct pro_task *pro_channel_write_async(struct pro_channel *channel, const void *item, struct pro_type type,
                                         struct pro_how how)
{
    const int code = proi_channel_check(channel, item, type, "pro_channel_write_async");

    return code < 0 ? pro_task_from_error(pro_error_of(code)) : start(channel, &write_verb, item, how);
}
