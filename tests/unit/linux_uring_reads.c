/* SPDX-License-Identifier: MIT */
/* Reads that io_uring's backend answers out of the page cache without its ring. */
#include <proact/proact.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness_system.h"
#include "loops.h"

enum { BLOCK = 4096, BLOCKS = 16, READS_MOST = 64 };

static const char path[] = "linux_uring_reads.tmp";

static struct pro_loop *loop_of_uring(void)
{
    if (test_backend_refusal("uring"))
        SKIP("uring", test_backend_refusal("uring"));
    return loop_on("uring", "reads", false);
}

static struct pro_file file_of(struct pro_loop *loop)
{
    static char block[BLOCK];
    struct pro_op op = { 0 };
    struct pro_file file;

    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, path, PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE, &file,
                                            PRO_HOW_DEFAULT)) == PRO_OK);
    for (unsigned i = 0; i < BLOCKS; i++) {
        memset(block, 'a' + (int)i, sizeof block);
        REQUIRE(loop_answer(loop, pro_write_at(&op, &file, block, sizeof block, (uint64_t)i * BLOCK,
                                               PRO_HOW_DEFAULT)) == BLOCK);
    }
    return file;
}

static void close_and_end(struct pro_loop *loop, const struct pro_file *file)
{
    struct pro_op op = { 0 };

    CHECK_EQ(loop_answer(loop, pro_file_close(&op, file)), PRO_OK);
    loop_end(loop);
    remove(path);
}

TEST(one_read_after_the_other_gives_what_was_written_and_nothing_at_the_end)
{
    /* Kills: a read that is answered from another place, or short, or twice; the end of the file taken for an error. */
    struct pro_loop *const loop = loop_of_uring();
    const struct pro_file file = file_of(loop);
    static char block[2 * BLOCK];
    struct pro_op op = { 0 };

    for (unsigned i = 0; i < 4 * BLOCKS; i++) {
        const unsigned at = i * 7 % BLOCKS;

        CHECK_EQ(loop_answer(loop, pro_read_at(&op, &file, block, BLOCK, (uint64_t)at * BLOCK, PRO_HOW_DEFAULT)),
                 BLOCK);
        CHECK_EQ(op.transferred, BLOCK);
        CHECK(block[0] == 'a' + (char)at && block[BLOCK - 1] == 'a' + (char)at);
    }
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, &file, block, 2 * BLOCK, (BLOCKS - 1) * BLOCK, PRO_HOW_DEFAULT)),
             BLOCK);
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, &file, block, BLOCK, BLOCKS * BLOCK, PRO_HOW_DEFAULT)), 0);
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, &file, block, BLOCK, 0, PRO_HOW_DEFAULT)), BLOCK);
    CHECK_EQ(block[0], 'a');
    close_and_end(loop, &file);
}

struct reading {
    struct pro_op op;
    const struct pro_file *file;
    unsigned reads;
    bool stop;
    char block[BLOCK];
};

static void read_again(struct pro_op *op)
{
    struct reading *const it = PRO_CONTAINER(op, struct reading, op);

    CHECK_EQ(op->result, BLOCK);
    if (!it->stop && ++it->reads < 100 * READS_MOST)
        CHECK_EQ(pro_then(pro_read_at(op, it->file, it->block, BLOCK, 0, PRO_HOW_DEFAULT), read_again), PRO_OK);
}

/* A socket of the system's own, connected to @server of the loop. */
static int connect_natively(struct pro_loop *loop, struct pro_socket *server)
{
    struct pro_addr addr = pro_addr_loopback(0);
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct pro_socket listener;
    struct pro_op op = { 0 };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0);
    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
    to.sin_port = htons(addr.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
    REQUIRE(loop_answer(loop, pro_accept(&op, &listener, server, PRO_HOW_DEFAULT)) == PRO_OK);
    return fd;
}

TEST(reads_out_of_the_page_cache_do_not_keep_the_kernels_completions_waiting)
{
    /* Kills: a backend that never enters the kernel as long as reads succeed without. */
    struct pro_loop *const loop = loop_of_uring();
    const struct pro_file file = file_of(loop);
    struct reading reading = { .file = &file };
    struct heard heard = { { 0 }, 0 };
    struct pro_op recv = { .user = &heard };
    struct pro_socket server;
    const int fd = connect_natively(loop, &server);
    char byte = 0;

    REQUIRE(pro_then(pro_recv(&recv, &server, &byte, 1, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0); /* the kernel has it */
    REQUIRE(pro_then(pro_read_at(&reading.op, &file, reading.block, BLOCK, 0, PRO_HOW_DEFAULT), read_again) == PRO_OK);
    REQUIRE(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
    while (!gate_count(&heard.gate) && reading.reads < 50 * READS_MOST)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK(reading.reads <= READS_MOST);
    CHECK_EQ(heard.result, 1);
    CHECK_EQ(byte, 'x');
    reading.stop = true;
    close(fd);
    REQUIRE(pro_loop_run(loop) == PRO_OK);
    close_and_end(loop, &file);
}
