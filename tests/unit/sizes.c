/* SPDX-License-Identifier: MIT */
/* What things weigh, held to the table in docs/performance-sizes.md: the structures, and what the allocator is asked
 * for when there are many of them. Who makes something larger on purpose changes the table and this test. */
#include "proactor/internal.h"

#include <proact/proact.h>

#include <stdlib.h>

#include "harness.h"

/* ---- an allocator that counts what is out ---- */
static size_t bytes_out, calls;

static void *count_allocate(size_t size, void *unused)
{
    size_t *const block = malloc(sizeof(max_align_t) + size);

    (void)unused;
    if (!block)
        return NULL;
    *block = size;
    bytes_out += size;
    calls++;
    return (char *)block + sizeof(max_align_t);
}

static void count_release(void *block, void *unused)
{
    size_t *const start = block ? (size_t *)(void *)((char *)block - sizeof(max_align_t)) : NULL;

    (void)unused;
    if (start)
        bytes_out -= *start;
    free(start);
}

static void *count_resize(void *block, size_t size, void *unused)
{
    void *const larger = count_allocate(size, unused);
    const size_t *const start = block ? (const size_t *)(const void *)((char *)block - sizeof(max_align_t)) : NULL;

    if (larger && start) {
        memcpy(larger, block, *start < size ? *start : size);
        count_release(block, unused);
    }
    return larger;
}

__attribute__((constructor)) static void count_from_the_start(void)
{
    static const struct pro_allocator allocator = { .allocate = count_allocate,
                                                    .resize = count_resize,
                                                    .release = count_release };

    pro_set_allocator(&allocator);
}

static void at_most(const char *what, size_t size, size_t most)
{
    test_note("%-44s %6zu bytes, at most %zu", what, size, most);
    if (size > most)
        test_fail(__FILE__, __LINE__, "%s: %zu bytes, and %zu are allowed", what, size, most);
}

enum { MANY = 10000 }; /* so that what is left of the last slab is less than four bytes for each */

static struct pro_loop *loop_new(void)
{
    const struct pro_loop_options options = { .backend = "sim" };
    struct pro_loop *loop = NULL;

    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    return loop;
}

/* An operation, and the block of a method that awaits one, where an OVERLAPPED must lie in it, and elsewhere. */
enum { OPERATION = PRO_OP_SCRATCH_ > 2 ? 184 : 152, BLOCK = PRO_OP_SCRATCH_ > 2 ? 416 : 384 };

/* ---- the structures ---- */
TEST(the_structures_are_no_larger_than_the_table_says)
{
    /* Kills: a member more in what there are many of. */
    at_most("struct pro_op: an operation, a timer", sizeof(struct pro_op), OPERATION);
    at_most("struct proi_limit: its deadline, its token", sizeof(struct proi_limit), 64);
    at_most("struct pro_work", sizeof(struct pro_work), 24);
    at_most("struct pro_socket, struct pro_file", sizeof(struct pro_socket), 16);
    at_most("struct pro_how", sizeof(struct pro_how), 24);
    at_most("struct pro_lease", sizeof(struct pro_lease), 24);
    at_most("struct pro_task", PRO_TASK_SIZE_, 128);
    at_most("struct pro_continuation", sizeof(struct pro_continuation), 56);
    at_most("struct pro_frame: the head of a frame", sizeof(struct pro_frame), 104);
    at_most("struct pro_handle: an open socket or file", sizeof(struct pro_handle), 64);
    at_most("struct proi_wheel: a loop's timers", sizeof(struct proi_wheel), 15560);
    at_most("struct pro_loop", sizeof(struct pro_loop), 800);
}

TEST(what_cancelling_a_timer_touches_is_64_bytes_and_what_every_operation_touches_128)
{
    /* Kills: an order of members that costs a cache miss more for each timer, or operation. */
    CHECK(offsetof(struct pro_op, timer.moment_ns) <= 64);
    CHECK_EQ(offsetof(struct pro_op, deadline_ns), PRO_OP_SCRATCH_ > 2 ? 160 : 128);
}

/* ---- what the allocator is asked for ---- */
TEST(a_task_without_a_method_weighs_what_the_table_says)
{
    /* Kills: a second block for each task; a header that outgrew its class of blocks. */
    static struct pro_completion_source *sources[MANY];
    static struct pro_task *tasks[MANY];
    size_t before;

    pro_memory_trim();
    before = bytes_out;
    for (int i = 0; i < MANY; i++) {
        REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &sources[i]) == PRO_OK);
        tasks[i] = pro_completion_source_task(sources[i]);
    }
    at_most("a completion source and its idle task", (bytes_out - before) / MANY, 226);
    before = bytes_out;
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(pro_completion_source_set_result(sources[i], NULL, PRO_NO_RESULT), PRO_OK);
        pro_completion_source_free(sources[i]);
        pro_task_unref(tasks[i]);
    }
    for (int i = 0; i < MANY; i++) /* from the lists now: nothing more is asked for */
        REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &sources[i]) == PRO_OK);
    CHECK_EQ(bytes_out, before);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(pro_completion_source_set_result(sources[i], NULL, PRO_NO_RESULT), PRO_OK);
        pro_completion_source_free(sources[i]);
    }
}

