/* SPDX-License-Identifier: MIT */
/* What the layers above may ask of a system: memory, threads, waiting, time. Sockets and files are the backends'
   business (proactor/backend.h). Everything that can make two threads meet goes through this header, so that a build with
   simulated threads can replace platform/<system>/thread.c and the macros below and run the rest unchanged. */
#ifndef PROACT_PLATFORM_H
#define PROACT_PLATFORM_H

#include <proact/base.h>
#include <proact/error.h>

#include "sanitizer.h" /* checkers that do not see the kernel */

/* ---- shared atomics: on plain integers and pointers, so that public structures need no _Atomic ---- */
#ifdef PROI_SIMULATED_THREADS
/* Chooses who goes on, before the caller's access to @address (platform/simthreads/). */
void proi_point(const volatile void *address, bool writes);
#define PROI_POINT(address, writes) proi_point((address), (writes))
#else
#define PROI_POINT(address, writes) ((void)0)
#endif
#define PROI_RELAXED __ATOMIC_RELAXED
#define PROI_ACQUIRE __ATOMIC_ACQUIRE
#define PROI_RELEASE __ATOMIC_RELEASE
#define PROI_ACQ_REL __ATOMIC_ACQ_REL
#define PROI_SEQ_CST __ATOMIC_SEQ_CST
#define proi_load(p, order) (PROI_POINT((p), false), __atomic_load_n((p), (order)))
#define proi_store(p, value, order) (PROI_POINT((p), true), __atomic_store_n((p), (value), (order)))
#define proi_exchange(p, value, order) (PROI_POINT((p), true), __atomic_exchange_n((p), (value), (order)))
#define proi_fetch_add(p, value, order) (PROI_POINT((p), true), __atomic_fetch_add((p), (value), (order)))
#define proi_fetch_sub(p, value, order) (PROI_POINT((p), true), __atomic_fetch_sub((p), (value), (order)))
#define proi_fetch_or(p, value, order) (PROI_POINT((p), true), __atomic_fetch_or((p), (value), (order)))
#define proi_fetch_and(p, value, order) (PROI_POINT((p), true), __atomic_fetch_and((p), (value), (order)))
/* Strong; *expected is updated on failure, which is an acquire: so @order is PROI_ACQUIRE or stronger. */
#define proi_compare_exchange(p, expected, desired, order)                                                             \
    (PROI_POINT((p), true), __atomic_compare_exchange_n((p), (expected), (desired), false, (order), __ATOMIC_ACQUIRE))

/* The library is linked, or loaded with the program: its thread-locals may live in the static block, one instruction away. */
#if defined(__ELF__)
#define PROI_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define PROI_THREAD_LOCAL _Thread_local
#endif
#define PROI_LIKELY(x) __builtin_expect(!!(x), 1)
#define PROI_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* A function that stays one: what it needs of registers and stack is not the common way's. Cold: hardly ever called. */
#define PROI_APART __attribute__((noinline))
#define PROI_FLAT __attribute__((noinline, flatten)) /* one of its own, with all that it calls inside */
#define PROI_INLINE static inline __attribute__((always_inline)) /* the other way round */
#define PROI_HOT __attribute__((aligned(64))) /* begins a cache line: its cost is not its neighbours' */
#define PROI_COLD  __attribute__((noinline, cold))

/* ---- memory (platform/memory.c) ---- */
/* Through pro_set_allocator(). NULL when there is none. */
void *proi_alloc(size_t size);
void *proi_alloc_zeroed(size_t size);
void *proi_realloc(void *block, size_t size);
void proi_free(void *block);

/* Type-stable blocks: once made they stay readable until pro_memory_trim(), so that a report may look at one that was just
   freed. Not zeroed, but for the first 8 bytes of a block's first life. Freed with the size they were asked for. From per-thread
   lists; shared lists behind them. */
void *proi_block_alloc(size_t size);
void proi_block_free(void *block, size_t size);

/* For tests: while it is set a slab has one block, so that a block for which no free one is there is a call of the allocator,
   which can be counted, or refused. [any thread, alone] */
extern bool proi_slabs_of_one;

/* The same with lists for each kind: what was a task's is only ever a task's again. */
enum proi_block_kind { PROI_BLOCKS_SHARED, PROI_BLOCKS_OF_TASKS, PROI_BLOCK_KINDS };
enum {
    PROI_STEP_BITS = 5, /* classes in steps of 32 bytes up to 1 KiB … */
    PROI_STEP_CLASSES = 32,
    PROI_LAST_STEP_BITS = 10,
    PROI_THREAD_CLASSES = PROI_STEP_CLASSES + 6, /* … then powers of two: these have lists in each thread */
    PROI_TASK_LINK = 64,                         /* where the link of a free task's block lies */
    PROI_TASK_CLEARED = 128                      /* bytes that are zero in the first life of a task's block */
};
/* What a thread keeps of one class. @warm is the one freed last: it comes and goes without a count, which is what a caller
   that frees before it allocates again costs. @spare is empty or a full batch, so that a program that allocates and frees
   around the edge of a batch does not go to the shared list each time. */
