/* SPDX-License-Identifier: MIT */
/* The harness, see harness.h: registers, selects, runs and counts tests. What differs between systems is in
   harness_linux.c and harness_windows.c. */
#include "harness.h"
#include "harness_system.h"

#include <proact/loop.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SLOW_CHECKERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(PROI_VALGRIND)
#define SLOW_CHECKERS 1
#endif
#ifdef SLOW_CHECKERS
enum { DEFAULT_LIMIT_SECONDS = 300 };
#else
enum { DEFAULT_LIMIT_SECONDS = 60 };
#endif

enum { MAX_BACKENDS = 8, REFUSAL_TEXT = 400, STATUS_ALL_SKIPPED = 77 };

static struct test *tests; /* sorted by file and line */
static struct test *running;
static jmp_buf leave;
static int failures; /* of the running test; written from any of its threads */
static char skip_reason[REFUSAL_TEXT];

static struct {
    bool tried;
    const char *works[MAX_BACKENDS];
    char refusals[MAX_BACKENDS][REFUSAL_TEXT]; /* by the index in test_backend_table */
} backends;

/* Constructors run in another order on each system; the source's order is the one to read. */
void test_register(struct test *test)
{
    struct test **place = &tests;

    while (*place) {
        int order = strcmp((*place)->file, test->file);

        if (order > 0 || (order == 0 && (*place)->line > test->line))
            break;
        place = &(*place)->next;
    }
    test->next = *place;
    *place = test;
}

struct test *test_current(void) { return running; }

