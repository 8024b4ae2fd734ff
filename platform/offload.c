/* SPDX-License-Identifier: MIT */
/* The backends' few threads for blocking system calls. One is started when work finds none idle, and ends after a while
   without work. */
#include "offload.h"

static const int64_t idle_limit_ns = PRO_S(10);

static struct proi_mutex lock;
static struct proi_condition work_came;
static struct proi_condition none_starts;
static struct { /* under the lock */
    struct proi_offload *head, *tail;
    unsigned queued, idle, threads, starting; /* threads: with those that are starting */
    bool told;                                /* that work runs inside the call; once until a thread starts again */
} pool;

static struct proi_offload *take(void)
{
    struct proi_offload *item = pool.head;

    if (item) {
        pool.head = item->next;
        if (!pool.head)
            pool.tail = NULL;
        pool.queued--;
    }
    return item;
}

static void put(struct proi_offload *item)
{
    item->next = NULL;
    if (pool.tail)
        pool.tail->next = item;
    else
        pool.head = item;
    pool.tail = item;
    pool.queued++;
}

/* Runs what is queued; the lock is held before and after, not meanwhile. */
static void run_queued(void)
{
    struct proi_offload *item;

    while ((item = take()) != NULL) {
        proi_unlock(&lock);
        item->run(item);
        proi_lock(&lock);
    }
}

/* Under the lock. */
static void start_over(void)
{
    if (--pool.starting == 0)
        proi_condition_broadcast(&none_starts);
}

static void thread_main(void *arg)
{
    bool in_time = true;

    (void)arg;
    proi_lock(&lock);
    start_over();
    pool.told = false;
    while (in_time || pool.queued) {
        run_queued();
        pool.idle++;
        in_time = proi_condition_wait(&work_came, &lock, idle_limit_ns);
        pool.idle--;
    }
    pool.threads--; /* with the queue seen empty under the same lock: the next item starts another thread */
    proi_unlock(&lock);
}

/* No thread was started for the place that was counted. If that was the last one, nobody but us would ever run the
   queue: ours, and what others put while we tried. */
static void run_inside(void)
{
    bool tell = false;

    proi_lock(&lock);
    start_over();
    if (--pool.threads == 0) {
        tell = !pool.told;
        pool.told = true;
        if (tell) {
            proi_unlock(&lock);
            proi_notice("no thread can be started for blocking file calls: they run on the loop's thread from now on");
            proi_lock(&lock);
        }
        run_queued();
    }
    proi_unlock(&lock);
}

void proi_offload(struct proi_offload *item)
{
    bool start;

    proi_lock(&lock);
    put(item);
    start = pool.queued > pool.idle && pool.threads < PROI_OFFLOAD_THREADS;
    if (start) {
        pool.threads++;
        pool.starting++;
    }
    proi_unlock(&lock);
    proi_condition_signal(&work_came);
    if (start && proi_thread_start(NULL, "proact-io", thread_main, NULL, 0) != PRO_OK)
        run_inside();
}

void proi_offload_settle(void)
{
    proi_lock(&lock);
    while (pool.starting)
        proi_condition_wait(&none_starts, &lock, PRO_INFINITE);
    proi_unlock(&lock);
}

unsigned proi_offload_starting(void)
{
    unsigned starting;

    proi_lock(&lock);
    starting = pool.starting;
    proi_unlock(&lock);
    return starting;
}
