/* SPDX-License-Identifier: MIT */
/* Where async methods meet: the event, the barrier, the countdown. */
#include "waiter.h"

#include <proact/async_lock.h>

/* ---- event ---- */

struct pro_async_event {
    struct proi_monitor monitor;
    bool automatic;
    bool set;              /* shared: written under the lock */
    struct proi_line line; /* empty while it is set */
};

static struct pro_async_event *event_of(struct proi_monitor *monitor)
{
    return (struct pro_async_event *)(void *)monitor;
}

static bool take_event(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_event *const event = event_of(monitor);
    const bool taken = event->set;

    (void)granted;
    if (taken && event->automatic)
        proi_store(&event->set, false, PROI_RELAXED);
    return taken;
}

static struct proi_line *line_of_event(struct proi_monitor *monitor) { return &event_of(monitor)->line; }

static const struct proi_wait_kind event_kind = { .task_class = { .name = "event", .destroy = proi_waiter_destroy },
                                                  .who = "pro_async_event_wait_async",
                                                  .try_take = take_event,
                                                  .line = line_of_event };

static struct proi_monitor_home event_home = { .memory.size = sizeof(struct pro_async_event) };

int pro_async_event_new(enum pro_event_reset reset, bool set, struct pro_async_event **ret_event)
{
    struct pro_async_event *event;

    if (!ret_event || (reset != PRO_EVENT_MANUAL && reset != PRO_EVENT_AUTO))
        return proi_misuse(PRO_E_INVALID, "pro_async_event_new: ret_event is NULL or the way to reset unknown");
    event = proi_monitor_new(&event_home);
    if (!event)
        return PRO_E_NO_MEMORY;
    event->automatic = reset == PRO_EVENT_AUTO;
    proi_store(&event->set, set, PROI_RELAXED);
    *ret_event = event;
    return PRO_OK;
}

void pro_async_event_free(struct pro_async_event *event)
{
    if (event && !proi_monitor_is_open(event))
        proi_monitor_refuse(event, "pro_async_event_free");
    else if (event)
        proi_monitor_close(&event->monitor, (struct proi_line *const[]){ &event->line }, 1);
}

int pro_async_event_set(struct pro_async_event *event)
{
    struct proi_line granted = { NULL, NULL };

    if (!proi_monitor_is_open(event))
        return proi_monitor_refuse(event, "pro_async_event_set");
    proi_lock(&event->monitor.lock);
    if (event->automatic) {
        if (!proi_line_move_first(&event->line, &granted))
            proi_store(&event->set, true, PROI_RELAXED);
    } else {
        proi_store(&event->set, true, PROI_RELAXED);
        proi_line_move_all(&event->line, &granted);
    }
    proi_unlock(&event->monitor.lock);
    proi_line_end(&granted);
    return PRO_OK;
}

int pro_async_event_reset(struct pro_async_event *event)
{
    if (!proi_monitor_is_open(event))
        return proi_monitor_refuse(event, "pro_async_event_reset");
    proi_lock(&event->monitor.lock);
    proi_store(&event->set, false, PROI_RELAXED);
    proi_unlock(&event->monitor.lock);
    return PRO_OK;
}

bool pro_async_event_is_set(const struct pro_async_event *event)
{
    if (proi_monitor_is_open(event))
        return proi_load(&event->set, PROI_RELAXED);
    proi_monitor_refuse(event, "pro_async_event_is_set");
    return false;
}

struct pro_task *pro_async_event_wait_async(struct pro_async_event *event, struct pro_how how)
{
    return proi_monitor_wait_async(event ? &event->monitor : NULL, &event_kind, how);
}

/* ---- barrier ---- */

struct pro_async_barrier {
    struct proi_monitor monitor;
    int participants;
    int remaining;  /* shared: written under the lock; participants less those in line */
    uint64_t phase; /* shared: written under the lock */
    struct proi_line line;
};

static struct pro_async_barrier *barrier_of(struct proi_monitor *monitor)
{
    return (struct pro_async_barrier *)(void *)monitor;
}

/* Only the last one takes: it ends the phase. The others join, which counts them. */
static bool end_phase(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_barrier *const barrier = barrier_of(monitor);

    if (barrier->remaining > 1)
        return false;
    proi_store(&barrier->remaining, barrier->participants, PROI_RELAXED);
    proi_store(&barrier->phase, barrier->phase + 1, PROI_RELAXED);
    proi_line_move_all(&barrier->line, granted);
    return true;
}

static struct proi_line *line_of_barrier(struct proi_monitor *monitor) { return &barrier_of(monitor)->line; }

static void participant_joined(struct proi_monitor *monitor)
{
    struct pro_async_barrier *const barrier = barrier_of(monitor);

    proi_store(&barrier->remaining, barrier->remaining - 1, PROI_RELAXED);
}

static void participant_left(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_barrier *const barrier = barrier_of(monitor);

    (void)granted;
    proi_store(&barrier->remaining, barrier->remaining + 1, PROI_RELAXED);
}

static const struct proi_wait_kind barrier_kind = { .task_class = { .name = "barrier", .destroy = proi_waiter_destroy },
                                                    .who = "pro_async_barrier_signal_and_wait_async",
                                                    .try_take = end_phase,
                                                    .line = line_of_barrier,
                                                    .joined = participant_joined,
                                                    .left = participant_left };

static struct proi_monitor_home barrier_home = { .memory.size = sizeof(struct pro_async_barrier) };

