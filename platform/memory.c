/* SPDX-License-Identifier: MIT */
/* Where the library's memory comes from: the allocator the user chose, and on top of it type-stable blocks in size
 * classes.
 *
 * A block is one allocation of the class's size with a link word behind it: a free block changes in no byte that its
 * last user wrote. Tasks have blocks of their own, so that whoever still looks at a freed one finds a task's header
 * there and nothing else; their link lies in that header, where no reader looks. Blocks go to lists of the thread that
 * frees them; a thread keeps at most two batches of a class, whole batches move to the shared lists and back. Nothing
 * returns to the allocator before pro_memory_trim(). */
#include "platform.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = PROI_STEP_CLASSES + (int)sizeof(size_t) * 8 - 1 - PROI_LAST_STEP_BITS, /* the largest have no thread lists */
    REPORT_BYTES = 192, /* what a report may read of a free block */
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

PROI_THREAD_LOCAL struct proi_blocks proi_blocks[PROI_BLOCK_KINDS][PROI_THREAD_CLASSES];

enum cache_state { CACHE_NEW, CACHE_OPEN, CACHE_ENDED };
static PROI_THREAD_LOCAL enum cache_state cache_state;

static struct shared_list {
    struct proi_mutex lock;
    char *first; /* under the lock */
} shared[PROI_BLOCK_KINDS][CLASSES];

unsigned proi_block_class(size_t size)
{
    if (size <= (size_t)1 << PROI_LAST_STEP_BITS)
        return size ? (unsigned)((size - 1) >> PROI_STEP_BITS) : 0;
    return (unsigned)(PROI_STEP_CLASSES + (int)sizeof(unsigned long long) * 8 - __builtin_clzll(size - 1) -
                      PROI_LAST_STEP_BITS - 1);
}

static size_t class_size(unsigned bin)
{
    if (bin < PROI_STEP_CLASSES)
        return (size_t)(bin + 1) << PROI_STEP_BITS;
    return (size_t)1 << (bin - PROI_STEP_CLASSES + PROI_LAST_STEP_BITS + 1);
}

/* What is asked of the allocator for a block. */
static size_t whole_size(enum proi_block_kind kind, unsigned bin)
{
    return class_size(bin) + (kind == PROI_BLOCKS_OF_TASKS ? 0 : sizeof(char *));
}

static unsigned batch_size(unsigned bin)
{
    size_t count = BATCH_BYTES / class_size(bin);

    return count < 1 ? 1 : count > BATCH_MOST ? BATCH_MOST : (unsigned)count;
}

/* Atomic, because a leak checker or a report may come by; no order is needed. */
static char **link_of(char *block, enum proi_block_kind kind, unsigned bin)
{
    return (char **)(void *)(block + (kind == PROI_BLOCKS_OF_TASKS ? (size_t)PROI_TASK_LINK : class_size(bin)));
}

static char *next_of(char *block, enum proi_block_kind kind, unsigned bin)
{
    return proi_load(link_of(block, kind, bin), PROI_RELAXED);
}

static void shared_give(char *first, enum proi_block_kind kind, unsigned bin)
{
    struct shared_list *const list = &shared[kind][bin];
    char *last = first, *next;

    if (!first)
        return;
    while ((next = next_of(last, kind, bin)) != NULL) /* a batch at most */
        last = next;
    proi_lock(&list->lock);
    proi_store(link_of(last, kind, bin), list->first, PROI_RELAXED);
    list->first = first;
    proi_unlock(&list->lock);
}

/* Takes up to @most blocks. The walk touches blocks that are about to be used. */
static char *shared_take(enum proi_block_kind kind, unsigned bin, unsigned most, unsigned *ret_count)
{
    struct shared_list *const list = &shared[kind][bin];
    char *first, *last = NULL;

    *ret_count = 0;
    proi_lock(&list->lock);
    first = list->first;
    for (char *block = first; block && *ret_count < most; block = next_of(block, kind, bin)) {
        last = block;
        ++*ret_count;
    }
    if (last) {
        list->first = next_of(last, kind, bin);
        proi_store(link_of(last, kind, bin), NULL, PROI_RELAXED);
    }
    proi_unlock(&list->lock);
    return first;
}

static char *list_pop(struct proi_blocks *list, enum proi_block_kind kind, unsigned bin)
{
    char *const block = list->first;

    if (PROI_LIKELY(block != NULL)) {
        list->first = next_of(block, kind, bin);
        list->count--;
    }
    return block;
}

static void list_push(struct proi_blocks *list, char *block, enum proi_block_kind kind, unsigned bin)
{
    proi_store(link_of(block, kind, bin), list->first, PROI_RELAXED);
    list->first = block;
    list->count++;
}

static void cache_flush(void)
{
    for (unsigned kind = 0; kind < PROI_BLOCK_KINDS; kind++)
        for (unsigned bin = 0; bin < PROI_THREAD_CLASSES; bin++) {
            struct proi_blocks *const list = &proi_blocks[kind][bin];

            if (list->warm > PROI_NONE_WARM) {
                list_push(list, list->warm, (enum proi_block_kind)kind, bin);
                list->warm = PROI_NONE_WARM;
            }
            shared_give(list->first, (enum proi_block_kind)kind, bin);
            shared_give(list->spare, (enum proi_block_kind)kind, bin);
            list->first = list->spare = NULL;
            list->count = 0;
        }
}

