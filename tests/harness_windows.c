/* SPDX-License-Identifier: MIT */
/* The harness's Windows part. Under Wine a crash can end with status 0 unless the process ends itself, and output in
   text mode would carry carriage returns. */
#include "harness_system.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <windows.h>
/* after windows.h */
#include <tlhelp32.h>

enum { STATUS_CRASH = 70, STATUS_TIME_IS_UP = 71 };

const struct test_backend test_backend_table[] = { { "iocp", "iocp" }, { "sim", "sim" }, { NULL, NULL } };

static struct {
    SRWLOCK lock;
    HANDLE changed;
    const char *name;
    unsigned seconds;
} watch = { .lock = SRWLOCK_INIT };

static LONG WINAPI crashed(EXCEPTION_POINTERS *what)
{
    const EXCEPTION_RECORD *record = what->ExceptionRecord;
    char module_name[MAX_PATH] = "?";
    HMODULE module = NULL;

    GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (const char *)record->ExceptionAddress, &module);
    if (module)
        GetModuleFileNameA(module, module_name, sizeof module_name);
    fprintf(stderr, "FAIL %s: exception 0x%08lx at %s+0x%llx\n", watch.name ? watch.name : "(no test)",
            (unsigned long)record->ExceptionCode, module_name,
            (unsigned long long)((uintptr_t)record->ExceptionAddress - (uintptr_t)module));
    TerminateProcess(GetCurrentProcess(), STATUS_CRASH);
    return EXCEPTION_EXECUTE_HANDLER;
}

static DWORD WINAPI watchdog(void *unused)
{
    DWORD status = WAIT_OBJECT_0;

    (void)unused;
    while (status == WAIT_OBJECT_0) {
        unsigned seconds;

        AcquireSRWLockExclusive(&watch.lock);
        seconds = watch.seconds;
        ReleaseSRWLockExclusive(&watch.lock);
        status = WaitForSingleObject(watch.changed, seconds ? seconds * 1000 : INFINITE);
    }
    fprintf(stderr, "FAIL %s: the watchdog's time is up (see PROACT_TEST_LIMIT)\n",
            watch.name ? watch.name : "(no test)");
    TerminateProcess(GetCurrentProcess(), STATUS_TIME_IS_UP);
    return 0;
}

void test_system_begin(void)
{
    HANDLE thread;

    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    setvbuf(stdout, NULL, _IONBF, 0);
    setvbuf(stderr, NULL, _IONBF, 0);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    SetUnhandledExceptionFilter(crashed);
    watch.changed = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = watch.changed ? CreateThread(NULL, 0, watchdog, NULL, 0, NULL) : NULL;
    if (!thread) {
        fprintf(stderr, "the test's watchdog does not start: error %lu\n", GetLastError());
        TerminateProcess(GetCurrentProcess(), STATUS_CRASH);
    }
    CloseHandle(thread);
}

/* The run time's way out kills the other threads wherever they are, and then asks each library of the process to end:
   one that needs a lock which a killed thread held waits for ever, and no watchdog is left. */
int test_system_end(int status)
{
    fflush(NULL);
    TerminateProcess(GetCurrentProcess(), (UINT)status);
    return status;
}

void test_system_watch(const char *name, unsigned seconds)
{
    AcquireSRWLockExclusive(&watch.lock);
    watch.name = name;
    watch.seconds = seconds;
    ReleaseSRWLockExclusive(&watch.lock);
    SetEvent(watch.changed);
}

unsigned test_thread_count(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = { .dwSize = sizeof entry };
    unsigned count = 0;

    if (snapshot == INVALID_HANDLE_VALUE)
        return 0;
    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(snapshot);
    return count;
}
