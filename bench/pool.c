/* SPDX-License-Identifier: MIT */
/* What the thread pool costs, in nanoseconds for each task; the best of several rounds.
 *
 *     pool flat N THREADS       this thread hands over N empty tasks and waits for all
 *     pool tree DEPTH THREADS   a task makes two more, down to 2^DEPTH leaves; for each leaf
 *
 * Tasks are work items, which the pool links and does not allocate. */
#include "measure.h"

#include <proact/proact.h>
#include <string.h>

enum { ROUNDS = 5 };

static struct pro_completion_source *all_done;
static _Alignas(64) size_t left; /* shared by the pool's threads: __atomic only */

static void one_less(void)
{
    if (__atomic_sub_fetch(&left, 1, __ATOMIC_ACQ_REL) == 0)
        pro_completion_source_set_result(all_done, NULL, PRO_NO_RESULT);
}

/* ---- flat ---- */
static struct pro_work *items;

static void run_item(struct pro_work *work)
{
    (void)work;
    one_less();
}

static void hand_over(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].run = run_item;
        pro_pool_post_work(&items[i], false);
    }
}

/* ---- tree: a task becomes one of its children; the other comes from this thread's list ---- */
struct node {
    struct pro_work work;
    struct node *next_free;
    unsigned depth;
};
static _Thread_local struct node *free_nodes;

static struct node *node_new(void)
{
    struct node *node = free_nodes;

    if (node)
        free_nodes = node->next_free;
    else
        node = malloc(sizeof *node);
    if (!node) {
        fprintf(stderr, "pool: no memory\n");
        exit(1);
    }
    return node;
}

static void run_node(struct pro_work *work);

static void node_start(struct node *node, unsigned depth)
{
    node->work.run = run_node;
    node->depth = depth;
    pro_pool_post_work(&node->work, true);
}

static void run_node(struct pro_work *work)
{
    struct node *const node = PRO_CONTAINER(work, struct node, work);
    const unsigned depth = node->depth;

    if (depth > 0) {
        node_start(node, depth - 1);
        node_start(node_new(), depth - 1);
        return;
    }
    node->next_free = free_nodes;
    free_nodes = node;
    one_less();
}

/* ---- both ---- */
static uint64_t round_ns(bool tree, unsigned number, size_t count)
{
    const uint64_t start_ns = pro_now();
    struct pro_task *task;

    left = count;
    if (pro_completion_source_new(PRO_NO_RESULT, 0, &all_done) < 0)
        exit(1);
    task = pro_completion_source_task(all_done);
    if (tree)
        node_start(node_new(), number);
    else
        hand_over(count);
    PRO_WAIT(task);
    pro_task_unref(task);
    pro_completion_source_free(all_done);
    return pro_now() - start_ns;
}

int main(int argument_count, char **arguments)
{
    const bool tree = argument_count > 1 && strcmp(arguments[1], "tree") == 0;
    const unsigned number = argument_count > 2 ? (unsigned)atol(arguments[2]) : 0;
    const unsigned threads = argument_count > 3 ? (unsigned)atoi(arguments[3]) : 0;
    const size_t count = tree ? (size_t)1 << (number < 31 ? number : 31) : number;
    uint64_t best_ns = UINT64_MAX;
    double used_ns;

    if (!threads || !count) {
        fprintf(stderr, "usage: pool flat N THREADS | tree DEPTH THREADS\n");
        return 2;
    }
    pro_pool_set_min_threads(1);
    pro_pool_set_max_threads(threads);
    pro_pool_set_min_threads(threads);
    items = tree ? NULL : calloc(count, sizeof *items);
    if (!tree && !items)
        return 1;
    used_ns = cpu_ns();
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t took_ns = round_ns(tree, number, count);

        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    used_ns = cpu_ns() - used_ns;
    printf("{\"tasks\":%zu,\"ns_per_task\":%.1f,\"cpu_ns_per_task\":%.1f}\n", count, (double)best_ns / (double)count,
           used_ns / (double)count / ROUNDS);
    free(items);
    return 0;
}
