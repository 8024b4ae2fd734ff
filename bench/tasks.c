/* SPDX-License-Identifier: MIT */
/* What many suspended methods cost, in nanoseconds each: starts N methods that each await a task of their own, then
 * completes those tasks, which resumes and ends the methods.
 *
 *     tasks N     prints start_ns and complete_ns as JSON; the second of two rounds, when the memory is there */
#include "measure.h"

#include <proact/proact.h>

struct waiter {
    PRO_FRAME;
    struct pro_task *awaited;
};

static size_t over;

PRO_ASYNC(waiter_move_next, struct waiter, self)
    PRO_AWAIT(self->awaited);
    over++;
PRO_ASYNC_END

static struct pro_task *waiter_async(struct pro_task *awaited)
{
    struct waiter *const self = PRO_NEW_FRAME_VOID(struct waiter, waiter_move_next);

    if (!self)
        return pro_task_no_memory();
    self->awaited = awaited;
    return PRO_START(self);
}

struct figures {
    uint64_t start_ns, complete_ns;
};

static struct figures round_of(struct pro_completion_source **sources, size_t count)
{
    struct figures figures;

    over = 0;
    for (size_t i = 0; i < count; i++)
        if (pro_completion_source_new(PRO_NO_RESULT, 0, &sources[i]) < 0) {
            fprintf(stderr, "tasks: no memory\n");
            exit(1);
        }
    figures.start_ns = pro_now();
    for (size_t i = 0; i < count; i++)
        pro_forget(waiter_async(pro_completion_source_task(sources[i])));
    figures.start_ns = pro_now() - figures.start_ns;
    figures.complete_ns = pro_now();
    for (size_t i = 0; i < count; i++) {
        pro_completion_source_set_result(sources[i], NULL, PRO_NO_RESULT);
        pro_completion_source_free(sources[i]);
    }
    figures.complete_ns = pro_now() - figures.complete_ns;
    return figures;
}

int main(int argument_count, char **arguments)
{
    const long wanted = argument_count > 1 ? atol(arguments[1]) : 1000000;
    const size_t count = wanted > 0 ? (size_t)wanted : 0;
    struct pro_completion_source **const sources = malloc(count * sizeof *sources);
    struct figures figures;

    if (!count || !sources) {
        fprintf(stderr, "usage: tasks N, N being 1 or more\n");
        return 2;
    }
    (void)round_of(sources, count);
    figures = round_of(sources, count);
    printf("{\"tasks\":%zu,\"start_ns\":%.1f,\"complete_ns\":%.1f}\n", count, (double)figures.start_ns / (double)count,
           (double)figures.complete_ns / (double)count);
    free(sources);
    return over != count;
}
