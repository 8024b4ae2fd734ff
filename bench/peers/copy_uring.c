/* SPDX-License-Identifier: MIT */
/* Copies a file by io_uring, written by hand, as bench/copy.c does: so many blocks under way, each read, then written.
 * copy_uring [--ring] SOURCE DESTINATION
 * --ring: the destination is opened through the ring, too, as proact does, which never lets a loop wait for a disk. The
 * kernel then has a worker thread before there is anything to write, and on two processors places it worse. Prints the
 * milliseconds it took. */
#include "../measure.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCKS = 8, BLOCK = 256 * 1024 };

static struct {
    struct io_uring ring;
    int source, destination;
    char *memory;
    uint64_t size, next;
    unsigned busy;
    struct block {
        uint64_t at;
        unsigned length, moved;
        bool writes;
    } blocks[BLOCKS];
} copy;

static int fail(const char *what, int error)
{
    fprintf(stderr, "copy_uring: %s: %s\n", what, strerror(error));
    return 1;
}

static void queue(unsigned slot)
{
    struct block *const block = &copy.blocks[slot];
    struct io_uring_sqe *const sqe = io_uring_get_sqe(&copy.ring); /* as many as blocks: there is one */
    char *const data = copy.memory + (size_t)slot * BLOCK + block->moved;

    if (block->writes)
        io_uring_prep_write(sqe, copy.destination, data, block->length - block->moved, block->at + block->moved);
    else
        io_uring_prep_read(sqe, copy.source, data, block->length - block->moved, block->at + block->moved);
    sqe->user_data = slot;
}

static void take_next(unsigned slot)
{
    const uint64_t left = copy.size - copy.next;

    if (!left)
        return;
    copy.blocks[slot] = (struct block){ .at = copy.next, .length = left < BLOCK ? (unsigned)left : BLOCK };
    copy.next += copy.blocks[slot].length;
    copy.busy++;
    queue(slot);
}

/* Both may be short. */
static void has_moved(unsigned slot, unsigned bytes)
{
    struct block *const block = &copy.blocks[slot];

    block->moved += bytes;
    if (block->moved < block->length) {
        queue(slot);
    } else if (!block->writes) {
        block->writes = true;
        block->moved = 0;
        queue(slot);
    } else {
        copy.busy--;
        take_next(slot);
    }
}

static int open_by_ring(const char *path)
{
    struct io_uring_cqe *over = NULL;
    int fd;

    io_uring_prep_openat(io_uring_get_sqe(&copy.ring), AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    io_uring_submit(&copy.ring);
    while (io_uring_wait_cqe(&copy.ring, &over) == -EINTR)
        ;
    if (!over)
        return -1;
    fd = over->res;
    io_uring_cqe_seen(&copy.ring, over);
    errno = fd < 0 ? -fd : 0;
    return fd;
}

static int copy_all(void)
{
    struct io_uring_cqe *over[BLOCKS];

    for (unsigned slot = 0; slot < BLOCKS; slot++)
        take_next(slot);
    while (copy.busy) {
        io_uring_submit_and_wait(&copy.ring, 1);
        for (unsigned i = 0, count = io_uring_peek_batch_cqe(&copy.ring, over, BLOCKS); i < count; i++) {
            const int result = over[i]->res;
            const unsigned slot = (unsigned)over[i]->user_data;

            io_uring_cqe_seen(&copy.ring, over[i]);
            if (result <= 0)
                return result ? -result : EIO;
            has_moved(slot, (unsigned)result);
        }
    }
    return 0;
}

int main(int count, char **arguments)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    struct timespec start, end;
    const bool by_ring = count > 1 && strcmp(arguments[1], "--ring") == 0;
    struct stat status;
    int code;

    if (count != 3 + by_ring) {
        fprintf(stderr, "usage: copy_uring [--ring] SOURCE DESTINATION\n");
        return 2;
    }
    arguments += by_ring;
    clock_gettime(CLOCK_MONOTONIC, &start);
    code = io_uring_queue_init_params(4 * BLOCKS, &copy.ring, &params);
    if (code < 0)
        return fail("io_uring", -code);
    copy.memory = aligned_alloc(PAGE, (size_t)BLOCKS * BLOCK);
    copy.source = open(arguments[1], O_RDONLY);
    if (!copy.memory || copy.source < 0 || fstat(copy.source, &status) < 0)
        return fail(arguments[1], errno);
    copy.size = (uint64_t)status.st_size;
    copy.destination = by_ring ? open_by_ring(arguments[2]) : open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (copy.destination < 0)
        return fail(arguments[2], errno);
    code = copy_all();
    if (code)
        return fail("copy", code);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("{\"ms\":%.2f}\n", (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6);
    return 0;
}
