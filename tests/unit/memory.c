/* SPDX-License-Identifier: MIT */
/* The allocator the user sets, and the type-stable blocks on top of it. */
#include "harness.h"
#include "platform.h"

#include <stdlib.h>

/* Counts, refuses when told to, and knows each base address that it gave out. */
enum { KNOWN_MOST = 4096 };
static struct {
    struct proi_mutex lock;
    void *known[KNOWN_MOST];
    size_t live, calls, strangers;
    bool refuse;
} counted;

static void *counted_allocate(size_t size, void *user)
{
    void *block = counted.refuse ? NULL : malloc(size);

    (void)user;
    proi_lock(&counted.lock);
    counted.calls++;
    for (size_t i = 0; block && i < KNOWN_MOST; i++)
        if (!counted.known[i]) {
            counted.known[i] = block;
            counted.live++;
            break;
        }
    proi_unlock(&counted.lock);
    return block;
}

static void counted_release(void *block, void *user)
{
    bool known = false;

    (void)user;
    proi_lock(&counted.lock);
    for (size_t i = 0; i < KNOWN_MOST && !known; i++)
        if (counted.known[i] == block) {
            counted.known[i] = NULL;
            counted.live--;
            known = true;
        }
    counted.strangers += !known;
    proi_unlock(&counted.lock);
    free(block);
}

static void *counted_resize(void *block, size_t size, void *user)
{
    void *moved = counted_allocate(size, user);

    if (moved && block) {
        memcpy(moved, block, size);
        counted_release(block, user);
    }
    return moved;
}

static void counted_begin(void)
{
    static const struct pro_allocator allocator = { counted_allocate, counted_resize, counted_release, NULL };

    pro_memory_trim();
    memset(&counted, 0, sizeof counted);
    REQUIRE(pro_set_allocator(&allocator) == PRO_OK);
}

static void counted_end(void)
{
    pro_memory_trim();
    CHECK_EQ(counted.live, 0);
    CHECK_EQ(counted.strangers, 0);
    pro_set_allocator(NULL);
}

TEST(block_can_be_written_to_its_last_byte_in_every_class)
{
    /* Kills: a class that is one byte, or one step, too small; a link word inside the block. */
    static const size_t sizes[] = { 1,    63,   64,   65,   128,  129,   960,   961,   1023,   1024,   1025,
                                    2048, 2049, 4096, 4097, 8192, 65535, 65536, 65537, 131072, 1048577 };
    enum { COUNT = sizeof sizes / sizeof *sizes };
    unsigned char *blocks[COUNT][2];

    for (size_t i = 0; i < COUNT; i++)
        for (int j = 0; j < 2; j++) {
            blocks[i][j] = proi_block_alloc(sizes[i]);
            REQUIRE(blocks[i][j]);
            memset(blocks[i][j], (int)(2 * i) + j, sizes[i]);
        }
    for (size_t i = 0; i < COUNT; i++)
        for (int j = 0; j < 2; j++) {
            for (size_t k = 0; k < sizes[i]; k++)
                if (blocks[i][j][k] != (unsigned char)(2 * i + (size_t)j)) {
                    test_fail(__FILE__, __LINE__, "a block of %u bytes was overwritten at %u", (unsigned)sizes[i],
                              (unsigned)k);
                    break;
                }
            proi_block_free(blocks[i][j], sizes[i]);
        }
}

TEST(block_that_was_freed_keeps_its_first_64_bytes)
{
    /* Kills: a link word at the front of a free block. */
    enum { SIZE = 64, COUNT = 100 };
    unsigned char *blocks[COUNT], expected[SIZE];

    for (int i = 0; i < COUNT; i++) {
        blocks[i] = proi_block_alloc(SIZE);
        REQUIRE(blocks[i]);
        memset(blocks[i], i, SIZE);
    }
    for (int i = 0; i < COUNT; i++)
        proi_block_free(blocks[i], SIZE);
    for (int i = 0; i < COUNT; i++) {
        memset(expected, i, SIZE);
        CHECK(memcmp(blocks[i], expected, SIZE) == 0);
    }
}

TEST(block_is_used_again_by_the_thread_that_freed_it)
{
    /* Kills: freeing to the allocator instead of the list; filing a block under another class than it is taken from. */
    static const size_t sizes[] = { 1, 64, 200, 1024, 1500, 60000, 70000, 300000 };

    counted_begin();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = proi_block_alloc(sizes[i]);
        const size_t calls = counted.calls;

        for (int round = 0; round < 100; round++) {
            proi_block_free(block, sizes[i]);
            CHECK(proi_block_alloc(sizes[i]) == block);
        }
        CHECK_EQ(counted.calls, calls);
        proi_block_free(block, sizes[i]);
    }
    counted_end();
}

enum { MOVED = 1000, MOVED_SIZE = 96 };
static void *moved[MOVED];

