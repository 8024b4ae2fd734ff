/* SPDX-License-Identifier: MIT */
/* The flat half of ../pool.c on libuv's thread pool: pool_uv flat N THREADS */
#include "../measure.h"

#include <string.h>
#include <uv.h>

enum { ROUNDS = 5 };

static void run_nothing(uv_work_t *work) { (void)work; }
static void on_over(uv_work_t *work, int status) { (void)work, (void)status; }

int main(int argument_count, char **arguments)
{
    const size_t count = argument_count > 3 && strcmp(arguments[1], "flat") == 0 ? (size_t)atol(arguments[2]) : 0;
    uv_work_t *const works = calloc(count + 1, sizeof *works);
    double best_ns = 0, best_cpu_ns = 0;

    if (!count || !works || setenv("UV_THREADPOOL_SIZE", arguments[3], 1) != 0) {
        fprintf(stderr, "usage: pool_uv flat N THREADS\n");
        return 2;
    }
    for (int round = 0; round < ROUNDS; round++) {
        const double used_ns = cpu_ns();
        const uint64_t start_ns = uv_hrtime();
        double took_ns;

        for (size_t i = 0; i < count; i++)
            if (uv_queue_work(uv_default_loop(), &works[i], run_nothing, on_over) < 0)
                return 1;
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        took_ns = (double)(uv_hrtime() - start_ns);
        if (round == 0 || took_ns < best_ns) {
            best_ns = took_ns;
            best_cpu_ns = cpu_ns() - used_ns;
        }
    }
    printf("{\"ns_per_task\":%.1f,\"cpu_ns_per_task\":%.1f}\n", best_ns / (double)count, best_cpu_ns / (double)count);
    free(works);
    return 0;
}
