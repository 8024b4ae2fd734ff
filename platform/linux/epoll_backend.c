/* SPDX-License-Identifier: MIT */
/* The epoll backend's instance: opening, the turn, waking. Each socket is registered once, edge-triggered, with its
   handle as the event's data. */
#include "epoll.h"

#include <errno.h>
#include <linux/time_types.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* the same number on every architecture */
#endif

enum { UNPOLLED = 1 /* turns with results of their own that may leave epoll unasked */ };

static void epoll_close(struct proi_backend *backend)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;

    proi_epoll_await_threads(epoll);
    proi_offload_settle();
    if (epoll->event >= 0)
        (void)close(epoll->event);
    if (epoll->epoll >= 0)
        (void)close(epoll->epoll);
    proi_free(epoll);
}

static int epoll_open(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                      size_t reason_size)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data = { .u64 = 0 } };
    struct proi_epoll *epoll = proi_alloc_zeroed(sizeof *epoll);
    const char *what = "epoll_create1";

    (void)options;
    if (!epoll) {
        (void)snprintf(reason, reason_size, "there is no memory for the epoll backend");
        return PRO_E_NO_MEMORY;
    }
    epoll->base.type = &proi_backend_epoll;
    epoll->event = -1;
    epoll->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->epoll >= 0) {
        what = "eventfd";
        epoll->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    if (epoll->event < 0 || epoll_ctl(epoll->epoll, EPOLL_CTL_ADD, epoll->event, &event) != 0) {
        const int number = errno;
        char text[96];

        proi_native_message(number, text, sizeof text);
        (void)snprintf(reason, reason_size, "the kernel refuses %s (%s)%s", what, text,
                       number == EMFILE ? ": raise the limit of open files (ulimit -n)" : "");
        epoll_close(&epoll->base);
        return proi_error_from_native(number);
    }
    *ret_backend = &epoll->base;
    return PRO_OK;
}

static int epoll_bind(struct proi_backend *backend)
{
    (void)backend;
    return PRO_OK;
}

/* No socket here blocks, from its birth on. A connected one is in the set already, asleep; unless connect() succeeded
   at once, or on another loop. */
static int epoll_attach(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;
    const int fd = (int)handle->native;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET,
                                 .data = { .ptr = handle } };
    int answer = -1;

    if (handle->kind == PROI_HANDLE_FILE)
        return PRO_OK;
    PROI_KERNEL_RELEASE(handle);
    if (via == PRO_OP_CONNECT)
        answer = epoll_ctl(epoll->epoll, EPOLL_CTL_MOD, fd, &event);
    if (answer != 0)
        answer = epoll_ctl(epoll->epoll, EPOLL_CTL_ADD, fd, &event);
    if (answer == 0)
        return PRO_OK;
    /* fs.epoll.max_user_watches is about memory, whatever its errno says about disks. */
    return errno == ENOSPC ? PRO_E_NO_MEMORY : proi_error_from_native(errno);
}

/* ---- waking ---- */
/* The exchange orders a waker with the loop's clearing in note_wake(). Either it sees 0: this wake is on nobody's way
   yet, so it writes. Or it sees 1: a write is on its way or unnoticed, and the loop clears after it, reading what this
   exchange has published; the loop then finds what we woke it for. */
void proi_epoll_wake(struct proi_backend *backend)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;
    const uint64_t one = 1;
    ssize_t written;

    if (proi_exchange(&epoll->signalled, 1, PROI_ACQ_REL) != 0)
        return;
    do {
        written = write(epoll->event, &one, sizeof one); /* each write is an edge: nobody has to read it back */
    } while (written < 0 && errno == EINTR);
}

static void note_wake(struct proi_epoll *epoll) { (void)proi_exchange(&epoll->signalled, 0, PROI_ACQ_REL); }

