/* SPDX-License-Identifier: MIT */
/* The io_uring backend through its porting contract alone: no loop. */
#include "harness.h"
#include "linux/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct proi_backend *backend;

/* In all these tests the entries are as their last use may have left them, at the worst. */
static void begin(unsigned entries)
{
    /* Kills: leaving any field of a submission as it was. */
    const struct pro_loop_options options = { .entries = entries };
    const struct uring *uring;
    char reason[240] = "";

    if (proi_backend_uring.open(&options, &backend, reason, sizeof reason) != PRO_OK)
        SKIP("uring", reason);
    REQUIRE(backend->type->bind(backend) == PRO_OK);
    uring = (const struct uring *)(const void *)backend;
    memset(uring->sqes, 0xff, uring->sq_entries * sizeof *uring->sqes);
}

static void end(void) { backend->type->close(backend); }

static struct pro_op *start(struct pro_op *op, enum pro_op_kind kind, struct pro_handle *handle, void *buffer,
                            size_t length)
{
    op->kind = (unsigned char)kind;
    op->handle = handle;
    if (handle) { /* else its arguments lie there */
        op->buffer = buffer;
        op->length = length;
    }
    op->transferred = 0;
    op->result = 12345;
    backend->type->submit(backend, op);
    return op;
}

/* One turn: gives how many came, and the last of them. */
static size_t wait_once(uint64_t deadline_ns, struct pro_op **ret_last)
{
    struct proi_op_queue done = { NULL, NULL };
    struct pro_op *op;
    size_t count = 0;

    backend->type->wait(backend, deadline_ns, &done);
    while ((op = proi_op_queue_pop(&done)) != NULL) {
        op->generation++;
        op->user = (void *)((uintptr_t)op->user + 1); /* how often it was delivered */
        if (ret_last)
            *ret_last = op;
        count++;
    }
    return count;
}

static int64_t run(struct pro_op *op)
{
    struct pro_op *last = NULL;

    while (!wait_once(UINT64_MAX, &last))
        ;
    CHECK(last == op);
    return op->result;
}

static void wait_for(size_t count)
{
    while (count > 0) {
        const size_t came = wait_once(UINT64_MAX, NULL);

        REQUIRE(came <= count);
        count -= came;
    }
}

/* A connection over loopback, made by the backend itself. */
static struct pro_handle listener, ends[2];

static void attach(struct pro_handle *handle, enum proi_handle_kind kind, intptr_t native, enum pro_op_kind via)
{
    *handle = (struct pro_handle){ .kind = (unsigned char)kind, .native = native };
    REQUIRE(backend->type->attach(backend, handle, via) == PRO_OK);
}

static void connect_ends(void)
{
    struct pro_addr addr = { .family = PRO_IPV4, .ip = { 127, 0, 0, 1 } };
    struct pro_op accept = { 0 }, connect = { 0 };
    intptr_t native;
    int error = 0;

    REQUIRE(backend->type->listen(backend, &addr, NULL, &native, &error) == PRO_OK);
    attach(&listener, PROI_HANDLE_LISTENER, native, PRO_OP_NONE);
    REQUIRE(backend->type->local_addr(backend, &listener, &addr) == PRO_OK);
    CHECK(addr.port != 0);
    start(&accept, PRO_OP_ACCEPT, &listener, NULL, 0);
    ((struct proi_connect_args *)proi_op_args(&connect))->addr = addr;
    start(&connect, PRO_OP_CONNECT, NULL, NULL, 0);
    wait_for(2);
    REQUIRE(accept.result == PRO_OK && connect.result == PRO_OK);
    attach(&ends[0], PROI_HANDLE_SOCKET, (intptr_t)*proi_op_native(&connect), PRO_OP_CONNECT);
    attach(&ends[1], PROI_HANDLE_SOCKET, (intptr_t)*proi_op_native(&accept), PRO_OP_ACCEPT);
}

static void close_ends(void)
{
    struct pro_op ops[3] = { 0 };

    start(&ops[0], PRO_OP_CLOSE, &ends[0], NULL, 0);
    start(&ops[1], PRO_OP_CLOSE, &ends[1], NULL, 0);
    start(&ops[2], PRO_OP_CLOSE, &listener, NULL, 0);
    wait_for(3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ops[i].result, PRO_OK);
    CHECK(fcntl((int)ends[0].native, F_GETFD) < 0 && fcntl((int)ends[1].native, F_GETFD) < 0);
}

