/* SPDX-License-Identifier: MIT */
/* The async mutex, and the async readers/writer lock with its preference for writers. */
#include "waiter.h"

#include <proact/async_lock.h>

/* ---- mutex ---- */

struct pro_async_mutex {
    struct proi_monitor monitor;
    bool locked;           /* under the lock */
    struct proi_line line; /* empty unless it is locked: an unlock hands over */
};

static struct pro_async_mutex *mutex_of(struct proi_monitor *monitor)
{
    return (struct pro_async_mutex *)(void *)monitor;
}

static bool take_mutex(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_mutex *const mutex = mutex_of(monitor);
    const bool taken = !mutex->locked;

    (void)granted;
    mutex->locked = true;
    return taken;
}

static struct proi_line *line_of_mutex(struct proi_monitor *monitor) { return &mutex_of(monitor)->line; }

static const struct proi_wait_kind mutex_kind = { .task_class = { .name = "mutex", .destroy = proi_waiter_destroy },
                                                  .who = "pro_async_mutex_lock_async",
                                                  .try_take = take_mutex,
                                                  .line = line_of_mutex };

static struct proi_monitor_home mutex_home = { .memory.size = sizeof(struct pro_async_mutex) };

int pro_async_mutex_new(struct pro_async_mutex **ret_mutex)
{
    struct pro_async_mutex *mutex;

    if (!ret_mutex)
        return proi_misuse(PRO_E_INVALID, "pro_async_mutex_new: ret_mutex is NULL");
    mutex = proi_monitor_new(&mutex_home);
    if (!mutex)
        return PRO_E_NO_MEMORY;
    *ret_mutex = mutex;
    return PRO_OK;
}

void pro_async_mutex_free(struct pro_async_mutex *mutex)
{
    if (mutex && !proi_monitor_is_open(mutex))
        proi_monitor_refuse(mutex, "pro_async_mutex_free");
    else if (mutex)
        proi_monitor_close(&mutex->monitor, (struct proi_line *const[]){ &mutex->line }, 1);
}

struct pro_task *pro_async_mutex_lock_async(struct pro_async_mutex *mutex, struct pro_how how)
{
    return proi_monitor_wait_async(mutex ? &mutex->monitor : NULL, &mutex_kind, how);
}

bool pro_async_mutex_try_lock(struct pro_async_mutex *mutex)
{
    if (proi_monitor_is_open(mutex))
        return proi_monitor_try_take(&mutex->monitor, &mutex_kind);
    proi_monitor_refuse(mutex, "pro_async_mutex_try_lock");
    return false;
}

int pro_async_mutex_unlock(struct pro_async_mutex *mutex)
{
    struct proi_line granted = { NULL, NULL };
    bool was_locked;

    if (!proi_monitor_is_open(mutex))
        return proi_monitor_refuse(mutex, "pro_async_mutex_unlock");
    proi_lock(&mutex->monitor.lock);
    was_locked = mutex->locked;
    mutex->locked = proi_line_move_first(&mutex->line, &granted) != NULL;
    proi_unlock(&mutex->monitor.lock);
    if (!was_locked)
        return proi_misuse(PRO_E_STATE, "pro_async_mutex_unlock: the mutex is not locked");
    proi_line_end(&granted);
    return PRO_OK;
}

/* ---- readers/writer lock ---- */

struct pro_async_rwlock {
    struct proi_monitor monitor;
    /* Under the lock. Readers stand in line only behind a writer, one that writes or one that waits. */
    size_t reading;
    bool writing;
    struct proi_line readers, writers;
};

static struct pro_async_rwlock *rwlock_of(struct proi_monitor *monitor)
{
    return (struct pro_async_rwlock *)(void *)monitor;
}

static bool take_to_read(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_rwlock *const lock = rwlock_of(monitor);

    (void)granted;
    if (lock->writing || lock->writers.first)
        return false;
    lock->reading++;
    return true;
}

static bool take_to_write(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_rwlock *const lock = rwlock_of(monitor);

    (void)granted;
    if (lock->writing || lock->reading)
        return false;
    lock->writing = true;
    return true;
}

