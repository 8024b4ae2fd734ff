/* SPDX-License-Identifier: MIT */
/* Files that are read so often that the ring knows them by a place in its own table. */
#include <proact/proact.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness_system.h"
#include "linux/uring.h"
#include "loops.h"
#include "proactor/internal.h"

enum { FILES = URING_PLACES + 6, BLOCK = 512, AT_ONCE = 4, READS = 100 };

static struct file {
    struct pro_file file;
    char path[40];
    char fill;
} files[FILES];
static struct pro_op ops[AT_ONCE];
static char blocks[AT_ONCE][BLOCK];

static void file_open(struct pro_loop *loop, struct file *it, unsigned number, char fill)
{
    struct pro_op op = { 0 };
    char block[BLOCK];
    int other;

    it->fill = fill;
    snprintf(it->path, sizeof it->path, "linux_uring_files.%u.tmp", number);
    /* Not through the ring: a worker of the kernel's may write, and holds the file for a while after it has answered.
     */
    other = open(it->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset(block, fill, sizeof block);
    REQUIRE(other >= 0 && write(other, block, sizeof block) == BLOCK && close(other) == 0);
    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, it->path, PRO_OPEN_READ, &it->file, PRO_HOW_DEFAULT)) == PRO_OK);
}

static void ignore(struct pro_op *op) { (void)op; }

/* Several at once: one alone needs no ring. Gives how many blocks were another file's. */
static unsigned file_read_often(struct pro_loop *loop, const struct file *it)
{
    unsigned wrong = 0;

    for (int times = 0; times < READS / AT_ONCE; times++) {
        memset(blocks, 0, sizeof blocks);
        for (int i = 0; i < AT_ONCE; i++)
            CHECK_EQ(pro_then(pro_read_at(&ops[i], &it->file, blocks[i], BLOCK, 0, PRO_HOW_DEFAULT), ignore), PRO_OK);
        for (int i = 0; i < AT_ONCE; i++) {
            while (ops[i].state != PRO_OP_IDLE)
                REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
            CHECK_EQ(ops[i].result, BLOCK);
            wrong += blocks[i][0] != it->fill || blocks[i][BLOCK - 1] != it->fill;
        }
    }
    return wrong;
}

/* A lock goes with the last reference to what was opened: who gets it afterwards proves that there is none. */
static void file_lock(const struct file *it) { REQUIRE(flock((int)it->file.handle->native, LOCK_EX) == 0); }

static void file_is_closed(const struct file *it)
{
    const int other = open(it->path, O_RDONLY | O_CLOEXEC);

    REQUIRE(other >= 0);
    CHECK_EQ(flock(other, LOCK_EX | LOCK_NB) == 0 ? 0 : errno, 0);
    (void)close(other);
    remove(it->path);
}

static void file_close(struct pro_loop *loop, const struct file *it)
{
    struct pro_op op = { 0 };

    file_lock(it);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, &it->file)), PRO_OK);
    file_is_closed(it);
}

static struct pro_loop *loop_of_uring(void)
{
    if (test_backend_refusal("uring"))
        SKIP("uring", test_backend_refusal("uring"));
    return loop_on("uring", "files", false);
}

/* Older kernels keep what leaves the table for a while: then nothing comes into it. */
static bool has_table(const struct pro_loop *loop)
{
    return ((struct uring *)(void *)loop->backend)->ring.features & 1 << 16;
}

TEST(files_that_are_read_often_are_told_apart_and_let_go_when_they_are_closed)
{
    /* Kills: a place that is given to two files, or named after its file has left it; a table that is full taken for an
       error; a file that stays open in the table. */
    struct pro_loop *const loop = loop_of_uring();
    unsigned named = 0;

    for (unsigned i = 0; i < FILES; i++) {
        file_open(loop, &files[i], i, (char)('A' + i));
        CHECK_EQ(file_read_often(loop, &files[i]), 0);
    }
    for (unsigned i = 0; i < FILES; i++) {
        CHECK_EQ(file_read_often(loop, &files[i]), 0);
        named += files[i].file.handle->backend[2] > 64;
    }
    CHECK_EQ(named, has_table(loop) ? URING_PLACES : 0);
    for (unsigned i = 0; i < FILES; i += 2) {
        file_close(loop, &files[i]);
        file_open(loop, &files[i], i, (char)('a' + i % 26));
        CHECK_EQ(file_read_often(loop, &files[i]), 0);
        CHECK_EQ(file_read_often(loop, &files[i + 1]), 0);
    }
    for (unsigned i = 0; i < FILES; i++)
        file_close(loop, &files[i]);
    loop_end(loop);
}

TEST(a_file_that_was_read_often_is_closed_with_its_loop)
{
    /* Kills: leaving it to the kernel, which takes a ring apart when it has time. */
    struct pro_loop *const loop = loop_of_uring();

    file_open(loop, &files[0], 0, 'x');
    CHECK_EQ(file_read_often(loop, &files[0]), 0);
    file_lock(&files[0]);
    loop_end(loop);
    file_is_closed(&files[0]);
}

TEST(the_table_does_not_change_the_limit_of_open_files)
{
    /* Kills: raising the limit for a table that is larger; no table taken for an error. */
    enum { FEW = 40 };
    struct pro_loop *const loop = loop_of_uring();
    struct rlimit before, after;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ FEW, before.rlim_max }) == 0);
    file_open(loop, &files[0], 0, 'x');
    CHECK_EQ(file_read_often(loop, &files[0]), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    CHECK_EQ(after.rlim_cur, FEW);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    file_close(loop, &files[0]);
    loop_end(loop);
}