TEST(overflowing_completion_queue_loses_nothing_and_doubles_nothing)
{
    /* Kills: not arming the wake-up again (the watchdog ends it); reaping what is put aside twice. */
    enum { COUNT = 5000 };
    static struct pro_op ops[COUNT];

    memset(ops, 0, sizeof ops);
    begin(8); /* 32 completions fit */
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            start(&ops[i], PRO_OP_NOP, NULL, NULL, 0);
        backend->type->wake(backend); /* finds the queue full, which ends the poll that reports it */
        wait_for(COUNT);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(wait_once(0, NULL), 0);
        backend->type->wake(backend);
        wait_once(UINT64_MAX, NULL);
    }
    for (int i = 0; i < COUNT; i++)
        CHECK((uintptr_t)ops[i].user == 3 && ops[i].result == PRO_OK);
    end();
}

TEST(turn_gives_back_a_bounded_number_and_the_next_does_not_sleep)
{
    /* Kills: reaping without a bound. */
    static struct pro_op ops[700];
    size_t came, all = 0;

    memset(ops, 0, sizeof ops);
    begin(256);
    for (int i = 0; i < 700; i++)
        start(&ops[i], PRO_OP_NOP, NULL, NULL, 0);
    while (all < 700) {
        came = wait_once(UINT64_MAX, NULL);
        CHECK(came > 0 && came <= 300);
        all += came;
    }
    CHECK_EQ(all, 700);
    end();
}

TEST(batch_costs_one_system_call)
{
    /* Kills: submitting at each operation. */
    static struct pro_op ops[200];
    uint64_t before;

    memset(ops, 0, sizeof ops);
    begin(256);
    wait_once(0, NULL); /* arms the wake-up */
    before = backend->type->system_calls(backend);
    for (int i = 0; i < 200; i++)
        start(&ops[i], PRO_OP_NOP, NULL, NULL, 0);
    wait_for(200);
    CHECK_EQ(backend->type->system_calls(backend) - before, 1);
    end();
}

TEST(bytes_go_both_ways_with_nodelay_set_on_both_ends)
{
    /* Kills: leaving TCP_NODELAY out of the listener or of connect. */
    char out[] = "to and fro", in[32];
    struct pro_op send = { 0 }, recv = { 0 };

    begin(0);
    connect_ends();
    for (int i = 0; i < 2; i++) {
        int nodelay = 0;
        socklen_t length = sizeof nodelay;

        CHECK_EQ(getsockopt((int)ends[i].native, IPPROTO_TCP, TCP_NODELAY, &nodelay, &length), 0);
        CHECK(nodelay);
        CHECK(fcntl((int)ends[i].native, F_GETFD) & FD_CLOEXEC);
        start(&recv, PRO_OP_RECV, &ends[1 - i], in, sizeof in);
        start(&send, PRO_OP_SEND, &ends[i], out, sizeof out);
        wait_for(2);
        CHECK_EQ(send.result, sizeof out);
        CHECK_EQ(recv.result, sizeof out);
        CHECK_EQ(recv.transferred, sizeof out);
        CHECK_STR(in, out);
    }
    close_ends();
    end();
}

TEST(cancelled_receive_ends_once_and_its_next_life_is_not_hit)
{
    /* Kills: a completion of the cancel request taken for an operation's; a cancelled operation that keeps its bytes.
     */
    char in[8], out = 'x';
    struct pro_op recv = { 0 };
    bool cancelled = false;

    begin(0);
    connect_ends();
    for (int round = 0; round < 100; round++) {
        start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
        wait_once(0, NULL);
        if (round % 2) /* the data is there when the cancellation comes: both results are right */
            CHECK_EQ(send((int)ends[0].native, &out, 1, 0), 1);
        backend->type->cancel(backend, &recv);
        backend->type->cancel(backend, &recv);
        while (recv.result == 12345)
            wait_once(UINT64_MAX, NULL);
        cancelled |= recv.result == PRO_E_CANCELED;
        CHECK(recv.result > 0 || recv.result == PRO_E_CANCELED);
        CHECK_EQ(recv.native, recv.result > 0 ? 0 : ECANCELED);
        CHECK_EQ((uintptr_t)recv.user, round + 1);
    }
    CHECK(cancelled);
    CHECK_EQ(send((int)ends[0].native, &out, 1, 0), 1);
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    CHECK(run(&recv) > 0);
    /* All requests are over: a fresh receive stays. */
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(wait_once(0, NULL), 0);
    backend->type->cancel(backend, &recv);
    CHECK_EQ(run(&recv), PRO_E_CANCELED);
    close_ends();
    end();
}

