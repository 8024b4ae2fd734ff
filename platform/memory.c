/* SPDX-License-Identifier: MIT */
/* Where the library's memory comes from: the allocator the user chose, and on top of it type-stable blocks in size
 * classes.
 *
 * A block is one allocation of the class's size with a link word behind it: a free block changes in no byte that its
 * last user wrote, so a report that still looks at it sees the old header. Blocks go to lists of the thread that frees
 * them; a thread keeps at most two batches of a class, whole batches move to the shared lists and back. Nothing returns
 * to the allocator before pro_memory_trim(). */
#include "platform.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP_BITS = 6, /* classes in steps of 64 bytes up to 1 KiB … */
    STEP_CLASSES = 16,
    LAST_STEP_BITS = 10,
    THREAD_POWERS = 6, /* … then powers of two, up to 64 KiB with lists in each thread … */
    THREAD_CLASSES = STEP_CLASSES + THREAD_POWERS,
    CLASSES =
        STEP_CLASSES + (int)sizeof(size_t) * 8 - 1 - LAST_STEP_BITS, /* … and larger ones on the shared lists only */
    REPORT_BYTES = 192,                                              /* what a report may read of a free block */
    BATCH_BYTES = 16384,
    BATCH_MOST = 32
};

/* ---- the allocator ---- */

