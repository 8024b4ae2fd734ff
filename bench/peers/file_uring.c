/* SPDX-License-Identifier: MIT */
/* Random reads of 4 KiB by io_uring, written by hand: what a program could reach at most.
 * file_uring FILE DEPTH SECONDS cached|direct [registered]
 * "registered": file and buffers are known to the ring beforehand, which proact, whose buffers are anybody's, does not
 * ask for. */
#include "../measure.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum { BLOCK = 4096, DEPTH_MOST = 1024 };

static struct {
    struct io_uring ring;
    int fd;
    unsigned depth;
    uint64_t blocks, random;
    bool registered;
    char *memory;
    uint64_t started_ns[DEPTH_MOST];
    struct histogram latencies;
} run = { .random = 7 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(const char *what, int error)
{
    fprintf(stderr, "file_uring: %s: %s\n", what, strerror(error));
    return 1;
}

static int open_ring(void)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    const struct iovec all = { run.memory, (size_t)run.depth * BLOCK };
    int code = io_uring_queue_init_params(run.depth < 8 ? 8 : run.depth, &run.ring, &params);

    if (code == 0)
        code = io_uring_register_ring_fd(&run.ring) == 1 ? 0 : -EINVAL;
    if (code == 0 && run.registered)
        code = io_uring_register_files(&run.ring, &run.fd, 1);
    if (code == 0 && run.registered)
        code = io_uring_register_buffers(&run.ring, &all, 1);
    return -code;
}

static void read_next(unsigned slot, uint64_t now)
{
    struct io_uring_sqe *const sqe = io_uring_get_sqe(&run.ring); /* as many as reads: there is one */
    char *const buffer = run.memory + (size_t)slot * BLOCK;
    const uint64_t offset = random_next(&run.random) % run.blocks * BLOCK;

    if (run.registered) {
        io_uring_prep_read_fixed(sqe, 0, buffer, BLOCK, offset, 0);
        sqe->flags |= IOSQE_FIXED_FILE;
    } else {
        io_uring_prep_read(sqe, run.fd, buffer, BLOCK, offset);
    }
    sqe->user_data = slot;
    run.started_ns[slot] = now;
}

/* Takes what is over and reads again in its place; a read's error, or 0. */
static int go_on(uint64_t *now)
{
    struct io_uring_cqe *over[DEPTH_MOST];
    unsigned count;

    io_uring_submit_and_wait(&run.ring, 1);
    *now = now_ns();
    count = io_uring_peek_batch_cqe(&run.ring, over, run.depth);
    for (unsigned i = 0; i < count; i++) {
        const unsigned slot = (unsigned)over[i]->user_data;

        if (over[i]->res != BLOCK)
            return over[i]->res < 0 ? -over[i]->res : EIO;
        histogram_add(&run.latencies, *now - run.started_ns[slot]);
        read_next(slot, *now);
    }
    io_uring_cq_advance(&run.ring, count);
    return 0;
}

int main(int count, char **arguments)
{
    uint64_t start_ns, end_ns, now;
    struct stat status;
    double used_ns;
    int code;

    if (count < 5 || atoi(arguments[2]) < 1 || atoi(arguments[2]) > DEPTH_MOST) {
        fprintf(stderr, "usage: file_uring FILE DEPTH SECONDS cached|direct [registered], DEPTH being 1 to 1024\n");
        return 2;
    }
    run.depth = (unsigned)atoi(arguments[2]);
    run.registered = count > 5 && strcmp(arguments[5], "registered") == 0;
    run.memory = aligned_alloc(BLOCK, (size_t)run.depth * BLOCK);
    run.fd = open(arguments[1], O_RDONLY | (strcmp(arguments[4], "direct") == 0 ? O_DIRECT : 0));
    if (!run.memory || run.fd < 0 || fstat(run.fd, &status) < 0 || status.st_size < BLOCK)
        return fail(arguments[1], errno);
    run.blocks = (uint64_t)status.st_size / BLOCK;
    memset(run.memory, 1, (size_t)run.depth * BLOCK);
    code = open_ring();
    if (code)
        return fail("io_uring", code);
    start_ns = now = now_ns();
    used_ns = cpu_ns();
    end_ns = start_ns + (uint64_t)(atof(arguments[3]) * 1e9);
    for (unsigned slot = 0; slot < run.depth; slot++)
        read_next(slot, now);
    while (now < end_ns && !code)
        code = go_on(&now);
    if (code)
        return fail("read", code);
    printf("{\"ops\":%.0f,\"iops\":%.0f,\"cpu_ns_per_op\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
           (double)run.latencies.count, (double)run.latencies.count / ((double)(now - start_ns) / 1e9),
           (cpu_ns() - used_ns) / (double)run.latencies.count, histogram_us(&run.latencies, 0.50),
           histogram_us(&run.latencies, 0.99));
    return 0;
}
