/* SPDX-License-Identifier: MIT */
/* A small test harness that runs on Linux and under Wine. A test is a sentence; a program holds the tests of one file.
 *
 *     TEST(op_cancelled_before_submit_completes_once)
 *     {
 *         // Kills: removing the state check in cancel.
 *         CHECK(…); CHECK_EQ(a, b); REQUIRE(…); SKIP("why");
 *     }
 *
 * A program runs all its tests, or those whose names contain the words given; `--list` lists them. It ends with
 * "N passed, N failed, N skipped" and, when nothing failed, "ALL-OK". Exit status 0, 1, or 77 when all were skipped.
 * $PROACT_REQUIRE=uring,epoll,sim,iocp turns the skip of a test that needs one of these into a failure.
 * $PROACT_SEED is the seed of test_seed(). A watchdog ends a program whose single test takes over 60 s (300 s in sanitizers and
 * Valgrind): $PROACT_TEST_LIMIT seconds. */
#ifndef PROACT_TEST_HARNESS_H
#define PROACT_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <proact/base.h>

struct test {
    const char *name;
    void (*run)(void);
    const char *file;
    int line;
    struct test *next;
};
void test_register(struct test *test);
void test_fail(const char *file, int line, const char *format, ...) PRO_PRINTF(3, 4);
_Noreturn void test_abandon(void); /* leaves the running test; only on the test's own thread */
/* @needs: "uring", "epoll", "iocp", "sim", or NULL. */
_Noreturn void test_skip(const char *needs, const char *file, int line, const char *reason);
uint64_t test_seed(void);              /* printed when a test fails */
uint64_t test_random(uint64_t *state); /* a good small generator */
void test_note(const char *format, ...) PRO_PRINTF(1, 2);

#define TEST(name)                                                                                                     \
    static void name(void);                                                                                            \
    __attribute__((constructor)) static void register_##name(void)                                                     \
    {                                                                                                                  \
        static struct test test = { #name, name, __FILE__, __LINE__, NULL };                                           \
        test_register(&test);                                                                                          \
    }                                                                                                                  \
    static void name(void)
#define CHECK(condition) ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "%s", #condition))
#define CHECK_EQ(a, b)                                                                                                 \
    do {                                                                                                               \
        const long long check_a_ = (long long)(a), check_b_ = (long long)(b);                                          \
        if (check_a_ != check_b_)                                                                                      \
            test_fail(__FILE__, __LINE__, "%s == %s: %lld is not %lld", #a, #b, check_a_, check_b_);                   \
    } while (0)
#define CHECK_STR(a, b)                                                                                                \
    do {                                                                                                               \
        const char *check_a_ = (a), *check_b_ = (b);                                                                   \
        if (strcmp(check_a_, check_b_) != 0)                                                                           \
            test_fail(__FILE__, __LINE__, "%s: \"%s\" is not \"%s\"", #a, check_a_, check_b_);                         \
    } while (0)
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                                           \
            test_abandon();                                                                                            \
        }                                                                                                              \
    } while (0)
#define SKIP(needs, reason) test_skip((needs), __FILE__, __LINE__, (reason))

/* Loops to test on: the backends that work here, each under its short name ("uring", "epoll", "iocp", "sim"). */
const char *const *test_backends(void);          /* ends with NULL */
const char *test_backend_name(const char *short_name); /* "uring" → "io_uring" */

#endif
