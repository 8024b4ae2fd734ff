/* SPDX-License-Identifier: MIT */
/* This program as a child process, on Linux. */
#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system.h"

enum { ARGUMENTS_MAX = 15 };
extern char **environ;

int system_run_self(const char *const *arguments)
{
    static char name[] = "gallery";
    char *argv[ARGUMENTS_MAX + 2] = { name };
    pid_t child;
    int status;
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        argv[i + 1] = (char *)(size_t)arguments[i]; /* posix_spawn() wants char *, and promises not to write */
    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) != 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void system_end(int status)
{
    fflush(NULL);
    _Exit(status);
}

void system_prepare_output(void) { setvbuf(stdout, NULL, _IOLBF, 4096); }