static unsigned submitted(void) { return ((struct uring *)(void *)backend)->sq_submitted; }

TEST(send_alone_is_over_without_the_ring_but_not_for_ever)
{
    /* Kills: a send that is over and goes through the ring as well; a row of sends that never lets the kernel's
       deferred work have its turn, nor a receive. */
    enum { SENDS = 100 };
    char out[SENDS], in[SENDS];
    struct pro_op send = { 0 }, recv = { 0 };
    unsigned without_ring = 0;

    begin(0);
    connect_ends();
    for (int i = 0; i < SENDS; i++) {
        const unsigned before = submitted();

        out[i] = (char)i;
        start(&send, i % 2 ? PRO_OP_SEND : PRO_OP_SEND_ALL, &ends[0], &out[i], 1);
        CHECK_EQ(run(&send), 1);
        without_ring += submitted() == before;
    }
    CHECK(without_ring > SENDS * 8 / 10 && without_ring < SENDS);
    for (size_t got = 0; got < SENDS; got += (size_t)recv.result) {
        start(&recv, PRO_OP_RECV, &ends[1], in + got, SENDS - got);
        REQUIRE(run(&recv) > 0);
    }
    CHECK(memcmp(in, out, SENDS) == 0);
    close_ends();
    end();
}

TEST(send_alone_that_finds_no_room_waits_and_one_that_fails_tells_why)
{
    /* Kills: "would block" told to the program; an error that is asked for twice, and is another one the second time.
     */
    static char out[8 * 1024];
    struct pro_op send = { 0 }, close = { 0 };

    begin(0);
    connect_ends();
    do {
        start(&send, PRO_OP_SEND, &ends[0], out, sizeof out);
        for (int i = 0; i < 5; i++)
            wait_once(0, NULL);
        CHECK(send.result > 0); /* or the 12345 of one that waits */
    } while (send.result > 0 && send.result != 12345);
    backend->type->cancel(backend, &send);
    CHECK_EQ(run(&send), PRO_E_CANCELED);
    REQUIRE(backend->type->set_abortive(backend, &ends[1], true) == PRO_OK);
    start(&close, PRO_OP_CLOSE, &ends[1], NULL, 0);
    CHECK_EQ(run(&close), PRO_OK);
    start(&send, PRO_OP_SEND, &ends[0], out, sizeof out);
    CHECK_EQ(run(&send), PRO_E_RESET);
    CHECK_EQ(send.native, ECONNRESET);
    start(&close, PRO_OP_CLOSE, &ends[0], NULL, 0);
    CHECK_EQ(run(&close), PRO_OK);
    start(&close, PRO_OP_CLOSE, &listener, NULL, 0);
    CHECK_EQ(run(&close), PRO_OK);
    end();
}

TEST(socket_is_eager_while_more_than_much_is_there)
{
    /* Kills: a try after each large message of a peer that waits for its answer; none where more has come already; a
       row that does not end. */
    static char message[5 * PROI_MUCH / 2], in[PROI_MUCH];
    struct proi_op_queue done = { NULL, NULL };
    struct pro_op send = { 0 }, recv = { 0 };

    begin(0);
    connect_ends();
    start(&send, PRO_OP_SEND_ALL, &ends[0], message, sizeof in);
    CHECK_EQ(run(&send), sizeof in);
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    CHECK_EQ(run(&recv), sizeof in);
    CHECK(!ends[1].eager);

    start(&send, PRO_OP_SEND_ALL, &ends[0], message, sizeof message);
    CHECK_EQ(run(&send), sizeof message);
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    CHECK_EQ(run(&recv), sizeof in);
    for (int i = 0; i < 2; i++) {
        CHECK(ends[1].eager);
        recv.transferred = 0;
        CHECK(backend->type->move_now(backend, &recv, &done));
        CHECK(proi_op_queue_pop(&done) == &recv);
        CHECK_EQ(recv.result, i ? PROI_MUCH / 2 : PROI_MUCH);
    }
    CHECK(!ends[1].eager);
    close_ends();
    end();
}

