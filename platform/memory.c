/* SPDX-License-Identifier: MIT */
/* Where the library's memory comes from: the allocator the user chose, and on top of it type-stable blocks in size
 * classes.
 *
 * A small block is a piece of a slab, one allocation for several: they lie one behind the other from the start of a
 * cache line. A large one, and every one under a checker of memory, is an allocation of its own. A block's last word is
 * its link when it is free, and nobody's otherwise: a free block changes in no byte that its last user wrote. Tasks
 * have blocks of their own, so that whoever still looks at a freed one finds a task's header there and nothing else;
 * their link lies in that header, where no reader looks. Blocks go to lists of the thread that frees them; a thread
 * keeps at most two batches of a class, whole batches move to the shared lists and back. Nothing returns to the
 * allocator before pro_memory_trim(). */
#include "platform.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES =
        PROI_STEP_CLASSES + (int)sizeof(size_t) * 8 - 1 - PROI_LAST_STEP_BITS, /* the largest have no thread lists */
    REPORT_BYTES = PROI_TASK_CLEARED, /* what a report may read of a free block */
    BATCH_BYTES = 16384,
    BATCH_MOST = 32,
    LINE = 64,
    FETCH_BYTES = 1024,      /* of each block of a batch, which is in the cache then */
    SLAB_FIRST_BYTES = 2048, /* of a class's first slab; each next one has twice as much … */
    SLAB_DOUBLINGS = 4,      /* … so many times */
    SLAB_FEWEST = 4          /* blocks */
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

/* At the start of its allocation; the blocks come behind it. */
struct slab {
    char *next; /* first: its link, to another slab */
    char *first;
    size_t count;
};

static struct shared_list {
    struct proi_mutex lock; /* for all that follows */
    uint32_t doublings;     /* also read without: it is only how much is asked for */
    char *first;
    char *slabs;        /* newest first */
    char *fresh;        /* blocks of the newest slab that had no life yet … */
    size_t fresh_count; /* … so many */
} shared[PROI_BLOCK_KINDS][CLASSES];

bool proi_slabs_of_one;

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

/* The class for @size bytes and the link. That of a large block lies behind it: whole powers of two are often asked
 * for. */
static unsigned shared_class(size_t size)
{
    const size_t most = ((size_t)1 << PROI_LAST_STEP_BITS) - sizeof(char *);

    if (size <= most)
        return (unsigned)((size + sizeof(char *) - 1) >> PROI_STEP_BITS);
    return proi_block_class(size <= most + sizeof(char *) ? most + sizeof(char *) + 1 : size);
}

static bool is_of_slab(unsigned bin) { return !PROI_BLOCKS_ARE_APART && bin < PROI_STEP_CLASSES; }

/* What is asked of the allocator for a block that is an allocation of its own: with the link. A small one has a byte
 * more: no object has such an odd size, nor has a slab, so an allocator that looks for objects by their size can tell.
 */
static size_t whole_size(enum proi_block_kind kind, unsigned bin)
{
    if (bin < PROI_STEP_CLASSES)
        return class_size(bin) + 1;
    return class_size(bin) + (kind == PROI_BLOCKS_OF_TASKS ? 0 : sizeof(char *));
}

static unsigned batch_size(unsigned bin)
{
    size_t count = BATCH_BYTES / class_size(bin);

    return count < 1 ? 1 : count > BATCH_MOST ? BATCH_MOST : (unsigned)count;
}

/* What is its user's. */
static size_t usable_size(enum proi_block_kind kind, unsigned bin)
{
    return class_size(bin) - (kind != PROI_BLOCKS_OF_TASKS && bin < PROI_STEP_CLASSES ? sizeof(char *) : 0);
}

static size_t link_offset(enum proi_block_kind kind, unsigned bin)
{
    return kind == PROI_BLOCKS_OF_TASKS ? (size_t)PROI_TASK_LINK : usable_size(kind, bin);
}

/* Atomic, because a leak checker or a report may come by; no order is needed. */
static char **link_of(char *block, enum proi_block_kind kind, unsigned bin)
{
    return (char **)(void *)(block + link_offset(kind, bin));
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
    while ((next = next_of(last, kind, bin)) != NULL) /* a batch at most, but for a trim */
        last = next;
    proi_lock(&list->lock);
    proi_store(link_of(last, kind, bin), list->first, PROI_RELAXED);
    list->first = first;
    proi_unlock(&list->lock);
}

/* Where a type-stable block counts its lives, which nobody else begins; of a task all that its lives leave clean. */
static void clear_first_life(char *block, enum proi_block_kind kind)
{
    memset(block, 0, kind == PROI_BLOCKS_OF_TASKS ? (size_t)PROI_TASK_CLEARED : sizeof(uint64_t));
}

