/* SPDX-License-Identifier: MIT */
/* Channels: the ring of values, one write, one read, completing. Waiting for them is in channel_wait.c. */
#include "channel.h"

#include <string.h>

enum { FIRST_ROOM = 16 };

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

static void tell_watchers(struct proi_line *watchers, bool value, struct pro_error *error,
                          struct proi_channel_deeds *deeds)
{
    struct proi_waiter *waiter;

    while ((waiter = proi_line_move_first(watchers, &deeds->ended))) {
        waiter->error = pro_error_ref(error);
        *(bool *)proi_waiter_result(waiter) = value;
    }
}

bool proi_channel_is_full(const struct pro_channel *channel)
{
    return channel->options.capacity && channel->count >= channel->options.capacity;
}

static void lose(struct proi_channel_deeds *deeds, const void *item, size_t size)
{
    memcpy(deeds->lost_item, item, size);
    deeds->lost = true;
}

/* A full channel of a mode that drops: true when the new item goes, too. */
static bool make_room(struct pro_channel *channel, const void *item, struct proi_channel_deeds *deeds)
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
int proi_channel_put(struct pro_channel *channel, const void *item, struct proi_channel_deeds *deeds)
{
    struct proi_waiter *reader;

    if (channel->is_completed)
        return PRO_E_CHANNEL_CLOSED;
    reader = proi_line_move_first(&channel->readers, &deeds->ended);
    if (reader) {
        memcpy(proi_waiter_result(reader), item, channel->type.size);
        return PRO_OK;
    }
    if (proi_channel_is_full(channel)) {
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

/* There is an item. The room it leaves is the longest waiting writer's; if there is none, whoever's who only waits for
 * room. */
void proi_channel_take(struct pro_channel *channel, void *ret_item, struct proi_channel_deeds *deeds)
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
void proi_channel_follow_up(struct pro_channel *channel, struct proi_channel_deeds *deeds)
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
void *proi_channel_lost_memory(const struct pro_channel *channel, unsigned char *small)
{
    const bool drops = channel->options.capacity && channel->options.full != PRO_CHANNEL_WAIT;

    return !drops || channel->type.size <= PROI_CHANNEL_SMALL ? small : proi_alloc(channel->type.size);
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

static struct proi_monitor_home channel_home = { .memory.size = sizeof(struct pro_channel),
                                                 .destroy = destroy_channel };

static bool are_options_valid(const struct pro_channel_options *options)
{
    return !options || (options->full >= PRO_CHANNEL_WAIT && options->full <= PRO_CHANNEL_DROP_WRITE);
}

int pro_channel_new(struct pro_type type, const struct pro_channel_options *options, struct pro_channel **ret_channel)
{
    struct pro_channel *channel;

    if (!ret_channel || !type.size || !are_options_valid(options))
        return proi_misuse(PRO_E_INVALID,
                           "pro_channel_new: ret_channel is NULL, the type has no size, or the mode is unknown");
    channel = proi_monitor_new(&channel_home);
    if (!channel)
        return PRO_E_NO_MEMORY;
    channel->type = type;
    if (options)
        channel->options = *options;
    channel->completion =
        proi_task_new(&completion_class, 0, PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION);
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
    if (!proi_monitor_is_open(channel)) {
        proi_monitor_refuse(channel, "pro_channel_free");
        return;
    }
    for (size_t i = 0; channel->options.release && i < channel->count; i++)
        channel->options.release(slot(channel, i));
    end_completion(channel, pro_error_of(PRO_E_BROKEN_PROMISE));
    proi_monitor_close(&channel->monitor,
                       (struct proi_line *const[]){ &channel->readers, &channel->read_watchers, &channel->writers,
                                                    &channel->write_watchers },
                       4);
}

/* ---- what never waits ---- */

int proi_channel_check(const struct pro_channel *channel, const void *item, struct pro_type type, const char *who)
{
    if (!channel || !item)
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    if (!proi_monitor_is_open(channel))
        return proi_monitor_refuse(channel, who);
    if (!proi_type_fits(channel->type, type))
        return proi_misuse(PRO_E_TYPE, "%s: the channel was made for another type", who);
    return PRO_OK;
}

int pro_channel_try_write(struct pro_channel *channel, const void *item, struct pro_type type)
{
    _Alignas(max_align_t) unsigned char small[PROI_CHANNEL_SMALL]; /* callbacks see a value there */
    struct proi_channel_deeds deeds = { .lost = false };
    int code = proi_channel_check(channel, item, type, "pro_channel_try_write");

    if (code < 0)
        return code;
    deeds.lost_item = proi_channel_lost_memory(channel, small);
    if (!deeds.lost_item)
        return PRO_E_NO_MEMORY;
    proi_lock(&channel->monitor.lock);
    code = proi_channel_put(channel, item, &deeds);
    proi_unlock(&channel->monitor.lock);
    proi_channel_follow_up(channel, &deeds);
    if (deeds.lost_item != small)
        proi_free(deeds.lost_item);
    return code == PRO_OK ? 1 : code == PRO_E_NO_MEMORY ? code : 0;
}

int pro_channel_try_read(struct pro_channel *channel, void *ret_item, struct pro_type type)
{
    struct proi_channel_deeds deeds = { .lost = false };
    const int code = proi_channel_check(channel, ret_item, type, "pro_channel_try_read");
    bool there;

    if (code < 0)
        return code;
    proi_lock(&channel->monitor.lock);
    there = channel->count > 0;
    if (there)
        proi_channel_take(channel, ret_item, &deeds);
    proi_unlock(&channel->monitor.lock);
    proi_channel_follow_up(channel, &deeds);
    return there;
}

int pro_channel_try_peek(struct pro_channel *channel, void *ret_item, struct pro_type type)
{
    const int code = proi_channel_check(channel, ret_item, type, "pro_channel_try_peek");
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
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_channel_completion: the channel is NULL")));
    return pro_task_ref(channel->completion);
}

/* ---- completing ---- */

static void fail_line(struct proi_line *line, struct pro_error *error, struct proi_channel_deeds *deeds)
{
    struct proi_waiter *waiter;

    while ((waiter = proi_line_move_first(line, &deeds->ended)))
        waiter->error = pro_error_ref(error);
}

int pro_channel_complete(struct pro_channel *channel, struct pro_error *error)
{
    struct proi_channel_deeds deeds = { .lost = false };
    struct pro_error *closed;
    bool first;

    if (!proi_monitor_is_open(channel)) {
        pro_error_unref(error);
        return proi_monitor_refuse(channel, "pro_channel_complete");
    }
    closed = pro_error_code(error) == PRO_E_CANCELED
                 ? pro_error_ref(error)
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
    proi_channel_follow_up(channel, &deeds);
    return PRO_OK;
}