TEST(send_all_cancelled_in_the_middle_tells_how_much_went)
{
    /* Kills: the short answer of a cancelled send_all taken for a success. */
    const size_t length = (size_t)64 << 20;
    struct pro_op send = { 0 };
    char *data = calloc(1, length);

    REQUIRE(data);
    begin(0);
    connect_ends();
    start(&send, PRO_OP_SEND_ALL, &ends[0], data, length);
    CHECK_EQ(wait_once(0, NULL), 0);
    backend->type->cancel(backend, &send);
    CHECK_EQ(run(&send), PRO_E_CANCELED);
    CHECK(send.transferred > 0 && send.transferred < length);
    close_ends();
    end();
    free(data);
}

TEST(shutdown_ends_a_pending_receive_with_zero_and_sending_with_pipe)
{
    /* Kills: shutdown directions mixed up. */
    char in[8];
    struct pro_op recv = { 0 }, shut = { .offset = PRO_SHUTDOWN_BOTH }, send = { 0 };

    begin(0);
    connect_ends();
    start(&recv, PRO_OP_RECV, &ends[0], in, sizeof in);
    start(&shut, PRO_OP_SHUTDOWN, &ends[0], NULL, 0);
    wait_for(2);
    CHECK_EQ(recv.result, 0);
    CHECK_EQ(shut.result, PRO_OK);
    start(&send, PRO_OP_SEND_ALL, &ends[0], in, sizeof in);
    CHECK_EQ(run(&send), PRO_E_PIPE);
    CHECK_EQ(send.native, EPIPE);
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    CHECK_EQ(run(&recv), 0);
    close_ends();
    end();
}

TEST(refused_connection_closes_its_socket)
{
    /* Kills: a descriptor leaked by each failed connect. */
    struct pro_op connect = { 0 };
    struct pro_addr addr = { .family = PRO_IPV4, .ip = { 127, 0, 0, 1 } };
    intptr_t native;
    int unused, before, after;

    begin(0);
    before = dup(0);
    close(before);
    REQUIRE(backend->type->listen(backend, &addr, NULL, &native, &unused) == PRO_OK);
    listener.native = native;
    REQUIRE(backend->type->local_addr(backend, &listener, &addr) == PRO_OK);
    backend->type->release(backend, PROI_HANDLE_LISTENER, native); /* nobody listens there now */
    ((struct proi_connect_args *)proi_op_args(&connect))->addr = addr;
    start(&connect, PRO_OP_CONNECT, NULL, NULL, 0);
    CHECK_EQ(run(&connect), PRO_E_REFUSED);
    connect = (struct pro_op){ 0 }; /* no family */
    start(&connect, PRO_OP_CONNECT, NULL, NULL, 0);
    CHECK_EQ(run(&connect), PRO_E_NOT_SUPPORTED);
    after = dup(0);
    CHECK_EQ(after, before);
    close(after);
    end();
}

TEST(files_are_read_written_and_directories_refused)
{
    /* Kills: the look for a directory; an offset past INT64_MAX that means the present position. */
    char path[] = "/tmp/proact-test-XXXXXX", in[16];
    const int fd = mkstemp(path);
    struct pro_op op = { 0 };
    struct pro_handle file;
    uint64_t size = 0;

    REQUIRE(fd >= 0);
    close(fd);
    begin(0);
    *(struct proi_open_args *)proi_op_args(&op) = (struct proi_open_args){ path, PRO_OPEN_READ | PRO_OPEN_WRITE };
    start(&op, PRO_OP_FILE_OPEN, NULL, NULL, 0);
    REQUIRE(run(&op) == PRO_OK);
    attach(&file, PROI_HANDLE_FILE, (intptr_t)*proi_op_native(&op), PRO_OP_FILE_OPEN);
    op.offset = 3;
    start(&op, PRO_OP_WRITE_AT, &file, "abcd", 4);
    CHECK_EQ(run(&op), 4);
    op.offset = 4;
    start(&op, PRO_OP_READ_AT, &file, in, sizeof in);
    CHECK_EQ(run(&op), 3);
    CHECK(memcmp(in, "bcd", 3) == 0);
    op.offset = 100;
    start(&op, PRO_OP_READ_AT, &file, in, sizeof in);
    CHECK_EQ(run(&op), 0);
    op.offset = UINT64_MAX;
    start(&op, PRO_OP_READ_AT, &file, in, sizeof in);
    CHECK_EQ(run(&op), PRO_E_INVALID);
    start(&op, PRO_OP_FILE_SYNC, &file, NULL, 0);
    CHECK_EQ(run(&op), PRO_OK);
    CHECK_EQ(backend->type->file_size(backend, &file, &size), PRO_OK);
    CHECK_EQ(size, 7);
    start(&op, PRO_OP_CLOSE, &file, NULL, 0);
    CHECK_EQ(run(&op), PRO_OK);
    unlink(path);

    *(struct proi_open_args *)proi_op_args(&op) = (struct proi_open_args){ "/tmp", PRO_OPEN_READ };
    start(&op, PRO_OP_FILE_OPEN, NULL, NULL, 0);
    CHECK_EQ(run(&op), PRO_E_IS_DIRECTORY);
    *(struct proi_open_args *)proi_op_args(&op) = (struct proi_open_args){ path, PRO_OPEN_READ };
    start(&op, PRO_OP_FILE_OPEN, NULL, NULL, 0);
    CHECK_EQ(run(&op), PRO_E_NOT_FOUND);
    CHECK_EQ(op.native, ENOENT);
    end();
}