/* Makes a list of @count blocks that had no life yet. In the order of their addresses: who takes many goes upwards. */
static char *fresh_list(char *first, size_t count, enum proi_block_kind kind, unsigned bin)
{
    const size_t size = class_size(bin);

    for (size_t i = 0; i < count; i++) {
        char *const block = first + i * size;

        clear_first_life(block, kind);
        proi_store(link_of(block, kind, bin), i + 1 < count ? block + size : NULL, PROI_RELAXED);
    }
    return first;
}

/* Takes up to @most blocks that had no life yet. Under the lock. */
static char *fresh_take(struct shared_list *list, unsigned bin, unsigned most, unsigned *ret_count)
{
    char *const first = list->fresh;

    *ret_count = list->fresh_count < most ? (unsigned)list->fresh_count : most;
    if (!*ret_count)
        return NULL;
    list->fresh = first + *ret_count * class_size(bin);
    list->fresh_count -= *ret_count;
    return first;
}

/* All of a block comes from memory while the walk waits for its link. Else, with many blocks, who begins a life in it
 * would wait for one line after the other. */
static void fetch(const char *block, size_t size)
{
    for (size_t at = 0; at < size && at < FETCH_BYTES; at += LINE)
        __builtin_prefetch(block + at, 1);
}

/* Takes up to @most blocks. The walk touches blocks that are about to be used. */
static char *shared_take(enum proi_block_kind kind, unsigned bin, unsigned most, unsigned *ret_count)
{
    struct shared_list *const list = &shared[kind][bin];
    char *first, *last = NULL, *fresh = NULL;

    *ret_count = 0;
    proi_lock(&list->lock);
    first = list->first;
    for (char *block = first; block && *ret_count < most; block = next_of(block, kind, bin)) {
        fetch(block, class_size(bin));
        last = block;
        ++*ret_count;
    }
    if (last) {
        list->first = next_of(last, kind, bin);
        proi_store(link_of(last, kind, bin), NULL, PROI_RELAXED);
    } else {
        fresh = fresh_take(list, bin, most, ret_count);
    }
    proi_unlock(&list->lock);
    return fresh ? fresh_list(fresh, *ret_count, kind, bin) : first;
}

static struct slab *slab_of(size_t count, unsigned bin)
{
    struct slab *const slab = proi_alloc(sizeof *slab + LINE - 1 + count * class_size(bin));

    if (slab) {
        slab->count = count;
        slab->first = (char *)(((uintptr_t)(slab + 1) + LINE - 1) & ~(uintptr_t)(LINE - 1));
    }
    return slab;
}

/* Where there is no memory for many there may be some for one. */
static struct slab *slab_make(uint32_t doublings, unsigned bin)
{
    const size_t bytes = ((size_t)SLAB_FIRST_BYTES << doublings) - sizeof(struct slab) - (LINE - 1);
    const size_t count = bytes / class_size(bin) < SLAB_FEWEST ? SLAB_FEWEST : bytes / class_size(bin);
    struct slab *slab = proi_slabs_of_one ? NULL : slab_of(count, bin);

    return slab ? slab : slab_of(1, bin);
}

/* Takes up to @most blocks of a new slab, or of one that another thread has just made. NULL: no memory. */
static char *slab_take(enum proi_block_kind kind, unsigned bin, unsigned most, unsigned *ret_count)
{
    struct shared_list *const list = &shared[kind][bin];
    const uint32_t doublings = proi_load(&list->doublings, PROI_RELAXED);
    struct slab *slab = slab_make(doublings, bin);
    char *first;

    if (!slab)
        return NULL;
    proi_lock(&list->lock);
    if (!list->fresh_count) {
        slab->next = list->slabs;
        list->slabs = (char *)slab;
        list->fresh = slab->first;
        list->fresh_count = slab->count;
        if (doublings < SLAB_DOUBLINGS)
            proi_store(&list->doublings, doublings + 1, PROI_RELAXED);
        slab = NULL;
    }
    first = fresh_take(list, bin, most, ret_count);
    proi_unlock(&list->lock);
    proi_free(slab);
    return fresh_list(first, *ret_count, kind, bin);
}

static char *take_many(enum proi_block_kind kind, unsigned bin, unsigned most, unsigned *ret_count)
{
    char *const first = shared_take(kind, bin, most, ret_count);

    return !first && is_of_slab(bin) ? slab_take(kind, bin, most, ret_count) : first;
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
        return take_many(kind, bin, 1, &count);
    list = &proi_blocks[kind][bin];
    if (list->first)
        return list_pop(list, kind, bin);
    if (list->spare) { /* a full batch */
        list->first = list->spare;
        list->spare = NULL;
        list->count = list->batch;
    } else {
        list->first = take_many(kind, bin, batch_size(bin), &count);
        list->count = (uint16_t)count;
    }
    return list_pop(list, kind, bin);
}

