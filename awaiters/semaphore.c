/* SPDX-License-Identifier: MIT */
/* SemaphoreSlim: a count handed from hand to hand, to blocked threads first. */
#include "waiter.h"

#include <proact/semaphore.h>

/* While somebody stands in line the count is 0: a release hands over directly. */
struct pro_semaphore {
    struct proi_monitor monitor;
    int count, maximum; /* shared: count is written under the lock */
    struct proi_line threads, tasks;
};

static struct pro_semaphore *of(struct proi_monitor *monitor) { return (struct pro_semaphore *)(void *)monitor; }
static struct proi_monitor *monitor_of(struct pro_semaphore *semaphore)
{
    return semaphore ? &semaphore->monitor : NULL;
}

static bool try_take(struct proi_monitor *monitor, struct proi_line *granted)
{
    struct pro_semaphore *const semaphore = of(monitor);

    (void)granted;
    if (!semaphore->count)
        return false;
    proi_store(&semaphore->count, semaphore->count - 1, PROI_RELAXED);
    return true;
}

static struct proi_line *line_of_threads(struct proi_monitor *monitor) { return &of(monitor)->threads; }
static struct proi_line *line_of_tasks(struct proi_monitor *monitor) { return &of(monitor)->tasks; }

static const struct proi_wait_kind by_task = { .task_class = { .name = "semaphore", .destroy = proi_waiter_destroy },
                                               .who = "pro_semaphore_wait_async",
                                               .tells = true,
                                               .try_take = try_take,
                                               .line = line_of_tasks };
static const struct proi_wait_kind by_thread = { .task_class = { .name = "semaphore", .destroy = proi_waiter_destroy },
                                                 .who = "pro_semaphore_wait",
                                                 .try_take = try_take,
                                                 .line = line_of_threads };

static struct proi_monitor_home semaphore_home = { .memory.size = sizeof(struct pro_semaphore) };

int pro_semaphore_new(int initial, int maximum, struct pro_semaphore **ret_semaphore)
{
    struct pro_semaphore *semaphore;

    if (!ret_semaphore || initial < 0 || maximum < 1 || initial > maximum)
        return proi_misuse(PRO_E_INVALID, "pro_semaphore_new: %d of at most %d is no count, or ret_semaphore is NULL",
                           initial, maximum);
    semaphore = proi_monitor_new(&semaphore_home);
    if (!semaphore)
        return PRO_E_NO_MEMORY;
    proi_store(&semaphore->count, initial, PROI_RELAXED);
    semaphore->maximum = maximum;
    *ret_semaphore = semaphore;
    return PRO_OK;
}

void pro_semaphore_free(struct pro_semaphore *semaphore)
{
    if (semaphore && !proi_monitor_is_open(semaphore))
        proi_monitor_refuse(semaphore, "pro_semaphore_free");
    else if (semaphore)
        proi_monitor_close(&semaphore->monitor, (struct proi_line *const[]){ &semaphore->threads, &semaphore->tasks },
                           2);
}

struct pro_task *pro_semaphore_wait_async(struct pro_semaphore *semaphore, struct pro_how how)
{
    return proi_monitor_wait_async(monitor_of(semaphore), &by_task, how);
}

int pro_semaphore_wait(struct pro_semaphore *semaphore, struct pro_how how, struct pro_site site)
{
    return proi_monitor_wait(monitor_of(semaphore), &by_thread, how, site);
}

bool pro_semaphore_try_wait(struct pro_semaphore *semaphore)
{
    if (proi_monitor_is_open(semaphore))
        return proi_monitor_try_take(&semaphore->monitor, &by_thread);
    proi_monitor_refuse(semaphore, "pro_semaphore_try_wait");
    return false;
}

int pro_semaphore_release(struct pro_semaphore *semaphore, int count)
{
    struct proi_line granted = { NULL, NULL };
    int previous, left;

    if (!semaphore || count < 1)
        return proi_misuse(PRO_E_INVALID, "pro_semaphore_release: the semaphore is NULL or the count below 1");
    if (!proi_monitor_is_open(semaphore))
        return proi_monitor_refuse(semaphore, "pro_semaphore_release");
    proi_lock(&semaphore->monitor.lock);
    previous = semaphore->count;
    if (semaphore->maximum - previous < count) {
        proi_unlock(&semaphore->monitor.lock);
        return PRO_E_FULL;
    }
    left = previous + count;
    while (left &&
           (proi_line_move_first(&semaphore->threads, &granted) || proi_line_move_first(&semaphore->tasks, &granted)))
        left--;
    proi_store(&semaphore->count, left, PROI_RELAXED);
    proi_unlock(&semaphore->monitor.lock);
    proi_line_end(&granted);
    return previous;
}

int pro_semaphore_count(const struct pro_semaphore *semaphore)
{
    if (!proi_monitor_is_open(semaphore))
        return proi_monitor_refuse(semaphore, "pro_semaphore_count");
    return proi_load(&semaphore->count, PROI_RELAXED);
}
