/* SPDX-License-Identifier: MIT */
/* Files of the epoll backend. Readiness says nothing about files, so the plain system calls run on the offload threads;
   results come back over a stack that many threads push to and the loop empties at once. */
#include "epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "native.h"

static int file_open(const char *path, int flags)
{
    int fd, refusal;

    do {
        fd = open(path, flags, 0666);
    } while (fd < 0 && errno == EINTR);
    refusal = fd < 0 ? 0 : proi_linux_open_check(fd);
    if (!refusal)
        return fd;
    (void)close(fd);
    errno = refusal;
    return -1;
}

static int64_t file_call(struct pro_op *op)
{
    const int fd = op->handle ? (int)op->handle->native : -1;
    const off_t offset = (off_t)(op->offset + op->transferred);
    const struct proi_open_args *const args = proi_op_args(op);
    int opened;

    switch ((enum pro_op_kind)op->kind) {
    case PRO_OP_FILE_OPEN:
        opened = file_open(args->path, proi_linux_open_flags(args->flags));
        *proi_op_native(op) = (size_t)opened;
        return opened < 0 ? -1 : PRO_OK;
    case PRO_OP_READ_AT:
        return pread(fd, proi_op_data(op), proi_op_left(op), offset);
    case PRO_OP_WRITE_AT:
        return pwrite(fd, proi_op_data(op), proi_op_left(op), offset);
    case PRO_OP_FILE_SYNC:
        return fsync(fd);
    case PRO_OP_CLOSE: /* the descriptor is free whatever close() answers, and what it answers is nobody's to mend */
        (void)close(fd);
        return PRO_OK;
    default:
        errno = ENOTSUP;
        return -1;
    }
}

/* On an offload thread. */
static void file_run(struct proi_offload *item)
{
    struct proi_epoll_op *mine = PRO_CONTAINER(item, struct proi_epoll_op, item);
    struct pro_op *op = PRO_CONTAINER(mine, struct pro_op, backend);
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)proi_op_backend(op);
    int64_t result;
    int number;

    do {
        result = file_call(op);
        number = result < 0 ? errno : 0;
    } while (number == EINTR);
    op->result = result < 0 ? proi_error_from_native(number) : result;
    op->native = number;

    /* Release, with the acquire in proi_epoll_land(): who takes the op sees its result. Against another pusher: one of
       the two compares first, the other sees the new head and goes on top of it. Against the loop's exchange: it comes
       before and we push on an empty stack, or after and takes us along; both times a wake follows. */
    op->next = proi_load(&epoll->landed, PROI_RELAXED);
    while (!proi_compare_exchange(&epoll->landed, &op->next, op, PROI_RELEASE))
        ;
    proi_epoll_wake(&epoll->base);

    /* The op may have been delivered long ago, but the instance must not go before the wake has been made: close waits
       for this number. From the subtraction on only its address is used. */
    if (proi_fetch_sub(&epoll->offloaded, 1, PROI_RELEASE) == 1)
        proi_wake_all(&epoll->offloaded);
}

void proi_epoll_offload(struct proi_epoll *epoll, struct pro_op *op)
{
    struct proi_epoll_op *mine = proi_epoll_op(op);

    op->place = PROI_EPOLL_OFFLOADED;
    mine->item = (struct proi_offload){ NULL, file_run };
    (void)proi_fetch_add(&epoll->offloaded, 1, PROI_RELAXED); /* the thread gets it through proi_offload()'s lock */
    proi_offload(&mine->item);
}

void proi_epoll_land(struct proi_epoll *epoll)
{
    struct pro_op *op, *next, *oldest = NULL;

    if (!proi_load(&epoll->landed, PROI_RELAXED))
        return; /* whoever pushes from now on wakes us */
    for (op = proi_exchange(&epoll->landed, (struct pro_op *)NULL, PROI_ACQUIRE); op; op = next) {
        next = op->next;
        op->next = oldest;
        oldest = op;
    }
    for (op = oldest; op; op = next) {
        const bool moves = op->kind == PRO_OP_READ_AT || op->kind == PRO_OP_WRITE_AT;

        next = op->next;
        proi_epoll_finish(epoll, op, op->result, moves && op->result > 0 ? (size_t)op->result : 0, op->native);
    }
}

void proi_epoll_await_threads(struct proi_epoll *epoll)
{
    uint32_t count;

    while ((count = proi_load(&epoll->offloaded, PROI_ACQUIRE)) != 0)
        (void)proi_wait(&epoll->offloaded, count, -1);
}