/* One that is an allocation of its own. */
static char *block_make(enum proi_block_kind kind, unsigned bin)
{
    char *const block = bin < CLASSES && !is_of_slab(bin) ? proi_alloc(whole_size(kind, bin)) : NULL;

    if (block)
        clear_first_life(block, kind);
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
    if (usable_size(kind, bin) > REPORT_BYTES)
        PROI_POISON(block + REPORT_BYTES, usable_size(kind, bin) - REPORT_BYTES);
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
    const unsigned bin = shared_class(size);
    void *const block = proi_block_take_warm(PROI_BLOCKS_SHARED, bin);

    return block ? block : proi_block_take(PROI_BLOCKS_SHARED, bin, size);
}

void proi_block_free(void *block, size_t size)
{
    const unsigned bin = shared_class(size);

    if (block && !proi_block_give_warm(PROI_BLOCKS_SHARED, bin, block))
        proi_block_give(PROI_BLOCKS_SHARED, bin, block);
}

/* ---- giving back ---- */

static char **link_at(char *item, size_t link) { return (char **)(void *)(item + link); }

/* Both are in the order of their addresses, and so is the list that it gives. */
static char *merged(char *a, char *b, size_t link)
{
    char *first = NULL, **end = &first;

    while (a && b) {
        char **const lower = (uintptr_t)a < (uintptr_t)b ? &a : &b;

        proi_store(end, *lower, PROI_RELAXED);
        end = link_at(*lower, link);
        *lower = proi_load(end, PROI_RELAXED);
    }
    proi_store(end, a ? a : b, PROI_RELAXED);
    return first;
}

/* Puts a list in the order of its addresses, without memory for it. */
static char *sorted(char *first, size_t link)
{
    char *runs[sizeof(size_t) * 8] = { NULL }, *next; /* each of twice as many as the one before */
    size_t i;

    for (char *item = first; item; item = next) {
        next = proi_load(link_at(item, link), PROI_RELAXED);
        proi_store(link_at(item, link), NULL, PROI_RELAXED);
        for (i = 0; runs[i]; i++) {
            item = merged(runs[i], item, link);
            runs[i] = NULL;
        }
        runs[i] = item;
    }
    for (first = NULL, i = 0; i < sizeof runs / sizeof *runs; i++)
        first = merged(runs[i], first, link);
    return first;
}

static void keep(struct slab *slab, char *blocks, enum proi_block_kind kind, unsigned bin)
{
    struct shared_list *const list = &shared[kind][bin];

    proi_lock(&list->lock);
    slab->next = list->slabs;
    list->slabs = (char *)slab;
    proi_unlock(&list->lock);
    shared_give(blocks, kind, bin);
}

/* Releases each slab whose blocks are all in the list, and puts the others back. Both are taken in one step: so no
 * block is of another slab. With blocks and slabs in order one walk finds which is whose. */
static void trim_slabs(enum proi_block_kind kind, unsigned bin)
{
    struct shared_list *const list = &shared[kind][bin];
    const size_t link = link_offset(kind, bin);
    char *block, *fresh, *slabs;
    unsigned count;

    proi_lock(&list->lock);
    block = list->first;
    fresh = fresh_take(list, bin, UINT32_MAX, &count);
    slabs = list->slabs;
    list->first = list->slabs = NULL;
    proi_store(&list->doublings, 0u, PROI_RELAXED);
    proi_unlock(&list->lock);
    block = sorted(block, link);
    if (fresh)
        block = merged(block, fresh_list(fresh, count, kind, bin), link);
    for (slabs = sorted(slabs, offsetof(struct slab, next)); slabs;) {
        struct slab *const slab = (struct slab *)(void *)slabs;
        char *const end = slab->first + slab->count * class_size(bin), *const first = block, *last = NULL;
        size_t found = 0;

        slabs = slab->next;
        for (; block && (uintptr_t)block < (uintptr_t)end; block = next_of(block, kind, bin), found++)
            last = block;
        if (last)
            proi_store(link_of(last, kind, bin), NULL, PROI_RELAXED);
        if (found == slab->count)
            proi_free(slab);
        else
            keep(slab, found ? first : NULL, kind, bin);
    }
}

static void trim(enum proi_block_kind kind, unsigned bin)
{
    unsigned count;
    char *block, *next;

    if (is_of_slab(bin)) {
        trim_slabs(kind, bin);
        return;
    }
    for (block = shared_take(kind, bin, UINT32_MAX, &count); block; block = next) {
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
