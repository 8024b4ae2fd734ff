/* SPDX-License-Identifier: MIT */
/* What it costs to hand work to a loop on another thread.
 *
 *     post pingpong SECONDS          two loops bounce one item: rtt_ns, cpu_ns_per_rtt
 *     post flood PRODUCERS SECONDS   producers post items to one loop: posts_per_s, cpu_ns_per_post
 *
 * The first loop is on CPU 0, the other threads are on CPU 1; with POST_ONE_CPU in the environment nothing is pinned.
 */
#include "measure.h"

#include <proact/proact.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { WINDOW = 4096, PRODUCERS_MOST = 64 };

static void pin(int processor)
{
    cpu_set_t set;

    if (getenv("POST_ONE_CPU"))
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static struct pro_loop *loop_here(void)
{
    struct pro_loop *loop = NULL;

    if (pro_loop_new(NULL, &loop) < 0) {
        fprintf(stderr, "post: there is no loop\n");
        exit(1);
    }
    pro_loop_run_once(loop, 0); /* from now on it is this thread's */
    return loop;
}

static pthread_barrier_t ready;
static bool ended; /* written and read with __atomic, as what threads share */

/* Keeps a loop running, and stops it. */
static void on_time_up(struct pro_op *op)
{
    __atomic_store_n(&ended, true, __ATOMIC_RELAXED);
    (void)op;
    pro_loop_stop(pro_loop_current());
}

static void run_for(struct pro_loop *loop, double seconds)
{
    struct pro_op op = { .result = 0 };

    (void)pro_then(pro_sleep(&op, loop, (int64_t)(seconds * 1e9), PRO_HOW_DEFAULT), on_time_up);
    pro_loop_run(loop);
}

/* ---- pingpong ---- */
static struct pro_loop *here, *there;
static struct pro_completion_source *bounced; /* its task ends both loops */
static uint64_t rounds, end_ns;

static void at_there(struct pro_work *work);

static void at_here(struct pro_work *work)
{
    rounds++;
    if (pro_now() >= end_ns) {
        pro_completion_source_set_result(bounced, NULL, PRO_NO_RESULT);
        return;
    }
    work->run = at_there;
    pro_loop_post_work(there, work);
}

static void at_there(struct pro_work *work)
{
    work->run = at_here;
    pro_loop_post_work(here, work);
}

static void run_until_bounced(struct pro_loop *loop)
{
    struct pro_task *task = pro_completion_source_task(bounced);

    pro_loop_run_until(loop, task);
    pro_task_unref(task);
}

static void *serve_there(void *arg)
{
    (void)arg;
    pin(1);
    there = loop_here();
    pthread_barrier_wait(&ready);
    run_until_bounced(there);
    pro_loop_free(there);
    return NULL;
}

static void pingpong(double seconds)
{
    struct pro_work ball = { .run = at_there };
    pthread_t thread;
    double used_ns;
    uint64_t took_ns;

    if (pro_completion_source_new(PRO_NO_RESULT, 0, &bounced) < 0)
        exit(1);
    here = loop_here();
    pthread_barrier_init(&ready, NULL, 2);
    pthread_create(&thread, NULL, serve_there, NULL);
    pthread_barrier_wait(&ready);
    took_ns = pro_now();
    end_ns = took_ns + (uint64_t)(seconds * 1e9);
    used_ns = cpu_ns();
    pro_loop_post_work(there, &ball);
    run_until_bounced(here);
    took_ns = pro_now() - took_ns;
    used_ns = cpu_ns() - used_ns;
    pthread_join(thread, NULL);
    pro_loop_free(here);
    pro_completion_source_free(bounced);
    printf("{\"rtt_ns\":%.0f,\"cpu_ns_per_rtt\":%.0f}\n", (double)took_ns / (double)rounds, used_ns / (double)rounds);
}

/* ---- flood ---- */
struct item {
    struct pro_work work;
    uint64_t *done; /* its producer's count */
};
static struct {
    _Alignas(64) uint64_t done;
} producers[PRODUCERS_MOST];
static uint64_t executed;

static void count_item(struct pro_work *work)
{
    uint64_t *const done = PRO_CONTAINER(work, struct item, work)->done;

    executed++;
    __atomic_store_n(done, *done + 1, __ATOMIC_RELEASE);
}

static void *produce(void *arg)
{
    uint64_t *const done = arg;
    struct item *const items = calloc(WINDOW, sizeof *items);
    uint64_t posted = 0;

    pin(1);
    pthread_barrier_wait(&ready);
    while (items && !__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
        struct item *const item = &items[posted % WINDOW];

        while (posted - __atomic_load_n(done, __ATOMIC_ACQUIRE) >= WINDOW && !__atomic_load_n(&ended, __ATOMIC_RELAXED))
            sched_yield();
        if (__atomic_load_n(&ended, __ATOMIC_RELAXED))
            break;
        *item = (struct item){ .work = { .run = count_item }, .done = done };
        pro_loop_post_work(here, &item->work);
        posted++;
    }
    return NULL; /* the items stay: the loop still runs some */
}

static void flood(int count, double seconds)
{
    pthread_t threads[PRODUCERS_MOST];
    double used_ns;
    uint64_t took_ns;

    here = loop_here();
    pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, produce, &producers[i].done);
    pthread_barrier_wait(&ready);
    took_ns = pro_now();
    used_ns = cpu_ns();
    run_for(here, seconds);
    took_ns = pro_now() - took_ns;
    used_ns = cpu_ns() - used_ns;
    printf("{\"posts_per_s\":%.0f,\"cpu_ns_per_post\":%.1f}\n", (double)executed / ((double)took_ns / 1e9),
           used_ns / (double)executed);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pro_loop_free(here);
}

int main(int count, char **arguments)
{
    pin(0);
    if (count == 3 && strcmp(arguments[1], "pingpong") == 0) {
        pingpong(atof(arguments[2]));
    } else if (count == 4 && strcmp(arguments[1], "flood") == 0 && atoi(arguments[2]) > 0 &&
               atoi(arguments[2]) <= PRODUCERS_MOST) {
        flood(atoi(arguments[2]), atof(arguments[3]));
    } else {
        fprintf(stderr, "usage: post pingpong SECONDS | flood PRODUCERS SECONDS\n");
        return 2;
    }
    return 0;
}