static void cache_keep(bool keep)
{
    for (unsigned kind = 0; kind < PROI_BLOCK_KINDS; kind++)
        for (unsigned bin = 0; bin < PROI_THREAD_CLASSES; bin++) {
            proi_blocks[kind][bin].batch = (uint16_t)(keep ? batch_size(bin) : 0);
            proi_blocks[kind][bin].warm = keep ? PROI_NONE_WARM : NULL;
        }
}

/* Later frees of the ending thread, from another exit function, go straight to the shared lists. */
static void cache_end(void)
{
    cache_flush();
    cache_keep(false);
    cache_state = CACHE_ENDED;
}

static bool cache_open(void)
{
    if (cache_state == CACHE_NEW) {
        cache_state = CACHE_OPEN; /* before the call: it may allocate */
        cache_keep(true);
        proi_at_thread_exit(cache_end);
    }
    return cache_state == CACHE_OPEN;
}

static bool cached(unsigned bin)
{
    return bin < PROI_THREAD_CLASSES && (PROI_LIKELY(cache_state == CACHE_OPEN) || cache_open());
}

static char *take_from_lists(enum proi_block_kind kind, unsigned bin)
{
    struct proi_blocks *list;
    unsigned count;

    if (!cached(bin))
        return shared_take(kind, bin, 1, &count);
    list = &proi_blocks[kind][bin];
    if (list->first)
        return list_pop(list, kind, bin);
    if (list->spare) { /* a full batch */
        list->first = list->spare;
        list->spare = NULL;
        list->count = list->batch;
    } else {
        list->first = shared_take(kind, bin, batch_size(bin), &count);
        list->count = (uint16_t)count;
    }
    return list_pop(list, kind, bin);
}

static char *block_make(enum proi_block_kind kind, unsigned bin)
{
    char *const block = bin < CLASSES ? proi_alloc(whole_size(kind, bin)) : NULL;

    /* Where a type-stable block counts its lives, which nobody else begins; of a task all that its lives leave clean. */
    if (block)
        memset(block, 0, kind == PROI_BLOCKS_OF_TASKS ? (size_t)PROI_TASK_CLEARED : sizeof(uint64_t));
    return block;
}

static PROI_APART void *take_slowly(enum proi_block_kind kind, unsigned bin, size_t size)
{
    char *block = PROI_LIKELY(bin < CLASSES) ? take_from_lists(kind, bin) : NULL;

    if (!block)
        block = block_make(kind, bin);
    if (block) {
        PROI_UNPOISON(block, size);
        PROI_POISON(block + size, whole_size(kind, bin) - size);
    }
    return block;
}

void *proi_block_take(enum proi_block_kind kind, unsigned bin, size_t size)
{
    char *const block =
        !PROI_BLOCKS_ARE_TOLD && bin < PROI_THREAD_CLASSES ? list_pop(&proi_blocks[kind][bin], kind, bin) : NULL;

    return PROI_LIKELY(block != NULL) ? block : take_slowly(kind, bin, size);
}

static PROI_APART void give_slowly(enum proi_block_kind kind, unsigned bin, char *block)
{
    struct proi_blocks *list;

    /* The link stays in the open: a leak checker does not follow pointers out of poisoned bytes. */
    PROI_UNPOISON(block, whole_size(kind, bin));
    if (class_size(bin) > REPORT_BYTES)
        PROI_POISON(block + REPORT_BYTES, class_size(bin) - REPORT_BYTES);
    if (!cached(bin)) {
        proi_store(link_of(block, kind, bin), NULL, PROI_RELAXED);
        shared_give(block, kind, bin);
        return;
    }
    list = &proi_blocks[kind][bin];
    if (list->count >= list->batch) {
        shared_give(list->spare, kind, bin);
        list->spare = list->first;
        list->first = NULL;
        list->count = 0;
    }
    list_push(list, block, kind, bin);
}

void proi_block_give(enum proi_block_kind kind, unsigned bin, void *block)
{
    if (!PROI_BLOCKS_ARE_TOLD && bin < PROI_THREAD_CLASSES &&
        PROI_LIKELY(proi_blocks[kind][bin].count < proi_blocks[kind][bin].batch))
        list_push(&proi_blocks[kind][bin], block, kind, bin);
    else
        give_slowly(kind, bin, block);
}

void *proi_block_alloc(size_t size)
{
    const unsigned bin = proi_block_class(size);
    void *const block = proi_block_take_warm(PROI_BLOCKS_SHARED, bin);

    return block ? block : proi_block_take(PROI_BLOCKS_SHARED, bin, size);
}

void proi_block_free(void *block, size_t size)
{
    const unsigned bin = proi_block_class(size);

    if (block && !proi_block_give_warm(PROI_BLOCKS_SHARED, bin, block))
        proi_block_give(PROI_BLOCKS_SHARED, bin, block);
}

static void trim(enum proi_block_kind kind, unsigned bin)
{
    unsigned count;
    char *block = shared_take(kind, bin, UINT32_MAX, &count), *next;

    for (; block; block = next) {
        next = next_of(block, kind, bin);
        PROI_UNPOISON(block, whole_size(kind, bin));
        proi_free(block);
    }
}

void pro_memory_trim(void)
{
    proi_homes_trim();
    cache_flush();
    for (unsigned kind = 0; kind < PROI_BLOCK_KINDS; kind++)
        for (unsigned bin = 0; bin < CLASSES; bin++)
            trim((enum proi_block_kind)kind, bin);
}