struct idle {
    PRO_FRAME;
    struct pro_op op;
};

PRO_ASYNC(idle_move_next, struct idle, self)
    PRO_AWAIT_STATUS(pro_sleep(&self->op, NULL, PRO_S(60), PRO_HOW_DEFAULT));
PRO_ASYNC_END

static struct pro_task *idle_async(void)
{
    struct idle *self = PRO_NEW_FRAME_VOID(struct idle, idle_move_next);

    return self ? PRO_START(self) : pro_task_no_memory();
}

static struct pro_task *tasks[MANY];

static void start_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < MANY; i++)
        tasks[i] = idle_async();
}

/* What the allocator is asked for MANY of them: bytes, and calls. */
static void suspend_many(size_t *ret_bytes, size_t *ret_calls)
{
    struct pro_loop *const loop = loop_new();

    CHECK_EQ(pro_loop_post(loop, start_many, NULL), PRO_OK);
    *ret_bytes = bytes_out;
    *ret_calls = calls;
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    *ret_bytes = bytes_out - *ret_bytes;
    *ret_calls = calls - *ret_calls;
    CHECK_EQ(pro_loop_free(loop), PRO_OK); /* ends the sleeps */
    for (int i = 0; i < MANY; i++) {
        CHECK(pro_task_is_completed(tasks[i]));
        pro_task_unref(tasks[i]);
    }
    pro_memory_trim();
}

TEST(a_suspended_method_with_one_operation_weighs_what_the_table_says)
{
    /* Kills: a block for each await; a frame apart from its task; slabs with something between their blocks. */
    size_t bytes, asked;

    pro_memory_trim();
    suspend_many(&bytes, &asked);
    at_most("an async method that awaits one operation", bytes / MANY, BLOCK + 3);
    if (!PROI_BLOCKS_ARE_APART)
        CHECK(asked <= 4 + (size_t)MANY * BLOCK / 32000); /* slabs: 2, 4, 8 and 16 KiB, then of 32 */
    proi_slabs_of_one = true;
    suspend_many(&bytes, &asked);
    proi_slabs_of_one = false;
    CHECK_EQ(asked, MANY); /* one block each */
}

static void on_over(struct pro_op *op) { (void)op; }

TEST(an_armed_timer_weighs_nothing_but_its_operation)
{
    /* Kills: an allocation when a timer is armed. */
    static struct pro_op ops[MANY];
    struct pro_loop *const loop = loop_new();
    const size_t before = calls;

    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pro_then(pro_sleep(&ops[i], loop, PRO_S(60), PRO_HOW_DEFAULT), on_over), PRO_OK);
    CHECK_EQ(calls, before);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

/* What the allocator is asked for, and keeps out, when MANY listeners are opened and their loop is freed. */
static size_t kept_of_many_listeners(void)
{
    struct pro_loop *const loop = loop_new();
    const struct pro_addr addr = pro_addr_loopback(0);
    const size_t before = bytes_out;
    struct pro_socket listener;
    size_t grown;

    for (int i = 0; i < MANY; i++) {
        REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
        CHECK_EQ((uintptr_t)listener.handle % 64, 0);
    }
    grown = bytes_out - before;
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    return grown;
}

TEST(an_open_handle_is_one_cache_line_and_weighs_what_the_table_says)
{
    /* Kills: an allocation, and its header, for each handle; a handle that lies in two lines. */
    const size_t fresh = kept_of_many_listeners(), again = kept_of_many_listeners();

    at_most("an open handle, of its slab", (fresh - again) / MANY, 66);
}

TEST(a_loop_weighs_what_the_table_says)
{
    /* Kills: a table for each loop that few need. */
    const size_t before = bytes_out;
    const struct pro_loop_options options = { .backend = "sim" };
    struct pro_loop *loops[8];

    for (int i = 0; i < 8; i++)
        REQUIRE(pro_loop_new(&options, &loops[i]) == PRO_OK);
    at_most("a loop on the simulated kernel", (bytes_out - before) / 8, 17200);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pro_loop_free(loops[i]), PRO_OK);
}
