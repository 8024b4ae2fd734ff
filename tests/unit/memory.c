/* SPDX-License-Identifier: MIT */
/* The allocator the user sets, and the type-stable blocks on top of it. */
#include "harness.h"
#include "platform.h"

#include <stdlib.h>

/* Counts, refuses when told to, and knows each base address that it gave out. No byte of what it gives is zero. */
enum { KNOWN_MOST = 4096 };
static struct {
    struct proi_mutex lock;
    void *known[KNOWN_MOST];
    size_t live, calls, bytes, strangers;
    size_t refuse_from;      /* what is as large, or larger; 0: all is given */
    void (*meanwhile)(void); /* runs inside the next call */
} counted;

static void *counted_allocate(size_t size, void *user)
{
    void *block = counted.refuse_from && size >= counted.refuse_from ? NULL : malloc(size);
    void (*const meanwhile)(void) = counted.meanwhile;

    (void)user;
    if (meanwhile) {
        counted.meanwhile = NULL;
        meanwhile();
    }
    if (block)
        memset(block, 0xff, size);
    proi_lock(&counted.lock);
    counted.calls++;
    counted.bytes += size;
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

static void counted_begin(bool slabs_of_one)
{
    static const struct pro_allocator allocator = { counted_allocate, counted_resize, counted_release, NULL };

    pro_memory_trim();
    memset(&counted, 0, sizeof counted);
    proi_slabs_of_one = slabs_of_one;
    REQUIRE(pro_set_allocator(&allocator) == PRO_OK);
}

static void counted_end(void)
{
    pro_memory_trim();
    CHECK_EQ(counted.live, 0);
    CHECK_EQ(counted.strangers, 0);
    proi_slabs_of_one = false;
    pro_set_allocator(NULL);
}

TEST(block_can_be_written_to_its_last_byte_in_every_class)
{
    /* Kills: a class that is one byte, or one step, too small; a link where the user may write; blocks that overlap. */
    static const size_t sizes[] = { 1,    23,   24,   25,   32,   33,    56,    57,    64,     65,
                                    120,  121,  128,  984,  985,  1016,  1017,  1023,  1024,   1025,
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

TEST(block_that_was_freed_keeps_what_was_written)
{
    /* Kills: a link word at the front of a free block, or among what its user may write; a class without room for it.
     */
    static const size_t sizes[] = { 1, 24, 25, 56, 57, 64, 120, 121, 184, 1016, 1017, 1024, 2048 };
    enum { COUNT = 100, READABLE = PROI_TASK_CLEARED }; /* as much as a report may read */
    unsigned char *blocks[COUNT];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t end = PROI_BLOCKS_ARE_TOLD && sizes[i] > READABLE ? (size_t)READABLE : sizes[i];

        for (int j = 0; j < COUNT; j++) {
            REQUIRE((blocks[j] = proi_block_alloc(sizes[i])) != NULL);
            memset(blocks[j], j, sizes[i]);
        }
        for (int j = 0; j < COUNT; j++)
            proi_block_free(blocks[j], sizes[i]);
        for (int j = 0; j < COUNT; j++)
            for (size_t at = 0; at < end; at++)
                if (blocks[j][at] != j) {
                    test_fail(__FILE__, __LINE__, "a free block of %u bytes was overwritten at %u", (unsigned)sizes[i],
                              (unsigned)at);
                    break;
                }
    }
}

TEST(block_is_used_again_by_the_thread_that_freed_it)
{
    /* Kills: freeing to the allocator instead of the list; filing a block under another class than it is taken from. */
    static const size_t sizes[] = { 1, 64, 200, 1024, 1500, 60000, 70000, 300000 };

    counted_begin(true);
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

    counted_begin(true);
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

    counted_begin(true);
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

    counted_begin(false);
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
    counted_begin(false);
    counted.refuse_from = 1;
    CHECK(!proi_alloc(10));
    CHECK(!proi_alloc_zeroed(10));
    CHECK(!proi_block_alloc(10));
    CHECK(!proi_block_alloc(100000));
    CHECK(!proi_block_alloc(SIZE_MAX));
    proi_free(NULL);
    proi_block_free(NULL, 10);
    counted_end();
}

/* ---- slabs ---- */

static int compare_addresses(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;

    return (x > y) - (x < y);
}

TEST(a_new_block_is_zero_where_lives_are_counted)
{
    /* Kills: clearing only the first block of a slab; a task's block with less than its header cleared. */
    enum { COUNT = 100, SIZE = 200 };
    unsigned char *blocks[2][COUNT];
    const unsigned class = proi_block_class(SIZE);

    counted_begin(false);
    for (int i = 0; i < COUNT; i++) {
        REQUIRE((blocks[0][i] = proi_block_alloc(SIZE)) != NULL);
        REQUIRE((blocks[1][i] = proi_block_take(PROI_BLOCKS_OF_TASKS, class, SIZE)) != NULL);
        for (size_t at = 0; at < sizeof(uint64_t); at++)
            CHECK_EQ(blocks[0][i][at], 0);
        for (size_t at = 0; at < PROI_TASK_CLEARED; at++)
            if (at < PROI_TASK_LINK || at >= PROI_TASK_LINK + sizeof(char *)) /* the last life's */
                CHECK_EQ(blocks[1][i][at], 0);
    }
    for (int i = 0; i < COUNT; i++) {
        proi_block_free(blocks[0][i], SIZE);
        proi_block_give(PROI_BLOCKS_OF_TASKS, class, blocks[1][i]);
    }
    counted_end();
}

#if PROI_BLOCKS_ARE_APART
TEST(under_a_checker_each_block_is_an_allocation_of_its_own)
{
    /* Kills: a slab that hides from the checker where a block ends, and which one leaked. */
    void *blocks[MOVED];

    counted_begin(false);
    for (int i = 0; i < MOVED; i++)
        REQUIRE((blocks[i] = proi_block_alloc(120)) != NULL);
    CHECK_EQ(counted.calls, MOVED);
    for (int i = 0; i < MOVED; i++)
        proi_block_free(blocks[i], 120);
    counted_end();
}
#else
TEST(blocks_of_a_slab_lie_upwards_and_begin_with_a_cache_line)
{
    /* Kills: something between two blocks; a slab that does not begin with a cache line; a class in steps of 64 bytes;
       the blocks of a slab given out from its end. */
    static const size_t sizes[] = { 24, 56, 88, 184, 248, 1016 }; /* and a link of 8 */
    enum { COUNT = 20 };
    char *blocks[COUNT];

    counted_begin(false);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned neighbours = 0;

        for (int j = 0; j < COUNT; j++) {
            REQUIRE((blocks[j] = proi_block_alloc(sizes[i])) != NULL);
            if ((sizes[i] + 8) % 64 == 0)
                CHECK_EQ((uintptr_t)blocks[j] % 64, 0);
            neighbours += j > 0 && blocks[j] == blocks[j - 1] + sizes[i] + 8;
        }
        CHECK_EQ((uintptr_t)blocks[0] % 64, 0);
        CHECK(neighbours >= COUNT - 4); /* a slab ends within them three times at most */
        for (int j = 0; j < COUNT; j++)
            proi_block_free(blocks[j], sizes[i]);
    }
    counted_end();
}

TEST(slabs_are_small_at_first_and_few_when_there_are_many_blocks)
{
    /* Kills: a first slab of the full size; slabs that do not grow; a slab for each batch. */
    void *blocks[MOVED];

    counted_begin(false);
    for (int i = 0; i < MOVED; i++) {
        REQUIRE((blocks[i] = proi_block_alloc(120)) != NULL);
        if (i == 0)
            CHECK(counted.bytes <= 2048);
    }
    CHECK_EQ(counted.calls, 4 + 3); /* of 2, 4, 8 and 16 KiB, then of 32 */
    CHECK(counted.bytes <= (size_t)MOVED * 128 + 32768);
    for (int i = 0; i < MOVED; i++)
        proi_block_free(blocks[i], 120);
    counted_end();
}

TEST(trim_keeps_the_slab_of_a_block_in_use_and_releases_the_others)
{
    /* Kills: releasing a slab that has a block out; keeping one that has none; losing the free blocks of one that is
       kept; counting a slab's blocks together with those of its neighbour; losing the blocks that had no life yet. */
    void *blocks[MOVED], *again[MOVED];
    size_t calls, kept;
    int spared = 0;

    counted_begin(false);
    for (int round = 0; round < 10; round++) {
        const int used = (round * 397 + 5) % MOVED;

        for (int i = 0; i < MOVED - round; i++)
            REQUIRE((blocks[i] = proi_block_alloc(120)) != NULL);
        for (int i = 0; i < MOVED - round; i++) {
            memset(blocks[i], i & 0xff, 120);
            if (i != used)
                proi_block_free(blocks[i], 120);
        }
        pro_memory_trim();
        CHECK_EQ(counted.live, 1);
        for (int i = 0; i < 120; i++)
            CHECK_EQ(((unsigned char *)blocks[used])[i], used & 0xff);
        calls = counted.calls;
        for (kept = 0; counted.calls == calls; kept++) /* to the first that is of another slab */
            REQUIRE((again[kept] = proi_block_alloc(120)) != NULL);
        spared += kept > 4; /* a slab of 2 KiB has 15 */
        for (size_t i = 0; i < kept; i++) {
            CHECK(again[i] != blocks[used]);
            proi_block_free(again[i], 120);
        }
        proi_block_free(blocks[used], 120);
        pro_memory_trim();
        CHECK_EQ(counted.live, 0);
    }
    CHECK_EQ(spared, 10);
    counted_end();
}

static void *others[3]; /* of the smallest class: its first slab is more than a batch */

static void take_three(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        others[i] = proi_block_alloc(24);
}

static void let_another_take_three(void)
{
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "faster", take_three, NULL, 0) == PRO_OK);
    proi_thread_join(&thread);
}