/* Two reads at once, since one alone does not go through the ring; gives the first byte that is in @page then. */
static char first_byte_read(struct pro_handle *file, char *page, size_t size)
{
    struct pro_op ops[2] = { 0 };
    char other[1];

    start(&ops[0], PRO_OP_READ_AT, file, page, size);
    start(&ops[1], PRO_OP_READ_AT, file, other, sizeof other);
    wait_for(2);
    CHECK_EQ(ops[0].result, size);
    CHECK_EQ(ops[1].result, 1);
    CHECK_EQ(other[0], 'x');
    return page[0];
}

TEST(registered_memory_is_what_was_there_when_it_was_registered)
{
    /* Kills: a registered region that reads make no use of; one that is used after it was taken away. */
    enum { PAGE = 4096, PROTECTION = PROT_READ | PROT_WRITE, FLAGS = MAP_PRIVATE | MAP_ANONYMOUS };
    char path[] = "/tmp/proact-test-XXXXXX", text[PAGE];
    char *const page = mmap(NULL, PAGE, PROTECTION, FLAGS, -1, 0);
    const int fd = mkstemp(path);
    struct pro_handle file;

    REQUIRE(fd >= 0 && page != MAP_FAILED);
    memset(text, 'x', sizeof text);
    REQUIRE(write(fd, text, sizeof text) == sizeof text);
    begin(0);
    attach(&file, PROI_HANDLE_FILE, fd, PRO_OP_FILE_OPEN);
    REQUIRE(backend->type->register_memory(backend, page, PAGE) == PRO_OK);
    CHECK_EQ(first_byte_read(&file, page, PAGE), 'x');
    REQUIRE(mmap(page, PAGE, PROTECTION, FLAGS | MAP_FIXED, -1, 0) == page); /* other memory in the same place */
    CHECK_EQ(first_byte_read(&file, page, PAGE), 0);
    CHECK_EQ(backend->type->register_memory(backend, NULL, 0), PRO_OK);
    CHECK_EQ(first_byte_read(&file, page, PAGE), 'x');
    backend->type->release(backend, PROI_HANDLE_FILE, fd);
    unlink(path);
    munmap(page, PAGE);
    end();
}

static void wait_for_deadlines(void)
{
    const uint64_t now = proi_now();

    CHECK_EQ(wait_once(now + (uint64_t)PRO_MS(30), NULL), 0);
    CHECK(proi_now() - now >= (uint64_t)PRO_MS(30));
    CHECK_EQ(wait_once(0, NULL), 0);
    CHECK_EQ(wait_once(1, NULL), 0); /* long past */
    CHECK(proi_now() - now < (uint64_t)PRO_S(20));
}

TEST(deadline_ends_the_wait_and_zero_does_not_sleep)
{
    /* Kills: a deadline taken for a duration, or for another clock. */
    begin(0);
    wait_for_deadlines();
    end();
}

TEST(deadline_ends_the_wait_where_the_kernel_takes_durations_alone)
{
    /* Kills: a moment given to a kernel before Linux 6.12, to which it is a duration; a duration that counts from 0. */
    begin(0);
    ((struct uring *)(void *)backend)->absolute_timeout = 0;
    wait_for_deadlines();
    end();
}

