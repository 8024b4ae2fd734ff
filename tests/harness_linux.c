/* SPDX-License-Identifier: MIT */
/* The harness's Linux part: a watchdog by alarm signal, so that it adds no thread to those that tests count. */
#include "harness_system.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Valgrind runs one thread at a time, and lets no other go on while one sleeps in io_uring_enter: it does not know that
   this call may wait. */
const struct test_backend test_backend_table[] = {
#ifndef PROI_VALGRIND
    { "uring", "io_uring" },
#endif
    { "epoll", "epoll" },
    { "sim", "sim" },
    { NULL, NULL }
};

static const char *volatile watched;

static void say(const char *text)
{
    /* In a signal handler there is nobody left to tell that standard error is closed. */
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(71);
}

static void time_is_up(int signal_number)
{
    (void)signal_number;
    say("FAIL ");
    say(watched ? watched : "(no test)");
    say(": the watchdog's time is up (see PROACT_TEST_LIMIT)\n");
    _exit(71);
}

void test_system_begin(void)
{
    struct rlimit files;
    struct sigaction action = { .sa_handler = time_is_up };

    setvbuf(stdout, NULL, _IONBF, 0);
    sigaction(SIGALRM, &action, NULL);
    signal(SIGPIPE, SIG_DFL); /* a library that lets a broken connection kill the process is to be found out */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* thousands of sockets; when it fails the tests will say so */
    }
}

/* Sanitizers look for leaks on the ordinary way out. */
int test_system_end(int status) { return status; }

void test_system_watch(const char *name, unsigned seconds)
{
    watched = name;
    alarm(seconds);
}

unsigned test_thread_count(void)
{
    DIR *folder = opendir("/proc/self/task");
    unsigned count = 0;

    if (!folder)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}