TEST(of_two_slabs_made_at_the_same_time_one_goes_back)
{
    /* Kills: a slab that takes the place of one whose blocks had no life yet; forgetting to release the one too many.
     */
    void *block;

    counted_begin(false);
    counted.meanwhile = let_another_take_three;
    block = proi_block_alloc(24);
    REQUIRE(block && others[0] && others[1] && others[2]);
    CHECK_EQ(counted.calls, 3); /* ours, the thread's record, its slab */
    CHECK_EQ(counted.live, 1);  /* its slab */
    for (int i = 0; i < 3; i++) {
        CHECK(block != others[i]);
        proi_block_free(others[i], 24);
    }
    proi_block_free(block, 24);
    counted_end();
}

#endif

TEST(where_there_is_no_memory_for_a_slab_there_may_be_some_for_a_block)
{
    /* Kills: NULL as soon as a slab is refused; a single block that trim does not know. */
    void *blocks[10];

    counted_begin(false);
    counted.refuse_from = 400;
    for (int i = 0; i < 10; i++) {
        blocks[i] = proi_block_alloc(200);
        REQUIRE(blocks[i]);
        memset(blocks[i], i, 200);
    }
    CHECK_EQ(counted.live, 10);
    for (int i = 0; i < 10; i++)
        proi_block_free(blocks[i], 200);
    counted_end();
}