static void *default_allocate(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *default_resize(void *block, size_t size, void *user)
{
    (void)user;
    return realloc(block, size);
}

static void default_release(void *block, void *user)
{
    (void)user;
    free(block);
}

#define DEFAULT_ALLOCATOR                                                                                              \
    {                                                                                                                  \
        default_allocate, default_resize, default_release, NULL                                                        \
    }

/* Plain: it is set before anything else of the library is called. */
static struct pro_allocator allocator = DEFAULT_ALLOCATOR;

int pro_set_allocator(const struct pro_allocator *wanted)
{
    static const struct pro_allocator standard = DEFAULT_ALLOCATOR;

    if (!wanted)
        wanted = &standard;
    if (!wanted->allocate || !wanted->resize || !wanted->release)
        return proi_misuse(PRO_E_INVALID,
                           "pro_set_allocator: one of the three functions is NULL; give all of them, or NULL "
                           "instead of the structure for the C library's");
    allocator = *wanted;
    return PRO_OK;
}

void *proi_alloc(size_t size) { return allocator.allocate(size ? size : 1, allocator.user); }

void *proi_alloc_zeroed(size_t size)
{
    void *block = proi_alloc(size);

    return block ? memset(block, 0, size) : NULL;
}

void *proi_realloc(void *block, size_t size) { return allocator.resize(block, size ? size : 1, allocator.user); }

void proi_free(void *block)
{
    if (block)
        allocator.release(block, allocator.user);
}

/* ---- blocks ---- */

struct chain {
    char *first, *last;
    unsigned count;
};

/* What a thread keeps of one class. @spare is empty or a full batch, so that a program that allocates and frees around
   the edge of a batch does not go to the shared list each time. */
struct thread_list {
    struct chain active, spare;
    unsigned batch; /* so many make a full batch; 0 until the cache is open */
};

enum cache_state { CACHE_NEW, CACHE_OPEN, CACHE_ENDED };

static PROI_THREAD_LOCAL struct {
    enum cache_state state;
    struct thread_list lists[THREAD_CLASSES];
} cache;

static struct shared_list {
    struct proi_mutex lock;
    struct chain chain; /* under the lock; its count and last are not kept */
} shared[CLASSES];

static unsigned class_of(size_t size)
{
    if (size <= (size_t)1 << LAST_STEP_BITS)
        return size ? (unsigned)((size - 1) >> STEP_BITS) : 0;
    return (unsigned)(STEP_CLASSES + (int)sizeof(unsigned long long) * 8 - __builtin_clzll(size - 1) - LAST_STEP_BITS -
                      1);
}

static size_t class_size(unsigned bin)
{
    if (bin < STEP_CLASSES)
        return (size_t)(bin + 1) << STEP_BITS;
    return (size_t)1 << (bin - STEP_CLASSES + LAST_STEP_BITS + 1);
}

static unsigned batch_size(unsigned bin)
{
    size_t count = BATCH_BYTES / class_size(bin);

    return count < 1 ? 1 : count > BATCH_MOST ? BATCH_MOST : (unsigned)count;
}

/* The word behind the block. Atomic, because a leak checker or a report may come by; no order is needed. */
static char **link_of(char *block, unsigned bin) { return (char **)(void *)(block + class_size(bin)); }

static char *next_of(char *block, unsigned bin) { return proi_load(link_of(block, bin), PROI_RELAXED); }

static void chain_push(struct chain *chain, char *block, unsigned bin)
{
    proi_store(link_of(block, bin), chain->first, PROI_RELAXED);
    if (!chain->first)
        chain->last = block;
    chain->first = block;
    chain->count++;
}

static char *chain_pop(struct chain *chain, unsigned bin)
{
    char *block = chain->first;

    if (block) {
        chain->first = next_of(block, bin);
        chain->count--;
    }
    return block;
}

static void shared_give(struct chain *chain, unsigned bin)
{
    struct shared_list *list = &shared[bin];

    if (!chain->first)
        return;
    proi_lock(&list->lock);
    proi_store(link_of(chain->last, bin), list->chain.first, PROI_RELAXED);
    list->chain.first = chain->first;
    proi_unlock(&list->lock);
    *chain = (struct chain){ 0 };
}

/* Takes up to @most blocks. The walk touches blocks that are about to be used. */
static void shared_take(struct chain *ret_chain, unsigned bin, unsigned most)
{
    struct shared_list *list = &shared[bin];
    struct chain taken = { 0 };

    proi_lock(&list->lock);
    taken.first = list->chain.first;
    for (char *block = taken.first; block && taken.count < most; block = next_of(block, bin)) {
        taken.last = block;
        taken.count++;
    }
    if (taken.last) {
        list->chain.first = next_of(taken.last, bin);
        proi_store(link_of(taken.last, bin), NULL, PROI_RELAXED);
    }
    proi_unlock(&list->lock);
    *ret_chain = taken;
}

static void cache_flush(void)
{
    for (unsigned bin = 0; bin < THREAD_CLASSES; bin++) {
        shared_give(&cache.lists[bin].active, bin);
        shared_give(&cache.lists[bin].spare, bin);
    }
}

/* Later frees of the ending thread, from another exit function, go straight to the shared lists. */
static void cache_end(void)
{
    cache_flush();
    for (unsigned bin = 0; bin < THREAD_CLASSES; bin++)
        cache.lists[bin].batch = 0;
    cache.state = CACHE_ENDED;
}

static bool cache_open(void)
{
    if (cache.state == CACHE_NEW) {
        cache.state = CACHE_OPEN; /* before the call: it may allocate */
        for (unsigned bin = 0; bin < THREAD_CLASSES; bin++)
            cache.lists[bin].batch = batch_size(bin);
        proi_at_thread_exit(cache_end);
    }
    return cache.state == CACHE_OPEN;
}

static bool cached(unsigned bin)
{
    return bin < THREAD_CLASSES && (PROI_LIKELY(cache.state == CACHE_OPEN) || cache_open());
}

static char *block_take(unsigned bin)
{
    struct thread_list *list;
    struct chain one;

    if (!cached(bin)) {
        shared_take(&one, bin, 1);
        return one.first;
    }
    list = &cache.lists[bin];
    if (PROI_UNLIKELY(!list->active.first)) {
        if (list->spare.first) {
            list->active = list->spare;
            list->spare = (struct chain){ 0 };
        } else
            shared_take(&list->active, bin, batch_size(bin));
    }
    return chain_pop(&list->active, bin);
}

/* The common way: a small block, and this thread has one. */
static char *block_at_hand(unsigned bin)
{
    struct chain *const active = &cache.lists[bin].active;
    char *const block = active->first;

    if (PROI_LIKELY(block != NULL)) {
        active->first = next_of(block, bin);
        active->count--;
    }
    return block;
}

void *proi_block_alloc(size_t size)
{
    const unsigned bin = class_of(size);
    char *block;

    if (PROI_LIKELY(bin < STEP_CLASSES) && PROI_LIKELY((block = block_at_hand(bin)) != NULL)) {
        PROI_UNPOISON(block, size);
        PROI_POISON(block + size, class_size(bin) + sizeof(char *) - size);
        return block;
    }

    if (PROI_UNLIKELY(bin >= CLASSES))
        return NULL;
    block = block_take(bin);
    if (PROI_UNLIKELY(!block)) {
        block = proi_alloc(class_size(bin) + sizeof(char *));
        if (!block)
            return NULL;
        memset(block, 0, sizeof(uint64_t)); /* where a type-stable block counts its lives, which nobody else begins */
    }
    PROI_UNPOISON(block, size);
    PROI_POISON(block + size, class_size(bin) + sizeof(char *) - size);
    return block;
}

void proi_block_free(void *freed, size_t size)
{
    const unsigned bin = class_of(size);
    struct thread_list *list;
    struct chain one = { 0 };
    char *block = freed;

    if (!block)
        return;
    /* The link stays in the open: a leak checker does not follow pointers out of poisoned bytes. */
    PROI_UNPOISON(block, class_size(bin) + sizeof(char *));
    if (class_size(bin) > REPORT_BYTES)
        PROI_POISON(block + REPORT_BYTES, class_size(bin) - REPORT_BYTES);
    if (PROI_LIKELY(bin < STEP_CLASSES) && PROI_LIKELY(cache.lists[bin].active.count < cache.lists[bin].batch)) {
        chain_push(&cache.lists[bin].active, block, bin);
        return;
    }
    if (!cached(bin)) {
        chain_push(&one, block, bin);
        shared_give(&one, bin);
        return;
    }
    list = &cache.lists[bin];
    if (PROI_UNLIKELY(list->active.count >= list->batch)) {
        shared_give(&list->spare, bin);
        list->spare = list->active;
        list->active = (struct chain){ 0 };
    }
    chain_push(&list->active, block, bin);
}

void pro_memory_trim(void)
{
    struct chain chain;
    char *block;

    cache_flush();
    for (unsigned bin = 0; bin < CLASSES; bin++) {
        shared_take(&chain, bin, UINT32_MAX);
        while ((block = chain_pop(&chain, bin)) != NULL) {
            PROI_UNPOISON(block, class_size(bin) + sizeof(char *));
            proi_free(block);
        }
    }
}
