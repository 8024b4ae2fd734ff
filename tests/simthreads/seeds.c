/* SPDX-License-Identifier: MIT */
/* seeds NAME EXPECTED PROGRAM [ARGUMENT…]: runs a program of the build with simulated threads once for each seed and
 * compares what it prints, byte for byte, with the file EXPECTED.
 * $PROACT_SCHEDULE_SEEDS: how many seeds, 100; $PROACT_SCHEDULE_SEED: the first one, 1. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_OUTPUT = 1 << 20, RUN_SECONDS = 120, NOT_STARTED = 127 };

struct output {
    char bytes[MOST_OUTPUT];
    size_t count;
};

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
    const char *const text = getenv(variable);

    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

static bool read_all(int file, struct output *ret_output)
{
    ssize_t got;

    ret_output->count = 0;
    do {
        got = read(file, ret_output->bytes + ret_output->count, sizeof ret_output->bytes - ret_output->count);
        if (got > 0)
            ret_output->count += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0;
}

/* Its children's threads run in turns, and it waits for them: one processor is enough, and quicker. */
static void stay_on_processor(void)
{
    const int here = sched_getcpu();
    cpu_set_t one;

    CPU_ZERO(&one);
    if (here >= 0) {
        CPU_SET((size_t)here, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
}

/* Gives the exit status as waitpid does; -1: it could not be run. */
static int run(char **program, unsigned long seed, struct output *ret_output)
{
    char text[32];
    int ends[2], status = -1;
    pid_t child;

    snprintf(text, sizeof text, "%lu", seed);
    if (setenv("PROACT_SCHEDULE_SEED", text, 1) != 0 || pipe(ends) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        alarm(RUN_SECONDS);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program[0], program);
        _exit(NOT_STARTED);
    }
    close(ends[1]);
    if (!read_all(ends[0], ret_output))
        status = -1;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

static void show(const char *title, const struct output *output)
{
    printf("  %s\n", title);
    for (size_t i = 0; i < output->count; i++) {
        if (i == 0 || output->bytes[i - 1] == '\n')
            fputs("    ", stdout);
        putchar(output->bytes[i]);
    }
}

static int fail(const char *name, char **program, unsigned long seed, int status, const struct output *expected,
                const struct output *actual)
{
    if (WIFSIGNALED(status))
        printf("  ended by signal %d\n", WTERMSIG(status));
    else
        printf("  ended with status %d\n", WEXITSTATUS(status));
    show("expected:", expected);
    show("printed:", actual);
    printf("  again: PROACT_SCHEDULE_SEED=%lu", seed);
    for (; *program; program++)
        printf(" %s", *program);
    printf("\nFAIL %s\n0 passed, 1 failed, 0 skipped\n", name);
    return 1;
}

int main(int count, char **words)
{
    static struct output expected, actual;
    const unsigned long first = number_of("PROACT_SCHEDULE_SEED", 1), seeds = number_of("PROACT_SCHEDULE_SEEDS", 100);
    int file;

    if (count < 4) {
        fprintf(stderr, "usage: seeds NAME EXPECTED PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    file = open(words[2], O_RDONLY | O_CLOEXEC);
    if (file < 0 || !read_all(file, &expected)) {
        fprintf(stderr, "%s cannot be read: %s\n", words[2], strerror(errno));
        return 2;
    }
    close(file);
    unsetenv("PROACT_SCHEDULE");
    stay_on_processor();
    for (unsigned long seed = first; seed < first + seeds; seed++) {
        const int status = run(words + 3, seed, &actual);

        if (status != 0 || actual.count != expected.count || memcmp(actual.bytes, expected.bytes, expected.count) != 0)
            return fail(words[1], words + 3, seed, status, &expected, &actual);
    }
    printf("  %lu seeds\nPASS %s\n1 passed, 0 failed, 0 skipped\nALL-OK\n", seeds, words[1]);
    return 0;
}