/* ---- the turn ---- */
static int wait_coarse(struct proi_epoll *epoll, struct epoll_event *events, uint64_t ns)
{
    const uint64_t ms = ns / 1000000 + (ns % 1000000 != 0); /* up: late is allowed, early is not */

    epoll->calls++;
    return epoll_wait(epoll->epoll, events, PROI_TURN, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int wait_fine(struct proi_epoll *epoll, struct epoll_event *events, uint64_t ns)
{
    struct __kernel_timespec limit = { (int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000) };
    long count;

    if (epoll->coarse)
        return wait_coarse(epoll, events, ns);
    epoll->calls++;
    count = syscall(SYS_epoll_pwait2, epoll->epoll, events, PROI_TURN, &limit, NULL, (size_t)0);
    if (count >= 0 || errno == EINTR)
        return (int)count;
    epoll->coarse = true; /* before Linux 5.11, or under a filter that has not heard of it */
    return wait_coarse(epoll, events, ns);
}

static int events_wait(struct proi_epoll *epoll, struct epoll_event *events, uint64_t deadline_ns)
{
    uint64_t now;

    if (deadline_ns == UINT64_MAX) {
        epoll->calls++;
        return epoll_wait(epoll->epoll, events, PROI_TURN, -1);
    }
    now = deadline_ns == 0 ? 0 : proi_linux_now(&epoll->base);
    if (deadline_ns <= now)
        return wait_coarse(epoll, events, 0);
    return wait_fine(epoll, events, deadline_ns - now);
}

static void events_take(struct proi_epoll *epoll, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        const uint64_t data = events[i].data.u64;

        if (data == 0) {
            note_wake(epoll);
        } else if (data & 1) {
            proi_epoll_connected(epoll, (struct pro_op *)(uintptr_t)(data & ~UINT64_C(1)));
        } else {
            PROI_KERNEL_ACQUIRE((void *)(uintptr_t)data); /* another loop's thread may have attached it */
            proi_epoll_event(epoll, (struct pro_handle *)(uintptr_t)data, events[i].events);
        }
    }
}

static unsigned results_move(struct proi_epoll *epoll, struct proi_op_queue *done, unsigned room)
{
    struct pro_op *op;

    while (room > 0 && (op = proi_op_queue_pop(&epoll->over)) != NULL) {
        proi_op_queue_push(done, op);
        room--;
    }
    return room;
}

/* Operations are tried first, and often that is all it takes: a turn with results goes on without asking epoll, but not
   two in a row, so that events, wakes and the other connections get their share. */
static void epoll_turn(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done)
{
    struct proi_epoll *epoll = (struct proi_epoll *)(void *)backend;
    struct epoll_event events[PROI_TURN];
    unsigned room;
    int count;

    proi_epoll_serve(epoll, PROI_TURN);
    proi_epoll_land(epoll);
    room = results_move(epoll, done, PROI_TURN);
    if (room < PROI_TURN && epoll->unpolled < UNPOLLED) {
        epoll->unpolled++;
        return;
    }
    epoll->unpolled = 0;
    count = events_wait(epoll, events, room < PROI_TURN || epoll->listed_head ? 0 : deadline_ns);
    events_take(epoll, events, count);
    proi_epoll_serve(epoll, PROI_TURN);
    proi_epoll_land(epoll);
    (void)results_move(epoll, done, room);
}

static uint64_t epoll_system_calls(struct proi_backend *backend)
{
    return ((struct proi_epoll *)(void *)backend)->calls;
}

const struct proi_backend_type proi_backend_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .bind = epoll_bind,
    .close = epoll_close,
    .listen = proi_linux_listen,
    .attach = epoll_attach,
    .release = proi_linux_release,
    .local_addr = proi_linux_local_addr,
    .peer_addr = proi_linux_peer_addr,
    .set_abortive = proi_linux_set_abortive,
    .set_buffers = proi_linux_set_buffers,
    .file_size = proi_linux_file_size,
    .submit = proi_epoll_submit,
    .cancel = proi_epoll_cancel,
    .wait = epoll_turn,
    .wake = proi_epoll_wake,
    .now = proi_linux_now,
    .system_calls = epoll_system_calls,
};
