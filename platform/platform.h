/* SPDX-License-Identifier: MIT */
/* What the layers above may ask of a system: memory, threads, waiting, time. Sockets and files are the backends'
   business (proactor/backend.h). Everything that can make two threads meet goes through this header, so that a build with
   simulated threads can replace platform/<system>/thread.c and the macros below and run the rest unchanged. */
#ifndef PROACT_PLATFORM_H
#define PROACT_PLATFORM_H

#include <proact/base.h>
#include <proact/error.h>

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
void proi_unobserved(struct pro_task *task, struct pro_error *error); /* borrows */

/* ---- checkers that do not see the kernel (platform/sanitizer.h has the bodies) ---- */
#include "sanitizer.h"

#endif
