/* SPDX-License-Identifier: MIT */
/* Version, export marks, time units, source positions. Nothing here does anything. */
#ifndef PROACT_BASE_H
#define PROACT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRO_VERSION_MAJOR 0
#define PRO_VERSION_MINOR 1
#define PRO_VERSION_PATCH 0
#define PRO_VERSION_STRING "0.1.0"

#ifdef __cplusplus
#define PRO_BEGIN_DECLS extern "C" {
#define PRO_END_DECLS }
#else
#define PRO_BEGIN_DECLS
#define PRO_END_DECLS
#endif

/* PROACT_SHARED is defined by the package (pkg-config, CMake) when the shared library is linked;
   PROACT_BUILDING only while the library itself is compiled. */
#if defined(_WIN32) && defined(PROACT_BUILDING) && defined(PROACT_SHARED)
#define PRO_API __declspec(dllexport)
#elif defined(_WIN32) && defined(PROACT_SHARED)
#define PRO_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define PRO_API __attribute__((visibility("default")))
#else
#define PRO_API
#endif

#if defined(__GNUC__)
#define PRO_NODISCARD __attribute__((warn_unused_result))
#else
#define PRO_NODISCARD
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define PRO_PRINTF(text, first) __attribute__((format(gnu_printf, text, first)))
#elif defined(__clang__)
#define PRO_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define PRO_PRINTF(text, first)
#endif

/* Words used in every contract below.
 *   borrows   the argument is used until the call returns
 *   lends     the argument must stay valid until the operation is delivered
 *   takes     the callee owns it from now on, also when the call fails
 *   gives     the caller owns what comes back
 *   misuse    a mistake of the program: answered, and told to the misuse handler (error.h)
 * Each function says where it may be called; after the mark may stand a condition.
 *   [loop]                    on the thread of the loop it concerns
 *   [any thread]              anywhere, at any time
 *   [one thread at a time]    anywhere, but not at once with another call for the same object
 *   [the pump's thread]       on the thread that runs the pump
 * Functions that can fail return int: PRO_OK (0) or a count, or a negative enum pro_err.
 * Output parameters are called ret_x and are untouched on failure. Zeroed memory is a valid, idle object. */

/* Durations and moments are nanoseconds. Moments are on the monotonic clock, see pro_now(). */
#define PRO_US(n) ((int64_t)(n)*1000)
#define PRO_MS(n) ((int64_t)(n)*1000000)
#define PRO_S(n) ((int64_t)(n)*1000000000)
#define PRO_INFINITE ((int64_t)-1)

/* The structure of type @type whose member @member is *@pointer. */
#define PRO_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A place in the source, for reports. All members may be NULL or 0: unknown. */
struct pro_site {
    const char *file;
    const char *function;
    int line;
};

#ifdef __cplusplus
#define PRO_HERE (pro_site{ __FILE__, __func__, __LINE__ })
#define PRO_SITE_UNKNOWN (pro_site{ NULL, NULL, 0 })
#else
#define PRO_HERE ((struct pro_site){ __FILE__, __func__, __LINE__ })
#define PRO_SITE_UNKNOWN ((struct pro_site){ NULL, NULL, 0 })
#endif

PRO_BEGIN_DECLS

/* The version of the library that is running, "0.1.0". [any thread] */
PRO_API const char *pro_version(void);

/* Nanoseconds on the monotonic clock. A loop on the simulated kernel has a clock of its own, see
   pro_loop_now(). [any thread] */
PRO_API uint64_t pro_now(void);

/* Where the library's memory comes from. @resize, @allocate and @release obey realloc, malloc and free.
   Call it before anything else of the library; NULL restores the C library's. Small blocks are asked for several at a
   time, 2 KiB at first and 32 KiB at most; what is refused is asked for again for one. Blocks that the library keeps
   for reuse are given back with pro_memory_trim(). Copies *@allocator. PRO_E_INVALID (misuse): an entry is NULL. [any thread, but before
   all others] */
struct pro_allocator {
    void *(*allocate)(size_t size, void *user);
    void *(*resize)(void *block, size_t size, void *user);
    void (*release)(void *block, void *user);
    void *user;
};
PRO_API int pro_set_allocator(const struct pro_allocator *allocator);

/* Gives the blocks kept for reuse back to the allocator; small ones only where all that lie in one allocation are free. Only when no
   loop, task or handle is alive: the library cannot check that, reports read such blocks from other threads. What is left over of an
   object that is gone, a registration, a lease, a pointer, is answered until then, and must not be used afterwards. [any thread, alone] */
PRO_API void pro_memory_trim(void);

/* The most threads that the library may have at one time in this process (pool, background loop, files of
   the epoll backend); negative: no limit but the system's. Work that finds no thread runs where it is handed
   over, and the notice handler is told. [any thread] */
PRO_API void pro_set_thread_limit(int count);

/* Sentences that are no errors but that somebody should read: a fallback was taken, offloaded work ran inline.
   Default: standard error. NULL: silence. Borrows @sentence. [any thread, may run anywhere] */
typedef void pro_notice_fn(const char *sentence, void *user);
PRO_API void pro_set_notice_handler(pro_notice_fn *handler, void *user);

PRO_END_DECLS

#endif