static void free_moved(void *arg)
{
    (void)arg;
    for (int i = 0; i < MOVED; i++)
        proi_block_free(moved[i], MOVED_SIZE);
}

TEST(blocks_freed_by_a_thread_that_ended_come_back_without_an_allocation)
{
    /* Kills: leaving out the flush at thread exit; a batch that loses its tail when it is spliced into the shared list.
     */
    struct proi_thread thread;
    size_t calls;

    counted_begin();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MOVED; i++)
            REQUIRE((moved[i] = proi_block_alloc(MOVED_SIZE)) != NULL);
        REQUIRE(proi_thread_start(&thread, "freer", free_moved, NULL, 0) == PRO_OK);
        proi_thread_join(&thread);
        if (round == 0)
            calls = counted.calls;
    }
    CHECK_EQ(counted.calls, calls + 2); /* the start records of two more threads */
    for (int i = 0; i < MOVED; i++)
        moved[i] = proi_block_alloc(MOVED_SIZE);
    CHECK_EQ(counted.calls, calls + 2);
    free_moved(NULL);
    counted_end();
}

static uint32_t freed_many, may_end;

static void free_moved_and_stay(void *arg)
{
    free_moved(arg);
    proi_store(&freed_many, 1, PROI_RELEASE);
    proi_wake_all(&freed_many);
    while (!proi_load(&may_end, PROI_ACQUIRE))
        proi_wait(&may_end, 0, PRO_INFINITE);
}

TEST(thread_that_only_frees_keeps_no_more_than_two_batches)
{
    /* Kills: a thread's list without a bound. */
    struct proi_thread thread;
    size_t calls;

    counted_begin();
    for (int i = 0; i < MOVED; i++)
        REQUIRE((moved[i] = proi_block_alloc(MOVED_SIZE)) != NULL);
    freed_many = may_end = 0;
    REQUIRE(proi_thread_start(&thread, "freer", free_moved_and_stay, NULL, 0) == PRO_OK);
    while (!proi_load(&freed_many, PROI_ACQUIRE))
        proi_wait(&freed_many, 0, PRO_INFINITE);
    calls = counted.calls;
    for (int i = 0; i < MOVED; i++)
        REQUIRE((moved[i] = proi_block_alloc(MOVED_SIZE)) != NULL);
    CHECK(counted.calls - calls <= 64);
    CHECK(counted.calls - calls > 0); /* it does keep some: else this test tests nothing */
    proi_store(&may_end, 1, PROI_RELEASE);
    proi_wake_all(&may_end);
    proi_thread_join(&thread);
    free_moved(NULL);
    counted_end();
}

TEST(trim_gives_every_block_back_at_its_own_address)
{
    /* Kills: trim that skips a class, the spare batch or the shared lists; a block released at another address. */
    void *blocks[300];

    counted_begin();
    for (size_t size = 1; size < 300000; size = size * 2 + 7) {
        for (int i = 0; i < 300; i++)
            REQUIRE((blocks[i] = proi_block_alloc(size)) != NULL);
        for (int i = 0; i < 300; i++)
            proi_block_free(blocks[i], size);
        CHECK(counted.live > 0);
        pro_memory_trim();
        CHECK_EQ(counted.live, 0);
    }
    counted_end();
}

TEST(allocation_that_is_refused_is_null_and_loses_nothing)
{
    /* Kills: using the block before looking whether there is one. */
    counted_begin();
    counted.refuse = true;
    CHECK(!proi_alloc(10));
    CHECK(!proi_alloc_zeroed(10));
    CHECK(!proi_block_alloc(10));
    CHECK(!proi_block_alloc(100000));
    CHECK(!proi_block_alloc(SIZE_MAX));
    proi_free(NULL);
    proi_block_free(NULL, 10);
    counted_end();
}

static int told_code;

static void note_misuse(int code, const char *sentence, void *user)
{
    (void)sentence, (void)user;
    told_code = code;
}

TEST(allocator_without_one_of_its_functions_is_refused_and_told)
{
    /* Kills: the check in pro_set_allocator(). */
    const struct pro_allocator half = { counted_allocate, NULL, counted_release, NULL };

    pro_set_misuse_handler(note_misuse, NULL);
    told_code = 0;
    CHECK_EQ(pro_set_allocator(&half), PRO_E_INVALID);
    CHECK_EQ(told_code, PRO_E_INVALID);
    pro_set_misuse_handler(NULL, NULL);
}

TEST(zeroed_allocation_is_zero)
{
    /* Kills: the memset. */
    for (int round = 0; round < 10; round++) {
        unsigned char *block = proi_alloc_zeroed(1000);

        REQUIRE(block);
        for (int i = 0; i < 1000; i++)
            CHECK(block[i] == 0);
        memset(block, 0xff, 1000);
        proi_free(block);
    }
}