struct proi_blocks {
    char *warm; /* PROI_NONE_WARM: none; NULL: this thread keeps nothing (yet, or any more) */
    char *first, *spare;
    uint16_t count, batch; /* of first; so many make a full batch: 0 until the thread's lists are open */
};
#define PROI_NONE_WARM ((char *)1)
extern PROI_THREAD_LOCAL struct proi_blocks proi_blocks[PROI_BLOCK_KINDS][PROI_THREAD_CLASSES];
/* The class of a task's block of @size bytes. The others need room for a link: proi_block_alloc() chooses theirs. */
unsigned proi_block_class(size_t size);
/* NULL: no memory. @size: that of the class at most. */
void *proi_block_take(enum proi_block_kind kind, unsigned class, size_t size);
void proi_block_give(enum proi_block_kind kind, unsigned class, void *block);

/* The common way, without a call: a small block, and this thread has a warm one, or no warm one yet. Under a checker that is
   told of every block: never. */
static inline void *proi_block_take_warm(enum proi_block_kind kind, unsigned class)
{
    struct proi_blocks *list;
    char *block;

    if (PROI_BLOCKS_ARE_TOLD || PROI_UNLIKELY(class >= PROI_STEP_CLASSES))
        return NULL;
    list = &proi_blocks[kind][class];
    block = list->warm;
    if (PROI_UNLIKELY(block <= PROI_NONE_WARM))
        return NULL;
    list->warm = PROI_NONE_WARM;
    return block;
}
static inline bool proi_block_give_warm(enum proi_block_kind kind, unsigned class, void *block)
{
    struct proi_blocks *list;

    if (PROI_BLOCKS_ARE_TOLD || PROI_UNLIKELY(class >= PROI_STEP_CLASSES))
        return false;
    list = &proi_blocks[kind][class];
    if (list->warm != PROI_NONE_WARM)
        return false;
    list->warm = (char *)block;
    return true;
}

/* ---- waiting on an address: the one primitive that blocks (platform/<system>/thread.c) ---- */
/* Blocks while *@address == @expected, until woken, or @timeout_ns has passed (negative: no limit). May return early.
   False only when the time is up. */
bool proi_wait(const uint32_t *address, uint32_t expected, int64_t timeout_ns);
void proi_wake_one(const uint32_t *address); /* the memory may be gone already: only its address is used */
void proi_wake_all(const uint32_t *address);

/* ---- locks (platform/lock.c), made of the above; zero is unlocked ---- */
struct proi_mutex {
    uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
};
void proi_lock(struct proi_mutex *mutex);
void proi_unlock(struct proi_mutex *mutex);
/* Memory that is one kind of object's, and nothing else's, until pro_memory_trim(): a stale pointer finds one of that kind
   (platform/home.c). Zero but for the size. */
struct proi_home {
    size_t size;
    struct proi_mutex lock;
    bool listed;            /* under lock */
    void *free;             /* under lock */
    struct proi_home *next; /* under the lock of all homes */
};
/* Gives the memory of one, zeroed in its first life, else as it was given back; NULL: none. */
void *proi_home_take(struct proi_home *home);
void proi_home_give(struct proi_home *home, void *object);
void proi_homes_trim(void); /* for pro_memory_trim() */

struct proi_condition {
    uint32_t sequence;
};
/* Releases, sleeps, takes again. False: the time is up (negative timeout: never). May return early. */
bool proi_condition_wait(struct proi_condition *condition, struct proi_mutex *mutex, int64_t timeout_ns);
void proi_condition_signal(struct proi_condition *condition);
void proi_condition_broadcast(struct proi_condition *condition);
/* Runs @fn once in the process. */
struct proi_once {
    uint32_t word;
};
void proi_once(struct proi_once *once, void (*fn)(void));

/* ---- threads ---- */
struct proi_thread {
    uintptr_t native;
};
/* Starts @fn(@arg) on a thread of @name (borrowed for ever). PRO_E_NO_THREAD: the limit, the system's or pro_set_thread_limit()'s.
   It must be joined, or detached by passing NULL for @ret_thread. @stack_size 0: the system's default. */
int proi_thread_start(struct proi_thread *ret_thread, const char *name, void (*fn)(void *arg), void *arg, size_t stack_size);
void proi_thread_join(struct proi_thread *thread);
uint64_t proi_thread_id(void); /* small, counted from 1, never reused */
unsigned proi_processor_count(void);
/* Bytes of stack left below the caller. */
size_t proi_stack_left(void);
/* Calls @fn when the calling thread ends. Idempotent for the same @fn; at most 8 in the process. */
void proi_at_thread_exit(void (*fn)(void));
/* Counted against pro_set_thread_limit(); used by proi_thread_start() only. (platform/limit.c) */
bool proi_thread_limit_take(void);
void proi_thread_limit_give_back(void);

/* ---- time ---- */
uint64_t proi_now(void); /* monotonic, nanoseconds */

/* ---- what the system says ---- */
int proi_error_from_native(int native); /* one table per system; PRO_E_FAILED when it is not in it */
/* Writes the system's own sentence for @native. */
void proi_native_message(int native, char *ret_text, size_t size);

/* ---- telling (platform/tell.c) ---- */
struct pro_task;
/* Reports a mistake of the program; gives @code back. Says what was done and what to do instead. */
int proi_misuse(int code, const char *format, ...) PRO_PRINTF(2, 3);
void proi_notice(const char *format, ...) PRO_PRINTF(1, 2);
void proi_unhandled(struct pro_error *error);  /* borrows */
/* Is it what pro_error_aggregate() gives for a list with a hole in it? In proactor/error.c, for who takes lists. */
bool proi_error_is_no_list(const struct pro_error *error);
void proi_unobserved(struct pro_task *task, struct pro_error *error); /* borrows */

#endif
