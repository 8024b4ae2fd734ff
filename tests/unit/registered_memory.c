/* SPDX-License-Identifier: MIT */
/* Memory that a loop was told of: files are read into it, and written from it, as into and from any other. (That
 * io_uring really makes use of it: linux_uring.c.) */
#include <proact/proact.h>

#include <string.h>

#include "loops.h"
#include "platform.h"
#include "told.h"

enum { REGION = 8192, LENGTH = 3000 };

static const char path[] = "registered_memory.tmp";

/* The region lies in the middle: a transfer may begin before it, or end behind it. */
static char memory[3 * REGION], pattern[LENGTH];

static struct pro_file open_file(struct pro_loop *loop)
{
    struct pro_op op = { 0 };
    struct pro_file file;

    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, path,
                                            PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE, &file,
                                            PRO_HOW_DEFAULT)) == PRO_OK);
    return file;
}

/* Writes from @from, reads into @to. Two reads at once: one alone would take another way. */
static void there_and_back(struct pro_loop *loop, const struct pro_file *file, size_t from, size_t to, int seed)
{
    struct pro_op write = { 0 }, read = { 0 }, other = { 0 };
    struct heard heard = { { 0 }, 0 };
    char byte;

    for (int i = 0; i < LENGTH; i++)
        pattern[i] = (char)(i * 7 + seed);
    memcpy(memory + from, pattern, LENGTH);
    CHECK_EQ(loop_answer(loop, pro_write_at(&write, file, memory + from, LENGTH, 5, PRO_HOW_DEFAULT)), LENGTH);
    memset(memory, 0, sizeof memory);
    other.user = &heard;
    REQUIRE(pro_then(pro_read_at(&other, file, &byte, 1, 5, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_read_at(&read, file, memory + to, LENGTH, 5, PRO_HOW_DEFAULT)), LENGTH);
    while (!gate_count(&heard.gate))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    CHECK_EQ(heard.result, 1);
    CHECK_EQ(byte, pattern[0]);
    CHECK(memcmp(memory + to, pattern, LENGTH) == 0);
    for (size_t i = 0; i < sizeof memory; i++)
        if (i < to || i >= to + LENGTH)
            REQUIRE(memory[i] == 0);
}

static void all_places(struct pro_loop *loop, const struct pro_file *file)
{
    static const size_t places[] = { 100,          REGION - LENGTH / 2, REGION,
                                     REGION + 100, 2 * REGION - LENGTH, 2 * REGION - LENGTH / 2,
                                     2 * REGION };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        there_and_back(loop, file, places[i], places[sizeof places / sizeof *places - 1 - i], (int)i);
}

TEST(files_are_read_into_and_written_from_memory_inside_outside_and_across_a_region)
{
    /* Kills: a region whose ends are looked at wrongly; an old region that is still meant after another, or after none.
     */
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct pro_file file = open_file(loop);
        struct pro_op op = { 0 };

        CHECK_EQ(pro_loop_register_memory(loop, memory + REGION, REGION), PRO_OK);
        all_places(loop, &file);
        CHECK_EQ(pro_loop_register_memory(loop, memory, REGION), PRO_OK);
        all_places(loop, &file);
        CHECK_EQ(pro_loop_register_memory(loop, NULL, 0), PRO_OK);
        CHECK_EQ(pro_loop_register_memory(loop, NULL, 0), PRO_OK);
        all_places(loop, &file);
        CHECK_EQ(pro_loop_register_memory(loop, memory, sizeof memory), PRO_OK); /* and the loop ends with it */
        CHECK_EQ(loop_answer(loop, pro_file_close(&op, &file)), PRO_OK);
        loop_end(loop);
        remove(path);
    }
}

static void register_elsewhere(void *arg) { CHECK_EQ(pro_loop_register_memory(arg, memory, REGION), PRO_E_WRONG_LOOP); }

TEST(a_region_is_named_on_the_loops_thread_and_has_a_limit)
{
    /* Kills: a region given to a ring that another thread is using. */
    struct pro_loop *const loop = loop_new();
    struct proi_thread thread;

    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    told_listen();
    REQUIRE(proi_thread_start(&thread, "stranger", register_elsewhere, loop, 0) == PRO_OK);
    proi_thread_join(&thread);
    CHECK_EQ(told_count(), 1);
    told_stop();
    CHECK_EQ(pro_loop_register_memory(loop, memory, ((size_t)1 << 30) + 1), PRO_E_TOO_LARGE);
    loop_end(loop);
}
