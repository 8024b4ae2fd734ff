/* SPDX-License-Identifier: MIT */
/* What a file is, on both backends of Linux: something with offsets. */
#include <proact/proact.h>

#include <sys/stat.h>
#include <unistd.h>

#include "harness_system.h"
#include "loops.h"

static void check_open(const char *backend)
{
    static const char path[] = "linux_open.tmp";
    struct pro_loop *loop;
    struct pro_op op = { 0 };
    struct pro_file file;
    char bytes[16];

    if (test_backend_refusal(backend))
        SKIP(backend, test_backend_refusal(backend));
    (void)unlink(path);
    REQUIRE(mkfifo(path, 0600) == 0);
    loop = loop_on(backend, "open", false);
    /* For both directions, so that opening it waits for nobody. */
    CHECK_EQ(loop_answer(loop, pro_file_open(&op, loop, path, PRO_OPEN_READ | PRO_OPEN_WRITE, &file, PRO_HOW_DEFAULT)),
             PRO_E_BAD_HANDLE);
    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, "/dev/zero", PRO_OPEN_READ, &file, PRO_HOW_DEFAULT)) == PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, &file, bytes, sizeof bytes, 4096, PRO_HOW_DEFAULT)), 16);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, &file)), PRO_OK);
    loop_end(loop);
    (void)unlink(path);
}

TEST(io_uring_opens_a_device_with_offsets_but_no_pipe)
{
    /* Kills: a pipe that opens as a file; what several reads took from it would lie in the copy in any order. */
    check_open("uring");
}

TEST(epoll_opens_a_device_with_offsets_but_no_pipe)
{
    /* Kills: one that opens here and fails only when it is read; or every device refused. */
    check_open("epoll");
}
