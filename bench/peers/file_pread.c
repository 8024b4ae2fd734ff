/* SPDX-License-Identifier: MIT */
/* Random reads of 4 KiB by pread(), one after the other: what a program on epoll does, which cannot wait for a file.
 * file_pread FILE DEPTH SECONDS cached|direct; DEPTH is 1, whatever is asked for. */
#include "../measure.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int count, char **arguments)
{
    static struct histogram latencies;
    char *const buffer = aligned_alloc(BLOCK, BLOCK);
    uint64_t start_ns, end_ns, before_ns, after_ns, blocks, random = 7;
    struct stat status;
    double used_ns;
    int fd;

    if (count < 5 || !buffer)
        return 2;
    fd = open(arguments[1], O_RDONLY | (strcmp(arguments[4], "direct") == 0 ? O_DIRECT : 0));
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size < BLOCK) {
        perror("file_pread");
        return 1;
    }
    blocks = (uint64_t)status.st_size / BLOCK;
    start_ns = after_ns = now_ns();
    used_ns = cpu_ns();
    end_ns = start_ns + (uint64_t)(atof(arguments[3]) * 1e9);
    while (after_ns < end_ns) {
        before_ns = after_ns;
        if (pread(fd, buffer, BLOCK, (off_t)(random_next(&random) % blocks * BLOCK)) != BLOCK) {
            perror("file_pread");
            return 1;
        }
        after_ns = now_ns();
        histogram_add(&latencies, after_ns - before_ns);
    }
    printf("{\"ops\":%.0f,\"iops\":%.0f,\"cpu_ns_per_op\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
           (double)latencies.count, (double)latencies.count / ((double)(after_ns - start_ns) / 1e9),
           (cpu_ns() - used_ns) / (double)latencies.count, histogram_us(&latencies, 0.50),
           histogram_us(&latencies, 0.99));
    return 0;
}
