/* SPDX-License-Identifier: MIT */
/* Tells the checkers what happens where they cannot look: in the kernel, and in our own block lists. */
#ifndef PROACT_SANITIZER_H
#define PROACT_SANITIZER_H

#include <stddef.h>

#if defined(__SANITIZE_THREAD__)
#define PROI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PROI_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define PROI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PROI_ASAN 1
#endif
#endif

#ifdef PROI_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
/* The kernel carries @token from the thread that submits to the one that reaps. */
#define PROI_KERNEL_RELEASE(token) __tsan_release(token)
#define PROI_KERNEL_ACQUIRE(token) __tsan_acquire(token)
#else
#define PROI_KERNEL_RELEASE(token) ((void)(token))
#define PROI_KERNEL_ACQUIRE(token) ((void)(token))
#endif

#ifdef PROI_ASAN
void __asan_poison_memory_region(void const volatile *address, size_t size);
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
void *__asan_region_is_poisoned(void *begin, size_t size);
#define PROI_POISON(address, size) __asan_poison_memory_region((address), (size))
#define PROI_UNPOISON(address, size) __asan_unpoison_memory_region((address), (size))
/* True when a byte of the range is not the program's to use. */
#define PROI_IS_POISONED(address, size) (__asan_region_is_poisoned((address), (size)) != NULL)
#define PROI_BLOCKS_ARE_TOLD 1
#else
#define PROI_POISON(address, size) ((void)(address), (void)(size))
#define PROI_UNPOISON(address, size) ((void)(address), (void)(size))
#define PROI_IS_POISONED(address, size) (false)
#define PROI_BLOCKS_ARE_TOLD 0
#endif

/* Bytes that the kernel wrote are defined. Valgrind's request is an instruction sequence that does nothing elsewhere. */
#if defined(PROI_VALGRIND)
#include <valgrind/memcheck.h>
#define PROI_MADE_DEFINED(address, size) ((void)VALGRIND_MAKE_MEM_DEFINED((address), (size)))
/* Around a call that is given the address of memory which may be gone, and does not read it: a wake. */
#define PROI_ADDRESS_ONLY_BEGIN() VALGRIND_DISABLE_ERROR_REPORTING
#define PROI_ADDRESS_ONLY_END() VALGRIND_ENABLE_ERROR_REPORTING
#else
#define PROI_MADE_DEFINED(address, size) ((void)(address), (void)(size))
#define PROI_ADDRESS_ONLY_BEGIN() ((void)0)
#define PROI_ADDRESS_ONLY_END() ((void)0)
#endif

/* Under a checker that names the block that leaked, or was overrun, each is an allocation of its own. */
#if PROI_BLOCKS_ARE_TOLD || defined(PROI_VALGRIND)
#define PROI_BLOCKS_ARE_APART 1
#else
#define PROI_BLOCKS_ARE_APART 0
#endif

#endif