static const char *base_name(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/' || *path == '\\')
            base = path + 1;
    return base;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("  %s:%d: %s\n", base_name(file), line, text);
    __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

void test_abandon(void) { longjmp(leave, 1); }

/* Is @word one of those in the list of the environment variable @variable? */
static bool is_listed(const char *variable, const char *word)
{
    const char *list = getenv(variable);
    size_t length = strlen(word);

    while (list && *list) {
        size_t item = strcspn(list, ", ");

        if (item == length && strncmp(list, word, length) == 0)
            return true;
        list += item;
        list += strspn(list, ", ");
    }
    return false;
}

void test_skip(const char *needs, const char *file, int line, const char *reason)
{
    if (needs && is_listed("PROACT_REQUIRE", needs))
        test_fail(file, line, "PROACT_REQUIRE asks for %s, but: %s", needs, reason);
    else
        snprintf(skip_reason, sizeof skip_reason, "%s", reason);
    test_abandon();
}

uint64_t test_seed(void)
{
    const char *text = getenv("PROACT_SEED");

    return text && *text ? strtoull(text, NULL, 0) : 1;
}

/* splitmix64: every state is a good one, 0 too. */
uint64_t test_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void test_note(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("  %s\n", text);
}

/* ---- backends ---- */

/* A loop that was not asked for a backend by name keeps the sentence why it has not got the best one. */
static void refusal_sentence(const struct test_backend *backend, int code, char *ret_refusal)
{
    struct pro_loop_options options = { .name = "why" };
    struct pro_loop *loop = NULL;

    snprintf(ret_refusal, REFUSAL_TEXT, "%s: %s", backend->name, pro_err_message(code));
    if (pro_loop_new(&options, &loop) != PRO_OK)
        return;
    if (strncmp(pro_loop_backend_reason(loop), backend->name, strlen(backend->name)) == 0)
        snprintf(ret_refusal, REFUSAL_TEXT, "%s", pro_loop_backend_reason(loop));
    pro_loop_free(loop);
}

/* Opens a loop on @backend and writes into @ret_refusal why that failed; "" when it worked. */
static void backend_try(const struct test_backend *backend, char *ret_refusal)
{
    struct pro_loop_options options = { .name = "probe", .backend = backend->name };
    struct pro_loop *loop = NULL;
    int code = pro_loop_new(&options, &loop);

    ret_refusal[0] = '\0';
    if (code != PRO_OK)
        refusal_sentence(backend, code, ret_refusal);
    pro_loop_free(loop);
}

static void backends_try(void)
{
    size_t works = 0;

    if (backends.tried)
        return;
    backends.tried = true;
    for (size_t i = 0; test_backend_table[i].short_name && i < MAX_BACKENDS - 1; i++) {
        backend_try(&test_backend_table[i], backends.refusals[i]);
        if (!backends.refusals[i][0])
            backends.works[works++] = test_backend_table[i].short_name;
    }
}

/* A test that takes what works must not lose, unnoticed, what had to work. */
const char *const *test_backends(void)
{
    backends_try();
    for (size_t i = 0; test_backend_table[i].short_name && i < MAX_BACKENDS - 1; i++)
        if (backends.refusals[i][0] && is_listed("PROACT_REQUIRE", test_backend_table[i].short_name))
            test_fail(__FILE__, __LINE__, "PROACT_REQUIRE asks for %s, but: %s", test_backend_table[i].short_name,
                      backends.refusals[i]);
    return backends.works;
}

const char *test_backend_refusal(const char *short_name)
{
    backends_try();
    for (size_t i = 0; test_backend_table[i].short_name && i < MAX_BACKENDS - 1; i++)
        if (strcmp(test_backend_table[i].short_name, short_name) == 0)
            return backends.refusals[i][0] ? backends.refusals[i] : NULL;
    return "this system has no such backend";
}

const char *test_backend_name(const char *short_name)
{
    return strcmp(short_name, "uring") == 0 ? "io_uring" : short_name;
}

/* ---- running ---- */

static unsigned limit_seconds(void)
{
    const char *text = getenv("PROACT_TEST_LIMIT");
    unsigned long seconds = text ? strtoul(text, NULL, 10) : 0;

    return seconds ? (unsigned)seconds : DEFAULT_LIMIT_SECONDS;
}

struct counts {
    unsigned passed, failed, skipped;
};

static void run_one(struct test *test, struct counts *counts)
{
    running = test;
    failures = 0;
    skip_reason[0] = '\0';
    test_system_watch(test->name, limit_seconds());
    if (setjmp(leave) == 0)
        test->run();
    test_system_watch(NULL, 0);
    running = NULL;
    if (__atomic_load_n(&failures, __ATOMIC_RELAXED)) {
        counts->failed++;
        printf("FAIL %s (%s:%d, PROACT_SEED=%llu)\n", test->name, base_name(test->file), test->line,
               (unsigned long long)test_seed());
    } else if (skip_reason[0]) {
        counts->skipped++;
        printf("SKIP %s: %s\n", test->name, skip_reason);
    } else {
        counts->passed++;
        printf("PASS %s\n", test->name);
    }
}

static bool is_selected(const struct test *test, int word_count, char **words)
{
    for (int i = 0; i < word_count; i++)
        if (strstr(test->name, words[i]))
            return true;
    return word_count == 0;
}

static int run_all(int word_count, char **words)
{
    struct counts counts = { 0, 0, 0 };

    for (struct test *test = tests; test; test = test->next)
        if (is_selected(test, word_count, words))
            run_one(test, &counts);
    if (counts.passed + counts.failed + counts.skipped == 0) {
        printf("no test has one of these words in its name; --list shows the names\n");
        return EXIT_FAILURE;
    }
    printf("%u passed, %u failed, %u skipped\n", counts.passed, counts.failed, counts.skipped);
    if (counts.failed)
        return EXIT_FAILURE;
    printf("ALL-OK\n");
    return counts.passed ? EXIT_SUCCESS : STATUS_ALL_SKIPPED;
}

int main(int count, char **words)
{
    test_system_begin();
    if (count == 2 && strcmp(words[1], "--list") == 0) {
        for (const struct test *test = tests; test; test = test->next)
            printf("%s\n", test->name);
        return EXIT_SUCCESS;
    }
    return test_system_end(run_all(count - 1, words + 1));
}