enum { TAKERS = 4, TAKEN = 700 };
static void *taken[TAKERS * TAKEN];

static void take_some(void *arg)
{
    void **const mine = arg;

    for (int i = 0; i < TAKEN; i++) {
        mine[i] = proi_block_alloc(56);
        if (mine[i])
            memset(mine[i], (int)(mine - taken) / TAKEN, 56);
    }
}

TEST(no_two_threads_are_given_the_same_new_block)
{
    /* Kills: taking new blocks without the lock. */
    struct proi_thread threads[TAKERS];

    counted_begin(false);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < TAKERS; i++)
            REQUIRE(proi_thread_start(&threads[i], "taker", take_some, &taken[i * TAKEN], 0) == PRO_OK);
        for (int i = 0; i < TAKERS; i++)
            proi_thread_join(&threads[i]);
        for (int i = 0; i < TAKERS * TAKEN; i++) {
            REQUIRE(taken[i]);
            CHECK_EQ(((unsigned char *)taken[i])[55], i / TAKEN);
        }
        qsort(taken, TAKERS * TAKEN, sizeof *taken, compare_addresses);
        for (int i = 0; i < TAKERS * TAKEN; i++) {
            CHECK(i == 0 || taken[i] != taken[i - 1]);
            proi_block_free(taken[i], 56);
        }
        pro_memory_trim();
        CHECK_EQ(counted.live, 0);
    }
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