int pro_async_barrier_new(int participants, struct pro_async_barrier **ret_barrier)
{
    struct pro_async_barrier *barrier;

    if (!ret_barrier || participants < 1)
        return proi_misuse(PRO_E_INVALID, "pro_async_barrier_new: ret_barrier is NULL or there are no participants");
    barrier = proi_monitor_new(&barrier_home);
    if (!barrier)
        return PRO_E_NO_MEMORY;
    barrier->participants = participants;
    proi_store(&barrier->remaining, participants, PROI_RELAXED);
    *ret_barrier = barrier;
    return PRO_OK;
}

void pro_async_barrier_free(struct pro_async_barrier *barrier)
{
    if (barrier && !proi_monitor_is_open(barrier))
        proi_monitor_refuse(barrier, "pro_async_barrier_free");
    else if (barrier)
        proi_monitor_close(&barrier->monitor, (struct proi_line *const[]){ &barrier->line }, 1);
}

struct pro_task *pro_async_barrier_signal_and_wait_async(struct pro_async_barrier *barrier, struct pro_how how)
{
    return proi_monitor_wait_async(barrier ? &barrier->monitor : NULL, &barrier_kind, how);
}

uint64_t pro_async_barrier_phase(const struct pro_async_barrier *barrier)
{
    if (proi_monitor_is_open(barrier))
        return proi_load(&barrier->phase, PROI_RELAXED);
    proi_monitor_refuse(barrier, "pro_async_barrier_phase");
    return 0;
}

int pro_async_barrier_remaining(const struct pro_async_barrier *barrier)
{
    if (!proi_monitor_is_open(barrier))
        return proi_monitor_refuse(barrier, "pro_async_barrier_remaining");
    return proi_load(&barrier->remaining, PROI_RELAXED);
}

/* ---- countdown ---- */

struct pro_countdown {
    struct proi_monitor monitor;
    int count;             /* shared: written under the lock */
    struct proi_line line; /* empty when the count is 0 */
};

static struct pro_countdown *countdown_of(struct proi_monitor *monitor)
{
    return (struct pro_countdown *)(void *)monitor;
}

static bool is_over(struct proi_monitor *monitor, struct proi_line *granted)
{
    (void)granted;
    return countdown_of(monitor)->count == 0;
}

static struct proi_line *line_of_countdown(struct proi_monitor *monitor) { return &countdown_of(monitor)->line; }

static const struct proi_wait_kind countdown_kind = { .task_class = { .name = "countdown",
                                                                      .destroy = proi_waiter_destroy },
                                                      .who = "pro_countdown_wait",
                                                      .try_take = is_over,
                                                      .line = line_of_countdown };

static struct proi_monitor_home countdown_home = { .memory.size = sizeof(struct pro_countdown) };

int pro_countdown_new(int count, struct pro_countdown **ret_countdown)
{
    struct pro_countdown *countdown;

    if (!ret_countdown || count < 0)
        return proi_misuse(PRO_E_INVALID, "pro_countdown_new: ret_countdown is NULL or the count negative");
    countdown = proi_monitor_new(&countdown_home);
    if (!countdown)
        return PRO_E_NO_MEMORY;
    proi_store(&countdown->count, count, PROI_RELAXED);
    *ret_countdown = countdown;
    return PRO_OK;
}

void pro_countdown_free(struct pro_countdown *countdown)
{
    if (countdown && !proi_monitor_is_open(countdown))
        proi_monitor_refuse(countdown, "pro_countdown_free");
    else if (countdown)
        proi_monitor_close(&countdown->monitor, (struct proi_line *const[]){ &countdown->line }, 1);
}

int pro_countdown_signal(struct pro_countdown *countdown, int count)
{
    struct proi_line granted = { NULL, NULL };
    int left;

    if (!countdown || count < 1)
        return proi_misuse(PRO_E_INVALID, "pro_countdown_signal: the countdown is NULL or the count below 1");
    if (!proi_monitor_is_open(countdown))
        return proi_monitor_refuse(countdown, "pro_countdown_signal");
    proi_lock(&countdown->monitor.lock);
    left = countdown->count - count;
    if (left >= 0)
        proi_store(&countdown->count, left, PROI_RELAXED);
    if (left == 0)
        proi_line_move_all(&countdown->line, &granted);
    proi_unlock(&countdown->monitor.lock);
    if (left < 0)
        return proi_misuse(PRO_E_STATE, "pro_countdown_signal: there are not %d left to count down", count);
    proi_line_end(&granted);
    return left == 0;
}

int pro_countdown_add(struct pro_countdown *countdown, int count)
{
    bool added;

    if (!countdown || count < 1)
        return proi_misuse(PRO_E_INVALID, "pro_countdown_add: the countdown is NULL or the count below 1");
    if (!proi_monitor_is_open(countdown))
        return proi_monitor_refuse(countdown, "pro_countdown_add");
    proi_lock(&countdown->monitor.lock);
    added = countdown->count > 0 && count <= INT32_MAX - countdown->count;
    if (added)
        proi_store(&countdown->count, countdown->count + count, PROI_RELAXED);
    proi_unlock(&countdown->monitor.lock);
    return added ? PRO_OK : PRO_E_STATE;
}

int pro_countdown_count(const struct pro_countdown *countdown)
{
    if (!proi_monitor_is_open(countdown))
        return proi_monitor_refuse(countdown, "pro_countdown_count");
    return proi_load(&countdown->count, PROI_RELAXED);
}

struct pro_task *pro_countdown_wait_async(struct pro_countdown *countdown, struct pro_how how)
{
    return proi_monitor_wait_async(countdown ? &countdown->monitor : NULL, &countdown_kind, how);
}

int pro_countdown_wait(struct pro_countdown *countdown, struct pro_how how, struct pro_site site)
{
    return proi_monitor_wait(countdown ? &countdown->monitor : NULL, &countdown_kind, how, site);
}