/* In a time namespace of its own, whose monotonic clock is @offset_s ahead. Gives 1 when there is none to be had. */
static int wait_in_time_namespace(int offset_s)
{
    char offset[64];
    int fd, length, status = 1;
    pid_t child;

    if (unshare(CLONE_NEWTIME) < 0)
        return 1;
    fd = open("/proc/self/timens_offsets", O_WRONLY);
    length = snprintf(offset, sizeof offset, "monotonic %d 0", offset_s);
    if (fd < 0 || write(fd, offset, (size_t)length) != length)
        return 1;
    child = fork(); /* children are in it */
    if (child == 0) {
        begin(0);
        wait_for_deadlines();
        _exit(((struct uring *)(void *)backend)->absolute_timeout ? 2 : 0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

TEST(deadline_ends_the_wait_where_the_clock_is_not_the_hosts)
{
    /* Kills: a moment of the namespace's clock given to the kernel, which takes it for one of the host's: a wait that
       is longer by a day. */
    const pid_t child = fork();
    int status = 0;

    REQUIRE(child >= 0);
    if (child == 0)
        _exit(wait_in_time_namespace(86400));
    REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 1)
        SKIP("timens", "this process may not make a time namespace");
    CHECK_EQ(WEXITSTATUS(status), 0);
}

enum { WAKES = 20000 };
static uint32_t posted;

static void wake_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < WAKES; i++) {
        proi_fetch_add(&posted, 1, PROI_RELAXED);
        backend->type->wake(backend);
    }
}

/* By eventfd, by messages where the kernel takes them, or by whichever the processors suggest. */
enum way { BY_EVENT, BY_MESSAGE, BY_EITHER };

static void wake_by(enum way way)
{
    struct uring *const uring = (struct uring *)(void *)backend;

    if (way == BY_EVENT && uring->takes_messages)
        uring->takes_messages = false;
    else if (way == BY_MESSAGE)
        proi_store(&uring->cpu, UINT32_MAX, PROI_RELAXED);
}

TEST(wake_from_another_thread_is_never_lost)
{
    /* Kills: clearing the flag before the completion was seen, or after the inbox was read (the watchdog ends it). */
    struct proi_thread thread;

    for (enum way way = BY_EVENT; way <= BY_EITHER; way++) {
        begin(8);
        posted = 0;
        wake_by(way);
        REQUIRE(proi_thread_start(&thread, "waker", wake_often, NULL, 0) == PRO_OK);
        while (proi_load(&posted, PROI_RELAXED) < WAKES) {
            wait_once(UINT64_MAX, NULL);
            wake_by(way);
        }
        proi_thread_join(&thread);
        end();
    }
}

TEST(wakes_before_the_first_wait_count_as_one)
{
    /* Kills: a wake that is forgotten because nothing is armed yet; a system call for each wake; a wake by the
       other way than the one that was chosen. */
    for (enum way way = BY_EVENT; way <= BY_MESSAGE; way++) {
        uint64_t written = 0;

        begin(0);
        for (int times = 0; times < 2; times++) {
            wake_by(way);
            for (int i = 0; i < 10; i++)
                backend->type->wake(backend);
            CHECK_EQ(wait_once(UINT64_MAX, NULL), 0);
            CHECK_EQ(wait_once(proi_now() + (uint64_t)PRO_MS(20), NULL), 0);
        }
        if (read(((struct uring *)(void *)backend)->wake_fd, &written, sizeof written) < 0)
            CHECK_EQ(errno, EAGAIN);
        CHECK_EQ(written, way == BY_MESSAGE && ((struct uring *)(void *)backend)->takes_messages ? 0 : 2);
        wake_by(BY_EVENT);
        backend->type->wake(backend);
        CHECK_EQ(wait_once(UINT64_MAX, NULL), 0);
        end();
    }
}

TEST(wake_of_a_ring_that_is_not_bound_yet_is_not_lost)
{
    /* Kills: taking a refused message for sent. */
    const struct pro_loop_options options = { .entries = 8 };
    char reason[240] = "";

    if (proi_backend_uring.open(&options, &backend, reason, sizeof reason) != PRO_OK)
        SKIP("uring", reason);
    wake_by(BY_MESSAGE);
    backend->type->wake(backend);
    REQUIRE(backend->type->bind(backend) == PRO_OK);
    CHECK_EQ(wait_once(UINT64_MAX, NULL), 0);
    end();
}

