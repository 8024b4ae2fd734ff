/* SPDX-License-Identifier: MIT */
/* A second process, on Linux. */
#include "process.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char role_variable[] = "PROACT_TEST_ROLE";

struct test_process {
    pid_t id;
    int status;
    bool over;
};

const char *test_process_role(void) { return getenv(role_variable); }

struct test_process *test_process_start(const char *test, const char *role)
{
    static char name[] = "child";
    char *const arguments[] = { name, (char *)(size_t)test, NULL }; /* posix_spawn() promises not to write */
    struct test_process *process = calloc(1, sizeof *process);
    int error;

    if (!process)
        return NULL;
    setenv(role_variable, role, 1);
    error = posix_spawn(&process->id, "/proc/self/exe", NULL, NULL, arguments, environ);
    unsetenv(role_variable);
    if (error) {
        free(process);
        return NULL;
    }
    return process;
}

static void look(struct test_process *process, int options)
{
    pid_t ended;

    while (!process->over && ((ended = waitpid(process->id, &process->status, options)) != 0))
        process->over = ended > 0 || errno != EINTR;
}

bool test_process_is_over(struct test_process *process)
{
    look(process, WNOHANG);
    return process->over;
}

int test_process_end(struct test_process *process)
{
    int status;

    look(process, 0);
    status = WIFEXITED(process->status) ? WEXITSTATUS(process->status) : 128;
    free(process);
    return status;
}

/* The harness has raised the limit to what it may be. */
unsigned test_connections_most(void)
{
    enum { WANTED = 10000, OTHER_FILES = 64 };
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur <= OTHER_FILES)
        return 0;
    return files.rlim_cur - OTHER_FILES < WANTED ? (unsigned)files.rlim_cur - OTHER_FILES : WANTED;
}
