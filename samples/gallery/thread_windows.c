/* SPDX-License-Identifier: MIT */
/* Threads and events of Windows. */
#include <process.h>
#include <stdlib.h>
#include <windows.h>

#include "system.h"

struct start {
    void (*fn)(void *arg);
    void *arg;
};

static unsigned __stdcall thread_main(void *arg)
{
    const struct start start = *(struct start *)arg;
    free(arg);
    start.fn(start.arg);
    return 0;
}

/* A thread is its handle: the structure exists only as a name. */
struct system_thread *system_thread_new(void (*fn)(void *arg), void *arg)
{
    uintptr_t thread;
    struct start *start = malloc(sizeof *start);
    if (!start)
        return NULL;
    *start = (struct start){ fn, arg };
    thread = _beginthreadex(NULL, 0, thread_main, start, 0, NULL);
    if (!thread)
        free(start);
    return (struct system_thread *)thread;
}

void system_thread_join(struct system_thread *thread)
{
    WaitForSingleObject((HANDLE)thread, INFINITE);
    CloseHandle((HANDLE)thread);
}

bool system_thread_start(void (*fn)(void *arg), void *arg)
{
    struct system_thread *thread = system_thread_new(fn, arg);
    if (thread)
        CloseHandle((HANDLE)thread);
    return thread != NULL;
}

void system_sleep_ms(int ms) { Sleep((DWORD)ms); }

/* An event is its handle: the structure exists only as a name. */
struct event *event_new(void) { return (struct event *)CreateEventW(NULL, TRUE, FALSE, NULL); }
void event_free(struct event *event) { CloseHandle((HANDLE)event); }
void event_set(struct event *event) { SetEvent((HANDLE)event); }

bool event_wait(struct event *event, int timeout_ms)
{
    return WaitForSingleObject((HANDLE)event, timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms) == WAIT_OBJECT_0;
}