static struct proi_line *line_of_readers(struct proi_monitor *monitor) { return &rwlock_of(monitor)->readers; }
static struct proi_line *line_of_writers(struct proi_monitor *monitor) { return &rwlock_of(monitor)->writers; }

/* Something has changed: the next writer if nobody is inside, else, with no writer about, all readers that wait. */
static void let_in(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_async_rwlock *const lock = rwlock_of(monitor);

    if (lock->writing)
        return;
    if (!lock->reading && proi_line_move_first(&lock->writers, granted)) {
        lock->writing = true;
        return;
    }
    while (!lock->writers.first && proi_line_move_first(&lock->readers, granted))
        lock->reading++;
}

static const struct proi_wait_kind read_kind = { .task_class = { .name = "read lock", .destroy = proi_waiter_destroy },
                                                 .who = "pro_async_rwlock_read_async",
                                                 .try_take = take_to_read,
                                                 .line = line_of_readers };
/* A writer that gives up may have been what the readers behind it waited for. */
static const struct proi_wait_kind write_kind = { .task_class = { .name = "write lock",
                                                                  .destroy = proi_waiter_destroy },
                                                  .who = "pro_async_rwlock_write_async",
                                                  .try_take = take_to_write,
                                                  .line = line_of_writers,
                                                  .left = let_in };

static struct proi_monitor_home lock_home = { .memory.size = sizeof(struct pro_async_rwlock) };

int pro_async_rwlock_new(struct pro_async_rwlock **ret_lock)
{
    struct pro_async_rwlock *lock;

    if (!ret_lock)
        return proi_misuse(PRO_E_INVALID, "pro_async_rwlock_new: ret_lock is NULL");
    lock = proi_monitor_new(&lock_home);
    if (!lock)
        return PRO_E_NO_MEMORY;
    *ret_lock = lock;
    return PRO_OK;
}

void pro_async_rwlock_free(struct pro_async_rwlock *lock)
{
    if (lock && !proi_monitor_is_open(lock))
        proi_monitor_refuse(lock, "pro_async_rwlock_free");
    else if (lock)
        proi_monitor_close(&lock->monitor, (struct proi_line *const[]){ &lock->writers, &lock->readers }, 2);
}

struct pro_task *pro_async_rwlock_read_async(struct pro_async_rwlock *lock, struct pro_how how)
{
    return proi_monitor_wait_async(lock ? &lock->monitor : NULL, &read_kind, how);
}

struct pro_task *pro_async_rwlock_write_async(struct pro_async_rwlock *lock, struct pro_how how)
{
    return proi_monitor_wait_async(lock ? &lock->monitor : NULL, &write_kind, how);
}

int pro_async_rwlock_read_unlock(struct pro_async_rwlock *lock)
{
    struct proi_line granted = { NULL, NULL };
    bool was_reading;

    if (!proi_monitor_is_open(lock))
        return proi_monitor_refuse(lock, "pro_async_rwlock_read_unlock");
    proi_lock(&lock->monitor.lock);
    was_reading = lock->reading > 0;
    if (was_reading) {
        lock->reading--;
        let_in(&lock->monitor, &granted);
    }
    proi_unlock(&lock->monitor.lock);
    if (!was_reading)
        return proi_misuse(PRO_E_STATE, "pro_async_rwlock_read_unlock: nobody has it to read");
    proi_line_end(&granted);
    return PRO_OK;
}

int pro_async_rwlock_write_unlock(struct pro_async_rwlock *lock)
{
    struct proi_line granted = { NULL, NULL };
    bool was_writing;

    if (!proi_monitor_is_open(lock))
        return proi_monitor_refuse(lock, "pro_async_rwlock_write_unlock");
    proi_lock(&lock->monitor.lock);
    was_writing = lock->writing;
    if (was_writing) {
        lock->writing = false;
        let_in(&lock->monitor, &granted);
    }
    proi_unlock(&lock->monitor.lock);
    if (!was_writing)
        return proi_misuse(PRO_E_STATE, "pro_async_rwlock_write_unlock: nobody has it to write");
    proi_line_end(&granted);
    return PRO_OK;
}
