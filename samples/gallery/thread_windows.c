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

bool system_thread_start(void (*fn)(void *arg), void *arg)
{
    uintptr_t thread;
    struct start *start = malloc(sizeof *start);
    if (!start)
        return false;
    *start = (struct start){ fn, arg };
    thread = _beginthreadex(NULL, 0, thread_main, start, 0, NULL);
    if (!thread) {
        free(start);
        return false;
    }
    CloseHandle((HANDLE)thread);
    return true;
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
