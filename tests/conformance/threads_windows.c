/* SPDX-License-Identifier: MIT */
/* threads.h on Win32. */
#include "threads.h"

#include "harness.h"

#include <fcntl.h>
#include <io.h>
#include <windows.h>

struct monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE condition;
};

struct monitor *monitor_new(void)
{
    struct monitor *monitor = memory_new(sizeof *monitor);
    InitializeSRWLock(&monitor->lock);
    InitializeConditionVariable(&monitor->condition);
    return monitor;
}

void monitor_enter(struct monitor *monitor) { AcquireSRWLockExclusive(&monitor->lock); }

void monitor_exit(struct monitor *monitor) { ReleaseSRWLockExclusive(&monitor->lock); }

bool monitor_wait(struct monitor *monitor, int ms)
{
    const DWORD limit = ms < 0 ? INFINITE : (DWORD)ms;
    return SleepConditionVariableSRW(&monitor->condition, &monitor->lock, limit, 0) != 0;
}

void monitor_pulse_all(struct monitor *monitor) { WakeAllConditionVariable(&monitor->condition); }

struct start {
    void (*fn)(void *arg);
    void *arg;
};

static DWORD WINAPI run_start(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    start.fn(start.arg);
    return 0;
}

void thread_start(void (*fn)(void *arg), void *arg)
{
    struct start *start = memory_new(sizeof *start);
    start->fn = fn, start->arg = arg;
    HANDLE thread = CreateThread(NULL, 0, run_start, start, 0, NULL);
    if (!thread)
        harness_broken("no thread could be started");
    CloseHandle(thread);
}

void thread_sleep_ms(int ms) { Sleep((DWORD)ms); }

/* The stacks have what the linker says: 2 MiB. */
void process_prepare(void) { _setmode(_fileno(stdout), _O_BINARY); }

/* Not _Exit: that ends the other threads one by one first. Wine 8 hangs in it now and then, when one of them is just
   ending by itself, until its server kills the process with another status. */
_Noreturn void process_end(int code)
{
    TerminateProcess(GetCurrentProcess(), (UINT)code);
    abort();
}