TEST(a_look_where_nothing_happened_costs_no_system_call)
{
    /* Kills: entering the kernel each time; taking the first look, which arms the wake, for all. */
    uint64_t calls;

    begin(0);
    wait_once(0, NULL);
    calls = backend->type->system_calls(backend);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(wait_once(0, NULL), 0);
    CHECK_EQ(backend->type->system_calls(backend), calls);
    backend->type->wake(backend);
    wait_once(0, NULL);
    CHECK(backend->type->system_calls(backend) > calls); /* the kernel had something to tell */
    end();
}

TEST(looking_without_sleeping_finds_what_has_arrived)
{
    /* Kills: not entering the kernel when there is nothing to submit and nothing to wait for. */
    char in[8];
    struct pro_op recv = { 0 };

    begin(0);
    connect_ends();
    start(&recv, PRO_OP_RECV, &ends[1], in, sizeof in);
    CHECK_EQ(wait_once(0, NULL), 0);
    CHECK_EQ(send((int)ends[0].native, "abc", 3, 0), 3);
    while (!wait_once(0, NULL))
        ;
    CHECK_EQ(recv.result, 3);
    close_ends();
    end();
}

/* ---- refusals, each in a child; it writes the reason to a pipe ---- */

static int filter_ring(int answer)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int no_locked_memory(int unused)
{
    const struct rlimit none = { 0, 0 };

    (void)unused;
    return setrlimit(RLIMIT_MEMLOCK, &none) || setgroups(0, NULL) || setgid(65534) || setuid(65534);
}

/* Gives the code of open, the reason, or 1 when the child could not be prepared. */
static int open_in_child(int (*prepare)(int argument), int argument, char *ret_reason, size_t size)
{
    const struct pro_loop_options options = { 0 };
    int ends_of_pipe[2], status = 0;
    ssize_t length;
    pid_t child;

    REQUIRE(pipe(ends_of_pipe) == 0);
    child = fork();
    if (child == 0) {
        struct proi_backend *refused = NULL;
        int code = 1;

        if (prepare(argument) == 0)
            code = proi_backend_uring.open(&options, &refused, ret_reason, size);
        if (write(ends_of_pipe[1], ret_reason, strlen(ret_reason)) < 0)
            _exit(1);
        _exit(code > 0 ? 1 : -code);
    }
    close(ends_of_pipe[1]);
    length = read(ends_of_pipe[0], ret_reason, size - 1);
    ret_reason[length > 0 ? length : 0] = 0;
    close(ends_of_pipe[0]);
    REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status) == 1 ? 1 : -WEXITSTATUS(status);
}

TEST(refusal_says_in_a_sentence_what_to_change)
{
    /* Kills: an error passed on as a number, or taken for a success. */
    char reason[240] = "";

    CHECK_EQ(open_in_child(filter_ring, ENOSYS, reason, sizeof reason), PRO_E_NOT_SUPPORTED);
    CHECK(strstr(reason, "ENOSYS") && strstr(reason, "seccomp"));
    reason[0] = 0;
    CHECK_EQ(open_in_child(filter_ring, EPERM, reason, sizeof reason), PRO_E_NOT_SUPPORTED);
    CHECK(strstr(reason, "EPERM") && (strstr(reason, "seccomp") || strstr(reason, "io_uring_disabled")));
    reason[0] = 0;
    CHECK_EQ(open_in_child(filter_ring, EINVAL, reason, sizeof reason), PRO_E_NOT_SUPPORTED);
    CHECK(strstr(reason, "6.1"));
    reason[0] = 0;
    CHECK_EQ(open_in_child(filter_ring, EMFILE, reason, sizeof reason), PRO_E_TOO_MANY_FILES);
    CHECK(strstr(reason, "open files"));
}

TEST(ring_that_no_locked_memory_is_left_for_is_refused)
{
    /* Kills: halving the entries for ever. */
    char reason[240] = "";
    int code;

    if (geteuid() != 0)
        SKIP(NULL, "only root can become somebody whose locked memory is limited");
    code = open_in_child(no_locked_memory, 0, reason, sizeof reason);
    if (code == PRO_OK)
        SKIP(NULL, "this kernel does not charge rings to locked memory");
    CHECK_EQ(code, PRO_E_NOT_SUPPORTED);
    CHECK(strstr(reason, "ulimit -l"));
}
